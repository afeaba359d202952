"""Multiple testing: p-values adjusted for the false discovery rate."""

from __future__ import annotations

from collections.abc import Sequence


def adjusted(p_values: Sequence[float]) -> list[float]:
    """Benjamini-Hochberg adjusted p-values (1995), for the false discovery rate.

    The k-th smallest of K becomes the least of K p / rank over its own and all larger ranks, at
    most 1; the order of *p_values* is kept. Of the columns called drifted at 0.05, one in twenty is
    called so wrongly in the long run.

    Args:
        p_values: Each in [0, 1].
    """
    order = sorted(range(len(p_values)), key=lambda place: p_values[place], reverse=True)
    found = [1.0] * len(p_values)
    least = 1.0
    for rank, place in zip(range(len(p_values), 0, -1), order, strict=True):
        least = min(least, p_values[place] * len(p_values) / rank)
        found[place] = least
    return found
