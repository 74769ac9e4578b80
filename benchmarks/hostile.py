"""Measures what refusing each hostile or broken file of the corpus costs: seconds, and memory of the reading process.

Belongs here: figures, with the limits as they are by default. Does not belong here: assertions; that each file is
refused, and with which code, is tested with the corpus. Each file gets a reading process of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from ingestion.base.contracts import load_contracts
from ingestion.base.reference import ReferenceData
from ingestion.reading.sandbox import shared_sandbox
from ingestion.rows.intake import read_delivery
from ingestion.rows.outcome import FileIdentity
from ingestion.rows.resolve import Context, ProcedureRegistry, UnitRegistry
from tests.corpus.files import corpus
from tests.corpus.tables import SOURCE

ROOT = Path(__file__).resolve().parents[1]
_LOOK_SECONDS = 0.002


@dataclass(frozen=True)
class Cost:
    """One file: what it was refused as, and what that cost. ``mib`` is 0 where no reading process was needed."""

    name: str
    code: str
    seconds: float
    mib: float


class _Watch(threading.Thread):
    """Notes the largest resident size that a reading process of this process ever had."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.mib = 0.0
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            self.look()

    def look(self) -> None:
        """The reading process and the one it forks for each file: the larger of the two."""
        pid = shared_sandbox().child_pid
        if pid is None:
            return
        with contextlib.suppress(OSError):  # it has just ended
            forked = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
            for process in (str(pid), *forked):
                status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
                peak = next((line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")), "0")
                self.mib = max(self.mib, int(peak) / 1024)

    def ended(self) -> float:
        self.look()
        self._over.set()
        self.join()
        return self.mib


def _context() -> Context:
    reference = ReferenceData.load(ROOT / "dbt_project" / "seeds")
    period = reference.periods["2023-Q1"]
    district = reference.unit("945", period.closes_on)
    assert district is not None
    return Context(period, district, UnitRegistry(district, [], []), ProcedureRegistry([]), (), b"k" * 32)


def _cost(number: int) -> Cost:
    file, context = corpus()[number], _context()
    with tempfile.TemporaryDirectory(prefix="cchc-hostile-") as folder:
        path = Path(folder) / f"a{file.suffix}"
        file.write(path)
        watch = _Watch()
        watch.start()
        started = time.perf_counter()
        identity = FileIdentity("d", SOURCE, "945", "2023-Q1", path.name, "0" * 64)
        intake = read_delivery(path, file.suffix, identity, load_contracts()[SOURCE], context)
        seconds = time.perf_counter() - started
        mib = watch.ended()
    shared_sandbox().close()
    return Cost(file.name, intake.refusal, seconds, mib)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--all", action="store_true", help="also the files that are taken")
    options = parser.parse_args()
    wanted = [n for n, file in enumerate(corpus()) if options.all or file.expected.refused]
    # A process a file: none inherits the reading process, or the memory, of another.
    with multiprocessing.get_context("fork").Pool(max(1, (os.cpu_count() or 1) // 2), maxtasksperchild=1) as pool:
        costs = pool.map(_cost, wanted, chunksize=1)
    lines = ["| file | refused as | s | MiB of the reading process |", "| --- | --- | --- | --- |"]
    lines += [f"| {c.name} | {c.code} | {c.seconds:.2f} | {c.mib:.0f} |" for c in costs]
    refused = [c for c in costs if c.code]
    lines += [
        "",
        f"{len(refused)} files refused: median {statistics.median(c.seconds for c in refused):.2f} s, "
        f"most {max(c.seconds for c in refused):.2f} s; most memory {max(c.mib for c in refused):.0f} MiB.",
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
