"""From a release's content to the letter: sentences chosen and filled, paragraphs of people merged in, the annex.

Belongs here: which words are printed, and which indicator each figure is of. Does not belong here: the words
themselves (``forms/<id>/letter.yaml``), their look (``word``, ``letter.typ``).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import zip_longest

from common.periods import kind_of, period_named
from common.roles import role_on
from publication.content.approval import DRAFT_VI
from publication.content.citations import boards, cite, kind_of_area
from publication.content.notes import printed_footnotes
from publication.content.release_content import FormRow, ReleaseContent
from publication.content.signing import day_in_words
from publication.formatting import format_date, format_number
from publication.letter.glyphs import printable
from publication.letter.model import AnnexLine, Body, LeftOut, Letter, Paragraph, Role, Run
from publication.letter.wording import FIGURE, PLACE, Choice, Level, SectionWording, Sentence, Wording, load_wording
from publication.tables.annex import lower_first, title_lines

NARRATIVE, PLANS, MEASURES = "report_narrative", "plan_documents", "measure_values"
_NAME = re.compile(r"\{([A-Za-z_]+)\}")
_DOTS = Run("…" * 33)
_NOT_REPORTED = "(chưa có số liệu báo cáo)"
_BELOW_TEN = frozenset(map(Decimal, range(1, 10)))


class UnknownFigure(ValueError):
    """A paragraph quotes a figure that the form does not have."""


def compose_body(content: ReleaseContent) -> Body:
    """The letter between head and end, also of a content that no gate has judged yet. Raises as :func:`compose`."""
    level, superior = _place_in_state(content)
    wording = load_wording(content.form_version)
    names = _names(content, superior)
    return _Composer(content, wording, level, names).body(_written(content))


def compose(content: ReleaseContent) -> Letter:
    """The letter of a release. Raises LookupError without wording or unit, UnknownFigure for a wrong quotation."""
    wording = load_wording(content.form_version)
    level, superior = _place_in_state(content)
    names = _names(content, superior)
    written = _written(content)
    marks = _marks(content)
    receivers = [paragraph.text for paragraph in written.get("receivers", ())]
    receivers = receivers or [_fill_names(line, names) for line in wording.receivers[level]]
    signing = content.signing
    day = day_in_words(signing.dated) if signing.dated else f"ngày        tháng        năm {names['year']}"
    body = _Composer(content, wording, level, names).body(written)
    return Letter(
        dated=closing_date(content),
        issuer=printable(names["issuer"]),
        agency=tuple(map(printable, ("ỦY BAN NHÂN DÂN", names["area"].upper()))),
        number=printable(f"Số: {signing.number}/BC-UBND") if signing.number else "Số:            /BC-UBND",
        place_and_date=printable(f"{names['proper']}, {day}"),
        kind="BÁO CÁO",
        subject=printable(
            _fill_names(wording.subject, names) + (f" ({content.standing_vi})" if content.standing_vi else "")
        ),
        body=tuple(_printable(paragraph) for paragraph in body.paragraphs),
        closing=_printable(_plain("body", _fill_names(wording.closing, names))),
        receivers=tuple(_receiver_lines(receivers)),
        authority=wording.signature.authority,
        post=wording.signature.deputy if signing.deputy else wording.signature.chairman,
        signer=printable(signing.signer),
        annex_title=tuple(map(printable, title_lines(content))),
        annex=tuple(_annex_line(row, marks.get(row.code, "")) for row in content.rows),
        footnotes=tuple(printable(f"({note.number}) {note.text_vi}") for note in printed_footnotes(content)),
        mark=DRAFT_VI if content.draft else "",
    )


# --- names ----------------------------------------------------------------------------------------------------------


def _place_in_state(content: ReleaseContent) -> tuple[Level, str]:
    """Level of the unit, by which its letter is worded, and the office that its report goes to."""
    units = [row for row in content.tables["dim_unit"].to_pylist() if row["unit_code"] == content.unit_code]
    if not units:
        raise LookupError(f"no unit {content.unit_code}")
    level: Level = "district" if units[0]["unit_level"] == "district" else "commune"
    return level, role_on(level, closing_date(content)).reports_to_vi


def _names(content: ReleaseContent, superior: str) -> dict[str, str]:
    area = lower_first(content.unit_name_vi)
    kind = kind_of_area(area)
    proper = area.removeprefix(kind).strip()
    board, issuer = boards(content.unit_name_vi)
    period = period_named(content.quarter)
    named = period.in_year_vi if period.ahead_in_year_vi else period.name_vi
    return {
        "area": area,
        "kind": kind or area,
        "proper": proper if not proper.isdigit() else content.unit_name_vi,
        "board": board,
        "issuer": issuer,
        "superior": superior,
        "year": str(period.report_year),
        "span": kind_of(content.quarter).span_vi,
        "quarter": period.in_year_vi,
        "quarter_year": content.quarter_vi,
        "QUARTER": period.in_year_vi.upper(),
        "NEXT_QUARTER": (period.ahead_in_year_vi or period.ahead_vi).upper(),
        "periods": f"{named} và phương hướng, nhiệm vụ {period.ahead_vi}",
        "closing": format_date(closing_date(content)),
    }


def closing_date(content: ReleaseContent) -> dt.date:
    """The day on which the period of a release closes. Raises LookupError where the release does not say."""
    quarters = content.tables["dim_quarter"].to_pylist()
    days: list[dt.date] = [row["closes_on"] for row in quarters if row["quarter"] == content.quarter]
    if not days:
        raise LookupError(f"no closing day of {content.quarter}")
    return days[0]


def _fill_names(text: str, names: Mapping[str, str]) -> str:
    return _NAME.sub(lambda match: names[match[1]], text)


# --- paragraphs -----------------------------------------------------------------------------------------------------


def _plain(role: Role, text: str) -> Paragraph:
    return Paragraph(role, (Run(text),))


class _Composer:
    """The sentences of one release: which choice of each is said, and with which figures."""

    def __init__(self, content: ReleaseContent, wording: Wording, level: Level, names: Mapping[str, str]) -> None:
        self._wording, self._level, self._names = wording, level, names
        self._rows = content.rows_by_code
        self._sums = sums(content)
        self._plans = _plans(content, wording, names)
        self._left_out: list[LeftOut] = []

    def body(self, written: Mapping[str, list[Paragraph]]) -> Body:
        """Head and end left out; ``written`` is what people wrote, by section."""
        orders = _orders(written, self._wording.leave_out_mark)
        kept = {
            section: [one for one in paragraphs if one.written not in orders] for section, paragraphs in written.items()
        }
        matched: set[tuple[str, int]] = set()
        paragraphs = [*(kept.get("opening") or [_plain("body", _fill_names(self._wording.opening, self._names))])]
        for part in self._wording.parts:
            paragraphs.append(_plain("part", f"{part.id}. {_fill_names(part.title, self._names)}"))
            if not part.sections:
                paragraphs += _written_or_dots(kept.get(part.id))
            for section in part.sections:
                own = {place: order for place, order in orders.items() if place[0] == section.id}
                paragraphs += self._section(section, kept.get(section.id), own, matched)
        unmatched = tuple((place, order) for place, order in orders.items() if place not in matched)
        return Body(tuple(paragraphs), tuple(self._left_out), unmatched)

    def _section(
        self,
        section: SectionWording,
        written: list[Paragraph] | None,
        orders: Mapping[tuple[str, int], str],
        matched: set[tuple[str, int]],
    ) -> Iterator[Paragraph]:
        yield _plain("section", f"{section.id.rpartition('.')[2]}. {_fill_names(section.title, self._names)}")
        said: list[Paragraph] = []
        for paragraph in section.paragraphs:
            if paragraph.level in (None, self._level):
                runs = tuple(self._say_all(section.id, paragraph.sentences, orders, matched))
                if runs:
                    said.append(Paragraph("item" if paragraph.item else "body", runs))
        said = [one for one, following in zip_longest(said, said[1:]) if _leads_on(one, following)]
        yield from (written or ()) if said else _written_or_dots(written)
        yield from said

    def _say_all(
        self,
        section: str,
        sentences: tuple[Sentence, ...],
        orders: Mapping[tuple[str, int], str],
        matched: set[tuple[str, int]],
    ) -> Iterator[Run]:
        begun = False
        for sentence in sentences:
            choice = next(choice for choice in sentence if self._can_be_said(choice))
            if choice.tells == "nothing":
                continue
            runs = tuple(self._fill(choice.say))
            text = "".join(run.text for run in runs)
            found = {place for place, order in orders.items() if _folded(text).startswith(_folded(order))}
            matched |= found
            if found or choice.tells in self._wording.left_out:
                self._left_out.append(LeftOut(section, text, bool(found)))
                continue
            yield from [*([Run(" ")] if begun else []), *runs]
            begun = True

    def _can_be_said(self, choice: Choice) -> bool:
        """True when each condition holds and nothing printed is blank. A blank figure is neither zero nor positive."""
        for code, condition in choice.conditions.items():
            value = self._value(code)
            if value is None or (value == 0) != (condition == "zero"):
                return False
        return all(
            self._rows[place["code"]].values["note_vi"]
            if place["note"]
            else place["plan"] in self._plans
            if place["plan"]
            else self._value(place["code"] or place["sum"]) is not None
            for place in PLACE.finditer(choice.say)
        )

    def _value(self, code: str) -> Decimal | None:
        return self._sums[code] if code.startswith("#") else self._rows[code].value

    def _fill(self, say: str) -> Iterator[Run]:
        """A choice with names, plans and figures put in; each figure is a run of its own."""
        text = _fill_names(say, self._names)
        end = 0
        for place in PLACE.finditer(text):
            if place.start() > end:
                yield Run(text[end : place.start()])
            end = place.end()
            if place["plan"]:
                yield Run(self._plans[place["plan"]])
            elif place["sum"]:
                value = self._sums[place["sum"]]
                assert value is not None  # or this choice could not be said
                yield Run(_in_text(value, text[: place.start()], text[end:]), place["sum"])
            else:
                yield _figure(self._rows, place, text)
        if end < len(text):
            yield Run(text[end:])


def sums(content: ReleaseContent) -> dict[str, Decimal | None]:
    """The figures that the form's wording declares beside its rows, by ``#name``; None where one is not known."""
    measures = content.tables[MEASURES].to_pylist() if MEASURES in content.tables else []
    values = {row["measure"]: row["value"] for row in measures if row["is_reported"]}
    decided = content.case_totals.by_decision
    return {
        f"#{name}": _exact(
            values.get(declared.measure) if declared.measure else decided.get(declared.by_decision or "")
        )
        for name, declared in load_wording(content.form_version).figures.items()
    }


