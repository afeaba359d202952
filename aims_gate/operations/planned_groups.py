"""Groups that are planned, with no data yet, as the rows that they would be."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from aims_gate.checks.levels import full
from aims_gate.errors import UsageError
from aims_gate.policy.model import DataSpec, Policy, Role, TaskKind
from aims_gate.sample_size import apportioned

LABEL, PREDICTION, ROWS = "label", "prediction", "rows"
"""Columns of planned groups, beside the attributes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedGroups:
    """Groups that are planned, with no data yet."""

    rows: Mapping[str, Mapping[str, int]]
    """Attribute to rows of each of its groups; several attributes are taken as independent."""
    rate: float
    """Share of positives among labels and predictions alike, in (0, 1)."""
    recall: float = 0.8
    """Share of the positives that are predicted so, in (0, 1)."""


def everyone(groups: PlannedGroups) -> int:
    """Rows of all groups together."""
    return max(sum(sizes.values()) for sizes in groups.rows.values())


def group_sizes(groups: PlannedGroups) -> Iterator[dict[str, float]]:
    """Groups of every attribute and every intersection, with their shares of the rows."""
    for count in range(1, len(groups.rows) + 1):
        for columns in itertools.combinations(groups.rows, count):
            yield {
                full(columns, [name for name, _ in chosen]): math.prod(
                    size / sum(groups.rows[column].values())
                    for column, (_, size) in zip(columns, chosen, strict=True)
                )
                for chosen in itertools.product(*(groups.rows[c].items() for c in columns))
            }


def described(policy: Policy, groups: PlannedGroups) -> Policy:
    """The policy with the planned groups as its evaluation data."""
    spec = policy.data.get(Role.EVALUATION, DataSpec())
    planned_spec = DataSpec(
        label=LABEL,
        prediction=PREDICTION,
        positive=1,
        task=TaskKind.BINARY,
        weight=ROWS,
        sensitive={name: spec.sensitive.get(name) for name in groups.rows},
    )
    return replace(policy, data={**policy.data, Role.EVALUATION: planned_spec})


def planned_rows(groups: PlannedGroups, factor: float = 1.0) -> dict[str, list[object]]:
    """Write planned groups, *factor* times as large, as counted rows with the same rates."""
    if not (0 < groups.rate < 1 and 0 < groups.recall < 1):
        raise UsageError("a rate is not between 0 and 1", hint="such as --rate 0.3")
    if not groups.rows or any(n < 1 for sizes in groups.rows.values() for n in sizes.values()):
        raise UsageError("a group has no rows", hint="such as --group sex=F:300 --group sex=M:700")
    rate, hit = groups.rate, groups.rate * groups.recall
    # as many are predicted positive as are: what is missed is made up by false alarms
    shares = {(1, 1): hit, (1, 0): rate - hit, (0, 1): rate - hit, (0, 0): 1 - 2 * rate + hit}
    totals = {name: sum(sizes.values()) for name, sizes in groups.rows.items()}
    parts: dict[tuple[str | int, ...], float] = {}
    for chosen in itertools.product(*(sizes.items() for sizes in groups.rows.values())):
        part = math.prod(
            size / totals[name] for name, (_, size) in zip(groups.rows, chosen, strict=True)
        )
        for outcome, share in shares.items():
            parts[(*(group for group, _ in chosen), *outcome)] = part * max(share, 0)
    rows = apportioned(parts, math.ceil(round(factor * everyone(groups), 6)))
    names = (*groups.rows, LABEL, PREDICTION)
    columns: dict[str, list[object]] = {
        name: [part[place] for part in parts] for place, name in enumerate(names)
    }
    return {**columns, ROWS: [*rows.values()]}
