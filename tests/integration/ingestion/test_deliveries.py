"""Deliveries: receipts, versions, refusals, re-reading, and what leaves the room."""

from __future__ import annotations

import datetime as dt
import os
import re
import stat
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from ingestion import inputs, load_contracts, read_deliveries, status
from ingestion.deliveries.ledger import Arrival, Receipt, deliveries_table
from ingestion.engine import ingest_quarter

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
HEAD = ["Số phiếu", "Hình thức", "Ngày trả lời", "Đánh giá chung"]
EARLY, LATE = dt.datetime(2023, 3, 15, 8, tzinfo=LOCAL), dt.datetime(2023, 3, 16, 8, tzinfo=LOCAL)


def answers(*numbers: int) -> list[list[Any]]:
    return [HEAD, *([f"P{n}", "Phiếu giấy", "10/01/2023", "Hài lòng"] for n in numbers)]


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_the_same_landing_folder_gives_the_same_bytes_and_nothing_is_read_twice(home: Any) -> None:
    home.workbook("survey_responses", answers(1, 2))
    assert home.ingest().files_read == 1
    before = files(home.paths.raw)
    assert home.ingest().files_read == 0
    assert files(home.paths.raw) == before


def test_the_original_is_kept_unreadable_for_others_and_survives_landing(home: Any) -> None:
    path = home.workbook("survey_responses", answers(1))
    content = path.read_bytes()
    home.ingest()
    (original,) = [p for p in home.paths.originals.rglob("*") if p.is_file()]
    assert original.read_bytes() == content
    assert stat.S_IMODE(original.stat().st_mode) == 0o600
    path.unlink()
    home.ingest()
    assert len(home.rows("survey_responses")) == 1


def test_the_same_content_under_another_name_changes_nothing(home: Any) -> None:
    path = home.workbook("survey_responses", answers(1, 2), at=EARLY)
    home.ingest()
    copy = home.place("survey_responses", "z.xlsx")
    copy.write_bytes(path.read_bytes())
    home.touch(copy, LATE)
    report = home.ingest()
    assert (report.files_read, report.rows_read) == (0, 2)
    assert home.delivery("survey_responses")["file_name"] == "a.xlsx"


def test_new_content_under_the_same_name_supersedes_and_another_name_adds(home: Any) -> None:
    home.workbook("survey_responses", answers(1, 2), at=EARLY)
    home.ingest()
    first = home.delivery("survey_responses")
    home.workbook("survey_responses", answers(3), at=LATE)
    home.workbook("survey_responses", answers(4), name="b.xlsx", at=LATE)
    home.ingest()
    assert {r["form_number"] for r in home.rows("survey_responses")} == {"P3", "P4"}
    old = next(d for d in read_deliveries(home.paths).to_pylist() if d["delivery_id"] == first["delivery_id"])
    (new,) = [d for d in read_deliveries(home.paths).to_pylist() if d["version"] == 2]
    assert (old["is_current"], old["superseded_by"], old["version"]) == (False, new["delivery_id"], 1)


def test_content_that_comes_back_is_current_again() -> None:
    def receipt(identity: str, *arrivals: tuple[int, str, int]) -> Receipt:
        all_arrivals = tuple(Arrival(*a, delivered_at="2023-03-01T00:00:00") for a in arrivals)
        return Receipt(identity, "s", "945", "2023-Q1", f"hash {identity}", 1, all_arrivals, outcome="accepted")

    table = deliveries_table(
        [
            receipt("A", (1, "a.xlsx", 1), (3, "a.xlsx", 3)),
            receipt("B", (2, "a.xlsx", 2)),
        ]
    )
    rows = {d["delivery_id"]: d for d in table.to_pylist()}
    assert (rows["A"]["is_current"], rows["A"]["version"], rows["B"]["superseded_by"]) == (True, 3, "A")
    assert not rows["B"]["is_current"]


def test_the_order_in_which_files_are_seen_does_not_change_what_lies_in_the_lake(
    home: Any, tmp_path: Path, reference: Any
) -> None:
    other = type(home)(tmp_path / "other", reference)
    for one, names in ((home, ["a.xlsx", "b.xlsx"]), (other, ["b.xlsx", "a.xlsx"])):
        for name in names:
            one.workbook("survey_responses", answers(ord(name[0])), name=name, at=EARLY)
            one.ingest()
    assert files(home.paths.raw / "lake") == files(other.paths.raw / "lake")


