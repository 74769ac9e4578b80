"""``cchc units``: whether the register of administrative units holds together, and what became of one unit.

Belongs here: words and exit codes. Does not belong here: the register and its proof (``common.units``).
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from common.periods import Duty, Period, load_duties, load_periods
from common.portals import TABLE as PORTAL_TABLE
from common.portals import PortalCodes
from common.unit_pasts import unclosed
from common.units import AdminUnit, UnitRegister
from orchestration.cli.terminal import Exit, WrongUse
from orchestration.settings import DBT_DIR

_Table = TypeVar("_Table")
_RELATIONS_VI = {"whole": "toàn bộ", "part-main": "phần lớn hơn", "part": "một phần"}


def load_register(folder: Path | None) -> UnitRegister:
    """The project's own tables, or those of a folder; raises ``WrongUse`` where they cannot be read."""
    return _loaded(UnitRegister.load, folder or DBT_DIR / "seeds")


def load_portal_codes(folder: Path | None) -> PortalCodes:
    """The project's own codes of portals, or a folder's where it has some; raises as ``load_register``.

    Codes that stay as they are still have to mean units of the register that is to come.
    """
    own = folder is None or not (folder / PORTAL_TABLE).exists()
    return _loaded(PortalCodes.load, DBT_DIR / "seeds" if own or folder is None else folder)


def _load_periods(folder: Path | None) -> tuple[tuple[Period, ...], tuple[Duty, ...]]:
    """Periods and duties, each the folder's where it has it, else the project's; raises as ``load_register``."""
    own, there = DBT_DIR / "seeds", folder or DBT_DIR / "seeds"
    periods, duties = (
        there if (there / name).exists() else own for name in ("reporting_periods.csv", "report_duties.csv")
    )
    return (
        _loaded(lambda place: load_periods(place / "reporting_periods.csv"), periods),
        _loaded(lambda place: load_duties(place / "report_duties.csv"), duties),
    )


def _loaded(load: Callable[[Path], _Table], place: Path) -> _Table:
    try:
        return load(place)
    except KeyError as error:
        raise WrongUse(f"{place}: thiếu cột {error}") from None
    except UnicodeDecodeError:
        raise WrongUse(f"{place}: bảng không ở mã UTF-8") from None
    except (OSError, ValueError, csv.Error) as error:
        raise WrongUse(f"{place}: không đọc được bảng đơn vị: {error}") from None


def check(folder: Path | None) -> tuple[list[str], dict[str, Any], Exit]:
    """Lines, data and exit code of ``cchc units check``: each fault, and for each act what went over on both sides."""
    register = load_register(folder)
    portals = load_portal_codes(folder)
    faults = [*register.check(), *portals.check(register), *unclosed(register, *_load_periods(folder))]
    lines = [f"{fault}" for fault in faults]
    document: dict[str, Any] = {
        "faults": [{"table": f.table, "subject": f.subject, "message_vi": f.message_vi} for f in faults],
        "acts": [],
    }
    for act in sorted(register.acts, key=lambda act: (act.effective_on, act.legal_act)):
        sums = register.balance(act)
        document["acts"].append(
            {"legal_act": act.legal_act, "effective_on": act.effective_on.isoformat(), **asdict(sums)}
        )
        lines.append(
            f"{act.legal_act}, từ {act.effective_on:%d/%m/%Y}: {sums.went_whole} đơn vị chuyển toàn bộ, "
            f"{sums.were_split} bị chia, {sums.were_dissolved} giải thể → {sums.took_over} đơn vị nhận, "
            f"trong đó {sums.began} mới"
        )
    lines.append(
        f"{len(register.units)} đơn vị, {len(register.successions)} lần chuyển, {len(portals.codes)} mã cổng: "
        f"{len(faults)} lỗi"
    )
    return lines, document, Exit.HELD_BACK if faults else Exit.DONE


def show(code: str, day: dt.date) -> tuple[list[str], dict[str, Any]]:
    """Lines and data of ``cchc units show``: every unit that bore a code, what it came from, what it is on a day."""
    register = load_register(None)
    stretches = sorted((u for u in register.units if u.code == code), key=lambda u: u.valid_from or dt.date.min)
    if not stretches:
        raise WrongUse(f"không có đơn vị nào mang mã {code[:40]!r}")
    portals = load_portal_codes(None)
    lines, found = [], []
    for unit in stretches:
        before = [(register.unit(s.old_code, s.effective_on - dt.timedelta(1)), s) for s in register.predecessors(unit)]
        after = [(register.unit(s.new_code, s.effective_on), s) for s in register.successors(unit)]
        codes = sorted(portals.of_units([code], unit.valid_from or unit.valid_to or day))
        lines.append(unit.label_vi)
        if codes:
            lines.append(f"  - mã trên cổng: {', '.join(codes)}")
        lines += [f"  - từ {_named(old)}: {_RELATIONS_VI[s.relation]}, {s.legal_act}" for old, s in before]
        lines += [f"  - chuyển cho {_named(new)}: {_RELATIONS_VI[s.relation]}, {s.legal_act}" for new, s in after]
        now: list[AdminUnit] = []
        whole = False
        if unit.valid_to and unit.valid_to < day:
            now, whole = register.as_is(code, unit.valid_to, day)
            lines.append(f"  - ngày {day:%d/%m/%Y}: {_today(now, whole=whole)}")
            if not now and (heirs := _heirs_of_parts(register, unit, day)):
                lines.append(f"  - các đơn vị trực thuộc nay ở: {', '.join(heirs)}")
        found.append(
            {
                "unit_code": unit.code,
                "name_vi": unit.name,
                "valid_from": unit.valid_from and unit.valid_from.isoformat(),
                "valid_to": unit.valid_to and unit.valid_to.isoformat(),
                "predecessors": [{"unit_code": s.old_code, "relation": s.relation} for _, s in before],
                "successors": [{"unit_code": s.new_code, "relation": s.relation} for _, s in after],
                "as_is": [u.code for u in now],
                "went_whole": whole,
                "portal_codes": codes,
            }
        )
    return lines, {"units": found}


def _heirs_of_parts(register: UnitRegister, unit: AdminUnit, day: dt.date) -> list[str]:
    """Names of the units in which the parts of a dissolved unit are on the day."""
    assert unit.valid_to is not None
    parts = [part for part in register.units if part.parent_code == unit.code and part.valid_on(unit.valid_to)]
    heirs = {heir.code: heir for part in parts for heir in register.as_is(part.code, unit.valid_to, day)[0]}
    return [f"{heir.name} ({code})" for code, heir in sorted(heirs.items())]


def _named(unit: AdminUnit | None) -> str:
    return unit.label_vi if unit else "đơn vị không có trong danh mục"


def _today(now: list[AdminUnit], *, whole: bool) -> str:
    if not now:
        return "không còn, và không đơn vị nào cùng cấp nhận"
    names = ", ".join(f"{unit.name} ({unit.code})" for unit in now)
    return f"là (một phần của) {names}" if whole else f"đã chia cho {names}; số liệu cũ không chuyển được"
