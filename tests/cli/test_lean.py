"""A lean start leaves out what nobody asked for, and takes nothing away for good."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_POOL = "ARROW_DEFAULT_MEMORY_POOL"
_CODE = """
import sys
from aims_gate.cli.lean import import_lean
import_lean()
import scipy.special
from aims_gate.frames.opening import open_frame
frame = open_frame({"x": [0.5, None], "k": [1, 2], "s": ["a", "b"]})
assert [frame.distribution(name).nulls for name in "xk"] == [1, 0]
assert not {"pandas", "numpy.f2py", "numpy.ma", "numpy.random", "numpy.testing"} & set(sys.modules)
import numpy as np
assert isinstance(np.random.default_rng(1).normal(), float)
assert np.ma.masked_array([1, 2], [True, False]).sum() == 2
assert np.fft.fft([1.0]).tolist() == [1]
import numpy.f2py, numpy.testing
assert callable(np.f2py.run_main)
assert [scipy.special.expit(0.0), scipy.special.ndtri(0.5)] == [0.5, 0.0]
assert scipy.special.softmax([1.0, 1.0]).tolist() == [0.5, 0.5]
import gc
assert gc.isenabled() and gc.get_threshold()[0] > 700
before = set(sys.modules)
import_lean()
assert set(sys.modules) == before
"""


def test_rooms_of_numpy_that_were_left_out_can_be_entered_afterwards() -> None:
    """In a fresh process: nothing heavy is loaded, and every module works once it is used."""
    subprocess.run([sys.executable, "-W", "error", "-c", _CODE], check=True)


def test_what_is_loaded_already_is_left_alone() -> None:
    code = "import numpy, pandas, scipy.special; before = dict(vars(numpy)); "
    code += "from aims_gate.cli.lean import import_lean; import_lean(); "
    code += "assert dict(vars(numpy)) == before"
    subprocess.run([sys.executable, "-c", code], check=True)


_ZEN4 = "vendor_id\t: AuthenticAMD\ncpu family\t: 25\nflags\t\t: fpu {} avx2\n\nprocessor\t: 1\n"
_FEATURES = """
import os, sys
from pathlib import Path
from aims_gate.cli import lean
lean._CPU_FILE = Path(sys.argv[1])
lean._numpy_that_sorts_fast()
assert os.environ.get("NPY_DISABLE_CPU_FEATURES") == (sys.argv[2] or None)
import numpy as np
from numpy._core._multiarray_umath import __cpu_features__ as features
print(features.get("X86_V4", False))
assert np.sort(np.array([2.0, np.nan, -1.0, 0.5]))[:3].tolist() == [-1.0, 0.5, 2.0]
"""


def _sorts_with_avx512(cpu: Path, environ: dict[str, str]) -> str:
    chosen = environ.get("NPY_DISABLE_CPU_FEATURES", "")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NPY_")}
    found = subprocess.run(
        [sys.executable, "-W", "error", "-c", _FEATURES, str(cpu), chosen],
        check=True,
        capture_output=True,
        text=True,
        env=kept | environ,
    )
    return found.stdout.strip()


def test_numpy_sorts_without_avx512_on_zen4_alone_and_whoever_chose_features_keeps_them(
    tmp_path: Path,
) -> None:
    """No process that is started later sees what was switched off: the variable is gone."""
    zen4, zen3, none = tmp_path / "zen4", tmp_path / "zen3", tmp_path / "none"
    zen4.write_text(_ZEN4.format("avx512f"))
    zen3.write_text(_ZEN4.format("sse2"))
    as_it_comes = _sorts_with_avx512(none, {})
    assert _sorts_with_avx512(zen3, {}) == as_it_comes
    assert _sorts_with_avx512(zen4, {}) == "False"
    assert _sorts_with_avx512(zen4, {"NPY_DISABLE_CPU_FEATURES": "AVX512_SPR"}) == as_it_comes


_HEAP = """
import os
from aims_gate.cli.lean import import_lean
before = dict(os.environ)
import_lean()
assert dict(os.environ) == before
import pyarrow as pa
print(pa.default_memory_pool().backend_name)
"""


@pytest.mark.parametrize(("chosen", "found"), [({}, "system"), ({_POOL: "mimalloc"}, "mimalloc")])
def test_arrow_has_no_heap_of_its_own_unless_somebody_chose_one(
    chosen: dict[str, str], found: str
) -> None:
    """No process that is started later sees the choice: the environment is as it was."""
    kept = {name: value for name, value in os.environ.items() if name != _POOL}
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", _HEAP],
        check=True,
        capture_output=True,
        text=True,
        env=kept | chosen,
    )
    assert ran.stdout.strip() == found


_ARENAS = """
import sys, threading
if sys.argv[1]:
    from aims_gate.cli.lean import import_lean
    import_lean()
def work(): bytes(100_000)
threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
import ctypes
ctypes.CDLL(None).malloc_stats()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's own report")
def test_all_threads_take_memory_from_one_heap() -> None:
    def arenas(lean: str) -> int:
        kept = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"}
        told = subprocess.run(
            [sys.executable, "-c", _ARENAS, lean],
            check=True,
            capture_output=True,
            text=True,
            env=kept,
        )
        return told.stderr.count("Arena ")

    assert arenas("lean") == 1 < arenas("")
