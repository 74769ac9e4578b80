"""A candidate is on the disk before it has its name. What a power cut may do to a release: ``test_power_loss``."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.integration.publication.conftest import Home


class Recorder:
    """The fsync and rename calls of this process, in order."""

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


def test_a_candidate_is_on_the_disk_before_it_has_its_name(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder(monkeypatch)
    folder = home.candidate()
    staging = folder.parent / f".writing-{folder.name}"
    named = recorder.at("to", folder)
    for path in folder.rglob("*"):
        assert recorder.at("sync", staging / path.relative_to(folder)) < named
    assert recorder.at("sync", folder.parent, named) > named
