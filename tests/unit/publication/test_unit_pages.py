"""Pages of the units below: every printed figure against the tables, places and medians, gaps, reading back."""

from __future__ import annotations

import datetime as dt
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import lxml.html
import pyarrow as pa
import pytest

from publication.content.release_content import ReleaseContent
from publication.formatting import HELD_BACK_VI, format_number
from publication.page import UnitPageDamaged, check_unit_pages, write_unit_pages
from publication.page.unit_figures import KINDS, UNKNOWN_VI, Kind, Unit, UnitFigures, Value, unit_figures
from publication.page.unit_pages import NOT_PLACED_VI, page_name, read_figures

MakeContent = Callable[..., ReleaseContent]
HOSTILE = "<script>alert(1)</script>\"'&amp;\x0b"
FIELDS = ("Chứng thực", "Hộ tịch", "Đất đai")
AGES = ("000-005", "006-010", "041-")
_DAYS = pa.decimal128(9, 1)


def world(base: ReleaseContent, seed: int, names: Mapping[str, str], gaps: float = 0.2) -> ReleaseContent:
    """A release with made-up cases of these units, some cells held back; the last unit has none at all."""
    chance = random.Random(seed)
    units = [{"unit_code": code, "name_vi": name} for code, name in names.items()]
    tables = dict(base.tables)
    tables["dim_unit"] = pa.Table.from_pylist(
        [row for row in base.tables["dim_unit"].to_pylist() if row["unit_type"] != "commune"]
        + [
            unit
            | {
                "reporting_unit_code": "945",
                "unit_level": "commune",
                "unit_type": "commune",
                "parent_unit_code": "945",
            }
            for unit in units
        ],
        schema=base.tables["dim_unit"].schema,
    )
    counted = ["945", *list(names)[:-1]]
    window = {"window_from": dt.date(2022, 12, 15), "window_to": dt.date(2023, 3, 14), "is_complete": True}

    def held(row: dict[str, Any], columns: tuple[str, ...], often: float = gaps) -> dict[str, Any]:
        blank = [name for name in columns if chance.random() < often]
        return row | dict.fromkeys(blank) | {"held_back": ",".join(blank) or None}

    form, rates, cases, backlog = [], [], [], []
    waiting: dict[str, int] = {}
    for clock in ("reporting_window", "calendar_quarter"):
        for code in (*counted, None):
            counts = {
                name: chance.choice((0, 3, 20, 20, 1145))
                for name in ("received_online", "received_direct_or_postal", "resolved_late", "in_progress_overdue")
            }
            row = {"unit_code": "945", "clock": clock, "breakdown": "unit", "row_kind": "row" if code else "total"}
            level = {"unit_level": "commune" if code else "all", "receiving_unit_code": code}
            form.append(held(row | level | counts, tuple(counts)))
            for kind in ("received", "resolved", "due"):
                made = {
                    "unit_code": "945",
                    "clock": clock,
                    "scope_kind": "unit" if code else "all",
                    "scope_code": code or "all",
                    "denominator_kind": kind,
                    "numerator": chance.choice((0, 5, 611)),
                    "denominator": chance.choice((0, 5, 20, 20, 1145)),
                    "on_time_percent": Decimal(chance.choice(("100", "52.93", "99.5"))),
                    "median_working_days": Decimal(chance.choice(("0", "1.5", "3"))),
                    "p90_working_days": Decimal(chance.choice(("3", "10"))),
                    **window,
                }
                rates.append(held(made, ("denominator", "median_working_days", "p90_working_days")))
        for code in counted:
            for age in AGES:
                if chance.random() < 0.5:
                    made = {
                        "clock": clock,
                        "receiving_unit_code": code,
                        "unit_level": "commune",
                        "state": "in_progress",
                        "age_band": age,
                        "cases": chance.choice((1, 7, 500)),
                        "overdue": chance.choice((0, 9)),
                        "oldest_working_days": chance.choice((3, 20)),
                    }
                    if clock == "reporting_window":
                        waiting[code] = waiting.get(code, 0) + made["cases"]
                    backlog.append(held(made, ("cases", "overdue", "oldest_working_days")))
    for code in counted:
        for field in FIELDS:
            for channel in ("direct", "online", "postal"):
                columns = ("received", "resolved", "resolved_late", "in_progress", "in_progress_overdue",
                           "waiting_for_supplement", "suspended")  # fmt: skip
                made = {
                    "receiving_unit_code": code,
                    "unit_level": "district" if code == "945" else "commune",
                    "field_vi": field,
                    "channel": channel,
                    "counted_on_time_by_decision": 0,
                    **{name: chance.choice((0, 0, 7, 1145)) for name in columns},
                    "waiting_for_supplement": 0,
                    "suspended": 0,
                    "in_progress": waiting.pop(code, 0),
                }
                cases.append(held(made, columns))
    tables["case_form_06a"] = pa.Table.from_pylist(form)
    tables["case_timeliness"] = _typed(rates)
    tables["case_processing"] = pa.Table.from_pylist(cases)
    tables["case_backlog"] = pa.Table.from_pylist(backlog) if backlog else base.tables["case_form_06a"].slice(0, 0)
    whole = replace(base.case_totals, open=chance.choice(({}, {"commune": 534})))
    return replace(base, tables=tables, totals_before=whole)


