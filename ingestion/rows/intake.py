"""One delivery: from the file to accepted rows, rejected rows, findings and the facts of its receipt.

Belongs here: the list of the steps, in their order. Does not belong here: any step, nor where anything is stored.
Reading a delivery is a pure function of the file, the contract and the context, and conserves rows: each data row of
the file is either accepted or rejected with at least one reason.

Every step takes what the ones before it gave and calls none of them. A file that cannot be used is refused by the step
that finds it out, with :class:`UnreadableFileError`.
"""

from __future__ import annotations

from pathlib import Path

from ingestion.base.contracts import Contract
from ingestion.base.limits import DEFAULT_LIMITS, IntakeLimits, UnreadableFileError
from ingestion.rows.belonging import check_belonging, check_sender, check_titles
from ingestion.rows.cutting import data_tables
from ingestion.rows.finding import find_tables
from ingestion.rows.form_rows import resolve_form_rows
from ingestion.rows.judging import judge_rows
from ingestion.rows.noticing import of_days, of_parts
from ingestion.rows.outcome import FileIdentity, Intake, outcome_of, refused
from ingestion.rows.parsing import parse_tables
from ingestion.rows.passed_over import settle
from ingestion.rows.printed_form import missing_rows
from ingestion.rows.procedures import resolve_procedures
from ingestion.rows.prose import read_content
from ingestion.rows.resolve import Context
from ingestion.rows.tables import NonDataRows
from ingestion.rows.untouched import check_filled_in
from ingestion.rows.whole_columns import check_columns
from ingestion.rows.wholeness import NO_EVIDENCE, CompletenessEvidence, check_whole


def read_delivery(
    path: Path,
    suffix: str,
    identity: FileIdentity,
    contract: Contract,
    context: Context,
    limits: IntakeLimits = DEFAULT_LIMITS,
    evidence: CompletenessEvidence = NO_EVIDENCE,
) -> Intake:
    """Reads one file. A file that cannot be read gives the outcome ``refused``; only faults of the program raise."""
    try:
        return _read(path, suffix, identity, contract, context, limits, evidence)
    except UnreadableFileError as error:
        return refused(contract, str(error), error.window, error.code)


def _read(
    path: Path,
    suffix: str,
    identity: FileIdentity,
    contract: Contract,
    context: Context,
    limits: IntakeLimits,
    evidence: CompletenessEvidence,
) -> Intake:
    contract = contract.as_of(context.period.closes_on)
    # May this unit deliver the source?
    check_sender(contract, context)
    # From the file to sheets of cells: the format, whole by it and by the counts of two readers, text repaired.
    content = read_content(path, suffix, contract, limits)
    # The headers, their columns mapped to the contract's, and what stands outside the tables.
    found = find_tables(content, contract, context)
    del content  # it holds the sheets, of which each is to be let go once it is cut
    # Do the titles name the folder's period and unit?
    check_titles([table.layout.title for table in found.tables], contract, context)
    # Each sheet cut into tables, rows that are no data set apart, the others parsed; table by table.
    read = parse_tables(data_tables(found, context), found.headers, found.profile, context)
    # Has somebody filled in what is a template?
    said = check_filled_in(read, contract)
    # Is the file whole, by stated counts, stated sums, the sender's note?
    doubts = check_whole(read, found.file, contract, evidence, limits)
    # Are whole columns of dates wrong, and do the rows belong to the folder's period and unit?
    check_columns(read, contract, context.period.closes_on)
    check_belonging(read, contract, context)
    # Would anything of what was passed over be lost?
    lost = settle([*found.passed_over, *read.beside], read.rows, found.profile)
    noticed = [
        *found.file.remarks,
        *found.noticed,
        *read.noticed,
        *said,
        *missing_rows(read.tables, contract, context),
        *doubts,
        *lost,
        *of_parts([(table.name, table.layout, table.count) for table in read.tables], contract),
        *of_days(read.rows, contract, context.period),
    ]
    # Names as codes, then the rules.
    resolved = resolve_form_rows(resolve_procedures(read, contract, context), contract, context)
    judged = judge_rows(resolved, contract, context)
    # What is kept, and the receipt.
    layouts = [table.layout for table in read.tables]
    return outcome_of(judged, layouts, NonDataRows.joined([found.non_data, read.non_data]), noticed, identity, contract)
