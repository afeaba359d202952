"""Snapshot isolation of Delta tables: the files of one version, by the table's transaction log.

A Delta table's folder keeps the files of all its versions, so that its Parquet files together hold
removed rows. Which are those of a version only the log says. It is read once, when the data are
opened, so that what is written meanwhile changes nothing; a feature of the format that a reader
of Parquet would pass over is refused by its name.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa

from aims_gate.errors import DataError, MissingExtraError
from aims_gate.time_limit import patiently

LOG = "_delta_log"
NULL = "__HIVE_DEFAULT_PARTITION__"
BY_ENGINE = "ask an engine that reads Delta, through a connection, or write the rows to Parquet"
_HARMLESS = frozenset(
    {"timestampNtz", "vacuumProtocolCheck", "v2Checkpoint", "deletionVectors", "columnMapping"}
)
"""Features that a table may ask of its readers; the last two where it makes no use of them."""
_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeltaSnapshot:
    """One version of a Delta table."""

    version: int
    schema: pa.Schema
    """All columns, those of partitions too."""
    keys: tuple[str, ...]
    """Columns that stand in the names of folders."""
    files: Mapping[str, Mapping[str, object]]
    """Its files, each with the values of its *keys*."""

    def key_column(self, name: str, texts: Sequence[str], files: Sequence[str]) -> pa.Array:
        """Partition column: its value for each of *files*; DataError if their folders say others.

        Args:
            name: The column.
            texts: Its value for each file in the name of a folder, which the digest covers.
            files: Paths below the table's folder.
        """
        kind = self.schema.field(name).type
        logged = [self.files[file][name] for file in files]
        try:
            values = pa.array(logged, kind)
            named = pa.array([None if one == NULL else one for one in texts]).cast(kind)
        except pa.ArrowException:
            values = named = None
        if values is None or not values.equals(named):
            what = f"the log says other values of the partition {name!a} than the names of folders"
            raise DataError(what, hint=BY_ENGINE)
        return values

    def fitted(self, table: pa.Table, where: str) -> pa.Table:
        """A file's rows with all columns of this version; those that came later are null.

        DataError if a column has another type, or is none of the table.
        """
        own = [field for field in self.schema if field.name not in self.keys]
        stray = set(table.column_names) - {field.name for field in own}
        if stray:
            what = f"the file has a column {min(stray)!a}, which the Delta table has not"
            raise DataError(what, where=where)
        columns = [_as_stated(table, field, where) for field in own]
        return pa.table(columns, names=[field.name for field in own])


class OtherFiles(Container[str]):
    """Every path but those of a version."""

    def __init__(self, kept: Container[str]) -> None:
        """Keep *kept*."""
        self.kept = kept

    def __contains__(self, path: object) -> bool:
        """Tell whether a path is not of the version."""
        return path not in self.kept


def snapshot_of(folder: Path, version: int | None, *, where: str) -> DeltaSnapshot | None:
    """Snapshot of a Delta table: its newest *version*, or the stated one; None for other folders.

    Raises:
        MissingExtraError: The library that reads the log is not installed.
        DataError: There is no such version, the folder is a part of a table, or the version can
            only be read right by an engine that knows a feature of the format.
    """
    if any((above / LOG).is_dir() for above in folder.absolute().parents):
        what = "it is a part of a Delta table, whose log says which of its files hold"
        raise DataError(what, where=where, hint="name the table's own folder")
    if not (folder / LOG).is_dir():
        return None
    try:
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError
    except ImportError as error:
        raise MissingExtraError.for_library("deltalake", "delta", "a Delta table") from error
    try:
        table = DeltaTable(folder.absolute(), version=version)
        _refuse_features(table, where)
        actions = pa.table(table.get_add_actions(flatten=False)).to_pylist()
        schema = pa.schema(table.schema().to_arrow())
        keys = tuple(table.metadata().partition_columns)
        found = table.version()
    except (DeltaError, OSError, ValueError, pa.ArrowException, TimeoutError) as error:
        which = "the newest version" if version is None else f"version {version:,}"
        what = f"{which} of the Delta table cannot be read: {type(error).__name__}"
        hint = "look whether it is there: deltalake.DeltaTable(FOLDER).history()"
        raise DataError(what, where=where, hint=hint) from error
    files = {unquote(one["path"]): one.get("partition") or {} for one in actions}
    if not files or len(files) < len(actions):
        what = f"version {found:,} of the Delta table has no file, or one of them twice"
        raise DataError(what, where=where)
    return DeltaSnapshot(version=found, schema=schema, keys=keys, files=files)


def _refuse_features(table: Any, where: str) -> None:
    """Refuse what makes the rows of a table others than those of its files."""
    protocol = table.protocol()
    needed = set(protocol.reader_features or ())
    mapped = table.metadata().configuration.get("delta.columnMapping.mode", "none") != "none"
    found = sorted(needed - _HARMLESS) + ["columnMapping"] * mapped
    # the library opens the files that vectors lie in, and one of them may never end
    if "deletionVectors" in needed and patiently(
        lambda: pa.table(table.deletion_vectors()).num_rows, seconds=_SECONDS
    ):
        found.append("deletionVectors")
    if found:
        what = f"the Delta table uses {found[0][:40]!a}, which a reader of Parquet passes over"
        raise DataError(what, where=where, hint=BY_ENGINE)


def _as_stated(table: pa.Table, field: pa.Field, where: str) -> pa.ChunkedArray:
    """A column in the type of the log; what is not the same value there is refused."""
    if field.name not in table.column_names:
        return pa.chunked_array([pa.nulls(table.num_rows, field.type)])
    column = table[field.name]
    kinds = (column.type, field.type)
    # Spark stores times in a form of its own, and names the elements of lists otherwise
    if all(map(pa.types.is_timestamp, kinds)) or all(map(pa.types.is_nested, kinds)):
        try:
            return column.cast(field.type)
        except pa.ArrowException:
            pass
    elif column.type == field.type or {str(kind)[-6:] for kind in kinds} == {"string"}:
        return column
    what = f"column {field.name!a} is {column.type} in the file and {field.type} in the log"
    raise DataError(what, where=where)
