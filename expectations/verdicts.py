"""Verdicts: what a gate found for one reporting unit and quarter, its file, what blocks, and what may be published.

Belongs here: the verdict's shape, its canonical file, ``blocking``, ``publishable``, the ``gate_results`` table.
Does not belong here: running rules, wording for people, publication itself.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict

from common.files import canonical_json, replace_durably
from expectations.declarations import Severity, Stage, declared_rules, suite_version

if TYPE_CHECKING:
    import pyarrow as pa

Status = Literal["pass", "fail", "no_data", "did_not_run"]

# Findings of a rule that a verdict keeps; beyond, a rule is broken as a whole and its count says so.
MAX_FINDINGS = 1000


class Finding(BaseModel):
    """One violating row: what about, the sentence for people, where it stands, and how a decision would
    name it (``settle_vi``, where one may). Holds no other cell of the row.

    What a decision must name and have seen, of a rule that decisions settle: ``named``, and ``figures`` as printed by
    name. ``waits_for``: rows of the form of whose two figures one must be chosen first.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    subject: str
    message_vi: str
    file: str | None = None
    sheet: str | None = None
    row: int | None = None
    decision_id: str | None = None
    settle_vi: str | None = None
    named: str = ""
    figures: dict[str, str] = {}
    waits_for: tuple[str, ...] = ()


class Place(BaseModel):
    """Delivered rows that a remark is about: ``rows`` are all of them, as ranges (``2-5, 9``), empty where it is about
    the sheet or the file as a whole. The sheet has its neutral name, the column its heading; None where none or one
    without rows.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    delivery_id: str
    sheet: str | None
    column_vi: str | None
    rows: str


class Result(BaseModel):
    """One rule on one reporting unit.

    ``failed_rows`` counts every violating row and ``covered_rows`` those that decisions settle; ``findings`` holds up
    to 1,000, uncovered ones first. ``empty_allowed`` says whether ``no_data`` is in order here. A failure that
    decisions settle and that ``makes_provisional`` leaves the report publishable, as a provisional one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    expectation_id: str
    source: str
    sentence_vi: str
    severity: Severity
    status: Status
    observed: str | None
    failed_rows: int
    covered_rows: int
    decision_id: str | None
    settleable: bool
    makes_provisional: bool = False
    empty_allowed: bool
    blocking: bool
    findings: tuple[Finding, ...] = ()
    #: Rows of the form that a remark is about: all of them, where ``findings`` shows the first.
    subjects: tuple[str, ...] = ()
    #: Delivered rows that a remark on single rows is about, where they may be published: all of them.
    places: tuple[Place, ...] = ()
    #: Whether these tell an outcome of cases, so that few of a unit are not published.
    places_tell_outcome: bool = False


class Verdict(BaseModel):
    """All results of one gate for one reporting unit and quarter, bound to the hash of the data it looked at."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = 1
    stage: Stage
    unit_code: str
    quarter: str
    subject_hash: str
    suite_version: str
    results: tuple[Result, ...]

    def blocking(self) -> list[Result]:
        """The results that hold this unit and quarter back, recomputed."""
        return [result for result in self.results if blocking(result)]

    def provisional(self) -> list[Result]:
        """The failures, settled by decision, for which what is published is provisional."""
        return [result for result in self.results if result.makes_provisional and result.status == "fail"]

    def to_bytes(self) -> bytes:
        body = self.model_dump(mode="json")
        body["schema"] = body.pop("schema_version")
        return canonical_json(body)


class Refusal(BaseModel):
    """Why something may not be published: a machine word and a sentence for people."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: str
    message_vi: str


def blocking(result: Result) -> bool:
    """Whether a result blocks, from its fields alone; the stored ``blocking`` is never believed."""
    if result.severity == "info":
        return False
    if result.status == "did_not_run":
        return True
    if result.status == "no_data":
        return not result.empty_allowed
    if result.status == "fail":
        return not (result.settleable and 0 < result.failed_rows <= result.covered_rows)
    return False


def verdict_path(warehouse_dir: Path, verdict: Verdict) -> Path:
    """Where a verdict rests."""
    return path_of(warehouse_dir, verdict.stage, verdict.unit_code, verdict.quarter, verdict.subject_hash)


def path_of(warehouse_dir: Path, stage: Stage, unit_code: str, quarter: str, subject_hash: str) -> Path:
    """Path of the verdict on given data, whether it exists or not."""
    return warehouse_dir / "verdicts" / unit_code / quarter / f"{stage}-{subject_hash}.json"


def write_verdict(warehouse_dir: Path, verdict: Verdict) -> Path:
    """Writes a verdict so that a reader sees the old one or the new one, whole, also after a crash."""
    path = verdict_path(warehouse_dir, verdict)
    replace_durably(path, verdict.to_bytes(), mode=0o600)
    return path


def load_verdict(path: Path) -> Verdict:
    """Reads a verdict; raises ``FileNotFoundError``, or ``ValueError`` where the file is not a whole verdict."""
    return parse_verdict(path.read_bytes())


