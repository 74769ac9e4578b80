"""Remarks on a delivery as a whole, and on the landing folder: what intake noticed and no row can carry.

Belongs here: the kinds of remarks, their record, and the clerk's message that is made from them. Does not belong here:
noticing (``reading``, ``rows``, ``landing``), judging (gate 1), remarks on single rows (``rules``, the layers
``rejected`` and ``findings``).

A remark is a row of ``raw/remarks`` (of one delivery) or ``raw/landing_remarks.parquet`` (of the folder). Gate 1 judges
each by its kind; what does not block goes into the release's notes. ``subject`` is the stable text by which a remark
is settled; it and ``value`` never quote a cell that may tell of a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pyarrow as pa

from ingestion.base.contracts import LINEAGE_FIELDS

SCHEMA = pa.schema(
    [
        *LINEAGE_FIELDS,
        pa.field("column", pa.string()),
        pa.field("kind", pa.string()),
        pa.field("subject", pa.string()),
        pa.field("value", pa.string()),
        pa.field("expected", pa.string()),
        pa.field("count", pa.int64()),
        pa.field("message_vi", pa.string()),
        pa.field("advice_vi", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A declared kind of remark: what it says, and whether the clerk's message tells it.

    What is not told either says nothing by itself (a column the office does not keep) or is a measure that only the
    gate can judge (the span of a date column).
    """

    description: str
    in_message: bool = True


