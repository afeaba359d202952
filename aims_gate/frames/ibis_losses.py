"""Moments of per-row losses from sums that the engine takes: two scans, and no row comes back.

The first scan finds what must be refused, the range and about the mean; the second sums the powers
of distances from there, as shares of the range, so that nothing overflows and no digits are lost.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import ibis

from aims_gate.errors import DataError
from aims_gate.frames import ClassLoss, Key, Loss, Moments, RowLoss, Scalar
from aims_gate.frames.ibis_columns import IbisColumns
from aims_gate.frames.ibis_forms import Expr, certain, equals, exact
from aims_gate.stats.rows.losses import ALIKE, LEAST, ROUNDED

_PROBABILITY = (Loss.BRIER, Loss.LOG)
_HINT = "give probabilities, not margins or percentages"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Declared:
    """A row's loss as an expression, and in which rows it is refused, and why."""

    value: Expr
    outside: Expr | None = None
    """Where a score is no probability."""
    far: Expr | None = None
    """Where the scores of all classes are far from summing to 1."""
    loss: Loss = field(default=Loss.SQUARED)


def moments_by_sums(frame: IbisColumns, of: RowLoss | ClassLoss) -> Moments:
    """Moments of a per-row loss, or of the paired difference of two; see `Frame.moments`."""
    if isinstance(of, RowLoss):
        frame.there([of.label, of.estimate, *([of.against] if of.against else [])])
        sides = [_row_loss(frame, of, each) for each in (of.estimate, of.against) if each]
    else:
        sides = [_class_loss(frame, of, each) for each in (of.estimates, of.against) if each]
    return _moments(frame, sides)


def row_loss(frame: IbisColumns, of: RowLoss) -> Expr:
    """A per-row loss of amounts; DataError for one of probabilities, which some rows may not be."""
    if of.loss in _PROBABILITY or of.against is not None:
        raise DataError(f"rows cannot be counted by {of.loss} loss", where=frame.name)
    return _row_loss(frame, of, of.estimate).value


def _moments(frame: IbisColumns, sides: list[_Declared]) -> Moments:
    value = sides[0].value if len(sides) == 1 else sides[0].value - sides[1].value
    asked = {"rows": frame.total(), "sum": _sum(frame, value)}
    asked |= {"least": value.min(), "greatest": value.max()}
    for place, side in enumerate(sides):
        asked |= {f"{what} {place}": expression for what, expression in _faults(frame, side)}
    (found,) = frame.ask(frame.table.aggregate(**asked)).to_pylist()
    for place, side in enumerate(sides):
        _refuse(found, place, side.loss, frame.name)
    rows = int(found["rows"] or 0)
    if not rows:
        raise DataError("there are no rows to take a mean of")
    alike = 0.0
    if len(sides) > 1:  # what may be rounding is no difference
        alike = ALIKE * max(found["most 0"], found["most 1"])
        value = ibis.cases((value.abs() <= exact(alike), exact(0.0)), else_=value)
    return _about(frame, value, rows, found, alike)


def _about(
    frame: IbisColumns, value: Expr, rows: int, found: Mapping[str, Any], alike: float
) -> Moments:
    """Moments from the powers of distances from about the mean."""
    least, greatest = (0.0 if abs(found[x]) <= alike else found[x] for x in ("least", "greatest"))
    centre = found["sum"] / rows
    reach = max(greatest - centre, centre - least, abs(centre) if alike else 0.0)
    if not (math.isfinite(centre) and math.isfinite(reach)):
        raise DataError("the losses are too large for their moments to be computed")
    if least == greatest or reach == 0:
        variance = 0.0 if rows > 1 else math.nan
        return Moments(rows=rows, mean=least, variance=variance, skewness=0.0, kurtosis=0.0)
    step = (value - exact(centre)) / exact(reach)
    square = step * step
    powers = {"1": step, "2": square, "3": square * step, "4": square * square}
    asked = {name: _sum(frame, power) for name, power in powers.items()}
    (sums,) = frame.ask(frame.table.aggregate(**asked)).to_pylist()
    first, second, third, fourth = (sums[name] / rows for name in powers)
    # from about the mean to the mean itself
    m2 = second - first**2
    m3 = third - 3 * first * second + 2 * first**3
    m4 = fourth - 4 * first * third + 6 * first**2 * second - 3 * first**4
    return Moments(
        rows=rows,
        mean=centre + reach * first,
        variance=_variance(m2, reach, rows),
        skewness=m3 / m2**1.5,
        kurtosis=m4 / m2**2,
    )


def _variance(second: float, reach: float, rows: int) -> float:
    found = reach * (second * rows / (rows - 1)) * reach if rows > 1 else math.nan
    if math.isinf(found):
        raise DataError("the losses are too large for their moments to be computed")
    return found


