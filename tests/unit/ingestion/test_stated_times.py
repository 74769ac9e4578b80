"""Times in titles: whatever the wording, another period's are told, and those of the period hold nothing."""

from __future__ import annotations

import datetime as dt
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.periods import Period, load_periods, period_named
from ingestion.rows.stated_times import StatedTimes, read_times, signed_on
from ingestion.text.vietnamese import clean, strip_marks

Q1 = period_named("2023-Q1")


def _of_another(times: StatedTimes, period: Period) -> bool:
    return (times.of_another_period(period) or times.named_elsewhere(period)) is not None


# Of the fourth quarter of 2022, in the folder of the first of 2023. The last day of each is in 2022.
SURELY_ANOTHER = [
    "Tháng 11 năm 2022", "BÁO CÁO THÁNG 11/2022", "T11/2022", "T11.2022", "Tháng mười một năm 2022",
    "tháng 10, 11 và 12 năm 2022", "Từ tháng 9/2022 đến tháng 12/2022", "Tháng 10 đến tháng 12/2022",
    "Tháng: 11 Năm: 2022", "3 tháng đầu năm 2022", "6 tháng cuối năm 2022", "sáu tháng cuối năm 2022",
    "9 tháng năm 2022", "Quý 4/22", "Quý IV/2022", "Quý IV (năm 2022)", "Quý IV, 2022", "QUÝ IV - NĂM 2022",
    "Quí IV.2022", "Báo cáo quý bốn năm 2022", "quý tư năm 2022", "Quý: IV Năm: 2022", "quý III + IV/2022",
    "Q4-2022", "2022-Q4", "quy IV nam 2022", "Kỳ báo cáo: 15/9/2022 - 14/12/2022", "15/9/2022-14/12/2022",
    "15/09/22 – 14/12/22", "2022-09-15 đến 2022-12-14", "Từ 15/9 đến 14/12/2022",
    "Thời gian: 15/09/2022 đến 14/12/2022", "Từ ngày 15 tháng 9 năm 2022 đến hết ngày 14 tháng 12 năm 2022",
    "Tu ngay 15/09/2022 den ngay 14/12/2022", "Từ ngày: 15.9.2022, đến hết ngày: 14.12.2022",
    "Lũy kế từ đầu năm 2022 đến ngày 14/12/2022", "Lũy kế đến hết ngày 14/12/2022",
    "Từ ngày 01/10/2022 đến ngày 31/12/2022", "Từ ngày: 15/09/2022 00:00 đến ngày: 14/12/2022 23:59:59",
    "15/09/2022 0:00 - 14/12/2022 23:59", "Từ 00h00 ngày 15/9/2022 đến 24h00 ngày 14/12/2022",
    "2022-09-15 00:00:00 đến 2022-12-14 23:59:59", "Từ ngày 15 / 9 / 2022 đến ngày 14 / 12 / 2022",
    "Từ ngày 15/9/2022 đến trước ngày 15/12/2022", "Ngày bắt đầu: 15/09/2022 Ngày kết thúc: 14/12/2022",
    "Qúy IV/2022", "Quý thứ tư năm 2022", "Quý 04/2022", "Tháng 9/2022, 10/2022, 11/2022", "Tháng 10/2022 - 12/2022",
    "quý III và quý IV năm 2022", "Quý IV năm 2022, phương hướng nhiệm vụ quý I năm 2023",
]  # fmt: skip
WITHOUT_A_WHOLE_TIME = [
    "NĂM 2022", "năm 2021 - 2022", "QUÝ IV", "Quý bốn", "Tháng 11", "tháng 10 và 11", "6 tháng cuối năm",
    "9 tháng cuối năm", "Kỳ báo cáo quý IV và năm 2022", "Kế hoạch phổ biến, giáo dục pháp luật năm 2022",
    "Danh sách kỷ luật năm 2022",
    "Nhiệm vụ nêu tại Báo cáo quý IV/2022", "số liệu nêu trong Báo cáo 6 tháng đầu năm 2022",
    "đã ghi tại Báo cáo số 12/BC-UBND của huyện về quý IV năm 2022", "việc giao tại Thông báo kết luận tháng 11/2022",
]  # fmt: skip
OF_THE_PERIOD = [
    "Từ ngày 15/12/2022 đến ngày 14/03/2023", "Từ 15/12 đến 14/3/2023", "15/12/2022-14/3/2023", "Quý I/2023",
    "quý 1 năm 2023", "Quý I và quý II năm 2023", "3 tháng đầu năm 2023", "Tháng 12/2022", "tháng 1 năm 2023",
    "Tháng 12/2022 và tháng 2/2023", "các tháng 1, 2, 3 năm 2023", "Từ ngày 01/01/2023 đến ngày 31/03/2023",
    "Lũy kế từ đầu năm đến ngày 14/03/2023", "6 tháng đầu năm 2023", "NĂM 2023", "Quý I", "3 tháng đầu năm", "Tháng 3",
    "năm 2021 - 2025", "Từ ngày 15/12/2022 00:00:00 đến ngày 14/03/2023 23:59:59", "Tháng 12/2022 - 03/2023",
    "Kết quả quý I và phương hướng, nhiệm vụ quý II năm 2023", "nhiệm vụ quý I, nhiệm vụ trọng tâm quý II năm 2023",
    "Quý I (so với quý IV năm 2022)", "Quý I/2023, tăng so với cùng kỳ năm 2022",
    "Kết quả năm 2023 và phương hướng năm 2024",
]  # fmt: skip
NO_TIME = [
    "Ban hành kèm theo Thông tư số 01/2020/TT-VPCP ngày 21/10/2020", "(Kèm theo Báo cáo số 45/BC-UBND ngày 16/3/2022)",
    "Kế hoạch số 15/KH-UBND năm 2022", "Nghị định 61/2018/NĐ-CP", "giai đoạn 2021-2030", "Quỹ 4",
    "theo quý, 6 tháng, năm",
    "Báo cáo định kỳ 6 tháng", "An Thạnh 1, ngày 15 tháng 12 năm 2022", "Biểu số 06a/VPCP/KSTT", "quý từ ngày",
    "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
    "(Kèm theo Báo cáo số 120/BC-UBND ngày 20 tháng 3 năm 2022 của UBND huyện)",
    "(KÈM THEO QUYẾT ĐỊNH SỐ 12/QĐ-UBND NGÀY 05 THÁNG 8 NĂM 2021)",
    "Kèm theo Công văn số /UBND-NV ngày … tháng 7 năm 2022",
    "Cù Lao Dung, ngày tháng 7 năm 2022", "Cù Lao Dung, ngày ..... tháng 7 năm 2022", "quý 2 lần", "mỗi quý hai lần",
    "Ngày nhận báo cáo: ngày 06 tháng cuối quý", "so với cùng kỳ năm 2022", "so với quý IV/2022",
    "Luật Cán bộ, công chức năm 2008 (sửa đổi, bổ sung năm 2019)", "định hướng đến năm 2030", "số không tính lũy kế",
    "Số liệu không cộng dồn", "theo Thông tư 01/2018 và 05/2019", "UBND Q.4", "UBND PHƯỜNG 12, Q.4",
    "Từ ngày 99/99/2022 đến ngày 14/13/2022", "Tháng 13/2022",
    # When a form or an act was issued, or came into use.
    "Mẫu ban hành tháng 5/2020 của Bộ Nội vụ", "(Mẫu ban hành kèm theo Công văn tháng 5/2020)", "Mẫu năm 2020",
    "Mẫu số 02 ban hành năm 2021", "Biểu mẫu cập nhật tháng 5/2020", "Mẫu áp dụng từ quý III/2021",
    "Áp dụng từ quý III/2021", "Mẫu có hiệu lực kể từ tháng 7/2021", "phiên bản tháng 5/2020",
    "mẫu sửa đổi tháng 8/2021",
    "(theo Quyết định … ngày 12/5/2020)", "(theo Công văn tháng 11/2022 của Sở Nội vụ)",
    "theo Thông tư ban hành năm 2018", "tại Quyết định số … của UBND tỉnh ban hành tháng 5/2020",
    "Nhiệm vụ nêu tại Báo cáo quý I/2023", "mẫu ban hành tháng 2/2023",
]  # fmt: skip


