"""The child process that parses workbooks: takes requests on standard input, answers with cells on standard output.

Belongs here: the only calls of workbook parsers. Does not belong here: what a cell means, and every decision on limits
(``sandbox``). It is started without the package's other modules, so that it is small and quick to replace.

A request is one JSON line. An answer is frames of a 4-byte length and marshalled data: ``["sheet", …]``, then for every
chunk of rows ``["columns", …]``, at the end ``["done", …]`` or ``["error", code]``. Moments travel as tuples.
"""

from __future__ import annotations

import datetime as dt
import importlib
import json
import marshal
import os
import resource
import struct
import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from python_calamine import CalamineWorkbook, PasswordError, SheetVisibleEnum

from ingestion.base.readings import MixedText

if TYPE_CHECKING:
    from ingestion.reading.biff import BiffFacts
    from ingestion.reading.docx_text import WordTable
    from ingestion.reading.xls_cells import SheetCells

CHUNK_ROWS = 5_000


class _Refusal(Exception):
    """A typed outcome: its code."""


def main() -> None:
    """Serves requests until standard input ends, each in a process of its own, so that no file is read with what an
    earlier one left behind: the same memory, the same processor time for every file.

    A process that dies ends this one too, since the other side waits for an answer that will not come.
    """
    for line in sys.stdin.buffer:
        request = json.loads(line)
        _import_for(request["kind"])
        # For this process too: it is next to nothing without a file, and what is read is bounded from the first byte.
        resource.setrlimit(resource.RLIMIT_AS, (request["memory"], resource.getrlimit(resource.RLIMIT_AS)[1]))
        child = os.fork()
        if child == 0:
            _answer(request)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status != 0:
            os._exit(1)


def _import_for(kind: str) -> None:
    """Loads the kind's reader before the fork, so that it is loaded once and counts for no file."""
    for name in _READERS.get(kind, ()):
        importlib.import_module(name)


_READERS = {
    "xls": ("ingestion.reading.biff", "ingestion.reading.xls_cells", "olefile"),
    "ods": ("ingestion.reading.ods_cells",),
    "xml": ("ingestion.reading.spreadsheet_2003",),
    "html": ("ingestion.reading.html_tables",),
    "docx": ("ingestion.reading.docx_text",),
    "docx_tables": ("ingestion.reading.docx_text",),
    "count": ("openpyxl",),
}


