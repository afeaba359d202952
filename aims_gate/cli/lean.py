"""Fast start-up: import the numeric libraries without the parts of them that a run never uses.

Only in the command line's own process; where the gate is called from Python, nothing is changed.
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType

_NEW_OBJECTS = 50_000
"""Threshold of the garbage collector, in new objects; Python's own is 700."""
_FAMILY = "cpu family\t: 25\n"
"""Zen 3 and Zen 4, of which only the latter has AVX-512."""
_CPU_FILE = Path("/proc/cpuinfo")
_POOL, _ARENAS = "ARROW_DEFAULT_MEMORY_POOL", "MALLOC_ARENA_MAX"
_M_ARENA_MAX = -8
"""As malloc.h of glibc has it."""
_DISABLE, _ENABLE = "NPY_DISABLE_CPU_FEATURES", "NPY_ENABLE_CPU_FEATURES"
_AVX512 = "X86_V4 AVX512_ICL AVX512_SPR"
"""As NumPy 2.4 calls it; earlier ones know no other fast sort than that of AVX-512, or go by other
names and stay as they are."""


def import_lean() -> None:
    """Import NumPy, pyarrow and `scipy.special` in half the time, and let the rest import faster.

    Imports create hundreds of thousands of objects that stay. By default the garbage collector
    would search them again and again, a seventh of the start-up time. Now it does so rarely.
    """
    gc.set_threshold(_NEW_OBJECTS)
    _one_heap()
    _numpy_that_sorts_fast()
    with _arrow_on_that_heap():
        _arrow_without_pandas()
    _special_without_all_of_numpy()


def _one_heap() -> None:
    """Use one malloc arena for all threads, where the C library is glibc.

    glibc gives each thread an arena of its own, and memory freed in one cannot be used by another.
    With two threads that pass columns on, this costs a third more memory and saves no time.
    """
    if sys.platform == "linux" and _ARENAS not in os.environ:
        # other C libraries have no mallopt, or ignore its options
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


@contextmanager
def _arrow_on_that_heap() -> Iterator[None]:
    """Import pyarrow with the system allocator, unless the environment chose another."""
    if "pyarrow" in sys.modules or _POOL in os.environ:
        yield
        return
    os.environ[_POOL] = "system"
    try:
        yield
    finally:
        del os.environ[_POOL]


def _numpy_that_sorts_fast() -> None:
    """Import NumPy, on AMD's Zen 4 without AVX-512, with which its sort takes five times as long.

    The sort writes with `vpcompress`, which is microcode there; with AVX2 it needs none. Whoever
    chose features in the environment keeps them, and no process started later sees ours.
    """
    if "numpy" in sys.modules or _DISABLE in os.environ or _ENABLE in os.environ or not _zen4():
        return
    os.environ[_DISABLE] = _AVX512
    try:
        with warnings.catch_warnings():
            # of features that this NumPy does not know
            warnings.simplefilter("ignore", ImportWarning)
            import numpy as np  # noqa: F401  # loaded for later imports
    finally:
        del os.environ[_DISABLE]


def _zen4() -> bool:
    """Tell whether the first processor in /proc/cpuinfo is a Zen 4."""
    try:
        with _CPU_FILE.open(encoding="ascii", errors="replace") as told:
            first = told.read(4096).partition("\n\n")[0]
    except OSError:
        return False
    return "AuthenticAMD" in first and _FAMILY in first and " avx512f " in first


def _arrow_without_pandas() -> None:
    """Keep pyarrow from importing pandas: it looks once, now, and finds none.

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
    """Import `scipy.special` while NumPy's unused subpackages are stand-ins.

    It imports every name of NumPy by `*`, which would load the Fortran compiler's interface, masked
    arrays, random generators and the test tools. Afterwards each subpackage is itself again.
    """
    if "scipy.special" in sys.modules:
        return
    import numpy as np

    dummies = {name: ModuleType(name) for name in np.__all__ if name not in vars(np)}
    vars(np).update(dummies)
    try:
        import scipy.special  # noqa: F401  # loaded for later imports
    finally:
        for name, dummy in dummies.items():
            if vars(np).get(name) is dummy:
                delattr(np, name)


class _NoPandas:
    """Import finder (`sys.meta_path`) that reports pandas as not installed."""

    @staticmethod
    def find_spec(name: str, _path: object = None, _target: object = None) -> None:
        if name == "pandas":
            raise ImportError(name)
