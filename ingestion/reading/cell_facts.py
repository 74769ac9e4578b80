"""What a workbook tells of its cells besides their values, put into the cells.

Belongs here: errors, telling formats, stored results of formulas against computed ones. Does not belong here: computing
a formula (``formulas``), reading a format (``number_formats``).
"""

from __future__ import annotations

from ingestion.base.cell_fault import CellFault, disputed_cell, error_cell, stale_formula, uncalculated_cell
from ingestion.base.readings import Cell, MixedText
from ingestion.reading.formulas import Sums, agrees, column_letters, is_placeholder
from ingestion.reading.number_formats import as_shown
from ingestion.reading.sandbox import ParsedSheet


def put_facts(sheet: ParsedSheet) -> None:
    """Puts into the cells what the reader of cells leaves out: errors, formulas without a result, telling formats."""
    formulas = sheet.facts.get("formulas", {})
    for (row, column), shown in sheet.facts.get("faults", {}).items():
        place = f"{column_letters(column)}{row}"
        if shown or (row, column) not in formulas:
            _put(sheet, row, column, error_cell(shown, place) if shown else uncalculated_cell(place))
    for (row, column), other in sheet.facts.get("disputed", {}).items():
        shown = str(_at(sheet, row, column) or "")
        _put(sheet, row, column, disputed_cell(shown, other, f"{column_letters(column)}{row}"))
    for row, column in sheet.facts.get("mixed", ()):
        if type(cell := _at(sheet, row, column)) is str:
            _put(sheet, row, column, MixedText(cell))
    for (row, column), code in sheet.facts.get("formats", {}).items():
        cell = _at(sheet, row, column)
        if type(cell) in (int, float):
            shown_as = as_shown(cell, code, f"{column_letters(column)}{row}")
            # A percentage stays a number for formulas that need it.
            sheet.facts.setdefault("plain", {})[(row, column)] = cell
            _put(sheet, row, column, shown_as)


def _put(sheet: ParsedSheet, row: int, column: int, cell: Cell) -> None:
    while len(sheet.columns) < column:
        sheet.columns.append([""] * sheet.rows)
    if row > sheet.rows:
        for cells in sheet.columns:
            cells += [""] * (row - sheet.rows)
        sheet.rows = row
    sheet.columns[column - 1][row - 1] = cell


def _at(sheet: ParsedSheet, row: int, column: int) -> Cell:
    return sheet.columns[column - 1][row - 1] if column <= len(sheet.columns) and row <= sheet.rows else None


def settle_formulas(sheet: ParsedSheet) -> int:
    """Checks the stored results of formulas; returns how many had none to be trusted and were computed.

    A result that is missing, or is what libraries store that compute nothing (0, an empty text), is replaced by the
    computed one. One that differs from it is stale. Of a formula that is more than plain arithmetic the stored result
    counts, unless the file says itself that its results are to be calculated anew: then a placeholder does not, and
    none does where another one of the sheet is stale.
    """
    formulas: dict[tuple[int, int], str] = sheet.facts.get("formulas", {})
    if not formulas:
        return 0
    plain: dict[tuple[int, int], Cell] = sheet.facts.get("plain", {})
    formats: dict[tuple[int, int], str] = sheet.facts.get("formats", {})

    def number_at(row: int, column: int) -> Cell:
        return plain.get((row, column), _at(sheet, row, column))

    sums = Sums(formulas, number_at)
    unfinished = bool(sheet.facts.get("to_be_calculated"))
    faults: dict[tuple[int, int], CellFault] = {}
    results: dict[tuple[int, int], Cell] = {}
    open_places: list[tuple[int, int]] = []
    for place in formulas:
        stored = number_at(*place)
        if isinstance(stored, CellFault):
            continue
        name = f"{column_letters(place[1])}{place[0]}"
        computed = sums.at(place)
        if computed is None:
            if is_placeholder(stored) and (unfinished or place in sheet.facts.get("faults", {})):
                faults[place] = uncalculated_cell(name)
            else:
                open_places.append(place)
        elif is_placeholder(stored) and not agrees(stored, computed):
            value = int(computed) if computed.denominator == 1 else float(computed)
            results[place] = as_shown(value, formats.get(place, ""), name)
        elif isinstance(stored, int | float) and not isinstance(stored, bool) and not agrees(stored, computed):
            faults[place] = stale_formula(_shown(float(stored)), _shown(float(computed)), name)
    if unfinished and any(fault.remark.code == "stale_formula" for fault in faults.values()):
        faults |= {place: uncalculated_cell(f"{column_letters(place[1])}{place[0]}") for place in open_places}
    for place, cell in {**results, **faults}.items():
        _put(sheet, *place, cell)
    return len(results)


def _shown(number: float) -> str:
    return f"{number:.10g}".replace(".", ",")
