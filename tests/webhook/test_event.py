"""Events of strangers' making: any bytes are an event, nothing, or refused, and never a crash."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aims_gate.webhook.event import EXAMPLE, MalformedError, RegistryEvent, parse_event
from aims_gate.webhook_signature import is_signed, sign
from tests.support.laws import law

NAMES = st.one_of(st.text(), st.sampled_from(["credit", EXAMPLE, "", "a\x00b", "\ud800"]))
ENTITIES = st.sampled_from(["model_version", "model_version_alias", "prompt", "", "webhook"])
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "entity": ENTITIES | VALUES,
        "action": st.sampled_from(["created", "set", "deleted"]) | VALUES,
        "workspace": NAMES | VALUES,
        "data": st.fixed_dictionaries({}, optional={"name": NAMES | VALUES}) | VALUES,
    },
)


def event_of(body: bytes) -> RegistryEvent | None:
    """The event, or None where there is none, refused or not."""
    try:
        return parse_event(body)
    except MalformedError:
        return None


@law(60)
@given(st.binary() | VALUES.map(lambda value: json.dumps(value).encode()))
@example(b"1" * 10_000)
@example(b'{"a":' * 50_000)
def test_no_bytes_make_it_crash(body: bytes) -> None:
    event_of(body)


@law(150)
@given(BODIES)
def test_an_event_has_a_name_that_a_database_and_a_log_can_hold(body: dict[str, Any]) -> None:
    event = event_of(json.dumps(body).encode())
    if event is None:
        return
    assert event.model == body["data"]["name"] != EXAMPLE
    for name in (event.model, event.workspace):
        name.encode()
        assert len(name) <= 256
        assert "\x00" not in name
        assert "\n" not in name


@law(100)
@given(st.binary(min_size=1, max_size=40), st.integers(0, 200), st.integers(1, 255))
def test_one_changed_byte_of_what_is_signed_breaks_it(body: bytes, at: int, by: int) -> None:
    signature = sign(b"secret", "id", "17", body)
    place = at % len(body)
    other = body[:place] + bytes([body[place] ^ by]) + body[place + 1 :]
    assert is_signed(signature, (b"secret",), "id", "17", body)
    assert not is_signed(signature, (b"secret",), "id", "17", other)


@pytest.mark.parametrize("action", ["set", "deleted"])
def test_tags_and_aliases_are_events(action: str) -> None:
    body = {"entity": "model_version_tag", "action": action, "data": {"name": "credit"}}
    assert parse_event(json.dumps(body).encode()) == RegistryEvent(model="credit", workspace="")
