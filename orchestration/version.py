"""Which code made a release: the package's version and a hash of everything that can change a file of it.

Belongs here: what counts as such, code and tools. Does not belong here: whether a result stands by it (``standing``).
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version

from common.files import sha256_file
from orchestration.dbt import project_fingerprint
from orchestration.settings import PROJECT_DIR

ROOMS = ("common", "forms", "ingestion", "sample", "expectations", "publication", "orchestration")
#: What makes figures and the files that they are told in: what reads deliveries, reckons, judges and writes.
TOOLS = (
    "dbt-core", "dbt-duckdb", "duckdb", "ftfy", "great-expectations", "jinja2", "lxml", "markupsafe", "numpy",
    "olefile", "openpyxl", "pandas", "pyarrow", "pydantic", "pygal", "python-calamine", "python-docx", "pyyaml",
    "scipy", "typst", "xlrd", "xlsxwriter",
)  # fmt: skip


@lru_cache(maxsize=1)
def code_version() -> str:
    """``0.1.0+<12 hex digits>``; equal exactly when the rooms' code, declarations, templates, styles and fonts and the
    dbt project are equal. What is written for people who read the code is none of it.
    """
    digest = hashlib.sha256(project_fingerprint().encode())
    for room in ROOMS:
        files = (path for path in (PROJECT_DIR / room).rglob("*") if path.is_file())
        for path in sorted(p for p in files if p.parent.name != "__pycache__" and p.suffix not in (".md", ".pyc")):
            digest.update(f"{path.relative_to(PROJECT_DIR).as_posix()}\0{sha256_file(path)}\n".encode())
    return f"{_installed('cchc-warehouse')}+{digest.hexdigest()[:12]}"


def tool_versions() -> dict[str, str]:
    """Versions of the tools that make figures and documents, for the manifest."""
    return {name: _installed(name) for name in TOOLS}


def _installed(name: str) -> str:
    try:
        return installed_version(name)
    except PackageNotFoundError:
        return "0"
