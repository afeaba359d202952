"""`registry.yaml`: which aliases and stages of an MLflow registry are guarded, and whom it trusts.

```yaml
apiVersion: aims-gate/v1
kind: Registry
trust: trust.yaml             # whose signatures count; beside it lie revocations/, adopted/ and
                              # breakglass/
server: prod                  # this server's name under `servers` of the trust file
identity: [gate-bot]          # MLflow's users who are the gate: only they may set aims_gate.* tags
models:                       # the first pattern that fits a name decides
  - pattern: "credit-*"
    aliases: [champion]       # what is left out is [champion]
    mode: enforce             # observe says what would have been refused; left out, observe
    stage: production         # evidence is needed for this stage; left out, production
    stages: [Production]      # MLflow's stages; left out, the one that is called like ours
    policy: policy.yaml       # the receiver only, like all keys below
    trigger: {alias: candidate, tag: gate.request}
    on_fail: report           # or revert; left out, report
notify: [{url: "https://hooks.acme.example/gate", secret: GATE_HOOK_SECRET}]
inbox: "sqlite:///inbox.db"   # or postgresql://host/name
sweep: 15m
reverts: 3                    # of one alias in an hour
```

Everything but `trust` and `models` may be left out. The schema is closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from pathlib import Path

from aims_gate.documents.strict_yaml import MAX_BYTES
from aims_gate.errors import UsageError
from aims_gate.policy.model import STAGES
from aims_gate.registry_file.grammar import (
    ALIASES,
    ENFORCE,
    MLFLOW_STAGES,
    OBSERVE,
    REGISTRY,
    REPORT,
    REVERTS,
    SWEEP,
    GuardedText,
    fold,
)
from aims_gate.regular import read_regular

VARIABLE = "AIMS_GATE_REGISTRY"
"""Names the file; without it `registry.yaml` in the working directory of the server is read."""
DEFAULT = "registry.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """What is guarded of the models that one pattern fits, and what the receiver does for them."""

    pattern: str
    aliases: tuple[str, ...] = ALIASES
    mode: str = OBSERVE
    stage: str = STAGES[-1]
    """Ours, for which there must be evidence."""
    stages: tuple[str, ...] = ()
    """MLflow's."""
    policy: str = ""
    trigger_alias: str = ""
    trigger_tag: str = ""
    on_fail: str = REPORT
    where: str = ""
    """File and line."""

    @property
    def enforces(self) -> bool:
        """Whether what is not proven is refused, not only told."""
        return self.mode == ENFORCE

    def fits(self, name: str) -> bool:
        """Whether a model's name matches the pattern, in whatever case and width it is written."""
        return fnmatchcase(fold(name), fold(self.pattern))

    def guards_alias(self, alias: str) -> bool:
        """Whether an alias is guarded, or may be taken for one that is."""
        return fold(alias) in set(map(fold, self.aliases))

    def guards_stage(self, stage: str) -> bool:
        """Whether one of MLflow's stages is guarded; MLflow takes it in any case."""
        return fold(stage) in set(map(fold, self.stages))


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """An address that is told what was done, and the variable of the secret that signs it."""

    url: str
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryFile:
    """A registry file that was read."""

    path: Path
    trust: Path
    server: str = ""
    """This server's name in the trust file; empty where the file does not say it."""
    identity: frozenset[str] = frozenset()
    models: tuple[Guarded, ...] = ()
    notify: tuple[Notify, ...] = ()
    inbox: str = ""
    """Empty where the file does not say it."""
    sweep: timedelta = SWEEP
    reverts: int = REVERTS
    """Aliases put back, of one alias in an hour, before the receiver stops and alerts."""

    def guarded(self, name: str) -> Guarded | None:
        """First entry whose pattern fits a model's name; None where nothing of it is guarded."""
        return next((one for one in self.models if one.fits(name)), None)


def find(environ: Mapping[str, str], config: Path | None = None) -> Path:
    """Find the file: the one that is named, else that of the environment, else here."""
    return config or Path(environ.get(VARIABLE, "").strip() or DEFAULT)


def read(path: Path) -> RegistryFile:
    """Read a registry file; the files that it names are looked for beside it.

    Raises:
        UsageError: There is no such file; PolicyError, with every problem at once, if it is wrong.
    """
    try:
        data = read_regular(path, MAX_BYTES)
    except (OSError, ValueError) as error:
        what = f"cannot read the registry file: {getattr(error, 'strerror', None) or error}"
        hint = f"name it by --config or {VARIABLE}, or put {DEFAULT} beside the server"
        raise UsageError(what, where=str(path), hint=hint) from error
    document, written = REGISTRY.read(data, path.name)
    places = [f"{path.name}:{document.line(('models', n))}" for n in range(len(written.models))]
    return RegistryFile(
        path=path,
        trust=path.parent / written.trust,
        server=written.server,
        identity=frozenset(written.identity),
        models=tuple(map(_guarded, written.models, places)),
        notify=tuple(Notify(url=one.url, secret=one.secret) for one in written.notify),
        inbox=written.inbox,
        sweep=written.sweep,
        reverts=written.reverts,
    )


def _guarded(written: GuardedText, where: str) -> Guarded:
    stated = written.model_fields_set
    alike = [one for one in MLFLOW_STAGES if one.casefold() == fold(written.stage)]
    return Guarded(
        pattern=written.pattern,
        aliases=tuple(written.aliases),
        mode=written.mode,
        stage=written.stage,
        stages=tuple(written.stages if "stages" in stated else alike),
        policy=written.policy,
        trigger_alias=written.trigger.alias if "trigger" in stated else "",
        trigger_tag=written.trigger.tag if "trigger" in stated else "",
        on_fail=written.on_fail,
        where=where,
    )
