"""Rules over whole rows: required cells, the contract's row rules, and keys that occur twice in one file.

Belongs here: what a row must satisfy once its cells are parsed. Does not belong here: parsing, and rules between
deliveries. The shapes of ``row_rules[].check`` are described in ``docs/contracts.md``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from expectations import kinds_of_personal_data
from ingestion.base.contracts import Contract, RowRule
from ingestion.base.readings import Cell, Remark
from ingestion.reading.fastcsv import are_distinct, octets_at
from ingestion.rows.values import printed

if TYPE_CHECKING:
    import pandas as pd

_DAY_DIGITS = 6
#: The code of a row that has more or fewer cells than the header: all of them may stand under the wrong headings.
WRONG_FIELD_COUNT = "wrong_field_count"


@dataclass(frozen=True)
class RowRemark:
    """A remark on some rows (0-based): about one column and one printed value, or about the row as such."""

    rows: np.ndarray
    column: str | None
    value: str
    remark: Remark
    rejects: bool


@dataclass
class Rows:
    """Parsed rows of one delivery: values by column, which cells were rejected, and where each row stands."""

    columns: dict[str, pa.Array]
    sheets: np.ndarray
    numbers: np.ndarray
    bad_cells: dict[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.numbers)

    def present(self, column: str) -> np.ndarray:
        """Rows in which something was written in the column, whether or not it could be read."""
        filled: np.ndarray = pc.is_valid(self.columns[column]).to_numpy(zero_copy_only=False)
        return filled | self.bad_cells[column] if column in self.bad_cells else filled

    @classmethod
    def joined(cls, parts: Sequence[Rows]) -> Rows:
        """The rows of all parts, in order."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            {name: pa.concat_arrays([p.columns[name] for p in parts]) for name in parts[0].columns},
            np.concatenate([p.sheets for p in parts]),
            np.concatenate([p.numbers for p in parts]),
            {name: np.concatenate([p.bad_cells[name] for p in parts]) for name in parts[0].bad_cells},
        )

    def place(self, row: int) -> str:
        """Where a row stands, in words; the sheet is named where there are several."""
        has_several_sheets = self.sheets[0] != self.sheets[-1]
        return f"dòng {self.numbers[row]}" + (f" (trang tính “{self.sheets[row]}”)" if has_several_sheets else "")


def rows_rejected(remarks: Iterable[RowRemark], total: int) -> np.ndarray:
    """Which of ``total`` rows have a remark that takes them out."""
    mask = np.zeros(total, dtype=bool)
    for remark in remarks:
        if remark.rejects:
            mask[remark.rows] = True
    return mask


def missing_cells(rows: Rows, contract: Contract) -> Iterator[RowRemark]:
    """Blank required cells, and rows that lack every column of an ``any_of`` group."""
    for column in contract.columns:
        if column.required and column.name in rows.columns:
            missing = np.flatnonzero(~rows.present(column.name))
            if len(missing):
                yield RowRemark(
                    missing,
                    column.name,
                    "",
                    Remark("missing_value", f"Thiếu “{column.title_vi}”", f"Bổ sung “{column.title_vi}”."),
                    True,
                )
    for group in contract.any_of:
        missing = np.flatnonzero(~np.logical_or.reduce([rows.present(name) for name in group]))
        if len(missing):
            titles = " hoặc ".join(f"“{contract.column(name).title_vi}”" for name in group)
            yield RowRemark(
                missing,
                group[0],
                "",
                Remark("missing_one_of", f"Thiếu {titles}", f"Bổ sung ít nhất một trong: {titles}."),
                True,
            )


def broken_row_rules(rows: Rows, contract: Contract) -> Iterator[RowRemark]:
    """Rows that break a row rule of the contract."""
    for rule in contract.row_rules:
        column, broken = _broken(rows, rule)
        values = rows.columns[column]
        remark = Remark(rule.id, rule.reason_vi, rule.advice_vi)
        for row in np.flatnonzero(broken):
            # Running text is not quoted: what is wrong with it may be that it tells of a person.
            cell: Cell = None if "text" in rule.check else values[int(row)].as_py()
            yield RowRemark(np.array([row]), column, printed(cell), remark, rule.effect == "reject")


