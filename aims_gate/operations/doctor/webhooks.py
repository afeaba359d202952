"""The doctor's looks at webhooks: what keeps MLflow from telling the receiver of a move.

Settings of `mlflow server` are seen where the doctor runs in the server's environment.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from aims_gate.errors import UsageError
from aims_gate.operations.doctor.finding import Finding, Look, Setup, State
from aims_gate.registry.http import RefusedError
from aims_gate.registry.uris import local_store
from aims_gate.registry.webhooks import NAME, SCHEMES, Webhook, Webhooks
from aims_gate.registry_file import find, read
from aims_gate.webhook_signature import VARIABLE, read_secrets

KEY, CACHE = "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY", "MLFLOW_WEBHOOK_CACHE_TTL"
PRIVATE = "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS"
WORKSPACES = "MLFLOW_ENABLE_WORKSPACES"
STORES = ("MLFLOW_REGISTRY_STORE_URI", "MLFLOW_BACKEND_STORE_URI")
_TRUE = frozenset({"true", "1", "yes"})
_POLL = "or leave webhooks out: the sweep alone gives the same result, later"


def _installed(setup: Setup) -> Iterator[Finding]:
    """Look whether the gate's webhook is there, and where it leads."""
    try:
        found = next((one for one in Webhooks(setup.environ).all() if one.name == NAME), None)
    except UsageError as error:
        yield Finding(name="webhook", state=State.WARN, what=error.what, todo=error.hint)
        return
    except RefusedError as error:
        what = f"the server does not list its webhooks: {error.what}"
        todo = f"set {KEY} to one key for all workers, or remove the webhook that no key opens"
        yield Finding(name="webhook", state=State.FAIL, what=what, todo=todo)
        return
    if found is None or not found.complete:
        what = f"there is no webhook {NAME}" if found is None else f"{NAME} is disabled or narrow"
        todo = f"aims-gate registry webhook install URL; {_POLL}"
        yield Finding(name="webhook", state=State.WARN, what=what, todo=todo)
    else:
        yield Finding(name="webhook", state=State.OK, what=f"{NAME} sends to {found.url}")
    if found is not None:
        yield from _reached(found, setup.environ)


def _reached(webhook: Webhook, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Look whether the server's own protection lets it send there."""
    parts = urlsplit(webhook.url)
    schemes = _schemes(environ)
    if parts.scheme not in schemes:
        what = f"MLflow sends to {', '.join(sorted(schemes))} only, and not to {parts.scheme}"
        todo = f"put TLS before the receiver, set {SCHEMES}=https,{parts.scheme}, {_POLL}"
        yield Finding(name="webhook scheme", state=State.FAIL, what=what, todo=todo)
    if _is_private(parts.hostname or "") and not _is_set(environ, PRIVATE):
        what = f"MLflow sends to public addresses only, and not to {parts.hostname}"
        todo = f"set {PRIVATE}=true, which lets webhooks of anybody reach your network; {_POLL}"
        yield Finding(name="webhook address", state=State.FAIL, what=what, todo=todo)


def _settings(setup: Setup) -> Iterator[Finding]:
    """Look at what the server was started with."""
    environ = setup.environ
    if not environ.get(KEY, "").strip():
        what = f"{KEY} is not set: each worker makes a key of its own, and drops what others wrote"
        todo = "set it to one key (openssl rand -base64 32), before webhooks are installed"
        yield Finding(name="webhook key", state=State.WARN, what=what, todo=todo)
    else:
        yield Finding(name="webhook key", state=State.OK, what=f"{KEY} is set")
    for name in STORES:
        place = local_store(environ.get(name, "").removeprefix("aims-gate+"))
        if place is not None and "sqlite" not in environ[name]:
            what, todo = f"{name} is a folder, which sends no webhooks", "use sqlite or PostgreSQL"
            yield Finding(name="webhook store", state=State.FAIL, what=what, todo=todo)
    if _is_set(environ, PRIVATE) or "http" in _schemes(environ):
        what = f"{PRIVATE} or {SCHEMES} lets webhooks reach your own network, without TLS"
        todo = "only administrators may set up webhooks: mlflow server --app-name basic-auth"
        yield Finding(name="webhook reach", state=State.WARN, what=what, todo=todo)
    if _is_set(environ, WORKSPACES):
        what = "MLflow keeps one list of webhooks for all workspaces"
        todo = "run a receiver for each workspace, with MLFLOW_WORKSPACE; they believe no payload"
        yield Finding(name="webhook workspaces", state=State.WARN, what=what, todo=todo)
    seconds = environ.get(CACHE, "").strip() or "60"
    what = f"a webhook that is new or changed is noticed after {seconds} s ({CACHE})"
    yield Finding(name="webhook cache", state=State.OK, what=what)


def _told(setup: Setup) -> Iterator[Finding]:
    """Look at the secrets of what is received and of what is told."""
    try:
        read_secrets(setup.environ)
        yield Finding(name="webhook secret", state=State.OK, what="is set")
    except UsageError as error:
        yield Finding(name="webhook secret", state=State.WARN, what=error.what, todo=error.hint)
    for one in read(find(setup.environ, setup.registry)).notify:
        if not setup.environ.get(one.secret, "").strip():
            what = f"{one.secret} is not set: nothing is told to {one.url}"
            todo = "set it where the receiver runs, to the secret of that address"
            yield Finding(name="notify", state=State.WARN, what=what, todo=todo)


def _schemes(environ: Mapping[str, str]) -> set[str]:
    """Schemes of the addresses that MLflow sends webhooks to."""
    return {one.strip() for one in environ.get(SCHEMES, "https").split(",")}


def _is_private(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost"


def _is_set(environ: Mapping[str, str], name: str) -> bool:
    return environ.get(name, "").strip().lower() in _TRUE


def _where_used(look: Look) -> Look:
    """The look, where the receiver is used: the guard alone needs no webhook."""

    def looked(setup: Setup) -> Iterator[Finding]:
        file = read(find(setup.environ, setup.registry))
        asked = any(one.policy or one.trigger_alias or one.trigger_tag for one in file.models)
        secret = any(one.startswith(VARIABLE) for one in setup.environ)
        if asked or secret or file.inbox or file.notify:
            yield from look(setup)

    return looked


LOOKS: tuple[tuple[str, Look], ...] = (
    ("webhook", _where_used(_installed)),
    ("webhook settings", _where_used(_settings)),
    ("webhook secrets", _where_used(_told)),
)
"""All looks at webhooks."""
