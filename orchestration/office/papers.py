"""The papers of the outbox: the receipt of all deliveries of a unit and period, and the reminder of what is missing.

Belongs here: which papers there are, when they are written and taken away. Does not belong here: what they say
(``facts``), where the outbox is and who may read it (``ingestion``).

A paper is one HTML file with all that it needs, to be opened by a double click.
"""

from __future__ import annotations

import datetime as dt
import logging
from functools import cache
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from common.files import sha256_bytes
from common.periods import quarter_vi
from ingestion import DamagedError, load_contracts, outbox_folder, write_into_outbox
from orchestration.office.facts import Box, boxes, is_out, missing_vi, periods_asked_for, when_vi
from orchestration.pipeline import Pipeline

RECEIPT, REMINDER = "bien-nhan.html", "nhac-nop.html"
HERE = Path(__file__).parent
_log = logging.getLogger(__name__)


@cache
def templates() -> Environment:
    """The templates of papers and page; what is put into them is text, whatever it looks like."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "day": lambda moment: f"{moment:%d/%m/%Y}",
        "moment": lambda moment: f"{moment:%H:%M ngày %d/%m/%Y}",
        "quarter": quarter_vi,
        "missing": missing_vi,
        "path": lambda path: quote(str(path)),
        "rows": _rows_vi,
    }
    return made


def style() -> str:
    return (HERE / "templates" / "office.css").read_text(encoding="utf-8")


def _rows_vi(places: tuple[tuple[str, int], ...], total: int) -> str:
    """Numbers of rows, sheets named where there are several."""
    sheets = {sheet for sheet, _ in places}
    named = [f"{number}" if len(sheets) == 1 else f"{number} ({sheet})" for sheet, number in places]
    rest = total - len(places)
    return f"dòng {', '.join(named)}" + (f" và {rest} dòng khác" if rest > 0 else "")


def receipt(box: Box, folder: Path) -> bytes:
    """The receipt as HTML; links lead to the workbooks beside it. Equal facts give equal bytes."""
    links = {
        told.delivery.workbook: quote(told.delivery.workbook.relative_to(folder).as_posix())
        for told in box.told
        if told.delivery.workbook
    }
    page = templates().get_template("receipt.html.j2")
    return page.render(box=box, links=links, style=style()).encode()


def reminder(box: Box, today: dt.date) -> bytes:
    """The reminder as HTML: what is missing, until when, how it is delivered."""
    examples = {s.source: load_contracts()[s.source].title_vi for s in box.missing}
    page = templates().get_template("reminder.html.j2")
    return page.render(box=box, when=when_vi(box.period, today), examples=examples, style=style()).encode()


def refresh(pipeline: Pipeline, quarter: str, today: dt.date) -> None:
    """Writes the papers of a period as things stand on a day, and takes away the reminders that are over.

    Nothing here breaks a run or a look: what cannot be written is named in the log, and written the next time.
    """
    paths = pipeline.deliveries.paths
    asked_for = {period.quarter for period in periods_asked_for(today, pipeline.settings.remind_days)}
    try:
        for box in boxes(pipeline, quarter):
            folder = outbox_folder(paths, box.unit_code, quarter)
            if box.told or box.waiting or box.missing or box.remarks:
                write_into_outbox(paths, folder / RECEIPT, receipt(box, folder))
            if box.missing and quarter in asked_for and not is_out(pipeline, box.reporting_unit, quarter):
                write_into_outbox(paths, folder / REMINDER, reminder(box, today))
            else:
                (folder / REMINDER).unlink(missing_ok=True)
    except (OSError, DamagedError) as error:
        _log.error("the papers of the outbox are not all written: %s", error)
    except Exception:
        _log.exception("the papers of the outbox are not all written")


def style_mark() -> str:
    """What tells one version of the style sheet from another."""
    return sha256_bytes(style().encode())[:12]
