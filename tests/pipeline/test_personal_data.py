"""No personal data outside the two places that may hold it: searched for in every byte a run writes.

Marked names, phones, identity numbers, addresses and birth dates are planted in every source: in the columns that the
contract names as personal, in columns nobody knows, in rows that are taken and in rows that are turned away, in CSV and
in workbooks. Then everything in the home and in the temporary folder is opened as far as it opens (archives, Parquet,
DuckDB, SQLite, zlib, PDF) and searched.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pyarrow.parquet as pq
import pytest

from ingestion import load_contracts
from ingestion.text.vietnamese import fold
from tests.support.opened_files import opened

QUARTER = "2023-Q1"
PROJECT = Path(__file__).parents[2]
NAME, PHONE, IDENTITY, ADDRESS = "Canh Gác Hoàng Yến", "0909717171", "094171717171", "Ấp Chim Yến 717, Cù Lao"
BIRTH = "17/07/1907"
CANARIES = (
    "Hoàng Yến", "HOÀNG YẾN", "hoàng yến", "Hoang Yen", "09097171", "94171717", "Chim Yến",
    BIRTH, "1907-07-17", "19070717",
)  # fmt: skip
PLANTED = (NAME, PHONE, IDENTITY, ADDRESS)
#: Written into the register of decisions, whose words a release prints: by column, and what is said of it.
IN_DECISIONS = {
    "reason": ("Theo lời bà TRẦN THỊ HAI TƯ, máy +84 912–000–410", "cột “Lý do” có số điện thoại;"),
    "document_number": (
        "45/BC-UBND, CCCD 094.085.000.410",
        "cột “Số văn bản” có số căn cước, chứng minh nhân dân;",
    ),
    "approved_by": (
        "Chủ tịch UBND huyện, chutich(at)culaodung.vn",
        "cột “Người duyệt” có địa chỉ thư điện tử;",
    ),
}
UNKNOWN_HEADINGS = ("Người thân", "Liên hệ khẩn cấp", "Cột riêng của văn phòng")
#: Where the clerk's own cells may be, and the deliveries themselves.
ALLOWED = ("landing", "raw/originals", "outbox")


# ------------------------------------------------------------------------------------------------------------ planting

#: What the district delivers. What only a province does is in no run of a unit: ``test_portal_figures``.
SOURCES = [source for source, contract in load_contracts().items() if not contract.is_of_superiors]


def headings_of(source: str) -> list[str]:
    return [*load_contracts()[source].personal, *UNKNOWN_HEADINGS]


def plant(path: Path, source: str, headings: Sequence[str]) -> None:
    """Adds a column for each of the headings, and fills the roster's own personal columns."""
    if path.suffix == ".csv":
        plant_csv(path, headings)
        return
    book = openpyxl.load_workbook(path)
    sheet: Any = book.active
    contract = load_contracts()[source]
    titles = {fold(a): c for c in contract.columns for a in c.aliases}
    head = max(
        range(1, 25), key=lambda r: sum(fold(str(c.value)) in titles for c in sheet[r] if isinstance(c.value, str))
    )
    first, last = head + 1, sheet.max_row
    taken = {fold(str(c.value)) for r in range(1, head + 1) for c in sheet[r] if c.value}
    width = max(c.column for r in range(1, head + 1) for c in sheet[r] if c.value)
    for offset, heading in enumerate((h for h in headings if fold(h) not in taken), start=1):
        sheet.cell(head, width + offset).value = heading
        for row in range(first, last + 1):
            if isinstance(sheet.cell(row, 1).value, int):  # a counted row; not a total, not a signature
                sheet.cell(row, width + offset).value = f"{PLANTED[offset % 4]} {row}"
    for cell in sheet[head]:
        column = titles.get(fold(str(cell.value)))
        if column is not None and column.name == "full_name":
            for row in range(first, last + 1):
                if isinstance(sheet.cell(row, 1).value, int):
                    sheet.cell(row, cell.column).value = f"{NAME} {row}"
    book.save(path)


def plant_decisions(path: Path) -> None:
    """Writes one datum into a row of the register for each of the columns that a release prints."""
    book = openpyxl.load_workbook(path)
    sheet: Any = book.active
    titles = {fold(a): c.name for c in load_contracts()["decisions"].columns for a in c.aliases}
    for row in sheet.iter_rows():
        named = {titles.get(fold(str(cell.value))): cell for cell in row}
        if set(IN_DECISIONS) <= set(named):
            # The row below the header numbers the columns.
            for below, (name, (text, _)) in enumerate(IN_DECISIONS.items(), start=2):
                sheet.cell(named[name].row + below, named[name].column).value = text
    book.save(path)


def plant_csv(path: Path, headings: Sequence[str]) -> None:
    """The sample's CSV files begin with their header and hold nothing but rows."""
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig")), delimiter=";"))
    added = [*headings]
    for number, row in enumerate(rows):
        row += [PLANTED[k % 4] for k in range(len(added))] if number else added
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";").writerows(rows)


