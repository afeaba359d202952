"""Two workspaces of one real server, each with a model of the same name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest

from aims_gate.inbox.database import open_inbox
from aims_gate.reconcile.case import Act
from tests.reconcile.conftest import Watched
from tests.support.laws import nightly
from tests.support.promoting import House
from tests.support.servers import Server

pytestmark = [nightly, pytest.mark.server, pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(folder=tmp_path / "server", environ={"MLFLOW_ENABLE_WORKSPACES": "true"})
    server.start()
    yield server
    server.kill()


def test_a_move_in_one_workspace_does_nothing_in_the_other(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_ENABLE_WORKSPACES", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.url)
    inbox = open_inbox(f"sqlite:///{tmp_path / 'inbox.db'}")
    sides = {}
    client = mlflow.MlflowClient(tracking_uri=server.url)
    for workspace in ("red", "blue"):
        client.create_workspace(workspace)
        monkeypatch.setenv("MLFLOW_WORKSPACE", workspace)
        house = House.build(server.url, tmp_path / workspace)
        house.name = "credit"
        house.content.experiment = house.content.client.create_experiment("training")
        given = {"MLFLOW_ENABLE_WORKSPACES": "true", "MLFLOW_WORKSPACE": workspace}
        house.environ.update(given)
        watched = Watched(house=house, inbox=inbox)
        house.promote(house.version())
        watched.judge()
        assert watched.live() == {"champion": ("1", True)}
        sides[workspace] = watched
    blue = sides["blue"]
    blue.house.by_hand(blue.house.version(gated=False))
    monkeypatch.setenv("MLFLOW_WORKSPACE", "red")
    red = sides["red"]
    red.judge()
    assert red.house.champion() == "1"
    assert red.actions(Act.REVERT, Act.ALERT) == []
    monkeypatch.setenv("MLFLOW_WORKSPACE", "blue")
    assert blue.house.champion() == "2"
    blue.judge()
    assert blue.house.champion() == "1"
    assert len(blue.actions(Act.REVERTED)) == 1
    assert red.key != blue.key
    inbox.close()
