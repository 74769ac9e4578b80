"""Every argument of every command: what cannot be asked is wrong use (2), said in one line, and never a failure (3)."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import typer

from orchestration.cli.app import app, run_app

BAD_QUARTERS = ["", "2023-Q5", "2023Q1", "1999-Q1", "2023-q1", "../..", "2023-Q1 ", "'", "٢٠٢٣-Q1", "x" * 5000]
BAD_UNITS = ["", "0", "99999", "../945", "945 ", "a'b", "x" * 5000]
BAD_INTS = ["0", "-1", "1.5", "x", "", "1e9"]
BAD_FILES = ["no-such-file.xlsx", "", ".", "a\nb", "x" * 5000, "dir/"]
QUARTERLY = ["run", "ingest", "build", "check", "publish", "status"]
STEERED = ["lock", "unlock", "rollback"]


def _cases() -> dict[str, list[str]]:
    found: list[list[str]] = []
    for quarter in BAD_QUARTERS:
        found += [[command, quarter] for command in QUARTERLY if quarter or command != "status"]
        found += [[c, quarter, "--unit", "945", "--reason", "r", *(["--to", "1"] if c == "rollback" else [])]
                  for c in STEERED]  # fmt: skip
        found += [["review", quarter, "--unit", "945"], ["attach", quarter, "a.csv", "--unit", "945"],
                  ["approve", quarter, "--unit", "945", "--by", "b", "--document", "d"]]  # fmt: skip
        found += [["diff", quarter], ["sample", "--quarter", quarter], ["explain", "1", "--unit", "945", "--quarter",
                  quarter], ["check-report", "a.docx", "--unit", "945", "--quarter", quarter]]  # fmt: skip
        if quarter:
            found += [["check-file", "org_units", "a.csv", "--quarter", quarter], ["template", "org_units", "--quarter",
                      quarter], ["history", "--quarter", quarter]]  # fmt: skip
    for unit in BAD_UNITS:
        found += [[command, "2023-Q1", "--unit", unit] for command in ("run", "ingest", "check", "publish", "diff")]
        found += [[c, "2023-Q1", "--unit", unit, "--reason", "r", *(["--to", "1"] if c == "rollback" else [])]
                  for c in STEERED]  # fmt: skip
        found += [["explain", "1", "--unit", unit, "--quarter", "2023-Q1"], ["check-report", "a.docx", "--unit", unit,
                  "--quarter", "2023-Q1"]]  # fmt: skip
        if unit:
            found += [["check-file", "org_units", "a.csv", "--unit", unit, "--quarter", "2023-Q1"],
                      ["template", "org_units", "--unit", unit, "--quarter", "2023-Q1"],
                      ["history", "--unit", unit]]  # fmt: skip
        found += [["review", "2023-Q1", "--unit", unit], ["attach", "2023-Q1", "a.csv", "--unit", unit],
                  ["approve", "2023-Q1", "--unit", unit, "--by", "b", "--document", "d"]]  # fmt: skip
    found += [["attach", "2023-Q1", "a.csv", "--unit", "945", "--release", number] for number in BAD_INTS]
    found += [["approve", "2023-Q1", "--unit", "945", "--by", "b", "--document", " "], ["approve", "2023-Q1", "--draft",
              "x"]]  # fmt: skip
    for number in BAD_INTS:
        found += [["sample", "--scale", number], ["diff", "2023-Q1", "--from", number], ["diff", "2023-Q1", "--to",
                  number], ["rollback", "2023-Q1", "--unit", "945", "--reason", "r", "--to", number],
                  ["explain", "1", "--unit", "945", "--quarter", "2023-Q1", "--release", number],
                  ["check-report", "a.docx", "--unit", "945", "--quarter", "2023-Q1", "--release", number]]  # fmt: skip
    found += [["history", "--last", number] for number in BAD_INTS]
    found += [["sample", "--scale", n] for n in ("10001", "13000", "9" * 30)]
    found += [["sample", "--seed", n] for n in ("-1", "x", "9" * 30)]
    for file in BAD_FILES:
        found += [["check-file", "org_units", file, "--unit", "945", "--quarter", "2023-Q1"],
                  ["check-report", file, "--unit", "945", "--quarter", "2023-Q1"]]  # fmt: skip
    for source in ("", "no_such_source", "../org_units", "x" * 5000):
        found += [["check-file", source, "a.csv"], ["template", source]]
    for out in (".", "no/such/folder/a.xlsx", "x" * 5000 + ".xlsx", "a.csv/b.xlsx"):
        found.append(["template", "org_units", "--out", out])
    for row in ("", "0", "9999", "IX.99", "'", "x" * 5000):
        found.append(["explain", row, "--unit", "945", "--quarter", "2023-Q1"])
    for basis in ("", "as-it-is", "AS-IS", "x" * 5000):
        found.append(["explain", "1", "--unit", "945", "--quarter", "2023-Q1", "--units", basis])
    found += [["purge", "--today", day] for day in ("x", "2026-13-01", "31/12/2026")]
    found += [["verify", "no/such/release"], ["verify", "a.csv"], ["verify", "x" * 5000]]
    found += [["lock", "2023-Q1", "--unit", "945", "--reason", " "], ["lock", "2023-Q1", "--unit", "945"]]
    found += [["run", "2023-Q1", "--amend"], ["run", "2023-Q1", "--reason", "r"], ["run", "2023-Q1", "--by", "b"],
              ["publish", "2023-Q1", "--amend", "--reason", "r"], ["run"], ["run", "a", "b"], ["no-such-command"],
              ["run", "2023-Q1", "--no-such-option"]]  # fmt: skip
    found += [
        ["run", "--from", "x"],
        ["run", "--from", "2022-Q4", "--to", "x"],
        ["run", "x", "--no-wait"],
        ["run", "x", "--full"],
    ]
    found += [["province", "2023-Q1"], ["province", "2023-Q9", "--unit", "94"], ["sample", "--province", "x"],
              *(["province", "2023-Q1", "--unit", unit] for unit in (*BAD_UNITS, "945", "92001"))]  # fmt: skip
    found += [["units"], ["units", "check", "no/such/folder"], ["units", "check", "dir"], ["units", "show", "x" * 5000],
              ["units", "show", "945", "--on", "x"]]  # fmt: skip
    found += [["watch", "--today", "x"], ["backup"], ["restore"], ["restore", "dir", "--snapshot"], ["rebuild", "x"]]
    return {" ".join(words)[:90] + f" #{n}": words for n, words in enumerate(found)}


CASES = _cases()


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CCHC_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text("x\n")
    Path("a.docx").write_text("x\n")
    Path("dir").mkdir()


def test_what_cannot_be_asked_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = []
    for name, words in CASES.items():
        code, told = run_app(words), capsys.readouterr().err
        if code != 2 or not told.strip():
            wrong.append((name, code, told.strip()[-160:]))
    assert not wrong
    assert not list(Path("home").rglob("*.xlsx")), "nothing was written"


def test_every_command_and_argument_stands_in_the_table() -> None:
    group: Any = typer.main.get_command(app)
    asked = {(words[0], word) for words in CASES.values() for word in words if word.startswith("--")}
    free = {"--json", "--verbose", "--help", "--candidate", "--csv", "--dry-run"}
    for name, command in group.commands.items():
        options = {o for p in command.params for o in p.opts if o.startswith("--")} - free
        missing = {o for o in options if (name, o) not in asked} - {"--by", "--amend", "--reason", "--out"}
        assert not missing, (name, missing)


@pytest.mark.parametrize(
    ("name", "value"),
    [("DUCKDB_THREADS", "0"), ("DUCKDB_MEMORY", "lots"), ("RETENTION_DAYS", "999999999"), ("INTAKE", '{"x": 1}')],
)
def test_a_wrong_setting_is_wrong_use_and_named(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(f"CCHC_{name}", value)
    assert run_app(["status"]) == 2
    assert f"CCHC_{name}" in capsys.readouterr().err


def test_a_home_that_is_no_folder_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    Path("home").write_text("x")
    assert [run_app(["run", "2023-Q1"]), run_app(["sample", "--quarter", "2023-Q1"])] == [2, 2]
    assert "không phải thư mục" in capsys.readouterr().err


def test_the_sample_is_not_written_over_deliveries_of_an_office(capsys: pytest.CaptureFixture[str]) -> None:
    own = Path("home/landing/945/2022-Q4/org_units/so-do.xlsx")
    own.parent.mkdir(parents=True)
    own.write_bytes(b"an office's own")
    assert run_app(["sample", "--quarter", "2023-Q1"]) == 2
    assert "945/2022-Q4/org_units/so-do.xlsx" in capsys.readouterr().err
    own.unlink()
    assert run_app(["sample", "--quarter", "2023-Q1"]) == 0
    assert run_app(["sample", "--quarter", "2022-Q4"]) == 0, "its own files are no reason"
    (file,) = Path("home/landing/945/2023-Q1/org_units").iterdir()
    file.write_bytes(b"mended by an office under the sample's name")
    assert run_app(["sample", "--quarter", "2023-Q1"]) == 2
    assert file.read_bytes().startswith(b"mended")


HOLDER = (
    "import sys, time\nfrom pathlib import Path\nfrom orchestration.locks import one_run_at_a_time\n"
    "with one_run_at_a_time(Path('home/.lock'), 'cchc run 2023-Q1', print):\n"
    "    print('held', flush=True)\n    time.sleep(float(sys.argv[1]))\n"
)
# Every command that changes a home, with how it ends in an empty one.
ALONE = {
    "ingest": (["ingest", "2023-Q1"], 1),
    "sample": (["sample", "--quarter", "2023-Q1"], 0),
    "purge": (["purge"], 0),
    "postgres": (["postgres"], 0),
}


@contextmanager
def held(seconds: float) -> Iterator[int]:
    """Another run in the home, for so long; yields its process id."""
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(seconds)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        yield other.pid
        other.kill()


@pytest.mark.parametrize("command", ALONE)
def test_a_command_waits_for_another_and_says_for_which(
    command: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CCHC_POSTGRES_URL", "postgresql://nobody@127.0.0.1:9/none")
    arguments, code = ALONE[command]
    with held(3) as pid:
        begun = time.monotonic()
        assert run_app(arguments) == code
        assert time.monotonic() - begun > 1
        assert f"cchc run 2023-Q1 (tiến trình {pid})" in capfd.readouterr().err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("command", ["ingest", "purge"])
def test_a_signal_ends_the_wait_with_one_line(command: str, number: signal.Signals, code: int) -> None:
    words = [sys.executable, "-m", "orchestration.cli", *ALONE[command][0]]
    with held(120), subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as waiting:
        assert waiting.stdout is not None
        assert waiting.stderr is not None
        assert "đang chờ" in waiting.stderr.readline()
        waiting.send_signal(number)
        assert waiting.wait(30) == code
        assert waiting.stderr.read() == f"cchc: đã dừng theo yêu cầu ({number.name})\n"
        assert waiting.stdout.read() == ""


def test_a_run_that_shall_not_wait_says_who_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    with held(120) as pid:
        assert run_app(["run", "2023-Q1", "--no-wait"]) == 1
    assert f"cchc run 2023-Q1 (tiến trình {pid})" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run"], "ít nhất một kỳ"),
        (["run", "--from", "2022-Q4"], "chưa có tệp nào"),
        (["run", "2023-Q1", "2023-Q9"], "2023-Q9"),
    ],
    ids=" ".join,
)
def test_a_run_of_no_known_quarter_is_refused(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_app(arguments) == 2
    assert words in capsys.readouterr().err


@pytest.mark.long
def test_a_warehouse_held_by_another_program_ends_the_run_and_the_program_is_named(
    published_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CCHC_WAREHOUSE_WAIT_SECONDS", "1")
    shutil.copytree(published_home, "home")
    code = (
        "import duckdb, time\nconnection = duckdb.connect('home/warehouse/warehouse.duckdb')\n"
        "print('held', flush=True)\ntime.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as other:
        try:
            assert other.stdout is not None
            assert other.stdout.readline() == "held\n"
            assert run_app(["build", "2023-Q1"]) == 1
            assert f"tiến trình {other.pid}" in capsys.readouterr().err
        finally:
            other.kill()
    assert run_app(["build", "2023-Q1"]) == 0
    assert "tiến trình" not in capsys.readouterr().err


_BEGINNING = """
import sys, time
class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == "orchestration.cli.app":
            print("here", flush=True)
            time.sleep(60)
sys.meta_path.insert(0, Slow())
"""
_ENDING = """
import atexit, sys, time
atexit.register(lambda: (print("here", flush=True), time.sleep(2)))
"""
_MAIN = """
sys.argv = ["cchc", "status", "2023-Q1"]
from orchestration.cli import main
main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name)
@pytest.mark.parametrize(("script", "cut_short"), [(_BEGINNING, True), (_ENDING, False)], ids=["beginning", "ending"])
def test_a_signal_before_and_after_the_work_says_nothing_and_one_after_it_changes_nothing(
    script: str, cut_short: bool, number: signal.Signals
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", script + _MAIN], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert any(line == "here\n" for line in process.stdout)
        process.send_signal(number)
        _, words = process.communicate(timeout=60)
    assert process.returncode == (-number if cut_short else 0)
    assert words == ""
