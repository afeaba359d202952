"""One run, two models, one table of answers: whose are they? On a real server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import aims_gate
from aims_gate.__main__ import guarded
from aims_gate.errors import UsageError
from aims_gate.sources.mlflow.owner import ids_of
from tests.support.registry_content import FILES, MLMODEL, Content

POLICY = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: bound, version: "1.0.0", owner: tests@example.org}
rules:
  - {id: PERF-01, check: performance.score, with: {metric: accuracy}, require: {at_least: 0.8}}
"""
GOOD = pd.DataFrame({"y": [0, 1] * 200, "p": [0, 1] * 200})


@pytest.fixture
def content(mlflow_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Content:
    monkeypatch.chdir(tmp_path)
    Path("policy.yaml").write_text(POLICY, encoding="utf-8")
    return Content(uri=mlflow_server)


def log(content: Content, run_id: str, frame: pd.DataFrame = GOOD, **options: Any) -> str:
    """Log answers that are all right, as a training job does."""
    import mlflow

    mlflow.set_tracking_uri(content.uri)
    try:
        options = {"label": "y", "prediction": "p", **options}
        return aims_gate.log_evaluation(frame, run_id=run_id, **options)
    finally:
        mlflow.set_tracking_uri(None)


def download(content: Content, uri: str) -> str:
    """Fetch an artifact into the working folder, and give its name there."""
    import mlflow

    mlflow.set_tracking_uri(content.uri)
    try:
        return Path(mlflow.artifacts.download_artifacts(uri, dst_path=".")).name
    finally:
        mlflow.set_tracking_uri(None)


def gate(content: Content, model: str, out: str, *more: str) -> tuple[int, dict[str, Any]]:
    """Run the command line, and give its exit code and report."""
    with pytest.MonkeyPatch.context() as patch:  # MLflow's client takes the variable away
        patch.setenv("MLFLOW_TRACKING_URI", content.uri)
        code = guarded(["run", "--model", model, "--unsigned", "--out", out, *more])
    return code, json.loads((Path(out) / "report.json").read_text(encoding="utf-8"))


def reason(report: dict[str, Any]) -> str:
    (result,) = report["results"]
    return f"{result['outcome']}: {result['reason']}"


def test_a_model_does_not_pass_on_the_answers_of_another_of_its_run(content: Content) -> None:
    """The bad one is ERROR by its id, however it is registered, and the good one passes."""
    run_id = content.run(end=False)
    good = content.model(run_id)
    log(content, run_id)
    bad = content.model(run_id)
    content.client.set_terminated(run_id)
    name = f"swept-{run_id[:8]}"
    versions = [content.version(name, f"models:/{model}", run_id) for model in (good, bad)]
    copied = content.version(f"{name}-prod", f"models:/{name}/{versions[1]}")
    kept = content.version(f"{name}-prod", f"models:/{name}/{versions[0]}")
    code, report = gate(content, f"models:/{name}/{versions[0]}", "good")
    assert (code, report["datasets"][0]["model_id"]) == (0, good)
    assert gate(content, f"models:/{name}-prod/{kept}", "copied")[0] == 0
    for at, uri in enumerate((f"{name}/{versions[1]}", bad, f"{name}-prod/{copied}")):
        code, report = gate(content, f"models:/{uri}", f"bad{at}")
        assert (code, report["verdict"]) == (3, "undecided")
        assert f"these are answers of {good}, not of {bad}" in reason(report)


def test_answers_of_several_models_without_a_binding_are_nobodys(content: Content) -> None:
    """Logged before both, by a job that does not say whose they are: the line to write is told."""
    run_id = content.run(end=False)
    log(content, run_id)
    first, second = content.model(run_id), content.model(run_id)
    content.client.set_terminated(run_id)
    for model in (first, second):
        code, report = gate(content, f"models:/{model}", f"out-{model}")
        assert code == 3
        assert "ERROR: accuracy: evaluation data: the run made several models" in reason(report)
        assert f'log_evaluation(…, model="{model}")' in reason(report)
    handed = f"evaluation=runs:/{run_id}/aims_gate/evaluation.parquet"
    assert gate(content, f"models:/{second}", "handed", "--data", handed)[0] == 3


def test_the_only_model_keeps_its_unbound_answers_and_it_is_told(
    content: Content, capsys: pytest.CaptureFixture[str]
) -> None:
    """Data that an earlier version logged stay usable."""
    run_id = content.run(end=False)
    log(content, run_id)
    model = content.model(run_id)
    content.client.set_terminated(run_id)
    code, report = gate(content, f"models:/{model}", "out")
    told = "the answers are bound to no model by name; the run made one"
    assert (code, report["datasets"][0]["notes"]) == (0, [told])
    assert told in " ".join(capsys.readouterr().out.split())
    evaluation = json.loads(Path("out/evaluation.statement.json").read_text(encoding="utf-8"))
    assert evaluation["predicate"]["datasets"][0]["annotations"]["notes"] == [told]


def test_a_sweep_must_say_whose_answers_it_logs(content: Content) -> None:
    """With several models in the run nothing is guessed, and an explicit id decides."""
    run_id = content.run(end=False)
    _, best = content.model(run_id), content.model(run_id)
    with pytest.raises(UsageError, match=r'several models: .*, .*model="m-'):
        log(content, run_id)
    with pytest.raises(UsageError, match="no logged model"):
        log(content, run_id, model=42)
    log(content, run_id, model=f"models:/{best}")
    content.client.set_terminated(run_id)
    assert gate(content, f"models:/{best}", "best")[0] == 0


def test_a_model_among_a_runs_artifacts_is_not_the_one_that_was_logged(content: Content) -> None:
    """Another folder of the run, with an id of its own or none, is another model."""
    run_id = content.run(end=False)
    content.model(run_id)
    log(content, run_id)
    for name, uuid in (("plain", b""), ("other", b"model_uuid: 0123456789abcdef\n")):
        content.artifact(run_id, f"{name}/MLmodel", MLMODEL + uuid)
        content.artifact(run_id, f"{name}/weights/w.txt", FILES["weights/w.txt"])
    content.client.set_terminated(run_id)
    for name in ("plain", "other"):
        code, report = gate(content, f"runs:/{run_id}/{name}", f"out-{name}")
        assert code == 3, reason(report)
        assert "these are answers of m-" in reason(report)


def test_a_model_of_mlflow_2_is_bound_by_its_uuid(content: Content) -> None:
    """There are no logged models: the tag with the run's history tells, and the MLmodel file."""
    uuids = ["1a1a1a1a2b2b2b2b3c3c3c3c4d4d4d4d", "5e5e5e5e6f6f6f6f7a7a7a7a8b8b8b8b"]
    for many, code in ((1, 0), (2, 3)):
        history = json.dumps([{"model_uuid": uuid} for uuid in uuids[:many]])
        tags = {"mlflow.log-model.history": history}
        run_id = content.run(end=False, tags=tags)
        for name, uuid in zip(("model", "second"), uuids, strict=True):
            described = MLMODEL + f"model_uuid: {uuid}\n".encode()
            content.artifact(run_id, f"{name}/MLmodel", described)
        if many == 1:
            log(content, run_id)
        else:
            log(content, run_id, model=uuids[1])
        content.client.set_terminated(run_id)
        found, report = gate(content, f"runs:/{run_id}/model", f"first-{many}")
        assert found == code, reason(report)
        found, report = gate(content, f"runs:/{run_id}/second", f"second-{many}")
        assert found == 3 - code, reason(report)


def test_reference_data_name_no_model(content: Content) -> None:
    """Rows without answers are nobody's answers, however many models the run has."""
    run_id = content.run(end=False)
    content.model(run_id)
    content.model(run_id)
    uri = log(content, run_id, prediction=None, role="reference")
    assert uri == f"runs:/{run_id}/aims_gate/reference.parquet"


def test_answers_in_a_file_that_is_handed_over_are_compared_too(content: Content) -> None:
    """A table that says it is another model's is refused wherever it lies; one without is not."""
    run_id = content.run(end=False)
    other, bare = content.model(run_id), content.model(content.run())
    log(content, run_id)
    content.client.set_terminated(run_id)
    path = download(content, f"runs:/{run_id}/aims_gate/evaluation.parquet")
    assert gate(content, f"models:/{bare}", "another", "--data", f"evaluation={path}")[0] == 3
    assert gate(content, f"models:/{other}", "own", "--data", f"evaluation={path}")[0] == 0
    folder = Path("exported")
    folder.mkdir()
    (folder / "MLmodel").write_bytes(MLMODEL + b"model_uuid: 0123456789abcdef\n")
    assert gate(content, "file:exported", "file", "--data", f"evaluation={path}")[0] == 3
    (folder / "MLmodel").write_bytes(MLMODEL + f"model_uuid: {other}\n".encode())
    assert gate(content, "file:exported", "same", "--data", f"evaluation={path}")[0] == 0


def test_answers_that_are_joined_are_somebodys_too(content: Content) -> None:
    """The labels say nothing of a model; the table of answers beside them does."""
    run_id = content.run(end=False)
    good, frame = content.model(run_id), GOOD.assign(id=range(400))
    frame[["id", "y"]].to_parquet("labels.parquet")
    log(content, run_id, frame=frame[["id", "p"]], label=None, role="current")
    content.client.set_terminated(run_id)
    bad = content.model(content.run())
    answers = download(content, f"runs:/{run_id}/aims_gate/current.parquet")
    joined = f"join: [{{source: 'file:{answers}', on: id}}], label: y, prediction: p"
    data = f"data: {{evaluation: {{source: 'file:labels.parquet', {joined}}}}}\n"
    Path("policy.yaml").write_text(POLICY + data, encoding="utf-8")
    assert gate(content, f"models:/{good}", "own")[0] == 0
    code, report = gate(content, f"models:/{bad}", "another")
    assert (code, f"these are answers of {good}, not of {bad}" in reason(report)) == (3, True)


def test_a_data_set_that_the_run_names_is_as_little_bound_as_its_artifacts(
    content: Content, tmp_path: Path
) -> None:
    """`dataset:` leads out of the run, and still nobody said whose answers lie there."""
    from mlflow.entities import Dataset, DatasetInput

    GOOD.to_parquet("eval.parquet")
    allow = f"sources: {{allow: ['file://{tmp_path}/']}}\n"
    data = "data: {evaluation: {source: 'dataset:eval', label: y, prediction: p}}\n"
    Path("policy.yaml").write_text(POLICY + allow + data, encoding="utf-8")
    source = json.dumps({"uri": str(tmp_path / "eval.parquet")})
    dataset = Dataset(name="eval", digest="1", source_type="local", source=source)
    for many, expected in ((1, 0), (2, 3)):
        run_id = content.run(end=False)
        models = [content.model(run_id) for _ in range(many)]
        content.client.log_inputs(run_id, [DatasetInput(dataset)])
        content.client.set_terminated(run_id)
        code, report = gate(content, f"models:/{models[0]}", f"out-{many}")
        assert code == expected, reason(report)


def test_a_champion_is_not_judged_by_the_answers_of_another_model(content: Content) -> None:
    """A weak table in the champion's run would let every candidate be no worse."""
    rule = (
        "  - {id: PERF-02, check: performance.champion, with: {metric: accuracy, alias: champion},"
        " decide_on: estimate, require: {at_least: -0.01}}\n"
    )
    Path("policy.yaml").write_text(POLICY.partition("  - ")[0] + rule, encoding="utf-8")
    frame = GOOD.assign(id=range(400))
    weak = frame.assign(p=[0, 0, 0, 1] * 100)
    name, versions = f"champion-{content.run()[:8]}", []
    for mine in (True, False):
        run_id = content.run(end=False)
        champion, sibling = content.model(run_id), content.model(run_id)
        log(content, run_id, frame=frame, key="id", model=champion if mine else sibling)
        content.client.set_terminated(run_id)
        versions.append(content.version(name, f"models:/{champion}", run_id))
    run_id = content.run(end=False)
    candidate = content.model(run_id)
    log(content, run_id, frame=weak, key="id")
    content.client.set_terminated(run_id)
    versions.append(content.version(name, f"models:/{candidate}", run_id))
    told = []
    for version in versions[:2]:
        content.client.set_registered_model_alias(name, "champion", version)
        code, report = gate(content, f"models:/{name}/{versions[2]}", f"against-{version}")
        told.append((code, reason(report)))
    assert told[0][0] == 1, told
    assert told[1][0] == 3, told
    assert "these are answers of m-" in told[1][1]


HISTORIES = [
    "",
    "[",
    "null",
    "{}",
    "42",
    '"m-1"',
    "[null, 7, [], {}]",
    '[{"model_uuid": [1]}]',
    "[" * 5000,
]


@pytest.mark.parametrize("history", HISTORIES)
def test_a_history_of_models_that_is_none_binds_nothing(history: str) -> None:
    """It is a tag that anybody can set; without it the models are those that the run lists."""
    assert ids_of(history) == ()
