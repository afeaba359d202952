"""The grammar of a policy file: every key there is, and no other.

The models say what may be written; what a policy then means is built in `resolve`. No key may be
null, and a key that a later version will read is refused here, never ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    model_validator,
)
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from aims_gate.policy import vocabulary as v
from aims_gate.policy.scalars import refuse

SCHEMA_ID = "https://aims-gate.dev/schema/policy.v1.schema.json"


def _optional(alias: str | None = None) -> Any:
    """Declare a key that may be left out, but not be null."""
    return Field(default=None, alias=alias)


def _some(value: object) -> object:
    if value == []:
        raise refuse("is an empty list", "leave the key out")
    return value


class _Keys(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, validate_default=False)


class MetadataText(_Keys):
    """What the policy is called, who answers for it, and until when it holds (exclusive, UTC)."""

    id: v.Name
    version: v.Version
    owner: v.Text = _optional()
    expires: v.Instant = _optional()


class ParentText(_Keys):
    """A policy to start from, which this one may only tighten."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {
                    "required": ["pack"],
                    "not": {"anyOf": [{"required": ["uri"]}, {"required": ["sha256"]}]},
                },
                {"required": ["uri", "sha256"], "not": {"required": ["pack"]}},
            ]
        }
    )

    pack: v.Pin = _optional()
    uri: v.ParentUri = _optional()
    sha256: v.Digest = _optional()

    @model_validator(mode="after")
    def _one_that_is_pinned(self) -> Self:
        stated = self.model_fields_set
        if len(stated & {"pack", "uri"}) != 1:
            raise refuse("must name one parent", "write pack: NAME@VERSION, or uri: and sha256:")
        if "pack" in stated and "sha256" in stated:
            raise refuse("is a pack with a sha256", "a pack is pinned by its version")
        if "uri" in stated and "sha256" not in stated:
            raise refuse(f"is not pinned: {self.uri}", "aims-gate policy pin adds its sha256")
        return self


class AppliesText(_Keys):
    """Glob patterns of model names, and stages; what is left out is not restricted."""

    models: v.Words = _optional()
    stages: v.Stages = _optional()


class SourcesText(_Keys):
    """Folders from which data may be read that a run or the policy names by a URI."""

    allow: v.Allowed = _optional()


class JoinText(_Keys):
    """Columns kept elsewhere: one row there for each row here, found by the key *on*."""

    source: v.Source
    on: v.Text
    columns: v.Words = _optional()


class WindowText(_Keys):
    """The newest part of the data: less than so many days before the newest row's time."""

    days: v.Window


class DataText(_Keys):
    """Where the data of a role come from, and what their columns mean."""

    source: v.Source = _optional()
    label: v.Text = _optional()
    prediction: v.Text = _optional()
    predictions: v.Predictions = _optional()
    environment: v.Environment = _optional()
    score: v.Score = _optional()
    threshold: v.Number = _optional()
    positive: v.Label = _optional()
    task: v.TaskWord = _optional()
    key: v.Text = _optional()
    query: v.Text = _optional()
    weight: v.Text = _optional()
    time: v.Text = _optional()
    sensitive: v.Columns = _optional()
    types: v.Types = _optional()
    nulls: v.Words = _optional()
    join: Annotated[list[JoinText], BeforeValidator(_some), Field(min_length=1)] = _optional()
    window: WindowText = _optional()
    sha256: v.Digest = _optional()
    min_rows: v.MinRows = _optional()
    max_age_days: v.Days = _optional()
    max_null_labels: v.Share = _optional()


class RolesText(_Keys):
    """Data by role."""

    evaluation: DataText = _optional()
    reference: DataText = _optional()
    current: DataText = _optional()
    champion: DataText = _optional()
    perturbed: DataText = _optional()


class RequireText(_Keys):
    """What a value is held against: at_least, at_most or between, and where to warn."""

    at_least: v.Number = _optional()
    at_most: v.Number = _optional()
    between: v.Range = _optional()
    warn_below: v.Number = _optional()
    warn_above: v.Number = _optional()


