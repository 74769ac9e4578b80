"""The copy in PostgreSQL: exact, whole at every moment, read-only for readers, and never in the way of a release."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pyarrow as pa
import pytest
from psycopg import errors, sql

from publication import PostgresCopy, PostgresError, PostgresTarget, Published, Release, index, write_candidates
from publication import publish as publish_candidate
from publication.content.release_content import ReleaseContent
from publication.store.contracts import stored_contracts
from publication.tables.database import read_database
from tests.integration.publication.conftest import Home
from tests.support.postgres import PASSWORD, PostgresServer
from tests.unit.publication.builders import (
    FORM_VERSION,
    QUARTER,
    UNIT,
    build_tables,
    clear_candidate,
    delivery,
    write_build,
)

SWAPS = 20
ROOT = Path(__file__).parents[3]
HOSTILE = ["", "\\N", "NULL", "a\tb\nc\\d\r", "'; drop table x; --", '"', "Ủy ban nhân dân", "{1,2}", "%s"]
COPY_ONCE = """
import sys
from pathlib import Path
from publication import PostgresCopy, PostgresTarget, find_release
with PostgresCopy(PostgresTarget(sys.argv[1])) as copy:
    copy.copy(find_release(Path(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5])), lambda: True)
"""


@dataclass(frozen=True)
class World:
    """Releases that all tests of this file read; none changes them. Figure I.04 tells the number of a release."""

    published: Path
    first: Release
    second: Release
    #: The third has a column more; the fourth says that ``case_processing`` is of major version 3.
    wider: Release
    other_major: Release
    other_unit: Release


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    home = Home(tmp_path_factory.mktemp("world"))
    wider = build_tables()["case_processing"].append_column("newer", pa.array([1, None, 3], pa.int64()))
    first, second, third = publish(home, 1), publish(home, 2), publish(home, 3, {"case_processing": wider})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("publication.tables.manifest.contract_versions", lambda tables: {"case_processing": "3.0.0"})
        fourth = publish(home, 4)
    return World(home.published, first, second, third, fourth, publish(home, 1, unit="941"))


@pytest.fixture
def conninfo(postgres_server: PostgresServer) -> str:
    return postgres_server.new_database()


@pytest.fixture
def session(conninfo: str) -> Iterator[psycopg.Connection[Any]]:
    with PostgresServer.connect(conninfo) as found:
        yield found


def publish(home: Home, number: int, tables: dict[str, pa.Table] | None = None, unit: str = UNIT) -> Release:
    """Release ``r<number>`` of a unit, with a mart of every type; other marts are replaced by ``tables``."""
    content = f"{number:x}"
    built = build_tables(unit=unit, changes={"I.04": {"value": Decimal(number)}}, content=content)
    inputs = [delivery(unit, content=content)]
    write_build(home.warehouse, {**built, "every_type": _every_type(unit), **(tables or {})}, inputs={unit: inputs})
    folder = write_candidates(home.warehouse, QUARTER, [unit], {unit: inputs}, {unit: FORM_VERSION})[unit]
    clear_candidate(home.warehouse, folder)
    verdicts = home.warehouse / "verdicts" / unit / QUARTER
    outcome = publish_candidate(
        home.published,
        folder,
        verdicts,
        unit=unit,
        quarter=QUARTER,
        expected_previous=number - 1 or None,
        code_version="1.0",
        published_at=dt.datetime(2023, 3, 16, 8, tzinfo=dt.UTC),
    )
    assert isinstance(outcome, Published)
    return outcome.release


def _every_type(unit: str) -> pa.Table:
    moment = dt.datetime(2023, 3, 14, 16, 59, 59, 123456)
    return pa.table(
        {
            "unit_code": [unit] * len(HOSTILE),
            "quarter": [QUARTER] * len(HOSTILE),
            "text": HOSTILE,
            "figure": pa.array([Decimal("99999999999999.9999"), Decimal("-0.0001"), None] * 3, pa.decimal128(18, 4)),
            "many": pa.array([2**63 - 1, -(2**63), None] * 3, pa.int64()),
            "few": pa.array([2**31 - 1, 0, None] * 3, pa.int32()),
            "said": pa.array([True, False, None] * 3),
            "day": pa.array([dt.date(2023, 3, 14), dt.date(1, 1, 1), None] * 3, pa.date32()),
            "moment": pa.array([moment, None, None] * 3, pa.timestamp("us")),
            "list": pa.array([HOSTILE, [], None] * 3, pa.list_(pa.string())),
        }
    )


def copy(conninfo: str, release: Release, reader: str = "cchc_reader") -> Any:
    with PostgresCopy(PostgresTarget(conninfo, reader)) as target:
        return target.copy(release, lambda: True)


def stored(session: psycopg.Connection[Any], release: Release) -> dict[str, Counter[tuple[Any, ...]]]:
    """All rows of the marts of a release as PostgreSQL holds them, in the marts' columns."""
    found = {}
    for mart, table in read_database(release.path / "marts.duckdb").items():
        columns = sql.SQL(", ").join(map(sql.Identifier, table.column_names))
        major = int(stored_contracts()[mart].version.split(".")[0]) if mart in stored_contracts() else 1
        stored_as = mart if major == 1 else f"{mart}_v{major}"
        query = sql.SQL("select {} from cchc.{}").format(columns, sql.Identifier(stored_as))
        found[mart] = Counter(_comparable(row) for row in session.execute(query).fetchall())
    return found


