"""Configurations in JSON that name classes: imported, or fetched from a hub, as they load.

MLflow loads models of Hugging Face with `trust_remote_code=True`, and Spark its own stages by name;
Keras reads `config.json` from its archive or from a folder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from aims_gate import canonical
from aims_gate.checks.integrity.formats.keras import keras
from aims_gate.checks.integrity.formats.kinds import FoundFormat, code, unknown
from aims_gate.checks.integrity.formats.view import View

_MOST = 16 << 20
_CODE = ("auto_map", "custom_pipelines")
_SENTENCES = "sentence_transformers."
OUTSIDE = re.compile(r"(?i)[/\\].*|[a-z]:[/\\].*|file:.*|(.*[/\\])?\.\.([/\\].*)?", re.DOTALL)
"""Paths that lead out of the folder that they are joined to."""
_SPARK = ("org.apache.spark.", "pyspark.")


def configured(view: View, name: str) -> FoundFormat | None:
    """Judge what a file called *name* says of classes; None if it is not asked, or says nothing.

    Asked are `…config.json`, `modules.json`, and Spark's `part-…` that begin as an object does.
    """
    is_spark = name.startswith("part-") and view.read(0, 1) == b"{"
    if not is_spark and name != "modules.json" and not name.endswith("config.json"):
        return None
    if len(view) > _MOST:
        return unknown(f"{name} of more than 16 MiB")
    try:
        content = canonical.parse(view.read(0, _MOST))
    except ValueError:
        return unknown(f"{name} is not JSON that can be read")
    if is_spark:
        named = str(content.get("class", _SPARK[0]))
        return None if named.startswith(_SPARK) else unknown(f"Spark with {named[:80]}")
    if name == "config.json" and (built := keras(content)).kinds:
        return built
    if isinstance(content, list):
        return _modules(content) if name == "modules.json" else None
    found = next((key for key in _CODE if isinstance(content, Mapping) and content.get(key)), None)
    return code(f"{found} in {name} names classes to run") if found else None


def _modules(content: list[Any]) -> FoundFormat | None:
    for module in content:
        named = str(module.get("type")) if isinstance(module, Mapping) else ""
        if not named.startswith(_SENTENCES):
            return code(f"modules.json with the class {named[:80]!a}")
        if OUTSIDE.fullmatch(where := str(module.get("path"))):
            return unknown(f"modules.json with {where[:80]!a}, which is not in the model")
    return None


def fetched(settings: Mapping[str, Any]) -> FoundFormat | None:
    """Tell of a flavour that keeps a model's name and no weights; None if it keeps them."""
    named = settings.get("source_model_name")
    if not named or settings.get("model_binary"):
        return None
    what = f"the weights of {str(named)[:80]!a} are fetched when it is loaded; save them with it"
    return unknown(what)
