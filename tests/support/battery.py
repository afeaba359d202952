"""Attacks on a guarded MLflow server: every route that writes, and the ways round a guard.

An attack is a request, or a few, of somebody who may do everything but has no proof. What moved is
read from the database and the disk, never asked of the server.
"""

from __future__ import annotations

import hashlib
import http.client
import itertools
import json
import os
import sqlite3
import uuid
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from tests.support.promoting import House
from tests.support.servers import Server

WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
"""ASCII to its full-width twins."""
Attack = Callable[["Target"], None]
ATTACKS: dict[str, Attack] = {}


@dataclass(kw_only=True)
class Target:
    """A model whose version 1 is live and proven, and whose version 2 is not."""

    url: str
    """Of the server, with its static prefix."""
    database: Path
    artifacts: str
    """URI of the store that the server keeps artifacts in: `file:///…` or `s3://…`."""
    name: str
    model_id: str
    """The logged model of version 1."""
    run_id: str
    """Its run."""
    other_id: str
    """The logged model of version 2."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Of whoever attacks."""
    answers: list[int] = field(default_factory=list)

    def raw(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = {}
    ) -> tuple[int, bytes]:
        """Send a request as it is written, and remember the status."""
        parts = urlsplit(self.url)
        line = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        with closing(line):
            sent = {"Content-Type": "application/json", **self.headers, **headers}
            line.putrequest(method, f"{parts.path}{path}", skip_accept_encoding=True)
            for key, value in sent.items():
                if value:
                    line.putheader(key, value)
            if body is not None and "Transfer-Encoding" not in sent:
                line.putheader("Content-Length", str(len(body)))
            line.endheaders()
            if body is not None:
                line.send(body)
            answer = line.getresponse()
            content = answer.read()
        self.answers.append(answer.status)
        return answer.status, content

    def ask(self, route: str, body: Mapping[str, Any], method: str = "POST") -> dict[str, Any]:
        """Ask the REST API as a client does."""
        sent = json.dumps(body).encode()
        return _read(self.raw(method, f"/api/2.0/mlflow/{route}", sent)[1])

    def alias(self, **changes: Any) -> bytes:
        """JSON that puts the alias on the version without proof."""
        return json.dumps(
            {"name": self.name, "alias": "champion", "version": "2", **changes}
        ).encode()

    @classmethod
    def of(cls, house: House, server: Server, **more: Any) -> Target:
        """Two versions of a house: one live as alias and in Production, and one without proof."""
        client = house.content.client
        first, second = house.version(), house.version(gated=False)
        client.set_registered_model_alias(house.name, "champion", first)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            client.transition_model_version_stage(house.name, first, "Production")
        models = [
            client.get_model_version(house.name, one).source.removeprefix("models:/")
            for one in (first, second)
        ]
        return cls(
            url=house.content.uri,
            database=server.folder / "mlflow.db",
            artifacts=more.pop("artifacts", f"file://{server.artifacts}"),
            name=house.name,
            model_id=models[0],
            run_id=client.get_logged_model(models[0]).source_run_id,
            other_id=models[1],
            **more,
        )

    @property
    def folder(self) -> str:
        """Where the files of version 1 lie, below the artifact root."""
        with closing(sqlite3.connect(self.database)) as database:
            found = database.execute(
                "SELECT artifact_location FROM logged_models WHERE model_id = ?", (self.model_id,)
            ).fetchone()
        return str(found[0]).partition(":/")[2].lstrip("/")

    def state(self) -> dict[str, Any]:
        """What is live: aliases, versions and their stages, and every byte of version 1."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as database:
            ask = database.execute
            aliases = ask(
                "SELECT name, alias, version FROM registered_model_aliases WHERE name LIKE ?",
                (f"%{self.name}%",),
            ).fetchall()
            versions = ask(
                "SELECT name, version, source, current_stage, storage_location FROM model_versions "
                "WHERE name = ? AND version = 1 OR name LIKE ? AND current_stage = 'Production'",
                (self.name, f"%{self.name}%"),
            ).fetchall()
        return {
            "aliases": sorted((n, a, v) for n, a, v in aliases if self._is_guarded(a)),
            "versions": sorted(map(str, versions)),
            "bytes": {key: hashlib.sha256(data).hexdigest() for key, data in self._files()},
        }

    def _files(self) -> Iterator[tuple[str, bytes]]:
        """Files of version 1, from the disk or from the bucket."""
        place = urlsplit(f"{self.artifacts}/{self.folder}")
        if place.scheme == "file":
            for path in Path(place.path).rglob("*"):
                if path.is_file():
                    yield str(path), path.read_bytes()
            return
        import boto3  # type: ignore[import-untyped]

        bucket = boto3.resource("s3", endpoint_url=os.environ["MLFLOW_S3_ENDPOINT_URL"]).Bucket(
            place.netloc
        )
        for one in bucket.objects.filter(Prefix=f"{place.path.lstrip('/')}/"):
            yield one.key, one.get()["Body"].read()

    @staticmethod
    def _is_guarded(alias: str) -> bool:
        import unicodedata

        return unicodedata.normalize("NFKC", alias).casefold().strip() == "champion"


def _read(content: bytes) -> dict[str, Any]:
    """JSON of an answer; empty where it is something else."""
    with suppress(ValueError):
        found = json.loads(content)
        if isinstance(found, dict):
            return found
    return {}


def attack(test: Attack) -> Attack:
    """List an attack by its name."""
    ATTACKS[test.__name__.replace("_", "-")] = test
    return test


def each(name: str, cases: Mapping[str, Any]) -> Callable[[Callable[..., None]], None]:
    """List an attack in several cases."""

    def listed(test: Callable[..., None]) -> None:
        for case, value in cases.items():
            ATTACKS[f"{name}: {case}"] = lambda target, value=value: test(target, value)  # type: ignore[misc]

    return listed


# --- the alias ---------------------------------------------------------------------------------

_PATHS = {
    "api": "/api/2.0/mlflow/registered-models/alias",
    "ajax": "/ajax-api/2.0/mlflow/registered-models/alias",
    "two slashes": "/api/2.0//mlflow/registered-models/alias",
    "leading slashes": "//api/2.0/mlflow/registered-models/alias",
    "slash at the end": "/api/2.0/mlflow/registered-models/alias/",
    "dots": "/api/2.0/mlflow/x/../registered-models/alias",
    "encoded": "/api/2.0/mlflow/registered%2Dmodels/%61lias",
    "encoded slash": "/api/2.0/mlflow/registered-models%2Falias",
    "another version of the API": "/api/3.0/mlflow/registered-models/alias",
    "upper case": "/API/2.0/mlflow/registered-models/ALIAS",
    "a query": "/api/2.0/mlflow/registered-models/alias?name=x&alias=y&version=1",
    "preview": "/api/2.0/preview/mlflow/registered-models/alias",
}


@each("alias by path", _PATHS)
def _path(target: Target, path: str) -> None:
    target.raw("POST", path, target.alias())


@each("alias by method", {one: one for one in ("post", "Post", "PUT", "PATCH", "GET", "OPTIONS")})
def _method(target: Target, method: str) -> None:
    target.raw(method, _PATHS["api"], target.alias())
    target.raw(method, _PATHS["ajax"], target.alias())


@each(
    "alias by header",
    {
        "override": ("GET", {"X-HTTP-Method-Override": "POST"}),
        "override of put": ("PUT", {"X-Method-Override": "POST"}),
        "host": ("POST", {"Host": "localhost", "X-Forwarded-Host": "elsewhere"}),
        "user": ("POST", {"X-Remote-User": "gate-bot", "Authorization": "Basic Z2F0ZS1ib3Q6eA=="}),
        "workspace": ("POST", {"X-MLFLOW-WORKSPACE": "default"}),
        "no type": ("POST", {"Content-Type": ""}),
        "text": ("POST", {"Content-Type": "text/plain"}),
        "form": ("POST", {"Content-Type": "application/x-www-form-urlencoded"}),
        "protobuf": ("POST", {"Content-Type": "application/x-protobuf"}),
        "latin": ("POST", {"Content-Type": "application/json; charset=latin-1"}),
    },
)
def _header(target: Target, how: tuple[str, dict[str, str]]) -> None:
    target.raw(how[0], _PATHS["api"], target.alias(), how[1])
    target.raw(how[0], _PATHS["ajax"], target.alias(), how[1])


@each(
    "alias by encoding",
    {
        "twice": lambda body: (json.dumps(body.decode()).encode(), ""),
        "three times": lambda body: (json.dumps(json.dumps(body.decode())).encode(), ""),
        "UTF-16": lambda body: (body.decode().encode("utf-16"), "; charset=utf-16"),
        "UTF-16 LE": lambda body: (body.decode().encode("utf-16-le"), "; charset=utf-16-le"),
        "UTF-16 without a word": lambda body: (body.decode().encode("utf-16"), ""),
        "UTF-32": lambda body: (body.decode().encode("utf-32"), "; charset=utf-32"),
        "UTF-7": lambda body: (body.decode().encode("utf-7"), "; charset=utf-7"),
        "a byte order mark": lambda body: (b"\xef\xbb\xbf" + body, ""),
        "escapes": lambda body: (body.replace(b"champion", rb"\u0063h\u0061mpion"), ""),
        "a key twice": lambda body: (body.replace(b'"alias"', b'"alias": "x", "alias"'), ""),
        "a version twice": lambda body: (
            body.replace(b'"version"', b'"version": "1", "version"'),
            "",
        ),
        "another key besides": lambda body: (body.replace(b"{", b'{"x": {"y": [1]}, ', 1), ""),
        "white space": lambda body: (b"\n\t " + body + b"\n", ""),
        "a number": lambda body: (body.replace(b'"2"', b"2"), ""),
        "a fraction": lambda body: (body.replace(b'"2"', b"2.0"), ""),
        "a long number": lambda body: (body.replace(b'"2"', b'"0000002"'), ""),
        "a signed number": lambda body: (body.replace(b'"2"', b'"+2"'), ""),
        "a spaced number": lambda body: (body.replace(b'"2"', b'" 2 "'), ""),
        "an underscored number": lambda body: (body.replace(b'"2"', b'"0_2"'), ""),
        "Arabic digits": lambda body: (body.replace(b'"2"', '"\u0662"'.encode()), ""),
    },
)
def _encoded(target: Target, how: Callable[[bytes], tuple[bytes, str]]) -> None:
    body, charset = how(target.alias())
    for path in (_PATHS["api"], _PATHS["ajax"]):
        target.raw("POST", path, body, {"Content-Type": f"application/json{charset}"})


@attack
def alias_in_chunks(target: Target) -> None:
    body = target.alias()
    chunked = b"".join(b"1\r\n%c\r\n" % one for one in body) + b"0\r\n\r\n"
    target.raw("POST", _PATHS["api"], chunked, {"Transfer-Encoding": "chunked"})


@each(
    "alias called",
    {
        "Champion": "Champion",
        "CHAMPION": "CHAMPION",
        "full width": "champion".translate(WIDE),
        "mixed width": "ch" + "ampion".translate(WIDE),
        "a line break": "champion\n",
        "mathematical": "\U0001d41c\U0001d421ampion",
        "a circled letter": "\u24d2hampion",
        "spaces": " champion ",
        "a combined letter": "champio\u0301n",
    },
)
def _called(target: Target, alias: str) -> None:
    target.raw("POST", _PATHS["api"], target.alias(alias=alias))
    target.raw("POST", _PATHS["ajax"], target.alias(alias=alias))


@each(
    "model called",
    {
        "upper case": str.upper,
        "full width": lambda name: name.translate(WIDE),
        "a space": lambda name: f" {name}",
        "a line break": lambda name: f"{name}\n",
        "a zero": lambda name: f"{name}\x00",
    },
)
def _model(target: Target, how: Callable[[str], str]) -> None:
    """Under a name that some databases take for the guarded one."""
    name = how(target.name)
    target.ask("registered-models/create", {"name": name})
    target.ask("model-versions/create", {"name": name, "source": f"models:/{target.other_id}"})
    for version in ("1", "2"):
        target.raw("POST", _PATHS["api"], target.alias(name=name, version=version))
    target.ask("registered-models/rename", {"name": name, "new_name": target.name})


@attack
def alias_taken_away(target: Target) -> None:
    body = {"name": target.name, "alias": "champion"}
    target.ask("registered-models/alias", body, "DELETE")
    target.raw("DELETE", _PATHS["ajax"], json.dumps(body).encode())
    query = f"?name={quote(target.name)}&alias=champion"
    target.raw("DELETE", f"{_PATHS['api']}{query}")


@attack
def alias_of_a_prompt(target: Target) -> None:
    """Prompts and models share one table."""
    tag = {"key": "mlflow.prompt.is_prompt", "value": "true"}
    target.ask("registered-models/set-tag", {"name": target.name, **tag})
    target.ask("model-versions/set-tag", {"name": target.name, "version": "2", **tag})
    target.raw("POST", _PATHS["api"], target.alias())
    target.ask("registered-models/delete-tag", {"name": target.name, "key": tag["key"]}, "DELETE")


@attack
def graphql(target: Target) -> None:
    said = f'name: "{target.name}", alias: "champion", version: "2"'
    for query in (
        f"mutation {{ mlflowSetRegisteredModelAlias(input: {{{said}}}) {{ __typename }} }}",
        "mutation { __typename }",
        "{ mlflowSearchModelVersions(input: {}) { modelVersions { name } } }",
    ):
        target.raw("POST", "/graphql", json.dumps({"query": query}).encode())


# --- stages, names, versions ---------------------------------------------------------------------


@each("stage", {one: one for one in ("Production", "production", "PRODUCTION", "Archived", "None")})
def _stage(target: Target, stage: str) -> None:
    """The unproven version in, or the live one out: by itself, or archived with the others."""
    for version in ("2", "1"):
        for archive in (True, False):
            body = {"name": target.name, "version": version, "stage": stage}
            more = {"archive_existing_versions": archive}
            target.ask("model-versions/transition-stage", {**body, **more})


@attack
def stage_at_create(target: Target) -> None:
    body = {"name": target.name, "source": f"models:/{target.other_id}"}
    more = {"stage": "Production", "current_stage": "Production", "aliases": ["champion"]}
    target.ask("model-versions/create", {**body, **more})


@attack
def rename_away(target: Target) -> None:
    """The live model away, something else into its place."""
    away = f"away-{uuid.uuid4().hex[:6]}"
    target.ask("registered-models/rename", {"name": target.name, "new_name": away})
    target.ask("registered-models/rename", {"name": target.name, "new_name": target.name.upper()})


@attack
def rename_a_shadow(target: Target) -> None:
    """A free model, live as its author likes, takes a guarded name."""
    shadow = f"shadow-{uuid.uuid4().hex[:6]}"
    target.ask("registered-models/create", {"name": shadow})
    target.ask("model-versions/create", {"name": shadow, "source": f"models:/{target.other_id}"})
    target.raw("POST", _PATHS["api"], target.alias(name=shadow, version="1"))
    for name in (target.name, f"{target.name}-b", target.name.upper(), target.name.translate(WIDE)):
        target.ask("registered-models/rename", {"name": shadow, "new_name": name})
        target.ask("registered-models/update", {"name": shadow, "new_name": name}, "PATCH")


@attack
def delete_and_create_again(target: Target) -> None:
    """Versions are numbered anew: the second version 1 would have the first one's place."""
    name = {"name": target.name}
    target.ask("model-versions/delete", {**name, "version": "1"}, "DELETE")
    target.ask("registered-models/delete", name, "DELETE")
    target.ask("registered-models/create", name)
    target.ask("model-versions/create", {**name, "source": f"models:/{target.other_id}"})
    target.raw("POST", _PATHS["api"], target.alias(version="1"))


