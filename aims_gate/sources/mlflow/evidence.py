"""Evidence in MLflow: the artifacts of a run of the gate's, and the tags that point at them.

Each stage has tags of its own on the model version, so that a lax run for one never covers a
refusal for another. Tags are pointers, which anybody can set; only signatures count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aims_gate import canonical
from aims_gate.attest.envelope import MAX_ENVELOPE
from aims_gate.attest.sigstore_bundle import bundle_file
from aims_gate.attest.statement import envelope_file, statement_file
from aims_gate.errors import NoEvidenceError, TrustError, UsageError
from aims_gate.registry.choose import for_artifacts, open_registry
from aims_gate.registry.contract import NotFoundError, Registry
from aims_gate.registry.entities import Version
from aims_gate.registry.uris import (
    AliasTarget,
    RunTarget,
    VersionTarget,
    parse,
    resource_uri,
)
from aims_gate.sources.mlflow.fetch import fetch_tree, list_tree

FOLDER = "aims_gate"
"""Where evidence lies among a run's artifacts: `aims_gate/<evaluation id>/`."""
VERDICT, POLICY, EVIDENCE = "verdict", "policy", "evidence"
"""What a stage's tags say; `evidence` is set last of all."""
EXPERIMENT = "aims-gate"
"""Where the gate's own runs are."""
TAG_NAME = "aims_gate.name"
"""On the gate's run: the registered name of its model, by which all evaluations are found."""
TAG_EVALUATION = "aims_gate.evaluation"
"""On the gate's run: the evaluation id, by which a second attempt finds it."""
TAG_POLICY = "aims_gate.policy"
"""On the gate's run: `ID@VERSION sha256:DIGEST`."""
PENDING = "pending"
"""What the evidence tag of an earlier evaluation becomes while a new one is written."""
UNSTAGED = ""
"""The stage of tags that version 0.1 wrote, which name none: `aims_gate.evidence`."""
SUMMARY = statement_file("vsa")
PROMOTIONS = "promotions"
"""Where promotions lie beside the evidence; they are no part of it."""
REVOKED = "aims_gate.revoked"
"""What the tags begin with that point at revocations: each has one of its own."""

_TAG = re.compile(r"aims_gate(?:\.(.+))?\.evidence")
_POINTER = re.compile(r"sha256:([0-9a-f]{64}) (runs:/\S+)")
_MOST_FILES, _MOST_BYTES = 32, 9 * MAX_ENVELOPE
_MOST_PROMOTED = 600
"""Files of promotions beside one evaluation, three each."""
_FORMS = "runs:/RUN_ID/aims_gate/EVALUATION_ID, models:/NAME/VERSION or models:/NAME@ALIAS"


