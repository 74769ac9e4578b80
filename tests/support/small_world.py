"""A small district in which every measure counts something: one file a source, a few rows, every optional column.

Belongs here: rows of one quarter, made so that a measure's every condition is met by somebody.
Does not belong here: the sample (``sample``), what the figures should be.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ingestion.base.contracts import load_contracts
from sample.rows import FileKey, Row

QUARTER = "2023-Q1"
OPENS, CLOSES = dt.date(2022, 12, 15), dt.date(2023, 3, 14)
MONTHS = (dt.date(2022, 12, 1), dt.date(2023, 1, 1), dt.date(2023, 2, 1), dt.date(2023, 3, 1))
_UNITS = Path(__file__).parents[2] / "dbt_project" / "seeds" / "admin_units.csv"
_DAY = dt.date(2023, 2, 1)
_DISTRICT_DIGITS = 3


def districts() -> Iterator[tuple[str, tuple[str, str]]]:
    """Districts of the quarter with two of their communes, in the order of the register."""
    with _UNITS.open(encoding="utf-8", newline="") as file:
        units = [row for row in csv.DictReader(file) if not row["valid_to"] or row["valid_to"] >= CLOSES.isoformat()]
    communes: dict[str, list[str]] = {}
    for unit in units:
        if unit["level"] == "commune" and (not unit["valid_from"] or unit["valid_from"] <= CLOSES.isoformat()):
            communes.setdefault(unit["parent_code"], []).append(unit["unit_code"])
    for unit in units:
        own = communes.get(unit["unit_code"], [])
        if unit["level"] == "district" and len(own) > 1:
            yield unit["unit_code"], (own[0], own[1])


def rows(district: str, communes: tuple[str, str]) -> dict[FileKey, list[Row]]:
    """The district's files of ``QUARTER``; every row has every column of its contract."""
    first, second = communes
    files: dict[str, list[Row]] = {
        "org_units": list(_org_units(district, communes)),
        "procedure_catalogue": list(_procedures()),
        "plan_tasks": list(_tasks(district, first)),
        "staffing_roster": list(_people(district, first)),
        "survey_responses": [
            {"form_number": "P1", "channel": "paper", "responded_on": _DAY, "overall": "satisfied"},
            {"form_number": "P2", "channel": "online", "responded_on": _DAY, "overall": "neutral"},
        ],
        "declared_returns": [
            {"indicator_code": "AUX.01", "value": 2, "approved_on": CLOSES},
            {"indicator_code": "AUX.02", "value": 2, "approved_on": CLOSES},
        ],
        "e_document_counts": [
            {"unit": unit, "document_kind": kind, "topic": topic, "outgoing_total": 10, "electronic_only": 6,
             "electronic_and_paper": 3, "paper_only": 1, "connected": True}
            for unit in (district, first, second)
            for kind, topic in (("all", "all"), ("all", "cchc"), ("legal_normative", "all"))
        ],
        "one_stop_cases": [case for unit in (district, first) for case in _cases(unit)],
    }  # fmt: skip
    contracts = load_contracts()
    return {
        (district, source, f"{source}.xlsx"): [
            {c.name: row.get(c.name) for c in contracts[source].columns if c.derived_from is None} for row in listed
        ]
        for source, listed in files.items()
    }


def _org_units(district: str, communes: tuple[str, str]) -> Iterator[Row]:
    def unit(
        code: str, kind: str, group: int | None = None, closed: dt.date | None = None, posts: int | None = None
    ) -> Row:
        return {"unit_code": code, "name": code, "unit_type": kind, "autonomy_group": group,
                "applies_autonomy": True if group else None, "valid_from": dt.date(2016, 7, 1),
                "valid_to": closed, "assigned_posts": posts}  # fmt: skip

    yield unit(district, "district")
    yield unit(f"{district}-PB01", "department", posts=6)
    yield unit(f"{district}-PB02", "department", closed=_DAY)
    for group in (1, 2, 3, 4):
        yield unit(f"{district}-SN0{group}", "public_service_unit", group, posts=group - 1)
    yield unit(f"{district}-SN05", "public_service_unit", closed=_DAY)
    yield unit(f"{district}-SN01-P1", "public_service_subunit")
    yield unit(f"{district}-SN01-P2", "public_service_subunit", closed=_DAY)
    for commune in communes:
        yield unit(commune, "commune")


def _procedures() -> Iterator[Row]:
    base = {"field": "Hộ tịch", "applies_district": True, "applies_commune": True, "valid_from": dt.date(2020, 1, 1),
            "internal_process_electronic": True, "time_limit": "05 ngày làm việc", "shortened_on": _DAY,
            "components_reduced_on": _DAY, "reviewed_on": _DAY, "on_national_portal": True, "has_fee": True,
            "online_payment": True, "postal_service": True}  # fmt: skip
    for number, (level, linked) in enumerate((("level_3", "same_level"), ("level_4", "cross_level")), 1):
        yield base | {"procedure_code": f"1.00000{number}", "procedure_name": f"Thủ tục {number}",
                      "online_eligible_level": level, "online_offered_level": level, "interlinked": linked}  # fmt: skip
    yield base | {"procedure_code": "1.000003", "procedure_name": "Thủ tục 3", "valid_from": _DAY}
    yield base | {"procedure_code": "1.000004", "procedure_name": "Thủ tục 4", "ended_on": _DAY}