@attack
def copy_and_tags(target: Target) -> None:
    """Whatever points at evidence of version 1, on another version."""
    found = target.ask(f"model-versions/get?name={quote(target.name)}&version=1", {}, "GET")
    tags = found.get("model_version", {}).get("tags", [])
    source = {"name": target.name, "source": f"models:/{target.name}/1", "tags": tags}
    made = target.ask("model-versions/create", source).get("model_version", {}).get("version", "3")
    for tag in tags:
        for version in ("2", made):
            target.ask("model-versions/set-tag", {"name": target.name, "version": version, **tag})
    for version in ("2", made):
        target.raw("POST", _PATHS["api"], target.alias(version=version))


@attack
def tags_deleted(target: Target) -> None:
    """Without its evidence tag the version must not thaw while it is live."""
    found = target.ask(f"model-versions/get?name={quote(target.name)}&version=1", {}, "GET")
    for tag in found.get("model_version", {}).get("tags", []):
        body = {"name": target.name, "version": "1", "key": tag["key"]}
        target.ask("model-versions/delete-tag", body, "DELETE")
    write(target, target.folder)
    for tag in found.get("model_version", {}).get("tags", []):
        target.ask("model-versions/set-tag", {"name": target.name, "version": "1", **tag})


# --- bytes ---------------------------------------------------------------------------------------


