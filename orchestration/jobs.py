"""The one job: a quarter, from delivered files to releases."""

from __future__ import annotations

from typing import Any

import dagster as dg

from orchestration.partitions import quarters

QUARTER_JOB = "quarter"


def quarter_job() -> Any:
    """All assets of one quarter, for the units of the run's scope."""
    return dg.define_asset_job(
        QUARTER_JOB,
        selection=dg.AssetSelection.all(),
        partitions_def=quarters(),
        # What a killed run knew of faults in the landing folder is gone with it, so it is repeated whole; what was
        # taken in, built and released stays, and is not done again.
        tags={"dagster/retry_strategy": "ALL_STEPS"},
        description="Một quý báo cáo: nhận tệp, kiểm tra, tính, công bố. One quarter, from files to releases.",
    )
