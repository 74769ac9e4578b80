"""Report forms: what each prints, for whom and when it is used, and what is known of its rows beside the print.

Belongs here: reading a form's folder and which form is in force for a unit on a day. Does not belong here: how a form
is made from another (``derived_forms``), what the words of its letter mean (``publication.letter``), rules
(``expectations``), figures (dbt).

A folder holds ``form.yml`` (:class:`Form`), ``rows.csv`` (the printed rows; columns as in
``dbt_project/models/staging/forms/stg_forms__rows.yml``), and for publication ``letter.yaml``, ``claims.yml`` and
``statements.yml``; ``crosswalk.csv`` says what became of the rows of the form before it. Forms of the project lie in
``forms/<id>/``, an office's own in ``<home>/forms/<id>/``; both are read the same way, and nothing is registered. A
form of a home counts once a person has confirmed exactly these files (:func:`confirm`); until then, and where it or the
form that it is derived from cannot be read, it holds back the units that it is for (:func:`held_forms`), no others.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, model_validator

from common.declared import read_yaml
from common.derived_forms import ENDED, Row, derived_document, derived_rows, laid_over, replacing
from common.files import readable_json, replace_durably, sha256_bytes, sha256_file

FORMS_DIR = Path(__file__).resolve().parents[1] / "forms"
#: Where the process finds the forms of its home: processes that it starts find the same.
HOME_FORMS_ENV = "CCHC_FORMS"
FORM_YML, ROWS_CSV, CROSSWALK_CSV = "form.yml", "rows.csv", "crosswalk.csv"
#: All that a form is read from. Whatever else lies in its folder (a note, a spreadsheet's lock) says nothing of it.
FORM_FILES = (FORM_YML, ROWS_CSV, CROSSWALK_CSV, "letter.yaml", "claims.yml", "statements.yml", "relations.yml")
#: What was confirmed, and what was imported: both tell for whom a form is whose own files cannot be read any more.
CONFIRMED_JSON, IMPORTED_JSON = "confirmed.json", "imported.json"
#: What reading a folder may raise that does not hold a form.
FORM_FAULTS = (OSError, ValueError, LookupError, TypeError, AttributeError, csv.Error, yaml.YAMLError)

Level = Literal["district", "commune"]
LEVELS: tuple[Level, ...] = ("district", "commune")
Relation = Literal["same", "renamed", "split", "ended", "new"]


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
    by_decision: Level | None = None


#: A place in a sentence of findings: ``{III.23}`` or ``{III.25:share}``, ``{open}``.
FINDING_PLACE = re.compile(r"\{([A-Za-z]+(?:\.[0-9]{2,})?)(?::([a-z_]+))?\}")
#: What may be said of a row beside its figure, and figures that are no row's (those of a level: ``open:district``).
FINDING_ASPECTS = frozenset({"share", "by_decision", "previous", "last_year", "share_previous", "share_last_year"})
FINDING_COUNTS = frozenset({"open", "overdue"})
FINDING_NAMES = frozenset({"closing", "quarter"})


class FindingChoice(_Declared):
    """One way to say a finding: when every count of ``if`` is zero (positive) and every place can be filled.

    A stretch in square brackets is left out where one of its places cannot be filled. ``level`` keeps it to the pages
    of units of that level.
    """

    level: Level | None = None
    say: str = Field(min_length=1)
    conditions: dict[str, Literal["zero", "positive"]] = Field(default_factory=dict, alias="if")

    @property
    def places(self) -> list[tuple[str, str]]:
        """(row or name, aspect or empty) of each place, conditions included."""
        named = [(match[1], match[2] or "") for match in FINDING_PLACE.finditer(self.say)]
        return [*named, *((name, aspect) for name, _, aspect in (asked.partition(":") for asked in self.conditions))]

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
                else name in FINDING_COUNTS and aspect in LEVELS
                if aspect
                else name in FINDING_COUNTS | FINDING_NAMES
            )
            if not known:
                raise ValueError(f"nothing is called {name}:{aspect}".rstrip(":"))
        return self


class Finding(_Declared):
    """A sentence of the summary in plain words, as choices: the first that can be said is; the last always can.

    ``level`` keeps it to the pages of units of that level.
    """

    level: Level | None = None
    choices: tuple[FindingChoice, ...]

    @model_validator(mode="after")
    def _can_always_be_said(self) -> Finding:
        last = self.choices[-1] if self.choices else None
        if last is None or last.level or any(name not in FINDING_NAMES for name, _ in last.places):
            raise ValueError("the last choice of a finding names no figure, no level and has no condition")
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

    @model_validator(mode="after")
    def _says_what_has_no_share(self) -> Page:
        """Of nothing there is no share, and a figure that was reported as 0 is not one that is missing."""
        for finding in self.findings:
            zeros = {name for one in finding.choices for name, is_ in one.conditions.items() if is_ == "zero"}
            for code in {name for one in finding.choices for name, aspect in one.places if aspect == "share"}:
                if code not in self.parts or self.parts[code].of not in zeros:
                    raise ValueError(f"{{{code}:share}}: no choice says that the whole is zero, or it is part of none")
        return self

    def findings_at(self, level: str) -> tuple[Finding, ...]:
        """The findings of a unit's page by its level."""
        return tuple(finding for finding in self.findings if finding.level in (None, level))


