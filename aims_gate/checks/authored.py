"""What a rule rests on that the author of the run named, because its policy says nothing of it.

The judged party must not choose the question unseen: who names a coin as protected attribute, or a
weight that makes four rows four thousand, is told so beside every number that rests on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from aims_gate.checks import Check
from aims_gate.checks.attributes import keys, listed
from aims_gate.checks.levels import title
from aims_gate.sources.subject import Data

_GROUPED = ("fairness", "fairlearn")
_ANSWERED = (*_GROUPED, "performance")
"""Families that hold answers against labels."""
_ANY = ("weight", "key", "query", "time")
"""Roles by which any check may count, match or leave out columns."""
_ORDER = ("label", "prediction", "score", "positive", "task", *_ANY, "groups")


def authored(check: Check, data: Data) -> Iterator[str]:
    """Name what *check* takes from the author of a run about one role, in a fixed order."""
    family = type(check).about.name.replace(":", ".").partition(".")[0]
    roles = [role for role in data.from_run if role != "sensitive"]
    named = {role for role in roles if family in _ANSWERED or role in _ANY or _about(check, role)}
    if _groups(check, data, family):
        named.add("groups")
    return (word for word in _ORDER if word in named)


def _about(check: Check, role: str) -> bool:
    """Tell whether a check of drift is about answers or labels, and not about inputs."""
    return type(check).about.name in {"drift.prediction", "drift.label", "drift.performance"} and (
        role != "label" or type(check).about.name != "drift.prediction"
    )


def _groups(check: Check, data: Data, family: str) -> bool:
    """Tell whether the author chose the groups: the columns, or the edges they are cut at."""
    if "sensitive" not in data.from_run:
        return False
    by = getattr(check, "by", None)
    if by is None or by == () or isinstance(by, str):
        return family in _GROUPED or type(check).about.name == "performance.slices"
    return any(data.spec.sensitive.get(column) for columns in listed(by) for column in columns)


def once(data: Data) -> Data:
    """Give data for a floor: each row counts once if its weight is named by the run's author."""
    return replace(data, frame=data.frame.once()) if "weight" in data.from_run else data


def inflated(check: Check, data: Data) -> Iterator[str]:
    """Say which attributes have groups that reach `min_cell` only by a weight of the author."""
    least = getattr(check, "min_cell", 0)
    if not least or "weight" not in data.from_run:
        return
    by = getattr(check, "by", ())
    grouped = type(check).about.name.startswith(_GROUPED) and not by
    classes = [data.spec.label] if getattr(check, "classes", None) and data.spec.label else []
    for columns in listed([*(data.spec.sensitive if grouped else by), *classes]):
        if any(column not in data.frame.kinds for column in columns):
            continue  # the check says so itself
        found = keys(columns, data, data.frame)
        weighted, rows = data.frame.count(*found).counts, data.frame.once().count(*found).counts
        few = int(((rows < least) & (weighted >= least)).sum())
        if few:
            groups = "one group" if few == 1 else f"{few:,} groups"
            yield (
                f"{groups} of {title(columns)} with fewer than min_cell {least} rows; a weight "
                "counts here only if the policy names it"
            )
