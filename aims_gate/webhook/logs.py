"""Structured logs: one JSON object a line, without secrets."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import TextIO

from aims_gate.harmless import plain

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "color_message", "taskName"}
"""What every log record has; anything else was given as `extra`."""


def log_as_json(stream: TextIO) -> None:
    """Write this process's logs, uvicorn's among them, to a stream."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    for library in ("alembic", "urllib3", "sqlalchemy"):
        logging.getLogger(library).setLevel(logging.WARNING)


class JsonLines(logging.Formatter):
    """Formats a record as its time, level, logger and event, then what was given as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line; text in it is `plain`."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, object] = {"time": at, "level": record.levelname.lower()}
        line |= {"logger": record.name, "event": plain(record.getMessage())}
        extra = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        for name, value in extra.items():
            line[name] = value if isinstance(value, (int, float)) else plain(str(value))
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
        return json.dumps(line)
