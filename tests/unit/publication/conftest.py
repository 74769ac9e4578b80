"""Contents of a release made from a hand-made candidate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from publication import read_candidate
from publication.content.release_content import ReleaseContent, gather
from tests.unit.publication.builders import write_candidate


@pytest.fixture
def make_content(tmp_path: Path) -> Callable[..., ReleaseContent]:
    """Returns a function that makes the content of a release; see ``build_tables`` for its arguments."""

    def make(*, gate_results: list[dict[str, Any]] | None = None, **build: Any) -> ReleaseContent:
        candidate = read_candidate(write_candidate(tmp_path / "warehouse", **build))
        return gather(candidate, gate_results=gate_results or [], extra_marts={}, extra_tables={})

    return make
