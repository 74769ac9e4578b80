"""The workbook of decisions to take: one for each unit that is held back, for as long as it is.

Belongs here: when it is written and taken away, the rows behind each question, the words of its guide, and a register
that somebody wants to deliver laid against what holds the unit back. Does not belong here: what there is to decide
(``expectations``), how the workbook looks (``ingestion``).

It lies in the home, ``review/<unit>/<quarter>/``, readable by its owner only: it names cases and files as offices call
them.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from common.files import PRIVATE, replace_durably
from common.kept import KeptForTheLast
from common.periods import quarter_vi
from expectations import (
    JudgedLine,
    Question,
    RegisterLine,
    ReviewedRow,
    Verdict,
    judge_lines,
    load_verdict,
    path_of,
    questions,
)
from ingestion import DecisionBook, DecisionLine, action_label, decision_workbook, load_contracts, read_deliveries
from orchestration.pipeline import Pipeline
from orchestration.real_names import file_names, sheet_names, with_real_names
from orchestration.settings import Home

if TYPE_CHECKING:
    from publication import Candidate

_log = logging.getLogger(__name__)
WORKBOOK = "quyet-dinh-can-lay.xlsx"
SOURCE = "decisions"
_ROWS_LISTED = 500
_RANGES_SHOWN = 12
_CODES = frozenset({"case_code", "procedure_code", "code"})


def workbook_of(home: Home, unit: str, quarter: str) -> Path:
    """Where the workbook of a unit and quarter lies, whether it is there or not."""
    return home.review / unit / quarter / WORKBOOK


def pointer_vi(path: Path, landing: Path, unit: str, quarter: str) -> str:
    """What a message says of the workbook: where it lies, and what to do with it."""
    return (
        f"Quyết định cần lấy: {path}. Mở tệp, chọn cách xử lý và điền lý do, người duyệt, số và ngày văn bản ở từng "
        f"dòng, lưu vào {landing / unit / quarter / SOURCE} rồi chạy lại: cchc run {quarter}"
    )


def waiting_workbook(home: Home, unit: str, quarter: str) -> Path | None:
    """The workbook of a unit and quarter, where there is one."""
    path = workbook_of(home, unit, quarter)
    return path if path.is_file() else None


@dataclass(frozen=True)
class Judged:
    """What the gates last said of a unit and quarter: verdicts, and the candidate they looked at, if there is one."""

    verdicts: tuple[Verdict, ...]
    candidate: Path | None


def judged(
    pipeline: Pipeline, unit: str, quarter: str, inputs_hash: str | None = None, candidate: Path | None = None
) -> Judged:
    """The stored verdicts on exactly these inputs: gate 1, and gate 2 on the candidate, or where none is given on the
    last that was made from them (:func:`last_made`).

    Without ``inputs_hash`` those on the last candidate, whatever has been delivered since.
    """
    warehouse = pipeline.home.warehouse
    found: list[Verdict] = []
    chosen: Path | None = None
    paths: list[Path] = []
    # A run knows which is its own.
    for folder in [candidate] if candidate else last_made(pipeline.home, unit, quarter):
        with suppress(OSError, ValueError, LookupError, TypeError):  # a damaged one is none; the next run makes it anew
            made_from = json.loads((folder / "candidate.json").read_bytes())["inputs_hash"]
            if inputs_hash in (None, made_from):
                chosen, inputs_hash = folder, made_from
                paths.append(path_of(warehouse, "mart", unit, quarter, chosen.name))
                break
    if inputs_hash is not None:
        paths.insert(0, path_of(warehouse, "raw", unit, quarter, inputs_hash))
    for path in paths:
        with suppress(FileNotFoundError, ValueError):
            found.append(load_verdict(path))
    return Judged(tuple(found), chosen)


def last_made(home: Home, unit: str, quarter: str) -> list[Path]:
    """The candidates of a unit and quarter, the last first: by the deliveries that they are made from, never by the
    times of files, which a copy of the home changes.

    The last is made from what was seen last, and from more of it; of several made from the same deliveries one that
    gate 2 judged, and then any, always the same.
    """
    seen = _first_seen(read_deliveries(home.ingest_paths))
    warehouse, found = home.warehouse, []
    for file in (warehouse / "candidates" / unit / quarter).glob("*/candidate.json"):
        with suppress(OSError, ValueError, LookupError, TypeError):
            looks = [seen.get(made_from["delivery_id"], 0) for made_from in json.loads(file.read_bytes())["inputs"]]
            is_judged = path_of(warehouse, "mart", unit, quarter, file.parent.name).is_file()
            found.append((sorted(looks, reverse=True), is_judged, file.parent.name, file.parent))
    return [folder for *_, folder in sorted(found, reverse=True)]


@KeptForTheLast
def _first_seen(deliveries: pa.Table) -> dict[str, int]:
    """Which look at its folder met a delivery first."""
    return dict(zip(deliveries["delivery_id"].to_pylist(), deliveries["first_seen"].to_pylist(), strict=True))


def refresh(pipeline: Pipeline, quarter: str, units: Iterable[str], candidates: Mapping[str, Path]) -> dict[str, Path]:
    """Writes the workbook of each unit that the last verdicts hold back, and takes away those that no longer hold.
    ``candidates``: those of this run, by unit.

    A unit whose run broke keeps what it has: nothing new is known of it. Returns the workbooks by unit.
    """
    from publication import hash_inputs

    written = {}
    for unit, inputs in pipeline.deliveries.inputs_of(units, quarter).items():
        found = judged(pipeline, unit, quarter, hash_inputs(inputs), candidates.get(unit))
        if not found.verdicts:
            continue
        path = workbook_of(pipeline.home, unit, quarter)
        try:
            is_held = any(verdict.blocking() for verdict in found.verdicts)
            asked = _Review(pipeline, unit, quarter, found).book() if is_held else None
            book = decision_workbook(load_contracts()[SOURCE], asked) if asked else None
        except Exception:  # what is asked is no reason to publish nothing of the other units; an old one would mislead
            _log.exception("%s, %s: the workbook of decisions to take cannot be made", unit, quarter)
            book = None
        if book is None:
            _remove(path, pipeline.home.review)
        else:
            _write(path, pipeline.home.review, book)
            written[unit] = path
    return written


def _write(path: Path, root: Path, data: bytes) -> None:
    for folder in reversed([path.parent, *path.parent.parents]):
        if folder == root or root in folder.parents:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
    if not path.is_file() or path.read_bytes() != data:
        replace_durably(path, data, mode=PRIVATE)


def _remove(path: Path, root: Path) -> None:
    path.unlink(missing_ok=True)
    for folder in (path.parent, path.parent.parent):
        if folder.is_dir() and folder != root and not any(folder.iterdir()):
            folder.rmdir()


def reviewed_rows(candidate: Candidate) -> dict[str, ReviewedRow]:
    """The rows of the form as they wait, by code."""
    measures = _measures(candidate)
    cases: dict[tuple[str, bool], list[str]] = {}
    for case in candidate.table("late_cases").to_pylist() if "late_cases" in candidate.files else ():
        cases.setdefault((case["figure"], case["decision_id"] is None), []).append(case["case_code"])
    return {
        row["indicator_code"]: ReviewedRow(
            row["indicator_code"],
            row["row_no"],
            str(row["indicator_name_vi"]).lstrip("- "),
            row["computed_value"],
            row["declared_value"],
            *(
                tuple(sorted(cases.get((measures.get(row["indicator_code"], ""), is_open), ())))
                for is_open in (True, False)
            ),
        )
        for row in candidate.table("report_indicators").to_pylist()
    }


def _measures(candidate: Candidate) -> dict[str, str]:
    """Of each row that is one measure, which."""
    return {
        row["indicator_code"]: row["numerator"]
        for row in candidate.table("dim_indicator").to_pylist()
        if row["form_version"] == candidate.form_version and row["derivation"] == "measure" and row["numerator"]
    }


class _Review:
    """What there is to decide about one unit and quarter, and the workbook that asks for it."""

    def __init__(self, pipeline: Pipeline, unit: str, quarter: str, found: Judged) -> None:
        self._pipeline, self._unit, self._quarter, self._found = pipeline, unit, quarter, found
        self._contract = load_contracts()[SOURCE]

    @cached_property
    def candidate(self) -> Candidate | None:
        from publication import CandidateError, read_candidate

        with suppress(CandidateError, OSError):
            return read_candidate(self._found.candidate) if self._found.candidate else None
        return None

    @cached_property
    def rows(self) -> dict[str, ReviewedRow]:
        return reviewed_rows(self.candidate) if self.candidate else {}

    @cached_property
    def questions(self) -> list[Question]:
        return questions(self._found.verdicts, self.rows)

    def book(self) -> DecisionBook:
        period = self._pipeline.units.reference.periods[self._quarter]
        name = self._pipeline.units.name_of(self._unit, self._quarter)
        landing = self._pipeline.home.landing / self._unit / self._quarter / SOURCE
        standing = self._standing()
        lines = [self._line(question) for question in self.questions]
        lines += [self._decided(row) for row in standing]
        asked = sum(bool(question.options) for question in self.questions)
        return DecisionBook(
            titles=(
                "QUYẾT ĐỊNH CẦN LẤY",
                name,
                f"Từ ngày {period.opens_on:%d/%m/%Y} đến ngày {period.closes_on:%d/%m/%Y}",
                f"{asked} việc cần quyết định, {len(self.questions) - asked} việc phải sửa dữ liệu. Chỉ điền các cột "
                "màu cam. Cách làm: trang “Hướng dẫn”; các dòng dữ liệu đứng sau từng việc: trang “Chi tiết”.",
            ),
            guide=_guide(self._quarter, self._unit, str(landing), bool(standing)),
            lines=tuple(lines),
            details=tuple(self._details()),
        )

    def _line(self, question: Question) -> DecisionLine:
        contract, row = self._contract, question.row
        options = [f"• {action_label(contract, o.action)}: {o.sentence_vi}" for o in question.options]
        about = self._named([question.about_vi])[0]
        says = (
            str(row.row_no) if row else "",
            f"{row.code} {row.name_vi}. {about}" if row and not about.startswith(row.code) else about,
            _figure(row.computed) if row else "",
            _figure(row.declared) if row else "",
            "\n".join(options) or question.mend_vi,
        )
        kinds = contract.column("subject_kind").labels
        values: dict[str, str | dt.date] = {
            "decision_id": question.decision_id,
            "subject_kind": kinds[question.subject_kind][0],
            "subject": question.subject,
            "applies_to": question.applies_to_vi,
            "cases": "; ".join(question.cases),
            "unit": self._unit,
            "quarter": self._quarter,
            "figures_seen": question.figures_seen,
            "holds_until": self._quarter,
        }
        return DecisionLine(says, tuple(option.action for option in question.options), values)

    def _decided(self, row: Mapping[str, Any]) -> DecisionLine:
        """A decision of an earlier version of this workbook: the new one takes that one's place, so it goes along."""
        contract = self._contract
        reviewed = self.rows.get(row["subject"])
        values: dict[str, str | dt.date] = {}
        for column in contract.lake_columns():
            value = row[column.name]
            if column.labels and value is not None:
                values[column.name] = column.labels[value][0]
            elif value is not None and column.name != "value":
                values[column.name] = value if isinstance(value, dt.date) else str(value)
        says = (
            str(reviewed.row_no) if reviewed else "",
            f"ĐÃ QUYẾT ĐỊNH: {reviewed.code} {reviewed.name_vi}" if reviewed else f"ĐÃ QUYẾT ĐỊNH: {row['subject']}",
            _figure(reviewed.computed) if reviewed else "",
            _figure(reviewed.declared) if reviewed else "",
            "Giữ nguyên dòng này khi nộp lại sổ.",
        )
        return DecisionLine(says, (row["action"],), values)

    def _standing(self) -> list[dict[str, Any]]:
        """Decisions that an earlier version of the workbook brought and that settle something now."""
        rows = [r for r in _register_rows(self._pipeline, self._unit, self._quarter) if r["_file_name"] == WORKBOOK]
        used = {
            one
            for verdict in self._found.verdicts
            for result in verdict.results
            for one in (result.decision_id or "").split(", ")
        }
        if self.candidate is not None:
            effects = self.candidate.table("decision_effects").to_pylist()
            used |= {effect["decision_id"] for effect in effects if effect["effect"] == "applied"}
        return [row for row in rows if row["decision_id"] in used]

    # -- the rows behind the questions ---------------------------------------------------------------------------------

    def _named(self, texts: list[str]) -> list[str]:
        return with_real_names(self._pipeline.deliveries.paths, texts) if any(texts) else texts

    @cached_property
    def _files(self) -> Mapping[str, str]:
        return file_names(self._pipeline.deliveries.paths)

    def _sheet(self, delivery: str, numbered: str) -> str:
        names = self._sheets.setdefault(delivery, sheet_names(self._pipeline.deliveries.paths, delivery))
        place = int(numbered.removeprefix("trang ")) if numbered.startswith("trang ") else 0
        return names[place - 1] if 0 < place <= len(names) else numbered

    @cached_property
    def _sheets(self) -> dict[str, list[str]]:
        return {}

    @cached_property
    def _behind(self) -> dict[str, list[dict[str, Any]]]:
        """Delivered rows by the figure they stand behind."""
        found: dict[str, list[dict[str, Any]]] = {}
        for row in self.candidate.table("figure_rows").to_pylist() if self.candidate else ():
            found.setdefault(row["figure"], []).append(row)
        return found

    @cached_property
    def _counted(self) -> frozenset[str]:
        return frozenset(_measures(self.candidate).values()) if self.candidate else frozenset()

    @cached_property
    def _late(self) -> dict[str, dict[str, Any]]:
        if self.candidate is None or "late_cases" not in self.candidate.files:
            return {}
        return {row["case_code"]: row for row in self.candidate.table("late_cases").to_pylist()}

    def _details(self) -> Iterator[tuple[str | int, ...]]:
        measures = _measures(self.candidate) if self.candidate else {}
        for number, question in enumerate(self.questions, start=1):
            row = question.row
            place = str(row.row_no) if row else ""
            for code in question.cases:
                yield (number, place, "Hồ sơ trễ hạn, không được tính vào số tính toán", *self._case(code))
            if row is not None and any(rule == "report.settled" for rule, _ in question.findings):
                yield from self._of_figure(number, place, "Số khai báo", row.code, listed=True)
                measure = measures.get(row.code, "")
                more = row.computed is not None and row.declared is not None and row.computed > row.declared
                yield from self._of_figure(number, place, "Được tính vào số tính toán", measure, listed=more)
            named = self._named([file or "" for file, _, _ in question.places])
            for (_, sheet, line), file in list(zip(question.places, named, strict=True))[:_ROWS_LISTED]:
                yield (number, place, "Điểm cần xem lại", "", file, sheet or "", line or "", "")
            if (hidden := len(question.places) - _ROWS_LISTED) > 0:
                yield (number, place, "Điểm cần xem lại", "", "", "", "", f"Còn {hidden} chỗ khác, xem cchc status.")

    def _case(self, code: str) -> tuple[str | int, ...]:
        case = self._late[code]
        due, left = case["due_on"], case["left_on"]
        note = f"hẹn trả {due:%d/%m/%Y}" if due else "không có ngày hẹn trả"
        note += f", xong {left:%d/%m/%Y}" if left else ""
        file = self._files.get(case["delivery_id"], case["delivery_id"])
        return code, file, case["sheet"] or "", case["row_number"] or "", note

    def _of_figure(
        self, number: int, place: str, what: str, figure: str, *, listed: bool
    ) -> Iterator[tuple[str | int, ...]]:
        """The rows behind a figure: one by one where the difference lies among them, else as ranges."""
        for part in self._behind.get(figure, ()):
            file = self._files.get(part["delivery_id"], part["delivery_id"])
            sheet, amount = self._sheet(part["delivery_id"], part["sheet"]), part["amount_each"]
            note = f"{part['row_count']} dòng, mỗi dòng cộng {_figure(amount)}" if amount is not None else ""
            if not listed or part["row_count"] > _ROWS_LISTED:
                ranges = part["row_numbers"].split(",")
                hidden = len(ranges) - _RANGES_SHOWN
                if hidden > 0:
                    note += f"; xem đủ: cchc explain {place} --unit {self._unit} --quarter {self._quarter} --candidate"
                shown = ", ".join(ranges[:_RANGES_SHOWN]) + (", …" if hidden > 0 else "")
                yield number, place, what, "", file, sheet, shown, note
                continue
            codes = self._codes(part["delivery_id"])
            verb = "khai báo" if part["figure"] not in self._counted else "cộng vào"
            for line in _numbers(part["row_numbers"]):
                code = codes.get((sheet, line), "")
                yield (
                    number,
                    place,
                    what,
                    code,
                    file,
                    sheet,
                    line,
                    "" if amount is None else f"{verb} {_figure(amount)}",
                )

    def _codes(self, delivery: str) -> dict[tuple[str, int], str]:
        """By sheet and row of a delivery, the codes by which its rows are known; none where a person is the key."""
        for path in self._pipeline.deliveries.paths.raw.glob(f"lake/source=*/quarter=*/unit=*/{delivery}.parquet"):
            source = path.parts[-4].removeprefix("source=")
            contract = load_contracts()[source]
            keys = [name for name in contract.key if contract.column(name).type in _CODES]
            if keys:
                table = pq.read_table(path, columns=["_sheet", "_row", *keys]).to_pylist()
                return {(r["_sheet"], r["_row"]): " ".join(str(r[k]) for k in keys if r[k]) for r in table}
        return {}


