"""Writes the sample's deliveries into a landing folder.

Belongs here: paths, file formats, and the time of delivery of each file; how large files are divided, and their writing
by several processes. Does not belong here: what is in the files.

A file is made a block at a time and never held whole but for workbooks, which are small, so memory does not grow with
the scale; each file is one process's work from first byte to last, so its bytes do not depend on how many there are.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import multiprocessing
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from common.files import readable_json, sha256_file
from ingestion import load_contracts, text_of
from sample.cases import LARGEST_SCALE, multiplied
from sample.closing import DECISIONS_FILE, decision_rows
from sample.communes import COMMUNE_QUARTERS, COMMUNE_WINDOWS, COMMUNES, StandingCommune, commune_rows
from sample.districts import CU_LAO_DUNG, District
from sample.layouts import OF_PROVINCE, layout_of, standing_commune_layout
from sample.places import district_named
from sample.provinces import StandingProvince, communes_of, province_files, province_named
from sample.quarters import ALL_WINDOWS, CLOSING, QUARTERS, Window
from sample.rows import DEFAULT_SEED, FileKey, Row, unmultiplied_rows
from sample.workbooks import Place, Sheet, csv_blocks, csv_layout, workbook_bytes

LARGEST_WORKBOOK = 50_000
#: Cases in one CSV file: the systems' exports of more come in parts, and a clerk's machine opens such a part.
LARGEST_CSV = 500_000
#: From here on several processes are worth their start.
_MANY_CASES = 200_000
_TIME_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
_DELIVERED_AT = dt.time(8, 0)


#: Kept in the landing folder: the files that the sample wrote there, by path, and the hash of each.
MARKER = ".sample.json"


class ForeignFiles(Exception):
    """The landing folder holds files that are not the sample's own; ``files`` names them."""

    def __init__(self, files: list[str]) -> None:
        super().__init__(f"{len(files)} files are not the sample's own")
        self.files = files


def _written(landing_dir: Path) -> dict[str, str]:
    """What the sample wrote before, as the marker says."""
    path = landing_dir / MARKER
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


@dataclass(frozen=True)
class _File:
    """One file to be written: its path, the time of its delivery (seconds of the epoch), and what it is made from.

    ``times``: how often each case is delivered.
    """

    path: Path
    delivered_at: float
    place: Place
    rows: Sequence[Row]
    times: int

    def blocks(self) -> Iterator[bytes]:
        unit, quarter, source = self.path.parts[-4:-1]
        return _content(self.place, unit, quarter, source, self.path.suffix, list(self.rows), self.times)

    @property
    def unfinished(self) -> Path:
        """Where the file lies while it is written: no delivery yet, nor ever where the process is stopped."""
        return self.path.with_name(f".{self.path.name}.part")


def _refuse_foreign(landing_dir: Path, files: dict[Path, _File]) -> None:
    """Raises :class:`ForeignFiles` unless every file there was written by the sample, now or before, as it is."""
    before, unfinished = _written(landing_dir), {file.unfinished for file in files.values()}
    foreign = [
        name
        for path in sorted(landing_dir.rglob("*"))
        if not path.is_dir() and path != landing_dir / MARKER and path not in unfinished
        for name in [path.relative_to(landing_dir).as_posix()]
        if before.get(name) != (sha256 := sha256_file(path)) and (path not in files or _hash_of(files[path]) != sha256)
    ]
    if foreign:
        raise ForeignFiles(foreign)


def _hash_of(file: _File) -> str:
    found = hashlib.sha256()
    for block in file.blocks():
        found.update(block)
    return found.hexdigest()


def _write(file: _File) -> str:
    """Writes a file where it is not there yet as it is to be; returns the sha256 of its content."""
    if file.path.exists() and sha256_file(file.path) == (sha256 := _hash_of(file)):
        if file.path.stat().st_mtime != file.delivered_at:  # setting it would be a change, after which a run looks anew
            os.utime(file.path, (file.delivered_at, file.delivered_at))
        return sha256
    file.path.parent.mkdir(parents=True, exist_ok=True)
    found = hashlib.sha256()
    with file.unfinished.open("wb") as stream:
        for block in file.blocks():
            found.update(block)
            stream.write(block)
    file.unfinished.replace(file.path)
    os.utime(file.path, (file.delivered_at, file.delivered_at))
    return found.hexdigest()


def _write_all(files: Sequence[_File], processes: int) -> list[str]:
    """The hashes of the files, in their order. The largest are begun first, so that no process is left with one."""
    if processes == 1:
        return [_write(file) for file in files]
    order = sorted(range(len(files)), key=lambda n: -len(files[n].rows) * files[n].times)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        hashes = dict(zip(order, pool.map(_write, [files[n] for n in order]), strict=True))
    return [hashes[n] for n in range(len(files))]


