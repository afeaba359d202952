"""Shared by the integrity checks: each kind of violation is a judged count.

0 is none, and the reason names the first ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from aims_gate.checks import cells
from aims_gate.checks.contract import StatisticSpec
from aims_gate.errors import GateError
from aims_gate.facts import NoValue, Statistic
from aims_gate.policy.model import DecideOn

_NAME = "violations"
_SHOWN = 3
JUDGED = StatisticSpec(
    name=_NAME,
    low=0.0,
    high=math.inf,
    higher_is_better=False,
    neutral=0.0,
    limit=0.0,
    has_interval=False,
    decide_on=DecideOn.ESTIMATE,
)
COUNTS = "A count per kind of violation in [0, inf); 0 is none. No interval: nothing is sampled. "


def cell(kind: str, look: Callable[[], Sequence[str]], *, total: int) -> Statistic:
    """Count what *look* finds; if it cannot look, the cell says so and the others still count."""
    try:
        found = look()
    except GateError as error:
        return lacking(kind, NoValue.UNDEFINED, str(error))
    except OSError as error:
        return lacking(kind, NoValue.UNDEFINED, f"a file cannot be read: {error.strerror}")
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return Statistic(
        name=_NAME,
        slice=kind,
        value=float(len(found)),
        rows=total,
        total=total,
        judged=True,
        reason="; ".join(found[:_SHOWN]) + more,
    )


def lacking(kind: str, lack: NoValue, reason: str) -> Statistic:
    """Judged statistic of a kind that cannot be counted, with the reason."""
    return cells.lacking(_NAME, lack, reason, where=kind)
