"""Ingestion: delivered files become accepted and rejected rows in the raw lake.

Belongs here: reading files, contracts, parsing values, resolving names, receipts.
Does not belong here: indicators, report forms, gates, scheduling.

Rooms, each standing on those after it: ``dry_run``, ``mending``, ``engine`` (what runs), ``deliveries`` (what came,
in which version), ``clerk`` (what goes back), ``rows`` (grids become rows), ``reading`` (files become grids), ``base``
(contracts, places, reference), ``text`` (Vietnamese as it is written). ``sources`` holds the contracts.
"""

from ingestion.base.contracts import Column, Contract, columns_csv, load_contracts
from ingestion.base.lake import DamagedError
from ingestion.base.limits import IntakeLimits
from ingestion.base.paths import IngestPaths, OutboxAccess
from ingestion.base.reference import AdminUnit, ReferenceData
from ingestion.clerk.decision_workbook import DecisionBook, DecisionLine, action_label, decision_workbook
from ingestion.clerk.outbox import folder_of as outbox_folder
from ingestion.clerk.outbox import write_where_new as write_into_outbox
from ingestion.clerk.prose_template import text_of
from ingestion.deliveries.accepted import accepted_rows
from ingestion.deliveries.integrity import check_store
from ingestion.deliveries.landing import LandingFile, LandingProblem, may_be_delivered
from ingestion.deliveries.landing_remarks import remarks_on_landing
from ingestion.deliveries.ledger import (
    DELIVERIES_SCHEMA,
    SourceStatus,
    delivery_rows,
    inputs,
    inputs_by_folder,
    read_deliveries,
    status,
)
from ingestion.deliveries.readings import Reading, answered, made_of_sent, sent
from ingestion.deliveries.retention import expired_files, not_rereadable, purge
from ingestion.deliveries.signatures import PublicKey, Signers
from ingestion.deliveries.told import ToldDelivery, ToldFault, faults_of, told_deliveries
from ingestion.deliveries.waiting import waiting_files
from ingestion.dry_run import CheckedFile, check_file, write_template
from ingestion.engine import IngestReport, departments_of, ingest_quarters, ingest_source, source_order
from ingestion.form_annex import Annex, LineKey, NoAnnex, goes_on, line_key, read_form_annex
from ingestion.form_units import unit_of
from ingestion.mending import StoreMending, mend_store
from ingestion.rows.outcome import Intake

__all__ = [
    "DELIVERIES_SCHEMA",
    "AdminUnit",
    "Annex",
    "CheckedFile",
    "Column",
    "Contract",
    "DamagedError",
    "DecisionBook",
    "DecisionLine",
    "IngestPaths",
    "IngestReport",
    "Intake",
    "IntakeLimits",
    "LandingFile",
    "LandingProblem",
    "LineKey",
    "NoAnnex",
    "OutboxAccess",
    "PublicKey",
    "Reading",
    "ReferenceData",
    "Signers",
    "SourceStatus",
    "StoreMending",
    "ToldDelivery",
    "ToldFault",
    "accepted_rows",
    "action_label",
    "answered",
    "check_file",
    "check_store",
    "columns_csv",
    "decision_workbook",
    "delivery_rows",
    "departments_of",
    "expired_files",
    "faults_of",
    "goes_on",
    "ingest_quarters",
    "ingest_source",
    "inputs",
    "inputs_by_folder",
    "line_key",
    "load_contracts",
    "made_of_sent",
    "may_be_delivered",
    "mend_store",
    "not_rereadable",
    "outbox_folder",
    "purge",
    "read_deliveries",
    "read_form_annex",
    "remarks_on_landing",
    "sent",
    "source_order",
    "status",
    "text_of",
    "told_deliveries",
    "unit_of",
    "waiting_files",
    "write_into_outbox",
    "write_template",
]
