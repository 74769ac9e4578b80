"""``quality/notes.csv``: what a reader should know beside the figures.

Belongs here: decisions, findings that do not block, why a row is blank, how many units a figure covers, what changed
since the release before, each as one Vietnamese sentence; and the footnotes of the annex. Does not belong here: judging
findings (``expectations``), the look of the form (``annex``, ``letter``), what the signer is told (``letter``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from common.forms import form_named
from publication.content import row_ranges
from publication.content.release_content import FINAL_VI, FormRow, ReleaseContent, cited_document
from publication.formatting import format_number
from publication.store.csvfile import to_csv

NOTES_COLUMNS = ("kind", "number", "subject", "row_no", "printed_number", "name_vi", "decision_ids", "sentence_vi")

_NOT_DECLARED_VI = "Chỉ có số tính từ dữ liệu chi tiết, không có số khai báo để đối chiếu."
_NOT_COMPUTED_VI = "Chỉ có số cơ quan khai báo, không có dữ liệu chi tiết để đối chiếu."
_FINAL_VI = f"{FINAL_VI.capitalize()}, thay cho lần công bố khi còn thiếu số liệu."
#: Rules on what the letter says; their subjects are places in it, not rows.
_OF_THE_LETTER = "letter."
BLANK_REASON_VI = {
    "not_reported": "Để trống vì cơ quan chưa gửi số liệu này; để trống không có nghĩa là bằng 0.",
    "withheld": "Để trống theo quyết định không công bố.",
    "unsettled": "Để trống vì số tính và số khai báo khác nhau, chưa có quyết định chọn số nào.",
    "not_applicable": "Để trống vì không phát sinh nội dung phải báo cáo.",
}


def notes(content: ReleaseContent) -> list[dict[str, Any]]:
    """All notes in order: why provisional, decisions, findings, blank rows, coverage, figures nothing can be held
    against, revision."""
    return [
        *_provisional(content),
        *_decisions(content),
        *_findings(content),
        *_where_the_rows_are(content),
        *_blanks(content),
        *_coverage(content),
        *_single_source(content),
        *_revision(content),
    ]


def notes_csv(content: ReleaseContent) -> bytes:
    """The file ``quality/notes.csv``; columns as in NOTES_COLUMNS. At its end stands every delivered row that a remark
    is about, which documents and page leave out.
    """
    return to_csv(NOTES_COLUMNS, [*notes(content), *_delivered_rows(content)])


def _provisional(content: ReleaseContent) -> Iterator[dict[str, Any]]:
    for sentence in content.provisional_vi:
        yield {"kind": "provisional", "sentence_vi": f"Số liệu tạm thời. {sentence}"}


def _decisions(content: ReleaseContent) -> Iterator[dict[str, Any]]:
    rows = content.rows_by_code
    for footnote in content.footnotes:
        for code in footnote.indicator_codes or (None,):
            place = _place(rows[code].values) if code else {}
            yield {
                "kind": "decision",
                "number": footnote.number,
                "decision_ids": footnote.decision_ids,
                "sentence_vi": footnote.text_vi,
                **place,
            }


def _findings(content: ReleaseContent) -> Iterator[dict[str, Any]]:
    rows = content.rows_by_code
    for result in content.gate_results:
        if result["severity"] != "info" or result["status"] != "fail":
            continue
        if str(result["expectation_id"]).startswith(_OF_THE_LETTER):
            yield from _of_the_letter(result)
            continue
        sentence = f"{result['sentence_vi']} Số trường hợp không đạt: {format_number(result['failed_rows'] or 0)}."
        if result.get("places") and not _may_be_placed(content, result):
            sentence += " Các dòng không công bố vì số trường hợp ít; cơ quan có danh sách đầy đủ."
        subjects = result.get("subjects") or [finding["subject"] for finding in result["findings"]]
        codes = [subject for subject in subjects if subject in rows]
        for code in dict.fromkeys(codes) or (None,):
            place = _place(rows[code].values) if code else {"subject": result["expectation_id"]}
            yield {"kind": "finding", "sentence_vi": sentence, **place}


def _delivered_rows(content: ReleaseContent) -> Iterator[dict[str, Any]]:
    """All rows of files that remarks are about, one note a remark, file, sheet and column; by neutral names."""
    files = {str(entry["delivery_id"]): str(entry["file_name"]) for entry in content.inputs}
    for result in content.gate_results:
        if result["severity"] == "info" and result["status"] == "fail" and _may_be_placed(content, result):
            for place in result.get("places", ()):
                parts = [f"tệp {files.get(place['delivery_id'], place['delivery_id'])}", place["sheet"]]
                labels = {"column_vi": "cột", "rows": "dòng"}
                parts += [f"{label} {place[name]}" for name, label in labels.items() if place[name]]
                yield {
                    "kind": "finding",
                    "subject": result["expectation_id"],
                    "sentence_vi": f"{str(result['sentence_vi']).rstrip('.')}: {', '.join(filter(None, parts))}.",
                }


def _may_be_placed(content: ReleaseContent, result: Mapping[str, Any]) -> bool:
    """Whether the rows of a remark are published: those that tell an outcome only where no unit has few of them, for of
    the last one that has, the number of all would tell.
    """
    if not result.get("places_tell_outcome"):
        return True
    units = {str(entry["delivery_id"]): str(entry["unit_code"]) for entry in content.inputs}
    counts: dict[tuple[Any, ...], int] = {}
    for place in result["places"]:
        key = units.get(place["delivery_id"], place["delivery_id"]), place["column_vi"]
        counts[key] = counts.get(key, 0) + row_ranges.count(place["rows"].replace(" ", ""))
    return all(count >= content.least_count for count in counts.values())


def _where_the_rows_are(content: ReleaseContent) -> Iterator[dict[str, Any]]:
    rows = sum(1 for _ in _delivered_rows(content))
    if rows:
        yield {
            "kind": "finding",
            "subject": "",
            "sentence_vi": "Các dòng trong tệp đã gửi mà những lưu ý này nói đến được liệt kê đủ ở "
            f"{format_number(rows)} dòng cuối của tệp quality/notes.csv kèm bản công bố.",
        }


def _of_the_letter(result: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What the letter's text calls for, one note a place: the finding's subject names place and words."""
    said = str(result["sentence_vi"]).rstrip(".")
    for finding in result["findings"]:
        yield {"kind": "finding", "subject": result["expectation_id"], "sentence_vi": f"{said}: {finding['subject']}."}
    left_out = (result["failed_rows"] or 0) - len(result["findings"])
    if left_out > 0:
        yield {
            "kind": "finding",
            "subject": result["expectation_id"],
            "sentence_vi": f"{said}: còn {format_number(left_out)} chỗ khác.",
        }


