"""The annex table of a written report, row by row against the form.

Belongs here: putting the rows of a table beside the rows of the form, comparing the figure cell. Does not belong
here: figures in running text (``figures``).

Names repeat in the form and tables break rows at the end of a page, so rows are paired in order: the alignment of the
two lists with the most words in common.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from publication.content.release_content import FormRow
from publication.formatting import format_number, parse_number
from publication.narrative.published import PublishedFigures
from publication.narrative.text import phrase

_NAME, _UNIT, _FIGURE = 1, 2, 3
_LEAST_LIKENESS = 0.5


@dataclass(frozen=True)
class TableRowCheck:
    """One row of the table: the figure it prints ("" blank), the form row it is, what the release holds."""

    table_row: int
    name_vi: str
    text: str
    verdict: str
    published_vi: str
    reason_vi: str
    row_no: int | None
    indicator_code: str | None


def check_table(rows: Sequence[Sequence[str]], published: PublishedFigures) -> list[TableRowCheck]:
    """Rows that belong to the form or print a figure; furniture such as repeated heads is left out."""
    form = list(published.rows.values())
    named = [(number, _padded(row)) for number, row in enumerate(rows, start=1)]
    body = [(number, row) for number, row in named if row[_NAME] and row[0] != "STT"]
    if not body:
        return []
    pairs = _aligned([frozenset(phrase(row[_NAME])) for _, row in body], [_words(row) for row in form])
    checked = []
    for (number, row), place in zip(body, pairs, strict=True):
        if place is not None:
            checked.append(_check_row(number, row, form[place]))
        elif row[_FIGURE]:
            checked.append(
                TableRowCheck(number, row[_NAME], row[_FIGURE], "not_found", "", "biểu không có dòng này", None, None)
            )
    return checked


def _padded(row: Sequence[str]) -> tuple[str, ...]:
    return tuple(row) + ("",) * (_FIGURE + 1 - len(row))


def _words(row: FormRow) -> frozenset[str]:
    return frozenset(phrase(str(row.values["indicator_name_vi"])))


def _check_row(number: int, row: Sequence[str], form: FormRow) -> TableRowCheck:
    text = row[_FIGURE]
    held = "" if form.value is None else format_number(form.value)

    def outcome(verdict: str, reason: str = "") -> TableRowCheck:
        return TableRowCheck(number, row[_NAME], text, verdict, held, reason, form.row_no, form.code)

    if not text:
        return outcome("agrees") if form.value is None else outcome("not_found", "báo cáo để trống")
    if form.value is None:
        return outcome("not_found", "bảng số liệu để trống số này")
    try:
        same = Fraction(parse_number(text)) == Fraction(form.value)
    except ValueError:
        return outcome("contradicts", "ô số liệu không phải là số viết theo quy cách")
    return outcome("agrees" if same else "contradicts")


def _aligned(table: Sequence[frozenset[str]], form: Sequence[frozenset[str]]) -> list[int | None]:
    """For each table row the place of its form row, in order, so that the likeness adds up to the most."""
    width = len(form) + 1
    best = [[0.0] * width for _ in range(len(table) + 1)]
    for i in range(len(table) - 1, -1, -1):
        for j in range(len(form) - 1, -1, -1):
            paired = _similarity(table[i], form[j])
            best[i][j] = max(
                best[i + 1][j], best[i][j + 1], paired + best[i + 1][j + 1] if paired >= _LEAST_LIKENESS else 0.0
            )
    places: list[int | None] = []
    j = 0
    for i in range(len(table)):
        while j < len(form) and best[i][j] == best[i][j + 1]:
            j += 1
        if j < len(form) and best[i][j] > best[i + 1][j]:
            places.append(j)
            j += 1
        else:
            places.append(None)
    return places


def _similarity(left: frozenset[str], right: frozenset[str]) -> float:
    """Share of words in common (Jaccard)."""
    return len(left & right) / len(left | right) if left or right else 0.0
