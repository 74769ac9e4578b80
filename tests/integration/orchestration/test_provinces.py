"""What a province delivers under its own code is read, checked as gate 1 checks, and put into its release, or told."""

from __future__ import annotations

import csv
import datetime as dt
import json
import shutil
from collections.abc import Callable, Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import lxml.html
import openpyxl
import pyarrow.parquet as pq
import pytest

from publication import read_draft
from publication.content.approval import DRAFT_VI
from tests.conftest import CliResult
from tests.support.templates import PROVINCE_REGISTER

Cli = Callable[..., CliResult]

PROVINCE, QUARTER, UNIT = "94", "2023-Q1", "945"
HEAD = ["Đơn vị", "Mã chỉ tiêu", "Chỉ tiêu", "Số liệu", "Ngày lấy số", "Cổng"]
TAKEN = dt.date(2023, 3, 16)
DEPARTMENT_HEAD = ["Sở, ban, ngành", "Mã chỉ tiêu", "Số liệu", "Tử số", "Mẫu số", "Căn cứ"]
COUNT, RATIO, FLAG = "III.23", "I.02", "I.07"
FIGURE = [UNIT, "III.23", None, 1000, TAKEN]


@pytest.fixture
def home(published_home: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(published_home, tmp_path / "home"))


def deliver(home: Path, *rows: Sequence[Any], name: str = "cong.xlsx", source: str = "portal_figures") -> None:
    write(home, source, name, [HEAD, *rows])


def write(home: Path, source: str, name: str, rows: Iterable[Sequence[Any]]) -> None:
    folder = home / "landing" / PROVINCE / QUARTER / source
    folder.mkdir(parents=True, exist_ok=True)
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(list(row))
    book.save(folder / name)


def marts(home: Path, number: int, mart: str) -> list[dict[str, Any]]:
    path = home / "published" / PROVINCE / QUARTER / f"r{number}" / "marts" / f"{mart}.parquet"
    found: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return found


def test_a_portal_table_is_taken_in_by_the_roll_up_itself_and_never_silently_left_out(cli: Cli, home: Path) -> None:
    deliver(home, FIGURE, ["942", "III.23", None, 777, TAKEN], [*FIGURE[:3], 1002, TAKEN, "Cổng tỉnh"])
    made = cli(home, "province", QUARTER, "--unit", PROVINCE)
    assert made.code == 0, made.stdout + made.stderr
    (row,) = [row for row in marts(home, 1, "province_indicators") if row["portals_shown"]]
    assert (row["member_code"], row["indicator_code"], row["portal_value"]) == (UNIT, "III.23", None), "two contradict"
    of_unit = [p for p in marts(home, 1, "province_portal") if p["member_code"] == UNIT]
    assert {p["portal_vi"]: (p["value"], p["portal_minus_computed"] + row["computed_value"]) for p in of_unit} == {
        None: (1000, 1000), "Cổng tỉnh": (1002, 1002),
    }  # fmt: skip
    # The other unit has published nothing: its figure is kept with its file and row, and told.
    portal = {(figure["member_code"], figure["portal_vi"]): figure for figure in marts(home, 1, "province_portal")}
    assert {place: (figure["sheet_no"], figure["row_number"]) for place, figure in portal.items()} == {
        (UNIT, None): (1, 2), ("942", None): (1, 3), (UNIT, "Cổng tỉnh"): (1, 4),
    }  # fmt: skip
    failing = {c["expectation_id"] for c in marts(home, 1, "province_checks") if c["status"] == "fail"}
    assert failing >= {
        "province.indicators.portal_differs", "province.portal.no_release", "province.portal.portals_differ",
    }  # fmt: skip
    page = (home / "published" / PROVINCE / QUARTER / "r1" / "report" / "index.html").read_text()
    assert page.count("<td>Cổng tỉnh</td>") == 1
    manifest = json.loads((home / "published" / PROVINCE / QUARTER / "r1" / "manifest.json").read_bytes())
    own = [entry for entry in manifest["inputs"] if entry["unit_code"] == PROVINCE]
    assert [entry["file_name"] for entry in own] == [portal[UNIT, None]["file_name"]]
    status = cli(home, "status", QUARTER)
    assert "94 Tỉnh Sóc Trăng" in status.stdout
    assert "94 portal_figures: đã nhận" in status.stdout

    # A file of which much is sent back, or of a source that is none of a province's, holds the province and no unit.
    deliver(home, FIGURE, ["Huyện Không Có", "III.23", None, 5, TAKEN])
    held = cli(home, "province", QUARTER, "--unit", PROVINCE)
    assert held.code != 0
    assert "1 dòng bị loại nên không có" in held.stdout
    assert "Quyết định" not in held.stdout, "nobody takes decisions on these tables"
    assert (home / "outbox" / PROVINCE / QUARTER / "portal_figures" / "cong.xlsx.rejected.xlsx").is_file()
    deliver(home, FIGURE)
    deliver(home, ["III.23", "x", None, 5, TAKEN], source="declared_returns", name="khai.xlsx")
    held = cli(home, "province", QUARTER, "--unit", PROVINCE)
    assert held.code != 0
    assert "không nộp nguồn" in held.stdout
    assert not (home / "published" / PROVINCE / QUARTER / "r2").exists()


