"""Step of reading: whether somebody filled in a template, or it came back as it was handed out.

Belongs here: the mark by which a template is known and what an office may answer above its table. Does not belong here:
how a template looks (``clerk.templates``), what other empty tables mean (``outcome``).

A template carries a mark above its table: a hash of the rows that stood in it when it was handed out. Rows that are
still these are nobody's answer, whether there are none or last period's, and the file is refused with the question what
is meant. The office answers in a cell above the table. The mark depends on the cells as they are printed and not on
their order, so that sorting, or saving in another format, changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from hashlib import sha256

import numpy as np

from ingestion.base.contracts import Contract
from ingestion.base.limits import UnreadableFileError
from ingestion.base.remarks import FileRemark
from ingestion.reading.grid import Body
from ingestion.rows.furniture import says_nothing_to_report
from ingestion.rows.headers import Layout
from ingestion.rows.tables import FileRows
from ingestion.rows.values import parse_decimal, printed
from ingestion.text.vietnamese import bare, clean

UNTOUCHED = "untouched_template"
CONTRADICTED = "answer_contradicted"
NOTHING = "Không phát sinh"
UNCHANGED = "Giữ nguyên như kỳ trước"
_MARK = "Mã của mẫu:"
_MARK_IN_TEXT = re.compile(rf"{re.escape(_MARK)}\s*([a-p]{{16}})", re.IGNORECASE)
_BETWEEN = "\x1f"


def mark_line(rows: Iterable[Sequence[str]]) -> str:
    """The line that marks a template with these rows, cells as printed in the order of the contract's columns."""
    return f"{_MARK} {_mark([_BETWEEN.join(map(clean, row)) for row in rows])}"


def _mark(rows: Iterable[str]) -> str:
    """Letters only: a word with digits might be taken for a key that was passed over."""
    digest = sha256("\n".join(sorted(rows)).encode()).hexdigest()[:16]
    return "".join(chr(ord("a") + int(digit, 16)) for digit in digest)


def mark_in(texts: Iterable[str]) -> str | None:
    """The mark that stands in one of the texts."""
    return next((match[1].lower() for text in texts if (match := _MARK_IN_TEXT.search(text))), None)


def typed_rows(body: Body, layout: Layout, contract: Contract) -> tuple[str, ...]:
    """The rows of a table as the mark counts them."""
    columns = [c for c in contract.columns if c.name in layout.positions]
    places = [layout.positions[c.name] for c in columns]
    numbers = {i for i, c in enumerate(columns) if c.type == "decimal"}

    def text(i: int, cell: object) -> str:
        value = parse_decimal(cell).value if i in numbers else None  # type: ignore[arg-type]
        return clean(printed(cell)) if value is None else printed(float(value))  # type: ignore[arg-type]

    rows = body.rows(np.arange(len(body.row_numbers)))
    return tuple(_BETWEEN.join(text(i, cells[place]) for i, place in enumerate(places)) for cells in rows)


def answers_nothing(titles: Iterable[str]) -> bool:
    """Whether what stands above a table says that there was nothing to report."""
    return any(says_nothing_to_report(text) for text in titles)


def _says_unchanged(titles: Iterable[str]) -> bool:
    return any(bare(text) == bare(UNCHANGED) for text in titles)


def check_filled_in(read: FileRows, contract: Contract) -> list[FileRemark]:
    """What the office says of its template, as a remark where that is that nothing changed.

    Raises :class:`UnreadableFileError` where nobody filled in the template or said anything, and where what is said
    above the table is not what stands in it.
    """
    marked = [table for table in read.tables if table.typed is not None]
    if not marked:
        return []
    titles = [text for table in marked for text in table.layout.title.texts]
    rows = [row for table in marked for row in table.typed or ()]
    is_as_handed_out = _mark(rows) == mark_in(titles)
    nothing, unchanged = answers_nothing(titles), _says_unchanged(titles)
    if "nothing" in read.non_data.counts:
        nothing = True
    if (nothing and unchanged) or (nothing and rows) or (unchanged and not (rows and is_as_handed_out)):
        raise UnreadableFileError(CONTRADICTED, _contradiction(len(rows), nothing, unchanged), read.window)
    if rows and is_as_handed_out and not unchanged:
        raise UnreadableFileError(UNTOUCHED, _unchanged_question(contract, len(rows)), read.window)
    if not rows and not nothing:
        raise UnreadableFileError(UNTOUCHED, _nothing_question(contract), read.window)
    if not unchanged:
        return []
    said = f"Đơn vị ghi “{UNCHANGED}”: {len(rows)} dòng của kỳ trước được nhận cho kỳ này mà không sửa."
    return [FileRemark("unchanged_said", said, count=len(rows))]


def _nothing_question(contract: Contract) -> str:
    where = "ghi vào một dòng phía trên mục đầu tiên" if contract.prose else "chọn ở ô trả lời phía trên bảng"
    return (
        f"Mẫu “{contract.title_vi}” chưa điền gì: trong kỳ không phát sinh? Tệp chưa được tính. Nếu đúng là không phát "
        f"sinh thì {where}: “{NOTHING}”; nếu có thì điền vào mẫu, rồi nộp lại tệp cùng tên."
    )


def _unchanged_question(contract: Contract, rows: int) -> str:
    unchanged = f"Nếu đúng là không thay đổi thì chọn “{UNCHANGED}” ở ô trả lời phía trên bảng; nếu có thì sửa các"
    if titles := ", ".join(f"“{c.title_vi}”" for c in contract.columns if c.transient):
        unchanged = f"Điền các cột để trống ({titles}) và sửa các"
    return (
        f"Mẫu “{contract.title_vi}” còn nguyên {rows} dòng của kỳ trước: không có gì thay đổi? Tệp chưa được tính. "
        f"{unchanged} dòng, rồi nộp lại tệp cùng tên."
    )


def _contradiction(rows: int, nothing: bool, unchanged: bool) -> str:
    if nothing and unchanged:
        what = f"Mẫu vừa ghi “{NOTHING}” vừa ghi “{UNCHANGED}”"
    elif nothing:
        what = f"Mẫu ghi “{NOTHING}” nhưng trong bảng có {rows} dòng"
    else:
        what = f"Mẫu ghi “{UNCHANGED}” nhưng các dòng trong bảng không còn như mẫu đã giao"
    return f"{what}. Tệp chưa được tính. Xóa câu trả lời hoặc sửa bảng cho khớp, rồi nộp lại tệp cùng tên."
