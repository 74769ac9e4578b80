"""A publication is whole, done once, and never overwritten; the stale writer loses."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import expectations
import publication
from publication import (
    DamagedPointer,
    Published,
    Refused,
    ReleaseNotWhole,
    current_release,
    find_release,
    read_pointer,
    verify,
)
from publication.content.release_content import ReleaseContent
from publication.index import NAMES, rebuild_index
from publication.outputs import OUTPUTS, Output
from publication.release import Unchanged
from publication.store.csvfile import from_csv
from publication.tables.manifest import DamagedManifest
from tests.integration.publication.conftest import Home
from tests.integration.publication.publish_once import publish_once
from tests.integration.publication.watched import Watched
from tests.support.release_texts import texts_of
from tests.unit.publication.builders import QUARTER, UNIT, clear_candidate, delivery, settle_one, write_candidate

CHANGED = {"I.04": {"value": Decimal(10), "computed_value": Decimal(10)}}


def _published(outcome: publication.PublishOutcome) -> publication.Release:
    assert isinstance(outcome, Published), outcome
    return outcome.release


def test_a_release_holds_what_the_contract_names(home: Home) -> None:
    release = _published(home.publish(home.candidate(), versions={"duckdb": "1.5.5"}))
    names = {path.relative_to(release.path).as_posix() for path in release.path.rglob("*") if path.is_file()}
    assert names == {
        "manifest.json",
        "datapackage.json",
        "marts.duckdb",
        "report/annex.xlsx",
        "report/don-vi/31615.html",
        "report/annex.csv",
        "report/report.docx",
        "report/report.pdf",
        "report/phieu-trinh.docx",
        "report/phieu-trinh.pdf",
        "report/index.html",
        "report/form_06a.xlsx",
        "quality/notes.csv",
        "quality/changes.csv",
        "quality/passports.json",
        *(
            f"marts/{mart}.parquet"
            for mart in (
                "report_indicators",
                "case_processing",
                "case_form_06a",
                "case_timeliness",
                "delivery_log",
                "dim_unit",
                "dim_quarter",
                "dim_procedure",
                "dim_indicator",
                "dim_measure",
                "figure_rows",
                "indicator_trend",
                "measure_values",
                "gate_results",
            )
        ),
    }
    assert verify(release.path) == []
    manifest = release.manifest()
    assert manifest.versions == {"duckdb": "1.5.5"}
    assert manifest.published_at is None
    assert manifest.previous is None
    assert [verdict.stage for verdict in manifest.verdicts] == ["raw", "mart"]


def test_the_release_is_read_only(home: Home) -> None:
    release = _published(home.publish(home.candidate()))
    modes = {oct(path.stat().st_mode & 0o777) for path in release.path.rglob("*") if path.is_file()}
    assert modes == {"0o444"}
    assert {oct(p.stat().st_mode & 0o777) for p in [release.path, *release.path.rglob("*")] if p.is_dir()} == {"0o555"}


def test_the_published_marts_are_the_bytes_that_were_checked(home: Home) -> None:
    folder = home.candidate()
    release = _published(home.publish(folder))
    for path in (release.path / "marts").glob("*.parquet"):
        if path.stem != "gate_results":
            assert path.read_bytes() == (folder / "marts" / path.name).read_bytes()
    results = pq.read_table(release.path / "marts" / "gate_results.parquet")
    assert set(results["stage"].to_pylist()) == {"raw", "mart"}


def test_publishing_the_same_again_changes_nothing(home: Home) -> None:
    folder = home.candidate()
    first = home.publish(folder)
    before = home.tree()
    for expected in (None, 1):
        again = home.publish(folder, expected=expected)
        assert isinstance(again, Unchanged)
        assert again.release == _published(first)
    assert home.tree() == before


def test_a_correction_is_a_new_release_and_the_old_one_stays(home: Home) -> None:
    first = _published(home.publish(home.candidate()))
    old = {name: sha256 for name, sha256 in home.tree().items() if "/r1/" in name}
    second = _published(home.publish(home.candidate(changes=CHANGED, inputs=[delivery(content="b")]), expected=1))
    assert second.name == "r2"
    previous = second.manifest().previous
    assert previous is not None
    assert previous.manifest_sha256 == first.manifest_sha256
    assert {name: sha256 for name, sha256 in home.tree().items() if "/r1/" in name} == old
    changes = from_csv((second.path / "quality" / "changes.csv").read_bytes())
    assert {
        (row["row"], row["column"], row["old"], row["new"]) for row in changes if row["mart"] == "report_indicators"
    } == {("I.04", "value", "9", "10"), ("I.04", "computed_value", "9", "10")}
    assert current_release(home.published, UNIT, QUARTER) == second
    assert find_release(home.published, UNIT, QUARTER, 1) == first
    assert verify(first.path) == verify(second.path) == []


def test_new_verdicts_on_the_same_figures_are_a_new_release(home: Home) -> None:
    """A release tells by whose word it was let out; another word is another release."""
    folder = home.candidate()
    home.publish(folder)
    candidate = publication.read_candidate(folder)
    path = home.verdicts / f"mart-{candidate.candidate_hash}.json"
    verdict = expectations.load_verdict(path)
    noted = verdict.results[0].model_copy(update={"observed": "211"})
    path.write_bytes(verdict.model_copy(update={"results": (noted, *verdict.results[1:])}).to_bytes())
    assert _published(home.publish(folder, expected=1)).name == "r2"


def test_a_stale_writer_is_refused_with_a_typed_error(home: Home) -> None:
    home.publish(home.candidate())
    for expected in (None, 2, 7):
        outcome = home.publish(home.candidate(changes=CHANGED), expected=expected)
        assert isinstance(outcome, Refused)
        assert outcome.stale is not None
        assert (outcome.stale.expected, outcome.stale.found) == (expected, 1)
    assert not (home.quarter_dir / "r2").exists()


def _race(home: Home, rounds: int) -> set[int]:
    """In each round two writers follow the same release at the same moment; returns which of the two ever won."""
    home.publish(home.candidate())
    winners = set()
    for number in range(1, rounds + 1):
        values = {"I.04": {"value": Decimal(100 + number)}}, {"I.04": {"value": Decimal(200 + number)}}
        racers = [
            Watched(publish_once, *home.arguments(home.candidate(changes=value), expected=number)) for value in values
        ]
        for racer in racers[:: 1 if number % 2 else -1]:
            racer.go()
        outcomes = [racer.end() for racer in racers]
        assert sorted(outcomes) == [f"Published r{number + 1}", "Refused, stale"], outcomes
        winners.add(outcomes.index(f"Published r{number + 1}"))
        assert verify(home.quarter_dir / f"r{number + 1}") == []
    assert {path.name for path in home.quarter_dir.glob("r*")} == {f"r{n}" for n in range(1, rounds + 2)}
    return winners


def test_of_two_racing_writers_one_wins(light_home: Home) -> None:
    _race(light_home, 5)


@pytest.mark.long
def test_of_two_racing_writers_one_wins_fifty_times(light_home: Home) -> None:
    assert _race(light_home, 50) == {0, 1}, "the same writer won every time; that was no race"


def test_equal_figures_give_equal_releases(home: Home, tmp_path: Path) -> None:
    twin = Home(tmp_path / "twin")
    one = _published(home.publish(home.candidate()))
    two = _published(twin.publish(twin.candidate(), published_at=dt.datetime(2023, 3, 16, tzinfo=dt.UTC)))
    assert one.manifest().content_sha256 == two.manifest().content_sha256
    differing = {name for name, sha256 in home.tree().items() if twin.tree()[name] != sha256}
    quarter = f"{UNIT}/{QUARTER}"
    assert differing <= {
        f"{quarter}/r1/marts.duckdb",
        f"{quarter}/r1/manifest.json",
        f"{quarter}/current.json",
        f"{quarter}/history.jsonl",
        *NAMES,
    }


def test_the_time_of_publication_needs_a_zone(home: Home) -> None:
    with pytest.raises(ValueError, match="time zone"):
        home.publish(home.candidate(), published_at=dt.datetime(2023, 3, 16))
    assert not (home.quarter_dir / "current.json").exists()
    assert not list(home.quarter_dir.glob(".staging*"))


def test_every_document_of_a_provisional_release_says_so(home: Home) -> None:
    folder = write_candidate(home.warehouse)
    settle_one(home.warehouse, clear_candidate(home.warehouse, folder), "raw", lambda rule: rule.makes_provisional)
    outcome = home.publish(folder)
    assert isinstance(outcome, Published), outcome
    for name, text in texts_of(home.quarter_dir / "r1").items():
        assert "số liệu tạm thời" in " ".join(text.split()).lower(), name


def test_case_codes_do_not_leave_with_a_decision(home: Home) -> None:
    case = {
        "decision_id": "QD-01",
        "effect": "applied",
        "subject_kind": "case",
        "subject": "000.00.31.H51-230101-0001",
        "action": "count_as_on_time",
    }
    release = _published(home.publish(home.candidate(decisions=[case])))
    assert release.manifest().decisions[0]["decision_id"] == "QD-01"
    assert not [path for path in release.path.rglob("*") if path.is_file() and b"H51-230101" in path.read_bytes()]


def test_a_file_that_does_not_read_back_stops_the_release(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A print that loses digits, as a careless change of the number format would."""
    home.publish(home.candidate())
    before = home.tree()
    monkeypatch.setattr("publication.content.release_content.format_number", lambda value: str(int(value)))
    with pytest.raises(ReleaseNotWhole, match="row 2"):
        home.publish(home.candidate(changes=CHANGED), expected=1)
    assert home.tree() == before


