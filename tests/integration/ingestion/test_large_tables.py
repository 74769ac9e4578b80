"""Tables as long as a province's: page headers repeated to the end, and lengths at which a format may have cut rows."""

from __future__ import annotations

from typing import Any

import pytest

HEAD = ["Số phiếu", "Hình thức", "Ngày trả lời", "Đánh giá chung"]
ROWS = 200_000
PAGE = 40


def _answer(number: int) -> list[str]:
    return [f"P{number:06d}", "Phiếu giấy", "01/03/2023", "Hài lòng"]


def test_a_header_on_each_of_five_thousand_pages_is_never_a_row(home: Any) -> None:
    lines = []
    for first in range(0, ROWS, PAGE):
        lines += [HEAD, *(_answer(number) for number in range(first, first + PAGE))]
    home.csv("survey_responses", [*lines, ["Tổng cộng", f"{ROWS} phiếu"]])
    home.ingest()
    found = home.delivery("survey_responses")
    assert (found["outcome"], found["rows_read"], found["rows_accepted"]) == ("accepted", ROWS, ROWS)
    rows = home.rows("survey_responses")
    assert [row["form_number"] for row in rows[:: ROWS // 4]] == ["P000000", "P050000", "P100000", "P150000"]
    assert rows[-1]["_row"] == len(lines)


def test_one_bad_row_among_many_pages_is_named_by_its_line(home: Any) -> None:
    lines = []
    for first in range(0, 20_000, PAGE):
        lines += [HEAD, *(_answer(number) for number in range(first, first + PAGE))]
    lines[12_345] = ["P999999", "Phiếu giấy", "31/02/2023", "Hài lòng"]
    home.csv("survey_responses", lines)
    home.ingest()
    assert [(row, column) for row, column, _ in home.reasons("survey_responses")] == [(12_346, "responded_on")]


@pytest.mark.parametrize(
    ("lines", "total", "outcome"),
    [
        (65_535, False, "refused"),
        (65_536, False, "refused"),
        (65_534, False, "accepted"),
        (65_536, True, "accepted"),
    ],
)
def test_a_table_as_long_as_a_sheet_may_be_needs_proof_that_it_is_whole(
    home: Any, lines: int, total: bool, outcome: str
) -> None:
    rows = [HEAD, *(_answer(number) for number in range(lines - 1 - total))]
    home.csv("survey_responses", [*rows, *([[f"Tổng cộng: {len(rows) - 1} phiếu"]] if total else [])])
    home.ingest()
    found = home.delivery("survey_responses")
    assert found["outcome"] == outcome, found["message_vi"]
    if outcome == "refused":
        assert "bằng giới hạn của bảng tính" in found["message_vi"]
    else:
        assert found["rows_accepted"] == len(rows) - 1
