"""A PostgreSQL of the tests' own: a cluster in a temporary folder, reached by a socket in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_DEBIAN = Path("/usr/lib/postgresql")
_USER = "postgres" if os.geteuid() == 0 else ""
"""PostgreSQL refuses to run as root."""


def programs() -> Path | None:
    """Folder of the newest PostgreSQL's programs; None if there is none."""
    found = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    beside = shutil.which("initdb")
    return Path(beside).parent if beside else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A running server; each test makes a database of its own."""

    folder: Path

    def database(self, name: str) -> str:
        """Make an empty database; gives its URL."""
        _run(
            "psql",
            "-h",
            self.folder,
            "-U",
            "gate",
            "-d",
            "postgres",
            "-c",
            f'CREATE DATABASE "{name}"',
        )
        return f"postgresql://gate@/{name}?host={self.folder}"

    def start(self, *, durable: bool = False) -> None:
        """Start it; unless *durable*, commits are not brought to the disk, which takes time."""
        options = f"-c listen_addresses='' -c unix_socket_directories='{self.folder}'"
        options += "" if durable else " -c fsync=off"
        _run("pg_ctl", *self._data, "-l", self.folder / "log", "-o", options, "-w", "start")

    def stop(self) -> None:
        """Stop it, without waiting for who is connected."""
        _run("pg_ctl", *self._data, "-m", "immediate", "-w", "stop")

    @property
    def _data(self) -> tuple[str, Path]:
        return ("-D", self.folder / "data")


@contextmanager
def cluster(*, durable: bool = False) -> Iterator[Cluster]:
    """Make and start a cluster; it is gone afterwards."""
    # short, as sockets' names have to be, and open to the user that the server runs as
    with tempfile.TemporaryDirectory(prefix="aims-pg-") as name:
        folder = Path(name)
        if _USER:
            shutil.chown(folder, _USER)
        folder.chmod(0o755)
        made = Cluster(folder=folder)
        _run("initdb", *made._data, "-U", "gate", "-A", "trust", "-E", "UTF8", "--no-sync")
        made.start(durable=durable)
        try:
            yield made
        finally:
            made.stop()


def _run(program: str, *arguments: str | Path) -> None:
    found = programs()
    assert found is not None
    become = ("runuser", "-u", _USER, "--") if _USER else ()
    subprocess.run(
        [*become, str(found / program), *map(str, arguments)],
        check=True,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # the server keeps what it inherits
        stderr=subprocess.DEVNULL,
    )
