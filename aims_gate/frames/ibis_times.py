"""From when to when a column of times is, told by the engine that holds it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from aims_gate.errors import DataError
from aims_gate.frames import Span
from aims_gate.frames.ibis_columns import IbisColumns
from aims_gate.frames.ibis_forms import Expr, certain, exact, microseconds
from aims_gate.frames.ibis_session import OWN

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400 * 10**6
_TIME = f"{OWN}time"
_CELLS = 1 << 12
"""In each cell rows are ordered by themselves, so that the work can be shared out."""


def since_1970(moment: datetime) -> int:
    """Microseconds since 1970 of a moment with a time zone."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def span_by_cells(frame: IbisColumns, column: str, until: datetime | None) -> Span:
    """Span of times, with the longest gap; DataError for a time that no calendar has."""
    times = microseconds(frame.table[column], frame.session.forms)
    table = frame.table.mutate(**{_TIME: times})
    before = times <= (0 if until is None else since_1970(until))
    (found,) = frame.ask(
        frame.table.aggregate(
            oldest=times.min(),
            newest=times.max(),
            until=frame.total(certain(before)),
            infinite=frame.table.count(where=times.isnull() & frame.table[column].notnull()),
        )
    ).to_pylist()
    if found["infinite"]:
        raise DataError(f"column {column!r} holds times that cannot be used", where=frame.name)
    oldest, newest = found["oldest"], found["newest"]
    nulls, counted = frame.nulls(column), 0 if until is None else int(found["until"] or 0)
    if oldest is None:
        none: Span = Span(
            oldest=None, newest=None, nulls=nulls, gap_days=0.0, gap_after=None, until=counted
        )
        return none
    gap, after = _longest(frame, table[_TIME], oldest, newest)
    return Span(
        oldest=_moment(oldest, frame.name),
        newest=_moment(newest, frame.name),
        nulls=nulls,
        gap_days=gap / _DAY,
        gap_after=_moment(after, frame.name) if gap else None,
        until=counted,
    )


def _longest(frame: IbisColumns, times: Expr, oldest: int, newest: int) -> tuple[int, int]:
    """The longest time between a row and the next, and when it begins, the first if several are."""
    width = exact(float(newest - oldest + 1))
    cell = ((times - oldest).cast("float64") / width * exact(_CELLS)).floor()
    rows = times.as_table().rename(time=_TIME).mutate(cell=cell)
    rows = rows.filter(rows["time"].notnull()).distinct()
    before = rows["time"].lag().over(group_by=rows["cell"], order_by=rows["time"])
    steps = rows.mutate(step=rows["time"] - before)
    found = frame.ask(
        steps.group_by("cell").aggregate(
            least=steps["time"].min(), greatest=steps["time"].max(), step=steps["step"].max()
        )
    ).sort_by("least")
    least, greatest = (found[name].to_numpy() for name in ("least", "greatest"))
    inside = found["step"].fill_null(0).to_numpy()
    across = np.append(0, least[1:] - greatest[:-1])
    longest = int(max(inside.max(), across.max()))
    place = int(np.argmax(np.maximum(inside, across) == longest))
    if across[place] == longest:  # what is between cells comes before what is in the second
        return longest, int(greatest[place - 1]) if place else 0
    here = (steps["step"] == longest) & (steps["time"] >= int(least[place]))
    (begins,) = frame.ask(steps.aggregate(time=(steps["time"] - steps["step"]).min(where=here)))[
        "time"
    ].to_pylist()
    return longest, int(begins)


def _moment(microseconds_: int, where: str) -> datetime:
    try:
        return _EPOCH + timedelta(microseconds=microseconds_)
    except OverflowError as error:
        raise DataError("there is a time that no calendar has", where=where) from error
