"""Remarks that no single file can carry: on versions, on files that contradict each other, on files in wrong places.

Belongs here: ``raw/landing_remarks.parquet``, made anew by each ingestion from the receipts, the lake and the landing
folder. Does not belong here: which version counts (``ledger``), what a remark leads to (gate 1).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ingestion.base.contracts import Contract
from ingestion.base.lake import DamagedError, read_again_and_again, write_table
from ingestion.base.paths import IngestPaths
from ingestion.base.reference import ReferenceData
from ingestion.base.remarks import SCHEMA, FileRemark, remark_table
from ingestion.deliveries import ledger
from ingestion.deliveries.strays import stray_files

_UNCERTAIN = "order_uncertain"
_SHOWN_KEYS = 10
Delivery = dict[str, Any]
Key = tuple[Any, ...]


def rebuild_landing_remarks(
    paths: IngestPaths,
    contracts: Mapping[str, Contract],
    reference: ReferenceData,
    source: str,
    quarters: Collection[str],
    *,
    signed: bool = False,
) -> None:
    """Rebuilds ``raw/landing_remarks.parquet`` after a source of some quarters has been taken in; ``signed``: whether
    decisions must be signed.

    Contradictions between files are looked for in that source and those quarters only, and kept of all others.
    """
    with ledger.locked(paths):
        parts = [contradictions(paths, contracts[source], reference, quarter) for quarter in sorted(quarters)]
        before = remarks_on_landing(paths)
        if before.schema.names == SCHEMA.names:
            looked_at = pc.is_in(before["_quarter"], pa.array(sorted(quarters), pa.string()))
            elsewhere = pc.or_(pc.not_equal(before["_source"], source), pc.invert(looked_at))
            parts.append(before.filter(pc.and_(pc.equal(before["kind"], _UNCERTAIN), elsewhere)).cast(SCHEMA))
        _keep(paths, contracts, reference, parts, signed)


def rebuild_all_landing_remarks(
    paths: IngestPaths, contracts: Mapping[str, Contract], reference: ReferenceData, *, signed: bool
) -> None:
    """Makes ``raw/landing_remarks.parquet`` from nothing, for every source and quarter with deliveries."""
    with ledger.locked(paths):
        places = {(d["source"], d["quarter"]) for d in ledger.current(paths)}
        parts = [contradictions(paths, contracts[s], reference, q) for s, q in sorted(places) if s in contracts]
        _keep(paths, contracts, reference, parts, signed)


def _keep(
    paths: IngestPaths,
    contracts: Mapping[str, Contract],
    reference: ReferenceData,
    contradicting: list[pa.Table],
    signed: bool,
) -> None:
    """Writes the remarks where they are others than before, with a checksum on each page: nothing else vouches for
    them.
    """
    parts = [
        SCHEMA.empty_table(),
        stray_files(paths, reference, contracts, signed=signed),
        _corrections(paths),
        *contradicting,
    ]
    order = [(name, "ascending") for name in ("kind", "_quarter", "_unit_code", "_source", "subject", "_file_name")]
    table = pa.concat_tables(parts).sort_by(order).combine_chunks()
    if not paths.landing_remarks.exists() or remarks_on_landing(paths) != table:
        write_table(paths.landing_remarks, table, checksums=True)


def remarks_on_landing(paths: IngestPaths) -> pa.Table:
    """The remarks as the last ingestion left them; none where there was none.

    Raises :class:`DamagedError` where they cannot be read, or not as they were written.
    """
    if not paths.landing_remarks.exists():
        return SCHEMA.empty_table()
    try:
        return read_again_and_again(paths.landing_remarks, checksums=True)
    except (OSError, pa.ArrowException) as error:
        raise DamagedError(f"{paths.landing_remarks} bị hỏng; lập lại bằng: cchc rebuild") from error


def _lineage(d: Delivery) -> dict[str, str]:
    return {
        "_delivery_id": d["delivery_id"],
        "_source": d["source"],
        "_unit_code": d["unit_code"],
        "_quarter": d["quarter"],
        "_file_name": d["file_name"],
        "_file_sha256": d["sha256"],
    }


def _mark(d: Delivery) -> str:
    """Names a file and its content: what is settled about it is not settled about another content."""
    return f"{d['file_name']}#{d['sha256'][:8]}"


def _corrections(paths: IngestPaths) -> pa.Table:
    """Corrections in whose stead an earlier version counts, and those that say that there is nothing any more."""
    table = ledger.read_deliveries(paths)
    tables = [SCHEMA.empty_table()]
    followed = table.filter(pc.or_(pc.is_valid(table["counts_instead"]), pc.is_valid(table["superseded_by"])))
    if not followed.num_rows:
        return tables[0]
    named = pa.chunked_array([*followed["counts_instead"].chunks, *followed["superseded_by"].chunks])
    following = table.filter(pc.is_in(table["delivery_id"], named.unique().drop_null()))
    everything = {d["delivery_id"]: d for d in following.to_pylist()}
    for d in followed.to_pylist():
        if (counting := everything.get(d["counts_instead"] or "")) is not None:
            remark = FileRemark(
                "correction_refused",
                f"Bản sửa “{d['file_name']}” bị trả lại ({d['message_vi'] or _rejected(d)}); bản trước "
                f"“{counting['file_name']}” với {counting['rows_accepted']} dòng vẫn được tính.",
                "Sửa tệp theo lý do trả lại rồi nộp lại cùng tên; hoặc nộp lại bản trước nếu bản đó đúng.",
                subject=_mark(d),
                value=d["refusal"] or d["outcome"],
                expected=_mark(counting),
                count=counting["rows_accepted"],
            )
            tables.append(remark_table([remark], **_lineage(d)))
        after = everything.get(d["superseded_by"] or "")
        if after and after["is_current"] and after["outcome"] == "nothing_to_report" and d["rows_accepted"]:
            remark = FileRemark(
                "correction_empty",
                f"Bản sửa “{after['file_name']}” không có dòng nào, thay cho bản trước có {d['rows_accepted']} dòng.",
                "Nếu thật không phát sinh thì xác nhận bằng quyết định; nếu không thì nộp lại tệp đủ dòng, cùng tên.",
                subject=_mark(after),
                expected=_mark(d),
                count=d["rows_accepted"],
            )
            tables.append(remark_table([remark], **_lineage(after)))
    return pa.concat_tables(tables)


def _rejected(d: Delivery) -> str:
    return f"{d['rows_rejected']} trên {d['rows_read']} dòng bị loại"


# ------------------------------------------------------------------------------------------------- contradicting files


def contradictions(paths: IngestPaths, contract: Contract, reference: ReferenceData, quarter: str) -> pa.Table:
    """Current files of one reporting unit and quarter that say different things about one key, where nothing tells
    which was delivered later: they came together, or lie in folders of different units.
    """
    closing = reference.periods[quarter].closes_on
    groups: dict[str, list[Delivery]] = defaultdict(list)
    for d in ledger.current(paths, quarters=[quarter], source=contract.source):
        if d["rows_accepted"]:
            reporting = reference.reporting_unit(d["unit_code"], closing)
            groups[reporting.code if reporting else d["unit_code"]].append(d)
    tables = [SCHEMA.empty_table()]
    for _, group in sorted(groups.items()):
        found: dict[tuple[str, ...], list[Key]] = defaultdict(list)
        by_id = {d["delivery_id"]: d for d in group}
        for key, contents in sorted(_shared_keys(paths, contract, group).items(), key=lambda item: str(item[0])):
            ids = _undecided([by_id[i] for i in contents], contents)
            if ids:
                found[ids].append(key)
        for ids, keys in sorted(found.items()):
            deliveries = [by_id[i] for i in ids]
            tables.append(remark_table([_contradiction(contract, deliveries, keys)], **_lineage(deliveries[-1])))
    return pa.concat_tables(tables)


def _undecided(deliveries: list[Delivery], contents: Mapping[str, Any]) -> tuple[str, ...]:
    """The delivery whose row would count and those that may be later and say something else, in order; else empty."""
    ordered = sorted(deliveries, key=lambda d: d["delivery_rank"])
    last = ordered[-1]
    others = [
        d
        for d in ordered[:-1]
        if contents[d["delivery_id"]] != contents[last["delivery_id"]]
        and not (d["unit_code"] == last["unit_code"] and d["first_seen"] < last["first_seen"])
    ]
    return tuple(d["delivery_id"] for d in [*others, last]) if others else ()


def _shared_keys(paths: IngestPaths, contract: Contract, group: list[Delivery]) -> dict[Key, dict[str, Any]]:
    """Contents by delivery of each key that stands in several of them; of a key's rows in one file the last."""
    if len(group) < 2:
        return {}
    files = {
        d["delivery_id"]: paths.rows_file("lake", d["source"], d["quarter"], d["unit_code"], d["delivery_id"])
        for d in group
    }
    keys = pa.concat_tables(
        pq.ParquetFile(file).read(columns=contract.key).append_column("file", pa.array([n] * rows, pa.int32()))
        for n, file in enumerate(files.values())
        if (rows := pq.read_metadata(file).num_rows)
    )
    counted = keys.group_by(contract.key).aggregate([("file", "count_distinct")])
    shared = counted.filter(pc.greater(counted["file_count_distinct"], 1)).select(contract.key).drop_null()
    if not shared.num_rows:
        return {}
    found: dict[Key, dict[str, Any]] = defaultdict(dict)
    names = [field.name for field in contract.arrow_schema() if not field.name.startswith("_")]
    for identity, file in files.items():
        rows = pq.ParquetFile(file).read(columns=["_sheet", "_row", *names])
        rows = rows.join(shared, keys=contract.key, join_type="left semi")
        for row in sorted(rows.to_pylist(), key=lambda row: (row["_sheet"] or "", row["_row"])):
            found[tuple(row[k] for k in contract.key)][identity] = tuple(row[name] for name in names)
    return found


