"""A department's empty annex: which known indicator each printed line is, and the form that follows.

Belongs here: matching names and units, how sure a match is, and the rows of a form that follow. Does not belong here:
finding the lines (``form_table``), the folder of a form (``common.forms``), what a person decides about a match (the
command line).

A match is only ever proposed. ``certain`` is said where the folded names are the same, the units say the same, and only
one known row has that name, or only one under the same heading; everything else is for a person to look at.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from common.derived_forms import Row
from common.forms import Form, Step
from ingestion.base.limits import UnreadableFileError
from ingestion.form_table import Line, Unread, read_lines
from ingestion.form_units import form_words, is_other_figure, is_same_unit, unit_of
from ingestion.text.vietnamese import fold

#: From which likeness of names a row is proposed, and from which it is likely.
PROPOSED, LIKELY = 0.70, 0.88
_APART = 0.03

Certainty = Literal["certain", "likely", "doubtful", "new", "unclear", "decided", "dropped"]
#: What tells a line apart in every reading of the workbook: where it stands, and its folded name.
LineKey = tuple[str, str]


class NoAnnex(ValueError):
    """The workbook holds no table with the columns of an annex. The message is for people, in Vietnamese."""


@dataclass(frozen=True)
class Match:
    """The known row that a line is taken for, by likeness of names (0 to 1); empty code for a new row.

    ``unclear``: a new row, or none at all, since it stands outside the columns; ``decided``: a person said so;
    ``dropped``: a person said that it is no row.
    """

    line: Line
    code: str
    likeness: float
    certainty: Certainty
    other_code: str = ""


# --- matching -------------------------------------------------------------------------------------------------------


class _Names:
    """Names under one key: abbreviations spelt out, signs and places of tones folded."""

    def __init__(self, form: Form) -> None:
        self._long = dict(form.page.abbreviations)
        pattern = "|".join(map(re.escape, sorted(self._long, key=len, reverse=True))) or "(?!)"
        self._short = re.compile(rf"\b(?:{pattern})\b")

    def key(self, name: str) -> str:
        return fold(self._short.sub(lambda match: self._long[match[0]], name))


def match_lines(lines: Sequence[Line], form: Form, decided: Mapping[int, str | None] | None = None) -> list[Match]:
    """For each line the row of the form that it is taken for; no row for two lines.

    ``decided``: by place in ``lines`` what a person said: a code, empty for a new row, None for no row at all.
    """
    before = {row["indicator_code"]: row for row in form.rows}
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
        certainty: Certainty = "dropped" if code is None else "decided"
        result[place] = Match(lines[place], code or "", 1.0, certainty)
        taken.add(code or "")
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
        if not lines[place].is_clear or not _may_be_of(lines[place], before[code]):
            certainty = "doubtful"
        elif likeness == 1.0 and (is_only or (same_heading and not close)):
            certainty = "certain"
        elif likeness >= LIKELY and not close:
            certainty = "likely"
        else:
            certainty = "doubtful"
        result[place] = Match(lines[place], code, likeness, certainty, rival[4] if rival and close else "")
        taken.add(code)
    return [
        found or Match(line, "", 0.0, "new" if line.is_clear else "unclear")
        for line, found in zip(lines, result, strict=True)
    ]


def _may_be_of(line: Line, row: Row) -> bool:
    """Whether the units say nothing else: a cell left blank where others have a unit, and a known row has one, does."""
    is_left_out = line.has_units and not line.unit and bool(row["unit_vi"])
    return is_same_unit(line.unit, row) and not is_left_out


def _headings_of(form: Form) -> dict[str, str]:
    heading, found = "", {}
    for row in form.rows:
        if row["level"] in ("0", "1"):
            heading = row["name_corrected_vi"] or row["name_vi"] if row["level"] == "1" else ""
        found[row["indicator_code"]] = "" if row["level"] in ("0", "1") else heading
    return found


# --- rows of the form -----------------------------------------------------------------------------------------------


def form_rows(matches: Sequence[Match], form: Form) -> list[Row]:
    """``rows.csv`` of the annex: a matched row is reckoned as in the form before, a new one declared by the offices.

    A line whose unit makes another figure of the row that it was taken for is a new one.
    """
    before = {row["indicator_code"]: row for row in form.rows}
    kept = [match for match in matches if match.certainty != "dropped"]
    bases = [before[match.code] if goes_on(match.code, match.line.unit, before) else None for match in kept]
    fresh = _fresh_codes([match.line for match, base in zip(kept, bases, strict=True) if base is None], form)
    codes = [base["indicator_code"] if base else next(fresh) for base in bases]
    parents = _parents(kept, codes, bases)
    found = []
    for place, (match, code, base) in enumerate(zip(kept, codes, bases, strict=True)):
        line = match.line
        has_parts = place + 1 < len(kept) and kept[place + 1].line.depth > line.depth
        row = dict(base) if base else _new_row(form.rows[0], line, has_parts)
        if base is None or parents[code] != base["logical_parent_code"]:
            row |= {"logical_parent_code": parents[code], "zero_when_parent_zero": "false"}
        if base is not None and not is_same_unit(line.unit, base):
            row["unit_canonical"] = unit_of(line.unit).canonical
        terms = row["derived_from"].split("+") if row["derived_from"] else []
        if not set(terms) <= set(codes):
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
            "level": str(line.level),
            "indicator_code": code,
            "name_vi": line.name,
            "name_corrected_vi": "",
            "unit_vi": line.unit,
        }
        found.append(row)
    return found


def goes_on(code: str, unit: str, before: Mapping[str, Row]) -> bool:
    """Whether a line with this unit, taken for a row of the form before, goes on that row's figure."""
    return bool(code) and not is_other_figure(unit, before[code])


