"""What an official looks through before a draft becomes a release: ``ra-soat.html`` beside its documents.

Belongs here: gathering what blocks, warns, is waived, blank, changed, near a mark or unusual, and in which order it
deserves to be read. Does not belong here: judging (``expectations``), making the draft (``drafts``), the look of the
list (``page``), marks and bounds (``forms/<id>/form.yml``).

The order within each part is that of the effect on the figures: of a rule, on how many rows of the form it bears; of a
change, how large it is. Nothing here blocks anything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow as pa

from common.forms import Form, form_named
from common.periods import kind_of, place_of
from expectations import STAGES, Result, blocking, declared_rules
from publication.content.notes import notes
from publication.content.release_content import FormRow, ReleaseContent, split_ids
from publication.content.row_ranges import rows as rows_in
from publication.formatting import format_number, parse_number
from publication.page import render_review
from publication.store.candidate import FORM_MART, PROVINCE_MART
from publication.store.parquet import from_parquet
from publication.store.pointer import DamagedPointer, read_pointer

REVIEW_NAME = "ra-soat.html"
#: Gives delivered files the names that their senders know; lists of texts in, the same texts out.
Named = Callable[[list[str]], list[str]]

#: What the list holds, in its order: kind, title, what the part is.
PARTS: tuple[tuple[str, str, str], ...] = (
    ("blocks", "Đang chặn công bố", "Phải sửa, hoặc có quyết định giải trình nếu quy tắc cho phép."),
    ("warns", "Cảnh báo chưa giải trình", "Cũng giữ lại báo cáo cho đến khi sửa hoặc có quyết định giải trình."),
    ("waived", "Đã có quyết định giải trình", "Không đạt quy tắc nhưng được chấp nhận theo quyết định."),
    ("revision", "Thay đổi so với bản đã công bố", "Số liệu của chính kỳ này, so với bản công bố hiện hành."),
    ("previous", "Thay đổi so với kỳ trước", "Xếp theo mức thay đổi; không có nghĩa là sai."),
    ("knife_edge", "Sát ngưỡng", "Thêm hoặc bớt một vài trường hợp là sang phía bên kia của ngưỡng."),
    ("unusual", "Khác thường", "So với các kỳ đã công bố của đơn vị và với các đơn vị khác; chỉ để lưu ý."),
    ("question", "Câu hỏi về hồ sơ", "Điều lạ trong tệp hồ sơ, chỉ để hỏi lại; không làm đổi số liệu."),
    ("remark", "Lưu ý khác", "Không chặn công bố; in kèm trong ghi chú chất lượng số liệu."),
    ("blank", "Dòng để trống", "Để trống không có nghĩa là bằng 0."),
)
#: Rules that only ask about rows of cases.
_QUESTIONS = "case_questions."
_PLACES_SHOWN = 20
#: Kinds of rows whose figure stands for an answer, or for nothing: no amounts.
_NO_AMOUNTS = frozenset({"flag", "flag_or_count", "code", "text", "heading"})
# Deviations from the median that are one standard deviation where values are spread normally: of the median deviation,
# and of the mean one, which stands in where more than half of the values are the same (Iglewicz and Hoaglin, 1993).
_OF_MEDIAN, _OF_MEAN = 1.4826, 1.2533


@dataclass(frozen=True)
class Item:
    """One thing to look at. ``codes``: rows of the form; ``effect`` orders within a part, the largest first."""

    kind: str
    text_vi: str
    codes: tuple[str, ...] = ()
    effect: float = 0
    effect_vi: str = ""
    places: tuple[str, ...] = ()
    advice_vi: str = ""


def write_review(
    path: Path,
    content: ReleaseContent,
    results: Sequence[Result],
    *,
    reasons: Sequence[str],
    published: Path,
    named: Named,
) -> None:
    """Write the list of a draft. ``reasons``: why it cannot be published, empty where it can; ``published``: the folder
    of releases, with which the figures are compared.
    """
    items = review_items(content, results, published, named)
    parts = [(kind, title, what, [item for item in items if item.kind == kind]) for kind, title, what in PARTS]
    path.write_bytes(
        render_review(
            path.parent,
            unit_vi=content.unit_name_vi,
            unit_code=content.unit_code,
            quarter=content.quarter,
            quarter_vi=content.quarter_vi,
            code=content.draft or "",
            reasons=named(list(reasons)),
            parts=parts,
            rows=_printed_rows(content),
        )
    )


def review_items(
    content: ReleaseContent, results: Sequence[Result], published: Path, named: Named = list
) -> list[Item]:
    """Everything to look at, part by part, each part by its effect."""
    reach = _Reach(content)
    found = [
        *_of_rules(content, results, reach, named),
        *_revised(content),
        *_against_last_quarter(content),
        *knife_edges(content),
        *_unusual(content, published),
        *_blanks(content),
    ]
    order = {kind: place for place, (kind, _, _) in enumerate(PARTS)}
    row_no = {code: row.row_no for code, row in _printed_rows(content).items()}

    def place(item: Item) -> tuple[Any, ...]:
        return (order[item.kind], -item.effect, min((row_no[code] for code in item.codes), default=0), item.text_vi)

    return sorted(found, key=place)


def _printed_rows(content: ReleaseContent) -> Mapping[str, FormRow]:
    """The rows that the documents print, by code and in order: of the form, of a province those over all units."""
    if PROVINCE_MART not in content.tables:
        return content.rows_by_code
    rows = sorted(map(FormRow, _rows_of_table(content, PROVINCE_MART)), key=lambda row: row.row_no)
    return {row.code: row for row in rows}


def _rows_of_table(content: ReleaseContent, name: str) -> list[dict[str, Any]]:
    """Nothing of a table that a release has none of."""
    table = content.tables.get(name)
    return table.to_pylist() if table is not None else []


# --- rules ----------------------------------------------------------------------------------------------------------


class _Reach:
    """Which rows of the form a finding bears on: those it names, else those that count the delivered row it stands at,
    else those made from its source.
    """

    def __init__(self, content: ReleaseContent) -> None:
        self.printed = self._rows = _printed_rows(content)
        self._by_source: dict[str, set[str]] = defaultdict(set)
        for row in content.rows:
            self._by_source[row.values["source"]].add(row.code)
        self._delivery_of = {str(entry["file_name"]): str(entry["delivery_id"]) for entry in content.inputs}
        codes_of: dict[str, set[str]] = defaultdict(set)
        for entry in _rows_of_table(content, "dim_indicator"):
            if entry["form_version"] == content.form_version:
                for measure in (entry["numerator"], entry["denominator"]):
                    codes_of[measure].add(entry["indicator_code"])
        self._counted: dict[tuple[str, str | None, int], set[str]] = defaultdict(set)
        for behind in _rows_of_table(content, "figure_rows"):
            codes = codes_of.get(behind["figure"], set()) | ({behind["figure"]} & self._rows.keys())
            for number in rows_in(behind["row_numbers"] or "") if codes else ():
                self._counted[behind["delivery_id"], behind["sheet"], number] |= codes

    def of(self, result: Result) -> tuple[set[str], bool]:
        """The codes, and whether they are known one by one (else they are all that the source may reach)."""
        # A subject may name a unit beside the row, after a comma.
        subjects = {subject.partition(", ")[0] for subject in (*result.subjects, *(f.subject for f in result.findings))}
        named = {code for code in self._rows if code in subjects or f".{code}." in f".{result.expectation_id}."}
        if named:
            return named, True
        counted: set[str] = set()
        for finding in result.findings:
            if finding.row is not None and finding.file in self._delivery_of:
                counted |= self._counted.get((self._delivery_of[finding.file], finding.sheet, finding.row), set())
        for place in result.places:
            for number in rows_in(place.rows.replace(" ", "")):
                counted |= self._counted.get((place.delivery_id, place.sheet, number), set())
        return (counted, True) if counted else (self._by_source.get(result.source, set()), False)


def _of_rules(content: ReleaseContent, results: Sequence[Result], reach: _Reach, named: Named) -> Iterator[Item]:
    advice = {rule.id: rule.advice_vi for stage in STAGES for rule in declared_rules(stage)}
    for result in results:
        kind = _kind_of(result)
        if kind is None:
            continue
        codes, certain = reach.of(result)
        ordered = tuple(code for code in reach.printed if code in codes)
        places = named([finding.message_vi for finding in result.findings[:_PLACES_SHOWN]])
        if (more := result.failed_rows - len(places)) > 0 and result.findings:
            places.append(f"còn {format_number(Decimal(more))} trường hợp khác")
        yield Item(
            kind,
            result.sentence_vi + (f" ({_decisions(result)})" if kind == "waived" else ""),
            ordered if certain else (),
            len(codes) if certain else len(codes) / 1000,  # what is certain comes before what may be
            _reach_vi(len(codes), certain),
            tuple(places),
            "" if kind == "waived" else advice.get(result.expectation_id, ""),
        )


def _kind_of(result: Result) -> str | None:
    if blocking(result):
        return "warns" if result.severity == "warning" and result.status == "fail" else "blocks"
    if result.status != "fail":
        return None
    if result.severity != "info":
        return "waived"
    return "question" if result.expectation_id.startswith(_QUESTIONS) else "remark"


def _decisions(result: Result) -> str:
    return f"quyết định {', '.join(split_ids(result.decision_id))}"


def _reach_vi(count: int, certain: bool) -> str:
    if not count:
        return "không số liệu nào"
    return f"{count} dòng của biểu" if certain else f"chưa rõ, nhiều nhất {count} dòng của biểu"


# --- changes --------------------------------------------------------------------------------------------------------


def _revised(content: ReleaseContent) -> Iterator[Item]:
    if content.revision is None:
        return
    rows = _printed_rows(content)
    for figure in content.revision.figures:
        codes = (figure.indicator_code,) if figure.indicator_code in rows else ()
        yield Item(
            "revision",
            f"{figure.place_vi}: {figure.sentence_vi}",
            codes,
            *_size(_amount(figure.old), _amount(figure.new)),
        )


def _against_last_quarter(content: ReleaseContent) -> Iterator[Item]:
    kind = kind_of(content.quarter)
    column = "previous_quarter_value" if kind.previous_vi else "same_quarter_last_year_value"
    label = (kind.previous_vi or kind.same_last_year_vi).lower()
    if not kind.previous_vi and all(row.values[column] is None for row in content.rows):
        return
    for row in content.rows:
        before = row.values[column]
        if row.values["kind"] in _NO_AMOUNTS or row.value == before:
            continue
        old, new = (format_number(value) if value is not None else "trống" for value in (before, row.value))
        yield Item("previous", f"{_name(row)}: {label} {old}, nay {new}.", (row.code,), *_size(before, row.value))


def _amount(printed: str) -> Decimal | None:
    try:
        return parse_number(printed)
    except ValueError:  # a blank, or a text
        return None


def _size(old: Decimal | None, new: Decimal | None) -> tuple[float, str]:
    """How large a change is beside what was, as a number to order by and in words. What came or went comes first."""
    if old is None or new is None or not old:
        return float("inf"), "mới có số" if new is not None else "nay để trống"
    share = (new - old) / abs(old) * 100
    return float(
        abs(share)
    ), f"{'tăng' if share > 0 else 'giảm'} {format_number(abs(share).quantize(Decimal('0.01')))}%"


# --- marks ----------------------------------------------------------------------------------------------------------


def knife_edges(content: ReleaseContent) -> Iterator[Item]:
    """Shares that one or a few cases more or fewer would put on the other side of a declared mark."""
    form = form_named(content.form_version)
    for code, marks in form.review.marks.items():
        row = content.rows_by_code.get(code)
        parts = _fraction(content, form, row) if row else None
        if row is None or parts is None:
            continue
        part, whole = parts
        for mark in marks:
            least = _least_to_reach(mark, whole)
            missing = least - part  # positive: so many more would reach it; else so many fewer would fall below
            away = missing if missing > 0 else part - least + 1
            if away <= form.review.within:
                yield Item(
                    "knife_edge",
                    f"{_name(row)}: {format_number(part)}/{format_number(whole)}; "
                    f"{'thêm' if missing > 0 else 'bớt'} {format_number(away)} là "
                    f"{'đạt' if missing > 0 else 'xuống dưới'} {format_number(mark)}%.",
                    (code,),
                    1 / float(away),
                    f"cách {format_number(away)} trường hợp",
                )


def _least_to_reach(mark: Decimal, whole: Decimal) -> Decimal:
    return (mark * whole / 100).to_integral_value(rounding=ROUND_CEILING)


def _fraction(content: ReleaseContent, form: Form, row: FormRow) -> tuple[Decimal, Decimal] | None:
    """Part and whole of a share: of a ratio its own, of a count that is part of another that other; None without both.

    A whole of nothing has no share.
    """
    part, whole = row.values["numerator"], row.values["denominator"]
    if part is None or whole is None:
        declared = form.page.parts.get(row.code)
        other = content.rows_by_code.get(declared.of) if declared else None
        part, whole = row.value, other.value if other else None
    if row.value is None or part is None or not whole:
        return None
    return part, whole


# --- unusual values -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Spread:
    """Values to compare with: their median, least and greatest, and how many there are."""

    middle: float
    least: float
    greatest: float
    count: int
    deviation: float

    @classmethod
    def of(cls, values: Sequence[Decimal]) -> Spread:
        """Of at least one value. ``deviation`` is 0 where all are the same."""
        found = sorted(map(float, values))
        middle = median(found)
        away = [abs(value - middle) for value in found]
        deviation = _OF_MEDIAN * median(away) or _OF_MEAN * sum(away) / len(away)
        return cls(middle, found[0], found[-1], len(found), deviation)

    def score(self, value: Decimal) -> float:
        """The robust z-score: how many deviations the value is off the median; infinite where all others agree."""
        away = abs(float(value) - self.middle)
        return away / self.deviation if self.deviation else (float("inf") if away else 0.0)


def _unusual(content: ReleaseContent, published: Path) -> Iterator[Item]:
    """Figures far off those of the unit's earlier releases, or, of shares, off those of other units for this period."""
    bounds = form_named(content.form_version).review
    own, others = _released(content, published)
    for row in content.rows:
        if row.values["kind"] in _NO_AMOUNTS or row.value is None:
            continue
        for values, whose in ((own, "các kỳ đã công bố của đơn vị"), (others, "các đơn vị khác kỳ này")):
            known = values.get(row.code, [])
            if len(known) < bounds.least_values or (values is others and row.values["kind"] != "ratio"):
                continue
            spread = Spread.of(known)
            score = spread.score(row.value)
            outside = values is own and not spread.least <= float(row.value) <= spread.greatest
            if score >= bounds.unusual or outside:
                yield Item(
                    "unusual",
                    f"{_name(row)}: {row.printed}; {whose} ({spread.count} giá trị) từ {_plain(spread.least)} đến "
                    f"{_plain(spread.greatest)}, trung vị {_plain(spread.middle)}.",
                    (row.code,),
                    score,
                    "mọi giá trị khác đều bằng nhau"
                    if score == float("inf")
                    else f"điểm lệch {_plain(round(score, 1))}",
                )