def _typed(rows: list[dict[str, Any]]) -> pa.Table:
    table = pa.Table.from_pylist(rows)
    for name in ("median_working_days", "p90_working_days"):
        table = table.set_column(table.schema.get_field_index(name), name, pa.array([row[name] for row in rows], _DAYS))
    return table


UNITS = {"31615": "Thị trấn Cù Lao Dung", "31618": "Xã An Thạnh 1", "31621": "Xã An Thạnh Tây", "31624": "Xã Đại Ân 1"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A release folder with what the pages lead to."""
    made = tmp_path / "release"
    (made / "report").mkdir(parents=True)
    (made / "report" / "index.html").touch()
    (made / "datapackage.json").touch()
    return made


def page(folder: Path, code: str) -> Any:
    return lxml.html.document_fromstring((folder / "report" / page_name(code)).read_bytes().decode())


# --- against the tables -----------------------------------------------------------------------------------------------

#: What each figure of a unit (or of all) is, asked of the tables in SQL: a figure, or null and whether it is held back.
_ASKED = {
    "received": "select denominator, held_back like '%denominator%' from case_timeliness"
    " where scope_code = '{scope}' and denominator_kind = 'received'",
    "resolved": "select denominator, held_back like '%denominator%' from case_timeliness"
    " where scope_code = '{scope}' and denominator_kind = 'resolved'",
    "on_time_percent": "select round(100 * numerator::decimal(18, 6) / nullif(denominator, 0), 2),"
    " held_back like '%denominator%' from case_timeliness"
    " where scope_code = '{scope}' and denominator_kind = 'resolved'",
    "median_days": "select median_working_days, held_back like '%median_working_days%' from case_timeliness"
    " where scope_code = '{scope}' and denominator_kind = 'resolved'",
    "p90_days": "select p90_working_days, held_back like '%p90_working_days%' from case_timeliness"
    " where scope_code = '{scope}' and denominator_kind = 'resolved'",
    "online": "select received_online, held_back like '%received_online%' from case_form_06a"
    " where coalesce(receiving_unit_code, 'all') = '{scope}'",
    "online_percent": "select round(100 * received_online::decimal(18, 6)"
    " / nullif(received_online + received_direct_or_postal, 0), 2), held_back like '%received_%' from case_form_06a"
    " where coalesce(receiving_unit_code, 'all') = '{scope}'",
    "late": "select resolved_late, held_back like '%resolved_late%' from case_form_06a"
    " where coalesce(receiving_unit_code, 'all') = '{scope}'",
    "overdue": "select in_progress_overdue, held_back like '%in_progress_overdue%' from case_form_06a"
    " where coalesce(receiving_unit_code, 'all') = '{scope}'",
}


def ask(content: ReleaseContent, question: str) -> list[tuple[Any, ...]]:
    """A question to the release's tables, on the clock of the report."""
    with duckdb.connect() as connection:
        for name in ("case_form_06a", "case_timeliness", "case_processing", "case_backlog"):
            table = content.tables[name]
            connection.register(f"all_{name}", table)
            clock = " where clock = 'reporting_window'" if "clock" in table.column_names else ""
            connection.execute(f"create view {name} as select * from all_{name}{clock}")
        return connection.sql(question).fetchall()


def printed(rows: list[tuple[Any, ...]]) -> str:
    if not rows:
        return UNKNOWN_VI
    [(value, is_held)] = rows
    return format_number(Decimal(str(value))) if value is not None else HELD_BACK_VI if is_held else UNKNOWN_VI


@pytest.mark.parametrize("seed", range(6))
def test_every_figure_is_the_tables_own(seed: int, make_content: MakeContent, folder: Path) -> None:
    content = world(make_content(), seed, UNITS)
    write_unit_pages(content, folder)
    check_unit_pages(content, folder)
    for code in list(UNITS)[:-1]:
        told = read_figures(page(folder, code))
        for name, question in _ASKED.items():
            for column, scope in (("own", code), ("whole", "all")):
                assert told["compared", name, column] == printed(ask(content, question.format(scope=scope))), name
        [(known, whole)] = ask(
            content,
            "select sum(coalesce(in_progress, 0) + coalesce(waiting_for_supplement, 0) + coalesce(suspended, 0)),"
            " count(*) = count(in_progress + waiting_for_supplement + suspended)"
            f" from case_processing where receiving_unit_code = '{code}'",
        )
        assert told["compared", "open", "own"] == (
            format_number(known) if whole else f"ít nhất {format_number(known)}" if known else HELD_BACK_VI
        )
        waiting = ask(
            content, f"select cases, oldest_working_days from case_backlog where receiving_unit_code = '{code}'"
        )
        oldest = [days for _, days in waiting]
        is_whole = whole and None not in oldest and None not in [cases for cases, _ in waiting]
        assert told["compared", "oldest_days", "own"] == (
            HELD_BACK_VI if not is_whole else format_number(max(oldest)) if oldest else "không có"
        )
        _fields_are_sums(content, code, told)


def _fields_are_sums(content: ReleaseContent, code: str, told: Mapping[tuple[str, ...], str]) -> None:
    columns = {
        "received": "received",
        "online": "case when channel = 'online' then received else 0 end",
        "resolved": "resolved",
        "late": "resolved_late",
        "open": "in_progress + waiting_for_supplement + suspended",
        "overdue": "in_progress_overdue",
    }
    for field, *cells in ask(
        content,
        "select field_vi, "
        + ", ".join(f"case when count(*) = count({of}) then sum({of}) end" for of in columns.values())
        + f" from case_processing where receiving_unit_code = '{code}' group by field_vi",
    ):
        for name, value in zip(columns, cells, strict=True):
            text = told.get(("fields", field, name))
            if value is not None:
                assert text in (format_number(Decimal(str(value))), None)
            elif text is not None:
                assert text == HELD_BACK_VI or text.startswith("ít nhất ")


def test_a_page_reads_by_itself(make_content: MakeContent, folder: Path) -> None:
    content = world(make_content(), 1, UNITS)
    write_unit_pages(content, folder)
    for code, name in UNITS.items():
        document = page(folder, code)
        assert document.get("lang") == "vi"
        assert name in document.findtext(".//title")
        assert document.xpath("//script|//link|//img|//iframe|//form") == []
        assert not re.search(r"https?:", (folder / "report" / page_name(code)).read_text(encoding="utf-8"))
        assert "script-src 'none'" in document.xpath("string(//meta[@http-equiv]/@content)")
        links = document.xpath("//a/@href")
        assert "../index.html" in links
        assert {"../../../../../index.html#b-945-2022-Q4", "../../../../../index.html#b-945-2023-Q2"} <= set(links)
        assert {f"{other}.html" for other in UNITS if other != code} <= set(links)
        assert all(cell.get("scope") for cell in document.xpath("//th"))


def test_a_unit_without_cases_says_so_and_never_zero(make_content: MakeContent, folder: Path) -> None:
    content = world(make_content(), 1, UNITS)
    write_unit_pages(content, folder)
    last = page(folder, list(UNITS)[-1])
    assert "không có hồ sơ nào do Xã Đại Ân 1 tiếp nhận" in last.text_content()
    assert read_figures(last) == {}


def test_equal_content_gives_equal_bytes(make_content: MakeContent, folder: Path, tmp_path: Path) -> None:
    content = world(make_content(), 3, UNITS)
    shuffled = replace(
        content,
        tables={name: table.take(list(range(len(table)))[::-1]) for name, table in content.tables.items()},
    )
    write_unit_pages(content, folder)
    other = tmp_path / "other"
    (other / "report").mkdir(parents=True)
    write_unit_pages(shuffled, other)
    for code in UNITS:
        name = page_name(code)
        assert (folder / "report" / name).read_bytes() == (other / "report" / name).read_bytes()


def test_hostile_names_are_inert(make_content: MakeContent, folder: Path) -> None:
    content = world(make_content(), 2, UNITS | {"31618": HOSTILE})
    rows = [row | {"field_vi": HOSTILE} for row in content.tables["case_processing"].to_pylist()]
    content = replace(content, tables=content.tables | {"case_processing": pa.Table.from_pylist(rows)})
    write_unit_pages(content, folder)
    check_unit_pages(content, folder)
    for code in UNITS:
        assert page(folder, code).xpath("//script") == []


def test_a_draft_is_called_one(make_content: MakeContent, folder: Path) -> None:
    content = replace(world(make_content(), 1, UNITS), draft="ABC123")
    write_unit_pages(content, folder)
    check_unit_pages(content, folder)
    assert "Dự thảo ABC123" in page(folder, "31615").text_content()
    assert page(folder, "31615").xpath("//p[@class='draft']")


def test_an_office_without_units_below_has_no_pages(make_content: MakeContent, folder: Path) -> None:
    content = world(make_content(), 1, UNITS)
    units = [row for row in content.tables["dim_unit"].to_pylist() if row["unit_type"] != "commune"]
    content = replace(content, tables=content.tables | {"dim_unit": pa.Table.from_pylist(units)})
    write_unit_pages(content, folder)
    check_unit_pages(content, folder)
    assert not (folder / "report" / "don-vi").exists()


def test_a_release_without_the_statistics_has_no_figures(make_content: MakeContent, folder: Path) -> None:
    content = world(make_content(), 1, UNITS)
    old = {name: table for name, table in content.tables.items() if not name.startswith("case_")}
    write_unit_pages(replace(content, tables=old), folder)
    check_unit_pages(replace(content, tables=old), folder)
    assert read_figures(page(folder, "31615")) == {}


# --- reading it again -------------------------------------------------------------------------------------------------


def test_every_figure_that_says_something_else_is_found(make_content: MakeContent, folder: Path) -> None:
    content = world(make_content(), 4, UNITS)
    write_unit_pages(content, folder)
    path = folder / "report" / page_name("31615")
    whole = path.read_text(encoding="utf-8")
    cells = list(re.finditer(r'data-figure="\w+"[^>]*>([^<]*)<', whole))
    assert len(cells) > 40
    for cell in cells:
        path.write_text(whole[: cell.start(1)] + "9" + cell[1] + whole[cell.end(1) :], encoding="utf-8")
        with pytest.raises(UnitPageDamaged):
            check_unit_pages(content, folder)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("script-src &#39;none&#39;", "script-src &#39;unsafe-inline&#39;"),
        ('href="../index.html"', 'href="../annex.pdf"'),
        ('data-figure="late"', 'data-figure="open"'),
        ('data-figure="late"', 'data-other="late"'),
    ],
)
def test_a_page_that_was_changed_is_found(old: str, new: str, make_content: MakeContent, folder: Path) -> None:
    content = world(make_content(), 1, UNITS)
    write_unit_pages(content, folder)
    path = folder / "report" / page_name("31618")
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(UnitPageDamaged):
        check_unit_pages(content, folder)


