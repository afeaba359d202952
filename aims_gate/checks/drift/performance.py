"""Performance degradation: one metric on current data and at release, both recomputed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from aims_gate.bracket import Bounds
from aims_gate.checks.cells import lacking
from aims_gate.checks.closer import in_bracket
from aims_gate.checks.column_roles import stated_positive
from aims_gate.checks.contract import About, Inputs, NoDataError, StatisticSpec
from aims_gate.checks.metrics import MetricRequest, Outcomes, outcomes
from aims_gate.checks.metrics.needs import metric_needs
from aims_gate.checks.performance.score import Plain
from aims_gate.engines import Answer
from aims_gate.errors import DataError
from aims_gate.facts import Interval, NoValue, Statistic
from aims_gate.policy.model import DecideOn, Role
from aims_gate.sources.subject import Data
from aims_gate.stats import scores
from aims_gate.stats.brackets.falls import FallBracket, KnownValue
from aims_gate.stats.paired import minus, mover, quantile
from aims_gate.stats.power import CURRENT, NormalDesign
from aims_gate.stats.tables import ScoreTable

_METHOD = "MOVER over the bounds of each (Zou and Donner 2008)"
_LIMIT = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """How far a metric has fallen since the release."""

    about: ClassVar[About] = About(
        name="drift.performance",
        summary="How far a metric has fallen on labelled current data, against the release's data.",
        definition=(
            "The metric of performance.score on the evaluation data (or, with against: reference, "
            "on the reference data) minus that on the current data; for losses the other way "
            "round, so that more is always worse. 0 is no change, below 0 is better than at the "
            "release. Both are recomputed; a logged release value is never used. For metrics in "
            "[0, 1] the conventional limit is 0.05.\n\n"
            f"Interval: {_METHOD}, each of the two as performance.score gives it, logit DeLong for "
            "roc_auc; each side is wrong with probability alpha. The rows of the two are taken as "
            "different ones.\n\n"
            "Labels of current data come late: join them (docs/data.md). Without labels nothing is "
            "known of performance, and the rule does not pass."
        ),
        roles=(Role.EVALUATION, Role.CURRENT),
        asks="scikit-learn",
        controls=("iso42001:A.6.2.6",),
        undecided=(
            "the current data have no label column, or too many labels have not arrived",
            "the metric has no value: 0/0, one class, scores that are not finite",
            "the two data sets have another positive class or task",
            "either is too small for the interval that the metric has",
            "a serious fall could have been missed at these sizes",
        ),
    )

    metric: Plain
    """A metric of performance.score."""
    against: Literal["evaluation", "reference"] = "evaluation"
    """The data that the release value is recomputed from."""

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic: the fall."""
        scale = scores.scale(self.metric)
        return StatisticSpec(
            name=f"{self.metric}_drop",
            low=-scale.span,
            high=scale.span,
            higher_is_better=False,
            neutral=0.0,
            limit=_LIMIT if scale.span == 1 else None,
            decide_on=DecideOn.PROVEN_BREACH,
            roles=(Role(self.against), Role.CURRENT),
            needs=metric_needs(self.metric, in_cells=True),
        )

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """No invalid parameters: they cannot contradict each other."""
        return ()

    def measure(self, inputs: Inputs) -> Iterator[Statistic]:
        """Compute the metric on both.

        Raises:
            NoDataError: A role has no data, or the current data no label column.
            DataError: Data cannot be used, or the two are not about the same.
        """
        before = inputs.data(Role(self.against))
        after = _alike(before, _labelled(inputs.data(inputs.on or Role.CURRENT)))
        late = _late(after)
        if late:
            yield self._lack(NoValue.INSUFFICIENT, late, after.frame.rows)
            return
        asked = MetricRequest(metric=self.metric, resolution=inputs.resolution.closest())
        sides = (outcomes(asked, before), outcomes(asked, after))
        yield from sides[1].found.context()
        # our own precondition comes first: an engine that calls 0/0 a zero is not asked
        for side, data, lack in zip(
            sides, (before, after), (NoValue.UNDEFINED, NoValue.INSUFFICIENT), strict=True
        ):
            why = scores.undefined(self.metric, side.table)
            if why:
                yield self._lack(lack, f"{data.role} data: {why}", data.frame.rows)
                return
        yield from self._compared(sides, (before, after), inputs)

    def _compared(
        self, sides: tuple[Outcomes, Outcomes], roles: tuple[Data, Data], inputs: Inputs
    ) -> Iterator[Statistic]:
        rows = [scores.basis(self.metric, s.table) for s in sides]
        answers = [side.value(self.metric, inputs.engine) for side in sides]
        for answer in answers:
            if answer.problem:
                cell = self._lack(NoValue.UNDEFINED, answer.problem, rows[1])
                yield replace(cell, engine=answer.by)
                return
        for side, answer, data, found in zip(sides, answers, roles, rows, strict=True):
            told = Statistic(name=self.metric, slice=data.role, value=answer.value, rows=found)
            proven = side.bracket
            yield told if proven is None else in_bracket(told, proven, inputs.alpha)
        cell = self._cell(sides, roles, answers, rows[1], inputs)
        fall = self._bracket(sides)
        yield cell if fall is None else in_bracket(cell, fall, inputs.alpha, inputs.alpha_alone)
        for side, data in zip(sides, roles, strict=True):
            short = scores.insufficient(self.metric, side.table)
            if short:
                yield self._lack(NoValue.INSUFFICIENT, f"{data.role} data: {short}", rows[1])

    def _cell(
        self,
        sides: tuple[Outcomes, Outcomes],
        roles: tuple[Data, Data],
        answers: list[Answer],
        rows: int,
        inputs: Inputs,
    ) -> Statistic:
        value = minus(answers[0].value, answers[1].value)
        if not scores.scale(self.metric).higher_is_better:
            value = -value + 0.0
        alone, error, fixed = self._fall(sides, inputs.alpha_alone)
        told = ", ".join(
            f"{answer.value:.4g} on the {data.role} data"
            for answer, data in zip(answers, roles, strict=True)
        )
        return Statistic(
            name=self.judged().name,
            value=value,
            interval=self._fall(sides, inputs.alpha)[0],
            alone=alone,
            rows=rows,
            total=roles[1].frame.rows,
            engine=answers[0].by,
            judged=True,
            reason=told,
            design=None
            if alone is None
            else NormalDesign(
                error=error,
                fixed=fixed,
                z=quantile(inputs.alpha_alone),
                rows=roles[1].frame.rows,
                what=CURRENT,
            ),
        )

    def _bracket(self, sides: tuple[Outcomes, Outcomes]) -> FallBracket | None:
        """Bracket of the fall; None where every score of both was looked at."""
        if all(side.bracket is None for side in sides):
            return None
        before, after = (side.bracket or _known(self.metric, side.table) for side in sides)
        if not scores.scale(self.metric).higher_is_better:
            before, after = after, before
        return FallBracket(first=before, second=after)

    def _fall(
        self, sides: tuple[Outcomes, Outcomes], alpha: float
    ) -> tuple[Interval | None, float, float]:
        """MOVER interval of the fall, with the standard errors of current and reference value."""
        found = [scores.interval(self.metric, side.table, alpha=alpha) for side in sides]
        if found[0] is None or found[1] is None:
            return None, math.nan, math.nan
        values = [scores.value(self.metric, side.table) for side in sides]
        bounds = [(one.low, one.high) for one in found if one is not None]
        low, high = mover(values[0], bounds[0], values[1], bounds[1])
        before, after = ((high - low) / (2 * quantile(alpha)) for low, high in bounds)
        if not scores.scale(self.metric).higher_is_better:
            low, high = -high, -low
        interval = Interval(low=low, high=high, level=1 - 2 * alpha, method=_METHOD)
        return interval, after, before

    def _lack(self, lack: NoValue, reason: str, rows: int) -> Statistic:
        return lacking(self.judged().name, lack, reason, rows=rows)