def _sum(frame: IbisColumns, value: Expr) -> Expr:
    return (value * frame.weights().cast("float64") if frame.weighted else value).sum()


def _faults(frame: IbisColumns, side: _Declared) -> list[tuple[str, Expr]]:
    infinite, size = exact(math.inf), side.value.abs()
    bad = side.value.isnull() | side.value.isnan() | (size == infinite)
    found = [("bad", frame.table.count(where=bad)), ("most", size.max())]
    found.append(("stored", frame.table.count()))
    for what, where in (("outside", side.outside), ("far", side.far)):
        if where is not None:
            found.append((what, frame.table.count(where=certain(where))))
    return found


def _refuse(found: Mapping[str, Any], place: int, loss: Loss, where: str) -> None:
    """Refuse, as an Arrow frame does, what has no loss."""
    if found.get(f"outside {place}"):
        what = f"a score is null or lies outside [0, 1], so {loss} loss is undefined"
        raise DataError(what, where=where, hint=_HINT)
    if far := found.get(f"far {place}"):
        what = f"the scores of {far:,} rows do not sum to 1 over the classes"
        raise DataError(what, where=where, hint="give the probabilities of every class")
    if bad := found[f"bad {place}"]:
        raise DataError(
            f"the loss of {bad:,} of {found[f'stored {place}']:,} rows is not finite",
            where=where,
            hint="look for nulls, infinities and labels of 0",
        )


def _row_loss(frame: IbisColumns, of: RowLoss, estimate: str) -> _Declared:
    given = _number(frame, estimate)
    if of.loss in _PROBABILITY:
        if of.positive is None:
            raise DataError(f"{of.loss} loss needs the positive class", where=frame.name)
        truth = _is(frame, of.label, of.positive)
        own = ibis.cases((truth, given), else_=exact(1.0) - given)
        value = _logarithm(own) if of.loss is Loss.LOG else (exact(1.0) - own) * (exact(1.0) - own)
        return _Declared(
            value=ibis.cases((frame.table[of.label].notnull(), value)),
            outside=(given < exact(0.0)) | (given > exact(1.0)),
            loss=of.loss,
        )
    label = _number(frame, of.label)
    error = label - given
    if of.loss is Loss.SIGNED:
        return _Declared(value=error)
    if of.loss is Loss.SQUARED:
        return _Declared(value=error * error)
    if of.loss is Loss.ABSOLUTE_PERCENT:  # engines fail at 0, or answer null
        share = ibis.cases((label != exact(0.0), error.abs() / label.abs()))
        return _Declared(value=share)
    return _Declared(value=error.abs())


def _class_loss(frame: IbisColumns, of: ClassLoss, estimates: Mapping[Scalar, str]) -> _Declared:
    frame.there([of.label, *estimates.values()])
    labels = frame.different([of.label]).count(Key(column=of.label)).by_value()
    absent = [value for value in labels if value is not None and value not in estimates]
    if absent or None in labels:
        what = f"{len(absent):,} classes without a score" if absent else "null labels"
        raise DataError(f"there are {what}", where=frame.name)
    scores = {value: _number(frame, column) for value, column in estimates.items()}
    own = ibis.cases(*((_is(frame, of.label, value), score) for value, score in scores.items()))
    every = list(scores.values())
    total, squares = every[0], every[0] * every[0]
    inside = every[0].between(exact(0.0), exact(1.0))
    for score in every[1:]:
        total, squares = total + score, squares + score * score
        inside &= score.between(exact(0.0), exact(1.0))
    rest = exact(1.0) - own
    value = (
        _logarithm(own) if of.loss is Loss.LOG else (squares - own * own + rest * rest) / exact(2.0)
    )
    return _Declared(
        value=value,
        outside=~certain(inside),
        far=(total - exact(1.0)).abs() > exact(ROUNDED),
        loss=of.loss,
    )


def _logarithm(given: Expr) -> Expr:
    low, high = exact(LEAST), exact(1 - LEAST)
    return -ibis.cases((given < low, low), (given > high, high), else_=given).ln()


def _number(frame: IbisColumns, column: str) -> Expr:
    frame.empty().gather(numbers=[column])
    return frame.table[column].cast("float64")


def _is(frame: IbisColumns, column: str, wanted: Scalar) -> Expr:
    """Whether a column's value is the one that Arrow frames call by the name *wanted*."""
    there = frame.different([column])
    (coded,) = there.gather(codes=[Key(column=column)]).codes
    hits = coded.equals(wanted) == 1
    values = there.table.column(column).filter(hits)
    found = ibis.literal(value=False)
    for value in values:
        found |= equals(frame.table[column], value, frame.session.forms)
    return found
