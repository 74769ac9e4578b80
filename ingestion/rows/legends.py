"""What a file says that its bare digits mean (“1 - Rất hài lòng; … 5 - Rất không hài lòng”), against the contract.

Belongs here: columns of labels that hold digits, and the words about them above, in and below the header. Does not
belong here: what a label means (``values.enum_parser``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from ingestion.base.contracts import Column, Contract
from ingestion.base.limits import UnreadableFileError
from ingestion.base.remarks import FileRemark
from ingestion.reading.grid import Body, CellColumn, ListColumn
from ingestion.rows.headers import Layout
from ingestion.rows.values import printed
from ingestion.text.vietnamese import LabelIndex, fold

_PIECES = re.compile(r"(?<!\d)\d{1,2}(?!\d)|[^\W\d_]+(?:[^\S\n]+[^\W\d_]+)*")
# What may stand between a digit and its label.
_FILLERS = frozenset(map(fold, ("là", "điểm", "mức", "mức độ", "sao", "nghĩa là")))
_ENOUGH = 2  # entries of a legend: both ends of a scale
# Words that a text with figures has, and a legend has not.
_COUNTS = re.compile(
    r"\d\s*(?:%|phiếu|hồ sơ|hs|lượt|người|ý kiến|trường hợp|phần trăm)|tổng (?:số|hợp|cộng)|tổng:|trong đó",
    re.IGNORECASE,
)


def check_legends(
    sheet: str, body: Body, layout: Layout, below: Sequence[str], contract: Contract
) -> Iterator[FileRemark]:
    """Columns of which bare digits were read as labels though the file does not say which digit is which.

    Raises :class:`UnreadableFileError` where it says something else than the contract.
    """
    texts = [*layout.title.texts, *(text for row in layout.header_rows for text in row if text), *below]
    for name, place in layout.positions.items():
        column = contract.column(name)
        meanings = _meanings(column)
        if not meanings or not (used := _codes_in(body.columns[place], frozenset(meanings))):
            continue
        legends = [dict(legend) for legend in _legends(texts, column)]
        if any(all(legend.get(code) == meanings[code] for code in used) for legend in legends):
            continue
        for code, value in (pair for legend in legends for pair in legend.items()):
            if meanings.get(code) != value:
                raise UnreadableFileError("legend_differs", _contradiction(sheet, column, code, value, meanings))
        if not legends:
            shown = ", ".join(f"{code} là “{column.offered()[meanings[code]]}”" for code in used)
            yield FileRemark(
                "codes_unexplained",
                f"Trang tính “{sheet}”: cột “{column.title_vi}” ghi bằng số mà tệp không chú giải; được hiểu {shown}.",
                "Ghi bằng chữ, hoặc ghi dòng chú giải từng số phía trên bảng, rồi nộp lại tệp cùng tên.",
                sheet=sheet,
                column=name,
                subject=name,
                value=", ".join(used),
            )


def _meanings(column: Column) -> dict[str, str]:
    """The digits that are labels of the column, each with its value; not one that its own words name (“Mức độ 3”)."""
    return {
        label: value
        for value, labels in column.labels.items()
        for label in labels
        if label.isdigit() and not any(label in other.split() for other in labels if other != label)
    }


def _codes_in(cells: CellColumn, codes: frozenset[str]) -> list[str]:
    if isinstance(cells, ListColumn):
        found = {printed(cell).strip() for cell in cells.cells} & codes
    else:
        is_there = cells.among(codes).any()
        found = {code for code in codes if cells.among(frozenset({code})).any()} if is_there else set()
    return sorted(found, key=int)


def _legends(texts: Iterable[str], column: Column) -> Iterator[list[tuple[str, str]]]:
    """The digits and values that each text joins, or cells and lines side by side; a pair alone is no legend, nor are
    figures (“Hài lòng: 15 phiếu; bình thường: 2”): of them one comes twice, is no digit of the scale, or is counted.
    """
    labels: LabelIndex[str] = LabelIndex()
    for value, spellings in column.labels.items():
        labels.add_all((label for label in spellings if not label.isdigit()), value)
    highest = max(map(int, _meanings(column))) + 1
    cells: list[tuple[str, bool]] = []  # of cells that hold a digit, a label or both alone, side by side
    for text in (*texts, ""):
        words = _PIECES.findall(text)
        pieces = [piece for one in words if (piece := _piece(one, labels)) is not None]
        if len(pieces) == len(words) == 1 or (len(pieces) == len(words) == 2 and pieces[0][1] != pieces[1][1]):
            cells += pieces
            continue
        for told in (cells, [] if _COUNTS.search(text) else pieces):
            pairs = list(dict.fromkeys(_pairs(told)))
            codes = {code for code, _ in pairs}
            if _ENOUGH <= len(pairs) == len(codes) and max(map(int, codes)) <= highest:
                yield pairs
        cells = []


def _piece(text: str, labels: LabelIndex[str]) -> tuple[str, bool] | None:
    """A digit, or the value of a label (True); None for other words."""
    if text.isdigit():
        return str(int(text)), False
    words = text.split()
    while words and fold(words[0]) in _FILLERS:
        words = words[1:]
    values = labels.find(" ".join(words)) if words else set()
    return (values.pop(), True) if len(values) == 1 else None


def _pairs(pieces: Sequence[tuple[str, bool]]) -> list[tuple[str, str]]:
    """Each digit with the label beside it: after it where a text begins with a digit, else before it."""
    labels_first = bool(pieces) and pieces[0][1]
    pairs = []
    for (first, first_is_label), (second, second_is_label) in pairwise(pieces):
        if first_is_label == labels_first and second_is_label != labels_first:
            pairs.append((second, first) if labels_first else (first, second))
    return pairs


def _contradiction(sheet: str, column: Column, code: str, value: str, meanings: Mapping[str, str]) -> str:
    known = (
        f"ở đây {code} được hiểu là “{column.offered()[meanings[code]]}”"
        if code in meanings
        else "ở đây không có số đó"
    )
    return (
        f"Trang tính “{sheet}” chú giải số {code} của cột “{column.title_vi}” là “{column.offered()[value]}”, "
        f"nhưng {known}. Ghi bằng chữ thay cho số rồi nộp lại tệp cùng tên."
    )