def write(target: Target, folder: str, name: str = "weights/w.txt") -> None:
    """Put a file below a folder of the artifact proxy."""
    for api in ("/api", "/ajax-api"):
        path = f"{api}/2.0/mlflow-artifacts/artifacts/{folder}/{name}"
        target.raw("PUT", path, b"evil", {"Content-Type": "application/octet-stream"})


@each(
    "file",
    {
        "as it is": lambda path: path,
        "a new one": lambda path: f"{path}/new",
        "dot": lambda path: f"./{path}",
        "two slashes": lambda path: path.replace("/", "//"),
        "up and down": lambda path: f"x/../{path}",
        "encoded up": lambda path: f"x/%2e%2e/{path}",
        "encoded slashes": lambda path: path.replace("/", "%2F"),
        "encoded twice": lambda path: path.replace("/", "%252F"),
        "encoded thrice": lambda path: path.replace("/", "%25252F"),
        "encoded letters": lambda path: path.replace("models", "%6dodels"),
        "letters encoded twice": lambda path: path.replace("models", "%256dodels"),
        "backslashes": lambda path: path.replace("/", "%5C"),
        "absolute": lambda path: f"/{path}",
        "upper case": str.upper,
        "full width": lambda path: quote(path.replace("models", "models".translate(WIDE))),
        "a query": lambda path: f"{path}/w?x=",
        "a zero": lambda path: f"{path}%00",
    },
)
def _file(target: Target, how: Callable[[str], str]) -> None:
    write(target, how(target.folder))
    path = f"/api/2.0/mlflow-artifacts/artifacts/{how(target.folder)}/weights/w.txt"
    target.raw("PUT", path, b"1\r\ne\r\n0\r\n\r\n", {"Transfer-Encoding": "chunked"})
    target.raw("DELETE", path)
    target.raw("POST", path, b"evil")
    target.raw("put", path, b"evil")


