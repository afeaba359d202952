"""Whether a version may go live: the verification of `aims-gate verify`, inside the server.

What does not change is kept: evidence by its digest, manifests by the state of their files. What
forbids is read anew each time: the version's tags, the trust file, revocations and the clock.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from aims_gate import canonical
from aims_gate.attest import resource
from aims_gate.attest.envelope import MAX_ENVELOPE
from aims_gate.attest.manifest import Manifest
from aims_gate.attest.trust import Trust
from aims_gate.errors import GateError, SourceError, StaleError, TrustError
from aims_gate.evidence import live
from aims_gate.evidence.exceptions import excepted
from aims_gate.evidence.live import Served
from aims_gate.evidence.revocations import FOLDER, MAX_FILES, Revocations
from aims_gate.evidence.verify import Expected, verify_evidence
from aims_gate.guard.artifact_paths import Place, place
from aims_gate.guard.hashing import Hashes, state_of
from aims_gate.guard.rollback import was_promoted
from aims_gate.guard.rows import RegistryRows, VersionRow
from aims_gate.operations.evidence import chosen_stage
from aims_gate.registry.served import ServedRegistry
from aims_gate.registry.uris import resource_uri
from aims_gate.registry_file import Guarded
from aims_gate.signoffs import APPROVALS, BREAK_GLASS
from aims_gate.signoffs.committed import CommitHistory
from aims_gate.sources.mlflow import evidence as published
from aims_gate.sources.mlflow.fetch import fetch_tree
from aims_gate.sources.mlflow.resolve import resolve

_MOST = 256
_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionState:
    """A version that is to go live, with where its files are and all that a decision rests on."""

    name: str
    version: int
    workspace: str | None
    row: VersionRow
    uri: str
    """Artifact URI of its files."""
    at: Place
    files: Any
    """State of the files."""
    authors: tuple[str, ...] = ()
    """Who made it, as its run says."""

    @property
    def revoked(self) -> bool:
        """Whether a tag says so; who deletes what it points at takes nothing back."""
        return any(key.startswith(f"{published.REVOKED}.") for key, _value in self.row.tags)


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What is to be proven of a version, and by whose word."""

    guarded: Guarded
    trust: Trust
    folder: Path
    """Where the trust file lies, and what counts beside it."""
    servers: tuple[str, ...]
    """Names of this server."""
    aliases: tuple[str, ...]
    """What is to point at the version."""
    stages: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prover:
    """Proves versions of one server."""

    rows: RegistryRows
    hashes: Hashes
    folder: Path
    """A private folder for copies of evidence."""
    destination: str
    environ: Mapping[str, str]
    """By which the parts of the gate open the server's own registry."""
    homes: dict[str, str] = field(default_factory=dict)
    """Artifact URIs of evidence, by the tags that point at it."""

    def find(
        self, name: str, version: int, workspace: str | None, registry: ServedRegistry
    ) -> VersionState:
        """Look where the files of a version are and in what state it is.

        Raises:
            SourceError: There is no such version, or it is not what MLflow hands out.
        """
        uri = f"models:/{name}/{version}"
        row = self.rows.version(name, version, workspace)
        if row is None:
            raise SourceError("there is no such version", where=uri)
        resolved = resolve(uri, registry, self.environ)
        at = place(resolved.artifact_uri, self.destination)
        chained = row.storage.startswith(("models:", "runs:"))
        if not chained and place(row.storage, self.destination) != at:
            hint = "register it anew from the model that was logged"
            what = "its source leads elsewhere than where MLflow downloads it from"
            raise SourceError(what, where=uri, hint=hint)
        return VersionState(
            name=name,
            version=version,
            workspace=workspace,
            row=row,
            uri=resolved.artifact_uri,
            at=at,
            files=state_of(resolved.artifact_uri, registry),
            authors=(resolved.run.user,) if resolved.run is not None else (),
        )

    def changed(self, candidate: VersionState, registry: ServedRegistry) -> bool:
        """Whether anything about a version is not as it was, its aliases and stage aside."""
        row = self.rows.version(candidate.name, candidate.version, candidate.workspace)
        if row is None or candidate.files is None:
            return True
        then = candidate.row
        same = (row.source, row.storage, row.run_id, row.status, row.tags) == (
            *(then.source, then.storage, then.run_id, then.status, then.tags),
        )
        return not same or state_of(candidate.uri, registry) != candidate.files

    def prove(self, candidate: VersionState, asked: Demand, registry: ServedRegistry) -> str:
        """Verify the evidence of a version for its very bytes, now.

        Returns:
            Empty; or why it may go live without evidence, as somebody trusted has signed.

        Raises:
            GateError: It does not hold; Busy while the files are being hashed.
        """
        now = datetime.now(UTC)
        model = partial(self.hashes.of, candidate.uri, registry, candidate.files)
        try:
            self._verify(candidate, model, asked, registry, now)
        except GateError as error:
            places = (asked.folder / live.FOLDER, asked.folder / BREAK_GLASS)
            if candidate.revoked or not any(one.is_dir() for one in places):
                raise
            return _excepted(candidate, model(), asked, now, error)
        return ""

    def _verify(
        self,
        candidate: VersionState,
        model: Callable[[], Manifest],
        asked: Demand,
        registry: ServedRegistry,
        now: datetime,
    ) -> None:
        uri = f"models:/{candidate.name}/{candidate.version}"
        trust = asked.trust
        found = published.locate(uri, self.environ, trust.sources_allow)
        stage = chosen_stage(uri, found.pointers, asked.guarded.stage, ())
        with self._evidence(found, stage, registry) as (folder, beside):
            if found.revoked:
                published.copy_revocations(uri, beside / "named", self.environ, trust.sources_allow)
            folders = [
                asked.folder / FOLDER,
                folder / FOLDER,
                beside / FOLDER,
                beside / "named",
            ]
            signed = asked.folder / APPROVALS
            approved = any(one.approvals for one in trust.deploy)
            expected = Expected(
                model=model(),
                stage=asked.guarded.stage,
                resource_uri=resource_uri(
                    candidate.name, str(candidate.version), _named(folder, asked)
                ),
                approvals=signed,
                history=CommitHistory.around(signed, self.environ) if approved else None,
                revocations=Revocations.read(folders, trust=trust, now=now),
            )
            try:
                verified = verify_evidence(folder, trust=trust, expected=expected, now=now)
            except StaleError:
                promoted = partial(was_promoted, trust=trust, now=now, environ=self.environ)
                if not any(promoted(found, alias, expected) for alias in asked.aliases):
                    raise
                again = replace(expected, deployed_before=True)
                verified = verify_evidence(folder, trust=trust, expected=again, now=now)
        if not verified.passed:
            failed = ", ".join(verified.failed)
            raise TrustError(f"the policy is not met: {failed}", where=uri)

    @contextmanager
    def _evidence(
        self, found: published.Published, stage: str, registry: ServedRegistry
    ) -> Iterator[tuple[Path, Path]]:
        """The evidence of a stage, copied once, and a folder for what forbids it by now."""
        pointer = found.pointers[stage]
        kept = self.folder / canonical.sha256(pointer.encode())
        with tempfile.TemporaryDirectory(prefix="aims-gate-", dir=self.folder) as private:
            if not kept.is_dir():
                copied = Path(private) / "evidence"
                copied.mkdir()
                published.copy(found, stage, copied, self.environ)
                self.homes[pointer] = published.home(found, stage)
                self._forget()
                if not kept.is_dir():
                    copied.rename(kept)
            beside = Path(private) / "beside"
            beside.mkdir()
            home = self.homes[pointer]
            if registry.list_artifacts(home, FOLDER):
                target, most = beside / FOLDER, MAX_FILES * MAX_ENVELOPE
                target.mkdir()
                where = f"{home}/{FOLDER}"
                fetch_tree(registry, where, target, max_files=MAX_FILES, max_bytes=most)
            yield kept, beside

    def _forget(self) -> None:
        """Bound the copies: the oldest go."""
        copies = sorted(self.folder.glob("?" * 64), key=lambda one: one.stat().st_mtime)
        for one in copies[:-_MOST]:
            shutil.rmtree(one, ignore_errors=True)


def _excepted(
    candidate: VersionState, model: Manifest, asked: Demand, now: datetime, error: GateError
) -> str:
    """Why a version may go live all the same; raises *error*, with what does not count, if not."""
    for server in asked.servers:
        served = Served(
            server=asked.trust.server(server),
            name=candidate.name,
            version=str(candidate.version),
            sha256=model.digest,
            aliases=asked.aliases,
            stages=asked.stages,
        )
        found = excepted(
            served, trust=asked.trust, folder=asked.folder, now=now, authors=candidate.authors
        )
        if found:
            return found.grounds
        if found.faults:
            error.what = f"{error.what}; {'; '.join(found.faults[:_SHOWN])}"
            break
    raise error


def _named(folder: Path, asked: Demand) -> str:
    """The one of this server's names that the evidence is for; the first, if it is for none."""
    try:
        said = json.loads((folder / published.SUMMARY).read_bytes())["predicate"]["resourceUri"]
        server = resource.parse(said, servers=asked.trust.servers, where="resourceUri").server
    except (OSError, ValueError, KeyError, TypeError, TrustError):
        return asked.servers[0]
    alike = (one for one in asked.servers if asked.trust.server(one) == server)
    return next(alike, asked.servers[0])
