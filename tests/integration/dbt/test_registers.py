"""Readings of the registers and the absence of columns, each in a small district of its own; one build for all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from ingestion.base.contracts import load_contracts
from sample.rows import FileKey, Row
from tests.support.dbt_build import Build, Invoke
from tests.support.lake_fixture import write_files
from tests.support.small_world import CLOSES, MONTHS, OPENS, QUARTER, districts, rows

Files = dict[FileKey, list[Row]]
Change = Callable[[str, tuple[str, str], Files], None]
COUNTED = (
    "e_document_counts", "one_stop_cases", "org_units", "plan_tasks", "procedure_catalogue", "staffing_roster",
    "survey_responses",
)  # fmt: skip
OPTIONAL = [
    (contract.source, column.name)
    for contract in load_contracts().values()
    for column in contract.columns
    if contract.source in COUNTED
    and not column.required
    and not column.transient
    and column.derived_from is None
    and column.resolved_from is None  # filled by intake where the file has only the name
]
#: Columns with a heading and no value are absent where a blank is no answer.
BLANK = [
    (source, column) for source, column in OPTIONAL if load_contracts()[source].column(column).is_absent_when_blank
]
_DAY = dt.date(2023, 2, 1)


def _file(files: Files, source: str) -> list[Row]:
    [listed] = [listed for (_, of, _), listed in files.items() if of == source]
    return listed


def _dropped(source: str, column: str) -> Change:
    def change(_: str, __: tuple[str, str], files: Files) -> None:
        for row in _file(files, source):
            del row[column]

    return change


def _blanked(source: str, column: str) -> Change:
    def change(_: str, __: tuple[str, str], files: Files) -> None:
        for row in _file(files, source):
            row[column] = None

    return change


#: What has happened keeps its day from one quarter to the next.
FACTS = (
    "staffing_roster.recruited_on", "staffing_roster.left_on", "procedure_catalogue.valid_from",
    "procedure_catalogue.ended_on", "plan_tasks.done_on",
)  # fmt: skip


def _parts(fact: str) -> tuple[str, str]:
    source, _, column = fact.partition(".")
    return source, column


def _told_before(row: Row, fact: str, earlier: dt.timedelta | None) -> Row:
    _, column = _parts(fact)
    return row | {column: row[column] - earlier if earlier else None} if row[column] else row


def _documents(*lines: tuple[str, dt.date | None, str, int]) -> Change:
    """Lines (whose, month, kind, outgoing) about all topics in place of the register's; ``a`` is the first commune."""

    def change(district: str, communes: tuple[str, str], files: Files) -> None:
        listed = _file(files, "e_document_counts")
        blank = dict.fromkeys(listed[0])
        listed[:] = [row for row in listed if row["topic"] != "all"]
        for whose, month, kind, outgoing in lines:
            unit = district if whose == "district" else communes["ab".index(whose)]
            listed.append(
                blank | {"unit": unit, "month": month, "document_kind": kind, "topic": "all", "connected": True,
                         "outgoing_total": outgoing, "electronic_only": outgoing, "electronic_and_paper": 0}
            )  # fmt: skip

    return change


def _everybody(month: dt.date | None, kind: str, outgoing: int) -> list[tuple[str, dt.date | None, str, int]]:
    return [(whose, month, kind, outgoing) for whose in ("district", "a", "b")]


def _commune_file(*lines: tuple[str, dt.date | None, int]) -> Change:
    """A second file, from the first commune's folder."""

    def change(_: str, communes: tuple[str, str], files: Files) -> None:
        blank = dict.fromkeys(_file(files, "e_document_counts")[0])
        files[communes[0], "e_document_counts", "xa.xlsx"] = [
            blank | {"unit": communes["ab".index(whose)], "month": month, "document_kind": "all", "topic": "all",
                     "outgoing_total": outgoing, "connected": True}
            for whose, month, outgoing in lines
        ]  # fmt: skip

    return change


def _unit(suffix: str, *records: dict[str, Any]) -> Change:
    """The records of one unit in place of its only one."""

    def change(district: str, _: tuple[str, str], files: Files) -> None:
        listed = _file(files, "org_units")
        [old] = [row for row in listed if row["unit_code"] == f"{district}-{suffix}"]
        listed.remove(old)
        listed.extend(old | record for record in records)

    return change


