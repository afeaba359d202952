"""Explain a policy in words: what a rule measures, on which data, its limit, who must prove it."""

from __future__ import annotations

import ast
import inspect
import json
import math
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import fields
from itertools import pairwise
from typing import Any

import pydantic

from aims_gate.advice import family_of
from aims_gate.checks import CHECKS
from aims_gate.checks.contract import Check, StatisticSpec
from aims_gate.limits import Bar, bars_of, conventional
from aims_gate.plan import Task, build
from aims_gate.policy.model import DecideOn, OnInsufficient, Policy, Role, Rule, Severity
from aims_gate.sentences import display

_BURDEN = {
    DecideOn.ESTIMATE: "The point value decides; a value that meets the limit by less than its "
    "interval warns.",
    DecideOn.PROVEN_BREACH: "A breach must be proven: it fails when the value is past the limit "
    "and its interval lies past the line. Too few rows to see a serious effect are INSUFFICIENT.",
    DecideOn.PROVEN_PASS: "Meeting the limit must be proven: the bound of the interval, not the "
    "value, must meet it. A value that misses the limit fails; one that is not proven is "
    "INSUFFICIENT.",
}
_SEVERITY = {
    Severity.BLOCK: "block: stands in the way of the stage",
    Severity.WARN: "warn: is shown and never refuses",
    Severity.INFO: "info: is recorded and never refuses",
}


def explain_rule(task: Task, policy: Policy) -> str:
    """Explain one rule in full sentences."""
    rule = task.rule
    lines = [f"{rule.id}  {rule.title or rule.check}", *_body(task, policy)]
    asks = f"none is written in the policy; the check asks: {type(task.check).about.summary}"
    lines.append(f"why: {rule.why or asks}")
    if rule.approved_by:
        lines.append(f"approved by: {rule.approved_by}")
    lines += [f"severity: {_SEVERITY[rule.severity]}", f"written at: {rule.place}"]
    head, *rest = lines
    return "\n".join([head, *(indented(line) for line in rest)]) + "\n"


def explain_check(name: str) -> str:
    """Reference page of a check: what it measures, its parameters, and when it has no value."""
    kind = CHECKS[name]
    about = kind.about
    lines = [name, indented(about.summary), "", _paragraphs(about.definition), ""]
    judged = judged_of(name)
    lines += [indented(line) for line in _judged(judged)]
    roles = judged.roles if judged is not None and judged.roles is not None else about.roles
    if roles:
        *compared, own = roles
        lines.append(indented(", against ".join([f"data: {own}, or as on: says", *compared])))
    lines.append(indented(f"supports: {', '.join(about.controls)}"))
    lines += ["", "  parameters (with:)", *_parameters(kind)]
    if about.undecided:
        lines += ["", "  never passes when"]
        lines += [indented(f"- {situation}", by=4) for situation in about.undecided]
    return "\n".join(lines) + "\n"


def judged_of(name: str) -> StatisticSpec | None:
    """Judged statistic of a check with default parameters; None where a parameter has none."""
    try:
        return build(name, {}).judged()
    except pydantic.ValidationError:
        return None


def customary(judged: StatisticSpec) -> str:
    """Say what a rule requires that has no `require`; empty if it must state it."""
    threshold = conventional(judged)
    if threshold is None:
        return ""
    bars = bars_of(threshold, judged, None)
    return "; ".join(_bar(judged.name, bar, judged.decide_on) for bar in bars)


def _judged(judged: StatisticSpec | None) -> Iterator[str]:
    """Describe the judged statistic and its customary limit."""
    if judged is None:
        yield "judged: as the required parameters say"
        return
    better = {True: "higher is better", False: "lower is better", None: "neither end is better"}
    unit = f" {judged.unit}" if judged.unit and judged.unit not in judged.name else ""
    ends = f"in {span(judged)}{unit}"
    yield f"judged: {display(judged.name)}, {ends}; {better[judged.higher_is_better]}"
    yield f"without require: {customary(judged) or 'refused, the rule must state a limit'}"
    bare = "The value decides: it has no interval."
    proof = _BURDEN[judged.decide_on] if judged.has_interval else bare
    yield f"burden of proof: {judged.decide_on}. {proof}"


def span(judged: StatisticSpec) -> str:
    """Write what a judged statistic can be: `[0, 1]`, `[0, inf)`."""
    low = "(-inf" if judged.low == -math.inf else f"[{judged.low:g}"
    return f"{low}, {'inf)' if judged.high == math.inf else f'{judged.high:g}]'}"


