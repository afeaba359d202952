"""SARIF and GitLab's code quality: an alert for each unmet rule, the same one each time."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from aims_gate.reports import codequality, sarif
from aims_gate.verdict import Verdict
from tests.reports.cases import BIAS, CASES, ROC, verdict_of
from tests.support.sarif_schema import sarif_log


def run_of(verdict: Verdict) -> Any:
    """The one run of the SARIF log."""
    (run,) = sarif_log(sarif.render(verdict))["runs"]
    return run


def prints(verdict: Verdict) -> dict[str, str]:
    """Fingerprint of each alert."""
    return {
        one["ruleId"]: one["partialFingerprints"][sarif.FINGERPRINT]
        for one in run_of(verdict)["results"]
    }


def test_the_schema_refuses_what_is_no_sarif() -> None:
    log = json.loads(sarif.render(CASES["refused"]))
    log["runs"][0]["results"][0]["level"] = "fatal"
    place = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    place["region"]["startLine"] = 0
    place["artifactLocation"]["uri"] = "a policy.yaml"
    log["runs"][0]["verdict"] = "refused"
    with pytest.raises(AssertionError, match=r"(?s)Additional.*'fatal'.*'a policy.yaml'.*of 1"):
        sarif_log(json.dumps(log))


@pytest.mark.parametrize("case", CASES)
def test_no_verdict_that_refuses_is_without_an_error(case: str) -> None:
    verdict = CASES[case]
    levels = [one["level"] for one in run_of(verdict)["results"]]
    assert ("error" in levels) is not verdict.passed
    severities = [one["severity"] for one in json.loads(codequality.render(verdict))]
    assert ("blocker" in severities) is not verdict.passed


@pytest.mark.parametrize("case", CASES)
def test_every_alert_has_a_rule_a_place_and_a_fingerprint_of_its_own(case: str) -> None:
    """What GitHub asks for: a relative path, a line from 1 on, a rule that is described."""
    run = run_of(CASES[case])
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(rules) == len(set(rules))
    assert {one["ruleId"] for one in run["results"]} == set(rules)
    for one in run["results"]:
        place = one["locations"][0]["physicalLocation"]
        assert not place["artifactLocation"]["uri"].startswith("/")
        assert place["region"]["startLine"] >= 1
    assert len(set(prints(CASES[case]).values())) == len(rules)


def test_an_alert_stays_the_same_over_versions_lines_and_numbers() -> None:
    before = CASES["refused"]
    moved = replace(BIAS, place="policy.yaml:99", reason="another number")
    after = replace(verdict_of(ROC, moved, decision=before.decision))
    after = replace(after, model=replace(after.model, version="8", digest="ab" * 32))
    assert prints(after)["BIAS-02"] == prints(before)["BIAS-02"]
    other = replace(after, model=replace(after.model, name="churn"))
    assert prints(other)["BIAS-02"] != prints(before)["BIAS-02"]


def test_a_rule_of_a_parent_is_shown_where_the_policy_takes_it_from() -> None:
    of_pack = replace(BIAS, place="pack:release@1.2.0:44")
    verdict = verdict_of(of_pack, decision=CASES["refused"].decision)
    (issue,) = json.loads(codequality.render(verdict))
    assert issue["location"] == {"path": "policy.yaml", "lines": {"begin": 1}}


def test_brackets_of_a_name_make_no_link() -> None:
    linked = replace(BIAS, reason="see [here](http://evil.example) \\[x](1)")
    verdict = verdict_of(linked, decision=CASES["refused"].decision)
    (alert,) = run_of(verdict)["results"]
    assert alert["message"]["text"] == (r"FAIL: see \[here\](http://evil.example) \\\[x\](1)")
