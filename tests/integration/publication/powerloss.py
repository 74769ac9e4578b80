"""A file system that forgets what was not synced.

Belongs here: replaying recorded calls on a model of a disk, and every state that a power cut may leave there. Does not
belong here: what of it a publication must survive.

The model is the pessimistic reading of POSIX: a file has the content of its last fsync, or any later one; a folder has
the entries of its last fsync, plus any of the changes since, in any selection. A rename within a folder is one change.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.integration.publication.watched import Call

#: A state after a power cut: content by path below the root, with slashes; a folder's path ends with one.
State = Mapping[str, bytes]


@dataclass
class _File:
    now: bytearray = field(default_factory=bytearray)
    synced: bytes = b""


@dataclass(frozen=True)
class _Entry:
    """One change of a folder's entries: ``gone`` is taken away, then ``name`` leads to ``node``."""

    gone: str | None
    name: str | None = None
    node: _File | _Folder | None = None


@dataclass
class _Folder:
    now: dict[str, _File | _Folder] = field(default_factory=dict)
    synced: dict[str, _File | _Folder] = field(default_factory=dict)
    pending: list[_Entry] = field(default_factory=list)

    def change(self, entry: _Entry) -> None:
        _apply(self.now, entry)
        self.pending.append(entry)


def _apply(entries: dict[str, _File | _Folder], entry: _Entry) -> None:
    if entry.gone is not None:
        entries.pop(entry.gone, None)
    if entry.name is not None and entry.node is not None:
        entries[entry.name] = entry.node


