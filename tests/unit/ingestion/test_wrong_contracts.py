"""A wrong contract is refused when it is loaded, with the column or part that is wrong."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ingestion.base.contracts import SOURCES_DIR, load_contract, load_contracts

Change = Callable[[dict[str, Any]], object]


def right() -> dict[str, Any]:
    def one(name: str, kind: str, alias: str, **more: Any) -> dict[str, Any]:
        return {"name": name, "title_vi": alias, "type": kind, "aliases": [alias], "description": "d", **more}

    return {
        "source": "lamps",
        "version": 1,
        "title_vi": "Đèn",
        "description": "Lamps.",
        "owner": "Phòng Nội vụ",
        "delivered_by": ["reporting_unit", "part"],
        "required_from": ["reporting_unit"],
        "key": ["lamp_code"],
        "duplicates": {"same_content": "reject", "other_content": "reject"},
        "unit_column": "unit",
        "belonging": {"rows": 5, "period": ["seen_on"], "by_unit": True},
        "totals": {"columns": ["count"], "effect": "refuse"},
        "personal": ["Người lập"],
        "ignored": ["Ghi thêm"],
        "columns": [
            one("lamp_code", "code", "Mã đèn", required=True),
            one("unit", "unit", "Đơn vị"),
            one("seen_on", "date", "Ngày xem"),
            one("left_on", "date", "Ngày bỏ"),
            one("count", "integer", "Số đèn", minimum=0),
            one("state", "enum", "Tình trạng", labels={"on": ["Sáng"], "off": ["Tắt"]}),
            one("note", "text", "Ghi chú"),
        ],
        "row_rules": [rule({"earliest": "seen_on", "latest": "left_on"}, "left_before_seen")],
    }


def rule(check: dict[str, Any], name: str = "other") -> dict[str, Any]:
    return {"id": name, "check": check, "effect": "reject", "reason_vi": "r", "advice_vi": "a"}


def column(which: str, /, **values: Any) -> Change:
    def change(contract: dict[str, Any]) -> None:
        next(c for c in contract["columns"] if c["name"] == which).update(values)

    return change


WRONG: dict[str, tuple[Change, str]] = {
    "an alias on two columns": (column("left_on", aliases=["Ngày xem"]), "Ngày xem"),
    "an alias on two columns in another spelling": (column("left_on", aliases=["NGAY  XEM", "Ngày-xem"]), "seen_on"),
    "an alias that is personal": (column("note", aliases=["Người lập"]), "personal"),
    "an alias that is ignored": (column("note", aliases=["Ghi thêm"]), "ignored"),
    "a label of two values": (column("state", labels={"on": ["Sáng"], "off": ["SÁNG"]}), "Sáng"),
    "a default that is no label": (column("state", default="broken"), "default"),
    "bounds of a text": (column("note", minimum=1), "bounds"),
    "a minimum above the maximum": (column("count", maximum=-1), "minimum"),
    "not after, for a text": (column("note", not_after="closing"), "not_after"),
    "a date in the title block": (column("seen_on", from_title_block=True), "title block"),
    "asked where an unknown label stands": (column("note", asked_where={"when": {"state": ["dim"]}}), "dim"),
    "asked where a text has a value": (column("note", asked_where={"when": {"lamp_code": ["1"]}}), "lamp_code"),
    "asked where nothing is named": (column("note", asked_where={}), "when or when_present"),
    "asked where no column is filled": (column("note", asked_where={"when_present": ["lamp"]}), "lamp"),
    "validity the wrong way round": (column("note", valid_from="2023-02-01", valid_to="2023-01-01"), "valid_to"),
    "a name that is none": (column("note", name="Ghi chú"), "Ghi chú"),
    "labels of a text": (column("note", labels={"a": ["b"]}), "labels"),
    "no alias": (column("note", aliases=[]), "no alias"),
    "a misspelt field": (column("note", requierd=True), "requierd"),
    "no key": (lambda c: c.update(key=[]), "no key"),
    "a key that is no column": (lambda c: c.update(key=["lamp"]), "lamp"),
    "any of what is no column": (lambda c: c.update(any_of=[["note", "notes"]]), "notes"),
    "required from who does not deliver": (lambda c: c.update(delivered_by=["part"]), "reporting_unit"),
    "a unit column that is no unit": (lambda c: c.update(unit_column="note"), "note"),
    "a unit column that is not there": (lambda c: c.update(unit_column="place"), "place"),
    "totals of texts": (lambda c: c["totals"].update(columns=["note"]), "note"),
    "a period of texts": (lambda c: c["belonging"].update(period=["note"]), "note"),
    "an unknown day outside": (lambda c: c["belonging"].update(outside={"day": "reject"}), "day"),
    "own units without units": (lambda c: c["belonging"].update(by_unit=False, own_unit_only=True), "by_unit"),
    "a rule on an unknown column": (
        lambda c: c["row_rules"].append(rule({"earliest": "seen", "latest": "left_on"})), "seen"),
    "a rule on the wrong type": (
        lambda c: c["row_rules"].append(rule({"earliest": "note", "latest": "left_on"})), "note"),
    "a rule of no shape": (lambda c: c["row_rules"].append(rule({"first": "seen_on"})), "unknown check"),
    "a rule on an unknown label": (
        lambda c: c["row_rules"].append(rule({"when": {"state": ["dim"]}, "any_present": ["note"]})), "dim"),
    "a rule with a broken pattern": (lambda c: c["row_rules"].append(rule({"text": "note", "holds": "("})), "missing"),
    "two rules of one name": (
        lambda c: c["row_rules"].append(rule({"when_present": "note", "any_present": ["count"]}, "left_before_seen")),
        "left_before_seen"),
    "a form row without a figure": (
        lambda c: c.update(form_row={"code": "lamp_code", "name": "note", "value": "count"}), "count"),
}  # fmt: skip


def write(folder: Path, contract: dict[str, Any]) -> Path:
    path = folder / contract["source"] / "contract.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(contract, allow_unicode=True), encoding="utf-8")
    return path


def test_the_right_one_is_taken(tmp_path: Path) -> None:
    assert load_contract(write(tmp_path, right())).source == "lamps"


@pytest.mark.parametrize("wrong", sorted(WRONG))
def test_a_wrong_contract_is_refused(tmp_path: Path, wrong: str) -> None:
    change, told = WRONG[wrong]
    contract = copy.deepcopy(right())
    change(contract)
    with pytest.raises(ValueError, match=told):
        load_contract(write(tmp_path, contract))


@pytest.mark.parametrize(("depends_on", "told"), [(["lights"], "lights"), (["lamps"], "cycle")])
def test_a_source_depends_on_sources_that_are_there_and_not_on_itself(
    tmp_path: Path, depends_on: list[str], told: str
) -> None:
    write(tmp_path, right() | {"depends_on": depends_on})
    with pytest.raises(ValueError, match=told):
        load_contracts(tmp_path)


def test_the_contracts_of_the_project_are_right() -> None:
    assert len(load_contracts(SOURCES_DIR)) >= 10
