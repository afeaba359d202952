"""Every test that Evidently 0.7.23 registers, but those that draw random numbers.

`checks.REFUSED` says why those are not here; `evidently.legacy.calculations.stattests` has them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from aims_gate.checks.drift.evidently import EVERY, EvidentlyTest, about
from aims_gate.checks.drift.matching import CATEGORIES
from aims_gate.frames import ColumnKind

_BINS = "over Sturges' bins of both samples, or the values where there are at most 20"


@dataclass(frozen=True, slots=True, kw_only=True)
class Psi(EvidentlyTest):
    """Population stability index on Evidently's own bins."""

    about = about(
        "psi",
        "Population stability index of each column, on Evidently's bins.",
        f"Sum of (p - q) ln(p / q) {_BINS}, empty ones filled with 0.0001; in [0, inf), 0 is no "
        "drift.",
    )
    test = "psi"
    kinds = EVERY


@dataclass(frozen=True, slots=True, kw_only=True)
class Wasserstein(EvidentlyTest):
    """Wasserstein distance in standard deviations of the reference."""

    about = about(
        "wasserstein",
        "Wasserstein distance of each numeric column, by Evidently.",
        "Area between the distribution functions over max(standard deviation of the reference, "
        "0.001); in [0, inf), 0 is no drift.",
    )
    test = "wasserstein"
    kinds = (ColumnKind.NUMBER,)


