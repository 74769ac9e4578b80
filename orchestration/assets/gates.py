"""The gates: verdicts on the raw lake and on the candidates, and one check a source that Dagster shows.

Belongs here: turning stored verdicts into asset checks.
Does not belong here: rules and what blocks (``expectations``).

No check stops a run: a unit that is held back must not hold back another, and where all are, people still want to look
at the candidates that were built. Publication looks the stored verdicts up by itself and refuses what they hold back.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import dagster as dg

from expectations import Result, Verdict
from ingestion import Contract
from orchestration.assets.names import CANDIDATES, MART_GATE, RAW_GATE, RECEIPTS, STEWARD, raw_key
from orchestration.partitions import quarters
from orchestration.pipeline import Pipeline
from orchestration.resources import Scope
from orchestration.stages import check_marts, check_raw, write_candidates

_SHOWN = 20


def check_results(
    verdicts: Mapping[str, Verdict], groups: Iterable[str], group_of: Callable[[Result], str]
) -> list[dg.AssetCheckResult]:
    """One result a group of rules.

    A group fails when a rule of it holds back any unit: an error where no unit at all can be published, else a warning.
    """
    held = {unit: verdict.blocking() for unit, verdict in verdicts.items()}
    nobody_goes_on = all(held.values())
    severity = dg.AssetCheckSeverity.ERROR if nobody_goes_on else dg.AssetCheckSeverity.WARN
    results = []
    for group in groups:
        failed = {unit: [r.sentence_vi for r in blocking if group_of(r) == group] for unit, blocking in held.items()}
        failed = {unit: sentences[:_SHOWN] for unit, sentences in failed.items() if sentences}
        checked = sum(group_of(r) == group for verdict in verdicts.values() for r in verdict.results)
        results.append(
            dg.AssetCheckResult(
                check_name=group,
                passed=not failed,
                severity=severity,
                metadata={"rules_checked": checked, "held_back": dg.MetadataValue.json(failed)},
            )
        )
    return results


def raw_gate(contracts: Mapping[str, Contract]) -> dg.AssetsDefinition:
    """Asset ``gates/raw``, with a check for each source."""
    groups = [*contracts, "cross_source"]

    def group_of(result: Result) -> str:
        return result.source if result.source in contracts else "cross_source"

    @dg.multi_asset(
        name="gates_raw",
        specs=[
            dg.AssetSpec(
                RAW_GATE,
                deps=[RECEIPTS, *(raw_key(source) for source in contracts)],
                group_name="gates",
                description="Kết luận kiểm tra dữ liệu thô của từng đơn vị. Verdicts on the raw lake, one a unit.",
                owners=[STEWARD],
                kinds={"greatexpectations"},
            )
        ],
        check_specs=[
            dg.AssetCheckSpec(group, asset=RAW_GATE, description=f"Quy tắc dữ liệu thô: {group}") for group in groups
        ],
        partitions_def=quarters(),
    )
    def gates_raw(
        context: dg.AssetExecutionContext, scope: Scope, pipeline: dg.ResourceParam[Pipeline]
    ) -> dg.MaterializeResult:
        verdicts = check_raw(pipeline, context.partition_key, scope.units)
        return dg.MaterializeResult(
            metadata=_summary(verdicts), check_results=check_results(verdicts, groups, group_of)
        )

    return gates_raw


def candidates(marts: list[str]) -> dg.AssetsDefinition:
    """Asset ``gates/candidates``: the slice of the marts that each unit would publish."""

    @dg.asset(
        key=CANDIDATES,
        deps=[dg.AssetKey(["marts", name]) for name in marts],
        partitions_def=quarters(),
        group_name="gates",
        description="Số liệu chờ công bố của từng đơn vị. Candidates, addressed by their hash.",
        owners=[STEWARD],
        kinds={"parquet"},
    )
    def gates_candidates(
        context: dg.AssetExecutionContext, scope: Scope, pipeline: dg.ResourceParam[Pipeline]
    ) -> dg.MaterializeResult:
        folders = write_candidates(pipeline, context.partition_key, scope.units)
        return dg.MaterializeResult(
            metadata={
                "units": len(folders),
                "candidates": dg.MetadataValue.json({unit: folder.name for unit, folder in folders.items()}),
            }
        )

    return gates_candidates


_MART_GROUPS = ("report", "marts")


def mart_gate() -> dg.AssetsDefinition:
    """Asset ``gates/marts``, with checks for the report's rules and for the marts' rules."""

    def group_of(result: Result) -> str:
        return "report" if result.expectation_id.startswith("report.") else "marts"

    @dg.multi_asset(
        name="gates_marts",
        specs=[
            dg.AssetSpec(
                MART_GATE,
                deps=[CANDIDATES],
                group_name="gates",
                description="Kết luận kiểm tra số liệu chờ công bố của từng đơn vị. Verdicts on the candidates.",
                owners=[STEWARD],
                kinds={"greatexpectations"},
            )
        ],
        check_specs=[
            dg.AssetCheckSpec(group, asset=MART_GATE, description=f"Quy tắc số liệu: {group}") for group in _MART_GROUPS
        ],
        partitions_def=quarters(),
    )
    def gates_marts(
        context: dg.AssetExecutionContext, scope: Scope, pipeline: dg.ResourceParam[Pipeline]
    ) -> dg.MaterializeResult:
        verdicts = check_marts(pipeline, context.partition_key, scope.units)
        return dg.MaterializeResult(
            metadata=_summary(verdicts), check_results=check_results(verdicts, _MART_GROUPS, group_of)
        )

    return gates_marts


def _summary(verdicts: Mapping[str, Verdict]) -> dict[str, Any]:
    held = sorted(unit for unit, verdict in verdicts.items() if verdict.blocking())
    return {
        "units": len(verdicts),
        "held_back": dg.MetadataValue.json(held),
        "suite_version": next((v.suite_version for v in verdicts.values()), "none"),
    }
