"""The `MLmodel` file beside a model: its flavours and the columns that it declares.

Whoever logged the model wrote it: a claim, read as hostile input, and never a reason to load code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aims_gate import canonical
from aims_gate.documents import strict_yaml
from aims_gate.errors import DataError, PolicyError, SourceError
from aims_gate.sources.readers import read_bytes
from aims_gate.sources.subject import Signature

NAME = "MLmodel"


@dataclass(frozen=True, slots=True, kw_only=True)
class MLmodel:
    """What an `MLmodel` file says."""

    flavors: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Per flavour its settings, such as `serialization_format`."""
    signature: Signature | None = None
    """None where the model declares no named inputs."""
    run_id: str = ""
    model_id: str = ""
    model_uuid: str = ""
    """The same id with MLflow 3, and the only one with MLflow 2."""


def read_mlmodel(folder: Path) -> MLmodel | None:
    """Read `MLmodel` in a model's private folder; None if there is none.

    Raises:
        SourceError: It is there and cannot be read or understood.
    """
    path = folder / NAME
    if not path.exists():
        return None
    try:
        content = read_bytes(path, where=NAME, max_bytes=strict_yaml.MAX_BYTES)
    except DataError as error:
        raise SourceError(error.what, where=NAME) from error
    return parse_mlmodel(content)


def parse_mlmodel(content: bytes) -> MLmodel:
    """Read the bytes of an `MLmodel` file.

    Raises:
        SourceError: Not YAML that the reader of policies accepts, or parts of a wrong type.
    """
    document = parse_mapping(content, where=NAME)
    flavors = document.get("flavors") or {}
    if not isinstance(flavors, dict) or not all(
        isinstance(name, str) and isinstance(settings, dict) for name, settings in flavors.items()
    ):
        raise SourceError("flavors is not a mapping of names to settings", where=NAME)
    return MLmodel(
        flavors=flavors,
        signature=_signature(document.get("signature")),
        run_id=_text(document, "run_id"),
        model_id=_text(document, "model_id"),
        model_uuid=_text(document, "model_uuid"),
    )


def parse_mapping(content: bytes, *, where: str) -> dict[str, Any]:
    """Read YAML that a stranger wrote beside a model, as strictly as a policy.

    Raises:
        SourceError: Not YAML that the reader of policies accepts, or no mapping.
    """
    try:
        tree = strict_yaml.parse(content, where).tree
    except PolicyError as error:
        first = error.problems[0]
        line = f":{first.line}" if first.line else ""
        what = f"it is not YAML that can be read: {first.what}"
        raise SourceError(what, where=f"{where}{line}") from error
    if not isinstance(tree, dict):
        raise SourceError("it is not a mapping", where=where)
    return tree


def _signature(written: object) -> Signature | None:
    """Read the inputs: a list of columns, itself JSON inside the YAML."""
    if written is None:
        return None
    inputs = written.get("inputs") if isinstance(written, dict) else ""
    if inputs is None:
        return None
    try:
        columns = canonical.parse(inputs.encode()) if isinstance(inputs, str) else None
    except ValueError:
        columns = None
    if not isinstance(columns, list) or not all(isinstance(column, dict) for column in columns):
        raise SourceError("the signature's inputs are not a JSON list of columns", where=NAME)
    named = [column for column in columns if isinstance(column.get("name"), str)]
    if not named:
        return None
    return Signature(
        inputs=tuple(
            (column["name"], str(column.get("type", "")), column.get("required", True) is not False)
            for column in named
        )
    )


def _text(document: Mapping[str, Any], key: str) -> str:
    value = document.get(key)
    return value if isinstance(value, str) else ""
