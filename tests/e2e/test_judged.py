"""examples/chat as its README has it: a scorer's word, from a real MLflow server to a verdict."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from aims_gate.__main__ import guarded
from tests.support.guarding import GuardedServer
from tests.support.registry_content import Content
from tests.support.servers import environment

CHAT = Path(__file__).parents[2] / "examples" / "chat"


@pytest.fixture(scope="module")
def uvicorn(guarded: GuardedServer) -> str:
    """URL of a server that takes spans: gunicorn serves Flask alone, which has no such route."""
    return guarded.url


@pytest.fixture(scope="module")
def evaluated(uvicorn: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Log the model and evaluate it, in a process of its own; gives the model's URI."""
    one = {"MLFLOW_GENAI_EVAL_MAX_WORKERS": "1", "MLFLOW_GENAI_EVAL_MAX_SCORER_WORKERS": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(CHAT / "evaluate.py")],
        cwd=tmp_path_factory.mktemp("chat"),
        env=environment({"MLFLOW_TRACKING_URI": uvicorn, **one}),
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (uri,) = re.findall(r"^models:/guide/\d+$", done.stdout, re.MULTILINE)
    return str(uri)


def gate(policy: str, uri: str, folder: Path, *more: str) -> tuple[int, dict[str, Any], str]:
    """Run the command line; give its exit code, its report and all bytes of its evidence."""
    (folder / "policy.yaml").write_text(policy, encoding="utf-8")
    out = folder / "evidence"
    command = ["run", str(folder / "policy.yaml"), "--model", uri, "--unsigned", "--quiet"]
    code = guarded([*command, "--out", str(out), *more])
    text = "".join(path.read_text(encoding="utf-8") for path in out.rglob("*") if path.is_file())
    return code, json.loads((out / "report.json").read_text(encoding="utf-8")), text


@pytest.mark.filterwarnings("ignore")
@pytest.mark.timeout(300)
def test_the_example_gates_a_chat_model_on_its_scores(
    evaluated: str, uvicorn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uvicorn)
    policy = (CHAT / "policy.yaml").read_text(encoding="utf-8")
    code, report, text = gate(policy, evaluated, tmp_path)
    found = {result["rule"]: result for result in report["results"]}
    assert code == 0, report
    assert found["PERF-01"]["reason"].startswith("accuracy 0.976 (90 % 0.9")
    assert (
        "scores of exact, claimed by the run's author, not recomputed" in found["PERF-01"]["reason"]
    )
    (data,) = report["datasets"]
    assert data["rows"] == 84
    assert data["model_id"].startswith("m-")
    assert data["notes"][1].startswith("scorer sha256:")
    for secret in ("price: ", "euros", "expected '", "museum"):
        assert secret not in text, "no question, answer or rationale leaves MLflow"

    tags = Content(uri=uvicorn).client.get_run(data["uri"].split("/")[1]).data.tags
    scorers = json.loads(tags["mlflow.genaiEvaluate.scorersDigest"])["digest"]
    digest = data["notes"][1].removeprefix("scorer ")
    pinned = policy.replace("assessments:exact", f"assessments:exact@{digest}").replace(
        "metric: exact/mean", f"metric: exact/mean, scorers: '{scorers}'"
    )
    (tmp_path / "pinned").mkdir()
    assert gate(pinned, evaluated, tmp_path / "pinned")[0] == 0
    (tmp_path / "handed").mkdir()
    silent = policy.replace('    source: "assessments:exact"\n', "")
    handed = ("--data", "evaluation=assessments:exact")
    code, report, _ = gate(silent, evaluated, tmp_path / "handed", *handed)
    assert code == 0
    assert report["datasets"] == [data], "handed over, they are the same rows"
    (tmp_path / "strict").mkdir()
    strict = pinned.replace("at_least: 0.9", "at_least: 0.99")
    code, report, _ = gate(strict, evaluated, tmp_path / "strict")
    assert code == 1
    outcomes = {result["rule"]: result["outcome"] for result in report["results"]}
    assert (outcomes["PERF-01"], outcomes["PERF-03"]) == ("FAIL", "FAIL")
