"""Packs and files: what is read is what was pinned, or a refusal with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from aims_gate import canonical
from aims_gate.errors import PolicyError, UsageError
from aims_gate.operations.policy_diff import diff
from aims_gate.policy.packs import names, read_pack, shelf
from aims_gate.policy.resolve import check, load, resolve
from tests.policy.children import HEAD, PACKS, child

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("pin", "message"),
    [
        ("base@1.0.1", "the pack base is installed in version 1.0.0, not 1.0.1; read what"),
        ("bsae@1.0.0", "no pack 'bsae'; did you mean 'base'?"),
        ("circle@1.0.0", "circle@1.0.0 extends itself through circle@1.0.0"),
    ],
)
def test_a_pack_that_is_not_there_as_pinned_refuses_the_policy(pin: str, message: str) -> None:
    _, found = child("rules: [{id: X-1, check: a.b}]\n", of=pin)
    assert len(found) == 1
    assert message in found[0]


def test_an_upgrade_of_a_pack_never_changes_a_policy_in_silence(tmp_path: Path) -> None:
    old = (PACKS / "base@1.0.0.yaml").read_text(encoding="utf-8")
    newer = old.replace('"1.0.0"', '"1.1.0"').replace("at_least: 0.8,", "at_least: 0.5,")
    (tmp_path / "base@1.1.0.yaml").write_text(newer, encoding="utf-8")
    text = f"{HEAD}extends: [{{pack: base@1.0.0}}]\n"
    _, found = resolve(text.encode(), uri="p.yaml", packs=tmp_path)
    assert len(found) == 1
    assert "the pack base is installed in version 1.1.0, not 1.0.0" in str(found[0])
    (tmp_path / "base@1.0.0.yaml").write_text(old, encoding="utf-8")
    assert resolve(text.encode(), uri="p.yaml", packs=tmp_path)[1] == ()
    (tmp_path / "base@1.10.0.yaml").write_text(old.replace("1.0.0", "1.10.0"), encoding="utf-8")
    assert names(tmp_path) == ("base@1.0.0", "base@1.1.0", "base@1.10.0")
    with pytest.raises(
        UsageError, match=r"1.0.0 and 1.1.0 and 1.10.0, not 2; .* write base@1.10.0"
    ):
        read_pack("base@2", tmp_path)


def test_a_broken_pack_is_refused_with_its_own_place(tmp_path: Path) -> None:
    (tmp_path / "base@1.0.0.yaml").write_text("a: 1\na: 2\n", encoding="utf-8")
    text = f"{HEAD}extends: [{{pack: base@1.0.0}}]\nrules: [{{id: X-1, check: a.b}}]\n"
    _, found = resolve(text.encode(), uri="p.yaml", packs=tmp_path)
    assert [str(p).split(";")[0] for p in found] == ["pack:base@1.0.0:2: duplicate key 'a'"]
    assert check("pack:base@1.0.0", packs=tmp_path)[0] is None
    with pytest.raises(PolicyError):
        names(tmp_path)


def test_a_pack_called_other_than_its_file_is_refused(tmp_path: Path) -> None:
    for pin in ("base@1.0.0", "other@1.0.1"):
        (tmp_path / f"{pin}.yaml").write_bytes((PACKS / "other@1.0.0.yaml").read_bytes())
        with pytest.raises(PolicyError, match=f"the id and the version of {pin}"):
            read_pack(pin, tmp_path)


@pytest.mark.parametrize("pin", ["base", "base@", "../packs/base@1.0.0", "/base@1", ""])
def test_only_pinned_names_are_read(pin: str) -> None:
    with pytest.raises(UsageError, match="not a pinned pack"):
        read_pack(pin, PACKS)


def test_packs_are_listed_with_their_versions() -> None:
    assert names(PACKS) == ("base@1.0.0", "circle@1.0.0", "other@1.0.0", "strict@2.1.0")


def test_shipped_packs_load_and_are_listed() -> None:
    """A checkout's are the ones beside the package, whatever an installation left elsewhere."""
    assert shelf() == ROOT / "policies"
    listed = (ROOT / "docs" / "governing.md").read_text(encoding="utf-8")
    for pin in names():
        assert load(f"pack:{pin}").rules
        assert f"| `{pin}` |" in listed


