"""The current releases as tables in PostgreSQL, for SQL clients and dashboards. Optional; needs the package psycopg.

Belongs here: the layout of that copy, filling it, replacing one release by the next, words for what went wrong.
Does not belong here: when a release is copied and who is told (``orchestration``). The release folder stays the
original: the copy may be dropped at any time and is filled again from the current releases.

Layout: one schema ``cchc``. Each published mart is one table for all units and quarters, so a province of a hundred
units over ten years stays at a dozen tables; its first column ``release`` (``945/2023-Q1/r2``) says where a row is
from. ``cchc.releases`` has one row a unit and quarter, and every other row hangs on it by a foreign key. From contract
version 2 on a mart is another table (``staffing_v2``), so SQL written for version 1 never reads changed columns.
``cchc.release_history`` and ``cchc.changed_figures`` tell every release there ever was, those that were replaced or
taken back too; they are the tables of that name in ``all.duckdb`` (``collection``) and change in the same transaction.

A release is filled into temporary tables (a schema of this session alone, gone with it), read back and compared; then
one transaction removes the release before and takes these rows in. A reader's statement sees one or the other, in all
tables; a reader of several statements takes ``repeatable read``, as a reader of files reads the pointer once. A crash
at any moment leaves the release before, and nothing else.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, LiteralString

import pyarrow as pa

from common.files import sha256_bytes
from publication.collection import changed_rows, history_rows
from publication.content.release_content import unit_name
from publication.index import entry_of
from publication.store.contracts import Contract, contract_type, stored_contracts, table_name
from publication.store.parquet import from_parquet
from publication.store.pointer import DamagedPointer
from publication.tables.manifest import DamagedManifest, Manifest

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql

    from publication.release import Release

SCHEMA = "cchc"
RELEASES = "releases"
_CONNECT_SECONDS = 10
#: A swap that waits this long for another session's lock gives up; the next run tries again.
_SESSION = "-c lock_timeout=30s -c statement_timeout=600s -c client_min_messages=warning"
_TYPES = {
    "varchar": "text",
    "integer": "integer",
    "bigint": "bigint",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp without time zone",
}
_RELEASE_COLUMNS: Mapping[str, tuple[str, str]] = {
    "release": ("text primary key", "Bản công bố: mã đơn vị, quý và số của bản, ví dụ 945/2023-Q1/r2"),
    "unit_code": ("text not null", "Mã đơn vị báo cáo"),
    "unit_name_vi": ("text not null", "Tên đơn vị báo cáo"),
    "quarter": ("text not null", "Quý báo cáo, dạng 2023-Q1"),
    "release_number": ("integer not null", "Số của bản công bố, từ 1"),
    "manifest_sha256": ("text not null", "Mã băm SHA-256 của tệp manifest.json của bản công bố"),
    "published_at": ("timestamp with time zone", "Thời điểm công bố"),
    "contract_versions": ("jsonb not null", "Phiên bản hợp đồng dữ liệu của từng bảng"),
    # Came later: in a copy from before it is blank, and such a release is copied once more.
    "provisional": ("boolean", "Số liệu tạm thời; để trống là bản chép cũ, chưa rõ"),
}
_SCHEMA_COMMENT = "Số liệu cải cách hành chính: bản sao các bản công bố hiện hành. Chỉ để đọc."
#: Tables of all releases that there ever were, told anew for a unit and period with each of its releases.
_HISTORY = ("release_history", "changed_figures")
_RELEASES_COMMENT = "Các bản công bố hiện hành, mỗi đơn vị và quý một dòng."


_WAS_SHORT = "bản sao trước trong PostgreSQL thiếu bảng hoặc thiếu dòng, đã chép lại từ bản công bố."


class PostgresError(Exception):
    """The copy did not come about; the message says why, in Vietnamese, and holds no password."""


@dataclass(frozen=True)
class PostgresTarget:
    """Where to. ``conninfo`` is a URL or libpq's keywords; ``reader`` a role that gets SELECT and nothing else."""

    conninfo: str = field(repr=False)
    reader: str = "cchc_reader"


