"""The outbox: a folder for each unit and period, ``outbox/<unit>/<quarter>/``, with all that goes back to the unit.

Belongs here: where something for a unit lies, and who may read it. Does not belong here: what it says (``feedback`` for
workbooks, orchestration for the receipt and the reminder).

What lies there shows the unit's own cells, personal ones too: it is the program's alone unless the settings name a
group. Where that group cannot be given, a folder stays closed: unreadable for the unit rather than open to others.
"""

from __future__ import annotations

import grp
import os
from pathlib import Path

from common.files import replace_durably
from ingestion.base.paths import IngestPaths, OutboxAccess

_CLOSED = OutboxAccess()


def folder_of(paths: IngestPaths, unit_code: str, quarter: str) -> Path:
    return paths.outbox / unit_code / quarter


def write(paths: IngestPaths, path: Path, data: bytes) -> None:
    """Puts a file into the outbox, whole or not at all; folders and file get mode and group of the settings.

    ``path`` lies below a unit's folder. Raises ``OSError`` where it cannot be written.
    """
    unit = path.relative_to(paths.outbox).parts[0]
    paths.outbox.mkdir(mode=0o700, parents=True, exist_ok=True)
    paths.outbox.chmod(paths.access.root_mode)
    folders = [f for f in reversed(path.parents) if paths.outbox in f.parents]
    for folder in folders:
        folder.mkdir(mode=0o700, exist_ok=True)
        _open_to(paths.access, unit, folder)
    replace_durably(path, data, mode=_CLOSED.folder_mode & 0o666)
    _open_to(paths.access, unit, path)


def write_where_new(paths: IngestPaths, path: Path, data: bytes) -> None:
    """As :func:`write`; a file that says just this already stays as it is."""
    if not path.is_file() or path.read_bytes() != data:
        write(paths, path, data)


def _open_to(access: OutboxAccess, unit_code: str, path: Path) -> None:
    """Gives the group what is its own, then the rights: never rights to the group that was there before."""
    mode, group = access.folder_mode, access.group_of(unit_code)
    if group:
        try:
            os.chown(path, -1, grp.getgrnam(group).gr_gid)
        except (KeyError, PermissionError):
            mode = _CLOSED.folder_mode
    path.chmod(mode if path.is_dir() else mode & 0o666)
