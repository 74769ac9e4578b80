"""The phiếu trình tells the signer what the letter does not, on two pages, and reads back as the marts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pypdfium2
import pytest

from publication.content.release_content import ReleaseContent
from publication.content.revision import RevisedFigure, Revision
from publication.letter import SUBMISSION_DOCX, SUBMISSION_PDF, LetterDamaged, check_letter, write_letter
from publication.letter.check import check_submission, submission_texts
from publication.letter.model import TWO_COLUMNS
from publication.letter.pdf import count_pages, write_submission_pdf
from publication.letter.reading import read_docx, read_pdf
from publication.letter.submission import Submission, SubmissionRow, compose_submission
from publication.letter.word import write_submission_docx
from tests.unit.publication.test_letter_words import decided, with_narrative

MakeContent = Callable[..., ReleaseContent]
FILES = (SUBMISSION_DOCX, SUBMISSION_PDF)


def finding(number: int, sentence: str = "Số này phải bằng số kia.") -> dict[str, Any]:
    return {
        "expectation_id": f"report.IV.{number:02d}.equal",
        "sentence_vi": sentence,
        "severity": "info",
        "status": "fail",
        "failed_rows": 1,
        "decision_id": None,
        "findings": [{"subject": "IV.10", "decision_id": None}],
    }


@pytest.fixture
def content(make_content: MakeContent) -> ReleaseContent:
    covers = {"effect": "covers_findings", "subject_kind": "rule", "subject": "report.IV.21.staff"}
    made = make_content(
        changes={
            "III.05": {"decision_id": "QD-III.05", "declared_value": Decimal(1), "computed_value": Decimal(0)},
            "III.26": {"units_counted": 7, "units_expected": 8},
            "III.28": {"previous_quarter_value": Decimal(5904)},
        },
        decisions=[decided("III.05"), decided("IV.21", "accept_finding", **covers)],
        gate_results=[
            finding(1),
            {**finding(2, "Tên chỉ tiêu có lỗi chữ."), "expectation_id": "form.printed_defects"},
            {**finding(3, "Có quân số."), "expectation_id": "report.IV.21.staff", "severity": "warning"},
        ],
    )
    changed = RevisedFigure("III.23", 71, "Số hồ sơ", "1.145", "1.146", ())
    return replace(made, revision=Revision(1, 2, (), (changed,)))


def submission(content: ReleaseContent) -> Submission:
    return compose_submission(content, count_pages)


def test_what_is_internal_is_told_to_the_signer(content: ReleaseContent) -> None:
    told = submission(with_narrative(content, [("I.1", 1, "Bỏ câu: Trong quý, lãnh đạo")]))
    said = "\n".join(submission_texts(told))
    assert [block.heading for block in told.blocks] == [
        "1. Thay đổi so với bản công bố trước",
        "2. Mâu thuẫn số liệu đã có văn bản giải trình",
        "3. Chỉ tiêu để trống, đơn vị chưa có số liệu",
        "4. Câu không đưa vào báo cáo",
        "5. Điểm cần lưu ý",
    ]
    for text in (
        "1.145 → 1.146",
        "“Đơn giản hóa TTHC” (mục III.1): công bố số cơ quan báo cáo 1, số tính từ dữ liệu là 0",
        "Chấp nhận điểm chưa khớp: Có quân số",
        "Lý do: lý do của cơ quan (Công văn số 115/UBND-NV ngày 16/03/2023).",
        "Mới có số liệu của 7/8 đơn vị: “Số hồ sơ TTHC do UBND cấp xã tiếp nhận” (mục III.6).",
        "“Chưa có sáng kiến, giải pháp mới về CCHC.” (chưa có người viết)",
        "đã tổ chức đối thoại với người dân, doanh nghiệp.” (cơ quan yêu cầu bỏ)",
        "Số này phải bằng số kia: “Tổng số biên chế được giao trong năm” (mục IV.2).",
        "Kính trình: Chủ tịch Ủy ban nhân dân huyện Cù Lao Dung",
    ):
        assert text in said
    assert "lỗi chữ" not in said  # of the form, nothing for a signer
    assert "QD-" not in said
    assert ("6.530", "5.904", "–") in [row.figures for row in told.rows]


def test_both_files_read_back_and_are_the_same_bytes(content: ReleaseContent, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        write_letter(tmp_path / folder, content, FILES)
        check_letter(tmp_path / folder, content, FILES)
    word, pdf = read_docx(tmp_path / "one" / SUBMISSION_DOCX), read_pdf(tmp_path / "one" / SUBMISSION_PDF)
    assert (word.text, word.table) == (pdf.text, pdf.table)
    for name in FILES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


@pytest.mark.parametrize(("count", "length"), [(0, 1), (40, 60), (200, 20), (30, 7_000)])
def test_however_much_there_is_to_tell_it_fits_on_two_pages(
    make_content: MakeContent, tmp_path: Path, count: int, length: int
) -> None:
    results = [finding(number, f"{number} " + "điều " * (length // 5)) for number in range(count)]
    content = make_content(gate_results=results)
    write_letter(tmp_path, content, FILES)
    check_letter(tmp_path, content, FILES)
    assert len(pypdfium2.PdfDocument(tmp_path / SUBMISSION_PDF)) <= 2
    (points,) = [block.lines for block in submission(content).blocks if "lưu ý" in block.heading] or [()]
    told = len([line for line in points if not line.startswith("Còn ")])
    left = sum(int(line.split()[1]) for line in points if line.startswith("Còn "))
    assert told + left == count


def _other_figure(made: Submission) -> Submission:
    first = made.rows[0]
    return replace(made, rows=(SubmissionRow(first.code, first.name, ("8", *first.figures[1:])), *made.rows[1:]))


@pytest.mark.parametrize(
    ("quarter", "compared"),
    [("2023-Q1", ("Kỳ trước", "Cùng kỳ năm trước")), ("2023-H1", ("Cùng kỳ năm trước",)), ("2025-Q3E", ())],
)
def test_the_table_has_a_column_for_each_period_that_its_own_is_compared_with(
    content: ReleaseContent, quarter: str, compared: tuple[str, ...]
) -> None:
    dated = [{**content.tables["dim_quarter"].to_pylist()[0], "quarter": quarter}]
    tables = {**content.tables, "dim_quarter": pa.Table.from_pylist(dated)}
    told = submission(replace(content, quarter=quarter, tables=tables))
    assert told.headers == ("Chỉ tiêu", "Kỳ báo cáo", *compared)
    assert sum(told.columns) == sum(TWO_COLUMNS)
    assert {len(row.cells) for row in told.rows} == {len(told.columns)} == {len(told.headers)}


DAMAGES: dict[str, Callable[[Submission], Submission]] = {
    "a figure differs": _other_figure,
    "a row is missing": lambda made: replace(made, rows=made.rows[:-1]),
    "points are missing": lambda made: replace(made, blocks=made.blocks[1:]),
    "another is asked to sign": lambda made: replace(made, addressee="Kính trình: người khác"),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize(
    ("name", "write"), [(SUBMISSION_DOCX, write_submission_docx), (SUBMISSION_PDF, write_submission_pdf)]
)
def test_a_file_that_says_otherwise_is_refused(
    content: ReleaseContent, tmp_path: Path, damage: str, name: str, write: Callable[[Path, Submission], None]
) -> None:
    write(tmp_path / name, DAMAGES[damage](submission(content)))
    with pytest.raises(LetterDamaged, match=name):
        check_letter(tmp_path, content, [name])


def test_a_figure_that_was_meant_wrongly_is_refused(content: ReleaseContent, tmp_path: Path) -> None:
    """Also where the file says just what was meant, the marts have the last word."""
    wrong = _other_figure(submission(content))
    write_submission_docx(tmp_path / "x.docx", wrong)
    with pytest.raises(LetterDamaged, match="the mart has"):
        check_submission(content, wrong, read_docx(tmp_path / "x.docx"))
