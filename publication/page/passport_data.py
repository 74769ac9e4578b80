"""The passports as the page carries them.

Belongs here: how much of them a page may hold. Does not belong here: what a passport says (``content.passport``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from publication.page.render import json_block

#: Bytes of passports in one page. Beyond them a phone takes long to open it, so row numbers stay in the release only.
LIMIT = 2_000_000


def embedded(passports: Mapping[str, Any]) -> tuple[Markup, bool]:
    """The passports as a JSON block, and whether the row numbers are in it; counts and amounts always are."""
    whole = json_block(passports)
    if len(whole.encode()) <= LIMIT:
        return whole, True
    return json_block(_without_rows(passports)), False


def _without_rows(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: "" if key == "rows" else _without_rows(item) for key, item in value.items()}
    return [_without_rows(item) for item in value] if isinstance(value, list) else value
