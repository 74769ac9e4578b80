"""The sentences of the letter, read from one file a form version.

Belongs here: the shape of that file and what makes it whole. Does not belong here: choosing and filling sentences
(``compose``).
"""

from __future__ import annotations

import functools
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from common.forms import form_named

Level = Literal["district", "commune"]
Condition = Literal["zero", "positive"]
FIGURE = re.compile(r"\{([IVX]+\.[0-9]{2})(:note)?\}")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Choice(_Strict):
    """One way to say a sentence, for when every condition holds and every figure it names is reported."""

    conditions: dict[str, Condition] = Field(default_factory=dict, alias="if")
    say: str

    @property
    def codes(self) -> set[str]:
        """Indicator codes it depends on."""
        return {match[0] for match in FIGURE.findall(self.say)} | self.conditions.keys()


def _can_always_be_said(choices: tuple[Choice, ...]) -> tuple[Choice, ...]:
    if not choices or choices[-1].codes or not choices[-1].say:
        raise ValueError("the last choice of a sentence names no figure and has no condition")
    return choices


Sentence = Annotated[tuple[Choice, ...], AfterValidator(_can_always_be_said)]


class ParagraphWording(_Strict):
    """Sentences that stand together; ``level`` keeps them to the letters of that level of unit."""

    level: Level | None = None
    item: bool = False
    sentences: tuple[Sentence, ...]


class SectionWording(_Strict):
    """A numbered section. Its id is also where the paragraphs that people wrote belong."""

    id: str
    title: str
    paragraphs: tuple[ParagraphWording, ...] = ()


class PartWording(_Strict):
    """I, II or III."""

    id: str
    title: str
    sections: tuple[SectionWording, ...] = ()


class Wording(_Strict):
    """Everything the letter of one form version says by itself."""

    subject: str
    opening: str
    closing: str
    receivers: dict[Level, tuple[str, ...]]
    parts: tuple[PartWording, ...]

    @property
    def codes(self) -> set[str]:
        """Indicator codes that any sentence depends on."""
        return {
            code
            for part in self.parts
            for section in part.sections
            for paragraph in section.paragraphs
            for sentence in paragraph.sentences
            for choice in sentence
            for code in choice.codes
        }


@functools.cache
def load_wording(form_version: str) -> Wording:
    """The wording of a form version. Raises LookupError when there is none, ValueError when it is not whole."""
    form = form_named(form_version)
    wording = Wording.model_validate(form.declared("letter.yaml"))
    form.require((code.partition(":")[0] for code in wording.codes), "letter")
    return wording
