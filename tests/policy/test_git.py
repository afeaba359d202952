"""Policies in git repositories, read from a real git server over TLS."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aims_gate.documents.strict_yaml import MAX_BYTES
from aims_gate.errors import UsageError
from aims_gate.policy.git import Clones, GitPlace, parse
from tests.support.git_server import GitServer, git, git_server

pytestmark = pytest.mark.tool("git")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitServer]:
    """Serves one repository with three commits; the first is tagged."""
    with git_server(tmp_path_factory.mktemp("git")) as running:
        running.publish("org", {"floor.yaml": "a: 1\n", "eu/base.yaml": "b: 1\n"}, tag="v1.0")
        running.publish("org", {"floor.yaml": "a: 2\n"})
        running.publish("org", {"large.yaml": "#" * (MAX_BYTES + 1), "floor.yaml": "a: 3\n"})
        yield running


@pytest.fixture
def clones(server: GitServer) -> Iterator[Clones]:
    opened = Clones(environ=server.environ)
    yield opened
    opened.close()


def once(environ: dict[str, str], place: GitPlace, **limits: Any) -> bytes:
    """Read one file with clones of its own."""
    with contextlib.closing(Clones(environ=environ, **limits)) as clones:
        return clones.read(place)


def place(server: GitServer, ref: str, path: str = "floor.yaml") -> GitPlace:
    return parse(f"git+{server.url}/org.git@{ref}#{path}")


def test_a_branch_a_tag_and_a_commit_are_read(server: GitServer, clones: Clones) -> None:
    second = git(server.root / "org-work", "rev-parse", "HEAD~1")
    for ref, wanted in (
        ("main", b"a: 3\n"),
        ("v1.0", b"a: 1\n"),
        (second, b"a: 2\n"),
        (second[:7], b"a: 2\n"),
    ):
        assert clones.read(place(server, ref)) == wanted
    assert clones.read(place(server, "v1.0", "eu/base.yaml")) == b"b: 1\n"


def test_a_repository_is_fetched_once_and_nothing_is_left_behind(
    server: GitServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    clones = Clones(environ=server.environ)
    clones.read(place(server, "v1.0"))
    (folder,) = tmp_path.iterdir()
    assert folder.stat().st_mode & 0o077 == 0
    hooks = [p for p in folder.rglob("*") if p.name.endswith(".sample") or p.name == "hooks"]
    assert hooks == []
    assert not list(folder.rglob("floor.yaml")), "nothing is checked out"
    clones.read(place(server, "v1.0", "eu/base.yaml"))
    assert len(list(folder.iterdir())) == 1
    clones.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("ref", "path", "message"),
    [
        ("nowhere", "floor.yaml", "git cannot fetch nowhere of https://127"),
        ("abcdef0", "floor.yaml", "git cannot fetch abcdef0"),
        ("main", "nowhere.yaml", "no file 'nowhere.yaml' at main"),
        ("main", "eu", "no file 'eu' at main"),
    ],
)
def test_what_is_not_there_is_refused(
    server: GitServer, clones: Clones, ref: str, path: str, message: str
) -> None:
    for _again in range(2):
        with pytest.raises(UsageError, match=message):
            clones.read(place(server, ref, path))


def test_a_large_file_is_refused_by_its_size(server: GitServer, clones: Clones) -> None:
    assert len(clones.read(place(server, "main", "large.yaml"))) == MAX_BYTES + 1


def test_an_unknown_authority_is_not_trusted(server: GitServer) -> None:
    """Not even where a variable of git asks for it."""
    environ = {"PATH": os.environ["PATH"], "GIT_SSL_NO_VERIFY": "1"}
    with pytest.raises(UsageError, match="git cannot fetch"):
        once(environ, place(server, "main"))


def test_another_repository_of_the_environment_is_not_touched(
    server: GitServer, tmp_path: Path
) -> None:
    """A gate that runs from a git hook has GIT_DIR set."""
    git(tmp_path, "init", "-q", "--bare", "mine")
    before = sorted(p for p in (tmp_path / "mine").rglob("*"))
    environ = {**server.environ, "GIT_DIR": str(tmp_path / "mine")}
    assert once(environ, place(server, "main")) == b"a: 3\n"
    assert sorted(p for p in (tmp_path / "mine").rglob("*")) == before


def test_other_protocols_are_not_spoken(server: GitServer) -> None:
    """Not even where the user's own configuration turns the address into another one."""
    config = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.file://{server.root}/.insteadOf"}
    environ = {**server.environ, **config, "GIT_CONFIG_VALUE_0": f"{server.url}/"}
    with pytest.raises(UsageError, match="'file' not allowed"):
        once(environ, place(server, "main"))


def test_a_fetch_stops_at_its_time() -> None:
    """A server that takes the connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]  # the kernel takes the connection; nobody accepts it
        silent = parse(f"git+https://127.0.0.1:{port}/org@main#floor.yaml")
        with pytest.raises(UsageError, match="more than 1 seconds"):
            once({"PATH": os.environ["PATH"]}, silent, max_seconds=1.0)


def test_a_fetch_stops_at_its_size(server: GitServer) -> None:
    with pytest.raises(UsageError, match="more than 1,000 bytes"):
        once(server.environ, place(server, "main"), max_bytes=1000)


def test_without_git_the_message_says_so(server: GitServer, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="git is not installed"):
        once({"PATH": str(tmp_path)}, place(server, "main"))


@pytest.mark.parametrize(
    "uri",
    [
        "git+http://example.com/p@v1#a.yaml",
        "git+ssh://example.com/p@v1#a.yaml",
        "git+file:///srv/p@v1#a.yaml",
        "git+https://example.com/p#a.yaml",
        "git+https://example.com/p@v1",
        "git+https://example.com/p@-upload-pack#a.yaml",
        "git+https://example.com/p@a..b#a.yaml",
        "git+https://example.com/p@v1#../a.yaml",
        "git+https://example.com/p@v1#/a.yaml",
        "git+https://example.com/p@v1#a//b.yaml",
        "git+https://example.com/p@v1#a\n.yaml",
        "git+https://example.com/-p@v1#a.yaml",
        "git+https://exa mple.com/p@v1#a.yaml",
        "git+https://example.com/p@+refs:refs#a.yaml",
        "git+https://example.com/p?x=1@v1#a.yaml",
    ],
)
def test_other_addresses_are_refused(uri: str) -> None:
    with pytest.raises(UsageError, match="is no policy in a git repository"):
        parse(uri)


def test_an_address_with_a_password_is_refused_without_repeating_it() -> None:
    with pytest.raises(UsageError, match="git's own configuration") as caught:
        parse("git+https://user:hunter2@example.com/p@v1#a.yaml")
    assert "hunter2" not in str(caught.value)


def test_a_place_reads_as_it_is_written() -> None:
    uri = "git+https://example.com:8443/group/ml-policies.git@release/2.0#eu/base.yaml"
    assert str(parse(uri)) == uri
