"""Checks measure; `judge` decides. A check never sees a threshold and cannot say PASS.

A check is a frozen dataclass whose fields are its parameters (the `with:` of a rule). `plan` builds
it, so a misspelt parameter is a policy error before anything is read. Adding a check is one file
and one row in `CHECKS`; `tests/conformance/test_check.py` holds every one to this contract.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Protocol

from aims_gate.engines import Engine
from aims_gate.errors import DataError
from aims_gate.facts import Statistic
from aims_gate.plugin_table import Table
from aims_gate.policy.model import DecideOn, Role
from aims_gate.sources.subject import Data, Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The one statistic of a check that is held against a threshold."""

    name: str
    low: float
    """Least value it can take."""
    high: float
    """Greatest value it can take; may be infinite."""
    higher_is_better: bool | None
    """None where both directions make sense."""
    neutral: float | None = None
    """The value of "no effect": 0 for distances and gaps, 1 for ratios; None for performance."""
    limit: float | None = None
    """The conventional limit, where there is one; used when a rule has no `require`."""
    line: float | None = None
    """The conventional line, that goes with the conventional limit; None for half way."""
    rooted: bool = False
    """The root of what adds up, such as a distance whose square is a sum: twice an effect is the
    root of 2 times its value."""
    has_interval: bool = True
    decide_on: DecideOn = DecideOn.ESTIMATE
    """Who carries the burden of proof unless the rule says otherwise."""
    unit: str = ""
    alias: str = ""
    """The alias of the registry whose model is compared with, or `NAME@ALIAS`; empty for none."""
    roles: tuple[Role, ...] | None = None
    """The data that are read under these parameters; None where `About.roles` says it."""
    engine: str = ""
    """The only engine that can measure it under these parameters; empty where `About` says it."""
    sorts: bool = False
    """It goes through all columns of numbers, one by one, under these parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a check is, for `policy checks`, `explain` and the evidence."""

    name: str
    """`family.name`."""
    summary: str
    """One sentence: what is measured."""
    definition: str
    """The formula, its range, what 0 and 1 mean, the interval and its source, in plain text."""
    roles: tuple[Role, ...] = ()
    """The data it reads unless the rule says `on:`."""
    asks: str = ""
    """The library that `engine: reference` and `both` ask for it; empty where no engine is."""
    engine: str = ""
    """The only engine that can measure it, whatever the policy says; empty where all can."""
    controls: tuple[str, ...] = ()
    """The controls it supports, such as `iso42001:A.6.2.4`."""
    undecided: tuple[str, ...] = ()
    """Situations in which it refuses to give a value, each in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What a check may look at."""

    subject: Subject
    engine: Engine
    alpha: float
    """Error rate of the whole rule; a check divides it by its own cells."""
    alpha_alone: float
    """Error rate of each cell's own bounds, divided by nothing."""
    now: datetime
    on: Role | None = None
    """The role that the rule names with `on:`."""
    named: frozenset[str] = frozenset()
    """Columns that the rule's parameters name."""

    def data(self, role: Role) -> Data:
        """Give the data of *role*; NoData if there are none, DataError if they are unusable."""
        if role in self.subject.unread:
            raise self.subject.unread[role]
        if role not in self.subject.data:
            raise NoDataError(
                f"there are no {role} data",
                hint=f"log them with aims_gate.log_evaluation(role={role.value!r}) "
                f"or hand them over with --data {role}=URI",
            )
        found = self.subject.data[role]
        return replace(found, declared=found.declared | self.named) if self.named else found


class NoDataError(DataError):
    """A role that a check needs has no data: the outcome is MISSING, not ERROR."""