def _parents(matches: Sequence[Match], codes: Sequence[str], bases: Sequence[Row | None]) -> dict[str, str]:
    """The whole of which each row is a part: as in the form before where that is still printed, else the row that it
    stands under, and never a part of its own.
    """
    present = set(codes)
    found = {
        code: base["logical_parent_code"]
        for code, base in zip(codes, bases, strict=True)
        if base is not None and base["logical_parent_code"] in present
    }
    above: list[tuple[int, str]] = []
    for match, code in zip(matches, codes, strict=True):
        depth = match.line.depth
        above = [(other, whole) for other, whole in above if other < depth]
        if code not in found:
            found[code] = next((whole for _, whole in reversed(above) if code not in _wholes_of(whole, found)), "")
        above.append((depth, code))
    return found


def _wholes_of(code: str, parents: Mapping[str, str]) -> list[str]:
    """The row and all that it is a part of, from the nearest."""
    found: list[str] = []
    while code and code not in found:
        found.append(code)
        code = parents.get(code, "")
    return found


def _fresh_codes(lines: Iterable[Line], form: Form) -> Iterator[str]:
    """Codes that no form before ever used, for lines that are no known row: rules still know what a code that ended
    once meant.
    """
    last = Counter[str]()
    earlier: Form | None = form
    while earlier is not None:
        for code in earlier.codes:
            section, _, number = code.partition(".")
            last[section] = max(last[section], int(number))
        earlier = earlier.base
    for line in lines:
        last[line.section] += 1
        yield f"{line.section}.{last[line.section]:02d}"


def _new_row(like: Row, line: Line, has_parts: bool) -> Row:
    """A declared row. Its kind is left open where neither unit nor place tells it: a person has to say it."""
    folded = fold(line.name)
    basis = next(
        (name for name in ("year_to_date", "at_closing") if any(fold(word) in folded for word in form_words()[name])),
        "in_period",
    )
    unit = unit_of(line.unit)
    kind: str = unit.kind
    if not line.unit and (line.depth == 0 or (has_parts and line.has_units)):
        kind, basis = "heading", ""
    return dict.fromkeys(like, "") | {
        "unit_canonical": unit.canonical,
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
    own = {row["indicator_code"]: row for row in rows}
    steps = []
    for code, row in before.items():
        if code not in own:
            steps.append(Step(old_code=code, relation="ended"))
            continue
        is_same = names.key(own[code]["name_vi"]) == names.key(row["name_corrected_vi"] or row["name_vi"])
        is_same = is_same and is_same_unit(own[code]["unit_vi"], row)
        steps.append(Step(old_code=code, new_code=code, relation="same" if is_same else "renamed"))
    return [*steps, *(Step(new_code=code, relation="new") for code in own if code not in before)]


@dataclass(frozen=True)
class Annex:
    """What a department's annex would be as a form: each line with its match, the rows, the crosswalk, and what of the
    workbook was not read.
    """

    matches: tuple[Match, ...]
    rows: tuple[Row, ...]
    steps: tuple[Step, ...]
    unread: tuple[Unread, ...]


def read_form_annex(path: Path, before: Form, decided: Mapping[LineKey, str | None] | None = None) -> Annex:
    """A department's annex held against the form before it.

    ``decided``: what a person said of a line: a code, empty for a new row, None for no row at all. Raises ``NoAnnex``
    where the workbook holds none, cannot be read, or lacks a line of which something was said, with a message for
    people.
    """
    try:
        lines, unread = read_lines(path)
    except UnreadableFileError as error:
        raise NoAnnex(f"{path.name}: {error}") from error
    if not lines:
        labels = ", ".join(f"“{names[0]}”" for names in form_words()["columns"].values())
        raise NoAnnex(f"{path.name}: không tìm thấy bảng chỉ tiêu; bảng cần có dòng tiêu đề với các cột {labels}")
    said = _said_of(lines, decided or {}, path.name)
    matches = match_lines(lines, before, said)
    rows = form_rows(matches, before)
    return Annex(tuple(matches), tuple(rows), tuple(crosswalk(rows, before)), tuple(unread))


def line_key(place: str, name: str) -> LineKey:
    """The key of a line by its place (``Biểu 01!12``) and its name."""
    return place, fold(name)


def _said_of(lines: Sequence[Line], decided: Mapping[LineKey, str | None], named: str) -> dict[int, str | None]:
    """What was said, by place in ``lines``: of the line of that place and name, or of the only one of that name where
    the workbook was moved about. Raises ``NoAnnex`` where there is none.
    """
    keys = [line_key(line.place, line.name) for line in lines]
    by_name = Counter(name for _, name in keys)
    said_by_name = Counter(name for _, name in decided)
    found: dict[int, str | None] = {}
    lost = []
    for (place, name), code in decided.items():
        if (place, name) in keys:
            found[keys.index((place, name))] = code
        elif by_name[name] == said_by_name[name] == 1:
            found[next(index for index, key in enumerate(keys) if key[1] == name)] = code
        else:
            lost.append(place)
    if lost:
        raise NoAnnex(
            f"{named}: không còn dòng mà matches.csv đã quyết định ở {', '.join(lost)} (tên khác, hoặc có nhiều dòng "
            "cùng tên); xóa quyet_dinh của các dòng ấy trong matches.csv rồi nhập lại và quyết định lại"
        )
    return found
