"""Step of reading: rows that stand for rows of the form, told by their place and name, and those nobody filled in.

Belongs here: the printed form as an office fills it in, which has no codes (:func:`told_by_place`), and the rows that a
template lists and that came back blank. Does not belong here: what may stand in a row of the form (``form_rows``), how
the form is printed (``publication``).

A row is the form's row of its name, where the rows keep the form's order; the order and the printed numbers decide
between rows of one name. Where name and place say different things, neither is believed: the row goes back to the
clerk with both. A row without figure and note declares nothing and is set apart, headings too.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ingestion.base.cell_fault import CellFault
from ingestion.base.contracts import Contract, FormRowColumns
from ingestion.base.readings import Cell, Proof, Remark
from ingestion.base.reference import FormRow
from ingestion.base.remarks import FileRemark
from ingestion.reading.grid import CellColumn, ListColumn, is_blank
from ingestion.rows.furniture import is_numbering, repeats_header, says_nothing_to_report
from ingestion.rows.own_words import OWN_HEADINGS
from ingestion.rows.resolve import Context
from ingestion.rows.tables import NonDataRows, SheetRows, Table
from ingestion.rows.values import is_null_text, printed
from ingestion.text.vietnamese import LabelIndex, clean

_SHOWN = 5
_LONGEST_SHOWN = 120
# What is printed where a figure is to be written by hand.
_DOTS = re.compile(r"[.…_\s]+")
# The marks of footnotes that a printed form carries behind its notes.
_FOOTNOTE_MARKS = re.compile(r"(?:\s*[⁰¹²³⁴⁵⁶⁷⁸⁹]+)+\s*$")
_NUMBER_ONLY = re.compile(r"[+-]?\d[\d., ]*%?")
# What one name that agrees weighs, and what the printed number beside it.
_NAME, _NUMBER = 10, 1


def told_by_place(table: Table, contract: Contract, context: Context) -> Table:
    """The table with a code in every row that is a row of the form, and without the rows that declare nothing.

    A table that is none of the form comes back as it is.
    """
    plan = contract.form_row
    if plan is None or not context.form_rows:
        return table
    if table.layout.is_printed_form:
        return _PrintedForm(table, contract, plan, context.form_rows).read()
    labels = {clean(label) for label in table.layout.labels}
    if plan.shown.previous in labels and plan.code in table.layout.positions:
        return _without_unfilled(table, contract, plan, context.form_rows)
    return table


def missing_rows(tables: Sequence[SheetRows], contract: Contract, context: Context) -> Iterator[FileRemark]:
    """Which rows of the form a file of it lacks; a figure that is not printed is not reported.

    A workbook of rows that were sent back holds no others.
    """
    if any(clean(label) == OWN_HEADINGS[0] for table in tables for label in table.layout.labels):
        return
    met = [table.form_rows_met for table in tables if table.form_rows_met is not None]
    if not met or contract.form_row is None:
        return
    lacking = [row for row in context.form_rows if not row.is_heading and row.code not in frozenset().union(*met)]
    if lacking:
        shown = ", ".join(row.code for row in lacking[:_SHOWN]) + (", …" if len(lacking) > _SHOWN else "")
        yield FileRemark(
            "form_rows_missing",
            f"Biểu nộp thiếu {len(lacking)} chỉ tiêu của mẫu ({shown}); các chỉ tiêu này được hiểu là chưa báo cáo.",
            "Nếu có số liệu thì bổ sung dòng rồi nộp lại tệp cùng tên.",
            subject="form",
            value=shown,
            count=len(lacking),
        )


# ----------------------------------------------------------------------------------------------------- prefilled rows


def _without_unfilled(table: Table, contract: Contract, plan: FormRowColumns, form: Sequence[FormRow]) -> Table:
    """The table of a template without the rows that hold only what the template put there."""
    body, at = table.body, table.layout.positions
    names = {row.code: LabelIndex[bool]() for row in form}
    for row in form:
        names[row.code].add_all(row.names, True)
    filled_in = [at[c.name] for c in contract.columns if c.name in at and c.name not in (plan.code, plan.name)]
    blank = np.logical_and.reduce([body.columns[i].blank() for i in filled_in])
    proofs: dict[int, tuple[str, str]] = {}
    for place in np.flatnonzero(blank).tolist():
        code, name = (printed(body.columns[at[n]].at(place)).strip() if n in at else "" for n in (plan.code, plan.name))
        if says_nothing_to_report(code):  # typed over the first of the rows that stand there
            proofs[place] = ("nothing", "says_nothing_to_report")
        elif code and (code not in names or not name or names[code].find(name)):
            proofs[place] = ("left_blank", "form_row_left_blank")
    return _taken_out(table, proofs)


def _taken_out(table: Table, proofs: dict[int, tuple[str, str]]) -> Table:
    """The table without some rows, by place, which are noted with kind and reason."""
    if not proofs:
        return table
    kept = np.ones(len(table.body.row_numbers), dtype=bool)
    kept[list(proofs)] = False
    noted = [(table.sheet, Proof(int(table.body.row_numbers[i]), *proofs[i])) for i in sorted(proofs)]
    return replace(
        table, body=table.body.keep(kept), non_data=NonDataRows.joined([table.non_data, NonDataRows.of(noted)])
    )


# -------------------------------------------------------------------------------------------------------- printed form


@dataclass
class _Line:
    """One row of the sheet: its name and number as printed, whether it declares something, and what it turned out."""

    place: int
    name: str
    number: str
    has_figure: bool
    has_note: bool
    candidates: tuple[int, ...]
    row: int | None = None
    fault: Remark | None = None


class _PrintedForm:
    """One table of the printed form on its way to rows with codes."""

    def __init__(self, table: Table, contract: Contract, plan: FormRowColumns, form: Sequence[FormRow]) -> None:
        self.table, self.plan, self.form = table, plan, form
        self.at = table.layout.positions
        self._names: LabelIndex[int] = LabelIndex(lenient=True)
        for index, row in enumerate(form):
            self._names.add_all(row.names, index)
        others = {contract.column(n).name for n in self.at} - {plan.name, plan.value, plan.note}
        self._others = sorted(self.at[name] for name in others)
        self.lines = [self._line(i) for i in range(len(table.body.row_numbers))]

    def read(self) -> Table:
        self._assign()
        self._judge_order()
        self._judge_strangers()
        self._judge_headings()
        return self._with_codes()

    def _text(self, column: int | None, place: int) -> str:
        cell = None if column is None else self.table.body.columns[column].at(place)
        return "" if is_blank(cell) else clean(printed(cell))

    def _line(self, place: int) -> _Line:
        name = self._text(self.at[self.plan.name], place)
        number = self._text(min(self.table.layout.counters, default=None), place)
        figure = self._text(self.at[self.plan.value], place)
        note = _FOOTNOTE_MARKS.sub("", self._text(self.at.get(self.plan.note), place))
        has_figure = bool(figure) and not is_null_text(figure) and not _DOTS.fullmatch(figure)
        has_note = bool(note) or any(self._text(column, place) for column in self._others)
        filled = {i: t for i in range(self.table.layout.width) if (t := self._text(i, place))}
        if repeats_header(filled, self.table.layout) or is_numbering(list(filled.values())):
            return _Line(place, "", "", False, False, ())
        return _Line(place, name, number, has_figure, has_note, tuple(sorted(self._names.find(name))) if name else ())

    # --- which row of the form each line is

    def _assign(self) -> None:
        """Each line the form's row of its name, most of them in the form's order; the others the row that is left."""
        for place, index in self._in_order():
            self.lines[place].row = index
        self._doubt_namesakes()
        taken = {line.row for line in self.lines if line.row is not None}
        for line in self.lines:
            if line.row is None and line.fault is None and line.candidates:
                left = [index for index in line.candidates if index not in taken]
                line.row = left[0] if left else line.candidates[0]
                taken.add(line.row)

    def _in_order(self) -> list[tuple[int, int]]:
        """Lines and rows of the form that agree, both in order, as many as there can be; numbers decide between equals.

        The heaviest increasing run, by a tree of the best run that ends at or before each row of the form.
        """
        best: list[tuple[int, int]] = [(0, -1)] * (len(self.form) + 1)  # weight, node; a Fenwick tree of maxima
        nodes: list[tuple[int, int, int]] = []  # place, row, node before
        for line in self.lines:
            found = []
            for index in line.candidates:
                weight, before, at = 0, -1, index
                while at > 0:
                    if best[at][0] > weight:
                        weight, before = best[at]
                    at -= at & -at
                agrees = _same_number(line.number, self.form[index].number)
                found.append((weight + _NAME + (_NUMBER if agrees else 0), index, before))
            for weight, index, before in found:
                nodes.append((line.place, index, before))
                at = index + 1
                while at <= len(self.form):
                    if weight > best[at][0]:
                        best[at] = (weight, len(nodes) - 1)
                    at += at & -at
        node = max(best)[1]
        run: list[tuple[int, int]] = []
        while node >= 0:
            place, index, node = nodes[node]
            run.append((place, index))
        return run[::-1]

    def _doubt_namesakes(self) -> None:
        """A line that could as well be another row of its name, where neither order nor number tells."""
        placed = [line for line in self.lines if line.row is not None]
        for before, line, after in zip([None, *placed], placed, [*placed[1:], None], strict=False):
            low = -1 if before is None or before.row is None else before.row
            high = len(self.form) if after is None or after.row is None else after.row
            between = [i for i in line.candidates if low < i < high]
            exact = [i for i in between if line.number and _same_number(line.number, self.form[i].number)]
            if len(exact or between) > 1 and (line.has_figure or line.has_note):
                names = " hoặc ".join(f"mã {self.form[i].code}" for i in exact or between)
                line.fault = Remark(
                    "form_row_ambiguous",
                    f"Tên “{_short(line.name)}” có thể là {names}, chưa rõ là dòng nào",
                    "Giữ đủ các dòng của biểu theo đúng thứ tự, hoặc thêm cột Mã chỉ tiêu.",
                )

    # --- where name and place contradict each other

    def _judge_order(self) -> None:
        """Refuses lines that do not stand where their name belongs: two exchanged with each other, or one moved."""
        lines = [line for line in self.lines if line.row is not None]
        rows = [line.row for line in lines if line.row is not None]
        order = sorted(range(len(rows)), key=lambda i: (rows[i], i))
        stands = {i: k for k, i in enumerate(order)}  # where a line would stand if all kept the form's order
        exchanged = {i for i, k in stands.items() if k != i and stands[k] == i and rows[i] != rows[k]}
        rest = [i for i in range(len(rows)) if i not in exchanged]
        kept = {rest[k] for k in _increasing([rows[i] for i in rest])}
        for i, line in enumerate(lines):
            if i in exchanged:
                line.fault = self._out_of_place(line, f"chỗ của {self.form[rows[stands[i]]].place_vi}")
            elif i not in kept and rows.count(rows[i]) == 1:
                before = max((k for k in kept if k < i), default=None)
                stood = "đầu biểu" if before is None else f"sau {self.form[rows[before]].place_vi}"
                line.fault = self._out_of_place(line, stood)

    def _out_of_place(self, line: _Line, stood: str) -> Remark:
        assert line.row is not None
        return Remark(
            "form_row_out_of_place",
            f"Dòng ghi tên {self.form[line.row].place_vi} nhưng đứng ở {stood}",
            "Xếp lại dòng theo đúng thứ tự của biểu hoặc sửa tên cho đúng dòng, kiểm tra số liệu rồi nộp lại.",
        )

    def _judge_strangers(self) -> None:
        """Refuses lines that declare something under a name that the form does not have, or under none.

        Below the form's last row only a number is a figure; words there are signatures until nothing proves them so.
        """
        known = {line.place: line.row for line in self.lines if line.row is not None}
        last = max(known, default=-1)
        for line in self.lines:
            i = line.place
            declares = line.has_figure or (line.has_note and bool(line.name))
            if i > last:
                declares = (
                    bool(line.name) and _NUMBER_ONLY.fullmatch(self._text(self.at[self.plan.value], i)) is not None
                )
            if line.row is not None or not declares:
                continue
            low = max((row for k, row in known.items() if k < i), default=-1)
            high = min((row for k, row in known.items() if k > i and row > low), default=len(self.form))
            gap = [row for row in self.form[low + 1 : high] if not row.is_heading]
            place = f"; chỗ này của biểu là {gap[0].place_vi}" if len(gap) == 1 else ""
            what = f"Tên “{_short(line.name)}” không có trong biểu" if line.name else "Dòng có số liệu mà không có tên"
            line.fault = Remark(
                "name_not_in_form",
                what + place,
                "Ghi đúng tên chỉ tiêu như biểu in; số liệu ngoài biểu thì ghi vào Ghi chú hoặc nộp theo mẫu có mã.",
            )

    def _judge_headings(self) -> None:
        for line in self.lines:
            if line.row is not None and line.fault is None and self.form[line.row].is_heading and line.has_figure:
                line.fault = Remark(
                    "figure_on_heading",
                    f"{self.form[line.row].place_vi} là dòng tiêu đề, không có số liệu",
                    "Xóa số ở dòng tiêu đề, ghi vào dòng chỉ tiêu bên dưới.",
                )

    # --- rows with codes

    def _with_codes(self) -> Table:
        body, plan = self.table.body, self.plan
        codes: list[Cell] = [None] * len(self.lines)
        proofs: dict[int, tuple[str, str]] = {}
        continued: dict[int, list[str]] = {}
        computed: list[str] = []
        last = max((line.place for line in self.lines if line.row is not None), default=-1)
        owner: _Line | None = None
        for line in self.lines:
            row = None if line.row is None else self.form[line.row]
            if line.fault is not None:
                codes[line.place] = CellFault(row.code if row else _short(line.name) or "(không có tên)", line.fault)
            elif row is not None and not line.has_figure and not line.has_note:
                proofs[line.place] = (
                    ("group", "form_heading") if row.is_heading else ("left_blank", "form_row_left_blank")
                )
            elif row is not None and not row.is_heading and row.source not in plan.printed_sources:
                proofs[line.place] = ("computed", "computed_here")
                computed.append(row.code)
            elif row is not None:
                codes[line.place] = row.code
            elif owner is not None and line.place <= last and not line.name and not line.has_figure and line.has_note:
                proofs[line.place] = ("continued", "goes_on_from_above")
                continued.setdefault(owner.place, []).append(self._note(line.place))
            elif line.place > last and self._is_remark(line.place):
                proofs[line.place] = ("footer", "note_below")
            owner = line if row is not None else owner
        note = self.at.get(plan.note)
        columns: list[CellColumn] = list(body.columns)
        if note is not None:
            cells = [body.columns[note].at(i) for i in range(len(self.lines))]
            for line in self.lines:
                if line.row is not None and not is_blank(cells[line.place]):
                    cells[line.place] = "".join([self._note(line.place), *continued.get(line.place, ())]) or None
            columns[note] = _with_cells(columns[note], cells)
        columns[self.at[plan.value]] = self._figures(columns[self.at[plan.value]])
        layout = self.table.layout
        # What stands to the right of the table is the affair of whoever cut it; the codes come after all of it.
        columns = [*columns[: layout.width], ListColumn(codes), *columns[layout.width :]]
        met = frozenset(self.form[line.row].code for line in self.lines if line.row is not None)
        new_layout = replace(
            layout,
            width=layout.width + 1,
            labels=(*layout.labels, ""),
            positions={plan.code: layout.width, **layout.positions},
            counters=frozenset(),
            header_rows=tuple((*row, *[""] * (layout.width + 1 - len(row))) for row in layout.header_rows),
        )
        table = replace(
            self.table,
            layout=new_layout,
            body=replace(body, columns=columns),
            form_rows_met=met,
            noticed=(*self.table.noticed, *self._renumbered(), *self._computed(computed)),
        )
        return _taken_out(table, proofs)

    def _note(self, place: int) -> str:
        cell = self.table.body.columns[self.at[self.plan.note]].at(place)
        return _FOOTNOTE_MARKS.sub("", printed(cell))

    def _figures(self, column: CellColumn) -> CellColumn:
        """The column of figures without what stands for none, and where the name of a heading that is merged over it
        hides no figure.
        """
        cells = [column.at(line.place) if line.has_figure or line.row is None else None for line in self.lines]
        headings = {x.place for x in self.lines if x.row is not None and self.form[x.row].is_heading}
        if not isinstance(column, ListColumn):
            return ListColumn(cells)
        covered = {i: merge for i, merge in column.covered.items() if i not in headings}
        return replace(column, cells=cells, covered=covered)

    def _is_remark(self, place: int) -> bool:
        """Whether a row below the form holds one text and that where the numbers or names stand."""
        filled = [i for i in range(self.table.layout.width) if self._text(i, place)]
        return len(filled) == 1 and filled[0] <= self.at[self.plan.name] and filled[0] not in self._others

    def _renumbered(self) -> Iterator[FileRemark]:
        other = [
            (line, self.form[line.row])
            for line in self.lines
            if line.row is not None and line.fault is None and line.number
            and not _same_number(line.number, self.form[line.row].number)
        ]  # fmt: skip
        if not other:
            return
        shown = "; ".join(
            f"mã {row.code} ghi “{_short(line.number)}”, biểu in “{row.number}”" for line, row in other[:_SHOWN]
        ) + ("; …" if len(other) > _SHOWN else "")
        yield FileRemark(
            "form_renumbered",
            f"Trang tính “{self.table.sheet}”: {len(other)} dòng có số thứ tự khác biểu, được nhận theo tên và thứ tự "
            f"({shown}).",
            sheet=self.table.sheet,
            subject=self.table.sheet,
            count=len(other),
        )

    def _computed(self, codes: Sequence[str]) -> Iterator[FileRemark]:
        if codes:
            shown = ", ".join(codes[:_SHOWN]) + (", …" if len(codes) > _SHOWN else "")
            yield FileRemark(
                "form_figures_not_taken",
                f"Trang tính “{self.table.sheet}”: {len(codes)} chỉ tiêu do hệ thống tính ({shown}) không lấy số ghi "
                "trong biểu.",
                sheet=self.table.sheet,
                subject=self.table.sheet,
                value=shown,
                count=len(codes),
            )


def _with_cells(column: CellColumn, cells: list[Cell]) -> CellColumn:
    return replace(column, cells=cells) if isinstance(column, ListColumn) else ListColumn(cells)


def _same_number(given: str, form_number: str) -> bool:
    return given.strip(" .)(").casefold() == form_number.casefold()


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"


def _increasing(values: Sequence[int]) -> list[int]:
    """The places of a longest run of values that never fall."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for i, value in enumerate(values):
        at = bisect_left(tails, value + 1)
        if at == len(tails):
            tails.append(value)
            ends.append(i)
        else:
            tails[at], ends[at] = value, i
        before.append(ends[at - 1] if at else -1)
    run: list[int] = []
    place = ends[-1] if ends else -1
    while place >= 0:
        run.append(place)
        place = before[place]
    return run[::-1]
