"""A model that refuses some rows: what needs no answer of it is judged, and no row is told."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import aims_gate
from tests.conftest import Store
from tests.real.gating import HEAD, Gated, gate

RULES = """\
data:
  evaluation: {label: y, predictions: model, positive: 1}
rules:
  - {id: PERF-01, check: performance.score, with: {metric: accuracy}, require: {at_least: 0.5}}
  - {id: PERF-02, check: performance.sample, require: {at_least: 50}, with: {statistic: positives}}
  - {id: DATA-01, check: data.missing, require: {at_most: 0.05}}
  - {id: DATA-02, check: data.duplicates}
  - {id: DATA-05, check: data.schema, with: {against: signature}}
"""
SECRET = 123456.789
pytestmark = pytest.mark.filterwarnings("ignore")


def people() -> pd.DataFrame:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"income": random.normal(size=200), "visits": np.arange(200) % 5})
    return frame.assign(y=(frame["income"] > 0).astype(int))


def judged(mlflow: Any, store: Store, folder: Path, frame: pd.DataFrame, model: Any) -> Gated:
    """Log a model with the signature of whole numbers, and gate it on *frame*."""
    inputs = people()[["income", "visits"]]
    signature = mlflow.models.infer_signature(inputs, people()["y"])
    log = mlflow.sklearn.log_model if hasattr(model, "fit") else mlflow.pyfunc.log_model
    named = {"sk_model" if hasattr(model, "fit") else "python_model": model}
    with mlflow.start_run():
        info = log(name="model", signature=signature, pip_requirements=["mlflow"], **named)
    frame.to_parquet(folder / "e.parquet", index=False)
    uri = store.uri
    return gate(
        folder, RULES, "evaluation=e.parquet", model=info.model_uri, MLFLOW_TRACKING_URI=uri
    )


def test_a_null_where_the_signature_has_none_is_named_and_data_rules_are_judged(
    mlflow: Any, mlflow_store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    train = people()
    model = LogisticRegression().fit(train[["income", "visits"]], train["y"])
    frame = people().assign(visits=lambda f: f["visits"].astype(float))
    frame.loc[3, ["income", "visits"]] = SECRET, np.nan
    done = judged(mlflow, mlflow_store, tmp_path, frame, model)
    assert done.outcomes() == {
        "PERF-01": "ERROR",
        "PERF-02": "PASS",
        "DATA-01": "PASS",
        "DATA-02": "PASS",
        "DATA-05": "FAIL",
    }
    assert done.values()["DATA-01 visits"] == 0.005
    assert "'visits' has 1 nulls, and the signature none" in done.reason("DATA-05")
    assert "'visits'" in done.reason("PERF-01")
    assert "123456" not in done.said + caplog.text


def test_what_a_model_raises_is_told_by_type_and_column(
    mlflow: Any, mlflow_store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """An exception's message and what is printed may hold rows, so neither is logged."""

    class Fussy(mlflow.pyfunc.PythonModel):  # type: ignore[misc]  # mlflow is not typed here
        def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
            sys.stdout.write(model_input.to_string())
            raise ValueError(f"income is out of range in {model_input.max().to_dict()}")

    frame = people()
    frame.loc[3, "income"] = SECRET
    done = judged(mlflow, mlflow_store, tmp_path, frame, Fussy())
    assert done.outcomes()["PERF-01"] == "ERROR"
    assert done.outcomes()["DATA-05"] == "PASS"
    assert "failed to predict (ValueError about 'income', 'visits')" in done.reason("PERF-01")
    assert "123456" not in done.said + caplog.text + str(done.results)


def test_an_estimator_that_fails_leaves_the_rules_about_data(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    train = people()
    model = LogisticRegression().fit(train[["income", "visits"]], train["y"])
    frame = people()
    frame.loc[3, ["income", "visits"]] = SECRET, np.nan
    text = HEAD + RULES.replace("{against: signature}", "{columns: {income: number}}")
    (tmp_path / "policy.yaml").write_text(text, encoding="utf-8")
    verdict = aims_gate.run(tmp_path / "policy.yaml", model, data={"evaluation": frame})
    outcomes = {result.rule: str(result.outcome) for result in verdict.results}
    assert outcomes == {
        "PERF-01": "ERROR",
        "PERF-02": "PASS",
        "DATA-01": "PASS",
        "DATA-02": "PASS",
        "DATA-05": "PASS",
    }
    assert "123456" not in caplog.text + repr(verdict)


JOINED = """\
data:
  evaluation: {label: y, prediction: y2, positive: 1, sensitive: [sex], key: id,
    join: [{source: "file:sex.parquet", on: id, columns: [sex]}]}
  current: {}
rules:
  - {id: PERF-01, check: performance.score, with: {metric: accuracy}, require: {at_least: 0.5}}
  - {id: DATA-01, check: data.missing, require: {at_most: 0.05}}
  - {id: DATA-02, check: data.missing, on: current, require: {at_most: 0.05}}
"""


def test_a_join_that_fails_leaves_no_rule_of_its_role_decided_and_says_why(tmp_path: Path) -> None:
    """Which rows a role has is what both sides agree on: none is judged where they do not."""
    frame = people().assign(id=np.arange(200), y2=lambda f: f["y"])
    frame.to_parquet(tmp_path / "e.parquet", index=False)
    data = "evaluation=e.parquet", "current=e.parquet"
    pd.DataFrame({"id": frame["id"], "sex": "F"}).to_parquet(tmp_path / "sex.parquet")
    assert set(gate(tmp_path, JOINED, *data).outcomes().values()) == {"PASS"}
    pd.DataFrame({"id": frame["id"] + 1, "sex": "F"}).to_parquet(tmp_path / "sex.parquet")
    done = gate(tmp_path, JOINED, *data)
    assert done.outcomes() == {"PERF-01": "ERROR", "DATA-01": "ERROR", "DATA-02": "PASS"}
    assert "sex.parquet" in done.reason("PERF-01")
    assert done.code == 3
