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
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

import aims_gate
from aims_gate.__main__ import guarded
from aims_gate.errors import GateError, PolicyError, UsageError
from aims_gate.facts import Statistic
from aims_gate.verdict import Decision, Outcome, Result, Verdict

HEAD = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: fail-open, version: "1.0.0", owner: risk@acme.example}
"""
LABELS = (
    "data: {evaluation: {label: y, prediction: yhat, score: p, positive: 1, sensitive: [sex]}}\n"
)
DRIFT = "rules: [{id: MON-01, check: drift.columns}]\n"
IMPACT = "rules: [{id: BIAS-02, check: fairness.impact_ratio}]\n"

Columns = Mapping[str, Any]
Gate = Callable[..., Verdict]


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gate:
    """Decide on a model from files: a policy's text below its head, and columns by role."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.txt").write_text("weights", encoding="utf-8")

    def decide(policy: str, **roles: Columns) -> Verdict:
        Path("policy.yaml").write_text(HEAD + policy, encoding="utf-8")
        for role, columns in roles.items():
            parquet.write_table(pa.table(dict(columns)), f"{role}.parquet")
        data = {role: f"{role}.parquet" for role in roles}
        return aims_gate.run("policy.yaml", "file:model", data=data)

    return decide


def only(verdict: Verdict) -> Result:
    (result,) = verdict.results
    return result


def cells(verdict: Verdict) -> dict[str, Statistic]:
    return {cell.slice: cell for cell in only(verdict).statistics if cell.judged}


def cells_of(result: Result) -> list[Statistic]:
    return [cell for cell in result.statistics if cell.judged]


def normal(seed: int, rows: int, columns: int = 1, *, shift: float = 0.0) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    return {f"x{i}": random.normal(shift if i == 0 else 0, 1, rows) for i in range(columns)}


def scored(rows: int = 4_000, *, right: float = 0.8, women: float = 0.4) -> dict[str, Any]:
    """Cases of a model that is right so often, with the same error in both groups."""
    random = np.random.default_rng(rows)
    y = random.integers(0, 2, rows)
    yhat = np.where(random.random(rows) < right, y, 1 - y)
    return {
        "y": y,
        "yhat": yhat,
        "p": np.clip(0.25 + 0.5 * yhat + random.normal(0, 0.05, rows), 0, 1),
        "sex": np.where(random.random(rows) < women, "F", "M"),
    }


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


# drift and data quality


def test_shifted_data_exit_with_1_without_any_flag(
    gate: Gate, capsys: pytest.CaptureFixture[str]
) -> None:
    """Evidently's command line exits 0 on shifted data unless --test-summary is given."""
    gate(DRIFT, reference=normal(1, 2_000), current=normal(2, 2_000, shift=2))
    arguments = ["run", "--model", "file:model", "--unsigned", "--quiet"]
    arguments += ["--data", "reference=reference.parquet", "--data", "current=current.parquet"]
    assert guarded(arguments) == 1
    assert "MON-01" in capsys.readouterr().out


@pytest.mark.parametrize("rows", [5, 8])
def test_a_handful_of_rows_is_too_little_and_not_drift(gate: Gate, rows: int) -> None:
    """Evidently fails 5 rows of the same law (Wasserstein 0.86), and 8 rows (its issue 509)."""
    result = only(gate(DRIFT, reference=normal(1, 2_000), current=normal(2, rows)))
    assert result.outcome is Outcome.INSUFFICIENT
    assert "fewer than 100" in result.reason


@pytest.mark.parametrize("share", [0.6, 1.0])
def test_new_nulls_are_drift(gate: Gate, share: float) -> None:
    """Evidently drops nulls: 0 % to 60 % passes there, and 100 % loses the whole report."""
    current = normal(2, 3_000, columns=2)
    current["x0"] = np.where(np.arange(3_000) < share * 3_000, np.nan, current["x0"])
    verdict = gate(DRIFT, reference=normal(1, 3_000, columns=2), current=current)
    assert only(verdict).outcome is Outcome.FAIL
    assert "null" in only(verdict).reason
    assert cells(verdict)["x1"].value == pytest.approx(0, abs=0.01), "and x1 is still measured"
    missing = gate("rules: [{id: D-1, check: data.missing, on: current}]\n", current=current)
    assert only(missing).outcome is Outcome.FAIL


