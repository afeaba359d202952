"""aims-gate: a policy, a model and its data in; signed evidence and a verdict out.

`run` decides, `verify` verifies evidence, `log_evaluation` logs evaluation data to a training run,
and `assert_passes` asserts one check on frames in a plain test. Importing this package imports
nothing heavy: each name is loaded when it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aims_gate.version import __version__

if TYPE_CHECKING:
    from aims_gate.errors import GateError
    from aims_gate.operations.assert_passes import assert_passes
    from aims_gate.operations.log_evaluation import log_evaluation
    from aims_gate.operations.run import run
    from aims_gate.operations.verify import verify
    from aims_gate.verdict import Decision, Outcome, Result, Verdict

_HOMES = {
    "Decision": "aims_gate.verdict",
    "GateError": "aims_gate.errors",
    "Outcome": "aims_gate.verdict",
    "Result": "aims_gate.verdict",
    "Verdict": "aims_gate.verdict",
    "assert_passes": "aims_gate.operations.assert_passes",
    "log_evaluation": "aims_gate.operations.log_evaluation",
    "run": "aims_gate.operations.run",
    "verify": "aims_gate.operations.verify",
}

__all__ = [
    "Decision",
    "GateError",
    "Outcome",
    "Result",
    "Verdict",
    "__version__",
    "assert_passes",
    "log_evaluation",
    "run",
    "verify",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its home when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    from aims_gate.absent import install_line

    with install_line(f"aims_gate.{name}"):
        value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
