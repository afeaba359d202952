"""The catalogue of performance metrics: a row each, from a small table to a value with bounds.

Adding a metric is one row in the module of its kind of table: which tasks it fits, which checks
take it, what its limits may be, how it is written and how scikit-learn computes it follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from aims_gate.stats.formulas.binary import BINARY
from aims_gate.stats.formulas.formula import Formula
from aims_gate.stats.formulas.losses import FITS, MEANS, MEDIANS, PROBABILITY
from aims_gate.stats.formulas.multiclass import MULTICLASS
from aims_gate.stats.formulas.ranked import RANKED
from aims_gate.stats.formulas.ranking import RANKING
from aims_gate.stats.tables import Loss, Ranking

__all__ = ["FORMULAS", "LOSSES", "PROBABILITY", "RANKINGS", "REACHES", "Formula"]

FORMULAS: tuple[Formula[Any], ...] = cast(
    "tuple[Formula[Any], ...]", (*BINARY, *RANKED, *MULTICLASS, *MEANS, *MEDIANS, *FITS, *RANKING)
)
"""Every metric, once per kind of table that it is computed from."""
LOSSES: Mapping[str, Loss] = {f.metric: f.of for f in FORMULAS if isinstance(f.of, Loss)}
"""Metrics that are means over rows, or their root, and of which loss."""
RANKINGS: Mapping[str, Ranking] = {f.metric: f.of for f in FORMULAS if isinstance(f.of, Ranking)}
"""Metrics that are means over queries, and of what."""
REACHES = {f.metric: f.reach for f in FORMULAS if f.reach is not None}
"""How far from 0 a limit may lie where a metric's range has no end there, and why."""
