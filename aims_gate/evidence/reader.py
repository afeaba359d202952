"""An evidence directory whose files belong together, and whose signatures hold if that is asked.

To verify, bytes are verified before anything is parsed, and a file counts only through the digest
that a signed statement gives for it. Other files that lie in the directory are never read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from aims_gate import canonical
from aims_gate.attest.envelope import OpenedEnvelope, take_apart
from aims_gate.attest.manifest import MODEL_FILE
from aims_gate.attest.statement import (
    P,
    Statement,
    StatementKind,
    decode,
    envelope_file,
    statement_file,
)
from aims_gate.attest.statement_files import believed_about, open_statement, read_file
from aims_gate.attest.trust import KeyRole, Trust, TrustedKey
from aims_gate.errors import TrustError
from aims_gate.evidence.layout import POLICY_FILE, REPORT_FILE
from aims_gate.evidence.predicates import (
    EVALUATION,
    OF_A_VERDICT,
    SUMMARY,
    TEST_RESULT,
    Evaluation,
    InTotoTestResult,
    Summary,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What an evidence directory holds, whose files name each other."""

    subject: str
    """SHA-256 of the manifest, which all three statements are about."""
    digest: str
    """SHA-256 of the summary, by which the verdict is referred to."""
    evaluation: Evaluation
    test_result: InTotoTestResult
    summary: Summary
    manifest: bytes
    policy: bytes
    report: bytes
    stated: Mapping[str, Any]
    """The predicate of the evaluation, with all that it says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof(Contents):
    """What an evidence directory holds, after its signatures were verified."""

    signer: TrustedKey


def open_evidence(folder: Path, trust: Trust, now: datetime) -> Proof:
    """Read and verify an evidence directory.

    Args:
        folder: The directory that `run` wrote.
        trust: Whose signatures count.
        now: The present moment, with time zone; the key must be valid then.

    Raises:
        TrustError: A file is missing, unsigned, forged, altered, or signed by somebody who may
            not; or the files do not belong together.
    """
    if not _signed(folder):
        raise TrustError(
            "the evidence is not signed",
            where=str(folder),
            hint="run the gate with --key; unsigned evidence never verifies",
        )
    opened: dict[str, OpenedEnvelope] = {}
    believed = trust
    for kind in OF_A_VERDICT:  # the summary is the last, and its signer the one that is asked for
        believed = believed_about(folder, kind.name, trust)
        keys = [one.key for one in believed.keys]
        opened[kind.name] = open_statement(folder, kind.name, keys, role=kind.signed_by)
    if len({one.key.fingerprint for one in opened.values()}) != 1:
        raise TrustError("the three statements are signed by different keys", where=str(folder))
    vsa = SUMMARY.name
    signer = believed.admit(opened[vsa].key, role=KeyRole.GATE, at=now, where=envelope_file(vsa))
    payloads = {name: one.payload for name, one in opened.items()}
    return _contents(Proof, folder, payloads, signer=signer)


def open_unverified(folder: Path) -> tuple[Contents, str]:
    """Read an evidence directory of which no signature is verified.

    Returns:
        What it holds, and the fingerprint that its envelopes name; empty for unsigned evidence.

    Raises:
        TrustError: A file is missing or malformed, or the files do not belong together.
    """
    names = [kind.name for kind in OF_A_VERDICT]
    if not _signed(folder):
        return _contents(
            Contents, folder, {n: read_file(folder, statement_file(n)) for n in names}
        ), ""
    parts = {n: take_apart(read_file(folder, envelope_file(n)), envelope_file(n)) for n in names}
    for name, one in parts.items():
        if read_file(folder, statement_file(name)) != one.payload:
            raise TrustError("is not what its envelope holds", where=statement_file(name))
    keys = {one.keyid for one in parts.values()}
    if len(keys) != 1:
        raise TrustError("the three statements name different keys", where=str(folder))
    return _contents(Contents, folder, {n: one.payload for n, one in parts.items()}), keys.pop()


def _signed(folder: Path) -> bool:
    """Whether any envelope is there; TrustError for what is no directory."""
    try:
        names = {path.name for path in folder.iterdir()}
    except (OSError, ValueError) as error:
        raise TrustError("there is no readable evidence directory", where=str(folder)) from error
    return any(envelope_file(kind.name) in names for kind in OF_A_VERDICT)


C = TypeVar("C", bound=Contents)


def _contents(made: type[C], folder: Path, payloads: Mapping[str, bytes], **more: Any) -> C:
    """Decode the statements, and hold every file against its digest in them."""
    statements = {
        kind.name: decode(payloads[kind.name], kind=kind, where=statement_file(kind.name))
        for kind in OF_A_VERDICT
    }
    files = {name: read_file(folder, name) for name in (MODEL_FILE, POLICY_FILE, REPORT_FILE)}
    _belong_together(statements, payloads, files)

    def said(kind: StatementKind[P]) -> P:
        return kind.read(statements[kind.name].predicate, where=statement_file(kind.name))

    return made(
        subject=statements[SUMMARY.name].subject,
        digest=canonical.sha256(payloads[SUMMARY.name]),
        evaluation=said(EVALUATION),
        test_result=said(TEST_RESULT),
        summary=said(SUMMARY),
        manifest=files[MODEL_FILE],
        policy=files[POLICY_FILE],
        report=files[REPORT_FILE],
        stated=statements[EVALUATION.name].predicate,
        **more,
    )


def _belong_together(
    statements: Mapping[str, Statement], payloads: Mapping[str, bytes], files: Mapping[str, bytes]
) -> None:
    """Verify every file by its digest in a signed statement."""
    evaluation, test_result, vsa = (statements[kind.name] for kind in OF_A_VERDICT)
    digests = {name: {"sha256": canonical.sha256(data)} for name, data in files.items()}
    if len({one.subject for one in statements.values()}) != 1:
        raise TrustError("the three statements are about different models")
    if digests[MODEL_FILE] != {"sha256": vsa.subject}:
        raise TrustError("is not the manifest that was signed", where=MODEL_FILE)
    inputs = [
        {"uri": statement_file(name), "digest": {"sha256": canonical.sha256(data)}}
        for name, data in payloads.items()
        if name != SUMMARY.name
    ]
    if vsa.predicate.get("inputAttestations") != inputs:
        what = "the summary is over other statements than these"
        raise TrustError(what, where=statement_file(SUMMARY.name))
    if evaluation.predicate.get("report") != digests[REPORT_FILE]:
        raise TrustError("is not the report that was signed", where=REPORT_FILE)
    named = (
        _at(vsa.predicate, "policy", "digest"),
        _at(evaluation.predicate, "policy", "digest"),
        _at(test_result.predicate, "configuration", 0, "digest"),
    )
    if any(digest != digests[POLICY_FILE] for digest in named):
        raise TrustError("is not the policy that was signed", where=POLICY_FILE)


def _at(tree: object, *path: str | int) -> object:
    """Value at *path* in a tree; None where the path leads nowhere."""
    for step in path:
        match tree, step:
            case dict(), str():
                tree = tree.get(step)
            case [first, *_], 0:
                tree = first
            case _:
                return None
    return tree
