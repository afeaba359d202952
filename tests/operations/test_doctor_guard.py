"""`aims-gate registry doctor`: what of the guard is open, and what to do about it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from aims_gate.__main__ import guarded
from aims_gate.operations.doctor.examine import REGISTRY, examine
from aims_gate.operations.doctor.finding import Finding, Setup, State
from tests.evidence.test_exceptions import OFFICER, adopt, order
from tests.support.proofs import NOW, new_signer

HEAD = "apiVersion: aims-gate/v1\nkind: "
GOOD = {
    "MLFLOW_REGISTRY_STORE_URI": "aims-gate+postgresql://db/mlflow",
    "MLFLOW_ARTIFACTS_DESTINATION": "aims-gate+s3://bucket/mlflow",
    "MLFLOW_ALLOW_MODEL_CODE_EXECUTION": "false",
}
TRUSTED = f"""{HEAD}Trust
keys:
- {{person: gate, public_key: {json.dumps(new_signer().key.pem)}, roles: [gate]}}
- {{person: ana, public_key: {json.dumps(OFFICER.key.pem)}, roles: [approver]}}
servers: {{prod: [https://mlflow.example]}}
"""


def _setup(
    folder: Path, environ: Mapping[str, str], *, registry: str = "", trust: str = ""
) -> Setup:
    models = registry or "identity: [bot]\nmodels: [{pattern: 'credit-*', mode: enforce}]\n"
    text = f"{HEAD}Registry\ntrust: trust.yaml\n{models}"
    (folder / "registry.yaml").write_text(text, encoding="utf-8")
    (folder / "trust.yaml").write_text(trust or TRUSTED, encoding="utf-8")
    path = folder / "registry.yaml"
    return Setup(environ=environ, now=NOW, policy="", registry=path)


def _look(folder: Path, environ: Mapping[str, str] = GOOD, **files: str) -> tuple[Finding, ...]:
    return examine(_setup(folder, environ, **files), REGISTRY)


def _of(findings: tuple[Finding, ...], name: str) -> list[tuple[State, str]]:
    return [(one.state, f"{one.what} {one.todo}") for one in findings if one.name == name]


def test_a_good_set_up_has_nothing_to_do_and_is_told_what_goes_past_the_guard(
    tmp_path: Path,
) -> None:
    found = _look(tmp_path)
    assert {one.state for one in found} == {State.OK}
    (told,) = _of(found, "bypasses")
    assert "mlflow gc" in told[1]
    assert ("server name", "evidence must be of prod") in [(one.name, one.what) for one in found]


def test_a_file_that_only_observes_is_said_to_refuse_nothing(tmp_path: Path) -> None:
    found = _look(tmp_path, registry="models: [{pattern: '*'}, {pattern: 'a*', mode: enforce}]\n")
    (state, what), (second, clash) = _of(found, "registry file") + _of(found, "patterns")
    assert (state, second) == (State.WARN, State.WARN)
    assert "1 enforced; registry.yaml:4 observes" in what
    assert "'a*' fits names that '*' (registry.yaml:4, observe) takes first" in clash
    assert "identity names nobody" in _of(found, "identity")[0][1]


@pytest.mark.parametrize(
    ("trust", "told"),
    [
        (f"{HEAD}Trust\nkeys: []\n", "trusts nobody: nothing can be proven"),
        (TRUSTED.replace("[approver]", "[records]"), "has no approver: nobody can adopt"),
    ],
)
def test_a_trust_file_by_which_nothing_goes_is_named(tmp_path: Path, trust: str, told: str) -> None:
    ((state, what),) = _of(_look(tmp_path, trust=trust), "guard trust")
    assert state is State.WARN
    assert told in what


@pytest.mark.parametrize(
    ("server", "trust", "state", "told"),
    [
        ("server: lab\n", TRUSTED, State.FAIL, "server: lab is not under servers"),
        ("", TRUSTED.partition("servers")[0], State.WARN, "the server has no name"),
        ("server: prod\n", TRUSTED, State.OK, "evidence must be of prod"),
    ],
)
def test_the_name_of_the_server_is_looked_up(
    tmp_path: Path, server: str, trust: str, state: State, told: str
) -> None:
    text = f"{server}models: [{{pattern: a, mode: enforce}}]\n"
    ((found, what),) = _of(_look(tmp_path, registry=text, trust=trust), "server name")
    assert found is state
    assert told in what


@pytest.mark.parametrize(
    ("change", "name", "state", "told"),
    [
        ({"MLFLOW_ARTIFACTS_DESTINATION": "s3://b"}, "plug points", State.FAIL, "can be replaced"),
        ({"MLFLOW_REGISTRY_STORE_URI": "sqlite:///a"}, "plug points", State.FAIL, "not guarded"),
        ({"MLFLOW_DEFAULT_ARTIFACT_ROOT": "s3://b"}, "plug points", State.WARN, "past the server"),
        ({"MLFLOW_ARTIFACTS_PRESIGNED_ONLY": "true"}, "presigned", State.WARN, "past the server"),
        ({"MLFLOW_ALLOW_MODEL_CODE_EXECUTION": ""}, "model code", State.WARN, "code that runs"),
        (
            {"MLFLOW_WORKERS": "2", "MLFLOW_REGISTRY_STORE_URI": "aims-gate+sqlite:///a"},
            *("workers", State.OK, "one lock on this machine only"),
        ),
    ],
)
def test_each_open_setting_of_the_server_is_named(
    tmp_path: Path, change: dict[str, str], name: str, state: State, told: str
) -> None:
    found = _look(tmp_path, {**GOOD, **change})
    assert any(one is state and told in what for one, what in _of(found, name))


def test_what_the_guard_believes_may_not_lie_among_artifacts(tmp_path: Path) -> None:
    """A PUT of `trust.yaml` would decide whose signatures count."""
    for place, failed in ((tmp_path, 2), (tmp_path / "artifacts", 0)):
        environ = {**GOOD, "MLFLOW_ARTIFACTS_DESTINATION": f"aims-gate+file://{place}"}
        found = _of(_look(tmp_path, environ), "plug points")
        assert [state for state, _what in found].count(State.FAIL) == failed


def test_without_the_servers_variables_it_says_what_it_does_not_see(tmp_path: Path) -> None:
    ((state, what),) = _of(_look(tmp_path, {}), "plug points")
    assert state is State.WARN
    assert "options are not seen" in what


def test_what_is_served_without_evidence_is_shown_with_its_end(tmp_path: Path) -> None:
    trust = TRUSTED
    adopt(tmp_path, until=NOW + timedelta(days=7))
    adopt(tmp_path, until=NOW + timedelta(days=90))
    adopt(tmp_path, signer=new_signer())
    order(tmp_path, server="prod")
    found = _look(tmp_path, trust=trust)
    adopted = _of(found, "adopted")
    assert [state for state, _what in adopted] == [State.WARN, State.OK, State.WARN]
    assert "1 version may stay until 2026-11-30 run the gate on them" in adopted[0][1]
    assert "not trusted" in adopted[2][1]
    assert "BRK-1 holds until 2026-11-24T12:00Z" in _of(found, "break-glass")[0][1]
    broken = tmp_path / "breakglass" / "b.dsse.json"
    broken.write_text("{}", encoding="utf-8")
    assert "b.dsse.json" in _of(_look(tmp_path, trust=trust), "break-glass")[0][1]


def test_what_was_refused_is_counted_and_what_would_have_been(tmp_path: Path) -> None:
    """Lines that no guard wrote count for nothing."""
    line = {"at": "2026-11-01T00:00:00Z", "enforced": False, "user": None, "why": "no evidence"}
    told = [json.dumps({**line, "what": f"alias on {one}"}) for one in ("a", "a", "b\x1b[31m")]
    told += [json.dumps({**line, "enforced": True, "what": "to delete c"}), "{", "[]", "{}"]
    told += [json.dumps({**line, "what": "d", "why": "not proven, and let through: BRK-1"})]
    journal = tmp_path / "registry.yaml.refusals.jsonl"
    journal.write_text("\n".join(told), encoding="utf-8")
    let, enforced, observed = _of(_look(tmp_path), "journal")
    assert let == (
        State.WARN,
        (
            "1 write let through since 2026-11-01T00:00:00Z: 1 time d "
            "judge these before their adoption or their break-glass order ends"
        ),
    )
    assert observed[0] is State.WARN
    since = "would have been refused since 2026-11-01T00:00:00Z"
    assert f"3 writes {since}: 2 times alias" in observed[1]
    assert "\x1b" not in observed[1]
    assert enforced[0] is State.OK
    assert "1 write refused since 2026-11-01T00:00:00Z: 1 time to delete c" in enforced[1]


def test_what_was_adopted_since_is_not_said_to_need_it(tmp_path: Path) -> None:
    """Of an adopted version what it was adopted with, and only before: later it was other bytes."""
    adopt(tmp_path)
    moves = {
        "alias 'champion' on version 7 of 'credit'": (
            "2026-11-01T00:00:00Z",
            "2027-01-01T00:00:00Z",
        ),
        "alias 'champion' on version 8 of 'credit'": ("2026-11-01T00:00:00Z",),
    }
    told = [
        json.dumps({"at": at, "enforced": False, "what": what, "why": "no evidence"})
        for what, times in moves.items()
        for at in times
    ]
    journal = tmp_path / "registry.yaml.refusals.jsonl"
    journal.write_text("\n".join(told), encoding="utf-8")
    ((_state, said),) = _of(_look(tmp_path), "journal")
    assert "2 writes would have been refused since 2026-11-01" in said
    assert "1 time alias 'champion' on version 7" in said
    journal.write_text(told[0], encoding="utf-8")
    assert _of(_look(tmp_path), "journal") == []


@pytest.mark.server
def test_a_server_that_asks_nobody_is_said_to(tmp_path: Path, mlflow_server: str) -> None:
    environ = {**GOOD, "MLFLOW_TRACKING_URI": mlflow_server}
    ((state, what),) = _of(_look(tmp_path, environ), "authentication")
    assert state is State.WARN
    assert "strangers are answered 200" in what


class _Unavailable(BaseHTTPRequestHandler):
    """A server without aims-gate: it refuses the address of its own registry."""

    def do_GET(self) -> None:
        self.send_error(400, "got unsupported URI 'aims-gate+sqlite:///mlflow.db'")


def test_a_server_that_cannot_open_its_registry_or_is_away_is_a_failure(tmp_path: Path) -> None:
    """Neither is a server that asks nobody who they are."""
    with HTTPServer(("127.0.0.1", 0), _Unavailable) as server:
        environ = {**GOOD, "MLFLOW_TRACKING_URI": f"http://127.0.0.1:{server.server_port}"}
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            (broken,) = _of(_look(tmp_path, environ), "authentication")
        finally:
            server.shutdown()
            thread.join()
    (away,) = _of(_look(tmp_path, environ), "authentication")
    assert (broken[0], away[0]) == (State.FAIL, State.FAIL)
    assert "answers 400" in broken[1]
    assert "cannot reach MLflow" in away[1]


def test_the_command_exits_by_what_it_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a registry file, and with one; an unset server is no failure of the guard's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert guarded(["registry", "doctor"]) == 3
    assert "fail  registry file" in capsys.readouterr().out
    _setup(tmp_path, {})
    assert guarded(["registry", "doctor"]) == 0
    told = capsys.readouterr().out
    assert "ok    registry file" in told
    assert "looked at: 0 fail" in told
    assert datetime.now(UTC) > NOW