def test_a_column_of_nothing_but_nulls_of_another_type_is_still_refused(gate: Gate) -> None:
    """A column that a writer left empty has no type; Evidently's issue 1480: the report is lost."""
    current = {**normal(2, 3_000, columns=2), "x0": pa.nulls(3_000)}
    verdict = gate(DRIFT, reference=normal(1, 3_000, columns=2), current=current)
    assert verdict.decision is not Decision.PASSED
    assert cells(verdict)["x0"].value is None
    assert cells(verdict)["x1"].value is not None


def test_a_column_that_is_gone_is_missing(gate: Gate) -> None:
    """Evidently does not test a column that the current data lack, and passes."""
    current = normal(2, 2_000, columns=3)
    del current["x1"]
    result = only(gate(DRIFT, reference=normal(1, 2_000, columns=3), current=current))
    assert result.outcome is Outcome.MISSING
    assert "no column 'x1'" in result.reason


def test_one_shifted_column_of_forty_is_found(gate: Gate) -> None:
    """Evidently's data set test passes it: 2.5 % of the columns are less than half of them."""
    verdict = gate(
        DRIFT, reference=normal(1, 2_000, columns=40), current=normal(2, 2_000, columns=40, shift=5)
    )
    assert only(verdict).outcome is Outcome.FAIL
    assert "psi x0" in only(verdict).reason.lower()


def test_forty_columns_without_drift_raise_no_alarm(gate: Gate) -> None:
    """Evidently fails 3 of 40 at n=900 by raw p-values; Giskard's correction crashes on none."""
    verdict = gate(DRIFT, reference=normal(1, 900, columns=40), current=normal(2, 900, columns=40))
    assert only(verdict).outcome is Outcome.PASS
    assert len(cells(verdict)) == 40


def test_the_place_of_a_column_does_not_decide_how_many_drifted(gate: Gate) -> None:
    """Giskard's Benjamini-Hochberg step takes sorted places for ranks, and crashes without any."""
    rule = "rules: [{id: MON-07, check: drift.share}]\n"
    before, after = normal(1, 2_000, columns=4), normal(2, 2_000, columns=4, shift=1)
    for order in (["x0", "x1", "x2", "x3"], ["x3", "x2", "x1", "x0"]):
        roles = [{name: side[name] for name in order} for side in (before, after)]
        found = cells(gate(rule, reference=roles[0], current=roles[1]))
        assert [cell.value for cell in found.values()] == [0.25]
    quiet = gate(rule, reference=before, current=normal(2, 2_000, columns=4))
    assert [cell.value for cell in cells(quiet).values()] == [0]


def test_one_bad_slice_is_not_hidden_by_the_whole(gate: Gate) -> None:
    """Deepchecks drops slices under 5 rows, Giskard under 20; many gates know the average alone."""
    columns = scored(right=0.95)
    worse = columns["sex"] == "F"
    flipped = np.random.default_rng(1).random(4_000) < 0.35
    columns["yhat"] = np.where(worse & flipped, 1 - columns["y"], columns["yhat"])
    rule = "{id: PERF-07, check: performance.slices, with: {metric: accuracy, by: [sex]}}"
    result = only(gate(f"{LABELS}rules: [{rule}]\n", evaluation=columns))
    assert result.outcome is Outcome.FAIL
    assert "sex=F" in result.reason


def test_nulls_in_one_column_change_nothing_in_another(gate: Gate) -> None:
    """Evidently's issue 241: a NaN in an unrelated column changed the result."""
    before, after = normal(1, 2_000, columns=2), normal(2, 2_000, columns=2)
    clean = cells(gate(DRIFT, reference=before, current=after))["x1"]
    after["x0"] = np.where(np.arange(2_000) % 3 == 0, np.nan, after["x0"])
    assert cells(gate(DRIFT, reference=before, current=after))["x1"] == clean


def test_data_are_not_held_against_themselves(gate: Gate) -> None:
    """MLflow's `evaluate` once compared a model with itself, and no test caught it (PR 12215)."""
    for check in ("drift.columns", "data.overlap", "data.ranges"):
        with pytest.raises(PolicyError, match="against themselves"):
            gate(f"rules: [{{id: A-1, check: {check}, on: reference}}]\n", reference=normal(1, 50))


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


# against the champion


CHAMPION = """\
data:
  evaluation: {label: y, prediction: yhat, score: p, positive: 1, key: id}
  champion: {prediction: yhat, score: p, key: id}
rules:
  - {id: PERF-02, check: performance.champion, with: {metric: METRIC}, require: {at_least: -0.01}}
"""


