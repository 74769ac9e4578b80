"""The sample's periods: windows and the figures that the rows of each quarter are made to carry.

Belongs here: one ``QuarterPlan`` a district and quarter, the last short period of Cù Lao Dung among them. Cù Lao Dung's
2023-Q1 is the real report; every other plan is invented and free of contradictions.
Does not belong here: how rows are made.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Window:
    """A reporting window and the year window it belongs to; all days included."""

    opens_on: dt.date
    closes_on: dt.date
    year_opens_on: dt.date


WINDOWS = {
    "2022-Q4": Window(dt.date(2022, 9, 15), dt.date(2022, 12, 14), dt.date(2021, 12, 15)),
    "2023-Q1": Window(dt.date(2022, 12, 15), dt.date(2023, 3, 14), dt.date(2022, 12, 15)),
    "2023-Q2": Window(dt.date(2023, 3, 15), dt.date(2023, 6, 14), dt.date(2022, 12, 15)),
}
QUARTERS = tuple(WINDOWS)
#: The rest of 2023, and its longer periods, of which only what is declared anew is delivered: written when asked for.
LATER_WINDOWS = {
    "2023-Q3": Window(dt.date(2023, 6, 15), dt.date(2023, 9, 14), dt.date(2022, 12, 15)),
    "2023-Q4": Window(dt.date(2023, 9, 15), dt.date(2023, 12, 14), dt.date(2022, 12, 15)),
}
LONGER_WINDOWS = {
    "2023-H1": Window(dt.date(2022, 12, 15), dt.date(2023, 6, 14), dt.date(2022, 12, 15)),
    "2023-M9": Window(dt.date(2022, 12, 15), dt.date(2023, 9, 14), dt.date(2022, 12, 15)),
    "2023-Y": Window(dt.date(2022, 12, 15), dt.date(2023, 12, 14), dt.date(2022, 12, 15)),
}
#: The short period in which the district closed its books: its successors began on the day after (``communes``).
CLOSING = "2025-Q3E"
CLOSING_WINDOWS = {CLOSING: Window(dt.date(2025, 6, 15), dt.date(2025, 6, 30), dt.date(2024, 12, 15))}
ALL_WINDOWS = WINDOWS | LATER_WINDOWS | LONGER_WINDOWS | CLOSING_WINDOWS
PERIODS = tuple(ALL_WINDOWS)
_IN_TURN = tuple(WINDOWS | LATER_WINDOWS)


def quarter_before(quarter: str) -> str | None:
    """The sample's quarter before; None before its first, and before the last short period."""
    if quarter == CLOSING:
        return None
    position = _IN_TURN.index(quarter)
    return _IN_TURN[position - 1] if position else None


@dataclass(frozen=True)
class DistrictCases:
    """Cases of the district itself. All but ``not_received`` and ``registered`` count as received in the quarter."""

    resolved: int
    late: int
    open: int
    withdrawn: int = 0
    refused: int = 0
    not_received: int = 0
    registered: int = 0

    @property
    def received(self) -> int:
        return self.resolved + self.open + self.withdrawn + self.refused


@dataclass(frozen=True)
class CarriedCases:
    """What became of the district's cases that were open when the quarter began."""

    late: int
    withdrawn: int
    still_open: int


@dataclass(frozen=True)
class OnlineProcedure:
    """A procedure met online in the quarter: cases in all at each level, and how many of them came online."""

    code: str
    district_cases: int
    commune_cases: int
    online: int


@dataclass(frozen=True)
class PostalUse:
    """Post in the quarter at one level: (procedures, cases) received by post and returned by post."""

    received: tuple[int, int]
    returned: tuple[int, int]


NO_POST = PostalUse((0, 0), (0, 0))


@dataclass(frozen=True)
class Documents:
    """Outgoing documents of one level (for communes: of all together)."""

    electronic_only: int
    electronic_and_paper: int
    paper_only: int
    incoming: int


