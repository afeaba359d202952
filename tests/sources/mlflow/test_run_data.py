"""The run that a model came from, and the data that runs logged."""

from __future__ import annotations

import json
import math
import re

import pyarrow as pa
from pyarrow import parquet

from aims_gate.facts import DigestKind
from aims_gate.policy.model import DataSpec, Policy, Role
from aims_gate.sources.estimator import open_estimator
from aims_gate.sources.mlflow.source import SOURCE
from aims_gate.sources.subject import Subject
from tests.sources.mlflow.opened import POLICY, Space, open_subject
from tests.support.proxy import Answer, Proxy
from tests.support.registry_content import Content


def table(rows: int = 5) -> pa.Table:
    return pa.table({"y": [n % 2 for n in range(rows)], "yhat": [0] * rows})


def log(content: Content, run_id: str, path: str, logged: pa.Table) -> None:
    sink = pa.BufferOutputStream()
    parquet.write_table(logged, sink)
    content.artifact(run_id, path, sink.getvalue().to_pybytes())


def test_a_subject_has_its_run_with_every_point_and_its_data_by_convention(
    content: Content, space: Space
) -> None:
    logged = content.registered()
    log(content, logged.run_id, "aims_gate/evaluation.parquet", table(5))
    log(content, logged.run_id, "elsewhere/now.parquet", table(7))
    policy = Policy(
        id="p",
        version="1",
        data={
            Role.EVALUATION: DataSpec(label="y", prediction="yhat"),
            Role.CURRENT: DataSpec(source="artifact:elsewhere/now.parquet", label="y"),
        },
    )
    subject = open_subject(logged.uri, space(content.uri), policy)
    assert subject.run is not None
    assert (subject.run.run_id, subject.run.status) == (logged.run_id, "FINISHED")
    points = [(p.key, p.step, p.value) for p in subject.run.metrics if p.key == "auc"]
    assert points == [("auc", 0, 0.75), ("auc", 1, 0.875)]
    assert any(math.isnan(p.value) for p in subject.run.metrics)
    assert set(subject.data) == {Role.EVALUATION, Role.CURRENT}
    assert subject.unread == {}
    data = subject.data[Role.EVALUATION]
    assert data.frame.rows == 5
    assert data.identity.uri == f"runs:/{logged.run_id}/aims_gate/evaluation.parquet"
    assert data.identity.digest_kind is DigestKind.FILE
    assert data.created == subject.run.ended
    assert subject.data[Role.CURRENT].frame.rows == 7
    assert subject.flavors == ("python_function",)


def test_named_data_that_are_not_there_and_a_folder_without_parquet_are_unread(
    content: Content, space: Space
) -> None:
    logged = content.registered()
    log(content, logged.run_id, "aims_gate/current.parquet/plain/inner.parquet", table())
    policy = Policy(
        id="p", version="1", data={Role.EVALUATION: DataSpec(source="artifact:no.parquet")}
    )
    subject = open_subject(logged.uri, space(content.uri), policy)
    assert subject.data == {}
    assert set(subject.unread) == {Role.EVALUATION, Role.CURRENT}
    assert "'plain' is not called KEY=VALUE" in str(subject.unread[Role.CURRENT])


