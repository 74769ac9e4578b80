"""Expectations: what must hold before figures are published, and the verdicts on whether it does.

Belongs here: declared rules, both gates, the decisions register laid against findings, verdicts.
Does not belong here: formats of delivered files, looks of forms, how figures are made, when gates run.

Importing this package loads neither Great Expectations nor DuckDB; a :class:`GateWorker` loads them in its own process.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from pathlib import Path

from expectations.declarations import STAGES, Rule, declared_rules, relation_rules, suite_version
from expectations.document_symbols import spoilt_symbols
from expectations.inspection import MartRequest, RawRequest
from expectations.messages import HeldRow, explain_vi, held_rows
from expectations.personal_data import KIND_VI as PERSONAL_DATA_VI
from expectations.personal_data import kinds_of_personal_data
from expectations.review import JudgedLine, Option, Question, RegisterLine, ReviewedRow, judge_lines, questions
from expectations.typed_texts import UnfitText, published_text
from expectations.verdicts import (
    Finding,
    Refusal,
    Result,
    Verdict,
    blocking,
    gate_results_table,
    load_verdict,
    parse_verdict,
    path_of,
    province_publishable,
    publishable,
    write_verdict,
)
from expectations.worker import GateWorker

__all__ = [
    "PERSONAL_DATA_VI",
    "STAGES",
    "Finding",
    "GateWorker",
    "HeldRow",
    "JudgedLine",
    "Option",
    "Question",
    "Refusal",
    "RegisterLine",
    "Result",
    "ReviewedRow",
    "Rule",
    "UnfitText",
    "Verdict",
    "blocking",
    "declared_rules",
    "explain_vi",
    "gate_results_table",
    "held_rows",
    "judge_lines",
    "kinds_of_personal_data",
    "load_verdict",
    "parse_verdict",
    "path_of",
    "province_publishable",
    "publishable",
    "published_text",
    "questions",
    "relation_rules",
    "run_mart_gate",
    "run_province_gate",
    "run_raw_gate",
    "spoilt_symbols",
    "suite_version",
    "write_verdict",
]


def run_raw_gate(
    raw_dir: Path,
    warehouse_dir: Path,
    quarter: str,
    window: tuple[dt.date, dt.date],
    units: Mapping[str, tuple[str, ...]],
    inputs_hashes: Mapping[str, str],
    waiting: Iterable[tuple[str, str, str, str]],
    worker: GateWorker,
    given_by_parts: Iterable[tuple[str, str]] = (),
    parts_held: Iterable[tuple[str, str, str]] = (),
    forms: Mapping[str, str] | None = None,
    own_windows: Mapping[str, tuple[dt.date, dt.date]] | None = None,
    superiors: Iterable[str] = (),
) -> dict[str, Verdict]:
    """Gate 1 on the lake: one verdict a reporting unit, also written under ``warehouse_dir/verdicts``.

    Args:
        window: first and last day of the quarter's reporting window.
        units: reporting unit -> unit codes that report through it by the register of units (itself and its communes),
            whether or not they sent anything.
        inputs_hashes: reporting unit -> ``inputs_hash`` that the verdict is bound to.
        waiting: unit, quarter, source and name of each delivered file that has not been taken in.
        given_by_parts: unit and source of what a longer period has from each of its quarters.
        parts_held: reporting unit, quarter and reason of each of its quarters whose deliveries do not pass this gate.
        forms: reporting unit -> id of the form it reports by; its findings are in that form's words.
        own_windows: of reporting units that begin within the quarter the window that is left to them.
        superiors: those of the units that stand above the ones that report by a form: asked for what they sent alone.

    Raises:
        ValueError: a unit has no inputs hash.
    """
    missing = sorted(set(units) - set(inputs_hashes))
    if missing:
        raise ValueError(f"no inputs hash for {missing}")
    hashes = {unit: inputs_hashes[unit] for unit in units}
    members = {unit: tuple(codes) for unit, codes in units.items()}
    request = RawRequest(
        raw_dir,
        quarter,
        window,
        members,
        hashes,
        tuple(waiting),
        tuple(given_by_parts),
        tuple(parts_held),
        dict(forms or {}),
        dict(own_windows or {}),
        frozenset(superiors),
    )
    return _stored(warehouse_dir, worker.check_raw(request))


def run_mart_gate(
    warehouse_dir: Path,
    quarter: str,
    candidates: Mapping[str, tuple[Path, str]],
    worker: GateWorker,
    published: Iterable[tuple[str, str, str, str | None]] = (),
) -> dict[str, Verdict]:
    """Gate 2 on candidates: one verdict a reporting unit, also written under ``warehouse_dir/verdicts``.

    Args:
        candidates: reporting unit -> (candidate folder, candidate hash). A folder whose bytes do not match the hash
            gets a verdict in which nothing ran.
        published: unit, quarter, row of the form and figure of what the quarters of a longer period have published.
    """
    return _stored(warehouse_dir, worker.check_marts(MartRequest(quarter, dict(candidates), tuple(published))))


def run_province_gate(
    warehouse_dir: Path, quarter: str, candidates: Mapping[str, tuple[Path, str]], worker: GateWorker
) -> dict[str, Verdict]:
    """The gate of provinces: one verdict a candidate, also written under ``warehouse_dir/verdicts``.

    Args:
        candidates: province -> (candidate folder, candidate hash), as for ``run_mart_gate``.
    """
    return _stored(warehouse_dir, worker.check_provinces(MartRequest(quarter, dict(candidates))))


def _stored(warehouse_dir: Path, verdicts: list[Verdict]) -> dict[str, Verdict]:
    for verdict in verdicts:
        write_verdict(warehouse_dir, verdict)
    return {verdict.unit_code: verdict for verdict in verdicts}
