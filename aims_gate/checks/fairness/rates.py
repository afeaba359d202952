"""Group fairness by rates: impact ratio, demographic parity, odds and predictive parity.

A lone group, an undefined rate or a group that is too small is never parity: each is a cell of its
own that says so. Formulas are in `stats.disparity` and `stats.intervals`, values come from the
engine, and whether a serious difference could have been missed from `stats.power`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

from aims_gate.checks.contract import About, StatisticSpec
from aims_gate.checks.fairness.groups import CONTROLS
from aims_gate.checks.fairness.pairwise import GROUPS, UNDECIDED_PAIRS, Pairwise, judged_as
from aims_gate.checks.fairness.rate_definitions import RateOf
from aims_gate.policy.model import Role
from aims_gate.stats.disparity import Measure

_Of = Literal["prediction", "score", "label"]
_OF: dict[_Of, RateOf] = {
    "prediction": RateOf.SELECTION,
    "score": RateOf.SCORING,
    "label": RateOf.LABEL,
}
_SELECTED = (
    "p is the share of a group's rows that are predicted positive; with `of: score`, that score "
    "above the median of all rows, for models that rank (the scoring rate of New York City's rule, "
    "6 RCNY 5-300); with `of: label`, that are labelled positive, which asks the data and not the "
    "model. "
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Selection(Pairwise):
    """What the checks on selection rates share."""

    of: _Of = "prediction"
    """Who counts as selected: predicted positive, scored above the median, labelled positive."""

    def compared_rates(self) -> tuple[RateOf, ...]:
        """The rate that is compared."""
        return (_OF[self.of],)

    @property
    def asked(self) -> tuple[str, ...]:
        """What it asks of a frame besides counts: the median of the scores."""
        return ("distribution",) if self.of == "score" else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpactRatio(_Selection):
    """The disadvantaged group's selection rate over the other's (four-fifths rule)."""

    about = About(
        name="fairness.impact_ratio",
        summary="Selection rate of each group over that of every other group.",
        definition=(
            f"p_i / p_j, where {_SELECTED}1 is demographic parity, 0 says that nobody of the group "
            f"is selected. {GROUPS}"
        ),
        roles=(Role.EVALUATION,),
        asks="fairlearn",
        controls=CONTROLS,
        undecided=(*UNDECIDED_PAIRS, "nobody is selected in any group"),
    )

    def compared_by(self) -> Measure:
        """Say how two rates are compared."""
        return Measure.RATIO

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic."""
        return judged_as("impact_ratio", Measure.RATIO, 0.80, self.asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity(_Selection):
    """The difference of selection rates (demographic parity difference)."""

    about = About(
        name="fairness.parity",
        summary="Selection rate of every other group minus that of each group.",
        definition=(
            f"p_j - p_i, where {_SELECTED}0 is demographic parity, 1 the largest gap there is. "
            f"{GROUPS}"
        ),
        roles=(Role.EVALUATION,),
        asks="fairlearn",
        controls=CONTROLS,
        undecided=UNDECIDED_PAIRS,
    )

    def compared_by(self) -> Measure:
        """Say how two rates are compared."""
        return Measure.GAP

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic."""
        return judged_as("parity_gap", Measure.GAP, 0.10, self.asked)


_Compare = Literal["difference", "ratio"]
_MEASURES: dict[_Compare, Measure] = {"difference": Measure.GAP, "ratio": Measure.RATIO}
_BY = (
    "With `compare: ratio` it is p_i / p_j in [0, 1], 1 where the rates are equal; it has no "
    "conventional limit, so the rule states one. "
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Conditional(Pairwise):
    """What the checks on rates among some of the rows share; the class attributes name them."""

    gap: ClassVar[str]
    ratio: ClassVar[str]
    usual: ClassVar[str]

    rates: tuple[str, ...]
    compare: _Compare = "difference"
    """How two groups are compared."""

    def compared_rates(self) -> tuple[RateOf, ...]:
        """Rates that are compared."""
        return tuple(RateOf[rate.upper()] for rate in self.rates)

    def compared_by(self) -> Measure:
        """Say how two rates are compared."""
        return _MEASURES[self.compare]

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic."""
        measure = self.compared_by()
        name, limit = (self.gap, 0.10) if measure is Measure.GAP else (self.ratio, None)
        return judged_as(name, measure, limit)

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Invalid parameters, each as (field, what is wrong, hint)."""
        yield from Pairwise.problems(self)
        if not self.rates or len(set(self.rates)) != len(self.rates):
            yield "rates", "is empty or names a rate twice", self.usual


@dataclass(frozen=True, slots=True, kw_only=True)
class Odds(_Conditional):
    """Equalized odds: rates conditional on the label, compared between groups."""

    about = About(
        name="fairness.odds",
        summary="True and false positive rate of every other group minus that of each group.",
        definition=(
            "p_j - p_i, where p is the share predicted positive among the rows labelled positive "
            "(TPR) or not (FPR); 0 on both is equalized odds, 0 on TPR equal opportunity, 0 on FPR "
            "predictive equality (Hardt, Price and Srebro 2016; Chouldechova 2017), 1 the largest "
            "gap there is. FNR = 1 - TPR and TNR = 1 - FPR have the same gaps and other ratios. "
            f"The group with the lower rate is named first. All rates share one correction. {_BY}"
            + GROUPS
        ),
        roles=(Role.EVALUATION,),
        asks="fairlearn",
        controls=CONTROLS,
        undecided=(*UNDECIDED_PAIRS, "a group has fewer than min_cell positives or negatives"),
    )

    gap = "odds_gap"
    ratio = "odds_rate_ratio"
    usual = "tpr, fpr or both"

    rates: tuple[Literal["tpr", "fpr", "tnr", "fnr"], ...] = ("tpr", "fpr")
    """Both for equalized odds, `["tpr"]` for equal opportunity, `["fpr"]` for false alarms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictiveParity(_Conditional):
    """Predictive parity: rates conditional on the prediction, compared between groups."""

    about = About(
        name="fairness.predictive_parity",
        summary="Positive predictive value of every other group minus that of each group.",
        definition=(
            "p_j - p_i, where p is the share labelled positive among the rows predicted positive "
            "(PPV, precision); 0 is predictive parity (Chouldechova 2017), 1 the largest gap there "
            "is. NPV is the share labelled negative among the rows predicted negative; FDR = 1 - "
            "PPV and FOR = 1 - NPV have the same gaps and other ratios. Where base rates differ, "
            "no imperfect model can have it together with equalized odds. The group with the lower "
            f"rate is named first. All rates share one correction. {_BY}" + GROUPS
        ),
        roles=(Role.EVALUATION,),
        asks="fairlearn",
        controls=CONTROLS,
        undecided=(*UNDECIDED_PAIRS, "a group has fewer than min_cell rows predicted positive"),
    )

    gap = "predictive_gap"
    ratio = "predictive_rate_ratio"
    usual = "ppv is usual"

    rates: tuple[Literal["ppv", "npv", "fdr", "for"], ...] = ("ppv",)
    """Positive and negative predictive value, false discovery and false omission rate."""
