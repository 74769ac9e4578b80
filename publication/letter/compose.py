"""From a release's content to the letter: sentences chosen and filled, paragraphs of people merged in, the annex.

Belongs here: which words are printed, and which indicator each figure is of. Does not belong here: the words
themselves (``wording_<form version>.yaml``), their look (``word``, ``letter.typ``).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from common.periods import kind_of, period_named
from publication.content.approval import DRAFT_VI
from publication.content.notes import REMARKS_HEADING, remarks
from publication.content.release_content import FormRow, ReleaseContent
from publication.formatting import format_date
from publication.letter.glyphs import printable
from publication.letter.model import AnnexLine, Letter, Paragraph, RemarkBlock, Role, Run
from publication.letter.wording import FIGURE, Choice, Level, PartWording, Sentence, Wording, load_wording
from publication.tables.annex import PROVISIONAL_VI, lower_first, title_lines

NARRATIVE = "report_narrative"
_NAME = re.compile(r"\{([A-Za-z_]+)\}")
_KINDS = ("thành phố", "thị xã", "thị trấn", "quận", "huyện", "phường", "xã", "đặc khu")
_PROVINCE_CODE_LENGTH = 2
_DOTS = Run("…" * 33)
_NOT_REPORTED = "(chưa có số liệu báo cáo)"


class UnknownFigure(ValueError):
    """A paragraph quotes a figure that the form does not have."""


def compose_body(content: ReleaseContent) -> tuple[Paragraph, ...]:
    """The letter between head and end, also of a content that no gate has judged yet. Raises as :func:`compose`."""
    level, superior = _place_in_state(content)
    wording = load_wording(content.form_version)
    return tuple(_body(content, wording, level, _names(content, superior), _written(content)))


def compose(content: ReleaseContent) -> Letter:
    """The letter of a release. Raises LookupError without wording or unit, UnknownFigure for a wrong quotation."""
    wording = load_wording(content.form_version)
    level, superior = _place_in_state(content)
    names = _names(content, superior)
    written = _written(content)
    title = title_lines(content)
    marks = _marks(content)
    receivers = [paragraph.text for paragraph in written.get("receivers", ())]
    receivers = receivers or [_fill_names(line, names) for line in wording.receivers[level]]
    return Letter(
        dated=_closing_date(content),
        issuer=printable(names["issuer"]),
        agency=tuple(map(printable, ("ỦY BAN NHÂN DÂN", names["area"].upper()))),
        number="Số:            /BC-UBND",
        place_and_date=printable(f"{names['proper']}, ngày        tháng        năm {names['year']}"),
        kind="BÁO CÁO",
        subject=printable(
            _fill_names(wording.subject, names) + (f" ({PROVISIONAL_VI})" if content.provisional_vi else "")
        ),
        body=tuple(_printable(paragraph) for paragraph in _body(content, wording, level, names, written)),
        closing=_printable(_plain("body", _fill_names(wording.closing, names))),
        receivers=tuple(_receiver_lines(receivers)),
        authority="TM. ỦY BAN NHÂN DÂN",
        post="CHỦ TỊCH",
        annex_title=tuple(map(printable, title)),
        annex=tuple(_annex_line(row, marks.get(row.code, "")) for row in content.rows),
        remarks_heading=REMARKS_HEADING,
        remarks=tuple(
            RemarkBlock(
                printable(block.heading),
                tuple(
                    printable(f"({line.number}) {line.text_vi}" if line.number else f"- {line.text_vi}")
                    for line in block.lines
                ),
            )
            for block in remarks(content)
        ),
        mark=DRAFT_VI if content.draft else "",
    )


# --- names ----------------------------------------------------------------------------------------------------------


def _place_in_state(content: ReleaseContent) -> tuple[Level, str]:
    """Level of the unit, and the office it reports to. The national code of a province has 2 digits, a district's 3."""
    units = [row for row in content.tables["dim_unit"].to_pylist() if row["unit_code"] == content.unit_code]
    if not units:
        raise LookupError(f"no unit {content.unit_code}")
    unit = units[0]
    if unit["unit_level"] == "district":
        return "district", "Sở Nội vụ"
    below_province = len(unit["parent_unit_code"] or "") == _PROVINCE_CODE_LENGTH
    return "commune", "Sở Nội vụ" if below_province else "Phòng Nội vụ"


def _names(content: ReleaseContent, superior: str) -> dict[str, str]:
    area = lower_first(content.unit_name_vi)
    kind = next((kind for kind in _KINDS if area.startswith(f"{kind} ")), "")
    proper = area.removeprefix(kind).strip()
    period = period_named(content.quarter)
    named = period.in_year_vi if period.ahead_in_year_vi else period.name_vi
    return {
        "area": area,
        "kind": kind or area,
        "proper": proper if not proper.isdigit() else content.unit_name_vi,
        "board": f"Ủy ban nhân dân {kind}".strip(),
        "issuer": f"Ủy ban nhân dân {area}",
        "superior": superior,
        "year": str(period.report_year),
        "span": kind_of(content.quarter).span_vi,
        "quarter": period.in_year_vi,
        "quarter_year": content.quarter_vi,
        "QUARTER": period.in_year_vi.upper(),
        "NEXT_QUARTER": (period.ahead_in_year_vi or period.ahead_vi).upper(),
        "periods": f"{named} và phương hướng, nhiệm vụ {period.ahead_vi}",
        "closing": format_date(_closing_date(content)),
    }


def _closing_date(content: ReleaseContent) -> dt.date:
    quarters = content.tables["dim_quarter"].to_pylist()
    days: list[dt.date] = [row["closes_on"] for row in quarters if row["quarter"] == content.quarter]
    if not days:
        raise LookupError(f"no closing day of {content.quarter}")
    return days[0]