@dataclass(frozen=True)
class Copied:
    """What became of one release. ``present``: it was there already; ``superseded``: it is no longer the current one.

    ``note_vi`` tells what an administrator still has to do, or that the copy before was damaged; empty where nothing.
    """

    release: str
    state: Literal["copied", "present", "superseded"]
    tables: int = 0
    rows: int = 0
    note_vi: str = ""


@dataclass(frozen=True)
class _Table:
    """A mart as it is to stand in PostgreSQL."""

    mart: str
    rows: pa.Table
    contract: Contract | None

    @property
    def name(self) -> str:
        return _table_name(self.mart, self.contract)

    @property
    def types(self) -> dict[str, str]:
        return {column.name: _postgres_type(contract_type(column.type)) for column in self.rows.schema}

    @property
    def key(self) -> list[str]:
        key = self.contract.key if self.contract else ()
        return list(key) if set(key) <= set(self.types) else []

    @property
    def comments(self) -> dict[str | None, str]:
        """Vietnamese words by column; None is the table itself."""
        words = _comments(self.contract) if self.contract else {}
        return {column: text for column, text in words.items() if column is None or column in self.types}


@dataclass(frozen=True)
class _Stored:
    """A column as it stands in PostgreSQL, or the table itself, which has a comment only."""

    kind: str
    comment: str | None
    is_required: bool = False


def _table_name(mart: str, contract: Contract | None) -> str:
    return table_name(mart, contract.version) if contract else mart


def _contract_of(mart: str, manifest: Manifest) -> Contract | None:
    """The mart's contract in the version under which the release was made: it keeps the names of that version."""
    contract = stored_contracts().get(mart)
    if contract is None:
        return None
    version = manifest.contract_versions.get(mart, contract.version)
    return contract.model_copy(update={"version": version})


def _comments(contract: Contract) -> dict[str | None, str]:
    words: dict[str | None, str] = {None: contract.description_vi or contract.description}
    for column in contract.columns:
        text = column.description_vi or column.description
        words[column.name] = f"{text} ({column.unit_vi})" if column.unit_vi else text
    return words


def _postgres_type(kind: str) -> str:
    if kind.endswith("[]"):
        return f"{_postgres_type(kind.removesuffix('[]'))}[]"
    if kind.startswith("decimal"):
        return kind.replace("decimal", "numeric", 1)
    return _TYPES[kind]


