"""What a release says, before it takes the look of any file.

Belongs here: form rows, footnotes and gate results of one candidate, as plain objects that every output shares.
Does not belong here: how a file looks, whether the candidate may be published.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from publication.content.approval import Approval
from publication.content.case_totals import CaseTotals, case_totals
from publication.content.citations import cite, issuing_office
from publication.content.revision import Revision
from publication.content.signing import UNSIGNED, Signing
from publication.formatting import format_number, format_quarter
from publication.store.candidate import FORM_MART, Candidate

#: In the title of every document and page: figures that are not final, and final ones that take their place.
PROVISIONAL_VI, FINAL_VI = "số liệu tạm thời", "số liệu chính thức"
_EFFECTIVE = frozenset({"applied", "covers_findings"})


def split_ids(decision_id: str | None) -> list[str]:
    """The decisions in a ``decision_id`` cell, which holds none, one, or several separated by commas."""
    return [name for part in re.split("[,;]", decision_id or "") if (name := part.strip())]


#: Kinds of rows whose figure stands for an answer.
_ANSWERS = frozenset({"flag", "code"})
_ANSWER = re.compile(r"([^=;\s][^=;]*?)\s*=\s*(\d+)")


@dataclass(frozen=True)
class FormRow:
    """One printed row of the form. ``values`` holds every column of the mart ``report_indicators``."""

    values: Mapping[str, Any]

    @property
    def row_no(self) -> int:
        """Position in the form, from 1."""
        return int(self.values["row_no"])

    @property
    def code(self) -> str:
        """Indicator code, e.g. ``III.25``."""
        return str(self.values["indicator_code"])

    @property
    def name_vi(self) -> str:
        """What the row is called; where the form's own print spells it wrong, as it is spelled right."""
        return str(self.values.get("indicator_name_corrected_vi") or self.values["indicator_name_vi"] or "")

    @property
    def value(self) -> Decimal | None:
        """The published figure; None is blank, never zero."""
        value: Decimal | None = self.values["value"]
        return value

    @property
    def decision_ids(self) -> list[str]:
        """Decisions that settled this row."""
        return split_ids(self.values["decision_id"])

    @property
    def printed(self) -> str:
        """The figure as the form prints it; a text where the row holds one; empty where the row is blank."""
        return self.values["value_text"] or "" if self.value is None else format_number(self.value)

    @property
    def answer_vi(self) -> str:
        """What the figure of a yes-or-no row or of a code means, by the row's unit (``Có = 1; Không = 0``); empty where
        it is an amount, blank, or no code of the row's.
        """
        if self.values["kind"] not in _ANSWERS or self.value is None:
            return ""
        answers = _ANSWER.findall(self.values["unit_of_measure_canonical"] or "")
        return next((str(text) for text, code in answers if Decimal(code) == self.value), "")

    @property
    def is_section(self) -> bool:
        """True for the seven rows that open a section (I … VII)."""
        return bool(self.values["printed_number"] == self.values["section"])

    @property
    def is_heading(self) -> bool:
        """True for a row that stands above others, with or without a figure of its own."""
        return str(self.values["kind"]).startswith("heading")


@dataclass(frozen=True)
class Footnote:
    """One numbered remark: decisions that act alike, and the rows they concern; numbered by the first row's place."""

    number: int
    decision_ids: tuple[str, ...]
    indicator_codes: tuple[str, ...]
    text_vi: str


@dataclass(frozen=True)
class Imprint:
    """Whom readers may ask, and on what terms the data may be used again; empty where the office has not said."""

    contact_vi: str = ""
    licence_vi: str = ""
    licence_url: str = ""


NO_IMPRINT = Imprint()


