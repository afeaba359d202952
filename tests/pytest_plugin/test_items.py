"""Each rule of a policy is a test, whose end is the rule's outcome."""

from __future__ import annotations

import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from aims_gate.errors import TrustError
from aims_gate.operations.verify import verify
from aims_gate.pytest_plugin.items import kind_of
from aims_gate.pytest_plugin.runs import Ruling
from aims_gate.verdict import Decision, Outcome
from tests.pytest_plugin.repos import ACCURACY, GATE, RATIO, evidence, repo, rules
from tests.reports.cases import WAIVED, verdict_of


def test_a_policy_that_is_met_passes(pytester: pytest.Pytester) -> None:
    """Beside other tests, with a section that says so."""
    repo(pytester, "met")
    pytester.makepyfile("def test_other(): pass")
    done = pytester.runpytest_inprocess(*GATE, "-v")
    assert done.ret == 0
    done.assert_outcomes(passed=3)
    done.stdout.fnmatch_lines(
        [
            "policy.yaml::PERF-01 PASSED*",
            "policy.yaml::BIAS-02 PASSED*",
            "*= aims-gate: policy.yaml =*",
            "model  *file:model",
            "PASS  *PERF-01  *accuracy 0.800*",
            "policy met: nothing stands in the way of production (2 PASS)",
        ]
    )


def test_a_refusal_reads_well_and_has_no_traceback(pytester: pytest.Pytester) -> None:
    """Value, interval, limit, group, rows, the policy's line and what to do; in short too."""
    repo(pytester, "biased")
    done = pytester.runpytest_inprocess(*GATE)
    assert done.ret == 1
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(
        [
            "BIAS-02 FAIL: impact ratio sex=F vs sex=M 0.500 (95 %*) < 0.8, n=2,000 of 5,000*",
            "rule: policy.yaml:8",
            "what to do: compare the named groups in the training data*",
            "ask why: aims-gate explain policy.yaml BIAS-02",
            "policy not met: 1 of 2 rules stands in the way of production",
            "FAILED policy.yaml::BIAS-02 - BIAS-02 FAIL: impact ratio*",
        ]
    )
    done.stdout.no_fnmatch_line("*Traceback*")
    done.stdout.no_fnmatch_line("*runs.py*")
    done.stdout.no_fnmatch_line("*items.py*")
    brief = pytester.runpytest_inprocess(*GATE, "--tb=line")
    brief.stdout.fnmatch_lines(["*/policy.yaml:8: BIAS-02 FAIL: impact ratio*"])


def test_outcomes_that_do_not_block_are_shown_and_never_look_passed(
    pytester: pytest.Pytester,
) -> None:
    """WARN warns, a miss that does not block is xfailed, what does not apply is skipped."""
    folder = repo(pytester, "biased")
    rules(
        folder,
        ACCURACY + "{at_least: 0.7}}",
        RATIO + ", severity: warn}",
        "{id: BIAS-03, check: fairness.impact_ratio, require: {at_least: 0.8}, "
        "effective_from: 2999-01-01}",
        "{id: BIAS-04, check: fairness.parity, applies_to: {stages: [dev]}}",
    )
    done = pytester.runpytest_inprocess(*GATE, "-rxs", "-W", "error")
    assert done.ret == 0
    done.assert_outcomes(passed=2, xfailed=1, skipped=1, warnings=1)
    done.stdout.fnmatch_lines(
        [
            "*BIAS-03 WARN: *FAIL from 2999-01-01 on*",
            "WARN  *BIAS-03*",
            "policy met: *(1 FAIL, 1 WARN, 1 PASS, 1 NOT_APPLICABLE)",
            "XFAIL policy.yaml::BIAS-02 - *FAIL: *",
            "SKIPPED * policy.yaml:10: NOT_APPLICABLE: applies_to leaves out model*",
        ]
    )
    strict = pytester.runpytest_inprocess(*GATE, "--runxfail")
    assert strict.ret == 1
    strict.assert_outcomes(passed=2, failed=1, skipped=1, warnings=1)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (ACCURACY + "{at_least: 0.99}}", "PERF-01 FAIL: accuracy*"),
        (
            ACCURACY.replace("accuracy", "roc_auc") + "{at_least: 0.6}}",
            "PERF-01 ERROR: *score*",
        ),
        (
            "{id: MON-01, check: drift.columns, require: {at_most: 0.2}}",
            "MON-01 MISSING: *no reference data*",
        ),
        (ACCURACY + "{at_least: 0.7}, max_age_days: 1}", "PERF-01 STALE: *"),
    ],
)
def test_every_outcome_that_blocks_fails(rule: str, words: str, pytester: pytest.Pytester) -> None:
    """FAIL, ERROR, MISSING and STALE; and the session with it."""
    rules(repo(pytester, "met"), rule)
    data = [word for word in GATE if "MON" not in rule or "data" not in word]
    done = pytester.runpytest_inprocess(*data)
    assert done.ret == 1
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines([words])


def test_no_outcome_but_pass_and_warn_passes_and_a_waived_rule_xfails() -> None:
    """A waived rule does not block, and is shown with its reason, never as passed."""
    ruling = Ruling.of(WAIVED, verdict_of(WAIVED, decision=Decision.PASSED))
    assert (ruling.outcome, kind_of(ruling)) == (Outcome.WAIVED, "xfailed")
    assert WAIVED.reason in ruling.reason
    ends = {outcome: kind_of(replace(ruling, outcome=outcome)) for outcome in Outcome}
    assert [o for o, end in ends.items() if end == "passed"] == [Outcome.WARN, Outcome.PASS]
    assert [o for o, end in ends.items() if end == "skipped"] == [Outcome.NOT_APPLICABLE]
    for outcome in Outcome:
        assert kind_of(replace(ruling, outcome=outcome, blocking=True)) == "failed"