class PostgresCopy:
    """One session with the server. Use as a context manager. Raises PostgresError where there can be none."""

    def __init__(self, target: PostgresTarget) -> None:
        self._target = target
        self._note_vi = ""
        with _explained_errors(target):
            self._session = _connect(target)

    def __enter__(self) -> PostgresCopy:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def copy(self, release: Release, is_current: Callable[[], bool]) -> Copied:
        """Make this release the one that readers see; where it is so already, only the reader role is looked after.

        ``is_current`` is asked again when no other copy can come between, so a slow writer cannot bring back an older
        release. Raises PostgresError; then the server holds what it held before.
        """
        name = f"{release.unit_code}/{release.quarter}/{release.name}"
        try:
            manifest = release.manifest()
            history = _history(release)
            with _explained_errors(self._target):
                is_known = self._knows(name, release)
                if is_known and self._holds_all(name, manifest) and self._holds_history(release, history):
                    with self._session.transaction():
                        self._let_readers_in()
                    return Copied(name, "present", note_vi=self._note_vi)
                tables = _tables(release, manifest)
                self._fill(tables)
                copied = self._swap(name, release, manifest, tables, history, is_current)
                return replace(copied, note_vi=f"{_WAS_SHORT} {copied.note_vi}".strip()) if is_known else copied
        except (DamagedManifest, DamagedPointer, OSError, pa.ArrowException) as error:
            raise PostgresError(f"không đọc được {name}: {error}") from error

    def _holds_all(self, name: str, manifest: Manifest) -> bool:
        """Whether every table of the release is there with as many rows as its manifest says."""
        for output in manifest.outputs:
            if not output.path.startswith("marts/"):
                continue
            mart = output.path.removeprefix("marts/").removesuffix(".parquet")
            table = _table_name(mart, _contract_of(mart, manifest))
            if self._one("select to_regclass(%s) is null", f"{SCHEMA}.{table}"):
                return False
            query = "select count(*) from {}.{} where release = {}"
            (found,) = self._run(query, _name(SCHEMA), _name(table), _text(name)).fetchone() or (None,)
            if found != output.rows:
                return False
        return True

    def _holds_history(self, release: Release, history: Mapping[str, Sequence[tuple[Any, ...]]]) -> bool:
        """Whether the history of the unit and period stands there as it is told now."""
        found = self._found()
        for table, rows in history.items():
            columns = stored_contracts()[table].by_name
            if not columns.keys() <= found.get(table, {}).keys():
                return False
            query = "select {} from {}.{} where unit_code = {} and quarter = {}"
            place = (_name(SCHEMA), _name(table), _text(release.unit_code), _text(release.quarter))
            if Counter(self._run(query, _names(list(columns)), *place).fetchall()) != Counter(rows):
                return False
        return True

    def _knows(self, name: str, release: Release) -> bool:
        if self._one("select to_regclass(%s) is null", f"{SCHEMA}.{RELEASES}"):
            return False
        stored = self._one(
            f"select manifest_sha256 from {SCHEMA}.{RELEASES} as found "
            "where release = %s and to_jsonb(found) ->> 'provisional' is not null",
            name,
        )
        return bool(stored == release.manifest_sha256)

    def _one(self, query: LiteralString, *values: object) -> Any:
        row = self._session.execute(query, values).fetchone()
        return row[0] if row else None

    # -- aside ------------------------------------------------------------------------------------------------

    def _fill(self, tables: Sequence[_Table]) -> None:
        """The marts as temporary tables, read back and compared row by row."""
        self._session.execute("discard temp")
        for table in tables:
            self._run("create temporary table {} ({})", _name(table.name), _columns(table))
            statement = _sql("copy pg_temp.{} ({}) from stdin", _name(table.name), _names(table.types))
            with self._session.cursor() as cursor, cursor.copy(statement) as copy:
                for row in _rows(table):
                    copy.write_row(row)
            stored = self._run("select {} from pg_temp.{}", _names(table.types), _name(table.name)).fetchall()
            if Counter(map(_comparable, stored)) != Counter(map(_comparable, _rows(table))):
                raise PostgresError(f"bảng {table.name} đọc lại từ PostgreSQL không đúng như đã ghi")

    # -- the swap ---------------------------------------------------------------------------------------------

    def _swap(
        self,
        name: str,
        release: Release,
        manifest: Manifest,
        tables: Sequence[_Table],
        history: Mapping[str, Sequence[tuple[Any, ...]]],
        is_current: Callable[[], bool],
    ) -> Copied:
        with self._session.transaction():
            self._session.execute("select pg_advisory_xact_lock(hashtext(%s))", (SCHEMA,))
            if not is_current():
                return Copied(name, "superseded")
            self._lay_out(tables)
            place = (release.unit_code, release.quarter)
            self._session.execute(f"delete from {SCHEMA}.{RELEASES} where unit_code = %s and quarter = %s", place)
            self._session.execute(
                f"insert into {SCHEMA}.{RELEASES} values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                (
                    name,
                    release.unit_code,
                    _name_of(tables, release.unit_code),
                    release.quarter,
                    release.number,
                    release.manifest_sha256,
                    manifest.published_at,
                    json.dumps(manifest.contract_versions),
                    bool(manifest.provisional_vi),
                ),
            )
            for table in tables:
                self._run(
                    "insert into {}.{} (release, {}) select {}, {} from pg_temp.{}",
                    _name(SCHEMA),
                    _name(table.name),
                    _names(table.types),
                    _text(name),
                    _names(table.types),
                    _name(table.name),
                )
            for table_of_history, rows in history.items():
                self._run(
                    "delete from {}.{} where unit_code = {} and quarter = {}",
                    _name(SCHEMA),
                    _name(table_of_history),
                    _text(release.unit_code),
                    _text(release.quarter),
                )
                columns = _names(list(stored_contracts()[table_of_history].by_name))
                statement = _sql("copy {}.{} ({}) from stdin", _name(SCHEMA), _name(table_of_history), columns)
                with self._session.cursor() as cursor, cursor.copy(statement) as lines:
                    for row in rows:
                        lines.write_row(row)
        self._session.execute("discard temp")
        return Copied(name, "copied", len(tables), sum(table.rows.num_rows for table in tables), self._note_vi)

    def _lay_out(self, tables: Sequence[_Table]) -> None:
        """Create what is missing. Takes no lock that readers feel where nothing is."""
        if self._one("select to_regnamespace(%s) is null", SCHEMA):
            self._run("create schema {}", _name(SCHEMA))
            self._run("comment on schema {} is {}", _name(SCHEMA), _text(_SCHEMA_COMMENT))
        found = self._found()
        if RELEASES not in found:
            self._create_releases()
        for name in _RELEASE_COLUMNS:
            if name not in found.get(RELEASES, _RELEASE_COLUMNS):
                self._add_to_releases(name)
        for name in _HISTORY:
            contract = stored_contracts()[name]
            if name not in found:
                self._create_history(name, contract)
            else:
                self._widen(
                    name, {column.name: _postgres_type(column.type) for column in contract.columns}, found[name]
                )
                self._loosen(name, contract, found[name])
            self._comment(name, _comments(contract), found.get(name, {}))
        for table in tables:
            if table.name not in found:
                self._create(table)
            else:
                self._widen(table.name, table.types, found[table.name])
            self._comment(table.name, table.comments, found.get(table.name, {}))
        self._let_readers_in()

    def _found(self) -> dict[str, dict[str | None, _Stored]]:
        """Each column of each table there is; the table itself under None."""
        rows = self._session.execute(
            """
            select c.relname, a.attname, format_type(a.atttypid, a.atttypmod), col_description(c.oid, a.attnum),
                   attnotnull, obj_description(c.oid)
            from pg_class c join pg_attribute a on a.attrelid = c.oid
            where c.relnamespace = to_regnamespace(%s) and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
            """,
            (SCHEMA,),
        ).fetchall()
        found: dict[str, dict[str | None, _Stored]] = {}
        for table, column, kind, comment, is_required, table_comment in rows:
            found.setdefault(table, {None: _Stored("", table_comment)})[column] = _Stored(kind, comment, is_required)
        return found

    def _create_releases(self) -> None:
        columns = ", ".join(f"{name} {kind}" for name, (kind, _) in _RELEASE_COLUMNS.items())
        self._run("create table {}.{} (" + columns + ", unique (unit_code, quarter))", _name(SCHEMA), _name(RELEASES))
        self._run("comment on table {}.{} is {}", _name(SCHEMA), _name(RELEASES), _text(_RELEASES_COMMENT))
        for name in _RELEASE_COLUMNS:
            self._comment_on_releases(name)

    def _add_to_releases(self, name: str) -> None:
        kind = _sql(_RELEASE_COLUMNS[name][0])
        self._run("alter table {}.{} add column {} {}", _name(SCHEMA), _name(RELEASES), _name(name), kind)
        self._comment_on_releases(name)

    def _comment_on_releases(self, name: str) -> None:
        words = _text(_RELEASE_COLUMNS[name][1])
        self._run("comment on column {}.{}.{} is {}", _name(SCHEMA), _name(RELEASES), _name(name), words)

    def _create_history(self, name: str, contract: Contract) -> None:
        columns = [
            _sql("{} " + _postgres_type(column.type) + " not null" * column.required, _name(column.name))
            for column in contract.columns
        ]
        self._run(
            "create table {}.{} ({}, primary key ({}))",
            _name(SCHEMA),
            _name(name),
            _joined(columns),
            _names(list(contract.key)),
        )
        if "unit_code" not in contract.key:
            self._run("create index on {}.{} (unit_code, quarter)", _name(SCHEMA), _name(name))

    def _create(self, table: _Table) -> None:
        self._run(
            "create table {}.{} (release text not null references {}.{} on delete cascade, {})",
            _name(SCHEMA),
            _name(table.name),
            _name(SCHEMA),
            _name(RELEASES),
            _columns(table),
        )
        # The first also serves the foreign key: a release's rows are found by the name it begins with.
        unique = _sql("unique index") if table.key else _sql("index")
        self._run("create {} on {}.{} ({})", unique, _name(SCHEMA), _name(table.name), _names(["release", *table.key]))
        if {"unit_code", "quarter"} <= set(table.types):
            self._run("create index on {}.{} (quarter, unit_code)", _name(SCHEMA), _name(table.name))
        self._run(
            "comment on column {}.{}.release is {}",
            _name(SCHEMA),
            _name(table.name),
            _text(_RELEASE_COLUMNS["release"][1]),
        )

    def _widen(self, name: str, types: Mapping[str, str], found: Mapping[str | None, _Stored]) -> None:
        """Add columns that came later; rows from before are blank there, whatever the contract says of new ones. Raises
        PostgresError where a column is of another type.
        """
        for column, kind in types.items():
            if column not in found:
                self._run("alter table {}.{} add column {} {}", _name(SCHEMA), _name(name), _name(column), _sql(kind))
            elif found[column].kind != kind:
                raise PostgresError(
                    f"cột {column} của bảng {SCHEMA}.{name} trong PostgreSQL có kiểu "
                    f"{found[column].kind}, cần kiểu {kind}; bảng này không do chương trình tạo ra"
                )

    def _loosen(self, name: str, contract: Contract, found: Mapping[str | None, _Stored]) -> None:
        """Let columns be blank that the contract no longer demands."""
        demanded = {column.name for column in contract.columns if column.required}
        for column, stored in found.items():
            if column is not None and stored.is_required and column not in demanded:
                self._run("alter table {}.{} alter column {} drop not null", _name(SCHEMA), _name(name), _name(column))

    def _comment(self, name: str, comments: Mapping[str | None, str], found: Mapping[str | None, _Stored]) -> None:
        for column, words in comments.items():
            if column in found and found[column].comment == words:
                continue
            if column is None:
                self._run("comment on table {}.{} is {}", _name(SCHEMA), _name(name), _text(words))
            else:
                self._run("comment on column {}.{}.{} is {}", _name(SCHEMA), _name(name), _name(column), _text(words))

    def _let_readers_in(self) -> None:
        """The reader role gets SELECT on what it cannot read yet; it is created where this session may do that."""
        from psycopg import errors

        reader = self._target.reader
        if not self._one("select exists (select from pg_roles where rolname = %s)", reader):
            try:
                with self._session.transaction():
                    self._run("create role {} nologin", _name(reader))
            except errors.InsufficientPrivilege:
                self._note_vi = (
                    f"chưa có vai trò {reader} và tài khoản này không được tạo; "
                    f"người quản trị cần chạy: create role {reader} nologin"
                )
                return
        self._note_vi = ""
        unread = self._session.execute(
            """
            select c.relname from pg_class c
            where c.relnamespace = to_regnamespace(%s) and c.relkind = 'r'
              and not has_table_privilege(%s, c.oid, 'select')
            """,
            (SCHEMA, reader),
        ).fetchall()
        if not self._one("select has_schema_privilege(%s, %s, 'usage')", reader, SCHEMA):
            self._run("grant usage on schema {} to {}", _name(SCHEMA), _name(reader))
        for (table,) in unread:
            self._run("grant select on {}.{} to {}", _name(SCHEMA), _name(table), _name(reader))

    def _run(self, query: LiteralString, *parts: sql.Composable) -> psycopg.Cursor[Any]:
        return self._session.execute(_sql(query, *parts))


