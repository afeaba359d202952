"""Locate data: from what a policy, a caller or a run names to local files.

A caller may name any place. A policy may name its run's artifacts, its own folder and what
`sources.allow` has. A run may say where its data sets lie, which is a claim of its author: it is
read only where `sources.allow` has the place, so no run makes the gate read another file or host.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol
from urllib.parse import quote, unquote

from aims_gate.attest.file_names import safe_name
from aims_gate.documents.store_uris import StoreUri, parse_allowed, parse_place, permitted
from aims_gate.errors import DataError, SourceError, near
from aims_gate.policy.model import DataSpec, Policy, Role
from aims_gate.policy.scalars import SCORES, STORES
from aims_gate.registry.entities import DatasetInput
from aims_gate.sources.paths import local_path, public_uri
from aims_gate.sources.remote import fetch
from aims_gate.sources.subject import Located, Scores, Workspace
from aims_gate.sources.table_places import VERSION, TablePlace, claimed, described

if TYPE_CHECKING:
    from aims_gate.sources.mlflow.elsewhere import Elsewhere

CONVENTION = (Role.EVALUATION, Role.REFERENCE, Role.CURRENT, Role.PERTURBED)
"""Roles that are looked for at `aims_gate/<role>.parquet` even if the policy is silent."""

_READS = "artifact:, file:, dataset:, context:, assessments:, s3://, gs:// and abfss:// are read"


class Locate(Protocol):
    """How a source finds the artifacts that belong to its model."""

    def __call__(self, path: str, *, role: Role) -> Located | None:
        """Find the artifact *path*, relative and safe to join; None if it is not there.

        SourceError if that cannot be told, DataError if it is there and may not be read.
        """
        ...


def _no_server(place: StoreUri) -> Located | None:
    raise DataError("there is no MLflow server to read it from", where=str(place))


def convention(role: Role) -> str:
    """Conventional artifact path of a role's data: `aims_gate/<role>.parquet`."""
    return f"aims_gate/{role}.parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finder:
    """Finds data. What is named must be there; what convention looks for may not be."""

    policy: Policy
    """Its folder is where `file:` sources may lie, its allow-list what else may be read."""
    locate: Locate
    workspace: Workspace
    inputs: tuple[DatasetInput, ...] = ()
    """What the training run says it used."""
    stored: Callable[[StoreUri], Located | None] = _no_server
    """Reads `mlflow-artifacts:` places, already permitted, from the server that is asked."""
    of_run: Callable[[str, Role], Located | None] | None = None
    """Reads `runs:/RUN_ID/PATH` or `models:/NAME/VERSION`, which only a caller may name; None asks
    the MLflow of the environment."""
    judged: Callable[[str, Role, DataSpec, str], Scores] | None = None
    """Reads the scores of a judge from the traces of the model, or of the champion for its role;
    None reads those of a run that is named."""
    beside: Callable[[str], Iterable[str]] = lambda _path: ()
    """Lists the artifacts in the folder of an artifact."""

    def scores(self, text: str, role: Role, spec: DataSpec, *, by_caller: bool) -> Scores | None:
        """Read the scores that a policy or a caller names; None where *text* names other data.

        A caller may say of which run: `runs:/RUN_ID/assessments:SCORER`. DataError if there are
        none, SourceError if they cannot be read.
        """
        run, between, scorer = text.partition(f"/{SCORES}:")
        if by_caller and between and run.startswith("runs:/"):
            text, run_id = f"{SCORES}:{scorer}", run.removeprefix("runs:/")
        elif text.startswith(f"{SCORES}:"):
            run_id = ""
        else:
            return None
        self.workspace.progress(f"reading the {role} data, {text}")
        return (self.judged or self._elsewhere().judged)(text, role, spec, run_id)

    def given(self, text: str, role: Role) -> Located:
        """Find what `--data` names; it may lie anywhere, because the caller says so.

        DataError if it is not there or may not be read, SourceError if it cannot be.
        """
        scheme = text.partition(":")[0]
        if scheme in {"artifact", "dataset", "context"}:
            return self.source(text, role)
        if scheme in STORES:
            return fetch(_place(text), self.workspace)
        if scheme in {"runs", "models"}:
            read = self.of_run or self._elsewhere().of_run
            return read(text, role) or _absent("there is no such artifact", text)
        if "://" in text and not text.startswith("file://"):
            hint = f"{_READS}, and table:CONNECTION/NAME of an engine"
            raise DataError(f"{public_uri(text)!r} cannot be read", hint=hint)
        path = _path_of(text)
        return Located(path=path, uri=f"file:{quote(str(path))}")

    def source(self, text: str, role: Role) -> Located:
        """Find what a policy names.

        DataError if it is not there or may not be read, SourceError if it cannot be.
        """
        scheme, _, rest = text.partition(":")
        if scheme == "artifact":
            return self._artifact(rest, role)
        if scheme == "file":
            return _policy_file(text, self.policy.folder)
        if scheme in {"dataset", "context"}:
            return self._input(scheme, rest)
        if scheme in STORES:
            return self._allowed(_place(text), whose="the policy names", where=text)
        raise DataError(f"the source {public_uri(text)!r} cannot be read", hint=_READS)

    def _elsewhere(self) -> Elsewhere:
        from aims_gate.sources.mlflow.elsewhere import Elsewhere

        return Elsewhere(policy=self.policy, workspace=self.workspace)

    def by_convention(self, role: Role) -> Located | None:
        """Find what the training run logged for a role."""
        return self.locate(convention(role), role=role) if role in CONVENTION else None

    def _artifact(self, path: str, role: Role) -> Located:
        try:
            safe = safe_name(path)
        except SourceError as error:
            raise DataError(error.what, hint="name a path below the run's artifacts") from error
        found = self.locate(str(safe), role=role)
        what = "there is no such artifact"
        return found or _absent(what, f"artifact:{path}", near(str(safe), self.beside(str(safe))))

    def table(self, text: str) -> TablePlace | None:
        """The table that a run's own data set is, where *text* names one; None for other data.

        DataError if it is not allowed, or the run names no such data set.
        """
        kind, _, name = text.partition(":")
        if kind not in _WORDS:
            return None
        return claimed(self._one_input(kind, name), self.policy.sources_allow, where=text)

    def _input(self, kind: str, name: str) -> Located:
        """Follow a run's own data set, by its name or its context, where that is allowed."""
        found, where = self._one_input(kind, name), f"{kind}:{name}"
        source = described(found.source, where=where)
        place = _claimed(source, where)
        located = self._allowed(place, whose="the run names", where=where)
        return replace(located, mlflow_digest=found.digest, version=source[VERSION])

    def _one_input(self, kind: str, name: str) -> DatasetInput:
        named = [(i.name if kind == "dataset" else i.context, i) for i in self.inputs]
        found = [one for word, one in named if word == name]
        where = f"{kind}:{name}"
        if not found:
            what = f"the model's run names no data set with the {_WORDS[kind]} {name!a}"
            return _absent(
                what, where, near(name, {ascii(word)[1:-1] for word, _ in named if word})
            )
        different = {(one.digest, one.source) for one in found}
        if len(different) > 1:
            digests = ", ".join(sorted({one.digest for one in found}))
            what = f"the run has {len(different)} different inputs of this name ({digests!a})"
            raise DataError(what, where=where, hint="log each under a name of its own")
        return found[0]

    def _allowed(self, place: StoreUri, *, whose: str, where: str) -> Located:
        if not permitted(place, self.policy.sources_allow):
            raise DataError(
                f"{whose} data at {public_uri(str(place))!a}, which sources.allow does not permit",
                hint="name its folder in the policy's sources.allow, or use --data",
            )
        what = f"{whose} data at {public_uri(str(place))!a}, and nothing is there"
        if place.scheme == "file":
            return _allowed_file(place, self.policy.sources_allow) or _absent(what, where)
        if place.scheme == "mlflow-artifacts":
            return self.stored(place) or _absent(what, where)
        return fetch(place, self.workspace)


