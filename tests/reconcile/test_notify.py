"""Notifications: signed, only to the addresses of the file, sent again, deciding nothing."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest

from aims_gate.errors import SourceError, UsageError
from aims_gate.reconcile import notify
from aims_gate.reconcile.case import Act
from aims_gate.webhook_signature import is_signed
from tests.reconcile.conftest import Watched
from tests.support.laws import nightly
from tests.support.listener import Listener
from tests.support.servers import free_port

pytestmark = [pytest.mark.server, pytest.mark.filterwarnings("ignore")]  # MLflow's deprecations

SECRET = b"a secret of sixteen bytes or more"


@pytest.fixture
def told(watched: Watched, listener: Listener) -> Watched:
    """A model without evidence is live, and an address is to be told."""
    watched.more = {"notify": [{"url": listener.url, "secret": "HOOK"}]}
    watched.environ = {"HOOK": f"whsec_{base64.b64encode(SECRET).decode()}"}
    watched.house.version(gated=False)
    watched.house.by_hand("1")
    return watched


def test_an_alert_is_told_once_and_signed_as_standard_webhooks_are(
    told: Watched, listener: Listener
) -> None:
    assert told.judge() is None
    assert told.judge() is None
    ((headers, body),) = listener.taken
    name, moment = headers["webhook-id"], headers["webhook-timestamp"]
    assert is_signed(headers["webhook-signature"], [SECRET], name, moment, body)
    said = json.loads(body)
    assert said["type"] == "aims_gate.alert"
    assert said["data"]["model"] == told.house.name
    assert said["data"]["to"] == "1"
    assert name == said["data"]["action"]


@pytest.mark.parametrize(
    "status", [500, pytest.param(307, marks=nightly), pytest.param(404, marks=nightly)]
)
def test_one_that_is_not_taken_is_sent_again_under_the_same_id(
    told: Watched, listener: Listener, status: int
) -> None:
    """And is followed nowhere; after a day it is given up."""
    listener.status = status
    assert told.judge() == notify.AGAIN
    assert told.house.champion() == "1"
    listener.status = 204
    assert told.judge() is None
    first, second = (headers["webhook-id"] for headers, _body in listener.taken)
    assert first == second
    assert [one.kind for one in told.inbox.actions(told.key)].count(Act.NOTIFIED) == 1


def test_a_failure_changes_no_decision_and_one_of_a_day_ago_is_given_up(told: Watched) -> None:
    told.more = {"notify": [{"url": f"http://127.0.0.1:{free_port()}", "secret": "HOOK"}]}
    assert told.judge() == notify.AGAIN
    assert told.live() == {"champion": ("1", False)}
    told.later = timedelta(days=2)
    assert told.judge() is None


def test_nothing_is_told_unsigned(told: Watched, listener: Listener) -> None:
    told.environ = {}
    assert told.judge() == notify.AGAIN
    told.environ = {"HOOK": "whsec_!"}
    assert told.judge() == notify.AGAIN
    assert listener.taken == []


def test_an_alert_goes_out_where_the_judgement_fails_later(
    told: Watched, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_args: object) -> None:
        raise SourceError("MLflow is away")

    monkeypatch.setattr("aims_gate.reconcile.requests.requested", fails)
    with pytest.raises(SourceError):
        told.judge()
    assert len(listener.taken) == 1


def test_it_goes_over_tls_or_to_this_machine() -> None:
    assert notify.allowed("https://hooks.acme.example/x")
    with pytest.raises(UsageError, match="over http"):
        notify.allowed("http://hooks.acme.example/x")