def test_too_few_rows_fail(pytester: pytest.Pytester) -> None:
    """INSUFFICIENT at the last stage; at an earlier one the same warns and decides nothing."""
    repo(pytester, "fifty-rows-a-group")
    assert pytester.runpytest_inprocess(*GATE).ret == 1
    early = pytester.runpytest_inprocess(*GATE, "--aims-gate-stage=dev")
    assert early.ret == 1
    early.assert_outcomes(xfailed=1)
    early.stdout.fnmatch_lines(["undecided: no blocking rule could be decided; dev stays closed"])


def test_evidence_is_unsigned_and_local_and_never_verifies(pytester: pytest.Pytester) -> None:
    """It says where it was made, and `verify` refuses it."""
    folder = repo(pytester, "met")
    done = pytester.runpytest_inprocess(*GATE, "--aims-gate-evidence=kept")
    (kept,) = evidence(folder / "kept")
    done.stdout.fnmatch_lines(["evidence  *kept*, unsigned and local: it never verifies"])
    report = json.loads((kept / "report.json").read_text(encoding="utf-8"))
    assert report["verdict"] == "passed"
    assert report["evidence"]["versions"]["origin"] == "pytest"
    assert '"origin":"pytest"' in (kept / "evaluation.statement.json").read_text("utf-8")
    assert not list(kept.glob("*.dsse.json"))
    trust = folder / "trust.yaml"
    trust.write_text(
        "apiVersion: aims-gate/v1\nkind: Trust\nkeys:\n"
        "  - {person: a@example.org, public_key: gate.key.pub, roles: [gate]}\n",
        encoding="utf-8",
    )
    from aims_gate.__main__ import guarded

    assert guarded(["evidence", "key", "generate", "--out", str(folder / "gate.key")]) == 0
    with pytest.raises(TrustError, match="is not signed"):
        verify(kept, model=folder / "model", trust=trust)


def test_a_refusal_is_kept_too_and_a_full_disk_is_no_pass(pytester: pytest.Pytester) -> None:
    """Evidence that cannot be kept as asked leaves the stage undecided."""
    folder = repo(pytester, "biased")
    assert pytester.runpytest_inprocess(*GATE, "--aims-gate-evidence=kept").ret == 1
    assert len(evidence(folder / "kept")) == 1
    repo(pytester, "met")
    (folder / "taken").write_text("a file", encoding="utf-8")
    done = pytester.runpytest_inprocess(*GATE, "--aims-gate-evidence=taken")
    assert done.ret == 1
    done.stdout.fnmatch_lines(["evidence  *it could not be kept: *"])


def test_junit_tells_rule_controls_value_and_interval(pytester: pytest.Pytester) -> None:
    """As properties of each test case."""
    folder = repo(pytester, "met")
    pytester.runpytest_inprocess(*GATE, "--junitxml=junit.xml", "-W", "error")
    root = ET.parse(folder / "junit.xml").getroot()  # noqa: S314  # our own
    cases = root.iter("testcase")
    found = {
        case.get("name"): {p.get("name"): p.get("value") for p in case.iter("property")}
        for case in cases
    }
    assert found["PERF-01"]["aims_gate.outcome"] == "PASS"
    assert found["PERF-01"]["aims_gate.place"] == "policy.yaml:7"
    assert "level 0.9" in (found["PERF-01"]["aims_gate.interval"] or "")
    assert "iso42001:A.5.4" in (found["BIAS-02"]["aims_gate.controls"] or "")


def test_text_of_strangers_is_harmless(pytester: pytest.Pytester) -> None:
    """A title, a reason and a group's name with commands and colours reach no terminal."""
    folder = repo(pytester, "biased")
    rules(folder, ACCURACY + '{at_least: 0.99}, title: "::error::x ##[group]"}', RATIO + "}")
    data = (folder / "evaluation.csv").read_text("utf-8").replace("F,", "\x1b[2J::error::F,")
    (folder / "evaluation.csv").write_text(data, encoding="utf-8")
    done = pytester.runpytest_inprocess(*GATE, "-v", "--color=no")
    assert done.ret == 1
    assert "\x1b" not in str(done.stdout)
    assert "::error::" not in str(done.stdout)


def test_a_policys_rules_have_its_lines(pytester: pytest.Pytester) -> None:
    """The real line in the YAML, for editors and reports."""
    repo(pytester, "met")
    items, _ = pytester.inline_genitems(*GATE)
    assert [item.location for item in items] == [
        ("policy.yaml", 6, "PERF-01"),
        ("policy.yaml", 7, "BIAS-02"),
    ]


def test_inherited_rules_stand_where_the_policy_extends(pytester: pytest.Pytester) -> None:
    """A parent's rules are required too."""
    repo(pytester, "pinned-parent")
    done = pytester.runpytest_inprocess(*GATE, "--collect-only", "-q")
    assert done.ret == 0
    assert str(done.stdout).count("policy.yaml::") >= 2


def test_listing_runs_nothing(pytester: pytest.Pytester) -> None:
    """`--collect-only` reads policies, decides nothing and exits 0."""
    folder = repo(pytester, "biased")
    done = pytester.runpytest_inprocess(*GATE, "--collect-only", "--aims-gate-evidence=kept")
    assert done.ret == 0
    done.stdout.no_fnmatch_line("*aims-gate: policy.yaml =*")
    assert not evidence(folder)
