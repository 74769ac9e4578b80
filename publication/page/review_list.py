"""``ra-soat.html``: the look of what an official goes through before a draft becomes a release.

Belongs here: handing the list to its template. Does not belong here: what is on it and in which order
(``publication.review``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from publication.content.approval import DRAFT_VI
from publication.page.render import render

#: The documents of a draft, from the folder of the list.
_FILES: tuple[tuple[str, str], ...] = (
    ("report/index.html", "trang số liệu"),
    ("report/report.pdf", "báo cáo (PDF)"),
    ("report/report.docx", "báo cáo (Word)"),
    ("report/annex.xlsx", "phụ lục (Excel)"),
    ("report/form_06a.xlsx", "biểu II.06a (Excel)"),
    ("report/tong-hop.xlsx", "bảng tổng hợp toàn tỉnh (Excel)"),
)


def render_review(folder: Path, **values: Any) -> bytes:
    """The page of a list, beside the documents in ``folder``: ``unit_vi``, ``unit_code``, ``quarter``, ``quarter_vi``,
    ``code`` (of the draft), ``reasons`` (why it cannot be published), ``parts`` (kind, title, what it is, items),
    ``rows`` by code. Equal values give equal bytes.
    """
    files = [(path, name) for path, name in _FILES if (folder / path).is_file()]
    return render("review.html.j2", mark=DRAFT_VI, style=("page.css", "draft.css", "review.css"), files=files, **values)
