"""Artifact stores that the MLflow server does not hand out: read and written from here."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import fs, parquet

from aims_gate.__main__ import guarded
from tests.support.registry_content import Content
from tests.support.servers import S3_KEYS, Server

pytestmark = [pytest.mark.server, pytest.mark.timeout(600)]

POLICY = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: credit, version: "1.0.0", owner: tests@example.org}
rules:
  - {id: INTEG-01, check: integrity.model}
  - {id: PERF-01, check: performance.score, with: {metric: accuracy}, require: {at_least: 0.6}}
"""
BUCKET = "mlflow-artifacts-of-nobody"


@pytest.fixture(scope="module")
def environ(s3_url: str) -> Iterator[dict[str, str]]:
    """The environment of a job that may use the bucket."""
    environ = {
        **S3_KEYS,
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": s3_url,
        "MLFLOW_S3_ENDPOINT_URL": s3_url,
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environ.items():
            patch.setenv(name, value)
        yield environ


@pytest.fixture(scope="module")
def unproxied(
    empty_store: Path,
    s3_url: str,
    environ: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    """An `mlflow server` that hands out no artifacts; their root is a bucket."""
    host = s3_url.removeprefix("http://")
    fs.S3FileSystem(
        endpoint_override=host, scheme="http", region="eu-west-1", allow_bucket_creation=True
    ).create_dir(BUCKET)
    root = ("--no-serve-artifacts", "--default-artifact-root", f"s3://{BUCKET}/root")
    folder = tmp_path_factory.mktemp("server")
    server = Server(folder=folder, stores=root, environ=environ)
    shutil.copy(empty_store, server.folder / "mlflow.db")
    server.start()
    yield server
    server.kill()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder in which one stands."""
    monkeypatch.chdir(tmp_path)


def trained(server: Server, location: str | None = None) -> tuple[Content, str, str]:
    """What a training job leaves: a model, and evaluation data; gives its URI and artifact root."""
    content = Content(uri=server.url)
    name = f"training {location or 'in the bucket'}"
    if found := content.client.get_experiment_by_name("aims-gate"):  # another test's, elsewhere
        content.client.rename_experiment(found.experiment_id, f"aims-gate before {name}")
    content.experiment = content.client.create_experiment(name, location)
    logged = content.registered("unproxied")
    table = io.BytesIO()
    roles = {"label": "y", "prediction": "p", "positive": 1}
    rows = pa.table({"y": [1, 0, 1, 0, 1] * 200, "p": [1, 0, 1, 0, 0] * 200})
    rows = rows.replace_schema_metadata({"aims_gate.roles": json.dumps(roles)})
    parquet.write_table(rows, table)
    content.artifact(logged.run_id, "aims_gate/evaluation.parquet", table.getvalue())
    root = str(content.client.get_run(logged.run_id).info.artifact_uri)
    return content, logged.uri, root


def gated(server: Server, model: str, out: str, **environ: str) -> int:
    Path("policy.yaml").write_text(POLICY, encoding="utf-8")
    if not Path("gate.key").exists():
        assert guarded(["evidence", "key", "generate", "--out", "gate.key"]) == 0
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"MLFLOW_TRACKING_URI": server.url, **environ}.items():
            patch.setenv(name, value)
        return guarded(["run", "--model", model, "--key", "gate.key", "--out", out])


def kept(content: Content, model: str) -> tuple[str, set[str]]:
    """Where the published evidence of a model lies, and its files."""
    _, name, version = model.replace(":", "").split("/")
    tag = content.client.get_model_version(name, version).tags["aims_gate.production.evidence"]
    run_id, _, path = tag.partition(" ")[2].removeprefix("runs:/").partition("/")
    files = {Path(file.path).name for file in content.client.list_artifacts(run_id, path)}
    return str(content.client.get_run(run_id).info.artifact_uri), files


def test_a_bucket_is_read_and_evidence_is_put_there(
    unproxied: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    """Model and data come out of the bucket, and evidence goes into it, once that is permitted."""
    content, model, root = trained(unproxied)
    assert root.startswith(f"s3://{BUCKET}/root/")
    assert gated(unproxied, model, "refused") == 3
    line = f'sources: {{allow: ["s3://{BUCKET}/root/"]}}'
    assert line in capsys.readouterr().err
    Path("operator.yaml").write_text(
        f"apiVersion: aims-gate/v1\nkind: Config\n{line}\n", encoding="utf-8"
    )
    assert gated(unproxied, model, "evidence", AIMS_GATE_CONFIG="operator.yaml") == 0
    assert "Downloading" not in capsys.readouterr().err
    report = json.loads(Path("evidence/report.json").read_text("utf-8"))
    assert report["model"]["reader"] == "client"
    assert report["datasets"][0]["uri"].endswith("/aims_gate/evaluation.parquet")
    place, files = kept(content, model)
    assert place.startswith(f"s3://{BUCKET}/root/")
    assert files == {"report.html", *(path.name for path in Path("evidence").iterdir())}


def test_a_folder_is_read_where_this_machine_shares_it(
    unproxied: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Refused by default, since a server could name any; evidence may lie there, too."""
    shared = tmp_path / "shared"
    content, model, root = trained(unproxied, str(shared))
    assert root.startswith(str(shared))
    content.client.create_experiment("aims-gate", str(shared / "evidence"))
    assert gated(unproxied, model, "refused") == 3
    assert "name the folder that this machine shares" in capsys.readouterr().err
    assert not Path("refused").exists()
    assert gated(unproxied, model, "evidence", AIMS_GATE_ARTIFACT_FOLDERS=str(shared)) == 0
    place, files = kept(content, model)
    assert place.startswith(str(shared))
    assert files == {"report.html", *(path.name for path in Path("evidence").iterdir())}
