"""Plausible wrong deliveries: what a tired clerk, a strange export or a wrong copy does to a right file.

Belongs here: one function a kind of fault, each changing the papers of one world. Does not belong here: what the
right outcome is; of each mutant it is the same: turned away, held back, or the figures stay right.
A fault is made where it can matter: ``Unfit`` is raised where the world gives it nothing to change.
"""

from __future__ import annotations

import datetime as dt
import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

from ingestion.base.contracts import load_contracts
from tests.support.worlds import (
    BEFORE,
    QUARTER,
    STRAY_QUOTE,
    WINDOWS,
    Cell,
    FileKey,
    Paper,
    Sheet,
    World,
    districts,
    make_world,
    papers,
)

Mutation = Callable[["Desk"], None]
SOURCES = (
    "one_stop_cases", "e_document_counts", "staffing_roster", "org_units", "procedure_catalogue", "plan_tasks",
    "survey_responses", "declared_returns",
)  # fmt: skip
#: Columns that decide a figure though no contract requires them.
DECIDING = {
    "one_stop_cases": ("due_at", "finished_at", "channel", "return_channel", "returned_at"),
    "e_document_counts": ("outgoing_total", "electronic_only", "electronic_and_paper", "connected", "topic"),
    "staffing_roster": ("leadership", "left_on", "salary_source", "recruited_on", "digital_certificate", "it_officer"),
    "org_units": ("autonomy_group", "applies_autonomy"),
    "procedure_catalogue": ("ended_on", "online_offered_level", "postal_service", "interlinked", "has_fee"),
    "plan_tasks": ("done_on", "evidence_document", "planned_quantity", "status", "target_unit"),
    "survey_responses": (),
    "declared_returns": ("value",),
}
REQUIRED = {
    "one_stop_cases": ("received_at", "status"),
    "e_document_counts": ("document_kind",),
    "staffing_roster": ("category", "unit"),
    "org_units": ("unit_type", "valid_from"),
    "procedure_catalogue": ("applies_district", "valid_from"),
    "plan_tasks": ("plan", "task_code"),
    "survey_responses": ("overall", "responded_on"),
    "declared_returns": ("indicator_code",),
}
# Another district than any of a home: those have fewer communes.
_NEIGHBOURS_COMMUNES = 7


class Unfit(Exception):
    """The world has nothing that this fault could change."""


@dataclass
class Desk:
    """The papers of one world on a clerk's desk, and chance."""

    world: World
    papers: Paper
    rng: random.Random

    def sheets(self, source: str, *, quarter: str = QUARTER) -> list[tuple[FileKey, Sheet]]:
        """The quarter's sheets of a source, the largest first."""
        found = [(key, sheets[0]) for (q, key), sheets in self.papers.items() if q == quarter and key[1] == source]
        return sorted(found, key=lambda pair: (-len(pair[1].rows), pair[0]))

    def sheet(self, source: str, *having: str, rows: int = 3) -> Sheet:
        """The largest sheet of a source that has these columns and at least so many rows."""
        for _, sheet in self.sheets(source):
            if len(sheet.rows) >= rows and all(name in sheet.fields for name in having):
                return sheet
        raise Unfit(f"no {source} with {having}")

    def key_of(self, sheet: Sheet) -> FileKey:
        return next(key for (_, key), sheets in self.papers.items() if sheets[0] is sheet)

    def as_csv(self, sheet: Sheet) -> None:
        """Delivers the sheet's file as CSV."""
        key = self.key_of(sheet)
        sheets = self.papers.pop((QUARTER, key))
        self.papers[QUARTER, (key[0], key[1], key[2].replace(".xlsx", ".csv"))] = sheets


@dataclass(frozen=True)
class Variant:
    """A fault: its name, ``error_type:source`` or ``error_type:source.what``, and the change it makes.

    A way of being wrong in one source is a kind; what it is done to (a column, say) makes the variants of a kind.
    """

    name: str
    apply: Mutation

    @property
    def error_type(self) -> str:
        return self.name.partition(":")[0]

    @property
    def kind(self) -> str:
        return self.name.partition(".")[0]

    @property
    def source(self) -> str:
        return self.kind.partition(":")[2]


VARIANTS: list[Variant] = []


def _one(name: str) -> Callable[[Mutation], Mutation]:
    def register(mutation: Mutation) -> Mutation:
        VARIANTS.append(Variant(name, mutation))
        return mutation

    return register


def _each(sources: tuple[str, ...], name: str) -> Callable[[Callable[[Desk, str], None]], None]:
    """One variant for each source."""

    def register(change: Callable[[Desk, str], None]) -> None:
        for source in sources:
            VARIANTS.append(Variant(f"{name}:{source}", lambda desk, source=source: change(desk, source)))

    return register


