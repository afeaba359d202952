"""Age of data: since their newest row or since they were logged, whichever is older."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from aims_gate.facts import NoValue
from aims_gate.policy.model import Role
from aims_gate.sources.subject import Data

_SKEW = timedelta(minutes=5)
"""How far the clock of whoever logged the data may be ahead of ours."""

_AHEAD = timedelta(days=1)
"""How far a newest time may be ahead: times without a zone are taken for UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Age:
    """Days since the newest row; or why that is not known."""

    days: float | None = None
    """May be negative by up to a day: the newest time may be ahead of the clock by a zone."""
    lack: NoValue | None = None
    reason: str = ""


def ahead(moment: datetime, now: datetime) -> bool:
    """Tell whether a time lies further in the future than a time zone explains."""
    return moment > now + _AHEAD


def age_of(data: Data | None, role: Role, now: datetime) -> Age:
    """Age in days of a role's data, or the reason why it is not known; *data* may be None."""
    # the older one counts: neither logging old rows again nor a date of tomorrow makes them new
    times = [t for t in (data.newest, data.created) if t is not None] if data else []
    if not times or (data and data.spec.time and data.newest is None):
        reason = f"nothing says when the {role} data were logged, or how new their rows are"
        return Age(lack=NoValue.MISSING, reason=reason)
    if data and data.created is not None and data.created > now + _SKEW:
        # whoever logs a run states its end; data of tomorrow would stay fresh until then
        reason = f"the {role} data say that they were logged in the future"
        return Age(lack=NoValue.UNDEFINED, reason=reason)
    if ahead(min(times), now):
        reason = f"the newest of the {role} data is of {min(times):%Y-%m-%d}, in the future"
        return Age(lack=NoValue.UNDEFINED, reason=reason)
    return Age(days=(now - min(times)).total_seconds() / 86_400)
