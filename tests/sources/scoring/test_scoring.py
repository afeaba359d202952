"""`predictions: model`: what the model says is measured, and nothing that goes wrong passes."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import time
from pathlib import Path

import pytest
from pyarrow import parquet

from aims_gate.errors import MissingExtraError, SourceError
from aims_gate.facts import Isolation
from aims_gate.operations.run import run
from aims_gate.policy.model import DataSpec, Policy, Role
from aims_gate.sources.files import SOURCE
from aims_gate.sources.scoring import COLUMN, process, score
from aims_gate.sources.scoring.process import Limits, environment
from aims_gate.sources.subject import Subject, Workspace
from tests.sources.scoring.asked import MLMODEL, rows

POLICY = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: asks, version: "1"}
data: {evaluation: {source: "file:rows.parquet", label: y, key: id, weight: n, sensitive: [sex],
                    predictions: model}}
rules: [{id: PERF-01, check: performance.score, with: {metric: accuracy},
         require: {at_least: 0.7}, decide_on: estimate}]
"""
PROBE = """\
import os, sys, time
import numpy as np

class Model:
    def predict(self, rows):
        right = (rows["x"] > 0.5).astype(int)
        {body}

def _load_pyfunc(path):
    {loading}
    return Model()
"""
HONEST = "return right"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, with a policy and rows."""
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    parquet.write_table(rows(), tmp_path / "rows.parquet")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_model(folder: Path, body: str = HONEST, loading: str = "pass") -> None:
    code = folder / "model" / "code"
    code.mkdir(parents=True)
    (folder / "model" / "MLmodel").write_text(MLMODEL, encoding="utf-8")
    (code / "probe.py").write_text(PROBE.format(body=body, loading=loading), encoding="utf-8")


def opened(folder: Path) -> tuple[Subject, Workspace]:
    private = folder / "private"
    private.mkdir()
    workspace = Workspace(folder=private, environ=os.environ)
    spec = DataSpec(source="file:rows.parquet", label="y", weight="n", predictions="model")
    policy = Policy(id="p", version="1", data={Role.EVALUATION: spec}, folder=str(folder))
    return SOURCE.open("file:model", policy=policy, given={}, workspace=workspace), workspace


def test_an_honest_model_is_measured_by_its_own_answers(folder: Path) -> None:
    """Rows, counted by their weight, are predicted; evidence and reports say how it was run."""
    write_model(folder, f"assert sys.stdin.read() == '' and not os.listdir('.'); {HONEST}")
    verdict = run("policy.yaml", "file:model", unsigned=True, out="evidence")
    assert verdict.passed
    (result,) = verdict.results
    (accuracy,) = [s for s in result.statistics if s.judged]
    assert accuracy.value == pytest.approx(130 / 150)
    assert verdict.versions["isolation"] == "same-user"
    report = json.loads((folder / "evidence" / "report.json").read_text(encoding="utf-8"))
    assert report["evidence"]["versions"]["isolation"] == "same-user"
    from aims_gate.reports import REPORTS

    assert "isolation: same-user" in REPORTS["text"](verdict)
    assert "isolation: `same-user`" in REPORTS["markdown"](verdict)


def test_no_model_is_run_unless_the_policy_asks(folder: Path) -> None:
    """The same model and data with a logged column: its code leaves no trace, and no word of it."""
    write_model(folder, loading=f"open({str(folder / 'trace')!r}, 'w').close()")
    text = POLICY.replace("predictions: model", "prediction: yhat")
    (folder / "policy.yaml").write_text(text, encoding="utf-8")
    verdict = run("policy.yaml", "file:model")
    assert verdict.decision == "refused"
    assert "isolation" not in verdict.versions
    assert not (folder / "trace").exists()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("raise ValueError('row 3: Ada Lovelace')", r"failed to predict \(ValueError\)"),
        ("os._exit(0)", "left no predictions"),
        ("os.abort()", "ended by signal 6"),
        ("return right[:-1]", "gives 11 predictions for 12 rows"),
        (
            "return right if any('KEY' in k or 'TOKEN' in k for k in os.environ) else None",
            "gave no single column of values",
        ),
    ],
)
def test_whatever_a_model_does_wrong_is_undecided(
    body: str,
    words: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No row of data, as in an exception's message, gets into a verdict or the log."""
    monkeypatch.setenv("AIMS_GATE_SIGNING_KEY", "secret")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "secret")
    write_model(folder, body)
    verdict = run("policy.yaml", "file:model")
    (result,) = verdict.results
    assert (verdict.decision, result.outcome) == ("undecided", "ERROR")
    assert verdict.exit_code == 3
    assert "Lovelace" not in repr(verdict) + caplog.text
    assert verdict.versions["isolation"] == "same-user"
    assert re.search(words, result.reason), result.reason