def _broken(rows: Rows, rule: RowRule) -> tuple[str, np.ndarray]:
    """The column a rule's remark is about, and the rows that break the rule; raises ``ValueError`` on an unknown
    shape.
    """
    match rule.check:
        case {"earliest": str(first), "latest": str(last), **rest} if not rest:
            return last, _precedes(rows.columns[last], rows.columns[first])
        case {"when": dict(conditions), "any_present": list(names), **rest} if not rest:
            applies = np.logical_and.reduce([_is_one_of(rows.columns[c], v) for c, v in conditions.items()])
            return names[0], applies & ~np.logical_or.reduce([rows.present(n) for n in names])
        case {"when_present": str(name), "any_present": list(names), **rest} if not rest:
            return names[0], rows.present(name) & ~np.logical_or.reduce([rows.present(n) for n in names])
        case {"case_code_date": str(code), "equals": str(moment), **rest} if not rest:
            return code, _code_date_differs(rows.columns[code], rows.columns[moment])
        case {"text": str(name), "holds": str(pattern), **rest} if not rest:
            return name, flags_of(pc.match_substring_regex(rows.columns[name], pattern))
        case {"text": str(name), "lacks": str(pattern), **rest} if not rest:
            return name, flags_of(pc.invert(pc.match_substring_regex(rows.columns[name], pattern)))
        case {"text": str(name), "tells": str(kind), **rest} if not rest:
            texts = rows.columns[name].to_pylist()
            return name, np.array([bool(text) and kind in kinds_of_personal_data(text) for text in texts], dtype=bool)
        case _:
            raise ValueError(f"row rule {rule.id}: unknown check {rule.check}")


def flags_of(mask: pa.Array) -> np.ndarray:
    """A mask of Arrow as one of NumPy; what is null is not so."""
    flags: np.ndarray = pc.fill_null(mask, False).to_numpy(zero_copy_only=False)
    return flags


def _is_one_of(values: pa.Array, wanted: list[str]) -> np.ndarray:
    return flags_of(pc.is_in(values, value_set=pa.array(wanted, pa.string())))


def _days(values: pa.Array) -> pa.Array:
    return values if pa.types.is_date32(values.type) else pc.cast(pc.floor_temporal(values, unit="day"), pa.date32())


def _precedes(later: pa.Array, earlier: pa.Array) -> np.ndarray:
    """Where ``later`` lies before ``earlier``; by calendar day where either has no time of day."""
    before = flags_of(pc.less(later, earlier))
    both_dates = pa.types.is_date32(later.type) and pa.types.is_date32(earlier.type)
    rows = np.flatnonzero(before)
    if both_dates or not len(rows):
        return before
    # An earlier day is an earlier moment, so only these rows can break the rule.
    later, earlier = later.take(pa.array(rows)), earlier.take(pa.array(rows))
    broken = flags_of(pc.less(_days(later), _days(earlier)))
    if pa.types.is_timestamp(later.type) and pa.types.is_timestamp(earlier.type):
        broken |= _has_time(later) & _has_time(earlier)
    before[rows] = broken
    return before


def _has_time(moments: pa.Array) -> np.ndarray:
    return flags_of(pc.not_equal(moments, pc.floor_temporal(moments, unit="day")))


def _code_date_differs(codes: pa.Array, moments: pa.Array) -> np.ndarray:
    """Where the six digits behind a code's first dash (yymmdd) are not the day of the moment; no dash, no date."""
    dashes = pc.fill_null(pc.find_substring(codes, "-"), -1).to_numpy(zero_copy_only=False)
    rows = np.flatnonzero((dashes >= 0) & moments.is_valid().to_numpy(zero_copy_only=False))
    digits = octets_at(codes, rows, dashes[rows] + 1, _DAY_DIGITS) - np.uint8(ord("0"))
    days = np.asarray(_days(moments.take(pa.array(rows))).cast(pa.int32())).astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    years = days.astype("datetime64[Y]").astype(np.int64) + 1970
    month = months.astype(np.int64) % 12 + 1
    day = (days - months).astype(np.int64) + 1
    expected = ((years - 2000) * 100 + month) * 100 + day
    written = np.zeros(len(rows), dtype=np.int64)
    for place in digits:
        written = written * 10 + place
    differs = np.zeros(len(codes), dtype=bool)
    differs[rows] = written != expected
    return differs