@pytest.mark.parametrize("title", SURELY_ANOTHER)
@pytest.mark.parametrize("write", [str, str.upper, lambda text: unicodedata.normalize("NFD", text), strip_marks])
def test_days_months_and_parts_of_a_named_year_that_are_another_periods_are_told(title: str, write: object) -> None:
    times = read_times([clean(write(title))])  # type: ignore[operator]
    assert times.is_certain
    assert times.of_another_period(Q1)


@pytest.mark.parametrize("title", WITHOUT_A_WHOLE_TIME)
def test_times_without_a_year_or_a_year_alone_are_told_where_none_is_the_periods(title: str) -> None:
    times = read_times([title])
    assert times.of_another_period(Q1) is None
    assert times.named_elsewhere(Q1)
    # Beside a time that is certain nothing else is asked.
    assert not _of_another(read_times([title, "Từ ngày 15/12/2022 đến ngày 14/03/2023"]), Q1)


@pytest.mark.parametrize("name", ["2022", "Năm 2022", "Quý 4", "T11.2022"])
def test_a_sheet_is_named_with_times_too(name: str) -> None:
    assert _of_another(read_times(["DANH SÁCH"], name), Q1)


@pytest.mark.parametrize("title", OF_THE_PERIOD)
def test_times_of_the_period_hold_nothing(title: str) -> None:
    assert not _of_another(read_times([title]), Q1)
    assert not _of_another(read_times(["DANH SÁCH", title.upper(), "Biểu 06a"]), Q1)