def parse_verdict(data: bytes) -> Verdict:
    """The verdict of these bytes; raises ``ValueError`` where they are not a whole one."""
    body = json.loads(data)
    if not isinstance(body, dict) or "schema" not in body:
        raise ValueError("not a verdict")
    body["schema_version"] = body.pop("schema")
    return Verdict.model_validate(body)


def publishable(
    raw_verdict: Verdict | None,
    mart_verdict: Verdict | None,
    candidate_hash: str,
    inputs_hash: str,
    form_id: str | None = None,
) -> list[Refusal]:
    """Why a candidate may not be published; empty where it may.

    Both verdicts must exist, be of the same unit and quarter, speak of exactly these hashes, carry the current suites,
    hold every rule declared for the candidate's form exactly once as it is declared, and hold nothing that blocks.
    """
    refusals = _refusals("raw", raw_verdict, inputs_hash, form_id)
    refusals += _refusals("mart", mart_verdict, candidate_hash, form_id)
    if raw_verdict and mart_verdict:
        raw_subject = (raw_verdict.unit_code, raw_verdict.quarter)
        if raw_subject != (mart_verdict.unit_code, mart_verdict.quarter):
            refusals.append(_refusal("other_unit", "Hai kết quả kiểm tra không cùng đơn vị, kỳ báo cáo."))
    return refusals


def province_publishable(verdict: Verdict | None, candidate_hash: str) -> list[Refusal]:
    """Why what a province rolled up may not be published; empty where it may. As ``publishable``, with its one gate."""
    return _refusals("province", verdict, candidate_hash, None)


_STAGE_VI: dict[Stage, str] = {
    "raw": "dữ liệu đầu vào",
    "mart": "số liệu báo cáo",
    "province": "số liệu tổng hợp toàn tỉnh",
}


def _refusal(reason: str, message_vi: str) -> Refusal:
    return Refusal(reason=reason, message_vi=message_vi)


def _refusals(stage: Stage, verdict: Verdict | None, subject_hash: str, form_id: str | None) -> list[Refusal]:
    name = _STAGE_VI[stage]
    if verdict is None:
        return [_refusal("missing", f"Chưa có kết quả kiểm tra {name}.")]
    if verdict.stage != stage:
        return [_refusal("other_stage", f"Kết quả kiểm tra đưa ra không phải của bước kiểm tra {name}.")]
    refusals = []
    if verdict.subject_hash != subject_hash:
        refusals.append(_refusal("other_data", f"Kết quả kiểm tra {name} thuộc về dữ liệu khác."))
    if verdict.suite_version != suite_version(stage, form_id):
        refusals.append(_refusal("other_suite", f"Kết quả kiểm tra {name} theo bộ quy tắc đã cũ."))
    refusals += _wrong_results(stage, verdict, form_id)
    for result in verdict.blocking():
        message = f"Quy tắc {result.expectation_id} đang chặn công bố: {result.sentence_vi}"
        refusals.append(_refusal("blocked", message))
    return refusals


def _wrong_results(stage: Stage, verdict: Verdict, form_id: str | None) -> list[Refusal]:
    """Results that are missing, doubled, unknown, or not as declared."""
    refusals = []
    counts = Counter(result.expectation_id for result in verdict.results)
    rules = {rule.id: rule for rule in declared_rules(stage, form_id)}
    for rule_id in sorted(rules.keys() | counts.keys()):
        if counts[rule_id] != 1 or rule_id not in rules:
            message = f"Quy tắc {rule_id} có {counts[rule_id]} kết quả trong kết quả kiểm tra {_STAGE_VI[stage]}."
            refusals.append(_refusal("incomplete", message))
    for result in verdict.results:
        rule = rules.get(result.expectation_id)
        softened = rule is not None and (
            result.severity != rule.severity
            or (result.settleable and not rule.settleable)
            or (result.status == "fail" and result.makes_provisional != rule.makes_provisional)
            or result.blocking != blocking(result)
        )
        if softened:
            message = f"Kết quả của quy tắc {result.expectation_id} không đúng như khai báo."
            refusals.append(_refusal("not_as_declared", message))
    return refusals


def gate_results_table(verdicts: Iterable[Verdict]) -> pa.Table:
    """The mart ``gate_results``: one row a verdict's result, ordered by unit, quarter, stage and rule."""
    import pyarrow as pa

    schema = pa.schema(
        [
            (name, pa.string())
            for name in (
                "unit_code",
                "quarter",
                "stage",
                "source",
                "expectation_id",
                "sentence_vi",
                "severity",
                "status",
                "observed",
            )
        ]
        + [("failed_rows", pa.int64()), ("decision_id", pa.string())]
    )
    rows: list[dict[str, Any]] = []
    for verdict in verdicts:
        head = {"unit_code": verdict.unit_code, "quarter": verdict.quarter, "stage": verdict.stage}
        for result in verdict.results:
            rows.append(head | {name: getattr(result, name) for name in schema.names if name not in head})
    rows.sort(key=lambda row: (row["unit_code"], row["quarter"], row["stage"], row["expectation_id"]))
    return pa.Table.from_pylist(rows, schema=schema)