def plant_text(path: Path) -> None:
    """Reminders and one paragraph that tell of a person. A name alone in a paragraph cannot be told from other words,
    and is published with it: the source's README says who answers for that.
    """
    lines = path.read_text(encoding="utf-8-sig").split("\n")
    reminder, paragraph = f"// {NAME}, {BIRTH}, {ADDRESS}", f"Hồ sơ của bà {NAME}, {ADDRESS}, số {PHONE}, {IDENTITY}."
    place = lines.index("[II.2] Hạn chế") + 1
    path.write_text("\n".join([reminder, *lines[:place], paragraph, reminder, *lines[place:]]), encoding="utf-8-sig")


def bad_rows(source: str) -> list[list[str]]:
    """A table of the source whose rows are all turned away, each with planted personal cells."""
    contract = load_contracts()[source]
    columns = [c for c in contract.columns if c.derived_from is None]
    people = {"full_name": NAME, "birth_date": BIRTH, "birth_date_male": BIRTH, "birth_date_female": BIRTH}
    if contract.unit_column is not None:
        people[contract.unit_column] = "945"  # a file all of whose rows are another unit's is held as a whole
    known = [c.title_vi for c in columns]
    extra = [h for h in headings_of(source) if fold(h) not in {fold(a) for c in columns for a in c.aliases}]

    def row(fill: str) -> list[str]:
        cells = [people.get(c.name, "" if c.transient else fill) for c in columns]
        return [*cells, *(PLANTED[i % 4] for i in range(len(extra)))]

    # The second row's cells have moved one to the right, as a stray delimiter moves them.
    return [[*known, *extra], row("sai"), [NAME, PHONE, *row("lệch")[:-1], ADDRESS, IDENTITY]]


def add_bad_files(landing: Path) -> None:
    for source in SOURCES:
        folder = landing / "945" / QUARTER / source
        folder.mkdir(parents=True, exist_ok=True)
        rows = bad_rows(source)
        with (folder / "hỏng.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
        book = openpyxl.Workbook()
        for cells in [["Người lập:", NAME, PHONE], [], *rows[:2], [], ["Người lập biểu", NAME]]:
            book.active.append(cells)
        book.save(folder / "hỏng.xlsx")
        refused = openpyxl.Workbook()
        for cells in [["Họ tên", "Điện thoại"], [NAME, PHONE], ["", ""], [ADDRESS, IDENTITY]]:
            refused.active.append(cells)
        refused.save(folder / "không phải mẫu.xlsx")
        (folder / "rác.xlsx").write_bytes(f"{NAME} {PHONE}".encode())


# ----------------------------------------------------------------------------------------------------------- searching


def hits(roots: list[Path], leave_out: tuple[Path, ...] = ()) -> list[str]:
    """Every canary found, by file."""
    found = []
    for root in roots:
        for path in sorted(p for p in root.rglob("*") if p.is_file() and not p.is_symlink()):
            if not any(path.is_relative_to(place) for place in leave_out):
                state = path.stat()
                found += _hits_in(path, state.st_size, state.st_mtime_ns, state.st_ino)
    return found


@cache
def _hits_in(path: Path, *_state: int) -> list[str]:
    """Those of one file, which is opened again only where it has changed."""
    wanted = {canary: canary.encode() for canary in CANARIES}
    return [f"{name}: {canary}" for name, data in opened(path) for canary, needle in wanted.items() if needle in data]


# -------------------------------------------------------------------------------------------------------------- a run


class Planted:
    """A home with canaries, and what its runs left behind."""

    def __init__(self, root: Path) -> None:
        self.home = root / "home"
        self.temp = root / "temp"
        self.temp.mkdir(parents=True)
        self.output = ""

    def run(self, *arguments: str, code: int | None = 0) -> Any:
        environment = {**os.environ, "CCHC_HOME": str(self.home), "TMPDIR": str(self.temp),
                       "XDG_CACHE_HOME": str(self.temp / "cache"), "HOME": str(self.temp)}  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "orchestration.cli", *arguments], cwd=PROJECT, env=environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert code is None or done.returncode == code, done.stdout + done.stderr
        return done

    def outside(self) -> list[str]:
        return hits([self.home, self.temp], tuple(self.home / place for place in ALLOWED))


