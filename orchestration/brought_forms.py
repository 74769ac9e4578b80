"""Forms that an office brings: written from a department's annex, looked through by a person, confirmed.

Belongs here: the folder ``<home>/forms/<id>/`` on its way to being confirmed. Does not belong here: reading the annex
and matching its lines (``ingestion``), what a form is and when it is used (``common.forms``), the command line's words.

``matches.csv`` is where the person decides: its last column says ``đúng`` to what was proposed, ``mới`` where the row
is no known one, ``bỏ`` where it is no row, or the code of the row that it is. The same import, asked again, writes the
folder by what was decided; it neither forgets a decision nor writes over what was mended by hand.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from common.codes import ROW_CODE
from common.declared import read_yaml
from common.files import readable_json, replace_durably, sha256_bytes, sha256_file
from common.forms import (
    CONFIRMED_JSON,
    CROSSWALK_CSV,
    FORM_FAULTS,
    FORM_YML,
    FORMS_DIR,
    IMPORTED_JSON,
    LEVELS,
    ROWS_CSV,
    Form,
    ForWhom,
    Step,
    confirm,
    form_folders,
    form_named,
    form_on,
    held_forms,
    is_confirmed,
    load_forms,
    not_in_use_vi,
    read_form,
    told,
    use_forms_of,
)
from ingestion import Annex, LineKey, goes_on, line_key, read_form_annex, unit_of

MATCHES_CSV = "matches.csv"
RIGHT_VI, NEW_VI, NONE_VI = "đúng", "mới", "bỏ"
_COLUMNS = ("stt", "ten_chi_tieu", "don_vi_tinh", "dong_trong_tep", "ma_de_xuat", "ten_da_biet", "don_vi_da_biet",
            "do_giong", "muc_chac_chan", "ma_khac", "quyet_dinh")  # fmt: skip
_SURE_VI, _SAID_VI, _UNREAD_VI = "chắc chắn", "đã quyết định", "không đọc"
_CERTAINTY_VI = {"certain": _SURE_VI, "likely": "nhiều khả năng", "doubtful": "cần xem kỹ", "new": "chưa biết",
                 "unclear": "không hiểu", "decided": _SAID_VI, "dropped": _SAID_VI}  # fmt: skip
_KINDS = {
    "heading": "tiêu đề", "heading_with_value": "tiêu đề có số", "count": "số đếm, số nguyên", "ratio": "tỷ lệ %",
    "flag": "có hoặc không", "flag_or_count": "có, không hoặc số đếm", "code": "câu trả lời theo số", "text": "chữ",
}  # fmt: skip
#: What the unit of measure may say by kind of row: answers need their legend, a count is no percent.
_UNIT_KINDS = {"count": ("", "count"), "ratio": ("ratio",), "flag": ("flag",), "code": ("code", "flag")}
_ANY_UNIT = ("", "count", "ratio", "flag", "code")
_BASES = frozenset({"in_period", "year_to_date", "at_closing", "annual"})


class NoForm(ValueError):
    """What was asked for cannot be done with this form. The message is for people, in Vietnamese."""


@dataclass(frozen=True)
class Imported:
    """What an import wrote: the folder, how many lines are how sure, and what is still to be decided."""

    folder: Path
    before: Form
    counts: Mapping[str, int]
    ended: tuple[str, ...]
    open_lines: int


def import_form(
    home_forms: Path, workbook: Path, *, form_id: str, title_vi: str, issuer: str, level: str, valid_from: dt.date
) -> Imported:
    """Writes the folder of a department's annex for a person to confirm, by what was decided of it before.

    Raises ``NoForm`` where the form is confirmed already, its id is taken, there is no form before it, ``form.yml``
    says something else than what is asked, or a file was mended by hand that would come out otherwise now;
    ``ingestion.NoAnnex`` where the workbook holds none, or lacks a line that was decided.
    """
    folder = home_forms / form_id
    if (FORMS_DIR / form_id).exists():
        raise NoForm(f"mã {form_id} là của biểu mẫu có sẵn; đặt mã khác bằng --id")
    if folder.exists() and is_confirmed(folder):
        raise NoForm(f"biểu mẫu {form_id} đã được xác nhận và đang dùng; biểu mới cần mã khác (--id)")
    before = _form_before(home_forms, form_id, valid_from, level, issuer)
    head = {
        "form": form_id,
        **({"title_vi": title_vi} if title_vi else {}),
        "issuer": issuer,
        "level": level,
        "valid_from": valid_from,
        "derived_from": before.form,
    }
    _check_head(folder / FORM_YML, head)
    decided, passed = _decided(folder, before)
    annex = read_form_annex(workbook, before, decided)
    texts = {
        ROWS_CSV: _csv(annex.rows[0].keys(), annex.rows),
        CROSSWALK_CSV: _csv(Step.model_fields, [step.model_dump() for step in annex.steps]),
    }
    mended = _mended_by_hand(folder, texts)
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / FORM_YML).exists():
        _write(folder / FORM_YML, yaml.safe_dump(head, allow_unicode=True, sort_keys=False))
    for name in texts.keys() - mended:
        _write(folder / name, texts[name])
    record = {name: str(head[name]) for name in ForWhom.model_fields if name in head}
    record |= {name: sha256_bytes(text.encode()) for name, text in texts.items()}
    replace_durably(folder / IMPORTED_JSON, readable_json(record))
    lines = _match_lines(annex, before, passed)
    _write(folder / MATCHES_CSV, "\ufeff" + _csv(_COLUMNS, lines))
    return Imported(
        folder,
        before,
        Counter(line["muc_chac_chan"] for line in lines),
        tuple(step.old_code for step in annex.steps if step.relation == "ended"),
        sum(not line["quyet_dinh"] for line in lines),
    )


def _form_before(home_forms: Path, form_id: str, day: dt.date, level: str, issuer: str) -> Form:
    """The form that the new one goes on: in force for its units on the day it begins."""
    for held in held_forms():
        was_in_use = held.form != form_id and (home_forms / held.form / CONFIRMED_JSON).exists()
        if was_in_use and held.is_for(day, level, issuer):
            raise NoForm(f"biểu mẫu {held.form} áp dụng trước biểu này {held.why_vi}; xem cchc form check {held.form}")
    try:
        return form_on(day, [f for f in load_forms() if f.form != form_id], level=level, issuer=issuer)
    except LookupError:
        raise NoForm(f"không có biểu mẫu nào cho cấp này vào ngày {day:%d/%m/%Y} để đối chiếu") from None


def _check_head(path: Path, head: Mapping[str, Any]) -> None:
    """Raises ``NoForm`` where there is a ``form.yml`` that says something else than what is asked now."""
    if not path.exists():
        return
    try:
        said = dict(read_yaml(path))
    except FORM_FAULTS as error:
        raise NoForm(f"{path}: không đọc được: {told(error)}") from None
    other = [f"{name} là {said.get(name)}, lệnh này cần {asked}" for name, asked in head.items()
             if str(said.get(name, "")) != str(asked)]  # fmt: skip
    if other:
        raise NoForm(f"{path}: {'; '.join(other)}; sửa tệp này hoặc lệnh, hay đặt mã khác (--id)")


def _mended_by_hand(folder: Path, texts: Mapping[str, str]) -> set[str]:
    """The files that were changed since the last import wrote them. They stay where it would write the same again, and
    else ``NoForm`` is raised: nobody's mending is thrown away.
    """
    try:
        record = json.loads((folder / IMPORTED_JSON).read_bytes())
    except (OSError, ValueError):
        record = {}
    wanted = {name: sha256_bytes(text.encode()) for name, text in texts.items()}
    there = {name: sha256_file(path) for name in texts if (path := folder / name).is_file()}
    mended = {name for name, found in there.items() if found not in (record.get(name), wanted[name])}
    if lost := sorted(name for name in mended if wanted[name] != record.get(name)):
        raise NoForm(
            f"{folder}: {', '.join(lost)} đã được sửa tay từ lần nhập trước, mà tệp biểu hoặc các quyết định nay đã "
            "khác; chuyển tệp ấy ra ngoài thư mục, nhập lại, rồi đưa các chỗ sửa vào tệp mới"
        )
    return mended


def _write(path: Path, text: str) -> None:
    replace_durably(path, text.encode())


def _csv(columns: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _match_lines(annex: Annex, before: Form, passed: Container[LineKey]) -> list[dict[str, str]]:
    known = {row["indicator_code"]: row for row in before.rows}
    found = []
    for match in annex.matches:
        line, row = match.line, known.get(match.code, {})
        decided = match.certainty == "decided" and (RIGHT_VI if match.code else NEW_VI)
        decision = {"certain": RIGHT_VI, "dropped": NONE_VI}.get(match.certainty) or decided or ""
        found.append(
            {
                "stt": line.number,
                "ten_chi_tieu": line.name,
                "don_vi_tinh": line.unit,
                "dong_trong_tep": line.place,
                "ma_de_xuat": match.code,
                "ten_da_biet": row.get("name_corrected_vi") or row.get("name_vi", ""),
                "don_vi_da_biet": row.get("unit_vi") or row.get("unit_canonical", ""),
                "do_giong": str(round(100 * match.likeness)),
                "muc_chac_chan": _CERTAINTY_VI[match.certainty],
                "ma_khac": match.other_code,
                "quyet_dinh": decision,
            }
        )
    for part in annex.unread:
        own = {"ten_chi_tieu": part.text_vi, "dong_trong_tep": part.place, "muc_chac_chan": _UNREAD_VI}
        decision = NONE_VI if line_key(part.place, part.text_vi) in passed else ""
        found.append(dict.fromkeys(_COLUMNS, "") | own | {"quyet_dinh": decision})
    return found


def read_matches(folder: Path) -> list[dict[str, str]]:
    """The lines of ``matches.csv``, also as a spreadsheet saved it. Raises ``NoForm`` where it cannot be read."""
    path = folder / MATCHES_CSV
    if not path.is_file():
        return []
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise NoForm(f"{path}: không ở mã UTF-8; lưu lại dạng CSV UTF-8") from None
    first = text.partition("\n")[0]
    lines = list(csv.DictReader(io.StringIO(text), delimiter=";" if first.count(";") > first.count(",") else ","))
    if lines and (missing := [name for name in _COLUMNS if name not in lines[0]]):
        raise NoForm(f"{path}: thiếu cột {', '.join(missing)}")
    return [{name: (line[name] or "").strip() for name in _COLUMNS} for line in lines]


def _decided(folder: Path, before: Form) -> tuple[dict[LineKey, str | None], set[LineKey]]:
    """By line what a person decided: a code, empty for a new row, None for no row; and what may stay unread."""
    found: dict[LineKey, str | None] = {}
    passed = set()
    for number, line in enumerate(read_matches(folder), 2):
        decision, where = line["quyet_dinh"], f"{folder / MATCHES_CSV}, dòng {number}"
        key = line_key(line["dong_trong_tep"], line["ten_chi_tieu"])
        is_own = line["muc_chac_chan"] == _SURE_VI and decision.casefold() == RIGHT_VI
        if not decision or is_own:
            continue
        code = _code_of(line, decision, before, where)
        if line["muc_chac_chan"] == _UNREAD_VI:
            passed.add(key)
        elif found.setdefault(key, code) != code:
            raise NoForm(f"{where}: dòng “{line['ten_chi_tieu']}” đã có quyết định khác ở trên; giữ lại một dòng")
    if twice := sorted(code for code, count in Counter(filter(None, found.values())).items() if count > 1):
        raise NoForm(f"{folder / MATCHES_CSV}: hai dòng cùng nhận mã {', '.join(twice)}; sửa cột quyet_dinh")
    return found, passed


def _code_of(line: Mapping[str, str], decision: str, before: Form, where: str) -> str | None:
    """The code that a decision means: empty for a new row, None for no row."""
    word = decision.casefold()
    if word == NONE_VI:
        return None
    if line["muc_chac_chan"] == _UNREAD_VI:
        raise NoForm(f"{where}: chỗ này chưa được đọc, quyet_dinh chỉ có thể là “{NONE_VI}”; hoặc sửa tệp rồi nhập lại")
    if word == NEW_VI:
        return ""
    code = line["ma_de_xuat"] if word == RIGHT_VI else decision.upper()
    if code not in before.codes:
        raise NoForm(
            f"{where}: quyet_dinh “{decision}” không phải “{RIGHT_VI}”, “{NEW_VI}”, “{NONE_VI}” hay mã chỉ tiêu của "
            f"biểu {before.form}"
        )
    return code


def faults_of(folder: Path) -> list[str]:
    """What a form of the home still lacks before it can be confirmed, each a sentence in Vietnamese."""
    from expectations import relation_rules
    from publication import check_texts_of

    try:
        form = read_form(folder, find=_base_named)
    except FileNotFoundError as error:
        return [f"thiếu tệp {error.filename}"]
    except FORM_FAULTS as error:
        return [f"chưa đọc được biểu mẫu: {told(error)}"]
    # Rows are mended once all is decided: what is decided later would write them anew.
    faults = _undecided(folder, form) or _wrong_rows(form)
    try:
        check_texts_of(form)
    except (ValueError, LookupError) as error:
        faults.append(f"lời văn chưa khớp biểu: {told(error)}")
    try:
        relation_rules(form)
    except (ValueError, LookupError) as error:
        faults.append(f"quan hệ giữa các dòng chưa khớp biểu: {told(error)}")
    if is_confirmed(folder):
        faults += sorted({held.why_vi for held in held_forms() if held.form == folder.name})
    return faults


def _base_named(form_id: str) -> Form:
    try:
        return form_named(form_id)
    except LookupError:
        raise LookupError(not_in_use_vi(form_id)) from None


def _undecided(folder: Path, form: Form) -> list[str]:
    """What is still to be said of the lines of ``matches.csv``, and where the rows are not by what was said."""
    before = form.base or form
    known = {row["indicator_code"]: row for row in before.rows}
    faults = []
    printed: list[tuple[str, bool, str]] = []
    try:
        lines = read_matches(folder)
        for number, line in enumerate(lines, 2):
            named = f"{MATCHES_CSV} dòng {number}, “{line['ten_chi_tieu']}”"
            if not line["quyet_dinh"]:
                faults.append(f"{named}: {_proposal_of(line)}")
            elif (code := _code_of(line, line["quyet_dinh"], before, named)) is not None:
                printed.append((named, goes_on(code, line["don_vi_tinh"], known), code))
    except NoForm as error:
        return [*faults, str(error)]
    if faults or not lines:
        return faults
    if len(printed) != len(form.rows):
        return [f"{MATCHES_CSV} có {len(printed)} dòng, {ROWS_CSV} có {len(form.rows)} dòng; chạy lại cchc form import"]
    return [
        f"{named}: {ROWS_CSV} chưa theo quyết định; chạy lại cchc form import"
        for (named, is_known, code), row in zip(printed, form.rows, strict=True)
        if not (row["indicator_code"] == code if is_known else row["indicator_code"] not in before.codes)
    ]


def _proposal_of(line: Mapping[str, str]) -> str:
    """What the program takes an undecided line for, and what may be said of it."""
    if line["muc_chac_chan"] == _UNREAD_VI:
        return (
            f"ở {line['dong_trong_tep']}, không đọc gì từ đây; sửa tệp rồi nhập lại, hoặc ghi quyet_dinh là {NONE_VI}"
        )
    told_vi = "không giống chỉ tiêu nào đã biết"
    if line["ma_de_xuat"]:
        told_vi = f"đề xuất {line['ma_de_xuat']} “{line['ten_da_biet']}”, giống {line['do_giong']}%"
        if unit_of(line["don_vi_tinh"]).key != unit_of(line["don_vi_da_biet"]).key:
            told_vi += f", nhưng đơn vị tính là “{line['don_vi_tinh']}”, trước là “{line['don_vi_da_biet']}”"
    return f"{told_vi}; ghi quyet_dinh là {RIGHT_VI}, {NEW_VI}, {NONE_VI} (không phải chỉ tiêu) hoặc một mã chỉ tiêu"


def _wrong_rows(form: Form) -> list[str]:
    """Cells that no program could use, and rows that a person should say more of."""
    figures = {row[name] for other in load_forms() for row in other.rows for name in ("numerator", "denominator")}
    faults = []
    for number, row in enumerate(form.rows, 2):
        named = f"{ROWS_CSV} dòng {number}, {row['indicator_code']} “{row['name_vi']}”"
        if not re.fullmatch(ROW_CODE, row["indicator_code"]):
            faults.append(f"{named}: indicator_code “{row['indicator_code']}” không phải mã như III.05 hay VII.100")
        if row["kind"] not in _KINDS:
            faults.append(
                f"{named}: kind “{row['kind']}” không có, đơn vị tính là “{row['unit_vi']}”; ghi một trong "
                + ", ".join(f"{kind} ({meaning})" for kind, meaning in _KINDS.items())
            )
        elif unit_of(row["unit_canonical"]).kind not in _UNIT_KINDS.get(row["kind"], _ANY_UNIT):
            faults.append(
                f"{named}: kind “{row['kind']}” không hợp với đơn vị tính “{row['unit_canonical']}” (unit_canonical); "
                "sửa một trong hai"
            )
        elif row["kind"] != "heading" and row["period_basis"] not in _BASES:
            faults.append(
                f"{named}: period_basis “{row['period_basis']}” không có; dùng một trong {', '.join(sorted(_BASES))}"
            )
        faults += [
            f"{named}: {name} “{row[name]}” không phải số đo nào đã biết"
            for name in ("numerator", "denominator")
            if row[name] and row[name] not in figures
        ]
        faults += [
            f"{named}: {name} nêu {code}, không có trong biểu"
            for name in ("logical_parent_code", "derived_from")
            for code in filter(None, row[name].split("+"))
            if code not in form.codes
        ]
    parents = {row["indicator_code"]: [row["logical_parent_code"]] for row in form.rows}
    terms = {row["indicator_code"]: row["derived_from"].split("+") for row in form.rows}
    faults += [
        f"{ROWS_CSV}: {name} của {' → '.join(cycle)} đi thành vòng; sửa một trong các dòng ấy"
        for name, of in (("logical_parent_code", parents), ("derived_from", terms))
        if (cycle := _cycle_of(of))
    ]
    return faults


def _cycle_of(leads_to: Mapping[str, Sequence[str]]) -> list[str]:
    """Codes of which each leads to the next, the last to the first; empty where there are none."""
    left = {code: {other for other in others if other in leads_to} for code, others in leads_to.items()}
    while ends := [code for code, others in left.items() if not others & left.keys()]:
        for code in ends:
            del left[code]
    found: list[str] = []
    code = min(left, default="")
    while code and code not in found:
        found.append(code)
        code = min(left[code] & left.keys())
    return [*found[found.index(code) :], code] if found else []


def confirm_form(home_forms: Path, form_id: str, by: str, on: dt.date) -> Form:
    """Takes the form into use. Raises ``NoForm`` where something is missing, or it cannot stand beside the others."""
    folder = home_forms / form_id
    if not (folder / FORM_YML).is_file():
        raise NoForm(f"không có biểu mẫu {form_id} trong {home_forms}")
    if faults := faults_of(folder):
        raise NoForm(f"biểu mẫu {form_id} còn {len(faults)} điểm chưa xong; xem cchc form check {form_id}")
    record = folder / CONFIRMED_JSON
    before = record.read_bytes() if record.is_file() else None
    confirm(folder, by, on)
    use_forms_of(home_forms)
    if why := next((held.why_vi for held in held_forms() if held.form == form_id), None):
        # What it was confirmed as before says for whom it is: those stay held back.
        record.unlink() if before is None else replace_durably(record, before)
        use_forms_of(home_forms)
        raise NoForm(f"biểu mẫu {form_id} {why}")
    return form_named(form_id)


def standing_of(home_forms: Path) -> Sequence[tuple[str, bool, int]]:
    """Id, whether confirmed, and how much is missing, of each form of the home."""
    return [(folder.name, is_confirmed(folder), len(faults_of(folder))) for folder in form_folders(home_forms)]


def default_id(issuer: str, level: str, valid_from: dt.date) -> str:
    """``92-commune-2026-01-01``."""
    assert level in LEVELS
    return f"{issuer}-{level}-{valid_from.isoformat()}"
