"""Signed policies: a person's yes to the bytes of a policy and to all that it resolves to."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from aims_gate import canonical
from aims_gate.attest.signers import Signer
from aims_gate.attest.statement import Statement
from aims_gate.attest.statement_files import SignedStatement, read_statement, write_statement
from aims_gate.attest.trust import KeyRole, Trust
from aims_gate.errors import TrustError, UsageError
from aims_gate.evidence.layout import SIGNATURE
from aims_gate.evidence.predicates import FORM, POLICY, POLICY_SUBJECT, SignedPolicy
from aims_gate.evidence.reader import Proof
from aims_gate.policy.model import Policy


def statement_name(policy: Policy) -> str:
    """Name of the statement beside a policy, from its file's name and SHA-256.

    Each wording has its own, because what was signed is never overwritten.
    """
    return f"{Path(policy.uri.rpartition('#')[2]).stem}.{policy.source_digest[:12]}"


def sign_policy(policy: Policy, signer: Signer, *, trust: Trust, now: datetime) -> str:
    """Sign a policy's file and its resolved text; gives the name of the statement beside it.

    Raises:
        TrustError: the key may sign no policies; UsageError: the policy is a pack.
        RecordError: the statement cannot be written.
    """
    if not policy.folder:
        raise UsageError("a pack is not signed", hint="write a policy that extends it")
    person = trust.admit(signer.key, role=KeyRole.POLICY, at=now, where=trust.file).person
    statement = Statement(
        predicate_type=POLICY.predicate_type,
        subject_name=POLICY_SUBJECT,
        subject=policy.source_digest,
        predicate={
            "id": policy.id,
            "version": policy.version,
            "resolved": {"sha256": policy.digest},
            "signedBy": person,
            "signedOn": now.strftime(FORM),
        },
    )
    name = statement_name(policy)
    write_statement(Path(policy.folder), name, POLICY, statement, signer)
    return name


def open_policy(
    folder: Path, name: str, *, source: str, resolved: str, trust: Trust, now: datetime
) -> SignedStatement[SignedPolicy]:
    """Verify that a policy is signed: its file's SHA-256, and that of its resolved text.

    Raises:
        TrustError: It is not signed, the signature does not hold, or is of another policy.
    """
    opened = read_statement(folder, name, POLICY, trust=trust, now=now)
    opened.signer.refuse_frozen(opened.said.signed_on)
    if opened.said.signed_by != opened.signer.person:
        what = f"it says that {opened.said.signed_by!a} signed, not {opened.signer.person}"
        raise TrustError(what, where=name)
    if (opened.statement.subject, opened.said.resolved.sha256) != (source, resolved):
        raise TrustError("is the signature of another policy, or of other parents", where=name)
    return opened


def demand(proof: Proof, folder: Path, *, where: str, trust: Trust, now: datetime) -> None:
    """Demand that the policy of evidence was signed, by who may by this trust file.

    Raises:
        TrustError: It was not demanded when the gate ran, or does not hold now.
    """
    policy = proof.evaluation.policy
    if policy.signature is None or policy.source is None:
        hint = "run the gate with --require-signed-policy"
        raise TrustError("the policy was not signed", where=where, hint=hint)
    resolved = canonical.sha256(proof.policy)
    opened = open_policy(
        folder, SIGNATURE, source=policy.source.sha256, resolved=resolved, trust=trust, now=now
    )
    if opened.digest != policy.signature.sha256:
        raise TrustError("is not the signature that the gate saw", where=SIGNATURE)
