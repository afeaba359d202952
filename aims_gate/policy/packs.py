"""Policy packs shipped with the package, one file per version: `NAME@VERSION.yaml`.

A pack has versions of its own, and a policy that extends one names the version: what a version says
never changes, and a newer one is shipped beside it, so that an upgrade never changes a policy in
silence.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from aims_gate import canonical
from aims_gate.documents.strict_yaml import MAX_BYTES, parse
from aims_gate.errors import PolicyError, Problem, UsageError, near
from aims_gate.policy.scalars import PIN

_PACKAGE = Path(__file__).resolve().parents[1]


def shelf() -> Path:
    """Folder of the packs: inside an installed package, beside it in a checkout."""
    installed = _PACKAGE / "policies"
    return installed if installed.is_dir() else _PACKAGE.parent / "policies"


def names(folder: Path | None = None) -> tuple[str, ...]:
    """List the packs of *folder* (default: the shipped ones) as `NAME@VERSION`, oldest first.

    Raises:
        PolicyError: a pack cannot be read; a broken one is never left out.
    """
    pins = _pins(folder)
    for pin in pins:
        read_pack(pin, folder)
    return pins


def digests(folder: Path | None = None) -> Mapping[str, Collection[str]]:
    """SHA-256 digests of all shipped versions of every pack, by the pack's id."""
    found: dict[str, list[str]] = {}
    for file in (folder or shelf()).glob("*.yaml"):
        found.setdefault(file.stem.partition("@")[0], []).append(canonical.sha256_file(file))
    return found


def read_pack(pin: str, folder: Path | None = None) -> bytes:
    """Read the pack *pin*, `NAME@VERSION`, as bytes.

    Raises:
        UsageError: no such pack, or none of this version.
        PolicyError: the pack cannot be read, or says that it is another.
    """
    match = re.fullmatch(PIN, pin)
    if match is None:
        raise UsageError(
            f"{pin!r} is not a pinned pack, NAME@VERSION", hint=near(pin, _pins(folder))
        )
    file = (folder or shelf()) / f"{pin}.yaml"
    if not file.is_file():
        raise _not_there(match[1], match[2], _pins(folder))
    with file.open("rb") as stream:
        data = stream.read(MAX_BYTES + 1)
    _refuse_other(pin, data)
    return data


def _pins(folder: Path | None) -> tuple[str, ...]:
    pins = [file.stem for file in (folder or shelf()).glob("*.yaml")]
    return tuple(sorted(filter(re.compile(PIN).fullmatch, pins), key=_age))


def _age(pin: str) -> tuple[str, list[tuple[int, str]]]:
    """Order by name, then by version: 1.10.0 is newer than 1.9.0."""
    name, _, version = pin.partition("@")
    parts = re.split(r"[.+_-]", version)
    return name, [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _not_there(name: str, version: str, pins: tuple[str, ...]) -> UsageError:
    versions = [pin.partition("@")[2] for pin in pins if pin.startswith(f"{name}@")]
    if not versions:
        known = dict.fromkeys(pin.partition("@")[0] for pin in pins)
        return UsageError(f"no pack {name!r}", hint=near(name, known))
    return UsageError(
        f"the pack {name} is installed in version {' and '.join(versions)}, not {version}",
        hint=f"read what it says, then write {name}@{versions[-1]}",
    )


def _refuse_other(pin: str, data: bytes) -> None:
    tree = parse(data, f"pack:{pin}").tree
    metadata = tree.get("metadata") if isinstance(tree, dict) else None
    stated = metadata if isinstance(metadata, dict) else {}
    if f"{stated.get('id')}@{stated.get('version')}" != pin:
        what = f"metadata does not give the id and the version of {pin}"
        raise PolicyError([Problem(file=f"pack:{pin}", line=1, what=what)])
