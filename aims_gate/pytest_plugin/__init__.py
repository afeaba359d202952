"""Pytest plugin: policies as tests, a fixture and a marker.

`_aims_gate_pytestplugin` loads this plugin when one of them is used. A policy's decision is the
gate's own, and it counts only if each required rule has a test that ran and ended as the gate says:
no selection, no skip, no crash and no second attempt makes a verdict.
"""

from __future__ import annotations

from typing import Any

import pytest

from aims_gate.pytest_plugin.fixture import VERDICT, Gate, hold
from aims_gate.pytest_plugin.items import RuleItem
from aims_gate.pytest_plugin.session import begin
from aims_gate.pytest_plugin.summary import write_verdicts

__all__ = ["Gate", "hold_marked", "verdicts_of_tests"]

_SESSION = "aims_gate_session"


def pytest_configure(config: pytest.Config) -> None:
    """Begin a session with policies, if there are any."""
    if config.pluginmanager.is_blocked(_SESSION):
        raise pytest.UsageError(f"aims-gate is used here, and -p no:{_SESSION} blocks it")
    session = begin(config)
    if session is not None:
        config.pluginmanager.register(session, _SESSION)


def hold_marked(item: pytest.Item) -> None:
    """Fail a marked test before it runs unless its policies are met, whatever kind it is."""
    if not isinstance(item, RuleItem):
        hold(item)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Show the verdicts of tests in the terminal summary."""
    verdicts_of_tests(terminalreporter)


def verdicts_of_tests(terminalreporter: Any) -> None:
    """Show each verdict that a report of this session carries, whichever process made it."""
    reports = (report for found in terminalreporter.stats.values() for report in found)
    found = {
        (report.nodeid, value): None
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == VERDICT
    }
    if found:
        write_verdicts(terminalreporter, found)
