"""A release against the one before it: every changed cell with its causes, and how people are told.

Belongs here: the revision as data that all outputs share, ``quality/changes.csv``, the Vietnamese sentences.
Does not belong here: what changed (``changes``), why (``causes``), the look of a document.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from expectations import published_text
from publication.content.causes import Cause, Causes, Lineage, Origin
from publication.content.changes import Change, compare
from publication.content.province_causes import ProvinceCauses
from publication.formatting import format_number
from publication.store.candidate import FORM_MART, PROVINCE_MART
from publication.store.csvfile import to_csv

CHANGES_COLUMNS = ("mart", "row", "name_vi", "column", "old", "new", "cause_kind", "cause", "cause_vi")
_FIGURE_COLUMNS = frozenset({"value", "value_text"})
_BLANK_VI = "để trống"


def check_words(reason: str, by: str | None) -> None:
    """Raises UnfitText where why something is done, or by whose word, must not be published. Who decides in an office
    may be named.
    """
    published_text(reason, "lý do")
    published_text(by or "", "người quyết định", allowed=("person_name",))


class Amended(Protocol):
    """Why, and by whose word, a locked quarter got another release: as given now, or as a manifest recorded it."""

    @property
    def reason(self) -> str: ...

    @property
    def by(self) -> str | None: ...


@dataclass(frozen=True)
class Amendment:
    """The word by which a locked quarter may get another release. Raises UnfitText for words not to be published."""

    reason: str
    by: str | None = None

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise ValueError("an amendment needs a reason")
        check_words(self.reason, self.by)


@dataclass(frozen=True)
class ExplainedChange:
    """A changed cell and everything that can have caused it; never without a cause."""

    change: Change
    causes: tuple[Cause, ...]

    @property
    def cause_vi(self) -> str:
        """The causes by name; what each of them is, ``causes_vi`` of the revision says once."""
        return "; ".join(cause.name_vi or cause.text_vi for cause in self.causes)


@dataclass(frozen=True)
class RevisedFigure:
    """A row of the form whose published figure or text is another: as printed before and now."""

    indicator_code: str
    row_no: int
    name_vi: str
    old: str
    new: str
    causes: tuple[Cause, ...]

    @property
    def place_vi(self) -> str:
        """``Dòng 195 (VII.44) Tổng số …``: the name without the dash that the form prints before it."""
        return f"Dòng {self.row_no} ({self.indicator_code}) {self.name_vi.lstrip('- ')}"

    @property
    def change_vi(self) -> str:
        """``9 → 10``."""
        return f"{self.old or _BLANK_VI} → {self.new or _BLANK_VI}"

    @property
    def cause_vi(self) -> str:
        """The causes as one sentence."""
        return sentence_of(self.causes)

    @property
    def sentence_vi(self) -> str:
        """``9 → 10. Tệp … gửi bổ sung.``"""
        return f"{self.change_vi}. {self.cause_vi}"


@dataclass(frozen=True)
class Revision:
    """What a release (``release``) changes against the one it takes the place of (``previous``)."""

    previous: int
    release: int
    changes: tuple[ExplainedChange, ...]
    figures: tuple[RevisedFigure, ...]
    amendment: Amended | None = None

    @property
    def changes_what_is_said(self) -> bool:
        """False where at most whole tables or columns came or went."""
        return any(not explained.change.of_layout for explained in self.changes)

    @property
    def head_vi(self) -> str:
        """One paragraph: which release takes the place of which, how much changed, and by whose word."""
        return f"Bản công bố r{self.release} thay bản r{self.previous}: {self.extent_vi}{self.amendment_vi}"

    @property
    def extent_vi(self) -> str:
        """How much changed, as a sentence that begins in the middle: ``2 số liệu của biểu thay đổi.``"""
        if self.figures:
            return f"{format_number(len(self.figures))} số liệu của biểu thay đổi."
        if self.changes:
            return "số liệu của biểu không đổi; thay đổi ở các cột, bảng chi tiết kèm theo."
        return "không số liệu nào thay đổi; chỉ khác hồ sơ đầu vào hoặc kết quả kiểm tra."

    @property
    def amendment_vi(self) -> str:
        if self.amendment is None:
            return ""
        by = f" Người quyết định: {self.amendment.by}." if self.amendment.by else ""
        return f" Sửa đổi sau khi kỳ báo cáo đã khóa. Lý do: {self.amendment.reason.rstrip('.')}.{by}"

    @property
    def causes_vi(self) -> list[str]:
        """Every cause of any change as a sentence, each once."""
        causes = sorted({cause for explained in self.changes for cause in explained.causes})
        return [sentence_of([cause]) for cause in causes]

    @property
    def lines_vi(self) -> list[str]:
        """The head, then one line a changed figure: ``Dòng 4 (I.04) Số nhiệm vụ …: 9 → 10. Tệp … gửi bổ sung.``"""
        return [self.head_vi, *(f"{figure.place_vi}: {figure.sentence_vi}" for figure in self.figures)]


def revise(
    old: Origin, new: Origin, lineage: Lineage, *, previous: int, release: int, amendment: Amended | None = None
) -> Revision:
    """Compare two origins. Raises UnexplainedChange when a cell changed and nothing it is made from did."""
    causes = ProvinceCauses(old, new) if PROVINCE_MART in new.tables else Causes(old, new, lineage)
    changes = tuple(ExplainedChange(change, causes.of(change)) for change in compare(old.tables, new.tables))
    figures = _figures(changes, old, new)
    return Revision(previous, release, changes, tuple(sorted(figures, key=lambda figure: figure.row_no)), amendment)


def _figures(changes: Iterable[ExplainedChange], old: Origin, new: Origin) -> list[RevisedFigure]:
    table = PROVINCE_MART if PROVINCE_MART in new.tables else FORM_MART
    before, after = (
        {str(row["indicator_code"]): row for row in origin.tables[table].to_pylist()} for origin in (old, new)
    )
    causes: dict[str, set[Cause]] = {}
    for explained in changes:
        change = explained.change
        if change.mart == table and (change.column in _FIGURE_COLUMNS or change.column is None) and change.row:
            causes.setdefault(change.row, set()).update(explained.causes)
    found = []
    for code, why in causes.items():
        row = after.get(code) or before[code]
        found.append(
            RevisedFigure(
                code,
                int(row["row_no"]),
                str(row["indicator_name_vi"]),
                _printed(before.get(code)),
                _printed(after.get(code)),
                tuple(sorted(why)),
            )
        )
    return [figure for figure in found if figure.old != figure.new]


def _printed(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return ""
    value: Decimal | None = row["value"]
    return str(row.get("value_text") or "") if value is None else format_number(value)


def sentence_of(causes: Iterable[Cause]) -> str:
    """``Tệp … gửi bổ sung.``; several: ``Một hoặc nhiều nguyên nhân sau: …; ….``"""
    texts = [cause.text_vi for cause in causes]
    text = texts[0] if len(texts) == 1 else "một hoặc nhiều nguyên nhân sau: " + "; ".join(texts)
    return text[:1].upper() + text[1:] + "."


def changes_csv(revision: Revision | None) -> bytes:
    """``quality/changes.csv``, one row a changed cell; only its header for the first release of a quarter.

    ``cause_kind`` and ``cause`` list every possible cause, joined by ``;``; ``cause_vi`` names the same to people, and
    ``notes.csv`` tells of each cause once.
    """
    rows = []
    for explained in revision.changes if revision else ():
        rows.append(
            {
                **vars(explained.change),
                "cause_vi": explained.cause_vi,
                "cause_kind": list(dict.fromkeys(cause.kind for cause in explained.causes)),
                "cause": [cause.identity for cause in explained.causes],
            }
        )
    return to_csv(CHANGES_COLUMNS, rows)
