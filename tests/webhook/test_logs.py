"""Logs of the receiver: one JSON object a line, and nothing in it that a log would obey."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from aims_gate.webhook.logs import log_as_json


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """What is written; the process's own handlers come back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers[:] = []
    stream = io.StringIO()
    log_as_json(stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_line_is_an_object_with_what_was_given(stream: io.StringIO) -> None:
    extra = {"delivery": "a\n::error::b", "seconds": 0.5, "error": "postgresql://u:secret@host/x"}
    logging.getLogger("aims_gate.x").warning("judged %s", "one", extra=extra)
    logging.getLogger("sqlalchemy.engine").info("SELECT a row")
    try:
        int("a row of data")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("crash")
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert first.pop("time").endswith("+00:00")
    assert first == {
        "level": "warning",
        "logger": "aims_gate.x",
        "event": "judged one",
        "seconds": 0.5,
        "delivery": "a : :error: :b",
        "error": "postgresql://host/x",
    }
    assert second["error"] == "ValueError"
    assert "a row of data" not in stream.getvalue()
