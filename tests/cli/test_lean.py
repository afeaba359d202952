"""A lean start leaves out what nobody asked for, and takes nothing away for good."""

from __future__ import annotations

import subprocess
import sys

_CODE = """
import sys
from aims_gate.cli.lean import import_lean
import_lean()
import scipy.special
from aims_gate.frames.arrow import ArrowFrame
frame = ArrowFrame.of({"x": [0.5, None], "k": [1, 2], "s": ["a", "b"]})
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
