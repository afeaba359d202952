"""Plan: policy -> tasks. Checks are looked up, parameters typed and thresholds validated.

Nothing is read here but the policy, so that whatever is wrong with it is said before any data are
opened, all of it at once.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from functools import cache
from typing import Any

import pydantic

from aims_gate import canonical
from aims_gate.checks import CHECKS, REFUSED
from aims_gate.checks.contract import IN_MEMORY, Check, StatisticSpec
from aims_gate.checks.parameters import problems_of
from aims_gate.engines import ENGINES
from aims_gate.errors import PolicyError, Problem, near
from aims_gate.limits import (
    Bar,
    at,
    bars_of,
    baseline_problems,
    conventional,
    debt_of,
    problem,
    threshold_problems,
)
from aims_gate.policy import packs
from aims_gate.policy.adoption import adoption_problems
from aims_gate.policy.model import (
    STAGES,
    DecideOn,
    Place,
    Policy,
    Role,
    Rule,
    Severity,
    Threshold,
)
from aims_gate.policy.parents import PACK
from aims_gate.verdict import level


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A rule that is ready to be measured and judged."""

    rule: Rule
    check: Check
    judged: StatisticSpec
    threshold: Threshold
    bars: tuple[Bar, ...]
    decide_on: DecideOn
    alpha: float
    """Error rate that the rule's cells share, for what they prove together."""
    alpha_alone: float
    """Error rate of each cell's own bounds."""
    debt: tuple[Bar, ...] = ()
    """What the rule's baseline puts in the place of `bars` until it expires."""
    engine: str
    roles: tuple[Role, ...]
    controls: tuple[str, ...]
    min_rows: Mapping[Role, int] = field(default_factory=dict)
    max_age_days: Mapping[Role, float] = field(default_factory=dict)

    @property
    def late(self) -> bool:
        """Whether it looks at other rules' results, and so comes in the second pass."""
        return type(self.check).about.after == "judge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The tasks of a policy, and what is wrong with it."""

    tasks: tuple[Task, ...]
    problems: tuple[Problem, ...]

    def sound(self) -> tuple[Task, ...]:
        """The tasks; PolicyError with every problem if there is one."""
        if self.problems:
            raise PolicyError(self.problems)
        return self.tasks


def plan(policy: Policy, *, now: datetime | None = None, beside: bool = False) -> Plan:
    """Turn each rule of *policy* into a task.

    Args:
        policy: What was resolved.
        now: Finds what expired or is to come.
        beside: It is looked at and decides nothing now: a pack may then have rules that warn only,
            for policies that extend it beside what decides.
    """
    tasks: list[Task] = []
    problems = [*_unfit(policy, now)]
    if warns_only(policy) and not (beside and policy.uri.startswith(PACK)):
        place = Place(file=policy.uri, line=0)
        hint = "give at least one rule severity: block, or extend it beside a policy that decides"
        problems.append(problem(place, "no rule blocks, so the policy can refuse nothing", hint))
    for rule in policy.rules:
        try:
            tasks.append(_task(rule, policy))
        except PolicyError as error:
            problems.extend(error.problems)
    problems.extend(_second_alias(tasks))
    if policy.alpha_scope == "policy":
        tasks = _share_alpha(tasks, policy.alpha_families)
    return Plan(tasks=tuple(tasks), problems=tuple(sorted(problems)))


def unserved(
    tasks: Iterable[Task], policy: Policy, given: Mapping[Role, object]
) -> Iterator[Problem]:
    """Find what needs rows in memory, of data that stay in an engine; before any are read.

    Args:
        tasks: The policy's rules.
        policy: Names tables of its own.
        given: What the caller hands over in place of them, by role.
    """
    stated = {role: spec.table is not None for role, spec in policy.data.items()}
    stated |= {
        role: isinstance(place, str) and place.startswith("table:") for role, place in given.items()
    }
    held = {role for role, is_held in stated.items() if is_held}
    for role in sorted(held & policy.data.keys()):
        spec = policy.data[role]
        for key in ("join", "predictions") if spec.table is None else ():
            if getattr(spec, key):
                what = f"{key} of the {role} data needs rows, and these stay in their engine"
                yield problem(spec.place, what, "hand over a view of the engine, or Parquet")
    for task in tasks:
        for role in held.intersection(task.roles) if IN_MEMORY in task.judged.needs else ():
            what = (
                f"{task.rule.id}: {task.rule.check} matches rows one by one, and the {role} data "
            )
            hint = "hand over Parquet for this rule, or leave it out for data of this size"
            yield problem(task.rule.place, f"{what}stay in their engine", hint)


