"""Sigstore's JavaScript library, another reader of bundles, which `make` installs from its lock."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("verify_bundle.cjs")


def verify(trust: Path, *bundles: Path, **identity: str) -> subprocess.CompletedProcess[str]:
    """Verify *bundles* with a public key, or with a trusted root (`.json`) and an *identity*.

    Skips where it is not installed, and is red where AIMS_GATE_REQUIRE names sigstore-js.
    """
    modules = Path(sys.prefix) / "sigstore-js" / "node_modules"
    if shutil.which("node") is None or not modules.is_dir():
        required = "sigstore-js" in os.environ.get("AIMS_GATE_REQUIRE", "")
        reason = "sigstore-js is not installed: make test installs it where there is npm"
        (pytest.fail if required else pytest.skip)(reason)
    return subprocess.run(
        ["node", str(SCRIPT), str(trust), *map(str, bundles)],
        env={**os.environ, "NODE_PATH": str(modules), **identity},
        check=False,
        capture_output=True,
        text=True,
    )
