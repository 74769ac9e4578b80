"""The published annex of 945, 2023-Q1 is the real report's, figure by figure, wherever it is read."""

from __future__ import annotations

from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

from publication.tables.annex import read_annex_csv, read_annex_xlsx
from tests.pipeline.conftest import PrintedRow, indicators, release_of

FILLED = {21, 182}  # Blank in the report; the records decide them.


def _compare(figures: dict[int, Decimal | None], printed: dict[int, PrintedRow]) -> None:
    assert figures.keys() == printed.keys()
    differing = {
        row.row_no: (row.name, row.value, figures[row.row_no])
        for row in printed.values()
        if row.value is not None and figures[row.row_no] != row.value
    }
    assert differing == {}


def _release(home: Path) -> Path:
    release = release_of(home)
    assert release is not None
    return release


def test_report_indicators_hold_all_169_printed_figures(published_home: Path, printed: dict[int, PrintedRow]) -> None:
    rows = indicators(_release(published_home))
    _compare({number: row["value"] for number, row in rows.items()}, printed)


def test_annex_csv_holds_all_169_printed_figures(published_home: Path, printed: dict[int, PrintedRow]) -> None:
    rows = read_annex_csv(_release(published_home) / "report" / "annex.csv")
    _compare({row.row_no: row.value for row in rows}, printed)


def test_annex_xlsx_holds_all_169_printed_figures(published_home: Path, printed: dict[int, PrintedRow]) -> None:
    rows = read_annex_xlsx(_release(published_home) / "report" / "annex.xlsx")
    _compare({row.row_no: row.value for row in rows}, printed)


class _PageFigures(HTMLParser):
    """The printed figures of the page's table by row number, read without the code that writes or checks it."""

    def __init__(self) -> None:
        super().__init__()
        self.figures: dict[int, Decimal | None] = {}
        self._in_cell = self._in_figure = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag == "tr" and "data-code" in names:
            self.figures[len(self.figures) + 1] = None
        self._in_cell = names.get("class") == "figure" if tag == "td" else self._in_cell
        self._in_figure = self._in_cell and tag == "span" and names.get("class") == "value"

    def handle_endtag(self, tag: str) -> None:
        self._in_figure = False

    def handle_data(self, data: str) -> None:
        if self._in_figure and data.strip():
            self.figures[len(self.figures)] = Decimal(data.strip().replace(".", "").replace(",", "."))


def test_the_page_holds_all_169_printed_figures(published_home: Path, printed: dict[int, PrintedRow]) -> None:
    page = _PageFigures()
    page.feed((_release(published_home) / "report" / "index.html").read_text(encoding="utf-8"))
    _compare(page.figures, printed)


def test_every_blank_row_says_why(published_home: Path, printed: dict[int, PrintedRow]) -> None:
    rows = indicators(_release(published_home))
    blank = {number for number, row in rows.items() if row["value"] is None}
    assert blank == {number for number, row in printed.items() if row.value is None} - FILLED
    statuses = {rows[number]["status"] for number in blank}
    assert statuses <= {"not_reported", "not_applicable", "withheld"}


def test_names_numbers_and_notes_are_printed_verbatim(published_home: Path) -> None:
    import csv

    from tests.pipeline.conftest import ANNEX

    rows = indicators(_release(published_home))
    with ANNEX.open(encoding="utf-8", newline="") as handle:
        for line in csv.DictReader(handle):
            row = rows[int(line["row_no"])]
            assert (row["indicator_name_vi"], row["printed_number"] or "", row["unit_of_measure"] or "") == (
                line["indicator_name_vi"], line["stt"], line["unit_vi"],
            )  # fmt: skip
            assert (row["note_vi"] or "") == line["note_vi"]


def test_ratios_carry_their_parts(published_home: Path) -> None:
    rows = indicators(_release(published_home))
    parts = {number: (rows[number]["numerator"], rows[number]["denominator"]) for number in (2, 13, 27, 69, 90, 95)}
    assert parts == {2: (9, 19), 13: (3, 10), 27: (37, 37), 69: (54, 130), 90: (0, 2), 95: (2, 7)}


def test_a_decided_figure_keeps_both_figures_and_the_decision(published_home: Path) -> None:
    row = indicators(_release(published_home))[147]
    assert (row["computed_value"], row["declared_value"], row["value"], row["status"], row["decision_id"]) == (
        1, 31, 31, "declared", "QD-09",
    )  # fmt: skip
