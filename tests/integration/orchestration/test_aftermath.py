"""What a killed process left undone is made up for by whoever comes next, once: its run and its releases are told."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
from pydantic import SecretStr

from orchestration import stages, ui
from orchestration.addresses import AlertAddress
from orchestration.aftermath import make_up_if_free
from orchestration.alerts import Alert, tell
from orchestration.assets import published
from orchestration.assets.columns import Catalogue
from orchestration.cli.approvals import approved
from orchestration.cli.provinces import answer as rolled_up
from orchestration.history import entries, keep
from orchestration.instance import open_instance
from orchestration.locks import one_run_at_a_time
from orchestration.outcomes import Outcome
from orchestration.partitions import add_quarters
from orchestration.pipeline import Pipeline
from orchestration.recording import recorded
from orchestration.resources import Scope
from orchestration.settings import Settings
from orchestration.telling import tell_run
from orchestration.timing import now
from orchestration.watchman import look
from publication import Instruction, Lineage, Published, Unchanged, read_pointer, roll_back
from tests.conftest import run_cli
from tests.integration.publication.conftest import Home as ReleaseHome
from tests.integration.publication.conftest import light_home as light_home
from tests.support.receivers import webhook
from tests.support.run_records import record
from tests.unit.publication.builders import QUARTER, UNIT, delivery

CHANGED: dict[str, Any] = {"changes": {"I.04": {"value": Decimal(10)}}, "inputs": [delivery(content="b")]}


@pytest.fixture(autouse=True)
def _of_no_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    """Releases here are published without the project's lineage; so they are compared without it too."""
    monkeypatch.setattr("orchestration.telling.lineage", Lineage)


def _told(settings: Settings, kind: str) -> list[dict[str, Any]]:
    path = settings.alerts_path()
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [line for line in map(json.loads, lines) if line["kind"] == kind]


def _publish(pipeline: Pipeline, releases: ReleaseHome, expected: int | None, **build: Any) -> None:
    """What a run does with its unit, from the candidate to the outcome."""
    answer = releases.publish(
        releases.candidate(**build), expected=expected, witness=pipeline.journal.witness, published_at=now()
    )
    assert isinstance(answer, (Published, Unchanged))
    changed = isinstance(answer, Published)
    revision = answer.revision if isinstance(answer, Published) else None
    pipeline.record.outcomes[UNIT] = Outcome(UNIT, str(answer.release.path), changed=changed, revision=revision)


def _publish_and_tell(settings: Settings, releases: ReleaseHome, expected: int | None, **build: Any) -> None:
    """The same to the alert."""
    pipeline = Pipeline(settings)
    _publish(pipeline, releases, expected, **build)
    tell_run(pipeline, QUARTER, [UNIT], "lượt-1")


class _Killed(BaseException):
    """Ends whatever is under way, as a signal that leaves no time does."""


#: What is called at each step between the candidate and the alert; a process that is killed gets no further.
STEPS = (
    "orchestration.journal.owe",
    "orchestration.journal.Journal.note",
    "publication.store.pointer.record",
    "publication.store.pointer.put_back",
    "publication.release.rebuild_index",
    "orchestration.telling.unit_reports",
    "orchestration.telling.settled",
    "orchestration.telling.tell",
    "orchestration.alerts._append",
    "orchestration.alerts._send",
    "orchestration.telling.strike_out",
)


def _again(settings: Settings, releases: ReleaseHome, **build: Any) -> None:
    """The run is repeated."""
    with one_run_at_a_time(settings.paths.lock, "run", print), recorded(Pipeline(settings), QUARTER, "run", "dagster"):
        pointer = read_pointer(releases.quarter_dir)
        _publish_and_tell(settings, releases, pointer.release if pointer else None, **build)


@pytest.mark.parametrize(
    ("step", "number"), [*((step, 1) for step in STEPS), ("publication.release.rebuild_index", 2), (STEPS[-1], 2)]
)
def test_a_release_whose_run_was_killed_is_told_once_in_the_same_words(
    light_home: ReleaseHome, step: str, number: int
) -> None:
    with webhook() as hook:
        settings = Settings(home=light_home.root, alert_to=(AlertAddress(url=SecretStr(hook.url)),))
        build: dict[str, Any] = {}
        if number == 2:
            _publish_and_tell(settings, light_home, None)
            build = CHANGED
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(step, _kill)
            with pytest.raises(_Killed):
                _publish_and_tell(settings, light_home, number - 1 or None, **build)
        for _ in range(2):
            make_up_if_free(settings)
        for _ in range(2):
            _again(settings, light_home, **build)
        told = _told(settings, "published")
        assert [line["message"].rsplit(maxsplit=1)[-1] for line in told] == [f"r{n}" for n in range(1, number + 1)]
        assert hook.titles() == [f"[CCHC] {line['message']}" for line in told]
        assert not any(settings.paths.untold.iterdir())
        if number == 2:
            assert told[1]["reasons"][0].startswith("Bản công bố r2 thay bản r1: 1 số liệu")
            assert "→ 10" in told[1]["reasons"][1]


