"""What is said of a file of the home that is not what it was, and where a damaged one goes.

Belongs here: the record of what was mended, setting a file aside, the advice to take one back from a copy of the home.
Does not belong here: telling that something is damaged, making it again (each room does that with what is its own).
"""

from __future__ import annotations

import errno
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from common.files import PRIVATE, replacing

#: Folder of a home that damaged files are moved to, under the paths they had; nobody reads it but people.
SET_ASIDE = "set_aside"
#: What to do about a file that nothing in the home can make again.
RESTORE_VI = (
    "lấy lại tệp này từ bản sao lưu (CCHC_HOME=THƯ_MỤC_MỚI cchc restore KHO_SAO_LƯU), chép về đúng chỗ cũ rồi chạy lại"
)


@dataclass(frozen=True, slots=True, order=True)
class Mended:
    """Something that was missing or damaged and was made again, or will be where only a look was asked for.

    ``fault_vi`` says what was wrong with ``path``, ``remedy_vi`` how it is made again, as the rest of a sentence that
    begins with the verb; ``aside`` is where the damaged file went, if there was one.
    """

    path: str
    fault_vi: str
    remedy_vi: str
    aside: str | None = None

    def line_vi(self, *, done: bool = True) -> str:
        """The sentence for people."""
        kept = f"; tệp hư để riêng ở {self.aside}" if self.aside else ""
        return f"{self.path} {self.fault_vi}: {'đã' if done else 'sẽ'} {self.remedy_vi}{kept}"


def set_aside(path: Path, home: Path) -> Path:
    """Moves what lies at the path, whatever it is, out of everybody's sight, and returns where to.

    It may hold what tells how the damage came about, or cases of persons: the folder is this user's alone, and
    ``cchc purge`` empties it in time. Raises ``OSError`` where it cannot be moved.
    """
    kept = _free_place(path, home)
    try:
        path.rename(kept)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        shutil.move(path, kept)
    return kept


def copy_aside(path: Path, home: Path) -> Path:
    """As :func:`set_aside` for a file that stays where it lies until another takes its place.

    A copy and no second name of the file: its disk may be another one, and its owner may go on writing to it.
    """
    kept = _free_place(path, home)
    with path.open("rb") as source, replacing(kept, mode=PRIVATE) as target:
        shutil.copyfileobj(source, target)
    return kept


def _free_place(path: Path, home: Path) -> Path:
    folder = home / SET_ASIDE
    target = folder / path.relative_to(home)
    target.parent.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    number = 1
    while os.path.lexists(kept := target.with_name(f"{target.name}.{number}")):
        number += 1
    return kept
