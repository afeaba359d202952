"""Aliases, tags and versions that a gate writes: every implementation, against real stores."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable

import pytest

from aims_gate.errors import SourceError, UsageError
from aims_gate.registry.client import ClientRegistry
from aims_gate.registry.contract import NotFoundError, Registry
from aims_gate.registry.rest import RestRegistry
from tests.conformance.conftest import Place
from tests.support.proxy import Answer, Proxy, Request
from tests.support.registry_content import Content, Logged
from tests.support.servers import free_port

Write = Callable[[Registry, Logged], object]
WRITES: dict[str, Write] = {
    "set_alias": lambda registry, to: registry.set_alias(to.name, "champion", "1"),
    "delete_alias": lambda registry, to: registry.delete_alias(to.name, "champion"),
    "set_version_tag": lambda registry, to: registry.set_version_tag(to.name, "1", "k", "v"),
    "delete_version_tag": lambda registry, to: registry.delete_version_tag(to.name, "1", "k"),
    "create_version": lambda registry, to: registry.create_version(to.name, to.uri),
}


def second(content: Content, logged: Logged) -> str:
    return content.version(logged.name, f"models:/{logged.model_id}", logged.run_id)


def test_an_alias_is_set_moved_and_deleted_and_its_neighbours_stay(place: Place) -> None:
    registry, content = place
    logged = content.registered()
    newer = second(content, logged)
    registry.set_alias(logged.name, "shadow", "1")
    registry.set_alias(logged.name, "champion", "1")
    assert registry.get_alias(logged.name, "champion").version == "1"
    registry.set_alias(logged.name, "champion", newer)
    registry.set_alias(logged.name, "champion", newer)
    assert registry.aliases(logged.name) == {"shadow": "1", "champion": newer}
    found = content.client.get_model_version_by_alias(logged.name, "champion")
    assert str(found.version) == newer
    for _again in range(2):
        registry.delete_alias(logged.name, "champion")
        assert registry.aliases(logged.name) == {"shadow": "1"}
    with pytest.raises(SourceError):
        registry.get_alias(logged.name, "champion")


def test_a_version_tag_is_set_and_deleted_and_its_neighbours_stay(place: Place) -> None:
    registry, content = place
    logged = content.registered()
    newer = second(content, logged)
    said = '{"was": "1"}\n\N{SNOWMAN} % & ?'
    registry.set_version_tag(logged.name, "1", "aims_gate.verdict", "passed")
    registry.set_version_tag(logged.name, "1", "aims_gate.promoted", "once")
    registry.set_version_tag(logged.name, "1", "aims_gate.promoted", said)
    assert registry.get_version(logged.name, "1").tags["aims_gate.promoted"] == said
    assert registry.get_version(logged.name, newer).tags == {}
    for _again in range(2):
        registry.delete_version_tag(logged.name, "1", "aims_gate.promoted")
        assert registry.get_version(logged.name, "1").tags == {"aims_gate.verdict": "passed"}


def test_a_version_is_copied_without_the_tags_that_would_vouch_for_it(place: Place) -> None:
    registry, content = place
    logged = content.registered()
    registry.set_version_tag(logged.name, "1", "aims_gate.production.verdict", "passed")
    target = f"prod-{uuid.uuid4().hex[:8]}"
    made = registry.create_version(target, logged.uri, logged.run_id)
    assert (made.name, made.version, made.run_id) == (target, "1", logged.run_id)
    kept = registry.get_version(target, "1")
    assert (kept.source, kept.run_id, kept.status) == (logged.uri, logged.run_id, "READY")
    assert kept.tags == {}
    assert registry.create_version(target, logged.uri).version == "2"
    assert registry.aliases(target) == {}


def test_writing_to_what_is_not_there_is_an_error_and_makes_nothing(place: Place) -> None:
    registry, content = place
    logged = content.registered()
    registry.set_alias(logged.name, "champion", "1")
    writes: tuple[Callable[[], object], ...] = (
        lambda: registry.set_alias(logged.name, "champion", "77"),
        lambda: registry.set_alias("nobody", "champion", "1"),
        lambda: registry.delete_alias("nobody", "champion"),
        lambda: registry.set_version_tag(logged.name, "77", "k", "v"),
        lambda: registry.set_version_tag("nobody", "1", "k", "v"),
        lambda: registry.delete_version_tag(logged.name, "77", "k"),
    )
    for write in writes:
        with pytest.raises(NotFoundError):
            write()
    with pytest.raises(SourceError):
        registry.create_version(logged.name, "models:/nobody/1")
    assert registry.aliases(logged.name) == {"champion": "1"}
    assert len(registry.versions(logged.name, last=9)) == 1
    with pytest.raises(NotFoundError):
        registry.aliases("nobody")


@pytest.mark.parametrize("alias", ["", "latest", "v1", "a/b", "../x", "a b", "a%2Fb", "a\0b"])
def test_an_alias_that_mlflow_does_not_take_is_an_error(place: Place, alias: str) -> None:
    registry, content = place
    logged = content.registered()
    with pytest.raises(SourceError):
        registry.set_alias(logged.name, alias, "1")
    assert registry.aliases(logged.name) == {}


@pytest.mark.parametrize("hostile", ["%2e%2e%2f", "a b+c", "#x?y=z&name=w", "'--", "\N{SNOWMAN}"])
def test_a_name_that_looks_like_something_else_is_that_name(place: Place, hostile: str) -> None:
    registry, content = place
    logged = content.registered(f"cr{hostile}")
    registry.set_alias(logged.name, "champion", "1")
    registry.set_version_tag(logged.name, "1", "said", hostile)
    found = registry.get_alias(logged.name, "champion")
    assert (found.name, found.version, found.tags) == (logged.name, "1", {"said": hostile})
    assert registry.aliases(logged.name) == {"champion": "1"}
    registry.delete_alias(logged.name, "champion")
    assert registry.aliases(logged.name) == {}


@pytest.mark.parametrize("name", ["", "a/b", "../x", "a:b", "a\0b"])
def test_a_name_that_no_model_has_is_an_error(place: Place, name: str) -> None:
    registry, _content = place
    asked: Logged = Logged(name=name, version="1", run_id="", model_id="")
    for write in list(WRITES.values())[:4]:
        with pytest.raises(SourceError):
            write(registry, asked)
    with pytest.raises(SourceError):
        registry.aliases(name)
    with pytest.raises(UsageError, match="no name of a model"):
        registry.create_version(name, "models:/nobody/1")


@pytest.fixture(params=["rest", "client"])
def reader(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Registry]:
    """Open a server that fails, without MLflow's client trying for minutes."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    rest = request.param == "rest"
    return lambda url: RestRegistry(url, os.environ) if rest else ClientRegistry(url)


