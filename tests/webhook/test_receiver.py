"""What the receiver takes over HTTP: what MLflow signed, lately, once, and of a guarded model."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn

from aims_gate.inbox.contract import Delivery, InboxError, ModelKey
from aims_gate.inbox.database import open_inbox
from aims_gate.inbox.sql import SqlInbox
from aims_gate.webhook.app import MAX_BODY, Receiver
from aims_gate.webhook.batches import Batches
from tests.support.deliveries import SECRET, Sender, body_of, signed

OLD = b"the secret before, still good"
RECORDED = Path(__file__).parent / "webhook_deliveries.jsonl"
RECORDED_SECRET = b"topsecret"


def keys(name: str) -> tuple[ModelKey, ...]:
    """Only credit models are guarded; server and workspace are the configuration's."""
    return (ModelKey(server="prod", workspace="", model=name),) if name.startswith("credit") else ()


@dataclass
class Running:
    """A receiver that listens, and its inbox."""

    inbox: SqlInbox
    receiver: Receiver
    sender: Sender
    alive: bool = True
    now: float | None = None

    def marked(self) -> dict[str, int]:
        """Every model that the inbox knows, with its generation."""
        with self.inbox._engine.begin() as connection:
            found = connection.exec_driver_sql("SELECT model, gen FROM subject").all()
        return {str(model): int(gen) for model, gen in found}

    def stored(self) -> list[str]:
        with self.inbox._engine.begin() as connection:
            return [str(row[0]) for row in connection.exec_driver_sql("SELECT id FROM delivery")]


@pytest.fixture(scope="module")
def listening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    inbox = open_inbox(f"sqlite:///{tmp_path_factory.mktemp('receiver')}/inbox.db")
    receiver = Receiver(
        inbox=inbox,
        secrets=(SECRET, OLD, RECORDED_SECRET),
        keys=keys,
        stored=lambda: None,
        alive=lambda: made.alive,
        clock=lambda: made.now or time.time(),
    )
    listener = socket.create_server(("127.0.0.1", 0))
    made = Running(inbox, receiver, Sender(port=listener.getsockname()[1]))
    server = uvicorn.Server(
        uvicorn.Config(receiver.app(), log_config=None, access_log=False, lifespan="off")
    )

    async def run() -> None:
        storing = asyncio.create_task(receiver.batches.run())
        await server.serve(sockets=[listener])
        storing.cancel()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    yield made
    server.should_exit = True
    thread.join()
    inbox.close()


@pytest.fixture
def running(listening: Running) -> Running:
    """With an empty inbox."""
    with listening.inbox._engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM delivery")
        connection.exec_driver_sql("DELETE FROM subject")
    listening.alive, listening.now = True, None
    return listening


def test_a_signed_delivery_is_stored_before_its_answer_and_marks_its_model(
    running: Running,
) -> None:
    assert running.sender.event("credit", identity="one").status == 202
    assert running.stored() == ["one"]
    assert running.marked() == {"credit": 1}


def test_a_replay_changes_nothing(running: Running) -> None:
    """MLflow tries a delivery again under the same id; so would somebody who recorded it."""
    body = body_of("credit")
    headers = signed(body)
    assert [running.sender.raw(body, headers).status for _ in range(3)] == [202, 200, 200]
    assert running.marked() == {"credit": 1}


def test_the_secret_before_counts_while_it_is_given(running: Running) -> None:
    body = body_of("credit")
    assert running.sender.raw(body, signed(body, OLD)).status == 202


