"""What a reconciliation is configured with: the registry file, MLflow, keys and limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from aims_gate.attest import trust_file
from aims_gate.attest.signers import without_keys
from aims_gate.inbox.contract import ModelKey
from aims_gate.registry.choose import open_registry
from aims_gate.registry.contract import Registry
from aims_gate.registry_file import RegistryFile
from aims_gate.sources.scoring.process import Limits

LIMITS = Limits(seconds=3600.0, reserved=2**40)
"""What one evaluation may take: the engine that draws charts reserves addresses in advance."""
_WORKSPACE = "MLFLOW_WORKSPACE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    """A registry, what is guarded in it, and how the gate is run for it."""

    file: RegistryFile
    environ: Mapping[str, str]
    """Without private keys."""
    now: Callable[[], datetime]
    server: str
    """What this server is called where things are remembered: its name in the file, or its URL."""
    key: str | None = None
    """The reference of the key that evaluations sign with."""
    signing: Mapping[str, str] = field(default_factory=dict)
    """Variables of that key, for evaluations alone."""
    limits: Limits = LIMITS
    """What one evaluation may take."""

    @classmethod
    def open(
        cls,
        file: RegistryFile,
        environ: Mapping[str, str],
        now: Callable[[], datetime],
        *,
        key: str | None = None,
        limits: Limits | None = None,
    ) -> Controller:
        """Look whether the set-up can work, before anything is judged by it.

        Raises:
            UsageError: (2) There is no server, or no usable trust file.
        """
        trust = trust_file.load(file.trust)
        rest = without_keys(environ, key)
        return cls(
            file=file,
            environ=rest,
            now=now,
            server=file.server or open_registry(rest, trust.sources_allow).server,
            key=key,
            signing={name: value for name, value in environ.items() if name not in rest},
            limits=limits or LIMITS,
        )

    def registry(self) -> Registry:
        """Open MLflow: each judgement has a connection of its own."""
        return open_registry(self.environ, trust_file.load(self.file.trust).sources_allow)

    def model_key(self, model: str) -> ModelKey:
        """Name a registered model by this configuration, whatever a delivery says."""
        workspace = self.environ.get(_WORKSPACE, "")
        return ModelKey(server=self.server, workspace=workspace, model=model)

    def model_keys(self) -> tuple[ModelKey, ...]:
        """Every guarded model that MLflow has now; SourceError if it does not answer."""
        names = self.registry().model_names()
        return tuple(self.model_key(name) for name in names if self.file.guarded(name) is not None)

    def policy(self, written: str) -> str:
        """Where the policy of an entry lies: beside the registry file, or a pack."""
        return written if written.startswith("pack:") else str(self.beside / written)

    @property
    def beside(self) -> Path:
        """The registry file's folder."""
        return self.file.path.resolve().parent
