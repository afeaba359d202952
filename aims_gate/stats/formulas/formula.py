"""What a row of the table of metrics is, and what several kinds of rows share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from scipy.special import ndtri

from aims_gate.stats import confusion
from aims_gate.stats.intervals import WILSON, Bounds, proportion_bounds
from aims_gate.stats.tables import Loss, Ranking, ScoreTable

T = TypeVar("T", bound=ScoreTable)
UNDEFINED: Mapping[str, Any] = {"zero_division": math.nan}
"""The option of scikit-learn by which 0/0 has no value."""
MEAN = "guarded Wilson of each; widths add as by MOVER, skewness by its cumulants"


def _never(_table: object) -> str:
    return ""


def _rows(table: ScoreTable) -> int:
    return table.rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula(Generic[T]):
    """A metric over one kind of table."""

    metric: str
    table: type[T]
    definition: str
    """The formula and what its ends mean."""
    value: Callable[[T], float]
    """NaN where the metric is undefined."""
    bounds: Callable[[T, float], Bounds]
    """From a table and the error of each side."""
    method: str
    """Name and source of the bounds."""
    low: float = 0.0
    high: float = 1.0
    higher_is_better: bool = True
    undefined: Callable[[T], str] = _never
    """Why there is no value; empty if there is one."""
    short: Callable[[T], str] = _never
    """Why there are no bounds for this table; empty if there are."""
    basis: Callable[[T], int] = _rows
    """The rows that the value rests on."""
    of: Loss | Ranking | None = None
    """What it is the mean of, over rows or over queries."""
    needs: str = ""
    """The parameter without which it says nothing: `beta`, `k`."""
    reach: tuple[float, str] | None = None
    """How far from 0 a limit may lie where the range has no end there, and why not further."""
    oracle: tuple[str, Mapping[str, Any]] | None = None
    """The function of scikit-learn that gives it, with its options; None if it takes more."""
    capitals: tuple[str, ...] = ()
    """Words of its name that people write in capitals."""


def at_z(bounds: Callable[[T, float], Bounds]) -> Callable[[T, float], Bounds]:
    """Turn bounds that take a normal quantile into bounds that take an error rate."""
    return lambda table, alpha: bounds(table, -float(ndtri(alpha)))


def proportion(
    metric: str,
    table: type[T],
    share: Callable[[T], confusion.Share],
    of: str,
    why: str,
    *,
    oracle: tuple[str, Mapping[str, Any]],
) -> Formula[T]:
    """Catalogue entry of a proportion: its interval uses its own denominator."""
    return Formula(
        metric=metric,
        table=table,
        definition=f"{of}, in [0, 1]: 1 is perfect, 0 is always wrong",
        value=lambda t: confusion.ratio(share(t)),
        undefined=lambda t: "" if share(t)[1] else why,
        bounds=at_z(lambda t, z: proportion_bounds(*share(t), z)),
        method=WILSON,
        basis=lambda t: share(t)[1],
        oracle=oracle,
    )


def one_class(positives: int, negatives: int) -> str:
    """Say that one of two classes is not there; empty if both are."""
    if positives and negatives:
        return ""
    return "only one class in the labels" if positives or negatives else "there are no rows"


def named(classes_: Iterable[str], what: str) -> str:
    """Say *what* is wrong with some classes and name a few; empty if there are none."""
    names = list(classes_)
    shown = ", ".join(map(repr, names[:3])) + (" and more" if len(names) > 3 else "")
    return f"{what}: {shown}" if names else ""
