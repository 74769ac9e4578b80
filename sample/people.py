"""Invented names, birth dates and contact data of people who do not exist.

Belongs here: anything personal that a delivered file carries.
Does not belong here: anything that reaches a figure.
"""

from __future__ import annotations

import datetime as dt
import random

_FAMILY = (
    "Nguyễn",
    "Trần",
    "Lê",
    "Phạm",
    "Huỳnh",
    "Võ",
    "Đặng",
    "Bùi",
    "Lâm",
    "Thạch",
    "Sơn",
    "Kim",
    "Dương",
    "Lý",
    "Trương",
)
_MIDDLE_MALE = ("Văn", "Hữu", "Minh", "Hoàng", "Quốc", "Thanh", "Chí", "Tấn", "Trung")
_MIDDLE_FEMALE = ("Thị", "Thị Kim", "Thị Mỹ", "Ngọc", "Thị Thu", "Thị Bích", "Thị Hồng", "Thị Cẩm")
_GIVEN_MALE = (
    "An",
    "Bảo",
    "Cường",
    "Dũng",
    "Đạt",
    "Hải",
    "Hùng",
    "Khoa",
    "Lợi",
    "Nghĩa",
    "Phong",
    "Phúc",
    "Sang",
    "Tài",
    "Thắng",
    "Tuấn",
)
_GIVEN_FEMALE = (
    "Ánh",
    "Cúc",
    "Duyên",
    "Hạnh",
    "Hương",
    "Lan",
    "Liên",
    "Mai",
    "Nga",
    "Nhung",
    "Oanh",
    "Phượng",
    "Thảo",
    "Trang",
    "Tuyết",
    "Yến",
)


def full_name(rng: random.Random, *, female: bool) -> str:
    """An invented full name."""
    if female:
        return " ".join((rng.choice(_FAMILY), rng.choice(_MIDDLE_FEMALE), rng.choice(_GIVEN_FEMALE)))
    return " ".join((rng.choice(_FAMILY), rng.choice(_MIDDLE_MALE), rng.choice(_GIVEN_MALE)))


def birth_date(rng: random.Random) -> dt.date:
    """An invented birth date of somebody of working age in 2023."""
    return dt.date(1965, 1, 1) + dt.timedelta(days=rng.randrange(33 * 365))


def phone(rng: random.Random) -> str:
    """A telephone number of the length of a real one, in a block that no operator uses (0100)."""
    return f"0100{rng.randrange(10**6):06d}"


def citizen_id(rng: random.Random) -> str:
    """A twelve-digit number shaped like a citizen's identity number, with the unused province part 000."""
    return f"000{rng.randrange(10**9):09d}"


def address(rng: random.Random, commune: str) -> str:
    """An invented address in the commune of that name."""
    hamlets = ("Chợ", "Bình Danh", "Vàm Hồ", "Phước Hòa", "An Quới", "Lê Minh Châu")
    return f"Số {rng.randint(1, 399)}, ấp {rng.choice(hamlets)}, {commune}"
