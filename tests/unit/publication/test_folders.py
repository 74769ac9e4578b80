"""``published/tables/``: what stands in the files, how they are laid out, when they are written, and what is mended."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from common.files import sha256_bytes
from publication import folders
from publication.folders import FOLDER_NAME, PROOF_NAME, folders_are_whole, refresh_folders
from publication.store.contracts import stored_contracts
from publication.store.parquet import to_parquet
from tests.unit.publication.builders import QUARTER, UNIT, form_table

INDICATORS = "report_indicators"
EARLIER = "2022-Q4"
Entry = dict[str, Any]


class Home:
    """Releases of several units and periods, of one table each."""

    def __init__(self, published: Path) -> None:
        self.published = published
        self._form = form_table()
        self._current: dict[tuple[str, str], Entry] = {}

    def publish(self, unit: str, quarter: str, number: int, version: str = "1.0.0", **more: Any) -> Path:
        """A release whose figures are its number, with more columns where they are given."""
        rows = [
            {**row, "unit_code": unit, "quarter": quarter, "value": Decimal(number), **more}
            for row in self._form.to_pylist()
        ]
        schema = self._form.schema
        for name, value in more.items():
            schema = schema.append(pa.field(name, pa.scalar(value).type))
        path = f"{unit}/{quarter}/r{number}"
        file = self.published / path / "marts" / f"{INDICATORS}.parquet"
        file.parent.mkdir(parents=True)
        file.write_bytes(to_parquet(pa.Table.from_pylist(rows, schema=schema)))
        self._current[unit, quarter] = {
            "unit_code": unit,
            "quarter": quarter,
            "release": number,
            "path": path,
            "manifest_sha256": sha256_bytes(path.encode()),
            "tables": {INDICATORS: version, "case_timeliness": "2.0.0"},
        }
        return file

    @property
    def entries(self) -> list[Entry]:
        return [self._current[place] for place in sorted(self._current)]

    def refresh(self, **how: Any) -> None:
        refresh_folders(self.published, self.entries, **how)
        assert folders_are_whole(self.published, self.entries)

    def file(self, quarter: str = QUARTER, table: str = INDICATORS) -> Path:
        return self.published / FOLDER_NAME / table / f"quarter={quarter}" / "rows.parquet"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "published")
    for unit in (UNIT, "946", "31633"):
        home.publish(unit, QUARTER, 1)
    home.publish(UNIT, EARLIER, 1)
    home.refresh()
    return home


def _releases(home: Home) -> Iterator[tuple[str, str, int]]:
    folder = home.published / FOLDER_NAME / INDICATORS
    found = duckdb.execute(
        "select quarter, release, count(*) from read_parquet($1, hive_partitioning = true) group by all order by all",
        [f"{folder}/*/*.parquet"],
    ).fetchall()
    yield from ((quarter, release, rows) for quarter, release, rows in found)


def test_the_files_hold_the_rows_of_current_releases_of_all_units_and_periods(home: Home) -> None:
    home.publish(UNIT, QUARTER, 2)
    home.refresh()
    assert list(_releases(home)) == [
        (EARLIER, f"{UNIT}/{EARLIER}/r1", 211),
        (QUARTER, f"31633/{QUARTER}/r1", 211),
        (QUARTER, f"{UNIT}/{QUARTER}/r2", 211),
        (QUARTER, f"946/{QUARTER}/r1", 211),
    ]


def test_a_row_is_that_of_its_release_and_nothing_else_stands_there(home: Home) -> None:
    table = ds.dataset(home.published / FOLDER_NAME / INDICATORS, format="parquet", partitioning="hive").to_table()
    mine = table.filter((ds.field("unit_code") == UNIT) & (ds.field("quarter") == EARLIER))
    release = pq.read_table(home.published / UNIT / EARLIER / "r1" / "marts" / f"{INDICATORS}.parquet")
    assert mine.select(release.column_names).cast(release.schema).to_pylist() == release.to_pylist()
    contract = stored_contracts()[INDICATORS].by_name
    assert set(table.column_names) == {"release", *contract}
    assert {path.relative_to(home.published).parts[:2] for path in home.published.rglob("*") if path.is_file()} == {
        (PROOF_NAME,),
        (FOLDER_NAME, INDICATORS),
        (UNIT, QUARTER),
        (UNIT, EARLIER),
        ("946", QUARTER),
        ("31633", QUARTER),
    }


def test_what_a_figure_is_and_its_value_come_first_and_the_partition_is_in_no_file(home: Home) -> None:
    names = pq.read_schema(home.file()).names
    assert names[:5] == ["release", "unit_code", "indicator_code", "value", "value_text"]
    assert "quarter" not in names


def test_no_row_group_cuts_a_unit_in_two(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "_ROW_GROUP", 300)
    home.publish("947", QUARTER, 1)
    home.publish("948", QUARTER, 1)
    home.refresh(anew=True)
    file = pq.ParquetFile(home.file())
    groups = [set(file.read_row_group(n, columns=["unit_code"])["unit_code"].to_pylist()) for n in range(3)]
    assert groups == [{"31633", UNIT}, {"946", "947"}, {"948"}]
    assert file.num_row_groups == 3
    place = file.schema_arrow.names.index("unit_code")
    told = [file.metadata.row_group(n).column(place).statistics for n in range(3)]
    assert [(stats.min, stats.max) for stats in told] == [("31633", UNIT), ("946", "947"), ("948", "948")]


def test_the_bytes_do_not_tell_in_which_order_releases_came(home: Home, tmp_path: Path) -> None:
    home.publish("946", QUARTER, 2)
    home.refresh()
    home.publish("941", QUARTER, 1)
    home.publish(UNIT, QUARTER, 2)
    home.refresh()
    stepwise = {path: path.read_bytes() for path in (home.file(), home.file(EARLIER), home.published / PROOF_NAME)}
    home.refresh(anew=True)
    assert {path: path.read_bytes() for path in stepwise} == stepwise


def test_a_late_file_rewrites_its_own_period_and_opens_no_other_release(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {quarter: home.file(quarter).stat().st_ino for quarter in (QUARTER, EARLIER)}
    home.publish("946", QUARTER, 2)
    opened = []
    kept = folders._of_release
    monkeypatch.setattr(folders, "_of_release", lambda p, m, e: opened.append(e["path"]) or kept(p, m, e))
    home.refresh()
    assert opened == [f"946/{QUARTER}/r2"]
    assert home.file(EARLIER).stat().st_ino == before[EARLIER]
    assert home.file(QUARTER).stat().st_ino != before[QUARTER]
    home.refresh()
    assert opened == [f"946/{QUARTER}/r2"], "nothing is current that was not before"


def test_a_release_taken_back_leaves_the_files(home: Home) -> None:
    file = home.published / "946" / QUARTER / "r2"
    home.publish("946", QUARTER, 2)
    home.refresh()
    shutil.rmtree(home.published / "946" / QUARTER / "r1")
    home.publish("946", QUARTER, 1)  # current again
    home.refresh()
    assert (QUARTER, f"946/{QUARTER}/r1", 211) in list(_releases(home))
    assert file.is_dir()
    assert not [release for _, release, _ in _releases(home) if release.endswith("r2")]


def test_a_later_minor_version_stands_beside_earlier_ones_and_a_major_one_apart(home: Home) -> None:
    home.publish("946", QUARTER, 2, version="1.1.0", extra="thêm")
    home.publish("947", QUARTER, 1, version="2.0.0")
    home.refresh()
    found = pq.read_table(home.file(), columns=["unit_code", "extra"]).to_pylist()
    assert {(row["unit_code"], row["extra"]) for row in found} == {(UNIT, None), ("31633", None), ("946", "thêm")}
    assert set(pq.read_table(home.file(table=f"{INDICATORS}_v2"))["unit_code"].to_pylist()) == {"947"}
    home.refresh(anew=True)
    assert pq.read_table(home.file(), columns=["unit_code", "extra"]).to_pylist() == found


def test_a_release_whose_table_is_lost_holds_no_other_back(home: Home) -> None:
    home.publish("946", QUARTER, 2).write_bytes(b"PAR1 no table")
    home.refresh()
    assert {release for quarter, release, _ in _releases(home) if quarter == QUARTER} == {
        f"31633/{QUARTER}/r1",
        f"{UNIT}/{QUARTER}/r1",
    }
    assert f'"without": [\n        "946/{QUARTER}/r2"' in (home.published / PROOF_NAME).read_text()


def _are_whole(home: Home) -> bool:
    try:
        return folders_are_whole(home.published, home.entries)
    except OSError:
        return False


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        (f"{FOLDER_NAME}/{INDICATORS}/quarter={QUARTER}/rows.parquet", _cut),
        (f"{FOLDER_NAME}/{INDICATORS}/quarter={QUARTER}/rows.parquet", Path.unlink),
        (f"{FOLDER_NAME}/{INDICATORS}/quarter={QUARTER}/.rows.parquet.tmp", Path.touch),
        (f"{FOLDER_NAME}/{INDICATORS}/quarter={QUARTER}/other.parquet", Path.touch),
        (PROOF_NAME, _cut),
        (PROOF_NAME, Path.unlink),
    ],
)
def test_what_is_not_as_it_was_written_is_noticed_and_made_again(home: Home, name: str, damage: Any) -> None:
    sound = {path: path.read_bytes() for path in (home.file(), home.file(EARLIER), home.published / PROOF_NAME)}
    damage(home.published / name)
    assert not _are_whole(home)
    home.refresh()
    assert {path: path.read_bytes() for path in sound} == sound


def test_a_release_that_is_current_and_in_no_file_is_noticed(home: Home) -> None:
    home.publish("947", QUARTER, 1)
    assert not folders_are_whole(home.published, home.entries)


def test_where_nothing_is_published_any_more_nothing_stands_there(home: Home) -> None:
    refresh_folders(home.published, [])
    assert folders_are_whole(home.published, [])
    assert not list((home.published / FOLDER_NAME).rglob("*.parquet"))
