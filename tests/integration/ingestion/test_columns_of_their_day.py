"""A column that is not asked of a period is owed by no row of it: with the column or without, a file is taken whole."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from ingestion.base.contracts import Contract, load_contracts
from ingestion.base.limits import DEFAULT_LIMITS
from ingestion.base.reference import ReferenceData
from ingestion.rows.intake import read_delivery
from ingestion.rows.outcome import FileIdentity, Intake
from ingestion.rows.resolve import Context, ProcedureRegistry, UnitRegistry
from ingestion.rows.rules import Rows, missing_cells
from ingestion.rows.wholeness import NO_EVIDENCE

CONTRACTS = load_contracts()
SOURCE = "procedure_catalogue"
DAY = dt.date(2023, 3, 14)
REQUIRED = [(source, c.name) for source, contract in CONTRACTS.items() for c in contract.columns if c.required]


@pytest.mark.parametrize(("source", "name"), REQUIRED)
@pytest.mark.parametrize("bound", [{"valid_to": DAY - dt.timedelta(1)}, {"valid_from": DAY + dt.timedelta(1)}])
def test_no_row_owes_a_column_that_is_not_asked(source: str, name: str, bound: dict[str, dt.date]) -> None:
    contract = CONTRACTS[source].as_of(DAY)
    bounded = contract.model_copy(
        update={"columns": [c.model_copy(update=bound if c.name == name else {}) for c in contract.columns]}
    )

    def missing(asked: Contract) -> set[str | None]:
        columns = {c.name: pa.nulls(1, pa.string()) for c in asked.columns}
        rows = Rows(columns, np.array(["S"]), np.array([2]))
        return {remark.column for remark in missing_cells(rows, asked) if remark.remark.code == "missing_value"}

    assert name in missing(bounded), "as it is declared a row owes it"
    assert missing(bounded.as_of(DAY)) == missing(contract) - {name}
    assert bounded.as_of(DAY).arrow_schema() == contract.arrow_schema(), "the table of a source stays the same"


def _catalogue(folder: Path, reference: ReferenceData, quarter: str, unit: str, *, with_district: bool) -> Intake:
    period = reference.periods[quarter]
    own = reference.unit(unit, period.closes_on)
    assert own is not None
    district = (",Cấp huyện", ",Không") if with_district else ("", "")
    path = folder / f"{quarter}.csv"
    path.write_text(
        f"Mã số TTHC,Tên thủ tục hành chính,Lĩnh vực{district[0]},Cấp xã,Ngày công bố\n"
        f"1.000656,Đăng ký khai tử,Hộ tịch{district[1]},Có,01/07/2020\n",
        encoding="utf-8",
    )
    context = Context(period, own, UnitRegistry(own, []), ProcedureRegistry([]), (), b"k" * 32)
    identity = FileIdentity("d", SOURCE, unit, quarter, path.name, "0" * 64)
    return read_delivery(path, ".csv", identity, CONTRACTS[SOURCE], context, DEFAULT_LIMITS, NO_EVIDENCE)


@pytest.mark.parametrize("with_district", [True, False])
def test_a_catalogue_since_the_reform_is_taken_with_the_districts_column_or_without(
    tmp_path: Path, reference: ReferenceData, with_district: bool
) -> None:
    found = _catalogue(tmp_path, reference, "2025-Q3", "31615", with_district=with_district)
    assert (found.outcome, found.accepted.num_rows) == ("accepted", 1)
    assert found.rejected.num_rows == 0
    assert found.accepted["applies_district"].to_pylist() == [None]


def test_before_the_reform_the_column_is_owed(tmp_path: Path, reference: ReferenceData) -> None:
    assert _catalogue(tmp_path, reference, "2025-Q2", "945", with_district=True).outcome == "accepted"
    found = _catalogue(tmp_path, reference, "2025-Q2", "945", with_district=False)
    assert found.outcome == "refused"
    assert "Cấp huyện" in found.message_vi