def _answer(request: dict[str, Any]) -> None:
    out = sys.stdout.buffer
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
    """Processor seconds of the process that answers one request; its address space is bounded before it starts."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    seconds = 1 + request["cpu_seconds"]
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
    if kind in ("docx", "docx_tables"):
        _serve_docx(request, out)
        return
    if kind == "count":
        _send(out, ["done", _counted(path)])
        return
    match kind:
        case "xls":
            _serve_checked(_xls_sheets(path), request, out, trusts_texts=_ole_facts_of(path).texts_are_unicode)
        case "ods":
            _serve_checked(_ods_sheets(request), request, out)
        case "xml":
            _serve_checked(_xml_sheets(request), request, out, second_reader=False)
        case _:
            _serve_calamine(request, out)


def _serve_calamine(request: dict[str, Any], out: BinaryIO) -> None:
    try:
        book = _calamine(request["path"], request["kind"])
    except PasswordError as error:
        raise _Refusal("encrypted") from error
    for place, meta in enumerate(book.sheets_metadata):
        sheet = book.get_sheet_by_index(place)
        start, end = sheet.start, sheet.end
        if end is not None and (end[0] + 1) * (end[1] + 1) > request["max_cells"]:
            raise _Refusal("cell_budget")
        _send(out, ["sheet", str(meta.name), meta.visible != SheetVisibleEnum.Visible, {}])
        if start is not None:
            _send_rows(out, sheet.iter_rows(), start[1])
    _send(out, ["done", {}])


def _calamine(path: str, kind: str) -> CalamineWorkbook:
    if path.endswith(f".{kind}"):
        return CalamineWorkbook.from_path(path)
    with open(path, "rb") as file:  # from a path, the reader would go by its suffix
        return CalamineWorkbook.from_filelike(file)


def _serve_checked(
    sheets: Iterable[SheetCells],
    request: dict[str, Any],
    out: BinaryIO,
    *,
    second_reader: bool = True,
    trusts_texts: bool = True,
) -> None:
    """Sends the sheets of one reader, with the places where another one reads something else."""
    other: CalamineWorkbook | None = None
    if second_reader:
        try:
            other = _calamine(request["path"], request["kind"])
        except MemoryError:
            raise
        except Exception:  # a file that only the first reader can open is read by it alone
            other = None
    for number, sheet in enumerate(sheets):
        width = sheet.width
        if len(sheet.rows) * width > request["max_cells"]:
            raise _Refusal("cell_budget")
        if other is not None and number < len(other.sheet_names):
            sheet.facts["disputed"] = _disputed(sheet, other.get_sheet_by_index(number), trusts_texts)
        _send(out, ["sheet", sheet.name, sheet.hidden, sheet.facts])
        for start in range(0, len(sheet.rows), CHUNK_ROWS):
            chunk = [row + [""] * (width - len(row)) for row in sheet.rows[start : start + CHUNK_ROWS]]
            if width:
                _send(out, ["columns", len(chunk), [_portable(list(column)) for column in zip(*chunk, strict=True)]])
    _send(out, ["done", {}])


_MOST_DISPUTED = 10_000


def _disputed(sheet: SheetCells, other: Any, trusts_texts: bool) -> dict[tuple[int, int], str]:
    """Cells (1-based row and column) of which another reader reads another number or text, with what it reads.

    It is known to leave out results of formulas in old records, and to take numbers of user-defined formats for dates:
    of a blank cell, or one of another kind, it says nothing.
    """
    found: dict[tuple[int, int], str] = {}
    if other.start is None:
        return found
    _, left = other.start
    faults = sheet.facts.get("faults", {})
    for row, cells in enumerate(other.iter_rows()):  # from the first row of the sheet on, but from its own first column
        mine = sheet.rows[row] if row < len(sheet.rows) else []
        for column, cell in enumerate(cells, start=left):
            if cell == "" or cell is None:
                continue
            held = mine[column] if column < len(mine) else ""
            if cell == held or (row + 1, column + 1) in faults or not _is_other(held, cell, trusts_texts):
                continue
            found[(row + 1, column + 1)] = str(cell)
            if len(found) > _MOST_DISPUTED:
                raise _Refusal("damaged")
    return found


def _is_other(held: Any, cell: Any, trusts_texts: bool) -> bool:
    if held == "":
        return not isinstance(cell, str) or bool(cell.strip())
    if isinstance(held, str) and isinstance(cell, str):
        return trusts_texts and held.split() != cell.split()
    numbers = (int, float)
    if isinstance(held, bool) or isinstance(cell, bool):
        return False
    return isinstance(held, numbers) and isinstance(cell, numbers) and abs(held - cell) > 1e-9 * max(1, abs(held))


def _xls_sheets(path: str) -> Iterator[SheetCells]:
    """The sheets of an .xls file; what its records say of a sheet is joined to what its cells say."""
    from ingestion.reading.xls_cells import EncryptedError, read_xls

    facts = _ole_facts_of(path)
    by_name = dict(facts.sheet_names_and_offsets)
    try:
        for sheet in read_xls(Path(path)):
            records = facts.substreams.get(by_name.get(sheet.name, -1))
            if records is not None:
                sheet.facts |= records.as_facts(facts.counts_from_1904)
                lost = records.places_beside(sheet.rows)
                sheet.facts["faults"] = {**dict.fromkeys(lost, ""), **sheet.facts["faults"]}
            yield sheet
    except EncryptedError as error:
        raise _Refusal("encrypted") from error


def _ods_sheets(request: dict[str, Any]) -> Iterator[SheetCells]:
    from ingestion.reading.ods_cells import EntitiesError, TooManyCellsError, check_no_entities, read_ods

    try:
        check_no_entities(Path(request["path"]))
        yield from read_ods(Path(request["path"]), request["max_cells"])
    except EntitiesError as error:
        raise _Refusal("entities") from error
    except TooManyCellsError as error:
        raise _Refusal("cell_budget") from error


def _xml_sheets(request: dict[str, Any]) -> Iterator[SheetCells]:
    from ingestion.reading.ods_cells import EntitiesError, TooManyCellsError
    from ingestion.reading.spreadsheet_2003 import read_xml_spreadsheet

    try:
        yield from read_xml_spreadsheet(Path(request["path"]), request["max_cells"])
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
    if isinstance(cell, MixedText):
        return ("m", str(cell))
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


@lru_cache(maxsize=1)
def _ole_facts_of(path: str) -> BiffFacts:
    """What the records of an OLE file say; raises a refusal for what is no plain .xls."""
    import olefile

    from ingestion.reading.biff import scan_stream

    with olefile.OleFileIO(path) as archive:
        names = {"/".join(entry).casefold() for entry in archive.listdir(streams=True, storages=True)}
        if any(n.startswith(("encryptedpackage", "encryptioninfo")) for n in names):
            raise _Refusal("encrypted")
        stream = next((n for n in ("workbook", "book") if n in names), None)
        if stream is None:
            raise _Refusal("foreign_ole" if names & _FOREIGN_STREAMS else "damaged")
        data = archive.openstream(stream).read()
        facts = scan_stream(data)
        if facts.encrypted:
            raise _Refusal("encrypted")
        if any("vba" in n.split("/") or n.startswith("_vba_project_cur") for n in names):
            raise _Refusal("macros")
        if any(n.startswith("mbd") for n in names):
            raise _Refusal("embedded_objects")
    if any(offset not in facts.substreams for offset in facts.sheet_offsets):
        raise ValueError("a sheet has no stream")
    return facts


def _serve_html(request: dict[str, Any], out: BinaryIO) -> None:
    from ingestion.reading.html_tables import TooManyCellsError, read_tables

    text = Path(request["path"]).read_bytes().decode(request["encoding"])
    try:
        tables = read_tables(text, request["max_cells"])
    except TooManyCellsError as error:
        raise _Refusal("cell_budget") from error
    if not tables:
        raise _Refusal("no_table")
    for number, table in enumerate(tables, start=1):
        width = max(len(row) for row in table.rows)
        facts = {"hidden_rows": table.hidden_rows, "merges": table.merges, "struck_rows": table.struck_rows}
        _send(out, ["sheet", f"Bảng {number}", False, facts])
        for start in range(0, len(table.rows), CHUNK_ROWS):
            chunk = table.rows[start : start + CHUNK_ROWS]
            padded = [row + [""] * (width - len(row)) for row in chunk]
            _send(out, ["columns", len(chunk), [_portable(list(column)) for column in zip(*padded, strict=True)]])
    _send(out, ["done", {}])


def _serve_docx(request: dict[str, Any], out: BinaryIO) -> None:
    from ingestion.reading.docx_text import ForeignContentError, read_lines, read_tables
    from ingestion.reading.ods_cells import EntitiesError

    try:
        if request["kind"] == "docx_tables":
            _send_tables(*read_tables(Path(request["path"])), request, out)
            return
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


def _send_tables(tables: list[WordTable], facts: dict[str, bool], request: dict[str, Any], out: BinaryIO) -> None:
    """Each table as a sheet, named by its place in the document."""
    if sum(len(row) for table in tables for row in table.rows) > request["max_cells"]:
        raise _Refusal("cell_budget")
    for number, table in enumerate(tables, start=1):
        width = max(map(len, table.rows))
        padded = [[*row, *[""] * (width - len(row))] for row in table.rows]
        _send(out, ["sheet", f"bảng {number}", False, {**facts, "struck_rows": table.struck_rows}])
        for start in range(0, len(padded), CHUNK_ROWS):
            chunk = padded[start : start + CHUNK_ROWS]
            _send(out, ["columns", len(chunk), [_portable(list(column)) for column in zip(*chunk, strict=True)]])
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
