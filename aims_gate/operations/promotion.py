"""A promotion as values: what is asked for, with its names read, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from aims_gate.attest.signers import Signer
from aims_gate.errors import UsageError
from aims_gate.evidence.agreement import Verified
from aims_gate.registry.uris import AliasTarget, VersionTarget, parse


@dataclass(frozen=True, slots=True, kw_only=True)
class Promoting:
    """Which alias is to point at what, on whose word, and why."""

    model: str
    """`models:/NAME/VERSION` or `models:/NAME@ALIAS`; of a rollback `models:/NAME`."""
    alias: str
    signer: Signer
    why: str
    trust: Path = Path("trust.yaml")
    evidence: str | None = None
    """A URI of evidence in MLflow; None is what the version's tags point at."""
    stage: str | None = None
    max_age: timedelta | None = None
    floor: str | None = None
    policy_digest: str | None = None
    approvals: Path | None = None
    revocations: Path | None = None
    rollback: bool = False
    dry_run: bool = False
    out: Path | None = None
    """Where a copy of the signed statement goes; None is with evidence, in its usual folder."""
    environ: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Promoted:
    """What became of an alias."""

    verified: Verified
    version: str
    """`models:/NAME/VERSION`."""
    previous: str | None
    """The version that the alias pointed at before."""
    place: str
    """Where its evidence is, `runs:/RUN_ID/aims_gate/EVALUATION_ID`."""
    told: tuple[str, ...] = ()
    """What else a person should know: other promoters, versions that were passed over."""
    statement: Path | None = None
    """The signed statement; None where nothing was signed."""
    moved: bool = False

    @property
    def exit_code(self) -> int:
        """0 promoted, or would be; 1 the evidence is an authentic refusal."""
        return self.verified.exit_code


def named(how: Promoting) -> tuple[str, VersionTarget | AliasTarget | None]:
    """Read the model's name, and which version of it is meant; None for a rollback."""
    target: object = None if how.rollback else parse(how.model)
    if target is not None and not isinstance(target, VersionTarget | AliasTarget):
        hint = "models:/NAME/VERSION"
        raise UsageError("this names no version of a registered model", where=how.model, hint=hint)
    model = how.model if target is None else f"models:/{target.name}"
    try:
        parse(f"{model}@{how.alias}")
    except UsageError as error:
        what = f"{how.alias!a} is no alias of {model!a} that can be moved"
        hint = "letters, digits, - and _; not latest, v1 and the like; for a rollback models:/NAME"
        raise UsageError(what, hint=hint) from error
    return model.removeprefix("models:/"), target
