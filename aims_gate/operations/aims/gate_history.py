"""Gate history: every verdict and every promotion that signed evidence tells of, oldest first.

What does not verify is no history: it stands under problems, with its place, and counts nowhere.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from aims_gate.attest import resource, trust_file
from aims_gate.attest.statement import envelope_file, statement_file
from aims_gate.attest.statement_files import read_statement
from aims_gate.attest.trust import Trust
from aims_gate.errors import GateError, TrustError
from aims_gate.evidence.predicates import PROMOTION, SUMMARY
from aims_gate.evidence.revocations import FOLDER as REVOCATIONS
from aims_gate.evidence.revocations import unrevoked
from aims_gate.operations.evidence import is_uri
from aims_gate.operations.report_evidence import EvidenceQuestion, read_past
from aims_gate.registry.choose import open_registry
from aims_gate.registry.contract import NotFoundError
from aims_gate.sinks.alias import ROLLBACK, written
from aims_gate.sources.mlflow.evidence import (
    EXPERIMENT,
    FOLDER,
    PROMOTIONS,
    TAG_EVALUATION,
    copy_promotions,
)
from aims_gate.verdict import Authenticity, Verdict

LAST = 1000
"""Evaluations that are read from MLflow, the newest."""
MOST_COPIED = 2**29
"""Bytes of what MLflow has that stay in a folder of copies; the rest is read, and not kept."""
CHAMPION = "champion"
SHOWN = 10
"""Problems that a sheet lists; all of them stand in the history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateHistoryQuestion:
    """Where evidence lies, and by whose keys it is believed."""

    folders: tuple[Path, ...] = ()
    """Folders below which evidence directories lie, at any depth."""
    trust: Path | None = None
    """None believes nothing, which a problem then says."""
    mlflow: bool = False
    """Whether MLflow is asked: which versions aliases name today, and for published evidence."""
    copies: Path | None = None
    """A folder of ours where what MLflow has stays, up to `MOST_COPIED`; None keeps none of it."""
    environ: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasMove:
    """A signed promotion or rollback of a registered model."""

    model: str
    version: str
    alias: str
    at: datetime
    who: str
    rollback: bool
    digest: str
    """Of the model's manifest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateHistory:
    """What the gate did, as far as signatures prove it."""

    verdicts: tuple[Verdict, ...] = ()
    """Signed by a trusted key; some have expired since."""
    moves: tuple[AliasMove, ...] = ()
    aliases: Mapping[str, Mapping[str, str]] | None = None
    """Versions by alias by model, as MLflow has them today; None where it was not asked."""
    problems: tuple[str, ...] = ()
    places: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By evidence id, where each verdict was read: folders before MLflow."""
    folders: Mapping[str, Path] = field(default_factory=dict)
    """By evidence id, a folder with its files: where it was read, or a copy of what MLflow has."""
    elsewhere: frozenset[str] = frozenset()
    """Ids of evidence about no version of the registry: a name that its author chose, or, where
    the trust file names servers, another server than the one that was asked."""
    published: bool = True
    """Whether MLflow holds any evaluation, where it was asked."""

    @property
    def of_mlflow(self) -> str:
        """What whoever counts must know: MLflow was not asked, or holds nothing; else empty."""
        if self.aliases is None:
            return "MLflow was not asked (--mlflow): verdicts that only it has are not counted here"
        return "" if self.published else "MLflow holds no evidence"

    def live(self, model: str) -> str:
        """Version that the champion alias names: by MLflow, else by the last signed promotion."""
        if self.aliases is not None:
            return self.aliases.get(model, {}).get(CHAMPION, "")
        moved = [one for one in self.moves if (one.model, one.alias) == (model, CHAMPION)]
        return moved[-1].version if moved else ""

    def uncounted(self) -> tuple[str, ...]:
        """What did not count, in as many lines as a person reads."""
        more = len(self.problems) - SHOWN
        last = (f"{more:,} more places of evidence",) if more > 0 else ()
        counted = tuple(f"not counted: {one}" for one in (*self.problems[:SHOWN], *last))
        return counted if self.published else (self.of_mlflow, *counted)

    def models(self) -> set[str]:
        """Names of models that an alias serves, or that a promotion served."""
        served = {one.model for one in self.moves}
        return served | {name for name, named in (self.aliases or {}).items() if named}