def build(name: str, parameters: Mapping[str, Any]) -> Check:
    """Build the check *name* from its parameters.

    UsageError if there is no such check, pydantic.ValidationError if a parameter is missing or of
    the wrong type. Unknown parameters are the caller's to refuse.
    """
    # strict JSON mode: a list may become a tuple, but "30" and true never become numbers
    return _adapter(CHECKS[name]).validate_json(canonical.encode(dict(parameters)), strict=True)


@cache
def _adapter(kind: type[Check]) -> pydantic.TypeAdapter[Check]:
    """Schema of a check's parameters, which takes milliseconds to make."""
    return pydantic.TypeAdapter(kind)


def warns_only(policy: Policy) -> bool:
    """Whether a policy has rules, and none that blocks: by itself it decides nothing."""
    return bool(policy.rules) and all(one.severity is not Severity.BLOCK for one in policy.rules)


def _unfit(policy: Policy, now: datetime | None) -> Iterator[Problem]:
    """Problems of a policy as a whole, by which it can decide nothing."""
    place = Place(file=policy.uri, line=0)
    if now is not None and policy.expires is not None and now >= policy.expires:
        what = f"the policy expired on {policy.expires:%Y-%m-%d}"
        yield problem(place, what, "its owner must review it and set a new metadata.expires")
    yield from adoption_problems(policy, now)
    levels = {level(policy.id, stage) for stage in policy.stages}
    for pack, digests in packs.digests().items():
        alike = levels & {level(pack, stage) for stage in STAGES}
        if alike and policy.source_digest not in digests:
            what = f"the id {policy.id!r} reads as the pack {pack!r}, and this is another policy"
            yield problem(place, what, "choose another metadata.id, and extend the pack")


def _task(rule: Rule, policy: Policy) -> Task:
    check = _check(rule)
    about, judged = type(check).about, check.judged()
    engine = about.engine or rule.engine or policy.engine
    read = about.roles if judged.roles is None else judged.roles
    roles = _roles(read, rule.on)
    if engine not in ENGINES:
        raise PolicyError([at(rule, "engine", f"unknown engine {engine!r}", near(engine, ENGINES))])
    decide_on = rule.decide_on or judged.decide_on
    threshold = rule.require or conventional(judged)
    found = [
        *(at(rule, f"with.{name}", what, hint) for name, what, hint in problems_of(check)),
        *_engine_problems(rule, about.engine),
        *_role_problems(rule, read),
        *threshold_problems(rule, threshold, judged, decide_on),
        *baseline_problems(rule, threshold, judged),
    ]
    if found or threshold is None:
        raise PolicyError(found)
    specs = {role: policy.data[role] for role in roles if role in policy.data}
    ages = {r: s.max_age_days for r, s in specs.items() if s.max_age_days is not None}
    if rule.max_age_days is not None:
        # a champion's answers are as old as the champion, which may have served for years
        fresh = [role for role in roles if role is not Role.CHAMPION]
        ages |= {role: min(rule.max_age_days, ages.get(role, math.inf)) for role in fresh}
    bars = tuple(bars_of(threshold, judged, rule.serious))
    return Task(
        rule=rule,
        check=check,
        judged=judged,
        threshold=threshold,
        bars=bars,
        debt=tuple(debt_of(rule, bars, judged)),
        decide_on=decide_on,
        alpha=policy.alpha,
        alpha_alone=policy.alpha,
        engine=engine,
        roles=roles,
        controls=rule.controls or about.controls,
        min_rows={role: s.min_rows for role, s in specs.items() if s.min_rows is not None},
        max_age_days=ages,
    )


