"""Verdicts, signed evidence and forgeries for the tests of evidence."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from aims_gate import canonical
from aims_gate.attest import manifest
from aims_gate.attest.envelope import sign
from aims_gate.attest.manifest import Manifest
from aims_gate.attest.signers import Signer
from aims_gate.attest.signers.file import LocalSigner
from aims_gate.attest.sigstore_bundle import bundle_file, wrap
from aims_gate.attest.statement import envelope_file, statement_file
from aims_gate.attest.trust import KeyRole, Trust, TrustedKey
from aims_gate.evidence.agreement import Verified
from aims_gate.evidence.kinds import KINDS
from aims_gate.evidence.predicates import OF_A_VERDICT
from aims_gate.evidence.record import record
from aims_gate.evidence.verify import Expected, verify_evidence
from aims_gate.facts import (
    Ancestor,
    DatasetIdentity,
    DigestKind,
    Interval,
    ModelIdentity,
    NoValue,
    Statistic,
)
from aims_gate.policy.model import Severity, Threshold
from aims_gate.sinks import directory
from aims_gate.verdict import (
    Decision,
    EvidenceIdentity,
    Outcome,
    PolicyIdentity,
    Result,
    Verdict,
)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SIGNED_AT = NOW - timedelta(hours=2)
VERIFIER = "https://ci.example/gate.yml"
PLACE = "pkg:mlflow/credit-risk@7?repository_url=https%3A%2F%2Fmlflow.example"
POLICY = b"apiVersion: aims-gate/v1\nkind: Policy\nmetadata: {id: credit-risk, version: '3.2.0'}\n"
RELEASE = Ancestor(uri="pack:release@1.0.0", digest="5e" * 32)
REPORT = b'{"verdict": "passed"}\n'

Tree = dict[str, Any]


def new_signer() -> LocalSigner:
    """Give a fresh P-256 key."""
    return LocalSigner.of(ec.generate_private_key(ec.SECP256R1()))


def result(rule: str, outcome: Outcome, *, blocking: bool = False) -> Result:
    """Give a result with a number, an unbounded interval and a cell that has no value."""
    statistics = (
        Statistic(
            name="impact_ratio",
            slice="sex=F vs sex=M",
            value=2 / 3,
            interval=Interval(low=0.61, high=math.inf, level=0.95, method="MOVER-R"),
            rows=1212,
            total=5000,
            engine="native 0.1.0",
            judged=True,
        ),
        Statistic(name="impact_ratio", slice="sex=X", lack=NoValue.INSUFFICIENT, reason="11 rows"),
    )
    return Result(
        rule=rule,
        check="fairness.impact_ratio",
        severity=Severity.BLOCK if blocking or outcome is Outcome.PASS else Severity.WARN,
        outcome=outcome,
        raw_outcome=outcome,
        reason=f"{rule} became {outcome}",
        threshold=Threshold(at_least=0.8),
        statistics=statistics,
        controls=("iso42001:A.5.4",),
        blocking=blocking,
        decided=outcome in {Outcome.FAIL, Outcome.WAIVED, Outcome.WARN, Outcome.PASS},
    )


def verdict_of(model: Manifest, signer: Signer | None, /, **changes: Any) -> Verdict:
    """Give a passed verdict with one warning; *changes* replace its fields."""
    verdict = Verdict(
        decision=Decision.PASSED,
        stage="production",
        model=ModelIdentity(
            uri="models:/credit-risk/7",
            name="credit-risk",
            version="7",
            resource_uri=PLACE,
            digest=model.digest,
            files=model.files,
            bytes=model.bytes,
        ),
        policy=PolicyIdentity(
            id="credit-risk",
            version="3.2.0",
            digest=canonical.sha256(POLICY),
            uri="policy.yaml",
            extends=(RELEASE,),
            source_digest="ac" * 32,
        ),
        results=(
            result("PERF-01", Outcome.PASS),
            result("BIAS-02", Outcome.WARN),
            result("DATA-03", Outcome.NOT_APPLICABLE),
        ),
        datasets=(
            DatasetIdentity(
                role="evaluation",
                name="eval",
                uri="s3://ml-data/eval.parquet",
                digest="5b" * 32,
                digest_kind=DigestKind.FILE,
                rows=5000,
                mlflow_digest="1bb559db",
            ),
        ),
        evidence=EvidenceIdentity(
            id="20261123T100000Z-0a1b2c3d",
            directory="",
            signed=signer is not None,
            key=signer.key.fingerprint if signer else "",
        ),
        started=SIGNED_AT - timedelta(seconds=9),
        finished=SIGNED_AT,
        versions={"aims-gate": "0.1.0", "python": "3.11.7"},
    )
    return replace(verdict, **changes)


def refused(**changes: Any) -> dict[str, Any]:
    """Give the changes that turn the verdict into a refusal."""
    results = (
        result("BIAS-02", Outcome.FAIL, blocking=True),
        result("MON-01", Outcome.ERROR, blocking=True),
        result("PERF-01", Outcome.PASS),
    )
    return {"decision": Decision.REFUSED, "results": results, **changes}


def make_model(folder: Path) -> Path:
    """Write a small model: files of several sizes and depths, one name with a space."""
    (folder / "data").mkdir(parents=True)
    (folder / "MLmodel").write_text("flavors: {}\n", encoding="utf-8")
    (folder / "model.skops").write_bytes(bytes(range(256)) * 9)
    (folder / "data" / "input example.json").write_text("[1, 2]\n", encoding="utf-8")
    return folder


@dataclass(kw_only=True)
class Lab:
    """A model, its signed evidence, and the means to verify and to forge it."""

    folder: Path
    signer: Signer
    model: Path
    evidence: Path

    @classmethod
    def make(cls, folder: Path, *, signed: bool = True, **changes: Any) -> Lab:
        """Gate a small model; *changes* replace fields of the verdict."""
        lab = cls(
            folder=folder,
            signer=new_signer(),
            model=make_model(folder / "model"),
            evidence=folder / "evidence",
        )
        lab.write(lab.evidence, signed=signed, **changes)
        return lab

    def write(self, target: Path, *, signed: bool = True, **changes: Any) -> Path:
        """Write evidence of the model as it is now."""
        signer = self.signer if signed else None
        files = record(
            verdict_of(self.manifest, signer, **changes),
            self.manifest,
            POLICY,
            REPORT,
            signer=signer,
            verifier_id=VERIFIER,
        )
        directory.write(target, files)
        return target

    @property
    def manifest(self) -> Manifest:
        """The model's files as they are now."""
        return manifest.scan(self.model)

    def trust(self, *, others: tuple[TrustedKey, ...] = (), **changes: Any) -> Trust:
        """Trust the gate's key; *changes* replace fields of its entry."""
        entry = TrustedKey(
            key=self.signer.key,
            person="gate@acme.example",
            roles=frozenset({KeyRole.GATE}),
            verifier_ids=(VERIFIER,),
            valid_from=NOW - timedelta(days=90),
            valid_until=NOW + timedelta(days=90),
        )
        return Trust(keys=(replace(entry, **changes), *others))

    def verify(
        self, *, trust: Trust | None = None, now: datetime = NOW, **expected: Any
    ) -> Verified:
        """Verify the evidence against the model as it is now."""
        return verify_evidence(
            self.evidence,
            trust=trust or self.trust(),
            expected=Expected(
                **(expected if "model" in expected else {"model": self.manifest, **expected})
            ),
            now=now,
        )

    def payload(self, stem: str) -> Tree:
        """Read a statement."""
        tree: Tree = canonical.parse((self.evidence / statement_file(stem)).read_bytes())
        return tree

    def resign(self, stem: str, tree: Tree, *, signer: Signer | None = None) -> None:
        """Sign a forged statement with the gate's own key and mend what refers to it.

        It is what somebody inside the gate could do, so only the cross-checks can refuse it.
        """
        self._put(stem, canonical.encode(tree), signer or self.signer)
        if stem != "vsa":
            summary = self.payload("vsa")
            for entry in summary["predicate"]["inputAttestations"]:
                data = (self.evidence / entry["uri"]).read_bytes()
                entry["digest"] = {"sha256": canonical.sha256(data)}
            self._put("vsa", canonical.encode(summary), self.signer)

    def forge(self, stem: str, change: Callable[[Tree], object]) -> None:
        """Change a statement's predicate and sign it anew."""
        tree = self.payload(stem)
        change(tree["predicate"])
        self.resign(stem, tree)

    def drop_bundles(self) -> None:
        """Leave out the Sigstore bundles, which need not be there, as a forger would."""
        for kind in OF_A_VERDICT:
            (self.evidence / bundle_file(kind.name)).unlink()

    def _put(self, stem: str, payload: bytes, signer: Signer) -> None:
        assert stem in KINDS
        (self.evidence / statement_file(stem)).write_bytes(payload)
        envelope = sign(payload, signer)
        (self.evidence / envelope_file(stem)).write_bytes(envelope)
        (self.evidence / bundle_file(stem)).write_bytes(wrap(envelope, signer.key))
