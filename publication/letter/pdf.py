"""``report.pdf`` and ``phieu-trinh.pdf``: the same documents, typeset by Typst with the font that is shipped here.

Belongs here: handing a document to its template. Does not belong here: its look (``letter.typ``, ``submission.typ``),
what is said (``compose``, ``submission``).

The file is PDF/A-2a: every font is embedded, the text can be searched and copied, and the table is tagged for screen
readers. Typst sees no font of the system, no package and no clock.
"""

from __future__ import annotations

import calendar
import datetime as dt
import functools
import json
from pathlib import Path
from typing import Any

import pypdfium2
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
from publication.letter.submission import KIND, OPINION, SUBMITTED_BY, Submission
from publication.tables.annex import FOOTNOTES_VI

FONTS = Path(__file__).with_name("fonts")
_FAMILY = "Liberation Serif"
_FACES = {f"{_FAMILY} {style} {weight}" for style in ("normal", "italic") for weight in (400, 700)}
_HERE = Path(__file__).parent
#: What Typst writes of doubtful tags is the default, and poppler takes the word for a fault of the file.
_SUSPECTS = b"/Suspects false"


def write_pdf(path: Path, letter: Letter) -> None:
    """Write the letter. Equal letters give equal bytes. Raises ``typst.TypstError`` when it cannot be set."""
    path.write_bytes(_set("letter.typ", {"letter": _plain(letter)}, letter.dated))


def write_submission_pdf(path: Path, submission: Submission) -> None:
    """Write the phiếu trình. Equal submissions give equal bytes. Raises as :func:`write_pdf`."""
    path.write_bytes(_submission(submission))


def count_pages(submission: Submission) -> int:
    """On how many pages a phiếu trình is set."""
    document = pypdfium2.PdfDocument(_submission(submission))
    try:
        return len(document)
    finally:
        document.close()


def _submission(submission: Submission) -> bytes:
    return _set("submission.typ", {"submission": _plain_submission(submission)}, submission.dated)


def _set(template: str, inputs: dict[str, Any], dated: dt.date) -> bytes:
    compiler = typst.Compiler(
        input=_HERE / template,
        root=_HERE,
        font_paths=_fonts(),
        ignore_system_fonts=True,
        sys_inputs={name: json.dumps(value, ensure_ascii=False) for name, value in inputs.items()},
    )
    moment = calendar.timegm(dated.timetuple())
    data: Any = compiler.compile(format="pdf", pdf_standards="a-2a", timestamp=moment)
    # Blanks in its place move no byte that the file's own table of places counts.
    return bytes(data).replace(_SUSPECTS, b" " * len(_SUSPECTS), 1)


@functools.cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[FONTS])


def missing_faces() -> list[str]:
    """Faces of the shipped font that Typst does not find now, by name, style and weight."""
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[FONTS])
    return sorted(_FACES - {f"{face.family} {face.style} {face.weight}" for face in fonts.fonts()})


def _plain_submission(submission: Submission) -> dict[str, Any]:
    """The phiếu trình as JSON for the template."""
    return {
        "mark": submission.mark,
        "margins": MARGINS,
        "two_columns": TWO_COLUMNS,
        "columns": submission.columns,
        "headers": submission.headers,
        "state": STATE,
        "motto": MOTTO,
        "kind": KIND,
        "submitted_by": SUBMITTED_BY,
        "opinion": OPINION,
        "issuer": submission.issuer,
        "agency": submission.agency,
        "place_and_date": submission.place_and_date,
        "subject": submission.subject,
        "addressee": submission.addressee,
        "opening": submission.opening,
        "rows": [row.cells for row in submission.rows],
        "blocks": [{"heading": block.heading, "lines": block.lines} for block in submission.blocks],
        "closing": submission.closing,
        "dots": submission.dots,
        "year": submission.dated.year,
        "month": submission.dated.month,
        "day": submission.dated.day,
    }


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
        "signer": letter.signer,
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
        "footnotes_heading": FOOTNOTES_VI,
        "footnotes": letter.footnotes,
    }
