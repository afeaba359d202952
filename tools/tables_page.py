"""Write docs/tables.md anew, its table from the checks: `python tools/tables_page.py > new.md`."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pydantic

from aims_gate.checks import CHECKS
from aims_gate.checks.contract import BRACKETS, IN_MEMORY, VALUES
from aims_gate.plan import build

PAGE = Path(__file__).resolve().parents[1] / "docs" / "tables.md"
PLACES = ("at any size", "on brackets", "within `max_bytes`", "in memory only")
"""How a rule is served by a table in an engine."""
_MORE: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "data.ranges": {
        "one_of": {"allowed": {"x": {"one_of": ["1"]}}},
        "matches": {"allowed": {"x": {"matches": "1"}}},
    },
    "fairness.group_performance": {
        "roc_auc, relative_to: overall": {"metric": "roc_auc", "relative_to": "overall"},
    },
    "performance.robustness": {"columns": {"columns": ["x"], "metric": "accuracy"}},
}
"""Parameters without choices that matter."""
_SENT = {"distribution", "gather", VALUES}
"""Needs that bring as many values as there are."""
_TABLE = re.compile(r"(?<=<!-- from tools/tables_page.py -->\n).*?(?=<!-- to here -->)", re.DOTALL)


def place(needs: Iterable[str]) -> str:
    """Say how a table in an engine serves a rule that asks these of a frame."""
    asked = set(needs)
    if IN_MEMORY in asked:
        return PLACES[3]
    if not asked & _SENT:
        return PLACES[0]
    return PLACES[1] if BRACKETS in asked else PLACES[2]


def table() -> str:
    """Give one row for each check of data, and one for all of a library's."""
    rows = [f"| check | {' | '.join(PLACES)} |", "| --- |" + " --- |" * len(PLACES)]
    own = [name for name in CHECKS if ":" not in name]
    rows += [_row(name, _places(name)) for name in own if CHECKS[name].about.roles]
    rows.append(_row("integrity.data", _places("integrity.data")))
    for library in dict.fromkeys(name.partition(":")[0] for name in CHECKS if ":" in name):
        theirs = [name for name in CHECKS if name.startswith(f"{library}:")]
        rows.append(_row(f"{library}:…", {n.partition(":")[2]: _place(n, {}) for n in theirs}))
    return "\n".join(rows) + "\n"


def rewritten(page: str) -> str:
    """Give the page with the table of today in the place of its own."""
    return _TABLE.sub(lambda _old: table(), page, count=1)


def _row(name: str, places: Mapping[str, str]) -> str:
    """A row: the place that most have says `yes`, and others for which parameters they are it."""
    most = Counter(places.values()).most_common(1)[0][0]
    cells = []
    for each in PLACES:
        told = ", ".join(f"`{choice}`" for choice, found in places.items() if found == each)
        cells.append("yes" if each == most else told)
    if len(set(places.values())) > 1:
        cells = ["all others" if cell == "yes" else cell for cell in cells]
    return f"| `{name}` | {' | '.join(cells)} |"


def _places(name: str) -> dict[str, str]:
    """Where a check is served, by each choice of a parameter that has choices, else as it is."""
    schema = pydantic.TypeAdapter(CHECKS[name]).json_schema()
    choices = dict(_choices(schema))
    base = {
        parameter: choices.get(parameter, ["accuracy_score"])[0]
        for parameter in schema.get("required", [])
    }
    found = {
        str(choice) if parameter == "metric" else f"{parameter}: {choice}": _place(
            name, {**base, parameter: choice}
        )
        for parameter, values in choices.items()
        for choice in values
    }
    found |= {told: _place(name, {**base, **more}) for told, more in _MORE.get(name, {}).items()}
    return found or {"": _place(name, base)}


def _choices(schema: Mapping[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    for parameter, facts in schema["properties"].items():
        kinds = (facts, *facts.get("anyOf", ()))
        if values := [value for kind in kinds for value in kind.get("enum", ())]:
            yield parameter, values


def _place(name: str, parameters: Mapping[str, Any]) -> str:
    return place(build(name, parameters).judged().needs)


if __name__ == "__main__":
    sys.stdout.write(rewritten(PAGE.read_text(encoding="utf-8")))
