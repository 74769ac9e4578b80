"""Every published text laid out as a relation, so that rules can ask what is in it and whether it fits.

Belongs here: the relations ``published_texts`` (gate 1: delivered texts that will be published, with their rows) and
``published_cells`` (gate 2: every text of every mart of a candidate). Does not belong here: the detectors
(``personal_data``), the rules (``rules/personal_data.yml``). Neither relation holds a text itself, so that no finding
can quote one.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from common.declared import read_yaml
from expectations.expression import quote
from expectations.personal_data import KIND_VI, kinds_of_personal_data
from expectations.suites import UNIT

PUBLISHED_TEXTS, PUBLISHED_CELLS = "published_texts", "published_cells"
_NAME = KIND_VI["person_name"]


class Declared(NamedTuple):
    """``published_texts.yml``: (source, column) -> its Vietnamese name; columns without words; characters that fit."""

    columns: dict[tuple[str, str], str]
    not_words: frozenset[str]
    fits: int


@cache
def declared_texts() -> Declared:
    """The declaration, read once."""
    document = read_yaml(Path(__file__).parent / "published_texts.yml")
    columns = {(source, name): title for source, named in document["sources"].items() for name, title in named.items()}
    return Declared(columns, frozenset(document["not_words"]), int(document["fits"]))


class _TextFinding(NamedTuple):
    """What is said of a text: numbers and addresses in it, whether it names somebody, whether it is too long."""

    datum_vi: str | None
    name_vi: str | None
    too_long: bool


_CLEAN = _TextFinding(None, None, False)


@cache
def _finding_of(text: str) -> _TextFinding:
    declared = declared_texts()
    found = [KIND_VI[kind] for kind in kinds_of_personal_data(text)]
    data = [kind for kind in found if kind != _NAME]
    return _TextFinding(", ".join(data) or None, _NAME if _NAME in found else None, len(text) > declared.fits)


def lay_published_texts(connection: Any, relations: dict[str, str]) -> None:
    """Creates ``published_texts``: one row a unit, source and column that has texts, and every row of a text at fault.

    Args:
        relations: source -> the relation its accepted rows are in; a source that is not listed has no texts.
    """
    connection.execute(
        f"create table {PUBLISHED_TEXTS} ({UNIT} varchar, _source varchar, column_vi varchar, _unit_code varchar, "
        "_file_name varchar, _sheet varchar, _row bigint, _content varchar, characters bigint, fits bigint, "
        "datum_vi varchar, name_vi varchar, too_long boolean)"
    )
    fits = declared_texts().fits
    for (source, column), title in declared_texts().columns.items():
        if source not in relations:
            continue
        relation, name = quote(relations[source]), quote(column)
        texts = connection.execute(
            f"select distinct {UNIT}, {name} from {relation} where {name} is not null order by all"
        ).fetchall()
        rows = [(unit, source, title, None, None, None, None, None, None, fits, *_CLEAN) for unit in _units(texts)]
        for unit, text in texts:
            finding = _finding_of(text)
            if any(finding):
                places = connection.execute(
                    f"select distinct _unit_code, _file_name, _sheet, _row, md5({name}) from {relation} "
                    f"where {UNIT} = ? and {name} = ? order by all",
                    [unit, text],
                ).fetchall()
                rows += [(unit, source, title, *place, len(text), fits, *finding) for place in places]
        _insert(connection, PUBLISHED_TEXTS, rows)


def lay_published_cells(connection: Any, marts: Iterable[str]) -> None:
    """Creates ``published_cells``: one row a unit, mart and column that has texts, and one for each text at fault."""
    connection.execute(
        f"create table {PUBLISHED_CELLS} ({UNIT} varchar, mart varchar, column_name varchar, datum_vi varchar, "
        "name_vi varchar, too_long boolean)"
    )
    for mart in sorted(marts):
        described = connection.execute(f"describe select * from {quote(mart)}").fetchall()
        for name, kind, *_ in described:
            if kind != "VARCHAR" or name == UNIT or name in declared_texts().not_words:
                continue
            texts = connection.execute(
                f"select distinct {UNIT}, {quote(name)} from {quote(mart)} where {quote(name)} is not null order by all"
            ).fetchall()
            rows = [(unit, mart, name, *_CLEAN) for unit in _units(texts)]
            rows += [(unit, mart, name, *finding) for unit, text in texts if any(finding := _finding_of(text))]
            _insert(connection, PUBLISHED_CELLS, rows)


def _units(texts: Iterable[tuple[str, str]]) -> list[str]:
    return sorted({unit for unit, _ in texts})


def _insert(connection: Any, relation: str, rows: list[tuple[Any, ...]]) -> None:
    if rows:
        # Column by column: rows one at a time take a thousand times as long.
        columns = [list(column) for column in zip(*rows, strict=True)]
        marks = ", ".join("unnest(?)" for _ in columns)
        connection.execute(f"insert into {relation} select {marks}", columns)
