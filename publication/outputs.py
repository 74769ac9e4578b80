"""The files of a release: who writes each, and who reads it again before anything becomes current.

Belongs here: the list of outputs. Does not belong here: how any of them looks (a module each), the order of the
steps around them (``release``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.faults import is_of_the_machine
from common.files import canonical_json
from publication.content.notes import notes_csv
from publication.content.passport import check_passports, passports
from publication.content.province_content import ProvinceContent
from publication.content.release_content import ReleaseContent
from publication.content.revision import changes_csv
from publication.letter import FILES as LETTER_FILES
from publication.letter import check_letter, write_letter
from publication.page import (
    check_page,
    check_province_page,
    check_unit_pages,
    write_page,
    write_province_page,
    write_unit_pages,
)
from publication.tables.annex import check_read_back, write_annex_csv, write_annex_xlsx
from publication.tables.database import read_database, write_database
from publication.tables.datapackage import check_package, write_package
from publication.tables.form_06a import check_form, write_form
from publication.tables.province_workbook import check_workbook, write_workbook

FOLDERS = ("marts", "report", "quality")
PASSPORTS_NAME = "passports.json"
PROVINCE_WORKBOOK = "tong-hop.xlsx"

#: Writes into the release folder, or reads what is there; the second argument is that folder.
Step = Callable[[ReleaseContent, Path], None]


class ReleaseNotWhole(Exception):
    """A file could not be written, or does not read back as what was meant: nothing became current.

    ``output`` names the file; ``code`` the row of the form whose text or figure it is about, where that is known. The
    message may quote texts and is for the log; people are told output and row.
    """

    def __init__(self, message: str, *, output: str = "", code: str | None = None) -> None:
        super().__init__(message)
        self.output, self.code = output, code


@dataclass(frozen=True)
class Output:
    """One output. ``check`` raises, whatever it is, when the written file does not say what the content says."""

    name: str
    write: Step
    check: Step | None = None
    #: Whether it says who approved the release, or describes one that does; of no other a byte depends on that.
    tells_of_approval: bool = False


def write_outputs(content: ReleaseContent, folder: Path) -> None:
    """Every output of the release into the empty ``folder``, which the caller removes when this raises.

    Raises ReleaseNotWhole where an output cannot be made of the content; OSError when the disk fails.
    """
    for name in FOLDERS:
        (folder / name).mkdir()
    for output in outputs_of(content):
        with _fault_of(output, content):
            output.write(content, folder)


@contextmanager
def _fault_of(output: Output, content: ReleaseContent) -> Iterator[None]:
    """Whatever a text does to a writer or reader is a fault of this release's output; a disk's fault is none."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        if is_of_the_machine(error):
            raise
        row = getattr(error, "row_no", None)
        code = next((found.code for found in content.rows if found.row_no == row), None)
        raise ReleaseNotWhole(f"{output.name}: {error}", output=output.name, code=code) from error


def check_outputs(content: ReleaseContent, folder: Path) -> None:
    """Read every output again. Raises ReleaseNotWhole at the first that differs from the content."""
    for output in outputs_of(content):
        if output.check is not None:
            with _fault_of(output, content):
                output.check(content, folder)


def tell_of_approval(content: ReleaseContent, folder: Path) -> None:
    """Write anew, and read again, what says who approved the release. Raises as the two above."""
    for output in outputs_of(content):
        if output.tells_of_approval:
            with _fault_of(output, content):
                output.write(content, folder)
                if output.check is not None:
                    output.check(content, folder)


def _write_marts(content: ReleaseContent, folder: Path) -> None:
    for name, data in content.mart_files.items():
        (folder / "marts" / f"{name}.parquet").write_bytes(data)


def _write_database(content: ReleaseContent, folder: Path) -> None:
    write_database(folder / "marts.duckdb", content.tables)


def _check_database(content: ReleaseContent, folder: Path) -> None:
    stored = read_database(folder / "marts.duckdb")
    if stored.keys() != content.tables.keys():
        raise ReleaseNotWhole("marts.duckdb holds other tables than the marts")
    for name, table in content.tables.items():
        if stored[name].to_pylist() != table.to_pylist():
            raise ReleaseNotWhole(f"table {name} of marts.duckdb differs from the mart")


