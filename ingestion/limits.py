"""What one delivered file may cost, and why a file is refused.

Belongs here: the limits of intake with their stated defaults, and the error that refuses a file. Does not belong here:
how a limit is enforced (``preflight``, ``sandbox``) or where a setting comes from (orchestration).
"""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class IntakeLimits:
    """Bounds of one file. The defaults let pass any export of a district, and a legal sheet of a million rows.

    ``max_ratio`` is unpacked over packed size of one zip part (ordinary sheets reach 10 to 30) and is looked at from
    ``ratio_free_bytes`` up. ``max_cells`` bounds rows times columns of the rectangle around a sheet's values.
    ``child_*`` bound the process that parses workbooks: address space, processor seconds and wall seconds per file.
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


DEFAULT_LIMITS = IntakeLimits()


class UnreadableFileError(Exception):
    """The file cannot be read as a whole: a stable ``code``, and a Vietnamese message fit for the clerk."""

    def __init__(self, code: str, message_vi: str) -> None:
        super().__init__(message_vi)
        self.code = code


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