LOGGED = Logged(name="cr", version="1", run_id="", model_id="")


@pytest.mark.parametrize("write", WRITES)
def test_a_server_that_is_down_is_an_error(reader: Callable[[str], Registry], write: str) -> None:
    registry = reader(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(SourceError):
        WRITES[write](registry, LOGGED)


@pytest.mark.parametrize("write", ["set_alias", "delete_version_tag"])
def test_a_server_that_does_not_answer_in_time_is_an_error(
    reader: Callable[[str], Registry],
    mlflow_server: str,
    monkeypatch: pytest.MonkeyPatch,
    write: str,
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")

    def slow(_number: int, _request: Request) -> Answer:
        time.sleep(6)
        return Answer()

    with Proxy(mlflow_server, slow) as proxy:
        registry = reader(proxy.url)
        begun = time.monotonic()
        with pytest.raises(SourceError):
            WRITES[write](registry, LOGGED)
        assert time.monotonic() - begun < 5


@pytest.mark.parametrize("status", [0, 500, 503])
def test_a_write_that_may_have_been_done_is_an_error_and_not_repeated(
    reader: Callable[[str], Registry], mlflow_server: str, status: int
) -> None:
    """The line is cut after the alias moved: the caller is told, and reading tells the rest."""
    content = Content(uri=mlflow_server)
    logged = content.registered()

    def cut(_number: int, request: Request) -> Answer | None:
        if request.method == "POST" and request.path.endswith("/registered-models/alias"):
            content.client.set_registered_model_alias(logged.name, "champion", "1")
            return Answer(status=status, body=b"")
        return None

    with Proxy(mlflow_server, cut) as proxy:
        registry = reader(proxy.url)
        with pytest.raises(SourceError):
            registry.set_alias(logged.name, "champion", "1")
        assert registry.get_alias(logged.name, "champion").version == "1"
        assert [one.method for one in proxy.seen].count("POST") == 1


def test_an_answer_that_is_not_mlflows_is_an_error(
    reader: Callable[[str], Registry], mlflow_server: str
) -> None:
    """Such as the page of a login in front of the server, which says 200 to everything."""

    def page(_number: int, _request: Request) -> Answer:
        return Answer(body=b"<html>log in</html>", headers={"Content-Type": "text/html"})

    with Proxy(mlflow_server, page) as proxy:
        for write in WRITES.values():
            with pytest.raises(SourceError):
                write(reader(proxy.url), LOGGED)