def _comparable(row: Any) -> tuple[Any, ...]:
    return tuple(tuple(value) if isinstance(value, list) else value for value in row)


def expected(release: Release) -> dict[str, Counter[tuple[Any, ...]]]:
    return {
        mart: Counter(_comparable(row.values()) for row in table.to_pylist())
        for mart, table in read_database(release.path / "marts.duckdb").items()
    }


def test_every_value_and_type_arrives_as_it_is(world: World, conninfo: str, session: psycopg.Connection[Any]) -> None:
    release = world.first
    outcome = copy(conninfo, release)
    assert (outcome.state, outcome.tables) == ("copied", len(expected(release)))
    assert stored(session, release) == expected(release)
    types = session.execute(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute "
        "where attrelid = 'cchc.every_type'::regclass and attnum > 0"
    ).fetchall()
    assert dict(types) == {
        "release": "text",
        "unit_code": "text",
        "quarter": "text",
        "text": "text",
        "figure": "numeric(18,4)",
        "many": "bigint",
        "few": "integer",
        "said": "boolean",
        "day": "date",
        "moment": "timestamp without time zone",
        "list": "text[]",
    }
    assert session.execute(
        "select release, unit_code, unit_name_vi, quarter, release_number, manifest_sha256 from cchc.releases"
    ).fetchall() == [(f"{UNIT}/{QUARTER}/r1", UNIT, "Huyện Cù Lao Dung", QUARTER, 1, release.manifest_sha256)]


def test_tables_and_columns_are_explained_in_vietnamese(
    world: World, conninfo: str, session: psycopg.Connection[Any]
) -> None:
    copy(conninfo, world.first)
    [(table, column, release)] = session.execute(
        "select obj_description('cchc.case_processing_v2'::regclass), "
        "col_description('cchc.case_processing_v2'::regclass, (select attnum from pg_attribute "
        "where attrelid = 'cchc.case_processing_v2'::regclass and attname = 'received')), "
        "col_description('cchc.case_processing_v2'::regclass, 1)"
    ).fetchall()
    assert table.startswith("Tiếp nhận và giải quyết thủ tục hành chính")
    assert column == "Hồ sơ tiếp nhận trong kỳ, kể cả hồ sơ sau đó rút hoặc bị từ chối (hồ sơ)"
    assert release.startswith("Bản công bố")


