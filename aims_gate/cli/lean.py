"""A lean start: the libraries that a run computes with, without what they bring along for nothing.

This process is the command line's own; where the gate is called from Python nothing is touched.
"""

from __future__ import annotations

import sys
from types import ModuleType


def import_lean() -> None:
    """Import pyarrow and `scipy.special` in half the time."""
    _arrow_without_pandas()
    _special_without_all_of_numpy()


def _arrow_without_pandas() -> None:
    """Let pyarrow look for pandas once, now, and not find it.

    Its first conversion imports pandas wherever that is installed: half a second for nothing, as
    the gate never converts to or from pandas here.
    """
    if "pandas" in sys.modules:
        return
    import pyarrow as pa

    sys.meta_path.insert(0, _NoPandas)
    try:
        pa.array([0])
    finally:
        sys.meta_path.remove(_NoPandas)


def _special_without_all_of_numpy() -> None:
    """Import `scipy.special` while NumPy's rooms that nobody has entered are dummies.

    It imports every name of NumPy by `*`, which would load the Fortran compiler's interface, masked
    arrays, random generators and the test tools. Each is itself again afterwards.
    """
    if "scipy.special" in sys.modules:
        return
    import numpy as np

    dummies = {name: ModuleType(name) for name in np.__all__ if name not in vars(np)}
    vars(np).update(dummies)
    try:
        import scipy.special  # noqa: F401  # loaded for whoever needs it later
    finally:
        for name, dummy in dummies.items():
            if vars(np).get(name) is dummy:
                delattr(np, name)


class _NoPandas:
    """An import finder for which pandas is not installed."""

    @staticmethod
    def find_spec(name: str, _path: object = None, _target: object = None) -> None:
        if name == "pandas":
            raise ImportError(name)
