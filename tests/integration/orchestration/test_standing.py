"""A run of a quarter where nothing changed does nothing; whatever may change what it makes has it done in full."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from common.forms import confirm
from expectations import Verdict
from expectations.verdicts import write_verdict
from ingestion import DamagedError, LandingProblem, load_contracts
from orchestration import stages
from orchestration.arrivals import remembered
from orchestration.locks import HomeBusy
from orchestration.outcomes import Outcome
from orchestration.pipeline import Pipeline
from orchestration.review import judged, workbook_of
from orchestration.settings import Home, Settings, load_settings
from orchestration.standing import OF_NO_RESULT, left, makers, stand, standing
from publication import current_release

QUARTER, UNIT = "2023-Q1", "945"
Cli = Callable[..., Any]
Change = Callable[[Home, pytest.MonkeyPatch], object]


def _pipeline(home: Path) -> Pipeline:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CCHC_HOME", str(home))
        return Pipeline(load_settings())


def _ended(home: Path) -> Pipeline:
    """A pipeline after a whole run that confirmed the unit's release."""
    pipeline = _pipeline(home)
    release = current_release(pipeline.home.published, UNIT, QUARTER)
    assert release is not None
    pipeline.record.began_with, pipeline.record.made_by = pipeline.deliveries.state(QUARTER), makers()
    pipeline.record.outcomes[UNIT] = Outcome(UNIT, str(release.path))
    return pipeline


@pytest.fixture
def home(published_home: Path, tmp_path: Path) -> Path:
    """A copy of the shared home, as a whole run leaves it."""
    folder = Path(shutil.copytree(published_home, tmp_path / "home"))
    stand(_ended(folder), QUARTER)
    return folder


