"""Signed PDFs: ``cchc attach``, and what ``cchc verify`` says of them.

Belongs here: reading the file that was asked for, the words of the answer. Does not belong here: keeping it, judging
its signatures (``publication``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.chained_log import BrokenChain
from orchestration.cli.terminal import Exit, WrongUse, asked_path
from orchestration.pipeline import Pipeline
from orchestration.timing import now

if TYPE_CHECKING:
    from publication import Attached


def attached(
    pipeline: Pipeline, unit: str, quarter: str, file: Path, number: int | None, by: str
) -> tuple[list[str], dict[str, Any], Exit]:
    """Attaches the file to a release (default: the current one); ends with 1 where a signature in it does not hold.

    Raises ``WrongUse`` where file or release is not one that can be used.
    """
    from publication import (
        LARGEST_BYTES,
        NoPdf,
        NotAttachable,
        attach,
        current_release,
        find_release,
        trusted_roots,
    )

    published, settings = pipeline.home.published, pipeline.settings
    with asked_path(file, "không đọc được tệp"):
        if file.stat().st_size > LARGEST_BYTES:
            raise WrongUse(f"{file} lớn hơn {LARGEST_BYTES // 1024**2} MiB")
        data = file.read_bytes()
    try:
        roots = trusted_roots(settings.signature_roots)
    except (OSError, ValueError) as error:
        raise WrongUse(f"thiết đặt signature_roots: không đọc được chứng thư ({error})") from error
    try:
        release = (
            current_release(published, unit, quarter)
            if number is None
            else find_release(published, unit, quarter, number)
        )
        if release is None:
            raise WrongUse(f"{unit}, {quarter}: chưa công bố bản nào")
        witness = _witness(pipeline, unit, quarter)
        kept = attach(release, data, roots=roots, by=by.strip() or None, at=now(), witness=witness)
    except LookupError as error:
        raise WrongUse(str(error.args[0])) from error
    except (NoPdf, NotAttachable, BrokenChain) as error:
        raise WrongUse(f"{file}: {error}") from error
    head = f"{unit} {pipeline.units.name_of(unit, quarter)}, {quarter}: đã đính kèm vào bản {release.name}"
    bad = any(signature.judgement == "invalid" for signature in kept.signatures)
    signatures = [signature.model_dump(mode="json") for signature in kept.signatures]
    document = {"unit_code": unit, "quarter": quarter, **asdict(kept), "signatures": signatures}
    return [head, *(f"  - {line}" for line in kept.lines_vi)], document, Exit.HELD_BACK if bad else Exit.DONE


def _witness(pipeline: Pipeline, unit: str, quarter: str) -> Callable[[Attached], None]:
    """Writes into the journal that a file is about to be attached."""

    def note(new: Attached) -> None:
        facts = {"release": new.release, "file_sha256": new.sha256, "by": new.by}
        pipeline.journal.note("attach", unit=unit, period=quarter, **facts)

    return note


def checked(published: Path) -> tuple[list[str], list[dict[str, Any]], bool]:
    """Every signed PDF against the hash it was attached with: lines, data, and whether all are what they were."""
    from publication import verify_attached

    found = {folder.parent: verify_attached(folder.parent) for folder in sorted(published.glob("[!.]*/*/signed"))}
    lines = []
    for quarter_dir, faults in found.items():
        lines.append(f"{quarter_dir / 'signed'}: {'HƯ HẠI' if faults else 'nguyên vẹn'}")
        lines += [f"  - {fault}" for fault in faults]
    data = [{"path": str(quarter_dir / "signed"), "damages": faults} for quarter_dir, faults in found.items()]
    return lines, data, not any(found.values())