def without(headers: dict[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in headers.items() if key != name}


def hostile() -> Iterator[tuple[str, bytes, dict[str, str], int]]:
    body = body_of("credit")
    now = str(int(time.time()))
    good = signed(body)
    yield "unsigned", body, {"Content-Type": "application/json"}, 401
    for name in good:
        if name.startswith("X-"):
            yield f"without {name}", body, without(good, name), 401
            yield f"empty {name}", body, {**good, name: ""}, 401
    yield "other secret", body, signed(body, b"not the secret at all"), 401
    yield "other body", body_of("credit-2"), good, 401
    yield "one byte more", body + b" ", good, 401
    yield "other id", body, {**good, "X-MLflow-Delivery-Id": "other"}, 401
    yield "other time", body, {**good, "X-MLflow-Timestamp": str(int(now) - 1)}, 401
    yield "stale", body, signed(body, timestamp=str(int(now) - 400)), 401
    yield "of the future", body, signed(body, timestamp=str(int(now) + 400)), 401
    for odd in ("-1", "1e9", "nan", "٣", "", f" {now}", "9" * 400, f"{now}.0"):
        headers = {**signed(body, timestamp=odd or now), "X-MLflow-Timestamp": odd}
        yield f"time {odd[:8]!r}", body, headers, 401
    signature = good["X-MLflow-Signature"]
    for odd in (
        signature.removeprefix("v1,"), signature.replace("v1", "v2"), signature.upper(),
        f"{signature} {signature}", f"sha256={signature}", "v1,", "v1,\xff", signature[:-2],
    ):  # fmt: skip
        yield f"signature {odd[:12]!r}", body, {**good, "X-MLflow-Signature": odd}, 401
    for odd in ("a b", "\xe9", "x" * 201):
        yield f"id {odd[:6]!r}", body, signed(body, identity=odd), 401
    big = b" " * (MAX_BODY + 1)
    yield "oversized", big, signed(big), 413
    for junk in (b"", b"null", b"[]", b"{", b"\xff\xfe", b'{"data": 1}', b"[" * 200_000):
        yield f"body {junk[:12]!r}", junk, signed(junk), 400
    for name in ('""', "1", "null", '"a\\u0000b"', '"\\ud800"', '"a\\nb"', f'"{"x" * 257}"'):
        odd_body = body_of("NAME").replace(b'"NAME"', name.encode())
        yield f"name {name[:10]}", odd_body, signed(odd_body), 400
    odd_body = body_of("credit", workspace="\x00")
    yield "workspace", odd_body, signed(odd_body), 400


@pytest.mark.parametrize("number", range(len([*hostile()])))
def test_what_mlflow_did_not_send_lately_changes_nothing(running: Running, number: int) -> None:
    """Whoever cannot sign is not told which part of it was wrong."""
    named, body, headers, status = [*hostile()][number]  # signed now: signatures grow stale
    answer = running.sender.raw(body, headers)
    assert answer.status == status, named
    assert status != 401 or b"missing, wrong or stale" in answer.body
    assert running.stored() == []
    assert running.marked() == {}


def test_a_body_without_length_is_read_to_the_cap_and_no_further(running: Running) -> None:
    """`Content-Length` is what the sender says."""
    with socket.create_connection(("127.0.0.1", running.sender.port), timeout=10) as connection:
        connection.sendall(
            b"POST /webhook HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        for _ in range(5):
            connection.sendall(chunk)
        assert b" 413 " in connection.recv(200)


def test_a_body_that_never_ends_is_given_up(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aims_gate.webhook.app._PATIENCE", 0.2)
    with socket.create_connection(("127.0.0.1", running.sender.port), timeout=10) as connection:
        connection.sendall(b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx")
        assert b" 408 " in connection.recv(200)


@pytest.mark.parametrize(
    "body",
    [
        body_of("example_model"),
        body_of("unguarded"),
        body_of("credit", "prompt", "created"),
        body_of("credit", "prompt_alias", "created"),
        body_of("credit", "model_version", "vanished"),
        body_of("credit", "budget_policy", "exceeded"),
        b'{"entity": ["model_version"], "action": {}, "data": {}}',
    ],
)
def test_other_events_and_examples_are_answered_and_change_nothing(
    running: Running, body: bytes
) -> None:
    assert running.sender.post(body).status == 200
    assert running.stored() == []
    assert running.marked() == {}


def test_the_workspace_of_a_body_is_kept_and_never_believed(running: Running) -> None:
    assert running.sender.post(body_of("credit", workspace="evil")).status == 202
    (waiting,) = running.inbox.waiting()
    assert waiting.key == ModelKey(server="prod", workspace="", model="credit")


def test_recorded_deliveries_of_a_real_server_hold(running: Running) -> None:
    """Bytes and signatures as MLflow 3.17 sent them; eight of thirteen are about a model."""
    outcomes = []
    for line in RECORDED.read_text(encoding="utf-8").splitlines():
        recorded = json.loads(line)
        headers = dict(recorded["headers"])
        running.now = float(headers["X-MLflow-Timestamp"]) + 1
        outcomes.append(running.sender.raw(recorded["body"].encode(), headers).status)
        running.now = None
        assert running.sender.raw(recorded["body"].encode(), headers).status == 401  # stale by now
    assert outcomes.count(202) == 8
    assert outcomes.count(200) == 5
    assert running.marked() == {"credit-scoring": 8}


def test_what_cannot_be_stored_is_to_be_sent_again_and_readiness_says_so(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that is full, really: the delivery leaves nothing behind, and is taken later."""
    with running.inbox._engine.begin() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    body = body_of("credit", padding="x" * 100_000)
    headers = signed(body)
    refused = running.sender.raw(body, headers)
    assert refused.status == 503
    assert running.stored() == []
    assert running.marked() == {}
    assert running.sender.get("/readyz").status == 503
    assert running.sender.get("/healthz").status == 200
    with running.inbox._engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    assert running.sender.raw(body, headers).status == 202
    assert running.marked() == {"credit": 1}
    monkeypatch.setattr("aims_gate.webhook.app._TROUBLE", 0.0)
    assert running.sender.get("/readyz").status == 200


def test_readiness_needs_the_workers(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aims_gate.webhook.app._TROUBLE", 0.0)
    assert running.sender.get("/readyz").status == 200
    running.alive = False
    assert running.sender.get("/readyz").status == 503


def test_an_inbox_that_does_not_answer_is_said_and_the_process_lives(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone() -> float:
        raise InboxError("the database is gone", where="inbox")

    for name in ("now", "waiting"):
        monkeypatch.setattr(running.inbox, name, gone)
    for path, status in (("/readyz", 503), ("/metrics", 503), ("/healthz", 200)):
        answer = running.sender.get(path)
        assert answer.status == status
        assert (b"the database is gone" in answer.body) is (status == 503)


def test_metrics_count_by_outcome_and_show_the_states_of_models(running: Running) -> None:
    running.sender.event("credit")
    running.sender.post(body_of("credit"), timestamp="1")
    text = running.sender.get("/metrics").body.decode()
    for outcome in ("accepted", "stale"):
        assert f'aims_gate_deliveries_total{{outcome="{outcome}"}}' in text
    assert 'aims_gate_models{state="waiting"} 1.0' in text
    assert "aims_gate_oldest_waiting_seconds" in text
    assert "credit" not in text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/webhook", 405),
        ("POST", "/", 404),
        ("POST", "/webhook/", 404),
        ("PUT", "/healthz", 405),
    ],
)
def test_nothing_else_is_served(running: Running, method: str, path: str, status: int) -> None:
    body = body_of("credit")
    assert running.sender.raw(body, signed(body), method, path).status in {status, 307}
    assert running.marked() == {}


def test_logs_name_deliveries_and_no_secret(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "aims_gate.webhook"):
        running.sender.event("credit", identity="seen")
        running.sender.raw(body_of("credit"), signed(b"other", identity="forger"))
    told = [(vars(each)["delivery"], vars(each)["outcome"]) for each in caplog.records]
    assert told == [("seen", "accepted"), ("forger", "forged")]
    assert SECRET.decode() not in caplog.text


def test_a_receiver_without_a_secret_is_none() -> None:
    with pytest.raises(ValueError, match="no secret"):
        Receiver(inbox=None, secrets=(), keys=keys, stored=lambda: None, alive=lambda: True)  # type: ignore[arg-type]


def delivery(name: str) -> Delivery:
    return Delivery(id=name, workspace="", model="m", body=b"", received=0.0, marks=())


def test_what_comes_while_a_batch_is_written_is_one_batch_and_a_crash_is_told_to_its_senders() -> (
    None
):
    batches: list[list[str]] = []
    go = threading.Event()

    def store(found: Sequence[Delivery]) -> frozenset[str]:
        batches.append([each.id for each in found])
        go.wait(10)
        if "bad" in batches[-1]:
            raise RuntimeError
        return frozenset(batches[-1])

    async def main() -> list[bool | BaseException]:
        together = Batches(store)
        running = asyncio.create_task(together.run())
        first = asyncio.create_task(together.put(delivery("first")))
        await asyncio.sleep(0.05)
        names = ("a", "b", "hung-up", "bad")
        rest = [asyncio.create_task(together.put(delivery(name))) for name in names]
        await asyncio.sleep(0.05)
        rest[2].cancel()
        go.set()
        told = await asyncio.gather(first, *rest, return_exceptions=True)
        told.append(await together.put(delivery("later")))
        running.cancel()
        return told

    first, a, b, hung_up, bad, later = asyncio.run(main())
    assert batches == [["first"], ["a", "b", "hung-up", "bad"], ["later"]]
    assert (first, later) == (True, True)
    assert isinstance(hung_up, asyncio.CancelledError)
    assert all(isinstance(each, InboxError) for each in (a, b, bad))


def test_more_than_can_wait_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aims_gate.webhook.batches._QUEUED", 1)

    async def main() -> None:
        full = Batches(lambda _found: frozenset())
        waits = asyncio.create_task(full.put(delivery("a")))
        await asyncio.sleep(0)
        with pytest.raises(InboxError, match="too many"):
            await full.put(delivery("b"))
        waits.cancel()

    asyncio.run(main())
