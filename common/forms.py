"""Report forms: what each prints, when it is used, and what is known of its rows beside the print.

Belongs here: reading a form's folder, ``forms/<id>/``, and which form is in force on a day. Does not belong here: what
the words of its letter mean (``publication.letter``), rules (``expectations``), figures (dbt).

A folder holds ``form.yml`` (:class:`Form`), ``rows.csv`` (the printed rows; columns as in
``dbt_project/models/staging/forms/stg_forms__rows.yml``), and for publication ``letter.yaml``, ``claims.yml`` and
``statements.yml``. A form is added by adding a folder; nothing is registered.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cached_property, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

FORMS_DIR = Path(__file__).resolve().parents[1] / "forms"


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Card(_Declared):
    """A row shown large on the page, by a short name."""

    row: str
    title_vi: str


class PartOf(_Declared):
    """The row of which another counts a part, and what that whole is called.

    ``by_decision``: the level of units at which some of the part are late in the register and count as on time by
    decision; they are told beside the share.
    """

    of: str
    name_vi: str
    by_decision: Literal["district", "commune"] | None = None


#: A place in a sentence of findings: ``{III.23}`` or ``{III.25:share}``, ``{open}``.
FINDING_PLACE = re.compile(r"\{([A-Za-z]+(?:\.[0-9]{2})?)(?::([a-z_]+))?\}")
#: What may be said of a row beside its figure, and figures that are no row's.
FINDING_ASPECTS = frozenset({"share", "by_decision", "previous", "last_year", "share_previous", "share_last_year"})
FINDING_COUNTS = frozenset({"open", "overdue"})
FINDING_NAMES = frozenset({"closing", "quarter"})


class FindingChoice(_Declared):
    """One way to say a finding: when every count of ``if`` is zero (positive) and every place can be filled.

    A stretch in square brackets is left out where one of its places cannot be filled.
    """

    say: str = Field(min_length=1)
    conditions: dict[str, Literal["zero", "positive"]] = Field(default_factory=dict, alias="if")

    @property
    def places(self) -> list[tuple[str, str]]:
        """(row or name, aspect or empty) of each place, conditions included."""
        named = [(match[1], match[2] or "") for match in FINDING_PLACE.finditer(self.say)]
        return [*named, *((name, "") for name in self.conditions)]

    @property
    def codes(self) -> list[str]:
        """Rows of the form that it needs."""
        return [name for name, _ in self.places if "." in name]

    @model_validator(mode="after")
    def _has_known_places(self) -> FindingChoice:
        bare = FINDING_PLACE.sub("", self.say)
        if set("{}") & set(bare) or not re.fullmatch(r"[^\[\]]*(\[[^\[\]]+\][^\[\]]*)*", bare):
            raise ValueError(f"braces or brackets are not closed: {self.say}")
        for name, aspect in self.places:
            known = (
                not aspect or aspect in FINDING_ASPECTS
                if "." in name
                else not aspect and (name in FINDING_COUNTS | FINDING_NAMES)
            )
            if not known:
                raise ValueError(f"nothing is called {name}:{aspect}".rstrip(":"))
        return self


class Finding(_Declared):
    """A sentence of the summary in plain words, as choices: the first that can be said is; the last always can.

    ``level`` keeps it to the pages of units of that level.
    """

    level: Literal["district", "commune"] | None = None
    choices: tuple[FindingChoice, ...]

    @model_validator(mode="after")
    def _can_always_be_said(self) -> Finding:
        if not self.choices or any(name not in FINDING_NAMES for name, _ in self.choices[-1].places):
            raise ValueError("the last choice of a finding names no figure and has no condition")
        return self


class Trend(_Declared):
    """A chart of rows over periods: code -> short name."""

    id: str
    title_vi: str
    rows: dict[str, str]


class Staffing(_Declared):
    """A kind of staff: the row of its quota and the row of those present."""

    title_vi: str
    quota: str
    present: str


class Page(_Declared):
    """What the page of a release draws out of the table of rows."""

    cards: tuple[Card, ...] = ()
    parts: dict[str, PartOf] = Field(default_factory=dict)
    trends: tuple[Trend, ...] = ()
    staffing: tuple[Staffing, ...] = ()
    findings: tuple[Finding, ...] = ()
    #: Short word of the print -> what it stands for; term of the print -> what people call it.
    abbreviations: dict[str, str] = Field(default_factory=dict)
    also_called: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    @property
    def codes(self) -> Iterator[str]:
        """Every indicator code named."""
        yield from (card.row for card in self.cards)
        for code, part in self.parts.items():
            yield from (code, part.of)
        for trend in self.trends:
            yield from trend.rows
        for kind in self.staffing:
            yield from (kind.quota, kind.present)
        for finding in self.findings:
            for choice in finding.choices:
                yield from choice.codes

    def findings_at(self, level: str) -> tuple[Finding, ...]:
        """The findings of a unit's page by its level."""
        return tuple(finding for finding in self.findings if finding.level in (None, level))

    @model_validator(mode="after")
    def _tells_three_to_five(self) -> Page:
        told = {level: len(self.findings_at(level)) for level in ("district", "commune")}
        if self.findings and not all(3 <= count <= 5 for count in told.values()):
            raise ValueError(f"a page has three to five findings: {told}")
        return self


