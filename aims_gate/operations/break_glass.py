"""Draft a break-glass order: one alias or stage may point at one version's bytes, for hours."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aims_gate.attest import trust_file
from aims_gate.errors import UsageError
from aims_gate.policy.resolved_yaml import inline
from aims_gate.registry.choose import open_registry
from aims_gate.registry.uris import VersionTarget, parse
from aims_gate.signoffs.grammar import BREAK_GLASS
from aims_gate.sources.mlflow.model import fetch_resolved, resolved_in
from aims_gate.sources.subject import Workspace

USUAL = timedelta(hours=24)
"""How long an order holds unless somebody says otherwise; `BREAK_GLASS_DAYS` are the most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Emergency:
    """What the person who asks for an order says."""

    model: str
    """`models:/NAME/VERSION`."""
    alias: str = ""
    stage: str = ""
    """MLflow's; exactly one of the two."""
    requested_by: str
    """Never who approves."""
    why: str = ""
    expires: datetime | None = None
    now: datetime
    trust: Path
    server: str = ""
    """The server's name in the trust file; empty is what the trust file calls MLflow's address."""
    environ: Mapping[str, str] = field(default_factory=dict)


def draft_break_glass(asked: Emergency) -> str:
    """Write the draft of an order, with the digest of the version's bytes as they are now.

    Raises:
        UsageError: (2) The model names no version, or not one alias or stage is named.
        SourceError: (3) MLflow could not be read.
    """
    target = parse(asked.model)
    if not isinstance(target, VersionTarget):
        raise UsageError("an order is of one version", where=asked.model, hint="models:/NAME/7")
    if bool(asked.alias) is bool(asked.stage):
        raise UsageError("an order is for one alias or stage", hint="--alias NAME, or --stage NAME")
    trust = trust_file.load(asked.trust)
    registry = open_registry(asked.environ, trust.sources_allow)
    with tempfile.TemporaryDirectory(prefix="aims-gate-") as private:
        workspace = Workspace(
            folder=Path(private), environ=asked.environ, allow=trust.sources_allow
        )
        resolved = resolved_in(asked.model, registry, workspace)
        digest = fetch_resolved(asked.model, registry, resolved, workspace).manifest.digest
    what = ("alias", asked.alias) if asked.alias else ("stage", asked.stage)
    todo = "TODO: what is broken, why this version mends it, who watches it meanwhile"
    ends = asked.expires or asked.now + USUAL
    lines = [
        *("apiVersion: aims-gate/v1", f"kind: {BREAK_GLASS.name}"),
        f"id: BRK-{asked.now.astimezone(UTC):%Y%m%d%H%M%S%f}"[:-3],
        f"server: {inline(trust.server(asked.server or registry.server))}",
        f"{what[0]}: {inline(what[1])}",
        "model:",
        f"  name: {inline(target.name)}",
        f"  version: {inline(target.version)}",
        f"  sha256: {digest}",
        f"requested_by: {inline(asked.requested_by)}",
        f"justification: {inline(asked.why or todo)}",
        f"expires: {ends.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
    ]
    return "\n".join(lines) + "\n"
