"""A source that is named and not there is told by its name, with the nearest that are there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.conftest import Store
from tests.real.gating import Gated, gate
from tests.support.registry_content import Content

POLICY = """\
sources: {allow: ["file://%s/data/"]}
data:
  evaluation: {source: "%s", label: y, prediction: yhat, positive: 1}
rules:
  - {id: PERF-01, check: performance.score, with: {metric: accuracy}, require: {at_least: 0.5}}
"""
FRAME = pd.DataFrame({"y": [0, 1] * 50, "yhat": [0, 1] * 50})
Judge = Callable[..., Gated]


@pytest.fixture
def judge(mlflow_store: Store, mlflow: Any, tmp_path: Path) -> Judge:
    """Gate a model whose run names a data set that is there and one whose file is gone."""
    content = Content(uri=mlflow_store.uri)
    (tmp_path / "data").mkdir()
    FRAME.to_parquet(tmp_path / "data" / "eval.parquet")
    FRAME.to_parquet(tmp_path / "aside.parquet")
    with mlflow.start_run() as run:
        for name, context in (("eval", "testing"), ("gone", "old")):
            source = str(tmp_path / "data" / f"{name}.parquet")
            named = {"eval": "holdout", "gone": "old"}[name]
            data = mlflow.data.from_pandas(FRAME, source=source, name=named)
            mlflow.log_input(data, context=context)
        mlflow.log_artifact(str(tmp_path / "aside.parquet"), "kept")
    model = f"models:/{content.model(run.info.run_id)}"

    def judged(source: str, *data: str) -> Gated:
        text = POLICY % (tmp_path, source)
        return gate(tmp_path, text, *data, model=model, MLFLOW_TRACKING_URI=content.uri)

    return judged


@pytest.mark.filterwarnings("ignore")
def test_what_is_not_there_is_named_with_its_neighbours(judge: Judge, tmp_path: Path) -> None:
    assert judge("dataset:holdout").outcomes() == {"PERF-01": "PASS"}
    told = {
        "dataset:eval": "no data set with the name 'eval'; there are holdout, old",
        "context:test": "no data set with the context 'test'; did you mean 'testing'?",
        "dataset:old": "dataset:old: the run names data at",
        "artifact:kept/asid.parquet": "did you mean 'kept/aside.parquet'?",
        "artifact:aims_gate/evaluation.parquet": "there is no such artifact",
        "file:asid.parquet": "the file is not there; did you mean 'aside.parquet'?",
        "file:nowhere/e.parquet": "the file is not there",
        f"file://{tmp_path}/data/nothere.parquet": "did you mean 'eval.parquet'?",
    }
    for source, words in told.items():
        done = judge(source)
        assert (done.code, done.outcomes()) == (3, {"PERF-01": "ERROR"}), source
        assert words in done.reason("PERF-01"), done.reason("PERF-01")
    for given in ("dataset:hold", "artifact:none.parquet", "none.parquet"):
        done = judge("dataset:holdout", f"evaluation={given}")
        assert (done.code, done.outcomes()) == (3, {"PERF-01": "ERROR"}), given


def test_beside_a_model_in_a_folder_the_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "model" / "kept").mkdir(parents=True)
    FRAME.to_parquet(tmp_path / "model" / "kept" / "e.parquet")
    done = gate(tmp_path, POLICY % (tmp_path, "artifact:kept/e.parquet"))
    assert done.outcomes() == {"PERF-01": "PASS"}
    done = gate(tmp_path, POLICY % (tmp_path, "artifact:kept/f.parquet"))
    assert (done.code, done.outcomes()) == (3, {"PERF-01": "ERROR"})
    assert "did you mean 'kept/e.parquet'?" in done.reason("PERF-01")
    done = gate(tmp_path, POLICY % (tmp_path, "dataset:eval"))
    assert (done.code, done.outcomes()) == (3, {"PERF-01": "ERROR"})
