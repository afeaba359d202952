"""`aims-gate` as tests call it: a process of its own, or a call in theirs, which costs less."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from aims_gate.__main__ import guarded


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


def process(folder: Path, *words: str, environ: Mapping[str, str] | None = None) -> Done:
    """Run `aims-gate` in *folder* as a user does, in this environment or in *environ*."""
    done = subprocess.run(
        [sys.executable, "-m", "aims_gate", *words],
        cwd=folder,
        env=os.environ if environ is None else environ,
        check=False,
        capture_output=True,
        text=True,
    )
    return Done(code=done.returncode, out=done.stdout, err=done.stderr)


def call(folder: Path, *words: str, **variables: str) -> Done:
    """Call the command line in *folder* with these variables set, where imports are done already.

    Afterwards folder and variables are as before, those too that MLflow's client takes away.
    """
    out, err = io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        patch.chdir(folder)
        for name, value in variables.items():
            patch.setenv(name, value)
        code = guarded(list(words))
    return Done(code=code, out=out.getvalue(), err=err.getvalue())
