"""Passports of made-up rows: the words, the parts, and that a passport which does not come to its figure is refused."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.declared import read_yaml
from common.forms import load_forms
from ingestion.base.contracts import load_contracts
from publication import neutral_name
from publication.content.passport import (
    AUXILIARY_VI,
    ONCE_VI,
    SOURCE_VI,
    PassportMismatch,
    check_passports,
    passports,
    reckoned,
)
from publication.content.release_content import ReleaseContent
from tests.unit.publication.builders import delivery

MakeContent = Callable[..., ReleaseContent]
Rows = list[dict[str, Any]]
DBT = Path(__file__).parents[3] / "dbt_project"


def measure_models() -> list[dict[str, Any]]:
    """What each model of measures declares: source and measures."""
    return [
        model["config"]["meta"]
        for path in sorted((DBT / "models" / "intermediate" / "measures").glob("*.yml"))
        for model in read_yaml(path)["models"]
    ]


def _with(content: ReleaseContent, **changes: Callable[[Rows], None]) -> ReleaseContent:
    """The content with the rows of some marts changed in place."""
    tables = dict(content.tables)
    for name, change in changes.items():
        rows = tables[name].to_pylist()
        change(rows)
        schema = tables[name].schema
        loose = pa.schema([f.with_type(pa.string()) if pa.types.is_null(f.type) else f for f in schema])
        tables[name] = pa.Table.from_pylist(rows, schema=loose)
    return replace(content, tables=tables)


def _row(key: str, name: str, **values: Any) -> Callable[[Rows], None]:
    return lambda rows: next(row for row in rows if row[key] == name).update(values)


def _form(code: str, **values: Any) -> Callable[[Rows], None]:
    return _row("indicator_code", code, **values)


def _figure(content: ReleaseContent, code: str) -> dict[str, Any]:
    document = passports(content)
    check_passports(content, document)
    figure: dict[str, Any] = document["figures"][code]
    return figure


def test_every_row_of_the_form_has_a_passport_that_comes_to_it(make_content: MakeContent) -> None:
    content = make_content()
    document = passports(content)
    check_passports(content, document)
    assert len(document["figures"]) == 211
    assert {figure["printed"] for figure in document["figures"].values()} == {row.printed for row in content.rows}
    assert [file["source_vi"] for file in document["files"]] == ["Nhiệm vụ kế hoạch"]


def test_a_heading_has_no_parts(make_content: MakeContent) -> None:
    figure = _figure(make_content(), "I.01")
    assert (figure["parts"], figure["formula_vi"]) == ([], "Dòng tiêu đề, không có số liệu.")


def test_a_distinct_count_says_what_is_counted_once(make_content: MakeContent) -> None:
    words = {"aggregation": "count_distinct", "aggregated_column": "person_key", "description_vi": "Công chức có mặt"}
    content = _with(make_content(), dim_measure=_row("measure", "m_4", **words))
    assert _figure(content, "I.04")["formula_vi"] == "Đếm công chức có mặt; mỗi người chỉ tính một lần."


def test_abbreviations_keep_their_capitals(make_content: MakeContent) -> None:
    content = _with(make_content(), dim_measure=_row("measure", "m_4", description_vi="UBND cấp xã đã kiểm tra"))
    assert _figure(content, "I.04")["formula_vi"] == "Đếm UBND cấp xã đã kiểm tra."


def test_a_ratio_shows_both_numbers(make_content: MakeContent) -> None:
    content = make_content(
        changes={"I.02": {"value": Decimal("47.37"), "numerator": Decimal(9), "denominator": Decimal(19)}}
    )
    content = _with(content, dim_indicator=_form("I.02", derivation="ratio", numerator="m_4", denominator="m_3"))
    figure = _figure(content, "I.02")
    assert [(part["role"], part["value"]) for part in figure["parts"]] == [("numerator", "9"), ("denominator", "19")]
    assert "(9 ÷ 19 × 100)" in figure["formula_vi"]


def test_a_ratio_over_nothing_says_so(make_content: MakeContent) -> None:
    content = make_content(changes={"I.02": {"value": None, "status": "not_applicable"}, "I.03": {"value": Decimal(0)}})
    content = _with(content, dim_indicator=_form("I.02", derivation="ratio", numerator="m_4", denominator="m_3"))
    assert "Không tính được tỷ lệ vì mẫu số bằng 0." in _figure(content, "I.02")["notes_vi"]


def test_a_sum_of_rows_lists_them_with_what_stands_behind_each(make_content: MakeContent) -> None:
    content = make_content(changes={"I.02": {"value": Decimal(28)}})
    content = _with(content, dim_indicator=_form("I.02", derivation="sum", derived_from="I.03+I.04"))
    figure = _figure(content, "I.02")
    assert figure["formula_vi"] == "Bằng tổng các dòng 3 + 4 của biểu."
    assert [(part["indicator_code"], part["measure"], part["files"][0]["rows"]) for part in figure["parts"]] == [
        ("I.03", "m_3", "3"),
        ("I.04", "m_4", "4"),
    ]


def test_a_part_that_does_not_apply_keeps_no_sum_unknown(make_content: MakeContent) -> None:
    content = make_content(
        changes={
            "I.02": {"value": Decimal(19)},
            "I.04": {"value": None, "computed_value": None, "status": "not_applicable"},
        }
    )
    content = _with(content, dim_indicator=_form("I.02", derivation="sum", derived_from="I.03+I.04"))
    assert [part["indicator_code"] for part in _figure(content, "I.02")["parts"]] == ["I.03"]


def test_a_part_of_nothing_names_the_whole(make_content: MakeContent) -> None:
    content = make_content(changes={"I.21": {"value": Decimal(0), "status": "computed"}})
    content = _with(
        content,
        dim_indicator=_form("I.21", logical_parent_code="I.19"),
        measure_values=_row("measure", "m_21", is_reported=False, value=None),
        figure_rows=lambda rows: rows.remove(next(row for row in rows if row["figure"] == "m_21")),
    )
    figure = _figure(content, "I.21")
    assert figure["parts"] == []
    assert figure["formula_vi"] == "Ghi 0 vì dòng 19 (Tổng số nhiệm vụ được giao) bằng 0."


def _declared(rows: Rows) -> None:
    rows.append(rows[0] | {"figure": "I.04", "row_numbers": "80", "amount_each": Decimal(10), "amount": Decimal(10)})


@pytest.mark.parametrize(("status", "value", "told"), [
    ("declared", Decimal(10), "công bố số khai báo theo quyết định QD-08."),
    ("computed", Decimal(9), "công bố số tính theo quyết định QD-08."),
    ("withheld", None, "không công bố theo quyết định QD-08."),
    ("unsettled", None, "chưa có quyết định chọn số nào."),
])  # fmt: skip
def test_two_figures_that_differ_are_both_told_and_which_is_published(
    make_content: MakeContent, status: str, value: Decimal | None, told: str
) -> None:
    change = {
        "value": value,
        "computed_value": Decimal(9),
        "declared_value": Decimal(10),
        "status": status,
        "decision_id": "QD-08",
    }
    content = make_content(changes={"I.04": change})
    if status != "unsettled":
        figure = _figure(_with(content, figure_rows=_declared), "I.04")
    else:
        figure = passports(_with(content, figure_rows=_declared))["figures"]["I.04"]
    assert [(part["role"], part["value"]) for part in figure["parts"]] == [("value", "9"), ("declared", "10")]
    assert f"Số tính từ dữ liệu chi tiết là 9, số cơ quan khai báo là 10; {told}" in figure["notes_vi"]
    assert figure["formula_vi"].startswith("Công bố số do cơ quan khai báo.") == (status == "declared")


def test_two_figures_that_agree_are_told_as_one(make_content: MakeContent) -> None:
    content = make_content(changes={"I.04": {"declared_value": Decimal(9)}})
    declared = {"figure": "I.04", "row_numbers": "80", "amount_each": Decimal(9), "amount": Decimal(9)}
    content = _with(content, figure_rows=lambda rows: rows.append(rows[0] | declared))
    figure = _figure(content, "I.04")
    assert "Số tính từ dữ liệu chi tiết trùng với số cơ quan khai báo (9)." in figure["notes_vi"]


@pytest.mark.parametrize(("source", "told"), [
    ("plan_tasks", "Tệp «Nhiệm vụ kế hoạch» đã nhận nhưng chưa ghi đủ ngày hoàn thành."),
    ("staffing_roster", "Chưa nhận được tệp «Danh sách cán bộ, công chức, viên chức» của kỳ này."),
])  # fmt: skip
def test_a_blank_says_what_it_waits_for(make_content: MakeContent, source: str, told: str) -> None:
    content = make_content(changes={"I.04": {"value": None, "status": "not_reported"}})
    content = _with(content, dim_measure=_row("measure", "m_4", source=source, requires_vi="ngày hoàn thành"))
    assert told in _figure(content, "I.04")["notes_vi"]


def test_rows_counted_only_by_decision_are_named(make_content: MakeContent) -> None:
    content = _with(make_content(), figure_rows=_row("figure", "m_4", decision_id="QD-01"))
    assert (
        f"1 dòng chỉ được tính nhờ quyết định giải trình QD-01: tệp {neutral_name(delivery())}, trang S, dòng 4."
    ) in _figure(content, "I.04")["notes_vi"]


def test_a_row_from_no_input_is_an_error(make_content: MakeContent) -> None:
    content = _with(make_content(), figure_rows=_row("figure", "m_4", delivery_id="f" * 16))
    with pytest.raises(LookupError, match="no inputs"):
        passports(content)


def _part(document: Mapping[str, Any]) -> dict[str, Any]:
    part: dict[str, Any] = document["figures"]["I.04"]["parts"][0]
    return part


@pytest.mark.parametrize("spoil", [
    lambda document: _part(document)["files"][0].update(amount="8"),
    lambda document: _part(document)["files"][0].update(rows="4-5"),
    lambda document: _part(document).update(value="8", files=[]),
    lambda document: _part(document)["files"].clear(),
    lambda document: document["figures"]["I.04"].update(printed="8"),
    lambda document: document["figures"].pop("I.04"),
])  # fmt: skip
def test_a_passport_that_does_not_come_to_its_figure_is_refused(
    make_content: MakeContent, spoil: Callable[[dict[str, Any]], None]
) -> None:
    content = make_content()
    document = copy.deepcopy(passports(content))
    check_passports(content, document)
    spoil(document)
    with pytest.raises(PassportMismatch):
        check_passports(content, document)


@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_ratios_are_rounded_half_up(numerator: int, denominator: int) -> None:
    found = reckoned("ratio", [Decimal(numerator), Decimal(denominator)])
    assert found == Decimal((20000 * numerator + denominator) // (2 * denominator)) / 100


@pytest.mark.parametrize(("derivation", "terms", "expected"), [
    ("any_positive", (0, None, 3), 1), ("any_positive", (0, None), None), ("any_positive", (None,), None),
    ("any_positive", (0, 0), 0), ("mode_code", (1, None), None), ("mode_code", (None, 1), None),
    ("mode_code", (1, 1), 2), ("mode_code", (1, 0), 1), ("mode_code", (0, 4), 0), ("mode_code", (0, 0), None),
    ("sum", (1, 2), 3), ("sum", (1, None), None), ("measure", (7,), 7), ("ratio", (1, 0), None), (None, (), None),
])  # fmt: skip
def test_figures_are_reckoned_from_their_terms(
    derivation: str | None, terms: tuple[int | None, ...], expected: int | None
) -> None:
    found = reckoned(derivation, [None if term is None else Decimal(term) for term in terms])
    assert found == (None if expected is None else Decimal(expected))


def test_sources_are_named_as_their_contracts_name_them() -> None:
    contracts = load_contracts()
    sources = {model["source"] for model in measure_models()} | {"declared_returns"}
    assert {source: contracts[source].title_vi for source in sources} == SOURCE_VI


def test_everything_the_form_and_the_measures_name_has_words() -> None:
    named = {row[side] for form in load_forms() for row in form.rows for side in ("numerator", "denominator")}
    assert {name for name in named if name.startswith("AUX.")} == set(AUXILIARY_VI)
    measures = [measure for model in measure_models() for measure in model["measures"]]
    distinct = {measure["column"] for measure in measures if measure["aggregation"] == "count_distinct"}
    assert distinct == set(ONCE_VI)
