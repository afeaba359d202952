"""`environment: model`: a model predicts with what its own files name, or not at all.

pip is the real one and takes wheels from a folder, as its own configuration says. The wheel
`mlflow` in it holds no code: it lends the environment what the tests' own Python has.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import re
import socket
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from aims_gate.errors import DataError
from aims_gate.operations.run import run
from aims_gate.reports import REPORTS
from aims_gate.sources.scoring import building, install
from aims_gate.sources.scoring.building import Builder, pip_environment
from aims_gate.sources.scoring.process import Limits
from aims_gate.sources.subject import Workspace
from tests.sources.scoring.asked import MLMODEL

POLICY = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: asks, version: "1"}
data: {evaluation: {source: "file:rows.parquet", label: y, predictions: model, environment: model}}
rules: [{id: PERF-01, check: performance.score, with: {metric: accuracy},
         require: {at_least: 0.7}, decide_on: estimate}]
"""
PROBE = """\
import os

class Model:
    def predict(self, rows):
        import answering
        assert not [k for k in os.environ if k.startswith("PIP_") or "TOKEN" in k]
        return [answering.answer(x) for x in rows["x"]]

def _load_pyfunc(path):
    return Model()
"""
OURS = f"{sys.version_info.major}.{sys.version_info.minor}"
NEEDS = "mlflow\nanswering==2.0; python_version >= '3'\nno-such-package; python_version < '3'\n"


def wheel(folder: Path, name: str, version: str, files: dict[str, str], needs: str = "") -> None:
    info = f"{name}-{version}.dist-info"
    told = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in [*files, *told, f"{info}/RECORD"])
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, content in {**files, **told, f"{info}/RECORD": record}.items():
            archive.writestr(path, content)


def sdist(folder: Path, name: str, trace: Path) -> Path:
    """A source distribution that leaves a trace when it is built, with a back end of its own."""
    back_end = f"""\
import os
open({str(trace)!r}, "w").write(" ".join(os.environ))
from zipfile import ZipFile
def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "{name}-1-py3-none-any.whl"
    with ZipFile(os.path.join(folder, name), "w") as w:
        w.writestr("{name}-1.dist-info/METADATA",
                   "Metadata-Version: 2.1\\nName: {name}\\nVersion: 1\\n")
        w.writestr("{name}-1.dist-info/WHEEL",
                   "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        w.writestr("{name}-1.dist-info/RECORD", "")
    return name
"""
    system = '[build-system]\nrequires = []\nbuild-backend = "back"\nbackend-path = ["."]\n'
    path = folder / f"{name}-1.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for file, content in {
            "pyproject.toml": system,
            "back.py": back_end,
            "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n",
        }.items():
            member = tarfile.TarInfo(f"{name}-1/{file}")
            member.size = len(content.encode())
            archive.addfile(member, io.BytesIO(content.encode()))
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, with a policy, rows, a model and wheels that pip is told of."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    x = [0.1, 0.2, 0.3, 0.6, 0.7, 0.8] * 20
    parquet.write_table(pa.table({"x": x, "y": [int(v > 0.5) for v in x]}), "rows.parquet")
    code = tmp_path / "model" / "code"
    code.mkdir(parents=True)
    (tmp_path / "model" / "MLmodel").write_text(MLMODEL, encoding="utf-8")
    (code / "probe.py").write_text(PROBE, encoding="utf-8")
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    packages = [entry for entry in sys.path if entry.endswith("site-packages")]
    wheel(wheels, "mlflow", "0.1", {"lent.pth": "\n".join(packages)})
    # the first line of a package's that runs, when the interpreter starts
    starts = f"import os, resource as r; open({str(tmp_path / 'started')!r}, 'a').write(repr(("
    starts += "r.getrlimit(r.RLIMIT_CORE), sorted(os.environ))) + chr(10))\n"
    says = "def answer(x):\n    return int(x > 0.5)\n"
    wheel(wheels, "answering", "2.0", {"answering.py": says, "answering.pth": starts})
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "secret")
    declare(tmp_path, NEEDS)
    return tmp_path


def declare(folder: Path, requirements: str, python: str = f"{OURS}.0") -> None:
    text = f"python: '{python}'\ndependencies:\n- -r requirements.txt\n"
    (folder / "model" / "python_env.yaml").write_text(text, encoding="utf-8")
    (folder / "model" / "requirements.txt").write_text(requirements, encoding="utf-8")


