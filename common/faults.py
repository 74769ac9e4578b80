"""Whose fault an error is: the machine's (disk, memory, rights, limits), or what it was about.

Belongs here: telling a failing machine from anything else, whatever library told of it. Does not belong here: what to
say of it (``orchestration.causes``).
"""

from __future__ import annotations

import errno
from collections.abc import Iterator

#: What a machine answers that has no more to give, or fails.
MACHINE_ERRNOS = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.EFBIG}
)
# By name: whoever asks need not load the library. Its messages are no help, they may quote what was delivered.
_CLASSES = frozenset({("_duckdb", "IOException"), ("_duckdb", "OutOfMemoryException")})


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
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, OSError) and error.errno in MACHINE_ERRNOS | {errno.EACCES, errno.EPERM}:
        return True
    return any((kind.__module__, kind.__name__) in _CLASSES for kind in type(error).__mro__)
