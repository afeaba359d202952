"""The program of the process that a model predicts in; it imports nothing of the gate.

Started as `python -I -B child.py FOLDER`: it limits itself, loads the model with MLflow, reads
`rows.parquet` and writes `predictions.parquet`. Nothing that it says is believed.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

LOAD, PREDICT, SHAPE, CONFINE = 70, 71, 72, 73
"""Exit codes: the step that failed."""


def main(scratch: Path) -> int:
    """Predict; give 0, or the code of the step that failed."""
    job = json.loads((scratch / "job.json").read_text(encoding="utf-8"))
    step = CONFINE
    try:
        _confine(*job["limits"])
        step = LOAD
        sys.path += [entry for entry in job["path"] if entry not in sys.path]
        model = _load(job["model"])
        step = PREDICT
        answer = model.predict(_rows(scratch))
        step = SHAPE
        _write(answer, scratch)
    except BaseException as error:  # noqa: BLE001  # a model may raise anything, SystemExit too
        traceback.print_exc()
        (scratch / "error").write_text(type(error).__name__, encoding="utf-8")
        return step
    return 0


def _confine(memory: int, cpu_seconds: int, file: int) -> None:
    """Set limits that cannot be raised again; no core dumps, which hold rows."""
    import resource

    wanted = {
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_CPU: cpu_seconds,
        resource.RLIMIT_FSIZE: file,
        resource.RLIMIT_CORE: 0,
    }
    for kind, most in wanted.items():
        hard = resource.getrlimit(kind)[1]
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        # the signal of the soft limit first: it tells which limit it was
        extra = 5 if kind == resource.RLIMIT_CPU and least != hard else 0
        resource.setrlimit(kind, (least, least + extra))


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
