"""Publication: a built and checked quarter becomes an immutable release that readers can rely on.

Belongs here: candidates, the forms and files of a release, the pointer, verification.
Does not belong here: how figures are made (dbt), what must hold (``expectations``), when anything runs.
"""

from publication.build import record_build, write_candidates
from publication.content.causes import Cause, Lineage, UnexplainedChange
from publication.content.changes import Change, compare
from publication.content.passport import CSV_SHEET
from publication.content.release_content import Footnote, FormRow, ReleaseContent
from publication.content.revision import Amendment, ExplainedChange, RevisedFigure, Revision
from publication.explain import (
    Explanation,
    NoPassports,
    UnknownRow,
    delivered_places,
    explain_candidate,
    explain_release,
)
from publication.formatting import format_number, format_quarter, parse_number
from publication.index import index_once, rebuild_index
from publication.narrative import FigureCheck, ReportCheck, TableRowCheck, TextRemark, UnreadableReport, check_report
from publication.outputs import ReleaseNotWhole
from publication.postgres import Copied, PostgresCopy, PostgresError, PostgresTarget
from publication.release import (
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
from publication.steering import NotAllowed, Word, lock, roll_back, unlock
from publication.store.candidate import (
    INTERNAL_MARTS,
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
    stored_contracts,
    version_faults,
)
from publication.store.failpoints import FAILPOINTS
from publication.store.pointer import DamagedPointer, Event, Pointer, StalePointer, read_pointer
from publication.tables.annex import ANNEX_COLUMNS, AnnexDamaged, AnnexRow, annex_rows, read_annex_csv, read_annex_xlsx
from publication.tables.manifest import DamagedManifest, Manifest, read_manifest
from publication.verify import Damage, all_releases, verify

__all__ = [
    "ANNEX_COLUMNS", "CONTRACTS_PATH", "CSV_SHEET", "FAILPOINTS", "FIRST_VERSION", "INTERNAL_MARTS",
    "OWN_TABLES_PATH", "Amendment", "AnnexDamaged", "AnnexRow", "Candidate", "CandidateError", "Cause", "Change",
    "Column", "Contract", "Copied", "Damage", "DamagedManifest", "DamagedPointer", "Event", "ExplainedChange",
    "Explanation", "FigureCheck", "Footnote", "FormRow", "Held", "Lineage", "Manifest", "NoPassports", "NotAllowed",
    "Pointer", "PostgresCopy", "PostgresError", "PostgresTarget", "PublishOutcome", "Published", "Refused",
    "Release", "ReleaseContent", "ReleaseNotWhole", "ReportCheck", "RevisedFigure", "Revision", "StalePointer",
    "TableRowCheck", "TextRemark", "Unchanged", "UnexplainedChange", "UnknownRow", "UnreadableReport", "Word",
    "all_releases",
    "annex_rows", "check_report", "compare", "compare_releases", "contract_breaches", "contracts_json",
    "current_release", "delivered_places", "explain_candidate", "explain_release", "find_release", "format_number",
    "format_quarter", "hash_inputs", "index_once", "lock", "neutral_name", "parse_contracts", "parse_number",
    "publish", "read_annex_csv", "read_annex_xlsx", "read_candidate", "read_manifest", "read_pointer",
    "rebuild_index", "record_build", "roll_back", "stored_contracts", "unlock", "verify", "version_faults",
    "write_candidates",
]
