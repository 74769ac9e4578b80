"""``cchc doctor``: each check passes in a home that is as it must be, and names what is not."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import json
import os
import re
import shutil
import socket
import sqlite3
import sys
import time
import zoneinfo
from collections import namedtuple
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from pydantic import SecretStr

from ingestion import ReferenceData
from ingestion.engine import ingest_quarter
from orchestration import automation, doctor, spark
from orchestration.doctor import Examined, Finding
from orchestration.instance import open_instance
from orchestration.locks import HomeBusy
from orchestration.pipeline import Pipeline
from orchestration.settings import PROJECT_DIR, Settings
from publication.letter import pdf
from tests.integration.publication.conftest import LIGHT
from tests.integration.publication.conftest import Home as Publisher
from tests.support.postgres import PostgresServer

Cli = Callable[..., Any]
Patch = pytest.MonkeyPatch
ANSWERS = "Số phiếu;Hình thức;Ngày trả lời;Đánh giá chung\nP1;Phiếu giấy;10/01/2023;Hài lòng\n"


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a delivery taken in, a release and Dagster's storage. Shared: copy it before changing anything."""
    settings = Settings(home=tmp_path_factory.mktemp("whole") / "home")
    settings.paths.create()
    file = settings.paths.landing / "945" / "2023-Q1" / "survey_responses" / "phieu.csv"
    file.parent.mkdir(parents=True)
    file.write_text(ANSWERS, encoding="utf-8")
    pipeline = Pipeline(settings)
    reference: ReferenceData = pipeline.units.reference
    ingest_quarter(pipeline.deliveries.paths, "2023-Q1", reference=reference, secret_key=settings.person_secret())
    publisher = Publisher(settings.home, LIGHT)
    publisher.publish(publisher.candidate())
    with open_instance(settings):
        pass
    return settings.home


@pytest.fixture
def home(whole: Path, tmp_path: Path, monkeypatch: Patch) -> Path:
    """A copy of the shared home, which the environment names and in which automation is at work."""
    copy = Path(shutil.copytree(whole, tmp_path / "home"))
    settings_file = tmp_path / "cchc.toml"
    settings_file.write_text("disk_full_percent = 100\n")
    settings_file.chmod(0o640)
    monkeypatch.setenv("CCHC_HOME", str(copy))
    monkeypatch.setenv("CCHC_SETTINGS", str(settings_file))
    monkeypatch.setattr(automation, "stands_still", lambda *_: None)
    return copy


def _examined(name: str) -> Examined:
    """One check alone: all of them take seconds."""
    with Patch.context() as patch:
        for checks in ("_OF_THE_HOST", "_OF_THE_HOME"):
            patch.setattr(doctor, checks, {n: check for n, check in getattr(doctor, checks).items() if n == name})
        (found,) = [one for one in doctor.examine() if one.name == name]
    return found


def _tree(home: Path) -> dict[str, tuple[int, int, int]]:
    return {str(p): (p.lstat().st_size, p.lstat().st_mtime_ns, p.lstat().st_mode) for p in [home, *home.rglob("*")]}


def test_a_home_that_is_as_it_must_be_passes_every_check_and_is_left_alone(home: Path, cli: Cli) -> None:
    before = _tree(home)
    answer = cli(home, "doctor", "--json")
    said = json.loads(answer.stdout)
    assert [one for one in said["checks"] if one["state"] != "ok"] == []
    assert (answer.code, said["broken"], said["look"], said["ok"]) == (0, 0, 0, len(said["checks"]))
    assert {one["name"] for one in said["checks"]} == {"settings", *doctor._OF_THE_HOST, *doctor._OF_THE_HOME}
    assert all(finding["seen"] for one in said["checks"] for finding in one["findings"])
    lines = cli(home, "doctor").stdout.splitlines()
    assert lines[-1] == f"kết luận: 0 mục hỏng, 0 mục cần xem, {said['ok']} mục ổn"
    assert "[ổn] kho dữ liệu thô: khớp 1 biên nhận" in lines
    assert "[ổn] bản công bố: 1 bản nguyên vẹn" in lines
    assert _tree(home) == before


def test_the_raw_layer_is_looked_at_under_the_lock_of_a_home_that_has_one(home: Path) -> None:
    (home / ".lock").touch()
    assert _examined("lake").state == "ok"
    assert (home / ".lock").read_text().startswith("cchc doctor")


def test_a_home_that_is_not_there_is_not_made(tmp_path: Path, home: Path, cli: Cli) -> None:
    answer = cli(tmp_path / "none", "doctor")
    assert answer.code == 0, answer.stdout
    assert "[cần xem] thư mục làm việc: chưa có" in answer.stdout
    assert not (tmp_path / "none").exists()


