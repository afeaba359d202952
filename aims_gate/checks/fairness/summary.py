"""Summary of a rate as in published tables: differences and ratios between groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aims_gate.bracket import Bounds, Bracket
from aims_gate.checks.fairness.group_counts import GroupFamily
from aims_gate.facts import NoValue, Statistic


def summary(family: GroupFamily, total: int) -> Iterator[Statistic]:
    """Overall rate, with its difference and ratio between groups and to the overall rate.

    The definitions are those of Fairlearn's `MetricFrame.difference` and `.ratio` with the methods
    `between_groups` and `to_overall`. A ratio of 0/0 is named as undefined; with fewer than two
    groups that may be judged there is nothing to say.
    """
    values = [(group.rate, group.rate) for group in family.eligible]
    if len(values) > 1:
        overall = family.successes / family.rows
        yield Statistic(
            name=f"overall_{family.rate}",
            slice=family.attribute,
            value=overall,
            rows=family.rows,
            total=total,
        )
        yield from spread(
            family.rate,
            family.attribute,
            values,
            (overall, overall),
            rows=family.rows,
            total=total,
        )


def spread(
    name: str,
    attribute: str,
    values: Sequence[Bounds],
    overall: Bounds,
    *,
    rows: int,
    total: int,
    cells: int = 0,
) -> Iterator[Statistic]:
    """Differences and ratios of a value between groups and to all rows.

    Ratios are of values that are not negative; those of others are left out.

    Args:
        name: What the values are of.
        attribute: Whose groups they are.
        values: Of each group the least and the greatest that it can be: twice one that is known.
        overall: The same of all rows.
        rows: Those of the groups.
        total: All rows.
        cells: Those that rows were counted in, where a value is not known.
    """
    top, bottom = (
        (end(low for low, _ in values), end(high for _, high in values)) for end in (max, min)
    )
    apart = [_difference(value, overall) for value in values]
    told: dict[tuple[str, str], Bounds | None] = {
        ("difference", "between groups"): (max(top[0] - bottom[1], 0.0), top[1] - bottom[0]),
        ("difference", "to overall"): (
            max(low for low, _ in apart),
            max(high for _, high in apart),
        ),
    }
    if min(bottom[0], overall[0]) >= 0:
        ratios = [ratio for value in values if (ratio := _ratio(value, overall)) is not None]
        told["ratio", "between groups"] = _ratio(bottom, top)
        told["ratio", "to overall"] = (
            (min(low for low, _ in ratios), min(high for _, high in ratios)) if ratios else None
        )
    for (kind, method), found in told.items():
        known = found is None or found[0] == found[1]
        yield Statistic(
            name=f"{name}_{kind}",
            slice=f"{attribute}, {method}",
            value=None if found is None else found[0] if known else (found[0] + found[1]) / 2,
            bracket=None
            if found is None or known
            else Bracket(low=found[0], high=found[1], cells=cells),
            rows=rows,
            total=total,
            lack=NoValue.UNDEFINED if found is None else None,
            reason=f"{name} is 0 in every group: 0/0" if found is None else "",
        )


def _difference(one: Bounds, other: Bounds) -> Bounds:
    """Absolute difference of two values."""
    return max(one[0] - other[1], other[0] - one[1], 0.0), max(one[1] - other[0], other[1] - one[0])


def _ratio(one: Bounds, other: Bounds) -> Bounds | None:
    """The lower of two values in the higher one; None where both are 0."""
    low, high = sorted((one, other))
    most = max(one[1], other[1])
    if not most:
        return None
    return low[0] / most, 1.0 if low[1] >= high[0] else low[1] / high[0]