def _parameters(kind: type[Check]) -> Iterator[str]:
    """Describe each parameter: its choices, its default, and the docstring below its field."""
    schema = pydantic.TypeAdapter(kind).json_schema()
    told = {name: text for base in reversed(kind.__mro__) for name, text in _told(base)}
    for name in (parameter.name for parameter in fields(kind)):
        facts = schema["properties"][name]
        required = name in schema.get("required", [])
        parts = ["required" if required else f"default {_shown(facts.get('default'))}"]
        choices = _choices(facts)
        parts += [f"of {', '.join(map(_shown, choices))}"] if choices else []
        yield indented(f"{name} ({'; '.join(parts)}) {told.get(name, '')}".rstrip(), by=4)


def _choices(facts: Mapping[str, Any]) -> list[object]:
    """Allowed values of a parameter, or of each of its items (a JSON Schema enum)."""
    kinds = [facts, facts.get("items", {}), *facts.get("anyOf", [])]
    return [choice for kind in kinds for choice in kind.get("enum", [])]


def _told(kind: type) -> Iterator[tuple[str, str]]:
    """Attribute docstrings: fields of a class with the text below, which Python does not keep."""
    if kind.__module__ == "builtins":
        return
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    for field, after in pairwise(getattr(tree, "body", [])):
        named = isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if named and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            yield field.target.id, " ".join(str(after.value.value).split())


def _shown(value: object) -> str:
    """Write a value as a policy does."""
    return "none given" if value in ("", None) else json.dumps(value).replace('"', "")


def _body(task: Task, policy: Policy) -> Iterator[str]:
    rule, about = task.rule, type(task.check).about
    yield f"measures: {about.summary} ({rule.check})"
    if rule.parameters:
        yield "with: " + ", ".join(f"{k}={_plain(v)}" for k, v in rule.parameters.items())
    yield f"on: {_data(task, policy)}"
    yield f"requires: {required(task)}"
    yield f"burden of proof: {task.decide_on}. {_BURDEN[task.decide_on]}"
    yield from _engine(task)
    yield from _conditions(rule)
    yield f"too little data: {_insufficient(rule, policy)}"
    yield f"supports: {', '.join(task.controls)}"


def required(task: Task) -> str:
    """Say a rule's limits in words, with their lines."""
    return "; ".join(_bar(task.judged.name, bar, task.decide_on) for bar in task.bars)


def _bar(name: str, bar: Bar, decide_on: DecideOn) -> str:
    told = f"{display(name)} at {'least' if bar.higher_is_better else 'most'} {bar.limit:g}"
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
    if rule.baseline is not None:
        debt = rule.baseline
        yield f"known debt: {debt.value:g} still warns until {debt.expires:%Y-%m-%d} ({debt.owner})"
    if rule.max_age_days is not None:
        yield f"data no older than: {rule.max_age_days:g} days, then STALE"
    if rule.applies_to is not None:
        models, stages = rule.applies_to.models, rule.applies_to.stages
        yield f"applies to: models {_plain(models or 'all')}, stages {_plain(stages or 'all')}"


def _engine(task: Task) -> Iterator[str]:
    asked = type(task.check).about.asks
    if asked and task.engine != "native":
        told = (
            f"{asked} must agree with our value" if task.engine == "both" else f"{asked} gives it"
        )
        yield f"engine: {task.engine}: {told}"


def _insufficient(rule: Rule, policy: Policy) -> str:
    stated = rule.on_insufficient or policy.on_insufficient
    if stated is None:
        return f"blocks at {policy.stages[-1]}, warns before"
    return "blocks" if stated is OnInsufficient.BLOCK else "warns"


def _data(task: Task, policy: Policy) -> str:
    roles, about = task.roles, type(task.check).about
    if not roles:
        beside = about.beside or family_of(about.name) == "records"
        found = "what lies beside the policy" if beside else "the model and its run"
        return f"{found}, and how the other rules ended" if about.after else found
    told = []
    for role in reversed(roles):  # what is judged stands last
        spec = policy.data.get(role)
        source = None if spec is None else spec.source
        if spec is not None and spec.table is not None:
            source = f"table {spec.table} of the connection {spec.connection}"
        usual = f"aims_gate/{role}.parquet of the run, or --data"
        if role is Role.CHAMPION:
            usual = "what the run behind the alias logged, or --data"
        told.append(f"{role} data ({source or usual})")
    return " against ".join(told)


def _plain(value: object) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_plain, value)) + "]"
    return str(value)


def indented(text: str, by: int = 2) -> str:
    """Wrap a line for a terminal, with the lines that follow hanging under it."""
    return textwrap.fill(
        text, 98, initial_indent=" " * by, subsequent_indent=" " * (by + 2), break_long_words=False
    )


def _paragraphs(text: str) -> str:
    return "\n".join(indented(" ".join(part.split())) for part in text.strip().split("\n\n"))
