"""The passport of each figure: how it came about, in words, down to file, sheet and row.

Belongs here: formula, window, parts, decisions and rows of every row of the form, read from the marts, and the proof
that the parts add up to what is printed. Does not belong here: how a passport looks (page, terminal), which rows
count (``dbt_project/macros/figure_rows.sql`` compiles that from the same declarations as the figures).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from common.forms import form_named
from publication.content import row_ranges
from publication.content.notes import notes
from publication.content.release_content import FormRow, ReleaseContent
from publication.formatting import format_date, format_number, plain_number

SCHEMA = 1
#: What the intake calls the one sheet of a CSV.
CSV_SHEET = "csv"

STATUS_VI = {
    "computed": "Tính từ dữ liệu chi tiết",
    "declared": "Cơ quan khai báo",
    "not_reported": "Chưa có số liệu",
    "not_applicable": "Không phải báo cáo",
    "withheld": "Không công bố theo quyết định",
    "unsettled": "Chưa thống nhất giữa số tính và số khai báo",
}

#: The sources that figures come from, as their contracts name them.
SOURCE_VI = {
    "declared_returns": "Số liệu khai báo",
    "e_document_counts": "Số liệu văn bản điện tử",
    "one_stop_cases": "Hồ sơ một cửa",
    "org_units": "Danh mục cơ quan, đơn vị",
    "plan_tasks": "Nhiệm vụ kế hoạch",
    "procedure_catalogue": "Danh mục thủ tục hành chính",
    "staffing_roster": "Danh sách cán bộ, công chức, viên chức",
    "survey_responses": "Phiếu khảo sát hài lòng",
}

#: Figures that offices declare for rows of the form to be divided by.
AUXILIARY_VI = {
    "AUX.01": "Số biên chế công chức phải tinh giản theo kế hoạch năm",
    "AUX.02": "Số viên chức phải tinh giản theo kế hoạch năm",
}
_DECLARED_VI = "Số cơ quan khai báo"
#: By the column whose values a measure counts once each.
ONCE_VI = {
    "org_unit_code": "mỗi cơ quan, đơn vị",
    "person_key": "mỗi người",
    "procedure_code": "mỗi thủ tục",
    "receiving_unit_code": "mỗi đơn vị",
    "register_unit_code": "mỗi đơn vị",
    "target_unit_code": "mỗi đơn vị",
}
_ONE, _HUNDRED, _CENT = Decimal(1), Decimal(100), Decimal("0.01")


class PassportMismatch(Exception):
    """The rows or parts behind a figure do not come to the figure."""


def passports(content: ReleaseContent) -> dict[str, Any]:
    """The passports of all rows of the form, as ``quality/passports.json`` holds them.

    ``{"schema", "files": [...], "figures": {<indicator code>: {...}}}``; amounts are decimal text, rows are 1-based
    ranges within the sheet, ``file`` is an index into ``files``.
    Raises LookupError where a row lies in a delivery that is not among the release's inputs.
    """
    return _Book(content).as_dict()


def check_passports(content: ReleaseContent, document: Mapping[str, Any]) -> None:
    """Do the rows add up to the parts, and the parts to the figures that the form prints?

    Raises PassportMismatch at the first figure that does not, or when a row of the form has no passport.
    """
    figures = document["figures"]
    if list(figures) != sorted(row.code for row in content.rows):
        raise PassportMismatch("the passports are not those of the form's rows")
    derivations = {row["indicator_code"]: row["derivation"] for row in content.tables["dim_indicator"].to_pylist()}
    for row in content.rows:
        figure = figures[row.code]
        if figure["printed"] != row.printed:
            raise PassportMismatch(f"{row.code}: the passport prints {figure['printed']}, the form {row.printed}")
        for part in figure["parts"]:
            _check_rows(row.code, part)
        _check_figure(row, derivations[row.code], figure["parts"])


def _check_rows(code: str, part: Mapping[str, Any]) -> None:
    for entry in part["files"]:
        if entry["rows"] is not None and row_ranges.count(entry["rows"]) != entry["count"]:
            raise PassportMismatch(f"{code}: {entry['rows']} are not {entry['count']} rows")
    follows_rows = part["measure"] is not None or part["files"] or part["role"] != "term"
    if not follows_rows or part["value"] is None:
        return
    total = sum((Decimal(entry["amount"]) for entry in part["files"]), Decimal(0))
    if total != Decimal(part["value"]):
        raise PassportMismatch(f"{code}: rows of {part['label_vi']} add up to {total}, the part is {part['value']}")


def _check_figure(row: FormRow, derivation: str | None, parts: Sequence[Mapping[str, Any]]) -> None:
    declared = [_decimal(part["value"]) for part in parts if part["role"] == "declared"]
    computed = reckoned(derivation, [_decimal(part["value"]) for part in parts if part["role"] != "declared"])
    if any(value != row.values["declared_value"] for value in declared):
        raise PassportMismatch(f"{row.code}: the declared part is not the declared figure")
    if computed is not None and computed != row.values["computed_value"]:
        raise PassportMismatch(f"{row.code}: the parts come to {computed}, computed is {row.values['computed_value']}")
    if row.value is not None and parts and row.value not in (computed, *declared):
        raise PassportMismatch(f"{row.code}: no part comes to the printed {row.printed}")


def reckoned(derivation: str | None, terms: Sequence[Decimal | None]) -> Decimal | None:
    """The computed figure from its terms, by the form row's derivation; None where it cannot be."""
    if not terms:
        return None
    known = [term for term in terms if term is not None]
    if derivation == "any_positive" and any(term > 0 for term in known):
        return _ONE
    if len(known) < len(terms):
        return None
    if derivation == "mode_code":
        paper, online = (term > 0 for term in known)
        return {(True, True): Decimal(2), (True, False): _ONE, (False, True): Decimal(0)}.get((paper, online))
    if derivation == "ratio":
        numerator, denominator = known
        return (_HUNDRED * numerator / denominator).quantize(_CENT, ROUND_HALF_UP) if denominator else None
    return sum(known, Decimal(0))


