"""``quality/notes.csv``: what a reader should know beside the figures.

Belongs here: decisions, findings that do not block, why a row is blank, how many units a figure covers, what changed
since the release before, each as one Vietnamese sentence. Does not belong here: judging findings (``expectations``),
the look of the form (``annex``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from publication.content import ReleaseContent
from publication.csvfile import to_csv
from publication.formatting import format_number

NOTES_COLUMNS = ("kind", "number", "subject", "row_no", "printed_number", "name_vi", "decision_ids", "sentence_vi")

_BLANK_REASON_VI = {
    "not_reported": "Để trống vì cơ quan chưa gửi số liệu này; để trống không có nghĩa là bằng 0.",
    "withheld": "Để trống theo quyết định không công bố.",
    "unsettled": "Để trống vì số tính và số khai báo khác nhau, chưa có quyết định chọn số nào.",
    "not_applicable": "Để trống vì không phát sinh nội dung phải báo cáo.",
}


def notes(content: ReleaseContent) -> list[dict[str, Any]]:
    """All notes in order: decisions, findings, blank rows, coverage, revision."""
    return [*_decisions(content), *_findings(content), *_blanks(content), *_coverage(content), *_revision(content)]


def notes_csv(content: ReleaseContent) -> bytes:
    """The file ``quality/notes.csv``; columns as in NOTES_COLUMNS."""
    return to_csv(NOTES_COLUMNS, notes(content))


def _decisions(content: ReleaseContent) -> Iterator[dict[str, Any]]:
    rows = content.rows_by_code
    for footnote in content.footnotes:
        for code in footnote.indicator_codes or (None,):
            place = _place(rows[code].values) if code else {}
            yield {"kind": "decision", "number": footnote.number, "decision_ids": footnote.decision_ids,
                   "sentence_vi": footnote.text_vi, **place}


def _findings(content: ReleaseContent) -> Iterator[dict[str, Any]]:
    rows = content.rows_by_code
    for result in content.gate_results:
        if result["severity"] != "info" or result["status"] != "fail":
            continue
        sentence = f"{result['sentence_vi']} Số trường hợp không đạt: {format_number(result['failed_rows'] or 0)}."
        codes = [f["subject"] for f in result["findings"] if f["subject"] in rows]
        for code in dict.fromkeys(codes) or (None,):
            place = _place(rows[code].values) if code else {"subject": result["expectation_id"]}
            yield {"kind": "finding", "sentence_vi": sentence, **place}


def _blanks(content: ReleaseContent) -> Iterator[dict[str, Any]]:
    for row in content.rows:
        if row.printed == "" and row.values["kind"] != "heading":
            yield {"kind": "blank", "sentence_vi": _BLANK_REASON_VI[row.values["status"]],
                   "decision_ids": row.decision_ids, **_place(row.values)}


def _coverage(content: ReleaseContent) -> Iterator[dict[str, Any]]:
    for row in content.rows:
        counted, expected = row.values["units_counted"], row.values["units_expected"]
        if row.value is not None and counted is not None and expected is not None and counted < expected:
            yield {"kind": "coverage", **_place(row.values), "sentence_vi":
                   f"Số liệu mới tổng hợp từ {counted}/{expected} đơn vị phải báo cáo."}


def _revision(content: ReleaseContent) -> Iterator[dict[str, Any]]:
    if content.revision is None:
        return
    rows = content.rows_by_code
    yield {"kind": "revision", "sentence_vi": content.revision.head_vi}
    for figure in content.revision.figures:
        place = _place(rows[figure.indicator_code].values) if figure.indicator_code in rows else {
            "subject": figure.indicator_code, "name_vi": figure.name_vi}
        yield {"kind": "revision", **place, "sentence_vi": figure.sentence_vi}


def _place(values: Any) -> dict[str, Any]:
    return {"subject": values["indicator_code"], "row_no": values["row_no"],
            "printed_number": values["printed_number"], "name_vi": values["indicator_name_vi"]}
