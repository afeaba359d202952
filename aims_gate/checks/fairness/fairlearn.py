"""Fairlearn's own fairness metrics by name: `check: fairlearn:METRIC`.

The judged number is Fairlearn's, whatever `engine:` says; which groups may be judged is decided
here first, because Fairlearn calls one lone group perfectly fair.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from aims_gate.checks import About, Inputs, Judged
from aims_gate.checks.fairness.events import Event, RateOf
from aims_gate.checks.fairness.families import Family
from aims_gate.checks.fairness.groups import CONTROLS, UNDECIDED, RateGroups
from aims_gate.facts import Lack, Statistic
from aims_gate.policy.model import Role

_HOW = (
    " Fairlearn computes it over the groups of one attribute that have min_cell rows, from cells "
    "counted by sample_weight, which is the same as over the rows. It has no interval, so that "
    "only decide_on: estimate is possible; fairness.impact_ratio, parity, odds, predictive_parity "
    "and group_performance have one."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Metric:
    """What a metric is, and the rates that it is made of."""

    name: str
    rates: tuple[RateOf, ...]
    summary: str
    definition: str
    limit: float | None = None
    higher_is_better: bool = False

    @property
    def ratio(self) -> bool:
        """Whether rates are divided by one another, which 0/0 stops."""
        return self.name.endswith("_ratio")

    def about(self) -> About:
        """Describe it."""
        zero = ("a rate is zero in every group: 0/0",) if self.ratio else ()
        return About(
            name=f"fairlearn:{self.name}",
            summary=self.summary,
            definition=self.definition + _HOW,
            roles=(Role.EVALUATION,),
            asks="fairlearn",
            engine="reference",
            controls=CONTROLS,
            undecided=(*UNDECIDED, *zero, "Fairlearn fails or gives no finite number"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fairlearn(RateGroups):
    """One metric over each attribute; the class attribute says which."""

    about: ClassVar[About]
    metric: ClassVar[_Metric]

    def judged(self) -> Judged:
        """Describe the metric."""
        return Judged(
            name=self.metric.name,
            low=0.0,
            high=1.0,
            higher_is_better=self.metric.higher_is_better,
            limit=self.metric.limit,
            has_interval=False,
        )

    def compared_rates(self) -> tuple[RateOf, ...]:
        """Give the rates that the metric is made of."""
        return self.metric.rates

    def options(self) -> dict[str, str]:
        """Give what Fairlearn is told beside the data."""
        return {}

    def compared(self, counted: list[Family], inputs: Inputs, total: int) -> Iterable[Statistic]:
        """Ask for each attribute; *counted* holds its families, one a rate."""
        for columns in dict.fromkeys(family.columns for family in counted):
            families = [family for family in counted if family.columns == columns]
            yield from self._left_out(families, total)
            yield self._attribute(families, inputs, total)

    def _left_out(self, families: list[Family], total: int) -> Iterator[Statistic]:
        """Tell of the groups that Fairlearn is not asked about, and refuse if they are many.

        All rates are taken over the same groups, so one that is too small for a rate counts in
        none, however large it is for the others.
        """
        common = set(_common(families))
        for family in families:
            missing = [group for group in family.groups if group.name not in common]
            for group in missing:
                reason = f"{group.rows:,} {family.trials}, and below min_cell {self.min_cell} "
                reason += "for this or another rate of the metric: not judged"
                cell = self.lack(group.name, Lack.INSUFFICIENT, reason, rows=group.rows)
                yield replace(cell, name=family.rate, judged=False, total=total)
            rows = sum(group.rows for group in missing)
            # groups that are small for the rate itself have been counted already
            if set(missing) - set(family.small) and rows > self.max_uncovered * family.rows:
                reason = (
                    f"{rows / family.rows:.1%} of the {family.trials} are in groups below min_cell "
                    f"for a rate of the metric, more than max_uncovered {self.max_uncovered:.1%}"
                )
                yield self.lack(family.slice, Lack.INSUFFICIENT, reason, rows=rows)

    def _attribute(self, families: list[Family], inputs: Inputs, total: int) -> Statistic:
        where = families[0].attribute
        names = _common(families)
        if len(names) < 2:
            reason = f"fewer than two groups can be judged ({', '.join(names) or 'none'})"
            return self.lack(where, Lack.INSUFFICIENT, reason, rows=families[0].rows)
        empty = [f.rate for f in families if not any(g.successes for g in f.eligible)]
        if self.metric.ratio and empty:
            reason = f"{' and '.join(empty)} is zero in every group: 0/0"
            return self.lack(where, Lack.INSUFFICIENT, reason, rows=families[0].rows)
        cells = np.array(list(_cells(families, names)), dtype=np.int64)
        columns = ("truth", "prediction", "group", "counts")
        arguments = {**dict(zip(columns, cells.T, strict=True)), **self.options()}
        answer = inputs.engine.by_name("fairlearn", self.metric.name, arguments)
        rows = int(cells[:, 3].sum())
        if answer.problem:
            return replace(
                self.lack(where, Lack.UNDEFINED, answer.problem, rows=rows), engine=answer.by
            )
        return Statistic(
            name=self.metric.name,
            slice=where,
            value=answer.value,
            rows=rows,
            total=total,
            engine=answer.by,
            judged=True,
            reason=f"over {len(names):,} groups",
        )


def _common(families: list[Family]) -> list[str]:
    """Name the groups that may be judged by every rate."""
    return sorted(set.intersection(*({g.name for g in f.eligible} for f in families)))


def _cells(families: list[Family], names: list[str]) -> Iterator[tuple[int, int, int, int]]:
    """Give (truth, prediction, group, rows) of every cell; what a rate does not ask for is 1."""
    judged = [(f.rate, g) for f in families for g in f.eligible if g.name in names]
    for rate, group in judged:
        place = names.index(group.name)
        yield (*_pair(rate, hit=True), place, group.successes)
        yield (*_pair(rate, hit=False), place, group.rows - group.successes)


def _pair(rate: RateOf, *, hit: bool) -> tuple[int, int]:
    """Write a success or a failure of a rate as label and prediction."""
    event, wanted = rate.event
    told = {Event.LABEL: True, Event.PREDICTION: True}
    told |= dict([rate.given] if rate.given is not None else [])
    # right is a prediction like the label, which is 1 where the rate does not ask for it
    told[Event.PREDICTION if event is Event.RIGHT else event] = wanted is hit
    return int(told[Event.LABEL]), int(told[Event.PREDICTION])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared(_Fairlearn):
    """A difference or a ratio."""

    method: Literal["between_groups", "to_overall"] = "between_groups"
    """Between the groups, or of each group and all of them together."""

    def options(self) -> dict[str, str]:
        """Give what Fairlearn is told beside the data."""
        return {"method": self.method}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Odds(_Compared):
    """A difference or a ratio of two rates."""

    agg: Literal["worst_case", "mean"] = "worst_case"
    """The worse of the two rates, or their mean."""

    def options(self) -> dict[str, str]:
        """Give what Fairlearn is told beside the data."""
        return {"method": self.method, "agg": self.agg}


def _check(given: _Metric, kind: type[_Fairlearn]) -> type[_Fairlearn]:
    """Make the check of a metric, with the parameters of *kind*."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Named(kind):  # type: ignore[valid-type,misc]  # the metric says which base
        """A metric of Fairlearn's."""

        about = given.about()
        metric = given

    return Named


