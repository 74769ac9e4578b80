"""The relations that rules speak about, laid over Parquet files in the gate's own DuckDB.

Belongs here: views and tables named as in the rules, each with ``reporting_unit``; which files they read.
Does not belong here: rules, verdicts, anything that writes a file.

Raw gate: one view a source (accepted rows of current deliveries of the quarter's folder), ``deliveries``
(receipts), ``expected_deliveries`` (units that report, by role), ``published_texts``. Mart gate: one table a mart of
the candidates, ``published_cells``, and ``figures``: one row a unit, one column a form row or measure. Both:
``decision_use``, which :mod:`expectations.inspection` fills.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from expectations.expression import column_name, quote
from expectations.suites import UNIT, literal
from expectations.texts import lay_published_cells, lay_published_texts

CONTENT = "_content"
FIGURES = "figures"
RULE_INPUTS = "rule_inputs"
# Accepted rows of the register whatever the quarter of its folder: a decision may hold for several quarters.
ALL_DECISIONS = "all_decisions"


class UnitProblems:
    """What keeps a unit's rules from running: everything about it, or one relation."""

    def __init__(self) -> None:
        self._whole: dict[str, str] = {}
        self._relations: dict[tuple[str, str], str] = {}
        self._names: dict[str, frozenset[str]] = {}

    def whole_unit(self, unit: str, reason: str) -> None:
        self._whole[unit] = reason

    def relation(self, unit: str, relation: str, reason: str) -> None:
        self._relations[unit, relation] = reason

    def figures_of(self, unit: str, names: Iterable[str]) -> None:
        """Notes which figures were delivered for a unit, null ones included."""
        self._names[unit] = frozenset(names)

    def of(self, unit: str, relation: str, operands: frozenset[str]) -> str | None:
        """Why a rule on ``relation`` with these operands cannot run for the unit; None where it can."""
        if unit in self._whole:
            return self._whole[unit]
        if (unit, relation) in self._relations:
            return self._relations[unit, relation]
        missing = sorted(operands - self._names.get(unit, frozenset()))
        return f"figures not delivered: {', '.join(missing)}" if missing else None

    def broken_units(self) -> frozenset[str]:
        return frozenset(self._whole)


def lay_raw(
    connection: Any, raw_dir: Path, quarter: str, units: Mapping[str, Iterable[str]], sources: Iterable[str]
) -> UnitProblems:
    """Creates the relations of the raw gate.

    A source without ``schema.parquet`` has no view, so its rules do not run. A lake file that is not readable Parquet
    keeps only its own unit's rules on that source from running.

    Returns:
        What cannot be checked, by reporting unit.
    """
    problems = UnitProblems()
    owners = {code: reporting_unit for reporting_unit, codes in units.items() for code in (reporting_unit, *codes)}
    _lay_units(connection, quarter, units)
    deliveries = raw_dir / "deliveries.parquet"
    connection.execute(
        f"create view all_deliveries as select u.{UNIT}, d.* from read_parquet({literal(str(deliveries))}) as d "
        "join units as u on u.unit_code = d.unit_code where d.is_current"
    )
    connection.execute(f"create view deliveries as select * from all_deliveries where quarter = {literal(quarter)}")
    for source in sources:
        folder = raw_dir / "lake" / f"source={source}"
        files = sorted(folder.glob(f"quarter={quarter}/unit=*/*.parquet"))
        for path in _lay_source(connection, source, folder / "schema.parquet", files):
            unit = owners.get(path.parent.name.removeprefix("unit="))
            if unit is not None:
                problems.relation(unit, source, "a lake file cannot be read")
    register = raw_dir / "lake" / "source=decisions"
    earlier = [path for path in sorted(register.glob("quarter=*/unit=*/*.parquet")) if _quarter_of(path) <= quarter]
    _lay_source(connection, ALL_DECISIONS, register / "schema.parquet", earlier)
    laid = {row[0] for row in connection.execute("select view_name from duckdb_views()").fetchall()}
    with_texts = {source: source for source in sources if source in laid}
    lay_published_texts(connection, with_texts | ({"decisions": ALL_DECISIONS} if ALL_DECISIONS in laid else {}))
    return problems


def lay_marts(
    connection: Any,
    quarter: str,
    candidates: Mapping[str, tuple[Path, str]],
    operands: Iterable[str],
    previous: Iterable[str],
) -> UnitProblems:
    """Creates the relations of the mart gate from candidate folders, each read only where its bytes are as hashed.

    Args:
        candidates: reporting unit -> (candidate folder, sha256 of its ``candidate.json``).
        operands: figures that rules speak about; previous: those of which the previous quarter is asked too.

    Returns:
        What cannot be checked, by unit.
    """
    _lay_units(connection, quarter, {unit: [unit] for unit in candidates})
    problems = UnitProblems()
    files: dict[str, list[tuple[str, Path]]] = {}
    for unit, (folder, expected_hash) in sorted(candidates.items()):
        try:
            marts = _verified_marts(folder, expected_hash)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            problems.whole_unit(unit, f"the candidate is not what was hashed: {type(error).__name__}")
            continue
        for mart, path in marts.items():
            files.setdefault(mart, []).append((unit, path))
    for mart, sources in files.items():
        _lay_mart(connection, mart, sources)
        for unit in set(candidates) - {unit for unit, _ in sources} - problems.broken_units():
            problems.relation(unit, mart, f"the candidate holds no mart {mart}")
            if mart == RULE_INPUTS:
                problems.relation(unit, FIGURES, f"the candidate holds no mart {mart}")
    lay_published_cells(connection, files)
    if RULE_INPUTS in files:
        _lay_figures(connection, quarter, sorted(set(operands)), sorted(set(previous)))
        for unit, names in connection.execute(
            f"select {UNIT}, list(distinct name) from {RULE_INPUTS} where name is not null group by {UNIT}"
        ).fetchall():
            problems.figures_of(unit, names)
    return problems


