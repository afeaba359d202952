"""What the checks that compare rates of pairs of groups share."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

from aims_gate.checks import attributes
from aims_gate.checks.contract import About, Inputs, StatisticSpec
from aims_gate.checks.fairness.group_counts import GroupFamily, is_of
from aims_gate.checks.fairness.groups import UNDECIDED, RateGroups
from aims_gate.checks.fairness.pairs import compare
from aims_gate.checks.fairness.rate_terms import RateTerms, pairs_of
from aims_gate.checks.fairness.summary import summary
from aims_gate.checks.levels import title
from aims_gate.facts import Statistic
from aims_gate.policy.model import DecideOn
from aims_gate.stats.disparity import Contrast, Measure, extreme, quantile

UNDECIDED_PAIRS = (
    *UNDECIDED,
    "a group is so small that a serious difference could have been missed",
)
GROUPS = (
    "Groups below min_cell rows are named and never judged on their own. Intervals are MOVER over "
    "guarded Wilson bounds (Newcombe 1998; Donner and Zou 2012), Bonferroni-corrected over all "
    "ordered pairs of the rule, so that they hold together. With `reference`, only pairs with that "
    "group count, in both directions; with `against: rest`, each group and everybody else, in both "
    "directions, which sees one low group among many sooner and several low ones later.\n\n"
    "Beside it stand, for each rate, its difference and ratio between groups (max - min, min / "
    "max) and to the rate of all rows (largest |group - all|, least of group / all and its "
    "inverse), over the judged groups, as Fairlearn's MetricFrame has them."
)
"""How groups are compared, for the definitions of checks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairwise(RateGroups):
    """What the checks on pairs of groups share."""

    about: ClassVar[About]

    small_share: float = 0.02
    """Share of rows under which a group that cannot show an effect warns only, in [0, 0.1]."""
    design_effect: float = 1.0
    """Rows per independent row, at least 1; divides the rows of intervals and power."""
    reference: str = ""
    """Compare each group with this one only; needs exactly one entry in `by`."""
    against: Literal["each", "rest"] = "each"
    """Compare each group with `each` other one, the best included, or with the `rest`."""

    def compared_by(self) -> Measure:
        """Say how two rates are compared."""
        raise NotImplementedError

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic."""
        raise NotImplementedError

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Invalid parameters, each as (field, what is wrong, hint)."""
        yield from RateGroups.problems(self)
        named = attributes.listed(self.by)
        if self.reference and self.against == "rest":
            yield "against", "a reference and the rest exclude each other", "leave one out"
        if self.reference and len(named) != 1:
            what = f"the reference {self.reference!r} needs exactly one attribute in by"
            yield "reference", what, "such as by: [sex], reference: sex=M; split the rule for more"
        elif self.reference and not is_of(self.reference, named[0]):
            what = f"{self.reference!r} is not a group of {title(named[0])}"
            yield "reference", what, "write it as in reports, such as sex=M"

    def compared(
        self, counted: list[GroupFamily], inputs: Inputs, total: int
    ) -> Iterable[Statistic]:
        """Compare every ordered pair of groups, one correction over all of them."""
        reference, rest = self.reference or None, self.against == "rest"
        pairs = sum(len(pairs_of(f, reference, against_rest=rest)) for f in counted)
        measure = self.compared_by()
        terms = RateTerms(
            statistic=self.judged().name,
            measure=measure,
            engine=inputs.engine,
            alpha=inputs.alpha,
            pairs=pairs,
            z=quantile(inputs.alpha, pairs),
            alone=quantile(inputs.alpha_alone, 1),
            level_alone=1 - 2 * inputs.alpha_alone,
            design_effect=self.design_effect,
            small_share=self.small_share,
            reference=reference,
            against_rest=rest,
            total=total,
        )
        everything: list[Contrast] = []
        for family in counted:
            contrasts, statistics = compare(family, terms)
            everything += contrasts
            yield from statistics
            yield from summary(family, total)
        if any(not math.isnan(contrast.value) for contrast in everything):
            value, bounds = extreme(everything, measure)
            yield Statistic(
                name="largest_gap" if measure is Measure.GAP else f"least_{terms.statistic}",
                value=value,
                interval=terms.interval(bounds),
                rows=total,
                total=total,
                engine=inputs.engine.label,
                reason=f"over {pairs:,} ordered pairs",
            )


def judged_as(
    name: str, measure: Measure, limit: float | None, needs: tuple[str, ...] = ()
) -> StatisticSpec:
    """Describe a statistic that is a gap or a ratio of two rates, with its conventional limit."""
    return StatisticSpec(
        name=name,
        low=0.0,
        high=1.0,
        higher_is_better=measure is Measure.RATIO,
        neutral=measure.neutral,
        limit=limit,
        decide_on=DecideOn.PROVEN_BREACH,
        needs=needs,
    )
