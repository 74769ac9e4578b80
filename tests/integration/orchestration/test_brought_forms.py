"""``cchc form``: what a person decides holds, what is open is named, and wrong use changes nothing."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import openpyxl
import pytest

from common.forms import form_named, is_confirmed, use_forms_of
from tests.conftest import CliResult, run_cli
from tests.support import annexes

FORM = "92-commune-2026-01-01"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home and, beside it, the first province's annex as a workbook."""
    annexes.write_first(tmp_path / "bieu.xlsx", annexes.as_printed(form_named("xa-2025")))
    (tmp_path / "home").mkdir()
    yield tmp_path / "home"
    use_forms_of(tmp_path / "none")


def bring(home: Path, *more: str, issuer: str = "92", level: str = "commune", day: str = "2026-01-01") -> CliResult:
    workbook = str(home.parent / "bieu.xlsx")
    return run_cli(home, "form", "import", workbook, "--issuer", issuer, "--level", level, "--from", day, *more)


def say(home: Path, form: str = FORM, **decisions: str) -> None:
    """Writes decisions by proposed code; ``all`` is for the lines that have none."""
    path = home / "forms" / form / "matches.csv"
    with path.open(encoding="utf-8-sig", newline="") as handle:
        lines = list(csv.DictReader(handle))
    for line in lines:
        code = line["ma_de_xuat"].replace(".", "_")
        line["quyet_dinh"] = decisions.get(code) or line["quyet_dinh"] or decisions.get("all", "")
    with path.open("w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.DictWriter(handle, lines[0])
        writer.writeheader()
        writer.writerows(lines)


def mend(home: Path, name: str, change: Callable[[list[dict[str, str]]], object]) -> list[dict[str, str]]:
    """A person changes a table of the folder by hand; what lies there then."""
    path = home / "forms" / FORM / name
    with path.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    change(rows)
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return rows


def test_what_is_open_is_named_line_by_line_until_it_is_decided(home: Path) -> None:
    done = bring(home)
    assert done.code == 0, done.stderr
    assert "chắc chắn: 174; cần xem kỹ: 2" in done.stdout
    found = run_cli(home, "form", "check", FORM)
    assert found.code == 1
    assert "matches.csv dòng 37, “Số VBQPPL phát hiện trái pháp luật”: đề xuất II.07" in found.stdout
    assert len(found.stdout.splitlines()) == 2
    refused = run_cli(home, "form", "confirm", FORM, "--by", "Văn phòng")
    assert (refused.code, is_confirmed(home / "forms" / FORM)) == (2, False)
    say(home, all="đúng")
    assert json.loads(bring(home, "--json").stdout)["undecided"] == 0
    confirmed = run_cli(home, "form", "confirm", FORM, "--by", "Văn phòng")
    assert confirmed.code == 0, confirmed.stderr
    assert "dùng từ kỳ chốt 01/01/2026; 176 dòng" in confirmed.stdout
    assert run_cli(home, "form", "check", FORM).code == 0
    assert "confirm_form" in (home / "logs" / "journal.jsonl").read_text(encoding="utf-8")
    # Whoever touches a file of it takes it out of use.
    with (home / "forms" / FORM / "rows.csv").open("a", encoding="utf-8") as handle:
        handle.write("\n")
    assert run_cli(home, "form", "check", FORM).code == 1
    assert "CHƯA XÁC NHẬN" in run_cli(home, "form", "check").stdout


def test_a_confirmed_form_is_not_written_over(home: Path) -> None:
    bring(home)
    say(home, all="đúng")
    bring(home)
    run_cli(home, "form", "confirm", FORM, "--by", "Văn phòng")
    again = bring(home)
    assert again.code == 2
    assert "đã được xác nhận và đang dùng" in again.stderr
    assert is_confirmed(home / "forms" / FORM)
    # A second form of the same units and day cannot stand beside it.
    bring(home, "--id", "khac")
    other = run_cli(home, "form", "confirm", "khac", "--by", "Văn phòng")
    assert (other.code, is_confirmed(home / "forms" / "khac")) == (2, False)


def test_a_form_that_others_are_derived_from_is_confirmed_again_once_it_was_changed(home: Path) -> None:
    bring(home)
    say(home, all="đúng")
    bring(home)
    run_cli(home, "form", "confirm", FORM, "--by", "Văn phòng")
    bring(home, "--id", "sau", day="2027-01-01")
    say(home, form="sau", all="đúng")
    bring(home, "--id", "sau", day="2027-01-01")
    assert run_cli(home, "form", "confirm", "sau", "--by", "Văn phòng").code == 0
    head = home / "forms" / FORM / "form.yml"
    head.write_text(head.read_text(encoding="utf-8") + "title_vi: Biểu của thành phố\n", encoding="utf-8")
    told = run_cli(home, "form", "check", "sau")
    assert (told.code, f"biểu mẫu {FORM} mà nó dựa trên" in told.stdout) == (1, True), told.stdout
    assert f"{FORM}: CHƯA XÁC NHẬN" in run_cli(home, "form", "check").stdout
    again = run_cli(home, "form", "confirm", FORM, "--by", "Văn phòng")
    assert again.code == 0, again.stderr
    assert run_cli(home, "form", "check").code == 0


@pytest.mark.parametrize(
    ("decisions", "message"),
    [
        ({"I_02": "IX.99"}, "quyet_dinh “IX.99” không phải “đúng”, “mới”, “bỏ” hay mã chỉ tiêu của biểu xa-2025"),
        ({"I_02": "I.03", "I_05": "I.03"}, "hai dòng cùng nhận mã I.03"),
    ],
)
def test_a_decision_that_cannot_be_is_told_with_its_line(home: Path, decisions: dict[str, str], message: str) -> None:
    bring(home)
    say(home, **decisions)
    refused = bring(home)
    assert (refused.code, message in refused.stderr) == (2, True), refused.stderr


def test_a_decision_counts_once_the_folder_was_written_by_it(home: Path) -> None:
    bring(home)
    say(home, all="đúng", I_05="mới")
    assert "rows.csv chưa theo quyết định; chạy lại cchc form import" in run_cli(home, "form", "check", FORM).stdout
    bring(home)
    assert run_cli(home, "form", "check", FORM).code == 1  # not confirmed yet
    with (home / "forms" / FORM / "crosswalk.csv").open(encoding="utf-8", newline="") as handle:
        steps = {(step["old_code"], step["new_code"]): step["relation"] for step in csv.DictReader(handle)}
    assert steps["I.05", ""] == "ended"
    assert steps["", "I.31"] == "new"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"issuer": "94"}, "không có tỉnh, thành phố nào mang mã 94 vào ngày 01/01/2026"),
        ({"level": "tỉnh"}, "không có cấp 'tỉnh'"),
        ({"day": "2020-01-01", "issuer": "94"}, "không có biểu mẫu nào cho cấp này vào ngày 01/01/2020"),
    ],
)
def test_wrong_use_writes_nothing(home: Path, wrong: dict[str, str], message: str) -> None:
    refused = bring(home, **wrong)
    assert (refused.code, message in refused.stderr) == (2, True), refused.stderr
    assert not (home / "forms").exists()


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (("kind", "thing"), "kind “thing” không có"),
        (("period_basis", "hôm nay"), "period_basis “hôm nay” không có"),
        (("numerator", "no_measure"), "numerator “no_measure” không phải số đo nào đã biết"),
        (("logical_parent_code", "IX.01"), "logical_parent_code nêu IX.01, không có trong biểu"),
        (("kind", "flag"), "kind “flag” không hợp với đơn vị tính “Nhiệm vụ”"),
        (("unit_canonical", "%"), "kind “count” không hợp với đơn vị tính “%”"),
    ],
)
def test_a_cell_that_no_program_could_use_is_named(home: Path, cell: tuple[str, str], message: str) -> None:
    bring(home)
    say(home, all="đúng")
    bring(home)
    rows = mend(home, "rows.csv", lambda rows: rows[3].update({cell[0]: cell[1]}))
    assert f"rows.csv dòng 5, I.04 “{rows[3]['name_vi']}”: {message}" in run_cli(home, "form", "check", FORM).stdout


