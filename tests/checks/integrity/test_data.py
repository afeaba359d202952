"""Data that changed, are not the declared ones, or are used twice; unread data are never 0."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from aims_gate.checks.integrity.data import DataDigests
from aims_gate.errors import DataError, SourceError
from aims_gate.facts import DigestKind, NoValue
from aims_gate.frames.opening import open_frame
from aims_gate.policy.model import DataSpec, Policy, Role
from aims_gate.sources.data import open_data
from aims_gate.sources.locate import Finder, Locate
from aims_gate.sources.subject import Data, Located, Workspace
from tests.checks.integrity.cells import measure, subject_of, values
from tests.support.engine_tables import relation

Tables = dict[Role, pa.Table]
EVALUATION = pa.table({"y": [0, 1, 1], "x": [1.0, 2.0, 3.0]})
REFERENCE = pa.table({"y": [0, 1, 0, 1], "x": [1.0, 2.0, 3.0, 4.0]})


@pytest.fixture
def data_of(tmp_path: Path) -> Callable[[Tables], Mapping[Role, Data]]:
    """Open tables as the gate does, from a file for each role."""

    def make(tables: Tables) -> Mapping[Role, Data]:
        for role, table in tables.items():
            # other bytes for the same rows
            packed = "zstd" if role is Role.EVALUATION else "snappy"
            parquet.write_table(table, tmp_path / f"{role}.parquet", compression=packed)

        def locate(path: str, *, role: Role) -> Located | None:
            found = tmp_path / f"{role}.parquet"
            return Located(path=found, uri=f"artifact:{path}") if found.exists() else None

        data, unread = open_data({}, finder(locate, tmp_path))
        assert unread == {}
        return data

    return make


Maker = Callable[[Tables], Mapping[Role, Data]]


def finder(locate: Locate, folder: Path) -> Finder:
    policy = Policy(id="p", version="1")
    return Finder(policy=policy, locate=locate, workspace=Workspace(folder=folder))


def test_different_unchanged_data_have_no_violation(folder: Path, data_of: Maker) -> None:
    data = data_of({Role.EVALUATION: EVALUATION, Role.REFERENCE: REFERENCE})
    cells = measure(DataDigests(), subject_of(folder, data=data))
    assert values(cells) == {"changed": 0.0, "declared": 0.0, "reused": 0.0}


def test_data_rewritten_after_they_were_read_are_counted(
    folder: Path, data_of: Maker, tmp_path: Path
) -> None:
    data = data_of({Role.EVALUATION: EVALUATION, Role.REFERENCE: REFERENCE})
    parquet.write_table(EVALUATION.slice(1), tmp_path / "evaluation.parquet")
    cell = measure(DataDigests(), subject_of(folder, data=data))["changed"]
    assert (cell.value, cell.reason) == (1.0, "the evaluation data hash differently now")


def test_data_that_cannot_be_read_again_are_no_pass(
    folder: Path, data_of: Maker, tmp_path: Path
) -> None:
    data = data_of({Role.EVALUATION: EVALUATION})
    (tmp_path / "evaluation.parquet").unlink()
    assert (
        measure(DataDigests(), subject_of(folder, data=data))["changed"].lack is NoValue.UNDEFINED
    )


def test_training_data_are_not_evaluated_on(folder: Path, data_of: Maker) -> None:
    """The same rows in files of different bytes are the same data."""
    data = data_of(
        {Role.EVALUATION: EVALUATION, Role.REFERENCE: EVALUATION, Role.CURRENT: REFERENCE}
    )
    digests = {found.identity.digest for found in data.values()}
    cell = measure(DataDigests(), subject_of(folder, data=data))["reused"]
    assert len(digests) == 3
    assert (cell.value, cell.reason) == (1.0, "evaluation and reference are the same data")


def test_drift_of_data_against_themselves_is_counted(folder: Path, data_of: Maker) -> None:
    data = data_of({Role.CURRENT: REFERENCE, Role.REFERENCE: REFERENCE})
    assert measure(DataDigests(), subject_of(folder, data=data))["reused"].value == 1.0


@pytest.mark.parametrize(
    ("current", "reused"), [(EVALUATION.take([2, 0, 1]), 1.0), (REFERENCE.slice(1), 0.0)]
)
def test_rows_that_an_engine_holds_are_compared_there(
    folder: Path, data_of: Maker, current: pa.Table, reused: float
) -> None:
    data = dict(data_of({Role.CURRENT: current, Role.EVALUATION: EVALUATION}))
    for place in ({Role.CURRENT}, set(data)):
        for role in place:
            table = current if role is Role.CURRENT else EVALUATION
            data[role] = replace(data[role], frame=open_frame(relation(table)))
        assert measure(DataDigests(), subject_of(folder, data=data))["reused"].value == reused


def test_a_digest_that_is_not_the_declared_one_is_counted(folder: Path, data_of: Maker) -> None:
    data = dict(data_of({Role.EVALUATION: EVALUATION}))
    found = data[Role.EVALUATION]
    for declared, count in ((found.identity.digest.upper(), 0.0), ("ab" * 32, 1.0)):
        data[Role.EVALUATION] = replace(found, spec=DataSpec(sha256=declared))
        assert measure(DataDigests(), subject_of(folder, data=data))["declared"].value == count


def nowhere(path: str, *, role: Role) -> Located | None:
    """Find no artifact."""
    return None


def test_frames_in_memory_are_hashed_once_and_still_compared(folder: Path, tmp_path: Path) -> None:
    given = {Role.EVALUATION: EVALUATION, Role.REFERENCE: EVALUATION}
    data, unread = open_data(given, finder(nowhere, tmp_path))
    assert unread == {}
    assert data[Role.EVALUATION].identity.digest_kind is DigestKind.ROWS
    cells = measure(DataDigests(), subject_of(folder, data=data))
    assert values(cells) == {"changed": 0.0, "declared": 0.0, "reused": 1.0}


def test_no_data_are_missing_and_unreadable_data_are_an_error(folder: Path) -> None:
    assert measure(DataDigests(), subject_of(folder))["data"].lack is NoValue.MISSING
    unread = {Role.EVALUATION: DataError("not Parquet", where="x")}
    cells = measure(DataDigests(), subject_of(folder, unread=unread))
    assert cells["unread evaluation"].lack is NoValue.UNDEFINED
    assert "not Parquet" in cells["unread evaluation"].reason


def test_a_file_identity_that_cannot_be_read_twice_is_no_pass(folder: Path, data_of: Maker) -> None:
    data = dict(data_of({Role.EVALUATION: EVALUATION}))
    data[Role.EVALUATION] = replace(data[Role.EVALUATION], read_twice=None)
    assert (
        measure(DataDigests(), subject_of(folder, data=data))["changed"].lack is NoValue.UNDEFINED
    )

    def gone() -> str:
        raise SourceError("gone")

    data[Role.EVALUATION] = replace(data[Role.EVALUATION], read_twice=gone)
    assert measure(DataDigests(), subject_of(folder, data=data))["changed"].reason == "gone"
