"""What the narrative check sees beside figures: statements, days, documents, indexes, wording."""

from __future__ import annotations

import time

import pytest

from expectations import spoilt_symbols
from publication.narrative import WrittenReport, check_written
from publication.narrative.statements import Statement, declared_statements
from publication.narrative.text import places
from tests.support.narrative import HELD_OUT, INVENTED, REAL, letter_rows, marts, report

HEADING = ("II. NHẬN XÉT", "2. Hạn chế")


def _kinds(text: str, decided: frozenset[str] = frozenset()) -> list[str]:
    checked = check_written(WrittenReport((*HEADING, text), ()), marts(REAL), REAL, decided)
    return [remark.kind for remark in checked.text_remarks if remark.line]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("statement", "Một số hồ sơ của cấp huyện còn trễ hạn."),
        ("statement", "Cấp xã còn để xảy ra tình trạng hồ sơ trễ hạn."),
        ("statement", "Tình trạng trễ hẹn hồ sơ vẫn còn xảy ra ở một số phòng của huyện."),
        ("statement", "Vẫn còn hồ sơ giải quyết chậm so với quy định."),
        ("statement", "Một số người dân chưa hài lòng với thời gian giải quyết."),
        ("statement", "Có phiếu đánh giá ở mức bình thường."),
        ("statement", "UBND huyện không tổ chức đối thoại với người dân trong quý."),
        ("statement", "Huyện chưa ban hành kế hoạch rà soát TTHC năm 2023."),
        ("doubt", "Một số xã cập nhật chưa kịp thời kết quả giải quyết hồ sơ."),
        ("as_of_day", "Số liệu tổng hợp đến ngày 20/3/2023."),
        ("as_of_day", "Số liệu chốt đến 31/3."),
        ("as_of_day", "Tính đến hết tháng 3 năm 2023, công việc ổn định."),
        ("as_of_day", "Tính đến ngày 14 tháng 12 năm 2022, công việc ổn định."),
        ("as_of_day", "Từ ngày 01/01/2023 đến ngày 31/3/2023, công việc ổn định."),
        ("index_year", "Kết quả Chỉ số CCHC năm 2023 của huyện đạt loại tốt."),
        ("index_year", "Chỉ số SIPAS năm 2023 xếp thứ hai."),
        ("document_symbol", "Theo Quyết định số 12/QĐ-ubnd và Tờ trình số 5/TTr-Phòng Nội vụ."),
        ("document_date", "Kế hoạch số 03/KH-UBND ngày 05/01/2023 của UBND huyện."),
        ("document_date", "Kế hoạch số 99/KH-UBND ngày 31/02/2023 của UBND huyện."),
        ("wording", "Các cơ quan đơn đốc việc thực hiện."),
        ("wording", "Đã phát hành văn bản điện tử và phát hành văn bản điện tử có ký số."),
        ("wording", "Tiếp tục xây dựng Chính phủ điện tử tại huyện."),
    ],
)
def test_what_is_odd_is_told(kind: str, text: str) -> None:
    assert kind in _kinds(text)


@pytest.mark.parametrize(
    "text",
    [
        "Phấn đấu không để hồ sơ trễ hạn trong quý tới.",
        "Huyện chỉ đạo khắc phục ngay tình trạng hồ sơ trễ hạn.",
        "Không còn hồ sơ trễ hạn so với quý trước.",
        "Hồ sơ trễ hạn (nếu có) phải có phiếu xin lỗi.",
        "Các cơ quan thông báo kịp thời khi hồ sơ bị trễ hạn.",
        "Đến hết ngày 14/3/2023, huyện đã giải quyết 611 hồ sơ.",
        "Từ ngày 15/12/2022 đến ngày 14/3/2023, huyện tiếp nhận 1.145 hồ sơ.",
        "Trước ngày 30/6/2023, các xã hoàn thành số hóa kết quả.",
        "Hoàn thành việc rà soát đến hết ngày 30/6/2023 theo kế hoạch.",
        "So với cùng kỳ (tính đến ngày 14/3/2022), số hồ sơ tăng.",
        "Kế hoạch nâng cao chỉ số cải cách hành chính năm 2023 được triển khai.",
        "UBND tỉnh công bố chỉ số cải cách hành chính năm 2022 của các huyện.",
        "Hội nghị công bố chỉ số cải cách hành chính được tổ chức trong năm 2023.",
        "Năm 2022, chỉ số PAR INDEX của huyện xếp thứ 3/11.",
        "Tiếp tục thực hiện Nghị quyết số 17/NQ-CP về phát triển Chính phủ điện tử.",
        "Đường truyền hoạt động ở mức bình thường.",
        "Không có ý kiến đánh giá ở mức bình thường.",
        "Cơ chế một cửa, cơ chế một cửa liên thông được thực hiện tốt.",
        "Từng bước, từng bước hoàn thiện chính quyền số.",
        "Trong năm cán bộ, công chức được cử đi học.",
        "Mỗi xã có một công chức phụ trách đào tạo.",
        "Thực hiện Quyết định số 468/QĐ-TTg ngày 27/3/2021 của Thủ tướng Chính phủ.",
        "Kế hoạch số 03/KH-UBND ngày 20/12/2022 của UBND tỉnh và "
        "Kế hoạch số 03/KH-UBND ngày 04/01/2023 của UBND huyện.",
        "Theo Công văn số 4532/UBND-KSTTHC ngày 01/02/2023.",
    ],
)
def test_ordinary_sentences_call_for_no_remark(text: str) -> None:
    assert _kinds(text) == []
    checked = check_written(WrittenReport((text,), ()), marts(REAL), REAL)
    assert "contradicts" not in {one.verdict for one in checked.figures}


