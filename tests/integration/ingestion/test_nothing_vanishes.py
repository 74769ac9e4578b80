"""Every row with something in it is accepted, rejected with a reason, or furniture with the reason that proves it."""

from __future__ import annotations

import random
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ingestion import read_deliveries
from ingestion.base.contracts import Contract, load_contracts
from ingestion.clerk.fields import template_columns
from ingestion.rows.furniture import REASONS
from tests.support.templates import PROVINCE_REGISTER, example_row, of_whom, unit_of

# Words with which names and contents begin, and totals, page lines, ordinals and signatures too.
BEGINNINGS = [
    "Tổng hợp", "Tổng kết", "Tổng", "Tống", "Cộng tác", "Cộng", "Công khai", "Công nhận", "Công", "Cống", "Lũy",
    "Trong", "Trang", "Trạng", "Trưởng", "Trương", "Chủ", "Chu", "Kế", "Giám", "Nơi", "Người", "Không phát", "I.",
    "II.", "A.",
    "Ghi", "Ngày", "Thủ", "Xác", "Phó", "Ký", "Lưu", "KT.", "TM.", "1.", "TONG", "CONG",
]  # fmt: skip
SOURCES = sorted(load_contracts())


def head_and_row(contract: Contract) -> tuple[list[str], dict[str, str]]:
    columns = template_columns(contract)
    return [c.title_vi for c in columns], _example(contract)


def _example(contract: Contract) -> dict[str, str]:
    """A row without a fault; what only a province delivers is about a unit of it, by its code."""
    return example_row(contract) | of_whom(contract)


def incomplete(contract: Contract) -> list[list[str | None]]:
    """Rows that lack required cells and have a text that begins with each of the words: only it, it and a number,
    and all but one required cell.
    """
    columns = template_columns(contract)
    example = _example(contract)
    texts = [i for i, c in enumerate(columns) if c.type == "text"]
    required = [i for i, c in enumerate(columns) if c.required]
    whole: list[str | None] = [example[c.name] for c in columns]
    rows: list[list[str | None]] = []
    for word in BEGINNINGS:
        for text in texts:
            said = f"{word} Văn Thắng {len(rows)}"
            alone: list[str | None] = [None] * len(columns)
            alone[text] = said
            rows.append(alone)
            for missing in required:
                if missing != text:
                    lacking = list(whole)
                    lacking[missing], lacking[text] = None, said
                    rows.append(lacking)
    return rows


@pytest.mark.parametrize("source", SOURCES)
def test_a_row_that_lacks_a_required_cell_is_rejected_whatever_it_begins_with(home: Any, source: str) -> None:
    contract = load_contracts()[source]
    head, example = head_and_row(contract)
    whole = [example[c.name] for c in template_columns(contract)]
    # Behind a column that numbers the rows; alone in the first column a text heads a group.
    rows = [[n, *row] for n, row in enumerate(incomplete(contract), 2)]
    if not rows:
        assert not any(c.type == "text" for c in contract.columns)
        return
    if contract.names_departments:
        home.workbook("org_units", PROVINCE_REGISTER, unit=unit_of(source))
        home.ingest(sources=["org_units"])
    home.workbook(source, [["STT", *head], [1, *whole], *rows], unit=unit_of(source))
    home.ingest(sources=[source])
    found = home.delivery(source)
    assert found["outcome"] == "partly_accepted", found["message_vi"]
    assert found["rows_read"] == 1 + len(rows)
    assert {r["kind"] for r in home.layer("furniture", found)} == {"header"}


HEAD = ["STT", "Loại kế hoạch", "Mã nhiệm vụ", "Nội dung", "Số lượng theo kế hoạch", "Tình trạng", "Ngày hoàn thành"]
PLANS = ["Kế hoạch CCHC năm", "Tuyên truyền CCHC", "Kiểm tra CCHC", "Thanh tra"]


