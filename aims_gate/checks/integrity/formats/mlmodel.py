"""What `MLmodel` would have loaded as code, in the words of MLflow's own flavours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from aims_gate.checks.integrity.formats.classes import fetched
from aims_gate.checks.integrity.formats.kinds import (
    PICKLE,
    TORCH,
    FoundFormat,
    code,
    data,
    runs,
    together,
    unknown,
)
from aims_gate.sources.mlmodel import parse_mapping, parse_mlmodel

_MOST = 1 << 20
_LOADERS = re.compile(
    r"mlflow\.(catboost|h2o|keras|lightgbm|onnx|prophet|sentence_transformers|sklearn|spark"
    r"|tensorflow|transformers|xgboost)"
)
"""Loaders whose files say for themselves whether they are data."""
_PICKLES = {
    "mlflow.pmdarima": PICKLE,
    "mlflow.pytorch": TORCH,
    "mlflow.statsmodels": PICKLE,
}
_SERIALIZATION: Mapping[str, FoundFormat] = {
    "pickle": runs(PICKLE),
    "cloudpickle": runs(PICKLE | {"cloudpickle"}),
    "joblib": runs(PICKLE | {"joblib"}),
    "skops": data("skops"),
}
_PICKLED_UNLESS_SAID = frozenset({"sklearn"})
KERAS_MODULES = frozenset({"keras", "tensorflow.keras", "tf_keras"})
"""What MLflow may import to read a Keras model."""
_CLASSES = {"lightgbm": ("lightgbm.",), "xgboost": ("xgboost.",)}


def mlmodel(content: bytes) -> FoundFormat:
    """Judge an `MLmodel` file.

    Raises:
        SourceError: It cannot be read.
    """
    if len(content) > _MOST:
        return unknown("MLmodel of more than 1 MiB")
    found = together(_declared(content))
    return found if found.kinds else data("MLmodel")


def _declared(content: bytes) -> Iterator[FoundFormat]:
    whole = parse_mapping(content, where="MLmodel")
    for name, settings in [("", whole), *parse_mlmodel(content).flavors.items()]:
        yield from _of_flavor(name, settings)


def _of_flavor(name: str, settings: Mapping[str, Any]) -> Iterator[FoundFormat]:
    for key in ("code", "model_code_path"):
        if settings.get(key):
            yield code(f"{key} in MLmodel")
    loader = settings.get("loader_module")
    if str(loader) in _PICKLES:
        yield runs(_PICKLES[str(loader)])
    elif loader is not None and not _LOADERS.fullmatch(str(loader)):
        yield code(f"loader_module {str(loader)[:80]}")
    written = settings.get("serialization_format")
    if written is not None:
        known = _SERIALIZATION.get(str(written).lower())
        yield known or unknown(f"serialization_format {str(written)[:80]!a}")
    elif name in _PICKLED_UNLESS_SAID:
        yield runs(PICKLE)
    made = settings.get("model_class")
    if made is not None and not str(made).startswith(_CLASSES.get(name, ("mlflow.",))):
        yield code(f"model_class {str(made)[:80]}")
    imported = settings.get("keras_module")
    if imported is not None and imported not in KERAS_MODULES:
        yield code(f"keras_module {str(imported)[:80]}")
    if (gone := fetched(settings)) is not None:
        yield gone