class _Book:
    """The marts of one release, arranged for looking up what stands behind a row."""

    def __init__(self, content: ReleaseContent) -> None:
        tables = content.tables
        self._content = content
        self._rows = content.rows_by_code
        self._form = {row["indicator_code"]: row for row in tables["dim_indicator"].to_pylist()}
        words = form_named(content.form_version).in_its_words
        self._measures = {
            row["measure"]: {**row, "description_vi": words(row["description_vi"])}
            for row in tables["dim_measure"].to_pylist()
        }
        self._values = {row["measure"]: row for row in tables["measure_values"].to_pylist()}
        self._period = next(q for q in tables["dim_quarter"].to_pylist() if q["quarter"] == content.quarter)
        self._behind: dict[str, list[dict[str, Any]]] = {}
        for row in tables["figure_rows"].to_pylist():
            self._behind.setdefault(row["figure"], []).append(row)
        self._files = self._used_files()
        self._file_no = {file["delivery_id"]: number for number, file in enumerate(self._files)}
        self._notes = self._notes_by_code()

    def as_dict(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "files": self._files,
            "figures": {code: self._figure(self._rows[code]) for code in sorted(self._rows)},
        }

    # -- files and rows ------------------------------------------------------------------------------------------

    def _used_files(self) -> list[dict[str, Any]]:
        used = {row["delivery_id"] for rows in self._behind.values() for row in rows} - {None}
        names = {u["unit_code"]: u["name_vi"] for u in self._content.tables["dim_unit"].to_pylist()}
        files = [
            {
                "delivery_id": entry["delivery_id"],
                "source": entry["source"],
                "source_vi": SOURCE_VI[entry["source"]],
                "unit_code": entry["unit_code"],
                "unit_name_vi": names.get(entry["unit_code"], entry["unit_code"]),
                "quarter": entry["quarter"],
                "file_name": entry["file_name"],
                "sha256": entry["sha256"],
            }
            for entry in self._content.inputs
            if entry["delivery_id"] in used
        ]
        if missing := used - {file["delivery_id"] for file in files}:
            raise LookupError(f"rows lie in deliveries that are no inputs: {', '.join(sorted(missing))}")
        return sorted(
            files, key=lambda f: (f["source"], f["unit_code"], f["quarter"], f["file_name"], f["delivery_id"])
        )

    def _entries(self, figure: str) -> list[dict[str, Any]]:
        """The rows behind a measure or declared figure, one entry a sheet; at the end one of those not named."""
        sheets: dict[tuple[int, str], list[dict[str, Any]]] = {}
        unnamed = [row for row in self._behind.get(figure, []) if row["delivery_id"] is None]
        for row in self._behind.get(figure, []):
            if row["delivery_id"] is not None:
                sheets.setdefault((self._file_no[row["delivery_id"]], row["sheet"]), []).append(row)
        named = [
            {
                "file": file,
                "sheet": sheet,
                "rows": row_ranges.encode(r for row in rows for r in row_ranges.decode(row["row_numbers"])),
                "count": sum(row["row_count"] for row in rows),
                "amount": plain_number(sum((row["amount"] or Decimal(0) for row in rows), Decimal(0))),
            }
            for (file, sheet), rows in sorted(sheets.items(), key=lambda item: item[0])
        ]
        return named + ([_unnamed(unnamed)] if unnamed else [])

    # -- parts ---------------------------------------------------------------------------------------------------

    def _named_part(self, role: str, name: str) -> dict[str, Any]:
        """The part for what a form row names as numerator or denominator: a measure or an auxiliary figure."""
        if name not in self._measures:
            entries = self._entries(name)
            value = sum((Decimal(e["amount"]) for e in entries), Decimal(0)) if entries else None
            return _part(role, AUXILIARY_VI.get(name, name), value, code=name, files=entries)
        measured = self._values[name]
        value = None if measured["value"] is None else Decimal(measured["value"])
        return _part(
            role,
            self._measures[name]["description_vi"],
            value,
            measure=name,
            files=self._entries(name),
            units=(measured["units_counted"], measured["units_expected"]),
        )

    def _term(self, code: str) -> dict[str, Any]:
        """Another row of the form, with the measure or the declaration that it publishes, where it is one of these."""
        row = self._rows[code]
        measure = self._form[code]["numerator"] if self._form[code]["derivation"] == "measure" else None
        if row.value is None or row.values["status"] != "computed" or self._is_zero_by_whole(row):
            measure = None
        entries = self._entries(measure or code) if measure or row.values["status"] == "declared" else []
        return _part("term", f"Dòng {row.row_no}: {_name(row)}", row.value, measure=measure, code=code, files=entries)

    def _parts(self, row: FormRow) -> Iterator[dict[str, Any]]:
        if row.values["kind"] == "heading":
            return
        form = self._form[row.code]
        if form["derived_from"]:
            # A row that does not apply (communes, where there are none) adds nothing and keeps nothing unknown.
            yield from (
                self._term(code)
                for code in form["derived_from"].split("+")
                if self._rows[code].values["status"] != "not_applicable"
            )
        elif form["derivation"] == "ratio":
            yield self._named_part("numerator", form["numerator"])
            yield self._named_part("denominator", form["denominator"])
        elif form["derivation"] == "measure" and not self._is_zero_by_whole(row):
            yield self._named_part("value", form["numerator"])
        elif form["derivation"] in ("any_positive", "mode_code"):
            yield from (self._named_part("term", form[side]) for side in ("numerator", "denominator") if form[side])
        if row.values["declared_value"] is not None or row.values["value_text"] is not None:
            yield _part(
                "declared",
                _DECLARED_VI,
                row.values["declared_value"],
                code=row.code,
                files=self._entries(row.code),
                printed=row.values["value_text"],
            )

    def _is_zero_by_whole(self, row: FormRow) -> bool:
        """A row nobody reported, 0 because the whole it is a part of is 0."""
        form = self._form[row.code]
        if row.values["status"] != "computed" or row.value != 0 or form["derived_from"]:
            return False
        return form["derivation"] is None or not self._values[form["numerator"]]["is_reported"]

    # -- words ---------------------------------------------------------------------------------------------------

    def _figure(self, row: FormRow) -> dict[str, Any]:
        parts = list(self._parts(row))
        return {
            "row_no": row.row_no,
            "printed": row.printed,
            "status": row.values["status"],
            "status_vi": STATUS_VI[row.values["status"]],
            "formula_vi": self._formula(row, parts),
            "window": self._window(row),
            "parts": parts,
            "decisions": self._decisions(row, parts),
            "notes_vi": list(self._row_notes(row, parts)),
        }

    def _window(self, row: FormRow) -> dict[str, Any] | None:
        """The days a figure is about; None for a row that the form gives no period."""
        basis = row.values["period_basis"]
        opens, closes, year = (self._period[name] for name in ("opens_on", "closes_on", "year_opens_on"))
        windows = {
            "in_period": (opens, f"Phát sinh trong kỳ, từ {format_date(opens)} đến {format_date(closes)}"),
            "year_to_date": (year, f"Lũy kế từ đầu năm báo cáo, từ {format_date(year)} đến {format_date(closes)}"),
            "at_closing": (None, f"Tại thời điểm chốt số liệu, ngày {format_date(closes)}"),
            "annual": (year, f"Cả năm báo cáo bắt đầu từ {format_date(year)}"),
        }
        if basis not in windows:
            return None
        first, text = windows[basis]
        return {"basis": basis, "from": first.isoformat() if first else None, "to": closes.isoformat(), "text_vi": text}

    def _formula(self, row: FormRow, parts: Sequence[Mapping[str, Any]]) -> str:
        if row.values["kind"] == "heading":
            return "Dòng tiêu đề, không có số liệu."
        if self._is_zero_by_whole(row):
            whole = self._rows[self._form[row.code]["logical_parent_code"]]
            return f"Ghi 0 vì dòng {whole.row_no} ({_name(whole)}) bằng 0."
        way = self._way(row, parts)
        if not way:
            return f"{'Nội dung' if row.values['kind'] == 'text' else 'Số'} do cơ quan khai báo."
        if row.values["status"] == "declared" and row.value != row.values["computed_value"]:
            return f"Công bố số do cơ quan khai báo. Cách tính từ dữ liệu chi tiết: {_lower(way)}"
        return way

    def _way(self, row: FormRow, parts: Sequence[Mapping[str, Any]]) -> str:
        """How the row is reckoned from the records; empty where it is only declared."""
        form = self._form[row.code]
        terms = [part for part in parts if part["role"] != "declared"]
        if form["derived_from"]:
            numbers = " + ".join(str(self._rows[code].row_no) for code in form["derived_from"].split("+"))
            if form["derivation"] == "any_positive":
                return (
                    f"Ghi 1 nếu có dòng lớn hơn 0 trong các dòng {numbers.replace(' +', ',')} của biểu; "
                    "các dòng ấy đều bằng 0 thì ghi 0."
                )
            return f"Bằng tổng các dòng {numbers} của biểu." if " " in numbers else f"Bằng dòng {numbers} của biểu."
        if form["derivation"] == "ratio":
            return _ratio_words(*terms)
        if form["derivation"] == "any_positive":
            return f"Ghi 1 nếu có ít nhất một: {_lower(terms[0]['label_vi'])}; không có thì ghi 0."
        if form["derivation"] == "mode_code":
            return (
                f"Ghi 2 nếu có cả hai loại; ghi 1 nếu chỉ có: {_lower(terms[0]['label_vi'])}; "
                f"ghi 0 nếu chỉ có: {_lower(terms[1]['label_vi'])}."
            )
        if form["derivation"] == "measure":
            return _measure_words(self._measures[form["numerator"]])
        return ""

    def _decisions(self, row: FormRow, parts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        counted = {d for part in parts if part["measure"] for d in self._decided_rows(part["measure"])}
        return [
            {"decision_id": ", ".join(footnote.decision_ids), "text_vi": footnote.text_vi}
            for footnote in self._content.footnotes
            if row.code in footnote.indicator_codes or counted & set(footnote.decision_ids)
        ]

    def _decided_rows(self, measure: str) -> dict[str, list[dict[str, Any]]]:
        """Rows that a measure counts only because of a decision, by decision."""
        found: dict[str, list[dict[str, Any]]] = {}
        for row in self._behind.get(measure, []):
            if row["decision_id"] is not None:
                found.setdefault(row["decision_id"], []).append(row)
        return found

    def _row_notes(self, row: FormRow, parts: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        values = row.values
        if values["note_vi"]:
            yield f"Ghi chú trên biểu: {values['note_vi']}"
        computed, declared = values["computed_value"], values["declared_value"]
        if values["kind"] == "heading" and declared is not None:
            yield f"Cơ quan có khai {format_number(declared)}, nhưng dòng tiêu đề không công bố số liệu."
        elif computed is not None and declared is not None:
            yield _both_words(computed, declared, values["status"], values["decision_id"])
        for part in parts:
            if part["measure"] and (decided := self._decided_rows(part["measure"])):
                rows = [r for found in decided.values() for r in found]
                total = format_number(sum(r["row_count"] for r in rows))
                places = self._places(rows)
                yield (
                    f"{total} dòng chỉ được tính nhờ quyết định giải trình {', '.join(sorted(decided))}"
                    f"{f': {places}' if places else ''}."
                )
        if values["kind"] != "heading" and row.printed == "":
            yield from self._why_blank(row, parts)
        yield from self._notes.get(row.code, [])

    def _places(self, rows: Sequence[Mapping[str, Any]]) -> str:
        sheets: dict[tuple[int, str], list[row_ranges.Range]] = {}
        for row in rows:
            if row["delivery_id"] is None:
                continue
            place = (self._file_no[row["delivery_id"]], row["sheet"])
            sheets.setdefault(place, []).extend(row_ranges.decode(row["row_numbers"]))
        return "; ".join(
            f"tệp {self._files[file]['file_name']}{'' if sheet == CSV_SHEET else f', {_sheet_vi(sheet)}'}, "
            f"dòng {row_ranges.encode(ranges)}"
            for (file, sheet), ranges in sorted(sheets.items())
        )

    def _why_blank(self, row: FormRow, parts: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        if row.values["status"] == "not_applicable" and any(part["units_expected"] == 0 for part in parts):
            yield "Trong kỳ không có đơn vị nào thuộc cấp phải báo cáo dòng này."
            return
        for part in parts:
            if part["measure"] and part["value"] is None:
                yield self._what_is_missing(self._measures[part["measure"]])
            elif part["role"] == "denominator" and part["value"] == "0":
                yield "Không tính được tỷ lệ vì mẫu số bằng 0."

    def _what_is_missing(self, measure: Mapping[str, Any]) -> str:
        """Why a measure was not reported: no file of its source, or files that leave open what it needs."""
        source = measure["source"]
        name = SOURCE_VI[source]
        if not any(
            entry["source"] == source and entry["quarter"] == self._content.quarter for entry in self._content.inputs
        ):
            return f"Chưa nhận được tệp «{name}» của kỳ này."
        asked = measure
        while asked["requires_vi"] is None and asked["requires_measure"]:
            asked = self._measures[asked["requires_measure"]]
        return f"Tệp «{name}» đã nhận nhưng chưa ghi đủ {asked['requires_vi'] or 'nội dung cần để tính'}."

    def _notes_by_code(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for note in notes(self._content):
            if note["kind"] != "decision" and note.get("subject"):
                found.setdefault(note["subject"], []).append(note["sentence_vi"])
        return found


def _unnamed(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The entry of rows that are not named, since they would tell a small count."""
    return {
        "file": None,
        "sheet": None,
        "rows": None,
        "count": sum(row["row_count"] for row in rows),
        "amount": plain_number(sum((row["amount"] or Decimal(0) for row in rows), Decimal(0))),
    }


def _sheet_vi(sheet: str) -> str:
    """``trang 1``; the sheets of releases are numbers already called so."""
    return sheet if sheet.startswith("trang ") else f"trang {sheet}"


def _part(
    role: str,
    label: str,
    value: Decimal | None,
    *,
    measure: str | None = None,
    code: str | None = None,
    files: Iterable[Mapping[str, Any]] = (),
    units: tuple[int, int] | None = None,
    printed: str | None = None,
) -> dict[str, Any]:
    counted, expected = units or (None, None)
    return {
        "role": role,
        "label_vi": label,
        "measure": measure,
        "indicator_code": code,
        "value": None if value is None else plain_number(value),
        "printed": printed or ("" if value is None else format_number(value)),
        "units_counted": counted,
        "units_expected": expected,
        "files": list(files),
    }


def _ratio_words(numerator: Mapping[str, Any], denominator: Mapping[str, Any]) -> str:
    figures = ""
    if numerator["value"] is not None and denominator["value"] is not None:
        figures = f" ({numerator['printed']} ÷ {denominator['printed']} × 100)"
    return (
        f"Tử số chia mẫu số, nhân 100, làm tròn đến hai chữ số thập phân{figures}. "
        f"Tử số: {_lower(numerator['label_vi'])}. Mẫu số: {_lower(denominator['label_vi'])}."
    )


def _measure_words(measure: Mapping[str, Any]) -> str:
    what = _lower(measure["description_vi"])
    if measure["aggregation"] == "sum":
        return f"Cộng số liệu ghi ở từng dòng: {what}."
    if measure["aggregation"] == "count_distinct":
        return f"Đếm {what}; {ONCE_VI[measure['aggregated_column']]} chỉ tính một lần."
    return f"Đếm {what}."


def _both_words(computed: Decimal, declared: Decimal, status: str, decision_id: str | None) -> str:
    if computed == declared:
        return f"Số tính từ dữ liệu chi tiết trùng với số cơ quan khai báo ({format_number(declared)})."
    told = f"Số tính từ dữ liệu chi tiết là {format_number(computed)}, số cơ quan khai báo là {format_number(declared)}"
    published = {"declared": "công bố số khai báo", "computed": "công bố số tính", "withheld": "không công bố"}
    if status not in published:
        return f"{told}; chưa có quyết định chọn số nào."
    return f"{told}; {published[status]} theo quyết định {decision_id}."


def _name(row: FormRow) -> str:
    return row.name_vi.lstrip("- ").rstrip(" .:")


def _lower(text: str) -> str:
    """The sentence for use inside another; abbreviations keep their capitals."""
    return text[:1].lower() + text[1:] if text[1:2].islower() or text[1:2] == " " else text


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
