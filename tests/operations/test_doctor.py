"""`doctor`: what can be wrong is found, and nothing is changed or given away."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aims_gate.__main__ import guarded
from aims_gate.attest import keys
from aims_gate.operations.doctor import libraries
from aims_gate.operations.doctor import mlflow as doctor_mlflow
from aims_gate.operations.doctor.examine import examine
from aims_gate.operations.doctor.finding import Finding, Setup, State
from aims_gate.registry import http
from tests.conftest import Store
from tests.support.proxy import Answer, Plan, Proxy, Request
from tests.support.registry_content import Content
from tests.support.servers import Server

NOW = datetime(2027, 1, 15, tzinfo=UTC)
POLICY = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: p, version: "1.0.0", expires: 2027-02-01}
rules: [{id: INTEG-01, check: integrity.model}]
"""
SECRET = "hunter2-secret"


def look(environ: Mapping[str, str], **more: object) -> list[Finding]:
    return list(examine(Setup(environ=environ, now=NOW, **{"policy": "policy.yaml", **more})))  # type: ignore[arg-type]  # by name


def one(findings: list[Finding], name: str, state: State) -> Finding:
    found = [finding for finding in findings if (finding.name, finding.state) == (name, state)]
    assert len(found) == 1, findings
    assert found[0].todo or state is State.OK, "a warning says what to do next"
    return found[0]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in which one stands."""
    place = tmp_path / "place"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


@pytest.fixture
def own_server(tmp_path: Path, empty_store: Path) -> Iterator[str]:
    """A server that no other test writes to: all that changes on it, the doctor changed."""
    server = Server(folder=tmp_path / "own", store=empty_store)
    try:
        server.start()
        yield server.url
    finally:
        server.kill()


def held(content: Content) -> tuple[set[str], set[str]]:
    """All experiments and runs of a server."""
    experiments = content.client.search_experiments()
    runs = content.client.search_runs([e.experiment_id for e in experiments])
    return {e.name for e in experiments}, {run.info.run_id for run in runs}


@pytest.mark.server
def test_a_real_server(own_server: str) -> None:
    """Reached over REST: version, registry, proxied artifacts, permission, a model; none written.

    Whether evidence may be published is asked with and without the experiment it goes to.
    """
    content = Content(uri=own_server)
    logged = content.registered("doctor")
    for make in (lambda: None, lambda: content.client.create_experiment("aims-gate")):
        make()
        before = held(content)
        findings = look({"MLFLOW_TRACKING_URI": own_server}, model=logged.uri)
        assert "over REST, MLflow 3." in one(findings, "server", State.OK).what
        one(findings, "registry", State.OK)
        assert "the server hands out" in one(findings, "artifacts", State.OK).what
        one(findings, "publishing", State.OK)
        assert logged.run_id in one(findings, "model", State.OK).what
        assert held(content) == before


def answering(status: int, part: str) -> Plan:
    def plan(_number: int, request: Request) -> Answer | None:
        return Answer(status=status) if part in request.path else None

    return plan


@pytest.mark.server
@pytest.mark.parametrize(
    ("part", "status", "name", "state"),
    [
        ("create", 403, "publishing", State.FAIL),
        ("create", 401, "publishing", State.FAIL),
        ("create", 418, "publishing", State.WARN),
        ("create", 200, "publishing", State.WARN),
        ("/version", 404, "server", State.WARN),
        ("registered-models", 403, "server", State.FAIL),
        ("experiments/search", 403, "server", State.FAIL),
    ],
)
def test_a_server_that_refuses(
    mlflow_server: str, part: str, status: int, name: str, state: State
) -> None:
    """A real server that says no on the way: each no is a finding, and none is taken for a yes."""
    with Proxy(mlflow_server, answering(status, part)) as proxy:
        one(look({"MLFLOW_TRACKING_URI": proxy.url}), name, state)


@pytest.mark.server
def test_artifacts_that_the_server_does_not_hand_out(mlflow_server: str, folder: Path) -> None:
    """A store that the policy names is a warning, for its credentials; any other is a failure."""
    (folder / "policy.yaml").write_text(
        'apiVersion: aims-gate/v1\nkind: Policy\nmetadata: {id: p, version: "1"}\n'
        'sources: {allow: ["s3://bucket/"]}\nrules: [{id: I-1, check: integrity.model}]\n',
        encoding="utf-8",
    )
    roots = ("s3://bucket/x", State.WARN), ("s3://payroll/x", State.FAIL), ("/etc", State.FAIL)
    for root, state in roots:
        body = f'{{"experiments": [{{"artifact_location": "{root}"}}]}}'.encode()

        def plan(_n: int, request: Request, body: bytes = body) -> Answer | None:
            return Answer(body=body) if "experiments/search" in request.path else None

        with Proxy(mlflow_server, plan) as proxy:
            findings = look({"MLFLOW_TRACKING_URI": proxy.url})
            one(findings, "artifacts" if state is State.WARN else "server", state)


def test_nobody_answers() -> None:
    """A server that is down fails once, with what to do."""
    findings = look({"MLFLOW_TRACKING_URI": f"http://me:{SECRET}@127.0.0.1:9"})
    assert "cannot reach MLflow" in one(findings, "server", State.FAIL).what
    assert "holds a user name" in one(findings, "address", State.WARN).what
    assert SECRET not in str(findings)


def test_no_address_is_a_failure() -> None:
    """Without an address MLflow would make a store of its own, so that is a failure."""
    findings = look({})
    one(findings, "address", State.FAIL)
    assert not [finding for finding in findings if finding.name == "server"]


def test_a_local_store_is_read_and_not_touched(mlflow_store: Store) -> None:
    """A sqlite store is reached through MLflow's client and stays byte for byte."""
    path = Path(mlflow_store.uri.removeprefix("sqlite:///"))
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    findings = look({"MLFLOW_TRACKING_URI": mlflow_store.uri})
    assert "through MLflow's client" in one(findings, "server", State.OK).what
    one(findings, "registry", State.WARN)
    one(findings, "publishing", State.OK)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before


