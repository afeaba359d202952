"""No selection, skip, crash or second attempt makes a verdict, or evidence of one."""

from __future__ import annotations

from pathlib import Path

import pytest

from aims_gate import pipeline
from aims_gate.pytest_plugin import runs
from tests.pytest_plugin.repos import CASES, GATE, evidence, repo

KEEP = "--aims-gate-evidence=kept"
INI = "[pytest]\naims_gate_policy = policy.yaml\n"


@pytest.mark.parametrize(
    "options",
    [
        ["-k", "PERF"],
        ["-k", "not BIAS"],
        ["-m", "not aims_gate"],
        ["-k", "nothing"],
        ["--deselect", "policy.yaml::BIAS-02"],
        ["policy.yaml::PERF-01"],
        ["--setup-only"],
        ["--setup-plan"],
        ["-x", "test_fails.py"],
        ["--maxfail=1", "test_fails.py"],
        ["--stepwise", "test_fails.py"],
    ],
)
def test_a_policy_that_is_met_is_not_decided_by_a_part_of_it(
    options: list[str], pytester: pytest.Pytester
) -> None:
    """Asked for on the command line, the session fails and no evidence is kept."""
    folder = repo(pytester, "met")
    pytester.makepyfile(test_other="def test_other(): pass", test_fails="def test_f(): assert 0")
    done = pytester.runpytest_inprocess("-p", "no:cacheprovider", *options, *GATE, KEEP)
    if "--stepwise" in options:
        assert done.ret != 0
        return
    assert done.ret not in {0, 2, 3}
    assert "policy met" not in str(done.stdout)
    done.stdout.fnmatch_lines(["incomplete, so not decided: * of 2 rules *"])
    assert not evidence(folder)


def test_what_is_left_out_of_a_refusal_changes_nothing(pytester: pytest.Pytester) -> None:
    """The no is certain, and no evidence is kept of a part."""
    folder = repo(pytester, "biased")
    done = pytester.runpytest_inprocess(*GATE, KEEP, "-k", "PERF")
    assert done.ret == 1
    done.assert_outcomes(passed=1, deselected=1)
    done.stdout.fnmatch_lines(["policy not met*", "these rules have no test that ran: BIAS-02"])
    assert not evidence(folder)


@pytest.mark.parametrize(
    "hook",
    [
        "item.add_marker(pytest.mark.skip(reason='not today'))",
        "item.add_marker(pytest.mark.xfail)",
        "item.runtest = lambda: None",
        "item.runtest = lambda: pytest.skip('no')",
        "item.runtest = lambda: pytest.xfail('no')",
        "item.setup = lambda: None",
    ],
)
@pytest.mark.parametrize("case", ["biased", "met"])
def test_a_conftest_cannot_make_a_verdict(case: str, hook: str, pytester: pytest.Pytester) -> None:
    """Skipped, xfailed or replaced: a refusal stays one, and a pass is only the gate's own."""
    folder = repo(pytester, case)
    pytester.makeconftest(
        "import pytest\ndef pytest_collection_modifyitems(items):\n"
        f"    for item in items:\n        {hook}\n"
    )
    done = pytester.runpytest_inprocess(*GATE, KEEP)
    green = done.ret == 0
    assert not (green and case == "biased")
    if not green:
        assert "policy met" not in str(done.stdout)
        assert [path for path in evidence(folder) if "passed" in _verdict(path)] == []
    else:
        assert "runtest = lambda: None" in hook  # its tests pass, as the gate says they do


def _verdict(path: Path) -> str:
    return (path / "report.json").read_text(encoding="utf-8").partition('"verdict"')[2][:12]


@pytest.mark.parametrize("hook", ["collection_finish(session)", "runtest_setup(item)"])
def test_a_session_that_ends_itself_with_0_has_decided_nothing(
    hook: str, pytester: pytest.Pytester
) -> None:
    """`pytest.exit` may choose the code, and not the verdict; a list of tests is no session."""
    folder = repo(pytester, "met")
    pytester.makeconftest(f"import pytest\ndef pytest_{hook}: pytest.exit('done', returncode=0)\n")
    done = pytester.runpytest_inprocess(*GATE, KEEP)
    assert done.ret == 1
    done.stdout.fnmatch_lines(["incomplete, so not decided: 2 of 2 rules *"])
    assert not evidence(folder)
    (folder / "conftest.py").unlink()
    for listing in ("--collect-only", "--fixtures"):
        assert pytester.runpytest_inprocess(*GATE, listing).ret == 0


