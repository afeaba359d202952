"""A registry under a controller: a real server, an inbox of its own, and the hands of people."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from aims_gate import registry_file
from aims_gate.inbox.contract import Action, ModelKey
from aims_gate.inbox.database import open_inbox
from aims_gate.inbox.sql import SqlInbox
from aims_gate.reconcile.case import Act
from aims_gate.reconcile.controller import Controller
from aims_gate.reconcile.judge import judge
from tests.support.promoting import House


@dataclass(kw_only=True)
class Watched:
    """A house whose registry is watched; `later` moves the controller's clock."""

    house: House
    inbox: SqlInbox
    later: timedelta = timedelta()
    guarded: dict[str, Any] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict)
    key_file: Path | None = None
    """What evaluations sign with."""

    def now(self) -> datetime:
        return self.house.now + self.later

    @property
    def controller(self) -> Controller:
        entry = {"pattern": "*", "mode": "enforce", "on_fail": "revert", **self.guarded}
        text = {
            "apiVersion": "aims-gate/v1",
            "kind": "Registry",
            "trust": self.house.trust_file.name,
            "models": [entry],
            **self.more,
        }
        path = self.house.trust_file.parent / "registry.yaml"
        path.write_text(yaml.safe_dump(text), encoding="utf-8")
        environ = {**os.environ, **self.house.environ, **self.environ}
        key = None if self.key_file is None else str(self.key_file)
        return Controller.open(registry_file.read(path), environ, self.now, key=key)

    @property
    def key(self) -> ModelKey:
        return self.controller.model_key(self.house.name)

    def judge(self) -> float | None:
        return judge(self.key, self.controller, self.inbox, lambda: None)

    def actions(self, *kinds: Act) -> list[Action]:
        found = self.inbox.actions(self.key)
        return [one for one in found if one.alias and (not kinds or one.kind in kinds)]

    def told(self, *kinds: Act) -> list[tuple[str, str, str]]:
        """Act, version before and after of what was done."""
        return [(one.kind, one.from_version, one.to_version) for one in self.actions(*kinds)]

    def alerts(self) -> str:
        return "\n".join(one.reason for one in self.actions(Act.ALERT))

    def live(self) -> dict[str, tuple[str, bool]]:
        """Alias to its version as remembered, and whether that is proven."""
        return {one.alias: (one.version, bool(one.evidence)) for one in self.inbox.live(self.key)}

    def reverted(self, version: str) -> str:
        """What is said on a version whose alias was put back."""
        return self.house.tags(version).get("aims_gate.alias.champion.reverted", "")


@pytest.fixture
def watched(mlflow_server: str, tmp_path: Path) -> Iterator[Watched]:
    """A watched house with nothing in it."""
    inbox = open_inbox(f"sqlite:///{tmp_path / 'inbox.db'}")
    yield Watched(house=House.build(mlflow_server, tmp_path / "house"), inbox=inbox)
    inbox.close()
