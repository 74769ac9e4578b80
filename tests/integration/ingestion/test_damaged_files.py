"""Damage at random: nothing crashes or hangs, no row is lost, no partial file is taken, no cell is silently another.

Every input is made from a number, so a failure names the input that gave it.
"""

from __future__ import annotations

import io
import random
import time
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from ingestion.base.contracts import load_contracts
from ingestion.base.limits import IntakeLimits
from ingestion.rows.intake import read_delivery
from ingestion.rows.outcome import FileIdentity, Intake
from ingestion.rows.resolve import Context
from tests.corpus.tables import CONTENT, HEAD, ROWS, SOURCE
from tests.corpus.writers import (
    ENCODINGS,
    Grid,
    csv_text,
    html_document,
    write_odfpy,
    write_openpyxl,
    write_xlsxwriter,
    write_xlwt,
)

CONTRACT = load_contracts()[SOURCE]
LIMITS = IntakeLimits(child_wall_seconds=20)
GRID = Grid([["UBND HUYỆN CÙ LAO DUNG"], HEAD, *ROWS, ["Tổng cộng: 6 nhiệm vụ"]])
NORMAL, LONG = 600, 20_000
SLOWEST = 20.0


def read(path: Path, data: bytes, suffix: str, context: Context, limits: IntakeLimits = LIMITS) -> Intake:
    path.write_bytes(data)
    identity = FileIdentity("d", SOURCE, "945", "2023-Q1", path.name, "0" * 64)
    return read_delivery(path, suffix, identity, CONTRACT, context, limits)


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, bytes]]:
    """Valid files by name: suffix and bytes."""
    folder = tmp_path_factory.mktemp("bases")
    found: dict[str, tuple[str, bytes]] = {}
    for name, suffix, write in (
        ("openpyxl", ".xlsx", write_openpyxl),
        ("xlsxwriter", ".xlsx", write_xlsxwriter),
        ("xlwt", ".xls", write_xlwt),
        ("odfpy", ".ods", write_odfpy),
    ):
        path = folder / f"{name}{suffix}"
        write(path, GRID)
        found[name] = (suffix, path.read_bytes())
    found["html"] = (".xls", html_document(GRID).encode())
    for name, encode in ENCODINGS.items():
        found[f"csv {name}"] = (".csv", encode(csv_text(GRID.rows)))
    return found


def mutated(data: bytes, chance: random.Random) -> bytes:
    """The bytes with one to four hurts: a flipped bit, lost, doubled, swapped or foreign bytes, or a missing end."""
    result = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        if not result:
            break
        place = chance.randrange(len(result))
        length = chance.choice((1, 2, 4, 16, 200))
        match chance.randrange(7):
            case 0:
                result[place] ^= 1 << chance.randrange(8)
            case 1:
                del result[place : place + length]
            case 2:
                result[place:place] = result[place : place + length]
            case 3:
                result[place : place + length] = chance.randbytes(length)
            case 4:
                other = chance.randrange(len(result))
                result[place : place + length], result[other : other + length] = (
                    result[other : other + length],
                    result[place : place + length],
                )
            case 5:
                result[place:place] = chance.choice((b"\0", b'"', b"\xff", b"<", b"]]>", b"&#0;", b"\r", b",,,"))
            case _:
                del result[place:]
    return bytes(result)


