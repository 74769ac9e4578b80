"""The sample district, whose invented deliveries lead to exactly the figures of the real report of 2023-Q1, and the two
communes that succeeded it in 2025.

Belongs here: canonical rows of the sample and their rendering as clerks' workbooks.
Does not belong here: reading deliveries, computing figures. Persons in the rows are invented; unit names are real.
"""

from sample.cases import LARGEST_SCALE
from sample.communes import COMMUNE_QUARTERS
from sample.districts import DISTRICTS
from sample.places import districts_of
from sample.quarters import CLOSING, QUARTERS
from sample.quarters import PERIODS as _DISTRICT_PERIODS
from sample.rows import DEFAULT_SEED, sample_rows
from sample.writer import ForeignFiles, write_sample

#: What is written unless somebody asks for less: the district of 2022 and 2023, its last short period, its successors.
WRITTEN = (*QUARTERS, CLOSING, *COMMUNE_QUARTERS)
PERIODS = (*_DISTRICT_PERIODS, *COMMUNE_QUARTERS)

__all__ = [
    "CLOSING",
    "COMMUNE_QUARTERS",
    "DEFAULT_SEED",
    "DISTRICTS",
    "LARGEST_SCALE",
    "PERIODS",
    "QUARTERS",
    "WRITTEN",
    "ForeignFiles",
    "districts_of",
    "sample_rows",
    "write_sample",
]
