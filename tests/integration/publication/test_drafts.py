"""Drafts: the release before it is one, marked on every page, and the approval that publishes exactly what was seen."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import lxml.html
import openpyxl
import pytest

from expectations import verdicts
from publication import (
    Amendment,
    Approval,
    Approved,
    DamagedDraft,
    Draft,
    Instruction,
    Move,
    Published,
    Refused,
    Unchanged,
    current_release,
    discard_draft,
    lock,
    make_draft,
    read_draft,
    read_pointer,
    roll_back,
    verify,
)
from publication.content.approval import DRAFT_VI
from publication.content.release_content import Imprint, ReleaseContent
from publication.tables.annex import write_annex_xlsx
from tests.integration.publication.conftest import Home
from tests.integration.publication.publish_once import chosen_outputs
from tests.unit.publication.builders import QUARTER, UNIT, delivery

CHANGED: dict[str, Any] = {"changes": {"I.04": {"value": Decimal(10)}}, "inputs": [delivery(content="b")]}
AT = dt.datetime(2023, 4, 5, 9, tzinfo=dt.UTC)


def _draft(home: Home, candidate: Path, **arguments: Any) -> Any:
    """The draft of a candidate; of a light home with the annex alone, for releases there have no more documents."""
    with pytest.MonkeyPatch.context() as patch:
        if home.only:
            patch.setattr("publication.outputs.OUTPUTS", chosen_outputs(home.only))
            patch.setattr("publication.drafts._write_documents", _annex_alone)
        return make_draft(
            home.published,
            candidate,
            home.verdicts,
            home.root / "review" / UNIT / QUARTER / "du-thao",
            **{"unit": UNIT, "quarter": QUARTER, "code_version": "1.0", **arguments},
        )


def _annex_alone(content: ReleaseContent, folder: Path, published: str) -> None:
    (folder / "report").mkdir()
    write_annex_xlsx(folder / "report" / "annex.xlsx", content)


def _approve(home: Home, candidate: Path, draft: Draft, **arguments: Any) -> Any:
    approval = Approval("Chủ tịch UBND huyện", "12/QĐ-UBND ngày 05/04/2023", draft.code)
    approved = Approved(approval, draft.outputs or {})
    asked = {"amendment": draft.amendment, "published_at": AT, **arguments}
    return home.publish(candidate, expected=draft.expected, approved=approved, **asked)


def _pages_of_pdf(path: Path) -> list[str]:
    text = subprocess.run(["pdftotext", "-layout", path, "-"], check=True, capture_output=True, text=True).stdout
    return text.split("\f")[:-1]


def test_a_draft_says_on_every_page_what_it_is_and_its_release_nowhere(home: Home) -> None:
    candidate = home.candidate()
    draft = _draft(home, candidate)
    assert draft.can_be_approved
    assert not home.published.exists()
    report = draft.folder / "report"
    pages = _pages_of_pdf(report / "report.pdf")
    assert len(pages) > 3
    assert all(DRAFT_VI in page for page in (*pages, *_pages_of_pdf(report / "phieu-trinh.pdf")))
    with zipfile.ZipFile(report / "report.docx") as package:
        headers = [
            package.read(name).decode() for name in package.namelist() if "header" in name and "rels" not in name
        ]
    assert len(headers) == 4  # of letter and annex: of the first page, of the others
    assert all(DRAFT_VI in header for header in headers)
    for name in ("annex.xlsx", "form_06a.xlsx"):
        book = openpyxl.load_workbook(report / name)
        for sheet in book.worksheets:
            assert DRAFT_VI in str(sheet.oddHeader.left.text), (name, sheet.title)
        assert DRAFT_VI in {cell.value for row in book.worksheets[0].iter_rows(max_row=7) for cell in row}
    page = (report / "index.html").read_text(encoding="utf-8")
    assert f'<p class="draft" role="note">{DRAFT_VI}' in page
    assert "position: fixed" in page  # stands on every printed page

    made = _approve(home, candidate, draft)
    assert isinstance(made, Published)
    released = made.release.path / "report"
    assert not any(DRAFT_VI in page for page in _pages_of_pdf(released / "report.pdf"))
    assert DRAFT_VI not in (released / "index.html").read_text(encoding="utf-8")


def test_what_is_published_without_an_approval_knows_nothing_of_one(home: Home, tmp_path: Path) -> None:
    """Approved or not, each file is the same but for the page and what describes it."""
    candidate = home.candidate()
    approved = _approve(home, candidate, _draft(home, candidate)).release.path
    shutil.move(home.published, tmp_path / "approved")
    plain = home.publish(candidate, published_at=AT).release.path
    approved = tmp_path / "approved" / approved.relative_to(home.published)
    other = {
        name
        for name in {p.relative_to(plain).as_posix() for p in plain.rglob("*") if p.is_file()}
        if name != "marts.duckdb" and (plain / name).read_bytes() != (approved / name).read_bytes()
    }
    assert other == {"report/index.html", "datapackage.json", "manifest.json"}
    assert "approv" not in (plain / "manifest.json").read_text()
    assert "Phê duyệt" not in (plain / "report" / "index.html").read_text()
    assert "Phê duyệt: Chủ tịch UBND huyện, theo 12/QĐ-UBND ngày 05/04/2023" in (
        approved / "report" / "index.html"
    ).read_text(encoding="utf-8")


def test_manifest_pointer_and_journal_say_who_approved_by_which_document(light_home: Home) -> None:
    home, moves = light_home, list[Move]()
    candidate = home.candidate()
    draft = _draft(home, candidate)
    made = _approve(home, candidate, draft, witness=moves.append)
    record = made.release.manifest().approval
    assert (record.by, record.document, record.draft) == (
        "Chủ tịch UBND huyện",
        "12/QĐ-UBND ngày 05/04/2023",
        draft.code,
    )
    (event,) = read_pointer(home.quarter_dir).events  # type: ignore[union-attr]
    assert (event.action, event.release, event.by, event.reason, event.at) == (
        "approve",
        1,
        "Chủ tịch UBND huyện",
        "12/QĐ-UBND ngày 05/04/2023",
        AT.isoformat(),
    )
    assert [(move.action, move.by) for move in moves] == [("approve", "Chủ tịch UBND huyện")]
    assert verify(made.release.path) == []


def test_the_same_draft_again_is_the_same_to_the_byte(light_home: Home) -> None:
    home = light_home
    candidate = home.candidate()
    first = _draft(home, candidate)
    kept = {p.relative_to(first.folder): p.read_bytes() for p in first.folder.rglob("*") if p.is_file()}
    second = _draft(home, candidate, code_version="2.0")
    assert second.code == first.code
    assert {p.relative_to(first.folder): p.read_bytes() for p in first.folder.rglob("*") if p.is_file()} == kept


def _other_figures(home: Home, draft: Draft) -> Path:
    """Another candidate is cleared after the draft was seen."""
    return home.candidate(**CHANGED)


def _other_verdict(home: Home, draft: Draft) -> Path:
    """The gates looked again, and say something else of the same figures."""
    candidate = home.warehouse / "candidates" / UNIT / QUARTER / draft.candidate_hash
    path = next(home.verdicts.glob("mart-*.json"))
    verdict = verdicts.load_verdict(path)
    results = tuple(
        result.model_copy(update={"observed": "khác"}) if number == 0 else result
        for number, result in enumerate(verdict.results)
    )
    path.write_bytes(verdict.model_copy(update={"results": results}).to_bytes())
    return candidate


@pytest.mark.parametrize("change", [_other_figures, _other_verdict])
def test_nothing_but_what_was_seen_is_published(light_home: Home, change: Callable[[Home, Draft], Path]) -> None:
    home = light_home
    draft = _draft(home, home.candidate())
    answer = _approve(home, change(home, draft), draft)
    assert isinstance(answer, Refused)
    assert "không đúng như dự thảo" in answer.reasons[0]
    assert current_release(home.published, UNIT, QUARTER) is None
    assert not list(home.quarter_dir.glob("r*"))


def test_a_page_that_nobody_saw_is_not_published(home: Home) -> None:
    """What stands on the page alone, like contact and licence, is compared as well."""
    candidate = home.candidate()
    draft = _draft(home, candidate, imprint=Imprint(contact_vi="Văn phòng UBND huyện"))
    assert {"report/index.html", "datapackage.json"} <= (draft.outputs or {}).keys()
    answer = _approve(home, candidate, draft, imprint=Imprint(contact_vi="Văn phòng khác"))
    assert isinstance(answer, Refused)
    other = answer.reasons[0].partition("khác ở: ")[2].partition(";")[0].split(", ")
    assert {"report/index.html", "datapackage.json"} <= set(other)
    made = _approve(home, candidate, draft, imprint=Imprint(contact_vi="Văn phòng UBND huyện"))
    assert isinstance(made, Published)
    page = (made.release.path / "report" / "index.html").read_text(encoding="utf-8")
    assert "Phê duyệt: Chủ tịch UBND huyện" in page
    assert verify(made.release.path) == []


def test_a_draft_of_a_release_that_is_no_longer_the_last_is_not_published(light_home: Home) -> None:
    home = light_home
    home.publish(home.candidate())
    changed = home.candidate(**CHANGED)
    draft = _draft(home, changed)
    assert draft.expected == 1
    third = home.candidate(changes={"I.04": {"value": Decimal(12)}}, inputs=[delivery(content="c")])
    home.publish(third, expected=1)
    answer = _approve(home, changed, draft)
    assert isinstance(answer, Refused)
    assert answer.stale is not None


def test_a_draft_that_was_touched_is_none(light_home: Home) -> None:
    draft = _draft(light_home, light_home.candidate())
    assert read_draft(draft.folder) == draft
    paths = [path for path in draft.folder.rglob("*") if path.is_file()]
    assert {path.name for path in paths} == {"annex.xlsx", "draft.json", "ra-soat.html"}
    for path in paths:
        kept = path.read_bytes()
        for damage in (kept + b" ", kept[:-1], b""):
            path.write_bytes(damage)
            with pytest.raises(DamagedDraft, match="đã bị sửa"):
                read_draft(draft.folder)
        path.write_bytes(kept)
    (draft.folder / "them.txt").write_text("x")
    with pytest.raises(DamagedDraft, match=r"them\.txt"):
        read_draft(draft.folder)
    assert discard_draft(draft.folder)
    with pytest.raises(DamagedDraft, match="chưa có bản dự thảo"):
        read_draft(draft.folder)


def _block(home: Home, code: str) -> None:
    """Makes gate 2 find a fault of one row of the form that nobody has settled."""
    path = next(home.verdicts.glob("mart-*.json"))
    verdict = verdicts.load_verdict(path)
    place = next(n for n, result in enumerate(verdict.results) if result.severity == "critical")
    finding = verdicts.Finding(subject=code, message_vi=f"{code} sai")
    blocked = verdict.results[place].model_copy(
        update={"status": "fail", "failed_rows": 1, "findings": (finding,), "blocking": True, "observed": "1"}
    )
    results = (*verdict.results[:place], blocked, *verdict.results[place + 1 :])
    path.write_bytes(verdict.model_copy(update={"results": results}).to_bytes())


def test_what_is_held_back_has_a_draft_without_the_figures_that_are_in_doubt(home: Home) -> None:
    candidate = home.candidate(changes={"I.04": {"value": Decimal(77731)}})
    _block(home, "I.04")
    draft = _draft(home, candidate)
    assert not draft.can_be_approved
    assert any("đang chặn công bố" in reason for reason in draft.reasons)
    report = draft.folder / "report"
    page = lxml.html.document_fromstring((report / "index.html").read_text(encoding="utf-8"))
    for script in page.xpath("//script"):  # passports tell how a figure came about, also one that is in doubt
        script.drop_tree()
    for text in (*_pages_of_pdf(report / "report.pdf"), page.text_content()):
        assert "77.731" not in text
        assert "77731" not in text
    for sheet in openpyxl.load_workbook(report / "annex.xlsx").worksheets:
        assert not {"77.731", 77731} & {cell.value for row in sheet.iter_rows() for cell in row}
    assert isinstance(_approve(home, candidate, draft), Refused)
    assert current_release(home.published, UNIT, QUARTER) is None


def test_without_a_verdict_nobody_can_say_what_is_held_back_and_there_is_no_draft(light_home: Home) -> None:
    candidate = light_home.candidate()
    for path in light_home.verdicts.iterdir():
        path.unlink()
    answer = _draft(light_home, candidate)
    assert isinstance(answer, Refused)
    assert any("Chưa có kết quả kiểm tra" in reason for reason in answer.reasons)
    assert not (light_home.root / "review").exists()


def test_what_is_current_needs_no_draft_and_one_that_lies_there_goes(light_home: Home) -> None:
    candidate = light_home.candidate()
    draft = _draft(light_home, candidate)
    light_home.publish(candidate)
    assert isinstance(_draft(light_home, candidate), Unchanged)
    assert not draft.folder.exists()


def test_a_locked_quarter_is_published_by_an_approval_of_an_amendment_only(light_home: Home) -> None:
    home = light_home
    home.publish(home.candidate())
    lock(home.published, UNIT, QUARTER, Instruction("đã ký"))
    changed = home.candidate(**CHANGED)
    plain = _draft(home, changed)
    assert not plain.can_be_approved
    assert any("đã khóa" in reason for reason in plain.reasons)
    amended = _draft(home, changed, amendment=Amendment("bổ sung hồ sơ nộp muộn", "Phòng Nội vụ"))
    assert amended.can_be_approved
    made = _approve(home, changed, read_draft(amended.folder))
    assert isinstance(made, Published)
    assert [event.action for event in read_pointer(home.quarter_dir).events] == [  # type: ignore[union-attr]
        "lock",
        "amend",
        "approve",
    ]
    assert made.release.manifest().amendment.reason == "bổ sung hồ sơ nộp muộn"  # type: ignore[union-attr]


def test_what_was_taken_back_cannot_come_again_by_an_approval(light_home: Home) -> None:
    home = light_home
    home.publish(home.candidate())
    changed = home.candidate(**CHANGED)
    home.publish(changed, expected=1)
    roll_back(home.published, UNIT, QUARTER, 1, Instruction("r2 tính nhầm"))
    draft = _draft(home, changed)
    assert not draft.can_be_approved
    assert any("đã được thu hồi" in reason for reason in draft.reasons)


def test_an_approval_names_a_person_and_a_document() -> None:
    for by, document in ((" ", "12/QĐ"), ("Chủ tịch", "\t")):
        with pytest.raises(ValueError, match="approval"):
            Approval(by, document, "abc")


def test_what_a_killed_draft_left_is_cleared_up(light_home: Home) -> None:
    candidate = light_home.candidate()
    folder = light_home.root / "review" / UNIT / QUARTER
    (folder / ".writing-du-thao" / "report").mkdir(parents=True)
    (folder / "quyet-dinh.xlsx").write_bytes(b"of somebody else")
    draft = _draft(light_home, candidate)
    assert sorted(path.name for path in folder.iterdir()) == ["du-thao", "quyet-dinh.xlsx"]
    assert json.loads((draft.folder / "draft.json").read_bytes())["seen"]["candidate_hash"] == candidate.name
