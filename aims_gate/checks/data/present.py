"""What this family shares: the columns that data came with, and cells without a value."""

from __future__ import annotations

from aims_gate.facts import Lack, Statistic
from aims_gate.frames import Kind
from aims_gate.sources.predictions import derived_name
from aims_gate.sources.subject import Data


def columns_of(data: Data) -> dict[str, Kind]:
    """Give the columns that the data came with: a prediction that was derived is not one."""
    derived = derived_name(data.spec)
    hidden = derived if data.spec.prediction == derived else None
    return {name: kind for name, kind in data.frame.kinds.items() if name != hidden}


def lacking(name: str, column: str, lack: Lack, reason: str) -> Statistic:
    """Give the judged cell of a column that has no value."""
    return Statistic(name=name, slice=column, judged=True, lack=lack, reason=reason)
