"""Statistics of rows, as arrays: what no count or sum over all rows tells.

A frame gathers the arrays (`Frame.gather`), each row with how many it stands for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.integer[Any]]
"""Shape (rows,): places among the values of a column; -1 for null."""
