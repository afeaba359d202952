"""What a model is shown of the rows, and what counts as its answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from aims_gate.errors import DataError, MissingColumnError
from aims_gate.policy.model import DataSpec
from aims_gate.sources.scoring import child
from aims_gate.sources.scoring.model_inputs import answers, features
from aims_gate.sources.subject import Signature
from tests.sources.scoring.asked import rows


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (np.array([]), "gives 0 predictions for 3 rows"),
        (np.array([1, 0, np.inf]), "1 of 3 predictions of the model are null or not finite"),
        ([None, None, None], "and not numbers"),
        ([1, None, 0], "1 of 3 predictions"),
        (pd.Series([1.0, 0.0, None]), "1 of 3 predictions"),
        (pd.Series(["1", "0", "1"]), "the model predicts string, and not numbers"),
    ],
)
def test_answers_that_are_none_are_refused(answer: Any, words: str, tmp_path: Path) -> None:
    """What the program writes for an answer, read back by the gate."""
    child._write(answer, tmp_path)
    content = (tmp_path / "predictions.parquet").read_bytes()
    with pytest.raises(DataError, match=words):
        answers(content, pa.table({"y": [1, 0, 1]}), "y", where="w")


@pytest.mark.parametrize(
    "answer",
    [pd.Series([1, 0, 1]), pd.DataFrame({"p": [1, 0, 1]}), np.array([[1], [0], [1]]), [1, 0, 1]],
)
def test_one_column_of_any_shape_is_an_answer(answer: Any, tmp_path: Path) -> None:
    child._write(answer, tmp_path)
    content = (tmp_path / "predictions.parquet").read_bytes()
    found = answers(content, pa.table({"y": [1, 0, 1]}), "y", where="w")
    assert found.to_pylist() == [1, 0, 1]


@pytest.mark.parametrize("answer", [np.ones((3, 2)), np.ones((3, 1, 1)), 1, ["a", 1, 2]])
def test_several_columns_or_none_are_no_answer(answer: Any, tmp_path: Path) -> None:
    with pytest.raises((pa.ArrowException, ValueError, TypeError)):
        child._write(answer, tmp_path)


SPEC = DataSpec(label="y", key="id", weight="n", sensitive={"sex": None})


def asked(*columns: tuple[str, str, bool]) -> pa.Table:
    return features(rows(), SPEC, Signature(inputs=columns), where="evaluation data")


def test_a_model_sees_the_columns_of_its_signature_only() -> None:
    """A protected attribute is shown if it is a feature; optional columns may be missing."""
    assert asked(("x", "double", True)).column_names == ["x"]
    seen = asked(("sex", "string", True), ("other", "double", False), ("x", "float", True))
    assert seen.column_names == ["sex", "x"]
    assert seen.schema.field("x").type == pa.float32()


@pytest.mark.parametrize("column", ["y", "id", "n"])
def test_label_key_and_weight_are_no_features(column: str) -> None:
    with pytest.raises(DataError, match=f"the model reads '{column}'"):
        asked(("x", "double", True), (column, "long", False))


def test_columns_that_do_not_fit_are_refused() -> None:
    with pytest.raises(MissingColumnError, match="no column 'z'"):
        asked(("z", "double", True))
    with pytest.raises(DataError, match="does not fit integer"):
        asked(("x", "integer", True))
    with pytest.raises(DataError, match="no column that the model reads"):
        asked(("z", "double", False))
    with pytest.raises(DataError, match="names no columns"):
        features(rows(), SPEC, None, where="evaluation data")


def packed(**columns: Any) -> bytes:
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.table(columns), sink)
    return bytes(sink.getvalue().to_pybytes())


def test_text_answers_text_labels_only() -> None:
    table = pa.table({"y": ["bad", "good", "good"]})
    content = packed(prediction=["good", "good", "bad"])
    assert answers(content, table, "y", where="w").to_pylist() == ["good", "good", "bad"]
    with pytest.raises(DataError, match="not text"):
        answers(packed(prediction=[1, 0, 1]), table, "y", where="w")
    with pytest.raises(DataError, match="not numbers"):
        answers(content, table, None, where="w")
    with pytest.raises(DataError, match="1 of 3 predictions"):
        answers(packed(prediction=["good", None, "bad"]), table, "y", where="w")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PAR1",
        packed(prediction=[1, 0, 1])[:-9],
        packed(p=[1, 0, 1]),
        packed(prediction=[1, 0, 1], more=[1, 2, 3]),
        packed(prediction=[[1], [0], [1]]),
    ],
)
def test_bytes_that_a_process_made_up_are_refused(content: bytes) -> None:
    with pytest.raises(DataError):
        answers(content, pa.table({"y": [1, 0, 1]}), "y", where="w")
