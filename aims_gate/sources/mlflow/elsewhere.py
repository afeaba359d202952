"""Data that a caller names in MLflow, beside a model that does not come from there, or none."""

from __future__ import annotations

from dataclasses import dataclass

from aims_gate.errors import DataError
from aims_gate.policy.model import DataSpec, Policy, Role
from aims_gate.registry.choose import open_registry
from aims_gate.sources.mlflow.assessments import scores_of_run
from aims_gate.sources.mlflow.source import of_run
from aims_gate.sources.subject import Located, Scores, Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """Reads from the MLflow that the environment names, once it is asked to."""

    policy: Policy
    workspace: Workspace

    def of_run(self, uri: str, role: Role) -> Located | None:
        """Copy what a run, or the run of a model version, logged; None if it is not there."""
        registry = open_registry(self.workspace.environ, self.policy.sources_allow)
        return of_run(registry, self.workspace, uri, role)

    def judged(self, text: str, _role: Role, spec: DataSpec, run_id: str) -> Scores:
        """Read the scores of the run that is named; DataError where none is."""
        if not run_id:
            hint = "hand over runs:/RUN_ID/assessments:SCORER: scores lie with the traces of MLflow"
            raise DataError("a model that is not from MLflow has no traces", where=text, hint=hint)
        registry = open_registry(self.workspace.environ, self.policy.sources_allow)
        return scores_of_run(registry, text, spec, run_id)
