"""A registry that chooses hosts: what it names is read or written only where that is allowed."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import duckdb
import pytest
from pyarrow import fs

from aims_gate.__main__ import guarded
from aims_gate.errors import GateError, SourceError, UsageError
from aims_gate.frames.engine_connections import Connected, connect
from aims_gate.operations.verify import Expectation, prove
from aims_gate.policy.operator import connection
from aims_gate.registry.choose import for_artifacts, open_registry
from aims_gate.registry.roots import Roots
from tests.conftest import Store
from tests.support.proofs import NOW, Lab
from tests.support.proxy import Answer, Proxy, Request
from tests.support.registry_content import FILES, Content
from tests.support.servers import S3_KEYS

pytestmark = pytest.mark.server

SERVER = "http://127.0.0.1:9"
HEAD = 'apiVersion: aims-gate/v1\nkind: Policy\nmetadata: {id: p, version: "1"}\n'
RULES = "rules: [{id: INTEG-01, check: integrity.model}]\n"
CONFIG = "apiVersion: aims-gate/v1\nkind: Config\n"
PAYROLL = "s3://payroll-of-nobody/2026"
LINE = f'sources: {{allow: ["{PAYROLL}"]}}\n'


@pytest.fixture
def payroll(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A bucket that the gate's own credentials open, and that no policy speaks of."""
    environ = {
        **S3_KEYS,
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": s3_url,
        "MLFLOW_S3_ENDPOINT_URL": s3_url,
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    store = store_of(s3_url)
    bucket = PAYROLL.removeprefix("s3://").partition("/")[0]
    store.create_dir(bucket)
    for name, content in FILES.items():
        with store.open_output_stream(f"{bucket}/2026/{name}") as file:
            file.write(content)
    return PAYROLL


def store_of(s3_url: str) -> fs.S3FileSystem:
    host = s3_url.removeprefix("http://")
    return fs.S3FileSystem(
        endpoint_override=host, scheme="http", region="eu-west-1", allow_bucket_creation=True
    )


def gated(tmp_path: Path, uri: str, model: str, sources: str = "") -> int:
    (tmp_path / "policy.yaml").write_text(HEAD + sources + RULES, encoding="utf-8")
    if not (tmp_path / "gate.key").exists():
        assert guarded(["evidence", "key", "generate", "--out", str(tmp_path / "gate.key")]) == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        patch.setenv("MLFLOW_TRACKING_URI", uri)
        return guarded(["run", "policy.yaml", "--model", model, "--key", "gate.key"])


def test_a_version_from_a_bucket_that_nobody_named(
    mlflow_server: str,
    payroll: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Refused with the line to add; with that line in the operator's file, or the policy, read."""
    version = Content(uri=mlflow_server).version("stolen", payroll)
    model = f"models:/stolen/{version}"
    assert gated(tmp_path, mlflow_server, model) == 3
    told = capsys.readouterr().err
    assert LINE.strip() in told
    assert "AIMS_GATE_CONFIG" in told
    assert not (tmp_path / "aims-gate-evidence").exists()
    assert gated(tmp_path, mlflow_server, model, LINE) == 0
    config = tmp_path / "operator.yaml"
    config.write_text(CONFIG + LINE, encoding="utf-8")
    monkeypatch.setenv("AIMS_GATE_CONFIG", str(config))
    assert gated(tmp_path, mlflow_server, model) == 0


def test_an_experiment_that_waits_elsewhere_for_evidence(
    mlflow_store: Store,
    s3_url: str,
    payroll: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    content = Content(uri=mlflow_store.uri)
    model = content.registered().uri
    content.client.create_experiment("aims-gate", f"{payroll}/catch")
    assert gated(tmp_path, mlflow_store.uri, model) == 3
    assert f'sources: {{allow: ["{payroll}/catch/"]}}' in capsys.readouterr().err
    folder = payroll.removeprefix("s3://")
    caught = fs.FileSelector(f"{folder}/catch", recursive=True, allow_not_found=True)
    assert store_of(s3_url).get_file_info(caught) == []


ALLOWED = ("s3://ml/root/", "abfss://c@acme.dfs.core.windows.net/root", "hdfs://nn:8020/ml")


@pytest.mark.parametrize(
    "uri",
    [
        "s3://payroll/2026",
        "s3://ml/root2/1",
        "s3://ml/rootless",
        "s3://ml/root/../payroll",
        "s3://ml/root/%2e%2e/payroll",
        "s3://ml/root//1",
        "S3://ml/root/1",
        "s3://ML/root/1",
        "s3://ml:443/root/1",
        "s3://key:secret@ml/root/1",
        "s3://ml/root/1?endpoint_override=evil.example",
        "s3://ml/root/1#x",
        "s3a://ml/root/1",
        "gs://ml/root/1",
        "abfss://c@attacker.dfs.core.windows.net/root",
        "abfss://c@acme.dfs.core.windows.net.evil.example/root",
        "abfss://c@attacker",
        "wasbs://c@acme.blob.core.windows.net/root",
        "hdfs://nn/ml",
        "hdfs://nn:8021/ml",
        "hdfs://user@nn:8020/ml",
        "dbfs:/ml",
        "viewfs://ml/root",
        "r2://ml@evil.r2.cloudflarestorage.com/root",
        "http://127.0.0.1:90/api/2.0/mlflow-artifacts/artifacts/1",
        "http://127.0.0.1:9.evil.example/api/2.0/mlflow-artifacts/artifacts/1",
        "http://127.0.0.1:9@evil.example/api/2.0/mlflow-artifacts/artifacts/1",
        "mlflow-artifacts://127.0.0.1:9@evil.example/1",
        "mlflow-artifacts://127.0.0.1/1",
        "ftp://ml/root",
        "sftp://ml/root",
        "models:/m-1",
    ],
)
def test_spellings_and_look_alikes_of_what_is_allowed(uri: str) -> None:
    environ = {"MLFLOW_TRACKING_URI": SERVER}
    registry = open_registry(environ, ALLOWED)
    with pytest.raises(SourceError, match="may not be read"):
        for_artifacts(registry, uri, environ)
    client = open_registry({**environ, "MLFLOW_REGISTRY_URI": f"{SERVER}/"}, ALLOWED)
    assert client.name == "client"
    for method in (lambda: client.list_artifacts(uri), lambda: client.upload(uri, "x", Path("x"))):
        with pytest.raises(SourceError, match="may not be read"):
            method()


@pytest.mark.parametrize(
    "uri", ["s3://ml/root", "s3://ml/root/1/a", "hdfs://nn:8020/ml/1", f"{ALLOWED[1]}/1/models"]
)
def test_what_is_allowed_is_read_through_mlflows_client(uri: str) -> None:
    environ = {"MLFLOW_TRACKING_URI": SERVER}
    assert for_artifacts(open_registry(environ, ALLOWED), uri, environ).name == "client"


def test_the_line_to_add_names_the_store_and_not_one_run() -> None:
    environ = {"MLFLOW_TRACKING_URI": SERVER}
    run = f"s3://ml/root/3/{'0' * 32}/artifacts"
    for uri in (run, "s3://ml/root/3/models/m-0123456789abcdef/artifacts", f"{run}/model"):
        with pytest.raises(SourceError) as caught:
            for_artifacts(open_registry(environ), uri, environ)
        assert 'sources: {allow: ["s3://ml/root/"]}' in caught.value.hint


def test_a_local_store_keeps_artifacts_beside_itself_and_nowhere_else(
    mlflow_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = {"MLFLOW_TRACKING_URI": mlflow_store.uri}
    registry = open_registry(environ)
    (tmp_path / "link").symlink_to("/etc")
    here = tmp_path / "elsewhere"
    monkeypatch.chdir("/")
    for uri in (str(mlflow_store.artifacts / "0"), mlflow_store.artifacts.as_uri(), str(here)):
        assert registry.reads(uri)
    for uri in (
        *("/etc", "file:///etc", "", "file:", f"file://evil.example{tmp_path}", "file://"),
        *(str(tmp_path / "link"), f"{tmp_path}/../x", f"{tmp_path.as_uri()}/%2e%2e/x"),
        *(str(tmp_path.parent), f"{tmp_path}x", "s3://payroll/2026"),
    ):
        assert not registry.reads(uri), uri


def test_a_store_in_a_home_does_not_open_that_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home / "ann"))
    (home / "ann").mkdir(parents=True)
    roots = Roots.of({"MLFLOW_TRACKING_URI": f"sqlite:///{home}/ann/mlflow.db"})
    assert roots.permit(f"{home}/ann/mlruns/0")
    assert roots.permit(f"{home}/ann/mlartifacts/0")
    assert not roots.permit(f"{home}/ann/.ssh")
    monkeypatch.chdir(home / "ann")
    assert Roots.of({"MLFLOW_TRACKING_URI": "."}).permit(f"{home}/ann/0/artifacts")


@pytest.mark.parametrize("way", ["presigned", "redirect"])
def test_a_server_sends_mlflows_client_to_no_other_host(
    mlflow_server: str, tmp_path: Path, way: str
) -> None:
    """Signed URLs and redirects are how a server could have any host asked, or given evidence."""
    content = Content(uri=mlflow_server)
    logged = content.registered()
    file = tmp_path / "vsa.statement.json"
    file.write_bytes(b"x" * 6_000_000)  # MLflow sends smaller files in one part
    with Proxy(mlflow_server, lambda _number, _request: Answer()) as canary:
        signed = {"url": f"{canary.url}/latest", "headers": {}, "file_size": 3}
        upload = {"upload_id": "u", "credentials": [{"url": f"{canary.url}/put", "part_number": 1}]}
        multipart = {"multipart_downloads_enabled": True, "multipart_uploads_enabled": True}

        def plan(_number: int, request: Request) -> Answer | None:
            if way == "redirect":
                moved = "mlflow-artifacts/artifacts" in request.path
                return Answer(status=307, headers={"Location": canary.url}) if moved else None
            for part, told in (
                ("/server-info", multipart),
                ("/presigned", signed),
                ("/mpu/create", upload),
            ):
                if part in request.path:
                    return Answer(body=json.dumps(told).encode())
            return None

        with Proxy(mlflow_server, plan) as proxy:
            environ = {"MLFLOW_TRACKING_URI": proxy.url, "MLFLOW_REGISTRY_URI": f"{proxy.url}/"}
            registry = open_registry(environ)
            assert registry.name == "client"
            model = registry.logged_model(logged.model_id)
            for act in (
                lambda: registry.download(
                    model.artifact_uri, "MLmodel", tmp_path / "copy", limit=1000
                ),
                lambda: registry.upload(model.artifact_uri, "evidence/x", file),
            ):
                act()  # a redirect is taken for the answer: its bytes are hashed as any others
        assert canary.seen == []


def test_a_trust_file_permits_for_verify(
    mlflow_server: str, payroll: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`verify` downloads the model anew; there is no policy then, but a trust file."""
    version = Content(uri=mlflow_server).version("paid", payroll)
    lab = Lab.make(tmp_path / "lab")
    trust = (
        "apiVersion: aims-gate/v1\nkind: Trust\nkeys:\n"
        f"  - {{person: gate, roles: [gate], public_key: {json.dumps(lab.signer.key.pem)}}}\n"
    )
    asked = Expectation(
        evidence=lab.folder / "none",
        trust=tmp_path / "trust.yaml",
        model=f"models:/paid/{version}",
        environ={"MLFLOW_TRACKING_URI": mlflow_server},
    )
    asked.trust.write_text(trust, encoding="utf-8")
    with pytest.raises(SourceError, match="may not be read"):
        prove(asked, now=NOW)
    asked.trust.write_text(trust + LINE, encoding="utf-8")
    with pytest.raises(GateError, match="evidence") as caught:
        prove(asked, now=NOW)
    assert "may not be read" not in str(caught.value)
    asked.trust.write_text(trust + 'sources: {allow: ["http://evil.example"]}\n', encoding="utf-8")
    with pytest.raises(UsageError, match="is at no place that is read"):
        prove(asked, now=NOW)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git checkout that one stands in."""
    folder = tmp_path / "checkout"
    (folder / "src").mkdir(parents=True)
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    monkeypatch.chdir(folder / "src")
    return folder


def test_a_pull_request_brings_no_operators_file(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "link.yaml").symlink_to(checkout / "operator.yaml")
    (checkout / "operator.yaml").write_text(CONFIG + LINE, encoding="utf-8")
    for named in ("../operator.yaml", str(checkout / "operator.yaml"), str(tmp_path / "link.yaml")):
        with pytest.raises(UsageError, match="lies in the checkout"):
            open_registry({"MLFLOW_TRACKING_URI": SERVER, "AIMS_GATE_CONFIG": named})
    (tmp_path / "elsewhere.yaml").write_text(CONFIG + LINE, encoding="utf-8")
    (checkout / "link.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    (checkout / "folder").symlink_to(tmp_path)
    for named in ("../link.yaml", str(checkout / "folder" / "elsewhere.yaml")):
        with pytest.raises(UsageError, match="lies in the checkout"):
            open_registry({"MLFLOW_TRACKING_URI": SERVER, "AIMS_GATE_CONFIG": named})
    other = checkout / "policies"
    subprocess.run(["git", "init", "--quiet", str(other)], check=True)
    (other / "operator.yaml").write_text(CONFIG + LINE, encoding="utf-8")
    environ = {"MLFLOW_TRACKING_URI": SERVER, "AIMS_GATE_CONFIG": str(other / "operator.yaml")}
    assert for_artifacts(open_registry(environ), PAYROLL, environ).name == "client"


def test_a_pull_request_brings_no_database_in_place_of_the_operators(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path that begins nowhere began in the checkout, which may have a file of that name."""
    (checkout / "src" / "loans.duckdb").write_text("forged", encoding="utf-8")
    (tmp_path / "operator.yaml").write_text(
        f"{CONFIG}connections:\n"
        "  warehouse: {url: 'duckdb://loans.duckdb'}\n"
        "  whole: {url: 'duckdb://${LOANS}'}\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("AIMS_GATE_CONFIG", str(tmp_path / "operator.yaml"))
    with pytest.raises(SourceError, match="is not there"):
        asked("warehouse")
    with duckdb.connect(str(tmp_path / "loans.duckdb")) as database:
        database.execute("create table scored as select 1 as y")
    assert asked("warehouse").table("scored").session.engine.startswith("duckdb")
    monkeypatch.setenv("LOANS", str(tmp_path / "loans.duckdb"))
    assert asked("whole").table("scored").session.engine.startswith("duckdb")


def asked(name: str) -> Connected:
    """The engine behind a connection."""
    found = connection(name, os.environ)
    return connect(found.url, timeout=found.timeout, max_bytes=found.max_bytes)


def test_pyproject_permits_nothing(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (checkout / "pyproject.toml").write_text(
        '[tool.aims-gate]\nsources = {allow = ["s3://payroll/"]}\n', encoding="utf-8"
    )
    assert guarded(["run", "policy.yaml", "--model", "models:/x/1", "--unsigned"]) == 2
    assert "unknown" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (LINE, "lacks 'apiVersion'"),
        (CONFIG + "allow: []\n", "unknown key 'allow'"),
        (CONFIG + "sources: [s3://x]\n", "sources must be a mapping of keys, not a list"),
        (CONFIG + "sources: {allow: [], deny: []}\n", "unknown key 'deny' in sources"),
        (CONFIG + "sources: {allow: [s3]}\n", "is at no place"),
        (CONFIG + "sources: {allow: ['file:///']}\n", "every file of this machine"),
        (CONFIG + "sources: {allow: [7]}\n", "must be text, not the number 7"),
        ("- x\n", "this is no mapping"),
        ("a: *b\n", "alias"),
    ],
)
def test_an_operators_file_that_is_wrong_is_refused(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "operator.yaml").write_text(text, encoding="utf-8")
    environ = {
        "MLFLOW_TRACKING_URI": SERVER,
        "AIMS_GATE_CONFIG": str(tmp_path / "operator.yaml"),
    }
    with pytest.raises(UsageError, match=told):
        open_registry(environ)
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        open_registry({**environ, "AIMS_GATE_CONFIG": str(tmp_path / "none.yaml")})
