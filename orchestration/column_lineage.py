"""From which columns a column is made: headings of delivered files, the lake, dbt's models, rows of the form.

Belongs here: reading the compiled SQL, the contracts and the measures' declarations into pairs of columns, and keeping
them beside the parsed project until that changes. Does not belong here: how Dagster shows them (``assets``).

dagster-dbt's own column lineage asks the warehouse for each parent's columns at every run, through an adapter that our
dbt process does not share. The SQL alone tells as much, and changes with the project only.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import logging
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.files import replace_durably
from common.forms import earlier_rows_csv, load_forms, rows_csv
from common.unit_pasts import PAST_COLUMNS
from ingestion import DELIVERIES_SCHEMA, columns_csv, load_contracts
from orchestration.dbt import ensure_manifest, manifest_folder, project_fingerprint, run_apart
from orchestration.locks import one_run_at_a_time
from orchestration.settings import DBT_DIR

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope

_log = logging.getLogger(__name__)

#: A column: the table (``landing/<source>``, ``raw/<source>``, a model's or seed's name), and its name there.
Origin = tuple[str, str]
#: By table and column, the columns that it is made from.
Columns = dict[str, dict[str, list[Origin]]]

ANNEX = "report_annex"
_KEPT = "column_lineage.json"
_DIALECT = "duckdb"
# A file as the compiled SQL reads it: the lake's by the source, others by their own name.
_FILES = re.compile(r"read_(?:parquet|csv)\((?:\[[^\]]*?source=(\w+)/[^\]]*\]|'[^']*/(\w+)\.(?:parquet|csv)')[^()]*\)")
_WORD = re.compile(r"[a-z_][a-z0-9_]*")


def column_lineage() -> Columns:
    """Of every column of the lake, of seeds, models and the form's rows, what it is made from; worked out once for a
    state of the project. Empty, with a line in the log, where that fails: nobody's report waits for it.
    """
    folder = manifest_folder()
    manifest = json.loads(ensure_manifest().read_bytes())
    fingerprint = _fingerprint()
    with one_run_at_a_time(folder / ".column_lineage.lock", "tìm nguồn gốc các cột", _log.info):
        kept = folder / _KEPT
        with suppress(OSError, ValueError, LookupError, TypeError):  # what does not read is worked out anew
            found = json.loads(kept.read_bytes())
            if found["fingerprint"] == fingerprint:
                return _columns(found["columns"])
        try:
            columns = _worked_out(manifest)
        except Exception:  # whatever dbt or the parser of SQL stumbles over
            _log.exception("no column lineage")
            return {}
        replace_durably(kept, json.dumps({"fingerprint": fingerprint, "columns": columns}).encode())
    return _columns(columns)


def _columns(found: Mapping[str, Mapping[str, Iterable[Iterable[str]]]]) -> Columns:
    return {
        table: {column: [(of, name) for of, name in origins] for column, origins in columns.items()}
        for table, columns in found.items()
    }


def _fingerprint() -> str:
    code = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    declared = columns_csv(load_contracts()) + rows_csv(load_forms()) + earlier_rows_csv(load_forms())
    declared += ",".join(PAST_COLUMNS)
    return hashlib.sha256(f"{code}{project_fingerprint()}{declared}".encode()).hexdigest()


def _worked_out(manifest: Mapping[str, Any]) -> Columns:
    with tempfile.TemporaryDirectory(prefix="cchc-columns-") as folder:
        compiled = _compiled(Path(folder))
    return {**of_contracts(), **of_models(manifest, compiled), ANNEX: of_form_rows(manifest)}


def _compiled(folder: Path) -> dict[str, str]:
    """The SQL of each model, compiled in a warehouse of its own. Raises ``DbtError`` where dbt cannot."""
    run_apart(["compile"], folder)
    return {path.stem: path.read_text(encoding="utf-8") for path in (folder / "compiled" / "cchc").rglob("*.sql")}


def of_contracts() -> Columns:
    """The lake's columns from the headings by which offices know them (``landing/<source>``)."""
    found: Columns = {}
    for source, contract in load_contracts().items():
        headings = {column.name: column.title_vi for column in contract.columns}
        made: dict[str, list[Origin]] = {}
        for name in contract.arrow_schema().names:
            column = next((c for c in contract.columns if name in (c.name, f"{c.name}_text")), None)
            read = [] if column is None else [column.name]
            if column is not None and column.resolved_from is not None:
                read.append(column.resolved_from.name)
            if column is not None and column.derived_from is not None:
                read = column.derived_from.columns
            made[name] = [(f"landing/{source}", headings[part]) for part in read if part in headings]
        found[f"raw/{source}"] = made
    return found


def of_models(manifest: Mapping[str, Any], compiled: Mapping[str, str]) -> Columns:
    """Columns of seeds (made from none) and of models, from the columns of what each model reads."""
    tables: dict[str, list[str]] = {key: list(columns) for key, columns in of_contracts().items()}
    written = {
        "form_rows": rows_csv(load_forms()),
        "form_earlier_rows": earlier_rows_csv(load_forms()),
        "source_columns": columns_csv(load_contracts()),
    }
    for name, text in written.items():
        tables[f"raw/{name}"] = next(csv.reader([text.split("\n", 1)[0]]))
    tables["raw/unit_pasts"] = list(PAST_COLUMNS)
    tables["raw/run_scope"] = ["quarter", "unit_code"]
    tables["raw/deliveries"] = DELIVERIES_SCHEMA.names
    found: Columns = {}
    for node in _in_order(manifest):
        name = node["name"]
        if node["resource_type"] == "seed":
            with (DBT_DIR / node["original_file_path"]).open(encoding="utf-8", newline="") as file:
                tables[name] = next(csv.reader(file))
            found[name] = {column: [] for column in tables[name]}
        else:
            found[name] = _of_query(_FILES.sub(_table_of_file, compiled[name]), tables)
            tables[name] = list(found[name])
    return found


