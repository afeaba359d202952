"""Models as MLflow saves them: what loads without code passes the packs, what is code is named."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from aims_gate.checks.integrity.formats import Denied
from aims_gate.checks.integrity.model import Model
from aims_gate.policy.packs import names, read_pack
from tests.checks.integrity.cells import measure, subject_of

MODELS = Path(__file__).parent / "models"
DENIED: tuple[Denied, ...] = ("pickle", "cloudpickle", "joblib", "torch")
X = pd.DataFrame(np.random.default_rng(2).normal(size=(40, 3)), columns=["a", "b", "c"])
Y = (X["a"] > 0).astype(int)


def refused(folder: Path) -> str:
    """Give the reason of the formats that the packs refuse; empty if they refuse none."""
    cell = measure(Model(deny=DENIED), subject_of(folder))["formats"]
    assert cell.value is not None
    return cell.reason if cell.value else ""


@pytest.mark.parametrize(
    "name", sorted(path.name for path in MODELS.iterdir() if path.name != "keras-lambda")
)
def test_models_of_libraries_that_keep_data_pass(name: str, tmp_path: Path) -> None:
    folder = MODELS / name
    if folder.is_file():
        (tmp_path / name).write_bytes(folder.read_bytes())
        folder = tmp_path
    assert refused(folder) == ""


def test_a_keras_model_with_a_lambda_is_code() -> None:
    reason = refused(MODELS / "keras-lambda")
    assert reason.startswith("data/model.keras is code: Keras with Lambda; log scikit-learn ")


def test_a_keras_model_in_a_folder_is_judged_as_its_archive_is(tmp_path: Path) -> None:
    """Keras loads a folder that holds `config.json` as it loads the archive with that member."""
    for name in ("keras", "keras-lambda"):
        with zipfile.ZipFile(MODELS / name / "data/model.keras") as archive:
            archive.extractall(tmp_path / name / "data/model")
        (tmp_path / name / "MLmodel").write_bytes((MODELS / name / "MLmodel").read_bytes())
    assert refused(tmp_path / "keras") == ""
    reason = refused(tmp_path / "keras-lambda")
    assert reason.startswith("data/model/config.json is code: Keras with Lambda; ")


def saved(flavor: str, folder: Path, *model: Any, **options: Any) -> Path:
    import mlflow

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        getattr(mlflow, flavor).save_model(
            *model, path=str(folder), pip_requirements=["numpy"], **options
        )
    return folder


def estimator() -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(3, max_depth=2).fit(X, Y)


def test_scikit_learn_as_mlflow_logs_it_by_itself_passes_with_its_example(tmp_path: Path) -> None:
    trees = ["sklearn.tree._tree.Tree"]
    folder = saved(
        "sklearn",
        tmp_path / "m",
        estimator(),
        skops_trusted_types=trees,
        input_example=X.head(2),
        metadata={"team": "risk"},
    )
    assert refused(folder) == ""


@pytest.mark.parametrize("how", ["pickle", "cloudpickle"])
def test_a_pickled_one_is_refused_by_name_with_the_remedy(tmp_path: Path, how: str) -> None:
    reason = refused(saved("sklearn", tmp_path / "m", estimator(), serialization_format=how))
    assert reason.startswith(
        f"MLmodel is {'cloudpickle and ' * (how != 'pickle')}pickle; model.pkl "
    )
    assert "log scikit-learn models with serialization_format='skops'" in reason


@pytest.mark.filterwarnings("ignore::UserWarning")  # MLflow's, about type hints
def test_models_of_python_code_are_code(tmp_path: Path) -> None:
    import mlflow

    class Half(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
        def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
            return model_input

    reason = refused(saved("pyfunc", tmp_path / "pickled", python_model=Half()))
    assert "MLmodel is code: loader_module mlflow.pyfunc.model" in reason
    assert "python_model.pkl is cloudpickle and pickle" in reason
    (tmp_path / "own.py").write_text(
        "import mlflow\nclass M(mlflow.pyfunc.PythonModel):\n"
        "    def predict(self, context, model_input, params=None):\n        return model_input\n"
        "mlflow.models.set_model(M())\n"
    )
    own = str(tmp_path / "own.py")
    reason = refused(saved("pyfunc", tmp_path / "code", python_model=own))
    assert "model_code_path in MLmodel" in reason
    assert "own.py is code" in reason
    (tmp_path / "beside.py").write_text("LIMIT = 1\n")
    code = [str(tmp_path / "beside.py")]
    reason = refused(
        saved(
            "sklearn",
            tmp_path / "paths",
            estimator(),
            code_paths=code,
            skops_trusted_types=["sklearn.tree._tree.Tree"],
        )
    )
    assert reason.startswith("MLmodel is code: code in MLmodel; code/beside.py is code; log ")


def test_the_release_pack_denies_what_these_tests_deny() -> None:
    newest = [pin for pin in names() if pin.startswith("release@")][-1]
    assert str(list(DENIED)).replace("'", "") in read_pack(newest).decode()


def flavor(name: str, settings: str) -> str:
    return f"flavors:\n  python_function: {{loader_module: mlflow.{name}}}\n  {name}: {settings}\n"


NAMING: dict[str, tuple[str, str, str]] = {
    "a module that MLflow imports": (
        "MLmodel", flavor("tensorflow", "{keras_module: evil, model_type: keras}"),
        "code: keras_module evil",
    ),
    "weights on a hub": (
        "MLmodel", flavor("transformers", "{source_model_name: a/b}"),
        "of no known format: the weights of 'a/b' are fetched when it is loaded; save them",
    ),
    "a class on a hub": (
        "model/config.json", '{"auto_map": {"AutoModel": "a/b--x.Model"}, "hidden_size": 8}',
        "code: auto_map in config.json names classes to run",
    ),
    "the same for a tokenizer, spelt otherwise": (
        "tokenizer_config.json", r'{"auto\u005fmap": {"AutoTokenizer": ["a/b--x.T", null]}}',
        "code: auto_map in tokenizer_config.json",
    ),
    "the same in JSON that only some read": (
        "config.json", '{"auto_map": {"AutoModel": "x.M"}, "limit": NaN}',
        "of no known format: config.json is not JSON that can be read",
    ),
    "a module of a sentence transformer": (
        "modules.json", '[{"idx": 0, "name": "0", "path": "", "type": "evil.Module"}]',
        "code: modules.json with the class 'evil.Module'",
    ),
    "weights of one outside of the model": (
        "modules.json", '[{"path": "../x", "type": "sentence_transformers.models.Pooling"}]',
        "of no known format: modules.json with '../x', which is not in the model",
    ),
    "a stage of Spark": (
        "sparkml/metadata/part-00000", '{"class": "evil.Stage", "uid": "a"}',
        "of no known format: Spark with evil.Stage",
    ),
    "YAML by another name": (
        "settings.YAML", "a: !!python/object/apply:os.system [ls]", "code: YAML with the tag",
    ),
}  # fmt: skip


def laid(folder: Path, name: str, content: bytes) -> Path:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize("case", NAMING)
def test_what_names_code_to_be_imported_or_fetched_is_refused(case: str, tmp_path: Path) -> None:
    name, content, told = NAMING[case]
    assert refused(laid(tmp_path, name, content.encode())).startswith(f"{name} is {told}")


HONEST = {
    "MLmodel": flavor("transformers", "{source_model_name: a/b, model_binary: model}"),
    "model/config.json": '{"architectures": ["BertModel"], "auto_map": {}}',
    "modules.json": '[{"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]',
    "sparkml/metadata/part-00000": '{"class": "org.apache.spark.ml.PipelineModel"}',
    "sparkml/stages/0/metadata/part-00000": '{"class": "pyspark.ml.feature.SQLTransformer"}',
}


def test_what_names_its_library_alone_passes(tmp_path: Path) -> None:
    for name, content in HONEST.items():
        laid(tmp_path, name, content.encode())
    assert refused(tmp_path) == ""


UNSEEN = {
    "GGUF": ("m.gguf", b"GGUF\x03\0\0\0" + bytes(16), "keep the weights as safetensors"),
    "TensorFlow Lite": ("m.tflite", b"\x1c\0\0\0TFL3" + bytes(8), "gate the Keras or ONNX model"),
    "SavedModel": ("saved_model.pb", b"\x08\x01\x12\x00", "save Keras models as .keras"),
    "Keras in HDF5": ("m.h5", b"\x89HDF\r\n\x1a\n\0model_config", "save it as .keras"),
    "spaCy": ("ner/model", b"\x83\xa5nodes\x90\xa5attrs\x90\xa5shims\x90", "not looked into"),
}


@pytest.mark.parametrize("case", UNSEEN)
def test_a_format_that_is_not_looked_into_is_named_with_what_to_do(
    case: str, tmp_path: Path
) -> None:
    name, content, told = UNSEEN[case]
    reason = refused(laid(tmp_path, name, content))
    assert case in reason
    assert told in reason
    assert reason.endswith("accept: [unknown] what is of no known format and was reviewed")


def test_an_archive_of_h2o_is_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "model.zip", "w") as archive:
        archive.writestr("model.ini", "[info]\nh2o_version = 3.46\n")
    assert "a MOJO of H2O, which is not looked into" in refused(tmp_path)
