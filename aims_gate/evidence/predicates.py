"""What the statements about a verdict say, and those about what became of it afterwards.

Keys that a later version adds are ignored, as in-toto demands; those that are read must be
there and of their type. Digests are compared as they are written, in `evidence.reader`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainValidator
from pydantic.alias_generators import to_camel

from aims_gate.attest.manifest import MODEL_FILE
from aims_gate.attest.statement import BASE, StatementKind, statement_file
from aims_gate.attest.trust import KeyRole
from aims_gate.documents.keys import refuse

FORM = "%Y-%m-%dT%H:%M:%SZ"
"""How statements write a time."""
UNSIGNED = "unsigned"
"""`measuredBy` of an evaluation that another job measured, without a key."""


def as_time(value: object) -> datetime:
    """Time of a statement; refused unless it is in UTC, to the second."""
    try:
        return datetime.strptime(str(value), FORM).replace(tzinfo=UTC)
    except ValueError:
        raise refuse(f"{str(value)[:40]!a} is not a UTC time") from None


def _as_end(value: object) -> datetime | None:
    return None if value is None else as_time(value)


_Word = Annotated[str, Field(min_length=1)]
_Time = Annotated[datetime, PlainValidator(as_time)]
_End = Annotated[datetime | None, PlainValidator(_as_end)]


class _Said(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True, frozen=True, alias_generator=to_camel)


class DigestSaid(_Said):
    """A digest set, of which one digest counts."""

    sha256: _Word


class FileSaid(_Said):
    """A file by its place and its bytes."""

    uri: _Word
    digest: DigestSaid


class VerifierSaid(_Said):
    """Who ran the gate."""

    id: _Word
    version: dict[str, Any] = {}


class PolicySaid(_Said):
    """The policy that was applied."""

    name: _Word
    version: _Word
    uri: str = ""
    source: DigestSaid | None = None
    """The bytes of the file that it was read from; `digest` is of its resolved text."""
    extends: list[FileSaid]
    expires: _End = None
    signature: DigestSaid | None = None
    """The statement that signs it, where the run demanded one; it lies beside the evidence."""


class ModelSaid(_Said):
    """The model that was judged."""

    uri: _Word
    digest: DigestSaid
    annotations: dict[str, Any] = {}


class ResultSaid(_Said):
    """What became of one rule."""

    rule: _Word
    severity: _Word
    outcome: _Word
    raw_outcome: _Word
    waiver: str | None = None
    expires: _End = None


class Evaluation(_Said):
    """Everything that was measured and decided."""

    verdict: _Word
    stage: _Word
    finished_on: _Time
    evaluator: VerifierSaid
    policy: PolicySaid
    model: ModelSaid
    results: list[ResultSaid]
    waivers: list[FileSaid] = []
    """The signed waivers beside it."""
    measured_by: str = ""
    """`unsigned` where the job that signed did not measure."""


class InTotoTestResult(_Said):
    """in-toto: which rules passed."""

    result: _Word
    failed_tests: list[str]


class Summary(_Said):
    """SLSA: what was decided, over the digests of the other two."""

    verifier: VerifierSaid
    time_verified: _Time
    resource_uri: _Word
    verification_result: _Word
    verified_levels: list[str]


EVALUATION = StatementKind(
    name="evaluation",
    predicate_type=f"{BASE}evaluation/v1",
    predicate=Evaluation,
    signed_by=KeyRole.GATE,
)
TEST_RESULT = StatementKind(
    name="test-result",
    predicate_type="https://in-toto.io/attestation/test-result/v0.1",
    predicate=InTotoTestResult,
    signed_by=KeyRole.GATE,
)
SUMMARY = StatementKind(
    name="vsa",
    predicate_type="https://slsa.dev/verification_summary/v1",
    predicate=Summary,
    signed_by=KeyRole.GATE,
)
OF_A_VERDICT = (EVALUATION, TEST_RESULT, SUMMARY)
"""The three that state a verdict together, in the order in which they are written."""


class Promotion(_Said):
    """Which version an alias was to point at from then on, on what grounds, and in whose place."""

    action: Literal["promote", "rollback"]
    alias: _Word
    stage: _Word
    resource_uri: _Word
    """Package URL of the version."""
    previous: str | None
    """The version that the alias pointed at before; None where it was not there."""
    evidence: FileSaid
    """Where the evidence lies, and the digest of its summary."""
    why: _Word
    promoted_on: _Time


class Revocation(_Said):
    """Why its subject counts no more; a key's signatures from a time on, or all of them."""

    why: _Word
    revoked_on: _Time
    since: _End = None


PROMOTION = StatementKind(
    name="promotion",
    predicate_type=f"{BASE}promotion/v1",
    predicate=Promotion,
    signed_by=KeyRole.GATE,
)
"""Signed by the gate's key. What verifies and moves is a job that such a key is already in, and the
statement widens nothing: evidence is verified anew each time. An approver's key makes exceptions,
so it stays with its person and out of jobs."""
KEY_SUBJECT = "key.ssh"
"""What a revoked key is called: its OpenSSH form, whose SHA-256 the fingerprint is."""
REVOCATION = StatementKind(
    name="revocation",
    predicate_type=f"{BASE}revocation/v1",
    predicate=Revocation,
    signed_by=None,
    subjects=(statement_file(SUMMARY.name), MODEL_FILE, KEY_SUBJECT),
)
"""Of a verdict, by its summary; of a model, by its manifest; of a key. Any trusted key may sign it,
also one that has expired since: it can only forbid."""


class SignedPolicy(_Said):
    """Who answers for a policy: for its file, and for the text that it resolves to."""

    id: _Word
    version: _Word
    resolved: DigestSaid
    signed_by: _Word
    signed_on: _Time


POLICY_SUBJECT = "policy.yaml"
"""What the file of a policy is called, whatever its name."""
POLICY = StatementKind(
    name="policy",
    predicate_type=f"{BASE}policy/v1",
    predicate=SignedPolicy,
    signed_by=KeyRole.POLICY,
    subjects=(POLICY_SUBJECT,),
)
