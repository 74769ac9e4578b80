"""A second, cheap look at an .xlsx file: what its XML says of rows, hidden parts, errors and formulas.

Belongs here: facts that the cell reader leaves out or gets wrong, found by streaming the parts through byte patterns in
bounded memory; no XML is parsed and nothing is resolved. Does not belong here: the values of cells.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import IO

from ingestion.base.limits import IntakeLimits, UnreadableFileError, active_content, damaged, too_many_cells
from ingestion.base.readings import MixedText
from ingestion.reading.formulas import column_letters, column_number, moved
from ingestion.reading.marks import RAISED, STRUCK, marked_text
from ingestion.reading.number_formats import matters
from ingestion.reading.ooxml_package import Package, attribute, unescaped
from ingestion.reading.preflight import ZIP_ERRORS

_BLOCK = 1 << 22
_LONGEST_ROW = 1 << 26
_MAX_FAULTS = 100_000
_MAX_NOTED = 2_000_000
_ROW_START = re.compile(rb"<row\b[^>]*>")
_ROW_NUMBER = re.compile(rb"""<row\b[^>]*?\br\s*=\s*["'](\d{1,9})["']""")
_HIDDEN_ROW = re.compile(rb"""<row\b[^>]*?\bhidden\s*=\s*["'](?:1|true)["']""")
_COLUMN = re.compile(rb"<col\b[^>]*>")
_REFERENCE = re.compile(rb"""r\s*=\s*["']([A-Z]{1,3})(\d{1,9})["']""")
_REFERENCE_START = re.compile(rb"""r\s*=\s*["']([A-Z]{1,3})""")
_CELL = re.compile(rb"<c\b([^>]*?)(?:/>|>(.*?)</c>)", re.S)
_VALUE = re.compile(rb"<v\b[^>]*>([^<]+)</v>")
_PREFIX = re.compile(rb"<(\w+):(?:worksheet|sst)\b")
_ENTITY = re.compile(rb"<\x00?!\x00?(?:E\x00?N\x00?T\x00?I|D\x00?O\x00?C\x00?T)")
_EPOCH_1904 = re.compile(rb"""\bdate1904\s*=\s*["'](?:1|true)["']""")
_SHEET = re.compile(rb"<(?:\w+:)?sheet\b[^>]*>")
_FORMULA = re.compile(rb"<f\b([^>]*?)(?:/>|>([^<]*)</f>)", re.S)
_MERGE = re.compile(rb"""<mergeCell\b[^>]*?\bref\s*=\s*["']([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})["']""")
_CALCULATION = re.compile(rb"<(?:\w+:)?calcPr\b[^>]*>")
_NUMBER_FORMAT = re.compile(rb"<(?:\w+:)?numFmt\b[^>]*>")
_CELL_FORMATS = re.compile(rb"<(?:\w+:)?cellXfs\b.*?</(?:\w+:)?cellXfs>", re.S)
_CELL_FORMAT = re.compile(rb"<(?:\w+:)?xf\b[^>]*>")
_MARKED = re.compile(rb"""<(?:\w+:)?(?:(vertAlign)\b(?![^>]*"baseline")|strike\b(?![^>]*["'](?:0|false)["']))""")
_STRING = re.compile(rb"<si\b[^>]*?(?:/>|>(.*?)</si>)", re.S)
_RUN = re.compile(rb"<r>(.*?)</r>", re.S)
_TEXT = re.compile(rb"<t\b[^>]*>([^<]*)<")
_FONTS = re.compile(rb"<(?:\w+:)?fonts\b.*?</(?:\w+:)?fonts>", re.S)
_FONT = re.compile(rb"<(?:\w+:)?font\b[^>]*?(?:/>|>(.*?)</(?:\w+:)?font>)", re.S)
_MOST_STYLES_BYTES = 64 << 20
# The formats that every workbook has without declaring them; of those, the ones that change what a number means.
_BUILT_IN_FORMATS = {9: "0%", 10: "0.00%"}


@dataclass
class SheetFacts:
    """What the XML of one sheet says. Places are 1-based (row, column); ``faults`` gives the error shown, or ""
    for a formula without a stored result; ``formulas`` gives the texts (empty where one is no plain text), ``formats``
    the format codes of cells whose format changes what their number means, ``merges`` (top, left, bottom, right),
    ``mixed`` the places of texts of which a part is struck out or raised, ``struck_rows`` the rows with a
    cell of which all is struck out.
    """

    rows_with_values: int = 0
    last_row: int = 0
    last_column: int = 0
    hidden_rows: int = 0
    hidden_columns: int = 0
    faults: dict[tuple[int, int], str] = field(default_factory=dict)
    formulas: dict[tuple[int, int], str] = field(default_factory=dict)
    formats: dict[tuple[int, int], str] = field(default_factory=dict)
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)
    mixed: list[tuple[int, int]] = field(default_factory=list)
    struck_rows: list[int] = field(default_factory=list)
    shared: dict[str, tuple[int, int, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Marks:
    """Of a text whether parts of it are marked differently (``is_mixed``), and whether all is struck out."""

    is_mixed: bool = False
    is_struck: bool = False


#: The marks of a text in a cell whose style is plain, and in one that is struck out, which parts without a font follow.
MarksByStyle = tuple[Marks, Marks]
_UNMARKED: MarksByStyle = (Marks(), Marks(is_struck=True))


@dataclass
class Telling:
    """What of a workbook tells more of a cell than its value: by style number the format codes that change what a
    number means, the styles that are struck out, by their numbers the shared strings with marked parts.
    """

    formats: dict[str, str] = field(default_factory=dict)
    struck: frozenset[str] = frozenset()
    strings: dict[bytes, MarksByStyle] = field(default_factory=dict)

    def pattern(self) -> re.Pattern[bytes] | None:
        """What is in every row of a sheet that has a cell of a telling style; None where there is no such style."""
        styles = sorted({*self.formats, *self.struck})
        return re.compile(rb"""\bs\s*=\s*["'](?:%s)["']""" % b"|".join(s.encode() for s in styles)) if styles else None


@dataclass
class BookFacts:
    """What the XML of a workbook says; sheets by their name. ``to_be_calculated``: it says itself that stored results
    of formulas are not final. ``telling``: the styles and shared strings that make a cell worth a look.
    """

    counts_from_1904: bool = False
    to_be_calculated: bool = False
    telling: Telling = field(default_factory=lambda: Telling())
    sheets: dict[str, SheetFacts] = field(default_factory=dict)


def scan_workbook(path: Path, limits: IntakeLimits) -> BookFacts:
    """Streams every XML part once; raises :class:`UnreadableFileError` on entities, far cells and damage."""
    try:
        with zipfile.ZipFile(path) as archive:
            facts = BookFacts()
            sheet_parts, strings = _sheet_parts(archive, facts)
            # The shared strings come first: which of them are marked tells which cells to look at.
            for part in sorted(archive.infolist(), key=lambda info: Package.plain(info.filename) != strings):
                plain = Package.plain(part.filename)
                name = sheet_parts.get(plain)
                with archive.open(part) as stream:
                    if name is not None:
                        facts.sheets[name] = _scan_sheet(name, stream, limits, facts.telling)
                    elif plain == strings:
                        facts.telling.strings = _marked_strings(stream, has_struck_styles=bool(facts.telling.struck))
                    elif part.filename.lower().endswith((".xml", ".rels", ".vml")):
                        _check_part(stream)
            return facts
    except ZIP_ERRORS as error:
        raise damaged() from error


def _sheet_parts(archive: zipfile.ZipFile, facts: BookFacts) -> tuple[dict[str, str], str | None]:
    """Part names (case-folded) of the worksheets with the names they carry in the workbook, and that of the strings."""
    package = Package(archive)
    main = package.main_part or "xl/workbook.xml"
    book = archive.read(package.stored[main])
    facts.counts_from_1904 = bool(_EPOCH_1904.search(book))
    calculation = next(iter(_CALCULATION.findall(book)), b"")
    facts.to_be_calculated = (
        attribute(calculation, b"fullCalcOnLoad") in ("1", "true")
        or attribute(calculation, b"calcCompleted") in ("0", "false")
        or (attribute(calculation, b"calcMode") == "manual" and attribute(calculation, b"calcOnSave") in ("0", "false"))
    )
    relations = package.relations(main)
    targets = {identity: part for identity, kind, part in relations if kind == "worksheet"}
    styles = next((part for _, kind, part in relations if kind == "styles" and part in package.stored), None)
    if styles is not None and archive.getinfo(package.stored[styles]).file_size <= _MOST_STYLES_BYTES:
        data = archive.read(package.stored[styles])
        facts.telling = Telling(_relevant_formats(data), _struck_styles(data))
    parts: dict[str, str] = {}
    for tag in _SHEET.findall(book):
        identity = re.search(rb"""\b\w+:id\s*=\s*["']([^"']*)["']""", tag)
        if identity and identity[1].decode() in targets:
            parts[targets[identity[1].decode()]] = attribute(tag, b"name")
    return parts, next((part for _, kind, part in relations if kind == "sharedStrings"), None)


def _relevant_formats(styles: bytes) -> dict[str, str]:
    """Format codes that change what a number means, by the number of the cell style that has them."""
    codes = {str(number): code for number, code in _BUILT_IN_FORMATS.items()}
    for tag in _NUMBER_FORMAT.findall(styles):
        codes[attribute(tag, b"numFmtId")] = attribute(tag, b"formatCode")
    block = _CELL_FORMATS.search(styles)
    used = [codes.get(attribute(tag, b"numFmtId"), "") for tag in _CELL_FORMAT.findall(block[0] if block else b"")]
    return {str(number): code for number, code in enumerate(used) if matters(code)}


def _struck_styles(styles: bytes) -> frozenset[str]:
    """Numbers of the cell styles whose font is struck out."""
    fonts = _FONTS.search(styles)
    struck = {str(n) for n, font in enumerate(_FONT.findall(fonts[0])) if _mark(font) == STRUCK} if fonts else set()
    block = _CELL_FORMATS.search(styles) if struck else None
    used = (attribute(tag, b"fontId") for tag in _CELL_FORMAT.findall(block[0] if block else b""))
    return frozenset(str(number) for number, font in enumerate(used) if font in struck)


def _mark(properties: bytes) -> str:
    match = _MARKED.search(properties)
    return "" if match is None else RAISED if match[1] else STRUCK


def _marks(string: bytes) -> MarksByStyle:
    """The marks of a string by its runs; one without properties of its own has those of the cell's style."""
    if b"<r>" not in string:
        return _UNMARKED
    runs = [(run, b"<rPr" in run) for run in _RUN.findall(string)]
    texts = [unescape(b"".join(_TEXT.findall(run)).decode("utf-8", errors="replace")) for run, _ in runs]
    plain, struck = (
        marked_text((text, _mark(run) if own else mark) for text, (run, own) in zip(texts, runs, strict=True))
        for mark in ("", STRUCK)
    )
    return Marks(isinstance(plain[0], MixedText), plain[1]), Marks(isinstance(struck[0], MixedText), struck[1])


def _marked_strings(stream: IO[bytes], has_struck_styles: bool) -> dict[bytes, MarksByStyle]:
    """The shared strings with marked parts, by their numbers. Where cells are struck out by their style, strings whose
    parts are not count too.
    """
    found: dict[bytes, MarksByStyle] = {}
    number = 0
    signs = (b"strike", b"vertAlign", *([b"<rPr"] if has_struck_styles else []))
    for block in _blocks(stream, b"si", b"si>"):
        if not any(sign in block for sign in signs):
            number += sum(block.count(b"<si" + end) for end in (b">", b" ", b"/"))
            continue
        for match in _STRING.finditer(block + b"</si>"):
            if match[1] and (marks := _marks(match[1])) != _UNMARKED:
                found[str(number).encode()] = marks
            number += 1
        if len(found) > _MAX_NOTED:
            raise _too_many()
    return found


def _check_part(stream: IO[bytes]) -> None:
    """Raises where a part declares entities or takes from elsewhere."""
    tail = b""
    while block := stream.read(_BLOCK):
        held = tail + block
        _refuse_entities(held)
        if b"ddeLink" in held:
            raise active_content("liên kết DDE")
        tail = block[-32:]


def _refuse_entities(block: bytes) -> None:
    if _ENTITY.search(block):
        raise UnreadableFileError(
            "entities", "Tệp chứa khai báo XML (DTD, thực thể) không được phép. Lưu lại bằng Excel rồi nộp lại."
        )


def _blocks(stream: IO[bytes], item: bytes = b"row", first: bytes = b"sheetData") -> Iterator[bytes]:
    """The part in blocks that end with an item, as a sheet's with a row, without namespace prefixes; what follows the
    last one comes last. ``first``: what the root element holds first.
    """
    carry = b""
    prefix: bytes | None = None
    is_opening = True
    while block := stream.read(_BLOCK):
        carry += block
        if is_opening:  # a document type stands before the root element, so before any data
            _refuse_entities(carry)
            found = _PREFIX.search(carry)
            prefix = found[1] if found else prefix
            is_opening = first not in carry
        end = b"</" + (b"" if prefix is None else prefix + b":") + item + b">"
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


def _scan_sheet(name: str, stream: IO[bytes], limits: IntakeLimits, telling: Telling) -> SheetFacts:
    facts = SheetFacts()
    pattern = telling.pattern()
    columns: list[bytes] | None = None
    row = 0
    for block in _blocks(stream):
        if columns is None:
            columns = _COLUMN.findall(block.partition(b"<sheetData")[0])
        if b"<mergeCell" in block:
            facts.merges += [
                (int(top), column_number(left.decode()), int(bottom), column_number(right.decode()))
                for left, top, right, bottom in _MERGE.findall(block)
            ]
        special = b"hidden=" in block or _may_tell(block, pattern, telling.strings)
        pieces = block.split(b"</row>")
        row = _note_rows(pieces, row, facts, pattern, telling) if special else _note_plain_rows(pieces, row, facts)
        if facts.last_row * facts.last_column > limits.max_cells:
            raise too_many_cells(name, facts.last_row, column_letters(facts.last_column))
    for tag in columns or ():
        if attribute(tag, b"hidden") in ("1", "true"):
            first, last = attribute(tag, b"min"), attribute(tag, b"max")
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


def _may_tell(block: bytes, pattern: re.Pattern[bytes] | None, strings: Container[bytes]) -> bool:
    """Whether there may be a formula, an error cell, a cell of a telling style or a text with parts."""
    return (
        any(sign in block for sign in (b"<f", b't="e"', b"t='e'", b"<rPr"))
        or (pattern is not None and pattern.search(block) is not None)
        or (bool(strings) and any(value in strings for value in _VALUE.findall(block)))
    )


def _note_rows(
    pieces: list[bytes], row: int, facts: SheetFacts, pattern: re.Pattern[bytes] | None, telling: Telling
) -> int:
    """Notes rows one by one; returns the last row's number."""
    for piece in pieces:
        if b"<row" not in piece:
            continue
        number = _ROW_NUMBER.search(piece)
        row = int(number[1]) if number else row + len(_ROW_START.findall(piece))
        facts.hidden_rows += bool(_HIDDEN_ROW.search(piece))
        if b"<v" in piece or b"<is>" in piece or b"<f" in piece:
            # Empty rows that close themselves stand before this one.
            piece = piece[piece.rindex(b"<row") :]
            number = _ROW_NUMBER.search(piece)
            row = int(number[1]) if number else row
            _note_row(piece, row, facts)
            if _may_tell(piece, pattern, telling.strings):
                _note_cells(piece, row, facts, telling)
    return row


def _note_row(piece: bytes, row: int, facts: SheetFacts) -> None:
    facts.rows_with_values += 1
    facts.last_row = max(facts.last_row, row)
    last_value = max(piece.rfind(b"<v"), piece.rfind(b"<is>"), piece.rfind(b"<f"))
    cell = piece.rfind(b"<c", 0, last_value)
    reference = _REFERENCE.search(piece, cell, last_value) if cell >= 0 else None
    last = column_number(reference[1].decode()) if reference else piece.count(b"<c")
    facts.last_column = max(facts.last_column, last)


def _note_cells(piece: bytes, row: int, facts: SheetFacts, telling: Telling) -> None:
    """Notes errors, formulas, telling formats and marked texts of the cells of one row."""
    place = 0
    struck: set[bool] = set()
    for match in _CELL.finditer(piece):
        attributes, body = match[1], match[2] or b""
        reference = _REFERENCE.search(attributes)
        place = column_number(reference[1].decode()) if reference else place + 1
        kind = attribute(attributes, b"t")
        value = _VALUE.search(body)
        style = attribute(attributes, b"s")
        if value is not None and (code := telling.formats.get(style)) is not None:
            facts.formats[(row, place)] = code
        if value is not None or b"<is" in body:
            by_style = telling.strings.get(value[1], _UNMARKED) if value and kind == "s" else _marks(body)
            marks = by_style[style in telling.struck]
            struck.add(marks.is_struck)
            if marks.is_mixed:
                facts.mixed.append((row, place))
        shown = None
        if kind == "e":
            shown = unescaped(value[1].decode("utf-8", errors="replace")) if value else "#N/A"
        elif b"<f" in body:
            facts.formulas[(row, place)] = _formula(body, row, place, facts)
            if value is None and kind != "str":
                shown = ""
        if shown is not None:
            facts.faults[(row, place)] = shown
        noted = len(facts.formulas) + len(facts.formats) + len(facts.mixed)
        if len(facts.faults) > _MAX_FAULTS or noted > _MAX_NOTED:
            raise _too_many()
    if True in struck:
        facts.struck_rows.append(row)


def _too_many() -> UnreadableFileError:
    return UnreadableFileError(
        "too_many_errors",
        "Tệp có quá nhiều ô báo lỗi, công thức, định dạng phần trăm hoặc chữ định dạng từng phần. Chép bảng sang sổ "
        "tính mới (dán giá trị), lưu rồi nộp lại.",
    )


def _formula(body: bytes, row: int, place: int, facts: SheetFacts) -> str:
    """The formula of a cell as it stands there, also where neighbours share it; empty for tables and matrices."""
    match = _FORMULA.search(body)
    if match is None:
        return ""
    attributes, text = match[1], unescaped((match[2] or b"").decode("utf-8", errors="replace"))
    kind, group = attribute(attributes, b"t"), attribute(attributes, b"si")
    if kind in ("array", "dataTable"):
        return ""
    if kind == "shared":
        if text:
            facts.shared[group] = (row, place, text)
        elif group in facts.shared:
            first_row, first_place, text = facts.shared[group]
            return moved(text, row - first_row, place - first_place)
    return text
