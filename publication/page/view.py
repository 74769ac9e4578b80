"""What the page says, arranged for its template: headline figures, rows by section, notes, changes, files.

Belongs here: choosing and naming; everything is text or a count by the time the template sees it.
Does not belong here: markup (``templates``), drawing (``charts``), where figures come from (the marts).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from common.forms import Page, PartOf, form_named
from common.periods import PeriodKind, kind_of, running_title_vi
from common.units import UnitRegister, registered
from publication.content.approval import DRAFT_VI
from publication.content.changes import Change
from publication.content.notes import notes
from publication.content.passport import SOURCE_VI, STATUS_VI
from publication.content.release_content import PROVISIONAL_VI, Footnote, FormRow, Imprint, ReleaseContent
from publication.content.units_as_is import UnitToday, changed_units
from publication.formatting import format_date, format_number, percent_of
from publication.page.charts import Chart
from publication.page.differences import Difference, judged_by_rate, since_last_year, since_previous_quarter
from publication.page.findings import Facts, findings
from publication.page.neighbours import Neighbour, index_link, neighbours
from publication.page.pictures import charts, trends
from publication.page.statistics import Table, held_back_vi, tables
from publication.page.unit_figures import KINDS, Kind, Unit, unit_figures
from publication.page.unit_pages import page_name
from publication.store.candidate import FORM_MART

#: Files of the release that people open, by their path from the folder of the page; only those present are offered.
_FILES: tuple[tuple[str, str], ...] = (
    ("report.pdf", "Báo cáo kèm phụ lục (PDF)"),
    ("report.docx", "Báo cáo kèm phụ lục (Word)"),
    ("annex.xlsx", "Phụ lục số liệu (Excel)"),
    ("form_06a.xlsx", "Biểu II.06a theo Thông tư 01/2020/TT-VPCP (Excel)"),
    ("annex.csv", "Phụ lục số liệu (CSV)"),
    ("../quality/notes.csv", "Ghi chú chất lượng số liệu (CSV)"),
    ("../quality/changes.csv", "Thay đổi so với bản trước (CSV)"),
    ("../quality/passports.json", "Nguồn gốc của từng số liệu (JSON)"),
)
_COLUMNS_VI: Mapping[str, str] = {
    "value": "Số liệu",
    "value_text": "Nội dung",
    "status": "Trạng thái",
    "computed_value": "Số tính từ dữ liệu",
    "declared_value": "Số cơ quan khai báo",
    "numerator": "Tử số",
    "denominator": "Mẫu số",
    "decision_id": "Quyết định giải trình",
    "note_vi": "Ghi chú",
    "footnote_vi": "Căn cứ giải trình",
    "previous_quarter_value": "Số quý trước",
    "same_quarter_last_year_value": "Số cùng quý năm trước",
    "year_to_date_value": "Lũy kế từ đầu năm",
    "units_counted": "Số đơn vị đã có số liệu",
    "units_expected": "Số đơn vị phải có số liệu",
}
#: What stands in every release, though it is written after the page.
_DATA_PACKAGE = ("../datapackage.json", "Gói dữ liệu: mô tả mọi tệp và bảng (JSON, Frictionless)")
_DATABASE = ("../marts.duckdb", "Toàn bộ bảng số liệu (DuckDB)")
#: Columns that say what the form prints; the others stand behind the figures.
_FIGURE_COLUMNS = frozenset({"", "value", "value_text", "status", "note_vi"})
#: Figures of each unit below that the page lists; the unit's own page has all.
UNIT_KINDS = tuple(
    kind for kind in KINDS if kind.id in ("received", "resolved", "on_time_percent", "late", "median_days", "open")
)
#: The page lists this many changed cells of other marts; the file in the release lists all.
CHANGES_LISTED = 200


@dataclass(frozen=True)
class RowView:
    """One of the form's rows. ``kind`` is ``section``, ``heading`` or ``row``; ``also_vi`` what else it is found by."""

    row: FormRow
    kind: str
    status_vi: str
    marks: tuple[int, ...]
    canonical_unit: str
    also_vi: str
    coverage_vi: str
    previous: Difference | None
    last_year: Difference | None

    @property
    def has_passport(self) -> bool:
        """A heading without a figure has nothing to explain."""
        return bool(self.row.values["kind"] != "heading")