@pytest.mark.parametrize(
    ("pin", "digest"),
    [
        ("monitoring@1.0.0", "f112bd52db120dfdbd945f2ed5c502044cb7dbf045e73a937e2d29d868ef7179"),
        ("release@1.0.0", "2fc37c1093c78f8034af2a413a4dfb1d190f476fcc2726850b84a840cacd865d"),
        ("release@1.1.0", "16cc5d1b7f86563015b673a97ee2e8d6d52ee10649b3d353fdb99c3994bb82ad"),
        ("sme-starter@1.0.0", "444cc349472280bc4be69fe1a8019078f3da991e2ed20c68d3daaa765ed22840"),
    ],
)
def test_what_a_version_of_a_pack_says_never_changes(pin: str, digest: str) -> None:
    """Evidence and floors name its bytes; a change is a new version beside it."""
    assert canonical.sha256(read_pack(pin)) == digest


def test_the_new_release_pack_tightens_the_one_before() -> None:
    """Nothing of 1.0.0 is loosened; what is new is said by `policy diff`."""
    found = diff(load("pack:release@1.0.0"), load("pack:release@1.1.0"))
    assert {(one.rule, one.key, one.change.value) for one in found} == {
        ("", "metadata.version", "reworded"),
        ("", "declare", "tightened"),
        ("PERF-04", "", "added"),
    }


def test_newer_packs_leave_small_groups_to_the_policy_and_loosen_nothing_else() -> None:
    found = diff(load("pack:release@1.1.0"), load("pack:release@1.2.0"))
    assert {(one.rule, one.key, one.change.value) for one in found} == {
        ("", "metadata.version", "reworded"),
        ("BIAS-02", "overridable", "loosened"),
        ("BIAS-03", "overridable", "loosened"),
    }
    found = diff(load("pack:sme-starter@1.0.0"), load("pack:sme-starter@1.1.0"))
    assert {(one.rule, one.key, one.change.value) for one in found} == {
        ("", "metadata.version", "reworded"),
        ("BIAS-02", "with.small_share", "changed"),
    }


@pytest.mark.parametrize(
    ("more", "pins"),
    [
        ("small_share: 0.05", {"release@1.2.0", "sme-starter@1.1.0"}),
        ("against: rest", {"release@1.2.0", "sme-starter@1.1.0"}),
        ("min_cell: 90", {"sme-starter@1.1.0"}),
    ],
)
def test_which_groups_are_small_is_for_the_policy_to_say(
    more: str, pins: set[str], tmp_path: Path
) -> None:
    path = tmp_path / "policy.yaml"
    for pin in ("release@1.1.0", "release@1.2.0", "sme-starter@1.1.0"):
        path.write_text(
            "apiVersion: aims-gate/v1\nkind: Policy\n"
            'metadata: {id: p, version: "1.0.0", owner: o}\n'
            f"extends: [{{pack: {pin}}}]\n"
            f"rules: [{{id: BIAS-02, with: {{{more}}}}}]\n",
            encoding="utf-8",
        )
        problems = check(path)[1]
        assert (not problems) == (pin in pins), (pin, problems)


def test_a_pack_is_a_policy() -> None:
    policy = load("pack:base@1.0.0", packs=PACKS)
    assert (policy.uri, policy.folder, policy.extends) == ("pack:base@1.0.0", "", ())


def test_a_file_is_named_without_its_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "sub"
    folder.mkdir()
    (folder / "x.policy.yaml").write_text(
        HEAD + "rules: [{id: X-1, check: a.b}]\n", encoding="utf-8"
    )
    absolute = load(folder / "x.policy.yaml")
    assert (absolute.uri, absolute.folder) == ("x.policy.yaml", str(folder))
    monkeypatch.chdir(tmp_path)
    relative = load("sub/x.policy.yaml")
    assert (relative.uri, relative.folder) == ("sub/x.policy.yaml", str(folder))
    assert relative.digest == absolute.digest
    assert str(tmp_path) not in relative.document.decode()


@pytest.mark.parametrize("name", ["nowhere.yaml", ".", "a\x00b"])
def test_a_file_that_cannot_be_opened_is_a_usage_error(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        load(name)
    assert not isinstance(caught.value, PolicyError)
    assert caught.value.exit_code == 2
    assert str(tmp_path) not in str(caught.value)


def test_load_raises_what_check_returns(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(HEAD + "rules: [{id: X-1, chek: a.b}, {id: x}]\n", encoding="utf-8")
    with pytest.raises(PolicyError) as caught:
        load(file)
    assert caught.value.problems == check(file)[1]
    assert len(caught.value.problems) == 2


def test_a_huge_file_is_refused_without_being_read(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    with file.open("wb") as stream:
        stream.truncate(50_000_000_000)
    with pytest.raises(PolicyError, match="at most 1,000,000"):
        load(file)
