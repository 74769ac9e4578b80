"""The sample's files: clerks' furniture, headings of the contracts, equal bytes, and the large variant."""

from __future__ import annotations

import csv
import datetime as dt
import tracemalloc
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from ingestion.base.contracts import load_contracts
from ingestion.rows.values import parse_case_code
from sample import LARGEST_SCALE, QUARTERS, ForeignFiles, sample_rows, write_sample
from sample.districts import CU_LAO_DUNG
from sample.layouts import COUNTER, Layout, layout_of
from sample.rows import unmultiplied_rows
from sample.workbooks import csv_layout
from sample.writer import MARKER

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample-landing")
    write_sample(folder, ["2023-Q1"])
    return folder


def _layouts() -> list[tuple[str, Layout]]:
    files = sample_rows("2023-Q1")
    communes = [commune.code for commune in CU_LAO_DUNG.communes]
    found = [
        ("one_stop_cases", csv_layout("one_stop_cases", CU_LAO_DUNG)),
        ("e_document_counts", csv_layout("e_document_counts", CU_LAO_DUNG)),
    ]
    for (unit, source, file_name), rows in files.items():
        if file_name.endswith(".txt"):
            continue  # running text has no columns
        position = communes.index(unit) if unit in communes else None
        found.append((source, layout_of(source, position, {name for row in rows for name in row})))
    return found


def _cells(path: Path) -> list[list[object]]:
    return [list(row) for row in openpyxl.load_workbook(path).active.iter_rows(values_only=True)]


def test_every_heading_is_an_alias_of_its_column_or_personal() -> None:
    contracts = load_contracts()
    for source, layout in _layouts():
        contract = contracts[source]
        for heading in layout.headings:
            if heading.field == COUNTER:
                assert heading.text == "STT"
            elif heading.field.startswith("@"):
                assert heading.text in contract.personal, (source, heading)
            else:
                assert heading.text in contract.column(heading.field).aliases, (source, heading)


def test_communes_head_their_cases_differently() -> None:
    layouts = [layout_of("one_stop_cases", position, set()) for position in range(8)]
    headings = {tuple(heading.text for heading in layout.headings) for layout in layouts}
    fields = [{heading.field for heading in layout.headings} for layout in layouts]
    assert len(headings) == 4
    assert any("receiving_unit" not in columns for columns in fields)
    assert any("procedure_code" not in columns for columns in fields)
    assert any("procedure_name" not in columns for columns in fields)
    assert {layout.dates for layout in layouts} == {"cell", "moment_text", "day_text"}


def test_files_lie_in_their_folders_with_the_time_of_delivery(tmp_path: Path) -> None:
    paths = write_sample(tmp_path, ["2022-Q4"])
    assert [path.relative_to(tmp_path).parts[:3] for path in paths] == [
        (unit, "2022-Q4", source) for unit, source, _ in sample_rows("2022-Q4")
    ]
    times = [dt.datetime.fromtimestamp(path.stat().st_mtime, ZONE) for path in paths]
    assert times[0] == dt.datetime(2022, 12, 15, 8, 0, tzinfo=ZONE)
    assert times == sorted(set(times))


def test_workbook_has_title_grouped_header_numbering_total_and_footer(landing: Path) -> None:
    rows = _cells(landing / "945" / "2023-Q1" / "one_stop_cases" / "ho-so-mot-cua.xlsx")
    text = [[str(cell) for cell in row if cell is not None] for row in rows]
    assert text[0] == ["UBND HUYỆN CÙ LAO DUNG", "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"]
    assert text[1][1] == "Độc lập - Tự do - Hạnh phúc"
    assert ["Từ ngày 15/12/2022 đến ngày 14/03/2023"] in text
    header = next(n for n, row in enumerate(text) if "Mã hồ sơ" in row)
    assert "Ngày, tháng, năm" in text[header]
    assert text[header + 1] == ["Nhận hồ sơ", "Hẹn trả kết quả", "Ngày kết thúc xử lý", "Trả kết quả"]
    assert text[header + 2][:3] == ["(1)", "(2)", "(3)"]
    total = next(n for n, row in enumerate(text) if row[:1] == ["Tổng cộng"])
    assert total - header - 3 == 1145
    assert ["Người lập biểu", "Thủ trưởng đơn vị"] in text[total:]
    assert ["Cù Lao Dung, ngày 15 tháng 03 năm 2023"] in text[total:]


def test_dates_are_cells_in_one_communes_file_and_text_in_anothers(landing: Path) -> None:
    def column(unit: str, heading: str) -> set[type]:
        rows = _cells(landing / unit / "2023-Q1" / "one_stop_cases" / "ho-so-mot-cua.xlsx")
        header = next(n for n, row in enumerate(rows) if heading in row)
        place = rows[header].index(heading)
        return {type(row[place]) for row in rows[header + 3 : header + 100]}

    assert column("31615", "Ngày tiếp nhận") == {dt.datetime}
    assert column("31618", "Nhận hồ sơ") == {str}