@dataclass(frozen=True)
class Section:
    """A part of the form: the row that opens it, and the others."""

    number: str
    head: RowView
    rows: tuple[RowView, ...]


@dataclass(frozen=True)
class Headline:
    """One figure at the top of the page."""

    row: FormRow
    label_vi: str
    unit_vi: str
    context_vi: str
    previous: Difference | None
    last_year: Difference | None


@dataclass(frozen=True)
class NoteGroup:
    """Notes with one sentence, and the rows they concern."""

    sentence_vi: str
    codes: tuple[str, ...]


@dataclass(frozen=True)
class ChangeView:
    """One changed cell; ``code`` is set where it belongs to a row of the form."""

    code: str | None
    name_vi: str
    column_vi: str
    old: str
    new: str
    cause_vi: str


@dataclass(frozen=True)
class Delivered:
    """One delivered file behind the release."""

    unit_vi: str
    source_vi: str
    file_name: str
    name_vi: str
    version: int
    rows_accepted: str
    rows_rejected: str


@dataclass(frozen=True)
class PageView:
    """Everything the template prints."""

    office_vi: str
    unit_name_vi: str
    unit_code: str
    quarter: str
    quarter_vi: str
    kind: PeriodKind
    previous_quarter_vi: str
    last_year_quarter_vi: str
    form_version: str
    window_vi: str
    release_vi: str
    draft_vi: str
    approval_vi: str
    revision_vi: str
    causes_vi: tuple[str, ...]
    provisional_vi: tuple[str, ...]
    standing_vi: str
    findings_vi: tuple[str, ...]
    headlines: tuple[Headline, ...]
    counts: Mapping[str, int]
    charts: tuple[Chart, ...]
    trends: tuple[Chart, ...]
    statistics: tuple[Table, ...]
    held_back_vi: str
    unit_kinds: tuple[Kind, ...]
    units: tuple[tuple[str, Unit], ...]
    units_today: tuple[UnitToday, ...]
    units_today_vi: str
    sections: tuple[Section, ...]
    abbreviations: Mapping[str, str]
    statuses: tuple[tuple[str, str], ...]
    footnotes: tuple[Footnote, ...]
    findings: tuple[NoteGroup, ...]
    blanks: tuple[NoteGroup, ...]
    coverage: tuple[NoteGroup, ...]
    single_source: tuple[NoteGroup, ...]
    form_changes: tuple[ChangeView, ...]
    other_changes: tuple[ChangeView, ...]
    other_changes_count: int
    deliveries: tuple[Delivered, ...]
    files: tuple[tuple[str, str], ...]
    catalogue: str
    neighbours: tuple[Neighbour, ...]
    imprint: Imprint
    citation_vi: str


def _units_today(content: ReleaseContent, register: UnitRegister, then: dt.date) -> tuple[UnitToday, ...]:
    """The reporting unit and the units below it that are no longer what they were; the register's today is meant."""
    below = sorted(
        row["unit_code"]
        for row in content.tables["dim_unit"].to_pylist()
        if row["unit_type"] == "commune" and row["reporting_unit_code"] == content.unit_code
    )
    codes = dict.fromkeys([content.unit_code, *below])
    return tuple(changed_units(register, codes, then))


