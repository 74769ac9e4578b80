"""A cell that shows something, but holds no value: an error, a formula never calculated, text that cannot be mended.

Belongs here: how such a cell travels from a reader to the parsers. Does not belong here: what becomes of its row.
"""

from __future__ import annotations

import re

from ingestion.base.readings import Remark

ERROR_TEXT = re.compile(
    r"#(?:DIV/0!|N/A|REF!|NAME\?|VALUE!|NUM!|NULL!|SPILL!|CALC!|GETTING_DATA|N/A!)|Err:\d{3}|#####+", re.IGNORECASE
)


class CellFault(str):
    """What the cell shows, with the remark that rejects its row. Faults with equal text and remark are equal."""

    __slots__ = ("remark",)
    remark: Remark

    def __new__(cls, shown: str, remark: Remark) -> CellFault:
        fault = super().__new__(cls, shown)
        fault.remark = remark
        return fault

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CellFault) and str.__eq__(self, other) and self.remark == other.remark

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((str(self), self.remark))


def error_remark(shown: str, place: str = "") -> Remark:
    where = f"Ô {place}" if place else "Ô"
    return Remark(
        "error_cell",
        f"{where} báo lỗi của bảng tính: {shown}",
        "Sửa công thức hoặc nhập giá trị đúng vào ô rồi nộp lại.",
    )


def error_cell(shown: str, place: str) -> CellFault:
    return CellFault(shown, error_remark(shown, place))


def uncalculated_cell(place: str) -> CellFault:
    return CellFault(
        "(công thức)",
        Remark(
            "formula_without_value",
            f"Ô {place} là công thức chưa có kết quả được lưu",
            "Mở tệp bằng Excel, để tính lại, lưu rồi nộp lại; hoặc dán giá trị thay công thức.",
        ),
    )


def broken_text(shown: str) -> CellFault:
    return CellFault(
        shown,
        Remark(
            "broken_text",
            "Chữ trong ô bị lỗi phông chữ hoặc bảng mã",
            "Gõ lại hoặc xuất lại tệp bằng phông chữ Unicode (UTF-8).",
        ),
    )


def stale_formula(shown: str, computed: str, place: str) -> CellFault:
    return CellFault(
        shown,
        Remark(
            "stale_formula",
            f"Ô {place} là công thức lưu kết quả {shown} nhưng tính từ các ô khác được {computed}",
            "Mở tệp bằng Excel, để tính lại, kiểm tra, lưu rồi nộp lại; hoặc dán giá trị thay công thức.",
        ),
    )


def merged_cell(merge: str) -> CellFault:
    """A cell that a merge covers, or whose figure a merge spreads over rows of which it can belong to one only."""
    return CellFault(
        f"(ô gộp {merge})",
        Remark(
            "merged_cell",
            f"Ô nằm trong vùng gộp {merge} nên không rõ giá trị thuộc dòng hay cột nào",
            "Bỏ gộp ô (Unmerge Cells), điền giá trị cho từng dòng và từng cột rồi nộp lại.",
        ),
    )


def disputed_cell(shown: str, other: str, place: str) -> CellFault:
    """A cell that two readers read differently."""
    return CellFault(
        shown,
        Remark(
            "readers_disagree",
            f"Ô {place}: hai cách đọc cho giá trị khác nhau (“{shown}” và “{other}”)",
            "Nhập lại ô, hoặc mở tệp bằng Excel, lưu thành .xlsx rồi nộp lại.",
        ),
    )