@pytest.mark.parametrize("code", ["I.1", "i.05", "I.05b", "1.05", "I-05"])
def test_a_code_that_rules_could_not_read_is_named(home: Path, code: str) -> None:
    write_annex(home)
    bring(home)
    for name, column in (("rows.csv", "indicator_code"), ("crosswalk.csv", "new_code")):
        mend(
            home,
            name,
            lambda rows, column=column: [row.update({column: code}) for row in rows if row[column] == "I.25"],
        )
    (home / "forms" / FORM / "matches.csv").unlink()  # as of a form that was written by hand
    assert f"indicator_code “{code}” không phải mã" in run_cli(home, "form", "check", FORM).stdout


@pytest.mark.parametrize(
    ("column", "told"),
    [("logical_parent_code", "I.02 → I.03 → I.02"), ("derived_from", "I.02 → I.03 → I.02")],
)
def test_rows_that_lead_to_each_other_are_named(home: Path, column: str, told: str) -> None:
    bring(home)
    say(home, all="đúng")
    bring(home)
    mend(home, "rows.csv", lambda rows: (rows[1].update({column: "I.03"}), rows[2].update({column: "I.02"})))
    assert f"{column} của {told} đi thành vòng" in run_cli(home, "form", "check", FORM).stdout


# --- what a person did is neither lost nor overruled ----------------------------------------------------------------