# --- each way in which a check does not pass: what is done to home, patch, and what is said of it


def _set(name: str, value: str) -> Callable[[Path, Patch], None]:
    return lambda home, patch: patch.setenv(f"CCHC_{name}", value)


def _settings_file(content: bytes, mode: int = 0o600) -> Callable[[Path, Patch], None]:
    def write(home: Path, patch: Patch) -> None:
        (home.parent / "cchc.toml").write_bytes(content)
        (home.parent / "cchc.toml").chmod(mode)

    return write


def _installed(name: str, version: str | None) -> Callable[[Path, Patch], None]:
    real = importlib.metadata.version

    def found(asked: str) -> str:
        if re.sub(r"[-_.]+", "-", asked).lower() != name:
            return real(asked)
        if version is None:
            raise importlib.metadata.PackageNotFoundError(asked)
        return version

    return lambda home, patch: patch.setattr(importlib.metadata, "version", found)


def _no_time_zones(home: Path, patch: Patch) -> None:
    _zones_from(home.parent / "no-zones", patch)


def _another_time_zone(home: Path, patch: Patch) -> None:
    (home.parent / "zones" / "Asia").mkdir(parents=True)
    shutil.copy("/usr/share/zoneinfo/Europe/Paris", home.parent / "zones" / "Asia" / "Ho_Chi_Minh")
    _zones_from(home.parent / "zones", patch)


def _zones_from(folder: Path, patch: Patch) -> None:
    real = doctor.ZoneInfo

    class Zones(real):  # type: ignore[misc, valid-type]
        @classmethod
        def no_cache(cls, key: str) -> Any:
            before = zoneinfo.TZPATH
            try:
                zoneinfo.reset_tzpath(to=[folder])
                return real.no_cache(key)
            finally:
                zoneinfo.reset_tzpath(to=before)

    for name in [name for name in sys.modules if name.split(".")[0] == "tzdata"] or ["tzdata"]:
        patch.setitem(sys.modules, name, None)
    patch.setattr(doctor, "ZoneInfo", Zones)


def _fonts(change: Callable[[Path], object]) -> Callable[[Path, Patch], None]:
    def spoil(home: Path, patch: Patch) -> None:
        fonts = Path(shutil.copytree(pdf.FONTS, home.parent / "fonts"))
        change(fonts / "LiberationSerif-BoldItalic.ttf")
        patch.setattr(pdf, "FONTS", fonts)

    return spoil


def _to(path: str, change: Callable[[Path], object]) -> Callable[[Path, Patch], None]:
    """Changes one thing of the home, found by a pattern."""

    def spoil(home: Path, patch: Patch) -> None:
        change(sorted(home.glob(path))[0] if path else home)

    return spoil


def _foreign(path: Path) -> None:
    os.chown(path, 12345, -1)


def _cut(path: Path) -> None:
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1])


def _gone(path: Path) -> None:
    path.parent.chmod(0o700)
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def _edited(path: Path) -> None:
    pq.write_table(pq.ParquetFile(path).read().slice(1), path)


def _planted(path: Path) -> None:
    shutil.copy(path, path.with_name("la.parquet"))


def _flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for place in range(2048, len(content)):
        content[place] = 0xFF
    path.write_bytes(content)


def _no_database(path: Path) -> None:
    path.write_bytes(b"x" * 5000)


