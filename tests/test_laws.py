"""Laws take the time they need: no test of examples fails because a machine is busy."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parent


def laws() -> Iterator[tuple[str, list[str]]]:
    """Give the place of every function that takes examples, and its decorators."""
    for path in sorted(TESTS.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if "@given(" in text else ():
            decorators = [ast.unparse(one) for one in getattr(node, "decorator_list", ())]
            if any(one.startswith("given(") for one in decorators):
                yield f"{path.relative_to(TESTS)}:{getattr(node, 'name', '')}", decorators


def test_every_law_is_tried_without_a_deadline() -> None:
    """Hypothesis alone would give each example 200 ms."""
    found = dict(laws())
    assert len(found) > 100
    assert not [
        place
        for place, decorators in found.items()
        if not any(one.startswith(("law(", "LAWS")) for one in decorators)
    ]
