"""What deliveries are really called, for people of this machine; releases know neutral names only.

Belongs here: neutral name to file name, and a delivery's sheets. Does not belong here: neutral names (``publication``).
"""

from __future__ import annotations

from ingestion import IngestPaths, read_deliveries


def file_names(paths: IngestPaths) -> dict[str, str]:
    """Delivery -> the name it was delivered under."""
    return {row["delivery_id"]: row["file_name"] for row in read_deliveries(paths).to_pylist()}


def sheet_names(paths: IngestPaths, delivery_id: str) -> list[str]:
    """Names of the sheets that rows of a delivery were taken from, in the order in which releases number them."""
    import pyarrow.parquet as pq

    found = paths.raw.glob(f"lake/source=*/quarter=*/unit=*/{delivery_id}.parquet")
    sheets = {name for path in found for name in pq.read_table(path, columns=["_sheet"])["_sheet"].unique().to_pylist()}
    return sorted(name for name in sheets if name is not None)


def with_real_names(paths: IngestPaths, lines: list[str]) -> list[str]:
    """Lines in which neutral names of files are replaced by the real ones."""
    from publication import neutral_name

    names = {neutral_name(row): row["file_name"] for row in read_deliveries(paths).to_pylist()}
    return [_replaced(line, names) for line in lines]


def _replaced(line: str, names: dict[str, str]) -> str:
    for neutral, real in names.items():
        if neutral in line:
            line = line.replace(neutral, real)
    return line
