"""Published assets: the releases, and the tables and documents people read in them.

Belongs here: what a release's parts are made from, so that lineage runs from a delivered file to a report table.
Does not belong here: writing a release (``publication``).
"""

from collections.abc import Iterator

import dagster as dg

from orchestration import stages
from orchestration.assets.names import (
    CANDIDATES,
    MART_GATE,
    POSTGRES,
    RELEASES,
    STEWARD,
    published_key,
)
from orchestration.partitions import quarters
from orchestration.pipeline import Pipeline
from orchestration.resources import Scope
from orchestration.telling import nothing_delivered_vi, tell_copies, tell_run

_PAGE_MARTS = ("report_indicators", "indicator_trend", "case_processing", "figure_rows", "delivery_log")
# Part of a release: the marts it is made from (empty: all), its kind, and what it is.
_PARTS: dict[str, tuple[tuple[str, ...], str, str]] = {
    "report_annex": (("report_indicators",), "excel", "Phụ lục số liệu của báo cáo. The official form, xlsx and csv."),
    "report_letter": (("report_indicators", "report_narrative"), "word", "Báo cáo trình ký. The letter, docx and pdf."),
    "report_page": (_PAGE_MARTS, "html", "Trang số liệu cho mọi người. Page for people: figures, trends, passports."),
    "form_06a": (
        ("case_form_06a",),
        "excel",
        "Biểu II.06a Thông tư 01/2020/TT-VPCP. Cases by field and unit, both clocks.",
    ),
    "quality_notes": (("report_indicators",), "csv", "Ghi chú chất lượng số liệu. Footnotes, decisions, remarks."),
    "passports": (
        ("report_indicators", "figure_rows", "measure_values", "dim_measure"),
        "json",
        "Hồ sơ từng số liệu. How each figure came about, down to file, sheet and row.",
    ),
    "marts": ((), "parquet", "Các bảng số liệu công bố. The published marts, Parquet files and one DuckDB file."),
}

_REASONS_SHOWN = 10


def published_assets(marts: list[str]) -> dg.AssetsDefinition:
    """``published/releases`` and its parts, written in one step, which fails where no unit has sent anything."""

    def spec(key: dg.AssetKey, deps: list[dg.AssetKey], kinds: set[str], description: str) -> dg.AssetSpec:
        return dg.AssetSpec(
            key, deps=deps, description=description, group_name="published", owners=[STEWARD], kinds=kinds
        )

    releases = "Bản công bố của từng đơn vị. Immutable releases with one pointer a unit and quarter."
    specs = [spec(RELEASES, [CANDIDATES, MART_GATE], {"parquet", "duckdb"}, releases)]
    for name, (sources, kind, description) in _PARTS.items():
        deps = [dg.AssetKey(["marts", mart]) for mart in sources or marts]
        specs.append(spec(published_key(name), [*deps, MART_GATE], {kind}, description))

    @dg.multi_asset(name="publish", specs=specs, partitions_def=quarters())
    def publish(
        context: dg.AssetExecutionContext, scope: Scope, pipeline: dg.ResourceParam[Pipeline]
    ) -> Iterator[dg.MaterializeResult]:
        outcomes = stages.publish(pipeline, context.partition_key, scope.units)
        if not tell_run(pipeline, context.partition_key, scope.units, context.run_id):
            raise dg.Failure(nothing_delivered_vi(context.partition_key), allow_retries=False)
        released = {o.unit_code: o.release for o in outcomes if o.release}
        held = sorted(o.unit_code for o in outcomes if not o.release)
        revised = {o.unit_code: o.revision.lines_vi[:_REASONS_SHOWN] for o in outcomes if o.release and o.revision}
        for part in specs:
            yield dg.MaterializeResult(
                asset_key=part.key,
                metadata={
                    "releases": dg.MetadataValue.json(released),
                    "held_back": dg.MetadataValue.json(held),
                    "revised": dg.MetadataValue.json(revised),
                },
            )

    return publish


def postgres_asset() -> dg.AssetsDefinition:
    """Asset ``published/postgres``: the current releases in PostgreSQL. Its check fails where one could not be copied.

    The step itself never fails for the server's sake: what is published stays published, and the next run tries again.
    """

    @dg.asset(
        key=POSTGRES,
        deps=[RELEASES],
        partitions_def=quarters(),
        group_name="published",
        description="Bản sao trong PostgreSQL. The current releases as tables for SQL clients.",
        owners=[STEWARD],
        kinds={"postgres"},
        check_specs=[dg.AssetCheckSpec("copied", asset=POSTGRES, description="Mọi bản hiện hành đã được chép")],
    )
    def postgres(
        context: dg.AssetExecutionContext, scope: Scope, pipeline: dg.ResourceParam[Pipeline]
    ) -> dg.MaterializeResult:
        from orchestration.postgres import copy_quarter

        copies = copy_quarter(pipeline, context.partition_key, scope.units)
        failed = tell_copies(pipeline, context.partition_key, copies, context.run_id)
        check = dg.AssetCheckResult(check_name="copied", passed=not failed, metadata={"failed": failed})
        return dg.MaterializeResult(metadata={"releases": len(copies)}, check_results=[check])

    return postgres