def test_a_model_that_needs_what_is_not_installed_says_what_to_do(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is loaded in the gate's own Python, and what it lacks there is named."""
    write_model(folder, loading="print('::error::' + chr(27)); import no_such_library")
    with caplog.at_level(logging.ERROR):
        verdict = run("policy.yaml", "file:model")
    (result,) = verdict.results
    assert verdict.decision == "undecided"
    assert "could not be loaded (ModuleNotFoundError: no_such_library)" in result.reason
    assert "install what its requirements.txt names" in result.reason
    assert "::error" not in caplog.text
    assert chr(27) not in caplog.text


def test_a_model_that_writes_into_its_own_folder_is_an_error(folder: Path) -> None:
    """What was evaluated is no longer what would be signed."""
    write_model(folder, loading="open(path + '/MLmodel', 'a').close(); open(path + '/new', 'w')")
    # MLflow gives a loader the model's own folder
    with pytest.raises(SourceError, match="changed while they were evaluated"):
        run("policy.yaml", "file:model", unsigned=True, out="evidence")
    assert not (folder / "evidence").exists()


@pytest.mark.parametrize(
    ("body", "limits", "words"),
    [
        ("time.sleep(600)", Limits(seconds=3), "took more than 3 s"),
        ("while True: pass", Limits(cpu_seconds=3), "took more than 3 s of processor time"),
        ("return right * np.ones(3 * 2**30 // 8).sum()", Limits(memory=3 * 2**30), "MemoryError"),
        ("open('big', 'wb').write(bytes(2**22)); return right", Limits(file=2**21), ""),
    ],
)
def test_limits_end_the_process(body: str, limits: Limits, words: str, folder: Path) -> None:
    """Time, processor time, memory and the size of files."""
    write_model(folder, body)
    subject, workspace = opened(folder)
    after = score(subject, workspace, limits=limits)
    assert words in str(after.data[Role.EVALUATION].failed["prediction"])
    assert after.isolation == {Role.EVALUATION: Isolation.SAME_USER}


def test_nothing_of_the_process_outlives_it(folder: Path) -> None:
    """A grandchild that holds the log open neither keeps the gate waiting nor lives on."""
    stays = "import subprocess; p = subprocess.Popen(['sleep', '600']); "
    write_model(folder, f"{stays}open({str(folder / 'pid')!r}, 'w').write(str(p.pid)); {HONEST}")
    subject, workspace = opened(folder)
    started = time.monotonic()
    after = score(subject, workspace)
    assert time.monotonic() - started < 120
    assert after.data[Role.EVALUATION].spec.prediction == COLUMN
    status = Path("/proc") / (folder / "pid").read_text(encoding="ascii") / "status"
    while _runs(status) and time.monotonic() - started < 120:
        time.sleep(0.05)
    assert not _runs(status), "the grandchild is still there"


def _runs(status: Path) -> bool:
    """Whether a process is there and no zombie; it may go while its status is read."""
    try:
        return "State:\tZ" not in status.read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_pipe_in_the_place_of_the_answer_does_not_hang_the_gate(folder: Path) -> None:
    write_model(folder, "os.mkfifo('../predictions.parquet'); os._exit(0)")
    subject, workspace = opened(folder)
    after = score(subject, workspace)
    assert "left no predictions" in str(after.data[Role.EVALUATION].failed["prediction"])


@pytest.mark.parametrize("left", [b"Ada Lovelace", b"x" * 81, b"", None])
def test_only_the_name_of_a_type_is_taken_from_the_process(
    left: bytes | None, tmp_path: Path
) -> None:
    """Free text could hold a row of data; a folder in the file's place is nothing."""
    if left is None:
        (tmp_path / "error").mkdir()
    else:
        (tmp_path / "error").write_bytes(left)
    assert not process._told(tmp_path, ["Ada"])


def test_of_an_error_its_type_and_the_names_of_columns_are_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever a dishonest process writes beside them is neither told nor logged."""
    error = {
        "type": "ValueError",
        "module": "a b",
        "columns": ["income", "Ada Lovelace"],
        "stack": ["predict, model.py:3", "Ada Lovelace"],
    }
    (tmp_path / "error").write_text(json.dumps(error), encoding="utf-8")
    with caplog.at_level(logging.ERROR):
        assert process._told(tmp_path, ["age", "income"]) == "ValueError about 'income'"
    assert "in predict, model.py:3" in caplog.text
    assert "Lovelace" not in caplog.text
    (tmp_path / "error").write_text(json.dumps({**error, "type": "Ada Lovelace"}))
    assert not process._told(tmp_path, ["income"])


def test_without_mlflow_the_line_that_installs_it_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_model(folder)
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(MissingExtraError) as caught:
        run("policy.yaml", "file:model")
    assert caught.value.exit_code == 2
    assert "pip install 'aims-gate[gate]'" in str(caught.value)


def test_a_folder_without_a_description_is_never_run(folder: Path) -> None:
    """No MLmodel, or none with a Python function: there is nothing to load."""
    (folder / "model").mkdir()
    (folder / "model" / "weights.bin").write_bytes(b"1")
    verdict = run("policy.yaml", "file:model")
    assert verdict.decision == "undecided"
    assert "no flavour python_function" in verdict.results[0].reason


def test_the_environment_is_an_allow_list() -> None:
    """Keys, tokens, credentials and paths to code do not get through, whatever they are called."""
    ours = {"PATH": "/bin", "LANG": "C", "AIMS_GATE_SIGNING_KEY": "k", "MLFLOW_TRACKING_TOKEN": "t"}
    ours |= {"AWS_SECRET_ACCESS_KEY": "s", "PYTHONPATH": "p", "HOME": "h", "LD_PRELOAD": "l"}
    given = environment(ours, Path("/private"))
    assert set(given) == {
        *("PATH", "LANG", "HOME", "TMPDIR"),
        *("MLFLOW_TRACKING_URI", "MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK"),
    }
    assert given["HOME"] == "/private"
