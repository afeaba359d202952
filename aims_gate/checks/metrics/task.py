"""Which task data are of: as the policy states it, else as the labels show it.

Where they do not show it, that is an error: a guessed task would measure the wrong thing.
"""

from __future__ import annotations

import numpy as np

from aims_gate.checks.column_roles import labelled
from aims_gate.checks.metrics.table import named
from aims_gate.errors import DataError
from aims_gate.frames import ColumnKind, Floats, Key
from aims_gate.policy.model import TaskKind
from aims_gate.sources.subject import Data

_FEW_INTEGERS = 20
"""Whole-number labels with more values than this may be a quantity."""


def task_of(data: Data) -> TaskKind:
    """Infer the task: as stated, else binary where `positive:` is stated, else by the labels.

    Truth values, and labels of two kinds, are binary; more kinds of text, and up to 20 whole
    numbers, are multiclass; fractions are regression.

    Raises:
        DataError: The labels do not tell.
    """
    if data.spec.task is not None:
        return data.spec.task
    if data.spec.positive is not None:
        return TaskKind.BINARY
    found = labelled(data, ["label"])
    label = named(found.label)
    kind = found.frame.columns[label].kind
    if kind is ColumnKind.BOOLEAN:
        return TaskKind.BINARY
    if kind is ColumnKind.TEXT:
        few = len(found.frame.count(Key(column=label)).values) <= 2
        return TaskKind.BINARY if few else TaskKind.MULTICLASS
    task = None
    if kind is ColumnKind.NUMBER:
        values = found.frame.distribution(label).values
        task = _task_of_numbers(values, whole_type="int" in found.frame.columns[label].type.lower())
    if task is None:
        raise DataError(
            f"the labels in {label} ({found.frame.columns[label].type}) do not tell the task",
            where=f"{data.role} data",
            hint=f"state task: binary, multiclass, regression or ranking under data.{data.role}",
        )
    return task


def _task_of_numbers(values: Floats, *, whole_type: bool) -> TaskKind | None:
    """Infer the task of numeric labels from their distinct values; None if it is unclear."""
    if not np.all(np.isfinite(values)):
        return None
    whole = bool(np.all(values == np.floor(values)))
    if len(values) <= 2:
        return TaskKind.BINARY if whole else None
    if not whole:
        return TaskKind.REGRESSION
    # whole floats may be classes after a detour through nulls, or rounded amounts
    return TaskKind.MULTICLASS if whole_type and len(values) <= _FEW_INTEGERS else None
