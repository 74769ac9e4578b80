"""``cchc explain --units as-is``: the lines that a person reads."""

from __future__ import annotations

import datetime as dt
from typing import Any

from common.units import registered
from orchestration.cli.passport import as_is_lines
from publication.content.units_as_is import passport_as_is

THEN = dt.date(2023, 3, 14)


def _lines(unit: str, then: dt.date, entries: list[tuple[int | None, str]]) -> list[str]:
    files = [{"unit_code": code} for code in ("31615", "31618", "945")]
    found: list[dict[str, Any]] = [{"file": file, "amount": amount} for file, amount in entries]
    passport = {"parts": [{"role": "value", "label_vi": "Hồ sơ", "files": found}]}
    return list(as_is_lines(passport_as_is(registered(), unit, then, passport, files)))


def test_a_figure_is_summed_by_unit_of_today_and_what_cannot_be_moved_says_why() -> None:
    head, own, part, moved, kept = _lines("945", THEN, [(0, "1200"), (1, "34"), (2, "5")])
    assert head == "Theo đơn vị hành chính hiện nay (thay đổi gần nhất trong danh mục: 01/07/2025):"
    assert own.startswith("  Đơn vị báo cáo không chuyển được: Huyện Cù Lao Dung kết thúc hoạt động")
    assert part == "  Số tính từ dữ liệu (Hồ sơ), theo đơn vị gửi tệp:"
    assert moved == "    Xã An Thạnh (31615): 1.234 = Thị trấn Cù Lao Dung 1.200 + Xã An Thạnh 1 34"
    assert kept.startswith("    Huyện Cù Lao Dung 5: không chuyển được")


def test_a_sum_that_lacks_rows_without_a_file_says_so() -> None:
    *_, moved, unnamed = _lines("945", THEN, [(0, "7"), (None, "3")])
    assert moved == "    Xã An Thạnh (31615): 7, chưa gồm phần không nêu tệp = Thị trấn Cù Lao Dung 7"
    assert unnamed.endswith(": 3")


def test_a_unit_that_goes_on_is_itself() -> None:
    found = _lines("31615", dt.date(2025, 9, 14), [(0, "7")])
    assert found[1] == "  Đơn vị báo cáo nay là Xã An Thạnh (31615)"
    assert found[3] == "    Xã An Thạnh (31615): 7 = Xã An Thạnh 7"
