"""Metrics that are means of per-row losses, or follow from one."""

from __future__ import annotations

import math
from typing import Any

from aims_gate.stats import fits, means, medians
from aims_gate.stats.formulas.formula import Formula, at_z
from aims_gate.stats.tables import Fit, Losses, Ordered, Residuals

_JACKKNIFE = "jackknife of the logarithm of what is not explained (Miller 1974), with t"


def _loss(
    metric: str, definition: str, *, high: float = math.inf, rooted: bool = False
) -> Formula[Losses]:
    """Make the row of a mean loss: Hall's bounds."""
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
    )


MEANS: tuple[Formula[Losses], ...] = (
    _loss(
        "brier",
        "mean of (1[label = positive] - score)^2, and for several classes of half the sum of it "
        "over classes, in [0, 1]: 0 is perfect, 1 is certain and always wrong",
        high=1.0,
    ),
    _loss(
        "log_loss",
        "mean of -ln(probability given to the label), clipped at 2^-52, in [0, inf): 0 is "
        "perfect, 0.69 is a coin",
    ),
    _loss("mae", "mean of |label - prediction|, in [0, inf), in the label's unit: 0 is perfect"),
    _loss("mse", "mean of (label - prediction)^2, in [0, inf): 0 is perfect"),
    _loss(
        "mape",
        "mean of |label - prediction| / |label|, in [0, inf): 0 is perfect, 1 is as large as the "
        "labels; a label of 0 is an error",
    ),
    _loss("rmse", "root of mse, in [0, inf), in the label's unit: 0 is perfect", rooted=True),
)
MEDIANS: tuple[Formula[Ordered], ...] = (
    Formula(
        metric="median_error",
        table=Ordered,
        definition="median of |label - prediction|, in [0, inf), in the label's unit: half of the "
        "rows are no further off; 0 is perfect",
        high=math.inf,
        higher_is_better=False,
        value=medians.median,
        bounds=medians.bounds,
        method="exact binomial bounds of order statistics (Thompson 1936)",
        short=medians.too_few,
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
    ),
)
