"""Alerts: a line in the alert file and a message to each address that asks for it, one for a cause until it changes.

Belongs here: what an alert is, which were told, what an address has not taken yet.
Does not belong here: what is worth an alert (``telling``, ``watchman``), who is sent what (``addresses``).

What was told is kept beside the alert file, under a lock of the kernel, so of several processes that meet one cause one
tells it. It is written before anything is sent: a process that dies in between leaves an alert owed, never untold.
Nothing here raises for a full disk or a server that is down: telling must break no run.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from common.files import PRIVATE, canonical_json, exclusive_lock, readable_json, replace_durably, sha256_bytes
from orchestration.addresses import AlertAddress, AlertKind
from orchestration.settings import Settings
from orchestration.timing import now

_log = logging.getLogger(__name__)
#: Lines of one alert; of more, how many there are.
_SHOWN = 20
_Causes = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Alert:
    """Something people should know, in Vietnamese, with what to do.

    Its cause is kind, quarter, unit and, where these do not tell it from others, ``subject``; ``title_vi`` and
    ``lines_vi`` are what may change about it, so they hold nothing that differs from look to look (a time, a number of
    a run). ``links`` are addresses by what they lead to.
    """

    kind: AlertKind
    title_vi: str
    lines_vi: tuple[str, ...] = ()
    quarter: str = ""
    unit: str | None = None
    links: Mapping[str, str] = field(default_factory=dict)
    subject: str = ""

    @property
    def cause(self) -> str:
        return cause_of(self.kind, self.quarter, self.unit, self.subject)

    @cached_property
    def digest(self) -> str:
        return sha256_bytes(canonical_json([self.title_vi, self.lines_vi]))

    def line(self, at: str) -> dict[str, Any]:
        """As it is kept and sent; ``at`` is local time, ISO."""
        hidden = len(self.lines_vi) - _SHOWN
        more = [f"Còn {hidden} dòng khác; xem đủ bằng: cchc status {self.quarter}".rstrip()] if hidden > 0 else []
        return {
            "at": at,
            "kind": self.kind,
            "quarter": self.quarter,
            "unit": self.unit,
            "message": self.title_vi,
            "reasons": [*self.lines_vi[:_SHOWN], *more],
            "links": dict(self.links),
        }


def cause_of(kind: AlertKind, quarter: str = "", unit: str | None = None, subject: str = "") -> str:
    """What an alert is about, by which it is told once."""
    return "|".join([kind, quarter, unit or "", *([subject] if subject else [])])


def tell(settings: Settings, *alerts: Alert) -> list[Alert]:
    """Tells those that are new or say something else than before, and what is still owed. Returns the new ones.

    No two may be of one cause: each would be news to the other, for ever.
    """
    assert len({alert.cause for alert in alerts}) == len(alerts), sorted(alert.cause for alert in alerts)
    with _told(settings) as causes:
        at = now().isoformat()
        new = [a for a in alerts if causes.get(a.cause, {}).get("digest") != a.digest]
        for alert in new:
            _append(settings, alert.line(at))
            owed = {to.key: 0 for to in settings.alert_to if to.asks_for(alert.kind, alert.unit)}
            causes[alert.cause] = {"digest": alert.digest, "alert": alert.line(at), "owed": owed}
        if new:
            _keep(settings, causes)
        _send(settings, causes)
    return new


def settled(settings: Settings, *causes: str) -> None:
    """Forgets causes that are gone, so that they are told again should they return; what was owed of them is not."""
    with _told(settings) as known:
        if gone := known.keys() & set(causes):
            _keep(settings, {cause: entry for cause, entry in known.items() if cause not in gone})


def tell_all(settings: Settings, alerts: Iterable[Alert], kinds: Iterable[AlertKind]) -> list[Alert]:
    """Tells as :func:`tell` what there is of these kinds, and forgets what else was told of them."""
    found = list(alerts)
    with _told(settings) as known:
        there, kinds_told = {alert.cause for alert in found}, set(kinds)
        gone = [cause for cause in known if cause not in there and cause.split("|")[0] in kinds_told]
    settled(settings, *gone)
    return tell(settings, *found)


def send_owed(settings: Settings) -> int:
    """Tries again what an address has not taken; returns how many messages are owed then."""
    with _told(settings) as causes:
        _send(settings, causes)
        return sum(len(entry["owed"]) for entry in causes.values())


@contextmanager
def _told(settings: Settings) -> Iterator[_Causes]:
    """What was told, while no other process tells anything. A file that cannot be read counts as none."""
    path = settings.paths.told
    with ExitStack() as stack:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(exclusive_lock(path.with_name(".alerts.lock")))
        except OSError as error:
            _log.error("alerts are told without their lock: %s", error)
        causes: _Causes = {}
        with suppress(OSError, ValueError, KeyError, TypeError):
            causes = json.loads(path.read_bytes())["causes"]
        yield causes


def _keep(settings: Settings, causes: _Causes) -> None:
    try:
        replace_durably(settings.paths.told, readable_json({"causes": causes}), mode=PRIVATE)
    except OSError as error:
        _log.error("what was told could not be kept and may be told twice: %s", error)


def _append(settings: Settings, line: Mapping[str, Any]) -> None:
    path = settings.alerts_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as out:
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
    except OSError as error:
        _log.error("no line in the alert file: %s", error)


def _send(settings: Settings, causes: _Causes) -> None:
    """Sends what is owed. An address that does not take a message is left alone until the next look, and that message
    is tried last then, so that one which is never taken holds up no other.
    """
    addresses = {address.key: address for address in settings.alert_to}
    changed = False
    for entry in causes.values():
        for key in entry["owed"].keys() - addresses.keys():
            del entry["owed"][key]
            changed = True
    for number, (key, address) in enumerate(addresses.items(), start=1):
        waiting = [entry for entry in causes.values() if key in entry["owed"]]
        for entry in sorted(waiting, key=lambda entry: (entry["owed"][key], entry["alert"]["at"])):
            changed = True
            if not _takes(address, entry["alert"]):
                entry["owed"][key] += 1
                # Its number in the settings: of a URL every part may be a secret.
                _log.warning("alert_to, address %d: not taken; tried again at the next look", number)
                break
            del entry["owed"][key]
    if changed:
        _keep(settings, causes)


_WEIGHTS: dict[AlertKind, str] = {
    "published": "success",
    "deliveries_missing": "info",
    "awaits_approval": "info",
}


def _takes(address: AlertAddress, line: Mapping[str, Any]) -> bool:
    import apprise

    for name in ("apprise", "urllib3"):  # their talk may quote addresses
        logging.getLogger(name).setLevel(logging.CRITICAL)
    links = [f"{what}: {where}" for what, where in line["links"].items()]
    parts = ("\n".join(f"- {reason}" for reason in line["reasons"]), "\n".join([*links, f"Lúc {line['at']}"]))
    try:
        service = apprise.Apprise()
        return bool(
            service.add(address.url.get_secret_value())
            and service.notify(
                title=f"[CCHC] {line['message']}",
                body="\n\n".join(part for part in parts if part),
                notify_type=apprise.NotifyType(_WEIGHTS.get(line["kind"], "warning")),
                body_format=apprise.NotifyFormat.TEXT,
            )
        )
    except Exception as error:  # a plugin that breaks is a server that did not take it
        _log.warning("an alert could not be sent: %s", type(error).__name__)
        return False
