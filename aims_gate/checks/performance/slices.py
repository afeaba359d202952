"""Worst slice: the shortfall of a metric on some rows against all rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import ClassVar, Literal

from aims_gate.checks import attributes
from aims_gate.checks.attributes import Columns
from aims_gate.checks.cells import lacking
from aims_gate.checks.contract import About, Inputs, StatisticSpec
from aims_gate.checks.coverage import Size
from aims_gate.checks.levels import levels, recorded, title
from aims_gate.checks.metrics import Outcomes, outcomes
from aims_gate.checks.metrics.needs import metric_needs
from aims_gate.checks.metrics.parts import columns_of, part_of
from aims_gate.checks.performance import slicing
from aims_gate.errors import DataError
from aims_gate.facts import Interval, NoValue, Statistic
from aims_gate.policy.model import DecideOn, Role
from aims_gate.sources.subject import Data
from aims_gate.stats import classes, confusion, scores, slices
from aims_gate.stats.confusion import Share
from aims_gate.stats.intervals import Bounds
from aims_gate.stats.means import LEAST_ROWS, too_few
from aims_gate.stats.paired import minus, quantile
from aims_gate.stats.power import GrowingDesign, NormalDesign
from aims_gate.stats.tables import Classes, Confusion, Losses, ScoreTable

SHARES: Mapping[str, Callable[[Confusion], Share]] = {
    "accuracy": confusion.accuracy,
    "precision": confusion.precision,
    "recall": confusion.recall,
    "specificity": confusion.specificity,
}
"""The proportions, whose slices come from one count of columns, label and prediction."""
MOST_SLICES = 1_000
"""Slices of a rule: more would be a search that no correction makes honest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slice:
    """A slice, its table, and its sample for engines that need rows."""

    name: str
    found: Outcomes
    rows: int
    """Rows that the metric rests on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slices:
    """How far each slice of the data is behind the whole."""

    about: ClassVar[About] = About(
        name="performance.slices",
        summary="How far the metric of each slice of the rows falls behind that of all rows.",
        definition=(
            "The metric of all rows minus that of the slice, for losses the other way round: 0 is "
            "as good as the whole, above 0 is worse. Every slice is judged, and the worst decides; "
            "of metrics in [0, 1] the conventional limit is 0.10.\n\n"
            "A slice is part of the whole, so its distance to it is (1 - w) times its distance to "
            "the rest, with w its share of the rows; the interval is that of slice and rest, which "
            "are different rows: MOVER over guarded Wilson, or over Hall's bounds for mean losses. "
            "Each bound is wrong with probability alpha over all slices that were looked at "
            "(Bonferroni): searching more of them costs evidence, and finding the worst one is no "
            "discovery.\n\n"
            "depth: 2 looks at every pair of the columns as well. Its slices below min_cell are "
            "counted; those of the columns of by are named, and may hold max_uncovered of the "
            "rows."
        ),
        roles=(Role.EVALUATION,),
        asks="scikit-learn",
        controls=("iso42001:A.6.2.4",),
        undecided=(
            "a column is missing, holds no values to cut by, or cuts into too many slices",
            "no slice of a column has min_cell rows and is less than the whole: one value only",
            "more than max_uncovered of the rows are in slices below min_cell",
            "a slice is so small that a serious shortfall could have been missed",
            "mean losses: one row dominates the mean of a slice or of the rest",
            "the metric has no value over all rows",
        ),
    )

    metric: Literal[
        "accuracy", "precision", "recall", "specificity", "brier", "log_loss", "mae", "mse"
    ]
    """A proportion or a mean loss of performance.score."""
    by: tuple[str | tuple[str, ...], ...] = ()
    """Columns, or lists of columns for intersections; all `sensitive` columns if empty."""
    bins: dict[str, tuple[float, ...]] = field(default_factory=dict)
    """Bin edges of numeric columns of by; those of sensitive columns are known."""
    depth: Literal[1, 2] = 1
    """2 looks at every pair of the columns of by as well."""
    min_cell: int = 30
    """Rows of the metric below which a slice is not judged."""
    max_uncovered: float = 0.05
    """Share of rows in slices below min_cell past which the rule is INSUFFICIENT, in [0, 0.5]."""
    small_share: float = 0.02
    """Share of rows under which a slice that cannot show an effect warns only, in [0, 0.1]."""

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic: the shortfall."""
        bounded = self.metric in SHARES or self.metric == "brier"
        span = 1.0 if bounded else math.inf
        return StatisticSpec(
            name=f"{self.metric}_shortfall",
            low=-span,
            high=span,
            higher_is_better=False,
            neutral=0.0,
            limit=0.10 if self.metric in SHARES else None,
            decide_on=DecideOn.PROVEN_BREACH,
            needs=metric_needs(self.metric),
        )

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Invalid parameters, each as (field, what is wrong, hint)."""
        if self.depth > 1 and len({a for a in self.by if isinstance(a, str)}) == 1:
            yield "depth", "one column makes no pairs", "name another in by"
        named = attributes.listed(self.by)
        yield from slicing.problems(named, self.bins if named else {})

    def measure(self, inputs: Inputs) -> Iterator[Statistic]:
        """Measure every slice; DataError if the data cannot be used or cut."""
        data = inputs.data(inputs.on or Role.EVALUATION)
        whole = outcomes(self.metric, data)
        yield from whole.found.context()
        why = scores.undefined(self.metric, whole.table)
        if why:
            yield self._lack("", NoValue.UNDEFINED, why, scores.basis(self.metric, whole.table))
            return
        eligible: list[_Slice] = []
        rows = scores.basis(self.metric, whole.table)
        for columns, asked in self._attributes(data):
            cut = list(self._cut(columns, data, whole))
            yield from self._small(columns, cut, whole, inputs, named=asked)
            found = [part for part in cut if self.min_cell <= part.rows < rows]
            if asked and not found:
                # reported beside columns that can be judged, so that this one does not look fair
                reason = f"no slice has {self.min_cell} rows and is less than all of them"
                yield self._lack(title(columns), NoValue.INSUFFICIENT, reason, rows)
            eligible += found
        if len(eligible) > MOST_SLICES:
            what = f"{len(eligible):,} slices are more than {MOST_SLICES:,}"
            raise DataError(what, hint="name fewer columns, cut numbers coarser, or raise min_cell")
        if eligible:
            yield from self._judge_all(eligible, whole, inputs)

    def _attributes(self, data: Data) -> Iterator[tuple[Columns, bool]]:
        """Columns to slice by, and whether the policy names them as such."""
        named = attributes.chosen(self.by, data)
        yield from ((columns, True) for columns in named)
        if self.depth > 1:
            known = {frozenset(columns) for columns in named}
            alone = [columns[0] for columns in named if len(columns) == 1]
            yield from ((p, False) for p in combinations(alone, 2) if frozenset(p) not in known)

    def _cut(self, columns: Columns, data: Data, whole: Outcomes) -> Iterator[_Slice]:
        frame = whole.found.frame
        if isinstance(whole.table, Losses):
            kept = columns_of(data, frame)
            parts = attributes.parts(columns, data, frame, kept, bins=self.bins, called="slices")
            for name, part in parts.items():
                found = outcomes(self.metric, part_of(data, whole, part))
                yield _Slice(name=name, found=found, rows=found.table.rows)
            return
        keys = attributes.keys(columns, data, frame, self.bins)
        tables = slicing.tables(keys, data, whole)
        attributes.refuse_many(columns, len(tables), called="slices")
        named = levels(keys, data)
        attributes.refuse_alike(named, tables, called="slices")
        for values, table in tables.items():
            name, rows = named.name(values), scores.basis(self.metric, table)
            yield _Slice(name=name, found=replace(whole, table=table), rows=rows)

    def _small(
        self, columns: Columns, cut: list[_Slice], whole: Outcomes, inputs: Inputs, *, named: bool
    ) -> Iterator[Statistic]:
        where = title(columns)
        if named:
            own, rows = quantile(inputs.alpha_alone), scores.basis(self.metric, whole.table)
            told = scores.interval(self.metric, whole.table, alpha=inputs.alpha_alone)

            def grown(size: int) -> GrowingDesign | None:
                if told is None or size < self.small_share * rows:
                    return None
                error = (told.high - told.low) / (2 * own)
                return GrowingDesign.within(error, own, size, rows, least=self.min_cell)

            yield from slicing.small(
                [Size(name=part.name, rows=part.rows) for part in cut],
                where=where,
                statistic=self.judged().name,
                least=self.min_cell,
                allowed=self.max_uncovered,
                total=whole.found.total,
                grown=grown,
            )
            return
        few = [part.rows for part in cut if part.rows < self.min_cell]
        if few:
            reason = f"{len(few):,} slices below min_cell {self.min_cell}: not judged"
            yield Statistic(
                name="small_slices",
                slice=where,
                value=float(len(few)),
                rows=recorded(sum(few), self.min_cell),
                total=whole.found.total,
                reason=reason,
            )

    def _judge_all(
        self, eligible: list[_Slice], whole: Outcomes, inputs: Inputs
    ) -> Iterator[Statistic]:
        rows = scores.basis(self.metric, whole.table)
        overall = whole.value(self.metric, inputs.engine)
        if overall.problem:
            cell = self._lack("", NoValue.UNDEFINED, overall.problem, rows)
            yield replace(cell, engine=overall.by)
            return
        yield Statistic(name=self.metric, value=overall.value, rows=rows, total=whole.found.total)
        z = quantile(inputs.alpha / len(eligible))
        for part in eligible:
            yield self._judge_one(part, whole, overall.value, inputs, z)

    def _judge_one(
        self, part: _Slice, whole: Outcomes, overall: float, inputs: Inputs, z: float
    ) -> Statistic:
        answer = part.found.value(self.metric, inputs.engine)
        if answer.problem:
            cell = self._lack(part.name, NoValue.UNDEFINED, answer.problem, part.rows)
            return replace(cell, engine=answer.by)
        short = _too_few(whole.table, part.found.table)
        if short:
            return self._lack(part.name, NoValue.INSUFFICIENT, short, part.rows)
        rows = scores.basis(self.metric, whole.table)
        upward = self.metric in SHARES
        value = minus(overall, answer.value) if upward else minus(answer.value, overall)
        tables, own = (whole.table, part.found.table), quantile(inputs.alpha_alone)
        bounds = _against_rest(self.metric, *tables, z)
        alone = _against_rest(self.metric, *tables, own)
        small = part.rows < self.small_share * rows
        error = (alone[1] - value) / own
        return Statistic(
            name=self.judged().name,
            slice=part.name,
            value=value,
            interval=self._interval(bounds, value, inputs.alpha, "Bonferroni over all slices"),
            alone=self._interval(alone, value, inputs.alpha_alone, "each bound by itself"),
            rows=part.rows,
            total=whole.found.total,
            engine=answer.by,
            judged=True,
            reason=f"{answer.value:.4g} against {overall:.4g} over all rows",
            small=small,
            design=None if small else NormalDesign(error=error, z=own, rows=whole.found.total),
        )

    def _interval(self, bounds: Bounds, value: float, alpha: float, how: str) -> Interval:
        formula = "guarded Wilson" if self.metric in SHARES else "Hall"
        return Interval(
            low=min(bounds[0], value),
            high=max(bounds[1], value),
            level=1 - 2 * alpha,
            method=f"MOVER over {formula}, one-sided, {how}",
        )

    def _lack(self, where: str, lack: NoValue, reason: str, rows: int) -> Statistic:
        return lacking(self.judged().name, lack, reason, where=where, rows=rows)


def _too_few(whole: ScoreTable, part: ScoreTable) -> str:
    """Say why mean losses of slice or rest have no bounds; empty for proportions."""
    if not (isinstance(whole, Losses) and isinstance(part, Losses)):
        return ""
    outside = whole.rows - part.rows
    if outside < LEAST_ROWS:
        return f"{outside:,} rows are outside the slice, and a mean's interval needs {LEAST_ROWS}"
    return too_few(part) or too_few(slices.without(whole, part))


def _against_rest(metric: str, whole: ScoreTable, part: ScoreTable, z: float) -> Bounds:
    """MOVER interval of the shortfall of a slice against all rows."""
    if isinstance(whole, Losses) and isinstance(part, Losses):
        return slices.above(whole, part, z)
    return slices.behind(_share(metric, whole), _share(metric, part), z)


def _share(metric: str, table: ScoreTable) -> Share:
    if isinstance(table, Classes):
        return classes.accuracy(table)
    assert isinstance(table, Confusion)  # noqa: S101  # the two tables of proportions
    return SHARES[metric](table)
