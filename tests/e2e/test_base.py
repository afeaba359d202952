"""The wheel without extras, in an environment of its own: verify, policies and evidence work."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.operations.test_evidence import Shop, shop
from tests.support.command_line import Done, call
from tests.support.installed import ROOT, environment_of
from tests.support.promoting import ALIAS, House
from tests.support.proofs import NOW

__all__ = ["shop"]

CASES = ROOT / "tests" / "contract"
POLICIES = [*sorted(CASES.glob("*/policy.yaml")), *sorted(ROOT.glob("policies/*.yaml"))]
MANY = """\
import contextlib, io, json, sys
from aims_gate.__main__ import guarded

found = []
for words in json.load(sys.stdin):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = guarded(words)
    found.append([code, out.getvalue(), err.getvalue()])
print(json.dumps(found))
"""


class Base:
    """An environment with the base only, or with one extra."""

    def __init__(self, folder: Path, extra: str = "") -> None:
        self.folder = folder
        self.python = environment_of(folder / f"environment{extra}", extra)

    def ask(self, *words: str, text: str = "", **variables: str) -> Done:
        """Run its Python in the folder, with no other variables."""
        command = [str(self.python), "-I", *words]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=variables,
            check=False,
            capture_output=True,
            text=True,
            input=text,
        )
        return Done(code=done.returncode, out=done.stdout, err=done.stderr)

    def gate(self, *words: str) -> Done:
        return self.ask("-m", "aims_gate", *words)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    """A base environment, and in its folder a case that is met with its evidence and trust."""
    folder = tmp_path_factory.mktemp("base")
    shutil.copytree(CASES / "met", folder, dirs_exist_ok=True)
    assert call(folder, "evidence", "key", "generate").code == 0
    trust = "apiVersion: aims-gate/v1\nkind: Trust\nkeys:\n"
    trust += "  - {person: a@example.org, public_key: gate.key.pub, roles: [gate]}\n"
    (folder / "trust.yaml").write_text(trust, encoding="utf-8")
    words = ["run", "--model=file:model", "--data=evaluation=evaluation.csv", "--key=gate.key"]
    assert call(folder, *words, "--out=evidence").code == 0
    return Base(folder)


def test_there_is_no_numpy_in_it(base: Base) -> None:
    """What follows is shown without the libraries of `run`."""
    for library in ("numpy", "pyarrow", "scipy", "mlflow", "pandas", "pytest"):
        assert "ModuleNotFoundError" in base.ask("-c", f"import {library}").err


def test_it_is_as_small_as_the_changelog_says(base: Base) -> None:
    """Without bytecode, which each Python writes anew: 33 of the 44 MB."""
    count = "import os, site; print(sum(os.path.getsize(os.path.join(folder, name)) "
    count += "for folder, _, names in os.walk(site.getsitepackages()[0], followlinks=True) "
    count += "for name in names if not name.endswith('.pyc')))"
    assert 25e6 < int(base.ask("-c", count).out) < 36e6


def test_verify_holds_evidence_against_its_model(base: Base) -> None:
    """Genuine evidence is accepted, and bytes that changed since are refused."""
    verify = ("verify", "evidence", "--trust", "trust.yaml", "--model")
    done = base.gate(*verify, "model")
    assert done.code == 0, done.err
    shutil.copytree(base.folder / "model", base.folder / "changed")
    (base.folder / "changed" / "weights.bin").write_bytes(b"other bytes")
    refused = base.gate(*verify, "changed")
    assert refused.code == 4
    assert "Traceback" not in refused.err
    api = "import aims_gate; print(aims_gate.verify('evidence', model='model', trust='trust.yaml'))"
    assert base.ask("-c", api).code == 0


def test_policies_are_read_as_with_everything_installed(base: Base) -> None:
    """`policy check`, `test` and `explain` say of each policy what they say here, word by word."""
    assert len(POLICIES) > 70
    words = [[*command, str(path)] for path in POLICIES for command in (["policy", "check"],)]
    packs = [str(path) for path in ROOT.glob("policies/*.yaml")]
    words += [[*command, path] for path in packs for command in (["policy", "test"], ["explain"])]
    words += [["explain", str(ROOT / "tests" / "golden" / "evidence-0.1" / "evidence")]]
    words += [["policy", "diff", packs[0], packs[1]], ["policy", "schema"], ["policy", "checks"]]
    words += [["policy", "checks", "fairness.odds"], ["policy", "checks", "drift.columns"]]
    done = base.ask("-c", MANY, text=json.dumps(words))
    assert done.code == 0, done.err
    for asked, (code, out, err) in zip(words, json.loads(done.out), strict=True):
        expected = call(base.folder, *asked)
        assert (code, out, err) == (expected.code, expected.out, expected.err), asked


@pytest.mark.parametrize(("report", "code"), [("evidence/report.json", 0), ("none.json", 2)])
def test_a_verdict_is_published_without_numpy(base: Base, report: str, code: int) -> None:
    """Where the extra is missing the run exits 2, and reviewers read that, too."""
    words = ["github", "publish", "--report", report, "--exit-code", str(code)]
    done = base.ask("-m", "aims_gate", *words, GITHUB_STEP_SUMMARY="summary")
    assert done.code == code, done.err
    summary = base.folder / "summary"
    first = summary.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("### ? aims-gate" if code else "### ✓ aims-gate")
    summary.unlink()


def test_past_evidence_is_a_page_without_numpy(base: Base) -> None:
    """Made from the files alone; what draws is an extra of its own, which the page says."""
    words = ("evidence", "report", "evidence", "--trust", "trust.yaml")
    told = base.gate(*words)
    assert told.code == 0, told.err
    assert "policy met: nothing stands in the way" in told.out
    page = base.gate(*words, "--format", "html")
    assert page.code == 0, page.err
    assert "Policy met: model may go to production" in page.out
    assert "Charts are left out" in page.out
    asked = ("evidence", "report", "--portfolio", "--tracking-uri", "http://127.0.0.1:9")
    assert base.gate(*asked).code == 3


def test_evidence_is_fetched_without_numpy(base: Base) -> None:
    """The help is there, and a server that is not is what stands in the way."""
    assert base.gate("evidence", "fetch", "--help").code == 0
    asked = ("from aims_gate.operations.evidence import keep; from pathlib import Path; "
             "keep('models:/a/1', Path('got'), stage=None, "
             "environ={'MLFLOW_TRACKING_URI': 'http://127.0.0.1:9'})")  # fmt: skip
    assert "SourceError: http://127.0.0.1:9" in base.ask("-c", asked).err
    assert base.gate("evidence", "key", "show", "gate.key.pub").code == 0


@pytest.mark.server
@pytest.mark.filterwarnings("ignore")  # MLflow's deprecations
def test_a_version_in_a_registry_is_fetched_and_verified(base: Base, shop: Shop) -> None:
    """Evidence and the model's bytes come from the server, as where a model is deployed."""
    shop.publish()
    code = "import sys; from datetime import datetime; from pathlib import Path\n"
    code += "from aims_gate.operations.verify import Expectation, prove\n"
    code += "uri, trust, now, server = sys.argv[1:]\n"
    code += "asked = Expectation(evidence=uri, trust=Path(trust), model=None, "
    code += "environ={'MLFLOW_TRACKING_URI': server})\n"
    code += "found = prove(asked, now=datetime.fromisoformat(now))\n"
    code += "print(found.passed, found.bytes_verified)"
    server = shop.environ["MLFLOW_TRACKING_URI"]
    words = [shop.logged.uri, str(shop.lab.folder / "trust.yaml"), NOW.isoformat(), server]
    done = base.ask("-c", code, *words)
    assert done.out == "True True\n", done.err
    fetched = base.ask(
        *("-m", "aims_gate", "evidence", "fetch", shop.logged.uri, "fetched"),
        MLFLOW_TRACKING_URI=server,
    )
    assert fetched.code == 0, fetched.err
    assert (base.folder / "fetched" / "model.sha256").is_file()


