"""A child tightens, and its parents lose nothing."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aims_gate.policy.model import DecideOn, Place, Role, Severity
from aims_gate.policy.resolve import resolve
from tests.policy.children import HEAD, PACKS, child, parents, rule, sound


def test_a_child_that_states_nothing_has_all_of_its_parents_rules() -> None:
    policy = sound("")
    assert [r.id for r in policy.rules] == ["PERF-01", "BIAS-02", "MON-01"]
    assert parents(policy) == ("base@1.0.0",)
    assert (policy.id, policy.owner) == ("child", "")
    assert policy.expires == datetime(2030, 1, 1, tzinfo=UTC)


def test_rules_merge_field_by_field_and_keep_their_places() -> None:
    policy = sound(
        "rules:\n  - id: BIAS-02\n    with: {by: [sex]}\n    severity: block\n"
        "    require:\n      at_least: 0.85\n"
    )
    merged = rule(policy, "BIAS-02")
    assert merged.check == "fairness.impact_ratio"
    assert merged.parameters == {"by": ["sex"]}
    assert merged.severity is Severity.BLOCK
    assert merged.require is not None
    assert merged.require.at_least == 0.85
    assert merged.place == Place(file="p.yaml", line=6)
    assert str(merged.places["check"]) == "pack:base@1.0.0:12"
    assert str(merged.places["with.by"]) == "p.yaml:7"
    assert str(merged.places["require.at_least"]) == "p.yaml:10"
    assert str(merged.places["require"]) == "p.yaml:9"
    assert str(rule(policy, "PERF-01").place) == "pack:base@1.0.0:5"


TIGHTER = [
    ("PERF-01", "require: {at_least: 0.81}"),
    ("PERF-01", "require: {at_least: 0.8}"),
    ("PERF-01", "require: {warn_below: 0.95}"),
    ("PERF-01", "decide_on: proven_pass, severity: block, on_insufficient: block"),
    ("PERF-01", "title: t, why: w, approved_by: a, controls: [x], grace_days: 0"),
    ("PERF-01", "max_age_days: 400, engine: both, with: {metric: roc_auc}"),
    ("PERF-01", "check: performance.score, applies_to: {models: ['*']}"),
    ("BIAS-02", "decide_on: proven_pass"),
    ("BIAS-02", "decide_on: estimate"),
    ("BIAS-02", "require: {at_least: 0.7}"),
    ("BIAS-02", "with: {by: [sex, race]}"),
    ("BIAS-02", "overridable: [with.by]"),
    ("MON-01", "require: {at_most: 0.2}"),
    ("MON-01", "require: {warn_above: 0.05}"),
    ("MON-01", "effective_from: 2026-12-31, max_age_days: 31"),
    ("MON-01", "applies_to: {stages: [production, dev]}"),
    ("MON-01", "controls: [iso42001:A.6.2.6, x]"),
]

LOOSER = [
    ("PERF-01", "require: {at_least: 0.7999}", "require.at_least"),
    ("PERF-01", "require: {warn_below: 0.85}", "require.warn_below"),
    ("PERF-01", "decide_on: estimate", "decide_on"),
    ("PERF-01", "decide_on: proven_breach", "decide_on"),
    ("PERF-01", "severity: warn", "severity"),
    # what the policy of the parent says is not known to the rule: it may be both
    ("PERF-01", "engine: native", "engine"),
    ("PERF-01", "engine: reference", "engine"),
    ("PERF-01", "on_insufficient: warn", "on_insufficient"),
    ("PERF-01", "effective_from: 2020-01-01", "effective_from"),
    ("PERF-01", "applies_to: {models: [credit]}", "applies_to.models"),
    ("PERF-01", "applies_to: {stages: [production]}", "applies_to.stages"),
    ("PERF-01", "with: {metric: accuracy}", "with.metric"),
    ("PERF-01", "with: {min_cell: 3}", "with.min_cell"),
    ("PERF-01", "check: performance.logged", "check"),
    ("PERF-01", "on: current", "on"),
    ("PERF-01", "serious: 0.1", "serious"),
    ("PERF-01", "grace_days: 1", "grace_days"),
    ("PERF-01", "overridable: [severity]", "overridable"),
    ("BIAS-02", "decide_on: proven_breach", "decide_on"),
    ("BIAS-02", "severity: info", "severity"),
    ("BIAS-02", "require: {warn_below: 0.99}", "require.warn_below"),
    ("BIAS-02", "with: {min_cell: 3}", "with.min_cell"),
    ("BIAS-02", "overridable: [with]", "overridable"),
    ("MON-01", "require: {at_most: 0.26}", "require.at_most"),
    ("MON-01", "require: {warn_above: 0.2}", "require.warn_above"),
    ("MON-01", "effective_from: 2027-01-02", "effective_from"),
    ("MON-01", "max_age_days: 32", "max_age_days"),
    ("MON-01", "applies_to: {stages: [staging]}", "applies_to.stages"),
    ("MON-01", "controls: [x]", "controls"),
]


@pytest.mark.parametrize(("name", "keys"), TIGHTER)
def test_tightening_is_allowed(name: str, keys: str) -> None:
    assert sound(f"rules: [{{id: {name}, {keys}}}]\n").digest


@pytest.mark.parametrize(("name", "keys", "key"), LOOSER)
def test_loosening_is_refused_and_named(name: str, keys: str, key: str) -> None:
    _, found = child(f"rules:\n  - {{id: {name}, {keys}}}\n")
    assert len(found) == 1
    assert found[0].startswith(f"p.yaml:6: {name}: {key} ")
    assert re.search(r"loosens or changes pack:base@1\.0\.0:[0-9]+, which ", found[0])


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("alpha: 0.049", "alpha"),
        ("alpha_scope: policy", "alpha_scope"),
        ("on_insufficient: warn", "on_insufficient"),
    ],
)
def test_the_policys_own_keys_do_not_loosen_a_parents_defaults(line: str, key: str) -> None:
    _, found = child(f"{line}\n")
    assert [text.split()[1] for text in found] == [key]


@pytest.mark.parametrize(
    ("between", "tighter"),
    [
        ("[0.4, 0.6]", True),
        ("[0.5, 0.5]", True),
        ("[0.39, 0.6]", False),
        ("[0.4, 0.61]", False),
        ("[0.7, 0.8]", False),
    ],
)
def test_a_range_may_only_shrink_within(between: str, *, tighter: bool) -> None:
    _, found = child(
        f"rules: [{{id: CAL-01, require: {{between: {between}}}}}]\n", of="other@1.0.0"
    )
    assert (not found) == tighter


def test_a_limit_of_another_kind_is_no_tightening() -> None:
    _, found = child("rules: [{id: CAL-01, require: {at_least: 0.5}}]\n", of="other@1.0.0")
    assert any("require.at_least" in text for text in found)


OWED = "baseline: {value: 0.7, owner: ann, expires: 2030-01-01}"


@pytest.mark.parametrize(
    ("parent", "keys", "refused"),
    [
        ("severity: block", OWED, ["expires", "owner", "value"]),
        ("overridable: [with]", OWED, ["expires", "owner", "value"]),
        ("overridable: [baseline]", OWED, []),
        (OWED, "severity: block", []),
        (OWED, OWED, []),
        (OWED, OWED.replace("2030", "2029"), []),
        (OWED, OWED.replace("2030", "2031"), ["expires"]),
        (OWED, OWED.replace("0.7", "0.6"), ["value"]),
    ],
)
def test_a_child_brings_no_baseline_and_may_end_its_parents_earlier(
    tmp_path: Path, parent: str, keys: str, refused: list[str]
) -> None:
    base = (PACKS / "base@1.0.0.yaml").read_text(encoding="utf-8")
    base = base.replace("decide_on: proven_pass", parent)
    (tmp_path / "base@1.0.0.yaml").write_text(base, encoding="utf-8")
    text = f"{HEAD}extends: [{{pack: base@1.0.0}}]\nrules: [{{id: PERF-01, {keys}}}]\n"
    _, found = resolve(text.encode(), uri="p.yaml", packs=tmp_path)
    assert [str(p).split()[2] for p in found] == [f"baseline.{key}" for key in refused]


def test_a_policy_does_not_outlive_its_parent() -> None:
    text = HEAD.replace('"1"}', '"1", expires: 2030-01-02}') + "extends: [{pack: base@1.0.0}]\n"
    assert len(resolve(text.encode(), uri="p.yaml", packs=PACKS)[1]) == 1
    earlier = text.replace("2030-01-02", "2029-12-31")
    assert resolve(earlier.encode(), uri="p.yaml", packs=PACKS)[1] == ()


def test_a_parents_data_may_be_completed_and_not_changed() -> None:
    added = sound("data: {evaluation: {min_rows: 1001}, current: {label: z}}\n", of="strict@2.1.0")
    assert added.data[Role.EVALUATION].min_rows == 1001
    assert added.data[Role.EVALUATION].label == "y"
    assert str(added.data[Role.EVALUATION].place) == "p.yaml:5"
    assert added.data[Role.CURRENT].label == "z"


@pytest.mark.parametrize("word", ["gate", "model"])
def test_where_a_model_is_run_is_its_parents_word_where_that_is_given(
    word: str, tmp_path: Path
) -> None:
    """A child neither has packages installed where the parent says no, nor the other way round."""
    asks = "data: {{evaluation: {{predictions: model, environment: {}}}}}\n"
    rules = "rules: [{id: PERF-01, check: performance.score}]\n"
    parent = HEAD.replace('child, version: "1"', "org, version: 1.0.0") + asks.format(word) + rules
    (tmp_path / "org@1.0.0.yaml").write_text(parent, encoding="utf-8")
    for stated in ("gate", "model"):
        text = f"{HEAD}extends: [{{pack: org@1.0.0}}]\n{asks.format(stated)}"
        _, found = resolve(text.encode(), uri="p.yaml", packs=tmp_path)
        refused = [] if stated == word else ["data.evaluation.environment"]
        assert [str(problem).split()[1] for problem in found] == refused


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("data: {evaluation: {min_rows: 999}}", "data.evaluation.min_rows"),
        ("data: {evaluation: {label: z}}", "data.evaluation.label"),
        ("data: {evaluation: {prediction: p}}", "data.evaluation.prediction"),
        ("data: {current: {max_age_days: 32}}", "data.current.max_age_days"),
        ("data: {current: {max_null_labels: 0.02}}", "data.current.max_null_labels"),
        ("stages: [production, dev]", "stages"),
        ("stages: [dev, production, later]", "stages"),
        ("applies_to: {models: [fraud]}", "applies_to.models"),
        ("on_insufficient: warn", "on_insufficient"),
    ],
)
def test_what_a_parent_states_of_itself_binds(line: str, key: str) -> None:
    _, found = child(f"{line}\n", of="strict@2.1.0")
    assert [text.split()[1] for text in found] == [key]


def test_grandparents_bind_too() -> None:
    policy = sound("", of="strict@2.1.0")
    assert [r.id for r in policy.rules] == ["PERF-01", "BIAS-02", "MON-01", "DATA-02"]
    assert rule(policy, "PERF-01").decide_on is DecideOn.PROVEN_PASS
    assert parents(policy) == ("strict@2.1.0", "base@1.0.0")
    assert policy.expires == datetime(2029, 1, 1, tzinfo=UTC)
    _, found = child("rules: [{id: PERF-01, severity: info}]\n", of="strict@2.1.0")
    assert len(found) == 1


def test_one_id_from_two_parents_must_be_restated() -> None:
    _, found = child("", of="base@1.0.0 other@1.0.0")
    origins = "pack:base@1.0.0 and pack:other@1.0.0"
    assert found == [f"p.yaml:4: BIAS-02 comes from {origins}; restate BIAS-02 under rules:"]


def test_restated_it_is_as_tight_as_the_tightest_parent() -> None:
    policy = sound("rules: [{id: BIAS-02, with: {by: [sex]}}]\n", of="base@1.0.0 other@1.0.0")
    merged = rule(policy, "BIAS-02")
    assert merged.severity is Severity.BLOCK
    assert merged.require is not None
    assert merged.require.at_least == 0.9
    assert merged.overridable == ()


def test_what_one_parent_lets_go_another_may_hold() -> None:
    _, found = child("rules: [{id: BIAS-02, with: {by: [race]}}]\n", of="base@1.0.0 other@1.0.0")
    assert len(found) == 1
    assert "BIAS-02: with.by [race] loosens or changes pack:other@1.0.0:8," in found[0]


def test_parents_that_differ_without_an_order_must_be_settled() -> None:
    """`with.by` is in one parent only, and neither having nor lacking it is tighter."""
    _, found = child("rules: [{id: BIAS-02, why: w}]\n", of="base@1.0.0 other@1.0.0")
    assert len(found) == 1
    assert "BIAS-02: with.by: pack:base@1.0.0 and pack:other@1.0.0 differ" in found[0]
