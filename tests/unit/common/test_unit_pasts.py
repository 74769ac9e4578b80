"""What units were before: one life under several names, and of whom a unit is made through any number of reforms."""

from __future__ import annotations

import csv
import datetime as dt
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from common.unit_pasts import alone_since, begins_on, pasts, pasts_csv
from common.units import AdminUnit, Succession, UnitRegister, registered
from ingestion import ReferenceData
from orchestration.cli.units import check
from orchestration.units import ReportingUnits

#: Days on which the units below change; communes report by themselves from the first on.
REFORM, FIRST, SECOND = dt.date(2025, 7, 1), dt.date(2026, 7, 1), dt.date(2026, 8, 1)
TODAY, DAY = dt.date(2026, 9, 14), dt.timedelta(days=1)
SEEDS = Path(__file__).parents[3] / "dbt_project" / "seeds"


def commune(
    code: str, first: dt.date | None = None, until: dt.date | None = None, parent: str = "92", name: str = "",
    level: str = "commune",
) -> AdminUnit:  # fmt: skip
    """A unit that ends on the eve of ``until``."""
    return AdminUnit(code, level, "xã", name or f"Xã {code}", parent, first, until - DAY if until else None)


def register(*units: AdminUnit, steps: tuple[tuple[str, str, str, dt.date], ...]) -> UnitRegister:
    return UnitRegister(units, tuple(Succession(*step, "1/NQ") for step in steps), ())


