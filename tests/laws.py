"""How many examples a law is tried on: as many as it states, and at night twenty times as many."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import settings

TIMES = 20 if os.environ.get("HYPOTHESIS_PROFILE") == "long" else 1
"""`make nightly` asks for long runs."""


def law(examples: int = 100, **more: Any) -> settings:
    """Settings of a law that is tried on *examples*, each of which may take its time."""
    return settings(deadline=None, max_examples=TIMES * examples, **more)
