"""The setting ``postgres_url`` switches the copy on; a server that fails never takes a release back."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from publication import current_release
from publication.store.contracts import table_name
from tests.integration.orchestration.test_provinces import FIGURE, TAKEN, deliver
from tests.support.postgres import PostgresServer

PLACE = "945/2023-Q1"


@pytest.fixture
def home(published_home: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "home"
    shutil.copytree(published_home, copy)
    return copy


def test_a_failed_copy_is_told_and_made_good_by_the_next_run(
    home: Path, postgres_server: PostgresServer, cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    conninfo = postgres_server.new_database()
    before = current_release(home / "published", "945", "2023-Q1")
    assert before is not None

    monkeypatch.setenv("CCHC_POSTGRES_URL", postgres_server.conninfo(password="sai-123"))
    failed = cli(home, "publish", "2023-Q1")
    assert failed.code == 1
    assert "không thay đổi" in failed.stdout
    told = f"PostgreSQL, {PLACE}: KHÔNG CHÉP ĐƯỢC, không kết nối được PostgreSQL: sai tên hoặc mật khẩu"
    assert told in failed.stdout
    assert "bản công bố vẫn có hiệu lực" in failed.stdout
    assert current_release(home / "published", "945", "2023-Q1") == before
    alerts = (home / "logs" / "alerts.log").read_text(encoding="utf-8")
    line = json.loads(alerts.splitlines()[-1])
    assert (line["kind"], line["unit"], line["quarter"]) == ("postgres_failed", "945", "2023-Q1")
    everything = alerts + failed.stdout + failed.stderr + (home / "logs" / "dagster.log").read_text(encoding="utf-8")
    assert "sai-123" not in everything

    monkeypatch.setenv("CCHC_POSTGRES_URL", conninfo)
    again = cli(home, "publish", "2023-Q1")
    assert (again.code, again.stderr.count("KHÔNG")) == (0, 0)
    assert f"PostgreSQL, {PLACE}/r1: đã chép" in again.stdout
    with postgres_server.connect(conninfo) as session:
        versions = before.manifest().contract_versions
        for path in (before.path / "marts").glob("*.parquet"):
            table = table_name(path.stem, versions[path.stem])
            assert session.execute(f"select count(*) from cchc.{table}").fetchone() == (
                pq.read_metadata(path).num_rows,
            )

    everything_there = cli(home, "postgres", "--json")
    assert everything_there.code == 0
    assert json.loads(everything_there.stdout)["postgres"][PLACE]["state"] == "present"


def test_a_province_is_copied_when_it_is_rolled_up_and_when_it_goes_back(
    home: Path, postgres_server: PostgresServer, cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    conninfo = postgres_server.new_database()
    monkeypatch.setenv("CCHC_POSTGRES_URL", conninfo)

    def current() -> list[tuple[object, ...]]:
        with postgres_server.connect(conninfo) as session:
            return session.execute("select release, unit_name_vi from cchc.releases").fetchall()

    for number in (1, 2):
        deliver(home, [*FIGURE[:3], 1000 + number, TAKEN])
        made = cli(home, "province", "2023-Q1", "--unit", "94")
        assert made.code == 0, made.stdout + made.stderr
        assert f"PostgreSQL, 94/2023-Q1/r{number}: đã chép" in made.stdout
        assert current() == [(f"94/2023-Q1/r{number}", "Tỉnh Sóc Trăng")]
    back = cli(home, "rollback", "2023-Q1", "--unit", "94", "--to", "1", "--reason", "nhầm")
    assert back.code == 0, back.stdout + back.stderr
    assert current() == [("94/2023-Q1/r1", "Tỉnh Sóc Trăng")]


def test_without_the_setting_there_is_no_copy(home: Path, cli: Callable[..., Any]) -> None:
    result = cli(home, "postgres")
    assert result.code == 2
    assert "CCHC_POSTGRES_URL" in result.stderr