def _table_of_file(found: re.Match[str]) -> str:
    return f'"raw/{found[1] or found[2]}"'


def _in_order(manifest: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Seeds and models, each after what it reads."""
    nodes = {key: n for key, n in manifest["nodes"].items() if n["resource_type"] in ("seed", "model")}
    done: set[str] = set()

    def walk(key: str) -> Iterator[Mapping[str, Any]]:
        if key in done or key not in nodes:
            return
        done.add(key)
        for parent in manifest["parent_map"][key]:
            yield from walk(parent)
        yield nodes[key]

    for key in nodes:
        yield from walk(key)


def _of_query(sql: str, tables: Mapping[str, list[str]]) -> dict[str, list[Origin]]:
    """The columns of a query, each with the columns of tables that its expression names, subqueries followed."""
    from sqlglot import exp, parse_one
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import traverse_scope

    tree = parse_one(sql, dialect=_DIALECT)
    for table in tree.find_all(exp.Table):
        table.set("db", None)
        table.set("catalog", None)
    schema: dict[str, object] = {name: dict.fromkeys(columns, "varchar") for name, columns in tables.items()}
    tree = qualify(tree, schema=schema, dialect=_DIALECT, validate_qualify_columns=False)
    scopes = traverse_scope(tree)
    return _Query(scopes).columns_of(scopes[-1])


class _Query:
    """The scopes of one qualified query. Each column of a scope is followed once."""

    def __init__(self, scopes: list[Scope]) -> None:
        self._scopes = {id(scope.expression): scope for scope in scopes}
        self._found: dict[int, dict[str, list[Origin]]] = {}

    def columns_of(self, scope: Scope) -> dict[str, list[Origin]]:
        key = id(scope.expression)
        if key not in self._found:
            self._found[key] = {}  # a recursive query reads itself
            self._found[key] = self._read(scope)
        return self._found[key]

    def _read(self, scope: Scope) -> dict[str, list[Origin]]:
        if scope.set_operation_scopes:
            parts = [self.columns_of(part) for part in scope.set_operation_scopes]
            lists = [list(part.values()) for part in parts]
            return {
                name: sorted({origin for columns in lists if at < len(columns) for origin in columns[at]})
                for at, name in enumerate(parts[0])
            }
        selects: Iterable[exp.Expression] = getattr(scope.expression, "selects", [])
        return {select.alias_or_name: sorted(set(self._origins(select, scope))) for select in selects}

    def _origins(self, expression: exp.Expression, scope: Scope) -> Iterator[Origin]:
        from sqlglot import exp

        for column in expression.find_all(exp.Column):
            inner: Scope | None = self._scopes.get(id(column.parent_select)) or scope
            while inner is not None and column.table not in inner.sources:
                inner = inner.parent
            source = inner.sources[column.table] if inner is not None else None
            if isinstance(source, exp.Table):
                yield source.name, column.name
            elif source is not None:
                yield from self.columns_of(source).get(column.name, [])


def of_form_rows(manifest: Mapping[str, Any]) -> dict[str, list[Origin]]:
    """Each row of the form with the most rows (``dòng 72``) from the columns of the facts that its measures read, and
    from the declared figure where offices declare one.
    """
    measures = _measures(manifest)
    rows = list(csv.DictReader(io.StringIO(rows_csv(load_forms()))))
    widest = max(load_forms(), key=lambda form: len(form.rows)).form
    rows = [row for row in rows if row["form_version"] == widest]
    by_code = {row["indicator_code"]: row for row in rows}

    def origins(row: Mapping[str, str], seen: frozenset[str]) -> set[Origin]:
        found: set[Origin] = set()
        for word in re.findall(r"[\w.]+", " ".join((row["numerator"], row["denominator"], row["derived_from"]))):
            if word in measures:
                found |= measures[word]
            elif word in by_code and word not in seen:
                found |= origins(by_code[word], seen | {word})
        if row["source"] == "declared_returns":
            found.add(("int_declared_figures", "declared_value"))
        return found

    return {f"dòng {row['row_no']}": sorted(origins(row, frozenset({row["indicator_code"]}))) for row in rows}


def _measures(manifest: Mapping[str, Any]) -> dict[str, set[Origin]]:
    """By measure the columns of its fact that its declaration names (as ``macros/measure_columns.sql`` finds them)."""
    models = {node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] == "model"}
    found = {}
    for model in models.values():
        meta = model["config"].get("meta") or {}
        for measure in meta.get("measures", []):
            requires = measure.get("requires") or {}
            parts = (measure.get("filter"), measure.get("column"), measure.get("date"))
            sql = " ".join(filter(None, (*parts, requires.get("among"), requires.get("given"))))
            words = set(_WORD.findall(re.sub(r"'[^']*'", "", sql)))
            found[measure["id"]] = {(meta["fact"], name) for name in models[meta["fact"]]["columns"] if name in words}
    return found


@dataclass(frozen=True)
class Way:
    """From any column back to the headings of delivered files."""

    columns: Columns

    def headings(self, table: str, column: str) -> list[Origin]:
        """The headings (``landing/<source>``, heading) that a column is made from, in order; none where of no file."""
        found: set[Origin] = set()
        waiting, seen = [(table, column)], set()
        while waiting:
            at = waiting.pop()
            if at in seen:
                continue
            seen.add(at)
            if at[0].startswith("landing/"):
                found.add(at)
            waiting += self.columns.get(at[0], {}).get(at[1], [])
        return sorted(found)
