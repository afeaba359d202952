"""Who asks, and what this server is called: both from the request as the server itself knows it.

The header `Host` is the client's word, so the address that the server listens on counts.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

import flask

from aims_gate.attest.trust import Trust
from aims_gate.errors import UsageError
from aims_gate.registry_file import RegistryFile

_PREFIX = "_MLFLOW_STATIC_PREFIX"
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def user() -> str | None:
    """The user that MLflow has authenticated; None if nobody is asked who they are."""
    if not flask.has_request_context():
        return None
    found = flask.g.get("mlflow_authenticated_user")
    return None if found is None else str(found)


def authenticates() -> bool:
    """Whether MLflow's own authentication is in front of this request."""
    if not flask.has_request_context():
        return False
    asked = flask.current_app.before_request_funcs.get(None, ())
    return user() is not None or any(
        (getattr(one, "__module__", "") or "").startswith("mlflow.server.auth") for one in asked
    )


def is_gate(settings: RegistryFile) -> bool:
    """Whether the user is one whom the registry file names as the gate."""
    return user() in settings.identity


def servers(settings: RegistryFile, trust: Trust, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Names of this server that evidence may be for.

    The one that the registry file gives; else the only server that the trust file knows; else the
    address that it listens on.

    Raises:
        UsageError: None of them is known.
    """
    if settings.server:
        return (settings.server,)
    if trust.only_server:
        return (trust.only_server,)
    if not flask.has_request_context():
        raise UsageError("the server's own name is not known", hint=_hint(settings))
    asked = flask.request.environ
    host, port = str(asked.get("SERVER_NAME", "")), str(asked.get("SERVER_PORT", ""))
    scheme, prefix = str(asked.get("wsgi.url_scheme", "http")), environ.get(_PREFIX, "")
    hosts = _LOOPBACK if _is_loopback(host) else (host,)
    return tuple(f"{scheme}://{one}:{port}{prefix.rstrip('/')}" for one in hosts)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _hint(settings: RegistryFile) -> str:
    return f"name it under servers in the trust file, and write server: NAME in {settings.path}"
