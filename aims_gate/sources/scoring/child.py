"""Child program that loads a model and predicts; it imports nothing of the gate.

Started by `confine.py` as `python -I -B child.py FOLDER`: it loads the model with MLflow, reads
`rows.parquet` and writes `predictions.parquet`. Nothing that it says is believed.
"""

from __future__ import annotations

import json
import os
import re
import sys
import traceback
from pathlib import Path
from typing import Any

LOAD, PREDICT, SHAPE, NEEDS = 70, 71, 72, 74
"""Exit codes: the step that failed."""


def main(scratch: Path) -> int:
    """Predict; returns 0, or the code of the step that failed."""
    job = json.loads((scratch / "job.json").read_text(encoding="utf-8"))
    step = NEEDS
    try:
        sys.path += [entry for entry in job["path"] if entry not in sys.path]
        _needs()
        step = LOAD
        model = _load(job["model"])
        step = PREDICT
        answer = model.predict(_rows(scratch))
        step = SHAPE
        _write(answer, scratch)
    except BaseException as error:  # noqa: BLE001  # a model may raise anything, SystemExit too
        (scratch / "error").write_text(json.dumps(_told(error, job["columns"])), encoding="utf-8")
        return step
    return 0


def _told(error: BaseException, columns: list[str]) -> dict[str, Any]:
    """Say what failed and where, without the words of the error, which may hold rows of data."""
    words = str(error)
    return {
        "type": type(error).__name__,
        "module": error.name if isinstance(error, ModuleNotFoundError) else None,
        "columns": [c for c in columns if re.search(rf"(?<!\w){re.escape(c)}(?!\w)", words)],
        "stack": [
            f"{frame.name}, {Path(frame.filename).name}:{frame.lineno}"
            for frame in traceback.extract_tb(error.__traceback__)
        ],
    }


def _needs() -> None:
    """Import what this program needs, to distinguish missing packages of ours from the model's."""
    import mlflow.pyfunc
    import pandas as pd
    from pyarrow import parquet

    _ = mlflow.pyfunc, pd, parquet


def _load(folder: str) -> Any:
    import mlflow.pyfunc

    return mlflow.pyfunc.load_model(folder)


def _rows(scratch: Path) -> Any:
    from pyarrow import parquet

    return parquet.read_table(scratch / "rows.parquet").to_pandas()


def _write(answer: Any, scratch: Path) -> None:
    import numpy as np
    import pyarrow as pa
    from pyarrow import parquet

    # a list of mixed types must not become a column of text
    values = np.asarray(answer, dtype=object if isinstance(answer, list) else None)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    # one-dimensional or an error; NaN stays NaN, and is refused by the gate
    table = pa.table({"prediction": pa.array(values)})
    parquet.write_table(table, scratch / "predictions.parquet")


if __name__ == "__main__":
    status = main(Path(sys.argv[1]))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # what threads or exit handlers of a model would still do is of no use
