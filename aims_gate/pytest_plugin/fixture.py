"""The fixture `aims_gate` and the marker, by which a test runs the gate itself."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import aims_gate
from aims_gate.advice import in_order
from aims_gate.errors import GateError, UsageError, near
from aims_gate.harmless import plain
from aims_gate.pytest_plugin.messages import PREFIX
from aims_gate.pytest_plugin.runs import quiet
from aims_gate.reports import headline
from aims_gate.verdict import Result, Verdict

VERDICT = f"{PREFIX}verdict"
_MARKER = ("policy", "model", "data", "stage")


class Gate:
    """The functions of `aims_gate`, whose verdicts go into the report of the test."""

    def __init__(self, node: pytest.Item) -> None:
        self._node = node

    def run(self, *arguments: Any, **options: Any) -> Verdict:
        """Evaluate a model against a policy: `aims_gate.run`."""
        with quiet():
            verdict: Verdict = aims_gate.run(*arguments, **options)
        record(self._node, verdict)
        return verdict

    def assert_passes(self, *arguments: Any, **options: Any) -> Result:
        """Assert one check on frames: `aims_gate.assert_passes`."""
        __tracebackhide__ = True
        with quiet():
            return aims_gate.assert_passes(*arguments, **options)

    def __getattr__(self, name: str) -> Any:
        """Every other name of the module `aims_gate`."""
        return getattr(aims_gate, name)


def record(node: pytest.Item, verdict: Verdict) -> None:
    """Store a verdict in the properties of a test, which JUnit and the summary show."""
    name = plain(f"{verdict.policy.id}@{verdict.policy.version}")
    node.user_properties.append((VERDICT, f"{name}: {headline(verdict)}"))
    node.user_properties += [
        (f"{PREFIX}{plain(r.rule)}", f"{r.outcome}: {plain(r.reason)}") for r in verdict.results
    ]


def hold(item: pytest.Item) -> None:
    """Fail a test that carries the marker unless each of its policies is met."""
    __tracebackhide__ = True
    for marker in item.iter_markers("aims_gate"):
        verdict, wrong = None, ""
        try:
            verdict = _asked(item, marker)
        except GateError as error:
            wrong = f"aims-gate: {error}"
        if verdict is None:  # outside of the handler: pytest would print the cause as well
            pytest.fail(wrong, pytrace=False)
        record(item, verdict)
        if not verdict.passed:
            pytest.fail(_told(verdict), pytrace=False)


def _asked(item: pytest.Item, marker: pytest.Mark) -> Verdict:
    options: Mapping[str, Any] = marker.kwargs
    for name in options:
        if name not in _MARKER:
            raise UsageError(f"the marker aims_gate has no {name!r}", hint=near(name, _MARKER))
    if marker.args or not {"policy", "model"} <= options.keys():
        hint = "write @pytest.mark.aims_gate(policy=…, model=…, data={…})"
        raise UsageError("the marker aims_gate needs policy= and model=", hint=hint)
    policy = Path(options["policy"])
    known = item.session.stash.setdefault(_KNOWN, {})
    key = tuple(id(options.get(name)) for name in _MARKER)
    if key not in known:
        with quiet(), contextlib.chdir(item.config.rootpath):
            verdict = aims_gate.run(
                policy, options["model"], data=options.get("data"), stage=options.get("stage")
            )
        # what is named is kept, so that no other object takes its id
        known[key] = (verdict, dict(options))
    found: Verdict = known[key][0]
    return found


_KNOWN: pytest.StashKey[dict[tuple[int, ...], tuple[Verdict, dict[str, Any]]]] = pytest.StashKey()


def _told(verdict: Verdict) -> str:
    against = [r for r in in_order(verdict) if r.blocking]
    lines = [f"{plain(r.rule)} {r.outcome}: {plain(r.reason)}; {plain(r.place)}" for r in against]
    return "\n".join([headline(verdict), *lines])