def test_a_store_that_is_not_there_is_not_made(folder: Path) -> None:
    """MLflow would make an empty database; the doctor says that there is none."""
    findings = look({"MLFLOW_TRACKING_URI": "sqlite:///none.db"})
    assert "no such MLflow store" in one(findings, "server", State.FAIL).what
    assert not (folder / "none.db").exists()


def test_a_broken_store_fails_without_its_message(folder: Path) -> None:
    """What a store's library raises is named by type only: its text may hold a password."""
    (folder / "broken.db").write_bytes(b"no database" * 100)
    finding = one(look({"MLFLOW_TRACKING_URI": "sqlite:///broken.db"}), "server", State.FAIL)
    assert "was raised" in finding.what or "MLflow" in finding.what


@pytest.mark.parametrize(
    ("environ", "state", "told"),
    [
        ({}, State.OK, "no variable is set"),
        ({"MLFLOW_TRACKING_TOKEN": SECRET}, State.OK, "MLFLOW_TRACKING_TOKEN"),
        ({"MLFLOW_TRACKING_USERNAME": "me"}, State.WARN, "MLFLOW_TRACKING_USERNAME"),
        (
            {
                "MLFLOW_TRACKING_USERNAME": "me",
                "MLFLOW_TRACKING_PASSWORD": SECRET,
                "MLFLOW_TRACKING_TOKEN": SECRET,
            },
            State.WARN,
            "MLFLOW_TRACKING_TOKEN",
        ),
        (
            {"MLFLOW_TRACKING_TOKEN": SECRET, "MLFLOW_TRACKING_URI": "http://mlflow.invalid"},
            State.WARN,
            "MLFLOW_TRACKING_TOKEN",
        ),
        ({"AWS_SECRET_ACCESS_KEY": SECRET}, State.OK, "AWS_SECRET_ACCESS_KEY"),
    ],
)
def test_credentials_are_named_and_never_shown(
    environ: dict[str, str], state: State, told: str
) -> None:
    """Which variables are set is told, their values nowhere."""
    setup = Setup(environ=environ, now=NOW, policy="policy.yaml")
    findings = list(dict(doctor_mlflow.LOOKS)["credentials"](setup))
    assert told in one(findings, "credentials", state).what
    assert SECRET not in str(findings)


