"""Adopt a registry: sign what its guarded aliases and stages serve today, so that it may stay.

Every version is fetched and hashed anew. Nothing is signed of a part: what could not be read
would be refused by the guard on the day that somebody sets its alias again.
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path

from aims_gate.attest import trust_file
from aims_gate.attest.signers import Signer
from aims_gate.attest.statement import envelope_file
from aims_gate.attest.statement_files import write_statement
from aims_gate.attest.trust import KeyRole, Trust
from aims_gate.errors import GateError, RecordError, SourceError, TrustError, UsageError
from aims_gate.evidence import live
from aims_gate.evidence.live import LIVE, LONGEST, Served
from aims_gate.evidence.revocations import FOLDER as REVOCATIONS
from aims_gate.evidence.revocations import unrevoked
from aims_gate.registry.choose import open_registry
from aims_gate.registry.contract import Registry
from aims_gate.registry_file import RegistryFile
from aims_gate.registry_file.grammar import fold
from aims_gate.signoffs import BREAK_GLASS, kinds
from aims_gate.signoffs.folder import load
from aims_gate.signoffs.grammar import BreakGlassSaid
from aims_gate.sources.mlflow.model import fetch_resolved, resolved_in
from aims_gate.sources.subject import Workspace

USUAL = timedelta(days=90)
"""How long a list holds unless somebody says otherwise."""
_MOST_VERSIONS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopting:
    """What is to be adopted, by whom, until when."""

    file: RegistryFile
    signer: Signer | None
    """None signs nothing, and only says what would be signed."""
    now: datetime
    until: datetime | None = None
    """None is 90 days from now; 180 are the most."""
    owner: str = ""
    """Who answers for what is adopted; empty is who signs."""
    models: tuple[str, ...] = ()
    """Patterns of registered names; empty for all that the file guards."""
    out: Path | None = None
    """Where the list goes; None is `adopted` beside the trust file, where the guard reads it."""
    environ: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """What is live, and the list that was signed of it."""

    server: str
    found: tuple[Served, ...]
    until: datetime
    owner: str
    file: Path | None
    """The envelope; None where nothing was signed."""


def adopt(how: Adopting) -> Adopted:
    """List and hash what is live and guarded, and sign the list.

    Raises:
        UsageError: (2) The date is past or too far, or the key is no approver's.
        SourceError: (3) A model or the registry could not be read; then nothing is signed.
        RecordError: (3) The list could not be written.
    """
    until = how.until or how.now + USUAL
    if not how.now < until <= how.now + LONGEST:
        hint = f"a list holds for {LONGEST.days} days at most, from now"
        raise UsageError(f"{until:%Y-%m-%d} is no day until which a list can hold", hint=hint)
    trust = unrevoked(
        trust_file.load(how.file.trust), how.file.trust.parent / REVOCATIONS, now=how.now
    )
    person = _person(how, trust)
    registry = open_registry(how.environ, trust.sources_allow)
    server = _server(how.file, trust, registry)
    found = tuple(_hashed(how, trust, registry, server))
    said = Adopted(server=server, found=found, until=until, owner=how.owner or person, file=None)
    if how.signer is None or not found:
        return said
    return replace(said, file=_written(said, how, how.signer, trust))


def _server(file: RegistryFile, trust: Trust, registry: Registry) -> str:
    """Name of the server, as the guard in it knows it."""
    return trust.server(file.server or trust.only_server or registry.server)


def _person(how: Adopting, trust: Trust) -> str:
    if how.signer is None:
        return ""
    try:
        key = trust.admit(how.signer.key, role=KeyRole.APPROVER, at=how.now, where=trust.file)
        key.refuse_frozen(how.now)
    except TrustError as error:
        hint = (
            "what is not proven is an approver's to let stay: roles: [approver] in the trust file"
        )
        raise UsageError(error.what, where=str(how.file.trust), hint=hint) from error
    return key.person


def _hashed(how: Adopting, trust: Trust, registry: Registry, server: str) -> Iterator[Served]:
    """Fetch and hash every version that something guarded points at."""
    unread: list[str] = []
    ordered = _ordered(how, trust)
    for name in registry.model_names():
        if how.models and not any(fnmatchcase(fold(name), fold(one)) for one in how.models):
            continue
        for version, (aliases, stages) in sorted(_live(how.file, registry, name).items()):
            uri = f"models:/{name}/{version}"
            if order := ordered.get((name, version)):
                unread.append(f"{uri}: it went live by {order}, which is not prolonged so")
                continue
            try:
                digest = _digest(uri, registry, trust, how.environ)
            except GateError as error:
                unread.append(f"{uri}: {error.what}")
                continue
            yield Served(
                server=server,
                name=name,
                version=version,
                sha256=digest,
                aliases=tuple(sorted(aliases)),
                stages=tuple(sorted(stages)),
            )
    if unread:
        what = f"{len(unread)} live versions cannot be adopted: {'; '.join(unread[:5])}"
        hint = "nothing was signed; mend them, take their aliases away, or name others by --model"
        raise SourceError(what, where=registry.server, hint=hint)


def _ordered(how: Adopting, trust: Trust) -> Mapping[tuple[str, str], str]:
    """Versions of break-glass orders, ended ones too: two people signed these, for hours."""
    folder = how.file.trust.parent / BREAK_GLASS
    found = load(folder, kinds.BREAK_GLASS, trust=trust, now=how.now)
    said = (one.said for one in found if isinstance(one.said, BreakGlassSaid))
    return {(one.model.name, one.model.version): one.id for one in said}


def _live(
    file: RegistryFile, registry: Registry, name: str
) -> Mapping[str, tuple[list[str], list[str]]]:
    """Versions of a model that are live: by which guarded aliases, and in which stages."""
    guarded = file.guarded(name)
    found: dict[str, tuple[list[str], list[str]]] = {}
    if guarded is None:
        return found
    for alias, version in registry.aliases(name).items():
        if guarded.guards_alias(alias):
            found.setdefault(version, ([], []))[0].append(alias)
    if guarded.stages:
        versions = registry.versions(name, last=_MOST_VERSIONS)
        if len(versions) == _MOST_VERSIONS:
            raise SourceError(f"the model {name!a} has more than {_MOST_VERSIONS:,} versions")
        for one in versions:
            if guarded.guards_stage(one.stage):
                found.setdefault(one.version, ([], []))[1].append(one.stage)
    return found


def _digest(uri: str, registry: Registry, trust: Trust, environ: Mapping[str, str]) -> str:
    with tempfile.TemporaryDirectory(prefix="aims-gate-") as private:
        workspace = Workspace(folder=Path(private), environ=environ, allow=trust.sources_allow)
        resolved = resolved_in(uri, registry, workspace)
        return fetch_resolved(uri, registry, resolved, workspace).manifest.digest


def _written(said: Adopted, how: Adopting, signer: Signer, trust: Trust) -> Path:
    """Sign the list, and see that the guard will read it."""
    folder = how.out or how.file.trust.parent / live.FOLDER
    name = f"{how.now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
    statement = live.statement_of(
        said.server, said.found, owner=said.owner, on=how.now, until=said.until
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_statement(folder, name, LIVE, statement, signer)
    except OSError as error:
        raise RecordError(f"cannot be written: {error.strerror}", where=str(folder)) from error
    _believed(folder, name, trust, how.now)
    return folder / envelope_file(name)


def _believed(folder: Path, name: str, trust: Trust, now: datetime) -> None:
    lists: Sequence[object] = [*live.lists(folder, trust=trust, now=now)]
    faults = [str(one) for one in lists if isinstance(one, TrustError) and name in one.where]
    if faults:
        raise RecordError(f"the list will not count: {faults[0]}", where=str(folder))
