"""Signed PDFs beside the releases that they are of: ``published/<unit>/<quarter>/signed/``.

Belongs here: attaching a PDF to a release, the list of what was attached, and whether it is still that.
Does not belong here: judging signatures (``signatures``), releases themselves, which are never touched again.

A digital signature is added at the end of a PDF, so a signed file begins with the very bytes that were signed: where
these are the release's ``report.pdf``, the file is proven to be of it. A scan proves nothing, and is said to be one.
``attached.jsonl`` holds a line a file, each with the hash of the line before.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.chained_log import BrokenChain, add_line, read_lines
from common.files import (
    exclusive_lock,
    is_regular_file,
    make_durable_directory,
    regular_files,
    replace_durably,
    sha256_bytes,
    sha256_file,
)
from publication.letter import PDF
from publication.release import WRITERS_LOCK, Release
from publication.signatures import SignatureFound, signatures_in
from publication.store.pointer import DamagedPointer, read_pointer, release_name
from publication.verify import verify

if TYPE_CHECKING:
    from asn1crypto.x509 import Certificate

SIGNED = "signed"
ATTACHED_NAME = "attached.jsonl"
LARGEST_BYTES = 100 * 1024 * 1024
#: Digits of the file's hash in its name: two files of one release keep apart.
_DIGITS = 12


class NotAttachable(Exception):
    """The PDF cannot be attached to the release. The message is for people, in Vietnamese."""


@dataclass(frozen=True)
class Attached:
    """A signed PDF of a release. ``proven``: it begins with the bytes of the release's own PDF."""

    release: int
    manifest_sha256: str
    file: str
    sha256: str
    proven: bool
    signatures: tuple[SignatureFound, ...]
    by: str | None
    at: str | None

    @property
    def lines_vi(self) -> list[str]:
        """What the file is, and each signature."""
        what = (
            f"đúng là {PDF} của bản {release_name(self.release)}"
            if self.proven
            else f"không chứa nguyên vẹn {PDF} của bản {release_name(self.release)} (bản quét hoặc in lại); "
            "không đối chiếu được nội dung"
        )
        return [
            f"{self.file}: {what}",
            *(signature.line_vi for signature in self.signatures),
            *([] if self.signatures else ["không có chữ ký số"]),
        ]


def attach(
    release: Release,
    data: bytes,
    *,
    roots: Sequence[Certificate] = (),
    by: str | None = None,
    at: dt.datetime,
    witness: Callable[[Attached], None] | None = None,
) -> Attached:
    """Keeps the PDF beside the release and writes down its hash. The same file again changes nothing, but where its
    signatures are judged otherwise by now (by other ``roots``) adds a line that says so.

    ``at`` is when signatures are judged; ``witness`` is told before anything is written. Raises NotAttachable where the
    release is no longer what was published, or the file is one of another release; NoPdf where it cannot be read;
    BrokenChain where the list was changed.
    """
    folder = release.path.parent / SIGNED
    digest = sha256_bytes(data)
    if damages := verify(release.path):
        raise NotAttachable(f"bản {release.name} đã hư hại, không đính kèm được: {damages[0].message_vi}")
    found = signatures_in(data, roots, at)
    proven = data.startswith((release.path / "report" / PDF).read_bytes())
    if not proven and (other := _is_of_another(release, data)):
        raise NotAttachable(f"tệp này là của bản {other}, không phải {release.name}; dùng --release {other[1:]}")
    new = Attached(
        release.number,
        release.manifest_sha256,
        f"{release.name}-{digest[:_DIGITS]}.pdf",
        digest,
        proven,
        tuple(found),
        by,
        at.isoformat(),
    )
    with exclusive_lock(release.path.parent / WRITERS_LOCK):
        same = [known for known in attached_to(release.path.parent) if known.file == new.file]
        if same and same[-1].signatures == new.signatures and (folder / new.file).exists():
            return same[-1]
        if witness is not None:
            witness(new)
        make_durable_directory(folder)
        replace_durably(folder / new.file, data)
        add_line(folder / ATTACHED_NAME, _as_line(new))
        (folder / ATTACHED_NAME).chmod(0o644)  # as public as what it lists
    return new


def _is_of_another(release: Release, data: bytes) -> str | None:
    pointer = read_pointer(release.path.parent)
    for number in sorted(pointer.manifests if pointer else ()):
        path = release.path.parent / release_name(number) / "report" / PDF
        if number != release.number and path.is_file() and data.startswith(path.read_bytes()):
            return release_name(number)
    return None


def _as_line(attached: Attached) -> dict[str, Any]:
    return {
        "release": attached.release,
        "manifest_sha256": attached.manifest_sha256,
        "file": attached.file,
        "sha256": attached.sha256,
        "proven": attached.proven,
        "signatures": [signature.model_dump(mode="json") for signature in attached.signatures],
        "by": attached.by,
        "at": attached.at,
    }


def attached_to(quarter_dir: Path) -> list[Attached]:
    """What was attached to releases of a unit and quarter, in order. Raises BrokenChain where the list was changed."""
    found = []
    for number, line in enumerate(read_lines(quarter_dir / SIGNED / ATTACHED_NAME), start=1):
        try:
            found.append(
                Attached(
                    line["release"],
                    line["manifest_sha256"],
                    line["file"],
                    line["sha256"],
                    line["proven"],
                    tuple(SignatureFound.model_validate(signature) for signature in line["signatures"]),
                    line["by"],
                    line["at"],
                )
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BrokenChain(quarter_dir / SIGNED / ATTACHED_NAME, number, "không đúng khuôn") from error
    return found


def verify_attached(quarter_dir: Path) -> list[str]:
    """Everything wrong with what was attached, a sentence each; empty where all is as it was attached, or nothing was.

    A file that was left by an interrupted attachment, and that no line names, is said too: attaching it again mends it.
    """
    folder = quarter_dir / SIGNED
    if not folder.exists():
        return []
    try:
        known = attached_to(quarter_dir)
        pointer = read_pointer(quarter_dir)
    except (BrokenChain, DamagedPointer) as error:
        return [str(error)]
    manifests = pointer.manifests if pointer else {}
    faults = []
    for one in known:
        path = folder / one.file
        if not is_regular_file(path):
            faults.append(f"thiếu tệp {SIGNED}/{one.file}, hoặc không phải tệp thường")
        elif sha256_file(path) != one.sha256:
            faults.append(f"nội dung {SIGNED}/{one.file} đã thay đổi")
        if manifests.get(one.release) != one.manifest_sha256:
            faults.append(f"{SIGNED}/{one.file} là của bản {release_name(one.release)} khác với bản đã công bố")
    listed = {ATTACHED_NAME, *(one.file for one in known)}
    strays = [name for name in regular_files(folder) if name not in listed]
    faults += [f"tệp {SIGNED}/{name} không có trong {ATTACHED_NAME}" for name in strays]
    if not known:
        faults.append(f"{SIGNED}/{ATTACHED_NAME} bị mất hoặc chưa có dòng nào")
    return faults
