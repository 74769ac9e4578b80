"""Which code made a release: the package's version and a hash of everything that can change a figure."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version

from common.files import sha256_file
from orchestration.dbt import project_fingerprint
from orchestration.settings import PROJECT_DIR

ROOMS = ("common", "forms", "ingestion", "sample", "expectations", "publication", "orchestration")
_CODE = {".py", ".yaml", ".yml", ".csv", ".json"}


@lru_cache(maxsize=1)
def code_version() -> str:
    """``0.1.0+<12 hex digits>``; equal exactly when the rooms' code, declarations and dbt project are equal."""
    digest = hashlib.sha256(project_fingerprint().encode())
    for room in ROOMS:
        for path in sorted(p for p in (PROJECT_DIR / room).rglob("*") if p.suffix in _CODE):
            digest.update(f"{path.relative_to(PROJECT_DIR).as_posix()}\0{sha256_file(path)}\n".encode())
    return f"{_installed('cchc-warehouse')}+{digest.hexdigest()[:12]}"


def tool_versions() -> dict[str, str]:
    """Versions of the tools that make figures, for the manifest."""
    return {name: _installed(name) for name in ("dbt-core", "dbt-duckdb", "duckdb", "great-expectations", "pyarrow")}


def _installed(name: str) -> str:
    try:
        return installed_version(name)
    except PackageNotFoundError:
        return "0"
