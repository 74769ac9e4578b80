"""Every snippet of the consumer guide does what it says, on a published release of the sample."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pyarrow.parquet as pq
import pytest
from psycopg import sql

from publication import PostgresCopy, PostgresTarget, Release, current_release
from publication.store.csvfile import from_csv, from_csv_header
from tests.support.collection import opened
from tests.support.postgres import PostgresServer
from tests.support.several_releases import several_releases

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "consumer-guide.md"
BLOCK = re.compile(r"^```(?P<kind>[^\n]+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
KINDS = {"python", "sql all", "sql duckdb", "sql psql", "sh", "powerquery"}


def snippets(kind: str) -> list[str]:
    return [match["text"] for match in BLOCK.finditer(GUIDE.read_text(encoding="utf-8")) if match["kind"] == kind]


@pytest.fixture
def release(published_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Release:
    """The release; the working folder is one where it lies under ``data/published``, as the guide has it."""
    (tmp_path / "data").symlink_to(published_home)
    monkeypatch.chdir(tmp_path)
    found = current_release(published_home / "published", "945", "2023-Q1")
    assert found is not None
    return found


@pytest.fixture
def reader(release: Release, postgres_server: PostgresServer) -> dict[str, str]:
    """Environment of ``psql`` for a login that may only read the copy of the release."""
    conninfo = postgres_server.new_database()
    with PostgresCopy(PostgresTarget(conninfo)) as copy:
        copy.copy(release, lambda: True)
    name = str(psycopg.conninfo.conninfo_to_dict(conninfo)["dbname"])
    with postgres_server.connect(conninfo) as session:
        role = sql.Identifier(f"doc_{name}")
        session.execute(sql.SQL("create role {} login password 'x' in role cchc_reader").format(role))
    return {"PGHOST": str(postgres_server.socket), "PGDATABASE": name, "PGUSER": f"doc_{name}", "PGPASSWORD": "x"}


def _total(release: Release, mart: str, column: str) -> int:
    return sum(pq.read_table(release.path / "marts" / f"{mart}.parquet")[column].to_pylist())


def test_every_block_is_of_a_kind_that_is_tried() -> None:
    kinds = [match["kind"] for match in BLOCK.finditer(GUIDE.read_text(encoding="utf-8"))]
    assert set(kinds) == KINDS
    assert GUIDE.read_text(encoding="utf-8").count("```") == 2 * len(kinds)


def test_python_blocks_run_in_order_and_find_the_figures(release: Release) -> None:
    names: dict[str, Any] = {}
    for text in snippets("python"):
        exec(compile(text, str(GUIDE), "exec"), names)
    assert names["release"].resolve() == release.path.resolve()
    form = pq.read_table(release.path / "marts" / "report_indicators.parquet").to_pylist()
    rows = {row["indicator_code"]: row for row in form}
    assert names["published"].loc["I.02", "value"] == rows["I.02"]["value"] == Decimal("47.37")
    assert [(release, in_force) for release, _, in_force in names["history"]] == [("945/2023-Q1/r1", True)]
    assert names["trend"] == [("945", "2023-Q1", Decimal("47.37"))]
    assert names["one_figure"] == [("2023-Q1", "945", Decimal("47.37"))]
    assert names["same_figure"].rows() == names["one_figure"]
    assert {row["indicator_code"]: row["value"] for row in names["one_unit"].to_pylist()} == {
        code: row["value"] for code, row in rows.items()
    }
    assert [place for place, _, _ in names["rates"]] == ["commune", "district"]
    assert sum(resolved for _, resolved, _ in names["rates"]) == rows["III.24"]["value"] + rows["III.27"]["value"] > 0
    assert names["staff"]["present"].sum() == _total(release, "staffing", "present") > 0
    for frame in (names["form"], names["sheet"]):
        values = {
            code: None if str(value) in ("nan", "<NA>") else Decimal(str(value))
            for code, value in zip(frame["indicator_code"], frame["value"], strict=True)
        }
        assert values == {code: row["value"] for code, row in rows.items()}


def test_duckdb_blocks_run_in_the_release_folder(release: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(release.path)
    [text] = snippets("sql duckdb")
    with duckdb.connect("marts.duckdb", read_only=True) as connection:
        answers = [connection.execute(statement).fetchall() for statement in text.split(";") if statement.strip()]
    assert (len(answers[0]), answers[1]) == (10, [(211,)])


@pytest.fixture(scope="module")
def three_quarters(published_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three quarters, the first in a release and its correction, and a half-year and a year that hold them again."""
    release = published_home / "published" / "945" / "2023-Q1" / "r1"
    return several_releases(release, tmp_path_factory.mktemp("three") / "published")


def _rows(published: Path, mart: str) -> list[dict[str, Any]]:
    """The rows of a mart in the current releases, read without DuckDB."""
    pointers = [json.loads(path.read_bytes()) for path in published.glob("*/*/current.json")]
    found: list[dict[str, Any]] = []
    for pointer in sorted(pointers, key=lambda pointer: str(pointer["quarter"])):
        path = published / pointer["unit_code"] / pointer["quarter"] / pointer["path"] / "marts" / f"{mart}.parquet"
        found += pq.read_table(path).to_pylist()
    return found


