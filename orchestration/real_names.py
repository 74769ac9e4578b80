"""What deliveries are really called, for people of this machine; releases know neutral names only.

Belongs here: neutral name to file name, and a delivery's sheets. Does not belong here: neutral names (``publication``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import pyarrow as pa

from common.kept import KeptForTheLast
from ingestion import IngestPaths, read_deliveries

_NAMED = ["delivery_id", "source", "quarter", "unit_code", "file_name"]
#: What every neutral name holds: where it may stand is looked for once a line, not once a delivery.
_END = re.compile(r"-(?=([0-9a-f]{8}))")


def file_names(paths: IngestPaths) -> Mapping[str, str]:
    """Delivery -> the name it was delivered under."""
    return _file_names(read_deliveries(paths))


def sheet_names(paths: IngestPaths, delivery_id: str) -> list[str]:
    """Names of the sheets that rows of a delivery were taken from, in the order in which releases number them."""
    import pyarrow.parquet as pq

    found = paths.raw.glob(f"lake/source=*/quarter=*/unit=*/{delivery_id}.parquet")
    sheets = {name for path in found for name in pq.read_table(path, columns=["_sheet"])["_sheet"].unique().to_pylist()}
    return sorted(name for name in sheets if name is not None)


def with_real_names(paths: IngestPaths, lines: list[str]) -> list[str]:
    """Lines in which neutral names of files are replaced by the real ones."""
    by_end = _by_end(read_deliveries(paths))
    return [_replaced(line, by_end) for line in lines]


@KeptForTheLast
def _file_names(deliveries: pa.Table) -> dict[str, str]:
    return dict(zip(deliveries["delivery_id"].to_pylist(), deliveries["file_name"].to_pylist(), strict=True))


@KeptForTheLast
def _by_end(deliveries: pa.Table) -> dict[str, dict[str, str]]:
    """File names by neutral names, by the end of these."""
    from publication import neutral_name

    found: dict[str, dict[str, str]] = {}
    for row in deliveries.select(_NAMED).to_pylist():
        found.setdefault(row["delivery_id"][:8], {})[neutral_name(row)] = row["file_name"]
    return found


def _replaced(line: str, by_end: Mapping[str, Mapping[str, str]]) -> str:
    for end in dict.fromkeys(_END.findall(line)):
        for neutral, real in by_end.get(end, {}).items():
            line = line.replace(neutral, real)
    return line