@pytest.mark.parametrize("title", NO_TIME)
def test_documents_signatures_and_what_is_no_date_state_no_time(title: str) -> None:
    times = read_times([title])
    assert not _of_another(times, Q1)
    assert times.stated(Q1) is None


@pytest.mark.parametrize(
    ("title", "period", "stated"),
    [
        ("Từ ngày 15/12/2022 đến ngày 28/02/2023", "2023-Q1", ("2022-12-15", "2023-02-28")),
        ("Từ 15/12 đến 14/3/2023", "2023-Q1", ("2022-12-15", "2023-03-14")),
        ("Tháng 1 và tháng 2 năm 2023", "2023-Q1", ("2023-01-01", "2023-02-28")),
        ("Số liệu tính đến ngày 28/02/2023", "2023-Q1", (None, "2023-02-28")),
        ("Tính đến thời điểm ngày 28 tháng 02 năm 2023", "2023-Q1", (None, "2023-02-28")),
        ("số liệu đến hết tháng 2/2023", "2023-Q1", (None, "2023-02-28")),
        ("Lũy kế từ ngày 15/12/2021 đến ngày 14/03/2023", "2023-Q1", ("2021-12-15", "2023-03-14")),
        ("Lũy kế từ đầu năm đến ngày 14/6/2023", "2023-Q2", ("2022-12-15", "2023-06-14")),
        ("Quý II/2023 (số lũy kế)", "2023-Q2", ("2022-12-15", "2023-06-14")),
        ("6 tháng đầu năm 2023", "2023-Q2", ("2023-01-01", "2023-06-30")),
        ("9 tháng đầu năm", "2023-Q3", ("2023-01-01", "2023-09-30")),
        ("6 tháng đầu năm 2023", "2023-H1", None),
        ("Quý II năm 2023", "2023-Q2", None),
        ("Quý III/2025", "2025-Q3E", None),
        ("6 tháng đầu năm 2025", "2025-Q3E", ("2025-01-01", "2025-06-30")),
        ("Quý II/2025", "2025-Q3E", ("2025-04-01", "2025-06-30")),
        ("NĂM 2023", "2023-Q1", None),
        ("Danh sách có mặt đến ngày 28/02/2023", "2023-Q1", (None, "2023-02-28")),
        ("Tính đến 17h00 ngày 28/02/2023", "2023-Q1", (None, "2023-02-28")),
        ("Số liệu chốt ngày 28/02/2023", "2023-Q1", (None, "2023-02-28")),
        ("Tồn tính đến ngày 14/12/2022, số liệu tính đến ngày 14/03/2023", "2023-Q1", (None, "2023-03-14")),
        ("Tháng 12/2022, 01/2023, 02/2023 và 3/2023", "2023-Q1", ("2022-12-01", "2023-03-31")),
        ("Quý I/2023 (kèm theo Công văn số 12/UBND ngày 10 tháng 02 năm 2023)", "2023-Q1", None),
        ("Quý I/2023 Cù Lao Dung, ngày tháng 3 năm 2023", "2023-Q1", None),
    ],
)  # fmt: skip
def test_the_window_that_is_stated(title: str, period: str, stated: tuple[str | None, str] | None) -> None:
    times = read_times([title])
    days = stated and tuple(day and dt.date.fromisoformat(day) for day in stated)
    assert times.stated(period_named(period)) == days
    assert not _of_another(times, period_named(period))


