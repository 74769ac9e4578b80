"""Alerts: one JSON line each in the alert file, which a mailer or monitor follows.

Belongs here: the file and its format. Does not belong here: what is worth an alert.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from orchestration.settings import Settings


def alert(settings: Settings, line: Mapping[str, Any]) -> None:
    """Appends ``line`` to the alert file; lines of up to a few KiB are written whole."""
    path = settings.alerts_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as out:
        out.write(json.dumps(dict(line), ensure_ascii=False) + "\n")
