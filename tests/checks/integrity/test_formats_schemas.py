"""skops and Keras: data as far as the types that their files name are their own."""

from __future__ import annotations

import io
import json
import zipfile
from functools import partial
from operator import methodcaller
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from aims_gate.checks.integrity.formats import FoundFormat, look

RANDOM = np.random.default_rng(1)
X = RANDOM.normal(size=(40, 3))
Y = (X[:, 0] > 0).astype(int)
OWN = [
    make_pipeline(FunctionTransformer(np.exp), SelectKBest(f_classif, k=2), LogisticRegression()),
    ColumnTransformer([("one", OneHotEncoder(), [0]), ("rest", "passthrough", [1, 2])]),
    RandomForestRegressor(3, random_state=np.random.RandomState(1)),
    HistGradientBoostingClassifier(max_iter=3),
    KNeighborsClassifier(3),
]


def seen(folder: Path, content: bytes) -> FoundFormat:
    (folder / "model.skops").write_bytes(content)
    return look(folder, "model.skops")[0]


@pytest.mark.parametrize("model", OWN, ids=lambda model: type(model).__name__)
def test_estimators_of_scikit_learn_are_skops_own(tmp_path: Path, model: Any) -> None:
    assert seen(tmp_path, skops.io.dumps(model.fit(X, Y))).kinds == set()


def test_text_features_hold_sparse_and_plain_values(tmp_path: Path) -> None:
    words = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(
        ["aa bb", "bb cc", "cc"], [0, 1, 1]
    )
    assert seen(tmp_path, skops.io.dumps(words)).kinds == set()


@pytest.mark.parametrize(
    ("function", "named"),
    [
        (print, "builtins.print (TypeNode)"),
        (np.load, "numpy.load (FunctionNode)"),
        (partial(np.exp, 1), "functools.partial (PartialNode)"),
        (methodcaller("system", "true"), "operator.methodcaller (OperatorFuncNode)"),
        (Path("x").write_text, "(MethodNode)"),
    ],
)
def test_what_is_called_later_is_not(tmp_path: Path, function: Any, named: str) -> None:
    found = seen(tmp_path, skops.io.dumps(FunctionTransformer(function)))
    assert found.kinds == {"unknown"}
    assert named in found.why


def archive(**members: Any) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name, value in members.items():
            file.writestr(name.replace("_", "."), json.dumps(value))
    return stream.getvalue()


def node(loader: str, name: str) -> dict[str, Any]:
    module, _, kind = name.rpartition(".")
    return {"__class__": kind, "__module__": module, "__loader__": loader}


@pytest.mark.parametrize(
    "hostile",
    [
        node("FunctionNode", "os.system"),
        node("TypeNode", "os.system"),
        node("TypeNode", "numpy.load"),
        node("FunctionNode", "numpy.fromfile"),
        node("DictNode", "numpy.load"),
        node("ObjectNode", "sklearn.datasets._base.fetch_file"),
        node("ObjectNode", "sklearn.externals.x.Y"),
        node("ObjectNode", "sklearnevil.Model"),
        node("ConstructorFromReduceNode", "sklearn.svm._classes.SVC"),
        node("NodeOfTomorrow", "builtins.dict"),
        {"__module__": "os", "__class__": "system"},
        {"__loader__": "ObjectNode"},
        [{"deep": {"content": [node("FunctionNode", "os.system")]}}],
    ],
)
def test_a_schema_of_other_types_is_refused_wherever_they_stand(
    tmp_path: Path, hostile: Any
) -> None:
    good = node("ObjectNode", "sklearn.svm._classes.SVC")
    content = archive(schema_json={**good, "content": hostile, "protocol": 2})
    assert seen(tmp_path, content).kinds == {"unknown"}


def test_a_key_twice_hides_nothing(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("schema.json", '{"a": {"__loader__": "X"}, "a": 1}')
    assert seen(tmp_path, stream.getvalue()).why == "schema.json is not JSON that can be read"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_twice_counts_twice(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for schema in (node("FunctionNode", "os.system"), node("DictNode", "builtins.dict")):
            file.writestr("schema.json", json.dumps(schema))
    assert seen(tmp_path, stream.getvalue()).kinds == {"unknown"}


def layer(name: str, **keys: Any) -> dict[str, Any]:
    return {"module": "keras.layers", "class_name": name, "config": {}, **keys}


@pytest.mark.parametrize(
    ("written", "kinds"),
    [
        (layer("Dense", registered_name=None), set()),
        (layer("Relu", module="keras.src.ops.nn", registered_name="Relu"), set()),
        (layer("function", module="keras.activations", config="relu"), set()),
        ({"class_name": "__keras_tensor__"}, set()),
        (layer("Lambda"), {"code"}),
        (layer("Dense", config={"function": {"class_name": "__lambda__"}}), {"code"}),
        (layer("TFSMLayer"), {"code"}),
        (layer("TorchModuleWrapper"), {"code"}),
        (layer("Own", registered_name="mine>Own"), {"unknown"}),
        (layer("Own", module=None, registered_name="mine>Own"), {"unknown"}),
        (layer("Own", module="mine"), {"unknown"}),
        (layer("Own", module="kerasevil.layers"), {"unknown"}),
        (layer("Own", module=["keras.layers"]), {"unknown"}),
        (layer("exec", module="builtins"), {"unknown"}),
        (layer("function", module="builtins", config="exec"), {"unknown"}),
        (layer("get_file", module="keras.utils"), {"unknown"}),
        (layer("enable_unsafe_deserialization", module="keras.config"), {"unknown"}),
        (layer("load_model", module="keras.models"), {"unknown"}),
        (layer("__typespec__"), {"unknown"}),
    ],
)
def test_keras_is_data_with_its_own_classes_only(
    tmp_path: Path, written: Any, kinds: set[str]
) -> None:
    whole = {"class_name": "Sequential", "module": "keras", "config": {"layers": [written]}}
    found = seen(tmp_path, archive(config_json=whole, metadata_json={}))
    assert found.kinds == kinds
    for top in (whole, [whole], {"any": whole}):  # Keras reads a folder as it does its archive
        (tmp_path / "config.json").write_text(json.dumps(top), encoding="utf-8")
        assert look(tmp_path, "config.json")[0].kinds == kinds


def test_a_configuration_of_hugging_face_is_none_of_keras(tmp_path: Path) -> None:
    whole = {"_class_name": "UNet2DModel", "architectures": ["BertModel"], "model_type": "bert"}
    (tmp_path / "config.json").write_text(json.dumps(whole), encoding="utf-8")
    assert not look(tmp_path, "config.json")[0].kinds
