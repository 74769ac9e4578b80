"""Forms of the satisfaction survey.

Belongs here: canonical rows of ``survey_responses``.
Does not belong here: the numbers of forms (``quarters``).
"""

from __future__ import annotations

import random
from typing import Any

from sample import workdays
from sample.districts import District
from sample.quarters import QuarterPlan


def survey_rows(seed: int, district: District, quarter: str, plan: QuarterPlan) -> list[dict[str, Any]]:
    """One row a form, dated on working days of the quarter; everybody satisfied but for the planned neutral ones."""
    rng = random.Random(f"survey-{seed}-{district.code}-{quarter}")
    total = plan.survey_paper + plan.survey_online
    days = workdays.between(plan.window.opens_on, plan.window.closes_on)
    dates = sorted(rng.choice(days) for _ in range(total))
    channels = ["paper"] * plan.survey_paper + ["online"] * plan.survey_online
    rng.shuffle(channels)
    neutral = set(rng.sample(range(total), k=plan.survey_neutral))
    rows = []
    for number, (day, channel) in enumerate(zip(dates, channels, strict=True)):
        overall = "neutral" if number in neutral else _satisfied(rng)
        rows.append(
            {
                "form_number": f"PKS-{quarter.replace('-', '')}-{number + 1:03d}",
                "channel": channel,
                "responded_on": day,
                "attitude": _satisfied(rng),
                "time": overall if overall == "neutral" else _satisfied(rng),
                "quality": _satisfied(rng),
                "overall": overall,
            }
        )
    return rows


def _satisfied(rng: random.Random) -> str:
    return "very_satisfied" if rng.random() < 0.35 else "satisfied"
