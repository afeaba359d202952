"""The section of the terminal's summary: a line per rule, the decision, and what to do next."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from aims_gate.pytest_plugin.session_outcome import PolicyOutcome, PolicyStatus
from aims_gate.verdict import Outcome

_COLOURS: dict[Outcome, dict[str, bool]] = {
    Outcome.PASS: {"green": True},
    Outcome.NOT_APPLICABLE: {},
    Outcome.WARN: {"yellow": True},
    Outcome.WAIVED: {"yellow": True},
}
_BAD = {"red": True}
_LEAST = 60


def write(reporter: Any, ends: Iterable[PolicyOutcome], defaults_used: str) -> None:
    """Write a section per policy to pytest's terminal reporter."""
    for end in ends:
        reporter.write_sep("=", f"aims-gate: {end.policy.name}")
        for text in (defaults_used, *(end.run.about if end.run is not None else ())):
            _line(reporter, text)
        _write_rules(reporter, end)
        colour = {"green": True} if end.status is PolicyStatus.PASSED else _BAD
        for text in _decision(end):
            reporter.write_line(text, bold=True, **colour)
        for text in end.run.advice if end.run is not None else ():
            _line(reporter, f"  - {text}")
        if end.evidence:
            _line(reporter, f"evidence    {end.evidence}")


def write_verdicts(reporter: Any, verdicts: Iterable[tuple[str, str]]) -> None:
    """Write the verdicts of tests that run the gate themselves: (node id, words)."""
    reporter.write_sep("=", "aims-gate: verdicts in tests")
    for test, words in verdicts:
        _line(reporter, f"{test}: {words}")


def _line(reporter: Any, text: str) -> None:
    if text:
        reporter.write_line(text)


def _write_rules(reporter: Any, end: PolicyOutcome) -> None:
    rank = tuple(Outcome).index
    rulings = () if end.run is None else end.run.rulings
    width = max(reporter._tw.fullwidth, _LEAST)  # noqa: SLF001  # pytest gives it nowhere else
    outcomes = max((len(r.outcome) for r in rulings), default=0)
    rules = max((len(r.rule) for r in rulings), default=0)
    hang = " " * min(outcomes + rules + 4, width // 2)
    for ruling in sorted(rulings, key=lambda r: (not r.blocking, rank(r.outcome))):
        note = " (its test did not run, or ended otherwise)" * (ruling.rule in end.missing)
        lines = textwrap.wrap(ruling.reason + note, width - len(hang), break_on_hyphens=False)
        reporter.write(f"{ruling.outcome:<{outcomes}}", **_COLOURS.get(ruling.outcome, _BAD))
        reporter.write_line(f"  {ruling.rule:<{rules}}  {lines[0] if lines else ''}")
        for line in lines[1:]:
            reporter.write_line(hang + line)


def _decision(end: PolicyOutcome) -> Iterator[str]:
    run = end.run
    if end.status is PolicyStatus.UNSOUND:
        yield f"not run: {end.policy.name} is refused, as the errors above say"
    elif run is not None and run.error:
        yield f"undecided: {run.error}"
    elif end.status is PolicyStatus.INCOMPLETE:
        total = len(end.policy.rules)
        yield (
            f"incomplete, so not decided: {len(end.missing)} of {total} rules have no test that "
            f"ran and ended as the gate says: {', '.join(end.missing)}"
        )
    elif run is not None:
        yield run.headline
        if end.missing:
            yield f"these rules have no test that ran: {', '.join(end.missing)}"
