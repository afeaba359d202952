"""What is asked for: options, settings, several policies and paths; what cannot be, is an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pytest_plugin.repos import ACCURACY, GATE, evidence, repo, rules


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
