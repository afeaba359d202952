"""The doctor's looks at what is in the repository: defaults, key, trust file and policy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from aims_gate.attest import trust_file
from aims_gate.attest.keys import PublicKey
from aims_gate.attest.signers import KEY_VARIABLE, load_signer
from aims_gate.attest.trust import KeyRole
from aims_gate.errors import TrustError
from aims_gate.operations.doctor.finding import Finding, Look, Setup, State
from aims_gate.plan import plan
from aims_gate.policy.operator import connection
from aims_gate.policy.parents import PACK
from aims_gate.policy.resolve import check

_PROOF = b"aims-gate doctor: does this key sign?"
_SOON = 30
"""Days before a policy expires from which it is worth a warning."""


def _defaults(setup: Setup) -> Iterator[Finding]:
    told = f"[tool.aims-gate] of {setup.defaults}" if setup.defaults else "no [tool.aims-gate]"
    yield Finding(name="defaults", state=State.OK, what=told)


def _key(setup: Setup) -> Iterator[Finding]:
    if setup.key is None and not setup.environ.get(KEY_VARIABLE, "").strip():
        todo = "aims-gate evidence key generate, then --key or key under [tool.aims-gate]"
        yield Finding(name="key", state=State.WARN, what="there is no key to sign with", todo=todo)
        return
    signer = load_signer(setup.key, setup.environ)
    if not signer.key.verifies(signer.sign(_PROOF), _PROOF):
        todo = "make a new one: aims-gate evidence key generate"
        yield Finding(name="key", state=State.FAIL, what="its signature does not hold", todo=todo)
        return
    told = f"{signer.key.fingerprint} signs"
    if setup.key is not None and _permissions(setup.key) & 0o077:
        todo = f"chmod 600 {setup.key}"
        what = f"{told}, and others on this machine can read the file"
        yield Finding(name="key", state=State.WARN, what=what, todo=todo)
    else:
        yield Finding(name="key", state=State.OK, what=told)
    if setup.trust.exists():
        yield _admitted(signer.key, setup)


def _admitted(key: PublicKey, setup: Setup) -> Finding:
    trust = trust_file.load(setup.trust)
    try:
        entry = trust.admit(key, role=KeyRole.GATE, at=setup.now, where="")
    except TrustError as error:
        todo = error.hint or f"add its public key to {setup.trust} with roles: [gate]"
        return Finding(name="key", state=State.WARN, what=error.what, todo=todo)
    return Finding(name="key", state=State.OK, what=f"trusted as {entry.person}")


def _trust(setup: Setup) -> Iterator[Finding]:
    if not setup.trust.exists():
        todo = "write one, so that verify knows whose signature counts: see docs/evidence.md"
        what = f"there is no {setup.trust}"
        yield Finding(name="trust", state=State.WARN, what=what, todo=todo)
        return
    trust = trust_file.load(setup.trust)
    keys = f"{len(trust.keys)} key{'' if len(trust.keys) == 1 else 's'}"
    if not (trust.keys or trust.identities):
        what, todo = f"{setup.trust} trusts nobody", "add the gate's public key: docs/evidence.md"
        yield Finding(name="trust", state=State.WARN, what=what, todo=todo)
        return
    yield Finding(name="trust", state=State.OK, what=f"{setup.trust}: {keys}")


def _policy(setup: Setup) -> Iterator[Finding]:
    if not (setup.policy_named or setup.policy.startswith(PACK) or Path(setup.policy).exists()):
        todo = "aims-gate init --model URI writes a first one"
        what = f"there is no {setup.policy}"
        yield Finding(name="policy", state=State.WARN, what=what, todo=todo)
        return
    policy, found = check(setup.policy)
    problems = [*found, *(plan(policy).problems if policy is not None else ())]
    if policy is None or problems:
        what = f"{len(problems)} problems, the first: {problems[0]}"
        todo = f"aims-gate policy check {setup.policy}"
        yield Finding(name="policy", state=State.FAIL, what=what, todo=todo)
        return
    told = f"{policy.id} {policy.version}: {len(policy.rules)} rules"
    left = None if policy.expires is None else (policy.expires - setup.now).days
    if policy.expires is not None and policy.expires <= setup.now:
        todo = "its owner reviews it and sets a new metadata.expires"
        yield Finding(name="policy", state=State.FAIL, what=f"{told}, expired", todo=todo)
    elif left is not None and left < _SOON:
        todo = "its owner reviews it before that"
        what = f"{told}, expires in {left} days"
        yield Finding(name="policy", state=State.WARN, what=what, todo=todo)
    else:
        yield Finding(name="policy", state=State.OK, what=told)


def _connections(setup: Setup) -> Iterator[Finding]:
    """Find each connection that the policy names in the operator's file; none is opened."""
    policy = check(setup.policy)[0] if Path(setup.policy).exists() else None
    data = () if policy is None else policy.data.values()
    for name in sorted({spec.connection for spec in data if spec.connection}):
        connection(name, setup.environ)
        yield Finding(name="connection", state=State.OK, what=f"the operator's file has {name}")


def _permissions(path: str) -> int:
    """Permission bits of a file; 0 if it does not exist."""
    try:
        return Path(path).stat().st_mode & 0o777
    except OSError:
        return 0


LOOKS: tuple[tuple[str, Look], ...] = (
    ("defaults", _defaults),
    ("key", _key),
    ("trust", _trust),
    ("policy", _policy),
    ("connection", _connections),
)
