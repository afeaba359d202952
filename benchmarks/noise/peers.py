"""What others decide on the same draws, by their own code: Evidently, Fairlearn, and a bare PSI."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from draws import Values
from evidently.legacy.calculations.stattests import get_stattest
from evidently.legacy.core import ColumnType
from fairlearn.metrics import demographic_parity_ratio


def evidently_drifted(reference: Mapping[str, Values], current: Mapping[str, Values]) -> list[bool]:
    """Give per column whether Evidently's default test, with its default threshold, sees drift."""
    found = []
    for name, before in reference.items():
        kind = ColumnType.Categorical if before.dtype.kind == "U" else ColumnType.Numerical
        # as DataDriftPreset does: nulls are dropped before a test is chosen
        old, new = (
            pd.Series(v).replace([np.inf, -np.inf], np.nan).dropna()
            for v in (before, current[name])
        )
        test = get_stattest(old, new, kind, None)
        found.append(bool(test(old, new, kind, None).drifted))
    return found


def bare_psi(reference: Mapping[str, Values], current: Mapping[str, Values]) -> list[float]:
    """Give the textbook PSI per column: ten quantile bins or categories, least share 1e-4."""
    return [_psi(before, current[name]) for name, before in reference.items()]


def bare_ratio(people: Mapping[str, Values]) -> float:
    """Give Fairlearn's least demographic parity ratio of an attribute, as a bare 0.8 reads it."""
    attributes = [people[name] for name in ("sex", "race") if name in people]
    label, prediction = people["label"], people["prediction"]
    return min(
        demographic_parity_ratio(label, prediction, sensitive_features=attribute)
        for attribute in attributes
    )


def _psi(before: Values, after: Values) -> float:
    if before.dtype.kind == "U":
        kinds = np.union1d(before, after)
        counts = [np.searchsorted(kinds, side) for side in (before, after)]
        tables = [np.bincount(codes, minlength=len(kinds)) for codes in counts]
    else:
        old, new = (side[~np.isnan(side.astype(float))].astype(float) for side in (before, after))
        cuts = np.unique(np.quantile(old, np.linspace(0.1, 0.9, 9)))
        places = [np.searchsorted(cuts, side, side="right") for side in (old, new)]
        tables = [np.bincount(codes, minlength=len(cuts) + 1) for codes in places]
    p, q = (np.maximum(table / max(table.sum(), 1), 1e-4) for table in tables)
    return float(((p - q) * np.log(p / q)).sum())