def _of_quarters(published: Path, mart: str) -> list[dict[str, Any]]:
    """Without longer periods, which hold what their quarters hold once more."""
    return [row for row in _rows(published, mart) if re.fullmatch(r"\d{4}-Q\d", row["quarter"])]


def _sums(rows: Iterable[dict[str, Any]], keys: Sequence[str], column: str) -> dict[tuple[Any, ...], int]:
    sums: dict[tuple[Any, ...], int] = {}
    for row in rows:
        key = tuple(row[name] for name in keys)
        sums[key] = sums.get(key, 0) + row[column]
    return sums


def _expected_answers(published: Path) -> list[list[tuple[Any, ...]]]:
    """The answers to the ten questions, worked out from the Parquet files row by row."""
    form, all_forms = _of_quarters(published, "report_indicators"), _rows(published, "report_indicators")
    values = {(row["unit_code"], row["quarter"], row["indicator_code"]): row["value"] for row in form}
    windows = [row for row in _of_quarters(published, "case_timeliness") if row["clock"] == "reporting_window"]
    communes = {
        row["unit_code"]: row["name_vi"] for row in _rows(published, "dim_unit") if row["unit_level"] == "commune"
    }
    rates = [
        (
            communes[row["scope_code"]],
            *(row[name] for name in ("quarter", "numerator", "denominator", "on_time_percent")),
        )
        for row in windows
        if row["denominator_kind"] == "resolved" and row["scope_kind"] == "unit" and row["scope_code"] in communes
    ]
    names = ("unit_code", "unit_level", "procedure_code", "procedure_name_vi", "resolved", "median_working_days")
    slow = [
        tuple(row[name] for name in (*names, "p90_working_days"))
        for row in _of_quarters(published, "procedure_duration")
        if row["clock"] == "reporting_window" and row["quarter"] == "2023-Q3" and (row["resolved"] or 0) >= 5
    ]
    slow.sort(key=lambda row: (row[5] is None, -(row[5] or 0), *row[:3]))
    names = ("unit_code", "working_unit_code", "working_unit_name_vi", "assigned_posts", "present_in_posts")
    staff = [
        (*(row[name] for name in names), row["assigned_posts"] - row["present_in_posts"])
        for row in _of_quarters(published, "staff_by_unit")
        if row["quarter"] == "2023-Q3" and row["assigned_posts"] is not None
    ]
    staff.sort(key=lambda row: (-row[5], row[0], row[1]))
    assert sum(row[3] for row in staff if "-PB" in row[1]) == values["945", "2023-Q3", "IV.10"]
    r1, r2 = (
        pq.read_table(published / f"945/2023-Q1/r{n}/marts/report_indicators.parquet").to_pylist() for n in (1, 2)
    )
    changed = [
        (
            new["indicator_code"],
            new["indicator_name_vi"],
            f"{old['value'].normalize():f}",
            f"{new['value'].normalize():f}",
            None,
        )
        for old, new in zip(r1, r2, strict=True)
        if old["value"] != new["value"]
    ]
    fields = [
        row
        for row in _of_quarters(published, "case_form_06a")
        if (row["clock"], row["breakdown"], row["row_kind"], row["quarter"])
        == ("reporting_window", "field", "row", "2023-Q3")
    ]
    names = ("field_vi", "unit_level", "in_progress", "in_progress_overdue")
    backlog = [tuple(row[name] for name in names) for row in fields if row["in_progress"]]
    backlog.sort(key=lambda row: (row[3] is None, -(row[3] or 0), -row[2], row[0], row[1]))
    channels = []
    for row in _of_quarters(published, "case_form_06a"):
        if (row["clock"], row["breakdown"], row["row_kind"]) == ("reporting_window", "unit", "total"):
            online, total = row["received_online"], row["received_online"] + row["received_direct_or_postal"]
            channels.append((row["unit_code"], row["quarter"], online, total, round(100 * online / total, 2)))
    channels.sort()
    late = [row for row in _of_quarters(published, "case_lateness") if row["clock"] == "reporting_window"]
    held = {(row["lateness"], row["cause_vi"]) for row in late if row["cases"] is None}
    told = _sums((row for row in late if row["cases"] is not None), ["lateness", "cause_vi"], "cases")
    causes = [(*key, None if key in held else told[key]) for key in held | told.keys()]
    causes.sort(key=lambda row: (row[0], row[2] is None, -(row[2] or 0), row[1]))
    moved = []
    for row in form:
        before = values.get((row["unit_code"], "2023-Q2", row["indicator_code"]))
        is_asked = row["unit_of_measure"] == "%" and row["period_basis"] != "year_to_date"
        if row["quarter"] == "2023-Q3" and is_asked and None not in (before, row["value"]):
            cell = (row["unit_code"], row["indicator_code"], row["indicator_name_vi"], before, row["value"])
            moved += [(*cell, row["value"] - before)] if row["value"] != before else []
    moved.sort(key=lambda row: (-abs(row[5]), row[0], row[1]))
    log = ("quarter", "delivering_unit_code", "source", "file_name", "outcome", "rows_read", "rows_rejected")
    refused = [
        tuple(row[name] for name in log)
        for row in _rows(published, "delivery_log")
        if row["outcome"] == "refused" or (row["rows_rejected"] or 0) > 0
    ]
    counted = Counter((row["quarter"], row["section"], row["status"]) for row in all_forms)
    origins = [(*key, counted[key]) for key in sorted(counted)]
    by_unit, by_case = [sorted(rates), slow[:10], staff, changed, backlog], [sorted(channels), causes]
    return [*by_unit, *by_case, moved[:10], sorted(refused), origins]


