"""Past evaluations of a registered model, as a registry keeps them and trusted keys signed them.

The gate's runs are found by the model's name, which anybody can write on a run: only what a signed
statement says counts. Whoever takes runs away makes a history silent, never better.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path

from aims_gate.attest import resource
from aims_gate.attest.statement import decode, statement_file
from aims_gate.attest.statement_files import read_file, read_statement
from aims_gate.attest.trust import Trust
from aims_gate.errors import TrustError
from aims_gate.evidence.predicates import EVALUATION
from aims_gate.registry.choose import open_registry
from aims_gate.registry.contract import NotFoundError, Registry
from aims_gate.registry.entities import RunRecord
from aims_gate.registry.uris import resource_uri
from aims_gate.sources.mlflow.evidence import (
    EXPERIMENT,
    FOLDER,
    TAG_EVALUATION,
    TAG_NAME,
    TAG_POLICY,
    fetch_statement,
)
from aims_gate.sources.subject import PastEvaluation
from aims_gate.verdict import Decision

_DECIDED = frozenset({Decision.PASSED, Decision.REFUSED})
_ANY = "sha256:" + "0" * 64
"""A pointer's digest where no tag names one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryQuestion:
    """Whose evaluations are asked for, and by whose keys they are to be believed."""

    name: str
    """The registered name, of whatever version."""
    trust: Trust | None
    """Whose signatures count, each on its own day; None makes no evaluation count."""
    now: datetime
    """The present moment: nothing was evaluated later."""
    environ: Mapping[str, str]
    """The environment with MLflow's variables."""

    def evaluations(self, policies: str) -> tuple[PastEvaluation, ...]:
        """List the evaluations by policies whose id fits a pattern, newest first.

        Those that do not count say why.

        Raises:
            SourceError: MLflow does not answer.
        """
        registry = open_registry(self.environ)
        runs = registry.find_runs(registry.experiment(EXPERIMENT), TAG_NAME, self.name)
        return tuple(
            self._read(run, policies, registry)
            for run in runs
            if fnmatchcase(run.tags.get(TAG_POLICY, "").partition("@")[0], policies)
        )

    def _read(self, run: RunRecord, policies: str, registry: Registry) -> PastEvaluation:
        place = f"runs:/{run.run_id}/{FOLDER}/{run.tags.get(TAG_EVALUATION, '')}"
        try:
            with tempfile.TemporaryDirectory(prefix="aims-gate-") as private:
                pointer = f"{_ANY} {place}/{EVALUATION.name}"
                fetch_statement(registry, pointer, Path(private), self.environ)
                return self._signed(Path(private), place, policies, registry)
        except (NotFoundError, TrustError) as error:
            return PastEvaluation(where=place, problem=error.what)

    def _signed(
        self, folder: Path, place: str, policies: str, registry: Registry
    ) -> PastEvaluation:
        if self.trust is None:
            raise TrustError("there is no trust file that says whose signature counts")
        file, servers = statement_file(EVALUATION.name), self.trust.servers
        told = decode(read_file(folder, file), kind=EVALUATION, where=file)
        # as of its own day: a key that has expired since signed it all the same
        day = EVALUATION.read(told.predicate, where=file).finished_on
        said = read_statement(folder, EVALUATION.name, EVALUATION, trust=self.trust, now=day).said
        model = resource.parse(said.model.uri, servers=servers, where=file)
        asked = resource_uri(self.name, model.version, registry.server)
        if model != resource.parse(asked, servers=servers, where=file):
            raise TrustError(f"it is about {model}")
        if not fnmatchcase(said.policy.name, policies):
            raise TrustError(f"the policy {said.policy.name!a} was applied")
        if day > self.now:
            raise TrustError(f"it is of {day:%Y-%m-%d}, in the future")
        return PastEvaluation(
            where=place,
            policy=said.policy.name,
            version=model.version,
            decided=said.verdict in _DECIDED,
            when=day,
        )
