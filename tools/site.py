"""Build the site of the docs with Zensical, every link checked: `make docs`.

Pages link to each other, to those at the root and to the examples as files of the repository do, so
the site is built from a copy of these files in their places.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COPY = ROOT / ".site"
PAGES = ("*.md", "docs/*.md", "docs/*.svg", "docs/*.png", "examples/*/*.md")


def main() -> int:
    """Copy the pages that git knows, build, and give the exit code."""
    listed = subprocess.run(
        ["git", "ls-files", *PAGES], cwd=ROOT, check=True, capture_output=True, text=True
    )
    shutil.rmtree(COPY, ignore_errors=True)
    for name in listed.stdout.split():
        (COPY / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, COPY / name)
    build = [str(Path(sys.executable).with_name("zensical")), "build", "--clean", "--strict"]
    return subprocess.run(build, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