class Review(_Declared):
    """What draws the eye to a figure before it is published. Nothing of it blocks.

    ``marks``: by row, the percents that its share is read against; ``within``: how many cases off a mark are close.
    ``unusual``: robust z-score from which a figure is far off others, of which there must be ``least_values``.
    """

    marks: dict[str, tuple[Decimal, ...]] = Field(default_factory=dict)
    within: int = Field(default=2, ge=1)
    unusual: float = Field(default=3.5, gt=0)
    least_values: int = Field(default=4, ge=2)


class Form(_Declared):
    """One version of the report form.

    ``valid_from``: the first closing day for which it is used. ``headline``: rows whose declared twin is asked for and
    whose change is looked at; ``shares``: rows that are a share of another; ``stock_groups``: rows whose change alone
    is not asked about, since a rule holds their sum; ``beyond_hundred``: ratios that may exceed 100;
    ``documents_issued``: the row that counts the office's own documents; ``not_added``: units of measure whose counts
    have no total over several units, since all of them count the same things.
    """

    form: str = Field(pattern=r"^[A-Za-z0-9_-]+$")
    valid_from: dt.date
    valid_to: dt.date | None = None
    headline: tuple[str, ...] = ()
    shares: dict[str, str] = Field(default_factory=dict)
    stock_groups: tuple[str, ...] = ()
    beyond_hundred: tuple[str, ...] = ()
    documents_issued: str | None = None
    not_added: tuple[str, ...] = ()
    page: Page = Page()
    review: Review = Review()
    _folder: Path = PrivateAttr()

    @property
    def folder(self) -> Path:
        """Where the form's files lie."""
        return self._folder

    @cached_property
    def rows(self) -> tuple[dict[str, str], ...]:
        """The printed rows in their order, cells as text."""
        with (self.folder / "rows.csv").open(encoding="utf-8-sig", newline="") as handle:
            return tuple(csv.DictReader(handle))

    @cached_property
    def codes(self) -> frozenset[str]:
        """Indicator codes of the printed rows."""
        return frozenset(row["indicator_code"] for row in self.rows)

    @cached_property
    def marks(self) -> tuple[tuple[str, str, str], ...]:
        """(mark, indicator code, other code or empty): what rules ask of the form beside its rows."""
        lists = ("headline", "stock_groups", "beyond_hundred")
        found = [(mark, code, "") for mark in lists for code in getattr(self, mark)]
        return (*found, *(("shares", part, whole) for part, whole in self.shares.items()))

    def declared(self, name: str) -> Any:
        """What a YAML file of the folder says. Raises ``LookupError`` where there is none."""
        path = self.folder / name
        if not path.is_file():
            raise LookupError(f"form {self.form} has no {name}")
        return yaml.safe_load(path.read_text(encoding="utf-8"))

    def require(self, codes: Iterable[str], who: str) -> None:
        """Raises ``ValueError`` where one of the codes is no row of the form."""
        if strangers := sorted(set(codes) - self.codes):
            raise ValueError(f"form {self.form}: {who} names {', '.join(strangers)}, no row of rows.csv")

    @cached_property
    def places(self) -> dict[str, str]:
        """The numbered item of the print in which each row stands, ``mục I.1``, by indicator code."""
        places, number = {}, ""
        for row in self.rows:
            if row["level"] in ("0", "1"):
                number = row["printed_number"] if row["level"] == "1" else ""
            places[row["indicator_code"]] = f"mục {row['section']}.{number}" if number else f"phần {row['section']}"
        return places

    @cached_property
    def names(self) -> dict[str, str]:
        """How print calls each row: ``“Số nhiệm vụ đã hoàn thành” (mục I.1)``, by indicator code."""
        places, names = self.places, {row["indicator_code"]: _quoted(row) for row in self.rows}
        # Where one item prints a name twice, the row of which it is a part tells the two apart.
        printed = Counter((names[code], places[code]) for code in names)
        parents = {row["indicator_code"]: row["logical_parent_code"] for row in self.rows}

        def distinct_name(code: str) -> str:
            twice = printed[names[code], places[code]] > 1 and parents[code] in names
            return f"{names[code]} của {distinct_name(parents[code])}" if twice else names[code]

        return {code: f"{distinct_name(code)} ({places[code]})" for code in names}


