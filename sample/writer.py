"""Writes the sample's deliveries into a landing folder.

Belongs here: paths, file formats, and the time of delivery of each file.
Does not belong here: what is in the files.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

from common.files import readable_json, sha256_bytes, sha256_file
from ingestion import load_contracts, text_of
from sample.cases import multiplied
from sample.closing import DECISIONS_FILE, decision_rows
from sample.communes import COMMUNE_QUARTERS, COMMUNE_WINDOWS, COMMUNES, StandingCommune, commune_rows
from sample.districts import CU_LAO_DUNG, District
from sample.layouts import OF_PROVINCE, layout_of, standing_commune_layout
from sample.places import district_named
from sample.provinces import StandingProvince, communes_of, province_files, province_named
from sample.quarters import ALL_WINDOWS, CLOSING, QUARTERS, Window
from sample.rows import DEFAULT_SEED, FileKey, Row, unmultiplied_rows
from sample.workbooks import Place, Sheet, csv_bytes, csv_layout, workbook_bytes

LARGEST_WORKBOOK = 50_000
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


def _refuse_foreign(landing_dir: Path, contents: dict[Path, bytes]) -> None:
    """Raises :class:`ForeignFiles` unless every file there was written by the sample, now or before, as it is."""
    before = _written(landing_dir)
    foreign = [
        name
        for path in sorted(landing_dir.rglob("*"))
        if not path.is_dir() and path != landing_dir / MARKER
        for name in [path.relative_to(landing_dir).as_posix()]
        if before.get(name) != (sha256 := sha256_file(path))
        and (path not in contents or sha256_bytes(contents[path]) != sha256)
    ]
    if foreign:
        raise ForeignFiles(foreign)


def write_sample(
    landing_dir: Path,
    quarters: Iterable[str] = QUARTERS,
    scale: int = 1,
    seed: int = DEFAULT_SEED,
    district: str = CU_LAO_DUNG.code,
    province: str = "",
) -> list[Path]:
    """Writes ``landing_dir/<unit>/<quarter>/<source>/<file>`` and returns the paths, in order of delivery.

    From 2025-Q3 on these are the files of the district's successors, or of all communes of ``province`` and its own, of
    which ``scale`` and ``district`` say nothing. Before, with ``province`` they are its own files alone. Where the
    district's last short period is among ``quarters``, its successors decide in their first about the case that it left
    and neither took.
    A file has the modification time of its invented delivery: from 8:00 on the day after closing, a minute apart.
    A file that is already there with the same bytes is left as it is. Files of more than 50,000 cases are CSV, not
    xlsx. The same arguments always write the same bytes. Raises ``KeyError`` for a quarter or district that the
    sample lacks and for a province without communes, ``ValueError`` for a scale below 1 or above 999, and
    :class:`ForeignFiles`, with nothing written, where the folder holds anything that the sample did not write.
    """
    if not 1 <= scale <= 999:
        raise ValueError(f"scale {scale} is not between 1 and 999")
    quarters = tuple(quarters)
    contents: dict[Path, bytes] = {}
    times_of: dict[Path, float] = {}
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
            path = landing_dir / unit / quarter / source / file_name
            contents[path] = _content(place, unit, quarter, source, path.suffix, rows, times)
            times_of[path] = first + 60 * minute
    _refuse_foreign(landing_dir, contents)
    for path, content in contents.items():
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        os.utime(path, (times_of[path], times_of[path]))
    hashes = {p.relative_to(landing_dir).as_posix(): sha256_bytes(c) for p, c in contents.items()}
    if hashes.items() - _written(landing_dir).items():
        (landing_dir / MARKER).write_bytes(readable_json(_written(landing_dir) | hashes))
    return list(contents)


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


def _content(place: Place, unit: str, quarter: str, source: str, suffix: str, rows: list[Row], scale: int) -> bytes:
    contract = load_contracts()[source]
    if suffix == ".txt":
        window = _window(quarter)
        return text_of(
            contract,
            [(row["section"], row["text"]) for row in rows],
            [place.committee, f"Từ ngày {window.opens_on:%d/%m/%Y} đến ngày {window.closes_on:%d/%m/%Y}"],
        )
    if isinstance(place, StandingProvince):
        sheet = Sheet(contract, OF_PROVINCE[source], place, place.committee, place.seat, _window(quarter))
        return workbook_bytes(sheet, rows)
    if isinstance(place, StandingCommune):
        layout = csv_layout(source, place) if suffix == ".csv" else standing_commune_layout(source)
        sheet = Sheet(contract, layout, place, place.committee, place.seat, _window(quarter))
        return csv_bytes(sheet, rows) if suffix == ".csv" else workbook_bytes(sheet, rows)
    communes = [commune.code for commune in place.communes]
    position = communes.index(unit) if unit in communes else None
    agency = place.committee if position is None else place.communes[position].committee
    seat = place.seat if position is None else place.communes[position].bare_name
    columns = {name for row in rows for name in row}
    layout = csv_layout(source, place) if suffix == ".csv" else layout_of(source, position, columns)
    sheet = Sheet(contract, layout, place, agency, seat, _window(quarter))
    if suffix == ".csv":
        return csv_bytes(sheet, rows, scale)
    return workbook_bytes(sheet, multiplied(rows, scale) if scale > 1 else rows)
