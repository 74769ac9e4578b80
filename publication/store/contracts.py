"""What programs may rely on: the stored contract of every published table, and what a change of it costs.

Belongs here: the shape of a contract, the stored copy ``contracts.json``, which change asks for which version, and
whether tables keep their contract. Does not belong here: where contracts are declared (dbt's models and
``own_tables.yml``) and how the stored copy is refreshed (``orchestration.generated``).

Versions are semantic, one a table. Major: a program that reads the table may break (a column gone or of another type,
another key, other values of a closed list, blanks where there were none). Minor: a column more, or a promise more.
Patch: what a column means was said differently.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from common.files import readable_json

CONTRACTS_PATH = Path(__file__).with_name("contracts.json")
OWN_TABLES_PATH = Path(__file__).with_name("own_tables.yml")
FIRST_VERSION = "1.0.0"

Bump = Literal["major", "minor", "patch"]
#: Who makes a table: dbt exports it, publication writes it as a mart or as a file of ``quality/``, or it stands beside
#: the index and tells of all releases.
Origin = Literal["dbt", "publication", "index"]
_BUMPS: tuple[Bump, ...] = ("major", "minor", "patch")
_VERSION = r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
_ARROW_TYPES: dict[pa.DataType, str] = {
    pa.string(): "varchar",
    pa.large_string(): "varchar",
    pa.int32(): "integer",
    pa.int64(): "bigint",
    pa.bool_(): "boolean",
    pa.date32(): "date",
    pa.timestamp("us"): "timestamp",
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


#: What a column holds whose small counts stay blank: an outcome, only a volume, what follows from such counts, or the
#: place of rows that would tell them.
SmallCounts = Literal["outcome", "volume", "follows", "place"]


class Column(_Strict):
    """One column. ``values`` is set where the list of values is closed; ``unit`` names what a number counts;
    ``small_counts`` where small counts of it are held back (``publication.content.disclosure``)."""

    name: str
    type: str
    required: bool
    description: str
    description_vi: str | None = None
    unit: str | None = None
    unit_vi: str | None = None
    blank_when: str | None = None
    values: tuple[str, ...] | None = None
    small_counts: SmallCounts | None = None


class Contract(_Strict):
    """One table: its columns in order, and those that tell its rows apart in a release (none: a list of remarks)."""

    version: str = Field(pattern=f"^{_VERSION}$")
    origin: Origin
    description: str
    description_vi: str | None = None
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def by_name(self) -> dict[str, Column]:
        """Columns by name, in order."""
        return {column.name: column for column in self.columns}


@dataclass(frozen=True)
class ContractChange:
    """One difference between two contracts of a table, and the part of the version that it moves."""

    bump: Bump
    message: str


def parse_contracts(data: bytes) -> dict[str, Contract]:
    """Contracts by table from the bytes of ``contracts.json``. Raises ValueError where they are not that."""
    return {name: Contract.model_validate(entry) for name, entry in json.loads(data).items()}


def contracts_json(contracts: Mapping[str, Contract]) -> bytes:
    """The bytes of ``contracts.json``; equal contracts are equal bytes."""
    dumped = {name: contract.model_dump(mode="json", exclude_none=True) for name, contract in contracts.items()}
    return readable_json(dumped)


@lru_cache(maxsize=1)
def stored_contracts() -> dict[str, Contract]:
    """The contracts that this version of the code promises, by table."""
    return parse_contracts(CONTRACTS_PATH.read_bytes())


def contract_changes(old: Contract, new: Contract) -> list[ContractChange]:
    """Every difference that a reader of the table may notice, the gravest first."""
    found = [*_table_changes(old, new), *_column_changes(old, new)]
    return sorted(found, key=lambda change: (_BUMPS.index(change.bump), change.message))


def _table_changes(old: Contract, new: Contract) -> Iterator[ContractChange]:
    if old.key != new.key:
        yield ContractChange("major", f"key was {', '.join(old.key)}, is {', '.join(new.key)}")
    kept = [name for name in new.by_name if name in old.by_name]
    if kept != [name for name in old.by_name if name in new.by_name]:
        yield ContractChange("minor", "columns stand in another order")
    if old.description != new.description:
        yield ContractChange("patch", "what the table holds is said differently")


def _column_changes(old: Contract, new: Contract) -> Iterator[ContractChange]:
    for name in old.by_name.keys() - new.by_name.keys():
        yield ContractChange("major", f"column {name} is gone (or has another name)")
    for name in new.by_name.keys() - old.by_name.keys():
        yield ContractChange("minor", f"column {name} is new")
    for name in old.by_name.keys() & new.by_name.keys():
        yield from _changes_of_column(old.by_name[name], new.by_name[name])


def _changes_of_column(old: Column, new: Column) -> Iterator[ContractChange]:
    name = old.name
    if old.type != new.type:
        yield ContractChange("major", f"column {name} was {old.type}, is {new.type}")
    if old.unit is not None and old.unit != new.unit:
        yield ContractChange("major", f"column {name} counted {old.unit}, counts {new.unit or 'nothing'}")
    if old.required and not new.required:
        yield ContractChange("major", f"column {name} may be blank now")
    if new.required and not old.required:
        yield ContractChange("minor", f"column {name} is never blank now")
    if old.values is None and new.values is not None:
        yield ContractChange("minor", f"column {name} has a closed list of values now")
    elif set(old.values or ()) != set(new.values or ()):
        yield ContractChange("major", f"column {name} has other values: {_difference(old, new)}")
    if old.unit is None and new.unit is not None:
        yield ContractChange("patch", f"column {name} says that it counts {new.unit}")
    if (old.description, old.blank_when) != (new.description, new.blank_when):
        yield ContractChange("patch", f"the meaning of column {name} is said differently")


def _difference(old: Column, new: Column) -> str:
    before, after = set(old.values or ()), set(new.values or ())
    gone, come = sorted(before - after), sorted(after - before)
    return ", ".join([*(f"-{value}" for value in gone), *(f"+{value}" for value in come)])


def version_faults(old: Mapping[str, Contract], new: Mapping[str, Contract]) -> list[str]:
    """What is wrong with the versions of ``new`` as successors of ``old``; empty where every change has its version.

    A table that is gone is always a fault: whoever takes one away says so by name.
    """
    faults = [f"{name}: the table is gone" for name in sorted(old.keys() - new.keys())]
    for name in sorted(old.keys() & new.keys()):
        changes = contract_changes(old[name], new[name])
        least = least_version(old[name].version, changes[0].bump if changes else None)
        if _parts(new[name].version) < _parts(least):
            said = "; ".join(f"{change.message} ({change.bump})" for change in changes) or "the version went back"
            faults.append(f"{name}: needs version {least} or later, has {new[name].version}: {said}")
    return faults


def least_version(version: str, bump: Bump | None) -> str:
    """The least version that may follow ``version`` after a change of this weight; None: no change."""
    if bump is None:
        return version
    major, minor, patch = _parts(version)
    parts = {"major": (major + 1, 0, 0), "minor": (major, minor + 1, 0), "patch": (major, minor, patch + 1)}[bump]
    return ".".join(map(str, parts))


def _parts(version: str) -> tuple[int, int, int]:
    match = re.fullmatch(_VERSION, version)
    if match is None:
        raise ValueError(f"not a version: {version}")
    return int(match[1]), int(match[2]), int(match[3])


def major(version: str) -> int:
    """The part of a version that moves when programs may break."""
    return _parts(version)[0]


def contract_type(kind: pa.DataType) -> str:
    """The name contracts use for an Arrow type. Raises ValueError for a type that no published table has."""
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if pa.types.is_list(kind):
        return f"{contract_type(kind.value_type)}[]"
    try:
        return _ARROW_TYPES[kind]
    except KeyError:
        raise ValueError(f"no published table has the type {kind}") from None


def contract_breaches(tables: Mapping[str, pa.Schema]) -> list[str]:
    """Where what dbt exported falls short of the stored contracts: a table or column missing, or of another type.

    More columns and more tables are no breach; whoever reads by name does not notice them.
    """
    breaches = []
    for name, contract in stored_contracts().items():
        if contract.origin != "dbt":
            continue
        if name not in tables:
            breaches.append(f"{name}: the table is missing")
            continue
        found = {field.name: contract_type(field.type) for field in tables[name]}
        for column in contract.columns:
            if found.get(column.name) != column.type:
                breaches.append(f"{name}.{column.name}: {found.get(column.name, 'missing')}, not {column.type}")
    return breaches


def table_name(table: str, version: str) -> str:
    """Where rows of all releases stand together, a table is another one from major version 2 on (``staffing_v2``), so
    that SQL written for version 1 never reads changed columns."""
    return table if major(version) < 2 else f"{table}_v{major(version)}"


def contract_versions(tables: Mapping[str, object]) -> dict[str, str]:
    """Versions of the contracts that a release with these marts keeps, by table."""
    return {
        name: contract.version
        for name, contract in stored_contracts().items()
        if contract.origin == "publication" or name in tables
    }
