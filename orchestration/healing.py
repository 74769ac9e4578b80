"""What a run does before it reads anything of its home: what is derived is made again where it is missing or damaged.

Belongs here: the caches of a home (dbt's database and folder, Dagster's storage), in which order the rooms mend what is
theirs, and keeping what was mended for the run's answer. Does not belong here: how the raw layer (``ingestion``) and
the releases (``publication``) are mended, the command ``cchc rebuild`` (``cli``).

What nothing can be made from is checked and named, and never replaced by something that merely fits.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from common.damage import Mended, set_aside
from ingestion import DamagedError, mend_store
from orchestration.dagster_files import databases, fault_of
from orchestration.locks import holder_of, to_stderr
from orchestration.pipeline import Pipeline
from orchestration.settings import Engine, Home, LostPersonKey

_SQLITE_SIDES = ("", "-wal", "-shm", "-journal")


def mend(pipeline: Pipeline, *, thorough: bool = False, dry_run: bool = False) -> None:
    """Mends the home; the run's record keeps what was mended, and what holds single units back.

    The caller holds the home's lock. ``thorough``: what costs as much as the home holds is read too, every original and
    dbt's database, which runs read when they use it (``mend_warehouse``). ``dry_run`` as ``ingestion.mend_store``; with
    it nothing is raised. Raises ``ingestion.DamagedError`` where the raw layer is damaged beyond that, when all else is
    mended, and ``LostPersonKey`` where the key is not the one that deliveries were taken in with.
    """
    from publication import mend_published

    home, record = pipeline.home, pipeline.record
    with pipeline.timings.stage("mend"):
        store = mend_store(
            pipeline.deliveries.paths,
            pipeline.units.reference,
            pipeline.settings.person_secret,
            pipeline.settings.intake,
            pipeline.settings.signers(),
            originals=thorough,
            dry_run=dry_run,
        )
        released = mend_published(home.published, dry_run=dry_run)
        caches = list(_mend_caches(home, pipeline.settings.engine, dry_run=dry_run))
        if thorough:
            caches += _mend_warehouse(home, dry_run=dry_run)
    record.mended += [*store.mended, *released.mended, *caches]
    record.problems += store.problems
    record.damaged += [*store.lost, *store.named, *released.lost]
    if fault := pipeline.settings.person_key_fault():
        record.damaged.append(str(LostPersonKey(fault)))
    if dry_run or not (fault or store.lost):
        return
    for mended in record.mended:
        to_stderr(mended.line_vi())
    if store.lost:
        raise DamagedError(f"Kho dữ liệu thô hư hại, không phải lỗi của tệp đã nộp: {'; '.join(store.lost)}.")
    raise LostPersonKey(fault or "")


def mend_warehouse(pipeline: Pipeline) -> None:
    """Sets dbt's database aside where it cannot be built on; the run's record keeps it. It must not be held by anyone.

    Before each build, not each run: reading it costs as much as it holds, and a run without a build has no use for it.
    """
    for mended in _mend_warehouse(pipeline.home, dry_run=False):
        pipeline.record.mended.append(mended)
        to_stderr(mended.line_vi())


def _mend_caches(home: Home, engine: Engine, *, dry_run: bool) -> Iterator[Mended]:
    """What the next build writes over, which it could not where a folder is none or a file is one; a lost database."""
    warehouse = home.warehouse
    places = (home.dbt_target, home.built_marts, home.spark_tables, home.runs)
    for folder in (*places, warehouse / "candidates", warehouse / "verdicts"):
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            yield _aside(home, folder, "không phải thư mục", "để lần chạy này làm lại", dry_run=dry_run)
    for file in (
        home.form_rows,
        home.form_earlier_rows,
        home.unit_pasts,
        home.source_columns,
        home.run_scope,
        home.build_record,
        home.timings,
    ):
        if file.is_dir():
            yield _aside(home, file, "không phải tệp", "để lần chạy này làm lại", dry_run=dry_run)
    path = home.warehouse_file
    if not path.exists() and not path.is_symlink():
        was_built = home.build_record.exists() or any((warehouse / "candidates").glob("*/*/*"))
        if was_built and engine == "duckdb":  # another engine makes no such file
            yield Mended(str(path), "bị mất", "để lần tính số liệu này dựng lại từ kho dữ liệu thô")


def _mend_warehouse(home: Home, *, dry_run: bool) -> Iterator[Mended]:
    path = home.warehouse_file
    is_there = path.exists() or path.is_symlink()
    if is_there and (path.is_dir() or holder_of(path) is None) and (fault := _fault_of_warehouse(path)):
        wal = path.with_name(f"{path.name}.wal")
        if wal.exists() and not dry_run:
            set_aside(wal, home.root)
        remedy = "để lần tính số liệu này dựng lại từ kho dữ liệu thô"
        yield _aside(home, path, f"bị hỏng ({fault})", remedy, dry_run=dry_run)


def _aside(home: Home, path: Path, fault_vi: str, remedy_vi: str, *, dry_run: bool) -> Mended:
    kept = None if dry_run else str(set_aside(path, home.root))
    return Mended(str(path), fault_vi, remedy_vi, kept)


def _fault_of_warehouse(path: Path) -> str | None:
    """Why dbt could not build on the file; None where every block of every table in it reads as it was written."""
    import duckdb

    try:
        with duckdb.connect(str(path), read_only=True, config={"threads": 1}) as database:
            tables = database.execute("select schema_name, table_name from duckdb_tables()").fetchall()
            for schema, name in tables:
                database.execute(f'select bit_xor(hash(t)) from "{schema}"."{name}" t').fetchall()
    except duckdb.Error as error:
        return str(error).splitlines()[0].removeprefix("IO Error: ")
    return None


def mend_dagster(home: Home) -> list[Mended]:
    """Sets aside those of Dagster's databases that it could not work with; it makes new ones as it opens them.

    The caller holds the lock under which they are opened. What they tell of earlier runs is lost with them; nothing of
    a figure rests there. A server that is running keeps the file that it has open, and must be started anew.
    """
    found = []
    for path in databases(home).values():
        if (path.exists() or path.is_symlink()) and (fault := fault_of(path)):
            for side in reversed(_SQLITE_SIDES):
                if (file := path.with_name(path.name + side)).exists() or file.is_symlink():
                    kept = set_aside(file, home.root)
            remedy = "mở sổ mới (máy chủ Dagster đang chạy thì khởi động lại)"
            found.append(Mended(str(path), f"bị hỏng ({fault})", remedy, str(kept)))
    for mended in found:
        to_stderr(mended.line_vi())
    return found