def mutated_inside(data: bytes, chance: random.Random) -> bytes:
    """A zip archive in which one part is hurt and everything else, checksums included, is right."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as copy:
        victim = chance.choice(archive.namelist())
        for part in archive.infolist():
            content = archive.read(part)
            copy.writestr(part.filename, mutated(content, chance) if part.filename == victim else content)
    return out.getvalue()


def fuzz(bases: dict[str, tuple[str, bytes]], context: Context, path: Path, numbers: range) -> Counter[str]:
    """Reads one mutated file a number; returns how many came to each outcome."""
    outcomes: Counter[str] = Counter()
    names = sorted(bases)
    for number in numbers:
        chance = random.Random(number)
        name = names[number % len(names)]
        suffix, data = bases[name]
        zipped = data.startswith(b"PK")
        inside = zipped and chance.random() < 0.5
        hurt = mutated_inside(data, chance) if inside else mutated(data, chance)
        started = time.monotonic()
        intake = read(path, hurt, suffix, context)
        assert time.monotonic() - started < SLOWEST, (number, name)
        assert intake.rows_read == intake.accepted.num_rows + intake.rows_rejected, (number, name)
        assert all(intake.rejected.column("reason_code").to_pylist()), (number, name)
        assert (intake.outcome == "refused") == bool(intake.refusal), (number, name)
        if intake.outcome == "refused":
            assert intake.message_vi, (number, name)
        elif zipped and not inside:
            # Checksums guard every part: what is taken is what was sent.
            taken = {r["task_code"]: (r["content"], r["done_on"]) for r in intake.accepted.to_pylist()}
            assert taken == CONTENT, (number, name)
        outcomes[intake.refusal or intake.outcome] += 1
    return outcomes


def test_hurt_files_are_read_whole_or_refused(
    bases: dict[str, tuple[str, bytes]], context: Context, tmp_path: Path
) -> None:
    outcomes = fuzz(bases, context, tmp_path / "a", range(NORMAL))
    assert outcomes.total() == NORMAL
    assert len(outcomes) > 5


@pytest.mark.long
def test_twenty_thousand_hurt_files_are_read_whole_or_refused(
    bases: dict[str, tuple[str, bytes]],
    context: Context,
    tmp_path: Path,
    record_property: pytest.RecordProperty,
) -> None:
    started = time.monotonic()
    outcomes = fuzz(bases, context, tmp_path / "a", range(LONG))
    record_property("inputs", outcomes.total())
    record_property("seconds", round(time.monotonic() - started))
    record_property("outcomes", dict(outcomes.most_common()))
    assert outcomes.total() == LONG


@pytest.mark.parametrize("name", ["openpyxl", "xlwt", "odfpy", "html", "csv utf-8", "csv utf-16", "csv tcvn3"])
def test_no_part_of_a_file_is_taken_for_the_file(
    bases: dict[str, tuple[str, bytes]], context: Context, tmp_path: Path, name: str
) -> None:
    suffix, data = bases[name]
    complete = len(data.rstrip(b"\r\n\0 "))
    places = sorted({*range(1, complete, max(1, complete // 60)), *range(max(1, complete - 40), complete)})
    strict = IntakeLimits(csv_needs_proof=True)  # a CSV cut at a line end shows nothing of it but by its total row
    for place in places:
        intake = read(tmp_path / "a", data[:place], suffix, context, strict)
        if intake.outcome != "refused":
            # Only furniture may be missing: all rows and what vouches for their number are there.
            taken = {r["task_code"]: (r["content"], r["done_on"]) for r in intake.accepted.to_pylist()}
            assert taken == CONTENT, (name, place)


def test_a_csv_without_any_proof_is_taken_at_a_line_end_only_and_never_where_proof_is_demanded(
    context: Context, tmp_path: Path
) -> None:
    data = csv_text([HEAD, *ROWS]).encode()
    ends = {i + 1 for i, byte in enumerate(data) if byte == 0x0A}
    strict = IntakeLimits(csv_needs_proof=True)
    path = tmp_path / "a.csv"
    for place in range(1, len(data)):
        intake = read(path, data[:place], ".csv", context)
        # Carriage return alone ends a line too, in the old Macintosh way.
        assert (intake.outcome == "refused") or place in ends or place + 1 in ends, place
        assert read(path, data[:place], ".csv", context, strict).outcome == "refused"


def test_a_flipped_bit_in_a_workbook_changes_nothing_or_refuses(
    bases: dict[str, tuple[str, bytes]], context: Context, tmp_path: Path
) -> None:
    chance = random.Random(1)
    for name in ("openpyxl", "odfpy"):
        suffix, data = bases[name]
        for _ in range(150):
            hurt = bytearray(data)
            hurt[chance.randrange(len(hurt))] ^= 1 << chance.randrange(8)
            intake = read(tmp_path / "a", bytes(hurt), suffix, context)
            if intake.outcome != "refused":
                taken = {r["task_code"]: (r["content"], r["done_on"]) for r in intake.accepted.to_pylist()}
                assert taken == CONTENT