def test_items_that_a_conftest_throws_away_are_missed(pytester: pytest.Pytester) -> None:
    """No item, no decision."""
    folder = repo(pytester, "met")
    pytester.makeconftest("def pytest_collection_modifyitems(items):\n    items.clear()\n")
    done = pytester.runpytest_inprocess(*GATE, KEEP)
    assert done.ret == 5
    done.stdout.fnmatch_lines(["incomplete*"])
    assert not evidence(folder)


def test_the_setting_alone_runs_nothing_and_says_so(pytester: pytest.Pytester) -> None:
    """Who runs the tests has not asked for the gate, which may need a server and minutes."""
    repo(pytester, "biased")
    pytester.makeini(INI)
    pytester.makepyfile("def test_other(): pass")
    done = pytester.runpytest_inprocess()
    assert done.ret == 0
    done.assert_outcomes(passed=1)
    done.stdout.fnmatch_lines(["aims-gate: no policy is run without --aims-gate"])
    assert "policy met" not in str(done.stdout)
    options = pytester.runpytest_inprocess(*GATE[1:])
    assert options.ret == 4, "a model without a policy is no gate"
    asked = pytester.runpytest_inprocess("--aims-gate", *GATE[1:])
    assert asked.ret == 1
    assert "no policy is run" not in str(asked.stdout)


def test_policies_are_collected_only_where_they_are_asked_for(pytester: pytest.Pytester) -> None:
    """A policy beside the tests is a file like any other; named as an argument it is asked for."""
    repo(pytester, "biased")
    pytester.makepyfile("def test_other(): pass")
    silent = pytester.runpytest_inprocess()
    assert silent.ret == 0
    silent.assert_outcomes(passed=1)
    assert "aims-gate:" not in str(silent.stdout)
    assert pytester.runpytest_inprocess("policy.yaml", *GATE[1:]).ret == 1
    one = pytester.runpytest_inprocess("policy.yaml::PERF-01", *GATE[1:])
    one.assert_outcomes(passed=1)
    assert one.ret == 1


def test_a_policy_that_is_asked_for_is_found_wherever_it_lies(pytester: pytest.Pytester) -> None:
    """Also in a folder that pytest leaves out, and without a test of that folder."""
    folder = repo(pytester, "met")
    (folder / "build").mkdir()
    (folder / "policy.yaml").rename(folder / "build" / "policy.yaml")
    (folder / "build" / "test_not.py").write_text("def test_not(): assert 0", encoding="utf-8")
    pytester.makepyfile("def test_other(): pass")
    done = pytester.runpytest_inprocess("--aims-gate=build/policy.yaml", *GATE[1:])
    done.assert_outcomes(passed=3)
    assert done.ret == 0


def test_last_failed_runs_what_failed_and_decides_nothing(pytester: pytest.Pytester) -> None:
    """`--lf` works on rules; whatever it leaves out is missing."""
    repo(pytester, "biased")
    pytester.runpytest_inprocess(*GATE)
    again = pytester.runpytest_inprocess(*GATE, "--lf")
    again.assert_outcomes(failed=1)
    assert again.ret == 1
    mended = (CASES / "met" / "evaluation.csv").read_bytes()
    (pytester.path / "evaluation.csv").write_bytes(mended)
    good = pytester.runpytest_inprocess(*GATE, "--lf")
    good.assert_outcomes(passed=1)
    assert good.ret == 1
    good.stdout.fnmatch_lines(["incomplete*PERF-01"])
    assert pytester.runpytest_inprocess(*GATE).ret == 0


def test_a_test_that_changes_the_policy_undoes_the_verdict(pytester: pytest.Pytester) -> None:
    """What was required when the session began is what is decided."""
    folder = repo(pytester, "biased")
    pytester.makepyfile(
        test_a="from pathlib import Path\ndef test_a():\n"
        "    path = Path('policy.yaml')\n"
        "    path.write_text(path.read_text().replace('0.80', '0.10'))\n"
    )
    done = pytester.runpytest_inprocess("test_a.py", *GATE, KEEP)
    assert done.ret == 1
    done.assert_outcomes(passed=1, errors=2)
    done.stdout.fnmatch_lines(["*the policy changed while the tests ran*"])
    assert not evidence(folder)


