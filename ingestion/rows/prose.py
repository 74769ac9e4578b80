"""Running text as a grid: what people write below headings becomes rows of heading, number and paragraph.

Belongs here: which line is a heading, a paragraph or a reminder, and when a text is whole. Does not belong here: what
the headings are (the contract's ``prose`` and labels), encodings (``legacy_encodings``), Word's format (``docx_text``).

Every line that is no heading, no reminder and not blank becomes one row, with the line's number as its coordinate.
A line that cannot be placed becomes a row whose heading is a fault, so that it is rejected with its reason like any
other row: nothing that somebody wrote is passed over.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ingestion.base.cell_fault import CellFault
from ingestion.base.contracts import Contract, Prose
from ingestion.base.limits import MIB, UNUSABLE, IntakeLimits, UnreadableFileError
from ingestion.base.readings import Cell, Proof, Remark
from ingestion.base.remarks import FileRemark
from ingestion.reading.csv_files import DELIMITERS
from ingestion.reading.fastcsv import scan_text
from ingestion.reading.files import read_sheets, sheets_of, suffix_remarks
from ingestion.reading.grid import CellSheet, FileContent
from ingestion.reading.legacy_encodings import decode_text, may_be_legacy, mend_rows
from ingestion.reading.preflight import Kind, inspect, unpacked_bytes
from ingestion.reading.sandbox import shared_sandbox
from ingestion.reading.workbooks import struck_rows
from ingestion.rows.furniture import says_nothing_to_report
from ingestion.text.vietnamese import LabelIndex, clean, fold

#: A text that people wrote is a few pages; what is larger is something else.
MAX_TEXT_BYTES = 4 * MIB
#: Begins a line that is a reminder to the writer and no part of the text.
REMINDER = "//"
TEXT_SUFFIXES = frozenset({".txt", ""})
_SHEETS = {Kind.CSV: "txt", Kind.DOCX: "docx"}
_HEADER_LINES = 5
_MAX_TITLES = 40
_MAX_SHOWN = 60
_SHOWN_NOWHERE = "(chưa rõ mục)"

_BRACKETED = re.compile(r"\[\s*([^\[\]]{1,120}?)\s*\]\s*[.:]?\s*(.*)")
_HASHED = re.compile(r"#{1,6}\s*(.*?)\s*#*")
_LIST_ITEM = re.compile(r"[-+•–—]|\*\s")
_ORDINAL = re.compile(r"^(?:\d{1,2}|[IVX]{1,5})\s*[.):/\-–]\s*(?=\S)")
_CODE = re.compile(r"([IVX]{1,4}\.\d{1,2})(?![\d/])\s*[.:)\-–]?\s*(.*)")
_CHAPTER = re.compile(r"[IVX]{1,4}\s*[.)]\s*(.*)")
_QUARTER_TAIL = re.compile(
    r"[\s,]*(?:của |trong )?quý\s+(?:[IV]{1,3}|[1-4]|sau|tới|này)(?:\s*[/,]?\s*(?:năm\s*)?\d{4})?\W*$", re.IGNORECASE
)
_LINE_END = re.compile(r"\r\n|\r|\n")
_INNER_BREAKS = re.compile("[\x0b\x0c\x85\u2028\u2029\t]+")

_ADVICE = "Ghi tên mục trong ngoặc vuông ở dòng riêng phía trên đoạn văn, ví dụ [II.2]. Xem mẫu: cchc template"
_BEFORE_HEADINGS = Remark("text_without_heading", "Đoạn văn đứng trước tiêu đề mục đầu tiên", _ADVICE)
_BELOW_GROUP = Remark("text_without_heading", "Đoạn văn đứng ngay dưới tiêu đề phần, chưa rõ thuộc mục nào", _ADVICE)
_SIGNATURE = Remark(
    "signature", "Phần chữ ký không thuộc nội dung viết tay", "Xóa phần chữ ký và họ tên người ký khỏi tệp."
)
_AFTER_END = Remark(
    "text_after_end", "Đoạn văn đứng sau dòng báo hết tệp", "Chuyển đoạn văn lên mục của nó, trước dòng báo hết."
)
_CUT_VI = (
    "Tệp văn bản kết thúc giữa chừng (dòng cuối không xuống dòng): có thể chép hoặc lưu chưa xong. "
    "Ghi thêm dòng [Hết] ở cuối tệp, lưu rồi nộp lại."
)
_UNPROVEN_VI = (
    "Tệp văn bản không có dòng [Hết] ở cuối và không kèm tệp .done nên chưa chắc đủ. Bổ sung một trong hai rồi nộp lại."
)
_NOTHING_PROVES_VI = "Tệp văn bản không có dòng [Hết] ở cuối và không kèm tệp .done nên không có gì chứng tỏ tệp đủ."
_ACCEPTED_VI = "Nộp tệp văn bản .txt hoặc .docx theo mẫu, hoặc bảng .xlsx, .csv có các cột Mục, Đoạn, Nội dung."
# What is said of a file that cannot be read, where the words for tables would mislead.
_REFUSALS_VI = {
    "bad_encoding": "Không xác định được bảng mã của tệp văn bản. Lưu lại tệp dạng UTF-8 rồi nộp lại.",
    "truncated": "Tệp văn bản bị cắt ngang giữa một chữ: chép hoặc lưu chưa xong. Lưu lại tệp rồi nộp lại.",
    "unknown_format": f"Không nhận loại tệp này. {_ACCEPTED_VI}",
    "active_content": "Tệp bị giữ lại vì chứa macro, đối tượng nhúng hoặc liên kết ra ngoài. Chép riêng phần chữ sang "
    "tệp mới rồi nộp lại.",
    "damaged": "Không mở được tệp: tệp hỏng, chép chưa xong hoặc không đúng định dạng. Mở lại tệp, lưu lại rồi nộp "
    "lại.",
}
# What Word may hold beside the paragraphs, by the child's name for it: the kind of remark and its words.
_WORD_REMARKS = {
    "automatic_numbers": ("not_read", "Số thứ tự và dấu đầu dòng do Word tự đánh không được lấy; nếu cần thì gõ tay."),
    "tracked_changes": (
        "hidden_part",
        "Tệp còn theo dõi thay đổi (track changes): đã đọc như khi chấp nhận mọi thay đổi.",
    ),
    "hidden_text": ("hidden_part", "Tệp có chữ ẩn; đã đọc cả chữ ẩn."),
    "pictures": ("not_read", "Hình trong tệp không được lấy."),
    "notes": ("not_read", "Chú thích cuối trang và nhận xét bên lề không được lấy."),
}


@dataclass(frozen=True)
class Place:
    """Where paragraphs go: the heading's label, or the fault of a heading that is none.

    ``line_fault`` rejects the heading's own line, ``ends`` says that the text is complete.
    """

    label: str = ""
    fault: Remark | None = None
    line_fault: Remark | None = None
    ends: bool = False

    def cell(self, remark: Remark | None = None) -> Cell:
        fault = remark or self.fault
        return CellFault(self.label or _SHOWN_NOWHERE, fault) if fault else self.label


class Headings:
    """The headings of a contract, ready to be told from paragraphs."""

    def __init__(self, contract: Contract) -> None:
        assert contract.prose is not None
        self._prose: Prose = contract.prose
        self._places: LabelIndex[Place] = LabelIndex(lenient=True)
        for labels in contract.column(self._prose.heading).labels.values():
            self._places.add_all(labels, Place(labels[0]))
        self._places.add_all(self._prose.groups, Place(fault=_BELOW_GROUP))
        self._places.add_all(self._prose.ends, Place(fault=_SIGNATURE))
        self._places.add(self._prose.complete, Place(fault=_AFTER_END, ends=True))

    def of(self, line: str) -> Place | None:
        """What the line heads, or None where it is a paragraph.

        A line in brackets or behind ``#`` is always a heading, and so is one that begins with a section's code
        (``II.2``) or is a numbered line in capitals; any other line only where it is a known title, with or without
        a number.
        """
        if marked := _BRACKETED.fullmatch(line):
            return self._with_title(marked[1], marked[2], line)
        if hashed := _HASHED.fullmatch(line):
            return self._known(hashed[1]) or self._coded(hashed[1]) or _unknown(hashed[1])
        if _LIST_ITEM.match(line):
            return None
        plain = line.strip("*_ ")
        return self._known(plain) or self._coded(plain) or (_unknown(plain) if _is_chapter(plain) else None)

    def _known(self, title: str) -> Place | None:
        for form in (title, _ORDINAL.sub("", title, count=1)):
            for text in dict.fromkeys((form, _QUARTER_TAIL.sub("", form))):
                found = self._places.find(text)
                if len(found) == 1:
                    place = found.pop()
                    return None if place.ends else place
        return None

    def _coded(self, line: str) -> Place | None:
        coded = _CODE.fullmatch(line)
        return self._with_title(coded[1], coded[2], line) if coded else None

    def _with_title(self, name: str, title: str, line: str) -> Place:
        """A heading that names its place, with what stands behind it: its title or nothing."""
        found = self._places.find(name)
        place = found.pop() if len(found) == 1 else self._known(name)
        if place is None:
            return _unknown(line)
        if not fold(title):
            return place
        named = self._known(title)
        if named == place:
            return place
        if place.label and named is not None and named.label:
            return _no_place(
                line,
                Remark(
                    "contradictory_heading",
                    f"Tiêu đề “{_shown(line)}” ghi mã của mục này nhưng tên của mục khác",
                    f"Chỉ giữ mã hoặc tên đúng: “{place.label}” hay “{named.label}”.",
                ),
            )
        return replace(
            place,
            line_fault=Remark(
                "text_in_heading",
                f"Dòng tiêu đề “{place.label or name}” có chữ không phải tên mục",
                f"Ghi [{name}] riêng một dòng, đoạn văn ghi từ dòng dưới.",
            ),
        )


def _is_chapter(line: str) -> bool:
    """Whether a line is a roman number with a title in capitals: ``IV. TỔ CHỨC THỰC HIỆN``."""
    chapter = _CHAPTER.fullmatch(line)
    return chapter is not None and chapter[1].isupper()


def _shown(line: str) -> str:
    return line if len(line) <= _MAX_SHOWN else line[: _MAX_SHOWN - 1] + "…"


def _unknown(line: str) -> Place:
    shown = _shown(line)
    return _no_place(
        line,
        Remark("unknown_heading", f"Không có mục “{shown}”", "Ghi đúng mã hoặc tên mục như trong mẫu, ví dụ [II.2]."),
    )


def _no_place(line: str, remark: Remark) -> Place:
    """A heading that leads nowhere: its own line and all below it are rejected."""
    return Place(_shown(line), fault=remark, line_fault=remark)


# ------------------------------------------------------------------------------------------------------------- reading


def read_content(path: Path, suffix: str, contract: Contract, limits: IntakeLimits) -> FileContent:
    """What a delivered file holds; running text too, where the contract takes it. Raises ``UnreadableFileError``."""
    if contract.prose is None:
        if contract.form_row is not None and contract.form_row.printed_sources:
            kind = inspect(path, suffix, limits)
            return _word_tables(path, suffix, limits) if kind is Kind.DOCX else sheets_of(path, kind, suffix, limits)
        return read_sheets(path, suffix, limits)
    try:
        return _read_content(path, suffix, contract, limits)
    except UnreadableFileError as error:
        raise UnreadableFileError(error.code, _REFUSALS_VI.get(error.code, str(error))) from error


def _read_content(path: Path, suffix: str, contract: Contract, limits: IntakeLimits) -> FileContent:
    kind = inspect(path, suffix, limits)
    if kind is Kind.DOCX:
        cells, remarks = _word_lines(path, limits)
        content = grid_of(cells, contract, _SHEETS[kind])
        remarks = [*suffix_remarks(kind, suffix), *remarks]
        return replace(content, remarks=remarks, may_be_cut=False, proves_itself=True)
    if kind is Kind.CSV and suffix in TEXT_SUFFIXES:
        if path.stat().st_size > MAX_TEXT_BYTES:
            raise UnreadableFileError("too_large", f"Tệp văn bản lớn hơn {MAX_TEXT_BYTES // MIB} MiB. {_ACCEPTED_VI}")
        text = decode_text(path.read_bytes())
        lines = [_INNER_BREAKS.sub(" ", line) for line in _LINE_END.split(text)]
        if not _heads_a_table(_LINE_END.split(text), contract):
            return _text_content(text, lines, contract)
    return sheets_of(path, kind, suffix, limits)


def _text_content(text: str, lines: list[str], contract: Contract) -> FileContent:
    cells: list[Cell] = list(lines)
    remarks: list[FileRemark] = []
    utf8 = text.encode()
    if may_be_legacy(utf8, scan_text(utf8)):
        mended, note = mend_rows([[line] for line in lines])
        cells = [row[0] for row in mended]
        remarks += [FileRemark("encoding_mended", note)] if note else []
    content = grid_of(cells, contract, _SHEETS[Kind.CSV])
    return replace(content, remarks=remarks, may_be_cut=content.may_be_cut and not text.endswith(("\n", "\r")))


def _heads_a_table(lines: Sequence[str], contract: Contract) -> bool:
    """Whether one of the first lines is the header of a delimited table."""
    index: LabelIndex[str] = LabelIndex()
    for column in contract.columns:
        index.add_all(column.aliases, column.name)
    first = [line for line in lines if line.strip()][:_HEADER_LINES]
    for cells in (line.split(delimiter) for line in first for delimiter in DELIMITERS):
        if len({name for cell in cells for name in index.find(cell.strip('" '))}) > 1:
            return True
    return False


def _word_tables(path: Path, suffix: str, limits: IntakeLimits) -> FileContent:
    """The tables of a Word document, in which offices keep the printed form."""
    parsed = shared_sandbox().parse(path, "docx_tables", limits.fitted(unpacked_bytes(path)))
    if not parsed:
        raise UnreadableFileError(UNUSABLE, "Tệp Word không có bảng nào. Nộp biểu in đã điền, hoặc mẫu bảng tính.")
    sheets: list[CellSheet] = []
    only_tables = FileRemark(
        "not_read", "Trong tệp Word chỉ bảng được lấy, lời văn ngoài bảng thì không.", subject="text"
    )
    remarks = [*suffix_remarks(Kind.DOCX, suffix), only_tables]
    for sheet in parsed:
        rows, note = mend_rows([list(row) for row in zip(*sheet.columns, strict=True)])
        sheets.append(CellSheet(sheet.name, rows))
        remarks += [*struck_rows(sheet), *([FileRemark("encoding_mended", note)] if note else [])]
    return FileContent(sheets, [*remarks, *_word_remarks(parsed[0].facts)])


def _word_remarks(facts: Mapping[str, Any]) -> list[FileRemark]:
    known = ((name, *words) for name, words in _WORD_REMARKS.items())
    return [FileRemark(kind, text, subject=name) for name, kind, text in known if facts.get(name)]


def _word_lines(path: Path, limits: IntakeLimits) -> tuple[list[Cell], list[FileRemark]]:
    """The lines of a Word document, and remarks on what is beside them."""
    (sheet,) = shared_sandbox().parse(path, Kind.DOCX, limits.fitted(unpacked_bytes(path)))
    lines: list[Cell] = list(sheet.columns[0]) if sheet.columns else []
    mended, note = mend_rows([[line] for line in lines])
    remarks = [FileRemark("encoding_mended", note)] if note else []
    return [row[0] for row in mended], [*remarks, *struck_rows(sheet, is_text=True), *_word_remarks(sheet.facts)]


@dataclass
class _Grid:
    """Rows as they are found: cells, line numbers, and how many paragraphs each heading has."""

    rows: list[list[Cell]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    non_data: list[Proof] = field(default_factory=list)
    _stray: list[list[Cell]] = field(default_factory=list)

    def add(self, line: int, place: Place, text: Cell, remark: Remark | None = None) -> None:
        row = [place.cell(remark), None, text]
        if place.fault is None:
            self.counts[place.label] += 1
            row[1] = self.counts[place.label]
        else:
            self._stray.append(row)
        self.rows.append(row)
        self.numbers.append(line)

    def number_strays(self) -> None:
        """Numbers the paragraphs without a heading beyond those of any heading.

        Wherever the clerk puts one of them when it is mended, it takes the place of no paragraph that was taken.
        """
        for number, row in enumerate(self._stray, start=max(self.counts.values(), default=0) + 1):
            row[1] = number


def grid_of(lines: Sequence[Cell], contract: Contract, sheet: str) -> FileContent:
    """The lines of a text as a sheet headed by the contract's columns; reminders above the first heading head it.

    ``may_be_cut`` and ``proves_itself`` tell whether the closing line is missing or there.
    """
    prose = contract.prose
    assert prose is not None
    headings = Headings(contract)
    grid = _Grid()
    titles: list[tuple[int, str]] = []
    place = Place(fault=_BEFORE_HEADINGS)
    begun = complete = False
    for number, cell in enumerate(lines, start=1):
        line = cell if isinstance(cell, CellFault) else clean(str(cell))
        if not any(c.isalnum() for c in line):
            grid.non_data += [Proof(number, "separator", "signs_only")] if line else []
            continue
        if line.startswith(REMINDER):
            if begun or len(titles) >= _MAX_TITLES:
                grid.non_data.append(Proof(number, "reminder", "marked_as_reminder"))
            else:
                titles.append((number, line.removeprefix(REMINDER).strip()))
            continue
        if not begun and says_nothing_to_report(line):
            grid.rows.append([line, None, None])
            grid.numbers.append(number)
            continue
        begun = True
        found = None if isinstance(line, CellFault) else headings.of(line)
        if found is None:
            grid.add(number, place, line)
            continue
        place, complete = replace(found, line_fault=None), complete or found.ends
        if found.line_fault is not None:
            grid.add(number, found, line, found.line_fault)
        else:
            grid.non_data.append(Proof(number, "header", "section_heading"))
    grid.number_strays()
    head: list[Cell] = [contract.column(name).title_vi for name in (prose.heading, prose.number, prose.text)]
    title_rows: list[list[Cell]] = [[text] for _, text in titles]
    sheets = [
        CellSheet(
            sheet,
            [*title_rows, head, *grid.rows],
            line_numbers=[*(number for number, _ in titles), 0, *grid.numbers],
        )
    ]
    return FileContent(
        sheets,
        [],
        [(sheet, proof) for proof in grid.non_data],
        may_be_cut=not complete,
        proves_itself=complete,
        cut_vi=_CUT_VI,
        unproven_vi=_UNPROVEN_VI,
        nothing_proves_vi=_NOTHING_PROVES_VI,
    )
