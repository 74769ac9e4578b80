"""The sample's rows obey the contracts and look like what offices deliver."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, datetime

import pytest

from ingestion.base.contracts import Contract, load_contracts
from sample import DISTRICTS, QUARTERS, sample_rows
from sample.quarters import WINDOWS
from sample.rows import Row
from sample.workdays import working_days

ALL = [(district, quarter) for district in DISTRICTS for quarter in QUARTERS]
CASE_CODE = re.compile(r"000\.\d{2}\.\d{2}\.H51-(\d{6})-\d{4,6}")
PYTHON_TYPES = {
    "text": str, "code": str, "case_code": str, "procedure_code": str, "unit": str, "enum": str, "quarter": str,
    "integer": int, "date": date, "month": date, "datetime": datetime, "flag": bool, "number_or_text": int,
}  # fmt: skip


def _cases(district: str, quarter: str) -> list[Row]:
    files = sample_rows(quarter, district=district)
    return [row for (_, source, _), rows in files.items() if source == "one_stop_cases" for row in rows]


@pytest.mark.parametrize(("district", "quarter"), ALL)
def test_rows_have_the_contracts_columns_and_types(district: str, quarter: str) -> None:
    contracts = load_contracts()
    for (unit, source, file_name), rows in sample_rows(quarter, district=district).items():
        contract = contracts[source]
        assert rows, (unit, source, file_name)
        for row in rows:
            assert row.keys() == rows[0].keys()
            _check_row(contract, row)


def _check_row(contract: Contract, row: Row) -> None:
    for name, value in row.items():
        column = contract.column(name)
        if value is None:
            assert not column.required, (contract.source, name)
            continue
        assert isinstance(value, PYTHON_TYPES[column.type]), (contract.source, name, value)
        if column.type == "enum":
            assert value in column.labels, (contract.source, name, value)
        if column.minimum is not None:
            assert value >= column.minimum
        if column.not_after == "closing":
            assert value.date() <= max(window.closes_on for window in WINDOWS.values())
    missing = [c.name for c in contract.columns if c.required and c.derived_from is None and c.name not in row]
    assert not missing, (contract.source, missing)


@pytest.mark.parametrize(("district", "quarter"), ALL)
def test_keys_are_unique_in_a_file(district: str, quarter: str) -> None:
    contracts = load_contracts()
    for (_, source, _), rows in sample_rows(quarter, district=district).items():
        key = contracts[source].key
        if "person_key" in key:  # who a row is about; the sample has nobody in two periods of service
            key = ["staff_code"] if "staff_code" in rows[0] else ["full_name", "birth_date_male", "birth_date_female"]
        keys = Counter(tuple(row[name] for name in key) for row in rows)
        assert [k for k, times in keys.items() if times > 1] == [], source


@pytest.mark.parametrize(("district", "quarter"), ALL)
def test_case_codes_carry_the_day_of_receipt_and_are_unique(district: str, quarter: str) -> None:
    cases = _cases(district, quarter)
    for case in cases:
        match = CASE_CODE.fullmatch(case["case_code"])
        assert match, case["case_code"]
        assert match[1] == case["received_at"].strftime("%y%m%d")
    assert len({case["case_code"] for case in cases}) == len(cases)


@pytest.mark.parametrize(("district", "quarter"), ALL)
def test_cases_run_forward_in_time_within_the_quarter(district: str, quarter: str) -> None:
    closing = WINDOWS[quarter].closes_on
    for case in _cases(district, quarter):
        stages = [case["received_at"], case["finished_at"], case["returned_at"]]
        known = [stage for stage in stages if stage is not None]
        assert known == sorted(known), case
        assert known[-1].date() <= closing, case
        assert case["due_at"] is None or case["due_at"] > case["received_at"], case


def test_days_off_receive_online_cases_only_and_due_dates_are_working_days() -> None:
    days = set(working_days())
    cases = _cases("945", "2023-Q1")
    off = [case for case in cases if case["received_at"].date() not in days]
    assert off
    assert {case["channel"] for case in off} == {"online"}
    assert all(case["due_at"].date() in days for case in cases if case["due_at"] is not None)
    assert date(2023, 1, 23) not in days, "Tết"


def test_the_real_quarters_open_cases_are_within_their_limit() -> None:
    closing = WINDOWS["2023-Q1"].closes_on
    still_open = [c for c in _cases("945", "2023-Q1") if c["status"] in ("received", "in_progress")]
    assert len(still_open) == 534
    assert all(case["due_at"].date() > closing for case in still_open)


def test_catalogue_has_unique_names_and_codes() -> None:
    rows = sample_rows("2023-Q1")["945", "procedure_catalogue", "danh-muc-tthc.xlsx"]
    in_force = [row for row in rows if row["ended_on"] is None]
    assert len(in_force) == 389
    assert len({row["procedure_name"] for row in rows}) == len({row["procedure_code"] for row in rows}) == len(rows)
    assert all(re.fullmatch(r"\d\.\d{6}", row["procedure_code"]) for row in rows)


def test_cases_are_of_procedures_in_force_at_their_level() -> None:
    rows = sample_rows("2023-Q1")["945", "procedure_catalogue", "danh-muc-tthc.xlsx"]
    catalogue = {row["procedure_code"]: row for row in rows}
    for case in _cases("945", "2023-Q1"):
        procedure = catalogue[case["procedure_code"]]
        assert procedure["valid_from"] <= case["received_at"].date()
        assert procedure["ended_on"] is None
        assert procedure["applies_district" if case["receiving_unit"] == "945" else "applies_commune"]
        assert procedure["procedure_name"] == case["procedure_name"]


def test_same_arguments_give_same_rows_and_seeds_differ() -> None:
    first, again = sample_rows("2023-Q1"), sample_rows("2023-Q1")
    assert first == again
    assert first != sample_rows("2023-Q1", seed=7)


def test_scale_multiplies_cases_with_codes_of_their_own() -> None:
    key = ("31636", "one_stop_cases", "ho-so-mot-cua.xlsx")
    once, thrice = sample_rows("2023-Q1"), sample_rows("2023-Q1", scale=3)
    assert len(thrice[key]) == 3 * len(once[key])
    assert len({row["case_code"] for row in thrice[key]}) == len(thrice[key])
    assert all(CASE_CODE.fullmatch(row["case_code"]) for row in thrice[key])
    assert {row["case_code"] for row in once[key]} <= {row["case_code"] for row in thrice[key]}
    # Copies end in minutes of their own, in the hour and on the side of the due moment where the case ended.
    for row in once[key]:
        same = [r for r in thrice[key] if r["case_code"].rpartition("-")[0] == row["case_code"].rpartition("-")[0]
                and int(r["case_code"][-4:]) % 1000 == int(row["case_code"][-4:])]  # fmt: skip
        assert len(same) == 3
        for name in ("finished_at", "returned_at"):
            moments = [r[name] for r in same]
            assert len({m and (m.date(), m.hour, row["due_at"] is None or m <= row["due_at"]) for m in moments}) == 1
            assert moments[0] == row[name]
    # What is declared and decided beside the cases grows with them.
    others = [k for k in once if k[1] not in ("one_stop_cases", "declared_returns", "decisions")]
    assert {k: once[k] for k in others} == {k: thrice[k] for k in others}


def test_unknown_quarter_or_district_is_an_error() -> None:
    with pytest.raises(KeyError):
        sample_rows("2021-Q1")
    with pytest.raises(KeyError):
        sample_rows("2023-Q1", district="999")