def test_pages_are_those_of_the_units(make_content: MakeContent, folder: Path) -> None:
    content = world(make_content(), 1, UNITS)
    write_unit_pages(content, folder)
    (folder / "report" / page_name("31618")).rename(folder / "report" / page_name("99999"))
    with pytest.raises(UnitPageDamaged):
        check_unit_pages(content, folder)


# --- places and medians -----------------------------------------------------------------------------------------------


def figures_of(kind: Kind, numbers: list[int | None]) -> UnitFigures:
    gap = Value(is_held_back=True)
    units = tuple(
        Unit(str(at), str(at), {kind.id: gap if number is None else Value(Decimal(number))}, (), ())
        for at, number in enumerate(numbers)
    )
    return UnitFigures(units, {}, "", {})


@pytest.mark.parametrize(
    ("first", "numbers", "places"),
    [
        ("most", [5, 9, 7], ["3/3", "1/3", "2/3"]),
        ("least", [5, 9, 7], ["1/3", "3/3", "2/3"]),
        ("most", [9, 9, 7, 1], ["1/4 (đồng hạng)", "1/4 (đồng hạng)", "3/4", "4/4"]),
        ("least", [0, 0, 0], ["1/3 (đồng hạng)"] * 3),
        ("most", [9, None, 7], ["1/2", None, "2/2"]),
        ("most", [9, None], [None, None]),
    ],
)
def test_equals_share_a_place_and_gaps_have_none(first: str, numbers: list[int | None], places: list[str]) -> None:
    kind = replace(KINDS[0], first=first)
    figures = figures_of(kind, numbers)
    told = [figures.place(unit, kind) for unit in figures.units]
    assert [place and place.printed for place in told] == places


