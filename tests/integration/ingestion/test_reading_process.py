"""The process that parses workbooks is bounded by the size of the file, whatever was read before."""

from __future__ import annotations

import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

from ingestion.base.limits import MIB, IntakeLimits, UnreadableFileError
from ingestion.reading.files import read_sheets
from ingestion.reading.sandbox import shared_sandbox
from tests.corpus.files import CorpusFile, corpus
from tests.corpus.tables import HEAD, ROWS
from tests.corpus.writers import WORKBOOK_WRITERS, Grid, write_openpyxl

HALF_A_GIB = 512 * MIB
COSTLY = {"zip_bomb", "cell_budget", "memory_limit", "entities", "active_content", "encrypted", "no_table"}
HOSTILE = [file for file in corpus() if file.expected.refused in COSTLY]


def bound() -> int:
    """Bytes of address space that the reading process may have."""
    lines = Path(f"/proc/{shared_sandbox().child_pid}/limits").read_text(encoding="ascii").splitlines()
    (line,) = [line for line in lines if line.startswith("Max address space")]
    return int(line.split()[3])


def test_limits_grow_with_the_file_up_to_the_setting() -> None:
    limits = IntakeLimits()
    sizes = [0, 1, 4 * MIB, 64 * MIB, 1024 * MIB]
    fitted = [limits.fitted(size) for size in sizes]
    for name in ("child_memory_bytes", "child_cpu_seconds", "child_wall_seconds"):
        figures = [getattr(each, name) for each in fitted]
        assert figures == sorted(figures)
        assert figures[-1] == getattr(limits, name)
    assert fitted[2].child_memory_bytes < HALF_A_GIB
    assert fitted[0].child_memory_bytes == fitted[2].child_memory_bytes
    assert IntakeLimits(child_memory_bytes=100 * MIB).fitted(1024 * MIB).child_memory_bytes == 100 * MIB


@pytest.mark.parametrize("file", HOSTILE, ids=lambda file: file.name)
def test_no_hostile_file_gets_half_a_gibibyte(file: CorpusFile, tmp_path: Path) -> None:
    shared_sandbox().close()
    path = tmp_path / f"a{file.suffix}"
    file.write(path)
    with suppress(UnreadableFileError):
        read_sheets(path, file.suffix)
    if shared_sandbox().child_pid is not None:
        assert bound() < HALF_A_GIB


@pytest.mark.parametrize("writer", ["openpyxl", "xlwt", "odfpy", "html"])
def test_a_small_file_after_a_large_one_has_a_small_bound_and_is_read(tmp_path: Path, writer: str) -> None:
    large, (suffix, write) = tmp_path / "large.xlsx", WORKBOOK_WRITERS[writer]
    write_openpyxl(large, Grid([HEAD, *ROWS]))
    with zipfile.ZipFile(large, "a", zipfile.ZIP_DEFLATED) as archive:
        for number in range(16):
            archive.writestr(f"docProps/notes{number}.txt", bytes(range(256)) * (3 * MIB // 256))
    read_sheets(large, ".xlsx")
    assert bound() > HALF_A_GIB
    small = tmp_path / f"small{suffix}"
    write(small, Grid([HEAD, *ROWS]))
    (sheet,) = read_sheets(small, suffix).sheets
    assert bound() < HALF_A_GIB
    assert len(sheet.head()) == len(ROWS) + 1