def _person(code: str, *lines: dict[str, Any]) -> Change:
    """Lines of one person in place of the only one; a ``unit`` is given without the district's code."""

    def change(district: str, _: tuple[str, str], files: Files) -> None:
        listed = _file(files, "staffing_roster")
        [old] = [row for row in listed if row["staff_code"] == code]
        listed.remove(old)
        for line in lines:
            unit = {"unit": f"{district}-{line['unit']}"} if "unit" in line else {}
            listed.append(old | line | unit)

    return change


def _listed_again(_: str, communes: tuple[str, str], files: Files) -> None:
    again = [row | {"staff_code": None} for row in _file(files, "staffing_roster") if row["unit"] == communes[0]]
    files[communes[0], "staffing_roster", "xa.xlsx"] = again


def _by_name_in_the_same_file(_: str, __: tuple[str, str], files: Files) -> None:
    listed = _file(files, "staffing_roster")
    listed.extend([row | {"staff_code": None} for row in listed[:3]])


def _two_codes(_: str, __: tuple[str, str], files: Files) -> None:
    listed = _file(files, "staffing_roster")
    listed.append(listed[1] | {"staff_code": "B1"})


def _tasks(document: str | None, due: dt.date | None, done: dt.date | None = None) -> Change:
    def change(_: str, __: tuple[str, str], files: Files) -> None:
        listed = _file(files, "plan_tasks")
        listed.append(
            listed[0] | {"task_code": "cu-1", "plan_document": document, "due_on": due, "done_on": done or due}
        )

    return change


def _answers(*days: dt.date) -> Change:
    def change(_: str, __: tuple[str, str], files: Files) -> None:
        listed = _file(files, "survey_responses")
        listed.extend(listed[0] | {"form_number": f"X{i}", "responded_on": day} for i, day in enumerate(days))

    return change


def _procedure(number: int, **cells: Any) -> Change:
    def change(_: str, __: tuple[str, str], files: Files) -> None:
        _file(files, "procedure_catalogue")[number].update(cells)

    return change


def _approved(day: dt.date) -> Change:
    def change(_: str, __: tuple[str, str], files: Files) -> None:
        _file(files, "declared_returns")[0]["approved_on"] = day

    return change


def _column_in_one_of_two_files(_: str, __: tuple[str, str], files: Files) -> None:
    (district, source, _name), listed = next(item for item in files.items() if item[0][1] == "staffing_roster")
    files[district, source, "khac.xlsx"] = [listed.pop(13) for _ in range(3)]
    for row in listed:
        del row["it_officer"]


_KINDS = [(w, m, k, n) for m in MONTHS for k, n in (("administrative", 7), ("legal_normative", 3))
          for w, *_ in _everybody(None, "", 0)]  # fmt: skip