def _lay_units(connection: Any, quarter: str, units: Mapping[str, Iterable[str]]) -> None:
    connection.execute("create table run (quarter varchar)")
    connection.execute("insert into run values (?)", [quarter])
    connection.execute(f"create table units ({UNIT} varchar, unit_code varchar)")
    connection.execute(f"create table expected_deliveries ({UNIT} varchar, unit_code varchar, role varchar)")
    for reporting_unit, codes in sorted(units.items()):
        members = sorted({reporting_unit, *codes})
        connection.executemany("insert into units values (?, ?)", [[reporting_unit, code] for code in members])
        others = [code for code in members if code != reporting_unit]
        # A commune that reports for itself owes what communes owe and what the reporting unit owes.
        roles = [("district", reporting_unit), *(("commune", code) for code in others or [reporting_unit])]
        connection.executemany(
            "insert into expected_deliveries values (?, ?, ?)", [[reporting_unit, code, role] for role, code in roles]
        )


def _quarter_of(path: Path) -> str:
    return path.parent.parent.name.removeprefix("quarter=")


def _lay_source(connection: Any, view: str, schema: Path, files: list[Path]) -> list[Path]:
    """Creates a source's view over the files that can be read; returns those that cannot."""
    if not schema.exists():
        return []
    unreadable = [path for path in files if not _is_parquet(path)]
    readable = (schema, *(path for path in files if path not in unreadable))
    connection.execute(_source_view(connection, view, ", ".join(literal(str(path)) for path in readable)))
    return unreadable


def _is_parquet(path: Path) -> bool:
    """Whether a file begins and ends as Parquet does; a file that was cut short does not."""
    with path.open("rb") as file:
        head = file.read(4)
        if file.seek(0, 2) < 12:
            return False
        file.seek(-4, 2)
        return head == b"PAR1" == file.read(4)


def _source_view(connection: Any, view: str, paths: str) -> str:
    # The row as text stands for its content when two deliveries are compared; lineage is left out of it.
    read = f"read_parquet([{paths}], union_by_name = true, hive_partitioning = false)"
    names = [row[0] for row in connection.execute(f"describe select * from {read}").fetchall()]
    content = ", ".join(f"lake.{quote(name)}" for name in names if not name.startswith("_"))
    return (
        f"create view {quote(view)} as select d.{UNIT}, d.delivered_at as _delivered_at, lake.*, "
        f"md5(cast(row({content}) as varchar)) as {CONTENT} "
        f"from {read} as lake join all_deliveries as d on d.delivery_id = lake._delivery_id"
    )


def _verified_marts(folder: Path, expected_hash: str) -> dict[str, Path]:
    """Mart files of a candidate; raises ``ValueError`` where a file is not the one its manifest names."""
    manifest = (folder / "candidate.json").read_bytes()
    if hashlib.sha256(manifest).hexdigest() != expected_hash:
        raise ValueError("candidate.json has another hash")
    marts = {}
    for mart, entry in json.loads(manifest)["marts"].items():
        path = folder / "marts" / f"{mart}.parquet"
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != entry["sha256"]:
                raise ValueError(f"{mart} has another hash")
        marts[mart] = path
    return marts


def _lay_mart(connection: Any, mart: str, sources: list[tuple[str, Path]]) -> None:
    """One table of all candidates' rows; a row belongs to the candidate it lies in, whatever unit it names."""
    owners = f"owners_of_{mart}"
    connection.execute(f"create table {quote(owners)} ({UNIT} varchar, path varchar)")
    connection.executemany(f"insert into {quote(owners)} values (?, ?)", [[unit, str(path)] for unit, path in sources])
    paths = ", ".join(literal(str(path)) for _, path in sources)
    connection.execute(
        f"create table {quote(mart)} as select o.{UNIT}, m.* exclude (gate_path) "
        f"from read_parquet([{paths}], union_by_name = true, hive_partitioning = false, filename = 'gate_path') as m "
        f"join {quote(owners)} as o on o.path = m.gate_path"
    )


def _lay_figures(connection: Any, quarter: str, operands: list[str], previous: list[str]) -> None:
    """One row a unit. A figure that no candidate knows gets no column, so a rule about it does not run."""
    known = {row[0] for row in connection.execute(f"select distinct name from {RULE_INPUTS}").fetchall()}
    names = ", ".join(literal(name) for name in operands if name in known)
    # A pivot looks at each row once; a filtered aggregate a column would look at it once a column.
    current = (
        f"pivot (select {UNIT}, name, value from {RULE_INPUTS}) on name in ({names}) using max(value) group by {UNIT}"
        if names
        else f"select distinct {UNIT} from {RULE_INPUTS}"
    )
    connection.execute(f"create table current_figures as from ({current})")
    # The year's first quarter has no earlier one to be compared with.
    comparable = "false" if quarter.endswith("Q1") else "true"
    earlier = "".join(
        f", max(previous_quarter_value) filter (where indicator_code = {literal(code)} and {comparable}) "
        f"as {quote(column_name(code, previous=True))}"
        for code in previous
    )
    connection.execute(
        f"create table {FIGURES} as select c.*{' , p.* exclude (' + UNIT + ')' if previous else ''} "
        f"from current_figures as c left join (select {UNIT}{earlier} from report_indicators group by {UNIT}) as p "
        f"on p.{UNIT} = c.{UNIT}"
    )
