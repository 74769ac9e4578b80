"""The clerk's round trip: all faults at once, drop-downs as in a template, mended workbooks close their rows.

For every source, and for every way in which a workbook comes back.
"""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlwt

from ingestion import read_deliveries, status
from ingestion.base.contracts import Column, Contract, load_contracts
from ingestion.clerk.fields import template_columns, template_fields
from ingestion.engine import reading_context
from ingestion.rows.own_words import LISTS_SHEET, OWN_HEADINGS
from ingestion.rows.untouched import NOTHING
from tests.support.templates import PROVINCE_REGISTER, example_row, unit_of

QUARTER = "2023-Q1"
CONTRACTS = load_contracts()
TABLES = sorted(name for name, contract in CONTRACTS.items() if contract.prose is None)
#: Types of which no cell may hold such a text.
SPOILT, STRICT = "@#~", {"enum", "flag", "date", "datetime", "integer", "decimal", "month", "unit"}


@pytest.fixture
def known(registers: Any) -> Any:
    registers.workbook("org_units", PROVINCE_REGISTER, unit="94")
    registers.ingest(sources=["org_units", "procedure_catalogue"])
    return registers


def example(home: Any, contract: Contract) -> tuple[list[Column], list[str]]:
    """The columns of the source's template and a row without a fault, of who delivers it."""
    period = home.reference.periods[QUARTER]
    context = reading_context(home.paths, contract, unit_of(contract.source), QUARTER, home.reference)
    row = example_row(contract, period, context)
    columns = [c for c in template_columns(contract, period.closes_on) if c.name in row]
    return columns, [row[c.name] for c in columns]


def key_cells(contract: Contract) -> set[str]:
    """Columns that a key is made of."""
    found = set(contract.key)
    for name in contract.key:
        plan = contract.column(name).derived_from
        found |= {*plan.columns, *plan.hashed} if plan else set()
    return found


def strict(contract: Contract, columns: list[Column]) -> list[int]:
    return [i for i, c in enumerate(columns) if c.type in STRICT and c.name not in key_cells(contract)]


def told(home: Any, source: str, row: int) -> set[tuple[str, str]]:
    return {(r["column"], r["reason_code"]) for r in home.rows(source, "rejected") if r["_row"] == row}


# --- all faults of a row, in the first round


@pytest.mark.parametrize("source", TABLES)
@pytest.mark.parametrize("spoilt_first", [False, True], ids=["after", "before"])
def test_a_row_is_told_of_every_cell_and_of_its_key_at_once_and_is_then_taken(
    known: Any, source: str, spoilt_first: bool
) -> None:
    contract = CONTRACTS[source]
    columns, whole = example(known, contract)
    head = [c.title_vi for c in columns]
    places = strict(contract, columns)
    bad = [SPOILT if i in places else cell for i, cell in enumerate(whole)]
    rows = [bad, whole] if spoilt_first else [whole, bad]
    name = "b.xlsx"  # beside the registers that lie there
    known.workbook(source, [head, *rows], name=name, unit=unit_of(source))
    known.ingest(sources=[source])
    (found,) = [d for d in read_deliveries(known.paths).to_pylist() if (d["source"], d["file_name"]) == (source, name)]
    rejected = known.layer("rejected", found)
    if not places:  # nothing but the key can be wrong
        assert {r["reason_code"] for r in rejected} == {"duplicate_row"}
        return
    at = 2 if spoilt_first else 3
    assert {r["_row"] for r in rejected} == {at}
    faults = {r["column"] for r in rejected}
    assert {columns[i].name for i in places} <= faults, "each cell that cannot be read"
    assert [r["reason_code"] for r in rejected].count("duplicate_key") == 1
    (key,) = [r for r in rejected if r["reason_code"] == "duplicate_key"]
    assert f"dòng {5 - at}" in key["reason_vi"]
    # Whoever does all that was asked has nothing left to do: the cells as they should be, and one of the two rows.
    known.workbook(source, [head, whole], name=name, unit=unit_of(source))
    known.ingest(sources=[source])
    (state,) = status(known.paths, [unit_of(source)], QUARTER, [source])
    assert state.rows_rejected == 0


@pytest.mark.parametrize("bad", [(0,), (1,), (2,), (0, 1), (1, 2), (0, 1, 2)])
def test_of_rows_with_one_key_the_one_without_a_fault_stays_and_all_others_know_it(
    home: Any, bad: tuple[int, ...]
) -> None:
    head = ["Số phiếu", "Hình thức", "Ngày trả lời", "Đánh giá chung"]
    marks = ["Hài lòng", "Rất hài lòng", "Không hài lòng"]
    rows = [["P1", "Phiếu giấy", "10/01/2023", SPOILT if n in bad else marks[n]] for n in range(3)]
    home.workbook("survey_responses", [head, *rows])
    home.ingest(sources=["survey_responses"])
    good = [n for n in range(3) if n not in bad]
    assert [r["_row"] - 2 for r in home.rows("survey_responses")] == good[:1]
    stays = good[0] if good else 0
    for n in range(3):
        reasons = {code for _, code in told(home, "survey_responses", n + 2)}
        assert ("duplicate_key" in reasons) is (n != stays)
        assert bool(reasons - {"duplicate_key"}) is (n in bad)


