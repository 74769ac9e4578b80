"""Files of the landing folder that no delivery is made of: laid in a wrong place, or left over by a program.

Belongs here: finding them, and guessing whose they are and of which quarter, so that the right people are told. Does
not belong here: what makes a file a delivery (``landing``), what comes of the guess (gate 1).
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Collection, Iterator
from pathlib import Path

import pyarrow as pa

from common.quarters import quarter_key
from ingestion.base.paths import IngestPaths
from ingestion.base.reference import ReferenceData
from ingestion.base.remarks import SCHEMA, FileRemark, remark_table
from ingestion.deliveries import delivery_log
from ingestion.deliveries.landing import is_temporary, shown
from ingestion.deliveries.signatures import is_signature, why_unused
from ingestion.text.vietnamese import fold

#: What file managers, archives and this program leave behind; it holds nothing that anybody delivered.
_LEFT_BY_PROGRAMS = frozenset(
    {".DS_Store", "Thumbs.db", "desktop.ini", ".directory", ".gitkeep", ".gitignore", ".gitattributes", ".sample.json"}
)
_FOLDERS_OF_PROGRAMS = frozenset(
    {".git", ".svn", "__MACOSX", ".Trashes", "$RECYCLE.BIN", "System Volume Information", "lost+found"}
)
_MOST_FILES = 500
_YEAR_FIRST = re.compile(r"(20\d\d)\D{0,6}?q(?:uy)?\W{0,2}([1-4]|iv|i{1,3})\b")
_QUARTER_FIRST = re.compile(r"q(?:uy)?\W{0,2}([1-4]|iv|i{1,3})\W{1,2}(?:nam\W{1,2})?(20\d\d)")
_AGENCY = re.compile(r"^(UBND|[UỦ][Yyỷ] ban nhân dân)\s+", re.IGNORECASE)
_ADVICE = "Chuyển tệp vào đúng thư mục <mã đơn vị>/<kỳ>/<nguồn>, hoặc bỏ tệp khỏi thư mục nhận."


def stray_files(
    paths: IngestPaths, reference: ReferenceData, sources: Collection[str], *, signed: bool = False
) -> pa.Table:
    """Remarks on every file that lies where no delivery can lie, with the unit and quarter it seems to be of, and on
    signatures by which nothing is judged; ``signed``: whether decisions must be signed.
    """
    codes, quarters = reference.unit_codes, set(reference.periods)
    tables = [SCHEMA.empty_table()]
    for number, parts in enumerate(_files(paths.landing)):
        why = _why(parts, codes, quarters, sources) or _why_signature(paths.landing.joinpath(*parts), signed)
        if why is None:
            continue
        if number >= _MOST_FILES:
            break
        kind, reason = why
        place = shown("/".join(parts))
        unit = _unit_of(parts[0], codes, reference) if len(parts) > 1 else None
        quarter = _quarter_of(parts[1] if len(parts) > 2 else parts[-1], quarters)
        advice = "" if kind == "signature_file" else _ADVICE
        remark = FileRemark(kind, f"Tệp “{place}” không được đọc: {reason}.", advice, subject=place)
        lineage = {"_unit_code": unit, "_quarter": quarter, "_file_name": shown(parts[-1])}
        tables.append(remark_table([remark], **lineage))
    return pa.concat_tables(tables)


def _files(landing: Path) -> Iterator[tuple[str, ...]]:
    """All that is no folder, as parts of the path below the landing folder, in order."""
    for folder, names, files in os.walk(landing):
        names[:] = sorted(set(names) - _FOLDERS_OF_PROGRAMS)
        above = Path(folder).relative_to(landing).parts
        links = [name for name in names if Path(folder, name).is_symlink()]
        for name in sorted([*files, *links]):
            if name not in _LEFT_BY_PROGRAMS and not name.startswith("._"):
                yield (*above, name)


def _why(
    parts: tuple[str, ...], codes: Collection[str], quarters: Collection[str], sources: Collection[str]
) -> tuple[str, str] | None:
    """Kind of the remark and why the file is not read; None for a delivery and for what belongs to one."""
    if is_temporary(parts[-1]):
        return "temporary_file", "là tệp ẩn, tệp tạm hoặc tệp khóa của chương trình đang mở nó"
    if len(parts) == 1:
        return "stray_file", "nằm ngay trong thư mục nhận, không thuộc đơn vị nào"
    if parts[0] not in codes:
        return "stray_file", f"“{shown(parts[0])}” không phải mã đơn vị"
    if len(parts) == 2:
        return "stray_file", "nằm ngay trong thư mục đơn vị, không thuộc kỳ nào"
    if parts[1] not in quarters:
        return "stray_file", f"“{shown(parts[1])}” không phải kỳ báo cáo đã khai báo, dạng 2023-Q1"
    if len(parts) == 3:
        if parts[2] == delivery_log.FILE_NAME:
            return None
        return "stray_file", "nằm ngay trong thư mục kỳ, không thuộc nguồn nào"
    if parts[2] not in sources:
        return "stray_file", f"“{shown(parts[2])}” không phải nguồn số liệu đã khai báo"
    if len(parts) > 4:
        return "stray_file", "nằm trong thư mục con của thư mục nguồn"
    return None


def _why_signature(path: Path, signed: bool) -> tuple[str, str] | None:
    """The same for a file in the folder of a source."""
    if not is_signature(path.name):
        return None
    reason = why_unused(path, path.parent.name, asked=signed)
    return ("signature_file", reason) if reason else None


def _unit_of(folder: str, codes: Collection[str], reference: ReferenceData) -> str | None:
    """The only unit that a folder's name names, by code or by name."""
    found = {folder} & set(codes) or {code for code in re.findall(r"\d+", folder) if code in codes}
    if not found:
        name = fold(_AGENCY.sub("", re.sub(r"[_.]+", " ", unicodedata.normalize("NFC", folder))))
        found = {unit.code for unit in reference.admin_units if fold(unit.name) == name}
    return found.pop() if len(found) == 1 else None


def _quarter_of(text: str, quarters: Collection[str]) -> str | None:
    """The quarter that a name speaks of, if any."""
    if text in quarters:
        return text
    plain = fold(text)
    if match := _YEAR_FIRST.search(plain):
        year, quarter = match[1], match[2]
    elif match := _QUARTER_FIRST.search(plain):
        quarter, year = match[1], match[2]
    else:
        return None
    name = quarter_key(year, quarter)
    return name if name in quarters else None
