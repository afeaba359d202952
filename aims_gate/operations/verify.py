"""Verify evidence: signature, signer and model digest, against a trust file and a model."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aims_gate.attest import download, floor, manifest, trust_file
from aims_gate.attest.manifest import Manifest
from aims_gate.attest.trust import Deployment, Trust
from aims_gate.errors import SourceError, TrustError, UsageError
from aims_gate.evidence.agreement import Verified
from aims_gate.evidence.revocations import FOLDER, Revocations
from aims_gate.evidence.verify import Expected, verify_evidence
from aims_gate.operations.evidence import fetch, is_uri
from aims_gate.operations.named_arguments import named_arguments
from aims_gate.signoffs import APPROVALS
from aims_gate.signoffs.committed import CommitHistory

_MODEL_HINT = "--model DIR|URI; with --signature-only no bytes are looked at"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What is to be proved."""

    evidence: str | os.PathLike[str]
    """The directory that `run` wrote, or a URI of MLflow that it is copied from."""
    trust: Path
    model: str | None
    """A folder, `file:DIR`, or a model URI that is downloaded anew.

    None if only signed, or if *evidence* names a version, which is then the model.
    """
    signature_only: bool = False
    """Do not look at any model: proves who said something, not what is deployed."""
    stage: str | None = None
    """None is the last and strictest stage of the policy that was applied."""
    policy_digest: str | None = None
    floor: str | None = None
    """`PACK@SHA256`: what the applied policy must be, or descend from."""
    resource_uri: str | None = None
    """Package URL of the model's place; a model URI brings its own."""
    max_age: timedelta | None = None
    approvals: Path | None = None
    """Folder of signed approvals; None is `approvals` beside the trust file."""
    deployed_before: bool = False
    """It is a return to what was deployed: the trust file's greatest ages do not hold."""
    deploying: bool = True
    """False asks what happened: of what the trust file requires of a deployment, the age alone."""
    revocations: Path | None = None
    """Folder of revocations that count beside those of `revocations` beside the trust file."""
    environ: Mapping[str, str] = field(default_factory=dict)


@named_arguments
def verify(
    evidence: str | os.PathLike[str],
    *,
    model: str | os.PathLike[str] | None = None,
    trust: str | os.PathLike[str] = "trust.yaml",
    stage: str | None = None,
    policy_digest: str | None = None,
    floor: str | None = None,
    resource_uri: str | None = None,
    max_age: timedelta | None = None,
    revocations: str | os.PathLike[str] | None = None,
) -> Verified:
    """Verify evidence for the bytes of a model, now, as the command line does.

    Args:
        evidence: The directory that `run` wrote; or where it lies in MLflow:
            `runs:/RUN_ID/aims_gate/EVALUATION_ID`, or `models:/NAME/VERSION` for the evidence
            and the model in one.
        model: A folder, or a model URI that is downloaded anew; left out only if *evidence* names
            a version.
        trust: The trust file: whose signatures count, and for what.
        stage: The stage it must be for; the policy's last and strictest if left out.
        policy_digest: SHA-256 of the resolved policy it must be by.
        floor: The policy that it must be by or descend from, `PACK@SHA256`: a pack as
            `release@1.1.0` or `release`, or the URI of a file as the policy extends it; and the
            SHA-256 of its bytes.
        resource_uri: Package URL of the model's place; a model URI brings its own.
        max_age: The oldest it may be.
        revocations: A folder of signed revocations, which count beside those of the folder
            `revocations` beside the trust file.

    Returns:
        What was proved; `.passed` tells whether the policy was met.

    Raises:
        UsageError, TrustError, SourceError: As for `prove`.
    """
    question = Expectation(
        evidence=evidence,
        trust=Path(trust),
        model=None if model is None else os.fspath(model),
        stage=stage,
        policy_digest=policy_digest,
        floor=floor,
        resource_uri=resource_uri,
        max_age=max_age,
        revocations=None if revocations is None else Path(revocations),
        environ=os.environ,
    )
    return prove(question, now=datetime.now(UTC))