def test_the_same_release_twice_has_no_effect(world: World, conninfo: str, session: psycopg.Connection[Any]) -> None:
    release = world.first
    copy(conninfo, release)
    marks = "select xmin, ctid from cchc.report_indicators union all select xmin, ctid from cchc.releases"
    before = session.execute(marks).fetchall()
    assert copy(conninfo, release).state == "present"
    assert session.execute(marks).fetchall() == before


def test_a_copy_from_before_releases_told_how_final_they_are_is_made_again_once(
    world: World, conninfo: str, session: psycopg.Connection[Any], tmp_path: Path
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ReleaseContent, "provisional_vi", ("Xã X chưa gửi số liệu.",))
        provisional = publish(Home(tmp_path), 1)
    for release, told in ((world.first, False), (provisional, True)):
        copy(conninfo, release)
        session.execute("alter table cchc.releases drop column provisional")
        assert [copy(conninfo, release).state for _ in range(2)] == ["copied", "present"]
        assert session.execute("select provisional from cchc.releases").fetchall() == [(told,)]
        assert session.execute("select provisional from cchc.release_history where release_number = 1").fetchall() == [
            (told,)
        ]


@pytest.mark.parametrize(
    "harm",
    [
        "delete from cchc.report_indicators where indicator_code = 'I.04'",
        "truncate cchc.case_processing_v2",
        "drop table cchc.dim_unit",
    ],
)
def test_a_copy_that_lost_tables_or_rows_is_made_again_and_says_so(
    world: World, conninfo: str, session: psycopg.Connection[Any], harm: LiteralString
) -> None:
    copy(conninfo, world.first)
    count = "select count(*) from cchc.report_indicators"
    before = session.execute(count).fetchall()
    session.execute(harm)
    session.commit()
    again = copy(conninfo, world.first)
    assert again.state == "copied"
    assert "đã chép lại" in again.note_vi
    assert session.execute(count).fetchall() == before
    session.commit()
    assert copy(conninfo, world.first).state == "present"


def test_the_next_release_replaces_its_own_unit_and_quarter_only(
    world: World, conninfo: str, session: psycopg.Connection[Any]
) -> None:
    for release in (world.first, world.other_unit, world.second):
        copy(conninfo, release)
    assert session.execute("select release from cchc.releases order by 1").fetchall() == [
        (f"941/{QUARTER}/r1",),
        (f"{UNIT}/{QUARTER}/r2",),
    ]
    figures = session.execute(
        "select release, count(*), max(value) filter (where indicator_code = 'I.04') "
        "from cchc.report_indicators group by 1 order by 1"
    ).fetchall()
    assert figures == [(f"941/{QUARTER}/r1", 211, Decimal(1)), (f"{UNIT}/{QUARTER}/r2", 211, Decimal(2))]


def test_the_history_of_releases_and_every_changed_figure_are_there_and_mended(
    world: World, conninfo: str, session: psycopg.Connection[Any]
) -> None:
    copy(conninfo, world.second)
    copy(conninfo, world.other_unit)
    told = (
        "select release, action, previous_release_number from cchc.release_history where unit_code = %s order by step"
    )
    assert session.execute(told, [UNIT]).fetchall() == [
        (f"{UNIT}/{QUARTER}/r{number}", "publish", number - 1 or None) for number in range(1, 5)
    ]
    assert session.execute(told, ["941"]).fetchall() == [(f"941/{QUARTER}/r1", "publish", None)]
    changed = (
        "select release_number, old_value, new_value from cchc.changed_figures "
        "where table_name = 'report_indicators' and row_key = 'I.04' and column_name = 'value' order by 1"
    )
    whole = [(2, "1", "2"), (3, "2", "3"), (4, "3", "4")]
    assert session.execute(changed).fetchall() == whole
    kept = session.execute("select xmin from cchc.changed_figures").fetchall()
    copy(conninfo, world.second)
    assert session.execute("select xmin from cchc.changed_figures").fetchall() == kept
    session.execute("update cchc.changed_figures set new_value = 'x' where release_number = 2")
    copy(conninfo, world.second)
    assert session.execute(changed).fetchall() == whole
    words = session.execute("select obj_description('cchc.changed_figures'::regclass)").fetchone()
    assert words is not None
    assert "thay đổi" in words[0]
    unexplained = """
        select a.attname from pg_attribute a
        where attrelid in ('cchc.release_history'::regclass, 'cchc.changed_figures'::regclass)
          and attnum > 0 and col_description(attrelid, attnum) is null
    """
    assert session.execute(unexplained).fetchall() == []


