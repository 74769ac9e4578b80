"""The optional delivery log of a unit and quarter: which file replaces which, said by the office itself.

Belongs here: reading ``landing/<unit>/<quarter>/delivery_log.csv`` and remembering what it said. Does not belong here:
what a replacement does to deliveries (``ledger``). A log is itself a delivery: every version ever seen is kept, the
one that lies there now counts, whatever its time, and it goes on counting when it is taken out of the landing folder.
"""

from __future__ import annotations

import csv
import io
import os
import stat
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.files import PRIVATE, replace_durably, sealed_json, sha256_bytes, unsealed
from ingestion.base.limits import UnreadableFileError
from ingestion.base.paths import IngestPaths
from ingestion.deliveries.landing import LandingProblem
from ingestion.reading.csv_files import find_delimiter
from ingestion.reading.legacy_encodings import to_utf8
from ingestion.text.vietnamese import LabelIndex, clean

FILE_NAME = "delivery_log.csv"
_LARGEST = 1 << 20
_HEADINGS = {
    "source": ("source", "Nguồn", "Nguồn số liệu"),
    "file_name": ("file", "Tệp", "Tên tệp"),
    "replaces": ("replaces", "Thay thế", "Thay cho tệp", "Tệp bị thay thế"),
}


@dataclass(frozen=True, slots=True, order=True)
class Replacement:
    """The office says that one file of a folder takes the place of another of the same folder."""

    unit_code: str
    quarter: str
    source: str
    file_name: str
    replaces: str


@dataclass(frozen=True, slots=True)
class _Log:
    """One content of a log, and the numbers of the versions as which it was seen."""

    unit_code: str
    quarter: str
    sha256: str
    versions: tuple[int, ...]
    replacements: tuple[Replacement, ...]


def take_in(paths: IngestPaths, quarter: str, units: Collection[str], sources: Collection[str]) -> list[LandingProblem]:
    """Reads the logs that lie in the quarter's folders of the units and remembers them; returns what is wrong in them.

    A wrong line is passed over and said; it never holds back a delivery.
    """
    problems: list[LandingProblem] = []
    present = {path.name for path in paths.landing.glob("*")}
    for unit in sorted(present & set(units)):
        path = paths.landing / unit / quarter / FILE_NAME
        relative = f"{unit}/{quarter}/{FILE_NAME}"
        try:
            content = _content(path)
        except FileNotFoundError:
            continue
        except OSError:
            problems.append(LandingProblem(relative, "delivery_log", "Không mở được sổ giao nộp để đọc."))
            continue
        try:
            found, line_problems = _entries(content, unit, quarter, sources)
        except (UnreadableFileError, csv.Error) as error:
            problems.append(LandingProblem(relative, "delivery_log", f"Sổ giao nộp không đọc được: {error}"))
            continue
        problems += [LandingProblem(relative, "delivery_log", text) for text in line_problems]
        _remember(paths, unit, quarter, sha256_bytes(content), found)
    return problems


def is_log(path: str) -> bool:
    """Whether a path relative to the landing folder is where a delivery log lies."""
    parts = path.split("/")
    return len(parts) == 3 and parts[2] == FILE_NAME


def replacements(paths: IngestPaths) -> list[Replacement]:
    """What the current log of every unit and quarter says, in order."""
    return sorted(r for log in _latest(paths).values() for r in log.replacements)


def has_log(paths: IngestPaths, unit: str, quarter: str) -> bool:
    """Whether a log of the unit and quarter is remembered."""
    return (unit, quarter) in _latest(paths)


def _latest(paths: IngestPaths) -> dict[tuple[str, str], _Log]:
    """The log that counts, by unit and quarter."""
    latest: dict[tuple[str, str], _Log] = {}
    for file in _records(paths):
        if (log := _read(file)) is None:
            continue
        place = (log.unit_code, log.quarter)
        if place not in latest or log.versions[-1] > latest[place].versions[-1]:
            latest[place] = log
    return latest


def damaged_logs(paths: IngestPaths) -> list[tuple[Path, str, str]]:
    """Records of logs that are not what was written there, each with its unit and quarter, in order."""
    return [(file, *_place_of(file)) for file in _records(paths) if _read(file) is None]


