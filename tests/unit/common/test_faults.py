"""A failing machine is told from what was delivered, whatever library writes."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import docx
import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typst
import xlsxwriter

from common.faults import is_of_the_machine
from publication.outputs import Output, ReleaseNotWhole, _fault_of

NOTHING: Any = SimpleNamespace(rows=())


def _xlsxwriter(full: Path) -> None:
    with xlsxwriter.Workbook(str(full)) as book:
        book.add_worksheet().write(0, 0, "x")


def _zip(full: Path) -> None:
    with zipfile.ZipFile(full, "w") as archive:
        archive.writestr("a", "x" * 100_000)


def _memory(_: Path) -> None:
    with duckdb.connect(config={"memory_limit": "1MB", "temp_directory": "", "threads": 1}) as connection:
        connection.sql("select list(range) from range(1000000)").fetchall()


WRITERS: dict[str, Callable[[Path], object]] = {
    "python": lambda full: full.write_text("x", encoding="utf-8"),
    "zip": _zip,
    "xlsxwriter": _xlsxwriter,
    "openpyxl": lambda full: openpyxl.Workbook().save(full),
    "docx": lambda full: docx.Document().save(str(full)),
    "pyarrow": lambda full: pq.write_table(pa.table({"a": [1]}), str(full)),
    "typst": lambda full: typst.Compiler(input=b"x").compile(output=full, format="pdf"),
    "duckdb": lambda full: duckdb.sql(
        f"copy (select range from range(100000)) to '{full}' (format csv, use_tmp_file false)"
    ),
    "duckdb's memory": _memory,
}


@pytest.fixture
def full(tmp_path: Path) -> Path:
    """A file that takes no byte, as on a full disk; behind a link, as some writers remove what they could not write."""
    link = tmp_path / "full"
    link.symlink_to("/dev/full")
    return link


def _met(write: Callable[[], object]) -> Exception:
    """What publication makes of an error in one of its outputs."""
    try:
        with _fault_of(Output("one", print), NOTHING):
            write()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("writer", WRITERS)
def test_what_a_full_disk_or_memory_does_to_a_writer_is_no_fault_of_a_text(writer: str, full: Path) -> None:
    assert not isinstance(_met(lambda: WRITERS[writer](full)), ReleaseNotWhole)


def test_an_error_that_came_of_one_of_the_machine_is_the_machine_s(full: Path) -> None:
    def write() -> None:
        try:
            full.write_text("x", encoding="utf-8")
        except OSError as error:
            raise KeyError("x") from error

    assert isinstance(_met(write), KeyError)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("[Errno 28] No space left on device"),
        KeyError("Out of Memory Error"),
        duckdb.IOException("No files found that match the pattern"),
        duckdb.ConversionException("IO Error: No space left on device"),
        UnicodeDecodeError("utf-8", b"x", 0, 1, "x"),
    ],
)
def test_a_text_that_speaks_of_a_full_disk_is_none(error: Exception) -> None:
    def fail() -> None:
        raise error

    assert not is_of_the_machine(error)
    assert isinstance(_met(fail), ReleaseNotWhole)
