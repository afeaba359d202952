"""One judgement of one model: what is configured, what MLflow says now, what is remembered."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from aims_gate.attest import trust_file
from aims_gate.attest.trust import Trust
from aims_gate.harmless import plain
from aims_gate.inbox.contract import Action, Hold, Inbox, LiveVersion, ModelKey
from aims_gate.reconcile.controller import Controller
from aims_gate.registry.contract import Registry
from aims_gate.registry.entities import Version
from aims_gate.registry_file import Guarded

TAG_LENGTH = 500
"""Characters of a tag that says why."""


class Act(StrEnum):
    """What was seen, or done."""

    SEEN = "seen"
    """An alias was there when the receiver first looked; for no alias, it has looked."""
    MOVED = "moved"
    """An alias points elsewhere, and stays there."""
    GONE = "gone"
    """An alias was taken away, by somebody else."""
    REVERT = "revert"
    """An alias is about to be put back, from where the one named by `who` had moved it."""
    REVERTED = "reverted"
    """It was put back."""
    OVERTAKEN = "overtaken"
    """It was not put back: somebody had moved it again."""
    REPAIRED = "repaired"
    """A proven move that putting back had overwritten was done again."""
    EVALUATED = "evaluated"
    """The gate was run, because somebody asked or because there was no evidence."""
    ALERT = "alert"
    """A person must look."""
    NOTIFIED = "notified"
    """An address took a notification."""


PLACES = frozenset({Act.SEEN, Act.MOVED, Act.GONE, Act.REVERTED, Act.REPAIRED})
"""What says where an alias is from then on."""
CLOSED = frozenset({Act.REVERTED, Act.OVERTAKEN})
"""What ends a revert that was begun."""


def action_id(key: ModelKey, *parts: object) -> str:
    """Id of an action: digest of the model and of what it is about (SHA-256, 32 digits)."""
    told = (key.server, key.workspace, key.model, *map(str, parts))
    return hashlib.sha256("\n".join(map(ascii, told)).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A registered model that is judged now."""

    key: ModelKey
    controller: Controller
    guarded: Guarded
    registry: Registry
    trust: Trust
    inbox: Inbox
    hold: Hold
    """Called before each effect on MLflow: the model may be another worker's by now."""
    now: datetime

    @classmethod
    def open(
        cls, key: ModelKey, guarded: Guarded, controller: Controller, inbox: Inbox, hold: Hold
    ) -> Case:
        """Read the trust file anew, and open MLflow; UsageError and SourceError as these raise."""
        return cls(
            key=key,
            controller=controller,
            guarded=guarded,
            registry=controller.registry(),
            trust=trust_file.load(controller.file.trust),
            inbox=inbox,
            hold=hold,
            now=controller.now(),
        )

    def uri(self, version: str) -> str:
        """The model URI of a version."""
        return f"models:/{self.key.model}/{version}"

    def version(self, number: str) -> Version:
        """A version as MLflow has it now; NotFoundError if it has not."""
        return self.registry.get_version(self.key.model, number)

    def past(self, alias: str) -> tuple[Action, ...]:
        """What was seen and done about one alias, oldest first."""
        return tuple(one for one in self.inbox.actions(self.key) if one.alias == alias)

    def since(self, alias: str) -> float:
        """When an alias came where it was last; 0 if that is not known."""
        past = list(places(self.past(alias)))
        return past[-1].at if past else 0

    def moves(self, alias: str) -> int:
        """How many places of an alias are entered."""
        return len(list(places(self.past(alias))))

    def act(
        self,
        kind: Act,
        *about: object,
        alias: str = "",
        frm: str = "",
        to: str = "",
        reason: str = "",
        evidence: str = "",
        who: str = "",
    ) -> Action:
        """Enter an action under an id that follows from what it is *about*: once, ever."""
        action = Action(
            id=self.named(kind, alias, frm, to, *about),
            key=self.key,
            alias=alias,
            kind=kind,
            from_version=frm,
            to_version=to,
            reason=plain(reason, most=TAG_LENGTH),
            at=self.now.timestamp(),
            evidence=evidence,
            who=who,
        )
        self.inbox.act(action)
        return action

    def named(self, *parts: object) -> str:
        """Id of an action about this model."""
        return action_id(self.key, *parts)

    def alert(self, *about: object, alias: str = "", to: str = "", reason: str) -> None:
        """Enter that a person must look, once for each thing that it is *about*."""
        self.act(Act.ALERT, *about, alias=alias, to=to, reason=reason)

    def stands(
        self, version: Version, alias: str, *, sha256: str = "", evidence: str = ""
    ) -> LiveVersion:
        """Remember that an alias is at a version, and on what evidence."""
        live = LiveVersion(
            key=self.key,
            alias=alias,
            version=version.version,
            source=version.source,
            sha256=sha256,
            evidence=evidence,
        )
        self.inbox.set_live(live)
        return live

    def known(self) -> dict[str, LiveVersion]:
        """Where each guarded alias was, when it was last looked at."""
        return {one.alias: one for one in self.inbox.live(self.key)}

    def tag(self, version: str, key: str, value: str) -> None:
        """Say on a version, to whoever looks at it in MLflow, what was done and why."""
        self.hold()
        self.registry.set_version_tag(self.key.model, version, key, plain(value, most=TAG_LENGTH))


def places(past: tuple[Action, ...]) -> Iterator[Action]:
    """Where an alias has been, by its past, oldest first."""
    return (one for one in past if one.kind in PLACES)
