"""A lean start: the libraries that a run computes with, without what they bring along for nothing.

This process is the command line's own; where the gate is called from Python nothing is touched.
"""

from __future__ import annotations

import gc
import sys
from types import ModuleType

_NEW_OBJECTS = 50_000
"""After so many more objects garbage is searched for; Python's own figure is 700."""


def import_lean() -> None:
    """Import pyarrow and `scipy.special` in half the time, and let what follows import faster.

    Imports make hundreds of thousands of objects, all of which stay: by default Python would search
    them for garbage again and again, a seventh of the whole start. It still does, but rarely.
    """
    gc.set_threshold(_NEW_OBJECTS)
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
