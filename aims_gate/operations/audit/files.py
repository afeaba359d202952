"""Files of the audit pack: records and signed evidence as bytes, and what is left out and why.

Only files of known kinds are taken, whatever else lies beside them: no data, no private key.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from aims_gate import canonical
from aims_gate.attest.envelope import MAX_ENVELOPE, open_envelope
from aims_gate.attest.file_names import safe_name
from aims_gate.attest.keys import PublicKey
from aims_gate.attest.manifest import MODEL_FILE
from aims_gate.attest.sigstore_bundle import bundle_file, hold
from aims_gate.attest.statement import statement_file
from aims_gate.attest.statement_files import believed_about
from aims_gate.attest.trust import Trust
from aims_gate.catalogue.iso42001 import REQUIREMENTS, Requirement
from aims_gate.errors import GateError, TrustError
from aims_gate.evidence.layout import POLICY_FILE, REPORT_FILE
from aims_gate.governance.contract import LogEntry, RecordDocument
from aims_gate.governance.entry_grammar import ENTRY_TYPES, PRIVATE_TYPES
from aims_gate.governance.kinds import KINDS
from aims_gate.operations.aims.gap_finding import EVERY, LOG
from aims_gate.operations.aims.survey import Survey
from aims_gate.operations.audit.index import AuditScope
from aims_gate.operations.audit.log_tables import entries_of
from aims_gate.operations.audit.population import MOVED, supporting
from aims_gate.operations.audit.private import held
from aims_gate.regular import read_regular
from aims_gate.signoffs import APPROVALS
from aims_gate.sources.mlflow.evidence import PROMOTIONS
from aims_gate.verdict import Verdict

ENVELOPE = ".dsse.json"
EVIDENCE = "evidence"
"""Folder of signed evidence in a pack."""
_PLAIN = frozenset({MODEL_FILE, POLICY_FILE, REPORT_FILE})
"""Files of evidence whose digests the signed statements hold."""
_BESIDE = re.compile(r"\.(statement|sigstore)\.json$")
_STRANGE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(slots=True, kw_only=True)
class PackFiles:
    """What goes into a pack, by path, and which requirement each file belongs to."""

    trust: Trust | None
    files: dict[str, bytes] = field(default_factory=dict)
    controls: dict[str, set[str]] = field(default_factory=dict)
    """Paths by requirement."""
    left_out: list[str] = field(default_factory=list)

    def take(
        self,
        path: str,
        source: Path,
        rows: Iterator[Requirement] | set[Requirement],
        keys: Collection[PublicKey] = (),
    ) -> bytes:
        """Take a file, unless it is unsafe, unreadable or by none of *keys*; empty if not taken."""
        try:
            safe_name(path)
            data = read_regular(source, MAX_ENVELOPE)
            if path.endswith(ENVELOPE):
                open_envelope(data, keys, where=source.name, role=None)
        except (GateError, OSError) as error:
            self.left_out.append(f"{source.name}: {getattr(error, 'what', error)}")
            return b""
        if self.files.setdefault(path, data) != data:
            self.left_out.append(f"{source}: another file is called {path}, too")
            return b""
        for row in rows:
            self.controls.setdefault(row.id, set()).add(path)
        return data

    def signed(self, folder: Path, where: tuple[str, ...], rows: set[Requirement]) -> None:
        """Take each envelope of a folder with the files that say the same, and no other."""
        names = {one.name for one in folder.iterdir()} if folder.is_dir() else set()
        for name in sorted(one for one in names if one.endswith(ENVELOPE)):
            stem = name.removesuffix(ENVELOPE)
            keys = self.keys(folder, stem)
            envelope = self.take(plain_path(*where, name), folder / name, rows, keys)
            for beside in sorted({statement_file(stem), bundle_file(stem)} & names):
                place = plain_path(*where, beside)
                data = self.take(place, folder / beside, rows) if envelope else b""
                if data and not self._alike(data, envelope, name, keys):
                    self.drop(place, "it is not what the envelope beside it holds")
        for name in sorted(names):
            stem, found = _BESIDE.subn("", name)
            if found and plain_path(*where, stem + ENVELOPE) not in self.files:
                self.left_out.append(f"{name}: nobody signed it")

    def keys(self, folder: Path, stem: str) -> tuple[PublicKey, ...]:
        """Keys that may have signed a statement: the listed ones, or that of its certificate."""
        if self.trust is None:
            return ()
        try:
            return tuple(one.key for one in believed_about(folder, stem, self.trust).keys)
        except GateError as error:
            self.left_out.append(f"{bundle_file(stem)}: {error.what}")
            return ()

    @staticmethod
    def _alike(data: bytes, envelope: bytes, where: str, keys: Collection[PublicKey]) -> bool:
        """Whether a file is the statement, or the bundle, of a verified envelope."""
        opened = open_envelope(envelope, keys, where=where, role=None)
        try:
            if data != opened.payload:
                hold(data, envelope, opened.key, where=where)
        except (TrustError, ValueError):
            return False
        return True

    def drop(self, path: str, why: str) -> None:
        """Take a file out again, and say why."""
        del self.files[path]
        for paths in self.controls.values():
            paths.discard(path)
        self.left_out.append(f"{path}: {why}")


def plain_path(*parts: str) -> str:
    """A path of letters, digits, dots and dashes, which no part leaves."""
    return "/".join(_STRANGE.sub("_", part).lstrip(".-") or "_" for part in parts)


def collect(scope: AuditScope, trust: Trust | None) -> PackFiles:
    """Records and evidence of the period; what cannot be taken is told, and nothing is raised."""
    into = PackFiles(trust=trust)
    _records(scope, into)
    chosen = (
        [one for one in scope.found.history.verdicts if scope.when.holds(one.finished.date())]
        if scope.stage.every
        else [one for system in scope.found.systems for one in system.verdicts]
    )
    for verdict in chosen:
        _evidence(verdict, scope.found, into)
    return into


def _records(scope: AuditScope, into: PackFiles) -> None:
    found = scope.found
    roots = {"": found.org.org, **{one.id: one.folder for one in found.systems}}
    for kind in KINDS:
        for system, _, documents in found.documents(kind):
            for one in documents:
                _record(one, system, roots.get(system), set(_asking(kind)), into)
    for system, entry in entries_of(found, scope.when, ENTRY_TYPES):
        if entry.type in PRIVATE_TYPES:
            into.left_out.append(f"{entry.path}: its text may name who raised it")
        else:
            _record(entry, system, roots.get(system), set(_asking(f"{LOG}{entry.type}")), into)
    for system, root in roots.items():
        for path in sorted((root / APPROVALS).glob(f"*{ENVELOPE}")) if root else ():
            where = plain_path("records", system or "organisation", APPROVALS, path.name)
            stem = path.name.removesuffix(ENVELOPE)
            rows = {one for one in REQUIREMENTS if one.id == "7.5"}
            into.take(where, path, rows, into.keys(path.parent, stem))


def _record(
    one: RecordDocument | LogEntry,
    system: str,
    root: Path | None,
    rows: set[Requirement],
    into: PackFiles,
) -> None:
    if root is None or not one.digest:
        return  # missing, which the pages say
    inside = one.path.partition("/")[2]
    where = plain_path("records", system or "organisation", *inside.split("/"))
    data = into.take(where, root / inside, rows)
    kinds = list(dict.fromkeys((*held(inside), *held(data.decode("utf-8", "replace")))))
    if data and canonical.sha256(data) != one.digest:
        into.drop(where, "it changed while it was read")
    elif kinds:
        into.drop(where, f"it holds a {' and a '.join(kinds)}")


def _asking(name: str) -> Iterator[Requirement]:
    """Requirements that ask for a kind of document or a type of entry."""
    for row in REQUIREMENTS:
        asked = {one.partition(".")[0] for names in row.records for one in names}
        if name in asked or (EVERY in asked and name in KINDS):
            yield row


def _evidence(verdict: Verdict, found: Survey, into: PackFiles) -> None:
    name = "" if verdict.evidence is None else verdict.evidence.id
    folder = found.history.folders.get(name)
    if folder is None:
        places = found.history.places.get(name, ("nowhere",))
        brings = f"aims-gate evidence fetch {places[0]} brings it"
        into.left_out.append(f"{name}: in MLflow there is more than a pack brings along; {brings}")
        return
    rows = {row for row in REQUIREMENTS if any(supporting(verdict, row))}
    for source in sorted(folder.iterdir()):
        if source.name in _PLAIN:
            into.take(plain_path(EVIDENCE, name, source.name), source, rows)
    into.signed(folder, (EVIDENCE, name), rows)
    moved = {row for row in REQUIREMENTS if row.id in MOVED}
    into.signed(folder / PROMOTIONS, (EVIDENCE, name, PROMOTIONS), moved)


def table(rows: list[tuple[str, ...]]) -> bytes:
    """A CSV file."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(rows)
    return written.getvalue().encode()
