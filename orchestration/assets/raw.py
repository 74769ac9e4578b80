"""Raw assets: each source's deliveries read into the lake. One factory; the contracts are the list of sources.

Belongs here: what Dagster shows of an intake. Does not belong here: the intake itself (``ingestion``), the
verdict (``gates``).
"""

from dataclasses import asdict
from typing import Any

import dagster as dg

from ingestion import Contract
from orchestration.assets.columns import Catalogue
from orchestration.assets.names import landing_key, raw_key, team
from orchestration.partitions import quarters
from orchestration.pipeline import Pipeline
from orchestration.resources import Scope
from orchestration.stages import ingest


def raw_asset(contract: Contract, catalogue: Catalogue) -> dg.AssetsDefinition:
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
        metadata=_columns(contract) | catalogue.metadata(f"raw/{contract.source}"),
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


def _columns(contract: Contract) -> dict[str, Any]:
    said = {column.name: column.title_vi for column in contract.columns}
    columns = [dg.TableColumn(field.name, str(field.type), said.get(field.name)) for field in contract.arrow_schema()]
    return {"dagster/column_schema": dg.TableSchema(columns=columns)}
