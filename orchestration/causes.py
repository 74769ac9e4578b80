"""Why something of ours broke, in words for whoever runs it: the first cause, and what to do about it.

Belongs here: the kinds of failures of a machine and of the tools (disk, memory, rights, a file held or damaged), told
from an error's class and message, and dbt's own account of a failed build. Does not belong here: what holds a unit back
(``reports``), what damage can be mended (``healing``).

The sentences name files of the home and models, never what was read: DuckDB's and dbt's messages may quote a cell.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from orchestration.settings import Settings

_RUN_AGAIN = "rồi chạy lại: hệ thống làm tiếp phần còn thiếu"
#: What the message of an error says, and what it means; the first that fits counts. ``{path}``: a file it names.
_KINDS: tuple[tuple[str, str], ...] = (
    (
        r"No space left on device|Disk quota exceeded|Errno 28|Errno 122|database or disk is full|File too large",
        f"hết chỗ trống trên ổ đĩa{{path}}; dọn bớt hoặc thêm dung lượng {_RUN_AGAIN}",
    ),
    (
        r"Out of Memory|OutOfMemory|failed to (allocate|pin|offload)|could not allocate|MemoryError|Cannot allocate",
        f"hết bộ nhớ; {{more_memory}} {_RUN_AGAIN}",
    ),
    (
        r"Conflicting lock is held|Could not set lock on file|database is locked",
        f"tệp{{path}} đang do chương trình khác mở; đóng chương trình đó {_RUN_AGAIN}",
    ),
    (
        r"Corrupt database file|not a valid DuckDB database|Could not read enough bytes|checksum|"
        r"database disk image is malformed|file is not a database",
        "tệp cơ sở dữ liệu bị hỏng{path}; chạy lại: hệ thống để riêng tệp hỏng và dựng tệp mới",
    ),
    (
        r"Permission denied|Read-only file system|Errno 13|Errno 30|Operation not permitted|readonly database",
        f"không có quyền ghi{{path}}; cấp quyền cho tài khoản chạy hệ thống, hoặc gắn ổ đĩa cho ghi, {_RUN_AGAIN}",
    ),
    (
        r"All masters are unresponsive|Master removed our application|on a stopped SparkContext",
        f"cụm Spark không trả lời; bật máy chủ và các máy làm việc của cụm {_RUN_AGAIN}",
    ),
    (
        r"Input/output error|Errno 5\b",
        f"ổ đĩa báo lỗi đọc ghi{{path}}; kiểm tra ổ đĩa (dmesg, smartctl) {_RUN_AGAIN}",
    ),
    (
        r"Too many open files|Errno 24|Errno 23",
        f"mở quá nhiều tệp cùng lúc; tăng giới hạn (ulimit -n, LimitNOFILE) {_RUN_AGAIN}",
    ),
    (r"\[Errno \d+\]", f"hệ điều hành báo lỗi{{path}}; xem lại chỗ đó {_RUN_AGAIN}"),
)
_PATH = re.compile(r"""["'](/[^"'\n]+)["']""")


class RunFault(RuntimeError):
    """A step broke by a known cause of the machine's or of dbt's; the message says which and what to do."""


def cause_vi(message: str, settings: Settings) -> str | None:
    """What an error's message means and what to do; None where it is no kind of failure that is known."""
    for pattern, words in _KINDS:
        if re.search(pattern, message, re.IGNORECASE):
            path = _PATH.search(message)
            return words.format(path=f" ({path[1]})" if path else "", more_memory=_more_memory_vi(settings))
    return None


def _more_memory_vi(settings: Settings) -> str:
    """How the engine of a build is given more memory."""
    if settings.engine == "spark":
        return "tăng spark.driver.memory và spark.executor.memory trong spark-defaults.conf (SPARK_CONF_DIR)"
    return f"tăng CCHC_DUCKDB_MEMORY (đang là {settings.duckdb_memory}) hoặc giảm CCHC_DUCKDB_THREADS"


def why_dbt_failed(target: Path, code: int | None, message: str, settings: Settings) -> RunFault:
    """The first cause of a build that did not end well.

    ``target`` is dbt's folder, ``code`` its exit code (negative: a signal), ``message`` what was heard of it.
    """
    node, told = _first_failed(target)
    if words := cause_vi(told or message, settings):
        return RunFault(f"dbt không tính xong số liệu: {words}")
    if code in (-9, 137):
        words = (
            "tiến trình dbt bị dừng ngang, thường vì máy hết bộ nhớ; thêm bộ nhớ, hoặc giảm CCHC_DUCKDB_MEMORY "
            f"(đang là {settings.duckdb_memory}) và CCHC_DUCKDB_THREADS, {_RUN_AGAIN}"
        )
        return RunFault(words)
    if code is not None and code < 0:
        return RunFault(f"tiến trình dbt bị dừng bởi tín hiệu {-code}; chạy lại: hệ thống làm tiếp phần còn thiếu")
    place = f" ở {node}" if node else ""
    return RunFault(
        f"dbt không tính xong số liệu{place}: lỗi của chương trình hoặc của mô hình, không phải của tệp đã nộp; xem "
        f"nhật ký {target / 'dbt.log'}, báo cho người quản trị hệ thống"
    )


def _first_failed(target: Path) -> tuple[str, str]:
    """Name and message of the first node that dbt says failed; empty where it came to say nothing."""
    try:
        results = json.loads((target / "run_results.json").read_bytes())["results"]
        failed = [r for r in results if r["status"] in ("error", "fail")]
        return (str(failed[0]["unique_id"]), str(failed[0]["message"])) if failed else ("", "")
    except (OSError, ValueError, KeyError, TypeError):
        return "", ""