_WORDS = {"dataset": "name", "context": "context"}


def _absent(what: str, where: str, hint: str = "") -> NoReturn:
    """Refuse what is named and not there: no other data take its place."""
    raise DataError(what, where=public_uri(where), hint=hint or "hand the data over with --data")


def _claimed(source: Mapping[str, Any], where: str) -> StoreUri:
    """The place that a data set's source names: `uri`, or `path` of what Spark read."""
    uri = source.get("uri", source.get("path"))
    if not isinstance(uri, str) or not uri:
        hint = "log the data from a file or an object store, or name them with --data"
        raise DataError("the run does not say where the data lie", where=where, hint=hint)
    try:
        uri = f"s3://{uri[6:]}" if uri.startswith("s3a://") else uri  # as Hadoop calls S3
        return _place(f"file://{quote(uri)}" if uri.startswith("/") else uri)
    except DataError as error:
        raise DataError(f"the run's place {error.what}", where=where, hint=error.hint) from error


def _place(uri: str) -> StoreUri:
    try:
        return parse_place(uri)
    except ValueError as error:
        raise DataError(f"{public_uri(uri)[:200]!a} {error}") from error


def _allowed_file(place: StoreUri, allow: tuple[str, ...]) -> Located | None:
    """Open a local file that lies, with all links followed, in a folder of the allow-list."""
    where = str(place)
    roots = [p for entry in allow if (p := parse_allowed(entry)).scheme == "file"]
    try:
        path = _local(place).resolve(strict=False)
        inside = any(path.is_relative_to(_local(root).resolve(strict=False)) for root in roots)
        there = inside and path.exists()
    except (OSError, RuntimeError, ValueError) as error:
        raise DataError("the path cannot be followed", where=where) from error
    if not inside:
        raise DataError("a link leads out of the folders of sources.allow", where=where)
    return Located(path=path, uri=where) if there else None


def _local(place: StoreUri) -> Path:
    return Path("/", *map(unquote, place.path))


def _policy_file(source: str, folder: str) -> Located:
    """Find a policy's own file, which must not lead out of the policy's folder by any way."""
    where = public_uri(source)
    if not folder:
        raise DataError(
            "a policy that is no file has no folder for file: sources",
            where=where,
            hint="hand the data over with --data",
        )
    try:
        root = Path(folder).resolve(strict=True)
        path = (root / _path_of(source)).resolve(strict=False)
        inside = path.is_relative_to(root)
        there = inside and path.exists()
    except (OSError, RuntimeError, ValueError) as error:
        raise DataError("the path cannot be followed", where=where) from error
    if not inside:
        raise DataError(
            "the path leads out of the policy's folder",
            where=where,
            hint="keep the file beside the policy, or hand it over with --data",
        )
    if not there:
        beside = path.parent.iterdir() if path.parent.is_dir() else ()
        _absent("the file is not there", where, near(path.name, (one.name for one in beside)))
    return Located(path=path, uri=f"file:{quote(path.relative_to(root).as_posix())}")


def _path_of(uri: str) -> Path:
    path = local_path(uri)
    if path is None:
        raise DataError("a file on another host cannot be read", where=public_uri(uri), hint=_READS)
    return path
