"""What SECURITY.md says the gate never does, held by what the interpreter itself tells of a run."""

from __future__ import annotations

import io
import json
import pickle
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow as pa
import pytest
from mlflow.entities import Dataset, DatasetInput, InputTag
from pyarrow import parquet

from tests.conftest import Store
from tests.support.registry_content import FILES, Content
from tests.support.servers import environment

pytestmark = pytest.mark.server

WATCHED = """
import json, sys
told = {"hosts": [], "unpickled": [], "run": [], "read": []}

def note(event, args):
    if event == "socket.connect":
        told["hosts"].append(str(args[1]))
    elif event == "socket.getaddrinfo":
        told["hosts"].append(str(tuple(args[:2])))
    elif event == "pickle.find_class":
        told["unpickled"].append(str(args))
    elif event in {"os.system", "subprocess.Popen", "os.exec", "os.posix_spawn"}:
        told["run"].append(str(args[0]))
    elif event == "open" and isinstance(args[0], str) and "private-rows" in args[0]:
        told["read"].append(args[0])

sys.addaudithook(note)
from aims_gate.__main__ import guarded
code = guarded(sys.argv[1:])
print(json.dumps({**told, "code": code}))
"""
WATCH = [sys.executable, "-c", WATCHED]
SPARED = ("PYTEST_CURRENT_TEST", "GITHUB_ACTIONS", "CI", "GITLAB_CI", "JENKINS_URL", "TF_BUILD")
POLICY = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: p, version: "1"}
data:
  current: {source: "dataset:elsewhere"}
rules:
  - {id: INTEG-01, check: integrity.model}
  - {id: PERF-01, check: performance.score, with: {metric: accuracy}, require: {at_least: 0.6}}
  - {id: MISS-01, check: data.missing, on: current, require: {at_most: 0.5}}
"""


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return print, ("this was unpickled",)


def test_a_run_asks_one_server_unpickles_nothing_and_follows_no_source_of_a_run(
    mlflow_server: str, tmp_path: Path
) -> None:
    """A pickle among the model's files, and data sets that lie with a stranger and in a secret."""
    secret = tmp_path / "private-rows.csv"
    secret.write_text("a\n1\n", encoding="utf-8")
    content = Content(uri=mlflow_server)
    logged = content.registered(files={**FILES, "model.pkl": pickle.dumps(Evil())})
    for name, uri in (("elsewhere", "http://203.0.113.7/x.csv"), ("near", secret.as_uri())):
        source = json.dumps({"uri": uri})
        dataset = Dataset(name=name, digest=name, source_type="http", source=source)
        tags = [InputTag("mlflow.data.context", "current")]
        content.client.log_inputs(logged.run_id, [DatasetInput(dataset, tags)])
    table = pa.table({"y": [1, 0, 1, 0, 1] * 200, "p": [1, 0, 1, 0, 0] * 200})
    roles = {"label": "y", "prediction": "p", "positive": 1}
    sink = io.BytesIO()
    parquet.write_table(table.replace_schema_metadata({"aims_gate.roles": json.dumps(roles)}), sink)
    content.artifact(logged.run_id, "aims_gate/evaluation.parquet", sink.getvalue())
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    done = subprocess.run(
        [*WATCH, "run", "policy.yaml", "--unsigned", "--model", logged.uri],
        cwd=tmp_path,
        env=environment({"MLFLOW_TRACKING_URI": mlflow_server}),
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(done.stdout.splitlines()[-1])
    server = urlsplit(mlflow_server)
    assert set(told["hosts"]) <= {
        str((server.hostname, server.port)),
        str((server.hostname, str(server.port))),
    }
    assert told["hosts"]
    assert (told["unpickled"], told["run"], told["read"]) == ([], [], [])
    assert "this was unpickled" not in done.stdout
    assert told["code"] == 3  # data that may not be read are an ERROR of their rule, and say so
    assert "elsewhere" in done.stdout + done.stderr


def test_mlflows_own_client_tells_its_maker_nothing(mlflow_store: Store, tmp_path: Path) -> None:
    """It would, from its import on, on a machine that is neither a test nor of a CI service."""
    logged = Content(uri=mlflow_store.uri).registered()
    rules = "\nrules: [{id: INTEG-01, check: integrity.model}]\n"
    (tmp_path / "policy.yaml").write_text(POLICY.partition("\ndata:")[0] + rules, encoding="utf-8")
    environ = environment({"MLFLOW_TRACKING_URI": mlflow_store.uri})
    for variable in ("MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK", *SPARED):
        environ.pop(variable, None)
    done = subprocess.run(
        [*WATCH, "run", "policy.yaml", "--unsigned", "--model", logged.uri],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["code"], told["hosts"]) == (0, [])
