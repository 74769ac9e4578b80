"""What happened to the releases of a quarter, told in words: published, replaced, taken back.

Belongs here: the words for one step of the index's history. Does not belong here: finding the steps
(``publication.index``), where they are printed (``feeds``, ``page``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from publication.content.release_content import PROVISIONAL_VI

Step = Mapping[str, Any]
#: What is told of a release whose manifest cannot be read, in place of how final its figures are.
UNKNOWN_STANDING_VI = "chưa rõ số liệu tạm thời hay chính thức"


def step_title(step: Step) -> str:
    """``công bố bản r1``, ``bản r2 thay bản r1``, ``quay lại bản r1``."""
    name = f"bản r{step['release']}"
    if step["action"] == "rollback":
        return f"quay lại {name}"
    # Without one before it: the first, or one whose manifest cannot be read.
    return f"công bố {name}" if step["previous"] is None else f"{name} thay bản r{step['previous']}"


def step_summary(step: Step) -> Iterator[str]:
    """What the step means, in sentences: what is in force, how much changed, why."""
    if step["action"] == "rollback":
        yield f"Bản r{step['release']} là bản hiện hành trở lại, các bản sau nó không còn hiệu lực."
    elif step["release"] == 1:
        yield "Công bố lần đầu."
    elif step["previous"] is not None:
        yield f"Thay bản r{step['previous']}."
    if step["changed"] is not None:
        yield f"{step['changed']} thay đổi, xem quality/changes.csv của bản này."
    if step["reason"]:
        yield f"Lý do: {step['reason']}"
    yield from standing_sentence(step["provisional"])


def standing_sentence(provisional: bool | None) -> Iterator[str]:
    """Said of provisional figures, and of those of which it is not known (None); of final ones nothing."""
    if provisional is None:
        yield f"{UNKNOWN_STANDING_VI.capitalize()}."
    elif provisional:
        yield f"{PROVISIONAL_VI.capitalize()}."
