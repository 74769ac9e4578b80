"""Prints what ``requirements.lock`` says of the packages that the installed program needs, the developer's left out.

Belongs here: choosing lines of the lock. Does not belong here: resolving it (``make lock``).
A package is needed where ``pyproject.toml`` asks for it outside ``dev``, or where one that is needed brought it in.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_NAME = re.compile(r"[A-Za-z0-9._-]+")


def _name(requirement: str) -> str:
    found = _NAME.match(requirement)
    assert found, requirement
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def runtime_lock(lock: str, project: dict[str, object]) -> str:
    """The lock's blocks of the packages needed, as they stand."""
    # A package may have a block for each version of Python.
    blocks = [(_name(block), block) for block in re.findall(r"^[A-Za-z0-9].*\n(?:[ ].*\n)*", lock, re.MULTILINE)]
    brought_by: dict[str, set[str]] = {}
    for name, block in blocks:
        parents = re.findall(r"^    #(?: via)? +(\S+)", block, re.MULTILINE)
        brought_by.setdefault(name, set()).update(map(_name, parents))
    needed = {_name(requirement) for requirement in [*project["dependencies"], *project["optional-dependencies"]["pg"]]}
    while more := {name for name, parents in brought_by.items() if parents & needed} - needed:
        needed |= more
    return "".join(block for name, block in blocks if name in needed)


if __name__ == "__main__":
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    sys.stdout.write(runtime_lock((ROOT / "requirements.lock").read_text(encoding="utf-8"), document["project"]))
