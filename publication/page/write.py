"""Writing the page of one release.

Belongs here: bringing view, passports and template together. Does not belong here: any of the three.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from publication.content.release_content import ReleaseContent
from publication.page.passport_data import embedded
from publication.page.render import render
from publication.page.view import page_view


def write_page(content: ReleaseContent, folder: Path, passports: Mapping[str, Any]) -> None:
    """Write ``report/index.html`` into the release folder, where every file that the page offers is written already."""
    view = page_view(content, folder)
    block, rows_held = embedded(passports)
    page = render(
        "page.html.j2",
        style=("page.css", "draft.css") if content.draft else ("page.css",),
        script="page.js",
        view=view,
        passports=block,
        rows_held=rows_held,
        changed={change.code for change in view.form_changes},
    )
    (folder / "report" / "index.html").write_bytes(page)