def _plain(value: float) -> str:
    return format_number(Decimal(str(round(value, 4))))


def _is_earlier(quarter: str, than: str) -> bool:
    """Whether a period is of the same kind as another and before it."""
    return kind_of(quarter) == kind_of(than) and place_of(quarter) < place_of(than)


def _released(
    content: ReleaseContent, published: Path
) -> tuple[Mapping[str, list[Decimal]], Mapping[str, list[Decimal]]]:
    """Figures by code of the current releases: of this unit for earlier periods, of other units for this period.

    A release that cannot be read is left to ``verify``: nothing here rests on it but a remark.
    """
    own: dict[str, list[Decimal]] = defaultdict(list)
    others: dict[str, list[Decimal]] = defaultdict(list)
    for quarter_dir in sorted(path.parent for path in published.glob("[!.]*/*/current.json")):
        unit, quarter = quarter_dir.parent.name, quarter_dir.name
        earlier = unit == content.unit_code and _is_earlier(quarter, content.quarter)
        if not earlier and not (unit != content.unit_code and quarter == content.quarter):
            continue
        for row in _rows_of(quarter_dir):
            if row["form_version"] == content.form_version and row["value"] is not None:
                (own if earlier else others)[row["indicator_code"]].append(row["value"])
    return own, others


def _rows_of(quarter_dir: Path) -> Iterable[Mapping[str, Any]]:
    try:
        pointer = read_pointer(quarter_dir)
        path = quarter_dir / (pointer.release_name if pointer else "") / "marts" / f"{FORM_MART}.parquet"
        rows: list[Mapping[str, Any]] = from_parquet(path.read_bytes()).to_pylist()
    except (DamagedPointer, OSError, pa.ArrowException):
        return []
    return rows


# --- blanks ---------------------------------------------------------------------------------------------------------


def _blanks(content: ReleaseContent) -> Iterator[Item]:
    found: dict[str, list[str]] = defaultdict(list)
    for note in notes(content):
        if note["kind"] == "blank":
            found[note["sentence_vi"]].append(note["subject"])
    for sentence, codes in found.items():
        yield Item("blank", sentence, tuple(codes), len(codes), f"{len(codes)} dòng của biểu")


def _name(row: FormRow) -> str:
    return f"{row.code} “{row.values['indicator_name_vi']}”"


__all__ = ["PARTS", "REVIEW_NAME", "Item", "Named", "Spread", "knife_edges", "review_items", "write_review"]
