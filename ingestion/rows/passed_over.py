"""What a file holds outside the tables that were read, and whether it looks like rows of the source.

Belongs here: sheets without a usable header, rows above a header, cells beside a table, and the question whether
something of them would be lost. Does not belong here: finding the tables (``finding``), reading them (``parsing``).

A cell is shaped like a key where it is written like the keys of the table that was read, or is a case code; a row is
like a row of data where, read in the columns of that table, every required cell holds a value of its column.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from ingestion.base.contracts import Contract
from ingestion.base.limits import UnreadableFileError
from ingestion.base.readings import Cell
from ingestion.base.remarks import FileRemark
from ingestion.reading.formulas import column_letters
from ingestion.reading.grid import is_blank
from ingestion.rows.headers import HeaderMap, Layout
from ingestion.rows.parsers import fit_of, parser_of
from ingestion.rows.resolve import Context
from ingestion.rows.rules import Rows
from ingestion.rows.values import Parser, printed

#: Rows of a passed-over part that are looked at; what they are like, the rest is.
_LOOKED_AT = 5_000
_KEY_TYPES = frozenset({"case_code", "procedure_code", "code"})
# From so many keys that stand nowhere in the table on, the file is refused; fewer are a remark to be settled.
_LOST_KEYS = 2


@dataclass(frozen=True, slots=True)
class Part:
    """A passed-over part of a file: the numbers of its filled rows, the keys found in it (column, value, place) and the
    rows like data.

    ``reason`` says why its rows are no data, where nothing else does (``REASONS`` in ``furniture``). ``is_aside``:
    no data are looked for there (a title block, a hidden or help sheet); only what would be lost counts.
    """

    kind: str
    sheet: str
    where_vi: str
    subject: str
    filled: tuple[int, ...]
    keys: tuple[tuple[str, str, str], ...]
    rows: tuple[int, ...]
    is_aside: bool = False
    reason: str = ""


@dataclass
class DataProfile:
    """What rows and keys of a source look like in this file."""

    contract: Contract
    fits: Mapping[str, Callable[[Cell], bool]]
    required: Sequence[str]
    parsers: Mapping[str, Parser]
    shapes: dict[str, set[str]] = field(default_factory=dict)
    positions: list[Mapping[str, int]] = field(default_factory=list)

    @classmethod
    def of(cls, headers: HeaderMap, context: Context) -> DataProfile:
        contract = headers.contract
        plain = [c for c in headers.active.values() if c.derived_from is None]
        return cls(
            contract,
            {c.name: fit_of(c, context, contract) for c in plain},
            [c.name for c in plain if c.required],
            {c.name: parser_of(c, context, contract) for c in plain if c.name in contract.key and c.type in _KEY_TYPES},
        )

    def learn(self, layout: Layout, rows: Iterable[Sequence[Cell]]) -> None:
        """Takes the shapes of keys, and the places of columns, from the first rows of a table."""
        self.positions.append(layout.positions)
        for name in self.parsers:
            place = layout.positions.get(name)
            if place is not None:
                texts = {printed(row[place]).strip() for row in rows if place < len(row) and not is_blank(row[place])}
                self.shapes.setdefault(name, set()).update(s for s in map(_shape, texts) if _is_distinctive(s))

    def key_in(self, cell: Cell) -> tuple[str, str] | None:
        """The key column as whose value a cell is written, and the value."""
        if is_blank(cell):
            return None
        text = printed(cell).strip()
        for name, parser in self.parsers.items():
            is_case = self.contract.column(name).type == "case_code" and _is_distinctive(_shape(text))
            if (is_case or _shape(text) in self.shapes.get(name, ())) and (value := parser(cell).value) is not None:
                return name, str(value)
        return None

    def is_row(self, cells: Sequence[Cell]) -> bool:
        """Whether the cells are a row of data in the columns of a table that was read.

        Where rows are figures, one figure must be there: a list of units beside a list of kinds is no row.
        """
        figures = self.contract.totals.columns if self.contract.totals is not None and not self.parsers else ()
        for at in self.positions:
            fitting = {n for n, p in at.items() if n in self.fits and p < len(cells) and self.fits[n](cells[p])}
            needed = {n for n in self.required if n in at}
            if len(needed) > 1 and needed <= fitting and (not figures or fitting & set(figures)):
                return True
        return False

    def part(
        self,
        kind: str,
        sheet: str,
        where_vi: str,
        rows: Iterable[tuple[int, Sequence[Cell]]],
        left: int = 0,
        is_aside: bool = False,
        reason: str = "",
    ) -> Part | None:
        """What stands in rows that are passed over, from the 0-based column ``left`` on; None where nothing does."""
        keys: list[tuple[str, str, str]] = []
        like_data: list[int] = []
        filled: list[int] = []
        for number, cells in rows:
            if all(is_blank(c) for c in cells[left:]):
                continue
            filled.append(number)
            if len(filled) > _LOOKED_AT:
                continue
            if not left and self.is_row(cells):
                like_data.append(number)
            for i, cell in enumerate(cells[left:], left):
                if (key := self.key_in(cell)) is not None:
                    keys.append((*key, f"{column_letters(i + 1)}{number}"))
        if not filled:
            return None
        subject = f"{sheet}: {where_vi}" if where_vi else sheet
        full_place_vi = f"Trang tính “{sheet}”" + (f", {where_vi}" if where_vi else "")
        return Part(kind, sheet, full_place_vi, subject, tuple(filled), tuple(keys), tuple(like_data), is_aside, reason)


def settle(parts: Iterable[Part], rows: Rows, profile: DataProfile) -> Iterator[FileRemark]:
    """The remarks on the parts; raises :class:`UnreadableFileError` where one holds rows that would be lost."""
    for part in parts:
        known = {name: rows.columns[name] for name in {name for name, _, _ in part.keys} if name in rows.columns}
        lost = [
            (name, value, place)
            for name, value, place in part.keys
            if name not in known or not pc.is_in(pa.scalar(value), value_set=known[name]).as_py()
        ]
        if len({value for _, value, _ in lost}) >= _LOST_KEYS or (part.rows and (lost or not part.keys)):
            raise UnreadableFileError("rows_passed_over", _refusal(part, lost, profile.contract))
        if part.is_aside:
            continue
        key = lost[0] if lost else None
        title = profile.contract.column(key[0]).title_vi if key else None
        yield FileRemark(
            part.kind,
            f"{part.where_vi}: có {len(part.filled)} dòng không thuộc bảng số liệu nên không được đọc"
            + (f"; ô {key[2]} giống “{title}” nhưng không có trong bảng." if key else "."),
            "Nếu đó là số liệu thì chép vào bảng rồi nộp lại tệp cùng tên.",
            sheet=part.sheet,
            column=key[0] if key else None,
            subject=part.subject,
            expected=title,
            count=len(part.filled),
        )


def _refusal(part: Part, lost: Sequence[tuple[str, str, str]], contract: Contract) -> str:
    rows = len(part.rows) or len({re.sub(r"\D", "", place) for _, _, place in lost})
    place = f"ô {lost[0][2]} giống “{contract.column(lost[0][0]).title_vi}”" if lost else f"dòng {part.rows[0]}"
    return (
        f"{part.where_vi} có {rows} dòng giống dòng số liệu ({place}) nhưng không nằm dưới dòng tiêu đề đọc được nên "
        "sẽ bị bỏ sót. Chép dòng tiêu đề của bảng lên trên phần này, hoặc chuyển các dòng vào bảng, rồi nộp lại; nếu "
        "không phải số liệu thì xóa phần này khỏi tệp."
    )


def _shape(text: str) -> str:
    """How a text is written: digits as 9, letters as A."""
    return re.sub(r"[^\W\d_]", "A", re.sub(r"\d", "9", text))


def _is_distinctive(shape: str) -> bool:
    """Whether a shape is one that notes and counts do not have: long digits, or letters, digits and signs."""
    if re.search(r"\s", shape) or "9" not in shape:
        return False
    return shape.count("9") >= 6 or (shape.count("9") >= 2 and "A" in shape and len(shape) >= 4)
