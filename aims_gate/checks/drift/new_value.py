"""New values: one value that suddenly fills many rows, which no drift distance detects.

Five rows in a hundred broken to a constant inside the range leave PSI, Kolmogorov-Smirnov and
Wasserstein where they were. Formulas are in `stats.new_values`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from aims_gate.checks.columnwise import columnwise
from aims_gate.checks.contract import About, Inputs, StatisticSpec
from aims_gate.checks.drift.distances import Lacking
from aims_gate.checks.drift.held import Held, numbers, values
from aims_gate.checks.drift.matching import kind_of_both, matched
from aims_gate.checks.levels import LEAST, MOST, levels
from aims_gate.checks.parameters import ColumnNames, column_problems
from aims_gate.facts import Interval, NoValue, Statistic
from aims_gate.frames import ColumnKind, Frame, Key, Scalar
from aims_gate.policy.model import DecideOn, Role
from aims_gate.sources.subject import Data
from aims_gate.stats.new_values import NewValueDesign, Sizes, Unseen, upper
from aims_gate.stats.power import LEAST_SAMPLE

_SHOWN = 40
"""Characters of a value that are shown."""
_COUNTED = (ColumnKind.NUMBER, ColumnKind.BOOLEAN, ColumnKind.TEXT, ColumnKind.TIME)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewValue:
    """Share of rows that a value holds which hardly occurred before."""

    about: ClassVar[About] = About(
        name="drift.new_value",
        summary="Largest share of current rows held by one value that is new to a column.",
        definition=(
            "A value, null included, is new if it holds at least `share` of the current rows and "
            "`factor` times its share of the reference. The judged number is the share that the "
            "worst new value of a column holds; in [0, 1], 0 is no new value, 1 a column that has "
            "only it. The lower bound is the share that is provably beyond twice the reference's "
            "frequency, by the exact conditional test, Bonferroni-corrected over the columns and "
            "the 1 / `share` values that can hold so much; above 0 it proves the breach. Numbers, "
            "texts, booleans and times are counted by value, so that a constant, a default fill "
            "and a new category are found alike; that a value grows within `factor` times is for "
            "drift.columns. With `unseen_share`, texts have a second cell: the share of rows in "
            "unseen categories, less that of categories seen once in the reference, which is what "
            "chance leaves unseen (Good, 1953); it counts beyond `unseen_share`, and is proven "
            "where guarded Wilson bounds lie more than 1 % apart."
        ),
        roles=(Role.REFERENCE, Role.CURRENT),
        controls=("iso42001:A.6.2.6",),
        undecided=(
            "a column is in the reference and not in the current data, or changed its kind",
            f"none is found, and twice `share` could be missed or a sample is under {LEAST_SAMPLE}",
            "that a value holds twice `share`, and 2 `factor` times its old share, is not excluded",
        ),
    )

    columns: ColumnNames = "all"
    """Names, or all reference columns but label, prediction, score, key, weight and time."""
    share: float = 0.03
    """Share of the current rows from which one value counts, in (0, 0.5]."""
    factor: float = 5.0
    """How many times its share of the reference a new value holds, above 2."""
    unseen_share: float | None = None
    """Share of rows in unseen categories, beyond chance, from which they count, in (0, 1)."""

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic: 0 unless there is a new value."""
        return StatisticSpec(
            name="new_value",
            low=0.0,
            high=1.0,
            higher_is_better=False,
            neutral=0.0,
            limit=0.0,
            decide_on=DecideOn.PROVEN_BREACH,
            sorts=True,
            needs=("distribution",),
        )

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Invalid parameters, each as (field, what is wrong, hint)."""
        yield from column_problems(self.columns)

    def measure(self, inputs: Inputs) -> Iterable[Statistic]:
        """Measure every column; NoDataError if a role has no data."""
        reference = inputs.data(Role.REFERENCE)
        current = inputs.data(inputs.on or Role.CURRENT)
        found = matched(self.columns, reference, current, _no_method)
        yield from found.notes
        for column, lack, reason in found.lacks:
            yield Lacking(lack=lack, reason=reason).cell("new_value", column)
        frames = reference.frame, current.frame
        texts = [c for c in found.fit if self._unseen_counts(kind_of_both(*frames, c))]
        family = _ValueFamily(
            alpha=inputs.alpha,
            alpha_alone=inputs.alpha_alone,
            cells=max(1, found.judged + len(texts)),
        )
        yield from columnwise(
            lambda column: self._column(column, *frames, family, current), found.fit
        )
        if not found.judged:
            lacking = Lacking(lack=NoValue.MISSING, reason="no column is left to compare")
            yield lacking.cell("new_value", "")

    def _unseen_counts(self, kind: ColumnKind | None) -> bool:
        return self.unseen_share is not None and kind is ColumnKind.TEXT

    def _column(
        self, column: str, before: Frame, after: Frame, family: _ValueFamily, current: Data
    ) -> Iterator[Statistic]:
        if before.rows == 0 or after.rows == 0:
            lacking = Lacking(lack=NoValue.MISSING, reason="there are no rows to compare")
            yield lacking.cell("new_value", column)
            return
        sizes = Sizes(reference=before.rows, current=after.rows, alpha=family.alpha / family.cells)
        kind = kind_of_both(before, after, column)
        if kind is ColumnKind.NUMBER:
            held = numbers(column, before, after, self.share)
            yield self._worst(column, held, sizes, family, current)
            return
        key = Key(column=column)
        counts = before.count(key).by_value(), after.count(key).by_value()
        yield self._worst(column, values(*counts, self.share), sizes, family, current)
        if self.unseen_share is not None and self._unseen_counts(kind):
            found = _unseen(*counts, sizes, self.unseen_share)
            yield _unseen_cell(column, found, family)

    def _worst(
        self, column: str, held: Sequence[Held], sizes: Sizes, family: _ValueFamily, current: Data
    ) -> Statistic:
        """Judge the worst new value of a column: a proven one, else the one that holds most."""
        one = replace(sizes, alpha=sizes.alpha * self.share)
        new = [(one.excess(v.before, v.after), v) for v in held if self._is_new(v, sizes)]
        none = self._none(column, held, replace(sizes, alpha=family.alpha_alone), family, current)
        if not new:
            return none
        # of values with equally many rows the better proven one, whatever it is called
        excess, worst = max(new, key=lambda found: (found[0] > 0, found[1].after, found[0]))
        more = f" (and {len(new) - 1} more)" if len(new) > 1 else ""
        return replace(
            none,
            value=worst.after / sizes.current,
            interval=_interval(excess, worst.after, one, family),
            reason=_told(worst, sizes, column, current) + more,
        )

    def _is_new(self, value: Held, sizes: Sizes) -> bool:
        # b / m >= factor a / n in whole rows where the factor is whole
        return value.after * sizes.reference >= self.factor * value.before * sizes.current

    def _none(
        self, column: str, held: Sequence[Held], alone: Sizes, family: _ValueFamily, current: Data
    ) -> Statistic:
        """The cell of a column without a new value, and the most that one may hold in truth."""
        serious, growth = 2 * self.share, 2 * self.factor
        # what holds less than the share is no new value, however many rows it holds in truth
        hidden, reason = (
            alone.hidden(self.share),
            f"no value of {self.share:.0%} of the rows is new",
        )
        most, widest = max(
            ((alone.most(v.before, v.after, serious=serious, factor=growth), v) for v in held),
            key=lambda found: (found[0], found[1].before),
            default=(0.0, None),
        )
        open_ = widest if most >= serious else None
        if open_:
            reason = (
                f"{_told(open_, alone, column, current)}, which excludes no growth by {growth:g}"
            )
        return Statistic(
            name="new_value",
            slice=column,
            value=0.0,
            alone=family.alone(0.0, max(most, hidden)),
            serious=serious,
            rows=alone.current,
            total=alone.current,
            judged=True,
            reason=reason,
            design=NewValueDesign(
                reference=alone.reference,
                rows=alone.current,
                alpha=alone.alpha,
                share=self.share,
                growth=growth,
                held=(open_.before, open_.after) if open_ else None,
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _ValueFamily:
    """The error rate of the rule, and the cells that share it."""

    alpha: float
    alpha_alone: float
    cells: int

    def alone(self, low: float, high: float) -> Interval:
        """Interval of a cell's own, uncorrected upper bound."""
        level, method = 1 - 2 * self.alpha_alone, "the most that may be missed, by itself"
        return Interval(low=low, high=high, level=level, method=method)