def builder(folder: Path, told: list[str] | None = None, seconds: float = 120) -> Builder:
    private = folder / "private"
    private.mkdir()
    said = [] if told is None else told
    workspace = Workspace(folder=private, environ=os.environ, progress=said.append)
    limits = Limits(build_seconds=seconds)
    return Builder(model=folder / "model", workspace=workspace, limits=limits)


def test_a_model_predicts_with_what_only_its_own_environment_has(folder: Path) -> None:
    """Evidence and reports say which; limits hold and no secret is there from the first line on."""
    verdict = run("policy.yaml", "file:model", unsigned=True, out="evidence")
    assert verdict.passed, verdict.results
    digest = hashlib.sha256(NEEDS.encode()).hexdigest()
    told = json.loads((folder / "evidence" / "report.json").read_text(encoding="utf-8"))
    versions = told["evidence"]["versions"]
    assert versions["isolation"] == "same-user"
    assert versions["environment"] == "model"
    assert versions["environment:python"].startswith(f"{OURS}.")
    assert versions["environment:requirements"] == f"sha256:{digest}"
    text = " ".join(REPORTS["text"](verdict).split())
    assert f"environment: model, Python {versions['environment:python']}" in text
    assert f"requirements.txt sha256:{digest[:12]}" in text
    assert f"requirements.txt `sha256:{digest[:12]}`" in REPORTS["markdown"](verdict)
    started = (folder / "started").read_text(encoding="utf-8").splitlines()
    assert started
    for line in started:
        assert line.startswith("((0, 0), ")
        assert not re.search("PIP_|TOKEN", line)


def test_the_same_model_in_the_gate_s_environment_lacks_what_it_needs(folder: Path) -> None:
    """No environment is built unless the policy says so."""
    text = POLICY.replace("environment: model", "environment: gate")
    (folder / "policy.yaml").write_text(text, encoding="utf-8")
    verdict = run("policy.yaml", "file:model")
    (result,) = verdict.results
    assert result.outcome == "ERROR"
    assert "failed to predict (ModuleNotFoundError: answering)" in result.reason
    assert verdict.versions["environment"] == "gate"
    assert "environment:requirements" not in verdict.versions
    assert not (folder / "started").exists()


def test_the_gate_s_own_packages_are_never_used_instead(folder: Path) -> None:
    """Without mlflow among its requirements the process does not find the gate's."""
    declare(folder, "answering\n")
    verdict = run("policy.yaml", "file:model")
    (result,) = verdict.results
    assert (verdict.exit_code, result.outcome) == (3, "ERROR")
    assert "mlflow, pandas or pyarrow cannot be imported there" in result.reason
    assert "requirements.txt must name what it lacks" in result.reason
    assert verdict.versions["environment"] == "model"


@pytest.mark.parametrize(
    ("requirements", "python", "words"),
    [
        ("mlflow\nno-such-package-anywhere\n", f"{OURS}.0", "pip ended with 1"),
        ("mlflow\nanswering==3.0\n", f"{OURS}.0", "pip ended with 1"),
        ("mlflow\n--index-url=x\n", f"{OURS}.0", "line 2 of requirements.txt is not"),
        ("mlflow\n", "3.1.4", "there is no python3.1 on PATH"),
    ],
)
def test_what_cannot_be_built_is_undecided(
    requirements: str, python: str, words: str, folder: Path
) -> None:
    """Exit code 3, with what was wrong; the model has not run."""
    declare(folder, requirements, python)
    (folder / "model" / "code" / "probe.py").write_text(
        f"open({str(folder / 'ran')!r}, 'w')", encoding="utf-8"
    )
    verdict = run("policy.yaml", "file:model")
    (result,) = verdict.results
    assert (verdict.exit_code, result.outcome) == (3, "ERROR")
    assert words in result.reason
    assert verdict.versions["environment"] == "model"
    assert verdict.versions["isolation"] == "same-user"
    assert "environment:python" not in verdict.versions
    assert not (folder / "ran").exists()


def test_a_python_that_is_another_than_its_name_says_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = folder / "bin"
    programs.mkdir()
    (programs / "python3.1").write_text(
        f'#!/bin/sh\nexec {sys.executable} "$@"\n', encoding="utf-8"
    )
    (programs / "python3.1").chmod(0o700)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    declare(folder, NEEDS, "3.1.4")
    with pytest.raises(DataError, match=r"python3\.1 is another"):
        builder(folder).environment(where="w")