def _every(columns: dict[str, tuple[str, ...]], name: str) -> Callable[[Callable[[Desk, str, str], None]], None]:
    """One variant for each column of each source."""

    def register(change: Callable[[Desk, str, str], None]) -> None:
        for source, names in columns.items():
            for column in names:
                VARIANTS.append(
                    Variant(
                        f"{name}:{source}.{column}",
                        lambda desk, source=source, column=column: change(desk, source, column),
                    )
                )

    return register


def _changed(before: list[list[Cell]], after: list[list[Cell]]) -> None:
    if before == after:
        raise Unfit("nothing changed")


# --------------------------------------------------------------------------------------------------- lost and doubled


@_each(SOURCES, "cut_rows")
def _cut_rows(desk: Desk, source: str) -> None:
    """The lower half of the table was not copied."""
    sheet = desk.sheet(source, rows=6)
    del sheet.rows[len(sheet.rows) // 2 :]


@_each(SOURCES, "cut_rows_csv")
def _cut_rows_csv(desk: Desk, source: str) -> None:
    """A CSV download that broke off at a line end."""
    sheet = desk.sheet(source, rows=6)
    del sheet.rows[len(sheet.rows) // 2 :]
    sheet.footer.clear()
    desk.as_csv(sheet)


@_each(("one_stop_cases", "staffing_roster", "procedure_catalogue", "plan_tasks"), "filtered_rows")
def _filtered_rows(desk: Desk, source: str) -> None:
    """Every third row was filtered away; the numbers of the rest stayed."""
    sheet = desk.sheet(source, rows=9)
    sheet.rows = [row for place, row in enumerate(sheet.rows) if place % 3]


@_each(SOURCES, "header_only")
def _header_only(desk: Desk, source: str) -> None:
    """Only the heading was exported."""
    desk.sheet(source).rows.clear()


@_each(SOURCES, "file_missing")
def _file_missing(desk: Desk, source: str) -> None:
    """A file was not sent, though the quarter before had it."""
    key = desk.key_of(desk.sheet(source))
    del desk.papers[QUARTER, key]


@_one("commune_silent:one_stop_cases")
def _commune_silent(desk: Desk) -> None:
    """A commune sent nothing at all."""
    unit = desk.world.communes[0].code
    for place in [p for p in desk.papers if p[0] == QUARTER and p[1][0] == unit]:
        del desk.papers[place]


@_each(("one_stop_cases", "staffing_roster", "survey_responses", "plan_tasks"), "rows_twice_new_keys")
def _rows_twice(desk: Desk, source: str) -> None:
    """Rows pasted once more with their keys written another way."""
    sheet = desk.sheet(source)
    extra = [list(row) for row in sheet.rows[: max(3, len(sheet.rows) // 3)]]
    column = {"one_stop_cases": "case_code", "staffing_roster": "staff_code", "survey_responses": "form_number",
              "plan_tasks": "task_code"}[source]  # fmt: skip
    place = sheet.column(column)
    for row in extra:
        text = str(row[place])
        if source == "one_stop_cases":
            head, _, serial = text.rpartition("-")
            row[place] = f"{head.split('.')[3]}.{head.split('.')[1]}{head[head.index('-') :]}-0{serial}"
        elif source == "staffing_roster":
            row[place] = None
        else:
            row[place] = f"{text} "[:-1].replace("-", "–") if "-" in text else f"{text}.0"
    sheet.rows += extra


@_each(
    ("one_stop_cases", "e_document_counts", "staffing_roster", "plan_tasks", "survey_responses"),
    "same_file_second_name",
)
def _same_rows_second_file(desk: Desk, source: str) -> None:
    """A second file with some of the rows changed and nothing to tell which is later."""
    sheet = desk.sheet(source)
    key = desk.key_of(sheet)
    other = replace(sheet, rows=[list(row) for row in sheet.rows])
    contract = load_contracts()[source]
    numbers = [n for n in sheet.fields if n != "#" and contract.column(n).type == "integer"]
    days = [n for n in sheet.fields if n != "#" and contract.column(n).type in ("date", "datetime") and n not in (
        "valid_from", "received_at", "birth_date", "responded_on")]  # fmt: skip
    before = [list(row) for row in other.rows]
    for row in other.rows:
        for name in numbers:
            cell = row[other.column(name)]
            if isinstance(cell, int):
                row[other.column(name)] = cell + 3
        for name in days:
            row[other.column(name)] = None
    if source == "survey_responses":
        for row in other.rows:
            row[other.column("overall")] = "Không hài lòng"
    _changed(before, other.rows)
    desk.papers[QUARTER, (key[0], key[1], f"moi-{key[2]}")] = [other]


@_each(SOURCES, "rows_twice")
def _rows_twice_as_they_are(desk: Desk, source: str) -> None:
    """Rows pasted once more as they are."""
    sheet = desk.sheet(source)
    sheet.rows += [list(row) for row in sheet.rows[: max(3, len(sheet.rows) // 3)]]


# ------------------------------------------------------------------------------------------------------------ columns


@_every(DECIDING, "unknown_heading")
def _unknown_heading(desk: Desk, source: str, column: str) -> None:
    """A column that decides a figure stands under a heading nobody knows."""
    sheet = desk.sheet(source, column)
    sheet.headings[sheet.column(column)] = "Thông tin theo mẫu mới"


@_every(DECIDING, "column_dropped")
def _column_dropped(desk: Desk, source: str, column: str) -> None:
    """A column that decides a figure was left out of one file."""
    sheet = desk.sheet(source, column)
    place = sheet.column(column)
    for line in (sheet.fields, sheet.headings, *sheet.rows):
        del line[place]


@_every(DECIDING, "column_emptied")
def _column_emptied(desk: Desk, source: str, column: str) -> None:
    """The heading is there, the cells are blank."""
    sheet = desk.sheet(source, column)
    place = sheet.column(column)
    before = [list(row) for row in sheet.rows]
    for row in sheet.rows:
        row[place] = None
    _changed(before, sheet.rows)


@_every(REQUIRED, "required_cells_blank")
def _required_cells_blank(desk: Desk, source: str, column: str) -> None:
    """A third of the rows lacks a cell that every row must have."""
    sheet = desk.sheet(source, column, rows=5)
    place = sheet.column(column)
    for row in sheet.rows[:: max(2, len(sheet.rows) // 3)]:
        row[place] = None


@_every({"one_stop_cases": ("received_at", "due_at", "finished_at"), "staffing_roster": ("recruited_on", "left_on"),
         "plan_tasks": ("done_on",), "procedure_catalogue": ("valid_from", "ended_on"),
         "survey_responses": ("responded_on",)}, "column_shifted")  # fmt: skip
def _column_shifted(desk: Desk, source: str, column: str) -> None:
    """The cells of one column slid down by a row."""
    sheet = desk.sheet(source, column, rows=5)
    place = sheet.column(column)
    cells = [row[place] for row in sheet.rows]
    if len(set(map(str, cells))) == 1:
        raise Unfit("all cells are alike")
    for row, cell in zip(sheet.rows, [cells[-1], *cells[:-1]], strict=True):
        row[place] = cell


@_each(SOURCES, "cells_shifted")
def _cells_shifted(desk: Desk, source: str) -> None:
    """Every third row was pasted one column too far to the right."""
    sheet = desk.sheet(source)
    for row in sheet.rows[::3]:
        row[1:] = [None, *row[1:-1]]


@_one("headings_exchanged:one_stop_cases.due_finished")
def _due_and_finished(desk: Desk) -> None:
    _exchange(desk.sheet("one_stop_cases", "due_at", "finished_at"), "due_at", "finished_at")


@_one("headings_exchanged:one_stop_cases.received_due")
def _received_and_due(desk: Desk) -> None:
    _exchange(desk.sheet("one_stop_cases", "received_at", "due_at"), "received_at", "due_at")


@_one("headings_exchanged:one_stop_cases.received_finished")
def _received_and_finished(desk: Desk) -> None:
    _exchange(desk.sheet("one_stop_cases", "received_at", "finished_at"), "received_at", "finished_at")


@_one("headings_exchanged:one_stop_cases.channels")
def _channels(desk: Desk) -> None:
    _exchange(desk.sheet("one_stop_cases", "channel", "return_channel"), "channel", "return_channel")


@_one("headings_exchanged:e_document_counts.classes")
def _document_classes(desk: Desk) -> None:
    _exchange(desk.sheet("e_document_counts", rows=1), "electronic_only", "electronic_and_paper")


@_one("headings_exchanged:e_document_counts.in_out")
def _documents_in_out(desk: Desk) -> None:
    _exchange(desk.sheet("e_document_counts", rows=1), "outgoing_total", "incoming_total")


@_one("headings_exchanged:plan_tasks.due_done")
def _due_and_done(desk: Desk) -> None:
    _exchange(desk.sheet("plan_tasks", "due_on", "done_on"), "due_on", "done_on")


@_one("headings_exchanged:procedure_catalogue.levels")
def _levels(desk: Desk) -> None:
    _exchange(desk.sheet("procedure_catalogue"), "applies_district", "applies_commune")


@_one("headings_exchanged:staffing_roster.recruited_left")
def _recruited_and_left(desk: Desk) -> None:
    _exchange(desk.sheet("staffing_roster", "recruited_on", "left_on"), "recruited_on", "left_on")


def _exchange(sheet: Sheet, one: str, other: str) -> None:
    first, second = sheet.column(one), sheet.column(other)
    sheet.headings[first], sheet.headings[second] = sheet.headings[second], sheet.headings[first]


# -------------------------------------------------------------------------------------------------------------- dates

_DAYS = {
    "one_stop_cases": ("received_at", "due_at", "finished_at", "returned_at"),
    "plan_tasks": ("done_on",),
    "survey_responses": ("responded_on",),
    "staffing_roster": ("left_on", "recruited_on"),
    "procedure_catalogue": ("valid_from", "ended_on"),
}


def _moved(cell: Cell, move: Callable[[dt.datetime], dt.datetime | None]) -> Cell:
    """The cell with its day moved, in the form it had; text stays text."""
    if isinstance(cell, dt.datetime):
        return move(cell) or cell
    if isinstance(cell, dt.date):
        moved = move(dt.datetime.combine(cell, dt.time()))
        return moved.date() if moved else cell
    match = re.fullmatch(r"(\d\d)/(\d\d)/(\d{4})(.*)", str(cell or ""))
    if not match:
        return cell
    moved = move(dt.datetime(int(match[3]), int(match[2]), int(match[1])))
    return f"{moved:%d/%m/%Y}{match[4]}" if moved else cell


def _move_column(
    desk: Desk, source: str, columns: tuple[str, ...], move: Callable[[dt.datetime], dt.datetime | None]
) -> None:
    sheet = desk.sheet(source, columns[0])
    before = [list(row) for row in sheet.rows]
    for row in sheet.rows:
        for name in columns:
            if name in sheet.fields:
                row[sheet.column(name)] = _moved(row[sheet.column(name)], move)
    _changed(before, sheet.rows)


def _swapped(day: dt.datetime) -> dt.datetime | None:
    return day.replace(day=day.month, month=day.day) if day.day <= 12 else None


@_every(_DAYS, "day_month_swapped")
def _day_month(desk: Desk, source: str, column: str) -> None:
    """An American Excel read the days up to the 12th month first."""
    _move_column(desk, source, (column,), _swapped)


@_each(tuple(_DAYS), "all_days_swapped")
def _all_days_swapped(desk: Desk, source: str) -> None:
    _move_column(desk, source, _DAYS[source], _swapped)


@_every(_DAYS, "year_wrong")
def _year_wrong(desk: Desk, source: str, column: str) -> None:
    """The year was typed wrong all the way down."""
    _move_column(desk, source, (column,), lambda day: day.replace(year=day.year - 1, day=min(day.day, 28)))


@_each(tuple(_DAYS), "last_years_days")
def _last_years_days(desk: Desk, source: str) -> None:
    """Last year's file in this year's folder: every day is a year back."""
    _move_column(desk, source, _DAYS[source], lambda day: day.replace(year=day.year - 1, day=min(day.day, 28)))


@_each(tuple(_DAYS), "epoch_1904")
def _epoch(desk: Desk, source: str) -> None:
    """Dates of a Macintosh workbook four years and a day off."""
    _move_column(desk, source, _DAYS[source], lambda day: day - dt.timedelta(days=1462))


@_each(("one_stop_cases", "survey_responses", "plan_tasks"), "one_day_for_all")
def _one_day(desk: Desk, source: str) -> None:
    """A date dragged down over the column."""
    name = {"one_stop_cases": "finished_at", "survey_responses": "responded_on", "plan_tasks": "done_on"}[source]
    sheet = desk.sheet(source, name)
    place = sheet.column(name)
    first = next((row[place] for row in sheet.rows if row[place] is not None), None)
    before = [list(row) for row in sheet.rows]
    for row in sheet.rows:
        row[place] = first
    _changed(before, sheet.rows)


# ---------------------------------------------------------------------------------------- stale, other year, other unit


@_each(SOURCES, "stale_file")
def _stale_file(desk: Desk, source: str) -> None:
    """The file of the quarter before was sent once more, in this quarter's folder."""
    key = desk.key_of(desk.sheet(source, rows=1))
    old = desk.papers[BEFORE, key]
    if [s.rows for s in old] == [s.rows for s in desk.papers[QUARTER, key]]:
        raise Unfit("nothing changed between the quarters")
    desk.papers[QUARTER, key] = [replace(s, rows=[list(r) for r in s.rows]) for s in old]


@_one("stale_export:one_stop_cases.title")
def _stale_title(desk: Desk) -> None:
    """An export made three weeks into the window, with its title saying so."""
    sheet = _early_export(desk)
    sheet.title = ["DANH SÁCH HỒ SƠ", f"Từ ngày {WINDOWS[QUARTER].opens_on:%d/%m/%Y} đến ngày 05/01/2023"]


@_one("stale_export:one_stop_cases.silent")
def _stale_silent(desk: Desk) -> None:
    """The same without a title."""
    _early_export(desk).title = []


def _early_export(desk: Desk) -> Sheet:
    sheet = desk.sheet("one_stop_cases", "received_at")
    codes = [str(row[sheet.column("case_code")]) for row in sheet.rows]
    kept = [row for row, code in zip(sheet.rows, codes, strict=True) if code.split("-")[1] <= "230105"]
    _changed(sheet.rows, kept)
    sheet.rows = kept
    return sheet


@_one("last_years_rows:plan_tasks")
def _last_years_plan(desk: Desk) -> None:
    """The plan of last year stands below this year's."""
    sheet = desk.sheet("plan_tasks")
    old = desk.sheets("plan_tasks", quarter=BEFORE)[0][1]
    place = sheet.column("task_code")
    for row in old.rows:
        if len(row) != len(sheet.rows[0]):
            raise Unfit("other columns")
        sheet.rows.append([*row[:place], f"C{row[place]}", *row[place + 1 :]])


@_each(SOURCES, "other_districts_file")
def _other_districts_file(desk: Desk, source: str) -> None:
    """The file of another district in this one's folder."""
    other = make_world(desk.world.seed + 1, *districts(fewest=_NEIGHBOURS_COMMUNES, most=_NEIGHBOURS_COMMUNES)[0])
    for (quarter, (unit, of, name)), sheets in papers(other).items():
        if (quarter, unit, of) == (QUARTER, other.district.code, source):
            desk.papers[QUARTER, (desk.world.district.code, source, name)] = sheets


@_each(("one_stop_cases", "e_document_counts"), "other_communes_file")
def _other_communes_file(desk: Desk, source: str) -> None:
    """A commune sent its neighbour's file as its own."""
    if len(desk.world.communes) < 2:
        raise Unfit("one commune")
    mine, theirs = (
        next(key for q, key in desk.papers if q == QUARTER and key[:2] == (commune.code, source))
        for commune in desk.world.communes[:2]
    )
    desk.papers[QUARTER, mine] = [replace(s, rows=[list(r) for r in s.rows]) for s in desk.papers[QUARTER, theirs]]


@_one("speaks_for_another:e_document_counts")
def _speaks_for_another(desk: Desk) -> None:
    """A commune's document table also gives its neighbour's count."""
    if len(desk.world.communes) < 2:
        raise Unfit("one commune")
    key = next(
        key for q, key in desk.papers if q == QUARTER and key[:2] == (desk.world.communes[0].code, "e_document_counts")
    )
    sheet = desk.papers[QUARTER, key][0]
    row = list(sheet.rows[0])
    row[sheet.column("unit")] = desk.world.communes[1].committee
    for name in ("outgoing_total", "electronic_only"):
        cell = row[sheet.column(name)]
        assert isinstance(cell, int)
        row[sheet.column(name)] = cell + 999
    sheet.rows.append(row)


@_one("unknown_unit:one_stop_cases")
def _cases_of_another_district(desk: Desk) -> None:
    """The receiving unit of some rows is a unit nobody knows here."""
    sheet = desk.sheet("one_stop_cases", "receiving_unit")
    for row in sheet.rows[:4]:
        row[sheet.column("receiving_unit")] = "UBND xã Không Có Thật"


# ------------------------------------------------------------------------------------------------- sheets and blocks


@_each(
    ("one_stop_cases", "staffing_roster", "procedure_catalogue", "plan_tasks", "survey_responses"),
    "second_sheet_headless",
)
def _second_sheet_headless(desk: Desk, source: str) -> None:
    """The table goes on on a second sheet, without a heading."""
    sheet = desk.sheet(source, rows=6)
    half = len(sheet.rows) // 2
    desk.papers[QUARTER, desk.key_of(sheet)].append(
        Sheet("Sheet2", [], sheet.fields, [str(c or "") for c in sheet.rows[half]], sheet.rows[half + 1 :])
    )
    del sheet.rows[half:]


@_each(
    ("one_stop_cases", "staffing_roster", "procedure_catalogue", "plan_tasks", "survey_responses"),
    "second_sheet_other_key",
)
def _second_sheet_other_key(desk: Desk, source: str) -> None:
    """The table goes on on a second sheet, whose key column is headed another way."""
    sheet = desk.sheet(source, rows=6)
    half = len(sheet.rows) // 2
    headings = list(sheet.headings)
    key = {"one_stop_cases": "case_code", "staffing_roster": "category", "procedure_catalogue": "procedure_code",
           "plan_tasks": "task_code", "survey_responses": "form_number"}[source]  # fmt: skip
    headings[sheet.column(key)] = "Ký hiệu"
    desk.papers[QUARTER, desk.key_of(sheet)].append(Sheet("Tiếp theo", [], sheet.fields, headings, sheet.rows[half:]))
    sheet.rows = sheet.rows[:half]


@_one("second_block_other_order:one_stop_cases")
def _second_block(desk: Desk) -> None:
    """Below the table a second one with due and finished the other way round."""
    sheet = desk.sheet("one_stop_cases", "due_at", "finished_at", rows=8)
    half = len(sheet.rows) // 2
    one, other = sheet.column("due_at"), sheet.column("finished_at")

    def turned(line: list[Cell]) -> list[Cell]:
        line = list(line)
        line[one], line[other] = line[other], line[one]
        return line

    sheet.rows = [*sheet.rows[:half], turned(list(sheet.headings)), *(turned(row) for row in sheet.rows[half:])]


@_one("side_table:one_stop_cases")
def _side_table(desk: Desk) -> None:
    """Half of the cases stand beside the table instead of below it."""
    sheet = desk.sheet("one_stop_cases", rows=8)
    half = len(sheet.rows) // 2
    right = sheet.rows[half:]
    sheet.rows = [[*row, None, *(right[n] if n < len(right) else [])] for n, row in enumerate(sheet.rows[:half])]
    sheet.headings += ["", *sheet.headings]


@_each(("one_stop_cases", "staffing_roster", "plan_tasks"), "merged_cells")
def _merged_cells(desk: Desk, source: str) -> None:
    """Equal cells were merged, so that all but the first are blank."""
    name = {"one_stop_cases": "due_at", "staffing_roster": "unit", "plan_tasks": "plan"}[source]
    sheet = desk.sheet(source, name, rows=4)
    place = sheet.column(name)
    if source == "one_stop_cases":
        for row in sheet.rows:
            row[place] = "20/12/2022" if row[place] is not None else None
    start = 0
    for at, (row, after) in enumerate(pairwise([*sheet.rows, [None] * len(sheet.headings)])):
        if row[place] != after[place]:
            if at > start and row[place] is not None:
                sheet.merges.append((start, at, place))
                for hidden in sheet.rows[start + 1 : at + 1]:
                    hidden[place] = None
            start = at + 1
    if not sheet.merges:
        raise Unfit("no equal cells")


@_each(("one_stop_cases", "staffing_roster", "survey_responses"), "filled_once")
def _filled_once(desk: Desk, source: str) -> None:
    """A value that holds for several rows was written into the first only."""
    name = {"one_stop_cases": "channel", "staffing_roster": "category", "survey_responses": "channel"}[source]
    sheet = desk.sheet(source, name, rows=4)
    place = sheet.column(name)
    before = [list(row) for row in sheet.rows]
    last: Cell = None
    for row in sheet.rows:
        row[place], last = (None if row[place] == last else row[place]), row[place]
    _changed(before, sheet.rows)


@_each(("one_stop_cases", "staffing_roster", "plan_tasks"), "stray_quotes")
def _stray_quotes(desk: Desk, source: str) -> None:
    """Two stray quotation marks in a CSV."""
    name = {"one_stop_cases": "procedure_name", "staffing_roster": "position", "plan_tasks": "content"}[source]
    sheet = desk.sheet(source, name, rows=6)
    sheet.title, sheet.footer = [], []
    place = sheet.column(name)
    for at in (1, len(sheet.rows) - 2):
        sheet.rows[at][place] = f"{STRAY_QUOTE}{sheet.rows[at][place]}"
    desk.as_csv(sheet)


# -------------------------------------------------------------------------------------------------- numbers and words


@_one("counts_in_thousands:e_document_counts")
def _documents_in_thousands(desk: Desk) -> None:
    """Counts typed in thousands."""
    sheet = desk.sheet("e_document_counts", rows=1)
    for row in sheet.rows:
        cell = row[sheet.column("outgoing_total")]
        row[sheet.column("outgoing_total")] = f"0,{cell:03d}" if isinstance(cell, int) else cell


@_one("month_outside:e_document_counts")
def _month_outside(desk: Desk) -> None:
    """A month before the window in the table."""
    _months(
        desk,
        lambda sheet, row: sheet.rows.append(
            [*row[: sheet.column("month")], "10/2022", *row[sheet.column("month") + 1 :]]
        ),
    )


@_one("month_missing:e_document_counts")
def _month_missing(desk: Desk) -> None:
    """A month of the window is not in the table."""
    _months(desk, lambda sheet, row: sheet.rows.remove(row))


@_one("total_and_months:e_document_counts")
def _total_and_months(desk: Desk) -> None:
    """A line for the whole window beside its months."""
    _months(
        desk,
        lambda sheet, row: sheet.rows.append([*row[: sheet.column("month")], None, *row[sheet.column("month") + 1 :]]),
    )


def _months(desk: Desk, change: Callable[[Sheet, list[Cell]], None]) -> None:
    for _, sheet in desk.sheets("e_document_counts"):
        if sheet.rows[0][sheet.column("month")] is not None:
            change(sheet, sheet.rows[0])
            return
    raise Unfit("nobody counts by month")


@_one("kinds_beside_all:e_document_counts")
def _kinds_beside_all(desk: Desk) -> None:
    """The kinds are listed below their sum, and the sum grew in the meantime."""
    sheet = desk.sheet("e_document_counts", rows=1)
    row = list(sheet.rows[0])
    row[sheet.column("document_kind")] = "Văn bản hành chính"
    cell = row[sheet.column("outgoing_total")]
    assert isinstance(cell, int)
    row[sheet.column("outgoing_total")] = cell + 40
    row[sheet.column("electronic_only")] = None
    row[sheet.column("electronic_and_paper")] = None
    row[sheet.column("paper_only")] = None
    sheet.rows.append(row)


@_one("sum_differs:e_document_counts")
def _sum_differs(desk: Desk) -> None:
    """Total and classes do not fit."""
    sheet = desk.sheet("e_document_counts", rows=1)
    cell = sheet.rows[0][sheet.column("outgoing_total")]
    assert isinstance(cell, int)
    sheet.rows[0][sheet.column("outgoing_total")] = cell + 11


@_one("codes_exchanged:declared_returns")
def _codes_exchanged(desk: Desk) -> None:
    """Codes of two figures were exchanged against their names."""
    sheet = desk.sheet("declared_returns")
    place, value = sheet.column("indicator_code"), sheet.column("value")
    one = next(row for row in sheet.rows if row[place] == "VII.40")
    other = next(row for row in sheet.rows if row[place] == "IV.10")
    assert one[value] != other[value]
    one[place], other[place] = other[place], one[place]


@_one("text_in_count:declared_returns")
def _text_in_count(desk: Desk) -> None:
    _declare(desk, "VII.40", "2 ứng dụng")


@_one("two_in_flag:declared_returns")
def _two_in_flag(desk: Desk) -> None:
    _declare(desk, "VII.05", 2)


@_one("twin_differs:declared_returns")
def _twin_differs(desk: Desk) -> None:
    sheet = desk.sheet("declared_returns")
    row = next(r for r in sheet.rows if r[sheet.column("indicator_code")] == "III.24")
    cell = row[sheet.column("value")]
    assert isinstance(cell, int)
    _declare(desk, "III.24", cell + 2)


@_one("decimal_comma:declared_returns")
def _quota_in_thousands(desk: Desk) -> None:
    """A quota typed with a decimal comma."""
    _declare(desk, "IV.16", "0,09")


@_one("approved_early:declared_returns")
def _approved_early(desk: Desk) -> None:
    """All figures were approved on the first day of the window."""
    sheet = desk.sheet("declared_returns")
    for row in sheet.rows:
        row[sheet.column("approved_on")] = f"{WINDOWS[QUARTER].opens_on:%d/%m/%Y}"


def _declare(desk: Desk, code: str, value: Cell) -> None:
    sheet = desk.sheet("declared_returns")
    row = next(r for r in sheet.rows if r[sheet.column("indicator_code")] == code)
    row[sheet.column("value")] = value


@_one("unknown_label:one_stop_cases")
def _unknown_status(desk: Desk) -> None:
    """A status that is in nobody's list."""
    sheet = desk.sheet("one_stop_cases", "status")
    for row in sheet.rows[::4]:
        row[sheet.column("status")] = "Chờ đồng bộ"


@_one("returned_without_day:one_stop_cases")
def _returned_without_day(desk: Desk) -> None:
    """Cases said to be returned without a day of it."""
    sheet = desk.sheet("one_stop_cases", "status", "finished_at", "returned_at")
    for row in sheet.rows[::3]:
        row[sheet.column("status")] = "Đã trả kết quả"
        row[sheet.column("finished_at")] = row[sheet.column("returned_at")] = None


@_one("open_with_day:one_stop_cases")
def _open_with_day(desk: Desk) -> None:
    """Cases said to be under way that have a day of ending."""
    sheet = desk.sheet("one_stop_cases", "status", "finished_at")
    before = [list(row) for row in sheet.rows]
    for row in sheet.rows:
        if row[sheet.column("finished_at")] is not None and row[sheet.column("status")] == "Đã trả kết quả":
            row[sheet.column("status")] = "Đang xử lý"
    _changed(before, sheet.rows)


@_one("label_wrong:staffing_roster")
def _categories(desk: Desk) -> None:
    """Civil servants entered as public employees, all the way down."""
    sheet = desk.sheet("staffing_roster")
    place = sheet.column("category")
    for row in sheet.rows:
        row[place] = "Viên chức" if str(row[place]).startswith("Công chức huyện") else row[place]


@_every({"one_stop_cases": ("channel",), "procedure_catalogue": ("online_offered_level",),
         "survey_responses": ("overall",), "staffing_roster": ("salary_source",)}, "labels_exchanged")  # fmt: skip
def _labels_exchanged(desk: Desk, source: str, column: str) -> None:
    """The two labels met most often were exchanged, all the way down."""
    sheet = desk.sheet(source, column)
    place = sheet.column(column)
    met = Counter(str(row[place]) for row in sheet.rows if row[place] is not None).most_common(2)
    try:
        (one, _), (other, _) = met
    except ValueError as error:
        raise Unfit("one label") from error
    for row in sheet.rows:
        row[place] = {one: other, other: one}.get(str(row[place]), row[place])


@_each(("one_stop_cases", "staffing_roster", "plan_tasks"), "total_word_in_row")
def _total_words(desk: Desk, source: str) -> None:
    """Rows without their key whose words begin like a total."""
    key, text = {"one_stop_cases": ("case_code", "procedure_name"), "staffing_roster": ("category", "full_name"),
                 "plan_tasks": ("task_code", "content")}[source]  # fmt: skip
    sheet = desk.sheet(source, key, text, rows=6)
    for row, word in zip(sheet.rows[1::2], ("Tổng hợp báo cáo", "Công nhận hộ nghèo", "Tống Thị Hoa"), strict=False):
        row[sheet.column(text)] = word
        row[sheet.column(key)] = None


@_one("unknown_unit:staffing_roster")
def _units_renamed(desk: Desk) -> None:
    """Persons in a unit that the register does not have."""
    sheet = desk.sheet("staffing_roster")
    for row in sheet.rows[:3]:
        row[sheet.column("unit")] = "Phòng Chuyển đổi số"


@_one("label_wrong:org_units")
def _unit_type_wrong(desk: Desk) -> None:
    """The public service units entered as departments."""
    sheet = desk.sheet("org_units")
    place = sheet.column("unit_type")
    for row in sheet.rows:
        if str(row[place]) in ("Đơn vị sự nghiệp công lập", "ĐVSNCL"):
            row[place] = "Cơ quan chuyên môn"


@_one("blanket_decision:decisions")
def _blanket_decision(desk: Desk) -> None:
    """A decision that accepts every contradiction, beside a wrong declared figure."""
    _twin_differs(desk)
    district = desk.world.district
    contract = load_contracts()["decisions"]
    values = {
        "decision_id": "QD-90", "subject_kind": "Quy tắc", "subject": "report.settled", "unit": district.committee,
        "quarter": "Quý I/2023", "action": "Chấp nhận có giải trình", "reason": "ok",
        "approved_by": "Chủ tịch UBND huyện", "document_number": "90/CV-UBND", "dated": "15/03/2023",
        "holds_until": "Quý IV/2030",
    }  # fmt: skip
    names = [n for n in values if any(c.name == n for c in contract.columns)]
    sheet = Sheet("Danh sách", [], ["#", *names], ["STT", *(contract.column(n).aliases[0] for n in names)],
                  [[1, *(values[n] for n in names)]])  # fmt: skip
    desk.papers[QUARTER, (district.code, "decisions", "quyet-dinh.xlsx")] = [sheet]


def mutate(variant: Variant, world: World, papers: Paper, seed: int) -> Paper:
    """The world's papers with one fault; raises ``Unfit`` where there is nothing to change."""
    copy = {place: list(sheets) for place, sheets in papers.items()}
    desk = Desk(world, copy, random.Random(f"{variant.name}-{seed}"))
    try:
        variant.apply(desk)
    except (ValueError, StopIteration, KeyError) as error:
        raise Unfit(f"{variant.name}: {error!r}") from error
    return desk.papers
