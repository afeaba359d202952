"""The grammar of a policy file: every key there is, and no other.

The models say what may be written; what a policy then means is built in `resolve`. No key may be
null, and a key that a later version will read is refused here, never ignored.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from aims_gate.documents import Kind
from aims_gate.documents import keys as k
from aims_gate.documents.keys import Keys, optional, refuse
from aims_gate.policy import vocabulary as v


class MetadataText(Keys):
    """What the policy is called, who answers for it, and until when it holds (exclusive, UTC)."""

    id: k.Name
    version: k.Version
    owner: k.Text = optional()
    expires: k.Instant = optional()


class ParentText(Keys):
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

    pack: v.Pin = optional()
    uri: v.ParentUri = optional()
    sha256: k.Digest = optional()

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


class AppliesText(Keys):
    """Glob patterns of model names, and stages; what is left out is not restricted."""

    models: k.Words = optional()
    stages: v.Stages = optional()


class SourcesText(Keys):
    """Folders from which data may be read that a run or the policy names by a URI."""

    allow: v.Allowed = optional()


class JoinText(Keys):
    """Columns kept elsewhere: one row there for each row here, found by the key *on*."""

    source: v.Source
    on: k.Text
    columns: k.Words = optional()


class WindowText(Keys):
    """The newest part of the data: less than so many days before the newest row's time."""

    days: v.Window


class DataText(Keys):
    """Where the data of a role come from, and what their columns mean."""

    source: v.Source = optional()
    label: k.Text = optional()
    prediction: k.Text = optional()
    predictions: v.Predictions = optional()
    environment: v.Environment = optional()
    score: v.Score = optional()
    threshold: k.Number = optional()
    positive: v.Label = optional()
    task: v.TaskWord = optional()
    key: k.Text = optional()
    query: k.Text = optional()
    weight: k.Text = optional()
    time: k.Text = optional()
    sensitive: v.Columns = optional()
    types: v.Types = optional()
    nulls: k.Words = optional()
    join: Annotated[list[JoinText], k.NOT_EMPTY, Field(min_length=1)] = optional()
    window: WindowText = optional()
    sha256: k.Digest = optional()
    min_rows: v.MinRows = optional()
    max_age_days: v.Days = optional()
    max_null_labels: v.Share = optional()


class RolesText(Keys):
    """Data by role."""

    evaluation: DataText = optional()
    reference: DataText = optional()
    current: DataText = optional()
    champion: DataText = optional()
    perturbed: DataText = optional()


class RequireText(Keys):
    """What a value is held against: at_least, at_most or between, and where to warn."""

    at_least: k.Number = optional()
    at_most: k.Number = optional()
    between: v.Range = optional()
    warn_below: k.Number = optional()
    warn_above: k.Number = optional()


class BaselineText(Keys):
    """Debt that was there when the rule came: its value still passes, as a warning, for a time."""

    value: k.Number
    owner: k.Text
    expires: k.Instant


class RuleText(Keys):
    """One requirement; `check` may be left out where a parent's rule of that id has one."""

    id: v.RuleId
    title: k.Text = optional()
    check: k.Text = optional()
    parameters: dict[str, v.Tree] = optional(alias="with")
    on: v.RoleWord = optional()
    require: RequireText = optional()
    decide_on: v.DecideOnWord = optional()
    severity: v.SeverityWord = optional()
    serious: k.Number = optional()
    effective_from: k.Instant = optional()
    baseline: BaselineText = optional()
    applies_to: AppliesText = optional()
    max_age_days: v.Days = optional()
    grace_days: v.Grace = optional()
    controls: k.Words = optional()
    why: k.Text = optional()
    approved_by: k.Text = optional()
    on_insufficient: v.InsufficientWord = optional()
    engine: v.Engine = optional()
    overridable: k.Words = optional()


class CellText(Keys):
    """A made-up measurement; a null value is one that is not defined."""

    slice: k.Text = optional()
    value: v.NumberOrNull = optional()
    low: k.Number = optional()
    high: k.Number = optional()
    rows: v.Rows = optional()


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


class TestText(Keys):
    """A test of the policy itself: made-up measurements, and what they must lead to."""

    __test__ = False  # not pytest's

    name: k.Text
    given: dict[v.RuleId, Cells] = optional()
    at: k.Instant = optional()
    stage: k.Name = optional()
    expect: v.Expected


class PolicyText(Keys):
    """A policy of aims-gate: which model may move to which stage."""

    api_version: k.ApiVersion = Field(alias="apiVersion")
    kind: v.Kind
    metadata: MetadataText
    extends: list[ParentText] = optional()
    stages: v.Stages = optional()
    applies_to: AppliesText = optional()
    sources: SourcesText = optional()
    engine: v.Engine = optional()
    alpha: v.Alpha = optional()
    alpha_scope: v.AlphaScope = optional()
    alpha_families: v.Families = optional()
    on_insufficient: v.InsufficientWord = optional()
    data: RolesText = optional()
    declare: v.Declared = optional()
    overridable: k.Words = optional()
    rules: list[RuleText] = optional()
    tests: list[TestText] = optional()


POLICY = Kind(
    name="Policy",
    model=PolicyText,
    later={(PolicyText, "waivers"): "waivers come as signed files, not in the policy"},
)
