"""The letter as a document: what is said, in which order, in which role, and which figures were printed where.

Belongs here: plain objects that both files are made from, so that they cannot disagree.
Does not belong here: which words are chosen (``compose``), how a role looks (``word``, ``letter.typ``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

#: part: I, II, III; section: numbered within a part; body: running text; item: a dash line; fill: dots to write on.
Role = Literal["part", "section", "body", "item", "fill"]


@dataclass(frozen=True)
class Run:
    """A stretch of text. ``code`` is set where it is a printed figure: of that indicator, or ``#name`` of one that the
    form's wording declares.
    """

    text: str
    code: str | None = None


@dataclass(frozen=True)
class Paragraph:
    """One paragraph of the letter. ``written``: section and number of the delivered paragraph that people wrote."""

    role: Role
    runs: tuple[Run, ...]
    written: tuple[str, int] | None = None

    @property
    def text(self) -> str:
        """All runs in one."""
        return "".join(run.text for run in self.runs)


@dataclass(frozen=True)
class AnnexLine:
    """One row of the annex as printed; ``note`` carries the marks of the footnotes below the table."""

    number: str
    name: str
    unit: str
    figure: str
    note: str
    is_section: bool
    is_heading: bool

    @property
    def cells(self) -> tuple[str, ...]:
        """The printed cells from left to right; in a section row the name spans the three middle columns."""
        if self.is_section:
            return (self.number, self.name, self.note)
        return (self.number, self.name, self.unit, self.figure, self.note)

    @property
    def may_break(self) -> bool:
        """Whether the row may be higher than a page, so that it has to go on overleaf; the others stay in one piece."""
        return any(len(cell) > LONGEST_WHOLE for cell in self.cells)


@dataclass(frozen=True)
class LeftOut:
    """A sentence that the letter does not print. ``by_office``: an office asked for that; else the form's wording."""

    section: str
    text: str
    by_office: bool


@dataclass(frozen=True)
class Body:
    """The letter between head and end, and what is not in it.

    ``unmatched``: places and words of paragraphs by which an office leaves out a sentence that is not in the letter.
    """

    paragraphs: tuple[Paragraph, ...]
    left_out: tuple[LeftOut, ...]
    unmatched: tuple[tuple[tuple[str, int], str], ...]


@dataclass(frozen=True)
class Letter:
    """The whole document. ``dated`` stands in for the time of making in both files: the day the quarter closed.

    ``signer`` is blank where the name is left to be written; ``post`` are the lines above it.
    """

    dated: dt.date
    issuer: str
    agency: tuple[str, ...]
    number: str
    place_and_date: str
    kind: str
    subject: str
    body: tuple[Paragraph, ...]
    closing: Paragraph
    receivers: tuple[str, ...]
    authority: str
    post: tuple[str, ...]
    signer: str
    annex_title: tuple[str, ...]
    annex: tuple[AnnexLine, ...]
    footnotes: tuple[str, ...]
    #: Stands on every page; empty for a release.
    mark: str = ""

    def figures(self) -> Iterator[Run]:
        """The figures printed in the letter's text, in order."""
        return (run for paragraph in self.body for run in paragraph.runs if run.code is not None)


class LetterDamaged(Exception):
    """A written letter does not read back as the mart. ``row_no``: the row of the annex it is about, where it is."""

    def __init__(self, message: str, row_no: int | None = None) -> None:
        super().__init__(message)
        self.row_no = row_no


STATE = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"
MOTTO = "Độc lập - Tự do - Hạnh phúc"
RECEIVERS = "Nơi nhận:"
#: Characters of a cell that fit on one page in the narrowest column that holds free text.
LONGEST_WHOLE = 250
#: Cells of the two header rows; None is covered by a merged neighbour.
HEADER_TOP = ("STT", "Chỉ tiêu thống kê", "Kết quả thống kê", None, "Ghi chú")
HEADER_BOTTOM = (None, None, "Đơn vị tính", "Số lượng / Tỷ lệ", None)
#: Millimetres; together the width between the margins, as are the two columns of heading and signature.
COLUMN_WIDTHS = (12, 63, 33, 25, 32)
TWO_COLUMNS = (66, 99)
#: Top, bottom, left, right margin in millimetres (Decree 30/2020/NĐ-CP, annex I: 20-25, 20-25, 30-35, 15-20).
MARGINS = (20, 20, 30, 15)
MOTTO_WIDTH = 60.5
