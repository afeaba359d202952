"""aims-gate as an installer lays it, and the same machine without it."""

from __future__ import annotations

import os
import site
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]


def wheel(folder: Path, checkout: Path = ROOT) -> Path:
    """Build the wheel of *checkout* into *folder*."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=checkout, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def unpacked(folder: Path) -> Path:
    """A folder with the wheel's content, entry points included."""
    with zipfile.ZipFile(wheel(folder)) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def everything_else(folder: Path) -> Path:
    """A folder with all libraries that are installed here but aims-gate."""
    folder.mkdir()
    for entry in Path(site.getsitepackages()[0]).iterdir():
        if "aims_gate" not in entry.name and entry.suffix != ".pth":
            (folder / entry.name).symlink_to(entry)
    return folder


def environment_of(folder: Path, extra: str = "") -> Path:
    """A fresh environment with the wheel and what it requires, with one extra, and no more.

    What is required is linked from the libraries that are installed here. Gives its Python.
    """
    venv.create(folder, symlinks=True, with_pip=False)
    (place,) = folder.glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel(folder)) as archive:
        archive.extractall(place)
    (info,) = place.glob("aims_gate-*.dist-info")
    own = metadata.PathDistribution(info)
    for name in sorted(closure(own.requires or [], extra)):
        for entry in {path.parts[0] for path in metadata.distribution(name).files or []} - {".."}:
            if entry != "__pycache__":
                (place / entry).symlink_to(Path(site.getsitepackages()[0]) / entry)
    return folder / "bin" / "python"


def closure(requirements: Iterable[str], extra: str = "") -> set[str]:
    """Give the names of all libraries that these requirements bring."""
    found: set[str] = set()
    waiting = [(Requirement(line), extra) for line in requirements]
    while waiting:
        wanted, asked = waiting.pop()
        if wanted.marker and not wanted.marker.evaluate({"extra": asked}):
            continue
        name = wanted.name.lower().replace("_", "-")
        if name not in found:
            found.add(name)
            needs = metadata.requires(name) or []
            extras = ["", *wanted.extras]
            waiting += [(Requirement(line), one) for line in needs for one in extras]
    return found


def python(
    program: str, *arguments: str, libraries: Sequence[Path], env: Mapping[str, str], cwd: Path
) -> str:
    """Run a program that finds *libraries* and no others; give what it said on standard error."""
    path = os.pathsep.join(map(str, libraries))
    done = subprocess.run(
        [sys.executable, "-S", "-c", program, *arguments],
        cwd=cwd,
        env={**env, "PYTHONPATH": path},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr
