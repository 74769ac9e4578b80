"""A published release is a valid Frictionless Data Package: its descriptor, its files, and every row of its tables."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import frictionless
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from publication import Release, current_release
from publication.store.contracts import contract_type, stored_contracts


@pytest.fixture(scope="module")
def release(published_home: Path) -> Release:
    found = current_release(published_home / "published", "945", "2023-Q1")
    assert found is not None
    return found


@pytest.fixture(scope="module")
def descriptor(release: Release) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((release.path / "datapackage.json").read_bytes())
    return found


def _validate(folder: Path, descriptor: dict[str, Any]) -> dict[str, list[str]]:
    """What frictionless finds wrong, by path: descriptor, bytes, hashes, rows of CSV files, and rows of Parquet files.

    The library checks a Parquet file as a file; its rows are handed to it as pyarrow reads them.
    """
    found = {"": [str(error) for error in frictionless.Package.metadata_validate(descriptor)]}
    report = frictionless.Package.from_descriptor(descriptor, basepath=str(folder)).validate()
    for task in report.tasks:
        found[task.place] = [f"{kind}: {message}" for kind, message in task.flatten(["type", "message"])]
    for resource in descriptor["resources"]:
        if resource["format"] == "parquet":
            report = _rows(pq.read_table(folder / resource["path"]), resource["schema"]).validate()
            found[resource["path"]] += [f"{kind}: {message}" for kind, message in report.flatten(["type", "message"])]
    return {path: errors for path, errors in found.items() if errors}


def _rows(table: pa.Table, schema: dict[str, Any]) -> Any:
    data = [table.column_names, *(list(row.values()) for row in table.to_pylist())]
    return frictionless.Resource(data=data, schema=frictionless.Schema.from_descriptor(schema))


def test_frictionless_finds_nothing_wrong(release: Release, descriptor: dict[str, Any]) -> None:
    assert _validate(release.path, descriptor) == {}


def test_every_file_is_described_with_its_bytes_and_hash(release: Release, descriptor: dict[str, Any]) -> None:
    resources = {resource["path"]: resource for resource in descriptor["resources"]}
    outputs = {output.path: output for output in release.manifest().outputs}
    assert resources.keys() == outputs.keys() - {"datapackage.json"}
    for path, resource in resources.items():
        if path != "marts.duckdb":
            assert resource["bytes"] == outputs[path].bytes, path
            assert resource["hash"] == f"sha256:{outputs[path].sha256}", path
    assert "hash" not in resources["marts.duckdb"]


def test_fields_are_those_of_the_parquet_files_and_say_what_the_contract_says(
    release: Release, descriptor: dict[str, Any]
) -> None:
    marts = {r["path"]: r for r in descriptor["resources"] if r["format"] == "parquet"}
    assert len(marts) == len(list((release.path / "marts").iterdir()))
    for path, resource in marts.items():
        schema = pq.read_schema(release.path / path)
        contract = stored_contracts()[Path(path).stem]
        fields = {field["name"]: field for field in resource["schema"]["fields"]}
        assert {n: f["sql_type"] for n, f in fields.items()} == {f.name: contract_type(f.type) for f in schema}
        assert list(fields) == [column.name for column in contract.columns]
        keys = resource["schema"].get("uniqueKeys") or [resource["schema"]["primaryKey"]]
        assert keys == [list(contract.key)]
        assert resource["contract_version"] == contract.version
        for column in contract.columns:
            assert (fields[column.name]["title"], fields[column.name]["description"]) == (
                column.description_vi,
                column.description,
            )


def test_the_manifest_names_the_versions(release: Release) -> None:
    of_a_release = {name: table for name, table in stored_contracts().items() if table.origin != "index"}
    expected = {name: contract.version for name, contract in of_a_release.items()}
    assert release.manifest().contract_versions == expected


@pytest.mark.parametrize(
    ("path", "old", "new", "finding"),
    [
        ("report/annex.csv", b",computed,", b",guessed,", "constraint-error"),
        ("report/annex.csv", b"47.37", b"47,37", "type-error"),
        ("report/annex.csv", b"I.02", b"", "hash-count"),
        ("quality/notes.csv", b"kind,", b"sort,", "incorrect-label"),
        ("report/annex.xlsx", b"PK", b"pk", "hash-count"),
    ],
)
def test_what_does_not_fit_the_descriptor_is_found(
    release: Release, descriptor: dict[str, Any], tmp_path: Path, path: str, old: bytes, new: bytes, finding: str
) -> None:
    folder = tmp_path / "r1"
    shutil.copytree(release.path, folder)
    (folder / path).chmod(0o644)
    (folder / path).parent.chmod(0o755)
    (folder / path).write_bytes((folder / path).read_bytes().replace(old, new, 1))
    found = _validate(folder, descriptor)
    assert found.keys() == {path}
    assert any(line.startswith(f"{finding}:") for line in found[path]), found


def test_a_doubled_row_of_a_parquet_file_is_found(release: Release, descriptor: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "r1"
    shutil.copytree(release.path, folder)
    path = folder / "marts" / "staffing.parquet"
    path.parent.chmod(0o755)
    path.chmod(0o644)
    table = pq.read_table(path)
    pq.write_table(pa.concat_tables([table, table.slice(0, 1)]), path)
    found = _validate(folder, descriptor)
    assert any(line.startswith("primary-key:") for line in found["marts/staffing.parquet"]), found
