"""A power cut at any moment of a publication loses no release and tears none; and every fsync is there for a reason.

SIGKILL does not lose what the kernel holds, so kill tests cannot miss an fsync. Here every operation of a publication
is recorded, and each prefix of the record is replayed on a disk that forgets what was not synced.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from common.files import remove_tree
from publication import Instruction, Published, current_release, lock, roll_back, verify
from publication.folders import FOLDER_NAME
from publication.index import NAMES
from publication.mending import mend_published
from publication.release import Unchanged
from tests.integration.publication.conftest import Home
from tests.integration.publication.powerloss import Disk, State, files_below, write_state
from tests.integration.publication.publish_once import publish_once
from tests.integration.publication.watched import Call, record
from tests.unit.publication.builders import QUARTER, UNIT, delivery

_RECOVERIES_IN_EVERY_RUN = 4
_SYNCS = ("fsync", "fdatasync")
_DATABASE = "marts.duckdb"


@dataclass
class Story:
    """One publication as recorded.

    It began on what the home keeps. ``lead`` is what a publication that was killed did to that before, ``calls`` what
    this one did; ``old`` and ``new`` are the files before and after ``calls``.
    """

    home: Home
    folder: Path
    expected: int | None
    lead: Sequence[Call]
    calls: Sequence[Call]
    old: Mapping[str, bytes]
    new: Mapping[str, bytes]

    def disk(self) -> Disk:
        """The disk as the publication found it; what a killed one before it did is not for certain."""
        self.home.restore()
        disk = Disk(self.home.root, "published")
        for call in self.lead:
            disk.replay(call)
        return disk

    def wrong(self, files: State, *, returned: bool) -> str | None:
        """What a reader or the next publication could not live with; None when all is well."""
        place = f"published/{UNIT}/{QUARTER}/"
        pointer = files.get(place + "current.json")
        if pointer not in (self.old.get(place + "current.json"), self.new[place + "current.json"]):
            return "the pointer is torn or lost"
        if returned and pointer != self.new[place + "current.json"]:
            return "a publication that was reported done is lost"
        known = {f"r{entry['release']}" for entry in json.loads(pointer)["history"]} if pointer else set()
        for name in sorted(known):
            if not _same_below(f"{place}{name}/", files, self.new):
                return f"{name} is not whole"
        history = files.get(place + "history.jsonl")
        if history not in (self.old.get(place + "history.jsonl"), self.new[place + "history.jsonl"]):
            return "the history is torn"
        if returned and history != self.new[place + "history.jsonl"]:
            return "the history of a publication that was reported done is lost"
        return self._blocked(files, place, known) or self._index(files, pointer, returned)

    def _blocked(self, files: State, place: str, known: set[str]) -> str | None:
        present = {path.removeprefix(place).split("/")[0] for path in files if path.startswith(place + "r")}
        intent = files.get(place + ".intent.json")
        try:
            announced = {f"r{json.loads(intent)['release']}"} if intent is not None else set()
        except ValueError:
            return "the intent is torn"
        return "a release that nobody knows stops the next publication" if present - known - announced else None

    def _index(self, files: State, pointer: bytes | None, returned: bool) -> str | None:
        of_folders = (name for name in self.new if name.startswith(f"published/{FOLDER_NAME}/"))
        for name in (*(f"published/{name}" for name in NAMES), *of_folders):
            index, old, new = (where.get(name) for where in (files, self.old, self.new))
            if index not in (old, new):
                return f"{name} is torn or lost"
            if index != old and pointer is None:
                return f"{name} names a release that is not there"
            if returned and index != new:
                return f"{name} is stale after a publication was reported done"
        return None

    def distinct_states(self) -> list[State]:
        """Every state that differs from the others, over all prefixes."""
        disk = self.disk()
        found: dict[int, State] = {}
        for call in self.calls:
            disk.replay(call)
            for state in disk.states(call):
                found.setdefault(hash(frozenset(state.items())), state)
        return list(found.values())

    def fault(self, calls: Sequence[Call], start: int = 0) -> str | None:
        """The first thing found wrong in any state after a prefix of the calls longer than ``start``."""
        for only_extremes in (True, False):
            disk = self.disk()
            for done, call in enumerate(calls, start=1):
                disk.replay(call)
                for state in disk.states(call, only_extremes=only_extremes) if done > start else ():
                    fault = self.wrong(state, returned=done == len(calls))
                    if fault:
                        return f"after {call.name} {call.paths[0].name}: {fault}"
        return None


def _same_below(place: str, one: State, other: State) -> bool:
    names = [name for name in one if name.startswith(place)]
    wanted = [name for name in other if name.startswith(place)]
    return len(names) == len(wanted) and all(one.get(name) == other[name] for name in wanted)


def _tell(
    home: Home,
    folder: Path,
    expected: int | None,
    *,
    body: Any = publish_once,
    arguments: tuple[Any, ...] | None = None,
    lead: Sequence[Call] = (),
) -> Story:
    """Record one publication, or what else ``body`` does to the pointer."""
    if not lead:
        home.keep()
    old = files_below(home.root, "published")
    asked = home.arguments(folder, expected=expected) if arguments is None else arguments
    answer, calls = record(home.root / "log", home.root, body, *asked)
    assert answer is not None
    mine = _without_duckdbs_syncs([call for call in calls if _is_published(home, call)])
    new = files_below(home.root, "published")
    story = Story(home, folder, expected, lead, mine, old, new)
    disk = story.disk()
    for call in mine:
        disk.replay(call)
    assert disk.now() == new, "the record does not lead to what is on the disk"
    return story


def _without_duckdbs_syncs(calls: Sequence[Call]) -> list[Call]:
    """DuckDB syncs its files as it writes them. Publication does not rely on it: its own sync of each comes last."""
    last = {call.paths[0]: n for n, call in enumerate(calls) if call.name in _SYNCS}
    return [
        call
        for n, call in enumerate(calls)
        if call.name not in _SYNCS
        or not call.paths[0].name.startswith(_DATABASE)
        or (last[call.paths[0]] == n and call.paths[0].name == _DATABASE)
    ]


def _is_published(home: Home, call: Call) -> bool:
    return all(path == home.root or path.is_relative_to(home.published) for path in call.paths)


def _correction(home: Home) -> Path:
    return home.candidate(changes={"I.04": {"value": Decimal(10)}}, inputs=[delivery(content="b")])


def first_release(home: Home) -> Story:
    return _tell(home, home.candidate(), None)


def second_release(home: Home) -> Story:
    home.publish(home.candidate())
    return _tell(home, _correction(home), 1)


def first_release_after_one_that_died_making_folders(home: Home) -> Story:
    folder = home.candidate()
    twin = Home(home.root / "twin", home.only)
    twin_folder = twin.candidate()
    _, calls = record(home.root / "log", twin.root, publish_once, *twin.arguments(twin_folder))
    first_sync = next(call for call in calls if call.name in _SYNCS)
    _, lead = record(home.root / "log", home.root, publish_once, *home.arguments(folder), killed_at=first_sync)
    story = _tell(home, folder, None, lead=[call for call in lead if _is_published(home, call)])
    assert [call.name for call in story.lead] == ["mkdir"] * 3
    return story


def second_release_after_one_that_died_half_way(home: Home) -> Story:
    home.publish(home.candidate())
    other = home.candidate(changes={"I.04": {"value": Decimal(12)}})
    after_renaming = next(
        call
        for call in home.foresee(other, expected=1)
        if "chmod" in call.name and call.paths[0].is_relative_to(home.quarter_dir / "r2")
    )
    _, lead = record(
        home.root / "log",
        home.published,
        publish_once,
        *home.arguments(other, expected=1),
        killed_at=after_renaming,
    )
    assert (home.quarter_dir / "r2").is_dir()
    return _tell(home, _correction(home), 1, lead=lead)


def _lock(published: str) -> str:
    lock(Path(published), UNIT, QUARTER, Instruction("ký"))
    return "locked"


def _roll_back(published: str) -> str:
    roll_back(Path(published), UNIT, QUARTER, 1, Instruction("nhầm"))
    return "rolled back"


def locking(home: Home) -> Story:
    home.publish(home.candidate())
    return _tell(home, home.candidate(), 1, body=_lock, arguments=(str(home.published),))


def rolling_back(home: Home) -> Story:
    home.publish(home.candidate())
    home.publish(_correction(home), expected=1)
    return _tell(home, _correction(home), 2, body=_roll_back, arguments=(str(home.published),))


STORIES = [
    first_release,
    second_release,
    first_release_after_one_that_died_making_folders,
    second_release_after_one_that_died_half_way,
    locking,
    rolling_back,
]


@pytest.mark.parametrize("tell", STORIES, ids=lambda tell: tell.__name__)
def test_no_power_cut_loses_or_tears_a_release_and_no_fsync_is_idle(light_home: Home, tell: Any) -> None:
    story = tell(light_home)
    assert story.fault(story.calls) is None
    syncs = [n for n, call in enumerate(story.calls) if call.name in _SYNCS]
    assert syncs
    idle = [
        story.calls[n].paths[0].relative_to(light_home.root).as_posix()
        for n in syncs
        if story.fault([call for m, call in enumerate(story.calls) if m != n], start=n - 1) is None
    ]
    assert idle == []


def _recover(story: Story, state: State) -> None:
    """What the model promises, tried: the state is laid out on a disk, read, verified and published upon."""
    home = story.home
    if home.published.exists():
        remove_tree(home.published)
    write_state(state, home.root)
    # As every run begins: a pointer may be there before the entry of its history is safe.
    assert mend_published(home.published).lost == []
    current = current_release(home.published, UNIT, QUARTER)
    if current is not None:
        assert verify(current.path) == []
    again = home.publish(story.folder, expected=current.number if current else None)
    assert isinstance(again, (Published, Unchanged)), again
    assert verify(again.release.path) == []
    names = {path.name for path in home.quarter_dir.iterdir()}
    assert names == {".lock", "current.json", "history.jsonl", *(f"r{n}" for n in range(1, again.release.number + 1))}
    assert current_release(home.published, UNIT, QUARTER) == again.release


def test_after_a_power_cut_the_same_command_finishes_the_work(light_home: Home) -> None:
    story = second_release_after_one_that_died_half_way(light_home)
    states = story.distinct_states()
    for n in range(_RECOVERIES_IN_EVERY_RUN):
        _recover(story, states[n * (len(states) - 1) // (_RECOVERIES_IN_EVERY_RUN - 1)])


@pytest.mark.long
@pytest.mark.parametrize(
    "tell", [first_release, second_release_after_one_that_died_half_way], ids=lambda tell: tell.__name__
)
def test_after_any_power_cut_the_same_command_finishes_the_work(light_home: Home, tell: Any) -> None:
    story = tell(light_home)
    for state in story.distinct_states():
        _recover(story, state)