def test_a_version_in_a_registry_is_promoted_taken_back_and_revoked(
    base: Base, mlflow_server: str, tmp_path: Path
) -> None:
    """A job that deploys needs a server and a key, and no library of `run`."""
    house = House.build(mlflow_server, tmp_path)
    house.use_key(base.folder / "gate.key")
    first, second = house.version(), house.version()
    named = ("--key", "gate.key", "--why", "release", "--trust", str(house.trust_file))

    def gate(*words: str) -> Done:
        command = ("-m", "aims_gate", *words, *named)
        return base.ask(*command, MLFLOW_TRACKING_URI=mlflow_server)

    for version in (first, second):
        done = gate("promote", "--model", house.uri(version), "--alias", ALIAS)
        assert (done.code, house.champion()) == (0, version), done.err
    done = gate("promote", "--model", f"models:/{house.name}", "--alias", ALIAS, "--rollback")
    assert (done.code, house.champion()) == (0, first), done.err
    done = gate("evidence", "revoke", "--evidence", house.uri(first))
    assert done.code == 0, done.err
    assert gate("promote", "--model", house.uri(first), "--alias", "other").code == 4


@pytest.mark.parametrize(
    "words",
    [
        ("run", "policy.yaml", "--model", "file:model", "--unsigned"),
        ("init", "--model", "file:model"),
        ("policy", "power", "--group", "sex=F:300", "--group", "sex=M:300"),
        ("policy", "simulate", "--model", "a"),
        ("explain", "policy.yaml", "--data", "evaluation=evaluation.csv"),
        ("demo",),
    ],
)
def test_what_reads_data_says_the_line_to_type(base: Base, words: tuple[str, ...]) -> None:
    """Exit 2 with the extra's install line and no traceback."""
    done = base.gate(*words)
    assert (done.code, done.out) == (2, "")
    assert "is not installed; pip install 'aims-gate[run]'" in done.err
    assert "Traceback" not in done.err
    assert len(done.err.splitlines()) == 1


