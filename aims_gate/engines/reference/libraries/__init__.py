"""Adapters to Fairlearn, Evidently and scikit-learn, one file for each.

They run in the child process only. Every function returns the label of the library that answered
and its numbers, whose meaning the caller defines.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping

from aims_gate.engines.reference.libraries import evidently, fairlearn, scikit_learn
from aims_gate.engines.reference.libraries.library_answer import Told

_MODULES = {
    "fairlearn": "fairlearn.metrics",
    "evidently": "evidently.legacy.calculations.stattests",
    "scikit-learn": "sklearn.metrics",
}


def load(library: str) -> None:
    """Import a library before it is asked; if that fails, its first question says so."""
    try:
        importlib.import_module(_MODULES[library])
    except ImportError:
        return


ANSWERS: Mapping[str, Callable[..., Told]] = {
    "rates": fairlearn.rates,
    "means": fairlearn.means,
    "fairness": fairlearn.fairness,
    "drift": evidently.drift,
    "distance": evidently.distance,
    "score": scikit_learn.score,
    "calibration": scikit_learn.calibration,
}
"""Everything that can be asked."""