def page_view(content: ReleaseContent, folder: Path) -> PageView:
    """The page of the release being written into ``folder``, whose other files are written already."""
    quarter = next(row for row in content.tables["dim_quarter"].to_pylist() if row["quarter"] == content.quarter)
    previous, last_year = quarter["previous_quarter"], quarter["same_quarter_last_year"]
    rows = _row_views(content, previous)
    grouped = _note_groups(content)
    form_changes, other_changes = _changes(content)
    area = content.unit_name_vi[:1].lower() + content.unit_name_vi[1:]
    statistics = tuple(tables(content))
    register = registered()
    units_today = _units_today(content, register, quarter["closes_on"])
    return PageView(
        office_vi=f"Ủy ban nhân dân {area}",
        unit_name_vi=content.unit_name_vi,
        unit_code=content.unit_code,
        quarter=content.quarter,
        quarter_vi=content.quarter_vi,
        kind=kind_of(content.quarter),
        previous_quarter_vi=running_title_vi(previous),
        last_year_quarter_vi=running_title_vi(last_year),
        form_version=form_named(content.form_version).named_vi,
        window_vi=f"{format_date(quarter['opens_on'])} – {format_date(quarter['closes_on'])}",
        release_vi=(f"Dự thảo {content.draft} của bản" if content.draft else "Bản")
        + f" công bố r{content.revision.release if content.revision else 1}",
        draft_vi=DRAFT_VI if content.draft else "",
        approval_vi=content.approval.line_vi if content.approval else "",
        revision_vi=content.revision.head_vi if content.revision else "",
        provisional_vi=content.provisional_vi,
        standing_vi=content.standing_vi,
        causes_vi=tuple(content.revision.causes_vi) if content.revision else (),
        findings_vi=tuple(_findings(content, rows, quarter)),
        headlines=tuple(_headlines(content, rows)),
        counts=_counts(rows),
        charts=tuple(charts(content)),
        trends=tuple(trends(content)),
        statistics=statistics,
        held_back_vi=held_back_vi(content, (cell for table in statistics for line in table.lines for cell in line)),
        unit_kinds=UNIT_KINDS,
        units_today=units_today,
        units_today_vi=format_date(register.last_change),
        units=tuple((page_name(unit.code), unit) for unit in unit_figures(content).units),
        sections=tuple(_sections(rows)),
        abbreviations=_abbreviations(content.rows, form_named(content.form_version).page),
        statuses=tuple(
            (status, name)
            for status, name in STATUS_VI.items()
            if any(row.has_passport and row.row.values["status"] == status for row in rows)
        ),
        footnotes=content.footnotes,
        findings=grouped["finding"],
        blanks=grouped["blank"],
        coverage=grouped["coverage"],
        single_source=grouped["single_source"],
        form_changes=tuple(form_changes),
        other_changes=tuple(other_changes[:CHANGES_LISTED]),
        other_changes_count=len(other_changes),
        deliveries=tuple(_deliveries(content)),
        files=(
            *((path, name) for path, name in (*_FILES, _DATABASE) if (folder / "report" / path).exists()),
            _DATA_PACKAGE,
        ),
        catalogue=index_link(content.unit_code, content.quarter),
        neighbours=neighbours(content.unit_code, content.quarter),
        imprint=content.imprint,
        citation_vi=f"Ủy ban nhân dân {area}, Kết quả công tác cải cách hành chính {content.quarter_vi}, "
        f"bản r{content.revision.release if content.revision else 1}"
        + (f" ({PROVISIONAL_VI})" if content.provisional_vi else ""),
    )


def _row_views(content: ReleaseContent, previous_quarter: str | None) -> list[RowView]:
    marks: dict[str, list[int]] = {}
    for footnote in content.footnotes:
        for code in footnote.indicator_codes:
            marks.setdefault(code, []).append(footnote.number)
    declared = form_named(content.form_version).page
    return [
        _row_view(row, declared, tuple(marks.get(row.code, ())), *_moves(content, row, previous_quarter))
        for row in content.rows
    ]


def _words(row: FormRow) -> str:
    return f"{row.values['indicator_name_vi']} {row.values['unit_of_measure'] or ''}"


def _abbreviations(rows: Iterable[FormRow], declared: Page) -> dict[str, str]:
    """The abbreviations that stand in these rows, and what each stands for."""
    words = set(re.findall(r"\w+", " ".join(map(_words, rows))))
    return {short: long for short, long in sorted(declared.abbreviations.items()) if short in words}


def _also_found_by(row: FormRow, declared: Page) -> str:
    """What its abbreviations stand for, and what people call its terms."""
    known, words = _abbreviations([row], declared), f" {_words(row)} ".casefold()
    called = [name for term, names in declared.also_called.items() if term.casefold() in words for name in names]
    return "; ".join([*known.values(), *called])


