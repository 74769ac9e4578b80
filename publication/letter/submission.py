"""The phiếu trình: what the signer is told beside the letter, two pages at most.

Belongs here: which points are told and in which order, what is cut to fit. Does not belong here: the look of both files
(``word``, ``submission.typ``), the points themselves as programs read them (``content.notes``).

The letter and its annex hold what their readers need. Contradictions and the decisions on them, blank rows, missing
units, evidence that is not there, sentences left out: all that is told here, and whole in ``quality/notes.csv``.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from math import ceil
from typing import Any

from common.forms import form_named
from common.periods import PeriodKind, kind_of
from publication.content.citations import boards, cite
from publication.content.notes import BLANK_REASON_VI
from publication.content.release_content import FormRow, ReleaseContent
from publication.formatting import format_date, format_number
from publication.letter.compose import closing_date, compose, compose_body
from publication.letter.glyphs import printable
from publication.letter.model import TWO_COLUMNS, Letter
from publication.letter.wording import load_wording

KIND = "PHIẾU TRÌNH"
_NAME_HEADER = "Chỉ tiêu"
#: Millimetres: what is between the margins, and a column of figures.
_WIDTH, _FIGURES_WIDTH = sum(TWO_COLUMNS), 28
SUBMITTED_BY, OPINION = "NGƯỜI TRÌNH", "Ý KIẾN CỦA NGƯỜI KÝ"
MOST_PAGES = 2
_DOTS = "…" * 22
#: Column of the mart behind a column of figures, its heading, and whether periods of a kind are compared so.
_FIGURES: tuple[tuple[str, str, Callable[[PeriodKind], bool]], ...] = (
    ("value", "Kỳ báo cáo", lambda kind: True),
    ("previous_quarter_value", "Kỳ trước", lambda kind: bool(kind.previous_vi)),
    ("same_quarter_last_year_value", "Cùng kỳ năm trước", lambda kind: bool(kind.same_last_year_vi)),
)
_NONE = "–"
_MOST_ROWS = 8
#: Rules about the print of the form; nothing for a signer to know.
_OF_THE_FORM = "form."
_OF_THE_LETTER = "letter."
_NAMED = 3
#: A sentence that says so tells itself which row it is about.
_NAMES_A_ROW = "(mục "
_LONGEST_NAME, _LONGEST_LINE, _LONGEST_RULE, _LONGEST = 70, 600, 150, 700
#: Characters that a line of the print holds, rather fewer than more, and lines of points on two pages.
_A_LINE, _LINES = 90, 84
_STEP = 3
_LEFT_VI = "Còn {count} điểm khác, xem tệp quality/notes.csv."
_DECIDED_VI = {
    "accept_declared": "công bố số cơ quan báo cáo {declared}, số tính từ dữ liệu là {computed}",
    "accept_computed": "công bố số tính từ dữ liệu {computed}, số cơ quan báo cáo là {declared}",
    "withhold": "không công bố số liệu",
}


@dataclass(frozen=True)
class SubmissionRow:
    """A row of the table: an indicator by its short name, and its figures in the order of ``Submission.values``."""

    code: str
    name: str
    figures: tuple[str, ...]

    @property
    def cells(self) -> tuple[str, ...]:
        """The printed cells from left to right."""
        return (self.name, *self.figures)


@dataclass(frozen=True)
class Points:
    """Points under one heading."""

    heading: str
    lines: tuple[str, ...]


#: Stays free on the last page: Word breaks lines a little otherwise than the print.
_SPARE = Points("…", ("…",) * _STEP)


@dataclass(frozen=True)
class Submission:
    """The whole document; ``dated`` stands in for the time of making in both files.

    ``values`` are the columns of the mart behind the figures of the table: those that periods of its kind are told by.
    """

    dated: dt.date
    issuer: str
    agency: tuple[str, ...]
    place_and_date: str
    subject: str
    addressee: str
    opening: str
    values: tuple[str, ...]
    rows: tuple[SubmissionRow, ...]
    blocks: tuple[Points, ...]
    closing: str
    #: Stands on every page; empty for a release.
    mark: str = ""

    @property
    def headers(self) -> tuple[str, ...]:
        """Headings of the table from left to right."""
        return (_NAME_HEADER, *(header for column, header, _ in _FIGURES if column in self.values))

    @property
    def columns(self) -> tuple[int, ...]:
        """Widths of the table's columns in millimetres; together the width between the margins."""
        return (_WIDTH - _FIGURES_WIDTH * len(self.values), *[_FIGURES_WIDTH] * len(self.values))

    @property
    def dots(self) -> tuple[str, ...]:
        """Lines for the signer to write on."""
        return (_DOTS,) * 3


def compose_submission(content: ReleaseContent, pages: Callable[[Submission], int]) -> Submission:
    """The document with as many points as fit; ``pages`` says on how many pages one is set. What is cut is counted."""
    letter = compose(content)
    whole = _whole(content, letter)
    room = _LINES
    while True:
        fitted = replace(whole, blocks=tuple(_fitted(whole.blocks, room)))
        if room <= 0 or pages(replace(fitted, blocks=(*fitted.blocks, _SPARE))) <= MOST_PAGES:
            return fitted
        room -= _STEP