@pytest.fixture
def asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that nobody listens at is not tried again, which takes a second each time."""
    monkeypatch.setattr(http, "ATTEMPTS", 1)


@pytest.mark.usefixtures("asked_once")
def test_proxies_and_certificates(folder: Path) -> None:
    """A proxy before this machine's own address, a lost CA file and no checking at all are told."""
    server = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9"}
    proxied = {**server, "HTTP_PROXY": f"http://u:{SECRET}@127.0.0.1:9"}
    findings = look(proxied)
    one(findings, "proxies", State.WARN)
    assert SECRET not in str(findings)
    assert "directly" in one(look({**proxied, "NO_PROXY": "127.0.0.1"}), "proxies", State.OK).what
    one(look({**server, "REQUESTS_CA_BUNDLE": "/no/such.pem"}), "certificates", State.FAIL)
    one(look({**server, "MLFLOW_TRACKING_INSECURE_TLS": "true"}), "certificates", State.WARN)
    (folder / "ca.pem").touch()
    one(look({**server, "REQUESTS_CA_BUNDLE": "ca.pem"}), "certificates", State.OK)


def test_key_and_trust(folder: Path) -> None:
    """A key signs and is trusted; one that others can read, or nobody trusts, is told."""
    one(look({}), "key", State.WARN)
    public = keys.generate(folder / "gate.key", password=None)
    assert public.fingerprint in one(look({}, key="gate.key"), "key", State.OK).what
    (folder / "gate.key").chmod(0o644)
    assert "chmod 600" in one(look({}, key="gate.key"), "key", State.WARN).todo
    (folder / "gate.key").chmod(0o600)
    keys.generate(folder / "other.key", password=None)
    trust = "apiVersion: aims-gate/v1\nkind: Trust\nkeys:\n"
    trust += "  - {person: a@example.org, public_key: other.key.pub, roles: [gate]}\n"
    (folder / "trust.yaml").write_text(trust, encoding="utf-8")
    findings = look({}, key="gate.key")
    assert "is not in trust.yaml" in one(findings, "key", State.WARN).what
    assert "1 key" in one(findings, "trust", State.OK).what
    trusted = [f.what for f in look({}, key="other.key") if f.name == "key"]
    assert "trusted as a@example.org" in trusted
    one(look({"AIMS_GATE_SIGNING_KEY": SECRET}), "key", State.FAIL)
    assert SECRET not in str(look({"AIMS_GATE_SIGNING_KEY": SECRET}))
    one(look({}, key="lost.key"), "key", State.FAIL)
    (folder / "trust.yaml").write_text("kind: Trust\n", encoding="utf-8")
    one(look({}), "trust", State.FAIL)


def test_policies(folder: Path) -> None:
    """None yet is a warning; named and lost, unsound or expired is a failure."""
    assert "aims-gate init" in one(look({}), "policy", State.WARN).todo
    one(look({}, policy_named=True), "policy", State.FAIL)
    path = folder / "policy.yaml"
    path.write_text(POLICY, encoding="utf-8")
    assert "expires in 17 days" in one(look({}), "policy", State.WARN).what
    path.write_text(POLICY.replace("2027-02-01", "2027-01-15"), encoding="utf-8")
    one(look({}), "policy", State.FAIL)
    path.write_text(POLICY.replace("integrity.model", "integrity.modl"), encoding="utf-8")
    assert "integrity.modl" in one(look({}), "policy", State.FAIL).what
    one(look({}, policy="pack:release@1.0.0"), "policy", State.OK)