def test_a_history_from_before_is_widened_and_may_be_blank_where_the_contract_lets_it(
    world: World, conninfo: str, session: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an earlier version laid it out: a column fewer, one that is gone, one that was never blank."""
    for release in (world.first, world.other_unit):
        copy(conninfo, release)
    session.execute("alter table cchc.release_history drop column reason_vi, add column gone int not null default 0")
    session.execute("alter table cchc.release_history alter column gone drop default")
    session.execute("alter table cchc.release_history alter column provisional set not null")
    session.execute("alter table cchc.changed_figures drop column cause_vi")
    told = "select unit_code, step, provisional, reason_vi from cchc.release_history order by 1, 2"
    whole = [("941", 1, False, None), *((UNIT, step, False, None) for step in (1, 2, 3, 4))]
    assert copy(conninfo, world.first).state == "copied"
    assert session.execute(told).fetchall() == whole
    causes = "select count(*) filter (where cause_vi <> '') > 0 from cchc.changed_figures"
    assert session.execute(causes).fetchone() == (True,)
    words = "select col_description('cchc.changed_figures'::regclass, max(attnum)) from pg_attribute where attname = %s"
    assert session.execute(words, ["cause_vi"]).fetchone() != (None,)
    session.execute("set role cchc_reader")
    assert session.execute(told).fetchall() == whole
    session.execute("reset role")
    assert [copy(conninfo, release).state for release in (world.first, world.other_unit)] == ["present"] * 2

    known = index._published
    monkeypatch.setattr(
        index, "_published", lambda manifest, release: {**known(manifest, release), "provisional": None}
    )
    assert copy(conninfo, world.first).state == "copied"
    assert [row[2] for row in session.execute(told).fetchall()] == [False, None, None, None, None]


def test_a_history_of_another_shape_is_refused_with_what_is_wrong(
    world: World, conninfo: str, session: psycopg.Connection[Any]
) -> None:
    copy(conninfo, world.first)
    session.execute("alter table cchc.release_history alter column changed_cells type text")
    with pytest.raises(PostgresError, match=r"cột changed_cells của bảng cchc\.release_history .* kiểu text, cần kiểu"):
        copy(conninfo, world.first)
    assert stored(session, world.first) == expected(world.first)


def test_a_release_that_is_no_longer_current_is_left_out(
    world: World, conninfo: str, session: psycopg.Connection[Any]
) -> None:
    older, newer = world.first, world.second
    copy(conninfo, newer)
    with PostgresCopy(PostgresTarget(conninfo)) as target:
        assert target.copy(older, lambda: False).state == "superseded"
    assert stored(session, newer) == expected(newer)


def test_the_reader_role_reads_all_and_writes_nothing(
    world: World, conninfo: str, session: psycopg.Connection[Any]
) -> None:
    release = world.first
    copy(conninfo, release)
    session.execute("set role cchc_reader")
    assert stored(session, release) == expected(release)
    for statement in (
        "insert into cchc.dim_unit select * from cchc.dim_unit",
        "update cchc.report_indicators set value = 0",
        "delete from cchc.releases",
        "truncate cchc.report_indicators",
        "drop table cchc.report_indicators",
        "create table cchc.mine (a int)",
        "alter table cchc.report_indicators add column mine int",
        "create schema mine",
    ):
        with pytest.raises(errors.InsufficientPrivilege):
            session.execute(statement)
    assert stored(session, release) == expected(release)


def _read(conninfo: str, done: threading.Event, seen: list[int], faults: list[str]) -> None:
    """One transaction, several statements, and one statement over two tables: all of the same release."""
    with psycopg.connect(conninfo) as session:
        session.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        while not done.is_set():
            with session.transaction():
                told = session.execute("select release, release_number from cchc.releases").fetchall()
                rows = session.execute(
                    "select release, count(*), max(value) filter (where indicator_code = 'I.04') "
                    "from cchc.report_indicators group by 1"
                ).fetchall()
                others = [
                    session.execute(f"select distinct release from cchc.{table}").fetchall()
                    for table in ("case_processing_v2", "dim_unit", "gate_results")
                ]
            session.isolation_level = None
            with session.transaction():
                mixed = session.execute(
                    "select count(*) from cchc.report_indicators full join cchc.releases "
                    "using (release) where indicator_code is null or release_number is null"
                ).fetchone()
            session.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            [(release, number)] = told
            if rows != [(release, 211, Decimal(number))] or others != [[(release,)]] * 3 or mixed != (0,):
                faults.append(f"{told} {rows} {others} {mixed}")
            seen.append(number)


def test_polling_readers_see_no_mix_while_releases_are_swapped(world: World, conninfo: str) -> None:
    releases = [world.first, world.second]
    copy(conninfo, releases[0])
    done = threading.Event()
    seen: list[list[int]] = [[], []]
    faults: list[str] = []
    readers = [threading.Thread(target=_read, args=(conninfo, done, mine, faults)) for mine in seen]
    for reader in readers:
        reader.start()
    try:
        with PostgresCopy(PostgresTarget(conninfo)) as target:
            states = [target.copy(releases[swap % 2], lambda: True).state for swap in range(1, SWAPS + 1)]
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert states == ["copied"] * SWAPS
    assert faults == []
    assert all(set(mine) == {1, 2} for mine in seen)


@pytest.mark.parametrize("blocked", ["releases", "case_processing_v2", "report_indicators"])
def test_a_kill_in_the_middle_leaves_the_release_before(
    world: World, conninfo: str, session: psycopg.Connection[Any], blocked: str
) -> None:
    """The copy is stopped by a lock on one of its tables, with those before it already written, and killed there."""
    older, newer = world.first, world.second
    copy(conninfo, older)
    with PostgresServer.connect(conninfo) as other:
        other.execute("begin")
        other.execute(sql.SQL("lock table cchc.{} in share mode").format(sql.Identifier(blocked)))
        process = subprocess.Popen(
            [sys.executable, "-c", COPY_ONCE, conninfo, str(world.published), UNIT, QUARTER, "2"],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        waiting = "select count(*) from pg_locks where not granted and relation = %s::regclass"
        deadline = time.monotonic() + 30
        while session.execute(waiting, (f"cchc.{blocked}",)).fetchone() == (0,):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        other.execute("rollback")
    # The server may first find out that its client is gone when it has the lock; then it rolls back.
    while session.execute("select count(*) from pg_stat_activity where application_name = 'cchc'").fetchone() != (0,):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert stored(session, older) == expected(older)
    assert copy(conninfo, newer).state == "copied"
    assert stored(session, newer) == expected(newer)


def test_a_new_column_widens_the_table_and_older_rows_are_blank_there(
    world: World, conninfo: str, session: psycopg.Connection[Any]
) -> None:
    copy(conninfo, world.other_unit)
    copy(conninfo, world.wider)
    rows = session.execute("select unit_code, received, newer from cchc.case_processing_v2 order by 1, 2").fetchall()
    assert rows == [("941", 1, None), ("941", 3, None), ("941", 7, None), (UNIT, 3, None), (UNIT, 7, 1)]
    assert session.execute(
        "select has_table_privilege('cchc_reader', 'cchc.case_processing_v2', 'select')"
    ).fetchone() == (True,)


def test_a_major_version_is_another_table(world: World, conninfo: str, session: psycopg.Connection[Any]) -> None:
    copy(conninfo, world.first)
    copy(conninfo, world.other_major)
    assert session.execute("select count(*) from cchc.case_processing_v2").fetchone() == (0,)
    assert session.execute("select count(*) from cchc.case_processing_v3").fetchone() == (2,)


def test_a_table_of_another_type_is_refused_and_nothing_changes(
    world: World, conninfo: str, session: psycopg.Connection[Any]
) -> None:
    older, newer = world.first, world.second
    copy(conninfo, older)
    session.execute("alter table cchc.case_processing_v2 alter column received type text")
    words = r"cột received của bảng cchc\.case_processing_v2 .* kiểu text, cần kiểu bigint"
    with pytest.raises(PostgresError, match=words):
        copy(conninfo, newer)
    assert session.execute("select release from cchc.releases").fetchall() == [(f"{UNIT}/{QUARTER}/r1",)]


def test_a_damaged_release_is_not_copied(
    world: World, tmp_path: Path, conninfo: str, session: psycopg.Connection[Any]
) -> None:
    older = world.first
    copy(conninfo, older)
    newer = replace(world.second, path=tmp_path / "r2")
    shutil.copytree(world.second.path, newer.path)
    mart = newer.path / "marts" / "dim_unit.parquet"
    mart.chmod(0o644)
    mart.write_bytes(mart.read_bytes()[:-1])
    with pytest.raises(PostgresError, match=r"marts/dim_unit.parquet không còn như khi công bố"):
        copy(conninfo, newer)
    assert stored(session, older) == expected(older)


def test_where_the_reader_role_cannot_be_created_the_administrator_is_told(
    world: World, postgres_server: PostgresServer, conninfo: str, session: psycopg.Connection[Any]
) -> None:
    release = world.first
    name = session.info.dbname
    session.execute(f"create role writer_{name} login password 'x'")
    session.execute(sql.SQL("grant create on database {} to {}").format(*map(sql.Identifier, (name, f"writer_{name}"))))
    writer = postgres_server.conninfo(name, f"writer_{name}", "x")
    outcome = copy(writer, release, reader=f"reader_{name}")
    assert outcome.state == "copied"
    assert f"create role reader_{name} nologin" in outcome.note_vi
    session.execute(f"create role reader_{name} nologin")
    again = copy(writer, release, reader=f"reader_{name}")
    assert (again.state, again.note_vi) == ("present", "")
    session.execute(f"set role reader_{name}")
    assert session.execute("select count(*) from cchc.report_indicators").fetchone() == (211,)


def test_each_failure_says_in_vietnamese_what_is_wrong_and_never_the_password(
    world: World, postgres_server: PostgresServer, conninfo: str, tmp_path: Path
) -> None:
    release = world.first
    secret = "bí-mật-123"
    nobody = f"nobody_{psycopg.conninfo.conninfo_to_dict(conninfo)['dbname']}"
    with PostgresServer.connect(conninfo) as session:
        session.execute(sql.SQL("create role {} login password {}").format(sql.Identifier(nobody), secret))
        session.execute("revoke create on database postgres from public")
    failures = {
        postgres_server.conninfo(password=secret): "sai tên hoặc mật khẩu",
        postgres_server.conninfo("khong_co"): "không có cơ sở dữ liệu",
        postgres_server.conninfo(user=nobody, password=secret): "không đủ quyền",
        f"host={tmp_path} user=a password={secret}": "máy chủ không chạy",
        f"postgresql://a:{secret}@[::1": "không đúng khuôn",
        f"host password {secret}": "không đúng khuôn",
    }
    for wrong, words in failures.items():
        with pytest.raises(PostgresError, match=words) as raised:
            copy(wrong, release)
        assert secret not in str(raised.value)
        assert PASSWORD not in str(raised.value)
        assert secret not in repr(PostgresTarget(wrong))
