"""Passports of the sample's release: every row of the form adds up, and the rows named are the delivered ones."""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import hashlib
import io
import json
import re
import shutil
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pyarrow.parquet as pq
import pytest

from ingestion import IngestPaths
from orchestration.real_names import file_names, sheet_names
from publication import neutral_name
from tests.conftest import CliResult
from tests.pipeline.conftest import QUARTER, UNIT, indicators, release_of

Figure = dict[str, Any]
Explain = Callable[..., CliResult]
OPENS, CLOSES = dt.date(2022, 12, 15), dt.date(2023, 3, 14)
RESOLVED = {"Đã trả kết quả", "Đã trả", "Đã xử lý xong", "Đã giải quyết"}


@pytest.fixture(scope="module")
def release(published_home: Path) -> Path:
    found = release_of(published_home)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def document(release: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((release / "quality" / "passports.json").read_bytes())
    return read


@pytest.fixture(scope="module")
def explain(published_home: Path, cli: Callable[..., CliResult]) -> Explain:
    return lambda row, *more: cli(published_home, "explain", row, "--unit", UNIT, "--quarter", QUARTER, *more)


def _numbers(rows: str) -> list[int]:
    """Row numbers of ``6-8,10``, read without the code under test."""
    spans = [[int(end) for end in span.split("-")] for span in rows.split(",")]
    return [number for span in spans for number in range(span[0], span[-1] + 1)]


def _come_to(part: dict[str, Any]) -> Decimal:
    for entry in part["files"]:
        assert entry["rows"] is None or len(set(_numbers(entry["rows"]))) == entry["count"]
        assert (entry["rows"] is None) == (entry["file"] is None)
    return sum((Decimal(entry["amount"]) for entry in part["files"]), Decimal(0))


def _follows(figure: Figure, row: dict[str, Any]) -> Decimal | None:
    """What a figure's parts come to, by the text of its formula alone."""
    parts = {
        role: [p for p in figure["parts"] if p["role"] == role]
        for role in ("value", "numerator", "denominator", "term", "declared")
    }
    values = [Decimal(part["value"]) for part in parts["term"] if part["value"] is not None]
    if row["status"] == "declared" and parts["declared"]:
        return _come_to(parts["declared"][0])
    if parts["value"]:
        return _come_to(parts["value"][0])
    if parts["numerator"]:
        share = 100 * _come_to(parts["numerator"][0]) / _come_to(parts["denominator"][0])
        return share.quantize(Decimal("0.01"), ROUND_HALF_UP)
    if figure["formula_vi"].startswith("Bằng "):
        return sum(values, Decimal(0))
    if figure["formula_vi"].startswith("Ghi 1 nếu"):
        return Decimal(any(values))
    if figure["formula_vi"].startswith("Ghi 2 nếu"):
        return Decimal({(True, True): 2, (True, False): 1, (False, True): 0}[values[0] > 0, values[1] > 0])
    assert figure["formula_vi"].startswith("Ghi 0 vì dòng")
    return Decimal(0)


def test_the_rows_named_add_up_to_every_figure_of_the_form(release: Path, document: dict[str, Any]) -> None:
    rows = indicators(release)
    figures = {figure["row_no"]: figure for figure in document["figures"].values()}
    assert len(figures) == len(rows) == 211
    for number, row in rows.items():
        for part in figures[number]["parts"]:
            if part["value"] is not None and (part["files"] or part["role"] != "term"):
                assert _come_to(part) == Decimal(part["value"]), (number, part["label_vi"])
        if row["value"] is not None:
            assert _follows(figures[number], row) == row["value"], number
        else:
            assert figures[number]["printed"] == ""
        if row["numerator"] is not None:
            first, second = figures[number]["parts"][:2]
            assert (_come_to(first), _come_to(second)) == (row["numerator"], row["denominator"])


def test_every_figure_says_how_and_every_blank_says_why(document: dict[str, Any]) -> None:
    for figure in document["figures"].values():
        assert figure["formula_vi"].endswith(".")
        if figure["printed"] == "" and figure["formula_vi"] != "Dòng tiêu đề, không có số liệu.":
            assert figure["notes_vi"], figure["row_no"]
    waits = {f["row_no"]: f["notes_vi"][0] for f in document["figures"].values() if f["status"] == "not_reported"}
    assert waits[127] == (
        "Tệp «Danh sách cán bộ, công chức, viên chức» đã nhận nhưng chưa ghi đủ “Ngày bổ nhiệm”, “Lãnh đạo”."
    )
    assert waits[175] == (
        "Tệp «Hồ sơ một cửa» đã nhận nhưng chưa ghi đủ “Mã TTHC”, “Tên TTHC”, "
        "“Đang cung cấp mức độ” (tệp «Danh mục thủ tục hành chính»)."
    )


def test_no_person_and_no_case_is_named(release: Path, document: dict[str, Any]) -> None:
    assert pq.read_schema(release / "marts" / "figure_rows.parquet").names == [
        "unit_code", "quarter", "figure", "delivery_id", "sheet", "amount_each", "decision_id", "row_numbers",
        "row_count", "amount", "held_back"]  # fmt: skip
    assert "H51-" not in json.dumps(document)


def test_no_published_file_knows_what_deliveries_are_called(
    published_home: Path, release: Path, document: dict[str, Any]
) -> None:
    log = pq.read_table(release / "marts" / "delivery_log.parquet").to_pylist()
    for row in log:
        assert row["file_name"] == neutral_name(row | {"unit_code": row["delivering_unit_code"]})
    assert {file["file_name"] for file in document["files"]} <= {row["file_name"] for row in log}
    paths = IngestPaths(published_home / "landing", published_home / "raw", published_home / "outbox")
    real = set(file_names(paths).values())
    told = b"".join(path.read_bytes() for path in release.rglob("*") if path.suffix in (".json", ".csv", ".html"))
    assert real
    assert [name for name in real if name.encode() in told] == []


# -- the delivered files themselves ------------------------------------------------------------------------------


class Delivered:
    """The workbooks as they lie in the landing folder, opened here without the intake."""

    def __init__(self, home: Path, document: dict[str, Any]) -> None:
        self._landing = home / "landing"
        self._files = document["files"]
        self._paths = IngestPaths(home / "landing", home / "raw", home / "outbox")
        self._names = file_names(self._paths)
        self._sheet = cache(self._read)

    def named(self, part: dict[str, Any]) -> list[dict[str, str]]:
        """The cells of the rows that a part names, by heading."""
        return [
            self._sheet(entry["file"], entry["sheet"])[number]
            for entry in part["files"]
            for number in _numbers(entry["rows"])
        ]

    def others(self, part: dict[str, Any]) -> list[dict[str, str]]:
        """The cells of the data rows of the same sheets that it does not name."""
        return [
            cells
            for entry in part["files"]
            for number, cells in self._sheet(entry["file"], entry["sheet"]).items()
            if number not in _numbers(entry["rows"])
        ]

    def _read(self, file_no: int, sheet: str) -> dict[int, dict[str, str]]:
        file = self._files[file_no]
        assert file["file_name"] == neutral_name(file)
        name = self._names[file["delivery_id"]]
        path = self._landing / file["unit_code"] / file["quarter"] / file["source"] / name
        sheet = sheet_names(self._paths, file["delivery_id"])[int(sheet.removeprefix("trang ")) - 1]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == file["sha256"]
        lines = [
            ["" if cell is None else str(cell) for cell in line]
            for line in openpyxl.load_workbook(path)[sheet].iter_rows(values_only=True)
        ]
        top = next(number for number, line in enumerate(lines) if line[0] == "STT")
        first = next(number for number, line in enumerate(lines) if number > top and line[0].isdigit())
        heads = [
            [cell for cell in column[::-1] if len(cell.strip("()")) > 2]
            for column in zip(*lines[top:first], strict=True)
        ]
        headings = [head[0] if head else "" for head in heads]
        return {
            number + 1: dict(zip(headings, line, strict=True))
            for number, line in enumerate(lines)
            if number >= first and line[0].isdigit()
        }


@pytest.fixture(scope="module")
def delivered(published_home: Path, document: dict[str, Any]) -> Delivered:
    return Delivered(published_home, document)


def _cell(cells: dict[str, str], *headings: str) -> str:
    (found,) = [cells[heading] for heading in headings if heading in cells]
    return found


def _day(text: str) -> dt.date | None:
    if not text:
        return None
    return dt.datetime.strptime(text[:10], "%d/%m/%Y" if text[2] == "/" else "%Y-%m-%d").date()


def _part(document: dict[str, Any], code: str, role: str = "value") -> dict[str, Any]:
    (found,) = [part for part in document["figures"][code]["parts"] if part["role"] == role]
    return dict(found)


def test_resolved_cases_are_the_rows_that_the_district_delivered_as_resolved(
    document: dict[str, Any], delivered: Delivered
) -> None:
    part = _part(document, "III.24")
    named, others = delivered.named(part), delivered.others(part)
    assert (len(named), len(others)) == (611, 534)
    for cells in named:
        ended = _day(cells["Ngày kết thúc xử lý"] or cells["Trả kết quả"])
        assert cells["Trạng thái hồ sơ"] in RESOLVED
        assert ended is not None
        assert OPENS <= ended <= CLOSES
    assert not [cells for cells in others if cells["Trạng thái hồ sơ"] in RESOLVED]


def test_the_five_late_cases_are_the_rows_that_the_decisions_name(
    document: dict[str, Any], delivered: Delivered, release: Path
) -> None:
    table = pq.read_table(release / "marts" / "figure_rows.parquet").to_pylist()
    rows = {row["decision_id"]: row for row in table if row["decision_id"]}
    assert sorted(rows) == ["QD-01", "QD-02", "QD-03", "QD-04", "QD-05"]
    part = _part(document, "III.25")
    (entry,) = part["files"]
    lines = [number for row in rows.values() for number in _numbers(row["row_numbers"])]
    late = delivered.named({"files": [{**entry, "rows": ",".join(map(str, sorted(lines)))}]})
    assert len(late) == 5
    for cells in late:
        ended, due = _day(cells["Ngày kết thúc xử lý"]), _day(cells["Ngày hẹn trả mới"] or cells["Hẹn trả kết quả"])
        assert ended is not None
        assert due is not None
        assert ended > due
        assert cells["Lý do trễ hẹn"].startswith("Lỗi cập nhật trên phần mềm")


def test_commune_cases_are_the_rows_received_in_the_quarter(document: dict[str, Any], delivered: Delivered) -> None:
    part = _part(document, "III.26")
    received = [
        [_day(_cell(cells, "Nhận hồ sơ", "Ngày tiếp nhận", "Ngày nhận")) for cells in rows]
        for rows in (delivered.named(part), delivered.others(part))
    ]
    assert len(received[0]) == 6530
    assert all(day is not None and OPENS <= day <= CLOSES for day in received[0])
    assert received[1]
    assert all(day is not None and day < OPENS for day in received[1])


def test_declared_figures_point_to_the_row_of_their_code(document: dict[str, Any], delivered: Delivered) -> None:
    declared = {
        code: part
        for code, figure in document["figures"].items()
        for part in figure["parts"]
        if part["role"] == "declared"
    }
    assert len(declared) > 60
    for code, part in declared.items():
        (cells,) = delivered.named(part)
        assert cells["Mã chỉ tiêu"] == code
        assert Decimal(cells["Số lượng/Tỷ lệ"].replace(".", "").replace(",", ".")) == Decimal(part["value"])


def test_tasks_done_are_the_rows_with_a_day_and_a_proof(document: dict[str, Any], delivered: Delivered) -> None:
    done, all_tasks = (delivered.named(_part(document, "I.02", role)) for role in ("numerator", "denominator"))
    proved = [cells for cells in all_tasks if cells["Ngày hoàn thành"] and cells["Văn bản minh chứng"]]
    assert (len(done), len(all_tasks)) == (9, 19)
    assert done == proved


def test_the_pages_query_unfolds_the_rows(release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).parents[2] / "docs" / "passports.md").read_text(encoding="utf-8")
    (query,) = re.findall(r"^```sql\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(release)
    rows = duckdb.sql(query).fetchall()
    assert len({row[1:4] for row in rows}) == 611
    assert sum(row[4] for row in rows) == 611


# -- the command -------------------------------------------------------------------------------------------------


def test_explain_tells_figure_formula_files_and_decisions(explain: Explain) -> None:
    result = explain("73")
    assert result.code == 0
    for told in (
        "III.25, dòng 73",
        "Kết quả: 611 hồ sơ",
        "Cách tính: Đếm hồ sơ cấp huyện",
        "ho-so-mot-cua.xlsx",
        "QD-01, QD-02, QD-03, QD-04, QD-05",
        "611 dòng, cộng vào 611",
        "từ 15/12/2022 đến 14/03/2023",
    ):
        assert told in result.stdout
    assert explain("iii.25").stdout == result.stdout
    assert "Tử số: 9" in explain("2").stdout


def test_explain_as_json_holds_the_passport(explain: Explain, document: dict[str, Any]) -> None:
    answer = json.loads(explain("III.25", "--json").stdout)
    assert answer["printed"] == document["figures"]["III.25"]["printed"] == "611"
    (entry,) = answer["parts"][0]["files"]
    assert entry["file_name"] == "ho-so-mot-cua.xlsx"
    assert len(_numbers(entry["rows"])) == 611


@pytest.mark.parametrize(("code", "part", "total"), [
    ("III.25", "value", 611), ("VII.19", "value", 8), ("VII.30", "value", 3211), ("I.02", "denominator", 19),
    ("V.17", "value", 43), ("VI.04", "term", 1),
])  # fmt: skip
def test_every_row_is_exported_with_what_it_contributes(
    explain: Explain, tmp_path: Path, code: str, part: str, total: int
) -> None:
    path = tmp_path / "rows.csv"
    assert explain(code, "--csv", str(path)).code == 0
    data = path.read_bytes()
    assert data.startswith(codecs.BOM_UTF8)
    rows = [row for row in csv.DictReader(io.StringIO(data.decode("utf-8-sig"))) if row["part"] == part]
    assert sum(Decimal(row["amount"]) for row in rows) == total
    assert len({(row["delivery_id"], row["sheet"], row["row"]) for row in rows}) == len(rows)


@pytest.mark.parametrize(("arguments", "told"), [
    (("999",), "biểu không có chỉ tiêu '999'"),
    (("VIII.01",), "mã chỉ tiêu như I.01"),
    (("73", "--release", "9"), "chưa có bản công bố r9"),
    (("73", "--unit", "942"), "942, 2023-Q1: chưa có bản công bố nào"),
    (("73", "--unit", "31615"), "đơn vị báo cáo là 945"),
    (("73", "--unit", "000"), "không có đơn vị nào mang mã 000"),
    (("73", "--quarter", "2023-Q9"), "không có kỳ báo cáo"),
    (("73", "--release", "1", "--candidate"), "chỉ dùng một trong hai"),
    (("73", "--csv", "/nowhere/rows.csv"), "không ghi được"),
])  # fmt: skip
def test_what_cannot_be_explained_is_said_in_vietnamese(
    explain: Explain, arguments: tuple[str, ...], told: str
) -> None:
    result = explain(*arguments)
    assert result.code == 2
    assert told in result.stderr


def test_a_damaged_release_explains_nothing(
    published_home: Path, cli: Callable[..., CliResult], tmp_path: Path
) -> None:
    shutil.copytree(published_home / "published", tmp_path / "published")
    damaged = release_of(tmp_path)
    assert damaged is not None
    path = damaged / "quality" / "passports.json"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b'"611"', b'"612"', 1))
    result = cli(tmp_path, "explain", "73", "--unit", UNIT, "--quarter", QUARTER)
    assert (result.code, result.stdout) == (1, "")
    assert "đã hư hại" in result.stderr


def test_what_waits_for_publication_can_be_explained_too(explain: Explain) -> None:
    waiting = explain("73", "--candidate")
    assert waiting.code == 0
    assert "số liệu chờ công bố" in waiting.stdout
    assert "611 dòng, cộng vào 611" in waiting.stdout
