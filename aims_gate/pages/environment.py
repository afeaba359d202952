"""Jinja2 environment of the pages: the one place where a value becomes text of a page.

Names of models, groups and columns are chosen by strangers. Every value goes through `plain` (one
harmless line, secrets redacted) and is escaped, unless it is markup that was made here.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from aims_gate.harmless import plain

_AFTER = re.compile(r"(?<=[_/])(?=[^\s_/])")
_LONG = re.compile(r"[^\s_/-]{21,}")
_PART = re.compile(".{1,16}")
_PLACE = "\x00"
"""Marks a place to break, which no plain text holds."""
_BREAK = Markup("<wbr>")


class Clean(str):
    """Text that has been through `plain`, and is yet to be escaped."""

    __slots__ = ()


def html(template: str, **values: object) -> str:
    """Render a template of this package; all *values* are escaped, markup of ours excepted."""
    return environment().get_template(template).render(**values) + "\n"


@cache
def environment() -> Environment:
    """Environment in which a template can leave nothing out, nor unescaped."""
    loader = PackageLoader("aims_gate.pages")
    found = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    found.filters["wrapping"] = wrapping
    style, _, _ = loader.get_source(found, "page.css")
    found.globals["style"] = Markup(style)  # noqa: S704  # ours, and the policy holds its hash
    found.globals["policy"] = Markup(content_policy(style))  # noqa: S704  # ours
    return found


def content_policy(style: str) -> str:
    """Content security policy of a page: nothing but its own style, by the style's hash."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def wrapping(text: str) -> Markup:
    """Escaped text of a table's cell that wraps between words, and names at `-`, `_` and `/`.

    A run of more than 20 characters, such as a digest, may break at every 16th: no table becomes
    wider than its page.
    """
    shown = _LONG.sub(lambda run: _PLACE.join(_PART.findall(run[0])), plain(text))
    return _BREAK.join(_AFTER.sub(_PLACE, shown).split(_PLACE))


def _harmless(value: Any) -> Any:
    done = isinstance(value, Markup | Clean)
    return plain(value) if isinstance(value, str) and not done else value