class Review(_Declared):
    """What draws the eye to a figure before it is published. Nothing of it blocks.

    ``marks``: by row, the percents that its share is read against; ``within``: how many cases off a mark are close.
    ``unusual``: robust z-score from which a figure is far off others, of which there must be ``least_values``.
    """

    marks: dict[str, tuple[Decimal, ...]] = Field(default_factory=dict)
    within: int = Field(default=2, ge=1)
    unusual: float = Field(default=3.5, gt=0)
    least_values: int = Field(default=4, ge=2)


class Step(_Declared):
    """What became of a row of the form before: one line of ``crosswalk.csv``. A new row has no old code, an ended none
    that is new; a split row has a line for each part.
    """

    old_code: str = ""
    new_code: str = ""
    relation: Relation
    note_vi: str = ""

    @model_validator(mode="after")
    def _names_what_there_is(self) -> Step:
        wanted = {"new": (False, True), "ended": (True, False)}.get(self.relation, (True, True))
        if (bool(self.old_code), bool(self.new_code)) != wanted:
            raise ValueError(f"{CROSSWALK_CSV}: {self.relation} of {self.old_code or '–'} to {self.new_code or '–'}")
        return self


#: What a form says of itself and does not take from the form that it is derived from.
_OWN = frozenset(
    {"form", "title_vi", "issuer", "level", "valid_from", "valid_to", "derived_from", "mark_vi", "words", "rows"}
)


class ForWhom(_Declared):
    """The units and closing days that a form is for.

    ``issuer``: code of the province whose department issued it, empty where it is of no single one; a unit uses the
    form of its province before a general one. ``level``: of the units that report by it. ``valid_from``: the first
    closing day for which it is used; ``valid_to``: the last, where one is known.
    """

    issuer: str = Field(default="", pattern=r"^([0-9]{2})?$")
    level: Level = "district"
    valid_from: dt.date
    valid_to: dt.date | None = None


