"""The champion: the model version that an alias points at, and its logged predictions.

Its answers are what `log_evaluation` left in its own training run. They are a claim of that run's
author, as ours are of ours; labels are compared when the rows are matched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from aims_gate.errors import DataError, GateError, SourceError
from aims_gate.policy.model import DataSpec, Policy, Role
from aims_gate.policy.scalars import SCORES
from aims_gate.registry.contract import NotFoundError, Registry
from aims_gate.registry.entities import RunRecord
from aims_gate.sources.bound import Owner, answers_of
from aims_gate.sources.data import open_found, open_scores
from aims_gate.sources.locate import Finder, convention
from aims_gate.sources.mlflow.resolve import Resolved, resolve
from aims_gate.sources.subject import ChampionModel, Data


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundChampion:
    """What an alias points at, and where it lies."""

    champion: ChampionModel
    place: Resolved | None = None
    problem: DataError | None = None
    """Why what it points at cannot be used."""

    @property
    def run(self) -> RunRecord | None:
        """The run that made it, where there still is one."""
        return self.place.run if self.place else None


def find(
    alias: str, candidate: Resolved, registry: Registry, environ: Mapping[str, str]
) -> FoundChampion | None:
    """Look up an alias, once; None if no registered model is named or none exists.

    Args:
        alias: `ALIAS` of the candidate's registered model, or `NAME@ALIAS` of another.
        candidate: The model that is judged.
        registry: The candidate's registry.
        environ: The process's environment.

    Raises:
        SourceError: MLflow cannot be read.
    """
    name, at, word = alias.rpartition("@")
    if not at:
        name = candidate.name if candidate.version else ""
    if not name:
        return None
    try:
        version = registry.aliases(name).get(word)
    except NotFoundError:
        return None
    asked = f"{name}@{word}"
    if version is None:
        return FoundChampion(champion=ChampionModel(alias=asked))
    champion = ChampionModel(alias=asked, uri=f"models:/{name}/{version}")
    try:
        place = resolve(champion.uri, registry, environ)
    except (NotFoundError, SourceError) as error:
        return FoundChampion(champion=champion, problem=DataError(error.what, where=champion.uri))
    same = place.artifact_uri.rstrip("/") == candidate.artifact_uri.rstrip("/")
    return FoundChampion(champion=replace(champion, is_candidate=same), place=place)


def answers(
    found: FoundChampion, finder: Finder, owner: Owner, asked: object = None
) -> Data | DataError | None:
    """Read what the champion's run logged as its evaluation; None if it logged nothing.

    Its columns are described by `data.champion` of the policy, and for the rest by the roles that
    were logged with them.

    Args:
        found: A champion that is not the candidate.
        finder: Finds the artifacts of the champion's run.
        owner: The champion, whose answers they must be.
        asked: The evaluation data of the caller: scores of a judge are compared
            with the champion's own.
    """
    if found.problem is not None:
        return found.problem
    if found.run is not None and found.run.deleted:
        return DataError(
            "the champion's training run is deleted, and its answers with it",
            where=found.champion.uri,
            hint=f"restore it with: mlflow runs restore --run-id {found.run.run_id}",
        )
    try:
        spec = _spec(finder.policy)
        data = open_scores(Role.CHAMPION, spec, _asked(finder.policy, asked), finder)
        if data is None:
            located = finder.locate(convention(Role.EVALUATION), role=Role.EVALUATION)
            if located is None:
                return None
            data = open_found(Role.CHAMPION, spec, located, finder)
        data = answers_of(data, owner)
        return data if Role.CHAMPION in finder.policy.data else _unlabelled(data)
    except GateError as error:
        return DataError(error.what, where=error.where, hint=error.hint)


def _asked(policy: Policy, asked: object) -> str:
    """Scorer URI of the evaluation data, without its run; empty if they are other data."""
    source = policy.data.get(Role.EVALUATION, DataSpec()).source
    text = (source if asked is None else asked) or ""
    _, scores, scorer = (text if isinstance(text, str) else "").partition(f"{SCORES}:")
    return scores + scorer


def _unlabelled(data: Data) -> Data:
    """Take back a label that was only assumed: answers are compared by key with or without one."""
    if data.spec.label in data.frame.columns:
        return data
    return replace(data, spec=replace(data.spec, label=None))


def _spec(policy: Policy) -> DataSpec:
    """Say what the champion's columns mean: as stated for it, else as for the evaluation data."""
    if Role.CHAMPION in policy.data:
        return policy.data[Role.CHAMPION]
    ours = policy.data.get(Role.EVALUATION, DataSpec())
    asks = ours.predictions is not None
    return DataSpec(
        label=ours.label,
        prediction=None if asks else ours.prediction,
        score=None if asks else ours.score,
        threshold=ours.threshold,
        positive=ours.positive,
        task=ours.task,
        key=ours.key,
    )