def _whole(content: ReleaseContent, letter: Letter) -> Submission:
    _, issuer = boards(content.unit_name_vi)
    post = load_wording(content.form_version).signature.chairman[-1].capitalize()
    day = format_date(closing_date(content))
    blocks = [
        Points("Số liệu tạm thời", content.provisional_vi),
        Points("Thay đổi so với bản công bố trước", tuple(content.revision.lines_vi) if content.revision else ()),
        Points("Mâu thuẫn số liệu đã có văn bản giải trình", tuple(_decided(content))),
        Points("Chỉ tiêu để trống, đơn vị chưa có số liệu", (*_blanks(content), *_coverage(content))),
        Points("Câu không đưa vào báo cáo", tuple(_left_out(content))),
        Points("Điểm cần lưu ý", tuple(_findings(content))),
    ]
    kind = kind_of(content.quarter)
    values = tuple(column for column, _, told in _FIGURES if told(kind))
    mark = f" ({mark_vi})" if (mark_vi := form_named(content.form_version).mark_vi) else ""
    return Submission(
        dated=letter.dated,
        issuer=letter.issuer,
        agency=letter.agency,
        place_and_date=letter.place_and_date,
        subject=printable(f"Ký Báo cáo {letter.subject[:1].lower()}{letter.subject[1:]}"),
        addressee=printable(f"Kính trình: {post} {issuer}"),
        opening=printable(
            f"Kính trình ký Báo cáo nêu trên kèm biểu tổng hợp {format_number(len(content.rows))} dòng{mark}, "
            f"số liệu chốt đến hết ngày {day}. Số liệu chính:"
        ),
        values=values,
        rows=tuple(_rows(content, values)),
        blocks=tuple(
            Points(f"{number}. {block.heading}", tuple(printable(_cut(line, _LONGEST)) for line in block.lines))
            for number, block in enumerate((block for block in blocks if block.lines), start=1)
        ),
        closing=printable(
            "Toàn bộ giải trình, lưu ý và dòng để trống có trong tệp quality/notes.csv kèm bản công bố; nguồn của "
            "từng con số có trong tệp quality/passports.json."
        ),
        mark=letter.mark,
    )


# --- table ----------------------------------------------------------------------------------------------------------


def _rows(content: ReleaseContent, values: Iterable[str]) -> Iterator[SubmissionRow]:
    for name, row in _shown(content):
        figures = tuple(_figure(row.values[column], row) for column in values)
        yield SubmissionRow(row.code, printable(name), figures)


def _figure(value: Decimal | None, row: FormRow) -> str:
    if value is None:
        return _NONE
    return format_number(value) + ("%" if row.values["unit_of_measure"] == "%" else "")


def _shown(content: ReleaseContent) -> list[tuple[str, FormRow]]:
    """The rows that the form puts first, by their short names; of a form that names none, its first counts."""
    form, rows = form_named(content.form_version), content.rows_by_code
    shown = [(card.title_vi, rows[card.row]) for card in form.page.cards if card.row in rows]
    shown = shown or [(rows[code].name_vi, rows[code]) for code in form.headline if code in rows]
    return (shown or [(row.name_vi, row) for row in content.rows if row.values["kind"] == "count"])[:_MOST_ROWS]


# --- points ---------------------------------------------------------------------------------------------------------


def _named(content: ReleaseContent, codes: Iterable[str]) -> str:
    """Rows by name and printed number, the first few of many."""
    known = content.rows_by_code
    listed = [known[code] for code in dict.fromkeys(codes) if code in known]
    places = form_named(content.form_version).places
    names = [f"“{_short(row)}” ({places[row.code]})" for row in listed[:_NAMED]]
    more = len(listed) - len(names)
    return "; ".join(names) + (f" và {more:02d} dòng khác" if more else "")


def _short(row: FormRow) -> str:
    name = row.name_vi.strip(" -:.")
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME].rsplit(' ', 1)[0]} …"


