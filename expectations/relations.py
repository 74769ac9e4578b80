"""The relations that rules speak about, laid over Parquet files in the gate's own DuckDB.

Belongs here: views and tables named as in the rules, each with ``reporting_unit``; which files they read.
Does not belong here: rules, verdicts, anything that writes a file.

Raw gate: one view a source (accepted rows of current deliveries of the quarter's folder), ``deliveries``
(receipts), ``expected_deliveries`` (units that report, by role), ``sent`` (what counts as sent: readable deliveries
and, of a longer period, what was given for each of its quarters), ``parts_held`` (its quarters whose deliveries do not
pass), ``waiting_files`` (delivered, not yet read),
``findings_by_reason`` (rows accepted with a finding, counted by delivery, column and reason), ``remarks`` (what intake
noticed besides), ``volumes`` (rows by unit and source, beside those of its last period), ``longest_validity`` (until
when a decision made in a quarter may hold), ``published_texts``. Mart gate: one table a mart of the candidates,
``published_cells``, and ``figures``: one row a unit, one column a form row or measure. Both: ``decision_use``, which
:mod:`expectations.inspection` fills.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from common.files import sha256_bytes, sha256_file
from common.forms import load_forms
from common.periods import load_periods, period_named, place_of
from common.roles import PART, REPORTING_UNIT, SUPERIOR
from expectations.contract_facts import column_facts
from expectations.expression import column_name, quote
from expectations.suites import COLUMN_TITLES, SHEET_NUMBERS, UNIT, literal
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
    connection: Any,
    raw_dir: Path,
    quarter: str,
    window: tuple[dt.date, dt.date],
    units: Mapping[str, Iterable[str]],
    sources: Iterable[str],
    waiting: Iterable[tuple[str, str, str, str]] = (),
    given_by_parts: Iterable[tuple[str, str]] = (),
    parts_held: Iterable[tuple[str, str, str]] = (),
    own_windows: Mapping[str, tuple[dt.date, dt.date]] | None = None,
    superiors: frozenset[str] = frozenset(),
) -> UnitProblems:
    """Creates the relations of the raw gate.

    A source without ``schema.parquet`` has no view, so its rules do not run. A lake file that is not readable Parquet
    keeps only its own unit's rules on that source from running.

    Args:
        waiting: unit, quarter, source and name of each delivered file that has not been taken in.
        given_by_parts: unit and source of what need not be sent anew for a longer period.
        parts_held: reporting unit, quarter and reason of each of its quarters whose deliveries do not pass.
        own_windows: of reporting units that begin within the quarter the window that is left to them.
        superiors: the units that stand above those that report by a form.

    Returns:
        What cannot be checked, by reporting unit.
    """
    problems = UnitProblems()
    owners = {code: reporting_unit for reporting_unit, codes in units.items() for code in (reporting_unit, *codes)}
    _lay_units(connection, quarter, units, superiors)
    _lay_windows(connection, units, window, own_windows or {})
    _lay_periods(connection)
    _lay_waiting(connection, quarter, owners, waiting)
    connection.execute(f"create table {COLUMN_TITLES} (source varchar, column_name varchar, title_vi varchar)")
    titles = [[facts["source"], facts["column"], facts["title"]] for facts in column_facts().values()]
    connection.executemany(f"insert into {COLUMN_TITLES} values (?, ?, ?)", titles)
    deliveries = raw_dir / "deliveries.parquet"
    connection.execute(
        # Rows that were turned away and have come back mended no longer count as turned away, nor as read twice.
        f"create table all_deliveries as select u.{UNIT}, p.opens_on as _opens_on, p.closes_on as _closes_on, "
        "d.* replace (d.rows_read - d.rows_mended as rows_read, "
        f"d.rows_rejected - d.rows_mended as rows_rejected) from read_parquet({literal(str(deliveries))}) as d "
        f"join units as u on u.unit_code = d.unit_code join period as p on p.{UNIT} = u.{UNIT} where d.is_current"
    )
    connection.execute(f"create view deliveries as select * from all_deliveries where quarter = {literal(quarter)}")
    _lay_sent(connection, owners, given_by_parts, parts_held)
    for source in sources:
        folder = raw_dir / "lake" / f"source={source}"
        files = sorted(folder.glob(f"quarter={quarter}/unit=*/*.parquet"))
        for unit in _units_of(_lay_source(connection, source, folder / "schema.parquet", files), owners):
            problems.relation(unit, source, "a lake file cannot be read")
    for unit in _lay_findings(connection, raw_dir, quarter, sources, owners):
        problems.relation(unit, "findings_by_reason", "a file of findings cannot be read")
    _lay_volumes(connection, quarter)
    for unit in _lay_remarks(connection, raw_dir, quarter, owners):
        problems.relation(unit, "remarks", "a file of remarks cannot be read")
    register = raw_dir / "lake" / "source=decisions"
    last = place_of(quarter)
    found = sorted(register.glob("quarter=*/unit=*/*.parquet"))
    earlier = [path for path in found if place_of(_quarter_of(path)) <= last]
    _lay_source(connection, ALL_DECISIONS, register / "schema.parquet", earlier)
    laid = {row[0] for row in connection.execute("select table_name from information_schema.tables").fetchall()}
    _lay_sheet_numbers(connection, [source for source in sources if source in laid and source not in _NOT_FILES])
    with_texts = {source: source for source in sources if source in laid}
    lay_published_texts(connection, with_texts | ({"decisions": ALL_DECISIONS} if ALL_DECISIONS in laid else {}))
    return problems


# Relations that are named like sources in the rules but hold no rows of a file.
_NOT_FILES = frozenset({"remarks", "deliveries"})


def _lay_sheet_numbers(connection: Any, sources: Iterable[str]) -> None:
    """``sheet_numbers``: delivery, sheet, and its place among the names of the delivery's sheets, as in the model
    ``int_sheets``.
    """
    sheets = [f"select distinct _delivery_id as delivery_id, _sheet as sheet from {quote(name)}" for name in sources]
    nothing = "select null::varchar as delivery_id, null::varchar as sheet where false"
    connection.execute(
        f"create table {SHEET_NUMBERS} as select *, row_number() over (partition by delivery_id order by sheet) "
        f"as sheet_no from ({' union '.join([nothing, *sheets])}) as sheets"
    )


def lay_marts(
    connection: Any,
    quarter: str,
    candidates: Mapping[str, tuple[Path, str]],
    operands: Iterable[str],
    previous: Iterable[str],
    published: Iterable[tuple[str, str, str, str | None]] = (),
) -> UnitProblems:
    """Creates the relations of the mart gate from candidate folders, each read only where its bytes are as hashed.

    Args:
        candidates: reporting unit -> (candidate folder, sha256 of its ``candidate.json``).
        operands: figures that rules speak about; previous: those of which the previous quarter is asked too.
        published: unit, quarter, row and figure of what the quarters of a longer period have published.

    Returns:
        What cannot be checked, by unit.
    """
    _lay_units(connection, quarter, {unit: [unit] for unit in candidates})
    _lay_periods(connection)
    connection.execute(
        f"create table published_quarters ({UNIT} varchar, part varchar, indicator_code varchar, value decimal(18, 4))"
    )
    if rows := [list(row) for row in sorted(published, key=lambda row: row[:3])]:
        connection.executemany("insert into published_quarters values (?, ?, ?, ?)", rows)
    problems = UnitProblems()
    files = _lay_candidates(connection, candidates, problems)
    _lay_form_marks(connection)
    lay_published_cells(connection, files)
    if RULE_INPUTS in files:
        _lay_figures(connection, quarter, sorted(set(operands)), sorted(set(previous)))
        for unit, names in connection.execute(
            f"select {UNIT}, list(distinct name) from {RULE_INPUTS} where name is not null group by {UNIT}"
        ).fetchall():
            problems.figures_of(unit, names)
    return problems


def lay_provinces(connection: Any, quarter: str, candidates: Mapping[str, tuple[Path, str]]) -> UnitProblems:
    """Creates the relations of a province's gate: its marts, each read only where its bytes are as hashed."""
    connection.execute("create table run (quarter varchar)")
    connection.execute("insert into run values (?)", [quarter])
    problems = UnitProblems()
    _lay_form_marks(connection)
    _lay_candidates(connection, candidates, problems)
    return problems


