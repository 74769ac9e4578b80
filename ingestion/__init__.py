"""Ingestion: delivered files become accepted and rejected rows in the raw lake.

Belongs here: reading files, contracts, parsing values, resolving names, receipts.
Does not belong here: indicators, report forms, gates, scheduling.
"""

from ingestion.contracts import Contract, columns_csv, load_contracts
from ingestion.dry_run import CheckedFile, check_file, write_template
from ingestion.engine import DeliveryReport, IngestReport, ingest_quarter, ingest_source, source_order
from ingestion.integrity import check_store
from ingestion.lake import DamagedError
from ingestion.landing import LandingFile, LandingProblem
from ingestion.landing_remarks import remarks_on_landing
from ingestion.ledger import SourceStatus, deliveries, inputs, inputs_hash, status
from ingestion.limits import IntakeLimits
from ingestion.paths import IngestPaths
from ingestion.reference import AdminUnit, Period, ReferenceData, roles_of
from ingestion.retention import Expired, PurgeLogDamagedError, expired_files, not_rereadable, purge
from ingestion.waiting import waiting_files

__all__ = [
    "AdminUnit",
    "CheckedFile",
    "Contract",
    "DamagedError",
    "DeliveryReport",
    "Expired",
    "IngestPaths",
    "IngestReport",
    "IntakeLimits",
    "LandingFile",
    "LandingProblem",
    "Period",
    "PurgeLogDamagedError",
    "ReferenceData",
    "SourceStatus",
    "check_file",
    "check_store",
    "columns_csv",
    "deliveries",
    "expired_files",
    "ingest_quarter",
    "ingest_source",
    "inputs",
    "inputs_hash",
    "load_contracts",
    "not_rereadable",
    "purge",
    "remarks_on_landing",
    "roles_of",
    "source_order",
    "status",
    "waiting_files",
    "write_template",
]
