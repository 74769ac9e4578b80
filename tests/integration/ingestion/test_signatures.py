"""Where signatures are asked for, decisions count only when the unit's own key signed just this file; else they are
passed over, never taken for deliveries. The signing is minisign's own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ingestion import IntakeLimits, PublicKey, Signers, check_file, mend_store, read_deliveries, remarks_on_landing
from ingestion.deliveries.signatures import read_signature
from orchestration.settings import Settings
from tests.integration.ingestion.conftest import KEY

pytestmark = pytest.mark.skipif(shutil.which("minisign") is None, reason="needs Debian's package minisign")
UNIT, OTHER, COMMUNE = "945", "946", "31618"
HEADINGS = ["Mã quyết định", "Loại đối tượng", "Đối tượng", "Đơn vị", "Kỳ báo cáo", "Cách xử lý", "Lý do",
            "Người duyệt (chức vụ)", "Số văn bản", "Ngày văn bản", "Hiệu lực đến kỳ"]  # fmt: skip
ROW = ["QĐ-01", "Chỉ tiêu", "III.23", UNIT, "2023-Q1", "Không công bố", "Sót hồ sơ", "Chủ tịch UBND huyện",
       "45/BC-UBND", "10/03/2023", "2023-Q1"]  # fmt: skip


class Signer:
    """A key pair of minisign, without a password."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._secret = folder / "key"
        public = folder / "key.pub"
        subprocess.run(
            ["minisign", "-G", "-W", "-f", "-p", public, "-s", self._secret], check=True, capture_output=True
        )
        self.public = public.read_text().splitlines()[1]

    def sign(self, path: Path, *options: str) -> Path:
        subprocess.run(["minisign", "-S", *options, "-s", self._secret, "-m", path], check=True, capture_output=True)
        return path.with_name(f"{path.name}.minisig")


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    return Signer(tmp_path_factory.mktemp("keys") / "mine")


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    return Signer(tmp_path_factory.mktemp("keys") / "others")


@pytest.fixture
def signers(mine: Signer, others: Signer) -> Signers:
    return Signers({UNIT: (mine.public,), OTHER: (others.public,)})


def deliver(home: Any, name: str = "so-qd.xlsx", unit: str = UNIT, reason: str = "Sót hồ sơ") -> Path:
    row = [reason if cell == "Sót hồ sơ" else cell for cell in ROW]
    return Path(home.workbook("decisions", [HEADINGS, row], name=name, unit=unit))


def ingest(home: Any, signers: Signers | None) -> dict[str, Any]:
    """What became of the decisions delivered last."""
    home.ingest(sources=["decisions"], signers=signers)
    return dict(max(read_deliveries(home.paths).to_pylist(), key=lambda d: d["first_seen"]))


def remarks(home: Any) -> list[tuple[str, str]]:
    return [(r["subject"], r["message_vi"]) for r in remarks_on_landing(home.paths).to_pylist()]


@pytest.mark.parametrize("options", [(), ("-l",), ("-t", "kỳ Quý I, đã xem")], ids=["hashed", "legacy", "comment"])
def test_a_file_signed_by_the_units_key_counts(
    registers: Any, mine: Signer, signers: Signers, options: tuple[str, ...]
) -> None:
    mine.sign(deliver(registers), *options)
    found = ingest(registers, signers)
    assert (found["outcome"], found["rows_accepted"]) == ("accepted", 1)
    assert remarks(registers) == []


def _unsigned(path: Path, mine: Signer, others: Signer) -> None: ...


def _by_another_unit(path: Path, mine: Signer, others: Signer) -> None:
    others.sign(path)


def _changed_after(path: Path, mine: Signer, others: Signer) -> None:
    mine.sign(path)
    with path.open("ab") as file:
        file.write(b"\0")


def _of_another_file(path: Path, mine: Signer, others: Signer) -> None:
    another = path.with_name("khac.txt")
    another.write_text("một tệp khác")
    mine.sign(another).rename(path.with_name(f"{path.name}.minisig"))
    another.unlink()


def _edited(change: Callable[[str], str]) -> Callable[[Path, Signer, Signer], None]:
    def harm(path: Path, mine: Signer, others: Signer) -> None:
        signature = mine.sign(path)
        before = signature.read_text()
        signature.write_text(change(before))
        assert signature.read_text() != before

    return harm


def _link(path: Path, mine: Signer, others: Signer) -> None:
    signature = mine.sign(path)
    kept = signature.rename(path.parents[4] / "kept.minisig")
    signature.symlink_to(kept)


def _other_program(path: Path, mine: Signer, others: Signer) -> None:
    mine.sign(path).rename(path.with_name(f"{path.name}.sig"))


