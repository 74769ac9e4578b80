"""What was written must read back as the mart: every row of the annex, every figure of the text, every word.

Belongs here: comparing what a file shows with the content of the release. Does not belong here: reading files
(``reading``), stopping a release (``outputs``).
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from publication.content.release_content import ReleaseContent
from publication.formatting import parse_number
from publication.letter.compose import sums
from publication.letter.glyphs import printable
from publication.letter.model import (
    HEADER_BOTTOM,
    HEADER_TOP,
    MOTTO,
    RECEIVERS,
    STATE,
    Letter,
    LetterDamaged,
    Paragraph,
    Run,
)
from publication.letter.reading import Reading, squeeze
from publication.letter.submission import (
    KIND,
    MOST_PAGES,
    OPINION,
    SUBMITTED_BY,
    Submission,
)
from publication.tables.annex import FOOTNOTES_VI

_FIGURE_CELL = 3


def check_reading(content: ReleaseContent, letter: Letter, reading: Reading) -> None:
    """Compare one file with the mart. Raises LetterDamaged at the first difference."""
    _check_annex(content, letter, reading)
    _check_text(letter, reading)
    _check_figures(content, _figures_in_text(letter, reading.text))
    if reading.figures:
        _check_figures(content, reading.figures)


def check_marked_figures(letter: Letter, reading: Reading) -> None:
    """Word only: exactly the letter's figures are marked, in its order. Raises LetterDamaged."""
    if [code for code, _ in reading.figures] != [run.code for run in letter.figures()]:
        raise LetterDamaged("the marked figures are not those of the letter")


def check_submission(content: ReleaseContent, submission: Submission, reading: Reading) -> None:
    """Compare one file of the phiếu trình with the marts and with what was meant. Raises LetterDamaged."""
    header, *rows = reading.table or ((),)
    if header != tuple(map(squeeze, submission.headers)) or len(rows) != len(submission.rows):
        raise LetterDamaged(f"the table of the phiếu trình has other columns or rows: {header}, {len(rows)}")
    known = content.rows_by_code
    for row, cells in zip(submission.rows, rows, strict=True):
        if cells != tuple(map(squeeze, row.cells)):
            raise LetterDamaged(f"{row.code}: wrote {row.cells}, read {cells}", known[row.code].row_no)
        for column, figure in zip(submission.values, cells[1:], strict=True):
            if _value(figure.removesuffix("%")) != known[row.code].values[column]:
                mart = known[row.code].values[column]
                raise LetterDamaged(
                    f"{row.code}: the mart has {mart}, {column} shows {figure!r}", known[row.code].row_no
                )
    _check_words(submission_texts(submission), reading)
    if reading.pages is not None and reading.pages > MOST_PAGES:
        raise LetterDamaged(f"the phiếu trình has {reading.pages} pages")


def submission_texts(submission: Submission) -> list[str]:
    """Everything outside the table, in the order of both files."""
    texts = [*submission.agency, STATE, MOTTO, submission.place_and_date, KIND, submission.subject]
    texts += [submission.addressee, submission.opening]
    for block in submission.blocks:
        texts += [block.heading, *(f"- {line}" for line in block.lines)]
    return [*texts, submission.closing, SUBMITTED_BY, OPINION, *submission.dots]


# --- annex ----------------------------------------------------------------------------------------------------------


def _check_annex(content: ReleaseContent, letter: Letter, reading: Reading) -> None:
    header = reading.table[:2]
    if header != tuple(tuple(squeeze(cell) for cell in row if cell) for row in (HEADER_TOP, HEADER_BOTTOM)):
        raise LetterDamaged(f"the header of the annex is not the form's: {header}")
    found = _whole_rows(letter, reading)
    for row, line, cells in zip(content.rows, letter.annex, found, strict=False):
        figure = cells[_FIGURE_CELL] if len(cells) > _FIGURE_CELL else ""
        if _value(figure) != row.value or (row.value is None and figure != squeeze(printable(row.printed))):
            raise LetterDamaged(f"row {row.row_no}: the mart has {row.value}, the annex shows {figure!r}", row.row_no)
        if cells != tuple(squeeze(cell) for cell in line.cells):
            raise LetterDamaged(f"row {row.row_no}: wrote {line.cells}, read {cells}", row.row_no)
    if len(found) != len(content.rows):
        raise LetterDamaged(f"the annex holds {len(found)} rows, the form {len(content.rows)}")


