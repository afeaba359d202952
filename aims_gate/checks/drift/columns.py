"""Data drift: the distance of each column between the reference and the current data.

Unseen categories and nulls count as drift, a vanished column is MISSING, and a column whose kind
changed or that no method fits is a cell that says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from aims_gate.checks.columnwise import columnwise
from aims_gate.checks.contract import About, Inputs, StatisticSpec
from aims_gate.checks.drift.bracketed import count_ahead
from aims_gate.checks.drift.distances import (
    METHODS,
    Categorical,
    Lacking,
    Numeric,
    SamplePair,
    judged_of,
)
from aims_gate.checks.drift.matching import CATEGORIES, matched
from aims_gate.checks.drift.measuring import cells
from aims_gate.checks.parameters import column_problems
from aims_gate.facts import NoValue, Statistic
from aims_gate.frames import ColumnKind
from aims_gate.policy.model import Role
from aims_gate.stats.distance import Distance
from aims_gate.stats.divergence import DIVERGENCES
from aims_gate.stats.drift import DISTANCES
from aims_gate.stats.power import LEAST_SAMPLE


def _told(rows: Mapping[str, Distance]) -> str:
    return " ".join(f"{row.name}: {row.definition}" for row in rows.values())


_LIMITS = ", ".join(f"{row.name} {row.limit:.2f} and {row.line:.2f}" for row in METHODS.values())
DEFINITION = (
    f"{_told(DIVERGENCES)} Of these, 0 is no drift, 1 (0.833) no common value; bounds invert the "
    f"noncentral chi-square law. {_told(DISTANCES)} All bounds are one-sided and "
    f"Bonferroni-corrected over the columns. Limits and lines: {_LIMITS}."
)
_ORDERED = ", ".join(DISTANCES)
_FINITE = ", ".join(name for name, of in DISTANCES.items() if of.finite)
UNDECIDED = (
    "a column is in the reference and not in the current data, or changed its kind",
    f"fewer than {LEAST_SAMPLE} rows in either sample, or too few to see a serious drift",
    "so many categories that each is expected fewer than five times",
    f"{_ORDERED}: a share of nulls that changed by over 1 %; {_FINITE}: infinite values",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Distance of every column's current distribution from its reference."""

    about: ClassVar[About] = About(
        name="drift.columns",
        summary="Distance of each column's current distribution from the reference.",
        definition=DEFINITION,
        roles=(Role.REFERENCE, Role.CURRENT),
        asks="evidently",
        controls=("iso42001:A.6.2.6",),
        undecided=UNDECIDED,
    )

    columns: Literal["all"] | tuple[str, ...] = "all"
    """Names, or all reference columns but label, prediction, score, key, weight and time."""
    numeric: Numeric = "psi"
    """How numbers are compared."""
    categorical: Categorical = "psi"
    """How text and booleans are compared; one limit fits one method, so that two methods need
    two rules, each with `none` for the other kind."""
    design_effect: float = 1.0
    """Rows per independent row, at least 1: 1 + (c - 1) icc for clusters of c rows with intra-class
    correlation icc. Bounds, power and the least rows divide the rows by it."""

    @property
    def method(self) -> str:
        """The one method of the rule; `problems` refuses two."""
        return self.numeric if self.numeric != "none" else self.categorical

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic: the distance."""
        # no method at all is refused by `problems`
        judged = judged_of(self.method if self.method in METHODS else "psi")
        sorts = self.numeric != "none"
        return replace(judged, sorts=sorts, needs=judged.needs if sorts else ())

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Invalid parameters, each as (field, what is wrong, hint)."""
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
        name = self.judged().name
        pair = SamplePair(
            reference=reference.frame,
            current=current.frame,
            engine=inputs.engine,
            alpha=inputs.alpha,
            alpha_alone=inputs.alpha_alone,
            columns=found.judged,
            declared=reference.declared | current.declared,
            unnamed=current.unnamed,
            design_effect=self.design_effect,
            resolution=inputs.resolution,
        )
        yield from found.notes
        for column, lack, reason in found.lacks:
            yield Lacking(lack=lack, reason=reason).cell(name, column)
        count_ahead(found.fit, pair)
        yield from columnwise(lambda column: self._cells(column, pair), found.fit)
        if not found.judged:
            yield Lacking(lack=NoValue.MISSING, reason="no column is left to compare").cell(
                name, ""
            )

    def _cells(self, column: str, pair: SamplePair) -> Iterable[Statistic]:
        return cells(self.method, column, pair)

    def _no_method(self, kind: ColumnKind) -> str:
        if kind is not ColumnKind.NUMBER and kind not in CATEGORIES:
            return f"no method fits {kind}"
        method = self.numeric if kind is ColumnKind.NUMBER else self.categorical
        told = "numbers" if kind is ColumnKind.NUMBER else kind
        return f"the rule has no method for {told}" if method == "none" else ""
