"""Pairwise comparison of rates: every group against each other, with intervals.

For each group as the disadvantaged side only the pairs that can decide are shown
(`stats.disparity.decisive`), so evidence stays small and no threshold is decided differently.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from aims_gate.checks.fairness.group_counts import POOL, GroupFamily
from aims_gate.checks.fairness.rate_definitions import RateOf
from aims_gate.checks.fairness.rate_terms import Answers, RateTerms
from aims_gate.checks.levels import full, recorded, written
from aims_gate.errors import near
from aims_gate.facts import NoValue, Statistic
from aims_gate.stats.disparity import (
    Contrast,
    Group,
    Measure,
    contrasts,
    decisive,
)
from aims_gate.stats.power import PairsDesign, pooled_error


def compare(
    family: GroupFamily, terms: RateTerms
) -> tuple[tuple[Contrast, ...], tuple[Statistic, ...]]:
    """Compare the groups of a family: every contrast, and the statistics that tell of them."""
    context = tuple(_context(family, terms))
    lack = _nothing_to_compare(family, terms)
    if lack is not None:
        return (), (*context, lack)
    pairs = terms.pairs_of(family)
    answers = terms.answers(pairs)
    pairwise = contrasts(
        pairs,
        measure=terms.measure,
        z=terms.z,
        alone=terms.alone,
        design_effect=terms.design_effect,
        value=lambda worse, better: answers[worse.name, better.name].value,
    )
    found = tuple(_unless_problem(contrast, answers) for contrast in pairwise)
    compared = _ComparedRates(
        family=family,
        terms=terms,
        answers=answers,
        design=_design(family, terms),
        least_large=terms.least_large(family),
    )
    cells = [
        cell
        for group in dict.fromkeys(contrast.worse for contrast in found)
        for cell in compared.cells(group, [c for c in found if c.worse is group])
    ]
    return found, (*context, *cells)


def _unless_problem(contrast: Contrast, answers: Answers) -> Contrast:
    """Take the value away, parity by the counts included, where the engine has a problem."""
    answer = answers.get((contrast.worse.name, contrast.better.name))
    if answer is None or not answer.problem:
        return contrast
    return replace(contrast, value=math.nan)


def _context(family: GroupFamily, terms: RateTerms) -> Iterator[Statistic]:
    for group in family.groups:
        if group in family.small:
            yield _small(group, family, terms, "not judged")
        else:
            yield Statistic(
                name=family.rate,
                slice=group.name,
                value=group.rate,
                interval=terms.rate_interval(group),
                rows=group.rows,
                total=terms.total,
            )
    together = f"judged only within {full(family.columns, [POOL] * len(family.columns))}"
    for group in family.pooled:
        yield _small(group, family, terms, together)


def _small(group: Group, family: GroupFamily, terms: RateTerms, fate: str) -> Statistic:
    """Report a small group without its rate, which would disclose single people."""
    rows = written(group.rows, family.min_cell)
    reason = f"{rows} {family.trials}, below min_cell {family.min_cell}: {fate}"
    return Statistic(
        name=family.rate,
        slice=group.name,
        rows=recorded(group.rows, family.min_cell),
        total=terms.total,
        lack=NoValue.INSUFFICIENT,
        reason=reason,
    )


def _nothing_to_compare(family: GroupFamily, terms: RateTerms) -> Statistic | None:
    """Say why a family has no pair with a value: a lone group is never parity."""
    names = [group.name for group in family.eligible]
    reason = ""
    if len(names) < 2:
        reason = (
            f"fewer than two groups have {family.min_cell} {family.trials} "
            f"({', '.join(names) or 'none'}): there is nothing to compare"
        )
    elif terms.reference is not None and terms.reference not in names:
        hint = near(terms.reference, names)
        reason = (
            f"the reference group {terms.reference!r} is absent or below min_cell "
            f"{family.min_cell}; {hint}"
        )
    elif any(g.successes for g in family.eligible):
        pass
    elif terms.measure is Measure.RATIO:
        reason = f"{family.rate.nowhere} in any group: no ratio is defined"
    elif family.rate is RateOf.SCORING:
        # the median is the highest score: who is below it, and from which group, is not seen
        reason = f"{family.rate.nowhere} in any group, because most have the highest score"
    if not reason:
        return None
    return Statistic(
        name=terms.statistic,
        slice=family.slice,
        judged=True,
        lack=NoValue.INSUFFICIENT,
        reason=reason,
        rows=family.rows,
        total=terms.total,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _ComparedRates:
    """A family whose pairs have been compared."""

    family: GroupFamily
    terms: RateTerms
    answers: Answers
    design: PairsDesign
    least_large: float

    def cells(self, group: Group, found: Sequence[Contrast]) -> Iterator[Statistic]:
        """Judged statistics of *group* as the disadvantaged side."""
        undefined = [c for c in found if _both_zero(c, self.terms.measure)]
        defined = [c for c in found if not _both_zero(c, self.terms.measure)]
        for contrast in undefined:
            # where another pair judges the group, 0/0 is shown beside it and decides nothing
            yield Statistic(
                name=self.terms.statistic,
                slice=_slice(contrast, self.family),
                judged=not defined,
                lack=NoValue.UNDEFINED,
                reason=f"{self.family.rate.nowhere} in either group: 0/0",
                rows=group.rows,
                total=self.terms.total,
            )
        # a cell that only warns must not represent one that blocks
        for small in (False, True):
            alike = [contrast for contrast in defined if self._is_small(contrast) is small]
            for contrast in decisive(alike, self.terms.measure):
                yield self._cell(contrast, small=small)

    def _cell(self, contrast: Contrast, *, small: bool) -> Statistic:
        family, terms = self.family, self.terms
        worse, better = contrast.worse, contrast.better
        answer = self.answers[worse.name, better.name]
        undefined = math.isnan(contrast.value)
        best = worse.rate == max(worse.rate, *(group.rate for group in family.eligible))
        where = _slice(contrast, family)
        if best and better in family.eligible:
            where = f"{family.prefix}{worse.name} (best)"
        problem = answer.problem or f"{answer.by} gives no value"
        return Statistic(
            name=terms.statistic,
            slice=where,
            value=None if undefined else contrast.value,
            interval=None if undefined else terms.interval((contrast.low, contrast.high)),
            alone=None if undefined else terms.interval_alone(contrast.alone),
            rows=worse.rows,
            total=terms.total,
            engine=answer.by,
            judged=True,
            lack=NoValue.UNDEFINED if undefined else None,
            reason=problem if undefined else _rates(worse, better),
            group=worse.name,
            members=family.people.get(worse.name, 0),
            small=small,
            design=self.design,
        )

    def _is_small(self, contrast: Contrast) -> bool:
        """Tell whether a side is a group of so few rows that it warns only."""
        fewest = min(contrast.worse.rows, contrast.better.rows)
        return fewest < self.least_large


def _design(family: GroupFamily, terms: RateTerms) -> PairsDesign:
    """Power design of the family, without groups that are too small a share to block."""
    pairs = terms.pairs_to_be(family)
    groups = tuple(dict.fromkeys(group for pair in pairs for group in pair))
    least = terms.least_large(family)
    large = [g for g in groups if g.rows >= least]
    return PairsDesign(
        measure=terms.measure,
        sizes=tuple(group.rows for group in groups),
        errors=pooled_error(family.pooled_rate, groups),
        pairs=tuple(
            (groups.index(worse), groups.index(better))
            for worse, better in pairs
            if worse in large and better in large
        ),
        centre=family.pooled_rate,
        z=terms.alone,
        rows=terms.total,
        design_effect=terms.design_effect,
        least=family.min_cell,
    )


def _both_zero(contrast: Contrast, measure: Measure) -> bool:
    return measure is Measure.RATIO and contrast.worse.successes == contrast.better.successes == 0


def _slice(contrast: Contrast, family: GroupFamily) -> str:
    return f"{family.prefix}{contrast.worse.name} vs {contrast.better.name}"


def _rates(worse: Group, better: Group) -> str:
    return (
        f"{worse.rate:.1%} of {worse.rows:,} against {better.rate:.1%} of {better.rows:,} "
        f"({better.name})"
    )