@each("folder", {f"{n} up": n for n in range(7)})
def _folder(target: Target, up: int) -> None:
    """Delete what the files lie in, up to everything."""
    parts = target.folder.split("/")
    for api in ("/api", "/ajax-api"):
        path = "/".join(parts[: max(0, len(parts) - up)])
        for one in (path, f"{path}/", f"{path}/.", f"{path}/x/..", f"{path}/%2e"):
            target.raw("DELETE", f"{api}/2.0/mlflow-artifacts/artifacts/{one}")


@attack
def upload_in_parts(target: Target) -> None:
    """Begin, send the parts to where the server says, and publish; or throw away."""
    name = f"{target.folder}/weights/w.txt"
    folders = (target.folder, f"x/../{target.folder}", quote(target.folder, safe=""))
    for folder, file in itertools.product(folders, ("w.txt", name, f"../{name}")):
        sent = json.dumps({"path": file, "num_parts": 1}).encode()
        route = "/api/2.0/mlflow-artifacts/mpu"
        _status, content = target.raw("POST", f"{route}/create/{folder}/weights", sent)
        begun = _read(content)
        parts = []
        for one in begun.get("credentials", []):
            done = requests.put(one["url"], data=b"evil", timeout=60)
            parts.append({"part_number": 1, "etag": done.headers.get("ETag", "x")})
        upload = {"path": file, "upload_id": begun.get("upload_id", "x"), "parts": parts}
        for end in ("complete", "abort"):
            ended = json.dumps(upload).encode()
            target.raw("POST", f"{route}/{end}/{folder}/weights", ended)