@pytest.mark.parametrize("statement", declared_statements("2023").statements, ids=lambda statement: statement.id)
def test_each_statement_is_the_one_its_example_makes(statement: Statement) -> None:
    """With rows that are as the statement denies them, its example is told; with others it is not."""
    denied = {"zero": 0, "positive": 1, "hundred": 100}

    class Rows:
        rows: dict[str, object] = {}
        form_version = "2023"

        def __init__(self, deny: bool) -> None:
            self.deny = deny

        def value(self, expression: str) -> int | None:
            wanted = statement.when.get(expression)
            return None if wanted is None else denied[wanted] if self.deny else 1 - denied[wanted]

    from publication.narrative.statements import statement_remarks
    from publication.narrative.text import sentences

    [said] = sentences([statement.example])
    kind = "doubt" if statement.doubt else "statement"
    assert [one.kind for one in statement_remarks(said, Rows(True), frozenset())] == [kind]  # type: ignore[arg-type]
    assert list(statement_remarks(said, Rows(False), frozenset())) == []  # type: ignore[arg-type]


def test_late_cases_that_a_decision_counts_as_on_time_are_a_doubt() -> None:
    text = "Phần mềm một cửa của huyện còn ghi nhận hồ sơ trễ hạn."
    assert _kinds(text) == ["statement"]
    assert _kinds(text, frozenset({"count_as_on_time"})) == ["doubt"]


@pytest.mark.parametrize("quarter", [INVENTED, HELD_OUT])
def test_reports_that_say_the_same_as_their_form_call_for_nothing_that_blocks(quarter: str) -> None:
    checked = check_written(report(quarter), marts(quarter), quarter)
    assert {remark.kind for remark in checked.text_remarks} <= {"document_list"}


SOUND = [
    "43/KH-UBND",
    "Kế hoạch số 03/KH-UBND ngày 04/01/2023",
    "11/KH-TTrH ngày 02 tháng 12",
    "112/UBND-VP",
    "26/CT-TTg",
    "10/CT-CTUBND",
    "60/2021/NĐ-CP",
    "45/2019/QH14",
    "01/2023/QĐ-UBND",
    "12-NQ/TW",
    "35-CT/TU.",
    "1668/NQ-UBTVQH15",
    "4532/UBND-KSTTHC",
    "7/BC",
    "8/20 chỉ tiêu",
    "05/8 xã",
    "15/3/2023",
    "24/7",
    "Quyết định giao biên chế năm 2023",
    "02/TB-VP, 03/TB-VP; 04/TB-VP",
    "3/TTr-UBND",
    "05a/NQ-HĐND",
    "TCVN ISO 9001:2015",
    "43/KH - UBND",
    "02/ĐU",
]
SPOILT = [
    "43/KH-Ủy ban nhân dân",
    "43/kh-ubnd",
    "43/Kế hoạch-UBND",
    "KH-UBND/43",
    "43-KH-UBND",
    "43KH/UBND",
    "43/KH–UBND",
    "03/2023/KH-UBND",
    "12/QĐ_UBND",
    "Công văn số 15/CV-Phòng Nội vụ",
    "9/UBND-Văn phòng",
    "31/KH/UBND",
    "26/CT-Thủ tướng",
    "43 KH-UBND",
]


def test_symbols_are_judged_alike_by_both_engines() -> None:
    import duckdb

    from expectations.document_symbols import violation_sql

    asked = f"select {violation_sql('text')} from (select ? as text)"
    for text, spoilt in [*((one, False) for one in SOUND), *((one, True) for one in SPOILT)]:
        assert bool(spoilt_symbols(text)) is spoilt, text
        assert duckdb.execute(asked, [text]).fetchone() == (spoilt,), text


def test_a_figure_quoted_by_its_code_is_no_figure_to_be_compared() -> None:
    rows = letter_rows("Phấn khởi với {III.23} và {III.26} hồ sơ ở hai nơi.", "I.3")
    assert {"figure", "not_compared"} & {row["kind"] for row in rows} == set()


def test_a_figure_quoted_by_the_code_of_another_row_contradicts() -> None:
    rows = letter_rows("Bộ phận Một cửa huyện tiếp nhận {III.24} hồ sơ.", "I.3")
    assert [row["subject"] for row in rows if row["kind"] == "figure"] == ["mục I.3, đoạn 1: 611 hồ sơ, biểu: 1.145"]


def test_what_is_not_understood_is_said() -> None:
    told = [
        row["subject"]
        for row in letter_rows("Có 12 tổ công nghệ số. " + "Rất dài, " * 900 + "45 hồ sơ.", "I.7")
        if row["kind"] == "not_compared"
    ]
    assert told[0] == "mục I.7, đoạn 1: 12 tổ công nghệ số"
    assert told[1].endswith("…")


@pytest.mark.parametrize("wanted", [(), ("không",), ("hồ", "sơ")])
def test_a_phrase_without_words_is_nowhere(wanted: tuple[str, ...]) -> None:
    assert places(("tiếp", "nhận", "hồ", "sơ"), wanted) == ([2] if len(wanted) == 2 else [])


def test_one_text_of_any_length_is_read_in_bounded_time() -> None:
    sentences = "Huyện tiếp nhận 1.145 hồ sơ, đã giải quyết 611 hồ sơ, không có hồ sơ trễ hạn. "
    began = time.process_time()
    letter_rows(sentences * 100, "I.3")
    short = time.process_time() - began
    began = time.process_time()
    letter_rows("1 hồ sơ, " * 12_000, "I.3")
    assert time.process_time() - began < max(short, 1) * 10