def _lay_candidates(
    connection: Any, candidates: Mapping[str, tuple[Path, str]], problems: UnitProblems
) -> dict[str, list[tuple[str, Path]]]:
    """A table of each mart over all candidates; the files by mart. What is not as hashed, or missing, is a problem."""
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
    return files


def _lay_units(
    connection: Any, quarter: str, units: Mapping[str, Iterable[str]], superiors: frozenset[str] = frozenset()
) -> None:
    connection.execute("create table run (quarter varchar)")
    connection.execute("insert into run values (?)", [quarter])
    connection.execute(f"create table units ({UNIT} varchar, unit_code varchar)")
    connection.execute(f"create table expected_deliveries ({UNIT} varchar, unit_code varchar, role varchar)")
    for reporting_unit, codes in sorted(units.items()):
        members = sorted({reporting_unit, *codes})
        connection.executemany("insert into units values (?, ?)", [[reporting_unit, code] for code in members])
        others = [code for code in members if code != reporting_unit]
        own = SUPERIOR if reporting_unit in superiors else REPORTING_UNIT
        roles = [(own, reporting_unit), *((PART, code) for code in others)]
        connection.executemany(
            "insert into expected_deliveries values (?, ?, ?)", [[reporting_unit, code, role] for role, code in roles]
        )


