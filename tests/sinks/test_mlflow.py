"""Publishing evidence to real MLflow stores, cut off at every step."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from aims_gate import canonical
from aims_gate.errors import RecordError
from aims_gate.facts import ModelIdentity, NoValue, Statistic
from aims_gate.policy.model import Severity, Threshold
from aims_gate.registry import http
from aims_gate.sinks.mlflow import metrics, publish
from aims_gate.sources.mlflow.source import SOURCE
from aims_gate.sources.subject import Workspace
from aims_gate.verdict import Decision, EvidenceIdentity, Outcome, PolicyIdentity, Result, Verdict
from tests.conftest import Store
from tests.support.proxy import Answer, Proxy, Request
from tests.support.registry_content import Content, Logged, write

VSA = b'{"predicateType":"https://slsa.dev/verification_summary/v1"}'
FILES = {"vsa.statement.json": VSA, "report.json": b"{}\n", "model.sha256": b"00  MLmodel\n"}
PLACE = "aims_gate/20260304T050607Z-0a1b2c3d"
EVIDENCE = "aims_gate.production.evidence"
TAGS = ("aims_gate.production.verdict", "aims_gate.production.policy", EVIDENCE)


def cell(value: float | None, slice_: str = "", *, judged: bool = True) -> Statistic:
    lack = NoValue.MISSING if value is None else None
    return Statistic(name="gap", slice=slice_, value=value, judged=judged, lack=lack)


def result(rule: str, threshold: Threshold | None, *cells: Statistic) -> Result:
    return Result(
        rule=rule,
        check="fairness.parity",
        severity=Severity.BLOCK,
        outcome=Outcome.PASS,
        raw_outcome=Outcome.PASS,
        reason="",
        threshold=threshold,
        statistics=cells,
        decided=True,
    )


def verdict_on(
    model: ModelIdentity, evaluation: str = "20260304T050607Z-0a1b2c3d", *results: Result
) -> Verdict:
    return Verdict(
        decision=Decision.PASSED,
        stage="production",
        model=model,
        policy=PolicyIdentity(id="credit", version="3.2.0", digest="ab" * 32, uri="policy.yaml"),
        results=results or (result("BIAS-03", Threshold(at_most=0.1), cell(0.05), cell(0.07)),),
        evidence=EvidenceIdentity(id=evaluation, directory="", signed=True),
        started=datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC),
        finished=datetime(2026, 3, 4, 5, 6, 9, tzinfo=UTC),
    )


def environ(uri: str) -> dict[str, str]:
    return {"MLFLOW_TRACKING_URI": uri}


def identity(content: Content, uri: str, folder: Path) -> ModelIdentity:
    folder.mkdir(exist_ok=True)
    workspace = Workspace(folder=folder, environ=environ(content.uri))
    return SOURCE.fetch(uri, workspace=workspace).model


@pytest.fixture(params=["rest", "sqlite"])
def content(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Content:
    monkeypatch.chdir(tmp_path)  # a sqlite store's new experiment keeps its artifacts in ./mlruns
    if request.param == "rest":
        return Content(uri=request.getfixturevalue("mlflow_server"))
    store: Store = request.getfixturevalue("mlflow_store")
    return Content(uri=store.uri)


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    return write(tmp_path / "evidence", FILES)


def version_tags(content: Content, logged: Logged) -> Mapping[str, str]:
    tags: Mapping[str, str] = content.client.get_model_version(logged.name, logged.version).tags
    return tags


def runs_of(content: Content, evaluation: str) -> list[Any]:
    if (experiment := content.client.get_experiment_by_name("aims-gate")) is None:
        return []
    found: list[Any] = content.client.search_runs(
        [experiment.experiment_id], f"tags.`aims_gate.evaluation` = '{evaluation}'"
    )
    return found


def test_evidence_metrics_and_tags_are_published_in_a_run_of_the_gates_own(
    content: Content, evidence: Path, tmp_path: Path
) -> None:
    logged = content.registered()
    training = repr(content.client.get_run(logged.run_id).to_dictionary())
    verdict = verdict_on(identity(content, logged.uri, tmp_path / "w"), f"E-{logged.name}")
    place = publish(verdict, evidence, environ(content.uri))
    (run,) = runs_of(content, f"E-{logged.name}")
    assert place == f"runs:/{run.info.run_id}/aims_gate/E-{logged.name}"
    assert run.info.status == "FINISHED"
    assert run.data.metrics == {"BIAS-03.gap": 0.07}
    assert run.data.tags["aims_gate.model"] == f"sha256:{verdict.model.digest}"
    inputs = content.client.get_run(run.info.run_id).inputs.model_inputs
    assert [item.model_id for item in inputs] == [logged.model_id]
    stored = content.client.list_artifacts(run.info.run_id, f"aims_gate/E-{logged.name}")
    assert {Path(info.path).name: info.file_size for info in stored} == {
        name: len(data) for name, data in FILES.items()
    }
    assert version_tags(content, logged) == {
        "aims_gate.production.verdict": "passed",
        "aims_gate.production.policy": f"credit@3.2.0 sha256:{'ab' * 32}",
        EVIDENCE: f"sha256:{canonical.sha256(VSA)} {place}",
    }
    assert repr(content.client.get_run(logged.run_id).to_dictionary()) == training


def test_a_second_attempt_changes_nothing(content: Content, evidence: Path, tmp_path: Path) -> None:
    logged = content.registered()
    verdict = verdict_on(identity(content, logged.uri, tmp_path / "w"), f"E-{logged.name}")
    first = publish(verdict, evidence, environ(content.uri))
    tags = version_tags(content, logged)
    assert publish(verdict, evidence, environ(content.uri)) == first
    assert version_tags(content, logged) == tags
    (run,) = runs_of(content, f"E-{logged.name}")
    history = content.client.get_metric_history(run.info.run_id, "BIAS-03.gap")
    assert [(point.value, point.step) for point in history] == [(0.07, 0)]


def test_a_model_that_is_not_registered_gets_a_run_and_no_tags(
    content: Content, evidence: Path, tmp_path: Path
) -> None:
    model_id = content.model(content.run())
    model = identity(content, f"models:/{model_id}", tmp_path / "w")
    place = publish(verdict_on(model, f"E-{model_id}"), evidence, environ(content.uri))
    assert place.startswith("runs:/")
    assert len(runs_of(content, f"E-{model_id}")) == 1


def test_a_version_that_was_made_anew_is_not_tagged(
    content: Content, evidence: Path, tmp_path: Path
) -> None:
    logged = content.registered()
    model = identity(content, logged.uri, tmp_path / "w")
    moved = replace(model, resolved_uri="models:/m-" + "0" * 32)
    with pytest.raises(RecordError, match="now is another model"):
        publish(verdict_on(moved, f"E-{logged.name}"), evidence, environ(content.uri))
    assert version_tags(content, logged) == {}


def test_a_line_cut_at_any_request_leaves_no_evidence_tag_and_a_second_attempt_completes(
    mlflow_server: str, evidence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every request of a publication is cut once; only after the last is the pointer there."""
    monkeypatch.setattr(http, "ATTEMPTS", 1)
    content = Content(uri=mlflow_server)
    logged = content.registered()
    model = identity(content, logged.uri, tmp_path / "w")
    verdict = verdict_on(model, f"E-{logged.name}")
    cuts = 0
    states: list[str] = []
    while EVIDENCE not in version_tags(content, logged):
        cuts += 1
        seen = _cut(mlflow_server, verdict, evidence, after=cuts)
        assert seen == cuts or EVIDENCE in version_tags(content, logged)
        states += [run.info.status for run in runs_of(content, f"E-{logged.name}")]
        assert states[-1:] == ["FINISHED"] or version_tags(content, logged) == {}
    assert cuts > len(FILES) + 8
    (run,) = runs_of(content, f"E-{logged.name}")
    assert states == sorted(states, reverse=True)
    assert set(states) == {"RUNNING", "FINISHED"}
    tags = version_tags(content, logged)
    assert set(tags) == set(TAGS)
    assert tags[EVIDENCE].endswith(f"runs:/{run.info.run_id}/aims_gate/E-{logged.name}")


