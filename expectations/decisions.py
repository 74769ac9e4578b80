"""Findings against the decisions register: which finding a decision covers, and which decision covers none.

Belongs here: matching decisions to findings by row, rule and case.
Does not belong here: reading deliveries, applying a decision to a figure (dbt does), what blocks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

# Effects under which a decision is in force; the others (invalid, expired) cover nothing.
IN_FORCE = frozenset({"applied", "covers_findings", "no_effect"})


@dataclass(frozen=True)
class Decision:
    """A decision for one reporting unit and quarter.

    ``effect`` is that of the mart ``decision_effects`` (applied, covers_findings, no_effect, invalid), or ``expired``
    for one that was delivered for a quarter it no longer holds in.
    """

    unit: str
    decision_id: str
    subject_kind: str
    subject: str
    action: str
    effect: str
    problem_vi: str | None = None

    def covers(self, rule_id: str, subject: str) -> bool:
        """Whether a finding of this rule about this subject is settled by the decision."""
        if self.effect not in IN_FORCE:
            return False
        if self.subject_kind == "rule":
            return self.subject == rule_id and self.action == "accept_finding"
        return self.subject_kind in ("row", "case") and self.subject == subject


@dataclass
class Register:
    """The decisions of all units, and how many findings each has covered so far."""

    decisions: tuple[Decision, ...] = ()
    covered: dict[tuple[str, str], int] = field(default_factory=dict)
    _by_unit: dict[str, list[Decision]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for decision in self.decisions:
            self._by_unit.setdefault(decision.unit, []).append(decision)

    def of(self, unit: str) -> list[Decision]:
        """The decisions that name a unit, in the order of the register."""
        return self._by_unit.get(unit, [])

    def covering(self, unit: str, rule_id: str, subject: str) -> list[str]:
        """Ids of the decisions that settle a finding, in order."""
        return sorted(d.decision_id for d in self.of(unit) if d.covers(rule_id, subject))

    def note_covered(self, unit: str, decision_ids: Iterable[str], findings: int) -> None:
        for decision_id in decision_ids:
            self.covered[unit, decision_id] = self.covered.get((unit, decision_id), 0) + findings

    def use(self) -> list[tuple[str, str, str, str, str, str, str | None, int]]:
        """Rows of ``decision_use``: unit, decision_id, subject_kind, subject, action, effect, problem_vi, findings."""
        return [
            (
                d.unit,
                d.decision_id,
                d.subject_kind,
                d.subject,
                d.action,
                d.effect,
                d.problem_vi,
                self.covered.get((d.unit, d.decision_id), 0),
            )
            for d in self.decisions
        ]
