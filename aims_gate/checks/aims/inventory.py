"""AI system inventory: the registry and the records hold the same models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from aims_gate.checks.contract import About, Inputs, NoDataError, StatisticSpec
from aims_gate.checks.record_cells import (
    COUNTS,
    chosen,
    counted,
    faults,
    missing,
    records_of,
    texts,
)
from aims_gate.facts import Statistic
from aims_gate.governance.contract import RecordDocument, Records
from aims_gate.sources.subject import ServedModel

_SERVED = "production"
_STAGE = "Production"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """Whether each served model has an inventory entry, and each entry a model."""

    about: ClassVar[About] = About(
        name="aims.inventory",
        summary="Whether the registry serves what the inventory lists, and nothing else.",
        definition=COUNTS
        + (
            "system: this model's registered name is listed by the system's record; each name that "
            "it lists has a version in the registry, and is served in lifecycle production only. "
            "organisation: each of its systems is in the registry, and each model that the "
            "registry serves is one of its systems. A model is served while "
            "one of the aliases, or MLflow's stage Production, names a version. MISSING: no "
            "record, no registered name, or a list that is not there."
        ),
        controls=("iso42001:4.3", "iso42001:A.4.2"),
        beside=True,
        undecided=(
            "the model has no registered name, or its registry does not answer",
            "the organisation's record lists no systems",
        ),
    )

    aliases: tuple[str, ...] = ("champion",)
    """Aliases by which models are served."""

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic: the number of contradictions."""
        return counted()

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Refuse no alias, by which nothing would be served."""
        if not self.aliases or not all(one.strip() for one in self.aliases):
            yield "aliases", "names no alias, or an empty one", "such as [champion]"

    def measure(self, inputs: Inputs) -> Iterator[Statistic]:
        """Compare both ways; NoDataError if there are no records, or no registry to compare."""
        records, subject = records_of(inputs), inputs.subject
        if subject.models is None or not subject.model.registered:
            raise NoDataError("the model is of no registry", hint="gate models:/NAME/VERSION")
        models = {one.name: one for one in subject.models()}
        yield from self._system(records, subject.model.registered, models)
        yield from self._organisation(records, models)

    def _system(
        self, records: Records, name: str, models: dict[str, ServedModel]
    ) -> Iterator[Statistic]:
        for system in chosen(records, ("system",)):
            if isinstance(system, Statistic):
                yield system
                continue
            listed = texts(system.values.get("registry"))
            wrong = [] if name in listed else [f"{system.path} does not list it"]
            yield faults(name, wrong)
            for one in listed:
                yield faults(f"{system.path} {one}", self._entry(system, models.get(one)))

    def _entry(self, system: RecordDocument, model: ServedModel | None) -> Iterator[str]:
        lifecycle = system.values.get("lifecycle")
        if model is None or not model.newest:
            yield "an entry without a version in the registry" + _why(model)
        elif lifecycle != _SERVED and self._served(model):
            yield f"in {lifecycle}, and {self._served(model)}"

    def _organisation(
        self, records: Records, models: dict[str, ServedModel]
    ) -> Iterator[Statistic]:
        for record in chosen(records, ("organisation",)):
            if isinstance(record, Statistic):
                yield record
                continue
            systems = texts(record.values.get("systems"))
            if not systems:
                yield missing(f"{record.path} systems", "it lists no systems")
                continue
            absent = [one for one in systems if not getattr(models.get(one), "newest", "")]
            told = [f"{one} has no version in the registry" for one in absent]
            yield faults(f"{record.path} systems", told)
            strangers = [
                f"{one.name}: {self._served(one) or 'cannot be read'}{_why(one)}, without an entry"
                for one in models.values()
                if one.name not in systems and (self._served(one) or one.problem)
            ]
            yield faults("served models", strangers)

    def _served(self, model: ServedModel) -> str:
        """Say what serves a model; empty where nothing does."""
        for alias in self.aliases:
            if alias in model.aliases:
                return f"@{alias} is version {model.aliases[alias]}"
        version = model.stages.get(_STAGE)
        return f"{_STAGE} is version {version}" if version else ""


def _why(model: ServedModel | None) -> str:
    return f" ({model.problem})" if model is not None and model.problem else ""
