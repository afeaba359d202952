"""Drift distance of one column between two data sets, by any method of the family.

`drift.columns`, `drift.share`, `drift.prediction` and `drift.label` all measure here, so that one
column has one distance whoever asks. Formulas are in `stats.bins`, `stats.divergence`,
`stats.drift` and `stats.power`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from aims_gate.checks.drift.bracketed import compare_cells, histograms
from aims_gate.checks.drift.distances import METHODS, FoundDistance, Lacking, SamplePair
from aims_gate.checks.drift.matching import CATEGORIES, kind_of_both, nulls_moved
from aims_gate.checks.levels import has_name
from aims_gate.engines import DriftOfBins, DriftOfNumbers
from aims_gate.facts import NoValue, Statistic
from aims_gate.frames import Distribution, Key
from aims_gate.frames.widths import alike
from aims_gate.stats import bins, divergence
from aims_gate.stats.counting import total
from aims_gate.stats.divergence import DIVERGENCES
from aims_gate.stats.drift import DISTANCES, OrderedDistance, usable
from aims_gate.stats.drift_power import DivergenceDesign, OrderedDesign
from aims_gate.stats.intervals import Bounds
from aims_gate.stats.power import LEAST_SAMPLE

_NOBODYS = ("null", "rare")
"""Bins that are no value."""


def cells(method: str, column: str, pair: SamplePair) -> Iterator[Statistic]:
    """Judged statistic of one column, and its context statistics."""
    name = METHODS[method].statistic
    found = compare(method, column, pair)
    if isinstance(found, Lacking):
        yield found.cell(name, column)
        return
    yield cell(name, column, found, pair)
    for beside, value in found.context:
        yield Statistic(
            name=beside,
            slice=column,
            value=value,
            rows=found.rows,
            total=pair.current.rows,
            reason="beside the judged distance; not corrected over the columns",
        )


def cell(name: str, column: str, found: FoundDistance, pair: SamplePair) -> Statistic:
    """Judged statistic of a computed distance."""
    return Statistic(
        name=name,
        slice=column,
        value=found.value,
        interval=pair.interval(found),
        alone=pair.interval_alone(found),
        rows=found.rows,
        total=pair.current.rows,
        engine=found.by,
        judged=True,
        reason=found.note,
        design=found.design,
        curves=found.curves,
        bracket=found.bracket,
    )


def compare(method: str, column: str, pair: SamplePair) -> FoundDistance | Lacking:
    """Measure a column that both frames have, of a kind that *method* fits."""
    if pair.reference.rows == 0 or pair.current.rows == 0:
        return Lacking(lack=NoValue.MISSING, reason="there are no rows to compare")
    if kind_of_both(pair.reference, pair.current, column) in CATEGORIES:
        return _categories(method, column, pair)

    def by_values(samples: tuple[Distribution, Distribution]) -> FoundDistance | Lacking:
        return _numbers(method, column, samples, pair)

    counted = histograms(method, column, pair)
    if counted is not None:
        return compare_cells(method, counted, pair, by_values)
    return by_values(alike(pair.reference, pair.current, column))


def _numbers(
    method: str, column: str, samples: tuple[Distribution, Distribution], pair: SamplePair
) -> FoundDistance | Lacking:
    if method not in DISTANCES:
        return _binned(method, _called(bins.numeric(*samples), column, 1, pair), pair)
    found = _ordered(method, *samples, pair)
    if isinstance(found, Lacking):
        return found
    table = _called(bins.numeric(*samples), column, 1, pair, tell=False)
    return replace(found, curves=pair.histogram(table))


def _called(
    table: bins.Binned, column: str, values: int, pair: SamplePair, *, tell: bool = True
) -> bins.Binned:
    """Number the bins that evidence does not name: categories of people, edges that are theirs.

    *tell* whoever runs the gate what is behind the numbers.
    """
    declared, names = column in pair.declared, list(table.names)
    counts = (table.reference + table.current).tolist()
    for place, (name, rows) in enumerate(zip(table.names, counts, strict=True)):
        if name in _NOBODYS or has_name(rows, values, declared=declared):
            continue
        names[place] = f"bin {place + 1} of {table.bins}"
        if tell:
            pair.unnamed[f"{column}, {names[place]}"] = name
    return replace(table, names=tuple(names))


def _categories(method: str, column: str, pair: SamplePair) -> FoundDistance | Lacking:
    key = Key(column=column)
    before, after = pair.reference.count(key).by_value(), pair.current.count(key).by_value()
    table = bins.categorical(before, after)
    if table.bins == 1 and table.pooled > 1:
        reason = f"too many categories for these rows ({table.pooled:,} of them)"
        return Lacking(lack=NoValue.INSUFFICIENT, reason=reason)
    table = _called(table, column, len({**before, **after}), pair)
    found = _binned(method, table, pair)
    if isinstance(found, FoundDistance):
        beside = DIVERGENCES[method].beside
        return replace(found, context=beside(*bins.unpooled(before, after)))
    return found


def _binned(method: str, table: bins.Binned, pair: SamplePair) -> FoundDistance | Lacking:
    n, m = table.sizes
    found = divergence.of_table(method, table, design_effect=pair.design_effect)
    if min(n, m) < LEAST_SAMPLE * pair.design_effect:
        return _too_few(n, m, found.value, pair)
    (answer,) = pair.engine.ask(DriftOfBins(method=method, table=table))
    if answer.problem or not math.isfinite(answer.value):
        return _unanswered(answer.by, answer.problem, m)
    share = pair.alpha / pair.columns
    noise = found.noise(share)
    note = f"noise alone reaches {noise:.2g} at these sizes"
    if found.of_dependent_rows(answer.value) > noise:
        note = f"most at {found.top_bin}; {note}"
    design = DivergenceDesign(
        bins=table.bins,
        reference=n,
        rows=m,
        alpha=pair.alpha_alone,
        method=method,
        design_effect=pair.design_effect,
    )
    return FoundDistance(
        value=found.of_dependent_rows(answer.value),
        bounds=found.bounds(share),
        alone=found.bounds(pair.alpha_alone),
        law="noncentral chi-square",
        p_value=found.p_value,
        rows=m,
        by=answer.by,
        note=note if found.df else "one value in both samples",
        # where one value is all there is in both, there is no effect to miss
        design=design if found.df else None,
        context=found.of.beside(table.reference, table.current),
        curves=pair.histogram(table),
    )


def _ordered(
    method: str, before: Distribution, after: Distribution, pair: SamplePair
) -> FoundDistance | Lacking:
    of = DISTANCES[method]
    # 1. our own preconditions come first
    unfit = _unfit(of, before, after)
    if unfit:
        return Lacking(lack=NoValue.UNDEFINED, reason=unfit)
    n, m = total(before.counts), total(after.counts)
    if min(n, m) < LEAST_SAMPLE * pair.design_effect:
        return _too_few(n, m, of.value(before, after), pair)
    # 2. the value is the engine's
    question = DriftOfNumbers(method=method, reference=before, current=after)
    (answer,) = pair.engine.ask(question)
    if answer.problem or not math.isfinite(answer.value):
        return _unanswered(answer.by, answer.problem, m)
    # 3. noise and bounds follow from the null distribution of our formula
    share, unit = pair.alpha / pair.columns, math.sqrt(1 / n + 1 / m)
    wider = math.sqrt(pair.design_effect)  # both laws scale with the root of the rows
    law = of.law(before, after)
    noise, p_value = law.noise(share) * wider, law.p_value(answer.value / wider)
    error, alone = (law.error(alpha) * wider for alpha in (share, pair.alpha_alone))
    tail = law.p_value  # and not the law, which would keep both samples as long as the statistic
    return FoundDistance(
        value=answer.value,
        bounds=_around(answer.value, error, of.most),
        alone=_around(answer.value, alone, of.most),
        law=law.name,
        p_value=p_value,
        rows=m,
        by=answer.by,
        note=f"noise alone reaches {noise:.2g} at these sizes",
        design=OrderedDesign(
            reference=n,
            rows=m,
            below=lambda distance: 1 - tail(distance * unit),
            error=alone / unit / wider,
            design_effect=pair.design_effect,
        ),
        context=(("p_value", p_value),) if of.p_value_beside else (),
    )


def _around(value: float, error: float, most: float) -> Bounds:
    """Interval value -+ margin of error, kept within [0, most]."""
    return max(value - error, 0.0), min(value + error, most)


def _unfit(of: OrderedDistance, before: Distribution, after: Distribution) -> str:
    moved = nulls_moved(before, after)
    if moved:
        return f"{of.name} does not see nulls, and {moved}"
    if not (len(before.values) and len(after.values)):
        return "there are no values"
    if of.finite and not usable(before, after):
        return "there are infinite values"
    return ""


def _too_few(n: int, m: int, value: float, pair: SamplePair) -> Lacking:
    """Refuse to judge a distance where samples are too small for its null distribution."""
    least = f"{LEAST_SAMPLE}"
    if pair.design_effect != 1:
        least += f" times the design effect {pair.design_effect:g}"
    reason = f"{m:,} current and {n:,} reference rows, fewer than {least}"
    return Lacking(lack=NoValue.INSUFFICIENT, reason=reason, rows=m, observed=value)


def _unanswered(by: str, problem: str, rows: int) -> Lacking:
    reason = problem or f"{by} gives no value"
    return Lacking(lack=NoValue.UNDEFINED, reason=reason, rows=rows, by=by)