def test_a_table_without_rows_and_the_words_for_it_are_nothing_to_report(home: Any) -> None:
    home.workbook("survey_responses", [HEAD], name="empty.xlsx")
    home.workbook("survey_responses", [HEAD, ["Không phát sinh"]], name="said.xlsx")
    home.ingest()
    assert {d["outcome"] for d in read_deliveries(home.paths).to_pylist()} == {"nothing_to_report"}
    (state,) = status(home.paths, ["945"], "2023-Q1", ["survey_responses"])
    assert (state.state, state.files) == ("nothing_to_report", 2)


def test_what_was_not_sent_is_not_nothing_to_report(home: Any) -> None:
    assert [s.state for s in status(home.paths, ["945"], "2023-Q1", ["survey_responses"])] == ["not_sent"]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (
            [["Số phiếu", "Hình thức", "Ngày trả lời"], ["1", "Phiếu giấy", "10/01/2023"]],
            ["Đánh giá chung", "“Số phiếu”"],
        ),
        (
            [[*HEAD, "Số phiếu"], ["1", "Phiếu giấy", "10/01/2023", "Hài lòng", "2"]],
            ["A (“Số phiếu”)", "E (“Số phiếu”)"],
        ),
        (
            [["Từ ngày 15/03/2023 đến ngày 14/06/2023"], *answers(1)],
            ["15/03/2023", "14/06/2023", "2023-Q1", "14/03/2023"],
        ),
        ([["Quý II/2023"], *answers(1)], ["Quý II/2023", "2023-Q1"]),
        ([["TỔNG HỢP PHIẾU", "NĂM 2022"], ["Tháng 11 năm 2022"], *answers(1)], ["tháng 11/2022", "2023-Q1"]),
        ([["chỉ có chữ"]], ["Không tìm thấy dòng tiêu đề"]),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_and_the_clerk_is_told_why(
    home: Any, rows: list[list[Any]], told: list[str]
) -> None:
    home.workbook("survey_responses", rows)
    home.ingest()
    found = home.delivery("survey_responses")
    assert (found["outcome"], found["rows_read"]) == ("refused", 0)
    for words in told:
        assert words in found["message_vi"]
    returned = openpyxl.load_workbook(home.paths.outbox / "945/2023-Q1/survey_responses/a.xlsx.rejected.xlsx")
    assert found["message_vi"] in [cell.value for row in returned.active.iter_rows() for cell in row]


@pytest.mark.parametrize(
    "title", ["Từ ngày 01/01/2023 đến ngày 31/03/2023", "Từ ngày 15/02/2023 đến ngày 14/03/2023", "Quý I/2023"]
)
def test_a_period_that_agrees_with_the_folder_is_taken(home: Any, title: str) -> None:
    home.workbook("survey_responses", [[title], *answers(1)])
    home.ingest()
    assert home.delivery("survey_responses")["outcome"] == "accepted"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("zero.xlsx", b""),
        ("zero.csv", b""),
        ("text.xlsx", b"no workbook"),
        ("half.xlsx", b"PK\x03\x04 cut off"),
        ("page.xls", b"<html><table></table></html>"),
        ("notes.docx", b"PK"),
        ("bytes.csv", bytes(range(128, 256)) * 20),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_and_others_are_not_held_back(
    home: Any, name: str, content: bytes
) -> None:
    home.place("survey_responses", name).write_bytes(content)
    home.workbook("survey_responses", answers(1), name="good.xlsx")
    home.ingest()
    outcomes = {d["file_name"]: d["outcome"] for d in read_deliveries(home.paths).to_pylist()}
    assert outcomes == {name: "refused", "good.xlsx": "accepted"}


