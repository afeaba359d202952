"""The MLflow source: model URIs to subjects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath

from aims_gate.documents.store_uris import StoreUri
from aims_gate.errors import DataError, UsageError
from aims_gate.policy.model import Policy, Role
from aims_gate.registry.choose import for_artifacts, open_registry
from aims_gate.registry.contract import Artifacts, Registry
from aims_gate.registry.entities import RunRecord
from aims_gate.registry.uris import RunTarget, parse
from aims_gate.sources.bound import Owner, hold
from aims_gate.sources.data import open_data
from aims_gate.sources.locate import Finder, convention
from aims_gate.sources.mlflow import champion
from aims_gate.sources.mlflow.assessments import ScorerTraces
from aims_gate.sources.mlflow.champion import answers
from aims_gate.sources.mlflow.facts import (
    dataset_digest,
    other_model,
    other_run,
    run_facts,
    served_models,
)
from aims_gate.sources.mlflow.fetch import fetch_tree
from aims_gate.sources.mlflow.model import fetch, fetch_resolved, private, resolved_in
from aims_gate.sources.mlflow.owner import describe, owner_of
from aims_gate.sources.mlflow.resolve import Resolved
from aims_gate.sources.mlmodel import read_mlmodel
from aims_gate.sources.subject import Data, Fetched, Located, Subject, Workspace


class MlflowSource:
    """Implements `Source` for `models:/` and `runs:/` URIs."""

    def fetch(self, uri: str, *, workspace: Workspace) -> Fetched:
        """Resolve *uri* once, copy the model's files into the private folder and hash them."""
        return fetch(uri, workspace)

    def open(
        self, uri: str, *, policy: Policy, given: Mapping[Role, object], workspace: Workspace
    ) -> Subject:
        """Fetch the model, read what is known of its run, and open its data by role."""
        registry = open_registry(workspace.environ, policy.sources_allow)
        resolved = resolved_in(uri, registry, workspace)
        fetched = fetch_resolved(uri, registry, resolved, workspace)
        described = read_mlmodel(fetched.folder)
        run = resolved.run
        facts = None if run is None else run_facts(registry, run)
        found = _champion(resolved, registry, workspace)
        judged = ScorerTraces(
            registry=registry, candidate=resolved, champion=found.place if found else None
        )
        finder = replace(finder_of(run, registry, policy, workspace), judged=judged)
        data, unread = hold(*open_data(given, finder), owner_of(resolved, described))
        if found is not None and Role.CHAMPION not in {*data, *unread}:
            finder = replace(finder_of(found.run, registry, policy, workspace), judged=judged)
            owner = _champions(found, registry, workspace)
            asked = given.get(Role.EVALUATION)
            read = None if found.champion.is_candidate else answers(found, finder, owner, asked)
            if isinstance(read, Data):
                data = {**data, Role.CHAMPION: read}
            elif read is not None:
                unread = {**unread, Role.CHAMPION: read}
        return Subject(
            model=fetched.model,
            manifest=fetched.manifest,
            folder=fetched.folder,
            data=data,
            unread=unread,
            champion=found.champion if found else None,
            run=facts,
            logged=resolved.logged,
            find_run=partial(other_run, registry),
            find_model=partial(other_model, registry),
            models=partial(served_models, registry),
            signature=described.signature if described else None,
            flavors=tuple(sorted(described.flavors)) if described else (),
        )


SOURCE = MlflowSource()


def _champion(
    resolved: Resolved, registry: Registry, workspace: Workspace
) -> champion.FoundChampion | None:
    if not workspace.alias:
        return None
    workspace.progress(f"looking for {workspace.alias}")
    return champion.find(workspace.alias, resolved, registry, workspace.environ)


def _champions(found: champion.FoundChampion, registry: Registry, workspace: Workspace) -> Owner:
    """The champion as owner of its predictions; MLmodel is read if the registry has no id."""
    place = found.place
    if place is None or found.champion.is_candidate:
        return Owner()
    return owner_of(place, None if place.model_id else describe(place, registry, workspace))


