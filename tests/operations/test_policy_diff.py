"""`policy diff`: each kind of change, told for what it does to the gate."""

from __future__ import annotations

from pathlib import Path

import pytest

from aims_gate.__main__ import guarded
from aims_gate.operations.policy_diff import KeyDifference, diff, told, unexplained
from aims_gate.policy.model import Policy
from aims_gate.policy.resolve import load, resolve
from aims_gate.policy.tightness import LOOSENING, Change

HEAD = 'apiVersion: aims-gate/v1\nkind: Policy\nmetadata: {id: p, version: "1"}\n'
RULE = "id: BIAS-02, check: fairness.impact_ratio"


def policy(rest: str) -> Policy:
    made, problems = resolve((HEAD + rest).encode(), uri="p.yaml")
    assert made is not None and problems == (), problems  # noqa: PT018
    return made


def differences(old: str, new: str) -> tuple[KeyDifference, ...]:
    return diff(policy(old), policy(new))


def rule(keys: str) -> str:
    """Two rules, of which one blocks whatever the other does."""
    return f"rules: [{{id: INTEG-01, check: integrity.model}}, {{{RULE}{keys and ', '}{keys}}}]\n"


DATA = "data: {evaluation: {label: y, prediction: p}}\n"
ALLOWED = (
    "rules: [{{id: DATA-03, check: data.ranges, with: {{allowed: {{age: {{at_least: {}}}}}}}}}]\n"
)

ORDERED = [
    ("require: {at_least: 0.8}", "require: {at_least: 0.85}", "require.at_least"),
    ("decide_on: proven_breach", "decide_on: estimate", "decide_on"),
    ("severity: warn", "severity: block", "severity"),
    ("on_insufficient: warn", "", "on_insufficient"),
    ("", "on_insufficient: block", "on_insufficient"),
    ("effective_from: 2030-01-01", "", "effective_from"),
    ("effective_from: 2030-01-01", "effective_from: 2029-01-01", "effective_from"),
    ("", "max_age_days: 31", "max_age_days"),
    ("max_age_days: 31, grace_days: 3", "max_age_days: 31", "grace_days"),
    ("applies_to: {stages: [dev]}", "", "applies_to.stages"),
    ("applies_to: {models: [a]}", "applies_to: {models: [a, b]}", "applies_to.models"),
    ("overridable: [with, severity]", "overridable: [severity]", "overridable"),
    (
        "baseline: {value: 0.7, owner: a, expires: 2030-01-01}",
        "baseline: {value: 0.7, owner: a, expires: 2029-01-01}",
        "baseline.expires",
    ),
]


@pytest.mark.parametrize(("loose", "tight", "key"), ORDERED)
def test_each_order_has_two_directions(loose: str, tight: str, key: str) -> None:
    (forth,) = differences(rule(loose), rule(tight))
    (back,) = differences(rule(tight), rule(loose))
    assert (forth.rule, forth.key, forth.change) == ("BIAS-02", key, Change.TIGHTENED)
    assert (back.key, back.change) == (key, Change.LOOSENED)
    assert (forth.before, forth.after) == (back.after, back.before)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        (rule(""), rule("with: {min_cell: 50}"), "with.min_cell"),
        (rule("serious: 0.5"), rule("serious: 0.6"), "serious"),
        ("alpha: 0.05\n" + rule(""), "alpha: 0.01\n" + rule(""), "alpha"),
        (rule(""), "applies_to: {models: [a]}\n" + rule(""), "applies_to.models"),
        (DATA + rule(""), DATA[:-3] + ", key: id}}\n" + rule(""), "data.evaluation.key"),
        (ALLOWED.format(18), ALLOWED.format(17), "with.allowed"),
        (rule(""), rule("require: {at_least: 0.8, warn_below: 0.9}"), "require.warn_below"),
        (
            rule("baseline: {value: 0.7, owner: a, expires: 2030-01-01}"),
            rule("baseline: {value: 0.6, owner: a, expires: 2030-01-01}"),
            "baseline.value",
        ),
    ],
)  # fmt: skip
def test_what_has_no_order_is_changed(old: str, new: str, key: str) -> None:
    for found in (differences(old, new), differences(new, old)):
        assert [one.change for one in found if one.key == key] == [Change.CHANGED]


def test_a_column_that_is_named_is_not_left_to_the_author_of_a_run() -> None:
    named = differences(rule(""), DATA + rule(""))
    left = differences(DATA + rule(""), rule(""))
    assert {one.change for one in named} == {Change.TIGHTENED}
    assert {one.change for one in left} == {Change.LOOSENED}


def test_more_places_for_data_loosen_and_a_scope_is_changed() -> None:
    """Of a whole policy nothing is left to a child."""
    allow = 'sources: {allow: ["s3://bucket/b/"]}\n'
    (forth,) = differences(rule(""), allow + rule(""))
    (back,) = differences(allow + rule(""), rule(""))
    assert (forth.change, back.change) == (Change.LOOSENED, Change.TIGHTENED)
    assert (forth.before, forth.after) == ("nothing", "[s3://bucket/b/]")


def test_a_default_that_is_written_out_is_no_difference() -> None:
    """Defaults of the check, of the rule and of the policy."""
    written = (
        "require: {at_least: 0.8}, severity: block, decide_on: proven_breach, engine: native, "
        "with: {min_cell: 30}, grace_days: 0"
    )
    assert differences(rule(""), "alpha: 0.05\nengine: native\n" + rule(written)) == ()


def test_another_order_of_a_list_is_no_difference() -> None:
    for one, two in (
        ("overridable: [with, severity]", "overridable: [severity, with]"),
        ("applies_to: {stages: [dev, staging]}", "applies_to: {stages: [staging, dev]}"),
    ):
        assert differences(rule(one), rule(two)) == ()


