"""Drafts: the whole release as people would read it, before anything is published, outside the folder of releases.

Belongs here: making the draft of a candidate, what it was made from and what exactly was seen, reading it again.
Does not belong here: what the list beside it holds (``review``), publishing (``release``), whether a draft has to
be approved (the caller's settings).

A draft is made as its release would be, every file of it read back, and then written anew with the mark that it is a
draft. ``draft.json`` keeps the sha256 of each file of the release: an approval holds for these and no others. A
candidate that may not be published has a draft too, in which the figures that a rule holds back are blank; nothing can
be published from it. A province's has none where a rule holds it back: its rules are about the roll-up as a whole, so
that no figure of it could be shown.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pyarrow as pa

from common.files import (
    PRIVATE,
    canonical_json,
    fsync_path,
    fsync_tree,
    make_durable_directory,
    regular_files,
    remove_tree,
    sha256_bytes,
    sha256_file,
)
from expectations import blocking
from publication.audit import Inspection, NotCleared, inspect
from publication.content.causes import Lineage, UnexplainedChange
from publication.content.disclosure import DEFAULT_THRESHOLD
from publication.content.passport import passports
from publication.content.province_content import ProvinceContent
from publication.content.release_content import NO_IMPRINT, Imprint, ReleaseContent, form_rows
from publication.content.revision import Amendment
from publication.content.signing import UNSIGNED, Signing
from publication.letter import write_letter
from publication.outputs import FOLDERS, PROVINCE_WORKBOOK, check_outputs, write_outputs
from publication.page import write_page, write_province_page, write_unit_pages
from publication.release import (
    Basis,
    Refused,
    Release,
    Unchanged,
    candidate_of,
    current_release,
    previous_of,
    says_the_same,
    seen_in_draft,
    why_not,
)
from publication.review import REVIEW_NAME, Named, write_review
from publication.store.candidate import FORM_MART, CandidateError
from publication.store.pointer import DamagedPointer, Pointer, read_pointer
from publication.tables.annex import write_annex_xlsx
from publication.tables.form_06a import write_form
from publication.tables.manifest import DamagedManifest, describe_outputs
from publication.tables.province_workbook import write_workbook

DRAFT_NAME = "draft.json"
SCHEMA = 1
#: Digits of the hash of what was seen that people are shown.
CODE_LENGTH = 12
_WRITING = ".writing-"


class DamagedDraft(Exception):
    """There is no draft, or it is no longer what was written. The message is for people, in Vietnamese."""


@dataclass(frozen=True)
class Draft:
    """A draft as it lies in ``folder``.

    ``outputs``: sha256 of each file that the release would have, by path; None where it may not be published, and
    ``reasons`` says why. ``expected`` is the number of the release that was current.
    """

    folder: Path
    unit_code: str
    quarter: str
    code: str
    candidate_hash: str
    expected: int | None
    amendment: Amendment | None
    outputs: Mapping[str, str] | None
    reasons: tuple[str, ...]

    @property
    def can_be_approved(self) -> bool:
        return self.outputs is not None


DraftOutcome = Draft | Unchanged | Refused


def make_draft(
    published: Path,
    candidate_dir: Path,
    verdicts_dir: Path,
    folder: Path,
    *,
    unit: str,
    quarter: str,
    code_version: str,
    versions: Mapping[str, str] | None = None,
    lineage: Lineage | None = None,
    amendment: Amendment | None = None,
    signing: Signing = UNSIGNED,
    named: Named = list,
    imprint: Imprint | None = None,
    least_count: int = DEFAULT_THRESHOLD,
) -> DraftOutcome:
    """The draft of a candidate in ``folder``, which takes the place of any that was there.

    The arguments are those of ``publish``; ``named`` gives delivered files the names their senders know, in the list of
    what is to be looked at. Equal figures, verdicts and release
    before give the same code and the same files. What is current already has no draft: Unchanged, and one that lies
    there is taken away. Refused where there is nothing to draft from: no whole candidate, no verdict on it.
    Raises ReleaseNotWhole as ``publish`` does; OSError when the disk fails. The caller is alone at work in the folder.
    """
    quarter_dir = published / unit / quarter
    try:
        candidate = candidate_of(candidate_dir, unit, quarter)
        found = inspect(candidate, verdicts_dir)
        pointer = read_pointer(quarter_dir)
        current = current_release(published, unit, quarter)
        if candidate.is_of_province and found.reasons:
            return Refused(found.reasons)
        if current and not found.reasons and says_the_same(current, candidate, found.clearance, signing):
            discard_draft(folder)
            return Unchanged(current)
        basis = Basis(
            quarter_dir,
            candidate,
            found.clearance,
            code_version,
            versions or {},
            lineage or Lineage(),
            None,
            amendment,
            signing=signing,
            imprint=imprint or NO_IMPRINT,
            least_count=least_count,
        )
        content = basis.content(pointer, current)
        if pointer and pointer.lock and current and amendment is None and _changes_nothing(content):
            discard_draft(folder)
            return Unchanged(current)
        reasons = (*found.reasons, *_other_reasons(quarter_dir, pointer, basis, content))
    except (CandidateError, DamagedPointer, UnexplainedChange) as error:
        return Refused((str(error),))
    except NotCleared as error:
        return Refused(tuple(error.reasons))
    except DamagedManifest as error:
        return Refused((f"{quarter_dir}: {error}",))
    held = _held_figures(found, content)
    return _write(folder, published, basis, _blanked(content, held), found, reasons, current, named)


def _changes_nothing(content: ReleaseContent) -> bool:
    return content.revision is not None and not content.revision.changes_what_is_said


def _other_reasons(quarter_dir: Path, pointer: Pointer | None, basis: Basis, content: ReleaseContent) -> Iterable[str]:
    """What keeps a candidate from being published beside the verdicts on it."""
    if refusal := why_not(quarter_dir, pointer, basis.candidate, basis.amendment):
        yield refusal
    if pointer and pointer.lock and basis.amendment is None and content.revision:
        yield f"kỳ báo cáo đã khóa ở bản r{pointer.lock.release}; muốn công bố cần sửa đổi có lý do (--amend)"


def _held_figures(found: Inspection, content: ReleaseContent) -> frozenset[str]:
    """Codes of the form's rows that a blocking rule is about."""
    codes = content.rows_by_code.keys()
    return frozenset(
        subject
        for result in found.results
        if blocking(result)
        for subject in (*result.subjects, *(f.subject for f in result.findings if f.decision_id is None))
        if subject in codes
    )


