"""Mean differences between groups: the gap of every ordered pair, as judged statistics."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from aims_gate.checks.coverage import least_large
from aims_gate.checks.fairness.group_counts import Cover
from aims_gate.checks.fairness.summary import spread
from aims_gate.checks.levels import recorded, written
from aims_gate.engines import Answer, Engine, SampleMeans
from aims_gate.errors import DataError
from aims_gate.facts import Interval, NoValue, Statistic
from aims_gate.frames import Distribution, Frame, Loss, RowLoss
from aims_gate.stats.disparity import Contrast, Group, Measure, decisive, ordered_pairs
from aims_gate.stats.gaps import gap_bounds, largest_ks, moments, pooled_deviation, standardised
from aims_gate.stats.intervals import Bounds
from aims_gate.stats.means import hall_bounds, too_few
from aims_gate.stats.power import PairsDesign
from aims_gate.stats.tables import Losses

_UNASKED = Answer(value=math.nan, by="")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scored:
    """A group's numbers, and the moments that the bounds of their mean follow from."""

    group: Group
    losses: Losses
    samples: tuple[Distribution, ...]
    """The numbers; or predictions and labels, for errors."""
    answer: Answer = _UNASKED
    """The engine's mean."""

    @property
    def name(self) -> str:
        """The group's label."""
        return self.group.name


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanTerms:
    """What all attributes of a rule share."""

    statistic: str
    """Name of the judged statistic."""
    mean: str
    """Name of a group's mean."""
    in_deviations: bool
    z: float
    alone: float
    """Standard normal quantile of a pair's own bounds, not corrected over the pairs."""
    pairs: int
    """Ordered pairs of the whole rule, which share alpha."""
    alpha: float
    alpha_alone: float
    small_share: float
    total: int

    @property
    def unit(self) -> str:
        """What is said of the gap's unit beside means in their own."""
        return ", the gap in standard deviations" if self.in_deviations else ""

    def interval(self, bounds: Bounds, formula: str) -> Interval:
        """Interval with its level and method."""
        method = f"{formula}, Bonferroni over {self.pairs:,} ordered pairs"
        return Interval(low=bounds[0], high=bounds[1], level=1 - self.alpha, method=method)

    def interval_alone(self, bounds: Bounds) -> Interval:
        """Interval of a pair by itself, not corrected over the pairs."""
        level, method = 1 - 2 * self.alpha_alone, "MOVER over Hall, each bound by itself"
        return Interval(low=bounds[0], high=bounds[1], level=level, method=method)


def scored(name: str, frame: Frame, columns: Sequence[str]) -> Scored:
    """Take a group's numbers: those of one column, or of the first less those of the second.

    Raises:
        DataError: A column holds no numbers, or one that is null or infinite.
    """
    samples = tuple(frame.distribution(column) for column in columns)
    for column, sample in zip(columns, samples, strict=True):
        if sample.nulls or not np.all(np.isfinite(sample.values)):
            raise DataError(f"{column} holds values that are not finite numbers")
    if len(columns) == 1:
        losses = moments(samples[0].values, samples[0].counts)
    else:
        found = frame.moments(RowLoss(loss=Loss.SIGNED, label=columns[1], estimate=columns[0]))
        # label - estimate, turned into the error of the estimate
        losses = Losses(
            rows=found.rows, mean=-found.mean, variance=found.variance, skewness=-found.skewness
        )
    group = Group(name=name, rows=frame.rows, successes=0)
    return Scored(group=group, losses=losses, samples=samples)


def answered(groups: Sequence[Scored], engine: Engine) -> list[Scored]:
    """Ask the engine, once, for every group's mean."""
    samples = [sample for one in groups for sample in one.samples]
    answers = iter(engine.ask(SampleMeans(samples=samples)))
    return [replace(one, answer=_less([next(answers) for _ in one.samples])) for one in groups]


def _less(answers: Sequence[Answer]) -> Answer:
    """Take the second mean from the first, where there are two."""
    problems = [answer.problem for answer in answers if answer.problem]
    if problems:
        return Answer.none(answers[0].by, problems[0])
    first, *second = (answer.value for answer in answers)
    return Answer(value=first - sum(second), by=answers[0].by)


def compare(
    cover: Cover, groups: Sequence[Scored], whole: Scored, terms: MeanTerms
) -> Iterator[Statistic]:
    """Compare the groups of an attribute: each group's mean, the judged cells, what is beside."""
    judged = [one for one in groups if one.group in cover.eligible]
    for one in groups:
        if one not in judged:
            few = written(one.group.rows, cover.min_cell)
            reason = f"{few} rows, below min_cell {cover.min_cell}: not judged"
            cell = _lack(terms.mean, one, terms, reason, judged=False)
            yield replace(cell, rows=recorded(one.group.rows, cover.min_cell))
    for one in judged:
        problem = one.answer.problem
        if problem:
            cell = _lack(terms.statistic, one, terms, problem, judged=True)
            yield replace(cell, lack=NoValue.UNDEFINED, engine=one.answer.by)
        elif too_few(one.losses):
            yield _lack(terms.statistic, one, terms, too_few(one.losses), judged=True)
    sound = [one for one in judged if not one.answer.problem and not too_few(one.losses)]
    if len(sound) < 2:
        names = ", ".join(one.name for one in sound) or "none"
        yield Statistic(
            name=terms.statistic,
            slice=cover.attribute,
            judged=True,
            lack=NoValue.INSUFFICIENT,
            reason=f"fewer than two groups can be compared ({names})",
            rows=cover.rows,
            total=terms.total,
        )
        return
    yield from _beside(cover, sound, whole, terms)
    yield from _cells(cover, sound, terms, [one.group.rows for one in groups if one not in judged])


