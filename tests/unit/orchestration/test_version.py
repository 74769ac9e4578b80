"""What a release says of the code and the tools that made it changes with whatever may change a file of it."""

from __future__ import annotations

import ast
import shutil
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from orchestration import version
from orchestration.settings import PROJECT_DIR

#: What only checks, signs, connects or copies: no byte of a release's figures and documents is made by it.
NO_MAKERS = {
    "asn1crypto", "cchc-warehouse", "cryptography", "duckdb-engine", "psycopg", "pyhanko", "pyhanko-certvalidator",
    "pypdfium2", "sqlalchemy",
}  # fmt: skip


def _imported(room: str) -> set[str]:
    found: set[str] = set()
    for path in (PROJECT_DIR / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.split(".")[0])
    return found - sys.stdlib_module_names


def test_every_package_that_makes_figures_or_documents_is_named() -> None:
    distributions = packages_distributions()
    imported = set().union(*(_imported(room) for room in ("common", "ingestion", "expectations", "publication")))
    names = {name.lower().replace("_", "-") for module in imported for name in distributions[module]}
    assert names - NO_MAKERS == set(version.TOOLS) - {"dbt-core", "dbt-duckdb"}


def test_no_tool_is_missing_where_releases_are_made() -> None:
    assert "0" not in version.tool_versions().values()


SOURCES = sorted(
    path.relative_to(PROJECT_DIR).as_posix()
    for kind in ("*.py", "*.html.j2", "*.typ", "*.css", "*.js", "*.ttf", "*.yaml", "*.yml", "*.json", "*.csv")
    for path in [next(p for room in version.ROOMS for p in sorted((PROJECT_DIR / room).rglob(kind)))]
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for room in version.ROOMS:
        shutil.copytree(PROJECT_DIR / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(version, "PROJECT_DIR", tmp_path)
    return tmp_path


@pytest.mark.parametrize("source", SOURCES)
def test_whatever_a_release_is_made_of_is_in_the_version_of_the_code(project: Path, source: str) -> None:
    before = version.code_version.__wrapped__()
    (project / source).write_bytes((project / source).read_bytes() + b"\n")
    assert version.code_version.__wrapped__() != before


def test_what_only_people_read_and_what_python_keeps_is_not(project: Path) -> None:
    before = version.code_version.__wrapped__()
    (project / "ingestion" / "README.md").write_text("x")
    (project / "common" / "__pycache__").mkdir()
    (project / "common" / "__pycache__" / "files.pyc").write_bytes(b"x")
    assert version.code_version.__wrapped__() == before
