"""Fairlearn's own fairness metrics by name: `check: fairlearn:METRIC`.

The judged number is Fairlearn's, whatever `engine:` says; which groups may be judged is decided
here first, because Fairlearn calls one lone group perfectly fair.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from aims_gate.checks import About, Inputs, Judged
from aims_gate.checks.fairness.families import Family, RateOf
from aims_gate.checks.fairness.groups import CONTROLS, UNDECIDED, Groups
from aims_gate.facts import Lack, Statistic
from aims_gate.policy.model import Role

_HOW = (
    " Fairlearn computes it over the groups of one attribute that have min_cell rows, from cells "
    "counted by sample_weight, which is the same as over the rows. It has no interval, so that "
    "only decide_on: estimate is possible; fairness.impact_ratio, parity and odds have one."
)


def _about(metric: str, summary: str, definition: str, *, ratio: bool) -> About:
    zero = ("a rate is zero in every group: 0/0",) if ratio else ()
    return About(
        name=f"fairlearn:{metric}",
        summary=summary,
        definition=definition + _HOW,
        roles=(Role.EVALUATION,),
        asks="fairlearn",
        engine="reference",
        controls=CONTROLS,
        undecided=(*UNDECIDED, *zero, "Fairlearn fails or gives no finite number"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fairlearn(Groups):
    """One metric over each attribute; the class attributes say which."""

    about: ClassVar[About]
    ratio: ClassVar[bool]
    rates: ClassVar[tuple[RateOf, ...]]
    limit: ClassVar[float | None]

    def judged(self) -> Judged:
        """Describe the metric."""
        return Judged(
            name=self.statistic,
            low=0.0,
            high=1.0,
            higher_is_better=self.ratio,
            limit=self.limit,
            has_interval=False,
        )

    def compared_rates(self) -> tuple[RateOf, ...]:
        """Give the rates that the metric is made of."""
        return self.rates

    def compared(self, counted: list[Family], inputs: Inputs, total: int) -> Iterable[Statistic]:
        """Ask for each attribute; *counted* holds its families, one a rate."""
        for columns in dict.fromkeys(family.columns for family in counted):
            families = [family for family in counted if family.columns == columns]
            yield self._attribute(families, inputs, total)

    def _attribute(self, families: list[Family], inputs: Inputs, total: int) -> Statistic:
        where = " & ".join(families[0].columns)
        eligible = [{group.name for group in family.eligible} for family in families]
        names = sorted(set.intersection(*eligible))
        if len(names) < 2:
            reason = f"fewer than two groups can be judged ({', '.join(names) or 'none'})"
            return self.lack(where, Lack.INSUFFICIENT, reason, rows=families[0].rows)
        empty = [f.rate for f in families if not any(g.successes for g in f.eligible)]
        if self.ratio and empty:
            reason = f"{' and '.join(empty)} is zero in every group: 0/0"
            return self.lack(where, Lack.INSUFFICIENT, reason, rows=families[0].rows)
        cells = np.array(list(_cells(families, names)), dtype=np.int64)
        columns = ("truth", "prediction", "group", "counts")
        arguments = dict(zip(columns, cells.T, strict=True))
        answer = inputs.engine.by_name("fairlearn", self.statistic, arguments)
        rows = int(cells[:, 3].sum())
        if answer.problem:
            return replace(
                self.lack(where, Lack.UNDEFINED, answer.problem, rows=rows), engine=answer.by
            )
        return Statistic(
            name=self.statistic,
            slice=where,
            value=answer.value,
            rows=rows,
            total=total,
            engine=answer.by,
            judged=True,
            reason=f"over {len(names):,} groups",
        )


def _cells(families: list[Family], names: list[str]) -> Iterator[tuple[int, int, int, int]]:
    """Give (truth, prediction, group, rows) of every cell; without labels all of them are 1."""
    for family in families:
        truth = 0 if family.rate is RateOf.FPR else 1
        for group in family.eligible:
            if group.name in names:
                place = names.index(group.name)
                yield truth, 1, place, group.successes
                yield truth, 0, place, group.rows - group.successes


_PARITY = "0 is demographic parity and 1 the largest difference there is."
_ODDS = "of true positive and of false positive rates"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemographicParityDifference(_Fairlearn):
    """Largest minus smallest selection rate."""

    about = _about(
        "demographic_parity_difference",
        "Largest selection rate of a group minus the smallest, by Fairlearn.",
        "max p - min p of the selection rates p, in [0, 1]: " + _PARITY,
        ratio=False,
    )
    statistic = "demographic_parity_difference"
    needs = ("prediction",)
    ratio = False
    rates = (RateOf.SELECTION,)
    limit = 0.10


@dataclass(frozen=True, slots=True, kw_only=True)
class DemographicParityRatio(_Fairlearn):
    """Smallest selection rate over the largest."""

    about = _about(
        "demographic_parity_ratio",
        "Smallest selection rate of a group over the largest, by Fairlearn.",
        "min p / max p of the selection rates p, in [0, 1]: 1 is demographic parity, 0 says that "
        "nobody of a group is selected.",
        ratio=True,
    )
    statistic = "demographic_parity_ratio"
    needs = ("prediction",)
    ratio = True
    rates = (RateOf.SELECTION,)
    limit = 0.80


@dataclass(frozen=True, slots=True, kw_only=True)
class EqualizedOddsDifference(_Fairlearn):
    """The larger of the differences of true and false positive rates."""

    about = _about(
        "equalized_odds_difference",
        f"The larger of the differences {_ODDS}, by Fairlearn.",
        f"The larger of max - min {_ODDS}, in [0, 1]: 0 is equalized odds.",
        ratio=False,
    )
    statistic = "equalized_odds_difference"
    needs = ("label", "prediction")
    ratio = False
    rates = (RateOf.TPR, RateOf.FPR)
    limit = 0.10


@dataclass(frozen=True, slots=True, kw_only=True)
class EqualizedOddsRatio(_Fairlearn):
    """The smaller of the ratios of true and false positive rates."""

    about = _about(
        "equalized_odds_ratio",
        f"The smaller of the ratios {_ODDS}, by Fairlearn.",
        f"The smaller of min / max {_ODDS}, in [0, 1]: 1 is equalized odds.",
        ratio=True,
    )
    statistic = "equalized_odds_ratio"
    needs = ("label", "prediction")
    ratio = True
    rates = (RateOf.TPR, RateOf.FPR)
    limit = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EqualOpportunityDifference(_Fairlearn):
    """Largest minus smallest true positive rate."""

    about = _about(
        "equal_opportunity_difference",
        "Largest true positive rate of a group minus the smallest, by Fairlearn.",
        "max - min of the true positive rates, in [0, 1]: 0 is equal opportunity.",
        ratio=False,
    )
    statistic = "equal_opportunity_difference"
    needs = ("label", "prediction")
    ratio = False
    rates = (RateOf.TPR,)
    limit = 0.10


@dataclass(frozen=True, slots=True, kw_only=True)
class EqualOpportunityRatio(_Fairlearn):
    """Smallest true positive rate over the largest."""

    about = _about(
        "equal_opportunity_ratio",
        "Smallest true positive rate of a group over the largest, by Fairlearn.",
        "min / max of the true positive rates, in [0, 1]: 1 is equal opportunity.",
        ratio=True,
    )
    statistic = "equal_opportunity_ratio"
    needs = ("label", "prediction")
    ratio = True
    rates = (RateOf.TPR,)
    limit = None