def _numbers(ranges: str) -> Iterator[int]:
    for part in ranges.split(","):
        first, _, last = part.strip().partition("-")
        yield from range(int(first), int(last or first) + 1)


def _figure(value: Any) -> str:
    if value is None:
        return "trống"
    text = f"{value:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace(".", ",")


# Paragraphs are parted by blank lines.
_GUIDE = """
Sổ này liệt kê mọi việc đang giữ báo cáo {title} của đơn vị {unit}, mỗi dòng một việc. Bốn bước:

1. Ở trang “Quyết định”, đọc cột “Việc cần quyết định”, hai số ở bên cạnh và cột “Các cách xử lý được phép”: mỗi cách
nói rõ sẽ công bố gì. Các dòng dữ liệu (mã, tệp, dòng) đứng sau mỗi việc ở trang “Chi tiết”.

2. Chọn “Cách xử lý” trong danh sách của ô và điền “Lý do”, “Người duyệt (chức vụ)”, “Số văn bản”, “Ngày văn bản”.
Người duyệt ghi chức vụ, không ghi tên người. Chưa quyết định thì để trống cả năm ô: dòng đó chưa có hiệu lực.

3. Lưu tệp, giữ nguyên tên, vào thư mục {folder}. Có thể thử trước:
cchc check-file decisions TỆP --unit {unit} --quarter {quarter}

4. Chạy lại: cchc run {quarter} (máy chủ tự chạy khi thấy tệp mới). Còn việc thì sổ mới được ghi ra, gồm cả các dòng đã
quyết định; điền tiếp sổ mới rồi lưu đè lên tệp cũ.

Ô xám: việc đó không giải trình bằng quyết định được; làm theo cột “Các cách xử lý được phép” (sửa tệp rồi gửi lại cùng
tên), hoặc quyết định dòng khác trước.

Số liệu sai thì sửa dữ liệu, không quyết định: gửi lại tệp đã sửa; sổ được ghi lại theo số liệu mới.

Các cột chữ xám đã ghi sẵn quyết định nói về điểm nào, với số liệu nào; giữ nguyên. Chỉ xóa bớt hồ sơ ở “Hồ sơ tính đúng
hạn” hoặc bớt chỗ ở “Áp dụng cho” nếu chỉ quyết định một phần. Số liệu thay đổi thì quyết định hết hiệu lực với điểm đó
và sổ mới hỏi lại.

“Hiệu lực đến kỳ” ghi sẵn kỳ này; có thể ghi kỳ sau, tối đa bốn kỳ báo cáo.
"""
_CARRIED_VI = "Các dòng màu xanh là quyết định đã lấy ở lần trước, chép sang để không mất khi lưu đè."


