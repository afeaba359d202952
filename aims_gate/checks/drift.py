"""Drift: how far each column has moved between the reference and the current data.

Unseen categories and nulls count as drift, a vanished column is MISSING, and a column whose kind
changed or that no method fits is a cell that says so. Formulas are in `stats.bins`, `stats.drift`
and `stats.power`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from aims_gate.checks import About, Inputs, Judged
from aims_gate.engines import Engine
from aims_gate.errors import near
from aims_gate.facts import Interval, Lack, Statistic
from aims_gate.frames import Cells, Distribution, Key, Kind, Scalar
from aims_gate.policy.model import DataSpec, DecideOn, Role
from aims_gate.sources.subject import Data
from aims_gate.stats import bins, drift
from aims_gate.stats.power import LEAST_SAMPLE, DriftDesign

_LIMITS = {"psi": 0.25, "wasserstein": 0.50}
_NULLS = 0.01
"""A null share that changes by more than this is a drift that Wasserstein cannot see."""
_CATEGORIES = (Kind.TEXT, Kind.BOOLEAN)


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
        if self.columns == "all":
            return
        if not self.columns or not all(self.columns):
            yield "columns", "names no column, or an empty one", "list them or write all"
        if len(set(self.columns)) != len(self.columns):
            yield "columns", "names a column twice", ""

    def measure(self, inputs: Inputs) -> Iterable[Statistic]:
        """Measure every column; NoDataError if a role has no data."""
        reference = inputs.data(Role.REFERENCE)
        current = inputs.data(inputs.on or Role.CURRENT)
        lacks, notes, fit = self._sorted(reference, current)
        pair = _Pair(
            reference=reference,
            current=current,
            engine=inputs.engine,
            alpha=inputs.alpha,
            columns=len(fit) + len(lacks),
        )
        yield from notes
        yield from lacks
        for column in fit:
            yield self._measure(column, pair)
        if not fit and not lacks:
            reason = "no column is left to compare"
            yield Statistic(name=self.method, judged=True, lack=Lack.MISSING, reason=reason)

    def _sorted(
        self, reference: Data, current: Data
    ) -> tuple[list[Statistic], list[Statistic], list[str]]:
        """Sort the columns: those that lack something, those left out, those that can be compared.

        No column is in none of them. Only `all` leaves columns out; one that is named is judged.
        """
        lacks: list[Statistic] = []
        notes: list[Statistic] = []
        fit: list[str] = []
        named = self.columns != "all"
        before, after = reference.frame.kinds, current.frame.kinds
        for column in _all(reference, current) if self.columns == "all" else self.columns:
            missing = self._absent(column, before, after)
            unfit = "" if missing else self._unfit(before[column], after[column])
            if missing:
                lacks.append(self._lack(column, Lack.MISSING, missing))
            elif unfit and (named or before[column] is not after[column]):
                lacks.append(self._lack(column, Lack.UNDEFINED, unfit))
            elif unfit:
                reason = f"left out: {unfit}"
                notes.append(Statistic(name="left_out", slice=column, reason=reason))
            else:
                fit.append(column)
        if not named:
            notes += _left_out(reference, current)
        new = [column for column in after if column not in before]
        notes += [
            Statistic(name="new_column", slice=column, reason="in the current data only")
            for column in new
        ]
        return lacks, notes, fit

    def _absent(self, column: str, before: Mapping[str, Kind], after: Mapping[str, Kind]) -> str:
        for where, kinds in (("reference", before), ("current", after)):
            if column not in kinds:
                return f"no column {column!r} in the {where} data; {near(column, kinds)}"
        return ""

    def _unfit(self, before: Kind, after: Kind) -> str:
        if before is not after:
            return f"type changed from {before} to {after}"
        if before is Kind.NUMBER:
            return "the rule has no method for numbers" if self.numeric == "none" else ""
        if before in _CATEGORIES:
            return f"the rule has no method for {before}" if self.categorical == "none" else ""
        return f"no method fits {before}"

    def _measure(self, column: str, pair: _Pair) -> Statistic:
        kind = pair.reference.frame.kinds[column]
        if pair.reference.frame.rows == 0 or pair.current.frame.rows == 0:
            return self._lack(column, Lack.MISSING, "there are no rows to compare")
        if kind in _CATEGORIES:
            return self._categories(column, pair)
        before = pair.reference.frame.distribution(column)
        after = pair.current.frame.distribution(column)
        if self.numeric == "wasserstein":
            return self._distance(column, before, after, pair)
        value = pair.engine.drift_of_numbers("psi", before, after)
        return self._psi(column, bins.numeric(before, after), value, pair)

    def _categories(self, column: str, pair: _Pair) -> Statistic:
        before = pair.reference.frame.count(Key(column=column))
        after = pair.current.frame.count(Key(column=column))
        table = bins.categorical(_counts(before), _counts(after))
        if table.bins == 1 and table.pooled > 1:
            reason = f"too many categories for these rows ({table.pooled:,} of them)"
            return self._lack(column, Lack.INSUFFICIENT, reason)
        value = pair.engine.drift_of_categories("psi", before, after)
        return self._psi(column, table, value, pair)

    def _psi(self, column: str, table: bins.Binned, value: float, pair: _Pair) -> Statistic:
        n, m = table.sizes
        few = self._too_few(column, n, m, value)
        if few is not None:
            return few
        found = drift.psi(table)
        share = pair.alpha / pair.columns
        design = DriftDesign(
            bins=table.bins, reference=n, current=m, columns=pair.columns, alpha=pair.alpha
        )
        noise = found.noise(share)
        note = f"noise alone reaches {noise:.2g} at these sizes"
        if value > noise:
            note = f"most at {found.moved}; {note}"
        return Statistic(
            name=self.method,
            slice=column,
            value=value,
            interval=pair.interval(found.bounds(share), "noncentral chi-square"),
            rows=m,
            total=pair.current.frame.rows,
            engine=pair.engine.label,
            judged=True,
            reason=note if found.df else "one value in both samples",
            # where one value is all there is in both, there is no effect to miss
            design=design if found.df else None,
        )

    def _distance(
        self, column: str, before: Distribution, after: Distribution, pair: _Pair
    ) -> Statistic:
        n, m = (sample.rows - sample.nulls for sample in (before, after))
        shares = [sample.nulls / sample.rows for sample in (before, after)]
        if abs(shares[0] - shares[1]) > _NULLS:
            reason = (
                f"wasserstein does not see nulls, and their share changed from {shares[0]:.1%} to "
                f"{shares[1]:.1%}: use psi"
            )
            return self._lack(column, Lack.UNDEFINED, reason)
        value = pair.engine.drift_of_numbers("wasserstein", before, after)
        if not math.isfinite(value):
            reason = "there are no values, or infinite ones"
            return self._lack(column, Lack.UNDEFINED, reason)
        few = self._too_few(column, n, m, value)
        if few is not None:
            return few
        noise = drift.wasserstein_noise(before, after, pair.alpha / pair.columns)
        bounds = max(value - noise, 0.0), value + noise
        return Statistic(
            name=self.method,
            slice=column,
            value=value,
            interval=pair.interval(bounds, "Brownian bridge, gamma-matched"),
            rows=m,
            total=pair.current.frame.rows,
            engine=pair.engine.label,
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


def _all(reference: Data, current: Data) -> Iterator[str]:
    roles = {*_roles(reference.spec), *_roles(current.spec)}
    return (column for column in reference.frame.kinds if column not in roles)


def _left_out(reference: Data, current: Data) -> Iterator[Statistic]:
    """Say which columns have a role instead: roles are logged with the data, by their author."""
    of = {c: data.role for data in (current, reference) for c in _roles(data.spec)}
    for column in filter(of.__contains__, reference.frame.kinds):
        reason = f"left out: a role of the {of[column]} data, not an input"
        yield Statistic(name="left_out", slice=column, reason=reason)


def _roles(spec: DataSpec) -> Iterator[str]:
    yield from filter(None, (spec.label, spec.prediction, spec.key, spec.weight, spec.time))
    if isinstance(spec.score, str):
        yield spec.score
    elif spec.score is not None:
        yield from spec.score.values()


def _counts(cells: Cells) -> Mapping[Scalar | None, int]:
    counts = zip(cells.values, cells.counts, strict=True)
    return {value: int(count) for (value,), count in counts}
