"""What the statements about a verdict say, and those about what became of it afterwards.

Keys that a later version adds are ignored, as in-toto demands; those that are read must be
there and of their type. Digests are compared as they are written, in `evidence.reader`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, model_validator
from pydantic.alias_generators import to_camel

from aims_gate.attest.manifest import MODEL_FILE
from aims_gate.attest.statement import BASE, StatementKind, statement_file
from aims_gate.attest.trust import KeyRole
from aims_gate.bracket import Bracket
from aims_gate.documents.keys import refuse
from aims_gate.evidence.read_values import BracketSaid, Number
from aims_gate.verdict import Outcome

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


Word = Annotated[str, Field(min_length=1)]
Time = Annotated[datetime, PlainValidator(as_time)]
End = Annotated[datetime | None, PlainValidator(_as_end)]


class Said(BaseModel):
    """Keys of a predicate, spelled as in in-toto."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True, alias_generator=to_camel)


class DigestSaid(Said):
    """A digest set, of which one digest counts."""

    sha256: Word


class FileSaid(Said):
    """A file by its place and its bytes."""

    uri: Word
    digest: DigestSaid


class VerifierSaid(Said):
    """Who ran the gate."""

    id: Word
    version: dict[str, Any] = {}


class PolicySaid(Said):
    """The policy that was applied."""

    name: Word
    version: Word
    uri: str = ""
    source: DigestSaid | None = None
    """The bytes of the file that it was read from; `digest` is of its resolved text."""
    extends: list[FileSaid]
    expires: End = None
    limits: list[str] = []
    """Whose limits those of packs are."""
    signature: DigestSaid | None = None
    """The statement that signs it, where the run demanded one; it lies beside the evidence."""


class ModelSaid(Said):
    """The model that was judged."""

    uri: Word
    digest: DigestSaid
    annotations: dict[str, Any] = {}


class CellSaid(Said):
    """A measured number, as far as its bracket says what all rows can give."""

    judged: bool = False
    value: Number = None
    bracket: BracketSaid | None = None

    @model_validator(mode="after")
    def _within(self) -> Self:
        if self.bracket is not None and not self.bracket.holds(self.value):
            raise refuse("has a value out of its bracket")
        return self


class LimitsSaid(Said):
    """What a value is held against."""

    at_least: Number = None
    at_most: Number = None


class ResultSaid(Said):
    """What became of one rule."""

    rule: Word
    severity: Word
    outcome: Word
    raw_outcome: Word
    waiver: str | None = None
    expires: End = None
    threshold: LimitsSaid | None = None
    statistics: list[CellSaid] = []

    @model_validator(mode="after")
    def _passes(self) -> Self:
        """Whatever a rule is decided on, it passes only where all of a bracket meets its limit."""
        brackets = [one.bracket for one in self.statistics if one.judged and one.bracket]
        if self.raw_outcome == Outcome.PASS and not all(map(self._met, brackets)):
            raise refuse(f"{self.rule[:80]} passed, and its bracket reaches past the limit")
        return self

    def _met(self, bracket: Bracket) -> bool:
        limits = self.threshold or LimitsSaid()
        below = limits.at_least is None or bracket.low >= limits.at_least
        above = limits.at_most is None or bracket.high <= limits.at_most
        return below and above and limits != LimitsSaid()


class Evaluation(Said):
    """Everything that was measured and decided."""

    verdict: Word
    stage: Word
    finished_on: Time
    evaluator: VerifierSaid
    policy: PolicySaid
    model: ModelSaid
    results: list[ResultSaid]
    waivers: list[FileSaid] = []
    """The signed waivers beside it."""
    measured_by: str = ""
    """`unsigned` where the job that signed did not measure."""


class InTotoTestResult(Said):
    """in-toto: which rules passed."""

    result: Word
    failed_tests: list[str]


class Summary(Said):
    """SLSA: what was decided, over the digests of the other two."""

    verifier: VerifierSaid
    time_verified: Time
    resource_uri: Word
    verification_result: Word
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


class Promotion(Said):
    """Which version an alias was to point at from then on, on what grounds, and in whose place."""

    action: Literal["promote", "rollback"]
    alias: Word
    stage: Word
    resource_uri: Word
    """Package URL of the version."""
    previous: str | None
    """The version that the alias pointed at before; None where it was not there."""
    evidence: FileSaid
    """Where the evidence lies, and the digest of its summary."""
    why: Word
    promoted_on: Time


class Revocation(Said):
    """Why its subject counts no more; a key's signatures from a time on, or all of them."""

    why: Word
    revoked_on: Time
    since: End = None


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


class SignedPolicy(Said):
    """Who answers for a policy: for its file, and for the text that it resolves to."""

    id: Word
    version: Word
    resolved: DigestSaid
    signed_by: Word
    signed_on: Time


POLICY_SUBJECT = "policy.yaml"
"""What the file of a policy is called, whatever its name."""
POLICY = StatementKind(
    name="policy",
    predicate_type=f"{BASE}policy/v1",
    predicate=SignedPolicy,
    signed_by=KeyRole.POLICY,
    subjects=(POLICY_SUBJECT,),
)