def test_rosters_lack_the_columns_that_the_real_quarter_lacks(landing: Path) -> None:
    folder = landing / "945" / "2023-Q1" / "staffing_roster"
    heads = {path.stem: {str(cell) for row in _cells(path)[:10] for cell in row} for path in folder.iterdir()}
    assert "Ngày bổ nhiệm" in heads["danh-sach-cong-chuc-vien-chuc"]
    assert "Ngày bổ nhiệm" not in heads["danh-sach-can-bo-cong-chuc-xa"]
    assert not any("Email công vụ" in found or "Thư điện tử công vụ" in found for found in heads.values())


def test_numbers_of_the_district_are_typed_with_dots(landing: Path) -> None:
    rows = _cells(landing / "945" / "2023-Q1" / "declared_returns" / "so-lieu-khai-bao.xlsx")
    assert [row[3] for row in rows if row[1] == "III.23"] == ["1.145"]


def test_one_commune_delivers_documents_as_csv(landing: Path) -> None:
    path = landing / "31636" / "2023-Q1" / "e_document_counts" / "van-ban-dien-tu.csv"
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    with path.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle, delimiter=";"))
    assert [row["Tháng"] for row in rows] == ["12/2022", "01/2023", "02/2023", "03/2023"]


def test_the_letters_paragraphs_are_a_text_with_the_contracts_headings(landing: Path) -> None:
    path = landing / "945" / "2023-Q1" / "report_narrative" / "noi-dung-bao-cao.txt"
    lines = path.read_bytes().decode("utf-8-sig").split("\r\n")
    assert lines[1] == "// Từ ngày 15/12/2022 đến ngày 14/03/2023"
    rows = sample_rows("2023-Q1")["945", "report_narrative", path.name]
    written = [line for line in lines if line and not line.startswith(("//", "["))]
    assert written == [row["text"] for row in rows]
    assert "[II.2] Hạn chế" in lines
    assert lines[-2:] == ["[Hết]", ""]


def test_writing_again_gives_equal_bytes_and_writes_only_what_differs(landing: Path, tmp_path: Path) -> None:
    paths = write_sample(tmp_path, ["2023-Q1"])
    for path in paths:
        assert path.read_bytes() == (landing / path.relative_to(tmp_path)).read_bytes()
    lost = next(tmp_path.rglob("so-lieu-khai-bao.xlsx"))
    content, delivered = lost.read_bytes(), lost.stat().st_mtime
    lost.unlink()
    before = {path: path.stat().st_ino for path in paths if path != lost}
    write_sample(tmp_path, ["2023-Q1"])
    assert {path: path.stat().st_ino for path in before} == before
    assert (lost.read_bytes(), lost.stat().st_mtime) == (content, delivered)


def test_what_a_stopped_writer_left_is_no_delivery_and_no_foreign_file(tmp_path: Path) -> None:
    (path, *_) = write_sample(tmp_path, ["2023-Q1"])
    half = path.with_name(f".{path.name}.part")
    half.write_bytes(path.read_bytes()[:100])
    path.unlink()
    write_sample(tmp_path, ["2023-Q1"])
    assert path.is_file()
    assert not half.exists()


def test_files_of_somebody_else_are_not_written_over(tmp_path: Path) -> None:
    write_sample(tmp_path, ["2023-Q1"])
    changed = next(tmp_path.rglob("so-lieu-khai-bao.xlsx"))
    changed.write_bytes(b"something else")
    with pytest.raises(ForeignFiles):
        write_sample(tmp_path, ["2023-Q1"])
    assert changed.read_bytes() == b"something else"


def test_large_samples_are_csv_with_codes_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sample.writer.LARGEST_WORKBOOK", 2000)
    write_sample(tmp_path, ["2023-Q1"], scale=2)
    path = tmp_path / "945" / "2023-Q1" / "one_stop_cases" / "ho-so-mot-cua.csv"
    with path.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle, delimiter=";"))
    assert len(rows) == len({row["Mã hồ sơ"] for row in rows}) == 2 * 1145
    assert {len(row) for row in rows} == {len(csv_layout("one_stop_cases", CU_LAO_DUNG).headings)}
    assert None not in rows[0]
    assert not path.with_suffix(".xlsx").exists()
    small = _cells(tmp_path / "31636" / "2023-Q1" / "one_stop_cases" / "ho-so-mot-cua.xlsx")
    assert len([row for row in small if str(row[1]).startswith("000.")]) == 2 * 646


def _lines(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle, delimiter=";"))


@pytest.fixture(scope="module")
def widest(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path]]:
    """Cases of a short list, as often as codes allow, by one process: in parts, none of which is large."""
    folder = tmp_path_factory.mktemp("widest")
    with pytest.MonkeyPatch.context() as patch:
        _few_cases(patch)
        patch.setattr("sample.writer.LARGEST_CSV", 40_000)
        return folder, write_sample(folder, ["2023-Q1"], scale=LARGEST_SCALE, processes=1)


