"""``published/tables/``: figures of all current releases as Parquet that programs read in place, without a database.

Belongs here: which tables stand there, in which files, how these are laid out, and whether they are what was written.
Does not belong here: finding releases and when the files are made (``publication.index``), the database over all
releases (``collection``), a release's own Parquet (``store.parquet``).

``tables/<table>/quarter=<period>/rows.parquet`` holds the rows of every unit's current release of a period: one file to
open for thousands of units, and a late file rewrites that of its own period only. A file is laid out for who wants a
part of it. Rows stand by unit, and a row group never cuts a unit in two, so that its least and greatest unit tell a
reader which group to read; what a figure is and its value are the first columns, side by side, so that who wants one
indicator of all units reads little more than these.

Everything follows from the releases: the bytes too, whatever was there before. :data:`PROOF_NAME` says of which
releases each file was made and what its hash is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from common.files import (
    canonical_json,
    fsync_path,
    replace_durably,
    sealed_json,
    sha256_bytes,
    sha256_file,
    unsealed,
)
from publication.store.contracts import table_name
from publication.store.parquet import WRITER_OPTIONS, from_parquet, in_total_order

FOLDER_NAME = "tables"
#: Beside the folder, since some readers take every file in it for one of theirs.
PROOF_NAME = "tables.json"
#: The tables that stand there, and the columns that come first in them.
TABLES: Mapping[str, Sequence[str]] = {
    "report_indicators": ("unit_code", "indicator_code", "value", "value_text", "status", "unit_of_measure"),
}
#: In the name of the folder instead of in the file: most readers refuse a column that stands in both.
PARTITION = "quarter"
FILE_NAME = "rows.parquet"
#: Rows of a group, but for what completes its last unit: some eighty units of the form.
_ROW_GROUP = 16_384
#: Raised when files are laid out otherwise, so that all are written anew.
_LAYOUT = 1

Entry = Mapping[str, Any]
#: Label and manifest's hash of each release in a file, in the order of its rows.
Made = list[list[str]]


def refresh_folders(published: Path, entries: Sequence[Entry], *, anew: bool = False) -> None:
    """Makes the files those of these entries of the index; each is replaced in one step, and only where others are
    current than those that it was made of, or it is not what was written. ``anew``: nothing is taken from before.

    A release whose table is lost or cannot be read is in no file, which the proof says: another unit's publication does
    not fail over it. The proof is written last: a file that it does not know is written again. The caller syncs the
    folder of the index.
    """
    known = {} if anew else _proven(published)
    files: dict[str, Any] = {}
    for name, wanted in _files(published, entries).items():
        path, told = published / name, known.get(name)
        if told is None or not _is_as_written(path, told):
            told = None
        if told is None or told["made_of"] != _labels(wanted):
            rows, lost = _rows(published, name, wanted, path if told else None, told["made_of"] if told else [])
            if rows is None:
                path.unlink(missing_ok=True)
            else:
                _make_folder(published, path.parent)
                replace_durably(path, rows)
            told = {"made_of": _labels(wanted), "without": lost, "sha256": sha256_bytes(rows) if rows else None}
        files[name] = told
    _remove_others(published, {name for name, told in files.items() if told["sha256"]})
    replace_durably(published / PROOF_NAME, _proof(files), sync_directory=False)


def folders_are_whole(published: Path, entries: Sequence[Entry]) -> bool:
    """Whether the files are those that were written, and made of these entries. Raises OSError as files do."""
    known, wanted = _proven(published), _files(published, entries)
    if not known and (published / PROOF_NAME).read_bytes() != _proof({}):
        return False
    there = {published / name for name, told in known.items() if told["sha256"]}
    return (
        {name: told["made_of"] for name, told in known.items()} == {n: _labels(found) for n, found in wanted.items()}
        and set(_present(published)) == there
        and all(_is_as_written(published / name, told) for name, told in known.items())
    )


def layout_of_folders() -> bytes:
    """What the files look like: a change of the program that changes them changes it."""
    return canonical_json([_LAYOUT, FOLDER_NAME, PARTITION, FILE_NAME, _ROW_GROUP, dict(TABLES)])


def _files(published: Path, entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    """The releases of each file, by the file's path below ``published``; another major version is another table."""
    found: dict[str, list[Entry]] = {}
    for entry in sorted(entries, key=lambda entry: (entry["quarter"], entry["unit_code"])):
        for mart in TABLES.keys() & entry["tables"].keys():
            version = entry["tables"][mart]
            table = table_name(mart, version) if version else mart
            name = f"{FOLDER_NAME}/{table}/{PARTITION}={entry['quarter']}/{FILE_NAME}"
            found.setdefault(name, []).append(entry)
    return found


