"""One text names what a policy resolves to, and its digest is the policy's."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import yaml

from aims_gate import canonical
from aims_gate.policy.model import Place, Policy
from aims_gate.policy.resolve import resolve
from tests.policy.children import HEAD, PACKS, child, rule, sound


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
    pack = canonical.sha256((PACKS / "base@1.0.0.yaml").read_bytes())
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
