"""What each way in may import: start-up time is held by lists, not by clocks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"mlflow", "pandas", "polars", "sklearn", "fairlearn", "evidently", "scipy.stats"}
NUMERIC = {"numpy", "scipy", "pyarrow"}
CASE = Path(__file__).parent / "contract" / "met"
POLICIES = sorted(f"pack:{path.stem}" for path in Path(__file__).parents[1].glob("policies/*.yaml"))
_PROBE = """
import sys
from aims_gate.__main__ import guarded
code = guarded(sys.argv[1:])
print("@@", code, *sorted(sys.modules), file=sys.stderr)
"""


def modules(*arguments: str, folder: Path) -> set[str]:
    """Run the command line in a fresh process and give every module that it imported."""
    done = subprocess.run(
        [sys.executable, "-c", _PROBE, *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    words = done.stderr.rsplit("@@ ", 1)[1].split()
    assert words[0] == "0", done.stderr
    return set(words[1:])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a key, its trust file, and the evidence of a policy that is met."""
    folder = tmp_path_factory.mktemp("startup")
    modules("evidence", "key", "generate", "--out", "gate.key", folder=folder)
    trust = "apiVersion: aims-gate/v1\nkind: Trust\nkeys:\n"
    trust += "  - {person: a@example.org, public_key: gate.key.pub, roles: [gate]}\n"
    (folder / "trust.yaml").write_text(trust, encoding="utf-8")
    return folder


def test_version_imports_next_to_nothing(folder: Path) -> None:
    """`--version` loads click and no room of ours."""
    loaded = modules("--version", folder=folder)
    assert not loaded & (HEAVY | NUMERIC | {"yaml", "pydantic", "cryptography", "requests"})


def test_run_on_files_and_verify_stay_light(folder: Path) -> None:
    """`run` on files imports no MLflow, pandas, scikit-learn or scipy.stats; `verify` no numpy."""
    command = ["run", str(CASE / "policy.yaml"), "--model", f"file:{CASE / 'model'}"]
    command += ["--data", f"evaluation={CASE / 'evaluation.csv'}", "--key", "gate.key"]
    loaded = modules(*command, "--out", "evidence", folder=folder)
    assert "pyarrow" in loaded
    assert not loaded & (HEAVY | {"requests"})
    verify = ["verify", "evidence", "--model", str(CASE / "model"), "--trust", "trust.yaml"]
    loaded = modules(*verify, folder=folder)
    assert not loaded & (HEAVY | NUMERIC | {"requests", "securesystemslib", "jinja2"})


def test_policies_are_checked_without_the_libraries_that_are_installed(tmp_path: Path) -> None:
    """The hook before a commit pays for no NumPy, and says what it says where there is none."""
    loaded = modules("policy", "check", "--quiet", *POLICIES, folder=tmp_path)
    # what has their names are stand-ins, in which there is nothing
    assert not loaded & (HEAVY | {"jinja2", "numpy._core", "pyarrow.lib", "scipy.special._ufuncs"})
    loaded = modules("policy", "check", "--quiet", str(CASE / "policy.yaml"), folder=tmp_path)
    assert not loaded & {"cryptography", "requests", "difflib", "aims_gate.operations"}


def test_no_check_and_no_native_engine_needs_a_heavy_library() -> None:
    """Every check of the table is imported, with the engine that is always there."""
    code = (
        "import sys; from aims_gate.checks import CHECKS; from aims_gate.engines import Engines; "
    )
    code += "[CHECKS[name] for name in CHECKS]; Engines()['native']; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert not set(done.stdout.split()) & HEAVY


def test_importing_the_package_imports_nothing_heavy() -> None:
    """`import aims_gate` loads itself and its version only; names come when they are used."""
    code = "import sys; before = set(sys.modules); import aims_gate; "
    code += "print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    ours = {name for name in done.stdout.split() if name.startswith("aims_gate")}
    assert ours == {"aims_gate", "aims_gate.version"}
    assert not set(done.stdout.split()) & (HEAVY | NUMERIC)


def test_public_names_are_all_there() -> None:
    """`__all__` is what the package gives, and an unknown name is an AttributeError."""
    import aims_gate

    assert all(getattr(aims_gate, name) is not None for name in aims_gate.__all__)
    with pytest.raises(AttributeError, match="no attribute 'pass_everything'"):
        _ = aims_gate.pass_everything
