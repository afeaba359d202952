"""Checks measure; `judge` decides. A check never sees a threshold and cannot say PASS.

Adding a check is one file and one row in `CHECKS`; `tests/conformance/test_check.py` holds each to
the contract.
"""

from __future__ import annotations

from collections.abc import Mapping

from aims_gate.checks.contract import Check
from aims_gate.plugin_table import Table

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
_EVIDENTLY_TESTS = (
    "psi",
    "wasserstein",
    "jensenshannon",
    "hellinger",
    "ks",
    "t_test",
    "chisquare",
    "kl_div",
    "ed",
    "anderson",
    "cramer_von_mises",
    "es",
    "mannw",
    "z",
    "fisher_exact",
    "g_test",
)

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
        "drift.prediction": "aims_gate.checks.drift.prediction_label:Prediction",
        "drift.label": "aims_gate.checks.drift.prediction_label:Label",
        "drift.performance": "aims_gate.checks.drift.performance:Performance",
        **{f"evidently:{name}": f"{_EVIDENTLY}:{name}" for name in _EVIDENTLY_TESTS},
        "data.schema": "aims_gate.checks.data.schema:Schema",
        "data.missing": "aims_gate.checks.data.missing:Missing",
        "data.ranges": "aims_gate.checks.data.ranges:Ranges",
        "data.duplicates": "aims_gate.checks.data.duplicates:Duplicates",
        "data.overlap": "aims_gate.checks.data.overlap:Overlap",
        "data.freshness": "aims_gate.checks.data.freshness:Freshness",
        "data.personal": "aims_gate.checks.data.personal:Personal",
        "aims.soa": "aims_gate.checks.aims.soa:StatementOfApplicability",
        "aims.inventory": "aims_gate.checks.aims.inventory:Inventory",
        "monitoring.alive": "aims_gate.checks.monitoring.alive:Alive",
        "integrity.model": "aims_gate.checks.integrity.model:Model",
        "integrity.data": "aims_gate.checks.integrity.data:DataDigests",
        "integrity.run": "aims_gate.checks.integrity.run:Run",
        "integrity.environment": "aims_gate.checks.integrity.environment:PinnedEnvironment",
        "integrity.isolation": "aims_gate.checks.integrity.isolation:Isolated",
        "oversight.approvals": "aims_gate.checks.oversight.approvals:Approvals",
        "records.complete": "aims_gate.checks.records.complete:Complete",
        "records.fresh": "aims_gate.checks.records.fresh:Fresh",
        "records.approved": "aims_gate.checks.records.approved:ApprovedRecords",
        "records.current": "aims_gate.checks.records.current:Current",
        "records.preregistered": "aims_gate.checks.records.preregistered:Preregistered",
        "records.consistent": "aims_gate.checks.records.consistent:Consistent",
        "risks.residual": "aims_gate.checks.risks.residual:Residual",
        "risks.treated": "aims_gate.checks.risks.treated:Treated",
        "log.open": "aims_gate.checks.log.entries:Open",
        "log.learned": "aims_gate.checks.log.learned:Learned",
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
