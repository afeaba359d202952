"""Groups as weighted rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aims_gate.frames import Scalar
from aims_gate.sources.subject import Data
from tests.checks.subjects import data


def counted(
    groups: Mapping[Scalar | None, tuple[int, int]],
    *,
    column: str = "sex",
    label: int | None = None,
    **spec: Any,
) -> Data:
    """Rows and selected of each group, as weighted rows; labels equal predictions unless given."""
    rows = [
        (name, label if label is not None else p, p, n)
        for name, (total, chosen) in groups.items()
        for p, n in ((1, chosen), (0, total - chosen))
    ]
    columns = dict(zip([column, "y", "p", "n"], map(list, zip(*rows, strict=True)), strict=True))
    roles = {"label": "y", "prediction": "p", "weight": "n", "sensitive": {column: None}}
    return data(columns, **{**roles, **spec})
