"""A form that says only what differs: rows, words and texts of the form before, without what is gone."""

from __future__ import annotations

import csv
import datetime as dt
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from common import forms
from common.derived_forms import derived_document, derived_rows, laid_over, replacing
from common.forms import (
    FORMS_DIR,
    Form,
    confirm,
    earlier_rows_csv,
    form_named,
    form_on,
    held_forms,
    is_confirmed,
    load_forms,
    read_form,
    use_forms_of,
)

ROWS = read_form(FORMS_DIR / "2023").rows


def test_the_longest_word_at_a_place_is_replaced_and_nothing_twice() -> None:
    said = replacing({"mức độ 3": "một phần", "mức độ 3, 4": "một phần, toàn trình", "một phần": "sai"})
    assert said("mức độ 3, 4; mức độ 3; một phần") == "một phần, toàn trình; một phần; sai"
    assert replacing({})("như cũ") == "như cũ"


def test_rows_that_ended_leave_no_trace_in_what_was_made_of_them() -> None:
    rows = {r["indicator_code"]: r for r in derived_rows(ROWS, {}, {"V.06": {"ended": "…"}, "II.06": {"ended": "…"}})}
    assert "V.06" not in rows
    assert rows["V.05"]["derived_from"] == "V.07+V.08+V.09+V.10"
    assert rows["II.07"]["logical_parent_code"] == "II.05"
    assert [int(row["row_no"]) for row in rows.values()] == list(range(1, len(ROWS) - 1))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"IX.01": {"ended": "…"}}, "IX.01 is no row"),
        ({"I.02": {"colour": "red"}}, "I.02 has no column colour"),
        ({"IV.10": {"ended": "…"}}, "nothing is left of which IV.09 is a sum"),
    ],
)
def test_a_difference_that_cannot_be_is_refused(changes: dict[str, dict[str, str]], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        derived_rows(ROWS, {}, changes)


@pytest.mark.parametrize(
    ("document", "left"),
    [
        ({"list": ["I.01", "I.02"]}, {"list": ["I.02"]}),
        ({"one": "I.01"}, {}),
        ({"shares": {"I.02": "I.01", "I.03": "I.04"}}, {"shares": {"I.03": "I.04"}}),
        ({"say": [[{"say": "{I.01}"}, {"say": "chưa có"}]]}, {}),
        ({"say": [[{"say": "{I.01}"}, {"say": "{I.02}"}, {"say": "–"}]]}, {"say": [[{"say": "{I.02}"}, {"say": "–"}]]}),
        ({"if": [{"if": {"I.01": "zero", "I.02": "zero"}, "say": "x"}]},
         {"if": [{"if": {"I.02": "zero"}, "say": "x"}]}),
        ({"if": [{"if": {"I.01": "positive"}, "say": "x"}, {"say": "y"}]}, {}),
        ({"of": [{"level": "district", "title": "x"}, {"level": "commune"}]}, {"of": [{"level": "commune"}]}),
        ({"claims": [{"id": "a", "count": "I.02 + I.01"}, {"id": "b", "count": "I.02"}]},
         {"claims": [{"id": "b", "count": "I.02"}]}),
        ({"other": "XI.01 and I.011"}, {"other": "XI.01 and I.011"}),
    ],
)  # fmt: skip
def test_what_names_a_row_that_is_gone_goes_with_it(document: dict[str, Any], left: dict[str, Any]) -> None:
    assert derived_document(document, {}, {"I.01"}, "commune") == left


def test_what_is_laid_over_replaces_adds_and_takes_out() -> None:
    base = {"a": 1, "b": {"c": 2, "d": 3}, "parts": [{"id": "x", "say": "1"}, {"id": "y"}], "list": [1, 2]}
    own = {"a": None, "b": {"d": 4}, "parts": [{"id": "x", "say": "2"}, {"id": "z"}], "list": [3]}
    assert laid_over(base, own) == {
        "b": {"c": 2, "d": 4},
        "parts": [{"id": "x", "say": "2"}, {"id": "y"}, {"id": "z"}],
        "list": [3],
    }


# --- the form of communes -------------------------------------------------------------------------------------------


def test_the_form_of_communes_has_no_word_of_districts() -> None:
    form = form_named("xa-2025")
    texts = [f"{row['name_vi']} {row['name_corrected_vi']} {row['unit_vi']}" for row in form.rows]
    texts += [
        yaml.safe_dump(form.declared(name), allow_unicode=True)
        for name in ("letter.yaml", "claims.yml", "statements.yml")
    ]
    texts += [form.page.model_dump_json(), form.named_vi]
    assert not re.findall(
        r"huyện|mức độ [34]|thị trấn|Sóc Trăng|soctrang|Phòng Nội vụ", "\n".join(texts), re.IGNORECASE
    )
    assert form.mark_vi == "biểu mẫu tạm, chưa có mẫu chính thức"


def test_every_row_that_ended_says_why_and_every_other_goes_on() -> None:
    form = form_named("xa-2025")
    ended = {step.old_code: step.note_vi for step in form.crosswalk if step.relation == "ended"}
    assert ended
    assert all(ended.values())
    goes_on = {(code, before, old) for code, before, old in form.earlier_rows if before != form.form}
    assert {old for _, _, old in goes_on} == form_named("2023").codes - ended.keys()
    assert len(list(csv.DictReader(earlier_rows_csv(load_forms()).splitlines()))) == 211 + 2 * len(form.rows)


def test_a_unit_has_the_form_of_its_level_and_its_provinces_before_the_general_one() -> None:
    general = Form(form="g", level="commune", valid_from=dt.date(2025, 7, 1))
    own = Form(form="o", level="commune", issuer="92", valid_from=dt.date(2026, 1, 1), valid_to=dt.date(2026, 12, 31))
    district = Form(form="d", valid_from=dt.date(2020, 1, 1))
    known = (district, general, own)

    def used(day: str, level: str, issuer: str) -> str:
        return form_on(dt.date.fromisoformat(day), known, level=level, issuer=issuer).form

    assert used("2026-03-14", "commune", "92") == "o"
    assert used("2026-03-14", "commune", "91") == "g"
    assert used("2025-09-14", "commune", "92") == "g"
    assert used("2027-03-14", "commune", "92") == "g"
    assert used("2026-03-14", "district", "92") == "d"
    with pytest.raises(LookupError):
        used("2025-06-14", "commune", "92")


# --- forms of a home ------------------------------------------------------------------------------------------------


@pytest.fixture
def home_forms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home with one form of Cần Thơ's communes, not confirmed."""
    monkeypatch.setenv(forms.HOME_FORMS_ENV, "")
    folder = tmp_path / "forms" / "ct"
    folder.mkdir(parents=True)
    head = {
        "form": "ct",
        "issuer": "92",
        "level": "commune",
        "valid_from": dt.date(2026, 1, 1),
        "derived_from": "xa-2025",
    }
    (folder / "form.yml").write_text(yaml.safe_dump(head), encoding="utf-8")
    use_forms_of(tmp_path / "forms")
    yield tmp_path / "forms"
    use_forms_of(tmp_path / "none")


def test_a_form_counts_once_exactly_its_files_were_confirmed(home_forms: Path) -> None:
    folder, day = home_forms / "ct", dt.date(2026, 3, 14)
    assert held_at(day, "commune", "92") == ["ct"]
    assert not held_at(day, "commune", "91") + held_at(day, "district", "92")
    assert form_on(day, level="commune", issuer="92").form == "xa-2025"
    state = forms.forms_state()
    confirm(folder, "Văn phòng", day)
    use_forms_of(home_forms)
    assert forms.forms_state() != state
    assert not held_forms()
    form = form_on(day, level="commune", issuer="92")
    assert (form.form, len(form.fingerprint or "")) == ("ct", 64)
    assert form_on(day, level="commune", issuer="91").form == "xa-2025"
    (folder / "letter.yaml").write_text("subject: khác\n", encoding="utf-8")
    use_forms_of(home_forms)
    assert not is_confirmed(folder)
    assert form_on(day, level="commune", issuer="92").form == "xa-2025"


def held_at(day: dt.date, level: str, issuer: str) -> list[str]:
    """The forms that hold back such a unit on a closing day."""
    return [held.form for held in held_forms() if held.is_for(day, level, issuer)]


#: What may become of ``form.yml`` in the hands of people: its text to what lies there then.
DAMAGES: dict[str, Callable[[str], bytes | None]] = {
    "gone": lambda _: None,
    "a tab": lambda text: f"{text}\n\tmark_vi: x\n".encode(),
    "another date": lambda text: text.replace("2026-01-01", "01/01/2026").encode(),
    "a number for a code": lambda text: text.replace("'92'", "92").encode(),
    "a level in Vietnamese": lambda text: text.replace("commune", "xã").encode(),
    "another encoding": lambda text: text.encode("utf-16"),
    "a key that is none": lambda text: f"{text}ghi_chu: x\n".encode(),
    "another province": lambda text: text.replace("'92'", "'91'").encode(),
    "nothing": lambda _: b"",
    "a list": lambda _: b"- x\n",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_form_that_was_in_use_and_is_damaged_holds_back_its_units_and_no_others(
    home_forms: Path, damage: Callable[[str], bytes | None]
) -> None:
    folder, day = home_forms / "ct", dt.date(2026, 3, 14)
    confirm(folder, "Văn phòng", day)
    path = folder / "form.yml"
    left = damage(path.read_text(encoding="utf-8"))
    path.unlink() if left is None else path.write_bytes(left)
    use_forms_of(home_forms)
    assert held_at(day, "commune", "92") == ["ct"]
    assert not held_at(day, "district", "94") + held_at(day, "commune", "01")
    assert form_on(day, level="commune", issuer="01").form == "xa-2025"


def test_a_form_of_which_nobody_can_tell_for_whom_it_was_confirmed_holds_back_all(home_forms: Path) -> None:
    confirm(home_forms / "ct", "Văn phòng", dt.date(2026, 3, 14))
    for name in ("form.yml", "confirmed.json"):
        (home_forms / "ct" / name).write_bytes(b"\xff")
    use_forms_of(home_forms)
    assert held_at(dt.date(2026, 3, 14), "district", "94") == ["ct"]


@pytest.mark.parametrize(
    "name", ["ghi-chu.txt", ".~lock.matches.csv#", "Thumbs.db", "matches.csv", "cu/rows.csv", "rows.csv.bak"]
)
def test_a_stray_file_changes_nothing(home_forms: Path, name: str) -> None:
    confirm(home_forms / "ct", "Văn phòng", dt.date(2026, 3, 14))
    stray = home_forms / "ct" / name
    stray.parent.mkdir(exist_ok=True)
    stray.write_text("x", encoding="utf-8")
    use_forms_of(home_forms)
    assert is_confirmed(home_forms / "ct")
    assert not held_forms()


def later_form(home_forms: Path, form_id: str, base: str, valid_from: dt.date) -> Path:
    """A second form of the home, confirmed."""
    folder = home_forms / form_id
    folder.mkdir()
    head = {"form": form_id, "issuer": "92", "level": "commune", "valid_from": valid_from, "derived_from": base}
    (folder / "form.yml").write_text(yaml.safe_dump(head), encoding="utf-8")
    confirm(folder, "Văn phòng", dt.date(2026, 3, 14))
    return folder


@pytest.mark.parametrize(
    "damage",
    [
        "letter.yaml: 'subject: khác'",  # changed since
        "rows.csv: 'row_no;section'",  # as a spreadsheet saves it
        "form.yml: ''",
    ],
)
def test_a_form_whose_base_is_held_is_held_with_it_and_comes_back_with_it(home_forms: Path, damage: str) -> None:
    base = home_forms / "ct"
    confirm(base, "Văn phòng", dt.date(2026, 3, 14))
    use_forms_of(home_forms)
    later_form(home_forms, "sau", "ct", dt.date(2027, 1, 1))
    use_forms_of(home_forms)
    assert not held_forms()
    ((name, text),) = yaml.safe_load(damage).items()
    before = (base / name).read_bytes() if (base / name).exists() else None
    (base / name).write_text(text, encoding="utf-8")
    use_forms_of(home_forms)
    assert held_at(dt.date(2026, 3, 14), "commune", "92") == ["ct"]
    assert held_at(dt.date(2027, 3, 14), "commune", "92")[0] == "sau"
    assert "biểu mẫu ct mà nó dựa trên" in next(held.why_vi for held in held_forms() if held.form == "sau")
    assert form_on(dt.date(2027, 3, 14), level="commune", issuer="01").form == "xa-2025"
    assert form_on(dt.date(2025, 3, 14)).form == "2023"
    (base / name).unlink() if before is None else (base / name).write_bytes(before)
    use_forms_of(home_forms)
    assert not held_forms()


HEAD = "issuer: '92'\nlevel: commune\nvalid_from: 2026-01-01\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("rows.csv", "row_no;section;indicator_code\n1;I;I.01\n"),  # as a spreadsheet saves it
        ("rows.csv", "row_no,section,indicator_code\n1,I,I.01\n"),
        ("crosswalk.csv", "old_code,new_code,relation,note_vi\nI.01,I.01,khác,\n"),
        ("crosswalk.csv", "old_code;new_code\nI.01;I.01\n"),
        ("form.yml", f"form: khac\n{HEAD}derived_from: xa-2025\n"),
        ("form.yml", f"form: ct\n{HEAD}derived_from: ct\n"),
        ("form.yml", f"form: ct\n{HEAD}derived_from: gone\n"),
        ("form.yml", f"form: ct\n{HEAD}derived_from: xa-2025\nrows: [x]\n"),
        ("form.yml", f"form: ct\n{HEAD}"),
    ],
)
def test_a_form_that_cannot_be_read_holds_back_its_units_whoever_confirmed_it(
    home_forms: Path, name: str, text: str
) -> None:
    (home_forms / "ct" / name).write_text(text, encoding="utf-8")
    confirm(home_forms / "ct", "Văn phòng", dt.date(2026, 3, 14))
    use_forms_of(home_forms)
    assert form_on(dt.date(2025, 3, 14)).form == "2023"
    assert held_at(dt.date(2026, 3, 14), "commune", "92") == ["ct"]
    assert not held_at(dt.date(2026, 3, 14), "commune", "01")