def test_what_is_no_plain_file_in_a_known_place_is_a_problem_and_never_opened(home: Any, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("Số phiếu,Hình thức\n1,2\n")
    home.place("survey_responses", "link.csv").symlink_to(secret)
    os.mkfifo(home.place("survey_responses", "pipe.csv"))
    home.place("survey_responses", "~$a.xlsx").write_bytes(b"lock")
    home.place("survey_responses", "b.csv.part").write_bytes(b"half")
    home.place("no_such_source", "a.xlsx").write_bytes(b"x")
    home.place("survey_responses", "a.xlsx", quarter="2023-Q9").write_bytes(b"x")
    home.place("survey_responses", "a.xlsx", unit="99999").write_bytes(b"x")
    (home.paths.landing / "945" / "loose.xlsx").write_bytes(b"x")
    report = home.ingest()
    assert {(p.path.rsplit("/", 1)[-1], p.code) for p in report.problems} == {
        ("link.csv", "not_a_file"),
        ("pipe.csv", "not_a_file"),
        ("~$a.xlsx", "unfinished"),
        ("b.csv.part", "unfinished"),
        ("no_such_source", "unknown_source"),
        ("2023-Q9", "unknown_quarter"),
        ("99999", "unknown_unit"),
        ("loose.xlsx", "misplaced"),
    }
    assert read_deliveries(home.paths).num_rows == 0


def test_a_unit_that_may_not_deliver_a_source_is_refused(home: Any) -> None:
    home.workbook("survey_responses", answers(1), unit="31618")
    home.ingest()
    assert home.delivery("survey_responses")["outcome"] == "refused"


def test_hidden_sheets_are_read_and_this_is_said(home: Any) -> None:
    def hidden(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet("Nháp")
        sheet.hide()
        for r, row in enumerate(answers(7)):
            sheet.write_row(r, 0, row)

    home.workbook("survey_responses", answers(1), before_closing=hidden)
    home.ingest()
    assert [r["form_number"] for r in home.rows("survey_responses")] == ["P1", "P7"]
    assert "Trang tính ẩn “Nháp” cũng được đọc" in home.delivery("survey_responses")["message_vi"]


def test_rows_of_all_sheets_add_up_and_a_key_is_unique_in_the_file(home: Any) -> None:
    def second(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet("Đợt 2")
        for r, row in enumerate(answers(2, 1)):
            sheet.write_row(r, 0, row)

    home.workbook("survey_responses", answers(1), before_closing=second)
    home.ingest()
    assert [(r["_sheet"], r["_row"]) for r in home.rows("survey_responses")] == [("Sheet1", 2), ("Đợt 2", 2)]
    assert "Sheet1" in home.rows("survey_responses", "rejected")[0]["reason_vi"]


def test_names_and_birth_dates_never_leave_the_room(registers: Any) -> None:
    head = [
        "Số hiệu",
        "Họ và tên",
        "Ngày sinh",
        None,
        "Đơn vị công tác",
        "Đối tượng",
        "Số điện thoại",
        "Ngày nghỉ",
        "Lý do nghỉ",
    ]
    registers.workbook(
        "staffing_roster",
        [
            head,
            [None, None, "Nam", "Nữ"],
            ["CB001", "Bí Mật Một", "01/02/1980", None, "Phòng Nội vụ", "Công chức", "0912000001"],
            [None, "Bí Mật Hai", None, "1985", "Phòng Nội vụ", "Công chức", "0912000002"],
            [None, "Bí Mật Ba", None, None, "Phòng Nội vụ", "Công chức", "0912000003"],
            [
                "CB004",
                "Bí Mật Bốn",
                "01/02/1980",
                None,
                "Phòng Ma",
                "Công chức",
                "0912000004",
                "01/01/2023",
                "Nghỉ hưu",
            ],
            [None, "Bí Mật Hai", None, "1985", "Phòng Nội vụ", "Công chức", "0912000002"],
        ],
    )
    registers.ingest()
    assert [r["_row"] for r in registers.rows("staffing_roster")] == [3, 4]
    assert [(row, code) for row, _, code in registers.reasons("staffing_roster")] == [
        (5, "person_not_identified"),
        (6, "unknown_unit"),
        (7, "duplicate_row"),
    ]
    keys = [r["person_key"] for r in registers.rows("staffing_roster")]
    assert len(set(keys)) == 2
    texts = [str(pq.ParquetFile(p).read().to_pylist()) for p in registers.paths.raw.rglob("*.parquet")]
    texts = [re.sub(r"\b(?:[0-9a-f]{16}|[0-9a-f]{64})\b", "", text) for text in texts]  # a hash may hold any digits
    for secret in ("Bí Mật", "09120000", "1980", "1985", "CB001"):
        assert not any(secret in text for text in texts)


def test_periods_of_service_are_rows_of_their_own_and_a_person_is_matched_by_two_hashes(registers: Any) -> None:
    header = ["Số hiệu", "Họ và tên", "Ngày sinh", "Đơn vị", "Đối tượng", "Ngày tuyển dụng", "Ngày thôi công tác"]
    name, born, old = "Bí Mật Ba", "02/01/1980", "04/01/2010"
    registers.workbook(
        "staffing_roster",
        [
            header,
            ["CB003", name, born, "UBND huyện Cù Lao Dung", "Công chức", old, "01/02/2023"],  # moved
            ["CB003", name, born, "Phòng Nội vụ", "Công chức", old, None],
            ["CB004", name, None, "Phòng Nội vụ", "Công chức", "01/02/2023", "20/12/2022"],  # left and came back
            [None, name.upper(), born, "Phòng Nội vụ", "Công chức", old, None],
            ["CB003", name, born, "Phòng Nội vụ", "Công chức", old, None],
        ],
    )
    registers.ingest()
    assert registers.reasons("staffing_roster") == [(6, "person_key", "duplicate_row")]
    moved, stayed, returned, unnumbered = registers.rows("staffing_roster")
    assert moved["person_key"] == stayed["person_key"] != moved["person_name_key"]
    assert moved["person_name_key"] == stayed["person_name_key"] == unnumbered["person_name_key"]
    assert unnumbered["person_key"] == unnumbered["person_name_key"]
    assert returned["person_name_key"] is None


def test_cases_are_read_again_when_the_register_they_depend_on_changes(registers: Any) -> None:
    registers.workbook(
        "plan_tasks",
        [
            ["Kế hoạch", "Mã nhiệm vụ", "Đơn vị chủ trì"],
            ["CCHC năm", "1", "Phòng Nội vụ"],
            ["CCHC năm", "2", "Phòng Tư pháp"],
        ],
    )
    registers.ingest()
    assert registers.reasons("plan_tasks") == [(3, "unit_in_charge", "unknown_unit")]
    registers.workbook(
        "org_units",
        [
            ["Mã đơn vị", "Tên đơn vị", "Loại đơn vị", "Hiệu lực từ"],
            ["945-PB03", "Phòng Tư pháp", "Cơ quan chuyên môn", dt.date(2016, 5, 1)],
        ],
        name="b.xlsx",
    )
    report = registers.ingest()
    assert {d.source for d in report.deliveries if d.was_read} == {"org_units", "plan_tasks"}
    assert [r["unit_in_charge"] for r in registers.rows("plan_tasks")] == ["945-PB01", "945-PB03"]


def test_a_quarter_without_registers_uses_those_of_the_latest_earlier_quarter(registers: Any) -> None:
    registers.ingest()
    rows = [["Kế hoạch", "Mã nhiệm vụ", "Đơn vị chủ trì"], ["CCHC năm", "1", "Phòng Nội vụ"]]
    registers.workbook("plan_tasks", rows, quarter="2023-Q2")
    registers.workbook("plan_tasks", rows, quarter="2022-Q4")
    registers.ingest("2023-Q2")
    registers.ingest("2022-Q4")
    outcomes = {
        d["quarter"]: d["rows_rejected"]
        for d in read_deliveries(registers.paths).to_pylist()
        if d["source"] == "plan_tasks"
    }
    assert outcomes == {"2023-Q2": 0, "2022-Q4": 1}


def test_inputs_name_current_deliveries_of_the_units_and_quarters_only(home: Any) -> None:
    home.workbook("survey_responses", answers(1), at=EARLY)
    home.workbook("survey_responses", answers(1), quarter="2022-Q4", at=EARLY)
    home.ingest("2022-Q4")
    home.ingest()
    assert len(inputs(home.paths, ["945"], ["2022-Q4", "2023-Q1"])) == 2
    assert inputs(home.paths, ["31618"], ["2023-Q1"]) == []
    (before,) = inputs(home.paths, ["945"], ["2023-Q1"])
    assert set(before) == {
        "delivery_id",
        "source",
        "unit_code",
        "quarter",
        "file_name",
        "sha256",
        "fingerprint",
        "outcome",
    }
    home.workbook("survey_responses", answers(2), at=LATE)
    home.ingest()
    after = inputs(home.paths, ["945"], ["2023-Q1"])
    assert len(after) == 1
    assert after != [before]


def test_every_source_can_be_read_before_anything_was_delivered(home: Any) -> None:
    home.ingest()
    for name, contract in load_contracts().items():
        schema = pq.read_schema(home.paths.lake(name) / "schema.parquet")
        assert schema == contract.arrow_schema()


def test_lake_files_have_the_contracts_schema(home: Any) -> None:
    home.workbook("survey_responses", answers(1))
    home.ingest()
    d = home.delivery("survey_responses")
    path = home.paths.rows_file("lake", d["source"], d["quarter"], d["unit_code"], d["delivery_id"])
    assert pq.read_schema(path) == load_contracts()["survey_responses"].arrow_schema()


def test_unknown_quarters_sources_and_short_keys_are_faults_of_the_caller(home: Any) -> None:
    key = b"k" * 32
    with pytest.raises(KeyError):
        ingest_quarter(home.paths, "2023-Q9", reference=home.reference, secret_key=key)
    with pytest.raises(KeyError):
        ingest_quarter(home.paths, "2023-Q1", sources=["nothing"], reference=home.reference, secret_key=key)
    with pytest.raises(ValueError, match="16 bytes"):
        ingest_quarter(home.paths, "2023-Q1", reference=home.reference, secret_key=b"short")
