"""Real MLflow servers for tests, and stand-ins for other stores.

Run as a program (`python servers.py FOLDER`) it is the keeper of the session's shared server: it
stops the server as soon as no process that asked for it is alive, however those ended.
"""

from __future__ import annotations

import atexit
import fcntl
import http.client
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

START_SECONDS = 240
WEBHOOKS_TO_HOME = {
    "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http,https",
    "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
    "MLFLOW_WEBHOOK_CACHE_TTL": "1",
}
"""Lets a server send webhooks to this machine, and soon after they are set up."""
CHEAPER = (
    *("--artifacts-destination", "{folder}/artifacts"),
    *("--gunicorn-opts", "--worker-class gthread --threads 8 --keep-alive 75"),
)
"""Lets gunicorn serve MLflow's Flask application: a request costs a third less CPU, a file half.

What MLflow starts by default, the same application inside uvicorn, servers of tests' own are.
"""
_QUIET = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without MLflow's variables, telemetry off, plus *extra*.

    Nor does coverage measure such a process, which makes importing MLflow half as long again.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MLFLOW_", "COVERAGE_"))
    }
    return {**kept, **_QUIET, **(extra or {})}


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on, and on Linux this process's until it ends.

    It stays bound to a socket that does not listen: a caller is refused, Linux gives the port to
    nobody who asks for any one, and a server that names it, as servers do with SO_REUSEADDR, may
    listen on it, also a second time. Other systems would not let it.
    """
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    port = int(holder.getsockname()[1])
    if sys.platform == "linux":
        atexit.register(holder.close)
    else:
        holder.close()
    return port


def empty_store(folder: Path) -> Path:
    """A migrated, empty sqlite store, made once below *folder*: that takes seconds, a copy none."""
    path = folder / "empty.db"
    with _locked(folder / "empty.lock"):
        if not path.exists():
            new = folder / "empty.new.db"
            code = "import sys; from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore;"
            code += "SqlAlchemyStore(sys.argv[1], '/nowhere')"
            subprocess.run(
                [sys.executable, "-c", code, f"sqlite:///{new}"],
                check=True,
                env=environment(),
                cwd=folder,
                capture_output=True,
            )
            new.rename(path)
    return path


def copy_store(store: Path, path: Path, artifacts: str) -> None:
    """Copy an empty store to *path*; its experiment keeps artifacts below the URI *artifacts*."""
    shutil.copy(store, path)
    with sqlite3.connect(path) as database:
        database.execute(
            "UPDATE experiments SET artifact_location = ? || '/' || experiment_id", (artifacts,)
        )
    database.close()


@dataclass(kw_only=True)
class Server:
    """An `mlflow server` over a sqlite store and an artifact folder below *folder*."""

    folder: Path
    store: Path | None = None
    """An empty store to begin with a copy of; without it the server makes its own, in seconds."""
    stores: tuple[str, ...] = ()
    """Options for where artifacts lie; by default the server keeps and proxies them itself."""
    environ: Mapping[str, str] = field(default_factory=dict)
    workers: int = 1
    prefix: str = ""
    """What its paths begin with, where the options say so."""
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.prefix}"

    @property
    def artifacts(self) -> Path:
        """Where the server keeps artifacts: for tests that tamper with them."""
        return self.folder / "artifacts"

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        database = self.folder / "mlflow.db"
        if self.store is not None and not database.exists():
            copy_store(self.store, database, "mlflow-artifacts:")
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "mlflow", "server"),
                    *("--backend-store-uri", f"sqlite:///{database}"),
                    *(self.stores or ("--artifacts-destination", str(self.artifacts))),
                    *("--host", "127.0.0.1", "--port", str(self.port)),
                    *("--workers", str(self.workers)),
                ],
                env=environment(self.environ),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait()

    def kill(self) -> None:
        """Kill it and its workers at once, as a crash of the machine would."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process is None or self.process.poll() is not None:
                break
            if _answers(f"{self.url}/health"):
                return
            time.sleep(0.1)
        log = (self.folder / "server.log").read_text(errors="replace")
        self.kill()
        raise RuntimeError(f"the MLflow server did not start:\n{log[-4000:]}")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - an http URL of ours
            return bool(answer.status == http.client.OK)
    except OSError:
        return False


