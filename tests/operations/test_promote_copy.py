"""Promotion to another real server: the bytes are hashed on arrival, and copies must be allowed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aims_gate.errors import RecordError, TrustError, UsageError
from aims_gate.operations.promote import promote
from aims_gate.operations.promote_copy import promote_copy
from aims_gate.operations.promotion import Promoted
from aims_gate.operations.revoke import Frozen, Revoking, revoke
from tests.support.command_line import call
from tests.support.promoting import ALIAS, House
from tests.support.proofs import refused
from tests.support.proxy import Answer, Proxy, Request
from tests.support.servers import Server

pytestmark = [pytest.mark.server, pytest.mark.filterwarnings("ignore")]  # MLflow's deprecations


@pytest.fixture(scope="module")
def prod(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Iterator[Server]:
    """A second server."""
    server = Server(folder=tmp_path_factory.mktemp("prod"), store=empty_store)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def house(mlflow_server: str, prod: Server, tmp_path: Path) -> House:
    house = House.build(mlflow_server, tmp_path / "house")
    allow(house, prod.url)
    return house


def allow(house: House, *urls: str, **more: Any) -> None:
    servers = {"dev": [house.environ["MLFLOW_TRACKING_URI"]], "prod": list(urls)}
    copies = {"copies": [f"dev.{house.name} -> prod.{house.name}"], **more}
    house.trust(servers=servers, **copies)


def carry(house: House, version: str, url: str, name: str = "", **how: Any) -> Promoted:
    return promote_copy(house.asks(version, **how), url, name or house.name, now=lambda: house.now)


def there(house: House, prod: Server) -> House:
    """The same model on the other server."""
    other = House.build(prod.url, house.lab.folder.parent / "there")
    other.name, other.lab.signer = house.name, house.lab.signer
    return other


def test_model_and_evidence_are_carried_and_promoted_there(house: House, prod: Server) -> None:
    """And only there; a second copy of the same evidence is the same version."""
    house.version()
    version = house.version()
    dry = carry(house, version, prod.url, dry_run=True)
    assert (dry.moved, dry.exit_code) == (False, 0)
    done = carry(house, version, prod.url)
    other = there(house, prod)
    assert (done.version, done.moved, done.previous) == (f"models:/{house.name}/1", True, None)
    assert (house.champion(), other.champion()) == (None, "1")
    assert carry(house, version, prod.url).moved is False
    assert other.content.client.get_latest_versions(house.name)[0].version == "1"
    words = ("verify", f"models:/{house.name}@{ALIAS}", "--trust", str(house.trust_file))
    asked = call(house.lab.folder, *words, MLFLOW_TRACKING_URI=prod.url)
    assert asked.code == 0, asked.err
    second = house.version()
    assert carry(house, second, prod.url).previous == "1"
    assert other.champion() == "2"
    back = house.asks(environ={"MLFLOW_TRACKING_URI": prod.url})
    assert promote(back, now=lambda: house.now).version == f"models:/{house.name}/1"


def test_what_may_not_be_copied_is_not(house: House, prod: Server) -> None:
    """Not allowed, to another name, refused, revoked, no version: nothing arrives."""
    version, bad = house.version(), house.version(**refused())
    assert carry(house, bad, prod.url).exit_code == 1
    with pytest.raises(TrustError, match=r"may not be copied to other@1 on prod") as caught:
        carry(house, version, prod.url, "other")
    assert f'copies: ["dev.{house.name} -> prod.other"]' in caught.value.hint
    cases: list[tuple[str, dict[str, Any]]] = [
        ("a rollback copies nothing", {"rollback": True}),
        ("name the version", {"model": f"models:/{house.name}@x"}),
    ]
    for match, how in cases:
        with pytest.raises(UsageError, match=match):
            carry(house, version, prod.url, **how)
    with pytest.raises(UsageError, match="not a model URI"):
        carry(house, version, prod.url, "../x")
    by = Revoking(signer=house.signer, why="x", trust=house.trust_file, environ=house.environ)
    revoke(Frozen(evidence=house.uri(version)), by, now=house.now)
    with pytest.raises(TrustError, match="was revoked"):
        carry(house, version, prod.url)
    shutil.rmtree(house.trust_file.parent / "revocations")
    with pytest.raises(TrustError, match="was revoked"):
        carry(house, version, prod.url)
    assert there(house, prod).content.client.search_model_versions(f"name='{house.name}'") == []


def test_bytes_that_change_on_the_way_are_not_promoted(house: House, prod: Server) -> None:
    """The other server keeps other bytes than were sent; nothing there has an alias."""
    version = house.version()

    def changes(_number: int, request: Request) -> Answer | None:
        if request.method == "PUT" and request.path.endswith("/w.txt"):
            request.body = b"evil" + request.body[4:]
        return None

    with Proxy(prod.url, changes) as proxy:
        allow(house, prod.url, proxy.url)
        with pytest.raises(TrustError, match=r"changed: weights/w\.txt"):
            carry(house, version, proxy.url)
    assert there(house, prod).champion() is None


def test_a_copy_that_was_cut_off_is_completed(house: House, prod: Server) -> None:
    """At any write; what is there has no evidence until all of it is."""
    version = house.version()
    other = there(house, prod)
    for path in ("/evaluation.statement.json", "/model-versions/create", "/set-tag"):

        def cut(_number: int, request: Request, path: str = path) -> Answer | None:
            return Answer(status=0) if request.path.endswith(path) else None

        with Proxy(prod.url, cut) as proxy:
            allow(house, prod.url, proxy.url)
            with pytest.raises(RecordError, match="the copy is not complete"):
                carry(house, version, proxy.url)
        for one in other.content.client.search_model_versions(f"name='{house.name}'"):
            assert "aims_gate.production.evidence" not in one.tags
    assert carry(house, version, prod.url).moved
    assert [other.champion()] == ["1"]


def test_the_command_carries(house: House, prod: Server) -> None:
    """As a person types it, and both options or none."""
    folder = house.lab.folder
    assert call(folder, "evidence", "key", "generate").code == 0
    house.use_key(folder / "gate.key")
    allow(house, prod.url)
    version = house.version()
    words = ["promote", "--model", house.uri(version), "--alias", ALIAS, "--key", "gate.key"]
    words += ["--why", "release", "--trust", str(house.trust_file), "--copy-to", prod.url]
    environ = {"MLFLOW_TRACKING_URI": house.environ["MLFLOW_TRACKING_URI"]}
    assert "belong together" in call(folder, *words, **environ).err
    done = call(folder, *words, "--as", house.name, **environ)
    assert done.code == 0, done.err
    assert f"promoted:  {ALIAS} points at models:/{house.name}/1, before at nothing" in done.out
