"""Last step of reading: what became of the delivery, as the tables that are kept and the facts of its receipt.

Belongs here: the shape of accepted rows, remarks and furniture in the lake. Does not belong here: where they are stored
(``deliveries``, ``lake``), or any judgement.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.base.contracts import LINEAGE_FIELDS, Contract
from ingestion.base.limits import UNUSABLE
from ingestion.base.readings import Proof
from ingestion.base.remarks import SCHEMA as FILE_REMARK_SCHEMA
from ingestion.base.remarks import FileRemark, message_of, remark_table
from ingestion.rows import noticing
from ingestion.rows.headers import Layout
from ingestion.rows.rules import RowRemark, Rows
from ingestion.rows.tables import ConservationError, JudgedRows, NonDataRows
from ingestion.rows.untouched import answers_nothing

REMARK_SCHEMA = pa.schema(
    [*LINEAGE_FIELDS, *(pa.field(n, pa.string()) for n in ("column", "value", "reason_code", "reason_vi", "advice_vi"))]
)
FURNITURE_SCHEMA = pa.schema([*LINEAGE_FIELDS, pa.field("kind", pa.string()), pa.field("reason", pa.string())])
EMPTY_TABLE = FileRemark(
    "nothing_unsaid",
    "Bảng không có dòng nào nên được hiểu là “Không phát sinh”;",
    "nếu có số liệu thì điền rồi nộp lại tệp cùng tên.",
)


_ROWS_NAMED = 10


@dataclass(frozen=True)
class FileIdentity:
    """The lineage that every row of a delivery carries."""

    delivery_id: str
    source: str
    unit_code: str
    quarter: str
    file_name: str
    sha256: str


@dataclass(frozen=True)
class Intake:
    """What became of one delivery."""

    outcome: str
    accepted: pa.Table
    rejected: pa.Table
    findings: pa.Table
    remarks: pa.Table
    furniture_rows: pa.Table
    rows_read: int = 0
    rows_rejected: int = 0
    rows_with_findings: int = 0
    columns_mapped: tuple[str, ...] = ()
    unknown_columns: tuple[str, ...] = ()
    window: tuple[dt.date, dt.date] | None = None
    furniture: dict[str, int] = field(default_factory=dict)
    message_vi: str = ""
    refusal: str = ""


def refused(
    contract: Contract, message: str, window: tuple[dt.date, dt.date] | None = None, code: str = UNUSABLE
) -> Intake:
    """The intake of a file of which no row is taken: it cannot be used, or it belongs elsewhere (``code``)."""
    return Intake(
        "refused",
        contract.arrow_schema().empty_table(),
        REMARK_SCHEMA.empty_table(),
        REMARK_SCHEMA.empty_table(),
        FILE_REMARK_SCHEMA.empty_table(),
        FURNITURE_SCHEMA.empty_table(),
        window=window,
        message_vi=message,
        refusal=code,
    )


def outcome_of(
    judged: JudgedRows,
    layouts: Sequence[Layout],
    non_data: NonDataRows,
    noticed: Sequence[FileRemark],
    identity: FileIdentity,
    contract: Contract,
) -> Intake:
    """What became of a file that was read; raises :class:`ConservationError` where rows were lost on the way."""
    rows, total = judged.rows, len(judged.rows)
    accepted = _accepted(rows, ~judged.rejected, identity, contract)
    rejections = _remark_table(judged.remarks, rows, identity, judged.rejected, rejects=True)
    findings = _remark_table(judged.remarks, rows, identity, ~judged.rejected, rejects=False)
    rows_rejected = _distinct_rows(rejections)
    if accepted.num_rows + rows_rejected != total:
        raise ConservationError(
            f"{identity.delivery_id}: {total} read, {accepted.num_rows} accepted, {rows_rejected} rejected"
        )
    outcome = "nothing_to_report" if total == 0 else "partly_accepted" if rows_rejected else "accepted"
    left_open = list(_left_open(non_data, contract))
    says_nothing = total == 0 and "nothing" not in non_data.counts and not left_open
    empty = [*left_open, *([EMPTY_TABLE] if says_nothing else [])]
    headed = {name for layout in layouts for name in layout.positions}
    blanks = list(noticing.of_blanks(accepted, headed, contract))
    is_said = any(answers_nothing(layout.title.texts) for layout in layouts)
    file_remarks = [*noticed, *(r for r in empty if r is not EMPTY_TABLE or not is_said), *blanks]
    mapped = headed - {remark.subject for remark in blanks}
    windows = [layout.title.window for layout in layouts if layout.title.window]
    return Intake(
        outcome,
        accepted,
        rejections,
        findings,
        _file_remarks(file_remarks, identity),
        _furniture_table(non_data.proofs, identity),
        total,
        rows_rejected,
        _distinct_rows(findings),
        columns_mapped=tuple(c.name for c in contract.columns if c.name in mapped),
        unknown_columns=tuple(dict.fromkeys(label for layout in layouts for _, label in layout.unknown)),
        window=windows[0] if windows else None,
        furniture={kind: count for kind, count in sorted(non_data.counts.items()) if count},
        message_vi=message_of(file_remarks),
    )


def _left_open(non_data: NonDataRows, contract: Contract) -> Iterator[FileRemark]:
    """That rows ask for what nobody has filled in yet, and for what."""
    numbers = [str(proof.row_number) for _, proof in non_data.proofs if proof.kind == "left_open"]
    if numbers:
        named = ", ".join(numbers[:_ROWS_NAMED]) + (", …" if len(numbers) > _ROWS_NAMED else "")
        titles = ", ".join(f"“{contract.column(name).title_vi}”" for name in contract.left_open)
        yield FileRemark(
            "left_open",
            f"Còn {len(numbers)} dòng chưa quyết định (dòng {named}).",
            f"Muốn quyết định thì điền đủ {titles} ở dòng đó rồi nộp lại tệp; dòng để trống chưa có hiệu lực gì.",
            count=len(numbers),
            value=named,
        )


def _furniture_table(proofs: Sequence[tuple[str, Proof]], identity: FileIdentity) -> pa.Table:
    """One record a row that is neither data nor blank, in the order of the file."""
    sheets = pa.array([sheet for sheet, _ in proofs], pa.string())
    arrays = _lineage(identity, sheets, pa.array([proof.row_number for _, proof in proofs], pa.int64()))
    arrays += [pa.array([getattr(p, name) for _, p in proofs], pa.string()) for name in ("kind", "reason")]
    return pa.Table.from_arrays(arrays, names=FURNITURE_SCHEMA.names)


def _file_remarks(noticed: Iterable[FileRemark], identity: FileIdentity) -> pa.Table:
    return remark_table(
        noticed,
        _delivery_id=identity.delivery_id,
        _source=identity.source,
        _unit_code=identity.unit_code,
        _quarter=identity.quarter,
        _file_name=identity.file_name,
        _file_sha256=identity.sha256,
    )


def _constant(value: str, total: int) -> pa.DictionaryArray:
    """The same text for every row; a dictionary, since a million copies of a hash would be the largest thing here."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(total, dtype=np.int32)), pa.array([value], pa.string()))


