"""Evidently's own drift tests by name: `check: evidently:TEST`.

The judged number is Evidently's, whatever `engine:` says; vanished columns, nulls and samples that
are too small are decided here first, because Evidently drops them in silence.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from aims_gate.checks import About, Inputs, Judged
from aims_gate.checks.drift.matching import CATEGORIES, matched, nulls_moved
from aims_gate.checks.named import Named, column_problems
from aims_gate.engines import Answer
from aims_gate.facts import Lack, Statistic
from aims_gate.frames import Cells, Distribution, Key, Kind
from aims_gate.policy.model import Role
from aims_gate.sources.subject import Data
from aims_gate.stats import drift
from aims_gate.stats.power import LEAST_SAMPLE
from aims_gate.stats.samples import MOST_ROWS, ORDER_STATISTICS, order_statistics

_DISTANCE = (
    f" Of numbers it sees up to {ORDER_STATISTICS:,} order statistics of each sample, of "
    "categories every count, nulls as a category of their own."
)
_P_VALUE = (
    " It sees every row. A p-value falls with the rows, however small the drift, and is not "
    "corrected over the columns; a column that has drifted a little fails on large data."
)
_HOW = " It has no interval, so that only decide_on: estimate is possible; drift.columns has one."


def _about(test: str, summary: str, definition: str, *, p_value: bool = False) -> About:
    return About(
        name=f"evidently:{test}",
        summary=summary,
        definition=definition + (_P_VALUE if p_value else _DISTANCE) + _HOW,
        roles=(Role.REFERENCE, Role.CURRENT),
        asks="evidently",
        engine="reference",
        controls=("iso42001:A.6.2.6",),
        undecided=(
            "a column is in the reference and not in the current data, or changed its kind",
            f"fewer than {LEAST_SAMPLE} rows in either sample",
            "numbers: infinite values, or a share of nulls that changed by over 1 %",
            f"rows or categories are needed one by one and there are over {MOST_ROWS:,}",
            "Evidently fails or gives no finite number",
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Evidently:
    """One test over each column; the class attributes say which."""

    about: ClassVar[About]
    test: ClassVar[str]
    kinds: ClassVar[tuple[Kind, ...]]
    """The kinds of columns that the test is for."""
    p_value: ClassVar[bool] = False
    high: ClassVar[float] = math.inf

    columns: Named = "all"
    """Names, or all reference columns that the test is for, but those with another role."""

    def judged(self) -> Judged:
        """Describe the test's score; the limit is Evidently's own default."""
        return Judged(
            name="p_value" if self.p_value else self.test,
            low=0.0,
            high=1.0 if self.p_value else self.high,
            higher_is_better=self.p_value,
            limit=0.05 if self.p_value else 0.1,
            has_interval=False,
        )

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Give what is wrong with the parameters."""
        return column_problems(self.columns)

    def measure(self, inputs: Inputs) -> Iterable[Statistic]:
        """Ask for every column; NoDataError if a role has no data."""
        reference = inputs.data(Role.REFERENCE)
        current = inputs.data(inputs.on or Role.CURRENT)
        found = matched(self.columns, reference, current, self._no_method)
        yield from found.notes
        for column, lack, reason in found.lacks:
            yield self._lack(column, lack, reason)
        for column in found.fit:
            yield self._column(column, reference, current, inputs)
        if not found.judged:
            yield self._lack("", Lack.MISSING, "no column is left to compare")

    def _no_method(self, kind: Kind) -> str:
        return "" if kind in self.kinds else f"evidently:{self.test} is not for {kind}"

    def _column(self, column: str, reference: Data, current: Data, inputs: Inputs) -> Statistic:
        if reference.frame.kinds[column] in CATEGORIES:
            key = Key(column=column)
            before, after = reference.frame.count(key), current.frame.count(key)
            lack = self._too_few(column, before.rows, after.rows)
            lack = lack or self._too_many(column, before.rows, after.rows)
            arguments = {} if lack else _categories(before, after)
        else:
            ordered = [data.frame.distribution(column) for data in (reference, current)]
            lack = self._unusable(column, *ordered)
            arguments = {} if lack else self._numbers(*ordered)
        if lack is not None:
            return lack
        answer = inputs.engine.by_name("evidently", self.test, arguments)
        return self._cell(column, answer, current.frame.rows)

    def _unusable(self, column: str, before: Distribution, after: Distribution) -> Statistic | None:
        moved = nulls_moved(before, after)
        if moved:
            return self._lack(column, Lack.UNDEFINED, f"evidently drops nulls, and {moved}")
        if not drift.usable(before, after):
            reason = "there are no values, or infinite ones"
            return self._lack(column, Lack.UNDEFINED, reason)
        sizes = [int(sample.counts.sum()) for sample in (before, after)]
        return self._too_few(column, *sizes) or (
            self._too_many(column, *sizes) if self.p_value else None
        )

    def _numbers(self, before: Distribution, after: Distribution) -> dict[str, Any]:
        samples = [
            np.repeat(sample.values, sample.counts) if self.p_value else order_statistics(sample)
            for sample in (before, after)
        ]
        ones = [np.ones(len(sample), dtype=np.int64) for sample in samples]
        return {
            "kind": "num",
            "reference": samples[0],
            "before": ones[0],
            "current": samples[1],
            "after": ones[1],
        }

    def _cell(self, column: str, answer: Answer, rows: int) -> Statistic:
        if answer.problem:
            lack = self._lack(column, Lack.UNDEFINED, answer.problem, rows=rows)
            return replace(lack, engine=answer.by)
        return Statistic(
            name=self.judged().name,
            slice=column,
            value=answer.value,
            rows=rows,
            total=rows,
            engine=answer.by,
            judged=True,
        )

    def _too_few(self, column: str, n: int, m: int) -> Statistic | None:
        if min(n, m) >= LEAST_SAMPLE:
            return None
        reason = f"{m:,} current and {n:,} reference rows, fewer than {LEAST_SAMPLE}"
        return self._lack(column, Lack.INSUFFICIENT, reason, rows=m)

    def _too_many(self, column: str, n: int, m: int) -> Statistic | None:
        if max(n, m) <= MOST_ROWS:
            return None
        reason = f"{max(n, m):,} rows, more than {MOST_ROWS:,}: use drift.columns"
        return self._lack(column, Lack.UNDEFINED, reason, rows=m)

    def _lack(self, column: str, lack: Lack, reason: str, *, rows: int = 0) -> Statistic:
        return Statistic(
            name=self.judged().name,
            slice=column,
            judged=True,
            lack=lack,
            reason=reason,
            rows=rows,
        )


