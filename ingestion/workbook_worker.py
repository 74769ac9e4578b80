"""The child process that parses workbooks: takes requests on standard input, answers with cells on standard output.

Belongs here: the only calls of workbook parsers. Does not belong here: what a cell means, and every decision on limits
(``sandbox``). It is started without the package's other modules, so that it is small and quick to replace.

A request is one JSON line. An answer is frames of a 4-byte length and marshalled data: ``["sheet", …]``, then for every
chunk of rows ``["columns", …]``, at the end ``["done", …]`` or ``["error", code]``. Moments travel as tuples.
"""

from __future__ import annotations

import datetime as dt
import json
import marshal
import resource
import struct
import sys
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from python_calamine import CalamineWorkbook, PasswordError, SheetVisibleEnum

CHUNK_ROWS = 5_000


class _Refusal(Exception):
    """A typed outcome: its code."""


def main() -> None:
    """Serves requests until standard input ends."""
    out = sys.stdout.buffer
    for line in sys.stdin.buffer:
        request = json.loads(line)
        _limit(request)
        try:
            _serve(request, out)
        except _Refusal as refusal:
            _send(out, ["error", str(refusal)])
        except MemoryError:
            _send(out, ["error", "memory_limit"])
        except Exception:  # parsers raise dozens of kinds; whichever it is, the file cannot be read
            _send(out, ["error", "damaged"])
        out.flush()


