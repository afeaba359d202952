"""`evidently-default`: the test and the threshold that Evidently chooses for each column.

For a team that moves over and wants the verdicts it had. Evidently 0.7.23 chooses by the column's
type, the rows of the reference and the number of values (`_get_default_stattest`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from aims_gate.checks.contract import StatisticSpec
from aims_gate.checks.drift.asking import Counted, categories, numbers, unfit_numbers, unfit_sizes
from aims_gate.checks.drift.distances import Lacking, SamplePair
from aims_gate.checks.drift.matching import kind_of_both, share_moved
from aims_gate.facts import NoValue, Statistic
from aims_gate.frames import ColumnKind, Distribution, Key
from aims_gate.frames.widths import alike

METHOD = "evidently-default"
JUDGED = StatisticSpec(
    name="evidently_drift",
    low=0.0,
    high=1.0,
    higher_is_better=False,
    limit=0.0,
    has_interval=False,
    engine="reference",
)
DEFINITION = (
    "evidently-default: 1 where Evidently 0.7.23's own choice calls a column drifted, else 0. Up "
    "to 1,000 reference rows numbers get ks (p <= 0.05), categories and numbers of at most 5 "
    "values chisquare, or z for two values (p < 0.05); above, numbers get wasserstein and the "
    "others jensenshannon (both >= 0.1). Whole numbers of at most 10 values are categories. It is "
    "there to move over without changed verdicts and is not recommended: of 20 columns without "
    "drift some column is refused in 55 to 100 % of runs up to 1,000 reference rows."
)
UNDECIDED = (
    "evidently-default: nulls whose share changed by over 1 %, infinite values and texts that are "
    "mostly different, all of which Evidently drops or leaves to a random classifier"
)
_SMALL = 1000
"""Reference rows up to which Evidently takes a p-value."""
_FEW = 5
"""Values up to which numbers are compared as categories."""
_INTEGER_CATEGORIES = 10
"""Different whole numbers up to which Evidently takes a column for categories."""
_P_VALUES = frozenset({"ks", "chisquare", "z"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _DefaultColumn:
    """A column as Evidently sees it, nulls dropped."""

    reference: Counted
    current: Counted
    numbers: tuple[Distribution, Distribution] | None = None
    """Where the values are compared as numbers."""


def chosen(*, numeric: bool, rows: int, values: int) -> str:
    """Name of the test that Evidently chooses.

    Args:
        numeric: The column is numerical and not categorical to Evidently.
        rows: Rows of the reference, nulls dropped.
        values: Different values of both samples.
    """
    if numeric and values > _FEW:
        return "ks" if rows <= _SMALL else "wasserstein"
    if rows > _SMALL:
        return "jensenshannon"
    return "chisquare" if values > 2 else "z"


def drifted(test: str, score: float) -> bool:
    """Tell what Evidently makes of a score with the default threshold of its test."""
    if test == "ks":
        return score <= 0.05
    return score < 0.05 if test in _P_VALUES else score >= 0.1


def cells(column: str, pair: SamplePair) -> Iterator[Statistic]:
    """Judged statistic of one column, and the score that it follows from."""
    found = _seen(column, pair)
    if isinstance(found, Lacking):
        yield found.cell(JUDGED.name, column)
        return
    rows = sum(found.current.values())
    test = _test_of(found)
    if test in {"ks", "wasserstein"} and found.numbers is not None:
        arguments = numbers(*found.numbers, every=test == "ks")
    else:
        arguments = categories(found.reference, found.current)
    answer = pair.engine.by_name("evidently", test, arguments)
    if answer.problem or not math.isfinite(answer.value):
        reason = answer.problem or f"{test} gives no number"
        lacking = Lacking(lack=NoValue.UNDEFINED, reason=reason, rows=rows, by=answer.by)
        yield lacking.cell(JUDGED.name, column)
        return
    moved = drifted(test, answer.value)
    told = "calls it drift" if moved else "calls it no drift"
    yield Statistic(
        name=JUDGED.name,
        slice=column,
        value=float(moved),
        rows=rows,
        total=pair.current.rows,
        engine=answer.by,
        judged=True,
        reason=f"Evidently chooses {test}, gets {answer.value:.3g} and {told}",
    )
    yield Statistic(
        name="p_value" if test in _P_VALUES else test,
        slice=column,
        value=answer.value,
        rows=rows,
        total=pair.current.rows,
        engine=answer.by,
    )


def _test_of(found: _DefaultColumn) -> str:
    values = len({**found.reference, **found.current})
    rows = sum(found.reference.values())
    return chosen(numeric=found.numbers is not None, rows=rows, values=values)


def _seen(column: str, pair: SamplePair) -> _DefaultColumn | Lacking:
    if pair.reference.rows == 0 or pair.current.rows == 0:
        return Lacking(lack=NoValue.MISSING, reason="there are no rows to compare")
    kind = kind_of_both(pair.reference, pair.current, column)
    found = _numbers(column, pair) if kind is ColumnKind.NUMBER else _categories(column, pair)
    if isinstance(found, Lacking):
        return found
    sizes = sum(found.reference.values()), sum(found.current.values())
    return unfit_sizes(*sizes, every=True) or found


def _numbers(column: str, pair: SamplePair) -> _DefaultColumn | Lacking:
    before, after = alike(pair.reference, pair.current, column)
    unfit = unfit_numbers(before, after)
    if unfit is not None:
        return unfit
    categories = _are_categories(pair.current.types[column], after)
    if isinstance(categories, Lacking):
        return categories
    counts = [
        dict(zip(sample.values.tolist(), sample.counts.tolist(), strict=True))
        for sample in (before, after)
    ]
    return _DefaultColumn(
        reference=counts[0],
        current=counts[1],
        numbers=None if categories else (before, after),
    )


def _are_categories(stored: str, after: Distribution) -> bool | Lacking:
    """Tell whether pandas and Evidently would take a column of numbers for categories."""
    if stored.startswith("dictionary"):
        return True
    if stored.startswith("int"):
        # pandas stores whole numbers with nulls as floats
        return not after.nulls and len(after.values) <= _INTEGER_CATEGORIES
    if stored in {"double", "float", "halffloat"}:
        return False
    return Lacking(lack=NoValue.UNDEFINED, reason=f"evidently has no test for {stored}")


def _categories(column: str, pair: SamplePair) -> _DefaultColumn | Lacking:
    counted = [
        frame.count(Key(column=column)).by_value() for frame in (pair.reference, pair.current)
    ]
    rows = pair.reference.rows, pair.current.rows
    moved = share_moved(*(c.get(None, 0) / n for c, n in zip(counted, rows, strict=True)))
    if moved:
        return Lacking(lack=NoValue.UNDEFINED, reason=f"evidently drops nulls, and {moved}")
    before, after = (_without_null(count) for count in counted)
    stored = pair.current.types[column]
    if "string" in stored and not stored.startswith("dictionary"):
        values = sum(after.values())
        if len(after) > values / 2:
            reason = "mostly different texts, which Evidently leaves to a classifier"
            return Lacking(lack=NoValue.UNDEFINED, reason=reason)
    return _DefaultColumn(reference=before, current=after)


def _without_null(counts: Counted) -> Counted:
    return {value: count for value, count in counts.items() if value is not None}
