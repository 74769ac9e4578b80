"""Step of reading: whether the file is whole, as far as anything tells.

Belongs here: stated counts, stated sums and the sender's note against the rows that were read. Does not belong here:
which sums a total row may mean (``totals``), what a format itself proves (``reading``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ingestion.base.contracts import Contract
from ingestion.base.limits import IntakeLimits, UnreadableFileError
from ingestion.base.remarks import FileRemark
from ingestion.reading.grid import FileContent
from ingestion.rows.furniture import stated_counts
from ingestion.rows.rules import WRONG_FIELD_COUNT
from ingestion.rows.tables import FileRows
from ingestion.rows.totals import TotalsCheck, check_totals
from ingestion.text.numbers import decimal_vi

_SHOWN_TOTALS = 3


@dataclass(frozen=True, slots=True)
class CompletenessEvidence:
    """What is known of the whole file from elsewhere.

    ``declared_rows`` is how many rows the sender's ``.done`` file says there are; -1 where it vouches by hash only.
    ``is_beginning``: an earlier version of the file goes on where this one ends.
    """

    declared_rows: int | None = None
    is_beginning: bool = False


NO_EVIDENCE = CompletenessEvidence()


def check_whole(
    read: FileRows, file: FileContent, contract: Contract, evidence: CompletenessEvidence, limits: IntakeLimits
) -> list[FileRemark]:
    """What is to be said of sums that differ, and of a file that nothing proves whole.

    Raises :class:`UnreadableFileError` where something says that rows are missing, or proof is demanded.
    """
    is_shifted = any(r.remark.code == WRONG_FIELD_COUNT for r in read.remarks)  # figures under the wrong headings
    totals = TotalsCheck() if is_shifted else check_totals(read.rows, read.tables, contract)
    noticed = _total_remarks(totals, contract)
    stated = [
        (table.count, stated_counts([*table.layout.title.texts, *table.furniture.texts], contract))
        for table in read.tables
    ]
    if not _is_proven(stated, evidence, totals) and not file.proves_itself:
        _check_unproven(file, evidence, limits)
        if len(read.rows):
            noticed.append(FileRemark("not_proven_whole", file.nothing_proves_vi, count=len(read.rows)))
    return noticed


def _total_remarks(totals: TotalsCheck, contract: Contract) -> list[FileRemark]:
    """What is said of sums that differ from those of the rows, a remark each; raises where the contract refuses such a
    file.
    """
    if totals.differences and contract.totals is not None and contract.totals.effect == "refuse":
        unlisted = len(totals.differences) - _SHOWN_TOTALS
        messages = " ".join(difference.message_vi for difference in totals.differences[:_SHOWN_TOTALS])
        messages += f" Và {unlisted} chỗ khác." if unlisted > 0 else ""
        raise UnreadableFileError(
            "total_mismatch",
            f"{messages} Tệp có thể bị thiếu dòng hoặc ghi sai số. Kiểm tra từng dòng và dòng tổng cộng rồi nộp lại.",
        )
    return [
        FileRemark(
            "totals_differ",
            difference.message_vi,
            sheet=difference.sheet,
            row=difference.row,
            column=difference.column.name,
            subject=f"{difference.sheet}: {difference.column.title_vi}, dòng {difference.row}",
            value=decimal_vi(difference.stated),
            expected=decimal_vi(difference.whole),
        )
        for difference in totals.differences
    ]


def _is_proven(stated: Sequence[tuple[int, list[int]]], evidence: CompletenessEvidence, totals: TotalsCheck) -> bool:
    """Whether the sender's note, a stated count or the sums of a total row say that no row is missing; raises where a
    count says that the file is not whole.

    ``stated`` gives, for each sheet, the rows read and the counts that the sheet states of itself: its total, its
    groups' totals, or both.
    """
    total = sum(rows for rows, _ in stated)
    if evidence.declared_rows is not None and evidence.declared_rows not in (-1, total):
        raise UnreadableFileError(
            "row_count_mismatch",
            f"Tệp .done ghi {evidence.declared_rows} dòng nhưng tệp có {total} dòng: tệp thiếu hoặc thừa dòng. "
            "Xuất lại tệp rồi nộp lại cả hai tệp.",
        )
    proven = evidence.declared_rows is not None or totals.proves_whole
    for rows, counts in stated:
        if not counts:
            continue
        if not {rows, total} & {*counts, sum(counts)} and sum(counts) != 2 * rows:
            counts_vi = ", ".join(map(str, counts))
            raise UnreadableFileError(
                "row_count_mismatch",
                f"Tệp ghi tổng cộng {counts_vi} nhưng đọc được {rows} dòng: tệp có thể bị cắt bớt. "
                "Xuất lại đủ số dòng rồi nộp lại, hoặc sửa dòng tổng cộng.",
            )
        proven = True
    return proven


def _check_unproven(content: FileContent, evidence: CompletenessEvidence, limits: IntakeLimits) -> None:
    """Refuses a text file of which nothing proves that it is whole, where something speaks against it or proof is
    demanded.
    """
    if content.may_be_cut:
        raise UnreadableFileError("truncated", content.cut_vi)
    if evidence.is_beginning:
        raise UnreadableFileError(
            "truncated",
            "Tệp chỉ là phần đầu của bản cùng tên đã nộp trước đó: phần cuối bị mất. Xuất lại đủ rồi nộp lại; nếu thật "
            "sự đã bớt phần cuối thì thêm dòng tổng cộng ghi số dòng (bảng CSV) hoặc nộp kèm tệp .done.",
        )
    if limits.csv_needs_proof:
        raise UnreadableFileError("unproven", content.unproven_vi)