def read_history(asked: GateHistoryQuestion, *, now: datetime) -> GateHistory:
    """Read all evidence up to *now*; UsageError for a trust file that is not usable.

    SourceError if MLflow is to be asked and does not answer: without its aliases, what is live is
    not known.
    """
    trust = None
    if asked.trust is not None:
        trust = unrevoked(trust_file.load(asked.trust), asked.trust.parent / REVOCATIONS, now=now)
    read = _Reading(asked=asked, trust=trust, now=now, left=MOST_COPIED)
    here, published = list(_here(asked, read.problems)), list(_published(asked, read.problems))
    found_at = [*here, *published]
    if trust is None and found_at:
        count = f"{len(found_at):,} evaluations, such as {found_at[0]}"
        read.problems.append(f"{count}: nothing is verified without a trust file, named by --trust")
    for place in found_at if trust is not None else ():
        read.place(place)
    return GateHistory(
        verdicts=tuple(sorted(read.verdicts.values(), key=lambda one: one.finished)),
        moves=tuple(sorted(read.moves, key=lambda one: one.at)),
        aliases=_aliases(asked) if asked.mlflow else None,
        problems=tuple(read.problems),
        places=read.places,
        folders=read.folders,
        elsewhere=frozenset(_elsewhere(read.verdicts, trust, asked)),
        published=bool(published) or not asked.mlflow,
    )


def _elsewhere(
    verdicts: Mapping[str, Verdict], trust: Trust | None, asked: GateHistoryQuestion
) -> Iterator[str]:
    if trust is None:
        return
    server = trust.server(open_registry(asked.environ).server) if asked.mlflow else ""
    for name, verdict in verdicts.items():
        about = resource.parse(verdict.model.resource_uri, servers=trust.servers, where=name)
        there = replace(about, server=server) if server and trust.servers else about
        if not about.registered or not resource.stands_for(about, there, trust.copies):
            yield name


@dataclass(slots=True, kw_only=True)
class _Reading:
    """What was read so far, of one place of evidence after the other."""

    asked: GateHistoryQuestion
    trust: Trust | None
    now: datetime
    left: int
    """Bytes for which there is room among the copies."""
    problems: list[str] = field(default_factory=list)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    moves: list[AliasMove] = field(default_factory=list)
    places: dict[str, tuple[str, ...]] = field(default_factory=dict)
    folders: dict[str, Path] = field(default_factory=dict)

    def place(self, place: str) -> None:
        """Read the evidence at a place, and the promotions beside it."""
        with ExitStack() as stack:
            folder = Path(place)
            if is_uri(place):
                folder = Path(tempfile.mkdtemp(prefix="aims-gate-", dir=self.asked.copies))
                stack.callback(shutil.rmtree, folder)
            name = self._verdict(place, folder)
            if not is_uri(place) or any(folder.iterdir()):  # what cannot be read is told once
                self._promotions(place, folder)
            if name and name not in self.folders and self._stays(place, folder):
                self.folders[name] = folder
                stack.pop_all()

    def _stays(self, place: str, folder: Path) -> bool:
        """Whether a folder of evidence is ours to look at later, or fits among the copies."""
        if not is_uri(place):
            return True
        size = sum(one.stat().st_size for one in folder.rglob("*"))
        fits = self.asked.copies is not None and size <= self.left
        self.left -= size if fits else 0
        return fits

    def _verdict(self, place: str, folder: Path) -> str:
        """Id of the evidence at a place; empty where it does not count."""
        environ, trust = self.asked.environ, self.asked.trust
        question = EvidenceQuestion(
            evidence=place, trust=trust, deploying=False, environ=environ, copy=folder
        )
        try:
            found = read_past(question, now=self.now)
        except GateError as error:
            self.problems.append(f"{place}: {error.what}")
            return ""
        if found.standing is None or found.standing.authenticity is Authenticity.REFUSED:
            why = found.standing.told if found.standing else "not read"
            self.problems.append(f"{place}: {why}")
            return ""
        if found.evidence is None or found.finished > self.now:
            return ""
        name = found.evidence.id
        places = self.places.get(name, ())
        if _facts(self.verdicts.setdefault(name, found)) != _facts(found):
            self.problems.append(f"{place}: says other than {places[0]} of {name}")
            name = ""
        self.places[found.evidence.id] = (*places, place)
        return name

    def _promotions(self, place: str, folder: Path) -> None:
        """Promotions beside evidence; one that lies in two places is one."""
        trust = self.trust or Trust(keys=())
        try:
            if is_uri(place):
                copy_promotions(place, folder / PROMOTIONS, self.asked.environ, trust.sources_allow)
        except GateError as error:
            self.problems.append(f"{place}: its promotions could not be read: {error.what}")
        for move in _moves(folder / PROMOTIONS, place, trust, self.problems):
            if move.at <= self.now and move not in self.moves:
                self.moves.append(move)


