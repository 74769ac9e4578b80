"""Every commune that reports by itself, with invented volumes, and the province above them: what the sample writes of a
whole province after the reform of 1 July 2025, and of its own departments before it too.

Belongs here: finding a province's communes in the register, their plans, what a portal is made to show for them, and
the province's departments with their figures.
Does not belong here: the described communes and how a commune's rows are made (``communes``), districts (``places``).
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from common.forms import form_on
from common.units import registered
from sample.communes import COMMUNE_WINDOWS, Row, StandingCommune, commune_named, headline_counts, shown_cases
from sample.quarters import Window

#: Of so many communes the portal shows nothing for one; of so many of its figures one is not the commune's own.
_UNNAMED_EACH, _OTHER_EACH = 17, 9
_PORTAL = "Cổng Dịch vụ công quốc gia"
PORTAL_FILE = ("portal_figures", "so-lieu-tren-cong.xlsx")
REGISTER_FILE = ("org_units", "danh-muc-so-nganh.xlsx")
DEPARTMENTS_FILE = ("department_figures", "so-lieu-so-nganh.xlsx")
#: Departments of a province by name and short name: those that the reform of 2025 left, those that it ended, and those
#: that it made of them.
_KEPT = (
    ("Văn phòng UBND", "VP UBND"),
    ("Sở Nội vụ", "SNV"),
    ("Sở Tư pháp", "STP"),
    ("Sở Tài chính", "STC"),
    ("Sở Công Thương", "SCT"),
    ("Sở Xây dựng", "SXD"),
    ("Sở Văn hóa, Thể thao và Du lịch", "SVHTTDL"),
    ("Sở Khoa học và Công nghệ", "SKHCN"),
    ("Sở Giáo dục và Đào tạo", "SGDĐT"),
    ("Sở Y tế", "SYT"),
    ("Thanh tra tỉnh", "TTr"),
    ("Ban Quản lý các khu công nghiệp", "BQL KCN"),
)
_ENDED = (
    ("Sở Kế hoạch và Đầu tư", "SKHĐT"),
    ("Sở Giao thông vận tải", "SGTVT"),
    ("Sở Nông nghiệp và Phát triển nông thôn", "SNNPTNT"),
    ("Sở Tài nguyên và Môi trường", "STNMT"),
    ("Sở Thông tin và Truyền thông", "STTTT"),
    ("Sở Lao động - Thương binh và Xã hội", "SLĐTBXH"),
    ("Ban Dân tộc", "BDT"),
)
_MADE = (("Sở Nông nghiệp và Môi trường", "SNNMT"), ("Sở Dân tộc và Tôn giáo", "SDTTG"))
_ENDED_ON, _MADE_ON, _FOUNDED = dt.date(2025, 2, 28), dt.date(2025, 3, 1), dt.date(2016, 5, 1)
#: Of so many departments one has sent nothing; of so many rows of the form of a kind a department has figures.
_SILENT_EACH, _RATIOS, _FLAGS = 8, 3, 2


@dataclass(frozen=True)
class StandingProvince:
    """A province that delivers what its communes have not: code and name."""

    code: str
    name: str

    @property
    def committee(self) -> str:
        return f"UBND {self.name[0].lower()}{self.name[1:]}"

    @property
    def seat(self) -> str:
        return self.name.removeprefix("Thành phố ").removeprefix("Tỉnh ")

    def unit_name(self, code: str, style: str) -> str:
        """How one of its communes is written, or one of its departments; ``style`` as a layout has it."""
        if (name := _department_names(self.code).get(code)) is not None:
            return name
        commune = commune_named(code)
        return commune.committee if style == "committee" else commune.name


def communes_of(province: str, quarter: str) -> list[StandingCommune]:
    """The communes that report to a province on the quarter's closing day, in order of code. Raises ``KeyError``."""
    day = COMMUNE_WINDOWS[quarter].closes_on
    found = [
        u.code for u in registered().units if u.parent_code == province and u.level == "commune" and u.valid_on(day)
    ]
    if not found:
        raise KeyError(province)
    return [commune_named(code) for code in sorted(found)]


@cache
def province_named(code: str, day: dt.date) -> StandingProvince:
    """The province of a code on a day. Raises ``KeyError`` where there is none."""
    for unit in registered().units:
        if unit.code == code and unit.level == "province" and unit.valid_on(day):
            return StandingProvince(code, unit.name)
    raise KeyError(code)


