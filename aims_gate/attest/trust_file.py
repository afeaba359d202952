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
servers: {prod: [https://mlflow.acme.example]}
copies: ["dev.cr -> prod.cr"]
sources: {allow: ["s3://mlflow-artifacts/"]}   # where a model's files may lie, beside the registry
```

The schema is closed, and every problem is told at once, each with its line.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from aims_gate.attest import keys, manifest, resource
from aims_gate.attest.keys import PublicKey
from aims_gate.attest.resource import Copy
from aims_gate.attest.trust import Role, Trust, TrustedKey
from aims_gate.errors import PolicyError, Problem, SourceError, UsageError, near
from aims_gate.policy import text
from aims_gate.policy.places import parse_allowed_root

_MAX_KEY_FILE = 1 << 16
_COPY = re.compile(r"([a-z0-9-]+)\.(\S+) -> ([a-z0-9-]+)\.(\S+)")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def load(path: Path) -> Trust:
    """Read a trust file.

    Raises:
        UsageError: There is no such file; PolicyError, with every problem at once, if it is wrong.
    """
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise UsageError(
            f"cannot read the trust file: {getattr(error, 'strerror', None) or error}",
            where=str(path),
            hint="--trust names the file that says whose signatures count (docs/evidence.md)",
        ) from error
    return parse(data, file=path.name, folder=path.parent)


def parse(data: bytes, *, file: str, folder: Path) -> Trust:
    """Read the text of a trust file.

    Args:
        data: The text, YAML.
        file: Its name, for error messages.
        folder: Where the files of public keys are looked for.

    Raises:
        PolicyError: With every problem of the text, each with its line.
    """
    document = text.parse(data, file)
    try:
        written = _File.model_validate(document.tree)
    except ValidationError as error:
        raise PolicyError(_problems(error, document)) from None
    reader = _Reader(document=document, folder=folder, problems=[])
    trust = reader.read(written)
    if reader.problems:
        raise PolicyError(reader.problems)
    return trust


def _moment(value: object) -> datetime:
    """Read a UTC moment: a bare date is 00:00Z of that day, a time needs its offset."""
    written = f"{value}T00:00Z" if _DAY.fullmatch(str(value)) else str(value)
    with contextlib.suppress(ValueError, OverflowError):
        moment = datetime.fromisoformat(written)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    raise PydanticCustomError(
        "moment", "not a date (2027-06-30) or UTC time (2027-06-30T12:00:00Z)"
    )


_Text = Annotated[str, Field(min_length=1, pattern=r"\S")]
_Moment = Annotated[datetime | None, BeforeValidator(_moment)]
# absent is None; a null that was written is refused, it could mean anything


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Key(_Closed):
    person: _Text
    public_key: _Text
    fingerprint: _Text = ""
    roles: Annotated[list[Literal["gate", "approver", "policy", "records"]], Field(min_length=1)]
    verifier_ids: Annotated[list[_Text], Field(min_length=1)] = []
    valid_from: _Moment = None
    valid_until: _Moment = None
    revoked_at: _Moment = None


def _root(value: str) -> str:
    try:
        parse_allowed_root(value)
    except ValueError as error:
        raise PydanticCustomError("place", "{what}", {"what": f"{value!a} {error}"}) from None
    return value


class _Sources(_Closed):
    allow: list[Annotated[str, AfterValidator(_root)]] = []


class _File(_Closed):
    apiVersion: Literal["aims-gate/v1"]  # noqa: N815  # the file's spelling
    kind: Literal["Trust"]
    keys: Annotated[list[_Key], Field(min_length=1)]
    servers: dict[
        Annotated[str, Field(pattern=r"^[a-z0-9-]+$")], Annotated[list[_Text], Field(min_length=1)]
    ] = {}
    copies: list[_Text] = []
    sources: _Sources = _Sources()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """Turns what was written into values, and collects what is wrong with it."""

    document: text.Document
    folder: Path
    problems: list[Problem]

    def read(self, written: _File) -> Trust:
        trusted = [
            one for n, key in enumerate(written.keys) if (one := self._key(n, key)) is not None
        ]
        seen: dict[str, str] = {}
        for one in trusted:
            if one.key.fingerprint in seen:
                self._refuse(("keys",), f"key {one.key.fingerprint} is listed twice")
            seen[one.key.fingerprint] = one.person
        return Trust(
            keys=tuple(trusted),
            servers=self._servers(written.servers),
            copies=tuple(self._copies(written)),
            sources_allow=tuple(written.sources.allow),
            file=self.document.file,
        )

    def _key(self, number: int, written: _Key) -> TrustedKey | None:
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
            roles=frozenset(map(Role, written.roles)),
            verifier_ids=tuple(written.verifier_ids),
            valid_from=start,
            valid_until=end,
            revoked_at=written.revoked_at,
        )

    def _public(self, written: str) -> PublicKey:
        """Read a PEM, an OpenSSH line, or a file below the trust file's folder."""
        if "\n" in written.strip() or " " in written.strip() or written.startswith("-----"):
            return keys.load_public(written.encode(), where="")
        place = self.folder / manifest.safe_name(written)
        try:
            with place.open("rb") as file:
                return keys.load_public(file.read(_MAX_KEY_FILE), where=written)
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

    def _copies(self, written: _File) -> Iterator[Copy]:
        for number, arrow in enumerate(written.copies):
            ends = _COPY.fullmatch(arrow)
            if ends is None:
                hint = 'write "dev.NAME -> prod.NAME"'
                self._refuse(("copies", number), f"{arrow!a} is not a copy", hint)
                continue
            for server in {ends[1], ends[3]} - written.servers.keys():
                hint = near(server, written.servers)
                self._refuse(("copies", number), f"unknown server {server!r}", hint)
            yield Copy(source=(ends[1], ends[2]), target=(ends[3], ends[4]))

    def _refuse(self, path: text.Path, what: str, hint: str = "") -> None:
        line = self.document.line(path)
        self.problems.append(Problem(file=self.document.file, line=line, what=what, hint=hint))


def _problems(error: ValidationError, document: text.Document) -> Iterator[Problem]:
    for one in error.errors(include_url=False, include_input=False):
        line = document.line(tuple(one["loc"]))
        what, hint = _worded(one["type"], tuple(one["loc"]), one["msg"])
        yield Problem(file=document.file, line=line, what=what, hint=hint)


def _worded(kind: str, place: tuple[Any, ...], message: str) -> tuple[str, str]:
    """Say it in the words of the file, not of the library."""
    name = ".".join(map(str, place)) or "the file"
    key = str(place[-1]) if place else ""
    if kind == "extra_forbidden":
        if place == ("identities",):
            return "keyless identities are not read by this version", "give public keys"
        fields = _File.model_fields if len(place) == 1 else _Key.model_fields
        return f"unknown key {key!a}", near(key, fields)
    if kind == "missing":
        return f"{name} is missing", ""
    return f"{name}: {message[:1].lower()}{message[1:]}", ""