def test_a_policys_reaction_counts_where_it_works() -> None:
    """`on_insufficient` of the head is compared in each rule that leaves it to the policy."""
    both = differences(rule(""), "on_insufficient: warn\n" + rule(""))
    assert [one.rule for one in both] == ["INTEG-01", "BIAS-02"]
    assert {(one.key, one.change) for one in both} == {("on_insufficient", Change.LOOSENED)}
    kept = rule("on_insufficient: block")
    (other,) = differences(kept, "on_insufficient: warn\n" + kept)
    assert other.rule == "INTEG-01"


def test_a_baseline_loosens_and_its_end_tightens() -> None:
    owed = rule("baseline: {value: 0.7, owner: a, expires: 2030-01-01}")
    assert {one.change for one in differences(rule(""), owed)} == {Change.LOOSENED}
    assert {one.change for one in differences(owed, rule(""))} == {Change.TIGHTENED}


def test_rules_come_and_go() -> None:
    score = "{id: PERF-01, check: performance.score, with: {metric: mae}, require: {at_most: 1}}"
    two = f"{rule('')[:-2]}, {score}]\n"
    (added,) = differences(rule(""), two)
    (removed,) = differences(two, rule(""))
    assert (added.rule, added.change) == ("PERF-01", Change.ADDED)
    assert (removed.rule, removed.change) == ("PERF-01", Change.REMOVED)
    assert Change.REMOVED in LOOSENING
    assert Change.ADDED not in LOOSENING


def test_words_for_people_decide_nothing() -> None:
    found = differences(rule("title: a"), rule("title: b, why: c").replace("id: p", "id: q"))
    assert {one.change for one in found} == {Change.REWORDED}
    assert not any(one.change in LOOSENING for one in found)


def test_it_reads_like_a_review() -> None:
    old = policy(f"rules: [{{{RULE}, require: {{at_least: 0.8}}}}]\n")
    new = policy("rules:\n  - id: BIAS-02\n    check: fairness.impact_ratio\n"
                 "    require: {at_least: 0.75}\n    effective_from: 2030-01-01\n")  # fmt: skip
    assert list(told(diff(old, new))) == [
        "BIAS-02",
        "  loosened   require.at_least: 0.8 -> 0.75  (p.yaml:7)",
        "  loosened   effective_from: nothing -> 2030-01-01T00:00:00Z  (p.yaml:8)",
        "  loosened without a new why",
        "2 loosened",
    ]
    assert list(told(diff(old, old))) == ["no difference"]


def test_the_command_fails_only_when_asked_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("old.yaml").write_text(HEAD + rule(""), "utf-8")
    Path("new.yaml").write_text(HEAD + rule("severity: warn"), "utf-8")
    assert guarded(["policy", "diff", "old.yaml", "new.yaml"]) == 0
    assert guarded(["policy", "diff", "old.yaml", "new.yaml", "--fail-on-loosen"]) == 1
    assert guarded(["policy", "diff", "new.yaml", "old.yaml", "--fail-on-loosen"]) == 0
    assert "loosened   severity: block -> warn  (new.yaml:4)" in capsys.readouterr().out
    assert guarded(["policy", "diff", "pack:release@1.0.0", "new.yaml", "--fail-on-loosen"]) == 1
    assert guarded(["policy", "diff", "pack:release@9", "new.yaml"]) == 2


WHY = "why: few rows"


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("", "severity: warn", "without a new why"),
        (WHY, f"severity: warn, {WHY}", "without a new why; it says: few rows"),
        (WHY, "severity: warn", "without a new why"),
        (WHY, "severity: warn, why: see the minutes of March", ""),
        ("", f"severity: warn, {WHY}", ""),
        ("serious: 0.7, require: {at_least: 0.8}", "require: {at_least: 0.8}", "without a new why"),
        ("severity: warn", "", ""),
        ("severity: warn, why: a", "why: b", ""),
    ],
)
def test_a_loosened_rule_needs_a_new_why(
    old: str, new: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = differences(rule(old), rule(new))
    lines = [one for one in told(found) if "why" in one and one.startswith("  loosened")]
    assert lines == ([f"  loosened {line}"] if line else [])
    assert unexplained(found) == ({"BIAS-02"} if line else set())
    monkeypatch.chdir(tmp_path)
    Path("old.yaml").write_text(HEAD + rule(old), "utf-8")
    Path("new.yaml").write_text(HEAD + rule(new), "utf-8")
    assert guarded(["policy", "diff", "old.yaml", "new.yaml", "--require-why"]) == bool(line)


def test_a_reason_of_another_rule_does_not_count_and_what_is_gone_has_none() -> None:
    both = "rules: [{{id: INTEG-01, check: integrity.model, why: {}}}, {{{}}}]\n"
    old, new = both.format("a", RULE), both.format("b", f"{RULE}, severity: warn")
    assert unexplained(differences(old, new)) == {"BIAS-02"}
    gone = differences(old, "rules: [{id: INTEG-01, check: integrity.model, why: b}]\n")
    assert unexplained(gone) == {"BIAS-02"}
    assert "  loosened where no why can be stated" in told(gone)
    head = differences("alpha: 0.05\n" + rule(""), "alpha: 0.01\n" + rule(""))
    assert {one.rule for one in head if one.change in LOOSENING} == unexplained(head)


def test_a_pack_and_a_policy_that_only_extends_it_are_alike(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(HEAD + "extends: [{pack: release@1.0.0}]\n", encoding="utf-8")
    found = diff(load("pack:release@1.0.0"), load(path))
    assert {one.change for one in found} == {Change.REWORDED}
