"""History: past versions of a model or runs of an experiment, each with its logged data.

Nothing is written, and no model is downloaded: only the tables that `log_evaluation` left are read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from aims_gate.attest.manifest import Manifest, ManifestEntry
from aims_gate.errors import SourceError
from aims_gate.facts import ModelIdentity
from aims_gate.policy.model import Policy
from aims_gate.registry.choose import open_registry
from aims_gate.registry.contract import NotFoundError, Registry
from aims_gate.registry.entities import RunRecord
from aims_gate.sources.bound import Owner, hold
from aims_gate.sources.data import open_data
from aims_gate.sources.locate import CONVENTION
from aims_gate.sources.mlflow.facts import other_model, other_run, run_facts
from aims_gate.sources.mlflow.owner import describe, made_by, owner_of
from aims_gate.sources.mlflow.resolve import Resolved, resolve
from aims_gate.sources.mlflow.source import finder_of
from aims_gate.sources.subject import Subject, Workspace

_UNREAD = Manifest(entries=(ManifestEntry(path="model-files-are-not-read", sha256="0" * 64),))
"""Stands where a subject has its model's files: a check that looks for them finds none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A version or a run; what it logged is read by `Archive.open`."""

    uri: str
    """`models:/NAME/VERSION` or `runs:/ID`."""
    run: RunRecord | None = None
    """None until the version's run is looked up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedModel:
    """What there is to judge of a version or a run, and when it was made."""

    subject: Subject
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """Past versions and runs in one MLflow registry."""

    registry: Registry
    environ: Mapping[str, str]

    @classmethod
    def of(cls, environ: Mapping[str, str], policy: Policy) -> Archive:
        """Open the registry that MLflow's variables name; errors as `open_registry`."""
        return cls(registry=open_registry(environ, policy.sources_allow), environ=environ)

    def versions(self, name: str, *, last: int) -> tuple[Past, ...]:
        """List the newest versions of a model, newest first.

        Raises:
            SourceError: MLflow cannot be read; NotFoundError if there is no version.
        """
        found = self.registry.versions(name, last=last)
        if not found:
            raise NotFoundError(f"no version of a model {name!a}", where=self.registry.server)
        return tuple(Past(uri=f"models:/{one.name}/{one.version}") for one in found)

    def runs(self, experiment: str, *, last: int) -> tuple[Past, ...]:
        """List the newest runs of an experiment, newest first; errors as `versions`."""
        found = self.registry.runs(experiment, last=last)
        if not found:
            raise NotFoundError(f"no run in {experiment!a}", where=self.registry.server)
        return tuple(Past(uri=f"runs:/{run.run_id}", run=run) for run in found)

    def open(self, past: Past, *, name: str, policy: Policy, workspace: Workspace) -> OpenedModel:
        """Read the data that were logged, as the gate reads them, without the model.

        Args:
            past: What to open.
            name: The model's name, for `applies_to`.
            policy: Its `data` describe roles.
            workspace: A private folder and its limits.

        Raises:
            SourceError: there is no run, it has no end, or it logged no data at all.
        """
        place = self._place(past)
        run = past.run or (place.run if place else None)
        if run is None:
            raise SourceError("its run is gone, and its data with it", where=past.uri)
        at = run.ended or run.started
        if run.ended is None or at is None:
            raise SourceError(f"its run has no end: {run.status}", where=past.uri)
        described = describe(place, self.registry, workspace) if place else None
        finder = finder_of(run, self.registry, policy, workspace)
        owner = owner_of(place, described) if place else Owner(run_id=run.run_id, made=made_by(run))
        data, unread = hold(*open_data({}, finder), owner)
        if not data and not unread:
            roles = ", ".join(f"aims_gate/{role}.parquet" for role in CONVENTION)
            raise SourceError(f"it logged no data ({roles})", where=past.uri)
        model = ModelIdentity(
            uri=past.uri,
            name=name,
            registered=name,
            resource_uri=past.uri,
            digest=_UNREAD.digest,
            run_id=run.run_id,
            reader=self.registry.name,
        )
        subject = Subject(
            model=model,
            manifest=_UNREAD,
            folder=workspace.folder / "no-model",
            data=data,
            unread=unread,
            run=run_facts(self.registry, run),
            logged=place.logged if place else (),
            find_run=partial(other_run, self.registry),
            find_model=partial(other_model, self.registry),
            signature=described.signature if described else None,
        )
        return OpenedModel(subject=subject, at=at)

    def _place(self, past: Past) -> Resolved | None:
        """Find the model; a run may be judged without one."""
        try:
            return resolve(past.uri, self.registry, self.environ)
        except SourceError:
            if past.run is None:
                raise
            return None
