"""A part of a form may have more than 99 rows: whatever reads a code of a row reads ``VII.100``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from common.codes import FIGURE_CODE, ROW_CODE
from common.derived_forms import derived_document
from common.forms import FindingChoice
from expectations import declared_rules
from expectations.expression import parse
from expectations.form_facts import ROW
from publication.letter.wording import FIGURE, PLACE

ROOT = Path(__file__).resolve().parents[3]
ROOMS = ("common", "dbt_project", "expectations", "forms", "ingestion", "orchestration", "publication", "sample")
#: A Roman number, a dot and two digits exactly, as patterns spell them.
_TWO_DIGITS = re.compile(r"\[IVX\]\S{0,8}[._]\)*\(?(?:\[0-9\]|\\d)\{2\}")


def test_no_pattern_stops_at_two_digits() -> None:
    kinds = (".py", ".yml", ".yaml", ".sql", ".js")
    files = [path for room in ROOMS for path in (ROOT / room).rglob("*.*") if path.suffix in kinds]
    assert len(files) > 300
    assert _TWO_DIGITS.search(r"\{[IVX]+\.[0-9]{2}\}")
    assert not [str(path) for path in files if _TWO_DIGITS.search(path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("code", ["I.01", "VII.99", "VII.100", "XII.1000"])
def test_a_code_is_read_whole(code: str) -> None:
    assert re.fullmatch(ROW_CODE, code)
    assert re.fullmatch(FIGURE_CODE, code)
    assert ROW.findall(f"dòng {code}, {code}.") == [code]
    assert [match[1] for match in FIGURE.finditer(f"có {{{code}}} và {{{code}:note}}")] == [code, code]
    assert [match["code"] for match in PLACE.finditer(f"{{{code}}}")] == [code]
    assert FindingChoice.model_validate({"say": f"{{{code}:share}}"}).codes == [code]
    assert parse(f"{code} >= 0").operands == {code}
    assert derived_document({"shares": {code: "I.02"}}, {}, {"I.02"}, "commune") == {}


def test_the_gate_takes_a_declared_figure_of_any_row() -> None:
    (rule,) = (rule for rule in declared_rules("raw") if rule.id == "declared_returns.indicator_code_well_formed")
    assert [code for code in ("I.01", "VII.100", "AUX.01", "I.1") if re.search(str(rule.pattern), code)] == [
        "I.01", "VII.100", "AUX.01"
    ]  # fmt: skip


@pytest.mark.parametrize("code", ["I.1", "I.", "A.01", "I.01a", "AUX.1"])
def test_what_is_no_code_is_none(code: str) -> None:
    assert not re.fullmatch(FIGURE_CODE, code)
