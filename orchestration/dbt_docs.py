"""dbt's documentation as one page that needs no server: ``python -m orchestration.dbt_docs FOLDER`` (``make docs``).

Belongs here: having dbt write it. Does not belong here: what it says (the models' yml).
It is of the project, not of a home's data: columns and their meanings, compiled SQL, tests and the graph.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from orchestration.dbt import run_apart

_PAGE = "static_index.html"


def write_docs(folder: Path) -> Path:
    """Writes the page into a folder and returns it; raises ``DbtError`` where dbt cannot make it."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="cchc-docs-") as work:
        run_apart(["docs", "generate", "--static", "--empty-catalog"], Path(work))
        return Path(shutil.copy(Path(work) / _PAGE, folder / "index.html"))


if __name__ == "__main__":
    sys.stdout.write(f"{write_docs(Path(sys.argv[1]))}\n")
