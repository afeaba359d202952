"""Delta tables in folders: the rows of one version, never those of all files together."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from pyarrow import parquet

from aims_gate.errors import DataError
from aims_gate.facts import DigestKind
from aims_gate.policy.model import DataSpec, Policy, Role
from aims_gate.sources.delta_log import LOG
from aims_gate.sources.folders import read_folder
from aims_gate.sources.opening import open_subject
from aims_gate.sources.subject import Data, Workspace

DAY = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
ROWS = pa.table(
    {
        "y": [1, 0, 1, 0],
        "yhat": [1, 1, 1, 1],
        "sex": ["F", "M", "F", None],
        "seen": pa.array([DAY] * 4, pa.timestamp("us", "UTC")),
        "v": pa.array([[0.5], [0.25, 1.0], None, []], pa.list_(pa.float64())),
    }
)

Open = Callable[..., Data]


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """A table of three versions: version 1 has worse rows that version 2 removed."""
    path = tmp_path / "lake"
    write_deltalake(path, ROWS)
    write_deltalake(path, ROWS, mode="append")
    write_deltalake(path, ROWS.slice(0, 3), mode="overwrite")
    return path


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """Open what a caller names as the data of a role."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights.txt").write_text("weights")

    def by_caller(path: object, environ: Mapping[str, str] | None = None, **spec: Any) -> Data:
        place = tmp_path / f"private {len(list(tmp_path.iterdir()))}"
        place.mkdir()
        stated = DataSpec(label="y", prediction="yhat", **spec)
        subject = open_subject(
            f"file:{tmp_path / 'model'}",
            policy=Policy(id="p", version="1", data={Role.EVALUATION: stated}),
            given={Role.EVALUATION: str(path)},
            workspace=Workspace(folder=place, environ=environ or {}),
        )
        for error in subject.unread.values():
            raise error
        return subject.data[Role.EVALUATION]

    return by_caller


def rewrite(table: Path, change: Callable[[dict[str, Any]], None], version: int = 0) -> None:
    """Write a commit of the log anew, each of its actions changed."""
    log = table / LOG / f"{version:020}.json"
    actions = [json.loads(line) for line in log.read_text().splitlines()]
    for action in actions:
        change(action)
    log.write_text("\n".join(map(json.dumps, actions)))


def added(table: Path, **more: object) -> None:
    """Change what the first commit of a table says of its file."""

    def change(action: dict[str, Any]) -> None:
        if "add" in action:
            action["add"].update(more)

    rewrite(table, change)


@pytest.mark.parametrize("environ", [{}, {"AIMS_GATE_MAX_DATA_BYTES": "1000"}])
def test_the_rows_are_those_of_one_version_in_memory_and_in_duckdb(
    lake: Path, opened: Open, environ: dict[str, str]
) -> None:
    shutil.rmtree(lake)
    for mode, rows in (("error", ROWS), ("append", ROWS), ("overwrite", ROWS.slice(0, 3))):
        write_deltalake(lake, rows.drop(["v"]), mode=mode)  # a list has no table-v1
    newest, first = opened(lake, environ), opened(lake, environ, snapshot=1)
    assert (newest.frame.rows, newest.identity.snapshot) == (3, "2")
    assert (first.frame.rows, first.identity.snapshot) == (8, "1")
    assert newest.identity.digest != first.identity.digest
    assert newest.identity.digest_kind is DigestKind.TREE
    assert any("held by duckdb" in note for note in newest.identity.notes) == bool(environ)


def test_what_is_written_meanwhile_changes_neither_rows_nor_digest(
    lake: Path, opened: Open
) -> None:
    data = opened(lake)
    write_deltalake(lake, ROWS, mode="append")
    assert data.read_twice is not None
    assert data.read_twice() == data.identity.digest
    assert data.frame.rows == 3
    for file in DeltaTable(lake, version=2).file_uris():
        Path(file).write_bytes(b"x")
    assert data.read_twice() != data.identity.digest