def test_the_extra_run_is_enough_for_what_reads_data(base: Base) -> None:
    """A verdict, a proposal and power, without MLflow, pandas and the reference libraries."""
    more = Base(base.folder, "run")
    assert "ModuleNotFoundError" in more.ask("-c", "import pandas").err
    data = "--data=evaluation=evaluation.csv"
    for words in (
        ("run", "--model=file:model", data, "--unsigned"),
        ("init", "--model=file:model", data, "--out=first.yaml"),
        ("policy", "power", "--group=sex=F:300", "--group=sex=M:300"),
        ("explain", "policy.yaml", data),
    ):
        done = more.gate(*words)
        assert done.code == 0, done.err


def test_a_report_says_it_too(base: Base) -> None:
    """`if: always()` steps find what is wrong where they look."""
    words = ("run", "--model=file:model", "--unsigned", "--report=json=report.json")
    assert base.gate(*words).code == 2
    told = json.loads((base.folder / "report.json").read_text(encoding="utf-8"))
    assert told["exit_code"] == 2
    assert "pip install 'aims-gate[run]'" in json.dumps(told, ensure_ascii=False)


def test_python_says_it_too(base: Base) -> None:
    """An error of ours with its exit code, from the package and for every name that computes."""
    for use in ("run('policy.yaml', 'file:model')", "assert_passes", "log_evaluation({'a': [1]})"):
        code = f"import aims_gate\ntry: aims_gate.{use}\n"
        code += "except aims_gate.GateError as error: print(error.exit_code, error.hint)"
        assert base.ask("-c", code).out == "2 pip install 'aims-gate[run]'\n"


def test_the_doctor_says_what_is_missing(base: Base) -> None:
    """The extra `run` is told as it is, with its line; the policy is looked at all the same."""
    said = base.gate("doctor", "policy.yaml").out
    lines = said.splitlines()
    (told,) = [place for place, line in enumerate(lines) if "  extra run  " in line]
    assert lines[told].startswith("warn")
    assert "numpy is not installed, pyarrow is not installed, scipy is not installed" in said
    assert lines[told + 1].endswith("-> pip install 'aims-gate[run]'")
    assert "ok    policy" in said


def test_the_line_to_type_needs_no_index_for_aims_gate_itself(base: Base) -> None:
    """Where it is installed, pip reads what an extra brings from it and looks for nothing else."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(base.python)]
    command = [*pip, "install", "--no-index", "--dry-run"]
    subprocess.run([*command, "aims-gate"], check=True, capture_output=True)
    done = subprocess.run([*command, "aims-gate[run]"], check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert "No matching distribution found for numpy" in done.stderr


def test_pytest_says_it_too(tmp_path: Path) -> None:
    """A policy that is asked for where nothing can measure is a usage error with the line."""
    code = "import sys; sys.modules['numpy'] = None; import pytest; "
    code += "sys.exit(pytest.main(['--aims-gate', '--rootdir=.', '-p', 'no:cacheprovider']))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "needs numpy, which is not installed; pip install 'aims-gate[pytest]'" in done.stderr
