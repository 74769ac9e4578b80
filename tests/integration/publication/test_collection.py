"""``published/all.duckdb``: what its readers find, wherever they stand, and that it is whole, current and mended."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

import publication
from common.files import remove_tree
from publication import Instruction, Published, mend_published, roll_back
from publication.collection import DATABASE_NAME, PROOF_NAME, build_collection
from publication.index import rebuild_index
from publication.store.contracts import stored_contracts
from publication.store.csvfile import from_csv
from tests.integration.publication.conftest import Home
from tests.support.collection import collection_content, opened, rows
from tests.unit.publication.builders import QUARTER, UNIT


def _publish(home: Home, value: int, expected: int | None) -> None:
    changes = {"I.04": {"value": Decimal(value)}} if expected else {}
    moment = dt.datetime(2023, 3, 16 + (expected or 0), 8, tzinfo=dt.UTC)
    outcome = home.publish(home.candidate(changes=changes), expected=expected, published_at=moment)
    assert isinstance(outcome, Published)


@pytest.fixture
def database(light_home: Home) -> Path:
    return light_home.published / DATABASE_NAME


def _figure(connection: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    return connection.execute(
        "select release, value from report_indicators where indicator_code = 'I.04' order by all"
    ).fetchall()


def test_the_views_are_of_current_releases_only_wherever_the_reader_stands(
    light_home: Home, database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _publish(light_home, 0, None)
    _publish(light_home, 10, 1)
    elsewhere = tmp_path / "else where, ô"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    with opened(database) as connection:
        assert _figure(connection) == [(f"{UNIT}/{QUARTER}/r2", 10)]
    with opened(database, located=False) as connection:
        with pytest.raises(duckdb.IOException, match="No files found"):
            _figure(connection)
        connection.execute(f"set file_search_path = '{light_home.published}'")
        assert _figure(connection) == [(f"{UNIT}/{QUARTER}/r2", 10)]
    monkeypatch.chdir(light_home.published)
    with opened(database, located=False) as connection:
        assert _figure(connection) == [(f"{UNIT}/{QUARTER}/r2", 10)]


def test_a_copy_of_the_folder_answers_from_its_own_files(light_home: Home, tmp_path: Path) -> None:
    _publish(light_home, 0, None)
    copy = tmp_path / "it's, another 100% copy"
    shutil.copytree(light_home.published, copy)
    remove_tree(light_home.published)
    with opened(copy / DATABASE_NAME) as connection:
        assert [release for release, _ in _figure(connection)] == [f"{UNIT}/{QUARTER}/r1"]
    with duckdb.connect(":memory:") as connection:
        quoted = str(copy / DATABASE_NAME).replace("'", "''")
        connection.execute(f"attach '{quoted}' as cchc (read_only)")
        connection.execute(publication.LOCATE)
        assert connection.execute("select count(*) from cchc.report_indicators").fetchone() == (211,)


def test_no_place_of_this_machine_stands_in_it(light_home: Home, database: Path) -> None:
    _publish(light_home, 0, None)
    assert str(light_home.root).encode() not in database.read_bytes()
    assert not re.search(rb"/tmp|/home|/work", database.read_bytes())


def test_every_table_and_column_has_words_in_both_languages(light_home: Home, database: Path) -> None:
    _publish(light_home, 0, None)
    known = {name for name, contract in stored_contracts().items() if contract.origin == "index"}
    with opened(database) as connection:
        tables = rows(
            connection,
            "select table_name as name, comment from duckdb_tables() union all "
            "select view_name, comment from duckdb_views() where not internal order by all",
        )
        columns = rows(connection, "select table_name, column_name, comment from duckdb_columns() where not internal")
        dictionary = rows(connection, "from dictionary")
    described = {(row["table_name"], row["column_name"]): row for row in dictionary}
    assert known < {table["name"] for table in tables}
    for place, comment in [((t["name"], None), t["comment"]) for t in tables] + [
        ((c["table_name"], c["column_name"]), c["comment"]) for c in columns
    ]:
        if place in described:  # the marts of these tests have columns that no contract knows
            vi, en = str(comment).split(" | ")
            assert vi.startswith(described[place]["description_vi"])
            assert en.startswith(described[place]["description_en"])


def test_history_and_changes_tell_what_was_taken_back_too(light_home: Home, database: Path) -> None:
    _publish(light_home, 0, None)
    _publish(light_home, 10, 1)
    roll_back(
        light_home.published, UNIT, QUARTER, 1, Instruction("tính nhầm", at=dt.datetime(2023, 3, 20, tzinfo=dt.UTC))
    )
    _publish(light_home, 20, 1)
    listed = {
        number: from_csv((light_home.quarter_dir / f"r{number}" / "quality" / "changes.csv").read_bytes())
        for number in (2, 3)
    }
    with opened(database) as connection:
        history = connection.execute(
            "select step, action, release_number, previous_release_number, changed_cells, reason_vi, in_force "
            "from release_history order by step"
        ).fetchall()
        changed = rows(connection, "from changed_figures")
        moment = connection.execute("select happened_at from release_history where step = 1").fetchone()
    assert history == [
        (1, "publish", 1, None, None, None, True),
        (2, "publish", 2, 1, len(listed[2]), None, False),
        (3, "publish", 3, 1, len(listed[3]), None, True),
        (4, "rollback", 1, None, None, "tính nhầm", True),
    ]
    assert moment == (dt.datetime(2023, 3, 16, 15),)
    assert [(c["release_number"], c["position"], c["in_force"]) for c in changed] == [
        (number, place, number == 3) for number in (2, 3) for place in range(1, len(listed[number]) + 1)
    ]
    for cell, line in zip(changed, [*listed[2], *listed[3]], strict=True):
        told = (cell["table_name"], cell["row_key"], cell["column_name"], cell["old_value"], cell["new_value"])
        assert told == tuple(line[name] or None for name in ("mart", "row", "column", "old", "new"))
    assert ("report_indicators", "I.04", "value", "9", "20") in [
        (c["table_name"], c["row_key"], c["column_name"], c["old_value"], c["new_value"]) for c in changed
    ]


def test_lists_of_changes_that_are_known_are_not_read_again_and_make_the_same_database(
    light_home: Home, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _publish(light_home, 0, None)
    _publish(light_home, 10, 1)
    read: list[int] = []
    kept = publication.collection._changes_of
    monkeypatch.setattr(
        "publication.collection._changes_of",
        lambda published, entry, step: (read.append(step["release"]), kept(published, entry, step))[1],
    )
    _publish(light_home, 20, 2)
    assert read == [3]
    stepwise, before = collection_content(database), database.read_bytes()
    rebuild_index(light_home.published)
    assert (read, database.read_bytes()) == ([3], before)
    rebuild_index(light_home.published, from_releases=True)
    assert read == [3, 2, 3]
    assert collection_content(database) == stepwise


@pytest.mark.parametrize("name", [DATABASE_NAME, PROOF_NAME])
@pytest.mark.parametrize("harm", ["lost", "older", "written to"])
def test_a_database_that_is_stale_or_damaged_is_named_and_made_again(light_home: Home, name: str, harm: str) -> None:
    _publish(light_home, 0, None)
    path = light_home.published / name
    older = path.read_bytes()
    _publish(light_home, 10, 1)
    whole = light_home.index_files()
    if harm == "lost":
        path.unlink()
    elif harm == "older":
        path.write_bytes(older)
    elif name == DATABASE_NAME:
        with duckdb.connect(str(path)) as connection:
            connection.execute("delete from changed_figures")
    else:
        path.write_text("x")
    assert str(path) in {one.path for one in mend_published(light_home.published, dry_run=True).mended}
    assert str(path) in {one.path for one in mend_published(light_home.published).mended}
    assert light_home.index_files() == whole
    assert mend_published(light_home.published).mended == []


def test_a_reader_who_has_it_open_sees_one_whole_state_while_a_new_one_takes_its_place(
    light_home: Home, database: Path
) -> None:
    _publish(light_home, 0, None)
    with opened(database) as early:
        _publish(light_home, 10, 1)
        assert _figure(early) == [(f"{UNIT}/{QUARTER}/r1", 9)]
        assert early.execute("select release from releases").fetchall() == [(f"{UNIT}/{QUARTER}/r1",)]
        assert early.execute("select count(*) from changed_figures").fetchone() == (0,)
        with duckdb.connect(":memory:") as late:
            late.execute(f"attach '{database}' as cchc (read_only)")
            late.execute(publication.LOCATE)
            late.execute("use cchc")
            assert _figure(late) == [(f"{UNIT}/{QUARTER}/r2", 10)]
        assert _figure(early) == [(f"{UNIT}/{QUARTER}/r1", 9)]


@pytest.mark.parametrize("harm", ["lost", "no table"])
def test_a_release_that_lost_a_table_is_named_and_costs_no_other_its_place(
    light_home: Home, database: Path, harm: str
) -> None:
    _publish(light_home, 0, None)
    path = light_home.quarter_dir / "r1" / "marts" / "report_indicators.parquet"
    path.parent.chmod(0o755)
    path.chmod(0o644)
    if harm == "lost":
        path.unlink()
    else:
        path.write_bytes(b"PAR1")
    rebuild_index(light_home.published, from_releases=True)
    with opened(database) as connection:
        assert connection.execute("select release_number, has_tables from releases").fetchall() == [(1, False)]
        assert connection.execute("select count(*) from duckdb_views() where not internal").fetchone() == (0,)


def test_releases_of_other_contracts_stand_together_by_name_and_apart_by_major_version(
    light_home: Home, tmp_path: Path
) -> None:
    folder = tmp_path / "three"
    entries = []
    for number, (version, columns) in enumerate(
        [("1.0.0", "7 as present"), ("1.1.0", "8 as present, 9 as quota"), ("2.0.0", "'ten' as present")], start=1
    ):
        path = f"94{number}/{QUARTER}/r1"
        (folder / path / "marts").mkdir(parents=True)
        duckdb.execute(
            f"copy (select '94{number}' as unit_code, {columns}) to '{folder}/{path}/marts/staffing.parquet'"
        )
        entries.append(
            {
                "unit_code": f"94{number}", "unit_name_vi": "x", "quarter": QUARTER, "release": 1, "path": path,
                "manifest_sha256": "x", "published_at": None, "provisional": False, "files": {}, "history": [],
                "tables": {"staffing": version},
            }
        )  # fmt: skip
    database = folder / DATABASE_NAME
    database.write_bytes(build_collection(folder, entries))
    with opened(database) as connection:
        assert connection.execute("select unit_code, present, quota from staffing order by 1").fetchall() == [
            ("941", 7, None),
            ("942", 8, 9),
        ]
        assert connection.execute("select * from staffing_v2").fetchall() == [(f"943/{QUARTER}/r1", "943", "ten")]


def test_nothing_published_is_a_database_without_rows(tmp_path: Path) -> None:
    (tmp_path / "published").mkdir()
    rebuild_index(tmp_path / "published")
    with opened(tmp_path / "published" / DATABASE_NAME) as connection:
        assert connection.execute("select count(*) from releases").fetchone() == (0,)
        assert connection.execute("select count(*) from dictionary").fetchone()[0] > 40  # type: ignore[index]
