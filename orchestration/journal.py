"""Who did what: one line for everything that somebody did to releases, or to what was delivered.

Belongs here: the lines of ``logs/journal.jsonl``, whose name stands in them, and holding them against the pointers.
Does not belong here: how lines are chained (``common.chained_log``), when a move is allowed (``publication``).
A move of a pointer is written down before it is made, with the hash of the pointer before and after it. So no pointer
can stand where no line says, and a line without its move tells that it was interrupted or undone. Nothing personal
but the login and the name given with ``--by``; why something was done is in the pointer.
"""

from __future__ import annotations

import os
import pwd
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from common.chained_log import BrokenChain, add_line, read_lines
from common.files import sha256_file
from orchestration.settings import Home
from orchestration.timing import now
from orchestration.untold import Untold, owe

if TYPE_CHECKING:
    from publication import Move

#: The tag of a run of the server with the login that the proxy before it vouches for.
LOGIN_TAG = "cchc/login"
# A move is made right after its line is written; one that is under way is looked at again.
_SECONDS_OF_A_MOVE = 1.0


@dataclass(frozen=True)
class Actor:
    """Who acts: the account of the process, and the login that whoever asked for it is known by, if any."""

    login: str
    asked_by: str | None = None


def this_process(asked_by: str | None = None) -> Actor:
    """The account of this process. Who became that account by sudo is told by sudo's own variable."""
    number = os.geteuid()
    try:
        login = pwd.getpwuid(number).pw_name
    except KeyError:  # a container's account need not have a name
        login = str(number)
    return Actor(login, asked_by or os.environ.get("SUDO_USER") or None)


class Journal:
    """The journal of one home, written in the name of one actor."""

    def __init__(self, home: Home, actor: Actor) -> None:
        self._home = home
        self._actor = actor

    def witness(self, move: Move) -> None:
        """Writes down a move of a pointer that is about to be made, and a new release as one to tell of."""
        pointer = move.pointer
        if move.action in ("publish", "amend", "approve"):
            owe(self._home, Untold(pointer.unit_code, pointer.quarter, pointer.release_name))
        self.note(
            move.action,
            unit=pointer.unit_code,
            period=pointer.quarter,
            release=pointer.release,
            by=move.by,
            pointer_before=move.before,
            pointer_after=move.after,
        )

    def note(self, action: str, **facts: Any) -> None:
        """Adds a line; facts that are None are left out. Raises ``OSError``: then it shall not be done either."""
        head = {"at": now().isoformat(), "login": self._actor.login, "asked_by": self._actor.asked_by}
        line = _without_blanks({**head, "action": action, **facts})
        # What was published before there was a journal is taken as it was found.
        first = None
        if not self._home.journal.exists():
            first = _without_blanks({**head, "action": "begin", "pointers": _pointers(self._home)})
        add_line(self._home.journal, line, first=first)


def _without_blanks(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value is not None}


def _pointers(home: Home) -> dict[str, str]:
    """sha256 of the pointer of every unit that the home serves, by ``unit/period``."""
    files = (path for path in home.published.glob("[!.]*/*/current.json") if path.is_file())
    found = ((path.parent.parent.name, path.parent.name, path) for path in sorted(files))
    return {f"{unit}/{period}": sha256_file(path) for unit, period, path in found if home.serves(unit)}


@dataclass(frozen=True)
class JournalCheck:
    """What the journal says of itself and of the pointers. ``head`` is the hash of its last line: noted down elsewhere,
    it proves later that no line up to it was changed.
    """

    lines: int
    head: str | None
    damages: tuple[str, ...]
    began_with: int = 0

    def lines_vi(self) -> list[str]:
        """The same for people."""
        if not self.lines and not self.damages:
            return ["nhật ký thao tác: chưa có dòng nào; lần công bố, khóa hay sửa đổi tới sẽ mở nhật ký"]
        state = "HƯ HẠI" if self.damages else f"nguyên vẹn, {self.lines} dòng, mã dòng cuối {self.head}"
        before = f"; mở khi đã có {self.began_with} kỳ công bố" if self.began_with and not self.damages else ""
        return [f"nhật ký thao tác: {state}{before}", *(f"  - {damage}" for damage in self.damages)]


def check_journal(home: Home) -> JournalCheck:
    """Whether the chain holds and every pointer is the one that its last line says."""
    found = _check(home)
    if found.damages:
        time.sleep(_SECONDS_OF_A_MOVE)
        found = _check(home)
    return found


def _check(home: Home) -> JournalCheck:
    try:
        lines = read_lines(home.journal)
    except BrokenChain as error:
        return JournalCheck(0, None, (str(error),))
    if not lines:
        return JournalCheck(0, None, ())
    began_with = len(lines[0].get("pointers", {}))
    return JournalCheck(len(lines), lines[-1]["entry_hash"], tuple(_damages(home, lines)), began_with)


def _damages(home: Home, lines: list[dict[str, Any]]) -> Iterator[str]:
    recorded: dict[str, list[str | None]] = {place: [sha256] for place, sha256 in lines[0].get("pointers", {}).items()}
    told_in: dict[str, int] = dict.fromkeys(recorded, 1)
    for number, line in enumerate(lines, start=1):
        if "pointer_after" not in line:
            continue
        place = f"{line.get('unit')}/{line.get('period')}"
        states = recorded.setdefault(place, [None])
        if line.get("pointer_before") not in states:
            yield f"dòng {number}: trước đó con trỏ của {place} đã bị thay mà không dòng nào ghi"
        states.append(line["pointer_after"])
        told_in[place] = number
    present = _pointers(home)
    for place, states in recorded.items():
        if present.get(place) != states[-1]:
            yield _why_other(place, present.get(place), states, told_in[place])
    for place in sorted(present.keys() - recorded.keys()):
        yield f"không dòng nào ghi việc công bố {place}: nhật ký bị cắt bớt, hoặc con trỏ do nơi khác ghi"


def _why_other(place: str, present: str | None, states: list[str | None], number: int) -> str:
    """What it means that the pointer is not the one that its last line, of that number, says."""
    if present is None and (states[0] is not None or len(states) > 2):
        return f"mất con trỏ của {place}, ghi ở dòng {number}"
    if present in states:
        return (
            f"con trỏ của {place} còn như trước dòng {number}: lượt đó bị ngắt giữa chừng (chạy lại lệnh đó), "
            "hoặc con trỏ đã bị thay bằng bản cũ"
        )
    return f"con trỏ của {place} không phải con trỏ ghi ở dòng {number}: nhật ký bị cắt bớt, hoặc con trỏ bị sửa"