@pytest.mark.parametrize("period", load_periods(), ids=lambda period: period.quarter)
def test_every_period_is_itself_by_all_its_names(period: Period) -> None:
    for title in (
        period.name_vi,
        period.title_vi,
        f"Từ ngày {period.opens_on:%d/%m/%Y} đến ngày {period.closes_on:%d/%m/%Y}",
    ):
        assert not _of_another(read_times([title]), period), title
        assert not _of_another(read_times([title.upper()]), period), title


@given(
    st.sampled_from([p for p in load_periods() if p.kind == "quarter" and p.calendar == "decree_09"]),
    st.sampled_from([p for p in load_periods() if p.kind == "quarter" and p.calendar == "decree_09"]),
    st.sampled_from(["Từ ngày {a:%d/%m/%Y} đến ngày {b:%d/%m/%Y}", "{a.day}/{a.month}/{a.year} - {b:%d/%m/%Y}",
                     "từ ngày {a.day} tháng {a.month} năm {a.year} đến ngày {b.day} tháng {b.month} năm {b.year}",
                     "{a:%Y-%m-%d} đến {b:%Y-%m-%d}", "Kỳ: {a:%d.%m.%Y} – {b:%d.%m.%Y}"]),
)  # fmt: skip
def test_a_quarter_by_its_days_is_that_quarter_and_no_other(folder: Period, told: Period, form: str) -> None:
    times = read_times(["BÁO CÁO", form.format(a=told.opens_on, b=told.closes_on)])
    assert times.window == (told.opens_on, told.closes_on)
    assert (times.of_another_period(folder) is None) == (folder == told)


@given(st.text(max_size=60))
def test_any_text_is_read(text: str) -> None:
    times = read_times([text])
    times.stated(Q1)
    _of_another(times, Q1)
    signed_on([text])


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Cù Lao Dung, ngày 15 tháng 03 năm 2023", dt.date(2023, 3, 15)),
        ("An Thạnh 1, ngày 15 tháng 12 năm 2022", dt.date(2022, 12, 15)),
        ("ngày 15/12/2022", dt.date(2022, 12, 15)),
        ("Đại Ân 1, ngày 15/12/2022", dt.date(2022, 12, 15)),
        ("NGƯỜI LẬP BIỂU Đại Ân 1, ngày 5 tháng 1 năm 2023.", dt.date(2023, 1, 5)),
        ("Quyết định số 12/QĐ-UBND, ngày 05/8/2021", None),
        ("Từ ngày 15/12/2022 đến ngày 14/03/2023", None),
        ("Ngày in: 01/03/2023", None),
        ("Cù Lao Dung, ngày 31 tháng 02 năm 2023", None),
        ("Cù Lao Dung, ngày … tháng … năm 2023", None),
    ],
)
def test_the_day_of_a_signature(text: str, day: dt.date | None) -> None:
    assert signed_on(["Thủ trưởng đơn vị", text]) == day
