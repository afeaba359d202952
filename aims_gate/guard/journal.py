"""What the guard refused, or would have: a line of JSON each, beside the registry file."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from aims_gate.guard import identity
from aims_gate.registry_file import refusals

MOST = 8 << 20
"""Bytes of a journal; what comes after is in the log only."""
_logger = logging.getLogger("aims_gate.guard")


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """Lines that all workers of a server add to."""

    path: Path

    @classmethod
    def beside(cls, registry_file: Path) -> Journal:
        """The journal of the server that follows a registry file."""
        return cls(path=refusals.beside(registry_file))

    def write(self, what: str, why: str, *, enforced: bool) -> None:
        """Add a line and log it; a journal that cannot be written stops nothing."""
        verb = "refused" if enforced else "would refuse"
        _logger.warning("aims-gate %s %s: %s", verb, what, why)
        line = {
            "at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "enforced": enforced,
            "user": identity.user(),
            "what": what,
            "why": why,
        }
        try:
            with self.path.open("ab", buffering=0) as file:
                if file.tell() < MOST:
                    file.write(f"{json.dumps(line)}\n".encode())
        except OSError as error:
            _logger.warning(
                "aims-gate cannot write %s: %s", self.path, os.strerror(error.errno or 0)
            )