def test_nothing_is_done_where_nothing_changed(cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("the job was executed")

    monkeypatch.setattr("orchestration.cli.app.execute", never)
    result = cli(home, "run", QUARTER, "--json")
    assert result.code == 0, result.stderr
    (unit,) = json.loads(result.stdout)["units"]
    assert (unit["unit_code"], unit["state"]) == (UNIT, "unchanged")
    assert unit["release"] == str(home / "published" / UNIT / QUARTER / "r1")
    assert cli(home, "run", QUARTER, "--unit", UNIT).stdout.count("không thay đổi") == 1
    assert cli(home, "run", QUARTER, "--full").code == 3  # what is asked for in full is executed


def _a_delivery(home: Home) -> Path:
    return next(path for path in sorted(home.landing.glob(f"{UNIT}/{QUARTER}/*/*")) if path.is_file())


def _touched(home: Home, _: pytest.MonkeyPatch) -> None:
    path = _a_delivery(home)
    path.write_bytes(path.read_bytes())


def _drop_a_row(home: Home, _: pytest.MonkeyPatch) -> None:
    home.standing(QUARTER).write_bytes(home.standing(QUARTER).read_bytes()[:-9])


def _another_release(home: Home, _: pytest.MonkeyPatch) -> None:
    note = json.loads(home.standing(QUARTER).read_bytes())
    note["units"][UNIT]["release"] = "0" * 64
    home.standing(QUARTER).write_text(json.dumps(note))


def _letter_of(unit: str) -> str:
    return json.dumps({unit: {"periods": {QUARTER: {"number": "12"}}}})


def _confirm_a_form(home: Home) -> None:
    folder = home.forms / "x-945"
    folder.mkdir(parents=True)
    (folder / "form.yml").write_text(
        'form: x-945\nlevel: district\nvalid_from: 2023-01-01\nderived_from: "2023"\nissuer: "94"\n'
    )
    confirm(folder, "Văn phòng", dt.date(2023, 3, 20))


CHANGES: dict[str, Change] = {
    "a delivery written again": _touched,
    "a delivery taken away": lambda home, _: _a_delivery(home).unlink(),
    "a file of an earlier quarter": lambda home, _: (
        (home.landing / UNIT / "2022-Q4" / "decisions").mkdir(parents=True, exist_ok=True),
        (home.landing / UNIT / "2022-Q4" / "decisions" / "late.csv").write_text("x"),
    ),
    "a file of another unit": lambda home, _: (
        (home.landing / "941" / QUARTER / "decisions").mkdir(parents=True),
        (home.landing / "941" / QUARTER / "decisions" / "one.csv").write_text("x"),
    ),
    "other code": lambda _, patch: patch.setattr("orchestration.standing.code_version", lambda: "0.1.0+other"),
    "another tool": lambda _, patch: patch.setattr("orchestration.standing.tool_versions", lambda: {"duckdb": "0"}),
    "another setting": lambda _, patch: patch.setenv("CCHC_INTAKE", '{"csv_needs_proof": true}'),
    "its own letter": lambda _, patch: patch.setenv("CCHC_LETTERS", _letter_of(UNIT)),
    "a form was brought": lambda home, _: _confirm_a_form(home),
    "half a note": _drop_a_row,
    "no note": lambda home, _: home.standing(QUARTER).unlink(),
    "another current release": _another_release,
    "a run that died": lambda home, _: (home.alive.mkdir(parents=True, exist_ok=True), (home.alive / "x").touch()),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_whatever_changed_there_is_something_to_do(home: Path, change: Change, monkeypatch: pytest.MonkeyPatch) -> None:
    assert standing(_pipeline(home), QUARTER) is not None
    change(Home(home), monkeypatch)
    monkeypatch.setenv("CCHC_HOME", str(home))
    assert standing(Pipeline(load_settings()), QUARTER) is None


#: Settings that results follow from. One that is new is to be put here, or among those that none follows from.
OF_RESULTS = {
    "engine", "approval", "drafts", "outbox_mode", "outbox_group", "intake", "decision_signatures", "decision_keys",
    "units", "contact", "licence", "licence_url", "least_count",
}  # fmt: skip


def test_of_every_setting_it_is_said_whether_a_result_follows_from_it() -> None:
    assert sorted([*OF_RESULTS, *OF_NO_RESULT]) == sorted(Settings.model_fields)


@pytest.mark.parametrize(("name", "value"), [
    ("ALERT_FILE", "/tmp/x.log"), ("KEEP_RUNS", "300"), ("REMIND_DAYS", "6"), ("DUCKDB_THREADS", "1"),
    ("LETTERS", _letter_of("942")), ("PROVINCES", '["94"]'),
])  # fmt: skip
def test_a_setting_that_no_result_of_the_unit_follows_from_leaves_it_standing(
    home: Path, name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"CCHC_{name}", value)
    assert standing(_pipeline(home), QUARTER) is not None


def test_a_form_that_is_confirmed_while_a_run_works_leaves_nothing_to_stand_on(home: Path) -> None:
    """The run made its results by the forms that it began with."""
    pipeline = _ended(home)
    _confirm_a_form(Home(home))
    stand(pipeline, QUARTER)
    assert not Home(home).standing(QUARTER).exists()


@pytest.mark.parametrize("command", [
    ("import", "bieu.xlsx", "--issuer", "94", "--level", "commune", "--from", "2026-01-01"),
    ("confirm", "x-945", "--by", "Văn phòng"),
])  # fmt: skip
def test_forms_change_while_no_run_works(
    cli: Cli, home: Path, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def never(_: object, what: str) -> None:
        asked.append(what)
        raise HomeBusy("một lượt chạy khác")

    monkeypatch.setattr("orchestration.cli.app.alone", never)
    assert cli(home, "form", *command).code == 1
    assert len(asked) == 1


def test_where_all_stands_the_provinces_are_rolled_up_all_the_same(
    cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Units of other homes may have published since, or the step had broken."""
    monkeypatch.setenv("CCHC_PROVINCES", '["94"]')
    monkeypatch.setattr("orchestration.cli.app.execute", lambda *_, **__: 1 / 0)
    first = cli(home, "run", QUARTER)
    assert (first.code, current_release(home / "published", "94", QUARTER) is not None) == (0, True), first.stderr
    assert "đã công bố bản tổng hợp" in first.stdout
    assert "bản tổng hợp không thay đổi" in cli(home, "run", QUARTER).stdout
    monkeypatch.setattr("publication.roll_up", lambda *_, **__: 1 / 0)
    assert cli(home, "run", QUARTER).code == 3


def test_publishing_alone_lets_no_run_be_remembered(home: Path) -> None:
    """What breaks after the releases is to be tried again, by the server too: see ``test_aftermath``."""
    Home(home).standing(QUARTER).unlink()
    pipeline = _ended(home)
    pipeline.record.taken_in = set(load_contracts())
    pipeline.record.candidates = {}
    stages.publish(pipeline, QUARTER, ())
    assert not Home(home).standing(QUARTER).exists()
    stages.remember_whole_run(pipeline, QUARTER, ())
    assert remembered(Home(home), QUARTER) == pipeline.record.began_with
    assert Home(home).standing(QUARTER).exists()


def test_what_was_mended_is_run_again(home: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("orchestration.cli.app.execute", lambda *_, **__: asked.append("") or 1 / 0)
    (home / "raw" / "deliveries.parquet").unlink()
    cli(home, "run", QUARTER)
    assert asked


def test_a_run_that_builds_nothing_does_not_read_the_database_and_one_that_builds_sets_a_damaged_one_aside(
    home: Path, cli: Cli
) -> None:
    """Reading it costs as much as it holds; the daily look and ``cchc rebuild`` read it all the same."""
    warehouse = Home(home).warehouse_file
    warehouse.write_bytes(b"no database")
    assert json.loads(cli(home, "run", QUARTER, "--json").stdout)["mended"] == []
    assert warehouse.read_bytes() == b"no database"
    again = json.loads(cli(home, "run", QUARTER, "--full", "--json").stdout)
    assert [(one["path"], unit["state"]) for one in again["mended"] for unit in again["units"]] == [
        (str(warehouse), "unchanged")
    ]
    assert warehouse.read_bytes() != b"no database"


def test_damage_is_told_and_not_passed_over(home: Path) -> None:
    release = current_release(home / "published", UNIT, QUARTER)
    assert release is not None
    manifest = release.path / "manifest.json"
    manifest.chmod(0o644)
    kept = manifest.read_bytes()
    manifest.write_bytes(kept.replace(b"945", b"946", 1))
    assert standing(_pipeline(home), QUARTER) is None  # the run refuses, and says which
    manifest.write_bytes(kept)
    lake = next((home / "raw" / "lake").rglob(f"unit={UNIT}/*.parquet"))
    lake.write_bytes(lake.read_bytes()[:-1] + b"x")
    with pytest.raises(DamagedError):
        standing(_pipeline(home), QUARTER)


def test_a_run_with_something_to_say_leaves_nothing_to_stand_on(home: Path) -> None:
    note = Home(home).standing(QUARTER)

    def after(change: Callable[[Pipeline], object]) -> bool:
        stand(_ended(home), QUARTER)
        assert note.exists()
        pipeline = _ended(home)
        change(pipeline)
        stand(pipeline, QUARTER)
        return note.exists()

    assert not after(lambda p: p.record.problems.append(LandingProblem("945/x", "stray", "tệp lạ")))
    assert not after(lambda p: p.record.damaged.append("tệp hỏng"))
    assert not after(lambda p: p.record.broken.update(step="hỏng"))
    assert not after(lambda p: p.record.outcomes.update({UNIT: Outcome(UNIT, None, reasons=("giữ lại",))}))
    assert not after(lambda p: p.record.outcomes.clear())
    assert not after(
        lambda p: p.record.outcomes.update({UNIT: replace(p.record.outcomes[UNIT], release="elsewhere/r9")})
    )
    assert not after(lambda p: setattr(p.record, "began_with", None))


def _held(home: Path) -> tuple[Pipeline, Verdict]:
    """A pipeline after a whole run that held the unit back, and the verdict that did, as it is stored."""
    pipeline = _ended(home)
    passed = next(v for v in judged(pipeline, UNIT, QUARTER).verdicts if v.stage == "raw")
    wrong = passed.results[0].model_copy(update={"status": "fail", "failed_rows": 1, "severity": "critical"})
    verdict = passed.model_copy(update={"results": (wrong, *passed.results[1:])})
    write_verdict(pipeline.home.warehouse, verdict)
    stored = {v.stage: v for v in judged(pipeline, UNIT, QUARTER).verdicts}
    pipeline.record.verdicts[UNIT] = stored
    pipeline.record.outcomes[UNIT] = Outcome(UNIT, None, reasons=("bị giữ lại",))
    return pipeline, verdict


def test_what_is_held_back_stays_held_back_in_the_same_words_and_nothing_is_done(cli: Cli, home: Path) -> None:
    pipeline, verdict = _held(home)
    stand(pipeline, QUARTER)
    again = _pipeline(home)
    outcomes = standing(again, QUARTER)
    assert outcomes == {UNIT: Outcome(UNIT, None, reasons=("bị giữ lại",))}
    assert again.record.verdicts[UNIT]["raw"] == verdict
    result = cli(home, "run", QUARTER, "--json")
    (unit,) = json.loads(result.stdout)["units"]
    assert (result.code, unit["state"]) == (1, "held_back")
    assert any(verdict.results[0].sentence_vi in reason for reason in unit["reasons"])


def test_a_verdict_that_is_no_more_as_it_was_is_asked_for_again(home: Path) -> None:
    pipeline, verdict = _held(home)
    stand(pipeline, QUARTER)
    write_verdict(pipeline.home.warehouse, verdict.model_copy(update={"results": verdict.results[1:]}))
    assert standing(_pipeline(home), QUARTER) is None


@pytest.mark.parametrize("outcome", [{"locked": True}, {"awaits": True}, {"draft": "somewhere"}])
def test_a_lock_and_a_draft_are_told_anew_by_each_run(home: Path, outcome: dict[str, Any]) -> None:
    pipeline, _ = _held(home)
    pipeline.record.outcomes[UNIT] = Outcome(UNIT, None, reasons=("bị giữ lại",), **outcome)
    stand(pipeline, QUARTER)
    assert not pipeline.home.standing(QUARTER).exists()


def test_after_intake_a_unit_is_left_where_its_own_folders_tell_something_new(home: Path) -> None:
    other = "941"  # of which nothing stands

    def found(problem: str = "") -> tuple[list[str], set[str]]:
        pipeline = _pipeline(home)
        if problem:
            pipeline.record.problems.append(LandingProblem(problem, "stray", "tệp lạ"))
        return left(pipeline, QUARTER, (other, UNIT)), set(pipeline.record.outcomes)

    assert found() == ([other], {UNIT})
    assert found(f"{other}/{QUARTER}/x") == ([other], {UNIT})
    assert found(f"{UNIT}/{QUARTER}/x") == ([other, UNIT], set())
    pipeline = _pipeline(home)
    assert left(pipeline, QUARTER, ()) == [UNIT]  # where nothing at all is left, whoever has a run begin sees its steps
    assert pipeline.record.outcomes == {}


def test_a_file_that_waits_to_be_taken_in_leaves_its_unit_to_the_gates(home: Path) -> None:
    """It may come after gate 1 of one run and not be read in the next: then no verdict speaks of it."""
    _a_delivery(Home(home)).with_name("đến sau.csv").write_text("x")
    stand(_ended(home), QUARTER)
    assert not Home(home).standing(QUARTER).exists()


def test_another_current_release_of_another_period_leaves_a_unit_to_be_made(home: Path) -> None:
    """A longer period is compared with what is current of its quarters, whichever release that is since."""
    pointer = home / "published" / UNIT / "2022-Q4" / "current.json"
    pointer.parent.mkdir()
    pointer.write_text("r2")
    stand(_ended(home), QUARTER)
    assert left(_pipeline(home), QUARTER, ("941", UNIT)) == ["941"]
    pointer.write_text("r1")
    assert left(_pipeline(home), QUARTER, ("941", UNIT)) == ["941", UNIT]


def test_a_workbook_of_decisions_that_was_taken_away_is_made_again(home: Path) -> None:
    pipeline, _ = _held(home)
    asks = workbook_of(pipeline.home, UNIT, QUARTER)
    asks.parent.mkdir(parents=True)
    asks.write_bytes(b"a workbook")
    stand(pipeline, QUARTER)
    assert standing(_pipeline(home), QUARTER) is not None
    asks.unlink()
    assert standing(_pipeline(home), QUARTER) is None
