"""Jinja2 environment of the pages: the one place where a value becomes text of a page.

Names of models, groups and columns are chosen by strangers. Every value goes through `plain` (one
harmless line, secrets redacted) and is escaped, unless it is markup that was made here.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from aims_gate.harmless import plain


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
    style, _, _ = loader.get_source(found, "page.css")
    found.globals["style"] = Markup(style)  # noqa: S704  # ours, and the policy holds its hash
    found.globals["policy"] = Markup(content_policy(style))  # noqa: S704  # ours
    return found


def content_policy(style: str) -> str:
    """Content security policy of a page: nothing but its own style, by the style's hash."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _harmless(value: Any) -> Any:
    done = isinstance(value, Markup | Clean)
    return plain(value) if isinstance(value, str) and not done else value