@attack
def upload_to_a_run(target: Target) -> None:
    """The UI's own route, with paths that climb."""
    for path in (
        *("weights/w.txt", "../w.txt", f"../../models/{target.model_id}/artifacts/weights/w.txt"),
        f"%2e%2e/%2e%2e/models/{target.model_id}/artifacts/weights/w.txt",
    ):
        query = f"run_uuid={target.run_id}&path={quote(path)}"
        target.raw("POST", f"/ajax-api/2.0/mlflow/upload-artifact?{query}", b"evil")


def _places(target: Target) -> Iterator[str]:
    place = f"{target.artifacts}/{target.folder}"
    path = urlsplit(place).path
    yield from (f"mlflow-artifacts:/{target.folder}", f"mlflow-artifacts:///{target.folder}")
    yield from (place, f"file:{path}", path, f"file://localhost{path}", f"aims-gate+{place}")
    yield from (f"mlflow-artifacts:/x/../{target.folder}", f"{place}/../artifacts")
    yield f"mlflow-artifacts:/{quote(target.folder, safe='')}"
    yield from (f"{target.artifacts}/%2e/{target.folder}", place.rpartition("/")[0])


@each("experiment at", {str(n): n for n in range(12)})
def _experiment(target: Target, number: int) -> None:
    """An experiment whose artifacts lie among the files of version 1, and a run in it."""
    place = list(_places(target))[number]
    body = {"name": f"x-{uuid.uuid4().hex[:8]}", "artifact_location": place}
    made = target.ask("experiments/create", body).get("experiment_id")
    if made is None:
        return
    run = target.ask("runs/create", {"experiment_id": made}).get("run", {}).get("info", {})
    query = f"run_uuid={run.get('run_id')}&path=w.txt"
    target.raw("POST", f"/ajax-api/2.0/mlflow/upload-artifact?{query}", b"evil")
    lab = {
        "experiment_id": made,
        "prompt_template": "x",
        "prompt_parameters": [],
        "model_route": "x",
        "model_parameters": [],
        "model_input": "x",
        "model_output": "x",
        "model_output_parameters": [],
        "mlflow_version": "3",
        "user_id": "x",
        "start_time": "1",
    }
    target.raw("POST", "/ajax-api/2.0/mlflow/runs/create-promptlab-run", json.dumps(lab).encode())
    model = {"experiment_id": made, "name": "model"}
    target.ask("logged-models", model)