@pytest.fixture(scope="module")
def planted(sample_landing: Path, tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """The sample with canaries, run and published; then run again with files whose rows are turned away, and with
    columns that nobody knows, which hold a report back where a column is missing.
    """
    found = Planted(tmp_path_factory.mktemp("canaries"))
    for folder in sample_landing.glob(f"*/{QUARTER}"):
        shutil.copytree(folder, found.home / "landing" / folder.relative_to(sample_landing))
    paths = sorted((found.home / "landing").rglob("*.*"))
    deliveries = [path for path in paths if path.is_file() and not path.name.startswith(".")]
    for path in deliveries:
        if path.suffix == ".txt":
            plant_text(path)
        else:
            plant(path, path.parent.name, load_contracts()[path.parent.name].personal)
    first = found.run("run", QUARTER, "--json")
    for path in deliveries:
        if path.suffix != ".txt":
            plant(path, path.parent.name, UNKNOWN_HEADINGS)
        if path.parent.name == "decisions":
            plant_decisions(path)
    add_bad_files(found.home / "landing")
    second = found.run("run", QUARTER, "--verbose", code=None)
    found.output = first.stdout + first.stderr + second.stdout + second.stderr
    return found


def test_the_canaries_are_really_there_to_be_found(planted: Planted) -> None:
    for source in SOURCES:
        delivered = planted.home / "landing" / "945" / QUARTER / source
        assert len({hit.rsplit(": ", 1)[1] for hit in hits([delivered])}) >= 4, source
    assert hits([planted.home / "raw" / "originals"])
    returned = hits([planted.home / "outbox"])
    assert {canary for hit in returned for canary in [hit.rsplit(": ", 1)[1]]} >= {"Hoàng Yến", "09097171", BIRTH}


def test_rows_were_taken_turned_away_and_published(planted: Planted) -> None:
    deliveries = pq.read_table(planted.home / "raw" / "deliveries.parquet").to_pylist()
    for source in SOURCES:
        mine = [d for d in deliveries if d["source"] == source]
        assert sum(d["rows_rejected"] for d in mine) >= 3, source
        assert any(d["outcome"] == "refused" for d in mine), source
        assert sum(d["rows_accepted"] for d in mine) > 0, source
    releases = planted.home / "published" / "945" / QUARTER
    assert [path.parent.name for path in releases.glob("r*/manifest.json")] == ["r1"]


def test_a_datum_in_a_decision_holds_the_report_back_and_is_not_quoted(planted: Planted) -> None:
    for text, told in IN_DECISIONS.values():
        assert told in planted.output
        assert text not in planted.output
    assert "cột “Lý do” có thể ghi tên người" in planted.output
    texts = [text.encode() for text, _ in IN_DECISIONS.values()]
    places = [planted.home / "published", planted.home / "warehouse" / "verdicts", planted.home / "logs"]
    files = [path for place in places for path in place.rglob("*") if path.is_file()]
    assert files
    assert not [name for path in files for name, data in opened(path) if any(text in data for text in texts)]


def test_no_byte_of_it_is_anywhere_else(planted: Planted) -> None:
    assert planted.outside() == []
    assert not any(canary in planted.output for canary in CANARIES)


def test_checking_a_file_and_writing_a_template_leave_nothing_behind(planted: Planted, tmp_path: Path) -> None:
    file = planted.home / "landing" / "945" / QUARTER / "staffing_roster" / "hỏng.xlsx"
    done = planted.run("check-file", "staffing_roster", str(file), "--json", code=1)
    assert json.loads(done.stdout)["rows_rejected"] > 0
    assert not any(canary in done.stdout + done.stderr for canary in CANARIES)
    planted.run("template", "one_stop_cases", "--unit", "945", "--quarter", QUARTER, "--out", str(tmp_path / "t.xlsx"))
    assert hits([planted.temp, tmp_path]) == []


def test_the_search_finds_what_is_hidden_in_archives_databases_and_columns(tmp_path: Path) -> None:
    import pyarrow as pa
    import typst

    pq.write_table(pa.table({"a": [NAME] * 10}), tmp_path / "a.parquet", compression="zstd")
    with zipfile.ZipFile(tmp_path / "b.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x", NAME * 10)
    with duckdb.connect(str(tmp_path / "c.duckdb")) as database:
        database.execute(f"CREATE TABLE t AS SELECT '{NAME}' || range AS a FROM range(10000)")
    with sqlite3.connect(tmp_path / "d.db") as sqlite:
        sqlite.execute("CREATE TABLE t (a BLOB)")
        sqlite.execute("INSERT INTO t VALUES (?)", (zlib.compress(NAME.encode() * 10),))
    (tmp_path / "e.json").write_text(json.dumps([NAME]), encoding="ascii")
    (tmp_path / "f.typ").write_text("#sys.inputs.name", encoding="utf-8")
    typst.compile(tmp_path / "f.typ", output=tmp_path / "f.pdf", sys_inputs={"name": NAME})
    found = {Path(hit.split(": ")[0].split(" ")[0].split("!")[0]).name for hit in hits([tmp_path])}
    assert found == {"a.parquet", "b.zip", "c.duckdb", "d.db", "e.json", "f.pdf"}


def test_after_the_purge_no_byte_is_left_at_all_and_releases_still_verify(planted: Planted) -> None:
    assert hits([planted.home])
    told = json.loads(planted.run("purge", "--dry-run", "--today", "2199-01-01", "--json").stdout)
    assert hits([planted.home])
    done = json.loads(planted.run("purge", "--today", "2199-01-01", "--json").stdout)
    assert done["files"] == told["files"] != []
    assert hits([planted.home, planted.temp]) == []
    planted.run("verify")
    status = planted.run("status", QUARTER)
    assert "bản gốc đã xóa theo thời hạn lưu ngày 01/01/2199" in status.stdout