@dataclass(frozen=True)
class QuarterPlan:
    """The figures one quarter of one district is made to carry.

    ``complete`` is false only for the real quarter, whose offices left out what the report leaves blank
    (document totals, levels offered, fees, autonomy groups) and whose declared figures contradict the records.
    """

    window: Window
    complete: bool
    district_cases: DistrictCases
    carried: CarriedCases
    commune_resolved: tuple[int, ...]
    commune_open: tuple[int, ...]
    online: tuple[OnlineProcedure, ...]
    district_post: PostalUse
    commune_post: PostalUse
    steering_documents: int
    district_documents: Documents
    commune_documents: Documents
    survey_paper: int
    survey_online: int
    survey_neutral: int
    cchc_done: int
    cchc_total: int
    propaganda_done: int
    propaganda_total: int
    declared: dict[int, int]


def _declared(**changes: int) -> dict[int, int]:
    """Declarations by row number of the form (``r15=1``), the same in every quarter but for ``changes``.

    They go before what the offices count beside the records.
    """
    base = {
        14: 0, 15: 1, 16: 1, 17: 1, 22: 0, 23: 0, 28: 1, 29: 1, 33: 0, 34: 0, 36: 0, 37: 0, 38: 0, 39: 0, 40: 0,
        41: 0, 43: 0, 44: 0, 45: 0, 46: 0, 47: 1, 48: 2, 50: 1, 53: 1, 63: 1, 64: 0, 65: 0, 86: 83, 92: 871, 97: 0,
        115: 1, 116: 0, 124: 0, 145: 1, 146: 19, 156: 1, 157: 1, 160: 1, 185: 1, 191: 2, 206: 1, 207: 1, 208: 1, 209: 8,
        210: 0, 211: 0,
    }  # fmt: skip
    base.update({int(key[1:]): value for key, value in changes.items()})
    return base


_CLD_2022_Q4 = QuarterPlan(
    window=WINDOWS["2022-Q4"],
    complete=True,
    district_cases=DistrictCases(resolved=1032, late=4, open=0, withdrawn=4, refused=2, not_received=3),
    carried=CarriedCases(late=0, withdrawn=0, still_open=0),
    commune_resolved=(1131, 702, 548, 806, 691, 758, 684, 581),
    commune_open=(0, 2, 0, 0, 0, 0, 1, 0),
    online=(
        OnlineProcedure("1.001193", 0, 471, 38),
        OnlineProcedure("2.000635", 35, 446, 29),
        OnlineProcedure("1.004873", 0, 312, 17),
    ),
    district_post=PostalUse((3, 8), (4, 11)),
    commune_post=PostalUse((1, 3), (2, 5)),
    steering_documents=12,
    district_documents=Documents(1104, 1253, 46, 3187),
    commune_documents=Documents(521, 562, 38, 4016),
    survey_paper=34,
    survey_online=8,
    survey_neutral=2,
    cchc_done=18,
    cchc_total=18,
    propaganda_done=8,
    propaganda_total=8,
    declared=_declared(r14=2, r15=3, r22=1, r48=5, r210=8, r211=8),
)

_CLD_2023_Q1 = QuarterPlan(
    window=WINDOWS["2023-Q1"],
    complete=False,
    district_cases=DistrictCases(resolved=611, late=5, open=534),
    carried=CarriedCases(late=0, withdrawn=0, still_open=0),
    commune_resolved=(1262, 774, 603, 889, 761, 838, 757, 646),
    commune_open=(0, 0, 0, 0, 0, 0, 0, 0),
    online=(
        OnlineProcedure("2.000815", 96, 1702, 9),
        OnlineProcedure("2.000635", 41, 498, 71),
        OnlineProcedure("1.001193", 0, 536, 64),
        OnlineProcedure("1.004873", 0, 338, 43),
    ),
    district_post=NO_POST,
    commune_post=NO_POST,
    steering_documents=17,
    district_documents=Documents(1217, 1187, 0, 0),
    commune_documents=Documents(583, 510, 0, 0),
    survey_paper=37,
    survey_online=0,
    survey_neutral=0,
    cchc_done=9,
    cchc_total=19,
    propaganda_done=3,
    propaganda_total=10,
    declared=_declared(r16=2, r114=0, r180=251, r195=10, r196=10, r201=2, r202=2),
)

