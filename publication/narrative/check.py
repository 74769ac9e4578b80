"""A written report against a release: every figure in its text, and every row of its annex table.

Belongs here: the order of the work, and the answer as plain data. Does not belong here: how it is printed (the
command line), what makes a figure, a claim or a verdict (the other modules of this package).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from common.quarters import quarter_number
from publication.formatting import format_quarter
from publication.narrative.annex_table import TableRowCheck, check_table
from publication.narrative.claims import Meaning, declared_units
from publication.narrative.document import WrittenReport, read_report
from publication.narrative.documents import differing_days, differing_lists, spoilt
from publication.narrative.figures import ZERO, figures
from publication.narrative.published import NEEDED_MARTS, PublishedFigures
from publication.narrative.remarks import TextRemark, Window, window_of
from publication.narrative.statements import statement_remarks, unmentioned
from publication.narrative.text import Sentence, phrase, places, sentences
from publication.narrative.verdicts import CONTRADICTS, judge, source_vi
from publication.narrative.wording import days_outside, early_indexes, misspelt
from publication.store.parquet import from_parquet

#: Characters. The longest sentence of the reports read so far has 800.
LONGEST_SENTENCE = 4000
#: Kinds of remarks that say something else than the release; the others are worth a look.
CONTRADICTING = frozenset({"statement"})
_TITLE_LINES = 40
_YEAR = re.compile(r"20[0-9]{2}")


@dataclass(frozen=True)
class RowNamed:
    """A form row as people find it."""

    row_no: int
    indicator_code: str
    name_vi: str


@dataclass(frozen=True)
class FigureCheck:
    """One figure of the text: ``agrees``, ``contradicts`` or ``not_found``, with its sentence and form rows.

    ``text`` is what the report writes and ``start`` its place in the sentence; ``line`` is the paragraph's place in
    the file. ``sources`` are indicator codes and marts compared with, ``places_vi`` the marts in words.
    """

    sentence_no: int
    line: int
    sentence: str
    text: str
    start: int
    says_zero: bool
    verdict: str
    published_vi: str
    reason_vi: str
    rows: tuple[RowNamed, ...]
    sources: tuple[str, ...]
    places_vi: tuple[str, ...]


@dataclass(frozen=True)
class ReportCheck:
    """All that was found. ``remarks_vi``: what a reader should know beside the figures (another quarter named …);
    ``text_remarks``: what the sentences say beside their figures (see ``statements``)."""

    figures: tuple[FigureCheck, ...]
    table_rows: tuple[TableRowCheck, ...]
    remarks_vi: tuple[str, ...]
    text_remarks: tuple[TextRemark, ...] = ()

    @property
    def contradicts(self) -> bool:
        """True when any figure, table row or statement says something else than the release."""
        verdicts = [*(one.verdict for one in self.figures), *(one.verdict for one in self.table_rows)]
        return CONTRADICTS in verdicts or any(one.kind in CONTRADICTING for one in self.text_remarks)

    def count(self, verdict: str) -> int:
        """Figures of the text with this verdict."""
        return sum(figure.verdict == verdict for figure in self.figures)


def check_report(path: Path, release_dir: Path, quarter: str, decided: frozenset[str] = frozenset()) -> ReportCheck:
    """Compare the report in ``path`` with the marts of a release folder; ``decided`` as for :func:`check_written`.

    Raises UnreadableReport when the file cannot be read, OSError or pyarrow.ArrowException when the release cannot.
    """
    tables = {name: from_parquet((release_dir / "marts" / f"{name}.parquet").read_bytes()) for name in NEEDED_MARTS}
    return check_written(read_report(path), tables, quarter, decided)


def check_written(
    report: WrittenReport, tables: Mapping[str, pa.Table], quarter: str, decided: frozenset[str] = frozenset()
) -> ReportCheck:
    """Compare a report that was read with the marts ``NEEDED_MARTS``. Equal input gives an equal answer.

    ``decided``: actions of the decisions that took effect in the release.
    """
    published = PublishedFigures(tables)
    report_sentences = sentences(report.lines)
    checked = [figure for sentence in report_sentences for figure in check_sentence(sentence, published)]
    window = window_of(published.quarters, quarter)
    return ReportCheck(
        tuple(checked),
        tuple(check_table(report.table_rows, published)),
        tuple(_remarks(report, quarter)),
        tuple(remarks_on(report_sentences, published, window, decided)),
    )


def remarks_on(
    report_sentences: Sequence[Sentence],
    published: PublishedFigures,
    window: Window | None,
    decided: frozenset[str] = frozenset(),
    by_people: frozenset[int] | None = None,
) -> list[TextRemark]:
    """All remarks on a report's sentences, in reading order, those on the whole last.

    ``window``: None where the release does not say when the quarter closes. ``by_people``: the lines that people
    wrote; None: all of them.
    """
    found: list[TextRemark] = []
    for sentence in report_sentences:
        found += [*statement_remarks(sentence, published, decided), *wording_remarks(sentence, window)]
    by_hand = [sentence for sentence in report_sentences if by_people is None or sentence.line in by_people]
    return [
        *found,
        *differing_days(report_sentences, published),
        *differing_lists(report_sentences, published),
        *unmentioned(by_hand, published),
    ]


def wording_remarks(sentence: Sentence, window: Window | None) -> list[TextRemark]:
    """The remarks on a text that do not depend on figures: symbols, days, indexes, wording."""
    return [*spoilt(sentence), *days_outside(sentence, window), *early_indexes(sentence, window), *misspelt(sentence)]


def is_readable(sentence: Sentence) -> bool:
    """Whether a sentence is short enough to tell which of its words speak of which figure."""
    return len(sentence.text) <= LONGEST_SENTENCE


def check_sentence(sentence: Sentence, published: PublishedFigures) -> list[FigureCheck]:
    """The figures of one sentence, each compared; none of one that is not readable."""
    if not is_readable(sentence):
        return []
    checked = []
    previous: Meaning | None = None
    for figure in figures(sentence, declared_units()):
        verdict, previous = judge(figure, sentence, previous, published)
        named = [published.rows[code] for code in verdict.rows if code in published.rows]
        checked.append(
            FigureCheck(
                sentence_no=sentence.number,
                line=sentence.line,
                sentence=sentence.text,
                text=figure.text,
                start=figure.start,
                says_zero=figure.kind == ZERO,
                verdict=verdict.verdict,
                published_vi=verdict.published_vi,
                reason_vi=verdict.reason_vi,
                rows=tuple(RowNamed(row.row_no, row.code, str(row.values["indicator_name_vi"])) for row in named),
                sources=verdict.sources,
                places_vi=tuple(source_vi(source) for source in verdict.sources if source not in published.rows),
            )
        )
    return checked


def _remarks(report: WrittenReport, quarter: str) -> list[str]:
    """What is odd about the report as a whole. Titles name the quarter reported on before the one to come."""
    digit = quarter_number(quarter)[1]
    if digit is None:
        return _longer_remarks(report, quarter)
    word, number, _, year = phrase(format_quarter(quarter))
    for keys in map(phrase, report.lines[:_TITLE_LINES]):
        if word in keys[:-1] and any(_YEAR.fullmatch(key) for key in keys):
            named_quarter = keys[keys.index(word) + 1]
            if named_quarter in (number, digit) and year in keys:
                return []
            return [f"Đầu báo cáo ghi kỳ khác với {format_quarter(quarter)}; cần xem lại báo cáo của quý nào."]
    return []


def _longer_remarks(report: WrittenReport, quarter: str) -> list[str]:
    """The same of a half-year, nine months or a year: its name stands in a title, where one names a year at all."""
    name, titles = phrase(format_quarter(quarter)), [phrase(line) for line in report.lines[:_TITLE_LINES]]
    dated = [keys for keys in titles if any(_YEAR.fullmatch(key) for key in keys)]
    if not dated or any(places(keys, name) for keys in dated):
        return []
    return [f"Đầu báo cáo không ghi {format_quarter(quarter)}; cần xem lại báo cáo của kỳ nào."]