class BaselineText(_Keys):
    """Debt that was there when the rule came: its value still passes, as a warning, for a time."""

    value: v.Number
    owner: v.Text
    expires: v.Instant


class RuleText(_Keys):
    """One requirement; `check` may be left out where a parent's rule of that id has one."""

    id: v.RuleId
    title: v.Text = _optional()
    check: v.Text = _optional()
    parameters: dict[str, v.Tree] = _optional(alias="with")
    on: v.RoleWord = _optional()
    require: RequireText = _optional()
    decide_on: v.DecideOnWord = _optional()
    severity: v.SeverityWord = _optional()
    serious: v.Number = _optional()
    effective_from: v.Instant = _optional()
    baseline: BaselineText = _optional()
    applies_to: AppliesText = _optional()
    max_age_days: v.Days = _optional()
    grace_days: v.Grace = _optional()
    controls: v.Words = _optional()
    why: v.Text = _optional()
    approved_by: v.Text = _optional()
    on_insufficient: v.InsufficientWord = _optional()
    engine: v.Engine = _optional()
    overridable: v.Words = _optional()


class CellText(_Keys):
    """A made-up measurement; a null value is one that is not defined."""

    slice: v.Text = _optional()
    value: v.NumberOrNull = _optional()
    low: v.Number = _optional()
    high: v.Number = _optional()
    rows: v.Rows = _optional()


class _Nothing:
    """`{}` and the word `absent` are no cells: nothing was measured."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        empty = {"type": "object", "maxProperties": 0}
        return {"anyOf": [handler(schema), empty, {"const": "absent"}]}


Cells = Annotated[
    list[CellText],
    BeforeValidator(lambda value: [] if value in ({}, "absent") else value),
    _Nothing,
]


class TestText(_Keys):
    """A test of the policy itself: made-up measurements, and what they must lead to."""

    __test__ = False  # not pytest's

    name: v.Text
    given: dict[v.RuleId, Cells] = _optional()
    at: v.Instant = _optional()
    stage: v.Name = _optional()
    expect: v.Expected


class PolicyText(_Keys):
    """A policy of aims-gate: which model may move to which stage."""

    api_version: v.ApiVersion = Field(alias="apiVersion")
    kind: v.Kind
    metadata: MetadataText
    extends: list[ParentText] = _optional()
    stages: v.Stages = _optional()
    applies_to: AppliesText = _optional()
    sources: SourcesText = _optional()
    engine: v.Engine = _optional()
    alpha: v.Alpha = _optional()
    alpha_scope: v.AlphaScope = _optional()
    alpha_families: v.Families = _optional()
    on_insufficient: v.InsufficientWord = _optional()
    data: RolesText = _optional()
    declare: v.Declared = _optional()
    overridable: v.Words = _optional()
    rules: list[RuleText] = _optional()
    tests: list[TestText] = _optional()


LATER: Mapping[tuple[type[BaseModel], str], str] = {
    (PolicyText, "waivers"): "waivers come as signed files, not in the policy",
}
"""Keys that a later version will read, with what to do until then."""


class _Generator(GenerateJsonSchema):
    """Describes what is written: no defaults of ours, no titles made from names."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


def schema() -> dict[str, Any]:
    """Give the JSON Schema (draft 2020-12) of a policy file, for editors.

    It describes shape only: what `read` refuses beyond it (dates that do not exist, unknown rules)
    an editor will not see.
    """
    generated = PolicyText.model_json_schema(by_alias=True, schema_generator=_Generator)
    plain = _without_titles(generated)
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": dialect, "$id": SCHEMA_ID, "title": "aims-gate policy v1", **plain}


def _without_titles(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_titles(item) for item in node]
    if not isinstance(node, dict):
        return node
    # a property may be called title; its value is a schema, not text
    return {
        key: _without_titles(value)
        for key, value in node.items()
        if not (key == "title" and isinstance(value, str))
    }
