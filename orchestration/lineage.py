"""Which sources can reach which mart and which measure, from dbt's own graph.

Belongs here: reading the parsed project and the contracts for what publication needs to name the cause of a change.
Does not belong here: naming it (``publication``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from orchestration.dbt import ensure_manifest

if TYPE_CHECKING:
    from publication import Lineage

_LAKE = "raw"


@lru_cache(maxsize=1)
def lineage() -> Lineage:
    """The lineage of the project as it stands. Raises ``DbtError`` where dbt cannot parse it."""
    from ingestion import load_contracts
    from publication import Lineage

    contracts = load_contracts()
    references = {name: frozenset(contract.depends_on) for name, contract in contracts.items()}
    graph = _Graph(json.loads(ensure_manifest().read_bytes()), references)
    return Lineage(
        titles_vi={name: contract.title_vi for name, contract in contracts.items()},
        marts=graph.marts(),
        measures=graph.measures(),
    )


class _Graph:
    """dbt's graph, with the registers that a source's names are resolved with added to each source."""

    def __init__(self, manifest: Mapping[str, Any], references: Mapping[str, frozenset[str]]) -> None:
        self._nodes: Mapping[str, Mapping[str, Any]] = manifest["nodes"]
        self._parents: Mapping[str, list[str]] = manifest["parent_map"]
        self._references = references
        self._found: dict[str, frozenset[str]] = {}

    def marts(self) -> dict[str, frozenset[str]]:
        return {
            node["name"]: self._sources(key)
            for key, node in self._nodes.items()
            if node["resource_type"] == "model" and node["fqn"][1] == "marts"
        }

    def measures(self) -> dict[str, frozenset[str]]:
        """By measure: what reaches its fact, and the source whose delivery makes it reported at all."""
        models = {node["name"]: key for key, node in self._nodes.items() if node["resource_type"] == "model"}
        found = {}
        for node in self._nodes.values():
            meta = node.get("config", {}).get("meta") or {}
            for measure in meta.get("measures", []):
                found[measure["id"]] = self._sources(models[meta["fact"]]) | self._with_references([meta["source"]])
        return found

    def _sources(self, key: str) -> frozenset[str]:
        if key not in self._found:
            kind, _, rest = key.partition(".")
            _, group, *name = rest.split(".")
            own = self._with_references(name) if kind == "source" and group == _LAKE else frozenset()
            self._found[key] = own.union(*(self._sources(parent) for parent in self._parents.get(key, [])))
        return self._found[key]

    def _with_references(self, sources: Iterable[str]) -> frozenset[str]:
        """The sources and, transitively, the registers that their rows are read with."""
        found: set[str] = set()
        waiting = list(sources)
        while waiting:
            source = waiting.pop()
            if source not in found:
                found.add(source)
                waiting += self._references.get(source, frozenset())
        return frozenset(found)