class Form(ForWhom):
    """One version of the report form.

    ``derived_from``: the form before it, of which it takes what its own files do not
    say; ``words`` and ``rows`` are differences from it (``derived_forms``). ``mark_vi`` is printed beside its title.
    ``headline``: rows whose declared twin is asked for and whose change is looked at; ``shares``: rows that are a share
    of another; ``stock_groups``: rows whose change alone is not asked about, since a rule holds their sum;
    ``beyond_hundred``: ratios that may exceed 100; ``documents_issued``: the row that counts the office's documents;
    ``not_added``: units of measure whose counts have no total over several units, since all count the same things.
    """

    form: str = Field(pattern=r"^[A-Za-z0-9_-]+$")
    title_vi: str = ""
    derived_from: str | None = None
    mark_vi: str = ""
    words: dict[str, str] = Field(default_factory=dict)
    changes: dict[str, dict[str, str]] = Field(default_factory=dict, alias="rows")
    headline: tuple[str, ...] = ()
    shares: dict[str, str] = Field(default_factory=dict)
    stock_groups: tuple[str, ...] = ()
    beyond_hundred: tuple[str, ...] = ()
    documents_issued: str | None = None
    not_added: tuple[str, ...] = ()
    page: Page = Page()
    review: Review = Review()
    _folder: Path = PrivateAttr()
    _base: Form | None = PrivateAttr(default=None)
    _is_of_home: bool = PrivateAttr(default=False)

    @property
    def folder(self) -> Path:
        """Where the form's own files lie."""
        return self._folder

    @property
    def base(self) -> Form | None:
        """The form that it is derived from."""
        return self._base

    @property
    def fingerprint(self) -> str | None:
        """sha256 of the folder's files, of a form that an office brought; the version of the code holds the others."""
        return fingerprint(self.folder) if self._is_of_home else None

    @property
    def case_levels(self) -> tuple[Level, ...]:
        """The levels of which a report by this form tells cases: a commune's of its own only."""
        return LEVELS if self.level == "district" else ("commune",)

    @property
    def named_vi(self) -> str:
        """How print calls the form: ``2023``, ``xa-2025 (biểu mẫu tạm)``."""
        return f"{self.title_vi or self.form} ({self.mark_vi})" if self.mark_vi else self.title_vi or self.form

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """The printed rows in their order, cells as text.

        Raises ``ValueError`` where a line has not the columns of the form before.
        """
        path = self.folder / ROWS_CSV
        if self.base is not None and not path.is_file():
            return tuple(derived_rows(self.base.rows, self.words, self.changes))
        with path.open(encoding="utf-8-sig", newline="") as handle:
            rows = tuple(csv.DictReader(handle))
        if self.base is not None:
            columns = self.base.rows[0].keys()
            for number, row in enumerate(rows, 2):
                if row.keys() != columns or None in row.values():
                    raise ValueError(f"{path}, dòng {number}: phải có đúng các cột {', '.join(columns)}")
        return rows

    @cached_property
    def in_its_words(self) -> Callable[[str], str]:
        """Puts a text about the form before into this form's words."""
        own = replacing(self.words)
        if self.base is None:
            return own
        earlier = self.base.in_its_words
        return lambda text: own(earlier(text))

    @cached_property
    def crosswalk(self) -> tuple[Step, ...]:
        """What became of each row of the form before, and which rows are new; empty where there is none before.

        Raises ``ValueError`` for a line that is none.
        """
        path = self.folder / CROSSWALK_CSV
        if self.base is None:
            return ()
        if path.is_file():
            with path.open(encoding="utf-8-sig", newline="") as handle:
                return tuple(
                    Step.model_validate({name: row[name] or "" for name in Step.model_fields})
                    for row in csv.DictReader(handle)
                )
        steps = []
        own, before = ({row["indicator_code"]: row for row in form.rows} for form in (self, self.base))
        for code, row in before.items():
            if code not in own:
                note = self.changes.get(code, {}).get(ENDED, "")
                steps.append(Step(old_code=code, relation="ended", note_vi=note))
                continue
            is_same = _printed_name(own[code]) == _printed_name(row)
            steps.append(Step(old_code=code, new_code=code, relation="same" if is_same else "renamed"))
        return (*steps, *(Step(new_code=code, relation="new") for code in own if code not in before))

    @cached_property
    def earlier_rows(self) -> tuple[tuple[str, str, str], ...]:
        """(code, form, code in that form) of every row of this and earlier forms that a row of this one goes on."""
        found = [(code, self.form, code) for code in (row["indicator_code"] for row in self.rows)]
        if self.base is not None:
            goes_on = {s.old_code: s.new_code for s in self.crosswalk if s.relation in ("same", "renamed")}
            earlier = self.base.earlier_rows
            found += [(goes_on[code], form_id, before) for code, form_id, before in earlier if code in goes_on]
        return tuple(found)

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
        """What a YAML file of the folder says, laid over what the form before says.

        Raises ``LookupError`` where neither has it.
        """
        assert name in FORM_FILES, name
        path = self.folder / name
        own = read_yaml(path) if path.is_file() else None
        if self.base is not None:
            try:
                before = self.base.declared(name)
            except LookupError:
                if own is None:
                    raise
            else:
                left = derived_document(before, self.words, self.base.codes - self.codes, self.level)
                return left if own is None else laid_over(left, own)
        if own is None:
            raise LookupError(f"form {self.form} has no {name}")
        return own

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


def _printed_name(row: Mapping[str, str]) -> str:
    return row["name_corrected_vi"] or row["name_vi"]