def repeated_keys(rows: Rows, contract: Contract, taken: np.ndarray) -> Iterator[RowRemark]:
    """Rows, among those not ``taken`` out already, whose key an earlier row of the file carries.

    The earlier row stays; the contract says what becomes of the later one. The remark says whether the later row
    repeats it or contradicts it.
    """
    first = rows.columns[contract.key[0]]
    if len(contract.key) == 1 and pa.types.is_string(first.type) and are_distinct(first):
        return
    free = np.flatnonzero(~taken)
    keys = _keys_at(free, rows, contract)
    repeats = keys.duplicated(keep="first").to_numpy()
    if not repeats.any():
        return
    groups = keys.groupby(list(contract.key), sort=False).ngroup().to_numpy()
    first_of_group = np.full(groups.max() + 1, -1)
    first_of_group[groups[~repeats]] = free[~repeats]
    later = free[repeats]
    earlier = first_of_group[groups[repeats]]
    same = _equal_rows(rows, later, earlier)
    key_titles = ", ".join(contract.column(n).title_vi for n in contract.key)
    for row, first, is_same in zip(later, earlier, same, strict=True):
        if is_same:
            effect = contract.duplicates.same_content
            remark = Remark("duplicate_row", f"Trùng hoàn toàn với {rows.place(int(first))}", "Xóa dòng trùng.")
        else:
            effect = contract.duplicates.other_content
            remark = Remark(
                "duplicate_key",
                f"Trùng {key_titles} với {rows.place(int(first))} nhưng nội dung khác",
                "Giữ lại một dòng đúng, xóa hoặc sửa dòng kia.",
            )
        shown = _key_shown(rows, contract, int(row))
        yield RowRemark(np.array([row]), contract.key[0], shown, remark, effect == "reject")


def _keys_at(places: np.ndarray, rows: Rows, contract: Contract) -> pd.DataFrame:
    """The keys of the rows at ``places``, each part as the number of its value."""
    import pandas as pd  # 33 MiB and a fifth of a second, and a run that reads no file asks for no keys

    taken = {name: rows.columns[name].take(pa.array(places)) for name in contract.key}
    return pd.DataFrame(
        {name: part.dictionary_encode(null_encoding="encode").indices.to_numpy() for name, part in taken.items()}
    )


def keys_of_rejected(
    rows: Rows, contract: Contract, rejected: np.ndarray, unreadable: np.ndarray, told: Collection[int]
) -> Iterator[RowRemark]:
    """Rows that are taken out for something else and carry another row's key: the kept row's, else the first one's.

    Those of ``told`` know it already; of ``unreadable`` rows nothing says what their key is, nor of rows whose key was
    not read whole. Where the contract only notes such rows, they need not be told: it takes none of them out.
    """
    if "reject" not in (contract.duplicates.same_content, contract.duplicates.other_content) or not rejected.any():
        return
    whole = ~unreadable
    for name in contract.key:
        if contract.column(name).required or contract.column(name).derived_from or name in rows.bad_cells:
            whole &= flags_of(pc.is_valid(rows.columns[name])) | ~rejected
    places = np.flatnonzero(whole)
    if len(places) < 2:
        return
    keys = _keys_at(places, rows, contract)
    repeated = keys.duplicated(keep=False).to_numpy()
    if not (repeated & rejected[places]).any():
        return
    titles = ", ".join(contract.column(n).title_vi for n in contract.key)
    for members in keys[repeated].groupby(list(contract.key), sort=False).indices.values():
        group = places[np.flatnonzero(repeated)[members]]
        kept = [int(row) for row in group if not rejected[row]]
        stays = kept[0] if kept else int(group[0])
        for row in map(int, group):
            if rejected[row] and row != stays and row not in told:
                remark = Remark(
                    "duplicate_key",
                    f"Trùng {titles} với {rows.place(stays)}",
                    "Giữ lại một dòng đúng, xóa hoặc sửa dòng kia.",
                )
                shown = _key_shown(rows, contract, row)
                yield RowRemark(np.array([row]), contract.key[0], shown, remark, True)


def _key_shown(rows: Rows, contract: Contract, row: int) -> str:
    key = contract.key[0]
    return "" if contract.column(key).type == "person_key" else printed(rows.columns[key][row].as_py())


def _equal_rows(rows: Rows, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    equal = np.ones(len(left), dtype=bool)
    for values in (part for column in rows.columns.values() for part in _parts(column)):
        a, b = values.take(pa.array(left)), values.take(pa.array(right))
        both_null = pc.and_(pc.is_null(a), pc.is_null(b))
        equal &= pc.or_(pc.fill_null(pc.equal(a, b), False), both_null).to_numpy(zero_copy_only=False)
    return equal


def _parts(column: pa.Array) -> list[pa.Array]:
    """The column, or number and text of one that holds figures: Arrow compares no structures."""
    return column.flatten() if pa.types.is_struct(column.type) else [column]
