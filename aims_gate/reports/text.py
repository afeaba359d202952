"""Text report for a terminal: the subject, a line per rule, the verdict, what to do next."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

from aims_gate.advice import UNMET, every_cell, exceptions, in_order, next_steps, proof, question
from aims_gate.facts import POWER
from aims_gate.harmless import plain
from aims_gate.reports import (
    headline,
    outcome_word,
    ran_in,
    read_back,
    record_of,
    refuse_contradiction,
    remark,
)
from aims_gate.sentences import power_sentence
from aims_gate.verdict import Decision, Outcome, Result, Verdict

_LEAST = 60
_RULE = 32
"""Characters of a rule's id in the table; sentences give it in full."""
_GLUE = "\u00a0"
"""A blank at which no line is broken; `plain` leaves none in a text."""
_NUMBERS = re.compile(
    r"\([\d.]+ % [^ ()]+(?: to [^ ()]+)?\)|[\d.]+ %|[<>]=? -?[\d.]+|n=[\d,]+(?: of [\d,]+)?"
)
"""Intervals, shares, comparisons and counts, with the blanks inside of them."""
_RESET = "\x1b[0m"
_COLOURS = {
    Outcome.FAIL: "\x1b[31m",
    Outcome.ERROR: "\x1b[35m",
    Outcome.MISSING: "\x1b[31m",
    Outcome.STALE: "\x1b[31m",
    Outcome.INSUFFICIENT: "\x1b[33m",
    Outcome.WAIVED: "\x1b[33m",
    Outcome.WARN: "\x1b[33m",
    Outcome.PASS: "\x1b[32m",
    Outcome.NOT_APPLICABLE: "\x1b[2m",
}
_BOLD = {
    Decision.PASSED: "\x1b[1;32m",
    Decision.REFUSED: "\x1b[1;31m",
    Decision.UNDECIDED: "\x1b[1;35m",
}


def render(verdict: Verdict) -> str:
    """Write *verdict* without colour for a terminal of 100 columns."""
    return render_text(verdict, colour=False, width=100)


def render_text(verdict: Verdict, *, colour: bool, width: int) -> str:
    """Write *verdict* as text.

    Args:
        verdict: What was decided.
        colour: Whether outcomes and the verdict carry ANSI colours; nothing else ever does.
        width: Columns of the terminal; under 60 counts as 60. Only commands, which are there to
            be copied, and single words are longer than that.

    Returns:
        Lines, each ending in a newline.

    Raises:
        RecordError: The verdict contradicts itself.
    """
    refuse_contradiction(verdict)
    width = max(width, _LEAST)
    lines = [*header(verdict, width), ""]
    for result in in_order(verdict):
        lines += _rule(result, verdict, colour=colour, width=width)
    lines += ["", *_verdict(verdict, colour=colour, width=width)]
    return "".join(f"{line}\n" for line in lines)


def header(verdict: Verdict, width: int) -> Iterator[str]:
    """Subject of the verdict in lines of *width* columns: model, stage, policy, data."""
    model, policy = verdict.model, verdict.policy
    name = f"{plain(model.name)} {plain(model.version)}".strip()
    digest = f"sha256:{plain(model.digest)[:12]}" if model.digest else "no digest"
    yield from _labelled("model", f"{name} ({digest}), {plain(model.uri)}", width)
    yield from _labelled("stage", plain(verdict.stage), width)
    identity = f"{plain(policy.id)}@{plain(policy.version)}"
    yield from _labelled("policy", f"{identity} ({plain(policy.uri)})", width)
    for told in policy.limits:
        yield from _labelled("limits", plain(told), width)
    for data in verdict.datasets:
        told = f"{plain(data.name)}, {data.rows:,} rows, sha256:{plain(data.digest)[:12]}"
        told += f", {plain(data.window)}" if data.window else ""
        told += f", version {plain(data.snapshot)}" if data.snapshot else ""
        label = "joined" if data.role.endswith(".join") else plain(data.role, most=10)
        yield from _labelled(label, told, width)
        for note in data.notes:
            yield from _labelled("", plain(note), width)
    if isolation := verdict.versions.get("isolation"):
        told = f"by the model itself, which was run with isolation: {plain(isolation)}"
        told += "".join(f", {fact}" for fact in ran_in(verdict))
        yield from _labelled("predicted", told, width)


def _labelled(label: str, text: str, width: int) -> list[str]:
    return _wrapped(f"{label:<10}  ", text, width)


def _rule(result: Result, verdict: Verdict, *, colour: bool, width: int) -> list[str]:
    outcomes = max(len(outcome_word(r)) for r in verdict.results)
    rules = max(len(plain(r.rule, most=_RULE)) for r in verdict.results)
    word = outcome_word(result)
    head = f"{word:<{outcomes}}  {plain(result.rule, most=_RULE):<{rules}}  "
    if result.outcome is Outcome.PASS:
        lines = _wrapped(head, _kept_together(result), width)
    else:
        # what was left out names the line that left it out
        place = "" if result.outcome is Outcome.NOT_APPLICABLE else plain(result.place)
        told = [_kept_together(result), remark(result), place]
        lines = _wrapped(head, "; ".join(part for part in told if part), width)
    if result.outcome in UNMET:
        for note in (result.title, f"why: {result.why}" if result.why else ""):
            lines += _wrapped(" " * len(head), plain(note), width) if note else []
    if result.power is not None and result.power.chance < POWER:
        sized = plain(f"these rows: {power_sentence(result.power)}")
        lines += _wrapped(" " * len(head), sized, width)
    if colour:
        lines[0] = f"{_COLOURS[result.outcome]}{word}{_RESET}{lines[0][len(word) :]}"
    return lines


def _verdict(verdict: Verdict, *, colour: bool, width: int) -> Iterator[str]:
    doubted = verdict.decision is Decision.PASSED and not verdict.passed
    bold = _BOLD[Decision.UNDECIDED if doubted else verdict.decision]
    for line in _wrapped("", headline(verdict), width):
        yield f"{bold}{line}{_RESET}" if colour else line
    for step in next_steps(verdict):
        yield from _wrapped("  - ", step, width)
    if question(verdict):
        yield f"  - ask why: {question(verdict)}"
    for path in every_cell(verdict):
        yield from _wrapped("  - ", f"every cell: {path}", width)
    for command in exceptions(verdict):
        yield f"  - an exception: {command}"
    yield from _labelled("evidence", record_of(verdict), width)
    for label, told in read_back(verdict):
        yield from _labelled(label, told, width)
    if proof(verdict):
        yield f"{'verify':<10}  {proof(verdict)}"
    yield from _labelled("exit code", str(verdict.exit_code), width)


def _kept_together(result: Result) -> str:
    """The reason with non-breaking spaces inside names and numbers."""
    text = _NUMBERS.sub(_glued, plain(result.reason))
    names = {plain(n) for s in result.statistics for n in s.slice.split(" vs ") if " " in n}
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, name.replace(" ", _GLUE))
    return text


def _glued(found: re.Match[str]) -> str:
    return found.group().replace(" ", _GLUE)


def _wrapped(head: str, text: str, width: int) -> list[str]:
    """Wrap *text* after *head*, with the lines that follow hanging under its start."""
    hang = " " * min(len(head), width // 2)
    lines = textwrap.wrap(
        text,
        width,
        initial_indent=head,
        subsequent_indent=hang,
        break_on_hyphens=False,
        break_long_words=False,
    )
    return [line.replace(_GLUE, " ") for line in lines] or [head.rstrip()]
