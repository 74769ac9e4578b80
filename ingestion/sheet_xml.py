"""A second, cheap look at an .xlsx file: what its XML says of rows, hidden parts, errors and formulas.

Belongs here: facts that the cell reader leaves out or gets wrong, found by streaming the parts through byte patterns in
bounded memory; no XML is parsed and nothing is resolved. Does not belong here: the values of cells.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from ingestion.limits import IntakeLimits, UnreadableFileError, active_content, damaged, too_many_cells
from ingestion.preflight import ZIP_ERRORS

_BLOCK = 1 << 22
_LONGEST_ROW = 1 << 26
_MAX_FAULTS = 100_000
_ATTRIBUTE = rb"""\b%s\s*=\s*["']([^"']*)["']"""
_ROW_START = re.compile(rb"<row\b[^>]*>")
_ROW_NUMBER = re.compile(rb"""<row\b[^>]*?\br\s*=\s*["'](\d{1,9})["']""")
_HIDDEN_ROW = re.compile(rb"""<row\b[^>]*?\bhidden\s*=\s*["'](?:1|true)["']""")
_COLUMN = re.compile(rb"<col\b[^>]*>")
_REFERENCE = re.compile(rb"""r\s*=\s*["']([A-Z]{1,3})(\d{1,9})["']""")
_CELL = re.compile(rb"<c\b([^>]*?)(?:/>|>(.*?)</c>)", re.S)
_VALUE = re.compile(rb"<v\b[^>]*>([^<]+)</v>")
_FAR_REFERENCE = re.compile(rb"""<c r\s*=\s*["'][A-Z]{3}""")
_PREFIX = re.compile(rb"<(\w+):worksheet\b")
_ENTITY = (b"<!ENTITY", b"<!DOCTYPE", "<!ENTITY".encode("utf-16-le"), "<!DOCTYPE".encode("utf-16-le"),
           "<!ENTITY".encode("utf-16-be"), "<!DOCTYPE".encode("utf-16-be"))  # fmt: skip
_EPOCH_1904 = re.compile(rb"""\bdate1904\s*=\s*["'](?:1|true)["']""")
_SHEET = re.compile(rb"<(?:\w+:)?sheet\b[^>]*>")
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\b[^>]*>")


@dataclass
class SheetFacts:
    """What the XML of one sheet says. Places are 1-based (row, column); ``faults`` gives the error shown, or ""
    for a formula without a stored result.
    """

    rows_with_values: int = 0
    last_row: int = 0
    last_column: int = 0
    hidden_rows: int = 0
    hidden_columns: int = 0
    faults: dict[tuple[int, int], str] = field(default_factory=dict)


@dataclass
class BookFacts:
    """What the XML of a workbook says; sheets by their name."""

    counts_from_1904: bool = False
    sheets: dict[str, SheetFacts] = field(default_factory=dict)


def column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def column_letters(number: int) -> str:
    """Spreadsheet letters of a 1-based column."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def look_at_workbook(path: Path, limits: IntakeLimits) -> BookFacts:
    """Streams every XML part once; raises :class:`UnreadableFileError` on entities, far cells and damage."""
    try:
        with zipfile.ZipFile(path) as archive:
            facts = BookFacts()
            sheet_parts = _sheet_parts(archive, facts)
            for part in archive.infolist():
                with archive.open(part) as stream:
                    name = sheet_parts.get(part.filename.casefold())
                    if name is not None:
                        facts.sheets[name] = _look_at_sheet(name, stream, limits)
                    elif part.filename.lower().endswith((".xml", ".rels", ".vml")):
                        _no_entities(stream)
            return facts
    except ZIP_ERRORS as error:
        raise damaged() from error


def _attribute(tag: bytes, name: bytes) -> str:
    match = re.search(_ATTRIBUTE % name, tag)
    return _unescaped(match[1].decode("utf-8", errors="replace")) if match else ""


def _unescaped(text: str) -> str:
    for entity, sign in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&")):
        text = text.replace(entity, sign)
    return text


def _sheet_parts(archive: zipfile.ZipFile, facts: BookFacts) -> dict[str, str]:
    """Part names (case-folded) of the worksheets with the names they carry in the workbook."""
    by_folded = {name.casefold(): name for name in archive.namelist()}
    book = archive.read(by_folded["xl/workbook.xml"])
    facts.counts_from_1904 = bool(_EPOCH_1904.search(book))
    relations_part = by_folded.get("xl/_rels/workbook.xml.rels")
    relations = archive.read(relations_part) if relations_part else b""
    targets: dict[str, str] = {}
    for tag in _RELATION.findall(relations):
        if "worksheet" in _attribute(tag, b"Type"):
            target = _attribute(tag, b"Target")
            part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            targets[_attribute(tag, b"Id")] = str(PurePosixPath(part)).casefold()
    parts: dict[str, str] = {}
    for tag in _SHEET.findall(book):
        identity = re.search(rb"""\b\w+:id\s*=\s*["']([^"']*)["']""", tag)
        if identity and identity[1].decode() in targets:
            parts[targets[identity[1].decode()]] = _attribute(tag, b"name")
    return parts


def _no_entities(stream: IO[bytes]) -> None:
    tail = b""
    while block := stream.read(_BLOCK):
        _refuse_entities(tail + block)
        if b"ddeLink" in block:
            raise active_content("liên kết DDE")
        tail = block[-32:]


def _refuse_entities(block: bytes) -> None:
    if any(sign in block for sign in _ENTITY):
        raise UnreadableFileError(
            "entities", "Tệp chứa khai báo XML (DTD, thực thể) không được phép. Lưu lại bằng Excel rồi nộp lại."
        )


def _rows(stream: IO[bytes], facts: SheetFacts) -> Iterator[list[bytes]]:
    """Pieces of the sheet, each holding one row (whatever stands around it is in the first or last piece)."""
    carry = b""
    prefix: bytes | None = None
    first = True
    while block := stream.read(_BLOCK):
        carry += block
        if first:
            first = False
            found = _PREFIX.search(carry)
            prefix = found[1] if found else None
        _refuse_entities(carry[-len(block) - 32 :])
        end = b"</row>" if prefix is None else b"</" + prefix + b":row>"
        whole, sign, rest = carry.rpartition(end)
        if not sign:
            if len(carry) > _LONGEST_ROW:
                raise damaged()
            continue
        carry = rest
        if prefix is not None:
            whole = whole.replace(b"<" + prefix + b":", b"<").replace(b"</" + prefix + b":", b"</")
        yield whole.split(b"</row>")
    if prefix is not None:
        carry = carry.replace(b"<" + prefix + b":", b"<")
    yield [carry]


def _look_at_sheet(name: str, stream: IO[bytes], limits: IntakeLimits) -> SheetFacts:
    facts = SheetFacts()
    columns: list[bytes] = []
    row = 0
    for pieces in _rows(stream, facts):
        if not columns:
            columns = _COLUMN.findall(pieces[0].partition(b"<sheetData")[0])
        joined_has = _signs(pieces)
        for piece in pieces:
            if b"<row" not in piece:
                continue
            number = _ROW_NUMBER.search(piece)
            row = int(number[1]) if number else row + 1 + _empty_rows(piece)
            if joined_has.hidden and _HIDDEN_ROW.search(piece):
                facts.hidden_rows += 1
            if b"<v>" in piece or b"<is>" in piece or b"<v " in piece:
                if len(_ROW_START.findall(piece)) > 1:  # empty rows that close themselves stand before this one
                    piece = piece[piece.rindex(b"<row") :]
                    number = _ROW_NUMBER.search(piece)
                    row = int(number[1]) if number else row
                _note_row(piece, row, facts, faulty=joined_has.faults, far=joined_has.far)
        if facts.last_row * facts.last_column > limits.max_cells:
            raise too_many_cells(name, facts.last_row, column_letters(facts.last_column))
    for tag in columns:
        if _attribute(tag, b"hidden") in ("1", "true"):
            first, last = _attribute(tag, b"min"), _attribute(tag, b"max")
            if first.isdigit() and last.isdigit():
                facts.hidden_columns += max(0, min(int(last), facts.last_column) - int(first) + 1)
    return facts


def _empty_rows(piece: bytes) -> int:
    return len(_ROW_START.findall(piece)) - 1


@dataclass(frozen=True)
class _Signs:
    hidden: bool
    faults: bool
    far: bool


def _signs(pieces: list[bytes]) -> _Signs:
    """What occurs anywhere in a block, so that most rows need no close look."""
    block = b"".join(pieces)
    return _Signs(
        b"hidden=" in block,
        b"<f" in block or b't="e"' in block or b"t='e'" in block,
        bool(_FAR_REFERENCE.search(block)),
    )


def _note_row(piece: bytes, row: int, facts: SheetFacts, *, faulty: bool, far: bool) -> None:
    facts.rows_with_values += 1
    facts.last_row = max(facts.last_row, row)
    last_value = max(piece.rfind(b"<v>"), piece.rfind(b"<is>"), piece.rfind(b"<v "))
    cell = piece.rfind(b"<c", 0, last_value)
    reference = _REFERENCE.search(piece, cell, last_value) if cell >= 0 else None
    last = column_number(reference[1].decode()) if reference else piece.count(b"<c")
    if far:
        last = max([last, *(column_number(m[1].decode()) for m in _REFERENCE.finditer(piece))])
    facts.last_column = max(facts.last_column, last)
    if faulty and (b"<f" in piece or b't="e"' in piece or b"t='e'" in piece):
        _note_faults(piece, row, facts)


def _note_faults(piece: bytes, row: int, facts: SheetFacts) -> None:
    place = 0
    for match in _CELL.finditer(piece):
        attributes, body = match[1], match[2] or b""
        reference = _REFERENCE.search(attributes)
        place = column_number(reference[1].decode()) if reference else place + 1
        kind = _attribute(attributes, b"t")
        value = _VALUE.search(body)
        shown = None
        if kind == "e":
            shown = _unescaped(value[1].decode("utf-8", errors="replace")) if value else "#N/A"
        elif b"<f" in body and value is None and kind != "str":
            shown = ""
        if shown is not None:
            if len(facts.faults) >= _MAX_FAULTS:
                raise UnreadableFileError(
                    "too_many_errors",
                    "Tệp có quá nhiều ô báo lỗi hoặc công thức chưa tính. Mở bằng Excel, để tính lại, lưu rồi nộp lại.",
                )
            facts.faults[(row, place)] = shown
