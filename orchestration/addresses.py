"""Who is sent which alerts, and what links in them begin with, as the settings say it.

Belongs here: the kinds of alerts there are, addresses, and which alerts an address asks for.
Does not belong here: sending (``alerts``), what is worth an alert (``telling``, ``watchman``).
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

from common.files import sha256_bytes

AlertKind = Literal[
    "run_failed",
    "held_back",
    "held_by_lock",
    "awaits_approval",
    "published",
    "nothing_delivered",
    "postgres_failed",
    "deliveries_missing",
    "deliveries_missing_summary",
    "overdue",
    "disk_nearly_full",
    "damage",
    "automation_off",
    "not_watched",
    "watch_failed",
]
#: Reminders for the unit itself; who watches over all units is sent one summary instead.
FOR_THE_UNIT: frozenset[AlertKind] = frozenset({"deliveries_missing"})


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class AlertAddress(_Strict):
    """An address as Apprise writes it, and what it asks for: no kinds are all kinds, no units are all units.

    The URL carries passwords: it is shown nowhere, and ``key`` stands for it.
    """

    url: SecretStr
    kinds: tuple[AlertKind, ...] = ()
    units: tuple[str, ...] = ()

    @field_validator("url")
    @classmethod
    def _known_to_apprise(cls, url: SecretStr) -> SecretStr:
        import apprise

        if apprise.Apprise.instantiate(url.get_secret_value()) is None:
            raise ValueError("Apprise không dùng được địa chỉ này (dạng đúng, ví dụ mailtos://… hoặc jsons://…)")
        return url

    @property
    def key(self) -> str:
        """What stands for the URL in files."""
        return sha256_bytes(self.url.get_secret_value().encode())[:16]

    def asks_for(self, kind: AlertKind, unit: str | None) -> bool:
        """Whether it is sent such an alert. One about no unit goes to those only who asked for all of them."""
        if self.kinds and kind not in self.kinds:
            return False
        if not self.units:
            return kind not in FOR_THE_UNIT
        return unit in self.units


class AlertLinks(_Strict):
    """What links begin with; without one, a link is told as a place in the home."""

    dagster: str | None = None
    page: str | None = None
    outbox: str | None = None

    @field_validator("dagster", "page", "outbox")
    @classmethod
    def _without_a_slash(cls, base: str | None) -> str | None:
        return base.rstrip("/") if base else None
