"""Tables that stay in the engine that holds them: only answers to questions come here.

A policy names a table and a connection; where that leads is written down by the operator of the
gate, outside of the checkout, so that neither a policy nor a run can choose a host, a user or a
file. Everything that is said of a table in evidence is its connection's name, its own name, the
engine and its digest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial

from aims_gate.errors import DataError, SourceError
from aims_gate.facts import DatasetIdentity, DigestKind
from aims_gate.frames.held_file import stamps_of
from aims_gate.frames.opening import in_memory
from aims_gate.policy.model import DataSpec, Role
from aims_gate.policy.operator import connection, table_limits
from aims_gate.sources.delta_log import DeltaSnapshot
from aims_gate.sources.folders import folder_digest, large_folder
from aims_gate.sources.paths import public_uri, recorded_uri
from aims_gate.sources.predictions import derive_prediction
from aims_gate.sources.roles import refuse_shared
from aims_gate.sources.stated import refuse_other, refuse_timeless, refuse_types
from aims_gate.sources.subject import Data, Located, Workspace
from aims_gate.sources.table_places import TablePlace
from aims_gate.sources.window import refuse_undated, window_of


def open_place(place: TablePlace, role: Role, spec: DataSpec, workspace: Workspace) -> Data:
    """Open a table as the data of a role; no row of it is fetched.

    Raises:
        UsageError: The operator wrote down no such connection.
        MissingExtraError: Ibis, or the engine's own library, is not installed.
        SourceError: The engine cannot be reached, or does not answer in time.
        DataError: It has no such table, or the table is not what *spec* says.
    """
    workspace.progress(f"asking {place.connection} for the {role} data, {place.name}")
    reached = connection(place.connection, workspace.environ)
    from aims_gate.frames.engine_connections import connect

    version = spec.snapshot if place.version is None else place.version
    try:
        if place.connection not in workspace.engines:
            workspace.engines[place.connection] = connect(
                reached.url, timeout=reached.timeout, max_bytes=reached.max_bytes
            )
        held = workspace.engines[place.connection].table(place.name, version)
    except (SourceError, DataError) as error:
        error.where = error.where or f"connection {place.connection}"
        raise
    return open_expression(role, spec, held, workspace, place=place)


def open_folder(
    role: Role,
    spec: DataSpec,
    located: Located,
    workspace: Workspace,
    snapshot: DeltaSnapshot | None = None,
) -> Data:
    """Open a folder of Parquet that is larger than memory holds, through a DuckDB of its own.

    Raises:
        MissingExtraError: Ibis or DuckDB is not installed.
        SourceError: A file cannot be read.
        DataError: It is not what *spec* says, or no plain folder of Parquet.
    """
    from aims_gate.frames.engine_connections import parquet

    where = public_uri(located.uri)
    workspace.progress(f"hashing the {role} data, {where}")
    before = stamps_of(file for file in located.path.rglob("*") if file.is_file())
    manifest, files = large_folder(
        located.path, where=where, max_bytes=workspace.max_bytes, snapshot=snapshot
    )
    source = DatasetIdentity(
        role=role,
        name=located.path.name,
        uri=recorded_uri(located.uri),
        digest=manifest.digest,
        digest_kind=DigestKind.TREE,
        rows=0,
        mlflow_digest=located.mlflow_digest,
        snapshot="" if snapshot is None else str(snapshot.version),
    )
    opened = open_expression(role, spec, parquet(files), workspace, source=source)
    stamps = {path: stamp for path, stamp in before.items() if path in set(files)}

    def again() -> str:
        """The digest if no file was written to or removed, also if that was taken back."""
        same = all(file.is_file() for file in files) and stamps_of(files) == stamps
        return folder_digest(located.path, snapshot) if same else ""

    return replace(opened, read_twice=again, created=located.created)


def open_expression(
    role: Role,
    spec: DataSpec,
    expression: object,
    workspace: Workspace,
    *,
    place: TablePlace | None = None,
    source: DatasetIdentity | None = None,
) -> Data:
    """Describe what an engine would answer as the data of a role.

    Args:
        role: Which data they are.
        spec: What the policy says of them.
        expression: An Ibis table, a DuckDB relation or a Spark frame.
        workspace: Whose environment says what may be taken of a table without a connection.
        place: Where it was found; None for what the caller handed over.
        source: The files that it is read from, hashed; None for a table of an engine.

    Raises:
        SourceError: The engine does not answer.
        DataError: The table is not what *spec* says.
    """
    where = f"{role} data"
    refuse_shared(spec, where=where)
    for key in ("join", "predictions"):
        if getattr(spec, key):
            hint = "hand over a view of the engine that has these columns"
            raise DataError(
                f"{key} needs rows, and these stay in an engine", where=where, hint=hint
            )
    refuse_timeless(spec, where)
    from aims_gate.frames.ibis_frame import IbisFrame

    seconds, most = None, None
    if place is None:
        limits = table_limits(workspace.environ)
        seconds, most = limits.timeout_seconds, int(limits.max_bytes)
    whole = IbisFrame.over(
        expression, weight=spec.weight, name=where, seconds=seconds, max_bytes=most
    )
    kinds = {name: (column.kind, column.type) for name, column in whole.columns.items()}
    refuse_types(kinds, spec, where)
    newest = None if spec.time is None else whole.span(spec.time).newest
    frame, window = whole, ""
    if spec.window_days is not None and spec.time is not None:
        refuse_undated(whole.nulls(spec.time), spec.time, where=where)
        if newest is not None:
            start, window = window_of(newest, spec.window_days)
            frame = whole.after(spec.time, start)
    identity = replace(
        source or _identity(role, place, whole.digest(), whole.given.snapshot),
        rows=frame.rows,
        window=window,
        notes=(_holder(whole.engine, place),),
    )
    refuse_other(identity, spec)
    return derive_prediction(
        Data(
            role=role,
            frame=frame,
            spec=spec,
            identity=identity,
            newest=newest,
            answers=(identity,),
            read_twice=partial(whole.digest, again=True),
            declared=frozenset(column for _, column in spec.columns()),
        )
    )


def sent(data: Iterable[Data]) -> Iterator[str]:
    """Say of each engine how many bytes came back from it, of those that may."""
    told = set()
    for one in data:
        if in_memory(one.frame) is None:
            from aims_gate.frames.ibis_frame import IbisFrame

            if isinstance(one.frame, IbisFrame) and id(one.frame.session) not in told:
                session = one.frame.session
                told.add(id(session))
                most = f"{session.most_bytes:,}"
                yield f"{session.engine} sent {session.read_bytes:,} of {most} bytes"


def _holder(engine: str, place: TablePlace | None) -> str:
    """Say what holds the rows, and by which of the operator's names it was reached."""
    return f"held by {engine}" + ("" if place is None else f", connection {place.connection}")


def _identity(role: Role, place: TablePlace | None, digest: str, snapshot: str) -> DatasetIdentity:
    return DatasetIdentity(
        role=role,
        name=role if place is None else place.name,
        uri=f"memory:{role}" if place is None else str(place),
        digest=digest,
        digest_kind=DigestKind.TABLE,
        rows=0,
        snapshot=snapshot,
    )
