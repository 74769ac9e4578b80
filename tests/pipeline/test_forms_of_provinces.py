"""Annexes of two provinces are imported, confirmed, run and published without a line of code; a third, that nobody has
confirmed, publishes nothing.

One home and one run: a commune of Cần Thơ by the first province's annex, one of An Giang by a variant with 40 other
rows, one of Vĩnh Long whose annex lies there unconfirmed.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest

from common.forms import HOME_FORMS_ENV, form_named, use_forms_of
from tests.conftest import CliResult, run_cli
from tests.pipeline import test_commune_alone as communes
from tests.pipeline.conftest import release_of
from tests.support import annexes

pytestmark = pytest.mark.long

QUARTER = communes.QUARTER
FIRST, SECOND, THIRD = "31615", "30307", "28777"
NAMES = {SECOND: "Phường Long Xuyên", THIRD: "Phường An Hội"}
ISSUERS = {FIRST: "92", SECOND: "91", THIRD: "86"}
FORMS = {unit: f"{issuer}-2025" for unit, issuer in ISSUERS.items()}
#: Of the second province: headings, charts' rows and rows of sentences stay; 40 others go.
KEPT_SECTIONS = ("II", "V")


def left_out() -> list[str]:
    """40 rows of the built-in form that the second province does not ask."""
    rows = [row for row in form_named("xa-2025").rows if row["section"] in KEPT_SECTIONS and row["level"] in "23"]
    more = [row for row in form_named("xa-2025").rows if row["section"] == "VII" and row["level"] == "3"]
    found = [row["indicator_code"] for row in (*rows, *more)][:40]
    assert len(found) == 40
    return found


def decide(folder: Path, lines: list[annexes.Printed]) -> None:
    """What a person says of the lines that are not certain."""
    path = folder / "matches.csv"
    with path.open(encoding="utf-8-sig", newline="") as handle:
        found = list(csv.DictReader(handle))
    printed, unread = found[: len(lines)], found[len(lines) :]
    assert [line["ten_chi_tieu"] for line in printed] == [line.name for line in lines]
    for line, meant in zip(printed, lines, strict=True):
        line["quyet_dinh"] = line["quyet_dinh"] or meant.code or "mới"
    for part in unread:  # the second province's column of figures since January
        assert "Lũy kế năm" in part["ten_chi_tieu"]
        part["quyet_dinh"] = "bỏ"
    with path.open("w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.DictWriter(handle, found[0], delimiter=";")  # as a spreadsheet program of this country saves it
        writer.writeheader()
        writer.writerows(found)


def done(home: Path, *arguments: str) -> Any:
    result = run_cli(home, *arguments, "--json")
    assert result.code == 0, result.stdout + result.stderr
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, CliResult]]:
    base = tmp_path_factory.mktemp("provinces")
    home = base / "home"
    home.mkdir()
    before = os.environ.get(HOME_FORMS_ENV)
    known = form_named("xa-2025")
    printed = {
        FIRST: annexes.as_printed(known),
        SECOND: annexes.variant(known, left_out()),
        THIRD: annexes.as_printed(known),
    }
    for unit, lines in printed.items():
        workbook = base / f"{unit}.xlsx"
        (annexes.write_variant if unit == SECOND else annexes.write_first)(workbook, lines)
        form = FORMS[unit]
        imported = ("form", "import", str(workbook), "--issuer", ISSUERS[unit], "--level", "xã", "--from", "2025-07-01")
        done(home, *imported, "--id", form)
        assert run_cli(home, "form", "check", form).code == 1
        if unit == THIRD:
            continue
        assert run_cli(home, "form", "confirm", form, "--by", "Văn phòng").code == 2
        decide(home / "forms" / form, lines)
        assert done(home, *imported, "--id", form)["undecided"] == 0
        done(home, "form", "confirm", form, "--by", "Chánh Văn phòng HĐND và UBND")
        assert run_cli(home, "form", "check", form).code == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(communes, "NAMES", communes.NAMES | NAMES)
        patch.setattr(communes, "AGENCY", communes.AGENCY | {SECOND: "43", THIRD: "44"})
        for unit in printed:
            communes.deliver(home, unit, communes.nothing_but_cases(unit, declared_by(unit)))
    yield home, run_cli(home, "run", QUARTER, "--json")
    use_forms_of(Path(before) if before else base / "none")


def declared_by(unit: str) -> dict[str, int]:
    """What a commune declares: of the rows that its form has, and a figure for each row that is new."""
    form = form_named(FORMS[unit]) if unit != THIRD else form_named("xa-2025")
    figures = {code: value for code, value in communes.DECLARED.items() if code in form.codes}
    return figures | new_figures(unit)


def new_figures(unit: str) -> dict[str, int]:
    if unit != SECOND:
        return {}
    rows = [row for row in form_named(FORMS[unit]).rows if row["indicator_code"] not in form_named("xa-2025").codes]
    return {row["indicator_code"]: 1 if row["kind"] == "flag" else number for number, row in enumerate(rows, 1)}


def rows_of(home: Path, unit: str) -> dict[str, dict[str, Any]]:
    release = release_of(home, unit, QUARTER)
    assert release is not None
    table = pq.read_table(release / "marts" / "report_indicators.parquet")
    return {row["indicator_code"]: row for row in table.to_pylist()}


@pytest.mark.parametrize("unit", [FIRST, SECOND])
def test_a_commune_publishes_by_its_provinces_form(home: tuple[Path, CliResult], unit: str) -> None:
    folder, result = home
    told = {one["unit_code"]: one for one in json.loads(result.stdout)["units"]}
    assert (told[unit]["reasons"], told[unit]["state"]) == ([], "published")
    form, rows = form_named(FORMS[unit]), rows_of(folder, unit)
    assert {row["form_version"] for row in rows.values()} == {FORMS[unit]}
    assert [rows[code]["indicator_name_vi"] for code in rows] == [row["name_vi"] for row in form.rows]
    assert {code: rows[code]["value"] for code in communes.COUNTED_CASES} == communes.COUNTED_CASES
    release = release_of(folder, unit, QUARTER)
    assert release is not None
    assert json.loads((release / "manifest.json").read_bytes())["form_sha256"] == form.fingerprint
    page = (release / "report" / "index.html").read_text(encoding="utf-8")
    assert "biểu mẫu tạm" not in page  # it is the province's own


def test_rows_that_nobody_knew_are_declared_rows_with_template_gate_and_passport(home: tuple[Path, CliResult]) -> None:
    folder, _ = home
    rows, figures = rows_of(folder, SECOND), new_figures(SECOND)
    assert len(figures) == 40
    assert {code: rows[code]["value"] for code in figures} == figures
    assert {rows[code]["status"] for code in figures} == {"declared"}
    release = release_of(folder, SECOND, QUARTER)
    assert release is not None
    passports = json.loads((release / "quality" / "passports.json").read_bytes())
    assert figures.keys() <= passports["figures"].keys()
    template = folder.parent / "mau.xlsx"
    done(folder, "template", "declared_returns", "--unit", SECOND, "--quarter", QUARTER, "--out", str(template))
    cells = {cell for row in openpyxl.load_workbook(template).worksheets[0].iter_rows(values_only=True) for cell in row}
    assert cells >= {*figures, *(line.name for line in annexes.new_rows())}
    asked = pq.read_table(release / "marts" / "gate_results.parquet").column("expectation_id").to_pylist()
    flags = [
        r["indicator_code"]
        for r in form_named(FORMS[SECOND]).rows
        if r["kind"] == "flag" and r["indicator_code"] in figures
    ]
    assert len(flags) == 10
    assert all(any(f".{code}" in rule and "flag_domain" in rule for rule in asked) for code in flags)
    annex = (release / "report" / "annex.csv").read_text(encoding="utf-8")
    assert all(line.name in annex for line in annexes.new_rows())


def test_a_form_that_nobody_confirmed_publishes_nothing(home: tuple[Path, CliResult]) -> None:
    folder, result = home
    told = {one["unit_code"]: one for one in json.loads(result.stdout)["units"]}
    assert told[THIRD]["state"] != "published"
    assert f"biểu mẫu {FORMS[THIRD]} áp dụng từ 01/07/2025 chưa được xác nhận" in " ".join(told[THIRD]["reasons"])
    assert release_of(folder, THIRD, QUARTER) is None