def test_a_further_output_is_part_of_the_release(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def letter(content: ReleaseContent, folder: Path) -> None:
        (folder / "report" / "letter.txt").write_text(content.unit_name_vi, encoding="utf-8")

    monkeypatch.setattr("publication.outputs.OUTPUTS", (Output("letter", letter), *OUTPUTS))
    release = _published(home.publish(home.candidate()))
    assert "report/letter.txt" in {output.path for output in release.manifest().outputs}


def test_a_failing_output_leaves_nothing_behind(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def letter(content: ReleaseContent, folder: Path) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("publication.outputs.OUTPUTS", (Output("letter", letter), *OUTPUTS))
    with pytest.raises(OSError, match="no space"):
        home.publish(home.candidate())
    assert [path.name for path in home.quarter_dir.iterdir()] == [".lock"]


@pytest.mark.parametrize("content", ["", "{", "null", "[]", '{"release":1}'])
def test_a_damaged_pointer_stops_everything(home: Home, content: str) -> None:
    home.publish(home.candidate())
    (home.quarter_dir / "current.json").write_text(content)
    outcome = home.publish(home.candidate(changes=CHANGED), expected=1)
    assert isinstance(outcome, Refused)
    assert (home.quarter_dir / "r1" / "manifest.json").exists()
    with pytest.raises(DamagedPointer):
        read_pointer(home.quarter_dir)


def test_a_lost_pointer_does_not_cost_the_releases(home: Home) -> None:
    home.publish(home.candidate())
    (home.quarter_dir / "current.json").unlink()
    outcome = home.publish(home.candidate(changes=CHANGED))
    assert isinstance(outcome, Refused)
    assert "r1" in outcome.reasons[0]
    assert (home.quarter_dir / "r1" / "manifest.json").exists()


def test_a_damaged_previous_release_cannot_be_followed_unseen(home: Home) -> None:
    release = _published(home.publish(home.candidate()))
    path = release.path / "report" / "annex.csv"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes() + b" ")
    outcome = home.publish(home.candidate(changes=CHANGED), expected=1)
    assert isinstance(outcome, Refused)
    assert "hư hại" in outcome.reasons[0]
    (release.path / "manifest.json").chmod(0o644)
    (release.path / "manifest.json").write_text("{}")
    assert isinstance(home.publish(home.candidate(changes=CHANGED), expected=1), Refused)
    with pytest.raises(DamagedManifest):
        release.manifest()


def test_the_index_can_be_rebuilt(home: Home) -> None:
    release = _published(home.publish(home.candidate()))
    index = home.published / "index.json"
    before = home.index_files()
    for name in NAMES:
        (home.published / name).unlink()
    assert rebuild_index(home.published) == index
    assert home.index_files() == before
    (entry,) = json.loads(index.read_bytes())["releases"]
    path = f"{UNIT}/{QUARTER}/r1"
    tables = {path.stem: "" for path in (release.path / "marts").glob("*.parquet")}
    assert entry["tables"].keys() == tables.keys()
    assert {"report_indicators", "dim_unit"} <= tables.keys()
    assert entry | {"files": {}, "tables": tables} == {
        "unit_code": UNIT,
        "unit_name_vi": "Huyện Cù Lao Dung",
        "quarter": QUARTER,
        "release": 1,
        "path": path,
        "manifest_sha256": release.manifest_sha256,
        "published_at": None,
        "provisional": False,
        "history": [
            {
                "action": "publish",
                "release": 1,
                "at": None,
                "previous": None,
                "changed": None,
                "reason": None,
                "provisional": False,
            }
        ],
        "files": {},
        "tables": tables,
        "terms": {},
        "unit_pages": 1,
        "window": ["2022-12-15", "2023-03-14"],
    }
    assert entry["files"]["page"] == f"{path}/report/index.html"
    assert all((home.published / file).is_file() for file in entry["files"].values())


def test_the_index_takes_what_it_knows_from_the_last_one_and_reads_new_releases_only(
    home: Home,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home.publish(home.candidate())
    read: list[Path] = []
    told = publication.index._told_by_release
    monkeypatch.setattr(
        "publication.index._told_by_release", lambda release, *more: (read.append(release), told(release, *more))[1]
    )
    rebuild_index(home.published)
    assert read == []
    second = _published(home.publish(home.candidate(changes=CHANGED), expected=1))
    assert read == [second.path]


def test_of_many_publications_the_index_is_written_once_at_the_end(home: Home) -> None:
    index = home.published / "index.json"
    with publication.index_once():
        home.publish(home.candidate())
        home.publish(home.candidate(changes=CHANGED), expected=1)
        assert not index.exists()
    assert [entry["release"] for entry in json.loads(index.read_bytes())["releases"]] == [2]
    index.unlink()
    with contextlib.suppress(ZeroDivisionError), publication.index_once():
        rebuild_index(home.published)
        raise ZeroDivisionError
    assert index.exists()
    index.unlink()
    with publication.index_once():
        pass
    assert not index.exists()


def test_a_damaged_release_is_named_in_the_index_and_stops_no_other(home: Home) -> None:
    release = _published(home.publish(home.candidate()))
    (home.published / "index.json").unlink()
    manifest = release.path / "manifest.json"
    manifest.chmod(0o644)
    manifest.write_bytes(b"{}")
    (entry,) = json.loads(rebuild_index(home.published).read_bytes())["releases"]
    assert entry["files"] == {}
    assert "không đọc được bản công bố này" in (home.published / "index.html").read_text(encoding="utf-8")


def test_nothing_is_current_before_the_first_publication(home: Home) -> None:
    write_candidate(home.warehouse)
    assert current_release(home.published, UNIT, QUARTER) is None
    with pytest.raises(LookupError, match="r1"):
        find_release(home.published, UNIT, QUARTER, 1)
