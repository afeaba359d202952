"""Session hooks of pytest, in the main process and in each worker of pytest-xdist."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from _aims_gate_pytestplugin import DECIDED
from aims_gate.errors import GateError
from aims_gate.pytest_plugin import summary
from aims_gate.pytest_plugin.items import PolicyFile, RuleItem, place
from aims_gate.pytest_plugin.runs import Runs
from aims_gate.pytest_plugin.session_outcome import PolicyOutcome, PolicyStatus, Seen, all_outcomes
from aims_gate.pytest_plugin.settings import Settings, from_json, settings_of, to_json

_INPUT = "aims_gate"
"""What a worker of pytest-xdist is handed: the settings, so that all agree on them."""


@dataclass(kw_only=True, eq=False)
class Session:
    """Collects policies, and in the main process decides what they came to."""

    settings: Settings
    runs: Runs
    arguments: frozenset[str]
    """Paths that pytest itself collects from."""
    main: bool
    """Whether this is the process that people call, and not a worker."""
    seen: Seen = field(default_factory=Seen)
    ends: tuple[PolicyOutcome, ...] = ()
    begun: bool = False

    def pytest_report_header(self) -> list[str]:
        """Header line: which policies the session decides."""
        names = ", ".join(policy.name for policy in self.settings.policies)
        return [f"aims-gate: {names}"] if names else []

    def pytest_collect_file(
        self, file_path: Path, parent: pytest.Collector
    ) -> pytest.Collector | None:
        """Collect a policy that is an argument, whole or by some of its rules."""
        for policy in self.settings.policies:
            if policy.path == str(file_path) and policy.path in self.arguments:
                return PolicyFile.of(parent, file_path, policy, self.runs)
        return None

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, items: list[pytest.Item]
    ) -> None:
        """Add the rules of the other policies, before anything is deselected.

        They are no arguments of pytest: version 8 forgets a folder beside a file that it holds.
        """
        for policy in self.settings.policies:
            if policy.path not in self.arguments:
                collector = PolicyFile.of(session, Path(policy.path), policy, self.runs)
                items += session.genitems(collector)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Iterator[None]:
        """Attach the line of a rule to its report."""
        outcome: Any = yield
        if isinstance(item, RuleItem):
            place(item, call, outcome.get_result())

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Hand the settings to a worker of pytest-xdist."""
        node.workerinput[_INPUT] = to_json(self.settings)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_collection(self, session: pytest.Session) -> Iterator[None]:
        """Note that tests are to be run, and not only listed.

        What ends the session after this, `pytest.exit` with a code of its own too, decides nothing.
        """
        self.begun = not session.config.getoption("collectonly")
        yield

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note how the test of a rule ended, here or on a worker."""
        self.seen.take(report)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Decide, keep evidence, and let no session pass whose policies did not."""
        if not (self.main and self.begun):
            return
        self.ends = tuple(all_outcomes(self.runs, self.seen))
        codes = {end.status.exit_code for end in self.ends} - {0}
        setattr(session.config, DECIDED, max(codes, default=0))
        only_ours = session.testsfailed <= self.seen.failed
        status = int(session.exitstatus)
        if codes and (status == 0 or (status == 1 and only_ours)):
            session.exitstatus = max(codes)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Write a section per policy."""
        summary.write(terminalreporter, self.ends, self.settings.defaults_used)

    def pytest_unconfigure(self) -> None:
        """Remove the session's folder."""
        if self.main:
            shutil.rmtree(self.settings.folder, ignore_errors=True)


def begin(config: pytest.Config) -> Session | None:
    """Create the session's hooks; None if it has no policy to decide.

    UsageError of pytest if an option is wrong.
    """
    settings = _settings(config)
    if settings is None:
        return None
    words = (argument.partition("::")[0] for argument in config.args)
    return Session(
        settings=settings,
        runs=Runs(settings),
        arguments=frozenset(os.path.abspath(Path(settings.start, word)) for word in words),  # noqa: PTH100  # links stay
        main=not hasattr(config, "workerinput"),
    )


def _settings(config: pytest.Config) -> Settings | None:
    handed = getattr(config, "workerinput", None)
    if handed is not None:
        return from_json(handed[_INPUT]) if _INPUT in handed else None
    folder = tempfile.mkdtemp(prefix="aims-gate-pytest-")
    try:
        settings = settings_of(config, session=secrets.token_hex(16), folder=folder)
    except GateError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise pytest.UsageError(f"aims-gate: {error}") from None
    if settings.policies:
        return settings
    shutil.rmtree(folder, ignore_errors=True)
    return None


__all__ = ["Session", "PolicyStatus", "begin"]