@pytest.mark.parametrize("by_hand", ["approve", "province"])
def test_an_untold_release_is_told_before_another_takes_its_place_by_hand(
    light_home: ReleaseHome, by_hand: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=light_home.root)
    with monkeypatch.context() as patch:
        patch.setattr("orchestration.telling.tell", _kill)
        with pytest.raises(_Killed):
            _publish_and_tell(settings, light_home, None)

    def publishes(pipeline: Pipeline, *_: Any, **__: Any) -> list[Any]:
        _publish(pipeline, light_home, 1, **CHANGED)
        return []

    pipeline = Pipeline(settings)
    if by_hand == "approve":
        monkeypatch.setattr("orchestration.cli.approvals._draft", lambda *_: SimpleNamespace(code="abcdef"))
        monkeypatch.setattr("orchestration.cli.approvals.publish_draft", publishes)
        approved(pipeline, UNIT, QUARTER, "Chủ tịch UBND huyện", "12/QĐ-UBND", "abcdef")
    else:
        monkeypatch.setattr("orchestration.cli.provinces.roll_up_all", publishes)
        rolled_up(pipeline, QUARTER, ["94"])
        tell_run(pipeline, QUARTER, [UNIT], "")
    assert [line["message"].rsplit(maxsplit=1)[-1] for line in _told(settings, "published")] == ["r1", "r2"]


def _kill(*_: Any, **__: Any) -> Any:
    raise _Killed


def test_what_is_no_new_release_is_not_told(light_home: ReleaseHome) -> None:
    settings = Settings(home=light_home.root)
    _publish_and_tell(settings, light_home, None)
    _publish_and_tell(settings, light_home, 1, **CHANGED)
    before = len(_told(settings, "published"))
    witness = Pipeline(settings).journal.witness
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("publication.store.pointer.put_back", _kill)
        with pytest.raises(_Killed):
            light_home.publish(light_home.candidate(), expected=2, witness=witness)
    roll_back(light_home.published, UNIT, QUARTER, 1, Instruction("sai số liệu", None, now()), witness)
    make_up_if_free(settings)
    assert len(_told(settings, "published")) == before


def test_while_a_run_works_nobody_tells_for_it(light_home: ReleaseHome, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(home=light_home.root)
    with monkeypatch.context() as patch:
        patch.setattr("orchestration.telling.tell", _kill)
        with pytest.raises(_Killed):
            _publish_and_tell(settings, light_home, None)
    code = "import sys; from pathlib import Path; from orchestration.locks import one_run_at_a_time\n"
    code += "with one_run_at_a_time(Path(sys.argv[1]), 'run', print): print('held', flush=True); sys.stdin.read()"
    words = [sys.executable, "-c", code, str(settings.paths.lock)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        assert run.stdout.readline()
        make_up_if_free(settings)
        assert _told(settings, "published") == []
        run.communicate()
    make_up_if_free(settings)
    assert len(_told(settings, "published")) == 1


@pytest.mark.parametrize("provinces", [(), ("94",)])
def test_a_run_is_remembered_by_its_last_step_when_that_has_told_what_it_came_to(
    tmp_path: Path, provinces: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path, provinces=provinces)
    settings.paths.create()
    done: list[str] = []
    monkeypatch.setattr(stages, "publish", lambda *_: [])
    monkeypatch.setattr(published, "tell_run", lambda *_: done.append("run told") or True)
    monkeypatch.setattr("orchestration.provinces.roll_up_all", lambda *_: [])
    monkeypatch.setattr(published, "tell_provinces", lambda *_: done.append("provinces told"))
    monkeypatch.setattr(stages, "remember_whole_run", lambda *_: done.append("remembered"))
    instance = dg.DagsterInstance.ephemeral()
    add_quarters(instance, now().date(), [QUARTER])
    steps = [published.published_assets([], Catalogue({}, {})), *([published.provinces_asset()] if provinces else [])]
    made = dg.materialize(
        steps,
        partition_key=QUARTER,
        instance=instance,
        resources={"scope": Scope(), "pipeline": Pipeline(settings)},
    )
    assert made.success
    assert done == ["run told", *(["provinces told"] if provinces else []), "remembered"]


# --- runs of the command line that were killed


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    made = Settings(home=tmp_path / "home")
    made.paths.create()
    monkeypatch.setattr(ui, "column_lineage", lambda: None)
    return made


def _next_run(settings: Settings) -> None:
    with one_run_at_a_time(settings.paths.lock, "run", print), recorded(Pipeline(settings), QUARTER, "build", "cchc"):
        pass


def _look(settings: Settings) -> None:
    with open_instance(settings) as instance:
        look(Pipeline(settings), now().date(), instance)


COMERS: dict[str, Callable[[Settings], object]] = {
    "the next run": _next_run,
    "the server as it starts": ui.prepare,
    "the daily look": _look,
    "whoever asks for the history": lambda settings: run_cli(settings.home, "history"),
}


@pytest.mark.parametrize("comer", COMERS.values(), ids=COMERS)
def test_a_killed_run_of_the_command_line_is_told_by_whoever_comes_next(
    settings: Settings, comer: Callable[[Settings], object]
) -> None:
    keep(settings.paths, record(1, "running"))
    keep(settings.paths, record(2, "running", by="dagster", quarter="2022-Q4"))
    for _ in range(2):
        comer(settings)
    assert [entry.ended for entry in entries(settings.paths)][:2] == ["killed", "killed"]
    (line,) = _told(settings, "run_failed")
    assert line["quarter"] == QUARTER, "the server tells its own"
    assert "không còn" in line["reasons"][0]
    assert record(1).run_id in line["links"].values()


@pytest.mark.parametrize("comer", COMERS.values(), ids=COMERS)
def test_what_cannot_be_told_keeps_nobody_from_his_work(
    settings: Settings, comer: Callable[[Settings], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("hỏng")

    monkeypatch.setattr("orchestration.aftermath.tell_untold", broken)
    answer = comer(settings)
    assert getattr(answer, "code", 0) == 0
    assert tell(settings, Alert("overdue", "quá hạn"))