def tag(stage: str, what: str) -> str:
    """Name the tag of a model version that says *what* about *stage*."""
    return f"aims_gate.{stage}.{what}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What a URI of evidence leads to."""

    registry: Registry
    uri: str
    pointers: Mapping[str, str]
    """Stage to the place of its evidence, as the tags have it."""
    model: str = ""
    """The version whose tags these are, `models:/NAME/VERSION`; empty for a run."""
    place: str = ""
    """Its package URL."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """All tags of the version."""

    @property
    def revoked(self) -> Mapping[str, str]:
        """Tags that point at revocations."""
        return {k: v for k, v in self.tags.items() if k.startswith(f"{REVOKED}.")}


def locate(uri: str, environ: Mapping[str, str], allow: Iterable[str] = ()) -> Published:
    """Find the evidence that *uri* names: a folder of a run, or what a version's tags point at.

    Raises:
        UsageError: *uri* names neither; NoEvidenceError if there is none.
        SourceError: MLflow could not be read.
    """
    target = parse(uri)
    registry = open_registry(environ, allow)
    if isinstance(target, RunTarget) and target.path:
        return Published(registry=registry, uri=uri, pointers={UNSTAGED: uri})
    if not isinstance(target, VersionTarget | AliasTarget):
        raise UsageError("this names no evidence", where=uri, hint=f"write {_FORMS}")
    try:
        version = registry.get_version(target.name, _number(target, registry))
    except NotFoundError as error:
        raise _none(uri, error.what) from error
    return of_version(version, registry, uri)


def of_version(version: Version, registry: Registry, uri: str) -> Published:
    """What the tags of a version point at; *uri* is what it was asked for by."""
    return Published(
        registry=registry,
        uri=uri,
        pointers=_pointers(version),
        model=f"models:/{version.name}/{version.version}",
        place=resource_uri(version.name, version.version, registry.server),
        tags=version.tags,
    )


def copy(found: Published, stage: str, target: Path, environ: Mapping[str, str]) -> str:
    """Copy the evidence of *stage* into the empty folder *target*.

    Returns:
        Where it lies, `runs:/RUN_ID/aims_gate/EVALUATION_ID`.

    Raises:
        NoEvidenceError: There is none.
        SourceError: It could not be read.
        TrustError: It is not what the tag names.
    """
    digest, place = _pointed(found, stage)
    try:
        uri = home(found, stage)
        fetch_tree(
            for_artifacts(found.registry, uri, environ),
            uri,
            target,
            max_files=_MOST_FILES,
            max_bytes=_MOST_BYTES,
            skip=PROMOTIONS,
        )
    except NotFoundError as error:
        raise _none(found.uri, f"{place} is not there") from error
    summary = target / SUMMARY
    if digest and not (summary.is_file() and canonical.sha256_file(summary) == digest):
        raise TrustError(f"the evidence at {place} is not what the tag names", where=found.uri)
    return place


def copy_promotions(
    uri: str, target: Path, environ: Mapping[str, str], allow: Iterable[str] = ()
) -> None:
    """Copy the promotions beside evidence into the folder *target*, which is made if there are any.

    Nothing is verified.

    Args:
        uri: `runs:/RUN_ID/aims_gate/EVALUATION_ID`.
        target: Where their files go.
        environ: The environment with MLflow's variables.
        allow: Where artifacts may lie, beside the registry.

    Raises:
        SourceError: They could not be read, or are too many.
    """
    found = locate(uri, environ, allow)
    place = f"{home(found, UNSTAGED)}/{PROMOTIONS}"
    reader, left = for_artifacts(found.registry, place, environ), _MOST_BYTES
    for file in list_tree(reader, place, max_files=_MOST_PROMOTED):
        path = target / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        left -= reader.download(place, file.path, path, limit=left)


def home(found: Published, stage: str) -> str:
    """Artifact URI of the folder where the evidence of *stage* lies.

    Raises:
        UsageError: There is none; SourceError, NotFoundError among them, if it cannot be read.
    """
    _digest, place = _pointed(found, stage)
    run = parse(place)
    if not isinstance(run, RunTarget) or not run.path:
        raise _none(found.uri, f"{place[:200]!a} is no folder of a run")
    return f"{found.registry.run(run.run_id).artifact_uri}/{run.path}"


def _pointed(found: Published, stage: str) -> tuple[str, str]:
    """Digest and place that a tag names; no digest for a folder that was named itself."""
    pointer = found.pointers[stage]
    if pointer == PENDING:
        raise _none(found.uri, "it is being written, or its writing was cut off")
    if not found.model:
        return "", pointer
    named = _POINTER.fullmatch(pointer)
    if named is None:
        raise _none(found.uri, f"the tag {pointer[:200]!a} points at nothing")
    return named[1], named[2]


def copy_revocations(
    uri: str, target: Path, environ: Mapping[str, str], allow: Iterable[str] = ()
) -> None:
    """Copy every revocation that the tags of a version point at into the folder *target*.

    Raises:
        SourceError: MLflow could not be read.
        TrustError: A tag points at nothing, or at another revocation: who deletes the files
            takes nothing back.
    """
    version = locate(uri, environ, allow)
    if not version.revoked:
        return
    target.mkdir()
    for key, pointer in version.revoked.items():
        where = f"{version.model}, tag {key!a}"
        try:
            digest, name = fetch_statement(version.registry, pointer, target, environ)
        except NotFoundError as error:
            what = f"the version was revoked, and the revocation is not there: {error.what}"
            hint = "ask who revoked it, and hand the revocation along with --revocations"
            raise TrustError(what, where=where, hint=hint) from error
        if canonical.sha256_file(target / statement_file(name)) != digest:
            what = "the version was revoked, and this is not the revocation that the tag names"
            raise TrustError(what, where=where)


def fetch_statement(
    registry: Registry, pointer: str, target: Path, environ: Mapping[str, str]
) -> tuple[str, str]:
    """Copy the files of the signed statement that a tag points at into *target*.

    Nothing is verified.

    Returns:
        The digest that the tag names, and the statement's name.

    Raises:
        NotFoundError: The tag points at none, or it is not there; SourceError if it cannot be read.
    """
    named = _POINTER.fullmatch(pointer)
    run = parse(named[2]) if named else None
    if named is None or not isinstance(run, RunTarget) or not run.path:
        raise NotFoundError(f"the tag {pointer[:200]!a} points at nothing")
    folder, _, name = run.path.rpartition("/")
    root = f"{registry.run(run.run_id).artifact_uri}/{folder}"
    reader = for_artifacts(registry, root, environ)
    stored = {one.path for one in reader.list_artifacts(root)}
    for file in (statement_file(name), envelope_file(name), bundle_file(name)):
        if file in stored:
            reader.download(root, file, target / file, limit=MAX_ENVELOPE)
    if not (target / statement_file(name)).is_file():
        raise NotFoundError(f"{named[2]} is not there")
    return named[1], name


def _number(target: VersionTarget | AliasTarget, registry: Registry) -> str:
    if isinstance(target, VersionTarget):
        return target.version
    found = registry.aliases(target.name).get(target.alias)
    if found is None:
        raise NotFoundError(f"the model has no alias {target.alias!a}")
    return found


def _pointers(version: Version) -> Mapping[str, str]:
    tags = ((_TAG.fullmatch(key), value) for key, value in version.tags.items())
    return {key[1] or UNSTAGED: value for key, value in tags if key is not None}


def _none(uri: str, why: str) -> NoEvidenceError:
    hint = "run the gate with a key, which publishes its evidence, or name a directory"
    return NoEvidenceError(f"there is no evidence: {why}", where=uri, hint=hint)
