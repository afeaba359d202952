"""Run the gate on a version in a process of its own: limited, and without secrets of others.

The policy, the data and the model are read there. What it decided is what its signed evidence
says afterwards; the exit code and the last words only tell a person why there is none.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aims_gate.harmless import plain
from aims_gate.reconcile.case import Case
from aims_gate.sources.scoring.process import limited

VERIFIER_ID = "https://aims-gate.dev/verifier/registry"
"""Who runs the gate, as its evidence says."""
_NEEDED = frozenset(
    {
        *(
            "PATH",
            "HOME",
            "LANG",
            "LC_ALL",
            "LC_CTYPE",
            "TZ",
            "TMPDIR",
            "SYSTEMROOT",
            "VIRTUAL_ENV",
        ),
        *("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy"),
        *("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "GOOGLE_APPLICATION_CREDENTIALS"),
        *("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "PYTHONPATH"),
    }
)
_FAMILIES = ("MLFLOW_TRACKING_", "MLFLOW_S3_", "MLFLOW_HTTP_", "AWS_", "AZURE_", "DATABRICKS_")
_OURS = frozenset({"MLFLOW_REGISTRY_URI", "MLFLOW_WORKSPACE", "MLFLOW_ENABLE_WORKSPACES"})
_WORDS, _TAIL = 400, 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How an evaluation ended."""

    code: int | None
    """The exit code of `run`; None if it was stopped at its time limit."""
    words: str
    """The last line that it wrote, in one harmless line."""


def evaluate(case: Case, number: str) -> Ended:
    """Run `aims-gate run` on a version, which publishes its signed evidence."""
    controller, uri = case.controller, case.uri(number)
    with tempfile.TemporaryDirectory(prefix="aims-gate-") as private:
        folder = Path(private)
        command = [
            *(sys.executable, "-m", "aims_gate", "run", controller.policy(case.guarded.policy)),
            *("--model", uri, "--stage", case.guarded.stage),
            *("--trust", str(controller.file.trust.resolve()), "--verifier-id", VERIFIER_ID),
            *("--out", str(folder / "evidence")),
            *("--quiet", "--no-defaults"),
            *(("--key", controller.key) if controller.key else ()),
        ]
        code = limited(
            command,
            folder,
            {**needed(controller.environ), **controller.signing},
            controller.limits,
            seconds=controller.limits.seconds,
            where=uri,
            cwd=controller.beside,
        )
        said = (folder / "log").read_bytes()[-_TAIL:].decode(errors="replace").strip()
    last = said.splitlines()[-1] if said else "it said nothing"
    if code is None:
        last = f"it took longer than {controller.limits.seconds:g} s"
    return Ended(code=code, words=plain(last, most=_WORDS))


def needed(environ: Mapping[str, str]) -> dict[str, str]:
    """Of the receiver's environment what reading a model and its data may need, and no more."""
    return {
        name: value
        for name, value in environ.items()
        if name in _NEEDED | _OURS or name.startswith(_FAMILIES)
    }
