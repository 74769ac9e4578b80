"""The gates: verdicts on the raw lake and on the candidates, as checks on the tables they judge, and the candidates.

Belongs here: turning stored verdicts into asset checks, and that each gate runs before what it guards.
Does not belong here: rules and what blocks (``expectations``).

A gate is one step with a check on each table it judges. It is no asset, so lineage runs past it, from a source to the
models that read it. Its order comes from checks that Dagster calls blocking: what is made of a table waits for them,
and is not made where the step breaks. Their severity is never ERROR, by which Dagster would stop the run: a unit that
is held back must not hold back another, and where all are, people still want to look at the candidates that were built.
Publication looks the stored verdicts up by itself and refuses what they hold back.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import dagster as dg

from expectations import HeldRow, Result, Verdict, declared_rules, held_rows
from ingestion import Contract
from orchestration.assets.names import CANDIDATES, GATE_CHECK, RECEIPTS, STEWARD, mart_key, raw_key
from orchestration.partitions import quarters
from orchestration.pipeline import Pipeline
from orchestration.real_names import with_real_names
from orchestration.resources import Scope
from orchestration.stages import check_marts, check_raw, write_candidates

#: Rows of a table of findings that Dagster's storage keeps; the verdict keeps more, and the table says how many.
MOST_FINDINGS = 100
_COLUMNS = {
    "don_vi": "đơn vị báo cáo",
    "noi_dung": "điều cần xem lại",
    "cach_xu_ly": "cách xử lý",
    "tep": "tệp",
    "trang": "trang tính",
    "dong": "dòng",
    "quy_tac": "quy tắc",
}
_SCHEMA = dg.TableSchema(
    columns=[
        dg.TableColumn(name, "int" if name == "dong" else "string", description=words)
        for name, words in _COLUMNS.items()
    ]
)


Named = Callable[[list[str]], list[str]]


def findings_table(found: list[tuple[str, HeldRow]], named: Named = list) -> dg.TableMetadataValue:
    """Findings of units as a table (columns ``_COLUMNS``), in the order given; the first ``MOST_FINDINGS``.

    ``named`` puts real names of files in the place of neutral ones.
    """
    shown = found[:MOST_FINDINGS]
    messages = named([row.message_vi for _, row in shown])
    records = [
        dg.TableRecord(
            {
                "don_vi": unit,
                "quy_tac": row.rule,
                "noi_dung": message,
                "tep": row.file or "",
                "trang": row.sheet or "",
                "dong": "" if row.row is None else row.row,
                "cach_xu_ly": row.advice_vi,
            }
        )
        for (unit, row), message in zip(shown, messages, strict=True)
    ]
    return dg.MetadataValue.table(records, schema=_SCHEMA)


def check_results(
    verdicts: Mapping[str, Verdict],
    tables: Collection[dg.AssetKey],
    table_of: Callable[[Result], dg.AssetKey],
    named: Named = list,
) -> Iterator[dg.AssetCheckResult]:
    """One result a table: it fails, as a warning, where a rule on it holds back any unit. Findings stand in a table
    with file, row and advice.
    """
    for table in tables:
        held = {unit: [r for r in v.blocking() if table_of(r) == table] for unit, v in verdicts.items()}
        held = {unit: results for unit, results in held.items() if results}
        checked = {r.expectation_id for v in verdicts.values() for r in v.results if table_of(r) == table}
        metadata: dict[str, Any] = {
            "rules_checked": len(checked),
            "held_back": dg.MetadataValue.json(sorted(held)),
        }
        words = "Các quy tắc này không giữ lại đơn vị nào."
        if held:
            found = [(unit, row) for unit, results in held.items() for row in held_rows(verdicts[unit], results)]
            total = sum(_rows_to_mend(result) for results in held.values() for result in results)
            metadata |= {"findings": findings_table(found, named), "findings_total": total}
            words = f"Giữ lại, chưa công bố: {', '.join(sorted(held))}. Cần xem lại {total} chỗ (bảng findings)."
        yield dg.AssetCheckResult(
            asset_key=table,
            check_name=GATE_CHECK,
            passed=not held,
            severity=dg.AssetCheckSeverity.WARN,
            description=words,
            metadata=metadata,
        )


def _rows_to_mend(result: Result) -> int:
    return max(result.failed_rows - (result.covered_rows if result.settleable else 0), 1)


def _check(table: dg.AssetKey, words: str, *, blocking: bool = False) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(GATE_CHECK, asset=table, description=words, blocking=blocking, partitions_def=quarters())


def _named(pipeline: Pipeline) -> Named:
    return lambda lines: with_real_names(pipeline.deliveries.paths, lines) if lines else []


def _selected(
    context: dg.AssetCheckExecutionContext, results: Iterator[dg.AssetCheckResult]
) -> Iterator[dg.AssetCheckResult]:
    for result in results:
        if any(key.asset_key == result.asset_key for key in context.selected_asset_check_keys):
            yield result


def raw_gate(contracts: Mapping[str, Contract]) -> dg.AssetChecksDefinition:
    """Gate 1: a check on each source and one on the receipts, for rules that look at several sources.

    A source that others are resolved against is read before them, so it cannot wait for the gate that waits for all;
    dbt reads every source in one step, and waits for the gate by the others.
    """
    registers = {name for contract in contracts.values() for name in contract.depends_on}
    specs = [
        _check(raw_key(source), f"Quy tắc đầu vào của nguồn {contract.title_vi}", blocking=source not in registers)
        for source, contract in contracts.items()
    ]
    tables = [*(spec.asset_key for spec in specs), RECEIPTS]
    specs.append(_check(RECEIPTS, "Quy tắc về tệp đã nhận và quy tắc giữa các nguồn"))

    def table_of(result: Result) -> dg.AssetKey:
        return raw_key(result.source) if result.source in contracts else RECEIPTS

    @dg.multi_asset_check(name="gates_raw", specs=specs, can_subset=True)
    def gates_raw(
        context: dg.AssetCheckExecutionContext, scope: Scope, pipeline: dg.ResourceParam[Pipeline]
    ) -> Iterator[dg.AssetCheckResult]:
        quarter = context.op_execution_context.partition_key
        verdicts = check_raw(pipeline, quarter, scope.units)
        receipts = pipeline.deliveries.receipts(quarter)
        context.op_execution_context.log_event(
            dg.AssetMaterialization(RECEIPTS, partition=quarter, metadata={"dagster/row_count": len(receipts)})
        )
        yield from _selected(context, check_results(verdicts, tables, table_of, _named(pipeline)))

    return gates_raw


def candidates(marts: list[str]) -> dg.AssetsDefinition:
    """Asset ``gates/candidates``: the slice of the marts that each unit would publish."""

    @dg.asset(
        key=CANDIDATES,
        deps=[mart_key(name) for name in marts],
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


def mart_gate(marts: list[str]) -> dg.AssetChecksDefinition:
    """Gate 2: a check on each mart that rules look at, on what the candidates hold of it, and one on the candidates for
    rules that look at several tables or at the letter.
    """
    mart_of = {rule.id: rule.relation for rule in declared_rules("mart")}
    # Rules between rows of the form speak of its figures, which the gate lays side by side.
    mart_of = {rule: "report_indicators" if relation == "figures" else relation for rule, relation in mart_of.items()}
    judged = sorted(set(mart_of.values()) & set(marts))
    specs = [_check(mart_key(name), f"Quy tắc số liệu báo cáo của bảng {name}") for name in judged]
    # What is published waits for the candidates, and so for this one.
    specs.append(_check(CANDIDATES, "Quy tắc giữa các bảng và của báo cáo bằng lời", blocking=True))

    def table_of(result: Result) -> dg.AssetKey:
        name = mart_of.get(result.expectation_id, "")
        return mart_key(name) if name in judged else CANDIDATES

    @dg.multi_asset_check(name="gates_marts", specs=specs, can_subset=True)
    def gates_marts(
        context: dg.AssetCheckExecutionContext, scope: Scope, pipeline: dg.ResourceParam[Pipeline]
    ) -> Iterator[dg.AssetCheckResult]:
        verdicts = check_marts(pipeline, context.op_execution_context.partition_key, scope.units)
        tables = [spec.asset_key for spec in specs]
        yield from _selected(context, check_results(verdicts, tables, table_of, _named(pipeline)))

    return gates_marts
