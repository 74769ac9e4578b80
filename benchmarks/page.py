"""The page of measurements: each benchmark writes its table between marks of its own.

Belongs here: where the page is and how a table comes into it. Does not belong here: measuring.
"""

from __future__ import annotations

from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"


def put_in_page(name: str, table: str) -> None:
    """Puts ``table`` in place of what stands between ``<!-- name:begin -->`` and ``<!-- name:end -->``.

    Raises ``ValueError`` where the page does not have each of the marks once.
    """
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    before, rest = PAGE.read_text(encoding="utf-8").split(begin)
    _, after = rest.split(end)
    PAGE.write_text(f"{before}{begin}\n{table}\n{end}{after}", encoding="utf-8")
