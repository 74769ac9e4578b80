"""Locks, amendments and rollbacks: each one move of the pointer, recorded with who, why and when."""

from __future__ import annotations

import datetime as dt
import json
import re
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from expectations import UnfitText
from publication import (
    Amendment,
    Approval,
    DamagedPointer,
    Held,
    Instruction,
    NotAllowed,
    Published,
    Refused,
    all_releases,
    compare_releases,
    current_release,
    find_release,
    lock,
    read_pointer,
    roll_back,
    unlock,
    verify,
)
from publication.content.causes import Lineage
from publication.index import rebuild_index
from publication.release import Unchanged
from publication.store.csvfile import from_csv
from publication.tables.annex import read_annex_xlsx
from publication.tables.manifest import DamagedManifest
from tests.integration.publication.conftest import Home
from tests.unit.publication.builders import QUARTER, UNIT, delivery

CHANGED: dict[str, Any] = {"changes": {"I.04": {"value": Decimal(10)}}, "inputs": [delivery(content="b")]}
SIGNED = Instruction("đã ký, số 12/BC-UBND", "Chủ tịch UBND huyện", dt.datetime(2023, 3, 16, 8, tzinfo=dt.UTC))


@pytest.fixture
def home(light_home: Home) -> Home:
    """Releases with few outputs: which of them there are makes no difference here."""
    return light_home


@pytest.fixture
def locked(home: Home) -> Home:
    """A home whose first release was signed."""
    home.publish(home.candidate())
    lock(home.published, UNIT, QUARTER, SIGNED)
    return home


def _pointer(home: Home) -> Any:
    return read_pointer(home.quarter_dir)


def _files_of_releases(home: Home) -> dict[str, str]:
    """Each file of a release with its SHA-256; what is made of several releases follows the pointer and is left out."""
    return {name: sha256 for name, sha256 in home.tree().items() if re.search("/r[0-9]+/", name)}


def test_a_lock_says_which_release_who_why_and_when(locked: Home) -> None:
    event = _pointer(locked).lock
    assert (event.action, event.release, event.reason, event.by, event.at) == (
        "lock",
        1,
        "đã ký, số 12/BC-UBND",
        "Chủ tịch UBND huyện",
        "2023-03-16T08:00:00+00:00",
    )
    assert verify(locked.quarter_dir / "r1") == []


def test_a_lock_survives_the_index_and_everything_that_is_derived(locked: Home) -> None:
    (locked.published / "index.json").unlink()
    rebuild_index(locked.published)
    assert _pointer(locked).lock is not None


def test_a_locked_quarter_holds_back_what_would_change_and_says_it(locked: Home) -> None:
    before = locked.tree()
    held = locked.publish(locked.candidate(**CHANGED), expected=1)
    assert isinstance(held, Held)
    assert held.release.number == 1
    assert [(figure.indicator_code, figure.old, figure.new) for figure in held.revision.figures] == [
        ("I.04", "9", "10")
    ]
    assert held.revision.figures[0].causes[0].kind == "delivery_new"  # this build logs no deliveries
    assert locked.tree() == before
    assert not list(locked.quarter_dir.glob(".staging*"))


def test_a_locked_quarter_does_not_complain_where_nothing_would_change(locked: Home) -> None:
    """The same inputs, and a file sent again with the same rows in it: what was signed stands."""
    assert isinstance(locked.publish(locked.candidate(), expected=1), Unchanged)
    same_figures = locked.candidate(inputs=[delivery(content="b")])
    assert isinstance(locked.publish(same_figures, expected=1), Unchanged)


def test_an_amendment_with_a_reason_revises_a_locked_quarter_and_keeps_it_locked(locked: Home) -> None:
    amendment = Amendment("Bổ sung hồ sơ nộp muộn", "Phòng Nội vụ")
    outcome = locked.publish(
        locked.candidate(**CHANGED),
        expected=1,
        amendment=amendment,
        published_at=dt.datetime(2023, 4, 1, tzinfo=dt.UTC),
    )
    assert isinstance(outcome, Published)
    record = outcome.release.manifest().amendment
    assert record is not None
    assert (record.reason, record.by, record.locked_release) == ("Bổ sung hồ sơ nộp muộn", "Phòng Nội vụ", 1)
    pointer = _pointer(locked)
    assert [(event.action, event.release) for event in pointer.events] == [("lock", 1), ("amend", 2)]
    assert pointer.events[1].at == "2023-04-01T00:00:00+00:00"
    assert pointer.lock is not None
    notes = from_csv((outcome.release.path / "quality" / "notes.csv").read_bytes())
    told = [note["sentence_vi"] for note in notes if note["kind"] == "revision"]
    assert "Sửa đổi sau khi kỳ báo cáo đã khóa. Lý do: Bổ sung hồ sơ nộp muộn." in told[0]
    assert [line for line in told[1:] if line.startswith("9 → 10")], told
    assert isinstance(locked.publish(locked.candidate(), expected=2), Held)
    assert verify(locked.quarter_dir / "r1") == verify(locked.quarter_dir / "r2") == []


