"""What is long: laws are tried on twenty times as many examples at night, some tests only then."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import settings

TIMES = 20 if os.environ.get("HYPOTHESIS_PROFILE") == "long" else 1
"""`make nightly` asks for long runs."""
nightly = pytest.mark.skipif(TIMES == 1, reason="a minute or more: part of make nightly")


def law(examples: int = 100, **more: Any) -> settings:
    """Settings of a law that is tried on *examples*, each of which may take its time."""
    return settings(deadline=None, max_examples=TIMES * examples, **more)
