"""Start-up checks of a server's worker: what it cannot guard, it does not serve.

A server that only keeps files must see which of them are judged: MLflow gives it an empty registry
of its own if nobody names one. And what says whom to trust may not lie among the files that clients
write. Nothing of MLflow is imported here: it is in the middle of being imported itself.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from aims_gate.errors import GateError
from aims_gate.registry.roots import folder
from aims_gate.registry.uris import local_store

SCHEME = "aims-gate+"
"""What a URI begins with whose store is guarded."""
REGISTRY = "_MLFLOW_SERVER_REGISTRY_STORE"
DESTINATION = "_MLFLOW_SERVER_ARTIFACT_DESTINATION"
ARTIFACTS_ONLY = "_MLFLOW_SERVER_ARTIFACTS_ONLY"
"""Variables in which MLflow hands its options to a worker."""
_BOOT_ERROR = 3
"""The exit code of a worker that gunicorn does not start again."""


def refuse_unsafe(environ: Mapping[str, str]) -> None:
    """End a server that is to be guarded, and cannot be."""
    why = blind(environ) if environ.get(ARTIFACTS_ONLY) == "true" else ""
    if why := why or exposed(environ):
        _end(f"aims-gate: this server does not start: {why}")


def exposed(environ: Mapping[str, str]) -> str:
    """Why clients could write what the guard goes by, such as the trust file; empty if not."""
    from aims_gate.registry_file import find, read

    destination = environ.get(DESTINATION, "").removeprefix(SCHEME)
    root = folder(destination)
    if not destination or root is None:
        return ""
    try:
        file = read(find(environ))
    except GateError as error:
        return str(error)
    registry = local_store(environ.get(REGISTRY, "").removeprefix(SCHEME))
    for path in filter(None, (file.path, file.trust, registry)):
        if path.resolve().is_relative_to(root.resolve()):
            return f"{path} lies among the artifacts, where clients write: move it elsewhere"
    return ""


def blind(environ: Mapping[str, str]) -> str:
    """Why a server that only keeps files cannot see which of them are judged; empty if it can."""
    from aims_gate.registry_file import find, read

    uri = environ.get(REGISTRY, "")
    if not uri.startswith(SCHEME):
        return f"name the registry whose files it keeps: --registry-store-uri {SCHEME}…"
    try:
        read(find(environ))
    except GateError as error:
        return str(error)
    return _unreachable(uri.removeprefix(SCHEME))


def _unreachable(uri: str) -> str:
    from sqlalchemy import create_engine, inspect, make_url
    from sqlalchemy.exc import SQLAlchemyError

    url = make_url(uri)
    shown = url.render_as_string(hide_password=True)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        return f"there is no registry at {shown}"  # asking would make an empty one
    engine = create_engine(url)
    try:
        there = inspect(engine).has_table("model_versions")
    except SQLAlchemyError as error:
        return f"the registry {shown} cannot be reached ({type(error).__name__})"
    finally:
        engine.dispose()
    return "" if there else f"{shown} is no registry of MLflow's"


def _end(why: str) -> NoReturn:
    """End this worker, and its supervisor, which would start it again for ever."""
    sys.stderr.write(f"{why}\n")
    supervisor = multiprocessing.parent_process()
    if supervisor is not None and supervisor.pid is not None:
        os.kill(supervisor.pid, signal.SIGTERM)
    raise SystemExit(_BOOT_ERROR)
