"""Numbers and symbols of documents (``03/KH-UBND``) by Decree 30/2020/NĐ-CP, annex I: which are well formed.

Belongs here: the form of a symbol, as regular expressions that Python and DuckDB read alike, and the two ways to ask.
Does not belong here: which texts are asked about (``rules``), who issued a document and when.

A symbol is number, kind and issuer in capitals (``43/KH-UBND``, ``11/KH-TTrH``); a letter has no kind
(``4532/UBND-KSTTHC``); only rules of law carry the year (``01/2023/QĐ-UBND``); the Party writes ``12-NQ/TW``.
"""

from __future__ import annotations

import re

#: Kinds by annex III of the decree, those of law and of the Party, and the issuers that stand first in letters.
_KINDS = (
    "NQ|QĐ|CT|QC|QyĐ|TC|TB|HD|CTr|KH|PA|ĐA|DA|BC|BB|TTr|HĐ|CĐ|BGN|BTT|GUQ|GM|GGT|GNP|PG|PC|PB|CV|NĐ|TT|TTLT|KL|"
    "UBND|HĐND"
)
_KINDS_OF_LAW = r"NĐ|QĐ|NQ|TT|TTLT|CT|L|PL|NQLT|QH\d{1,2}|UBTVQH\d{1,2}"
_IN_WORDS = (
    "kế hoạch|quyết định|báo cáo|công văn|tờ trình|thông báo|chỉ thị|nghị quyết|nghị định|hướng dẫn|chương trình|đề án"
)
# An abbreviation: at least two capitals, small letters only within (TTg, TTrH), figures only at its end (QH15).
_ABBREVIATION = r"[A-ZĐƯÂÔ][a-zđưâôy]{0,2}[A-ZĐƯÂÔ][A-Za-zĐđƯưÂâÔô]*[0-9]{0,3}"
_ISSUERS = rf"([-.&]{_ABBREVIATION})*"
_END = r"($|[\s,;.:()\[\]”\"'’…!?])"
_NUMBER = r"[0-9]{1,5}[a-zđ]?\s?"
WELL_FORMED = (
    rf"({_NUMBER}/\s?{_ABBREVIATION}{_ISSUERS}"
    rf"|{_NUMBER}/\s?(19|20)[0-9]{{2}}\s?/\s?({_KINDS_OF_LAW}){_ISSUERS}"
    rf"|[0-9]{{1,4}}-({_KINDS})/{_ABBREVIATION}{_ISSUERS}){_END}"
)
#: What is left of a text without its well formed symbols and still begins like one.
SPOILT = (
    rf"(?i:[0-9]{{1,5}}\s?(/\s?(19|20)[0-9]{{2}}\s?)?/\s?({_KINDS}|{_IN_WORDS})([-–—_/.\s]|[0-9]|$)"
    rf")|[0-9]{{1,5}}\s?[-–_]?\s?({_KINDS})\s?[-–_/]\s?[A-ZĐ]|\b({_KINDS})[-–][A-ZĐ]{{2,}}/[0-9]"
)
#: A year in the symbol of what is no rule of law.
WITH_YEAR = r"[0-9]{1,5}\s?/\s?(19|20)[0-9]{2}\s?/\s?(KH|BC|TB|TTr|CTr|HD|CV|PA|ĐA|DA|BB|GM|UBND|HĐND)\b"
_WELL_FORMED, _SPOILT, _WITH_YEAR = re.compile(WELL_FORMED), re.compile(SPOILT), re.compile(WITH_YEAR)
_SHOWN = 3


def spoilt_symbols(text: str) -> list[str]:
    """The symbols in a text that are not of the decree's form, in order, each with up to two words after it."""
    left = _WELL_FORMED.sub(lambda match: " " * len(match[0]), text)
    starts = {match.start() for match in _SPOILT.finditer(left)} | {m.start() for m in _WITH_YEAR.finditer(text)}
    return [" ".join(text[start:].split()[:_SHOWN]).rstrip(".,;:()") for start in sorted(starts)]


def violation_sql(column: str) -> str:
    """SQL predicate: the text of ``column`` (an expression) holds a symbol that is not of the decree's form."""
    left = f"regexp_replace({column}, {_quoted(WELL_FORMED)}, ' ', 'g')"
    spoilt = f"regexp_matches({left}, {_quoted(SPOILT)}) or regexp_matches({column}, {_quoted(WITH_YEAR)})"
    return f"coalesce({spoilt}, false)"


def _quoted(pattern: str) -> str:
    return "'" + pattern.replace("'", "''") + "'"
