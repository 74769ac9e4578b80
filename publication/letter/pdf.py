"""``report.pdf``: the same letter, typeset by Typst with the font that is shipped here.

Belongs here: handing the letter to the template. Does not belong here: its look (``letter.typ``), what is said
(``compose``).

The file is PDF/A-2a: every font is embedded, the text can be searched and copied, and the table is tagged for screen
readers. Typst sees no font of the system, no package and no clock.
"""

from __future__ import annotations

import calendar
import functools
import json
from pathlib import Path
from typing import Any

import typst

from publication.letter.model import (
    COLUMN_WIDTHS,
    HEADER_BOTTOM,
    HEADER_TOP,
    MARGINS,
    MOTTO,
    RECEIVERS,
    STATE,
    TWO_COLUMNS,
    Letter,
)

FONTS = Path(__file__).with_name("fonts")
_FAMILY = "Liberation Serif"
_FACES = {f"{_FAMILY} {style} {weight}" for style in ("normal", "italic") for weight in (400, 700)}
_TEMPLATE = Path(__file__).with_name("letter.typ")


def write_pdf(path: Path, letter: Letter) -> None:
    """Write the letter. Equal letters give equal bytes. Raises ``typst.TypstError`` when it cannot be set."""
    moment = calendar.timegm(letter.dated.timetuple())
    compiler = typst.Compiler(
        input=_TEMPLATE,
        root=_TEMPLATE.parent,
        font_paths=_fonts(),
        ignore_system_fonts=True,
        sys_inputs={"letter": json.dumps(_plain(letter), ensure_ascii=False)},
    )
    compiler.compile(output=path, format="pdf", pdf_standards="a-2a", timestamp=moment)


@functools.cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[FONTS])


def missing_faces() -> list[str]:
    """Faces of the shipped font that Typst does not find now, by name, style and weight."""
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[FONTS])
    return sorted(_FACES - {f"{face.family} {face.style} {face.weight}" for face in fonts.fonts()})


def _plain(letter: Letter) -> dict[str, Any]:
    """The letter as JSON for the template."""
    return {
        "mark": letter.mark,
        "margins": MARGINS,
        "two_columns": TWO_COLUMNS,
        "column_widths": COLUMN_WIDTHS,
        "header_top": HEADER_TOP,
        "header_bottom": HEADER_BOTTOM,
        "state": STATE,
        "motto": MOTTO,
        "issuer": letter.issuer,
        "agency": letter.agency,
        "number": letter.number,
        "place_and_date": letter.place_and_date,
        "kind": letter.kind,
        "subject": letter.subject,
        "year": letter.dated.year,
        "month": letter.dated.month,
        "day": letter.dated.day,
        "body": [{"role": paragraph.role, "text": paragraph.text} for paragraph in letter.body],
        "closing": letter.closing.text,
        "receivers_heading": RECEIVERS,
        "receivers": letter.receivers,
        "authority": letter.authority,
        "post": letter.post,
        "annex_title": letter.annex_title,
        "annex": [
            {
                "number": line.number,
                "name": line.name,
                "unit": line.unit,
                "figure": line.figure,
                "note": line.note,
                "section": line.is_section,
                "heading": line.is_heading,
                "breaks": line.may_break,
            }
            for line in letter.annex
        ],
        "remarks_heading": letter.remarks_heading,
        "remarks": [{"heading": block.heading, "lines": block.lines} for block in letter.remarks],
    }