def _row_view(
    row: FormRow, declared: Page, marks: tuple[int, ...], previous: Difference | None, last_year: Difference | None
) -> RowView:
    values = row.values
    counted, expected = values["units_counted"], values["units_expected"]
    canonical, printed = values["unit_of_measure_canonical"], values["unit_of_measure"]
    return RowView(
        row=row,
        kind="section" if row.is_section else "heading" if row.is_heading else "row",
        status_vi="" if values["kind"] == "heading" else STATUS_VI[values["status"]],
        marks=marks,
        canonical_unit=canonical if canonical and printed and _bare(canonical) != _bare(printed) else "",
        also_vi=_also_found_by(row, declared),
        coverage_vi=f"{counted}/{expected} đơn vị" if expected is not None and expected > 1 else "",
        previous=previous,
        last_year=last_year,
    )


def _moves(
    content: ReleaseContent, row: FormRow, previous_quarter: str | None
) -> tuple[Difference | None, Difference | None]:
    """Against the quarter before, where its kind of period is compared with that, and against the year before."""
    before = since_previous_quarter(row, previous_quarter) if kind_of(content.quarter).previous_vi else None
    part = form_named(content.form_version).page.parts.get(row.code)
    whole = content.rows_by_code.get(part.of) if part else None
    return (
        _judged_by_share(before, row, whole, "previous_quarter_value"),
        _judged_by_share(since_last_year(row), row, whole, "same_quarter_last_year_value"),
    )


def _judged_by_share(move: Difference | None, row: FormRow, whole: FormRow | None, earlier: str) -> Difference | None:
    """A count that is part of another is good or bad by its share: fewer cases on time of fewer cases is no loss."""
    if move is None or whole is None:
        return move
    return judged_by_rate(
        move, row, _share_of(row.values[earlier], whole.values[earlier]), _share_of(row.value, whole.value)
    )


def _share_of(part: Decimal | None, whole: Decimal | None) -> Decimal | None:
    return None if part is None or whole is None else percent_of(part, whole)


def _bare(text: str) -> list[str]:
    """The words without the signs and the order in which the form's print is not consistent."""
    return sorted(re.findall(r"\w+|%", text))


def _counts(rows: Sequence[RowView]) -> dict[str, int]:
    indicators = [row for row in rows if row.has_passport]
    by_status = {status: sum(row.row.values["status"] == status for row in indicators) for status in STATUS_VI}
    return {
        "rows": len(rows),
        "indicators": len(indicators),
        "explained": sum(bool(row.marks) for row in indicators),
        **by_status,
    }


def _sections(rows: Sequence[RowView]) -> Iterator[Section]:
    for head in (row for row in rows if row.kind == "section"):
        number = str(head.row.values["section"])
        members = tuple(row for row in rows if row.row.values["section"] == number and row is not head)
        yield Section(number, head, members)


def _headlines(content: ReleaseContent, views: Sequence[RowView]) -> Iterator[Headline]:
    by_code = {view.row.code: view for view in views}
    for card in form_named(content.form_version).page.cards:
        view = by_code.get(card.row)
        if view is not None:
            values = view.row.values
            unit = str(values["unit_of_measure_canonical"] or values["unit_of_measure"] or "")
            yield Headline(view.row, card.title_vi, unit, _context(content, view.row), view.previous, view.last_year)


def _findings(content: ReleaseContent, views: Sequence[RowView], quarter: Mapping[str, Any]) -> list[str]:
    declared, rows = form_named(content.form_version).page, content.rows_by_code
    shares = {
        code: f"{format_number(rate)}%"
        for code, part in declared.parts.items()
        if code in rows and part.of in rows
        if (rate := _share_of(rows[code].value, rows[part.of].value)) is not None
    }
    facts = Facts(
        rows,
        {view.row.code: (view.previous, view.last_year) for view in views},
        shares,
        {code: _decided(content, part) for code, part in declared.parts.items()},
        dict(_left_open(content)),
        {
            "closing": format_date(quarter["closes_on"]),
            "quarter": content.quarter_vi,
            "previous_quarter": running_title_vi(quarter["previous_quarter"]),
            "last_year_quarter": running_title_vi(quarter["same_quarter_last_year"]),
        },
    )
    return findings(declared, content.unit_level, facts)


