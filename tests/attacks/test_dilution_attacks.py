"""Attempts to dilute a parent's share of alpha until nothing can be proven any more."""

from __future__ import annotations

from pathlib import Path

import pytest

import aims_gate
from aims_gate.__main__ import guarded
from aims_gate.operations.policy_diff import diff
from aims_gate.plan import plan
from aims_gate.policy.model import Policy
from aims_gate.policy.resolve import resolve
from aims_gate.policy.tightness import Change
from aims_gate.verdict import Outcome

HEAD = 'apiVersion: aims-gate/v1\nkind: Policy\nmetadata: {{id: {}, version: "1"}}\n'
FLOOR = (
    "alpha_scope: policy\n"
    "data: {evaluation: {label: y, prediction: yhat, positive: 1, sensitive: [sex]}}\n"
    "rules:\n"
    "  - {id: BIAS-02, check: fairness.impact_ratio}\n"
    "  - {id: BIAS-03, check: fairness.parity}\n"
    "  - {id: INTEG-01, check: integrity.model}\n"
    "  - {id: BIAS-04, check: fairness.odds, severity: warn}\n"
)
IDLE = "  - {{id: IDLE-{}, check: drift.columns, {}}}\n"


def resolved(folder: Path, text: str) -> Policy:
    policy, problems = resolve(text.encode(), uri="p.yaml", packs=folder)
    assert problems == ()
    assert policy is not None
    return policy


def shares(policy: Policy) -> dict[str, int]:
    """Give by how many rules alpha is divided for each."""
    return {task.rule.id: round(policy.alpha / task.alpha) for task in plan(policy).sound()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "floor@1.yaml").write_text(HEAD.format("floor") + FLOOR, encoding="utf-8")
    return tmp_path


def child(of: str, rules: str, name: str = "child") -> str:
    pins = ", ".join(f"{{pack: {pin}@1}}" for pin in of.split())
    return f"{HEAD.format(name)}extends: [{pins}]\nalpha_scope: policy\nrules:\n{rules}"


@pytest.mark.parametrize(
    "keys",
    [
        "severity: block",
        "applies_to: {stages: [dev]}",
        'applies_to: {models: ["another"]}',
        "effective_from: 2099-01-01",
    ],
)
def test_rules_that_a_child_adds_leave_its_parents_their_share(keys: str, folder: Path) -> None:
    added = "".join(IDLE.format(n, keys) for n in range(40))
    policy = resolved(folder, child("floor", added))
    found = shares(policy)
    assert (found["BIAS-02"], found["BIAS-03"]) == (2, 2)
    assert found["IDLE-0"] == 42


def test_a_rule_that_a_child_makes_block_takes_from_no_other(folder: Path) -> None:
    policy = resolved(folder, child("floor", "  - {id: BIAS-04, severity: block}\n"))
    found = shares(policy)
    assert (found["BIAS-02"], found["BIAS-03"], found["BIAS-04"]) == (2, 2, 3)


def test_one_parents_rules_leave_anothers_their_share(folder: Path) -> None:
    many = "".join(IDLE.format(n, "severity: block") for n in range(30))
    other = f"{HEAD.format('other')}alpha_scope: policy\nrules:\n{many}"
    (folder / "other@1.yaml").write_text(other, encoding="utf-8")
    for parents in ("floor other", "other floor"):
        found = shares(resolved(folder, child(parents, IDLE.format(99, "severity: block"))))
        assert (found["BIAS-02"], found["IDLE-0"], found["IDLE-99"]) == (2, 30, 33)


def test_grandparents_keep_their_share_and_so_does_what_is_written_out(folder: Path) -> None:
    between = child("floor", IDLE.format(1, "severity: block"), "between")
    (folder / "between@1.yaml").write_text(between, encoding="utf-8")
    policy = resolved(folder, child("between", IDLE.format(2, "severity: block")))
    expected = {"BIAS-02": 2, "BIAS-03": 2, "IDLE-1": 3, "IDLE-2": 4}
    assert {name: shares(policy)[name] for name in expected} == expected
    again = resolved(folder, policy.document.decode())
    assert shares(again) == shares(policy)
    assert again.document in policy.document  # but for the comments that name its parents
    # and where the document is a parent itself
    (folder / "child@1.yaml").write_text(policy.document.decode(), encoding="utf-8")
    below = resolved(folder, child("child", IDLE.format(3, "severity: block"), "below"))
    assert {name: shares(below)[name] for name in expected} == expected


@pytest.mark.parametrize(
    "line",
    [
        "alpha_families: [[BIAS-02, IDLE-1]]\n",
        "alpha_families: [[BIAS-02]]\n",
        "alpha: 0.001\n",
    ],
)
def test_a_child_does_not_set_the_shares_of_its_parents(line: str, folder: Path) -> None:
    text = child("floor", IDLE.format(1, "severity: block")).replace("rules:", f"{line}rules:")
    _, problems = resolve(text.encode(), uri="p.yaml", packs=folder)
    assert [problem.what.split()[0] for problem in problems] == [line.partition(":")[0]]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("alpha_scope: policy\nalpha_families: [[PERF-99]]\n", "unknown rule 'PERF-99'"),
        ("alpha_families: [[BIAS-02]]\n", "means nothing without alpha_scope: policy"),
        ("alpha_scope: policy\nalpha_families: []\n", "must be lists of rules"),
    ],
)
def test_families_are_of_rules_that_share(line: str, message: str, folder: Path) -> None:
    text = HEAD.format("p") + line + FLOOR.replace("alpha_scope: policy\n", "")
    _, problems = resolve(text.encode(), uri="p.yaml", packs=folder)
    (told,) = map(str, problems)
    assert message in told


def test_diff_shows_what_more_rules_do_to_the_others(folder: Path) -> None:
    before = resolved(folder, HEAD.format("p") + FLOOR)
    added = FLOOR + "".join(IDLE.format(n, "severity: block") for n in range(40))
    after = resolved(folder, HEAD.format("p") + added)
    found = {(one.rule, one.key): one.change for one in diff(before, after)}
    assert found["BIAS-02", "alpha"] is Change.CHANGED


def test_five_hundred_idle_rules_leave_a_refusal_a_refusal(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    Path("model").mkdir()
    Path("model/w.bin").write_bytes(b"\0\1")
    rows = [("M", 1, 300), ("M", 0, 300), ("F", 1, 230), ("F", 0, 370)]
    lines = [f"{sex},{said},{said}" for sex, said, n in rows for _ in range(n)]
    Path("evaluation.csv").write_text("\n".join(["sex,y,yhat", *lines]) + "\n", encoding="utf-8")
    idle = "".join(IDLE.format(n, "applies_to: {stages: [dev]}") for n in range(500))
    for policy in (HEAD.format("p") + FLOOR, child("floor", idle)):
        Path("policy.yaml").write_text(
            policy.replace("pack: floor@1", "uri: file:floor@1.yaml"), "utf-8"
        )
        if "extends" in policy:
            assert guarded(["policy", "pin", "policy.yaml"]) == 0
        verdict = aims_gate.run("policy.yaml", "file:model", data={"evaluation": "evaluation.csv"})
        outcome = {result.rule: result.outcome for result in verdict.results}["BIAS-02"]
        assert outcome is Outcome.FAIL