def test_a_version_that_is_not_there_or_lost_a_file_is_refused(lake: Path, opened: Open) -> None:
    with pytest.raises(DataError, match="version 9 of the Delta table cannot be read"):
        opened(lake, snapshot=9)
    DeltaTable(lake).vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False)
    with pytest.raises(DataError, match="has a file that is not there"):
        opened(lake, snapshot=1)
    assert opened(lake).frame.rows == 3


def test_a_snapshot_of_what_has_no_versions_is_refused(tmp_path: Path, opened: Open) -> None:
    parquet.write_table(ROWS, tmp_path / "rows.parquet")
    with pytest.raises(DataError, match="these data have no versions here"):
        opened(tmp_path / "rows.parquet", snapshot=1)


def test_a_part_of_a_delta_table_is_no_folder_of_parquet(tmp_path: Path, opened: Open) -> None:
    table = tmp_path / "lakes" / "table"
    write_deltalake(table, ROWS, partition_by=["sex"])
    with pytest.raises(DataError, match="a part of a Delta table"):
        opened(table / "sex=F")
    with pytest.raises(DataError, match="below the folder is a Delta table"):
        opened(tmp_path / "lakes")
    with pytest.raises(DataError, match=f"{LOG}.*below the folder is a Delta table"):
        read_folder(table, where="lake")  # as a plain folder it is never read


def test_partitions_have_the_values_and_types_of_the_log(tmp_path: Path, opened: Open) -> None:
    keyed = ROWS.append_column("zip", [["100", "101", "100", "101"]]).append_column(
        "day", pa.array([dt.date(2026, 1, 2), None, None, None], pa.date32())
    )
    write_deltalake(tmp_path / "keyed", keyed, partition_by=["zip", "day", "sex"])
    frame = opened(tmp_path / "keyed").frame
    kinds = {name: column.type for name, column in frame.columns.items()}
    assert (kinds["zip"], kinds["day"], kinds["sex"]) == ("string", "date32[day]", "string")
    assert frame.nulls("sex") == 1
    assert frame.nulls("day") == 3
    added(tmp_path / "keyed", partitionValues={"zip": "102", "day": None, "sex": "M"})
    with pytest.raises(DataError, match="other values of the partition 'zip'"):
        opened(tmp_path / "keyed")
    added(tmp_path / "keyed", partitionValues={"zip": "x", "day": "no day", "sex": "M"})
    with pytest.raises(DataError, match="Delta table"):
        opened(tmp_path / "keyed")


def test_a_column_that_came_later_is_null_in_older_files(tmp_path: Path, opened: Open) -> None:
    write_deltalake(tmp_path / "t", ROWS)
    more = ROWS.append_column("p", [[0.1, 0.2, 0.3, 0.4]])
    write_deltalake(tmp_path / "t", more, mode="append", schema_mode="merge")
    frame = opened(tmp_path / "t").frame
    assert (frame.rows, frame.nulls("p")) == (8, 4)
    with pytest.raises(DataError, match="other columns or types than"):
        opened(tmp_path / "t", {"AIMS_GATE_MAX_DATA_BYTES": "1000"})


def test_times_as_spark_stores_them_are_the_instants_of_the_log(
    tmp_path: Path, opened: Open
) -> None:
    """Spark writes 96 bits without a zone, of which the log says that they are instants."""
    write_deltalake(tmp_path / "t", ROWS)
    (file,) = DeltaTable(tmp_path / "t").file_uris()
    naive = ROWS.set_column(3, "seen", ROWS["seen"].cast(pa.timestamp("us")))
    parquet.write_table(naive, file, use_deprecated_int96_timestamps=True)
    assert opened(tmp_path / "t").frame.span("seen").newest == DAY


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        (ROWS.append_column("more", [[1, 2, 3, 4]]), "column 'more', which the Delta table has"),
        (ROWS.set_column(0, "y", ROWS["y"].cast(pa.int32())), "'y' is int32 in the file and int64"),
        (ROWS.set_column(4, "v", [["a", "b", "c", "d"]]), "'v' is string in the file"),
        (ROWS.set_column(4, "v", [[["a"]] * 4]), "'v' is list"),
    ],
)
def test_a_file_that_is_not_as_the_log_says_is_refused(
    tmp_path: Path, opened: Open, columns: pa.Table, told: str
) -> None:
    write_deltalake(tmp_path / "t", ROWS)
    (file,) = DeltaTable(tmp_path / "t").file_uris()
    parquet.write_table(columns, file)
    with pytest.raises(DataError, match=told):
        opened(tmp_path / "t")


