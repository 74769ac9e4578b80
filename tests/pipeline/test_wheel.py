"""The wheel is the whole program: with no checkout beside it, it goes from deliveries to a verified release."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from dataclasses import dataclass
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from orchestration.version import ROOMS, code_version
from tests.pipeline.conftest import QUARTER, UNIT

ROOT = Path(__file__).parents[2]


def said(command: list[str | Path], cwd: Path, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what git knows or would take: a build in the checkout would find what earlier builds left there."""
    if not (ROOT / ".git").exists():
        pytest.skip("needs a git checkout, for the list of its files")
    copy = tmp_path_factory.mktemp("sources")
    listed = said(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], ROOT)
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, copy / name)
    return copy


@pytest.fixture(scope="module")
def wheel(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    # Built from a second copy: what a build leaves is no source.
    built_from = shutil.copytree(sources, folder / "sources")
    said([*pip, "-w", folder, "."], built_from)
    (made,) = folder.glob("*.whl")
    return made


def test_it_carries_every_file_of_every_room_and_nothing_else(wheel: Path, sources: Path) -> None:
    rooms = [path for room in (*ROOMS, "dbt_project") for path in (sources / room).rglob("*") if path.is_file()]
    expected = {path.relative_to(sources).as_posix() for path in rooms} | {"workspace.yaml"}
    with zipfile.ZipFile(wheel) as archive:
        assert {name for name in archive.namelist() if ".dist-info/" not in name} == expected


def test_the_locked_requirements_of_a_host_are_what_the_wheel_asks_for_and_what_that_brings() -> None:
    """By what the installed packages say of themselves; the lock also names some for other systems."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    waiting = [Requirement(text) for text in [*project["dependencies"], *project["optional-dependencies"]["pg"]]]
    asked: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        one = waiting.pop()
        if (key := (canonicalize_name(one.name), frozenset(one.extras))) not in asked:
            asked.add(key)
            brought = [Requirement(text) for text in requires(one.name) or []]
            extras = [*one.extras, ""]
            waiting += [r for r in brought if not r.marker or any(r.marker.evaluate({"extra": e}) for e in extras)]
    printed = said([sys.executable, ".ci/runtime_lock.py"], ROOT)
    locked = {canonicalize_name(name) for name in re.findall(r"^([\w.-]+)(?:\[.*\])?==", printed, re.MULTILINE)}
    assert {name for name, _ in asked} <= locked
    assert not locked & {"pytest", "ruff", "mypy", "selenium", "hypothesis"}
    assert len(re.findall("^[a-z]", printed, re.MULTILINE)) <= printed.count("--hash=")


@dataclass(frozen=True)
class Installed:
    """A virtual environment with the wheel in it, and an empty folder to work in."""

    folder: Path
    packages: Path
    work: Path

    def run(self, program: str, *arguments: str) -> str:
        """A program of the environment, with nothing said about homes, settings or where code lies."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("CCHC_", "DAGSTER_", "PYTHON"))}
        environment["HOME"] = str(self.work / "nobody")  # where nothing can be written
        return said([self.folder / "bin" / program, *arguments], self.work, environment)

    def files(self) -> set[str]:
        found = (path for path in self.packages.rglob("*") if path.is_file() and path.parent.name != "__pycache__")
        return {path.relative_to(self.packages).as_posix() for path in found}


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder, work = tmp_path_factory.mktemp("installed"), tmp_path_factory.mktemp("anywhere")
    said([sys.executable, "-m", "venv", "--without-pip", folder], work)
    pip = [sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "install", "--quiet"]
    said([*pip, "--no-index", "--no-deps", wheel], work)
    packages = folder / Path(sysconfig.get_path("purelib")).relative_to(sys.prefix)
    # The locked packages are those of this environment; its link to the checkout is not followed from a .pth file.
    (packages / "locked.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    (work / "nobody").touch()
    return Installed(folder, packages, work)


@pytest.mark.long
def test_installed_it_reads_a_delivery_and_parses_its_models(installed: Installed) -> None:
    """Each thing that is data beside the code is found: contracts, registers, forms, dbt's project, the workspace."""
    asked = "import orchestration, orchestration.version as v; print(orchestration.__file__, v.code_version())"
    where, version = installed.run("python", "-c", asked).split()
    assert Path(where) == installed.packages / "orchestration" / "__init__.py"
    assert version == code_version()

    before = installed.files()
    installed.run("cchc", "sample", "--quarter", QUARTER)
    (delivery,) = (installed.work / "data" / "landing" / UNIT / QUARTER / "survey_responses").iterdir()
    assert json.loads(installed.run("cchc", "check-file", "survey_responses", str(delivery), "--json"))["rows_accepted"]
    loaded = "from orchestration.definitions import defs; print(len(list(defs.resolve_all_asset_specs())))"
    assert int(installed.run("python", "-c", loaded)) > 50
    assert installed.files() == before, "what is asked of it is written to its home alone"


@pytest.mark.long
def test_from_an_empty_folder_to_a_verified_release(installed: Installed) -> None:
    before = installed.files()
    version = installed.run("python", "-c", "import orchestration.version as v; print(v.code_version())").strip()
    installed.run("cchc", "sample", "--quarter", QUARTER)
    answer = json.loads(installed.run("cchc", "run", QUARTER, "--json"))
    release = installed.work / "data" / "published" / UNIT / QUARTER / "r1"
    assert [(unit["unit_code"], unit["release"]) for unit in answer["units"]] == [(UNIT, str(release))]
    assert QUARTER in installed.run("cchc", "status", QUARTER)
    installed.run("cchc", "verify", str(release))
    assert json.loads((release / "manifest.json").read_bytes())["code_version"] == version
    assert (release / "report" / "report.pdf").read_bytes().startswith(b"%PDF")
    assert installed.files() == before, "a run writes to its home alone"
    assert {path.name for path in installed.work.iterdir()} == {"data", "nobody"}
