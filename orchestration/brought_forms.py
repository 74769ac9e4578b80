"""Forms that an office brings: written from a department's annex, looked through by a person, confirmed.

Belongs here: the folder ``<home>/forms/<id>/`` on its way to being confirmed. Does not belong here: reading the annex
and matching its lines (``ingestion``), what a form is and when it is used (``common.forms``), the command line's words.

``matches.csv`` is where the person decides: its last column says ``đúng`` to what was proposed, ``mới`` where the row
is no known one, or the code of the row that it is. The same import, asked again, writes the folder by what was decided.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from common.files import replace_durably
from common.forms import (
    CONFIRMED_JSON,
    CROSSWALK_CSV,
    FORM_FAULTS,
    FORM_YML,
    FORMS_DIR,
    LEVELS,
    ROWS_CSV,
    Form,
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
from ingestion import Annex, line_keys, read_form_annex

MATCHES_CSV = "matches.csv"
RIGHT_VI, NEW_VI = "đúng", "mới"
_COLUMNS = ("stt", "ten_chi_tieu", "don_vi_tinh", "dong_trong_tep", "ma_de_xuat", "ten_da_biet", "do_giong",
            "muc_chac_chan", "ma_khac", "quyet_dinh")  # fmt: skip
_CERTAINTY_VI = {"certain": "chắc chắn", "likely": "nhiều khả năng", "doubtful": "cần xem kỹ", "new": "chưa biết"}
_KINDS = frozenset({"heading", "heading_with_value", "count", "ratio", "flag", "flag_or_count", "code", "text"})
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

    Raises ``NoForm`` where the form is confirmed already, its id is taken, or there is no form before it;
    ``ingestion.NoAnnex`` where the workbook holds none.
    """
    folder = home_forms / form_id
    if (FORMS_DIR / form_id).exists():
        raise NoForm(f"mã {form_id} là của biểu mẫu có sẵn; đặt mã khác bằng --id")
    if folder.exists() and is_confirmed(folder):
        raise NoForm(f"biểu mẫu {form_id} đã được xác nhận và đang dùng; biểu mới cần mã khác (--id)")
    others = [form for form in load_forms() if form.form != form_id]
    try:
        before = form_on(valid_from, others, level=level, issuer=issuer)
    except LookupError:
        raise NoForm(f"không có biểu mẫu nào cho cấp này vào ngày {valid_from:%d/%m/%Y} để đối chiếu") from None
    decided, said = _decided(folder, before)
    annex = read_form_annex(workbook, before, decided)
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / FORM_YML).exists():
        head = {
            "form": form_id,
            **({"title_vi": title_vi} if title_vi else {}),
            "issuer": issuer,
            "level": level,
            "valid_from": valid_from,
            "derived_from": before.form,
        }
        _write(folder / FORM_YML, yaml.safe_dump(head, allow_unicode=True, sort_keys=False))
    _write(folder / ROWS_CSV, _csv(annex.rows[0].keys(), annex.rows))
    _write(folder / CROSSWALK_CSV, _csv(Step.model_fields, [step.model_dump() for step in annex.steps]))
    lines = _match_lines(annex, before, said)
    _write(folder / MATCHES_CSV, "\ufeff" + _csv(_COLUMNS, lines))
    return Imported(
        folder,
        before,
        Counter(_CERTAINTY_VI[match.certainty] for match in annex.matches),
        tuple(step.old_code for step in annex.steps if step.relation == "ended"),
        sum(not line["quyet_dinh"] for line in lines),
    )


def _write(path: Path, text: str) -> None:
    replace_durably(path, text.encode())