_CLD_2023_Q2 = QuarterPlan(
    window=WINDOWS["2023-Q2"],
    complete=True,
    district_cases=DistrictCases(resolved=801, late=3, open=455, withdrawn=5, refused=2, not_received=5, registered=3),
    carried=CarriedCases(late=4, withdrawn=6, still_open=4),
    commune_resolved=(1318, 802, 640, 921, 783, 866, 779, 668),
    commune_open=(9, 4, 0, 12, 5, 0, 8, 3),
    online=(
        OnlineProcedure("2.000815", 104, 1758, 21),
        OnlineProcedure("2.000635", 48, 531, 112),
        OnlineProcedure("1.001193", 0, 562, 143),
        OnlineProcedure("1.004873", 0, 351, 96),
        OnlineProcedure("1.000894", 0, 118, 24),
        OnlineProcedure("1.001612", 87, 0, 19),
    ),
    district_post=PostalUse((4, 13), (6, 19)),
    commune_post=PostalUse((2, 6), (2, 9)),
    steering_documents=14,
    district_documents=Documents(1486, 1022, 31, 3544),
    commune_documents=Documents(702, 455, 24, 4390),
    survey_paper=41,
    survey_online=10,
    survey_neutral=1,
    cchc_done=14,
    cchc_total=19,
    propaganda_done=6,
    propaganda_total=10,
    declared=_declared(r14=1, r15=4, r23=1, r29=0, r48=4, r116=1, r210=5, r211=2),
)


_CLD_2023_Q3 = replace(
    _CLD_2023_Q2,
    window=LATER_WINDOWS["2023-Q3"],
    district_cases=DistrictCases(resolved=893, late=2, open=301, withdrawn=3, refused=1, not_received=2, registered=1),
    carried=CarriedCases(late=3, withdrawn=2, still_open=1),
    commune_resolved=(1290, 791, 655, 902, 770, 851, 790, 655),
    commune_open=(4, 0, 2, 7, 1, 0, 3, 2),
    steering_documents=11,
    district_documents=Documents(1398, 987, 24, 3391),
    commune_documents=Documents(688, 431, 20, 4207),
    survey_paper=38,
    survey_online=12,
    survey_neutral=2,
    cchc_done=16,
    propaganda_done=8,
    declared=_declared(r14=2, r15=3, r23=1, r29=0, r48=3, r116=1, r210=6, r211=4),
)
_CLD_2023_Q4 = replace(
    _CLD_2023_Q2,
    window=LATER_WINDOWS["2023-Q4"],
    district_cases=DistrictCases(resolved=1104, late=3, open=96, withdrawn=2, refused=2, not_received=1),
    carried=CarriedCases(late=2, withdrawn=1, still_open=0),
    commune_resolved=(1176, 735, 588, 841, 702, 779, 704, 602),
    commune_open=(2, 1, 0, 3, 0, 0, 1, 0),
    steering_documents=13,
    district_documents=Documents(1577, 934, 18, 3702),
    commune_documents=Documents(731, 402, 17, 4488),
    survey_paper=36,
    survey_online=16,
    survey_neutral=1,
    cchc_done=19,
    propaganda_done=10,
    declared=_declared(r14=3, r15=2, r23=1, r29=0, r48=5, r116=1, r210=8, r211=8),
)
#: The district's own cases that are open at the end are not in it: its successors share them out (``communes``).
_CLD_2025_Q3E = replace(
    _CLD_2023_Q4,
    window=CLOSING_WINDOWS[CLOSING],
    district_cases=DistrictCases(resolved=148, late=0, open=0, withdrawn=1, refused=1, not_received=1),
    carried=CarriedCases(late=0, withdrawn=0, still_open=0),
    commune_resolved=(196, 121, 98, 142, 117, 130, 116, 101),
    commune_open=(0, 1, 0, 0, 1, 2, 0, 0),
    online=(
        OnlineProcedure("2.000815", 14, 262, 173),
        OnlineProcedure("2.000635", 7, 79, 51),
        OnlineProcedure("1.001193", 0, 84, 62),
    ),
    district_post=PostalUse((2, 4), (2, 5)),
    commune_post=PostalUse((1, 3), (1, 3)),
    steering_documents=4,
    district_documents=Documents(311, 96, 2, 702),
    commune_documents=Documents(164, 51, 3, 811),
    survey_paper=9,
    survey_online=14,
    survey_neutral=0,
    cchc_done=15,
    propaganda_done=8,
    declared=_declared(r14=1, r15=1, r48=1, r53=0, r116=1, r210=8, r211=8),
)