def test_an_amendment_of_an_open_quarter_is_refused(home: Home) -> None:
    home.publish(home.candidate())
    outcome = home.publish(home.candidate(**CHANGED), expected=1, amendment=Amendment("vì sao"))
    assert isinstance(outcome, Refused)
    assert "chưa khóa" in outcome.reasons[0]
    with pytest.raises(ValueError, match="reason"):
        Amendment("  ")


PERSONAL = "theo ông Nguyễn Văn An, 0912 345 678"


@pytest.mark.parametrize(("make", "said"), [
    (lambda: Instruction(PERSONAL), "số điện thoại, tên người"),
    (lambda: Instruction("ký", "an@gmail.com"), "địa chỉ thư điện tử"),
    (lambda: Amendment("căn cước 094123456789"), "số căn cước"),
    (lambda: Amendment("sót hồ sơ", "Phòng Nội vụ, 0912345678"), "số điện thoại"),
    (lambda: Approval("Chủ tịch 0912345678", "12/QĐ", "abc"), "số điện thoại"),
    (lambda: Approval("Chủ tịch", PERSONAL, "abc"), "tên người"),
    (lambda: Instruction("nhầm\x0b số"), "ký tự điều khiển"),
    (lambda: Amendment("nhầm\u202e số"), "không nhìn thấy"),
    (lambda: Approval("Chủ tịch\n", "12/QĐ", "abc"), "ký tự điều khiển"),
    (lambda: Amendment("a" * 1001), "1001 ký tự"),
])  # fmt: skip
def test_typed_words_that_must_not_be_published_are_refused_and_not_quoted(make: Any, said: str) -> None:
    with pytest.raises(UnfitText, match=said) as refused:
        make()
    assert not set(re.findall(r"\d{3,}|Nguyễn|gmail", str(refused.value))) - {"1001", "1000"}


def test_who_decides_and_by_which_document_may_be_named() -> None:
    Instruction("Báo cáo đã ký, số 12/BC-UBND ngày 05/04/2023", "Ông Nguyễn Văn An, Chủ tịch UBND huyện")
    Approval("Bà Trần Thị Bình", "12/QĐ-UBND ngày 05/04/2023", "abc")


def test_the_annex_of_a_revision_holds_the_new_figure_and_nothing_of_the_revision(home: Home) -> None:
    home.publish(home.candidate())
    outcome = home.publish(home.candidate(**CHANGED), expected=1)
    assert isinstance(outcome, Published)
    report = outcome.release.path / "report"
    assert read_annex_xlsx(report / "annex.xlsx")[3].value == 10
    assert "bản công bố trước" not in (report / "annex.csv").read_text(encoding="utf-8")


def test_unlocked_is_open_again(locked: Home) -> None:
    unlock(locked.published, UNIT, QUARTER, Instruction("khóa nhầm"))
    assert _pointer(locked).lock is None
    assert isinstance(locked.publish(locked.candidate(**CHANGED), expected=1), Published)
    assert [event.action for event in _pointer(locked).events] == ["lock", "unlock"]


def test_moves_that_cannot_be_are_refused_and_change_nothing(home: Home) -> None:
    for move in (lock, unlock):
        with pytest.raises(LookupError):
            move(home.published, UNIT, QUARTER, SIGNED)
    home.publish(home.candidate())
    before = home.tree()
    with pytest.raises(NotAllowed, match="không khóa"):
        unlock(home.published, UNIT, QUARTER, SIGNED)
    with pytest.raises(NotAllowed, match="đang là bản hiện hành"):
        roll_back(home.published, UNIT, QUARTER, 1, SIGNED)
    with pytest.raises(LookupError, match="r7"):
        roll_back(home.published, UNIT, QUARTER, 7, SIGNED)
    with pytest.raises(ValueError, match="not an event"):
        lock(home.published, UNIT, QUARTER, Instruction(" "))
    with pytest.raises(ValueError, match="time zone"):
        lock(home.published, UNIT, QUARTER, Instruction("ký", at=dt.datetime(2023, 1, 1)))
    assert home.tree() == before
    lock(home.published, UNIT, QUARTER, SIGNED)
    with pytest.raises(NotAllowed, match="đã khóa ở bản r1"):
        lock(home.published, UNIT, QUARTER, SIGNED)


