"""The table of performance metrics: one row each, from a small table to a value with bounds.

Adding a metric is one row in the module of its kind of table, and one name in
`checks.performance`.
"""

from __future__ import annotations

from typing import Any, cast

from aims_gate.stats.formulas.binary import BINARY
from aims_gate.stats.formulas.formula import Formula
from aims_gate.stats.formulas.losses import FITS, MEANS, MEDIANS
from aims_gate.stats.formulas.multiclass import MULTICLASS
from aims_gate.stats.formulas.ranked import RANKED
from aims_gate.stats.formulas.ranking import RANKING

__all__ = ["FORMULAS", "Formula"]

FORMULAS: tuple[Formula[Any], ...] = cast(
    "tuple[Formula[Any], ...]", (*BINARY, *RANKED, *MULTICLASS, *MEANS, *MEDIANS, *FITS, *RANKING)
)
"""Every metric, once per kind of table that it is computed from."""
