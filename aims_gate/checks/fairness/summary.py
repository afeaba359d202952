"""Summary of a rate as in published tables: differences and ratios between groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aims_gate.checks.fairness.group_counts import GroupFamily
from aims_gate.facts import NoValue, Statistic


def summary(family: GroupFamily, total: int) -> Iterator[Statistic]:
    """Overall rate, with its difference and ratio between groups and to the overall rate.

    The definitions are those of Fairlearn's `MetricFrame.difference` and `.ratio` with the methods
    `between_groups` and `to_overall`. A ratio of 0/0 is named as undefined; with fewer than two
    groups that may be judged there is nothing to say.
    """
    values = [group.rate for group in family.eligible]
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
            family.rate, family.attribute, values, overall, rows=family.rows, total=total
        )


def spread(
    name: str, attribute: str, values: Sequence[float], overall: float, *, rows: int, total: int
) -> Iterator[Statistic]:
    """Differences and ratios of a value between groups and to all rows.

    Ratios are of values that are not negative; those of others are left out.
    """
    told: dict[tuple[str, str], float | None] = {
        ("difference", "between groups"): max(values) - min(values),
        ("difference", "to overall"): max(abs(value - overall) for value in values),
    }
    if min(*values, overall) >= 0:
        told["ratio", "between groups"] = _ratio(min(values), max(values))
        told["ratio", "to overall"] = _least(values, overall)
    for (kind, method), value in told.items():
        yield Statistic(
            name=f"{name}_{kind}",
            slice=f"{attribute}, {method}",
            value=value,
            rows=rows,
            total=total,
            lack=NoValue.UNDEFINED if value is None else None,
            reason=f"{name} is 0 in every group: 0/0" if value is None else "",
        )


def _ratio(low: float, high: float) -> float | None:
    return low / high if high else None


def _least(values: Sequence[float], overall: float) -> float | None:
    """Least ratio to overall: min of value / overall and its inverse; 0 if a value is 0."""
    ratios = (_ratio(*sorted((value, overall))) for value in values)
    return min((ratio for ratio in ratios if ratio is not None), default=None)