def write_annex(home: Path, *rows: list[str | None]) -> None:
    """The workbook anew: two known lines, then these rows of number, name and unit."""
    book = openpyxl.Workbook()
    known = [["1.10", "Số lượng phiếu khảo sát", "Phiếu"], ["1.11", "Số VBQPPL đã ban hành", "Văn bản"]]
    for row in (["STT", "Chỉ tiêu", "Đơn vị tính", "Số lượng"], *known, *rows):
        book.active.append(row)
    book.save(home.parent / "bieu.xlsx")


def lines_of(home: Path) -> dict[str, str]:
    with (home / "forms" / FORM / "matches.csv").open(encoding="utf-8-sig", newline="") as handle:
        return {line["ten_chi_tieu"]: line["quyet_dinh"] for line in csv.DictReader(handle)}


def test_a_decision_holds_through_a_spreadsheet_and_a_workbook_that_was_moved_about(home: Path) -> None:
    write_annex(home, ["2", "Điều gì đó", "Việc"], [None, "Hướng dẫn cách ghi"])
    bring(home)
    decided = {"Số lượng phiếu khảo sát": "mới", "Số VBQPPL đã ban hành": "II.03", "Điều gì đó": "mới",
               "Hướng dẫn cách ghi": "bỏ"}  # fmt: skip

    def said(lines: list[dict[str, str]]) -> None:
        for line in lines:
            line["quyet_dinh"] = decided[line["ten_chi_tieu"]]
            line["stt"] = line["stt"].replace("1.10", "1.1")  # as a number

    mend(home, "matches.csv", said)
    again = {**decided, "Số VBQPPL đã ban hành": "đúng"}  # of what is proposed now: the code that was said
    for _ in range(2):
        assert json.loads(bring(home, "--json").stdout)["undecided"] == 0
        assert lines_of(home) == again
    write_annex(home, ["2", "Điều chen vào", "Việc"], ["3", "Điều gì đó", "Việc"], [None, "Hướng dẫn cách ghi"])
    assert json.loads(bring(home, "--json").stdout)["undecided"] == 1
    assert lines_of(home) == again | {"Điều chen vào": ""}
    codes = [row["indicator_code"] for row in mend(home, "rows.csv", len)]
    assert codes[1] == "II.03"
    assert len(codes) == 4


