"""Performance by group: the metric of each against a minimum, or its shortfall to all rows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from scipy.special import ndtri

from aims_gate.checks import attributes
from aims_gate.checks.contract import EXACT, About, Inputs, StatisticSpec
from aims_gate.checks.coverage import least_large
from aims_gate.checks.fairness.group_counts import Cover
from aims_gate.checks.fairness.groups import CONTROLS, UNDECIDED, Groups
from aims_gate.checks.fairness.measured import Measured, behind, measure
from aims_gate.checks.fairness.summary import spread
from aims_gate.checks.levels import recorded, written
from aims_gate.checks.metrics import MetricRequest, Outcomes, outcomes
from aims_gate.checks.metrics.needs import metric_needs
from aims_gate.checks.metrics.parts import columns_of, part_of
from aims_gate.checks.performance.score import Metric, Score
from aims_gate.errors import DataError
from aims_gate.facts import Interval, NoValue, Statistic
from aims_gate.policy.model import DecideOn, Role
from aims_gate.sources.subject import Data
from aims_gate.stats import scores
from aims_gate.stats.disparity import Group
from aims_gate.stats.power import GrowingDesign, NormalDesign


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPerformance(Groups):
    """One performance metric in each group; the worst group decides."""

    about: ClassVar[About] = About(
        name="fairness.group_performance",
        summary="A performance metric in each group, against a floor or against all rows.",
        definition=(
            "The metric is that of performance.score (see its page for formulas, ranges and "
            "bounds), computed from each group's own rows; the worst group decides. Without "
            "relative_to it is held against the rule's limit itself, each bound with alpha divided "
            "by the number of judged groups, over all attributes.\n\n"
            "With relative_to: overall the judged statistic is the shortfall: how much worse the "
            "group is than all rows together, in the metric's unit; 0 is parity, below 0 the group "
            "is better. Its interval is MOVER over the bounds of group and whole (Zou and Donner "
            "2008), less what the two share: the group's share of the rows for proportions and "
            "mean losses; for other metrics of a confusion table and roc_auc the slope of the "
            "whole on the group, from each row's influence. Where that is not known (several "
            "classes) they are taken as independent, which makes it wider than need be. The "
            "conventional limit is 0.05 where the metric is a share.\n\n"
            "Beside it stand the metric over all rows, and the differences and ratios of the "
            "judged groups between each other and to it, as Fairlearn's MetricFrame has them. A "
            "group whose metric rests on fewer than min_cell rows (the positives of recall, the "
            "rows predicted positive of precision) is named and not judged."
        ),
        roles=(Role.EVALUATION,),
        asks="scikit-learn",
        controls=CONTROLS,
        undecided=(
            *UNDECIDED,
            "a column is missing, or the metric does not fit the task: as performance.score",
            "the metric is 0/0 in a group that has min_cell rows",
            "a group is too small for an interval of the metric: as performance.score",
            "rankings: more than max_uncovered of the queries of a group are left out",
            "with relative_to: a group is so small that a serious shortfall could have been missed",
        ),
    )

    metric: Metric
    """A metric of performance.score."""
    beta: float | None = None
    """Of f_beta, which needs it: recall counts so many times as much as precision."""
    k: int | None = None
    """Cut-off k of ranking metrics."""
    relative_to: Literal["overall"] | None = None
    """Judge how far each group is behind all rows, in place of its own value."""
    small_share: float = 0.02
    """With relative_to: share of rows under which a group that cannot show an effect warns only."""

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic: the metric itself, or the shortfall."""
        scale = scores.scale(self.metric)
        needs = metric_needs(self.metric, in_cells=self.relative_to is None)
        if self.relative_to is None:
            return StatisticSpec(
                name=self.metric,
                low=scale.low,
                high=scale.high,
                higher_is_better=scale.higher_is_better,
                needs=needs,
            )
        return StatisticSpec(
            name=f"{self.metric}_shortfall",
            low=-scale.span,
            high=scale.span,
            higher_is_better=False,
            neutral=0.0,
            limit=0.05 if scale.span == 1 else None,
            decide_on=DecideOn.PROVEN_BREACH,
            needs=needs,
        )

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Invalid parameters, each as (field, what is wrong, hint)."""
        yield from Groups.problems(self)
        alone = Score(metric=self.metric, beta=self.beta, k=self.k)
        yield from alone.problems()

    def measure(self, inputs: Inputs) -> Iterator[Statistic]:
        """Measure every group; DataError if the data cannot be used or the metric does not fit."""
        data = inputs.data(inputs.on or Role.EVALUATION)
        # a shortfall has no bracket: it follows from how group and whole vary together
        closely = inputs.resolution.closest() if self.relative_to is None else EXACT
        asked = replace(self._asked(), resolution=closely)
        whole = outcomes(asked, data)
        yield from whole.found.context()
        found: list[tuple[Cover, list[Measured]]] = []
        for columns in attributes.chosen(self.by, data):
            try:
                found.append(self._attribute(asked, columns, data, whole, inputs))
            except DataError as error:
                yield self.absence(columns, error)
        yield from self.uncovered(cover for cover, _ in found)
        groups = sum(len(cover.eligible) for cover, _ in found)
        overall = measure(self.metric, Group(name="", rows=0, successes=0), whole, inputs)
        shared = replace(inputs, alpha=inputs.alpha / max(groups, 1))
        for cover, measured in found:
            yield from self._told(cover, measured, overall, shared)

    def _attribute(
        self,
        asked: MetricRequest,
        columns: tuple[str, ...],
        data: Data,
        whole: Outcomes,
        inputs: Inputs,
    ) -> tuple[Cover, list[Measured]]:
        frame = whole.found.frame
        measured = []
        parts = attributes.parts(columns, data, frame, columns_of(data, frame))
        for name, part in sorted(parts.items()):
            table = outcomes(asked, part_of(data, whole, part))
            group = Group(name=name, rows=scores.basis(self.metric, table.table), successes=0)
            measured.append(measure(self.metric, group, table, inputs, least=self.min_cell))
        groups = tuple(one.group for one in measured)
        people = {name: part.rows for name, part in parts.items()}
        cover = Cover(columns=columns, groups=groups, min_cell=self.min_cell, people=people)
        return cover, measured

    def _asked(self) -> MetricRequest:
        uncovered = self.max_uncovered
        return MetricRequest(metric=self.metric, beta=self.beta, k=self.k, max_uncovered=uncovered)

    def _told(
        self, cover: Cover, measured: list[Measured], overall: Measured, inputs: Inputs
    ) -> Iterator[Statistic]:
        """Tell of an attribute: small groups, the judged cells, and what is beside them."""
        total = overall.measured.found.total
        judged = [one for one in measured if one.group in cover.eligible]
        for one in measured:
            if one.group in cover.small:
                few = written(one.group.rows, self.min_cell)
                reason = f"{few} rows, below min_cell {self.min_cell}: not judged"
                cell = self._context(one, total, lack=reason)
                design = self._grown(one, cover, overall, inputs)
                yield replace(cell, rows=recorded(one.group.rows, self.min_cell), design=design)
        if len(judged) < 2:
            names = ", ".join(one.group.name for one in judged) or "none"
            reason = f"fewer than two groups have {self.min_cell} rows ({names})"
            yield self.lack(cover.slice, NoValue.INSUFFICIENT, reason, rows=cover.rows)
            return
        least = least_large((one.group.rows for one in judged), cover.rows, self.small_share)
        for one in judged:
            yield from self._cells(one, overall, inputs, least)
        sound = [one for one in judged if not one.lack]
        if len(sound) == len(judged) and not overall.lack:
            rows, value = cover.rows, overall.answer.value
            name = f"overall_{self.metric}"
            found = Statistic(name=name, slice=cover.slice, value=value, rows=rows, total=total)
            yield overall.in_cells(found, inputs)
            yield from spread(
                self.metric,
                cover.slice,
                [one.ends for one in sound],
                overall.ends,
                rows=rows,
                total=total,
                cells=sum(one.cells for one in (*sound, overall)),
            )

    def _grown(
        self, one: Measured, cover: Cover, overall: Measured, inputs: Inputs
    ) -> GrowingDesign | None:
        """Say what a group that is too small will show once it is judged: as good as all rows."""
        rows, size = cover.rows, one.group.rows
        floor, small = self.relative_to is None, size < self.small_share * cover.rows
        if overall.lack or size == 0 or (small and not floor):
            return None
        told = scores.interval(self.metric, overall.table, alpha=inputs.alpha_alone)
        if told is None:
            return None
        z = -float(ndtri(inputs.alpha_alone))
        error = (told.high - told.low) / (2 * z)
        if not floor:
            return GrowingDesign.within(error, z, size, rows, least=self.min_cell)
        own = error * math.sqrt(rows / size)
        alike = NormalDesign(error=own, z=z, rows=rows, neutral=overall.answer.value)
        return GrowingDesign(of=alike, size=size, least=self.min_cell)

    def _cells(
        self, one: Measured, overall: Measured, inputs: Inputs, least: float
    ) -> Iterator[Statistic]:
        """Judged statistics of a group; a group below *least* rows only warns."""
        total = overall.measured.found.total
        lack = one.lack
        if self.relative_to is not None and not lack and overall.lack:
            lack = f"of all rows: {overall.lack}"
        if lack:
            cell = self.lack(one.group.name, NoValue.UNDEFINED, lack, rows=one.group.rows)
            yield replace(cell, engine=one.answer.by)
            return
        interval = scores.interval(self.metric, one.table, alpha=inputs.alpha)
        own = self._context(one, total, interval=_corrected(interval, inputs.alpha))
        if self.relative_to is None:
            alone = scores.interval(self.metric, one.table, alpha=inputs.alpha_alone)
            yield one.in_cells(replace(own, judged=True, alone=alone), inputs)
        else:
            yield own
            yield self._shortfall(one, overall, inputs, least)
        short = scores.insufficient(self.metric, one.table)
        if short:
            yield self.lack(one.group.name, NoValue.INSUFFICIENT, short, rows=one.group.rows)

    def _context(
        self, one: Measured, total: int, *, interval: Interval | None = None, lack: str = ""
    ) -> Statistic:
        answer = one.answer
        return Statistic(
            name=self.metric,
            slice=one.group.name,
            value=None if lack else answer.value,
            interval=interval,
            rows=one.group.rows,
            total=total,
            engine=answer.by,
            lack=NoValue.INSUFFICIENT if lack else None,
            reason=lack,
        )

    def _shortfall(
        self, one: Measured, overall: Measured, inputs: Inputs, least: float
    ) -> Statistic:
        """Shortfall of a group against all rows; above 0 is worse, whatever the metric."""
        upward = scores.formula(self.metric, type(one.table)).higher_is_better
        value = one.answer.value - overall.answer.value
        total = overall.measured.found.total
        statistic = Statistic(
            name=f"{self.metric}_shortfall",
            slice=one.group.name,
            value=-value if upward else value,
            rows=one.group.rows,
            total=total,
            engine=one.answer.by,
            judged=True,
            reason=f"{one.answer.value:.4g} against {overall.answer.value:.4g} of all rows",
            small=one.group.rows < least,
        )
        told = behind(self.metric, one, overall, inputs.alpha)
        alone = behind(self.metric, one, overall, inputs.alpha_alone)
        if told is None or alone is None:
            return statistic
        z = -float(ndtri(inputs.alpha_alone))
        error = (alone.high - (-value if upward else value)) / z
        return replace(
            statistic,
            interval=_corrected(told, inputs.alpha),
            alone=alone,
            design=None if statistic.small else NormalDesign(error=error, z=z, rows=total),
        )


def _corrected(interval: Interval | None, alpha: float) -> Interval | None:
    if interval is None:
        return None
    return replace(interval, method=f"{interval.method}; alpha {alpha:.4g} for each group")
