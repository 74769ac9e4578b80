"""Who did what: every move of a pointer stands in the journal before it is made, and what does not fit is named."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from dagster import DagsterInstance

from common.chained_log import read_lines
from ingestion import IngestPaths
from orchestration import journal, locks
from orchestration.cli import housekeeping
from orchestration.coordinator import HomeRunCoordinator
from orchestration.instance import open_instance
from orchestration.journal import LOGIN_TAG, Actor, Journal, check_journal, this_process
from orchestration.pipeline import Pipeline
from orchestration.settings import Home, Settings
from orchestration.watchman import damage
from publication import Amendment, Instruction, Move, lock, roll_back, unlock
from tests.conftest import run_cli
from tests.integration.publication.conftest import Home as ReleaseHome
from tests.integration.publication.conftest import light_home as light_home
from tests.unit.publication.builders import QUARTER, UNIT, delivery

CHANGED: dict[str, Any] = {"changes": {"I.04": {"value": Decimal(10)}}, "inputs": [delivery(content="b")]}
SIGNED = Instruction("đã ký", "Chủ tịch UBND huyện", dt.datetime(2023, 3, 16, 8, tzinfo=dt.UTC))
PLACE = f"{UNIT}/{QUARTER}"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_SECONDS_OF_A_MOVE", 0.0)
    monkeypatch.delenv("SUDO_USER", raising=False)


class Story:
    """A home in which a quarter was published, locked, amended, unlocked and rolled back; every second pointer."""

    def __init__(self, releases: ReleaseHome) -> None:
        self.releases = releases
        self.home = Home(releases.root)
        self.journal = Journal(self.home, Actor("cchc", "lan"))
        self.pointer = releases.quarter_dir / "current.json"

    def publish(self, expected: int | None, amendment: Amendment | None = None, **build: Any) -> object:
        candidate = self.releases.candidate(**build)
        return self.releases.publish(candidate, expected=expected, amendment=amendment, witness=self.journal.witness)

    def whole(self) -> None:
        """Every move there is."""
        published, witness = self.releases.published, self.journal.witness
        self.publish(None)
        lock(published, UNIT, QUARTER, SIGNED, witness)
        self.publish(1, Amendment("sót hồ sơ", "Phòng Nội vụ"), **CHANGED)
        unlock(published, UNIT, QUARTER, SIGNED, witness)
        roll_back(published, UNIT, QUARTER, 1, SIGNED, witness)

    def lines(self) -> list[dict[str, Any]]:
        return read_lines(self.home.journal)

    def damages(self) -> str:
        return "\n".join(check_journal(self.home).damages)


@pytest.fixture
def story(light_home: ReleaseHome) -> Story:
    return Story(light_home)


def test_every_move_is_written_down_with_who_and_when(story: Story) -> None:
    story.whole()
    told = [
        {name: value for name, value in line.items() if name in ("action", "unit", "period", "release", "by")}
        for line in story.lines()
    ]
    place = {"unit": UNIT, "period": QUARTER}
    assert told == [
        {"action": "begin"},
        {"action": "publish", **place, "release": 1},
        {"action": "lock", **place, "release": 1, "by": "Chủ tịch UBND huyện"},
        {"action": "amend", **place, "release": 2, "by": "Phòng Nội vụ"},
        {"action": "unlock", **place, "release": 2, "by": "Chủ tịch UBND huyện"},
        {"action": "rollback", **place, "release": 1, "by": "Chủ tịch UBND huyện"},
    ]
    assert {(line["login"], line["asked_by"], line["at"][-6:]) for line in story.lines()} == {("cchc", "lan", "+07:00")}
    assert "sót hồ sơ" not in story.home.journal.read_text(encoding="utf-8"), "reasons are the pointer's"
    assert story.damages() == ""
    (line,) = check_journal(story.home).lines_vi()
    assert "nguyên vẹn, 6 dòng" in line
    assert str(check_journal(story.home).head) in line


def test_what_changes_nothing_is_no_line(story: Story) -> None:
    story.publish(None)
    before = story.home.journal.read_bytes()
    story.publish(1)
    assert story.home.journal.read_bytes() == before


def test_what_cannot_be_written_down_is_not_done(story: Story) -> None:
    story.publish(None)
    pointer = story.pointer.read_bytes()
    story.home.journal.unlink()
    story.home.journal.mkdir()
    with pytest.raises(OSError, match="journal"):
        lock(story.releases.published, UNIT, QUARTER, SIGNED, story.journal.witness)
    assert story.pointer.read_bytes() == pointer
    with pytest.raises(OSError, match="journal"):
        story.publish(1, **CHANGED)
    assert story.pointer.read_bytes() == pointer
    story.home.journal.rmdir()
    story.publish(1, **CHANGED)
    assert json.loads(story.pointer.read_bytes())["release"] == 2


def test_whoever_moves_a_pointer_by_hand_holds_the_home_so_that_a_copy_is_of_one_moment(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    story.publish(None)
    story.publish(1, **CHANGED)
    held: list[tuple[str, bool]] = []
    witness = Journal.witness

    def watched(self: Journal, move: Move) -> None:
        held.append((move.action, story.home.lock in locks._held))
        witness(self, move)

    monkeypatch.setattr(Journal, "witness", watched)
    for words in (["lock"], ["unlock"], ["rollback", "--to", "1"]):
        done = run_cli(story.home.root, words[0], QUARTER, "--unit", UNIT, "--reason", "đã ký", *words[1:])
        assert done.code == 0, done.stderr
    assert held == [("lock", True), ("unlock", True), ("rollback", True)]
    assert story.damages() == ""


def test_a_move_that_was_interrupted_is_named_until_it_is_made(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    for move in (
        lambda: story.publish(None),
        lambda: lock(story.releases.published, UNIT, QUARTER, SIGNED, story.journal.witness),
    ):
        with monkeypatch.context() as patch:
            patch.setattr("publication.store.pointer.replace_durably", killed)
            with pytest.raises(KeyboardInterrupt):
                move()
        assert "bị ngắt giữa chừng (chạy lại lệnh đó)" in story.damages()
        move()
        assert story.damages() == ""


def _cut(story: Story) -> None:
    path = story.home.journal
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


def _cut_to_beginning(story: Story) -> None:
    path = story.home.journal
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])


def _pointer_put_back(story: Story) -> None:
    story.pointer.write_bytes(story.kept)  # type: ignore[attr-defined]


def _pointer_edited(story: Story) -> None:
    story.pointer.write_bytes(story.pointer.read_bytes().replace("đã ký".encode(), "chưa ký".encode()))


def _another_pointer(story: Story) -> None:
    shutil.copytree(story.pointer.parent, story.pointer.parent.with_name("2022-Q4"))


def _line_changed(story: Story) -> None:
    story.home.journal.write_bytes(story.home.journal.read_bytes().replace(b'"lan"', b'"hoa"', 1))


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (_cut, f"con trỏ của {PLACE} không phải con trỏ ghi ở dòng 5: nhật ký bị cắt bớt"),
        (_cut_to_beginning, f"không dòng nào ghi việc công bố {PLACE}"),
        (_pointer_put_back, f"con trỏ của {PLACE} còn như trước dòng 6"),
        (_pointer_edited, f"con trỏ của {PLACE} không phải con trỏ ghi ở dòng 6"),
        (lambda story: story.pointer.unlink(), f"mất con trỏ của {PLACE}, ghi ở dòng 6"),
        (_another_pointer, f"không dòng nào ghi việc công bố {UNIT}/2022-Q4"),
        (_line_changed, "dòng 1 đã bị sửa"),
    ],
)
def test_what_does_not_fit_is_named_by_verify_and_by_the_daily_look(
    story: Story, harm: Callable[[Story], None], words: str
) -> None:
    story.publish(None)
    lock(story.releases.published, UNIT, QUARTER, SIGNED, story.journal.witness)
    story.kept = story.pointer.read_bytes()  # type: ignore[attr-defined]
    story.publish(1, Amendment("sót hồ sơ", "Phòng Nội vụ"), **CHANGED)
    unlock(story.releases.published, UNIT, QUARTER, SIGNED, story.journal.witness)
    roll_back(story.releases.published, UNIT, QUARTER, 1, SIGNED, story.journal.witness)
    harm(story)
    assert words in story.damages()
    settings = Settings(home=story.home.root)
    lines, document, whole = housekeeping.verified(settings, [])
    assert (whole, "nhật ký thao tác: HƯ HẠI" in lines, words in "\n".join(lines)) == (False, True, True)
    assert document["journal"]["damages"]
    told = [alert for alert in damage(Pipeline(settings)) if alert.title_vi == "Nhật ký thao tác bị hư hại"]
    assert [alert.kind for alert in told] == ["damage"]
    assert words in "\n".join(told[0].lines_vi)


def test_a_pointer_forged_between_two_moves_stays_named(story: Story) -> None:
    story.publish(None)
    lock(story.releases.published, UNIT, QUARTER, SIGNED, story.journal.witness)
    _pointer_edited(story)
    story.publish(1, Amendment("sót hồ sơ", None), **CHANGED)
    assert f"dòng 4: trước đó con trỏ của {PLACE} đã bị thay" in story.damages()
    _cut(story)
    assert story.damages() != ""


def test_a_home_of_before_begins_with_what_is_published(story: Story) -> None:
    story.releases.publish(story.releases.candidate())
    checked = check_journal(story.home)
    assert (checked.lines, checked.damages) == (0, ()), "nothing was ever written down, and nothing is said to be lost"
    assert "chưa có dòng nào" in checked.lines_vi()[0]
    lock(story.releases.published, UNIT, QUARTER, SIGNED, story.journal.witness)
    assert [line["action"] for line in story.lines()] == ["begin", "lock"]
    assert list(story.lines()[0]["pointers"]) == [PLACE]
    assert story.damages() == ""
    assert "mở khi đã có 1 kỳ công bố" in check_journal(story.home).lines_vi()[0]


def test_a_purge_is_a_line_and_a_dry_run_is_none(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    settings.paths.create()
    pipeline = Pipeline(settings)
    kept = IngestPaths(settings.paths.landing, settings.paths.raw, settings.paths.outbox).originals / "ab" / "abc.csv"
    kept.parent.mkdir(parents=True)
    kept.write_text("x")
    long_after = dt.date(2099, 1, 1)
    housekeeping.purged(pipeline, long_after, dry_run=True)
    assert not settings.paths.journal.exists()
    housekeeping.purged(pipeline, long_after, dry_run=False)
    housekeeping.purged(pipeline, long_after, dry_run=False)
    (_, line) = read_lines(settings.paths.journal)
    assert (line["action"], line["files"], line["login"]) == ("purge", 1, this_process().login)


def test_who_acts_is_the_account_and_whoever_became_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert this_process().asked_by is None
    monkeypatch.setenv("SUDO_USER", "lan")
    assert (this_process().asked_by, this_process("hoa").asked_by) == ("lan", "hoa")
    monkeypatch.setattr("os.geteuid", lambda: 54321)
    assert this_process().login == "54321"


@pytest.mark.parametrize(("sent", "typed", "kept"), [("lan", "hoa", "lan"), (None, "hoa", ""), (None, None, None)])
def test_a_run_of_the_browser_carries_the_login_of_the_proxy_and_no_other(
    tmp_path: Path, sent: str | None, typed: str | None, kept: str | None
) -> None:
    with open_instance(Settings(home=tmp_path)) as instance:
        assert isinstance(instance.run_coordinator, HomeRunCoordinator)
        assert instance.get_concurrency_config().run_queue_config.max_concurrent_runs == 1
        run = instance.create_run_for_job(_job(), tags={LOGIN_TAG: typed} if typed else {})
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("dagster._core.run_coordinator.QueuedRunCoordinator.submit_run", lambda _, c: c.dagster_run)
            request = SimpleNamespace(dagster_run=run, get_request_header=lambda name: sent)
            instance.run_coordinator.submit_run(cast(Any, request))
        assert _tags(instance, run.run_id).get(LOGIN_TAG) == kept


def _job() -> Any:
    import dagster as dg

    @dg.op
    def nothing() -> None: ...

    @dg.job
    def job() -> None:
        nothing()

    return job


def _tags(instance: DagsterInstance, run_id: str) -> dict[str, str]:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return dict(run.tags)