@attack
def signed_urls(target: Target) -> None:
    """Of the model, of its run, and of a run whose artifacts lie among the model's files."""
    place = f"{target.artifacts}/{target.folder}"
    body = {"name": f"x-{uuid.uuid4().hex[:8]}", "artifact_location": place}
    made = target.ask("experiments/create", body).get("experiment_id", "0")
    run = target.ask("runs/create", {"experiment_id": made}).get("run", {}).get("info", {})
    owners = (
        {"model_id": target.model_id},
        {"run_id": target.run_id},
        {"run_id": run.get("run_id")},
    )
    for one, path in itertools.product(owners, ("weights/w.txt", "../w.txt", "w.txt")):
        signed = {**one, "path": path, "expiration": 600}
        found = target.ask("artifacts/presigned-upload-url", signed)
        _put(found.get("presigned_url"), found.get("headers"))
        target.ask("artifacts/presigned-download-url", signed)
    target.raw("PUT", f"/api/2.0/mlflow-artifacts/presigned/{target.folder}/w.txt", b"evil")


def _put(signed: object, headers: Any = None) -> None:
    """Send bytes to where a signed URL says, past the server."""
    if signed:
        requests.put(str(signed), data=b"evil", headers=headers, timeout=60)


@attack
def logged_model_changed(target: Target) -> None:
    """It is deleted, ended, tagged, or its run is; no byte goes, and nothing becomes live."""
    route = f"logged-models/{target.model_id}"
    target.ask(
        route, {"model_id": target.model_id, "status": "LOGGED_MODEL_UPLOAD_FAILED"}, "PATCH"
    )
    place = [{"key": "mlflow.artifactLocation", "value": f"mlflow-artifacts:/{target.other_id}"}]
    target.ask(f"{route}/tags", {"tags": place}, "PATCH")
    target.ask("runs/set-tag", {"run_id": target.run_id, **place[0]})
    target.ask("runs/update", {"run_id": target.run_id, "artifact_uri": "file:///tmp/x"})


