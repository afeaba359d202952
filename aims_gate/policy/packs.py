"""The policy packs that come with the package, each in exactly one version.

A pack has a version of its own, and a policy that extends it names that version: if another one is
installed the policy is refused, so that an upgrade never changes a policy in silence.
"""

from __future__ import annotations

import re
from pathlib import Path

from aims_gate.errors import PolicyError, Problem, UsageError, near
from aims_gate.policy.scalars import PIN
from aims_gate.policy.text import MAX_BYTES, parse

_PACKAGE = Path(__file__).resolve().parents[1]


def shelf() -> Path:
    """Give the folder of the packs: inside an installed package, beside it in a checkout."""
    installed = _PACKAGE / "policies"
    return installed if installed.is_dir() else _PACKAGE.parent / "policies"


def names(folder: Path | None = None) -> tuple[str, ...]:
    """List the packs of *folder* (default: the shipped ones) as `NAME@VERSION`, sorted.

    Raises:
        PolicyError: a pack cannot be read; a broken one is never left out.
    """
    files = sorted((folder or shelf()).glob("*.yaml"))
    return tuple(f"{file.stem}@{_version(file.stem, _bytes(file))}" for file in files)


def read_pack(pin: str, folder: Path | None = None) -> bytes:
    """Give the bytes of the pack *pin*, `NAME@VERSION`.

    Raises:
        UsageError: no such pack, or it is installed in another version.
        PolicyError: the pack cannot be read.
    """
    match = re.fullmatch(PIN, pin)
    if match is None:
        hint = near(pin, names(folder))
        raise UsageError(f"{pin!r} is not a pinned pack, NAME@VERSION", hint=hint)
    name, version = match[1], match[2]
    file = (folder or shelf()) / f"{name}.yaml"
    if not file.is_file():
        raise UsageError(f"no pack {name!r}", hint=near(name, _stems(folder)))
    data = _bytes(file)
    installed = _version(name, data)
    if installed != version:
        raise UsageError(
            f"the pack {name} is installed in version {installed}, not {version}",
            hint=f"read what changed, then write {name}@{installed}",
        )
    return data


def _stems(folder: Path | None) -> list[str]:
    return [file.stem for file in (folder or shelf()).glob("*.yaml")]


def _bytes(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(MAX_BYTES + 1)


def _version(name: str, data: bytes) -> str:
    tree = parse(data, f"pack:{name}").tree
    metadata = tree.get("metadata") if isinstance(tree, dict) else None
    stated = metadata if isinstance(metadata, dict) else {}
    if stated.get("id") != name or not isinstance(stated.get("version"), str):
        what = f"metadata does not give the id {name!r} and a version"
        raise PolicyError([Problem(file=f"pack:{name}", line=1, what=what)])
    return str(stated["version"])