def read_form(folder: Path, *, find: Callable[[str], Form] | None = None) -> Form:
    """The form of a folder; ``find`` gives the form that it is derived from, by default one beside it.

    Raises ``ValueError`` where it is not whole: another id, a row twice, a row that is not, an open crosswalk;
    ``OSError`` where a file is missing.
    """
    path = folder / FORM_YML
    own = read_yaml(path)
    if not isinstance(own, dict):
        raise ValueError(f"{path}: no form")
    base = None
    if own.get("derived_from"):
        base = (find or (lambda form_id: read_form(folder.parent / form_id)))(str(own["derived_from"]))
        codes = _codes_of(folder, own, base)
        before = {name: part for name, part in base.declared(FORM_YML).items() if name not in _OWN}
        left = derived_document(before, own.get("words") or {}, base.codes - codes, own.get("level", "district"))
        own = laid_over(left, own)
    form = Form.model_validate(own)
    form._folder, form._base = folder, base
    if form.form != folder.name:
        raise ValueError(f"{path}: form {form.form} lies in the folder of {folder.name}")
    if len(form.codes) != len(form.rows):
        raise ValueError(f"{folder / ROWS_CSV}: an indicator code stands twice")
    named = {code for _, *codes in form.marks for code in codes if code}
    named |= {*form.page.codes, *form.review.marks, *filter(None, [form.documents_issued])}
    form.require(named, FORM_YML)
    if form.page.findings and not 3 <= (count := len(form.page.findings_at(form.level))) <= 5:
        raise ValueError(f"{path}: a page has three to five findings, not {count}")
    _check_crosswalk(form)
    return form


def _codes_of(folder: Path, own: Mapping[str, Any], base: Form) -> frozenset[str]:
    form = Form.model_construct(
        form="", valid_from=dt.date.min, changes=own.get("rows") or {}, words=own.get("words") or {}
    )
    form._folder, form._base = folder, base
    return form.codes


def _check_crosswalk(form: Form) -> None:
    """Raises ``ValueError`` where a row of this form or of the one before is not told, or told of a row that is not."""
    if form.base is None:
        return
    old = Counter(step.old_code for step in form.crosswalk if step.old_code)
    new = Counter(step.new_code for step in form.crosswalk if step.new_code)
    split = {step.old_code for step in form.crosswalk if step.relation == "split"}
    where = f"{form.folder / CROSSWALK_CSV}: "
    if untold := sorted((form.base.codes - old.keys()) | (form.codes - new.keys())):
        raise ValueError(f"{where}nothing is said of {', '.join(untold)}")
    if strangers := sorted((old.keys() - form.base.codes) | (new.keys() - form.codes)):
        raise ValueError(f"{where}{', '.join(strangers)} is no row")
    if twice := sorted({c for c, n in old.items() if n > 1 and c not in split} | {c for c, n in new.items() if n > 1}):
        raise ValueError(f"{where}{', '.join(twice)} stands twice")


# --- the forms of a home --------------------------------------------------------------------------------------------

_Function = TypeVar("_Function", bound=Callable[..., Any])
_cached: list[Any] = []


def follows_forms(maxsize: int) -> Callable[[_Function], _Function]:
    """``lru_cache`` for what is made of forms: forgotten when the process turns to others (:func:`use_forms_of`)."""

    def decorate(function: _Function) -> _Function:
        cached = lru_cache(maxsize)(function)
        _cached.append(cached)
        return cached  # type: ignore[return-value]

    return decorate


def fingerprint(folder: Path) -> str:
    """sha256 over names and contents of the files that a form is read from. Raises ``OSError``."""
    files = {name: folder / name for name in sorted(FORM_FILES) if (folder / name).is_file()}
    return sha256_bytes("".join(f"{name}\0{sha256_file(path)}\n" for name, path in files.items()).encode())


def forms_state() -> str:
    """Changes when a form of the home is brought, changed or confirmed."""
    folders = _home_folders()
    return sha256_bytes("".join(map(_state_of, folders)).encode()) if folders else ""


def _state_of(folder: Path) -> str:
    records = [path for name in (CONFIRMED_JSON, IMPORTED_JSON) if (path := folder / name).is_file()]
    try:
        return "\0".join([folder.name, fingerprint(folder), *map(sha256_file, records)]) + "\n"
    except OSError as error:
        return f"{folder.name}\0{error}\n"


_used: tuple[str, str] = ("", "")


def use_forms_of(home_forms: Path) -> None:
    """From now on the process, and those it starts, read the forms of this home beside those of the project."""
    global _used
    os.environ[HOME_FORMS_ENV] = str(home_forms)
    state = (str(home_forms), forms_state())
    if state != _used:
        _used = state
        for cached in _cached:
            cached.cache_clear()


def _home_folders() -> list[Path]:
    home = os.environ.get(HOME_FORMS_ENV)
    return form_folders(Path(home)) if home else []


def form_folders(home_forms: Path) -> list[Path]:
    """The folders of a home's forms in order of their ids, also those of which only a record is left."""
    found = {path.parent for name in (FORM_YML, CONFIRMED_JSON, IMPORTED_JSON) for path in home_forms.glob(f"*/{name}")}
    return sorted(found)