def _decided(content: ReleaseContent) -> Iterator[str]:
    """Each contradiction with what was decided; decisions with one reason and document are told together."""
    decisions = {str(decision["decision_id"]): decision for decision in content.decisions}
    sentences = {str(result["expectation_id"]): str(result["sentence_vi"]) for result in content.gate_results}
    rows = content.rows_by_code
    told: dict[tuple[str, str], list[str]] = {}
    for footnote in content.footnotes:
        decision = decisions[footnote.decision_ids[0]]
        action = decision["action"]
        codes = footnote.indicator_codes
        if action in _DECIDED_VI and codes:
            row = rows.get(str(decision["subject"]), rows[codes[0]])
            figures = {side: _or_none(row.values[f"{side}_value"]) for side in ("declared", "computed")}
            what = f"{_named(content, [row.code])}: {_DECIDED_VI[action].format(**figures)}"
        elif action == "count_as_on_time":
            count = f"{len(footnote.decision_ids):02d}"
            what = f"{_named(content, codes)}: tính đúng hạn {count} hồ sơ mà phần mềm ghi trễ hạn hoặc không ghi hạn"
        else:
            rule = sentences.get(str(decision["subject"]), footnote.text_vi).rstrip(".")
            what = f"Chấp nhận điểm chưa khớp: {_cut(rule, _LONGEST_RULE)}"
        reason = str(decision["reason_vi"] or "").rstrip(".")
        document = cite(decision["document_number"], decision["dated"])
        told.setdefault((reason, document), []).append(what)
    for (reason, document), points in told.items():
        said = _ended("; ".join(points)) + (f" Lý do: {reason}" if reason else "")
        yield _ended(f"{_cut(said)} ({document})" if document else _cut(said))


def _ended(text: str) -> str:
    return text if text.endswith(("…", ".")) else f"{text}."


def _or_none(value: Decimal | None) -> str:
    return "không có" if value is None else format_number(value)


def _cut(text: str, longest: int = _LONGEST_LINE) -> str:
    return text if len(text) <= longest else f"{text[:longest].rsplit(' ', 1)[0]} …"


def _blanks(content: ReleaseContent) -> Iterator[str]:
    by_status: dict[str, list[str]] = {}
    for row in content.rows:
        if row.printed == "" and row.values["kind"] != "heading":
            by_status.setdefault(str(row.values["status"]), []).append(row.code)
    for status, codes in by_status.items():
        yield f"{len(codes):02d} dòng: {_named(content, codes)}. {BLANK_REASON_VI[status]}"


def _coverage(content: ReleaseContent) -> Iterator[str]:
    lacking: dict[tuple[int, int], list[str]] = {}
    for row in content.rows:
        counted, expected = row.values["units_counted"], row.values["units_expected"]
        if counted is not None and expected is not None and counted < expected and expected > 1:
            lacking.setdefault((counted, expected), []).append(row.code)
    for (counted, expected), codes in sorted(lacking.items()):
        yield f"Mới có số liệu của {counted}/{expected} đơn vị: {_named(content, codes)}."


def _left_out(content: ReleaseContent) -> Iterator[str]:
    for one in compose_body(content).left_out:
        by = "cơ quan yêu cầu bỏ" if one.by_office else "chưa có người viết"
        yield f"Mục {one.section}: “{one.text}” ({by})"


def _findings(content: ReleaseContent) -> Iterator[str]:
    """Findings that do not block, those about figures first; of each the rows, or how many there are."""
    found = [
        result
        for result in content.gate_results
        if result["severity"] == "info"
        and result["status"] == "fail"
        and not str(result["expectation_id"]).startswith(_OF_THE_FORM)
    ]
    for result in sorted(found, key=lambda one: str(one["expectation_id"]).partition(".")[0] != "report"):
        sentence = str(result["sentence_vi"]).rstrip(".")
        where = "" if _NAMES_A_ROW in sentence and (result["failed_rows"] or 0) <= 1 else f": {_where(content, result)}"
        yield _cut(f"{sentence}{where}.")


def _where(content: ReleaseContent, result: Mapping[str, Any]) -> str:
    subjects = [str(one) for one in result.get("subjects") or [one["subject"] for one in result["findings"]]]
    failed = result["failed_rows"] or 0
    if str(result["expectation_id"]).startswith(_OF_THE_LETTER):
        named = "; ".join(f"“{subject}”" for subject in subjects[:_NAMED])
        more = failed - min(len(subjects), _NAMED)
        return named + (f" và {more:02d} chỗ khác" if more > 0 else "")
    codes = [subject for subject in subjects if subject in content.rows_by_code]
    if codes and len(set(codes)) <= _NAMED:
        return _named(content, codes)
    return f"{failed:02d} trường hợp"


# --- fitting --------------------------------------------------------------------------------------------------------


def _fitted(blocks: Iterable[Points], room: int) -> Iterator[Points]:
    """The blocks within so many lines: each has its first point, the rest go by turns while there is room."""
    whole = list(blocks)
    kept = Counter({place: min(1, room // max(1, len(whole))) for place in range(len(whole))})
    used = sum(_height(block.lines[:1]) + 2 for block in whole)
    growing = list(range(len(whole)))
    while growing:
        for place in tuple(growing):
            lines = whole[place].lines
            more = lines[kept[place] : kept[place] + 1]
            if more and used + _height(more) <= room:
                kept[place] += 1
                used += _height(more)
            else:
                growing.remove(place)
    for place, block in enumerate(whole):
        left = len(block.lines) - kept[place]
        more_vi = (_LEFT_VI.format(count=f"{left:02d}"),) if left else ()
        yield Points(block.heading, (*block.lines[: kept[place]], *more_vi))


def _height(lines: Iterable[str]) -> int:
    return sum(ceil((len(line) + 2) / _A_LINE) for line in lines)
