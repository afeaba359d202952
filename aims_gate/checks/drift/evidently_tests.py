"""Every test that Evidently 0.7.23 registers, but those that draw random numbers.

`checks.REFUSED` says why those are not here; `evidently.legacy.calculations.stattests` has them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from aims_gate.checks.drift.evidently import EVERY, EvidentlyTest, LibraryTest
from aims_gate.checks.drift.matching import CATEGORIES
from aims_gate.frames import ColumnKind

_NUMBERS = (ColumnKind.NUMBER,)
_BINS = "over Sturges' bins of both samples, or the values where there are at most 20"


def _check(given: LibraryTest) -> type[EvidentlyTest]:
    """Check of a test."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Named(EvidentlyTest):
        """A test of Evidently's."""

        about = given.about()
        test = given

    return Named


# under Evidently's own names, as `CHECKS` looks them up
psi = _check(
    LibraryTest(
        name="psi",
        summary="Population stability index of each column, on Evidently's bins.",
        definition=(
            f"Sum of (p - q) ln(p / q) {_BINS}, empty ones filled with 0.0001; in [0, inf), "
            "0 is no drift."
        ),
        kinds=EVERY,
    )
)
wasserstein = _check(
    LibraryTest(
        name="wasserstein",
        summary="Wasserstein distance of each numeric column, by Evidently.",
        definition=(
            "Area between the distribution functions over max(standard deviation of the "
            "reference, 0.001); in [0, inf), 0 is no drift."
        ),
        kinds=_NUMBERS,
    )
)
jensenshannon = _check(
    LibraryTest(
        name="jensenshannon",
        summary="Jensen-Shannon distance of each column, by Evidently.",
        definition=(
            f"Root of the Jensen-Shannon divergence in nats {_BINS}; in [0, 0.833], 0 is no "
            "drift and 0.833 two samples without a common value."
        ),
        kinds=EVERY,
        high=math.sqrt(math.log(2)),
    )
)
hellinger = _check(
    LibraryTest(
        name="hellinger",
        summary="Hellinger distance of each column, by Evidently.",
        definition=(
            f"Root of 1 - sum of sqrt(p q) {_BINS}; in [0, 1], 0 is no drift and 1 two "
            "samples without a common value."
        ),
        kinds=EVERY,
        high=1.0,
    )
)
ks = _check(
    LibraryTest(
        name="ks",
        summary="p-value of the Kolmogorov-Smirnov test of each numeric column, by Evidently.",
        definition=(
            "Probability of so large a difference between the distribution functions "
            "without drift; in [0, 1], near 0 is drift."
        ),
        kinds=_NUMBERS,
        p_value=True,
        limit=0.05,
    )
)
t_test = _check(
    LibraryTest(
        name="t_test",
        summary="p-value of Student's t test of each numeric column, by Evidently.",
        definition=(
            "Probability of so large a difference between the means without drift; in [0, "
            "1], near 0 is drift. A change that keeps the mean is not seen."
        ),
        kinds=_NUMBERS,
        p_value=True,
        limit=0.05,
    )
)
chisquare = _check(
    LibraryTest(
        name="chisquare",
        summary="p-value of the chi-square test of each categorical column, by Evidently.",
        definition=(
            "Probability of such counts if the reference's shares still held exactly; in "
            "[0, 1], near 0 is drift. A category that the reference lacks gives 0."
        ),
        kinds=CATEGORIES,
        p_value=True,
        limit=0.05,
    )
)
kl_div = _check(
    LibraryTest(
        name="kl_div",
        summary="Kullback-Leibler divergence of each column, by Evidently.",
        definition=(
            f"Sum of p ln(p / q) {_BINS}, p of the reference, empty ones filled with 0.0001; "
            "in [0, inf), 0 is no drift."
        ),
        kinds=EVERY,
    )
)
ed = _check(
    LibraryTest(
        name="ed",
        summary="Energy distance of each numeric column, by Evidently.",
        definition=(
            "Root of 2 E|X - Y| - E|X - X'| - E|Y - Y'|; in [0, inf), 0 is no drift. It "
            "grows with the root of the column's unit, so that one limit does not fit two "
            "columns."
        ),
        kinds=_NUMBERS,
    )
)
anderson = _check(
    LibraryTest(
        name="anderson",
        summary="p-value of the Anderson-Darling test of each numeric column, by Evidently.",
        definition=(
            "Probability of so large a weighted difference between the distribution "
            "functions without drift, from a table that ends at 0.001 and 0.25; near 0.001 "
            "is drift."
        ),
        kinds=_NUMBERS,
        p_value=True,
    )
)
cramer_von_mises = _check(
    LibraryTest(
        name="cramer_von_mises",
        summary="p-value of the Cramer-von Mises test of each numeric column, by Evidently.",
        definition=(
            "Probability of so large a squared difference between the distribution "
            "functions without drift; in [0, 1], near 0 is drift."
        ),
        kinds=_NUMBERS,
        p_value=True,
    )
)
es = _check(
    LibraryTest(
        name="es",
        summary="p-value of the Epps-Singleton test of each numeric column, by Evidently.",
        definition=(
            "Probability of such characteristic functions without drift; in [0, 1], near 0 "
            "is drift."
        ),
        kinds=_NUMBERS,
        p_value=True,
        limit=0.05,
        undecided="the middle half of the values is one value",
    )
)
mannw = _check(
    LibraryTest(
        name="mannw",
        summary="One-sided p-value of the Mann-Whitney test of each numeric column, by Evidently.",
        definition=(
            "Probability of such ranks if current values are not larger; in [0, 1], near 0 "
            "is drift. Values that fall are not seen."
        ),
        kinds=_NUMBERS,
        p_value=True,
        limit=0.05,
    )
)
z = _check(
    LibraryTest(
        name="z",
        summary="p-value of the z test of each categorical column, by Evidently.",
        definition=(
            "Probability of so large a difference between the shares of the first value, in "
            "order, without drift; in [0, 1], near 0 is drift. Changes among the other "
            "values are not seen."
        ),
        kinds=CATEGORIES,
        p_value=True,
        limit=0.05,
    )
)
fisher_exact = _check(
    LibraryTest(
        name="fisher_exact",
        summary="p-value of Fisher's exact test of each column of two values, by Evidently.",
        definition=(
            "Probability of such counts without drift, the margins given; in [0, 1], near 0 "
            "is drift."
        ),
        kinds=CATEGORIES,
        p_value=True,
        paired=True,
        most_values=2,
        undecided="there are more than two values, or not as many rows in both samples",
    )
)
g_test = _check(
    LibraryTest(
        name="g_test",
        summary="p-value of the G test of each categorical column, by Evidently.",
        definition=(
            "Probability of such counts if the reference's shares still held exactly; in "
            "[0, 1], near 0 is drift."
        ),
        kinds=CATEGORIES,
        p_value=True,
        paired=True,
        undecided="there are not as many rows in both samples",
    )
)
