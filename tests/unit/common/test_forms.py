"""A form that is not whole is refused when it is read, with the row and the file that names it."""

from __future__ import annotations

import csv
import datetime as dt
import re
import shutil
from pathlib import Path

import pytest

from common.forms import FORMS_DIR, Form, form_on, load_forms, read_form
from publication.letter_findings import check_form_texts

ROMAN = {"III", "VII"}


def _without(folder: Path, code: str) -> Path:
    """The form of 2023 without a row."""
    shutil.copytree(FORMS_DIR / "2023", folder)
    with (folder / "rows.csv").open(encoding="utf-8", newline="") as handle:
        rows = [row for row in csv.DictReader(handle) if row["indicator_code"] != code]
    with (folder / "rows.csv").open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return folder


@pytest.mark.parametrize("code", ["III.23", "I.05", "VI.05", "VII.46"])
def test_a_row_that_form_yml_names_and_the_print_lacks_is_refused(tmp_path: Path, code: str) -> None:
    with pytest.raises(ValueError, match=rf"form 2023: form\.yml names {code}"):
        read_form(_without(tmp_path / "2023", code))


def test_a_folder_of_another_name_and_a_row_that_stands_twice_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="form 2023 lies in the folder of 2024"):
        read_form(Path(shutil.copytree(FORMS_DIR / "2023", tmp_path / "2024")))
    folder = Path(shutil.copytree(FORMS_DIR / "2023", tmp_path / "2023"))
    lines = (folder / "rows.csv").read_text(encoding="utf-8").splitlines()
    (folder / "rows.csv").write_text("\n".join([*lines, lines[5]]) + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match="an indicator code stands twice"):
        read_form(folder)


@pytest.mark.parametrize(
    ("code", "who"), [("I.07", "letter"), ("I.03", "letter"), ("II.14", "(letter|claim|statement)")]
)
def test_words_about_a_row_that_the_form_lacks_are_the_forms_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, who: str
) -> None:
    form = read_form(_without(tmp_path / "2023", code)).model_copy(update={"form": "short"})
    form._folder = tmp_path / "2023"
    for module in ("letter.wording", "narrative.claims", "narrative.statements"):
        monkeypatch.setattr(f"publication.{module}.form_named", lambda _: form)
    with pytest.raises(ValueError, match=rf"form short: {who}.* names .*{code}"):
        check_form_texts("short")


def test_a_form_is_used_until_the_next_begins() -> None:
    (first,) = (form for form in load_forms() if form.form == "2023")
    second = Form(form="next", valid_from=dt.date(2026, 3, 15))
    known = (first, second)
    assert form_on(dt.date(2026, 3, 14), known) is first
    assert form_on(dt.date(2026, 3, 15), known) is second
    with pytest.raises(LookupError):
        form_on(dt.date(2020, 12, 14), known)


def test_rows_are_named_apart_by_the_row_of_which_they_are_a_part() -> None:
    for form in load_forms():
        names = list(form.names.values())
        assert len(set(names)) == len(names)


def test_every_abbreviation_of_every_form_is_explained() -> None:
    """So that a reader, and the search, know it; and none is explained that the print does not have."""
    for form in load_forms():
        print_vi = " ".join(f"{row['name_vi']} {row['unit_vi']}" for row in form.rows)
        assert set(re.findall(r"\b[A-ZĐ]{3,}\b", print_vi)) - ROMAN == set(form.page.abbreviations), form.form
        for term in form.page.also_called:
            assert term.casefold() in print_vi.casefold(), term
