"""Which tables stay in the engine that holds them: told by their type, importing no library."""

from __future__ import annotations

_KINDS = {
    ("aims_gate", "EngineTable"): "held",
    ("ibis", "Table"): "ibis",
    ("duckdb", "DuckDBPyRelation"): "duckdb",
    ("pyspark", "DataFrame"): "pyspark",
}


def library_of(data: object) -> str:
    """Name the library of an Ibis table, a DuckDB relation or a Spark frame; empty for others."""
    for kind in type(data).__mro__:
        package = kind.__module__.partition(".")[0].lstrip("_")
        if found := _KINDS.get((package, kind.__name__)):
            return found
    return ""
