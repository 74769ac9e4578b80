"""What people wrote for the letter, at the gates: it need not be there, and what it quotes must be printed.

All paragraphs go through gate 2 in one run, each in a unit of its own.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from expectations import explain_vi
from expectations.gate import Database
from expectations.inspection import inspect_marts, inspect_raw
from expectations.verdicts import Verdict

if TYPE_CHECKING:
    from conftest import Candidate, Lake

PLACE = "Tệp noi-dung.txt, trang txt, dòng 12: mục II.2, đoạn 1:"
NOT_PRINTED: dict[str, Any] = {"value": None, "value_text": None}
# Paragraph and what the form's row III.24 then holds; the figures of all other rows are printed.
SOUND: list[tuple[str, dict[str, Any]]] = [
    ("Không có số.", {}),
    ("Giải quyết {III.24} hồ sơ, tiếp nhận {III.23}; {III.24} đã trả.", {}),
    ("(Tỷ lệ {I.02}%).", NOT_PRINTED),
    ("{III.24}", {"value": Decimal(0)}),
    ("{III.24}", {"value": None, "value_text": "Có"}),
]
WITHOUT_FIGURE: list[tuple[str, dict[str, Any], str]] = [
    ("Giải quyết {III.99} hồ sơ.", {}, "III.99"),
    ("Kế hoạch {X.01}.", {}, "X.01"),
    ("Giải quyết {III.24} hồ sơ.", NOT_PRINTED, "III.24"),
    ("{III.23}, {III.24} hồ sơ.", {"value": None, "value_text": ""}, "III.24"),
]
MALFORMED = ["{III.24", "III.24}", "{ III.24 }", "{iii.24}", "{III.4}", "{AUX.01}", "{}", "{{III.24}}", "{III.24|x}"]


def _changed(text: str, row: dict[str, Any]) -> Any:
    def change(candidate: Candidate) -> None:
        candidate.marts["report_narrative"][0]["text_vi"] = text
        candidate.row("III.24").update(row)

    return change


def _decided(candidate: Candidate) -> None:
    candidate.marts["report_narrative"][0]["text_vi"] = "{III.99}"
    candidate.decide("QD-01", "rule", "letter.placeholders_have_figures", "accept_finding", "covers_findings")


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory, worlds: Any) -> dict[str, Verdict]:
    world = worlds.candidates(tmp_path_factory.mktemp("letters"))
    for i, (text, row) in enumerate(SOUND):
        world.add(f"sound-{i}", _changed(text, row))
    for i, (text, row, _) in enumerate(WITHOUT_FIGURE):
        world.add(f"figure-{i}", _changed(text, row))
    for i, text in enumerate(MALFORMED):
        world.add(f"malformed-{i}", _changed(f"Giải quyết {text} hồ sơ.", {}))
    world.add("decided", _decided)
    world.add("unwritten", lambda candidate: candidate.marts["report_narrative"].clear())
    return {verdict.unit_code: verdict for verdict in inspect_marts(world.request(), Database)}


def lines(verdict: Verdict) -> list[str]:
    return [line for line in explain_vi(verdict) if "[letter." in line]


@pytest.mark.parametrize("case", range(len(SOUND)))
def test_printed_figures_may_be_quoted_zeros_and_texts_too(verdicts: dict[str, Verdict], case: int) -> None:
    assert lines(verdicts[f"sound-{case}"]) == []


@pytest.mark.parametrize("case", range(len(WITHOUT_FIGURE)))
def test_a_code_without_a_printed_figure_is_said_with_file_line_and_code(
    verdicts: dict[str, Verdict], case: int
) -> None:
    (line,) = lines(verdicts[f"figure-{case}"])
    assert line.startswith(f"{PLACE} mã {WITHOUT_FIGURE[case][2]} không phải chỉ tiêu")
    assert "gửi lại tệp cùng tên" in line


@pytest.mark.parametrize("case", range(len(MALFORMED)))
def test_braces_around_anything_else_are_said_with_file_and_line(verdicts: dict[str, Verdict], case: int) -> None:
    assert any(line.startswith(f"{PLACE} dấu ngoặc nhọn") for line in lines(verdicts[f"malformed-{case}"]))


def test_no_decision_lets_a_wrong_code_pass(verdicts: dict[str, Verdict]) -> None:
    assert "letter.placeholders_have_figures" in {r.expectation_id for r in verdicts["decided"].blocking()}


def test_without_paragraphs_nothing_is_held_back_and_the_office_is_told(
    verdicts: dict[str, Verdict], tmp_path: Any, worlds: Any
) -> None:
    assert verdicts["unwritten"].blocking() == []
    lake: Lake = worlds.lake(tmp_path)
    lake.add_unit("945")
    lake.deliveries.remove(lake.of("945", "report_narrative"))
    (raw,) = inspect_raw(lake.request(), Database)
    assert raw.blocking() == []
    [told] = [r for r in raw.results if r.status == "fail"]
    assert (told.expectation_id, told.severity) == ("deliveries.report_narrative.sent", "info")
    assert "báo cáo chừa chỗ để văn phòng điền" in told.findings[0].message_vi