def test_a_decided_line_that_is_gone_stops_the_import_and_changes_nothing(home: Path) -> None:
    write_annex(home, ["2", "Điều gì đó", "Việc"])
    bring(home)
    mend(home, "matches.csv", lambda lines: lines[2].update(quyet_dinh="mới"))
    before = lines_of(home)
    write_annex(home, ["2", "Điều gì đó đã sửa", "Việc"])
    refused = bring(home)
    assert (refused.code, "không còn dòng mà matches.csv đã quyết định ở Sheet!4" in refused.stderr) == (2, True)
    assert lines_of(home) == before
    mend(home, "matches.csv", lambda lines: lines[2].update(quyet_dinh=""))
    assert bring(home).code == 0


@pytest.mark.parametrize("name", ["rows.csv", "crosswalk.csv"])
def test_what_was_mended_by_hand_stays_or_stops_the_import(home: Path, name: str) -> None:
    write_annex(home, ["2", "Điều gì đó", "Triệu đồng"])
    bring(home)
    mend(home, "matches.csv", lambda lines: [line.update(quyet_dinh=line["quyet_dinh"] or "mới") for line in lines])
    bring(home)
    told = run_cli(home, "form", "check", FORM).stdout
    assert "“Điều gì đó”: kind “” không có, đơn vị tính là “Triệu đồng”" in told
    change = {"rows.csv": {"kind": "ratio"}, "crosswalk.csv": {"note_vi": "đã xem"}}[name]
    mended = mend(home, name, lambda rows: rows[-1].update(change))
    assert bring(home).code == 0
    assert mend(home, name, len) == mended
    mend(home, "matches.csv", lambda lines: lines[0].update(quyet_dinh="mới"))
    refused = bring(home)
    assert (refused.code, f"{name} đã được sửa tay" in refused.stderr) == (2, True), refused.stderr
    assert mend(home, name, len) == mended


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"day": "2026-07-01"}, "valid_from là 2026-01-01, lệnh này cần 2026-07-01"),
        ({"issuer": "91"}, "issuer là 92, lệnh này cần 91"),
        ({"level": "district"}, "level là commune, lệnh này cần district"),
        ({"title": "Biểu mới"}, "title_vi là Biểu cũ, lệnh này cần Biểu mới"),
    ],
)
def test_an_import_that_asks_for_another_form_does_not_pass_for_this_one(
    home: Path, asked: dict[str, str], told: str
) -> None:
    bring(home, "--id", FORM, "--title", "Biểu cũ")
    title = asked.pop("title", "Biểu cũ")
    refused = bring(home, "--id", FORM, "--title", title, **asked)
    assert (refused.code, told in refused.stderr) == (2, True), refused.stderr
    assert bring(home, "--id", FORM, "--title", "Biểu cũ").code == 0


def test_what_was_not_read_keeps_a_form_from_being_confirmed(home: Path) -> None:
    book = openpyxl.load_workbook(home.parent / "bieu.xlsx")
    book.create_sheet("Phụ biểu").append(["Nội dung khác", "Số hộ"])
    book.save(home.parent / "bieu.xlsx")
    bring(home)
    say(home, all="đúng")
    refused = bring(home)
    assert "dòng 178: chỗ này chưa được đọc, quyet_dinh chỉ có thể là “bỏ”" in refused.stderr
    mend(home, "matches.csv", lambda lines: lines[-1].update(quyet_dinh=""))
    bring(home)
    told = run_cli(home, "form", "check", FORM).stdout
    assert "ở Phụ biểu!, không đọc gì từ đây" in told
    mend(home, "matches.csv", lambda lines: lines[-1].update(quyet_dinh="bỏ"))
    assert json.loads(bring(home, "--json").stdout)["undecided"] == 0
    assert run_cli(home, "form", "confirm", FORM, "--by", "Văn phòng").code == 0


def test_no_form_goes_on_one_that_is_damaged(home: Path) -> None:
    bring(home)
    say(home, all="đúng")
    bring(home)
    run_cli(home, "form", "confirm", FORM, "--by", "Văn phòng")
    (home / "forms" / FORM / "form.yml").unlink()
    refused = bring(home, "--id", "sau", day="2027-01-01")
    assert (refused.code, f"biểu mẫu {FORM} áp dụng trước biểu này" in refused.stderr) == (2, True)
