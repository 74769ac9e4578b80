"""Why figures of a province changed between two releases: which unit's release, program or form.

Belongs here: the same as ``causes`` for a unit's figures, with releases in the place of deliveries. Does not belong
here: why that unit's own figures changed, which its release tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from publication.content.causes import Cause, Origin, UnexplainedChange, form_cause, program_causes
from publication.content.changes import Change
from publication.formatting import format_quarter

#: Tables whose rows are a unit's: their keys end with its code.
_OF_A_UNIT = frozenset({"province_indicators", "province_ranking", "province_members"})


class ProvinceCauses:
    """All differences between two roll-ups, and which of them reach a cell."""

    def __init__(self, old: Origin, new: Origin) -> None:
        self._names = {
            str(row["member_code"]): str(row["member_name_vi"])
            for origin in (old, new)
            for row in origin.tables["province_members"].to_pylist()
        }
        self._releases = dict(self._changed_releases(old, new))
        self._others = [*program_causes(old, new), *form_cause(old, new)]

    def of(self, change: Change) -> tuple[Cause, ...]:
        """Everything that can have caused the change, in order. Raises UnexplainedChange when there is nothing.

        A unit's own row follows from its own release; a rank, a total and a coverage from any.
        """
        unit = change.row.rpartition(" · ")[2]
        own = change.mart in _OF_A_UNIT and change.column not in ("rank", "units_ranked") and unit in self._releases
        found = [self._releases[unit]] if own else [*self._releases.values(), *self._others]
        if not found:
            raise UnexplainedChange(
                f"{' '.join(filter(None, (change.mart, change.row, change.column)))}: số liệu thay đổi ({change.old} → "
                f"{change.new}) nhưng bản công bố của các đơn vị, biểu mẫu và chương trình đều không đổi"
            )
        return tuple(sorted(found))

    def _changed_releases(self, old: Origin, new: Origin) -> Iterator[tuple[str, Cause]]:
        before, after = ({str(entry["unit_code"]): entry for entry in origin.inputs} for origin in (old, new))
        for unit in sorted(before.keys() | after.keys()):
            was, now = before.get(unit), after.get(unit)
            if was is None and now is not None:
                yield unit, self._cause("release_new", now, f"công bố bản {now['fingerprint']}")
            elif now is None and was is not None:
                yield unit, self._cause("release_gone", was, f"không còn bản công bố {was['fingerprint']} dùng được")
            elif was is not None and now is not None and was["sha256"] != now["sha256"]:
                what = f"công bố bản {now['fingerprint']} thay bản {was['fingerprint']}"
                yield unit, self._cause("release_replaced", now, what)

    def _cause(self, kind: Any, entry: Mapping[str, Any], what: str) -> Cause:
        unit, quarter = str(entry["unit_code"]), str(entry["quarter"])
        name = self._names.get(unit, unit)
        return Cause(
            kind,
            f"{unit}/{quarter}/{entry['fingerprint']}",
            f"{name} ({unit}) {what} {format_quarter(quarter)}",
            "",
            quarter,
            f"bản {entry['fingerprint']} của {name}",
        )
