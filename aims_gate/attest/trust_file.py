"""The trust file's text, read into `trust.Trust`.

```yaml
apiVersion: aims-gate/v1
kind: Trust
keys:
  - person: gate@acme.example
    public_key: gate.key.pub            # or the PEM, or the OpenSSH line, itself
    fingerprint: SHA256:UAJuvSY59uWl…   # optional, held against the key
    roles: [gate]
    verifier_ids: [https://github.com/acme/ml/.github/workflows/gate.yml]
    valid_from: 2026-01-01
    valid_until: 2027-01-01
    known_as: [gate-bot]                # names in MLflow and git: nobody approves what they made
    approves: [validator]               # roles in which an approver may approve; left out, any
identities:                             # keyless: the identity in a CI job.s certificate
  - person: release-job@acme.example
    issuer: https://token.actions.githubusercontent.com
    subject: https://github.com/acme/ml/.github/workflows/gate.yml@refs/heads/main
    job_workflow_ref: acme/ml/.github/workflows/gate.yml@refs/heads/main
    roles: [gate]
trusted_root: trusted_root.json         # of the Sigstore instance, a file beside this one
servers: {prod: [https://mlflow.acme.example]}
copies: ["dev.cr -> prod.cr"]
sources: {allow: ["s3://mlflow-artifacts/"]}   # where a model's files may lie, beside the registry
deploy:
  - server: prod
    models: ["credit-*"]
    stage: production
    max_age: 31d
    floor: release@1.1.0@5b1f…          # or the URI and the SHA-256 of a parent
```

The schema is closed, and every problem is told at once, each with its line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from aims_gate.attest import file_names, keys, resource
from aims_gate.attest.keys import PublicKey
from aims_gate.attest.resource import Copy
from aims_gate.attest.trust import Deployment, KeyRole, Trust, TrustedIdentity, TrustedKey, united
from aims_gate.attest.trust_grammar import TRUST, KeyText, TrustText
from aims_gate.documents import strict_yaml
from aims_gate.errors import PolicyError, Problem, SourceError, UsageError
from aims_gate.regular import itself, read_regular

_MAX_KEY_FILE = 1 << 16
_COPY = re.compile(r"([a-z0-9-]+)\.(\S+) -> ([a-z0-9-]+)\.(\S+)")


def load(path: Path, at: Callable[[Path], Path] = itself) -> Trust:
    """Read a trust file and its keys; *at* says where a file is read.

    Raises:
        UsageError: There is no such file; PolicyError, with every problem at once, if it is wrong.
    """
    try:
        data = read_regular(at(path), strict_yaml.MAX_BYTES)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"cannot read the trust file: {getattr(error, 'strerror', None) or error}",
            where=str(path),
            hint="--trust names the file that says whose signatures count (docs/evidence.md)",
        ) from error
    return parse(data, file=path.name, folder=path.parent, at=at)


def parse(data: bytes, *, file: str, folder: Path, at: Callable[[Path], Path] = itself) -> Trust:
    """Read the text of a trust file.

    Args:
        data: The text, YAML.
        file: Its name, for error messages.
        folder: Where the files of public keys are looked for.
        at: Where such a file is read: itself, or a copy of it.

    Raises:
        PolicyError: With every problem of the text, each with its line.
    """
    document, written = TRUST.read(data, file)
    reader = _TrustReader(document=document, folder=folder, problems=[], at=at)
    trust = reader.read(written)
    if reader.problems:
        raise PolicyError(reader.problems)
    return trust


@dataclass(frozen=True, slots=True, kw_only=True)
class _TrustReader:
    """Turns what was written into values, and collects what is wrong with it."""

    document: strict_yaml.Document
    folder: Path
    problems: list[Problem]
    at: Callable[[Path], Path]

    def read(self, written: TrustText) -> Trust:
        trusted = [
            one for n, key in enumerate(written.keys) if (one := self._key(n, key)) is not None
        ]
        seen: dict[str, str] = {}
        for one in trusted:
            if one.key.fingerprint in seen:
                self._refuse(("keys",), f"key {one.key.fingerprint} is listed twice")
            seen[one.key.fingerprint] = one.person
        return Trust(
            keys=united(trusted),
            servers=self._servers(written.servers),
            copies=tuple(self._copies(written)),
            sources_allow=tuple(written.sources.allow),
            deploy=tuple(self._deploy(written)),
            identities=tuple(self._identities(written)),
            trusted_root=self._root(written),
            file=self.document.file,
        )

    def _key(self, number: int, written: KeyText) -> TrustedKey | None:
        path = ("keys", number)
        start, end = written.valid_from, written.valid_until
        if start is not None and end is not None and start >= end:
            self._refuse((*path, "valid_until"), "the key ends before it begins")
        try:
            public = self._public(written.public_key)
        except (UsageError, SourceError) as error:
            self._refuse((*path, "public_key"), error.what, error.hint)
            return None
        if written.fingerprint not in {"", public.fingerprint}:
            what = f"the public key's fingerprint is {public.fingerprint}"
            self._refuse((*path, "fingerprint"), what, "find out which of the two is right")
        return TrustedKey(
            key=public,
            person=written.person,
            roles=frozenset(map(KeyRole, written.roles)),
            verifier_ids=tuple(written.verifier_ids),
            valid_from=start,
            valid_until=end,
            revoked_at=written.revoked_at,
            known_as=tuple(written.known_as),
            approves=tuple(written.approves),
        )

    def _identities(self, written: TrustText) -> Iterator[TrustedIdentity]:
        if not {"keys", "identities"} & written.model_fields_set:
            hint = "give keys, or identities; keys: [] trusts nobody, and nothing is proven by it"
            self._refuse((), "nobody is trusted", hint)
        if written.identities and not written.trusted_root:
            what = "identities count by a trusted root, and none is named"
            self._refuse(("identities",), what, "name its file under trusted_root")
        for number, one in enumerate(written.identities):
            start, end = one.valid_from, one.valid_until
            if start is not None and end is not None and start >= end:
                path = ("identities", number, "valid_until")
                self._refuse(path, "the identity ends before it begins")
            yield TrustedIdentity(
                issuer=one.issuer,
                subject=one.subject,
                person=one.person,
                roles=frozenset(map(KeyRole, one.roles)),
                job_workflow_ref=one.job_workflow_ref,
                verifier_ids=tuple(one.verifier_ids),
                valid_from=start,
                valid_until=end,
                revoked_at=one.revoked_at,
            )

    def _root(self, written: TrustText) -> Path | None:
        if not written.trusted_root:
            return None
        try:
            place = self.folder / file_names.safe_name(written.trusted_root)
        except SourceError as error:
            self._refuse(("trusted_root",), error.what, error.hint)
            return None
        if not place.is_file():
            hint = "name a file beside the trust file"
            self._refuse(("trusted_root",), f"there is no {written.trusted_root}", hint)
        return place

    def _public(self, written: str) -> PublicKey:
        """Read a PEM, an OpenSSH line, or a file below the trust file's folder."""
        if "\n" in written.strip() or " " in written.strip() or written.startswith("-----"):
            return keys.load_public(written.encode(), where="")
        place = self.folder / file_names.safe_name(written)
        try:
            return keys.load_public(read_regular(self.at(place), _MAX_KEY_FILE), where=written)
        except OSError as error:
            raise UsageError(
                f"cannot read the public key {written}: {error.strerror}",
                hint="give a PEM, an OpenSSH line, or a file beside the trust file",
            ) from error

    def _servers(self, written: Mapping[str, list[str]]) -> Mapping[str, str]:
        servers: dict[str, str] = {}
        for name, urls in written.items():
            # evidence may carry the name itself in the place of a URL
            for url in (name, *urls):
                short = resource.short_url(url)
                if servers.setdefault(short, name) != name:
                    what = f"{short} is both {servers[short]} and {name}"
                    self._refuse(("servers", name), what, "a URL belongs to one server")
        return servers

    def _copies(self, written: TrustText) -> Iterator[Copy]:
        for number, arrow in enumerate(written.copies):
            ends = _COPY.fullmatch(arrow)
            if ends is None:
                hint = 'write "dev.NAME -> prod.NAME"'
                self._refuse(("copies", number), f"{arrow!a} is not a copy", hint)
                continue
            for server in sorted({ends[1], ends[3]}):
                self._known(server, written, ("copies", number))
            yield Copy(source=(ends[1], ends[2]), target=(ends[3], ends[4]))

    def _deploy(self, written: TrustText) -> Iterator[Deployment]:
        for number, one in enumerate(written.deploy):
            path = ("deploy", number)
            if one.server:
                self._known(one.server, written, (*path, "server"))
            if not (one.stage or one.max_age or one.floor or one.approvals or one.signed_policy):
                hint = "give it a stage, a max_age, a floor, approvals or signed_policy"
                self._refuse(path, "the entry expects nothing", hint)
            yield Deployment(
                server=one.server,
                models=tuple(one.models),
                stage=one.stage,
                max_age=one.max_age,
                floor=one.floor,
                approvals=tuple(one.approvals),
                signed_policy=one.signed_policy,
                where=f"{self.document.file}:{self.document.line(path)}",
            )

    def _known(self, server: str, written: TrustText, path: strict_yaml.Path) -> None:
        if server not in written.servers:
            self._refuse(path, f"unknown server {server!r}", "name it under servers")

    def _refuse(self, path: strict_yaml.Path, what: str, hint: str = "") -> None:
        line = self.document.line(path)
        self.problems.append(Problem(file=self.document.file, line=line, what=what, hint=hint))
