"""The gate over files as writers leave them: one policy, one file a role, a line for each rule."""

from __future__ import annotations

from pathlib import Path

import aims_gate
from aims_gate.verdict import Verdict

HEAD = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: field, version: "1.0.0", owner: a@b.example}
"""


def gate(folder: Path, policy: str, **data: Path) -> Verdict:
    model = folder / "model"
    model.mkdir(exist_ok=True)
    (model / "weights.json").write_text("{}")
    path = folder / "policy.yaml"
    path.write_text(HEAD + policy)
    return aims_gate.run(
        str(path), f"file:{model}", data={role: str(file) for role, file in data.items()}
    )


def lines(verdict: Verdict) -> dict[str, tuple[str, str]]:
    return {r.rule: (str(r.outcome), r.reason) for r in verdict.results}
