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
        description="Một quý báo cáo: nhận tệp, kiểm tra, tính, công bố. One quarter, from files to releases.",
    )
