"""A result in the words of a failed test, and in the properties of JUnit."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from aims_gate.advice import advice
from aims_gate.harmless import plain
from aims_gate.reports import remark
from aims_gate.reports.junit import facts
from aims_gate.verdict import Result, Verdict

PREFIX = "aims_gate."
"""Of every property, beside those of other plugins."""


def failure(result: Result, verdict: Verdict) -> str:
    """Say what is wrong, where the policy says so, why it matters and what to do."""
    explain = shlex.join(["aims-gate", "explain", plain(verdict.policy.uri), plain(result.rule)])
    lines = {
        "": f"{result.rule} {result.outcome}: {result.reason}",
        "note: ": remark(result),
        "title: ": result.title,
        "why: ": result.why,
        "rule: ": result.place,
        "what to do: ": advice(result),
        "ask why: ": explain,
    }
    return "\n".join(label + plain(text) for label, text in lines.items() if text)


def properties(result: Result) -> Iterator[tuple[str, str]]:
    """JUnit properties: rule, check, outcome, controls, values, intervals, line."""
    for name, value in facts(result):
        yield PREFIX + plain(name), plain(value)
