"""What a gate's verdicts become in Dagster: who is held back, by which rows, and that no check stops the run."""

from __future__ import annotations

from typing import Any

import dagster as dg

from expectations import Finding, Result, Verdict
from orchestration.assets.gates import MOST_FINDINGS, check_results

TABLES = [dg.AssetKey(["raw", "cases"]), dg.AssetKey(["raw", "staff"])]


def _result(source: str, *, blocks: bool, findings: int = 0) -> Result:
    return Result(
        expectation_id=f"{source}.rule",
        source=source,
        sentence_vi=f"Quy tắc của {source}.",
        severity="critical",
        status="fail" if blocks else "pass",
        observed=None,
        failed_rows=findings or int(blocks),
        covered_rows=0,
        decision_id=None,
        settleable=False,
        empty_allowed=True,
        blocking=blocks,
        findings=tuple(
            Finding(subject=f"{n}", message_vi=f"hồ sơ {n} sai ngày", file="hồ sơ.xlsx", sheet="Sheet1", row=n)
            for n in range(1, findings + 1)
        ),
    )


def _verdict(unit: str, *results: Result, **blocks: bool) -> Verdict:
    return Verdict(
        stage="raw",
        unit_code=unit,
        quarter="2023-Q1",
        subject_hash="h",
        suite_version="v",
        results=results or tuple(_result(source, blocks=b) for source, b in blocks.items()),
    )


def _checks(*verdicts: Verdict) -> dict[str, dg.AssetCheckResult]:
    by_unit = {verdict.unit_code: verdict for verdict in verdicts}
    found = check_results(by_unit, TABLES, lambda result: dg.AssetKey(["raw", result.source]))
    return {result.asset_key.path[-1]: result for result in found if result.asset_key}


def _records(check: dg.AssetCheckResult) -> list[dict[str, Any]]:
    return [dict(record.data) for record in check.metadata["findings"].records]  # type: ignore[attr-defined]


def test_all_pass() -> None:
    checks = _checks(_verdict("945", cases=False, staff=False))
    assert all(check.passed for check in checks.values())
    assert checks["cases"].metadata["rules_checked"].value == 1


def test_a_check_fails_on_the_table_it_judges_and_names_the_unit() -> None:
    checks = _checks(_verdict("945", cases=True, staff=False), _verdict("946", cases=False, staff=False))
    assert not checks["cases"].passed
    assert checks["cases"].metadata["held_back"].value == ["945"]
    assert "945" in str(checks["cases"].description)
    assert checks["staff"].passed


def test_no_check_is_an_error_even_where_every_unit_is_held_back() -> None:
    """Dagster stops the run at a blocking check that fails as an error: what is held back shall still be looked at."""
    checks = _checks(_verdict("945", cases=True, staff=True), _verdict("946", cases=True, staff=True))
    assert [check.passed for check in checks.values()] == [False, False]
    assert {check.severity for check in checks.values()} == {dg.AssetCheckSeverity.WARN}


def test_findings_are_a_table_with_file_row_and_what_is_wrong() -> None:
    checks = _checks(_verdict("945", _result("cases", blocks=True, findings=3)))
    assert [(r["don_vi"], r["tep"], r["trang"], r["dong"]) for r in _records(checks["cases"])] == [
        ("945", "hồ sơ.xlsx", "Sheet1", n) for n in (1, 2, 3)
    ]
    assert _records(checks["cases"])[0]["noi_dung"] == "Hồ sơ 1 sai ngày."


def test_the_table_ends_and_says_how_many_there_are() -> None:
    checks = _checks(_verdict("945", _result("cases", blocks=True, findings=MOST_FINDINGS + 7)))
    assert len(_records(checks["cases"])) == MOST_FINDINGS
    assert checks["cases"].metadata["findings_total"].value == MOST_FINDINGS + 7


def test_a_rule_that_blocks_without_a_row_is_told_by_its_sentence() -> None:
    [record] = _records(_checks(_verdict("945", cases=True))["cases"])
    assert (record["noi_dung"], record["tep"], record["dong"]) == ("Quy tắc của cases.", "", "")


def test_what_a_verdict_says_of_itself_is_not_believed() -> None:
    result = _result("cases", blocks=True).model_copy(update={"blocking": False})
    assert not _checks(_verdict("945", result))["cases"].passed