@dataclass(frozen=True)
class ReleaseContent:
    """Everything the outputs of one release are made from; all of it is fixed by candidate, verdicts and the release
    before (``revision``: what changed since, None for the first of its quarter), and by what the office set of its
    letter (``signing``)."""

    unit_code: str
    unit_name_vi: str
    quarter: str
    form_version: str
    tables: Mapping[str, pa.Table]
    mart_files: Mapping[str, bytes]
    rows: tuple[FormRow, ...]
    footnotes: tuple[Footnote, ...]
    decisions: tuple[Mapping[str, Any], ...]
    gate_results: tuple[Mapping[str, Any], ...]
    inputs: tuple[Mapping[str, Any], ...]
    revision: Revision | None = None
    signing: Signing = UNSIGNED
    #: By whose word it is published; None where none is asked for. Only page and manifest tell it.
    approval: Approval | None = None
    #: The code of the draft that this is; None for a release. Each document then says on every page what it is.
    draft: str | None = None
    #: Sums over levels from before small counts were held back; None: nothing was.
    totals_before: CaseTotals | None = None
    #: The least count that is told of outcomes by unit, field or procedure; 1 where none is held back.
    least_count: int = 1
    imprint: Imprint = NO_IMPRINT
    #: Whether these final figures take the place of provisional ones.
    replaces_provisional: bool = False

    @property
    def case_totals(self) -> CaseTotals:
        """Cases open and overdue, and those counted on time by decision, over whole levels."""
        return self.totals_before or case_totals(self.tables)

    @property
    def unit_level(self) -> str:
        """``district`` or ``commune``: what the reporting unit is."""
        levels = [
            row["unit_level"] for row in self.tables["dim_unit"].to_pylist() if row["unit_code"] == self.unit_code
        ]
        return str(levels[0])

    @property
    def provisional_vi(self) -> tuple[str, ...]:
        """Why the figures are provisional: each finding that was settled, units by code and name; empty: final ones.

        A rule's own sentence tells how it should be, and so the contrary of what is.
        """
        names = {row["unit_code"]: row["name_vi"] for row in self.tables["dim_unit"].to_pylist()}
        return tuple(
            _naming_unit(finding["message_vi"], finding.get("subject"), names)
            for result in self.gate_results
            if result.get("makes_provisional") and result["status"] == "fail"
            for finding in result["findings"] or [{"message_vi": f"Không đạt: {result['sentence_vi']}"}]
        )

    @property
    def standing_vi(self) -> str:
        """``số liệu tạm thời``; ``số liệu chính thức`` where the figures before were provisional; else nothing."""
        if self.provisional_vi:
            return PROVISIONAL_VI
        return FINAL_VI if self.replaces_provisional else ""

    @property
    def quarter_vi(self) -> str:
        """``quý I năm 2023``."""
        return format_quarter(self.quarter)

    @property
    def rows_by_code(self) -> dict[str, FormRow]:
        """Form rows by indicator code."""
        return {row.code: row for row in self.rows}


def _naming_unit(message: str, subject: str | None, names: Mapping[str, str]) -> str:
    name = names.get(subject) if subject else None
    return message.replace(subject, f"{subject} ({name})", 1) if subject and name else message


def form_rows(table: pa.Table) -> tuple[FormRow, ...]:
    """Rows of the mart ``report_indicators`` in form order."""
    return tuple(FormRow(values) for values in sorted(table.to_pylist(), key=lambda values: int(values["row_no"])))


def gather(
    candidate: Candidate,
    *,
    gate_results: Sequence[Mapping[str, Any]],
    extra_marts: Mapping[str, bytes],
    extra_tables: Mapping[str, pa.Table],
    signing: Signing = UNSIGNED,
) -> ReleaseContent:
    """The content of the release that this candidate becomes.

    ``gate_results`` are the results of both verdicts, raw first; ``extra_*`` are marts made at publication
    (``gate_results``).
    """
    tables = {name: candidate.table(name) for name in candidate.published_marts} | dict(extra_tables)
    files = {name: candidate.files[name] for name in candidate.published_marts} | dict(extra_marts)
    rows = form_rows(tables[FORM_MART])
    decisions = tuple(_without_case_code(decision) for decision in candidate.table("decision_effects").to_pylist())
    counted = _counted_by_decision(tables, candidate.form_version)
    name = unit_name(tables, candidate.unit_code)
    return ReleaseContent(
        unit_code=candidate.unit_code,
        unit_name_vi=name,
        quarter=candidate.quarter,
        form_version=candidate.form_version,
        tables=tables,
        mart_files=files,
        rows=rows,
        footnotes=tuple(_footnotes(rows, decisions, gate_results, counted, name)),
        decisions=decisions,
        gate_results=tuple(gate_results),
        inputs=candidate.inputs,
        signing=signing,
    )


def _without_case_code(decision: Mapping[str, Any]) -> dict[str, Any]:
    """A decision as the release may tell it: a case code leads to persons, so it stays behind.

    A decision on a rule about deliveries may list cases, and repeat them beside their figures.
    """
    cases = [code.strip() for code in re.split(r"[;\n]", decision.get("cases") or "") if code.strip()]
    decision = {name: value for name, value in decision.items() if name != "cases"}
    if decision["subject_kind"] == "rule" and not str(decision["subject"]).startswith("report."):
        return {name: value for name, value in decision.items() if name not in ("applies_to", "figures_seen")}
    of_case = decision["subject_kind"] == "case"
    told = dict(decision)
    for code in [str(decision["subject"])] if of_case else cases:
        told = {name: value.replace(code, "…") if isinstance(value, str) else value for name, value in told.items()}
    return told | {"subject": None} if of_case else told


def unit_name(tables: Mapping[str, pa.Table], unit: str) -> str:
    """The unit's name on the quarter's closing date, e.g. ``Huyện Cù Lao Dung``. Raises LookupError when unknown."""
    if (members := tables.get("province_members")) is not None:
        names = members["unit_name_vi"].unique().to_pylist()
    else:
        names = [row["name_vi"] for row in tables["dim_unit"].to_pylist() if row["unit_code"] == unit]
    if len(names) != 1:
        raise LookupError(f"unit {unit} has {len(names)} names")
    return str(names[0])


