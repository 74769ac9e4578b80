"""The parts of an Office Open XML package, found by its relations, as Excel finds them.

Belongs here: where the workbook, its sheets, styles and strings are stored. Does not belong here: what is in them.
Cell readers expect the names that Excel gives its parts; a package with others is copied with those names.
Source: ECMA-376 part 2 (packages) and part 1, 12.3.
"""

from __future__ import annotations

import html
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

_RELATION = re.compile(rb"<(?:\w+:)?Relationship\b[^>]*>")
_BOOK, _BOOK_RELATIONS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
_PACKAGE_RELATIONS = "_rels/.rels"
_MOST_RELATIONS_BYTES = 8 << 20
# Parts that readers look for under a fixed name, by the last word of the relation's type.
_FIXED = {"sharedStrings": "xl/sharedStrings.xml", "styles": "xl/styles.xml"}


def attribute(tag: bytes, name: bytes) -> str:
    """An attribute of a tag, without entities; empty where there is none."""
    match = re.search(rb"""\b%s\s*=\s*(?:"([^"]*)"|'([^']*)')""" % name, tag)
    return unescaped((match[1] or match[2] or b"").decode("utf-8", errors="replace")) if match else ""


def unescaped(text: str) -> str:
    for entity, sign in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&")):
        text = text.replace(entity, sign)
    return text


class Package:
    """The names of a package's parts: lower case, with forward slashes, without a leading one."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self.stored = {self.plain(name): name for name in archive.namelist()}

    @staticmethod
    def plain(name: str) -> str:
        return name.replace("\\", "/").lstrip("/").casefold()

    def relations(self, part: str) -> list[tuple[str, str, str]]:
        """Identity, last word of the type and target part (plain) of a part's relations inside the package."""
        folder, _, name = part.rpartition("/")
        stored = self.stored.get(f"{folder}/_rels/{name}.rels".lstrip("/"))
        if stored is None or self.archive.getinfo(stored).file_size > _MOST_RELATIONS_BYTES:
            return []
        found = []
        for tag in _RELATION.findall(self.archive.read(stored)):
            if attribute(tag, b"TargetMode").casefold() == "external":
                continue
            target = unquote(attribute(tag, b"Target")).replace("\\", "/")
            absolute = target if target.startswith("/") else f"{folder}/{target}"
            kind = attribute(tag, b"Type").rpartition("/")[2]
            found.append((attribute(tag, b"Id"), kind, self.plain(_resolved(absolute))))
        return found

    @property
    def main_part(self) -> str:
        """The part that the package is about; empty where no relation says so."""
        parts = [target for _, kind, target in self.relations("") if kind == "officeDocument"]
        return next((part for part in parts if part in self.stored), "")


def _resolved(path: str) -> str:
    out: list[str] = []
    for step in PurePosixPath(path).parts:
        if step == "..":
            out = out[:-1]
        elif step not in ("/", "."):
            out.append(step)
    return "/".join(out)


def kind_of(archive: zipfile.ZipFile) -> str:
    """``xlsx``, ``xlsb`` or ``docx`` by the package's main part; empty where it is none of these."""
    package = Package(archive)
    main = package.main_part
    for name, kind in (("xl/workbook.xml", "xlsx"), ("xl/workbook.bin", "xlsb"), ("word/document.xml", "docx")):
        if main == name or (not main and name in package.stored):
            return kind
    if not main:
        return ""
    with archive.open(package.stored[main]) as part:
        head = part.read(4096)
    if re.search(rb"<(?:\w+:)?workbook\b", head):
        return "xlsx"
    return "docx" if re.search(rb"<(?:\w+:)?document\b", head) else "xlsb" if main.endswith(".bin") else ""


@contextmanager
def with_usual_names(path: Path) -> Iterator[Path]:
    """The workbook with its parts under the names that Excel gives them: itself where it has them, else a copy."""
    with zipfile.ZipFile(path) as archive:
        package = Package(archive)
        book = package.main_part or _BOOK
        relations = package.relations(book)
        names: dict[str, str] = {book: _BOOK}
        for number, (_, kind, part) in enumerate(relations):
            usual = _FIXED.get(kind) or (f"xl/worksheets/sheet{number}.xml" if kind == "worksheet" else "")
            if usual and part in package.stored:
                names.setdefault(part, usual)
        is_usual = book == _BOOK and all(
            part == usual.casefold() or (usual.startswith("xl/worksheets/") and part.startswith("xl/"))
            for part, usual in names.items()
        )
        if is_usual and not any("\\" in stored or stored.startswith("/") for stored in package.stored.values()):
            yield path
            return
        with tempfile.NamedTemporaryFile(suffix=".xlsx") as copy:
            with zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
                out.writestr(_BOOK_RELATIONS, _relations_xml(relations, names))
                out.writestr(_PACKAGE_RELATIONS, _relations_xml([("book", "officeDocument", book)], names))
                taken = {*names.values(), _BOOK_RELATIONS, _PACKAGE_RELATIONS}
                folder, _, name = book.rpartition("/")
                left_out = f"{folder}/_rels/{name}.rels".lstrip("/")
                for part, stored in package.stored.items():
                    usual = names.get(part, part)
                    if part == left_out or stored.endswith(("/", "\\")) or (part not in names and usual in taken):
                        continue
                    with archive.open(stored) as source, out.open(usual, "w") as target:
                        shutil.copyfileobj(source, target, 1 << 20)
            copy.flush()
            yield Path(copy.name)


def _relations_xml(relations: list[tuple[str, str, str]], names: dict[str, str]) -> str:
    lines = [
        f'<Relationship Id="{html.escape(identity)}" Target="/{names[part]}" '
        f'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}"/>'
        for identity, kind, part in relations
        if part in names
    ]
    space = "http://schemas.openxmlformats.org/package/2006/relationships"
    return f'<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="{space}">{"".join(lines)}</Relationships>'
