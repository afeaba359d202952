"""Attempts to write a number under which a rule could refuse next to nothing."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from aims_gate import limits
from aims_gate.checks import CHECKS
from aims_gate.plan import plan
from aims_gate.policy import domains
from aims_gate.policy.resolve import resolve

HEAD = 'apiVersion: aims-gate/v1\nkind: Policy\nmetadata: {id: p, version: "1"}\n'
RULE = "rules:\n  - {id: P-1, check: performance.score, with: {metric: accuracy}, "
RULE += "require: {at_least: 0.8}}\n"


def refusals(text: str) -> list[str]:
    policy, problems = resolve((HEAD + text).encode(), uri="p.yaml")
    if problems or policy is None:
        return [str(problem) for problem in problems]
    return [str(problem) for problem in plan(policy).problems]


def rule(check: str, rest: str = "") -> str:
    return f"rules:\n  - {{id: P-1, check: {check}{rest and ', '}{rest}}}\n"


def score(metric: str, require: str) -> str:
    return rule("performance.score", f"with: {{metric: {metric}}}, require: {{{require}}}")


VACUOUS = [
    "alpha: 0.4999\n" + RULE,
    "alpha: 1e-12\n" + RULE,
    "data: {evaluation: {max_null_labels: 0.99}}\n" + RULE,
    "data: {evaluation: {min_rows: 0}}\n" + RULE,
    "data: {evaluation: {max_age_days: 1e9}}\n" + RULE,
    "data: {evaluation: {time: t, window: {days: 1e9}}}\n" + RULE,
    "data: {evaluation: {time: t, window: {days: 1e-300}}}\n" + RULE,
    RULE.replace("require", "max_age_days: 1e9, require"),
    RULE.replace("require", "max_age_days: 31, grace_days: 1e9, require"),
    score("accuracy", "at_least: 1e-300"),
    score("accuracy", "at_least: 0.001"),
    score("roc_auc", "between: [1e-9, 0.9]"),
    score("roc_auc", "between: [0.5, 0.9999]"),
    score("brier", "at_most: 0.999"),
    score("log_loss", "at_most: 1e300"),
    score("log_loss", "at_most: 101"),
    score("mae", "at_most: 1e300"),
    score("mape", "at_most: 1e6"),
    score("r2", "at_least: -1e9"),
    score("mcc", "at_least: -0.99"),
    score("accuracy", "at_least: 0.8, warn_below: 1e9"),
    rule("performance.logged", "with: {metric: auc}, require: {at_least: 1e-300}"),
    rule("performance.logged", "with: {metric: auc}, require: {at_least: -1e300}"),
    rule("performance.sample", "require: {at_least: 1}"),
    rule("performance.sample", "with: {statistic: positives}, require: {at_least: 1}"),
    rule("performance.champion", "with: {metric: mae}, require: {at_most: 1e300}"),
    rule("fairness.impact_ratio", "require: {at_least: 1e-300}"),
    rule("fairness.impact_ratio", "with: {min_cell: 1}"),
    rule("fairness.impact_ratio", "with: {max_uncovered: 0.99}"),
    rule("fairness.impact_ratio", "with: {small_share: 0.9}"),
    rule("fairness.impact_ratio", "with: {design_effect: 1e9}"),
    rule("fairness.impact_ratio", "serious: 0.001"),
    rule("fairness.parity", "require: {at_most: 0.9999}"),
    rule("fairness.parity", "serious: 0.999"),
    rule("fairness.impact_ratio", "serious: 0.8"),
    rule("fairness.parity", "serious: 0.1"),
    rule("fairness.impact_ratio",
         "baseline: {value: 1e-9, owner: a, expires: 2099-01-01}"),
    rule("fairness.score_gap", "require: {at_most: 1e9}"),
    rule("fairness.representation", "with: {population: {sex: {F: 0.5, M: 0.5}}, min_count: 0}"),
    rule("drift.columns", "require: {at_most: 1e300}"),
    rule("drift.columns", "require: {at_most: 3}"),
    rule("drift.columns", "serious: 1e9"),
    rule("drift.columns", "with: {design_effect: 1e9}"),
    rule("drift.columns", "require: {at_most: 0.25, warn_above: -1}"),
    rule("drift.share", "with: {moved: 100}"),
    rule("drift.share", "with: {weights: {idle: 1e9}}"),
    rule("drift.new_value", "with: {factor: 1e9}"),
    rule("drift.new_value", "with: {share: 0.9}"),
    rule("drift.new_value", "with: {unseen_share: 0.99}"),
    rule("data.missing", "require: {at_most: 0.999}"),
    rule("data.freshness", "require: {at_most: 1e9}"),
    rule("data.schema", "require: {at_most: 1e9}"),
    rule("integrity.model", "require: {at_most: 1e9}"),
    rule("integrity.model", "with: {max_bytes: 1000000000000000000}"),
    rule('"evidently:ks"', "require: {at_least: 1e-300}"),
    rule('"evidently:psi"', "require: {at_most: 1e9}"),
    rule('"fairlearn:selection_rate_ratio"', "require: {at_least: 1e-9}"),
    rule('"fairlearn:selection_rate_ratio"', "require: {at_least: 0.8}, with: {min_cell: 1}"),
]  # fmt: skip
USUAL = [
    "alpha: 0.2\n" + RULE,
    "alpha: 0.001\n" + RULE,
    "data: {evaluation: {max_null_labels: 0.3, min_rows: 1, max_age_days: 400}}\n" + RULE,
    RULE.replace("require", "max_age_days: 31, grace_days: 14, require"),
    score("accuracy", "at_least: 0.05"),
    score("accuracy", "at_least: 1"),
    score("log_loss", "at_most: 7"),
    score("rmse", "at_most: 2500000"),
    score("mae", "at_most: 1e-9"),
    score("r2", "at_least: 0"),
    score("r2", "at_least: -0.5"),
    score("mcc", "at_least: 0"),
    score("roc_auc", "between: [0.4, 0.6], warn_above: 0.55"),
    rule("performance.logged", "with: {metric: auc}, require: {at_least: 0.7}"),
    rule("performance.logged", "with: {metric: auc}, require: {at_least: 0}"),
    rule("performance.logged", "with: {metric: a, against: accuracy}, require: {at_most: 0.01}"),
    rule("performance.sample", "require: {at_least: 50}"),
    rule(
        "performance.sample", "with: {statistic: half_width, metric: mae}, require: {at_most: 90}"
    ),
    rule("performance.champion", "with: {metric: mae}, require: {at_most: 120}"),
    rule("performance.champion", "with: {metric: roc_auc}, require: {at_least: -0.01}"),
    rule("fairness.impact_ratio", "with: {min_cell: 10, max_uncovered: 0.2}"),
    rule("fairness.impact_ratio", "require: {at_least: 0.5}, serious: 0.3"),
    rule("fairness.parity", "require: {at_most: 0.3}"),
    rule("fairness.impact_ratio", "require: {at_least: 0.8, warn_below: 1}"),
    rule("drift.columns", "require: {at_most: 0.25, warn_above: 0}"),
    rule("fairness.impact_ratio", "require: {at_least: 0.01}"),
    rule("fairness.parity", "require: {at_most: 0.99}"),
    rule("fairness.parity", "require: {at_most: 0.1}, serious: 0.91"),
    rule("fairness.score_gap", "require: {at_most: 1.5}"),
    rule("fairness.score_gap", "with: {unit: absolute}, require: {at_most: 5000}"),
    rule("fairness.label_bias", "with: {metric: dpl}, require: {between: [-0.2, 0.2]}"),
    rule("drift.columns", "require: {at_most: 1, warn_above: 0.5}, serious: 2"),
    rule("drift.columns", "with: {numeric: wasserstein, categorical: none}, require: {at_most: 2}"),
    rule("drift.share", "with: {weights: {income: 5, idle: 0}}"),
    rule("data.missing", "require: {at_most: 0.9}"),
    rule("data.schema", "require: {at_most: 3}"),
    rule('"evidently:ks"', "require: {at_least: 0.001}"),
    rule('"evidently:ed"', "require: {at_most: 2000}"),
]


@pytest.mark.parametrize("text", VACUOUS)
def test_a_number_that_asks_next_to_nothing_is_refused(text: str) -> None:
    told = refusals(text)
    assert len(told) == 1, told
    assert told[0].startswith("p.yaml:")


@pytest.mark.parametrize("text", USUAL)
def test_what_people_write_is_legal(text: str) -> None:
    assert refusals(text) == []


@pytest.mark.parametrize("name", list(CHECKS))
def test_every_number_of_a_check_has_a_domain_or_is_the_datas(name: str) -> None:
    """A new parameter says where it lies and why, or that its scale is not ours."""
    hints = get_type_hints(CHECKS[name])
    for field in fields(CHECKS[name]):
        numeric = {float, int} & _types(hints[field.name])
        if numeric and field.name not in {"allowed", "classes"}:
            assert field.name in domains.PARAMETERS, f"{name}: {field.name}"


def _types(hint: Any) -> set[Any]:
    """Give the types of a parameter, but not those inside tuples: edges and levels of columns."""
    inner = getattr(hint, "__args__", ())
    if getattr(hint, "__origin__", None) is tuple or not inner:
        return {hint}
    return set().union(*map(_types, inner))


def test_the_table_of_the_docs_is_the_one_that_is_applied() -> None:
    page = (Path(__file__).parents[2] / "docs" / "policy.md").read_text(encoding="utf-8")
    assert domains.table(limits.REACHES) in page
