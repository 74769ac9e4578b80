"""Why figures of a province changed between two releases: which unit's release, delivery of its own, program or form.

Belongs here: the same as ``causes`` for a unit's figures, with releases beside the province's deliveries. Does not
belong here: why that unit's own figures changed, which its release tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from publication.content.causes import Cause, CauseKind, Origin, UnexplainedChange, form_cause, program_causes
from publication.content.changes import Change
from publication.formatting import format_quarter
from publication.store.candidate import RELEASES_SOURCE, neutral_name

#: Tables whose rows are a unit's: their keys end with its code.
_OF_A_UNIT = frozenset({"province_indicators", "province_ranking", "province_members"})
#: The source of a portal's figures, and the sources of its departments and their figures.
_PORTAL, _DEPARTMENTS = frozenset({"portal_figures"}), frozenset({"department_figures", "org_units"})
#: What one kind of the province's own deliveries says, and nothing else; and what it and a unit's release say together.
_DELIVERED_TABLES = {"province_portal": _PORTAL, "province_departments": _DEPARTMENTS}
_DELIVERED = frozenset({"portal_value", "portal_taken_on", "portals_shown"})
#: What stands of a unit's release beside a portal's figure.
_BESIDE = frozenset({"computed_value", "declared_value"})
_COMPARED = frozenset({"portal_minus_computed", "portal_minus_declared"})
_SHORT = 12
#: What a roll-up was made from, as its candidate and manifest list it.
Inputs = Sequence[Mapping[str, Any]]


class ProvinceCauses:
    """All differences between two roll-ups, and which of them reach a cell."""

    def __init__(self, old: Origin, new: Origin) -> None:
        members = [row for origin in (old, new) for row in origin.tables["province_members"].to_pylist()]
        self._names = {str(row["member_code"]): str(row["member_name_vi"]) for row in members}
        self._departments = {str(row["member_code"]) for row in members if row["member_level"] == "department"}
        self._releases = dict(_changed_releases(old.inputs, new.inputs, self._names))
        self._deliveries = list(_changed_deliveries(old.inputs, new.inputs))
        self._others = [*program_causes(old, new), *form_cause(old, new)]

    def of(self, change: Change) -> tuple[Cause, ...]:
        """Everything that can have caused the change, in order. Raises UnexplainedChange when there is nothing.

        A unit's own row follows from its own release; a unit's rank from any; what a portal shows, and a department's
        rows and ranks, from the province's own deliveries alone; a total and a coverage from releases and departments.
        """
        unit = change.row.rpartition(" · ")[2]
        if change.mart == "province_portal" and change.column in _COMPARED | _BESIDE:
            unit = change.row.split(" · ")[1]
            of_unit = [self._releases[unit]] if unit in self._releases else []
            return self._found(change, [*of_unit, *self._delivered(_PORTAL), *self._others])
        if change.mart in _DELIVERED_TABLES:
            return self._found(change, [*self._delivered(_DELIVERED_TABLES[change.mart]), *self._others])
        if change.column in _DELIVERED:
            return self._found(change, [*self._delivered(_PORTAL), *self._others])
        if change.column in _COMPARED:
            of_unit = [self._releases[unit]] if unit in self._releases else []
            return self._found(change, [*of_unit, *self._delivered(_PORTAL), *self._others])
        of_departments = self._delivered(_DEPARTMENTS)
        if change.mart not in _OF_A_UNIT:
            return self._found(change, [*self._releases.values(), *of_departments, *self._others])
        if unit in self._departments:
            return self._found(change, [*of_departments, *self._others])
        own = change.column not in ("rank", "units_ranked") and unit in self._releases
        return self._found(change, [self._releases[unit]] if own else [*self._releases.values(), *self._others])

    def _delivered(self, sources: frozenset[str]) -> list[Cause]:
        return [cause for cause in self._deliveries if cause.source in sources]

    @staticmethod
    def _found(change: Change, found: list[Cause]) -> tuple[Cause, ...]:
        if not found:
            raise UnexplainedChange(
                f"{' '.join(filter(None, (change.mart, change.row, change.column)))}: số liệu thay đổi ({change.old} → "
                f"{change.new}) nhưng bản công bố của các đơn vị, tệp tỉnh nộp, biểu mẫu và chương trình đều không "
                "đổi"
            )
        return tuple(sorted(found))


def changed_inputs_vi(old: Inputs, new: Inputs, names: Mapping[str, str]) -> list[str]:
    """What of the inputs of a roll-up came, went or was replaced, each as a clause; ``names`` of units by code."""
    causes = [*dict(_changed_releases(old, new, names)).values(), *_changed_deliveries(old, new)]
    return [cause.text_vi for cause in causes]


def _changed_releases(old: Inputs, new: Inputs, names: Mapping[str, str]) -> Iterator[tuple[str, Cause]]:
    before, after = (
        {str(entry["unit_code"]): entry for entry in inputs if entry["source"] == RELEASES_SOURCE}
        for inputs in (old, new)
    )
    for unit in sorted(before.keys() | after.keys()):
        was, now = before.get(unit), after.get(unit)
        if was is None and now is not None:
            yield unit, _cause("release_new", now, f"công bố bản {now['fingerprint']}", names)
        elif now is None and was is not None:
            yield unit, _cause("release_gone", was, f"không còn bản công bố {was['fingerprint']} dùng được", names)
        elif was is not None and now is not None and was["sha256"] != now["sha256"]:
            what = f"công bố bản {now['fingerprint']} thay bản {was['fingerprint']}"
            yield unit, _cause("release_replaced", now, what, names)


def _changed_deliveries(old: Inputs, new: Inputs) -> Iterator[Cause]:
    """The province's own deliveries that came, went or were read anew; one under another's name replaced it."""
    before, after = (
        {str(entry["delivery_id"]): entry for entry in inputs if entry["source"] != RELEASES_SOURCE}
        for inputs in (old, new)
    )
    kinds: tuple[tuple[CauseKind, str, set[str]], ...] = (
        ("delivery_new", "tỉnh nộp", after.keys() - before.keys()),
        ("delivery_removed", "không còn được dùng", before.keys() - after.keys()),
        (
            "delivery_reread",
            "được đọc lại theo danh mục, quy tắc mới",
            {
                key
                for key in before.keys() & after.keys()
                if any(before[key][name] != after[key][name] for name in ("fingerprint", "outcome"))
            },
        ),
    )
    for kind, what, keys in kinds:
        for key in sorted(keys):
            entry = (before | after)[key]
            source, unit, quarter = (str(entry[name]) for name in ("source", "unit_code", "quarter"))
            name = f"tệp {neutral_name(entry)}"
            identity = f"{source}/{unit}/{quarter}@{str(entry['sha256'])[:_SHORT]}"
            yield Cause(kind, identity, f"{name} ({format_quarter(quarter)}) {what}", source, quarter, name)


def _cause(kind: CauseKind, entry: Mapping[str, Any], what: str, names: Mapping[str, str]) -> Cause:
    unit, quarter = str(entry["unit_code"]), str(entry["quarter"])
    name = names.get(unit, unit)
    return Cause(
        kind,
        f"{unit}/{quarter}/{entry['fingerprint']}",
        f"{name} ({unit}) {what} {format_quarter(quarter)}",
        "",
        quarter,
        f"bản {entry['fingerprint']} của {name}",
    )
