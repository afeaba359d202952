"""Audit period: the days that an audit or a review looks at, both ends included."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from aims_gate.errors import UsageError
from aims_gate.governance.contract import plus_days

YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Days from *begins* to *ends*, both included."""

    begins: date
    ends: date

    def holds(self, day: date | None) -> bool:
        """Whether a day lies in it; what has no day does not."""
        return day is not None and self.begins <= day <= self.ends

    def __str__(self) -> str:
        """Both days, as in `2026-07-01 to 2026-09-30`."""
        return f"{self.begins:%Y-%m-%d} to {self.ends:%Y-%m-%d}"


def period(
    begins: datetime | None, ends: datetime | None, *, today: date, length: timedelta = YEAR
) -> Period:
    """Period of an option pair: up to today, and *length* before its end, where they are left out.

    Raises:
        UsageError: It ends before it begins, or in the future: what did not happen yet is no
            population.
    """
    last = today if ends is None else ends.date()
    first = plus_days(last, -length.days) if begins is None else begins.date()
    if not first <= last <= today:
        what = f"{first:%Y-%m-%d} to {last:%Y-%m-%d} is no period up to {today:%Y-%m-%d}"
        raise UsageError(what, hint="--from DAY --to DAY, both included")
    return Period(begins=first, ends=last)