def test_a_row_whose_key_is_missing_or_unreadable_is_nobodys_double(home: Any) -> None:
    head = ["Số phiếu", "Hình thức", "Ngày trả lời", "Đánh giá chung"]
    home.workbook("survey_responses", [head, *[[None, "Phiếu giấy", "30/02/2023", "Hài lòng"]] * 3])
    home.ingest(sources=["survey_responses"])
    assert {code for row in (2, 3, 4) for _, code in told(home, "survey_responses", row)} == {
        "missing_value", "impossible_date",
    }  # fmt: skip


# --- drop-downs


@pytest.mark.parametrize("source", TABLES)
def test_a_rejection_workbook_offers_what_the_template_offers(known: Any, source: str) -> None:
    contract = CONTRACTS[source]
    columns, whole = example(known, contract)
    required = next(i for i, c in enumerate(columns) if c.required and not c.resolved_from)
    bad = [None if i == required else cell for i, cell in enumerate(whole)]
    known.workbook(source, [[c.title_vi for c in columns], bad], name="b.xlsx", unit=unit_of(source))
    known.ingest(sources=[source])
    (path,) = (known.paths.outbox / unit_of(source) / QUARTER / source).glob("b.xlsx*")
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    (head,) = [row for row in sheet.iter_rows() if row[0].value == OWN_HEADINGS[0]]
    offered: dict[str, list[str]] = {}
    for rule in sheet.data_validations.dataValidation:
        assert rule.type == "list"
        (area,) = rule.sqref.ranges
        assert (area.min_row, area.max_row) == (head[0].row + 1, sheet.max_row)
        listed = book[LISTS_SHEET][rule.formula1.rpartition("!")[2].replace("$", "")]
        cells = [cell for (cell,) in listed] if isinstance(listed, tuple) else [listed]
        offered[str(sheet.cell(head[0].row, area.min_col).value)] = [cell.value for cell in cells]
    context = reading_context(known.paths, contract, unit_of(source), QUARTER, known.reference)
    fields = template_fields(contract, known.reference.periods[QUARTER], context)
    expected = {f.column.title_vi: [o for o in f.options if o != NOTHING] for f in fields if f.options}
    assert offered == expected


def test_a_delivered_sheet_that_bears_the_name_of_the_lists_comes_back_beside_them(home: Any, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = LISTS_SHEET
    head = ["Số phiếu", "Hình thức", "Ngày trả lời", "Đánh giá chung"]
    for row in [head, ["P1", "Phiếu giấy", "10/01/2023", "Hài lòng"], ["P2", "Bồ câu", "10/01/2023", "Hài lòng"]]:
        book.active.append(row)
    book.save(home.place("survey_responses", "a.xlsx"))
    home.ingest(sources=["survey_responses"])
    (path,) = home.paths.outbox.rglob("*.xlsx")
    assert openpyxl.load_workbook(path).sheetnames == [f"{LISTS_SHEET} (2)", LISTS_SHEET]


# --- put back


HEAD = ["Số phiếu", "Hình thức", "Ngày trả lời", "Đánh giá chung"]


def mended(path: Path) -> openpyxl.Workbook:
    book = openpyxl.load_workbook(path)
    for row in book.worksheets[0].iter_rows():
        if row[-1].value == "không rõ":
            row[-1].value = "Hài lòng"
    return book


def cells_of(path: Path) -> list[list[Any]]:
    return [list(row) for row in mended(path).worksheets[0].iter_rows(values_only=True)]


def as_it_is(path: Path, target: Path) -> None:
    mended(path).save(target)


def without_properties(path: Path, target: Path) -> None:
    """As programs in a browser save it."""
    mended(path).save(target)
    with zipfile.ZipFile(target) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["docProps/core.xml"] = b'<?xml version="1.0"?><cp:coreProperties xmlns:cp="urn:x"/>'
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


def as_csv(path: Path, target: Path) -> None:
    with target.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file, delimiter=";").writerows(cells_of(path))


def as_xls(path: Path, target: Path) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Sheet1")
    for r, row in enumerate(cells_of(path)):
        for c, cell in enumerate(row):
            if cell is not None:
                sheet.write(r, c, cell)
    book.save(str(target))


