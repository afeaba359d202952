"""Semantic validation of a merged policy: constraints between keys, beyond the grammar.

`plan` validates whether a check exists and takes these parameters and this threshold.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import combinations
from typing import Any

from aims_gate.documents.store_uris import parse_place, permitted
from aims_gate.errors import Problem, near
from aims_gate.policy.grammar import AppliesText, DataText, RequireText, RuleText
from aims_gate.policy.model import Role
from aims_gate.policy.read import Stated
from aims_gate.policy.scalars import STORES

_LIMITS = ("at_least", "at_most", "between")
_STORES = tuple(f"{scheme}:" for scheme in STORES)
_ROLES = tuple(role.value for role in Role)
_NOT_BESIDE_A_TABLE = {
    "source": "name the data once",
    "join": "join in a view of the engine, and name the view",
    "predictions": "write the model's answers into the table, and name their column",
    "nulls": "a table has null itself",
}
_DATA_KEYS = frozenset(
    {"data"}
    | {f"data.{role}" for role in _ROLES}
    | {f"data.{role}.{key}" for role in _ROLES for key in DataText.model_fields}
)
_FIXED = frozenset({"id", "overridable"})
"""Keys of a rule that no parent can give away."""


def head_problems(head: Stated, stages: Sequence[str]) -> Iterator[Problem]:
    """Find what is wrong with everything but rules and tests."""
    yield from _stage_problems("", "applies_to.stages", head, stages)
    yield from _overridable_problems("", head, _DATA_KEYS)
    for role in _ROLES:
        yield from _column_problems(f"data.{role}", head)
        yield from _source_problems(f"data.{role}", head)
        yield from _table_problems(f"data.{role}", head)


def family_problems(head: Stated, rules: AbstractSet[str]) -> Iterator[Problem]:
    """Find what is wrong with the rules that share an alpha, given the ids of all *rules*."""
    families = head.values.get("alpha_families", ())
    for unknown in sorted({name for ids in families for name in ids} - rules):
        what = f"alpha_families names the unknown rule {unknown!r}"
        yield _problem(head, "alpha_families", what, near(unknown, rules))
    if families and head.values.get("alpha_scope") != "policy":
        what = "alpha_families means nothing without alpha_scope: policy"
        yield _problem(head, "alpha_families", what, "leave it out")


def waiver_problems(head: Stated, rules: AbstractSet[str]) -> Iterator[Problem]:
    """Find rules that may not be waived and are none, given the ids of all *rules*."""
    for unknown in sorted(set(head.values.get("waivers.not_waivable", ())) - rules):
        what = f"waivers.not_waivable names the unknown rule {unknown!r}"
        yield _problem(head, "waivers.not_waivable", what, near(unknown, rules))
    needed, approvers = (head.values.get(f"waivers.{key}") for key in ("approvals", "approvers"))
    if needed and approvers and needed > len(approvers):
        what = f"waivers.approvals asks for {needed} of {len(approvers)} approvers"
        yield _problem(head, "waivers.approvals", what, "name more, or ask for fewer")


def rule_problems(name: str, rule: Stated, stages: Sequence[str]) -> Iterator[Problem]:
    """Find what is wrong with one merged rule."""
    if "check" not in rule.values:
        hint = "add it; only a rule that a parent has too may leave it out"
        yield _problem(rule, "", f"{name} lacks 'check'", hint)
    yield from _stage_problems(f"{name}: ", "applies_to.stages", rule, stages)
    yield from _require_problems(name, rule)
    yield from _overridable_problems(f"{name}: ", rule, overridable_keys())


def test_problems(
    test: Stated, rules: AbstractSet[str], stages: Sequence[str]
) -> Iterator[Problem]:
    """Find what is wrong with one test, given the ids of all *rules*."""
    name = f"test {test.values['name']!r}"
    for section in ("given", "expect"):
        for rule in test.values.get(section, {}):
            if rule not in rules and (section, rule) != ("expect", "verdict"):
                what = f"{name}: {section} names the unknown rule {rule!r}"
                yield _problem(test, f"{section}.{rule}", what, near(rule, rules))
    stage = test.values.get("stage")
    if stage is not None and stage not in stages:
        yield _problem(test, "stage", f"{name}: unknown stage {stage!r}", near(stage, stages))
    for rule, cells in test.values.get("given", {}).items():
        for index, cell in enumerate(cells):
            if "low" in cell and "high" in cell and cell["low"] > cell["high"]:
                what = f"{name}: low is above high"
                yield _problem(test, f"given.{rule}.{index}", what, "")


def overridable_keys() -> frozenset[str]:
    """List the keys that a rule may give away, `with.PARAMETER` aside."""
    top = {info.alias or name for name, info in RuleText.model_fields.items()}
    inner = {f"require.{name}" for name in RequireText.model_fields}
    scope = {f"applies_to.{name}" for name in AppliesText.model_fields}
    return frozenset((top | inner | scope) - _FIXED)


def _overridable_problems(
    prefix: str, stated: Stated, known: AbstractSet[str]
) -> Iterator[Problem]:
    for entry in stated.values.get("overridable", ()):
        if entry not in known and not (prefix and entry.startswith("with.")):
            of = "a rule" if prefix else "data"
            what = f"{prefix}overridable names {entry!r}, which is no key of {of}"
            yield _problem(stated, "overridable", what, near(entry, known))


def _require_problems(name: str, rule: Stated) -> Iterator[Problem]:
    keys = {k.partition(".")[2]: v for k, v in rule.values.items() if k.startswith("require.")}
    limits = [key for key in _LIMITS if key in keys]
    if "require" in rule.values or (keys and not limits):
        hint = f"state {', '.join(_LIMITS[:2])} or {_LIMITS[2]}"
        yield _problem(rule, "require", f"{name}: require has no limit", hint)
    elif len(limits) > 1:
        what = f"{name}: require has both {limits[0]} and {limits[1]}"
        yield _problem(rule, f"require.{limits[1]}", what, "use between for two limits")
    else:
        yield from _warn_problems(name, rule, _bounds(keys), keys)


def _bounds(keys: Mapping[str, Any]) -> tuple[float | None, float | None]:
    low, high = keys.get("between", (None, None))
    return keys.get("at_least", low), keys.get("at_most", high)


def _warn_problems(
    name: str,
    rule: Stated,
    bounds: tuple[float | None, float | None],
    keys: Mapping[str, float],
) -> Iterator[Problem]:
    low, high = bounds
    for key, limit, side, other, past in (
        ("warn_below", low, "at or above", "at_least", operator.lt),
        ("warn_above", high, "at or below", "at_most", operator.gt),
    ):
        if key not in keys:
            continue
        line = keys[key]
        if limit is None:
            what = f"{name}: {key} needs {other} or between"
            yield _problem(rule, f"require.{key}", what, "")
        elif past(line, limit):
            what = f"{name}: {key} {line:g} must be {side} the limit {limit:g}"
            yield _problem(rule, f"require.{key}", what, "a warning comes before the limit")
    if "warn_below" in keys and "warn_above" in keys and keys["warn_below"] > keys["warn_above"]:
        what = f"{name}: warn_below and warn_above leave no value without a warning"
        yield _problem(rule, "require.warn_below", what, "")


def _stage_problems(
    prefix: str, key: str, stated: Stated, stages: Sequence[str]
) -> Iterator[Problem]:
    for stage in stated.values.get(key, ()):
        if stage not in stages:
            what = f"{prefix}{key} names the unknown stage {stage!r}"
            yield _problem(stated, key, what, near(stage, stages))


def _column_problems(role: str, head: Stated) -> Iterator[Problem]:
    """Refuse a label that is also the prediction: every model would pass."""
    columns: dict[str, tuple[str, ...]] = {}
    for key in ("label", "prediction", "score", "weight"):
        value = head.values.get(f"{role}.{key}")
        if value is not None:
            columns[key] = tuple(value.values()) if isinstance(value, dict) else (value,)
    for one, two in combinations(columns, 2):
        shared = set(columns[one]) & set(columns[two])
        if shared and (one, two) != ("prediction", "score"):
            what = f"{role}: {one} and {two} are the same column {min(shared)!r}"
            yield _problem(head, f"{role}.{two}", what, "")
    yield from _model_problems(role, head)
    if f"{role}.predictions" in head.values:
        return
    if f"{role}.threshold" in head.values and "prediction" in columns:
        what = f"{role}: threshold is read only where there is no prediction"
        yield _problem(head, f"{role}.threshold", what, "leave one of them out")


def _model_problems(role: str, head: Stated) -> Iterator[Problem]:
    """Refuse settings for running a model where a column is read, and the reverse."""
    if f"{role}.predictions" not in head.values:
        if f"{role}.environment" in head.values:
            what = f"{role}: environment is read only where the model predicts"
            hint = "write predictions: model, or leave environment out"
            yield _problem(head, f"{role}.environment", what, hint)
    elif role == "data.champion":
        what = f"{role}: the champion's model is not run, and the candidate is no champion"
        yield _problem(head, f"{role}.predictions", what, "name its prediction or score")
    else:
        for key in ("prediction", "score", "threshold"):
            if f"{role}.{key}" in head.values:
                what = f"{role}: {key} is not read where the model predicts"
                yield _problem(head, f"{role}.{key}", what, f"leave out {key} or predictions")


def _source_problems(role: str, head: Stated) -> Iterator[Problem]:
    """Refuse a source that is not on the allow list now; the gate would refuse it later."""
    allow = head.values.get("sources.allow", ())
    joins = head.values.get(f"{role}.join", ())
    for key, source in (
        (f"{role}.source", head.values.get(f"{role}.source", "")),
        *((f"{role}.join.{i}.source", join["source"]) for i, join in enumerate(joins)),
    ):
        if source.startswith(_STORES) and not permitted(parse_place(source), allow):
            what = f"{role}: sources.allow does not permit {source!r}"
            yield _problem(head, key, what, "name its folder in sources.allow")
    for i, join in enumerate(joins):
        if join["on"] in join.get("columns", ()):
            what = f"{role}: join names its key {join['on']!r} among the columns that it brings"
            yield _problem(head, f"{role}.join.{i}.columns", what, "leave it out of columns")


def _table_problems(role: str, head: Stated) -> Iterator[Problem]:
    """Refuse a table that nobody could reach, and what needs its rows in this machine's memory."""
    stated = {key for key in DataText.model_fields if f"{role}.{key}" in head.values}
    for one, other in (("table", "connection"), ("connection", "table")):
        if one in stated and other not in stated:
            yield _problem(head, f"{role}.{one}", f"{role}: {one} needs {other}", f"add {other}")
    for key, hint in _NOT_BESIDE_A_TABLE.items():
        if {"table", key} <= stated:
            yield _problem(head, f"{role}.{key}", f"{role}: {key} cannot stand beside table", hint)


def _problem(stated: Stated, key: str, what: str, hint: str) -> Problem:
    place = stated.at(key)
    return Problem(file=place.file, line=place.line, what=what, hint=hint)