def _second_district(plan: QuarterPlan, cases: DistrictCases, communes: tuple[int, ...]) -> QuarterPlan:
    """A plan of the second district: other volumes, the same shape, always complete."""
    return replace(
        plan,
        district_cases=cases,
        commune_resolved=communes,
        steering_documents=plan.steering_documents - 3,
        district_documents=replace(plan.district_documents, electronic_only=1391, paper_only=27, incoming=3902),
        commune_documents=replace(plan.commune_documents, electronic_only=644, paper_only=19, incoming=4481),
    )


_CT_2022_Q4 = _second_district(
    _CLD_2022_Q4,
    DistrictCases(resolved=874, late=2, open=0, withdrawn=3, refused=1, not_received=2),
    (1012, 655, 731, 590, 622, 604, 688, 571),
)
_CT_2023_Q2 = _second_district(
    _CLD_2023_Q2,
    DistrictCases(resolved=716, late=3, open=371, withdrawn=4, refused=2, not_received=4, registered=2),
    (1107, 716, 802, 633, 690, 651, 749, 622),
)
_CT_2023_Q3 = _second_district(
    _CLD_2023_Q3,
    DistrictCases(resolved=745, late=2, open=288, withdrawn=3, refused=1, not_received=3, registered=1),
    (1093, 702, 790, 641, 677, 660, 738, 615),
)
_CT_2023_Q4 = _second_district(
    _CLD_2023_Q4,
    DistrictCases(resolved=931, late=2, open=83, withdrawn=2, refused=1, not_received=2),
    (1021, 668, 745, 602, 640, 618, 701, 580),
)
_CT_2023_Q1 = replace(
    _CT_2023_Q2,
    window=WINDOWS["2023-Q1"],
    district_cases=DistrictCases(resolved=602, late=2, open=407, withdrawn=2, not_received=3),
    carried=CarriedCases(late=0, withdrawn=0, still_open=0),
    commune_open=(6, 0, 3, 0, 4, 2, 0, 5),
    online=_CT_2022_Q4.online,
    steering_documents=10,
    survey_paper=29,
    survey_online=6,
    survey_neutral=0,
    cchc_done=7,
    propaganda_done=3,
    declared=_declared(r15=2, r53=0),
)

PLANS = {
    ("945", "2022-Q4"): _CLD_2022_Q4,
    ("945", "2023-Q1"): _CLD_2023_Q1,
    ("945", "2023-Q2"): _CLD_2023_Q2,
    ("945", "2023-Q3"): _CLD_2023_Q3,
    ("945", "2023-Q4"): _CLD_2023_Q4,
    ("945", CLOSING): _CLD_2025_Q3E,
    ("942", "2022-Q4"): _CT_2022_Q4,
    ("942", "2023-Q1"): _CT_2023_Q1,
    ("942", "2023-Q2"): _CT_2023_Q2,
    ("942", "2023-Q3"): _CT_2023_Q3,
    ("942", "2023-Q4"): _CT_2023_Q4,
}


@dataclass(frozen=True)
class LongerPlan:
    """What an office declares for a longer period: the quarters it is made of, and the bare declarations, by row."""

    window: Window
    quarters: tuple[str, ...]
    declared: dict[int, int]


#: Declared as of closing, so that the last quarter's figure stands; what was counted in each quarter adds up.
_ADDS_UP = frozenset({14, 15, 33, 34, 48, 64, 65})


def _longer(district: str, period: str, quarters: tuple[str, ...]) -> LongerPlan:
    plans = [PLANS[district, quarter] for quarter in quarters]
    declared = {
        row: sum(plan.declared[row] for plan in plans)
        if row in _ADDS_UP
        else max(plan.declared[row] for plan in plans[-1:])
        for row in plans[-1].declared
    }
    return LongerPlan(LONGER_WINDOWS[period], quarters, declared)


_OF_2023 = ("2023-Q1", "2023-Q2", "2023-Q3", "2023-Q4")
LONGER_PLANS = {
    (district, period): _longer(district, period, _OF_2023[:count])
    for district in ("945", "942")
    for period, count in (("2023-H1", 2), ("2023-M9", 3), ("2023-Y", 4))
}
