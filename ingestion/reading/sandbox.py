"""Parses workbooks in a child process with limits on memory, processor time and wall time.

Belongs here: starting, feeding, watching and replacing the child. Does not belong here: what is in a file. One child
starts a process of its own for each file, so that every file is read within the same limits whatever was read before;
one that dies or is killed costs one file its reading, and the next file gets a new child.
"""

from __future__ import annotations

import atexit
import datetime as dt
import json
import marshal
import os
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingestion.base.limits import IntakeLimits, UnreadableFileError, active_content, damaged, encrypted
from ingestion.base.readings import Cell, MixedText

# The child gets this package's modules without running its __init__, whose imports it has no use for.
_BOOT = (
    "import sys, types; package = types.ModuleType('ingestion'); package.__path__ = [sys.argv[1]]; "
    "sys.modules['ingestion'] = package; from ingestion.reading.workbook_worker import main; main()"
)
_MAX_FRAME = 1 << 30


@dataclass
class ParsedSheet:
    """A sheet as parsed: columns of native cells, all of one length, and what else the file says of it.

    ``distinct`` are the distinct cells of all columns that hold text.
    """

    name: str
    hidden: bool
    columns: list[list[Cell]] = field(default_factory=list)
    rows: int = 0
    filled_rows: int = 0
    distinct: set[Cell] = field(default_factory=set)
    facts: dict[str, Any] = field(default_factory=dict)


class _ChildDiedError(Exception):
    """The child ended, or was ended, before it had answered."""


