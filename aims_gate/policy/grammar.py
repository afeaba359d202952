"""The grammar of a policy file: every key there is, and no other.

A key stands here once, with its type, the order by which a child may tighten it, and its default
where inheritance asks for one; reading, writing, comparing and the JSON Schema follow. Its value is
a field of `model`. No key may be null, and one that a later version will read is refused here.
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
from aims_gate.policy.model import ENGINES
from aims_gate.policy.tightness import (
    Order,
    added,
    among,
    equal,
    falling,
    free,
    inside,
    kept,
    narrower,
    none_or_same,
    ranked,
    rising,
    same_strictest,
    subset,
    superset,
    wider,
)

PROVEN_BY_DEFAULT = frozenset({"performance.champion"})
"""Checks that ask for a proof unless the rule says otherwise: a test asks each check."""
LAST = "block at the last stage"
"""What too little data do where nothing is said of them."""
FLOORS = ("min_rows", "max_age_days", "sha256")
"""Keys of a role that ask something of any data, and say nothing of what they are."""
DESCRIBING = ("source", "table", "label", "prediction", "sensitive")
"""Keys that say which data are judged: who states one means the role as it then is."""

_FREE = Order(free)
_ENGINE = ranked(ENGINES)
_REACTION = ranked(("warn", LAST, "block"))


class MetadataText(Keys):
    """What the policy is called, who answers for it, and until when it holds (exclusive, UTC)."""

    id: Annotated[k.Name, _FREE]
    version: Annotated[k.Version, _FREE]
    owner: Annotated[k.Text, _FREE] = optional()
    expires: Annotated[k.Instant, Order(falling("loosest"))] = optional()
    legal_status: Annotated[k.Text, _FREE] = optional()
    as_of: Annotated[k.Instant, _FREE] = optional()
    source: Annotated[k.Text, _FREE] = optional()


class AdoptedText(Keys):
    """A pack whose limits a named person took for the organisation's own."""

    pack: v.Pin
    by: k.Text
    day: k.Instant


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

    models: Annotated[k.Words, Order(added)] = optional()
    stages: Annotated[v.Stages, Order(added)] = optional()


class RuleAppliesText(AppliesText):
    """The scope of a rule, which a child may only widen."""

    models: Annotated[k.Words, Order(wider("*"))] = optional()
    stages: Annotated[v.Stages, Order(wider(""))] = optional()


class SourcesText(Keys):
    """Folders from which data may be read that a run or the policy names by a URI."""

    allow: Annotated[v.Allowed, Order(narrower)] = optional()


class RecordsText(Keys):
    """Where the records of the AI management system lie: of the system, and of the organisation."""

    system: Annotated[v.Folder, Order(added)] = optional()
    org: Annotated[v.FolderOrGit, Order(added)] = optional()


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
    table: v.TableName = optional()
    connection: k.Name = optional()
    label: k.Text = optional()
    prediction: k.Text = optional()
    predictions: v.Predictions = optional()
    environment: Annotated[v.Environment, Order(added, "gate")] = optional()
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
    snapshot: v.Snapshot = optional()
    sha256: Annotated[k.Digest, Order(added)] = optional()
    min_rows: Annotated[v.MinRows, Order(rising("loosest"))] = optional()
    max_age_days: Annotated[v.Days, Order(falling("loosest"))] = optional()
    max_null_labels: Annotated[v.Share, Order(falling("loosest"), 0.0)] = optional()


class RolesText(Keys):
    """Data by role."""

    evaluation: DataText = optional()
    reference: DataText = optional()
    current: DataText = optional()
    champion: DataText = optional()
    perturbed: DataText = optional()


class RequireText(Keys):
    """The threshold of a value: at_least, at_most or between, and where to warn."""

    at_least: Annotated[k.Number, Order(rising())] = optional()
    at_most: Annotated[k.Number, Order(falling())] = optional()
    between: Annotated[v.Range, Order(inside)] = optional()
    warn_below: Annotated[k.Number, Order(rising())] = optional()
    warn_above: Annotated[k.Number, Order(falling())] = optional()


class BaselineText(Keys):
    """Debt that was there when the rule came: its value still passes, as a warning, for a time.

    It lets through what the rule refuses, so a child may not bring one, only end its parent's
    earlier.
    """

    value: Annotated[k.Number, Order(none_or_same)]
    owner: Annotated[k.Text, Order(none_or_same)]
    expires: Annotated[k.Instant, Order(falling("tightest"))]


class RuleText(Keys):
    """One requirement; `check` may be left out where a parent's rule of that id has one."""

    id: v.RuleId
    title: Annotated[k.Text, _FREE] = optional()
    check: k.Text = optional()
    parameters: dict[str, v.Tree] = optional(alias="with")
    on: v.RoleWord = optional()
    require: RequireText = optional()
    decide_on: Annotated[v.DecideOnWord, Order(ranked(v.BURDENS, most="estimate"))] = optional()
    severity: Annotated[v.SeverityWord, Order(ranked(v.SEVERITIES), "block")] = optional()
    serious: k.Number = optional()
    effective_from: Annotated[k.Instant, Order(falling("tightest"))] = optional()
    baseline: BaselineText = optional()
    applies_to: RuleAppliesText = optional()
    max_age_days: Annotated[v.Days, Order(falling("loosest"))] = optional()
    grace_days: Annotated[v.Grace, Order(falling(), 0.0)] = optional()
    controls: Annotated[k.Words, Order(superset)] = optional()
    why: Annotated[k.Text, _FREE] = optional()
    approved_by: Annotated[k.Text, _FREE] = optional()
    on_insufficient: Annotated[v.InsufficientWord, Order(_REACTION)] = optional()
    engine: Annotated[v.Engine, Order(_ENGINE)] = optional()
    overridable: Annotated[k.Words, Order(subset)] = optional()


class WaiversText(Keys):
    """Which signed exceptions count, and for how long; a child may only ask for more."""

    max_days: Annotated[v.WaiverDays, Order(falling("loosest"))] = optional()
    max_active: Annotated[v.Rows, Order(falling("loosest"))] = optional()
    approvals: Annotated[v.MinRows, Order(rising("loosest"))] = optional()
    approvers: Annotated[k.Words, Order(among)] = optional()
    not_waivable: Annotated[v.RuleIds, Order(superset)] = optional()
    scope: Annotated[v.WaiverScope, Order(kept("version"))] = optional()


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

    api_version: Annotated[k.ApiVersion, _FREE] = Field(alias="apiVersion")
    kind: Annotated[v.Kind, _FREE]
    metadata: MetadataText
    extends: list[ParentText] = optional()
    adopted: Annotated[list[AdoptedText], _FREE] = optional()
    stages: Annotated[v.Stages, Order(same_strictest)] = optional()
    applies_to: AppliesText = optional()
    sources: SourcesText = optional()
    records: RecordsText = optional()
    engine: Annotated[v.Engine, Order(_ENGINE, "native")] = optional()
    alpha: Annotated[v.Alpha, Order(equal, 0.05)] = optional()
    alpha_scope: Annotated[v.AlphaScope, Order(equal, "rule")] = optional()
    alpha_families: v.Families = optional()
    on_insufficient: Annotated[v.InsufficientWord, Order(_REACTION, LAST)] = optional()
    data: RolesText = optional()
    declare: Annotated[v.Declared, Order(superset)] = optional()
    overridable: Annotated[k.Words, Order(subset)] = optional()
    waivers: WaiversText = optional()
    rules: list[RuleText] = optional()
    tests: list[TestText] = optional()


POLICY = Kind(name="Policy", model=PolicyText)
