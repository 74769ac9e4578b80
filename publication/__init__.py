"""Publication: a built and checked quarter becomes an immutable release that readers can rely on.

Belongs here: candidates, the forms and files of a release, the pointer, verification.
Does not belong here: how figures are made (dbt), what must hold (``expectations``), when anything runs.

Rooms, each standing on those after it: ``steering``, ``postgres``, ``explain`` (what people ask of releases),
``drafts`` (a release before it is one), ``release`` (one is made and the pointer moves), ``outputs``, ``audit``,
``index``, ``build``, ``verify``, then ``page``, ``letter`` and ``narrative`` (documents, and reading them), ``tables``,
``content``, ``store``. To read on, begin with ``release``.
"""

from publication.build import record_build, write_candidates
from publication.collection import LOCATE
from publication.content.approval import Approval
from publication.content.causes import Lineage, UnexplainedChange
from publication.content.passport import CSV_SHEET
from publication.content.province_content import coverage_vi
from publication.content.release_content import Imprint
from publication.content.revision import Amendment, ExplainedChange, Revision
from publication.content.signing import Signing
from publication.drafts import DRAFT_NAME, DamagedDraft, Draft, discard_draft, make_draft, read_draft
from publication.explain import (
    Explanation,
    NoPassports,
    UnknownRow,
    delivered_places,
    explain_candidate,
    explain_release,
)
from publication.formatting import format_number, format_quarter
from publication.index import index_once, rebuild_index
from publication.letter import missing_faces
from publication.letter_findings import check_texts_of
from publication.mending import ReleasesMending, mend_published
from publication.narrative import FigureCheck, ReportCheck, TableRowCheck, TextRemark, UnreadableReport, check_report
from publication.outputs import ReleaseNotWhole
from publication.page import HeldUnit, RunLine, render_runs
from publication.postgres import Copied, PostgresCopy, PostgresError, PostgresTarget
from publication.province import (
    Department,
    DepartmentFigure,
    PortalFigure,
    ProvinceExplanation,
    changed_since,
    explain_province,
    is_of_province,
    roll_up,
)
from publication.province import Unit as MemberUnit
from publication.release import (
    Approved,
    Held,
    Published,
    PublishOutcome,
    Refused,
    Release,
    Unchanged,
    compare_releases,
    current_release,
    find_release,
    publish,
)
from publication.signatures import NoPdf, SignatureFound, trusted_roots
from publication.signed import LARGEST_BYTES, Attached, NotAttachable, attach, attached_to, verify_attached
from publication.steering import Instruction, NotAllowed, lock, roll_back, unlock
from publication.store.candidate import (
    INTERNAL_MARTS,
    RELEASES_SOURCE,
    Candidate,
    CandidateError,
    hash_inputs,
    neutral_name,
    read_candidate,
)
from publication.store.contracts import (
    CONTRACTS_PATH,
    FIRST_VERSION,
    OWN_TABLES_PATH,
    Column,
    Contract,
    contract_breaches,
    contracts_json,
    parse_contracts,
    version_faults,
)
from publication.store.pointer import DamagedPointer, Event, Move, Pointer, read_pointer
from publication.tables.manifest import DamagedManifest
from publication.verify import all_releases, verify

__all__ = [
    "CONTRACTS_PATH",
    "CSV_SHEET",
    "DRAFT_NAME",
    "FIRST_VERSION",
    "INTERNAL_MARTS",
    "LARGEST_BYTES",
    "LOCATE",
    "OWN_TABLES_PATH",
    "RELEASES_SOURCE",
    "Amendment",
    "Approval",
    "Approved",
    "Attached",
    "Candidate",
    "CandidateError",
    "Column",
    "Contract",
    "Copied",
    "DamagedDraft",
    "DamagedManifest",
    "DamagedPointer",
    "Department",
    "DepartmentFigure",
    "Draft",
    "Event",
    "ExplainedChange",
    "Explanation",
    "FigureCheck",
    "Held",
    "HeldUnit",
    "Imprint",
    "Instruction",
    "Lineage",
    "MemberUnit",
    "Move",
    "NoPassports",
    "NoPdf",
    "NotAllowed",
    "NotAttachable",
    "Pointer",
    "PortalFigure",
    "PostgresCopy",
    "PostgresError",
    "PostgresTarget",
    "ProvinceExplanation",
    "PublishOutcome",
    "Published",
    "Refused",
    "Release",
    "ReleaseNotWhole",
    "ReleasesMending",
    "ReportCheck",
    "Revision",
    "RunLine",
    "SignatureFound",
    "Signing",
    "TableRowCheck",
    "TextRemark",
    "Unchanged",
    "UnexplainedChange",
    "UnknownRow",
    "UnreadableReport",
    "all_releases",
    "attach",
    "attached_to",
    "changed_since",
    "check_report",
    "check_texts_of",
    "compare_releases",
    "contract_breaches",
    "contracts_json",
    "coverage_vi",
    "current_release",
    "delivered_places",
    "discard_draft",
    "explain_candidate",
    "explain_province",
    "explain_release",
    "find_release",
    "format_number",
    "format_quarter",
    "hash_inputs",
    "index_once",
    "is_of_province",
    "lock",
    "make_draft",
    "mend_published",
    "missing_faces",
    "neutral_name",
    "parse_contracts",
    "publish",
    "read_candidate",
    "read_draft",
    "read_pointer",
    "rebuild_index",
    "record_build",
    "render_runs",
    "roll_back",
    "roll_up",
    "trusted_roots",
    "unlock",
    "verify",
    "verify_attached",
    "version_faults",
    "write_candidates",
]
