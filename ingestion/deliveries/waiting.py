"""Files that were delivered and not taken in: never read yet, or not read because this program or its machine failed.

Belongs here: telling them from what the receipts know. Does not belong here: why a file was not taken in, which the
ingestion says when it tries (``landing``), and what comes of it (gate 1, ``status``).

Nothing is kept about them: where there was no room for a file there is none for a note on it. The landing folder itself
says what was sent, so that no sender is told to have sent nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import lru_cache
from pathlib import Path

from common.files import sha256_file
from ingestion.base.contracts import load_contracts
from ingestion.base.paths import IngestPaths
from ingestion.base.reference import ReferenceData
from ingestion.deliveries import ledger
from ingestion.deliveries.landing import LandingFile, LandingProblem, scan
from ingestion.deliveries.ledger import Receipt

#: Something lies there that may be a delivery. What is still being written, and a ``.done`` alone, is none yet.
_UNREAD = frozenset({"not_readable", "bad_name", "not_a_file", "same_name", "bad_done"})
_WHOLE_FOLDER = "(cả thư mục)"


def waiting_files(paths: IngestPaths, quarters: Collection[str], reference: ReferenceData) -> list[LandingFile]:
    """What lies in these quarters' folders, or was kept from there, and is not, under its name, the version that was
    read last; in order.

    A folder that cannot be looked into stands for a file of each source that may lie in it. Raises
    :class:`~ingestion.base.lake.DamagedError` where the table of deliveries cannot be read.
    """
    sources = load_contracts()
    files, problems = scan(
        paths,
        known_units=reference.unit_codes,
        known_quarters=set(reference.periods),
        known_sources=set(sources),
        quarters=quarters,
    )
    receipts = ledger.read_receipts(paths)
    last = ledger.last_versions(receipts.values())
    # A receipt alone is not enough: who was ended before the table followed from it left a file that counts nowhere.
    counted = {d["delivery_id"] for d in ledger.delivery_rows(paths, quarters=quarters, columns=["delivery_id"])}
    read = {path: receipts[one] for path, (one, _) in last.items() if receipts[one].outcome and one in counted}
    found = {f for f in files if f.quarter in quarters and not _is_read(f, read.get(ledger.path_of(*_place(f))))}
    for problem in problems:
        found |= {f for f in _behind(problem, paths.landing, quarters, sources) if f.quarter in quarters}
    waiting = {ledger.path_of(*_place(f)): f for f in found}
    # Kept, and taken out of the folder since: nobody has read it, so its rows count nowhere.
    for path in last.keys() - read.keys():
        unit, quarter, source, name = path.split("/")
        if quarter in quarters:
            waiting.setdefault(path, LandingFile(unit, quarter, source, name, paths.landing / path))
    return [waiting[path] for path in sorted(waiting)]


def _place(file: LandingFile) -> tuple[str, str, str, str]:
    return file.unit_code, file.quarter, file.source, file.file_name


def _is_read(file: LandingFile, last: Receipt | None) -> bool:
    """Whether what lies under the file's name is the content that was last read under it."""
    if last is None:
        return False
    try:
        state = file.path.stat()
        return last.sha256 == _sha256(file.path, state.st_ino, state.st_size, state.st_ctime_ns)
    except OSError:
        return False


@lru_cache(maxsize=1 << 20)
def _sha256(path: Path, number: int, size: int, changed: int) -> str:
    """The hash of a file; kept for as long as the process lives and nobody writes to the file.

    ``changed`` is the time of the last change of the inode, which a writer cannot put back as he can the file's.
    """
    return sha256_file(path)


def _behind(
    problem: LandingProblem, landing: Path, quarters: Collection[str], sources: Collection[str]
) -> Iterator[LandingFile]:
    parts = problem.path.split("/")
    path = landing / problem.path
    if problem.code not in _UNREAD or (problem.code == "not_a_file" and path.is_dir()):
        return
    if len(parts) == 4:
        yield LandingFile(parts[0], parts[1], parts[2], parts[3], path)
        return
    unit, *below = parts
    for quarter in below[:1] or quarters:
        for source in below[1:2] or sources:
            yield LandingFile(unit, quarter, source, _WHOLE_FOLDER, path)