def _guide(quarter: str, unit: str, folder: str, carries: bool) -> tuple[str, ...]:
    told = _GUIDE.format(title=quarter_vi(quarter), unit=unit, folder=folder, quarter=quarter)
    lines = [" ".join(paragraph.split()) for paragraph in told.strip().split("\n\n")]
    return (*lines, *([_CARRIED_VI] if carries else []))


# ---------------------------------------------------------------------------------------------------------- check-file


def _register_rows(pipeline: Pipeline, unit: str, quarter: str) -> list[dict[str, Any]]:
    """Accepted rows of the register's current deliveries for a unit and quarter."""
    paths = pipeline.deliveries.paths
    rows: list[dict[str, Any]] = []
    for receipt in _registers_of(read_deliveries(paths), quarter).get(unit, ()):
        if receipt["is_current"]:
            file = paths.rows_file("lake", SOURCE, quarter, unit, receipt["delivery_id"])
            rows += pq.ParquetFile(file).read().to_pylist() if file.exists() else []
    return rows


@KeptForTheLast
def _registers_of(deliveries: pa.Table, quarter: str) -> dict[str, list[dict[str, Any]]]:
    """Deliveries of the register for a quarter, by unit."""
    mine = deliveries.filter(pc.and_(pc.equal(deliveries["source"], SOURCE), pc.equal(deliveries["quarter"], quarter)))
    found: dict[str, list[dict[str, Any]]] = {}
    for row in mine.to_pylist():
        found.setdefault(row["unit_code"], []).append(row)
    return found


