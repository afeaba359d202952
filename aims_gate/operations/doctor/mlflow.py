"""The doctor's looks at MLflow: address, credentials, proxies, certificates, stores, permission."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from aims_gate.errors import GateError
from aims_gate.operations.doctor.finding import Finding, Look, Setup, State
from aims_gate.policy.resolve import check
from aims_gate.registry.choose import for_artifacts
from aims_gate.registry.probe import Probe, open_probe
from aims_gate.registry.uris import bare, local_store
from aims_gate.sources.mlflow.resolve import resolve

URI = "MLFLOW_TRACKING_URI"
_PAIR = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD")
_TOKEN = "MLFLOW_TRACKING_TOKEN"  # noqa: S105  # the name of the variable
_CREDENTIALS = (
    *_PAIR,
    *(_TOKEN, "MLFLOW_TRACKING_AUTH", "MLFLOW_TRACKING_AWS_SIGV4"),
    *("MLFLOW_TRACKING_CLIENT_CERT_PATH", "DATABRICKS_HOST", "DATABRICKS_TOKEN"),
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"),
    *("MLFLOW_S3_ENDPOINT_URL", "AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGE_ACCESS_KEY"),
    "GOOGLE_APPLICATION_CREDENTIALS",
)
_PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
_BUNDLES = ("MLFLOW_TRACKING_SERVER_CERT_PATH", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_INSECURE = "MLFLOW_TRACKING_INSECURE_TLS"
_HOME = frozenset({"127.0.0.1", "localhost", "::1"})


def _address(setup: Setup) -> Iterator[Finding]:
    uri = setup.environ.get(URI, "").strip()
    if not uri:
        todo = f"set {URI} to the server, such as https://mlflow.example.com"
        yield Finding(name="address", state=State.FAIL, what=f"{URI} is not set", todo=todo)
        return
    place = local_store(uri)
    told = bare(uri) if place is None else f"the local store {place}"
    yield Finding(name="address", state=State.OK, what=told)
    parts = urlsplit(uri)
    if parts.username or parts.password:
        what, todo = f"{URI} holds a user name or password", f"move them to {' and '.join(_PAIR)}"
        yield Finding(name="address", state=State.WARN, what=what, todo=todo)


def _credentials(setup: Setup) -> Iterator[Finding]:
    found = _set_names(setup.environ, _CREDENTIALS)
    told = f"set: {', '.join(found)}" if found else "no variable is set; MLflow is asked without"
    pair = [name for name in _PAIR if name in found]
    parts = urlsplit(setup.environ.get(URI, ""))
    if len(pair) == 1:
        todo = f"set {' and '.join(_PAIR)} together; one alone is not used"
        yield Finding(name="credentials", state=State.WARN, what=told, todo=todo)
    elif pair and _TOKEN in found:
        todo = f"unset {_TOKEN}: the user name and password are used, and it is not"
        yield Finding(name="credentials", state=State.WARN, what=told, todo=todo)
    elif found and parts.scheme == "http" and parts.hostname not in _HOME:
        todo = "use https: over http anybody on the way can read them"
        yield Finding(name="credentials", state=State.WARN, what=told, todo=todo)
    else:
        yield Finding(name="credentials", state=State.OK, what=told)


def _proxies(setup: Setup) -> Iterator[Finding]:
    found = _set_names(setup.environ, _PROXIES)
    uri = setup.environ.get(URI, "").strip()
    host = urlsplit(uri).hostname
    if not found or urlsplit(uri).scheme not in {"http", "https"}:
        told = f"set: {', '.join(found)}, not used here" if found else "none"
        yield Finding(name="proxies", state=State.OK, what=told)
        return
    around = _goes_around(uri, setup.environ)
    told = f"set: {', '.join(found)}; {host} is asked {'directly' if around else 'through it'}"
    if not around and host in _HOME:
        todo = f"add {host} to NO_PROXY: a proxy cannot reach this machine's own address"
        yield Finding(name="proxies", state=State.WARN, what=told, todo=todo)
    else:
        yield Finding(name="proxies", state=State.OK, what=told)


def _goes_around(uri: str, environ: Mapping[str, str]) -> bool:
    from requests.utils import should_bypass_proxies

    return bool(
        should_bypass_proxies(uri, environ.get("no_proxy") or environ.get("NO_PROXY") or "")
    )


def _certificates(setup: Setup) -> Iterator[Finding]:
    found = _set_names(setup.environ, _BUNDLES)
    lost = [name for name in found if not Path(setup.environ[name]).exists()]
    insecure = setup.environ.get(_INSECURE, "").lower() in {"true", "1"}
    if lost:
        what, todo = f"{', '.join(lost)} names no file", "set it to the CA's certificate, PEM"
        yield Finding(name="certificates", state=State.FAIL, what=what, todo=todo)
    elif insecure:
        what = f"{_INSECURE} is set: nobody knows who answers"
        todo = f"unset it, and name the CA's certificate in {_BUNDLES[0]}"
        yield Finding(name="certificates", state=State.WARN, what=what, todo=todo)
    else:
        told = f"from {found[0]}" if found else "those that come with requests"
        yield Finding(name="certificates", state=State.OK, what=told)


def _store(setup: Setup) -> Iterator[Finding]:
    """Reach the server, then ask for what a run needs; an unreachable one is asked nothing more."""
    if not setup.environ.get(URI, "").strip():
        return
    probe = open_probe(setup.environ, _allowed(setup))
    registered = probe.registered()  # the first call: a server that cannot be reached ends here
    version = probe.version()
    how = "over REST" if probe.registry.name == "rest" else "through MLflow's client"
    if version:
        told = f"{probe.registry.server} answers {how}, MLflow {version}"
        yield Finding(name="server", state=State.OK, what=told)
    else:
        what = f"{probe.registry.server} answers {how}, and does not tell its version"
        todo = "compare it with the versions that README names as tested"
        yield Finding(name="server", state=State.WARN, what=what, todo=todo)
    yield _registry(registered=registered)
    yield _artifacts(probe, setup.environ)
    yield _permission(probe)
    if setup.model is not None and not setup.model.startswith("file:"):
        yield _model(setup.model, probe, setup.environ)


def _allowed(setup: Setup) -> tuple[str, ...]:
    """Allow list of the policy, `sources.allow`; its problems are reported elsewhere."""
    try:
        policy, _problems = check(setup.policy, environ=setup.environ)
    except GateError:
        return ()
    return policy.sources_allow if policy is not None else ()


def _registry(*, registered: bool) -> Finding:
    if registered:
        return Finding(name="registry", state=State.OK, what="answers")
    todo = "register one: mlflow.sklearn.log_model(…, registered_model_name=…)"
    return Finding(name="registry", state=State.WARN, what="answers, and shows no model", todo=todo)


def _artifacts(probe: Probe, environ: Mapping[str, str]) -> Finding:
    root = probe.artifact_root()
    if not root:
        todo = "make an experiment; its artifact store is looked at then"
        return Finding(name="artifacts", state=State.WARN, what="no experiment", todo=todo)
    reader = for_artifacts(probe.registry, root, environ)
    if probe.registry.name == "rest" and reader is probe.registry:
        return Finding(name="artifacts", state=State.OK, what=f"the server hands out {bare(root)}")
    if probe.registry.name == "rest":
        what = f"the server does not hand out {bare(root)}: MLflow's client reads it from here"
        todo = "this machine needs the store's own credentials; or mlflow server --serve-artifacts"
        return Finding(name="artifacts", state=State.WARN, what=what, todo=todo)
    return Finding(name="artifacts", state=State.OK, what=f"read directly from {bare(root)}")


def _permission(probe: Probe) -> Finding:
    may = probe.may_write()
    if may:
        return Finding(name="publishing", state=State.OK, what="evidence may be written")
    if may is None:
        todo = "only a run shows it; --no-publish keeps evidence out of MLflow"
        return Finding(
            name="publishing", state=State.WARN, what="not known without writing", todo=todo
        )
    todo = "ask for EDIT on the experiment aims-gate, or run with --no-publish"
    return Finding(
        name="publishing", state=State.FAIL, what="this user may not write evidence", todo=todo
    )


def _model(uri: str, probe: Probe, environ: Mapping[str, str]) -> Finding:
    found = resolve(uri, probe.registry, environ)
    for_artifacts(probe.registry, found.artifact_uri, environ)
    run = f", run {found.run.run_id}" if found.run else ", without a run"
    return Finding(name="model", state=State.OK, what=f"{uri} is {found.resolved_uri}{run}")


def _set_names(environ: Mapping[str, str], names: tuple[str, ...]) -> list[str]:
    """Names of the variables that are set; their values are never shown."""
    return [name for name in names if environ.get(name, "").strip()]


LOOKS: tuple[tuple[str, Look], ...] = (
    ("address", _address),
    ("credentials", _credentials),
    ("proxies", _proxies),
    ("certificates", _certificates),
    ("server", _store),
)
