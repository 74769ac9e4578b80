"""The letter report and the phiếu trình for its signer, each as ``.docx`` and ``.pdf``, made from one model, read back.

Belongs here: words, layout and read-back of the letter. Does not belong here: figures (the marts), the workbook of the
annex (``annex``), the order of publication (``release``).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from publication.content.release_content import ReleaseContent
from publication.letter.compose import compose, compose_body
from publication.letter.model import LetterDamaged
from publication.letter.submission import Submission, compose_submission

DOCX, PDF = "report.docx", "report.pdf"
SUBMISSION_DOCX, SUBMISSION_PDF = "phieu-trinh.docx", "phieu-trinh.pdf"
FILES = (DOCX, PDF, SUBMISSION_DOCX, SUBMISSION_PDF)

__all__ = [
    "DOCX",
    "FILES",
    "PDF",
    "SUBMISSION_DOCX",
    "SUBMISSION_PDF",
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
    for name in files:
        if name == DOCX:
            from publication.letter.word import write_docx

            write_docx(folder / name, compose(content))
        elif name == PDF:
            from publication.letter.pdf import write_pdf

            write_pdf(folder / name, compose(content))
        elif name == SUBMISSION_DOCX:
            from publication.letter.word import write_submission_docx

            write_submission_docx(folder / name, _submission(content))
        else:
            from publication.letter.pdf import write_submission_pdf

            write_submission_pdf(folder / name, _submission(content))


def _submission(content: ReleaseContent) -> Submission:
    from publication.letter.pdf import count_pages

    return compose_submission(content, count_pages)


def check_letter(folder: Path, content: ReleaseContent, files: Iterable[str] = FILES) -> None:
    """Read the letter again and compare every figure with the mart. Raises LetterDamaged at the first difference."""
    from publication.letter.check import check_marked_figures, check_reading, check_submission
    from publication.letter.reading import Unreadable, read_docx, read_pdf

    for name in files:
        try:
            reading = (read_docx if name.endswith(".docx") else read_pdf)(folder / name)
            if name in (SUBMISSION_DOCX, SUBMISSION_PDF):
                check_submission(content, _submission(content), reading)
                continue
            letter = compose(content)
            check_reading(content, letter, reading)
            if name == DOCX:
                check_marked_figures(letter, reading)
        except (Unreadable, LetterDamaged) as error:
            raise LetterDamaged(f"{name}: {error}", getattr(error, "row_no", None)) from error


def missing_faces() -> list[str]:
    """Faces that ``report.pdf`` is set in and whose font file is missing or cannot be read, by name."""
    from publication.letter.pdf import missing_faces

    return missing_faces()
