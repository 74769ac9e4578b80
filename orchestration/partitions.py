"""Reporting periods as Dagster partitions: those that have begun, and those that somebody delivered or asked for.

Belongs here: which periods Dagster's pages list, and making them known to an instance. Does not belong here: windows;
``common.periods`` reads them, without Dagster.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import dagster as dg

from common.periods import find_period, is_scheduled, load_periods

_NAME = "quarters"


def quarters() -> dg.DynamicPartitionsDefinition:
    """Partitions whose keys are periods, ``2023-Q1``, ``2023-H1``, ``2023-Y``. A static list of the table would show
    years to come as missing reports (https://docs.dagster.io/guides/build/partitions-and-backfills/partitioning-assets).
    """
    return dg.DynamicPartitionsDefinition(name=_NAME)


def add_quarters(instance: dg.DagsterInstance, today: dt.date, others: Iterable[str] = ()) -> None:
    """Makes known every period of the table that is reported on and has begun by ``today``, and of the others those
    that the table has. A longer period has begun when the last of its quarters has.

    A backfill follows the order in which partitions became known; so an older one that comes late is put in its place.
    """
    known = instance.get_dynamic_partitions(_NAME)
    opening = {period.quarter: period.opens_on for period in load_periods()}
    begun = (
        period.quarter
        for period in load_periods()
        if is_scheduled(period) and max([period.opens_on, *(opening[part] for part in period.made_of)]) <= today
    )
    wanted = {*known, *begun, *(quarter for quarter in others if find_period(quarter))}
    in_order = [period.quarter for period in load_periods() if period.quarter in wanted]
    stay = next((n for n, pair in enumerate(zip(known, in_order, strict=False)) if pair[0] != pair[1]), len(known))
    for quarter in known[stay:]:
        instance.delete_dynamic_partition(_NAME, quarter)
    if len(in_order) > stay:
        instance.add_dynamic_partitions(_NAME, in_order[stay:])
