"""Templates of records with what is known filled in; what is not known stays a TODO."""

from __future__ import annotations

import re
from collections.abc import Mapping

from aims_gate.governance.kinds import KINDS
from aims_gate.governance.templates import template
from aims_gate.policy.resolved_yaml import inline

DRAFTED_BY = "aims-gate"
_DAY = r"^(?=effective: |opened: )"
"""Before its day a record takes keys that its template leaves out."""


def filled(
    name: str,
    *,
    marks: Mapping[str, str],
    keys: Mapping[str, object] | None = None,
    blocks: Mapping[str, str] | None = None,
    sections: Mapping[str, str] | None = None,
) -> str:
    """Fill the template of a kind of document or a type of entry.

    Args:
        name: The kind or type.
        marks: What stands for each `{{mark}}`.
        keys: Values of keys of the first level that have one line, or none in the template.
        blocks: Lines for keys of the first level that have several, without the key's own line.
        sections: Text below headings of the second level.

    Raises:
        KeyError: The template has no such block or section: it was changed and this was not.
    """
    text = re.sub(r"\{\{(\w+)\}\}", lambda found: marks[found[1]], template(name))
    for key, value in (keys or {}).items():
        line = f"{key}: {inline(value)}"
        there = re.search(rf"^{key}: .*$", text, re.MULTILINE)
        place, put = (rf"^{key}: .*$", line) if there else (_DAY, f"{line}\n")
        text = _once(place, put, text)
    for key, lines in (blocks or {}).items():
        text = _once(rf"^{key}:( #.*)?\n((?:[ -].*\n)+)", f"{key}:\n{lines}", text)
    for heading, told in (sections or {}).items():
        text = _once(rf"^## {re.escape(heading)}\n[^\n]*\n", f"## {heading}\n{told}\n", text)
    if name not in KINDS:  # an entry is written by whoever saw something
        return text
    return _once(r"^kind: .*$", f"kind: {name}\ndrafted_by: {DRAFTED_BY}", text)


def _once(pattern: str, put: str, text: str) -> str:
    written, count = re.subn(pattern, lambda _found: put, text, count=1, flags=re.MULTILINE)
    if not count:
        raise KeyError(pattern)
    return written