def write_sample(
    landing_dir: Path,
    quarters: Iterable[str] = QUARTERS,
    scale: int = 1,
    seed: int = DEFAULT_SEED,
    district: str = CU_LAO_DUNG.code,
    province: str = "",
    processes: int | None = None,
) -> list[Path]:
    """Writes ``landing_dir/<unit>/<quarter>/<source>/<file>`` and returns the paths, in order of delivery.

    From 2025-Q3 on these are the files of the district's successors, or of all communes of ``province`` and its own, of
    which ``scale`` and ``district`` say nothing. Before, with ``province`` they are its own files alone. Where the
    district's last short period is among ``quarters``, its successors decide in their first about the case that it left
    and neither took.
    A file has the modification time of its invented delivery: from 8:00 on the day after closing, a minute apart.
    A file that is already there with the same bytes is left as it is. Files of more than 50,000 cases are CSV, not
    xlsx, and those of more than 500,000 come in numbered parts. The same arguments always write the same bytes.
    ``processes``: how many write at a time; without it as many as there are cores, where there is much to write.
    Raises ``KeyError`` for a quarter or district that the sample lacks and for a province without communes,
    ``ValueError`` for a scale below 1 or above 10,000 (a case code has seven digits for the day's serial), and
    :class:`ForeignFiles`, with nothing written, where the folder holds anything that the sample did not write.
    """
    if not 1 <= scale <= LARGEST_SCALE:
        raise ValueError(f"scale {scale} is not between 1 and {LARGEST_SCALE}")
    quarters = tuple(quarters)
    files: dict[Path, _File] = {}
    for quarter in quarters:
        delivered_on = _window(quarter).closes_on + dt.timedelta(days=1)
        first = dt.datetime.combine(delivered_on, _DELIVERED_AT, _TIME_ZONE).timestamp()
        for minute, (place, (unit, source, file_name), rows) in enumerate(
            _files(quarter, scale, seed, district, province, closed=CLOSING in quarters)
        ):
            multiplies = source == "one_stop_cases" and isinstance(place, District) and quarter != CLOSING
            times = scale if multiplies else 1
            if len(rows) * times > LARGEST_WORKBOOK:
                file_name = f"{Path(file_name).stem}.csv"
            folder = landing_dir / unit / quarter / source
            for name, part in _parts(file_name, rows, times):
                files[folder / name] = _File(folder / name, first + 60 * minute, place, part, times)
    _refuse_foreign(landing_dir, files)
    if processes is None:
        many = sum(len(file.rows) * file.times for file in files.values()) >= _MANY_CASES
        processes = (os.cpu_count() or 1) if many else 1
    written = _write_all(list(files.values()), processes)
    hashes = {p.relative_to(landing_dir).as_posix(): sha256 for p, sha256 in zip(files, written, strict=True)}
    if hashes.items() - _written(landing_dir).items():
        (landing_dir / MARKER).write_bytes(readable_json(_written(landing_dir) | hashes))
    return list(files)


def _parts(file_name: str, rows: Sequence[Row], times: int) -> Iterator[tuple[str, Sequence[Row]]]:
    """The files that one delivery is divided into, each with its rows: a case and its copies stay in one.

    The numbers have as many digits as the last one, so that the names stand in order.
    """
    most = max(1, LARGEST_CSV // times)
    if len(rows) <= most:
        yield file_name, rows
        return
    parts = [rows[start : start + most] for start in range(0, len(rows), most)]
    path = Path(file_name)
    for number, part in enumerate(parts, start=1):
        yield f"{path.stem}-{number:0{len(str(len(parts)))}}{path.suffix}", part


def _window(quarter: str) -> Window:
    return COMMUNE_WINDOWS[quarter] if quarter in COMMUNE_WINDOWS else ALL_WINDOWS[quarter]


def _files(
    quarter: str, scale: int, seed: int, district: str, province: str, *, closed: bool
) -> Iterator[tuple[Place, FileKey, list[Row]]]:
    if province:
        place = province_named(province, _window(quarter).closes_on)
        for (source, name), rows in province_files(province, quarter, _window(quarter), seed):
            yield place, (province, source, name), rows
    if quarter not in COMMUNE_WINDOWS:
        if province:  # its districts are written one by one
            return
        for key, rows in unmultiplied_rows(quarter, scale, seed, district).items():
            yield district_named(district), key, rows
        return
    for commune in communes_of(province, quarter) if province else COMMUNES.values():
        for key, rows in commune_rows(commune, quarter, seed).items():
            yield commune, key, rows
        if closed and quarter == COMMUNE_QUARTERS[0] and commune.code in COMMUNES:
            yield commune, (commune.code, *DECISIONS_FILE), decision_rows(commune, seed)


def _content(
    place: Place, unit: str, quarter: str, source: str, suffix: str, rows: list[Row], scale: int
) -> Iterator[bytes]:
    contract = load_contracts()[source]
    if suffix == ".txt":
        window = _window(quarter)
        yield text_of(
            contract,
            [(row["section"], row["text"]) for row in rows],
            [place.committee, f"Từ ngày {window.opens_on:%d/%m/%Y} đến ngày {window.closes_on:%d/%m/%Y}"],
        )
        return
    sheet = partial(Sheet, contract, place=place, window=_window(quarter))
    if isinstance(place, StandingProvince):
        yield workbook_bytes(sheet(layout=OF_PROVINCE[source], agency=place.committee, seat=place.seat), rows)
        return
    position = None if isinstance(place, StandingCommune) else _position(place, unit)
    if suffix == ".csv":
        layout = csv_layout(source, place)
    elif isinstance(place, StandingCommune):
        layout = standing_commune_layout(source)
    else:
        layout = layout_of(source, position, {name for row in rows for name in row})
    commune = None if isinstance(place, StandingCommune) or position is None else place.communes[position]
    agency = place.committee if commune is None else commune.committee
    seat = place.seat if commune is None else commune.bare_name
    drawn = sheet(layout=layout, agency=agency, seat=seat)
    if suffix == ".csv":
        yield from csv_blocks(drawn, rows, scale)
    else:
        yield workbook_bytes(drawn, multiplied(rows, scale) if scale > 1 else rows)


def _position(place: District, unit: str) -> int | None:
    """Which of the district's communes delivers; None where the district itself does."""
    communes = [commune.code for commune in place.communes]
    return communes.index(unit) if unit in communes else None
