"""Train the model, and leave its files and its answers where tests and the gate find them.

The data are those of aims-gate's own demo: the American Community Survey of Massachusetts.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pandas as pd
import skops.io
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder

BUILD = Path(__file__).parent / "build"
LABEL = "employed"
FEATURES = ["AGEP", "SCHL", "MAR", "DIS"]


def load(name: str) -> pd.DataFrame:
    """Read one of the data sets: train, evaluation or current_stable."""
    path = Path(str(files("aims_gate.demo"))) / "data" / f"{name}.parquet"
    frame = pd.read_parquet(path).drop(columns="id")
    categories = frame.select_dtypes("category").columns
    return frame.astype(dict.fromkeys(categories, str)).astype({"AGEP": float, "SCHL": float})


def fit(frame: pd.DataFrame) -> Pipeline:
    """Fit a logistic regression on binned age, and on the other features as categories."""
    columns = make_column_transformer(
        (KBinsDiscretizer(12, quantile_method="averaged_inverted_cdf"), ["AGEP"]),
        (OneHotEncoder(handle_unknown="ignore"), [name for name in FEATURES if name != "AGEP"]),
    )
    model = make_pipeline(columns, LogisticRegression(max_iter=1000))
    return model.fit(frame[FEATURES], frame[LABEL])


def main() -> None:
    """Write build/model and the data with the model's answers."""
    train, evaluation = load("train"), load("evaluation")
    model = fit(train)
    evaluation["score"] = model.predict_proba(evaluation[FEATURES])[:, 1]
    evaluation["prediction"] = model.predict(evaluation[FEATURES])
    (BUILD / "model").mkdir(parents=True, exist_ok=True)
    skops.io.dump(model, BUILD / "model" / "model.skops")
    for name, frame in (("reference", train), ("evaluation", evaluation)):
        frame.to_parquet(BUILD / f"{name}.parquet", index=False)
    load("current_stable").to_parquet(BUILD / "current.parquet", index=False)


if __name__ == "__main__":
    main()
