"""Child program that runs pip without running any package's code; imports nothing of the gate.

Started as `python -I -B install.py FOLDER ARGUMENTS...` by the interpreter that is installed into,
which has no pip: FOLDER is where the gate's lies. pip builds a source in a process of its own,
whoever asked for it, and an audit hook, which nothing can remove, refuses to start one.
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

_STARTS = frozenset(
    {
        *("subprocess.Popen", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn"),
        *("os.system", "os.startfile", "pty.spawn"),
    }
)
"""CPython's audit events of a process that starts."""


class _Pip:
    """Finds pip in the gate's folder, and nothing else that lies there."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Spec of the package pip itself, through which its modules are found."""
        del path  # for modules inside a package
        return PathFinder.find_spec(name, [self.folder], target) if name == "pip" else None


def refuse_processes(event: str, _arguments: tuple[object, ...]) -> None:
    """Refuse what starts a process, as a system would that does not permit it."""
    if event in _STARTS:
        raise PermissionError("no process is started while a model's packages are installed")


if __name__ == "__main__":
    sys.addaudithook(refuse_processes)
    sys.meta_path.insert(0, _Pip(sys.argv.pop(1)))
    runpy.run_module("pip", run_name="__main__", alter_sys=True)
