"""The JSON Schema for editors: shipped as generated, and of one mind with the reader."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from aims_gate.documents.strict_yaml import parse
from aims_gate.policy import grammar
from aims_gate.policy.read import read

FILE = Path(grammar.__file__).with_name("policy.v1.schema.json")

POLICY = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: credit-risk, version: 3.2.0, owner: model-risk@acme.example, expires: 2027-06-30}
engine: native
extends:
  - pack: iso42001-baseline@1.0.0
  - uri: git+https://example.com/ml-policies@4f1c9e2#eu-base.yaml
    sha256: 10ab10ab10ab10ab10ab10ab10ab10ab10ab10ab10ab10ab10ab10ab10ab10ab
stages: [dev, staging, production]
applies_to: {models: ["credit-*"], stages: [production]}
sources: {allow: []}
alpha: 0.05
alpha_scope: policy
on_insufficient: block
data:
  evaluation: {source: "artifact:eval.parquet", label: y, prediction: yhat, score: p, positive: 1,
               sensitive: [sex, race], min_rows: 5000, weight: n, key: id, query: q, time: ts,
               task: binary}
  reference: {predictions: model, source: "file:train.parquet", snapshot: 3,
              sensitive: {sex: ~, AGEP: [0, 25, 45, 65]}}
  champion: {source: "file:champion.parquet", key: id, prediction: old}
  perturbed: {source: "file:noisy.parquet", predictions: model, environment: model}
  current: {source: "artifact:monitoring/current.parquet", max_age_days: 31, score: {a: pa, b: pb}}
rules:
  - id: PERF-01
    title: ROC AUC
    check: performance.score
    with: {metric: roc_auc}
    require: {at_least: "0.80"}
    decide_on: proven_pass
    severity: block
    why: "below this the manual queue overflows (review of 2026-09)"
    approved_by: model-risk@acme.example
    controls: [iso42001:A.6.2.4, eu-ai-act:15.1]
  - id: BIAS-02
    check: fairness.impact_ratio
    with: {by: [sex, race, [sex, race]], min_cell: 30}
    on: evaluation
    require: {at_least: 0.80, warn_below: 0.9}
    serious: 0.6
    overridable: [require.at_least, with.by]
    engine: native
  - id: MON-01
    check: drift.columns
    with: {columns: all, numeric: psi, categorical: psi}
    require: {at_most: 0.25, warn_above: 0.10}
    effective_from: 2027-01-01
    baseline: {value: 0.3, owner: ops@acme.example, expires: 2027-06-30}
    applies_to: {stages: [production]}
    max_age_days: 31
    grace_days: 0
    on_insufficient: warn
tests:
  - name: missing metric blocks
    given: {PERF-01: {}}
    expect: {PERF-01: MISSING, verdict: refused}
  - name: the limit itself is met
    given: {PERF-01: [{slice: all, value: 0.8, low: 0.8, high: 0.9, rows: 900}], MON-01: absent}
    at: 2027-01-02T10:00:00Z
    stage: dev
    expect: {PERF-01: PASS}
"""


def valid(text: str) -> bool:
    """Ask a foreign validator; the reader's tree is what an editor's YAML parser gives it."""
    validator = jsonschema.Draft202012Validator(grammar.POLICY.schema())
    return bool(validator.is_valid(parse(text.encode(), "p.yaml").tree))


def accepted(text: str) -> bool:
    return not read(text.encode(), "p.yaml")[1]


def test_the_shipped_schema_is_the_generated_one() -> None:
    """Its bytes follow from the grammar, so a stale file is red."""
    wanted = json.dumps(grammar.POLICY.schema(), indent=2) + "\n"
    assert FILE.read_text(encoding="utf-8") == wanted


def test_the_schema_is_a_valid_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(grammar.POLICY.schema())


def test_every_key_of_the_grammar_is_accepted_by_schema_and_reader() -> None:
    assert valid(POLICY)
    assert read(POLICY.encode(), "p.yaml")[1] == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("kind: Policy", "kind: Waiver"),
        ("aims-gate/v1", "aims-gate/v2"),
        ("id: credit-risk", "id: 'credit risk'"),
        ("version: 3.2.0", "version: 3.2"),
        ("owner: model-risk@acme.example, expires", "owner: ~, expires"),
        ("2027-06-30}", "30.06.2027}"),
        ("engine: native\next", "engine: fairlearn\next"),
        ("pack: iso42001-baseline@1.0.0", "pack: iso42001-baseline"),
        ("pack: iso", "uri: iso"),
        ("allow: []", "allow: s3://x/"),
        ("git+https:", "https:"),
        ("    sha256: 10ab", "    sha256: 10AB"),
        ("uri: git+https", "pack: a@1\n    uri: git+https"),
        ("    sha256:", "    sha512:"),
        ("1.0.0\n  - uri", "1.0.0\n    sha256: " + "a" * 64 + "\n  - uri"),
        ("owner: ops@acme.example, ", ""),
        ("value: 0.3", "value: low"),
        ("alpha: 0.05", "alpha: 0.5"),
        ("alpha: 0.05", "alpha: true"),
        ("alpha_scope: policy", "alpha_scope: model"),
        ("artifact:eval.parquet", "table:eval"),
        ("task: binary", "task: rankings"),
        ("environment: model", "environment: conda"),
        ("min_rows: 5000", "min_rows: 0"),
        ("min_rows: 5000", "min_rows: '5000'"),
        ("reference: {", "challenger: {"),
        ("id: PERF-01", "id: perf-1"),
        ("{metric: roc_auc}", "[roc_auc]"),
        ('at_least: "0.80"', "at_least: high"),
        ('at_least: "0.80"', "atleast: 0.8"),
        ("proven_pass", "proved_pass"),
        ("severity: block", "severity: blok"),
        ("on: evaluation", "on: champion"),
        ("controls: [iso42001:A.6.2.4, eu-ai-act:15.1]", "controls: []"),
        ("grace_days: 0", "grace_days: -1"),
        ("PERF-01: MISSING", "PERF-01: missing"),
        ("verdict: refused", "verdict: no"),
        ("rows: 900", "rows: -1"),
        ("alpha: 0.05", "waivers: {max_day: 30}"),
    ],
)  # fmt: skip
def test_what_the_schema_refuses_the_reader_refuses(old: str, new: str) -> None:
    """Each change of one key turns both red; the unchanged text is green in both."""
    assert POLICY.count(old) >= 1
    changed = POLICY.replace(old, new, 1)
    assert not valid(changed)
    assert not accepted(changed)


def keys(node: Any, name: str = "") -> set[str]:
    if not isinstance(node, dict):
        return set()
    own = {f"{name}.{key}" for key in node.get("properties", {})}
    return own.union(*(keys(inner, key) for key, inner in node.get("$defs", {}).items()))


def test_no_key_may_be_null_unless_null_means_something() -> None:
    """`owner:` with nothing after it is a forgotten value, not a statement."""
    text = json.dumps(grammar.POLICY.schema())
    assert text.count('"null"') == 2, "sensitive columns without edges, and undefined cells"
    assert len(keys(grammar.POLICY.schema())) > 60
