"""A webhook's event, parsed: which model something happened to. A hint and never a fact."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass

EXAMPLE = "example_model"
"""The name in what MLflow's own test of a webhook sends."""
_EVENTS = frozenset(
    {
        ("registered_model", "created"),
        ("model_version", "created"),
        ("model_version_tag", "set"),
        ("model_version_tag", "deleted"),
        ("model_version_alias", "created"),
        ("model_version_alias", "deleted"),
    }
)
_LONGEST_NAME = 256
"""Characters of a registered model's name, as MLflow stores it."""


class MalformedError(ValueError):
    """The body is not what MLflow sends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryEvent:
    """Something happened to a registered model, says the sender."""

    model: str
    workspace: str
    """As claimed: MLflow's cache of webhooks does not tell workspaces apart."""


def parse_event(body: bytes) -> RegistryEvent | None:
    """Read a body; None if it is of no event that matters here, such as a prompt's.

    Raises:
        MalformedError: It is no such JSON, or its names could not be a model's.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedError("the body is no JSON") from error
    if not isinstance(document, dict) or not isinstance(document.get("data"), dict):
        raise MalformedError("the body is no object with data")
    if (str(document.get("entity")), str(document.get("action"))) not in _EVENTS:
        return None
    model, workspace = document["data"].get("name"), document.get("workspace", "")
    if not (_is_name(model) and (workspace == "" or _is_name(workspace))):
        raise MalformedError("the body names no model")
    return None if model == EXAMPLE else RegistryEvent(model=model, workspace=workspace)


def _is_name(value: object) -> bool:
    """Whether a database can hold it, and a log show it."""
    unseen = {"Cc", "Cs"}
    return (
        isinstance(value, str)
        and 0 < len(value) <= _LONGEST_NAME
        and not any(unicodedata.category(letter) in unseen for letter in value)
    )
