"""Signed PDFs beside their release: proven to be of it, their signatures judged, their bytes held against a hash."""

from __future__ import annotations

import datetime as dt
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.writer import PdfFileWriter
from pyhanko.sign import signers
from pyhanko_certvalidator.registry import SimpleCertificateStore

from common.chained_log import BrokenChain
from publication import NoPdf, NotAttachable, Release, attach, attached_to, current_release, trusted_roots, verify
from publication import verify_attached as verify_signed
from publication.signed import ATTACHED_NAME, Attached
from tests.integration.publication.conftest import Home
from tests.unit.publication.builders import QUARTER, UNIT, delivery

AT = dt.datetime(2023, 4, 5, 9, tzinfo=dt.UTC)
NAME = "Chủ tịch Ủy ban nhân dân huyện"


class Office:
    """Who signs: a key, its self-made certificate, and a file of that certificate."""

    def __init__(self, folder: Path, name: str = NAME, *, last_day: dt.datetime = AT + dt.timedelta(days=365)) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        usage = x509.KeyUsage(
            digital_signature=True, content_commitment=True, key_encipherment=False, data_encipherment=False,
            key_agreement=False, key_cert_sign=True, crl_sign=False, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(dt.datetime(2022, 1, 1, tzinfo=dt.UTC))
            .not_valid_after(last_day)
            .add_extension(usage, critical=True)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        self.file = folder / f"{len(list(folder.glob('*.pem')))}.pem"
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        private = key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self._signer = signers.SimpleSigner(
            signing_cert=asn1_x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER)),
            signing_key=asn1_keys.PrivateKeyInfo.load(private),
            cert_registry=SimpleCertificateStore(),
        )

    def sign(self, data: bytes, field: str = "KySo") -> bytes:
        out = io.BytesIO()
        signers.sign_pdf(
            IncrementalPdfFileWriter(io.BytesIO(data)),
            signers.PdfSignatureMetadata(field_name=field, md_algorithm="sha256"),
            signer=self._signer,
            output=out,
        )
        return out.getvalue()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    return Office(tmp_path_factory.mktemp("office"))


@pytest.fixture
def release(tmp_path: Path) -> Release:
    home = Home(tmp_path, ("marts", "report.pdf"))
    home.publish(home.candidate())
    found = current_release(home.published, UNIT, QUARTER)
    assert found is not None
    return found


def _report(release: Release) -> bytes:
    return (release.path / "report" / "report.pdf").read_bytes()


def _attach(release: Release, data: bytes, *offices: Office, at: dt.datetime = AT) -> Attached:
    return attach(release, data, roots=trusted_roots([office.file for office in offices]), at=at)


def _judged(attached: Attached) -> list[str]:
    return [signature.judgement for signature in attached.signatures]


def test_a_signed_report_is_kept_beside_its_release_with_its_hash(release: Release, office: Office) -> None:
    before = {path: path.stat().st_mtime_ns for path in release.path.rglob("*")}
    kept = _attach(release, office.sign(_report(release)), office)
    assert (kept.release, kept.proven, _judged(kept)) == (1, True, ["valid"])
    assert kept.signatures[0].signer == f"Common Name: {NAME}"
    assert "chữ ký số hợp lệ" in kept.lines_vi[1]
    assert attached_to(release.path.parent) == [kept]
    assert verify_signed(release.path.parent) == []
    assert verify(release.path) == []
    assert {path: path.stat().st_mtime_ns for path in release.path.rglob("*")} == before
    told: list[Attached] = []
    data = (release.path.parent / "signed" / kept.file).read_bytes()
    again = attach(release, data, roots=trusted_roots([office.file]), at=AT, witness=told.append)
    assert (again, told) == (kept, [])  # the same file is attached once
    # Where nobody vouches for the signer any more, a line says so; the file is the same.
    judged = attach(release, data, at=AT, witness=told.append)
    assert (judged.file, _judged(judged), told) == (kept.file, ["unknown_signer"], [judged])
    assert attached_to(release.path.parent) == [kept, judged]
    assert verify_signed(release.path.parent) == []


def test_what_nobody_vouches_for_is_said_to_be_unknown(release: Release, office: Office, tmp_path: Path) -> None:
    other = Office(tmp_path, "Người khác")
    kept = _attach(release, office.sign(_report(release)), other)
    assert _judged(kept) == ["unknown_signer"]
    assert "không rõ người ký" in kept.lines_vi[1]
    assert _judged(_attach(release, office.sign(_report(release)))) == ["unknown_signer"]


def test_a_certificate_that_had_run_out_proves_nobody(release: Release, tmp_path: Path) -> None:
    old = Office(tmp_path, last_day=dt.datetime(2022, 6, 1, tzinfo=dt.UTC))
    assert _judged(_attach(release, old.sign(_report(release)), old)) != ["valid"]


