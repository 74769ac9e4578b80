"""Case exports as offices really deliver them: furniture, spellings, bad rows, and both CSV ways."""

from __future__ import annotations

import datetime as dt
import unicodedata
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.base.contracts import Duplicates, load_contracts
from ingestion.base.reference import ReferenceData
from ingestion.reading.csv_files import CsvSheet
from ingestion.reading.fastcsv import scan_text
from ingestion.reading.grid import DictionaryColumn
from ingestion.rows.furniture import Surroundings, find_furniture
from ingestion.rows.headers import HeaderMap, find_layout
from ingestion.rows.parsing import parse_rows
from ingestion.rows.resolve import Context, ProcedureEntry, ProcedureRegistry, UnitRegistry
from ingestion.rows.rules import Rows, repeated_keys

HEAD = [
    "STT",
    "Mã hồ sơ",
    "Mã TTHC",
    "Tên TTHC",
    "Chủ hồ sơ",
    "Đơn vị tiếp nhận",
    "Ngày tiếp nhận",
    "Ngày hẹn trả",
    "Ngày kết thúc xử lý",
    "Trạng thái",
    "Hình thức nộp",
]


def case(number: int, **cells: Any) -> list[Any]:
    row: dict[str, Any] = {
        "STT": number,
        "Mã hồ sơ": f"000.00.04.H51-230102-{number:04}",
        "Mã TTHC": "1.004946",
        "Chủ hồ sơ": "Nguyễn Văn Ẩn",
        "Đơn vị tiếp nhận": "TT. Cù Lao Dung",
        "Ngày tiếp nhận": "02/01/2023 08:00",
        "Ngày hẹn trả": "05/01/2023",
        "Ngày kết thúc xử lý": "03/01/2023",
        "Trạng thái": "Đã giải quyết đúng hạn",
        "Hình thức nộp": "Trực tiếp",
    } | cells
    return [row.get(title) for title in HEAD]


def test_only_rows_of_the_table_are_rows(registers: Any) -> None:
    registers.workbook(
        "one_stop_cases",
        [
            ["UBND HUYỆN CÙ LAO DUNG", None, None, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"],
            [None, None, None, "Độc lập - Tự do - Hạnh phúc"],
            ["DANH SÁCH HỒ SƠ"],
            ["Từ ngày 15/12/2022 đến ngày 14/03/2023"],
            [],
            HEAD,
            [f"({i})" for i in range(1, 12)],
            ["I", "Lĩnh vực Hộ tịch"],
            case(1),
            case(2),
            [],
            HEAD,
            case(3),
            ["Tổng cộng", None, None, 3],
            [None] * 6 + ["Cù Lao Dung, ngày 15 tháng 3 năm 2023"],
            [None, "Người lập biểu", None, None, "Thủ trưởng đơn vị"],
            [None, "Trần Thị B", None, None, "Lê C"],
        ],
        first_row=3,
        first_column=2,
    )
    registers.ingest()
    found = registers.delivery("one_stop_cases")
    assert (found["outcome"], found["rows_read"], found["rows_accepted"]) == ("accepted", 3, 3)
    assert [r["_row"] for r in registers.rows("one_stop_cases")] == [12, 13, 16]
    assert (found["reporting_window_from"], found["reporting_window_to"]) == (
        dt.date(2022, 12, 15),
        dt.date(2023, 3, 14),
    )


def test_a_header_of_three_rows_with_groups_is_found(registers: Any) -> None:
    registers.workbook(
        "one_stop_cases",
        [
            [
                "TT",
                "Mã hồ sơ",
                "Tên TTHC",
                "Cơ quan chủ trì giải quyết",
                "Ngày, tháng, năm",
                None,
                None,
                "Tình trạng",
                "Hình thức",
            ],
            [None, None, None, None, "Nhận hồ sơ", "Hẹn trả kết quả", "Trả kết quả"],
            [str(i) for i in range(1, 10)],
            [
                1,
                "000.00.04.H51-230102-0001",
                "Đăng ký khai sinh",
                "UBND xã An Thạnh 1",
                "02/01/2023",
                "05/01/2023",
                "04/01/2023",
                "10",
                "1",
            ],
        ],
    )
    registers.ingest()
    (row,) = registers.rows("one_stop_cases")
    assert row["procedure_code"] == "1.004946"
    assert (row["received_at"], row["due_at"], row["returned_at"]) == tuple(dt.datetime(2023, 1, d) for d in (2, 5, 4))
    assert (row["receiving_unit"], row["status"], row["channel"]) == ("31618", "returned", "direct")


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"Mã hồ sơ": "abc"}, "bad_case_code"),
        ({"Mã hồ sơ": None}, "missing_value"),
        ({"Ngày tiếp nhận": "31/02/2023"}, "impossible_date"),
        ({"Ngày tiếp nhận": "15/03/2023"}, "after_closing"),
        ({"Ngày tiếp nhận": None}, "missing_value"),
        ({"Ngày kết thúc xử lý": "01/01/2023"}, "finished_before_received"),
        ({"Ngày kết thúc xử lý": None}, "resolved_without_date"),
        ({"Ngày hẹn trả": "01/01/2023"}, "due_before_received"),
        ({"Đơn vị tiếp nhận": "Cù Lao Dung"}, "ambiguous_unit"),
        ({"Đơn vị tiếp nhận": "Xã Ninh Thới"}, "unknown_unit"),
        ({"Trạng thái": "Đang bay"}, "unknown_label"),
        ({"Mã TTHC": None}, "missing_one_of"),
        ({"Mã TTHC": None, "Tên TTHC": "Không có thật"}, "unknown_procedure"),
        (
            {
                "Mã TTHC": None,
                "Tên TTHC": "Cấp phép cũ",
                "Ngày tiếp nhận": "01/02/2023",
                "Ngày kết thúc xử lý": "02/02/2023",
                "Ngày hẹn trả": None,
            },
            "procedure_not_in_force",
        ),
        ({"Mã TTHC": 1.0049}, "bad_procedure_code"),
        ({"Trạng thái": "Hä vµ tªn"}, "broken_text"),
    ],
)
@pytest.mark.parametrize("as_csv", [False, True])
def test_a_bad_row_is_rejected_alone_and_with_its_reason(
    registers: Any, cells: dict[str, Any], reason: str, as_csv: bool
) -> None:
    (registers.csv if as_csv else registers.workbook)("one_stop_cases", [HEAD, case(1), case(2, **cells), case(3)])
    registers.ingest()
    found = registers.delivery("one_stop_cases")
    assert (found["outcome"], found["rows_accepted"], found["rows_rejected"]) == ("partly_accepted", 2, 1)
    assert (3, reason) in [(row, code) for row, _, code in registers.reasons("one_stop_cases")]


