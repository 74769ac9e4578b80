"""Ingestion: delivered files become accepted and rejected rows in the raw lake.

Belongs here: reading files, contracts, parsing values, resolving names, receipts.
Does not belong here: indicators, report forms, gates, scheduling.
"""

from ingestion.contracts import Contract, load_contracts
from ingestion.engine import DeliveryReport, IngestReport, ingest_quarter, ingest_source, source_order
from ingestion.landing import LandingProblem
from ingestion.ledger import SourceStatus, deliveries, inputs, inputs_hash, status
from ingestion.paths import IngestPaths
from ingestion.reference import AdminUnit, Period, ReferenceData

__all__ = [
    "AdminUnit",
    "Contract",
    "DeliveryReport",
    "IngestPaths",
    "IngestReport",
    "LandingProblem",
    "Period",
    "ReferenceData",
    "SourceStatus",
    "deliveries",
    "ingest_quarter",
    "ingest_source",
    "inputs",
    "inputs_hash",
    "load_contracts",
    "source_order",
    "status",
]
