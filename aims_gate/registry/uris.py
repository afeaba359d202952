"""Model URIs as values, and the URIs that may appear in evidence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from aims_gate.attest.file_names import safe_name
from aims_gate.attest.resource import VERSION
from aims_gate.errors import SourceError, UsageError

COMMIT = "mlflow.source.git.commit"
"""The tag in which a run names the git commit that it was made from."""
FORMS = "models:/NAME/VERSION, models:/NAME@ALIAS, models:/m-…, runs:/RUN_ID[/PATH], commit:SHA"

_NAME = re.compile(r"\w(?:[\w .()+-]{0,253}[\w.()+-])?")
_ALIAS = re.compile(r"[A-Za-z0-9_-]{1,255}")
_MODEL_ID = re.compile(r"m-[0-9A-Za-z]{1,64}")
_RUN_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,255}")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_RESERVED_ALIAS = re.compile(r"latest|v[0-9]+", re.IGNORECASE)

_NAMES = frozenset({"databricks", "databricks-uc", "uc"})
"""Stores that are called by a name, which is no folder's."""


def local_store(uri: str) -> Path | None:
    """File or folder of a local MLflow store; None for servers and remote databases."""
    parts = urlsplit(uri)
    if parts.scheme.startswith("sqlite"):
        return Path(parts.path.removeprefix("/"))  # sqlite:///relative, sqlite:////absolute
    named = parts.scheme == "file" or (parts.scheme == "" and uri not in _NAMES)
    return Path(unquote(parts.path)) if named and parts.path else None


def model_name(name: str) -> str:
    """Name of a registered model, checked; UsageError if no URI, or no filter, could hold it."""
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name of a model")
    return name


def commit_filter(commit: str) -> str:
    """Write MLflow's filter for the runs of a *commit*, which is hexadecimal digits only."""
    return f"tags.`{COMMIT}` = '{commit}'"


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionTarget:
    """`models:/NAME/VERSION`."""

    name: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasTarget:
    """`models:/NAME@ALIAS`."""

    name: str
    alias: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTarget:
    """`models:/m-…`."""

    model_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTarget:
    """`runs:/RUN_ID[/PATH]`; without a path it is for the run to say which model."""

    run_id: str
    path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitTarget:
    """`commit:SHA`: the one finished run that was made from a git commit."""

    commit: str
    """40 or 64 lower-case hexadecimal digits; a shorter one may mean two commits tomorrow."""


Target = VersionTarget | AliasTarget | ModelTarget | RunTarget | CommitTarget


def parse(uri: str) -> Target:
    """Read a model URI; UsageError unless it is exactly one of the forms."""
    if uri.startswith("commit:"):
        return _commit(uri.removeprefix("commit:"))
    scheme, slash, rest = uri.partition(":/")
    target: Target | None = None
    if slash and scheme == "models":
        target = _model(rest)
    elif slash and scheme == "runs":
        target = _run(rest)
    if target is None:
        raise UsageError(f"not a model URI of MLflow: {uri!a}", hint=_hint(rest))
    return target


def resource_uri(name: str, version: str, server: str) -> str:
    """Write the package URL that evidence names a model by.

    Args:
        name: The registered or logged model's name.
        version: The version, or the model or run id of a model that has none.
        server: The server's URI, without user and password.
    """
    where = quote(server, safe="")
    return f"pkg:mlflow/{quote(name, safe='')}@{quote(version, safe='')}?repository_url={where}"


def bare(uri: str) -> str:
    """The URI without user, password, query and fragment, so that it may be shown and kept."""
    parts = urlsplit(uri)
    return urlunsplit(
        (parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", "")
    )


def printable(text: object) -> str:
    """Escape a server's text: no line breaks or escape sequences in a log."""
    line = " ".join(str(text)[:300].split())
    return "".join(character if character.isprintable() else "?" for character in line)


def _model(rest: str) -> Target | None:
    if _MODEL_ID.fullmatch(rest):
        return ModelTarget(model_id=rest)
    name, at, alias = rest.partition("@")
    if at and _NAME.fullmatch(name) and _ALIAS.fullmatch(alias):
        return None if _RESERVED_ALIAS.fullmatch(alias) else AliasTarget(name=name, alias=alias)
    name, _, version = rest.partition("/")
    if _NAME.fullmatch(name) and VERSION.fullmatch(version):
        return VersionTarget(name=name, version=version)
    return None


def _run(rest: str) -> Target | None:
    run_id, slash, path = rest.partition("/")
    if not _RUN_ID.fullmatch(run_id) or (slash and not path):
        return None
    try:
        return RunTarget(run_id=run_id, path=str(safe_name(path)) if path else "")
    except SourceError:
        return None


def _commit(rest: str) -> CommitTarget:
    if not _COMMIT.fullmatch(rest):
        hint = "write all 40 digits in lower case, as git rev-parse HEAD prints them"
        raise UsageError(f"{rest!a} is not a full git commit", hint=hint)
    return CommitTarget(commit=rest)


def _hint(rest: str) -> str:
    last = rest.rpartition("/")[2].rpartition("@")[2]
    if last.lower() in {"latest", "production", "staging", "archived", "none"}:
        return f"{last} may mean another version tomorrow: name a version or an alias"
    return f"the forms are {FORMS}"
