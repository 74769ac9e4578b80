"""Source contracts: what a source's columns are, how they may be headed, and what a row must satisfy.

Belongs here: loading and checking ``sources/<source>/contract.yaml``, and the Arrow schema that follows from it.
Does not belong here: reading files, parsing values, indicators.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field, field_serializer, model_validator

from common.declared import read_yaml
from common.roles import SUPERIOR, Role
from common.validity import holds_on
from expectations import PERSONAL_DATA_VI
from ingestion.text.vietnamese import fold

SOURCES_DIR = Path(__file__).parents[1] / "sources"

ColumnType = Literal[
    "text",
    "code",
    "case_code",
    "procedure_code",
    "integer",
    "decimal",
    "number_or_text",
    "date",
    "datetime",
    "month",
    "quarter",
    "flag",
    "presence",
    "enum",
    "unit",
    "person_key",
]

_NUMBERS = frozenset({"integer", "decimal"})
DAY_TYPES = frozenset({"date", "datetime"})
CALENDAR_TYPES = frozenset({*DAY_TYPES, "month"})
FIGURE_TYPES = frozenset({*_NUMBERS, "number_or_text"})
# Types of which a blank cell is no answer. Of others a blank says that nothing happened (a day) or that there is
# nothing to add (a text, a number), unless the contract tells of which rows the column is asked.
_ANSWERS = frozenset({"flag", "presence", "enum"})
# The shapes of a row rule's check (see docs/contracts.md): for each, which of its parts name columns of which types.
_ANY: frozenset[str] = frozenset()
_CHECKS: dict[frozenset[str], dict[str, frozenset[str]]] = {
    frozenset({"earliest", "latest"}): {"earliest": DAY_TYPES, "latest": DAY_TYPES},
    frozenset({"when", "any_present"}): {"when": frozenset({"enum"}), "any_present": _ANY},
    frozenset({"when_present", "any_present"}): {"when_present": _ANY, "any_present": _ANY},
    frozenset({"case_code_date", "equals"}): {"case_code_date": frozenset({"case_code"}), "equals": DAY_TYPES},
    frozenset({"text", "holds"}): {"text": frozenset({"text"})},
    frozenset({"text", "lacks"}): {"text": frozenset({"text"})},
    frozenset({"text", "tells"}): {"text": frozenset({"text"})},
}
DECIMAL = pa.decimal128(18, 4)
_ARROW: dict[str, pa.DataType] = {
    "text": pa.string(),
    "code": pa.string(),
    "case_code": pa.string(),
    "procedure_code": pa.string(),
    "enum": pa.string(),
    "unit": pa.string(),
    "person_key": pa.string(),
    "quarter": pa.string(),
    "integer": pa.int64(),
    "decimal": DECIMAL,
    "date": pa.date32(),
    "month": pa.date32(),
    "datetime": pa.timestamp("us"),
    "flag": pa.bool_(),
    "presence": pa.bool_(),
}

LINEAGE_FIELDS = [
    pa.field("_delivery_id", pa.string()),
    pa.field("_source", pa.string()),
    pa.field("_unit_code", pa.string()),
    pa.field("_quarter", pa.string()),
    pa.field("_file_name", pa.string()),
    pa.field("_file_sha256", pa.string()),
    pa.field("_sheet", pa.string()),
    pa.field("_row", pa.int64()),
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PersonKey(_Strict):
    """How a person is keyed: by ``code`` where given, else by a keyed hash of the ``hashed`` columns.

    Without a ``code`` column the key is of the ``hashed`` columns alone, and blank where they do not tell a person.
    """

    code: str | None = None
    hashed: list[str]

    @property
    def columns(self) -> list[str]:
        """Everything the key is made of."""
        return [self.code, *self.hashed] if self.code is not None else self.hashed


class ResolvedFrom(_Strict):
    """From which name, and on which day, a procedure code is found in the catalogue where the code itself is blank."""

    name: str
    day: str


class AskedWhere(_Strict):
    """Of which rows a column is asked: those with one of the values in each column of ``when`` (enums) and a value in
    each of ``when_present``.
    """

    when: dict[str, list[str]] = Field(default_factory=dict)
    when_present: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _check(self) -> AskedWhere:
        if not self.when and not self.when_present:
            raise ValueError("asked_where names no rows: it needs when or when_present")
        return self


class Column(_Strict):
    """One column of a source, with the headings under which offices deliver it."""

    name: str
    title_vi: str
    type: ColumnType
    description: str
    aliases: list[str] = Field(default_factory=list)
    #: Headings of adjacent columns, a list a part, in which offices deliver the column's text in parts.
    parts: list[list[str]] = Field(default_factory=list, exclude_if=lambda parts: not parts)
    required: bool = False
    transient: bool = False
    from_title_block: bool = False
    not_after: Literal["closing"] | None = None
    minimum: int | None = None
    maximum: int | None = None
    labels: dict[str, list[str]] = Field(default_factory=dict)
    default: str | None = None
    asked_where: AskedWhere | None = None
    example: str | None = None
    # What is meant, for whoever fills it in. Nothing is read by it, so that a better word has no delivery read again.
    help_vi: str = Field(default="", exclude=True)
    #: From a closing day on, by which label a value is offered, or (blank) that it is not. Every label is still read.
    offered_from: dict[dt.date, dict[str, str]] = Field(default_factory=dict, exclude=True)
    #: Whether a file without the column is told of: not where an office may keep such figures elsewhere.
    told_when_absent: bool = Field(default=True, exclude=True)
    derived_from: PersonKey | None = None
    resolved_from: ResolvedFrom | None = None
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None

    def offered(self, on: dt.date | None = None) -> dict[str, str]:
        """How each value of an enum is offered to somebody who reports as of a closing day, in order."""
        found = {
            value: next((x for x in labels if not x.isdigit()), labels[0]) for value, labels in self.labels.items()
        }
        for day, changed in sorted(self.offered_from.items()):
            if on is not None and day <= on:
                found |= changed
        return {value: label for value, label in found.items() if label}

    @model_validator(mode="after")
    def _check(self) -> Column:
        if (self.type == "enum") != bool(self.labels):
            raise ValueError(f"column {self.name}: labels go with type enum, and only with it")
        if not self.aliases and self.derived_from is None:
            raise ValueError(f"column {self.name}: no alias")
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.name):
            raise ValueError(f"column {self.name}: a name has small letters, digits and underscores")
        _check_distinct(f"column {self.name}: label", self.labels)
        for value, label in ((v, text) for offered in self.offered_from.values() for v, text in offered.items()):
            if value not in self.labels or (label and label not in self.labels[value]):
                raise ValueError(f"column {self.name}: offered_from: {label or value} is no label of {value}")
        if self.default is not None and self.labels and self.default not in self.labels:
            raise ValueError(f"column {self.name}: the default is no label")
        if self.parts and self.type != "text":
            raise ValueError(f"column {self.name}: only a text is delivered in parts")
        if self.type not in _NUMBERS and not self.minimum is self.maximum is None:
            raise ValueError(f"column {self.name}: bounds go with numbers")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"column {self.name}: minimum above maximum")
        if self.not_after is not None and self.type not in DAY_TYPES:
            raise ValueError(f"column {self.name}: not_after goes with dates")
        if self.from_title_block and self.type != "unit":
            raise ValueError(f"column {self.name}: only a unit stands in the title block")
        if self.valid_from is not None and self.valid_to is not None and self.valid_to < self.valid_from:
            raise ValueError(f"column {self.name}: valid_to before valid_from")
        return self

    @property
    def is_absent_when_blank(self) -> bool:
        """Whether a file without a filled cell in the column, though rows ask for one, is a file without the column."""
        return self.default is None and (self.type in _ANSWERS or self.asked_where is not None)

    def asked_on(self, day: dt.date) -> bool:
        """Whether the column is asked of a period that closes on the day."""
        return holds_on(day, self.valid_from, self.valid_to)

    def overlaps(self, other: Column) -> bool:
        """Whether there is a day on which both columns are valid."""
        first = max(self.valid_from or dt.date.min, other.valid_from or dt.date.min)
        return first <= min(self.valid_to or dt.date.max, other.valid_to or dt.date.max)


def _check_distinct(what: str, groups: Mapping[str, Iterable[str]]) -> None:
    """Raises where a text stands, in any spelling, under two of the groups."""
    owners: dict[str, str] = {}
    for owner, texts in groups.items():
        for text in texts:
            if owners.setdefault(fold(text), owner) != owner:
                raise ValueError(f"{what} {text!r} stands under {owners[fold(text)]} and {owner}")


class RowRule(_Strict):
    """A rule over one row. ``check`` is data; its shapes are documented in ``docs/contracts.md``."""

    id: str
    check: dict[str, Any]
    effect: Literal["reject", "finding"]
    reason_vi: str
    advice_vi: str


class Belonging(_Strict):
    """How a file tells the quarter and unit it belongs to; it is held where at least ``rows`` rows tell another one.

    ``period`` names the columns of which one day lies in the quarter for a row to concern it, ``ended_by`` those
    that say that a row's matter has ended. ``by_unit``: the contract's ``unit_column`` tells the unit; with
    ``own_unit_only`` a commune's folder speaks for the commune alone, and rows of another unit in it are rejected.
    ``outside`` says what becomes of single rows whose day (or month) in a column lies outside the period, ``year_by``
    names the columns (texts or days) of which one speaks of the period's year, or the row is remarked on.
    """

    rows: int = Field(ge=1)
    period: list[str] = Field(default_factory=list)
    ended_by: list[str] = Field(default_factory=list)
    by_unit: bool = False
    own_unit_only: bool = False
    outside: dict[str, Literal["reject", "finding"]] = Field(default_factory=dict)
    year_by: list[str] = Field(default_factory=list)


class ShownOfForm(_Strict):
    """Headings of what a template shows beside each row of the form; nothing below them is read."""

    number: str
    unit: str
    source: str
    previous: str
    evidence: str

    @property
    def headings(self) -> tuple[str, ...]:
        return self.number, self.unit, self.source, self.previous, self.evidence


class FormRowColumns(_Strict):
    """The columns of a row that speaks of a row of the form: its code, its printed name and its figure, the note and
    the evidence that belong to it.

    ``shown``: what a template shows beside. ``printed_sources``: the sources of the form's rows (its column ``source``)
    whose figures are taken as declared where the printed form itself is delivered, without codes; figures of other
    rows are set apart. Where it is empty, the printed form is no delivery.
    """

    code: str
    name: str
    value: str
    note: str
    evidence: str
    shown: ShownOfForm
    printed_sources: list[str] = Field(default_factory=list)


class FigureOfForm(_Strict):
    """The columns of a row that gives a figure of a row of the form which it names by code, or by printed name and
    number: the code is found from them where it is blank.

    ``numerator`` and ``denominator``: the parts by which a ratio is given; without these columns it is a figure like
    any other.
    """

    code: str
    name: str
    number: str
    value: str
    numerator: str | None = Field(default=None, exclude_if=lambda column: column is None)
    denominator: str | None = Field(default=None, exclude_if=lambda column: column is None)

    @property
    def parts(self) -> tuple[str, str] | None:
        """The columns of a ratio's parts, where there are any."""
        return (self.numerator, self.denominator) if self.numerator and self.denominator else None


