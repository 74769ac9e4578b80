"""Files of running text as offices deliver them: encodings, Word, cut and hostile ones, and what is sent back."""

from __future__ import annotations

import hashlib
import random
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ingestion import check_file, write_template
from ingestion.base.contracts import load_contracts
from ingestion.base.limits import DEFAULT_LIMITS, IntakeLimits
from ingestion.rows.intake import read_delivery
from ingestion.rows.outcome import FileIdentity, Intake
from ingestion.rows.resolve import Context
from ingestion.rows.wholeness import CompletenessEvidence
from tests.corpus.writers import ENCODINGS
from tests.integration.ingestion.test_damaged_files import mutated, mutated_inside

SOURCE = "report_narrative"
CONTRACT = load_contracts()[SOURCE]
LIBREOFFICE = Path(__file__).parents[2] / "corpus" / "libreoffice"
TEXT = """// Nội dung báo cáo quý I/2023
[Mở đầu]
Căn cứ Kế hoạch của Ủy ban nhân dân tỉnh về cải cách hành chính, huyện báo cáo như sau:

## II.1 Ưu điểm
Các cơ quan, đơn vị huyện đã tham mưu kịp thời; trong quý giải quyết {III.24} hồ sơ.
Cán bộ, công chức quan tâm thực hiện quy chế văn hóa công sở.
2. Hạn chế
Một số xã chưa cập nhật kết quả giải quyết.
[Nơi nhận]
- Sở Nội vụ;
[Hết]
"""
ROWS = [
    (3, "opening", 1, "Căn cứ Kế hoạch của Ủy ban nhân dân tỉnh về cải cách hành chính, huyện báo cáo như sau:"),
    (6, "II.1", 1, "Các cơ quan, đơn vị huyện đã tham mưu kịp thời; trong quý giải quyết {III.24} hồ sơ."),
    (7, "II.1", 2, "Cán bộ, công chức quan tâm thực hiện quy chế văn hóa công sở."),
    (9, "II.2", 1, "Một số xã chưa cập nhật kết quả giải quyết."),
    (11, "receivers", 1, "- Sở Nội vụ;"),
]


def read(path: Path, context: Context, limits: IntakeLimits = DEFAULT_LIMITS, rows: int | None = None) -> Intake:
    identity = FileIdentity("d", SOURCE, "945", "2023-Q1", path.name, "0" * 64)
    return read_delivery(path, path.suffix, identity, CONTRACT, context, limits, CompletenessEvidence(rows))


def accepted(intake: Intake) -> list[tuple[int, str, int, str]]:
    return [(r["_row"], r["section"], r["paragraph_no"], r["text"]) for r in intake.accepted.to_pylist()]


def written(folder: Path, data: bytes | str, name: str = "a.txt") -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


# ---------------------------------------------------------------------------------------------------------------- text


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_text_of_any_encoding_gives_the_same_paragraphs(
    tmp_path: Path, context: Context, encoding: str, line_end: str
) -> None:
    intake = read(written(tmp_path, ENCODINGS[encoding](TEXT.replace("\n", line_end))), context)
    assert (intake.outcome, accepted(intake)) == ("accepted", ROWS)
    assert set(intake.accepted["_sheet"].to_pylist()) == {"txt"}


def test_a_table_of_the_same_columns_is_taken_as_workbook_csv_and_tabbed_text(tmp_path: Path, context: Context) -> None:
    head = ["STT", "Mục", "Đoạn", "Nội dung"]
    rows = [[i, section, number, text] for i, (_, section, number, text) in enumerate(ROWS, start=1) if "." in section]
    book = openpyxl.Workbook()
    for row in [head, *rows]:
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    lines = ["\t".join(map(str, row)) for row in [head, *rows]]
    tabbed = "\n".join(lines) + "\n"
    files = (tmp_path / "a.xlsx", written(tmp_path, tabbed), written(tmp_path, tabbed.replace("\t", "|"), "a.csv"))
    for path in files:
        assert [row[1:] for row in accepted(read(path, context))] == [row[1:] for row in ROWS if "." in row[1]], path


