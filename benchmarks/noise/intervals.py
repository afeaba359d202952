"""Intervals at 95 %: how often they hold the truth.

`python benchmarks/noise/intervals.py mae 100` prints the rows whose quantity has these words alone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import numpy as np
from coverage import covered
from draws import Rng
from quantities import cases
from regression import long_tails
from two_models import two_models


def rows_of_table(rng: Rng, runs: int, *, of: str = "") -> Iterator[Sequence[str]]:
    """Give coverage at three sizes of each quantity, ten draws a run; only *of* these words."""
    for case in (*cases(), *two_models(), *long_tails()):
        if of not in case.name:
            continue
        found = [covered(case, rng, rows=rows, runs=10 * runs) for rows in (30, 100, 1000)]
        yield (
            case.name,
            *(
                "-"
                if c.without == 100
                else f"{c.inside:.1f} ({c.below:.1f}, {c.above:.1f}; {c.without:.0f})"
                + " exact" * c.exact
                for c in found
            ),
        )


if __name__ == "__main__":
    for row in rows_of_table(np.random.default_rng(1), int(sys.argv[2]), of=sys.argv[1]):
        print(f"| {' | '.join(row)} |", flush=True)