def _cut(server: str, verdict: Verdict, evidence: Path, *, after: int) -> int:
    """Publish over a line that answers *after* - 1 requests; give how many were sent."""

    def plan(number: int, _request: Request) -> Answer | None:
        return Answer(status=0) if number >= after - 1 else None

    with Proxy(server, plan) as proxy:
        try:
            publish(verdict, evidence, environ(proxy.url))
        except RecordError as error:
            assert error.exit_code == 3  # noqa: PT017 - the last attempt does not raise
        return len(proxy.seen)


def test_a_lax_pass_for_one_stage_does_not_cover_a_refusal_for_another(
    content: Content, evidence: Path, tmp_path: Path
) -> None:
    """Nor does it touch what another version of the gate wrote, without a stage."""
    logged = content.registered()
    content.client.set_model_version_tag(logged.name, "1", "aims_gate.verdict", "passed")
    model = identity(content, logged.uri, tmp_path / "w")
    refused = replace(verdict_on(model, f"one-{logged.name}"), decision=Decision.REFUSED)
    publish(refused, evidence, environ(content.uri))
    before = version_tags(content, logged)
    lax = replace(verdict_on(model, f"two-{logged.name}"), stage="dev")
    place = publish(lax, evidence, environ(content.uri))
    after = version_tags(content, logged)
    assert after["aims_gate.production.verdict"] == "refused"
    assert after["aims_gate.dev.verdict"] == "passed"
    assert after["aims_gate.dev.evidence"].endswith(place)
    assert {key: after[key] for key in before} == before