def test_a_cut_text_is_refused_unless_it_is_cut_between_lines(tmp_path: Path, context: Context) -> None:
    # Cut exactly at a line end it shows nothing of it, as a CSV file does; the closing line is there for that.
    data = TEXT.encode()
    starts = {i + 1 for i, byte in enumerate(data) if byte == 10}
    whole = data.rindex(b"\n[H\xe1\xba\xbft]") + len("\n[Hết]".encode())
    for size in sorted({*range(1, len(data), 5), *starts, *range(whole - 2, len(data))}):
        intake = read(written(tmp_path, data[:size]), context)
        if size in starts or size >= whole:
            assert accepted(intake) == ROWS[: len(intake.accepted)], size
            assert ("không có gì chứng tỏ" in intake.message_vi) == (len(intake.accepted) > 0 and size < whole), size
            assert "CSV" not in intake.message_vi
        else:
            assert intake.outcome == "refused", (size, accepted(intake))
            assert intake.refusal in ("truncated", "bad_encoding"), size
            assert "CSV" not in intake.message_vi


def test_where_files_must_prove_that_they_are_whole_the_closing_line_does(tmp_path: Path, context: Context) -> None:
    strict = IntakeLimits(csv_needs_proof=True)
    assert read(written(tmp_path, TEXT), context, strict).outcome == "accepted"
    without = TEXT.replace("[Hết]\n", "")
    refused = read(written(tmp_path, without), context, strict)
    assert (refused.refusal, "[Hết]" in refused.message_vi) == ("unproven", True)
    assert read(written(tmp_path, without), context, strict, rows=5).outcome == "accepted"
    assert read(written(tmp_path, TEXT), context, rows=6).refusal == "row_count_mismatch"


def test_last_quarters_text_is_not_taken_twice(tmp_path: Path, context: Context) -> None:
    intake = read(written(tmp_path, TEXT.replace("quý I/2023", "quý IV/2022")), context)
    assert (intake.refusal, len(intake.accepted)) == ("wrong_quarter", 0)


@pytest.mark.parametrize(
    ("paragraph", "code", "rejects"),
    [
        ("Liên hệ số 0909 717 171 để biết thêm.", "holds_phone_number", True),
        ("Điện thoại: +84 909717171.", "holds_phone_number", True),
        ("Mang số 094171717171.", "holds_identity_number", True),
        ("CMND số 365171717 do Công an tỉnh cấp.", "holds_identity_number", True),
        ("Gửi về noivu@soctrang.gov.vn trước ngày 15.", "holds_mail_address", True),
        ("Giao đồng chí Trần Văn Tèo theo dõi.", "may_name_a_person", False),
        ("Hộ ông Nguyễn Văn B nộp hồ sơ trễ.", "may_name_a_person", False),
        ("Giải quyết {III.24 hồ sơ.", "unreadable_placeholder", False),
        ("Giải quyết { III.24 } hồ sơ.", "unreadable_placeholder", False),
        ("Giải quyết {hồ sơ}.", "unreadable_placeholder", False),
    ],
)
def test_personal_data_is_rejected_names_and_stray_braces_are_remarked_on_and_nothing_is_quoted(
    tmp_path: Path, context: Context, paragraph: str, code: str, rejects: bool
) -> None:
    intake = read(written(tmp_path, f"[II.2]\n{paragraph}\n"), context)
    told = (intake.rejected if rejects else intake.findings).to_pylist()
    assert [(r["_row"], r["column"], r["reason_code"], r["value"]) for r in told] == [(2, "text", code, "")]
    assert intake.rows_read == len(intake.accepted) + intake.rows_rejected == 1


@pytest.mark.parametrize(
    "paragraph",
    [
        "Kế hoạch số 03/KH-UBND ngày 04/01/2023, Nghị định số 130/2005/NĐ-CP ngày 17/10/2005 của Chính phủ.",
        "Từ ngày 15/12/2022 đến 14/3/2023 chi 150.000.000 đồng; đạt 1.145.000.000 đồng, bằng 28,57%.",
        "Giải quyết {III.24}/{III.23} hồ sơ, đúng hạn {III.25}.",
        "Ông, bà đến giao dịch được hướng dẫn tận tình; anh em công chức trực cả ngày thứ Bảy.",
        "Bộ phận Một cửa tiếp nhận 05 hồ sơ trễ hạn tại ấp 1, xã An Thạnh 1.",
    ],
)
def test_ordinary_paragraphs_are_taken_without_a_remark(tmp_path: Path, context: Context, paragraph: str) -> None:
    intake = read(written(tmp_path, f"[II.2]\n{paragraph}\n"), context)
    assert (intake.outcome, accepted(intake), len(intake.findings)) == ("accepted", [(2, "II.2", 1, paragraph)], 0)


