"""Admission: each guarded write is let through, refused or, where that is only observed, told."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from aims_gate.attest import trust_file
from aims_gate.attest.trust import Trust
from aims_gate.errors import GateError, UsageError
from aims_gate.guard import identity
from aims_gate.guard.artifact_paths import overlap, place
from aims_gate.guard.journal import Journal
from aims_gate.guard.locks import Locks
from aims_gate.guard.proof import Prover
from aims_gate.guard.refusal import Busy, Refused, refusal
from aims_gate.guard.rows import Kept, RegistryRows
from aims_gate.guard.settings import FollowedFile
from aims_gate.guard.version_state import Demand, VersionState
from aims_gate.registry.choose import open_registry
from aims_gate.registry.served import ServedRegistry
from aims_gate.registry_file import Guarded
from aims_gate.registry_file.refusals import LET_THROUGH
from aims_gate.sources.mlflow.resolve import resolve

_logger = logging.getLogger("aims_gate.guard")
_CHAINS = ("models:", "runs:")
_NOWHERE = "nowhere//"


@dataclass(frozen=True, slots=True, kw_only=True)
class GoingLive:
    """A version that is to go live, and what is to point at it."""

    what: str
    name: str
    version: int
    workspace: str | None
    aliases: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()

    def pointed(self, *, alias: str = "", stage: str = "") -> GoingLive:
        """The same with an alias, or with one of MLflow's stages."""
        return replace(self, aliases=(alias,) if alias else (), stages=(stage,) if stage else ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """The guard of one registry, in one process of its server."""

    settings: FollowedFile
    rows: RegistryRows
    locks: Locks
    prover: Prover
    journal: Journal
    environ: Mapping[str, str]
    strange: tuple[str, ...] = ()
    """Methods of this MLflow that the guard does not know."""
    resolved: dict[str, str] = field(default_factory=dict)
    """Places by locations: both never change."""
    frozen: list[str] = field(default_factory=list)
    """Places of judged and live versions, as they were at the last look."""

    def of(self, name: str) -> Guarded | None:
        """What is guarded of a model; None where nothing is."""
        return self.settings.now().guarded(name)

    def publish(
        self, guarded: Guarded, move: GoingLive, write: Callable[[], Any], back: Callable[[], None]
    ) -> Any:
        """Check and publish: verify, write, verify again, with the version's files locked.

        Raises:
            Refused: It is not proven; Busy where that cannot be told yet.
        """
        if not guarded.enforces:
            self._tell(guarded, move)
            return write()
        try:
            asked = self._demand(guarded, move)
            candidate = self._find(move, asked)
            with self.locks.hold(candidate.place.at):
                self._prove(candidate, move, asked)
                done = write()
                self._still(candidate, move, asked, back)
        except Exception as error:
            raise self._refused(guarded, move.what, error) from error
        return done

    def refuse(self, guarded: Guarded, what: str, why: str, hint: str = "") -> None:
        """Refuse a write; where the model is only observed, tell that it would be."""
        refused = Refused(what, why, hint)
        self.journal.write(what, why, enforced=guarded.enforces)
        if guarded.enforces:
            raise refused

    def only_the_gate(self, guarded: Guarded, what: str) -> None:
        """Refuse a write of anybody but the gate."""
        settings = self.settings.now()
        if not identity.is_gate(settings):
            hint = f"the users who may are those under identity in {settings.path.name}"
            self.refuse(guarded, what, "only the gate may take down what is live", hint)

    def only_the_gate_tags(self, guarded: Guarded, what: str) -> None:
        """Refuse one of the gate's tags of anybody else, where people are asked who they are."""
        settings = self.settings.now()
        if identity.authenticates() and not identity.is_gate(settings):
            hint = f"the gate's users are those under identity in {settings.path.name}"
            self.refuse(guarded, what, "it is the gate's, and you are not", hint)

    def strip(
        self, guarded: Guarded, what: str, kept: Sequence[Any], given: Sequence[Any] | None
    ) -> Sequence[Any] | None:
        """Leave out the gate's tags; where the model is only observed, tell it."""
        self.journal.write(what, "the gate's tags were left out", enforced=guarded.enforces)
        return kept if guarded.enforces else given

    def warm(self, move: GoingLive) -> None:
        """Begin to hash a version's files: there is evidence about them now."""
        try:
            registry = self._registry(trust_file.load(self.settings.now().trust))
            found = self.prover.find(move.name, move.version, move.workspace, registry)
            if found.files is not None:
                self.prover.hashes.begin(found.place.uri, registry, found.files)
        except Exception:  # the tag is set; whoever sets an alias is told what is wrong
            _logger.debug("not hashed yet: %s", move, exc_info=True)

    def refuse_frozen(self, places: Sequence[str], shown: str) -> None:
        """Refuse to write where a judged or live version's files lie, *shown* as it was asked."""
        settings = self.settings.now()
        stages = any(one.stages for one in settings.models)
        known, locations = self.resolved, self.rows.locations(stages=stages)
        self.frozen[:] = [known.get(one) or self._at(one) for one in locations]
        if not self.was_frozen(places):
            return
        for kept in self.rows.kept(stages=stages):
            guarded = settings.guarded(kept.name)
            if guarded is None or not _is_kept(kept, guarded):
                continue
            at = self._at(kept.location)
            if any(overlap(at, one) for one in places):
                why = f"version {kept.version} of {kept.name!a} is frozen: {kept.reason()}"
                hint = "log it as a new model, and register that as a new version"
                self.refuse(guarded, f"to write {shown}", why, hint)

    def was_frozen(self, places: Sequence[str]) -> bool:
        """Whether a version's files lay there when this process looked last."""
        # a thousand of them, so without the call that `overlap` is
        frozen = tuple(self.frozen)
        return any(
            [at for at in frozen if one.startswith(at) or at.startswith(one)] for one in places
        )

    def _at(self, location: str) -> str:
        """Place of a version's files; for a location that leads nowhere one that nothing is at."""
        if location not in self.resolved:
            uri = location
            if location.startswith(_CHAINS):
                try:
                    registry = self._registry(trust_file.load(self.settings.now().trust))
                    uri = resolve(location, registry, self.prover.environ).artifact_uri
                except GateError:
                    return _NOWHERE
            self.resolved[location] = place(uri, self.prover.destination)
        return self.resolved[location]

    def _registry(self, trust: Trust) -> ServedRegistry:
        opened = open_registry(self.prover.environ, trust.sources_allow)
        if not isinstance(opened, ServedRegistry):
            raise UsageError("the server's registry is not served")
        return opened

    def _demand(self, guarded: Guarded, move: GoingLive) -> Demand:
        if self.strange:
            what = f"this MLflow has methods that the guard does not know: {self.strange}"
            hint = "use a version of aims-gate that knows this MLflow"
            raise UsageError(what, hint=hint)
        settings = self.settings.now()
        trust = trust_file.load(settings.trust)
        return Demand(
            guarded=guarded,
            trust=trust,
            registry=self._registry(trust),
            folder=settings.trust.parent,
            servers=identity.servers(settings, trust, self.environ),
            aliases=move.aliases,
            stages=move.stages,
        )

    def _find(self, move: GoingLive, asked: Demand) -> VersionState:
        return self.prover.find(move.name, move.version, move.workspace, asked.registry)

    def _prove(self, candidate: VersionState, move: GoingLive, asked: Demand) -> None:
        grounds = self.prover.prove(candidate, asked)
        if grounds:
            self.journal.write(move.what, f"{LET_THROUGH}: {grounds}", enforced=False)

    def _still(
        self, candidate: VersionState, move: GoingLive, asked: Demand, back: Callable[[], None]
    ) -> None:
        """Verify again what changed meanwhile: the disk and signed URLs know no locks."""
        try:
            if self.prover.changed(candidate, asked.registry):
                self._prove(self._find(move, asked), move, asked)
        except Exception:
            back()
            raise

    def _tell(self, guarded: Guarded, move: GoingLive) -> None:
        """Verify a move that is only observed: nothing that goes wrong may stop it."""
        try:
            asked = self._demand(guarded, move)
            self._prove(self._find(move, asked), move, asked)
        except Exception as error:  # noqa: BLE001  # it is told
            self._refused(guarded, move.what, error)

    def _refused(self, guarded: Guarded, what: str, error: Exception) -> Exception:
        found: Exception = refusal(what, error)
        if not isinstance(found, Busy):
            if not isinstance(error, GateError | Refused):
                _logger.error("aims-gate could not decide on %s", what, exc_info=error)
            why = found.why if isinstance(found, Refused) else str(found)
            self.journal.write(what, why, enforced=guarded.enforces)
        return found


def _is_kept(kept: Kept, guarded: Guarded) -> bool:
    """Whether the reason for which a version was found is one that counts for its model."""
    if kept.alias is not None:
        return guarded.guards_alias(kept.alias)
    return kept.stage is None or guarded.guards_stage(kept.stage)
