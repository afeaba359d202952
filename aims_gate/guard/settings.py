"""The registry file as a running server follows it: read anew when it changes."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from aims_gate.errors import GateError
from aims_gate.registry_file import RegistryFile, read

_logger = logging.getLogger("aims_gate.guard")


class FollowedFile:
    """What the registry file says; one that is wrong or gone changes nothing, and is logged.

    Raises:
        UsageError: There is none at first, or it is wrong: a server does not start then.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path.absolute(), threading.Lock()
        self._seen = self._state()
        self._registry = read(self._path)

    def now(self) -> RegistryFile:
        """The file as it is now."""
        seen = self._state()
        if seen != self._seen:
            with self._lock:
                try:
                    self._registry = read(self._path)
                except GateError:
                    _logger.exception("aims-gate keeps to the registry file as it was before")
                self._seen = seen
        return self._registry

    def _state(self) -> tuple[int, ...]:
        try:
            found = self._path.stat()
        except OSError:
            return ()
        return (found.st_ino, found.st_size, found.st_mtime_ns)