WAYS = {
    "as it is": (as_it_is, "a.xlsx.rejected.xlsx"),
    "under another name": (as_it_is, "đã sửa.xlsx"),
    "without its properties": (without_properties, "a.xlsx.rejected.xlsx"),
    "downloaded twice": (without_properties, "a.xlsx.rejected (1).xlsx"),
    "as an old workbook": (as_xls, "a.xlsx.rejected.xls"),
    "as text": (as_csv, "a.xlsx.rejected.csv"),
}


def rejected_and_mended(home: Any, way: Callable[[Path, Path], None], name: str) -> Any:
    rows = [[f"P{n}", "Phiếu giấy", "10/01/2023", "không rõ" if n > 1 else "Hài lòng"] for n in range(1, 5)]
    home.workbook("survey_responses", [HEAD, *rows])
    home.ingest(sources=["survey_responses"])
    (workbook,) = home.paths.outbox.rglob("*.xlsx")
    way(workbook, home.place("survey_responses", name))
    report = home.ingest(sources=["survey_responses"])
    (state,) = status(home.paths, ["945"], QUARTER, ["survey_responses"])
    assert (report.rows_read, report.rows_accepted, report.rows_rejected) == (4, 4, state.rows_rejected)
    return state


@pytest.mark.parametrize("way", WAYS.values(), ids=list(WAYS))
def test_a_mended_workbook_closes_its_rejections_however_it_was_saved(home: Any, way: Any) -> None:
    state = rejected_and_mended(home, *way)
    assert (state.rows_accepted, state.rows_rejected) == (4, 0)
    assert not list(home.paths.outbox.rglob("*.xlsx"))
    before = read_deliveries(home.paths)
    assert home.ingest(sources=["survey_responses"]).files_read == 0
    assert read_deliveries(home.paths).equals(before)


@pytest.mark.parametrize("way", ["as it is", "without its properties"])
def test_both_files_in_a_home_that_was_lost_are_read_as_they_were(
    home: Any, reference: Any, tmp_path: Path, way: str
) -> None:
    rejected_and_mended(home, *WAYS[way])
    again = type(home)(tmp_path / "again", reference)
    again.paths.landing.parent.mkdir()
    home.paths.landing.rename(again.paths.landing)
    again.ingest(sources=["survey_responses"])
    (state,) = status(again.paths, ["945"], QUARTER, ["survey_responses"])
    assert (state.rows_accepted, state.rows_rejected) == (4, 0)


def test_a_version_that_was_passed_over_counts_once_its_rows_came_back_mended(home: Any) -> None:
    rows = [[f"P{n}", "Phiếu giấy", "10/01/2023", "Hài lòng"] for n in range(1, 5)]
    home.workbook("survey_responses", [HEAD, *rows])
    home.ingest(sources=["survey_responses"])
    worse = [[*row[:3], "không rõ" if n else "Hài lòng"] for n, row in enumerate(rows)]
    home.workbook("survey_responses", [HEAD, *worse, ["P9", "Phiếu giấy", "11/01/2023", "Hài lòng"]])
    home.ingest(sources=["survey_responses"])
    (state,) = status(home.paths, ["945"], QUARTER, ["survey_responses"])
    assert (state.rows_accepted, state.corrections_refused) == (4, 1), "more than half of it is wrong"
    (workbook,) = home.paths.outbox.rglob("*.xlsx")
    as_it_is(workbook, home.place("survey_responses", workbook.name))
    home.ingest(sources=["survey_responses"])
    (state,) = status(home.paths, ["945"], QUARTER, ["survey_responses"])
    assert (state.rows_accepted, state.rows_rejected, state.corrections_refused) == (5, 0, 0)


def test_a_name_alone_closes_nothing_where_two_contents_bore_it(home: Any) -> None:
    for mark in ("không rõ", "không biết"):
        home.workbook("survey_responses", [HEAD, ["P1", "Phiếu giấy", "10/01/2023", mark]])
        home.ingest(sources=["survey_responses"])
    (workbook,) = home.paths.outbox.rglob("*.xlsx")
    without_properties(workbook, home.place("survey_responses", workbook.name))
    home.ingest(sources=["survey_responses"])
    assert {d["rows_mended"] for d in read_deliveries(home.paths).to_pylist()} == {0}


def test_a_log_that_says_that_the_workbook_replaces_what_it_answers_ends(home: Any) -> None:
    rejected_and_mended(home, *WAYS["as it is"])
    log = home.paths.landing / "945" / QUARTER / "delivery_log.csv"
    log.write_text("source,file_name,replaces\nsurvey_responses,a.xlsx.rejected.xlsx,a.xlsx\n", encoding="utf-8")
    home.ingest(sources=["survey_responses"])
    assert sum(d["is_current"] for d in read_deliveries(home.paths).to_pylist()) >= 1
