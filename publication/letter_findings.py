"""What the letter of a candidate would say that the candidate's figures do not: rows that gate 2 judges by rule.

Belongs here: composing the letter's text before anything is published, asking the narrative check about it, one row a
finding. Does not belong here: what a sentence says (``narrative``), what blocks (``expectations``), the letter's look.

Paragraphs that people wrote and sentences of our own are read alike, and so are the notes of the form's rows; of our
own, figures that are put in from the rows themselves need no comparing (``letter.check`` reads them back).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from common.forms import Form
from publication.content.release_content import ReleaseContent, form_rows, unit_name
from publication.letter import compose_body
from publication.letter.model import Body, Paragraph, Run
from publication.letter.wording import FIGURE, load_wording, wording_in
from publication.narrative.check import FigureCheck, check_sentence, is_readable, remarks_on, wording_remarks
from publication.narrative.claims import claims_in, claims_of
from publication.narrative.published import PublishedFigures
from publication.narrative.remarks import TextRemark, Window, window_of
from publication.narrative.statements import declared_statements, statements_in
from publication.narrative.text import Sentence, clean, sentences
from publication.narrative.verdicts import CONTRADICTS, NOT_FOUND
from publication.store.candidate import FORM_MART

SCHEMA = pa.schema(
    [
        ("unit_code", pa.string()),
        ("quarter", pa.string()),
        ("kind", pa.string()),
        ("subject", pa.string()),
        ("section", pa.string()),
        ("paragraph_no", pa.int32()),
        ("indicator_codes", pa.string()),
        ("message_vi", pa.string()),
        ("file_name", pa.string()),
        ("sheet", pa.string()),
        ("row_number", pa.int64()),
    ]
)
_NARRATIVE, _DECISIONS = "report_narrative", "decision_effects"
_DOTS = "…"
_SHOWN = 60

Row = dict[str, Any]


def check_form_texts(form_version: str) -> None:
    """Raises LookupError or ValueError where the letter, claims or statements of a form are missing or name a row that
    it lacks: that is a fault of the form, not of anybody's text.
    """
    for read in (load_wording, claims_of, declared_statements):
        read(form_version)


def check_texts_of(form: Form) -> None:
    """As :func:`check_form_texts`, of a form that need not be in use."""
    for read in (wording_in, claims_in, statements_in):
        read(form)


def letter_findings(tables: Mapping[str, pa.Table], unit: str, quarter: str, form_version: str) -> pa.Table:
    """One row a finding, columns ``SCHEMA``, in reading order; ``tables`` are the marts of one candidate.

    ``subject`` names place, words and figures, so that a decision about one settles no other. Equal marts give equal
    rows. Where the letter has no wording for the form, only what people wrote is checked.
    """
    key = {"unit_code": unit, "quarter": quarter}
    found = [key | row for row in _Letter(tables, unit, quarter, form_version).findings()]
    return pa.Table.from_pylist(found, schema=SCHEMA)


class _Letter:
    """The composed letter of one candidate, line by line, with the delivered paragraph behind each."""

    def __init__(self, tables: Mapping[str, pa.Table], unit: str, quarter: str, form_version: str) -> None:
        self._published = PublishedFigures(tables)
        self._window: Window | None = window_of(self._published.quarters, quarter)
        self._decided = _actions_in_force(tables)
        paragraphs = tables[_NARRATIVE].to_pylist() if _NARRATIVE in tables else []
        self._delivered: dict[tuple[str, int], Row] = {(row["section"], row["paragraph_no"]): row for row in paragraphs}
        body = _body(tables, unit, quarter, form_version, paragraphs)
        self._lines = [paragraph for paragraph in body.paragraphs if paragraph.role != "fill"]
        self._unmatched = body.unmatched

    def findings(self) -> Iterator[Row]:
        """All findings: figures and statements sentence by sentence, then the letter as a whole, then the notes."""
        letter_sentences = sentences([paragraph.text for paragraph in self._lines])
        by_line: dict[int, list[TextRemark]] = {}
        by_people = frozenset(number for number, one in enumerate(self._lines, start=1) if one.written)
        for remark in remarks_on(letter_sentences, self._published, self._window, self._decided, by_people):
            by_line.setdefault(remark.sentence_no, []).append(remark)
        for sentence in letter_sentences:
            yield from self._of_figures(sentence)
            yield from (self._of_remark(remark) for remark in by_line.get(sentence.number, ()))
        yield from (self._of_remark(remark) for remark in by_line.get(0, ()))
        yield from self._of_notes()
        yield from (self._of_order(place, order) for place, order in self._unmatched)

    def _of_order(self, place: tuple[str, int], order: str) -> Row:
        """A sentence that an office leaves out and the letter does not have."""
        message = f"yêu cầu bỏ câu “{order}” nhưng mục này của báo cáo không có câu nào bắt đầu như vậy"
        return self._row_at(place, "left_out", order, message, ())

    def _of_figures(self, sentence: Sentence) -> Iterator[Row]:
        paragraph = self._lines[sentence.line - 1]
        written = paragraph.written
        # A figure quoted by its code is put in from the row itself.
        quoted = {(run.text, run.code) for run in paragraph.runs if run.code}
        texts = {text for text, _ in quoted}
        if written and not is_readable(sentence):
            text = f"{sentence.text[:_SHOWN]} {_DOTS}"
            yield self._row("not_compared", sentence.line, text, f"câu “{text}” quá dài nên không đối chiếu được", ())
        for figure in check_sentence(sentence, self._published):
            parts = set(figure.text.rstrip("%").split("/"))
            by_hand = not texts & parts
            # Quoted from the row that the words are taken to speak of, it is that row's figure, whatever quarter the
            # sentence names beside it.
            if any((part, row.indicator_code) in quoted for part in parts for row in figure.rows):
                continue
            # Our own sentence says of a row's figure what the form calls it; only people can put it in a wrong place.
            contradicts = figure.verdict == CONTRADICTS and (written or by_hand)
            if contradicts or (figure.verdict == NOT_FOUND and written and by_hand):
                yield self._of_figure(figure)

    def _of_figure(self, figure: FigureCheck) -> Row:
        after = re.split(r"[,;()]", figure.sentence[figure.start + len(figure.text) :])[0].rstrip(" .")
        text = clean(figure.text + after[:_SHOWN])
        rows = ", ".join(str(row.row_no) for row in figure.rows)
        where = f" (dòng {rows})" if rows else ""
        codes = tuple(row.indicator_code for row in figure.rows)
        if figure.verdict == CONTRADICTS:
            reason = f"; {figure.reason_vi}" if figure.reason_vi else ""
            message = f"viết “{text}”; số liệu công bố: {figure.published_vi}{where}{reason}"
            return self._row("figure", figure.line, f"{text}, biểu: {figure.published_vi}", message, codes)
        return self._row("not_compared", figure.line, text, f"viết “{text}”: {figure.reason_vi}{where}", codes)

    def _of_remark(self, remark: TextRemark) -> Row:
        message = f"viết “{remark.text}”: {remark.message_vi}" if remark.line else remark.message_vi
        return self._row(remark.kind, remark.line, remark.text, message, remark.rows)

    def _of_notes(self) -> Iterator[Row]:
        """What the notes of rows say by themselves: symbols, days, indexes, wording."""
        for row in self._published.rows.values():
            note = clean(str(row.values.get("note_vi") or ""))
            for remark in wording_remarks(Sentence(0, 0, note), self._window) if note else ():
                yield self._row(
                    remark.kind,
                    0,
                    f"ghi chú dòng {row.row_no}: {remark.text}",
                    f"ghi chú dòng {row.row_no} viết “{remark.text}”: {remark.message_vi}",
                    (row.code,),
                )

    def _row(self, kind: str, line: int, text: str, message: str, codes: tuple[str, ...]) -> Row:
        written = self._lines[line - 1].written if line else None
        return self._row_at(written, kind, text, message, codes, "báo cáo" if line else "")

    def _row_at(
        self,
        written: tuple[str, int] | None,
        kind: str,
        text: str,
        message: str,
        codes: tuple[str, ...],
        elsewhere: str = "",
    ) -> Row:
        delivered = self._delivered[written] if written else {}
        section, number = written or ("", None)
        place = f"mục {section}, đoạn {number}" if written else elsewhere
        return {
            "kind": kind,
            "subject": f"{place}: {text}".removeprefix(": "),
            "section": section or None,
            "paragraph_no": number,
            "indicator_codes": ", ".join(codes) or None,
            "message_vi": f"{place} {message}".strip(),
            "file_name": delivered.get("file_name"),
            "sheet": delivered.get("sheet"),
            "row_number": delivered.get("row_number"),
        }


def _actions_in_force(tables: Mapping[str, pa.Table]) -> frozenset[str]:
    if _DECISIONS not in tables:
        return frozenset()
    return frozenset(row["action"] for row in tables[_DECISIONS].to_pylist() if row["effect"] == "applied")


def _body(tables: Mapping[str, pa.Table], unit: str, quarter: str, form_version: str, paragraphs: list[Row]) -> Body:
    """The letter's text. A code that is no row is left out; that it is none is told by a rule of its own."""
    rows = form_rows(tables[FORM_MART])
    known = {row.code for row in rows}

    def readable(text: str) -> str:
        return FIGURE.sub(lambda match: match[0] if match[1] in known else "", text)

    cleaned = [row | {"text_vi": readable(row["text_vi"])} for row in paragraphs]
    own = dict(tables)
    if _NARRATIVE in tables:
        own[_NARRATIVE] = pa.Table.from_pylist(cleaned, schema=tables[_NARRATIVE].schema)
    try:
        return compose_body(
            ReleaseContent(
                unit_code=unit,
                unit_name_vi=unit_name(tables, unit),
                quarter=quarter,
                form_version=form_version,
                tables=own,
                mart_files={},
                rows=rows,
                footnotes=(),
                decisions=(),
                gate_results=(),
                inputs=(),
            )
        )
    except LookupError:
        printed = {row.code: row.printed for row in rows}
        paragraphs = sorted(cleaned, key=lambda row: (row["section"], row["paragraph_no"]))
        return Body(
            tuple(
                Paragraph(
                    "body",
                    (Run(FIGURE.sub(lambda match: printed[match[1]], row["text_vi"])),),
                    (row["section"], row["paragraph_no"]),
                )
                for row in paragraphs
            ),
            (),
            (),
        )
