"""Revoke a verdict, a model or a key: a signed statement, which verify and promote then refuse by.

It is written beside the trust file first, where it counts at once and belongs under version
control; then beside the evidence in MLflow that it is about, and at last a tag of the version,
where one was named, points at it. Whatever cuts this off leaves a revocation that counts where it
is; doing it again adds one.
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from aims_gate import canonical
from aims_gate.attest import trust_file
from aims_gate.attest.manifest import MODEL_FILE
from aims_gate.attest.signers import Signer
from aims_gate.attest.statement import Statement, envelope_file
from aims_gate.attest.statement_files import read_file, read_statement, write_statement
from aims_gate.attest.trust import Trust
from aims_gate.errors import GateError, RecordError, TrustError, UsageError
from aims_gate.evidence.predicates import FORM, KEY_SUBJECT, REVOCATION
from aims_gate.evidence.revocations import FOLDER, VERDICT_SUBJECT, digest_of_key
from aims_gate.operations.evidence import Copied, fetch, is_uri

if TYPE_CHECKING:
    from aims_gate.registry.contract import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """What is revoked: exactly one of a verdict, a model's bytes and a key."""

    evidence: str | None = None
    """An evidence directory, or a URI of evidence in MLflow."""
    stage: str | None = None
    """Whose evidence, of a model version."""
    model_digest: str | None = None
    """SHA-256 of a model's manifest."""
    key_fingerprint: str | None = None
    since: datetime | None = None
    """The first moment from which on the key's signatures do not count; None is all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoked:
    """A revocation that was written."""

    file: Path
    """Its envelope."""
    subject: str
    """What is revoked, and its SHA-256."""
    places: tuple[str, ...] = ()
    """Where it lies in MLflow, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoking:
    """How a revocation is made."""

    signer: Signer
    why: str
    trust: Path
    out: Path | None = None
    """Where it goes; None is the folder `revocations` beside the trust file."""
    environ: Mapping[str, str] = field(default_factory=dict)


def revoke(frozen: Frozen, how: Revoking, *, now: datetime) -> Revoked:
    """Sign a revocation, and put it where verifiers look.

    Raises:
        UsageError: (2) Not exactly one thing was named, there is no reason, or the key is not in
            the trust file: verifiers would refuse everything because of it.
        TrustError: (4) The evidence is not what its tag names.
        RecordError: (3) It could not be written, or not to MLflow; then it counts where it is.
    """
    trust = _usable(frozen, how)
    with tempfile.TemporaryDirectory(prefix="aims-gate-") as private:
        copied, subject = _subject(frozen, Path(private), how.environ, trust)
    predicate = {"why": how.why, "revokedOn": now.strftime(FORM)}
    if frozen.since is not None:
        predicate["since"] = frozen.since.astimezone(UTC).strftime(FORM)
    statement = Statement(
        predicate_type=REVOCATION.predicate_type,
        subject_name=subject[0],
        subject=subject[1],
        predicate=predicate,
    )
    folder = how.out or how.trust.parent / FOLDER
    name = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
    _written(folder / name, statement, how, trust, now)
    file = folder / envelope_file(name)
    try:
        places = _published(frozen, copied, folder / name, how, trust)
    except GateError as error:
        what = f"MLflow did not take the revocation: {error.what}"
        hint = f"{file} is signed and counts where it is handed along; revoke again for MLflow"
        raise RecordError(what, where=error.where, hint=hint) from error
    return Revoked(file=file, subject=f"{subject[0]} sha256:{subject[1]}", places=places)


def _usable(frozen: Frozen, how: Revoking) -> Trust:
    named = (frozen.evidence, frozen.model_digest, frozen.key_fingerprint)
    if sum(one is not None for one in named) != 1:
        hint = "give one of --evidence, --model-digest and --key-fingerprint"
        raise UsageError("exactly one thing can be revoked at a time", hint=hint)
    if frozen.since is not None and frozen.key_fingerprint is None:
        raise UsageError("a date was given without a key", hint="--since is for --key-fingerprint")
    if not how.why.strip():
        raise UsageError("there is no reason", hint="--why says it to whoever is refused by it")
    return trust_file.load(how.trust)


