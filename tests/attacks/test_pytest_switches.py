"""Ways to switch a part of the pytest plugin off while the gate is asked for."""

from __future__ import annotations

import pytest

from tests.pytest_plugin.repos import ALONE, GATE, repo

UNREGISTER = "\n    pm.unregister(name='aims_gate_session')"
LAST = "@pytest.hookimpl(trylast=True)\ndef "
MARKED = """
import pytest

@pytest.mark.aims_gate(policy="policy.yaml", model="file:model",
                       data={"evaluation": "evaluation.csv"})
def test_a(): pass
"""


@pytest.fixture(autouse=True)
def biased(pytester: pytest.Pytester) -> None:
    """A model that the policy refuses, beside a test that passes."""
    repo(pytester, "biased")
    pytester.makepyfile(test_other="def test_other(): pass")


@pytest.mark.parametrize(
    "name", ["aims_gate", "aims_gate_session", "aims_gate.pytest_plugin", "aims_gate_session,x"]
)
def test_no_part_of_the_plugin_can_be_blocked(name: str, pytester: pytest.Pytester) -> None:
    assert pytester.runpytest_inprocess(*GATE, *ALONE, "-p", f"no:{name}").ret != 0


@pytest.mark.parametrize(
    "option",
    [
        "--co",
        "--collect-only",
        "--fixtures",
        "--markers",
        "--setup-plan",
        "--setup-only",
        "-h",
        "--version",
        "-p no:aims_gate_session",
        "-k other",
        "--deselect=policy.yaml",
        "-m no",
        "--ignore=policy.yaml",
        "--maxfail=1",
        "-x",
    ],
)
@pytest.mark.parametrize("where", ["ini", "environment"])
def test_no_option_from_elsewhere_makes_a_session_pass(
    option: str, where: str, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    if where == "ini":
        pytester.makeini(f"[pytest]\naddopts = {option}\n")
    else:
        monkeypatch.setenv("PYTEST_ADDOPTS", option)
    assert pytester.runpytest_inprocess(*GATE, *ALONE).ret != 0
    assert pytester.runpytest_inprocess(*ALONE, *GATE[1:], "policy.yaml").ret != 0


@pytest.mark.parametrize(
    "hook",
    [
        f"configure(config):\n    pm = config.pluginmanager{UNREGISTER}",
        f"sessionstart(session):\n    pm = session.config.pluginmanager{UNREGISTER}",
        "cmdline_main(config):\n    return 0",
        "sessionfinish(session):\n    session.exitstatus = 0",
        "unconfigure(config):\n    pytest.exit('done', returncode=0)",
        "collection(session):\n    session.items = []\n    return True",
        "runtestloop(session):\n    return True",
    ],
)
def test_no_conftest_ends_a_session_that_decided_nothing_with_0(
    hook: str, pytester: pytest.Pytester
) -> None:
    first = "import pytest\n@pytest.hookimpl(trylast=True)\n" if "finish" in hook else ""
    pytester.makeconftest(f"{first or 'import pytest'}\ndef pytest_{hook}\n")
    assert pytester.runpytest_inprocess(*GATE, *ALONE).ret != 0


@pytest.mark.parametrize(
    "how",
    [
        f"{LAST}pytest_collection_modifyitems(items):\n    [i.add_marker(MARK) for i in items]",
        f"{LAST}pytest_runtest_setup(item):\n    item.add_marker(MARK)",
        "@pytest.fixture(autouse=True)\ndef late(request):\n    request.node.add_marker(MARK)",
    ],
)
def test_a_marker_holds_whoever_sets_it_and_when(how: str, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        "import pytest\nMARK = pytest.mark.aims_gate(policy='policy.yaml', model='file:model',\n"
        f"    data={{'evaluation': 'evaluation.csv'}})\n{how}\n"
    )
    assert pytester.runpytest_inprocess(*ALONE, "test_other.py").ret == 1


@pytest.mark.parametrize("line", ["required_plugins = aims-gate", "addopts = --strict-markers"])
def test_a_marked_test_without_the_plugin_is_an_error_as_the_docs_say(
    line: str, pytester: pytest.Pytester
) -> None:
    (pytester.path / "test_other.py").unlink()
    pytester.makepyfile(test_marked=MARKED)
    pytester.makeini(f"[pytest]\n{line}\n")
    assert pytester.runpytest_subprocess("-p", "no:aims_gate").ret != 0


def test_a_person_may_still_list(pytester: pytest.Pytester) -> None:
    for option in ("--co", "--fixtures", "--version"):
        assert pytester.runpytest_inprocess(*GATE, *ALONE, option).ret == 0


def test_no_ini_file_takes_the_place_of_data_that_the_policy_names(
    pytester: pytest.Pytester,
) -> None:
    """The checkout's own addopts are the judged party's; the command line is the caller's."""
    policy = pytester.path / "policy.yaml"
    text = policy.read_text(encoding="utf-8")
    assert "evaluation: {" in text
    named = text.replace("evaluation: {", "evaluation: {source: 'file:evaluation.csv', ", 1)
    policy.write_text(named, encoding="utf-8")
    (pytester.path / "fake.csv").write_bytes((pytester.path / "evaluation.csv").read_bytes())
    pytester.makeini("[pytest]\naddopts = --aims-gate-data=evaluation=fake.csv\n")
    result = pytester.runpytest_inprocess(*GATE[:2], *ALONE)
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*addopts of an ini file hands over others*"])
    pytester.makeini("[pytest]\n")
    typed = pytester.runpytest_inprocess(*GATE[:2], "--aims-gate-data=evaluation=fake.csv", *ALONE)
    typed.stdout.no_fnmatch_line("*addopts of an ini file*")
