"""Load data by role: find, read once, hash what is read, join, apply the window, describe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

import pyarrow as pa

from aims_gate import canonical
from aims_gate.errors import DataError, GateError, SourceError
from aims_gate.facts import DatasetIdentity, DigestKind
from aims_gate.frames import ColumnKind, Frame
from aims_gate.frames.column_values import kind_of
from aims_gate.frames.convert import to_table
from aims_gate.frames.opening import in_memory, is_engine_table, open_frame, open_rows
from aims_gate.policy.model import DataSpec, JoinSpec, Role
from aims_gate.sources.budget import Budget
from aims_gate.sources.delta_log import DeltaSnapshot, snapshot_of
from aims_gate.sources.folders import bytes_below, folder_digest, read_folder
from aims_gate.sources.join import join
from aims_gate.sources.legible import legible
from aims_gate.sources.locate import CONVENTION, Finder
from aims_gate.sources.paths import public_uri, recorded_uri
from aims_gate.sources.predictions import derive_prediction
from aims_gate.sources.readers import read_file
from aims_gate.sources.reading import reading_of
from aims_gate.sources.roles import from_run, merge, read_model, read_roles, refuse_shared, withheld
from aims_gate.sources.stated import refuse_other, refuse_timeless, refuse_types
from aims_gate.sources.subject import Data, Joined, Located, Scores
from aims_gate.sources.table_places import named_place, parsed_place
from aims_gate.sources.tables import open_expression, open_folder, open_place
from aims_gate.sources.window import newest, within


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Read:
    """A table as it was read, with the identity of its bytes."""

    table: pa.Table
    identity: DatasetIdentity
    again: Callable[[], str] | None = None
    created: datetime | None = None
    scores: Scores | None = None
    """What the table was made of, if it is a scorer's."""


def open_data(
    given: Mapping[Role, object], finder: Finder
) -> tuple[Mapping[Role, Data], Mapping[Role, DataError]]:
    """Open the data of every role that the policy, the caller or the convention names.

    What the caller hands over wins over the policy's `source`, and that over the convention. A
    role whose data are not there is in neither answer; rules that need it find it MISSING.

    Args:
        given: Per role a path or URI as text, or a frame in memory.
        finder: Finds files; its policy's `data` describe roles, and its workspace's `max_bytes`
            limits each file.

    Returns:
        The data that can be used, and for the others the reason why they cannot.
    """
    data: dict[Role, Data] = {}
    unread: dict[Role, DataError] = {}
    for role in Role:
        if role not in finder.policy.data and role not in given and role not in CONVENTION:
            continue
        try:
            opened = _open(role, given.get(role), finder)
        except DataError as error:
            unread[role] = error
        except GateError as error:
            unread[role] = DataError(error.what, where=error.where, hint=error.hint)
        else:
            if opened is not None:
                data[role] = opened
    return data, unread


def open_found(role: Role, spec: DataSpec, located: Located, finder: Finder) -> Data:
    """Read what lies at a place as the data of a role.

    Raises:
        GateError: It cannot be read, or is not what *spec* says.
    """
    budget = Budget.of(finder.workspace.environ, finder.workspace.max_bytes)
    snapshot = _snapshot(located, spec.snapshot)
    if located.path.is_dir() and bytes_below(located.path, snapshot) > budget.most:
        return open_folder(role, spec, located, finder.workspace, snapshot)
    return _describe(role, spec, _from_file(role, located, finder, snapshot), finder)


def open_scores(
    role: Role, spec: DataSpec, named: str, finder: Finder, *, by_caller: bool = False
) -> Data | None:
    """Read the scores of a judge as the data of a role; None where *named* is something else.

    Raises:
        GateError: There are none, it is not clear which, or MLflow cannot be read.
    """
    scores = finder.scores(named, role, spec, by_caller=by_caller)
    return None if scores is None else _describe(role, spec, _from_scores(role, scores), finder)


def _open(role: Role, given: object, finder: Finder) -> Data | None:
    spec = finder.policy.data.get(role, DataSpec())
    if is_engine_table(given):
        return open_expression(role, spec, given, finder.workspace)
    if given is not None and not isinstance(given, (str, Path)):
        return _describe(role, spec, _from_memory(role, given), finder)
    named = (spec.source or "") if given is None else str(given)
    place = named_place(spec) if given is None else parsed_place(named)
    place = place or finder.table(named)
    if place is not None:
        return open_place(place, role, spec, finder.workspace)
    scored = open_scores(role, spec, named, finder, by_caller=given is not None)
    if scored is not None:
        return scored
    located: Located | None
    if given is not None:
        located = finder.given(str(given), role)
    elif spec.source is not None:
        located = finder.source(spec.source, role)
    else:
        located = finder.by_convention(role)
    if located is None:
        return None
    return open_found(role, spec, located, finder)


def _describe(role: Role, spec: DataSpec, read: _Read, finder: Finder) -> Data:
    """Join other sources, apply the time window, and name the column roles."""
    where = f"{role} data"
    refuse_other(read.identity, spec)
    known = finder.policy.data.get(Role.EVALUATION, DataSpec())
    declare = finder.policy.declare
    stated = merge(spec, read.scores.roles if read.scores else None)
    logged = withheld(read_roles(read.table), stated, known, declare, where=where)
    merged = merge(stated, logged)
    refuse_shared(merged, where=where)
    given, notes = legible(read.table)
    table, joined = _joined(role, merged, given, finder)
    refuse_types(_kinds(table), merged, where)
    refuse_timeless(merged, where)
    latest = None if merged.time is None else _newest(table, merged, where)
    window = ""
    if merged.window_days is not None and merged.time is not None:
        table, window = within(table, merged.time, merged.window_days, where=where)
    frame = _frame(table, read, merged.weight, where)
    authored = from_run(stated, merged, known)
    identity = replace(
        read.identity,
        rows=frame.rows,
        window=window,
        notes=(*read.identity.notes, *notes),
        model_id=read.scores.model_id if read.scores else read_model(read.table),
        named_by_run=tuple(sorted(authored)),
    )
    tables = [(identity, read.table.column_names), *((j.identity, j.columns) for j in joined)]
    found = Data(
        role=role,
        frame=frame,
        spec=merged,
        identity=identity,
        created=read.created,
        newest=latest,
        joined=joined,
        answers=tuple(one for one, columns in tables if _answers(merged).intersection(columns)),
        read_twice=read.again,
        from_run=authored,
        declared=frozenset(column for _, column in spec.columns()),
        claim=read.scores.claim if read.scores else "",
    )
    return derive_prediction(found)


