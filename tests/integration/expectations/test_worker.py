"""The gate's own process: what it loads, what a breakdown means, and the verdict files it leads to."""

from __future__ import annotations

import datetime as dt
import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from expectations import GateWorker, load_verdict, publishable, run_mart_gate, run_raw_gate
from expectations import worker as worker_module
from expectations.engine_sql import _count_query

if TYPE_CHECKING:
    from conftest import CandidateWorld, Lake

WINDOW = (dt.date(2023, 3, 15), dt.date(2023, 6, 14))
ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _as_for_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "START_METHOD", "spawn")


def _python(code: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = ("great_expectations", "pandas", "duckdb", "sqlalchemy", "pyarrow", "numpy", "dagster")
    code = f"import json, sys, expectations; print(json.dumps([m for m in {heavy!r} if m in sys.modules]))"
    assert json.loads(_python(code)) == []


def test_the_parent_stays_light_when_the_worker_has_run() -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom expectations import GateWorker\n"
        "from expectations.inspection import MartRequest\n"
        "if __name__ == '__main__':\n"
        "    with GateWorker() as worker:\n"
        "        [verdict] = worker.check_marts(MartRequest('2023-Q1', {'945': (Path('/nowhere'), '0')}))\n"
        "    print(verdict.results[0].observed, 'great_expectations' in sys.modules)\n"
    )
    assert _python(code).strip() == "the candidate is not what was hashed: FileNotFoundError False"


def test_both_gates_run_in_one_worker_and_their_verdicts_permit_publication(
    candidate_world: CandidateWorld, lake: Lake, tmp_path: Path
) -> None:
    candidate_world.add("945")
    lake.add_unit("945")
    warehouse = tmp_path / "warehouse"
    candidates = candidate_world.request().candidates
    raw_dir, hashes, forms = lake.write(), {"945": "inputs"}, {"945": "2023"}
    with GateWorker() as worker:
        raw = run_raw_gate(raw_dir, warehouse, "2023-Q2", WINDOW, lake.units, hashes, [], worker, forms=forms)
        marts = run_mart_gate(warehouse, "2023-Q2", candidates, worker)
    candidate_hash = candidates["945"][1]
    assert publishable(raw["945"], marts["945"], candidate_hash, "inputs", "2023") == []
    folder = warehouse / "verdicts" / "945" / "2023-Q2"
    assert sorted(path.name for path in folder.iterdir()) == sorted(["raw-inputs.json", f"mart-{candidate_hash}.json"])
    assert load_verdict(folder / "raw-inputs.json") == raw["945"]


def test_a_gate_that_breaks_down_leaves_verdicts_that_block(lake: Lake, tmp_path: Path) -> None:
    lake.add_unit("945")
    request = lake.request()
    (request.raw_dir / "deliveries.parquet").write_bytes(b"not parquet")
    [verdict] = GateWorker(inline=True).check_raw(request)
    assert {result.status for result in verdict.results} == {"did_not_run"}
    assert publishable(verdict, None, "c", verdict.subject_hash)


@pytest.mark.parametrize("error", [MemoryError(), OSError(errno.ENOSPC, "full"), duckdb.OutOfMemoryException("x")])
def test_what_befalls_disk_or_memory_in_the_gate_holds_no_unit_back(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    lake.add_unit("945")

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(worker_module, "_check_raw", fail)
    with pytest.raises(type(error)):
        GateWorker(inline=True).check_raw(lake.request())


def test_a_rule_that_breaks_is_told_from_a_machine_that_does() -> None:
    class Broken:
        def execute(self, _: str) -> None:
            raise self.error

        error: Exception = duckdb.BinderException("no such column")

    broken: Any = Broken()
    rule: Any = SimpleNamespace(scope="true", violation="true", relation="t", violations=lambda: "x")
    assert _count_query(broken, rule).error
    broken.error = duckdb.OutOfMemoryException("x")
    with pytest.raises(duckdb.OutOfMemoryException):
        _count_query(broken, rule)


def test_a_process_that_dies_leaves_verdicts_that_block(lake: Lake) -> None:
    lake.add_unit("945")
    with GateWorker() as worker:
        with pytest.raises(Exception, match="terminated abruptly"):
            worker._call(os._exit, 1)
        [verdict] = worker.check_raw(lake.request())
    assert {result.observed for result in verdict.results} == {"tiến trình kiểm tra kết thúc bất ngờ"}
    assert verdict.blocking()


def test_a_unit_without_inputs_hash_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="946"):
        run_raw_gate(tmp_path, tmp_path, "2023-Q2", WINDOW, {"946": ("946",)}, {}, [], GateWorker(inline=True))


def test_the_gate_opens_no_network_connection() -> None:
    code = (
        "import socket\n"
        "def refuse(*a, **k): raise AssertionError('network')\n"
        "socket.socket.connect = refuse\nsocket.getaddrinfo = refuse\n"
        "from expectations.gate import Database\n"
        "with Database() as database:\n    database.ask([])\nprint('quiet')\n"
    )
    assert _python(code).strip() == "quiet"


def test_the_worker_module_names_no_library_of_the_gate() -> None:
    assert not {"gx", "duckdb"} & set(vars(worker_module))
