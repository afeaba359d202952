"""What the guard answers: 403 with a plain reason, or 503 where trying again helps."""

from __future__ import annotations

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import PERMISSION_DENIED, TEMPORARILY_UNAVAILABLE

from aims_gate.errors import GateError


class Refused(MlflowException):  # type: ignore[misc]  # MLflow has no types
    """A guarded write that is not let through; MLflow answers 403 PERMISSION_DENIED."""

    def __init__(self, what: str, why: str, hint: str = "") -> None:
        self.what, self.why = what, why
        more = f" ({hint})" if hint else ""
        super().__init__(f"aims-gate refuses {what}: {why}{more}", PERMISSION_DENIED)


class Busy(MlflowException):  # type: ignore[misc]  # MLflow has no types
    """A guarded write that cannot be decided yet; MLflow answers 503, which its client repeats."""

    def __init__(self, why: str) -> None:
        super().__init__(f"aims-gate: {why}: try again", TEMPORARILY_UNAVAILABLE)


def refusal(what: str, error: Exception) -> MlflowException:
    """Refuse *what* because of an error; what is no error of ours is a crash, and refuses too."""
    if isinstance(error, Busy | Refused):
        return error
    if isinstance(error, GateError):
        where = f"{error.where}: " if error.where else ""
        return Refused(what, f"{where}{error.what}", error.hint)
    hint = "the server's log has more"
    return Refused(what, f"the guard could not decide ({type(error).__name__})", hint)
