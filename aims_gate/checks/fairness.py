"""Bias between groups: impact ratio, parity gap and odds gaps, over every ordered pair of groups.

A lone group, an undefined rate or a group that is too small is never parity: each is a cell of its
own that says so. Formulas are in `stats.disparity` and `stats.intervals`, values come from the
engine, and whether a serious difference could have been missed from `stats.power`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from aims_gate.checks import About, Inputs, Judged
from aims_gate.checks.columns import Labelled, Need, labelled, positive_class
from aims_gate.checks.families import Family, RateOf, families, is_of
from aims_gate.checks.pairs import Terms, compare
from aims_gate.errors import DataError, MissingColumnError, near
from aims_gate.facts import Lack, Statistic
from aims_gate.frames import Scalar
from aims_gate.policy.model import DecideOn, Role
from aims_gate.sources.subject import Data
from aims_gate.stats.disparity import Contrast, Measure, extreme, ordered_pairs, quantile

_CONTROLS = ("iso42001:A.5.4", "iso42001:A.6.2.4")
_UNDECIDED = (
    "an attribute's column is missing, or fewer than two groups have min_cell rows",
    "more than max_uncovered of the rows are in groups below min_cell",
    "a group of must_cover is absent or below min_cell",
    "a group is so small that a serious difference could have been missed",
)
_GROUPS = (
    "Groups below min_cell rows are named and never judged. Intervals are MOVER over Wilson "
    "bounds (Newcombe 1998; Donner and Zou 2012), Bonferroni-corrected over all ordered pairs of "
    "the rule, so that they hold together. With `reference`, only pairs with that group count, "
    "in both directions."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fairness:
    """What the checks on groups share: which groups, and how small is too small."""

    about: ClassVar[About]
    measure_by: ClassVar[Measure]
    statistic: ClassVar[str]
    summary: ClassVar[str]
    needs: ClassVar[tuple[Need, ...]]

    by: tuple[str | tuple[str, ...], ...] = ()
    """Columns, or lists of columns for intersections; all `sensitive` columns if empty."""
    min_cell: int = 30
    """Rows below which a group is not judged, never the reference and never the best."""
    max_uncovered: float = 0.05
    """Share of rows in groups below min_cell past which the rule is INSUFFICIENT, in [0, 1)."""
    must_cover: tuple[str, ...] = ()
    """Groups that must be judged, such as `sex=F`."""
    small_share: float = 0.02
    """Share of rows under which a group that cannot show an effect warns only, in [0, 0.1]."""
    design_effect: float = 1.0
    """Rows per independent row, at least 1; divides the rows of intervals and power."""
    reference: str = ""
    """Compare each group with this one only; needs exactly one entry in `by`."""

    def judged(self) -> Judged:
        """Describe the judged statistic."""
        ratio = self.measure_by is Measure.RATIO
        return Judged(
            name=self.statistic,
            low=0.0,
            high=1.0,
            higher_is_better=ratio,
            neutral=self.measure_by.neutral,
            limit=0.80 if ratio else 0.10,
            decide_on=DecideOn.PROVEN_BREACH,
        )

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Give what is wrong with the parameters."""
        yield from self._range_problems()
        attributes = [(a,) if isinstance(a, str) else a for a in self.by]
        for columns in attributes:
            if not all(columns) or len(set(columns)) != len(columns) or not columns:
                yield "by", f"{list(columns)} is not a list of different columns", ""
        if len({frozenset(columns) for columns in attributes}) != len(attributes):
            yield "by", "an attribute is named twice", "each pair of groups counts once"
        for field, group in [("must_cover", g) for g in self.must_cover]:
            if attributes and not any(is_of(group, columns) for columns in attributes):
                yield field, f"{group!r} is a group of no attribute in by", "write sex=F"
        if self.reference and len(attributes) != 1:
            yield "reference", "needs exactly one attribute in by", "split the rule"
        elif self.reference and not is_of(self.reference, attributes[0]):
            yield "reference", f"{self.reference!r} is not a group of {attributes[0]}", ""

    def compared_rates(self) -> tuple[RateOf, ...]:
        """Give the rates that are compared."""
        return (RateOf.SELECTION,)

    def measure(self, inputs: Inputs) -> Iterable[Statistic]:
        """Measure every pair of groups; DataError if the outcome columns cannot be used."""
        data = inputs.data(inputs.on or Role.EVALUATION)
        found = labelled(data, self.needs)
        positive = positive_class(data, found)
        yield from found.context()
        counted: list[Family] = []
        for columns in self._attributes(data):
            try:
                counted += self._count(columns, data, found, positive)
            except DataError as error:
                # beside attributes that can be judged, so that their refusal is not lost
                absent = isinstance(error, MissingColumnError)
                lack = Lack.MISSING if absent else Lack.UNDEFINED
                yield self._lack(" & ".join(columns), lack, str(error))
        yield from self._uncovered(counted)
        yield from self._compared(counted, inputs, found.frame.rows)

    def _compared(self, counted: list[Family], inputs: Inputs, total: int) -> Iterator[Statistic]:
        pairs = sum(len(ordered_pairs(f.eligible, self.reference or None)) for f in counted)
        terms = Terms(
            statistic=self.statistic,
            measure=self.measure_by,
            engine=inputs.engine,
            alpha=inputs.alpha,
            pairs=pairs,
            z=quantile(inputs.alpha, pairs),
            design_effect=self.design_effect,
            small_share=self.small_share,
            reference=self.reference or None,
            total=total,
        )
        everything: list[Contrast] = []
        for family in counted:
            contrasts, statistics = compare(family, terms)
            everything += contrasts
            yield from statistics
        if any(not math.isnan(contrast.value) for contrast in everything):
            value, bounds = extreme(everything, self.measure_by)
            yield Statistic(
                name=self.summary,
                value=value,
                interval=terms.interval(bounds),
                rows=total,
                total=total,
                engine=inputs.engine.label,
                reason=f"over {pairs:,} ordered pairs",
            )

    def _attributes(self, data: Data) -> tuple[tuple[str, ...], ...]:
        if self.by:
            return tuple((a,) if isinstance(a, str) else a for a in self.by)
        if not data.spec.sensitive:
            raise DataError(
                "no column is named as sensitive",
                where=f"{data.role} data",
                hint=f"name them in by:, or as sensitive: under data.{data.role}",
            )
        return tuple((column,) for column in data.spec.sensitive)

    def _count(
        self, columns: tuple[str, ...], data: Data, found: Labelled, positive: Scalar
    ) -> tuple[Family, ...]:
        for column in columns:
            if column not in data.frame.kinds:
                where = f"{data.role} data"
                raise MissingColumnError.from_columns(column, data.frame.kinds, where=where)
        return families(
            found,
            positive,
            columns=columns,
            rates=self.compared_rates(),
            spec=data.spec,
            min_cell=self.min_cell,
        )

    def _uncovered(self, counted: list[Family]) -> Iterator[Statistic]:
        for family in counted:
            left_out = sum(group.rows for group in family.small)
            if left_out > self.max_uncovered * family.rows:
                share = left_out / family.rows
                reason = (
                    f"{share:.1%} of the {family.rate.trials} are in groups below min_cell "
                    f"{self.min_cell}, more than max_uncovered {self.max_uncovered:.1%}"
                )
                yield self._lack(family.slice, Lack.INSUFFICIENT, reason, rows=left_out)
        for name in self.must_cover:
            yield from self._must_cover(name, counted)

    def _must_cover(self, name: str, counted: list[Family]) -> Iterator[Statistic]:
        groups = [(family, g) for family in counted for g in family.groups if g.name == name]
        if not groups:
            hint = near(name, {g.name for family in counted for g in family.groups})
            yield self._lack(name, Lack.INSUFFICIENT, f"must be covered and is absent; {hint}")
        for family, group in groups:
            if group in family.small:
                reason = (
                    f"must be covered and has {group.rows:,} {family.rate.trials}, "
                    f"below min_cell {self.min_cell}"
                )
                where = family.rate.prefix + name
                yield self._lack(where, Lack.INSUFFICIENT, reason, rows=group.rows)

    def _lack(self, where: str, lack: Lack, reason: str, *, rows: int = 0) -> Statistic:
        return Statistic(
            name=self.statistic, slice=where, judged=True, lack=lack, reason=reason, rows=rows
        )

    def _range_problems(self) -> Iterator[tuple[str, str, str]]:
        if self.min_cell < 1:
            yield "min_cell", f"{self.min_cell} is not a number of rows", "30 is usual"
        if not 0 <= self.max_uncovered < 1:
            yield "max_uncovered", f"{self.max_uncovered:g} is outside [0, 1)", ""
        if not 0 <= self.small_share <= 0.1:
            hint = "a group with more than a tenth of the rows is not small"
            yield "small_share", f"{self.small_share:g} is outside [0, 0.1]", hint
        if not 1 <= self.design_effect < math.inf:
            hint = "below 1 it would invent rows"
            yield "design_effect", f"{self.design_effect:g} is not at least 1", hint


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpactRatio(_Fairness):
    """The disadvantaged group's selection rate over the other's (four-fifths rule)."""

    about = About(
        name="fairness.impact_ratio",
        summary="Selection rate of each group over that of every other group.",
        definition=(
            "p_i / p_j, where p is the share of a group's rows that are predicted positive; 1 is "
            "demographic parity, 0 says that nobody of the group is selected. " + _GROUPS
        ),
        roles=(Role.EVALUATION,),
        controls=_CONTROLS,
        undecided=(*_UNDECIDED, "nobody is selected in any group"),
    )
    measure_by = Measure.RATIO
    statistic = "impact_ratio"
    summary = "least_impact_ratio"
    needs = ("prediction",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity(_Fairness):
    """The difference of selection rates (demographic parity difference)."""

    about = About(
        name="fairness.parity",
        summary="Selection rate of every other group minus that of each group.",
        definition=(
            "p_j - p_i, where p is the share of a group's rows that are predicted positive; 0 is "
            "demographic parity, 1 the largest gap there is. " + _GROUPS
        ),
        roles=(Role.EVALUATION,),
        controls=_CONTROLS,
        undecided=_UNDECIDED,
    )
    measure_by = Measure.GAP
    statistic = "parity_gap"
    summary = "largest_gap"
    needs = ("prediction",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Odds(_Fairness):
    """The differences of true and false positive rates (equalized odds, equal opportunity)."""

    about = About(
        name="fairness.odds",
        summary="True and false positive rate of every other group minus that of each group.",
        definition=(
            "p_j - p_i, where p is the share predicted positive among the rows labelled positive "
            "(TPR) or not (FPR); 0 on both is equalized odds, 0 on TPR equal opportunity. For FPR "
            "the group with the lower rate is named first. Both rates share one correction. "
            + _GROUPS
        ),
        roles=(Role.EVALUATION,),
        controls=_CONTROLS,
        undecided=(*_UNDECIDED, "a group has fewer than min_cell positives or negatives"),
    )
    measure_by = Measure.GAP
    statistic = "odds_gap"
    summary = "largest_gap"
    needs = ("label", "prediction")

    rates: tuple[Literal["tpr", "fpr"], ...] = ("tpr", "fpr")
    """Both for equalized odds, `["tpr"]` for equal opportunity."""

    def compared_rates(self) -> tuple[RateOf, ...]:
        """Give the rates that are compared."""
        return tuple(RateOf.TPR if rate == "tpr" else RateOf.FPR for rate in self.rates)

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Give what is wrong with the parameters."""
        yield from _Fairness.problems(self)
        if not self.rates or len(set(self.rates)) != len(self.rates):
            yield "rates", "is empty or names a rate twice", "tpr, fpr or both"
