"""A home that works for some units only: whose deliveries are its own, and which it tells as another's."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.pipeline import Pipeline
from orchestration.settings import Settings

QUARTER = "2023-Q1"
#: A district, a commune of it, their province, and a code that nobody carries.
DISTRICT, COMMUNE, PROVINCE, NOBODY = "945", "31618", "94", "00000"


@pytest.mark.parametrize(
    ("units", "others", "superiors"),
    [
        ((), [], [PROVINCE]),
        ((DISTRICT,), [PROVINCE], []),
        ((PROVINCE,), [COMMUNE, DISTRICT], [PROVINCE]),
        ((DISTRICT, PROVINCE), [], [PROVINCE]),
        (("946",), [COMMUNE, DISTRICT, PROVINCE], []),
    ],
)
def test_what_lies_here_for_another_home_is_told(
    units: tuple[str, ...], others: list[str], superiors: list[str], tmp_path: Path
) -> None:
    pipeline = Pipeline(Settings(home=tmp_path, units=units))
    for folder in (DISTRICT, COMMUNE, PROVINCE, NOBODY):
        path = tmp_path / "landing" / folder / QUARTER / "survey_responses" / "a.csv"
        path.parent.mkdir(parents=True)
        path.write_text("a")
    assert pipeline.units.reporting_unit(COMMUNE, QUARTER) == DISTRICT
    assert pipeline.deliveries.of_other_homes(QUARTER) == sorted(others)
    assert pipeline.deliveries.superiors(QUARTER) == superiors
