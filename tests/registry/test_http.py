"""The REST registry against a real server behind a proxy that fails on demand."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aims_gate.errors import SourceError, UsageError
from aims_gate.registry import http
from aims_gate.registry.contract import NotFoundError
from aims_gate.registry.http import Connection
from aims_gate.registry.rest import RestRegistry
from tests.support.proxy import Answer, Proxy, Request
from tests.support.registry_content import Content
from tests.support.servers import free_port

RUN = "/api/2.0/mlflow/runs/get"


def no_wait(_seconds: float) -> None:
    """Retry at once."""


def connect(uri: str, **environ: str) -> Connection:
    return Connection(uri, environ, sleep=no_wait)


def always(answer: Answer) -> Callable[[int, Request], Answer]:
    return lambda _number, _request: answer


def first(count: int, answer: Answer) -> Callable[[int, Request], Answer | None]:
    return lambda number, _request: answer if number < count else None


@pytest.mark.parametrize("answer", [Answer(status=0), Answer(status=503), Answer(status=429)])
def test_a_read_is_tried_three_times(mlflow_server: str, answer: Answer) -> None:
    run_id = Content(uri=mlflow_server).run()
    with Proxy(mlflow_server, first(2, answer)) as proxy:
        got = connect(proxy.url).json("GET", "mlflow/runs/get", params={"run_id": run_id})
    assert got["run"]["info"]["run_id"] == run_id
    with Proxy(mlflow_server, always(answer)) as proxy:
        with pytest.raises(SourceError):
            connect(proxy.url).json("GET", "mlflow/runs/get", params={"run_id": run_id})
        assert len(proxy.seen) == 3


def test_a_write_is_never_repeated(mlflow_server: str) -> None:
    """A run that was made although its answer got lost would otherwise be made twice."""
    with Proxy(mlflow_server, always(Answer(status=503))) as proxy:
        with pytest.raises(SourceError, match="503"):
            RestRegistry(proxy.url, {}).link_model("r", "m-1")
        assert len(proxy.seen) == 1


def test_retry_after_is_waited_for_within_a_bound(mlflow_server: str) -> None:
    waits: list[float] = []
    busy = [
        Answer(status=429, headers={"Retry-After": "3"}),
        Answer(status=503, headers={"Retry-After": "9999"}),
    ]
    with (
        Proxy(
            mlflow_server, lambda number, _request: busy[number] if number < 2 else None
        ) as proxy,
        pytest.raises(NotFoundError),
    ):
        Connection(proxy.url, {}, sleep=waits.append).json(
            "GET", "mlflow/runs/get", params={"run_id": "0"}
        )
    assert waits == [3.0, 10.0]


def test_no_server_is_a_source_error_with_a_hint() -> None:
    with pytest.raises(SourceError, match="cannot reach MLflow: no connection") as caught:
        connect(f"http://user:secret@127.0.0.1:{free_port()}").json("GET", "mlflow/runs/get")
    assert caught.value.exit_code == 3
    assert "secret" not in str(caught.value)
    assert "MLFLOW_TRACKING_URI" in caught.value.hint


def test_a_slow_server_is_given_up_after_the_time_limit(mlflow_server: str) -> None:
    """It answers when it has been given up, and not before."""
    given_up = threading.Event()

    def slow(_number: int, _request: Request) -> Answer:
        given_up.wait(60)
        return Answer()

    with Proxy(mlflow_server, slow) as proxy:
        with pytest.raises(SourceError, match="no answer within 1 s"):
            connect(proxy.url, MLFLOW_HTTP_REQUEST_TIMEOUT="1").json(
                "POST", "mlflow/runs/create", body={}, read=False
            )
        given_up.set()


@pytest.mark.parametrize("text", ["0", "-1", "soon", "1e3"])
def test_a_time_limit_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="MLFLOW_HTTP_REQUEST_TIMEOUT"):
        connect("http://127.0.0.1:9", MLFLOW_HTTP_REQUEST_TIMEOUT=text)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_says_which_variables_to_set(mlflow_server: str, status: int) -> None:
    body = json.dumps({"error_code": "PERMISSION_DENIED", "message": "no\n::error::x"}).encode()
    with Proxy(mlflow_server, always(Answer(status=status, body=body))) as proxy:
        with pytest.raises(
            SourceError, match=f"MLflow refused with {status}: no ::error::x"
        ) as caught:
            connect(proxy.url).json("GET", "mlflow/runs/get")
        assert len(proxy.seen) == 1
    assert "MLFLOW_TRACKING_TOKEN" in caught.value.hint


@pytest.mark.parametrize(
    ("environ", "uri_user", "header"),
    [
        ({"MLFLOW_TRACKING_USERNAME": "u", "MLFLOW_TRACKING_PASSWORD": "p"}, "", "Basic dTpw"),
        ({"MLFLOW_TRACKING_TOKEN": "t0"}, "", "Bearer t0"),
        (
            {
                "MLFLOW_TRACKING_USERNAME": "u",
                "MLFLOW_TRACKING_PASSWORD": "p",
                "MLFLOW_TRACKING_TOKEN": "t",
            },
            "x:y@",
            "Basic dTpw",
        ),
        ({}, "u:p@", "Basic dTpw"),
        ({}, "u:%40@", "Basic dTpA"),
        ({}, "", None),
    ],
)
def test_credentials_come_from_mlflows_variables_then_the_uri(
    mlflow_server: str, environ: dict[str, str], uri_user: str, header: str | None
) -> None:
    with Proxy(mlflow_server, always(Answer())) as proxy:
        connect(proxy.url.replace("//", f"//{uri_user}"), **environ).json("GET", "mlflow/runs/get")
    assert proxy.seen[0].headers.get("Authorization") == header


def test_credentials_of_netrc_are_not_used(
    mlflow_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password person\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with Proxy(mlflow_server, always(Answer())) as proxy:
        connect(proxy.url).json("GET", "mlflow/runs/get")
    assert "Authorization" not in proxy.seen[0].headers


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed_and_credentials_stay(mlflow_server: str, status: int) -> None:
    with Proxy(mlflow_server, always(Answer())) as elsewhere:
        moved = Answer(status=status, headers={"Location": f"{elsewhere.url}/x?token=t"})
        with (
            Proxy(mlflow_server, always(moved)) as proxy,
            pytest.raises(SourceError, match="redirects to") as caught,
        ):
            connect(proxy.url, MLFLOW_TRACKING_TOKEN="t0").json("GET", "mlflow/runs/get")
        assert elsewhere.seen == []
    assert "token=t" not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>hello</html>",
        b"[]",
        b"null",
        b'{"a": 1, "a": 2}',
        b'{"a": NaN}',
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_an_answer_that_is_no_json_object_is_refused(mlflow_server: str, body: bytes) -> None:
    with (
        Proxy(mlflow_server, always(Answer(body=body))) as proxy,
        pytest.raises(SourceError, match="not MLflow's JSON"),
    ):
        connect(proxy.url).json("GET", "mlflow/runs/get")


@pytest.mark.parametrize(
    "run",
    [
        {},
        {"run": []},
        {"run": {"info": {"run_id": ["x"]}}},
        {"run": {"info": {"run_id": ""}}},
        {"run": {"info": {"run_id": "r", "start_time": 10**30}}},
        {"run": {"info": {"run_id": "r"}, "data": {"metrics": [{"key": "a", "value": "much"}]}}},
        {"run": {"info": {"run_id": "r"}, "data": {"tags": "x"}}},
    ],
)
def test_an_answer_of_another_shape_is_a_source_error(
    mlflow_server: str, run: dict[str, Any]
) -> None:
    with (
        Proxy(mlflow_server, always(Answer(body=json.dumps(run).encode()))) as proxy,
        pytest.raises(SourceError, match="lacks something or has another shape"),
    ):
        RestRegistry(proxy.url, {}).run("r")


def test_numbers_may_arrive_as_text(mlflow_server: str) -> None:
    """Some servers write 64-bit integers as strings, and protobuf writes NaN and Infinity so."""
    run = {
        "info": {"run_id": "r", "status": "FINISHED", "start_time": "1700000000000", "end_time": 0},
        "data": {"metrics": [{"key": "a", "value": "Infinity"}, {"key": "b"}]},
    }
    with Proxy(mlflow_server, always(Answer(body=json.dumps({"run": run}).encode()))) as proxy:
        got = RestRegistry(proxy.url, {}).run("r")
    assert got.started is not None
    assert got.started.timestamp() == 1_700_000_000
    assert got.ended is None
    assert got.metrics == {"a": float("inf"), "b": 0.0}


def test_a_history_is_read_page_by_page_and_must_end(
    mlflow_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def page(number: int, _request: Request) -> Answer:
        points = [{"key": "a", "value": number, "timestamp": 1, "step": str(number)}]
        return Answer(body=json.dumps({"metrics": points, "next_page_token": "t"}).encode())

    monkeypatch.setattr("aims_gate.registry.rest.MAX_PAGES", 3)
    with Proxy(mlflow_server, page) as proxy:
        with pytest.raises(SourceError, match="too many points"):
            RestRegistry(proxy.url, {}).metric_history("r", "a")
        assert ["page_token=t" in request.path for request in proxy.seen] == [False, True, True]

    def last(number: int, request: Request) -> Answer:
        answer = page(number, request)
        return answer if number == 0 else Answer(body=answer.body.replace(b'"t"', b'""'))

    with Proxy(mlflow_server, last) as proxy:
        points = RestRegistry(proxy.url, {}).metric_history("r", "a")
    assert [point.value for point in points] == [0.0, 1.0]


def test_an_endless_answer_is_cut(mlflow_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_ANSWER", 1000)
    with (
        Proxy(mlflow_server, always(Answer(body=b" " * 2000))) as proxy,
        pytest.raises(SourceError, match="more than 1,000 bytes"),
    ):
        connect(proxy.url).json("GET", "mlflow/runs/get")


def test_a_download_that_ends_early_is_not_taken_for_whole(
    mlflow_server: str, tmp_path: Path
) -> None:
    short = Answer(body=b"abc", headers={"Content-Length": "10"})

    def cut(_number: int, _request: Request) -> Answer:
        return short

    with Proxy(mlflow_server, cut) as proxy:
        with pytest.raises(SourceError):
            Connection(proxy.url, {"MLFLOW_HTTP_REQUEST_TIMEOUT": "1"}, sleep=no_wait).download(
                "mlflow-artifacts/artifacts/x", tmp_path / "x", limit=100
            )
        assert len(proxy.seen) == 3


def test_a_download_is_repeated_from_its_beginning(mlflow_server: str, tmp_path: Path) -> None:
    content = Content(uri=mlflow_server)
    run_id = content.run()
    content.artifact(run_id, "d/x.bin", b"0123456789")
    uri = RestRegistry(mlflow_server, {}).run(run_id).artifact_uri
    path = f"mlflow-artifacts/artifacts/{uri.removeprefix('mlflow-artifacts:/')}/d/x.bin"
    with Proxy(mlflow_server, first(2, Answer(status=502))) as proxy:
        assert connect(proxy.url).download(path, tmp_path / "x", limit=10) == 10
    assert (tmp_path / "x").read_bytes() == b"0123456789"


def test_contradicting_or_missing_tls_settings_are_refused(tmp_path: Path) -> None:
    certificate = tmp_path / "ca.pem"
    with pytest.raises(UsageError, match="names no file"):
        connect("https://127.0.0.1:9", MLFLOW_TRACKING_SERVER_CERT_PATH=str(certificate))
    certificate.write_text("x")
    with pytest.raises(UsageError, match="both set"):
        connect(
            "https://127.0.0.1:9",
            MLFLOW_TRACKING_SERVER_CERT_PATH=str(certificate),
            MLFLOW_TRACKING_INSECURE_TLS="true",
        )
