"""Fairlearn's own fairness metrics by name: `check: fairlearn:METRIC`."""

from __future__ import annotations

from dataclasses import dataclass

from aims_gate.checks.fairness.fairlearn_groups import Compared, Fairlearn, FairlearnOdds, Metric
from aims_gate.checks.fairness.rate_definitions import RateOf


def _check(given: Metric, kind: type[Fairlearn]) -> type[Fairlearn]:
    """Create the check class of a metric, with the parameters of *kind*."""

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
    kind: type[Fairlearn] = Compared,
) -> type[Fairlearn]:
    return _check(
        Metric(
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
    kind: type[Fairlearn] = Compared,
) -> type[Fairlearn]:
    return _check(
        Metric(
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


def _worst(name: str, what: str, *rates: RateOf, loss: bool = False) -> type[Fairlearn]:
    perfect, wrong = ("0", "1") if loss else ("1", "0")
    return _check(
        Metric(
            name=name,
            rates=rates,
            summary=f"The {what} of the group where it is worst, by Fairlearn.",
            definition=f"The {'largest' if loss else 'smallest'} {what} of a group, in [0, 1]: "
            f"{perfect} is perfect in every group, {wrong} always wrong in one.",
            higher_is_better=not loss,
        ),
        Fairlearn,
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
    "equalized_odds", _ODDS, *_BOTH, zero=_EO, limit=0.10, kind=FairlearnOdds
)
equalized_odds_ratio = _ratio("equalized_odds", _ODDS, *_BOTH, one=_EO, kind=FairlearnOdds)
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
