"""`policy pin`: digests are written, everything else stays byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from aims_gate import canonical
from aims_gate.errors import PolicyError, UsageError
from aims_gate.policy.pin import pin
from aims_gate.policy.resolve import check

FLOOR = (
    'apiVersion: aims-gate/v1\nkind: Policy\nmetadata: {id: floor, version: "1"}\n'
    "rules: [{id: PERF-01, check: performance.score}]\n"
)
DIGEST = canonical.sha256(FLOOR.encode())
OLD = "0" * 63 + "a"
HEAD = "# the team's policy\napiVersion: aims-gate/v1\nkind: Policy\n"
HEAD += 'metadata: {id: p, version: "1"}   # bump me\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "floor.yaml").write_text(FLOOR, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "extends:\n  # of the organisation\n  - uri: file:floor.yaml   # v3\nrules: []\n",
            (
                "extends:\n  # of the organisation\n  - uri: file:floor.yaml   # v3\n"
                f"    sha256: {DIGEST}\nrules: []\n"
            ),
        ),
        (
            f"extends:\n- sha256: {OLD} # read by Ann\n  uri: 'file:floor.yaml'\n",
            f"extends:\n- sha256: {DIGEST} # read by Ann\n  uri: 'file:floor.yaml'\n",
        ),
        (
            'extends: [{pack: release@1.0.0}, {uri: "file:floor.yaml"}]   # two\n',
            (
                f'extends: [{{pack: release@1.0.0}}, {{uri: "file:floor.yaml", sha256: {DIGEST}}}]'
                "   # two\n"
            ),
        ),
        (
            f'extends: [{{uri: file:floor.yaml, sha256: "{OLD}"}}, {{uri: file:./floor.yaml}}]\n',
            (
                f"extends: [{{uri: file:floor.yaml, sha256: {DIGEST}}}, "
                f"{{uri: file:./floor.yaml, sha256: {DIGEST}}}]\n"
            ),
        ),
        (
            "extends:\n  - uri: file:floor.yaml",
            f"extends:\n  - uri: file:floor.yaml\n    sha256: {DIGEST}",
        ),
        (
            "extends:\n  - uri: file:floor.yaml\n    sha256:\n",
            f"extends:\n  - uri: file:floor.yaml\n    sha256: {DIGEST}\n",
        ),
        ("rules: []\n", "rules: []\n"),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_only_digests_change(folder: Path, before: str, after: str, newline: str) -> None:
    path = folder / "p.yaml"
    path.write_bytes((HEAD + before).replace("\n", newline).encode())
    path.chmod(0o640)
    pin(path, environ={})
    assert path.read_bytes() == (HEAD + after).replace("\n", newline).encode()
    assert path.stat().st_mode & 0o777 == 0o640
    stamp = path.stat().st_mtime_ns
    assert all(one.before == one.after for one in pin(path, environ={}))
    assert path.stat().st_mtime_ns == stamp, "what is right is not written again"
    assert sorted(p.name for p in folder.iterdir()) == ["floor.yaml", "p.yaml"]


def test_what_changed_is_told_and_the_policy_then_holds(folder: Path) -> None:
    path = folder / "p.yaml"
    path.write_text(HEAD + f"extends:\n  - uri: file:floor.yaml\n    sha256: {OLD}\n", "utf-8")
    assert check(path)[1]
    (one,) = pin(path, environ={})
    assert (one.uri, one.line, one.before, one.after) == ("file:floor.yaml", 6, OLD, DIGEST)
    assert check(path)[1] == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("extends: [{uri: 'file:nowhere.yaml'}, {uri: 'file:gone'}]\n", "gone.*\n.*nowhere"),
        ("extends: [{uri: 'file:floor.yaml'}, {uri: 'file:nowhere.yaml'}]\n", "nowhere"),
        ("extends: [{uri: 'file:broken.yaml'}]\n", "duplicate key 'a'"),
        ("a: 1\na: 2\n", "duplicate key 'a'"),
    ],
)
def test_if_one_parent_cannot_be_read_nothing_is_written(
    folder: Path, text: str, message: str
) -> None:
    (folder / "broken.yaml").write_text("a: 1\na: 2\n", encoding="utf-8")
    path = folder / "p.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError, match=message):
        pin(path, environ={})
    assert path.read_text(encoding="utf-8") == text


def test_a_layout_that_cannot_be_kept_is_left_alone(folder: Path) -> None:
    """A key of its own line, `? uri`: the digest would land inside its value."""
    path = folder / "p.yaml"
    text = "extends:\n  - ? uri\n    : file:floor.yaml\n"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=f"write them by hand: file:floor.yaml sha256: {DIGEST}"):
        pin(path, environ={})
    assert path.read_text(encoding="utf-8") == text


def test_a_link_is_followed_and_stays_a_link(folder: Path) -> None:
    (folder / "real").mkdir()
    real = folder / "real" / "p.yaml"
    real.write_text("extends: [{uri: 'file:../floor.yaml'}]\n", encoding="utf-8")
    (folder / "p.yaml").symlink_to(real)
    pin(folder / "p.yaml", environ={})
    assert (folder / "p.yaml").is_symlink()
    assert DIGEST in real.read_text(encoding="utf-8")


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"p\.yaml cannot be read"):
        pin(tmp_path / "p.yaml", environ={})
