"""What lies in the lake is a function of what was seen in the landing folder: not of times, repeats, renames, crashes.

A machine plays with the landing folder as offices do, with any time on any file, runs the intake now and then and kills
it at any write. Whenever a run ends, rows must be, byte for byte, what a home makes of the contents of each name laid
down one after the other, all with one time; and which delivery counts must be what a shorter telling of it says.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from ingestion import IngestPaths, ReferenceData, check_store, read_deliveries
from ingestion.base import lake
from ingestion.deliveries import ledger
from ingestion.engine import ingest_quarter
from tests.integration.ingestion.conftest import KEY, SEEDS

UNITS, QUARTERS = ("945", "31618"), ("2022-Q4", "2023-Q1")
START = dt.datetime(2023, 3, 1, 8, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))
HEAD = "Mã hồ sơ,Tên TTHC,Đơn vị tiếp nhận,Ngày tiếp nhận,Trạng thái,Hình thức"
Place = tuple[str, str, str, str]  # unit, quarter, source, file name
Seen = dict[Place, list[bytes]]  # contents of each name, first to last


def _cases(quarter: str, numbers: tuple[int, ...], status: str, channel: str) -> bytes:
    day = "02/01/2023" if quarter == "2023-Q1" else "03/10/2022"
    rows = [
        f"000.00.04.H51-230102-{n:04},Đăng ký khai sinh,UBND xã An Thạnh 1,{day},{status},{channel}" for n in numbers
    ]
    return "\n".join([HEAD, *rows]).encode()


def _catalogue(names: tuple[str, ...]) -> bytes:
    rows = [f"1.00494{i},{name},Hộ tịch,x,x,01/01/2020" for i, name in enumerate(names)]
    return "\n".join(["Mã TTHC,Tên TTHC,Lĩnh vực,Cấp huyện,Cấp xã,Ngày công bố", *rows]).encode()


CONTENTS = {
    "one_stop_cases": st.builds(
        _cases,
        st.sampled_from(QUARTERS),
        st.lists(st.integers(1, 6), max_size=4).map(tuple),
        st.sampled_from(["Đang xử lý", "Đã đi vắng"]),
        st.sampled_from(["Trực tiếp", "Trực tuyến", ""]),
    ),
    "procedure_catalogue": st.builds(
        _catalogue, st.lists(st.sampled_from(["Đăng ký khai sinh", "Đăng ký kết hôn"]), max_size=2).map(tuple)
    ),
}
# Few places, so that they are delivered to again and again.
PLACES = st.sampled_from(
    [
        ("31618", "2023-Q1", "one_stop_cases", "a.csv"),
        ("31618", "2023-Q1", "one_stop_cases", "b.csv"),
        ("31618", "2022-Q4", "one_stop_cases", "a.csv"),
        ("945", "2023-Q1", "procedure_catalogue", "a.csv"),
        ("945", "2022-Q4", "procedure_catalogue", "a.csv"),
    ]
)


class Killed(BaseException):
    """The process is gone; nothing in the program may catch this."""


@contextmanager
def killed_at(write: int) -> Iterator[None]:
    """Ends the program right before its n-th file is put in place, or right after."""
    done = 0
    replace = os.replace

    def dying(source: Any, target: Any) -> None:
        nonlocal done
        done += 1
        if done == write and write % 2:
            raise Killed
        replace(source, target)
        if done == write:
            raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "replace", dying)
        try:
            yield
        except Killed:
            return


class Office(RuleBasedStateMachine):
    """Landing actions against the model: the set of deliveries the ledger has seen."""

    reference = ReferenceData.load(SEEDS)
    steps: Counter[str] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="cchc-office-"))
        self.paths = self.home(self.root)
        self.clock = 0
        self.seen: Seen = {}
        self.settled = True

    @staticmethod
    def home(root: Path) -> IngestPaths:
        return IngestPaths(root / "landing", root / "raw", root / "outbox")

    def teardown(self) -> None:
        shutil.rmtree(self.root)

    # ------------------------------------------------------------------------------------------- what offices do

    @initialize()
    def begin(self) -> None:
        self.put(("945", "2023-Q1", "procedure_catalogue", "a.csv"), _catalogue(("Đăng ký khai sinh",)))

    def put(self, place: Place, content: bytes, minutes: int = 1) -> None:
        """Files come with the time at which they were saved, which may lie before that of files that came earlier."""
        self.clock += 1
        self.lay(self.paths, place, content, int(START.timestamp()) + 60 * (self.clock + minutes))

    @rule(place=PLACES, data=st.data(), minutes=st.integers(-8, 1))
    def add_or_replace(self, place: Place, data: Any, minutes: int) -> None:
        self.steps["add or replace"] += 1
        self.put(place, data.draw(CONTENTS[place[2]]), minutes)

    @rule(
        place=PLACES,
        unit=st.sampled_from(UNITS),
        quarter=st.sampled_from(QUARTERS),
        name=st.sampled_from("cd"),
        minutes=st.integers(-8, 1),
    )
    def copy(self, place: Place, unit: str, quarter: str, name: str, minutes: int) -> None:
        path = self.paths.landing.joinpath(*place)
        if path.exists():
            self.steps["copy"] += 1
            self.put((unit, quarter, place[2], f"{name}.csv"), path.read_bytes(), minutes)

    @rule(place=PLACES, name=st.sampled_from("cd"), minutes=st.integers(-8, 1))
    def copy_beside(self, place: Place, name: str, minutes: int) -> None:
        self.copy(place, place[0], place[1], name, minutes)

    @rule(place=PLACES)
    def rename(self, place: Place) -> None:
        path = self.paths.landing.joinpath(*place)
        if path.exists():
            self.steps["rename"] += 1
            path.rename(path.with_name("e.csv"))

    @rule(place=PLACES, share=st.integers(0, 99))
    def truncate(self, place: Place, share: int) -> None:
        path = self.paths.landing.joinpath(*place)
        if path.exists():
            self.steps["truncate"] += 1
            content = path.read_bytes()
            self.put(place, content[: len(content) * share // 100])

    @rule(place=PLACES)
    def touch(self, place: Place) -> None:
        path = self.paths.landing.joinpath(*place)
        if path.exists():
            self.steps["touch"] += 1
            self.put(place, path.read_bytes())

    @rule(place=PLACES)
    def delete(self, place: Place) -> None:
        path = self.paths.landing.joinpath(*place)
        if path.exists():
            self.steps["delete"] += 1
            path.unlink()

    @rule(new=st.sampled_from("abc"), old=st.sampled_from("abe"))
    def say_what_replaces_what(self, new: str, old: str) -> None:
        self.steps["delivery log"] += 1
        log = f"source,file,replaces\none_stop_cases,{new}.csv,{old}.csv\n".encode()
        self.put(("31618", "2023-Q1", "", "delivery_log.csv"), log)

    # ---------------------------------------------------------------------------------------------- what we do

    @rule(times=st.integers(1, 2))
    def run(self, times: int) -> None:
        self.steps["run"] += 1
        self.look()
        for _ in range(times):
            self.ingest(self.paths)
        self.settled = True

    @rule(place=PLACES, data=st.data(), minutes=st.integers(-8, 1))
    def replace_and_run(self, place: Place, data: Any, minutes: int) -> None:
        self.add_or_replace(place, data, minutes)
        self.run(1)

    @rule(write=st.integers(1, 40))
    def run_and_be_killed(self, write: int) -> None:
        self.steps["killed run"] += 1
        before = {place: list(contents) for place, contents in self.seen.items()}
        self.look()
        with killed_at(write):
            self.ingest(self.paths)
        known = self.recorded()
        for place, contents in self.seen.items():
            hashes, had = [_sha256(c) for c in contents], len(before.get(place, []))
            assert known.get(place, []) in (hashes, hashes[:had]), "what was recorded once is known for ever, in order"
            del contents[len(known.get(place, [])) :]
        self.seen = {place: contents for place, contents in self.seen.items() if contents}
        self.settled = False

    def look(self) -> None:
        """What lies under a name in the landing folder is its last content from now on."""
        for path in [*self.paths.landing.glob("*/*/*/*.csv"), *self.paths.landing.glob("*/*/delivery_log.csv")]:
            parts = path.relative_to(self.paths.landing).parts
            unit, quarter, source, name = parts if len(parts) == 4 else (parts[0], parts[1], "", parts[2])
            contents = self.seen.setdefault((unit, quarter, source, name), [])
            if not contents or contents[-1] != path.read_bytes():
                contents.append(path.read_bytes())

    def recorded(self) -> dict[Place, list[str]]:
        """Hashes of the contents of each name that the ledger knows, first to last."""
        found: dict[Place, dict[int, str]] = {}
        for r in ledger.read_receipts(self.paths).values():
            for a in r.arrivals:
                found.setdefault((*r.folder, a.file_name), {})[a.version] = r.sha256
        for path in (self.paths.ledger / "logs").glob("[!.]*.json"):
            log = json.loads(path.read_text(encoding="utf-8"))
            place = (log["unit_code"], log["quarter"], "", "delivery_log.csv")
            found.setdefault(place, {}).update(dict.fromkeys(log["versions"], log["sha256"]))
        return {place: [versions[n] for n in sorted(versions)] for place, versions in found.items()}

    def ingest(self, paths: IngestPaths) -> None:
        for quarter in QUARTERS:
            ingest_quarter(paths, quarter, sources=CONTENTS, reference=self.reference, secret_key=KEY)

    # ------------------------------------------------------------------------------------------------- the oracle

    @invariant()
    def the_lake_is_what_one_run_makes_of_all_deliveries(self) -> None:
        if not self.settled or not self.seen:
            return
        self.settled = False  # looked at once after each whole run
        with tempfile.TemporaryDirectory(prefix="cchc-oracle-") as folder:
            fresh = self.home(Path(folder))
            for version in range(max(map(len, self.seen.values()))):
                for place, contents in self.seen.items():
                    if version < len(contents):
                        self.lay(fresh, place, contents[version], int(START.timestamp()))
                self.ingest(fresh)
            self.ingest(fresh)
            assert _rows(self.paths) == _rows(fresh)
            assert self.recorded() == self.oracle_recorded(fresh)
        check_store(self.paths)
        self.what_counts_is_what_a_shorter_telling_says()
        self.conserves()

    def oracle_recorded(self, fresh: IngestPaths) -> dict[Place, list[str]]:
        mine, self.paths = self.paths, fresh
        try:
            return self.recorded()
        finally:
            self.paths = mine

    def what_counts_is_what_a_shorter_telling_says(self) -> None:
        """The last content of each name, unless it is worth less than one before; so along what a log replaces."""
        receipts = {(r.folder, r.sha256): r for r in ledger.read_receipts(self.paths).values()}

        def worth(place: Place, sha256: str) -> int:
            found = receipts[place[:3], sha256]
            return 0 if found.outcome == "refused" else 1 if 2 * found.rows_rejected > found.rows_read else 2

        best: dict[Place, str] = {}
        for place, contents in self.seen.items():
            for content in contents if place[2] else ():
                if place not in best or worth(place, _sha256(content)) >= worth(place, best[place]):
                    best[place] = _sha256(content)
        counting = dict(best)
        for (unit, quarter, source, _), contents in self.seen.items():
            if not source:
                _, new_name, old_name = contents[-1].decode().splitlines()[1].split(",")
                new, old = ((unit, quarter, "one_stop_cases", name) for name in (new_name, old_name))
                if new != old and {new, old} <= set(best):
                    del counting[new if worth(new, best[new]) < worth(old, best[old]) else old]
        current = {
            (d["unit_code"], d["quarter"], d["source"], d["sha256"])
            for d in read_deliveries(self.paths).to_pylist()
            if d["is_current"]
        }
        assert current == {(*place[:3], sha256) for place, sha256 in counting.items()}

    @staticmethod
    def lay(paths: IngestPaths, place: Place, content: bytes, moment: int) -> None:
        parts = tuple(part for part in place if part)
        path = paths.landing.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (moment, moment))

    def conserves(self) -> None:
        for d in read_deliveries(self.paths).to_pylist():
            assert d["rows_read"] == d["rows_accepted"] + d["rows_rejected"]
            assert d["outcome"] in ("accepted", "partly_accepted", "refused", "nothing_to_report")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _rows(paths: IngestPaths) -> dict[str, bytes]:
    """All that figures and clerks' answers are made from, byte for byte."""
    files = (p for layer in lake.LAYERS for p in (paths.raw / layer).rglob("*.parquet"))
    return {str(p.relative_to(paths.raw)): p.read_bytes() for p in files}


def _play(examples: int, steps: int) -> Counter[str]:
    Office.steps = Counter()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda handle: None)  # the machine kills the program, not the computer
        run_state_machine_as_test(
            Office,
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                derandomize=True,
                suppress_health_check=list(HealthCheck),
            ),
        )
    return Office.steps


def test_any_order_of_landing_actions_gives_the_same_lake() -> None:
    done = _play(examples=20, steps=20)
    assert done.total() >= 100, done


@pytest.mark.long
def test_two_thousand_landing_actions_give_the_same_lake() -> None:
    done = _play(examples=100, steps=45)
    assert done.total() >= 2000, done
    assert min(done[name] for name in ("run", "killed run", "copy", "rename", "truncate", "touch", "delete")) >= 50