def _other_key_same_number(text: str) -> str:
    """The signature bytes themselves flipped, everything else as it was."""
    lines = text.splitlines()
    lines[1] = lines[1][:40] + ("A" if lines[1][40] != "A" else "B") + lines[1][41:]
    return "\n".join(lines) + "\n"


HARMS: dict[str, tuple[Callable[[Path, Signer, Signer], None], str]] = {
    "unsigned": (_unsigned, "không có chữ ký kèm theo"),
    "by another unit's key": (_by_another_unit, "không phải của khóa đã khai cho đơn vị 945"),
    "changed after signing": (_changed_after, "chữ ký không khớp"),
    "of another file": (_of_another_file, "chữ ký không khớp"),
    "signature altered": (_edited(_other_key_same_number), "chữ ký không khớp"),
    "comment altered": (_edited(lambda s: s.replace("timestamp:", "timestamp:9")), "chữ ký không khớp"),
    "cut": (_edited(lambda s: "\n".join(s.splitlines()[:2])), "không phải chữ ký minisign"),
    "no base64": (_edited(lambda s: s.replace("\n", "\n!", 1)), "không phải chữ ký minisign"),
    "empty": (_edited(lambda s: ""), "không có chữ ký kèm theo"),
    "too long": (_edited(lambda s: s + "x" * 5000), "không có chữ ký kèm theo"),
    "a link": (_link, "không có chữ ký kèm theo"),
    "another program's": (_other_program, "không có chữ ký kèm theo"),
}


@pytest.mark.parametrize("name", HARMS)
def test_decisions_that_are_not_rightly_signed_do_not_count_and_the_file_is_named(
    registers: Any, mine: Signer, others: Signer, signers: Signers, name: str
) -> None:
    harm, words = HARMS[name]
    path = deliver(registers)
    harm(path, mine, others)
    found = ingest(registers, signers)
    assert (found["outcome"], found["rows_accepted"], found["refusal"]) == ("refused", 0, "not_signed")
    assert words in found["message_vi"]
    assert "“so-qd.xlsx”" in found["message_vi"]
    assert unicodedata.is_normalized("NFC", found["message_vi"])
    assert [file.name for file in (registers.paths.outbox).rglob("*.xlsx")], "the clerk is told"
    assert registers.rows("decisions") == []


def test_a_unit_without_a_key_can_sign_nothing(registers: Any, mine: Signer) -> None:
    mine.sign(deliver(registers))
    assert "chưa khai khóa ký nào" in ingest(registers, Signers({OTHER: (mine.public,)}))["message_vi"]


def test_a_signature_that_comes_later_makes_the_same_file_count(registers: Any, mine: Signer, signers: Signers) -> None:
    path = deliver(registers)
    assert ingest(registers, signers)["outcome"] == "refused"
    mine.sign(path)
    found = ingest(registers, signers)
    assert (found["outcome"], found["version"]) == ("accepted", 1)
    path.with_name(f"{path.name}.minisig").unlink()
    assert ingest(registers, signers)["outcome"] == "accepted", "what was delivered once is not lost"
    assert not list(registers.paths.outbox.rglob("*.xlsx"))


def test_a_key_that_is_taken_off_the_list_takes_its_decisions_with_it(
    registers: Any, mine: Signer, others: Signer, signers: Signers
) -> None:
    mine.sign(deliver(registers))
    assert ingest(registers, signers)["outcome"] == "accepted"
    assert ingest(registers, Signers({UNIT: (others.public,)}))["outcome"] == "refused"
    assert ingest(registers, Signers({UNIT: (others.public, mine.public)}))["outcome"] == "accepted"


def test_an_unsigned_correction_does_not_take_the_place_of_a_signed_register(
    registers: Any, mine: Signer, signers: Signers
) -> None:
    mine.sign(deliver(registers))
    assert ingest(registers, signers)["outcome"] == "accepted"
    deliver(registers, reason="Sửa lén")
    ingest(registers, signers)
    current = [d for d in read_deliveries(registers.paths).to_pylist() if d["is_current"]]
    assert [(d["outcome"], d["version"]) for d in current] == [("accepted", 1)]
    assert [row["reason"] for row in registers.rows("decisions")] == ["Sót hồ sơ"]
    assert any("Bản sửa" in message for _, message in remarks(registers))


@pytest.mark.parametrize("suffix", [".minisig", ".sig", ".asc", ".MINISIG"])
def test_where_none_is_asked_for_signatures_are_passed_over_with_a_remark(registers: Any, suffix: str) -> None:
    path = deliver(registers)
    signature = path.with_name(f"{path.name}{suffix}")
    signature.write_text("chữ ký")
    report = registers.ingest(sources=["decisions"])
    assert [(d.file_name, d.outcome) for d in report.deliveries] == [("so-qd.xlsx", "accepted")]
    assert report.problems == ()
    ((subject, message),) = remarks(registers)
    assert subject == f"945/2023-Q1/decisions/{signature.name}"
    assert "chưa đặt yêu cầu chữ ký" in message