def _written(
    target: Path, statement: Statement, how: Revoking, trust: Trust, now: datetime
) -> None:
    """Sign the revocation aside, and let it count only if verifiers will believe it."""
    folder, name = target.parent, target.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".") as private:
            aside = Path(private)
            write_statement(aside, name, REVOCATION, statement, how.signer)
            read_statement(aside, name, REVOCATION, trust=trust, now=now)
            for file in sorted(aside.iterdir(), reverse=True):
                file.rename(folder / file.name)
    except TrustError as error:
        hint = "sign with a key that it lists: verify refuses everything by a file of another key"
        raise UsageError(error.what, where=str(how.trust), hint=hint) from error
    except OSError as error:
        raise RecordError(f"cannot be written: {error.strerror}", where=str(folder)) from error


def _subject(
    frozen: Frozen, private: Path, environ: Mapping[str, str], trust: Trust
) -> tuple[Copied | None, tuple[str, str]]:
    """Place of the evidence in MLflow, if it is there, and the subject that is revoked."""
    if frozen.key_fingerprint is not None:
        return None, (KEY_SUBJECT, digest_of_key(frozen.key_fingerprint))
    if frozen.model_digest is not None:
        return None, (MODEL_FILE, frozen.model_digest)
    evidence, copied = frozen.evidence or "", None
    folder = Path(evidence)
    if is_uri(evidence):
        folder = private
        copied = fetch(evidence, folder, stage=frozen.stage, environ=environ, trust=trust)
    try:
        summary = read_file(folder, VERDICT_SUBJECT)
    except TrustError as error:
        hint = "name the directory that run wrote, or a URI of evidence in MLflow"
        raise UsageError(error.what, where=evidence, hint=hint) from error
    return copied, (VERDICT_SUBJECT, canonical.sha256(summary))


def _published(
    frozen: Frozen, copied: Copied | None, statement: Path, how: Revoking, trust: Trust
) -> tuple[str, ...]:
    """Log the revocation beside the evidence in MLflow that it is about, and tag the version.

    The evidence is that of the URI which was named, or all of a model, where a server is set.
    """
    if copied is None and not (frozen.model_digest and how.environ.get("MLFLOW_TRACKING_URI")):
        return ()
    from aims_gate.registry.choose import open_registry
    from aims_gate.registry.uris import VersionTarget, parse
    from aims_gate.sinks.beside import store
    from aims_gate.sources.mlflow.evidence import REVOKED

    registry = open_registry(how.environ, trust.sources_allow)
    places = [copied.place] if copied else _judged(registry, frozen.model_digest or "")
    pointers = [store(registry, one, statement, FOLDER, how.environ) for one in places]
    version = parse(copied.model) if copied and copied.model else None
    if isinstance(version, VersionTarget):
        key = f"{REVOKED}.{pointers[0].removeprefix('sha256:')[:12]}"
        registry.set_version_tag(version.name, version.version, key, pointers[0])
    return tuple(pointer.partition(" ")[2] for pointer in pointers)


def _judged(registry: Registry, digest: str) -> list[str]:
    """Places of all evidence of a model, as the gate's runs have it."""
    from aims_gate.sinks.mlflow import TAG_MODEL
    from aims_gate.sources.mlflow.evidence import EXPERIMENT, TAG_EVALUATION
    from aims_gate.sources.mlflow.evidence import FOLDER as EVIDENCE

    runs = registry.find_runs(registry.experiment(EXPERIMENT), TAG_MODEL, f"sha256:{digest}")
    return [f"runs:/{one.run_id}/{EVIDENCE}/{one.tags.get(TAG_EVALUATION, '')}" for one in runs]