class Check(Protocol):
    """One kind of measurement, with its parameters as fields."""

    about: ClassVar[About]

    def judged(self) -> Judged:
        """Describe the judged statistic under these parameters."""
        ...

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Give what is wrong with the parameters together: (field, what, hint)."""
        ...

    def measure(self, inputs: Inputs) -> Iterable[Statistic]:
        """Measure; DataError, with its reason, if the data do not allow it."""
        ...


_FAIRNESS = "aims_gate.checks.fairness"
_FAIRLEARN = "aims_gate.checks.fairness.fairlearn"
_FAIRLEARN_METRICS = (
    "demographic_parity_difference",
    "demographic_parity_ratio",
    "equalized_odds_difference",
    "equalized_odds_ratio",
    "equal_opportunity_difference",
    "equal_opportunity_ratio",
    "true_positive_rate_difference",
    "true_positive_rate_ratio",
    "true_negative_rate_difference",
    "true_negative_rate_ratio",
    "false_positive_rate_difference",
    "false_positive_rate_ratio",
    "false_negative_rate_difference",
    "false_negative_rate_ratio",
    "selection_rate_difference",
    "selection_rate_ratio",
    "accuracy_score_difference",
    "accuracy_score_ratio",
    "accuracy_score_group_min",
    "zero_one_loss_difference",
    "zero_one_loss_ratio",
    "zero_one_loss_group_max",
    "balanced_accuracy_score_group_min",
    "precision_score_group_min",
    "f1_score_group_min",
    "recall_score_group_min",
)
_EVIDENTLY = "aims_gate.checks.drift.evidently_tests"

CHECKS: Table[type[Check]] = Table(
    "check",
    {
        "performance.score": "aims_gate.checks.performance.score:Score",
        "performance.calibration": "aims_gate.checks.performance.calibration:Calibration",
        "performance.sample": "aims_gate.checks.performance.sample:Sample",
        "performance.champion": "aims_gate.checks.performance.champion:Champion",
        "performance.slices": "aims_gate.checks.performance.slices:Slices",
        "performance.robustness": "aims_gate.checks.performance.robustness:Robustness",
        "performance.logged": "aims_gate.checks.performance.logged:Logged",
        "fairness.impact_ratio": "aims_gate.checks.fairness.rates:ImpactRatio",
        "fairness.parity": "aims_gate.checks.fairness.rates:Parity",
        "fairness.odds": "aims_gate.checks.fairness.rates:Odds",
        "fairness.predictive_parity": "aims_gate.checks.fairness.rates:PredictiveParity",
        "fairness.group_performance": f"{_FAIRNESS}.group_performance:GroupPerformance",
        "fairness.score_gap": f"{_FAIRNESS}.score_gap:ScoreGap",
        "fairness.label_bias": f"{_FAIRNESS}.label_bias:LabelBias",
        "fairness.representation": "aims_gate.checks.fairness.representation:Representation",
        "fairness.proxy": "aims_gate.checks.fairness.proxy:Proxies",
        **{f"fairlearn:{name}": f"{_FAIRLEARN}:{name}" for name in _FAIRLEARN_METRICS},
        "drift.columns": "aims_gate.checks.drift.columns:Columns",
        "drift.share": "aims_gate.checks.drift.share:Share",
        "drift.new_value": "aims_gate.checks.drift.new_value:NewValue",
        "drift.prediction": "aims_gate.checks.drift.answers:Prediction",
        "drift.label": "aims_gate.checks.drift.answers:Label",
        "drift.performance": "aims_gate.checks.drift.performance:Performance",
        "evidently:psi": f"{_EVIDENTLY}:Psi",
        "evidently:wasserstein": f"{_EVIDENTLY}:Wasserstein",
        "evidently:jensenshannon": f"{_EVIDENTLY}:JensenShannon",
        "evidently:hellinger": f"{_EVIDENTLY}:Hellinger",
        "evidently:ks": f"{_EVIDENTLY}:Ks",
        "evidently:t_test": f"{_EVIDENTLY}:TTest",
        "evidently:chisquare": f"{_EVIDENTLY}:ChiSquare",
        "evidently:kl_div": f"{_EVIDENTLY}:KlDivergence",
        "evidently:ed": f"{_EVIDENTLY}:EnergyDistance",
        "evidently:anderson": f"{_EVIDENTLY}:AndersonDarling",
        "evidently:cramer_von_mises": f"{_EVIDENTLY}:CramerVonMises",
        "evidently:es": f"{_EVIDENTLY}:EppsSingleton",
        "evidently:mannw": f"{_EVIDENTLY}:MannWhitney",
        "evidently:z": f"{_EVIDENTLY}:ZTest",
        "evidently:fisher_exact": f"{_EVIDENTLY}:FisherExact",
        "evidently:g_test": f"{_EVIDENTLY}:GTest",
        "data.schema": "aims_gate.checks.data.schema:Schema",
        "data.missing": "aims_gate.checks.data.missing:Missing",
        "data.ranges": "aims_gate.checks.data.ranges:Ranges",
        "data.duplicates": "aims_gate.checks.data.duplicates:Duplicates",
        "data.overlap": "aims_gate.checks.data.overlap:Overlap",
        "data.freshness": "aims_gate.checks.data.freshness:Freshness",
        "integrity.model": "aims_gate.checks.integrity.model:Model",
        "integrity.data": "aims_gate.checks.integrity.data:DataDigests",
        "integrity.run": "aims_gate.checks.integrity.run:Run",
        "integrity.isolation": "aims_gate.checks.integrity.isolation:Isolated",
    },
)

_RANDOM = "it draws random numbers, and a verdict must not depend on them; use drift.columns"
REFUSED: Mapping[str, str] = {
    "evidently:TVD": _RANDOM,
    "evidently:empirical_mmd": _RANDOM,
    "evidently:perc_text_content_drift": _RANDOM,
    "evidently:abs_text_content_drift": _RANDOM,
}
"""Names that a library has and the gate does not, and why."""
