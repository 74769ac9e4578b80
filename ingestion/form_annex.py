"""A department's empty annex: its printed lines, and which known indicator each of them is.

Belongs here: finding the table in a workbook, reading its lines, matching names, how sure a match is, and the rows of a
form that follow. Does not belong here: the folder of a form (``common.forms``), what a person decides about a match
(the command line), reading files (``reading``).

A match is only ever proposed. ``certain`` is said where the folded names are the same and only one known row has that
name, or only one under the same heading; everything else is for a person to look at.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from common.declared import read_yaml
from common.derived_forms import Row
from common.forms import Form, Step
from ingestion.base.limits import DEFAULT_LIMITS, IntakeLimits, UnreadableFileError
from ingestion.reading.files import read_sheets
from ingestion.text.vietnamese import clean, fold

_HEADINGS = Path(__file__).with_name("form_headings.yaml")
_ROMAN = re.compile(r"^[IVX]+$")
_NUMBER = re.compile(r"^\d+(\.\d+)*$")
_CODED = re.compile(r"([^=;,]+?)\s*=\s*(\d+)")
_HEADER_ROWS = 60
_HEADER_HEIGHT = 4
#: From which likeness of names a row is proposed, and from which it is likely.
PROPOSED, LIKELY = 0.70, 0.88
_APART = 0.03

Certainty = Literal["certain", "likely", "doubtful", "new"]


class NoAnnex(ValueError):
    """The workbook holds no table with the columns of an annex. The message is for people, in Vietnamese."""


@dataclass(frozen=True)
class Line:
    """A printed line: where it stands (sheet, 1-based row), and its cells as text."""

    sheet: str
    row: int
    number: str
    name: str
    unit: str
    note: str
    section: str = ""
    heading: str = ""

    @property
    def level(self) -> int:
        """As printed: 0 section, 1 numbered, 2 plain, 3 dash."""
        if _ROMAN.match(self.number):
            return 0
        if self.number:
            return 1
        return 3 if self.name[:1] in "-–+*" else 2


@dataclass(frozen=True)
class Match:
    """The known row that a line is taken for, by likeness of names (0 to 1); empty code for a new row."""

    line: Line
    code: str
    likeness: float
    certainty: Certainty
    other_code: str = ""


def _declared() -> dict[str, Any]:
    found: dict[str, Any] = read_yaml(_HEADINGS)
    return found


def read_annex(path: Path, limits: IntakeLimits = DEFAULT_LIMITS) -> list[Line]:
    """The printed lines of the workbook's annex, in order.

    Raises ``NoAnnex``, and ``UnreadableFileError`` where the file cannot be read.
    """
    content = read_sheets(path, path.suffix.lower(), limits)
    lines: list[Line] = []
    for sheet in content.sheets:
        if sheet.hidden:
            continue
        width = max(sheet.width(), max(map(len, sheet.head()), default=0))
        body = sheet.body(0, width)
        cells = [[_text(cell) for cell in row] for row in body.rows(np.arange(len(body.row_numbers)))]
        lines += _lines(sheet.name, cells, [int(number) for number in body.row_numbers])
    if not lines:
        labels = ", ".join(f"“{names[0]}”" for names in _declared()["columns"].values())
        raise NoAnnex(f"{path.name}: không tìm thấy bảng chỉ tiêu; bảng cần có dòng tiêu đề với các cột {labels}")
    return _placed(lines)


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return clean(str(cell))


def _lines(sheet: str, cells: Sequence[Sequence[str]], numbers: Sequence[int]) -> list[Line]:
    declared = _declared()
    labels = {fold(label): column for column, names in declared["columns"].items() for label in names}
    ends = tuple(fold(text) for text in declared["ends"])
    found = _header(cells, labels)
    if found is None:
        return []
    columns, first = found
    lines: list[Line] = []
    for row, number in zip(cells[first:], numbers[first:], strict=True):
        at = {name: row[place] if place < len(row) else "" for name, place in columns.items()}
        if any(fold(cell).startswith(ends) for cell in row if cell):
            break
        name, unit = at["name"], at.get("unit", "")
        is_header = sum(labels.get(fold(cell), "") != "" for cell in row if cell) >= 2
        if not name or is_header or _is_numbering(row):
            continue
        # A merged line repeats its text in every column it covers.
        spread = {key: "" if at.get(key, "") == name else at.get(key, "") for key in ("unit", "note")}
        own_number = "" if at.get("number", "") == name else at.get("number", "").rstrip(".)")
        lines.append(Line(sheet, number, own_number, name, spread["unit"] and unit, spread["note"]))
    return lines


def _is_numbering(row: Sequence[str]) -> bool:
    """``(1) (2) (3)`` or ``A B 1 2`` below a header."""
    cells = [cell.strip("()[] ") for cell in row if cell]
    return len(cells) >= 3 and all(re.fullmatch(r"\d{1,2}|[A-ZĐ]", cell) for cell in cells)


def _header(cells: Sequence[Sequence[str]], labels: Mapping[str, str]) -> tuple[dict[str, int], int] | None:
    """Column by what it holds, and the first row below the header; a header may be several rows high."""
    best: tuple[dict[str, int], int] | None = None
    for start in range(min(len(cells), _HEADER_ROWS)):
        columns: dict[str, int] = {}
        for height in range(min(_HEADER_HEIGHT, len(cells) - start)):
            row = cells[start + height]
            known = {place: labels[key] for place, cell in enumerate(row) if (key := fold(cell)) in labels}
            if not known:
                break
            for place, column in known.items():
                columns.setdefault(column, place)
            is_more = best is None or len(columns) > len(best[0])
            if {"name"} < columns.keys() and len(columns) >= 3 and is_more:
                best = (dict(columns), start + height + 1)
        if best is not None:
            # The rows of one header that say something else of the same columns.
            while best[1] < len(cells) and any(fold(cell) in labels for cell in cells[best[1]]):
                best = (best[0], best[1] + 1)
            return best
    return None


def _placed(lines: Iterable[Line]) -> list[Line]:
    section, heading, found = "I", "", []
    for line in lines:
        if line.level == 0:
            section, heading = line.number, ""
        elif line.level == 1:
            heading = line.name
        found.append(replace(line, section=section, heading="" if line.level < 2 else heading))
    return found


# --- matching -------------------------------------------------------------------------------------------------------


class _Names:
    """Names under one key: abbreviations spelt out, signs and places of tones folded."""

    def __init__(self, form: Form) -> None:
        self._long = dict(form.page.abbreviations)
        pattern = "|".join(map(re.escape, sorted(self._long, key=len, reverse=True))) or "(?!)"
        self._short = re.compile(rf"\b(?:{pattern})\b")

    def key(self, name: str) -> str:
        return fold(self._short.sub(lambda match: self._long[match[0]], name))


def match_lines(lines: Sequence[Line], form: Form, decided: Mapping[int, str] | None = None) -> list[Match]:
    """For each line the row of the form that it is taken for; no row for two lines.

    ``decided``: by place in ``lines`` what a person said: a code, or empty for a new row.
    """
    names = _Names(form)
    headings = _headings_of(form)
    known = [
        (row["indicator_code"], names.key(row["name_corrected_vi"] or row["name_vi"]), row["kind"] == "heading")
        for row in form.rows
    ]
    head_keys = {code: names.key(heading) for code, heading in headings.items()}
    result: list[Match | None] = [None] * len(lines)
    taken: set[str] = set()
    for place, code in (decided or {}).items():
        result[place] = Match(lines[place], code, 1.0, "certain" if code else "new")
        taken.add(code)
    keys = [names.key(line.name) for line in lines]
    by_key = Counter(key for _, key, _ in known)
    pairs = []
    for place, line in enumerate(lines):
        if result[place] is not None:
            continue
        here = names.key(line.heading)
        matcher = difflib.SequenceMatcher(b=keys[place].split(), autojunk=False)
        for code, key, _ in known:
            words = key.split()
            if key == keys[place]:
                likeness = 1.0
            else:
                matcher.set_seq1(words)
                if matcher.quick_ratio() < PROPOSED:
                    continue
                likeness = matcher.ratio()
                if likeness < PROPOSED:
                    continue
            same_heading = head_keys[code] == here
            pairs.append((likeness, same_heading, code.partition(".")[0] == line.section, place, code))
    pairs.sort(key=lambda pair: (-pair[0], not pair[1], not pair[2], pair[3], pair[4]))
    for likeness, same_heading, _, place, code in pairs:
        if result[place] is not None or code in taken:
            continue
        rivals = [p for p in pairs if p[3] == place and p[4] != code and p[4] not in taken]
        rival = max(rivals, key=lambda p: (p[0], p[1]), default=None)
        close = rival is not None and rival[0] > likeness - _APART and not (same_heading and not rival[1])
        is_only = by_key[keys[place]] == 1 and keys.count(keys[place]) == 1
        if likeness == 1.0 and (is_only or (same_heading and not close)):
            certainty: Certainty = "certain"
        elif likeness >= LIKELY and not close:
            certainty = "likely"
        else:
            certainty = "doubtful"
        result[place] = Match(lines[place], code, likeness, certainty, rival[4] if rival and close else "")
        taken.add(code)
    return [found if found is not None else Match(lines[place], "", 0.0, "new") for place, found in enumerate(result)]


def _headings_of(form: Form) -> dict[str, str]:
    heading, found = "", {}
    for row in form.rows:
        if row["level"] in ("0", "1"):
            heading = row["name_corrected_vi"] or row["name_vi"] if row["level"] == "1" else ""
        found[row["indicator_code"]] = "" if row["level"] in ("0", "1") else heading
    return found


# --- rows of the form -----------------------------------------------------------------------------------------------


def form_rows(matches: Sequence[Match], form: Form) -> list[Row]:
    """``rows.csv`` of the annex: a matched row is reckoned as in the form before, a new one declared by the offices."""
    before = {row["indicator_code"]: row for row in form.rows}
    declared = _declared()
    fresh = _fresh_codes(matches, form)
    codes = [match.code or fresh[place] for place, match in enumerate(matches)]
    present, found = set(codes), []
    ancestors: list[tuple[int, str]] = []
    for place, match in enumerate(matches):
        line, code = match.line, codes[place]
        level = line.level
        ancestors = [(depth, parent) for depth, parent in ancestors if depth < level]
        parent = ancestors[-1][1] if ancestors else ""
        ancestors.append((level, code))
        has_parts = place + 1 < len(matches) and matches[place + 1].line.level > level
        base = before.get(match.code)
        row = dict(base) if base else _new_row(next(iter(before.values())), line, has_parts, declared)
        if base is None or row["logical_parent_code"] not in present:
            row["logical_parent_code"] = parent
            row["zero_when_parent_zero"] = "false"
        terms = [term for term in row["derived_from"].split("+") if term in present]
        if row["derived_from"] and len(terms) < len(row["derived_from"].split("+")):
            # What a sum was made of is not asked any more: whoever fills the form in says the sum.
            row |= {
                "derivation": "",
                "derived_from": "",
                "source": "declared_returns",
                "numerator": "",
                "denominator": "",
            }
        row |= {
            "row_no": str(place + 1),
            "section": line.section,
            "printed_number": line.number,
            "level": str(level),
            "indicator_code": code,
            "name_vi": line.name,
            "name_corrected_vi": "",
            "unit_vi": line.unit,
        }
        found.append(row)
    return found


def _fresh_codes(matches: Sequence[Match], form: Form) -> dict[int, str]:
    """Codes that no form before ever used, by place, for lines that are no known row: rules still know what a code that
    ended once meant.
    """
    last = Counter[str]()
    earlier: Form | None = form
    while earlier is not None:
        for code in earlier.codes:
            section, _, number = code.partition(".")
            last[section] = max(last[section], int(number))
        earlier = earlier.base
    found = {}
    for place, match in enumerate(matches):
        if not match.code:
            last[match.line.section] += 1
            found[place] = f"{match.line.section}.{last[match.line.section]:02d}"
    return found


def _new_row(like: Row, line: Line, has_parts: bool, declared: Mapping[str, Any]) -> Row:
    labels = [(int(value), clean(label)) for label, value in _CODED.findall(line.unit)]
    folded = fold(line.name)
    basis = next(
        (basis for basis in ("year_to_date", "at_closing") if any(fold(word) in folded for word in declared[basis])),
        "in_period",
    )
    if (line.level == 0) or (has_parts and not line.unit):
        kind, basis = "heading", ""
    elif labels:
        kind = "flag" if {value for value, _ in labels} == {0, 1} else "code"
    elif line.unit == "%":
        kind = "ratio"
    else:
        kind = "count" if line.unit else "text"
    flags = "; ".join(f"{label} = {value}" for value, label in sorted(labels, reverse=kind == "flag"))
    return dict.fromkeys(like, "") | {
        "unit_canonical": flags or line.unit,
        "kind": kind,
        "source": "" if kind == "heading" else "declared_returns",
        "period_basis": basis,
        "direction": "" if kind == "heading" else "neutral",
        "zero_when_parent_zero": "false",
    }


def crosswalk(rows: Sequence[Row], form: Form) -> list[Step]:
    """What became of each row of the form before, in its order, then the rows that are new."""
    before = {row["indicator_code"]: row for row in form.rows}
    names = _Names(form)
    own = {row["indicator_code"]: row["name_vi"] for row in rows}
    steps = []
    for code, row in before.items():
        if code not in own:
            steps.append(Step(old_code=code, relation="ended"))
            continue
        is_same = names.key(own[code]) == names.key(row["name_corrected_vi"] or row["name_vi"])
        steps.append(Step(old_code=code, new_code=code, relation="same" if is_same else "renamed"))
    return [*steps, *(Step(new_code=code, relation="new") for code in own if code not in before)]


@dataclass(frozen=True)
class Annex:
    """What a department's annex would be as a form: each line with its match, the rows, and the crosswalk."""

    matches: tuple[Match, ...]
    rows: tuple[Row, ...]
    steps: tuple[Step, ...]


def read_form_annex(path: Path, before: Form, decided: Mapping[tuple[str, str, int], str] | None = None) -> Annex:
    """A department's annex held against the form before it.

    ``decided``: what a person said of a line, by its number, its name and how many lines before it have both: a code,
    or empty for a new row. Raises ``NoAnnex``, also where the file cannot be read, with a message for people.
    """
    try:
        lines = read_annex(path)
    except UnreadableFileError as error:
        raise NoAnnex(f"{path.name}: {error}") from error
    said = {place: code for place, key in enumerate(line_keys(lines)) if (code := (decided or {}).get(key)) is not None}
    matches = match_lines(lines, before, said)
    rows = form_rows(matches, before)
    return Annex(tuple(matches), tuple(rows), tuple(crosswalk(rows, before)))


def line_keys(lines: Iterable[Line]) -> list[tuple[str, str, int]]:
    """What tells a line apart in every reading of the workbook: number, name, how many before it have both."""
    seen = Counter[tuple[str, str]]()
    keys = []
    for line in lines:
        keys.append((line.number, line.name, seen[line.number, line.name]))
        seen[line.number, line.name] += 1
    return keys
