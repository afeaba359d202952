"""Merged, sound statements to the values of `model`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aims_gate.policy.model import (
    STAGES,
    AppliesTo,
    Baseline,
    DataSpec,
    DecideOn,
    GivenCell,
    JoinSpec,
    OnInsufficient,
    PolicyTest,
    Role,
    Rule,
    Severity,
    TaskKind,
    Threshold,
)
from aims_gate.policy.read import Stated


def stages(head: Stated) -> tuple[str, ...]:
    """Give the stages of a policy in their order."""
    return tuple(head.values.get("stages", STAGES))


def head_fields(head: Stated) -> dict[str, Any]:
    """Give the fields of `Policy` that its head states."""
    values = head.values
    reaction = values.get("on_insufficient")
    return {
        "id": values["metadata.id"],
        "version": values["metadata.version"],
        "owner": values.get("metadata.owner", ""),
        "expires": values.get("metadata.expires"),
        "stages": stages(head),
        "applies_to": _scope(head),
        "sources_allow": tuple(values.get("sources.allow", ())),
        "data": {role: spec for role in Role if (spec := _data(role, head)) is not None},
        "alpha_families": tuple(map(tuple, values.get("alpha_families", ()))),
        "declare": tuple(sorted(values.get("declare", ()))),
        "overridable": tuple(values.get("overridable", ())),
        "on_insufficient": OnInsufficient(reaction) if reaction else None,
        **{key: values[key] for key in ("engine", "alpha", "alpha_scope") if key in values},
    }


def rule(name: str, stated: Stated) -> Rule:
    """Build the rule called *name*."""
    values = stated.values
    choices: dict[str, Any] = {
        key: kind(values[key])
        for key, kind in (
            ("on", Role),
            ("decide_on", DecideOn),
            ("severity", Severity),
            ("on_insufficient", OnInsufficient),
        )
        if key in values
    }
    plain = ("title", "serious", "effective_from", "max_age_days", "grace_days", "why")
    return Rule(
        id=name,
        check=values["check"],
        parameters={
            key.removeprefix("with."): value
            for key, value in values.items()
            if key.startswith("with.")
        },
        require=_threshold(values),
        applies_to=_scope(stated),
        baseline=_baseline(values),
        controls=tuple(values.get("controls", ())),
        overridable=tuple(values.get("overridable", ())),
        place=stated.place,
        places=dict(stated.places),
        **choices,
        **{key: values[key] for key in (*plain, "approved_by", "engine") if key in values},
    )


def test(stated: Stated) -> PolicyTest:
    """Build a policy's own test."""
    values = stated.values
    return PolicyTest(
        name=values["name"],
        given={
            name: tuple(GivenCell(**cell) for cell in cells)
            for name, cells in values.get("given", {}).items()
        },
        at=values.get("at"),
        stage=values.get("stage"),
        expect=values["expect"],
        place=stated.place,
    )


def _threshold(values: Mapping[str, Any]) -> Threshold | None:
    keys = {k.partition(".")[2]: v for k, v in values.items() if k.startswith("require.")}
    if not keys:
        return None
    low, high = keys.pop("between", (None, None))
    return Threshold(**{"at_least": low, "at_most": high, **keys})


def _baseline(values: Mapping[str, Any]) -> Baseline | None:
    keys = {k.partition(".")[2]: v for k, v in values.items() if k.startswith("baseline.")}
    return Baseline(**keys) if keys else None


def _scope(stated: Stated) -> AppliesTo | None:
    models = tuple(stated.values.get("applies_to.models", ()))
    named = tuple(stated.values.get("applies_to.stages", ()))
    if not models and not named:
        return None
    return AppliesTo(models=models, stages=named, place=stated.at("applies_to"))


def _data(role: Role, head: Stated) -> DataSpec | None:
    above = f"data.{role.value}."
    keys = {k.removeprefix(above): v for k, v in head.values.items() if k.startswith(above)}
    if not keys:
        return None
    if "task" in keys:
        keys["task"] = TaskKind(keys["task"])
    if "window" in keys:
        keys["window_days"] = keys.pop("window")["days"]
    if "nulls" in keys:
        keys["nulls"] = tuple(keys["nulls"])
    if "join" in keys:
        keys["join"] = tuple(_join(**stated) for stated in keys["join"])
    return DataSpec(**keys, place=head.at(above.rstrip(".")))


def _join(source: str, on: str, columns: Sequence[str] = ()) -> JoinSpec:
    return JoinSpec(source=source, on=on, columns=tuple(columns))
