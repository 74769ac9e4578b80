"""``datapackage.json``: a release described for programs, as a Frictionless Data Package.

Belongs here: the descriptor and reading it back. Does not belong here: what the tables hold (``contracts``, from which
all meanings come), hashes for ``cchc verify`` (``manifest``).

Tables are described twice only where they are written twice: each mart as Parquet, the form as ``annex.csv`` too. The
DuckDB file has no hash here, because its bytes differ from run to run (see ``database``); the manifest has it.
Parquet files carry a schema but the type ``file``: the frictionless library then checks their bytes and hash, while its
reader of tables would turn blanks into NaN and call them errors.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from common.files import readable_json, regular_files, sha256_bytes
from publication.content.release_content import FINAL_VI, ReleaseContent
from publication.store.candidate import FORM_MART
from publication.store.contracts import Column, contract_type, stored_contracts
from publication.store.csvfile import from_csv_header
from publication.tables.manifest import MANIFEST_NAME, NOT_REPRODUCIBLE

PACKAGE_NAME = "datapackage.json"
_PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
#: CSV files and the table each of them holds.
_CSV_TABLES = {"report/annex.csv": FORM_MART, "quality/notes.csv": "notes", "quality/changes.csv": "changes"}
_MEDIA_TYPES = {
    ".csv": "text/csv",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".duckdb": "application/vnd.duckdb",
    ".html": "text/html",
    ".json": "application/json",
    ".parquet": "application/vnd.apache.parquet",
    ".pdf": "application/pdf",
    ".txt": "text/plain",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_FIELD_TYPES = {
    "varchar": "string",
    "integer": "integer",
    "bigint": "integer",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "datetime",
}
_BLANK = "A blank cell is unknown or does not apply; it never stands for zero."


def media_type(name: str) -> str:
    """What a published file is, by the ending of its name."""
    return _MEDIA_TYPES.get(Path(name).suffix, "application/octet-stream")


class PackageDamaged(Exception):
    """The descriptor does not describe the files beside it."""


def write_package(content: ReleaseContent, folder: Path) -> None:
    """Write the descriptor of everything in ``folder``; call it when every other output is there."""
    (folder / PACKAGE_NAME).write_bytes(readable_json(describe(content, folder)))


def describe(content: ReleaseContent, folder: Path) -> dict[str, Any]:
    """The descriptor: a function of the files (but for the DuckDB file) and of what the content says."""
    return {
        "$schema": _PROFILE,
        "name": f"cchc-{content.unit_code}-{content.quarter}".lower(),
        "title": f"Administrative reform figures, {content.unit_name_vi}, {content.quarter}",
        "title_vi": f"Số liệu cải cách hành chính {content.quarter_vi}, {content.unit_name_vi}",
        "description": f"{'Provisional' if content.provisional_vi else 'Official'} figures of one reporting unit and "
        f"period, as published. {_BLANK}",
        "description_vi": f"{(content.standing_vi or FINAL_VI).capitalize()} của một đơn vị báo cáo trong một kỳ, đúng "
        "như đã công bố. Ô trống là chưa có hoặc không phát sinh, không bao giờ là số 0.",
        "version": f"r{content.revision.release if content.revision else 1}",
        "provisional": bool(content.provisional_vi),
        "languages": ["vi", "en"],
        "unit_code": content.unit_code,
        "quarter": content.quarter,
        "form_version": content.form_version,
        "contributors": [{"title": content.unit_name_vi, "roles": ["publisher"]}],
        **_terms(content),
        "sources": [{"title": name} for name in _sources(content)],
        "resources": [_resource(content, name, path) for name, path in _files(folder).items()],
    }


def _terms(content: ReleaseContent) -> dict[str, Any]:
    """Licence and contact, where the office has named them. The standard knows a licence by its address, and strict
    readers refuse the whole package over one without; then only the name stands there, as a property of ours.
    """
    imprint = content.imprint
    named = {"path": imprint.licence_url, **({"title": imprint.licence_vi} if imprint.licence_vi else {})}
    return {
        **({"licenses": [named]} if imprint.licence_url else {}),
        **({"licence_vi": imprint.licence_vi} if imprint.licence_vi else {}),
        **({"contact_vi": imprint.contact_vi} if imprint.contact_vi else {}),
    }


def terms_of(package: Mapping[str, Any]) -> dict[str, str]:
    """Licence and contact as a descriptor names them (``licence_url``, ``licence_vi``, ``contact_vi``), as far as it
    does. One of an earlier version has the licence's name beside its address only, and may have no address.
    """
    licence: Mapping[str, str] = next(iter(package.get("licenses", ())), {})
    told = {
        "licence_url": licence.get("path"),
        "licence_vi": package.get("licence_vi", licence.get("title")),
        "contact_vi": package.get("contact_vi"),
    }
    return {name: text for name, text in told.items() if text}


def check_package(content: ReleaseContent, folder: Path) -> None:
    """Read the descriptor again and hold it against every file. Raises PackageDamaged."""
    stored = json.loads((folder / PACKAGE_NAME).read_bytes())
    listed = [resource["path"] for resource in stored["resources"]]
    if listed != list(_files(folder)):
        raise PackageDamaged(f"{PACKAGE_NAME} lists other files than the release has: it must be written last")
    if stored != describe(content, folder):
        raise PackageDamaged(f"{PACKAGE_NAME} does not describe the files beside it")


def _files(folder: Path) -> dict[str, Path]:
    return {name: path for name, path in regular_files(folder).items() if name not in (PACKAGE_NAME, MANIFEST_NAME)}


def _sources(content: ReleaseContent) -> list[str]:
    """Sources that the deliveries behind the figures are of; from the log of deliveries."""
    log = content.tables.get("delivery_log")
    if log is None or "source" not in log.column_names:
        return []
    return sorted(set(log["source"].to_pylist()))


def _resource(content: ReleaseContent, name: str, path: Path) -> dict[str, Any]:
    resource: dict[str, Any] = {
        "type": "file",
        "name": re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-"),
        "path": name,
        "format": path.suffix.lstrip("."),
        "mediatype": media_type(path.name),
    }
    if name not in NOT_REPRODUCIBLE:
        data = path.read_bytes()
        resource |= {"bytes": len(data), "hash": f"sha256:{sha256_bytes(data)}"}
    if name.startswith("marts/"):
        types = {field.name: field.type for field in content.tables[path.stem].schema}
        return resource | _table(path.stem, types)
    if name in _CSV_TABLES:
        described = _csv_table(content, _CSV_TABLES[name], from_csv_header(data))
        return resource | {"type": "table", "encoding": "utf-8"} | described
    return resource


def _csv_table(content: ReleaseContent, table: str, columns: Sequence[str]) -> dict[str, Any]:
    """Types come from the table of that name where the release has one, else from its contract."""
    known = {field.name: field.type for field in content.tables[table].schema} if table in content.tables else {}
    described = _table(table, {name: known.get(name) for name in columns})
    described["description"] = described.get("description", "") + (
        " Texts that a spreadsheet would run as a formula start with one apostrophe more than they have."
    )
    return described


def _table(name: str, types: Mapping[str, pa.DataType | None]) -> dict[str, Any]:
    """Titles, version and schema of one table; a table or column without a contract is described by its types alone."""
    contract = stored_contracts().get(name)
    described: dict[str, Any] = {}
    if contract is not None:
        described |= {"description": contract.description, "contract_version": contract.version}
        if contract.description_vi:
            described["description_vi"] = contract.description_vi
    columns = contract.by_name if contract else {}
    schema: dict[str, Any] = {
        "fields": [_field(column, kind, columns.get(column)) for column, kind in types.items()],
        "missingValues": [""],
    }
    if contract is not None and contract.key and set(contract.key) <= set(types):
        # A primary key has no blanks; a key that may have some is unique all the same.
        never_blank = all(columns[name].required for name in contract.key)
        if never_blank:
            schema["primaryKey"] = list(contract.key)
        else:
            schema["uniqueKeys"] = [list(contract.key)]
    return described | {"schema": schema}


def _field(name: str, kind: pa.DataType | None, column: Column | None) -> dict[str, Any]:
    declared = contract_type(kind) if kind is not None else column.type if column else "varchar"
    field: dict[str, Any] = {"name": name, **_field_type(declared)}
    if column is None:
        return field
    field["description"] = column.description
    details = {
        "title": column.description_vi,
        "unit": column.unit,
        "unit_vi": column.unit_vi,
        "blank_when": column.blank_when,
    }
    field |= {key: text for key, text in details.items() if text}
    constraints: dict[str, Any] = {"required": True} if column.required else {}
    if column.values:
        constraints["enum"] = list(column.values)
    return field | ({"constraints": constraints} if constraints else {})


def _field_type(declared: str) -> dict[str, Any]:
    if declared.endswith("[]"):
        return {"type": "array", "arrayItem": _field_type(declared.removesuffix("[]"))}
    if declared.startswith("decimal"):
        return {"type": "number", "sql_type": declared}
    return {"type": _FIELD_TYPES[declared], "sql_type": declared}
