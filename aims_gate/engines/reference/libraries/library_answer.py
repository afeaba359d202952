"""Types of the questions to libraries and of their answers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Told = tuple[str, list[float]]
"""The label of the library that answered, and its numbers."""
