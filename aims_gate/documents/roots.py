"""`sources.allow`: where MLflow may keep artifacts, as trust files and operators write it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from pydantic import PlainValidator, WithJsonSchema

from aims_gate.documents.keys import TEXT_SCHEMA, Keys, as_text, describe, optional, refuse
from aims_gate.documents.store_uris import StoreUri, parse_allowed_root


def as_store_uri(uri: str, parse: Callable[[str], StoreUri]) -> str:
    """Read a place that *parse* accepts, and leave it as it is written."""
    try:
        parse(uri)
    except ValueError as error:
        raise refuse(f"has {describe(uri)}, which {error}") from None
    return uri


def as_roots(value: object) -> list[str]:
    """Read prefixes of URIs; a list of none is one, too."""
    if not isinstance(value, list):
        raise refuse(f"must be a list, not {describe(value)}", "such as [s3://bucket/mlflow/]")
    return [as_store_uri(as_text(item), parse_allowed_root) for item in value]


class RootsText(Keys):
    """Places where MLflow may keep artifacts, beside its own server."""

    allow: Annotated[
        list[str],
        PlainValidator(as_roots),
        WithJsonSchema({"type": "array", "items": TEXT_SCHEMA}),
    ] = optional(absent=[])
