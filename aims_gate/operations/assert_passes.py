"""One check on frames in memory, as an assertion of a plain test."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

import pydantic

from aims_gate import canonical
from aims_gate.checks import CHECKS
from aims_gate.checks.column_roles import role_columns
from aims_gate.engines import Engines
from aims_gate.errors import MissingColumnError, PolicyError, UsageError, near
from aims_gate.harmless import plain
from aims_gate.judge import judge
from aims_gate.limits import conventional
from aims_gate.operations.run import real_world
from aims_gate.plan import build, plan
from aims_gate.policy.model import OnInsufficient, Policy, Role
from aims_gate.policy.resolve import resolve
from aims_gate.refinement import measure_finely
from aims_gate.sources.estimator import open_estimator
from aims_gate.sources.subject import Subject, Workspace
from aims_gate.verdict import Outcome, Result

_RULE = "ASSERT-01"
_SPEC = (
    *("label", "prediction", "score", "threshold", "positive", "task"),
    *("key", "weight", "time", "sensitive", "min_rows", "max_null_labels"),
)
"""Arguments that say what the columns mean."""
_LIMITS = ("at_least", "at_most", "warn_below", "warn_above")
_MET = frozenset({Outcome.PASS, Outcome.WARN})


def assert_passes(
    check: str,
    frame: object = None,
    *,
    reference: object = None,
    current: object = None,
    model: object = None,
    decide_on: str | None = None,
    **arguments: Any,
) -> Result:
    """Measure one check on frames in memory, and raise AssertionError unless it is met.

    It is measured by the native engine, judged as a blocking rule of a policy would be at the last
    stage, and kept nowhere:

        assert_passes("fairness.impact_ratio", df, label="y", prediction="yhat", by=["sex"],
                      at_least=0.8)
        assert_passes("drift.columns", reference=train, current=lately, at_most=0.25)

    Args:
        check: A check of ours, as `aims-gate policy checks` lists them.
        frame: The evaluation data: a pandas, Polars or Arrow frame, or a dict of columns; or a
            DuckDB relation, an Ibis table or a Spark frame, whose rows stay there.
        reference: The data that the current data are compared with.
        current: The data that are compared with the reference.
        model: A fitted estimator, which answers *frame* in place of its prediction and score.
        decide_on: `estimate`, `proven_breach` or `proven_pass`; the check's own if left out.
        arguments: What the columns mean (`label`, `prediction`, `score`, `threshold`, `positive`,
            `task`, `sensitive`, `weight`, `key`, `time`), what they must be (`min_rows`,
            `max_null_labels`), the limit (`at_least`, `at_most`, `warn_below`,
            `warn_above`; the conventional one if left out), and the check's own parameters.

    Returns:
        The result, PASS or WARN, with everything that was measured.

    Raises:
        AssertionError: The outcome is FAIL, INSUFFICIENT, MISSING, STALE or ERROR; in one line.
        UsageError: There is no such check or argument; PolicyError if a parameter or a limit is
            refused, as in a policy.
    """
    __tracebackhide__ = True
    _refuse_unknown(check, arguments)
    named = {Role.EVALUATION: frame, Role.REFERENCE: reference, Role.CURRENT: current}
    given = {role: data for role, data in named.items() if data is not None}
    if decide_on is not None:
        arguments["decide_on"] = decide_on
    policy = _policy(check, arguments, given)
    _refuse_no_limit(policy)
    result = _judged(policy, given, model)
    if result.outcome not in _MET:
        raise AssertionError(plain(f"{check} {result.outcome}: {result.reason}"))
    return result


def _policy(check: str, arguments: Mapping[str, object], given: Iterable[Role]) -> Policy:
    """Write the arguments as a policy and read that, so that a policy's grammar holds for them."""
    limits = {name: arguments[name] for name in _LIMITS if name in arguments}
    spec = {name: arguments[name] for name in _SPEC if name in arguments}
    own = {k: v for k, v in arguments.items() if k not in {*_LIMITS, *_SPEC, "decide_on"}}
    roles = tuple(given) or (Role.EVALUATION,)
    rule: dict[str, object] = {"id": _RULE, "check": check, "with": own, "require": limits}
    if "decide_on" in arguments:
        rule["decide_on"] = arguments["decide_on"]
    tree = {
        "apiVersion": "aims-gate/v1",
        "kind": "Policy",
        "metadata": {"id": "assertion", "version": "1.0.0"},
        "data": {str(role): spec for role in roles if spec},
        "rules": [{key: value for key, value in rule.items() if value != {}}],
    }
    try:
        text = canonical.encode(_plain(tree))
    except (ValueError, TypeError) as error:
        raise UsageError(f"{check}: an argument is no text, number or list: {error}") from error
    policy, problems = resolve(text, uri="arguments")
    if policy is None or problems:
        raise PolicyError(problems)
    return policy


def _refuse_no_limit(policy: Policy) -> None:
    """Ask for the argument; what else is wrong with the check's parameters is for `plan` to say."""
    (rule,) = policy.rules
    with suppress(pydantic.ValidationError):
        judged = build(rule.check, rule.parameters).judged()
        if rule.require is None and conventional(judged) is None:
            hint = f"give {'at_least' if judged.higher_is_better else 'at_most'}=, as a number"
            raise UsageError(f"{rule.check} has no usual limit for {judged.name}", hint=hint)


def _judged(policy: Policy, given: Mapping[Role, object], model: Any) -> Result:
    world = real_world()
    now = world.now()
    (task,) = plan(policy).sound()
    if task.engine != "native":
        hint = "put it into a policy, and run that"
        raise UsageError(f"{task.rule.check} is not measured by the native engine", hint=hint)
    for role in given:
        if task.roles and role not in task.roles:
            what = f"{task.rule.check} does not read the {role} data that were handed over"
            raise UsageError(what, hint=f"it reads: {', '.join(task.roles)}")
    with tempfile.TemporaryDirectory(prefix="aims-gate-") as private, Engines() as engines:
        workspace = Workspace(folder=Path(private), environ=world.environ)
        subject = open_estimator(model, policy=policy, given=given, workspace=workspace)
        _refuse_unheard(task.rule.check, subject)
        statistics = measure_finely(task, subject, now=now, engines=engines)
        return judge(task, statistics, now=now, insufficient=OnInsufficient.BLOCK)


def _refuse_unheard(check: str, subject: Subject) -> None:
    """Fail for a named column that no frame has, although the check might not have read it."""
    __tracebackhide__ = True
    present = {column for data in subject.data.values() for column in data.frame.columns}
    for role, data in subject.data.items():
        for column in (*role_columns(data.spec), *data.spec.sensitive):
            if column not in present:
                absent = MissingColumnError.from_columns(column, present, where=f"{role} data")
                raise AssertionError(plain(f"{check} MISSING: {absent}"))


def _refuse_unknown(check: str, arguments: Mapping[str, object]) -> None:
    if check not in CHECKS:
        raise UsageError(f"unknown check {check!r}", hint=near(check, CHECKS))
    own = [field.name for field in fields(CHECKS[check])]
    known = [*own, *_SPEC, *_LIMITS]
    for name in arguments:
        if name not in known:
            raise UsageError(f"{check} has no argument {name!r}", hint=near(name, known))


def _plain(value: Any) -> Any:
    """Write tuples as lists, and NumPy's scalars as Python's own."""
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    item = getattr(value, "item", None)
    return item() if callable(item) else value