def test_names_of_units_in_many_spellings(registers: Any) -> None:
    names = {
        "Thị trấn Cù Lao Dung": "31615",
        "TT. Cù Lao Dung": "31615",
        "UBND TT Cù Lao Dung": "31615",
        "UBND xã An Thạnh 1": "31618",
        "an thanh 1": "31618",
        "XÃ AN THẠNH 1": "31618",
        "Ủy ban nhân dân xã An Thạnh Tây": "31621",
        "UBND huyện Cù Lao Dung": "945",
        "Huyện Cù Lao Dung": "945",
        "Bộ phận Một cửa huyện Cù Lao Dung": "945",
        "Bo phan mot cua xa An Thanh Dong": "31624",
        "Phòng Nội vụ": "945-PB01",
        "PNV": "945-PB01",
        "Phòng Nội vụ huyện Cù Lao Dung": "945-PB01",
        "945-PB02": "945-PB02",
    }
    registers.workbook("one_stop_cases", [HEAD, *(case(i, **{"Đơn vị tiếp nhận": n}) for i, n in enumerate(names))])
    registers.ingest()
    assert [r["receiving_unit"] for r in registers.rows("one_stop_cases")] == list(names.values())


def test_the_unit_may_stand_in_the_title_block(registers: Any) -> None:
    head = [t for t in HEAD if t != "Đơn vị tiếp nhận"]
    row = [c for t, c in zip(HEAD, case(1), strict=True) if t != "Đơn vị tiếp nhận"]
    registers.workbook(
        "one_stop_cases", [["UBND HUYỆN CÙ LAO DUNG"], ["UBND XÃ AN THẠNH 2"], [], head, row], unit="31630"
    )
    registers.ingest()
    assert [r["receiving_unit"] for r in registers.rows("one_stop_cases")] == ["31630"]


def test_a_case_twice_in_one_file_is_kept_once_and_the_first_is_named(registers: Any) -> None:
    registers.workbook("one_stop_cases", [HEAD, case(1), case(2), case(1), case(2, **{"Trạng thái": "Đã trả"})])
    registers.ingest()
    assert [r["_row"] for r in registers.rows("one_stop_cases")] == [2, 3]
    rejected = registers.rows("one_stop_cases", "rejected")
    assert [(r["_row"], r["reason_code"]) for r in rejected] == [(4, "duplicate_row"), (5, "duplicate_key")]
    assert "dòng 2" in rejected[0]["reason_vi"]
    assert "dòng 3" in rejected[1]["reason_vi"]


