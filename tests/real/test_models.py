"""Models as MLflow saves them: what loads without code passes the packs, what is code is named."""

from __future__ import annotations

import warnings
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
