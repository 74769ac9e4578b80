"""Raw assets: each source's deliveries read into the lake. One factory; the contracts are the list of sources."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict

import dagster as dg

from ingestion import Contract
from orchestration.assets.names import RECEIPTS, STEWARD, landing_key, raw_key, team
from orchestration.partitions import quarters
from orchestration.pipeline import Pipeline
from orchestration.resources import Scope
from orchestration.stages import ingest


def raw_asset(contract: Contract) -> dg.AssetsDefinition:
    """Asset ``raw/<source>`` of one source; waits for the sources its names are resolved against."""

    @dg.asset(
        key=raw_key(contract.source),
        deps=[landing_key(contract.source), *(raw_key(name) for name in contract.depends_on)],
        partitions_def=quarters(),
        group_name="raw",
        description=f"{contract.title_vi}. {contract.description}",
        owners=[team(contract.owner)],
        kinds={"parquet", "python"},
        code_version=str(contract.version),
        metadata={"columns": dg.MetadataValue.json([c.name for c in contract.lake_columns()])},
    )
    def raw(
        context: dg.AssetExecutionContext, scope: Scope, pipeline: dg.ResourceParam[Pipeline]
    ) -> dg.MaterializeResult:
        report = ingest(pipeline, contract.source, context.partition_key, scope.units)
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": report.rows_accepted,
                "rows_rejected": report.rows_rejected,
                "deliveries": len(report.deliveries),
                "refused": sum(delivery.outcome == "refused" for delivery in report.deliveries),
                "read_now": report.files_read,
                "not_deliveries": dg.MetadataValue.json([asdict(problem) for problem in report.problems]),
            }
        )

    return raw


def receipts_asset(contracts: Mapping[str, Contract]) -> dg.AssetsDefinition:
    """Asset ``raw/deliveries``: the receipts of all deliveries as one table, rebuilt by each ingestion."""

    @dg.asset(
        key=RECEIPTS,
        deps=[raw_key(source) for source in contracts],
        partitions_def=quarters(),
        group_name="raw",
        description="Sổ nhận tệp: mỗi tệp đã gửi một dòng. Receipts of all deliveries, derived from the ledger.",
        owners=[STEWARD],
        kinds={"parquet"},
    )
    def deliveries(context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> dg.MaterializeResult:
        receipts = pipeline.deliveries.receipts(context.partition_key)
        outcomes = Counter(str(receipt["outcome"]) for receipt in receipts)
        return dg.MaterializeResult(
            metadata={"dagster/row_count": len(receipts), "outcomes": dg.MetadataValue.json(dict(outcomes))}
        )

    return deliveries
