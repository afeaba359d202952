"""Prediction drift and label drift (prior shift).

The distances are those of `drift.columns`, on the columns that have the role of prediction, score
or label; the relative change of the rate of positive answers is a method of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from aims_gate.checks.column_roles import Labelled, labelled, positive_class, stated_positive
from aims_gate.checks.contract import About, Inputs, StatisticSpec
from aims_gate.checks.drift.columns import DEFINITION, UNDECIDED
from aims_gate.checks.drift.distances import METHODS, Lacking, SamplePair, judged_of
from aims_gate.checks.drift.matching import CATEGORIES, matched
from aims_gate.checks.drift.measuring import cells
from aims_gate.errors import DataError
from aims_gate.facts import Interval, NoValue, Statistic
from aims_gate.frames import ColumnKind, Key, Scalar
from aims_gate.frames.widths import stated_as
from aims_gate.policy.model import DataSpec, DecideOn, Role
from aims_gate.sources.predictions import threshold_of
from aims_gate.sources.subject import Data
from aims_gate.stats.disparity import quantile
from aims_gate.stats.drift import DISTANCES
from aims_gate.stats.intervals import Rate, mover_ratio
from aims_gate.stats.power import ChangeDesign

Answers = Literal["prediction", "score", "label"]
_RATE = "positive_rate"
if TYPE_CHECKING:
    Method = str
else:
    Method = Literal[(*METHODS, _RATE)]
_CHANGE = StatisticSpec(
    name="positive_rate_change",
    low=0.0,
    high=float("inf"),
    higher_is_better=False,
    neutral=0.0,
    limit=0.20,
    decide_on=DecideOn.PROVEN_BREACH,
)
_RATE_DEFINITION = (
    "positive_rate: |q / p - 1| with p and q the shares of positive answers in the reference and "
    "the current data; in [0, inf), 0 is no change and 0.20 a change by a fifth, up or down. Its "
    "interval is MOVER-R over guarded Wilson bounds (Donner and Zou, 2012). The distances: "
)
_RATE_UNDECIDED = "positive_rate: the reference has no positive, or nulls are in the column"


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfRole:
    """One method on the columns of some roles; the class attributes say which."""

    about: ClassVar[About]
    roles: ClassVar[tuple[Answers, ...]]

    method: Method = "psi"
    """How answers are compared: a distance for any task, or the rate of the positive class."""

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic: the distance, or the change of the rate."""
        return _CHANGE if self.method == _RATE else judged_of(self.method)

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """No invalid parameters: their types say all."""
        return ()

    def measure(self, inputs: Inputs) -> Iterable[Statistic]:
        """Measure every column of the roles; NoDataError if a role has no data."""
        reference = inputs.data(Role.REFERENCE)
        current = inputs.data(inputs.on or Role.CURRENT)
        if self.method == _RATE:
            yield from _rate(self._answered(), reference, current, inputs)
            return
        name = self.judged().name
        columns: list[str] = []
        renamed = 0
        for role in self._answered():
            before, after = _names(reference.spec, role), _names(current.spec, role)
            failed = _failed(role, reference, current)
            if failed and (before or after or (role,) == self._answered()):
                why = failed
            elif before and after and before != after:
                why = _renamed(before, after)
            else:
                columns += [c for c in after or before if c not in columns]
                continue
            renamed += 1
            yield Lacking(lack=NoValue.UNDEFINED, reason=why).cell(name, role)
        if not columns and not renamed:
            yield _unanswered(self._answered(), reference, current).cell(name, "")
        yield from self._distances(tuple(columns), reference, current, inputs)

    def _answered(self) -> tuple[Answers, ...]:
        return self.roles

    def _distances(
        self, columns: tuple[str, ...], reference: Data, current: Data, inputs: Inputs
    ) -> Iterator[Statistic]:
        found = matched(columns, reference, current, self._no_method)
        pair = SamplePair(
            reference=reference.frame,
            current=current.frame,
            engine=inputs.engine,
            alpha=inputs.alpha,
            alpha_alone=inputs.alpha_alone,
            columns=max(1, found.judged),
            declared=reference.declared | current.declared,
            unnamed=current.unnamed,
            resolution=inputs.resolution,
        )
        for column, lack, reason in found.lacks:
            yield Lacking(lack=lack, reason=reason).cell(self.judged().name, column)
        for column in found.fit:
            yield from cells(self.method, column, pair)

    def _no_method(self, kind: ColumnKind) -> str:
        fits = kind is ColumnKind.NUMBER or (kind in CATEGORIES and self.method not in DISTANCES)
        return "" if fits else f"{self.method} is not for {kind}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction(_OfRole):
    """Distance of a model's answers from those in the reference."""

    about = About(
        name="drift.prediction",
        summary="Distance of predictions and scores from the reference, or the change of their "
        "positive rate.",
        definition=_RATE_DEFINITION + DEFINITION,
        roles=(Role.REFERENCE, Role.CURRENT),
        asks="evidently",
        controls=("iso42001:A.6.2.6",),
        undecided=("no column is named as prediction or score", *UNDECIDED, _RATE_UNDECIDED),
    )
    roles = ("score", "prediction")

    of: Literal["all", "prediction", "score"] = "all"
    """The answers that are compared. The positive rate is that of predictions; where there are
    none, of scores from the data's `threshold` on (0.5 of scores in [0, 1] if left out)."""

    def _answered(self) -> tuple[Answers, ...]:
        return self.roles if self.of == "all" else (self.of,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Label(_OfRole):
    """Distance of the labels from those in the reference."""

    about = About(
        name="drift.label",
        summary="Distance of the labels from the reference, or the change of their positive rate.",
        definition=_RATE_DEFINITION + DEFINITION,
        roles=(Role.REFERENCE, Role.CURRENT),
        asks="evidently",
        controls=("iso42001:A.6.2.6",),
        undecided=("no column is named as label", *UNDECIDED, _RATE_UNDECIDED),
    )
    roles = ("label",)


def _names(spec: DataSpec, role: Answers) -> tuple[str, ...]:
    named = {"prediction": spec.prediction, "score": spec.score, "label": spec.label}[role]
    if named is None:
        return ()
    return (named,) if isinstance(named, str) else tuple(named.values())


def _renamed(before: tuple[str, ...], after: tuple[str, ...]) -> str:
    return f"it is {', '.join(before)} in the reference and {', '.join(after)} in the current data"


def _failed(role: Answers, *sides: Data) -> str:
    """Say why a role could not be made in either data."""
    return next((str(data.failed[role]) for data in sides if role in data.failed), "")


def _unanswered(roles: tuple[Answers, ...], *sides: Data) -> Lacking:
    for role in roles:
        if failed := _failed(role, *sides):
            return Lacking(lack=NoValue.UNDEFINED, reason=failed)
    reason = f"no column is named as {' or '.join(sorted(roles))} in either data"
    return Lacking(lack=NoValue.MISSING, reason=reason)


def _rate(
    roles: tuple[Answers, ...], reference: Data, current: Data, inputs: Inputs
) -> Iterator[Statistic]:
    """Judge the relative change of the rate of positive answers."""
    role = _counted_role(roles, reference, current)
    if role is None:
        yield _unanswered(roles, reference, current).cell(_CHANGE.name, "")
        return
    positive = _positive(role, reference, current)
    sides = [(data, labelled(data, [role])) for data in (reference, current)]
    bits = min(found.frame.columns[_column(role, found)].bits for _data, found in sides)
    p, q = (_share(role, data, found, (positive, bits)) for data, found in sides)
    if p.kind is not q.kind:
        reason = f"type changed from {p.kind} to {q.kind}"
        yield Lacking(lack=NoValue.UNDEFINED, reason=reason).cell(_CHANGE.name, role)
        return
    for data, share in ((reference, p), (current, q)):
        value = share.successes / share.rows
        yield Statistic(name=_RATE, slice=data.role, value=value, rows=share.rows, total=share.rows)
    if p.successes == 0:
        reason = "the reference has no positive, so that no change is relative to it"
        yield Lacking(lack=NoValue.UNDEFINED, reason=reason, rows=q.rows).cell(_CHANGE.name, role)
        return
    before, after = p.successes / p.rows, q.successes / q.rows
    z = quantile(inputs.alpha_alone, 1)
    yield Statistic(
        name=_CHANGE.name,
        slice=role,
        value=abs(after / before - 1),
        interval=_change(p, q, quantile(inputs.alpha, 2), level=1 - inputs.alpha),
        alone=_change(p, q, z, level=1 - 2 * inputs.alpha_alone),
        rows=q.rows,
        total=current.frame.rows,
        judged=True,
        reason=f"the rate went from {before:.3g} to {after:.3g}",
        design=ChangeDesign(
            reference=p.rows,
            rows=q.rows,
            rate=(p.successes + q.successes + 0.5) / (p.rows + q.rows + 1),
            z=z,
        ),
    )


def _change(p: _AnswerShare, q: _AnswerShare, z: float, *, level: float) -> Interval:
    """MOVER-R interval of the relative change |q / p - 1|, a rise or a fall."""
    before, after = (Rate.of(share.successes, share.rows, z) for share in (p, q))
    low, high = mover_ratio(after, before)
    return Interval(
        low=max(0.0, low - 1, 1 - high),
        high=max(high - 1, 1 - low),
        level=level,
        method="MOVER-R over guarded Wilson",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _AnswerShare:
    """How many answers of a kind are positive."""

    kind: ColumnKind
    rows: int
    successes: int


def _counted_role(roles: tuple[Answers, ...], reference: Data, current: Data) -> Answers | None:
    """Role whose positives are counted: predictions before scores; None if there is none."""
    for role in sorted(roles):  # label, prediction, score
        if _names(reference.spec, role) or _names(current.spec, role):
            return role
    return None


def _positive(role: Answers, reference: Data, current: Data) -> Scalar | None:
    """Positive class of the reference; None where scores are cut at a threshold."""
    if role == "score":
        if reference.spec.threshold != current.spec.threshold:
            raise DataError("the thresholds of reference and current data differ")
        return None
    stated = reference.spec.positive, current.spec.positive
    if None not in stated and stated[0] != stated[1]:
        told = stated_positive(reference), stated_positive(current)
        raise DataError(f"the positive classes differ: {told[0]} and {told[1]}")
    return positive_class(reference, labelled(reference, [role]))


def _share(
    role: Answers, data: Data, found: Labelled, counted: tuple[Scalar | None, int]
) -> _AnswerShare:
    """Count the answers that are positive, in floats of so many bits."""
    column, (positive, bits) = _column(role, found), counted
    kind = found.frame.columns[column].kind
    if positive is None:
        scores = found.frame.distribution(column)
        if not np.all(np.isfinite(scores.values)):
            raise DataError(f"some scores in {column} are not finite", where=f"{data.role} data")
        cut = threshold_of(data, column, scores.values)
        reached = int(scores.counts[scores.values >= cut].sum())
        return _AnswerShare(kind=kind, rows=found.frame.rows, successes=reached)
    counts = found.frame.count(Key(column=column)).by_value()
    wanted = stated_as(positive, bits)
    hits = (n for v, n in counts.items() if v is not None and stated_as(v, bits) == wanted)
    return _AnswerShare(kind=kind, rows=found.frame.rows, successes=sum(hits))


def _column(role: Answers, found: Labelled) -> str:
    column = {"prediction": found.prediction, "score": found.score, "label": found.label}[role]
    if not isinstance(column, str):
        raise DataError("scores of several classes have no positive rate", hint="log predictions")
    return column
