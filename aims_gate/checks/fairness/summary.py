"""What published tables show of a rate: differences and ratios between groups and to all rows."""

from __future__ import annotations

from collections.abc import Iterator

from aims_gate.checks.fairness.families import Family
from aims_gate.facts import Lack, Statistic


def summary(family: Family, total: int) -> Iterator[Statistic]:
    """Give a rate over all rows, and how far the judged groups are from each other and from it.

    The definitions are those of Fairlearn's `MetricFrame.difference` and `.ratio` with the methods
    `between_groups` and `to_overall`. A ratio of 0/0 is named as undefined; with fewer than two
    groups that may be judged there is nothing to say.
    """
    rates = [group.rate for group in family.eligible]
    if len(rates) < 2:
        return
    overall = family.successes / family.rows
    name, where = family.rate.value, family.attribute
    told = {
        (f"overall_{name}", where): overall,
        (f"{name}_difference", f"{where}, between groups"): max(rates) - min(rates),
        (f"{name}_difference", f"{where}, to overall"): max(abs(r - overall) for r in rates),
        (f"{name}_ratio", f"{where}, between groups"): _ratio(min(rates), max(rates)),
        (f"{name}_ratio", f"{where}, to overall"): _least(rates, overall),
    }
    for (statistic, slice_), value in told.items():
        undefined = value is None
        yield Statistic(
            name=statistic,
            slice=slice_,
            value=value,
            rows=family.rows,
            total=total,
            lack=Lack.UNDEFINED if undefined else None,
            reason=f"{family.rate.nowhere} in any group: 0/0" if undefined else "",
        )


def _ratio(low: float, high: float) -> float | None:
    return low / high if high else None


def _least(rates: list[float], overall: float) -> float | None:
    """Give the least of rate / overall and its inverse: 0 where a group has a rate of 0."""
    ratios = (_ratio(*sorted((rate, overall))) for rate in rates)
    return min((ratio for ratio in ratios if ratio is not None), default=None)