#: What documents print of a row; what its passport alone tells stays for whoever looks into it.
_PRINTED = ("value", "value_text", "numerator", "denominator")
_TREND_MART = "indicator_trend"


def _blanked(content: ReleaseContent, held: frozenset[str]) -> ReleaseContent:
    """The same without the figures that are held back: no document of a draft prints one that must not be published.

    How such a figure came about still stands in its passport, for without it nobody could say what is wrong.
    """
    if not held:
        return content
    blank: dict[str, object] = dict.fromkeys(_PRINTED)
    blanked = {
        FORM_MART: [
            row | blank | {"status": "unsettled"} if row["indicator_code"] in held else row
            for row in content.tables[FORM_MART].to_pylist()
        ],
        _TREND_MART: [
            row | {"value": None, "status": "unsettled"}
            if row["indicator_code"] in held and row["trend_quarter"] == content.quarter
            else row
            for row in content.tables[_TREND_MART].to_pylist()
        ],
    }
    tables = {name: pa.Table.from_pylist(rows, schema=content.tables[name].schema) for name, rows in blanked.items()}
    return replace(content, tables={**content.tables, **tables}, rows=form_rows(tables[FORM_MART]))


def _write(
    folder: Path,
    published: Path,
    basis: Basis,
    content: ReleaseContent,
    found: Inspection,
    reasons: Sequence[str],
    current: Release | None,
    named: Named,
) -> Draft:
    make_durable_directory(folder.parent)
    for leftover in folder.parent.glob(f"{_WRITING}*"):
        remove_tree(leftover)
    staging = folder.parent / f"{_WRITING}{folder.name}"
    staging.mkdir(mode=0o700)
    try:
        outputs = None if reasons else _release_outputs(content, staging)
        previous = previous_of(current)
        seen = {
            "schema": SCHEMA,
            "unit_code": content.unit_code,
            "quarter": content.quarter,
            "candidate_hash": basis.candidate.candidate_hash,
            "verdicts": [reference.model_dump(mode="json") for reference in basis.clearance.references],
            "previous": previous.model_dump(mode="json") if previous else None,
            "amendment": asdict(basis.amendment) if basis.amendment else None,
            "outputs": outputs,
            "reasons": list(reasons),
        }
        code = sha256_bytes(canonical_json(seen))[:CODE_LENGTH]
        drafted = replace(content, draft=code)
        _write_documents(drafted, staging, os.path.relpath(published, folder / "report"))
        write_review(staging / REVIEW_NAME, drafted, found.results, reasons=reasons, published=published, named=named)
        files = {name: sha256_file(path) for name, path in regular_files(staging).items()}
        (staging / DRAFT_NAME).write_bytes(canonical_json({"seen": seen, "files": files}))
        for path in staging.rglob("*"):  # the list quotes what was delivered
            path.chmod(0o700 if path.is_dir() else PRIVATE)
        fsync_tree(staging)
        if folder.exists():
            remove_tree(folder)
        staging.rename(folder)
        fsync_path(folder.parent)
    except BaseException:
        if staging.exists():
            remove_tree(staging)
        raise
    return read_draft(folder)