def _exact(value: Decimal | int | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def _plans(content: ReleaseContent, wording: Wording, names: Mapping[str, str]) -> dict[str, str]:
    """The plans of the year by kind, each with number, day and title; several of a kind by their days.

    A document to which the plan's tasks give several days is cited without one: which of them holds, only the office
    knows.
    """
    if PLANS not in content.tables:
        return {}
    rows = content.tables[PLANS].to_pylist()
    days: dict[str, set[dt.date | None]] = {}
    for plan in rows:
        days.setdefault(plan["document_number"], set()).add(plan["dated"])
    cited: dict[str, dict[str, None]] = {}
    for plan in sorted(rows, key=lambda row: (row["dated"] or dt.date.max, row["document_number"])):
        kind, number = plan["plan_kind"], plan["document_number"]
        if kind in wording.plans:
            title = lower_first(plan["title_vi"] or "") or _fill_names(wording.plans[kind], names)
            day = plan["dated"] if len(days[number]) == 1 else None
            cited.setdefault(kind, {})[f"{cite(number, day)} {title}"] = None
    return {kind: "; ".join(texts) for kind, texts in cited.items()}


def _orders(written: Mapping[str, list[Paragraph]], mark: str) -> dict[tuple[str, int], str]:
    """Paragraphs that leave a sentence out: how that sentence begins, by their place."""
    pattern = re.compile(rf"\W*{re.escape(mark)}\s*:(?P<begins>.+)", re.IGNORECASE | re.DOTALL)
    found = {}
    for paragraphs in written.values():
        for paragraph in paragraphs:
            match = pattern.fullmatch(paragraph.text)
            if match and paragraph.written and _folded(match["begins"]):
                found[paragraph.written] = match["begins"].strip(" “”\"'.…")
    return found


def _folded(text: str) -> str:
    """Letters and digits only, so that quotation marks, dots and spaces of a quotation do not count."""
    return "".join(character for character in text.casefold() if character.isalnum())


def _leads_on(paragraph: Paragraph, following: Paragraph | None) -> bool:
    """False for a line that announces items of which none is left."""
    return not paragraph.text.endswith(":") or (following is not None and following.role == "item")


def _written_or_dots(paragraphs: list[Paragraph] | None) -> Iterator[Paragraph]:
    if paragraphs:
        yield from paragraphs
    else:
        yield from (Paragraph("fill", (_DOTS,)) for _ in range(2))


def _figure(rows: Mapping[str, FormRow], place: re.Match[str], text: str) -> Run:
    """What a place in a text prints of a row of the form. Raises UnknownFigure where the form has no such row."""
    if place[1] not in rows:
        raise UnknownFigure(f"the form has no row {place[1]}")
    row = rows[place[1]]
    if place[2]:
        return Run(lower_first(str(row.values["note_vi"])))
    if row.value is None:
        return Run(row.printed or _NOT_REPORTED)
    return Run(_in_text(row.value, text[: place.start()], text[place.end() :]), place[1])


def _in_text(value: Decimal, before: str, after: str) -> str:
    """A figure in running text: counts below ten with a 0 before them, rates and parts of a whole without."""
    is_part = before.endswith("/") or after.startswith(("/", "%"))
    return f"0{int(value)}" if value in _BELOW_TEN and not is_part else format_number(value)


def _written(content: ReleaseContent) -> dict[str, list[Paragraph]]:
    """What people wrote, by section, figures put in. Without the mart, nothing."""
    if NARRATIVE not in content.tables:
        return {}
    rows = content.rows_by_code
    by_section: dict[str, list[Paragraph]] = {}
    paragraphs = content.tables[NARRATIVE].to_pylist()
    for paragraph in sorted(paragraphs, key=lambda row: (row["section"], row["paragraph_no"])):
        place = (paragraph["section"], int(paragraph["paragraph_no"]))
        runs = tuple(_quoting(paragraph["text_vi"], rows))
        by_section.setdefault(place[0], []).append(Paragraph("body", runs, place))
    return by_section


def _quoting(text: str, rows: Mapping[str, FormRow]) -> Iterator[Run]:
    """A paragraph of people with the figures that it quotes put in."""
    end = 0
    for place in FIGURE.finditer(text):
        if place.start() > end:
            yield Run(text[end : place.start()])
        end = place.end()
        yield _figure(rows, place, text)
    if end < len(text):
        yield Run(text[end:])


def _printable(paragraph: Paragraph) -> Paragraph:
    return replace(paragraph, runs=tuple(Run(printable(run.text), run.code) for run in paragraph.runs))


def _receiver_lines(receivers: list[str]) -> Iterator[str]:
    for position, receiver in enumerate(receivers, start=1):
        name = printable(receiver).strip().removeprefix("-").strip().rstrip(";.")
        yield f"- {name}{'.' if position == len(receivers) else ';'}"


# --- annex ----------------------------------------------------------------------------------------------------------


def _marks(content: ReleaseContent) -> dict[str, str]:
    """``(2)`` for each row that the second footnote is about."""
    marks: dict[str, str] = {}
    for footnote in printed_footnotes(content):
        for code in footnote.codes:
            marks[code] = f"{marks.get(code, '')} ({footnote.number})".strip()
    return marks


def _annex_line(row: FormRow, mark: str) -> AnnexLine:
    printed = {
        name: printable(str(row.values[name] or "")) for name in ("printed_number", "unit_of_measure", "note_vi")
    }
    unit = printed["unit_of_measure"].replace(" = ", "\u00a0=\u00a0")  # "Có = 1" stays on one line.
    return AnnexLine(
        number=printed["printed_number"],
        name=printable(row.name_vi),
        unit=unit,
        figure=printable(row.printed),
        note=f"{printed['note_vi']} {mark}".strip(),
        is_section=row.is_section,
        is_heading=row.is_heading,
    )