DISTRICT = commune("945", None, REFORM, "94", level="district")
RENAMED = register(
    commune("31615", REFORM, FIRST), commune("31615", FIRST, name="Phường 31615"),
    steps=(("31615", "31615", "whole", FIRST),),
)  # fmt: skip
SPLIT_THEN_RENAMED = register(
    DISTRICT, commune("10001", None, REFORM, "945"), commune("10002", None, REFORM, "945"),
    commune("31615", REFORM, FIRST), commune("31633", REFORM), commune("31615", FIRST, name="Phường 31615"),
    steps=(
        ("10001", "31615", "whole", REFORM), ("10002", "31615", "part", REFORM),
        ("10002", "31633", "part-main", REFORM), ("31615", "31615", "whole", FIRST),
    ),
)  # fmt: skip
WHOLE_THEN_MERGED = register(
    DISTRICT, commune("10001", None, REFORM, "945"), commune("10002", None, REFORM, "945"),
    commune("31615", REFORM, FIRST), commune("31633", REFORM, FIRST), commune("31640", FIRST),
    steps=(
        ("10001", "31615", "whole", REFORM), ("10002", "31633", "whole", REFORM),
        ("31615", "31640", "whole", FIRST), ("31633", "31640", "whole", FIRST),
    ),
)  # fmt: skip
GOES_ON = register(
    commune("10010", REFORM), commune("10011", REFORM, FIRST), commune("10012", REFORM, SECOND),
    commune("10013", REFORM),
    steps=(
        ("10011", "10010", "whole", FIRST), ("10012", "10010", "part", SECOND), ("10012", "10013", "part-main", SECOND),
    ),
)  # fmt: skip
#: Register, unit of today, when its life began, since when it is alone, and (days, {earlier unit: how much of it}) of
#: each stretch, the latest first.
Stretches = list[tuple[dt.date | None, dict[str, str]]]
LIVES: dict[str, tuple[UnitRegister, str, dt.date | None, dt.date | None, Stretches]] = {
    "renamed": (RENAMED, "31615", REFORM, REFORM, [(FIRST, {"31615": "own"}), (REFORM, {"31615": "own"})]),
    "another province": (
        replace(RENAMED, units=(replace(RENAMED.units[0], parent_code="91"), RENAMED.units[1])),
        "31615", REFORM, REFORM, [(FIRST, {"31615": "own"}), (REFORM, {"31615": "own"})],
    ),
    "renamed, older than the register": (
        replace(RENAMED, units=(replace(RENAMED.units[0], valid_from=None), RENAMED.units[1])),
        "31615", None, None, [(FIRST, {"31615": "own"}), (None, {"31615": "own"})],
    ),
    "under another code": (
        register(commune("10001", REFORM, FIRST), commune("10002", FIRST), steps=(("10001", "10002", "whole", FIRST),)),
        "10002", FIRST, FIRST, [(FIRST, {"10002": "own"}), (REFORM, {"10001": "whole"})],
    ),
    "the code of one of two": (
        register(
            commune("10001", REFORM, FIRST), commune("10002", REFORM, FIRST), commune("10002", FIRST),
            steps=(("10001", "10002", "whole", FIRST), ("10002", "10002", "whole", FIRST)),
        ),
        "10002", FIRST, FIRST, [(FIRST, {"10002": "own"}), (REFORM, {"10001": "whole", "10002": "whole"})],
    ),
    "a part of its own code": (
        register(
            commune("10001", REFORM, FIRST), commune("10001", FIRST), commune("10002", FIRST),
            steps=(("10001", "10001", "part-main", FIRST), ("10001", "10002", "part", FIRST)),
        ),
        "10001", FIRST, FIRST, [(FIRST, {"10001": "own"}), (REFORM, {"10001": "part"})],
    ),
    "a part of a district, then by itself": (
        register(
            DISTRICT, commune("10001", None, REFORM, "945"), commune("10001", REFORM),
            steps=(("10001", "10001", "whole", REFORM),),
        ),
        "10001", REFORM, REFORM, [(REFORM, {"10001": "own"}), (None, {"10001": "whole"})],
    ),
    "of another level": (
        register(DISTRICT, commune("10001", REFORM), steps=(("945", "10001", "whole", REFORM),)),
        "10001", REFORM, REFORM, [(REFORM, {"10001": "own"}), (None, {"945": "part"})],
    ),
    "a split, then a new name": (
        SPLIT_THEN_RENAMED, "31615", REFORM, REFORM,
        [(FIRST, {"31615": "own"}), (REFORM, {"31615": "own"}), (None, {"10001": "whole", "10002": "part"})],
    ),
    "two merges": (
        WHOLE_THEN_MERGED, "31640", FIRST, FIRST,
        [
            (FIRST, {"31640": "own"}), (REFORM, {"31615": "whole", "31633": "whole"}),
            (None, {"10001": "whole", "10002": "whole"}),
        ],
    ),
    "both parts of a split, one after the other": (
        register(
            commune("10001", REFORM, FIRST), commune("10002", FIRST, SECOND), commune("10003", FIRST, SECOND),
            commune("10004", SECOND),
            steps=(
                ("10001", "10002", "part", FIRST), ("10001", "10003", "part-main", FIRST),
                ("10002", "10004", "whole", SECOND), ("10003", "10004", "whole", SECOND),
            ),
        ),
        "10004", SECOND, SECOND,
        [(SECOND, {"10004": "own"}), (FIRST, {"10002": "whole", "10003": "whole"}), (REFORM, {"10001": "part"})],
    ),
    "one that goes on takes others in": (
        GOES_ON, "10010", REFORM, SECOND,
        [
            (SECOND, {"10010": "own"}), (FIRST, {"10010": "own", "10012": "part"}),
            (REFORM, {"10010": "own", "10011": "whole", "10012": "part"}),
        ],
    ),
    "nothing happened": (GOES_ON, "10013", REFORM, SECOND, [
        (SECOND, {"10013": "own"}), (REFORM, {"10013": "own", "10012": "part"}),
    ]),
}  # fmt: skip