@contextmanager
def shared_server(
    folder: Path,
    *,
    store: Path,
    stores: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
    workers: int = 1,
) -> Iterator[Server]:
    """Give a server of the session's, started by whichever worker asks first, on a copy of *store*.

    One with other options has a folder of its own; `{folder}` in *stores* is where it keeps things.
    """
    how = {
        "store": str(store),
        "stores": list(stores),
        "environ": dict(environ or {}),
        "workers": workers,
    }
    users = folder / "users"
    users.mkdir(parents=True, exist_ok=True)
    mine = users / str(os.getpid())
    with _locked(folder / "lock"):
        mine.touch()
        if not _listens_at(folder):
            _start_keeper(folder, json.dumps(how))
        port = int((folder / "port").read_text())
    try:
        yield Server(folder=folder / "server", port=port)
    finally:
        mine.unlink(missing_ok=True)


def _listens_at(folder: Path) -> bool:
    """Whether the keeper's server is there: busy with another worker's requests, it is, too."""
    port = folder / "port"
    return port.exists() and _listens(int(port.read_text()))


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=START_SECONDS):
        return True
    return False


def _start_keeper(folder: Path, how: str) -> None:
    (folder / "port").unlink(missing_ok=True)
    with (folder / "keeper.log").open("ab") as log:
        keeper = subprocess.Popen(
            [sys.executable, __file__, str(folder), how],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    while not (folder / "port").exists():
        if keeper.poll() is not None:
            raise RuntimeError((folder / "keeper.log").read_text(errors="replace")[-4000:])
        time.sleep(0.1)
    keeper.returncode = 0  # nobody waits for it: it may outlive this process, for other workers


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _keep(folder: Path, how: Mapping[str, Any]) -> None:
    """Start the server, and stop it when the last process that uses it is gone."""
    with _in_memory(folder / "server") as home:
        stores = tuple(one.replace("{folder}", str(home)) for one in how["stores"])
        more = {"environ": how["environ"], "workers": how["workers"], "stores": stores}
        server = Server(folder=home, store=Path(how["store"]), **more)
        try:
            server.start()
            (folder / "port.new").write_text(str(server.port))
            (folder / "port.new").rename(folder / "port")
            while _used(folder) or not _withdrawn(folder):
                time.sleep(0.5)
        finally:
            server.kill()


@contextmanager
def _in_memory(link: Path) -> Iterator[Path]:
    """A folder that *link* leads to, in memory where 2 GB are free.

    On a disk each commit of sqlite waits for it, 20 ms where several write.
    """
    memory = Path("/dev/shm")
    if not memory.is_dir() or shutil.disk_usage(memory).free < 2_000_000_000:
        yield link
        return
    with tempfile.TemporaryDirectory(dir=memory, ignore_cleanup_errors=True) as home:
        link.unlink(missing_ok=True)  # of a keeper before this one
        link.symlink_to(home)
        yield Path(home)


def _withdrawn(folder: Path) -> bool:
    """Take the server off the list, unless somebody asked for it since the last look."""
    with _locked(folder / "lock"):
        if _used(folder):
            return False
        (folder / "port").unlink()
        return True


def _used(folder: Path) -> bool:
    return any(_alive(int(user.name)) for user in (folder / "users").iterdir())


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


S3_KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing-only"}


@contextmanager
def s3_server() -> Iterator[str]:
    """Run an S3 stand-in; gives its URL. It knows no bucket and lets `S3_KEYS` do everything."""
    port = free_port()
    command = (sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port))
    with running(command, port, S3_KEYS) as url:
        yield url


@contextmanager
def running(command: Sequence[str], port: int, environ: Mapping[str, str]) -> Iterator[str]:
    """Run a stand-in for a store that listens on *port*; gives its URL once it answers."""
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment(environ)
    ) as process:
        try:
            _wait_for(process, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if _listens(port):
            return
        time.sleep(0.1)
    raise RuntimeError("the stand-in did not start")


if __name__ == "__main__":
    _keep(Path(sys.argv[1]), json.loads(sys.argv[2]))