def _release_outputs(content: ReleaseContent, staging: Path) -> dict[str, str]:
    """sha256 of what the release would hold, by path: it is made, read back and taken away again."""
    made = staging / "release"
    made.mkdir()
    write_outputs(content, made)
    check_outputs(content, made)
    outputs = seen_in_draft(describe_outputs(made))
    remove_tree(made)
    return outputs


def _write_documents(content: ReleaseContent, folder: Path, published: str) -> None:
    """The documents that people read, each with the mark of a draft on every page. ``published``: the way from them to
    the folder of releases.
    """
    for name in FOLDERS:
        (folder / name).mkdir()
    if isinstance(content, ProvinceContent):
        write_workbook(folder / "report" / PROVINCE_WORKBOOK, content)
        write_province_page(content, folder / "report" / "index.html", published)
    else:
        _write_documents_of_unit(content, folder)
    for name in FOLDERS:
        if not any((folder / name).iterdir()):
            (folder / name).rmdir()


def _write_documents_of_unit(content: ReleaseContent, folder: Path) -> None:
    write_annex_xlsx(folder / "report" / "annex.xlsx", content)
    write_letter(folder / "report", content)
    write_form(folder / "report" / "form_06a.xlsx", content)
    write_unit_pages(content, folder)
    write_page(content, folder, passports(content))


def read_draft(folder: Path) -> Draft:
    """The draft in the folder, every file of it compared with what was written. Raises DamagedDraft."""
    try:
        data = (folder / DRAFT_NAME).read_bytes()
    except OSError as error:
        raise DamagedDraft(f"chưa có bản dự thảo nào trong {folder}; lập bằng cchc review") from error
    again = "bản dự thảo đã bị sửa sau khi lập ({}); lập lại bằng cchc review"
    try:
        kept = json.loads(data)
        seen, files = kept["seen"], kept["files"]
        amendment = Amendment(**seen["amendment"]) if seen["amendment"] else None
        draft = Draft(
            folder,
            seen["unit_code"],
            seen["quarter"],
            sha256_bytes(canonical_json(seen))[:CODE_LENGTH],
            seen["candidate_hash"],
            seen["previous"]["release"] if seen["previous"] else None,
            amendment,
            seen["outputs"],
            tuple(seen["reasons"]),
        )
        whole = canonical_json(kept) == data and seen["schema"] == SCHEMA
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedDraft(again.format(DRAFT_NAME)) from error
    if not whole:
        raise DamagedDraft(again.format(DRAFT_NAME))
    found = {name: path for name, path in regular_files(folder).items() if name != DRAFT_NAME}
    other = {name for name in files.keys() & found.keys() if sha256_file(found[name]) != files[name]}
    if other := other | (files.keys() ^ found.keys()):
        raise DamagedDraft(again.format(", ".join(sorted(other))))
    return draft


def discard_draft(folder: Path) -> bool:
    """Takes away the draft that lies there, published or superseded; whether there was one."""
    found = [path for path in (folder, *folder.parent.glob(f"{_WRITING}*")) if path.exists()]
    for path in found:
        remove_tree(path)
    return bool(found)
