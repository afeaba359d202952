"""A model that is asked, and rows that it is asked about."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

MLMODEL = """\
flavors: {python_function: {loader_module: probe, code: code, python_version: 3.11.0}}
signature:
  inputs: '[{"type": "double", "name": "x", "required": true}]'
"""
"""Its Python function stands in `code/probe.py`, and reads one column."""


def rows() -> pa.Table:
    """Twelve lines that stand for 150 rows; an honest model is right in 130 of them."""
    x = np.linspace(0.02, 0.97, 12)
    y = (x > 0.5).astype(np.int64)
    y[[1, 9]] = [1, 0]
    counts = np.array([10, 10, 20, 5, 15, 10, 20, 10, 10, 10, 20, 10])
    logged = 1 - y  # what the author claims; always wrong, so that it cannot be what is measured
    sex = ["F", "M", "M", "F", "M", "M", "M", "F", "M", "M", "F", "M"]
    return pa.table({"x": x, "y": y, "n": counts, "id": range(12), "sex": sex, "yhat": logged})
