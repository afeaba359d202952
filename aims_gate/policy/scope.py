"""Which models and stages a policy and its rules are about."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from fnmatch import fnmatchcase

from aims_gate.errors import PolicyError, Problem, near
from aims_gate.policy.model import AppliesTo, OnInsufficient, Policy, Rule


def applies(scope: AppliesTo | None, *, model: str, stage: str) -> bool:
    """Tell whether a policy is about this model and stage; no scope is about all.

    Only a registered name counts: *model* is empty for what has none, which only `*` is about.
    """
    if scope is None:
        return True
    named = not scope.models or any(fnmatchcase(model, pattern) for pattern in scope.models)
    return named and (not scope.stages or stage in scope.stages)


def in_force(rule: Rule, *, model: str, stage: str) -> bool:
    """Tell whether a rule is about this model and stage.

    A name that no registry knows exempts nothing: whoever trained the model could choose it.
    """
    scope = rule.applies_to
    if scope is not None and not model:
        scope = replace(scope, models=())
    return applies(scope, model=model, stage=stage)


def stage_of(policy: Policy, asked: str | None) -> str:
    """Stage to decide for: as requested, else the last and strictest; PolicyError if unknown."""
    if asked is None:
        return policy.stages[-1]
    if asked not in policy.stages:
        what, hint = f"unknown stage {asked!r}", near(asked, policy.stages)
        raise PolicyError([Problem(file=policy.uri, line=0, what=what, hint=hint)])
    return asked


def on_insufficient(rule: Rule, policy: Policy, stage: str) -> OnInsufficient:
    """Effect of too little data: as the rule says, else the policy, else strict at the last."""
    stated = rule.on_insufficient or policy.on_insufficient
    if stated is not None:
        return stated
    return OnInsufficient.BLOCK if stage == policy.stages[-1] else OnInsufficient.WARN


def early(rule: Rule, now: datetime) -> bool:
    """Tell whether a rule has not taken effect yet."""
    return rule.effective_from is not None and now < rule.effective_from


def ends(rule: Rule, now: datetime) -> datetime | None:
    """When the leniency of a rule ends: it takes effect, or its baseline expires."""
    if early(rule, now):
        return rule.effective_from
    return None if rule.baseline is None else rule.baseline.expires