# ---------------------------------------------------------------------------------------------------------------- Word

_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" ' \
     'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'  # fmt: skip
_TYPES = b'<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'


def paragraph_xml(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def word(path: Path, body: str, head: str = "", parts: dict[str, bytes] | None = None) -> Path:
    document = f'<?xml version="1.0" encoding="UTF-8"?>{head}<w:document {_W}><w:body>{body}</w:body></w:document>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
        archive.writestr("word/document.xml", document)
        for name, data in (parts or {}).items():
            archive.writestr(name, data)
    return path


def test_a_word_document_gives_the_same_paragraphs_as_the_text(tmp_path: Path, context: Context) -> None:
    body = "".join(paragraph_xml(line) for line in TEXT.split("\n"))
    intake = read(word(tmp_path / "a.docx", body), context)
    assert (intake.outcome, accepted(intake), intake.message_vi) == ("accepted", ROWS, "")
    assert set(intake.accepted["_sheet"].to_pylist()) == {"docx"}


def test_a_document_saved_by_libreoffice_is_read_by_its_lines(context: Context) -> None:
    intake = read(LIBREOFFICE / "prose.docx", context)
    assert accepted(intake) == [
        (3, "II.1", 1, "Giải quyết {III.24} hồ sơ đúng hạn."),
        (4, "II.1", 2, "Dòng một"),
        (5, "II.1", 3, "dòng hai."),
        (7, "II.2", 1, "Một số xã chậm."),
        (8, "II.2", 2, "Trong ô bảng."),
    ]
    assert intake.message_vi == "Số thứ tự và dấu đầu dòng do Word tự đánh không được lấy; nếu cần thì gõ tay."


def test_what_word_hides_moves_and_doubles_is_read_once_and_told(tmp_path: Path, context: Context) -> None:
    box = "<w:txbxContent><w:p><w:r><w:t>Trong khung.</w:t></w:r></w:p></w:txbxContent>"
    body = (
        paragraph_xml("[II.2]")
        + "<w:p><w:r><w:t>Còn </w:t></w:r><w:del><w:r><w:delText>ba </w:delText><w:t>ba </w:t></w:r></w:del>"
        + "<w:ins><w:r><w:t>hai</w:t><w:tab/><w:t>việc</w:t><w:noBreakHyphen/><w:t>chậm.</w:t></w:r></w:ins></w:p>"
        + "<w:p><w:moveFrom><w:r><w:t>Đã dời.</w:t></w:r></w:moveFrom></w:p>"
        + f"<w:p><w:r><mc:AlternateContent><mc:Choice>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback>"
        + "</mc:AlternateContent><w:t>Ngoài khung.</w:t></w:r></w:p>"
        + "<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>Chữ ẩn.</w:t></w:r><w:r><w:footnoteReference/></w:r></w:p>"
        + "<w:p><w:fldSimple><w:r><w:t>Trang</w:t></w:r></w:fldSimple><w:r><w:instrText>PAGE</w:instrText></w:r></w:p>"
    )
    intake = read(word(tmp_path / "a.docx", body), context)
    assert [row[3] for row in accepted(intake)] == [
        "Còn hai việc-chậm.", "Ngoài khung.", "Trong khung.", "Chữ ẩn.", "Trang",
    ]  # fmt: skip
    for said in ("track changes", "chữ ẩn", "Chú thích cuối trang"):
        assert said in intake.message_vi


def test_words_that_are_struck_out_are_read_and_told(tmp_path: Path, context: Context) -> None:
    struck = "<w:r><w:rPr><w:strike/></w:rPr><w:t>{}</w:t></w:r>"
    body = (
        paragraph_xml("[II.2]")
        + f"<w:p><w:r><w:t>Còn hai</w:t></w:r>{struck.format(' ba')}<w:r><w:br/><w:t>việc.</w:t></w:r></w:p>"
        + f"<w:p>{struck.format('Đã bỏ.')}</w:p><w:p>{struck.format(' ')}<w:r><w:t>Còn.</w:t></w:r></w:p>"
    )
    intake = read(word(tmp_path / "a.docx", body), context)
    assert [row[3] for row in accepted(intake)] == ["Còn hai ba", "việc.", "Đã bỏ.", "Còn."]
    assert [(r["value"], r["count"]) for r in intake.remarks.to_pylist() if r["kind"] == "struck_rows"] == [("2, 4", 2)]


@pytest.mark.parametrize(
    ("head", "body", "parts", "refusal"),
    [
        ('<!DOCTYPE x [<!ENTITY e "bom">]>', paragraph_xml("&e;"), {}, "entities"),
        ('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>', paragraph_xml("&e;"), {}, "entities"),
        ("", "<w:altChunk/>", {}, "active_content"),
        ("", paragraph_xml("[II.2]"), {"word/vbaProject.bin": b"x"}, "active_content"),
        ("", paragraph_xml("[II.2]"), {"word/embeddings/oleObject1.bin": b"x"}, "active_content"),
        ("", "<w:p><w:r><w:t>không khép", {}, "damaged"),
        ("", "<w:p>" * 400 + "</w:p>" * 400, {}, "damaged"),
        ("", paragraph_xml(" " * 60_000_000), {}, "zip_bomb"),
    ],
    ids=["entity", "outside file", "chunk", "macro", "object", "broken", "deep", "bomb"],
)
def test_hostile_documents_are_refused(
    tmp_path: Path, context: Context, head: str, body: str, parts: dict[str, bytes], refusal: str
) -> None:
    intake = read(word(tmp_path / "a.docx", body, head, parts), context)
    assert (intake.refusal, len(intake.accepted)) == (refusal, 0)
    assert intake.message_vi


def test_a_word_document_is_no_delivery_of_another_source(tmp_path: Path, context: Context) -> None:
    path = word(tmp_path / "a.docx", paragraph_xml("Số phiếu"))
    identity = FileIdentity("d", "survey_responses", "945", "2023-Q1", path.name, "0" * 64)
    intake = read_delivery(path, ".docx", identity, load_contracts()["survey_responses"], context)
    assert (intake.refusal, "tài liệu Word" in intake.message_vi) == ("unknown_format", True)


@pytest.mark.parametrize(
    ("name", "data", "refusal", "said"),
    [
        ("a.pdf", b"%PDF-1.7\n" + b" " * 200, "unknown_format", ".docx"),
        ("a.txt", bytes(range(128, 256)) * 40, "bad_encoding", "UTF-8"),
        ("a.txt", TEXT.encode() * 10_000, "too_large", "4 MiB"),
        ("a.txt", b"", "empty_file", "0 byte"),
    ],
)
def test_files_that_are_no_text_are_refused_with_words_for_texts(
    tmp_path: Path, context: Context, name: str, data: bytes, refusal: str, said: str
) -> None:
    intake = read(written(tmp_path, data, name), context)
    assert (intake.refusal, said in intake.message_vi) == (refusal, True)


# -------------------------------------------------------------------------------------------------------------- damage


def hurt_files(numbers: range, folder: Path, context: Context) -> Counter[str]:
    """Reads one damaged text or document a number; returns how many came to each outcome."""
    texts = [encode(TEXT) for _, encode in sorted(ENCODINGS.items())]
    document = word(folder / "base.docx", "".join(paragraph_xml(line) for line in TEXT.split("\n"))).read_bytes()
    saved = (LIBREOFFICE / "prose.docx").read_bytes()
    outcomes: Counter[str] = Counter()
    for number in numbers:
        chance = random.Random(number)
        data = [*texts, document, saved, document, saved][number % (len(texts) + 4)]
        zipped = data.startswith(b"PK")
        inside = zipped and chance.random() < 0.7
        hurt = mutated_inside(data, chance) if inside else mutated(data, chance)
        intake = read(written(folder, hurt, "a.docx" if zipped else "a.txt"), context)
        assert intake.rows_read == intake.accepted.num_rows + intake.rows_rejected, number
        assert (intake.outcome == "refused") == bool(intake.refusal and intake.message_vi), number
        if zipped and not inside and data is document and intake.outcome != "refused":
            assert accepted(intake) == ROWS, number  # checksums guard every part
        outcomes[intake.refusal or intake.outcome] += 1
    return outcomes


def test_hurt_texts_and_documents_are_read_whole_or_refused(tmp_path: Path, context: Context) -> None:
    outcomes = hurt_files(range(150), tmp_path, context)
    assert outcomes.total() == 150
    assert len(outcomes) > 3


@pytest.mark.long
def test_thousands_of_hurt_texts_and_documents_are_read_whole_or_refused(tmp_path: Path, context: Context) -> None:
    assert hurt_files(range(1_000, 11_000), tmp_path, context).total() == 10_000


# ----------------------------------------------------------------------------------------------------- through intake


def test_the_rejected_paragraph_goes_back_mended_comes_in_and_takes_its_place(home: Any) -> None:
    path = home.place(SOURCE, "noi-dung.txt")
    path.write_text("[II.2]\nMột.\nGọi 0909717171.\nBa.\n[II.8]\nLạc.\n[Hết]\n", encoding="utf-8")
    home.touch(path)
    home.ingest()
    assert home.reasons(SOURCE) == [
        (3, "text", "holds_phone_number"), (5, "section", "unknown_heading"), (6, "section", "unknown_heading"),
    ]  # fmt: skip
    assert "0909717171" not in str(home.rows(SOURCE, "rejected"))
    (returned,) = home.paths.outbox.rglob("*.rejected.xlsx")
    book = openpyxl.load_workbook(returned)
    cells = {cell.value: cell for row in book.active.iter_rows() for cell in row if cell.value is not None}
    assert {"Mục", "Đoạn", "Nội dung", "Gọi 0909717171.", "Lạc.", "II.2 Hạn chế"} <= set(cells)
    cells["Gọi 0909717171."].value = "Hai."
    for text in ("Lạc.", "[II.8]"):
        book.active.delete_rows(next(c.row for row in book.active.iter_rows() for c in row if c.value == text))
    mended = home.place(SOURCE, "noi-dung sửa.xlsx")
    book.save(mended)
    home.touch(mended)
    home.ingest()
    rows = home.rows(SOURCE)
    assert sorted((r["section"], r["paragraph_no"], r["text"]) for r in rows) == [
        ("II.2", 1, "Một."), ("II.2", 2, "Hai."), ("II.2", 3, "Ba."),
    ]  # fmt: skip


def test_a_text_that_waits_for_its_done_file_and_one_that_matches_it(home: Any) -> None:
    path = home.place(SOURCE, "a.txt")
    path.write_text("[II.2]\nMột.\nHai", encoding="utf-8")
    done = path.with_name("a.txt.done")
    done.write_text("0" * 64, encoding="utf-8")
    assert [p.code for p in home.ingest().problems] == ["done_mismatch"]
    done.write_text(f"{hashlib.sha256(path.read_bytes()).hexdigest()} 2", encoding="utf-8")
    home.ingest()
    assert [r["text"] for r in home.rows(SOURCE)] == ["Một.", "Hai"]


@pytest.mark.parametrize("place", [("945", "2023-Q1"), (None, None)])
def test_an_unfilled_text_template_asks_and_is_not_taken_and_a_filled_one_is(
    home: Any, tmp_path: Path, place: tuple[str | None, str | None]
) -> None:
    data = write_template(home.paths, SOURCE, *place, reference=home.reference, as_text=True)
    assert data == write_template(home.paths, SOURCE, *place, reference=home.reference, as_text=True)
    path = written(tmp_path, data)
    home.touch(path)  # a file of this moment is looked at twice
    empty = check_file(home.paths, SOURCE, path, "945", "2023-Q1", reference=home.reference)
    assert (empty.outcome, empty.rows_read) == ("refused", 0)
    assert "Không phát sinh" in empty.message_vi
    lines = data.decode("utf-8-sig").split("\r\n")
    place_of_text = lines.index("[II.2] Hạn chế") + 2
    path.write_text("\n".join([*lines[:place_of_text], "Còn chậm.", *lines[place_of_text:]]), encoding="utf-8")
    home.touch(path)
    filled = check_file(home.paths, SOURCE, path, "945", "2023-Q1", reference=home.reference)
    assert (filled.outcome, filled.rows_accepted, filled.message_vi) == ("accepted", 1, "")
    elsewhere = check_file(home.paths, SOURCE, path, "945", "2022-Q4", reference=home.reference)
    assert elsewhere.outcome == ("refused" if place[1] else "accepted")


def test_only_sources_that_people_write_have_a_text_template(home: Any) -> None:
    with pytest.raises(ValueError, match="running text"):
        write_template(home.paths, "plan_tasks", None, None, reference=home.reference, as_text=True)
