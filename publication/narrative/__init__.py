"""The narrative check: does a written Vietnamese report say what the release holds?

Belongs here: reading a report, its sentences and figures, which form rows they speak of, the comparison.
Does not belong here: how figures are made, the look of our own documents (``tables.annex``), the command line.
"""

from publication.narrative.annex_table import TableRowCheck
from publication.narrative.check import FigureCheck, ReportCheck, RowNamed, check_report, check_written
from publication.narrative.document import UnreadableReport, WrittenReport, read_report
from publication.narrative.remarks import TextRemark

__all__ = [
    "FigureCheck",
    "ReportCheck",
    "RowNamed",
    "TableRowCheck",
    "TextRemark",
    "UnreadableReport",
    "WrittenReport",
    "check_report",
    "check_written",
    "read_report",
]
