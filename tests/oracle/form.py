"""The 211 rows of the 2023 form from canonical rows, by the methodology's text.

Each rule is one line keyed by the row's number in the form. Rows are dictionaries with the contracts' column names.
Registers (units, procedures, staff, plans, surveys, documents, declared figures) are taken from the quarter's own
deliveries; cases from all deliveries up to the quarter, the last one of a case counting, in the order of the quarters.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from typing import Any

Row = dict[str, Any]
Files = Mapping[tuple[str, str, str], list[Row]]

SECTIONS = (("I", 30), ("II", 18), ("III", 28), ("IV", 36), ("V", 31), ("VI", 8), ("VII", 60))
HEADERS = frozenset({
    1, 6, 12, 31, 49, 57, 66, 70, 77, 78, 91, 99, 104, 113, 123, 128, 131, 144, 152, 155, 158, 159, 168, 171, 172,
    176, 192, 193, 199, 205,
})  # fmt: skip
FLAGS = frozenset({16, 17, 22, 23, 28, 29, 47, 50, 52, 53, 63, 115, 116, 124, 145, 153, 156, 157, 160, 169, 185})
# Rows that repeat or add up other rows of the form.
DERIVED = {
    18: (19,), 24: (27,), 35: (36, 39), 42: (44,), 85: (86,), 96: (98,), 108: (109, 110),
    117: (118, 119, 120, 121, 122), 134: (135, 136, 137, 138, 142, 143), 147: (148, 149, 150, 151),
    187: (188, 189, 190),
}  # fmt: skip
NO_CASE = frozenset({"registered", "not_received"})
SET_ASIDE = frozenset({"withdrawn", "refused"})
# Rows about communes, which do not apply where there are none.
OF_COMMUNES = frozenset({74, 75, 76, 103, 127, 142, 143, 161, 165, 166, 167, 170, 189, 201, 202, 203, 204})
# Procedures used by post and the cases they come from: one is zero exactly where the other is.
POST_PAIRS = {195: 197, 196: 198, 201: 203, 202: 204}


@dataclass
class Figure:
    """One row of the form. ``value`` is what is published; None where nothing is."""

    status: str
    value: Decimal | None = None
    computed: Decimal | None = None
    declared: Decimal | None = None
    decision_id: str | None = None


@dataclass
class Form:
    """All rows by number, and the findings as (rule, indicator code), settled ones left out."""

    figures: dict[int, Figure]
    findings: set[tuple[str, str]] = field(default_factory=set)


def code_of(row_no: int) -> str:
    """Indicator code of a row number: ``III.23`` for 71."""
    for section, length in SECTIONS:
        if row_no <= length:
            return f"{section}.{row_no:02d}"
        row_no -= length
    raise ValueError(f"no row {row_no}")


def row_of(code: str) -> int:
    """Row number of an indicator code."""
    section, _, place = code.partition(".")
    before = 0
    for name, length in SECTIONS:
        if name == section:
            return before + int(place)
        before += length
    raise ValueError(f"no section {section}")


def reckon(
    deliveries: Mapping[str, Files],
    district: str,
    quarter: str,
    window: tuple[dt.date, dt.date, dt.date],
    *,
    has_communes: bool = True,
) -> Form:
    """The form of ``district`` for ``quarter``.

    ``deliveries`` holds the files of every quarter up to this one, by quarter; ``window`` is (opening, closing, first
    day of the reporting year).
    """
    decisions = [d for d in _source(deliveries[quarter], "decisions") if _holds(d, district, quarter)]
    records = _Computed(deliveries, district, quarter, window, decisions)
    computed = records.rows()
    if not has_communes:
        computed |= dict.fromkeys(OF_COMMUNES)
    returns = {r["indicator_code"]: r for r in _source(deliveries[quarter], "declared_returns")}
    declared = {
        row: Decimal(returns[code_of(row)]["value"])
        for row in range(1, 212)
        if returns.get(code_of(row), {}).get("value") is not None
    }
    # One way of simplifying is a yes; a no is known where every way is.
    ways = (computed[54], computed[55], declared.get(56))
    computed[53] = 1 if any(ways) else None if None in ways else 0
    about_rows = {d["subject"]: d for d in decisions if d["subject_kind"] == "row"}
    figures: dict[int, Figure] = {}
    for row in [r for r in range(1, 212) if r not in DERIVED] + list(DERIVED):
        if row in DERIVED:
            applying = [figures[part] for part in DERIVED[row] if figures[part].status != "not_applicable"]
            parts = [figure.value for figure in applying]
            computed[row] = None if None in parts else sum(p for p in parts if p is not None)
        figures[row] = _settle(row, computed.get(row), declared.get(row), about_rows.get(code_of(row)))
        if row in OF_COMMUNES and not has_communes and figures[row].status == "not_reported":
            figures[row] = Figure("not_applicable")
    form = Form(dict(sorted(figures.items())))
    form.findings = _findings(form.figures, records.communes_open, declared, decisions)
    return form


def _holds(decision: Row, district: str, quarter: str) -> bool:
    return bool(decision["unit"] == district and decision["quarter"] <= quarter <= decision["holds_until"])


def _settle(row: int, computed: int | Decimal | None, declared: Decimal | None, decision: Row | None) -> Figure:
    if row in HEADERS:
        return Figure("not_applicable")
    mine = None if computed is None else Decimal(computed)
    if decision is not None:
        chosen = {
            "accept_declared": ("declared", declared),
            "accept_computed": ("computed", mine),
            "withhold": ("withheld", None),
        }[decision["action"]]
        return Figure(chosen[0], chosen[1], mine, declared, decision["decision_id"])
    if mine is not None and declared is not None and mine != declared:
        return Figure("unsettled", None, mine, declared)
    if mine is not None:
        return Figure("computed", mine, mine, declared)
    if declared is not None:
        return Figure("declared", declared, None, declared)
    return Figure("not_reported")


def _findings(
    figures: dict[int, Figure],
    communes_open: int,
    declared: Mapping[int, Decimal],
    decisions: list[Row],
) -> set[tuple[str, str]]:
    """What the report contradicts itself in, less what decisions on rules and rows cover."""
    value = {row: _best(figure) for row, figure in figures.items()}
    found = {("report.settled", code_of(row)) for row, f in figures.items() if f.status == "unsettled"}
    for row in FLAGS:
        if value[row] not in (None, 0, 1):
            found.add((f"report.flag_domain.{code_of(row)}", code_of(row)))
    if (value[53] == 1) != any(value[row] for row in (54, 55, 56)):
        found.add(("report.III.05.follows_parts", "III.05"))
    if declared.get(114) == 0 and 1 in (value[115], value[116]):
        found.add(("report.V.02.heading_contradicts_children", "V.02"))
    groups = sum(value[row] or 0 for row in (148, 149, 150, 151))
    if value[147] != groups:
        found.add(("report.VI.04.sum_of_groups", "VI.04"))
    if (value[148] or 0) + (value[149] or 0) > 0 and not (value[97] and value[98]):
        found.add(("report.VI.06.requires_staff", "VI.06"))
    if (value[180] or 0) > (value[174] or 0) + (value[178] or 0):
        found.add(("report.VII.29.at_most_offered", "VII.29"))
    for procedures, cases in POST_PAIRS.items():
        if (value[procedures] == 0) != (value[cases] == 0):
            found.add((f"report.{code_of(procedures)}.iff_cases", code_of(procedures)))
    if communes_open == 0:
        found.add(("report.III.27.no_backlog", "III.27"))
    rules = {d["subject"] for d in decisions if d["subject_kind"] == "rule"}
    rows = {d["subject"] for d in decisions if d["subject_kind"] == "row"}
    return {(rule, code) for rule, code in found if rule not in rules and code not in rows}


def _best(figure: Figure) -> Decimal | None:
    """As published, else as declared, else as computed."""
    for value in (figure.value, figure.declared, figure.computed):
        if value is not None:
            return value
    return None


def _source(files: Files, source: str) -> list[Row]:
    return [row for (_, name, _), rows in files.items() if name == source for row in rows]


def _percent(part: int, whole: int | None) -> Decimal | None:
    if not whole:
        return None
    return (Decimal(100 * part) / Decimal(whole)).quantize(Decimal("0.01"), ROUND_HALF_UP)


def _total(rows: Iterable[Row], column: str) -> int:
    return sum(row[column] or 0 for row in rows)


def _one_code(code: str) -> str:
    """A case code as (agency from the province down, day, serial), whichever way it is written."""
    if "-" not in code:
        return str(int(code))
    agency, day, serial = code.split("-")
    levels = agency.split(".")
    if re.fullmatch(r"[A-Z]\d\d", levels[-1]) and len(levels) == 4:
        levels.reverse()
    numbers = [int(level) for level in levels[1:]]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return "/".join([levels[0], *map(str, numbers), day, str(int(serial))])


def _at_once(procedure: Row | None) -> bool:
    """Is the procedure answered within the day, so that it needs no appointment?"""
    limit = procedure and (procedure["shortened_time_limit"] or procedure["time_limit"])
    words = re.findall(r"\w+", (limit or "").lower())
    pairs = list(pairwise(words))
    counts_days = any(n.isdigit() and int(n) > 0 and unit in ("ngày", "tháng", "tuần", "năm") for n, unit in pairs)
    return not counts_days and ("ngay" in words or ("trong", "ngày") in pairs or ("trong", "buổi") in pairs)


class _Computed:
    """Rows that come from records; None where the records do not say."""

    def __init__(
        self,
        deliveries: Mapping[str, Files],
        district: str,
        quarter: str,
        window: tuple[dt.date, dt.date, dt.date],
        decisions: list[Row],
    ) -> None:
        self.files = deliveries[quarter]
        self.district = district
        self.opens, self.closes, self.year_opens = window
        self.cases: dict[str, Row] = {}
        for name in sorted(q for q in deliveries if q <= quarter):
            for case in _source(deliveries[name], "one_stop_cases"):
                self.cases[_one_code(case["case_code"])] = case
        self.pardoned = {_one_code(d["subject"]) for d in decisions if d["action"] == "count_as_on_time"}
        self.records = _source(self.files, "org_units")
        # A code has a record for each name and group it had; the one in being describes it, else the last.
        self.units = {
            u["unit_code"]: u for u in sorted(self.records, key=lambda u: (self.in_being(u), u["valid_from"]))
        }
        self.values: dict[int, int | Decimal | None] = {}
        self.communes_open = 0

    def rows(self) -> dict[int, int | Decimal | None]:
        for part in (
            self._plans, self._surveys, self._procedures, self._cases, self._units, self._staff, self._documents,
            self._online, self._post,
        ):  # fmt: skip
            part()
        return self.values

    def in_period(self, day: dt.date | None) -> bool:
        return day is not None and self.opens <= day <= self.closes

    def in_being(self, unit: Row) -> bool:
        return bool(unit["valid_from"] <= self.closes and (unit["valid_to"] is None or unit["valid_to"] > self.closes))

    def in_year(self, day: dt.date | None) -> bool:
        return day is not None and self.year_opens <= day <= self.closes

    def _plans(self) -> None:
        tasks = _source(self.files, "plan_tasks")

        def of(plan: str) -> list[Row]:
            return [t for t in tasks if t["plan"] == plan]

        def of_the_year(plan: str) -> list[Row]:
            year = self.closes.year
            return [t for t in of(plan) if t["status"] != "cancelled" and _plan_year(t, self.closes) == year]

        def done(task: Row) -> bool:
            return task["done_on"] is not None and task["done_on"] <= self.closes

        year = of_the_year("cchc_year")
        proven = [t for t in year if done(t) and t["evidence_document"]]
        spread = of_the_year("propaganda")
        self.values.update(
            {
                2: _percent(len(proven), len(year)),
                3: len(year),
                4: len(proven),
                13: _percent(len([t for t in spread if done(t)]), len(spread)),
            }
        )
        for plan, by_type, found, settled in (
            ("inspection", {7: "department", 8: "public_service_unit", 9: "commune"}, 10, 11),
            ("inspection_decentralisation", {105: "commune"}, 106, 107),
            ("audit", {110: "commune"}, 111, 112),
        ):
            visited = [t for t in of(plan) if done(t)]
            for row, kind in by_type.items():
                self.values[row] = len({t["target_unit"] for t in visited if self._type(t["target_unit"]) == kind})
            self.values[found] = _total(visited, "findings_found")
            self.values[settled] = _total(visited, "findings_settled")
        audited = {t["target_unit"] for t in of("audit") if done(t)}
        self.values[109] = len([u for u in audited if self._type(u) in ("department", "public_service_unit")])
        province = [
            t
            for t in of("province_assigned")
            if self.in_period(t["due_on"])
            or (t["due_on"] < self.opens and (t["done_on"] is None or t["done_on"] >= self.opens))
        ]
        self.values[19] = len(province)
        self.values[20] = len([t for t in province if done(t) and t["done_on"] <= t["due_on"]])
        self.values[21] = len([t for t in province if done(t) and t["done_on"] > t["due_on"]])
        self.values[52] = int(bool(of_the_year("procedure_review")))
        self.values[153] = int(bool(of_the_year("digital_government")))
        self.values[129] = _total(of_the_year("training"), "planned_quantity")
        self.values[132] = _total(of_the_year("rotation"), "planned_quantity")

    def _type(self, unit: str) -> str:
        return str(self.units[unit]["unit_type"])

    def _surveys(self) -> None:
        answers = [a for a in _source(self.files, "survey_responses") if self.in_period(a["responded_on"])]
        channels = {a["channel"] for a in answers}
        satisfied = [a for a in answers if a["overall"] in ("satisfied", "very_satisfied")]
        self.values[25] = len(answers)
        self.values[26] = 2 if len(channels) == 2 else {"online": 0, "paper": 1}[channels.pop()]
        self.values[27] = _percent(len(satisfied), len(answers))

    def _procedures(self) -> None:
        everything = _source(self.files, "procedure_catalogue")
        self.procedures = {
            p["procedure_code"]: p
            for p in everything
            if p["valid_from"] <= self.closes and (p["ended_on"] is None or p["ended_on"] > self.closes)
        }
        # What describes a procedure: the record in force, else the last one.
        self.described = {p["procedure_code"]: p for p in sorted(everything, key=lambda p: p["valid_from"])}
        self.described |= self.procedures
        now = list(self.procedures.values())
        commune = [p for p in now if p["applies_commune"]]

        def in_year(column: str) -> int:
            return len([p for p in everything if self.in_year(p[column])])

        self.values.update(
            {
                51: in_year("reviewed_on"),
                54: in_year("shortened_on"),
                55: in_year("components_reduced_on"),
                58: len([p for p in everything if self.in_period(p["valid_from"])]),
                59: len([p for p in everything if self.in_period(p["ended_on"])]),
                60: len(now),
                61: len([p for p in now if p["applies_district"]]),
                62: len(commune),
                67: len([p for p in now if p["interlinked"] == "same_level"]),
                68: len([p for p in now if p["interlinked"] == "cross_level"]),
                69: _percent(len([p for p in commune if p["internal_process_electronic"]]), len(commune)),
                194: len([p for p in now if p["postal_service"] and p["applies_district"]]),
                200: len([p for p in now if p["postal_service"] and p["applies_commune"]]),
            }
        )

    def _cases(self) -> None:
        for district_level, rows in ((True, (71, 72, 73)), (False, (74, 75, 76))):
            cases = [c for c in self.cases.values() if (c["receiving_unit"] == self.district) is district_level]
            received = [c for c in cases if self._received(c)]
            resolved = [c for c in cases if self._resolved(c)]
            self.values[rows[0]] = len(received)
            self.values[rows[1]] = len(resolved)
            self.values[rows[2]] = len([c for c in resolved if self._on_time(c)])
        communes = {c["receiving_unit"] for c in self.cases.values() if self._received(c)} - {self.district}
        self.values[169] = int(self.values[71] != 0)
        self.values[170] = len(communes)
        self.communes_open = len(
            [c for c in self.cases.values() if c["receiving_unit"] != self.district and self._is_open(c)]
        )

    def _received(self, case: Row) -> bool:
        return self.in_period(case["received_at"].date()) and case["status"] not in NO_CASE

    @staticmethod
    def _ended(case: Row) -> dt.date | None:
        """The day of ending, which is believed whatever the label says."""
        ended: dt.datetime | None = case["finished_at"] or case["returned_at"]
        return ended.date() if ended else None

    def _is_open(self, case: Row) -> bool:
        if case["status"] in NO_CASE or case["received_at"].date() > self.closes:
            return False
        ended = self._ended(case)
        return case["status"] not in SET_ASIDE if ended is None else ended > self.closes

    def _resolved(self, case: Row) -> bool:
        return case["status"] not in NO_CASE | SET_ASIDE and self.in_period(self._ended(case))

    def _on_time(self, case: Row) -> bool:
        due, ended = case["extended_to"] or case["due_at"], self._ended(case)
        assert ended is not None
        if _one_code(case["case_code"]) in self.pardoned:
            return True
        return ended <= due.date() if due else _at_once(self.described.get(case["procedure_code"]))

    def _units(self) -> None:
        for present, closed, kind in (
            (79, 82, "department"), (80, 83, "public_service_unit"), (81, 84, "public_service_subunit"),
        ):  # fmt: skip
            units = [u for u in self.units.values() if u["unit_type"] == kind]
            self.values[present] = len([u for u in units if self.in_being(u)])
            # Cut: no record of the code is left at the end of the closing day.
            self.values[closed] = len([u for u in units if not self.in_being(u) and self.in_year(u["valid_to"])])
        for row, group in ((148, 1), (149, 2), (150, 3), (151, 4)):
            self.values[row] = len(
                [
                    u
                    for u in self.units.values()
                    if u["unit_type"] == "public_service_unit"
                    and self.in_being(u)
                    and u.get("applies_autonomy") is not False
                    and u["autonomy_group"] == group
                ]
            )

    def _staff(self) -> None:
        everybody = _periods_of_service(_source(self.files, "staffing_roster"))
        present = [
            p
            for p in everybody
            if (p["recruited_on"] is None or p["recruited_on"] <= self.closes)
            and (
                p["left_on"] is None
                or p["left_on"] > self.closes
                or (p["recruited_on"] is not None and p["left_on"] < p["recruited_on"])
            )
        ]

        def civil(people: list[Row]) -> list[Row]:
            return [p for p in people if p["category"] == "district_civil_servant"]

        def employees(people: list[Row]) -> list[Row]:
            return [p for p in people if p["category"] == "public_employee"]

        def group(person: Row) -> int | None:
            return self.units.get(person["unit"], {}).get("autonomy_group")

        streamlined = [p for p in everybody if p["leaving_reason"] == "streamlined"]
        plan = {r["indicator_code"]: r["value"] for r in _source(self.files, "declared_returns")}
        has_mailboxes = all("official_email" in p for p in everybody)
        self.values.update({
            87: len(civil(present)),
            88: len([p for p in present if p["category"] == "contract" and self._type(p["unit"]) == "department"]),
            89: len([p for p in civil(streamlined) if self.in_period(p["left_on"])]),
            90: _percent(len([p for p in civil(streamlined) if self.in_year(p["left_on"])]), plan["AUX.01"]),
            93: len([p for p in employees(present) if p["salary_source"] == "state_budget"]),
            94: len([p for p in employees(streamlined) if self.in_period(p["left_on"])]),
            95: _percent(len([p for p in employees(streamlined) if self.in_year(p["left_on"])]), plan["AUX.02"]),
            98: len([p for p in present if group(p) in (1, 2)]),
            130: len([p for p in everybody if self.in_year(p["training_ended_on"])]),
            133: len([p for p in everybody if self.in_year(p["rotated_on"])]),
            154: len([p for p in present if p["it_officer"]]),
            186: len([p for p in present if p["official_email"]]) if has_mailboxes else None,
        })  # fmt: skip
        for row, certified, appointed, level in (
            (100, 188, 125, "district_leader"), (101, 190, 126, "department_leader"),
            (102, None, None, "subordinate_unit_leader"), (103, 189, 127, "commune_leader"),
        ):  # fmt: skip
            leaders = [p for p in present if p["leadership"] == level]
            self.values[row] = len(leaders)
            if certified is not None:
                self.values[certified] = len([p for p in leaders if p["digital_certificate"]])
            if appointed is not None:
                reported = all("appointed_on" in p for p in leaders)
                self.values[appointed] = (
                    len([p for p in leaders if self.in_period(p["appointed_on"])]) if reported else None
                )
        for row, category, modes in (
            (118, "district_civil_servant", ("examination", "selection")),
            (119, "district_civil_servant", ("special",)),
            (120, "district_civil_servant", ("from_commune",)),
            (121, "public_employee", ("examination", "selection")),
            (122, "public_employee", ("special",)),
        ):
            self.values[row] = len(
                [
                    p
                    for p in everybody
                    if self.in_period(p["recruited_on"])
                    and p["category"] == category
                    and p["recruitment_mode"] in modes
                ]
            )
        disciplined = [p for p in everybody if self.in_period(p["disciplined_on"])]
        units = employees(disciplined)
        self.values.update(
            {
                135: len([p for p in disciplined if p["leadership"] == "district_leader"]),
                136: len([p for p in disciplined if p["leadership"] == "department_leader"]),
                137: len([p for p in civil(disciplined) if p["leadership"] is None]),
                138: len(units),
                139: len([p for p in units if group(p) in (1, 2)]),
                140: len([p for p in units if group(p) == 3]),
                141: len([p for p in units if group(p) in (4, None)]),
                142: len([p for p in disciplined if p["category"] == "commune_official"]),
                143: len([p for p in disciplined if p["category"] == "commune_civil_servant"]),
            }
        )

    def _documents(self) -> None:
        first_month = self.opens.replace(day=1)
        counts = [
            c
            for c in _source(self.files, "e_document_counts")
            if c["month"] is None or first_month <= c["month"] <= self.closes
        ]
        registers = sorted({c["unit"] for c in counts})
        for at_district, rows in ((True, (162, 163, 164)), (False, (165, 166, 167))):
            level = [unit for unit in registers if (unit == self.district) is at_district]
            for row, column in zip(rows, ("outgoing_total", "electronic_only", "electronic_and_paper"), strict=True):
                figures = [_of_register(counts, unit, "all", column) for unit in level]
                reported = [figure for figure in figures if figure is not None]
                self.values[row] = sum(reported) if reported else None
        self.values[5] = _of_register(counts, self.district, "cchc", "outgoing_total")
        self.values[32] = _of_register(counts, self.district, "all", "outgoing_total", "legal_normative")
        self.values[161] = len({c["unit"] for c in counts if c["connected"] and c["unit"] != self.district})

    def _online(self) -> None:
        eligible = {
            level: [p for p in self.procedures.values() if p["online_eligible_level"] == level]
            for level in ("level_3", "level_4")
        }
        received = [c for c in self.cases.values() if self._received(c)]
        met_online = {c["procedure_code"] for c in received if c["channel"] == "online"}
        used: set[str] = set()
        for level, (all_row, offered_row, used_row) in (("level_3", (173, 174, 175)), ("level_4", (177, 178, 179))):
            self.values[all_row] = len(eligible[level])
            # Where nothing is eligible, nothing can be offered: that is a zero.
            reported = not eligible[level] or any(p["online_offered_level"] is not None for p in eligible[level])
            offered = {p["procedure_code"] for p in eligible[level] if p["online_offered_level"] == level}
            self.values[offered_row] = len(offered) if reported else None
            self.values[used_row] = len(offered & met_online) if reported else None
            used |= offered & met_online
        offered_anywhere = [
            p
            for p in self.procedures.values()
            if p["on_national_portal"] and p["online_offered_level"] in ("level_3", "level_4")
        ]
        is_blank = any(
            listed and all(p["online_offered_level"] is None for p in listed)
            for listed in (eligible["level_3"], [p for p in eligible["level_4"] if p["on_national_portal"]])
        )
        self.values[180] = None if is_blank else len(offered_anywhere)
        # Procedures "có phát sinh" a fee: with a case received in the period; paid online are some of them.
        with_cases = {c["procedure_code"] for c in received}
        for row, column in ((183, "has_fee"), (184, "online_payment")):
            reported = any(p[column] is not None for p in self.procedures.values())
            used_with_fee = [p for p in self.procedures.values() if p["has_fee"] and p["procedure_code"] in with_cases]
            self.values[row] = len([p for p in used_with_fee if p[column]]) if reported else None
        self.values[181] = len([c for c in received if c["procedure_code"] in used])
        self.values[182] = len([c for c in received if c["procedure_code"] in used and c["channel"] == "online"])

    def _post(self) -> None:
        for at_district, (procs_in, procs_out, cases_in, cases_out) in (
            (True, (195, 196, 197, 198)), (False, (201, 202, 203, 204)),
        ):  # fmt: skip
            level = [c for c in self.cases.values() if (c["receiving_unit"] == self.district) is at_district]
            came = [c for c in level if self._received(c) and c["channel"] == "postal"]
            went = [
                c
                for c in level
                if c["return_channel"] == "postal"
                and c["status"] not in NO_CASE | SET_ASIDE
                and c["returned_at"] is not None
                and self.in_period(c["returned_at"].date())
            ]
            self.values[procs_in] = len({c["procedure_code"] for c in came})
            self.values[procs_out] = len({c["procedure_code"] for c in went})
            self.values[cases_in], self.values[cases_out] = len(came), len(went)


def _plan_year(task: Row, closes: dt.date) -> int:
    """Year of the plan a task belongs to: as named, else by its document, else by its days, else the reporting year."""
    document = (task["plan_document"] or "").lower()
    if named := re.findall(r"năm\s+(20\d\d)", document):
        return int(named[-1])
    if dates := re.findall(r"\b(\d{1,2})[/.-](\d{1,2})[/.-](20\d\d)", document):
        month, year = int(dates[-1][1]), int(dates[-1][2])
        return year + 1 if month >= 10 and (task["due_on"] is None or task["due_on"].year > year) else year
    days = [day for day in (task["due_on"], task["done_on"]) if day is not None]
    return days[0].year if days else closes.year


def _periods_of_service(roster: list[Row]) -> list[Row]:
    """The roster's lines with one person under one key, ``person``, and no period of service twice."""
    codes: dict[tuple[Any, ...], set[str]] = {}
    for line in roster:
        if line.get("staff_code"):
            codes.setdefault(_name_and_birth(line), set()).add(line["staff_code"])
    periods: dict[tuple[Any, ...], Row] = {}
    for line in roster:
        known = codes.get(_name_and_birth(line), set())
        person = line.get("staff_code") or (next(iter(known)) if len(known) == 1 else _name_and_birth(line))
        periods[person, line["unit"], line["recruited_on"], line["left_on"]] = line
    return list(periods.values())


def _name_and_birth(line: Row) -> tuple[Any, ...]:
    return tuple(line.get(name) for name in ("full_name", "birth_date", "birth_date_male", "birth_date_female"))


def _of_register(counts: list[Row], unit: str, topic: str, column: str, kind: str | None = None) -> int | None:
    """A register's figure for a topic: of one kind, else of "all", else of the kinds; None where nobody said."""
    lines = [c for c in counts if c["unit"] == unit and c["topic"] == topic]
    kinds = {c["document_kind"] for c in lines}
    if kind is not None:
        wanted = {kind}
    elif "all" in kinds:
        wanted = {"all"}
    else:
        wanted = kinds if "administrative" in kinds else set()
    reported: list[int] = []
    for name in wanted:
        of_kind = [c for c in lines if c["document_kind"] == name]
        totals = [c for c in of_kind if c["month"] is None]
        reported += [c[column] for c in totals or of_kind if c[column] is not None]
    return sum(reported) if reported else None
