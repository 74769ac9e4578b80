"""A home folder with reference data, and writers of the files that offices deliver."""

from __future__ import annotations

import csv
import datetime as dt
import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
import pytest
import xlsxwriter

from ingestion import IngestPaths, IngestReport, ReferenceData, read_deliveries
from ingestion.base.contracts import load_contracts
from ingestion.base.limits import DEFAULT_LIMITS, IntakeLimits
from ingestion.deliveries import landing
from ingestion.deliveries.ledger import read_ledger
from ingestion.engine import ingest_quarter
from ingestion.rows.intake import read_delivery
from ingestion.rows.outcome import FileIdentity, Intake
from ingestion.rows.resolve import Context, ProcedureEntry, ProcedureRegistry, UnitRegistry

SEEDS = Path(__file__).parents[3] / "dbt_project" / "seeds"
KEY = b"a key for tests, 32 bytes long.."
QUARTER = "2023-Q1"
DISTRICT = "945"
LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")


class Home:
    """One home folder: deliver files, ingest, look at what came of it."""

    def __init__(self, root: Path, reference: ReferenceData) -> None:
        self.paths = IngestPaths(root / "landing", root / "raw", root / "outbox")
        self.reference = reference

    def place(self, source: str, name: str, unit: str = DISTRICT, quarter: str = QUARTER) -> Path:
        folder = self.paths.landing / unit / quarter / source
        folder.mkdir(parents=True, exist_ok=True)
        return folder / name

    def workbook(
        self,
        source: str,
        rows: Sequence[Sequence[Any]],
        name: str = "a.xlsx",
        unit: str = DISTRICT,
        quarter: str = QUARTER,
        at: dt.datetime | None = None,
        first_row: int = 0,
        first_column: int = 0,
        before_closing: Callable[[xlsxwriter.Workbook], object] | None = None,
        sheet_name: str = "Sheet1",
    ) -> Path:
        path = self.place(source, name, unit, quarter)
        options = {"in_memory": True, "default_date_format": "dd/mm/yyyy hh:mm", "strings_to_formulas": False}
        book = xlsxwriter.Workbook(path, options)
        book.set_properties({"created": dt.datetime(2023, 1, 1, tzinfo=LOCAL)})
        sheet = book.add_worksheet(sheet_name)
        for r, row in enumerate(rows):
            for c, cell in enumerate(row):
                if cell is not None:
                    sheet.write(r + first_row, c + first_column, cell)
        if before_closing:
            before_closing(book)
        book.close()
        self.touch(path, at)
        return path

    def csv(
        self,
        source: str,
        rows: Sequence[Sequence[Any]],
        name: str = "a.csv",
        unit: str = DISTRICT,
        quarter: str = QUARTER,
        encoding: str = "utf-8",
        delimiter: str = ",",
        at: dt.datetime | None = None,
    ) -> Path:
        path = self.place(source, name, unit, quarter)
        with path.open("w", encoding=encoding, newline="") as file:
            csv.writer(file, delimiter=delimiter).writerows(rows)
        self.touch(path, at)
        return path

    def touch(self, path: Path, at: dt.datetime | None = None) -> None:
        moment = (at or dt.datetime(2023, 3, 15, 8, 0, tzinfo=LOCAL)).timestamp()
        os.utime(path, (moment, moment))

    def forbid_listing(self, source: str, patch: pytest.MonkeyPatch) -> None:
        """From now on the source's folder cannot be looked into, as for want of rights."""
        real = os.scandir

        def refuse(path: Any) -> Any:
            if str(path).endswith(source):
                raise PermissionError(errno.EACCES, "no")
            return real(path)

        patch.setattr(landing.os, "scandir", refuse)

    def ingest(self, quarter: str = QUARTER, **kwargs: Any) -> IngestReport:
        """Ingests the quarter, of the sources that anything lies of: each of them costs the same with and without."""
        kwargs.setdefault("sources", self._sources() or None)
        report = ingest_quarter(self.paths, quarter, reference=self.reference, secret_key=KEY, **kwargs)
        self.check_conservation()
        return report

    def _sources(self) -> set[str]:
        delivered = {receipt.folder[2] for receipt in read_ledger(self.paths).receipts.values()}
        return load_contracts().keys() & (delivered | {path.name for path in self.paths.landing.glob("*/*/*")})

    def check_conservation(self) -> None:
        """Every delivery: rows read are rows in the lake plus distinct rejected rows, and none is in both."""
        for d in read_deliveries(self.paths).to_pylist():
            accepted = {(r["_sheet"], r["_row"]) for r in self.layer("lake", d)}
            rejected = {(r["_sheet"], r["_row"]) for r in self.layer("rejected", d)}
            assert not accepted & rejected
            assert d["rows_read"] == d["rows_accepted"] + d["rows_rejected"]
            assert (d["rows_accepted"], d["rows_rejected"]) == (len(self.layer("lake", d)), len(rejected))

    def layer(self, layer: str, delivery: dict[str, Any]) -> list[dict[str, Any]]:
        path = self.paths.rows_file(
            layer, delivery["source"], delivery["quarter"], delivery["unit_code"], delivery["delivery_id"]
        )
        return pq.ParquetFile(path).read().to_pylist() if path.exists() else []

    def rows(self, source: str, layer: str = "lake") -> list[dict[str, Any]]:
        """Rows of the current deliveries of a source, in the order of the deliveries and of the file."""
        found = [d for d in read_deliveries(self.paths).to_pylist() if d["source"] == source and d["is_current"]]
        return [row for d in found for row in self.layer(layer, d)]

    def reasons(self, source: str) -> list[tuple[int, str, str]]:
        return [(r["_row"], r["column"], r["reason_code"]) for r in self.rows(source, "rejected")]

    def delivery(self, source: str) -> dict[str, Any]:
        (found,) = [d for d in read_deliveries(self.paths).to_pylist() if d["source"] == source and d["is_current"]]
        return found


