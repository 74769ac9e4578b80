"""What pages name is there: paths, commands and options, settings, tests, rules, names of the code, links and headings.

Belongs here: whatever can be held against the tree for every page alike. Does not belong here: whether a sentence is
true; pages that are followed to the letter have a test of their own (``test_runbook``, ``test_consumer_guide``).
A name counts as there where the code has it: a page may speak of a column, a kind of remark or a key of a file.
"""

from __future__ import annotations

import dataclasses
import os
import pkgutil
import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Set
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
from pydantic import BaseModel

from expectations import declared_rules
from ingestion import IntakeLimits, load_contracts
from ingestion.base import contracts
from orchestration import doctor
from orchestration.addresses import AlertKind
from orchestration.cli.app import app
from orchestration.settings import PROJECT_DIR, Settings

#: What is made beside the sources: folders of tools, of builds, of dbt, and a home.
_MADE = re.compile(r"\.(?!ci$).*|(.*/)?__pycache__|build|data|dbt_project/(target|logs)|.*\.egg-info")
_OF_CODE = {".py", ".sql", ".yml", ".yaml", ".toml", ".j2", ".js", ".sh", ".typ", ".conf", ".service", ".example", ""}
_FILE = re.compile(r"\.(py|sql|csv|yml|yaml|md|toml|sh|conf|typ|service|json|jsonl|lock)$")
_COMMAND = re.compile(r"^(?:[A-Z_]+=\S+ )*(?:sudo )?(?:\S*/)?cchc(?: |$)")
#: What a page follows by way of example, and makes only in its own test.
_EXAMPLE = "citizen_petitions"
#: Options and names of other programs.
_OF_OTHERS = {"--vars", "--now", "--collector.textfile.directory", "local_lock", "fetch_column_metadata"}


def _walk() -> Iterator[str]:
    for folder, folders, names in os.walk(PROJECT_DIR):
        place = Path(folder).relative_to(PROJECT_DIR)
        folders[:] = [name for name in folders if not _MADE.fullmatch(str(place / name))]
        yield from (str(place / name) for name in (*folders, *names) if not name.startswith(".git"))


TREE = frozenset(_walk())
PAGES = sorted(name for name in TREE if name.endswith(".md"))
_TOP = {name.split("/")[0] for name in TREE if "/" in name}


@cache
def _code() -> tuple[str, Set[str]]:
    """All that is no page, and its words. This file's own names are none of them."""
    paths = [path for name in TREE if (path := PROJECT_DIR / name).is_file() and path != Path(__file__)]
    text = "\n".join(path.read_text("utf-8", "replace") for path in paths if path.suffix in _OF_CODE)
    for path in (path for path in paths if path.suffix == ".csv"):
        with path.open(encoding="utf-8", errors="replace") as table:
            text += table.readline()  # of a table the names of its columns
    return text, {*re.findall(r"\w+", text), *(path.stem for path in paths)}


@cache
def _text(page: str) -> str:
    """The page; of the list of changes what is not released, since older ones may name what is gone."""
    text = (PROJECT_DIR / page).read_text("utf-8")
    return text if page != "CHANGELOG.md" else "".join(re.split(r"(?m)^(?=## )", text)[:2])


def _prose(text: str) -> str:
    return re.sub(r"```.*?```", "", text, flags=re.DOTALL)


