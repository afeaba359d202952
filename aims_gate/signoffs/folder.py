"""Signed waivers and approvals in a folder, such as `waivers/` beside a policy.

Bytes are verified before they are parsed. A file that does not hold is given, not raised: it is
shown beside the others, and never counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Generic, TypeVar

from aims_gate import canonical
from aims_gate.attest.envelope import open_envelope
from aims_gate.attest.keys import PublicKey
from aims_gate.attest.statement import StatementKind, decode
from aims_gate.attest.trust import KeyRole, Trust, TrustedKey
from aims_gate.errors import GateError, TrustError
from aims_gate.regular import read_regular
from aims_gate.signoffs.grammar import (
    ApprovalSaid,
    BreakGlassSaid,
    RecordSaid,
    Said,
    WaiverSaid,
)
from aims_gate.signoffs.kinds import subject_of

S = TypeVar("S", WaiverSaid, ApprovalSaid, BreakGlassSaid, RecordSaid)
ENDING = ".dsse.json"
MAX_FILES = 1000
"""Signed files in one folder."""
_MAX_BYTES = 1 << 20
_SKEW = timedelta(minutes=5)
"""How far the clock of whoever signed may be ahead of ours."""
_OWN = ("approvedBy", "issued")
"""What each signature says for itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed(Generic[S]):
    """What trusted keys signed, each valid now; some may be of one person."""

    said: S
    keys: tuple[TrustedKey, ...]
    issued: datetime
    """The first signature's time; each signer's claim."""
    files: Mapping[str, bytes]
    """The envelopes, by name."""

    @property
    def where(self) -> str:
        """Names of the files, for messages."""
        return ", ".join(self.files)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsound:
    """A signed file that does not hold."""

    id: str
    """The part of the file's name that says which it is, unless it is known what was signed."""
    what: str
    where: str
    said: Said | None = None
    """What a listed key signed that may not, or not today; None where no signature holds."""


def load(
    folder: Path, kind: StatementKind[S], *, trust: Trust | None, now: datetime
) -> tuple[Signed[S] | Unsound, ...]:
    """Read and verify every signed file of a folder; a folder that is not there has none.

    Args:
        folder: Such as `waivers/`.
        kind: Of what its files must be.
        trust: Whose signatures count; None makes every file unsound.
        now: The present moment: a key must be valid now.
    """
    try:
        names = sorted(path.name for path in folder.iterdir() if path.name.endswith(ENDING))
    except FileNotFoundError:
        return ()
    except OSError as error:
        return (_unsound(folder.name, f"the folder cannot be read: {error.strerror}"),)
    if len(names) > MAX_FILES:
        return (_unsound(folder.name, f"the folder has more than {MAX_FILES} signed files"),)
    files: dict[str, bytes] = {}
    faulty: list[Unsound] = []
    for name in names:
        try:
            files[name] = read_regular(folder / name, _MAX_BYTES)
        except (OSError, ValueError) as error:
            faulty.append(_unsound(name, getattr(error, "strerror", None) or str(error)))
    found: list[Signed[S] | Unsound] = [*faulty]
    found += verified(files, kind, trust=trust, now=now)
    return tuple(found)


def verified(
    files: Mapping[str, bytes], kind: StatementKind[S], *, trust: Trust | None, now: datetime
) -> Iterator[Signed[S] | Unsound]:
    """Verify envelopes, and put those together that sign the same."""
    if trust is None:
        what = "there is no trust file that says whose signature counts"
        yield from (_unsound(name, what) for name in files)
        return
    together: dict[bytes, dict[str, tuple[S, TrustedKey]]] = {}
    worded: dict[str, bytes] = {}
    for name, data in files.items():
        said = None
        try:
            said, signer, terms = _opened(data, kind, trust=trust)
            key = admitted(signer, said.issued, trust=trust, now=now)
            if said.approved_by != key.person:
                what = f"it says that {said.approved_by!a} approved it, and the key is"
                raise TrustError(f"{what} {key.person}'s")
            if worded.setdefault(said.id, terms) != terms:
                raise TrustError(f"{said.id} is signed in two different wordings")
        except GateError as error:
            unsound = _unsound(name, error.what, error.hint)
            yield unsound if said is None else replace(unsound, id=said.id, said=said)
            continue
        together.setdefault(terms, {})[name] = (said, key)
    for group in together.values():
        first = min((said for said, _key in group.values()), key=lambda said: said.issued)
        yield Signed(
            said=first,
            keys=tuple(key for _said, key in group.values()),
            issued=first.issued,
            files={name: files[name] for name in group},
        )


def _opened(data: bytes, kind: StatementKind[S], *, trust: Trust) -> tuple[S, PublicKey, bytes]:
    """Verify one envelope; give what it says, by which key, and what others must have said too."""
    if len(data) > _MAX_BYTES:
        raise TrustError(f"it has more than {_MAX_BYTES:,} bytes")
    opened = open_envelope(data, [one.key for one in trust.keys], role=kind.signed_by)
    statement = decode(opened.payload, kind=kind, where="")
    said = kind.read(statement.predicate, where="")
    if subject_of(said) != (statement.subject_name, statement.subject):
        raise TrustError("the statement's subject is not what its predicate is about")
    shared: dict[str, Any] = {k: v for k, v in statement.predicate.items() if k not in _OWN}
    return said, opened.key, canonical.encode(shared)


def admitted(key: PublicKey, issued: datetime, *, trust: Trust, now: datetime) -> TrustedKey:
    """Authorise a key to have signed off, at the time that it claims; TrustError."""
    trusted = trust.admit(key, role=KeyRole.APPROVER, at=now, where="")
    trusted.refuse_frozen(issued)
    if issued > now + _SKEW:
        raise TrustError(f"it was signed in the future, at {issued:%Y-%m-%dT%H:%M:%SZ}")
    return trusted


def _unsound(name: str, what: str, hint: str = "") -> Unsound:
    said = f"{what}; {hint}" if hint else what
    return Unsound(id=name.partition(".")[0], what=said, where=name)