@pytest.fixture(scope="session")
def reference() -> ReferenceData:
    return ReferenceData.load(SEEDS)


@pytest.fixture
def home(tmp_path: Path, reference: ReferenceData) -> Home:
    return Home(tmp_path, reference)


@pytest.fixture
def registers(home: Home) -> Home:
    """A home whose district has delivered its units and its catalogue."""
    home.workbook(
        "org_units",
        [
            ["Mã đơn vị", "Tên đơn vị", "Tên viết tắt", "Loại đơn vị", "Hiệu lực từ"],
            ["945-PB01", "Phòng Nội vụ", "PNV; Nội vụ", "Cơ quan chuyên môn", dt.date(2016, 5, 1)],
            ["945-PB02", "Văn phòng HĐND và UBND", "VP", "Cơ quan chuyên môn", dt.date(2016, 5, 1)],
        ],
    )
    home.workbook(
        "procedure_catalogue",
        [
            ["Mã TTHC", "Tên TTHC", "Lĩnh vực", "Cấp huyện", "Cấp xã", "Ngày công bố", "Ngày bãi bỏ"],
            ["1.004946", "Đăng ký khai sinh", "Hộ tịch", "x", "x", "01/01/2020", None],
            ["2.000815", "Chứng thực bản sao", "Chứng thực", "Có", "Có", "01/01/2020", None],
            ["1.001193", "Cấp phép cũ", "Xây dựng", 1, 0, "01/01/2020", "01/02/2023"],
            ["1.009990", "Cấp giấy phép xây dựng", "Xây dựng", 1, 0, "01/01/2020", None],
        ],
    )
    return home


@pytest.fixture(scope="session")
def context(reference: ReferenceData) -> Context:
    """What decides how the district's deliveries of the quarter are read, where it has no registers."""
    period = reference.periods[QUARTER]
    district = reference.unit(DISTRICT, period.closes_on)
    assert district is not None
    return Context(period, district, UnitRegistry(district, [], []), ProcedureRegistry([]), (), KEY)


@pytest.fixture(scope="session")
def intake_of(reference: ReferenceData) -> Callable[..., Intake]:
    """Reads a file as a unit's delivery of a source; one procedure is known."""
    period = reference.periods[QUARTER]
    procedures = ProcedureRegistry([ProcedureEntry("1.001193", "Đăng ký khai sinh", dt.date(2020, 1, 1), None)])

    def read(
        path: Path, source: str = "e_document_counts", unit: str = DISTRICT, limits: IntakeLimits = DEFAULT_LIMITS
    ) -> Intake:
        folder = reference.unit(unit, period.closes_on)
        assert folder is not None
        units = UnitRegistry(folder, reference.parts_of(DISTRICT, period.closes_on) if unit == DISTRICT else [], [])
        context = Context(period, folder, units, procedures, (), KEY)
        identity = FileIdentity("d", source, unit, QUARTER, path.name, "0" * 64)
        return read_delivery(path, path.suffix, identity, load_contracts()[source], context, limits)

    return read
