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

from aims_gate import canonical
from aims_gate.attest import resource
from aims_gate.attest.envelope import MAX_ENVELOPE
from aims_gate.attest.manifest import Manifest
from aims_gate.errors import GateError, SourceError, StaleError, TrustError
from aims_gate.evidence import live
from aims_gate.evidence.exceptions import excepted
from aims_gate.evidence.live import Served
from aims_gate.evidence.revocations import FOLDER, MAX_FILES, Revocations
from aims_gate.evidence.verify import Expected, verify_evidence
from aims_gate.guard.artifact_paths import place
from aims_gate.guard.hashing import Hashes, state_of
from aims_gate.guard.rollback import was_promoted
from aims_gate.guard.rows import RegistryRows, VersionRow
from aims_gate.guard.version_state import Demand, ModelFiles, VersionState
from aims_gate.operations.evidence import chosen_stage
from aims_gate.registry.entities import Version
from aims_gate.registry.served import ServedRegistry
from aims_gate.registry.uris import ModelTarget, parse, resource_uri
from aims_gate.signoffs import APPROVALS, BREAK_GLASS
from aims_gate.signoffs.committed import CommitHistory
from aims_gate.sources.mlflow import evidence as published
from aims_gate.sources.mlflow.fetch import fetch_tree
from aims_gate.sources.mlflow.resolve import resolve

_MOST = 256
_SHOWN = 5


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
    sources: dict[tuple[str | None, ...], ModelFiles] = field(default_factory=dict)
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
        hint = "register it anew from the model that was logged"
        if row.storage.startswith(("models:", "runs:")):
            what = f"MLflow hands out what is at {row.storage!a} then, which may be others later"
            raise SourceError(what, where=uri, hint=hint)
        kept = self._resolved(uri, workspace, row, registry)
        if kept.at != place(row.storage, self.destination):
            what = "its source leads elsewhere than where MLflow downloads it from"
            raise SourceError(what, where=uri, hint=hint)
        return VersionState(
            name=name,
            version=version,
            workspace=workspace,
            row=row,
            place=kept,
            files=state_of(kept.uri, registry),
        )

    def _resolved(
        self, uri: str, workspace: str | None, row: VersionRow, registry: ServedRegistry
    ) -> ModelFiles:
        """Where the source of a version leads; remembered unless it leads to another version."""
        key = (uri, workspace, row.source, row.run_id, row.status)
        if key in self.sources:
            return self.sources[key]
        resolved = resolve(uri, registry, self.environ)
        kept = ModelFiles(
            uri=resolved.artifact_uri,
            at=place(resolved.artifact_uri, self.destination),
            authors=(resolved.run.user,) if resolved.run is not None else (),
        )
        chained = row.source.startswith(("models:", "runs:"))
        if not chained or isinstance(parse(row.source), ModelTarget):
            self.sources[key] = kept
        return kept

    def changed(self, candidate: VersionState, registry: ServedRegistry) -> bool:
        """Whether anything about a version is not as it was, its aliases and stage aside."""
        row = self.rows.version(candidate.name, candidate.version, candidate.workspace)
        if row is None or candidate.files is None:
            return True
        then = candidate.row
        same = (row.source, row.storage, row.run_id, row.status, row.tags) == (
            *(then.source, then.storage, then.run_id, then.status, then.tags),
        )
        return not same or state_of(candidate.place.uri, registry) != candidate.files

    def prove(self, candidate: VersionState, asked: Demand) -> str:
        """Verify the evidence of a version for its very bytes, now.

        Returns:
            Empty; or why it may go live without evidence, as somebody trusted has signed.

        Raises:
            GateError: It does not hold; Busy while the files are being hashed.
        """
        now = datetime.now(UTC)
        model = partial(self.hashes.of, candidate.place.uri, asked.registry, candidate.files)
        try:
            self._verify(candidate, model, asked, now)
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
        now: datetime,
    ) -> None:
        uri = f"models:/{candidate.name}/{candidate.version}"
        trust = asked.trust
        row = candidate.row
        version = Version(
            name=candidate.name,
            version=str(candidate.version),
            source=row.source,
            tags=dict(row.tags),
        )
        found = published.of_version(version, asked.registry, uri)
        stage = chosen_stage(uri, found.pointers, asked.guarded.stage, ())
        folder = self._evidence(found, stage)
        with self._revocations(found, stage, asked) as others:
            folders = [asked.folder / FOLDER, folder / FOLDER, *others]
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

    def _evidence(self, found: published.Published, stage: str) -> Path:
        """The evidence of a stage, copied once."""
        pointer = found.pointers[stage]
        kept = self.folder / canonical.sha256(pointer.encode())
        if not kept.is_dir():
            with tempfile.TemporaryDirectory(prefix="aims-gate-", dir=self.folder) as private:
                copied = Path(private) / "evidence"
                copied.mkdir()
                published.copy(found, stage, copied, self.environ)
                self.homes[pointer] = published.home(found, stage)
                self._forget()
                if not kept.is_dir():
                    copied.rename(kept)
        return kept

    @contextmanager
    def _revocations(
        self, found: published.Published, stage: str, asked: Demand
    ) -> Iterator[list[Path]]:
        """Folders of revocations that lie in MLflow now, beside the evidence or by their tags."""
        home = self.homes[found.pointers[stage]]
        beside = asked.registry.list_artifacts(home, FOLDER)
        if not (beside or found.revoked):
            yield []
            return
        with tempfile.TemporaryDirectory(prefix="aims-gate-", dir=self.folder) as private:
            folders = [Path(private) / "beside", Path(private) / "named"]
            if beside:
                most = MAX_FILES * MAX_ENVELOPE
                where, target = f"{home}/{FOLDER}", folders[0]
                target.mkdir()
                fetch_tree(asked.registry, where, target, max_files=MAX_FILES, max_bytes=most)
            if found.revoked:
                allow = asked.trust.sources_allow
                published.copy_revocations(found.uri, folders[1], self.environ, allow)
            yield folders

    def _forget(self) -> None:
        """Bound the copies: the oldest go."""
        copies = sorted(self.folder.glob("?" * 64), key=lambda one: one.stat().st_mtime)
        for one in copies[:-_MOST]:
            shutil.rmtree(one, ignore_errors=True)


def _excepted(
    candidate: VersionState, model: Manifest, asked: Demand, now: datetime, error: GateError
) -> str:
    """Why a version may go live all the same; raises *error*, with what does not count, if not."""
    faults: tuple[str, ...] = ()
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
            served, trust=asked.trust, folder=asked.folder, now=now, authors=candidate.place.authors
        )
        if found:
            return found.grounds
        faults = faults or found.faults  # an order may be for another name of this server
    if faults:
        error.what = f"{error.what}; {'; '.join(faults[:_SHOWN])}"
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
