"""Small counts of a release: which cells of its tables on cases stay blank, in every file alike.

Belongs here: the sums that tie the tables to each other and to the signed report, and blanking cells with what follows
from them. Does not belong here: the choice itself (``small_counts``); which columns may be blank (the contracts:
``small_counts`` of a column is ``outcome``, ``volume`` or ``follows``).

Tables that cross a procedure, a field or a unit with an outcome take part. What is guarded is an outcome that can harm:
late, overdue, waiting for papers, suspended, withdrawn, refused, without an appointment, on time by decision only, and
the sums of these. That so many cases were received, resolved or resolved on time harms nobody: such counts are told,
however small, unless a guarded one would follow from them. What was held back once stays so in every later release of
the quarter, or the two would tell by their difference; what is carried over into the next quarter is counted among what
a reader knows, and so is what an earlier release told of the units that are the same in both: where one of few units
changed, level and total rows of the tables stay blank rather than tell it by their difference. The level's totals that
the report's own rows and measures print are never held back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa

from publication.content.case_totals import CaseTotals, case_totals
from publication.content.earlier_releases import changed_units, unit_of
from publication.content.other_periods import OtherRelease, across, windows_of
from publication.content.release_content import ReleaseContent
from publication.content.rows_behind import FIGURE_ROWS, unnamed_before, without_telling_rows
from publication.content.small_counts import Cell, HeldBack, Key, System, hold_back
from publication.store.contracts import stored_contracts
from publication.store.parquet import in_total_order, to_parquet

#: Names the blank cells of a row, separated by commas.
HELD_BACK = "held_back"
DEFAULT_THRESHOLD = 5
#: Days that cases took: they tell of each case where there are few of them, though the rate may be told.
_DAYS_TAKEN = ("median_working_days", "p90_working_days")
_PROCESSING, _FORM, _RATES = "case_processing", "case_form_06a", "case_timeliness"
_BACKLOG, _LATENESS, _DURATION = "case_backlog", "case_lateness", "procedure_duration"
TABLES = (_PROCESSING, _FORM, _RATES, _BACKLOG, _LATENESS, _DURATION)
#: What is read of other releases: the tables, and what they list behind figures.
READ_BACK = (*TABLES, FIGURE_ROWS, "delivery_log")
#: Costs of a gap: details rather than what sums them up.
_DETAIL, _BY_UNIT, _ON_THE_PAGE = 1.0, 4.0, 40.0
#: Rows over all units of a level, or of the office: the form and the law ask for them. They are always told, but for a
#: release whose difference from an earlier one would tell of a unit that changed: there these go before such a count.
_OF_ALL = ("group", "level", "total", "all")
_OVER_ALL = 100.0
#: One that was told in an earlier release comes after all others, but before telling a small count.
_TOLD_ALREADY, _TOLD_ALREADY_AT_MOST = 1000.0, 2e4
_CLOCKS = ("reporting_window", "calendar_quarter")
#: Columns of the form II.06a and the counts of ``case_processing`` that they sum.
_FORM_SUMS: Mapping[str, tuple[str, ...]] = {
    "to_resolve": ("received", "carried_over"),
    "carried_over": ("carried_over",),
    "resolved": ("resolved", "waiting_for_supplement", "refused", "withdrawn"),
    "resolved_early": ("resolved_early",),
    "resolved_on_time": ("resolved_on_time", "waiting_for_supplement", "refused", "withdrawn"),
    "resolved_late": ("resolved_late",),
    "resolved_without_appointment": ("resolved_without_appointment",),
    "in_progress": ("in_progress", "suspended"),
    "in_progress_within_due": ("in_progress_within_due", "suspended"),
    "in_progress_overdue": ("in_progress_overdue",),
}
#: Counts that the page sums up over units.
_PAGE_SUMS: Mapping[str, tuple[str, ...]] = {_BACKLOG: ("cases", "overdue"), _LATENESS: ("cases",)}
#: Tables with rows only where there is a case: what a row is about beside its unit, and what one of no case says.
_GRIDS: Mapping[str, tuple[str, ...]] = {_BACKLOG: ("state", "age_band"), _LATENESS: ("lateness", "cause_code")}
_NO_CASE: Mapping[str, dict[str, Any]] = {
    _BACKLOG: {"cases": 0, "overdue": 0, "oldest_working_days": None},
    _LATENESS: {"cases": 0},
}
#: Within a row: a count and what it is the sum of.
_ROW_SUMS: Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    _PROCESSING: (
        ("resolved", ("resolved_early", "resolved_on_time", "resolved_late", "resolved_without_appointment")),
        ("in_progress", ("in_progress_within_due", "in_progress_overdue")),
    ),
    _FORM: (
        ("to_resolve", ("received_online", "received_direct_or_postal", "carried_over")),
        ("to_resolve", ("resolved", "in_progress")),
        ("resolved", ("resolved_early", "resolved_on_time", "resolved_late", "resolved_without_appointment")),
        ("in_progress", ("in_progress_within_due", "in_progress_overdue")),
    ),
}
#: Within a row: sums of outcomes that are guarded like each of them.
_GUARDED_SUMS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    _PROCESSING: (
        ("resolved_late", "resolved_without_appointment"),
        ("resolved_late", "in_progress_overdue"),
        ("withdrawn", "refused"),
        ("waiting_for_supplement", "suspended"),
        ("waiting_for_supplement", "suspended", "withdrawn", "refused"),
        ("resolved_late", "resolved_without_appointment", "in_progress_overdue", "waiting_for_supplement", "suspended",
         "withdrawn", "refused"),
    ),
    _FORM: (
        ("resolved_late", "resolved_without_appointment"),
        ("resolved_late", "in_progress_overdue"),
        ("resolved_late", "resolved_without_appointment", "in_progress_overdue"),
    ),
}  # fmt: skip
#: What rows have in common whose outcomes together are guarded like each of them, where no row tells them: of a unit or
#: a field, over channels, units, states, ages, kinds or causes.
_TOGETHER: Mapping[str, tuple[tuple[str, ...], ...]] = {
    _PROCESSING: (
        ("receiving_unit_code", "field_vi"),
        ("receiving_unit_code", "channel"),
        ("receiving_unit_code",),
        ("unit_level", "field_vi", "channel"),
        ("unit_level", "field_vi"),
    ),
    _BACKLOG: (("clock", "receiving_unit_code", "state"), ("clock", "receiving_unit_code", "age_band")),
    _LATENESS: (("clock", "receiving_unit_code", "lateness"), ("clock", "receiving_unit_code", "cause_code")),
}
_LEFT_OPEN = ("in_progress", "waiting_for_supplement", "suspended")
#: What the report's own rows, its measures and its summary tell of each level.
_TOLD: Mapping[str, tuple[str, ...]] = {
    "received": ("received",),
    "carried_over": ("carried_over",),
    "resolved": ("resolved",),
    "on_time": ("resolved_early", "resolved_on_time"),
    "without_appointment": ("resolved_without_appointment",),
    "late": ("resolved_late",),
    "by_decision": ("counted_on_time_by_decision",),
    "set_aside": ("withdrawn", "refused"),
    "open": _LEFT_OPEN,
    "overdue": ("in_progress_overdue",),
}
#: The counts of cases that a row's middles, or the oldest case, are taken of.
_BEHIND_MIDDLES: Mapping[str, tuple[str, ...]] = {
    _PROCESSING: ("resolved",),
    _DURATION: ("resolved",),
    _BACKLOG: ("cases",),
}
_SETTLED = ("resolved", "withdrawn", "refused")

Row = Mapping[str, Any]
#: Of a cell of a table: the table, what the row is about, the column.
CellKey = tuple[Any, ...]


def without_small_counts(
    content: ReleaseContent,
    threshold: int,
    before: Iterable[Mapping[str, pa.Table]] = (),
    elsewhere: Iterable[Mapping[str, pa.Table]] = (),
) -> ReleaseContent:
    """The content with its small counts held back.

    ``before``: tables of every release of the quarter until now; ``elsewhere``: of every release of other periods.
    ``threshold``: the least count that is told; 0 or 1 holds back nothing but what was held back before.
    """
    present = {name: content.tables[name] for name in TABLES if HELD_BACK in _columns(content.tables, name)}
    if not present:
        return content
    before, elsewhere = list(before), list(elsewhere)
    earlier = [dict(_told_before(tables)) for tables in before]
    rows = {name: table.to_pylist() for name, table in present.items()}
    for name in _GRIDS:
        rows[name] = _with_empty_rows(name, rows.get(name, []), rows, {key[:-1] for told in earlier for key in told})
    system = system_of(rows, threshold)
    own = {key: cell.value for key, cell in system.cells.items() if isinstance(key, tuple) and key[0] in TABLES}
    for tables, told in zip(before, earlier, strict=True):
        changed = changed_units(own, told, _sent(content.tables), _sent(tables))
        if changed:
            _tie_earlier(system, rows, told, changed, threshold)
    behind, unnamed = _rows_named(content, threshold, before, elsewhere)
    _tell_named(system, rows.get(_PROCESSING, []), unnamed)
    others = [
        OtherRelease(windows_of(tables[_FORM].to_pylist()), dict(_told_before(tables)))
        for tables in elsewhere
        if _FORM in tables
    ]
    found = across(windows_of(rows.get(_FORM, [])), own, others, threshold)
    kept: list[Key] = sorted(found.held, key=repr)
    for keys, known in found.known:
        if keys and all(key in own for key in keys) and sum(own[key] for key in keys) == known:
            _sum_cell(system, ("carried over", *keys), keys)
    for told in (*earlier, *found.equal):
        for key, value in told.items():
            cell = system.cells.get(key)
            if value is None:
                kept.append(key)
            elif cell is not None and cell.value == value and cell.cost is not None:
                # Told already, and no other now: a gap in its place hides nothing.
                system.cells[key] = replace(cell, cost=min(_TOLD_ALREADY * cell.cost, _TOLD_ALREADY_AT_MOST))
    for gap in kept:
        # A row over all units, too, where it stayed blank in a release that followed another.
        if gap in system.cells and system.cells[gap].cost is None:
            system.cells[gap] = replace(system.cells[gap], cost=_OVER_ALL)
    held = hold_back(system, threshold, before=kept)
    tables, files = dict(content.tables), dict(content.mart_files)
    for name, table in present.items():
        blanked = _blanked(name, rows[name], table.schema, held, threshold)
        files[name] = to_parquet(blanked)
        tables[name] = in_total_order(blanked)
    if behind is not None:
        files[FIGURE_ROWS], tables[FIGURE_ROWS] = to_parquet(behind), in_total_order(behind)
    return replace(
        content,
        tables=tables,
        mart_files=files,
        totals_before=_totals(content, held, threshold),
        least_count=max(threshold, 1),
    )


def _rows_named(
    content: ReleaseContent,
    threshold: int,
    before: Iterable[Mapping[str, pa.Table]],
    elsewhere: Iterable[Mapping[str, pa.Table]],
) -> tuple[pa.Table | None, dict[str, frozenset[str]]]:
    """The rows behind figures as the release lists them, and by level the units whose rows it does not name."""
    if HELD_BACK not in _columns(content.tables, FIGURE_ROWS):
        return None, {}
    units = {entry["delivery_id"]: entry["unit_code"] for entry in content.inputs}
    sources = {row["measure"]: row["source"] for row in content.tables["dim_measure"].to_pylist()}
    window = windows_of(content.tables[_FORM].to_pylist()).get("reporting_window") if _FORM in content.tables else None
    told = list(before)
    for tables in elsewhere:
        other = windows_of(tables[_FORM].to_pylist()).get("reporting_window") if _FORM in tables else None
        if window and other and other[0] <= window[1] and window[0] <= other[1]:
            told.append(tables)
    unnamed = unnamed_before(
        (tables[FIGURE_ROWS].to_pylist(), senders(tables, units)) for tables in told if FIGURE_ROWS in tables
    )
    return without_telling_rows(content.tables[FIGURE_ROWS], units, sources, threshold, unnamed)


def _sent(tables: Mapping[str, pa.Table]) -> list[dict[str, Any]]:
    return tables["delivery_log"].to_pylist() if "delivery_log" in tables else []


def senders(tables: Mapping[str, pa.Table], units: Mapping[str, str]) -> dict[str, str]:
    """Who sent each delivery that a release names; ``units``: of deliveries known otherwise."""
    return {**units, **{row["delivery_id"]: row["delivering_unit_code"] for row in _sent(tables)}}


def _tell_named(system: System, rows: Iterable[Row], unnamed: Mapping[str, frozenset[str]]) -> None:
    """What the rows behind the figures tell of each unit whose rows are named."""
    cases: dict[tuple[str, str], list[CellKey]] = {}
    for row in rows:
        cases.setdefault((row["unit_level"], row["receiving_unit_code"]), []).append(row_key(_PROCESSING, row))
    for (level, unit), keys in sorted(cases.items()):
        if level in unnamed and unit not in unnamed[level]:
            for name, parts in _TOLD.items():
                _sum_cell(system, ("named", level, unit, name), [(*key, part) for key in keys for part in parts])


def _with_empty_rows(
    mart: str, rows: list[dict[str, Any]], tables: Mapping[str, list[dict[str, Any]]], before: set[tuple[Any, ...]]
) -> list[dict[str, Any]]:
    """The rows, and one of no case for each other unit of the level: that a row is there would tell of a case.

    ``before``: what rows of earlier releases were about. Rows of no case that are not held back are not published.
    """
    if not rows:
        return rows
    units: dict[str, dict[str, str]] = {}
    for line in tables.get(_FORM, []):
        if (line["breakdown"], line["row_kind"]) == ("unit", "row"):
            units.setdefault(line["clock"], {})[line["receiving_unit_code"]] = line["unit_level"]
    first, second = _GRIDS[mart]
    names = _key_names(mart)
    clocks = sorted({row["clock"] for row in rows})
    wanted = [
        {"clock": clock, "receiving_unit_code": unit, first: one, second: other}
        for clock in clocks
        for one in sorted({row[first] for row in rows if row["clock"] == clock})
        for other in sorted({row[second] for row in rows if row["clock"] == clock})
        for unit in units.get(clock, {})
    ]
    wanted += [dict(zip(names, key[1:], strict=True)) for key in sorted(before, key=repr) if key[0] == mart]
    there, found = {row_key(mart, row) for row in rows}, list(rows)
    for about in wanted:
        key = (mart, *(about[name] for name in names))
        level = units.get(about["clock"], {}).get(about["receiving_unit_code"])
        # What goes with the cause or the age, and with the clock, is said as in other rows.
        like = next((row for row in rows if all(row[name] == about[name] for name in ("clock", second))), None)
        if key not in there and level is not None and like is not None:
            there.add(key)
            found.append(like | about | {"unit_level": level} | _NO_CASE[mart])
    return found


def _totals(content: ReleaseContent, held: HeldBack, threshold: int) -> CaseTotals:
    """The sums that the page tells, without those that have a small part or are held back."""
    whole = case_totals(content.tables)
    rows = {name: content.tables[name].to_pylist() for name in (_BACKLOG, _LATENESS) if name in content.tables}
    told = {
        (mart, *group, column)
        for mart, found in rows.items()
        for group, members in _page_groups(mart, found, "reporting_window").items()
        for column in _PAGE_SUMS[mart]
        if _may_be_told(mart, column, members, threshold) and ("sum", "page", mart, *group, column) not in held.keys
    }

    def or_none(value: int | None, *name: str) -> int | None:
        return value if name in told else None

    return replace(
        whole,
        backlog={
            place: (or_none(cases, _BACKLOG, *place, "cases"), or_none(overdue, _BACKLOG, *place, "overdue"))
            for place, (cases, overdue) in whole.backlog.items()
        },
        lateness={place: or_none(cases, _LATENESS, *place, "cases") for place, cases in whole.lateness.items()},
    )


def _may_be_told(mart: str, column: str, members: Iterable[Row], threshold: int) -> bool:
    """Whether the page may tell a sum: none of its parts is guarded and small."""
    return not any(is_guarded(mart, column, row) and 0 < row[column] < threshold for row in members)


def _page_groups(mart: str, rows: Iterable[Row], clock: str) -> dict[tuple[Any, ...], list[Row]]:
    """The rows that the page sums up: by level and age, by kind and cause."""
    names = ("unit_level", "age_band") if mart == _BACKLOG else ("lateness", "cause_code")
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        if row["clock"] == clock:
            groups.setdefault(tuple(row[name] for name in names), []).append(row)
    return groups


def _columns(tables: Mapping[str, pa.Table], mart: str) -> list[str]:
    return tables[mart].column_names if mart in tables else []


def row_key(mart: str, row: Row) -> tuple[Any, ...]:
    """What a row is about, the same in every release of the quarter."""
    return (mart, *(row[name] for name in _key_names(mart)))


def _key_names(mart: str) -> list[str]:
    if mart == _FORM:  # its key is a place, which moves when another row comes
        return ["clock", "breakdown", "row_kind", "unit_level", "field_vi", "receiving_unit_code"]
    return [name for name in stored_contracts()[mart].key if name not in ("unit_code", "quarter")]


def _told_before(tables: Mapping[str, pa.Table]) -> Iterator[tuple[CellKey, int | None]]:
    """Every cell that may be held back as an earlier release told it; None where that held it back."""
    for name in TABLES:
        if not set(_key_names(name)) <= set(_columns(tables, name)):
            continue  # a release of a program that told the table otherwise, or not at all
        for row in tables[name].to_pylist():
            # A release of a program that knew no gaps names none.
            gaps = (row.get(HELD_BACK) or "").split(",")
            for column, kind in _kinds(name).items():
                if kind != "follows" and (row.get(column) is not None or column in gaps):
                    yield (*row_key(name, row), column), row.get(column)


def _kinds(mart: str) -> dict[str, str]:
    """Columns that may be blank as small counts, with what they hold."""
    return {column.name: column.small_counts for column in stored_contracts()[mart].columns if column.small_counts}


def _blanked(mart: str, rows: Iterable[dict[str, Any]], schema: pa.Schema, held: HeldBack, threshold: int) -> pa.Table:
    kinds, found = _kinds(mart), []
    for row in map(dict, rows):
        key = row_key(mart, row)
        gaps = [column for column in kinds if kinds[column] != "follows" and (*key, column) in held.keys]
        few = any(0 < (row[column] or 0) < threshold for column in _BEHIND_MIDDLES.get(mart, ()))
        if gaps or few:
            # A middle, a rate or the oldest of a few cases tells of these cases.
            gaps += [column for column, kind in kinds.items() if kind == "follows" and row[column] is not None]
        elif mart == _RATES and 0 < (row["denominator"] or 0) < threshold:
            gaps += [column for column in _DAYS_TAKEN if row.get(column) is not None]
        row.update(dict.fromkeys(gaps), held_back=",".join(sorted(gaps)) or None)
        # A blank count that only this row can hold would be told by its being there.
        if mart not in _GRIDS or ((row["cases"] != 0 or gaps) and (*key, "cases") not in held.told_elsewhere):
            found.append(row)
    return pa.Table.from_pylist(found, schema=schema)


# --- cells and sums ---------------------------------------------------------------------------------------------------


def system_of(tables: Mapping[str, list[dict[str, Any]]], threshold: int = DEFAULT_THRESHOLD) -> System:
    """The cells of the tables and every sum that ties them."""
    system = System()
    rows = {name: tables.get(name, []) for name in TABLES}
    for name, found in rows.items():
        for row in found:
            _add_row(system, name, row)
        _guard_together(system, name, found)
    for clock in _CLOCKS:
        form = [row for row in rows[_FORM] if row["clock"] == clock]
        rates = [row for row in rows[_RATES] if row["clock"] == clock]
        durations = [row for row in rows[_DURATION] if row["clock"] == clock]
        _tie_form(system, form)
        _tie_rates(system, rates, form, rows[_BACKLOG])
        _tie_durations(system, durations, form)
        if clock == "reporting_window":
            _tie_processing(system, rows[_PROCESSING], form)
            _tie_rates_to_processing(system, rates, rows[_PROCESSING])
            _tie_page(system, rows, threshold)
            _tie_backlog(system, rows[_BACKLOG], rows[_PROCESSING])
            _tie_lateness(system, rows[_LATENESS], rows[_PROCESSING])
            _tie_durations_to_processing(system, rows[_DURATION], rows[_PROCESSING])
        else:
            _tie_other_clock(system, clock, rows, form)
    return system


def _add_row(system: System, mart: str, row: Row) -> None:
    cost = _DETAIL if mart in (_PROCESSING, _LATENESS, _BACKLOG, _DURATION) else _BY_UNIT
    scope = row.get("row_kind") or row.get("scope_kind")
    for column, kind in _kinds(mart).items():
        if kind == "follows" or row[column] is None:
            continue
        # A procedure is listed where a case of it was resolved.
        least = 1 if (mart, column) == (_DURATION, "resolved") else 0
        sensitive = is_guarded(mart, column, row)
        if mart == _BACKLOG and column == "overdue" and row["state"] != "in_progress":
            system.cells[*row_key(mart, row), column] = Cell(row[column], cost=None)  # 0 by what the word means
            continue
        weight = cost * (2.0 if kind == "volume" else 1.0) * (1.0 + min(row[column], 1000) / 1000)
        told = None if scope in _OF_ALL else weight
        system.cells[*row_key(mart, row), column] = Cell(row[column], sensitive, told, least=least)
    for whole, parts in _ROW_SUMS.get(mart, ()):
        key = row_key(mart, row)
        system.add_sum((*key, whole), [(*key, part) for part in parts])
    if scope not in _OF_ALL:
        for parts in _GUARDED_SUMS.get(mart, ()):
            key = row_key(mart, row)
            whole_key = _hidden_sum(system, ("guarded", *key, *parts), [(*key, part) for part in parts])
            system.cells[whole_key] = replace(system.cells[whole_key], sensitive=True)
    for less, more in (("counted_on_time_by_decision", "resolved_on_time"), ("overdue", "cases"),
                       ("resolved_late", "resolved"), ("numerator", "denominator")):  # fmt: skip
        system.add_at_most((*row_key(mart, row), less), (*row_key(mart, row), more))


def is_guarded(mart: str, column: str, row: Row) -> bool:
    """Whether the cell tells of an outcome that can harm, of a unit, a field or a procedure; not of a whole level.

    Open cases by age may wait for papers or be suspended, or only be in progress, which harms nobody.
    """
    if _kinds(mart).get(column) != "outcome":
        return False
    if (row.get("row_kind") or row.get("scope_kind")) in _OF_ALL:
        return False
    return not (mart == _BACKLOG and column == "cases" and row["state"] == "in_progress")


def _sum_cell(system: System, name: tuple[Any, ...], parts: Iterable[Key], *, cost: float | None = None) -> Key:
    """A cell that is the sum of others: ``cost`` None where a reader knows it."""
    found = [part for part in parts if part in system.cells]
    key = ("sum", *name)
    if key not in system.cells:
        system.cells[key] = Cell(sum(system.cells[part].value for part in found), cost=cost)
        system.sums.append([(key, -1), *((part, 1) for part in found)])
    return key


def _hidden_sum(system: System, name: tuple[Any, ...], parts: Iterable[Key]) -> Key:
    key = _sum_cell(system, name, parts)
    system.cells[key] = replace(system.cells[key], hidden=True)
    return key


def _equal(system: System, one: Key, other: Key) -> None:
    system.add_sum(one, [other])


def _tie_form(system: System, form: list[dict[str, Any]]) -> None:
    """A group is the sum of its rows, the total that of the groups, and both breakdowns tell the same cases."""
    for breakdown in ("field", "unit"):
        rows = [row for row in form if row["breakdown"] == breakdown]
        total = [row for row in rows if row["row_kind"] == "total"]
        groups = [row for row in rows if row["row_kind"] == "group"]
        for column in _kinds(_FORM):
            for group in groups:
                members = [row for row in rows if row["row_kind"] == "row" and row["unit_level"] == group["unit_level"]]
                system.add_sum((*row_key(_FORM, group), column), [(*row_key(_FORM, row), column) for row in members])
            for row in total:
                system.add_sum((*row_key(_FORM, row), column), [(*row_key(_FORM, group), column) for group in groups])
    twins = {(row["breakdown"], row["row_kind"], row["unit_level"]): row for row in form if row["row_kind"] != "row"}
    for (breakdown, kind, level), row in twins.items():
        other = twins.get(("unit", kind, level))
        if breakdown == "field" and other is not None:
            for column in _kinds(_FORM):
                _equal(system, (*row_key(_FORM, row), column), (*row_key(_FORM, other), column))


def _tie_processing(system: System, rows: list[dict[str, Any]], form: list[dict[str, Any]]) -> None:
    for row in rows:
        key = row_key(_PROCESSING, row)
        system_parts = [(*key, name) for name in (*_SETTLED, *_LEFT_OPEN)]
        taken = _hidden_sum(system, ("taken", *key), [(*key, "received"), (*key, "carried_over")])
        system.add_sum(taken, system_parts)
    for line in form:
        if line["row_kind"] != "row":
            continue
        members = [
            row_key(_PROCESSING, row)
            for row in rows
            if row["unit_level"] == line["unit_level"]
            and (
                row["field_vi"] == line["field_vi"]
                if line["breakdown"] == "field"
                else row["receiving_unit_code"] == line["receiving_unit_code"]
            )
        ]
        for column, parts in _FORM_SUMS.items():
            system.add_sum((*row_key(_FORM, line), column), [(*key, part) for key in members for part in parts])
        for column, channels in (("received_online", {"online"}), ("received_direct_or_postal", {"direct", "postal"})):
            # The channel stands last in the key of a row.
            system.add_sum(
                (*row_key(_FORM, line), column), [(*key, "received") for key in members if key[-1] in channels]
            )
    _tell_totals(system, rows)


def _guard_together(system: System, mart: str, rows: list[dict[str, Any]]) -> None:
    """What rows have together that no row tells is guarded like what each has."""
    outcomes = [(column,) for column, kind in _kinds(mart).items() if kind == "outcome"]
    for names in _TOGETHER.get(mart, ()):
        groups: dict[tuple[Any, ...], list[Row]] = {}
        for row in rows:
            groups.setdefault(tuple(row[name] for name in names), []).append(row)
        for group, members in groups.items():
            for parts in (*outcomes, *_GUARDED_SUMS.get(mart, ())):
                keys = [(*row_key(mart, row), part) for row in members for part in parts if is_guarded(mart, part, row)]
                if len(members) > 1 and keys:
                    whole = _hidden_sum(system, ("together", mart, *names, *group, *parts), keys)
                    system.cells[whole] = replace(system.cells[whole], sensitive=True)


def _tell_totals(system: System, rows: list[dict[str, Any]], *of: Key) -> None:
    """What the report's own rows and the summary tell of each level, and the table of procedures of each field; ``of``
    names the release that does, where it is an earlier one.
    """
    for level in sorted({row["unit_level"] for row in rows}):
        members = [row_key(_PROCESSING, row) for row in rows if row["unit_level"] == level]
        for name, parts in _TOLD.items():
            _sum_cell(system, ("told", *of, level, name), [(*key, part) for key in members for part in parts])
        for channel in sorted({row["channel"] for row in rows}):
            _sum_cell(
                system,
                ("told", *of, level, channel),
                [(*key, "received") for key in members if key[-1] == channel],
            )
    # The table of procedures counts received cases by field too.
    for field_vi in sorted({row["field_vi"] for row in rows}):
        members = [row_key(_PROCESSING, row) for row in rows if row["field_vi"] == field_vi]
        _sum_cell(system, ("told", *of, "field", field_vi), [(*key, "received") for key in members])
        _sum_cell(
            system, ("told", *of, "online", field_vi), [(*key, "received") for key in members if key[-1] == "online"]
        )


def _tie_numerators(system: System, row: Row, units: Mapping[tuple[str, str], Row], line: CellKey) -> None:
    """Cases on time that were received in the window, or due in it, are among those resolved on time in it; the others
    of these were carried over."""
    code = row["scope_code"]
    resolved = units.get((code, "resolved"))
    if resolved is None or row["denominator_kind"] == "resolved":
        return
    less, more = (*row_key(_RATES, row), "numerator"), (*row_key(_RATES, resolved), "numerator")
    system.add_at_most(less, more)
    if row["denominator_kind"] == "received":
        system.add_at_most(("rest", less, more), (*line, "carried_over"))


def _guard_left_otherwise(system: System, clock: str, unit: str, rest: Key, backlog: list[dict[str, Any]]) -> None:
    """What form and rate tell of a unit by their difference: cases that wait, were refused or withdrawn."""
    system.cells[rest] = replace(system.cells[rest], sensitive=True)
    waiting = [
        (*row_key(_BACKLOG, row), "cases")
        for row in backlog
        if (row["clock"], row["receiving_unit_code"], row["state"]) == (clock, unit, "waiting_for_supplement")
    ]
    left = system.cells[rest].value - sum(system.cells[key].value for key in waiting)
    if left >= 0:
        set_aside = ("set_aside", clock, unit)
        system.cells[set_aside] = Cell(left, sensitive=True, hidden=True)
        system.add_sum(rest, [set_aside, *waiting])


def _tie_rates_to_processing(system: System, rates: list[dict[str, Any]], processing: list[dict[str, Any]]) -> None:
    sums = {
        ("received", "denominator"): ("received",),
        ("resolved", "denominator"): ("resolved",),
        ("resolved", "numerator"): ("resolved_early", "resolved_on_time"),
    }
    for row in rates:
        if row["scope_kind"] == "unit":
            cases = [row_key(_PROCESSING, r) for r in processing if r["receiving_unit_code"] == row["scope_code"]]
            for (kind, column), parts in sums.items():
                if kind == row["denominator_kind"]:
                    system.add_sum((*row_key(_RATES, row), column), [(*key, part) for key in cases for part in parts])
            if row["denominator_kind"] == "received":
                _tie_received_on_time(system, (*row_key(_RATES, row), "numerator"), cases)


def _tie_received_on_time(system: System, whole: CellKey, cases: list[CellKey]) -> None:
    """A rate tells how many of a unit's cases on time were received in the window, so how many of the others were:
    of each row no more than it received, and what was not received was carried over.

    No table tells the parts of the rows: any that come to the whole stand for all that do.
    """
    if whole not in system.cells:
        return
    on_time = {
        key: _hidden_sum(system, ("on_time", *key), [(*key, "resolved_early"), (*key, "resolved_on_time")])
        for key in cases
    }
    least = {key: max(0, _value(system, on_time[key]) - _value(system, (*key, "carried_over"))) for key in cases}
    left, parts = _value(system, whole) - sum(least.values()), []
    for key in cases:
        most = min(_value(system, on_time[key]), _value(system, (*key, "received")))
        more = max(0, min(left, most - least[key]))
        left -= more
        part = ("received", "on_time", *key)
        system.cells[part] = Cell(least[key] + more, hidden=True)
        system.add_at_most(part, on_time[key])
        system.add_at_most(part, (*key, "received"))
        system.add_at_most(("rest", part, on_time[key]), (*key, "carried_over"))
        parts.append(part)
    system.add_sum(whole, parts)


def _value(system: System, key: Key) -> int:
    return system.cells[key].value


def _tie_rates(
    system: System, rates: list[dict[str, Any]], form: list[dict[str, Any]], backlog: list[dict[str, Any]]
) -> None:
    by_scope = {(row["scope_kind"], row["scope_code"], row["denominator_kind"]): row for row in rates}
    lines = {row["receiving_unit_code"]: row for row in form if row["breakdown"] == "unit" and row["row_kind"] == "row"}
    of_units = {(code, kind): row for (scope, code, kind), row in by_scope.items() if scope == "unit"}
    for kind in ("received", "resolved", "due"):
        units = {code: row for (scope, code, of), row in by_scope.items() if scope == "unit" and of == kind}
        for column in ("numerator", "denominator"):
            keys = {code: (*row_key(_RATES, row), column) for code, row in units.items()}
            for level in ("district", "commune", "all"):
                whole = by_scope.get(("all" if level == "all" else "level", level, kind))
                members = [
                    key
                    for code, key in keys.items()
                    if level == "all" or (code in lines and lines[code]["unit_level"] == level)
                ]
                if whole is not None and members:
                    system.add_sum((*row_key(_RATES, whole), column), members)
        for code, row in units.items():
            if code not in lines:
                continue
            line, key = row_key(_FORM, lines[code]), row_key(_RATES, row)
            left = {
                "resolved": ("resolved_late", "resolved_without_appointment"),
                "due": ("resolved_late", "in_progress_overdue"),
            }
            if kind in left:  # what is not on time
                system.add_sum((*key, "denominator"), [(*key, "numerator"), *((*line, name) for name in left[kind])])
            if kind == "received":
                system.add_sum(
                    (*key, "denominator"), [(*line, "received_online"), (*line, "received_direct_or_postal")]
                )
            _tie_numerators(system, row, of_units, line)
            on_time = [(*line, "resolved_early"), (*line, "resolved_on_time")]
            known = _hidden_sum(system, ("on_time", *line), on_time)
            # The form counts cases that left otherwise as on time too, so the rate's are at most these.
            system.add_at_most((*key, "numerator"), known)
            if kind == "resolved" and (rest := ("rest", (*key, "numerator"), known)) in system.cells:
                _guard_left_otherwise(system, row["clock"], code, rest, backlog)


def _tie_durations(system: System, rows: list[dict[str, Any]], form: list[dict[str, Any]]) -> None:
    for level in sorted({row["unit_level"] for row in rows}):
        group = next(
            (r for r in form if (r["breakdown"], r["row_kind"], r["unit_level"]) == ("unit", "group", level)), None
        )
        at = [row for row in rows if row["unit_level"] == level]
        for column in ("resolved", "resolved_late"):
            keys = [(*row_key(_DURATION, row), column) for row in at]
            if group is not None and column == "resolved_late":
                system.add_sum((*row_key(_FORM, group), column), keys)
            if group is not None and column == "resolved":
                rated = (_RATES, at[0]["clock"], "level", level, "resolved", "denominator")
                system.add_sum(rated, keys)
        for field_vi in sorted({row["field_vi"] for row in at}):
            line = next(
                (
                    r
                    for r in form
                    if (r["breakdown"], r["row_kind"], r["unit_level"], r["field_vi"])
                    == ("field", "row", level, field_vi)
                ),
                None,
            )
            if line is not None:
                keys = [(*row_key(_DURATION, row), "resolved_late") for row in at if row["field_vi"] == field_vi]
                system.add_sum((*row_key(_FORM, line), "resolved_late"), keys)


def _tie_durations_to_processing(
    system: System, durations: list[dict[str, Any]], processing: list[dict[str, Any]]
) -> None:
    """What was resolved of a field at a level is the sum of its procedures."""
    procedures: dict[tuple[str, str], list[Key]] = {}
    for row in durations:
        if row["clock"] == "reporting_window":
            procedures.setdefault((row["unit_level"], row["field_vi"]), []).append(
                (*row_key(_DURATION, row), "resolved")
            )
    cases: dict[tuple[str, str], list[Key]] = {}
    for row in processing:
        cases.setdefault((row["unit_level"], row["field_vi"]), []).append((*row_key(_PROCESSING, row), "resolved"))
    for group in sorted(procedures.keys() & cases.keys()):
        whole = _hidden_sum(system, ("resolved_of", *group), cases[group])
        system.add_sum(whole, procedures[group])


def _tie_page(
    system: System,
    rows: Mapping[str, list[dict[str, Any]]],
    threshold: int,
    *of: Key,
    cost: float | None = _ON_THE_PAGE,
) -> None:
    """What the page sums up over units, a reader knows, unless the page does not tell it."""
    for mart, columns in _PAGE_SUMS.items():
        for group, members in _page_groups(mart, rows[mart], "reporting_window").items():
            for column in columns:
                if _may_be_told(mart, column, members, threshold):
                    keys = [(*row_key(mart, row), column) for row in members]
                    _sum_cell(system, ("page", *of, mart, *group, column), keys, cost=cost)


def _tie_earlier(
    system: System,
    rows: Mapping[str, list[dict[str, Any]]],
    told: Mapping[CellKey, int | None],
    changed: frozenset[str],
    threshold: int,
) -> None:
    """What an earlier release told over several units, a reader knows of those that are the same in it and in this one.

    Told over all of now, it is what the others have; of a single unit that changed, its part of a row over all of a
    field or procedure is guarded as its own cells are.
    """
    of = ("before", *sorted(changed))
    for mart, found in rows.items():
        for row in found:
            if (row.get("row_kind") or row.get("scope_kind")) in _OF_ALL:
                for column in _kinds(mart):
                    key = (*row_key(mart, row), column)
                    if key in system.cells and system.cells[key].cost is None:
                        system.cells[key] = replace(system.cells[key], cost=_OVER_ALL)
    same = {
        mart: [row for row in found if (unit := unit_of(row_key(mart, row))) and unit not in changed]
        for mart, found in rows.items()
    }
    _tell_totals(system, same.get(_PROCESSING, []), of)
    _tie_page(system, {mart: same.get(mart, []) for mart in _PAGE_SUMS}, threshold, of, cost=None)
    for mart in (_FORM, _RATES):
        for whole in rows.get(mart, []):
            key = row_key(mart, whole)
            for column in _kinds(mart):
                if unit_of(key) is None and told.get((*key, column)) is not None:
                    _sum_cell(system, (of, *key, column), _of_units(same, mart, whole, column))
    levels = {row["receiving_unit_code"]: row["unit_level"] for row in rows.get(_PROCESSING, [])}
    alone = {level: unit for unit, level in levels.items() if unit in changed}
    alone = {level: unit for level, unit in alone.items() if sum(levels.get(one) == level for one in changed) == 1}
    _guard_parts(system, rows, told, alone)
    for level in sorted({levels[unit] for unit in changed if unit in levels}):
        _tie_new_units(system, rows, told, level, {unit for unit in changed if levels.get(unit) == level})


def _tie_new_units(
    system: System,
    rows: Mapping[str, list[dict[str, Any]]],
    told: Mapping[CellKey, int | None],
    level: str,
    units: set[str],
) -> None:
    """What a procedure has beyond what an earlier release told of it is of the units that this did not have: with what
    it held back it comes to what they have of the field.

    Where it held back, any parts that come to that stand for all that do.
    """
    if units & {unit_of(key) for key in told}:
        return
    of = ("new", *sorted(units))
    procedures: dict[tuple[str, str], list[CellKey]] = {}
    for row in rows.get(_DURATION, []):
        if (row["clock"], row["unit_level"]) == ("reporting_window", level):
            for column in ("resolved", "resolved_late"):
                procedures.setdefault((row["field_vi"], column), []).append((*row_key(_DURATION, row), column))
    for (field_vi, column), keys in procedures.items():
        cells = [
            (*row_key(_PROCESSING, row), column)
            for row in rows.get(_PROCESSING, [])
            if row["receiving_unit_code"] in units and row["field_vi"] == field_vi
        ]
        whole = _hidden_sum(system, (of, level, field_vi, column), cells)
        beyond = {key: _value(system, key) - before for key in keys if (before := told.get(key, 0)) is not None}
        left = _value(system, whole) - sum(beyond.values())
        if left < 0 or any(value < 0 for value in beyond.values()):
            continue  # the others are not the same
        parts = []
        for key in keys:
            value = beyond.get(key, min(left, _value(system, key)))
            left -= 0 if key in beyond else value
            part = (of, value, *key)
            system.cells[part] = Cell(value, hidden=True)
            if key in beyond:
                system.sums.append([(part, 1), (key, -1)])
            else:
                system.add_at_most(part, key)
            parts.append(part)
        system.add_sum(whole, parts)


def _of_units(rows: Mapping[str, list[dict[str, Any]]], mart: str, whole: Row, column: str) -> list[Key]:
    """The cells of units that a row over several sums up, of those in ``rows``."""
    if mart == _RATES:
        levels = {line["receiving_unit_code"]: line["unit_level"] for line in rows[_FORM] if line["row_kind"] == "row"}
        return [
            (*row_key(mart, row), column)
            for row in rows[mart]
            if (row["clock"], row["denominator_kind"]) == (whole["clock"], whole["denominator_kind"])
            and whole["scope_code"] in ("all", levels.get(row["scope_code"]))
        ]
    if whole["row_kind"] != "row":
        return [
            (*row_key(mart, row), column)
            for row in rows[mart]
            if row["clock"] == whole["clock"] and whole["unit_level"] in ("all", row["unit_level"])
        ]
    if whole["clock"] != "reporting_window":
        return []
    channels = {"received_online": ("online",), "received_direct_or_postal": ("direct", "postal")}
    return [
        (*row_key(_PROCESSING, row), part)
        for row in rows.get(_PROCESSING, [])
        if (row["unit_level"], row["field_vi"]) == (whole["unit_level"], whole["field_vi"])
        and row["channel"] in channels.get(column, (row["channel"],))
        for part in _FORM_SUMS.get(column, ("received",))
    ]


def _guard_parts(
    system: System,
    rows: Mapping[str, list[dict[str, Any]]],
    told: Mapping[CellKey, int | None],
    alone: Mapping[str, str],
) -> None:
    """By level the one unit that changed: what rows over all units of a field or procedure have of it."""
    for mart in (_FORM, _DURATION):
        for row in rows.get(mart, []):
            if row["unit_level"] not in alone or (mart, row.get("row_kind")) not in ((_FORM, "row"), (_DURATION, None)):
                continue
            for column in _kinds(mart):
                key = (*row_key(mart, row), column)
                before = told.get(key, 0)
                part = system.cells[key].value - before if key in system.cells and before is not None else 0
                if unit_of(key) is None and part > 0 and is_guarded(mart, column, row):
                    hidden = ("part", alone[row["unit_level"]], *key, before)
                    system.cells[hidden] = Cell(part, sensitive=True, hidden=True)
                    system.sums.append([(key, -1), (hidden, 1)])


def _tie_backlog(system: System, rows: list[dict[str, Any]], processing: list[dict[str, Any]]) -> None:
    at = [row for row in rows if row["clock"] == "reporting_window"]
    for unit in sorted({row["receiving_unit_code"] for row in processing}):
        cases = [row_key(_PROCESSING, row) for row in processing if row["receiving_unit_code"] == unit]
        for state in _LEFT_OPEN:
            whole = _hidden_sum(system, ("state", unit, state), [(*key, state) for key in cases])
            own = [row for row in at if (row["receiving_unit_code"], row["state"]) == (unit, state)]
            system.add_sum(whole, [(*row_key(_BACKLOG, row), "cases") for row in own])
        whole = _hidden_sum(system, ("overdue", unit), [(*key, "in_progress_overdue") for key in cases])
        own = [row for row in at if row["receiving_unit_code"] == unit]
        system.add_sum(whole, [(*row_key(_BACKLOG, row), "overdue") for row in own])


def _tie_lateness(system: System, rows: list[dict[str, Any]], processing: list[dict[str, Any]]) -> None:
    columns = {
        "resolved_late": "resolved_late",
        "in_progress_overdue": "in_progress_overdue",
        "counted_on_time_by_decision": "counted_on_time_by_decision",
    }
    for unit in sorted({row["receiving_unit_code"] for row in processing}):
        cases = [row_key(_PROCESSING, row) for row in processing if row["receiving_unit_code"] == unit]
        for lateness, column in columns.items():
            own = [
                (*row_key(_LATENESS, row), "cases")
                for row in rows
                if (row["clock"], row["receiving_unit_code"], row["lateness"]) == ("reporting_window", unit, lateness)
            ]
            whole = _hidden_sum(system, (lateness, unit), [(*key, column) for key in cases])
            system.add_sum(whole, own)


def _tie_other_clock(
    system: System, clock: str, rows: Mapping[str, list[dict[str, Any]]], form: list[dict[str, Any]]
) -> None:
    """Without ``case_processing`` on this clock, what is late or overdue is tied to the form's lines by unit."""
    for line in form:
        if line["breakdown"] != "unit" or line["row_kind"] != "row":
            continue
        unit, key = line["receiving_unit_code"], row_key(_FORM, line)
        own = [row for row in rows[_BACKLOG] if (row["clock"], row["receiving_unit_code"]) == (clock, unit)]
        system.add_sum((*key, "in_progress_overdue"), [(*row_key(_BACKLOG, row), "overdue") for row in own])
        progress = [row for row in own if row["state"] in ("in_progress", "suspended")]
        system.add_sum((*key, "in_progress"), [(*row_key(_BACKLOG, row), "cases") for row in progress])
        for lateness in ("resolved_late", "in_progress_overdue"):
            late = [
                (*row_key(_LATENESS, row), "cases")
                for row in rows[_LATENESS]
                if (row["clock"], row["receiving_unit_code"], row["lateness"]) == (clock, unit, lateness)
            ]
            system.add_sum((*key, lateness), late)
