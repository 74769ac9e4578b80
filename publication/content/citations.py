"""Documents as the field cites them: ``Công văn số 115/UBND-NV ngày 16/03/2023 của Ủy ban nhân dân huyện Cù Lao Dung``.

Belongs here: kind of document by its symbol, the order of number, day and issuer, one name for an office. Does not
belong here: which document is cited, the form of a symbol (``expectations``).
"""

from __future__ import annotations

import datetime as dt
import re

from publication.formatting import format_date

#: Abbreviations of kinds (Decree 30/2020/NĐ-CP, annex III). A symbol that begins with none of them is of a letter.
_KINDS = {
    "NQ": "Nghị quyết",
    "QĐ": "Quyết định",
    "CT": "Chỉ thị",
    "QC": "Quy chế",
    "QYĐ": "Quy định",
    "TC": "Thông cáo",
    "TB": "Thông báo",
    "HD": "Hướng dẫn",
    "CTR": "Chương trình",
    "KH": "Kế hoạch",
    "KL": "Kết luận",
    "PA": "Phương án",
    "ĐA": "Đề án",
    "DA": "Dự án",
    "BC": "Báo cáo",
    "BB": "Biên bản",
    "TTR": "Tờ trình",
    "CĐ": "Công điện",
    "CV": "Công văn",
}
_LETTER = "Công văn"
_AREAS = ("thành phố", "thị xã", "thị trấn", "quận", "huyện", "phường", "xã", "đặc khu")
_SYMBOL = re.compile(r"\d{1,5}(?:/\d{4})?/(?P<first>[^\W\d_]+)")
_BOARD = re.compile(r"\b(?:UBND|Uỷ ban nhân dân|Ủy ban nhân dân|Ủy Ban Nhân Dân)\b", re.IGNORECASE)
#: Posts whose bearer signs for an office, and what is left of the office's name where it stands in the post's.
_POSTS = (
    (re.compile(r"^(?:KT\.\s*|TM\.\s*)?(?:Quyền\s+)?(?:Phó\s+)?Chủ tịch\s+", re.IGNORECASE), ""),
    (re.compile(r"^(?:Phó\s+)?Giám đốc\s+", re.IGNORECASE), ""),
    (re.compile(r"^(?:Phó\s+)?Trưởng\s+phòng\s+", re.IGNORECASE), "Phòng "),
    (re.compile(r"^(?:Phó\s+)?Chánh\s+(?=Văn phòng|Thanh tra)", re.IGNORECASE), ""),
)


def cite(number: str | None, dated: dt.date | None, issuer_vi: str = "") -> str:
    """A document by kind, number, day and issuer, as far as they are known; empty without a number.

    A number that already says what it is of (``Công văn số 5/UBND-NV``) keeps its words.
    """
    if not number or not number.strip():
        return ""
    text = " ".join(number.split())
    match = _SYMBOL.match(text)
    if match:
        text = f"{_KINDS.get(match['first'].upper(), _LETTER)} số {text}"
    day = f" ngày {format_date(dated)}" if dated and "ngày" not in text else ""
    issuer = f" của {issuer_vi}" if issuer_vi and " của " not in text else ""
    return f"{text}{day}{issuer}"


def boards(unit_name_vi: str) -> tuple[str, str]:
    """How the unit's people's committee is called within the unit, and in full: ``Ủy ban nhân dân huyện``,
    ``Ủy ban nhân dân huyện Cù Lao Dung``. A name without a known kind has only the full one.
    """
    area = unit_name_vi[:1].lower() + unit_name_vi[1:]
    kind = kind_of_area(area)
    return f"Ủy ban nhân dân {kind}".strip(), f"Ủy ban nhân dân {area}"


def kind_of_area(area: str) -> str:
    """``huyện`` of ``huyện Cù Lao Dung``; empty where the name begins with no kind."""
    return next((kind for kind in _AREAS if area.startswith(f"{kind} ")), "")


def issuing_office(approved_by_vi: str | None, unit_name_vi: str) -> str:
    """The office for which a post signs, by its one name; the reporting unit's own is its full name."""
    text = " ".join((approved_by_vi or "").split())
    for post, office in _POSTS:
        if post.match(text):
            text = office + post.sub("", text)
            break
    text = _BOARD.sub("Ủy ban nhân dân", text)
    board, issuer = boards(unit_name_vi)
    return issuer if text.lower() in (board.lower(), issuer.lower()) else text