def _contradiction(contract: Contract, deliveries: list[Delivery], keys: list[Key]) -> FileRemark:
    last = deliveries[-1]
    shown_columns = [n for n, name in enumerate(contract.key) if contract.column(name).type != "person_key"]
    shown = ["/".join(str(key[n]) for n in shown_columns) for key in keys[:_SHOWN_KEYS]] if shown_columns else []
    keys_vi = f": {', '.join(shown)}" if shown else ""
    more = f" và {len(keys) - len(shown)} khóa khác" if shown and len(keys) > len(shown) else ""
    names = ", ".join(f"“{d['unit_code']}/{d['file_name']}”" for d in deliveries)
    return FileRemark(
        _UNCERTAIN,
        f"Các tệp {names} ghi khác nhau về {len(keys)} khóa và không có gì cho biết tệp nào gửi sau{keys_vi}{more}.",
        "Ghi vào sổ giao nộp delivery_log.csv tệp nào thay tệp nào, hoặc sửa cho các tệp thống nhất rồi nộp lại; "
        f"nếu chấp nhận thì dòng của tệp “{last['file_name']}” được tính.",
        subject=" + ".join(_mark(d) for d in deliveries),
        value=", ".join(shown) or None,
        expected=_mark(last),
        count=len(keys),
    )