def test_units_stand_in_the_order_of_the_alphabet(make_content: MakeContent) -> None:
    """Đ follows D, not Z: as the form II.06a of the same release has them."""
    names = ("Xã An Thạnh Tây", "Xã Đại Ân 1", "Xã An Thạnh Đông", "Xã Trung", "Xã Âu", "Xã An Thạnh 1")
    content = world(make_content(), 1, {f"{31600 + at}": name for at, name in enumerate(names)})
    assert [unit.name_vi for unit in unit_figures(content).units] == [
        "Xã An Thạnh 1", "Xã An Thạnh Đông", "Xã An Thạnh Tây", "Xã Âu", "Xã Đại Ân 1", "Xã Trung",
    ]  # fmt: skip


def test_shares_that_round_to_one_print_are_no_equals(make_content: MakeContent) -> None:
    """2 of 3 and 6,667 of 10,000 print as 66,67%; the second is the higher share."""
    content = world(make_content(), 1, {"31601": "Xã A", "31602": "Xã B", "31603": "Xã C"}, gaps=0)
    parts = {"31601": (2, 3), "31602": (6667, 10_000)}
    rows = content.tables["case_timeliness"].to_pylist()
    for row in rows:
        if row["denominator_kind"] == "resolved" and row["scope_code"] in parts:
            row["numerator"], row["denominator"] = parts[row["scope_code"]]
    figures = unit_figures(replace(content, tables=content.tables | {"case_timeliness": _typed(rows)}))
    kind = next(kind for kind in KINDS if kind.id == "on_time_percent")
    assert [unit.values[kind.id].printed for unit in figures.units[:2]] == ["66,67", "66,67"]
    places = [figures.place(unit, kind) for unit in figures.units[:2]]
    assert [place and place.printed for place in places] == ["2/2", "1/2"]


