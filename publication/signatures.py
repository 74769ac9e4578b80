"""Digital signatures in a PDF: whether each holds, and what can be said of who signed.

Belongs here: asking pyHanko, and its answer in three words. Does not belong here: which release a PDF belongs to
(``signed``). Nothing is fetched: revocation is known only where the file itself carries it.
"""

from __future__ import annotations

import datetime as dt
import io
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from asn1crypto.x509 import Certificate
    from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
    from pyhanko.sign.validation.status import PdfSignatureStatus

Judgement = Literal["valid", "invalid", "unknown_signer"]
JUDGEMENT_VI: dict[Judgement, str] = {
    "valid": "hợp lệ",
    "invalid": "không hợp lệ",
    "unknown_signer": "không rõ người ký",
}


class NoPdf(Exception):
    """The file is no PDF that can be read. The message is for people, in Vietnamese."""


class SignatureFound(BaseModel):
    """One signature. ``signer`` is the name in the certificate, ``signed_at`` what the signer's machine said (ISO);
    ``why_vi`` says why it is not valid, or why nobody knows the signer.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    field: str
    judgement: Judgement
    signer: str
    signed_at: str | None
    why_vi: str

    @property
    def line_vi(self) -> str:
        """``chữ ký số hợp lệ: Nguyễn Văn A, lúc 2023-04-05T09:00:00+07:00``."""
        at = f", lúc {self.signed_at}" if self.signed_at else ""
        why = f" ({self.why_vi})" if self.why_vi else ""
        return f"chữ ký số {JUDGEMENT_VI[self.judgement]}: {self.signer}{at}{why}"


def trusted_roots(paths: Sequence[Path]) -> list[Certificate]:
    """The certificates in these files (PEM or DER). Raises OSError, and ValueError where a file holds none."""
    from pyhanko.keys import load_certs_from_pemder

    found = list(load_certs_from_pemder(map(str, paths)))
    if paths and not found:
        raise ValueError("no certificate")
    return found


def signatures_in(data: bytes, roots: Sequence[Certificate], moment: dt.datetime) -> list[SignatureFound]:
    """Every signature of a PDF, as it stands at ``moment``; none where it is not signed. Raises NoPdf."""
    from pyhanko.pdf_utils.reader import PdfFileReader

    try:
        reader = PdfFileReader(io.BytesIO(data), strict=False)
        if reader.encrypted:
            raise NoPdf("tệp PDF có mật khẩu; bỏ mật khẩu rồi đính kèm lại")
        _ = reader.root["/Pages"]
        embedded = list(reader.embedded_regular_signatures)
    except NoPdf:
        raise
    except Exception as error:  # whatever a damaged file does to the reader
        raise NoPdf("không phải tệp PDF đọc được") from error
    return [_judged(signature, roots, moment) for signature in embedded]


def _judged(signature: EmbeddedPdfSignature, roots: Sequence[Certificate], moment: dt.datetime) -> SignatureFound:
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko_certvalidator import ValidationContext

    field = str(signature.field_name)
    # They log what a file holds, with traces of errors that are this file's own.
    for name in ("pyhanko", "pyhanko_certvalidator"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        context = ValidationContext(trust_roots=list(roots), moment=moment, allow_fetching=False)
        status = validate_pdf_signature(signature, signer_validation_context=context)
    except Exception as error:
        return SignatureFound(
            field=field, judgement="invalid", signer="không đọc được", signed_at=None, why_vi=type(error).__name__
        )
    judgement, why = _judgement(status, moment)
    told = status.signer_reported_dt
    return SignatureFound(
        field=field,
        judgement=judgement,
        signer=status.signing_cert.subject.human_friendly,
        signed_at=told.isoformat() if told else None,
        why_vi=why,
    )


def _judgement(status: PdfSignatureStatus, moment: dt.datetime) -> tuple[Judgement, str]:
    if not status.intact:
        return "invalid", "nội dung đã bị sửa sau khi ký"
    if not status.valid:
        return "invalid", "chữ ký không khớp với chứng thư"
    if not status.docmdp_ok or (not status.bottom_line and status.trusted and not status.revoked):
        return "invalid", "tài liệu được thêm nội dung sau khi ký, hoặc chứng thư không được dùng để ký tài liệu"
    if status.revoked:
        return "invalid", "chứng thư đã bị thu hồi"
    if not status.trusted:
        return "unknown_signer", "chứng thư không do nơi cấp nào trong thiết đặt signature_roots cấp, hoặc đã hết hạn"
    certificate = status.signing_cert
    # A certificate that is a root itself is believed by the library whatever its days are.
    if not certificate.not_valid_before <= moment <= certificate.not_valid_after:
        return "unknown_signer", "lúc kiểm tra, chứng thư chưa có hoặc không còn hiệu lực"
    return "valid", ""
