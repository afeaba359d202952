"""Partitioned Parquet: a folder of files with one schema, and columns in the names of its folders.

Every file below the folder is in the digest. Each is Parquet or one of the empty marks that writers
leave; anything else is refused, because a table format (Iceberg, Hudi) keeps removed rows in
such folders, and reading them all would bring those back. Of a Delta table the files of one version
are read, and they alone are in the digest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa

from aims_gate import canonical
from aims_gate.attest.manifest import MAX_BYTES, Manifest, ManifestEntry, scan
from aims_gate.errors import DataError
from aims_gate.frames.column_values import plain, undictionary
from aims_gate.sources.budget import Budget
from aims_gate.sources.delta_log import BY_ENGINE, LOG, NULL, DeltaSnapshot, OtherFiles
from aims_gate.sources.readers import ReadFile, parse_bytes, read_bytes

_BUDGET = Budget()
_TEXT = pa.large_string()
_MARK = re.compile(r"_SUCCESS|_metadata|_common_metadata|_(started|committed)_\w+|\..*\.crc")
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,17}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def read_folder(
    path: Path, *, where: str, budget: Budget = _BUDGET, snapshot: DeltaSnapshot | None = None
) -> ReadFile:
    """Read every Parquet file below a folder, or of a *snapshot*, in the order of their names.

    A folder called `KEY=VALUE` adds the column KEY: whole numbers or days (ISO 8601) where all its
    values are such, otherwise text; in a Delta table what its log says.

    Returns:
        The table, and as digest that of the folder's manifest.

    Raises:
        SourceError: A file cannot be read, is a link, or changes while it is read.
        DataError: A file is no Parquet, or the files do not make one table.
    """
    _refuse_slashes(path, where)
    if not any(path.iterdir()):
        raise DataError("the folder is empty", where=where)
    manifest = folder_manifest(path, snapshot, where=where, max_bytes=budget.most)
    tables, keys, left = [], [], budget.of_file(manifest.bytes)
    parts = _parts(manifest, where, snapshot)
    for entry, found in parts:
        inside = f"{where}/{entry.path}"
        keys.append(found)
        content = read_bytes(path / entry.path, where=inside, max_bytes=budget.most)
        if canonical.sha256(content) != entry.sha256:
            raise DataError("the file changed while it was read", where=inside)
        tables.append(parse_bytes(content, entry.path, where=inside, max_bytes=left))
        left -= tables[-1].nbytes
        if snapshot is not None:
            tables[-1] = snapshot.fitted(tables[-1], inside)
    typed = _typed
    if snapshot is not None:
        typed = partial(snapshot.key_column, files=[entry.path for entry, _keys in parts])
    whole = _stacked(tables, where)
    return ReadFile(
        table=_with_keys(whole, tables, keys, where, typed),
        sha256=manifest.digest,
        bytes=manifest.bytes,
    )


def large_folder(
    path: Path, *, where: str, max_bytes: int, snapshot: DeltaSnapshot | None = None
) -> tuple[Manifest, list[Path]]:
    """Files of a folder that is too large to be read into memory, for an engine to read.

    Raises:
        SourceError: A file cannot be read or is a link, or there are more than *max_bytes*.
        DataError: A file is no Parquet, or columns stand in the names of folders.
    """
    _refuse_slashes(path, where)
    manifest = folder_manifest(path, snapshot, where=where, max_bytes=max_bytes)
    found = _parts(manifest, where, snapshot)
    if any(keys for _entry, keys in found):
        hint = "keep the column in the files (no partition_by), or give an engine's own table"
        raise DataError("a folder this large has columns in the names of folders", hint=hint)
    files = [path / entry.path for entry, _keys in found]
    first, *others = (_schema(file, where) for file in files)
    for file, schema in zip(files[1:], others, strict=True):
        if not schema.equals(first):
            what = f"{file.name!a} has other columns or types than {files[0].name!a}"
            raise DataError(what, where=where, hint="write all files with one schema")
    if snapshot is not None:
        stated = snapshot.fitted(first.empty_table(), where)
        is_whole = stated.num_columns == len(first)
        if not (is_whole and stated.select(first.names).schema.types == first.types):
            what = "the files of a Delta table this large have other columns or types than its log"
            raise DataError(what, where=where, hint=BY_ENGINE)
    return manifest, files


def _schema(file: Path, where: str) -> pa.Schema:
    from pyarrow import parquet

    try:
        return parquet.read_schema(file).remove_metadata()
    except (OSError, pa.ArrowException) as error:
        raise DataError("it cannot be read as Parquet", where=f"{where}/{file.name}") from error


def bytes_below(path: Path, snapshot: DeltaSnapshot | None = None) -> int:
    """Bytes of all files below a folder, or of those of a *snapshot*."""
    ignored = () if snapshot is None else OtherFiles(snapshot.files)
    files = (file for file in path.rglob("*") if str(file.relative_to(path)) not in ignored)
    return sum(file.stat().st_size for file in files if file.is_file())


def folder_manifest(
    path: Path, snapshot: DeltaSnapshot | None, *, where: str, max_bytes: int = MAX_BYTES
) -> Manifest:
    """Hash the files of a folder, or those of a *snapshot*; errors as of `scan`.

    DataError if a file of the snapshot is not there.
    """
    if snapshot is None:
        return scan(path, max_bytes=max_bytes)
    there = {str(file.relative_to(path)) for file in path.rglob("*")}
    if snapshot.files.keys() <= there:
        manifest = scan(path, ignore=OtherFiles(snapshot.files), max_bytes=max_bytes)
        if manifest.files == len(snapshot.files):
            return manifest
    what = f"version {snapshot.version:,} of the Delta table has a file that is not there"
    raise DataError(what, where=where, hint="was it removed by VACUUM? Name a newer version")


def _parts(
    manifest: Manifest, where: str, snapshot: DeltaSnapshot | None
) -> list[tuple[ManifestEntry, dict[str, str]]]:
    """Parquet files of a folder, each with the columns in the names of its folders."""
    found = []
    for entry in manifest.entries:
        *folders, name = entry.path.split("/")
        if snapshot is None and _MARK.fullmatch(name):
            continue
        inside = f"{where}/{entry.path}"
        keys = _keys(folders, inside)
        if snapshot is not None and keys.keys() != set(snapshot.keys):
            what = "the folders of the Delta table do not tell its partitions"
            raise DataError(what, where=inside, hint=BY_ENGINE)
        found.append((entry, keys))
        if not name.lower().endswith((".parquet", ".pq")):
            raise _no_parquet(name, inside)
    if not found:
        raise DataError("the folder holds no Parquet file", where=where)
    return found


def folder_digest(path: Path, snapshot: DeltaSnapshot | None = None) -> str:
    """Hash a folder again, as `read_folder` does."""
    return folder_manifest(path, snapshot, where=path.name).digest


def _keys(folders: Sequence[str], where: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for folder in folders:
        key, equals, value = folder.partition("=")
        key = unquote(key)
        if not (key and equals) or key in found:
            delta = "below the folder is a Delta table" if LOG in folders else ""
            what = delta or f"the folder {folder!a} is not called KEY=VALUE"
            hint = "name the table's own folder" if delta else "write the rows to plain Parquet"
            if found and not delta:
                hint = f"a value of the partition {next(reversed(found))!r} may have a slash in "
                hint += "it: write it without, or keep the column in the files"
            raise DataError(what, where=where, hint=hint)
        found[key] = unquote(value)
    return found


def _refuse_slashes(path: Path, where: str) -> None:
    """Refuse values that are written as an encoded separator, which no manifest may name."""
    for folder in path.glob("**/*=*/"):
        key, _, value = folder.name.partition("=")
        if re.search("%(2f|5c|2e|00)", value, re.IGNORECASE):
            what = f"a value of the partition {key!r} has a slash, a backslash or an encoded dot"
            hint = "write it without, or keep the column in the files (no partition_by)"
            raise DataError(what, where=where, hint=hint)


def _no_parquet(name: str, where: str) -> DataError:
    if name.lower().removesuffix(".gz").removesuffix(".zst").endswith((".csv", ".jsonl", ".json")):
        hint = "write the rows to Parquet, or to one file with one header, and name that file"
        return DataError("a folder of parts of text is not read", where=where, hint=hint)
    hint = "a table format must be read by its own engine: write its rows to Parquet"
    return DataError("it is no Parquet file", where=where, hint=hint)


def _stacked(tables: Sequence[pa.Table], where: str) -> pa.Table:
    """Concatenate the files' tables; a column that is all null in one file has no type there.

    Text is one type, however a file encodes it.
    """
    first = {field.name: _plain(field.type) for field in tables[0].schema}
    for table in tables[1:]:
        types = {field.name: _plain(field.type) for field in table.schema}
        if types.keys() != first.keys():
            name = min(types.keys() ^ first.keys())
            raise DataError(f"not every file has the column {name!r}", where=where)
        for name, kind in types.items():
            if pa.types.is_null(first[name]):
                first[name] = kind
            if kind not in {first[name], pa.null()}:
                what = f"column {name!r} is {first[name]} in one file and {kind} in another"
                raise DataError(what, where=where, hint="write all files with one schema")
    mixed = [n for n in first if len({t.schema.field(n).type for t in tables} - {pa.null()}) > 1]
    tables = [_encoded(table, mixed) for table in tables]
    metadata = {tuple(sorted((table.schema.metadata or {}).items())) for table in tables}
    if len(metadata) > 1:  # what a part says of itself is not said of the whole
        tables = [table.replace_schema_metadata(None) for table in tables]
    return pa.concat_tables(tables, promote_options="default")


def _plain(kind: pa.DataType) -> pa.DataType:
    """Type of a column; the same for all kinds of text."""
    values = kind.value_type if pa.types.is_dictionary(kind) else kind
    is_text = pa.types.is_string(values) or pa.types.is_large_string(values)
    return _TEXT if is_text or pa.types.is_string_view(values) else kind


def _encoded(table: pa.Table, texts: Sequence[str]) -> pa.Table:
    for name in texts:
        place, column = table.column_names.index(name), undictionary(plain(table[name]))
        table = table.set_column(place, name, column.cast(_TEXT))
    return table


def _with_keys(
    whole: pa.Table,
    tables: Sequence[pa.Table],
    keys: Sequence[dict[str, str]],
    where: str,
    typed: Callable[[str, Sequence[str]], pa.Array],
) -> pa.Table:
    if any(found.keys() != keys[0].keys() for found in keys):
        raise DataError("the files are not partitioned by the same keys", where=where)
    for name in keys[0]:
        if name in whole.column_names:
            what = f"the partition {name!r} is a column of the files as well"
            raise DataError(what, where=where, hint="rename one of them")
        values = typed(name, [found[name] for found in keys])
        parts = [
            pa.repeat(value, table.num_rows) for value, table in zip(values, tables, strict=True)
        ]
        whole = whole.append_column(name, pa.chunked_array(parts, type=values.type))
    return whole


def _typed(_name: str, texts: Sequence[str]) -> pa.Array:
    values = [None if text == NULL else text for text in texts]
    stated = [value for value in values if value is not None]
    if stated and all(_WHOLE.fullmatch(value) for value in stated):
        return pa.array([None if v is None else int(v) for v in values], pa.int64())
    if stated and all(_DAY.fullmatch(value) for value in stated):
        try:
            days = [None if v is None else date.fromisoformat(v) for v in values]
            return pa.array(days, pa.date32())
        except ValueError:
            pass
    return pa.array(values, pa.string())
