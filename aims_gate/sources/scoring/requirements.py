"""The environment that a model's own files declare: a Python, and packages by name and version.

Whoever logged the model wrote `python_env.yaml` and `requirements.txt`, so a line may say which
package is needed, and never where it comes from or how it is installed: that is pip's own
configuration, which is the gate's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from aims_gate import canonical
from aims_gate.errors import DataError, SourceError
from aims_gate.sources.mlmodel import parse_mapping
from aims_gate.sources.readers import read_bytes

PYTHON_ENV, REQUIREMENTS = "python_env.yaml", "requirements.txt"
"""The names that MLflow gives them, beside `MLmodel`."""
_MOST_BYTES = 1 << 18
_MOST = 2_000
"""Requirements; the largest real environments have some hundred."""
_PYTHON = re.compile(r"(3\.[0-9]{1,2})(\.[0-9]{1,2})?")
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?"
_VERSION = r"(?:===|~=|==|!=|<=|>=|<|>) ?[A-Za-z0-9.!+*_-]{1,80}"
_PLAIN = re.compile(
    rf"{_NAME}(?: ?\[ ?{_NAME}(?: ?, ?{_NAME}){{0,19}} ?\])?"
    rf" ?(?:{_VERSION}(?: ?, ?{_VERSION}){{0,19}})?"
    r" ?(?:; ?[A-Za-z0-9_.\"'<>=!~(), -]{1,400})?"
)
"""`name[extra] >=1, <2 ; marker` of PEP 508, without `@`, paths, URLs, options and `${…}`."""
_ARCHIVE = re.compile(r"(?i)\.(?:whl|zip|egg|tar|tgz|tbz|txz|tlz|gz|bz2|xz|lzma)$")
"""pip takes what ends so for a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What a model says that it needs."""

    python: str
    """Major and minor version, such as `3.11`."""
    lines: tuple[str, ...]
    """Plain requirements, at least one."""
    sha256: str
    """Of the bytes of `requirements.txt`, 64 hexadecimal digits."""


def declared(folder: Path, *, where: str) -> Declared:
    """Read what the model in *folder* needs, and refuse whatever is more than packages by name.

    The patch version of Python is not compared, and `build_dependencies` are not read: only
    wheels are installed, so nothing is built.

    Raises:
        DataError: A file is missing or not understood, `python_env.yaml` asks for more than
            `-r requirements.txt`, or a line is no plain requirement. A line is named by its
            number: its text may hold a password.
    """
    try:
        stated = parse_mapping(_read(folder, PYTHON_ENV, where), where=PYTHON_ENV)
    except SourceError as error:
        raise DataError(f"{PYTHON_ENV}: {error.what}", where=where) from error
    python = stated.get("python")
    version = _PYTHON.fullmatch(python) if isinstance(python, str) else None
    if version is None:
        what = f"{PYTHON_ENV} names no version of Python such as '3.11.9'"
        raise DataError(what, where=where)
    if stated.get("dependencies") != [f"-r {REQUIREMENTS}"]:
        what = f"the dependencies in {PYTHON_ENV} are not '-r {REQUIREMENTS}' alone"
        raise DataError(what, where=where, hint="log the model with pip_requirements")
    content = _read(folder, REQUIREMENTS, where)
    lines = _lines(content, where)
    return Declared(python=version.group(1), lines=lines, sha256=canonical.sha256(content))


def _read(folder: Path, name: str, where: str) -> bytes:
    path = folder / name
    if not path.is_file():
        hint = "log it with MLflow and pip_requirements, or take environment: model away"
        what = f"no environment can be built for the model: it has no {name}"
        raise DataError(what, where=where, hint=hint)
    try:
        return read_bytes(path, where=where, max_bytes=_MOST_BYTES)
    except SourceError as error:
        raise DataError(f"{name}: {error.what}", where=where) from error


def _lines(content: bytes, where: str) -> tuple[str, ...]:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{REQUIREMENTS} is not UTF-8", where=where) from error
    found: list[str] = []
    for number, written in enumerate(text.split("\n"), start=1):
        bare = re.sub(r"(?:^|[ \t])#.*", "", written).strip(" \t\r")
        line = re.sub(r"[ \t]+", " ", bare)
        if not line:
            continue
        name = re.split(r"[ \[<>=!~;]", line, maxsplit=1)[0]
        if not _PLAIN.fullmatch(line) or _ARCHIVE.search(name):
            what = f"line {number} of {REQUIREMENTS} is not a package's name, versions and marker"
            hint = "options, URLs, paths and editable installs are not followed for a model"
            raise DataError(what, where=where, hint=hint)
        found.append(line)
    if not 0 < len(found) <= _MOST:
        what = f"{REQUIREMENTS} has {len(found):,} requirements, and not 1 to {_MOST:,}"
        raise DataError(what, where=where)
    return tuple(found)
