"""How a figure moved against an earlier quarter, in words a reader of the form understands.

Belongs here: the size of a move, whether it may be compared at all, and whether it is good.
Does not belong here: finding earlier figures (the mart ``report_indicators`` has them), their look (the template).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from common.periods import period_named
from publication.content.release_content import FormRow
from publication.formatting import format_number

#: Kinds of rows whose figure is an amount; the others are answers (yes or no, a code, a text).
_AMOUNTS = frozenset({"count", "ratio", "heading_with_value"})
_WORDS = {1: "tăng", -1: "giảm", 0: "không đổi"}
_VERDICTS = {"better": "tốt hơn", "worse": "kém hơn", "": ""}


@dataclass(frozen=True)
class Difference:
    """A move against one earlier figure.

    ``sign`` is 1, -1 or 0, None where the two are not comparable (``remark_vi`` says why); ``amount`` the printed size
    with the sign of points, ``unit_vi`` what it counts; ``share`` the printed size in percent of the earlier figure;
    ``verdict`` ``better``, ``worse`` or empty where the form takes no side. ``rate`` is the move of the share that the
    figure is of its whole, where that is what is judged; then the move itself has no verdict, so that an arrow and its
    colour speak of one quantity.
    """

    earlier: str
    sign: int | None
    amount: str
    share: str
    verdict: str
    remark_vi: str
    rate: Difference | None = None
    unit_vi: str = ""

    @property
    def told_vi(self) -> str:
        """``tăng 103 hồ sơ``, ``không đổi``; empty where not comparable."""
        return " ".join(part for part in (self.word_vi, self.amount, self.unit_vi if self.amount else "") if part)

    @property
    def word_vi(self) -> str:
        """``tăng``, ``giảm`` or ``không đổi``; empty where not comparable."""
        return "" if self.sign is None else _WORDS[self.sign]

    @property
    def verdict_vi(self) -> str:
        """``tốt hơn``, ``kém hơn`` or nothing."""
        return _VERDICTS[self.verdict]


def since_previous_quarter(row: FormRow, previous_quarter: str | None) -> Difference | None:
    """Against the quarter before; None where either figure is missing.

    A figure that sums up the year starts again each year, so the first quarter is not compared with the last of the
    year before, and within a year it can hardly fall, so its rise is neither good nor bad.
    """
    earlier: Decimal | None = row.values["previous_quarter_value"]
    if row.values["period_basis"] != "year_to_date":
        return _difference(row, earlier, judged=True)
    if previous_quarter is not None and _same_year(previous_quarter, str(row.values["quarter"])):
        return _difference(row, earlier, judged=False)
    if earlier is None or row.value is None:
        return None
    return Difference(format_number(earlier), None, "", "", "", "lũy kế cả năm trước")


def _same_year(one: str, other: str) -> bool:
    return period_named(one).report_year == period_named(other).report_year


def since_last_year(row: FormRow) -> Difference | None:
    """Against the same quarter of the year before; None where either figure is missing."""
    return _difference(row, row.values["same_quarter_last_year_value"], judged=True)


def judged_by_rate(move: Difference, row: FormRow, before: Decimal | None, now: Decimal | None) -> Difference:
    """The same move without a verdict, beside that of the row's share in its whole (percent), judged in its place."""
    if before is None or now is None:
        return replace(move, verdict="")
    by = now - before
    sign = (by > 0) - (by < 0)
    amount = f"{format_number(abs(by))} điểm\u00a0%" if sign else ""
    rate = Difference(f"{format_number(before)}%", sign, amount, "", _verdict(row, by), "")
    return replace(move, verdict="", rate=rate)


def _difference(row: FormRow, earlier: Decimal | None, *, judged: bool) -> Difference | None:
    if row.value is None or earlier is None:
        return None
    move = row.value - earlier
    sign = (move > 0) - (move < 0)
    printed = format_number(earlier)
    if not sign:
        return Difference(printed, 0, "", "", "", "")
    if row.values["kind"] not in _AMOUNTS:
        return Difference(printed, None, "", "", "", "đã đổi")
    points = _is_percentage(row)
    return Difference(
        printed,
        sign,
        format_number(abs(move)) + (" điểm\u00a0%" if points else ""),
        "" if points or not earlier else _percent(abs(move), abs(earlier)),
        _verdict(row, move) if judged else "",
        "",
        unit_vi="" if points else _counted(row),
    )


def _counted(row: FormRow) -> str:
    """What the row counts, as it stands within a sentence; empty where its unit says more than that."""
    unit = str(row.values["unit_of_measure_canonical"] or "")
    return unit.lower() if unit and all(word.isalpha() for word in unit.split()) and not unit.isupper() else ""


def _verdict(row: FormRow, move: Decimal) -> str:
    wanted = {"up": 1, "down": -1}.get(str(row.values["direction"]), 0)
    return {1: "better", -1: "worse", 0: ""}[wanted * ((move > 0) - (move < 0))]


_TENTH = Decimal("0.1")


def _percent(part: Decimal, whole: Decimal) -> str:
    """A move in percent of the earlier figure; what moved is not told as 0%, nor what did not all go as 100%."""
    percent = 100 * part / whole
    rounded = percent.quantize(_TENTH, ROUND_HALF_UP)
    if not rounded:
        return f"dưới {format_number(_TENTH)}%"
    if rounded == 100 != percent:
        rounded += _TENTH if percent > 100 else -_TENTH
    return f"{format_number(rounded)}%"


def _is_percentage(row: FormRow) -> bool:
    """True for a figure in percent, whose moves are percentage points."""
    return bool(row.values["kind"] == "ratio" or row.values["unit_of_measure_canonical"] == "%")
