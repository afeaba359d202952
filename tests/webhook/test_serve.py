"""The receiver's process: sweeps come on schedule, and a failed one soon again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from aims_gate.errors import SourceError
from aims_gate.inbox.contract import Delivery, Inbox, ModelKey, Waiting
from aims_gate.inbox.database import open_inbox
from aims_gate.inbox.sql import SqlInbox
from aims_gate.webhook import serve
from aims_gate.webhook.metrics import Metrics
from tests.support.killing import until


def service(inbox: SqlInbox, sweep: Callable[[Inbox], object], interval: float) -> serve.Service:
    return serve.Service(
        inbox=inbox,
        secrets=(b"x" * 32,),
        keys=lambda _name: (),
        judge=lambda *_judged: None,
        sweep=sweep,
        interval=interval,
    )


def test_a_sweep_that_fails_is_tried_again_soon_and_others_on_schedule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """MLflow is down, then the sweep crashes, then all is well; nothing of a row is logged."""
    inbox = open_inbox(f"sqlite:///{tmp_path}/inbox.db")
    old = Delivery(id="old", workspace="", model="m", body=b"", received=1.0, marks=())
    inbox.receive([old])
    faults: list[Exception] = [
        ValueError(f"row {17}: Alice"),
        SourceError("MLflow does not answer", where="http://user:pw@host"),
    ]
    swept: list[float] = []
    woken: list[str] = []

    def sweep(_inbox: Inbox) -> None:
        if faults:
            raise faults.pop()
        swept.append(time.monotonic())

    monkeypatch.setattr(serve, "_SOON", 0.05)
    metrics = Metrics()
    with (
        caplog.at_level(logging.WARNING, "aims_gate.receiver"),
        serve._sweeping(service(inbox, sweep, 0.2), metrics, lambda: woken.append("now")),
    ):
        until(lambda: len(swept) == 2)
    assert swept[1] - swept[0] >= 0.2
    assert len(woken) >= 3
    text = metrics.text((), 0.0).decode()
    assert 'aims_gate_sweeps_total{outcome="failed"} 2.0' in text
    assert "aims_gate_last_sweep_timestamp_seconds" in text
    told = str([vars(record) for record in caplog.records])
    assert "MLflow does not answer" in told
    assert "row 17" not in told
    assert inbox.receive([old]) == {"old"}  # it was forgotten
    inbox.close()


def test_the_states_in_metrics_are_the_inboxs() -> None:
    key = ModelKey(server="s", workspace="", model="m")
    states = [("waiting", 40.0), ("waiting", 70.0), ("dead", 1.0)]
    waiting = tuple(
        Waiting(key=key, state=state, since=since, attempts=0, error="") for state, since in states
    )
    text = Metrics().text(waiting, 100.0).decode()
    assert 'aims_gate_models{state="waiting"} 2.0' in text
    assert 'aims_gate_models{state="dead"} 1.0' in text
    assert 'aims_gate_models{state="clean"} 0.0' in text
    assert "aims_gate_oldest_waiting_seconds 60.0" in text
