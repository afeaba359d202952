"""Write docs/checks.md anew, its tables from the checks: `python tools/checks_page.py > new.md`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from aims_gate.checks import CHECKS
from aims_gate.operations.explain import customary, judged_of, span
from aims_gate.sentences import display

PAGE = Path(__file__).resolve().parents[1] / "docs" / "checks.md"
_OPEN = "as its parameters say"
_HEAD = """\
| check | judged | without `require` | decided by | supports |
| --- | --- | --- | --- | --- |"""
_TABLE = re.compile(r"(?<=<!-- from tools/checks_page.py -->\n).*?(?=<!-- to here -->)", re.DOTALL)


def tables() -> str:
    """Give one row for each check, ours first and then the libraries' by their own names."""
    own, others = (
        "\n".join([_HEAD, *(_row(name) for name in CHECKS if (":" in name) is library)])
        for library in (False, True)
    )
    between = "By a library's own name; each is the library's number, without an interval:"
    return f"{own}\n\n{between}\n\n{others}\n"


def rewritten(page: str) -> str:
    """Give the page with the tables of today in the place of its own."""
    return _TABLE.sub(lambda _old: tables(), page, count=1)


def _row(name: str) -> str:
    judged, about = judged_of(name), CHECKS[name].about
    controls = " ".join(control.removeprefix("iso42001:") for control in about.controls)
    if judged is None:
        return f"| `{name}` | as its parameters say | {_OPEN} | {_OPEN} | {controls} |"
    better = {True: "higher", False: "lower", None: "neither"}[judged.higher_is_better]
    told = f"{display(judged.name)} in {span(judged)}, {better} is better"
    limit = customary(judged).removeprefix(display(judged.name)).strip()
    return f"| `{name}` | {told} | {limit or 'must state it'} | `{judged.decide_on}` | {controls} |"


if __name__ == "__main__":
    sys.stdout.write(rewritten(PAGE.read_text(encoding="utf-8")))
