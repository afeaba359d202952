"""Build policy values (`model`) from merged and valid statements."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from aims_gate.policy.grammar import MetadataText
from aims_gate.policy.model import (
    STAGES,
    Adoption,
    AppliesTo,
    Baseline,
    DataSpec,
    GivenCell,
    JoinSpec,
    PolicyTest,
    Role,
    Rule,
    Threshold,
    WaiverTerms,
)
from aims_gate.policy.read import Stated

_METADATA = tuple(MetadataText.model_fields)


def stages(head: Stated) -> tuple[str, ...]:
    """Deployment stages of a policy, in order; the last is the strictest."""
    return tuple(head.values.get("stages", STAGES))


def head_fields(head: Stated) -> dict[str, Any]:
    """Fields of `Policy` that its head states, as keyword arguments."""
    values = head.values
    return {
        **_plain(values, apart=("apiVersion", "kind")),
        **{key: values[f"metadata.{key}"] for key in _METADATA if f"metadata.{key}" in values},
        "applies_to": _scope(head),
        "adopted": tuple(Adoption(**one) for one in values.get("adopted", ())),
        "sources_allow": tuple(values.get("sources.allow", ())),
        "records_system": values.get("records.system", ""),
        "records_org": values.get("records.org", ""),
        "data": {role: spec for role in Role if (spec := _data(role, head)) is not None},
        "waivers": WaiverTerms(**_plain(_below("waivers", values))),
        "declare": tuple(sorted(values.get("declare", ()))),
    }


def rule(name: str, stated: Stated) -> Rule:
    """Build the rule called *name*."""
    return Rule(
        id=name,
        **_plain(stated.values),
        parameters=_below("with", stated.values),
        require=_threshold(stated.values),
        applies_to=_scope(stated),
        baseline=_baseline(stated.values),
        place=stated.place,
        places=dict(stated.places),
    )


def _plain(values: Mapping[str, Any], apart: Collection[str] = ()) -> dict[str, Any]:
    """Top-level keys without nesting, with tuples for lists."""
    return {k: _frozen(v) for k, v in values.items() if "." not in k and k not in apart}


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _below(key: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Entries of the mapping *key*, without its prefix."""
    return {k.removeprefix(f"{key}."): v for k, v in values.items() if k.startswith(f"{key}.")}


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
    keys = _below("require", values)
    if not keys:
        return None
    low, high = keys.pop("between", (None, None))
    return Threshold(**{"at_least": low, "at_most": high, **keys})


def _baseline(values: Mapping[str, Any]) -> Baseline | None:
    keys = _below("baseline", values)
    return Baseline(**keys) if keys else None


def _scope(stated: Stated) -> AppliesTo | None:
    models = tuple(stated.values.get("applies_to.models", ()))
    named = tuple(stated.values.get("applies_to.stages", ()))
    if not models and not named:
        return None
    return AppliesTo(models=models, stages=named, place=stated.at("applies_to"))


def _data(role: Role, head: Stated) -> DataSpec | None:
    above = f"data.{role.value}"
    keys = _below(above, head.values)
    if not keys:
        return None
    if "window" in keys:
        keys["window_days"] = keys.pop("window")["days"]
    joins = tuple(JoinSpec(**_plain(join)) for join in keys.pop("join", ()))
    return DataSpec(**_plain(keys), join=joins, place=head.at(above))