@pytest.mark.parametrize("kind", LIVES)
def test_each_kind_of_past_is_told_stretch_by_stretch(kind: str) -> None:
    made, code, begins, alone, stretches = LIVES[kind]
    unit = made.unit(code, TODAY)
    assert unit is not None
    assert (begins_on(made, unit), alone_since(made, unit, TODAY)) == (begins, alone)
    told: dict[tuple[dt.date | None, dt.date], dict[str, str]] = {}
    for past in pasts(made, unit, TODAY):
        told.setdefault((past.first, past.last), {})[past.unit.code] = past.relation
        assert (past.taken_over_on is None) is (past.relation == "own")
        assert past.unit.valid_on(past.last)
        assert past.first is None or past.unit.valid_on(past.first)
    assert [(first, members) for (first, _), members in told.items()] == stretches
    days = list(told)
    assert days[0][1] == TODAY
    assert all(later[0] == last + DAY for later, (_, last) in pairwise(days)), "no day twice or never"


def test_what_came_in_on_a_later_day_is_not_known_before() -> None:
    unit = GOES_ON.unit("10010", FIRST - DAY)
    assert unit is not None
    assert [(p.unit.code, p.relation) for p in pasts(GOES_ON, unit, FIRST - DAY)] == [("10010", "own")]


def test_the_day_on_which_a_unit_came_in_is_that_of_the_last_step() -> None:
    unit = WHOLE_THEN_MERGED.unit("31640", TODAY)
    assert unit is not None
    days = {past.unit.code: past.taken_over_on for past in pasts(WHOLE_THEN_MERGED, unit, TODAY)}
    assert days == {"31640": None, "31615": FIRST, "31633": FIRST, "10001": FIRST, "10002": FIRST}


def test_dbt_is_told_whom_each_reported_by_and_every_unit_once_a_stretch() -> None:
    rows = list(csv.DictReader(pasts_csv(WHOLE_THEN_MERGED, TODAY).splitlines()))
    assert {(row["past_unit_code"], row["reported_by_code"], row["begins_on"]) for row in rows} == {
        ("31640", "31640", "2026-07-01"), ("31615", "31615", "2025-07-01"), ("31633", "31633", "2025-07-01"),
        ("10001", "945", ""), ("10002", "945", ""),
    }  # fmt: skip
    country = list(csv.DictReader(pasts_csv(registered(), TODAY).splitlines()))
    assert len({(row["unit_code"], row["past_unit_code"], row["last_day"]) for row in country}) == len(country)
    assert {row["unit_code"] for row in country} == {
        unit.code for unit in registered().units if unit.level != "province" and unit.valid_on(TODAY)
    }


def test_dbt_is_told_when_each_came_to_whom_the_unit_reports_by() -> None:
    """A part that takes in another one of its district brings it nothing; what was another district's comes to it."""
    first, second, day = dt.date(2024, 2, 1), dt.date(2024, 5, 1), dt.date(2024, 6, 14)
    made = register(
        DISTRICT, commune("946", None, REFORM, "94", level="district"),
        commune("10001", None, REFORM, "945"), commune("10002", None, second, "945"),
        commune("10003", None, first, "946"), commune("10003", first, REFORM, "946", "Thị trấn 10003"),
        commune("10004", None, second, "946"), commune("10004", second, REFORM, "945"),
        steps=(
            ("10002", "10001", "whole", second), ("10003", "10003", "whole", first),
            ("10004", "10004", "whole", second),
        ),
    )  # fmt: skip
    told = {
        (row["unit_code"], row["past_unit_code"], row["last_day"]): row["taken_over_on"]
        for row in csv.DictReader(pasts_csv(made, day).splitlines())
    }
    eves = [(day - DAY).isoformat() for day in (first, second)]
    assert told == {
        **{(code, code, day.isoformat()): "" for code in ("945", "946", "10001", "10003", "10004")},
        **dict.fromkeys([("10001", "10001", eves[1]), ("10001", "10002", eves[1]), ("10003", "10003", eves[0])], ""),
        ("10004", "10004", eves[1]): second.isoformat(),
    }
    assert {row["taken_over_on"] for row in csv.DictReader(pasts_csv(GOES_ON, TODAY).splitlines())} == {
        "", FIRST.isoformat(), SECOND.isoformat(),
    }  # fmt: skip


