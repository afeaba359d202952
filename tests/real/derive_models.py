"""Make the small models of `models/`, as MLflow saves them; run where their libraries are.

    pip install mlflow==3.17.2 skops xgboost lightgbm catboost onnx skl2onnx onnxruntime keras jax \
        safetensors prophet

None of these but MLflow and skops is in the locks: what the gate must recognise, it must not need.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

os.environ.update(KERAS_BACKEND="jax", MLFLOW_RECORD_ENV_VARS_IN_MODEL_LOGGING="false")

import catboost
import keras
import lightgbm
import mlflow
import numpy as np
import onnx
import pandas as pd
import prophet
import safetensors.numpy
import skl2onnx
import xgboost
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

OUT = Path(__file__).parent / "models"
RANDOM = np.random.default_rng(0)
X = pd.DataFrame(RANDOM.normal(size=(60, 3)), columns=["a", "b", "c"])
Y = (X["a"] > 0).astype(int)
PLAIN = X.to_numpy("float32")


def saved(flavor: object, name: str, model: object, requirement: str, **options: object) -> None:
    """Save a model with its example, as training code does."""
    flavor.save_model(model, str(OUT / name), pip_requirements=[requirement], **options)


def boosted() -> None:
    example = {"input_example": X.head(2)}
    booster = xgboost.XGBClassifier(n_estimators=3, max_depth=2).fit(X, Y)
    for form in ("json", "ubj"):
        name = f"xgboost-{form}"
        saved(mlflow.xgboost, name, booster, "xgboost", model_format=form, **example)
    trees = lightgbm.LGBMClassifier(n_estimators=3, num_leaves=4, verbose=-1).fit(X, Y)
    saved(mlflow.lightgbm, "lightgbm", trees.booster_, "lightgbm", **example)
    saved(mlflow.lightgbm, "lightgbm-skops", trees, "lightgbm", **example)
    cat = catboost.CatBoostClassifier(iterations=3, depth=2, verbose=0, allow_writing_files=False)
    saved(mlflow.catboost, "catboost", cat.fit(X, Y), "catboost", **example)


def exported() -> None:
    small = skl2onnx.to_onnx(LogisticRegression().fit(PLAIN, Y), PLAIN[:1])
    large = skl2onnx.to_onnx(MLPClassifier((64, 16), max_iter=5).fit(PLAIN, Y), PLAIN[:1])
    signature = mlflow.models.infer_signature(PLAIN[:1])
    for name, model in (("onnx", small), ("onnx-external", large)):
        saved(mlflow.onnx, name, model, "onnxruntime", signature=signature)
    for tensor in large.graph.initializer:  # only raw tensors are kept beside a model
        tensor.CopyFrom(
            onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(tensor), tensor.name)
        )
    place = str(OUT / "onnx-external" / "model.onnx")
    onnx.save_model(large, place, save_as_external_data=True, location="model.onnx.data")
    safetensors.numpy.save_file({"w": PLAIN, "b": PLAIN[0]}, OUT / "model.safetensors")


def networks() -> None:
    layers = [
        keras.Input((3,)),
        keras.layers.Normalization(),
        keras.layers.Dropout(0.1),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
    entry = keras.Input((3,))
    one = keras.layers.Dense(2, kernel_regularizer="l2")(entry)
    joined = keras.layers.Concatenate()([one, keras.ops.relu(one) + 1.0])
    rate = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    for name, model, optimizer in (
        ("keras", keras.Sequential(layers), "adam"),
        (
            "keras-functional",
            keras.Model(entry, keras.layers.Dense(1)(joined)),
            keras.optimizers.SGD(rate),
        ),
        ("keras-lambda", keras.Sequential([keras.layers.Lambda(lambda x: x * 2)]), "adam"),
    ):
        model.compile(optimizer, "mse")
        model(PLAIN[:2])
        saved(mlflow.keras, name, model, "keras")


def forecast() -> None:
    days = pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=60), "y": X["a"]})
    none = {f"{season}_seasonality": False for season in ("weekly", "daily", "yearly")}
    saved(mlflow.prophet, "prophet", prophet.Prophet(**none).fit(days), "prophet")


if __name__ == "__main__":
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    boosted()
    exported()
    networks()
    forecast()