class Sandbox:
    """One child at a time, started when first needed; calls from several threads wait for each other."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    @property
    def child_pid(self) -> int | None:
        """The process that parses now, if one was started."""
        child = self._child
        return None if child is None else child.pid

    def parse(
        self,
        path: Path,
        kind: str,
        limits: IntakeLimits,
        *,
        encoding: str = "",
        meanwhile: Callable[[], None] | None = None,
    ) -> list[ParsedSheet]:
        """All sheets of a file. ``meanwhile`` runs beside the child; what it raises ends the child.

        Raises :class:`UnreadableFileError` for every way in which a file may fail to be parsed within the limits.
        """
        return self._answer(_request(path, kind, limits, encoding), limits, meanwhile)[0]

    def ask(self, path: Path, kind: str, limits: IntakeLimits) -> dict[str, Any]:
        """What the child says of a file as a whole, under the same limits and errors as :meth:`parse`."""
        return self._answer(_request(path, kind, limits, ""), limits, None)[1]

    def _answer(
        self, request: dict[str, Any], limits: IntakeLimits, meanwhile: Callable[[], None] | None
    ) -> tuple[list[ParsedSheet], dict[str, Any]]:
        with self._lock:
            deadline = time.monotonic() + limits.child_wall_seconds
            try:
                child = self._ready()
                assert child.stdin is not None
                child.stdin.write(json.dumps(request).encode() + b"\n")
                child.stdin.flush()
                frames = self.frames(child, deadline)
                sheets, file_facts, failure = _collected(frames if meanwhile is None else _Beside(meanwhile, frames))
            except (_ChildDiedError, BrokenPipeError) as error:
                late = time.monotonic() >= deadline
                self.close()
                raise _stopped("time_limit" if late else "memory_limit") from error
            except BaseException:
                self.close()
                raise
        if failure:
            raise _stopped(failure)
        return sheets, file_facts

    def _ready(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            self.close()
            self._child = subprocess.Popen(
                [sys.executable, "-I", "-c", _BOOT, str(Path(__file__).parents[1])],
                start_new_session=True,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={"PATH": os.defpath, "LANG": "C.UTF-8"},
            )
        return self._child

    @staticmethod
    def frames(child: subprocess.Popen[bytes], deadline: float) -> Iterator[list[Any]]:
        """Frames of one answer, the last one included; raises :class:`_ChildDiedError` when time is up."""
        assert child.stdout is not None
        handle = child.stdout.fileno()
        while True:
            (size,) = struct.unpack("<I", _read(handle, 4, deadline))
            if size > _MAX_FRAME:
                raise _ChildDiedError
            frame: list[Any] = marshal.loads(_read(handle, size, deadline))
            yield frame
            if frame[0] in ("done", "error"):
                return

    def close(self) -> None:
        """Ends the child, if there is one."""
        child, self._child = self._child, None
        if child is not None:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)  # it leads a group: itself and the process of the current file
            child.wait()
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    try:
                        pipe.close()
                    except BrokenPipeError:
                        continue


def _read(handle: int, size: int, deadline: float) -> bytes:
    parts: list[bytes] = []
    while size:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([handle], [], [], left)[0]:
            raise _ChildDiedError
        part = os.read(handle, min(size, 1 << 20))
        if not part:
            raise _ChildDiedError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


class _Beside:
    """Frames, while another piece of work runs in a thread of its own; its exception comes out at the next frame."""

    def __init__(self, work: Callable[[], None], frames: Iterator[list[Any]]) -> None:
        self._frames = frames
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(work,))
        self._thread.start()

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            self._error = error

    def __iter__(self) -> Iterator[list[Any]]:
        try:
            for frame in self._frames:
                if frame[0] in ("done", "error"):
                    self._thread.join()
                if self._error is not None:
                    raise self._error
                yield frame
        except (_ChildDiedError, BrokenPipeError):
            self._thread.join()
            if self._error is not None:
                raise self._error from None
            raise
        finally:
            self._thread.join()


def _collected(frames: Iterable[list[Any]]) -> tuple[list[ParsedSheet], dict[str, Any], str]:
    """The sheets of an answer and what it says of the file, or the code of what the child could not do."""
    sheets: list[ParsedSheet] = []
    file_facts: dict[str, Any] = {}
    for frame in frames:
        match frame:
            case ["sheet", name, hidden, facts]:
                sheets.append(ParsedSheet(name, hidden, facts=facts))
            case ["columns", rows, columns]:
                _append(sheets[-1], rows, columns)
            case ["done", facts]:
                for sheet in sheets:
                    sheet.facts |= facts.get(sheet.name, {})
                file_facts = facts
            case ["error", code]:
                return [], {}, str(code)
    return sheets, file_facts, ""


def _request(path: Path, kind: str, limits: IntakeLimits, encoding: str) -> dict[str, Any]:
    return {
        "path": os.fspath(path),
        "kind": kind,
        "encoding": encoding,
        "memory": limits.child_memory_bytes,
        "cpu_seconds": limits.child_cpu_seconds,
        "max_cells": limits.max_cells,
    }


def _append(sheet: ParsedSheet, rows: int, columns: list[list[Any]]) -> None:
    if any("" not in column for column in columns):
        sheet.filled_rows += rows
    else:
        sheet.filled_rows += sum(row.count("") < len(row) for row in zip(*columns, strict=True))
    sheet.columns += [[""] * sheet.rows for _ in range(len(columns) - len(sheet.columns))]
    for held, column in zip(sheet.columns, columns, strict=False):
        kinds = set(map(type, column))
        if tuple in kinds:
            native = {cell: _native(cell) for cell in set(column) if type(cell) is tuple}
            column = [native[cell] if type(cell) is tuple else cell for cell in column]
        if str in kinds:
            sheet.distinct.update(column)
        held += column
    for held in sheet.columns[len(columns) :]:
        held += [""] * rows
    sheet.rows += rows


def _native(cell: tuple[str, Any]) -> Cell:
    match cell:
        case ("s", text):
            return dt.datetime.fromisoformat(text)
        case ("d", number):
            return dt.date.fromordinal(number)
        case ("t", text):
            return dt.time.fromisoformat(text)
        case ("p", (days, seconds, microseconds)):
            return dt.timedelta(days, seconds, microseconds)
        case ("m", text):
            return MixedText(text)
    raise ValueError(cell)


def _stopped(code: str) -> UnreadableFileError:
    match code:
        case "encrypted":
            return encrypted()
        case "macros":
            return active_content("macro")
        case "embedded_objects":
            return active_content("đối tượng nhúng (OLE)")
        case "foreign_ole":
            return UnreadableFileError(
                "unknown_format", "Tệp không phải sổ tính Excel. Nộp tệp .xlsx, .xls, .ods hoặc .csv."
            )
        case "no_table":
            return UnreadableFileError("no_table", "Tệp HTML không có bảng số liệu nào.")
        case "entities":
            return UnreadableFileError(
                "entities", "Tệp chứa khai báo XML (DTD, thực thể) không được phép. Lưu lại bằng Excel rồi nộp lại."
            )
        case "cell_budget" | "memory_limit":
            return UnreadableFileError(
                code,
                "Tệp quá lớn để đọc trong giới hạn bộ nhớ. Thường do có ô thừa ở rất xa bảng: nhấn Ctrl+End để tìm ô "
                "cuối, xóa các dòng và cột trống sau bảng, hoặc tách tệp, rồi nộp lại.",
            )
        case "time_limit":
            return UnreadableFileError(
                code,
                "Đọc tệp quá thời gian cho phép nên đã dừng. Chép bảng sang sổ tính mới hoặc tách tệp, rồi nộp lại.",
            )
    return damaged()


_shared = Sandbox()
atexit.register(_shared.close)


def shared_sandbox() -> Sandbox:
    """The sandbox that this process's readers share."""
    return _shared
