"""Texts whose parts a file formats differently, so that they are not one value, and texts that are struck out.

Belongs here: that one question, for every reader. Does not belong here: how a format stores its formatting.
"""

from __future__ import annotations

from collections.abc import Iterable

from ingestion.base.readings import MixedText

#: What a part of a text may be besides plain: above or below the line, struck out, not shown.
RAISED, STRUCK, HIDDEN = "raised", "struck", "hidden"


def marked_text(pieces: Iterable[tuple[str, str]]) -> tuple[str, bool]:
    """The text of pieces, each with its mark ("" where plain), and whether all of it is struck out.

    It is a :class:`MixedText` where the marks differ and there are digits, which two parts would make one number of.
    """
    held = list(pieces)
    text = "".join(part for part, _ in held)
    marks = {mark for part, mark in held if part.strip()}
    is_mixed = len(marks) > 1 and any(map(str.isdigit, text))
    return (MixedText(text) if is_mixed else text), marks == {STRUCK}
