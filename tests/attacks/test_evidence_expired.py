"""What a pass rested on has ended: the policy, a known debt, or the time before a rule began."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

import aims_gate
from aims_gate.attest import keys
from aims_gate.errors import TrustError
from aims_gate.operations.verify import Expectation, prove
from tests.conformance.test_past_evidence import GOLDENS, THEN
from tests.evidence.refusals import refuses
from tests.support.proofs import NOW, POLICY, Lab, Tree

DAY = timedelta(days=1)
GOLDEN = GOLDENS / "evidence-0.1"
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
SOON = f"{TODAY + 2 * DAY:%Y-%m-%dT%H:%M:%SZ}"
"""The end that is not over at the signature and is at the deployment."""
PERFORMANCE: dict[str, Any] = {
    "id": "PERF-01",
    "check": "performance.score",
    "with": {"metric": "accuracy"},
    "require": {"at_least": 0.7},
}
BIAS: dict[str, Any] = {
    "id": "BIAS-02",
    "check": "fairness.impact_ratio",
    "require": {"at_least": 0.8},
}
DEBT = {"value": 0.4, "owner": "credit@acme.example", "expires": SOON}
DATA = {"label": "y", "prediction": "p", "positive": 1, "weight": "n", "sensitive": ["sex"]}


def _gated(folder: Path, *rules: dict[str, Any], **metadata: str) -> Expectation:
    """Gate a model under *rules*, of which women are granted half as often as men."""
    policy = {
        "apiVersion": "aims-gate/v1",
        "kind": "Policy",
        "metadata": {"id": "credit", "version": "1.0.0", **metadata},
        "data": {"evaluation": DATA},
        "rules": [PERFORMANCE, *rules],
    }
    (folder / "policy.yaml").write_text(yaml.safe_dump(policy, sort_keys=False), encoding="utf-8")
    rows = "sex,y,p,n\nF,1,1,440\nF,0,0,1560\nM,1,1,1320\nM,0,0,1680\n"
    (folder / "evaluation.csv").write_text(rows, encoding="utf-8")
    (folder / "model").mkdir()
    (folder / "model" / "weights").write_bytes(b"w")
    public = keys.generate(folder / "gate.key", password=None, scheme=keys.Scheme.P256)
    entry = {"person": "ci", "public_key": public.pem, "roles": ["gate"]}
    trust = {"apiVersion": "aims-gate/v1", "kind": "Trust", "keys": [entry]}
    (folder / "trust.yaml").write_text(yaml.safe_dump(trust), encoding="utf-8")
    verdict = aims_gate.run(
        folder / "policy.yaml",
        f"file:{folder / 'model'}",
        data={"evaluation": str(folder / "evaluation.csv")},
        key=str(folder / "gate.key"),
        out=folder / "evidence",
    )
    assert verdict.passed, verdict.results
    question = Expectation(
        evidence=folder / "evidence", trust=folder / "trust.yaml", model=str(folder / "model")
    )
    assert prove(question, now=TODAY + DAY * 2 - timedelta(seconds=1)).passed
    return question


@pytest.mark.parametrize(
    ("rules", "metadata", "said"),
    [
        ([], {"expires": SOON}, "the policy holds until"),
        ([{**BIAS, "baseline": DEBT}], {}, "'BIAS-02' is let through until"),
        ([{**BIAS, "effective_from": SOON}], {}, "'BIAS-02' is let through until"),
    ],
)
def test_a_pass_that_rested_on_what_is_over_is_refused(
    tmp_path: Path, rules: list[dict[str, Any]], metadata: dict[str, str], said: str
) -> None:
    """From the very second on; the same model would be refused today."""
    question = _gated(tmp_path, *rules, **metadata)
    with pytest.raises(TrustError, match=said) as caught:
        prove(question, now=TODAY + DAY * 2)
    assert caught.value.exit_code == 4
    assert SOON in str(caught.value)


@pytest.mark.parametrize(
    "rule",
    [
        {**BIAS, "require": {"at_least": 0.4}, "effective_from": SOON},
        {**BIAS, "baseline": DEBT, "severity": "warn"},
        {**BIAS, "effective_from": SOON, "severity": "info"},
    ],
)
def test_what_nothing_rested_on_may_end(tmp_path: Path, rule: dict[str, Any]) -> None:
    """The rule passed anyway, or could never have stood in the way."""
    question = _gated(tmp_path, rule)
    assert prove(question, now=TODAY + 30 * DAY).passed
    assert prove(question, now=TODAY + 30 * DAY).terms == ()


def test_evidence_says_when_it_ends(tmp_path: Path) -> None:
    """The first end first."""
    later = f"{TODAY + 9 * DAY:%Y-%m-%dT%H:%M:%SZ}"
    question = _gated(tmp_path, {**BIAS, "baseline": DEBT}, expires=later)
    ends = [f"{term.end:%Y-%m-%dT%H:%M:%SZ}" for term in prove(question, now=TODAY + DAY).terms]
    assert ends == [SOON, later]


# --- evidence of version 0.1, which does not say when it ends --------------------------------


def test_old_evidence_ends_with_its_resolved_policy() -> None:
    """Its text is signed by digest, and says when the policy and the debt end."""
    question = Expectation(
        evidence=GOLDEN / "evidence", trust=GOLDEN / "trust.yaml", model=str(GOLDEN / "model")
    )
    ends = [(term.what, term.end.year) for term in prove(question, now=THEN).terms]
    assert ends == [("the policy holds", 2099), ("'BIAS-02' is let through", 2099)]


def _old(lab: Lab, policy: bytes, **result: str) -> None:
    """Turn evidence into that of version 0.1 under another resolved policy."""
    from aims_gate import canonical

    (lab.evidence / "policy.resolved.yaml").write_bytes(policy)
    digest = {"sha256": canonical.sha256(policy)}

    def evaluation(tree: Tree) -> None:
        tree["policy"].pop("expires")
        tree["policy"]["digest"] = digest
        tree["results"][0] |= {"severity": "block", **result}

    lab.forge("evaluation", evaluation)
    lab.forge("test-result", lambda tree: tree["configuration"][0].update(digest=digest))
    lab.forge("vsa", lambda tree: tree["policy"].update(digest=digest))


LET = {"outcome": "WARN", "rawOutcome": "FAIL"}
OVER = f"{NOW:%Y-%m-%dT%H:%M:%SZ}"
AHEAD = f"{NOW + DAY:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize(
    ("rule", "result", "refused"),
    [
        ({"baseline": {"expires": OVER}}, LET, True),
        ({"baseline": {"expires": AHEAD}}, LET, False),
        ({"baseline": {"expires": OVER}}, {"outcome": "PASS", "rawOutcome": "PASS"}, False),
        ({"baseline": {"expires": OVER}}, {"outcome": "WARN", "rawOutcome": "WARN"}, False),
        ({"effective_from": OVER}, LET, True),
        ({"effective_from": OVER, "baseline": {"expires": AHEAD}}, LET, True),
        ({"effective_from": "2026-01-01T00:00:00Z", "baseline": {"expires": OVER}}, LET, True),
        ({"effective_from": "2026-01-01T00:00:00Z", "baseline": {"expires": AHEAD}}, LET, False),
        ({}, LET, False),
    ],
)
def test_old_evidence_that_let_a_rule_through(
    tmp_path: Path, rule: dict[str, Any], result: dict[str, str], *, refused: bool
) -> None:
    """By the same rules as new evidence."""
    lab = Lab.make(tmp_path)
    rules = [{"id": "PERF-01", **rule}]
    _old(lab, yaml.safe_dump({"rules": rules}).encode(), **result)
    if refused:
        refuses(lab, "'PERF-01' is let through until")
    else:
        assert lab.verify().passed


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (
            POLICY + b"a: 1\na: 2\n",
            r"a statement lacks policy\.expires, and policy\.resolved\.yaml",
        ),
        (POLICY + b"rules: x\n", ""),
        (b"[]\n", ""),
        (b"metadata: {expires: soon}\n", r"policy\.expires: 'soon' is not a UTC time"),
    ],
)
def test_old_evidence_with_an_odd_policy(tmp_path: Path, policy: bytes, said: str) -> None:
    """What cannot be read is said; what is not there does not end."""
    lab = Lab.make(tmp_path)
    _old(lab, policy, **LET)
    if said:
        refuses(lab, said, stage="production")
    else:
        assert lab.verify(stage="production").passed


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda tree: tree.pop("results"), "a statement lacks results"),
        (lambda tree: tree.update(policy=[]), "not the policy that was signed"),
        (lambda tree: tree["policy"].update(expires=20990101), "'20990101' is not a UTC time"),
        (lambda tree: tree["policy"].update(expires=""), "'' is not a UTC time"),
        (lambda tree: tree["results"][0].update(expires="never"), "'never' is not a UTC time"),
        (lambda tree: tree["results"][0].pop("rule"), r"a statement lacks results\.0\.rule"),
    ],
)
def test_an_end_that_is_none_is_refused(tmp_path: Path, change: Any, said: str) -> None:
    """Signed by the gate's own key, and still no moment."""
    lab = Lab.make(tmp_path)
    lab.forge("evaluation", change)
    refuses(lab, said)
