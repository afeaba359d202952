"""Refusals of one file: each with its line and in words, all at once, and nothing but those."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.policy.read import read
from aims_gate.policy.resolve import check, resolve
from aims_gate.policy.scalars import DECISIONS, OUTCOMES
from aims_gate.verdict import Decision, Outcome
from tests.support.laws import law

HERE = Path(__file__).parent
HEAD = 'apiVersion: aims-gate/v1\nkind: Policy\nmetadata: {id: p, version: "1"}\n'
RULE = "rules:\n  - {id: PERF-01, check: performance.score, require: {at_least: 0.8}}\n"


def problems(text: str) -> list[str]:
    return [str(problem) for problem in resolve(text.encode(), uri="p.yaml")[1]]


@pytest.mark.parametrize("name", ["refused", "loosened"])
def test_every_problem_is_told_at_once_in_these_words(name: str, tmp_path: Path) -> None:
    """The golden file is the wording; a lost problem is a lost line."""
    golden = HERE / "golden" / f"{name}.txt"
    source = tmp_path / f"{name}.yaml"
    source.write_bytes((HERE / "golden" / f"{name}.yaml").read_bytes())
    told = [str(p) for p in check(source, packs=HERE / "packs")[1]]
    assert told == golden.read_text(encoding="utf-8").splitlines()


def test_a_sound_file_has_no_problems() -> None:
    """Otherwise every refusal below would prove nothing."""
    assert problems(HEAD + RULE) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD, "p.yaml:1: the policy has no rules; a gate without rules would pass everything"),
        (HEAD + "rules: []\n", "p.yaml:4: the policy has no rules"),
        ("- 1\n", "p.yaml:1: a policy is a mapping of keys; begin with apiVersion: aims-gate/v1"),
        ("text\n", "p.yaml:1: a policy is a mapping of keys"),
        (HEAD + "rules: {PERF-01: {}}\n", "p.yaml:4: rules must be a list, not a mapping"),
        (HEAD + "rules:\n", "p.yaml:4: rules has no value; write it or leave the key out"),
        (HEAD + "rules:\n  - {id: PERF-01}\n", "p.yaml:5: PERF-01 lacks 'check'; add it; only a"),
        (
            HEAD + "applies_to: {stages: [prod]}\n" + RULE,
            "p.yaml:4: applies_to.stages names the unknown stage 'prod'; did you mean 'production",
        ),
        (
            HEAD + RULE.replace("}}", "}, applies_to: {stages: [dve]}}"),
            "p.yaml:5: PERF-01: applies_to.stages names the unknown stage 'dve'; did you mean",
        ),
        (
            HEAD + RULE + "tests: [{name: t, given: {PREF-01: {}}, expect: {verdict: passed}}]\n",
            "p.yaml:6: test 't': given names the unknown rule 'PREF-01'; did you mean 'PERF-01'?",
        ),
        (
            HEAD + RULE + "tests: [{name: t, expect: {PERF-02: PASS}}]\n",
            "p.yaml:6: test 't': expect names the unknown rule 'PERF-02'",
        ),
        (
            HEAD + RULE + "tests: [{name: t, stage: prod, expect: {PERF-01: PASS}}]\n",
            "p.yaml:6: test 't': unknown stage 'prod'; did you mean 'production'?",
        ),
        (
            HEAD + RULE + "tests: [{name: t, given: {PERF-01: [{low: 2, high: 1}]},"
            " expect: {PERF-01: PASS}}]\n",
            "p.yaml:6: test 't': low is above high",
        ),
        (
            HEAD + "data: {evaluation: {label: y, prediction: y}}\n" + RULE,
            "p.yaml:4: data.evaluation: label and prediction are the same column 'y'",
        ),
        (
            HEAD + "data: {current: {label: y, score: {a: p, b: y}}}\n" + RULE,
            "p.yaml:4: data.current: label and score are the same column 'y'",
        ),
        (
            HEAD + "data: {evaluation: {prediction: p, threshold: 0.4}}\n" + RULE,
            "p.yaml:4: data.evaluation: threshold is read only where there is no prediction",
        ),
        *(
            (
                f"{HEAD}data: {{evaluation: {{predictions: model, {key}: {value}}}}}\n{RULE}",
                f"p.yaml:4: data.evaluation: {key} is not read where the model predicts",
            )
            for key, value in (("prediction", "p"), ("score", "p"), ("threshold", "0.4"))
        ),
        (
            HEAD + "data: {evaluation: {prediction: p, environment: model}}\n" + RULE,
            "p.yaml:4: data.evaluation: environment is read only where the model predicts",
        ),
        (
            HEAD + "data: {champion: {predictions: model}}\n" + RULE,
            "p.yaml:4: data.champion: the champion's model is not run, and the candidate is no",
        ),
        (
            HEAD + "data: {perturbed: {label: y, prediction: y}}\n" + RULE,
            "p.yaml:4: data.perturbed: label and prediction are the same column 'y'",
        ),
        (
            HEAD + RULE.replace("}}", "}, overridable: [require.atleast]}"),
            "p.yaml:5: PERF-01: overridable names 'require.atleast', which is no key of a rule",
        ),
        (
            HEAD + RULE.replace("}}", "}, overridable: [overridable]}"),
            "p.yaml:5: PERF-01: overridable names 'overridable', which is no key of a rule",
        ),
    ],
)
def test_refused_beyond_shape(text: str, message: str) -> None:
    told = problems(text)
    assert len(told) == 1
    assert told[0].startswith(message)


@pytest.mark.parametrize(
    ("require", "message"),
    [
        ("{}", "require has no limit; state at_least, at_most or between"),
        ("{warn_below: 0.9}", "require has no limit"),
        ("{at_least: 0.8, at_most: 0.9}", "require has both at_least and at_most; use between"),
        ("{at_least: 0.8, between: [0, 1]}", "require has both at_least and between"),
        ("{at_least: 0.8, warn_below: 0.7}", "warn_below 0.7 must be at or above the limit 0.8"),
        ("{at_most: 0.2, warn_above: 0.3}", "warn_above 0.3 must be at or below the limit 0.2"),
        ("{at_least: 0.8, warn_above: 0.9}", "warn_above needs at_most or between"),
        ("{at_most: 0.2, warn_below: 0.1}", "warn_below needs at_least or between"),
        ("{between: [0.4, 0.6], warn_above: 0.7}", "warn_above 0.7 must be at or below"),
        (
            "{between: [0, 1], warn_below: 0.6, warn_above: 0.5}",
            "warn_below and warn_above leave no value without a warning",
        ),
    ],
)
def test_a_threshold_must_be_able_to_warn_and_refuse(require: str, message: str) -> None:
    told = problems(HEAD + RULE.replace("{at_least: 0.8}", require))
    assert [text.partition("PERF-01: ")[2][: len(message)] for text in told] == [message]


@pytest.mark.parametrize(
    "require", ["{at_least: 0.8, warn_below: 0.8}", "{between: [0.5, 0.5]}", "{at_most: -1.5e-3}"]
)
def test_a_line_on_the_limit_is_allowed(require: str) -> None:
    assert problems(HEAD + RULE.replace("{at_least: 0.8}", require)) == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("data: {current: {positive: .inf}}", "positive must be a finite number, not inf"),
        ("data: {current: {sensitive: [sex, sex]}}", "sensitive names a column twice"),
        ("data: {current: {sensitive: sex}}", "sensitive must be a list of columns, not 'sex'"),
        ("data: {current: {sensitive: {a: [1, .nan]}}}", "sensitive must be a finite number"),
        ("data: {current: {score: {a: p, b: p}}}", "score names one column for two classes"),
        (
            "data: {current: {source: 'file:'}}",
            "source must begin with artifact:, file:, dataset:, context:, assessments: and name",
        ),
        ("data: {current: {source: 's3://bkt/a/../k'}}", "is not in its normal form"),
        ("data: {current: {source: 's3://k:s@bkt/a'}}", "must look like s3://BUCKET/KEY"),
        ("sources: {allow: ['http://h/']}", "is at no place that is read; there are s3, gs"),
        ("sources: {allow: ['file:///']}", "would allow every file of this machine"),
        ("sources: {allow: ['s3://bkt/', 's3://bkt/']}", "allow names something twice"),
        ("data: {current: {join: []}}", "join is an empty list; leave the key out"),
        ("data: {current: {window: {days: 0}}}", "days must lie in [0.001, 36600], not 0"),
        ("records: {system: /aims}", "system must be a folder, from that of the policy, not"),
        ("records: {org: 'http://h/org'}", "org must be a folder, from that of the policy, not"),
        ("records: {org: 'git+https://h/r@main#org'}", "org is not pinned to a commit"),
        ("records: {log: aims/log}", "unknown key 'log' in records"),
        ("stages: dev", "stages must be a list, not 'dev'"),
        ("stages: [dev, dev]", "stages names something twice"),
        ("stages: [a b]", "stages must name stages, not 'a b'"),
        ("stages: [1]", "stages must be text, not the number 1"),
        ("alpha: 0", "alpha must lie in [0.0001, 0.2], not 0"),
        ("alpha: 1e999", "alpha must be a finite number, not inf"),
        ('alpha: "1e999"', "alpha must be a finite number, not 1e999"),
        ("data: {current: {sensitive: {a: 3}}}", "sensitive has the number 3 for a"),
        ('alpha: " 0.1"', "alpha must be a number, not ' 0.1'"),
        ("alpha: ~", "alpha has no value"),
        ("applies_to: {models: []}", "models is an empty list; leave the key out"),
    ],
)
def test_a_value_is_read_strictly(line: str, message: str) -> None:
    told = problems(f"{HEAD}{line}\n{RULE}")
    assert len(told) == 1
    assert message in told[0]


@pytest.mark.parametrize("between", ["[1]", "[1, 2, 3]", "0.5", "{a: 1}", "[0, true]"])
def test_a_range_is_two_numbers(between: str) -> None:
    told = problems(HEAD + RULE.replace("at_least: 0.8", f"between: {between}"))
    assert len(told) == 1
    assert "require.between must be" in told[0]


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2027-06-30", datetime(2027, 6, 30, tzinfo=UTC)),
        ("2027-06-30T12:30Z", datetime(2027, 6, 30, 12, 30, tzinfo=UTC)),
        ('"2027-06-30 00:30:00+02:00"', datetime(2027, 6, 29, 22, 30, tzinfo=UTC)),
    ],
)
def test_a_day_is_its_first_second_in_utc(written: str, instant: datetime) -> None:
    policy, found = resolve(f"{HEAD[:-2]}, expires: {written}}}\n{RULE}".encode(), uri="p.yaml")
    assert policy is not None
    assert (policy.expires, found) == (instant, ())


@pytest.mark.parametrize(
    "written",
    ["2027-06-31", "20270630", "2027-W26-3", "2027-06-30T12:00", "0001-01-01T00:00+14:00",
     "soon", "2027", '"2027-06-30T25:00Z"', "[]"],
)  # fmt: skip
def test_no_other_date_is_guessed_at(written: str) -> None:
    assert len(problems(f"{HEAD[:-2]}, expires: {written}}}\n{RULE}")) == 1


def test_outcomes_and_decisions_are_those_of_the_verdict() -> None:
    """They stand on a higher floor, which the policy cannot import."""
    assert set(OUTCOMES) == {word.value for word in Outcome}
    assert set(DECISIONS) == {word.value for word in Decision}


def test_what_is_sound_is_built_beside_the_problems_and_has_no_digest() -> None:
    """`plan` finds more in the same run; nothing without a digest can become evidence."""
    text = HEAD + RULE + "  - {id: PERF-02, check: performance.score, severity: blok}\n"
    policy, found = resolve(text.encode(), uri="p.yaml")
    assert policy is not None
    assert len(found) == 1
    assert [rule.id for rule in policy.rules] == ["PERF-01"]
    assert (policy.document, policy.digest) == (b"", "")


def test_a_test_may_name_a_rule_that_has_problems_of_its_own() -> None:
    """One mistake is one message."""
    text = HEAD + RULE.replace("check", "chek") + "tests: [{name: t, expect: {PERF-01: PASS}}]\n"
    assert len(problems(text)) == 1
    assert "did you mean 'check'" in problems(text)[0]


KEYS = ["apiVersion", "kind", "metadata", "id", "version", "rules", "check", "require", "at_least",
        "tests", "given", "expect", "data", "evaluation", "sensitive", "extends", "pack", "score",
        "with", "on", "stages", "applies_to", "models", "PERF-01", "verdict", "name"]  # fmt: skip
trees = st.recursive(
    st.sampled_from(["PERF-01", "aims-gate/v1", "Policy", "1", "PASS", "", "production"])
    | st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.just(float("nan")),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
    ),
    max_leaves=25,
)


def flow(tree: object) -> str:
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{key}: {flow(value)}" for key, value in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(map(flow, tree)) + "]"
    if isinstance(tree, float):
        return ".nan"
    return {None: "~", True: "true", False: "false"}.get(tree, repr(tree))  # type: ignore[call-overload,no-any-return]  # scalars only


@law(250)
@given(st.dictionaries(st.sampled_from(KEYS), trees, max_size=8))
def test_any_tree_is_a_policy_or_a_list_of_problems(tree: dict[str, object]) -> None:
    text = "apiVersion: aims-gate/v1\nkind: Policy\nmetadata: {id: p, version: v}\n"
    text += "".join(
        f"{key}: {flow(value)}\n"
        for key, value in tree.items()
        if key not in {"apiVersion", "kind", "metadata"}
    )
    policy, found = resolve(text.encode(), uri="p.yaml")
    assert found or (policy is not None and policy.rules and policy.digest)


@law(150)
@given(st.binary(max_size=120))
def test_random_bytes_are_problems(data: bytes) -> None:
    assert read(data, "p.yaml")[1]


@pytest.mark.parametrize("pin", ["sha256:5c0", f"sha256:{'A' * 64}", "sha256:"])
def test_a_scorer_is_pinned_by_a_digest_that_it_can_have(pin: str) -> None:
    data = "data: {evaluation: {source: 'assessments:exact@%s'}}"
    (told,) = problems(f"{HEAD}{data % pin}\n{RULE}")
    assert "source pins a scorer by" in told
    assert "64 hexadecimal digits" in told
    assert problems(f"{HEAD}{data % ('sha256:' + 'a' * 64)}\n{RULE}") == []
