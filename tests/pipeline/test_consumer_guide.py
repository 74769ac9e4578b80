"""Every snippet of the consumer guide does what it says, on a published release of the sample."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
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
from tests.support.postgres import PostgresServer

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "consumer-guide.md"
BLOCK = re.compile(r"^```(?P<kind>[^\n]+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
KINDS = {"python", "sql duckdb", "sql psql", "sh", "powerquery"}


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
    assert sum(resolved for _, resolved, _ in names["fields"]) == _total(release, "case_processing", "resolved") > 0
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


def test_psql_blocks_run_as_a_reader(release: Release, reader: dict[str, str], postgres_server: PostgresServer) -> None:
    program = shutil.which("psql") or str(postgres_server.programs / "psql")
    texts = snippets("sql psql")
    assert len(texts) == 2
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
    figures = pq.read_table(release.path / "marts/report_indicators.parquet")["value"]
    assert f"945/2023-Q1/r1|{len(figures) - figures.null_count}\n" in done.stdout


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
