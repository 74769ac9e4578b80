"""What ingestion can make again of the raw layer, made again: tables from receipts, rows from the kept originals.

Belongs here: finding what is missing or damaged before a run reads it, setting it aside, and making it anew. Does not
belong here: what a sound raw layer is (``deliveries.integrity``), reading a delivery (``engine``), the other parts of a
home (orchestration).

Receipts, records of delivery logs and originals cannot be made from anything else. A damaged original is taken again
from the landing folder where the same content still lies there; all else is named, for a person to fetch from a copy
of the home.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from common.damage import RESTORE_VI, Mended, set_aside
from common.files import PRIVATE, is_regular_file, replace_durably, sha256_file
from ingestion.base.contracts import Contract, load_contracts
from ingestion.base.lake import DamagedError, empty_schemas, is_empty_table, is_same_table, write_empty_schemas
from ingestion.base.limits import IntakeLimits
from ingestion.base.paths import IngestPaths
from ingestion.base.reference import ReferenceData
from ingestion.deliveries import ledger
from ingestion.deliveries.delivery_log import FILE_NAME, damaged_logs, has_log, replacements, take_in
from ingestion.deliveries.integrity import RowFiles, held_by_records, row_files, unknown_vi
from ingestion.deliveries.landing import LandingFile, LandingProblem, keep_original, original_path
from ingestion.deliveries.landing_remarks import rebuild_all_landing_remarks, remarks_on_landing
from ingestion.deliveries.ledger import Receipt
from ingestion.deliveries.retention import emptied, is_half_purged, purged_originals
from ingestion.deliveries.signatures import Signers
from ingestion.engine import reading_again, source_order

if TYPE_CHECKING:
    from ingestion.engine import Reader


@dataclass
class StoreMending:
    """What was made again, and what could not be: ``problems`` hold single units back, ``lost`` stops every run, and
    ``named`` hinders none, for no figure rests on it.

    All name the file and the remedy; ``lost`` and ``named`` are sentences.
    """

    mended: list[Mended] = field(default_factory=list)
    problems: list[LandingProblem] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    named: list[str] = field(default_factory=list)


def mend_store(
    paths: IngestPaths,
    reference: ReferenceData,
    secret_key: Callable[[], bytes],
    limits: IntakeLimits,
    signers: Signers | None = None,
    *,
    originals: bool = False,
    dry_run: bool = False,
) -> StoreMending:
    """Makes the raw layer sound as far as that can be done, and says what was done and what waits.

    ``originals``: every kept original is hashed too, which reads them all. ``dry_run`` only says. ``secret_key`` is
    asked for only where deliveries are read again.
    """
    mender = _Mender(paths, reference, secret_key, limits, signers, dry_run)
    if not paths.ledger.is_dir() and not any(paths.raw.rglob("*.parquet")):
        return mender.result  # nothing was ever taken in
    mender.mend_records()
    rows = row_files(paths, mender.known)
    mender.result.lost += map(unknown_vi, rows.unknown)
    if rows.unknown and not dry_run:
        return mender.result  # tables made without a lost receipt would be of less than was delivered
    mender.mend_tables()
    mender.mend_rows(rows)
    if originals:
        mender.check_originals()
    mender.mend_landing_remarks()
    return mender.result


class _Mender:
    def __init__(
        self,
        paths: IngestPaths,
        reference: ReferenceData,
        secret_key: Callable[[], bytes],
        limits: IntakeLimits,
        signers: Signers | None,
        dry_run: bool,
    ) -> None:
        self.paths, self.reference, self.limits, self.dry_run = paths, reference, limits, dry_run
        self.signers = signers
        self.secret_key = secret_key
        self.contracts = load_contracts()
        self.known = ledger.read_ledger(paths)
        self.receipts = self.known.receipts
        self.result = StoreMending()
        #: Contents whose time was up; None where nothing tells which: then none is taken again from landing.
        self.purged: Collection[str] | None = None
        try:
            self.purged = purged_originals(paths)
        except DamagedError as error:
            self.result.named.append(str(error))

    def _again(self, path: Path, fault_vi: str, remedy_vi: str) -> None:
        """Notes that a file is made again; what lies there is set aside."""
        aside = None
        if not self.dry_run and (path.is_symlink() or path.exists()):
            aside = str(set_aside(path, self.paths.raw.parent))
        self.result.mended.append(Mended(str(path), fault_vi, remedy_vi, aside))

    def mend_records(self) -> None:
        """Counts of looks follow from receipts; a log that still lies in the landing folder is read from there."""
        for path in ledger.damaged_looks(self.paths):
            self._again(path, "bị hỏng", "đếm lại từ các biên nhận")
        for path, unit, quarter in damaged_logs(self.paths):
            if is_regular_file(self.paths.landing / unit / quarter / FILE_NAME):
                self._read_log_again(path, unit, quarter)
        try:
            held = held_by_records(self.paths, self.known)
        except DamagedError as error:
            self.result.lost.append(str(error))
        else:
            self.result.problems += [problem for found in held.values() for problem in found]

    def _read_log_again(self, path: Path, unit: str, quarter: str) -> None:
        """At once, not by the next intake: a build in between would count the files that the log replaces."""
        mended = Mended(str(path), "bị hỏng", f"đọc lại từ {FILE_NAME} trong thư mục nhận")
        if not self.dry_run:
            kept = set_aside(path, self.paths.raw.parent)
            take_in(self.paths, quarter, [unit], set(self.contracts))
            if not has_log(self.paths, unit, quarter):
                kept.rename(path)  # the one in the landing folder does not read either
                return
            mended = replace(mended, aside=str(kept))
        self.result.mended.append(mended)

    def mend_tables(self) -> None:
        """The zero-row files and the table of deliveries; where nothing was taken in none is missing.

        A zero-row file of another schema is an earlier contract's: no damage, and written anew without a word.
        """
        sources = {receipt.source for receipt in self.receipts.values()}
        for path in empty_schemas(self.paths, self.contracts.values()):
            is_known = path.parent.name.removeprefix("source=") in sources or path.parent == self.paths.remarks
            if path.exists() and not is_empty_table(path):
                self._again(path, "bị hỏng", "ghi lại theo khuôn của nguồn số liệu")
            elif not path.exists() and is_known and sources:
                self._again(path, "bị mất", "ghi lại theo khuôn của nguồn số liệu")
        table = ledger.deliveries_table(self.receipts.values(), replacements(self.paths))
        there = self.paths.deliveries.exists()
        if (there or table.num_rows) and not is_same_table(self.paths.deliveries, table):
            fault = "bị hỏng hoặc không khớp sổ nhận tệp" if there else "bị mất"
            self._again(self.paths.deliveries, fault, "lập lại từ sổ nhận tệp")
        if not self.dry_run:
            write_empty_schemas(self.paths, self.contracts.values())
            ledger.rebuild_deliveries(self.paths)

    def mend_rows(self, rows: RowFiles) -> None:
        """Files of rows are read again from the originals, registers before what is read by them."""
        damaged: dict[str, list[Path]] = {}
        for path, receipt in rows.damaged.items():
            if is_half_purged(self.paths, path, receipt):
                # Not set aside: what it still holds was to be forgotten.
                remedy = "xóa nốt các giá trị đó, khớp biên nhận"
                self.result.mended.append(Mended(str(path), "còn giá trị đã xóa theo thời hạn lưu", remedy))
                if not self.dry_run:
                    replace_durably(path, emptied(path), mode=PRIVATE)
            elif receipt.source in self.contracts:
                damaged.setdefault(receipt.delivery_id, []).append(path)
            else:  # of a source that was given up: nothing says any more how it is read
                self.result.lost.append(f"{path} bị hỏng hoặc bị mất, và nguồn {receipt.source} đã bỏ; {RESTORE_VI}")
        order = source_order(self.contracts)
        receipts = [self.receipts[identity] for identity in damaged]
        for source, quarter in sorted({(r.source, r.quarter) for r in receipts}, key=lambda p: (order.index(p[0]), p)):
            here = [r for r in receipts if (r.source, r.quarter) == (source, quarter)]
            self._read_again(self.contracts[source], quarter, {r.delivery_id: damaged[r.delivery_id] for r in here})

    def _read_again(self, contract: Contract, quarter: str, damaged: dict[str, list[Path]]) -> None:
        reader: Reader | None = None
        for identity, files in damaged.items():
            receipt = self.receipts[identity]
            names = ", ".join(map(str, files))
            if not self._has_original(receipt):
                self.result.lost.append(
                    f"{names} bị hỏng hoặc bị mất, không còn bản gốc nguyên vẹn để đọc lại; {RESTORE_VI}"
                )
                continue
            noted = len(self.result.mended)
            for file in files:
                self._again(file, "bị hỏng hoặc bị mất", "đọc lại từ bản gốc đã lưu, đúng mã băm trong biên nhận")
            if self.dry_run:
                continue
            try:
                reader = reader or reading_again(
                    self.paths, contract, quarter, self.reference, self.secret_key(), self.limits, self.signers
                )
                reader.read_again(receipt)
            except (DamagedError, KeyError) as error:
                del self.result.mended[noted:]
                self.result.lost.append(f"{names}: {error.args[0]}; {RESTORE_VI}")
        if reader is not None:
            ledger.rebuild_deliveries(self.paths)

    def _has_original(self, receipt: Receipt) -> bool:
        """Whether a whole original is there, taken again from the landing folder where need be."""
        names = sorted({a.file_name for a in receipt.arrivals})
        found = [path for name in names if (path := original_path(self.paths, receipt.sha256, name)).exists()]
        sound = [path for path in found if is_regular_file(path) and sha256_file(path) == receipt.sha256]
        may_return = self.purged is not None and receipt.sha256 not in self.purged
        landed = self._landed(receipt, names) if may_return and not sound else []
        if sound or landed:
            for path in set(found) - set(sound):
                remedy = f"dùng bản nguyên vẹn ở {sound[0]}" if sound else f"chép lại từ {landed[0].path}"
                self._again(path, "bị hỏng", remedy)
        if landed and not found:
            path = original_path(self.paths, receipt.sha256, landed[0].file_name)
            self._again(path, "bị mất", f"chép lại từ {landed[0].path}")
        if landed and not self.dry_run:
            return not isinstance(keep_original(self.paths, landed[0]), LandingProblem)
        return bool(sound or landed)

    def _landed(self, receipt: Receipt, names: list[str]) -> list[LandingFile]:
        """Files with the delivery's content that still lie where it arrived."""
        folder = self.paths.landing.joinpath(*receipt.folder)
        files = [LandingFile(*receipt.folder, name, folder / name) for name in names if is_regular_file(folder / name)]
        return [file for file in files if sha256_file(file.path) == receipt.sha256]

    def check_originals(self) -> None:
        """Originals that are damaged, or gone without a purge, are taken again from the landing folder, or named."""
        for receipt in self.receipts.values() if self.purged is not None else ():
            if receipt.sha256 in (self.purged or ()) or not receipt.size_bytes:
                continue  # deleted when their time was up; of an empty file there is nothing to keep
            if not self._has_original(receipt):
                path = original_path(self.paths, receipt.sha256, receipt.file_name)
                message = f"bản gốc {path} bị hỏng hoặc bị mất; {RESTORE_VI}. Số liệu đã đọc từ tệp này vẫn dùng được."
                place = "/".join((*receipt.folder, receipt.file_name))
                self.result.problems.append(LandingProblem(place, "original_damaged", message))

    def mend_landing_remarks(self) -> None:
        path = self.paths.landing_remarks
        try:
            remarks_on_landing(self.paths)
            if path.exists() or not self.receipts:
                return
            fault = "bị mất"
        except DamagedError:
            fault = "bị hỏng"
        self._again(path, fault, "lập lại từ sổ nhận tệp và kho dữ liệu thô")
        if not self.dry_run and not self.result.lost:
            rebuild_all_landing_remarks(self.paths, self.contracts, self.reference, signed=self.signers is not None)