def _difference(
    name: str,
    what: str,
    *rates: RateOf,
    zero: str = "that the groups are alike",
    limit: float | None = None,
    kind: type[_Fairlearn] = _Compared,
) -> type[_Fairlearn]:
    return _check(
        _Metric(
            name=f"{name}_difference",
            rates=rates,
            summary=f"The largest {what} of a group minus the smallest, by Fairlearn.",
            definition=f"max - min of the {what}, in [0, 1]: 0 is {zero}, 1 the largest "
            "difference there is. With method: to_overall the largest |group - all|.",
            limit=limit,
        ),
        kind,
    )


def _ratio(
    name: str,
    what: str,
    *rates: RateOf,
    one: str = "that the groups are alike",
    limit: float | None = None,
    kind: type[_Fairlearn] = _Compared,
) -> type[_Fairlearn]:
    return _check(
        _Metric(
            name=f"{name}_ratio",
            rates=rates,
            summary=f"The smallest {what} of a group over the largest, by Fairlearn.",
            definition=f"min / max of the {what}, in [0, 1]: 1 is {one}, 0 that it is 0 in a "
            "group. With method: to_overall the least of group / all and all / group.",
            limit=limit,
            higher_is_better=True,
        ),
        kind,
    )


def _worst(name: str, what: str, *rates: RateOf, loss: bool = False) -> type[_Fairlearn]:
    perfect, wrong = ("0", "1") if loss else ("1", "0")
    return _check(
        _Metric(
            name=name,
            rates=rates,
            summary=f"The {what} of the group where it is worst, by Fairlearn.",
            definition=f"The {'largest' if loss else 'smallest'} {what} of a group, in [0, 1]: "
            f"{perfect} is perfect in every group, {wrong} always wrong in one.",
            higher_is_better=not loss,
        ),
        _Fairlearn,
    )