def against(metric: str) -> str:
    return CHAMPION.replace("METRIC", metric)


def pair(right: float, champion: float, rows: int = 20_000) -> dict[str, dict[str, Any]]:
    """The same cases, answered by a candidate and by a champion that are right so often."""
    random = np.random.default_rng(7)
    y, luck = random.integers(0, 2, rows), random.random(rows)
    common = {"id": np.arange(rows), "y": y}
    return {
        role: {
            **common,
            "yhat": np.where(luck < share, y, 1 - y),
            "p": np.where(luck < share, y, 1 - y) * 0.5 + random.uniform(0, 0.5, rows),
        }
        for role, share in (("evaluation", right), ("champion", champion))
    }


def test_worse_than_the_reference_is_refused_and_better_is_not(gate: Gate) -> None:
    """Evidently's test against the reference passes 0.79 to 0.67, and fails 0.60 to 0.90."""
    assert only(gate(against("accuracy"), **pair(0.67, 0.79))).outcome is Outcome.FAIL
    assert only(gate(against("accuracy"), **pair(0.90, 0.60))).outcome is Outcome.PASS


def test_a_tolerated_loss_can_be_stated_and_is_held(gate: Gate) -> None:
    """MLflow's `MetricThreshold` rejects a change of -0.01, so non-inferiority cannot be said."""
    assert only(gate(against("accuracy"), **pair(0.799, 0.80))).outcome is Outcome.PASS
    assert only(gate(against("accuracy"), **pair(0.77, 0.80))).outcome is Outcome.FAIL


@pytest.mark.parametrize("role", ["evaluation", "champion"])
def test_neither_side_of_a_comparison_may_be_nan(gate: Gate, role: str) -> None:
    """MLflow passes a NaN candidate, and any candidate against a NaN baseline."""
    roles = pair(0.8, 0.8)
    roles[role]["p"] = np.where(np.arange(20_000) < 9, np.nan, roles[role]["p"])
    result = only(gate(against("roc_auc"), **roles))
    assert result.outcome is Outcome.ERROR
    assert f"{role} data" in result.reason


def test_a_baseline_without_the_metric_does_not_pass(gate: Gate) -> None:
    """MLflow's validation raises KeyError where the baseline's result lacks the metric."""
    roles = pair(0.8, 0.8)
    del roles["champion"]["p"]
    verdict = gate(against("roc_auc"), **roles)
    assert only(verdict).outcome in {Outcome.MISSING, Outcome.ERROR}
    assert verdict.decision is not Decision.PASSED


def test_the_first_model_is_not_blessed_for_want_of_another(gate: Gate) -> None:
    """TFX's Evaluator rubber-stamps it; MLflow raises TypeError where the baseline is empty."""
    result = only(gate(against("accuracy"), evaluation=pair(0.8, 0.8)["evaluation"]))
    assert result.outcome is Outcome.MISSING
    assert result.blocking


def test_a_negative_baseline_does_not_turn_the_comparison_around(gate: Gate) -> None:
    """TFMA divides by the baseline's signed value: below zero, worse becomes better."""
    random = np.random.default_rng(3)
    rows = 2_000
    y = random.normal(0, 1, rows)
    policy = against("r2").replace(", positive: 1", ", task: regression")
    policy = policy.replace("at_least: -0.01}", "at_least: -0.01}, decide_on: estimate")
    poor, worse = y + random.normal(0, 1.5, rows), y + random.normal(0, 2.5, rows)
    common = {"id": np.arange(rows), "y": y, "p": y}
    for ours, theirs, outcome in ((worse, poor, Outcome.FAIL), (poor, worse, Outcome.PASS)):
        verdict = gate(
            policy, evaluation={**common, "yhat": ours}, champion={**common, "yhat": theirs}
        )
        assert only(verdict).outcome is outcome


# groups


@pytest.mark.parametrize("check", ["impact_ratio", "parity", "odds", "proxy"])
def test_protected_attributes_that_were_not_supplied_do_not_pass(gate: Gate, check: str) -> None:
    """bdp-model-gate says PASS where protected data, model card and champion are left out."""
    columns = scored()
    policy = f"rules: [{{id: BIAS-02, check: fairness.{check}}}]\n"
    named = gate(LABELS + policy, evaluation={k: v for k, v in columns.items() if k != "sex"})
    assert only(named).outcome is Outcome.MISSING
    unnamed = LABELS.replace(", sensitive: [sex]", "")
    assert only(gate(unnamed + policy, evaluation=columns)).outcome is Outcome.ERROR


