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
_REFERENCE_START = re.compile(rb"""r\s*=\s*["']([A-Z]{1,3})""")
_CELL = re.compile(rb"<c\b([^>]*?)(?:/>|>(.*?)</c>)", re.S)
_VALUE = re.compile(rb"<v\b[^>]*>([^<]+)</v>")
_PREFIX = re.compile(rb"<(\w+):worksheet\b")
_ENTITY = re.compile(rb"<\x00?!\x00?(?:E\x00?N\x00?T\x00?I|D\x00?O\x00?C\x00?T)")
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
    if _ENTITY.search(block):
        raise UnreadableFileError(
            "entities", "Tệp chứa khai báo XML (DTD, thực thể) không được phép. Lưu lại bằng Excel rồi nộp lại."
        )


def _blocks(stream: IO[bytes]) -> Iterator[bytes]:
    """The sheet in blocks that end with a row, without namespace prefixes; what follows the last row comes last."""
    carry = b""
    prefix: bytes | None = None
    is_opening = True
    while block := stream.read(_BLOCK):
        carry += block
        if is_opening:  # a document type stands before the root element, so before any data
            _refuse_entities(carry)
            found = _PREFIX.search(carry)
            prefix = found[1] if found else prefix
            is_opening = b"sheetData" not in carry
        end = b"</row>" if prefix is None else b"</" + prefix + b":row>"
        whole, sign, rest = carry.rpartition(end)
        if sign:
            carry = rest
            yield _without_prefix(whole, prefix)
        elif len(carry) > _LONGEST_ROW:
            raise damaged()
    yield _without_prefix(carry, prefix)


def _without_prefix(block: bytes, prefix: bytes | None) -> bytes:
    if prefix is None:
        return block
    return block.replace(b"<" + prefix + b":", b"<").replace(b"</" + prefix + b":", b"</")


def _look_at_sheet(name: str, stream: IO[bytes], limits: IntakeLimits) -> SheetFacts:
    facts = SheetFacts()
    columns: list[bytes] | None = None
    row = 0
    for block in _blocks(stream):
        if columns is None:
            columns = _COLUMN.findall(block.partition(b"<sheetData")[0])
        hidden = b"hidden=" in block
        faults = b"<f" in block or b't="e"' in block or b"t='e'" in block
        pieces = block.split(b"</row>")
        row = _note_rows(pieces, row, facts) if hidden or faults else _note_plain_rows(pieces, row, facts)
        if facts.last_row * facts.last_column > limits.max_cells:
            raise too_many_cells(name, facts.last_row, column_letters(facts.last_column))
    for tag in columns or ():
        if _attribute(tag, b"hidden") in ("1", "true"):
            first, last = _attribute(tag, b"min"), _attribute(tag, b"max")
            if first.isdigit() and last.isdigit():
                facts.hidden_columns += max(0, min(int(last), facts.last_column) - int(first) + 1)
    return facts


def _note_plain_rows(pieces: list[bytes], row: int, facts: SheetFacts) -> int:
    """Notes rows that hold nothing out of the ordinary, in few steps a row; returns the last row's number."""
    filled = [piece for piece in pieces if b"<v" in piece or b"<is>" in piece]
    if not filled:
        return row
    facts.rows_with_values += len(filled)
    number = _ROW_NUMBER.search(filled[-1], filled[-1].rfind(b"<row"))
    row = int(number[1]) if number else row + len(filled)
    facts.last_row = max(facts.last_row, row)
    # Formatted cells without a value may follow the last cell that holds one.
    places = ((piece, piece.rfind(b"<c ", 0, max(piece.rfind(b"<v"), piece.rfind(b"<is>")))) for piece in filled)
    starts = {piece[place + 2 : place + 12] for piece, place in places if place >= 0}
    for start in starts:
        if reference := _REFERENCE_START.search(start):
            facts.last_column = max(facts.last_column, column_number(reference[1].decode()))
    facts.last_column = facts.last_column or max(piece.count(b"<c") for piece in filled)
    return row


def _note_rows(pieces: list[bytes], row: int, facts: SheetFacts) -> int:
    """Notes rows one by one; returns the last row's number."""
    for piece in pieces:
        if b"<row" not in piece:
            continue
        number = _ROW_NUMBER.search(piece)
        row = int(number[1]) if number else row + len(_ROW_START.findall(piece))
        facts.hidden_rows += bool(_HIDDEN_ROW.search(piece))
        if b"<v" in piece or b"<is>" in piece:
            # Empty rows that close themselves stand before this one.
            piece = piece[piece.rindex(b"<row") :]
            number = _ROW_NUMBER.search(piece)
            row = int(number[1]) if number else row
            _note_row(piece, row, facts)
    return row


def _note_row(piece: bytes, row: int, facts: SheetFacts) -> None:
    facts.rows_with_values += 1
    facts.last_row = max(facts.last_row, row)
    last_value = max(piece.rfind(b"<v"), piece.rfind(b"<is>"))
    cell = piece.rfind(b"<c", 0, last_value)
    reference = _REFERENCE.search(piece, cell, last_value) if cell >= 0 else None
    last = column_number(reference[1].decode()) if reference else piece.count(b"<c")
    facts.last_column = max(facts.last_column, last)
    if b"<f" in piece or b't="e"' in piece or b"t='e'" in piece:
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
