"""Quarters as Dagster partitions. Apart from ``periods``, so that a quarter can be looked up without Dagster."""

from __future__ import annotations

from functools import lru_cache

import dagster as dg

from common.periods import load_periods


@lru_cache(maxsize=1)
def quarters() -> dg.StaticPartitionsDefinition:
    """Partitions whose keys are the quarters, ``2023-Q1``."""
    return dg.StaticPartitionsDefinition([p.quarter for p in load_periods()])
