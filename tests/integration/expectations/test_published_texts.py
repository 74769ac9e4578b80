"""Personal data in the register of decisions, whose words a release prints: found in every column and spelling."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from expectations.inspection import inspect_raw
from expectations.personal_data import KIND_VI
from expectations.verdicts import Result, Verdict
from tests.support.personal_data import SEEN

if TYPE_CHECKING:
    from conftest import Lake

DATA, NAMES = "decisions.texts_hold_no_personal_data", "decisions.texts_name_nobody"
PRINTED = {
    "decision_id": "Mã quyết định",
    "subject": "Đối tượng",
    "applies_to": "Áp dụng cho",
    "figures_seen": "Số liệu đã xem",
    "reason": "Lý do",
    "approved_by": "Người duyệt",
    "document_number": "Số văn bản",
}


def _result(verdict: Verdict, rule: str) -> Result:
    return next(result for result in verdict.results if result.expectation_id == rule)


@pytest.mark.parametrize("column", PRINTED)
def test_every_spelling_in_every_printed_column_of_a_decision_holds_the_report_back(
    lake: Lake, worlds: Any, column: str
) -> None:
    lake.add_unit("945")
    planted = [(kind, text) for kind, texts in SEEN.items() for text in texts]
    first = lake.first("945", "decisions")
    lake.of("945", "decisions").rows = [
        first | {"decision_id": f"QD-{n:03d}"} | {column: f"Theo {text}"} for n, (_, text) in enumerate(planted)
    ]
    [verdict] = inspect_raw(lake.request(), worlds.plain)
    assert {DATA, NAMES} <= {result.expectation_id for result in verdict.blocking()}
    told = {
        rule: {finding.row: finding.message_vi for finding in _result(verdict, rule).findings} for rule in (DATA, NAMES)
    }
    for row, (kind, text) in enumerate(planted, start=2):
        message = told[NAMES if kind == "person_name" else DATA][row]
        assert f"cột “{PRINTED[column]}”" in message
        assert KIND_VI[kind] in message
        assert text not in message


@pytest.mark.parametrize(("text", "rule", "settles"), [
    ("Đường mang tên bà Nguyễn Thị Năm", NAMES, True), ("Gọi 0912.000.310", DATA, False),
])  # fmt: skip
def test_a_name_is_settled_by_a_decision_that_names_the_place_and_a_number_by_none(
    lake: Lake, worlds: Any, text: str, rule: str, settles: bool
) -> None:
    for unit in ("945", "946"):
        lake.add_unit(unit)
        lake.first(unit, "decisions").update(reason=text, unit=unit)
    of_both = inspect_raw(lake.request(), worlds.plain)
    assert [{r.expectation_id for r in verdict.blocking()} for verdict in of_both] == [{rule}, {rule}]
    (finding,) = _result(of_both[0], rule).findings
    assert (finding.settle_vi is not None) is settles
    settled: Lake = worlds.lake(lake.folder / "settled")
    for unit in ("945", "946"):
        settled.add_unit(unit)
        settled.first(unit, "decisions").update(reason=text, unit=unit)
    rows = settled.of("945", "decisions").rows
    accepts = {"subject_kind": "rule", "subject": rule, "action": "accept_finding", "reason": "Đã xem xét"}
    sees = {"applies_to": finding.named, "figures_seen": "cột = Lý do"}
    rows.append(rows[0] | {"decision_id": "QD-02"} | accepts | sees)
    verdict, other = inspect_raw(settled.request(), worlds.plain)
    assert (rule in {r.expectation_id for r in verdict.blocking()}) is not settles
    assert rule in {r.expectation_id for r in other.blocking()}


def test_a_file_that_waits_to_be_read_is_named_and_its_unit_is_not_told_to_have_sent_nothing(
    lake: Lake, worlds: Any
) -> None:
    of_quarter = list(product(("survey_responses", "one_stop_cases"), ["2023-Q2"]))
    for unit in ("945", "946", "947"):
        lake.add_unit(unit)
        lake.deliveries = [d for d in lake.deliveries if (d.unit[:3], d.source) != (unit, "one_stop_cases")]
        lake.deliveries.remove(lake.of(unit, "survey_responses"))
    for source, quarter in of_quarter:
        lake.waiting += [("945", quarter, source, "a.xlsx"), ("945-x", quarter, source, "b.xlsx")]
    # An earlier quarter's file is no file of this quarter.
    lake.waiting += [("946", "2023-Q1", "survey_responses", "a.xlsx")]
    verdicts = inspect_raw(lake.request(), worlds.plain)
    waits, earlier, nothing = ({r.expectation_id for r in verdict.blocking()} for verdict in verdicts)
    taken_in = {f"deliveries.{source}.taken_in" for source, _ in of_quarter}
    sent = {"deliveries.survey_responses.sent", "deliveries.one_stop_cases.sent",
            "deliveries.one_stop_cases.sent_by_communes"}  # fmt: skip
    assert waits & (sent | taken_in) == taken_in
    assert earlier & (sent | taken_in) == sent | {"deliveries.survey_responses.taken_in"}
    assert nothing & (sent | taken_in) == sent
