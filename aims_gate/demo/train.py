"""The demo's models: trained, logged and registered in a local MLflow with scikit-learn."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aims_gate.demo.derive import FEATURES
from aims_gate.errors import MissingExtraError
from aims_gate.operations.log_evaluation import log_evaluation

if TYPE_CHECKING:
    import pandas as pd

QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "PYTHONWARNINGS": "ignore",
}
"""MLflow's own variables, to silence it during the demo."""
MODEL = "employment"
SENSITIVE = ("sex", "race")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A model to train: its name for people, its features and the score it says yes from."""

    title: str
    features: tuple[str, ...]
    threshold: float


CANDIDATES = (
    Candidate(
        title="careful: no protected attribute, cut-off 0.5", features=FEATURES, threshold=0.5
    ),
    Candidate(
        title="strict: sees sex, says yes only from 0.8 on",
        features=(*FEATURES, "sex"),
        threshold=0.8,
    ),
)


def data_file(name: str) -> Path:
    """Path of a data file that ships with the package."""
    return Path(str(files("aims_gate.demo") / "data" / f"{name}.parquet"))


def train_and_register(tracking_uri: str, artifacts: Path | None = None) -> tuple[str, ...]:
    """Train, log and register every candidate; returns the model URIs, in order.

    Artifacts lie in a folder, or where the server keeps them.

    Each run logs its training data as `reference`, its predictions on held-out data as
    `evaluation`, and a stable month of production as `current`.
    """
    os.environ.update(QUIET)  # before the import, which reads it
    try:
        import mlflow
        import pandas as pd
    except ImportError as error:
        raise MissingExtraError.for_library("MLflow", "gate", "the demo") from error

    warnings.filterwarnings("ignore", module="mlflow")
    mlflow.set_tracking_uri(tracking_uri)
    mlflow.set_registry_uri(tracking_uri)
    mlflow.create_experiment("employment", artifact_location=artifacts and artifacts.as_uri())
    mlflow.set_experiment("employment")
    frames = {
        name: pd.read_parquet(data_file(name)).astype({"AGEP": float, "SCHL": float})
        for name in ("train", "evaluation", "current_stable")
    }
    frames = {name: _plain(frame) for name, frame in frames.items()}
    return tuple(
        _register(mlflow, candidate, frames, version)
        for version, candidate in enumerate(CANDIDATES, start=1)
    )


def _register(
    mlflow: Any, candidate: Candidate, frames: dict[str, pd.DataFrame], version: int
) -> str:
    features = list(candidate.features)
    model = _pipeline(features).fit(frames["train"][features], frames["train"]["employed"])
    with mlflow.start_run(run_name=candidate.title):
        mlflow.log_params({"threshold": candidate.threshold, "features": len(features)})
        mlflow.sklearn.log_model(
            model,
            name="model",
            registered_model_name=MODEL,
            input_example=frames["train"][features].head(5),
            pip_requirements=["scikit-learn"],
            skops_trusted_types=["numpy.dtype"],  # of the encoder's own categories
        )
        scored = frames["evaluation"].copy()
        scored["score"] = model.predict_proba(scored[features])[:, 1]
        scored["prediction"] = (scored["score"] >= candidate.threshold).astype("int8")
        log_evaluation(
            scored,
            label="employed",
            prediction="prediction",
            score="score",
            positive=1,
            sensitive=list(SENSITIVE),
            key="id",
        )
        for role, name in (("reference", "train"), ("current", "current_stable")):
            log_evaluation(frames[name], label="employed", key="id", role=role)
    return f"models:/{MODEL}/{version}"


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Spell categories out as text, which MLflow's model signature knows."""
    categories = frame.select_dtypes("category").columns
    return frame.astype(dict.fromkeys(categories, str))


def _pipeline(features: list[str]) -> Any:
    """A logistic regression on binned age, and on every other column as a category."""
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder

    age = KBinsDiscretizer(12, quantile_method="averaged_inverted_cdf")
    categories = OneHotEncoder(handle_unknown="ignore")
    columns = make_column_transformer(
        (age, ["AGEP"]), (categories, [name for name in features if name != "AGEP"])
    )
    return make_pipeline(columns, LogisticRegression(max_iter=1000))
