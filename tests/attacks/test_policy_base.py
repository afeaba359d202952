"""A change that edits the policy it is judged by, or what lies beside it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import aims_gate
from aims_gate.errors import UsageError
from aims_gate.policy.resolve import load
from tests.support.command_line import Done, call
from tests.support.git_server import git
from tests.support.waiving import POLICY, Team, outcomes

POLICY_AT = "policies/policy.yaml"


def write(place: Path, text: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, encoding="utf-8")


def commit(folder: Path, message: str = "Change") -> str:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", message)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def team(tmp_path: Path) -> Team:
    """A repository whose main branch refuses the model; a change is checked out beside it."""
    folder = tmp_path / "repo"
    folder.mkdir()
    team = Team.make(folder)
    (folder / "policies").mkdir()
    for name in ("policy.yaml", "trust.yaml", *(f"{n}.key.pub" for n in ("gate", "ana", "bo"))):
        shutil.move(folder / name, folder / "policies" / name)
    shutil.copy(folder / "jo.key.pub", folder / "policies")
    write(folder / ".gitignore", "evidence\naims-gate-evidence\n*.key\n")
    git(folder, "init", "-q", "-b", "main")
    commit(folder, "Start")
    git(folder, "switch", "-q", "-c", "change")
    return team


def run(team: Team, *words: str, base: str = "main", policy: str = POLICY_AT) -> Done:
    arguments = ["run", policy, "--policy-base", base, "--model", "file:model", "--unsigned"]
    data = ("--data", "evaluation=evaluation.parquet")
    done = call(team.folder, *arguments, *data, "--quiet", *words)
    return replace(done, out=" ".join(done.out.split()), err=" ".join(done.err.split()))


def edit(team: Team, before: str, after: str, path: str = POLICY_AT) -> None:
    place = team.folder / path
    text = place.read_text(encoding="utf-8")
    assert before in text
    write(place, text.replace(before, after))


@pytest.mark.parametrize("committed", [False, True], ids=["in the work tree", "committed"])
def test_a_loosened_limit_does_not_count(team: Team, *, committed: bool) -> None:
    edit(team, "at_least: 0.9", "at_least: 0.7")
    if committed:
        commit(team.folder)
    assert run(team, base="change").code == (0 if committed else 1)
    done = run(team)
    assert done.code == 1
    assert "FAIL" in done.out
    assert "< 0.9" in done.out


def test_the_evidence_names_the_commit(team: Team) -> None:
    main = git(team.folder, "rev-parse", "main")
    edit(team, "at_least: 0.9", "at_least: 0.7")
    assert run(team, "--out", "out").code == 1
    assert f"git:{main}#{POLICY_AT}" in (team.folder / "out" / "vsa.statement.json").read_text()
    # it is the same policy as without a base, and so has the same digest
    git(team.folder, "checkout", "-q", ".")
    digest = load(team.folder / POLICY_AT).digest
    assert digest in (team.folder / "out" / "vsa.statement.json").read_text()
    assert run(team, "--policy-digest", digest).code == 1


def test_a_deleted_policy_and_a_policy_behind_a_link_are_read_all_the_same(team: Team) -> None:
    shutil.rmtree(team.folder / "policies")
    assert run(team).code == 1
    write(team.folder / "easy" / "policy.yaml", POLICY.replace("0.9", "0.1"))
    (team.folder / "policies").symlink_to("easy")
    assert run(team).code == 1
    assert "< 0.9" in run(team).out


def test_parents_come_from_the_base(team: Team) -> None:
    git(team.folder, "switch", "-q", "main")
    write(team.folder / "org" / "floor.yaml", POLICY.partition("\ndata:")[0])
    child = "apiVersion: aims-gate/v1\nkind: Policy\nmetadata: {id: credit, version: '2'}\n"
    child += "extends: [{uri: file:../org/floor.yaml}]\n" + POLICY[POLICY.index("\ndata:") :]
    write(team.folder / POLICY_AT, child)
    assert call(team.folder, "policy", "pin", POLICY_AT).code == 0
    commit(team.folder)
    git(team.folder, "switch", "-q", "-C", "change")
    edit(team, "0.9", "0.1", "org/floor.yaml")
    assert call(team.folder, "policy", "pin", POLICY_AT).code == 0
    assert run(team, base="change").code == 1
    assert "< 0.9" in run(team).out
    commit(team.folder)
    assert run(team, base="change").code == 0
    shutil.rmtree(team.folder / "org")
    assert "< 0.9" in run(team).out


def test_a_waiver_of_the_change_does_not_count_and_one_of_the_base_does(team: Team) -> None:
    assert run(team, "--out", "out").code == 1
    words = ["--evidence", "out", "--by", "jo@acme.example"]
    why = "retraining on the new labels lands next week, manual review meanwhile"
    kept = ["--out", "policies/waivers/one.yaml"]
    drafted = call(team.folder, "waiver", "draft", "PERF-01", *words, "--why", why, *kept)
    assert drafted.code == 0, drafted.err
    trust = ["--trust", "policies/trust.yaml"]
    signed = call(team.folder, "waiver", "approve", kept[1], "--key", "ana.key", *trust)
    assert signed.code == 0, signed.err
    assert run(team).code == 1
    commit(team.folder)
    assert run(team).code == 1
    assert "WAIVED" in run(team, base="change").out
    git(team.folder, "switch", "-q", "main")
    git(team.folder, "merge", "-q", "change")
    assert "WAIVED" in run(team).out
    # a change that takes the waiver or the approver's key away, or adds a key, changes nothing
    shutil.rmtree(team.folder / "policies")
    assert "WAIVED" in run(team).out


def test_a_key_that_the_change_trusts_is_not_trusted(team: Team) -> None:
    test_a_waiver_of_the_change_does_not_count_and_one_of_the_base_does(team)
    git(team.folder, "checkout", "-q", ".")
    edit(team, "roles: [approver]", "roles: [records]", "policies/trust.yaml")
    commit(team.folder, "Nobody approves")
    edit(team, "roles: [records]", "roles: [approver]", "policies/trust.yaml")
    assert "may not sign as approver" in run(team).out
    # a trust file that is named lies in the repository, too
    assert "may not sign as approver" in run(team, "--trust", "policies/trust.yaml").out
    shutil.copytree(team.folder / "policies", team.folder.parent / "elsewhere")
    outside = str(team.folder.parent / "elsewhere" / "trust.yaml")
    assert "WAIVED" in run(team, "--trust", outside).out


def test_the_defaults_come_from_the_base(team: Team) -> None:
    git(team.folder, "switch", "-q", "main")
    write(team.folder / "pyproject.toml", f'[tool.aims-gate]\npolicy = "{POLICY_AT}"\n')
    commit(team.folder)
    write(team.folder / "easy.yaml", POLICY.replace("0.9", "0.1"))
    write(team.folder / "pyproject.toml", '[tool.aims-gate]\npolicy = "easy.yaml"\n')
    words = ["--model", "file:model", "--unsigned", "--data", "evaluation=evaluation.parquet"]
    assert call(team.folder, "run", *words).code == 0
    done = call(team.folder, "run", "--policy-base", "main", *words)
    assert done.code == 1
    assert f"policy = {POLICY_AT}" in done.err
    (team.folder / "notebooks").mkdir()
    words[1], words[-1] = "file:../model", "evaluation=../evaluation.parquet"
    assert call(team.folder / "notebooks", "run", "--policy-base", "main", *words).code == 1


@pytest.mark.parametrize("key", ["policy-base", "policy-digest"])
def test_a_file_of_the_change_cannot_name_the_base(team: Team, key: str) -> None:
    write(team.folder / "pyproject.toml", f'[tool.aims-gate]\n{key} = "change"\n')
    done = call(team.folder, "run", POLICY_AT, "--model", "file:model", "--unsigned")
    assert done.code == 2
    assert f"say --{key} on the command line" in done.err


def test_a_base_without_the_policy_is_refused(team: Team) -> None:
    write(team.folder / "new.yaml", POLICY)
    done = run(team, policy="new.yaml")
    assert done.code == 2
    assert "has no policy new.yaml" in done.err
    assert "merge a first policy" in done.err


def test_a_policy_of_another_repository_is_refused(team: Team) -> None:
    other = team.folder.parent / "other"
    write(other / "policy.yaml", POLICY.replace("0.9", "0.1"))
    git(other, "init", "-q", "-b", "main")
    commit(other)
    done = run(team, policy="../other/policy.yaml")
    assert done.code == 2
    assert "does not lie in the repository of the working directory" in done.err
    (team.folder / "theirs").symlink_to(other)
    assert "has no policy theirs/policy.yaml" in run(team, policy="theirs/policy.yaml").err
    (other / "back").symlink_to(team.folder)
    done = run(team, policy=str(other / "back" / POLICY_AT))
    assert done.code == 2
    assert "named by another way" in done.err


def test_a_submodule_of_the_change_is_not_the_base(team: Team) -> None:
    """The change replaces the folder of the policy by a repository of its own."""
    other = team.folder.parent / "other"
    write(other / "policy.yaml", POLICY.replace("0.9", "0.1"))
    git(other, "init", "-q", "-b", "main")
    commit(other)
    shutil.rmtree(team.folder / "policies")
    commit(team.folder)
    allowed = ["-c", "protocol.file.allow=always"]
    git(team.folder, *allowed, "submodule", "--quiet", "add", str(other), "policies")
    commit(team.folder)
    assert "< 0.9" in run(team).out
    assert run(team, base="change").code == 2
    done = call(
        team.folder / "policies", "run", "--policy-base", "main", "--model", "file:../model"
    )
    assert done.code == 2
    assert "policies is a submodule" in done.err


@pytest.mark.parametrize("link", [POLICY_AT, "policies/trust.yaml"])
def test_a_link_of_the_base_is_refused(team: Team, link: str) -> None:
    git(team.folder, "switch", "-q", "main")
    (team.folder / "policies" / "waivers").mkdir()
    write(team.folder / "policies" / "waivers" / "one.dsse.json", "{}")
    shutil.move(team.folder / link, team.folder / "there.yaml")
    (team.folder / link).symlink_to("../there.yaml")
    commit(team.folder)
    done = run(team)
    assert done.code == 2
    assert f"{link} is a symbolic link" in done.err


@pytest.mark.parametrize(
    "ref",
    [
        *("", "-x", "--upload-pack=touch x", "--output=x", "HEAD", "FETCH_HEAD", "@", "main~0"),
        *("main^{/x}", "main@{0}", ":/Start", "main:policies", "a..b", "refs/heads/*", "main\n"),
        *("main.lock", "../main", "abcdef0", "0" * 40, "refs/heads/none", "none", "héad", "ma\0in"),
    ],
)
def test_what_is_no_plain_ref_is_refused(team: Team, ref: str) -> None:
    before = sorted(team.folder.iterdir())
    done = run(team, base=ref)
    assert done.code == 2, done.out
    assert sorted(team.folder.iterdir()) == before
    if ref in {"none", "refs/heads/none"}:
        assert "git fetch --depth=1 origin +refs/heads/none:refs/remotes/origin/none" in done.err


def test_a_name_of_two_commits_is_refused(team: Team) -> None:
    """Whoever may push a tag, or check out a branch of the same name, does not choose."""
    edit(team, "0.9", "0.1")
    git(team.folder, "tag", "-a", "-m", "main", "main", commit(team.folder))
    done = run(team)
    assert done.code == 2
    assert "main is refs/heads/main and refs/tags/main, which differ" in done.err
    assert run(team, base="refs/heads/main").code == 1
    git(team.folder, "tag", "-d", "main")
    git(team.folder, "update-ref", "refs/remotes/origin/main", "refs/heads/main")
    assert run(team, base="main").code == run(team, base="origin/main").code == 1
    git(team.folder, "branch", "-q", "-f", "main", "change")
    assert "refs/remotes/origin/main" in run(team, base="main").err
    assert run(team, base="origin/main").code == 1
    assert run(team, base=git(team.folder, "rev-parse", "origin/main")).code == 1


def test_nothing_of_the_repository_is_run(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    trap = team.folder.parent / "trap"
    script = team.folder.parent / "trap.sh"
    write(script, f"#!/bin/sh\ntouch {trap}\ncat\n")
    script.chmod(0o755)
    settings = ["core.fsmonitor", "core.sshCommand", "core.pager", "filter.x.smudge"]
    settings += ["diff.x.textconv", "diff.external", "gpg.program", "gpg.ssh.program"]
    for name in [*settings, "core.hooksPath"]:
        git(team.folder, "config", name, str(script))
    write(team.folder / ".gitattributes", "* filter=x diff=x\n")
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(script))
    monkeypatch.setenv("GIT_DIR", str(team.folder.parent))
    monkeypatch.setenv("GIT_PAGER", str(script))
    assert run(team).code == 1
    assert not trap.exists()


def test_a_replaced_object_is_not_read(team: Team) -> None:
    edit(team, "0.9", "0.1")
    easy = commit(team.folder)
    git(team.folder, "replace", git(team.folder, "rev-parse", "main"), easy)
    blobs = [git(team.folder, "rev-parse", f"{ref}:{POLICY_AT}") for ref in ("main", "change")]
    git(team.folder, "replace", "-d", "main")
    assert blobs[0] == blobs[1]
    git(team.folder, "replace", git(team.folder, "rev-parse", f"main:{POLICY_AT}"), blobs[1])
    assert "< 0.9" in run(team).out


def test_python_takes_a_base_and_a_digest(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    edit(team, "0.9", "0.1")
    monkeypatch.chdir(team.folder)
    given: dict[str, Any] = {"model": "file:model", "data": {"evaluation": "evaluation.parquet"}}
    assert aims_gate.run(POLICY_AT, **given).passed
    verdict = aims_gate.run(POLICY_AT, **given, policy_base="main")
    assert outcomes(verdict)["PERF-01"] == "FAIL"
    with pytest.raises(UsageError, match="has the digest"):
        aims_gate.run(POLICY_AT, **given, policy_digest=verdict.policy.digest)
    pinned = aims_gate.run(
        POLICY_AT, **given, policy_base="main", policy_digest=f"sha256:{verdict.policy.digest}"
    )
    assert outcomes(pinned) == outcomes(verdict)
    empties: list[dict[str, Any]] = [{"policy_base": ""}, {"policy_digest": ""}]
    for empty in empties:
        with pytest.raises(UsageError):
            aims_gate.run(POLICY_AT, **given, **empty)


def test_a_digest_that_the_policy_has_not(team: Team) -> None:
    done = run(team, "--policy-digest", "0" * 64)
    assert done.code == 2
    assert f"not {'0' * 64}" in done.err
    assert run(team, "--policy-digest", "").code == 2


def test_a_shallow_clone_and_one_without_objects(team: Team) -> None:
    commit(team.folder)
    origin = team.folder.as_uri()
    git(team.folder, "config", "uploadpack.allowFilter", "true")
    clone = team.folder.parent / "clone"
    shallow = ["--depth=1", "--single-branch", "-b", "change"]
    git(team.folder.parent, "clone", "-q", *shallow, origin, "clone")
    for name in ("evaluation.parquet", "model"):
        assert (clone / name).exists()
    team.folder = clone
    done = run(team, base="origin/main")
    assert done.code == 2
    line = "git fetch --depth=1 origin +refs/heads/main:refs/remotes/origin/main"
    assert line in done.err
    git(clone, *line.split()[1:])
    assert run(team, base="origin/main").code == 1
    git(clone.parent, "clone", "-q", "--filter=blob:none", "--no-checkout", origin, "partial")
    for name in ("evaluation.parquet", "model"):
        (clone / name).rename(clone.parent / "partial" / name)
    team.folder = clone.parent / "partial"
    done = run(team, base="origin/change")
    assert done.code == 2
    assert "is the clone whole?" in done.err
    # nor is anything fetched by what the clone's own configuration allows
    git(team.folder, "config", "protocol.file.allow", "always")
    assert run(team, base="origin/change").code == 2
