"""Evidence of a verdict: written, signed as asked, and published where the model came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from aims_gate.errors import RecordError
from aims_gate.evidence import layout
from aims_gate.evidence.record import record
from aims_gate.policy.model import Policy
from aims_gate.reports import REPORTS
from aims_gate.request import Recording, World
from aims_gate.sinks import directory
from aims_gate.sources.subject import Subject
from aims_gate.verdict import EvidenceIdentity, Result, Verdict
from aims_gate.waivers import Waiver


def keep(  # noqa: PLR0917  # the parts of one verdict
    verdict: Verdict,
    policy: Policy,
    subject: Subject,
    recording: Recording,
    world: World,
    held: Mapping[str, Waiver],
) -> Verdict:
    """Write the evidence of a verdict with the waivers that it used, and publish it as asked.

    RecordError if it cannot be kept.
    """
    identity = EvidenceIdentity(
        id=recording.measured_as or world.new_id(verdict.started),
        measured_unsigned=bool(recording.measured_as),
        directory="",
        signed=recording.signer is not None,
        key="" if recording.signer is None else recording.signer.key.fingerprint,
    )
    verdict = replace(verdict, evidence=identity)
    report = REPORTS["json"](verdict).encode()
    files = record(
        verdict,
        subject.manifest,
        policy.document,
        report,
        signer=recording.signer,
        verifier_id=recording.verifier_id,
        waivers=used(held, verdict.results),
    )
    folder = recording.out or layout.directory(
        recording.root, model_digest=subject.manifest.digest, evaluation=identity.id
    )
    directory.write(folder, files)
    identity = replace(identity, directory=str(folder))
    # unsigned evidence proves nothing, so no tag in a registry may point at it
    if recording.publish and recording.signer is not None and subject.model.reader != "files":
        world.progress("publishing the evidence to MLflow")
        published = _publish(verdict, identity, folder, world, policy.sources_allow)
        identity = replace(identity, published=published)
    return replace(verdict, evidence=identity)


def used(held: Mapping[str, Waiver], results: Iterable[Result]) -> Mapping[str, bytes]:
    """Files of the waivers that let a rule through."""
    named = {result.waiver for result in results}
    return {n: d for one in held.values() if one.id in named for n, d in one.files.items()}


def _publish(
    verdict: Verdict,
    identity: EvidenceIdentity,
    folder: Path,
    world: World,
    allow: tuple[str, ...],
) -> str:
    from aims_gate.sinks import mlflow

    def page(place: str) -> str:
        there = replace(identity, directory="", published=place)
        return REPORTS["html"](replace(verdict, evidence=there))

    try:
        return mlflow.publish(verdict, folder, world.environ, allow, page)
    except RecordError as error:
        kept = f"the evidence itself is in {folder}; run again to publish"
        error.hint = f"{error.hint}; {kept}" if error.hint else kept
        raise
