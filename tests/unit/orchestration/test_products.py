"""What orchestration does for programs: a build that breaks a contract counts as none; PostgreSQL is there when set."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.assets.names import POSTGRES, RELEASES
from orchestration.build import build_definitions
from orchestration.pipeline import Pipeline
from orchestration.settings import Settings
from orchestration.stages import BrokenContract, building
from publication.store.contracts import stored_contracts

TYPES = {
    "varchar": pa.string(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "decimal(18,4)": pa.decimal128(18, 4),
    "decimal(9,1)": pa.decimal128(9, 1),
}


def _export(pipeline: Pipeline, without: str | None = None) -> None:
    """Empty marts as dbt would export them, ``without`` one column of ``staffing``."""
    for name, contract in stored_contracts().items():
        if contract.origin == "dbt":
            fields = [(c.name, TYPES[c.type]) for c in contract.columns if (name, c.name) != ("staffing", without)]
            pq.write_table(pa.schema(fields).empty_table(), pipeline.home.built_marts / f"{name}.parquet")


@pytest.fixture
def pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    found = Pipeline(Settings(home=tmp_path))
    monkeypatch.setattr(found.dbt, "run", lambda args: SimpleNamespace(stdin=BytesIO()))
    return found


def test_a_build_that_keeps_its_contracts_counts(pipeline: Pipeline) -> None:
    with building(pipeline, "2023-Q1", []):
        _export(pipeline)
    assert pipeline.home.build_record.is_file()


def test_a_build_that_breaks_a_contract_counts_as_none(pipeline: Pipeline) -> None:
    with (
        pytest.raises(BrokenContract, match=r"staffing\.present: missing, not bigint"),
        building(pipeline, "2023-Q1", []),
    ):
        _export(pipeline, without="present")
    assert not pipeline.home.build_record.exists()


@pytest.mark.parametrize("url", [None, "postgresql://u:bí-mật@localhost/cchc"])
def test_postgresql_is_an_asset_exactly_when_it_is_set(tmp_path: Path, url: str | None) -> None:
    settings: Any = Settings(home=tmp_path, postgres_url=url)
    graph = build_definitions(settings).get_repository_def().asset_graph
    assert (POSTGRES in graph.get_all_asset_keys()) == (url is not None)
    assert "bí-mật" not in repr(settings)
    if url is not None:
        node = graph.get(POSTGRES)
        assert (node.parent_keys, node.group_name) == ({RELEASES}, "published")
        assert node.description
        assert dg.AssetCheckKey(POSTGRES, "copied") in graph.asset_check_keys
