"""Documents that people write: strict YAML, typed keys, every problem at once with its line.

A kind of document is one file: models made of `keys.Keys` and the types beside it, and a `Kind`.
Its strictness, its messages and its JSON Schema come with that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import ValidationError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from aims_gate.documents.keys import Keys
from aims_gate.documents.messages import Later, problems
from aims_gate.documents.strict_yaml import Document, parse
from aims_gate.errors import PolicyError, Problem

M = TypeVar("M", bound=Keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[M]):
    """A kind of document: its model, its messages and its JSON Schema."""

    name: str
    """The value of `kind:`."""
    model: type[M]
    later: Later = field(default_factory=dict)

    def read(self, data: bytes, file: str) -> tuple[Document, M]:
        """Read a text; *file* is its name in messages.

        Raises:
            PolicyError: With every problem of the text, each with its line.
        """
        document = parse(data, file)
        if not isinstance(document.tree, dict):
            hint = f"begin with apiVersion: aims-gate/v1 and kind: {self.name}"
            what = f"this is no mapping of keys, as a {self.name.lower()} is"
            raise PolicyError([Problem(file=file, line=1, what=what, hint=hint)])
        try:
            return document, self.model.model_validate(document.tree)
        except ValidationError as error:
            raise PolicyError(self.problems(document, error)) from None

    def problems(self, document: Document, error: ValidationError) -> Iterator[Problem]:
        """Turn what the model refused into problems, each at its line."""
        return problems(document, error, self.model, self.later)

    def schema(self) -> Mapping[str, Any]:
        """JSON Schema (draft 2020-12) of such a file, for editors.

        It describes shape only: what `read` refuses beyond it (dates that do not exist, unknown
        rules) an editor will not see.
        """
        generated = self.model.model_json_schema(by_alias=True, schema_generator=_Generator)
        word = self.name.lower()
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": f"https://aims-gate.dev/schema/{word}.v1.schema.json",
            "title": f"aims-gate {word} v1",
            **_without_titles(generated),
        }


class _Generator(GenerateJsonSchema):
    """JSON Schema of the written form: without our defaults, and titles made from names."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


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
