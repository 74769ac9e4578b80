"""A letter that shows another figure than the mart never becomes part of a release."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from publication import Published, ReleaseNotWhole, current_release
from publication.letter import pdf, word
from publication.letter.model import Letter
from tests.integration.publication.conftest import Home
from tests.unit.publication.builders import QUARTER, UNIT

Write = Callable[[Path, Letter], None]


def _with_another_figure(write: Write) -> Write:
    def write_wrongly(path: Path, letter: Letter) -> None:
        line = replace(letter.annex[70], figure="1.146")
        write(path, replace(letter, annex=(*letter.annex[:70], line, *letter.annex[71:])))

    return write_wrongly


@pytest.mark.parametrize(
    ("module", "writer", "name"),
    [
        (word, "write_docx", "report.docx"),
        (pdf, "write_pdf", "report.pdf"),
    ],
)
def test_a_wrong_figure_in_one_document_stops_the_release(
    home: Home, monkeypatch: pytest.MonkeyPatch, module: object, writer: str, name: str
) -> None:
    monkeypatch.setattr(module, writer, _with_another_figure(getattr(module, writer)))
    with pytest.raises(ReleaseNotWhole, match=rf"{name}: row 71: the mart has 1145\.0000, the annex shows '1.146'"):
        home.publish(home.candidate())
    assert current_release(home.published, UNIT, QUARTER) is None
    assert not list(home.quarter_dir.glob("r*"))
    monkeypatch.undo()
    assert isinstance(home.publish(home.candidate()), Published)
