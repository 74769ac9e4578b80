"""The floor: what plain DuckDB needs to read the same files and compute every case figure of the form. Nothing is kept.

Belongs here: the least work that gives rows 71 to 76, 169, 170, 175, 179, 181, 182, 195 to 198 and 201 to 204 of the
form and form II.06a from the delivered CSVs of one layout, the catalogue of procedures and the decisions, as somebody
writes it who trusts every cell. Does not belong here: anything the pipeline does beyond that (contracts, refusals,
lineage, gates, releases); the difference is what these cost.

``tests/integration/dbt/test_floor.py`` holds its figures against the pipeline's, so that less work is not what is
measured. ``python benchmarks/floor.py LANDING QUARTER [MEMORY]`` prints the figures as JSON.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import openpyxl

PERIODS = Path(__file__).resolve().parents[1] / "dbt_project" / "seeds" / "reporting_periods.csv"
_NO_FIELD = "Chưa xác định"

CASES = """
create table cases as
with delivered as (
    select distinct on ("Mã hồ sơ")
        "Mã hồ sơ" as code,
        "Mã TTHC" as procedure_code,
        "Đơn vị tiếp nhận" as unit,
        "Đơn vị tiếp nhận" like '%huyện%' as is_district,
        strptime("Ngày tiếp nhận", '%d/%m/%Y %H:%M:%S')::date as received_on,
        strptime(coalesce("Ngày hẹn trả mới", "Ngày hẹn trả"), '%d/%m/%Y %H:%M:%S')::date as due_on,
        strptime(coalesce("Ngày kết thúc xử lý", "Ngày trả kết quả"), '%d/%m/%Y %H:%M:%S')::date as ended_on,
        strptime("Ngày trả kết quả", '%d/%m/%Y %H:%M:%S')::date as returned_on,
        case
            when "Trạng thái" ilike '%rút%' then 'withdrawn'
            when "Trạng thái" ilike '%từ chối%' then 'refused'
            when "Trạng thái" ilike '%bổ sung%' then 'waiting_for_supplement'
            when "Trạng thái" ilike '%tạm dừng%' then 'suspended'
            when "Trạng thái" in ('Đã trả kết quả', 'Đã xử lý xong') then 'ended'
            else 'in_progress'
        end as status,
        "Hình thức" as channel,
        "Hình thức trả" as return_channel
    from read_csv(?, delim = ';', header = true, all_varchar = true, filename = false)
    where "Trạng thái" not in ('Đăng ký trực tuyến', 'Không được tiếp nhận')
)
select
    w.clock,
    d.* exclude (code, status),
    w.opens_on,
    w.closes_on,
    d.received_on >= w.opens_on as is_received,
    coalesce(left_on >= w.opens_on, true) as is_in_stock,
    d.returned_on between w.opens_on and w.closes_on and d.status not in ('withdrawn', 'refused') as is_returned,
    case
        when left_on < w.opens_on then 'left_before'
        when left_on > w.closes_on then 'in_progress'
        when d.status in ('withdrawn', 'refused') then d.status
        when left_on is not null then 'resolved'
        when d.status in ('suspended', 'waiting_for_supplement') then d.status
        else 'in_progress'
    end as outcome,
    coalesce(p.field, ?) as field,
    p.online_level,
    case
        when outcome <> 'resolved' then null
        when d.due_on is null then
            case when p.answered_at_once or c.code is not null then 'on_time' else 'unknown' end
        when left_on < d.due_on then 'early'
        when left_on > d.due_on then case when c.code is not null then 'on_time' else 'late' end
        else 'on_time'
    end as timeliness,
    outcome = 'in_progress' and d.due_on < w.closes_on as is_overdue
from (
    select
        *,
        coalesce(ended_on, case when status in ('withdrawn', 'refused') then cast(? as date) end) as left_on
    from delivered
) as d
inner join windows as w
    on d.received_on <= w.closes_on
    and (left_on is null or left_on >= w.opens_on or d.returned_on between w.opens_on and w.closes_on)
