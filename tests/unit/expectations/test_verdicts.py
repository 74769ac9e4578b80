"""What blocks, what may be published, and how a verdict rests on disk."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from expectations import (
    Result,
    Verdict,
    declared_rules,
    explain_vi,
    gate_results_table,
    load_verdict,
    publishable,
    suite_version,
)
from expectations.declarations import Stage
from expectations.verdicts import Finding, blocking, write_verdict


def _result(**fields: Any) -> Result:
    body: dict[str, Any] = {
        "expectation_id": "report.settled",
        "source": "report",
        "sentence_vi": "Câu.",
        "severity": "critical",
        "status": "pass",
        "observed": None,
        "failed_rows": 0,
        "covered_rows": 0,
        "decision_id": None,
        "settleable": True,
        "empty_allowed": False,
        "blocking": False,
    }
    return Result.model_validate(body | fields)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"status": "pass"}, False),
        ({"status": "fail", "failed_rows": 1}, True),
        ({"status": "fail", "failed_rows": 2, "covered_rows": 1}, True),
        ({"status": "fail", "failed_rows": 2, "covered_rows": 2}, False),
        ({"status": "fail", "failed_rows": 0, "covered_rows": 0}, True),
        ({"status": "fail", "failed_rows": 2, "covered_rows": 2, "settleable": False}, True),
        ({"status": "fail", "failed_rows": 1, "severity": "warning"}, True),
        ({"status": "fail", "failed_rows": 1, "covered_rows": 1, "severity": "warning"}, False),
        ({"status": "fail", "failed_rows": 9, "severity": "info"}, False),
        ({"status": "did_not_run"}, True),
        ({"status": "did_not_run", "severity": "warning"}, True),
        ({"status": "did_not_run", "severity": "info"}, False),
        ({"status": "no_data"}, True),
        ({"status": "no_data", "severity": "warning"}, True),
        ({"status": "no_data", "empty_allowed": True}, False),
    ],
)
def test_what_blocks(fields: dict[str, Any], expected: bool) -> None:
    assert blocking(_result(**fields)) is expected
    assert blocking(_result(**fields, blocking=not expected)) is expected


def _verdict(stage: Stage, subject_hash: str) -> Verdict:
    results = tuple(
        _result(expectation_id=rule.id, source=rule.source, severity=rule.severity, settleable=rule.settleable)
        for rule in declared_rules(stage)
    )
    return Verdict(
        stage=stage,
        unit_code="945",
        quarter="2023-Q1",
        subject_hash=subject_hash,
        suite_version=suite_version(stage),
        results=results,
    )


def _with_first(verdict: Verdict, **fields: Any) -> Verdict:
    first = verdict.results[0].model_copy(update=fields)
    return verdict.model_copy(update={"results": (first, *verdict.results[1:])})


def test_two_whole_verdicts_on_the_very_data_permit_publication() -> None:
    assert publishable(_verdict("raw", "i"), _verdict("mart", "c"), "c", "i") == []


_Change = Callable[[Verdict], Verdict | None]


def _set(**fields: Any) -> _Change:
    return lambda verdict: verdict.model_copy(update=fields)


_BYPASSES: dict[str, tuple[_Change, str]] = {
    "no verdict": (lambda verdict: None, "missing"),
    "of other data": (_set(subject_hash="other"), "other_data"),
    "of an older suite": (_set(suite_version="older"), "other_suite"),
    "of the other unit": (_set(unit_code="946"), "other_unit"),
    "of another quarter": (_set(quarter="2022-Q4"), "other_unit"),
    "with no result": (_set(results=()), "incomplete"),
    "with one result missing": (lambda v: v.model_copy(update={"results": v.results[1:]}), "incomplete"),
    "with one result twice": (lambda v: v.model_copy(update={"results": (*v.results, v.results[0])}), "incomplete"),
    "with an unknown result": (lambda v: _with_first(v, expectation_id="x.y"), "incomplete"),
    "with a failure": (
        lambda v: _with_first(v, severity="critical", status="fail", failed_rows=1, blocking=True),
        "blocked",
    ),
    "with a failure called harmless": (
        lambda v: _with_first(v, severity="critical", status="fail", failed_rows=1),
        "blocked",
    ),
    "with a check that raised": (lambda v: _with_first(v, severity="critical", status="did_not_run"), "blocked"),
    "with nothing looked at": (lambda v: _with_first(v, severity="critical", status="no_data"), "blocked"),
    "with a severity lowered": (
        lambda v: _with_first(v, severity="info", status="fail", failed_rows=1),
        "not_as_declared",
    ),
    "with a rule made settleable": (
        lambda v: v.model_copy(update={"results": tuple(r.model_copy(update={"settleable": True}) for r in v.results)}),
        "not_as_declared",
    ),
}


@pytest.mark.parametrize("stage", ["raw", "mart"])
@pytest.mark.parametrize("bypass", sorted(_BYPASSES))
def test_nothing_is_published_past_the_gate(stage: Stage, bypass: str) -> None:
    change, reason = _BYPASSES[bypass]
    verdicts: dict[Stage, Verdict | None] = {"raw": _verdict("raw", "i"), "mart": _verdict("mart", "c")}
    sound = verdicts[stage]
    assert sound is not None
    verdicts[stage] = change(sound)
    refusals = publishable(verdicts["raw"], verdicts["mart"], "c", "i")
    assert reason in {refusal.reason for refusal in refusals}


def test_verdicts_of_the_two_stages_are_not_exchanged() -> None:
    refusals = publishable(_verdict("mart", "i"), _verdict("raw", "c"), "c", "i")
    assert {refusal.reason for refusal in refusals} == {"other_stage"}


def test_a_verdict_is_written_whole_and_read_back(tmp_path: Path) -> None:
    verdict = _verdict("raw", "i")
    path = write_verdict(tmp_path, verdict)
    assert path == tmp_path / "verdicts" / "945" / "2023-Q1" / "raw-i.json"
    assert load_verdict(path) == verdict
    assert path.read_bytes() == write_verdict(tmp_path, verdict).read_bytes() == verdict.to_bytes()
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_a_crash_while_writing_leaves_the_old_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_verdict(tmp_path, _verdict("raw", "i"))
    before = path.read_bytes()

    def crash(*_: object) -> None:
        raise OSError("power")

    monkeypatch.setattr(os, "replace", crash)
    with pytest.raises(OSError, match="power"):
        write_verdict(tmp_path, _with_first(_verdict("raw", "i"), status="fail"))
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"schema":2}', b'{"schema":1,"stage":"raw"}'])
def test_a_file_that_is_no_whole_verdict_is_refused(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "v.json"
    path.write_bytes(body)
    with pytest.raises(ValueError, match=r"not a verdict|validation error|Expecting value"):
        load_verdict(path)


def test_the_table_of_results_has_the_promised_columns_in_a_total_order() -> None:
    table = gate_results_table([_verdict("raw", "i"), _verdict("mart", "c")])
    assert table.column_names == [
        "unit_code",
        "quarter",
        "stage",
        "source",
        "expectation_id",
        "sentence_vi",
        "severity",
        "status",
        "observed",
        "failed_rows",
        "decision_id",
    ]
    keys = list(zip(table["stage"].to_pylist(), table["expectation_id"].to_pylist(), strict=True))
    assert keys == sorted(keys)
    assert len(keys) == len(declared_rules("raw")) + len(declared_rules("mart"))


def test_what_blocks_is_told_once_each_and_rules_without_data_are_joined() -> None:
    verdict = _verdict("mart", "c")
    finding = Finding(subject="III.25", message_vi="dòng 73: sai")
    changes = {
        "report.settled": {"status": "fail", "failed_rows": 22, "findings": (finding,)},
        "report.rows_unique": {"status": "no_data"},
        "report.status_known": {"status": "no_data"},
        "report.counts_whole": {"status": "did_not_run", "observed": "hỏng"},
    }
    results = tuple(r.model_copy(update=changes.get(r.expectation_id, {})) for r in verdict.results)
    assert explain_vi(verdict.model_copy(update={"results": results})) == [
        "Dòng 73: sai. Sửa dữ liệu hoặc số khai báo cho khớp, hoặc ban hành quyết định số liệu cho chỉ tiêu này. "
        "[report.settled]",
        "Còn 21 dòng khác vi phạm cùng quy tắc: Câu. [report.settled]",
        "Nguồn report không có dữ liệu để kiểm tra (2 quy tắc: report.rows_unique, report.status_known). "
        "Gửi lại dữ liệu của nguồn này.",
        "Không kiểm tra được 1 quy tắc: report.counts_whole: hỏng. Báo cho người quản trị hệ thống.",
    ]