def is_confirmed(folder: Path) -> bool:
    """Whether a person confirmed exactly the files that lie there."""
    try:
        confirmed = json.loads((folder / CONFIRMED_JSON).read_bytes())
        return bool(confirmed["sha256"] == fingerprint(folder))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def confirm(folder: Path, by: str, on: dt.date) -> None:
    """Notes that a person looked the form through and takes it as it lies there, and for whom it is.

    Raises what reading ``form.yml`` may (``FORM_FAULTS``).
    """
    units = _for_whom(folder / FORM_YML).model_dump(mode="json")
    note = {"by": by, "on": on.isoformat(), "sha256": fingerprint(folder), **units}
    replace_durably(folder / CONFIRMED_JSON, readable_json(note))


def _for_whom(path: Path) -> ForWhom:
    """For whom a ``form.yml``, or a record (JSON is YAML), says that the form is."""
    said = read_yaml(path)
    return ForWhom.model_validate({name: said[name] for name in ForWhom.model_fields if name in said})


@dataclass(frozen=True)
class HeldForm:
    """A form of the home that publishes nothing as it lies there: why, in Vietnamese, and for whom it would be.

    ``units`` is None where no file says so any more of a form that was in use: it may be for anybody.
    """

    form: str
    why_vi: str
    units: ForWhom | None

    def is_for(self, day: dt.date, level: str, issuer: str) -> bool:
        """Whether it would be in force for such a unit on a closing day."""
        if self.units is None:
            return True
        standing = Form.model_construct(form=self.form, **dict(self.units))
        try:
            return form_on(day, (standing, *load_forms()), level=level, issuer=issuer) is standing
        except LookupError:
            return False


def held_forms() -> tuple[HeldForm, ...]:
    """The home's forms that publish nothing, the latest first: not confirmed as they lie there, not readable, or not
    fit to stand beside the others.
    """
    return _forms_of_home()[1]


def _units_of(folder: Path) -> list[ForWhom | None]:
    """For whom a form says that it is, and for whom it was confirmed: who changed that may not take it from those."""
    found: list[ForWhom | None] = []
    for names in ((FORM_YML, IMPORTED_JSON), (CONFIRMED_JSON,)):
        for name in names:
            try:
                found.append(_for_whom(folder / name))
                break
            except FORM_FAULTS:
                continue
    return list(dict.fromkeys(found)) or [None] * (folder / CONFIRMED_JSON).exists()


@follows_forms(1)
def _forms_of_home() -> tuple[tuple[Form, ...], tuple[HeldForm, ...]]:
    """The home's forms that are in use, in the order in which they came into force, and those that are not."""
    built_in = {form.form: form for form in load_forms(FORMS_DIR)}
    folders = {folder.name: folder for folder in _home_folders()}
    waiting = {form_id: folder for form_id, folder in folders.items() if form_id not in built_in}
    why = dict.fromkeys(folders.keys() & built_in.keys(), "trùng mã với biểu mẫu có sẵn; đổi tên thư mục và mã")
    read: dict[str, Form] = {}

    def find(form_id: str) -> Form:
        if (known := built_in.get(form_id) or read.get(form_id)) is not None:
            return known
        folder = waiting.pop(form_id, None)
        if folder is not None and not is_confirmed(folder):
            why[form_id] = "chưa được xác nhận, hoặc đã thay đổi sau khi xác nhận"
        elif folder is not None:
            try:
                form = read_form(folder, find=find)
            except FORM_FAULTS as error:
                why[form_id] = f"không đọc được: {told(error)}"
            else:
                form._is_of_home = True
                return read.setdefault(form_id, form)
        raise LookupError(not_in_use_vi(form_id))

    for form_id in list(waiting):
        with suppress(LookupError):
            find(form_id)
    begins = Counter(_begins(form) for form in (*built_in.values(), *read.values()))
    for form_id in [form_id for form_id, form in read.items() if begins[_begins(form)] > 1]:
        why[form_id] = "cùng cấp, cùng nơi ban hành và cùng ngày bắt đầu với một biểu mẫu khác"
        del read[form_id]
    held = [HeldForm(form_id, why[form_id], units) for form_id in why for units in _units_of(folders[form_id])]
    held.sort(key=lambda form: (form.units.valid_from if form.units else dt.date.max, form.form), reverse=True)
    return _in_order(read.values()), tuple(held)