def _records(paths: IngestPaths) -> list[Path]:
    return sorted(_folder(paths).glob("[!.]*.json"))


def _name(unit: str, quarter: str, sha256: str) -> str:
    return f"{unit}-{quarter}-{sha256[:16]}.json"


def _place_of(file: Path) -> tuple[str, str]:
    """Unit and quarter as the record's name has them."""
    unit, year, quarter, _ = file.stem.rsplit("-", 3)
    return unit, f"{year}-{quarter}"


def _read(file: Path) -> _Log | None:
    """What a record says; None where its seal or its name does not fit its content."""
    try:
        log = _log(unsealed(file.read_bytes()))
    except (ValueError, KeyError, TypeError, IsADirectoryError):
        return None
    return log if file.name == _name(log.unit_code, log.quarter, log.sha256) else None


def _folder(paths: IngestPaths) -> Path:
    return paths.ledger / "logs"


def _content(path: Path) -> bytes:
    """What the log says; ``OSError`` where it is no small plain file."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > _LARGEST:
            raise OSError(f"{path} is no small plain file")
        return file.read(_LARGEST)


def _entries(
    content: bytes, unit: str, quarter: str, sources: Collection[str]
) -> tuple[tuple[Replacement, ...], list[str]]:
    data = to_utf8(content)
    rows = [
        [clean(cell) for cell in row]
        for row in csv.reader(io.StringIO(str(data, "utf-8"), newline=""), delimiter=find_delimiter(data))
    ]
    if not any(any(row) for row in rows):
        return (), []
    places = _places(rows[0])
    if missing := sorted(set(_HEADINGS) - set(places)):
        wanted = ", ".join(f"“{_HEADINGS[name][1]}”" for name in missing)
        raise UnreadableFileError("bad_header", f"dòng đầu thiếu cột {wanted}.")
    found: set[Replacement] = set()
    problems: list[str] = []
    for number, row in enumerate(rows[1:], start=2):
        cells = {name: row[i] if i < len(row) else "" for name, i in places.items()}
        if not cells["replaces"]:
            continue  # the log may also list files that replace nothing
        problem = _problem(cells, sources)
        if problem:
            problems.append(f"Dòng {number}: {problem}")
        else:
            found.add(Replacement(unit, quarter, cells["source"], cells["file_name"], cells["replaces"]))
    return tuple(sorted(found)), problems


def _places(header: list[str]) -> dict[str, int]:
    index: LabelIndex[str] = LabelIndex()
    for name, labels in _HEADINGS.items():
        index.add_all(labels, name)
    return {name: i for i, label in reversed(list(enumerate(header))) for name in index.find(label)}


def _problem(cells: dict[str, str], sources: Collection[str]) -> str:
    if cells["source"] not in sources:
        return f"“{cells['source']}” không phải nguồn số liệu đã khai báo."
    if not cells["file_name"]:
        return "thiếu tên tệp thay thế."
    if cells["file_name"] == cells["replaces"]:
        return f"tệp “{cells['file_name']}” không thể thay thế chính nó."
    return ""


def _remember(paths: IngestPaths, unit: str, quarter: str, sha256: str, found: tuple[Replacement, ...]) -> None:
    latest = _latest(paths).get((unit, quarter))
    if latest is not None and latest.sha256 == sha256:
        return
    path = _folder(paths) / _name(unit, quarter, sha256)
    known = before.versions if path.exists() and (before := _read(path)) else ()
    content = {
        "unit_code": unit,
        "quarter": quarter,
        "sha256": sha256,
        "versions": [*known, latest.versions[-1] + 1 if latest else 1],
        "replacements": [[r.source, r.file_name, r.replaces] for r in found],
    }
    replace_durably(path, sealed_json(content), mode=PRIVATE)


def _log(data: dict[str, Any]) -> _Log:
    unit, quarter = data["unit_code"], data["quarter"]
    found = tuple(Replacement(unit, quarter, *entry) for entry in data["replacements"])
    # Homes that ordered logs by their files' times kept those; the last of them is the first version known here.
    return _Log(unit, quarter, data["sha256"], tuple(data.get("versions", [0])), found)