def test_a_page_counts_no_unit_as_told_that_has_nothing_to_tell(make_content: MakeContent, folder: Path) -> None:
    """Of eight communes seven have a figure: nothing on the page speaks of a place among eight."""
    content = world(make_content(), 1, {f"{31600 + at}": f"Xã {at}" for at in range(8)}, gaps=0)
    write_unit_pages(content, folder)
    document = page(folder, "31600")
    assert read_figures(document)["compared", "resolved", "place"].split()[0].endswith("/7")
    assert "8 xã" not in document.text_content()


@pytest.mark.parametrize(
    ("values", "median"), [((20, 7, 9), "9"), ((20, 7), "13,5"), ((20, None, 7, 9), "9"), ((None, None), UNKNOWN_VI)]
)
def test_the_median_is_of_the_units_that_are_told(
    values: tuple[int | None, ...], median: str, make_content: MakeContent
) -> None:
    names = {f"{31600 + at}": f"Xã {at}" for at in range(len(values) + 1)}
    content = world(make_content(), 1, names, gaps=0)
    rows = content.tables["case_timeliness"].to_pylist()
    for code, value in zip(names, values, strict=False):
        for row in rows:
            if row["scope_code"] == code:
                row |= {"denominator": value, "held_back": None if value else "denominator"}
    content = replace(content, tables=content.tables | {"case_timeliness": _typed(rows)})
    assert unit_figures(content).medians["resolved"].printed == median


def test_a_unit_that_has_no_place_says_so(make_content: MakeContent, folder: Path) -> None:
    content = world(make_content(), 1, dict(list(UNITS.items())[:2]))
    write_unit_pages(content, folder)
    told = read_figures(page(folder, "31615"))
    assert {told["compared", kind.id, "place"] for kind in KINDS} == {NOT_PLACED_VI}
