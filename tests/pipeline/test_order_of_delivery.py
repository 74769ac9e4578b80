"""The same deliveries in two orders, with intakes in between, give identical marts through real dbt."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.conftest import QUARTER, UNIT
from tests.pipeline.test_changes import _district_cases, _first_open_case
from tests.support.workbooks import set_cell

Delivery = tuple[str, bytes, float]  # path in the landing folder, content, time of last change
HOUR = 3600.0


def _deliveries(landing: Path) -> list[Delivery]:
    """The sample, and what offices do to it: a correction, an export that overlaps, a copy, a log, a wrong folder."""
    found = [
        (str(p.relative_to(landing)), p.read_bytes(), p.stat().st_mtime)
        for p in sorted(landing.rglob("*"))
        if p.is_file()
    ]
    path = _district_cases(landing.parent)
    cases, first, moment = str(path.relative_to(landing)), path.read_bytes(), path.stat().st_mtime
    code, headings = _first_open_case(path)
    status = next(headings[h] for h in ("trạng thái", "trạng thái hồ sơ", "tình trạng") if h in headings)
    ended = next(headings[h] for h in ("ngày kết thúc xử lý", "ngày hoàn thành", "ngày xử lý xong") if h in headings)
    set_cell(path, code, status, "Đã xử lý xong")
    set_cell(path, code, ended, "14/03/2023 16:00:00")
    corrected = path.read_bytes()
    set_cell(path, code, ended, "13/03/2023 16:00:00")
    exported_again = path.read_bytes()
    folder = cases.rsplit("/", 1)[0]
    log = b"source,file,replaces\none_stop_cases,xuat-lai.xlsx,xuat-nham.xlsx\n"
    assert len({first, corrected, exported_again}) == 3
    return [
        *found,
        (cases, corrected, moment + HOUR),
        (f"{folder}/xuat-lai.xlsx", exported_again, moment + 2 * HOUR),
        (f"{folder}/xuat-nham.xlsx", first, moment + 3 * HOUR),
        (f"{folder}/ban-sao.xlsx", corrected, moment + 4 * HOUR),
        (f"31618/{QUARTER}/one_stop_cases/lac.xlsx", corrected, moment + HOUR),
        (f"{UNIT}/{QUARTER}/delivery_log.csv", log, moment + HOUR),
    ]


def _marts(home: Path) -> dict[str, str]:
    folder = home / "warehouse" / "build" / "marts"
    found = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.glob("*.parquet"))}
    assert len(found) > 5
    return found


def _deliver(home: Path, deliveries: list[Delivery], cli: Callable[..., Any]) -> None:
    """Lays the files down one by one, with an intake before any file is laid over, and a run at the end."""
    for path, content, moment in deliveries:
        target = home / "landing" / path
        if target.exists():
            assert cli(home, "ingest", QUARTER).code in (0, 1)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        os.utime(target, (moment, moment))
    result = cli(home, "run", QUARTER)
    assert result.code in (0, 1), result.stdout + result.stderr


@pytest.mark.long
def test_two_orders_of_the_same_deliveries_give_identical_marts(
    sample_landing: Path, tmp_path: Path, cli: Callable[..., Any]
) -> None:
    shutil.copytree(sample_landing, tmp_path / "source" / "landing")
    deliveries = _deliveries(tmp_path / "source" / "landing")
    shuffled = deliveries.copy()
    random.Random(7).shuffle(shuffled)
    corrections = [path for path, _, _ in shuffled].count(deliveries[-6][0])
    assert corrections == 2, "one file comes twice under its name"
    homes = [tmp_path / "in-order", tmp_path / "shuffled"]
    for home, order in zip(homes, (deliveries, shuffled), strict=True):
        _deliver(home, order, cli)
    assert _marts(homes[0]) == _marts(homes[1])
