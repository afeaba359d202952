"""The command line on a policy of a few rules, and what its report says of each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import command_line

HEAD = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: field, version: "1.0.0", owner: a@b.example}
"""
MLMODEL = """\
flavors:
  python_function: {loader_module: mlflow.sklearn, python_version: 3.11.0}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gated:
    """How a run of the gate ended: its exit code, and results by rule."""

    code: int
    results: Mapping[str, Mapping[str, Any]]
    said: str
    """All that it wrote to the terminal."""

    def outcomes(self) -> dict[str, str]:
        return {rule: result["outcome"] for rule, result in self.results.items()}

    def values(self) -> dict[str, float | None]:
        """Judged values by rule and cell."""
        return {
            f"{rule} {cell['slice']}": cell["value"]
            for rule, result in self.results.items()
            for cell in result["statistics"]
            if cell["judged"]
        }

    def reason(self, rule: str) -> str:
        return str(self.results[rule]["reason"])


def gate(
    folder: Path, policy: str, *data: str, model: str = "file:model", **variables: str
) -> Gated:
    """Gate a model, or an empty one beside the data, without defaults and without a signature."""
    (folder / "policy.yaml").write_text(HEAD + policy, encoding="utf-8")
    if model == "file:model":
        (folder / "model").mkdir(exist_ok=True)
        (folder / "model" / "MLmodel").write_text(MLMODEL, encoding="utf-8")
    number = len(list(folder.glob("evidence-*")))
    words = ["run", "policy.yaml", "--model", model, "--unsigned", "--no-publish", "--no-defaults"]
    words += [f"--data={one}" for one in data]
    done = command_line.call(folder, *words, "--out", f"evidence-{number}", **variables)
    report = folder / f"evidence-{number}" / "report.json"
    found = json.loads(report.read_text(encoding="utf-8"))["results"] if report.exists() else []
    results = {result["rule"]: result for result in found}
    assert done.code != 2, done.err
    return Gated(code=done.code, results=results, said=done.out + done.err)