def _flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def test_what_was_changed_after_it_was_signed_is_not_valid(release: Release, office: Office) -> None:
    """A digit of the content, and the same in what only signing added."""
    report = _report(release)
    signed = office.sign(report)
    place = report.index(b"/MediaBox")
    changed = signed[: place + 11] + b"1" + signed[place + 12 :]
    assert changed != signed
    kept = _attach(release, changed, office)
    assert (_judged(kept), kept.proven) == (["invalid"], False)
    assert "không hợp lệ" in kept.lines_vi[1]
    own = signed.index(b"KySo", len(report))
    assert _judged(_attach(release, _flipped(signed, own), office)) != ["valid"]


def test_of_two_signatures_each_is_judged(release: Release, office: Office, tmp_path: Path) -> None:
    second = Office(tmp_path, "Chánh Văn phòng")
    both = second.sign(office.sign(_report(release)), "VanThu")
    assert _judged(_attach(release, both, office, second)) == ["valid", "valid"]
    assert _judged(_attach(release, both, office)) == ["valid", "unknown_signer"]


def test_a_scan_is_taken_and_said_to_prove_nothing(release: Release) -> None:
    out = io.BytesIO()
    PdfFileWriter().write(out)
    kept = _attach(release, out.getvalue())
    assert (kept.proven, _judged(kept)) == (False, [])
    assert "không đối chiếu được nội dung" in kept.lines_vi[0]
    assert kept.lines_vi[-1] == "không có chữ ký số"


def test_the_report_of_another_release_is_turned_away(tmp_path: Path, office: Office) -> None:
    home = Home(tmp_path, ("marts", "report.pdf"))
    home.publish(home.candidate())
    first = current_release(home.published, UNIT, QUARTER)
    assert first is not None
    home.publish(home.candidate(changes={"I.04": {"value": Decimal(10)}}, inputs=[delivery(content="b")]), expected=1)
    second = current_release(home.published, UNIT, QUARTER)
    assert second is not None
    signed = office.sign(_report(first))
    with pytest.raises(NotAttachable, match=r"của bản r1.*--release 1"):
        _attach(second, signed, office)
    assert _attach(first, signed, office).proven


@pytest.mark.parametrize("data", [b"", b"x", b"%PDF-1.7\n", b"PK\x03\x04" + b"0" * 100, b"%PDF-1.7\n" + b"\xff" * 500])
def test_what_is_no_pdf_is_turned_away(release: Release, data: bytes) -> None:
    with pytest.raises(NoPdf):
        _attach(release, data)
    assert not (release.path.parent / "signed").exists()


def test_every_damage_is_named(release: Release, office: Office) -> None:
    quarter_dir = release.path.parent
    kept = _attach(release, office.sign(_report(release)), office)
    path, listed = quarter_dir / "signed" / kept.file, quarter_dir / "signed" / ATTACHED_NAME
    data, lines = path.read_bytes(), listed.read_bytes()

    def said() -> str:
        (fault,) = verify_signed(quarter_dir)
        return fault

    path.write_bytes(_flipped(data, len(data) // 2))
    assert "đã thay đổi" in said()
    path.unlink()
    assert "thiếu tệp" in said()
    path.write_bytes(data)
    (quarter_dir / "signed" / "la.pdf").write_bytes(b"x")
    assert "la.pdf không có trong" in said()
    (quarter_dir / "signed" / "la.pdf").unlink()
    listed.write_bytes(lines.replace(b"valid", b"VALID", 1))
    assert "đã bị sửa" in said()
    with pytest.raises(BrokenChain):
        attached_to(quarter_dir)
    listed.unlink()
    assert "không có trong" in verify_signed(quarter_dir)[0]
    listed.write_bytes(lines)
    assert verify_signed(quarter_dir) == []
    # Interrupted between file and line: the same command again mends it.
    listed.unlink()
    _attach(release, data, office)
    assert verify_signed(quarter_dir) == []
    assert [json.loads(line)["file"] for line in listed.read_bytes().splitlines()] == [kept.file]


def test_nothing_is_attached_to_a_release_that_is_damaged(release: Release, office: Office) -> None:
    report = _report(release)
    path = release.path / "report" / "report.pdf"
    path.chmod(0o600)
    path.write_bytes(_flipped(report, 100))
    with pytest.raises(NotAttachable, match="hư hại"):
        _attach(release, office.sign(report), office)


def test_roots_are_files_of_certificates(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_bytes(b"")
    with pytest.raises((ValueError, OSError)):
        trusted_roots([empty])
    with pytest.raises(OSError, match="none"):
        trusted_roots([tmp_path / "none.pem"])
    found: Any = trusted_roots([])
    assert found == []
