"""Derive predictions from scores by a decision threshold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from aims_gate.errors import DataError
from aims_gate.frames import ColumnKind, Floats, Frame, Grid, Key, Scalar
from aims_gate.frames.column_values import numbers
from aims_gate.frames.opening import in_memory
from aims_gate.frames.widths import limit_at, stated_as
from aims_gate.policy.model import DataSpec, TaskKind
from aims_gate.sources.subject import Data

_MIDDLE = 0.5
"""From which score on a row is predicted positive, of scores that can be probabilities."""


def derived_name(spec: DataSpec) -> str | None:
    """Name of the derived prediction column under *spec*: `prediction (p >= 0.5)`."""
    if not isinstance(spec.score, str):
        return None
    return f"prediction ({spec.score} >= {_MIDDLE if spec.threshold is None else spec.threshold:g})"


def threshold_of(data: Data, column: str, scores: Floats) -> float:
    """Decision threshold: the score from which a row is predicted positive.

    DataError where none is stated and a score lies outside [0, 1]: there 0.5 means nothing.
    """
    if data.spec.threshold is not None:
        return limit_at(data.spec.threshold, data.frame.columns[column].bits)
    if ((scores < 0) | (scores > 1)).any():
        raise DataError(
            f"some scores in {column} lie outside [0, 1], where {_MIDDLE} is no threshold",
            where=f"{data.role} data",
            hint=f"state threshold: under data.{data.role}, the score from which a row is "
            "predicted positive",
        )
    return _MIDDLE


def derive_prediction(data: Data) -> Data:
    """Derive the prediction column from scores, and name it in the roles.

    A score of at least the threshold is the positive class, a lower one the other class of the
    label, and a null score a null prediction. Nothing is derived where a prediction is named, the
    task is not binary, or the label's classes do not show what the other class is; a check that
    needs a prediction then says that there is none. Where the score is no column of numbers, the
    positive class of another kind than the labels, or the threshold must be stated, that is why.

    DataError if there is a column of the derived name already.
    """
    frame, spec = data.frame, data.spec
    name = derived_name(spec)
    if spec.prediction is not None or name is None or not isinstance(spec.score, str):
        return data
    if spec.task not in {None, TaskKind.BINARY} or spec.score not in frame.columns:
        return data
    if (reason := _underivable(data, spec.score)) is not None:
        return replace(data, failed={**data.failed, "prediction": reason})
    classes = _classes(frame, spec)
    if classes is None:
        return data
    rows = in_memory(frame)
    try:
        if rows is None:
            return _derived_by_engine(data, spec.score, name, classes)
        scores = numbers(rows.table.column(spec.score))
        threshold = threshold_of(data, spec.score, scores)
    except DataError as error:
        return replace(data, failed={**data.failed, "prediction": error})
    low, high = classes
    choice = np.where(scores >= threshold, 1, 0).astype(np.int8)
    indices = pa.array(choice, mask=np.isnan(scores))
    column = pa.DictionaryArray.from_arrays(indices, pa.array([low, high]))
    return replace(data, frame=rows.with_column(name, column), spec=replace(spec, prediction=name))


def _derived_by_engine(data: Data, score: str, name: str, classes: tuple[Scalar, Scalar]) -> Data:
    """Let the engine that holds the rows derive the column."""
    from aims_gate.frames.ibis_frame import IbisFrame

    if not isinstance(data.frame, IbisFrame):
        return data
    found = data.frame.histogram(score, Grid(low=0, high=1, cells=1))
    ends = [*found.least, *found.greatest, *[-math.inf] * found.below, *[math.inf] * found.above]
    threshold = threshold_of(data, score, np.array(ends))
    frame = data.frame.with_threshold(score, threshold, name, classes)
    return replace(data, frame=frame, spec=replace(data.spec, prediction=name))


def _underivable(data: Data, score: str) -> DataError | None:
    """Say what a score or a label is that no prediction follows from; None if one may."""
    frame, spec, where = data.frame, data.spec, f"{data.role} data"
    if frame.columns[score].kind is not ColumnKind.NUMBER:
        stored = frame.columns[score].type
        what = f"no prediction follows from {score}, which is {stored} and no number"
        return DataError(what, where=where, hint="write 0.45 and not 45 %, and nulls as nothing")
    label = frame.columns.get(spec.label or "")
    kind = None if label is None else label.kind
    stated = None if spec.positive is None else isinstance(spec.positive, str)
    if kind in {ColumnKind.NUMBER, ColumnKind.BOOLEAN, ColumnKind.TEXT} and stated is (
        kind is not ColumnKind.TEXT
    ):
        held = ("text", "numbers") if kind is ColumnKind.TEXT else ("numbers", "text")
        what = f"the labels in {spec.label} are {held[0]}, and positive: is of {held[1]}"
        return DataError(what, where=where, hint="text and numbers differ: '1' is not 1")
    return None


def _classes(frame: Frame, spec: DataSpec) -> tuple[Scalar, Scalar] | None:
    """The negative and the positive class; None where that is not certain."""
    usable = (ColumnKind.NUMBER, ColumnKind.BOOLEAN, ColumnKind.TEXT)
    if spec.label is None or spec.label not in frame.columns:
        return None
    if frame.columns[spec.label].kind not in usable:
        return None
    found = [value for (value,) in frame.count(Key(column=spec.label)).values if value is not None]
    high = _positive(spec, found, frame.columns[spec.label].bits)
    others = [value for value in found if value != high]
    if high is None or len(others) > 1 or isinstance(high, str) != isinstance(found[0], str):
        return None
    if not others:  # every label is positive
        return None if isinstance(high, str) or high != 1 else (type(found[0])(0), found[0])
    same = [value for value in found if value == high]
    alike = same[0] if same else type(others[0])(high)
    return (others[0], alike) if alike == high else None


def _positive(spec: DataSpec, found: Sequence[Scalar], bits: int) -> Scalar | None:
    if not found:
        return None
    if spec.positive is None:
        return 1 if set(found) <= {0, 1} else None
    return stated_as(spec.positive, bits)