def finder_of(
    run: RunRecord | None, registry: Registry, policy: Policy, workspace: Workspace
) -> Finder:
    """Finder of the data of a training run, as far as *policy* permits."""
    return Finder(
        policy=policy,
        locate=_LocateArtifact(registry=registry, run=run, workspace=workspace),
        workspace=workspace,
        inputs=run.datasets if run else (),
        stored=_Stored(registry=registry, workspace=workspace),
        of_run=partial(of_run, registry, workspace),
        beside=partial(_siblings, run, registry, workspace),
    )


def of_run(registry: Registry, workspace: Workspace, uri: str, role: Role) -> Located | None:
    """Copy an artifact of the run that a caller names, as `log_evaluation` gives it.

    Of a model version it is what its run logged for the role.
    """
    try:
        target = parse(uri)
    except UsageError as error:
        raise DataError(error.what, where=uri, hint=error.hint) from error
    run: RunRecord | None
    if isinstance(target, RunTarget):
        run, path = registry.run(target.run_id), target.path
    else:
        run, path = resolved_in(uri, registry, workspace).run, convention(role)
    if not path:
        hint = "name a run and an artifact, runs:/RUN_ID/aims_gate/evaluation.parquet"
        raise DataError("this names no artifact", where=uri, hint=hint)
    return _LocateArtifact(registry=registry, run=run, workspace=workspace)(path, role=role)


@dataclass(frozen=True, slots=True, kw_only=True)
class _LocateArtifact:
    """Finds the artifacts of a training run; nothing else of a run is ever followed."""

    registry: Registry
    run: RunRecord | None
    workspace: Workspace

    def __call__(self, path: str, *, role: Role) -> Located | None:
        """Copy an artifact of the run into the private folder; None if it is not there."""
        run = self.run
        if run is None:
            return None
        root = run.artifact_uri
        reader = for_artifacts(self.registry, root, self.workspace.environ)
        target = _copy(reader, root, path, self.workspace)
        if target is None:
            return None
        return Located(
            path=target,
            uri=f"runs:/{run.run_id}/{path}",
            created=run.ended or run.started,
            mlflow_digest=dataset_digest(run, role),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    """Reads artifacts of any run of this server, once the policy's allow-list has permitted it."""

    registry: Registry
    workspace: Workspace

    def __call__(self, place: StoreUri) -> Located | None:
        """Copy what lies at an `mlflow-artifacts:` place; None if it is not there."""
        *folder, name = place.path or ("",)
        root = str(replace(place, path=tuple(folder)))
        reader = for_artifacts(self.registry, root, self.workspace.environ)
        target = _copy(reader, root, name, self.workspace)
        return None if target is None else Located(path=target, uri=str(place))


def _siblings(
    run: RunRecord | None, registry: Registry, workspace: Workspace, path: str
) -> list[str]:
    """List the artifacts in the folder of an artifact of the run."""
    if run is None:
        return []
    folder = str(PurePosixPath(path).parent)
    reader = for_artifacts(registry, run.artifact_uri, workspace.environ)
    listed = reader.list_artifacts(run.artifact_uri, "" if folder == "." else folder)
    return [artifact.path for artifact in listed]


def _copy(reader: Artifacts, root: str, path: str, workspace: Workspace) -> Path | None:
    """Copy a file or a folder below an artifact URI; None if it is not there."""
    name = PurePosixPath(path)
    listed = reader.list_artifacts(root, "" if len(name.parts) == 1 else str(name.parent))
    found = next((artifact for artifact in listed if artifact.path == path), None)
    if found is None:
        return None
    target = private(workspace, "data") / name.name
    limit = workspace.max_bytes
    if found.is_dir:
        fetch_tree(reader, f"{root}/{path}", target, max_files=workspace.max_files, max_bytes=limit)
    else:
        reader.download(root, path, target, limit=limit)
    return target
