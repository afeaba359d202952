"""Drift: how far each column has moved between the reference and the current data.

Unseen categories and nulls count as drift, a vanished column is MISSING, and a column whose kind
changed or that no method fits is a cell that says so. Formulas are in `stats.bins`, `stats.drift`
and `stats.power`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from aims_gate.checks import About, Inputs, Judged
from aims_gate.checks.drift.matching import CATEGORIES, matched, nulls_moved
from aims_gate.checks.named import column_problems
from aims_gate.engines import Answer, Engine
from aims_gate.facts import Interval, Lack, Statistic
from aims_gate.frames import Distribution, Key, Kind
from aims_gate.policy.model import DecideOn, Role
from aims_gate.sources.subject import Data
from aims_gate.stats import bins, drift
from aims_gate.stats.power import LEAST_SAMPLE, DriftDesign

_LIMITS = {"psi": 0.25, "wasserstein": 0.50}


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Distance of every column's current distribution from its reference."""

    about: ClassVar[About] = About(
        name="drift.columns",
        summary="Distance of each column's current distribution from the reference.",
        definition=(
            "psi: sum of (p - q) ln(p / q) over about ten reference quantiles or the categories, "
            "half a row added to each, less what noise adds; in [0, inf), 0 is no drift and 0.25 "
            "conventionally a large one. Bounds invert the noncentral chi-square law. "
            "wasserstein: area between the two distribution functions over the reference's "
            "standard deviation; in [0, inf), 0 is no drift. Bounds match a gamma law to the "
            "Brownian bridge. Both are one-sided and Bonferroni-corrected over the columns."
        ),
        roles=(Role.REFERENCE, Role.CURRENT),
        asks="evidently",
        controls=("iso42001:A.6.2.6",),
        undecided=(
            "a column is in the reference and not in the current data, or changed its kind",
            f"fewer than {LEAST_SAMPLE} rows in either sample, or too few to see a serious drift",
            "so many categories that each is expected fewer than five times",
            "wasserstein: infinite values, or a share of nulls that changed by over 1 %",
        ),
    )

    columns: Literal["all"] | tuple[str, ...] = "all"
    """Names, or all reference columns but label, prediction, score, key, weight and time."""
    numeric: Literal["psi", "wasserstein", "none"] = "psi"
    categorical: Literal["psi", "none"] = "psi"

    @property
    def method(self) -> str:
        """The one method of the rule; `problems` refuses two."""
        return self.numeric if self.numeric != "none" else self.categorical

    def judged(self) -> Judged:
        """Describe the judged statistic: the distance."""
        return Judged(
            name=self.method,
            low=0.0,
            high=math.inf,
            higher_is_better=False,
            neutral=0.0,
            limit=_LIMITS.get(self.method),
            decide_on=DecideOn.PROVEN_BREACH,
        )

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Give what is wrong with the parameters."""
        methods = {self.numeric, self.categorical} - {"none"}
        if not methods:
            yield "numeric", "no method is left, so nothing would be compared", "use psi"
        elif len(methods) > 1:
            hint = "split it in two: categorical: none in one rule, numeric: none in the other"
            yield "numeric", f"one limit cannot fit {' and '.join(sorted(methods))}", hint
        yield from column_problems(self.columns)

    def measure(self, inputs: Inputs) -> Iterable[Statistic]:
        """Measure every column; NoDataError if a role has no data."""
        reference = inputs.data(Role.REFERENCE)
        current = inputs.data(inputs.on or Role.CURRENT)
        found = matched(self.columns, reference, current, self._no_method)
        pair = _Pair(
            reference=reference,
            current=current,
            engine=inputs.engine,
            alpha=inputs.alpha,
            columns=found.judged,
        )
        yield from found.notes
        for column, lack, reason in found.lacks:
            yield self._lack(column, lack, reason)
        for column in found.fit:
            yield self._measure(column, pair)
        if not found.judged:
            reason = "no column is left to compare"
            yield Statistic(name=self.method, judged=True, lack=Lack.MISSING, reason=reason)

    def _no_method(self, kind: Kind) -> str:
        method = self.numeric if kind is Kind.NUMBER else self.categorical
        told = "numbers" if kind is Kind.NUMBER else kind
        return f"the rule has no method for {told}" if method == "none" else ""

    def _measure(self, column: str, pair: _Pair) -> Statistic:
        kind = pair.reference.frame.kinds[column]
        if pair.reference.frame.rows == 0 or pair.current.frame.rows == 0:
            return self._lack(column, Lack.MISSING, "there are no rows to compare")
        if kind in CATEGORIES:
            return self._categories(column, pair)
        before = pair.reference.frame.distribution(column)
        after = pair.current.frame.distribution(column)
        if self.numeric == "wasserstein":
            return self._distance(column, before, after, pair)
        return self._psi(
            column,
            bins.numeric(before, after),
            lambda: pair.engine.drift_of_numbers("psi", before, after),
            pair,
        )

    def _categories(self, column: str, pair: _Pair) -> Statistic:
        before = pair.reference.frame.count(Key(column=column))
        after = pair.current.frame.count(Key(column=column))
        table = bins.categorical(before.by_value(), after.by_value())
        if table.bins == 1 and table.pooled > 1:
            reason = f"too many categories for these rows ({table.pooled:,} of them)"
            return self._lack(column, Lack.INSUFFICIENT, reason)
        return self._psi(
            column, table, lambda: pair.engine.drift_of_categories("psi", before, after), pair
        )

    def _psi(
        self, column: str, table: bins.Binned, ask: Callable[[], Answer], pair: _Pair
    ) -> Statistic:
        n, m = table.sizes
        found = drift.psi(table)
        few = self._too_few(column, n, m, found.value)
        if few is not None:
            return few
        answer = ask()
        if answer.problem:
            return self._unanswered(column, answer, m)
        share = pair.alpha / pair.columns
        design = DriftDesign(
            bins=table.bins, reference=n, current=m, columns=pair.columns, alpha=pair.alpha
        )
        noise = found.noise(share)
        note = f"noise alone reaches {noise:.2g} at these sizes"
        if answer.value > noise:
            note = f"most at {found.moved}; {note}"
        return Statistic(
            name=self.method,
            slice=column,
            value=answer.value,
            interval=pair.interval(found.bounds(share), "noncentral chi-square"),
            rows=m,
            total=pair.current.frame.rows,
            engine=answer.by,
            judged=True,
            reason=note if found.df else "one value in both samples",
            # where one value is all there is in both, there is no effect to miss
            design=design if found.df else None,
        )

    def _distance(
        self, column: str, before: Distribution, after: Distribution, pair: _Pair
    ) -> Statistic:
        n, m = (sample.rows - sample.nulls for sample in (before, after))
        moved = nulls_moved(before, after)
        if moved:
            return self._lack(
                column, Lack.UNDEFINED, f"wasserstein does not see nulls, and {moved}"
            )
        if not drift.usable(before, after):
            reason = "there are no values, or infinite ones"
            return self._lack(column, Lack.UNDEFINED, reason)
        if min(n, m) < LEAST_SAMPLE:
            few = self._too_few(column, n, m, drift.wasserstein(before, after))
            return few or self._lack(column, Lack.INSUFFICIENT, "too few rows")
        answer = pair.engine.drift_of_numbers("wasserstein", before, after)
        if answer.problem or not math.isfinite(answer.value):
            return self._unanswered(column, answer, m)
        noise = drift.wasserstein_noise(before, after, pair.alpha / pair.columns)
        bounds = max(answer.value - noise, 0.0), answer.value + noise
        return Statistic(
            name=self.method,
            slice=column,
            value=answer.value,
            interval=pair.interval(bounds, "Brownian bridge, gamma-matched"),
            rows=m,
            total=pair.current.frame.rows,
            engine=answer.by,
            judged=True,
            reason=f"noise alone reaches {noise:.2g} at these sizes",
        )

    def _too_few(self, column: str, n: int, m: int, value: float) -> Statistic | None:
        """Refuse to hold a distance against a limit where its law does not hold."""
        if min(n, m) >= LEAST_SAMPLE:
            return None
        reason = (
            f"{m:,} current and {n:,} reference rows, fewer than {LEAST_SAMPLE}; "
            f"observed {value:.2g}"
        )
        return self._lack(column, Lack.INSUFFICIENT, reason, rows=m)

    def _unanswered(self, column: str, answer: Answer, rows: int) -> Statistic:
        reason = answer.problem or f"{answer.by} gives no value"
        return replace(self._lack(column, Lack.UNDEFINED, reason, rows=rows), engine=answer.by)

    def _lack(self, column: str, lack: Lack, reason: str, *, rows: int = 0) -> Statistic:
        return Statistic(
            name=self.method, slice=column, judged=True, lack=lack, reason=reason, rows=rows
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """The two data sets of a rule, and what its columns share."""

    reference: Data
    current: Data
    engine: Engine
    alpha: float
    columns: int
    """Columns with a judged cell."""

    def interval(self, bounds: tuple[float, float], law: str) -> Interval:
        """Put one-sided bounds, each at alpha over the columns, into words."""
        method = f"{law}, one-sided, Bonferroni over {self.columns:,} columns"
        return Interval(low=bounds[0], high=bounds[1], level=1 - 2 * self.alpha, method=method)