def test_forms_that_exclude_each_other_are_held_both_and_a_superseded_one_holds_nobody(home_forms: Path) -> None:
    folder, day = home_forms / "ct", dt.date(2026, 3, 14)
    confirm(folder, "Văn phòng", day)
    other = later_form(home_forms, "khac", "xa-2025", dt.date(2026, 1, 1))
    use_forms_of(home_forms)
    assert held_at(day, "commune", "92") == ["khac", "ct"]
    shutil.rmtree(other)
    later_form(home_forms, "moi", "xa-2025", dt.date(2026, 3, 1))
    (folder / "letter.yaml").write_text("subject: khác\n", encoding="utf-8")
    use_forms_of(home_forms)
    assert not held_at(day, "commune", "92")
    assert held_at(dt.date(2026, 2, 14), "commune", "92") == ["ct"]


def test_a_form_that_comes_changes_no_suite_of_another(home_forms: Path) -> None:
    from expectations import suite_version

    before = {form: suite_version("mart", form) for form in ("2023", "xa-2025")}
    (home_forms / "ct" / "form.yml").write_text(
        (home_forms / "ct" / "form.yml").read_text(encoding="utf-8")
        + "rows: {II.17: {kind: count, unit_vi: Lượt, unit_canonical: Lượt}, VII.14: {period_basis: year_to_date}}\n",
        encoding="utf-8",
    )
    confirm(home_forms / "ct", "Văn phòng", dt.date(2026, 3, 14))
    use_forms_of(home_forms)
    assert {form: suite_version("mart", form) for form in before} == before
    assert suite_version("mart", "ct") not in before.values()


def test_a_crosswalk_that_leaves_a_row_untold_is_refused(home_forms: Path) -> None:
    folder = home_forms / "ct"
    steps = "".join(f"{code},{code},same,\n" for code in sorted(form_named("xa-2025").codes - {"I.02"}))
    (folder / "crosswalk.csv").write_text(f"old_code,new_code,relation,note_vi\n{steps}", encoding="utf-8")
    with pytest.raises(ValueError, match=r"nothing is said of I\.02"):
        read_form(folder, find=form_named)
    (folder / "crosswalk.csv").write_text(
        f"old_code,new_code,relation,note_vi\n{steps}I.02,,renamed,\n", encoding="utf-8"
    )
    with pytest.raises(ValueError, match=r"renamed of I\.02"):
        read_form(folder, find=form_named)
