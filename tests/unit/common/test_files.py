"""A file is replaced whole, whoever else replaces it, and whatever a killed process left."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from common.files import replace_durably, replacing

ROOT = Path(__file__).parents[3]
_WRITER = """
import sys
from pathlib import Path
from common.files import replace_durably
for turn in range(200):
    replace_durably(Path(sys.argv[1]), sys.argv[2].encode() * 50_000)
"""


def test_of_writers_that_race_each_leaves_a_whole_file_and_none_fails(tmp_path: Path) -> None:
    path = tmp_path / "file"
    command = [sys.executable, "-c", _WRITER, str(path)]
    writers = [subprocess.Popen([*command, letter], cwd=ROOT, stderr=subprocess.PIPE) for letter in "abc"]
    while any(writer.poll() is None for writer in writers):
        if path.exists():
            content = path.read_bytes()
            assert (len(content), len(set(content))) == (50_000, 1)
    assert [writer.communicate()[1] for writer in writers] == [b""] * 3
    assert [writer.returncode for writer in writers] == [0] * 3
    assert [found.name for found in tmp_path.iterdir()] == ["file"]


def test_what_a_killed_process_left_is_written_over(tmp_path: Path) -> None:
    (tmp_path / ".file.tmp").write_bytes(b"longer than what comes")
    replace_durably(tmp_path / "file", b"short")
    assert {found.name: found.read_bytes() for found in tmp_path.iterdir()} == {"file": b"short"}


def test_where_writing_fails_the_old_file_stays_and_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fails() -> None:
        with replacing(path) as stream:
            stream.write(b"new")
            raise OSError("disk full")

    with pytest.raises(OSError, match="full"):
        fails()
    assert {found.name: found.read_bytes() for found in tmp_path.iterdir()} == {"file": b"old"}