def portal_rows(province: str, quarter: str, seed: int) -> list[Row]:
    """What the portal shows of the communes' cases, as the province copied it two days after the closing: mostly their
    own figures; some of another, as systems that are fed late do; of a few communes nothing.
    """
    window, rng = COMMUNE_WINDOWS[quarter], random.Random(f"portal-{province}-{quarter}-{seed}")
    rows: list[Row] = []
    for commune in communes_of(province, quarter):
        counts = headline_counts(shown_cases(commune, quarter, seed), window)
        if rng.randrange(_UNNAMED_EACH) == 0:
            continue
        for indicator, count in counts.items():
            behind = rng.randint(1, 9) if rng.randrange(_OTHER_EACH) == 0 else 0
            rows.append(
                {
                    "unit": commune.code,
                    "indicator_code": indicator,
                    "value": max(0, count - behind),
                    "taken_on": window.closes_on + dt.timedelta(days=2),
                    "portal": _PORTAL,
                }
            )
    return rows


def province_files(
    province: str, quarter: str, window: Window, seed: int
) -> Iterator[tuple[tuple[str, str], list[Row]]]:
    """What the province itself delivers for a quarter: source and file, with its rows."""
    # Nobody enters a department years before it is founded; gate 1 would ask about its day.
    yield REGISTER_FILE, [row for row in register_rows(province) if row["valid_from"] <= window.closes_on]
    yield DEPARTMENTS_FILE, department_rows(province, quarter, window, seed)
    if quarter in COMMUNE_WINDOWS:
        yield PORTAL_FILE, portal_rows(province, quarter, seed)


def register_rows(province: str) -> list[Row]:
    """Every department that the province has in the sample's time, as its register lists them."""
    stretches = ((_KEPT, _FOUNDED, None), (_ENDED, _FOUNDED, _ENDED_ON), (_MADE, _MADE_ON, None))
    listed = [
        (name, short, valid_from, valid_to)
        for departments, valid_from, valid_to in stretches
        for name, short in departments
    ]
    return [
        {
            "unit_code": f"{province}-S{number:02}",
            "name": name,
            "short_names": short,
            "unit_type": "department",
            "parent_code": province,
            "valid_from": valid_from,
            "valid_to": valid_to,
        }
        for number, (name, short, valid_from, valid_to) in enumerate(listed, 1)
    ]


@cache
def _department_names(province: str) -> dict[str, str]:
    return {row["unit_code"]: row["name"] for row in register_rows(province)}


def department_rows(province: str, quarter: str, window: Window, seed: int) -> list[Row]:
    """What the departments in being on the closing day tell: their own cases, some ratios by their parts, some answers;
    of a few departments nothing. Which rows of the form these are follows from its print and its shares.
    """
    day, rng = window.closes_on, random.Random(f"departments-{province}-{quarter}-{seed}")
    form = form_on(day, level="commune" if quarter in COMMUNE_WINDOWS else "district", issuer=province)
    shares = [(whole, part) for part, whole in sorted(form.shares.items())]
    printed = {kind: [r["indicator_code"] for r in form.rows if r["kind"] == kind] for kind in ("ratio", "flag")}
    rows: list[Row] = []
    in_being = [r for r in register_rows(province) if r["valid_from"] <= day <= (r["valid_to"] or day)]
    for number, department in enumerate(in_being, rng.randrange(_SILENT_EACH)):
        if number % _SILENT_EACH == 0:
            continue
        counts: dict[str, int] = {}
        for whole, part in shares:
            counts.setdefault(whole, rng.randint(20, 900))
            counts.setdefault(part, max(0, counts[whole] - rng.randint(0, 12)))
        parts = {code: (rng.randint(3, 9), rng.randint(9, 12)) for code in printed["ratio"][:_RATIOS]}
        answers = {code: rng.randint(0, 1) for code in printed["flag"][:_FLAGS]}
        head = {
            "department": department["unit_code"],
            "evidence": f"Báo cáo số {rng.randint(20, 99)}/BC-{department['short_names']}",
        }
        rows += [{**head, "indicator_code": code, "value": value} for code, value in (counts | answers).items()]
        rows += [{**head, "indicator_code": c, "numerator": n, "denominator": d} for c, (n, d) in parts.items()]
    return rows