class Disk:
    """What is below a folder, now and for certain. What is there at the start is for certain.

    ``names`` are the entries of the folder that are looked at.
    """

    def __init__(self, root: Path, *names: str) -> None:
        self.root = root
        self._top = _load(root, names)
        self._handles: dict[int, tuple[_File, int]] = {}

    def replay(self, call: Call) -> None:
        """Do what the call did. Raises KeyError for a call that this model does not know."""
        _REPLAY[call.name](self, call)

    def states(self, after: Call, *, only_extremes: bool = False) -> Iterator[State]:
        """Every modelled state of this moment that the call which came last may have brought about; some are alike.

        The extremes come first: no change since the last sync, and all changes of folders but none of contents.
        """
        if _REPLAY[after.name] in (Disk._nothing, Disk._seek):
            return
        if _REPLAY[after.name] in (Disk._write, Disk._write_at, Disk._truncate):
            yield from () if only_extremes else self._half_and_wholly_written()
            return
        pending = [(folder, entry) for folder in self._folders(self._top) for entry in folder.pending]
        everything = set(range(len(pending)))
        extremes = [set[int](), everything]
        others = [*({n} for n in everything), *(everything - {n} for n in everything)]
        for selection in extremes if only_extremes else extremes + others:
            chosen = [pending[n] for n in sorted(selection)]
            yield self._state(chosen, lambda file: file.synced)
        if not only_extremes:
            yield from self._half_and_wholly_written()

    def now(self) -> State:
        """What a process sees."""
        return self._with_all_entries(lambda file: bytes(file.now))

    def _half_and_wholly_written(self) -> Iterator[State]:
        for part in (1, 2):
            yield self._with_all_entries(
                lambda file, part=part: (
                    file.synced
                    if file.now == file.synced  # type: ignore[misc]
                    else bytes(file.now[: len(file.now) * part // 2])
                )
            )

    def _with_all_entries(self, content: Callable[[_File], bytes]) -> State:
        pending = [(folder, entry) for folder in self._folders(self._top) for entry in folder.pending]
        return self._state(pending, content)

    def _folders(self, folder: _Folder) -> Iterator[_Folder]:
        """Every folder that is or was in the tree, so that a change in one that was moved is not forgotten."""
        yield folder
        nodes = {id(node): node for node in itertools.chain(folder.now.values(), folder.synced.values())}
        for node in nodes.values():
            if isinstance(node, _Folder):
                yield from self._folders(node)

    def _state(self, chosen: Iterable[tuple[_Folder, _Entry]], content: Callable[[_File], bytes]) -> State:
        entries: dict[int, dict[str, _File | _Folder]] = {}
        for folder, entry in chosen:
            _apply(entries.setdefault(id(folder), dict(folder.synced)), entry)

        def below(folder: _Folder, path: str) -> Iterator[tuple[str, bytes]]:
            for name, node in entries.get(id(folder), folder.synced).items():
                if isinstance(node, _File):
                    yield path + name, content(node)
                else:
                    yield f"{path}{name}/", b""
                    yield from below(node, f"{path}{name}/")

        return dict(below(self._top, ""))

    # -- calls -----------------------------------------------------------------------------------------------------

    def _place(self, path: Path) -> tuple[_Folder, str]:
        folder = self._top
        *above, name = path.relative_to(self.root).parts
        for part in above:
            node = folder.now[part]
            assert isinstance(node, _Folder), path
            folder = node
        return folder, name

    def _open(self, call: Call) -> None:
        folder, name = self._place(call.paths[0])
        file = folder.now.get(name)
        if file is None:
            file = _File()
            folder.change(_Entry(None, name, file))
        assert isinstance(file, _File), call
        if "O_TRUNC" in call.arguments or call.name == "creat":
            file.now.clear()
        self._handles[call.handle] = (file, len(file.now) if "O_APPEND" in call.arguments else 0)

    def _write(self, call: Call) -> None:
        file, offset = self._handles[call.handle]
        self._put(file, offset, call)
        self._handles[call.handle] = (file, offset + call.result)

    def _write_at(self, call: Call) -> None:
        self._put(self._handles[call.handle][0], int(call.arguments.rsplit(", ", 1)[1]), call)

    def _put(self, file: _File, offset: int, call: Call) -> None:
        file.now.extend(bytes(max(0, offset - len(file.now))))
        file.now[offset : offset + call.result] = call.data[: call.result]

    def _seek(self, call: Call) -> None:
        if call.handle in self._handles:
            self._handles[call.handle] = (self._handles[call.handle][0], call.result)

    def _truncate(self, call: Call) -> None:
        file, _ = self._handles[call.handle]
        length = int(call.arguments.rsplit(", ", 1)[1])
        file.now[:] = file.now[:length].ljust(length, b"\0")

    def _sync(self, call: Call) -> None:
        if call.paths[0] == self.root:
            node: _File | _Folder = self._top
        else:
            folder, name = self._place(call.paths[0])
            node = folder.now[name]
        if isinstance(node, _File):
            node.synced = bytes(node.now)
        else:
            node.synced, node.pending = dict(node.now), []

    def _make_folder(self, call: Call) -> None:
        folder, name = self._place(call.paths[0])
        folder.change(_Entry(None, name, _Folder()))

    def _move(self, call: Call) -> None:
        source, target = call.paths
        assert source.parent == target.parent, "a move between folders is not modelled"
        folder, name = self._place(source)
        folder.change(_Entry(name, target.name, folder.now[name]))

    def _remove(self, call: Call) -> None:
        folder, name = self._place(call.paths[0])
        folder.change(_Entry(name))

    def _nothing(self, call: Call) -> None:
        """Modes are no part of what is promised."""


_REPLAY: dict[str, Callable[[Disk, Call], None]] = {
    "open": Disk._open,
    "openat": Disk._open,
    "creat": Disk._open,
    "write": Disk._write,
    "pwrite64": Disk._write_at,
    "lseek": Disk._seek,
    "ftruncate": Disk._truncate,
    "fsync": Disk._sync,
    "fdatasync": Disk._sync,
    "mkdir": Disk._make_folder,
    "mkdirat": Disk._make_folder,
    "rename": Disk._move,
    "renameat": Disk._move,
    "renameat2": Disk._move,
    "unlink": Disk._remove,
    "unlinkat": Disk._remove,
    "rmdir": Disk._remove,
    "chmod": Disk._nothing,
    "fchmod": Disk._nothing,
    "fchmodat": Disk._nothing,
    "utimensat": Disk._nothing,
}


def files_below(root: Path, *names: str) -> State:
    """What is there below the named entries of a folder, as a state."""
    return Disk(root, *names).now()


def write_state(state: State, root: Path) -> None:
    """Lay a state out in a folder that has nothing of it."""
    for name in sorted(state):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir(exist_ok=True)
        else:
            path.write_bytes(state[name])


def _load(path: Path, names: Collection[str] = ()) -> _Folder:
    entries: dict[str, _File | _Folder] = {}
    for child in sorted(path.iterdir()):
        if names and child.name not in names:
            continue
        data = None if child.is_dir() else child.read_bytes()
        entries[child.name] = _load(child) if data is None else _File(bytearray(data), data)
    return _Folder(entries, dict(entries))
