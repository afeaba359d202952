"""Resolve a model URI to one artifact URI: aliases and version chains are followed once.

MLflow records where a version came from as its author wrote it, so every step is checked: a version
must be ready, a chain must end, and a model's files must lie where its run keeps its files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from aims_gate.errors import SourceError, UsageError
from aims_gate.registry.choose import for_artifacts
from aims_gate.registry.contract import NotFoundError, Registry
from aims_gate.registry.entities import MetricPoint, RunRecord, Version
from aims_gate.registry.uris import (
    AliasTarget,
    CommitTarget,
    ModelTarget,
    RunTarget,
    Target,
    VersionTarget,
    parse,
)

MAX_CHAIN = 8
"""Longest chain of versions that point at versions; a longer one counts as endless."""
_CHAINED = ("models:", "runs:")
DEFAULT_PATH = "model"
"""Where a run of MLflow 2 keeps its model by convention."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A model's place, and what MLflow says it is."""

    name: str
    version: str
    """Empty for a model that is not registered."""
    artifact_uri: str
    resolved_uri: str
    model_id: str = ""
    run: RunRecord | None = None
    """The run that made it, where there still is one."""
    logged: tuple[MetricPoint, ...] = ()
    """What any run logged for the logged model."""
    experiment: str = ""
    """The id of the logged model's experiment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _AliasWalk:
    registry: Registry
    environ: Mapping[str, str]
    left: int = MAX_CHAIN


def resolve(
    uri: str, registry: Registry, environ: Mapping[str, str], *, experiment: str = ""
) -> Resolved:
    """Follow *uri* to its end; *experiment* is where `commit:` looks, all of them if empty.

    Raises:
        UsageError: *uri* is not a model URI.
        SourceError: Something on the way is missing, not ready, ambiguous or contradicts itself.
    """
    walk = _AliasWalk(registry=registry, environ=environ)
    target = parse(uri)
    if isinstance(target, CommitTarget):
        target = RunTarget(run_id=_made_from(target.commit, registry, experiment))
    return _follow(target, walk)


def _follow(target: Target, walk: _AliasWalk) -> Resolved:
    match target:
        case AliasTarget():
            return _alias(target, walk)
        case VersionTarget():
            return _named(target, walk)
        case ModelTarget():
            return _logged(target, walk)
        case RunTarget():
            return _of_run(target, walk)
        case CommitTarget():
            raise SourceError("a commit is no source of a version", where=target.commit)


def _made_from(commit: str, registry: Registry, experiment: str) -> str:
    """Id of the one finished run of a commit; the commit is a claim of the run's author."""
    where = f"commit:{commit}"
    runs = registry.runs_of_commit(commit, experiment)
    finished = sorted(run.run_id for run in runs if run.status == "FINISHED")
    if len(finished) == 1:
        return finished[0]
    place = f"experiment {experiment!a}" if experiment else "all experiments"
    if finished:
        shown = ", ".join(f"runs:/{run_id}" for run_id in finished[:MAX_CHAIN])
        more = f" and {len(finished) - MAX_CHAIN} more" if len(finished) > MAX_CHAIN else ""
        what = f"{len(finished)} finished runs in {place} have this commit: {shown}{more}"
        raise SourceError(what, where=where, hint="name one of them, or its --experiment")
    others = ", ".join(sorted(f"runs:/{run.run_id} is {run.status}" for run in runs)[:MAX_CHAIN])
    what = f"no finished run in {place} has this commit" + (f"; {others}" if others else "")
    hint = "a run records its commit where mlflow finds git when it starts"
    raise NotFoundError(what, where=where, hint=hint)


def _alias(target: AliasTarget, walk: _AliasWalk) -> Resolved:
    with _told_what_there_is(target.name, lambda: _aliases(target.name, walk.registry)):
        version = walk.registry.get_alias(target.name, target.alias)
    if version.name != target.name:
        raise SourceError(f"alias {target.alias} answers with {version.name!a}", where=target.name)
    return _version(version, walk)


def _named(target: VersionTarget, walk: _AliasWalk) -> Resolved:
    with _told_what_there_is(target.name, lambda: _versions(target.name, walk.registry)):
        version = walk.registry.get_version(target.name, target.version)
    if (version.name, version.version) != (target.name, target.version):
        raise SourceError(
            f"MLflow answers with another version, {version.name!a} {version.version!a}",
            where=_uri(target.name, target.version),
        )
    return _version(version, walk)


@contextmanager
def _told_what_there_is(name: str, known: Callable[[], Iterable[str]]) -> Iterator[None]:
    """Add to the refusal of a version or alias that is not there those that *known* gives."""
    try:
        yield
    except SourceError as error:
        # of an alias MLflow says so with 400, as it says much else
        if not isinstance(error, NotFoundError) and "not found" not in error.what:
            raise
        try:
            found = list(known())
        except SourceError:
            found = []
        more = " and more" if len(found) > MAX_CHAIN else ""
        none = f"none is known of {name!a}: look at its name, and at the server's address"
        listed = f"known of {name!a}: {', '.join(found[:MAX_CHAIN])}{more}"
        error.what = error.what.removesuffix(".")
        error.hint = listed if found else none
        raise


