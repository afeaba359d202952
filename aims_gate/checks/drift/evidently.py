"""Evidently's own drift tests by name: `check: evidently:TEST`.

The judged number is Evidently's, whatever `engine:` says; vanished columns, nulls and samples that
are too small are decided here first, because Evidently drops them in silence. The tests themselves
are in `checks.drift.evidently_tests`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from aims_gate.checks.columnwise import columnwise
from aims_gate.checks.contract import About, Inputs, StatisticSpec
from aims_gate.checks.drift import asking
from aims_gate.checks.drift.distances import Lacking
from aims_gate.checks.drift.matching import CATEGORIES, kind_of_both, matched
from aims_gate.checks.parameters import ColumnNames, column_problems
from aims_gate.engines import Answer, LibraryValue
from aims_gate.facts import NoValue, Statistic
from aims_gate.frames import ColumnKind, Key
from aims_gate.frames.widths import alike
from aims_gate.policy.model import Role
from aims_gate.sources.subject import Data
from aims_gate.stats.counting import total
from aims_gate.stats.power import LEAST_SAMPLE
from aims_gate.stats.samples import MOST_ROWS, ORDER_STATISTICS

_DISTANCE = (
    f" Of numbers it sees up to {ORDER_STATISTICS:,} order statistics of each sample, of "
    "categories every count, nulls as a category of their own."
)
_P_VALUE = (
    " It sees every row. A p-value falls with the rows, however small the drift, and is not "
    "corrected over the columns; a column that has drifted a little fails on large data."
)
_HOW = " It has no interval, so that only decide_on: estimate is possible; drift.columns has one."
EVERY = (ColumnKind.NUMBER, *CATEGORIES)


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryTest:
    """A test of Evidently's, in its own terms."""

    name: str
    summary: str
    definition: str
    kinds: tuple[ColumnKind, ...]
    """The kinds of columns that the test is for."""
    p_value: bool = False
    high: float = math.inf
    """The largest score."""
    limit: float = 0.1
    """Evidently's default threshold."""
    paired: bool = False
    """Both samples must have as many rows."""
    most_values: float = math.inf
    """Categories that the test can take."""
    undecided: str = ""
    """When it has no score, beside what all have in common."""

    def about(self) -> About:
        """Describe the check: what all have in common is added."""
        return About(
            name=f"evidently:{self.name}",
            summary=self.summary,
            definition=self.definition + (_P_VALUE if self.p_value else _DISTANCE) + _HOW,
            roles=(Role.REFERENCE, Role.CURRENT),
            asks="evidently",
            engine="reference",
            controls=("iso42001:A.6.2.6",),
            undecided=(
                "a column is in the reference and not in the current data, or changed its kind",
                f"fewer than {LEAST_SAMPLE} rows in either sample",
                "numbers: infinite values, or a share of nulls that changed by over 1 %",
                f"rows or categories are needed one by one and there are over {MOST_ROWS:,}",
                *([self.undecided] if self.undecided else []),
                "Evidently fails or gives no finite number",
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidentlyTest:
    """One test over each column; the class attributes say which."""

    about: ClassVar[About]
    test: ClassVar[LibraryTest]

    columns: ColumnNames = "all"
    """Names, or all reference columns that the test is for, but those with another role."""

    def judged(self) -> StatisticSpec:
        """Describe the test's score; the limit is Evidently's own default."""
        numeric = ColumnKind.NUMBER in self.test.kinds
        return StatisticSpec(
            name="p_value" if self.test.p_value else self.test.name,
            low=0.0,
            high=1.0 if self.test.p_value else self.test.high,
            higher_is_better=self.test.p_value,
            limit=self.test.limit,
            has_interval=False,
            sorts=numeric,
            needs=("distribution",) if numeric else (),
        )

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Invalid parameters, each as (field, what is wrong, hint)."""
        return column_problems(self.columns)

    def measure(self, inputs: Inputs) -> Iterable[Statistic]:
        """Ask for every column; NoDataError if a role has no data."""
        reference = inputs.data(Role.REFERENCE)
        current = inputs.data(inputs.on or Role.CURRENT)
        found = matched(self.columns, reference, current, self._no_method)
        name = self.judged().name
        yield from found.notes
        for column, lack, reason in found.lacks:
            yield Lacking(lack=lack, reason=reason).cell(name, column)
        yield from columnwise(
            lambda column: (self._column(column, reference, current, inputs),), found.fit
        )
        if not found.judged:
            yield Lacking(lack=NoValue.MISSING, reason="no column is left to compare").cell(
                name, ""
            )

    def _no_method(self, kind: ColumnKind) -> str:
        return "" if kind in self.test.kinds else f"evidently:{self.test.name} is not for {kind}"

    def _column(self, column: str, reference: Data, current: Data, inputs: Inputs) -> Statistic:
        arguments = self._arguments(column, reference, current)
        if isinstance(arguments, Lacking):
            return arguments.cell(self.judged().name, column)
        question = LibraryValue(library="evidently", name=self.test.name, arguments=arguments)
        (answer,) = inputs.engine.ask(question)
        return self._cell(column, answer, current.frame.rows)

    def _arguments(self, column: str, reference: Data, current: Data) -> dict[str, Any] | Lacking:
        if kind_of_both(reference.frame, current.frame, column) in CATEGORIES:
            key = Key(column=column)
            before, after = (data.frame.count(key).by_value() for data in (reference, current))
            sizes = reference.frame.rows, current.frame.rows
            unfit = asking.unfit_sizes(*sizes, every=True)
            unfit = unfit or self._unfit(*sizes, values=len({**before, **after}))
            return unfit or asking.categories(before, after)
        samples = alike(reference.frame, current.frame, column)
        unfit = asking.unfit_numbers(*samples)
        sizes = total(samples[0].counts), total(samples[1].counts)
        unfit = unfit or asking.unfit_sizes(*sizes, every=self.test.p_value)
        return unfit or asking.numbers(*samples, every=self.test.p_value)

    def _unfit(self, n: int, m: int, *, values: int) -> Lacking | None:
        """Say why Evidently would fail on these counts."""
        if self.test.paired and n != m:
            reason = f"{self.test.name} needs as many rows in both, not {n:,} and {m:,}"
        elif values > self.test.most_values:
            reason = (
                f"{self.test.name} is for at most {self.test.most_values:g} values, not {values:,}"
            )
        else:
            return None
        return Lacking(lack=NoValue.UNDEFINED, reason=reason, rows=m)

    def _cell(self, column: str, answer: Answer, rows: int) -> Statistic:
        name = self.judged().name
        if answer.problem:
            problem = answer.problem
            lacking = Lacking(lack=NoValue.UNDEFINED, reason=problem, rows=rows, by=answer.by)
            return lacking.cell(name, column)
        return Statistic(
            name=name,
            slice=column,
            value=answer.value,
            rows=rows,
            total=rows,
            engine=answer.by,
            judged=True,
        )
