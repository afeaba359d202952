"""Ages as people write them: `30m`, `12h`, `7d`."""

from __future__ import annotations

import re
from datetime import timedelta

_AGE = re.compile(r"([1-9][0-9]{0,5})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def age(text: str) -> timedelta:
    """Read an age; ValueError if it is none."""
    found = _AGE.fullmatch(text)
    if found is None:
        raise ValueError("write 30m, 12h or 7d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
