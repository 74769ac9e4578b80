"""Landing assets: how many files each source has in the landing folder for a quarter. Nothing is opened.

Belongs here: one asset a contract. Does not belong here: taking files in (``raw``).
"""

import dagster as dg

from ingestion import Contract
from orchestration.assets.columns import headings_schema
from orchestration.assets.names import landing_key, team
from orchestration.partitions import quarters
from orchestration.pipeline import Pipeline


def landing_asset(contract: Contract) -> dg.AssetsDefinition:
    """Asset ``landing/<source>`` of one source."""

    @dg.asset(
        key=landing_key(contract.source),
        partitions_def=quarters(),
        group_name="landing",
        description=f"{contract.title_vi}: tệp các đơn vị đã gửi. Files delivered for {contract.source}.",
        owners=[team(contract.owner)],
        kinds={"file", "excel"},
        metadata={"dagster/column_schema": headings_schema(contract)},
    )
    def landing(context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> dg.MaterializeResult:
        files = pipeline.deliveries.landed(contract.source, context.partition_key)
        units = sorted({path.parts[0] for path in files})
        return dg.MaterializeResult(
            metadata={"files": len(files), "units": len(units), "unit_codes": dg.MetadataValue.json(units)}
        )

    return landing