def _register_line(row: Mapping[str, Any]) -> RegisterLine:
    names = ("decision_id", "subject_kind", "subject", "action", "applies_to", "cases", "figures_seen")
    cells: dict[str, Any] = {name: row.get(name) for name in names}
    return RegisterLine(place_vi=f"dòng {row['_row']} của {row['_file_name']}", **cells)


@dataclass(frozen=True)
class CheckedRegister:
    """A register laid against what holds the unit back. ``remarks_vi``: what is to be known of the whole."""

    lines: tuple[JudgedLine, ...]
    remarks_vi: tuple[str, ...]

    @property
    def settles_all(self) -> bool:
        return not any(line.problems_vi for line in self.lines)


def check_register(
    pipeline: Pipeline, unit: str, quarter: str, file_name: str, rows: Sequence[Mapping[str, Any]]
) -> CheckedRegister:
    """What each accepted row of a file would settle, by the verdicts of the last run."""
    from publication import hash_inputs

    exact = judged(pipeline, unit, quarter, hash_inputs(pipeline.deliveries.inputs_of([unit], quarter)[unit]))
    found = exact if exact.verdicts else judged(pipeline, unit, quarter)
    if not found.verdicts:
        return CheckedRegister((), (f"Chưa có kết quả kiểm tra của kỳ để đối chiếu; chạy trước: cchc run {quarter}",))
    review = _Review(pipeline, unit, quarter, found)
    standing = [
        _register_line(row)
        for row in _register_rows(pipeline, unit, quarter)
        if row["_file_name"] != file_name and row["decision_id"] not in {mine["decision_id"] for mine in rows}
    ]
    lines = judge_lines([_register_line(row) for row in rows], standing, found.verdicts, review.rows)
    remarks = (
        [] if exact.verdicts else ["Đối chiếu với lần kiểm tra gần nhất; từ đó đã có tệp mới, nên chạy lại trước."]
    )
    settled = {line.line.decision_id for line in lines if line.matches_vi and not line.problems_vi}
    left = [question for question in review.questions if question.decision_id not in settled]
    if left:
        asked = sum(bool(question.options) for question in left)
        remarks.append(
            f"Sổ quyết định cần lấy còn {asked} việc chưa quyết định và {len(left) - asked} việc phải sửa dữ liệu: "
            f"{workbook_of(pipeline.home, unit, quarter)}"
        )
    return CheckedRegister(tuple(lines), tuple(remarks))


__all__ = [
    "CheckedRegister",
    "Judged",
    "check_register",
    "judged",
    "last_made",
    "pointer_vi",
    "refresh",
    "waiting_workbook",
    "workbook_of",
]
