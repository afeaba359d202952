"""The numbers that a policy may state: where each lies, and why not further out.

A number out of its domain asks nothing, or so little that a rule could not refuse. docs/policy.md
shows this table, and a test holds the two equal.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """Where a number lies; its ends included, unless *above* leaves the lower one out."""

    low: float
    high: float = math.inf
    above: bool = False
    why: str

    def __contains__(self, number: float) -> bool:
        """Tell whether *number* is in the domain; NaN and infinity never are."""
        if number == self.low:
            return not self.above
        return self.low < number <= self.high and math.isfinite(number)

    def __str__(self) -> str:
        """The domain in interval notation, such as `(0, 0.5]`."""
        end = f"{self.high:.12g}]" if math.isfinite(self.high) else "inf)"
        return f"{'(' if self.above else '['}{self.low:.12g}, {end}"


GRAMMAR: Mapping[str, Domain] = {
    "alpha": Domain(
        low=0.0001,
        high=0.2,
        why="more is wrong once in five times, less proves next to nothing",
    ),
    "min_rows": Domain(low=1, why="0 rows are asked of nobody"),
    "max_null_labels": Domain(low=0, high=0.5, why="more would judge the lesser part of the rows"),
    "max_age_days": Domain(
        low=0, high=3660, above=True, why="0 days are asked of nobody, and ten years are no limit"
    ),
    "grace_days": Domain(low=0, high=366, why="more than a year is another max_age_days"),
    "waivers.max_days": Domain(
        low=0, high=366, above=True, why="an exception of more than a year is another limit"
    ),
    "window.days": Domain(
        low=0.001,
        high=36600,
        why="a minute and a half holds next to no rows, and a century is no window",
    ),
}
"""Numbers of the head, of `data` and of rules, by key."""

PARAMETERS: Mapping[str, Domain] = {
    "min_cell": Domain(
        low=5,
        high=100_000,
        why="fewer people are no group, and a table of them names them",
    ),
    "max_uncovered": Domain(low=0, high=0.5, why="more would judge the lesser part of the rows"),
    "small_share": Domain(low=0, high=0.1, why="more than a tenth of the rows is not small"),
    "design_effect": Domain(
        low=1, high=100, why="less would invent rows, more would leave none to prove anything"
    ),
    "min_count": Domain(low=1, high=1_000_000, why="0 rows are asked of nobody"),
    "share": Domain(low=0, high=0.5, above=True, why="a value of most rows is not a new one"),
    "factor": Domain(low=2, high=100, above=True, why="what is proven is twice"),
    "unseen_share": Domain(low=0, high=0.5, above=True, why="more is another column"),
    "moved": Domain(
        low=0, high=3, above=True, why="past it, and past the greatest distance, nothing moves"
    ),
    "weights": Domain(low=0, high=1000, why="more would leave no vote to the other columns"),
    "population": Domain(low=0, high=1, above=True, why="shares of all add up to 1"),
    "bins": Domain(low=2, high=1000, why="one bin cannot tell scores apart"),
    "beta": Domain(low=0.1, high=10, why="further out it is precision or recall by another name"),
    "k": Domain(low=1, high=1_000_000, why="places of a ranking"),
    "cadence_days": Domain(low=0, high=92, above=True, why="rarer is no monitoring"),
    "period_days": Domain(low=7, high=3660, why="less shows no hole, more is no limit"),
    "accepted_days": Domain(low=1, high=366, why="nobody accepts a risk for ever"),
    "max_bytes": Domain(low=1, high=1e13, why="10 TB are no limit: leave it out instead"),
}
"""Parameters of checks that are numbers, by name; for lists and mappings each of their numbers."""

Reaches = Mapping[str, tuple[float, str]]
"""How far from 0 a limit may lie where the range of a statistic has no end there, and why.

A name stands for what begins with it, such as `mae_drop`.
"""
UNBOUND = (1e15, "in the unit of the data; beyond it doubles hold no whole numbers")
REACHES: Reaches = {
    "kl": (100, "certain and wrong is 37 where scores are doubles"),
    **dict.fromkeys(("violations", "schema_violations"), (1000, "a rule that counts is to refuse")),
    **dict.fromkeys(("days_since_newest", "longest_gap_days"), (3660, "ten years are no limit")),
    "disagreement": (0.1, "a tenth off is no rounding"),
    **dict.fromkeys(("ed", "claimed_metric"), UNBOUND),
}
"""Of all but performance metrics, which say it themselves (`stats.formulas`)."""
LEAST: Mapping[str, tuple[float, str]] = {
    "rows": (10, "fewer rows show nothing"),
    "positives": (5, "fewer positives show nothing"),
    "p_value": (1e-6, "less is met by whatever drifts"),
}
"""The smallest `at_least` of a statistic that has an end of its own."""
TIMES = 10
"""A limit is at most so many times the customary one, where there is one and no row above."""
HUNDREDTH = 0.01
"""Of a range with two ends; so near the end that every value meets no limit may lie."""
SERIOUS = 0.9
"""Of the way from the limit to the worst value there is; a serious effect is not further."""
TINY = 1e-12
"""A limit that is nearer to 0 than this, and not 0, is 0 but for rounding."""


def reach(name: str, customary: float | None, reaches: Reaches) -> tuple[float, str]:
    """Largest distance from 0 of a limit of the statistic *name*, and the reason."""
    for known, most in reaches.items():
        if name == known or name.startswith(f"{known}_"):
            return most
    if customary:
        return TIMES * customary, f"{TIMES} times the customary limit"
    return UNBOUND


def table(reaches: Reaches) -> str:
    """Markdown table of all domains, as docs/policy.md shows it."""
    rows = [f"| `{key}` | {domain} | {domain.why} |" for key, domain in GRAMMAR.items()]
    rows += [f"| `with.{key}` | {domain} | {domain.why} |" for key, domain in PARAMETERS.items()]
    return "\n".join(
        ["| number | lies in | because |", "| --- | --- | --- |", *rows, *_limits(reaches)]
    )


def _limits(reaches: Reaches) -> Iterator[str]:
    limit = "| `at_least`, `at_most`, `between`, `baseline.value`"
    yield (
        f"{limit} | the range of the statistic, and not in the last hundredth before the end that "
        "every value meets | there it could refuse next to nothing |"
    )
    for name, (least, why) in LEAST.items():
        yield f"| `at_least` of `{name}` | {least:g} or more | {why} |"
    grouped: dict[tuple[float, str], list[str]] = {}
    for name, reached in reaches.items():
        grouped.setdefault(reached, []).append(f"`{name}`")
    for (most, why), names in grouped.items():
        yield f"| a limit of {', '.join(names)} | within {most:g} of 0 | {why} |"
    yield (
        f"| any other limit without an end | up to {TIMES} times the customary one, else within "
        "1e+15 of 0 | further out it could refuse next to nothing |"
    )
    yield "| `warn_below`, `warn_above` | the range of the statistic | no value lies past others |"
    yield (
        "| `serious` | past the limit, before the last tenth of the way to the worst value; up to "
        f"{TIMES} times the limit's distance | what no data show, any data rule out |"
    )
    yield (
        "| `threshold`, edges of `sensitive`, `with.bins` and `with.allowed`, numbers of `tests` | "
        "any, edges ascending | scales are the data's, and tests decide nothing |"
    )