def _categories(before: Cells, after: Cells) -> dict[str, Any]:
    """Number the categories of both samples, null among them, and give their counts."""
    counts = [before.by_value(), after.by_value()]
    codes = np.arange(len({**counts[0], **counts[1]}), dtype=np.int64)
    told = [
        np.array([count.get(value, 0) for value in {**counts[0], **counts[1]}], dtype=np.int64)
        for count in counts
    ]
    return {
        "kind": "cat",
        "reference": codes,
        "before": told[0],
        "current": codes,
        "after": told[1],
    }


_EVERY = (Kind.NUMBER, *CATEGORIES)
_BINS = "over Sturges' bins of both samples, or the values where there are at most 20"


@dataclass(frozen=True, slots=True, kw_only=True)
class Psi(_Evidently):
    """Population stability index on Evidently's own bins."""

    about = _about(
        "psi",
        "Population stability index of each column, on Evidently's bins.",
        f"Sum of (p - q) ln(p / q) {_BINS}, empty ones filled with 0.0001; in [0, inf), 0 is no "
        "drift.",
    )
    test = "psi"
    kinds = _EVERY


@dataclass(frozen=True, slots=True, kw_only=True)
class Wasserstein(_Evidently):
    """Wasserstein distance in standard deviations of the reference."""

    about = _about(
        "wasserstein",
        "Wasserstein distance of each numeric column, by Evidently.",
        "Area between the distribution functions over max(standard deviation of the reference, "
        "0.001); in [0, inf), 0 is no drift.",
    )
    test = "wasserstein"
    kinds = (Kind.NUMBER,)


@dataclass(frozen=True, slots=True, kw_only=True)
class JensenShannon(_Evidently):
    """Jensen-Shannon distance on Evidently's own bins."""

    about = _about(
        "jensenshannon",
        "Jensen-Shannon distance of each column, by Evidently.",
        f"Root of the Jensen-Shannon divergence in nats {_BINS}; in [0, 0.833], 0 is no drift and "
        "0.833 two samples without a common value.",
    )
    test = "jensenshannon"
    kinds = _EVERY
    high = math.sqrt(math.log(2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Hellinger(_Evidently):
    """Hellinger distance on Evidently's own bins."""

    about = _about(
        "hellinger",
        "Hellinger distance of each column, by Evidently.",
        f"Root of 1 - sum of sqrt(p q) {_BINS}; in [0, 1], 0 is no drift and 1 two samples without "
        "a common value.",
    )
    test = "hellinger"
    kinds = _EVERY
    high = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ks(_Evidently):
    """p-value of the two-sample Kolmogorov-Smirnov test."""

    about = _about(
        "ks",
        "p-value of the Kolmogorov-Smirnov test of each numeric column, by Evidently.",
        "Probability of so large a difference between the distribution functions without drift; "
        "in [0, 1], near 0 is drift.",
        p_value=True,
    )
    test = "ks"
    kinds = (Kind.NUMBER,)
    p_value = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TTest(_Evidently):
    """p-value of Student's two-sample t test."""

    about = _about(
        "t_test",
        "p-value of Student's t test of each numeric column, by Evidently.",
        "Probability of so large a difference between the means without drift; in [0, 1], near 0 "
        "is drift. A change that keeps the mean is not seen.",
        p_value=True,
    )
    test = "t_test"
    kinds = (Kind.NUMBER,)
    p_value = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ChiSquare(_Evidently):
    """p-value of the chi-square test."""

    about = _about(
        "chisquare",
        "p-value of the chi-square test of each categorical column, by Evidently.",
        "Probability of such counts if the reference's shares still held exactly; in [0, 1], near "
        "0 is drift. A category that the reference lacks gives 0.",
        p_value=True,
    )
    test = "chisquare"
    kinds = CATEGORIES
    p_value = True