def _left_open(content: ReleaseContent) -> Iterator[tuple[str, int]]:
    """Open cases and those overdue, of each level that is wholly counted and, where each is, of all."""
    totals, levels = content.case_totals, form_named(content.form_version).case_levels
    for name, counts in (("open", totals.open), ("overdue", totals.overdue)):
        known = {level: counts[level] for level in levels if level in totals.whole and level in counts}
        yield from ((f"{name}:{level}", count) for level, count in known.items())
        if len(known) == len(levels):
            yield name, sum(known.values())


def _decided(content: ReleaseContent, part: PartOf) -> int:
    """Of the cases on time, those that are late in the register and were counted on time by decision."""
    return content.case_totals.by_decision.get(part.by_decision, 0) if part.by_decision else 0


def _context(content: ReleaseContent, row: FormRow) -> str:
    """What the figure is part of: ``100% của 611 hồ sơ đã trả kết quả``, ``9 trên 19``; late cases that a decision
    counts as on time stand beside the share."""
    part = form_named(content.form_version).page.parts.get(row.code)
    whole = content.rows_by_code.get(part.of) if part else None
    if part and whole is not None:
        rate = _share_of(row.value, whole.value)
        told = "" if rate is None else f"{format_number(rate)}% của {whole.printed} {part.name_vi}"
        decided = _decided(content, part)
        if not told or not decided:
            return told
        return f"{told}; {format_number(decided)} hồ sơ trễ trên phần mềm được tính đúng hạn theo quyết định"
    numerator, denominator = row.values["numerator"], row.values["denominator"]
    if numerator is None or denominator is None:
        return ""
    return f"{format_number(numerator)} trên {format_number(denominator)}"


def _note_groups(content: ReleaseContent) -> dict[str, tuple[NoteGroup, ...]]:
    found: dict[str, dict[str, list[str]]] = {"finding": {}, "blank": {}, "coverage": {}, "single_source": {}}
    for note in notes(content):
        if note["kind"] in found:
            codes = found[note["kind"]].setdefault(note["sentence_vi"], [])
            if note["subject"] in content.rows_by_code:
                codes.append(note["subject"])
    return {
        kind: tuple(NoteGroup(sentence, tuple(codes)) for sentence, codes in groups.items())
        for kind, groups in found.items()
    }


def _changes(content: ReleaseContent) -> tuple[list[ChangeView], list[ChangeView]]:
    """What ``quality/changes.csv`` lists: changed cells that the form prints, and all others."""
    form: list[ChangeView] = []
    other: list[ChangeView] = []
    for explained in content.revision.changes if content.revision else ():
        change = explained.change
        of_form = change.mart == FORM_MART and change.row in content.rows_by_code
        column = change.column or ""
        (form if of_form and column in _FIGURE_COLUMNS else other).append(
            ChangeView(
                code=change.row if of_form else None,
                name_vi=str(change.name_vi)
                if of_form
                else " · ".join(part for part in (change.mart, change.row) if part),
                column_vi=_COLUMNS_VI.get(column, column) or "Cả dòng",
                old=_cell(change, change.old or ""),
                new=_cell(change, change.new or ""),
                cause_vi=explained.cause_vi,
            )
        )
    return form, other


def _cell(change: Change, text: str) -> str:
    """A changed cell as the page prints it: statuses in words, figures as the form prints them; that a whole column
    came or went is said in words whatever it holds."""
    column = change.column or ""
    if change.of_layout:
        return text
    if column == "status":
        return STATUS_VI.get(text, text)
    if text and (column.endswith("_value") or column in ("value", "numerator", "denominator")):
        return format_number(Decimal(text))
    return text


def _deliveries(content: ReleaseContent) -> Iterator[Delivered]:
    names = {row["unit_code"]: row["name_vi"] for row in content.tables["dim_unit"].to_pylist()}
    for row in content.tables["delivery_log"].to_pylist():
        if row["is_current"]:
            yield Delivered(
                names.get(row["delivering_unit_code"], row["delivering_unit_code"]),
                SOURCE_VI.get(row["source"], row["source"]),
                row["file_name"],
                f"{SOURCE_VI.get(row['source'], row['source'])}, {names.get(row['delivering_unit_code'], '')}",
                row["version"],
                format_number(row["rows_accepted"]),
                format_number(row["rows_rejected"]),
            )
