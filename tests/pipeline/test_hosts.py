"""Hosts in a bad state: folders that are full or may not be written to, a clock set back, nobody else's umask.

Where a run cannot go on it says why and leaves what was published as it was; when the host is well again, the same
command finishes the work. Folders are mounted in a name space of the test's own; where a host grants none, those tests
are skipped with that reason.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.settings import PROJECT_DIR
from tests.conftest import run_cli
from tests.pipeline.conftest import QUARTER, correct, release_of
from tests.support.read_release import file_hashes

_FOLDERS = ("", "landing", "raw", "warehouse", "published", "outbox", "dagster", "logs")
#: A folder of the home ("": all of it), and its state: half of what it comes to hold in a whole run, or closed.
CASES = [
    pytest.param(folder, state, id=f"{folder or 'home'}-{state}")
    for folder in _FOLDERS
    for state in ("0.5", "closed")
    if (folder, state) != ("landing", "0.5")  # deliveries that are not all there: another test's matter
]

#: Each is two whole runs. What a full disk and a closed folder do to intake, gate and records: integration tests.
pytestmark = pytest.mark.long

_RUN = (sys.executable, "-m", "orchestration.cli", "run", QUARTER)


@pytest.fixture(scope="module")
def may_mount(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("mount")
    tried = _in_own_name_space(f"mount -t tmpfs none {folder}")
    if tried.returncode:
        pytest.skip(f"this host grants no mounts: {tried.stderr.strip()}")


def _in_own_name_space(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "bash", "-eu", "-c", script],
        cwd=PROJECT_DIR,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def _size(folder: Path) -> int:
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*"))


def _broken_then_well(folder: Path, state: str, size: int) -> tuple[str, str]:
    """Shell lines that bring the folder into its bad state, and that make it well again; it keeps what it holds."""
    where = shlex.quote(str(folder))
    if state == "closed":
        return f"mount --bind {where} {where}; mount -o remount,ro,bind {where}", f"mount -o remount,rw,bind {where}"
    kept = shlex.quote(f"{folder}.kept")
    bad = f"cp -a {where} {kept}; mount -t tmpfs -o size={max(4096, int(size * float(state)))} none {where}; "
    return bad + f"cp -a {kept}/. {where}/ || true", f"mount -o remount,size=1G {where}; cp -a {kept}/. {where}/"


@pytest.mark.usefixtures("may_mount")
@pytest.mark.parametrize(("folder", "state"), CASES)
def test_a_folder_that_takes_nothing_ends_the_run_and_loses_nothing(
    folder: str, state: str, published_home: Path, sample_landing: Path, tmp_path: Path
) -> None:
    home, answers, after = tmp_path / "home", tmp_path / "answers", tmp_path / "after"
    shutil.copytree(sample_landing, home / "landing")
    answers.mkdir()
    (home / folder).mkdir(exist_ok=True)
    landing = _size(home / "landing") if not folder else 0
    bad, well = _broken_then_well(home / folder, state, landing + _size(published_home / folder) - landing)
    run = shlex.join(_RUN)
    script = f"""
        {bad}
        code=0; {run} >{answers}/out 2>{answers}/err || code=$?; echo $code >{answers}/code
        {well}
        code=0; {run} >{answers}/out2 2>{answers}/err2 || code=$?; echo $code >{answers}/code2
        mkdir {after}; cp -a {home}/. {after}/
    """
    done = _in_own_name_space(script, CCHC_HOME=str(home))
    assert done.returncode == 0, done.stderr
    said = {path.name: path.read_text(encoding="utf-8") for path in answers.iterdir()}
    assert "Traceback" not in said["out"] + said["err"], said
    assert said["code"].strip() in ("0", "3"), said
    if said["code"].strip() == "3":
        # What is named is the cause and what to do, by a line for whoever reads the answer.
        words = said["out"] + said["err"]
        assert "rồi chạy lại" in words, said
        assert ("không có quyền ghi" if state == "closed" else "hết chỗ trống") in words, said
    assert said["code2"].strip() == "0", said
    first, again = release_of(published_home), release_of(after)
    assert first is not None
    assert again is not None
    assert again.name == "r1"
    assert file_hashes(again) == file_hashes(first)
    assert run_cli(after, "verify").code == 0


def test_no_figure_depends_on_a_clock_set_back_or_on_the_umask(published_home: Path, tmp_path: Path) -> None:
    usual, strange = tmp_path / "usual", tmp_path / "xã An Thạnh 1"
    for home in (usual, strange):
        shutil.copytree(published_home, home)
        correct(home)
    assert run_cli(usual, "run", QUARTER).code == 0
    command = shlex.join(("faketime", "-f", "-1h", *_RUN))
    done = subprocess.run(
        ["bash", "-c", f"umask 077; {command}"],
        cwd=PROJECT_DIR,
        env={**os.environ, "CCHC_HOME": str(strange), "TZ": "Pacific/Kiritimati"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    expected, found = release_of(usual), release_of(strange)
    assert expected is not None
    assert found is not None
    assert expected.name == found.name == "r2"
    assert file_hashes(found) == file_hashes(expected)
    assert run_cli(strange, "verify").code == 0
