"""Why published figures changed between two releases: which delivery, decision, program or form.

Belongs here: comparing what two releases were made from, and naming for each changed cell everything of it that can
have reached that cell. Does not belong here: what changed (``changes``), how it is told (``revision``).

Soundness before sharpness: a cell's cause is always among those named. The rows behind a figure (``figure_rows``) say
which deliveries moved it, where all rows that came or went are theirs: then every other row counts as it did before, so
a renewed program is no cause. Elsewhere every changed delivery is named whose source can reach the cell, and the
program if it was renewed. A cell that changed although nothing it was made from differs is an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

import pyarrow as pa

from common.periods import place_of
from publication.content.changes import Change
from publication.formatting import format_date_text, format_quarter
from publication.store.candidate import FORM_MART, neutral_name

CauseKind = Literal[
    "delivery_new",
    "delivery_superseded",
    "delivery_removed",
    "delivery_reread",
    "decision",
    "program",
    "form",
    "release_new",
    "release_replaced",
    "release_gone",
]
DECISIONS_SOURCE = "decisions"
DECLARED_SOURCE = "declared_returns"
_SHORT = 12
#: What the gate and the models make of a decision; not what the people wrote.
_NOT_WRITTEN = frozenset({"effect", "problem_vi", "unit_code", "quarter"})
_DECLARED_COLUMNS = frozenset({"declared_value", "note_vi", "value_text"})
_COVERAGE_COLUMNS = frozenset({"units_counted", "units_expected"})
_COMPUTED_COLUMNS = frozenset({"computed_value", "numerator", "denominator"})
_EARLIER_COLUMNS = frozenset({"previous_quarter_value", "same_quarter_last_year_value"})
_SETTLED_COLUMNS = frozenset({"value", "status", "decision_id", "footnote_vi"})


class UnexplainedChange(Exception):
    """A published cell changed although nothing that it is made from did. The message is for people, in Vietnamese."""


@dataclass(frozen=True)
class Lineage:
    """Which sources can reach which mart and which measure (never too few), and what the sources are called.

    A mart or measure that is not listed may be reached by every source.
    """

    titles_vi: Mapping[str, str] = field(default_factory=dict)
    marts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    measures: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Origin:
    """What one release was made from, and its published marts."""

    inputs: Sequence[Mapping[str, Any]]
    decisions: Sequence[Mapping[str, Any]]
    form_version: str
    code_version: str
    versions: Mapping[str, str]
    tables: Mapping[str, pa.Table]


@dataclass(frozen=True, order=True)
class Cause:
    """One difference between two origins. ``identity`` is for programs, ``text_vi`` a clause without a full stop, and
    ``name_vi`` only what it is about, for lists in which it stands many times.

    ``source`` and ``quarter`` (the delivery's folder) where it is a delivery.
    """

    kind: CauseKind
    identity: str
    text_vi: str
    source: str = ""
    quarter: str = ""
    name_vi: str = ""


class Causes:
    """All differences between two origins, and which of them reach a cell."""

    def __init__(self, old: Origin, new: Origin, lineage: Lineage) -> None:
        self._lineage = lineage
        self._names = _unit_names(old.tables) | _unit_names(new.tables)
        #: By the delivery that came or went; one that took another's place stands for both.
        self._moved: dict[str, Cause] = {}
        self._deliveries = self._changed_deliveries(old, new)
        self._behind = _RowsBehind(old.tables, new.tables)
        self._decisions = _changed_decisions(old.decisions, new.decisions)
        self._program = program_causes(old, new)
        self._form = form_cause(old, new)
        self._rows = _FormRows(old.tables, new.tables)

    def of(self, change: Change) -> tuple[Cause, ...]:
        """Everything that can have caused the change, in order. Raises UnexplainedChange when there is nothing."""
        found = self._specific(change)
        if change.mart in (FORM_MART, "dim_indicator"):
            found |= set(self._form)
        found = found or set(self._program)
        if not found:
            found = {*self._deliveries, *(cause for cause, _ in self._decisions), *self._form}
        if not found:
            raise UnexplainedChange(
                f"{' '.join(filter(None, (change.mart, change.row, change.column)))}: số liệu thay đổi ({change.old} → "
                f"{change.new}) nhưng tệp đầu vào, quyết định, biểu mẫu và chương trình đều không đổi"
            )
        return tuple(sorted(found))

    def _specific(self, change: Change) -> set[Cause]:
        if change.of_layout:
            return set()
        if change.mart == FORM_MART and change.column is not None:
            return self._of_figure(change.row, change.column)
        if change.mart == "indicator_trend":
            code, quarter = change.row.split(" · ")
            return self._delivered(self._sources_of(code), until=quarter)
        if change.mart == "measure_values":
            return self._of_measure(change.row)
        return self._reached(self._lineage.marts.get(change.mart))

    # -- deliveries ------------------------------------------------------------------------------------------------

    def _changed_deliveries(self, old: Origin, new: Origin) -> list[Cause]:
        before = {str(entry["delivery_id"]): entry for entry in old.inputs}
        after = {str(entry["delivery_id"]): entry for entry in new.inputs}
        gone = {key: entry for key, entry in before.items() if key not in after}
        for key in sorted(after.keys() - before.keys()):
            replaced = _replaced_by(after[key], gone, new.tables)
            self._moved[key] = self._came(after[key], replaced)
            for entry in replaced:
                del gone[str(entry["delivery_id"])]
                self._moved[str(entry["delivery_id"])] = self._moved[key]
        for key, entry in gone.items():
            self._moved[key] = self._delivery("delivery_removed", entry, "không còn được dùng")
        reread = [
            self._delivery("delivery_reread", after[key], "được đọc lại theo danh mục, quy tắc mới")
            for key in sorted(before.keys() & after.keys())
            if any(before[key][name] != after[key][name] for name in ("fingerprint", "outcome"))
        ]
        return [*dict.fromkeys(self._moved.values()), *reread]

    def _came(self, entry: Mapping[str, Any], replaced: Sequence[Mapping[str, Any]]) -> Cause:
        if not replaced:
            return self._delivery("delivery_new", entry, "gửi bổ sung")
        was = f"gửi thay tệp {', '.join(neutral_name(old) for old in replaced)}"
        return self._delivery("delivery_superseded", entry, was, replaced)

    def _delivery(
        self, kind: CauseKind, entry: Mapping[str, Any], what: str, replaced: Sequence[Mapping[str, Any]] = ()
    ) -> Cause:
        source, unit, quarter = str(entry["source"]), str(entry["unit_code"]), str(entry["quarter"])
        title = self._lineage.titles_vi.get(source, source)
        old = "".join(f"{str(was['sha256'])[:_SHORT]}->" for was in replaced)
        return Cause(
            kind,
            f"{source}/{unit}/{quarter}@{old}{str(entry['sha256'])[:_SHORT]}",
            f"tệp {neutral_name(entry)} ({title}, {self._names.get(unit, unit)}, {format_quarter(quarter)}) {what}",
            source,
            quarter,
            f"tệp {neutral_name(entry)}",
        )

    def _delivered(
        self, sources: frozenset[str] | None, *, before: str | None = None, until: str | None = None
    ) -> set[Cause]:
        """What may have moved figures of the sources: the program, and changed deliveries, of folders before or until
        a quarter only where one is given.

        A delivery that was merely read again is the effect of another difference; it is named where there is none.
        """
        found = {
            cause
            for cause in self._deliveries
            if (sources is None or cause.source in sources)
            and (before is None or place_of(cause.quarter) < place_of(before))
            and (until is None or place_of(cause.quarter) <= place_of(until))
        }
        return {cause for cause in found if cause.kind != "delivery_reread"} | set(self._program) or found

    # -- decisions -------------------------------------------------------------------------------------------------

    def _decided_row(self, code: str) -> set[Cause]:
        """Changed decisions on a row of the form."""
        return {cause for cause, subjects in self._decisions if ("row", code) in subjects}

    def _reached(self, sources: frozenset[str] | None) -> set[Cause]:
        """What reaches a mart or measure of these sources: deliveries, and decisions on cases.

        Which case a decision is about is not told in a release. So where none is seen to differ, the register itself
        may be the cause.
        """
        if sources is not None and DECISIONS_SOURCE not in sources:
            return self._delivered(sources)
        cases = {cause for cause, subjects in self._decisions if any(kind == "case" for kind, _ in subjects)}
        return cases | {cause for cause in self._delivered(sources) if not cases or cause.source != DECISIONS_SOURCE}

    # -- figures of the form ---------------------------------------------------------------------------------------

    def _of_figure(self, code: str, column: str) -> set[Cause]:
        """A figure follows from what was computed, what was declared and what was decided; each has its own origins."""
        if column in _DECLARED_COLUMNS:
            return self._of_declared(code)
        if column in _COVERAGE_COLUMNS:
            return self._delivered(self._sources_of(code))
        if column in _COMPUTED_COLUMNS:
            return self._of_computed(code)
        if column in _EARLIER_COLUMNS:
            return self._delivered(self._sources_of(code), before=self._rows.quarter)
        if column == "year_to_date_value":
            return self._of_settled(code) | self._delivered(self._sources_of(code), before=self._rows.quarter)
        return self._of_settled(code) if column in _SETTLED_COLUMNS else set()

    def _of_settled(self, code: str) -> set[Cause]:
        found = self._decided_row(code)
        if self._rows.differ(code, _DECLARED_COLUMNS):
            found |= self._of_declared(code)
        if not found or self._rows.differ(code, _COMPUTED_COLUMNS) or self._rows.parts(code):
            found |= self._of_computed(code)
        return found or self._delivered(self._sources_of(code))

    def _of_computed(self, code: str) -> set[Cause]:
        found: set[Cause] = set()
        measures = self._rows.measures(code)
        for name in {name for name in measures if self._behind.differ(name)} or measures:
            found |= self._of_measure(name)
        for part in self._rows.parts(code):
            found |= self._of_settled(part)
        return found

    def _of_measure(self, name: str) -> set[Cause]:
        seen = self._seen_to_move(name)
        return self._reached(self._measured_from(name)) if seen is None else seen

    def _of_declared(self, code: str) -> set[Cause]:
        seen = self._seen_to_move(code)
        return self._delivered(frozenset({DECLARED_SOURCE})) if seen is None else seen

    def _seen_to_move(self, figure: str) -> set[Cause] | None:
        """Deliveries whose coming or going moved every row that came or went behind the figure; None where some rows
        moved for another reason, or none did."""
        deliveries = self._behind.moved(figure)
        if not deliveries or not deliveries <= self._moved.keys():
            return None
        return {self._moved[key] for key in deliveries}

    def _measured_from(self, name: str) -> frozenset[str] | None:
        return frozenset({DECLARED_SOURCE}) if name.startswith("AUX.") else self._lineage.measures.get(name)

    def _sources_of(self, code: str) -> frozenset[str] | None:
        """Every source that can reach any column of the row; None for all."""
        found = {DECLARED_SOURCE, DECISIONS_SOURCE}
        for name in self._rows.measures(code):
            sources = self._measured_from(name)
            if sources is None:
                return None
            found |= sources
        for part in self._rows.parts(code):
            sources = self._sources_of(part)
            if sources is None:
                return None
            found |= sources
        return frozenset(found)


class _RowsBehind:
    """The source rows behind each measure and declared figure, in both releases; none where the mart is missing."""

    def __init__(self, old: Mapping[str, pa.Table], new: Mapping[str, pa.Table]) -> None:
        both = "figure_rows" in old and "figure_rows" in new
        self._old, self._new = (_rows_by_figure(tables["figure_rows"]) if both else {} for tables in (old, new))

    def moved(self, figure: str) -> set[str]:
        """Deliveries of the rows that stand behind the figure in one release only, or count otherwise."""
        differing = self._old.get(figure, frozenset()) ^ self._new.get(figure, frozenset())
        # Rows that a release does not name may be of any delivery: no key among those that came or went.
        return {str(row[0]) for row in differing}

    def differ(self, figure: str) -> bool:
        return self._old.get(figure) != self._new.get(figure)


def _rows_by_figure(table: pa.Table) -> dict[str, frozenset[tuple[Any, ...]]]:
    found: dict[str, set[tuple[Any, ...]]] = {}
    for row in table.to_pylist():
        what = tuple(row[name] for name in ("delivery_id", "sheet", "row_numbers", "amount_each", "decision_id"))
        found.setdefault(str(row["figure"]), set()).add(what)
    return {figure: frozenset(rows) for figure, rows in found.items()}


class _FormRows:
    """Rows of the form in both releases, and how each row follows from measures and other rows."""

    def __init__(self, old: Mapping[str, pa.Table], new: Mapping[str, pa.Table]) -> None:
        self._old, self._new = (_by_code(tables[FORM_MART]) for tables in (old, new))
        made = [_made_how(tables) for tables in (old, new)]
        self._made = {
            code: [rows[code] for rows in made if code in rows] for code in self._old.keys() | self._new.keys()
        }
        self.quarter = str(next(iter(self._new.values()))["quarter"])

    def differ(self, code: str, columns: Iterable[str]) -> bool:
        old, new = self._old.get(code, {}), self._new.get(code, {})
        return any(old.get(name) != new.get(name) for name in columns)

    def measures(self, code: str) -> set[str]:
        """Measures and auxiliary figures that the row is counted from, in either release."""
        return {
            str(row[name]) for row in self._made.get(code, []) for name in ("numerator", "denominator") if row.get(name)
        }

    def parts(self, code: str) -> set[str]:
        """Rows that this one follows from: those it sums up, and its whole where that made it 0."""
        found = {part for row in self._made.get(code, []) for part in str(row.get("derived_from") or "").split("+")}
        if Decimal(0) in (rows.get(code, {}).get("computed_value") for rows in (self._old, self._new)):
            wholes = {str(row.get("logical_parent_code")) for row in self._made.get(code, [])}
            found |= {whole for whole in wholes if self.differ(whole, ("value",)) and not self._is_sum(whole)}
        return found - {""}

    def _is_sum(self, code: str) -> bool:
        """A sum makes none of its parts 0; asking it back for its causes would go round in a circle."""
        return any(row.get("derived_from") for row in self._made.get(code, []))


def _by_code(table: pa.Table) -> dict[str, dict[str, Any]]:
    return {str(row["indicator_code"]): row for row in table.to_pylist()}


def _made_how(tables: Mapping[str, pa.Table]) -> dict[str, dict[str, Any]]:
    return _by_code(tables["dim_indicator"]) if "dim_indicator" in tables else {}


def _unit_names(tables: Mapping[str, pa.Table]) -> dict[str, str]:
    return {str(row["unit_code"]): str(row["name_vi"]) for row in tables["dim_unit"].to_pylist()}


def _replaced_by(
    entry: Mapping[str, Any], gone: Mapping[str, Mapping[str, Any]], tables: Mapping[str, pa.Table]
) -> list[Mapping[str, Any]]:
    """Deliveries that this one took the place of, as the log of deliveries says: under its name, or by a list."""
    log = tables["delivery_log"]
    logged = (
        {str(row["delivery_id"]) for row in log.to_pylist() if row["superseded_by"] == entry["delivery_id"]}
        if "superseded_by" in log.column_names
        else set()
    )
    return [old for key, old in sorted(gone.items()) if key in logged]


def _changed_decisions(
    old: Iterable[Mapping[str, Any]], new: Iterable[Mapping[str, Any]]
) -> list[tuple[Cause, set[tuple[str, str]]]]:
    """Decisions that were given, altered or taken back, each with its subjects (kind, subject) before and after."""
    before, after = ({str(d["decision_id"]): d for d in decisions} for decisions in (old, new))
    found = []
    for identifier in sorted(before.keys() | after.keys()):
        was, now = before.get(identifier), after.get(identifier)
        if was is not None and now is not None and _written(was) == _written(now):
            continue
        verb = "được ban hành" if was is None else "không còn" if now is None else "được sửa"
        subjects = {(str(d["subject_kind"]), str(d["subject"])) for d in (was, now) if d is not None}
        # One that counts cases for a row is about cases too.
        subjects |= {("case", "") for d in (was, now) if d is not None and d["action"] == "count_as_on_time"}
        told = now or was or {}
        text = f"quyết định giải trình {identifier}{_document(told)} {verb}"
        name = f"quyết định giải trình {identifier}"
        found.append((Cause("decision", f"decision:{identifier}", text, name_vi=name), subjects))
    return found


def _written(decision: Mapping[str, Any]) -> dict[str, Any]:
    return {name: None if value is None else str(value) for name, value in decision.items() if name not in _NOT_WRITTEN}


def _document(decision: Mapping[str, Any]) -> str:
    if not decision.get("document_number"):
        return ""
    dated = f" ngày {format_date_text(decision['dated'])}" if decision.get("dated") else ""
    return f" ({decision['document_number']}{dated})"


def form_cause(old: Origin, new: Origin) -> list[Cause]:
    """The form as a cause, where another one is used."""
    if old.form_version == new.form_version:
        return []
    moved = f"{old.form_version}->{new.form_version}"
    text = f"biểu mẫu thay đổi ({old.form_version} → {new.form_version})"
    return [Cause("form", f"form:{moved}", text, name_vi="biểu mẫu")]


def program_causes(old: Origin, new: Origin) -> list[Cause]:
    """The program and its tools as one cause: a renewed program brings its tools along."""
    told = {"program": (old.code_version, new.code_version)} | {
        name: (old.versions.get(name, "-"), new.versions.get(name, "-"))
        for name in sorted(old.versions.keys() | new.versions.keys())
    }
    changed = [f"{name} {was}->{now}" for name, (was, now) in told.items() if was != now]
    if not changed:
        return []
    text = "chương trình tính số liệu được thay bằng bản mới"
    return [Cause("program", ", ".join(changed), text, name_vi="chương trình tính số liệu")]