def _csv(columns: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _match_lines(annex: Annex, before: Form, said: Mapping[tuple[str, str, int], str]) -> list[dict[str, str]]:
    names = {row["indicator_code"]: row["name_corrected_vi"] or row["name_vi"] for row in before.rows}
    found = []
    for key, match in zip(line_keys(match.line for match in annex.matches), annex.matches, strict=True):
        decision = said.get(key, RIGHT_VI if match.certainty == "certain" else "")
        found.append(
            {
                "stt": match.line.number,
                "ten_chi_tieu": match.line.name,
                "don_vi_tinh": match.line.unit,
                "dong_trong_tep": f"{match.line.sheet}!{match.line.row}",
                "ma_de_xuat": match.code,
                "ten_da_biet": names.get(match.code, ""),
                "do_giong": str(round(100 * match.likeness)),
                "muc_chac_chan": _CERTAINTY_VI[match.certainty],
                "ma_khac": match.other_code,
                "quyet_dinh": decision,
            }
        )
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


def _decided(folder: Path, before: Form) -> tuple[dict[tuple[str, str, int], str], dict[tuple[str, str, int], str]]:
    """By line, the code that was decided on (empty: a new row), and the words of the decision."""
    codes, said = {}, {}
    seen: Counter[tuple[str, str]] = Counter()
    for number, line in enumerate(read_matches(folder), 2):
        pair = (line["stt"], line["ten_chi_tieu"])
        key = (*pair, seen[pair])
        seen[pair] += 1
        decision = line["quyet_dinh"]
        if not decision:
            continue
        codes[key] = _code_of(line, decision, before, f"{folder / MATCHES_CSV}, dòng {number}")
        said[key] = decision
    if twice := sorted(code for code, count in Counter(filter(None, codes.values())).items() if count > 1):
        raise NoForm(f"{folder / MATCHES_CSV}: hai dòng cùng nhận mã {', '.join(twice)}; sửa cột quyet_dinh")
    return codes, said


def _code_of(line: Mapping[str, str], decision: str, before: Form, where: str) -> str:
    if decision.casefold() == NEW_VI:
        return ""
    code = line["ma_de_xuat"] if decision.casefold() == RIGHT_VI else decision.upper()
    if code not in before.codes:
        raise NoForm(
            f"{where}: quyet_dinh “{decision}” không phải “{RIGHT_VI}”, “{NEW_VI}” hay mã chỉ tiêu của biểu "
            f"{before.form}"
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
    faults = [*_undecided(folder, form), *_wrong_rows(form)]
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
    try:
        lines = read_matches(folder)
    except NoForm as error:
        return [str(error)]
    if not lines:
        return []
    faults = []
    before = form.base or form
    if len(lines) != len(form.rows):
        faults.append(
            f"{MATCHES_CSV} có {len(lines)} dòng, {ROWS_CSV} có {len(form.rows)} dòng; chạy lại cchc form import"
        )
        return faults
    for number, (line, row) in enumerate(zip(lines, form.rows, strict=True), 2):
        named = f"{MATCHES_CSV} dòng {number}, “{line['ten_chi_tieu']}”"
        if not line["quyet_dinh"]:
            proposed = f"đề xuất {line['ma_de_xuat']} “{line['ten_da_biet']}”, giống {line['do_giong']}%"
            told = proposed if line["ma_de_xuat"] else "không giống chỉ tiêu nào đã biết"
            faults.append(f"{named}: {told}; ghi quyet_dinh là {RIGHT_VI}, {NEW_VI} hoặc một mã chỉ tiêu")
            continue
        try:
            code = _code_of(line, line["quyet_dinh"], before, named)
        except NoForm as error:
            faults.append(str(error))
            continue
        is_as_decided = row["indicator_code"] == code if code else row["indicator_code"] not in before.codes
        if not is_as_decided:
            faults.append(f"{named}: {ROWS_CSV} chưa theo quyết định; chạy lại cchc form import")
    return faults


def _wrong_rows(form: Form) -> list[str]:
    """Cells that no program could use, and rows that a person should say more of."""
    figures = {row[name] for other in load_forms() for row in other.rows for name in ("numerator", "denominator")}
    faults = []
    for number, row in enumerate(form.rows, 2):
        named = f"{ROWS_CSV} dòng {number}, {row['indicator_code']} “{row['name_vi']}”"
        if row["kind"] not in _KINDS:
            faults.append(f"{named}: kind “{row['kind']}” không có; dùng một trong {', '.join(sorted(_KINDS))}")
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
    return faults


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
