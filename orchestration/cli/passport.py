"""``cchc explain``: the passport of one figure, for people and as data.

Belongs here: finding the release or candidate that was asked for, lines, tables and the CSV of rows.
Does not belong here: what a passport says (``publication``).
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from common.units import UnitRegister
from orchestration.cli.terminal import Exit, WrongUse, complain, emit
from orchestration.real_names import file_names, sheet_names, with_real_names
from orchestration.review import last_made
from orchestration.settings import Home
from publication import (
    CSV_SHEET,
    CandidateError,
    DamagedPointer,
    Explanation,
    NoPassports,
    ProvinceExplanation,
    UnknownRow,
    current_release,
    explain_candidate,
    explain_province,
    explain_release,
    find_release,
    format_number,
    format_quarter,
    is_of_province,
)

ROLE_VI = {
    "value": "Số tính từ dữ liệu",
    "numerator": "Tử số",
    "denominator": "Mẫu số",
    "declared": "Số khai báo",
    "term": "Thành phần",
}
#: Under which units a figure is shown: those of its own day, or those of today beside them.
AS_WAS, AS_IS = BASES = ("as-was", "as-is")
_RANGES_SHOWN = 40
_UNNAMED_VI = "Các dòng không nêu tệp để không lộ số nhỏ"


def answer(
    home: Home,
    row: str,
    unit: str,
    quarter: str,
    number: int | None,
    *,
    waiting: bool,
    csv: Path | None,
    as_json: bool,
    register: UnitRegister | None = None,
) -> Exit:
    """Shows the passport, and writes its rows where a file is named. A damaged release shows nothing.

    With a ``register`` it shows too under which units of today its parts stand.
    """
    paths = home.ingest_paths
    try:
        explanation = explained(home, row, unit, quarter, number, waiting=waiting)
        if isinstance(explanation, ProvinceExplanation):
            if csv or register:
                raise WrongUse("số liệu của tỉnh: xem từng đơn vị để ghi dòng ra CSV hoặc theo đơn vị hiện nay")
            told = with_real_names(paths, list(explanation.lines_vi()))
            emit(told, explanation.as_dict(), as_json=as_json)
            return Exit.DONE
        explanation = explanation.with_real_names(file_names(paths), lambda delivery: sheet_names(paths, delivery))
    except (NoPassports, CandidateError) as error:
        complain(str(error))
        return Exit.HELD_BACK
    today = explanation.as_is(register) if register else None
    told = list(as_is_lines(today)) if today else []
    if as_json or not sys.stdout.isatty():
        document = explanation.as_dict() | ({"units": today} if today else {"units": {"basis": AS_WAS}})
        emit([*lines(explanation), *told], document, as_json=as_json)
    else:
        show(explanation)
        for line in told:
            emit([line], {}, as_json=False)
    if csv:
        complain(write_rows(explanation, csv))
    return Exit.DONE


def explained(
    home: Home, row: str, unit: str, quarter: str, number: int | None, *, waiting: bool
) -> Explanation | ProvinceExplanation:
    """The figure in the current release, in release ``number``, or in the newest candidate where ``waiting``.

    Raises WrongUse where there is no such row or release, NoPassports where the release cannot be explained.
    """
    try:
        if waiting:
            found = last_made(home, unit, quarter)
            if not found:
                raise WrongUse(f"{unit}, {quarter}: chưa có số liệu chờ công bố")
            return explain_candidate(found[0], row)
        release = (
            find_release(home.published, unit, quarter, number)
            if number
            else current_release(home.published, unit, quarter)
        )
    except UnknownRow as error:
        raise WrongUse(str(error)) from error
    except DamagedPointer as error:
        raise NoPassports(str(error)) from error
    except LookupError as error:
        raise WrongUse(str(error.args[0])) from error
    if release is None:
        raise WrongUse(f"{unit}, {quarter}: chưa có bản công bố nào; số liệu bị giữ lại xem bằng --candidate")
    try:
        return explain_province(release, row) if is_of_province(release) else explain_release(release, row)
    except UnknownRow as error:
        raise WrongUse(str(error)) from error


def write_rows(explanation: Explanation, path: Path) -> str:
    """Writes all rows behind the figure as CSV and says so; raises WrongUse where the file cannot be written."""
    try:
        path.write_bytes(explanation.csv())
    except OSError as error:
        raise WrongUse(f"không ghi được {path}: {error.strerror}") from error
    rows = sum(entry["count"] for part in explanation.passport["parts"] for entry in part["files"])
    return f"đã ghi {format_number(rows)} dòng vào {path}"


def lines(explanation: Explanation) -> list[str]:
    """The passport as plain lines."""
    passport = explanation.passport
    name, *rest = _head(explanation)
    found = [f"{explanation.row.code}, dòng {explanation.row.row_no}: {name}", *rest]
    for part in passport["parts"]:
        found.append(f"{ROLE_VI[part['role']]}: {part['printed'] or 'để trống'} ({_about(part)})")
        for entry in part["files"]:
            found.append(f"  {_place(explanation, entry)}: {_amount(entry)}")
            found += [f"    dòng {_shortened(entry['rows'])}"] if entry["rows"] is not None else []
    for title, texts in _remarks(passport):
        found += [f"{title}:", *(f"  - {text}" for text in texts)]
    return found


def as_is_lines(today: Mapping[str, Any]) -> Iterator[str]:
    """The figure under the units of today as plain lines: the reporting unit, then each part by unit of today."""
    day = dt.date.fromisoformat(today["as_of"])
    yield f"Theo đơn vị hành chính hiện nay (thay đổi gần nhất trong danh mục: {day:%d/%m/%Y}):"
    note = today["note_vi"]
    if today["name_as_is_vi"]:
        yield f"  Đơn vị báo cáo nay là {today['name_as_is_vi']}" + (f": {note}" if note else "")
    else:
        yield f"  Đơn vị báo cáo {note}"
    for part in today["parts"]:
        if not part["units"]:
            continue
        yield f"  {ROLE_VI[part['role']]} ({part['label_vi']}), theo đơn vị gửi tệp:"
        lacking = ", chưa gồm phần không nêu tệp" if part["unnamed"] else ""
        for group in part["units"]:
            terms = " + ".join(f"{unit['name_vi']} {_printed(unit['amount'])}" for unit in group["from"])
            if group["forbidden_by_vi"]:
                yield f"    {terms}: {group['forbidden_by_vi']}"
            else:
                yield f"    {group['name_as_is_vi']}: {_printed(group['amount'])}{lacking} = {terms}"
        if part["unnamed"]:
            yield f"    {_UNNAMED_VI}: {_printed(part['unnamed'])}"


def show(explanation: Explanation) -> None:
    """The passport on a terminal."""
    from rich.console import Console, Group
    from rich.panel import Panel
    from rich.text import Text

    row, (name, *rest) = explanation.row, _head(explanation)
    body: list[Any] = [Text(name, style="bold"), *map(Text, rest)]
    for part in explanation.passport["parts"]:
        title = Text(f"\n{ROLE_VI[part['role']]}: {part['printed'] or 'để trống'}", style="bold green")
        body += [title, Text(_about(part), style="dim"), *_table(explanation, part)]
    for heading, texts in _remarks(explanation.passport):
        body.append(Text(f"\n{heading}", style="bold"))
        body += [Text(f"• {text}") for text in texts]
    Console(file=sys.stdout).print(Panel(Group(*body), title=f"{row.code}, dòng {row.row_no}", title_align="left"))


def _table(explanation: Explanation, part: Mapping[str, Any]) -> Iterator[Any]:
    """One line a sheet, where any row stands behind the part."""
    from rich.table import Table

    if not part["files"]:
        return
    table = Table(box=None, header_style="dim")
    for heading, justify in (
        ("Nguồn", "left"),
        ("Đơn vị", "left"),
        ("Tệp", "left"),
        ("Số dòng", "right"),
        ("Cộng vào", "right"),
        ("Các dòng", "left"),
    ):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    for entry in part["files"]:
        if entry["file"] is None:
            table.add_row("", "", _UNNAMED_VI, format_number(entry["count"]), _printed(entry["amount"]), "")
            continue
        file = explanation.files[entry["file"]]
        table.add_row(
            file["source_vi"],
            file["unit_name_vi"],
            _sheet(explanation, entry),
            format_number(entry["count"]),
            _printed(entry["amount"]),
            _shortened(entry["rows"]),
        )
    yield table


def _head(explanation: Explanation) -> Iterator[str]:
    row, passport = explanation.row, explanation.passport
    yield str(row.values["indicator_name_vi"]).lstrip("- ")
    yield (
        f"{explanation.unit_name_vi} ({explanation.unit_code}), {format_quarter(explanation.quarter)}, "
        f"{_made_from(explanation.made_from)}"
    )
    figure = f"{passport['printed']} {_unit(row.values)}".rstrip() if passport["printed"] else "để trống"
    yield f"Kết quả: {figure} ({passport['status_vi']})"
    yield f"Cách tính: {passport['formula_vi']}"
    if passport["window"]:
        yield f"Kỳ số liệu: {passport['window']['text_vi']}"


def _unit(values: Mapping[str, Any]) -> str:
    """The unit of measure within a line; flags and codes have a legend there (Có = 1; Không = 0), which is none."""
    unit = values["unit_of_measure_canonical"] or ""
    if "=" in unit:
        return ""
    return str(unit[:1].lower() + unit[1:] if unit[1:2].islower() else unit)


def _made_from(name: str) -> str:
    return f"bản công bố {name}" if name.startswith("r") else f"số liệu chờ công bố {name[:12]}"


def _about(part: Mapping[str, Any]) -> str:
    if part["units_expected"] is None:
        return str(part["label_vi"])
    return f"{part['label_vi']}; {part['units_counted']}/{part['units_expected']} đơn vị có số liệu"


def _place(explanation: Explanation, entry: Mapping[str, Any]) -> str:
    if entry["file"] is None:
        return _UNNAMED_VI
    file = explanation.files[entry["file"]]
    return f"{file['source_vi']}, {file['unit_name_vi']}: {_sheet(explanation, entry)}"


def _sheet(explanation: Explanation, entry: Mapping[str, Any]) -> str:
    """File and sheet, with the quarter of the folder where it is an earlier one."""
    file = explanation.files[entry["file"]]
    quarter = "" if file["quarter"] == explanation.quarter else f" (kỳ {file['quarter']})"
    name = entry["sheet"] if entry["sheet"].startswith("trang ") else f"trang {entry['sheet']}"
    sheet = "" if entry["sheet"] == CSV_SHEET else f", {name}"
    return f"{file['file_name']}{quarter}{sheet}"


def _amount(entry: Mapping[str, Any]) -> str:
    return f"{format_number(entry['count'])} dòng, cộng vào {_printed(entry['amount'])}"


def _printed(amount: str) -> str:
    return format_number(Decimal(amount))


def _shortened(rows: str) -> str:
    """The ranges, cut where a person stops reading; the CSV has every row."""
    ranges = rows.split(",")
    shown = ", ".join(ranges[:_RANGES_SHOWN])
    more = len(ranges) - _RANGES_SHOWN
    return f"{shown}, … (còn {format_number(more)} đoạn; xuất đủ bằng --csv)" if more > 0 else shown


def _remarks(passport: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    if passport["decisions"]:
        yield "Quyết định giải trình", [f"{d['decision_id']}: {d['text_vi']}" for d in passport["decisions"]]
    if passport["notes_vi"]:
        yield "Ghi chú", list(passport["notes_vi"])