def _reference(made: UnitRegister) -> ReferenceData:
    return replace(ReferenceData.load(SEEDS), admin_units=made.units, provinces=(), successions=made.successions)


@pytest.mark.parametrize(
    ("made", "code", "quarter", "opens", "year_opens"),
    [
        (RENAMED, "31615", "2026-Q3", "2026-06-15", "2025-12-15"),
        (RENAMED, "31615", "2026-Y", "2025-12-15", "2025-12-15"),
        (RENAMED, "31615", "2025-Q3", "2025-07-01", "2025-07-01"),
        (SPLIT_THEN_RENAMED, "31615", "2026-Q3", "2026-06-15", "2025-12-15"),
        (GOES_ON, "10010", "2026-Q3", "2026-06-15", "2025-12-15"),
        (WHOLE_THEN_MERGED, "31640", "2026-Q3", "2026-07-01", "2026-07-01"),
        (WHOLE_THEN_MERGED, "31640", "2026-Y", "2026-07-01", "2026-07-01"),
    ],
)
def test_only_one_that_begins_opens_a_window_of_its_own(
    made: UnitRegister, code: str, quarter: str, opens: str, year_opens: str
) -> None:
    reference = _reference(made)
    period = reference.periods[quarter]
    unit = reference.unit(code, period.closes_on)
    assert unit is not None
    window = reference.window_of(unit, period)
    assert (window.opens_on.isoformat(), window.year_opens_on.isoformat()) == (opens, year_opens)
    assert window.closes_on == period.closes_on


@pytest.mark.parametrize(
    ("made", "code", "quarter", "own", "others"),
    [
        # Another name: the folders of the code are the unit's own all the while, those before the split are others'.
        (
            SPLIT_THEN_RENAMED, "31615", "2026-Q3", ["2025-Q3", "2026-Q2", "2026-Q3"],
            {"2025-Q2": {"945", "10001", "10002"}},
        ),
        # The other heirs of a split show their cases in the first period only.
        (
            SPLIT_THEN_RENAMED, "31615", "2025-Q3", ["2025-Q3"],
            {"2025-Q2": {"945", "10001", "10002"}, "2025-Q3": {"31615", "31633"}},
        ),
        (
            WHOLE_THEN_MERGED, "31640", "2026-Q3", ["2026-Q3"],
            {"2025-Q2": {"945", "10001", "10002"}, "2025-Q3": {"31615", "31633"}, "2026-Q2": {"31615", "31633"},
             "2026-Q3": {"31640"}},
        ),
        (
            GOES_ON, "10010", "2026-Q3", ["2025-Q3", "2026-Q2", "2026-Q3"],
            {"2025-Q3": {"10011", "10012"}, "2026-Q2": {"10011", "10012"}, "2026-Q3": {"10010", "10013"}},
        ),
        (GOES_ON, "10010", "2026-Q2", ["2025-Q3", "2026-Q2"], {}),
    ],
)  # fmt: skip
def test_a_release_is_made_from_the_folders_of_all_who_were_in_the_unit(
    made: UnitRegister, code: str, quarter: str, own: list[str], others: dict[str, set[str]]
) -> None:
    units = ReportingUnits()
    units.__dict__["reference"] = _reference(made)
    asked = ["2025-Q2", "2025-Q3", "2026-Q2", "2026-Q3"]
    assert units.since_begun(code, asked[: asked.index(quarter) + 1]) == own
    told: dict[str, set[str]] = {}
    for codes, quarters in units.folders_before(code, quarter):
        for period in set(asked) & set(quarters):
            told.setdefault(period, set()).update(codes)
    assert told == others