def _kinds(table: pa.Table) -> dict[str, tuple[ColumnKind, str]]:
    """Kind and type of each column; one without any value has none."""
    typed = (field for field in table.schema if not pa.types.is_null(field.type))
    return {field.name: (kind_of(field.type), str(field.type)) for field in typed}


def _frame(table: pa.Table, read: _Read, weight: str | None, where: str) -> Frame:
    """Frame of the data; its digest covers the rows before the join."""
    frame = open_rows(table, weight=weight, name=where)
    return frame if table is read.table else replace(frame, given=read.table)


def _newest(table: pa.Table, spec: DataSpec, where: str) -> datetime | None:
    """Newest time of the data; an unusable time column matters only where ages are required."""
    try:
        return newest(table, spec.time or "", where=where)
    except DataError:
        if spec.window_days is not None or spec.max_age_days is not None:
            raise
        return None


def _joined(
    role: Role, spec: DataSpec, table: pa.Table, finder: Finder
) -> tuple[pa.Table, tuple[Joined, ...]]:
    found = []
    for stated in spec.join:
        read = _kept_elsewhere(role, stated, finder)
        source = read.identity.uri
        other, notes = legible(read.table)
        had = table.num_columns
        table = join(table, other, stated, where=f"{role} data", source=source)
        lent = tuple(table.column_names[had:])
        if read.again is not None:
            claim = read_model(read.table) if _answers(spec).intersection(lent) else ""
            notes = (*read.identity.notes, *notes)
            identity = replace(read.identity, notes=notes, model_id=claim)
            found.append(Joined(identity=identity, columns=lent, read_twice=read.again))
    return table, tuple(found)


def _answers(spec: DataSpec) -> set[str]:
    """Name the columns of the model's answers."""
    return {
        column
        for role, column in spec.columns()
        if role.partition(".")[0] in {"prediction", "score"}
    }


def _kept_elsewhere(role: Role, stated: JoinSpec, finder: Finder) -> _Read:
    located = finder.source(stated.source, role)
    read = _from_file(role, located, finder, _snapshot(located))
    return replace(read, identity=replace(read.identity, role=f"{role}.join"))


def _from_memory(role: Role, given: object) -> _Read:
    where = f"{role} data"
    frame = in_memory(given)
    table = to_table(given if frame is None else frame.given, where=where)
    identity = DatasetIdentity(
        role=role,
        name=role,
        uri=f"memory:{role}",
        digest=open_frame(table, name=where).digest(),
        digest_kind=DigestKind.ROWS,
        rows=table.num_rows,
    )
    return _Read(table=table, identity=identity)


def _from_scores(role: Role, scores: Scores) -> _Read:
    identity = DatasetIdentity(
        role=role,
        name=scores.uri.rpartition("/")[2],
        uri=scores.uri,
        digest=open_frame(scores.table, name=f"{role} data").digest(),
        digest_kind=DigestKind.ROWS,
        rows=scores.table.num_rows,
        notes=(scores.claim, *scores.notes),
    )
    return _Read(table=scores.table, identity=identity, created=scores.created, scores=scores)


def _snapshot(located: Located, version: int | None = None) -> DeltaSnapshot | None:
    """The version of a Delta table that the policy names, else the run, else the newest."""
    if not located.path.is_dir():
        return None
    version = located.version if version is None else version
    return snapshot_of(located.path, version, where=public_uri(located.uri))


def _from_file(
    role: Role, located: Located, finder: Finder, snapshot: DeltaSnapshot | None
) -> _Read:
    uri = public_uri(located.uri)
    finder.workspace.progress(f"reading the {role} data, {uri}")
    is_folder = located.path.is_dir()
    budget = Budget.of(finder.workspace.environ, finder.workspace.max_bytes)
    if is_folder:
        read = read_folder(located.path, where=uri, budget=budget, snapshot=snapshot)
    else:
        reading = reading_of(finder.policy, role)
        read = read_file(located.path, where=uri, budget=budget, reading=reading)
    identity = DatasetIdentity(
        role=role,
        name=located.path.name,
        uri=recorded_uri(located.uri),
        digest=read.sha256,
        digest_kind=DigestKind.TREE if is_folder else DigestKind.FILE,
        rows=read.table.num_rows,
        mlflow_digest=located.mlflow_digest,
        notes=read.notes,
        snapshot="" if snapshot is None else str(snapshot.version),
    )
    again: Callable[[], str] = partial(_hash_again, located.path, uri, snapshot)
    return _Read(table=read.table, identity=identity, again=again, created=located.created)


def _hash_again(path: Path, uri: str, snapshot: DeltaSnapshot | None) -> str:
    try:
        if path.is_dir():
            return folder_digest(path, snapshot)
        return canonical.sha256_file(path)
    except OSError as error:
        reason = error.strerror or error
        raise SourceError(f"cannot read the data again: {reason}", where=uri) from error
