"""Scores of an LLM judge as data: the values, and beside each the value that would pass.

A pass rate is then the accuracy, and the shortfall of a mean the mean absolute error, with the
intervals, slices and comparisons that these have.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from aims_gate.errors import DataError
from aims_gate.policy.model import DataSpec, TaskKind

KEY, VALUE, PASSES, SCORER, TAG = "trace", "value", "passes", "scorer", "tags."
"""The columns: a trace's id, what the scorer said, what it would have to say, its digest, tags."""
LONGEST = 100
"""Characters of a word that is a category; what is longer is prose."""
_RATINGS = {"yes", "no"}
_EXACT = 2**53
_ONE_KIND = "a scorer gives truth values, numbers, or words such as yes and no"


def value_column(values: Sequence[object], *, where: str) -> pa.Array:
    """Scorer values as one Arrow column; NaN is null.

    Raises:
        DataError: They are of several kinds, or of one that cannot be counted.
    """
    known = [None if isinstance(v, float) and math.isnan(v) else v for v in values]
    kinds = {_kind(value, where) for value in known if value is not None}
    if len(kinds) > 1:
        what = f"the scores are of several kinds: {', '.join(sorted(kinds))}"
        raise DataError(what, where=where, hint=_ONE_KIND)
    kind = kinds.pop() if kinds else "truth values"
    if kind == "truth values":
        return pa.array(known, pa.bool_())
    if kind == "numbers":
        numbers = [float(v) if isinstance(v, (int, float)) else None for v in known]
        return pa.array(numbers, pa.float64())
    return pa.array(_words(known), pa.string())


def meant(
    spec: DataSpec, column: pa.Array, *, where: str
) -> tuple[DataSpec, Mapping[str, pa.Array]]:
    """Say what the columns mean, and give the column of what passes.

    That is true, yes, or the full mark 1 unless the policy's `positive` says another, and 1 for
    numbers at a `threshold`.

    Raises:
        DataError: The passing word is not stated, or a number lies above the full mark.
    """
    if spec.predictions is not None:
        hint = "leave predictions: out; the scores are of what the model answered"
        raise DataError("a model predicts no scores of its own answers", where=where, hint=hint)
    positive, task = spec.positive, None
    if pa.types.is_boolean(column.type):
        positive = True if positive is None else positive
    elif pa.types.is_floating(column.type):
        full = 1.0 if positive is None or spec.threshold is not None else positive
        if spec.threshold is None and spec.score is None:
            task = TaskKind.REGRESSION
            _refuse_above(column, full, where)
        positive = float(full) if isinstance(full, int) and not isinstance(full, bool) else full
    else:
        words = {word for word in column.unique().to_pylist() if word is not None}
        if positive is None and not words <= _RATINGS:
            hint = "state positive: under data, the word that passes"
            raise DataError("the scores are words other than yes and no", where=where, hint=hint)
        positive = "yes" if positive is None else positive
        task = TaskKind.MULTICLASS if len(words | {positive}) > 2 else TaskKind.BINARY
    passes = pa.array([positive] * len(column))
    stated = positive if isinstance(positive, str) else None
    roles = DataSpec(key=KEY, prediction=VALUE, label=PASSES, positive=stated, task=task)
    return roles, {PASSES: passes}


def _refuse_above(column: pa.Array, full: object, where: str) -> None:
    if isinstance(full, str) or not len(column):
        return
    highest = pc.max(column).as_py()
    if highest is not None and highest > full:
        hint = (
            "state positive: the full mark; or task: binary, score: value and threshold: the score "
            "that passes"
        )
        what = f"some scores lie above the full mark {full:g}"
        raise DataError(what, where=where, hint=hint)


def _kind(value: object, where: str) -> str:
    if isinstance(value, bool):
        return "truth values"
    if isinstance(value, (int, float)):
        if isinstance(value, int) and abs(value) > _EXACT:
            raise DataError("a score is too large a number", where=where)
        return "numbers"
    if isinstance(value, str):
        if len(value) > LONGEST:
            what = f"a score is text of more than {LONGEST} characters, and no category"
            raise DataError(what, where=where, hint=_ONE_KIND)
        return "words"
    raise DataError("a score is a list or an object", where=where, hint=_ONE_KIND)


def _words(values: Iterable[object]) -> list[str | None]:
    """Write ratings as MLflow reads them: `Yes ` is yes."""
    words = [None if value is None else str(value) for value in values]
    plain = {word.strip().lower() for word in words if word is not None}
    return [w and w.strip().lower() for w in words] if plain <= _RATINGS else words
