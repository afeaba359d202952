"""Robustness: how answers and metric change where the inputs were perturbed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from aims_gate.checks.cells import lacking
from aims_gate.checks.column_roles import labelled
from aims_gate.checks.contract import IN_MEMORY, About, Inputs, StatisticSpec
from aims_gate.checks.metrics import MetricRequest, outcomes
from aims_gate.checks.metrics.needs import metric_needs
from aims_gate.checks.performance import pairs
from aims_gate.checks.performance.paired_intervals import METHODS, bounded_twice
from aims_gate.checks.performance.pairs import AnswerPair
from aims_gate.checks.performance.score import Plain
from aims_gate.errors import DataError
from aims_gate.facts import Interval, NoValue, Statistic
from aims_gate.frames import ColumnKind, Frame, Key
from aims_gate.policy.model import DataSpec, DecideOn, Role
from aims_gate.sources.pairing import paired
from aims_gate.sources.subject import Data
from aims_gate.stats import scores
from aims_gate.stats.intervals import WILSON, proportion_bounds
from aims_gate.stats.paired import quantile
from aims_gate.stats.power import NormalDesign

_NUMBERS = (ColumnKind.NUMBER, ColumnKind.BOOLEAN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Robustness:
    """The clean answers against those on disturbed rows, row by row."""

    about: ClassVar[About] = About(
        name="performance.robustness",
        summary="What disturbed inputs do: the fall of a metric, or how many answers flip.",
        definition=(
            "effect: drop. The metric on the clean answers minus that on the disturbed ones, for "
            "losses the other way round: 0 is no harm, above 0 is worse; of metrics in [0, 1] the "
            "conventional limit is 0.05. Paired, with the intervals of performance.champion.\n\n"
            "effect: flips. The share of rows whose predicted class changes, right or wrong, in "
            "[0, 1]: 0 is none; the conventional limit is 0.05. Interval: guarded Wilson. It "
            "needs no labels.\n\n"
            "The disturbed answers are columns of the evaluation data, each a cell of its own that "
            "shares alpha with the others (Bonferroni), or the data of role perturbed, matched by "
            "key: with predictions: model the gate asks the model itself for them. How the rows "
            "were disturbed is what the rule's author says; nothing here disturbs them."
        ),
        roles=(Role.PERTURBED, Role.EVALUATION),
        asks="scikit-learn",
        controls=("iso42001:A.6.2.4",),
        undecided=(
            "there are no disturbed answers, or they are the clean rows with the clean answers",
            "a key is null, twice, or on one side only, or a label differs",
            "answers are null or not finite, or of another kind than the clean ones",
            "drop: the metric has no value, or too few rows for the interval that it has",
            "flips: the answers are no classes",
        ),
    )

    effect: Literal["drop", "flips"] = "drop"
    """What is judged: the fall of a metric, or the share of answers that flip."""
    metric: Plain | None = None
    """A metric of performance.score; needed for effect: drop."""
    columns: tuple[str, ...] = ()
    """Columns of disturbed answers in the evaluation data; if empty, the role perturbed."""

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic."""
        roles = (Role.EVALUATION,) if self.columns else None
        held = () if self.columns else (IN_MEMORY,)
        if self.effect == "flips" or self.metric is None:
            return StatisticSpec(
                name="flip_rate",
                low=0.0,
                high=1.0,
                higher_is_better=False,
                neutral=0.0,
                limit=0.05,
                roles=roles,
                needs=("distribution", *held),
            )
        span = scores.scale(self.metric).span
        return StatisticSpec(
            name=f"{self.metric}_drop",
            low=-span,
            high=span,
            higher_is_better=False,
            neutral=0.0,
            limit=0.05 if span == 1 else None,
            has_interval=self.metric in METHODS,
            decide_on=DecideOn.ESTIMATE,
            roles=roles,
            needs=(*metric_needs(self.metric, paired=True), *held),
        )

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Invalid parameters, each as (field, what is wrong, hint)."""
        if self.effect == "drop" and self.metric is None:
            yield "effect", "a drop is that of a metric", "state metric:, or effect: flips"
        if self.effect == "flips" and self.metric is not None:
            yield "metric", "flips are those of answers, whatever the metric", "leave metric out"
        if len(set(self.columns)) != len(self.columns) or not all(self.columns):
            yield "columns", "names a column twice, or an empty one", ""

    def measure(self, inputs: Inputs) -> Iterator[Statistic]:
        """Compare the answers.

        Raises:
            NoDataError: There are no evaluation data, or no disturbed ones.
            MissingColumnError: A column is not there.
            DataError: Data cannot be used, or are not of the same rows.
        """
        ours = inputs.data(inputs.on or Role.EVALUATION)
        disturbed = list(self._disturbed(ours, inputs))
        alpha = inputs.alpha / len(disturbed)
        for where, theirs in disturbed:
            if self.metric is None:
                yield from self._flips(where, ours, theirs, inputs, alpha)
            else:
                found = pairs.pair(MetricRequest(metric=self.metric), ours, theirs)
                yield from (replace(s, slice=where) for s in found.first.found.context())
                yield from self._drop(where, found, inputs, alpha)

    def _disturbed(self, ours: Data, inputs: Inputs) -> Iterator[tuple[str, Data]]:
        if not self.columns:
            theirs = inputs.data(Role.PERTURBED)
            self._refuse_undisturbed(ours, theirs)
            yield "", paired(ours, theirs)
            return
        scored = self.metric is not None and outcomes(self.metric, ours).found.score is not None
        clean = {ours.spec.label, *_answers(ours.spec)}
        for column in self.columns:
            if column in clean:
                what = f"{column!r} is a column of the clean data, and no disturbed answer"
                raise DataError(what, where=f"{ours.role} data")
            if scored:
                yield column, replace(ours, spec=replace(ours.spec, score=column))
            else:
                yield column, replace(ours, spec=replace(ours.spec, prediction=column))

    def _refuse_undisturbed(self, ours: Data, theirs: Data) -> None:
        """Refuse clean rows with the clean answers as disturbed ones: they show nothing."""
        one, other = ours.identity, theirs.identity
        if (one.digest, one.digest_kind) != (other.digest, other.digest_kind):
            return
        scored = self.metric is not None and outcomes(self.metric, ours).found.score is not None
        answers = [side.spec.score if scored else side.spec.prediction for side in (ours, theirs)]
        if answers[0] == answers[1]:
            what = f"they are the {ours.role} data, with the clean answers"
            hint = "hand over the rows as they were disturbed, or name columns:"
            raise DataError(what, where=f"{theirs.role} data", hint=hint)

    def _drop(
        self, where: str, found: AnswerPair, inputs: Inputs, alpha: float
    ) -> Iterator[Statistic]:
        rows, total = pairs.basis(found), found.total
        # our own precondition comes first: an engine that calls 0/0 a zero is not asked
        why = pairs.undefined(found)
        if why:
            yield self._lack(NoValue.UNDEFINED, why, where, rows)
            return
        answer = pairs.difference(found, inputs.engine)
        if answer.problem:
            yield replace(
                self._lack(NoValue.UNDEFINED, answer.problem, where, rows), engine=answer.by
            )
            return
        known, alone = bounded_twice(found, alpha, inputs.alpha_alone)
        value, *intervals = answer.value, known.interval, alone.interval
        if not scores.scale(found.metric).higher_is_better:
            value = -value + 0.0
            intervals = [one and replace(one, low=-one.high, high=-one.low) for one in intervals]
        values = [scores.value(found.metric, s.table) for s in (found.first, found.second)]
        yield Statistic(
            name=self.judged().name,
            slice=where,
            value=value,
            interval=intervals[0],
            alone=intervals[1],
            rows=rows,
            total=total,
            engine=answer.by,
            judged=True,
            reason=f"clean {values[0]:.4g}, disturbed {values[1]:.4g}",
            design=alone.design(quantile(inputs.alpha_alone), found.total),
        )
        if known.short:
            yield self._lack(NoValue.INSUFFICIENT, known.short, where, rows)

    def _flips(
        self, where: str, ours: Data, theirs: Data, inputs: Inputs, alpha: float
    ) -> Iterator[Statistic]:
        clean = labelled(replace(ours, frame=theirs.frame), ["prediction"])
        both = labelled(replace(theirs, frame=clean.frame), ["prediction"])
        kept = replace(both, total=theirs.frame.rows)
        yield from (replace(s, slice=where) for s in kept.context())
        columns = [str(clean.prediction), str(both.prediction)]
        _refuse_no_classes(both.frame, columns, where=f"{theirs.role} data")
        cells = both.frame.count(*(Key(column=column) for column in columns))
        pairs_ = zip(cells.values, cells.counts.tolist(), strict=True)
        flipped = sum(count for (one, other), count in pairs_ if one != other)
        corrected, alone = (
            Interval(low=low, high=high, level=1 - 2 * at, method=WILSON)
            for at in (alpha, inputs.alpha_alone)
            for low, high in [proportion_bounds(flipped, cells.rows, quantile(at))]
        )
        z = quantile(inputs.alpha_alone)
        error = (alone.high - alone.low) / (2 * z)
        yield Statistic(
            name=self.judged().name,
            slice=where,
            value=flipped / cells.rows,
            interval=corrected,
            alone=alone,
            rows=cells.rows,
            total=theirs.frame.rows,
            judged=True,
            reason=f"{flipped:,} of {cells.rows:,} answers changed",
            design=NormalDesign(error=error, z=z, rows=theirs.frame.rows),
        )

    def _lack(self, lack: NoValue, reason: str, where: str, rows: int) -> Statistic:
        return lacking(self.judged().name, lack, reason, where=where, rows=rows)


def _answers(spec: DataSpec) -> set[str]:
    """Name the columns of answers."""
    scores = spec.score.values() if isinstance(spec.score, Mapping) else [spec.score]
    return {column for column in (spec.prediction, *scores) if column is not None}


def _refuse_no_classes(frame: Frame, columns: Sequence[str], *, where: str) -> None:
    """Refuse answers that are amounts, which always change a little, or of two kinds."""
    kinds = [frame.columns[column].kind for column in columns]
    for column, kind in zip(columns, kinds, strict=True):
        if kind is ColumnKind.TEXT:
            continue
        whole = kind is ColumnKind.BOOLEAN or (
            kind is ColumnKind.NUMBER
            and all(value == math.floor(value) for value in frame.distribution(column).values)
        )
        if not whole:
            what = (
                f"{column} holds {frame.columns[column].type} values, which are no classes to flip"
            )
            raise DataError(what, where=where, hint="judge the drop of a metric instead")
    if (kinds[0] in _NUMBERS) != (kinds[1] in _NUMBERS):
        what = f"{columns[0]} holds {kinds[0]} and {columns[1]} {kinds[1]}: '1' is not 1"
        raise DataError(what, where=where)