_MONTHLY = [line for month in MONTHS for line in _everybody(month, "all", 4)]
# What changes against the base, by measure; what is doubted; how many rows are left out, by reason.
READINGS: dict[str, tuple[Change, dict[str, int | None], set[str], dict[str, int]]] = {
    "by kind without a line of all kinds": (
        _documents(*_KINDS),
        {"district_outgoing_documents": 40, "commune_outgoing_documents": 80, "district_legal_documents": 12,
         "district_documents_electronic_only": 40, "commune_documents_electronic_only": 80,
         "district_documents_electronic_and_paper": 0, "commune_documents_electronic_and_paper": 0},
        set(), {},
    ),
    "only one kind says nothing of all": (
        _documents(*_everybody(None, "legal_normative", 3)),
        {"district_outgoing_documents": None, "commune_outgoing_documents": None, "district_legal_documents": 3,
         "district_documents_electronic_only": None, "commune_documents_electronic_only": None,
         "district_documents_electronic_and_paper": None, "commune_documents_electronic_and_paper": None},
        set(), {},
    ),
    "not split says nothing of one kind": (
        _documents(*_everybody(None, "all", 10)),
        {"district_legal_documents": None, "district_documents_electronic_only": 10,
         "commune_documents_electronic_only": 20, "district_documents_electronic_and_paper": 0,
         "commune_documents_electronic_and_paper": 0},
        set(), {},
    ),
    "the window's total and its months agree": (
        _commune_file(*(("a", month, n) for month, n in zip(MONTHS, (1, 2, 3, 4), strict=True))),
        {}, set(), {"months_beside_total": 4},
    ),
    "the window's total and its months differ": (
        _documents(*_everybody(None, "all", 10), *_MONTHLY, *_everybody(None, "legal_normative", 0)),
        {"district_legal_documents": 0, "district_documents_electronic_only": 10,
         "commune_documents_electronic_only": 20, "district_documents_electronic_and_paper": 0,
         "commune_documents_electronic_and_paper": 0},
        {"months_differ_from_window"}, {"months_beside_total": 12},
    ),
    "months outside the window and months missing": (
        _documents(*[line for month in (*MONTHS[:2], dt.date(2022, 10, 1)) for line in _everybody(month, "all", 10)],
                   *_everybody(None, "legal_normative", 0)),
        {"district_outgoing_documents": 20, "commune_outgoing_documents": 40, "district_legal_documents": 0,
         "district_documents_electronic_only": 20, "commune_documents_electronic_only": 40,
         "district_documents_electronic_and_paper": 0, "commune_documents_electronic_and_paper": 0},
        {"months_missing"}, {"outside_window": 3},
    ),
    "kinds above the line of all kinds": (
        _documents(*_everybody(None, "all", 10), *_everybody(None, "administrative", 9),
                   *_everybody(None, "legal_normative", 2)),
        {"district_legal_documents": 2, "district_documents_electronic_only": 10,
         "commune_documents_electronic_only": 20, "district_documents_electronic_and_paper": 0,
         "commune_documents_electronic_and_paper": 0},
        {"kinds_exceed_all"}, {},
    ),
    "a commune's folder speaks for itself only": (
        _commune_file(("b", None, 9999)), {}, set(), {"unit_of_another_folder": 1},
    ),
    "a renamed unit is not cut": (
        _unit("SN02", {"valid_to": dt.date(2023, 1, 31)}, {"name": "Tên mới", "valid_from": _DAY}), {}, set(), {},
    ),
    "a regrouped unit is not cut": (
        _unit("SN02", {"valid_to": dt.date(2023, 1, 31)}, {"autonomy_group": 3, "valid_from": _DAY}),
        {"service_units_autonomy_2": 0, "service_units_autonomy_3": 2,
         "staff_in_self_financing_units": 1, "public_employees_disciplined_self_financing": 1,
         "public_employees_disciplined_partly_financed": 2},
        set(), {},
    ),
    "a unit that ends on the closing day is cut and gone": (
        _unit("PB01", {"valid_to": CLOSES}), {"departments": 0, "departments_closed": 2}, set(), {},
    ),
    "a unit that ends the day after is in being": (
        _unit("PB01", {"valid_to": CLOSES + dt.timedelta(days=1)}), {}, set(), {},
    ),
    "a person who moved": (
        _person("A4", {"unit": "PB01", "left_on": _DAY, "leaving_reason": "transferred"}, {"unit": "PB02"}),
        {}, set(), {},
    ),
    "a person who left and came back, in two lines": (
        _person("A4", {"left_on": OPENS, "leaving_reason": "resigned", "recruited_on": dt.date(2010, 1, 4)},
                {"recruited_on": _DAY}),
        {}, set(), {},
    ),
    "a person who left and came back, in one line": (
        _person("A4", {"left_on": OPENS, "leaving_reason": "resigned", "recruited_on": _DAY}), {}, set(), {},
    ),
    "a person present in two places": (
        _person("A4", {"unit": "PB01"}, {"unit": "PB02"}), {}, {"present_twice"}, {},
    ),
    "a civil servant of a department called a public employee": (
        _person("A4", {"category": "public_employee"}),
        {"district_civil_servants": 3, "public_employees_state_paid": 7, "civil_servants_recruited": 0,
         "public_employees_recruited": 2, "district_civil_servants_disciplined": 3, "public_employees_disciplined": 8,
         "public_employees_disciplined_state_financed": 5},
        {"staff_in_other_units"}, {},
    ),
    "a public employee called a civil servant": (
        _person("A11", {"category": "district_civil_servant"}),
        {"district_civil_servants": 5, "public_employees_state_paid": 5, "civil_servants_recruited": 2,
         "public_employees_recruited": 0, "district_civil_servants_disciplined": 5, "public_employees_disciplined": 6,
         "public_employees_disciplined_state_financed": 3},
        {"staff_in_other_units"}, {},
    ),
    "a civil servant of a commune called one of the district": (
        _person("A16", {"category": "district_civil_servant"}),
        {"commune_civil_servants": 2, "commune_civil_servants_disciplined": 0,
         "commune_civil_servants_without_post_disciplined": 0},
        {"staff_in_other_units"}, {},
    ),
    "a leader of a level that the unit does not have": (
        _person("A2", {"leadership": "commune_leader"}),
        {"department_leaders": 0, "department_leaders_with_certificate": 0, "department_leaders_appointed": 0,
         "department_leaders_disciplined": 0},
        {"staff_in_other_units"}, {},
    ),
    "days as they were told before": (lambda *_: None, {}, set(), {}),
    **{f"other days than told before: {column}": (lambda *_: None, {}, {"day_told_anew"}, {}) for column in FACTS},
    "an end before the last closing that was not told then": (
        _procedure(3, ended_on=dt.date(2022, 11, 1)), {"procedures_ended": 0}, {"day_told_late"}, {},
    ),
    "an end before the last closing that was told of a later day then": (
        _procedure(3, ended_on=dt.date(2022, 11, 1)), {"procedures_ended": 0}, {"day_told_late"}, {},
    ),
    "ends told before and none now": (
        _blanked("procedure_catalogue", "ended_on"),
        {"procedures_ended": 0, "procedures_in_force": 4, "procedures_in_force_district": 4,
         "procedures_in_force_commune": 4, "procedures_shared": 4, "procedures_postal_district": 4,
         "procedures_postal_commune": 4, "commune_procedures_electronic_process": 4},
        {"day_told_anew"}, {},
    ),
    "a task of this year's plan done before the year": (
        _tasks("02/KH-UBND ngày 05/01/2023", _DAY, dt.date(2022, 12, 20)), {"cchc_tasks": 3, "cchc_tasks_done": 2},
        {"done_before_plan_year"}, {},
    ),
    "the same persons with and without a code in two files": (_listed_again, {}, set(), {"said_by_another_row": 5}),
    "the same persons with and without a code in one file": (
        _by_name_in_the_same_file, {}, set(), {"said_by_another_row": 3},
    ),
    "one name and birth date with two codes": (
        _two_codes,
        {"district_civil_servants": 5, "department_leaders": 2, "department_leaders_with_certificate": 2,
         "department_leaders_appointed": 2, "department_leaders_disciplined": 2, "leaders_with_certificate": 4,
         "it_officers": 13, "persons_trained": 17, "persons_rotated": 17, "staff_with_official_email": 15},
        {"name_with_two_codes"}, {},
    ),
    "last year's plan, by the day of its document": (
        _tasks("02/KH-UBND ngày 05/01/2022", dt.date(2022, 12, 10)), {}, set(), {"other_plan_year": 1},
    ),
    "last year's plan, by its year in words": (
        _tasks("Kế hoạch CCHC năm 2022", _DAY), {}, set(), {"other_plan_year": 1},
    ),
    "last year's plan, by the day due": (_tasks("02/KH-UBND", dt.date(2022, 12, 10)), {}, set(),
                                         {"other_plan_year": 1}),
    "this year's plan, made in December before": (
        _tasks("11/KH-UBND ngày 02/12/2022", _DAY), {"cchc_tasks": 3, "cchc_tasks_done": 2}, set(), {},
    ),
    "a plan without document and due day is of the year its task was done": (
        _tasks(None, None, _DAY), {"cchc_tasks": 3, "cchc_tasks_done": 2}, set(), {},
    ),
    "answers outside the window": (
        _answers(dt.date(2023, 9, 1), dt.date(2023, 12, 2)), {}, set(), {"outside_window": 2},
    ),
    "on the portal but not offered": (
        _procedure(1, online_offered_level="none"),
        {"procedures_on_national_portal": 1, "procedures_offered_level_4": 0, "procedures_used_online_level_4": 0,
         "procedures_offered_online": 1,
         "cases_of_procedures_used_online": 6, "online_cases_of_procedures_used_online": 4},
        set(), {},
    ),
    "online payment without a fee": (
        _procedure(1, has_fee=False), {"procedures_with_fee": 1, "procedures_paid_online": 1}, set(), {},
    ),
    "a procedure that the catalogue does not have": (
        _procedure(0, procedure_code="1.000009"),
        {"procedures_used_online_level_3": 0, "cases_of_procedures_used_online": 2,
         "online_cases_of_procedures_used_online": 2, "procedures_with_fee": 1, "procedures_paid_online": 1},
        {"procedure_not_listed"}, {},
    ),
    "a procedure that the catalogue does not have at the level": (
        _procedure(0, applies_commune=False),
        {"procedures_in_force_commune": 2, "procedures_shared": 2, "commune_procedures_electronic_process": 2,
         "procedures_postal_commune": 2},
        {"procedure_not_listed"}, {},
    ),
    "approved before the window's end": (_approved(OPENS), {}, {"approved_before_closing"}, {}),
    "a column in one of two files": (
        _column_in_one_of_two_files, {"it_officers": None}, {"column_in_some_files"}, {},
    ),
}  # fmt: skip


