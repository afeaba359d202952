"""The year of the organisation: its clock, and the gate as the pipeline runs it by that clock."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from systems import System

from aims_gate import pipeline
from aims_gate.attest.signers import load_signer
from aims_gate.operations.promote import promote
from aims_gate.operations.promotion import Promoting
from aims_gate.policy.model import Role
from aims_gate.request import Recording, Request, World
from aims_gate.verdict import Verdict

GATE = "gate"
"""Whose key signs verdicts and promotions."""
VERIFIER = "https://acme.example/pipeline"


@dataclass(slots=True, kw_only=True)
class Clock:
    """The time that is told to the gate; it moves on by a second each time it is asked."""

    at: datetime

    def now(self) -> datetime:
        """The time, a second later than before."""
        self.at += timedelta(seconds=1)
        return self.at

    def on(self, day: date, hour: int = 9) -> None:
        """Set it to an hour of a day."""
        self.at = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


@dataclass(slots=True, kw_only=True)
class Year:
    """The folder that is built, and its clock."""

    folder: Path
    clock: Clock
    count: int = 0
    champions: dict[str, tuple[str, Any]] = field(default_factory=dict)
    """The version that each system serves, and its fitted model."""
    evidence: dict[str, Path] = field(default_factory=dict)
    """Of the version that each system serves."""
    adopted: set[str] = field(default_factory=set)
    """Systems whose records are judged."""

    @property
    def world(self) -> World:
        """The clock of the story, this process's environment, and ids that are counted."""
        return World(now=self.clock.now, new_id=self._id, environ=dict(os.environ))

    def _id(self, at: datetime) -> str:
        self.count += 1
        return f"{at:%Y%m%dT%H%M%SZ}-{self.count:08x}"

    def judge(
        self,
        system: System,
        policy: str,
        version: str,
        data: Path | None = None,
        *,
        signed: bool = True,
    ) -> Verdict:
        """Run the gate on a version as the pipeline does, signed and published."""
        recording = Recording(
            signer=load_signer(str(self.folder / f"{GATE}.key"), {}) if signed else None,
            verifier_id=VERIFIER,
            root=self.folder / ("aims-gate-evidence" if signed else "measured"),
        )
        request = Request(
            policy=str(self.folder / system.name / policy),
            model=f"models:/{system.name}/{version}",
            data={} if data is None else {Role.CURRENT: str(data)},
            recording=recording,
            trust=self.folder / "trust.yaml",
        )
        return pipeline.run(request, self.world)

    def promote(self, system: System, version: str, why: str, evidence: Path) -> None:
        """Point champion at a version, as `aims-gate promote` does."""
        how = Promoting(
            model=f"models:/{system.name}/{version}",
            alias="champion",
            signer=load_signer(str(self.folder / f"{GATE}.key"), {}),
            why=why,
            trust=self.folder / "trust.yaml",
            max_age=timedelta(days=7),
            out=evidence / "promotions",
            environ=dict(os.environ),
        )
        promote(how, now=self.clock.now)
