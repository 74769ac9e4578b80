"""Published assets: the releases, and the tables and documents people read in them.

Belongs here: what a release's parts are made from, so that lineage runs from a delivered file to a report table.
Does not belong here: writing a release (``publication``).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow.parquet as pq

from ingestion import load_contracts
from orchestration import stages
from orchestration.assets.columns import Catalogue
from orchestration.assets.names import (
    CANDIDATES,
    POSTGRES,
    PROVINCES,
    RELEASES,
    STEWARD,
    mart_key,
    published_key,
    raw_key,
)
from orchestration.column_lineage import ANNEX
from orchestration.partitions import quarters
from orchestration.pipeline import Pipeline
from orchestration.resources import Scope
from orchestration.telling import nothing_delivered_vi, tell_copies, tell_provinces, tell_run

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

# Where a part lies in a release; the release itself where it is not one file.
_FILES = {
    "report_annex": "report/annex.xlsx",
    "report_letter": "report/report.pdf",
    "report_page": "report/index.html",
    "form_06a": "report/form_06a.xlsx",
    "quality_notes": "quality/notes.csv",
    "passports": "quality/passports.json",
    "marts": "marts",
}
#: The check that fails, as a warning, where a unit has no new release.
NOBODY_HELD = "all_units_published"

_REASONS_SHOWN = 10
_UNITS_LINKED = 20
_ROWS_SHOWN = 10


def published_assets(marts: list[str], catalogue: Catalogue) -> dg.AssetsDefinition:
    """``published/releases`` and its parts, written in one step, which fails where no unit has sent anything.

    The step waits for gate 2 by the candidates (``assets.gates``); each part's lineage names the marts it shows.
    """

    def spec(key: dg.AssetKey, deps: list[dg.AssetKey], kinds: set[str], description: str) -> dg.AssetSpec:
        metadata = catalogue.metadata(ANNEX) if key == published_key(ANNEX) else {}
        return dg.AssetSpec(
            key,
            deps=deps,
            description=description,
            group_name="published",
            owners=[STEWARD],
            kinds=kinds,
            metadata=metadata,
        )

    releases = "Bản công bố của từng đơn vị. Immutable releases with one pointer a unit and quarter."
    specs = [spec(RELEASES, [CANDIDATES], {"parquet", "duckdb"}, releases)]
    for name, (sources, kind, description) in _PARTS.items():
        specs.append(spec(published_key(name), [mart_key(mart) for mart in sources or marts], {kind}, description))
    check = dg.AssetCheckSpec(
        NOBODY_HELD,
        asset=RELEASES,
        description="Mọi đơn vị đã có bản công bố; đơn vị bị giữ lại không làm hỏng lượt chạy",
        partitions_def=quarters(),
    )

    @dg.multi_asset(name="publish", specs=specs, check_specs=[check], partitions_def=quarters())
    def publish(
        context: dg.AssetExecutionContext, scope: Scope, pipeline: dg.ResourceParam[Pipeline]
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        outcomes = stages.publish(pipeline, context.partition_key, scope.units)
        if not tell_run(pipeline, context.partition_key, scope.units, context.run_id):
            raise dg.Failure(nothing_delivered_vi(context.partition_key), allow_retries=False)
        if not pipeline.settings.provinces:  # else the run ends with these
            stages.remember_whole_run(pipeline, context.partition_key, scope.units)
        released = {o.unit_code: o.release for o in outcomes if o.release}
        held = {o.unit_code: list(o.reasons[:_REASONS_SHOWN]) for o in outcomes if not o.release}
        revised = {o.unit_code: o.revision.lines_vi[:_REASONS_SHOWN] for o in outcomes if o.release and o.revision}
        for part in specs:
            yield dg.MaterializeResult(
                asset_key=part.key,
                metadata={
                    "releases": dg.MetadataValue.json(released),
                    "held_back": dg.MetadataValue.json(sorted(held)),
                    "revised": dg.MetadataValue.json(revised),
                    **_links(pipeline, released, part.key.path[-1]),
                    **_preview(released, part.key.path[-1]),
                },
            )
        yield dg.AssetCheckResult(
            check_name=NOBODY_HELD,
            asset_key=RELEASES,
            passed=not held,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"Chưa công bố: {', '.join(sorted(held))}" if held else "Mọi đơn vị đã có bản công bố.",
            metadata={"held_back": dg.MetadataValue.json(held)},
        )

    return publish


def _links(pipeline: Pipeline, released: dict[str, str], part: str) -> dict[str, dg.MetadataValue[Any]]:
    """Of the first units, by number, where a part of their release lies, and its address where pages are served."""
    base = pipeline.settings.alert_links.page
    links: dict[str, dg.MetadataValue[Any]] = {}
    for unit, folder in sorted(released.items())[:_UNITS_LINKED]:
        path = Path(folder) / _FILES.get(part, "")
        links[f"path_{unit}"] = dg.MetadataValue.path(path)
        if base:
            links[f"link_{unit}"] = dg.MetadataValue.url(
                f"{base}/{path.relative_to(pipeline.home.published).as_posix()}"
            )
    return links


def _preview(released: dict[str, str], part: str) -> dict[str, Any]:
    """The first rows of the table a part shows, of one unit, as text. Only of a release: what is built before the gates
    have judged it may speak of persons.
    """
    marts = _PARTS.get(part, ((), "", ""))[0]
    if not marts or not released:
        return {}
    unit, folder = min(released.items())
    with pq.ParquetFile(Path(folder) / "marts" / f"{marts[0]}.parquet") as file:
        names = file.schema_arrow.names
        first = next(file.iter_batches(batch_size=_ROWS_SHOWN), None)
        count = file.metadata.num_rows
    records = [] if first is None else first.to_pylist()
    shown = [dg.TableRecord({n: "" if v is None else str(v) for n, v in record.items()}) for record in records]
    schema = dg.TableSchema(columns=[dg.TableColumn(name, "string") for name in names])
    return {f"preview_{unit}": dg.MetadataValue.table(shown, schema=schema), "dagster/row_count": count}


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
        check_specs=[
            dg.AssetCheckSpec(
                "copied", asset=POSTGRES, description="Mọi bản hiện hành đã được chép", partitions_def=quarters()
            )
        ],
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


def provinces_asset() -> dg.AssetsDefinition:
    """Asset ``published/provinces``: the releases of provinces, rolled up from those of their units.

    Its check fails, as a warning, where a province has no release of what its units have published now.
    """

    @dg.asset(
        key=PROVINCES,
        deps=[RELEASES, *(raw_key(c.source) for c in load_contracts().values() if c.is_of_superiors)],
        partitions_def=quarters(),
        group_name="published",
        description="Bản tổng hợp toàn tỉnh. Releases of provinces, rolled up from the releases of their units.",
        owners=[STEWARD],
        kinds={"parquet", "excel"},
        check_specs=[
            dg.AssetCheckSpec(
                "rolled_up", asset=PROVINCES, description="Mọi tỉnh đã được tổng hợp", partitions_def=quarters()
            )
        ],
    )
    def provinces(
        context: dg.AssetExecutionContext, scope: Scope, pipeline: dg.ResourceParam[Pipeline]
    ) -> dg.MaterializeResult:
        from orchestration.provinces import provinces_of, roll_up_all

        quarter = context.partition_key
        found = roll_up_all(pipeline, quarter, provinces_of(pipeline, quarter))
        tell_provinces(pipeline, quarter, [one.outcome.unit_code for one in found], context.run_id)
        stages.remember_whole_run(pipeline, quarter, scope.units)
        missing = {one.outcome.unit_code: list(one.outcome.reasons) for one in found if not one.outcome.release}
        check = dg.AssetCheckResult(
            check_name="rolled_up",
            passed=not missing,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"missing": dg.MetadataValue.json(missing)},
        )
        units = {one.outcome.unit_code: f"{one.counted}/{one.expected}" for one in found}
        return dg.MaterializeResult(metadata={"units": dg.MetadataValue.json(units)}, check_results=[check])

    return provinces