def _lay_windows(
    connection: Any,
    units: Iterable[str],
    window: tuple[dt.date, dt.date],
    own_windows: Mapping[str, tuple[dt.date, dt.date]],
) -> None:
    """``period``: the window of each reporting unit."""
    connection.execute(f"create table period ({UNIT} varchar, opens_on date, closes_on date)")
    for unit in sorted(units):
        connection.execute("insert into period values (?, ?, ?)", [unit, *own_windows.get(unit, window)])


def _lay_periods(connection: Any) -> None:
    """``period_order``: the keys of the table of periods with their place and closing day; ``longest_validity``: the
    last closing day until which a decision made for a period may hold.
    """
    periods = load_periods()
    closing = {period.quarter: period.closes_on for period in periods}
    connection.execute("create table period_order (period_key varchar, place integer, closing date, kind varchar)")
    connection.executemany(
        "insert into period_order values (?, ?, ?, ?)",
        [[period.quarter, place_of(period.quarter)[0], period.closes_on, period.kind] for period in periods],
    )
    connection.execute("create table longest_validity (first_quarter varchar, longest_until date)")
    connection.executemany(
        "insert into longest_validity values (?, ?)",
        [[p.quarter, closing.get(p.decisions_hold_until, periods[-1].closes_on)] for p in periods],
    )


def _lay_sent(
    connection: Any,
    owners: Mapping[str, str],
    given_by_parts: Iterable[tuple[str, str]],
    parts_held: Iterable[tuple[str, str, str]],
) -> None:
    """``sent``: unit and source of what counts as sent; ``parts_held``: its quarters that do not pass."""
    connection.execute(
        f"create table sent as select distinct {UNIT}, unit_code, source from deliveries where outcome <> 'refused'"
    )
    for unit, source in sorted(given_by_parts):
        if unit in owners:
            connection.execute("insert into sent values (?, ?, ?)", [owners[unit], unit, source])
    connection.execute(f"create table parts_held ({UNIT} varchar, part varchar, reason_vi varchar)")
    for row in sorted(parts_held):
        connection.execute("insert into parts_held values (?, ?, ?)", list(row))


def _lay_waiting(
    connection: Any, quarter: str, owners: Mapping[str, str], waiting: Iterable[tuple[str, str, str, str]]
) -> None:
    """``waiting_files``: delivered files that nobody has read yet; ``is_of_quarter``: of the quarter that is judged."""
    connection.execute(
        f"create table waiting_files ({UNIT} varchar, unit_code varchar, quarter varchar, source varchar, "
        "file_name varchar, is_of_quarter boolean)"
    )
    for unit, named, source, file_name in sorted(waiting):
        if unit in owners:
            row = [owners[unit], unit, named, source, file_name, named == quarter]
            connection.execute("insert into waiting_files values (?, ?, ?, ?, ?, ?)", row)


_FINDING_COLUMNS = (
    "_delivery_id varchar, _sheet varchar, _row bigint, column_name varchar, reason_code varchar, reason_vi varchar"
)


def _lay_findings(
    connection: Any, raw_dir: Path, quarter: str, sources: Iterable[str], owners: Mapping[str, str]
) -> list[str]:
    """``findings`` (one row a remark on an accepted row) and ``findings_by_reason``; returns units with an unreadable
    file.
    """
    folders = [raw_dir / "findings" / f"source={source}" for source in sources]
    files = [path for folder in folders for path in sorted(folder.glob(f"quarter={quarter}/unit=*/*.parquet"))]
    readable = [path for path in files if _is_parquet(path)]
    connection.execute(f"create table findings ({UNIT} varchar, {_FINDING_COLUMNS})")
    if readable:
        connection.execute(
            f"insert into findings select d.{UNIT}, f._delivery_id, f._sheet, f._row, "
            f"f.{quote('column')}, f.reason_code, f.reason_vi "
            f"from read_parquet([{_literals(readable)}], hive_partitioning = false) as f "
            "join deliveries as d on d.delivery_id = f._delivery_id"
        )
    connection.execute(
        f"create table findings_by_reason as select d.{UNIT}, d.source, d.unit_code, d.file_name, f.column_name, "
        "f.reason_code, min(f.reason_vi) as reason_vi, count(distinct (f._sheet, f._row)) as rows, d.rows_read "
        f"from findings as f join deliveries as d on d.delivery_id = f._delivery_id and d.{UNIT} = f.{UNIT} "
        "group by all"
    )
    return _units_of(set(files) - set(readable), owners)


