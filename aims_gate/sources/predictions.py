"""Predictions from scores, where the data hold a score and the policy a threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from aims_gate.frames import Key, Kind, Scalar
from aims_gate.frames.arrow import ArrowFrame
from aims_gate.frames.columns import numbers
from aims_gate.policy.model import DataSpec, TaskKind


def derived_name(spec: DataSpec) -> str | None:
    """Give the name of the prediction column derived under *spec*: `prediction (p >= 0.5)`."""
    if not isinstance(spec.score, str):
        return None
    return f"prediction ({spec.score} >= {spec.threshold:g})"


def derive_prediction(frame: ArrowFrame, spec: DataSpec) -> tuple[ArrowFrame, DataSpec]:
    """Add the column that says which class each score stands for, and name it in the roles.

    A score of at least `spec.threshold` is the positive class, a lower one the other class of the
    label, and a null score a null prediction. Nothing is derived where a prediction is named, the
    score is no column of numbers, the task is not binary, or the label's classes do not show what
    the other class is; a check that needs a prediction then says that there is none.

    DataError if there is a column of the derived name already.
    """
    name = derived_name(spec)
    if spec.prediction is not None or name is None or not isinstance(spec.score, str):
        return frame, spec
    if spec.task not in {None, TaskKind.BINARY} or frame.kinds.get(spec.score) is not Kind.NUMBER:
        return frame, spec
    classes = _classes(frame, spec)
    if classes is None:
        return frame, spec
    low, high = classes
    scores = numbers(frame.table.column(spec.score))
    choice = np.where(scores >= spec.threshold, 1, 0).astype(np.int8)
    indices = pa.array(choice, mask=np.isnan(scores))
    column = pa.DictionaryArray.from_arrays(indices, pa.array([low, high]))
    return frame.with_column(name, column), replace(spec, prediction=name)


def _classes(frame: ArrowFrame, spec: DataSpec) -> tuple[Scalar, Scalar] | None:
    """Give the other class and the positive one; None where that is not certain."""
    kinds = frame.kinds
    if spec.label is None or kinds.get(spec.label) not in {Kind.NUMBER, Kind.BOOLEAN, Kind.TEXT}:
        return None
    found = [value for (value,) in frame.count(Key(column=spec.label)).values if value is not None]
    high = _positive(spec, found)
    others = [value for value in found if value != high]
    if high is None or len(others) > 1 or isinstance(high, str) != isinstance(found[0], str):
        return None
    if not others:  # every label is positive
        return None if isinstance(high, str) or high != 1 else (type(found[0])(0), found[0])
    same = [value for value in found if value == high]
    alike = same[0] if same else type(others[0])(high)
    return (others[0], alike) if alike == high else None


def _positive(spec: DataSpec, found: Sequence[Scalar]) -> Scalar | None:
    if not found:
        return None
    if spec.positive is None:
        return 1 if set(found) <= {0, 1} else None
    return spec.positive
