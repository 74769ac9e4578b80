"""Definitions: complete, described, owned, connected from landing to report, and light to import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from ingestion import load_contracts
from orchestration import column_lineage as lineage_module
from orchestration.assets.names import (
    CANDIDATES,
    GATE_CHECK,
    RECEIPTS,
    RUN_SCOPE,
    landing_key,
    published_key,
    raw_key,
    team,
)
from orchestration.build import build_definitions
from orchestration.column_lineage import ANNEX, Columns, Way, column_lineage
from orchestration.partitions import quarters
from orchestration.settings import DBT_DIR, Settings

VIETNAMESE = set("ăâđêôơưàáảãạằắẳẵặầấẩẫậèéẻẽẹềếểễệìíỉĩịòóỏõọồốổỗộờớởỡợùúủũụừứửữựỳýỷỹỵ")
# Sources that a published table is made from; their registers' names included.
FEEDS = {
    "form_06a": {
        "decisions",
        "e_document_counts",
        "one_stop_cases",
        "org_units",
        "procedure_catalogue",
        "staffing_roster",
    },
}


@pytest.fixture(scope="module")
def columns() -> Columns:
    return column_lineage()


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory, columns: Columns) -> dg.Definitions:
    return build_definitions(Settings(home=tmp_path_factory.mktemp("home")), columns)


@pytest.fixture(scope="module")
def graph(definitions: dg.Definitions) -> dg.AssetGraph:
    return definitions.get_repository_def().asset_graph


def _ancestors(graph: dg.AssetGraph, key: dg.AssetKey) -> set[dg.AssetKey]:
    return set(dg.AssetSelection.assets(key).upstream().resolve(graph))


def test_every_asset_has_group_description_and_owner(graph: dg.AssetGraph) -> None:
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.group_name not in (None, "default"), key
        assert node.description, key
        assert node.owners, key
        assert node.kinds, key


def test_each_contract_has_its_landing_and_raw_asset(graph: dg.AssetGraph) -> None:
    for source, contract in load_contracts().items():
        assert graph.get(raw_key(source)).owners == [team(contract.owner)]
        needed = {landing_key(source), *(raw_key(name) for name in contract.depends_on)}
        assert graph.get(raw_key(source)).parent_keys == needed


def test_each_model_and_seed_is_an_asset(graph: dg.AssetGraph) -> None:
    names = {key.path[-1] for key in graph.get_all_asset_keys()}
    models = {path.stem for path in (DBT_DIR / "models").rglob("*.sql")}
    seeds = {path.stem for path in (DBT_DIR / "seeds").glob("*.csv")}
    assert models
    assert models | seeds <= names


def test_a_source_leads_to_its_staging_model_and_no_gate_stands_between(graph: dg.AssetGraph) -> None:
    assert not any(key.path[-1] in ("raw", "marts") for key in graph.get_all_asset_keys() if key.path[0] == "gates")
    for source in (name for name, contract in load_contracts().items() if not contract.is_of_superiors):
        [staging] = {key for key in graph.get(raw_key(source)).child_keys if key.path[-1].startswith(f"stg_{source}__")}
        assert graph.get(staging).parent_keys & {raw_key(s) for s in load_contracts()} == {raw_key(source)}


def test_upstream_of_a_published_table_is_what_feeds_it(graph: dg.AssetGraph) -> None:
    raw = {raw_key(source): source for source in load_contracts()}

    def feeds(part: str) -> set[str]:
        return {raw[key] for key in _ancestors(graph, published_key(part)) if key in raw}

    assert feeds("form_06a") == FEEDS["form_06a"]
    of_report = {name for name, contract in load_contracts().items() if not contract.is_of_superiors}
    assert feeds("report_annex") == of_report - {"report_narrative"}
    assert feeds("report_letter") == of_report
    assert landing_key("one_stop_cases") in _ancestors(graph, published_key("report_annex"))
    # The receipts are of all sources' files: they begin a way, or every table would be made from every source.
    assert graph.get(dg.AssetKey(["staging", "stg_deliveries__deliveries"])).parent_keys == {RECEIPTS, RUN_SCOPE}
    assert graph.get(RECEIPTS).parent_keys == set()
    assert CANDIDATES not in _ancestors(graph, published_key("report_annex"))


@pytest.mark.parametrize("job", ["quarter", "assets of a backfill"])
def test_nothing_is_built_before_gate_1_nor_published_before_gate_2(
    definitions: dg.Definitions, graph: dg.AssetGraph, job: str
) -> None:
    """A step waits for all that its inputs name, and is left out where one of them broke."""
    made = definitions.resolve_job_def("quarter")
    if job != "quarter":
        made = made.get_subset(asset_selection=set(graph.materializable_asset_keys))
    waits_for = {
        node.name: {o.node_name for o in made.graph.dependency_structure.all_upstream_outputs_from_node(node.name)}
        for node in made.nodes
    }
    assert waits_for["gates_raw"] == {f"raw__{source}" for source in load_contracts()}
    assert "gates_raw" in waits_for["dbt_build"]
    assert "gates_marts" in waits_for["publish"]


def test_checks_of_gates_sit_on_what_they_judge_by_quarter(graph: dg.AssetGraph) -> None:
    gates = {key.asset_key for key in graph.asset_check_keys if key.name == GATE_CHECK}
    assert {raw_key(source) for source in load_contracts()} | {RECEIPTS, CANDIDATES} <= gates
    assert dg.AssetKey(["marts", "report_indicators"]) in gates
    for key in graph.asset_check_keys:
        assert graph.get(key).partitions_def is not None, key


def test_every_asset_and_gate_is_described_in_vietnamese(graph: dg.AssetGraph) -> None:
    keys = [*graph.get_all_asset_keys(), *(key for key in graph.asset_check_keys if key.name == GATE_CHECK)]
    plain = [key for key in keys if not VIETNAMESE & set((graph.get(key).description or "").lower())]
    assert plain == []


@pytest.mark.parametrize(
    ("table", "column", "source", "headings"),
    [
        (ANNEX, "dòng 72", "one_stop_cases", {"Ngày kết thúc xử lý", "Ngày trả kết quả", "Trạng thái"}),
        (ANNEX, "dòng 24", "survey_responses", {"Ngày trả lời", "Đánh giá chung"}),
        (ANNEX, "dòng 3", "plan_tasks", {"Kế hoạch", "Số văn bản kế hoạch", "Thời hạn"}),
        ("int_cases", "received_on", "one_stop_cases", {"Ngày tiếp nhận"}),
        ("case_processing", "received", "one_stop_cases", {"Ngày tiếp nhận"}),
        ("stg_one_stop_cases__cases", "late_reason_vi", "one_stop_cases", {"Lý do trễ hẹn"}),
        ("raw/one_stop_cases", "procedure_code", "one_stop_cases", {"Mã TTHC", "Tên TTHC"}),
        ("report_indicators", "note_vi", "declared_returns", {"Ghi chú"}),
        ("report_indicators", "declared_value", "declared_returns", {"Số liệu"}),
        ("report_indicators", "indicator_name_vi", "one_stop_cases", set()),
    ],
)
def test_a_column_leads_back_to_the_headings_of_files(
    columns: Columns, table: str, column: str, source: str, headings: set[str]
) -> None:
    assert column in columns[table]
    found = {heading for of, heading in Way(columns).headings(table, column) if of == f"landing/{source}"}
    assert found >= headings
    assert bool(found) == bool(headings)


def test_every_column_of_every_mart_is_known_and_no_lineage_leads_nowhere(
    graph: dg.AssetGraph, columns: Columns
) -> None:
    known = {(key.path[-1]) for key in graph.get_all_asset_keys()}
    for table, made in columns.items():
        assert table.split("/")[-1] in known, table
        for column, origins in made.items():
            assert {of.split("/")[-1] for of, _ in origins} <= known, (table, column)
    node = graph.get(dg.AssetKey(["marts", "report_indicators"]))
    lineage = node.metadata["dagster/column_lineage"]
    assert isinstance(lineage, dg.TableColumnLineage)
    assert set(lineage.deps_by_column) == set(columns["report_indicators"])
    assert [dep.column_name for dep in lineage.deps_by_column["value"]] == ["value"]


def test_assets_are_partitioned_by_the_quarters(graph: dg.AssetGraph) -> None:
    for key in graph.materializable_asset_keys:
        assert graph.get(key).partitions_def == quarters(), key


def test_the_server_can_load_all_of_them(definitions: dg.Definitions) -> None:
    """A repository is put together lazily here, and whole in a code server."""
    dg.Definitions.validate_loadable(definitions)
    repository = definitions.get_repository_def()
    assert {job.name for job in repository.get_all_jobs()} >= {"quarter", "daily_look"}
    repository.load_all_definitions()


def test_no_step_waits_for_a_pool(definitions: dg.Definitions) -> None:
    """The kernel frees the home's lock when its holder dies; a slot of a pool would be kept by the dead."""
    job = definitions.resolve_job_def("quarter")
    assert {node.name: node.definition.pool for node in job.nodes if node.definition.pool} == {}


def test_an_owner_is_a_team_dagster_accepts() -> None:
    assert team("Văn phòng HĐND và UBND") == "team:van-phong-hdnd-va-ubnd"
    assert team("Chủ tịch UBND") == "team:chu-tich-ubnd"


def test_definitions_do_not_load_great_expectations(tmp_path: Path) -> None:
    code = (
        "import sys, orchestration.definitions as d; assert d.defs;"
        "print([m for m in ('great_expectations', 'dbt.cli.main', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_lineage_that_cannot_be_worked_out_keeps_no_server_from_its_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def stumbles(_: object) -> Columns:
        raise ValueError("no SQL")

    (tmp_path / "manifest.json").write_text("{}")
    (tmp_path / "column_lineage.json").write_bytes(b"{torn")
    monkeypatch.setattr(lineage_module, "manifest_folder", lambda: tmp_path)
    monkeypatch.setattr(lineage_module, "ensure_manifest", lambda: tmp_path / "manifest.json")
    monkeypatch.setattr(lineage_module, "_worked_out", stumbles)
    assert lineage_module.column_lineage() == {}