# Beside how many of its own earlier periods a unit's rows are laid.
_PERIODS_BEFORE = 4


def _lay_volumes(connection: Any, quarter: str) -> None:
    """``volumes``: rows of a unit and source now and in its last periods of the same kind; null before its first.

    A unit that sent nothing for a longer period owes it no rows: they are in the folders of its quarters.
    """
    place, period = place_of(quarter)[0], period_named(quarter)
    connection.execute(
        "create table volumes as with counted as ("
        f"select d.{UNIT}, d.unit_code, d.source, d.quarter, p.place, cast(sum(d.rows_accepted) as bigint) as rows "
        "from all_deliveries as d join period_order as p on p.period_key = d.quarter "
        "where p.place <= ? and p.kind = ? and d.outcome <> 'refused' group by all), "
        "before as (select * from counted where place < ? qualify row_number() over "
        f"(partition by {UNIT}, unit_code, source order by place desc) <= {_PERIODS_BEFORE}), "
        f"earlier as (select {UNIT}, unit_code, source, max_by(quarter, place) as quarter_before, "
        "max_by(rows, place) as rows_before, min(rows) as least_before, max(rows) as most_before "
        "from before group by all) "
        f"select {UNIT}, unit_code, source, coalesce(n.rows, 0) as rows, "
        "quarter_before, rows_before, least_before, most_before "
        f"from (select * exclude (quarter, place) from counted where place = ?) as n "
        f"{'left' if period.made_of else 'full'} join earlier using ({UNIT}, unit_code, source)",
        [place, period.kind, place, place],
    )


_REMARK = (
    "_delivery_id, _source, _unit_code, _quarter, _file_name, _sheet, _row, "
    '"column" as column_name, kind, subject as about, "value", expected, "count", message_vi, advice_vi'
)

_SAME = f"o.{UNIT} = n.{UNIT} and o._unit_code = n._unit_code and o._source = n._source"


def _lay_remarks(connection: Any, raw_dir: Path, quarter: str, owners: Mapping[str, str]) -> list[str]:
    """``remarks``: what intake noticed of current deliveries and of the landing folder; returns units with an
    unreadable file.

    A remark on the folder that names no unit concerns every unit of the run; ``is_named`` tells it apart. ``had_rows``:
    the unit sent rows of the source before. Of a stated window ``stated_from`` and ``stated_to`` are its days, and
    ``is_preceded`` and ``is_continued`` say that other tables of the unit's source state what lies before and after it
    without a gap, as files of single months do. Without the layer's schema file there is no relation, and its rules do
    not run.
    """
    schema, landing = raw_dir / "remarks" / "schema.parquet", raw_dir / "landing_remarks.parquet"
    if not schema.exists():
        return []
    files = sorted((raw_dir / "remarks").glob(f"source=*/quarter={quarter}/unit=*/*.parquet"))
    readable = [path for path in files if _is_parquet(path)]
    current = f"select {_REMARK} from read_parquet([{_literals([schema, *readable])}], hive_partitioning = false)"
    of_folder = [landing] if landing.exists() else [schema]
    folder = f"select {_REMARK} from read_parquet([{_literals(of_folder)}], hive_partitioning = false)"
    connection.execute(
        "create table remarks as with noticed as ("
        f"select d.{UNIT}, true as is_named, r.* from ({current}) as r "
        "join deliveries as d on d.delivery_id = r._delivery_id "
        f"union all select u.{UNIT}, r._unit_code is not null, r.* from ({folder}) as r "
        "join units as u on u.unit_code = r._unit_code "
        f"or (r._unit_code is null and u.unit_code = u.{UNIT}) "
        f"where coalesce(r._quarter, {literal(quarter)}) = {literal(quarter)}), "
        "dated as (select *, case when kind = 'stated_window' then "
        "cast(nullif(split_part(\"value\", '/', 1), '..') as date) end as stated_from, "
        "case when kind = 'stated_window' then cast(split_part(\"value\", '/', 2) as date) end as stated_to "
        "from noticed) "
        "select n.*, concat_ws('/', n._unit_code, n._source, n._file_name, nullif(n.about, '')) as place, "
        "coalesce(v.most_before > 0, false) as had_rows, d._opens_on, d._closes_on, "
        f"exists (select 1 from dated as o where {_SAME} and o.stated_from < n.stated_from "
        "and o.stated_to >= n.stated_from - 1) as is_preceded, "
        f"exists (select 1 from dated as o where {_SAME} and o.stated_to > n.stated_to "
        "and o.stated_from <= n.stated_to + 1) as is_continued "
        "from dated as n left join deliveries as d on d.delivery_id = n._delivery_id left join volumes as v "
        f"on v.{UNIT} = n.{UNIT} and v.unit_code = n._unit_code and v.source = n._source"
    )
    return _units_of(set(files) - set(readable), owners)


