"""The doctor's looks at the guard: its file, whom it trusts, and the server's own settings.

What `mlflow server` was started with cannot be asked of it. Its variables can be looked at where
the doctor runs in the server's environment; options on its command line are not seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from aims_gate.attest import trust_file
from aims_gate.attest.trust import KeyRole, Trust
from aims_gate.errors import TrustError
from aims_gate.evidence import live
from aims_gate.evidence.predicates import FORM
from aims_gate.evidence.revocations import FOLDER, unrevoked
from aims_gate.harmless import plain
from aims_gate.operations.doctor.finding import Finding, Look, Setup, State
from aims_gate.registry.uris import local_store
from aims_gate.registry_file import RegistryFile, find, read, refusals
from aims_gate.registry_file.overlap import contradictions
from aims_gate.registry_file.refusals import Refusal
from aims_gate.signoffs import BREAK_GLASS, kinds
from aims_gate.signoffs.folder import Unsound, load

SCHEME = "aims-gate+"
REGISTRY_STORE, BACKEND_STORE = "MLFLOW_REGISTRY_STORE_URI", "MLFLOW_BACKEND_STORE_URI"
DESTINATION, ROOT = "MLFLOW_ARTIFACTS_DESTINATION", "MLFLOW_DEFAULT_ARTIFACT_ROOT"
_SOON = timedelta(days=14)
_TODO = {
    "let through": "judge these before their adoption or their break-glass order ends",
    "would have been refused": "gate or adopt these before mode: enforce",
}
_TRUE = frozenset({"true", "1", "yes"})


def _file(setup: Setup) -> Iterator[Finding]:
    file = _read(setup)
    enforced = sum(one.enforces for one in file.models)
    what = f"{file.path}: {_count(len(file.models), 'pattern')}, {enforced} enforced"
    if enforced < len(file.models):
        first = next(one for one in file.models if not one.enforces)
        what = f"{what}; {first.where} observes: it says what it would refuse, and refuses nothing"
        todo = "aims-gate registry adopt, look at the log for a week, then mode: enforce"
        yield Finding(name="registry file", state=State.WARN, what=what, todo=todo)
    else:
        yield Finding(name="registry file", state=State.OK, what=what)
    for earlier, later in contradictions(file.models):
        what = (
            f"{later.where}: {later.pattern!a} fits names that {earlier.pattern!a} "
            f"({earlier.where}, {earlier.mode}) takes first, with other settings"
        )
        todo = "the first that fits decides: write the narrow pattern first, or let them agree"
        yield Finding(name="patterns", state=State.WARN, what=what, todo=todo)


def _trusted(setup: Setup) -> Iterator[Finding]:
    file = _read(setup)
    trust = trust_file.load(file.trust)
    roles = {role for key in trust.keys for role in key.roles}
    if not (trust.keys or trust.identities):
        what = f"{file.trust} trusts nobody: nothing can be proven, and everything is refused"
        todo = "add the gate's public key with roles: [gate]"
        yield Finding(name="guard trust", state=State.WARN, what=what, todo=todo)
    elif KeyRole.APPROVER not in roles:
        what = f"{file.trust} has no approver: nobody can adopt or break the glass"
        todo = "add the key of a person who does not run the gate, with roles: [approver]"
        yield Finding(name="guard trust", state=State.WARN, what=what, todo=todo)
    else:
        what = f"{file.trust}: {_count(len(trust.keys), 'key')}"
        yield Finding(name="guard trust", state=State.OK, what=what)
    yield _server(file, trust)
    if not file.identity:
        what = "identity names nobody: whoever may write tags may write aims_gate.* tags"
        todo = "mlflow server --app-name basic-auth, and identity: [the gate's user]"
        yield Finding(name="identity", state=State.WARN, what=what, todo=todo)
    else:
        what = f"aims_gate.* tags are for {', '.join(sorted(file.identity))}"
        yield Finding(name="identity", state=State.OK, what=what)


def _server(file: RegistryFile, trust: Trust) -> Finding:
    known = file.server or trust.only_server
    if file.server and file.server not in trust.servers:
        what = f"server: {file.server} is not under servers in {file.trust}"
        todo = "write it there with its URL: evidence of another server is refused"
        return Finding(name="server name", state=State.FAIL, what=what, todo=todo)
    if not known:
        what = "the server has no name: its address must be the one that the gate runs with"
        todo = f"servers: {{prod: [URL]}} in {file.trust.name}, server: prod in {file.path.name}"
        return Finding(name="server name", state=State.WARN, what=what, todo=todo)
    return Finding(name="server name", state=State.OK, what=f"evidence must be of {known}")


def _exceptions(setup: Setup) -> Iterator[Finding]:
    """Look at what is served without evidence, and for how long still."""
    file = _read(setup)
    folder = file.trust.parent
    trust = unrevoked(trust_file.load(file.trust), folder / FOLDER, now=setup.now)
    for one in live.lists(folder / live.FOLDER, trust=trust, now=setup.now):
        if isinstance(one, TrustError):
            todo = "sign a new one, or take the file away"
            yield Finding(name="adopted", state=State.WARN, what=str(one), todo=todo)
            continue
        count = _count(len(one.said.models), "version")
        what = f"{count} may stay until {one.said.until:%Y-%m-%d}"
        soon = one.said.until - setup.now < _SOON
        todo = "run the gate on them: from that day on their aliases are refused" if soon else ""
        state = State.WARN if soon else State.OK
        yield Finding(name="adopted", state=state, what=what, todo=todo)
    for order in load(folder / BREAK_GLASS, kinds.BREAK_GLASS, trust=trust, now=setup.now):
        if isinstance(order, Unsound):
            todo = "let an approver sign it, or take the file away"
            what = f"{order.where}: {order.what}"
            yield Finding(name="break-glass", state=State.WARN, what=what, todo=todo)
        elif setup.now < order.said.expires:
            what = f"{order.said.id} holds until {order.said.expires:%Y-%m-%dT%H:%MZ}"
            todo = "judge that version, or take it out of service before"
            yield Finding(name="break-glass", state=State.WARN, what=what, todo=todo)


def _refusals(setup: Setup) -> Iterator[Finding]:
    """Count what was refused, what would have been, and what went live by an exception."""
    counted: dict[str, list[Refusal]] = {}
    adopted = _adopted(setup)
    for one in refusals.lines(find(setup.environ, setup.registry)):
        let = one.why.startswith(refusals.LET_THROUGH)
        if not (let or one.enforced) and one.at <= adopted.get(one.what, ""):
            continue
        verb = "let through" if let else "refused" if one.enforced else "would have been refused"
        counted.setdefault(verb, []).append(one)
    for verb, found in sorted(counted.items()):
        most = Counter(one.what for one in found).most_common(3)
        told = ", ".join(f"{_count(count, 'time')} {what}" for what, count in most)
        what = plain(
            f"{_count(len(found), 'write')} {verb} since {min(one.at for one in found)}: {told}"
        )
        todo = _TODO.get(verb, "")
        state = State.WARN if todo else State.OK
        yield Finding(name="journal", state=state, what=what, todo=todo)


def _adopted(setup: Setup) -> dict[str, str]:
    """Moves that an adoption list covers, as the journal calls them, and when it was signed."""
    file = _read(setup)
    folder = file.trust.parent
    trust = unrevoked(trust_file.load(file.trust), folder / FOLDER, now=setup.now)
    server = file.server or trust.only_server
    return {
        move: f"{one.said.adopted_on:{FORM}}"
        for one in live.lists(folder / live.FOLDER, trust=trust, now=setup.now)
        if not isinstance(one, TrustError) and server in {"", one.said.server}
        for each in one.said.models
        for move in (
            *(refusals.to_alias(alias, each.name, each.version) for alias in each.aliases),
            *(refusals.to_stage(stage, each.name, each.version) for stage in each.stages),
        )
    }


def _stores(setup: Setup) -> Iterator[Finding]:
    """Look at the plug points: the registry store, and where artifacts are kept."""
    environ = setup.environ
    store = environ.get(REGISTRY_STORE, "") or environ.get(BACKEND_STORE, "")
    destination, root = environ.get(DESTINATION, ""), environ.get(ROOT, "")
    if not store and not destination:
        what = f"{REGISTRY_STORE} and {DESTINATION} are not set here: options are not seen"
        todo = f"run this in the server's environment; both must begin with {SCHEME}"
        yield Finding(name="plug points", state=State.WARN, what=what, todo=todo)
        return
    for name, value, open_door in (
        (REGISTRY_STORE, store, "aliases and stages are not guarded"),
        (DESTINATION, destination, "bytes under a judged version can be replaced"),
    ):
        if value.startswith(SCHEME):
            yield Finding(name="plug points", state=State.OK, what=f"{name} is guarded")
        else:
            scheme = value.partition(":")[0] or "sqlite"
            todo = f"{name}={SCHEME}{scheme}:…, or mlflow server --app-name aims-gate"
            what = f"{name} does not begin with {SCHEME}: {open_door}"
            yield Finding(name="plug points", state=State.FAIL, what=what, todo=todo)
    yield from _inside(setup, destination.removeprefix(SCHEME))
    if root and not root.startswith("mlflow-artifacts:"):
        what = f"{ROOT} lets clients write to the store themselves, past the server"
        todo = "leave it out, so that artifacts go through the server"
        yield Finding(name="plug points", state=State.WARN, what=what, todo=todo)


def _inside(setup: Setup, destination: str) -> Iterator[Finding]:
    """Look for what the guard itself believes among the files that clients may write."""
    kept = local_store(destination) if destination else None
    if kept is None:
        return
    file = _read(setup)
    for path in (file.path, file.trust):
        if path.resolve().is_relative_to(kept.resolve()):
            what = f"{path} lies in {DESTINATION}: whoever may log an artifact can rewrite it"
            todo = (
                "keep the registry file and the trust file in a folder that MLflow does not serve"
            )
            yield Finding(name="plug points", state=State.FAIL, what=what, todo=todo)


def _settings(setup: Setup) -> Iterator[Finding]:
    """Look at what MLflow's own switches open."""
    environ = setup.environ
    if environ.get("MLFLOW_ARTIFACTS_PRESIGNED_ONLY", "").lower() in _TRUE:
        what = "MLFLOW_ARTIFACTS_PRESIGNED_ONLY sends bytes past the server"
        todo = "only the digest catches a swap: versions in the bucket, and registry reconcile"
        yield Finding(name="presigned", state=State.WARN, what=what, todo=todo)
    if environ.get("MLFLOW_ALLOW_MODEL_CODE_EXECUTION", "").lower() not in {"false", "0"}:
        what = "MLFLOW_ALLOW_MODEL_CODE_EXECUTION is not false: models may bring code that runs"
        todo = "MLFLOW_ALLOW_MODEL_CODE_EXECUTION=false, here and where models are loaded"
        yield Finding(name="model code", state=State.WARN, what=what, todo=todo)
    workers = environ.get("MLFLOW_WORKERS", "")
    sqlite = any("sqlite" in environ.get(name, "") for name in (REGISTRY_STORE, BACKEND_STORE))
    if sqlite and workers not in {"", "1"}:
        what = f"{workers} workers on sqlite share one lock on this machine only"
        todo = "PostgreSQL, where the server runs on more than one machine"
        yield Finding(name="workers", state=State.OK, what=what, todo=todo)
    what = "past the guard: the database itself, mlflow gc, the bucket's own credentials"
    todo = "keep these to the server's operators; aims-gate registry reconcile finds what they do"
    yield Finding(name="bypasses", state=State.OK, what=what, todo=todo)