def _limit(request: dict[str, Any]) -> None:
    """Address space for good; processor seconds for this request, on top of what was used before."""
    resource.setrlimit(resource.RLIMIT_AS, (request["memory"], resource.getrlimit(resource.RLIMIT_AS)[1]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + 1 + request["cpu_seconds"]
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _send(out: BinaryIO, frame: list[Any]) -> None:
    data = marshal.dumps(frame)
    out.write(struct.pack("<I", len(data)))
    out.write(data)


def _serve(request: dict[str, Any], out: BinaryIO) -> None:
    kind, path = request["kind"], request["path"]
    if kind == "html":
        _serve_html(request, out)
        return
    if kind == "docx":
        _serve_docx(request, out)
        return
    if kind == "count":
        _send(out, ["done", _counted(path)])
        return
    facts = _ole_facts(path) if kind == "xls" else None
    said = _ods_facts(path) if kind == "ods" else {}
    try:
        if path.endswith(f".{kind}"):
            book = CalamineWorkbook.from_path(path)
        else:  # from a path, the reader would go by its suffix
            with open(path, "rb") as file:
                book = CalamineWorkbook.from_filelike(file)
    except PasswordError as error:
        raise _Refusal("encrypted") from error
    for place, meta in enumerate(book.sheets_metadata):
        sheet = book.get_sheet_by_index(place)
        start, end = sheet.start, sheet.end
        if end is not None and (end[0] + 1) * (end[1] + 1) > request["max_cells"]:
            raise _Refusal("cell_budget")
        extra = facts.pop(0) if facts else {}
        _send(out, ["sheet", str(meta.name), meta.visible != SheetVisibleEnum.Visible, extra])
        if start is not None:
            _send_rows(out, sheet.iter_rows(), start[1])
    _send(out, ["done", said])


def _ods_facts(path: str) -> dict[str, Any]:
    """Facts of the sheets of an .ods file, looked at before its cells are laid out; raises a refusal."""
    from ingestion.ods_xml import EntitiesError, TooManyCellsError, check_no_entities, look_at_ods

    try:
        check_no_entities(Path(path))
        return look_at_ods(Path(path))
    except EntitiesError as error:
        raise _Refusal("entities") from error
    except TooManyCellsError as error:
        raise _Refusal("cell_budget") from error


def _send_rows(out: BinaryIO, rows: Iterable[list[Any]], left: int) -> None:
    iterator = iter(rows)
    padding = [""] * left
    while chunk := list(islice(iterator, CHUNK_ROWS)):
        columns = [[""] * len(chunk) for _ in padding]
        columns += [_portable(list(column)) for column in zip(*chunk, strict=True)]
        _send(out, ["columns", len(chunk), columns])


_PLAIN = frozenset({str, float, int, bool, type(None)})


def _portable(column: list[Any]) -> list[Any]:
    """The column with what marshal does not know turned into tuples."""
    if set(map(type, column)) <= _PLAIN:
        return column
    return [cell if type(cell) in _PLAIN else _tuple_of(cell) for cell in column]


def _tuple_of(cell: Any) -> tuple[str, Any]:
    if isinstance(cell, dt.datetime):
        return ("s", cell.isoformat())
    if isinstance(cell, dt.date):
        return ("d", cell.toordinal())
    if isinstance(cell, dt.time):
        return ("t", cell.isoformat())
    if isinstance(cell, dt.timedelta):
        return ("p", (cell.days, cell.seconds, cell.microseconds))
    raise TypeError(type(cell).__name__)


_FOREIGN_STREAMS = frozenset({"worddocument", "powerpoint document", "visiodocument", "__properties_version1.0"})


def _ole_facts(path: str) -> list[dict[str, Any]]:
    """Facts of the sheets of an OLE file, in workbook order; raises a refusal for what is no plain .xls."""
    import olefile

    from ingestion.biff import look_at_stream

    with olefile.OleFileIO(path) as archive:
        names = {"/".join(entry).casefold() for entry in archive.listdir(streams=True, storages=True)}
        if any(n.startswith(("encryptedpackage", "encryptioninfo")) for n in names):
            raise _Refusal("encrypted")
        stream = next((n for n in ("workbook", "book") if n in names), None)
        if stream is None:
            raise _Refusal("foreign_ole" if names & _FOREIGN_STREAMS else "damaged")
        data = archive.openstream(stream).read()
        facts = look_at_stream(data)
        if facts.encrypted:
            raise _Refusal("encrypted")
        if any("vba" in n.split("/") or n.startswith("_vba_project_cur") for n in names):
            raise _Refusal("macros")
        if any(n.startswith("mbd") for n in names):
            raise _Refusal("embedded_objects")
    found: list[dict[str, Any]] = []
    for offset in facts.sheet_offsets:
        sheet = facts.substreams.get(offset)
        if sheet is None:
            raise ValueError("a sheet has no stream")
        found.append(
            {
                "rows_with_values": len(sheet.rows),
                "hidden_rows": sheet.hidden_rows,
                "hidden_columns": sheet.hidden_columns,
                "faults": sheet.errors,
                "counts_from_1904": facts.counts_from_1904,
            }
        )
    return found


def _serve_html(request: dict[str, Any], out: BinaryIO) -> None:
    from ingestion.html_tables import TooManyCellsError, read_tables

    text = Path(request["path"]).read_bytes().decode(request["encoding"])
    try:
        tables = read_tables(text, request["max_cells"])
    except TooManyCellsError as error:
        raise _Refusal("cell_budget") from error
    if not tables:
        raise _Refusal("no_table")
    for number, table in enumerate(tables, start=1):
        width = max(len(row) for row in table.rows)
        _send(out, ["sheet", f"Bảng {number}", False, {"hidden_rows": table.hidden_rows}])
        for start in range(0, len(table.rows), CHUNK_ROWS):
            chunk = table.rows[start : start + CHUNK_ROWS]
            padded = [row + [""] * (width - len(row)) for row in chunk]
            _send(out, ["columns", len(chunk), [list(column) for column in zip(*padded, strict=True)]])
    _send(out, ["done", {}])


def _serve_docx(request: dict[str, Any], out: BinaryIO) -> None:
    from ingestion.docx_text import ForeignContentError, read_lines
    from ingestion.ods_xml import EntitiesError

    try:
        lines, facts = read_lines(Path(request["path"]))
    except EntitiesError as error:
        raise _Refusal("entities") from error
    except ForeignContentError as error:
        raise _Refusal("embedded_objects") from error
    if len(lines) > request["max_cells"]:
        raise _Refusal("cell_budget")
    _send(out, ["sheet", "docx", False, facts])
    for start in range(0, len(lines), CHUNK_ROWS):
        chunk = lines[start : start + CHUNK_ROWS]
        _send(out, ["columns", len(chunk), [chunk]])
    _send(out, ["done", {}])


def _counted(path: str) -> dict[str, dict[str, int]]:
    """Filled rows of each worksheet, counted by the other reader."""
    import openpyxl

    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    found: dict[str, dict[str, int]] = {}
    for sheet in book.worksheets:
        sheet.reset_dimensions()
        found[sheet.title] = {
            "filled_rows": sum(any(cell not in (None, "") for cell in row) for row in sheet.iter_rows(values_only=True))
        }
    return found
