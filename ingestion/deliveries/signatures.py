"""Detached signatures beside deliveries, and whether a register of decisions is signed by whom its unit lists.

Belongs here: telling signature files from deliveries, reading one, verifying it. Does not belong here: what becomes of
a delivery that is not signed (``engine``), where keys are listed (settings).

Signatures are minisign's, a text of four lines beside the file (``a.xlsx.minisig``): two Ed25519 signatures, one of the
file or its BLAKE2b hash, one of the first and of a comment. The format is minisign's manual's, "Notes"; the arithmetic
is the library's.
"""

from __future__ import annotations

import base64
import hashlib
import os
import stat
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

#: The only source whose rows somebody must answer for by name before they count.
SIGNED_SOURCE = "decisions"
#: The code of a delivery that is refused for want of a signature.
NOT_SIGNED = "not_signed"
_MINISIGN = ".minisig"
#: What the programs in use name detached signatures. Only minisign's are verified.
_SUFFIXES = (_MINISIGN, ".sig", ".asc")
_MOST_BYTES = 4_096
_TRUSTED = "trusted comment: "


def is_signature(name: str) -> bool:
    """Whether a file is a signature by its name, and so no delivery."""
    return name.lower().endswith(_SUFFIXES)


def signature_name(file_name: str, names: Collection[str]) -> str | None:
    """The minisign signature of a file among the names of its folder; Unicode forms may differ."""
    wanted = unicodedata.normalize("NFC", file_name)
    found = (
        name
        for name in sorted(names)
        if name.lower().endswith(_MINISIGN) and unicodedata.normalize("NFC", name[: -len(_MINISIGN)]) == wanted
    )
    return next(found, None)


def read_signature(path: Path) -> str:
    """The text of a signature file; empty where it is no plain small file."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            state = os.fstat(file.fileno())
            if not stat.S_ISREG(state.st_mode) or state.st_size > _MOST_BYTES:
                return ""
            return file.read(_MOST_BYTES).decode("utf-8", errors="replace")
    except OSError:
        return ""


def why_unused(path: Path, source: str, *, asked: bool) -> str | None:
    """Why a signature file in a source's folder is passed over, in Vietnamese; None where a file there is judged by
    it. ``asked``: whether decisions must be signed.
    """
    if not asked:
        return "là chữ ký rời; hệ thống chưa đặt yêu cầu chữ ký (decision_signatures) nên không xét"
    if source != SIGNED_SOURCE:
        return "là chữ ký rời; nguồn này không cần chữ ký"
    if not path.name.lower().endswith(_MINISIGN):
        return "không phải chữ ký minisign (đuôi .minisig)"
    names = [entry.name for entry in path.parent.iterdir()]
    if any(signature_name(name, [path.name]) for name in names if not is_signature(name)):
        return None
    return "là chữ ký rời nhưng không có tệp cùng tên đi kèm"


@dataclass(frozen=True)
class PublicKey:
    """A minisign public key: its id, and the 32 bytes of Ed25519."""

    number: bytes
    point: bytes

    @classmethod
    def parse(cls, text: str) -> PublicKey:
        """The key of the line that ``minisign -G`` prints. Raises ``ValueError`` for anything else."""
        data = base64.b64decode(text.strip(), validate=True)
        if len(data) != 42 or data[:2] != b"Ed":
            raise ValueError("not a public key of minisign")
        return cls(data[2:10], data[10:])

    def signed(self, content: bytes, signature: bytes) -> bool:
        # A large library, for the offices that sign.
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(self.point).verify(signature, content)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class _Signature:
    """The parts of a signature: whether it is of the file's hash, the id of its key, and what it signs how."""

    hashed: bool
    number: bytes
    of_file: bytes
    comment: bytes
    of_all: bytes

    @classmethod
    def parse(cls, text: str) -> _Signature:
        """Raises ``ValueError`` where the text is not minisign's."""
        lines = text.replace("\r\n", "\n").rstrip("\n").split("\n")
        if len(lines) != 4 or not lines[2].startswith(_TRUSTED):
            raise ValueError("not four lines")
        first, last = (base64.b64decode(line.strip(), validate=True) for line in (lines[1], lines[3]))
        if len(first) != 74 or len(last) != 64 or first[:2] not in (b"Ed", b"ED"):
            raise ValueError("not a signature")
        return cls(first[:2] == b"ED", first[2:10], first[10:], lines[2][len(_TRUSTED) :].encode(), last)


@dataclass(frozen=True)
class Signers:
    """Whose signature counts: minisign public keys by the code of the unit that delivers."""

    keys: Mapping[str, tuple[str, ...]]

    def digest(self, unit_code: str) -> str:
        """What a verification depends on, besides the file and its signature."""
        return " ".join(sorted(self.keys.get(unit_code, ())))

    def why_not(self, unit_code: str, file_name: str, original: Path, signature: str) -> str | None:
        """Why a unit's file does not count, in Vietnamese; None where it is signed by a key listed for the unit."""
        head = f"Tệp quyết định “{file_name}” không được tính:"
        keys = [PublicKey.parse(key) for key in self.keys.get(unit_code, ())]
        if not keys:
            return f"{head} chưa khai khóa ký nào của đơn vị {unit_code} (decision_keys); báo người quản trị hệ thống."
        if not signature:
            return f"{head} không có chữ ký kèm theo. Ký bằng minisign, để tệp “{file_name}{_MINISIGN}” cùng thư mục."
        try:
            found = _Signature.parse(signature)
        except ValueError:
            return f"{head} tệp “{file_name}{_MINISIGN}” không phải chữ ký minisign. Ký lại tệp."
        mine = [key for key in keys if key.number == found.number]
        if not mine:
            return f"{head} chữ ký không phải của khóa đã khai cho đơn vị {unit_code}. Ký lại bằng đúng khóa."
        content = original.read_bytes()
        content = hashlib.blake2b(content).digest() if found.hashed else content
        if not any(
            key.signed(content, found.of_file) and key.signed(found.of_file + found.comment, found.of_all)
            for key in mine
        ):
            return f"{head} chữ ký không khớp: tệp đã sửa sau khi ký, hoặc chữ ký là của tệp khác. Ký lại tệp."
        return None