def _tables(release: Release, manifest: Manifest) -> list[_Table]:
    """The marts of a release, each checked against the manifest. Raises DamagedManifest."""
    hashes = {output.path: output.sha256 for output in manifest.outputs}
    tables = []
    for path in sorted(name for name in hashes if name.startswith("marts/")):
        data = (release.path / path).read_bytes()
        if sha256_bytes(data) != hashes[path]:
            raise DamagedManifest(f"{path} không còn như khi công bố")
        mart = path.removeprefix("marts/").removesuffix(".parquet")
        tables.append(_Table(mart, from_parquet(data), _contract_of(mart, manifest)))
    return tables


def _history(release: Release) -> dict[str, list[tuple[Any, ...]]]:
    """What the history of the release's unit and period is, as rows of the tables of all releases. Raises
    DamagedPointer, OSError.
    """
    quarter_dir = release.path.parent
    entry = entry_of(quarter_dir)
    if entry is None:
        return {name: [] for name in _HISTORY}
    told = {
        "release_history": history_rows(entry),
        "changed_figures": changed_rows(quarter_dir.parent.parent, entry),
    }
    return {
        name: [tuple(row[c] for c in stored_contracts()[name].by_name) for row in rows] for name, rows in told.items()
    }


def _name_of(tables: Sequence[_Table], unit: str) -> str:
    """The unit's or province's name on the closing day, as the index has it; its code where no table tells one."""
    try:
        return unit_name({table.mart: table.rows for table in tables}, unit)
    except LookupError:
        return unit