def _two_releases(home: Home) -> Path:
    home.publish(home.candidate())
    folder = home.candidate(**CHANGED)
    home.publish(folder, expected=1)
    return folder


def test_a_rollback_moves_the_pointer_alone_in_less_than_a_second(home: Home) -> None:
    _two_releases(home)
    before = _files_of_releases(home)
    started = time.process_time()
    roll_back(home.published, UNIT, QUARTER, 1, Instruction("r2 sai", at=SIGNED.at))
    assert time.process_time() - started < 1
    current = current_release(home.published, UNIT, QUARTER)
    assert current is not None
    assert current.number == 1
    assert _files_of_releases(home) == before
    index = json.loads((home.published / "index.json").read_bytes())
    assert index["releases"][0]["release"] == 1
    assert _pointer(home).withdrawn == [2]


def test_what_was_taken_back_does_not_come_again_by_itself_and_its_number_is_not_used_again(home: Home) -> None:
    withdrawn = _two_releases(home)
    roll_back(home.published, UNIT, QUARTER, 1, Instruction("r2 sai"))
    refused = home.publish(withdrawn, expected=1)
    assert isinstance(refused, Refused)
    assert "thu hồi" in refused.reasons[0]
    third = home.publish(home.candidate(changes={"I.04": {"value": Decimal(11)}}), expected=1)
    assert isinstance(third, Published)
    assert third.release.number == 3
    assert third.revision is not None
    assert (third.revision.previous, third.revision.release) == (1, 3)
    roll_back(home.published, UNIT, QUARTER, 2, Instruction("r2 vẫn đúng"))
    assert [(event.action, event.release) for event in _pointer(home).events] == [("rollback", 1), ("rollback", 2)]


def test_a_locked_quarter_is_not_rolled_back(home: Home) -> None:
    _two_releases(home)
    lock(home.published, UNIT, QUARTER, SIGNED)
    with pytest.raises(NotAllowed, match="mở khóa"):
        roll_back(home.published, UNIT, QUARTER, 1, Instruction("vì"))


def test_a_damaged_release_is_neither_signed_nor_gone_back_to(home: Home) -> None:
    _two_releases(home)
    for name in ("r1", "r2"):
        path = home.quarter_dir / name / "report" / "annex.csv"
        path.chmod(0o644)
        path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(DamagedManifest):
        roll_back(home.published, UNIT, QUARTER, 1, Instruction("vì"))
    with pytest.raises(DamagedManifest):
        lock(home.published, UNIT, QUARTER, SIGNED)


@pytest.mark.parametrize("damage", ['"action":"open"', '"action":7', '"by":"x","by":"y"'])
def test_a_meddled_event_makes_the_pointer_untrusted(locked: Home, damage: str) -> None:
    path = locked.quarter_dir / "current.json"
    path.write_bytes(path.read_bytes().replace(b'"action":"lock"', damage.encode()))
    with pytest.raises(DamagedPointer):
        read_pointer(locked.quarter_dir)


def test_two_releases_are_compared_from_what_they_hold(home: Home) -> None:
    _two_releases(home)
    first, second = (find_release(home.published, UNIT, QUARTER, number) for number in (1, 2))
    there, back = compare_releases(first, second, Lineage()), compare_releases(second, first, Lineage())
    assert [(f.old, f.new) for f in there.figures] == [("9", "10")]
    assert [(f.old, f.new) for f in back.figures] == [("10", "9")]
    written = from_csv((second.path / "quality" / "changes.csv").read_bytes())
    assert len(written) == len(there.changes)


def test_every_release_ever_published_is_there_to_verify(home: Home) -> None:
    _two_releases(home)
    assert [path.name for path in all_releases(home.published)] == ["r1", "r2"]
    (home.quarter_dir / "r1").rename(home.quarter_dir / "r5")
    assert [(path.name, bool(verify(path))) for path in all_releases(home.published)] == [
        ("r1", True),
        ("r2", False),
        ("r5", True),
    ]
    (home.quarter_dir / "current.json").write_text("{}")
    assert [path.name for path in all_releases(home.published)] == ["r2", "r5"]


def test_a_release_and_pointer_made_before_there_were_locks_are_still_read(home: Home) -> None:
    """What is written where nobody locked or amended is what the first version wrote: no new key."""
    home.publish(home.candidate())
    pointer = json.loads((home.quarter_dir / "current.json").read_bytes())
    assert set(pointer) == {"schema", "unit_code", "quarter", "release", "path", "manifest_sha256", "history"}
    manifest = json.loads((home.quarter_dir / "r1" / "manifest.json").read_bytes())
    assert "amendment" not in manifest
