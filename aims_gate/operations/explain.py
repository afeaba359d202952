"""A policy in words: what a rule measures, on which data, against what, who must prove it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from aims_gate.checks import CHECKS
from aims_gate.plan import Bar, Task
from aims_gate.policy.model import DecideOn, OnInsufficient, Policy, Role, Rule, Severity

_BURDEN = {
    DecideOn.ESTIMATE: "The point value decides; a value that meets the limit by less than its "
    "interval warns.",
    DecideOn.PROVEN_BREACH: "A breach must be proven: it fails when the value is past the limit "
    "and its interval lies past the line. Too few rows to see a serious effect are INSUFFICIENT.",
    DecideOn.PROVEN_PASS: "Meeting the limit must be proven: the bound of the interval, not the "
    "value, must meet it. Until then it is INSUFFICIENT.",
}
_SEVERITY = {
    Severity.BLOCK: "block: stands in the way of the stage",
    Severity.WARN: "warn: is shown and never refuses",
    Severity.INFO: "info: is recorded and never refuses",
}


def explain_rule(task: Task, policy: Policy) -> str:
    """Explain one rule in full sentences."""
    rule, about = task.rule, type(task.check).about
    lines = [f"{rule.id}  {rule.title or about.summary}", *_body(task, policy)]
    if rule.why:
        lines.append(f"why: {rule.why}")
    if rule.approved_by:
        lines.append(f"approved by: {rule.approved_by}")
    lines += [f"severity: {_SEVERITY[rule.severity]}", f"written at: {rule.place}"]
    head, *rest = lines
    return "\n".join([head, *(_indented(line) for line in rest)]) + "\n"


def explain_check(name: str) -> str:
    """Give the page of a check: what it measures, its parameters, and when it refuses to say."""
    import dataclasses

    import pydantic

    kind = CHECKS[name]
    about = kind.about
    lines = [name, _indented(about.summary), "", _paragraphs(about.definition), ""]
    if about.roles:
        lines.append(_indented(f"data: {', '.join(about.roles)}"))
    lines.append(_indented(f"supports: {', '.join(about.controls)}"))
    schema = pydantic.TypeAdapter(kind).json_schema()
    required = schema.get("required", [])
    lines += ["", "  parameters (with:)"]
    for parameter in dataclasses.fields(kind):  # type: ignore[arg-type]  # a dataclass
        facts = schema["properties"][parameter.name]
        stated = "required" if parameter.name in required else f"default {facts.get('default')!r}"
        described = facts.get("description", "")
        lines.append(_indented(f"{parameter.name} ({stated}) {described}".rstrip(), by=4))
    if about.undecided:
        lines += ["", "  never passes when"]
        lines += [_indented(f"- {situation}", by=4) for situation in about.undecided]
    return "\n".join(lines) + "\n"


def _body(task: Task, policy: Policy) -> Iterator[str]:
    rule, about = task.rule, type(task.check).about
    yield f"measures: {about.summary} ({rule.check})"
    if rule.parameters:
        yield "with: " + ", ".join(f"{k}={_plain(v)}" for k, v in rule.parameters.items())
    yield f"on: {_data(task.roles, policy)}"
    yield "requires: " + "; ".join(_bar(task.judged.name, bar, task.decide_on) for bar in task.bars)
    yield f"burden of proof: {task.decide_on}. {_BURDEN[task.decide_on]}"
    yield from _conditions(rule)
    yield f"too little data: {_insufficient(rule, policy)}"
    yield f"supports: {', '.join(task.controls)}"


def _bar(name: str, bar: Bar, decide_on: DecideOn) -> str:
    told = (
        f"{name.replace('_', ' ')} at {'least' if bar.higher_is_better else 'most'} {bar.limit:g}"
    )
    if decide_on is DecideOn.PROVEN_BREACH and bar.line != bar.limit:
        told += f", noticeable past {bar.line:g}"
        if bar.serious is not None:
            told += f", serious at {bar.serious:g}"
    elif bar.warn is not None:
        told += f", warns past {bar.warn:g}"
    return told


def _conditions(rule: Rule) -> Iterator[str]:
    if rule.effective_from is not None:
        yield f"takes effect: {rule.effective_from:%Y-%m-%d}; before that it warns"
    if rule.max_age_days is not None:
        yield f"data no older than: {rule.max_age_days:g} days, then STALE"
    if rule.applies_to is not None:
        models, stages = rule.applies_to.models, rule.applies_to.stages
        yield f"applies to: models {_plain(models or 'all')}, stages {_plain(stages or 'all')}"


def _insufficient(rule: Rule, policy: Policy) -> str:
    stated = rule.on_insufficient or policy.on_insufficient
    if stated is None:
        return f"blocks at {policy.stages[-1]}, warns before"
    return "blocks" if stated is OnInsufficient.BLOCK else "warns"


def _data(roles: tuple[Role, ...], policy: Policy) -> str:
    if not roles:
        return "the model and its run"
    told = []
    for role in roles:
        spec = policy.data.get(role)
        source = spec.source if spec is not None else None
        told.append(f"{role} data ({source or f'aims_gate/{role}.parquet of the run, or --data'})")
    return " against ".join(told)


def _plain(value: object) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_plain, value)) + "]"
    return str(value)


def _indented(text: str, by: int = 2) -> str:
    return textwrap.fill(
        text, 98, initial_indent=" " * by, subsequent_indent=" " * (by + 2), break_long_words=False
    )


def _paragraphs(text: str) -> str:
    return "\n".join(_indented(" ".join(part.split())) for part in text.strip().split("\n\n"))
