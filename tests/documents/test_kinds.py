"""Every kind of document is closed, strict and described, whoever wrote its models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from aims_gate.__main__ import guarded
from aims_gate.documents.kinds import KINDS
from aims_gate.errors import PolicyError, UsageError


def _objects(schema: Any) -> Iterator[dict[str, Any]]:
    """Give each description of a mapping with known keys."""
    if isinstance(schema, dict):
        if "properties" in schema and "additionalProperties" in schema:
            yield schema
        for value in schema.values():
            yield from _objects(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _objects(value)


def _told(name: str, text: str) -> str:
    with pytest.raises(PolicyError) as caught:
        KINDS[name].read(text.encode(), "it.yaml")
    return str(caught.value)


@pytest.mark.parametrize("name", KINDS)
def test_the_schema_of_every_kind_is_valid_and_closed(name: str) -> None:
    schema = KINDS[name].schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    closed = [one for one in _objects(schema) if one["additionalProperties"] is False]
    assert closed
    assert "default" not in json.dumps(schema)


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_tells_every_problem_at_once_with_its_line(name: str) -> None:
    """An unknown key with the nearest one, a key without a value, another kind, another root."""
    fields = KINDS[name].model.model_fields
    key = next(one for one in ("sources", "inbox", "expires") if one in fields)
    text = f"apiVersion: aims-gate/v1\nkind: {KINDS[name].name}s\n{key}:\n{key[:-1]}: 1\n"
    told = _told(name, text)
    assert f"it.yaml:2: kind must be '{KINDS[name].name}', not '{KINDS[name].name}s'" in told
    assert f"it.yaml:3: {key} has no value; write it or leave the key out" in told
    assert f"it.yaml:4: unknown key '{key[:-1]}'; did you mean '{key}'" in told
    assert f"begin with apiVersion: aims-gate/v1 and kind: {KINDS[name].name}" in _told(name, "- x")
    assert "duplicate key" in _told(name, "kind: a\nkind: b\n")


def test_the_command_line_prints_each_and_names_them(capsys: pytest.CaptureFixture[str]) -> None:
    for name in KINDS:
        assert guarded(["policy", "schema", name]) == 0
        assert json.loads(capsys.readouterr().out) == KINDS[name].schema()
    assert guarded(["policy", "schema", "trusts"]) == UsageError.exit_code
    assert "did you mean 'trust'" in capsys.readouterr().err