def _whole_rows(letter: Letter, reading: Reading) -> list[tuple[str, ...]]:
    """The rows of the annex, those put together again that break over pages.

    The rest of a row stands first on its page, and every cell goes on where the written one left off. Only what is
    still missing of the row is taken, or what is blank, so a row too many stays one too many.
    """
    rows: list[tuple[str, ...]] = []
    for place, cells in enumerate(reading.table[2:], start=2):
        if rows and place in reading.continued and len(rows) <= len(letter.annex):
            wanted = tuple(squeeze(cell) for cell in letter.annex[len(rows) - 1].cells)
            joined = tuple(one + other for one, other in zip(rows[-1], cells, strict=False))
            if (
                len(cells) == len(rows[-1]) == len(wanted)
                and (rows[-1] != wanted or not any(cells))
                and all(whole.startswith(part) for whole, part in zip(wanted, joined, strict=True))
            ):
                rows[-1] = joined
                continue
        rows.append(cells)
    return rows


def _value(figure: str) -> Decimal | None:
    try:
        return parse_number(figure)
    except ValueError:
        return None


# --- text -----------------------------------------------------------------------------------------------------------


def text_runs(letter: Letter) -> list[Run]:
    """Everything outside the annex table, in the order of both files, figures as runs of their own."""
    plain = [*letter.agency, STATE, MOTTO, letter.number, letter.place_and_date, letter.kind, letter.subject]
    runs = [Run(text) for text in plain]
    for paragraph in (*letter.body, letter.closing):
        runs += [*_dash(paragraph), *paragraph.runs]
    signature = (RECEIVERS, *letter.receivers, letter.authority, *letter.post, letter.signer)
    runs += [Run(text) for text in (*signature, *letter.annex_title)]
    if letter.footnotes:
        runs += [Run(text) for text in (FOOTNOTES_VI, *letter.footnotes)]
    return runs


def _dash(paragraph: Paragraph) -> list[Run]:
    return [Run("-")] if paragraph.role == "item" else []


def _check_text(letter: Letter, reading: Reading) -> None:
    _check_words((run.text for run in text_runs(letter)), reading)


def _check_words(texts: Iterable[str], reading: Reading) -> None:
    wanted = "".join(map(squeeze, texts))
    if reading.text == wanted:
        return
    pairs = zip(wanted, reading.text, strict=False)
    place = next(
        (place for place, (one, other) in enumerate(pairs) if one != other), min(len(wanted), len(reading.text))
    )
    near = slice(max(0, place - 20), place + 40)
    raise LetterDamaged(f"the text differs: wrote {wanted[near]!r}, read {reading.text[near]!r}")


def _figures_in_text(letter: Letter, text: str) -> list[tuple[str, str]]:
    """What the file shows where the letter has its figures: indicator code and text."""
    figures, place = [], 0
    for run in text_runs(letter):
        end = place + len(squeeze(run.text))
        if run.code is not None:
            figures.append((run.code, text[place:end]))
        place = end
    return figures


def _check_figures(content: ReleaseContent, figures: list[tuple[str, str]] | tuple[tuple[str, str], ...]) -> None:
    known: dict[str, Decimal | None] = {code: row.value for code, row in content.rows_by_code.items()}
    known |= sums(content)
    for code, figure in figures:
        value = known.get(code)
        if value is None or _value(figure) != value:
            raise LetterDamaged(f"{code}: the mart has {value}, the text shows {figure!r}")
