"""Whose fault an error is: the machine's (disk, memory, rights, limits), or what it was about.

Belongs here: telling a failing machine from anything else, whatever library told of it. Does not belong here: what to
say of it (``orchestration.causes``).
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

#: What a machine answers that has no more to give, or fails.
MACHINE_ERRNOS = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.EFBIG}
)
_RIGHTS = frozenset({errno.EACCES, errno.EPERM})
_WORDS = tuple(os.strerror(number) for number in sorted(MACHINE_ERRNOS | _RIGHTS))


def is_of_the_machine(error: BaseException) -> bool:
    """Whether an error, or any that it came of, says that disk, memory, rights or a limit of the machine failed."""
    return any(map(_is_machine_s, _chain(error)))


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__


def _is_machine_s(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno in MACHINE_ERRNOS | _RIGHTS
    # By name: whoever asks need not load the library. Of its errors only this one speaks of files alone: the messages
    # of others may quote what was delivered.
    kind = (type(error).__module__, type(error).__name__)
    if kind == ("_duckdb", "IOException"):
        return any(words in str(error) for words in _WORDS)
    return isinstance(error, MemoryError) or kind == ("_duckdb", "OutOfMemoryException")