left join procedures as p on d.procedure_code = p.code
left join counted_on_time as c on d.code = c.code
"""

ROWS = """
with used_online as (
    select distinct procedure_code from cases
    where clock = 'reporting_window' and is_received and channel = 'Trực tuyến' and online_level in (3, 4)
)
select
    count(*) filter (where is_district and is_received) as "71",
    count(*) filter (where is_district and outcome = 'resolved') as "72",
    count(*) filter (where is_district and timeliness in ('early', 'on_time')) as "73",
    count(*) filter (where not is_district and is_received) as "74",
    count(*) filter (where not is_district and outcome = 'resolved') as "75",
    count(*) filter (where not is_district and timeliness in ('early', 'on_time')) as "76",
    cast("71" > 0 as bigint) as "169",
    count(distinct unit) filter (where not is_district and is_received) as "170",
    count(distinct procedure_code) filter (where is_received and channel = 'Trực tuyến' and online_level = 3) as "175",
    count(distinct procedure_code) filter (where is_received and channel = 'Trực tuyến' and online_level = 4) as "179",
    count(*) filter (where is_received and is_used_online) as "181",
    count(*) filter (where is_received and is_used_online and channel = 'Trực tuyến') as "182",
    count(distinct procedure_code) filter (where is_district and is_received and by_post) as "195",
    count(distinct procedure_code) filter (where is_district and is_returned and returned_by_post) as "196",
    count(*) filter (where is_district and is_received and by_post) as "197",
    count(*) filter (where is_district and is_returned and returned_by_post) as "198",
    count(distinct procedure_code) filter (where not is_district and is_received and by_post) as "201",
    count(distinct procedure_code) filter (where not is_district and is_returned and returned_by_post) as "202",
    count(*) filter (where not is_district and is_received and by_post) as "203",
    count(*) filter (where not is_district and is_returned and returned_by_post) as "204"
from (
    select
        cases.*,
        channel ilike '%bưu chính%' as by_post,
        return_channel ilike '%bưu chính%' as returned_by_post,
        procedure_code in (select procedure_code from used_online) as is_used_online
    from cases
    where clock = 'reporting_window'
)
"""

#: Columns (3) to (13) of the form, by field or by unit, of a level, and of all.
FORM_06A = """
select
    clock,
    case when of_all = 1 then 'total' when of_level = 1 then 'group' else 'row' end as row_kind,
    case when of_all = 1 then 'all' when is_district then 'district' else 'commune' end as level,
    name,
    received_online + received_otherwise + carried_over as to_resolve,
    received_online,
    received_otherwise,
    carried_over,
    early + on_time + late + unknown as resolved,
    early,
    on_time,
    late,
    within_due + overdue as in_progress,
    within_due,
    overdue
from (
    select
        clock,
        is_district,
        {of} as name,
        grouping(is_district) as of_all,
        grouping({of}) as of_level,
        count(*) filter (where is_received and channel = 'Trực tuyến') as received_online,
        count(*) filter (where is_received and channel <> 'Trực tuyến') as received_otherwise,
        count(*) filter (where not is_received) as carried_over,
        count(*) filter (where timeliness = 'early') as early,
        count(*) filter (
            where timeliness = 'on_time' or outcome in ('waiting_for_supplement', 'refused', 'withdrawn')
        ) as on_time,
        count(*) filter (where timeliness = 'late') as late,
        count(*) filter (where timeliness = 'unknown') as unknown,
        count(*) filter (
            where outcome = 'suspended' or (outcome = 'in_progress' and not coalesce(is_overdue, false))
        ) as within_due,
        count(*) filter (where is_overdue) as overdue
    from cases
    where is_in_stock
    group by grouping sets ((clock, is_district, {of}), (clock, is_district), (clock))
)
order by all
"""

Table = list[tuple[Any, ...]]


def figures(landing: Path, quarter: str, memory: str = "") -> tuple[dict[int, int], dict[str, Table]]:
    """The figures by row of the form, and the rows of form II.06a by ``field`` and by ``unit``.

    ``memory``: DuckDB's limit, such as ``512MB``; its own default where empty. All that lies in ``landing`` is of one
    district and its communes. By the calendar only what was delivered for the quarter itself is counted.
    """
    with duckdb.connect() as connection:
        if memory:
            connection.execute(f"set memory_limit = '{memory}'")
        closes_on = _windows(connection, quarter)
        _small_tables(connection, landing, quarter)
        files = sorted(str(path) for path in landing.glob(f"*/{quarter}/one_stop_cases/*.csv"))
        connection.execute(CASES, [files, _NO_FIELD, closes_on])
        row = connection.execute(ROWS).fetchone()
        assert row is not None
        names = [int(column[0]) for column in connection.description or ()]
        forms = {of: connection.execute(FORM_06A.format(of=of)).fetchall() for of in ("field", "unit")}
        return dict(zip(names, row, strict=True)), forms


def _windows(connection: duckdb.DuckDBPyConnection, quarter: str) -> dt.date:
    """Makes ``windows``: the period's days and those of its calendar quarter. Returns the day of its closing."""
    connection.execute(
        """
        create table windows as
        select 'reporting_window' as clock, opens_on, closes_on from read_csv($file) where quarter = $quarter
        union all
        select 'calendar_quarter', calendar_opens_on, calendar_closes_on from read_csv($file) where quarter = $quarter
        """,
        {"file": str(PERIODS), "quarter": quarter},
    )
    found = connection.execute("select closes_on from windows where clock = 'reporting_window'").fetchone()
    assert found is not None
    day: dt.date = found[0]
    return day


