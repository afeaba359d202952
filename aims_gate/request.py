"""What is asked of the gate: which model, by which policy, in which world, kept how."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from aims_gate.attest.signers import Signer
from aims_gate.evidence import layout
from aims_gate.policy.base import PolicyBase
from aims_gate.policy.model import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Time, randomness and the environment: the only things a run takes from outside."""

    now: Callable[[], datetime]
    new_id: Callable[[datetime], str]
    environ: Mapping[str, str] = field(default_factory=dict)
    progress: Callable[[str], None] = lambda _text: None
    unnamed: Callable[[str, str], None] = lambda _name, _value: None
    """Takes what stands behind each name that evidence gives a value of the data, such as
    `email #3`, on its way to a terminal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Where and how the evidence of a run is to be kept."""

    signer: Signer | None
    """None leaves it unsigned, which never verifies."""
    verifier_id: str
    """Who runs the gate, such as the URL of the workflow."""
    root: Path = layout.ROOT
    out: Path | None = None
    """The exact directory to write, instead of one under *root*."""
    origin: str = ""
    """What ran the gate, where that is less than a job of its own; `verify` refuses it then."""
    publish: bool = True
    """Copy signed evidence to MLflow too, where the model came from there."""
    measured_as: str = ""
    """Id of the unsigned evaluation that is signed now, in a job that measured nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to gate, by which policy, for which stage."""

    policy: str
    """A path, or `pack:NAME@VERSION`."""
    model: object
    """A URI, or a fitted estimator in memory."""
    stage: str | None = None
    data: Mapping[Role, object] = field(default_factory=dict)
    experiment: str = ""
    """Where a `commit:` model looks for its run; empty for all experiments."""
    recording: Recording | None = None
    """None keeps no evidence: for assertions in tests."""
    trust: Path | None = None
    """Whose waivers and approvals count; None is `trust.yaml` beside the policy, if it is there."""
    base: PolicyBase | None = None
    """The commit that the policy and what people signed are taken from; None is the work tree."""
    policy_digest: str | None = None
    """SHA-256 that the resolved policy must have; None for any."""
    reviews: Path | None = None
    """What reviewers approved, as `github reviews` wrote it; None is nothing."""
    require_signed_policy: bool = False
    """Refuse a policy that nobody signed who may."""
