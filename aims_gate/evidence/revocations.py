"""Revocation: signed statements that freeze a verdict, a model's bytes, or a key's signatures.

A revocation only forbids, so any trusted key may sign one and its dates do not matter; and a file
that cannot be verified forbids everything until somebody has looked at it. What is not there
cannot be read: folders of revocations belong under version control, as the trust file does.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from aims_gate.attest.manifest import MODEL_FILE
from aims_gate.attest.sigstore_bundle import bundle_file
from aims_gate.attest.statement import envelope_file, statement_file
from aims_gate.attest.statement_files import SignedStatement, read_statement
from aims_gate.attest.trust import Trust
from aims_gate.errors import TrustError, UsageError
from aims_gate.evidence.predicates import FORM, KEY_SUBJECT, REVOCATION, SUMMARY, Revocation

FOLDER = "revocations"
"""Where revocations lie: beside the trust file, and beside the evidence itself."""
VERDICT_SUBJECT = statement_file(SUMMARY.name)
_EVER = datetime.min.replace(tzinfo=UTC)
MAX_FILES = 1000
"""Revocations in one folder."""
_ENDINGS = (statement_file(""), envelope_file(""), bundle_file(""))
_HINT = "restore it or take it away: until then nothing is known to be unrevoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocations:
    """Verified revocations, by which evidence and other signatures are refused."""

    found: tuple[SignedStatement[Revocation], ...] = ()

    @classmethod
    def read(cls, folders: Iterable[Path], *, trust: Trust, now: datetime) -> Revocations:
        """Read and verify every revocation of some folders; one that is not there has none.

        Raises:
            TrustError: A statement does not verify, or lacks its envelope; or a folder cannot be
                read. A part of the revocations is never taken for all of them.
        """
        found = []
        for folder in folders:
            for name in _names(folder):
                try:
                    found.append(read_statement(folder, name, REVOCATION, trust=trust, now=now))
                except TrustError as error:
                    where = str(folder / envelope_file(name))
                    what = f"the revocation cannot be verified: {error.what}"
                    raise TrustError(what, where=where, hint=_HINT) from error
        return cls(found=tuple(found))

    def applied(self, trust: Trust) -> Trust:
        """Trust in which revoked keys are frozen from their revocation on."""
        since: dict[str, datetime] = {}
        for one in self.found:
            if one.statement.subject_name == KEY_SUBJECT:
                start, key = one.said.since or _EVER, one.statement.subject
                since[key] = min(start, since.get(key, start))
        keys = tuple(
            replace(one, frozen_from=since.get(digest_of_key(one.key.fingerprint)))
            for one in trust.keys
        )
        return replace(trust, keys=keys)

    def refuse(self, *, verdict: str, model: str, key: str, at: datetime) -> None:
        """Refuse a verdict that was revoked, or whose model or key was.

        Args:
            verdict: SHA-256 of its summary.
            model: SHA-256 of the model's manifest.
            key: Fingerprint of the key that signed it.
            at: When it was signed, as its signer says.

        Raises:
            TrustError: With who revoked it, when and why.
        """
        subjects = {VERDICT_SUBJECT: verdict, MODEL_FILE: model, KEY_SUBJECT: digest_of_key(key)}
        for one in self.found:
            name, since = one.statement.subject_name, one.said.since
            if one.statement.subject != subjects[name] or (since is not None and at < since):
                continue
            frozen = {
                VERDICT_SUBJECT: "the verdict",
                MODEL_FILE: "the model's bytes",
                KEY_SUBJECT: f"key {key}" + (f", from {since:{FORM}} on," if since else ""),
            }[name]
            raise TrustError(
                f"{frozen} of this evidence was revoked at {one.said.revoked_on:{FORM}} by "
                f"{one.signer.person} with {one.signer.key.fingerprint}: {one.said.why!a}",
                hint="use another model, or mend what is wrong and run the gate again",
            )


NONE = Revocations()


def unrevoked(trust: Trust, folder: Path, *, now: datetime) -> Trust:
    """Trust in which the keys revoked in a folder are frozen; TrustError for an invalid one."""
    return Revocations.read((folder,), trust=trust, now=now).applied(trust)


def digest_of_key(fingerprint: str) -> str:
    """SHA-256 in hexadecimal digits of an OpenSSH fingerprint; UsageError if it is none."""
    kind, _, text = fingerprint.partition(":")
    try:
        digest = base64.b64decode(f"{text}=", validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if kind != "SHA256" or base64.b64encode(digest).decode() != f"{text}=" or len(digest) != 32:
        hint = "write SHA256: and 43 letters, as aims-gate evidence key show prints it"
        raise UsageError(f"{fingerprint[:80]!a} is no fingerprint of a key", hint=hint)
    return digest.hex()


def _names(folder: Path) -> list[str]:
    """Names of the statements in a folder, those too that lack a file."""
    try:
        files = [path.name for path in folder.iterdir()]
    except FileNotFoundError:
        return []
    except OSError as error:
        what = f"revocations cannot be read: {error.strerror}"
        raise TrustError(what, where=str(folder)) from error
    names = {file.removesuffix(end) for file in files for end in _ENDINGS if file.endswith(end)}
    names -= {name for name in names if name.startswith(".")}  # writing was cut off half-way
    if len(names) > MAX_FILES:
        what = f"there are more than {MAX_FILES:,} revocations"
        raise TrustError(what, where=str(folder), hint="revoke keys or models in place of verdicts")
    return sorted(names)