def _counted_by_decision(tables: Mapping[str, pa.Table], form_version: str) -> dict[str, set[str]]:
    """Rows of the form that count a delivered row only because of a decision: indicator codes by decision."""
    behind = tables["figure_rows"].select(["figure", "decision_id"])
    decided = behind.filter(pc.is_valid(behind["decision_id"])).group_by(behind.column_names).aggregate([]).to_pylist()
    codes: dict[str, set[str]] = {}
    for row in tables["dim_indicator"].to_pylist() if decided else ():
        if row["form_version"] == form_version:
            for found in decided:
                if found["figure"] in (row["numerator"], row["denominator"]):
                    codes.setdefault(found["decision_id"], set()).add(row["indicator_code"])
    return codes


def _footnotes(
    rows: Sequence[FormRow],
    decisions: Iterable[Mapping[str, Any]],
    gate_results: Sequence[Mapping[str, Any]],
    counted: Mapping[str, set[str]],
    unit_name_vi: str,
) -> Iterable[Footnote]:
    by_code = {row.code: row for row in rows}
    covering = {name for result in gate_results for name in split_ids(result["decision_id"])}
    grouped: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for decision in sorted(decisions, key=lambda d: str(d["decision_id"])):
        if decision["effect"] not in _EFFECTIVE and decision["decision_id"] not in covering:
            continue
        codes = _concerned_rows(decision, rows, gate_results, counted.get(decision["decision_id"], set()))
        key = (_explain(decision, by_code, gate_results) + _grounds(decision, unit_name_vi), codes)
        grouped.setdefault(key, []).append(str(decision["decision_id"]))
    last = len(rows)
    placed = sorted(grouped.items(), key=lambda one: by_code[one[0][1][0]].row_no if one[0][1] else last + 1)
    for number, ((text, codes), ids) in enumerate(placed, start=1):
        yield Footnote(number, tuple(dict.fromkeys(ids)), codes, text)


def _concerned_rows(
    decision: Mapping[str, Any], rows: Sequence[FormRow], gate_results: Sequence[Mapping[str, Any]], counted: set[str]
) -> tuple[str, ...]:
    identifier = decision["decision_id"]
    named = counted | {row.code for row in rows if identifier in row.decision_ids}
    for result in gate_results:
        if identifier in split_ids(result["decision_id"]):
            named |= {str(f["subject"]) for f in result["findings"] if identifier in split_ids(f["decision_id"])}
            named |= {row.code for row in rows if _names(str(result["expectation_id"]), row.code)}
    if decision["subject"] is not None:
        named |= {row.code for row in rows if _names(str(decision["subject"]), row.code)}
    return tuple(row.code for row in rows if row.code in named)


def _names(rule_id: str, code: str) -> bool:
    """True when the indicator code is the rule's subject or a whole part of its id (``report.VI.04.sum_of_groups``)."""
    return f".{code}." in f".{rule_id}."


def _explain(
    decision: Mapping[str, Any], by_code: Mapping[str, FormRow], gate_results: Sequence[Mapping[str, Any]]
) -> str:
    """What was decided, as a sentence for readers of the form."""
    action, subject = decision["action"], decision["subject"]
    if action == "count_as_on_time":
        return "Hồ sơ được tính là giải quyết đúng hạn, khác với thời điểm ghi trên phần mềm."
    if action in ("accept_declared", "accept_computed"):
        row = by_code.get(subject)
        declared = _figure(row, "declared_value")
        computed = _figure(row, "computed_value")
        if action == "accept_declared":
            return f"Công bố số do cơ quan khai báo ({declared}); số tính từ dữ liệu chi tiết là {computed}."
        return f"Công bố số tính từ dữ liệu chi tiết ({computed}); số do cơ quan khai báo là {declared}."
    if action == "withhold":
        return "Không công bố số liệu của dòng này."
    sentence = next((r["sentence_vi"] for r in gate_results if r["expectation_id"] == subject), None)
    return f"Chấp nhận điểm chưa khớp: {sentence or subject}"


def _grounds(decision: Mapping[str, Any], unit_name_vi: str) -> str:
    """Reason, document and date of a decision, as far as they were given."""
    reason = f" Lý do: {str(decision['reason_vi']).rstrip('.')}." if decision["reason_vi"] else ""
    document = cited_document(decision, unit_name_vi)
    return f"{reason} Theo {document}." if document else reason


def cited_document(decision: Mapping[str, Any], unit_name_vi: str) -> str:
    """The document that carries a decision, as documents cite it; empty where none is given."""
    issuer = issuing_office(decision.get("approved_by_vi"), unit_name_vi)
    return cite(decision["document_number"], decision["dated"], issuer)


def _figure(row: FormRow | None, column: str) -> str:
    value = row.values[column] if row else None
    return "không có" if value is None else format_number(value)