def _write_annex(content: ReleaseContent, folder: Path) -> None:
    write_annex_xlsx(folder / "report" / "annex.xlsx", content)
    write_annex_csv(folder / "report" / "annex.csv", content)


def _check_annex(content: ReleaseContent, folder: Path) -> None:
    check_read_back(content, folder / "report" / "annex.xlsx", folder / "report" / "annex.csv")


def _letter(name: str) -> Output:
    def write(content: ReleaseContent, folder: Path) -> None:
        write_letter(folder / "report", content, [name])

    def check(content: ReleaseContent, folder: Path) -> None:
        check_letter(folder / "report", content, [name])

    return Output(name, write, check)


def _write_form_06a(content: ReleaseContent, folder: Path) -> None:
    write_form(folder / "report" / "form_06a.xlsx", content)


def _check_form_06a(content: ReleaseContent, folder: Path) -> None:
    check_form(content, folder / "report" / "form_06a.xlsx")


def _write_notes(content: ReleaseContent, folder: Path) -> None:
    (folder / "quality" / "notes.csv").write_bytes(notes_csv(content))


def _write_changes(content: ReleaseContent, folder: Path) -> None:
    (folder / "quality" / "changes.csv").write_bytes(changes_csv(content.revision))


def _write_passports(content: ReleaseContent, folder: Path) -> None:
    (folder / "quality" / PASSPORTS_NAME).write_bytes(canonical_json(passports(content)))


def _check_passports(content: ReleaseContent, folder: Path) -> None:
    check_passports(content, _written_passports(folder))


def _written_passports(folder: Path) -> Any:
    return json.loads((folder / "quality" / PASSPORTS_NAME).read_bytes())


def _write_page(content: ReleaseContent, folder: Path) -> None:
    write_page(content, folder, _written_passports(folder))


def _check_page(content: ReleaseContent, folder: Path) -> None:
    check_page(content, folder / "report" / "index.html", _written_passports(folder))


def _write_province_workbook(content: ReleaseContent, folder: Path) -> None:
    assert isinstance(content, ProvinceContent)
    write_workbook(folder / "report" / PROVINCE_WORKBOOK, content)


def _check_province_workbook(content: ReleaseContent, folder: Path) -> None:
    assert isinstance(content, ProvinceContent)
    check_workbook(folder / "report" / PROVINCE_WORKBOOK, content)


def _write_province_page(content: ReleaseContent, folder: Path) -> None:
    assert isinstance(content, ProvinceContent)
    write_province_page(content, folder / "report" / "index.html")


def _check_province_page(content: ReleaseContent, folder: Path) -> None:
    assert isinstance(content, ProvinceContent)
    check_province_page(content, folder / "report" / "index.html")


#: In the order in which they are written and read back; a later one may read what an earlier one wrote.
OUTPUTS: tuple[Output, ...] = (
    Output("marts", _write_marts),
    Output("database", _write_database, _check_database),
    Output("annex", _write_annex, _check_annex),
    *(_letter(name) for name in LETTER_FILES),
    Output("form_06a", _write_form_06a, _check_form_06a),
    Output("notes", _write_notes),
    Output("changes", _write_changes),
    Output("passports", _write_passports, _check_passports),
    Output("unit_pages", write_unit_pages, check_unit_pages),
    Output("page", _write_page, _check_page, tells_of_approval=True),
    # Last: it describes every other file.
    Output("datapackage", write_package, check_package, tells_of_approval=True),
)

#: The same of a province's release.
PROVINCE_OUTPUTS: tuple[Output, ...] = (
    Output("marts", _write_marts),
    Output("database", _write_database, _check_database),
    Output("workbook", _write_province_workbook, _check_province_workbook),
    Output("notes", _write_notes),
    Output("changes", _write_changes),
    Output("page", _write_province_page, _check_province_page, tells_of_approval=True),
    Output("datapackage", write_package, check_package, tells_of_approval=True),
)


def outputs_of(content: ReleaseContent) -> tuple[Output, ...]:
    """The outputs of this release, in order."""
    return PROVINCE_OUTPUTS if isinstance(content, ProvinceContent) else OUTPUTS