@attack
def model_files_named_by_a_version(target: Target) -> None:
    """A version of a free name, or of this one, whose source is the files themselves."""
    place = f"{target.artifacts}/{target.folder}"
    for name in (target.name, "free-model"):
        target.ask("registered-models/create", {"name": name})
        for source in (f"mlflow-artifacts:/{target.folder}", place, urlsplit(place).path):
            body = {"name": name, "source": source, "run_id": target.run_id}
            target.ask("model-versions/create", body)


@attack
def what_is_registered_is_described(target: Target) -> None:
    """Descriptions and tags that look like proof."""
    name = {"name": target.name}
    target.ask("registered-models/update", {**name, "description": "approved"}, "PATCH")
    target.ask("model-versions/update", {**name, "version": "2", "description": "ok"}, "PATCH")
    for key in ("aims_gate.production.evidence", "aims_gate.production.verdict", "Aims_Gate.x"):
        tag = {"key": key, "value": "passed"}
        target.ask("registered-models/set-tag", {**name, **tag})
        target.ask("model-versions/set-tag", {**name, "version": "2", **tag})
    target.raw("POST", _PATHS["api"], target.alias())


@attack
def traces_and_jobs(target: Target) -> None:
    """Routes that write elsewhere, with places among the files."""
    place = f"mlflow-artifacts:/{target.folder}"
    trace = {
        "trace": {
            "trace_info": {
                "trace_id": f"tr-{uuid.uuid4().hex}",
                "trace_location": {
                    "type": "MLFLOW_EXPERIMENT",
                    "mlflow_experiment": {"experiment_id": "0"},
                },
                "request_time": "2026-11-30T00:00:00Z",
                "state": "OK",
                "tags": {"mlflow.artifactLocation": place},
            }
        }
    }
    sent = json.dumps(trace).encode()
    target.raw("POST", "/api/3.0/mlflow/traces", sent)
    target.raw("POST", "/v1/traces", sent)
    for route in ("/ajax-api/3.0/jobs/", "/ajax-api/3.0/mlflow/demo/delete"):
        target.raw("POST", route, b"{}")