def _aliases(name: str, registry: Registry) -> Iterator[str]:
    return (f"@{alias}" for alias in sorted(registry.aliases(name)))


def _versions(name: str, registry: Registry) -> Iterator[str]:
    return (f"version {one.version}" for one in registry.versions(name, last=MAX_CHAIN + 1))


def _logged(target: ModelTarget, walk: _AliasWalk) -> Resolved:
    model = walk.registry.logged_model(target.model_id)
    uri = f"models:/{target.model_id}"
    if model.model_id != target.model_id:
        raise SourceError(f"MLflow answers with another model, {model.model_id!a}", where=uri)
    if model.status != "READY":
        raise _not_ready(uri, model.status)
    return Resolved(
        name=model.name or model.model_id,
        version="",
        artifact_uri=model.artifact_uri,
        resolved_uri=uri,
        model_id=model.model_id,
        run=_run(model.run_id, walk),
        logged=model.metrics,
        experiment=model.experiment,
    )


def _of_run(target: RunTarget, walk: _AliasWalk) -> Resolved:
    run = walk.registry.run(target.run_id)
    models = [_logged(ModelTarget(model_id=model_id), walk) for model_id in set(run.models)]
    models = [model for model in models if target.path in {"", model.name}]
    path = target.path or DEFAULT_PATH
    reader = for_artifacts(walk.registry, run.artifact_uri, walk.environ)
    files = bool(reader.list_artifacts(run.artifact_uri, path))
    where = f"runs:/{run.run_id}" + (f"/{target.path}" if target.path else "")
    if len(models) > 1 or (target.path and models and files):
        found = ", ".join(sorted(model.resolved_uri for model in models))
        hint = f"name one of {found}"
        raise SourceError("the run has more than one such model", where=where, hint=hint)
    if models:
        if models[0].run is None or models[0].run.run_id != run.run_id:
            raise SourceError("the run names a model that another run logged", where=where)
        return models[0]
    if not files:
        raise NotFoundError("the run has no such model", where=where)
    return Resolved(
        name=path,
        version="",
        artifact_uri=_below(run.artifact_uri, path),
        resolved_uri=f"runs:/{run.run_id}/{path}",
        run=run,
    )


def _version(version: Version, walk: _AliasWalk) -> Resolved:
    uri = _uri(version.name, version.version)
    if version.status != "READY":
        raise _not_ready(uri, version.status)
    if version.source.startswith(_CHAINED):
        end = _source(version, walk)
        if walk.left == MAX_CHAIN:
            _refuse_elsewhere(version, end, walk.registry)
        return replace(end, name=version.name, version=version.version)
    run = _run(version.run_id, walk)
    if run is not None and not _lies_in(version.source, run.artifact_uri):
        raise _contradiction(uri, version.run_id)
    return Resolved(
        name=version.name,
        version=version.version,
        artifact_uri=version.source,
        resolved_uri=uri,
        run=run,
    )


def _source(version: Version, walk: _AliasWalk) -> Resolved:
    """Follow what a version names as its source."""
    uri = _uri(version.name, version.version)
    if walk.left == 0:
        raise SourceError("the chain of model versions does not end", where=uri)
    try:
        target = parse(version.source)
    except UsageError as error:
        raise SourceError(f"its source is unusable: {error.what}", where=uri) from error
    if isinstance(target, AliasTarget):
        raise SourceError("its source is an alias, which can move", where=uri)
    end = _follow(target, replace(walk, left=walk.left - 1))
    if version.run_id and end.run is not None and end.run.run_id != version.run_id:
        raise _contradiction(uri, version.run_id)
    return end


def _refuse_elsewhere(version: Version, end: Resolved, registry: Registry) -> None:
    """Refuse a version whose source was made anew: MLflow still hands out the files of before."""
    served = registry.download_uri(version.name, version.version)
    if not served.startswith(_CHAINED) and served.rstrip("/") != end.artifact_uri.rstrip("/"):
        raise SourceError(
            f"its source {version.source!a} leads elsewhere than where MLflow downloads it from",
            where=_uri(version.name, version.version),
            hint="what it was registered from was made anew; register the logged model itself",
        )


def _run(run_id: str, walk: _AliasWalk) -> RunRecord | None:
    try:
        return walk.registry.run(run_id) if run_id else None
    except NotFoundError:
        return None


def _lies_in(uri: str, root: str) -> bool:
    inside = ".." not in uri.split("/")
    return inside and bool(root) and f"{uri.rstrip('/')}/".startswith(f"{root.rstrip('/')}/")


def _below(uri: str, path: str) -> str:
    return f"{uri.rstrip('/')}/{path}"


def _uri(name: str, version: str) -> str:
    return f"models:/{name}/{version}"


def _not_ready(uri: str, status: str) -> SourceError:
    hint = "wait until its files are complete, or log it again"
    return SourceError(f"the model is not ready: {status!a}", where=uri, hint=hint)


def _contradiction(uri: str, run_id: str) -> SourceError:
    return SourceError(
        f"the version names run {run_id!a}, but its files are not that run's",
        where=uri,
        hint="register the model from the run that logged it",
    )
