"""People of three groups, of unequal size and fortune."""

from __future__ import annotations

from typing import Any

import numpy as np


def people(rows: int = 1_500, seed: int = 3, **more: Any) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    sex = rng.choice(["F", "M", "X"], rows, p=[0.5, 0.38, 0.12])
    y = (rng.random(rows) < 0.3 + 0.2 * (sex == "M")).astype(int)
    p = (rng.random(rows) < 0.2 + 0.5 * y + 0.1 * (sex == "X")).astype(int)
    return {"sex": sex, "y": y, "p": p, "s": np.round(rng.random(rows) + 0.2 * y, 2), **more}