class Totals(_Strict):
    """Columns whose sums a file's total rows may state, and what a sum that differs leads to.

    ``split_by`` names the columns whose values split rows into kinds, some of which may be parts of others; a total
    may be of some kinds only. ``effect``: the file is refused, or taken with a remark.
    """

    columns: list[str] = Field(min_length=1)
    split_by: list[str] = Field(default_factory=list)
    effect: Literal["refuse", "finding"]


class Duplicates(_Strict):
    """What becomes of a later row of a file with the key of an earlier one: with the same content, or with another."""

    same_content: Literal["reject", "finding"]
    other_content: Literal["reject", "finding"]


class Prose(_Strict):
    """How the source may be delivered as running text: headings on lines of their own, with paragraphs below.

    ``heading`` is the enum column whose labels head the paragraphs, ``number`` counts them within their heading and
    ``text`` takes them. ``groups`` head nothing but further headings, ``ends`` begin what is no part of the text
    (signatures), ``complete`` says in brackets that the text ends here, ``hints`` tell the clerk what belongs where.
    """

    heading: str
    number: str
    text: str
    groups: list[str] = Field(default_factory=list)
    ends: list[str] = Field(default_factory=list)
    complete: str
    hints: dict[str, str]


class Contract(_Strict):
    """The contract of one source."""

    source: str
    version: int
    title_vi: str
    description: str
    owner: str
    # Roles of units on the closing day (``common.roles``): whose folders may hold the source, and who owes it.
    delivered_by: list[Role]
    required_from: list[Role]
    key: list[str]
    depends_on: list[str] = Field(default_factory=list)
    unit_column: str | None = None
    duplicates: Duplicates
    # Whether a template brings the rows of the period before, to be brought up to date. Nothing is read by it.
    carried_over: bool = Field(default=False, exclude=True)
    belonging: Belonging | None = None
    counted_as: list[str] = Field(default_factory=list)
    totals: Totals | None = None
    form_row: FormRowColumns | None = None
    # Left out where there is none, so that what is kept of other contracts' readings stays comparable.
    figure_of_form: FigureOfForm | None = Field(default=None, exclude_if=lambda figure: figure is None)
    columns: list[Column]
    any_of: list[list[str]] = Field(default_factory=list)
    personal: list[str] = Field(default_factory=list)
    ignored: list[str] = Field(default_factory=list)
    row_rules: list[RowRule] = Field(default_factory=list)
    #: Where a longer period (a half-year, a year) has the source from: the folders of its quarters, or its own alone.
    # Left out of what is hashed: how a file is read does not depend on it.
    longer_periods: Literal["parts", "own"] = Field(default="parts", exclude=True)
    #: Whether rows may name the unit that was before the one that reports: a case keeps the name of who received it.
    # Left out of what is hashed: the names that are taken over are part of the context.
    names_units_before: bool = Field(default=False, exclude=True)
    # Left out where there is none, so that what is kept of other contracts' readings stays comparable.
    prose: Prose | None = Field(default=None, exclude_if=lambda prose: prose is None)
    #: Whether rows name departments of the unit's own register of units, and neither it nor units that report.
    names_departments: bool = Field(default=False, exclude_if=lambda flag: not flag)
    #: Columns that somebody else fills in: a row with its key and none of them is not filled in yet, and no data.
    left_open: list[str] = Field(default_factory=list, exclude_if=lambda columns: not columns)

    @field_serializer("delivered_by")
    def _who_else_delivers(self, roles: list[Role]) -> list[Role]:
        """How the file of one unit is read does not depend on whether a superior may deliver the source as well: what
        is kept of other readings stays comparable.
        """
        return [role for role in roles if role != SUPERIOR] or roles

    @model_validator(mode="after")
    def _check(self) -> Contract:
        names = [c.name for c in self.columns]
        if len(set(names)) != len(names):
            raise ValueError(f"{self.source}: a column is declared twice")
        if not self.key:
            raise ValueError(f"{self.source}: no key")
        if extra := set(self.required_from) - set(self.delivered_by):
            raise ValueError(f"{self.source}: required from {sorted(extra)}, which do not deliver it")
        self._check_headings()
        for name in [*self.key, *(n for group in self.any_of for n in group)]:
            self._need("key or any_of", name)
        for name in self.left_open:
            self._need("left_open", name)
        if set(self.left_open) & set(self.key):
            raise ValueError(f"{self.source}: left_open: a row is known by its key before it is filled in")
        if self.unit_column is not None:
            self._need("unit_column", self.unit_column, frozenset({"unit"}))
        for column in self.columns:
            if column.derived_from is not None:
                for name in column.derived_from.columns:
                    self._need(f"{column.name}: derived_from", name)
            if column.asked_where is not None:
                self._check_when(f"{column.name}: asked_where", column.asked_where.when)
                for name in column.asked_where.when_present:
                    self._need(f"{column.name}: asked_where", name)
            if column.resolved_from is not None:
                self._need(f"{column.name}: resolved_from", column.resolved_from.name, frozenset({"text"}))
                self._need(f"{column.name}: resolved_from", column.resolved_from.day, DAY_TYPES)
        if self.totals is not None:
            for name in self.totals.columns:
                self._need("totals", name, _NUMBERS)
            for name in self.totals.split_by:
                self._need("totals", name)
        plan = self.belonging
        if plan is not None:
            if plan.by_unit and self.unit_column is None:
                raise ValueError(f"{self.source}: belonging by unit needs a unit_column")
            if plan.own_unit_only and not plan.by_unit:
                raise ValueError(f"{self.source}: belonging: own_unit_only goes with by_unit")
            for name in [*plan.period, *plan.ended_by, *plan.outside]:
                self._need("belonging", name, CALENDAR_TYPES)
            for name in plan.year_by:
                self._need("belonging", name, frozenset({*DAY_TYPES, "text"}))
        if self.form_row is not None:
            self._need("form_row", self.form_row.code, frozenset({"code"}))
            self._need("form_row", self.form_row.name, frozenset({"text"}))
            self._need("form_row", self.form_row.value, frozenset({"number_or_text"}))
            for name in (self.form_row.note, self.form_row.evidence):
                self._need("form_row", name, frozenset({"text"}))
        if (figure := self.figure_of_form) is not None:
            self._need("figure_of_form", figure.code, frozenset({"code"}))
            for name in (figure.name, figure.number):
                self._need("figure_of_form", name, frozenset({"text"}))
            self._need("figure_of_form", figure.value, frozenset({"number_or_text"}))
            if (figure.numerator is None) != (figure.denominator is None):
                raise ValueError(f"{self.source}: figure_of_form: a ratio has two parts, or none is asked for")
            for name in figure.parts or ():
                self._need("figure_of_form", name, frozenset({"decimal"}))
        if self.names_departments and (self.unit_column is None or "org_units" not in self.depends_on):
            raise ValueError(f"{self.source}: names_departments needs a unit_column and the register org_units")
        _check_distinct(f"{self.source}: row rule", {str(i): [rule.id] for i, rule in enumerate(self.row_rules)})
        for rule in self.row_rules:
            self._check_rule(rule)
        if self.prose is not None:
            self._check_prose(self.prose)
        return self

    def _need(self, what: str, name: str, types: frozenset[str] = _ANY) -> None:
        """Raises where there is no such column, or it is of none of the types."""
        found = next((c for c in self.columns if c.name == name), None)
        if found is None:
            raise ValueError(f"{self.source}: {what}: {name} is not a column")
        if types and found.type not in types:
            raise ValueError(f"{self.source}: {what}: {name} is of type {found.type}, not {', '.join(sorted(types))}")

    def _check_headings(self) -> None:
        """A heading that may mean two things would make every file that has it unreadable, or misread."""
        for i, column in enumerate(self.columns):
            for other in self.columns[i + 1 :]:
                if column.overlaps(other):
                    _check_distinct(f"{self.source}: alias", {column.name: column.aliases, other.name: other.aliases})
            _check_distinct(
                f"{self.source}: heading",
                {column.name: column.aliases, "personal": self.personal, "ignored": self.ignored},
            )

    def _check_rule(self, rule: RowRule) -> None:
        parts = _CHECKS.get(frozenset(rule.check))
        if parts is None:
            raise ValueError(f"{self.source}: row rule {rule.id}: unknown check {rule.check}")
        for part, types in parts.items():
            named = rule.check[part]
            for name in [named] if isinstance(named, str) else named:
                self._need(f"row rule {rule.id}", name, types)
        self._check_when(f"row rule {rule.id}", rule.check.get("when", {}))
        if (kind := rule.check.get("tells")) is not None and kind not in PERSONAL_DATA_VI:
            raise ValueError(f"{self.source}: row rule {rule.id}: {kind} is no kind of personal data")
        pattern = rule.check.get("holds", rule.check.get("lacks"))
        if pattern is not None:
            pc.match_substring_regex(pa.array([""]), pattern)  # raises ArrowInvalid, a ValueError, where it is none

    def _check_when(self, what: str, conditions: dict[str, list[str]]) -> None:
        """Raises where a condition is not about labels of an enum."""
        for name, values in conditions.items():
            self._need(what, name, frozenset({"enum"}))
            if unknown := set(values) - set(self.column(name).labels):
                raise ValueError(f"{self.source}: {what}: {sorted(unknown)} are no labels of {name}")

    def _check_prose(self, prose: Prose) -> None:
        types = {c.name: c.type for c in self.columns if c.required}
        if [types.get(name) for name in (prose.heading, prose.number, prose.text)] != ["enum", "integer", "text"]:
            raise ValueError(f"{self.source}: prose needs a required heading (enum), number (integer) and text")
        if set(prose.hints) != set(self.column(prose.heading).labels):
            raise ValueError(f"{self.source}: prose needs one hint for each label of {prose.heading}")

    @property
    def names_units(self) -> bool:
        """Whether rows name units, so that who they are matters to how a file is read."""
        return any(column.type == "unit" for column in self.columns)

    def as_of(self, day: dt.date) -> Contract:
        """The contract as it is asked of a period that closes on the day: what is not asked then, nobody owes.

        Columns that are not asked stay, since the table of a source is the same in every period; they are blank.
        """
        if all(column.asked_on(day) for column in self.columns):
            return self
        columns = [c if c.asked_on(day) else c.model_copy(update={"required": False}) for c in self.columns]
        return self.model_copy(update={"columns": columns})

    @property
    def is_of_superiors(self) -> bool:
        """Whether only units above those that report deliver it: the warehouse then knows nothing of it."""
        return self.delivered_by == [SUPERIOR]

    @property
    def speaks_of_the_form(self) -> bool:
        """Whether its rows are read by the form in force."""
        return self.form_row is not None or self.figure_of_form is not None

    @property
    def is_register(self) -> bool:
        """Whether each row tells from when on it holds, so that the file is of no single period."""
        return "valid_from" in self.key

    def column(self, name: str) -> Column:
        return next(c for c in self.columns if c.name == name)

    def lake_columns(self) -> list[Column]:
        """The columns that reach the lake, in contract order."""
        return [c for c in self.columns if not c.transient]

    def arrow_schema(self) -> pa.Schema:
        """Schema of the source's lake files: lineage fields, then the contract's columns."""
        fields = list(LINEAGE_FIELDS)
        for column in self.lake_columns():
            if column.type == "number_or_text":
                fields += [pa.field(column.name, DECIMAL), pa.field(f"{column.name}_text", pa.string())]
            else:
                fields.append(pa.field(column.name, _ARROW[column.type]))
        return pa.schema(fields)


