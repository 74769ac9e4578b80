"""Reports labelled by hand, and how well the narrative check finds what is labelled.

``labels_<quarter>.csv`` lists every figure of ``report_<quarter>.txt``: how its sentence begins, the figure as
written, the verdict, and the form rows and marts that tell it. A figure that is not listed is none.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow as pa

from publication.letter_findings import letter_findings
from publication.narrative import ReportCheck, WrittenReport, read_report
from publication.narrative.text import clean
from tests.unit.publication import builders

DATA = Path(__file__).parents[1] / "data" / "narrative"
REAL, INVENTED, HELD_OUT = "2023-Q1", "2024-Q2", "2024-Q3"
#: What the cases come to beyond the form rows, by level.
_CASES = {
    REAL: {
        "district": {"in_progress": 534, "in_progress_within_due": 534, "received": 575, "resolved": 250},
        "commune": {"received": 776, "resolved": 774},
    },
    INVENTED: {
        "district": {"in_progress": 156, "in_progress_within_due": 151, "in_progress_overdue": 5},
        "commune": {"in_progress": 74, "in_progress_within_due": 66, "in_progress_overdue": 8},
    },
    HELD_OUT: {"district": {"in_progress": 125, "in_progress_within_due": 125}, "commune": {"in_progress": 2}},
}
_COMMUNES = {REAL: 8, INVENTED: 12, HELD_OUT: 9}
_WINDOWS = {
    REAL: (dt.date(2022, 12, 15), dt.date(2023, 3, 14), dt.date(2022, 12, 15)),
    INVENTED: (dt.date(2024, 3, 15), dt.date(2024, 6, 14), dt.date(2023, 12, 15)),
    HELD_OUT: (dt.date(2024, 6, 15), dt.date(2024, 9, 14), dt.date(2023, 12, 15)),
}
_CASE_COLUMNS = (
    "received",
    "resolved",
    "resolved_early",
    "resolved_on_time",
    "resolved_late",
    "in_progress",
    "in_progress_within_due",
    "in_progress_overdue",
    "carried_over",
    "withdrawn",
)
_PARTS = {"I.02": (9, 19), "I.27": (37, 37), "IV.19": (2, 7), "IV.14": (0, 2)}


@dataclass(frozen=True)
class Label:
    """One figure of a report as a person reads it."""

    begins: str
    figure: str
    verdict: str
    sources: frozenset[str]


def report(quarter: str) -> WrittenReport:
    """The text of a labelled report."""
    return read_report(DATA / f"report_{quarter}.txt")


def labels(quarter: str) -> list[Label]:
    """The labels of a report, in reading order."""
    with (DATA / f"labels_{quarter}.csv").open(encoding="utf-8", newline="") as stream:
        return [
            Label(
                _plain(row["begins"]),
                clean(row["figure"]),
                row["verdict"],
                frozenset(filter(None, row["rows"].split("+"))),
            )
            for row in csv.DictReader(stream)
        ]


def marts(quarter: str) -> dict[str, pa.Table]:
    """The marts that a labelled report is compared with."""
    changes = _real_parts() if quarter == REAL else _invented_figures(quarter)
    form = builders.form_table(quarter=quarter, changes=changes)
    return {
        "report_indicators": form,
        "case_processing": _cases(_CASES[quarter]),
        "dim_unit": pa.table(
            {
                "unit_code": [str(number) for number in range(_COMMUNES[quarter] + 1)],
                "unit_type": ["district"] + ["commune"] * _COMMUNES[quarter],
                "unit_level": ["district"] + ["commune"] * _COMMUNES[quarter],
                "parent_unit_code": ["94"] + ["0"] * _COMMUNES[quarter],
                "name_vi": ["Huyện Cù Lao Dung"]
                + [f"Xã An Thạnh {number}" for number in range(1, _COMMUNES[quarter] + 1)],
            }
        ),
        "dim_quarter": pa.table(
            {
                "quarter": [quarter],
                "opens_on": [_WINDOWS[quarter][0]],
                "closes_on": [_WINDOWS[quarter][1]],
                "year_opens_on": [_WINDOWS[quarter][2]],
            }
        ),
    }


def letter_rows(text: str, section: str, changes: Mapping[str, int] | None = None) -> list[dict[str, Any]]:
    """Findings on a letter of the real quarter in which people wrote one paragraph; ``changes``: figures by row."""
    tables = marts(REAL)
    rows = [
        row | ({"value": Decimal(changes[row["indicator_code"]])} if row["indicator_code"] in (changes or {}) else {})
        for row in tables["report_indicators"].to_pylist()
    ]
    paragraph = {
        "unit_code": "0",
        "quarter": REAL,
        "section": section,
        "paragraph_no": 1,
        "text_vi": text,
        "file_name": "noi-dung.txt",
        "sheet": "txt",
        "row_number": 12,
    }
    own = {
        "report_indicators": pa.Table.from_pylist(rows, schema=tables["report_indicators"].schema),
        "report_narrative": pa.Table.from_pylist([paragraph]),
    }
    return letter_findings(tables | own, "0", REAL, "2023").to_pylist()


def _real_parts() -> dict[str, dict[str, object]]:
    return {
        code: {"numerator": Decimal(above), "denominator": Decimal(below), "kind": "ratio"}
        for code, (above, below) in _PARTS.items()
    }


def _invented_figures(quarter: str) -> dict[str, dict[str, object]]:
    blank: dict[str, object] = {"value": None, "numerator": None, "denominator": None}
    changes = {row["indicator_code"]: dict(blank) for row in builders.form_table().to_pylist()}
    with (DATA / f"figures_{quarter}.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            changes[row["indicator_code"]] = {
                name: Decimal(row[name]) if row[name] else None for name in ("value", "numerator", "denominator")
            }
    return changes


def _cases(levels: dict[str, dict[str, int]]) -> pa.Table:
    return pa.table(
        {
            "unit_level": list(levels),
            "receiving_unit_code": ["0", "1"],
            "field_vi": ["Đất đai", "Hộ tịch"],
            **{
                name: pa.array([figures.get(name, 0) for figures in levels.values()], pa.int64())
                for name in _CASE_COLUMNS
            },
        }
    )


@dataclass(frozen=True)
class Score:
    """What was found of what is labelled. A find counts when figure, verdict and rows are right."""

    found: int
    right: int
    labelled: int
    wrong: tuple[str, ...]

    @property
    def precision(self) -> Fraction:
        """Right of found."""
        return Fraction(self.right, self.found) if self.found else Fraction(1)

    @property
    def recall(self) -> Fraction:
        """Right of labelled."""
        return Fraction(self.right, self.labelled) if self.labelled else Fraction(1)


def score(check: ReportCheck, expected: Sequence[Label], verdicts: Iterable[str]) -> Score:
    """Precision and recall over the figures with one of these verdicts, in the check and in the labels."""
    asked = frozenset(verdicts)
    mine = Counter(
        (_label_of(one.sentence, expected), one.text, one.verdict, frozenset(one.sources))
        for one in check.figures
        if one.verdict in asked
    )
    theirs = Counter(
        (label.begins, label.figure, label.verdict, label.sources) for label in expected if label.verdict in asked
    )
    right = mine & theirs
    wrong = [f"found, not labelled: {b} … {f}: {v} {sorted(s)}" for b, f, v, s in (mine - theirs).elements()]
    wrong += [f"labelled, not found: {b} … {f}: {v} {sorted(s)}" for b, f, v, s in (theirs - mine).elements()]
    return Score(mine.total(), right.total(), theirs.total(), tuple(sorted(wrong)))


def _label_of(sentence: str, expected: Sequence[Label]) -> str:
    plain = _plain(sentence)
    return max({label.begins for label in expected if plain.startswith(label.begins)}, key=len, default=plain)


def _plain(text: str) -> str:
    """The text without punctuation."""
    return " ".join(re.findall(r"[\w%/.]+", clean(text))).replace(". ", " ")
