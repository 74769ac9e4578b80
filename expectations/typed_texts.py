"""Texts that somebody types for publication, on the command line or in the settings.

Belongs here: whether such a text may be published. Does not belong here: what looks like a datum about a person
(``personal_data``), delivered texts (``texts``), which options and settings are published (their declarations).

A delivered text is held back by a gate. A typed one goes into pointer, history, feed and pages at once and for good, so
it is looked through where it is taken.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection

from expectations.personal_data import KIND_VI, kinds_of_personal_data

#: Characters; a reason is a sentence or two.
LONGEST = 1000


class UnfitText(ValueError):
    """A typed text that must not be published; the message is for people, in Vietnamese, and does not quote it."""


def published_text(text: str, name_vi: str, *, allowed: Collection[str] = ()) -> str:
    """The text itself.

    Args:
        name_vi: what the text is called where it is refused.
        allowed: kinds of personal data that belong there, such as the name of who signs.

    Raises ``UnfitText`` for other personal data, control and invisible signs, and more than ``LONGEST`` characters.
    """
    if len(text) > LONGEST:
        raise UnfitText(f"{name_vi} dài {len(text)} ký tự, nhiều nhất {LONGEST}; viết ngắn lại")
    if any(unicodedata.category(character)[0] == "C" or character in "\u2028\u2029" for character in text):
        raise UnfitText(f"{name_vi} có ký tự điều khiển hoặc ký tự không nhìn thấy; gõ lại trên một dòng")
    found = [KIND_VI[kind] for kind in kinds_of_personal_data(text) if kind not in allowed]
    if found:
        raise UnfitText(
            f"{name_vi} sẽ được công bố và không sửa lại được, mà có vẻ chứa {', '.join(found)}; viết lại không có dữ "
            "liệu cá nhân"
        )
    return text
