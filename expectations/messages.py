"""Verdicts in words: what a clerk or an official reads when a report is held back.

Belongs here: Vietnamese sentences about verdicts. Does not belong here: judging.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from expectations.declarations import declared_rules
from expectations.verdicts import Finding, Result, Verdict

# Lines of one rule on the screen; the verdict keeps the others.
_SHOWN = 20


@dataclass(frozen=True)
class HeldRow:
    """A finding that holds a unit back: the rule, what is wrong where, and what to do.

    ``row`` is the row in the sheet of the delivered file, or the line of a CSV file.
    """

    rule: str
    message_vi: str
    file: str | None
    sheet: str | None
    row: int | None
    advice_vi: str


def held_rows(verdict: Verdict, results: Iterable[Result]) -> list[HeldRow]:
    """Every finding of a verdict's blocking ``results`` that no decision settles.

    A rule that blocks without a finding (nothing to check, not run) is told by its own sentence.
    """
    advice = {rule.id: rule.advice_vi for rule in declared_rules(verdict.stage)}
    rows: list[HeldRow] = []
    for result in results:
        says = advice.get(result.expectation_id, "")
        found = [
            HeldRow(
                result.expectation_id,
                _sentence(finding.message_vi),
                finding.file,
                finding.sheet,
                finding.row,
                f"{says}{_how_to_settle(finding)}".strip(),
            )
            for finding in _uncovered(result)
        ]
        if result.status == "did_not_run":
            message = f"Không kiểm tra được ({result.observed or 'không rõ'}): {result.sentence_vi}"
            found = [HeldRow(result.expectation_id, message, None, None, None, "Báo cho người quản trị hệ thống.")]
        rows += found or [HeldRow(result.expectation_id, result.sentence_vi, None, None, None, says)]
    return rows


def explain_vi(verdict: Verdict) -> list[str]:
    """One line for each finding that blocks, with what to do; lines of rules without data are joined by source.

    Of one rule the first twenty, and how many more there are.
    """
    advice = {rule.id: rule.advice_vi for rule in declared_rules(verdict.stage)}
    lines: list[str] = []
    empty: dict[str, list[str]] = {}
    broken: dict[str, list[str]] = {}
    for result in verdict.blocking():
        if result.status == "no_data":
            empty.setdefault(result.source, []).append(result.expectation_id)
        elif result.status == "did_not_run":
            broken.setdefault(result.observed or "không rõ", []).append(result.expectation_id)
        else:
            lines += _finding_lines(result, advice.get(result.expectation_id, ""))
    for source, rule_ids in sorted(empty.items()):
        lines.append(
            f"Nguồn {source} không có dữ liệu để kiểm tra ({_listed(rule_ids)}). Gửi lại dữ liệu của nguồn này."
        )
    for reason, rule_ids in sorted(broken.items()):
        lines.append(f"Không kiểm tra được {_listed(rule_ids)}: {reason}. Báo cho người quản trị hệ thống.")
    return lines


def _finding_lines(result: Result, advice: str) -> list[str]:
    uncovered = _uncovered(result)
    lines = [
        f"{_sentence(finding.message_vi)} {advice}{_how_to_settle(finding)} [{result.expectation_id}]"
        for finding in uncovered[:_SHOWN]
    ]
    hidden = result.failed_rows - (result.covered_rows if result.settleable else 0) - len(lines)
    if hidden > 0:
        lines.append(f"Còn {hidden} dòng khác vi phạm cùng quy tắc: {result.sentence_vi} [{result.expectation_id}]")
    return lines


def _uncovered(result: Result) -> list[Finding]:
    return [finding for finding in result.findings if finding.decision_id is None or not result.settleable]


def _how_to_settle(finding: Finding) -> str:
    return f" {finding.settle_vi}." if finding.settle_vi else ""


def _sentence(text: str) -> str:
    return (text[:1].upper() + text[1:]).rstrip(".") + "."


def _listed(rule_ids: list[str]) -> str:
    shown = ", ".join(rule_ids[:3])
    return f"{len(rule_ids)} quy tắc: {shown}{', …' if len(rule_ids) > 3 else ''}"