def told(error: Exception) -> str:
    """What was wrong with a form's file, in one line."""
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:3])
    return " ".join(str(error).strip("'\"").split())


def not_in_use_vi(form_id: str) -> str:
    """Why a form that is derived from another of the home cannot be read."""
    return f"biểu mẫu {form_id} mà nó dựa trên không có hoặc chưa dùng được; xem cchc form check {form_id}"


# --- which form is used ---------------------------------------------------------------------------------------------


@follows_forms(4)
def load_forms(directory: Path | None = None) -> tuple[Form, ...]:
    """Every form of a folder; by default the project's, then those of the home that are in use; each lot in the order
    in which they came into force.

    Raises ``ValueError`` where one of the folder, or of the project, is not whole, or two for the same units begin on
    one day; one of the home is held instead (:func:`held_forms`).
    """
    if directory is None:
        return (*load_forms(FORMS_DIR), *_forms_of_home()[0])
    folders = {path.parent.name: path.parent for path in directory.glob(f"*/{FORM_YML}")}
    read: dict[str, Form] = {}

    def find(form_id: str) -> Form:
        if form_id not in read:
            if form_id not in folders:
                raise ValueError(f"{directory}: no form {form_id}")
            # Taken out before it is read: a form that is derived from itself is not found.
            read[form_id] = read_form(folders.pop(form_id), find=find)
        return read[form_id]

    forms = _in_order(map(find, list(folders)))
    for one, next_one in pairwise(sorted(forms, key=_begins)):
        if _begins(one) == _begins(next_one):
            raise ValueError(f"forms {one.form} and {next_one.form} begin on one day")
    return forms


def _in_order(forms: Iterable[Form]) -> tuple[Form, ...]:
    return tuple(sorted(forms, key=lambda form: (form.valid_from, form.form)))


def _begins(form: Form) -> tuple[str, str, dt.date]:
    return form.issuer, form.level, form.valid_from


def used_until(form: Form, forms: Sequence[Form]) -> dt.date | None:
    """The last closing day for which a form is used: as declared, or the day before the next for the same units."""
    same = [other for other in forms if (other.issuer, other.level) == (form.issuer, form.level)]
    later = [other.valid_from for other in same if other.valid_from > form.valid_from]
    ends = [day for day in (form.valid_to, min(later) - dt.timedelta(1) if later else None) if day is not None]
    return min(ends, default=None)


def form_on(day: dt.date, forms: Sequence[Form] | None = None, *, level: str = "district", issuer: str = "") -> Form:
    """The form in force on a closing day for units of a level in a province (``issuer``): the province's own, or the
    general one. Raises ``LookupError`` where there is none.
    """
    known = load_forms() if forms is None else forms
    for wanted in dict.fromkeys((issuer, "")):
        for form in known:
            until = used_until(form, known)
            is_in_force = form.valid_from <= day and (until is None or day <= until)
            if is_in_force and (form.level, form.issuer) == (level, wanted):
                return form
    raise LookupError(f"no form was in force on {day} for {level} {issuer}".rstrip())


def form_named(form_id: str) -> Form:
    """The form of an id. Raises ``LookupError`` where there is none."""
    for form in load_forms():
        if form.form == form_id:
            return form
    raise LookupError(f"no form {form_id}")


def rows_csv(forms: Iterable[Form]) -> str:
    """All rows of all forms as one CSV for dbt: the form's id, units and days, then the columns of ``rows.csv``."""
    known = tuple(forms)
    out = io.StringIO()
    of_form = ["form_version", "unit_level", "issuer", "valid_from", "valid_to", "used_until"]
    writer = csv.DictWriter(out, [*of_form, *known[0].rows[0]], lineterminator="\n")
    writer.writeheader()
    for form in known:
        days = {"valid_from": form.valid_from, "valid_to": form.valid_to, "used_until": used_until(form, known)}
        own = {"form_version": form.form, "unit_level": form.level, "issuer": form.issuer}
        own |= {name: day.isoformat() if day else "" for name, day in days.items()}
        writer.writerows({**own, **row} for row in form.rows)
    return out.getvalue()


def earlier_rows_csv(forms: Iterable[Form]) -> str:
    """For dbt, which row of which form each row of a form goes on, itself included."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["form_version", "indicator_code", "earlier_form_version", "earlier_indicator_code"])
    for form in forms:
        writer.writerows((form.form, *row) for row in form.earlier_rows)
    return out.getvalue()
