"""The stored contracts are what is declared now, every change of them has its version, and every product is told of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestration import contracts
from orchestration.dbt import ensure_manifest
from publication import INTERNAL_MARTS, contracts_json, parse_contracts, version_faults
from publication.content.notes import NOTES_COLUMNS
from publication.content.revision import CHANGES_COLUMNS
from publication.store.contracts import stored_contracts

STALE = "run `make contracts` and look at what it changes"


def test_no_change_of_a_published_table_is_without_its_version() -> None:
    assert version_faults(stored_contracts(), contracts.declared_contracts()) == []


def test_the_stored_contracts_and_exposures_are_those_declared() -> None:
    declared = contracts.declared_contracts()
    assert contracts.CONTRACTS_PATH.read_bytes() == contracts_json(declared), STALE
    assert contracts.EXPOSURES_PATH.read_text(encoding="utf-8") == contracts.exposures_yml(declared), STALE


@pytest.mark.parametrize("table", stored_contracts())
def test_every_table_and_column_has_vietnamese_words(table: str) -> None:
    contract = stored_contracts()[table]
    assert contract.description_vi, f"dbt_project/vocabulary.yml: tables.{table}"
    missing = [column.name for column in contract.columns if not column.description_vi]
    missing += [column.unit for column in contract.columns if column.unit and not column.unit_vi]
    assert missing == [], "add them to dbt_project/vocabulary.yml"


def test_the_page_of_tables_says_what_the_contracts_say() -> None:
    page = contracts.TABLE_PAGE.read_text(encoding="utf-8").splitlines()
    for name, contract in stored_contracts().items():
        if contract.origin != "dbt":
            continue
        start = page.index(f"## {name}")
        end = next((i for i in range(start + 1, len(page)) if page[i].startswith("## ")), len(page))
        lines = [line.strip("|").split("|") for line in page[start:end] if line.startswith("| `")]
        assert [[cell.strip() for cell in cells[:3]] for cells in lines] == [
            [f"`{column.name}`", column.type, column.description] for column in contract.columns
        ], name


def test_lists_of_remarks_have_the_columns_that_are_written() -> None:
    stored = stored_contracts()
    assert tuple(stored["notes"].by_name) == NOTES_COLUMNS
    assert tuple(stored["changes"].by_name) == CHANGES_COLUMNS


def _declared_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, change: Any) -> None:
    """Points the command at a copy of the declarations in which ``change`` was made to the mart ``staffing``."""
    marts = tmp_path / "marts"
    marts.mkdir()
    for path in contracts.MARTS_DIR.glob("*.yml"):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        if path.stem == "staffing":
            change(document["models"][0])
        (marts / path.name).write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    monkeypatch.setattr(contracts, "MARTS_DIR", marts)
    monkeypatch.setattr(contracts, "EXPOSURES_PATH", tmp_path / "exposures.yml")
    stored = tmp_path / "contracts.json"
    stored.write_bytes(contracts.CONTRACTS_PATH.read_bytes())
    monkeypatch.setattr(contracts, "CONTRACTS_PATH", stored)


def test_the_command_refuses_a_breaking_change_until_its_version_is_declared(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def rename(model: dict[str, Any]) -> None:
        next(c for c in model["columns"] if c["name"] == "present")["name"] = "persons"

    _declared_elsewhere(monkeypatch, tmp_path, rename)
    before = contracts.CONTRACTS_PATH.read_bytes()
    assert contracts.main([]) == 1
    assert "staffing: needs version 2.0.0 or later, has 1.0.0: column present is gone" in capsys.readouterr().err
    assert contracts.CONTRACTS_PATH.read_bytes() == before

    document = yaml.safe_load((tmp_path / "marts" / "staffing.yml").read_text(encoding="utf-8"))
    document["models"][0]["config"]["meta"]["contract_version"] = "2.0.0"
    (tmp_path / "marts" / "staffing.yml").write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    assert contracts.main([]) == 0
    stored = parse_contracts(contracts.CONTRACTS_PATH.read_bytes())
    assert stored["staffing"].version == "2.0.0"
    assert "persons" in stored["staffing"].by_name


def test_a_table_goes_only_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _declared_elsewhere(monkeypatch, tmp_path, lambda model: None)
    (tmp_path / "marts" / "staffing.yml").unlink()
    assert contracts.main([]) == 1
    assert contracts.main(["--remove", "staffing"]) == 0
    assert "staffing" not in parse_contracts(contracts.CONTRACTS_PATH.read_bytes())
    assert "staffing" not in (tmp_path / "exposures.yml").read_text(encoding="utf-8")


def test_a_check_that_is_no_list_of_values_is_not_taken_for_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def check(model: dict[str, Any]) -> None:
        model["columns"][0]["constraints"].append({"type": "check", "expression": "unit_code <> ''"})

    _declared_elsewhere(monkeypatch, tmp_path, check)
    with pytest.raises(ValueError, match=r"staffing\.unit_code"):
        contracts.declared_contracts()


def test_every_published_mart_is_part_of_a_product_and_every_product_has_an_owner() -> None:
    manifest = json.loads(ensure_manifest().read_bytes())
    exposures = manifest["exposures"].values()
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    marts = {node["unique_id"] for node in models if node["fqn"][1] == "marts"}
    internal = {f"model.cchc.{name}" for name in INTERNAL_MARTS}
    in_products = {node for exposure in exposures for node in exposure["depends_on"]["nodes"]}
    assert marts - internal - in_products == set()
    assert in_products & internal == set()
    names = {exposure["name"] for exposure in exposures}
    assert {"annex", "letter", "page", "release_tables", "postgresql", "form_06a"} <= names
    assert all(exposure["owner"]["name"] and exposure["description"] and exposure["label"] for exposure in exposures)