@pytest.mark.parametrize(
    ("made", "code", "names"),
    [
        (RENAMED, "31615", {"Xã 31615"}),
        (WHOLE_THEN_MERGED, "31640", {"Xã 31615", "Xã 31633", "Xã 10001", "Xã 10002", "Xã 945"}),
        (GOES_ON, "10010", {"Xã 10011", "Xã 10012"}),
        (GOES_ON, "10013", {"Xã 10012"}),
    ],
)
def test_names_of_all_who_were_in_a_unit_may_still_stand_for_it(made: UnitRegister, code: str, names: set[str]) -> None:
    reference = _reference(made)
    unit = reference.unit(code, TODAY)
    assert unit is not None
    assert {before.name for before in reference.predecessors(unit, TODAY)} == names


def _written(folder: Path, made: UnitRegister) -> Path:
    """The project's tables with the units of a register besides, each change by an act of its day."""
    days = sorted({step.effective_on for step in made.successions})

    def act(day: dt.date | None) -> str:
        return f"{day:%d}/NQ-{day:%Y%m}" if day in days else "1/NQ" if day else ""

    provinces = [AdminUnit("92", "province", "thành phố", "Thành phố A", "", None, None),
                 AdminUnit("94", "province", "tỉnh", "Tỉnh B", "", None, None)]  # fmt: skip
    tables = {
        "admin_units.csv": [
            "unit_code,level,unit_type,name_vi,parent_code,valid_from,valid_to,begun_by,ended_by",
            *(
                f"{u.code},{u.level},{u.unit_type},{u.name},{u.parent_code},{u.valid_from or ''},{u.valid_to or ''},"
                f"{act(u.valid_from)},{act(u.valid_to + DAY) if u.valid_to else ''}"
                for u in (*provinces, *made.units)
            ),
        ],
        "admin_unit_successors.csv": [
            "old_unit_code,new_unit_code,relation,effective_on,legal_act",
            *(
                f"{s.old_code},{s.new_code},{s.relation},{s.effective_on},{act(s.effective_on)}"
                for s in made.successions
            ),
        ],
        "unit_acts.csv": [
            "legal_act,dated,effective_on,title_vi,units_after",
            *(f"{act(day)},{day},{day},Nghị quyết," for day in days),
        ],
        "portal_codes.csv": ["agency_code,unit_code,valid_from,valid_to,basis_vi"],
    }  # fmt: skip
    for name, lines in tables.items():
        (folder / name).write_text("\n".join([*lines, ""]), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("kind", "ends"),
    [
        ("renamed, older than the register", []),
        ("two merges", ["30/06/2026"]),
        ("a part of its own code", ["30/06/2026"]),
    ],
)
def test_who_ends_within_a_period_must_have_one_to_close_the_books_in(
    kind: str, ends: list[str], tmp_path: Path
) -> None:
    made = replace(
        LIVES[kind][0], units=tuple(replace(u, valid_from=None) if u.valid_from == REFORM and not any(
            s.new_code == u.code and s.effective_on == REFORM for s in LIVES[kind][0].successions
        ) else u for u in LIVES[kind][0].units),
    )  # fmt: skip
    folder = _written(tmp_path, made)
    lines, document, _ = check(folder)
    assert [(f["table"], f["subject"]) for f in document["faults"]] == [
        ("reporting_periods.csv", day) for day in ends
    ], lines
    if ends:
        for name, row in (
            ("reporting_periods.csv", _closing_row()),
            ("report_duties.csv", ",decree_09,closing,2026-06-30,2026-06-30,1/NQ"),
        ):
            (folder / name).write_text((SEEDS / name).read_text(encoding="utf-8-sig") + row + "\n", encoding="utf-8")
            # A period that nobody owes closes nobody's books.
            assert bool(check(folder)[1]["faults"]) is (name == "reporting_periods.csv")


def _closing_row() -> str:
    text = (SEEDS / "reporting_periods.csv").read_text(encoding="utf-8-sig")
    (row,) = (line for line in text.splitlines() if line.startswith("2025-Q3E"))
    return row.replace("2025-06-15", "2026-06-15").replace("2025-06-30", "2026-06-30").replace("2025-Q3E", "2026-Q3E")


def test_the_projects_register_closes_the_books_of_whoever_ends() -> None:
    assert check(None)[1]["faults"] == []