def random_table(rng: random.Random) -> tuple[list[list[Any]], Counter[str]]:
    """A table with furniture of every kind, and how many rows of each kind it has."""
    truth: Counter[str] = Counter()
    rows: list[list[Any]] = []

    def put(kind: str, *cells: Any) -> None:
        truth[kind] += 1
        rows.append([*cells, *[None] * (len(HEAD) - len(cells))])

    put("title", "UBND HUYỆN", None, None, None, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM")
    put("title", "Từ ngày 15/12/2022 đến ngày 14/03/2023")
    put("header", *HEAD)
    if rng.random() < 0.5:
        put("numbering", *[f"({n})" for n in range(1, len(HEAD) + 1)])
    number = whole = 0
    for group in range(rng.randint(1, 4)):
        is_grouped = rng.random() < 0.7
        if is_grouped:
            ordinal = ["I", "II", "III", "IV"][group]
            put("group", ordinal, rng.choice(["Nhóm nhiệm vụ chung", "Tổng kết năm", "Công tác tuyên truyền"]))
        of_group = 0
        for _ in range(rng.randint(2, 6)):
            number, quantity = number + 1, rng.randint(1, 50)
            of_group += quantity
            content = f"{rng.choice(BEGINNINGS)} nội dung {number}"
            row = [number, rng.choice(PLANS), f"NV-{number:02}", content, quantity, "Hoàn thành", "10/01/2023"]
            if rng.random() < 0.2:
                row[rng.choice([1, 2])] = None
                put("rejected", *row)
            else:
                put("accepted", *row)
            if rng.random() < 0.1:
                rows.append([None] * len(HEAD))
            if rng.random() < 0.1:
                put("footer", f"Trang {number}")
                put("header", *HEAD)
        if is_grouped and rng.random() < 0.5:
            label = rng.choice(["Cộng", f"Cộng nhóm {ordinal}", "Tổng nhóm này"])
            put("total", None, label, None, None, of_group)
        whole += of_group
    if rng.random() < 0.7:
        label = rng.choice(["Tổng cộng", "TỔNG SỐ", f"Tổng cộng: {number} nhiệm vụ", "Tổng cộng toàn huyện"])
        put("total", label, None, None, None, whole)
    if rng.random() < 0.3:
        put("footer", None, None, None, "Trang 1")
    if rng.random() < 0.7:
        put("footer", None, None, None, None, "Cù Lao Dung, ngày 15 tháng 3 năm 2023")
        put("footer", None, "NGƯỜI LẬP BIỂU", None, None, "THỦ TRƯỞNG ĐƠN VỊ")
        put("footer", None, "(Ký, ghi rõ họ tên)", None, None, "(Ký tên, đóng dấu)")
        put("footer", None, "Trần Thị Mỹ", None, None, "Lê Văn Bảy")
    return rows, truth


@pytest.mark.parametrize("seed", range(8))
def test_every_row_of_a_random_table_is_what_it_is(home: Any, seed: int) -> None:
    rows, truth = random_table(random.Random(seed))
    home.workbook("plan_tasks", rows)
    home.ingest(sources=["plan_tasks"])
    found = home.delivery("plan_tasks")
    assert found["outcome"] != "refused", found["message_vi"]
    kinds = Counter(r["kind"] for r in home.layer("furniture", found))
    kinds.update(accepted=found["rows_accepted"], rejected=found["rows_rejected"])
    assert +kinds == +truth


def filled_rows(path: Path) -> int:
    """Rows with something in them, by another reader."""
    book = openpyxl.load_workbook(path, read_only=True)
    try:
        return sum(
            any(cell is not None and str(cell).strip() for cell in row)
            for sheet in book.worksheets
            for row in sheet.iter_rows(values_only=True)
        )
    finally:
        book.close()


def test_another_reader_counts_as_many_rows_as_were_accounted_for(registers: Any) -> None:
    registers.ingest()
    checked = 0
    for d in read_deliveries(registers.paths).to_pylist():
        path = registers.paths.landing / d["path"]
        if path.suffix != ".xlsx" or d["outcome"] == "refused":
            continue
        furniture = registers.layer("furniture", d)
        assert all(r["reason"] in REASONS[r["kind"]] for r in furniture)
        places = [(r["_sheet"], r["_row"]) for layer in ("lake", "rejected", "furniture")
                  for r in registers.layer(layer, d)]  # fmt: skip
        assert len(set(places)) == d["rows_accepted"] + d["rows_rejected"] + len(furniture)
        assert filled_rows(path) == len(set(places)), d["path"]
        checked += 1
    assert checked > 1


# -------------------------------------------------------------------------------------------------------- signatures

SIGNED = [
    ("NGƯỜI LẬP BIỂU", "THỦ TRƯỞNG ĐƠN VỊ"),
    ("Người lập bảng", "KT. CHỦ TỊCH"),
    ("Người tổng hợp", "TM. ỦY BAN NHÂN DÂN"),
    ("Nơi nhận:", "TL. CHỦ TỊCH"),
    ("CÁN BỘ THỐNG KÊ", "CHỦ TỊCH UBND XÃ"),
    ("Người báo cáo", "Trưởng phòng Nội vụ"),
]
TABLES = {
    "declared_returns": (
        ["STT", "Mã chỉ tiêu", "Chỉ tiêu", "Số liệu", "Ghi chú"],
        [1, "III.23", "Số hồ sơ TTHC do UBND cấp huyện tiếp nhận", "12", None],
    ),
    "plan_tasks": (
        ["STT", "Loại kế hoạch", "Nội dung", "Mã nhiệm vụ", "Ngày hoàn thành"],
        [1, "Tuyên truyền", "Đưa tin", "NV-1", "10/01/2023"],
    ),
    "survey_responses": (
        ["Số phiếu", "Hình thức", "Ngày trả lời", "Đánh giá chung"],
        ["P1", "Phiếu giấy", "10/01/2023", "Hài lòng"],
    ),
}


@pytest.mark.parametrize("source", sorted(TABLES))
def test_a_signature_below_the_table_is_furniture_in_any_columns(home: Any, source: str) -> None:
    head, row = TABLES[source]
    width = len(head)
    for n, (left, right) in enumerate(combinations(range(width), 2)):
        signed = SIGNED[n % len(SIGNED)]
        dated, hint, names = "Trần Đề, ngày 15 tháng 3 năm 2023", "(Ký, ghi rõ họ tên)", ("Lý Thị Hoa", "Kim Bảy")
        lines = [(dated, None), signed, (hint, None), names]
        block: list[list[Any]] = []
        for one, other in lines:
            cells: list[Any] = [None] * width
            cells[left], cells[right] = one, other
            block.append(cells)
        home.workbook(source, [head, row, *block], name=f"{n}.xlsx")
    home.ingest(sources=[source])
    found = read_deliveries(home.paths).to_pylist()
    assert len(found) == width * (width - 1) // 2
    assert [(d["outcome"], d["rows_read"], d["message_vi"]) for d in found if d["rows_read"] != 1] == []
    assert all(d["rows_rejected"] == 0 for d in found)


@pytest.mark.parametrize(
    ("source", "last"),
    [
        ("declared_returns", [2, "III.24", "Người lập biểu", "5", None]),
        ("declared_returns", [2, "THỦ TRƯỞNG", None, "5", None]),
        ("plan_tasks", [2, "Tuyên truyền", "Chủ tịch", "NV-2", None]),
        ("plan_tasks", [2, "Thanh tra", "Người lập biểu", "Giám đốc", None]),
        ("survey_responses", ["P2", "Phiếu giấy", None, "Hài lòng"]),
        ("survey_responses", ["Nơi nhận", "Phiếu giấy", "11/01/2023", "Hài lòng"]),
    ],
)
def test_a_row_that_looks_like_a_signature_is_still_a_row(home: Any, source: str, last: list[Any]) -> None:
    head, row = TABLES[source]
    home.workbook(source, [head, row, last])
    home.ingest(sources=[source])
    assert home.delivery(source)["rows_read"] == 2
