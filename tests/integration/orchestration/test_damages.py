"""One table of damages to a home, each with what becomes of it: told and made again, or refused by name.

Below whole runs: what a run does first (``healing.mend``, opening Dagster's storage) is called on copies of one
published home. One whole run over several damages at once, and ``cchc rebuild``, stand at the end.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from common.damage import SET_ASIDE
from ingestion import DamagedError, check_store
from orchestration.healing import mend, mend_warehouse
from orchestration.instance import open_instance
from orchestration.pipeline import Pipeline
from orchestration.settings import LostPersonKey, Settings
from orchestration.timing import now

Cli = Callable[..., Any]
UNIT, QUARTER = "945", "2023-Q1"


@pytest.fixture
def home(published_home: Path, tmp_path: Path) -> Path:
    """A copy of the shared home, to be damaged."""
    return Path(shutil.copytree(published_home, tmp_path / "home"))


# ------------------------------------------------------------------------------------------------ where and what harm


def _first(pattern: str) -> Callable[[Path], Path]:
    return lambda home: min(home.glob(pattern))


def _lake(source: str, quarter: str = QUARTER) -> Callable[[Path], Path]:
    return _first(f"raw/lake/source={source}/quarter={quarter}/unit={UNIT}/*.parquet")


def _receipt(home: Path) -> Path:
    """Of a delivery of the district's that has rows."""
    return home / "raw" / "ledger" / f"{_lake('one_stop_cases')(home).stem}.json"


def _original(home: Path) -> Path:
    (found,) = (home / "raw" / "originals").glob(f"*/{json.loads(_receipt(home).read_bytes())['sha256']}*")
    return found


def _landed(home: Path) -> Path:
    receipt = json.loads(_receipt(home).read_bytes())
    return home / "landing" / UNIT / QUARTER / "one_stop_cases" / receipt["arrivals"][0]["file_name"]


def lose(path: Path) -> None:
    path.unlink()