def _quoted(row: Mapping[str, str]) -> str:
    return f"“{(row['name_corrected_vi'] or row['name_vi']).strip(' -:')}”"


def read_form(folder: Path) -> Form:
    """The form of a folder. Raises ``ValueError`` where it is not whole: another id, a row twice, a row that is not."""
    form = Form.model_validate(yaml.safe_load((folder / "form.yml").read_text(encoding="utf-8")))
    form._folder = folder
    if form.form != folder.name:
        raise ValueError(f"{folder / 'form.yml'}: form {form.form} lies in the folder of {folder.name}")
    if len(form.codes) != len(form.rows):
        raise ValueError(f"{folder / 'rows.csv'}: an indicator code stands twice")
    named = {code for _, *codes in form.marks for code in codes if code}
    named |= {*form.page.codes, *form.review.marks, *filter(None, [form.documents_issued])}
    form.require(named, "form.yml")
    return form


@lru_cache(maxsize=4)
def load_forms(directory: Path = FORMS_DIR) -> tuple[Form, ...]:
    """Every form in the order in which they came into force. Raises ``ValueError`` where two begin on one day."""
    forms = sorted((read_form(path.parent) for path in directory.glob("*/form.yml")), key=lambda form: form.valid_from)
    for one, next_one in pairwise(forms):
        if one.valid_from == next_one.valid_from:
            raise ValueError(f"forms {one.form} and {next_one.form} begin on one day")
    return tuple(forms)


def used_until(form: Form, forms: Sequence[Form]) -> dt.date | None:
    """The last closing day for which a form is used: as declared, or the day before the next begins."""
    later = [other.valid_from for other in forms if other.valid_from > form.valid_from]
    ends = [day for day in (form.valid_to, min(later) - dt.timedelta(1) if later else None) if day is not None]
    return min(ends, default=None)


def form_on(day: dt.date, forms: Sequence[Form] | None = None) -> Form:
    """The form in force on a closing day. Raises ``LookupError`` where there is none."""
    known = load_forms() if forms is None else forms
    for form in reversed(known):
        if form.valid_from <= day:
            until = used_until(form, known)
            if until is None or day <= until:
                return form
            break
    raise LookupError(f"no form was in force on {day}")


def form_named(form_id: str) -> Form:
    """The form of an id. Raises ``LookupError`` where there is none."""
    for form in load_forms():
        if form.form == form_id:
            return form
    raise LookupError(f"no form {form_id}")


def rows_csv(forms: Iterable[Form]) -> str:
    """All rows of all forms as one CSV for dbt, with the form's id and days before the columns of ``rows.csv``."""
    known = tuple(forms)
    out = io.StringIO()
    columns = ["form_version", "valid_from", "valid_to", "used_until", *known[0].rows[0]]
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    for form in known:
        days = {"valid_from": form.valid_from, "valid_to": form.valid_to, "used_until": used_until(form, known)}
        own = {"form_version": form.form, **{name: day.isoformat() if day else "" for name, day in days.items()}}
        writer.writerows({**own, **row} for row in form.rows)
    return out.getvalue()