def _lack(name: str, one: Scored, terms: MeanTerms, reason: str, *, judged: bool) -> Statistic:
    return Statistic(
        name=name,
        slice=one.name,
        judged=judged,
        lack=NoValue.INSUFFICIENT,
        reason=reason,
        rows=one.group.rows,
        total=terms.total,
    )


def _beside(
    cover: Cover, sound: Sequence[Scored], whole: Scored, terms: MeanTerms
) -> Iterator[Statistic]:
    """Context statistics: each group's mean, their spread and the largest KS distance."""
    for one in sound:
        yield Statistic(
            name=terms.mean,
            slice=one.name,
            value=one.answer.value,
            interval=terms.interval(hall_bounds(one.losses, terms.z), "Hall (1992) with t"),
            rows=one.group.rows,
            total=terms.total,
            engine=one.answer.by,
        )
    if not whole.answer.problem:
        yield Statistic(
            name=f"overall_{terms.mean}",
            slice=cover.attribute,
            value=whole.answer.value,
            rows=whole.group.rows,
            total=terms.total,
        )
        values, rows = [(one.answer.value, one.answer.value) for one in sound], cover.rows
        overall = whole.answer.value, whole.answer.value
        yield from spread(
            terms.mean, cover.attribute, values, overall, rows=rows, total=terms.total
        )
    if all(len(one.samples) == 1 for one in sound):
        yield Statistic(
            name="ks_distance",
            slice=cover.attribute,
            value=largest_ks([(one.samples[0].values, one.samples[0].counts) for one in sound]),
            rows=cover.rows,
            total=terms.total,
        )


def _cells(
    cover: Cover, sound: Sequence[Scored], terms: MeanTerms, growing: Sequence[int]
) -> Iterator[Statistic]:
    """Judged statistics: for each group as the lower one, the pairs that can decide.

    *growing* are the rows of groups that are too small to be judged now.
    """
    by_name = {one.name: one for one in sound}
    best = max(sound, key=lambda one: one.answer.value).name
    deviation = pooled_deviation(one.losses for one in sound) if terms.in_deviations else 1.0
    contrasts = _contrasts(by_name, terms, deviation)
    least = least_large((one.group.rows for one in sound), cover.rows, terms.small_share)
    small = {one.group for one in sound if one.group.rows < least}
    large = [one for one in sound if one.group not in small]
    design = _design(large, [rows for rows in growing if rows >= least], cover.min_cell, terms)
    for name, one in by_name.items():
        mine = [contrast for contrast in contrasts if contrast.worse is one.group]
        # a cell that only warns must not represent one that blocks
        warns = [contrast for contrast in mine if {contrast.worse, contrast.better} & small]
        blocks = [contrast for contrast in mine if contrast not in warns]
        for contrast in (*decisive(blocks, Measure.GAP), *decisive(warns, Measure.GAP)):
            other = by_name[contrast.better.name]
            yield Statistic(
                name=terms.statistic,
                slice=f"{name} (best)" if name == best else f"{name} vs {other.name}",
                value=contrast.value,
                interval=terms.interval((contrast.low, contrast.high), "MOVER over Hall"),
                alone=terms.interval_alone(contrast.alone),
                rows=one.group.rows,
                total=terms.total,
                engine=one.answer.by,
                judged=True,
                reason=f"{terms.mean.replace('_', ' ')} {one.answer.value:.4g} against "
                f"{other.answer.value:.4g} ({other.name}){terms.unit}",
                small=contrast in warns,
                design=design,
            )


def _contrasts(sound: Mapping[str, Scored], terms: MeanTerms, deviation: float) -> list[Contrast]:
    """Compare every ordered pair."""
    freedom = sum(one.losses.rows - 1 for one in sound.values())
    found: list[Contrast] = []
    for worse, better in ordered_pairs([one.group for one in sound.values()]):
        low_side, high_side = sound[worse.name], sound[better.name]
        gap = high_side.answer.value - low_side.answer.value
        # of a group that is ahead the value is parity, and the interval how far it may be behind
        shown = max(gap / deviation, 0.0)
        bounds = []
        for z in (terms.z, terms.alone):
            low, high = gap_bounds(low_side.losses, high_side.losses, z)
            if terms.in_deviations:
                low, high = standardised(gap, (low, high), deviation, freedom, z)
            bounds.append((min(low, shown), max(high, shown)))
        (low, high), alone = bounds
        found.append(
            Contrast(worse=worse, better=better, value=shown, low=low, high=high, alone=alone)
        )
    return found


def _design(
    large: Sequence[Scored], growing: Sequence[int], min_cell: int, terms: MeanTerms
) -> PairsDesign:
    """Power design of the pairs, without groups that are too small a share to block."""
    inside = pooled_deviation(one.losses for one in large)
    unit = inside if terms.in_deviations else 1.0
    spreads = [math.sqrt(one.losses.variance) for one in large] + [inside] * len(growing)
    sizes = (*(one.group.rows for one in large), *growing)
    return PairsDesign(
        measure=Measure.GAP,
        sizes=sizes,
        errors=tuple(spread / unit for spread in spreads),
        pairs=tuple(itertools.permutations(range(len(sizes)), 2)),
        centre=0.0,
        z=terms.alone,
        rows=terms.total,
        least=min_cell,
    )