def _facts(verdict: Verdict) -> tuple[str | datetime, ...]:
    """What two copies of one verdict must agree on."""
    return verdict.model.digest, verdict.policy.digest, verdict.decision, verdict.finished


def _here(asked: GateHistoryQuestion, problems: list[str]) -> Iterator[str]:
    for folder in asked.folders:
        if not folder.is_dir():
            problems.append(f"{folder}: there is no such folder of evidence")
        files = (statement_file(SUMMARY.name), envelope_file(SUMMARY.name))
        yield from sorted({str(one.parent) for name in files for one in folder.rglob(name)})


def _published(asked: GateHistoryQuestion, problems: list[str]) -> Iterator[str]:
    """Evaluations in MLflow, the newest first; none where nobody ever published one."""
    if not asked.mlflow:
        return
    try:
        found = open_registry(asked.environ).runs(EXPERIMENT, last=LAST + 1)
    except NotFoundError:
        return
    if len(found) > LAST:
        problems.append(f"MLflow has more than {LAST:,} evaluations; older ones were not read")
    for run in found[:LAST]:
        yield f"runs:/{run.run_id}/{FOLDER}/{run.tags.get(TAG_EVALUATION, '')}"


def _aliases(asked: GateHistoryQuestion) -> Mapping[str, Mapping[str, str]]:
    registry = open_registry(asked.environ)
    return {name: registry.aliases(name) for name in registry.model_names()}


def _moves(folder: Path, place: str, trust: Trust, problems: list[str]) -> Iterator[AliasMove]:
    """Promotions beside evidence, each as of its own day: a key may have expired since."""
    ending = envelope_file("")
    for path in sorted(folder.glob(f"*{ending}")):
        name = path.name.removesuffix(ending)
        try:
            at = written(f"/{name}")
            found = read_statement(folder, name, PROMOTION, trust=trust, now=at)
            found.signer.refuse_frozen(found.said.promoted_on)
            if found.said.promoted_on != at:
                raise TrustError("its name tells another time than it does")
            where = resource.parse(found.said.resource_uri, servers=trust.servers, where=name)
        except GateError as error:
            problems.append(f"{place}/{PROMOTIONS}/{path.name}: {error.what}")
            continue
        yield AliasMove(
            model=where.name,
            version=where.version,
            alias=found.said.alias,
            at=at,
            who=found.signer.person,
            rollback=found.said.action == ROLLBACK,
            digest=found.statement.subject,
        )