def prove(question: Expectation, *, now: datetime) -> Verified:
    """Verify evidence; an authentic refusal is an answer, not an error.

    Raises:
        UsageError: (2) no model was named, there is no usable trust file, or no evidence where
            a URI says.
        TrustError: (4) the evidence is not authentic, or about something else.
        SourceError: (3) the registry of the model could not be read.
    """
    model, evidence = question.model, os.fspath(question.evidence)
    by_version = is_uri(evidence) and evidence.startswith("models:/")
    # an empty name is what an unset variable of a CI system leaves
    if model == "" or (model is None and not question.signature_only and not by_version):
        raise UsageError("name the model whose bytes are to be verified", hint=_MODEL_HINT)
    if question.stage == "":
        raise UsageError("the stage is empty", hint="--stage NAME, or leave it out for the last")
    if model and question.signature_only:
        raise UsageError("a model and signature-only were both asked for", hint=_MODEL_HINT)
    trust = trust_file.load(question.trust)
    if not question.deploying:
        trust = replace(trust, deploy=tuple(map(_age, trust.deploy)))
    with _folder(None if is_uri(evidence) else evidence) as private:
        folder = Path(private)
        if is_uri(evidence):
            copied = fetch(
                evidence, folder, stage=question.stage, environ=question.environ, trust=trust
            )
            if model is None and not question.signature_only:
                question = replace(question, model=copied.model)
        found, place = _model(question, trust.sources_allow)
        signed = question.approvals or question.trust.parent / APPROVALS
        asked = any(one.approvals for one in trust.deploy)
        expected = Expected(
            model=found,
            stage=question.stage,
            policy_digest=question.policy_digest,
            floor=None if question.floor is None else floor.parse(question.floor),
            resource_uri=place if question.resource_uri is None else question.resource_uri,
            max_age=question.max_age,
            approvals=signed,
            history=CommitHistory.around(signed, question.environ) if asked else None,
            deployed_before=question.deployed_before,
            revocations=_revocations(question, folder, trust, now),
        )
        return verify_evidence(folder, trust=trust, expected=expected, now=now)


def _age(asked: Deployment) -> Deployment:
    """Of what is required of a deployment, the greatest age."""
    return replace(asked, stage="", floor=None, approvals=(), signed_policy=False)


def _folder(place: str | None) -> AbstractContextManager[str]:
    """*place*, or for None a temporary folder: a container may have no place for one."""
    return tempfile.TemporaryDirectory(prefix="aims-gate-") if place is None else nullcontext(place)


def _revocations(question: Expectation, evidence: Path, trust: Trust, now: datetime) -> Revocations:
    """Every revocation that was handed along, lies beside the evidence, or is named by a tag."""
    handed = question.revocations
    if handed is not None and not handed.is_dir():
        hint = "those of the folder revocations beside the trust file count without it"
        raise UsageError("there is no such folder of revocations", where=str(handed), hint=hint)
    asked = {question.model or "", os.fspath(question.evidence)}
    versions = sorted(filter(_names_version, asked))
    with _folder(None if versions else "") as private:
        folders = [question.trust.parent / FOLDER, evidence / FOLDER]
        folders += [] if handed is None else [handed]
        for number, uri in enumerate(versions):
            from aims_gate.sources.mlflow.evidence import copy_revocations

            folders.append(Path(private) / str(number))
            copy_revocations(uri, folders[-1], question.environ, trust.sources_allow)
        return Revocations.read(folders, trust=trust, now=now)


def _names_version(uri: str) -> bool:
    if not uri.startswith("models:/"):
        return False
    from aims_gate.registry.uris import ModelTarget, parse

    return not isinstance(parse(uri), ModelTarget)


def _model(question: Expectation, allow: tuple[str, ...]) -> tuple[Manifest | None, str | None]:
    """Manifest of the model's bytes, and its package URL if it comes from a registry."""
    if question.model is None:
        return None, None
    scheme, _, rest = question.model.partition(":")
    if scheme in {"models", "runs"} and rest:
        return _fetched(question.model, question.environ, allow)
    folder = Path(rest.removeprefix("//") if scheme == "file" and rest else question.model)
    if not folder.is_dir():
        raise UsageError(
            "there is no such model folder",
            where=question.model,
            hint="give a folder, models:/NAME/VERSION or runs:/ID/PATH",
        )
    try:
        return manifest.scan(folder, ignore=download.note(folder)), None
    except SourceError as error:
        raise TrustError(
            f"the model cannot be the one that was judged: {error.what}",
            where=error.where,
            hint=error.hint,
        ) from error


def _fetched(uri: str, environ: Mapping[str, str], allow: tuple[str, ...]) -> tuple[Manifest, str]:
    # late: a folder is verified without MLflow or the network
    from aims_gate.sources.mlflow.model import fetch
    from aims_gate.sources.subject import Workspace

    with tempfile.TemporaryDirectory(prefix="aims-gate-") as private:
        workspace = Workspace(folder=Path(private), environ=environ, allow=allow)
        fetched = fetch(uri, workspace)
        return fetched.manifest, fetched.model.resource_uri
