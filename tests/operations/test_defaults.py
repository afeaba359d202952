"""Defaults of `[tool.aims-gate]`: found, closed, told, and never weaker than the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.errors import PolicyError
from aims_gate.operations.defaults import Chosen, Defaults, load, refuse_displaced
from aims_gate.policy.model import Role
from tests.support.laws import law

FULL = """\
[project]
name = "credit"

[tool.aims-gate]
policy = "gate/policy.yaml"
model = "models:/credit@candidate"
stage = "staging"
key = "/run/secrets/gate.key"
trust = "../trust.yaml"
verifier-id = "https://ci.example.org"
out = "evidence"
no-publish = true
report = {markdown = "summary.md"}

[tool.aims-gate.data]
evaluation = "eval.parquet"
current = "artifact:monitoring/current.parquet"
"""


def write(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    return folder


def refused(folder: Path, text: str) -> str:
    with pytest.raises(PolicyError) as caught:
        load(write(folder, text))
    assert caught.value.exit_code == 2
    return str(caught.value)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("polcy = 'p.yaml'", "pyproject.toml:2: tool.aims-gate.polcy: unknown key; did you mean"),
        ("unsigned = true", "pyproject.toml:2: tool.aims-gate.unsigned: cannot be set here"),
        ("quiet = true", "cannot be set here"),
        ("verifier_id = 'x'", "unknown key; did you mean 'verifier-id'?"),
        ("policy = 3", "must be text on one line"),
        ("policy = ' '", "must be text on one line"),
        ("policy = '../other/policy.yaml'", "leads out of the file's folder"),
        ("policy = '/etc/policy.yaml'", "leads out of the file's folder"),
        ("model = 'file:../model'", "leads out of the file's folder"),
        ("out = '/tmp'", "leads out of the file's folder"),
        ("no-publish = 'true'", "must be true or false"),
        ("report = {markdown = '../README.md'}", "report: markdown leads out"),
        ("report = {pdf = 'a.pdf'}", "report: unknown key 'pdf'"),
        ("report = {json = '-'}", "report: json must be a path"),
        ("report = 'summary.md'", "must be a table"),
        ("data = {evaluation = 's3://other/eval.parquet'}", "must be artifact:PATH or a path"),
        ("data = {evaluation = 'file:/etc/passwd'}", "must be artifact:PATH or a path"),
        ("data = {evaluation = '../eval.csv'}", "leads out of the file's folder"),
        ("data = {holdout = 'eval.csv'}", "unknown key 'holdout'"),
        ("key = 'env:OTHER_KEY'", "must be a path"),
        ("key = ['gate.key']", "must be the path of a key file"),
    ],
)
def test_closed(tmp_path: Path, line: str, what: str) -> None:
    """A key or value that is not known, or could weaken the gate, is refused with its line."""
    message = refused(tmp_path, f"[tool.aims-gate]\n{line}\n")
    assert what in message
    assert message.startswith("pyproject.toml:2: ")


@pytest.mark.parametrize(
    "material",
    [
        '"""-----BEGIN PRIVATE KEY-----\\nhunter2\\n-----END PRIVATE KEY-----"""',
        '"LS0tLS1CRUdJTiBQUklWQVRFhunter2"',
        '"a\\nhunter2"',
    ],
)
def test_key_material_is_refused_and_never_repeated(tmp_path: Path, material: str) -> None:
    """A private key in the file is refused, and no message holds it."""
    message = refused(tmp_path, f"[tool.aims-gate]\nkey = {material}\n")
    assert "holds a private key" in message
    assert "hunter2" not in message


def test_every_problem_at_once_with_its_line(tmp_path: Path) -> None:
    """Two wrong keys are two problems, sorted by line, tables below the table included."""
    text = "[tool.aims-gate]\nstage = 1\n\n[tool.aims-gate.data]\nevaluaton = 'a.csv'\n"
    lines = refused(tmp_path, text).splitlines()
    assert [line.split(": ")[0] for line in lines] == ["pyproject.toml:2", "pyproject.toml:5"]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"[tool.aims-gate]\npolicy = \n", "pyproject.toml:2: is not TOML"),
        (b"[tool.aims-gate]\npolicy = 'a'\npolicy = 'b'\n", "pyproject.toml:3: is not TOML"),
        (b"[tool.aims-gate]\n# \xff\n", "pyproject.toml:2: is not UTF-8"),
        (b"#" * 1_000_001, "more than 1,000,000 bytes"),
        (b"tool.aims-gate = 3\n", "is not a table"),
    ],
)
def test_unreadable_files_are_refused(tmp_path: Path, content: bytes, what: str) -> None:
    """A file that cannot be understood might have said something: exit 2."""
    (tmp_path / "pyproject.toml").write_bytes(content)
    with pytest.raises(PolicyError, match=what):
        load(tmp_path)


def test_all_keys_are_read(tmp_path: Path) -> None:
    """Each key of the page gives its value, paths as seen from where one stands."""
    write(tmp_path / "repo", FULL)
    (tmp_path / "repo/.git").mkdir()
    inner = tmp_path / "repo/src/deep"
    inner.mkdir(parents=True)
    found = load(inner)
    assert found.file == "../../pyproject.toml"
    assert found.policy == "../../gate/policy.yaml"
    assert (found.key, found.trust) == ("/run/secrets/gate.key", "../../../trust.yaml")
    assert found.data == {
        "evaluation": "../../eval.parquet",
        "current": "artifact:monitoring/current.parquet",
    }
    assert found.report == {"markdown": "../../summary.md"}
    assert (found.stage, found.no_publish, found.out) == ("staging", True, "../../evidence")
    assert found.lines["data.current"] == 17


def test_only_the_repositorys_own_files_count(tmp_path: Path) -> None:
    """Above the repository's root, and above a folder outside any, nothing is looked at."""
    write(tmp_path, "[tool.aims-gate]\npolicy = 'foreign.yaml'\n")
    plain = tmp_path / "plain"
    plain.mkdir()
    assert load(plain) == Defaults()
    repository = write(tmp_path / "repo", "[project]\nname = 'x'\n")
    (repository / ".git").write_text("gitdir: elsewhere\n", encoding="utf-8")
    assert load(repository) == Defaults()
    write(repository, "[tool.aims-gate]\npolicy = 'own.yaml'\n")
    package = write(repository / "packages/a", "[project]\nname = 'a'\n")
    assert load(package).policy == "../../own.yaml"
    write(package, "[tool.aims-gate]\npolicy = 'nearest.yaml'\n")
    assert load(package).policy == "nearest.yaml"


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    """A path that leads out through a symbolic link, or round in a circle, stays refused."""
    folder = tmp_path / "repo"
    write(folder, "[tool.aims-gate]\npolicy = 'link/policy.yaml'\n")
    (folder / "link").symlink_to(tmp_path)
    with pytest.raises(PolicyError, match="leads out"):
        load(folder)
    (folder / "link").unlink()
    (folder / "link").symlink_to(folder / "link")
    with pytest.raises(PolicyError, match="leads out"):
        load(folder)