def _few_cases(patch: pytest.MonkeyPatch) -> None:
    kept = unmultiplied_rows

    def few(*arguments: Any) -> dict[Any, list[dict[str, Any]]]:
        return {
            key: rows[:: max(1, len(rows) // 10)] if key[1] == "one_stop_cases" else rows
            for key, rows in kept(*arguments).items()
            if key[0] in ("945", "31615")
        }

    patch.setattr("sample.writer.unmultiplied_rows", few)


def test_the_widest_serials_are_codes_of_their_own_that_intake_reads(widest: tuple[Path, list[Path]]) -> None:
    paths = [path for path in widest[1] if path.parent.name == "one_stop_cases" and path.parts[-4] == "945"]
    codes = [line["Mã hồ sơ"] for path in paths for line in _lines(path)]
    assert len(codes) == len(set(codes)) > 100_000
    assert all(parse_case_code(code).value == code for code in codes[:: LARGEST_SCALE // 7])
    parts = [code.split("-") for code in codes]
    assert 9_999_000 < max(int(serial) for _, _, serial in parts) <= 9_999_999
    # Serials are numbers whatever their digits: no copy has another case's number of that day.
    assert len({(agency, day, int(serial)) for agency, day, serial in parts}) == len(codes)


def test_files_too_large_for_one_export_come_in_parts_whose_names_stand_in_order(
    widest: tuple[Path, list[Path]],
) -> None:
    paths = [path for path in widest[1] if path.parent.name == "one_stop_cases" and path.parts[-4] == "945"]
    names = [path.name for path in paths]
    assert names == sorted(names)
    assert names[0] in ("ho-so-mot-cua-1.csv", "ho-so-mot-cua-01.csv")
    found = [_lines(path) for path in paths]
    assert [len(lines) for lines in found[:-1]] == [40_000] * (len(paths) - 1)
    assert 0 < len(found[-1]) <= 40_000
    cases = [{line["Mã hồ sơ"][:18] for line in lines} for lines in found]
    assert all(cases), "each part has its cases"


def test_several_processes_write_the_bytes_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sample.writer.LARGEST_WORKBOOK", 2000)
    monkeypatch.setattr("sample.writer.LARGEST_CSV", 1500)
    alone = write_sample(tmp_path / "alone", ["2023-Q1"], scale=3, processes=1)
    beside = write_sample(tmp_path / "beside", ["2023-Q1"], scale=3, processes=3)
    assert [path.relative_to(tmp_path / "beside") for path in beside] == [
        path.relative_to(tmp_path / "alone") for path in alone
    ]
    kinds = {path.suffix for path in alone if path.parent.name == "one_stop_cases"}
    assert kinds == {".csv", ".xlsx"}
    assert (tmp_path / "alone" / "945" / "2023-Q1" / "one_stop_cases" / "ho-so-mot-cua-3.csv").is_file()
    for one, other in zip(alone, beside, strict=True):
        assert one.read_bytes() == other.read_bytes()
        assert one.stat().st_mtime == other.stat().st_mtime
    assert (tmp_path / "alone" / MARKER).read_bytes() == (tmp_path / "beside" / MARKER).read_bytes()


def test_memory_of_writing_does_not_grow_with_the_scale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = ("945", "one_stop_cases", "ho-so-mot-cua.xlsx")
    rows = sample_rows("2023-Q1")[key][:6]
    monkeypatch.setattr("sample.writer.unmultiplied_rows", lambda *_: {key: rows})
    monkeypatch.setattr("sample.writer.LARGEST_WORKBOOK", 0)
    most = []
    for scale in (9000, 2000, LARGEST_SCALE):  # the first fills what is kept for good
        tracemalloc.start()
        (path,) = write_sample(tmp_path / str(scale), ["2023-Q1"], scale=scale, processes=1)
        most.append((tracemalloc.get_traced_memory()[1], path.stat().st_size))
        tracemalloc.stop()
    (_, (small, small_file), (large, large_file)) = most
    assert large_file > 4 * small_file
    assert large < 1.5 * small < large_file


@pytest.mark.parametrize("scale", [0, LARGEST_SCALE + 1])
def test_scale_out_of_range_is_an_error(tmp_path: Path, scale: int) -> None:
    with pytest.raises(ValueError, match="scale"):
        write_sample(tmp_path, QUARTERS, scale=scale)


def test_what_is_already_there_is_not_touched(tmp_path: Path) -> None:
    def states() -> dict[Path, tuple[int, int]]:
        return {path: (path.stat().st_ino, path.stat().st_ctime_ns) for path in tmp_path.rglob("*")}

    write_sample(tmp_path, ("2023-Q1",))
    before = states()
    write_sample(tmp_path, ("2023-Q1",))
    assert states() == before