def _blanks(content: ReleaseContent) -> Iterator[dict[str, Any]]:
    for row in content.rows:
        if row.printed == "" and row.values["kind"] != "heading":
            yield {
                "kind": "blank",
                "sentence_vi": BLANK_REASON_VI[row.values["status"]],
                "decision_ids": row.decision_ids,
                **_place(row.values),
            }


def _coverage(content: ReleaseContent) -> Iterator[dict[str, Any]]:
    for row in content.rows:
        counted, expected = row.values["units_counted"], row.values["units_expected"]
        if row.value is not None and counted is not None and expected is not None and counted < expected:
            yield {
                "kind": "coverage",
                **_place(row.values),
                "sentence_vi": f"Số liệu mới tổng hợp từ {counted}/{expected} đơn vị phải báo cáo.",
            }


def _single_source(content: ReleaseContent) -> Iterator[dict[str, Any]]:
    """Figures for which only one source speaks: no comparison proves them."""
    for row in content.rows:
        computed, declared = row.values["computed_value"], row.values["declared_value"]
        if row.value is not None and row.values["kind"] != "heading" and (computed is None) != (declared is None):
            yield {
                "kind": "single_source",
                **_place(row.values),
                "sentence_vi": _NOT_DECLARED_VI if declared is None else _NOT_COMPUTED_VI,
            }


def _revision(content: ReleaseContent) -> Iterator[dict[str, Any]]:
    if content.revision is None:
        return
    rows = content.rows_by_code
    yield {"kind": "revision", "sentence_vi": content.revision.head_vi}
    if content.replaces_provisional:
        yield {"kind": "revision", "sentence_vi": _FINAL_VI}
    for sentence in content.revision.causes_vi:
        yield {"kind": "revision", "sentence_vi": f"Nguyên nhân: {sentence[:1].lower()}{sentence[1:]}"}
    for figure in content.revision.figures:
        place = (
            _place(rows[figure.indicator_code].values)
            if figure.indicator_code in rows
            else {"subject": figure.indicator_code, "name_vi": figure.name_vi}
        )
        yield {"kind": "revision", **place, "sentence_vi": figure.sentence_vi}


def _place(values: Any) -> dict[str, Any]:
    return {
        "subject": values["indicator_code"],
        "row_no": values["row_no"],
        "printed_number": values["printed_number"],
        "name_vi": FormRow(values).name_vi,
    }


# --- for print ------------------------------------------------------------------------------------------------------

#: What decisions that put a figure into the form are told to its readers as; others change no printed figure.
_PRINTED_ACTIONS = {
    "accept_declared": "số liệu do cơ quan, đơn vị báo cáo, theo {document}.",
    "count_as_on_time": "gồm {count} hồ sơ được tính là giải quyết đúng hạn theo {document}.",
    "withhold": "không công bố số liệu, theo {document}.",
}
_WITHOUT_DOCUMENT = "văn bản giải trình của cơ quan"


@dataclass(frozen=True)
class PrintedFootnote:
    """A footnote of the annex: ``number`` by the place of its first row, ``codes`` the rows that carry the mark."""

    number: int
    codes: tuple[str, ...]
    text_vi: str


def printed_footnotes(content: ReleaseContent) -> list[PrintedFootnote]:
    """What the readers of the form need to know of decisions: one footnote for all rows of one action and document.

    Reasons, findings accepted and figures not published are the signer's; they are told in ``submission`` and
    ``notes.csv``.
    """
    decisions = {str(decision["decision_id"]): decision for decision in content.decisions}
    names = form_named(content.form_version).names
    grouped: dict[tuple[str, str], tuple[set[str], set[str]]] = {}
    for footnote in content.footnotes:
        for identifier in footnote.decision_ids:
            decision = decisions[identifier]
            if decision["action"] in _PRINTED_ACTIONS and footnote.indicator_codes:
                document = cited_document(decision, content.unit_name_vi) or _WITHOUT_DOCUMENT
                codes, ids = grouped.setdefault((decision["action"], document), (set(), set()))
                codes |= set(footnote.indicator_codes)
                ids.add(identifier)
    order = {row.code: place for place, row in enumerate(content.rows, start=1)}
    placed = sorted((sorted(order[code] for code in codes), *key, len(ids)) for key, (codes, ids) in grouped.items())
    return [
        PrintedFootnote(
            number,
            tuple(content.rows[row - 1].code for row in rows),
            f"{'; '.join(names[content.rows[row - 1].code] for row in rows)}: "
            + _PRINTED_ACTIONS[action].format(document=document, count=f"{count:02d}"),
        )
        for number, (rows, action, document, count) in enumerate(placed, start=1)
    ]
