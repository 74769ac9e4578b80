"""A log with a chain: what is written stays, what is changed is named, and writers at once keep one chain."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from common.chained_log import START, BrokenChain, add_line, read_lines

ROOT = Path(__file__).parents[3]
_WRITER = """
import sys
from pathlib import Path
from common.chained_log import add_line
for turn in range(100):
    add_line(Path(sys.argv[1]), {"who": sys.argv[2], "turn": turn}, first={"who": "first"})
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "folder" / "log.jsonl"
    for number in range(6):
        add_line(path, {"số": number, "chữ": "Đã ghi\nhai dòng"})
    return path


def test_lines_come_back_in_order_each_with_the_hash_of_the_one_before(log: Path) -> None:
    lines = read_lines(log)
    assert [line["số"] for line in lines] == list(range(6))
    assert [line["previous"] for line in lines] == [START, *(line["entry_hash"] for line in lines[:-1])]
    assert log.stat().st_mode & 0o077 == 0


def test_writers_at_once_keep_one_chain_that_begins_once(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    writers = [subprocess.Popen([sys.executable, "-c", _WRITER, str(path), who], cwd=ROOT) for who in "abc"]
    assert [writer.wait() for writer in writers] == [0] * 3
    lines = read_lines(path)
    assert [line["who"] for line in lines].count("first") == 1
    assert lines[0]["who"] == "first"
    for who in "abc":
        assert [line["turn"] for line in lines if line["who"] == who] == list(range(100))


def _changed(line: bytes) -> bytes:
    return line.replace(b"ghi", b"xem")


@pytest.mark.parametrize(
    ("name", "damaged", "number"),
    [
        ("a line changed", lambda lines: [*lines[:2], _changed(lines[2]), *lines[3:]], 3),
        ("the last one changed", lambda lines: [*lines[:-1], _changed(lines[-1])], 6),
        ("a line taken out", lambda lines: [*lines[:2], *lines[3:]], 3),
        ("the first taken out", lambda lines: lines[1:], 1),
        ("two exchanged", lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], 2),
        ("one doubled", lambda lines: [*lines[:3], lines[2], *lines[3:]], 4),
        ("no JSON", lambda lines: [*lines[:4], b"xin ch\xe0o\n", *lines[4:]], 5),
        ("no object", lambda lines: [*lines[:4], b"[1]\n", *lines[4:]], 5),
        ("a blank line", lambda lines: [*lines[:1], b"\n", *lines[1:]], 2),
        ("another hash", lambda lines: [_rehashed(lines[0]), *lines[1:]], 2),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_first_line_that_does_not_fit_is_named(log: Path, name: str, damaged: object, number: int) -> None:
    lines = log.read_bytes().splitlines(keepends=True)
    assert callable(damaged)
    log.write_bytes(b"".join(damaged(lines)))
    with pytest.raises(BrokenChain) as broken:
        read_lines(log)
    assert broken.value.number == number, name
    assert f"dòng {number} " in str(broken.value)
    add_line(log, {"số": 6})  # what somebody broke does not end the writing
    with pytest.raises(BrokenChain) as broken:
        read_lines(log)
    assert broken.value.number == number


def _rehashed(line: bytes) -> bytes:
    """A line whose own hash is right, with other facts."""
    from common.files import canonical_json, sha256_bytes

    facts = {**json.loads(line), "số": 100}
    del facts["entry_hash"]
    return canonical_json({**facts, "entry_hash": sha256_bytes(canonical_json(facts))}) + b"\n"


@pytest.mark.parametrize("left", [1, 30, -1])
def test_what_a_power_cut_left_of_a_line_is_passed_over_then_taken_off(log: Path, left: int) -> None:
    whole = log.read_bytes()
    add_line(log, {"số": 6, "dài": "x" * 200_000})
    added = log.read_bytes()[len(whole) :]
    log.write_bytes(whole + added[:left])
    assert len(read_lines(log)) == 6
    add_line(log, {"số": 6})
    assert [line["số"] for line in read_lines(log)] == list(range(7))


def test_a_log_of_a_cut_line_alone_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"s')
    assert read_lines(path) == []
    add_line(path, {"số": 1})
    assert len(read_lines(path)) == 1
