"""Where other tools pass, crash or cry wolf: each case rebuilt, and the gate is not fooled.

Every docstring names the tool and what it did, as measured or reported; the gate is the real one,
on files. A tool's version is the one that was run: Evidently 0.7.23, MLflow 3.17.2 with its
`MetricThreshold` validation, bdp-model-gate 0.7.0, venturalitica 0.8.2, vfairness 0.2.0.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import aims_gate
from aims_gate.__main__ import guarded
from aims_gate.errors import GateError, PolicyError, UsageError
from aims_gate.verdict import Decision, Outcome
from tests.attacks.deciding import (
    DRIFT,
    IMPACT,
    LABELS,
    Columns,
    Gate,
    cells_of,
    normal,
    only,
    scored,
)

# columns that are named


@pytest.mark.parametrize(
    "named",
    ["key: nope", "time: nope", "query: nope", "score: nope", "sensitive: [nope]"],
)
def test_a_named_column_that_no_rule_reads_does_not_pass_where_it_is_not_there(
    gate: Gate, named: str
) -> None:
    """A misspelt key would else be found on the day that a join needs it."""
    rules = (
        "rules: [{id: PERF-01, check: performance.score, with: {metric: accuracy}, "
        "require: {at_least: 0.7}}]\n"
    )
    stated = "data: {evaluation: {label: y, prediction: yhat, positive: 1%s}}\n"
    assert only(gate(stated % "" + rules, evaluation=scored())).outcome is Outcome.PASS
    verdict = gate(stated % f", {named}" + rules, evaluation=scored())
    result = only(verdict)
    assert (result.outcome, verdict.decision) == (Outcome.MISSING, Decision.REFUSED)
    assert "no column 'nope', which data.evaluation names as" in result.reason
    assert any(cell.value is not None for cell in cells_of(result))


@pytest.mark.parametrize(
    ("severity", "accuracy"), [("block", Outcome.PASS), ("warn", Outcome.MISSING)]
)
def test_a_vanished_column_hits_the_rules_that_read_it_if_one_of_them_blocks(
    gate: Gate, severity: str, accuracy: Outcome
) -> None:
    """One cause is not told on every line; but what nobody blocks for never passes."""
    policy = (
        "data: {evaluation: {label: y, prediction: yhat, positive: 1, sensitive: [nope]}}\n"
        "rules:\n"
        "  - {id: PERF-01, check: performance.score, with: {metric: accuracy}, "
        "require: {at_least: 0.7}}\n"
        f"  - {{id: BIAS-02, check: fairness.impact_ratio, severity: {severity}}}\n"
    )
    verdict = gate(policy, evaluation=scored())
    found = {result.rule: result.outcome for result in verdict.results}
    assert found == {"PERF-01": accuracy, "BIAS-02": Outcome.MISSING}
    assert verdict.decision is Decision.REFUSED


def test_an_evaluation_on_the_training_data_is_refused(gate: Gate) -> None:
    """Of the tools compared only Deepchecks, Giskard 2 and bdp look for it, Evidently does not."""
    trained = {**normal(1, 2_000, columns=3), "y": np.arange(2_000) % 2}
    policy = LABELS + "rules: [{id: PERF-04, check: data.overlap}]\n"
    tested = {name: values[:500] for name, values in trained.items()}
    result = only(gate(policy, reference=trained, evaluation={**tested, "y": 1 - tested["y"]}))
    assert result.outcome is Outcome.FAIL
    assert "500 of 500 rows" in result.reason


# metrics


def test_a_better_model_is_not_refused_and_a_worse_one_is(gate: Gate) -> None:
    """Evidently's automatic test is two-sided: 0.60 to 0.90 fails there, 0.79 to 0.67 passes."""
    policy = LABELS + "rules: [{id: P-1, check: performance.score, with: {metric: accuracy}, "
    policy += "require: {at_least: 0.75}}]\n"
    assert only(gate(policy, evaluation=scored(right=0.90))).outcome is Outcome.PASS
    assert only(gate(policy, evaluation=scored(right=0.67))).outcome is Outcome.FAIL


@pytest.mark.parametrize("metric", ["roc_auc", "brier", "log_loss"])
@pytest.mark.parametrize("part", [1.0, 0.001], ids=["all", "some"])
def test_a_candidate_that_is_nan_is_an_error_in_the_evidence(
    gate: Gate, metric: str, part: float
) -> None:
    """MLflow passes NaN with min_relative_change, and crashes on it with min_absolute_change."""
    columns = scored()
    columns["p"] = np.where(np.arange(4_000) < part * 4_000, np.nan, columns["p"])
    require = "{at_least: 0.6}" if metric == "roc_auc" else "{at_most: 0.9}"
    policy = f"{LABELS}rules: [{{id: P-1, check: performance.score, with: {{metric: {metric}}}, "
    verdict = gate(f"{policy}require: {require}}}]\n", evaluation=columns)
    assert only(verdict).outcome is Outcome.ERROR
    assert (verdict.decision, verdict.exit_code) == (Decision.UNDECIDED, 3)