def test_an_old_pointer_does_not_stand_beside_a_new_verdict(
    mlflow_server: str, evidence: Path, tmp_path: Path
) -> None:
    content = Content(uri=mlflow_server)
    logged = content.registered()
    model = identity(content, logged.uri, tmp_path / "w")
    publish(verdict_on(model, f"one-{logged.name}"), evidence, environ(mlflow_server))
    refused = replace(verdict_on(model, f"two-{logged.name}"), decision=Decision.REFUSED)

    def plan(_number: int, request: Request) -> Answer | None:
        return (
            Answer(status=500)
            if b"aims_gate.production.policy" in request.body and b'"version"' in request.body
            else None
        )

    with Proxy(mlflow_server, plan) as proxy, pytest.raises(RecordError):
        publish(refused, evidence, environ(proxy.url))
    tags = version_tags(content, logged)
    assert tags["aims_gate.production.verdict"] == "refused"
    assert tags[EVIDENCE] == "pending"
    place = publish(refused, evidence, environ(mlflow_server))
    assert version_tags(content, logged)[EVIDENCE].endswith(place)


def test_a_file_that_the_store_did_not_keep_whole_is_an_error(
    mlflow_server: str, evidence: Path, tmp_path: Path
) -> None:
    content = Content(uri=mlflow_server)
    logged = content.registered()
    verdict = verdict_on(identity(content, logged.uri, tmp_path / "w"), f"E-{logged.name}")

    def plan(_number: int, request: Request) -> Answer | None:
        return Answer() if request.method == "PUT" and "report.json" in request.path else None

    with (
        Proxy(mlflow_server, plan) as proxy,
        pytest.raises(RecordError, match=r"keep report\.json"),
    ):
        publish(verdict, evidence, environ(proxy.url))
    assert version_tags(content, logged) == {}


def test_evidence_that_is_not_complete_is_not_published(tmp_path: Path) -> None:
    verdict = verdict_on(ModelIdentity(uri="u", name="n"))
    with pytest.raises(RecordError, match="cannot be read"):
        publish(verdict, tmp_path / "nowhere", environ("http://127.0.0.1:9"))
    with pytest.raises(RecordError, match="not complete"):
        publish(verdict, tmp_path, environ("http://127.0.0.1:9"))


@pytest.mark.parametrize("evaluation", ["", "../x", "a/b", "a' OR 1=1", "x" * 101])
def test_an_id_that_could_climb_or_query_is_refused(evidence: Path, evaluation: str) -> None:
    verdict = verdict_on(ModelIdentity(uri="u", name="n"), evaluation)
    with pytest.raises(RecordError, match="under the id"):
        publish(verdict, evidence, environ("http://127.0.0.1:9"))


def test_no_evidence_identity_is_refused(evidence: Path) -> None:
    verdict = replace(verdict_on(ModelIdentity(uri="u", name="n")), evidence=None)
    with pytest.raises(RecordError, match="under the id"):
        publish(verdict, evidence, environ("http://127.0.0.1:9"))


def test_no_tracking_uri_is_a_record_error(evidence: Path) -> None:
    with pytest.raises(RecordError, match="MLFLOW_TRACKING_URI is not set"):
        publish(verdict_on(ModelIdentity(uri="u", name="n")), evidence, {})


def test_metrics_are_the_worst_judged_finite_cells() -> None:
    cells = (cell(0.7, "a"), cell(0.9, "b"), cell(None, "c"), cell(0.1, judged=False))
    verdict = verdict_on(
        ModelIdentity(uri="u", name="n"),
        "e",
        result("LOW-1", Threshold(at_least=0.8), *cells),
        result("HIGH-1", Threshold(at_most=0.8), *cells),
        result("MID-1", Threshold(at_least=0.85, at_most=0.95), *cells),
        result("MID-2", Threshold(at_least=0.6, at_most=0.75), *cells),
        result("NONE-1", None, *cells),
        result("INF-1", Threshold(at_most=1.0), cell(math.inf), cell(math.nan), cell(0.5)),
        result("LACK-1", Threshold(at_most=1.0), cell(None)),
        result("BARE-1", Threshold(at_most=1.0)),
    )
    assert metrics(verdict) == {
        "LOW-1.gap": 0.7,
        "HIGH-1.gap": 0.9,
        "MID-1.gap": 0.7,
        "MID-2.gap": 0.9,
        "NONE-1.gap": 0.9,
        "INF-1.gap": 0.5,
    }


def test_a_verdict_without_numbers_is_published_too(
    mlflow_server: str, evidence: Path, tmp_path: Path
) -> None:
    content = Content(uri=mlflow_server)
    logged = content.registered()
    model = identity(content, logged.uri, tmp_path / "w")
    verdict = verdict_on(
        model, f"E-{logged.name}", result("X-1", Threshold(at_most=1.0), cell(None))
    )
    publish(verdict, evidence, environ(mlflow_server))
    (run,) = runs_of(content, f"E-{logged.name}")
    assert run.data.metrics == {}