def _units_of(paths: Iterable[Path], owners: Mapping[str, str]) -> list[str]:
    """Reporting units in whose folders the files lie."""
    folders = {path.parent.name.removeprefix("unit=") for path in paths}
    return sorted({owners[folder] for folder in folders if folder in owners})


def _literals(paths: Iterable[Path]) -> str:
    return ", ".join(literal(str(path)) for path in paths)


def _quarter_of(path: Path) -> str:
    return path.parent.parent.name.removeprefix("quarter=")


# A quarter of a province; more rows are read from their files each time.
_HELD_ROWS = 500_000


def _lay_source(connection: Any, relation: str, schema: Path, files: list[Path]) -> list[Path]:
    """Creates a source's relation over the files that can be read; returns those that cannot.

    Each rule reads it several times: it is held in memory, unless it is large or a file of it is damaged inside.
    """
    if not schema.exists():
        return []
    unreadable = [path for path in files if not _is_parquet(path)]
    paths = _literals((schema, *(path for path in files if path not in unreadable)))
    query = _source_query(connection, paths)
    rows = connection.execute(f"select sum(num_rows) from parquet_file_metadata([{paths}])").fetchone()[0]
    if rows <= _HELD_ROWS:
        try:
            connection.execute(f"create table {quote(relation)} as {query}")
            return unreadable
        except Exception:  # the rules that read it say what is wrong
            pass
    connection.execute(f"create view {quote(relation)} as {query}")
    return unreadable


def _is_parquet(path: Path) -> bool:
    """Whether a file begins and ends as Parquet does; a file that was cut short does not."""
    with path.open("rb") as file:
        head = file.read(4)
        if file.seek(0, 2) < 12:
            return False
        file.seek(-4, 2)
        return head == b"PAR1" == file.read(4)


def _source_query(connection: Any, paths: str) -> str:
    # The row as text stands for its content when two deliveries are compared; lineage is left out of it.
    read = f"read_parquet([{paths}], union_by_name = true, hive_partitioning = false)"
    names = [row[0] for row in connection.execute(f"describe select * from {read}").fetchall()]
    content = ", ".join(f"lake.{quote(name)}" for name in names if not name.startswith("_"))
    return (
        f"select d.{UNIT}, d.delivery_rank as _delivery_rank, "
        "d._opens_on, d._closes_on, lake.*, "
        f"md5(cast(row({content}) as varchar)) as {CONTENT} "
        f"from {read} as lake join all_deliveries as d on d.delivery_id = lake._delivery_id"
    )


def _verified_marts(folder: Path, expected_hash: str) -> dict[str, Path]:
    """Mart files of a candidate; raises ``ValueError`` where a file is not the one its manifest names."""
    manifest = (folder / "candidate.json").read_bytes()
    if sha256_bytes(manifest) != expected_hash:
        raise ValueError("candidate.json has another hash")
    marts = {}
    for mart, entry in json.loads(manifest)["marts"].items():
        path = folder / "marts" / f"{mart}.parquet"
        if sha256_file(path) != entry["sha256"]:
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


def _lay_form_marks(connection: Any) -> None:
    """``form_marks``: what each form says of its rows beside the print (:attr:`common.forms.Form.marks`)."""
    connection.execute(
        "create table form_marks (form_version varchar, mark varchar, indicator_code varchar, other_code varchar)"
    )
    rows = [[form.form, *mark] for form in load_forms() for mark in form.marks]
    if rows:
        connection.executemany("insert into form_marks values (?, ?, ?, ?)", rows)


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
    # The year's first period has no earlier one to be compared with.
    period = period_named(quarter)
    comparable = "false" if period.opens_on == period.year_opens_on else "true"
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