@dataclass(frozen=True, slots=True, kw_only=True)
class JensenShannon(EvidentlyTest):
    """Jensen-Shannon distance on Evidently's own bins."""

    about = about(
        "jensenshannon",
        "Jensen-Shannon distance of each column, by Evidently.",
        f"Root of the Jensen-Shannon divergence in nats {_BINS}; in [0, 0.833], 0 is no drift and "
        "0.833 two samples without a common value.",
    )
    test = "jensenshannon"
    kinds = EVERY
    high = math.sqrt(math.log(2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Hellinger(EvidentlyTest):
    """Hellinger distance on Evidently's own bins."""

    about = about(
        "hellinger",
        "Hellinger distance of each column, by Evidently.",
        f"Root of 1 - sum of sqrt(p q) {_BINS}; in [0, 1], 0 is no drift and 1 two samples without "
        "a common value.",
    )
    test = "hellinger"
    kinds = EVERY
    high = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ks(EvidentlyTest):
    """p-value of the two-sample Kolmogorov-Smirnov test."""

    about = about(
        "ks",
        "p-value of the Kolmogorov-Smirnov test of each numeric column, by Evidently.",
        "Probability of so large a difference between the distribution functions without drift; "
        "in [0, 1], near 0 is drift.",
        p_value=True,
    )
    test = "ks"
    limit = 0.05
    kinds = (ColumnKind.NUMBER,)
    p_value = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TTest(EvidentlyTest):
    """p-value of Student's two-sample t test."""

    about = about(
        "t_test",
        "p-value of Student's t test of each numeric column, by Evidently.",
        "Probability of so large a difference between the means without drift; in [0, 1], near 0 "
        "is drift. A change that keeps the mean is not seen.",
        p_value=True,
    )
    test = "t_test"
    limit = 0.05
    kinds = (ColumnKind.NUMBER,)
    p_value = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ChiSquare(EvidentlyTest):
    """p-value of the chi-square test."""

    about = about(
        "chisquare",
        "p-value of the chi-square test of each categorical column, by Evidently.",
        "Probability of such counts if the reference's shares still held exactly; in [0, 1], near "
        "0 is drift. A category that the reference lacks gives 0.",
        p_value=True,
    )
    test = "chisquare"
    limit = 0.05
    kinds = CATEGORIES
    p_value = True


@dataclass(frozen=True, slots=True, kw_only=True)
class KlDivergence(EvidentlyTest):
    """Kullback-Leibler divergence on Evidently's own bins."""

    about = about(
        "kl_div",
        "Kullback-Leibler divergence of each column, by Evidently.",
        f"Sum of p ln(p / q) {_BINS}, p of the reference, empty ones filled with 0.0001; in "
        "[0, inf), 0 is no drift.",
    )
    test = "kl_div"
    kinds = EVERY


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyDistance(EvidentlyTest):
    """Energy distance, in the root of the column's unit."""

    about = about(
        "ed",
        "Energy distance of each numeric column, by Evidently.",
        "Root of 2 E|X - Y| - E|X - X'| - E|Y - Y'|; in [0, inf), 0 is no drift. It grows with the "
        "root of the column's unit, so that one limit does not fit two columns.",
    )
    test = "ed"
    kinds = (ColumnKind.NUMBER,)


@dataclass(frozen=True, slots=True, kw_only=True)
class AndersonDarling(EvidentlyTest):
    """p-value of the Anderson-Darling test of two samples."""

    about = about(
        "anderson",
        "p-value of the Anderson-Darling test of each numeric column, by Evidently.",
        "Probability of so large a weighted difference between the distribution functions without "
        "drift, from a table that ends at 0.001 and 0.25; near 0.001 is drift.",
        p_value=True,
    )
    test = "anderson"
    kinds = (ColumnKind.NUMBER,)
    p_value = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CramerVonMises(EvidentlyTest):
    """p-value of the Cramer-von Mises test of two samples."""

    about = about(
        "cramer_von_mises",
        "p-value of the Cramer-von Mises test of each numeric column, by Evidently.",
        "Probability of so large a squared difference between the distribution functions without "
        "drift; in [0, 1], near 0 is drift.",
        p_value=True,
    )
    test = "cramer_von_mises"
    kinds = (ColumnKind.NUMBER,)
    p_value = True


@dataclass(frozen=True, slots=True, kw_only=True)
class EppsSingleton(EvidentlyTest):
    """p-value of the Epps-Singleton test of two samples."""

    about = about(
        "es",
        "p-value of the Epps-Singleton test of each numeric column, by Evidently.",
        "Probability of such characteristic functions without drift; in [0, 1], near 0 is drift.",
        p_value=True,
        undecided="the middle half of the values is one value",
    )
    test = "es"
    limit = 0.05
    kinds = (ColumnKind.NUMBER,)
    p_value = True


@dataclass(frozen=True, slots=True, kw_only=True)
class MannWhitney(EvidentlyTest):
    """One-sided p-value of the Mann-Whitney U test."""

    about = about(
        "mannw",
        "One-sided p-value of the Mann-Whitney test of each numeric column, by Evidently.",
        "Probability of such ranks if current values are not larger; in [0, 1], near 0 is drift. "
        "Values that fall are not seen.",
        p_value=True,
    )
    test = "mannw"
    limit = 0.05
    kinds = (ColumnKind.NUMBER,)
    p_value = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ZTest(EvidentlyTest):
    """p-value of the z test of two shares."""

    about = about(
        "z",
        "p-value of the z test of each categorical column, by Evidently.",
        "Probability of so large a difference between the shares of the first value, in order, "
        "without drift; in [0, 1], near 0 is drift. Changes among the other values are not seen.",
        p_value=True,
    )
    test = "z"
    limit = 0.05
    kinds = CATEGORIES
    p_value = True


@dataclass(frozen=True, slots=True, kw_only=True)
class FisherExact(EvidentlyTest):
    """p-value of Fisher's exact test."""

    about = about(
        "fisher_exact",
        "p-value of Fisher's exact test of each column of two values, by Evidently.",
        "Probability of such counts without drift, the margins given; in [0, 1], near 0 is drift.",
        p_value=True,
        undecided="there are more than two values, or not as many rows in both samples",
    )
    test = "fisher_exact"
    kinds = CATEGORIES
    p_value = True
    paired = True
    most_values = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class GTest(EvidentlyTest):
    """p-value of the likelihood-ratio test of counts."""

    about = about(
        "g_test",
        "p-value of the G test of each categorical column, by Evidently.",
        "Probability of such counts if the reference's shares still held exactly; in [0, 1], near "
        "0 is drift.",
        p_value=True,
        undecided="there are not as many rows in both samples",
    )
    test = "g_test"
    kinds = CATEGORIES
    p_value = True
    paired = True
