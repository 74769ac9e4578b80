"""Step of reading: rows that name a procedure get its code.

Belongs here: which rows need a code, and what is said of those that get none. Does not belong here: the catalogue and
its spellings (``resolve``).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.base.contracts import Contract
from ingestion.rows.resolve import Context
from ingestion.rows.rules import RowRemark
from ingestion.rows.tables import FileRows


def resolve_procedures(read: FileRows, contract: Contract, context: Context) -> FileRows:
    """The same rows with procedure codes filled in from names where the code is blank; each pair of name and day is
    looked up once. A name that means no procedure, or several, is remarked on.
    """
    rows = replace(read.rows, columns=dict(read.rows.columns))
    remarks = list(read.remarks)
    for column in contract.columns:
        plan = column.resolved_from
        if plan is None:
            continue
        names, days = (
            rows.columns[plan.name],
            pc.cast(pc.floor_temporal(rows.columns[plan.day], unit="day"), pa.date32()),
        )
        wanted = np.flatnonzero(
            ~rows.present(column.name)
            & pc.is_valid(names).to_numpy(zero_copy_only=False)
            & pc.is_valid(days).to_numpy(zero_copy_only=False)
        )
        if not len(wanted):
            continue
        at = pa.array(wanted)
        pairs = pa.table({"name": names.take(at), "day": days.take(at)})
        codes, distinct = _distinct_pairs(pairs)
        readings = [context.procedures.resolve(name, day) for name, day in distinct]
        found = pa.array([r.value for r in readings], pa.string()).take(pa.array(codes))
        mask = np.zeros(len(rows), dtype=bool)
        mask[wanted] = True
        rows.columns[column.name] = pc.replace_with_mask(rows.columns[column.name], pa.array(mask), found)
        by_place = np.split(wanted[np.argsort(codes, kind="stable")], np.cumsum(np.bincount(codes))[:-1])
        for reading, (name, _), places in zip(readings, distinct, by_place, strict=True):
            if reading.rejection is not None:
                remarks.append(RowRemark(places, plan.name, name, reading.rejection, True))
    return replace(read, rows=rows, remarks=tuple(remarks))


def _distinct_pairs(pairs: pa.Table) -> tuple[np.ndarray, list[tuple[str, dt.date]]]:
    names, days = (pairs.column(n).combine_chunks().dictionary_encode() for n in ("name", "day"))
    width = len(days.dictionary)
    joint = names.indices.to_numpy().astype(np.int64) * width + days.indices.to_numpy()
    keys, codes = np.unique(joint, return_inverse=True)
    known_names, known_days = names.dictionary.to_pylist(), days.dictionary.to_pylist()
    return codes, [(known_names[k // width], known_days[k % width]) for k in keys.tolist()]