def _tasks(district: str, commune: str) -> Iterator[Row]:
    def task(plan: str, number: int, **cells: Any) -> Row:
        return {"plan": plan, "plan_document": "03/KH-UBND ngày 04/01/2023", "task_code": f"{plan}-{number}",
                "status": "in_progress", "due_on": CLOSES} | cells  # fmt: skip

    done = {"status": "done", "done_on": _DAY, "evidence_document": "1/BC"}
    yield task("cchc_year", 1, **done)
    yield task("cchc_year", 2)
    yield task("propaganda", 1, **done)
    yield task("training", 1, planned_quantity=50)
    yield task("rotation", 1, planned_quantity=20)
    yield task("procedure_review", 1)
    yield task("digital_government", 1)
    yield task("province_assigned", 1, **done)
    yield task("province_assigned", 2, **(done | {"due_on": OPENS}))
    found = done | {"findings_found": 4, "findings_settled": 2}
    for plan in ("inspection", "inspection_decentralisation", "audit"):
        for number, unit in enumerate((f"{district}-PB01", f"{district}-SN01", commune), 1):
            yield task(plan, number, target_unit=unit, **found)


def _people(district: str, commune: str) -> Iterator[Row]:
    number = 0

    def person(unit: str, category: str, **cells: Any) -> Row:
        nonlocal number
        number += 1
        return {"staff_code": f"A{number}", "full_name": f"Nguyễn Văn A{number}", "birth_date": dt.date(1980, 1, 2),
                "unit": unit, "category": category, "salary_source": "state_budget",
                "recruited_on": dt.date(2010, 1, 4), "recruitment_mode": "examination", "digital_certificate": True,
                "official_email": True, "it_officer": True, "training_ended_on": _DAY, "rotated_on": _DAY,
                "disciplined_on": _DAY, "appointed_on": _DAY} | cells  # fmt: skip

    yield person(district, "official", leadership="district_leader")
    yield person(f"{district}-PB01", "district_civil_servant", leadership="department_leader")
    yield person(f"{district}-PB01", "contract")
    for mode in ("examination", "special", "from_commune"):
        yield person(f"{district}-PB01", "district_civil_servant", recruited_on=_DAY, recruitment_mode=mode)
    for group in (1, 2, 3, 4):
        yield person(f"{district}-SN0{group}", "public_employee", leadership="subordinate_unit_leader")
    for mode in ("selection", "special"):
        yield person(f"{district}-SN04", "public_employee", recruited_on=_DAY, recruitment_mode=mode)
    gone = {"left_on": _DAY, "leaving_reason": "streamlined"}
    yield person(f"{district}-PB01", "district_civil_servant", **gone)
    yield person(f"{district}-SN04", "public_employee", **gone)
    yield person(commune, "commune_official", leadership="commune_leader")
    yield person(commune, "commune_civil_servant")
    # Of a commune some came and one left; nothing else is said of them.
    unsaid = dict.fromkeys(("digital_certificate", "official_email", "it_officer"), False) | dict.fromkeys(
        ("training_ended_on", "rotated_on", "disciplined_on", "appointed_on")
    )
    for mode in ("selection", "special"):
        yield person(commune, "commune_civil_servant", **unsaid | {"recruited_on": _DAY, "recruitment_mode": mode})
    yield person(commune, "commune_civil_servant", **unsaid | gone)


def _cases(unit: str) -> Iterator[Row]:
    agency = "000.00.32.H51" if len(unit) == _DISTRICT_DIGITS else "000.21.32.H51"

    def case(number: int, received: dt.date, due: dt.date, ended: dt.date | None, status: str, **cells: Any) -> Row:
        moments = [dt.datetime.combine(day, dt.time(9)) if day else None for day in (received, due, ended)]
        return {"case_code": f"{agency}-{received:%y%m%d}-{number:04d}", "procedure_code": "1.000001",
                "receiving_unit": unit, "received_at": moments[0], "due_at": moments[1], "finished_at": moments[2],
                "returned_at": moments[2], "status": status, "channel": "online",
                "return_channel": "postal"} | cells  # fmt: skip

    yield case(1, dt.date(2023, 1, 10), dt.date(2023, 1, 20), dt.date(2023, 1, 12), "returned")
    yield case(2, dt.date(2023, 1, 10), dt.date(2023, 1, 20), dt.date(2023, 2, 12), "returned")
    yield case(3, dt.date(2022, 12, 1), dt.date(2022, 12, 20), dt.date(2023, 1, 12), "refused")
    yield case(4, dt.date(2023, 3, 1), dt.date(2023, 3, 6), None, "in_progress", channel="postal")
    yield case(5, dt.date(2023, 1, 10), dt.date(2023, 1, 20), dt.date(2023, 1, 12), "returned",
               procedure_code="1.000002")  # fmt: skip