def test_of_a_province_as_many_candidates_are_kept_as_of_a_unit(
    cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CCHC_KEEP_CANDIDATES", "1")
    for figure in (1000, 1001):
        deliver(home, [*FIGURE[:3], figure, TAKEN])
        assert cli(home, "province", QUARTER, "--unit", PROVINCE).code == 0
    (candidate,) = (home / "warehouse" / "candidates" / PROVINCE / QUARTER).glob("[!.]*")
    verdicts = sorted(path.name for path in (home / "warehouse" / "verdicts" / PROVINCE / QUARTER).iterdir())
    assert [name.split("-")[0] for name in verdicts] == ["province", "raw"]
    assert verdicts[0] == f"province-{candidate.name}.json"


def test_a_province_is_locked_amended_and_rolled_back_like_a_unit(cli: Cli, home: Path) -> None:
    def asked(*words: str) -> CliResult:
        return cli(home, words[0], QUARTER, "--unit", PROVINCE, *words[1:])

    deliver(home, FIGURE)
    assert asked("province").code == 0
    assert asked("lock", "--reason", "Báo cáo đã ký").code == 0
    deliver(home, [*FIGURE[:3], 1001, TAKEN])
    held = asked("province")
    assert held.code == 1
    assert "khóa" in held.stdout
    assert asked("province", "--amend", "--reason", "Cổng đã sửa số").code == 0
    assert marts(home, 2, "province_portal")[0]["value"] == 1001
    assert asked("rollback", "--to", "1", "--reason", "nhầm").code == 2, "still locked"
    assert asked("unlock", "--reason", "quay về bản đã ký").code == 0
    assert asked("rollback", "--to", "1", "--reason", "nhầm").code == 0
    pointer = json.loads((home / "published" / PROVINCE / QUARTER / "current.json").read_bytes())
    assert pointer["release"] == 1
    assert cli(home, "verify").code == 0


def test_a_province_waits_at_its_draft_and_the_approval_publishes_exactly_it(
    cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CCHC_APPROVAL", "recorded")
    by, document = "Chủ tịch UBND tỉnh", "34/QĐ-UBND ngày 20/03/2023"
    published = home / "published" / PROVINCE / QUARTER

    def asked(*words: str) -> CliResult:
        return cli(home, words[0], QUARTER, "--unit", PROVINCE, *words[1:])

    def approved(*words: str) -> CliResult:
        return asked("approve", "--by", by, "--document", document, *words)

    assert approved().code == 2, "there is nothing to approve yet"
    deliver(home, FIGURE)
    made = asked("province", "--json")
    assert made.code == 0, made.stdout + made.stderr
    (one,) = json.loads(made.stdout)["provinces"]
    assert (one["release"], one["awaits_approval"]) == (None, True)
    folder = home / "review" / PROVINCE / QUARTER / "du-thao"
    assert Path(one["draft"]) == folder
    assert not published.exists()
    draft = read_draft(folder)
    assert f"--unit {PROVINCE}" in one["reasons"][-1]
    assert draft.code in one["reasons"][-1]
    alerts = [json.loads(line) for line in (home / "logs" / "alerts.log").read_text().splitlines()]
    assert (alerts[-1]["kind"], alerts[-1]["unit"]) == ("awaits_approval", PROVINCE)
    assert f"có bản dự thảo {draft.code}, chờ phê duyệt" in cli(home, "status", QUARTER).stdout

    # What people look through: marked as a draft, and every link of it leads somewhere.
    page = lxml.html.fromstring((folder / "report" / "index.html").read_bytes().decode())
    assert page.xpath("string(//p[@class='draft'])").startswith(DRAFT_VI)
    for root, links in ((folder / "report", page), (folder, lxml.html.parse(folder / "ra-soat.html").getroot())):
        found = {link.partition("#")[0] for link in links.xpath("//a/@href")} - {""}
        assert all((root / link).exists() for link in found), "a draft offers no file that only its release has"
    assert any("../published/945/" in link for link in page.xpath("//a/@href"))
    listed = (folder / "ra-soat.html").read_text()
    assert "chưa có bản công bố của kỳ" in listed or "chưa gửi số liệu của kỳ" in listed, "who is missing"
    assert "III.23" in listed, "the portal shows another figure"

    # What came since makes the draft one of yesterday: a file that nobody has read, and one that was read.
    deliver(home, [*FIGURE[:3], 1001, TAKEN])
    stale = approved()
    assert stale.code == 2
    assert f"bản dự thảo {draft.code} đã cũ" in stale.stderr
    assert "cong.xlsx (portal_figures) chưa được đọc" in stale.stderr
    assert asked("review").code == 0
    newer = read_draft(folder)
    assert newer.code != draft.code
    assert approved("--draft", draft.code).code == 2, "another draft than the one that was seen"
    assert not published.exists()

    done = approved("--draft", newer.code)
    assert done.code == 0, done.stdout + done.stderr
    line = f"Phê duyệt: {by}, theo {document}"
    assert line in done.stdout
    manifest = json.loads((published / "r1" / "manifest.json").read_bytes())
    assert manifest["approval"] == {"by": by, "document": document, "draft": newer.code}
    assert marts(home, 1, "province_portal")[0]["value"] == 1001
    assert line in (published / "r1" / "report" / "index.html").read_text()
    (event,) = json.loads((published / "current.json").read_bytes())["events"]
    assert (event["action"], event["by"], event["reason"]) == ("approve", by, document)
    told = [json.loads(line) for line in (home / "logs" / "journal.jsonl").read_text().splitlines()][-1]
    assert (told["action"], told["by"]) == ("approve", by)
    assert not folder.exists()
    assert cli(home, "verify").code == 0
    assert f"do {by} phê duyệt theo {document}" in cli(home, "status", QUARTER).stdout
    again = asked("province")
    assert again.code == 0
    assert "không thay đổi" in again.stdout
    assert not folder.exists(), "what is approved waits for nothing"


def tell_departments(home: Path, *rows: Sequence[Any], register: bool = True) -> None:
    if register:
        write(home, "org_units", "so-nganh.xlsx", PROVINCE_REGISTER)
    write(home, "department_figures", "so-lieu.xlsx", [DEPARTMENT_HEAD, *rows])


def test_departments_enter_the_totals_their_coverage_is_told_and_a_change_names_its_file(cli: Cli, home: Path) -> None:
    count, ratio = ["Sở Nội vụ", COUNT, 40, None, None, "45/BC-SNV"], ["Sở Nội vụ", RATIO, None, 3, 4, None]
    tell_departments(home, count, ratio)
    made = cli(home, "province", QUARTER, "--unit", PROVINCE)
    assert made.code == 0, made.stdout + made.stderr
    assert "(1/11 đơn vị, 1/2 sở, ngành)" in made.stdout

    # The independent sum: what readers find in the unit's CSV file, and what was typed into the table.
    with (home / "published" / UNIT / QUARTER / "r1" / "report" / "annex.csv").open(encoding="utf-8-sig") as file:
        annex = {line["indicator_code"]: line for line in csv.DictReader(file)}
    mart = home / "published" / UNIT / QUARTER / "r1" / "marts" / "report_indicators.parquet"
    (of_unit,) = [row for row in pq.read_table(mart).to_pylist() if row["indicator_code"] == RATIO]
    totals = {total["indicator_code"]: total for total in marts(home, 1, "province_totals")}
    assert totals[COUNT]["value"] == Decimal(annex[COUNT]["value"]) + 40
    numerator, denominator = of_unit["numerator"] + 3, of_unit["denominator"] + 4
    share = (100 * numerator / denominator).quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert (totals[RATIO]["numerator"], totals[RATIO]["denominator"]) == (numerator, denominator)
    assert totals[RATIO]["value"] == share
    for total in totals.values():
        told = total["indicator_code"] in (COUNT, RATIO)
        assert (total["departments_counted"], total["departments_expected"]) == (int(told), 2)
    assert totals[COUNT]["departments_missing_vi"] == "Sở Tư pháp (94-STP)"
    ranked = [p for p in marts(home, 1, "province_ranking") if p["member_level"] == "department"]
    assert [(p["member_code"], p["indicator_code"], p["rank"], p["value"]) for p in ranked] == [
        ("94-SNV", RATIO, 1, 75)
    ]  # fmt: skip
    release = home / "published" / PROVINCE / QUARTER / "r1"
    manifest = json.loads((release / "manifest.json").read_bytes())
    assert "Sở Tư pháp (94-STP): chưa nộp số liệu của kỳ" in manifest["provisional_vi"]
    page = lxml.html.fromstring((release / "report" / "index.html").read_bytes().decode())
    (coverage,) = page.xpath(f"//tr[@data-code='{COUNT}']/td[@class='coverage']")
    assert coverage.text_content().startswith("1/11 đơn vị, 1/2 sở, ngành")
    assert "Sở Tư pháp (94-STP)" in coverage.text_content()
    book = openpyxl.load_workbook(release / "report" / "tong-hop.xlsx")
    (line,) = [row for row in book["Sở, ngành"].iter_rows(values_only=True) if row[1] == COUNT]
    assert (line[0], line[2], line[5], line[-1]) == ("94-SNV", 40, "45/BC-SNV", 2)

    # Down to file and row, by the name under which it was delivered.
    explained = cli(home, "explain", COUNT, "--unit", PROVINCE, "--quarter", QUARTER)
    assert explained.code == 0, explained.stdout + explained.stderr
    assert "Sở Nội vụ (94-SNV): 40, tệp so-lieu.xlsx, trang 1, dòng 2; 45/BC-SNV" in explained.stdout
    assert f"bản r1 (cchc explain {COUNT} --unit {UNIT}" in explained.stdout
    document = json.loads(cli(home, "explain", COUNT, "--unit", PROVINCE, "--quarter", QUARTER, "--json").stdout)
    assert [member["value"] for member in document["members"]][1:] == ["40.0000"]

    # Another figure makes another release, and says by which file; the register that is not sent again holds.
    tell_departments(home, [*count[:2], 41, *count[3:]], ratio, ["SNV", FLAG, 1, None, None, None], register=False)
    again = cli(home, "province", QUARTER, "--unit", PROVINCE)
    assert again.code == 0, again.stdout + again.stderr
    told_now = {row["indicator_code"]: row["value"] for row in marts(home, 2, "province_departments")}
    assert told_now == {COUNT: 41, RATIO: None, FLAG: 1}
    with (home / "published" / PROVINCE / QUARTER / "r2" / "quality" / "changes.csv").open(
        encoding="utf-8-sig"
    ) as file:
        changed = list(csv.DictReader(file))
    assert {line["cause_kind"] for line in changed} == {"delivery_new;delivery_removed"}
    assert all("department_figures" in line["cause"] for line in changed)
    (of_count,) = [c for c in changed if (c["mart"], c["row"], c["column"]) == ("province_totals", COUNT, "value")]
    assert Decimal(of_count["new"]) - Decimal(of_count["old"]) == 1


def test_a_figure_of_no_department_holds_the_province_back_and_goes_back(cli: Cli, home: Path) -> None:
    tell_departments(home, ["Sở Nội vụ", RATIO, 75, None, None, None], ["UBND huyện", COUNT, 1, None, None, None])
    held = cli(home, "province", QUARTER, "--unit", PROVINCE)
    assert held.code == 1
    assert "2 dòng bị loại nên không có" in held.stdout
    assert not (home / "published" / PROVINCE / QUARTER / "current.json").exists()
    back = home / "outbox" / PROVINCE / QUARTER / "department_figures" / "so-lieu.xlsx.rejected.xlsx"
    words = [
        str(cell) for row in openpyxl.load_workbook(back).worksheets[0].iter_rows(values_only=True) for cell in row
    ]
    assert any("thiếu tử số" in word for word in words)


def test_no_personal_datum_that_stands_in_a_portal_table_is_published(cli: Cli, home: Path) -> None:
    phone = "0909717123"
    deliver(home, [*FIGURE, f"Cổng Dịch vụ công quốc gia, gọi {phone}"])
    held = cli(home, "province", QUARTER, "--unit", PROVINCE)
    assert held.code == 1
    assert "“Cổng” có số điện thoại" in held.stdout
    assert phone not in held.stdout + held.stderr
    assert not (home / "published" / PROVINCE / QUARTER / "current.json").exists()
    deliver(home, [*FIGURE, "Cổng Dịch vụ công quốc gia"])
    assert cli(home, "province", QUARTER, "--unit", PROVINCE).code == 0
    assert marts(home, 1, "province_portal")[0]["portal_vi"] == "Cổng Dịch vụ công quốc gia"