def test_no_source_of_a_package_is_built(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Building runs its code with pip's passwords in reach; no configuration of pip opens that."""
    sdist(folder / "wheels", "sourceonly", folder / "built")
    monkeypatch.setenv("PIP_NO_BINARY", ":all:")
    declare(folder, "mlflow\nsourceonly\n")
    with (
        pytest.raises(DataError, match="only wheels are installed"),
        caplog.at_level(logging.ERROR),
    ):
        builder(folder).environment(where="w")
    assert "No matching distribution found for sourceonly" in caplog.text
    assert not (folder / "built").exists()


def test_a_source_that_a_wheel_asks_for_by_url_is_not_built(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Pip builds a URL's source whatever is asked of it, so it cannot start a process."""
    path = sdist(folder, "elsewhere", folder / "built")
    needs = f"Requires-Dist: elsewhere @ {path.as_uri()}\n"
    wheel(folder / "wheels", "linking", "1", {}, needs)
    declare(folder, "mlflow\nlinking\n")
    caplog.set_level(logging.ERROR)
    with pytest.raises(DataError, match="could not be built: pip ended with"):
        builder(folder).environment(where="w")
    assert "no process is started while a model's packages are installed" in caplog.text
    assert not (folder / "built").exists()


def test_a_wheel_that_a_wheel_asks_for_by_url_is_refused(folder: Path) -> None:
    """Where packages come from is no stranger's choice."""
    (folder / "other").mkdir()
    wheel(folder / "other", "elsewhere", "1", {})
    path = folder / "other" / "elsewhere-1-py3-none-any.whl"
    needs = f"Requires-Dist: elsewhere @ {path.as_uri()}\n"
    wheel(folder / "wheels", "linking", "1", {}, needs)
    declare(folder, "mlflow\nlinking\n")
    with pytest.raises(DataError, match="1 packages of the model's environment came from a URL"):
        builder(folder).environment(where="w")


@pytest.fixture
def unanswered(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder, where pip asks an index that takes calls and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.getsockname()[1]}/simple")
        yield folder


def test_building_takes_no_longer_than_its_limit_and_happens_once(unanswered: Path) -> None:
    """The second role that needs the environment gets the same answer at once."""
    told: list[str] = []
    asked = builder(unanswered, told, seconds=6)
    for role in ("one", "two"):
        with pytest.raises(DataError, match=f"{role}: .* took more than 6 s") as caught:
            asked.environment(where=role)
        assert caught.value.exit_code == 3
    assert told == [
        f"building the model's own environment: Python {OURS}, 3 requirements, at most 6 s"
    ]


def test_pip_gets_its_own_configuration_and_nothing_else_of_the_gate_s() -> None:
    pips = {"PIP_INDEX_URL": "i", "HOME": "h", "HTTPS_PROXY": "p", "SSL_CERT_FILE": "c"}
    ours = {"AIMS_GATE_SIGNING_KEY": "k", "MLFLOW_TRACKING_TOKEN": "t", "PYTHONPATH": "p"}
    ours |= {"AWS_SECRET_ACCESS_KEY": "s", "LD_PRELOAD": "l", "UV_INDEX_URL": "u"}
    given = pip_environment(pips | ours, Path("/private"))
    assert pips.items() <= given.items()
    assert not ours.keys() & given.keys()
    assert given["TMPDIR"] == "/private"


def test_without_pip_the_line_that_installs_it_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pip", None)
    with pytest.raises(DataError, match=r"no pip beside the gate; .* -m ensurepip"):
        builder(folder).environment(where="w")


@pytest.mark.parametrize("told", [None, "{", "{}", '{"install": [{"metadata": {}}]}', "[]"])
def test_a_pip_that_does_not_say_what_it_installed_is_refused(
    told: str | None, tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    if told is not None:
        report.write_text(told, encoding="utf-8")
    with pytest.raises(DataError, match="pip does not say what it installed"):
        building._refuse_direct(report, "w")


@pytest.mark.parametrize(
    "start",
    [
        *("subprocess.run(['true'])", "os.system('true')", "os.fork()", "os.popen('true')"),
        *("os.posix_spawn('/bin/true', ['true'], {})", "os.execv('/bin/true', ['true'])"),
    ],
)
def test_where_pip_runs_no_process_can_be_started(start: str) -> None:
    program = f"""\
import os, runpy, subprocess, sys
sys.addaudithook(runpy.run_path({install.__file__!r})["refuse_processes"])
try:
    {start}
except PermissionError:
    os._exit(7)
"""
    done = subprocess.run([sys.executable, "-I", "-c", program], check=False)
    assert done.returncode == 7
