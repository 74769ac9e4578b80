"""Changes the code in small ways and sees whether a test notices: ``mutants.py [GROUP …]``; ends with 1 if too few are.

Belongs here: which modules are changed, by which tests they are judged, the share that must be noticed. Does not belong
here: how code is changed; mutmut does it (https://mutmut.readthedocs.io). It works on a copy, ``build/mutants/tree``.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TREE = ROOT / "build" / "mutants" / "tree"
LEAST_NOTICED = 0.85
_NOTICED = frozenset({"killed", "timeout"})


@dataclass(frozen=True)
class Group:
    """Modules that decide what is published, and the tests that answer for them."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]


_EXPECTATIONS, _PUBLICATION = "tests/integration/expectations", "tests/integration/publication"
_INGESTION, _ORCHESTRATION = "tests/integration/ingestion", "tests/integration/orchestration"
GROUPS = {
    "decisions": Group(
        ("expectations/decisions.py",),
        ("tests/unit/expectations", f"{_EXPECTATIONS}/test_decisions_at_the_gate.py"),
    ),
    "gates": Group(
        ("expectations/verdicts.py", "expectations/gate.py"),
        (
            "tests/unit/expectations",
            f"{_EXPECTATIONS}/test_gate_never_passes_by_accident.py",
            f"{_EXPECTATIONS}/test_decisions_at_the_gate.py",
        ),
    ),
    "publication": Group(
        ("publication/release.py", "publication/store/pointer.py", "publication/store/candidate.py"),
        (
            "tests/unit/publication/test_candidate.py",
            f"{_PUBLICATION}/test_publish.py",
            f"{_PUBLICATION}/test_steering.py",
            f"{_PUBLICATION}/test_mending.py",
            f"{_PUBLICATION}/test_ways_round_the_gate.py",
        ),
    ),
    "order": Group(
        ("ingestion/deliveries/ledger.py", "ingestion/deliveries/delivery_log.py"),
        (
            f"{_INGESTION}/test_order_of_versions.py",
            f"{_INGESTION}/test_versions.py",
            f"{_INGESTION}/test_deliveries.py",
            f"{_INGESTION}/test_landing_states.py",
        ),
    ),
    "sensors": Group(
        ("orchestration/sensors.py", "orchestration/schedules.py", "orchestration/partitions.py"),
        (
            "tests/unit/orchestration/test_periods.py",
            f"{_ORCHESTRATION}/test_landing_watch.py",
            f"{_ORCHESTRATION}/test_alerts.py",
        ),
    ),
}


def _copy_tracked() -> list[str]:
    """Copies what git knows of; returns the names at the top."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    if TREE.exists():
        shutil.rmtree(TREE)
    for name in filter(None, listed.split("\0")):
        target = TREE / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
    return sorted(path.name for path in TREE.iterdir())


def _quoted(names: list[str]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"


def statuses(group: Group) -> Counter[str]:
    """How many changes ended how; prints each that no test noticed, as a difference."""
    top = _copy_tracked()
    settings = tomllib.loads((TREE / "pyproject.toml").read_text(encoding="utf-8"))
    rooms = settings["tool"]["importlinter"]["root_packages"]
    with (TREE / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(
            f"\n[tool.mutmut]\nsource_paths = {_quoted(rooms)}\nonly_mutate = {_quoted(list(group.modules))}\n"
            f"also_copy = {_quoted([name for name in top if name not in rooms])}\n"
            'pytest_add_cli_args = ["-p", "no:cacheprovider", "-m", "not long"]\n'
            f"pytest_add_cli_args_test_selection = {_quoted(list(group.tests))}\n"
        )
    mutmut = [sys.executable, "-m", "mutmut"]
    subprocess.run([*mutmut, "run"], cwd=TREE, check=True)
    listed = subprocess.run([*mutmut, "results", "--all", "true"], cwd=TREE, capture_output=True, text=True, check=True)
    found = [line.strip().rsplit(": ", 1) for line in listed.stdout.splitlines() if ": " in line]
    for name, status in found:
        if status not in _NOTICED:
            subprocess.run([*mutmut, "show", name], cwd=TREE, check=True)
    return Counter(status for _, status in found)


def main() -> int:
    asked = sys.argv[1:] or list(GROUPS)
    lines, is_enough = [], True
    for name in asked:
        ended = statuses(GROUPS[name])
        noticed, of = sum(ended[status] for status in _NOTICED), ended.total()
        is_enough &= noticed >= LEAST_NOTICED * of > 0
        lines.append(f"{name}: {noticed} of {of} changes noticed ({noticed / max(of, 1):.0%}); {dict(ended)}")
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if is_enough else 1


if __name__ == "__main__":
    sys.exit(main())
