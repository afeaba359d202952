"""Adapter to Evidently, and to SciPy, which it uses."""

from __future__ import annotations

import math

import numpy as np

from aims_gate.engines.reference.libraries.library_answer import Counts, Floats, Told


def drift(
    *, test: str, kind: str, reference: Floats, before: Counts, current: Floats, after: Counts
) -> Told:
    """Score of one of Evidently's registered drift tests.

    *reference* and *current* are values, *before* and *after* how often each of them occurs; *kind*
    is `num` or `cat`.
    """
    import evidently
    import pandas as pd
    from evidently.legacy.calculations.stattests.registry import get_registered_stattest
    from evidently.legacy.core import ColumnType

    column = ColumnType(kind)
    found = get_registered_stattest(test, column)(
        pd.Series(np.repeat(reference, before)),
        pd.Series(np.repeat(current, after)),
        column,
        None,
    )
    return f"evidently {evidently.__version__}", [float(found.drift_score)]


def distance(method: str, reference: Floats, current: Floats) -> Told:
    """Test statistic from SciPy, where Evidently's test returns only its p-value.

    `ks` is of two samples of values; `chi2`, Cramer's V, of two rows of counts weighted alike.
    """
    import scipy
    from scipy.stats import chi2_contingency, ks_2samp

    if method == "ks":
        found = ks_2samp(reference, current, method="asymp").statistic
    else:
        shares = np.array([reference / reference.sum(), current / current.sum()])
        found = math.sqrt(chi2_contingency(shares, correction=False).statistic / 2)
    return f"scipy {scipy.__version__}", [float(found)]