def test_a_dataset_source_of_a_run_is_never_loaded(content: Content, space: Space) -> None:
    """It can name /etc/passwd or an inner host; only its digest is taken, as a link."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    logged = content.registered()
    with Proxy(content.uri, lambda _n, _r: Answer()) as inner:
        source = json.dumps({"url": f"{inner.url}/latest/meta-data"})
        dataset = Dataset(name="d", digest="77aa", source_type="http", source=source)
        tags = [InputTag("mlflow.data.context", "evaluation")]
        content.client.log_inputs(logged.run_id, [DatasetInput(dataset, tags)])
        log(content, logged.run_id, "aims_gate/evaluation.parquet", table())
        subject = open_subject(logged.uri, space(content.uri))
        assert inner.seen == []
    assert subject.data[Role.EVALUATION].identity.mlflow_digest == "77aa"


def test_a_model_without_a_run_has_no_run_and_no_data(content: Content, space: Space) -> None:
    subject = open_subject(f"models:/{content.model(None)}", space(content.uri))
    assert subject.run is None
    assert (subject.data, subject.unread) == ({}, {})


def test_a_folder_of_the_run_is_read_as_one_table(content: Content, space: Space) -> None:
    logged = content.registered()
    for year in (2025, 2026):
        log(content, logged.run_id, f"lake/year={year}/a.parquet", table())
    policy = Policy(id="p", version="1", data={Role.EVALUATION: DataSpec(source="artifact:lake")})
    data = open_subject(logged.uri, space(content.uri), policy).data[Role.EVALUATION]
    assert data.identity.digest_kind is DigestKind.TREE
    assert "year" in data.frame.columns
    assert data.frame.rows == 2 * table().num_rows


def test_a_data_set_in_another_runs_artifacts_needs_the_allow_list(
    content: Content, space: Space
) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    logged, other = content.registered(), content.run()
    log(content, other, "data/eval.parquet", table())
    place = f"{content.client.get_run(other).info.artifact_uri}/data/eval.parquet"
    dataset = Dataset("eval", other[:8], "local", json.dumps({"uri": place}))
    tags = [InputTag("mlflow.data.context", "testing")]
    content.client.log_inputs(logged.run_id, [DatasetInput(dataset, tags)])
    for source in ("dataset:eval", "context:testing"):
        spec = {Role.EVALUATION: DataSpec(source=source)}
        policy = Policy(id="p", version="1", data=spec, sources_allow=("mlflow-artifacts:",))
        data = open_subject(logged.uri, space(content.uri), policy).data[Role.EVALUATION]
        assert (data.identity.uri, data.identity.mlflow_digest) == (place, other[:8])
        policy = Policy(id="p", version="1", data=spec)
        subject = open_subject(logged.uri, space(content.uri), policy)
        assert "sources.allow does not permit" in str(subject.unread[Role.EVALUATION])


def test_a_caller_may_name_what_another_run_logged(content: Content, space: Space) -> None:
    """By the URI that `log_evaluation` gives; a policy may not, and a lost one is unread."""
    logged, other = content.registered(), content.run()
    content.artifact(other, "aims_gate/evaluation.csv", b"y,p\n1,1\n0,1\n")
    uri = f"runs:/{other}/aims_gate/evaluation.csv"

    def opened(given: str, policy: Policy = POLICY) -> Subject:
        data = {Role.EVALUATION: given} if given else {}
        return SOURCE.open(logged.uri, policy=policy, given=data, workspace=space(content.uri))

    found = opened(uri).data[Role.EVALUATION]
    assert (found.identity.uri, found.frame.rows) == (uri, 2)
    assert found.created is not None
    for lost, told in (
        (f"runs:/{'0' * 32}/x.csv", "no such thing"),
        (f"runs:/{other}", "names no artifact"),
        (f"runs:/{other}/../x.csv", "no model URI|not a model URI|runs:/RUN_ID"),
    ):
        error = opened(lost).unread[Role.EVALUATION]
        assert re.search(told, str(error)), str(error)
    assert not opened(f"runs:/{other}/aims_gate/no.csv").data
    naming = Policy(id="p", version="1", data={Role.EVALUATION: DataSpec(source=uri)})
    assert "cannot be read" in str(opened("", naming).unread[Role.EVALUATION])


def test_data_of_a_model_version_are_those_of_its_run_for_whoever_names_it(
    content: Content, space: Space
) -> None:
    """For a plan or an estimator, which come from no MLflow, as `run --data` reads them."""
    logged, bare = content.registered(), content.registered()
    log(content, logged.run_id, "aims_gate/reference.parquet", table(6))
    place = f"runs:/{logged.run_id}/aims_gate/reference.parquet"

    def planned(uri: str) -> Subject:
        given = {Role.REFERENCE: uri}
        return open_estimator(None, policy=POLICY, given=given, workspace=space(content.uri))

    for uri in (logged.uri, place):
        given = {Role.REFERENCE: uri}
        beside = SOURCE.open(bare.uri, policy=POLICY, given=given, workspace=space(content.uri))
        for subject in (planned(uri), beside):
            data = subject.data[Role.REFERENCE]
            assert (data.identity.uri, data.frame.rows) == (place, 6)
    assert "there is no such artifact" in str(planned(bare.uri).unread[Role.REFERENCE])
    assert Role.REFERENCE in planned("models:/nobody/1").unread
