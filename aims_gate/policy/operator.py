"""Operator configuration: what the operator of the gate permits, whatever a policy says.

```yaml
apiVersion: aims-gate/v1
kind: Config
sources: {allow: ["s3://mlflow-artifacts/"]}   # where MLflow may keep artifacts
connections:                                   # engines that a policy may name, and no more
  warehouse: {url: "duckdb:///srv/loans.duckdb"}
tables: {timeout_seconds: 3600}                # those that no connection names
```

`AIMS_GATE_CONFIG` names it. It lies outside of the checkout that is gated, because whoever may
open a pull request could write it there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated
from urllib.parse import quote, unquote

from pydantic import Field, PlainValidator

from aims_gate.documents import Kind
from aims_gate.documents.keys import (
    ApiVersion,
    Keys,
    Name,
    Text,
    as_number,
    choice,
    refuse,
    words,
)
from aims_gate.documents.roots import RootsText
from aims_gate.documents.strict_yaml import MAX_BYTES
from aims_gate.errors import UsageError, near
from aims_gate.regular import read_regular

VARIABLE = "AIMS_GATE_CONFIG"


def _most(limit: float) -> PlainValidator:
    def check(value: object) -> float:
        number = as_number(value)
        if not 0 < number <= limit:
            raise refuse(f"must lie above 0 and at most at {limit:g}, not {number:g}")
        return number

    return PlainValidator(check)


class TableLimits(Keys):
    """What one run may take of an engine that holds tables."""

    timeout_seconds: Annotated[float, _most(86_400)] = 600.0
    """Of each question."""
    max_bytes: Annotated[float, _most(2**34)] = 2.0**26
    """Of all answers together."""


class ConnectionText(TableLimits):
    """An engine that holds tables: where it is, and what one run may take of it."""

    url: Text


class ConfigText(Keys):
    """The whole file."""

    api_version: ApiVersion = Field(alias="apiVersion")
    kind: Annotated[str, choice("Config"), words("Config")]
    sources: RootsText = RootsText()
    connections: dict[Name, ConnectionText] = Field(default_factory=dict)
    tables: TableLimits = TableLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineAddress:
    """How an engine is reached that a policy names by *name* only."""

    name: str
    url: str = field(repr=False)
    """An Ibis URL; it may hold a secret, so it stands in no error, log or evidence."""
    timeout: float
    """Seconds for one question."""
    max_bytes: int
    """Most bytes that all answers of a run may have."""


CONFIG = Kind(name="Config", model=ConfigText)


def allowed_by_operator(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Artifact roots on the operator's allow list (`sources.allow`); none if no file is named.

    Raises:
        UsageError: There is no such file, or it lies in the checkout.
        PolicyError: It says something that is not known, with every problem.
    """
    written = _read(environ)
    return () if written is None else tuple(written.sources.allow)


def table_limits(environ: Mapping[str, str]) -> TableLimits:
    """Limits of tables that no connection names; errors as `allowed_by_operator`."""
    written = _read(environ)
    return TableLimits() if written is None else written.tables


def connection(name: str, environ: Mapping[str, str]) -> EngineAddress:
    """Connection that the operator wrote down under *name*.

    `${VARIABLE}` in its URL stands for a variable of the environment, such as a password, and the
    path of a DuckDB file begins beside the operator's.

    Raises:
        UsageError: No file is named, it lies in the checkout, it has no such connection, or a
            variable is not set.
        PolicyError: The file says something that is not known, with every problem.
    """
    written = _read(environ)
    if written is None:
        hint = f"the operator of the gate names a file of connections in {VARIABLE}"
        raise UsageError(f"nothing says how {name!a} is reached", hint=hint)
    if name not in written.connections:
        hint = near(name, written.connections) or f"add it to the file that {VARIABLE} names"
        raise UsageError(f"there is no connection {name!a}", hint=hint)
    found = written.connections[name]

    def value(variable: re.Match[str]) -> str:
        if not environ.get(variable[1]):
            what = f"the connection {name!a} needs the variable {variable[1]}, which is not set"
            raise UsageError(what)
        return quote(environ[variable[1]], safe="")

    url = re.sub(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}", value, found.url)
    url = _beside(url, Path(environ[VARIABLE].strip()).absolute().parent)
    return EngineAddress(
        name=name, url=url, timeout=found.timeout_seconds, max_bytes=int(found.max_bytes)
    )


def _beside(url: str, folder: Path) -> str:
    """URL of a file below *folder*: in the working directory a pull request could put another."""
    scheme, _, rest = url.partition("://")
    path, mark, options = rest.partition("?")
    if scheme != "duckdb":
        return url
    return f"duckdb://{quote(str(folder / unquote(path)))}{mark}{options}"


def _read(environ: Mapping[str, str]) -> ConfigText | None:
    named = environ.get(VARIABLE, "").strip()
    if not named:
        return None
    path = Path(named)
    if _in_checkout(path):
        hint = "name a file that no pull request can change"
        raise UsageError(f"{VARIABLE} lies in the checkout that is gated", where=named, hint=hint)
    try:
        return CONFIG.read(read_regular(path, MAX_BYTES), path.name)[1]
    except OSError as error:
        raise UsageError(f"{VARIABLE} cannot be read: {error.strerror}", where=named) from error


def _in_checkout(path: Path) -> bool:
    """Tell whether a file is in the repository of the working directory, not in a nested one.

    A link in it counts by itself as well, because a pull request says where that leads.
    """
    here = Path.cwd().resolve()
    root = next((one for one in (here, *here.parents) if (one / ".git").exists()), None)
    named = Path(os.path.abspath(path))  # noqa: PTH100  # resolve would follow
    folders = next((list(p.parents) for p in (named, path.resolve()) if root in p.parents), None)
    if root is None or folders is None:
        return False
    # git keeps no .git, so a repository inside of a checkout was put there by somebody else
    return not any((one / ".git").is_dir() for one in folders[: folders.index(root)])
