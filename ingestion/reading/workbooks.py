"""Workbooks as sheets of cells: converted, held against a second reader, and repaired.

Belongs here: the order of these steps, and what is told of a workbook. Does not belong here: the process that parses
one (``sandbox``), what its cells hold besides values (``cell_facts``), text encodings (``legacy_encodings``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from ingestion.base.limits import IntakeLimits, UnreadableFileError, damaged
from ingestion.base.remarks import FileRemark
from ingestion.reading.cell_facts import put_facts, settle_formulas
from ingestion.reading.grid import ColumnSheet, FileContent, Sheet, capped
from ingestion.reading.legacy_encodings import mend_columns
from ingestion.reading.ooxml_package import with_usual_names
from ingestion.reading.preflight import ZIP_ERRORS, Kind
from ingestion.reading.sandbox import ParsedSheet, shared_sandbox
from ingestion.reading.sheet_xml import BookFacts, scan_workbook


def read_workbook(path: Path, kind: Kind, limits: IntakeLimits) -> FileContent:
    """All sheets of a workbook, parsed in the sandbox; raises :class:`UnreadableFileError`."""
    if kind is Kind.XLSX:
        with ExitStack() as held:
            try:
                usual = held.enter_context(with_usual_names(path))
            except ZIP_ERRORS as error:
                raise damaged() from error
            return _read(usual, kind, limits)
    return _read(path, kind, limits)


def _read(path: Path, kind: Kind, limits: IntakeLimits) -> FileContent:
    parsed = _converted(path, kind, limits)
    _check_counts(path, kind, parsed, limits)
    return content_of(parsed)


def _converted(path: Path, kind: Kind, limits: IntakeLimits) -> list[ParsedSheet]:
    """The sheets as the sandbox parses them, those of ``.xlsx`` with what a second look at the XML tells."""
    book = BookFacts()

    def scan() -> None:
        book.__dict__.update(scan_workbook(path, limits).__dict__)

    parsed = shared_sandbox().parse(path, kind, limits, meanwhile=scan if kind is Kind.XLSX else None)
    if kind is Kind.XLSX:
        for sheet in parsed:
            if (facts := book.sheets.get(sheet.name)) is not None:
                sheet.facts = {
                    **facts.__dict__,
                    "counts_from_1904": book.counts_from_1904,
                    "to_be_calculated": book.to_be_calculated,
                }
    return parsed


def _check_counts(path: Path, kind: Kind, parsed: list[ParsedSheet], limits: IntakeLimits) -> None:
    """Two readers must agree on how many rows hold something; raises :class:`UnreadableFileError` where they do not.

    The cheap count takes an error cell and an empty string for something, which the cells do not show. Where the counts
    differ by more than errors explain, a full second reader decides.
    """

    def agrees(sheet: ParsedSheet) -> bool:
        counted = sheet.facts.get("rows_with_values")
        faulty = len({row for row, _ in sheet.facts.get("faults", {})})
        return counted is None or counted - faulty <= sheet.filled_rows <= counted

    if all(agrees(sheet) for sheet in parsed):
        return
    if kind is Kind.XLSX:
        second = {s: f["filled_rows"] for s, f in shared_sandbox().ask(path, "count", limits).items()}
        faults = {s.name: len({row for row, _ in s.facts.get("faults", {})}) for s in parsed}
        if all(0 <= second.get(s.name, s.filled_rows) - s.filled_rows <= faults[s.name] for s in parsed):
            return
    elif all(agrees(sheet) or sheet.filled_rows <= sheet.facts["rows_with_values"] for sheet in parsed):
        return  # rows of formatted or empty-string cells; no row is missing from the cells' side that was counted
    sheet = next(sheet for sheet in parsed if not agrees(sheet))
    raise UnreadableFileError(
        "readers_disagree",
        f"Trang tính “{sheet.name}”: hai cách đọc cho số dòng khác nhau ({sheet.filled_rows} và "
        f"{sheet.facts['rows_with_values']}). Chép bảng sang một sổ tính mới (dán giá trị) rồi nộp lại.",
    )


def content_of(parsed: Sequence[ParsedSheet]) -> FileContent:
    """Parsed sheets as cells: what the file tells of them put in, formulas settled, texts repaired."""
    remarks: list[FileRemark] = []
    sheets: list[Sheet] = []
    mends: set[str] = set()
    for sheet in parsed:
        remarks += [*_hidden(sheet), *struck_rows(sheet)]
        put_facts(sheet)
        remarks += _computed(sheet.name, settle_formulas(sheet))
        columns, mended = mend_columns(sheet.columns, sheet.distinct)
        if mended and mended not in mends:
            mends.add(mended)
            remarks.append(FileRemark("encoding_mended", mended))
        sheets.append(
            ColumnSheet(
                sheet.name,
                columns,
                sheet.rows,
                sheet.hidden,
                bool(sheet.facts.get("counts_from_1904")),
                sheet.facts.get("merges", ()),
            )
        )
    filled = [sheet for sheet in parsed if sheet.filled_rows]
    content = FileContent(sheets, remarks)
    # A sheet that is followed by another one goes on there.
    return capped(content, filled[-1].name, filled[-1].rows) if filled else content


def _hidden(sheet: ParsedSheet) -> Iterator[FileRemark]:
    hidden = {
        what: int(sheet.facts[name])
        for name, what in (("hidden_rows", "dòng"), ("hidden_columns", "cột"))
        if sheet.facts.get(name)
    }
    if hidden and sheet.filled_rows:
        hidden_vi = ", ".join(f"{count} {what} ẩn" for what, count in hidden.items())
        message = f"Trang tính “{sheet.name}” có {hidden_vi}; đã đọc cả phần ẩn."
        yield FileRemark(
            "hidden_part", message, sheet=sheet.name, subject=sheet.name, value=hidden_vi, count=sum(hidden.values())
        )


_ROWS_NAMED = 10


def struck_rows(sheet: ParsedSheet, *, is_text: bool = False) -> Iterator[FileRemark]:
    """That cells of the sheet are struck out, or parts of a running text's lines, and read all the same."""
    if rows := sheet.facts.get("struck_rows"):
        named = ", ".join(map(str, rows[:_ROWS_NAMED])) + (", …" if len(rows) > _ROWS_NAMED else "")
        place, what = ("Văn bản", "có chữ") if is_text else (f"Trang tính “{sheet.name}”", "có ô")
        yield FileRemark(
            "struck_rows",
            f"{place}: {len(rows)} dòng {what} bị gạch ngang (dòng {named}) vẫn được đọc như dòng khác.",
            "Phần nào đã bỏ thì xóa hẳn, phần nào còn đúng thì bỏ gạch ngang, rồi nộp lại tệp cùng tên.",
            sheet=sheet.name,
            subject=sheet.name,
            value=named,
            count=len(rows),
        )


def _computed(sheet: str, count: int) -> Iterator[FileRemark]:
    if count:
        message = f"Trang tính “{sheet}”: đã tính {count} ô công thức mà tệp chưa lưu kết quả."
        yield FileRemark("formulas_computed", message, sheet=sheet, subject=sheet, count=count)
