"""Parents in files and git repositories: pinned by their bytes, followed where they may lead."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from aims_gate import canonical
from aims_gate.policy.model import Policy
from aims_gate.policy.resolve import check, load, resolve
from tests.support.git_server import GitServer, git_server

HEAD = 'apiVersion: aims-gate/v1\nkind: Policy\nmetadata: {{id: {}, version: "1"}}\n'
RULE = (
    "rules:\n  - id: PERF-01\n    check: performance.score\n    require: {at_least: 0.8}\n"
    "    overridable: [with]\n"
)


def policy(name: str, rest: str = "", *parents: str) -> str:
    return HEAD.format(name) + (f"extends: [{', '.join(parents)}]\n" if parents else "") + rest


def pin(uri: str, text: str) -> str:
    return f'{{uri: "{uri}", sha256: "{canonical.sha256(text.encode())}"}}'


def write(folder: Path, name: str, text: str) -> str:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return text


def names(policy: Policy) -> tuple[str, ...]:
    return tuple(ancestor.name for ancestor in policy.extends)


def refused(path: Path) -> list[str]:
    return [str(problem) for problem in check(path)[1]]


def test_a_file_beside_the_policy_and_its_own_parent(tmp_path: Path) -> None:
    """`file:` is relative to the file that says so; evidence names the way from the first one."""
    top = write(tmp_path, "org/base/top.yaml", policy("top", RULE))
    floor = policy("floor", "rules: [{id: PERF-01, require: {at_least: 0.85}}]\n")
    floor = floor.replace("rules:", f"extends: [{pin('file:base/top.yaml', top)}]\nrules:")
    write(tmp_path, "org/floor.yaml", floor)
    write(tmp_path, "team/p.yaml", policy("p", "", pin("file:../org/floor.yaml", floor)))
    made = load(tmp_path / "team/p.yaml")
    assert names(made) == ("file:../org/floor.yaml", "file:../org/base/top.yaml")
    bytes_of = [canonical.sha256(text.encode()) for text in (floor, top)]
    assert [ancestor.digest for ancestor in made.extends] == bytes_of
    assert made.source_digest == canonical.sha256((tmp_path / "team/p.yaml").read_bytes())
    (rule,) = made.rules
    assert rule.require is not None
    assert rule.require.at_least == 0.85
    assert str(rule.places["require.at_least"]) == "file:../org/floor.yaml:5"
    document = made.document.decode()
    assert f"# from file:../org/floor.yaml sha256:{canonical.sha256(floor.encode())}\n" in document
    assert f"# from file:../org/base/top.yaml sha256:{canonical.sha256(top.encode())}" in document
    assert str(tmp_path) not in document
    again, found = resolve(made.document, uri="resolved")
    assert (found, again is not None and again.rules[0].require) == ((), rule.require)


def test_other_bytes_than_the_pinned_ones_are_refused(tmp_path: Path) -> None:
    floor = write(tmp_path, "floor.yaml", policy("floor", RULE))
    write(tmp_path, "p.yaml", policy("p", "", pin("file:floor.yaml", floor)))
    assert refused(tmp_path / "p.yaml") == []
    write(tmp_path, "floor.yaml", floor.replace("0.8", "0.1"))
    (told,) = refused(tmp_path / "p.yaml")
    assert told.startswith("p.yaml:4: file:floor.yaml has the sha256 ")
    assert told.endswith("read what changed, then run aims-gate policy pin")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{uri: 'file:floor.yaml'}", "is not pinned: file:floor.yaml; aims-gate policy pin adds"),
        ("{uri: 'git+https://h.example/p@v1#f.yaml'}", "is not pinned: git+https"),
        ("{pack: release@1.0.0, sha256: %s}", "is a pack with a sha256"),
        ("{pack: release@1.0.0, uri: 'file:floor.yaml', sha256: %s}", "must name one parent"),
        ("{sha256: %s}", "must name one parent"),
        ("{uri: 'https://h.example/f.yaml', sha256: %s}", "must be file:PATH or git+https:"),
        ("{uri: 'file:/etc/passwd', sha256: %s}", "is not relative to the policy"),
        ("{uri: 'file://host/f.yaml', sha256: %s}", "is not relative to the policy"),
        ("{uri: 'file:nowhere.yaml', sha256: %s}", "cannot be read: No such file"),
        ("{uri: 'file:.', sha256: %s}", "is no regular file"),
        ("{uri: 'file:pipe', sha256: %s}", "is no regular file"),
        ("{uri: 'file:large.yaml', sha256: %s}", "more than 1,000,000 bytes"),
        ("{uri: 'git+https://u:pw@h.example/p@v1#f.yaml', sha256: %s}", "credentials belong"),
    ],
)
def test_a_parent_that_is_not_pinned_or_not_there_refuses_the_policy(
    tmp_path: Path, entry: str, message: str
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large.yaml").write_bytes(b"#" * 1_000_001)
    write(tmp_path, "floor.yaml", policy("floor", RULE))
    digest = "0" * 63 + "a"
    write(tmp_path, "p.yaml", policy("p", "", entry.replace("%s", digest)))
    (told,) = refused(tmp_path / "p.yaml")
    assert told.startswith("p.yaml:4: ")
    assert message in told
    assert "pw" not in told


def test_a_policy_that_extends_itself_is_refused(tmp_path: Path) -> None:
    """Whatever digest it states: a file cannot hold its own, but must not be read for ever."""
    write(tmp_path, "a.yaml", policy("a", "", pin("file:./sub/../a.yaml", "")))
    (told,) = refused(tmp_path / "a.yaml")
    assert told == "a.yaml:4: file:a.yaml extends itself through file:a.yaml"


def chain(folder: Path, length: int) -> None:
    text = write(folder, "p0.yaml", policy("p0", RULE))
    for number in range(1, length + 1):
        pinned = pin(f"file:p{number - 1}.yaml", text)
        text = write(folder, f"p{number}.yaml", policy(f"p{number}", "", pinned))


def test_parents_of_parents_end_somewhere(tmp_path: Path) -> None:
    chain(tmp_path, 9)
    assert refused(tmp_path / "p8.yaml") == []
    (told,) = refused(tmp_path / "p9.yaml")
    assert "more than 8 deep" in told


def test_parents_are_counted(tmp_path: Path) -> None:
    """Two parents each would be read 2^depth times."""
    text = write(tmp_path, "p0.yaml", policy("p0", RULE))
    for number in range(1, 8):
        pins = [pin(f"file:{way}p{number - 1}.yaml", text) for way in ("", "./")]
        text = write(tmp_path, f"p{number}.yaml", policy(f"p{number}", "", *pins))
    assert any("more than 64 parents" in told for told in refused(tmp_path / "p7.yaml"))


def test_a_policy_that_is_no_file_follows_no_file() -> None:
    text = policy("p", RULE, pin("file:floor.yaml", ""))
    _, (problem,) = resolve(text.encode(), uri="resolved")
    assert "'file:floor.yaml' cannot be followed" in str(problem)


def test_a_loosening_child_is_refused_with_both_places(tmp_path: Path) -> None:
    floor = write(tmp_path, "floor.yaml", policy("floor", RULE))
    loose = "rules:\n  - id: PERF-01\n    require: {at_least: 0.7}\n"
    write(tmp_path, "p.yaml", policy("p", loose, pin("file:floor.yaml", floor)))
    (told,) = refused(tmp_path / "p.yaml")
    assert told.startswith(
        "p.yaml:7: PERF-01: require.at_least 0.7 loosens or changes file:floor.yaml:7, "
        "which has 0.8;"
    )
    given = "rules: [{id: PERF-01, with: {metric: accuracy}}]\n"
    write(tmp_path, "p.yaml", policy("p", given, pin("file:floor.yaml", floor)))
    assert refused(tmp_path / "p.yaml") == [], "what the floor lists as overridable"


def test_a_broken_parent_is_refused_at_its_own_line(tmp_path: Path) -> None:
    broken = write(tmp_path, "floor.yaml", policy("floor", RULE.replace("check", "chek")))
    write(tmp_path, "p.yaml", policy("p", "", pin("file:floor.yaml", broken)))
    assert refused(tmp_path / "p.yaml")[0].startswith("file:floor.yaml:6: unknown key 'chek'")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitServer]:
    with git_server(tmp_path_factory.mktemp("git")) as running:
        yield running


def made(text: str, server: GitServer) -> tuple[Policy | None, list[str]]:
    found, problems = resolve(text.encode(), uri="p.yaml", environ=server.environ)
    return found, [str(problem) for problem in problems]


@pytest.mark.tool("git")
def test_a_floor_in_a_git_repository_and_its_neighbour_there(server: GitServer) -> None:
    """Inside a repository `file:` is a file of the same commit, and leads out of it nowhere."""
    top = policy("top", RULE)
    floor = policy("floor", "", pin("file:../base/top.yaml", top))
    outside = policy("outside", RULE, pin("file:../../etc/passwd", ""))
    files = {"base/top.yaml": top, "eu/floor.yaml": floor, "eu/outside.yaml": outside}
    server.publish("nested", files, tag="v1")
    where = f"git+{server.url}/nested.git@v1#eu"
    resolved, problems = made(policy("p", "", pin(f"{where}/floor.yaml", floor)), server)
    assert problems == []
    assert resolved is not None
    assert names(resolved) == (f"{where}/floor.yaml", where.replace("#eu", "#base/top.yaml"))
    assert canonical.sha256(top.encode()) in resolved.document.decode()
    _, told = made(policy("p", "", pin(f"{where}/outside.yaml", outside)), server)
    assert told == [
        f"{where}/outside.yaml:4: 'file:../../etc/passwd' leads out of its git repository"
    ]


@pytest.mark.tool("git")
def test_a_moved_tag_breaks_a_policy_and_never_changes_it(server: GitServer) -> None:
    floor = policy("floor", RULE)
    server.publish("moving", {"floor.yaml": floor})
    uri = f"git+{server.url}/moving.git@main#floor.yaml"
    assert made(policy("p", "", pin(uri, floor)), server)[1] == []
    server.publish("moving", {"floor.yaml": floor.replace("0.8", "0.1")})
    (told,) = made(policy("p", "", pin(uri, floor)), server)[1]
    assert "has the sha256" in told
