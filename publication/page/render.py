"""From view to bytes: one self-contained HTML file under a policy that allows exactly its own style and script.

Belongs here: templates, escaping, what is put inline and the hashes that let it run. Does not belong here: what the
page says (``view``, ``catalogue``), reading it again (``readback``).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from common.files import canonical_json
from publication.formatting import CONTROLS, markup_text

_SCRIPT_ENDS = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def printable(value: Any) -> Any:
    """A text as :func:`markup_text` lets HTML hold it, anything else as it is."""
    if not isinstance(value, str):
        return value
    plain = markup_text(value)
    return Markup(plain) if isinstance(value, Markup) else plain


def asset(name: str) -> str:
    """A style sheet or script of this package."""
    return resources.files(__package__).joinpath("assets", name).read_text(encoding="utf-8")


def inline_hash(text: str) -> str:
    """The source expression that allows this inline text and no other."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def policy(style: str, script: str) -> str:
    """The Content-Security-Policy of a page that asks for nothing: no network, no frame, no form, no other code."""
    allowed = inline_hash(script) if script else "'none'"
    return (
        f"default-src 'none'; style-src {inline_hash(style)}; script-src {allowed}; base-uri 'none'; form-action 'none'"
    )


def json_block(value: Any) -> Markup:
    """Canonical JSON that cannot end the script element it stands in."""
    text = canonical_json(value).decode()
    for sign, escaped in _SCRIPT_ENDS.items():
        text = text.replace(sign, escaped)
    # JSON may hold these as they are; a page would show another sign in their place.
    return Markup(CONTROLS.sub(lambda control: f"\\u{ord(control[0]):04x}", text))


def render(template: str, *, style: str | Sequence[str], script: str = "", **values: Any) -> bytes:
    """The page of a template. ``style`` and ``script`` are names of assets, the first of one or of several after each
    other; without a script none may run. Equal values give equal bytes.
    """
    style_text = "".join(map(asset, [style] if isinstance(style, str) else style))
    script_text = asset(script) if script else ""
    text = (
        _environment()
        .get_template(template)
        .render(style=Markup(style_text), script=Markup(script_text), policy=policy(style_text, script_text), **values)
    )
    return text.encode()


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader(__package__, "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=printable,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
