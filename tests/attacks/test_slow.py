"""Servers that drip: each byte comes in time, and the whole of an answer never would."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from aims_gate import time_limit
from aims_gate.documents.store_uris import parse_place
from aims_gate.errors import SourceError
from aims_gate.registry import client_artifacts, http
from aims_gate.registry.choose import open_registry
from aims_gate.registry.http import Connection
from aims_gate.sources.remote import fetch
from aims_gate.sources.subject import Workspace
from aims_gate.time_limit import patiently
from tests.support.servers import S3_KEYS

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
LARGE = HEAD + b"Content-Length: 1000000\r\n\r\n"
SECONDS = 20.0
"""Within this all three attempts of a second each must be over, on a busy machine too."""


@contextmanager
def dripping(first: bytes, drop: bytes, *, reads: bool = True) -> Iterator[str]:
    """Answer each call with *first* at once and then *drop* for ever, ten times a second."""
    over = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(line: socket.socket) -> None:
        with line, suppress(OSError):
            if reads:
                line.recv(65536)
            line.sendall(first)
            while not over.wait(0.1):
                line.sendall(drop)

    def accept() -> None:
        with suppress(OSError):
            while True:
                line, _address = listener.accept()
                threading.Thread(target=serve, args=(line,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        time.sleep(0.3)  # so that threads that were given up on see the end, in this test


Act = Callable[[Connection, Path], object]
ACTS: dict[str, tuple[bytes, bytes, Act]] = {
    "the status line": (b"HTTP/1.", b"1", lambda c, _p: c.json("GET", "mlflow/runs/get")),
    "a header": (HEAD + b"X: ", b"x", lambda c, _p: c.json("GET", "mlflow/runs/get")),
    "headers": (HEAD, b"X: y\r\n", lambda c, _p: c.json("GET", "mlflow/runs/get")),
    "JSON": (LARGE, b" ", lambda c, _p: c.json("GET", "mlflow/runs/get")),
    "chunks": (
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n",
        b"1\r\n \r\n",
        lambda c, _p: c.json("GET", "mlflow/runs/get"),
    ),
    "a write": (HEAD, b"X: y\r\n", lambda c, _p: c.json("POST", "x", body={}, read=False)),
    "the version": (LARGE, b"3", lambda c, _p: c.version()),
    "a download": (LARGE, b"x", lambda c, p: c.download("f", p / "f", limit=1 << 30)),
    "a download's headers": (HEAD, b"X: y\r\n", lambda c, p: c.download("f", p / "f", limit=1)),
    "a refused download": (
        LARGE.replace(b"200 OK", b"500 No"),
        b" ",
        lambda c, p: c.download("f", p / "f", limit=1),
    ),
    "an upload": (HEAD, b"X: y\r\n", lambda c, _p: c.upload("f", Path(__file__))),
}


OFTEN = {"JSON", "a download"}
"""Acts of which all three attempts are awaited: they are made in one place."""


@pytest.mark.parametrize("what", ACTS)
def test_a_server_that_drips_is_given_up(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, drop, act = ACTS[what]
    if what not in OFTEN:
        monkeypatch.setattr(http, "ATTEMPTS", 1)
    with dripping(first, drop) as url:
        connection = Connection(url, {"MLFLOW_HTTP_REQUEST_TIMEOUT": "1"}, sleep=lambda _s: None)
        started = time.monotonic()
        with pytest.raises(SourceError, match="no answer within 1 s") as caught:
            act(connection, tmp_path)
        assert time.monotonic() - started < SECONDS
    assert "MLFLOW_HTTP_REQUEST_TIMEOUT" in caught.value.hint
    assert caught.value.exit_code == 3


def test_a_server_that_does_not_take_an_upload_is_given_up(tmp_path: Path) -> None:
    file = tmp_path / "large"
    file.write_bytes(b"x" * 900_000)
    with dripping(b"", b"", reads=False) as url:
        connection = Connection(url, {"MLFLOW_HTTP_REQUEST_TIMEOUT": "1"})
        started = time.monotonic()
        with pytest.raises(SourceError, match="no answer within"):
            connection.upload("f", file)
        assert time.monotonic() - started < SECONDS


def test_a_download_that_is_fast_enough_may_take_longer_than_the_limit(tmp_path: Path) -> None:
    drop = b"x" * 300_000
    with dripping(HEAD + b"Content-Length: 6000000\r\n\r\n", drop) as url:
        connection = Connection(url, {"MLFLOW_HTTP_REQUEST_TIMEOUT": "1"})
        assert connection.download("f", tmp_path / "f", limit=1 << 30) == 6_000_000


@pytest.mark.parametrize(("first", "attempts"), [(HEAD, 1), (LARGE, 3)], ids=["headers", "JSON"])
def test_mlflows_own_client_is_given_up_as_well(
    first: bytes, attempts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    if attempts != client_artifacts.ATTEMPTS:
        monkeypatch.setattr(client_artifacts, "ATTEMPTS", attempts)
    with dripping(first, b"X: y\r\n" if first is HEAD else b" ") as url:
        registry = open_registry({"MLFLOW_TRACKING_URI": url, "MLFLOW_REGISTRY_URI": f"{url}/"})
        assert registry.name == "client"
        for act in (
            lambda: registry.run("0"),
            lambda: registry.list_artifacts("mlflow-artifacts:/1"),
        ):
            started = time.monotonic()
            with pytest.raises(SourceError, match=f"no answer within {attempts} s"):
                act()
            assert time.monotonic() - started < SECONDS


def test_an_object_store_that_drips_is_given_up(tmp_path: Path) -> None:
    with dripping(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n") as url:
        environ = {
            **S3_KEYS,
            "AWS_REGION": "eu-west-1",
            "AWS_ENDPOINT_URL": url,
            "MLFLOW_HTTP_REQUEST_TIMEOUT": "1",
        }
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environ.items():
                patch.setenv(name, value)
            started = time.monotonic()
            with pytest.raises(SourceError, match="no answer within 1 s"):
                fetch(parse_place("s3://bucket/x.csv"), Workspace(folder=tmp_path, environ=environ))
            assert time.monotonic() - started < SECONDS


def test_what_work_raises_comes_out_and_growth_is_counted_from_each_look() -> None:
    assert patiently(lambda: 7, seconds=5) == 7
    with pytest.raises(KeyboardInterrupt):
        patiently(_interrupted, seconds=5)
    over = threading.Event()
    sizes = iter([0, time_limit.LEAST, 2 * time_limit.LEAST, 2 * time_limit.LEAST + 1])
    with pytest.raises(TimeoutError):
        patiently(lambda: over.wait(30), seconds=0.05, grown=lambda: next(sizes))
    assert next(sizes, None) is None
    over.set()


def _interrupted() -> None:
    raise KeyboardInterrupt
