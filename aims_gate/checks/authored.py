"""Choices of the run's author that a rule rests on, because its policy says nothing of them.

The judged party must not choose the question unseen. Whoever names a coin flip as the protected
attribute, or a weight that makes four rows count as four thousand, sees it written beside every
number that rests on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from aims_gate.checks.attributes import Columns, keys, listed
from aims_gate.checks.contract import Check
from aims_gate.checks.levels import title
from aims_gate.sources.subject import Data

_GROUPED = ("fairness", "fairlearn")
_ANSWERED = (*_GROUPED, "performance")
"""Families that compare predictions with labels."""
_ANY = ("weight", "key", "query", "time")
"""Roles by which any check may count, match or leave out columns."""
_NO_INPUT = ("label", "prediction", "score")
"""Roles that, beside those, exclude a column from `columns: all`."""
_ORDER = ("label", "prediction", "score", "positive", "task", *_ANY, "groups")


def authored(check: Check, data: Data) -> Iterator[str]:
    """Name what *check* takes from the author of a run about one role, in a fixed order."""
    family = _family(check)
    roles = [role for role in data.from_run if role != "sensitive"]
    any_role = family in _ANSWERED
    inputs = getattr(check, "columns", "") == "all"
    named = {
        role
        for role in roles
        if any_role or role in _ANY or (inputs and role in _NO_INPUT) or _about(check, role)
    }
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
    if not _stated(check):
        return _is_grouped(check, family)
    return any(data.spec.sensitive.get(name) for columns in _stated(check) for name in columns)


def _stated(check: Check) -> list[Columns]:
    """Attributes that the rule itself names in `by`."""
    by = getattr(check, "by", ())
    return [] if isinstance(by, str) else listed(by)


def _is_grouped(check: Check, family: str) -> bool:
    """Tell whether the protected attributes of the data are what a rule without `by` looks at."""
    return family in _GROUPED or type(check).about.name == "performance.slices"


def once(data: Data) -> Data:
    """Data for a minimum of rows: unweighted if the run's author chose the weight column."""
    return replace(data, frame=data.frame.unweighted()) if "weight" in data.from_run else data


def inflated(check: Check, data: Data) -> Iterator[str]:
    """Say which attributes have groups that reach `min_cell` only by a weight of the author.

    Raises:
        GateError: Rows cannot be counted by an attribute, which the check says itself.
    """
    least = getattr(check, "min_cell", 0)
    if not least or "weight" not in data.from_run:
        return
    implied = listed(data.spec.sensitive) if _is_grouped(check, _family(check)) else []
    classes = [(data.spec.label,)] if getattr(check, "classes", None) and data.spec.label else []
    bins = getattr(check, "bins", None)
    edges = bins if isinstance(bins, Mapping) else None  # of calibration it is a number
    for columns in [*(_stated(check) or implied), *classes]:
        found = keys(columns, data, data.frame, edges)
        weighted, rows = (
            data.frame.count(*found).counts,
            data.frame.unweighted().count(*found).counts,
        )
        few = int(((rows < least) & (weighted >= least)).sum())
        if few:
            groups = "one group" if few == 1 else f"{few:,} groups"
            yield (
                f"{groups} of {title(columns)} with fewer than min_cell {least} rows; a weight "
                "counts here only if the policy names it"
            )


def _family(check: Check) -> str:
    return type(check).about.name.replace(":", ".").partition(".")[0]
