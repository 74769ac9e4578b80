"""Settings: where they are read from, what follows from them, and the key persons are hashed with."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from orchestration.settings import LostPersonKey, Settings, load_settings


def test_environment_comes_before_the_settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cchc.toml").write_text('duckdb_threads = 3\nduckdb_memory = "4GB"\n')
    monkeypatch.setenv("CCHC_SETTINGS", str(tmp_path / "cchc.toml"))
    monkeypatch.setenv("CCHC_DUCKDB_THREADS", "5")
    settings = load_settings()
    assert (settings.duckdb_threads, settings.duckdb_memory) == (5, "4GB")


def test_a_misspelt_setting_in_the_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cchc.toml").write_text("duckdb_thread = 3\n")
    monkeypatch.setenv("CCHC_SETTINGS", str(tmp_path / "cchc.toml"))
    with pytest.raises(ValidationError, match="duckdb_thread"):
        load_settings()


@pytest.mark.parametrize("wrong", [
    {"contact": "Ông Nguyễn Văn An"},
    {"contact": "Phòng Nội vụ\x0b"},
    {"licence": "CC BY\u202e"},
    {"letters": {"945": {"signer": "Nguyễn Văn An 0912345678"}}},
    {"letters": {"945": {"periods": {"2023-Q1": {"signer": "A\nB"}}}}},
])  # fmt: skip
def test_a_printed_setting_that_must_not_be_published_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="thiết đặt"):
        Settings(**wrong)


def test_an_office_may_be_asked_and_its_signer_named() -> None:
    contact = "Văn phòng UBND huyện, 0299 3 860 123, vanphong@culaodung.soctrang.gov.vn"
    made = Settings(contact=contact, letters={"945": {"signer": "Nguyễn Văn An"}})
    assert (made.contact, made.letters["945"].signer) == (contact, "Nguyễn Văn An")


def test_a_relative_home_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Settings(home=Path("somewhere")).home == tmp_path / "somewhere"


def test_home_folders_hide_the_lake_from_other_users(tmp_path: Path) -> None:
    paths = Settings(home=tmp_path / "home").paths
    paths.create()
    assert stat.S_IMODE(paths.raw.stat().st_mode) == 0o700
    assert stat.S_IMODE(paths.warehouse.stat().st_mode) == 0o700


def test_the_person_key_is_made_once_and_closed_to_others(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    key = settings.person_secret()
    assert settings.person_secret() == key
    assert len(key) == 64
    assert stat.S_IMODE(settings.paths.person_key.stat().st_mode) == 0o600
    assert Settings(home=tmp_path / "another").person_secret() != key


def test_a_given_person_key_is_used_and_not_shown(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, person_key="không lộ")
    assert settings.person_secret() == "không lộ".encode()
    assert not settings.paths.person_key.exists()
    assert "không lộ" not in repr(settings)


@pytest.mark.parametrize("memory", ["2", "2 GB", "lots"])
def test_memory_without_a_unit_is_refused(memory: str) -> None:
    with pytest.raises(ValidationError):
        Settings(duckdb_memory=memory)


@pytest.mark.parametrize("code", ["92000", "945", "31615", "9", "", "Cần Thơ"])
def test_a_province_that_never_was_one_is_refused_by_its_code(code: str) -> None:
    with pytest.raises(ValidationError, match=f"mang mã {code}"):
        Settings(provinces=("94", code))
    assert Settings(provinces=("94", "92")).provinces == ("94", "92"), "one that has ended is none the less known"


def test_limits_of_intake_come_from_the_settings_file_and_a_misspelt_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "cchc.toml"
    monkeypatch.setenv("CCHC_SETTINGS", str(file))
    file.write_text("[intake]\ncsv_needs_proof = true\nmax_cells = 1000\n", encoding="utf-8")
    limits = load_settings().intake
    assert (limits.csv_needs_proof, limits.max_cells, limits.child_wall_seconds) == (True, 1000, 90.0)
    file.write_text("[intake]\nmax_cels = 1000\n", encoding="utf-8")
    with pytest.raises(ValueError, match="max_cels"):
        load_settings()


def test_a_lost_key_is_not_replaced_once_deliveries_were_taken_in(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    key = settings.person_secret()
    settings.paths.person_key.unlink()
    for _ in range(2):
        with pytest.raises(LostPersonKey, match=r"person_key.*bản sao lưu"):
            settings.person_secret()
    assert not settings.paths.person_key.exists()
    settings.paths.person_key.write_bytes(key)
    assert settings.person_secret() == key


def test_receipts_alone_tell_that_there_was_a_key(tmp_path: Path) -> None:
    """A home from before the key left its mark."""
    settings = Settings(home=tmp_path)
    settings.paths.ledger.mkdir(parents=True)
    (settings.paths.ledger / "0123456789abcdef.json").write_text("{}")
    with pytest.raises(LostPersonKey):
        settings.person_secret()
    assert Settings(home=tmp_path, person_key="một khóa của văn phòng").person_secret()


def test_another_key_than_before_is_refused_until_somebody_says_so(tmp_path: Path) -> None:
    Settings(home=tmp_path, person_key="một khóa của văn phòng").person_secret()
    other = Settings(home=tmp_path, person_key="một khóa khác hẳn")
    with pytest.raises(LostPersonKey, match="thiết đặt person_key") as caught:
        other.person_secret()
    assert "khác hẳn" not in str(caught.value)
    other.paths.person_key_mark.unlink()  # as the message says
    assert other.person_secret() == "một khóa khác hẳn".encode()


def test_a_key_that_a_killed_process_left_empty_is_made_anew(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    settings.paths.person_key.touch()
    assert len(settings.person_secret()) == 64
