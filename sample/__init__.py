"""The sample district: invented deliveries that lead to exactly the figures of the real report of 2023-Q1.

Belongs here: canonical rows of the sample and their rendering as clerks' workbooks.
Does not belong here: reading deliveries, computing figures. Persons in the rows are invented; unit names are real.
"""

from sample.districts import DISTRICTS
from sample.places import districts_of
from sample.quarters import PERIODS, QUARTERS
from sample.rows import DEFAULT_SEED, sample_rows
from sample.writer import ForeignFiles, write_sample

__all__ = [
    "DEFAULT_SEED",
    "DISTRICTS",
    "PERIODS",
    "QUARTERS",
    "ForeignFiles",
    "districts_of",
    "sample_rows",
    "write_sample",
]
