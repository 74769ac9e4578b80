"""The stored contracts are what is declared now, every change of them has its version, and every product is told of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from common.declared import read_yaml
from common.files import replace_durably
from ingestion import load_contracts
from orchestration import contracts, generated
from orchestration.dbt import ensure_manifest
from publication import INTERNAL_MARTS, parse_contracts, version_faults
from publication.content.notes import NOTES_COLUMNS
from publication.content.revision import CHANGES_COLUMNS
from publication.store.contracts import stored_contracts

STALE = "run `make contracts` and look at what it changes"


def test_no_change_of_a_published_table_is_without_its_version() -> None:
    assert version_faults(stored_contracts(), contracts.declared_contracts()) == []


def test_no_generated_file_is_stale() -> None:
    assert generated.stale_files() == [], STALE


def test_a_file_that_was_edited_by_hand_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    page = generated.TABLE_PAGE
    before = page.read_bytes()
    try:
        replace_durably(page, before.replace(b"Open cases.", b"Closed cases."))  # others read the page meanwhile
        assert generated.main(["--check"]) == 1
        assert capsys.readouterr().err.splitlines()[1:] == ["docs/marts.md"]
    finally:
        replace_durably(page, before)
    assert generated.main(["--check"]) == 0


@pytest.mark.parametrize("table", stored_contracts())
def test_every_table_and_column_has_vietnamese_words(table: str) -> None:
    contract = stored_contracts()[table]
    assert contract.description_vi, f"config.meta.vi of {table}"
    missing = [column.name for column in contract.columns if not column.description_vi]
    missing += [column.unit for column in contract.columns if column.unit and not column.unit_vi]
    assert missing == [], "add config.meta.vi to the column, or to dbt_project/vocabulary.yml what several tables share"


def test_the_page_of_tables_and_staging_hold_every_word_of_their_declarations() -> None:
    page = generated.TABLE_PAGE.read_text(encoding="utf-8")
    for name, (model, _) in contracts.declared_tables().items():
        section = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        for column in model["columns"]:
            assert f"| `{column['name']}` | {column['data_type']} | {column['description']} |" in section, name
        assert str(contracts.meta_of(model).get("notes", "")).strip() in section


@pytest.mark.parametrize(
    ("selected", "why"),
    [
        ("source.task_kode as task_code", r"source\.task_kode is no column of plan_tasks"),
        ("lower(source.task_code) as task_code", r"lower\(source\.task_code\) as task_code is no column as it was"),
    ],
)
def test_a_staging_model_that_selects_what_its_contract_lacks_is_refused(
    tmp_path: Path, selected: str, why: str
) -> None:
    model = tmp_path / "stg_plan_tasks__tasks.sql"
    listed = f"    source.content,\n    {selected}\n"
    model.write_text(f"{{% call delivered_rows('plan_tasks') %}}\n{listed}{{% endcall %}}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=why):
        generated.staging_yml(model, load_contracts()["plan_tasks"])


def test_lists_of_remarks_have_the_columns_that_are_written() -> None:
    stored = stored_contracts()
    assert tuple(stored["notes"].by_name) == NOTES_COLUMNS
    assert tuple(stored["changes"].by_name) == CHANGES_COLUMNS


def _declared_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, change: Any) -> None:
    """Points the command at a copy of the declarations in which ``change`` was made to the mart ``staffing``."""
    marts = tmp_path / "marts"
    marts.mkdir()
    for path in contracts.MARTS_DIR.glob("*.yml"):
        document = read_yaml(path)
        if path.stem == "staffing":
            change(document["models"][0])
        (marts / path.name).write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    monkeypatch.setattr(contracts, "MARTS_DIR", marts)
    written = {generated.CONTRACTS_PATH: "contracts.json", generated.EXPOSURES_PATH: "exposures.yml"}
    made = generated.generated_files
    monkeypatch.setattr(
        generated,
        "generated_files",
        lambda: {tmp_path / written[p]: text for p, text in made().items() if p in written},
    )
    stored = tmp_path / "contracts.json"
    stored.write_bytes(generated.CONTRACTS_PATH.read_bytes())
    written[stored] = written.pop(generated.CONTRACTS_PATH)
    monkeypatch.setattr(generated, "CONTRACTS_PATH", stored)


def test_the_command_refuses_a_breaking_change_until_its_version_is_declared(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def rename(model: dict[str, Any]) -> None:
        next(c for c in model["columns"] if c["name"] == "present")["name"] = "persons"

    _declared_elsewhere(monkeypatch, tmp_path, rename)
    before = generated.CONTRACTS_PATH.read_bytes()
    assert generated.main([]) == 1
    assert "staffing: needs version 2.0.0 or later, has 1.0.0: column present is gone" in capsys.readouterr().err
    assert generated.CONTRACTS_PATH.read_bytes() == before

    document = read_yaml(tmp_path / "marts" / "staffing.yml")
    document["models"][0]["config"]["meta"]["contract_version"] = "2.0.0"
    (tmp_path / "marts" / "staffing.yml").write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    assert generated.main([]) == 0
    stored = parse_contracts(generated.CONTRACTS_PATH.read_bytes())
    assert stored["staffing"].version == "2.0.0"
    assert "persons" in stored["staffing"].by_name


def test_a_table_goes_only_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _declared_elsewhere(monkeypatch, tmp_path, lambda model: None)
    (tmp_path / "marts" / "staffing.yml").unlink()
    assert generated.main([]) == 1
    assert generated.main(["--remove", "staffing"]) == 0
    assert "staffing" not in parse_contracts(generated.CONTRACTS_PATH.read_bytes())
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
