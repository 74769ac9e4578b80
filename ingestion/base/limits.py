"""What one delivered file may cost, and why a file is refused.

Belongs here: the limits of intake with their stated defaults, and the error that refuses a file. Does not belong here:
how a limit is enforced (``preflight``, ``sandbox``) or where a setting comes from (orchestration).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

MIB = 1 << 20
#: The code of a file that holds nothing to be read, or that nobody asked for.
UNUSABLE = "unusable"
# What the parsing process gets for each byte that a file has when it is unpacked, and for a small one. Honest tables
# need a tenth of it: a process that reads next to nothing takes 20 MiB, a sheet of 100,000 × 20 cells under 200 MiB.
# Small files are alike in memory, since a process that may have more than the next file needs is replaced.
_SMALL_BYTES, _SMALL_MEMORY, _MEMORY_A_BYTE = 8 * MIB, 480 * MIB, 16
_SMALL_CPU_SECONDS, _CPU_SECONDS_A_MIB = 5, 1
_WALL_A_CPU_SECOND = 6.0


@dataclass(frozen=True, slots=True)
class IntakeLimits:
    """Bounds of one file. The defaults let pass any export of a district, and a legal sheet of a million rows.

    ``max_ratio`` is unpacked over packed size of one zip part (ordinary sheets reach 10 to 30) and is looked at from
    ``ratio_free_bytes`` up. ``max_cells`` bounds rows times columns of the rectangle around a sheet's values.
    ``child_*`` bound the process that parses workbooks: address space, processor seconds and wall seconds per file.
    They are for the largest files; a smaller one gets less, see :meth:`fitted`.
    ``stability_seconds``: a file changed more recently than this is looked at twice before it is taken.
    ``csv_needs_proof``: take a CSV file only if a ``.done`` file or its own total row proves that it is whole.
    """

    max_file_bytes: int = 1024 * MIB
    max_workbook_bytes: int = 200 * MIB
    max_unpacked_bytes: int = 1024 * MIB
    max_parts: int = 5_000
    max_ratio: int = 100
    ratio_free_bytes: int = 4 * MIB
    max_cells: int = 25_000_000
    child_memory_bytes: int = 2048 * MIB
    child_cpu_seconds: int = 60
    child_wall_seconds: float = 90.0
    stability_seconds: float = 2.0
    csv_needs_proof: bool = False

    def fitted(self, unpacked_bytes: int) -> IntakeLimits:
        """The limits for one workbook of that size: no small file, whatever it does, costs what a large one may."""
        cpu = min(self.child_cpu_seconds, _SMALL_CPU_SECONDS + _CPU_SECONDS_A_MIB * unpacked_bytes // MIB)
        memory = _SMALL_MEMORY + _MEMORY_A_BYTE * max(0, unpacked_bytes - _SMALL_BYTES)
        return replace(
            self,
            child_memory_bytes=min(self.child_memory_bytes, memory),
            child_cpu_seconds=cpu,
            child_wall_seconds=min(self.child_wall_seconds, _WALL_A_CPU_SECOND * cpu),
        )


DEFAULT_LIMITS = IntakeLimits()


class UnreadableFileError(Exception):
    """The file is refused as a whole: a stable ``code``, a Vietnamese message fit for the clerk, and the first and last
    day that its title names, where that is worth keeping.
    """

    def __init__(self, code: str, message_vi: str, window: tuple[dt.date, dt.date] | None = None) -> None:
        super().__init__(message_vi)
        self.code = code
        self.window = window


def damaged() -> UnreadableFileError:
    """The file is of a known kind, but its content cannot be made out."""
    return UnreadableFileError(
        "damaged",
        "Không mở được tệp: tệp hỏng, chép chưa xong hoặc không đúng định dạng. "
        "Mở lại bằng Excel, lưu thành .xlsx rồi nộp lại.",
    )


def encrypted() -> UnreadableFileError:
    return UnreadableFileError(
        "encrypted", "Tệp có mật khẩu nên không đọc được. Bỏ mật khẩu (Tệp > Thông tin > Bảo vệ) rồi nộp lại."
    )


def active_content(what: str) -> UnreadableFileError:
    return UnreadableFileError(
        "active_content",
        f"Tệp bị giữ lại vì chứa {what}. Tạo tệp mới chỉ có số liệu (dán giá trị), lưu thành .xlsx rồi nộp lại.",
    )


def too_many_cells(sheet: str, last_row: int, last_column: str) -> UnreadableFileError:
    return UnreadableFileError(
        "cell_budget",
        f"Trang tính “{sheet}” trải tới ô {last_column}{last_row}, quá lớn để đọc. Thường do có ô thừa ở rất xa bảng "
        "(hoặc định dạng cả cột). Nhấn Ctrl+End để tìm ô cuối, xóa các dòng và cột trống sau bảng, lưu rồi nộp lại.",
    )
