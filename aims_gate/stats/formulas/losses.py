"""Metrics that are means of per-row losses, or follow from one."""

from __future__ import annotations

import math
from typing import Any

from aims_gate.policy.domains import UNBOUND
from aims_gate.stats import fits, means, medians
from aims_gate.stats.formulas.formula import Formula, at_z
from aims_gate.stats.tables import Fit, Loss, Losses, OrderedErrors, Residuals

PROBABILITY = (Loss.BRIER, Loss.LOG)
"""Losses of scores that are probabilities; the others are of numbers that are predicted."""
_OF_THE_MEAN = (2, "0 is as good as the mean of the labels")
_JACKKNIFE = "jackknife of the logarithm of what is not explained (Miller 1974), with t"


def _loss(  # the columns of the table below
    metric: str,
    of: Loss,
    definition: str,
    *,
    high: float = math.inf,
    reach: tuple[float, str] | None = UNBOUND,
    oracle: str = "",
    rooted: bool = False,
) -> Formula[Losses]:
    """Catalogue entry of a mean loss, with Hall's bounds."""
    bounds = means.share_bounds if high == 1.0 else means.loss_bounds
    return Formula(
        metric=metric,
        table=Losses,
        definition=definition,
        high=high,
        higher_is_better=False,
        value=means.root if rooted else means.mean,
        bounds=at_z(means.root_of(bounds) if rooted else bounds),
        method="Hall (1992), skewness-corrected",
        short=means.too_few,
        of=of,
        reach=None if high == 1.0 else reach,
        oracle=(oracle, {}) if oracle else None,
        capitals=() if of in PROBABILITY else (metric,),
    )


MEANS: tuple[Formula[Losses], ...] = (
    _loss(
        "brier",
        Loss.BRIER,
        "mean of (1[label = positive] - score)^2, and for several classes of half the sum of it "
        "over classes, in [0, 1]: 0 is perfect, 1 is certain and always wrong",
        high=1.0,
    ),
    _loss(
        "log_loss",
        Loss.LOG,
        "mean of -ln(probability given to the label), clipped at 2^-52, in [0, inf): 0 is "
        "perfect, 0.69 is a coin",
        reach=(100, "certain and wrong is 37 where scores are doubles"),
    ),
    _loss(
        "mae",
        Loss.ABSOLUTE,
        "mean of |label - prediction|, in [0, inf), in the label's unit: 0 is perfect",
        oracle="mean_absolute_error",
    ),
    _loss(
        "mape",
        Loss.ABSOLUTE_PERCENT,
        "mean of |label - prediction| / |label|, in [0, inf): 0 is perfect, 1 is as large as the "
        "labels; a label of 0 is an error",
        reach=(100, "a hundred times what was to be predicted"),
        oracle="mean_absolute_percentage_error",
    ),
    _loss(
        "mse",
        Loss.SQUARED,
        "mean of (label - prediction)^2, in [0, inf): 0 is perfect",
        oracle="mean_squared_error",
    ),
    _loss(
        "rmse",
        Loss.SQUARED,
        "root of mse, in [0, inf), in the label's unit: 0 is perfect",
        rooted=True,
    ),
)
MEDIANS: tuple[Formula[OrderedErrors], ...] = (
    Formula(
        metric="median_error",
        table=OrderedErrors,
        definition="median of |label - prediction|, in [0, inf), in the label's unit: half of the "
        "rows are no further off; 0 is perfect",
        high=math.inf,
        higher_is_better=False,
        value=medians.median,
        bounds=medians.bounds,
        method="exact binomial bounds of order statistics (Thompson 1936)",
        short=medians.too_few,
        reach=UNBOUND,
    ),
)
FITS: tuple[Formula[Any], ...] = (
    Formula(
        metric="r2",
        table=Fit,
        definition="1 - mse / variance of the labels, in (-inf, 1]: 1 is perfect, 0 is as good as "
        "the labels' mean",
        low=-math.inf,
        value=fits.r2,
        undefined=lambda t: fits.undefined(t.variance),
        bounds=lambda t, alpha: fits.bounds(fits.r2(t), t.unexplained, alpha),
        method=_JACKKNIFE,
        short=lambda t: fits.too_few(t.unexplained),
        reach=_OF_THE_MEAN,
        oracle=("r2_score", {}),
        capitals=("r2",),
    ),
    Formula(
        metric="explained_variance",
        table=Residuals,
        definition="1 - variance of the errors / variance of the labels, in (-inf, 1]: 1 is "
        "perfect up to a constant, 0 is as good as a constant",
        low=-math.inf,
        value=fits.explained_variance,
        undefined=lambda t: fits.undefined(t.variance),
        bounds=lambda t, alpha: fits.bounds(fits.explained_variance(t), t.unexplained, alpha),
        method=_JACKKNIFE,
        short=lambda t: fits.too_few(t.unexplained),
        reach=_OF_THE_MEAN,
        oracle=("explained_variance_score", {}),
    ),
)