#: Districts that sent their registers the quarter before too: in which column their days were others, or none, then.
BEFORE: dict[str, tuple[str | None, dt.timedelta | None]] = {
    "days as they were told before": (None, None),
    "an end before the last closing that was not told then": ("procedure_catalogue.ended_on", None),
    "an end before the last closing that was told of a later day then": (None, None),
    "ends told before and none now": ("procedure_catalogue.ended_on", dt.timedelta(days=365)),
    **{f"other days than told before: {column}": (column, dt.timedelta(days=365)) for column in FACTS},
}


@pytest.fixture(scope="module")
def places() -> dict[str, str]:
    """District by case: the base, one for each optional column, dropped or blank, one for each reading."""
    names = ["base", *(f"{source}.{column}" for source, column in OPTIONAL),
             *(f"{source}.{column} blank" for source, column in BLANK), *READINGS]  # fmt: skip
    return dict(zip(names, (code for code, _ in districts()), strict=False))


@pytest.fixture(scope="module")
def build(dbt: Invoke, places: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Build:
    home = tmp_path_factory.mktemp("registers")
    changes: dict[str, Change] = {f"{source}.{column}": _dropped(source, column) for source, column in OPTIONAL}
    changes |= {f"{source}.{column} blank": _blanked(source, column) for source, column in BLANK}
    changes |= {name: change for name, (change, *_) in READINGS.items()}
    everything: Files = {}
    communes = dict(districts())
    for name, district in places.items():
        files = rows(district, communes[district])
        if name != "base":
            changes[name](district, communes[district], files)
        everything |= files
    before: Files = {}
    for name, (changed, earlier) in BEFORE.items():
        for key, listed in rows(places[name], communes[places[name]]).items():
            if key[1] in {source for source, _ in map(_parts, FACTS)}:
                before[key] = [
                    _told_before(row, changed, earlier) if changed and _parts(changed)[0] == key[1] else row
                    for row in listed
                ]
    write_files(home / "raw", {"2022-Q4": before, QUARTER: everything})
    wanted = ("measure_values", "dim_measure", "rows_left_out", "register_doubts", "report_indicators", "figure_rows",
              "staff_by_unit")  # fmt: skip
    kinds = ("--resource-type", "seed", "--resource-type", "model")
    return dbt(home, "build", *kinds, "--select", *(f"+{mart}" for mart in wanted))


@pytest.fixture(scope="module")
def values(build: Build) -> dict[str, dict[str, int | None]]:
    found: dict[str, dict[str, int | None]] = {}
    # How many communes a district has is nothing that its files say.
    query = (
        "select unit_code, measure, value from {measure_values}"
        f" where measure <> 'communes_expected' and quarter = '{QUARTER}'"
    )
    for unit, measure, value in build.rows(query):
        found.setdefault(unit, {})[measure] = value
    return found


def test_in_the_base_every_measure_counts_something(
    values: dict[str, dict[str, int | None]], places: dict[str, str]
) -> None:
    nothing = {measure for measure, value in values[places["base"]].items() if not value}
    assert nothing == {"district_cases_without_appointment", "commune_cases_without_appointment"}


def test_staff_stand_beside_the_posts_of_their_own_unit(build: Build, places: dict[str, str]) -> None:
    """Contract staff fill no post; more than are assigned is a negative number; a unit that assigns none says nothing.

    By hand from ``small_world``: who left by the closing day is gone, and so is a unit that ended by then.
    """
    unit = places["base"]
    found = {
        code: figures
        for code, *figures in build.rows(
            "select working_unit_code, assigned_posts, present, present_in_posts, posts_free from {staff_by_unit}"
            f" where unit_code = '{unit}' order by all"
        )
    }
    assert found[f"{unit}-PB01"] == [6, 5, 4, 2]
    assert found[f"{unit}-SN01"] == [0, 1, 1, -1]
    assert found[f"{unit}-SN02"] == [1, 1, 1, 0]
    assert found[f"{unit}-SN04"] == [3, 3, 3, 0]
    assert found[unit] == [None, 1, 1, None]
    assert f"{unit}-PB02" not in found, "it ended"
    without = places["org_units.assigned_posts"]
    told = build.rows(
        f"select distinct assigned_posts, posts_free from {{staff_by_unit}} where unit_code = '{without}'"
    )
    assert told == [(None, None)]


@pytest.mark.parametrize(("source", "column"), OPTIONAL, ids=lambda part: part)
def test_without_a_column_a_measure_is_right_or_not_reported(
    source: str, column: str, values: dict[str, dict[str, int | None]], places: dict[str, str], build: Build
) -> None:
    """And it is the measures that name the column that are not reported."""
    base, found = values[places["base"]], values[places[f"{source}.{column}"]]
    assert {m: v for m, v in found.items() if v is not None} == {m: base[m] for m, v in found.items() if v is not None}
    needing = {
        measure
        for measure, needs in build.rows("select measure, needs from {dim_measure}")
        if f"{source}.{column}" in needs.split(", ")
    }
    blank = {measure for measure, value in found.items() if value is None}
    required = build.rows("select measure, requires_measure from {dim_measure}")
    followers = {measure for measure, needed in required if needed in blank}
    assert needing <= blank <= needing | followers


@pytest.mark.parametrize(("source", "column"), BLANK, ids=lambda part: part)
def test_a_column_without_a_value_is_no_column(
    source: str, column: str, values: dict[str, dict[str, int | None]], places: dict[str, str]
) -> None:
    assert values[places[f"{source}.{column} blank"]] == values[places[f"{source}.{column}"]]


@pytest.mark.parametrize("name", READINGS)
def test_each_reading(
    name: str, values: dict[str, dict[str, int | None]], places: dict[str, str], build: Build
) -> None:
    _, changed, doubts, left_out = READINGS[name]
    unit = places[name]
    assert values[unit] == values[places["base"]] | changed
    assert {
        doubt for (doubt,) in build.rows(f"select distinct doubt from {{register_doubts}} where unit_code = '{unit}'")
    } == doubts
    assert (
        dict(build.rows(f"select reason, count(*) from {{rows_left_out}} where unit_code = '{unit}' group by reason"))
        == left_out
    )


def test_nothing_is_doubted_or_left_out_in_the_base(build: Build, places: dict[str, str]) -> None:
    for mart in ("register_doubts", "rows_left_out"):
        assert build.rows(f"select * from {{{mart}}} where unit_code = '{places['base']}'") == []


def test_rows_behind_a_figure_add_up_to_it(build: Build) -> None:
    differing = build.rows(
        "select m.unit_code, m.measure, m.value, sum(coalesce(r.amount, 0)) from {measure_values} as m"
        " left join {figure_rows} as r on r.unit_code = m.unit_code and r.figure = m.measure"
        " where m.value is not null and m.measure <> 'communes_expected'"
        " group by all having sum(coalesce(r.amount, 0)) <> m.value"
    )
    assert differing == []


def test_a_ratio_without_its_columns_is_not_reported(build: Build, places: dict[str, str]) -> None:
    unit = places["procedure_catalogue.internal_process_electronic"]
    assert build.rows(
        f"select value, status from {{report_indicators}} where unit_code = '{unit}' and row_no = 69"
    ) == [(None, "not_reported")]
    assert build.figures(unit=places["base"])["III.21"] == Decimal(100)