def _set_up_twice(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("insert into alembic_version values ('another')")
        connection.commit()


def _later(path: Path) -> None:
    ahead = time.time() + 3600
    os.utime(path, (ahead, ahead))


def _at(year: int) -> Callable[[Path, Patch], None]:
    def set_clock(home: Path, patch: Patch) -> None:
        for path in home.rglob("*"):
            if path.is_file():
                os.utime(path, (0, 0))
        patch.setattr(doctor, "now", lambda: dt.datetime(year, 6, 1, tzinfo=dt.UTC))

    return set_clock


def _disk(used: int, free: int) -> Callable[[Path, Patch], None]:
    usage = namedtuple("usage", "total used free")(used + free, used, free)
    return lambda home, patch: patch.setattr(shutil, "disk_usage", lambda _: usage)


def _off(home: Path, patch: Patch) -> None:
    patch.setattr(automation, "stands_still", lambda *_: "landing_watch không chạy đã hơn một giờ")


def _no_tool(home: Path, patch: Patch) -> None:
    patch.setenv("PATH", str(home.parent))


def _busy(home: Path, patch: Patch) -> None:
    def held(*_: Any, **__: Any) -> Any:
        raise HomeBusy("lượt chạy khác đang làm việc: cchc run 2023-Q1")

    (home / ".lock").touch()
    patch.setattr(doctor, "one_run_at_a_time", held)


def _file_in_place(path: Path) -> None:
    shutil.rmtree(path)
    path.touch()


def _spark(master: str, **instead: Any) -> Callable[[Path, Patch], None]:
    """Spark is asked for, where all is there that it needs but what is put ``instead``."""

    def ask(home: Path, patch: Patch) -> None:
        patch.setenv("CCHC_ENGINE", "spark")
        patch.setenv("CCHC_SPARK_MASTER", master)
        there = {"PACKAGES": {}, "java": lambda: Path(sys.executable), "java_version": lambda _: spark.JAVA}
        for name, value in {**there, **instead}.items():
            patch.setattr(spark, name, value)

    return ask


GB = 10**9
BAD: dict[str, tuple[str, Callable[[Path, Patch], None], str, str]] = {
    "settings file that is none": ("settings", _settings_file(b"home = ["), "broken", "không đọc được"),
    "settings file in no encoding": ("settings", _settings_file(b'home = "\xff"'), "broken", "không đọc được"),
    "settings file without a setting": ("settings", _settings_file(b"hom = 'x'"), "broken", "CCHC_HOM"),
    "settings file that is not there": ("settings", _set("SETTINGS", "/none.toml"), "broken", "/none.toml"),
    "settings file with a key for all": (
        "settings", _settings_file(b"person_key = 'k'", 0o644), "broken", "person_key"),
    "a setting out of bounds": ("settings", _set("DUCKDB_THREADS", "0"), "broken", "CCHC_DUCKDB_THREADS"),
    "an old Python": (
        "versions", lambda home, patch: patch.setattr("platform.python_version", lambda: "3.10.9"), "broken", "3.10.9"),
    "a package of another version": ("versions", _installed("duckdb", "0.1"), "broken", "duckdb 0.1"),
    "a package that is not as locked": ("versions", _installed("click", "0.1"), "look", "click 0.1 (khóa"),
    "a package missing": ("versions", _installed("pyarrow", None), "broken", "thiếu pyarrow"),
    "a package missing that another needs": ("versions", _installed("click", None), "broken", "thiếu click"),
    "no tools": ("tools", _no_tool, "look", "không có restic (không bắt buộc"),
    "no time zones": ("time_zone", _no_time_zones, "broken", "Asia/Ho_Chi_Minh"),
    "a wrong time zone": ("time_zone", _another_time_zone, "broken", "phải là 7 giờ"),
    "a face missing": ("fonts", _fonts(lambda path: path.unlink()), "broken", "Liberation Serif italic 700"),
    "a face cut off": (
        "fonts", _fonts(lambda path: path.write_bytes(path.read_bytes()[:999])), "broken", "italic 700"),
    "a home that is a file": ("home", _to("", _file_in_place), "broken", "không phải thư mục"),
    "a folder gone": ("permissions", _to("raw", _gone), "look", "không có raw"),
    "an open folder": ("permissions", _to("raw", lambda path: path.chmod(0o750)), "broken", "chmod 700"),
    "open drafts": ("permissions", _to("review", lambda path: path.chmod(0o750)), "broken", "chmod 700"),
    "a closed folder": ("permissions", _to("logs", lambda path: path.chmod(0o500)), "broken", "chmod u+rwx"),
    "somebody else's home": ("permissions", _to("", _foreign), "broken", "thuộc uid 12345"),
    "somebody else's folder": ("permissions", _to("warehouse", _foreign), "broken", "uid"),
    "somebody else's file": ("permissions", _to("raw/ledger/*.json", _foreign), "broken", ".json"),
    "no key": ("person_key", _to("person_key", _gone), "broken", "mất"),
    "an empty key": ("person_key", _to("person_key", lambda path: path.write_bytes(b"\n")), "broken", "bị hỏng"),
    "an open key": ("person_key", _to("person_key", lambda path: path.chmod(0o640)), "broken", "chmod 600"),
    "somebody else's key": ("person_key", _to("person_key", _foreign), "broken", "tài khoản khác"),
    "a unit that is none": ("units", _set("UNITS", '["9945"]'), "broken", "9945"),
    "a province that is none": ("settings", _set("PROVINCES", '["92000"]'), "broken", "92000"),
    "a home of a province alone": ("units", _set("UNITS", '["94"]'), "look", "do nơi khác báo cáo: 945"),
    "files of another home's unit": ("units", _set("UNITS", '["946"]'), "look", "do nơi khác báo cáo: 945"),
    "a disk nearly full": ("disk", _disk(100 * GB, 0), "broken", "đã dùng 100 %"),
    "a disk filling up": ("disk", lambda home, patch: (
        _disk(95 * GB, 5 * GB)(home, patch), patch.setenv("CCHC_DISK_FULL_PERCENT", "95"))[0], "look", "95 %"),
    "more memory asked for than there is": ("memory", _set("DUCKDB_MEMORY", "99999GB"), "broken", "99999GB"),
    "hardly enough memory": ("memory", lambda home, patch: patch.setattr(
        doctor, "_container_memory", lambda: 2.5 * GB), "look", "2,5 GB"),
    "a container too small": ("memory", lambda home, patch: patch.setattr(
        doctor, "_container_memory", lambda: 1.5 * GB), "broken", "1,5 GB"),
    "Spark that is not installed": (
        "engine", _spark("local[1]", PACKAGES={"no_such_package": "PySpark"}), "broken", "setup-spark"),
    "Spark without Java": ("engine", _spark("local[1]", java=lambda: None), "broken", "không có Java"),
    "an old Java": ("engine", _spark("local[1]", java_version=lambda _: 11), "broken", "là Java 11"),
    "a cluster that is not there": ("engine", _spark("spark://127.0.0.1:9"), "broken", "127.0.0.1:9"),
    "a receipt of the future": ("clock", _to("raw/ledger/*.json", _later), "broken", ".json"),
    "a pointer of the future": ("clock", _to("published/*/*/current.json", _later), "broken", "current.json"),
    "a year before the table": ("clock", _at(2001), "look", "ngoài bảng kỳ"),
    "a year after the table": ("clock", _at(2099), "look", "reporting_periods.csv"),
    "automation that stands still": ("automation", _off, "look", "KHÔNG HOẠT ĐỘNG"),
    "automation switched off": ("automation", _set("AUTOMATION", "false"), "look", "Thiết đặt automation"),
    "no periods to come": ("automation", lambda home, patch: patch.setattr(
        automation, "next_closing", lambda _: None), "look", "reporting_periods.csv"),
    "ticks that cannot be read": (
        "automation", _to("dagster/schedules/schedules.db", _no_database), "look", "Không rõ"),
    "a database cut off": ("run_records", _to("dagster/history/runs.db", _cut), "broken", "runs.db"),
    "a database overwritten": ("run_records", _to("dagster/schedules/schedules.db", _flipped), "broken", "schedules"),
    "an empty database": (
        "run_records", _to("dagster/history/runs.db", lambda path: path.write_bytes(b"")), "broken", "runs.db"),
    "a database gone": ("run_records", _to("dagster/history/runs/index.db", _gone), "broken", "index.db"),
    "a database set up twice": (
        "run_records", _to("dagster/history/runs.db", _set_up_twice), "broken", "alembic_version có 2 dòng"),
    "a PostgreSQL that is not there": (
        "postgresql", _set("POSTGRES_URL", "postgresql://a:bi-mat@127.0.0.1:9/x"), "broken", "không chạy"),
    "rows edited": ("lake", _to("raw/lake/*/*/*/*.parquet", _edited), "look", "đọc lại từ bản gốc"),
    "rows gone": ("lake", _to("raw/lake/*/*/*/*.parquet", _gone), "look", "cchc rebuild"),
    "rows planted": ("lake", _to("raw/lake/*/*/*/*.parquet", _planted), "broken", "la.parquet"),
    "a receipt that is none": (
        "lake", _to("raw/ledger/*.json", lambda path: path.write_bytes(b"{")), "broken", "biên nhận"),
    "a run at work": ("lake", _busy, "look", "cchc run 2023-Q1"),
    "a file of a release changed": ("releases", _to("published/*/*/r1/marts/*.parquet", _cut), "broken", "đã thay đổi"),
    "a file of a release gone": ("releases", _to("published/*/*/r1/quality/*", _gone), "broken", "thiếu tệp"),
    "a release gone": ("releases", _to("published/*/*/r1", _gone), "broken", "r1"),
    "a pointer gone": ("releases", _to("published/*/*/current.json", _gone), "broken", "chưa từng được công bố"),
    "a pointer that is none": ("releases", _to("published/*/*/current.json", _cut), "broken", "current.json"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_is_not_as_it_must_be_is_told_with_what_to_do(case: str, home: Path, monkeypatch: Patch) -> None:
    name, spoil, state, words = BAD[case]
    spoil(home, monkeypatch)
    found = _examined(name)
    assert found.state == state, found
    told = [finding for finding in found.findings if finding.state != "ok"]
    assert all(finding.to_do for finding in told)
    assert any(words in finding.seen + finding.to_do for finding in told), told
    assert "bi-mat" not in str(found)


def test_every_check_has_a_way_in_which_it_does_not_pass() -> None:
    assert {name for name, *_ in BAD.values()} == {"settings", *doctor._OF_THE_HOST, *doctor._OF_THE_HOME}


@pytest.mark.parametrize("case", ["a file of a release changed", "automation switched off", "a setting out of bounds"])
def test_the_exit_code_is_1_where_something_is_broken(case: str, home: Path, monkeypatch: Patch, cli: Cli) -> None:
    _, spoil, state, _ = BAD[case]
    spoil(home, monkeypatch)
    answer = cli(home, "doctor")
    assert answer.code == (1 if state == "broken" else 0), answer.stdout + answer.stderr
    assert "việc cần làm: " in answer.stdout


@pytest.mark.parametrize("name", [*doctor._OF_THE_HOST, *doctor._OF_THE_HOME])
def test_a_check_that_breaks_is_told_and_stops_no_other(name: str, home: Path, monkeypatch: Patch) -> None:
    def breaks(*_: Any) -> Iterator[Finding]:
        yield Finding("ok", "bắt đầu")
        raise RuntimeError("gãy giữa chừng")

    for table in (doctor._OF_THE_HOST, doctor._OF_THE_HOME):
        for other, (title, _) in table.items():
            check = breaks if other == name else lambda *_: iter([Finding("ok", "khỏe")])
            monkeypatch.setitem(table, other, (title, check))  # type: ignore[arg-type]
    found = {one.name: one for one in doctor.examine()}
    assert found[name].state == "broken"
    assert "gãy giữa chừng" in found[name].findings[-1].seen
    assert {one.state for other, one in found.items() if other != name} == {"ok"}
    assert len(found) == 1 + len(doctor._OF_THE_HOST) + len(doctor._OF_THE_HOME)


def test_a_postgresql_that_answers_passes(home: Path, postgres_server: PostgresServer) -> None:
    settings = Settings(home=home, postgres_url=SecretStr(postgres_server.new_database()))
    assert [finding.state for finding in doctor.postgresql(settings)] == ["ok"]


def test_spark_that_has_what_it_needs_passes(home: Path, monkeypatch: Patch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as master:
        _spark(f"spark://127.0.0.1:{master.getsockname()[1]}")(home, monkeypatch)
        assert _examined("engine").state == "ok"


def test_a_key_set_in_the_settings_needs_no_file(home: Path, monkeypatch: Patch) -> None:
    monkeypatch.setenv("CCHC_PERSON_KEY", (home / "person_key").read_text())
    (home / "person_key").unlink()
    assert _examined("person_key").state == "ok"


def test_another_key_than_deliveries_were_taken_in_with_is_told_whatever_it_comes_from(
    home: Path, monkeypatch: Patch
) -> None:
    monkeypatch.setenv("CCHC_PERSON_KEY", "một khóa đủ dài để dùng")
    assert _examined("person_key").state == "broken"


def test_without_a_lock_at_hand_versions_are_held_against_the_requirements_alone(
    home: Path, monkeypatch: Patch
) -> None:
    _installed("click", "0.1")(home, monkeypatch)
    monkeypatch.setattr(doctor, "PROJECT_DIR", home)
    found = _examined("versions")
    assert found.state == "ok"
    assert "không có requirements.lock để đối chiếu" in found.findings[0].seen


def test_the_lock_of_an_installed_program_is_found_beside_it(home: Path, monkeypatch: Patch) -> None:
    monkeypatch.setattr(doctor, "PROJECT_DIR", home)
    monkeypatch.setattr(sys, "prefix", str(home.parent))
    shutil.copy(PROJECT_DIR / "requirements.lock", home.parent)
    assert _examined("versions").state == "ok"
    assert str(home.parent / "requirements.lock") in _examined("versions").findings[0].seen


def test_a_failed_run_of_the_server_is_told(home: Path) -> None:
    import dagster as dg

    @dg.job(name="quarter")
    def quarter() -> None: ...

    with open_instance(Settings(home=home)) as instance:
        run = instance.create_run_for_job(quarter, tags={"dagster/partition": "2023-Q1"})
        instance.report_run_failed(run)
    found = _examined("automation")
    assert found.state == "look"
    assert run.run_id[:8] in found.findings[-1].to_do
