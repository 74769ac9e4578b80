"""Small counts of a release: which cells of its tables on cases stay blank, in every file alike.

Belongs here: the sums that tie the tables to each other and to the signed report, and blanking cells with what follows
from them. Does not belong here: the choice itself (``small_counts``); which columns may be blank (the contracts:
``small_counts`` of a column is ``outcome``, ``volume`` or ``follows``).

Tables that cross a procedure, a field or a unit with an outcome take part. What was held back once stays so in every
later release of the quarter, or the two would tell by their difference; what is carried over into the next quarter is
counted among what a reader knows. The level's totals that the report's own rows print are never held back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa

from publication.content.case_totals import CaseTotals, case_totals
from publication.content.release_content import ReleaseContent
from publication.content.small_counts import Cell, HeldBack, Key, System, hold_back
from publication.store.contracts import stored_contracts
from publication.store.parquet import in_total_order, to_parquet

#: Names the blank cells of a row, separated by commas.
HELD_BACK = "held_back"
DEFAULT_THRESHOLD = 5
_PROCESSING, _FORM, _RATES = "case_processing", "case_form_06a", "case_timeliness"
_BACKLOG, _LATENESS, _DURATION = "case_backlog", "case_lateness", "procedure_duration"
TABLES = (_PROCESSING, _FORM, _RATES, _BACKLOG, _LATENESS, _DURATION)
#: Costs of a gap: details rather than what sums them up.
_DETAIL, _BY_UNIT, _BY_LEVEL, _OVER_ALL = 1.0, 4.0, 40.0, 400.0
_TOLD_ALREADY = 50.0
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
#: Within a row: a count and what it is the sum of.
_ROW_SUMS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    _PROCESSING: {
        "resolved": ("resolved_early", "resolved_on_time", "resolved_late", "resolved_without_appointment"),
        "in_progress": ("in_progress_within_due", "in_progress_overdue"),
    },
    _FORM: {
        "to_resolve": ("received_online", "received_direct_or_postal", "carried_over"),
        "resolved": ("resolved_early", "resolved_on_time", "resolved_late", "resolved_without_appointment"),
        "in_progress": ("in_progress_within_due", "in_progress_overdue"),
    },
}
#: What the report's own rows and its summary tell of each level.
_TOLD: Mapping[str, tuple[str, ...]] = {
    "received": ("received",),
    "resolved": ("resolved",),
    "on_time": ("resolved_early", "resolved_on_time"),
    "by_decision": ("counted_on_time_by_decision",),
}
_LEFT_OPEN = ("in_progress", "waiting_for_supplement", "suspended")
_SETTLED = ("resolved", "withdrawn", "refused")

Row = Mapping[str, Any]


def without_small_counts(
    content: ReleaseContent, threshold: int, before: Iterable[Mapping[str, pa.Table]] = ()
) -> ReleaseContent:
    """The content with its small counts held back; ``before``: tables of every release of the quarter until now.

    ``threshold``: the least count that is told; 0 or 1 holds back nothing but what was held back before.
    """
    present = {name: content.tables[name] for name in TABLES if HELD_BACK in _columns(content.tables, name)}
    if not present:
        return content
    system = system_of({name: table.to_pylist() for name, table in present.items()}, threshold)
    earlier: list[Key] = []
    for tables in before:
        for key, value in _told_before(tables):
            if value is None:
                earlier.append(key)
            elif key in system.cells and system.cells[key].value == value and system.cells[key].cost is not None:
                # Told already, and no other now: a gap in its place hides nothing.
                system.cells[key] = replace(system.cells[key], cost=_TOLD_ALREADY * (system.cells[key].cost or 1.0))
    held = hold_back(system, threshold, before=earlier)
    tables, files = dict(content.tables), dict(content.mart_files)
    for name, table in present.items():
        blanked = _blanked(name, table, held, threshold)
        files[name] = to_parquet(blanked)
        tables[name] = in_total_order(blanked)
    return replace(content, tables=tables, mart_files=files, totals_before=_totals(content, threshold))


def _totals(content: ReleaseContent, threshold: int) -> CaseTotals:
    """The sums that the page tells, without those that have a small part."""
    whole = case_totals(content.tables)
    rows = {name: content.tables[name].to_pylist() for name in (_BACKLOG, _LATENESS) if name in content.tables}
    told = {
        (mart, *group, column)
        for mart, found in rows.items()
        for group, members in _page_groups(mart, found, "reporting_window").items()
        for column in _PAGE_SUMS[mart]
        if _may_be_told((row[column] for row in members), threshold)
    }

    def or_none(value: int | None, *name: str) -> int | None:
        return value if name in told else None

    return replace(
        whole,
        open=whole.open if _may_be_told([whole.open or 0], threshold) else None,
        overdue=whole.overdue if _may_be_told([whole.overdue or 0], threshold) else None,
        backlog={
            place: (or_none(cases, _BACKLOG, *place, "cases"), or_none(overdue, _BACKLOG, *place, "overdue"))
            for place, (cases, overdue) in whole.backlog.items()
        },
        lateness={place: or_none(cases, _LATENESS, *place, "cases") for place, cases in whole.lateness.items()},
    )


def _may_be_told(parts: Iterable[int], threshold: int) -> bool:
    """Whether the page may tell a sum: none of its parts is small."""
    return not any(0 < part < threshold for part in parts)


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
    if mart == _FORM:  # its key is a place, which moves when another row comes
        names: Iterable[str] = ("clock", "breakdown", "row_kind", "unit_level", "field_vi", "receiving_unit_code")
    else:
        names = [name for name in stored_contracts()[mart].key if name not in ("unit_code", "quarter")]
    return (mart, *(row[name] for name in names))


def _told_before(tables: Mapping[str, pa.Table]) -> Iterator[tuple[Key, int | None]]:
    """Every cell that may be held back as an earlier release told it; None where that held it back."""
    for name in TABLES:
        if HELD_BACK in _columns(tables, name):
            for row in tables[name].to_pylist():
                gaps = (row[HELD_BACK] or "").split(",")
                for column, kind in _kinds(name).items():
                    if kind != "follows" and (row[column] is not None or column in gaps):
                        yield (*row_key(name, row), column), row[column]


def _kinds(mart: str) -> dict[str, str]:
    """Columns that may be blank as small counts, with what they hold."""
    return {column.name: column.small_counts for column in stored_contracts()[mart].columns if column.small_counts}


def _blanked(mart: str, table: pa.Table, held: HeldBack, threshold: int) -> pa.Table:
    kinds, rows = _kinds(mart), table.to_pylist()
    for row in rows:
        key = row_key(mart, row)
        gaps = [column for column in kinds if kinds[column] != "follows" and (*key, column) in held.keys]
        few = any(kind == "outcome" and row[column] and 0 < row[column] < threshold for column, kind in kinds.items())
        if gaps or (few and mart in (_DURATION, _PROCESSING, _BACKLOG)):
            # A middle, a rate or the oldest of a few cases tells of these cases.
            gaps += [column for column, kind in kinds.items() if kind == "follows" and row[column] is not None]
        row.update(dict.fromkeys(gaps), held_back=",".join(sorted(gaps)) or None)
    return pa.Table.from_pylist(rows, schema=table.schema)


# --- cells and sums ---------------------------------------------------------------------------------------------------


def system_of(tables: Mapping[str, list[dict[str, Any]]], threshold: int = DEFAULT_THRESHOLD) -> System:
    """The cells of the tables and every sum that ties them."""
    system = System()
    rows = {name: tables.get(name, []) for name in TABLES}
    for name, found in rows.items():
        for row in found:
            _add_row(system, name, row)
    for clock in _CLOCKS:
        form = [row for row in rows[_FORM] if row["clock"] == clock]
        rates = [row for row in rows[_RATES] if row["clock"] == clock]
        durations = [row for row in rows[_DURATION] if row["clock"] == clock]
        _tie_form(system, form)
        _tie_rates(system, rates, form)
        _tie_durations(system, durations, form)
        if clock == "reporting_window":
            _tie_processing(system, rows[_PROCESSING], form, threshold)
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
    cost = {"group": _BY_LEVEL, "level": _BY_LEVEL, "total": _OVER_ALL, "all": _OVER_ALL}.get(str(scope), cost)
    for column, kind in _kinds(mart).items():
        if kind == "follows" or row[column] is None:
            continue
        # Rows of these tables stand for at least one case.
        least = 1 if column in ("cases", "resolved") and mart in (_LATENESS, _BACKLOG, _DURATION) else 0
        sensitive = kind == "outcome" and scope not in ("group", "level", "total", "all")
        weight = cost * (2.0 if kind == "volume" else 1.0) * (1.0 + min(row[column], 1000) / 1000)
        system.cells[*row_key(mart, row), column] = Cell(row[column], sensitive, weight, least=least)
    for whole, parts in _ROW_SUMS.get(mart, {}).items():
        key = row_key(mart, row)
        system.add_sum((*key, whole), [(*key, part) for part in parts])
    for less, more in (("counted_on_time_by_decision", "resolved_on_time"), ("overdue", "cases"),
                       ("resolved_late", "resolved"), ("numerator", "denominator")):  # fmt: skip
        system.add_at_most((*row_key(mart, row), less), (*row_key(mart, row), more))


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


def _tie_processing(system: System, rows: list[dict[str, Any]], form: list[dict[str, Any]], threshold: int) -> None:
    for row in rows:
        key = row_key(_PROCESSING, row)
        system_parts = [(*key, name) for name in (*_SETTLED, *_LEFT_OPEN)]
        taken = _hidden_sum(system, ("taken", *key), [(*key, "received"), (*key, "carried_over")])
        system.add_sum(taken, system_parts)
        if sum(row[name] or 0 for name in _LEFT_OPEN) >= threshold:
            # What is open now is carried over into the next quarter, whose release may tell it.
            _sum_cell(system, ("left_open", *key), [(*key, name) for name in _LEFT_OPEN])
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


def _tell_totals(system: System, rows: list[dict[str, Any]]) -> None:
    """What the report's own rows and the summary tell of each level, and the table of procedures of each field."""
    for level in sorted({row["unit_level"] for row in rows}):
        members = [row_key(_PROCESSING, row) for row in rows if row["unit_level"] == level]
        for name, parts in _TOLD.items():
            _sum_cell(system, ("told", level, name), [(*key, part) for key in members for part in parts])
        for channel in sorted({row["channel"] for row in rows}):
            _sum_cell(
                system,
                ("told", level, channel),
                [(*key, "received") for key in members if key[-1] == channel],
            )
    # The table of procedures counts received cases by field too.
    for field_vi in sorted({row["field_vi"] for row in rows}):
        members = [row_key(_PROCESSING, row) for row in rows if row["field_vi"] == field_vi]
        _sum_cell(system, ("told", "field", field_vi), [(*key, "received") for key in members])
        _sum_cell(system, ("told", "online", field_vi), [(*key, "received") for key in members if key[-1] == "online"])