def _spans(text: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", _prose(text))


def _blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^ *```{language}\n(.*?)```", text, flags=re.DOTALL | re.MULTILINE)


def _anchors(text: str) -> set[str]:
    """The addresses of the headings, as GitHub makes them."""
    titles = [re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", one) for one in re.findall(r"(?m)^#+ (.*)$", _prose(text))]
    return {re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for title in titles}


def _links(page: str, text: str) -> Iterator[tuple[str, str]]:
    """File and heading of each link into the project."""
    for address in re.findall(r"\]\(([^)\s]+)\)|<img src=\"([^\"]+)\"", _prose(text)):
        path, _, heading = "".join(address).partition("#")
        if "://" not in path:
            yield os.path.normpath(Path(page).parent / path) if path else page, heading


def _faults(page: str, text: str) -> Iterator[str]:
    for path, heading in _links(page, text):
        if path not in TREE:
            yield f"link to {path}"
        elif heading and heading not in _anchors(text if path == page else _text(path)):
            yield f"heading {path}#{heading}"
    spans = _spans(text)
    for line in [*spans, *(line.strip() for block in _blocks(text, "(?:sh)?") for line in block.splitlines())]:
        yield from _faults_of_a_command(line)
    for block in _blocks(text, "toml"):
        yield from (f"setting {name}" for name in tomllib.loads(block).keys() - Settings.model_fields.keys())
    for span in spans:
        for word in re.findall(r"[\w./<>*@{}-]*[\w>*}]", span):
            yield from _faults_of_a_word(page, word)
        for option in [] if _COMMAND.match(span) else re.findall(r"(?<![\w-])--[a-z][a-z.-]*", span):
            if option not in _code()[0] and option not in _OF_OTHERS:
                yield f"option {option}"


@cache
def _commands() -> Mapping[str, Set[str]]:
    """Options of each command of ``cchc``, of a command of a group by both words."""

    def below(command: Any, name: str) -> Iterator[tuple[str, Set[str]]]:
        yield name, {"--help", "-h", *(option for one in command.params for option in one.opts)}
        for word, inner in getattr(command, "commands", {}).items():
            yield from below(inner, f"{name} {word}".strip())

    return dict(below(typer.main.get_command(app), ""))


@cache
def _targets() -> Mapping[str, bool]:
    """Targets of ``make``, and whether it lists them."""
    text = (PROJECT_DIR / "Makefile").read_text("utf-8")
    return {name: "## " in rest for name, rest in re.findall(r"(?m)^([a-z][a-z-]*):(.*)$", text)}


def _faults_of_a_command(line: str) -> Iterator[str]:
    line = line.split("  #")[0]
    if line.startswith("make "):
        yield from (f"make {word}" for word in line.split()[1:2] if word not in _targets())
    yield from (f"setting {name}" for name in re.findall(r"\bCCHC_[A-Z_]+\b", line) if not _is_environment(name))
    if not _COMMAND.match(line) or not (words := _COMMAND.sub("", line).split()):
        return
    name = next((n for n in (" ".join(words[:2]), words[0]) if n in _commands()), None)
    if name is None or (name == words[0] and any(known.startswith(f"{name} ") for known in _commands())):
        yield from [f"command cchc {' '.join(words[:2])}"] if re.fullmatch(r"[a-z-]+", words[-1]) else []
        return
    for word in re.findall(r"(?<!\S)\[?(--?[a-z][a-z-]*)", line):
        if word not in _commands()[name]:
            yield f"option {word} of cchc {name}"


def _is_environment(name: str) -> bool:
    return name.removeprefix("CCHC_").lower() in Settings.model_fields or name in _code()[1]


@cache
def _rules() -> Set[str]:
    return {rule.id for stage in ("raw", "mart", "province") for rule in declared_rules(stage)}


def _faults_of_a_word(page: str, word: str) -> Iterator[str]:
    code, words = _code()
    if _EXAMPLE in word:
        return
    first = word.partition(".")[0]
    if "/" in word or _FILE.search(word):
        if not _is_place(page, word.rstrip("/")):
            yield f"path {word}"
    elif re.fullmatch(r"[a-z_]+(\.[\w<>*]+)+", word) and first in {rule.partition(".")[0] for rule in _rules()}:
        if not _is_rule(word) and word not in code:
            yield f"rule {word}"
    elif re.fullmatch(r"[a-z_]+(\.\w+)+", word) and f"{first}/__init__.py" in TREE:
        if f"{word.replace('.', '/')}.py" not in TREE and not _is_public(word):
            yield f"name {word}"
    else:
        for name in re.findall(r"(?<!\w)[A-Za-z]\w*_\w+", word):
            table = re.sub(r"_v\d+$", "", name)  # one of a later major version bears it in its name
            if table not in words and name not in _OF_OTHERS and not name.startswith("CCHC_"):
                yield f"name {name}"


def _is_rule(word: str) -> bool:
    """Whether a rule, or of a source a column, is named so; ``<…>`` and ``*`` stand for a part."""
    source, _, column = word.partition(".")
    pattern = re.sub(r"<\w+>|\*", "[^.]+", word.replace(".", r"\."))
    contract = load_contracts().get(source)
    is_column = contract is not None and column in {one.name for one in contract.columns}
    return is_column or any(re.fullmatch(pattern, rule) for rule in _rules())


def _is_public(word: str) -> bool:
    try:
        pkgutil.resolve_name(word)
    except (ImportError, AttributeError):
        return False
    return True


def _is_place(page: str, word: str) -> bool:
    """Whether a path is in the tree; one of a home, a release or a host need only be known to the code by its end."""
    beside = os.path.normpath(Path(page).parent / word)
    if {word, beside} & TREE or any(name.endswith(f"/{word}") for name in TREE):
        return True
    if re.search(r"[<*{]", word):
        parts = re.escape(word).replace(r"\*\*", ".*").replace(r"\*", "[^/]*")
        pattern = re.compile(r"(.*/)?" + re.sub(r"<[^>]*>|\\\{[^}]*\\\}", "[^/]+", parts))
        if any(pattern.fullmatch(name) for name in TREE):
            return True
    top, last = word.split("/")[0], word.split("/")[-1]
    if "/" in word and top in _TOP and top != "forms":  # a home has forms of its own
        return False
    return not _FILE.search(last) or bool(re.search(r"[<*{]", last)) or last in _code()[0]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_what_is_there(page: str) -> None:
    assert sorted(set(_faults(page, _text(page)))) == []
    assert unicodedata.is_normalized("NFC", _text(page))


def test_what_is_not_there_is_told() -> None:
    told = """
`ingestion/nowhere.py`, `forms/<id>/nothing.yml`, `deploy/*.nothing`, `nowhere.sql`, `test_of_nothing.py`,
`column_of_no_table`, `common.periods.nothing`, `cchc nothing`, `cchc run 2023-Q1 --nothing`, `sudo cchc form nothing`,
`make nothing`, `CCHC_NOTHING`, `--nothing-at-all`, `report.nothing`, `deliveries.<source>.nothing`
([one](nowhere.md), [two](architecture.md#nothing), [three](#nothing))

```sh
CCHC_HOME=x cchc restore DEST --nothing   # why
```
```toml
no_such_setting = 1
```
"""
    assert sorted(set(_faults("docs/glossary.md", told))) == [
        "command cchc form nothing",
        "command cchc nothing",
        "heading docs/architecture.md#nothing",
        "heading docs/glossary.md#nothing",
        "link to docs/nowhere.md",
        "make nothing",
        "name column_of_no_table",
        "name common.periods.nothing",
        "option --nothing of cchc restore",
        "option --nothing of cchc run",
        "option --nothing-at-all",
        "path deploy/*.nothing",
        "path forms/<id>/nothing.yml",
        "path ingestion/nowhere.py",
        "path nowhere.sql",
        "path test_of_nothing.py",
        "rule deliveries.<source>.nothing",
        "rule report.nothing",
        "setting CCHC_NOTHING",
        "setting no_such_setting",
    ]


def test_every_page_and_picture_is_reached_from_the_first() -> None:
    reached, waiting = {"README.md"}, ["README.md"]
    while waiting:
        page = waiting.pop()
        for path, _ in _links(page, (PROJECT_DIR / page).read_text("utf-8")):
            if path not in reached:
                reached.add(path)
                waiting += [path] if path in PAGES else []
    pictures = {name for name in TREE if name.startswith("docs/images/")}
    assert sorted({*PAGES, *pictures} - reached) == []


def _table(page: str, heading: str) -> list[list[str]]:
    """Cells of the first table below a heading, without its head."""
    below = (PROJECT_DIR / page).read_text("utf-8").split(f"\n## {heading}\n")[1]
    rows = re.findall(r"(?m)^\|.*$", below.split("\n## ")[0])
    return [re.split(r"(?<!\\)\|", row)[1:-1] for row in rows[2:]]


def test_the_first_page_tells_every_setting_and_its_default() -> None:
    told = {name: default for names, default, *_ in _table("README.md", "Settings") for name in _spans(names)}
    assert set(told) == set(Settings.model_fields)
    for name, field in Settings.model_fields.items():
        value = field.default
        if isinstance(value, bool | int | str) and value != "":
            assert (str(value).lower() if isinstance(value, bool) else str(value)) in _spans(told[name]), name


def test_the_first_page_tells_every_command() -> None:
    told = {span for command, *_ in _table("README.md", "Commands") for span in _spans(command)}
    whole = _text("README.md")
    groups = {name.partition(" ")[0] for name in _commands() if " " in name}
    for name in _commands().keys() - {"", *groups}:
        assert any(re.match(rf"cchc {name}\b", span) for span in (*told, *_spans(whole))), name
    listed = re.search(r"`make` lists the developer's commands: (.*)", whole)
    assert listed is not None
    assert set(_spans(listed[1])) == {name for name, is_listed in _targets().items() if is_listed} - {"help"}


def test_tables_of_kinds_have_a_row_for_each() -> None:
    checks = {name for names, *_ in _table("docs/deploy.md", "Is all well?") for name in _spans(names)}
    assert checks == {"settings", *doctor._OF_THE_HOST, *doctor._OF_THE_HOME}
    kinds = {name for names, *_ in _table("docs/dagster.md", "Alerts") for name in _spans(names)}
    assert kinds == set(get_args(AlertKind))
    files = {Path(name).stem for name in TREE if re.fullmatch(r"expectations/rules/\w+\.yml", name)}
    told = {Path(span).stem for span in _spans(_text("docs/checks.md"))}
    assert sorted(files - load_contracts().keys() - told) == []


def test_every_field_of_a_contract_is_explained() -> None:
    told = {word for span in _spans(_text("docs/contracts.md")) for word in re.findall(r"\w+", span)}
    models = [one for one in vars(contracts).values() if isinstance(one, type) and issubclass(one, BaseModel)]
    fields = {name for model in models for name in model.model_fields}
    assert sorted(fields - told - {"description"}) == []
    assert "csv_needs_proof" in {field.name for field in dataclasses.fields(IntakeLimits)} & told


def test_every_source_is_told_to_clerks_and_to_developers() -> None:
    guide = _text("docs/huong-dan-giao-nop.md")
    for name, contract in load_contracts().items():
        assert f"| `{name}` | {contract.title_vi} |" in guide
        page = _text(f"ingestion/sources/{name}/README.md")
        assert page.startswith(f"# {name} — ")
        assert f"Key: `{', '.join(contract.key)}`" in page, name


def test_every_module_opens_with_what_belongs_in_it() -> None:
    modules = [name for name in TREE if name.endswith(".py") and not name.startswith("tests/")]
    opening = re.compile(r'(#!.*\n)?"""((?!""").)*elongs here', re.DOTALL)
    assert sorted(name for name in modules if not opening.match((PROJECT_DIR / name).read_text("utf-8"))) == []
