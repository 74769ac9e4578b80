"""What broke is told by its first cause and with what to do, never with a command line or a delivered cell."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb
import pytest
from dagster._utils.error import serializable_error_info_from_exc_info

from orchestration.causes import cause_vi, why_dbt_failed
from orchestration.settings import Settings
from orchestration.telling import first_cause, why_broken

# As DuckDB, SQLite, dbt and Python say it.
MESSAGES = (
    ("OSError: [Errno 28] No space left on device: '/srv/cchc/raw/x.parquet'", ("hết chỗ", "/srv/cchc/raw/x.parquet")),
    ("sqlite3.OperationalError: database or disk is full", ("hết chỗ", "dọn bớt")),
    (
        "Runtime Error in model x\n  Out of Memory Error: failed to pin block of size 256.0 KiB (1.9 GiB/1.9 GiB used)",
        ("hết bộ nhớ", "CCHC_DUCKDB_MEMORY", "7GB"),
    ),
    ("could not allocate block of size 256.0 KiB", ("hết bộ nhớ",)),
    (
        'IO Error: Could not set lock on file "/h/warehouse.duckdb": Conflicting lock is held in /bin/x (PID 7)',
        ("chương trình khác", "/h/warehouse.duckdb"),
    ),
    ("IO Error: Corrupt database file: computed checksum 1 does not match stored checksum 2", ("bị hỏng", "chạy lại")),
    ("PermissionError: [Errno 13] Permission denied: '/h/published'", ("không có quyền", "/h/published")),
    ("OSError: [Errno 30] Read-only file system: '/h/raw'", ("không có quyền ghi", "/h/raw")),
    ("OSError: [Errno 5] Input/output error", ("lỗi đọc ghi", "ổ đĩa")),
    ("OSError: [Errno 24] Too many open files", ("quá nhiều tệp", "ulimit")),
)


@pytest.mark.parametrize(("message", "words"), MESSAGES)
def test_a_known_failure_is_told_in_words_with_what_to_do(message: str, words: tuple[str, ...], tmp_path: Path) -> None:
    told = cause_vi(message, Settings(home=tmp_path, duckdb_memory="7GB"))
    assert told is not None
    assert all(word in told for word in words)


def test_where_spark_is_the_engine_its_memory_and_its_cluster_are_named(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, engine="spark")
    assert "spark.driver.memory" in str(cause_vi("java.lang.OutOfMemoryError: Java heap space", settings))
    assert "cụm Spark" in str(cause_vi("Cannot call methods on a stopped SparkContext.", settings))


def test_what_duckdb_really_says_without_memory_is_known(tmp_path: Path) -> None:
    with pytest.raises(duckdb.Error) as caught, duckdb.connect(config={"memory_limit": "1MB"}) as database:
        database.execute("set temp_directory = ''; create table t as select range, hash(range) from range(10000000)")
    assert "hết bộ nhớ" in str(cause_vi(str(caught.value), Settings(home=tmp_path)))


@pytest.mark.parametrize(
    ("results", "code", "words"),
    [
        ([("success", "m.a", ""), ("error", "m.b", "Out of Memory Error: failed to pin block")], 1, ["hết bộ nhớ"]),
        ([("error", "m.b", "Conversion Error: 'Nguyễn Văn A' is no number")], 1, ["m.b", "dbt.log"]),
        (None, -9, ["hết bộ nhớ", "dừng ngang"]),
        (None, -15, ["tín hiệu 15"]),
        (None, 2, ["dbt.log"]),
    ],
)
def test_a_failed_build_is_told_by_its_first_failed_model(
    results: list[tuple[str, str, str]] | None, code: int, words: list[str], tmp_path: Path
) -> None:
    if results is not None:
        found = [{"status": s, "unique_id": n, "message": m} for s, n, m in results]
        (tmp_path / "run_results.json").write_text(json.dumps({"results": found}))
    heard = "The dbt CLI process with command `dbt build` failed with exit code"
    told = str(why_dbt_failed(tmp_path, code, heard, Settings(home=tmp_path)))
    assert all(word in told for word in words)
    assert "dbt CLI process" not in told
    assert "Nguyễn" not in told


def _chained(*links: tuple[str, str]) -> BaseException:
    """An error of the first class and message, which came of the next, and so on."""
    made: BaseException | None = None
    for name, message in reversed(links):
        error = type(name, (Exception,), {})(message)
        error.__cause__ = made
        made = error
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("links", "told"),
    [
        ([("DamagedError", "tệp a hỏng"), ("KeyError", "'kind'")], "DamagedError: tệp a hỏng"),
        ([("StepError", "x"), ("DamagedError", "tệp a hỏng"), ("KeyError", "'kind'")], "DamagedError: tệp a hỏng"),
        ([("DamagedError", "ngoài"), ("LostPersonKey", "trong")], "DamagedError: ngoài"),
        ([("StepError", "x"), ("ValueError", "Trần Thị B")], "ValueError"),
        ([("StepError", "x"), ("OSError", "[Errno 28] No space left on device: '/h/a'")], "OSError: hết chỗ"),
        ([("KeyError", "Trần Thị B")], "KeyError"),
    ],
)
def test_of_a_chain_the_outermost_of_ours_is_told_else_its_root(
    links: list[tuple[str, str]], told: str, tmp_path: Path
) -> None:
    """The same of an error in hand and of one that Dagster took down."""
    error, settings = _chained(*links), Settings(home=tmp_path)
    try:
        raise error
    except Exception:
        taken_down = serializable_error_info_from_exc_info(sys.exc_info())
    name, message = first_cause(taken_down)
    assert why_broken(error, settings).startswith(told)
    assert f"{name}: {message}".startswith(told.partition(" hết chỗ")[0])
    assert "Trần Thị B" not in why_broken(error, settings)