def test_the_data_that_a_rule_needs_are_not_optional(gate: Gate) -> None:
    """bdp-model-gate marks leakage and comparison NOT_APPLICABLE without training data."""
    for check, role in (("data.overlap", "reference"), ("drift.columns", "current")):
        given = {"evaluation": scored()} if role == "reference" else {"reference": normal(1, 200)}
        result = only(gate(f"{LABELS}rules: [{{id: A-1, check: {check}}}]\n", **given))
        assert result.outcome is Outcome.MISSING
        assert role in result.reason


def test_a_group_of_five_rows_is_named_and_neither_judged_nor_the_best(gate: Gate) -> None:
    """bdp-model-gate scores disparate impact on 5 rows, Aequitas divides by zero and gets 10.0."""
    columns = scored()
    columns["sex"] = np.where(np.arange(4_000) < 5, "X", columns["sex"])
    columns["yhat"] = np.where(np.arange(4_000) < 5, 1, columns["yhat"])
    verdict = gate(LABELS + IMPACT, evaluation=columns)
    assert only(verdict).outcome is Outcome.PASS
    assert not any("sex=X" in where for where in cells(verdict))
    (small,) = [s for s in only(verdict).statistics if s.slice == "sex=X"]
    assert (small.rows, small.value) == (5, None)
    crowd = {**columns, "sex": np.array([f"g{i % 400}" for i in range(4_000)])}
    refused = gate(LABELS + IMPACT, evaluation=crowd)
    assert only(refused).outcome is not Outcome.PASS


def test_a_lone_group_is_not_parity(gate: Gate) -> None:
    """Fairlearn calls one lone group perfectly fair: difference 0.0 and ratio 1.0."""
    columns = {**scored(), "sex": ["F"] * 4_000}
    for check in ("impact_ratio", "parity", "odds"):
        rule = f"rules: [{{id: BIAS-02, check: fairness.{check}}}]\n"
        assert only(gate(LABELS + rule, evaluation=columns)).outcome is Outcome.INSUFFICIENT


def test_parity_on_enough_rows_passes(gate: Gate) -> None:
    """A gate that refuses parity at n=2,000 would be switched off; vfairness approves it too."""
    for check in ("impact_ratio", "parity"):
        rule = f"rules: [{{id: BIAS-02, check: fairness.{check}}}]\n"
        columns = scored(2_000)
        columns["yhat"] = np.arange(2_000) // 2 % 2
        columns["sex"] = np.where(np.arange(2_000) % 2, "F", "M")
        verdict = gate(LABELS + rule, evaluation=columns)
        assert only(verdict).outcome is Outcome.PASS
        neutral = 1.0 if check == "impact_ratio" else 0.0
        (cell, *_rest) = cells(verdict).values()
        assert cell.interval is not None
        assert cell.interval.low <= neutral <= cell.interval.high


def test_the_interval_of_a_gap_covers_parity(gate: Gate) -> None:
    """A bootstrap of max - min covers parity in none of 100 samples (fairpipe's BL-014)."""
    rule = LABELS + "rules: [{id: BIAS-03, check: fairness.parity}]\n"
    found = cells(gate(rule, evaluation=scored(1_000)))
    assert all(c.interval is not None and c.interval.low <= 0 for c in found.values())


def test_a_group_without_positives_does_not_make_odds_equal(gate: Gate) -> None:
    """In fairpipe's BL-019 unsupported groups disappear, and what is left looks perfectly fair."""
    columns = scored()
    columns["y"] = np.where(columns["sex"] == "F", 0, columns["y"])
    rule = "rules: [{id: BIAS-03, check: fairness.odds, with: {rates: [tpr]}}]\n"
    verdict = gate(LABELS + rule, evaluation=columns)
    assert only(verdict).outcome is Outcome.INSUFFICIENT
    assert "TPR" in only(verdict).reason


def test_nobody_selected_anywhere_is_no_ratio(gate: Gate) -> None:
    """Aequitas gets the matrix wrong without positive predictions (issue 104)."""
    columns = {**scored(), "yhat": np.zeros(4_000, dtype=np.int64)}
    result = only(gate(LABELS + IMPACT, evaluation=columns))
    assert result.outcome is Outcome.INSUFFICIENT
    assert "nobody is selected" in result.reason


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
