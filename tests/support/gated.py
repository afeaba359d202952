"""A gate over time: signed verdicts and promotions in a folder, as the gate writes them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from aims_gate import canonical
from aims_gate.attest import manifest
from aims_gate.attest.statement import Statement
from aims_gate.attest.statement_files import write_statement
from aims_gate.evidence import layout
from aims_gate.evidence.predicates import FORM, PROMOTION
from aims_gate.evidence.record import record
from aims_gate.facts import ModelIdentity
from aims_gate.policy.model import Severity
from aims_gate.reports import REPORTS
from aims_gate.sinks import directory
from aims_gate.sinks.alias import statement_name
from aims_gate.sources.mlflow.evidence import PROMOTIONS
from aims_gate.verdict import Decision, EvidenceIdentity, Outcome, Result
from tests.operations.test_verify import write_trust
from tests.reports.cases import BIAS, ROC, verdict_of
from tests.support.proofs import POLICY, VERIFIER, Lab

SERVER = "https://mlflow.example"


class Gated:
    """Versions that were judged and promoted; their evidence lies below `folder`."""

    def __init__(self, folder: Path) -> None:
        self.lab = Lab.make(folder / "lab")
        write_trust(self.lab)
        self.trust = self.lab.folder / "trust.yaml"
        self.folder = folder / "evidence"
        self.count = 0

    def judge(
        self,
        name: str,
        version: str,
        at: datetime,
        *results: Result,
        passed: bool = True,
        signed: bool = True,
        version_of_policy: str = "",
        place: str = "",
    ) -> Path:
        """Evidence of a verdict that took 48 seconds; gives its directory."""
        self.count += 1
        (self.lab.model / "MLmodel").write_text(f"{name} {version}\n", encoding="utf-8")
        files = manifest.scan(self.lab.model)
        place = place or f"pkg:mlflow/{name}@{version}?repository_url={quote(SERVER, safe='')}"
        shown = results or ((ROC,) if passed else (ROC, BIAS))
        key = self.lab.signer.key.fingerprint if signed else ""
        identity = EvidenceIdentity(
            id=f"{at:%Y%m%dT%H%M%SZ}-{self.count:08x}", directory="", signed=signed, key=key
        )
        base = verdict_of(*shown, decision=Decision.PASSED if passed else Decision.REFUSED)
        policy = replace(
            base.policy,
            version=version_of_policy or base.policy.version,
            digest=canonical.sha256(POLICY),
            source_digest="ac" * 32,
        )
        verdict = replace(
            base,
            model=ModelIdentity(
                uri=f"models:/{name}/{version}",
                name=name,
                version=version,
                resource_uri=place,
                digest=files.digest,
                files=files.files,
                bytes=files.bytes,
            ),
            policy=policy,
            evidence=identity,
            started=at - timedelta(seconds=48),
            finished=at,
        )
        report = REPORTS["json"](verdict).encode()
        signer = self.lab.signer if signed else None
        written = record(verdict, files, POLICY, report, signer=signer, verifier_id=VERIFIER)
        target = layout.directory(self.folder, model_digest=files.digest, evaluation=identity.id)
        directory.write(target, written)
        return target

    def promote(
        self, evidence: Path, at: datetime, *, alias: str = "champion", previous: str | None = None
    ) -> Path:
        """Promotion of the version that evidence is about; gives its folder."""
        vsa = canonical.parse((evidence / "vsa.statement.json").read_bytes())
        statement = Statement(
            predicate_type=PROMOTION.predicate_type,
            subject=vsa["subject"][0]["digest"]["sha256"],
            predicate={
                "action": "promote",
                "alias": alias,
                "stage": "production",
                "resourceUri": vsa["predicate"]["resourceUri"],
                "previous": previous,
                "evidence": {"uri": "runs:/r/aims_gate/e", "digest": {"sha256": "ab" * 32}},
                "why": "release",
                "promotedOn": at.strftime(FORM),
            },
        )
        folder = evidence / PROMOTIONS
        folder.mkdir(exist_ok=True)
        name = statement_name(at, "promote", f"{self.count:08x}")
        write_statement(folder, name, PROMOTION, statement, self.lab.signer)
        return folder


def measured(rule: str, *controls: str, outcome: Outcome = Outcome.PASS, check: str = "") -> Result:
    """Result of a rule that supports controls of ISO/IEC 42001."""
    like = replace(
        BIAS if outcome is Outcome.FAIL else ROC,
        rule=rule,
        check=check or ROC.check,
        controls=tuple(f"iso42001:{one}" for one in controls),
    )
    if outcome in {Outcome.FAIL, Outcome.PASS}:
        return like
    nothing = replace(like, severity=Severity.WARN, statistics=(), decided=False)
    return replace(nothing, outcome=outcome, raw_outcome=outcome)