def _check(rule: Rule) -> Check:
    if rule.check not in CHECKS:
        what = f"unknown check {rule.check!r}"
        hint = REFUSED.get(rule.check) or near(rule.check, CHECKS)
        raise PolicyError([at(rule, "check", what, hint)])
    known = [f.name for f in fields(CHECKS[rule.check])]
    found = [
        at(rule, f"with.{name}", f"{rule.check} has no parameter {name!r}", near(name, known))
        for name in rule.parameters
        if name not in known
    ]
    try:
        check = build(rule.check, rule.parameters)
    except pydantic.ValidationError as error:
        raise PolicyError([*found, *_parameter_problems(rule, error)]) from None
    if found:
        raise PolicyError(found)
    return check


def _parameter_problems(rule: Rule, error: pydantic.ValidationError) -> Iterator[Problem]:
    """Parameter errors, one per parameter: pydantic reports each member of a union by itself."""
    said: dict[str, list[str]] = {}
    choices: dict[str, set[str]] = {}
    for detail in error.errors(include_url=False, include_input=False):
        name = str(detail["loc"][0]) if detail["loc"] else ""
        if detail["type"] == "missing":
            what = f"{rule.check} needs the parameter {name!r}"
            yield at(rule, "with", what, f"add it under with: of {rule.id}")
        else:
            told = detail["msg"].removeprefix("Input ").lower().replace("valid array", "list")
            said.setdefault(name, []).append(told)
            choices.setdefault(name, set()).update(_choices(detail.get("ctx", {})))
    page = f"see aims-gate policy checks {rule.check}"
    for name, messages in said.items():
        what = f"parameter {name!r} {', or '.join(dict.fromkeys(messages))}"
        close = _close(rule.parameters[name], choices[name])
        if close:
            what = f"parameter {name!r} has no value {rule.parameters[name]!r}"
        yield at(rule, f"with.{name}", what, f"{close} {page}".lstrip())


def _choices(context: Mapping[str, Any]) -> list[str]:
    """Allowed words of a parameter, from pydantic's message: 'a', 'b' or 'c'."""
    return re.findall(r"'([^']*)'", str(context.get("expected", "")))


def _close(value: object, choices: Iterable[str]) -> str:
    """Hint "did you mean" for a word close to *value*; empty if none is."""
    if not isinstance(value, str):
        return ""
    plain = value.lower().replace("-", "_")
    told = near(plain, choices)
    return told if told.startswith("did you mean") else ""


def _roles(read: tuple[Role, ...], on: Role | None) -> tuple[Role, ...]:
    """Data roles that a check reads; `on:` replaces the judged one, which is the last."""
    return read if on is None else (*read[:-1], on)


def _role_problems(rule: Rule, read: tuple[Role, ...]) -> Iterator[Problem]:
    if rule.on is None:
        return
    if not read:
        yield at(rule, "on", f"{rule.check} reads no data", "leave `on` out")
    elif rule.on in read[:-1]:
        yield at(rule, "on", f"{rule.check} would hold the {rule.on} data against themselves", "")


def _engine_problems(rule: Rule, only: str) -> Iterator[Problem]:
    if only and rule.engine not in {None, only}:
        what = f"{rule.check} is measured by engine: {only} alone"
        yield at(rule, "engine", what, "leave engine out of this rule")


def _second_alias(tasks: list[Task]) -> Iterator[Problem]:
    """Refuse a second champion: there is one role for its data."""
    named = [task for task in tasks if task.judged.alias]
    for task in named:
        if task.judged.alias != named[0].judged.alias:
            what = f"{named[0].rule.id} compares with {named[0].judged.alias!r} already"
            yield at(task.rule, "with.alias", what, "one policy compares with one champion")


def _share_alpha(tasks: list[Task], families: tuple[tuple[str, ...], ...]) -> list[Task]:
    """Divide alpha by the blocking statistical rules, so that it holds for the whole policy.

    A rule that came from a parent keeps the share that it had there, whatever was added to it.
    """
    blocking = [t for t in tasks if t.judged.has_interval and t.rule.severity is Severity.BLOCK]
    counted = {task.rule.id for task in blocking}

    def shared(task: Task) -> int:
        sizes = [len(counted.intersection(ids)) for ids in families if task.rule.id in ids]
        return max(1, min(sizes, default=len(counted)))

    return [replace(task, alpha=task.alpha / shared(task)) for task in tasks]