def _label(entry: Entry) -> tuple[str, str]:
    return f"{entry['unit_code']}/{entry['quarter']}/r{entry['release']}", entry["manifest_sha256"]


def _labels(entries: Sequence[Entry]) -> Made:
    return [[*_label(entry)] for entry in entries]


def _mart_of(name: str) -> str:
    table = name.split("/")[1]
    return next(mart for mart in TABLES if table == mart or table.startswith(f"{mart}_v"))


def _rows(
    published: Path, name: str, wanted: Sequence[Entry], kept: Path | None, kept_of: Made
) -> tuple[bytes | None, list[str]]:
    """The bytes of a file, None where no release of it can be read; and the labels of those that cannot. What ``kept``
    holds of a release, which never changes, is taken from there, so that a late file costs no look at those of others.
    """
    mart, lost = _mart_of(name), []
    before_of = {(label, sha256) for label, sha256 in kept_of}
    same = {label for label, sha256 in map(_label, wanted) if (label, sha256) in before_of}
    parts = []
    if kept is not None:
        before = from_parquet(kept.read_bytes())
        parts.append(before.filter(pc.is_in(before["release"], pa.array(sorted(same), pa.string()))))
        same = set(parts[0]["release"].unique().to_pylist())
    for entry in wanted:
        label = _label(entry)[0]
        if label in same:
            continue
        rows = _of_release(published, mart, entry)
        if rows is None:
            lost.append(label)
        else:
            parts.append(rows)
    if len(lost) == len(wanted):
        return None, lost
    return _written(_in_columns(pa.concat_tables(parts, promote_options="default"), TABLES[mart])), lost


def _of_release(published: Path, mart: str, entry: Entry) -> pa.Table | None:
    """The rows of a release with its label before them, in their order."""
    try:
        table = from_parquet((published / entry["path"] / "marts" / f"{mart}.parquet").read_bytes())
    except (OSError, pa.ArrowException):
        return None
    label = pa.array([_label(entry)[0]] * table.num_rows, pa.string())
    return in_total_order(table).drop_columns([PARTITION]).add_column(0, "release", label).replace_schema_metadata(None)


def _in_columns(table: pa.Table, first: Sequence[str]) -> pa.Table:
    """Rows by unit, each unit's in the order of its release; the columns that come first, then the others."""
    order = ["release", *(name for name in first if name in table.column_names)]
    table = table.select([*order, *(name for name in table.column_names if name not in order)])
    return table.take(pc.sort_indices(table, [("unit_code", "ascending")])).combine_chunks()  # a stable order


def _written(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(
        sink,
        table.schema,
        **WRITER_OPTIONS,
        write_page_index=True,
    ) as writer:
        for start, end in _groups(table["unit_code"]):
            writer.write_table(table.slice(start, end - start), row_group_size=max(1, end - start))
    return bytes(sink.getvalue())


def _groups(units: pa.ChunkedArray) -> Iterator[tuple[int, int]]:
    """First row and the one after the last of each row group: whole units, until there are enough rows."""
    start = end = 0
    for length in pc.value_counts(units).field("counts").to_pylist():  # by first appearance, and rows stand by unit
        end += length
        if end - start >= _ROW_GROUP:
            yield start, end
            start = end
    if end > start:
        yield start, end


def _proof(files: Mapping[str, Any]) -> bytes:
    return sealed_json({"layout": _LAYOUT, "files": dict(files)})


def _proven(published: Path) -> dict[str, Any]:
    """What the proof says of each file; nothing where it is lost, not what was written, or of another layout."""
    try:
        data = (published / PROOF_NAME).read_bytes()
        proof = unsealed(data)
        return dict(proof["files"]) if data == sealed_json(proof) and proof["layout"] == _LAYOUT else {}
    except (OSError, ValueError, LookupError, TypeError):
        return {}


def _is_as_written(path: Path, told: Mapping[str, Any]) -> bool:
    try:
        return bool(sha256_file(path) == told["sha256"])
    except FileNotFoundError:
        return told["sha256"] is None
    except OSError:
        return False


def _present(published: Path) -> list[Path]:
    folder = published / FOLDER_NAME
    return [path for path in folder.rglob("*") if not path.is_dir()] if folder.is_dir() else []


def _make_folder(published: Path, folder: Path) -> None:
    """Makes a folder; each new entry is synced in its parent, but for that of the index, which the caller syncs."""
    missing = [above for above in (folder, *folder.parents) if not above.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for made in missing:
        if made.parent != published:
            fsync_path(made.parent)


def _remove_others(published: Path, names: set[str]) -> None:
    """Takes away what is in no release that is current, and what a stopped process left."""
    for path in _present(published):
        if path.relative_to(published).as_posix() not in names:
            path.unlink()
            for folder in (path.parent, path.parent.parent):
                if folder != published and not any(folder.iterdir()):
                    folder.rmdir()
