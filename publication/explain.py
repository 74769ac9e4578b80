"""What stands behind one figure of a release or candidate, down to each delivered row.

Belongs here: finding a row of the form and its passport in what is stored, and listing the rows one by one.
Does not belong here: making passports (``passport``), how they are shown (the command line, the page).
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from common.periods import period_named
from common.units import UnitRegister
from publication.content import row_ranges
from publication.content.passport import passports
from publication.content.release_content import FormRow, form_rows, gather, unit_name
from publication.content.units_as_is import passport_as_is
from publication.outputs import PASSPORTS_NAME
from publication.release import Release
from publication.store.candidate import FORM_MART, read_candidate
from publication.store.csvfile import to_csv
from publication.store.parquet import from_parquet
from publication.verify import verify

ROWS_COLUMNS = (
    "part",
    "label_vi",
    "figure",
    "source",
    "unit_code",
    "quarter",
    "file_name",
    "sha256",
    "delivery_id",
    "sheet",
    "row",
    "amount",
    "decision_id",
)

_CODE = re.compile(r"([IVX]+)\.0*([0-9]{1,3})")


class UnknownRow(LookupError):
    """The form has no such row. The message is for people, in Vietnamese."""


class NoPassports(LookupError):
    """The release cannot be explained: damaged, or older than passports. The message is for people, in Vietnamese."""


@dataclass(frozen=True)
class Explanation:
    """One figure with its passport. ``passport`` and ``files`` are as in ``quality/passports.json``."""

    unit_code: str
    unit_name_vi: str
    quarter: str
    made_from: str
    row: FormRow
    passport: Mapping[str, Any]
    files: Sequence[Mapping[str, Any]]
    behind: pa.Table

    def with_real_names(self, names: Mapping[str, str], sheets: Callable[[str], Sequence[str]]) -> Explanation:
        """The same for people of this machine: files and sheets by the names they were delivered under.

        Args:
            names: delivery -> file name; sheets: the names of a delivery's sheets in order, for its published numbers.
        """
        known = {file["delivery_id"]: list(sheets(file["delivery_id"])) for file in self.files}

        def sheet(delivery_id: str | None, number: str | None) -> str | None:
            if delivery_id is None or number is None:
                return number  # rows that the release does not name
            found = known.get(delivery_id, [])
            place = int(number.removeprefix("trang ")) if number.startswith("trang ") else 0
            return found[place - 1] if 0 < place <= len(found) else number

        files = [{**file, "file_name": names.get(file["delivery_id"], file["file_name"])} for file in self.files]
        parts = [
            part
            | {
                "files": [
                    entry | {"sheet": sheet(self._file_of(entry).get("delivery_id"), entry["sheet"])}
                    for entry in part["files"]
                ]
            }
            for part in self.passport["parts"]
        ]
        replacements = {file["file_name"]: real["file_name"] for file, real in zip(self.files, files, strict=True)}
        notes = [_replaced(note, replacements) for note in self.passport["notes_vi"]]
        behind = pa.Table.from_pylist(
            [row | {"sheet": sheet(row["delivery_id"], row["sheet"])} for row in self.behind.to_pylist()],
            schema=self.behind.schema,
        )
        return replace(self, passport={**self.passport, "parts": parts, "notes_vi": notes}, files=files, behind=behind)

    def _file_of(self, entry: Mapping[str, Any]) -> Mapping[str, Any]:
        """The file of an entry; nothing of rows that the release does not name."""
        return {} if entry["file"] is None else self.files[entry["file"]]

    def as_dict(self) -> dict[str, Any]:
        """The passport for programs, with the files it names instead of their numbers."""
        parts = [
            part
            | {
                "files": [
                    {**self._file_of(entry), **{k: v for k, v in entry.items() if k != "file"}}
                    for entry in part["files"]
                ]
            }
            for part in self.passport["parts"]
        ]
        return {
            "unit_code": self.unit_code,
            "unit_name_vi": self.unit_name_vi,
            "quarter": self.quarter,
            "made_from": self.made_from,
            "indicator_code": self.row.code,
            "name_vi": self.row.values["indicator_name_vi"],
            **self.passport,
            "parts": parts,
        }

    def as_is(self, register: UnitRegister) -> dict[str, Any]:
        """The figure under the units of today; see ``publication.content.units_as_is``."""
        then = period_named(self.quarter).closes_on
        return passport_as_is(register, self.unit_code, then, self.passport, self.files)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Each delivered row behind each part, with what it contributes; columns as in ROWS_COLUMNS."""
        files = {file["delivery_id"]: file for file in self.files}
        for part in self.passport["parts"]:
            figure = part["measure"] or part["indicator_code"]
            if part["files"]:
                yield from (
                    {"part": part["role"], "label_vi": part["label_vi"], **row}
                    for row in _rows_behind(self.behind, figure, files)
                )

    def csv(self) -> bytes:
        """Those rows as a file by the rules of ``csvfile``, with the mark by which spreadsheets know UTF-8."""
        return codecs.BOM_UTF8 + to_csv(ROWS_COLUMNS, self.rows())