VECTOR = {
    "storageType": "i",
    "pathOrInlineDv": "wi5b=000010000siXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L",
    "sizeInBytes": 40,
    "cardinality": 6,
}


@pytest.mark.parametrize(
    ("features", "configuration", "more", "told"),
    [
        (["deletionVectors"], {}, {"deletionVector": VECTOR}, "Delta table"),
        (["columnMapping"], {"delta.columnMapping.mode": "name"}, {}, "Delta table"),
        (["typeWidening"], {}, {}, "'typeWidening', which a reader of Parquet passes over"),
        (["frobnicate"], {}, {}, "cannot be read: DeltaError"),
        ([], {}, {"path": "file:///etc/passwd"}, "a file that is not there"),
        ([], {}, {"path": "../beside.parquet"}, "a file that is not there"),
        ([], {}, {"path": "%2e%2e/beside.parquet"}, "a file that is not there"),
    ],
)
def test_what_a_reader_of_parquet_would_read_wrongly_is_refused(
    tmp_path: Path,
    opened: Open,
    features: list[str],
    configuration: dict[str, str],
    more: dict[str, object],
    told: str,
) -> None:
    table = tmp_path / "t"
    write_deltalake(table, ROWS)
    parquet.write_table(ROWS, tmp_path / "beside.parquet")
    protocol = {"minReaderVersion": 3, "minWriterVersion": 7}
    named = {"readerFeatures": features, "writerFeatures": features}

    def change(action: dict[str, Any]) -> None:
        if "protocol" in action:
            action["protocol"] = protocol | named
        if "metaData" in action:
            action["metaData"]["configuration"] = configuration

    rewrite(table, change)
    added(table, **more)
    with pytest.raises(DataError, match=told):
        opened(table)


def test_a_table_that_may_have_vectors_and_has_none_is_read(tmp_path: Path, opened: Open) -> None:
    write_deltalake(tmp_path / "t", ROWS)
    named = {"readerFeatures": ["deletionVectors"], "writerFeatures": ["deletionVectors"]}

    def change(action: dict[str, Any]) -> None:
        if "protocol" in action:
            action["protocol"] = {"minReaderVersion": 3, "minWriterVersion": 7, **named}

    rewrite(tmp_path / "t", change)
    assert opened(tmp_path / "t").frame.rows == 4


def test_a_log_that_is_none_and_a_table_without_rows_are_refused(
    tmp_path: Path, opened: Open
) -> None:
    (tmp_path / "none" / LOG).mkdir(parents=True)
    parquet.write_table(ROWS, tmp_path / "none" / "x.parquet")
    with pytest.raises(DataError, match="the newest version of the Delta table cannot be read"):
        opened(tmp_path / "none")
    write_deltalake(tmp_path / "empty", ROWS)
    DeltaTable(tmp_path / "empty").delete()
    with pytest.raises(DataError, match="has no file"):
        opened(tmp_path / "empty")


def test_a_link_in_the_place_of_a_file_is_refused(lake: Path, opened: Open) -> None:
    (file,) = map(Path, DeltaTable(lake).file_uris())
    file.rename(lake.parent / "elsewhere.parquet")
    file.symlink_to(lake.parent / "elsewhere.parquet")
    with pytest.raises(DataError, match="neither a file nor a folder"):
        opened(lake)