def _no_method(kind: ColumnKind) -> str:
    return "" if kind in _COUNTED else f"{kind} cannot be counted by value"


def _told(worst: Held, sizes: Sizes, column: str, current: Data) -> str:
    shares = f"{worst.after / sizes.current:.1%} of current rows"
    shares += f" (reference {worst.before / sizes.reference:.1%})"
    if worst.value is None:
        return f"null holds {shares}"
    shown = f"{worst.value:.12g}" if isinstance(worst.value, float) else str(worst.value)
    if worst.after < LEAST or not _has_name(column, worst.value, current):
        current.unnamed[f"the new value of {column}"] = shown
        return f"one value holds {shares}"
    if len(shown) > _SHOWN:
        shown = shown[: _SHOWN - 1] + "…"
    return f'value "{shown}" holds {shares}'


def _has_name(column: str, value: Scalar, current: Data) -> bool:
    """Tell whether evidence may name a value; numbers are not counted one by one to find out."""
    if column not in current.declared:
        return False
    if isinstance(value, float) and len(current.frame.distribution(column).values) > MOST:
        return False
    return (value,) not in levels([Key(column=column)], current).numbered


def _interval(excess: float, after: int, sizes: Sizes, family: _ValueFamily) -> Interval:
    high = upper(after, sizes.current, sizes.alpha)
    method = "below: proven beyond twice the reference's frequency, exact conditional test; above: "
    method += "Clopper-Pearson; Bonferroni over columns and values"
    return Interval(low=excess, high=high, level=1 - 2 * family.alpha, method=method)


def _unseen(
    before: Mapping[Scalar | None, int],
    after: Mapping[Scalar | None, int],
    sizes: Sizes,
    share: float,
) -> Unseen:
    return Unseen(
        sizes=sizes,
        unseen=sum(rows for v, rows in after.items() if v is not None and not before.get(v)),
        once=sum(rows == 1 for v, rows in before.items() if v is not None),
        share=share,
    )


def _unseen_cell(column: str, found: Unseen, family: _ValueFamily) -> Statistic:
    sizes, beyond = found.sizes, found.value > found.share
    text = f"{found.unseen / sizes.current:.1%} of current rows are in categories unknown to the "
    text += f"reference, of which chance explains {found.once / sizes.reference:.1%}"
    interval = Interval(
        low=found.proven,
        high=1.0,
        level=1 - family.alpha,
        method="guarded Wilson bounds of both shares, less 1 %; Bonferroni over the columns",
    )
    return Statistic(
        name="new_value",
        slice=f"{column}: unseen",
        value=found.value if beyond else 0.0,
        interval=interval if beyond else None,
        alone=family.alone(0.0, max(found.below(family.alpha_alone), found.value, 0.0)),
        serious=2 * found.share,
        rows=sizes.current,
        total=sizes.current,
        judged=True,
        reason=text,
        design=found.design(family.alpha_alone),
    )
