"""What a gate's verdicts become in Dagster: who is held back, and when the run stops."""

from __future__ import annotations

import dagster as dg
import pytest

from expectations import Result, Verdict
from orchestration.assets.gates import check_results


def _result(source: str, *, blocks: bool) -> Result:
    return Result(
        expectation_id=f"{source}.rule",
        source=source,
        sentence_vi=f"Quy tắc của {source}",
        severity="critical",
        status="fail" if blocks else "pass",
        observed=None,
        failed_rows=int(blocks),
        covered_rows=0,
        decision_id=None,
        settleable=False,
        empty_allowed=True,
        blocking=blocks,
    )


def _verdict(unit: str, **blocks: bool) -> Verdict:
    return Verdict(
        stage="raw",
        unit_code=unit,
        quarter="2023-Q1",
        subject_hash="h",
        suite_version="v",
        results=tuple(_result(source, blocks=b) for source, b in blocks.items()),
    )


def _checks(*verdicts: Verdict) -> dict[str, dg.AssetCheckResult]:
    by_unit = {verdict.unit_code: verdict for verdict in verdicts}
    results = check_results(by_unit, ["cases", "staff"], lambda result: result.source)
    return {str(result.check_name): result for result in results}


def test_all_pass() -> None:
    checks = _checks(_verdict("945", cases=False, staff=False))
    assert all(check.passed for check in checks.values())
    assert checks["cases"].metadata["rules_checked"].value == 1


def test_a_unit_held_back_alone_is_an_error() -> None:
    checks = _checks(_verdict("945", cases=True, staff=False))
    assert not checks["cases"].passed
    assert checks["cases"].severity == dg.AssetCheckSeverity.ERROR
    assert checks["cases"].metadata["held_back"].value == {"945": ["Quy tắc của cases"]}
    assert checks["staff"].passed


def test_a_unit_held_back_beside_another_is_a_warning() -> None:
    checks = _checks(_verdict("945", cases=True, staff=False), _verdict("946", cases=False, staff=False))
    assert not checks["cases"].passed
    assert checks["cases"].severity == dg.AssetCheckSeverity.WARN


@pytest.mark.parametrize("second", ["cases", "staff"])
def test_every_unit_held_back_is_an_error_whatever_the_reason(second: str) -> None:
    other = _verdict("946", cases=second == "cases", staff=second == "staff")
    checks = _checks(_verdict("945", cases=True, staff=False), other)
    failed = [check for check in checks.values() if not check.passed]
    assert failed
    assert all(check.severity == dg.AssetCheckSeverity.ERROR for check in failed)


def test_what_a_verdict_says_of_itself_is_not_believed() -> None:
    result = _result("cases", blocks=True).model_copy(update={"blocking": False})
    verdict = _verdict("945").model_copy(update={"results": (result,)})
    assert not _checks(verdict)["cases"].passed
