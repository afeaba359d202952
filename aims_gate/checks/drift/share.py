"""Dataset drift: the share of columns that have drifted.

`drift.columns` refuses one column that moved far. This finds many that each moved a little, which
no column's own limit sees.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from aims_gate.checks.columnwise import columnwise
from aims_gate.checks.contract import BRACKETS, EXACT, About, Inputs, StatisticSpec
from aims_gate.checks.drift.bracketed import count_ahead
from aims_gate.checks.drift.columns import UNDECIDED
from aims_gate.checks.drift.distances import (
    METHODS,
    Categorical,
    FoundDistance,
    Lacking,
    Numeric,
    SamplePair,
)
from aims_gate.checks.drift.matching import CATEGORIES, kind_of_both, matched
from aims_gate.checks.drift.measuring import compare
from aims_gate.checks.parameters import ColumnNames, column_problems
from aims_gate.facts import Interval, NoValue, Statistic
from aims_gate.frames import ColumnKind
from aims_gate.policy.model import DecideOn, Role
from aims_gate.stats.multiplicity import adjusted
from aims_gate.stats.power import SharesDesign

_LISTED = 5
"""So many drifted columns are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Share of the columns that have drifted, weighted if need be."""

    about: ClassVar[About] = About(
        name="drift.share",
        summary="Share of columns whose distribution has moved, however little beyond noise.",
        definition=(
            "A column has drifted if its distance is past `moved` and is no noise: the p-value of "
            "so large a distance without drift, adjusted over the columns by Benjamini and "
            "Hochberg, is at most alpha. The judged number is the weight of such columns over the "
            "weight of all; in [0, 1], 0 is no drifted column, 1 is all of them. The lower bound "
            "counts the columns whose drift is proven by Bonferroni, the upper bound those whose "
            "distance may be past `moved`. A column that drifted alone is proven only past "
            "`moved`: else a policy of one to three columns would refuse mere noise as often as "
            "alpha says, on top of what its other rules do. By convention 30 % are refused and "
            "10 % noticeable, written 0.2999 and 0.0999 because a value on a limit meets it. Half "
            "of the columns, which others ask for, let 1 of 40 columns pass that moved by 5 "
            "standard deviations."
        ),
        roles=(Role.REFERENCE, Role.CURRENT),
        asks="evidently",
        controls=("iso42001:A.6.2.6",),
        undecided=(
            *UNDECIDED,
            "so few columns could show twice `moved` that a serious share could be missed",
        ),
    )

    columns: ColumnNames = "all"
    """Names, or all reference columns but label, prediction, score, key, weight and time."""
    numeric: Numeric = "psi"
    """How numbers are compared."""
    categorical: Categorical = "psi"
    """How text and booleans are compared; may differ from numeric, because a share is judged."""
    moved: float | None = None
    """Distance past which a column has moved; the line of its method if none is given."""
    weights: Mapping[str, float] = field(default_factory=dict)
    """Importance by column, 0 or more; columns that are not named weigh 1."""
    design_effect: float = 1.0
    """Rows per independent row, at least 1: 1 + (c - 1) icc for clusters of c rows with intra-class
    correlation icc. Bounds, power and the least rows divide the rows by it."""

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic: the share of drifted columns."""
        return StatisticSpec(
            name="drifted_share",
            low=0.0,
            high=1.0,
            higher_is_better=False,
            neutral=0.0,
            limit=0.2999,
            line=0.0999,
            decide_on=DecideOn.PROVEN_BREACH,
            sorts=self.numeric != "none",
            needs=self._needs(),
        )

    def _needs(self) -> tuple[str, ...]:
        if self.numeric == "none":
            return ()
        # the others end in the exact value, which each column must have
        return ("distribution",) if self.numeric == "wasserstein" else ("distribution", BRACKETS)

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Invalid parameters, each as (field, what is wrong, hint)."""
        methods = {str(self.numeric), str(self.categorical)} - {"none"}
        if not methods:
            yield "numeric", "no method is left, so nothing would be compared", "use psi"
        if self.moved is not None:
            yield from self._moved_problems(self.moved, methods)
        for column in self.weights:
            if self.columns != "all" and column not in self.columns:
                yield "weights", f"{column} is not among columns", "add it there or leave it out"
        yield from column_problems(self.columns)

    def _moved_problems(self, moved: float, methods: set[str]) -> Iterable[tuple[str, str, str]]:
        if len(methods) > 1:
            told = " and ".join(sorted(methods))
            yield "moved", f"one distance cannot fit {told}", "leave moved out"
        elif not all(moved < METHODS[method].most for method in methods):
            yield "moved", f"{moved:g} is no distance between none and all", ""

    def measure(self, inputs: Inputs) -> Iterable[Statistic]:
        """Measure every column and count; NoDataError if a role has no data."""
        reference = inputs.data(Role.REFERENCE)
        current = inputs.data(inputs.on or Role.CURRENT)
        found = matched(self.columns, reference, current, self._no_method)
        yield from found.notes
        for column, lack, reason in found.lacks:
            yield Lacking(lack=lack, reason=reason).cell("drifted_share", column)
        compared = {*found.fit, *(column for column, _, _ in found.lacks)}
        for column in self.weights:
            if column not in compared:
                reason = "weights name a column that is not compared"
                yield Lacking(lack=NoValue.MISSING, reason=reason).cell("drifted_share", column)
        pair = SamplePair(
            reference=reference.frame,
            current=current.frame,
            engine=inputs.engine,
            alpha=inputs.alpha,
            # the bounds of all columns must hold, for one that is wrong takes away from the share
            alpha_alone=inputs.alpha_alone / max(1, found.judged),
            columns=max(1, found.judged),
            declared=reference.declared | current.declared,
            unnamed=current.unnamed,
            design_effect=self.design_effect,
            resolution=inputs.resolution.to_the_end(),
        )
        measured: list[_SharedColumn] = []
        count_ahead(found.fit, pair)
        for column, method, distance in columnwise(lambda c: self._compared(c, pair), found.fit):
            if isinstance(distance, Lacking):
                yield distance.cell("drifted_share", column)
            else:
                line = METHODS[method].line if self.moved is None else self.moved
                weight = self.weights.get(column, 1.0)
                of = METHODS[method].statistic
                measured.append(
                    _SharedColumn(name=column, of=of, found=distance, line=line, weight=weight)
                )
        if measured or not compared:  # columns that lack something have said so
            yield from _counted(measured, pair)

    def _compared(
        self, column: str, pair: SamplePair
    ) -> Iterator[tuple[str, str, FoundDistance | Lacking]]:
        method = self._method(kind_of_both(pair.reference, pair.current, column))
        found = compare(method, column, pair)
        if isinstance(found, FoundDistance) and found.bracket is not None:
            # columns are counted by what each is exactly
            found = compare(method, column, replace(pair, resolution=EXACT))
        yield column, method, found

    def _method(self, kind: ColumnKind | None) -> str:
        return self.numeric if kind is ColumnKind.NUMBER else self.categorical

    def _no_method(self, kind: ColumnKind) -> str:
        if kind is not ColumnKind.NUMBER and kind not in CATEGORIES:
            return f"no method fits {kind}"
        told = "numbers" if kind is ColumnKind.NUMBER else kind
        return f"the rule has no method for {told}" if self._method(kind) == "none" else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _SharedColumn:
    """A column with its distance, the line past which it has moved, and its weight."""

    name: str
    of: str
    """The statistic that the distance is."""
    found: FoundDistance
    line: float
    weight: float


def _counted(columns: Sequence[_SharedColumn], pair: SamplePair) -> Iterator[Statistic]:
    """Judged share of drifted columns, and a context statistic of each column."""
    if not any(column.weight for column in columns):
        reason = "all columns weigh nothing" if columns else "no column is left to compare"
        lack = NoValue.UNDEFINED if columns else NoValue.MISSING
        yield Lacking(lack=lack, reason=reason).cell("drifted_share", "")
        return
    # 1. a column has drifted where its distance is past its line, and beyond noise
    p_values = adjusted([column.found.p_value for column in columns])
    drifted = [
        column.found.value > column.line and p <= pair.alpha
        for column, p in zip(columns, p_values, strict=True)
    ]
    # 2. the share of those that drifted is judged; 3. each column is reported beside it
    yield _judged(columns, drifted, pair)
    for column, p, counts in zip(columns, p_values, drifted, strict=True):
        yield _context(column, p, pair, counts=counts)


def _context(column: _SharedColumn, p: float, pair: SamplePair, *, counts: bool) -> Statistic:
    """Distance of one column, with its adjusted p-value and whether it counts as drifted."""
    outcome = "drifted" if counts else "not counted as drifted"
    return Statistic(
        name=column.of,
        slice=column.name,
        value=column.found.value,
        interval=pair.interval(column.found),
        rows=column.found.rows,
        total=pair.current.rows,
        engine=column.found.by,
        reason=f"{outcome}: past {column.line:g} counts, adjusted p {p:.2g}",
        curves=column.found.curves,
    )


def _judged(
    columns: Sequence[_SharedColumn], drifted: Sequence[bool], pair: SamplePair
) -> Statistic:
    """Share of drifted columns, with the share proven and the share possible as its interval.

    Args:
        columns: At least one that weighs something.
        drifted: Per column whether it counts: past its line, with an adjusted p value up to alpha.
        pair: What is compared, and the error rates.
    """
    # one column alone is proven only where its own bound is past the line, too
    bound_counts = sum(drifted) == 1
    proven = [
        column.found.value > column.line
        and column.found.p_value <= pair.alpha / pair.columns
        and (not bound_counts or column.found.bounds[0] > column.line)
        for column in columns
    ]
    possible = [max(c.found.value, c.found.bounds[1]) > c.line for c in columns]
    seriously = [column.found.alone[1] > 2 * column.line for column in columns]
    names = [column.name for column, yes in zip(columns, drifted, strict=True) if yes]
    rows = pair.current.rows
    return Statistic(
        name="drifted_share",
        value=_share(columns, drifted),
        interval=Interval(
            low=_share(columns, proven),
            high=_share(columns, possible),
            level=1 - 2 * pair.alpha,
            method=f"columns proven or possible, Bonferroni over {pair.columns:,} columns",
        ),
        alone=Interval(
            low=0.0,
            high=_share(columns, seriously),
            level=1 - 2 * pair.alpha_alone * pair.columns,
            method=f"columns that may have moved by twice their line, Bonferroni over "
            f"{pair.columns:,} columns",
        ),
        rows=rows,
        total=rows,
        engine=", ".join(dict.fromkeys(column.found.by for column in columns)),
        judged=True,
        reason=_listed(names, len(columns)),
        design=SharesDesign(
            columns=tuple((c.weight, 2 * c.line, c.found.design) for c in columns), rows=rows
        ),
    )


def _share(columns: Sequence[_SharedColumn], chosen: Sequence[bool]) -> float:
    """Weight of the *chosen* columns over the weight of all, in [0, 1]."""
    weight = sum(column.weight for column, yes in zip(columns, chosen, strict=True) if yes)
    return min(weight / sum(column.weight for column in columns), 1.0)


def _listed(names: Sequence[str], of: int) -> str:
    if not names:
        return f"none of {of:,} columns"
    more = len(names) - _LISTED
    told = ", ".join(names[:_LISTED]) + (f" and {more:,} more" if more > 0 else "")
    return f"{len(names):,} of {of:,} columns: {told}"
