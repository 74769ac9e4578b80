"""The data package describes every file there is, also those no contract knows, and is written when all others are."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import frictionless
import pytest

from publication.content.notes import notes_csv
from publication.content.release_content import Imprint, ReleaseContent
from publication.outputs import OUTPUTS, write_outputs
from publication.tables.datapackage import PackageDamaged, check_package, describe, write_package
from tests.unit.publication.test_notes_and_changes import result

MakeContent = Callable[..., ReleaseContent]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "release"
    path.mkdir()
    return path


def test_it_is_the_last_output() -> None:
    assert OUTPUTS[-1].name == "datapackage"


def test_a_file_that_comes_later_is_found_at_the_check(make_content: MakeContent, folder: Path) -> None:
    content = make_content()
    write_outputs(content, folder)
    check_package(content, folder)
    (folder / "report" / "late.pdf").write_bytes(b"%PDF-1.7")
    with pytest.raises(PackageDamaged, match="written last"):
        check_package(content, folder)


def test_a_file_that_changes_afterwards_is_found_at_the_check(make_content: MakeContent, folder: Path) -> None:
    content = make_content()
    write_outputs(content, folder)
    with (folder / "quality" / "notes.csv").open("a") as stream:
        stream.write("\n")
    with pytest.raises(PackageDamaged, match="does not describe"):
        check_package(content, folder)


def test_equal_content_is_equal_bytes(make_content: MakeContent, tmp_path: Path) -> None:
    content = make_content()
    written = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        write_outputs(content, tmp_path / name)
        written.append((tmp_path / name / "datapackage.json").read_bytes())
    assert written[0] == written[1]


@pytest.mark.parametrize(
    ("licence", "licenses"),
    [
        (Imprint(licence_vi="Dùng lại tự do", licence_url="https://example.vn/phep"), 1),
        (Imprint(licence_url="https://example.vn/phep"), 1),
        (Imprint(licence_vi="Dùng lại tự do"), 0),
        (Imprint(), 0),
    ],
)
def test_whatever_an_office_says_of_its_licence_a_strict_reader_takes_the_package(
    licence: Imprint, licenses: int, make_content: MakeContent, folder: Path
) -> None:
    described = describe(replace(make_content(), imprint=licence), noted(make_content(), folder))
    assert [str(error) for error in frictionless.Package.metadata_validate(described)] == []
    assert len(described.get("licenses", [])) == licenses
    assert described.get("licence_vi", "") == licence.licence_vi


def test_provisional_figures_are_not_described_as_official(make_content: MakeContent, folder: Path) -> None:
    settled = result(severity="critical", makes_provisional=True, sentence_vi="Mọi đơn vị đều đã gửi.")
    content = make_content(gate_results=[settled])
    described = describe(content, noted(content, folder))
    assert described["provisional"] is True
    assert described["description"].startswith("Provisional figures")
    assert described["description_vi"].startswith("Số liệu tạm thời")
    final = describe(make_content(), folder)
    assert final["provisional"] is False
    assert final["description_vi"].startswith("Số liệu chính thức")


def noted(content: ReleaseContent, folder: Path) -> Path:
    """A folder of one described file."""
    (folder / "quality").mkdir()
    (folder / "quality" / "notes.csv").write_bytes(notes_csv(content))
    return folder


def test_tables_and_columns_without_a_contract_are_described_by_their_types(
    make_content: MakeContent, folder: Path
) -> None:
    content = make_content()
    write_outputs(content, folder)
    write_package(content, folder)
    resources = {r["path"]: r for r in json.loads((folder / "datapackage.json").read_bytes())["resources"]}
    processing = {f["name"]: f for f in resources["marts/case_processing.parquet"]["schema"]["fields"]}
    assert processing["median_days"] == {"name": "median_days", "type": "number", "sql_type": "decimal(18,4)"}
    assert processing["received"]["unit_vi"] == "hồ sơ"
    assert "primaryKey" in resources["marts/case_processing.parquet"]["schema"]
    assert "primaryKey" not in resources["marts/delivery_log.parquet"]["schema"]
