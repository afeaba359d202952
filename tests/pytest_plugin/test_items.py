"""Each rule of a policy is a test, whose end is the rule's outcome."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from aims_gate.errors import TrustError
from aims_gate.operations.verify import verify
from aims_gate.pytest_plugin.items import kind_of
from aims_gate.pytest_plugin.runs import Ruling
from aims_gate.verdict import Decision, Outcome
from tests.pytest_plugin.repos import GATE, evidence, repo, rules
from tests.reports.cases import WAIVED, verdict_of

ACCURACY = "{id: PERF-01, check: performance.score, with: {metric: accuracy}, require: "
RATIO = "{id: BIAS-02, check: fairness.impact_ratio, require: {at_least: 0.8}"


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
            "what to do: *",
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
        "{id: BIAS-04, check: fairness.parity, applies_to: {models: [other]}}",
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
    """INSUFFICIENT at the last stage; the same warns at an earlier one."""
    repo(pytester, "fifty-rows-a-group")
    assert pytester.runpytest_inprocess(*GATE).ret == 1
    early = pytester.runpytest_inprocess(*GATE, "--aims-gate-stage=dev")
    assert early.ret == 0
    early.assert_outcomes(xfailed=1)


def test_a_refused_policy_is_one_error_with_every_problem(pytester: pytest.Pytester) -> None:
    """Each as file:line, as `aims-gate policy check` prints them, and pytest exits 2."""
    folder = repo(pytester, "met")
    rules(
        folder,
        "{id: PERF-01, check: performance.scor, with: {metric: accuracy}}",
        "{id: PERF-02, check: performance.score, with: {metric: accuracy, floor: 1}, "
        "require: {at_least: 0.5}}",
        ACCURACY.replace("01", "03") + "{at_least: .nan}}",
    )
    done = pytester.runpytest_inprocess(*GATE)
    assert done.ret == 2
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(
        [
            "policy.yaml:7: *unknown check 'performance.scor'*",
            "policy.yaml:8: *no parameter 'floor'*",
            "policy.yaml:9: *",
            "not run: policy.yaml is refused, as the errors above say",
        ]
    )


@pytest.mark.parametrize(
    ("options", "words", "code"),
    [
        (["--aims-gate=nowhere.yaml"], "*nowhere.yaml: there is no such policy*", 4),
        (["--aims-gate=model"], "*there is no policy in the folder*", 4),
        (["--aims-gate-evidence=kept"], "*--aims-gate-evidence needs a policy*", 4),
        (["--aims-gate-model=file:model"], "*--aims-gate-model needs a policy*", 4),
        ([*GATE, "--aims-gate-data=evaluation=x.csv"], "*names 'evaluation' twice*", 4),
        ([*GATE, "--aims-gate-data=x.csv"], "*'x.csv' is not ROLE=URI*", 4),
        ([*GATE, "--aims-gate-data=evalution=x.csv"], "*unknown data role 'evalution'*", 4),
        ([*GATE, "-p", "no:aims_gate"], "*unrecognized arguments: --aims-gate=*", 4),
        ([*GATE, "-p", "no:aims_gate.pytest_plugin"], "*blocks it*", 4),
        (["--aims-gate=policy.yaml"], "policy.yaml: there is no model to gate; give*", 2),
        ([*GATE, "--aims-gate-stage=prod"], "*unknown stage 'prod'*", 2),
    ],
)
def test_what_cannot_be_asked_for_is_refused(
    options: list[str], words: str, code: int, pytester: pytest.Pytester
) -> None:
    """Options are usage errors of pytest, and what is wrong with a policy is a collection error."""
    repo(pytester, "met")
    pytester.makepyfile("def test_other(): pass")
    if options[0] in {"--aims-gate-evidence=kept", "--aims-gate-model=file:model"}:
        (pytester.path / "policy.yaml").unlink()
    done = pytester.runpytest_inprocess(*options)
    assert done.ret == code
    (done.stderr if code == 4 else done.stdout).fnmatch_lines([words])


@pytest.mark.parametrize(
    ("model", "words", "code"),
    [
        ("file:nowhere", "*there is no such folder*", 1),
        ("nowhere", "*'nowhere' is not a model URI*", 2),
        ("models:/credit/1", "*", 1),
    ],
)
def test_without_a_verdict_every_rule_is_an_error(
    model: str,
    words: str,
    code: int,
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A model that is not there, a server that is down: nothing is decided, nothing is green."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    repo(pytester, "met")
    done = pytester.runpytest_inprocess(
        GATE[0], GATE[2], f"--aims-gate-model={model}", "--aims-gate-evidence=kept"
    )
    assert done.ret == code
    done.assert_outcomes(errors=2)
    done.stdout.fnmatch_lines([f"policy.yaml: {words}", "undecided: *" if code == 1 else "*"])
    assert not evidence(pytester.path)


def test_what_the_engine_refuses_is_a_usage_error(pytester: pytest.Pytester) -> None:
    """A policy that applies to nothing exits 2, as on the command line."""
    repo(pytester, "applies-to-nothing")
    assert pytester.runpytest_inprocess(*GATE).ret == 2


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


def test_several_policies_each_have_a_section(pytester: pytest.Pytester) -> None:
    """A folder is searched; the worst of them decides how pytest exits."""
    folder = repo(pytester, "met")
    (folder / "more").mkdir()
    strict = (folder / "policy.yaml").read_text("utf-8").replace("at_least: 0.7", "at_least: 0.99")
    (folder / "more" / "strict.policy.yaml").write_text(strict, encoding="utf-8")
    (folder / "more" / "other.yaml").write_text("no policy", encoding="utf-8")
    done = pytester.runpytest_inprocess("--aims-gate=.", *GATE[1:], "--aims-gate-evidence=kept")
    assert done.ret == 1
    done.stdout.fnmatch_lines(["*aims-gate: more/strict.policy.yaml*", "*aims-gate: policy.yaml*"])
    assert len(evidence(folder / "kept")) == 2


def test_one_policy_named_twice_is_one(pytester: pytest.Pytester) -> None:
    """On the command line, as an argument, and in the setting."""
    folder = repo(pytester, "met")
    pytester.makeini("[pytest]\naims_gate_policy = policy.yaml")
    path = str(folder / "policy.yaml")
    done = pytester.runpytest_inprocess(*GATE, "--aims-gate=./policy.yaml", ".", path)
    assert done.ret == 0
    done.assert_outcomes(passed=2)


def test_defaults_of_the_repository_are_used_and_told(pytester: pytest.Pytester) -> None:
    """`[tool.aims-gate]` serves `--aims-gate` without a value, as it serves the command line."""
    folder = repo(pytester, "met")
    (folder / "pyproject.toml").write_text(
        '[tool.aims-gate]\npolicy = "policy.yaml"\nmodel = "file:model"\n'
        'data = {evaluation = "evaluation.csv"}\n',
        encoding="utf-8",
    )
    done = pytester.runpytest_inprocess("--aims-gate")
    assert done.ret == 0
    done.stdout.fnmatch_lines(["defaults of pyproject.toml [[]tool.aims-gate]: *file:model*"])


def test_a_repository_may_not_displace_the_policys_data(pytester: pytest.Pytester) -> None:
    """As on the command line: a collection error, exit 2."""
    folder = repo(pytester, "met")
    policy = folder / "policy.yaml"
    text = policy.read_text("utf-8").replace("evaluation: {", 'evaluation: {source: "file:e.csv", ')
    policy.write_text(text, encoding="utf-8")
    (folder / "pyproject.toml").write_text(
        '[tool.aims-gate]\ndata = {evaluation = "evaluation.csv"}\n', encoding="utf-8"
    )
    done = pytester.runpytest_inprocess(*GATE[:2])
    assert done.ret == 2
    done.stdout.fnmatch_lines(["*the policy says where these data come from*"])


def test_paths_are_taken_from_where_pytest_is_called(pytester: pytest.Pytester) -> None:
    """A nested folder, another rootdir, a test that changes the folder: all the same."""
    folder = repo(pytester, "met")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (folder / "deep").mkdir()
    for name in ("policy.yaml", "evaluation.csv"):
        (folder / name).rename(folder / "deep" / name)
    (folder / "model").rename(folder / "deep" / "model")
    (folder / "deep" / "test_a.py").write_text(
        "import os\ndef test_a(tmp_path):\n    os.chdir(tmp_path)\n", encoding="utf-8"
    )
    here = Path.cwd()
    try:
        import os

        os.chdir(folder / "deep")
        done = pytester.runpytest_inprocess("test_a.py", *GATE, "--import-mode=importlib")
    finally:
        os.chdir(here)
    assert done.ret == 0
    done.stdout.fnmatch_lines(["*aims-gate: policy.yaml*", "policy met*"])
