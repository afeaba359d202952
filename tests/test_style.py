"""Docstrings, modules and classes carry the words that a stranger searches for."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "aims_gate"
UNSEARCHABLE = {
    *("ahead", "asked", "complaints", "events", "families", "hidden", "orders", "past"),
    *("places", "present", "sense", "standing", "telling", "tighter", "told", "verified"),
    *("words", "answers", "memory"),
}
"""Names that modules had, and that nobody would have looked in."""
VERBS = ("Give", "Gives")
"""First words that say nothing: each function gives something."""


def docstrings(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of each docstring of a module, those below attributes too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield node.lineno, text
            case _:
                pass


def test_no_docstring_opens_with_a_verb_that_says_nothing() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{line}: {text.partition(chr(10))[0]}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for line, text in docstrings(path)
        if text.split()[:1] and text.split()[0] in VERBS
    ]
    assert not found, "name the thing by its textbook term instead:\n" + "\n".join(found)


def test_docstrings_are_found_at_all(tmp_path: Path) -> None:
    """Of a module, a class, an attribute, a function and a function inside of it."""
    text = '"""A."""\nX = 1\n"""B."""\nclass C:\n    """C."""\n    def d(self):\n        """D."""\n'
    module = tmp_path / "module.py"
    module.write_text(text + "        def e():\n            '''E.'''\n", encoding="utf-8")
    assert {text for _, text in docstrings(module)} == {"A.", "B.", "C.", "D.", "E."}


def test_no_module_has_a_name_that_nobody_would_look_in() -> None:
    names = {path.stem for path in PACKAGE.rglob("*.py")} | {p.name for p in PACKAGE.rglob("*/")}
    assert not names & UNSEARCHABLE


def test_no_two_classes_have_one_name() -> None:
    named: dict[str, list[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            match node:
                case ast.ClassDef(name=name) if not name.startswith("_"):
                    named.setdefault(name, []).append(str(path.relative_to(PACKAGE)))
                case _:
                    pass
    assert {name: places for name, places in named.items() if len(places) > 1} == {}
