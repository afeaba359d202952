"""What stands between this machine and a verdict: looked at one by one, nothing changed."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from importlib import metadata
from pathlib import Path

from aims_gate.errors import GateError
from aims_gate.redact import redact
from aims_gate.version import __version__


class State(StrEnum):
    """How a thing is; only `fail` makes the doctor exit 3."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    name: str
    state: State
    what: str
    todo: str = ""
    """What to do next; empty where all is well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What is to be looked at; the environment's values are read and never shown."""

    environ: Mapping[str, str]
    now: datetime
    policy: str
    policy_named: bool = False
    """Whether somebody asked for this policy; otherwise it may be absent."""
    model: str | None = None
    key: str | None = None
    trust: Path = field(default_factory=lambda: Path("trust.yaml"))
    defaults: str = ""
    """The file that the defaults came from; empty if there is none."""


Look = Callable[[Setup], Iterator[Finding]]

ADDS = {
    "run": "every command that reads data: run, init, policy power and simulate",
    "gate": "stores that are no plain server, log_evaluation, the demo and the reference engines",
    "pytest": "policies as tests",
    "ssh": "encrypted OpenSSH keys",
    "kms": "keys in a service or a device",
}
"""What each extra of this version adds; the others are not needed yet."""
_ASKED_FOR = frozenset({"ssh", "kms"})
"""Extras that nobody lacks who does not ask for what they add."""
_REQUIREMENT = re.compile(
    r"([A-Za-z0-9._-]+)\s*(?:\[[^\]]*\])?\s*([^;]*)(?:;.*extra\s*==\s*['\"]([^'\"]+))?"
)
_CLAUSE = re.compile(r"(>=|<=|==|<|>)\s*([0-9][0-9.]*)")


def examine(setup: Setup) -> tuple[Finding, ...]:
    """Look at everything; a look that fails, or crashes, is a finding itself."""
    from aims_gate.operations import doctor_files, doctor_mlflow

    looks: tuple[tuple[str, Look], ...] = (
        ("python", _python),
        ("libraries", _libraries),
        *doctor_mlflow.LOOKS,
        *doctor_files.LOOKS,
    )
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


def _python(_setup: Setup) -> Iterator[Finding]:
    told = f"Python {platform.python_version()}, aims-gate {__version__}"
    yield Finding(name="python", state=State.OK, what=told)


def _libraries(_setup: Setup) -> Iterator[Finding]:
    try:
        wanted = metadata.requires("aims-gate") or []
    except metadata.PackageNotFoundError:
        todo = "pip install aims-gate, so that its requirements are known"
        yield Finding(name="libraries", state=State.WARN, what="not installed", todo=todo)
        return
    extras: dict[str, list[tuple[str, str]]] = {}
    for line in wanted:
        if found := _REQUIREMENT.match(line):
            extras.setdefault(found[3] or "", []).append((found[1], found[2]))
    extras.pop("all", None)
    for extra, needs in sorted(extras.items()):
        yield _extra(extra, needs)


def _extra(extra: str, needs: list[tuple[str, str]]) -> Finding:
    """Tell every library of an extra: its version, or that it is missing or not the one wanted."""
    states = [_installed(name, bounds) for name, bounds in needs]
    name = f"extra {extra}" if extra else "libraries"
    what = ", ".join(told for told, _good in states)
    if all(good for _told, good in states):
        return Finding(name=name, state=State.OK, what=what)
    if extra and extra not in ADDS:
        return Finding(name=name, state=State.OK, what=f"{what}; nothing in this version needs it")
    # what is installed stays: pip reads what else it wants from its own metadata
    todo = f"pip install 'aims-gate[{extra}]'" if extra else "pip install aims-gate"
    if not extra:
        return Finding(name=name, state=State.FAIL, what=what, todo=todo)
    what = f"{what}; it adds {ADDS[extra]}"
    if extra in _ASKED_FOR:
        return Finding(name=name, state=State.OK, what=what)
    return Finding(name=name, state=State.WARN, what=what, todo=todo)


def _installed(name: str, bounds: str) -> tuple[str, bool]:
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return f"{name} is not installed", False
    if all(_holds(version, *clause) for clause in _CLAUSE.findall(bounds)):
        return f"{name} {version}", True
    return f"{name} {version} is not {bounds.strip()}", False


def _holds(version: str, operator: str, bound: str) -> bool:
    """Compare the numbers of two versions, as far as the bound goes."""
    wanted = [int(part) for part in bound.strip(".").split(".")]
    numbers = [int(part) for part in re.findall(r"[0-9]+", version.partition("+")[0])]
    mine = (numbers + [0] * len(wanted))[: len(wanted)]
    return {
        ">=": mine >= wanted,
        "<=": mine <= wanted,
        "==": mine == wanted,
        "<": mine < wanted,
        ">": mine > wanted,
    }[operator]


def set_names(environ: Mapping[str, str], names: tuple[str, ...]) -> list[str]:
    """Names of the variables that are set; their values are never shown."""
    return [name for name in names if environ.get(name, "").strip()]


def permissions(path: str) -> int:
    """Permission bits of a file; 0 if it does not exist."""
    try:
        return Path(path).stat().st_mode & 0o777
    except OSError:
        return 0
