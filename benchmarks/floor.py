"""The floor: what plain DuckDB needs to read the same case CSVs and count the case figures. Nothing is checked or kept.

Belongs here: the least work that gives rows 71 to 76 of the form from the delivered CSVs.
Does not belong here: anything the pipeline does beyond that; the difference is what lineage, gates and releases cost.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

COUNT = """
with cases as (
    select distinct on ("Mã hồ sơ")
        "Mã hồ sơ" as code,
        "Đơn vị tiếp nhận" like '%huyện%' as is_district,
        strptime("Ngày tiếp nhận", '%d/%m/%Y %H:%M:%S')::date as received_on,
        strptime(coalesce("Ngày hẹn trả mới", "Ngày hẹn trả"), '%d/%m/%Y %H:%M:%S')::date as due_on,
        strptime(coalesce("Ngày kết thúc xử lý", "Ngày trả kết quả"), '%d/%m/%Y %H:%M:%S')::date as ended_on,
        "Trạng thái" as status
    from read_csv(?, delim = ';', header = true, all_varchar = true, filename = false)
)
select
    count(*) as cases,
    count(*) filter (where is_district and received_on between ? and ?),
    count(*) filter (where is_district and ended_on between ? and ?),
    count(*) filter (where is_district and ended_on between ? and ? and (due_on is null or ended_on <= due_on)),
    count(*) filter (where not is_district and received_on between ? and ?),
    count(*) filter (where not is_district and ended_on between ? and ?),
    count(*) filter (where not is_district and ended_on between ? and ? and (due_on is null or ended_on <= due_on))
from cases
"""


def main(landing: Path, opens: str, closes: str, quarter: str) -> None:
    files = sorted(str(p) for p in landing.glob(f"*/{quarter}/one_stop_cases/*.csv"))
    row = duckdb.connect().execute(COUNT, [files, *[opens, closes] * 6]).fetchone()
    assert row is not None
    sys.stdout.write(" ".join(str(figure) for figure in row) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), "2022-12-15", "2023-03-14", sys.argv[2])