@pytest.mark.parametrize("value", [".nan", ".inf", "-.inf"])
def test_a_baseline_or_limit_that_is_no_number_is_no_policy(gate: Gate, value: str) -> None:
    """MLflow passes every candidate against a NaN baseline."""
    rule = "{id: P-1, check: performance.score, with: {metric: accuracy}, "
    debt = f"baseline: {{value: {value}, owner: a@acme.example, expires: 2099-01-01}}"
    for rest in (f"require: {{at_least: {value}}}", f"require: {{at_least: 0.7}}, {debt}"):
        with pytest.raises(PolicyError):
            gate(f"{LABELS}rules: [{rule}{rest}}}]\n", evaluation=scored())


@pytest.mark.parametrize(
    "rules",
    [
        "",
        "rules: []\n",
        "rules: [{id: P-1, check: performance.score, with: {metric: accuracy}}]\n",
        "rules: [{id: P-1, check: performance.score, with: {metric: accuracy}, require: {}}]\n",
        "rules: [{id: P-1, check: fairness.impact_ratio, require: {at_least: 0}}]\n",
        "rules: [{id: P-1, check: fairness.parity, require: {at_most: 1.0}}]\n",
    ],
    ids=["no rules", "none listed", "no threshold", "an empty one", "met by all", "by any gap"],
)
def test_nothing_to_hold_is_no_policy(gate: Gate, rules: str) -> None:
    """MLflow passes an empty dict of thresholds, and TFX neither blesses nor refuses (issue 5148).

    A margin of 0.0 switched a check off in vfairness.
    """
    with pytest.raises(PolicyError):
        gate(LABELS + rules, evaluation=scored())


@pytest.mark.parametrize("key", ["skip: true", "skip_check: true", "enabled: false"])
def test_no_rule_can_be_skipped_in_passing(gate: Gate, key: str) -> None:
    """SageMaker's steps take skip_check, and nothing of the check is left in the result."""
    with pytest.raises(PolicyError, match="unknown key"):
        gate(f"rules: [{{id: M-1, check: drift.columns, {key}}}]\n", reference=normal(1, 9))


def test_a_metric_that_was_never_logged_is_missing(gate: Gate) -> None:
    """MLflow's validation raises KeyError where the baseline lacks the metric."""
    policy = "rules: [{id: P-1, check: performance.logged, with: {metric: f1_score}, "
    result = only(gate(f"{policy}require: {{at_least: 0.5}}}}]\n"))
    assert result.outcome is Outcome.MISSING
    assert result.blocking


@pytest.mark.parametrize("evaluation", [None, {}, {"y": [], "yhat": [], "p": [], "sex": []}])
def test_results_that_are_empty_do_not_pass(gate: Gate, evaluation: Columns | None) -> None:
    """MLflow's genai `EvaluationResult.passed` is True without results and without scorers."""
    policy = LABELS + "rules: [{id: P-1, check: performance.score, with: {metric: accuracy}, "
    policy += "require: {at_least: 0.5}}]\n"
    verdict = gate(policy, **({} if evaluation is None else {"evaluation": evaluation}))
    assert only(verdict).outcome is Outcome.MISSING
    assert verdict.exit_code == 1


@pytest.mark.parametrize("metric", ["roc_auc", "balanced_accuracy"])
def test_labels_of_one_class_have_no_area_and_no_balance(gate: Gate, metric: str) -> None:
    """responsible-ai-toolbox shows a spinner for ever (issues 142 and 68)."""
    policy = f"{LABELS}rules: [{{id: P-1, check: performance.score, with: {{metric: {metric}}}, "
    columns = {**scored(), "y": np.ones(4_000, dtype=np.int64)}
    verdict = gate(f"{policy}require: {{at_least: 0.5}}}}]\n", evaluation=columns)
    assert only(verdict).outcome is Outcome.ERROR


# the gate itself