#: Every kind of remark. What ``subject``, ``value``, ``expected`` and ``count`` are is said where they are used.
KINDS: Mapping[str, Kind] = {
    # Reading the file (grid, prose).
    "suffix_differs": Kind("The file's name says another format than its content."),
    "encoding_mended": Kind("Texts in a legacy font or a wrong encoding were mended."),
    "formulas_computed": Kind(
        "Formulas without a stored result were computed: plain arithmetic of their row. subject: the sheet; count: how "
        "many."
    ),
    "hidden_part": Kind("Hidden rows, columns or a hidden sheet were read too. subject: the sheet; count: how many."),
    "struck_rows": Kind(
        "Rows with a cell that is struck out, or lines of a running text of which a part is, were read like others. "
        "subject: the sheet; value: the first rows; count: how many."
    ),
    "not_read": Kind("Parts of a text document that are not taken. subject: what they are."),
    # Finding the table (headers, intake).
    "unknown_heading": Kind(
        "A heading that means nothing here. subject: the heading; value: its column letter; count: filled cells below; "
        "column, expected: the missing column it looks like, if any, and that column's title.",
        in_message=False,
    ),
    "missing_column": Kind(
        "An optional column of the contract that has no heading. subject, column: its name; expected: its title; "
        "count: unknown headings of the sheet with filled cells; value: the one that looks like it, if any.",
        in_message=False,
    ),
    "blank_column": Kind(
        "An optional column with a heading and not one value, so that the file is one without it. subject, column: its "
        "name; expected: its title; count: rows that ask for a value."
    ),
    # The form as it is printed, and templates (printed_form, untouched).
    "form_rows_missing": Kind(
        "The printed form lacks rows, whose figures are then not reported. value: the first codes; count: how many."
    ),
    "form_renumbered": Kind(
        "Rows of the printed form have other numbers than it prints and were taken by name and order. subject: the "
        "sheet; count: how many."
    ),
    "form_figures_not_taken": Kind(
        "Figures of rows that are computed here stand in a printed form and were not taken as declared. subject: the "
        "sheet; value: the first codes; count: how many."
    ),
    "unchanged_said": Kind(
        "A template came back with the rows of the period before, and says that nothing changed. count: the rows."
    ),
    "codes_unexplained": Kind(
        "A column of labels holds bare digits, and nothing in the file says what they mean. subject, column: its name; "
        "value: the digits."
    ),
    "column_in_part": Kind(
        "A column that one table of the file has and another lacks. subject, column: its name; expected: its title; "
        "count: rows of the tables that lack it."
    ),
    "skipped_sheet": Kind("A sheet without a table was passed over. subject: its name; count: its filled rows."),
    "skipped_block": Kind(
        "Cells beside, above or below the table, or in it under no heading, were passed over. subject: where; count: "
        "filled cells or rows."
    ),
    "left_open": Kind(
        "Rows that ask for something nobody has filled in yet. count: how many; value: the numbers of the first."
    ),
    "nothing_unsaid": Kind("An empty table, taken as “Không phát sinh” although it does not say so."),
    "not_proven_whole": Kind("Nothing proves that no row is missing. count: the rows read."),
    "totals_differ": Kind(
        "A total row states another sum than the rows have; a remark each. subject: sheet, column and row; value: "
        "what is stated; expected: the sum of the sheet's rows."
    ),
    "serial_gap": Kind(
        "The file's own row numbers have gaps or do not begin at 1. subject: the sheet; value: the first numbers that "
        "are missing; expected: the last number; count: how many are missing."
    ),
    "page_missing": Kind(
        "Printed page numbers say that pages are missing. value: pages seen; expected: stated; count: missing."
    ),
    # When the file speaks of (headers, intake): measures for the gate.
    "stated_window": Kind(
        "The window that the title states. value: first/last day (ISO); expected: the period's; count: days by which "
        "it ends before the period does.",
        in_message=False,
    ),
    "other_time": Kind(
        "The title or the sheet's name tells quarters, months or years, none of which is the period's, and nothing "
        "surer. subject: the sheet; value: the words; expected: the period's first/last day."
    ),
    "signed_on": Kind(
        "The day beside the place, as signatures have it. value: the day; expected: the closing day; count: days by "
        "which it precedes the closing.",
        in_message=False,
    ),
    "other_unit": Kind(
        "The words above or below a table say that its figures are thousands, hundreds, percentages. subject: the "
        "sheet; value: the word."
    ),
    "exported_on": Kind(
        "The day on which the file says it was made. value: the day; expected: the closing day; count: days by which "
        "it precedes the closing.",
        in_message=False,
    ),
    "span": Kind(
        "First and last day in a date column by which the file belongs to its period. subject, column: the column; "
        "value: first/last day (ISO); expected: the period's; count: rows with a day.",
        in_message=False,
    ),
    # On versions and on the landing folder as a whole (landing_remarks, strays).
    "correction_refused": Kind(
        "A correction was refused or mostly rejected, so that an earlier version counts instead. subject: its name and "
        "content; value: why; expected: the version that counts; count: that one's rows."
    ),
    "correction_empty": Kind(
        "A correction without rows took the place of a version that had some. subject: its name and content; expected: "
        "the earlier version; count: that one's rows."
    ),
    "order_uncertain": Kind(
        "Files that came together say different things about the same keys. subject: their names and contents; value: "
        "the first keys; expected: the file whose rows would count; count: how many keys."
    ),
    "stray_file": Kind("A file lies where no delivery can lie. subject: its path; unit and quarter as far as told."),
    "signature_file": Kind("A detached signature by which no file is judged. subject: its path."),
    "temporary_file": Kind("A hidden, unfinished or lock file. subject: its path."),
}


@dataclass(frozen=True, slots=True)
class FileRemark:
    """One remark, see the module and :data:`KINDS`. ``advice_vi`` is empty where there is nothing to be done."""

    kind: str
    message_vi: str
    advice_vi: str = ""
    sheet: str | None = None
    row: int | None = None
    column: str | None = None
    subject: str = ""
    value: str | None = None
    expected: str | None = None
    count: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"undeclared kind of remark: {self.kind}")

    @property
    def text_vi(self) -> str:
        return f"{self.message_vi} {self.advice_vi}".strip()


def message_of(remarks: Iterable[FileRemark]) -> str:
    """What the clerk is told of a file: each remark that is told, once, in order."""
    return " ".join(dict.fromkeys(r.text_vi for r in remarks if KINDS[r.kind].in_message))


def remark_table(remarks: Iterable[FileRemark], **lineage: str | None) -> pa.Table:
    """Remarks as rows of :data:`SCHEMA`; ``lineage`` gives the lineage fields that are the same for all of them."""
    rows = [
        {
            **lineage,
            "_sheet": remark.sheet,
            "_row": remark.row,
            **{name: getattr(remark, name) for name in SCHEMA.names if not name.startswith("_")},
        }
        for remark in remarks
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)
