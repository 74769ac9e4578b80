"""``verify`` finds any change to a release, down to one bit."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest

from publication import Published, verify
from tests.integration.publication.conftest import Home

FLIPS = 150


@pytest.fixture
def release_dir(home: Home) -> Path:
    """A published release that the test may damage."""
    outcome = home.publish(home.candidate())
    assert isinstance(outcome, Published)
    for path in [outcome.release.path, *outcome.release.path.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    return outcome.release.path


def test_any_flipped_bit_is_found_and_its_file_named(release_dir: Path) -> None:
    chance = random.Random(20230314)
    flips = 0
    files = sorted(path for path in release_dir.rglob("*") if path.is_file())
    for path in files:
        whole = path.read_bytes()
        inside = [chance.randrange(1, len(whole) - 1) for _ in range(math.ceil(FLIPS / len(files)))]
        positions = {0, len(whole) - 1, *inside}
        for position in positions:
            damaged = bytearray(whole)
            damaged[position] ^= 1 << chance.randrange(8)
            path.write_bytes(damaged)
            assert [damage.path for damage in verify(release_dir)] == [path.relative_to(release_dir).as_posix()]
            flips += 1
        path.write_bytes(whole)
    assert flips >= FLIPS
    assert verify(release_dir) == []


def test_missing_extra_and_cut_files_are_found(release_dir: Path) -> None:
    (release_dir / "quality" / "notes.csv").unlink()
    (release_dir / "marts.duckdb.wal").write_bytes(b"x")
    annex = release_dir / "report" / "annex.csv"
    annex.write_bytes(annex.read_bytes()[:-1])
    assert {(damage.path, damage.kind) for damage in verify(release_dir)} == {
        ("quality/notes.csv", "missing"),
        ("marts.duckdb.wal", "extra"),
        ("report/annex.csv", "changed"),
    }


def test_a_link_is_not_the_file(release_dir: Path, tmp_path: Path) -> None:
    annex = release_dir / "report" / "annex.csv"
    annex.rename(tmp_path / "annex.csv")
    annex.symlink_to(tmp_path / "annex.csv")
    assert [damage.kind for damage in verify(release_dir)] == ["changed"]


def test_a_rewritten_manifest_does_not_hide_a_change(release_dir: Path) -> None:
    """The pointer keeps the manifest's hash, so a manifest made to fit altered files is found too."""
    manifest = release_dir / "manifest.json"
    manifest.write_text(
        manifest.read_text(encoding="utf-8").replace('"code_version": "1.0"', '"code_version": "1.1"'), encoding="utf-8"
    )
    assert [damage.kind for damage in verify(release_dir)] == ["manifest"]


def test_a_folder_that_was_never_published_is_no_release(release_dir: Path, home: Home) -> None:
    release_dir.rename(home.quarter_dir / "r9")
    (damage,) = verify(home.quarter_dir / "r9")
    assert damage.kind == "manifest"


def test_a_release_without_manifest_is_damaged(release_dir: Path) -> None:
    (release_dir / "manifest.json").unlink()
    assert [damage.kind for damage in verify(release_dir)] == ["manifest"]