def _small_tables(connection: duckdb.DuckDBPyConnection, landing: Path, quarter: str) -> None:
    """Makes ``procedures`` of the catalogue and ``counted_on_time`` of the decisions: small workbooks."""
    connection.execute(
        "create table procedures (code varchar, field varchar, answered_at_once boolean, online_level integer)"
    )
    found = {}
    for row in sorted(_lines(landing, quarter, "procedure_catalogue", "Mã số TTHC"), key=_is_in_force):
        limit = str(row["Thời hạn rút ngắn"] or row["Thời hạn giải quyết"] or "").lower()
        level = str(row["Mức độ đang cung cấp"] or "").removeprefix("Mức độ ") if _is_in_force(row)[0] else ""
        found[row["Mã số TTHC"]] = [
            row["Mã số TTHC"],
            row["Lĩnh vực"],
            "ngay" in limit or "trong ngày" in limit,
            int(level) if level.isdigit() else None,
        ]
    connection.executemany("insert into procedures values (?, ?, ?, ?)", list(found.values()))
    connection.execute("create table counted_on_time (code varchar)")
    decided = [
        [row["Đối tượng"]]
        for row in _lines(landing, quarter, "decisions", "Mã giải trình")
        if row["Loại đối tượng"] == "Hồ sơ" and row["Cách xử lý"] == "Tính là đúng hạn"
    ]
    if decided:
        connection.executemany("insert into counted_on_time values (?)", decided)


def _is_in_force(row: Mapping[str, Any]) -> tuple[bool, str]:
    """The record that describes a procedure comes last: the one in force, of several the youngest."""
    announced = "-".join(reversed(str(row["Ngày công bố"] or "").split("/")))
    return not row["Ngày bãi bỏ, thay thế"], announced


def _lines(landing: Path, quarter: str, source: str, key: str) -> Iterator[dict[str, Any]]:
    """Rows of the workbooks of a source by the lowest heading above each column; ``key`` heads one that is filled."""
    for path in sorted(landing.glob(f"*/{quarter}/{source}/*.xlsx")):
        sheet = openpyxl.load_workbook(path, read_only=True).active
        assert sheet is not None
        heads: Sequence[Any] = ()
        for cells in sheet.iter_rows(values_only=True):
            if key in cells:
                heads = list(cells)
            elif heads and not any(isinstance(cell, int) for cell in cells[:1]):
                if heads[0] in cells or str(cells[0] or "").startswith("("):
                    continue
                heads = [low or head for low, head in zip(cells, heads, strict=False)] if cells[0] is None else heads
            elif heads:
                yield dict(zip(heads, cells, strict=False))


def main(landing: Path, quarter: str, memory: str = "") -> None:
    rows, forms = figures(landing, quarter, memory)
    sys.stdout.write(json.dumps({"rows": rows, "form_06a": forms}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