def _fill_names(text: str, names: Mapping[str, str]) -> str:
    return _NAME.sub(lambda match: names[match[1]], text)


# --- paragraphs -----------------------------------------------------------------------------------------------------


def _body(
    content: ReleaseContent,
    wording: Wording,
    level: Level,
    names: Mapping[str, str],
    written: Mapping[str, list[Paragraph]],
) -> Iterator[Paragraph]:
    yield from written.get("opening") or [_plain("body", _fill_names(wording.opening, names))]
    for part in wording.parts:
        yield _plain("part", f"{part.id}. {_fill_names(part.title, names)}")
        if not part.sections:
            yield from _written_or_dots(written.get(part.id))
        yield from _sections(content, part, level, names, written)


def _sections(
    content: ReleaseContent,
    part: PartWording,
    level: Level,
    names: Mapping[str, str],
    written: Mapping[str, list[Paragraph]],
) -> Iterator[Paragraph]:
    rows = content.rows_by_code
    for section in part.sections:
        yield _plain("section", f"{section.id.rpartition('.')[2]}. {_fill_names(section.title, names)}")
        said = [
            Paragraph("item" if paragraph.item else "body", _say_all(paragraph.sentences, rows, names))
            for paragraph in section.paragraphs
            if paragraph.level in (None, level)
        ]
        if said:
            yield from written.get(section.id, ())
            yield from said
        else:
            yield from _written_or_dots(written.get(section.id))


def _plain(role: Role, text: str) -> Paragraph:
    return Paragraph(role, (Run(text),))


def _written_or_dots(paragraphs: list[Paragraph] | None) -> Iterator[Paragraph]:
    if paragraphs:
        yield from paragraphs
    else:
        yield from (Paragraph("fill", (_DOTS,)) for _ in range(2))


def _say_all(sentences: tuple[Sentence, ...], rows: Mapping[str, FormRow], names: Mapping[str, str]) -> tuple[Run, ...]:
    runs: list[Run] = []
    for sentence in sentences:
        choice = next(choice for choice in sentence if _can_be_said(choice, rows))
        runs += [*([Run(" ")] if runs else []), *_fill(_fill_names(choice.say, names), rows)]
    return tuple(runs)


def _can_be_said(choice: Choice, rows: Mapping[str, FormRow]) -> bool:
    """True when each condition holds and nothing it prints is blank. A blank figure is neither zero nor positive."""
    for code, condition in choice.conditions.items():
        value = rows[code].value
        if value is None or (value == 0) != (condition == "zero"):
            return False
    return all(
        rows[code].values["note_vi"] if note else rows[code].value is not None
        for code, note in FIGURE.findall(choice.say)
    )


def _fill(text: str, rows: Mapping[str, FormRow]) -> Iterator[Run]:
    """The text with its figures put in, each a run of its own."""
    end = 0
    for match in FIGURE.finditer(text):
        code, note = match[1], match[2]
        if code not in rows:
            raise UnknownFigure(f"the form has no row {code}")
        if match.start() > end:
            yield Run(text[end : match.start()])
        end = match.end()
        row = rows[code]
        if note:
            yield Run(lower_first(str(row.values["note_vi"])))
        elif row.value is None:
            yield Run(row.printed or _NOT_REPORTED)
        else:
            yield Run(row.printed, code)
    if end < len(text):
        yield Run(text[end:])


def _written(content: ReleaseContent) -> dict[str, list[Paragraph]]:
    """What people wrote, by section, figures put in. Without the mart, nothing."""
    if NARRATIVE not in content.tables:
        return {}
    rows = content.rows_by_code
    by_section: dict[str, list[Paragraph]] = {}
    paragraphs = content.tables[NARRATIVE].to_pylist()
    for paragraph in sorted(paragraphs, key=lambda row: (row["section"], row["paragraph_no"])):
        place = (paragraph["section"], int(paragraph["paragraph_no"]))
        by_section.setdefault(place[0], []).append(Paragraph("body", tuple(_fill(paragraph["text_vi"], rows)), place))
    return by_section


def _printable(paragraph: Paragraph) -> Paragraph:
    return replace(paragraph, runs=tuple(Run(printable(run.text), run.code) for run in paragraph.runs))


def _receiver_lines(receivers: list[str]) -> Iterator[str]:
    for position, receiver in enumerate(receivers, start=1):
        name = printable(receiver).strip().removeprefix("-").strip().rstrip(";.")
        yield f"- {name}{'.' if position == len(receivers) else ';'}"


# --- annex ----------------------------------------------------------------------------------------------------------


def _marks(content: ReleaseContent) -> dict[str, str]:
    """``(2)`` for each row that the second remark is about."""
    marks: dict[str, str] = {}
    for footnote in content.footnotes:
        for code in footnote.indicator_codes:
            marks[code] = f"{marks.get(code, '')} ({footnote.number})".strip()
    return marks


def _annex_line(row: FormRow, mark: str) -> AnnexLine:
    printed = {
        name: printable(str(row.values[name] or ""))
        for name in ("printed_number", "indicator_name_vi", "unit_of_measure", "note_vi")
    }
    unit = printed["unit_of_measure"].replace(" = ", "\u00a0=\u00a0")  # "Có = 1" stays on one line.
    return AnnexLine(
        number=printed["printed_number"],
        name=printed["indicator_name_vi"],
        unit=unit,
        figure=printable(row.printed),
        note=f"{printed['note_vi']} {mark}".strip(),
        is_section=row.is_section,
        is_heading=row.is_heading,
    )