def test_what_a_contract_calls_a_finding_is_kept_and_said(registers: Any) -> None:
    head = [*HEAD, "Ngày trả kết quả", "Ngày hẹn trả mới"]
    registers.workbook(
        "one_stop_cases",
        [
            head,
            [*case(1), "02/01/2023 09:00", None],
            [*case(2), None, "04/01/2023"],
            [*case(3), "03/01/2023", "06/01/2023"],
        ],
    )
    registers.ingest()
    assert len(registers.rows("one_stop_cases")) == 3
    findings = registers.rows("one_stop_cases", "findings")
    assert [(r["_row"], r["reason_code"]) for r in findings] == [
        (2, "returned_before_finished"),
        (3, "extended_before_due"),
    ]
    assert all(r["reason_vi"] and r["advice_vi"] for r in findings)


def test_the_contract_says_whether_a_repeated_key_is_rejected_or_kept() -> None:
    strict = load_contracts()["one_stop_cases"]
    kept = strict.model_copy(update={"duplicates": Duplicates(same_content="finding", other_content="reject")})
    codes = pa.array(["A", "B", "A", "B"])
    rows = Rows(
        {"case_code": codes, "field": pa.array(["x", "y", "x", "z"])}, np.full(4, "s", dtype=object), np.arange(2, 6)
    )
    for contract, effects in ((strict, [True, True]), (kept, [False, True])):
        found = list(repeated_keys(rows, contract, np.zeros(4, dtype=bool)))
        assert [(r.remark.code, r.rejects) for r in found] == [
            ("duplicate_row", effects[0]),
            ("duplicate_key", effects[1]),
        ]


def test_a_code_of_another_day_is_a_finding_and_the_row_is_kept(registers: Any) -> None:
    registers.workbook(
        "one_stop_cases", [HEAD, case(1, **{"Ngày tiếp nhận": "03/01/2023"}), case(2, **{"Mã TTHC": "9.123456"})]
    )
    registers.ingest()
    assert len(registers.rows("one_stop_cases")) == 2
    assert [r["reason_code"] for r in registers.rows("one_stop_cases", "findings")] == [
        "code_date_differs",
        "procedure_not_in_catalogue",
    ]
    assert registers.delivery("one_stop_cases")["rows_with_findings"] == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_in_every_encoding_and_delimiter(registers: Any, encoding: str, delimiter: str) -> None:
    registers.csv("one_stop_cases", [HEAD, case(1), case(2)], encoding=encoding, delimiter=delimiter)
    registers.ingest()
    assert [(r["_row"], r["receiving_unit"]) for r in registers.rows("one_stop_cases")] == [(2, "31615"), (3, "31615")]


def test_csv_in_windows_1258(registers: Any) -> None:
    tones = "\u0300\u0301\u0303\u0309\u0323"

    def for_1258(cell: Any) -> Any:
        """Windows-1258 has letters with quality marks; tones that it has no letter for follow as combining marks."""
        if not isinstance(cell, str):
            return cell
        letters = []
        for letter in cell:
            marks = unicodedata.normalize("NFD", letter)
            base = unicodedata.normalize("NFC", "".join(m for m in marks if m not in tones))
            whole = bool(letter.encode("cp1258", "ignore"))
            letters.append(letter if whole else base + "".join(m for m in marks if m in tones))
        return "".join(letters)

    rows = [[for_1258(c) for c in row] for row in [HEAD, case(1), case(2)]]
    registers.csv("one_stop_cases", rows, encoding="cp1258")
    registers.ingest()
    assert [r["status"] for r in registers.rows("one_stop_cases")] == ["finished", "finished"]


def test_a_line_with_a_wrong_number_of_fields_is_rejected_and_the_rest_kept(registers: Any) -> None:
    path = registers.csv("one_stop_cases", [HEAD, case(1), case(2), case(3)])
    lines = path.read_bytes().decode().split("\r\n")
    lines[2] = lines[2].rsplit(",", 2)[0]
    path.write_text("\r\n".join(lines), encoding="utf-8", newline="")
    registers.touch(path)
    registers.ingest()
    assert [r["_row"] for r in registers.rows("one_stop_cases")] == [2, 4]
    assert (3, "", "wrong_field_count") in registers.reasons("one_stop_cases")