def test_the_command_line_wins(tmp_path: Path) -> None:
    """What was given is kept, what was not is filled, and only the latter is told."""
    chosen = Chosen(defaults=load(write(tmp_path / "repo", FULL)))
    assert chosen.value("policy", "mine.yaml") == "mine.yaml"
    assert chosen.value("no_publish", given=False) is False
    assert chosen.value("stage", None) == "staging"
    assert chosen.pairs("data", {"current": "now.csv"}) == {
        "evaluation": "eval.parquet",
        "current": "now.csv",
    }
    assert chosen.told() == (
        "defaults of pyproject.toml [tool.aims-gate]: "
        "stage = staging, data.evaluation = eval.parquet"
    )
    assert not Chosen(defaults=Defaults()).told()


def test_a_source_of_the_policy_is_not_displaced(tmp_path: Path) -> None:
    """Data of the file for a role that the policy sources are refused at their line."""
    defaults = load(write(tmp_path / "repo", FULL))
    named = {Role.EVALUATION: "artifact:held-out.parquet"}
    with pytest.raises(PolicyError, match=r"pyproject.toml:16: data.evaluation: the policy says"):
        refuse_displaced(defaults, {"data.evaluation": "eval.parquet"}, named)
    refuse_displaced(defaults, {}, named)
    refuse_displaced(defaults, {"data.current": "x"}, named)


_VALUES = st.one_of(
    st.text(max_size=20), st.integers(), st.booleans(), st.lists(st.integers(), max_size=2)
)


@law(60)
@given(key=st.from_regex(r"\A[a-z-]{1,12}\Z"), value=_VALUES)
def test_any_value_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, key: str, value: object
) -> None:
    """No key and value crash: they are a default, or a PolicyError."""
    shown = str(value).lower() if isinstance(value, bool) else value
    quoted = "'" + str(value).replace("'", "") + "'" if isinstance(value, str) else shown
    folder = tmp_path_factory.mktemp("law")
    write(folder, f"[tool.aims-gate]\n{key} = {quoted}\n")
    try:
        found = load(folder)
    except PolicyError:
        return
    assert isinstance(found, Defaults)
