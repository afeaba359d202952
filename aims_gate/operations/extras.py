"""Extras that a policy needs, so that an installation can be as small as it may be."""

from __future__ import annotations

from collections.abc import Mapping

from aims_gate.plan import plan
from aims_gate.policy.model import Policy
from aims_gate.registry.choose import needs_client


def extras(policy: Policy, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Name the extras with which `run` can judge by *policy*: `run`, or `gate`, which brings it.

    `gate` is for libraries that are asked for a second value, models that predict, and stores that
    only MLflow's own client speaks to. `ibis` comes beside it for tables that stay in their engine.

    Raises:
        PolicyError: The policy is not sound.
    """
    libraries = any(
        ":" in task.rule.check or (task.engine != "native" and task.check.about.asks)
        for task in plan(policy).sound()
    )
    models = any(spec.predictions == "model" for spec in policy.data.values())
    most = "gate" if libraries or models or needs_client(environ) else "run"
    tables = any(spec.table is not None for spec in policy.data.values())
    return (most, "ibis") if tables else (most,)