def _lineage(identity: FileIdentity, sheets: pa.Array, numbers: pa.Array) -> list[pa.Array]:
    constants = (
        identity.delivery_id,
        identity.source,
        identity.unit_code,
        identity.quarter,
        identity.file_name,
        identity.sha256,
    )
    return [*(_constant(c, len(numbers)) for c in constants), sheets, numbers]


def _accepted(rows: Rows, mask: np.ndarray, identity: FileIdentity, contract: Contract) -> pa.Table:
    """The rows of the mask as the lake keeps them; lineage is dictionary-encoded until it is written."""
    everything = bool(mask.all())
    keep = pa.array(mask)
    arrays = _lineage(identity, _sheet_names(rows.sheets[mask]), pa.array(rows.numbers[mask], pa.int64()))
    for column in contract.lake_columns():
        values = rows.columns[column.name] if everything else rows.columns[column.name].filter(keep)
        if column.type == "number_or_text":
            arrays += [pc.struct_field(values, "number"), pc.struct_field(values, "text")]
        else:
            arrays.append(values)
    return pa.Table.from_arrays(arrays, names=contract.arrow_schema().names)


def _sheet_names(sheets: np.ndarray) -> pa.Array:
    return pa.array(sheets, pa.dictionary(pa.int32(), pa.string()))


def _remark_table(
    remarks: Sequence[RowRemark], rows: Rows, identity: FileIdentity, among: np.ndarray, *, rejects: bool
) -> pa.Table:
    """One record a remark and row, in the order of the file, then of column and reason."""
    wanted = [r for r in remarks if r.rejects == rejects]
    records = [(r.column or "", r.remark.code, r.value, r.remark.reason_vi, r.remark.advice_vi) for r in wanted]
    distinct = sorted(set(records))
    ranks = {text: rank for rank, text in enumerate(distinct)}
    nowhere = np.zeros(0, dtype=np.int64)
    places = np.concatenate([nowhere, *(r.rows for r in wanted)])
    texts = np.concatenate([nowhere, *(np.full(len(r.rows), ranks[t]) for r, t in zip(wanted, records, strict=True))])
    kept = among[places]
    places, texts = places[kept], texts[kept]
    order = np.lexsort((texts, places))
    places, chosen = places[order], pa.array(texts[order])
    arrays = _lineage(identity, _sheet_names(rows.sheets[places]), pa.array(rows.numbers[places], pa.int64()))
    for part in (0, 2, 1, 3, 4):
        arrays.append(pa.array([text[part] for text in distinct], pa.string()).take(chosen))
    return pa.Table.from_arrays(arrays, names=REMARK_SCHEMA.names)


def _distinct_rows(table: pa.Table) -> int:
    return int(table.group_by(["_sheet", "_row"]).aggregate([]).num_rows)
