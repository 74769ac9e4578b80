"""Counts of documents of the district and its communes.

Belongs here: canonical rows of ``e_document_counts``.
Does not belong here: the totals of each level (``quarters``).
"""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import Any

from sample.districts import Commune, District
from sample.quarters import QuarterPlan

Row = dict[str, Any]


def district_document_rows(district: District, plan: QuarterPlan) -> list[Row]:
    """The district's own documents: all, steering documents of the reform, legal normative ones."""
    counts = plan.district_documents
    steering = _row(district.code, topic="cchc")
    steering["outgoing_total"] = plan.steering_documents
    legal = _row(district.code, kind="legal_normative")
    legal["outgoing_total"] = 0
    return [
        _counted(
            _row(district.code), plan, counts.electronic_only, counts.electronic_and_paper, counts.paper_only,
            counts.incoming,
        ),
        steering,
        legal,
    ]  # fmt: skip


def commune_document_rows(district: District, commune: Commune, plan: QuarterPlan) -> list[Row]:
    """The commune's documents for the whole window; the last commune counts month by month."""
    counts, position = plan.commune_documents, district.communes.index(commune)
    shares = [
        _parts(total, len(district.communes))[position]
        for total in (counts.electronic_only, counts.electronic_and_paper, counts.paper_only, counts.incoming)
    ]
    if commune is not district.communes[-1]:
        return [_counted(_row(commune.code), plan, *shares)]
    months = _months(plan)
    by_month = list(zip(*(_parts(total, len(months)) for total in shares), strict=True))
    return [
        _counted(_row(commune.code, month=month), plan, *parts) for month, parts in zip(months, by_month, strict=True)
    ]


def _row(unit: str, *, kind: str = "all", topic: str = "all", month: dt.date | None = None) -> Row:
    return {
        "unit": unit,
        "month": month,
        "document_kind": kind,
        "topic": topic,
        "outgoing_total": None,
        "electronic_only": None,
        "electronic_and_paper": None,
        "paper_only": None,
        "incoming_total": None,
        "incoming_electronic": None,
        "connected": None,
    }


def _counted(row: Row, plan: QuarterPlan, only: int, both: int, paper: int, incoming: int) -> Row:
    """Fills in the counts. The real quarter gives two classes and no totals."""
    row.update(electronic_only=only, electronic_and_paper=both, connected=True)
    if plan.complete:
        row.update(
            outgoing_total=only + both + paper,
            paper_only=paper,
            incoming_total=incoming,
            incoming_electronic=incoming * 9 // 10,
        )
    return row


def _parts(total: int, count: int) -> list[int]:
    """``total`` in ``count`` uneven parts, the first the largest."""
    weights = [count + 3 - number // 2 for number in range(count)]
    bounds = [total * sum(weights[:number]) // sum(weights) for number in range(count + 1)]
    return [upper - lower for lower, upper in pairwise(bounds)]


def _months(plan: QuarterPlan) -> list[dt.date]:
    """First days of the calendar months that the window touches."""
    first, last = plan.window.opens_on, plan.window.closes_on
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    return [dt.date(first.year + (first.month - 1 + n) // 12, (first.month - 1 + n) % 12 + 1, 1) for n in range(count)]