def _rows(table: _Table) -> Iterator[tuple[Any, ...]]:
    return zip(*(column.to_pylist() for column in table.rows.columns), strict=True)


def _comparable(row: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(tuple(value) if isinstance(value, list) else value for value in row)


# -- statements -----------------------------------------------------------------------------------------------


def _sql(query: LiteralString, *parts: sql.Composable) -> sql.Composed:
    from psycopg import sql

    return sql.SQL(query).format(*parts)


def _name(name: str) -> sql.Identifier:
    from psycopg import sql

    return sql.Identifier(name)


def _names(names: Sequence[str] | Mapping[str, str]) -> sql.Composed:
    from psycopg import sql

    return sql.SQL(", ").join(map(sql.Identifier, names))


def _joined(parts: Sequence[sql.Composable]) -> sql.Composed:
    from psycopg import sql

    return sql.SQL(", ").join(parts)


def _text(text: str) -> sql.Literal:
    from psycopg import sql

    return sql.Literal(text)


def _columns(table: _Table) -> sql.Composed:
    return _joined([_sql("{} " + kind, _name(column)) for column, kind in table.types.items()])


# -- the session ----------------------------------------------------------------------------------------------


def _connect(target: PostgresTarget) -> psycopg.Connection[Any]:
    try:
        import psycopg
    except ImportError as error:
        raise PostgresError("chưa cài gói psycopg: pip install 'cchc-warehouse[pg]'") from error
    try:
        psycopg.conninfo.conninfo_to_dict(target.conninfo)
    except psycopg.ProgrammingError:
        # The driver's own words quote the address, password and all.
        raise PostgresError(
            "địa chỉ PostgreSQL không đúng khuôn: cần dạng postgresql://tên:mật_khẩu@máy_chủ/cơ_sở_dữ_liệu"
        ) from None
    return psycopg.connect(
        target.conninfo, autocommit=True, connect_timeout=_CONNECT_SECONDS, options=_SESSION, application_name="cchc"
    )


_EXPLAINED = (
    ("password authentication failed", "sai tên hoặc mật khẩu"),
    ("no password supplied", "chưa đặt mật khẩu"),
    ("does not exist", "không có cơ sở dữ liệu hoặc vai trò này"),
    ("no such file or directory", "máy chủ không chạy"),
    ("connection refused", "máy chủ không chạy"),
    ("could not translate host name", "không tìm thấy máy chủ"),
    ("failed to resolve host", "không tìm thấy máy chủ"),
    ("timeout", "máy chủ không trả lời"),
    ("no pg_hba.conf entry", "máy chủ không cho kết nối từ máy này"),
)


@contextmanager
def _explained_errors(target: PostgresTarget) -> Iterator[None]:
    """Turns what the driver raises into words for an administrator, without the password."""
    try:
        yield
    except PostgresError:
        raise
    except Exception as error:
        raise PostgresError(_explain(error, target)) from None


def _explain(error: Exception, target: PostgresTarget) -> str:
    import psycopg
    from psycopg import errors

    if not isinstance(error, psycopg.Error):
        raise error
    detail = " ".join(str(error).split())
    if password := psycopg.conninfo.conninfo_to_dict(target.conninfo).get("password"):
        detail = detail.replace(str(password), "***")
    if isinstance(error, errors.InsufficientPrivilege):
        return f"tài khoản PostgreSQL không đủ quyền ({detail})"
    if isinstance(error, errors.LockNotAvailable):
        return f"PostgreSQL đang bị phiên khác khóa quá lâu ({detail})"
    if isinstance(error, psycopg.OperationalError):
        why = next((words for found, words in _EXPLAINED if found in detail.lower()), "mất kết nối")
        return f"không kết nối được PostgreSQL: {why} ({detail})"
    return f"PostgreSQL báo lỗi ({detail})"
