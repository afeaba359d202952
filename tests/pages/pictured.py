"""A refusal of which everything can be drawn, and one as large as a page has to bear."""

from __future__ import annotations

import math
from dataclasses import replace

from aims_gate.facts import Curve, CurveKind, Interval, NoValue, Statistic
from aims_gate.policy.model import Threshold
from aims_gate.verdict import (
    CellPower,
    Decision,
    Outcome,
    Power,
    Result,
    Verdict,
    bounded,
)
from tests.reports.cases import BIAS, CASES, FEW, PENDING, ROC, verdict_of

BINS = (*(f"({place}, {place + 1}]" for place in range(11)), "null")
HISTOGRAM = Curve(
    kind=CurveKind.HISTOGRAM,
    names=BINS,
    x=(0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.05, 0.03, 0.02),
    y=(0.02, 0.02, 0.05, 0.1, 0.1, 0.15, 0.15, 0.2, 0.1, 0.09, 0.01, 0.01),
)
POINTS = tuple(place / 20 for place in range(21))
ROC_CURVE = Curve(kind=CurveKind.ROC, x=POINTS, y=tuple(round(x**0.4, 4) for x in POINTS))
RECALLED = Curve(
    kind=CurveKind.PRECISION_RECALL, x=POINTS[1:], y=tuple(round(1 - x / 2, 4) for x in POINTS[1:])
)
RELIABILITY = Curve(
    kind=CurveKind.CALIBRATION, x=POINTS[::2], y=tuple(round(x**1.3, 4) for x in POINTS[::2])
)
SIZED = Power(
    chance=0.31,
    serious=0.6,
    rows=5_000,
    what="rows of the data",
    wanted=21_000,
    cells=(
        CellPower(slice="race=C vs race=A", group="race=C", rows=61, excluded=None, wanted=283),
        CellPower(slice="race=D vs race=A", group="race=D", rows=400, excluded=0.7, wanted=280),
        CellPower(slice="race=E vs race=A", group="race=E", rows=0, excluded=None, wanted=None),
    ),
)


def cell(name: str, where: str, value: float, width: float, *curves: Curve) -> Statistic:
    """A judged cell with an interval around its value."""
    return Statistic(
        name=name,
        slice=where,
        value=value,
        interval=Interval(low=value - width, high=value + width, level=0.95, method="MOVER"),
        rows=1_200,
        total=5_000,
        judged=True,
        curves=curves,
    )


def drift(columns: int) -> Result:
    """Drift of columns, each with its distribution."""
    cells = tuple(
        cell("psi", f"column_{place:04}", 0.9 / (1 + place), 0.02, HISTOGRAM)
        for place in range(columns)
    )
    return replace(
        PENDING,
        rule="MON-03",
        outcome=Outcome.FAIL,
        raw_outcome=Outcome.FAIL,
        statistics=cells,
        blocking=True,
        lines={"line_above": 0.1, "serious_above": 0.5},
        roles=("reference", "current"),
    )


def groups(number: int) -> Result:
    """Impact ratios of many groups, three of them past the limit, one without an end."""
    cells = tuple(
        cell("impact_ratio", f"region={place} & age=40 to 59 vs region=0", 0.7 + place * 0.05, 0.07)
        for place in range(number)
    )
    endless = replace(
        cells[0], interval=Interval(low=-math.inf, high=math.inf, level=0.95, method="none")
    )
    small = Statistic(
        name="impact_ratio",
        slice="region=Ü & age=18 to 25",
        lack=NoValue.INSUFFICIENT,
        reason="<30 rows, below min_cell 30",
    )
    return replace(
        BIAS,
        statistics=(endless, *cells[1:], small),
        power=SIZED,
        lines={"line_below": 0.9, "serious_below": 0.6},
        roles=("evaluation",),
    )


def scored() -> tuple[Result, ...]:
    """Ranking, its calibration, and the champion's beside the candidate's."""
    score = replace(ROC, statistics=(replace(ROC.statistics[0], curves=(ROC_CURVE, RECALLED)),))
    error = cell("calibration_error", "", 0.08, 0.01, RELIABILITY)
    champion = cell(
        "roc_auc_difference",
        "",
        -0.02,
        0.01,
        *(
            replace(curve, of=of)
            for of in ("candidate", "champion")
            for curve in (ROC_CURVE, RECALLED)
        ),
    )
    return (
        score,
        replace(
            ROC,
            rule="PERF-05",
            check="performance.calibration",
            statistics=(error,),
            threshold=Threshold(at_most=0.1),
        ),
        replace(
            ROC,
            rule="PERF-03",
            check="performance.champion",
            statistics=(champion,),
            threshold=Threshold(at_least=-0.05),
        ),
    )


PICTURED = replace(
    verdict_of(
        groups(9),
        drift(3),
        *scored(),
        replace(FEW, power=replace(SIZED, chance=0.95)),
        *CASES["passed"].results[1:],
        decision=Decision.REFUSED,
    ),
)


def large() -> Verdict:
    """5,000 columns, 1,000 groups and 200 rules."""
    others = [
        replace(
            groups(20) if place % 2 else drift(20),
            rule=f"RULE-{place:03}",
            title=f"What rule {place} of two hundred asks of the model and its data",
            why="Because a page that cannot show a large policy is of no use for one.",
        )
        for place in range(198)
    ]
    results = (drift(5_000), groups(1_000), *others)
    return verdict_of(*bounded(results), decision=Decision.REFUSED)
