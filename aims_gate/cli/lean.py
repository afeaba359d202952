"""A lean start: the libraries that a run computes with, without what they bring along for nothing.

This process is the command line's own; where the gate is called from Python nothing is touched.
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
"""After so many more objects garbage is searched for; Python's own figure is 700."""
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

    Imports make hundreds of thousands of objects, all of which stay: by default Python would search
    them for garbage again and again, a seventh of the whole start. It still does, but rarely.
    """
    gc.set_threshold(_NEW_OBJECTS)
    _one_heap()
    _numpy_that_sorts_fast()
    with _arrow_on_that_heap():
        _arrow_without_pandas()
    _special_without_all_of_numpy()


def _one_heap() -> None:
    """Let all threads take memory from one heap, where the C library is glibc.

    It gives each thread a heap of its own, and what one gives back no other can use: with two
    threads that hand columns on, a third more memory for no time saved.
    """
    if sys.platform == "linux" and _ARENAS not in os.environ:
        # other C libraries have no mallopt, or ignore what it is told
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


@contextmanager
def _arrow_on_that_heap() -> Iterator[None]:
    """Import pyarrow without a heap of its own, unless the environment chose one."""
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
            import numpy as np  # noqa: F401  # loaded for whoever needs it later
    finally:
        del os.environ[_DISABLE]


def _zen4() -> bool:
    """Tell whether Linux says so of the first processor; it tells of all in the same order."""
    try:
        with _CPU_FILE.open(encoding="ascii", errors="replace") as told:
            first = told.read(4096).partition("\n\n")[0]
    except OSError:
        return False
    return "AuthenticAMD" in first and _FAMILY in first and " avx512f " in first


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
