"""Bias between groups: impact ratio, parity gap and odds gaps, over every ordered pair of groups.

A lone group, an undefined rate or a group that is too small is never parity: each is a cell of its
own that says so. Formulas are in `stats.disparity` and `stats.intervals`, values come from the
engine, and whether a serious difference could have been missed from `stats.power`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

from aims_gate.checks import About, Inputs, Judged
from aims_gate.checks.fairness.families import Family, RateOf, is_of
from aims_gate.checks.fairness.groups import CONTROLS, UNDECIDED, Groups
from aims_gate.checks.fairness.pairs import Terms, compare
from aims_gate.facts import Statistic
from aims_gate.policy.model import DecideOn, Role
from aims_gate.stats.disparity import Contrast, Measure, extreme, ordered_pairs, quantile

_UNDECIDED = (
    *UNDECIDED,
    "a group is so small that a serious difference could have been missed",
)
_GROUPS = (
    "Groups below min_cell rows are named and never judged. Intervals are MOVER over Wilson "
    "bounds (Newcombe 1998; Donner and Zou 2012), Bonferroni-corrected over all ordered pairs of "
    "the rule, so that they hold together. With `reference`, only pairs with that group count, "
    "in both directions."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fairness(Groups):
    """What the checks on pairs of groups share."""

    about: ClassVar[About]
    measure_by: ClassVar[Measure]
    summary: ClassVar[str]

    small_share: float = 0.02
    """Share of rows under which a group that cannot show an effect warns only, in [0, 0.1]."""
    design_effect: float = 1.0
    """Rows per independent row, at least 1; divides the rows of intervals and power."""
    reference: str = ""
    """Compare each group with this one only; needs exactly one entry in `by`."""

    def judged(self) -> Judged:
        """Describe the judged statistic."""
        ratio = self.measure_by is Measure.RATIO
        return Judged(
            name=self.statistic,
            low=0.0,
            high=1.0,
            higher_is_better=ratio,
            neutral=self.measure_by.neutral,
            limit=0.80 if ratio else 0.10,
            decide_on=DecideOn.PROVEN_BREACH,
        )

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Give what is wrong with the parameters."""
        if not 0 <= self.small_share <= 0.1:
            hint = "a group with more than a tenth of the rows is not small"
            yield "small_share", f"{self.small_share:g} is outside [0, 0.1]", hint
        if not 1 <= self.design_effect < math.inf:
            hint = "below 1 it would invent rows"
            yield "design_effect", f"{self.design_effect:g} is not at least 1", hint
        yield from Groups.problems(self)
        attributes = self.attributes()
        if self.reference and len(attributes) != 1:
            yield "reference", "needs exactly one attribute in by", "split the rule"
        elif self.reference and not is_of(self.reference, attributes[0]):
            yield "reference", f"{self.reference!r} is not a group of {attributes[0]}", ""

    def compared(self, counted: list[Family], inputs: Inputs, total: int) -> Iterable[Statistic]:
        """Compare every ordered pair of groups, one correction over all of them."""
        pairs = sum(len(ordered_pairs(f.eligible, self.reference or None)) for f in counted)
        terms = Terms(
            statistic=self.statistic,
            measure=self.measure_by,
            engine=inputs.engine,
            alpha=inputs.alpha,
            pairs=pairs,
            z=quantile(inputs.alpha, pairs),
            design_effect=self.design_effect,
            small_share=self.small_share,
            reference=self.reference or None,
            total=total,
        )
        everything: list[Contrast] = []
        for family in counted:
            contrasts, statistics = compare(family, terms)
            everything += contrasts
            yield from statistics
        if any(not math.isnan(contrast.value) for contrast in everything):
            value, bounds = extreme(everything, self.measure_by)
            yield Statistic(
                name=self.summary,
                value=value,
                interval=terms.interval(bounds),
                rows=total,
                total=total,
                engine=inputs.engine.label,
                reason=f"over {pairs:,} ordered pairs",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpactRatio(_Fairness):
    """The disadvantaged group's selection rate over the other's (four-fifths rule)."""

    about = About(
        name="fairness.impact_ratio",
        summary="Selection rate of each group over that of every other group.",
        definition=(
            "p_i / p_j, where p is the share of a group's rows that are predicted positive; 1 is "
            "demographic parity, 0 says that nobody of the group is selected. " + _GROUPS
        ),
        roles=(Role.EVALUATION,),
        asks="fairlearn",
        controls=CONTROLS,
        undecided=(*_UNDECIDED, "nobody is selected in any group"),
    )
    measure_by = Measure.RATIO
    statistic = "impact_ratio"
    summary = "least_impact_ratio"
    needs = ("prediction",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity(_Fairness):
    """The difference of selection rates (demographic parity difference)."""

    about = About(
        name="fairness.parity",
        summary="Selection rate of every other group minus that of each group.",
        definition=(
            "p_j - p_i, where p is the share of a group's rows that are predicted positive; 0 is "
            "demographic parity, 1 the largest gap there is. " + _GROUPS
        ),
        roles=(Role.EVALUATION,),
        asks="fairlearn",
        controls=CONTROLS,
        undecided=_UNDECIDED,
    )
    measure_by = Measure.GAP
    statistic = "parity_gap"
    summary = "largest_gap"
    needs = ("prediction",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Odds(_Fairness):
    """The differences of true and false positive rates (equalized odds, equal opportunity)."""

    about = About(
        name="fairness.odds",
        summary="True and false positive rate of every other group minus that of each group.",
        definition=(
            "p_j - p_i, where p is the share predicted positive among the rows labelled positive "
            "(TPR) or not (FPR); 0 on both is equalized odds, 0 on TPR equal opportunity. For FPR "
            "the group with the lower rate is named first. Both rates share one correction. "
            + _GROUPS
        ),
        roles=(Role.EVALUATION,),
        asks="fairlearn",
        controls=CONTROLS,
        undecided=(*_UNDECIDED, "a group has fewer than min_cell positives or negatives"),
    )
    measure_by = Measure.GAP
    statistic = "odds_gap"
    summary = "largest_gap"
    needs = ("label", "prediction")

    rates: tuple[Literal["tpr", "fpr"], ...] = ("tpr", "fpr")
    """Both for equalized odds, `["tpr"]` for equal opportunity."""

    def compared_rates(self) -> tuple[RateOf, ...]:
        """Give the rates that are compared."""
        return tuple(RateOf.TPR if rate == "tpr" else RateOf.FPR for rate in self.rates)

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Give what is wrong with the parameters."""
        yield from _Fairness.problems(self)
        if not self.rates or len(set(self.rates)) != len(self.rates):
            yield "rates", "is empty or names a rate twice", "tpr, fpr or both"