def _replaced(text: str, names: Mapping[str, str]) -> str:
    for neutral, real in names.items():
        text = text.replace(neutral, real)
    return text


def _rows_behind(behind: pa.Table, figure: str, files: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    found = [row for row in behind.to_pylist() if row["figure"] == figure]
    places = [
        (
            tuple(files[row["delivery_id"]][name] for name in ("source", "unit_code", "quarter", "file_name")),
            row["delivery_id"],
            row["sheet"],
            number,
            row,
        )
        for row in found
        if row["row_numbers"] is not None  # the release does not name them
        for number in row_ranges.rows(row["row_numbers"])
    ]
    for place, delivery_id, sheet, number, row in sorted(places, key=lambda p: p[:4]):
        source, unit, quarter, name = place
        yield {
            "figure": figure,
            "source": source,
            "unit_code": unit,
            "quarter": quarter,
            "file_name": name,
            "sha256": files[delivery_id]["sha256"],
            "delivery_id": delivery_id,
            "sheet": sheet,
            "row": number,
            "amount": row["amount_each"],
            "decision_id": row["decision_id"],
        }


def explain_release(release: Release, row: str) -> Explanation:
    """A figure of a published release, by indicator code or row number.

    The release is verified first. Raises UnknownRow, or NoPassports where the release is damaged or has none.
    """
    if damages := verify(release.path):
        raise NoPassports(f"bản công bố {release.name} đã hư hại: {damages[0].message_vi}")
    path = release.path / "quality" / PASSPORTS_NAME
    if not path.exists():
        raise NoPassports(f"bản công bố {release.name} được lập khi chưa có hồ sơ số liệu ({PASSPORTS_NAME})")
    tables = {
        name: from_parquet((release.path / "marts" / f"{name}.parquet").read_bytes())
        for name in (FORM_MART, "dim_unit", "figure_rows")
    }
    return _explanation(tables, json.loads(path.read_bytes()), release.unit_code, release.quarter, release.name, row)


def explain_candidate(folder: Path, row: str) -> Explanation:
    """A figure that waits for publication; what the gates found is not in it.

    Raises UnknownRow, or CandidateError where the candidate is not whole.
    """
    candidate = read_candidate(folder)
    content = gather(candidate, gate_results=(), extra_marts={}, extra_tables={})
    return _explanation(
        content.tables, passports(content), content.unit_code, content.quarter, candidate.candidate_hash, row
    )


def delivered_places(folder: Path, code: str) -> list[tuple[str, str, str]]:
    """Where the declared figure or text of a row of the form was delivered: delivery, sheet, rows.

    Raises CandidateError where the candidate is not whole.
    """
    behind = read_candidate(folder).table("figure_rows").to_pylist()
    return sorted((row["delivery_id"], row["sheet"], row["row_numbers"]) for row in behind if row["figure"] == code)


def _explanation(
    tables: Mapping[str, pa.Table], document: Mapping[str, Any], unit: str, quarter: str, made_from: str, row: str
) -> Explanation:
    found = find_row(form_rows(tables[FORM_MART]), row)
    return Explanation(
        unit,
        unit_name(tables, unit),
        quarter,
        made_from,
        found,
        document["figures"][found.code],
        document["files"],
        tables["figure_rows"],
    )


def find_row(rows: Sequence[FormRow], wanted: str) -> FormRow:
    """The row of the form by indicator code (``III.25``, ``iii.5``) or number in the form. Raises UnknownRow."""
    name = wanted.strip().upper()
    match = _CODE.fullmatch(name)
    code = f"{match[1]}.{int(match[2]):02d}" if match else name
    for row in rows:
        if row.code == code or str(row.row_no) == name:
            return row
    raise UnknownRow(
        f"biểu không có chỉ tiêu {wanted!r}; ghi mã chỉ tiêu như {rows[0].code} "
        f"hoặc số dòng từ {rows[0].row_no} đến {rows[-1].row_no}"
    )