_SELECTED, _TPR, _FPR = "selection rate", "true positive rate", "false positive rate"
_TNR, _FNR = "true negative rate", "false negative rate"
_ODDS = "true and false positive rates (whichever is worse; agg: mean takes both)"
_BOTH = (RateOf.TPR, RateOf.FPR)
_DP, _EO, _EOP = "demographic parity", "equalized odds", "equal opportunity"

# under Fairlearn's own names, as `CHECKS` looks them up
demographic_parity_difference = _difference(
    "demographic_parity", _SELECTED, RateOf.SELECTION, zero=_DP, limit=0.10
)
demographic_parity_ratio = _ratio(
    "demographic_parity", _SELECTED, RateOf.SELECTION, one=_DP, limit=0.80
)
equalized_odds_difference = _difference(
    "equalized_odds", _ODDS, *_BOTH, zero=_EO, limit=0.10, kind=_Odds
)
equalized_odds_ratio = _ratio("equalized_odds", _ODDS, *_BOTH, one=_EO, kind=_Odds)
equal_opportunity_difference = _difference(
    "equal_opportunity", _TPR, RateOf.TPR, zero=_EOP, limit=0.10
)
equal_opportunity_ratio = _ratio("equal_opportunity", _TPR, RateOf.TPR, one=_EOP)
true_positive_rate_difference = _difference("true_positive_rate", _TPR, RateOf.TPR)
true_positive_rate_ratio = _ratio("true_positive_rate", _TPR, RateOf.TPR)
true_negative_rate_difference = _difference("true_negative_rate", _TNR, RateOf.TNR)
true_negative_rate_ratio = _ratio("true_negative_rate", _TNR, RateOf.TNR)
false_positive_rate_difference = _difference("false_positive_rate", _FPR, RateOf.FPR)
false_positive_rate_ratio = _ratio("false_positive_rate", _FPR, RateOf.FPR)
false_negative_rate_difference = _difference("false_negative_rate", _FNR, RateOf.FNR)
false_negative_rate_ratio = _ratio("false_negative_rate", _FNR, RateOf.FNR)
selection_rate_difference = _difference("selection_rate", _SELECTED, RateOf.SELECTION)
selection_rate_ratio = _ratio("selection_rate", _SELECTED, RateOf.SELECTION)
accuracy_score_difference = _difference("accuracy_score", "accuracy", RateOf.ACCURACY)
accuracy_score_ratio = _ratio("accuracy_score", "accuracy", RateOf.ACCURACY)
accuracy_score_group_min = _worst("accuracy_score_group_min", "accuracy", RateOf.ACCURACY)
zero_one_loss_difference = _difference("zero_one_loss", "share of errors", RateOf.ERROR)
zero_one_loss_ratio = _ratio("zero_one_loss", "share of errors", RateOf.ERROR)
zero_one_loss_group_max = _worst(
    "zero_one_loss_group_max", "share of errors", RateOf.ERROR, loss=True
)
balanced_accuracy_score_group_min = _worst(
    "balanced_accuracy_score_group_min", "mean of recall and specificity", *_BOTH
)
precision_score_group_min = _worst("precision_score_group_min", "precision", RateOf.PPV)
f1_score_group_min = _worst("f1_score_group_min", "F1 score", RateOf.JACCARD)
recall_score_group_min = _worst("recall_score_group_min", "recall", RateOf.TPR)
