"""Templates and the dry run: what a clerk fills in is taken, what he is told beforehand is what happens."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ingestion import check_file, load_contracts, read_deliveries, write_template
from ingestion.clerk.feedback import SUFFIX
from ingestion.clerk.fields import template_columns
from ingestion.clerk.templates import DATA_SHEET, HELP_SHEET
from ingestion.dry_run import NOT_A_DELIVERY, CheckedFile
from ingestion.engine import ingest_quarter, reading_context
from ingestion.rows.own_words import LISTS_SHEET
from ingestion.rows.untouched import NOTHING
from tests.support.templates import PROVINCE_REGISTER, example_row, unit_of

SOURCES = sorted(load_contracts())
QUARTER = "2023-Q1"
SURVEY = ["Số phiếu", "Hình thức", "Ngày trả lời", "Đánh giá chung"]


@pytest.fixture(scope="module")
def sample(sample_landing: Path, tmp_path_factory: pytest.TempPathFactory, reference: Any) -> Any:
    """A home with the sample's deliveries, and a province's register of departments, in its landing folder; nothing of
    it has been ingested.
    """
    from tests.integration.ingestion.conftest import Home

    home = Home(tmp_path_factory.mktemp("sample-home"), reference)
    shutil.copytree(sample_landing, home.paths.landing)
    home.workbook("org_units", PROVINCE_REGISTER, unit="94")
    return home


def head_row(sheet: Any, first_heading: str) -> int:
    return next(int(row[0].row) for row in sheet.iter_rows() if row[0].value == first_heading)


def filled(data: bytes, source: str, path: Path, rows: list[dict[str, Any]]) -> Path:
    """The template with rows (by column name) typed in below its headings."""
    contract = load_contracts()[source]
    columns = {c.title_vi: c.name for c in template_columns(contract)}
    book = openpyxl.load_workbook(io.BytesIO(data))
    sheet = book[DATA_SHEET]
    head = head_row(sheet, template_columns(contract)[0].title_vi)
    for offset, row in enumerate(rows, start=1):
        for cell in sheet[head]:
            if cell.value in columns:
                sheet.cell(head + offset, cell.column).value = row.get(columns[cell.value])
    book.save(path)
    return path


def tried(home: Any, source: str, path: Path, unit: str = "", quarter: str = QUARTER) -> CheckedFile:
    return check_file(home.paths, source, path, unit or unit_of(source), quarter, reference=home.reference)


@pytest.mark.parametrize("source", SOURCES)
def test_the_example_typed_into_the_template_is_taken_without_a_remark(
    sample: Any, tmp_path: Path, source: str
) -> None:
    contract = load_contracts()[source]
    context = reading_context_of(sample, source)
    example = example_row(contract, context.period, context)
    assert all(example.values())
    data = write_template(sample.paths, source, unit_of(source), QUARTER, reference=sample.reference)
    found = tried(sample, source, filled(data, source, tmp_path / "a.xlsx", [example]))
    assert (found.outcome, found.rows_read, found.rejections, found.findings) == ("accepted", 1, (), ())
    assert found.unknown_columns == ()
    assert found.message_vi == ""


@pytest.mark.parametrize("source", SOURCES)
def test_a_row_typed_twice_is_told_whatever_its_columns_hold(sample: Any, tmp_path: Path, source: str) -> None:
    """Columns of every type are compared: what repeats a row, and what contradicts one under the same key."""
    contract = load_contracts()[source]
    context = reading_context_of(sample, source)
    example = example_row(contract, context.period, context)
    asked = {*contract.key, *(column.name for column in contract.columns if column.required)}
    kept = {c.name for c in contract.lake_columns() if not c.transient and c.resolved_from is None}
    other = next((name for name in example if name in kept - asked), None)
    data = write_template(sample.paths, source, unit_of(source), QUARTER, reference=sample.reference)
    for number, third in enumerate((example, example | {other: None} if other else example)):
        path = filled(data, source, tmp_path / f"{number}.xlsx", [example, example, third])
        found = tried(sample, source, path)
        told = {remark["reason_code"] for remark in (*found.rejections, *found.findings)}
        assert {"duplicate_row", *(["duplicate_key"] if third != example else [])} <= told
        assert found.rows_read == 3


def reading_context_of(home: Any, source: str) -> Any:
    """The registers of the sample as an ingestion of its landing folder into another place would know them."""
    from ingestion import IngestPaths

    paths = IngestPaths(home.paths.landing, home.paths.raw.parent / "registers", home.paths.raw.parent / "unused")
    registers = ["org_units", "procedure_catalogue"]
    ingest_quarter(
        paths, QUARTER, units=["945", "94"], sources=registers, reference=home.reference, secret_key=b"k" * 32
    )
    return reading_context(paths, load_contracts()[source], unit_of(source), QUARTER, home.reference)


@pytest.mark.parametrize("source", [source for source in SOURCES if unit_of(source) == "945"])
def test_the_samples_own_rows_typed_into_the_template_are_all_taken(sample: Any, tmp_path: Path, source: str) -> None:
    from sample.rows import sample_rows

    rows = next(rows for (unit, name, _), rows in sample_rows(QUARTER).items() if (unit, name) == ("945", source))
    contract = load_contracts()[source]
    context = reading_context_of(sample, source)
    names = dict(context.units.entries)
    typed = [typed_row(contract, row, names) for row in rows[:60]]
    data = write_template(sample.paths, source, unit_of(source), QUARTER, reference=sample.reference)
    found = tried(sample, source, filled(data, source, tmp_path / "a.xlsx", typed))
    assert (found.outcome, found.rows_accepted, found.rejections) == ("accepted", len(typed), ())
    assert found.findings == ()


def typed_row(contract: Any, row: dict[str, Any], unit_names: dict[str, str]) -> dict[str, Any]:
    """A canonical row as a clerk types it: labels, names, real dates, texts."""
    cells: dict[str, Any] = {}
    for column in template_columns(contract):
        value = row.get(column.name)
        if value is None:
            continue
        match column.type:
            case "enum":
                value = next(x for x in column.labels[value] if not x.isdigit())
            case "flag":
                value = "Có" if value else "Không"
            case "presence":
                value = "x" if value else None
            case "unit":
                value = unit_names[value]
            case "month":
                value = f"{value:%m/%Y}"
            case "date" | "datetime" | "integer":
                pass
            case _:
                value = str(value).replace(".", ",") if column.type == "number_or_text" else str(value)
        cells[column.name] = value
    return cells


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("placed", [True, False])
def test_an_untouched_template_asks_whether_there_is_nothing_and_is_not_taken_for_it(
    sample: Any, tmp_path: Path, source: str, placed: bool
) -> None:
    place = (unit_of(source), QUARTER) if placed else (None, None)
    path = tmp_path / "a.xlsx"
    path.write_bytes(write_template(sample.paths, source, *place, reference=sample.reference))
    found = tried(sample, source, path)
    assert (found.outcome, found.rows_read, found.unknown_columns) == ("refused", 0, ())
    assert "chưa điền gì: trong kỳ không phát sinh?" in found.message_vi
    assert NOTHING in found.message_vi


def test_an_untouched_text_asks_too_and_takes_the_answer(sample: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    data = write_template(sample.paths, "report_narrative", "945", QUARTER, reference=sample.reference, as_text=True)
    path.write_bytes(data)
    found = tried(sample, "report_narrative", path)
    assert (found.outcome, "trong kỳ không phát sinh?" in found.message_vi) == ("refused", True)
    first = data.decode("utf-8-sig").index("\r\n[")
    path.write_text(data.decode("utf-8-sig")[:first] + f"\r\n{NOTHING}" + data.decode("utf-8-sig")[first:], "utf-8")
    assert tried(sample, "report_narrative", path).outcome == "nothing_to_report"


@pytest.mark.parametrize("source", SOURCES)
def test_the_words_for_nothing_in_the_first_cell_are_enough(sample: Any, tmp_path: Path, source: str) -> None:
    data = write_template(sample.paths, source, unit_of(source), QUARTER, reference=sample.reference)
    first = template_columns(load_contracts()[source])[0].name
    found = tried(sample, source, filled(data, source, tmp_path / "a.xlsx", [{first: NOTHING}]))
    assert (found.outcome, found.message_vi) == ("nothing_to_report", "")


@pytest.mark.parametrize("source", SOURCES)
def test_a_template_has_locked_headings_hints_lists_and_text_cells(sample: Any, source: str) -> None:
    contract = load_contracts()[source]
    data = write_template(sample.paths, source, unit_of(source), QUARTER, reference=sample.reference)
    assert data == write_template(sample.paths, source, unit_of(source), QUARTER, reference=sample.reference)
    book = openpyxl.load_workbook(io.BytesIO(data))
    assert book.sheetnames == [DATA_SHEET, HELP_SHEET, LISTS_SHEET]
    sheet = book[DATA_SHEET]
    assert book[LISTS_SHEET].sheet_state == "hidden"
    columns = template_columns(contract)
    head = head_row(sheet, columns[0].title_vi)
    headings = [cell.value for cell in sheet[head]]
    shown = contract.form_row.shown.headings if contract.form_row else ()
    assert [heading for heading in headings if heading not in shown] == [c.title_vi for c in columns]
    assert set(shown) <= set(headings)
    assert int(sheet.freeze_panes.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")) == head + 1
    assert sheet.protection.sheet
    assert all(cell.protection.locked for cell in sheet[head])
    rules = {str(rule.sqref).rstrip("0123456789:").split(":")[0].rstrip("0123456789"): rule
             for rule in sheet.data_validations.dataValidation
             if int(str(rule.sqref).split(":")[0].lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")) > head}  # fmt: skip
    for column in columns:
        letter = openpyxl.utils.get_column_letter(headings.index(column.title_vi) + 1)
        rule = rules[letter]
        assert rule.promptTitle == column.title_vi[:32]
        assert "Ví dụ: " in rule.prompt
        assert column.help_vi in rule.prompt
        assert len(rule.prompt) < 255
        assert rule.prompt.startswith("Bắt buộc") == column.required
        if column.type in ("enum", "flag", "unit"):
            assert rule.type == "list"
            values = [str(c.value) for row in book[LISTS_SHEET][rule.formula1.split("!")[1]] for c in row]
            assert len(values) >= 2
        place = headings.index(column.title_vi) + 1
        # Columns alike are stored as one stretch.
        look = next(d for d in sheet.column_dimensions.values() if d.min <= place <= d.max)
        assert (look.number_format == "@") == (column.type not in ("integer", "decimal"))
        assert not look.protection.locked
    assert not any(cell.data_type == "f" for each in book for row in each.iter_rows() for cell in row)


@pytest.mark.parametrize("bad", [None, "not a workbook", "no header"])
def test_what_is_told_beforehand_is_what_ingestion_then_does(registers: Any, tmp_path: Path, bad: str | None) -> None:
    rows = [SURVEY, ["P1", "Phiếu giấy", "10/01/2023", "Hài lòng"], ["P2", "Bồ câu", "10/01/2023", "Hài lòng"]]
    path = registers.workbook("survey_responses", rows if bad != "no header" else [["chỉ có chữ"]])
    if bad == "not a workbook":
        path.write_bytes(b"PK\x03\x04 cut off")
    before = {p: p.stat().st_mtime_ns for p in registers.paths.landing.parent.rglob("*")}
    found = tried(registers, "survey_responses", path)
    assert {p: p.stat().st_mtime_ns for p in registers.paths.landing.parent.rglob("*")} == before
    registers.ingest()
    (delivery,) = [d for d in read_deliveries(registers.paths).to_pylist() if d["source"] == "survey_responses"]
    for name in ("outcome", "message_vi", "rows_read", "rows_accepted", "rows_rejected", "rows_with_findings"):
        assert getattr(found, name) == delivery[name], name
    assert [r["reason_code"] for r in found.rejections] == [
        r["reason_code"] for r in registers.rows("survey_responses", "rejected")
    ]
    (kept,) = registers.paths.outbox.rglob(f"*{SUFFIX}")
    assert sheets(found.workbook) == sheets(kept.read_bytes())
    assert not found.would_be_taken


def sheets(data: bytes | None) -> dict[str, list[list[Any]]]:
    assert data is not None
    book = openpyxl.load_workbook(io.BytesIO(data))
    return {sheet.title: [[cell.value for cell in row] for row in sheet.iter_rows()] for sheet in book}


def test_names_are_checked_against_registers_taken_in_before_or_only_delivered(registers: Any, tmp_path: Path) -> None:
    rows = [["Kế hoạch", "Mã nhiệm vụ", "Đơn vị chủ trì"], ["CCHC năm", "1", "Phòng Nội vụ"]]
    path = registers.workbook("plan_tasks", rows, quarter="2023-Q2")
    assert tried(registers, "plan_tasks", path, quarter="2023-Q2").outcome == "accepted"
    registers.ingest()
    for file in registers.paths.landing.rglob("org_units/*"):
        file.unlink()
    assert tried(registers, "plan_tasks", path, quarter="2023-Q2").outcome == "accepted"


def test_what_is_no_delivery_is_said_to_be_none(home: Any) -> None:
    path = home.place("survey_responses", "~$a.xlsx")
    path.write_bytes(b"lock")
    found = tried(home, "survey_responses", path)
    assert (found.outcome, found.workbook) == (NOT_A_DELIVERY, None)
    assert found.message_vi


def test_a_template_offers_only_what_is_valid_in_the_quarter(sample: Any) -> None:
    data = write_template(sample.paths, "one_stop_cases", "945", QUARTER, reference=sample.reference)
    book = openpyxl.load_workbook(io.BytesIO(data))
    lists = {column[2].value: [c.value for c in column[3:] if c.value] for column in book[LISTS_SHEET].iter_cols()}
    context = reading_context_of(sample, "one_stop_cases")
    in_force = {e.code for e in context.procedures.entries if e.valid_on(context.period.closes_on)}
    assert set(lists["Danh sách: Mã TTHC"]) == in_force != set()
    assert "Xã An Thạnh 1" in lists["Danh sách: Đơn vị tiếp nhận"]
    titles = [str(row[0].value) for row in book[DATA_SHEET].iter_rows(max_row=5)]
    assert "Từ ngày 15/12/2022 đến ngày 14/03/2023" in titles
