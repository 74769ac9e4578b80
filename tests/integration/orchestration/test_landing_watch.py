"""The sensor on the landing folder: complete and stable, once for each content, and again when it changes."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import dagster as dg
import pytest

from ingestion import load_contracts
from orchestration.jobs import quarter_job
from orchestration.sensors import landing_watch
from orchestration.settings import Settings
from sample import write_sample

QUARTER = "2023-Q1"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    write_sample(tmp_path / "landing", quarters=(QUARTER,))
    return Settings(home=tmp_path)


class Watch:
    """Ticks of the sensor, each with the cursor that the one before left."""

    def __init__(self, settings: Settings) -> None:
        self._sensor = landing_watch(settings, quarter_job(), load_contracts())
        self._cursor: str | None = None

    def tick(self) -> list[tuple[str, str]]:
        with dg.DagsterInstance.ephemeral() as instance:
            context = dg.build_sensor_context(instance=instance, cursor=self._cursor)
            result = self._sensor(context)
        assert isinstance(result, dg.SensorResult)
        self._cursor = result.cursor
        return [(str(r.partition_key), str(r.run_key)) for r in result.run_requests or []]


def test_a_complete_quarter_is_asked_for_once_it_is_stable_and_only_once(settings: Settings) -> None:
    watch = Watch(settings)
    assert watch.tick() == []
    assert [quarter for quarter, _ in watch.tick()] == [QUARTER]
    assert watch.tick() == []


def test_an_incomplete_quarter_is_not_asked_for(settings: Settings) -> None:
    shutil.rmtree(settings.paths.landing / "31618")
    watch = Watch(settings)
    assert [watch.tick(), watch.tick()] == [[], []]


def test_a_growing_file_delays_the_run(settings: Settings) -> None:
    watch = Watch(settings)
    growing = settings.paths.landing / "945" / QUARTER / "survey_responses" / "late.csv"
    for size in (10, 20, 30):
        growing.write_bytes(b"x" * size)
        assert watch.tick() == []
    assert len(watch.tick()) == 1


def test_a_late_file_asks_again_even_with_an_old_date(settings: Settings) -> None:
    watch = Watch(settings)
    watch.tick()
    (first,) = watch.tick()
    late = settings.paths.landing / "945" / QUARTER / "survey_responses" / "bo-sung.csv"
    late.write_text("Số phiếu\n", encoding="utf-8")
    os.utime(late, (0, 0))
    assert watch.tick() == []
    (again,) = watch.tick()
    assert again[0] == first[0]
    assert again[1] != first[1]
