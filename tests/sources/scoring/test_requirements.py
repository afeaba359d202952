"""What a model's files may ask for: packages by name, and nothing about where they come from."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from aims_gate.errors import DataError
from aims_gate.sources.scoring.requirements import declared

PYTHON_ENV = """\
python: 3.11.9
build_dependencies:
- pip==23.2.1
dependencies:
- -r requirements.txt
"""


def write(folder: Path, requirements: str | bytes, python_env: str = PYTHON_ENV) -> Path:
    content = requirements.encode() if isinstance(requirements, str) else requirements
    (folder / "requirements.txt").write_bytes(content)
    (folder / "python_env.yaml").write_text(python_env, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "line",
    [
        *("--index-url=https://example.com", "-i https://example.com", "-f /wheels", "--pre"),
        *("-e .", "-r more.txt", "-c constraints.txt", "--no-binary :all:", "--trusted-host h"),
        *("file:evil.whl", "./evil", "evil/", "../evil", "/evil", "evil.tar.gz", "evil-1-any.WHL"),
        *("https://example.com/evil.whl", "git+https://example.com/evil", "evil.zip ; a == 'b'"),
        *("evil @ https://example.com/evil.whl", "evil@file:///evil", "evil[a] @ file:///evil"),
        *("evil --hash=sha256:00", "evil==1 --config-settings=a=b", "evil==1 --global-option=x"),
        *("evil==${SECRET}", "evil; extra == '${SECRET}'", "evil==1 \\", "evil\x0b--pre"),
        *("evil\u2028--pre", "evil\x00", "évil", "-", "==1", "evil==1,", "evil evil"),
        *("%(here)s", "evil; os_name == 'a' --pre\\", "x" * 5_000, "a" * 99 + "-"),
    ],
)
def test_a_line_that_is_more_than_a_package_by_name_is_refused(line: str, tmp_path: Path) -> None:
    """By its number: it may hold a password."""
    write(tmp_path, f"# first\nmlflow==3.1\n{line}\n")
    with pytest.raises(DataError, match=r"line 3 of requirements\.txt is not") as caught:
        declared(tmp_path, where="w")
    assert "evil" not in str(caught.value)


def test_plain_requirements_are_taken_as_they_stand(tmp_path: Path) -> None:
    """With extras, versions and markers of PEP 508; comments and empty lines are left out."""
    text = (
        "mlflow==3.1.0\r\n\n# -e .\n  numpy >=1.26, <2  # --pre\n"
        "pyarrow[a, b-c]~=15.0;  python_version >= '3.11' and (os_name != \"nt\")\n"
        "x===1.0+local.1\nscikit_learn!=1.*"
    )
    found = declared(write(tmp_path, text), where="w")
    assert found.python == "3.11"
    assert found.lines == (
        "mlflow==3.1.0",
        "numpy >=1.26, <2",
        "pyarrow[a, b-c]~=15.0; python_version >= '3.11' and (os_name != \"nt\")",
        "x===1.0+local.1",
        "scikit_learn!=1.*",
    )
    assert found.sha256 == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("name", ["python_env.yaml", "requirements.txt"])
def test_without_its_files_there_is_nothing_to_build(name: str, tmp_path: Path) -> None:
    write(tmp_path, "mlflow==3.1.0\n")
    (tmp_path / name).unlink()
    with pytest.raises(DataError, match=f"it has no {name}"):
        declared(tmp_path, where="w")


@pytest.mark.parametrize(
    ("python_env", "words"),
    [
        (PYTHON_ENV.replace("3.11.9", "3.11"), "names no version of Python"),  # a number: 3.1, 3.10
        (PYTHON_ENV.replace("3.11.9", "'2.7.18'"), "names no version of Python"),
        (PYTHON_ENV.replace("3.11.9", "'3.11.9; rm'"), "names no version of Python"),
        (PYTHON_ENV.replace("python:", "other:"), "names no version of Python"),
        (PYTHON_ENV.replace("-r req", "-r other-req"), "are not '-r requirements.txt' alone"),
        (PYTHON_ENV + "- evil==1\n", "are not '-r requirements.txt' alone"),
        ("python: 3.11.9\n", "are not '-r requirements.txt' alone"),
        (PYTHON_ENV + "python: 3.10.1\n", "duplicate key 'python'"),
        ("- python", "it is not a mapping"),
        ("{", "it is not YAML that can be read"),
    ],
)
def test_a_python_env_of_another_kind_is_refused(
    python_env: str, words: str, tmp_path: Path
) -> None:
    write(tmp_path, "mlflow==3.1.0\n", python_env)
    with pytest.raises(DataError, match=words):
        declared(tmp_path, where="w")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "has 0 requirements"),
        (b"# mlflow\n", "has 0 requirements"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"a==1\n" * 2_001, "has 2,001 requirements"),
        (b" " * (1 << 19), "more than 262,144 bytes"),
    ],
)
def test_requirements_that_cannot_be_taken_are_refused(
    content: bytes, words: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=words):
        declared(write(tmp_path, content), where="w")
