"""Reports from their files: what a reader of the document sees is what is read."""

from __future__ import annotations

import zipfile
from pathlib import Path

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from publication.narrative import UnreadableReport, read_report


def _tracked(kind: str, text_tag: str, text: str) -> str:
    return f"<w:{kind} {nsdecls('w')} w:id='1' w:author='a'><w:r><w:{text_tag}>{text}</w:{text_tag}></w:r></w:{kind}>"


def test_paragraphs_and_tables_come_in_reading_order(tmp_path: Path) -> None:
    document = docx.Document()
    head = document.add_table(rows=1, cols=2)
    head.cell(0, 0).text, head.cell(0, 1).text = "ỦY BAN NHÂN DÂN", "CỘNG HÒA"
    document.add_paragraph("1. Đã tiếp nhận 1.145 hồ sơ.")
    form = document.add_table(rows=2, cols=5)
    rows = (("STT", "Chỉ tiêu", "Đơn vị tính", "Số lượng", "Ghi chú"), ("1", "Số", "Hồ sơ", "5", ""))
    for row, cells in enumerate(rows):
        for column, text in enumerate(cells):
            form.cell(row, column).text = text
    document.save(str(tmp_path / "report.docx"))
    found = read_report(tmp_path / "report.docx")
    assert [line for line in found.lines if line] == ["ỦY BAN NHÂN DÂN", "CỘNG HÒA", "1. Đã tiếp nhận 1.145 hồ sơ."]
    assert found.table_rows[1] == ("1", "Số", "Hồ sơ", "5", "")


def test_a_cell_over_several_columns_leaves_the_others_in_place(tmp_path: Path) -> None:
    document = docx.Document()
    table = document.add_table(rows=1, cols=5)
    table.cell(0, 0).merge(table.cell(0, 2)).text = "Chỉ tiêu"
    table.cell(0, 3).text = "5"
    document.save(str(tmp_path / "report.docx"))
    assert read_report(tmp_path / "report.docx").table_rows == (("Chỉ tiêu", "", "", "5", ""),)


def test_tracked_insertions_are_read_and_deletions_are_not(tmp_path: Path) -> None:
    document = docx.Document()
    paragraph = document.add_paragraph("Đã tiếp nhận ")
    paragraph._p.append(parse_xml(_tracked("del", "delText", "1.100")))
    paragraph._p.append(parse_xml(_tracked("ins", "t", "1.145")))
    paragraph.add_run(" hồ sơ.")
    document.save(str(tmp_path / "report.docx"))
    assert read_report(tmp_path / "report.docx").lines == ("Đã tiếp nhận 1.145 hồ sơ.",)


def test_numbers_of_lines_are_those_of_the_text_file(tmp_path: Path) -> None:
    (tmp_path / "report.txt").write_text("**Một**\n\nSTT\tTên\tĐVT\t5\n*Hai*\n", encoding="utf-8-sig")
    found = read_report(tmp_path / "report.txt")
    assert found.lines == ("Một", "", "", "Hai")
    assert found.table_rows == (("STT", "Tên", "ĐVT", "5"),)


def _write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def _bomb(path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("word/document.xml", b" " * (65 << 20))
    return path


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda folder: folder / "none.txt", "không có tệp"),
        (lambda folder: _write(folder / "a.pdf", b"%PDF"), "chỉ đọc được"),
        (lambda folder: _write(folder / "a.txt", b"\xff\xfe\x00"), "UTF-8"),
        (lambda folder: _write(folder / "a.docx", b"not a zip"), "không phải là văn bản .docx"),
        (lambda folder: _write(folder / "a.docx", b"PK\x05\x06" + b"\0" * 18), "không phải là văn bản .docx"),
        (lambda folder: _bomb(folder / "a.docx"), "quá lớn"),
    ],
    ids=["missing", "another kind", "another encoding", "no archive", "empty archive", "bomb"],
)
def test_what_cannot_be_read_is_said_in_words(make: object, says: str, tmp_path: Path) -> None:
    with pytest.raises(UnreadableReport, match=says):
        read_report(make(tmp_path))  # type: ignore[operator]
