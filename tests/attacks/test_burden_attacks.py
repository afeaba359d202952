"""Attempts to choose a burden of proof, or a serious effect, under which too few rows pass."""

from __future__ import annotations

import pytest

from aims_gate.errors import PolicyError
from aims_gate.plan import plan
from aims_gate.policy.resolve import resolve
from aims_gate.verdict import Outcome
from tests.attacks.deciding import LABELS, Gate, only

HEAD = 'apiVersion: aims-gate/v1\nkind: Policy\nmetadata: {id: p, version: "1"}\n'


def refusals(rule: str) -> list[str]:
    policy, problems = resolve(f"{HEAD}rules:\n  - {{{rule}}}\n".encode(), uri="p.yaml")
    assert policy is not None
    assert problems == ()
    return [str(problem) for problem in plan(policy).problems]


@pytest.mark.parametrize(
    "rule",
    [
        "id: P-1, check: performance.score, with: {metric: accuracy}, require: {at_least: 0.8}",
        "id: P-1, check: performance.score, with: {metric: brier}, require: {at_most: 0.2}",
        "id: P-1, check: performance.score, with: {metric: mae}, require: {at_most: 3}",
        "id: P-1, check: fairness.proxy",
        "id: P-1, check: data.missing",
        # better than the champion by a margin: "no effect" does not meet that limit
        "id: P-1, check: performance.champion, with: {metric: accuracy}, require: {at_least: 0.02}",
        # by default, in a range that leaves "no effect" out
        "id: P-1, check: fairness.impact_ratio, require: {between: [0.5, 0.9]}",
    ],
)
def test_what_could_never_refuse_few_rows_is_refused(rule: str) -> None:
    by_default = "impact_ratio" in rule
    told = refusals(rule if by_default else f"{rule}, decide_on: proven_breach")
    assert len(told) == 1
    assert "is refused by proven_breach only if it is proven; no value says `no effect`" in told[0]
    assert refusals(f"{rule}, decide_on: estimate") == []


def test_six_of_ten_right_are_no_proof_and_no_pass(gate: Gate) -> None:
    rule = "rules: [{id: P-1, check: performance.score, with: {metric: accuracy}, "
    rule += "require: {at_least: 0.8}, decide_on: "
    rows = {"y": [1] * 10, "yhat": [1] * 6 + [0] * 4, "p": [0.5] * 10, "sex": ["F"] * 10}
    with pytest.raises(PolicyError, match="proven_breach"):
        gate(LABELS + rule + "proven_breach}]\n", evaluation=rows)
    assert only(gate(LABELS + rule + "proven_pass}]\n", evaluation=rows)).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("rule", "serious"),
    [
        ("check: fairness.impact_ratio, require: {at_least: 0.8}", 0.6),
        ("check: fairness.impact_ratio, require: {at_least: 0.5}", 0.25),
        ("check: fairness.impact_ratio, require: {at_least: 0.1}", 0.05),
        ("check: fairness.parity, require: {at_most: 0.1}", 0.2),
        ("check: fairness.parity, require: {at_most: 0.6}", 0.8),
        (
            "check: drift.columns, with: {numeric: js, categorical: js}, require: {at_most: 0.7}",
            0.766,
        ),
        ("check: drift.columns, require: {at_most: 2}", 4),
        ("check: performance.slices, with: {metric: accuracy}, require: {at_most: 0.8}", 0.9),
    ],
)
def test_a_lenient_limit_does_not_put_the_serious_effect_out_of_reach(
    rule: str, serious: float
) -> None:
    """Twice the distance of a ratio of 0.4 from 1 would lie below 0, which any row rules out."""
    policy, _ = resolve(f"{HEAD}rules: [{{id: B-1, {rule}}}]".encode(), uri="p.yaml")
    assert policy is not None
    (task,) = plan(policy).sound()
    (bar,) = task.bars
    assert bar.serious == pytest.approx(serious, abs=1e-3)
