"""What pytest loads wherever aims-gate is installed: options, a marker and a fixture.

It stands beside the package and imports nothing of it, so that a repository that does not use the
gate pays for a few lines only. The rest is `aims_gate.pytest_plugin`, loaded when one is used.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

import pytest

_PLUGIN = "aims_gate.pytest_plugin"
_POLICY = "policy.yaml"
DECIDED = "_aims_gate_decided"
"""The attribute of pytest's configuration that holds the least exit code of a decided session."""
_LISTING = frozenset(
    (
        *("--co", "--collect-only", "--fixtures", "--funcargs", "--fixtures-per-test"),
        *("--markers", "--cache-show", "--help", "-h", "--version", "-V"),
    )
)
"""Options that list, and run nothing."""
_OPTIONS = ("aims_gate", "aims_gate_model", "aims_gate_data", "aims_gate_evidence")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and the setting."""
    group = parser.getgroup("aims-gate", "aims-gate: a policy's rules as tests")
    group.addoption(
        "--aims-gate",
        action="append",
        nargs="?",
        const="",
        metavar="POLICY",
        help="Run each rule of a policy as a test: a file, or a folder that is searched for "
        "policy.yaml and *.policy.yaml. Without a value: the policy of the setting, of "
        "[tool.aims-gate], or policy.yaml. Repeatable.",
    )
    group.addoption(
        "--aims-gate-model",
        metavar="URI",
        help="The model: models:/NAME/VERSION, runs:/ID, file:DIR and so on, as for aims-gate run.",
    )
    group.addoption(
        "--aims-gate-data",
        action="append",
        metavar="ROLE=URI",
        help="Data of a role; wins over the policy. Repeatable.",
    )
    group.addoption(
        "--aims-gate-stage",
        metavar="STAGE",
        help="The stage to decide for; the policy's last if left out.",
    )
    group.addoption(
        "--aims-gate-evidence",
        metavar="DIR",
        help="Keep evidence of whole verdicts below DIR: unsigned and local, so it never verifies.",
    )
    parser.addini(
        "aims_gate_policy",
        "Policy files, or folders of them, that --aims-gate without a value runs.",
        type="paths",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Describe the marker, and load the rest if a policy is asked for."""
    config.addinivalue_line(
        "markers",
        "aims_gate(policy, model, data, stage): the test runs only if the policy is met; "
        "rules of policies carry the marker too.",
    )
    asked = any(config.getoption(name) is not None for name in (*_OPTIONS, "aims_gate_stage"))
    if asked or any(map(_is_policy, config.args)):
        _loaded(config)


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say that what the setting names is not run, where the command line does not ask for it."""
    named = config.getini("aims_gate_policy") and not config.pluginmanager.has_plugin(_PLUGIN)
    return "aims-gate: no policy is run without --aims-gate" if named else None


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> Iterator[None]:
    """Let no session pass that was asked for the gate and decided nothing, whatever ended it.

    Only the command line itself may list in its place: what pytest.ini, PYTEST_ADDOPTS, a blocked
    plugin or a conftest.py adds is no verdict.
    """
    outcome: Any = yield
    words = [str(word) for word in config.invocation_params.args]
    # after `-h` pytest reads no further option
    named = any(word.partition("=")[0] == "--aims-gate" or _is_policy(word) for word in words)
    asked = named or config.getoption("aims_gate", None) is not None
    listed = _LISTING.intersection(words)
    if outcome.excinfo is None and asked and not listed and not hasattr(config, "workerinput"):
        decided: int = getattr(config, DECIDED, 4)
        if outcome.get_result() == 0 and decided != 0:
            if decided == 4:
                sys.stderr.write("ERROR: --aims-gate was asked for, and nothing was decided\n")
            outcome.force_result(decided)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Have the policies of a marker met before its test runs, whoever set it and when."""
    if item.get_closest_marker("aims_gate"):
        _loaded(item.config).hold_marked(item)


def pytest_collection_modifyitems(config: pytest.Config, items: Sequence[pytest.Item]) -> None:
    """Load the rest if a test carries the marker."""
    if any(item.get_closest_marker("aims_gate") for item in items):
        _loaded(config)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Load the rest if a worker of pytest-xdist reports a verdict that it knows nothing of."""
    if not config.pluginmanager.has_plugin(_PLUGIN) and _has_verdict(terminalreporter.stats):
        _loaded(config).verdicts_of_tests(terminalreporter)


@pytest.fixture
def aims_gate(request: pytest.FixtureRequest) -> Any:
    """The functions of aims-gate, such as `run` and `assert_passes`.

    Verdicts go into the terminal's summary and into the properties of JUnit.
    """
    return _loaded(request.config).Gate(request.node)


def _is_policy(argument: str) -> bool:
    name = argument.partition("::")[0].replace("\\", "/").rpartition("/")[2]
    return name == _POLICY or name.endswith(f".{_POLICY}")


def _has_verdict(stats: dict[str, list[Any]]) -> bool:
    reports = (report for found in stats.values() for report in found)
    properties = (getattr(report, "user_properties", ()) for report in reports)
    return any(name == "aims_gate.verdict" for found in properties for name, _value in found)


def _loaded(config: pytest.Config) -> Any:
    manager = config.pluginmanager
    if manager.is_blocked(_PLUGIN):
        raise pytest.UsageError(f"aims-gate is used here, and -p no:{_PLUGIN} blocks it")
    if not manager.has_plugin(_PLUGIN):
        # no import_plugin: it warns, or fails with -W error, where the package is loaded already
        try:
            plugin = import_module(_PLUGIN)
        except ModuleNotFoundError as error:
            line = "pip install 'aims-gate[pytest]'"
            what = f"aims-gate in pytest needs {error.name}, which is not installed; {line}"
            raise pytest.UsageError(what) from None
        manager.register(plugin, _PLUGIN)
    return manager.get_plugin(_PLUGIN)
