"""A pointer that is lost or damaged comes back from its history as it was: locks, rollbacks and all, or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

import publication.index
from publication import Instruction, Published, current_release, lock, mend_published, read_pointer, roll_back
from publication.index import INDEX_NAME, NAMES
from publication.release import INTENT_NAME
from publication.store.pointer import DamagedHistory, read_history
from tests.integration.publication.conftest import Home
from tests.unit.publication.builders import QUARTER, UNIT, delivery

SIGNED = Instruction("đã ký")


def _two_releases(home: Home) -> None:
    home.publish(home.candidate())
    correction = home.candidate(changes={"I.04": {"value": Decimal(10)}}, inputs=[delivery(content="b")])
    assert isinstance(home.publish(correction, expected=1), Published)


def _first(home: Home) -> None:
    home.publish(home.candidate())


def _locked(home: Home) -> None:
    _first(home)
    lock(home.published, UNIT, QUARTER, SIGNED)


def _rolled_back(home: Home) -> None:
    _two_releases(home)
    roll_back(home.published, UNIT, QUARTER, 1, SIGNED)


@pytest.mark.parametrize("story", [_first, _two_releases, _locked, _rolled_back])
def test_a_lost_pointer_comes_back_as_it_was(light_home: Home, story: Callable[[Home], None]) -> None:
    story(light_home)
    path = light_home.quarter_dir / "current.json"
    before = path.read_bytes()
    pointers = read_history(light_home.quarter_dir)
    assert pointers[-1] == read_pointer(light_home.quarter_dir)
    path.unlink()
    mended = mend_published(light_home.published)
    assert [one.path for one in mended.mended] == [str(path)]
    assert mended.lost == []
    assert path.read_bytes() == before
    assert read_history(light_home.quarter_dir) == pointers


def test_every_byte_of_the_history_counts(light_home: Home) -> None:
    _locked(light_home)
    path = light_home.quarter_dir / "history.jsonl"
    data = path.read_bytes()
    for place in range(len(data)):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(DamagedHistory):
            read_history(light_home.quarter_dir)
    last = data.rstrip(b"\n").rfind(b"\n") + 1
    path.write_bytes(data[last:])
    with pytest.raises(DamagedHistory):
        read_history(light_home.quarter_dir)


def test_a_damaged_history_begins_anew_from_the_pointer(light_home: Home) -> None:
    _locked(light_home)
    path = light_home.quarter_dir / "history.jsonl"
    path.write_bytes(path.read_bytes()[10:])
    (told,) = mend_published(light_home.published).mended
    assert told.path == str(path)
    assert told.aside
    assert Path(told.aside).is_file()
    assert read_history(light_home.quarter_dir) == [read_pointer(light_home.quarter_dir)]
    assert mend_published(light_home.published).mended == []


def test_a_home_from_before_there_was_a_history_gets_one(light_home: Home) -> None:
    _two_releases(light_home)
    (light_home.quarter_dir / "history.jsonl").unlink()
    assert mend_published(light_home.published).mended == []
    (light_home.quarter_dir / "current.json").unlink()
    assert mend_published(light_home.published).lost == []
    current = current_release(light_home.published, UNIT, QUARTER)
    assert current is not None
    assert current.number == 2


@pytest.mark.parametrize("harm", ["no history", "release changed", "release lost", "later release"])
def test_a_pointer_that_nothing_vouches_for_does_not_come_back(light_home: Home, harm: str) -> None:
    _two_releases(light_home)
    folder = light_home.quarter_dir
    (folder / "current.json").unlink()
    if harm == "no history":
        (folder / "history.jsonl").unlink()
    elif harm == "release changed":
        manifest = folder / "r2" / "manifest.json"
        manifest.chmod(0o644)
        manifest.write_bytes(manifest.read_bytes().replace(b"r2", b"r3") + b" ")
    elif harm == "release lost":
        folder.chmod(0o755)
        (folder / "r2").rename(folder / "gone")
    else:
        (folder / "r3").mkdir()
    found = mend_published(light_home.published)
    (line,) = found.lost
    assert str(folder / "current.json") in line
    assert "cchc restore" in line
    assert not (folder / "current.json").exists()


def test_a_first_publication_that_was_killed_is_left_to_the_next(light_home: Home) -> None:
    _first(light_home)
    (light_home.quarter_dir / "current.json").unlink()
    (light_home.quarter_dir / INTENT_NAME).write_text(json.dumps({"release": 1}))
    found = mend_published(light_home.published)
    assert (found.lost, [one.path for one in found.mended if "current" in one.path]) == ([], [])
    assert isinstance(light_home.publish(light_home.candidate()), Published)


@pytest.mark.parametrize("places", [4, pytest.param(40, marks=pytest.mark.long)])
@pytest.mark.parametrize("name", NAMES)
def test_any_flipped_byte_of_the_index_is_noticed(light_home: Home, name: str, places: int) -> None:
    _first(light_home)
    path = light_home.published / name
    whole, data = _index(light_home), path.read_bytes()
    for place in range(0, len(data), max(1, len(data) // places)):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        assert str(path) in {one.path for one in mend_published(light_home.published).mended}
        assert _index(light_home) == whole
        data = path.read_bytes()


def _index(home: Home) -> dict[str, object]:
    return home.index_files()


def test_an_index_of_the_first_schema_is_written_anew_and_is_no_damage(light_home: Home) -> None:
    _first(light_home)
    whole = _index(light_home)
    for name in NAMES[1:]:
        (light_home.published / name).unlink()
    (light_home.published / INDEX_NAME).write_bytes(b'{"releases":[\n\n],"schema":1}\n')
    assert mend_published(light_home.published).mended == []
    assert _index(light_home) == whole


def test_an_index_that_looked_otherwise_before_an_update_is_no_damage(
    light_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = publication.index._MADE["index.html"]
    with monkeypatch.context() as before:
        before.setitem(publication.index._MADE, "index.html", lambda entries: page(entries) + b"<!-- before -->")
        publication.index._maker.cache_clear()
        _first(light_home)
        assert mend_published(light_home.published).mended == []
        old = _index(light_home)
    publication.index._maker.cache_clear()
    assert mend_published(light_home.published).mended == []
    assert b"<!-- before -->" not in _index(light_home)["index.html"]
    # Such a list that was touched is damage, whoever made it.
    touched = old[INDEX_NAME].replace(b'"release":1', b'"release":3')
    assert touched != old[INDEX_NAME]
    (light_home.published / INDEX_NAME).write_bytes(touched)
    assert str(light_home.published / INDEX_NAME) in {one.path for one in mend_published(light_home.published).mended}


def test_a_pointer_of_another_quarter_that_is_lost_keeps_no_other_from_the_index(light_home: Home) -> None:
    _first(light_home)
    other = light_home.published / UNIT / "2022-Q4"
    other.mkdir()
    (other / "current.json").write_text("{")
    correction = light_home.candidate(changes={"I.04": {"value": Decimal(10)}}, inputs=[delivery(content="b")])
    assert isinstance(light_home.publish(correction, expected=1), Published)
    index = json.loads((light_home.published / "index.json").read_bytes())
    assert [(entry["quarter"], entry["release"]) for entry in index["releases"]] == [(QUARTER, 2)]
