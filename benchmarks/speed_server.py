"""An MLflow server with one registered model, for the legs of the benchmark to read."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MODEL = "models:/bench/1"
_START_SECONDS = 120
_LOG = """
import sys, mlflow
client = mlflow.MlflowClient(tracking_uri=sys.argv[1])
if not client.search_registered_models("name = 'bench'"):
    run = client.create_run("0")
    client.log_text(run.info.run_id, "weights", "model/weights.txt")
    client.set_terminated(run.info.run_id)
    client.create_registered_model("bench")
    source = f"{run.info.artifact_uri}/model"
    client.create_model_version("bench", source, run_id=run.info.run_id)
"""


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Start a server over a store below *folder*, register the model once, and give its URI."""
    store = folder / "mlflow"
    store.mkdir(parents=True, exist_ok=True)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    uri = f"http://127.0.0.1:{port}"
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (store / "server.log").open("ab") as log:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1"),
                *("--port", str(port), "--workers", "1"),
                *("--backend-store-uri", f"sqlite:///{store}/mlflow.db"),
                *("--artifacts-destination", str(store / "artifacts")),
            ],
            stdout=log,
            stderr=log,
            env={**os.environ, **quiet},
            start_new_session=True,
        )
        try:
            _wait(server, port)
            log_model = [sys.executable, "-c", _LOG, uri]
            subprocess.run(log_model, check=True, stdout=log, stderr=log)
            yield uri
        finally:
            os.killpg(server.pid, 15)
            server.wait()


def _wait(server: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + _START_SECONDS
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/health")
            if connection.getresponse().status == http.HTTPStatus.OK:
                return
        except OSError as error:
            if server.poll() is not None or time.monotonic() > end:
                raise RuntimeError("the MLflow server did not start; see server.log") from error
            time.sleep(0.2)
