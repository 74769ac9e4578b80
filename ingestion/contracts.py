"""Source contracts: what a source's columns are, how they may be headed, and what a row must satisfy.

Belongs here: loading and checking ``sources/<source>/contract.yaml``, and the Arrow schema that follows from it.
Does not belong here: reading files, parsing values, indicators.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

SOURCES_DIR = Path(__file__).parent / "sources"

ColumnType = Literal[
    "text", "code", "case_code", "procedure_code", "integer", "decimal", "number_or_text", "date", "datetime",
    "month", "quarter", "flag", "presence", "enum", "unit", "person_key",
]

_DECIMAL = pa.decimal128(18, 4)
_ARROW: dict[str, pa.DataType] = {
    "text": pa.string(), "code": pa.string(), "case_code": pa.string(), "procedure_code": pa.string(),
    "enum": pa.string(), "unit": pa.string(), "person_key": pa.string(), "quarter": pa.string(),
    "integer": pa.int64(), "decimal": _DECIMAL, "date": pa.date32(), "month": pa.date32(),
    "datetime": pa.timestamp("us"), "flag": pa.bool_(), "presence": pa.bool_(),
}

LINEAGE_FIELDS = [
    pa.field("_delivery_id", pa.string()), pa.field("_source", pa.string()), pa.field("_unit_code", pa.string()),
    pa.field("_quarter", pa.string()), pa.field("_file_name", pa.string()), pa.field("_file_sha256", pa.string()),
    pa.field("_sheet", pa.string()), pa.field("_row", pa.int64()),
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


class Column(_Strict):
    """One column of a source, with the headings under which offices deliver it."""

    name: str
    title_vi: str
    type: ColumnType
    description: str
    aliases: list[str] = Field(default_factory=list)
    required: bool = False
    transient: bool = False
    from_title_block: bool = False
    not_after: Literal["closing"] | None = None
    minimum: int | None = None
    maximum: int | None = None
    labels: dict[str, list[str]] = Field(default_factory=dict)
    default: str | None = None
    example: str | None = None
    derived_from: PersonKey | None = None
    resolved_from: ResolvedFrom | None = None
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None

    @model_validator(mode="after")
    def _check(self) -> Column:
        if (self.type == "enum") != bool(self.labels):
            raise ValueError(f"column {self.name}: labels go with type enum, and only with it")
        if not self.aliases and self.derived_from is None:
            raise ValueError(f"column {self.name}: no alias")
        return self


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
    that say that a row's matter has ended. ``by_unit``: the contract's ``unit_column`` tells the unit.
    """

    rows: int = Field(ge=1)
    period: list[str] = Field(default_factory=list)
    ended_by: list[str] = Field(default_factory=list)
    by_unit: bool = False


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
    delivered_by: list[Literal["district", "commune"]]
    required_from: list[Literal["district", "commune"]]
    key: list[str]
    depends_on: list[str] = Field(default_factory=list)
    unit_column: str | None = None
    duplicates: Duplicates
    belonging: Belonging | None = None
    counted_as: list[str] = Field(default_factory=list)
    totals: Totals | None = None
    columns: list[Column]
    any_of: list[list[str]] = Field(default_factory=list)
    personal: list[str] = Field(default_factory=list)
    row_rules: list[RowRule] = Field(default_factory=list)
    # Left out where there is none, so that what is kept of other contracts' readings stays comparable.
    prose: Prose | None = Field(default=None, exclude_if=lambda prose: prose is None)

    @model_validator(mode="after")
    def _check(self) -> Contract:
        names = [c.name for c in self.columns]
        if len(set(names)) != len(names):
            raise ValueError(f"{self.source}: a column is declared twice")
        for name in [*self.key, *(n for group in self.any_of for n in group)]:
            if name not in names:
                raise ValueError(f"{self.source}: {name} is not a column")
        if self.totals is not None:
            for name in [*self.totals.columns, *self.totals.split_by]:
                if name not in names:
                    raise ValueError(f"{self.source}: totals: {name} is not a column")
            for name in self.totals.columns:
                if self.column(name).type not in ("integer", "decimal"):
                    raise ValueError(f"{self.source}: totals: {name} is not a column of numbers")
        plan = self.belonging
        if plan is not None:
            if plan.by_unit and self.unit_column is None:
                raise ValueError(f"{self.source}: belonging by unit needs a unit_column")
            for name in [*plan.period, *plan.ended_by]:
                if name not in names or self.column(name).type not in ("date", "datetime", "month"):
                    raise ValueError(f"{self.source}: belonging: {name} is not a column of dates")
        if self.prose is not None:
            self._check_prose(self.prose)
        return self

    def _check_prose(self, prose: Prose) -> None:
        types = {c.name: c.type for c in self.columns if c.required}
        if [types.get(name) for name in (prose.heading, prose.number, prose.text)] != ["enum", "integer", "text"]:
            raise ValueError(f"{self.source}: prose needs a required heading (enum), number (integer) and text")
        if set(prose.hints) != set(self.column(prose.heading).labels):
            raise ValueError(f"{self.source}: prose needs one hint for each label of {prose.heading}")

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
                fields += [pa.field(column.name, _DECIMAL), pa.field(f"{column.name}_text", pa.string())]
            else:
                fields.append(pa.field(column.name, _ARROW[column.type]))
        return pa.schema(fields)


def load_contract(path: Path) -> Contract:
    """Reads one contract; raises ``pydantic.ValidationError`` or ``ValueError`` where it is wrong."""
    contract = Contract.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    if contract.source != path.parent.name:
        raise ValueError(f"{path}: source {contract.source!r} is not the folder's name")
    return contract


@lru_cache(maxsize=4)
def load_contracts(directory: Path = SOURCES_DIR) -> dict[str, Contract]:
    """All contracts by source name, found by scanning ``directory``; nothing is registered by hand."""
    return {p.parent.name: load_contract(p) for p in sorted(directory.glob("*/contract.yaml"))}