def test_a_signature_without_use_is_told_also_where_they_are_asked_for(
    registers: Any, mine: Signer, signers: Signers
) -> None:
    mine.sign(deliver(registers))
    folder = registers.place("decisions", "lạc.xlsx.minisig").parent
    (folder / "lạc.xlsx.minisig").write_text("x")
    (folder / "so-qd.xlsx.asc").write_text("x")
    registers.place("plan_tasks", "a.xlsx.minisig").write_text("x")
    assert ingest(registers, signers)["outcome"] == "accepted"
    told = {os.path.basename(subject): message for subject, message in remarks(registers)}
    assert "không có tệp cùng tên" in told["lạc.xlsx.minisig"]
    assert "không phải chữ ký minisign" in told["so-qd.xlsx.asc"]
    assert "nguồn này không cần chữ ký" in told["a.xlsx.minisig"]
    assert len(told) == 3


def test_lost_rows_of_a_signed_register_come_back_by_the_same_rules(
    registers: Any, mine: Signer, signers: Signers
) -> None:
    mine.sign(deliver(registers))
    ingest(registers, signers)
    (rows,) = (registers.paths.raw / "lake" / "source=decisions").rglob(f"unit={UNIT}/*.parquet")
    before = {path: path.read_bytes() for path in (rows, *registers.paths.ledger.glob("*.json"))}
    rows.unlink()
    registers.paths.landing_remarks.unlink()
    found = mend_store(registers.paths, registers.reference, lambda: KEY, IntakeLimits(), signers)
    assert (found.lost, found.problems) == ([], [])
    assert {path: path.read_bytes() for path in before} == before
    assert remarks(registers) == [], "its signature is one by which something is judged"


def test_names_in_two_unicode_forms_are_one(registers: Any, mine: Signer, signers: Signers) -> None:
    path = deliver(registers, name=unicodedata.normalize("NFC", "sổ quyết định.xlsx"))
    signature = mine.sign(path)
    signature.rename(signature.with_name(unicodedata.normalize("NFD", signature.name)))
    assert ingest(registers, signers)["outcome"] == "accepted"
    assert remarks(registers) == []


def test_other_sources_need_no_signature(registers: Any, signers: Signers) -> None:
    rows = [["Mã chỉ tiêu", "Chỉ tiêu", "Số liệu", "Ghi chú"], ["I.14", None, "3", None]]
    registers.workbook("declared_returns", rows)
    report = registers.ingest(sources=["declared_returns"], signers=signers)
    assert [d.outcome for d in report.deliveries] == ["accepted"]


@pytest.mark.parametrize("signed", [True, False])
def test_decisions_count_only_from_the_folder_of_the_unit_that_reports(
    registers: Any, mine: Signer, signed: bool
) -> None:
    path = deliver(registers, unit=COMMUNE)
    if signed:
        mine.sign(path)
    found = ingest(registers, Signers({COMMUNE: (mine.public,), UNIT: (mine.public,)}) if signed else None)
    assert (found["outcome"], found["rows_accepted"]) == ("refused", 0)
    assert "không nộp nguồn" in found["message_vi"]


def test_the_dry_run_says_what_the_intake_will(registers: Any, mine: Signer, signers: Signers, tmp_path: Path) -> None:
    path = deliver(registers)
    asked = (registers.paths, "decisions", path, UNIT, "2023-Q1")
    assert check_file(*asked, reference=registers.reference, signers=signers).outcome == "refused"
    mine.sign(path)
    assert check_file(*asked, reference=registers.reference, signers=signers).outcome == "accepted"


def test_a_signature_is_read_only_where_it_is_a_small_plain_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert read_signature(tmp_path / "fifo") == ""
    assert read_signature(tmp_path) == ""
    assert read_signature(tmp_path / "none") == ""


@pytest.mark.parametrize("key", ["", "RW", "không phải khóa", "A" * 56, "ssh-ed25519 AAAA"])
def test_a_key_that_is_none_is_a_wrong_setting_that_names_the_unit(key: str, tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="of unit 945"):
        Settings(home=tmp_path, decision_keys={UNIT: (key,)})


def test_settings_say_whose_signature_counts(mine: Signer, tmp_path: Path) -> None:
    keys = {UNIT: (mine.public,)}
    assert Settings(home=tmp_path, decision_keys=keys).signers() is None
    assert Settings(home=tmp_path, decision_keys=keys, decision_signatures=True).signers() == Signers(keys)
    assert PublicKey.parse(mine.public).number