def test_an_unclosed_quote_refuses_the_file_and_names_the_line(registers: Any) -> None:
    path = registers.csv("one_stop_cases", [HEAD, case(1), case(2), case(3)])
    text = path.read_text(encoding="utf-8").replace("Nguyễn Văn Ẩn", '"Nguyễn', 2).replace('"Nguyễn', "Nguyễn", 1)
    path.write_text(text, encoding="utf-8", newline="")
    registers.touch(path)
    registers.ingest()
    found = registers.delivery("one_stop_cases")
    assert found["outcome"] == "refused"
    assert "dòng 3" in found["message_vi"]


def test_a_line_break_inside_quotes_keeps_true_line_numbers(registers: Any) -> None:
    registers.csv("one_stop_cases", [HEAD, case(1, **{"Chủ hồ sơ": "Nguyễn\nVăn Ẩn"}), case(2)])
    registers.ingest()
    assert [r["_row"] for r in registers.rows("one_stop_cases")] == [2, 4]


CELLS = {
    "Mã hồ sơ": [
        "000.00.04.H51-230102-0001",
        "000.00.04.h51–230102-0002",
        "00352112000539",
        "abc",
        "",
        "H51.32-230316-0012",
    ],
    "Mã TTHC": ["1.004946", "1.004946.000.00.00.H51", "1,004946", "1.00495", "", "9.999999"],
    "Tên TTHC": ["Đăng ký khai sinh", "CHUNG THUC BAN SAO", "Không có", ""],
    "Đơn vị tiếp nhận": ["TT. Cù Lao Dung", "An Thanh 1", "Cù Lao Dung", " UBND xã An Thạnh 1 ", ""],
    "Ngày tiếp nhận": [
        "02/01/2023",
        "02/01/2023 08:00",
        "2/1/2023 8:05:09",
        "2023-01-02",
        "29/02/2023",
        "30/02/2023",
        "15/03/2023",
        "14/03/2023 23:59:59",
        "",
        "31/04/2022",
        " 03/01/2023 ",
    ],
    "Ngày hẹn trả": ["05/01/2023", "20230105", "x", "", "29/02/2024", "31/12/2022 24:00"],
    "Ngày kết thúc xử lý": ["03/01/2023 08:01", "01/01/2023", ""],
    "Trạng thái": ["9", "Đang xử lý", "da tra ket qua", "?", ""],
    "Hình thức nộp": ["1", "Trực tuyến", "Sá»‘", ""],
}


@pytest.fixture(scope="module")
def context(reference: ReferenceData) -> Context:
    period = reference.periods["2023-Q1"]
    district = reference.unit("945", period.closes_on)
    assert district is not None
    procedures = [
        ProcedureEntry("1.004946", "Đăng ký khai sinh", dt.date(2020, 1, 1)),
        ProcedureEntry("2.000815", "Chứng thực bản sao", dt.date(2020, 1, 1)),
    ]
    units = UnitRegistry(district, reference.parts_of("945", period.closes_on))
    return Context(period, district, units, ProcedureRegistry(procedures), (), b"k" * 32)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.fixed_dictionaries({k: st.sampled_from(c) for k, c in CELLS.items()}), min_size=1, max_size=12))
def test_the_columnar_and_the_rowwise_way_give_the_same(context: Context, rows: list[dict[str, str]]) -> None:
    titles = list(CELLS)
    text = "\r\n".join(";".join(line) for line in [titles, *([r[t] for t in titles] for r in rows)])
    sheet = CsvSheet(text.encode(), ";", scan_text(text.encode()))
    headers = HeaderMap.of(load_contracts()["one_stop_cases"], context.period.closes_on)
    layout = find_layout(sheet, headers)
    assert layout is not None
    columnar, rowwise = sheet.columnar_body(1, len(titles)), sheet.rowwise_body(1, len(titles))
    assert columnar is not None
    once = [DictionaryColumn(column.cells.dictionary_encode()) for column in columnar.columns]  # type: ignore[attr-defined]
    outcomes = []
    for body in (columnar, rowwise, replace(columnar, columns=once)):
        furniture = find_furniture(body, layout, headers.contract, Surroundings())
        parsed, remarks = parse_rows("csv", body.keep(furniture.data), layout, headers.contract, context)
        outcomes.append(
            (
                {name: values.to_pylist() for name, values in parsed.columns.items()},
                parsed.numbers.tolist(),
                furniture.counts,
                sorted((r.rows.tolist(), r.column, r.value, r.remark.code, r.rejects) for r in remarks),
            )
        )
        assert np.array_equal(body.row_numbers, np.arange(2, 2 + len(rows)))
    assert outcomes[0] == outcomes[1] == outcomes[2]
