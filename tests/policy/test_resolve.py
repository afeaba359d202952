"""Packs and inheritance: a child tightens, parents lose nothing, and one text names the result."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from aims_gate import canonical
from aims_gate.errors import PolicyError, UsageError
from aims_gate.policy.model import DecideOn, Place, Policy, Role, Rule, Severity
from aims_gate.policy.packs import names, read_pack, shelf
from aims_gate.policy.resolve import check, load, resolve

PACKS = Path(__file__).parent / "packs"
HEAD = 'apiVersion: aims-gate/v1\nkind: Policy\nmetadata: {id: child, version: "1"}\n'


def child(rest: str, *, of: str = "base@1.0.0") -> tuple[Policy | None, list[str]]:
    pins = ", ".join(f"{{pack: {pin}}}" for pin in of.split())
    text = f"{HEAD}extends: [{pins}]\n{rest}"
    policy, found = resolve(text.encode(), uri="p.yaml", packs=PACKS)
    return policy, [str(problem) for problem in found]


def sound(rest: str, *, of: str = "base@1.0.0") -> Policy:
    policy, found = child(rest, of=of)
    assert found == []
    assert policy is not None
    return policy


def parents(policy: Policy) -> tuple[str, ...]:
    return tuple(ancestor.name for ancestor in policy.extends)


def rule(policy: Policy, name: str) -> Rule:
    return next(r for r in policy.rules if r.id == name)


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
    base = (PACKS / "base.yaml").read_text(encoding="utf-8")
    base = base.replace("decide_on: proven_pass", parent)
    (tmp_path / "base.yaml").write_text(base, encoding="utf-8")
    text = f"{HEAD}extends: [{{pack: base@1.0.0}}]\nrules: [{{id: PERF-01, {keys}}}]\n"
    _, found = resolve(text.encode(), uri="p.yaml", packs=tmp_path)
    assert [str(p).split()[2] for p in found] == [f"baseline.{key}" for key in refused]


def test_a_policy_does_not_outlive_its_parent() -> None:
    text = HEAD.replace('"1"}', '"1", expires: 2030-01-02}') + "extends: [{pack: base@1.0.0}]\n"
    assert len(resolve(text.encode(), uri="p.yaml", packs=PACKS)[1]) == 1
    earlier = text.replace("2030-01-02", "2029-12-31")
    assert resolve(earlier.encode(), uri="p.yaml", packs=PACKS)[1] == ()


def test_a_parents_data_may_be_completed_and_not_changed() -> None:
    added = sound("data: {evaluation: {prediction: p, min_rows: 1001}}\n", of="strict@2.1.0")
    assert added.data[Role.EVALUATION].min_rows == 1001
    assert added.data[Role.EVALUATION].label == "y"
    assert str(added.data[Role.EVALUATION].place) == "p.yaml:5"
    assert added.data[Role.EVALUATION].prediction == "p"


@pytest.mark.parametrize("word", ["gate", "model"])
def test_where_a_model_is_run_is_its_parents_word_where_that_is_given(
    word: str, tmp_path: Path
) -> None:
    """A child neither has packages installed where the parent says no, nor the other way round."""
    asks = "data: {{evaluation: {{predictions: model, environment: {}}}}}\n"
    rules = "rules: [{id: PERF-01, check: performance.score}]\n"
    parent = HEAD.replace('child, version: "1"', "org, version: 1.0.0") + asks.format(word) + rules
    (tmp_path / "org.yaml").write_text(parent, encoding="utf-8")
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


@pytest.mark.parametrize(
    ("pin", "message"),
    [
        ("base@1.0.1", "the pack base is installed in version 1.0.0, not 1.0.1; read what"),
        ("bsae@1.0.0", "no pack 'bsae'; did you mean 'base'?"),
        ("circle@1.0.0", "circle@1.0.0 extends itself through circle@1.0.0"),
    ],
)
def test_a_pack_that_is_not_there_as_pinned_refuses_the_policy(pin: str, message: str) -> None:
    _, found = child("rules: [{id: X-1, check: a.b}]\n", of=pin)
    assert len(found) == 1
    assert message in found[0]


def test_an_upgrade_of_a_pack_never_changes_a_policy_in_silence(tmp_path: Path) -> None:
    old = (PACKS / "base.yaml").read_text(encoding="utf-8")
    newer = old.replace('"1.0.0"', '"1.1.0"').replace("at_least: 0.8,", "at_least: 0.5,")
    (tmp_path / "base.yaml").write_text(newer, encoding="utf-8")
    text = f"{HEAD}extends: [{{pack: base@1.0.0}}]\n"
    _, found = resolve(text.encode(), uri="p.yaml", packs=tmp_path)
    assert len(found) == 1
    assert "the pack base is installed in version 1.1.0, not 1.0.0" in str(found[0])


def test_a_broken_pack_is_refused_with_its_own_place(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("a: 1\na: 2\n", encoding="utf-8")
    text = f"{HEAD}extends: [{{pack: base@1.0.0}}]\nrules: [{{id: X-1, check: a.b}}]\n"
    _, found = resolve(text.encode(), uri="p.yaml", packs=tmp_path)
    assert [str(p).split(";")[0] for p in found] == ["pack:base:2: duplicate key 'a'"]
    assert check("pack:base@1.0.0", packs=tmp_path)[0] is None
    with pytest.raises(PolicyError):
        names(tmp_path)


def test_a_pack_called_other_than_its_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_bytes((PACKS / "other.yaml").read_bytes())
    with pytest.raises(PolicyError, match="does not give the id 'base'"):
        read_pack("base@1.0.0", tmp_path)


@pytest.mark.parametrize("pin", ["base", "base@", "../packs/base@1.0.0", "/base@1", ""])
def test_only_pinned_names_are_read(pin: str) -> None:
    with pytest.raises(UsageError, match="not a pinned pack"):
        read_pack(pin, PACKS)


def test_packs_are_listed_with_their_versions() -> None:
    assert names(PACKS) == ("base@1.0.0", "circle@1.0.0", "other@1.0.0", "strict@2.1.0")


def test_shipped_packs_load() -> None:
    """Packs stand beside the package in a checkout, and inside it once installed."""
    assert shelf().is_dir()
    assert "release@1.0.0" in names()
    for pin in names():
        assert load(f"pack:{pin}").rules


def test_a_pack_is_a_policy() -> None:
    policy = load("pack:base@1.0.0", packs=PACKS)
    assert (policy.uri, policy.folder, policy.extends) == ("pack:base@1.0.0", "", ())


def test_a_file_is_named_without_its_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "sub"
    folder.mkdir()
    (folder / "x.policy.yaml").write_text(
        HEAD + "rules: [{id: X-1, check: a.b}]\n", encoding="utf-8"
    )
    absolute = load(folder / "x.policy.yaml")
    assert (absolute.uri, absolute.folder) == ("x.policy.yaml", str(folder))
    monkeypatch.chdir(tmp_path)
    relative = load("sub/x.policy.yaml")
    assert (relative.uri, relative.folder) == ("sub/x.policy.yaml", str(folder))
    assert relative.digest == absolute.digest
    assert str(tmp_path) not in relative.document.decode()


@pytest.mark.parametrize("name", ["nowhere.yaml", ".", "a\x00b"])
def test_a_file_that_cannot_be_opened_is_a_usage_error(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        load(name)
    assert not isinstance(caught.value, PolicyError)
    assert caught.value.exit_code == 2
    assert str(tmp_path) not in str(caught.value)


def test_load_raises_what_check_returns(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(HEAD + "rules: [{id: X-1, chek: a.b}, {id: x}]\n", encoding="utf-8")
    with pytest.raises(PolicyError) as caught:
        load(file)
    assert caught.value.problems == check(file)[1]
    assert len(caught.value.problems) == 2


def test_a_huge_file_is_refused_without_being_read(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    with file.open("wb") as stream:
        stream.truncate(50_000_000_000)
    with pytest.raises(PolicyError, match="at most 1,000,000"):
        load(file)


def forget(policy: Policy) -> Policy:
    """Leave out what a policy knows of where it was read."""
    nowhere = Place(file="", line=0)
    scope = policy.applies_to and replace(policy.applies_to, place=nowhere)
    rules = tuple(
        replace(
            r,
            place=nowhere,
            places={},
            applies_to=r.applies_to and replace(r.applies_to, place=nowhere),
            parameters=dict(r.parameters),
        )
        for r in policy.rules
    )
    return replace(
        policy,
        applies_to=scope,
        rules=rules,
        data={role: replace(spec, place=nowhere) for role, spec in policy.data.items()},
        tests=tuple(replace(test, place=nowhere) for test in policy.tests),
        extends=(),
        uri="",
        folder="",
        document=b"",
        source_digest="",
        digest="",
    )


EVERYTHING = (
    'applies_to: {models: ["credit-*"], stages: [production]}\n'
    "data:\n"
    '  evaluation: {source: "artifact:e.parquet", label: y, prediction: yhat, positive: yes,'
    " sensitive: {sex: ~, age: [18, 40.5]}, min_rows: 10, max_null_labels: 0.01}\n"
    '  current: {source: "file:c.csv", score: {0: p0, 1: p1}, threshold: 0.4, task: binary,'
    " weight: n, key: k, time: t, max_age_days: 1.5}\n"
    "rules:\n"
    '  - {id: BIAS-02, with: {by: [sex, [sex, "no"], {"on": 1e-5, "~": [], "": {}, "1": "1"}]}}\n'
    "  - {id: X-1, check: a.b, with: {a: ~, b: true, c: -0.0, d: 12345678901234567, e: 1.0,"
    " f: [{}, {g: {h: [[]]}}]}, baseline: {value: 0.5, owner: 'a: b', expires: 2030-01-01},"
    " require: {between: [1e-7, 1e22], warn_above: 3}, serious: 0, on: reference,"
    ' why: "\\u2028# \\\\ \\" \' \\U0001F600 é", title: "yes: no"}\n'
    "tests:\n"
    "  - {name: t, at: 2027-01-02T10:00:00.5+02:00, stage: dev,"
    " given: {X-1: absent, PERF-01: [{value: ~, slice: 'sex=F'}, {value: 0, low: -1, high: 2,"
    " rows: 0}]}, expect: {X-1: NOT_APPLICABLE, verdict: undecided}}\n"
)


def test_the_document_reads_as_the_same_policy() -> None:
    policy = sound(EVERYTHING)
    again, found = resolve(policy.document, uri="resolved", packs=Path("/nonexistent"))
    assert found == ()
    assert again is not None
    assert forget(again) == forget(policy)
    assert again.document == re.sub(rb"(?m)^#.*\n", b"", policy.document)


def test_a_foreign_yaml_1_1_reader_sees_the_same_values() -> None:
    """`yes`, `no`, `on` and 1e-5 are where readers differ; the document keeps clear of them."""
    policy = sound(EVERYTHING)
    foreign = yaml.safe_load(policy.document)
    assert foreign["data"]["evaluation"]["positive"] == "yes"
    stated = {r["id"]: r for r in foreign["rules"]}
    assert stated["X-1"]["with"] == dict(rule(policy, "X-1").parameters)
    assert stated["BIAS-02"]["with"] == dict(rule(policy, "BIAS-02").parameters)
    assert stated["X-1"]["require"]["between"] == [1e-7, 1e22]
    assert stated["X-1"]["why"] == rule(policy, "X-1").why
    assert foreign["metadata"]["version"] == "1"


def test_the_digest_is_that_of_the_document_and_names_the_packs() -> None:
    policy = sound("")
    assert policy.digest == canonical.sha256(policy.document)
    pack = canonical.sha256((PACKS / "base.yaml").read_bytes())
    assert policy.document.startswith(f'# from pack "base@1.0.0" sha256:{pack}\n'.encode())


def test_comments_and_layout_do_not_change_the_digest_and_a_threshold_does() -> None:
    rules = "rules:\n  - id: X-1\n    check: a.b\n    require: {at_most: 0.10}\n"
    other = "# note\nrules: [{require: {at_most: '1e-1'}, check: 'a.b', id: X-1}]\n"
    assert sound(rules).digest == sound(other).digest
    assert sound(rules).digest != sound(rules.replace("0.10", "0.11")).digest


def test_a_policy_that_grows_too_large_to_be_read_back_is_refused() -> None:
    """Limits hold for the resolved text too, or evidence would name a text nobody can read."""
    wide = ", ".join(f"k{i}: 1" for i in range(4980))
    _, found = child(f"rules: [{{id: X-1, check: a.b, with: {{{wide}}}}}]\n")
    assert found
    assert "resolved" in found[0]


def test_a_hostile_file_name_cannot_write_into_the_document() -> None:
    data = f"{HEAD}extends: [{{pack: base@1.0.0}}]\n".encode()
    policy, _ = resolve(data, uri="x\nrules: []\n#", packs=PACKS)
    assert policy is not None
    assert policy.document == sound("").document
