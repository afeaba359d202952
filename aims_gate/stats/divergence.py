"""Distances between two histograms of a column, each with what sampling alone would cause.

With shares p and q over the same bins or categories, and N = nm/(n+m) of the rows n and m:

- `psi`, population stability index: the symmetric Kullback-Leibler divergence, in nats; above 0.25
  is conventionally a large shift. Its law under true drift is noncentral chi-square (Yurdakul and
  Naranjo, 2020, for the central case).
- `js`, Jensen-Shannon distance: root of the Jensen-Shannon divergence in nats (Lin, 1991).
- `hellinger`: root of half the sum of (sqrt p - sqrt q)^2, which is 1 - sum of sqrt(p q).
- `chi2`, Cramer's V of the two samples weighted alike: root of half the sum of
  (p - q)^2 / (p + q). The usual V shrinks as one sample outgrows the other; this one does not.

0 says that the shares are equal. For small changes 8 JSD, 8 H^2 and 4 V^2 equal PSI, so that N
times each has PSI's law. Half a row is added to each bin but for `chi2`: without it the tails of
`hellinger` and `js` reach 29 and 12 times their nominal weight where a category is expected five
times and the samples are unequal; with it 1.3 times. Those of `chi2` reach 1.6 times.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from scipy.special import chdtrc

from aims_gate.errors import CheckError
from aims_gate.stats.binned_distance import BinnedDistance, Context, Divergence, distance_over
from aims_gate.stats.bins import Binned, Counts, Floats
from aims_gate.stats.distance import Tolerance


def over_bins(method: str) -> Divergence:
    """Distance over bins of that name; CheckError if there is none."""
    if method not in DIVERGENCES:
        raise CheckError(f"there is no drift method {method!r} for bins")
    return DIVERGENCES[method]


def of_table(method: str, table: Binned, *, design_effect: float = 1.0) -> BinnedDistance:
    """A divergence of a table, by its name in `DIVERGENCES`; both samples have a row."""
    return distance_over(over_bins(method), table, design_effect=design_effect)


def less_noise(method: str, plain: float, table: Binned) -> float:
    """Bias-corrected distance: its sum less df/(factor N), which noise alone adds.

    NaN for NaN, and for what is below 0 and so no distance.
    """
    if not plain >= 0:  # max() would turn it into 0, which is no drift
        return math.nan
    of = over_bins(method)
    n, m = table.sizes
    chance = (table.bins - 1) * (n + m) / (of.factor * n * m)
    return of.distance(max(0.0, of.total(plain) - chance))


def psi(table: Binned) -> BinnedDistance:
    """Population Stability Index (PSI) of a table; both samples have at least one row."""
    return of_table("psi", table)


def chi_square(reference: Counts, current: Counts) -> tuple[float, float]:
    """Pearson's chi-square test of homogeneity of two samples: statistic and p-value.

    As `scipy.stats.chi2_contingency` by default: Yates' correction for two columns. Columns that
    are empty in both are left out; of one column 0 and 1.
    """
    filled = (reference + current) > 0
    table = np.array([reference[filled], current[filled]], dtype=np.float64)
    df = table.shape[1] - 1
    if df == 0:
        return 0.0, 1.0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    apart = np.abs(table - expected)
    if df == 1:
        apart -= np.minimum(apart, 0.5)
    found = float((apart**2 / expected).sum())
    return found, float(chdtrc(df, found))


def _psi_terms(p: Floats, q: Floats) -> Floats:
    return np.asarray((p - q) * np.log(p / q), dtype=np.float64)


def _js_terms(p: Floats, q: Floats) -> Floats:
    middle = (p + q) / 2
    terms = (p * np.log(p / middle) + q * np.log(q / middle)) / 2
    # a bin of equal shares may round to just below 0
    return np.asarray(np.maximum(terms, 0.0), dtype=np.float64)


def _hellinger_terms(p: Floats, q: Floats) -> Floats:
    return np.asarray((np.sqrt(p) - np.sqrt(q)) ** 2 / 2, dtype=np.float64)


def _chi2_terms(p: Floats, q: Floats) -> Floats:
    return np.asarray((p - q) ** 2 / (p + q) / 2, dtype=np.float64)


def _chi_square_beside(reference: Counts, current: Counts) -> Context:
    statistic, p_value = chi_square(reference, current)
    return ("chi2", statistic), ("p_value", p_value)


_ROWS = (
    Divergence(
        name="psi",
        statistic="psi",
        words="PSI",
        definition="sum of (p - q) ln(p / q) over about ten reference quantiles or the categories, "
        "less what noise adds; in [0, inf), 0 is no drift and 0.25 conventionally a large one.",
        limit=0.25,
        line=0.10,
        most=math.inf,
        terms=_psi_terms,
        factor=1,
        least=1e-4,
        oracle=("evidently", "psi"),
        tolerance=Tolerance(relative=1e-9, absolute=1e-12),
    ),
    # limits and lines of roots are those of PSI, by PSI ~ 8 JSD ~ 8 H^2 ~ 4 V^2; their tolerances
    # are wide near 0: what is lost in 1 - sum of sqrt(p q) is 1e-16 before the root
    Divergence(
        name="js",
        statistic="jensenshannon",
        words="Jensen-Shannon distance",
        definition="Jensen-Shannon distance over the same bins, root of the divergence in nats; in "
        "[0, 0.833].",
        limit=0.18,
        line=0.11,
        most=math.sqrt(math.log(2)),
        rooted=True,
        terms=_js_terms,
        factor=8,
        oracle=("evidently", "jensenshannon"),
        tolerance=Tolerance(relative=1e-7, absolute=1e-7),
    ),
    Divergence(
        name="hellinger",
        statistic="hellinger",
        words="Hellinger distance",
        definition="root of 1 - sum of sqrt(p q); in [0, 1].",
        limit=0.18,
        line=0.11,
        most=1.0,
        rooted=True,
        terms=_hellinger_terms,
        factor=8,
        oracle=("evidently", "hellinger"),
        tolerance=Tolerance(relative=1e-7, absolute=1e-7),
    ),
    Divergence(
        name="chi2",
        statistic="cramers_v",
        words="Cramér's V",
        definition="Cramer's V of the two samples weighted alike, root of half the sum of "
        "(p - q)^2 / (p + q), in [0, 1]: an effect size, because a p-value falls with the rows "
        "however small the drift; Pearson's chi-square of all categories and its p-value stand "
        "beside it.",
        limit=0.25,
        line=0.16,
        most=1.0,
        rooted=True,
        terms=_chi2_terms,
        factor=4,
        smooth=False,
        # Evidently's test of that name takes the reference as exact
        oracle=("scipy", "chi2"),
        tolerance=Tolerance(relative=1e-9, absolute=1e-9),
        beside=_chi_square_beside,
    ),
)
DIVERGENCES: Mapping[str, Divergence] = {row.name: row for row in _ROWS}
"""Every distance over bins or categories, by its name in a policy."""
