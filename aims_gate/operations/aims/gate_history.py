"""Gate history: every verdict and every promotion that signed evidence tells of, oldest first.

What does not verify is no history: it stands under problems, with its place, and counts nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from aims_gate.attest import resource, trust_file
from aims_gate.attest.statement import envelope_file, statement_file
from aims_gate.attest.statement_files import read_statement
from aims_gate.attest.trust import Trust
from aims_gate.errors import GateError, TrustError
from aims_gate.evidence.predicates import PROMOTION, SUMMARY
from aims_gate.operations.report_evidence import EvidenceQuestion, read_past
from aims_gate.registry.choose import open_registry
from aims_gate.sinks.alias import ROLLBACK, written
from aims_gate.sources.mlflow.evidence import EXPERIMENT, FOLDER, PROMOTIONS, TAG_EVALUATION
from aims_gate.verdict import Authenticity, Verdict

LAST = 1000
"""Evaluations that are read from MLflow, the newest."""
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

    @property
    def unasked(self) -> str:
        """What whoever counts must know where MLflow was not asked; empty where it was."""
        told = "MLflow was not asked (--mlflow): verdicts that only it has are not counted here"
        return told if self.aliases is None else ""

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
        return tuple(f"not counted: {one}" for one in (*self.problems[:SHOWN], *last))

    def models(self) -> set[str]:
        """Names of models that an alias serves, or that a promotion served."""
        served = {one.model for one in self.moves}
        return served | {name for name, named in (self.aliases or {}).items() if named}


def read_history(asked: GateHistoryQuestion, *, now: datetime) -> GateHistory:
    """Read all evidence up to *now*; UsageError for a trust file that is not usable.

    SourceError if MLflow is to be asked and does not answer: without its aliases, what is live is
    not known.
    """
    trust = None if asked.trust is None else trust_file.load(asked.trust)
    problems: list[str] = []
    verdicts: dict[str, Verdict] = {}
    moves: list[AliasMove] = []
    places: dict[str, tuple[str, ...]] = {}
    found_at = list(_places(asked, problems))
    if trust is None and found_at:
        count = f"{len(found_at):,} evaluations, such as {found_at[0]}"
        problems.append(f"{count}: nothing is verified without a trust file, named by --trust")
    for place in found_at:
        if trust is None:
            break
        question = EvidenceQuestion(evidence=place, trust=asked.trust, environ=asked.environ)
        try:
            found = read_past(question, now=now)
        except GateError as error:
            problems.append(f"{place}: {error.what}")
            continue
        if found.standing is None or found.standing.authenticity is Authenticity.REFUSED:
            problems.append(f"{place}: {found.standing.told if found.standing else 'not read'}")
        elif found.evidence is not None and found.finished <= now:
            name = found.evidence.id
            if _facts(verdicts.setdefault(name, found)) != _facts(found):
                problems.append(f"{place}: says other than {places[name][0]} of {name}")
            places[name] = (*places.get(name, ()), place)
        moves += _moves(Path(place) / PROMOTIONS, trust, problems)
    return GateHistory(
        verdicts=tuple(sorted(verdicts.values(), key=lambda one: one.finished)),
        moves=tuple(sorted((one for one in moves if one.at <= now), key=lambda one: one.at)),
        aliases=_aliases(asked) if asked.mlflow else None,
        problems=tuple(problems),
        places=places,
    )


def _facts(verdict: Verdict) -> tuple[str | datetime, ...]:
    """What two copies of one verdict must agree on."""
    return verdict.model.digest, verdict.policy.digest, verdict.decision, verdict.finished


def _places(asked: GateHistoryQuestion, problems: list[str]) -> Iterator[str]:
    for folder in asked.folders:
        if not folder.is_dir():
            problems.append(f"{folder}: there is no such folder of evidence")
        for summary in sorted(folder.rglob(statement_file(SUMMARY.name))):
            yield str(summary.parent)
    if asked.mlflow:
        registry = open_registry(asked.environ)
        found = registry.runs(EXPERIMENT, last=LAST + 1)
        if len(found) > LAST:
            problems.append(f"MLflow has more than {LAST:,} evaluations; older ones were not read")
        for run in found[:LAST]:
            yield f"runs:/{run.run_id}/{FOLDER}/{run.tags.get(TAG_EVALUATION, '')}"


def _aliases(asked: GateHistoryQuestion) -> Mapping[str, Mapping[str, str]]:
    registry = open_registry(asked.environ)
    return {name: registry.aliases(name) for name in registry.model_names()}


def _moves(folder: Path, trust: Trust, problems: list[str]) -> Iterator[AliasMove]:
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
            problems.append(f"{path}: {error.what}")
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