def _tie_rates(system: System, rates: list[dict[str, Any]], form: list[dict[str, Any]]) -> None:
    by_scope = {(row["scope_kind"], row["scope_code"], row["denominator_kind"]): row for row in rates}
    lines = {row["receiving_unit_code"]: row for row in form if row["breakdown"] == "unit" and row["row_kind"] == "row"}
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
            on_time = [(*line, "resolved_early"), (*line, "resolved_on_time")]
            known = _hidden_sum(system, ("on_time", *line), on_time)
            # The form counts cases that left otherwise as on time too, so the rate's are at most these.
            system.add_at_most((*key, "numerator"), known)


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


def _tie_page(system: System, rows: Mapping[str, list[dict[str, Any]]], threshold: int) -> None:
    """What the page sums up over units, and over all, a reader knows."""
    for mart, columns in _PAGE_SUMS.items():
        for group, members in _page_groups(mart, rows[mart], "reporting_window").items():
            for column in columns:
                if _may_be_told((row[column] for row in members), threshold):
                    keys = [(*row_key(mart, row), column) for row in members]
                    _sum_cell(system, ("page", mart, *group, column), keys)
    for name, summed in {"open": _LEFT_OPEN, "overdue": ("in_progress_overdue",)}.items():
        keys = [(*row_key(_PROCESSING, row), part) for row in rows[_PROCESSING] for part in summed]
        if _may_be_told([sum(system.cells[key].value for key in keys)], threshold):
            _sum_cell(system, ("page", "all", name), keys)


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