def _authentication(setup: Setup) -> Iterator[Finding]:
    """Ask the server for something without credentials, as a stranger would."""
    uri = setup.environ.get("MLFLOW_TRACKING_URI", "").strip()
    if not uri.startswith(("http://", "https://")):
        return
    import requests

    # no session of ours: it would send the credentials that the environment has
    asked = requests.Request("GET", f"{uri.rstrip('/')}/api/2.0/mlflow/registered-models/search")
    with requests.Session() as stranger:
        stranger.trust_env = False
        try:
            answer = stranger.send(asked.prepare(), timeout=10, allow_redirects=False)
        except requests.RequestException:  # its message may hold a password out of the URI
            what = "cannot reach MLflow: is the server running, and MLFLOW_TRACKING_URI right?"
            todo = "start the server, and look into its log"
            yield Finding(name="authentication", state=State.FAIL, what=what, todo=todo)
            return
    if answer.status_code in {401, 403}:
        yield Finding(name="authentication", state=State.OK, what="strangers are refused")
        return
    if answer.status_code != 200:
        what = f"the server's registry answers {answer.status_code}: it serves no models"
        todo = f"install aims-gate where MLflow runs, which opens {SCHEME}… with it; see its log"
        yield Finding(name="authentication", state=State.FAIL, what=what, todo=todo)
        return
    what = f"strangers are answered {answer.status_code}: nobody is asked who they are"
    todo = "mlflow server --app-name basic-auth: without it tags are not protected"
    yield Finding(name="authentication", state=State.WARN, what=what, todo=todo)


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _read(setup: Setup) -> RegistryFile:
    return read(find(setup.environ, setup.registry))


LOOKS: tuple[tuple[str, Look], ...] = (
    ("registry file", _file),
    ("guard trust", _trusted),
    ("exceptions", _exceptions),
    ("journal", _refusals),
    ("plug points", _stores),
    ("settings", _settings),
    ("authentication", _authentication),
)