def cut(path: Path) -> None:
    _write(path, path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    _write(path, bytes(data))


def empty(path: Path) -> None:
    _write(path, b"")


def garble(path: Path) -> None:
    _write(path, b"\x00rubbish\xff" * 1000)


def be_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _write(path: Path, data: bytes) -> None:
    path.unlink()
    path.write_bytes(data)


WRITTEN_OVER = (cut, flip, empty, garble, be_a_folder)


@dataclass(frozen=True)
class Place:
    """A file of a home. ``again``: it comes back with its bytes; else whoever needs it makes a new one."""

    name: str
    find: Callable[[Path], Path]
    harms: tuple[Callable[[Path], None], ...] = (lose, *WRITTEN_OVER)
    again: bool = True


def at(path: str) -> Callable[[Path], Path]:
    return lambda home: home / path


DERIVED = (
    Place("warehouse", at("warehouse/warehouse.duckdb"), again=False),
    Place("deliveries", at("raw/deliveries.parquet")),
    Place("schema_of_a_source", at("raw/lake/source=one_stop_cases/schema.parquet"), (lose, cut, empty, be_a_folder)),
    Place("schema_of_remarks", at("raw/remarks/schema.parquet"), (lose, cut)),
    Place("landing_remarks", at("raw/landing_remarks.parquet"), (lose, cut, empty, garble, be_a_folder)),
    Place("rows", _lake("one_stop_cases"), (lose, cut, flip, be_a_folder)),
    Place("rows_of_a_register", _lake("org_units"), (lose, flip)),
    Place("rows_of_an_earlier_quarter", _lake("one_stop_cases", "2022-Q4"), (lose, flip)),
    Place("remarks", _first(f"raw/remarks/source=*/quarter={QUARTER}/unit={UNIT}/*.parquet"), (lose, flip)),
    Place("furniture", _first(f"raw/furniture/source=*/quarter={QUARTER}/unit=*/*.parquet"), (lose, flip)),
    Place("pointer", at(f"published/{UNIT}/{QUARTER}/current.json"), (lose, flip, empty, be_a_folder)),
    Place("index_list", at("published/index.json"), (lose, flip, be_a_folder)),
    Place("index_page", at("published/index.html"), (lose, cut)),
)
# Of each file one harm in every run, another for each file.
DERIVED_CASES = [
    pytest.param(
        p, harm, id=f"{p.name}-{harm.__name__}", marks=[] if turn == number % len(p.harms) else pytest.mark.long
    )
    for number, p in enumerate(DERIVED)
    for turn, harm in enumerate(p.harms)
]


def _files(home: Path) -> dict[str, str]:
    """Hash of each file by its place; not of what was set aside, of locks, of logs, a database's too, and of the
    database over all releases, which is written anew with the index and whose tables, not bytes, are the same
    (``test_collection``).
    """
    return {
        path.relative_to(home).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in home.rglob("*")
        if path.is_file()
        and path.relative_to(home).parts[0] not in (SET_ASIDE, "logs")
        and not path.name.endswith((".lock", ".wal"))
        and not path.name.startswith("all.duckdb")
    }


@pytest.mark.parametrize(("place", "harm"), DERIVED_CASES)
def test_what_is_derived_is_made_again_and_told_and_nothing_else_changes(
    home: Path, place: Place, harm: Callable[[Path], None]
) -> None:
    before = _files(home)
    path = place.find(home)
    harm(path)
    harmed = _files(home)

    foreseen = Pipeline(Settings(home=home))
    mend(foreseen, thorough=True, dry_run=True)
    assert str(path) in {one.path for one in foreseen.record.mended}
    assert _files(home) == harmed, "only a look was asked for"

    pipeline = Pipeline(Settings(home=home))
    mend(pipeline)
    mend_warehouse(pipeline)  # as a run does that builds
    record = pipeline.record
    assert (record.damaged, record.problems) == ([], [])
    (told, *more) = [line for line in record.healing_lines() if line.startswith(f"{path} ")]
    assert not more
    assert "đã " in told
    if harm is not lose and place.name not in ("index_list", "index_page"):
        assert f"để riêng ở {home / SET_ASIDE}" in told
        # Not the database's log of what it had not yet taken in, which goes with it where there is one.
        assert len(list((home / SET_ASIDE).rglob(f"{path.name}.[0-9]*"))) == 1
    name = path.relative_to(home).as_posix()
    if not place.again:
        assert not path.exists()
        del before[name]
    assert _files(home) == before
    check_store(pipeline.deliveries.paths)

    again = Pipeline(Settings(home=home))
    mend(again)
    assert [one.path for one in again.record.mended if place.again] == []


# ------------------------------------------------------------------------------------- what nothing can be made from


REFUSED = (
    # A lake file and its original, with the landing folder empty: nothing is left to read.
    ("rows_without_original", (_lake("one_stop_cases"), _original, _landed), "cchc restore"),
    ("receipt_lost", (_receipt,), "biên nhận"),
    ("person_key", (at("person_key"),), "person_key"),
)


@pytest.mark.parametrize(("name", "places", "word"), [pytest.param(*case, id=case[0]) for case in REFUSED])
def test_what_is_not_derived_stops_the_run_by_name_and_remedy(
    home: Path, name: str, places: tuple[Callable[[Path], Path], ...], word: str
) -> None:
    paths = [find(home) for find in places]
    for path in paths:
        path.unlink()
    before = _files(home)
    with pytest.raises(DamagedError) as caught:
        mend(Pipeline(Settings(home=home)))
    message = str(caught.value)
    assert paths[0].name in message
    assert word in message
    assert "bản sao lưu" in message
    assert _files(home) == before
    assert not (home / SET_ASIDE).exists()


@pytest.mark.parametrize("harm", [cut, flip, empty, garble])
def test_a_damaged_key_is_no_new_key(home: Path, harm: Callable[[Path], None]) -> None:
    harm(home / "person_key")
    before = _files(home)
    with pytest.raises(LostPersonKey, match="person_key"):
        Settings(home=home).person_secret()
    assert _files(home) == before


def test_an_original_that_reads_otherwise_is_no_source_of_lost_rows(home: Path) -> None:
    """The same name of a content that is another one: nothing is made to fit."""
    rows, original, landed = _lake("one_stop_cases")(home), _original(home), _landed(home)
    rows.unlink()
    landed.unlink()
    flip(original)
    with pytest.raises(DamagedError) as caught:
        mend(Pipeline(Settings(home=home)))
    assert str(rows) in str(caught.value)
    assert not rows.exists()


def test_a_damaged_original_is_taken_again_from_the_landing_folder(home: Path) -> None:
    before = _files(home)
    original = _original(home)
    flip(original)
    quick, thorough = Pipeline(Settings(home=home)), Pipeline(Settings(home=home))
    mend(quick)
    assert quick.record.mended == [], "a run reads an original when it needs it"
    mend(thorough, thorough=True)
    assert [one.path for one in thorough.record.mended] == [str(original)]
    assert _files(home) == before


def test_a_lost_original_that_lies_nowhere_is_named_and_stops_nobody(home: Path) -> None:
    original = _original(home)
    original.unlink()
    _landed(home).unlink()
    pipeline = Pipeline(Settings(home=home))
    mend(pipeline, thorough=True)
    (problem,) = pipeline.record.problems
    assert original.name in problem.message_vi
    assert "cchc restore" in problem.message_vi
    assert pipeline.record.faults_in([UNIT]) == ()


@pytest.mark.parametrize("harm", [cut, flip, empty, garble, be_a_folder])
def test_a_damaged_receipt_holds_its_unit_and_is_named(home: Path, harm: Callable[[Path], None]) -> None:
    path = _receipt(home)
    harm(path)
    pipeline = Pipeline(Settings(home=home))
    mend(pipeline)
    (problem,) = pipeline.record.problems
    assert problem.path == f"{UNIT}/{QUARTER}/one_stop_cases"
    assert str(path) in problem.message_vi
    assert "cchc restore" in problem.message_vi
    assert pipeline.record.faults_in([UNIT])
    assert pipeline.record.faults_in(["941"]) == ()
    assert path.exists(), "it stays where it is: only a copy can take its place"


def test_a_lost_pointer_with_a_damaged_history_is_named_and_another_quarter_goes_on(home: Path) -> None:
    folder = home / "published" / UNIT / QUARTER
    mend(Pipeline(Settings(home=home)))
    flip(folder / "history.jsonl")
    (folder / "current.json").unlink()
    pipeline = Pipeline(Settings(home=home))
    mend(pipeline)
    (line,) = pipeline.record.damaged
    assert str(folder / "current.json") in line
    assert "cchc restore" in line
    assert not (folder / "current.json").exists()


# ------------------------------------------------------------------------------------------------- Dagster's storage


def two_versions(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("insert into alembic_version values ('twice')")


def torn_schema(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[100:400] = bytes(300)
    _write(path, bytes(data))


ANYHOW = (cut, empty, garble, be_a_folder, two_versions, torn_schema)
DATABASES = (
    *(("history/runs.db", harm) for harm in ANYHOW),
    *((name, harm) for name in ("history/runs/index.db", "schedules/schedules.db") for harm in (garble, two_versions)),
)


@pytest.mark.parametrize(("name", "harm"), DATABASES)
def test_a_damaged_database_of_dagster_is_set_aside_and_a_new_one_opened(
    published_home: Path, tmp_path: Path, name: str, harm: Callable[[Path], None]
) -> None:
    home = tmp_path / "home"
    shutil.copytree(published_home / "dagster", home / "dagster")
    path = home / "dagster" / name
    harm(path)
    mended: list[Any] = []
    with open_instance(Settings(home=home), mended) as instance:
        assert len(instance.get_runs()) == (0 if name == "history/runs.db" else 1)
        assert instance.all_instigator_state() == []
    assert [one.path for one in mended] == [str(path)]
    assert mended[0].aside
    assert Path(mended[0].aside).exists()
    with open_instance(Settings(home=home), mended):
        assert len(mended) == 1


# ------------------------------------------------------------------------------------------------- set aside, purge log


def test_what_was_set_aside_is_deleted_in_time_and_logged(cli: Cli, home: Path) -> None:
    garble(home / "raw" / "deliveries.parquet")
    mend(Pipeline(Settings(home=home)))
    (home / SET_ASIDE / "link").symlink_to("/etc/passwd")
    soon = cli(home, "purge", "--json", "--today", now().date().isoformat())
    assert not [file for file in json.loads(soon.stdout)["files"] if file["kind"] == SET_ASIDE]
    done = cli(home, "purge", "--json", "--today", "2199-01-01")
    assert done.code == 0
    gone = [file["path"] for file in json.loads(done.stdout)["files"] if file["kind"] == SET_ASIDE]
    assert gone == ["set_aside/link", "set_aside/raw/deliveries.parquet.1"]
    logged = (home / "raw" / "purge_log.jsonl").read_text(encoding="utf-8")
    assert all(path in logged for path in gone)
    assert [path for path in (home / SET_ASIDE).rglob("*") if not path.is_dir()] == []


def test_a_damaged_purge_log_is_named_and_stops_no_run(cli: Cli, home: Path) -> None:
    log = home / "raw" / "purge_log.jsonl"
    log.write_text("{}\n", encoding="utf-8")
    (home / "raw" / "deliveries.parquet").unlink()
    pipeline = Pipeline(Settings(home=home))
    mend(pipeline)
    (line,) = pipeline.record.damaged
    assert str(log) in line
    assert [one.path for one in pipeline.record.mended] == [str(home / "raw" / "deliveries.parquet")]
    status = cli(home, "status", QUARTER)
    assert (status.code, str(log) in status.stdout) == (0, True)
    rebuilt = cli(home, "rebuild", "--dry-run")
    assert (rebuilt.code, f"HƯ HẠI: {line}" in rebuilt.stdout) == (3, True)


# ---------------------------------------------------------------------------------------------------------- whole runs


def test_status_is_told_without_verdicts_and_candidates_that_read(cli: Cli, home: Path) -> None:
    for path in [*(home / "warehouse" / "verdicts").rglob("*.json"), *home.glob("warehouse/candidates/*/*/*/*.json")]:
        path.chmod(0o600)
        garble(path)
    shutil.rmtree(home / "published")  # of what is published, status asks for no verdict
    result = cli(home, "status", QUARTER)
    assert result.code == 0, result.stderr
    assert UNIT in result.stdout


def test_status_says_which_table_is_damaged_and_what_to_do(cli: Cli, home: Path) -> None:
    path = home / "raw" / "deliveries.parquet"
    garble(path)
    result = cli(home, "status", QUARTER)
    assert result.code == 3
    assert str(path) in result.stderr
    assert "cchc rebuild" in result.stderr


@pytest.mark.parametrize("name", ["dbt", "build/marts", "runs", "candidates", "verdicts"])
def test_a_file_where_a_folder_of_the_warehouse_was_is_out_of_the_way(tmp_path: Path, name: str) -> None:
    path = tmp_path / "warehouse" / name
    path.parent.mkdir(parents=True)
    path.touch()
    pipeline = Pipeline(Settings(home=tmp_path))
    mend(pipeline)
    assert [one.path for one in pipeline.record.mended] == [str(path)]
    assert not path.exists()


def _damage_much(home: Path) -> Iterator[Path]:
    for find, harm in (
        (at("warehouse/warehouse.duckdb"), flip),
        (at("raw/deliveries.parquet"), cut),
        (_lake("one_stop_cases"), flip),
        (at(f"published/{UNIT}/{QUARTER}/current.json"), lose),
        (at("published/index.html"), empty),
        (at("dagster/history/runs.db"), garble),
    ):
        path = find(home)
        harm(path)
        yield path
    for garbled in ("warehouse/dbt/partial_parse.msgpack", "warehouse/runs/2023-Q1.seen", "warehouse/timings.json"):
        garble(home / garbled)


@pytest.mark.long
def test_a_run_over_many_damages_tells_each_and_publishes_nothing_new(cli: Cli, home: Path) -> None:
    releases = {name: sha256 for name, sha256 in _files(home).items() if name.startswith("published/")}
    paths = list(_damage_much(home))
    harmed = _files(home)
    foreseen = cli(home, "rebuild", "--dry-run")
    assert all(str(path) in foreseen.stdout for path in paths[:-1])
    assert {n: h for n, h in _files(home).items() if not n.startswith("dagster")} == {
        n: h for n, h in harmed.items() if not n.startswith("dagster")
    }
    result = cli(home, "run", QUARTER, "--json")
    assert result.code == 0, result.stdout + result.stderr
    answer = json.loads(result.stdout)
    assert [unit["state"] for unit in answer["units"]] == ["unchanged"]
    assert {str(path) for path in paths} <= {one["path"] for one in answer["mended"]}
    assert {n: h for n, h in _files(home).items() if n.startswith("published/")} == releases
    log = (home / "logs" / "dagster.log").read_text(encoding="utf-8")
    assert all(f"{path} " in log for path in paths)

    built = duckdb.sql(
        f"select * from '{home}/warehouse/build/marts/report_indicators.parquet' order by all"
    ).fetchall()
    garble(home / "warehouse" / "warehouse.duckdb")
    done = cli(home, "rebuild", "--json")
    assert done.code == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["quarter"] == QUARTER
    again = duckdb.sql(
        f"select * from '{home}/warehouse/build/marts/report_indicators.parquet' order by all"
    ).fetchall()
    assert again == built


def test_rebuild_names_what_it_cannot_make(cli: Cli, home: Path) -> None:
    rows = _lake("one_stop_cases")(home)
    for path in (rows, _original(home), _landed(home)):
        path.unlink()
    page = home / "published" / "index.html"
    page.unlink()
    result = cli(home, "rebuild")
    assert result.code == 3
    assert str(rows) in result.stdout
    assert "cchc restore" in result.stdout
    assert page.is_file(), "what does not hang on it is made again"
