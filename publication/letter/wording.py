"""The sentences of the letter, read from one file a form version.

Belongs here: the shape of that file and what makes it whole. Does not belong here: choosing and filling sentences
(``compose``).
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from common.codes import ROW_CODE
from common.forms import Form, follows_forms, form_named

Level = Literal["district", "commune"]
Condition = Literal["zero", "positive"]
#: What a choice is, beside a plain statement: ``missing`` says that a figure is missing, ``undone`` that something was
#: not done, ``nothing`` says nothing.
Tells = Literal["missing", "undone", "nothing"]
#: A row's figure or note: the one placeholder that people may write as well.
FIGURE = re.compile(rf"\{{({ROW_CODE})(:note)?\}}")
#: Everything of the release that a sentence may name: a row, a figure that the file declares, a plan of the year.
PLACE = re.compile(rf"\{{(?:(?P<code>{ROW_CODE})(?P<note>:note)?|(?P<sum>#[a-z_]+)|plan\.(?P<plan>[a-z_]+))\}}")
#: Word takes no longer name of a bookmark; one carries the figure's name, and its number.
_LONGEST_NAME = 30


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Choice(_Strict):
    """One way to say a sentence, for when every condition holds and everything it names is reported."""

    conditions: dict[str, Condition] = Field(default_factory=dict, alias="if")
    say: str = ""
    tells: Tells | None = None

    @property
    def codes(self) -> set[str]:
        """Indicator codes and names of declared figures that it depends on."""
        return {match["code"] or match["sum"] for match in PLACE.finditer(self.say) if not match["plan"]} | (
            self.conditions.keys()
        )

    @property
    def plans(self) -> set[str]:
        """Kinds of plans that it cites."""
        return {match["plan"] for match in PLACE.finditer(self.say) if match["plan"]}


def _can_always_be_said(choices: tuple[Choice, ...]) -> tuple[Choice, ...]:
    if not choices or choices[-1].codes or choices[-1].plans:
        raise ValueError("the last choice of a sentence names nothing of the release and has no condition")
    if any(bool(choice.say) == (choice.tells == "nothing") for choice in choices):
        raise ValueError("a choice says something, or is declared to tell nothing")
    if len(choices) > 1 and choices[-1].tells is None:
        return (*choices[:-1], choices[-1].model_copy(update={"tells": "missing"}))
    return choices


#: Of several choices the last tells that a figure is missing, unless it is declared to tell something else.
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


class FigureWording(_Strict):
    """A figure that no row prints: a measure, or the cases of a level that are counted on time by decision."""

    measure: str | None = None
    by_decision: Level | None = None

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if (self.measure is None) == (self.by_decision is None):
            raise ValueError("a figure is a measure or counted by decision")
        return self


class SignatureWording(_Strict):
    """Above the signer's name: on whose behalf, and the lines of the post of a chairman or of a deputy who signs."""

    authority: str
    chairman: tuple[str, ...]
    deputy: tuple[str, ...]


class Wording(_Strict):
    """Everything the letter of one form version says by itself.

    ``left_out``: what is told to the signer and not in the letter. ``leave_out_mark`` begins a paragraph by which an
    office leaves out a sentence of the section.
    """

    subject: str
    opening: str
    closing: str
    receivers: dict[Level, tuple[str, ...]]
    signature: SignatureWording
    left_out: frozenset[Tells] = frozenset()
    leave_out_mark: str = Field(min_length=1)
    figures: dict[str, FigureWording] = Field(default_factory=dict)
    plans: dict[str, str] = Field(default_factory=dict)
    parts: tuple[PartWording, ...]

    @property
    def choices(self) -> list[Choice]:
        """Every choice of every sentence."""
        return [
            choice
            for part in self.parts
            for section in part.sections
            for paragraph in section.paragraphs
            for sentence in paragraph.sentences
            for choice in sentence
        ]

    @property
    def codes(self) -> set[str]:
        """Indicator codes that any sentence depends on."""
        return {code for choice in self.choices for code in choice.codes if not code.startswith("#")}

    @model_validator(mode="after")
    def _names_only_what_it_declares(self) -> Self:
        named = {code.removeprefix("#") for choice in self.choices for code in choice.codes if code.startswith("#")}
        if strangers := named - self.figures.keys():
            raise ValueError(f"no figure is declared as {', '.join(sorted(strangers))}")
        if strangers := {kind for choice in self.choices for kind in choice.plans} - self.plans.keys():
            raise ValueError(f"no title is declared of plans {', '.join(sorted(strangers))}")
        if long := [name for name in self.figures if len(name) > _LONGEST_NAME]:
            raise ValueError(f"longer than {_LONGEST_NAME} characters: {', '.join(long)}")
        return self


@follows_forms(16)
def load_wording(form_version: str) -> Wording:
    """The wording of a form version. Raises LookupError when there is none, ValueError when it is not whole."""
    return wording_in(form_named(form_version))


def wording_in(form: Form) -> Wording:
    """The wording of a form that need not be in use. Raises as :func:`load_wording`."""
    wording = Wording.model_validate(form.declared("letter.yaml"))
    form.require((code.partition(":")[0] for code in wording.codes), "letter")
    return wording