def test_what_another_session_left_is_not_believed(pytester: pytest.Pytester) -> None:
    """A result in the session's folder counts with the session's own random id only."""
    repo(pytester, "biased")
    pytester.makepyfile(
        test_a="import json, pathlib\n"
        "def test_a(request):\n"
        "    s = request.config.pluginmanager.get_plugin('aims_gate_session').settings\n"
        "    folder = pathlib.Path(s.folder, '0')\n"
        "    folder.mkdir()\n"
        "    (folder / 'run.json').write_text(json.dumps({'session': 'stale', 'exit_code': 0,\n"
        "        'decision': 'passed', 'policy_digest': s.policies[0].digest}))\n"
    )
    done = pytester.runpytest_inprocess("test_a.py", *GATE)
    assert done.ret == 1
    done.assert_outcomes(passed=2, failed=1)


def test_a_run_that_was_broken_off_is_not_tried_again(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gate that a time-out ends in one test is undecided in all."""
    calls: list[object] = []

    def broken(*arguments: object) -> None:
        calls.append(arguments)
        pytest.fail("a time-out", pytrace=False)

    monkeypatch.setattr(runs, "_measured", broken)
    folder = repo(pytester, "met")
    done = pytester.runpytest_inprocess(*GATE, KEEP)
    assert done.ret == 1
    done.assert_outcomes(errors=2)
    done.stdout.fnmatch_lines(["*ended before it had decided*"])
    assert len(calls) == 1
    assert not evidence(folder)


def test_a_crash_of_the_gate_is_no_verdict(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told by its type, for a message may hold a row."""

    def crash(*_arguments: object) -> None:
        raise RuntimeError("Anna")

    monkeypatch.setattr(pipeline, "run", crash)
    folder = repo(pytester, "met")
    done = pytester.runpytest_inprocess(*GATE, KEEP, "--show-capture=no")
    assert done.ret == 1
    done.assert_outcomes(errors=2)
    done.stdout.fnmatch_lines(["undecided: the gate crashed (RuntimeError)*"])
    assert "Anna" not in str(done.stdout)
    assert not evidence(folder)


@pytest.mark.parametrize("setting", ["", INI])
def test_without_a_name_the_setting_or_the_usual_file_is_asked_for(
    setting: str, pytester: pytest.Pytester
) -> None:
    """And then a part of it fails the session, whichever it was."""
    repo(pytester, "met")
    if setting:
        pytester.makeini(setting)
    pytester.makepyfile("def test_other(): pass")
    assert pytester.runpytest_inprocess("--aims-gate", *GATE[1:]).ret == 0
    part = pytester.runpytest_inprocess("--aims-gate", *GATE[1:], "-k", "test_other")
    assert part.ret == 1
    part.stdout.fnmatch_lines(["incomplete*"])


def test_a_pack_is_no_file_of_tests(pytester: pytest.Pytester) -> None:
    """A usage error that says what to write."""
    folder = repo(pytester, "met")
    (folder / "pyproject.toml").write_text(
        '[tool.aims-gate]\npolicy = "pack:release@1.0.0"\n', encoding="utf-8"
    )
    done = pytester.runpytest_inprocess("--aims-gate", *GATE[1:])
    assert done.ret == 4
    done.stderr.fnmatch_lines(["*pack:release@1.0.0 is no file; write a policy.yaml that*"])


def test_a_forged_module_makes_local_evidence_only(pytester: pytest.Pytester) -> None:
    """Who controls the process controls what it says; unsigned, local evidence claims no more."""
    folder = repo(pytester, "biased")
    pytester.makepyfile(
        test_a="import aims_gate.pipeline as pipeline, aims_gate.judge as judge\n"
        "from aims_gate.verdict import Decision\n"
        "def test_a(monkeypatch):\n"
        "    monkeypatch.setattr(pipeline, 'decide', lambda results: Decision.PASSED)\n"
    )
    done = pytester.runpytest_inprocess("test_a.py", *GATE, KEEP)
    assert done.ret == 1  # monkeypatch is undone, and the gate refuses
    (kept,) = evidence(folder)
    assert not list(kept.glob("*.dsse.json"))
    assert '"origin": "pytest"' in (kept / "report.json").read_text(encoding="utf-8")
