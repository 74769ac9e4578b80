"""dbt's seeds and models as assets, its tests as checks.

Belongs here: how a dbt node is named, described and grouped in Dagster, and passing dbt's events on.
Does not belong here: SQL; dbt's arguments (``orchestration.dbt``).
"""

import json
from collections.abc import Collection, Iterator, Mapping
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow.parquet as pq
from dagster_dbt import DagsterDbtTranslator, DbtCliInvocation, DbtProject, dbt_assets
from dagster_dbt.errors import DagsterDbtCliRuntimeError
from packaging.version import Version

from orchestration.assets.columns import Catalogue
from orchestration.assets.names import (
    FORM_EARLIER_ROWS,
    FORM_ROWS,
    RECEIPTS,
    RUN_SCOPE,
    SOURCE_COLUMNS,
    STEWARD,
    UNIT_PASTS,
)
from orchestration.causes import why_dbt_failed
from orchestration.partitions import quarters
from orchestration.pipeline import Pipeline
from orchestration.resources import Scope
from orchestration.settings import DBT_DIR, Home
from orchestration.stages import building


class Translator(DagsterDbtTranslator):
    """Groups follow the folders; words are Vietnamese (``meta.vi``), then dbt's own."""

    def __init__(self, catalogue: Catalogue, published: Collection[str]) -> None:
        super().__init__()
        self._catalogue = catalogue
        self._published = published

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        return _key_of(dbt_resource_props)

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        return _group_of(dbt_resource_props)

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        described = str(dbt_resource_props.get("description") or dbt_resource_props["name"])
        return " ".join(filter(None, (_meta(dbt_resource_props).get("vi"), described)))

    def get_metadata(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, Any]:
        found = super().get_metadata(dbt_resource_props)
        if dbt_resource_props["resource_type"] == "source":
            return found
        return {**found, **self._catalogue.metadata(dbt_resource_props["name"])}

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:
        return [STEWARD]

    def get_tags(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, str]:
        """Which marts are published, and which only the gates read."""
        if self.get_group_name(dbt_resource_props) != "marts":
            return {}
        return {"cchc/published": "yes" if dbt_resource_props["name"] in self._published else "no"}

    def get_asset_check_spec(
        self, asset_spec: dg.AssetSpec, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetCheckSpec | None:
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        return spec and spec._replace(partitions_def=quarters())


def _meta(props: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**(props.get("meta") or {}), **((props.get("config") or {}).get("meta") or {})}


def load_manifest(path: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(path.read_bytes())
    return manifest


def model_names(manifest: Mapping[str, Any], group: str) -> list[str]:
    """Names of the models in one folder (staging, intermediate, marts)."""
    nodes = manifest["nodes"].values()
    return sorted(n["name"] for n in nodes if n["resource_type"] == "model" and n["fqn"][1] == group)


def asset_keys(manifest: Mapping[str, Any]) -> dict[str, dg.AssetKey]:
    """The assets of seeds and models by name."""
    nodes = [node for node in manifest["nodes"].values() if node["resource_type"] in ("seed", "model")]
    return {node["name"]: _key_of(node) for node in nodes}


def _key_of(props: Mapping[str, Any]) -> dg.AssetKey:
    declared = _meta(props).get("dagster", {}).get("asset_key")
    return dg.AssetKey(declared) if declared else dg.AssetKey([_group_of(props), props["name"]])


def _group_of(props: Mapping[str, Any]) -> str:
    kind = props["resource_type"]
    if kind == "source":
        return "raw"
    return "reference" if kind == "seed" else str(props["fqn"][1])


def published_marts(manifest: Mapping[str, Any]) -> set[str]:
    """Names of the marts that every release holds."""
    nodes = manifest["exposures"]["exposure.cchc.release_tables"]["depends_on"]["nodes"]
    return {node.rsplit(".", 1)[-1] for node in nodes}


def run_files() -> list[dg.AssetSpec]:
    """Assets of the files that other steps write before dbt reads them.

    The receipts are of every source's files. Were they made from all sources here, every table would be.
    """
    described = {
        RECEIPTS: "Sổ nhận tệp: mỗi tệp đã gửi một dòng, bước nhận dữ liệu ghi. Receipts of the files of all sources.",
        RUN_SCOPE: "Kỳ báo cáo đang tính, cho thư mục nào. The quarter that dbt builds for, and of whose folders.",
        FORM_ROWS: "Các dòng của biểu mẫu báo cáo. The rows of every report form, from forms/<id>/rows.csv.",
        FORM_EARLIER_ROWS: "Dòng biểu mẫu nối tiếp dòng nào của biểu mẫu trước. From forms/<id>/crosswalk.csv.",
        UNIT_PASTS: "Mỗi đơn vị gồm những đơn vị cũ nào. Of whom units were made, from the register of units.",
        SOURCE_COLUMNS: "Tên cột của các nguồn số liệu. The columns of the sources' contracts.",
    }
    return [
        dg.AssetSpec(
            key,
            group_name="raw",
            description=text,
            owners=[STEWARD],
            kinds={"parquet" if key == RECEIPTS else "csv"},
            partitions_def=quarters() if key == RECEIPTS else None,
        )
        for key, text in described.items()
    ]


class Invocation(DbtCliInvocation):
    """dagster-dbt's, but for how lines are read: its own reader takes whatever is raised while it hands one over, an
    interrupt or its own end too, for a line that does not read, and goes on.
    """

    def _stream_stdout(self) -> Iterator[str | dict[str, Any]]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            text = line.decode(errors="replace").strip()
            try:
                event = json.loads(text)
            except ValueError:
                event = None
            is_event = isinstance(event, dict) and "info" in event
            if is_event and event["info"]["level"] == "error":
                self._error_messages.append(event["info"]["msg"])
            yield event if is_event else text


def dbt_models(manifest: dict[str, Any], catalogue: Catalogue) -> dg.AssetsDefinition:
    """All seeds and models of the project as one step."""
    translator = Translator(catalogue, published_marts(manifest))
    marts = set(model_names(manifest, "marts"))

    @dbt_assets(manifest=manifest, name="dbt_build", partitions_def=quarters(), dagster_dbt_translator=translator)
    def build(context: dg.AssetExecutionContext, scope: Scope, pipeline: dg.ResourceParam[Pipeline]) -> Iterator[Any]:
        selected = sorted(key.path[-1] for key in context.selected_asset_keys) if context.is_subset else []
        with building(pipeline, context.partition_key, selected, scope.units) as process:
            invocation = Invocation(
                process=process,
                manifest=manifest,
                dagster_dbt_translator=translator,
                project_dir=DBT_DIR,
                target_path=pipeline.home.dbt_target,
                raise_on_error=True,
                cli_version=Version(installed_version("dbt-core")),
                context=context,
            )
            try:
                for event in invocation.stream():
                    if _is_asked_for(event, context):
                        yield _with_row_count(event, pipeline.home, marts)
            except DagsterDbtCliRuntimeError as error:
                # Its own words are the command line; what dbt said is in its log and in the record of its run.
                target, settings = pipeline.home.dbt_target, pipeline.settings
                raise why_dbt_failed(target, process.poll(), str(error), settings) from None

    return build


def _is_asked_for(event: Any, context: dg.AssetExecutionContext) -> bool:
    """Whether an event is of what was selected: Spark builds that with all that it is made of."""
    if isinstance(event, dg.Output):
        return event.output_name in context.op_execution_context.selected_output_names
    if isinstance(event, dg.AssetCheckResult):
        return event.asset_key is None or event.asset_key in context.selected_asset_keys
    return True


def _with_row_count(event: Any, home: Home, marts: set[str]) -> Any:
    """Adds the rows of the exported file, told by its own footer, to a mart's event."""
    if not isinstance(event, dg.Output):
        return event
    name = str(event.metadata["unique_id"].value).rsplit(".", 1)[-1]
    path = home.built_marts / f"{name}.parquet"
    if name not in marts or not path.is_file():
        return event
    return event.with_metadata({**event.metadata, "dagster/row_count": pq.read_metadata(path).num_rows})
