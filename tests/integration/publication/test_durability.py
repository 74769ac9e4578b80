"""What must be on the disk before the next step is taken: the order that makes a power cut harmless.

SIGKILL does not lose what the kernel holds, so kill tests cannot miss an fsync. Here the calls are recorded instead.
"""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import pytest

from publication import Published
from tests.integration.publication.conftest import Home
from tests.unit.publication.builders import delivery


class Recorder:
    """The fsync and rename calls of a publication, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[tuple[str, Path]] = []
        self._sync, self._rename, self._replace = os.fsync, Path.rename, Path.replace
        monkeypatch.setattr(os, "fsync", self._on_fsync)
        monkeypatch.setattr(Path, "rename", lambda source, target: self._on_move(self._rename, source, target))
        monkeypatch.setattr(Path, "replace", lambda source, target: self._on_move(self._replace, source, target))

    def _on_fsync(self, descriptor: int) -> None:
        self._sync(descriptor)
        self.calls.append(("sync", Path(f"/proc/self/fd/{descriptor}").readlink()))

    def _on_move(self, move: object, source: Path, target: Path) -> Path:
        self.calls.append(("from", source))
        moved: Path = move(source, target)  # type: ignore[operator]
        self.calls.append(("to", target))
        return moved

    def at(self, kind: str, path: Path, start: int = 0) -> int:
        """Position of the first such call from ``start``; fails when there is none."""
        return next(n for n, call in enumerate(self.calls) if n >= start and call == (kind, path))


@pytest.mark.parametrize("first_release", [True, False], ids=["first", "second"])
def test_everything_is_on_the_disk_before_it_is_named(home: Home, monkeypatch: pytest.MonkeyPatch,
                                                      first_release: bool) -> None:
    if not first_release:
        home.publish(home.candidate())
    folder = home.candidate(changes={"I.04": {"value": Decimal(10)}}, inputs=[delivery(content="b")])
    recorder = Recorder(monkeypatch)
    outcome = home.publish(folder, expected=None if first_release else 1)
    assert isinstance(outcome, Published)

    release = outcome.release.path
    quarter_dir = home.quarter_dir
    staging = quarter_dir / f".staging-{release.name}"
    named = recorder.at("to", release)
    manifest = recorder.at("sync", staging / "manifest.json")
    for path in release.rglob("*"):
        synced = recorder.at("sync", staging / path.relative_to(release))
        assert synced < named, f"{path.name} is not on the disk when its release is named"
        assert path.name == "manifest.json" or synced < manifest, "the manifest is written last"
    assert manifest < recorder.at("sync", staging, manifest) < named

    intent = recorder.at("to", quarter_dir / ".intent.json")
    assert recorder.at("sync", quarter_dir, intent) < recorder.at("from", staging), "a release is announced first"

    pointed = recorder.at("to", quarter_dir / "current.json")
    assert recorder.at("sync", quarter_dir, named) < pointed, "the release's name is on the disk before the pointer"
    assert recorder.at("sync", quarter_dir / ".current.json.tmp") < pointed
    assert recorder.at("sync", quarter_dir, pointed)


def test_new_folders_are_on_the_disk_too(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = home.candidate()
    recorder = Recorder(monkeypatch)
    home.publish(folder)
    pointed = recorder.at("to", home.quarter_dir / "current.json")
    for parent in (home.root, home.published, home.quarter_dir.parent):
        assert recorder.at("sync", parent) < pointed


def test_a_candidate_is_on_the_disk_before_it_has_its_name(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder(monkeypatch)
    folder = home.candidate()
    staging = folder.parent / f".writing-{folder.name}"
    named = recorder.at("to", folder)
    for path in folder.rglob("*"):
        assert recorder.at("sync", staging / path.relative_to(folder)) < named
    assert recorder.at("sync", folder.parent, named) > named
