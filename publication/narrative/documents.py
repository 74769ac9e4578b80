"""Documents that a report cites: their symbols, their days, and whether form and text name the same.

Belongs here: finding citations in sentences, notes and row names. Does not belong here: the form of a symbol
(``expectations``), other remarks.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence

from common.forms import form_named
from expectations import spoilt_symbols
from publication.formatting import format_date, format_number
from publication.narrative.published import PublishedFigures
from publication.narrative.remarks import DAY, TextRemark
from publication.narrative.text import Sentence

_CITED_DAY = re.compile(r"(?P<symbol>\d{1,5}/[A-ZĐ][\w-]*-UBND)\s*,?\s*ngày\s+" + DAY.format("a"))
_OTHER_ISSUER = re.compile(
    r"^.{0,40}?(?:của\s+)?(?:UBND|Ủy ban nhân dân|Uỷ ban nhân dân)\s+(?:tỉnh|xã|thị trấn)", re.DOTALL
)
_CITED = re.compile(
    r"(?P<kind>chỉ thị|nghị quyết|kết luận)\s+(?:số\s+)?(?P<number>\d{1,4})(?:/(?P<symbol>[\w-]+))?", re.IGNORECASE
)
_OWN_SYMBOL = re.compile(r"\d{1,5}/(?:[A-ZĐ][\w]*-)?UBND(?:-[A-ZĐ]+)?")
_ISSUERS = {"thủ tướng": "Thủ tướng", "chủ tịch": "Chủ tịch UBND", "TTg": "Thủ tướng", "CTUBND": "Chủ tịch UBND"}


def spoilt(sentence: Sentence) -> Iterator[TextRemark]:
    """Symbols of documents that are not of the form of Decree 30/2020."""
    for symbol in spoilt_symbols(sentence.text):
        yield TextRemark(
            "document_symbol",
            sentence.number,
            sentence.line,
            symbol,
            "số, ký hiệu văn bản không đúng thể thức (ví dụ đúng: 43/KH-UBND)",
        )


def differing_days(sentences: Sequence[Sentence], published: PublishedFigures) -> Iterator[TextRemark]:
    """Documents of the reporting unit that text and notes give different days."""
    days: dict[str, tuple[dt.date, str]] = {}
    texts = [
        (0, 0, f"ghi chú dòng {row.row_no}", str(row.values["note_vi"]))
        for row in published.rows.values()
        if row.values.get("note_vi")
    ]
    texts += [(one.number, one.line, "lời văn", one.text) for one in sentences]
    for number, line, where, text in texts:
        for match in _CITED_DAY.finditer(text):
            if match["ay"] is None or _OTHER_ISSUER.match(text[match.end() :]):
                continue
            try:
                day = dt.date(int(match["ay"]), int(match["am"]), int(match["ad"]))
            except ValueError:
                yield TextRemark("document_date", number, line, match[0], "không có ngày này trong lịch")
                continue
            # Numbers begin anew each year, so one symbol of two years is two documents.
            symbol = f"{match['symbol']} {day.year}"
            known, place = days.setdefault(symbol, (day, where))
            if known != day:
                yield TextRemark(
                    "document_date", number, line, match[0], f"{place} ghi văn bản này ngày {format_date(known)}"
                )


def differing_lists(sentences: Sequence[Sentence], published: PublishedFigures) -> Iterator[TextRemark]:
    """Directives that the form's rows name beside those of the text, and how many own documents are named at all."""
    in_text = {cited for one in sentences for cited in _cited(one.text)}
    for row in published.rows.values():
        named = _cited(str(row.values.get("indicator_name_corrected_vi") or row.values["indicator_name_vi"]))
        missing = sorted(set(named) - in_text)
        if missing and in_text & set(named):
            listed = ", ".join(f"{kind} {number} của {issuer}" for kind, number, issuer in missing)
            message = f"dòng {row.row_no} của biểu nêu {listed}; lời văn không nêu"
            yield TextRemark("document_list", 0, 0, listed, message, (row.code,))
    code = form_named(published.form_version).documents_issued
    issued = published.value(code) if code else None
    notes = [str(row.values["note_vi"]) for row in published.rows.values() if row.values.get("note_vi")]
    own = {match[0] for text in (*(one.text for one in sentences), *notes) for match in _OWN_SYMBOL.finditer(text)}
    if code and sentences and issued is not None and issued > len(own):
        issued_vi = f"{format_number(int(issued))} văn bản chỉ đạo"
        message = (
            f"dòng {published.rows[code].row_no} ghi {issued_vi}; lời văn và ghi chú chỉ nêu số, ký hiệu của "
            f"{len(own)} văn bản, cần có danh mục"
        )
        yield TextRemark("document_list", 0, 0, issued_vi, message, (code,))


def _cited(text: str) -> list[tuple[str, str, str]]:
    """Kind, number and issuer of the directives a text names; the issuer is the next that is named, or the symbol's."""
    found = []
    for match in _CITED.finditer(text.replace("Chi thị", "Chỉ thị")):
        following = text[match.end() :].lower()
        known = [(following.find(word), issuer) for word, issuer in _ISSUERS.items() if word.islower()]
        by_words = min(((place, issuer) for place, issuer in known if place >= 0), default=(0, ""))[1]
        symbol = match["symbol"] or ""
        by_symbol = next((issuer for sign, issuer in _ISSUERS.items() if sign in symbol), "")
        if by_symbol or by_words:
            found.append((match["kind"].capitalize(), match["number"].lstrip("0"), by_symbol or by_words))
    return found
