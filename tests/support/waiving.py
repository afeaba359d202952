"""A team with keys, a policy that refuses, and the waivers that they draft and sign."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from aims_gate import canonical
from aims_gate.attest import trust_file
from aims_gate.attest.envelope import sign
from aims_gate.attest.keys import Scheme, generate
from aims_gate.attest.signers.file import LocalSigner, open_signer
from aims_gate.attest.statement import encode
from aims_gate.attest.trust import Trust
from aims_gate.errors import TrustError
from aims_gate.operations import signoff
from aims_gate.operations.run import VERIFIER_ID
from aims_gate.pipeline import run
from aims_gate.policy.data_roles import roles_of
from aims_gate.request import Recording, Request, World
from aims_gate.signoffs import kinds
from aims_gate.signoffs.grammar import WAIVER, predicate_of
from aims_gate.verdict import Verdict

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
POLICY = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: credit, version: "1"}
rules:
  - {id: PERF-01, check: performance.score, with: {metric: accuracy}, require: {at_least: 0.9}}
  - {id: DATA-01, check: data.missing}
data: {evaluation: {label: y, prediction: p, positive: 1}}
"""
PEOPLE = {
    "gate@acme.example": "gate",
    "ana@acme.example": "approver",
    "bo@acme.example": "approver",
    "jo@acme.example": "approver",
}


@dataclass(kw_only=True)
class Team:
    """A repository in which a model is refused, and the people who may let it through."""

    folder: Path
    keys: dict[str, LocalSigner] = field(default_factory=dict)

    @classmethod
    def make(cls, folder: Path, policy: str = POLICY) -> Team:
        """Write the repository; 80 of 100 predictions are right."""
        team = cls(folder=folder)
        (folder / "policy.yaml").write_text(policy, encoding="utf-8")
        (folder / "model").mkdir()
        (folder / "model" / "weights.json").write_text("[1]", encoding="utf-8")
        labels = [0, 1] * 50
        answers = [1 - y if i < 20 else y for i, y in enumerate(labels)]
        parquet.write_table(pa.table({"y": labels, "p": answers}), folder / "evaluation.parquet")
        lines = ["apiVersion: aims-gate/v1", "kind: Trust", "keys:"]
        for person, role in PEOPLE.items():
            path = folder / f"{person.partition('@')[0]}.key"
            generate(path, password=None, scheme=Scheme.ED25519)
            team.keys[person] = open_signer(str(path), environ={})
            lines += [
                f"  - person: {person}",
                f"    public_key: {path.name}.pub",
                f"    roles: [{role}]",
            ]
        (folder / "trust.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return team

    def run(
        self, *, now: datetime = NOW, gate: str = "gate@acme.example", stage: str = "", **more: Any
    ) -> Verdict:
        """Gate the model and keep signed evidence."""
        signer = self.keys[gate] if gate else None
        root = self.folder / "evidence"
        number = len(list(root.glob("*/*"))) + 1
        recording = Recording(signer=signer, verifier_id=VERIFIER_ID, root=root, **more)
        request = Request(
            policy=str(self.folder / "policy.yaml"),
            model=f"file:{self.folder / 'model'}",
            data=roles_of({"evaluation": str(self.folder / "evaluation.parquet")}),
            recording=recording,
            stage=stage or None,
        )
        world = World(now=lambda: now, new_id=lambda _now: f"run-{number}")
        return run(request, world)

    def draft(
        self, evidence: str, rule: str = "PERF-01", *, by: str = "jo@acme.example", **more: Any
    ) -> Path:
        """Draft a waiver from evidence, and save it where the gate looks."""
        asked = signoff.Asked(
            evidence=Path(evidence),
            requested_by=by,
            why="retraining on the new labels lands next week, manual review meanwhile",
            expires=more.pop("expires", NOW + timedelta(days=20)),
            now=more.pop("at", NOW),
        )
        text = signoff.draft_waiver(rule, asked, **more)
        return signoff.save(text, None, self.folder / "waivers")

    def approve(self, draft: Path, by: str = "ana@acme.example", *, at: datetime = NOW) -> Path:
        """Sign a draft as a person would."""
        return signoff.approve(draft, self.keys[by], self.folder / "trust.yaml", now=at).path

    def trust(self) -> Trust:
        """Read the trust file."""
        return trust_file.load(self.folder / "trust.yaml")

    def forge(self, draft: Path, by: str = "ana@acme.example", **changes: Any) -> Path:
        """Sign what `approve` would refuse: the draft with *changes* to its predicate."""
        document, _text = WAIVER.read(draft.read_bytes(), draft.name)
        predicate = predicate_of(document.tree, approved_by=by, issued=f"{NOW:%Y-%m-%dT%H:%M:%SZ}")
        honest, predicate = predicate, {**predicate, **changes}
        try:
            payload = encode(kinds.statement_of(kinds.WAIVER, predicate))
        except TrustError:  # what is no waiver is signed all the same
            whole = canonical.parse(encode(kinds.statement_of(kinds.WAIVER, honest)))
            payload = canonical.encode({**whole, "predicate": predicate})
        path = draft.with_name(f"{draft.stem}.forged.dsse.json")
        path.write_bytes(sign(payload, self.keys[by]))
        return path


def outcomes(verdict: Verdict) -> dict[str, str]:
    """Outcome by rule, waivers that do not count included."""
    return {one.rule: str(one.outcome) for one in verdict.results}
