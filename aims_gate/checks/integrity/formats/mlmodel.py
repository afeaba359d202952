"""`MLmodel` file: which MLflow flavours would load code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from aims_gate.checks.integrity.formats.classes import OUTSIDE, fetched
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
from aims_gate.checks.integrity.formats.skops import foreign_types
from aims_gate.sources.mlmodel import parse_mapping, parse_mlmodel

_MOST = 1 << 20
_LOADERS = re.compile(
    r"mlflow\.(catboost|keras|lightgbm|onnx|prophet|sentence_transformers|sklearn|spark"
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
_BOOSTER = "lightgbm.basic.Booster"
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


def leads_out(content: bytes) -> list[str]:
    """Path traversal in an `MLmodel` file: paths that lead out of the model, to unhashed files.

    Raises:
        SourceError: It cannot be read.
    """
    example = parse_mapping(content, where="MLmodel").get("saved_input_example_info")
    return list(_leading_out([parse_mlmodel(content).flavors, example]))


def _leading_out(found: Any) -> Iterator[str]:
    """Search all values, except those that MLflow records and opens nothing by."""
    if isinstance(found, str) and OUTSIDE.fullmatch(found):
        yield found
    elif isinstance(found, list):
        for value in found:
            yield from _leading_out(value)
    elif isinstance(found, Mapping):
        for key, value in found.items():
            origin = (key == "uri" and "path" in found) or key == "model_config"
            named = str(key).endswith("_name") and found.get("model_binary")
            if not origin and not named:
                yield from _leading_out(value)


def _declared(content: bytes) -> Iterator[FoundFormat]:
    whole = parse_mapping(content, where="MLmodel")
    flavors = parse_mlmodel(content).flavors
    for name, settings in [("", whole), *flavors.items()]:
        yield from _loaded(name, settings, flavors)
        yield from _serialized(name, settings)
        yield from _imported(name, settings)
        if (gone := fetched(settings)) is not None:
            yield gone


def _loaded(
    name: str, settings: Mapping[str, Any], flavors: Mapping[str, Any]
) -> Iterator[FoundFormat]:
    """Judge by the module that loads it, and what that takes for granted."""
    loader = settings.get("loader_module")
    if pickled := _PICKLES.get(str(loader)) or _PICKLES.get(f"mlflow.{name}"):
        yield runs(pickled)
    elif loader == "mlflow.h2o":
        yield unknown("loader_module mlflow.h2o, whose files are not looked into")
    elif loader is not None and not _LOADERS.fullmatch(str(loader)):
        yield code(f"loader_module {str(loader)[:80]}")
    if loader != "mlflow.sklearn":
        return
    if "sklearn" not in flavors:
        yield FoundFormat(PICKLE, "mlflow.sklearn without its flavor")
    if settings.get("data") not in (None, "", "."):  # of a folder MLflow reads another MLmodel
        why = "data with mlflow.sklearn, which may find no other format there; name it model_path"
        yield FoundFormat(PICKLE, why)


def _serialized(name: str, settings: Mapping[str, Any]) -> Iterator[FoundFormat]:
    """Judge by the format that it says; MLflow takes it for pickled where it says none."""
    written = settings.get("serialization_format")
    if written is not None:
        known = _SERIALIZATION.get(str(written).lower())
        yield known or unknown(f"serialization_format {str(written)[:80]!a}")
    elif name == "sklearn":
        yield runs(PICKLE)
    elif name == "lightgbm" and settings.get("model_class", _BOOSTER) != _BOOSTER:
        why = "lightgbm with a model_class and no serialization_format: skops"
        yield FoundFormat(PICKLE | {"cloudpickle"}, why)
    if foreign := foreign_types(settings.get("skops_trusted_types")):
        yield unknown(f"skops_trusted_types with {', '.join(foreign[:3])}")


def _imported(name: str, settings: Mapping[str, Any]) -> Iterator[FoundFormat]:
    for key in ("code", "model_code_path"):
        if settings.get(key):
            yield code(f"{key} in MLmodel")
    made = settings.get("model_class")
    if made is not None and not str(made).startswith(_CLASSES.get(name, ("mlflow.",))):
        yield code(f"model_class {str(made)[:80]}")
    imported = settings.get("keras_module")
    if imported is not None and imported not in KERAS_MODULES:
        yield code(f"keras_module {str(imported)[:80]}")
