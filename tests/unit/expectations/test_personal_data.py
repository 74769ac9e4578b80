"""Personal data are seen however they are written, and ordinary texts of reports are left in peace."""

from __future__ import annotations

import csv
import random
import time
from pathlib import Path

import pytest

from expectations.personal_data import Kind, kinds_of_personal_data
from expectations.texts import declared_texts
from ingestion import load_contracts
from publication.store.contracts import stored_contracts
from tests.support.personal_data import SEEN

SEEDS = Path(__file__).parents[3] / "dbt_project" / "seeds"
ORDINARY = """
Kế hoạch số 41/KH-UBND ngày 17/2/2023
Quyết định số 2085/QĐ-BNV ngày 31/12/2022 của Bộ Nội vụ
Nghị định số 61/2018/NĐ-CP ngày 23/4/2018 của Chính phủ
Thông tư 01/2020/TT-VPCP
Luật số 80/2015/QH13
123/BC-UBND
Thủ tục 1.001612.000.00.00.H51
1.004873.000.00.00.H51 và 2.000815.000.00.00.H51
Hồ sơ 000.00.16.H51-230105-0001
H51.17.19-230105-0001
Kinh phí 1.250.000.000 đồng
Kinh phí 352.123.456 đồng
84.912.000.210 đồng
215000000 đồng
Tổng 352.123.456
Từ ngày 15/12/2022 đến ngày 14/3/2023
15/12/2022-14/03/2023
15/12/2022 - 14/3/2023: 10 cuộc
2023-01-05 10:30:00
Năm 2021, 2022, 2023
Dòng 01,02,03,04,05
dòng 01, 02, 03, 04, 05, 06
01-02-03-04
Cô Tô, Bà Rịa - Vũng Tàu, huyện Bà Rịa
đường Hai Bà Trưng, đường Nguyễn Văn Linh, Trường THPT Nguyễn Thị Minh Khai
Thị trấn Sông Đốc, thị trấn Sông Ông Đốc
xã Nguyễn Văn Thảnh, huyện Bình Tân
Bà mẹ Việt Nam anh hùng
Thành phố Hồ Chí Minh; giải thưởng Hồ Chí Minh
Đồng chí Chủ tịch Ủy ban nhân dân huyện
ông/bà chủ hồ sơ
cho ông, bà, cha, mẹ, vợ, chồng
Thủ tục xác nhận cho Bà Mẹ Việt Nam Anh hùng
Nguyễn Trãi, Lê Lợi
đạt 47,37% (9/19 nhiệm vụ)
0,9123
611/611 hồ sơ
3.500 lượt 2.300 hồ sơ 1.200 văn bản
Công văn số 09/12/UBND
Quyết định số 0912/QĐ-UBND ngày 05/01/2023
Báo cáo số 012/BC-UBND và 0345/BC-UBND
QD-2023-001
QD-07, QD-08
GT-945-2023-01
tại thời điểm 14/3/2023 có 19 cơ quan
Số 1234567890/UBND-NV
Quý I năm 2023 so với quý IV năm 2022
UBND huyện Cù Lao Dung
Phòng Lao động - Thương binh và Xã hội
Trung tâm Phát triển quỹ đất
30 ngày làm việc; 15 ngày
Không quá 03 ngày làm việc kể từ ngày nhận đủ hồ sơ
anh, chị, em ruột
Hội nghị trực tuyến 24/24
1900
Bác Hồ
Tuyên truyền 12 cuộc, 350 lượt người dự
Điều 5, 6, 7 Nghị định 107/2021/NĐ-CP
III.23+III.24
2022-Q4, 2023-Q1
Có = 1; Không = 0
http://culaodung.soctrang.gov.vn
Phần mềm ISO 9001:2015
TCVN ISO 9001:2015 ngày 20/10/2022
Lô 1200 m2, 1.200.000 m2
Số 1.001.234.567 hồ sơ
945-PB01
Thời gian 08:00 - 11:30, 13:30 - 17:00
00945
Kế hoạch số 03/KH-UBND ngày 04/01/2023; Kế hoạch 05/KH-UBND ngày 06/01/2023
""".strip().splitlines()


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in SEEN.items() for text in texts])
def test_a_datum_is_seen_in_every_spelling_and_within_a_sentence(kind: Kind, text: str) -> None:
    assert kind in kinds_of_personal_data(text)
    assert kind in kinds_of_personal_data(f"Theo báo cáo số 12/BC-UBND ngày 14/3/2023: {text}, đã kiểm tra 19 đơn vị")


@pytest.mark.parametrize("text", ORDINARY)
def test_an_ordinary_text_holds_none(text: str) -> None:
    assert kinds_of_personal_data(text) == ()


def test_the_registers_of_units_and_the_form_hold_none() -> None:
    rows = [row for path in SEEDS.glob("*.csv") for row in csv.reader(path.open(encoding="utf-8-sig"))]
    texts = {cell for row in rows for cell in row}
    assert len(texts) > 20_000
    assert [text for text in sorted(texts) if kinds_of_personal_data(text)] == []


def test_any_separators_between_the_digits_of_a_number_change_nothing() -> None:
    """A property: every way to group the digits, with every usual sign, in every usual kind of digit."""
    chance = random.Random(9)
    kinds: tuple[tuple[Kind, str], ...] = (("phone", "0912000310"), ("identity_number", "094085000010"))
    for _ in range(2000):
        kind, digits = chance.choice(kinds)
        sign = chance.choice([" ", ".", "-", "\u2013", "/", "\u00a0", " - ", "\u2009", "_", ""])
        groups, rest = [], digits
        while rest:
            size = chance.choice([3, 4]) if len(rest) not in (2, 4, 5) else chance.choice([len(rest), 2])
            groups.append(rest[:size])
            rest = rest[size:]
        text = sign.join(groups)
        if kind == "identity_number" and {len(group) for group in groups} - {3, 4}:
            continue
        zero = chance.choice(["0", "\uff10", "\u0660"])
        text = "".join(chr(ord(zero) + int(c)) if c.isdigit() else c for c in text)
        assert kind in kinds_of_personal_data(text), ascii(text)


def test_amounts_are_no_numbers_of_persons() -> None:
    chance = random.Random(10)
    for _ in range(500):
        amount = f"{chance.randrange(10**5, 10**11):,}".replace(",", ".")
        assert kinds_of_personal_data(f"Kinh phí {amount} đồng") == (), amount


@pytest.mark.parametrize(
    "text", ["x" * 100_000, "1 " * 5_000, "Nguyễn " * 5_000, "0." * 5_000, "a@" * 100, " at " * 9_000]
)
def test_no_text_takes_long(text: str) -> None:
    begun = time.process_time()
    kinds_of_personal_data(text)
    assert time.process_time() - begun < 5


@pytest.mark.parametrize("before", [0, 7_580, 7_590, 7_600, 7_995, 15_195, 99_000])
def test_a_datum_is_seen_wherever_it_stands_in_a_long_text(before: int) -> None:
    text = "lời dài " * (before // 8) + " " * (before % 8) + "gọi 0912 000 310, rồi thôi. " + "lời dài " * 500
    assert kinds_of_personal_data(text) == ("phone",)


# --- the declaration ------------------------------------------------------------------------------------------------


def test_declared_texts_are_columns_that_sources_have() -> None:
    contracts = load_contracts()
    for source, column in declared_texts().columns:
        assert column in contracts[source].arrow_schema().names, (source, column)


def test_columns_without_words_are_columns_of_published_tables() -> None:
    columns = {column.name for contract in stored_contracts().values() for column in contract.columns}
    assert declared_texts().not_words <= columns
