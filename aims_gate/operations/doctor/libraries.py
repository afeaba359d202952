"""The doctor's looks at Python and at the libraries of each extra."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator
from importlib import metadata

from aims_gate.operations.doctor.finding import Finding, Look, Setup, State
from aims_gate.version import __version__

ADDS = {
    "run": "every command that reads data: run, init, policy power and simulate",
    "gate": "stores that are no plain server, log_evaluation, the demo and the reference engines",
    "pytest": "policies as tests",
    "ssh": "encrypted OpenSSH keys",
    "kms": "keys in a service or a device",
    "sigstore": "keyless signing, and its verification",
}
"""What each extra of this version adds; the others are not needed yet."""
_ASKED_FOR = frozenset({"ssh", "kms", "sigstore"})
"""Extras that nobody lacks who does not ask for what they add."""
_REQUIREMENT = re.compile(
    r"([A-Za-z0-9._-]+)\s*(?:\[[^\]]*\])?\s*([^;]*)(?:;.*extra\s*==\s*['\"]([^'\"]+))?"
)
_CLAUSE = re.compile(r"(>=|<=|==|<|>)\s*([0-9][0-9.]*)")


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


LOOKS: tuple[tuple[str, Look], ...] = (
    ("python", _python),
    ("libraries", _libraries),
)
