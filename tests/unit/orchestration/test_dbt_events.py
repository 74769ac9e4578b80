"""dbt's lines as they are handed to Dagster: each once, whatever it holds, and an interrupt is none of them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dagster_dbt import DagsterDbtTranslator
from packaging.version import Version

from orchestration.assets.dbt_models import Invocation

EVENT = {"info": {"level": "info", "msg": "built"}}
WRONG = {"info": {"level": "error", "msg": "wrong"}}
LINES = [json.dumps(EVENT), "Traceback (most recent call last):", "12", "[]", "", "{", '{"a": 1}', json.dumps(WRONG)]


@pytest.fixture
def invocation() -> Iterator[Any]:
    command = [sys.executable, "-c", f"print({chr(10).join(LINES)!r}); import sys; sys.stdin.read()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        yield Invocation(
            process=process,
            manifest={},
            dagster_dbt_translator=DagsterDbtTranslator(),
            project_dir=Path(),
            target_path=Path(),
            raise_on_error=False,
            cli_version=Version("1.11"),
        )
        process.stdin.close()


def test_every_line_is_handed_over_and_errors_are_kept(invocation: Any) -> None:
    invocation.process.stdin.close()
    assert list(invocation._stream_stdout()) == [EVENT, *LINES[1:-1], WRONG]
    assert invocation._error_messages == ["wrong"]


@pytest.mark.parametrize("ended", [KeyboardInterrupt, GeneratorExit, RuntimeError])
@pytest.mark.parametrize("place", range(len(LINES)))
def test_whatever_ends_the_reader_ends_it(invocation: Any, ended: type[BaseException], place: int) -> None:
    lines = invocation._stream_stdout()
    for _ in range(place + 1):
        next(lines)
    with pytest.raises(ended):
        lines.throw(ended())
    lines.close()
