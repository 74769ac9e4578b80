"""Every district that the sample can write: the two it describes, and all others of the country, with invented volumes.

Belongs here: finding a district and its plan for a quarter; how an undescribed district gets its own figures.
Does not belong here: the described districts (``districts``) and their plans (``quarters``), rows.
"""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache

from common.units import registered
from sample.districts import CHAU_THANH, CU_LAO_DUNG, DISTRICTS, Commune, District
from sample.quarters import ALL_WINDOWS, NO_POST, PLANS, WINDOWS, QuarterPlan

#: The plan that others vary is of a district like this one.
_MODEL = CHAU_THANH.code
#: With its centres, a district has as many service units as the described ones.
_SCHOOLS = len(CU_LAO_DUNG.service_units()) - len(CU_LAO_DUNG.centres)


def districts_of(province: str, quarter: str) -> list[str]:
    """Codes of the districts of a province on the quarter's closing day, in order; raises ``KeyError`` for none."""
    day = ALL_WINDOWS[quarter].closes_on
    found = [
        u.code for u in registered().units if u.parent_code == province and u.level == "district" and u.valid_on(day)
    ]
    if not found:
        raise KeyError(province)
    return sorted(found)


@cache
def district_named(code: str) -> District:
    """The district of a code. Raises ``KeyError`` where no district has borne it in the sample's time."""
    if code in DISTRICTS:
        return DISTRICTS[code]
    day = WINDOWS["2023-Q1"].closes_on
    below = sorted(
        (u for u in registered().units if u.parent_code == code and u.valid_on(day)), key=lambda unit: unit.code
    )
    own = [u for u in registered().units if u.code == code and u.level == "district" and u.valid_on(day)]
    if not own or not below:
        raise KeyError(code)
    name = own[0].name
    return replace(
        CU_LAO_DUNG,
        code=code,
        name=name,
        seat=name.split(" ", 1)[1].removeprefix("phố ").removeprefix("xã "),
        case_code=f"{int(code) % 50 + 40:02d}",
        communes=tuple(Commune(unit.code, unit.name) for unit in below),
        extra_schools=tuple(f"Trường Tiểu học số {number:02}" for number in range(1, _SCHOOLS + 1)),
        commune_schools=False,
        centres=tuple(
            f"{centre} {name[:1].lower()}{name[1:]}"
            for centre in (
                "Trung tâm Văn hóa - Thể thao và Truyền thanh",
                "Trung tâm Giáo dục nghề nghiệp - Giáo dục thường xuyên",
                "Trung tâm Dịch vụ nông nghiệp",
                "Ban Quản lý dự án đầu tư xây dựng",
            )
        ),
    )


def plan_of(district: str, quarter: str) -> QuarterPlan:
    """The figures of a district and quarter; of an undescribed one the same at every call. Raises ``KeyError``."""
    if (district, quarter) in PLANS or district in DISTRICTS:
        return PLANS[district, quarter]
    model = PLANS[_MODEL, quarter]
    communes = len(district_named(district).communes)
    rng = random.Random(f"{district}-{quarter}")
    volume = rng.uniform(0.85, 1.25)
    usual = sum(model.commune_resolved) / len(model.commune_resolved)
    cases = model.district_cases
    return replace(
        model,
        district_cases=replace(
            cases,
            resolved=round(cases.resolved * volume),
            late=rng.randint(0, 9),
            open=round(cases.open * volume),
        ),
        commune_resolved=tuple(round(max(usual * 0.85, usual * rng.gauss(1.1, 0.12))) for _ in range(communes)),
        commune_open=tuple(rng.choice((0, 0, 0, 2, 5)) for _ in range(communes)),
        district_post=NO_POST,
        commune_post=NO_POST,
        steering_documents=rng.randint(6, 22),
        cchc_done=rng.randint(6, model.cchc_total),
        propaganda_done=rng.randint(2, model.propaganda_total),
    )