def test_connections_that_the_policy_names(folder: Path, tmp_path: Path) -> None:
    """One that the operator did not write down fails before a run finds out; none is opened."""
    told = POLICY.replace("rules:", "data: {current: {table: t, connection: lake}}\nrules:")
    (folder / "policy.yaml").write_text(told, encoding="utf-8")
    assert "AIMS_GATE_CONFIG" in one(look({}), "connection", State.FAIL).todo
    config = tmp_path / "operator.yaml"
    text = "apiVersion: aims-gate/v1\nkind: Config\nconnections: {lake: {url: '%s'}}\n"
    config.write_text(text % "duckdb://${FILE}", encoding="utf-8")
    environ = {"AIMS_GATE_CONFIG": str(config)}
    assert "FILE, which is not set" in one(look(environ), "connection", State.FAIL).what
    found = one(look({**environ, "FILE": SECRET}), "connection", State.OK)
    assert found.what == "the operator's file has lake"
    (folder / "policy.yaml").write_text(POLICY, encoding="utf-8")
    assert not [finding for finding in look({}) if finding.name == "connection"]


def test_extras(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is lacking is told with its install line; bounds are held, unneeded extras are fine."""
    wanted = [
        "click>=8.1",
        "mlflow>=2.14 ; extra == 'gate'",
        "pandas<1,>=0.5 ; extra == 'gate'",
        "no-such-library ; extra == 'serve'",
        "no-such-library ; extra == 'ssh'",
        "no-such-library ; extra == 'all'",
    ]
    monkeypatch.setattr(importlib.metadata, "requires", lambda _name: wanted)
    findings = look({})
    gate = one(findings, "extra gate", State.WARN)
    installed = importlib.metadata.version
    assert f"mlflow {installed('mlflow')}" in gate.what, "what is there is told, too"
    assert f"pandas {installed('pandas')} is not <1,>=0.5" in gate.what
    assert gate.todo == "pip install 'aims-gate[gate]'"
    assert "nothing in this version needs it" in one(findings, "extra serve", State.OK).what
    assert "it adds encrypted OpenSSH keys" in one(findings, "extra ssh", State.OK).what
    one(findings, "libraries", State.OK)
    monkeypatch.setattr(importlib.metadata, "requires", lambda _name: ["click>=99"])
    one(look({}), "libraries", State.FAIL)


@pytest.mark.parametrize(
    ("version", "operator", "bound", "holds"),
    [
        ("2.14.0", ">=", "2.14", True),
        ("2.9", ">=", "2.14", False),
        ("3", "<", "3", False),
        ("3.0.0rc1", ">=", "3.1", False),
        ("2.3.3+local.9", "<", "3", True),
        ("10.0", ">", "9.9", True),
        ("1.2.3", "==", "1.2", True),
        ("1.2", "<=", "1.2", True),
    ],
)
def test_versions_are_compared_as_numbers(
    version: str, operator: str, bound: str, *, holds: bool
) -> None:
    """2.9 is older than 2.14, and 10 newer than 9."""
    assert libraries._holds(version, operator, bound) is holds


@pytest.mark.usefixtures("asked_once")
def test_the_command_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A table with what to do next; exit 3 if something fails, 0 if not; defaults are used."""
    for name in [name for name in os.environ if name.startswith(("MLFLOW_", "AIMS_GATE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    assert guarded(["doctor"]) == 3
    table = capsys.readouterr().out
    assert "-> is the server running" in table
    (folder / "pyproject.toml").write_text(
        '[tool.aims-gate]\npolicy = "lost.yaml"\n', encoding="utf-8"
    )
    assert guarded(["doctor"]) == 3
    captured = capsys.readouterr()
    assert "policy = lost.yaml" in captured.err
    assert "fail  policy" in captured.out


def test_the_command_line_on_a_store_that_works(
    mlflow_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Warnings alone do not fail."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_store.uri)
    assert guarded(["doctor", "pack:release@1.0.0"]) == 0
