"""Keys of the documents of one AI system."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from aims_gate.documents import keys as k
from aims_gate.documents.keys import Keys, choice, optional, refuse, words
from aims_gate.governance.fields import (
    Day,
    Days,
    ObjectiveText,
    RecordId,
    RecordKeys,
    Score,
    Tree,
    WordsOrNone,
)
from aims_gate.governance.wording import Telling, Tellings

CATEGORIES = ("privacy", "bias", "failure", "security", "other")
LIFECYCLE = ("development", "production", "retired")
MODES = ("in-the-loop", "on-the-loop", "over-the-loop", "none")
_Category = Annotated[str, choice(*CATEGORIES), words(*CATEGORIES)]


class UseText(Keys):
    """What the system is for, and what it is not for."""

    text: Telling
    not_for: Tellings = optional()


class OversightText(Keys):
    """Human oversight: how people watch, who stops it, and by what runbook."""

    mode: Annotated[str, choice(*MODES), words(*MODES)]
    stop: k.Text
    operator: Telling


class PoliciesText(Keys):
    """The gate's policies, which are the plans of verification and of monitoring."""

    release: k.Text
    monitoring: k.Text = optional()


class RollbackText(Keys):
    """What is gone back to, and when that was tried last."""

    to: Telling
    tested: Day


class SystemText(RecordKeys):
    """The inventory entry of one AI system."""

    title: Telling
    risk_owner: k.Text
    tier: k.Text
    lifecycle: Annotated[str, choice(*LIFECYCLE), words(*LIFECYCLE)]
    registry: k.Words
    intended_use: UseText
    affected: Tellings
    oversight: OversightText
    contact: Telling
    objectives: Annotated[list[ObjectiveText], Field(min_length=1)]
    policy: PoliciesText
    rollback: RollbackText
    suppliers: k.Words = optional()
    """Ids of `org/suppliers.yaml`."""


class CostText(Keys):
    """Financial cost if the risk happens."""

    low: k.Number
    high: k.Number
    currency: k.Text


class LevelText(Keys):
    """Likelihood and severity, each from 1 to 5; their product is the level of a risk."""

    likelihood: Score
    severity: Score


class TreatmentText(Keys):
    """What lowers a risk: rules that run, and a procedure that people follow."""

    rules: k.Words = optional()
    runbook: k.Text = optional()
    text: Telling = optional()


class RiskText(Keys):
    """A risk, before and after its treatment."""

    id: RecordId
    category: _Category
    title: Telling
    stakeholders: Tellings
    cost: CostText
    regulations: WordsOrNone
    inherent: LevelText
    treatment: TreatmentText
    residual: LevelText


class RisksText(RecordKeys):
    """The risk register of one system."""

    risks: Annotated[list[RiskText], Field(min_length=1)]
    none: dict[_Category, Telling] = optional()
    """Categories without a risk, each with the reason."""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        ids = [one.id for one in self.risks]
        twice = next((one for one in ids if ids.count(one) > 1), None)
        if twice is not None:
            raise refuse(f"has two risks with the id {twice}", "give each one of its own")
        return self


class ImpactText(RecordKeys):
    """The impact assessment of one system."""

    groups: k.Words
    """Groups of people whom it may treat differently, such as the protected attributes."""
    retention: Days = optional()


class CardText(RecordKeys):
    """The model card: Hugging Face's keys beside our own."""

    license: k.Text = optional()
    license_name: k.Text = optional()
    license_link: k.Text = optional()
    language: Tree = optional()
    base_model: Tree = optional()
    base_model_relation: k.Text = optional()
    new_version: k.Text = optional()
    model_name: k.Text = optional()
    thumbnail: k.Text = optional()
    inference: Tree = optional()
    widget: Tree = optional()
    co2_eq_emissions: Tree = optional()
    library_name: k.Text = optional()
    pipeline_tag: k.Text = optional()
    datasets: Tree = optional()
    tags: Tree = optional()
    metrics: Tree = optional()
    model_digest: k.Digest = optional()
    model_version: k.Text = optional()
    model_index: Tree = optional(alias="model-index")


GENERATED = frozenset(
    {
        *("library_name", "pipeline_tag", "datasets", "tags", "metrics"),
        *("model_digest", "model_version", "model-index"),
    }
)
"""Keys of a card that may stand between the marks of what is generated."""


class ArchitectureText(RecordKeys):
    """Architecture: technical specification, and the data flow as a drawing in text."""

    inputs: k.Words = optional()
    """Columns that the drawing shows, held against the model's signature."""


class DataSheetText(RecordKeys):
    """The data sheet of one source."""

    source: k.Text
    licence: Telling
    lawful_basis: Telling
    personal_data: WordsOrNone
    purpose: Telling
    used_for: k.Words = optional()
    """Roles such as `training` and `evaluation`."""
    retention: Days = optional()
    supplier: k.Text = optional()


class RunbookText(RecordKeys):
    """A procedure that people follow, and when it was exercised last."""

    exercised: Day = optional()
