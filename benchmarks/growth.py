"""Measures how a home grows: the periods of one small district in turn, again and again, each time with a late file.

Belongs here: seconds a run and size by part after it, from the records that runs leave. Does not belong here:
assertions; that what is kept is bounded is tested with ``retention``.

``python -m benchmarks.growth [RUNS]`` (default 12, up to 40): whole commands one after another, in a home of their own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from sample.quarters import Window
from tests.support import worlds

ROOT = Path(__file__).resolve().parents[1]
_MOST = 40
_SHOWN = ("dagster", "warehouse", "raw", "landing", "outbox", "published", "logs")
_LATE = "Số phiếu,Hình thức,Ngày trả lời,Đánh giá chung\nMUON-{number},Phát phiếu,{day:%d/%m/%Y},Hài lòng\n"


def _deliver(landing: Path, seed: int) -> str:
    """Writes the deliveries of a small world; returns its district."""
    world = worlds.make_world(seed, *worlds.districts(most=3)[0])
    worlds.write_papers(landing, worlds.papers(world))
    return world.district.code


def _add_late_file(landing: Path, district: str, quarter: str, window: Window, number: int) -> None:
    path = landing / district / quarter / "survey_responses" / f"muon-{number}.csv"
    path.write_text(_LATE.format(number=number, day=window.closes_on), encoding="utf-8")


def _cchc(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CCHC_HOME": str(home)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-m", "orchestration.cli", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def _say(*cells: object) -> None:
    texts = (f"{cell:.1f}" if isinstance(cell, float) else str(cell) for cell in cells)
    sys.stdout.write("".join(f"{text:>14}" for text in texts) + "\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("runs", type=int, nargs="?", default=12)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if not 1 <= options.runs <= _MOST:
        parser.error(f"between 1 and {_MOST} runs")
    windows = worlds.WINDOWS
    with tempfile.TemporaryDirectory(prefix="growth-") as folder:
        home = Path(folder) / "home"
        district = _deliver(home / "landing", options.seed)
        _say("MiB after run", *_SHOWN, "seconds", "quarter", "outcome")
        for number in range(options.runs):
            quarter, window = list(windows.items())[number % len(windows)]
            if number >= len(windows):
                _add_late_file(home / "landing", district, quarter, window, number)
            done = _cchc(home, "run", quarter, "--json")
            (run,) = json.loads(_cchc(home, "history", "--last", "1", "--json").stdout)["runs"]
            sizes = (run["space"]["used"].get(part, 0) / 2**20 for part in _SHOWN)
            states = ", ".join(unit["state"] for unit in run["units"]) or "nothing"
            _say(number + 1, *sizes, run["seconds"], quarter, states)
            if done.returncode not in (0, 1):
                sys.exit(done.stderr or done.stdout)


if __name__ == "__main__":
    main()