def load_contract(path: Path) -> Contract:
    """Reads one contract; raises ``pydantic.ValidationError`` or ``ValueError`` where it is wrong."""
    contract = Contract.model_validate(read_yaml(path))
    if contract.source != path.parent.name:
        raise ValueError(f"{path}: source {contract.source!r} is not the folder's name")
    return contract


def columns_csv(contracts: Mapping[str, Contract]) -> str:
    """Every column of the contracts as CSV text, for those who need its title but not the contract:
    ``source,source_title_vi,column_name,title_vi,is_required`` (``true`` or ``false``).
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["source", "source_title_vi", "column_name", "title_vi", "is_required"])
    for source, contract in sorted(contracts.items()):
        writer.writerows(
            [source, contract.title_vi, c.name, c.title_vi, str(c.required).lower()] for c in contract.columns
        )
    return text.getvalue()


@lru_cache(maxsize=4)
def load_contracts(directory: Path = SOURCES_DIR) -> dict[str, Contract]:
    """All contracts by source name, found by scanning ``directory``; nothing is registered by hand.

    Raises ``ValueError`` where one depends on a source that is not there, or sources depend on each other in a circle
    (``graphlib.CycleError``, which is one).
    """
    contracts = {p.parent.name: load_contract(p) for p in sorted(directory.glob("*/contract.yaml"))}
    for contract in contracts.values():
        for name in contract.depends_on:
            if name not in contracts:
                raise ValueError(f"{contract.source}: depends_on: there is no source {name}")
    TopologicalSorter({name: contract.depends_on for name, contract in contracts.items()}).prepare()
    return contracts
