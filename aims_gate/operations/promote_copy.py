"""Promote to another server: carry model and evidence where the trust file allows that copy.

The source is verified before anything is written; on the other server the version is verified from
its own tags and bytes, as any other, and only then an alias moves there.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from aims_gate.attest import resource, trust_file
from aims_gate.attest.trust import Trust
from aims_gate.errors import TrustError, UsageError
from aims_gate.evidence.agreement import Verified
from aims_gate.operations.evidence import fetch
from aims_gate.operations.promote import promote
from aims_gate.operations.promotion import Promoted, Promoting
from aims_gate.registry.choose import open_registry
from aims_gate.registry.uris import VersionTarget, parse, resource_uri
from aims_gate.sinks.carry import Load, carry
from aims_gate.sources.mlflow.evidence import FOLDER
from aims_gate.sources.mlflow.model import fetch as fetch_model
from aims_gate.sources.subject import Workspace


def promote_copy(how: Promoting, uri: str, name: str, *, now: Callable[[], datetime]) -> Promoted:
    """Carry a version to the server at *uri* as a version of *name*, and promote it there.

    Raises:
        UsageError, TrustError, SourceError, RecordError: As for `promote`; TrustError also if the
            trust file's `copies` do not allow it, RecordError if the copy is not complete.
    """
    if how.rollback:
        raise UsageError("a rollback copies nothing", hint="leave --rollback or --copy-to out")
    if not isinstance(parse(how.model), VersionTarget):
        raise UsageError("name the version to copy", where=how.model, hint="models:/NAME/VERSION")
    parse(f"models:/{name}/1")  # or it is no name
    there = {k: v for k, v in how.environ.items() if k != "MLFLOW_REGISTRY_URI"}
    there["MLFLOW_TRACKING_URI"] = uri
    trust = trust_file.load(how.trust)
    server = open_registry(there, trust.sources_allow).server
    source = promote(replace(how, dry_run=True), now=now)
    verified = source.verified
    _allowed(verified, resource_uri(name, "1", server), trust)
    if how.dry_run or not verified.passed:
        return source
    with tempfile.TemporaryDirectory(prefix="aims-gate-") as private:
        evidence = Path(private) / "evidence"
        evidence.mkdir()
        fetch(source.place, evidence, stage=None, environ=how.environ, trust=trust)
        load = Load(
            name=name,
            evaluation=source.place.rpartition(f"/{FOLDER}/")[2],
            model=_model(how, verified, Path(private), trust),
            evidence=evidence,
            digest=verified.model_digest,
            stage=verified.stage,
            decision=verified.decision,
            policy=f"{verified.policy} sha256:{verified.policy_digest}",
        )
        version = carry(load, there, at=now(), allow=trust.sources_allow)
    arrived = replace(how, model=f"models:/{name}/{version}", evidence=None, environ=there)
    return promote(arrived, now=now)


def _allowed(verified: Verified, place: str, trust: Trust) -> None:
    evidence = resource.parse(verified.resource_uri, servers=trust.servers, where="resourceUri")
    wanted = resource.parse(place, servers=trust.servers, where="--copy-to")
    if not resource.stands_for(evidence, wanted, trust.copies):
        arrow = f'"{evidence.server}.{evidence.name} -> {wanted.server}.{wanted.name}"'
        hint = f"if that is right, add copies: [{arrow}] and both servers to the trust file"
        raise TrustError(f"{evidence} may not be copied to {wanted}", where=trust.file, hint=hint)


def _model(how: Promoting, verified: Verified, private: Path, trust: Trust) -> Path:
    workspace = Workspace(folder=private, environ=how.environ, allow=trust.sources_allow)
    fetched = fetch_model(how.model, workspace)
    if fetched.manifest.digest != verified.model_digest:
        raise TrustError("the model's bytes changed while it was copied", where=how.model)
    return fetched.folder
