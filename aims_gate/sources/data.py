"""Data by role: found, read once, hashed as read, and described."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from aims_gate import canonical
from aims_gate.attest.manifest import safe_name
from aims_gate.errors import DataError, GateError, SourceError
from aims_gate.facts import DatasetIdentity, DigestKind
from aims_gate.frames.arrow import ArrowFrame
from aims_gate.frames.convert import to_table
from aims_gate.policy.model import DataSpec, Policy, Role
from aims_gate.sources.paths import local_path, public_uri
from aims_gate.sources.predictions import derive_prediction
from aims_gate.sources.readers import MAX_BYTES, read_file
from aims_gate.sources.roles import merge, read_roles, refuse_shared
from aims_gate.sources.subject import Data, Workspace

CONVENTION = (Role.EVALUATION, Role.REFERENCE, Role.CURRENT)
"""Roles that are looked for at `aims_gate/<role>.parquet` even if the policy is silent."""

_READS = "this version reads artifact:, file: and --data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """A file that a source found for a role."""

    path: Path
    """A local file: private, or one whose owner may choose its bytes."""
    uri: str
    """What it is called in evidence; user names, passwords and queries are taken out."""
    created: datetime | None = None
    """When it was logged, with a time zone, where that is known."""
    mlflow_digest: str = ""


class Locate(Protocol):
    """How a source finds the artifacts that belong to its model."""

    def __call__(self, path: str, *, role: Role) -> Located | None:
        """Find the artifact *path*, relative and safe to join; None if it is not there.

        SourceError if that cannot be told, DataError if it is there and may not be read.
        """
        ...


def convention(role: Role) -> str:
    """Give the artifact path at which a role's data are looked for."""
    return f"aims_gate/{role}.parquet"


def open_data(
    policy: Policy, given: Mapping[Role, object], locate: Locate, workspace: Workspace
) -> tuple[Mapping[Role, Data], Mapping[Role, DataError]]:
    """Open the data of every role that the policy, the caller or the convention names.

    What the caller hands over wins over the policy's `source`, and that over the convention. A
    role whose data are not there is in neither answer; rules that need it find it MISSING.

    Args:
        policy: Its `data` describe roles; its folder is where `file:` sources may lie.
        given: Per role a path or URI as text, or a frame in memory.
        locate: Finds artifacts of the model's run or folder.
        workspace: Its `max_bytes` limits each file.

    Returns:
        The data that can be used, and for the others the reason why they cannot.
    """
    data: dict[Role, Data] = {}
    unread: dict[Role, DataError] = {}
    for role in Role:
        if role not in policy.data and role not in given and role not in CONVENTION:
            continue
        try:
            opened = _open(role, policy, given.get(role), locate, workspace)
        except DataError as error:
            unread[role] = error
        except GateError as error:
            unread[role] = DataError(error.what, where=error.where, hint=error.hint)
        else:
            if opened is not None:
                data[role] = opened
    return data, unread


def _open(
    role: Role, policy: Policy, given: object, locate: Locate, workspace: Workspace
) -> Data | None:
    spec = policy.data.get(role, DataSpec())
    if given is not None and not isinstance(given, (str, Path)):
        return _from_memory(role, spec, given)
    if given is not None:
        located = _given_file(str(given), role, locate)
    else:
        located = _find(role, spec, policy, locate)
    return None if located is None else _from_file(role, spec, located, workspace)


def _from_memory(role: Role, spec: DataSpec, given: object) -> Data:
    where = f"{role} data"
    table = to_table(given.given if isinstance(given, ArrowFrame) else given, where=where)
    merged = merge(spec, read_roles(table))
    refuse_shared(merged, where=where)
    frame = ArrowFrame.of(table, weight=merged.weight, name=where)
    identity = DatasetIdentity(
        role=role,
        name=role,
        uri=f"memory:{role}",
        digest=frame.digest(),
        digest_kind=DigestKind.ROWS,
        rows=frame.rows,
    )
    _refuse_other(identity, spec)
    frame, merged = derive_prediction(frame, merged)
    return Data(role=role, frame=frame, spec=merged, identity=identity)


def _from_file(role: Role, spec: DataSpec, located: Located, workspace: Workspace) -> Data:
    uri = public_uri(located.uri)
    workspace.progress(f"reading the {role} data, {uri}")
    read = read_file(located.path, where=uri, max_bytes=min(workspace.max_bytes, MAX_BYTES))
    merged = merge(spec, read_roles(read.table))
    refuse_shared(merged, where=f"{role} data")
    frame = ArrowFrame.of(read.table, weight=merged.weight, name=f"{role} data")
    identity = DatasetIdentity(
        role=role,
        name=located.path.name,
        uri=uri,
        digest=read.sha256,
        digest_kind=DigestKind.FILE,
        rows=frame.rows,
        mlflow_digest=located.mlflow_digest,
    )
    _refuse_other(identity, spec)
    frame, merged = derive_prediction(frame, merged)
    again: Callable[[], str] = partial(_hash_again, located.path, uri)
    return Data(
        role=role,
        frame=frame,
        spec=merged,
        identity=identity,
        created=located.created,
        read_twice=again,
    )


def _refuse_other(identity: DatasetIdentity, spec: DataSpec) -> None:
    if spec.sha256 is not None and spec.sha256.lower() != identity.digest:
        raise DataError(
            f"the policy names data with sha256 {spec.sha256}, but these have {identity.digest} "
            f"({identity.digest_kind})",
            where=identity.uri,
            hint="give the data that the policy names, or state the new digest in the policy",
        )


def _hash_again(path: Path, uri: str) -> str:
    try:
        return canonical.sha256_file(path)
    except OSError as error:
        reason = error.strerror or error
        raise SourceError(f"cannot read the data again: {reason}", where=uri) from error


def _find(role: Role, spec: DataSpec, policy: Policy, locate: Locate) -> Located | None:
    if spec.source is None:
        return locate(convention(role), role=role) if role in CONVENTION else None
    scheme, _, rest = spec.source.partition(":")
    if scheme == "artifact":
        return _artifact(rest, role, locate)
    if scheme == "file":
        return _policy_file(spec.source, policy.folder)
    raise DataError(f"the source {public_uri(spec.source)!r} cannot be read", hint=_READS)


def _artifact(path: str, role: Role, locate: Locate) -> Located | None:
    try:
        safe = safe_name(path)
    except SourceError as error:
        raise DataError(error.what, hint="name a path below the run's artifacts") from error
    return locate(str(safe), role=role)


def _given_file(text: str, role: Role, locate: Locate) -> Located | None:
    """Find what `--data` names; it may lie anywhere, because the caller says so."""
    if text.startswith("artifact:"):
        return _artifact(text.removeprefix("artifact:"), role, locate)
    if "://" in text and not text.startswith("file://"):
        raise DataError(
            f"{public_uri(text)!r} cannot be read", hint=f"{_READS}; --data takes a local file"
        )
    path = _path_of(text)
    return Located(path=path, uri=f"file:{quote(str(path))}")


def _policy_file(source: str, folder: str) -> Located | None:
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
        return None
    return Located(path=path, uri=f"file:{quote(path.relative_to(root).as_posix())}")


def _path_of(uri: str) -> Path:
    path = local_path(uri)
    if path is None:
        raise DataError("a file on another host cannot be read", where=public_uri(uri), hint=_READS)
    return path
