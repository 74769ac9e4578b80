"""What a change of a table costs in versions, and when tables no longer keep their contract."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from publication.store.contracts import (
    Column,
    Contract,
    contract_breaches,
    contract_changes,
    contract_type,
    contracts_json,
    least_version,
    parse_contracts,
    stored_contracts,
    version_faults,
)


def column(name: str, **given: Any) -> Column:
    return Column(**{"name": name, "type": "varchar", "required": False, "description": name, **given})


def contract(*columns: Column, **given: Any) -> Contract:
    plain = {"version": "1.2.3", "origin": "dbt", "description": "A table.", "key": ("unit_code",)}
    return Contract(**{**plain, "columns": columns, **given})


UNIT = column("unit_code", required=True)
STATUS = column("status", values=("computed", "declared"))
CASES = column("cases", type="bigint", unit="cases", blank_when="not reported")
OLD = contract(UNIT, STATUS, CASES)

CHANGES = {
    "column removed": (contract(UNIT, STATUS), "2.0.0"),
    "column renamed": (contract(UNIT, STATUS, column("files", type="bigint", unit="cases")), "2.0.0"),
    "type changed": (contract(UNIT, STATUS, CASES.model_copy(update={"type": "integer"})), "2.0.0"),
    "key changed": (contract(UNIT, STATUS, CASES, key=("unit_code", "status")), "2.0.0"),
    "value of a closed list gone": (contract(UNIT, column("status", values=("computed",)), CASES), "2.0.0"),
    "value of a closed list more": (
        contract(UNIT, column("status", values=("computed", "declared", "guessed")), CASES),
        "2.0.0",
    ),
    "closed list opened": (contract(UNIT, column("status"), CASES), "2.0.0"),
    "blank where there was none": (contract(column("unit_code"), STATUS, CASES), "2.0.0"),
    "counts something else": (contract(UNIT, STATUS, CASES.model_copy(update={"unit": "persons"})), "2.0.0"),
    "column added": (contract(UNIT, STATUS, CASES, column("more")), "1.3.0"),
    "columns in another order": (contract(UNIT, CASES, STATUS), "1.3.0"),
    "never blank any more": (contract(UNIT, STATUS, CASES.model_copy(update={"required": True})), "1.3.0"),
    "meaning said differently": (contract(UNIT, STATUS, CASES.model_copy(update={"description": "Files."})), "1.2.4"),
    "table described differently": (contract(UNIT, STATUS, CASES, description="The table."), "1.2.4"),
    "Vietnamese words only": (contract(UNIT, STATUS, CASES.model_copy(update={"description_vi": "Hồ sơ"})), "1.2.3"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_each_change_asks_for_its_version(case: str) -> None:
    new, least = CHANGES[case]
    changes = contract_changes(OLD, new)
    assert least_version(OLD.version, changes[0].bump if changes else None) == least
    faults = version_faults({"t": OLD}, {"t": new})
    assert bool(faults) == (least != OLD.version)
    assert all(f"t: needs version {least} or later" in fault for fault in faults)
    assert version_faults({"t": OLD}, {"t": new.model_copy(update={"version": least})}) == []


def test_a_lesser_version_than_the_gravest_change_asks_for_is_a_fault() -> None:
    new = contract(UNIT, STATUS, column("more"), version="1.9.9")
    [fault] = version_faults({"t": OLD}, {"t": new})
    assert "needs version 2.0.0" in fault
    assert "cases is gone" in fault
    assert version_faults({"t": OLD}, {"t": new.model_copy(update={"version": "3.1.0"})}) == []


def test_a_version_never_goes_back_and_a_table_never_goes_silently() -> None:
    assert version_faults({"t": OLD}, {"t": OLD.model_copy(update={"version": "1.2.2"})})
    assert version_faults({"t": OLD}, {}) == ["t: the table is gone"]
    assert version_faults({}, {"t": OLD}) == []


def test_contracts_come_back_from_their_file_as_they_were() -> None:
    stored = stored_contracts()
    assert parse_contracts(contracts_json(stored)) == stored
    with pytest.raises(ValueError, match="version"):
        parse_contracts(contracts_json({"t": OLD}).replace(b"1.2.3", b"1.2"))


def _schemas() -> dict[str, pa.Schema]:
    types = {
        "varchar": pa.string(),
        "integer": pa.int32(),
        "bigint": pa.int64(),
        "boolean": pa.bool_(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us"),
        "decimal(18,4)": pa.decimal128(18, 4),
        "decimal(9,1)": pa.decimal128(9, 1),
    }
    return {
        name: pa.schema([(c.name, types[c.type]) for c in table.columns])
        for name, table in stored_contracts().items()
        if table.origin == "dbt"
    }


def test_a_build_that_falls_short_of_a_stored_contract_is_told_where() -> None:
    whole = _schemas()
    assert contract_breaches(whole) == []
    staffing = whole["staffing"]
    assert contract_breaches(whole | {"staffing": staffing.append(pa.field("more", pa.string()))}) == []
    assert contract_breaches(whole | {"new_mart": staffing}) == []
    without = staffing.remove(staffing.get_field_index("present"))
    assert contract_breaches(whole | {"staffing": without}) == ["staffing.present: missing, not bigint"]
    other = staffing.set(staffing.get_field_index("present"), pa.field("present", pa.int32()))
    assert contract_breaches(whole | {"staffing": other}) == ["staffing.present: integer, not bigint"]
    assert contract_breaches({n: s for n, s in whole.items() if n != "staffing"}) == ["staffing: the table is missing"]


def test_types_are_named_as_contracts_name_them() -> None:
    assert contract_type(pa.list_(pa.string())) == "varchar[]"
    assert contract_type(pa.decimal128(18, 4)) == "decimal(18,4)"
    with pytest.raises(ValueError, match="double"):
        contract_type(pa.float64())