def test_the_ten_questions_have_the_answers_that_the_files_give(
    three_quarters: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    texts = snippets("sql all")
    expected = _expected_answers(three_quarters)
    assert len(texts) == len(expected) == 10
    with opened(three_quarters / "all.duckdb") as connection:
        for number, (text, answer) in enumerate(zip(texts, expected, strict=True), start=1):
            assert answer, number
            assert connection.execute(text).fetchall() == answer, number


def test_each_question_is_asked_in_both_languages() -> None:
    section = GUIDE.read_text(encoding="utf-8").partition("## Ten questions")[2].partition("\n## ")[0]
    asked = re.findall(r"^### (\d+)\. (.+)\n(.+)$", section, re.MULTILINE)
    assert [int(number) for number, _, _ in asked] == list(range(1, 11))
    for _, english, vietnamese in asked:
        assert english.isascii()
        assert not vietnamese.isascii()


def test_psql_blocks_run_as_a_reader(release: Release, reader: dict[str, str], postgres_server: PostgresServer) -> None:
    program = shutil.which("psql") or str(postgres_server.programs / "psql")
    texts = snippets("sql psql")
    assert len(texts) == 3
    outputs = []
    for text in texts:
        done = subprocess.run(
            [program, "-X", "-v", "ON_ERROR_STOP=1", "-At"],
            input=text,
            env={**os.environ, **reader},
            text=True,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "945/2023-Q1/r1|" in done.stdout
        outputs.append(done.stdout)
    figures = pq.read_table(release.path / "marts/report_indicators.parquet")["value"]
    assert f"945/2023-Q1/r1|{len(figures) - figures.null_count}\n" in outputs[1]


def test_shell_blocks_run(release: Release) -> None:
    commands = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    for text in snippets("sh"):
        done = subprocess.run(
            ["bash", "-eu", "-c", text],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PATH": commands, "PYTHONPATH": str(ROOT)},
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "nguyên vẹn" in done.stdout
        assert "INVALID" not in done.stdout
        assert done.stdout.count("VALID") > 20


def test_verify_tells_of_a_database_that_is_not_what_was_written(published_home: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(published_home / "published", home / "published")
    (home / "logs").mkdir()
    database = home / "published" / "all.duckdb"
    told = {}
    for state in ("whole", "written to"):
        if state == "written to":
            with duckdb.connect(str(database)) as connection:
                connection.execute("delete from dictionary")
        command = [sys.executable, "-m", "orchestration.cli", "verify", "--json"]
        environment = {**os.environ, "CCHC_HOME": str(home), "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        told[state] = {Path(one["path"]).name for one in json.loads(done.stdout)["to_mend"]}
    assert told["whole"] == set()
    assert "all.duckdb" in told["written to"]


def test_the_power_query_block_names_columns_that_are_there(release: Release) -> None:
    [text] = snippets("powerquery")
    header = from_csv_header((release.path / "report" / "annex.csv").read_bytes())
    named = set(re.findall(r'\{"(\w+)"|, "(\w+)"(?=[,}])|\{\{"(\w+)"', text))
    columns = {name for names in named for name in names if name}
    assert columns == {"row_no", "value", "numerator", "denominator"}
    assert columns <= set(header)
    assert "report\\annex.csv" in text


def test_libreoffice_reads_the_data_sheet_as_numbers(release: Release, tmp_path: Path) -> None:
    program = shutil.which("soffice")
    if program is None:
        pytest.skip("needs the Debian package libreoffice-calc")
    # 44,34,76: comma, quote, UTF-8; the last number is the sheet; cells as they are stored, not as they look.
    form = "csv:Text - txt - csv (StarCalc):44,34,76,1,,1033,false,false,false,false,false,2"
    subprocess.run(
        [
            program,
            f"-env:UserInstallation=file://{tmp_path}/office",
            "--headless",
            "--convert-to",
            form,
            "--outdir",
            str(tmp_path / "sheets"),
            str(release.path / "report" / "annex.xlsx"),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    [sheet] = (tmp_path / "sheets").glob("*.csv")
    read = {row["indicator_code"]: row["value"] for row in from_csv(sheet.read_bytes())}
    rows = pq.read_table(release.path / "marts" / "report_indicators.parquet").to_pylist()
    assert {code: Decimal(value) if value else None for code, value in read.items()} == {
        row["indicator_code"]: row["value"] for row in rows
    }
