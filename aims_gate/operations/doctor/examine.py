"""Diagnose what stands between this machine and a verdict; nothing is changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from aims_gate.errors import GateError
from aims_gate.operations.doctor import files, guard, libraries, mlflow, webhooks
from aims_gate.operations.doctor.finding import Finding, Look, Setup, State
from aims_gate.redact import redact

RUN = (*libraries.LOOKS, *mlflow.LOOKS, *files.LOOKS)
"""What stands between this machine and a verdict."""
REGISTRY = (*guard.LOOKS, *webhooks.LOOKS)
"""What stands in an MLflow server between a request and what is served."""


def examine(setup: Setup, looks: Iterable[tuple[str, Look]] = RUN) -> tuple[Finding, ...]:
    """Run examinations; one that fails or crashes is a finding itself."""
    return tuple(finding for name, look in looks for finding in _looked(name, look, setup))


def _looked(name: str, look: Look, setup: Setup) -> Iterator[Finding]:
    try:
        yield from list(look(setup))
    except GateError as error:
        where = f"{error.where}: " if error.where else ""
        todo = error.hint or "see the message"
        yield Finding(name=name, state=State.FAIL, what=redact(f"{where}{error.what}"), todo=todo)
    except Exception as error:  # noqa: BLE001  # stores raise what their libraries raise
        # its message may hold a password out of a URI
        what = f"{type(error).__name__} was raised"
        todo = "run `aims-gate run` for the whole message"
        yield Finding(name=name, state=State.FAIL, what=what, todo=todo)
