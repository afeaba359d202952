"""Groups at every size: what today's rule decides of the impact ratio, and the first one beside it.

Selections are drawn as binomials, a row for each group and decision that stands for as many rows as
were drawn, and go through the same plan, measure and judge as any data.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import first_rule
import numpy as np
from draws import SHARES, Rng
from gate import Draw, outcomes

from aims_gate.stats.disparity import Group
from aims_gate.verdict import Outcome

SIZES = (500, 1_000, 2_000, 5_000, 10_000, 100_000)
RATES = (0.3, 0.1, 0.6)
_SEX = {"F": 0.45, "M": 0.55}
_RATIO = 0.6
_LET_THROUGH = (Outcome.PASS, Outcome.WARN)
_CHECK = "fairness.impact_ratio"


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """Groups, (sex, race), with their shares of the rows; sex is empty where it is not asked."""

    name: str
    shares: Mapping[tuple[str, str], float]

    def sizes(self, rows: int) -> dict[tuple[str, str], int]:
        """Give the rows of each group, fixed by design."""
        return {group: round(rows * share) for group, share in self.shares.items()}

    def smallest(self, count: int, rows: int) -> list[tuple[str, str]]:
        """Give the smallest groups that a rule must decide: over `min_cell` and `small_share`."""
        sizes = self.sizes(rows)
        large = [group for group, share in self.shares.items() if share > 0.02]
        judged = [group for group in large if sizes[group] >= 30]
        return sorted(judged, key=sizes.__getitem__)[:count]


def _flat(name: str, shares: Sequence[float]) -> Structure:
    return Structure(name=name, shares={("", f"r{i}"): share for i, share in enumerate(shares)})


STRUCTURES = (
    _flat("70/30", SHARES[2]),
    _flat("90/10", (0.9, 0.1)),
    _flat("50/25/15/10", (0.50, 0.25, 0.15, 0.10)),
    _flat("45/20/13/10/8/4", (0.45, 0.20, 0.13, 0.10, 0.08, 0.04)),
    _flat("nine, 40 to 1 %", SHARES[9]),
    Structure(
        name="sex x four races",
        shares={
            (sex, f"r{i}"): part * share
            for sex, part in _SEX.items()
            for i, share in enumerate(SHARES[4])
        },
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Percent of draws that end so, by today's rule and by the first one."""

    now: Mapping[Outcome, float]
    first: Mapping[Outcome, float]

    @property
    def passed(self) -> tuple[float, float]:
        """Percent that are let through, by each rule."""
        return tuple(sum(rule.get(o, 0.0) for o in _LET_THROUGH) for rule in (self.now, self.first))  # type: ignore[return-value]


def judged(rng: Rng, runs: int, structure: Structure, *, rows: int, rate: float, low: int) -> Found:
    """Judge *runs* draws in which the *low* smallest groups are selected at a ratio of 0.6."""
    now: Counter[Outcome] = Counter()
    first: Counter[Outcome] = Counter()
    behind = structure.smallest(low, rows)
    for _ in range(runs):
        selected = {
            group: (int(rng.binomial(n, rate * (_RATIO if group in behind else 1))), n)
            for group, n in structure.sizes(rows).items()
        }
        outcome = outcomes(Draw(evaluation=_columns(selected)), checks=[_CHECK])[_CHECK]
        now[outcome] += 1
        if outcome is not Outcome.FAIL and first_rule.insufficient(_families(selected)):
            outcome = Outcome.INSUFFICIENT
        first[outcome] += 1
    share = 100 / runs
    return Found(
        now={o: share * count for o, count in now.items()},
        first={o: share * count for o, count in first.items()},
    )


def rows_of_tables(rng: Rng, runs: int, largest: int) -> Iterator[tuple[str, ...]]:
    """Give for each structure, base rate and size what is decided, and what is let through."""
    for rate in RATES:
        for structure in STRUCTURES:
            for rows in (size for size in SIZES if size <= max(largest, SIZES[0])):
                # of two groups, both selected less often are no disparity
                lows = range(3 if len(structure.shares) > 2 else 2)
                none, *low = (
                    judged(rng, runs, structure, rows=rows, rate=rate, low=n) for n in lows
                )
                yield (
                    f"{rate:g}, {structure.name}",
                    f"{rows:,}",
                    *(_percent(none.now, o) for o in _SHOWN),
                    _percent(none.first, Outcome.INSUFFICIENT),
                    *[_serious(found) for found in low],
                    *["-"] * (2 - len(low)),
                )


def marks(rng: Rng, runs: int) -> Iterator[tuple[str, ...]]:
    """Give how often a fair model is decided on the data that teams have; the mark is 90 %."""
    for number, rows in ((0, 500), (2, 2_000), (3, 5_000)):
        structure = STRUCTURES[number]
        found = judged(rng, runs, structure, rows=rows, rate=0.3, low=0)
        each = (100 - of.get(Outcome.INSUFFICIENT, 0.0) for of in (found.now, found.first))
        yield structure.name, f"{rows:,}", "90", *(f"{decided:.3g}" for decided in each)


_SHOWN = (Outcome.FAIL, Outcome.WARN, Outcome.INSUFFICIENT)
HEADS = (
    "base rate, groups", "rows", "FAIL", "WARN", "INSUFFICIENT", "INSUFFICIENT, first rule",
    "one serious: FAIL, let through (first rule)", "two serious: FAIL, let through (first rule)",
)  # fmt: skip


def _percent(found: Mapping[Outcome, float], outcome: Outcome) -> str:
    return f"{found.get(outcome, 0.0):.3g}"


def _serious(found: Found) -> str:
    now, first = found.passed
    return f"{_percent(found.now, Outcome.FAIL)}, {now:.3g} ({first:.3g})"


def _columns(selected: Mapping[tuple[str, str], tuple[int, int]]) -> dict[str, np.ndarray]:
    """Write counts as rows that stand for many; labels are those of the decisions."""
    found = [
        (sex, race, decision, count)
        for (sex, race), (hits, n) in selected.items()
        for decision, count in ((1, hits), (0, n - hits))
    ]
    sex, race, decision, count = (np.array(column) for column in zip(*found, strict=True))
    columns = {"label": decision, "prediction": decision, "rows": count}
    return columns | ({"sex": sex} if sex[0] else {}) | {"race": race}


def _families(selected: Mapping[tuple[str, str], tuple[int, int]]) -> list[list[Group]]:
    """Give the groups that the rule compares: of each attribute, and of both together."""
    places = (0, 1, slice(2)) if next(iter(selected))[0] else (1,)
    families = []
    for place in places:
        found: dict[object, tuple[int, int]] = {}
        for group, (hits, n) in selected.items():
            before = found.get(group[place], (0, 0))
            found[group[place]] = before[0] + hits, before[1] + n
        families.append(
            [Group(name=str(name), rows=n, successes=hits) for name, (hits, n) in found.items()]
        )
    return families