@pytest.mark.parametrize("ci", ["", "true"])
@pytest.mark.parametrize("content", [None, "", "catalog: {uuid: 1}", "rules: [\n"])
def test_a_policy_that_is_absent_or_none_is_no_pass(
    gate: Gate, ci: str, content: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a policy venturalitica warns, returns [] and exits 0, with CI=true as well."""
    monkeypatch.setenv("CI", ci)
    if content is not None:
        Path("enforced.yaml").write_text(content, encoding="utf-8")
    assert guarded(["run", "enforced.yaml", "--model", "file:model", "--unsigned", "--quiet"]) == 2
    with pytest.raises(UsageError):
        aims_gate.run("enforced.yaml", "file:model")


def test_there_is_no_key_to_sign_with_by_default(gate: Gate) -> None:
    """Without a key venturalitica signs with HMAC and the key `default-local-key`."""
    gate("rules: [{id: I-1, check: integrity.model}]\n")
    assert guarded(["run", "--model", "file:model", "--quiet"]) == 2
    assert not list(Path().glob("aims-gate-evidence/**/*.dsse.json"))


def test_a_check_that_cannot_be_made_is_no_warning(gate: Gate) -> None:
    """Deepchecks only warns where a condition fails to run (1122), and skips the suite (430)."""
    columns = {**scored(), "yhat": [[1]] * 4_000}
    verdict = gate(LABELS + IMPACT, evaluation=columns)
    assert only(verdict).outcome is Outcome.ERROR
    assert verdict.exit_code == 3


def test_a_warning_does_not_refuse_and_a_blocking_rule_does_not_warn(gate: Gate) -> None:
    """Great Expectations fails the run for a warning suite (1800); others only warn on failures."""
    rule = "{{id: P-1, check: performance.score, with: {{metric: accuracy}}, severity: {}, "
    rule += "require: {{at_least: 0.95}}}}"
    policy = LABELS + "rules:\n  - " + rule.format("warn")
    policy += "\n  - {id: I-1, check: integrity.model}\n"
    verdict = gate(policy, evaluation=scored())
    assert verdict.results[0].outcome is Outcome.FAIL
    assert (verdict.passed, verdict.exit_code) == (True, 0)
    verdict = gate(policy.replace("severity: warn", "severity: block"), evaluation=scored())
    assert (verdict.passed, verdict.exit_code) == (False, 1)


def test_what_passed_stands_in_the_report_beside_what_did_not(gate: Gate) -> None:
    """Giskard returns failures only (issue 1996); evidence needs all of it, and so one verdict."""
    policy = LABELS + "rules:\n  - {id: I-1, check: integrity.model}\n"
    policy += "  - {id: P-1, check: performance.score, with: {metric: accuracy}, "
    policy += "require: {at_least: 0.95}}\n"
    verdict = gate(policy, evaluation=scored())
    arguments = ["run", "--model", "file:model", "--unsigned", "--quiet", "--out", "evidence"]
    assert guarded([*arguments, "--data", "evaluation=evaluation.parquet"]) == verdict.exit_code
    report = json.loads(Path("evidence/report.json").read_text(encoding="utf-8"))
    told = [(r["rule"], r["outcome"]) for r in report["results"]]
    assert told == [("I-1", "PASS"), ("P-1", "FAIL")]
    assert told == [(r.rule, r.outcome.value) for r in verdict.results]


def test_a_library_that_does_not_import_is_not_replaced_in_silence(
    gate: Gate, tmp_path: Path
) -> None:
    """Evidently 0.7.23 does not import with pandas 3.1, and no other engine takes its place.

    In fairpipe's BL-027 the default back end changes with what is installed.
    """
    package = tmp_path / "broken" / "evidently"
    package.mkdir(parents=True)
    text = "raise ImportError(\"cannot import name 'infer_dtype_from_object'\")\n"
    (package / "__init__.py").write_text(text, encoding="utf-8")
    gate(DRIFT, reference=normal(1, 500), current=normal(2, 500))
    policy = Path("policy.yaml").read_text(encoding="utf-8")
    Path("policy.yaml").write_text(f"{policy}engine: both\n", encoding="utf-8")
    arguments = ["run", "--model", "file:model", "--unsigned", "--quiet"]
    arguments += ["--data", "reference=reference.parquet", "--data", "current=current.parquet"]
    done = subprocess.run(
        [sys.executable, "-m", "aims_gate", *arguments],
        env={**os.environ, "PYTHONPATH": str(package.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "no second opinion: the reference library failed with ImportError" in done.stdout


def test_every_error_of_the_gate_is_one_of_its_own() -> None:
    """An error that is none of these is a crash, and a crash is 3: nothing else passes for 0."""
    assert {kind.exit_code for kind in GateError.__subclasses__()} == {2, 3, 4}
