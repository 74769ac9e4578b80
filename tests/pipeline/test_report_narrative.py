"""The letter's paragraphs through a whole run: a figure that is not printed holds back, and no other figure moves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.pipeline.conftest import QUARTER, UNIT, release_of


@pytest.mark.long
def test_a_wrong_code_is_held_back_with_its_line_and_the_figures_stay_byte_for_byte(
    home: Path, published_home: Path, run_json: Callable[..., tuple[int, dict[str, Any]]]
) -> None:
    path = home / "landing" / UNIT / QUARTER / "report_narrative" / "noi-dung-bao-cao.txt"
    lines = path.read_text(encoding="utf-8-sig").split("\n")
    number = lines.index("[II.2] Hạn chế") + 2
    lines[number - 1] = "Trong quý còn {III.99} hồ sơ."
    path.write_text("\n".join(lines), encoding="utf-8")
    code, units = run_json(home)
    assert (code, release_of(home)) == (1, None)
    (reason,) = units[UNIT]["reasons"]
    assert reason.startswith(f"Tệp noi-dung-bao-cao.txt, trang txt, dòng {number}: mục II.2, đoạn 1: mã III.99")

    before, after = (where / "warehouse" / "build" / "marts" for where in (published_home, home))
    written = {row["text_vi"] for row in pq.read_table(after / "report_narrative.parquet").to_pylist()}
    assert "Trong quý còn {III.99} hồ sơ." in written
    for mart in sorted(before.glob("*.parquet")):
        if mart.stem not in ("report_narrative", "delivery_log"):
            assert (after / mart.name).read_bytes() == mart.read_bytes(), mart.stem
