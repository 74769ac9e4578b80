"""The word by which a draft becomes a release, and the mark that a draft carries until then.

Belongs here: who approved by which document, what a draft is marked with. Does not belong here: making drafts
(``publication.drafts``), whether an approval is asked for (the caller's settings).
"""

from __future__ import annotations

from dataclasses import dataclass

from expectations import published_text

#: Stands on every page of a document that is not published.
DRAFT_VI = "DỰ THẢO"
#: The same as the head of a printed sheet, in the notation of workbooks.
DRAFT_SHEET_HEAD = f'&L&"Times New Roman,Bold"&16{DRAFT_VI}'


@dataclass(frozen=True)
class Approval:
    """Who approved, by which document (number and day, as written), and the code of the draft that was seen.

    Raises UnfitText for words that must not be published.
    """

    by: str
    document: str
    draft: str

    def __post_init__(self) -> None:
        if not (self.by.strip() and self.document.strip() and self.draft):
            raise ValueError("an approval needs a person, a document and a draft")
        published_text(self.by, "người phê duyệt", allowed=("person_name",))
        published_text(self.document, "văn bản phê duyệt")

    @property
    def line_vi(self) -> str:
        """``Phê duyệt: Chủ tịch UBND huyện, theo 12/QĐ-UBND ngày 05/04/2023``."""
        return f"Phê duyệt: {self.by}, theo {self.document}"
