"""What became of other rules, for the checks of the second pass."""

from __future__ import annotations

from collections.abc import Iterable

from aims_gate.verdict import Outcome, Result

_MET = frozenset({Outcome.PASS, Outcome.WARN})
_MEASURED = _MET | {Outcome.FAIL, Outcome.INSUFFICIENT}


def of_rule(rule: str, results: Iterable[Result]) -> Result | None:
    """The result of a rule of the first pass; None where this policy has none of that name."""
    return next((one for one in results if one.rule == rule), None)


def not_met(result: Result) -> str:
    """Why a rule did not pass by itself; empty where it did, a warning line passed included.

    A waiver, a baseline and a later `effective_from` let a rule through: none of them makes it met.
    """
    if result.waiver is not None:
        return f"{result.rule} is waived by {result.waiver}"
    if result.raw_outcome in _MET and result.outcome in _MET:
        return ""
    softened = f", let through as {result.outcome}" if result.outcome != result.raw_outcome else ""
    return f"{result.rule} ended {result.raw_outcome}{softened}"


def measured(result: Result) -> bool:
    """Whether a rule measured a value in this run, whatever became of it."""
    return result.raw_outcome in _MEASURED
