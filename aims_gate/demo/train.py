"""The demo's models: trained, logged and registered in a local MLflow with scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aims_gate.demo.derive import FEATURES
from aims_gate.errors import MissingExtraError
from aims_gate.operations.log_evaluation import log_evaluation

if TYPE_CHECKING:
    import pandas as pd

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
    """Give the path of a data file that ships with the package."""
    return Path(str(files("aims_gate.demo") / "data" / f"{name}.parquet"))


def train_and_register(tracking_uri: str, artifacts: Path) -> tuple[str, ...]:
    """Train, log and register every candidate; give the model URIs, in order.

    Each run logs its training data as `reference`, its predictions on held-out data as
    `evaluation`, and a stable month of production as `current`.
    """
    try:
        import mlflow
        import pandas as pd
    except ImportError as error:
        raise MissingExtraError.for_library("MLflow", "gate", "the demo") from error

    mlflow.set_tracking_uri(tracking_uri)
    mlflow.set_registry_uri(tracking_uri)
    mlflow.create_experiment("employment", artifact_location=artifacts.as_uri())
    mlflow.set_experiment("employment")
    frames = {
        name: pd.read_parquet(data_file(name)) for name in ("train", "evaluation", "current_stable")
    }
    return tuple(
        _register(mlflow, candidate, frames, version)
        for version, candidate in enumerate(CANDIDATES, start=1)
    )


def _register(
    mlflow: Any, candidate: Candidate, frames: dict[str, pd.DataFrame], version: int
) -> str:
    from sklearn.ensemble import HistGradientBoostingClassifier

    train = frames["train"]
    model = HistGradientBoostingClassifier(max_iter=80, random_state=7)
    model.fit(_numbers(train, candidate), train["employed"])
    with mlflow.start_run(run_name=candidate.title):
        mlflow.log_params({"threshold": candidate.threshold, "features": len(candidate.features)})
        mlflow.sklearn.log_model(
            model,
            name="model",
            registered_model_name=MODEL,
            input_example=_numbers(train.head(5), candidate),
            pip_requirements=["scikit-learn"],
        )
        scored = frames["evaluation"].drop(columns="id")
        scored["score"] = model.predict_proba(_numbers(scored, candidate))[:, 1]
        scored["prediction"] = (scored["score"] >= candidate.threshold).astype("int8")
        log_evaluation(
            scored,
            label="employed",
            prediction="prediction",
            score="score",
            positive=1,
            sensitive=list(SENSITIVE),
        )
        for role, name in (("reference", "train"), ("current", "current_stable")):
            log_evaluation(frames[name].drop(columns="id"), label="employed", role=role)
    return f"models:/{MODEL}/{version}"


def _numbers(frame: pd.DataFrame, candidate: Candidate) -> pd.DataFrame:
    """Give the candidate's features as numbers: the census codes, and sex as 0 and 1."""
    columns = {
        name: (frame[name] == "female") if name == "sex" else frame[name].astype(str)
        for name in candidate.features
    }
    return frame[[]].assign(**{name: column.astype(float) for name, column in columns.items()})
