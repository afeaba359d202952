"""The three models of the organisation: what each predicts, from what, and its fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from aims_gate.demo.derive import FEATURES
from aims_gate.demo.train import data_file


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """One of the three models: what it predicts, from what, and from which score on it says yes."""

    name: str
    label: str
    true: Callable[[pd.DataFrame], pd.Series]
    left_out: tuple[str, ...] = ()
    """Columns that would give the answer away."""
    threshold: float
    sensitive: tuple[str, ...] = ("sex",)


SYSTEMS = (
    System(
        name="employment",
        label="employed",
        true=lambda d: d["employed"].astype(int),
        threshold=0.5,
        sensitive=("sex", "race"),
    ),
    System(
        name="mobility",
        label="moved",
        true=lambda d: (d["MIG"] != "1").astype(int),
        left_out=("MIG", "DEAR", "DEYE", "DREM"),
        threshold=0.3,
    ),
    System(
        name="courses",
        label="degree",
        true=lambda d: (d["SCHL"] >= 21).astype(int),
        left_out=("SCHL", "DEAR", "DEYE", "DREM"),
        threshold=0.3,
    ),
)


def features_of(system: System, *, strict: bool) -> list[str]:
    """Columns that a version reads; a strict one sees the sex of a person."""
    return [name for name in FEATURES if name not in system.left_out] + ["sex"] * strict


def answered(
    system: System, model: Any, frame: pd.DataFrame, *, strict: bool = False
) -> pd.DataFrame:
    """The frame with its label and the model's answers."""
    frame = frame.copy()
    frame["score"] = model.predict_proba(frame[list(model.feature_names_in_)])[:, 1]
    threshold = 0.8 if strict else system.threshold
    frame["prediction"] = (frame["score"] >= threshold).astype("int8")
    frame[system.label] = system.true(frame)
    return frame


def sample(name: str, rows: int, *, seed: int) -> pd.DataFrame:
    """Rows of one of the demo's data files, spelled as MLflow's signatures know them."""
    frame = pd.read_parquet(data_file(name)).sample(rows, random_state=seed).reset_index(drop=True)
    categories = frame.select_dtypes("category").columns
    return frame.astype(dict.fromkeys(categories, str)).astype({"AGEP": float, "SCHL": float})


def logistic(features: list[str]) -> Any:
    """A logistic regression on binned age, and on every other column as a category."""
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder

    age = KBinsDiscretizer(12, quantile_method="averaged_inverted_cdf")
    rest = [name for name in features if name != "AGEP"]
    columns = make_column_transformer(
        (age, ["AGEP"]), (OneHotEncoder(handle_unknown="ignore"), rest)
    )
    return make_pipeline(columns, LogisticRegression(max_iter=1000))
