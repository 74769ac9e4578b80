"""Definitions: complete, described, owned, connected from landing to report, and light to import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from ingestion import load_contracts
from orchestration.assets.names import CANDIDATES, MART_GATE, RAW_GATE, landing_key, published_key, raw_key, team
from orchestration.build import build_definitions
from orchestration.settings import DBT_DIR, Settings


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    return build_definitions(Settings(home=tmp_path_factory.mktemp("home")))


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


def test_lineage_runs_from_every_delivered_file_to_the_report_table(graph: dg.AssetGraph) -> None:
    ancestors = _ancestors(graph, published_key("report_annex"))
    assert {landing_key(source) for source in load_contracts()} <= ancestors
    assert {RAW_GATE, MART_GATE, dg.AssetKey(["marts", "report_indicators"])} <= ancestors


def test_models_that_read_the_lake_wait_for_the_raw_gate(graph: dg.AssetGraph) -> None:
    sources = {raw_key(source) for source in load_contracts()}
    readers = {
        key
        for key in graph.get_all_asset_keys()
        if graph.get(key).group_name in ("staging", "intermediate", "marts") and graph.get(key).parent_keys & sources
    }
    assert readers
    assert all(RAW_GATE in graph.get(key).parent_keys for key in readers)


def test_no_check_stops_the_run_and_publication_comes_last(graph: dg.AssetGraph) -> None:
    checks = {key: graph.get(key) for key in graph.asset_check_keys if key.asset_key in (RAW_GATE, MART_GATE)}
    assert {key.name for key in checks if key.asset_key == RAW_GATE} >= set(load_contracts())
    # Candidates are built for people to look at whatever the gates say; publication reads the verdicts by itself.
    assert not any(check.blocking for check in checks.values())
    assert {CANDIDATES, MART_GATE} <= graph.get(published_key("releases")).parent_keys


def test_assets_are_partitioned_by_the_quarters_of_the_table(graph: dg.AssetGraph) -> None:
    for key in graph.materializable_asset_keys:
        partitions = graph.get(key).partitions_def
        assert partitions is not None, key
        assert "2023-Q1" in partitions.get_partition_keys()


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
