"""aims-gate as an installer lays it, and the same machine without it."""

from __future__ import annotations

import os
import site
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]


def wheel(folder: Path) -> Path:
    """Build the wheel into *folder*."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
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
