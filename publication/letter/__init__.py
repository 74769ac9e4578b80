"""The letter report: ``report/report.docx`` and ``report/report.pdf``, made from one model and read back.

Belongs here: words, layout and read-back of the letter. Does not belong here: figures (the marts), the workbook of the
annex (``annex``), the order of publication (``release``).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from publication.content.release_content import ReleaseContent
from publication.letter.compose import compose, compose_body
from publication.letter.model import LetterDamaged

DOCX, PDF = "report.docx", "report.pdf"
FILES = (DOCX, PDF)

__all__ = [
    "DOCX",
    "FILES",
    "PDF",
    "LetterDamaged",
    "check_letter",
    "compose",
    "compose_body",
    "missing_faces",
    "write_letter",
]


# The libraries of each file are loaded when it is written or read: most commands do neither.


def write_letter(folder: Path, content: ReleaseContent, files: Iterable[str] = FILES) -> None:
    """Write the letter into ``folder``. Equal content gives equal bytes."""
    letter = compose(content)
    for name in files:
        if name == DOCX:
            from publication.letter.word import write_docx

            write_docx(folder / name, letter)
        else:
            from publication.letter.pdf import write_pdf

            write_pdf(folder / name, letter)


def check_letter(folder: Path, content: ReleaseContent, files: Iterable[str] = FILES) -> None:
    """Read the letter again and compare every figure with the mart. Raises LetterDamaged at the first difference."""
    from publication.letter.check import check_marked_figures, check_reading
    from publication.letter.reading import Unreadable, read_docx, read_pdf

    letter = compose(content)
    for name in files:
        try:
            reading = (read_docx if name == DOCX else read_pdf)(folder / name)
            check_reading(content, letter, reading)
            if name == DOCX:
                check_marked_figures(letter, reading)
        except (Unreadable, LetterDamaged) as error:
            raise LetterDamaged(f"{name}: {error}", getattr(error, "row_no", None)) from error


def missing_faces() -> list[str]:
    """Faces that ``report.pdf`` is set in and whose font file is missing or cannot be read, by name."""
    from publication.letter.pdf import missing_faces

    return missing_faces()
