"""The letter and what people write for it must mean the same sections, under the same titles."""

from __future__ import annotations

from collections.abc import Iterator

from ingestion.base.contracts import load_contracts
from ingestion.rows.prose import Headings
from publication.letter.wording import load_wording

CONTRACT = load_contracts()["report_narrative"]
LABELS = CONTRACT.column("section").labels


def printed_headings() -> Iterator[tuple[str, str]]:
    """Section and heading as the letter prints it, for every part and section."""
    for part in load_wording("2023").parts:
        quarter = {"QUARTER": "QUÝ I", "NEXT_QUARTER": "QUÝ II"}
        yield part.id, f"{part.id}. {part.title.format(**quarter)}"
        for number, section in enumerate(part.sections, start=1):
            yield section.id, f"{number}. {section.title}"


def test_people_write_for_the_sections_that_the_letter_has() -> None:
    groups = {part.id for part in load_wording("2023").parts if part.sections}
    assert {section for section, _ in printed_headings()} - groups == set(LABELS) - {"opening", "receivers"}


def test_every_heading_that_the_letter_prints_is_known_when_it_is_pasted_into_a_text() -> None:
    headings = Headings(CONTRACT)
    for section, heading in printed_headings():
        place = headings.of(heading)
        assert place is not None, heading
        assert (place.label, place.line_fault) == (LABELS[section][0] if section in LABELS else "", None), heading
