"""The letter report: ``report/report.docx`` and ``report/report.pdf``, made from one model and read back.

Belongs here: words, layout and read-back of the letter. Does not belong here: figures (the marts), the workbook of the
annex (``annex``), the order of publication (``release``).
"""

from __future__ import annotations

from pathlib import Path

from publication.content import ReleaseContent
from publication.letter.check import LetterDamaged
from publication.letter.compose import compose

DOCX, PDF = "report.docx", "report.pdf"

__all__ = ["DOCX", "PDF", "LetterDamaged", "check_letter", "compose", "write_letter"]


# The libraries of each file are loaded when it is written or read: most commands do neither.

def write_letter(folder: Path, content: ReleaseContent) -> None:
    """Write both files into ``folder``. Equal content gives equal bytes."""
    from publication.letter.pdf import write_pdf
    from publication.letter.word import write_docx

    letter = compose(content)
    write_docx(folder / DOCX, letter)
    write_pdf(folder / PDF, letter)


def check_letter(folder: Path, content: ReleaseContent) -> None:
    """Read both files again and compare every figure with the mart. Raises LetterDamaged at the first difference."""
    from publication.letter.check import check_marked_figures, check_reading
    from publication.letter.reading import Unreadable, read_docx, read_pdf

    letter = compose(content)
    for name, read in ((DOCX, read_docx), (PDF, read_pdf)):
        try:
            reading = read(folder / name)
            check_reading(content, letter, reading)
            if name == DOCX:
                check_marked_figures(letter, reading)
        except (Unreadable, LetterDamaged) as error:
            raise LetterDamaged(f"{name}: {error}") from error