def _known(metric: str, table: ScoreTable) -> KnownValue:
    def bounds(alpha: float) -> Bounds:
        found = scores.interval(metric, table, alpha=alpha)
        return (-math.inf, math.inf) if found is None else (found.low, found.high)

    return KnownValue(known=scores.value(metric, table), interval=bounds)


def _labelled(data: Data) -> Data:
    if data.spec.label is None:
        raise NoDataError(
            f"the {data.role} data have no labels yet, and nothing is known of performance",
            hint=f"state label: under data.{data.role}, and join the labels when they are there",
        )
    return data


def _alike(before: Data, after: Data) -> Data:
    """Read the later data as the earlier ones; DataError if they say something else."""
    one, other = before.spec, after.spec
    told = stated_positive(before), stated_positive(after)
    for word, first, second, (was, now) in (
        ("positive class", one.positive, other.positive, told),
        ("task", one.task, other.task, (one.task, other.task)),
    ):
        if first is not None and second is not None and first != second:
            what = f"the {word} is {was} in the {before.role} data and {now} here"
            raise DataError(what, where=f"{after.role} data")
    positive = one.positive if other.positive is None else other.positive
    # a window may lack a class that the release's data have: then there is too little of it
    return replace(
        after,
        spec=replace(other, positive=positive, task=other.task or one.task),
        is_part=one.positive is not None and one.positive == positive,
    )


def _late(data: Data) -> str:
    """Say how many labels have not arrived, if more than the policy allows."""
    label, frame = data.spec.label, data.frame
    if label is None or label not in frame.columns:
        return ""
    missing = frame.nulls(label)
    if missing <= data.spec.max_null_labels * frame.rows:
        return ""
    allowed = f"max_null_labels allows {data.spec.max_null_labels:.1%}"
    return f"{missing:,} of {frame.rows:,} {data.role} labels have not arrived; {allowed}"
