"""Policies that people govern: one floor in git, three teams that extend it, and a look back."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aims_gate.__main__ import guarded
from tests.conftest import Store
from tests.support.command_line import Done, call, process
from tests.support.git_server import GitServer, git, git_server
from tests.support.registry_content import Content
from tests.support.servers import environment

FLOOR = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: acme-floor, version: "1.0.0", owner: model-risk@acme.example}
rules:
  - id: PERF-01
    check: performance.score
    with: {metric: accuracy}
    require: {at_least: 0.60}
  - id: BIAS-02
    check: fairness.impact_ratio
    overridable: [with]
"""
TEAMS = {
    "credit": "  - {id: PERF-01, require: {at_least: 0.70}}\n",
    "fraud": "  - {id: BIAS-02, with: {by: [sex]}, severity: block}\n",
    "churn": "  - id: PERF-01\n    require: {at_least: 0.50}\n",
}
DATA = {"label": "y", "prediction": "p", "positive": 1, "weight": "n", "sensitive": ["sex"]}


@pytest.fixture(scope="module")
def organisation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitServer]:
    """A git server with the organisation's floor."""
    with git_server(tmp_path_factory.mktemp("git")) as server:
        server.publish("policies", {"floor.yaml": FLOOR}, tag="v1.0.0")
        yield server


def table(share: float) -> str:
    """About 90 % are predicted right; women are selected at *share* of men's rate."""
    men, women = 1000, round(1000 * share)
    rows = [("M", 1, 1, men - 100), ("M", 0, 1, 100), ("M", 0, 0, 900), ("M", 1, 0, 100)]
    rows += [("F", 1, 1, round(women * 0.9)), ("F", 0, 1, women - round(women * 0.9))]
    rows += [("F", 0, 0, 900 + 1000 - women), ("F", 1, 0, 100)]
    lines = [f"{sex},{label},{prediction},{count}" for sex, label, prediction, count in rows]
    return "\n".join(["sex,y,p,n", *lines]) + "\n"


def team(root: Path, name: str, server: GitServer) -> tuple[Path, dict[str, str]]:
    """A team's own repository: a policy that extends the floor, not pinned yet, and a model."""
    folder = root / name
    (folder / "model").mkdir(parents=True)
    (folder / "model" / "weights.bin").write_bytes(b"\0\1")
    (folder / "evaluation.csv").write_text(table(1.0), encoding="utf-8")
    text = (
        f"apiVersion: aims-gate/v1\nkind: Policy\nmetadata: {{id: {name}, version: '1.0.0'}}\n"
        f"extends:\n  - uri: git+{server.url}/policies.git@v1.0.0#floor.yaml   # our floor\n"
        f"data: {{evaluation: {json.dumps(DATA)}}}\nrules:\n{TEAMS[name]}"
    )
    (folder / "policy.yaml").write_text(text, encoding="utf-8")
    return folder, environment({**server.environ, "HOME": str(folder)})


@pytest.mark.tool("git")
def test_one_floor_three_teams_and_one_of_them_loosens(
    organisation: GitServer, tmp_path: Path
) -> None:
    """Unpinned is refused, pinned holds and is named in evidence, loosening exits 2 with places."""
    run = ("run", "--model", "file:model", "--data", "evaluation=evaluation.csv", "--unsigned")
    codes, told = {}, ""
    for name in TEAMS:
        folder, environ = team(tmp_path, name, organisation)
        unpinned = process(folder, *run, "--out", "early", environ=environ)
        assert unpinned.code == 2
        assert "is not pinned" in unpinned.err
        assert "aims-gate policy pin" in unpinned.err
        pinned = process(folder, "policy", "pin", "policy.yaml", environ=environ)
        assert pinned.code == 0, pinned.err
        assert "   # our floor\n    sha256: " in (folder / "policy.yaml").read_text("utf-8")
        done = process(folder, *run, "--out", "evidence", environ=environ)
        codes[name], told = done.code, done.err
        assert (folder / "evidence").exists() == (done.code == 0), done.err
    assert codes == {"credit": 0, "fraud": 0, "churn": 2}
    uri = f"git+{organisation.url}/policies.git@v1.0.0#floor.yaml"
    assert f"policy.yaml:10: PERF-01: require.at_least 0.5 loosens or changes {uri}:8," in told
    evidence = tmp_path / "credit" / "evidence"
    report = json.loads((evidence / "report.json").read_text(encoding="utf-8"))
    assert report["policy"]["extends"] == [uri]
    resolved = (evidence / "policy.resolved.yaml").read_text(encoding="utf-8")
    assert resolved.startswith(f"# from {uri} sha256:")
    assert "at_least: 0.7\n" in resolved


@pytest.mark.tool("git")
def test_a_floor_that_changes_changes_no_team_until_it_pins(
    organisation: GitServer, tmp_path: Path
) -> None:
    organisation.publish("moving", {"floor.yaml": FLOOR})
    folder, environ = team(tmp_path, "credit", organisation)
    path = folder / "policy.yaml"
    text = path.read_text(encoding="utf-8").replace("policies.git@v1.0.0", "moving.git@main")
    path.write_text(text, encoding="utf-8")
    assert process(folder, "policy", "pin", environ=environ).code == 0
    assert process(folder, "policy", "check", environ=environ).code == 0
    (folder / "before.yaml").write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    organisation.publish("moving", {"floor.yaml": FLOOR.replace("0.60", "0.65")})
    moved = process(folder, "policy", "check", environ=environ)
    assert moved.code == 2
    assert "read what changed, then run aims-gate policy pin" in moved.err
    again = process(folder, "policy", "pin", environ=environ)
    assert "1 of 1 digests changed" in again.out
    assert process(folder, "policy", "check", environ=environ).code == 0


POLICY = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: look-back, version: "1.0.0"}
data: {evaluation: {weight: n}}
rules:
  - {id: INTEG-01, check: integrity.model}
  - id: PERF-02
    check: performance.champion
    with: {metric: accuracy, alias: champion}
    require: {at_least: -0.1}
  - {id: PERF-01, check: performance.score, with: {metric: accuracy}, require: {at_least: 0.60}}
  - {id: BIAS-02, check: fairness.impact_ratio, effective_from: 2099-01-01}
"""


def logged(content: Content, store: Store, name: str, share: float | None) -> str:
    """A version whose run logged a table with this ratio of selection rates, or nothing."""
    import mlflow
    import pandas as pd

    import aims_gate

    run_id: str = content.run(end=False)
    if share is not None:
        rows = [line.split(",") for line in table(share).splitlines()]
        frame = pd.DataFrame(rows[1:], columns=rows[0])
        frame = frame.astype({"y": int, "p": int, "n": int})
        mlflow.set_tracking_uri(store.uri)
        with mlflow.start_run(run_id=run_id):
            aims_gate.log_evaluation(frame, **DATA)  # type: ignore[arg-type]  # its own keywords
    content.client.set_terminated(run_id)
    model_id = content.model(run_id)
    content.version(name, f"models:/{model_id}", run_id)
    return run_id


@pytest.fixture
def past(tmp_path: Path, mlflow_store: Store, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Four versions: fair, biased, biased, and one that logged no data."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_store.uri)
    content = Content(uri=mlflow_store.uri)
    runs = [logged(content, mlflow_store, "past", share) for share in (1.0, 0.5, 0.6, None)]
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    return content, runs


def everything(content: Content, store: Store) -> tuple[Any, ...]:
    """All that a simulation could have written."""
    runs = content.client.search_runs(["0"])
    experiments = content.client.search_experiments()
    versions = content.client.search_model_versions("name='past'")
    files = sorted((str(p), p.stat().st_mtime_ns) for p in store.artifacts.rglob("*"))
    return (
        sorted((r.info.run_id, str(r.data.tags), str(r.data.metrics)) for r in runs),
        [e.name for e in experiments],
        [(v.version, v.tags) for v in versions],
        files,
    )


def simulated(folder: Path, store: Store, *words: str) -> Done:
    """Call `aims-gate policy simulate` on a store."""
    return call(folder, "policy", "simulate", *words, MLFLOW_TRACKING_URI=store.uri)


@pytest.mark.filterwarnings("ignore")
def test_a_policy_is_simulated_over_the_versions_of_a_model(
    past: Any, tmp_path: Path, mlflow_store: Store
) -> None:
    """Newest first, a rule not yet in force counts, the unreadable is shown, nothing is written."""
    content, _runs = past
    before = everything(content, mlflow_store)
    environ = environment({"MLFLOW_TRACKING_URI": mlflow_store.uri, "PYTHONWARNINGS": "ignore"})
    asked = ("policy", "simulate", "policy.yaml", "--model", "past")
    done = process(tmp_path, *asked, environ=environ)
    assert done.code == 0, done.err
    told = [line for line in done.out.splitlines() if not line.startswith(" " * 12)]
    values = [line.strip() for line in done.out.splitlines() if line.startswith(" " * 12)]
    lines = [line.split() for line in told]
    assert lines[0][:2] == ["unreadable", "models:/past/4"]
    assert "logged no data" in done.out.splitlines()[0]
    assert [(line[0], line[2], line[3:]) for line in lines[1:4]] == [
        ("refused", "models:/past/3", ["BIAS-02", "FAIL"]),
        ("refused", "models:/past/2", ["BIAS-02", "FAIL"]),
        ("passed", "models:/past/1", []),
    ]
    assert [line.split(": ")[0] for line in values] == [
        *("PASS PERF-01", "FAIL BIAS-02"),
        *("PASS PERF-01", "FAIL BIAS-02"),
        *("PASS PERF-01", "PASS BIAS-02"),
    ]
    assert all(re.search(r" [0-9.]+ \(9[05] % .*\) (<|>=) 0\.[68]", line) for line in values)
    assert told[4:] == [
        "would have refused 2 of the last 4, for BIAS-02 (2); 1 could not be read",
        (
            "not simulated, they need the model's files, its champion or records of that day: "
            "INTEG-01, PERF-02"
        ),
    ]
    assert everything(content, mlflow_store) == before
    assert sorted(p.name for p in tmp_path.glob("aims-gate-evidence*")) == []
    newest = simulated(tmp_path, mlflow_store, "--model", "past", "--last", "1")
    assert newest.code == 3, "nothing could be read"
    assert "none of them could be read" in newest.err


@pytest.mark.filterwarnings("ignore")
def test_a_policy_is_simulated_over_the_runs_of_an_experiment(
    past: Any, tmp_path: Path, mlflow_store: Store
) -> None:
    _content, runs = past
    asked = ("policy.yaml", "--experiment", "Default")
    done = simulated(tmp_path, mlflow_store, *asked)
    assert done.code == 0, done.err
    lines = [line for line in done.out.splitlines() if not line.startswith(" " * 12)]
    told = {line.split()[2]: line.split()[0] for line in lines[1:4]}
    assert told == {
        f"runs:/{runs[0]}": "passed",
        f"runs:/{runs[1]}": "refused",
        f"runs:/{runs[2]}": "refused",
    }
    scoped = POLICY.replace("rules:", "applies_to: {models: [past]}\nrules:")
    (tmp_path / "policy.yaml").write_text(scoped, encoding="utf-8")
    assert simulated(tmp_path, mlflow_store, *asked).code == 2
    assert simulated(tmp_path, mlflow_store, *asked, "--as", "past").code == 0


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ([], 2, "ask for a model or for an experiment"),
        (["--model", "a", "--experiment", "b"], 2, "ask for a model or for an experiment"),
        (["--model", "past", "--last", "0"], 2, "1 to 1000"),
        (["--model", "nobody"], 3, "no version of a model 'nobody'"),
        (["--experiment", "nowhere"], 3, "no experiment 'nowhere'"),
        (["--model", "x'y"], 2, "is no name of a model"),
    ],
)
def test_what_cannot_be_simulated_is_an_error(
    words: list[str], code: int, message: str, tmp_path: Path, mlflow_store: Store
) -> None:
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    done = simulated(tmp_path, mlflow_store, "policy.yaml", *words)
    assert (done.code, message in done.err) == (code, True), done.err


def answered(line: str) -> str:
    """Run one command of the page; it exits 0, or as the page says."""
    words, _, code = line.removeprefix("$ aims-gate ").partition("  # exit ")
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert guarded(shlex.split(words)) == int(code or 0), line
    return out.getvalue()


@pytest.mark.filterwarnings("ignore")
def test_the_page_works_from_top_to_bottom(
    tmp_path: Path, mlflow_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """docs/governing.md: its files are written, its commands run, and `diff` says what it shows."""
    logged(Content(uri=mlflow_store.uri), mlflow_store, "credit", 0.5)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_store.uri)  # which MLflow's client took away
    monkeypatch.chdir(tmp_path)
    page = (Path(__file__).parents[2] / "docs" / "governing.md").read_text(encoding="utf-8")
    output: list[str] = []
    for language, title, text in re.findall(
        r"```(\w+)(?: title=(\S+))?\n(.*?)```", page, re.DOTALL
    ):
        if title:
            Path(title).parent.mkdir(exist_ok=True)
            Path(title).write_text(text, encoding="utf-8")
        elif language == "console":
            if "--policy-base" in text:
                git(tmp_path, "init", "-q")
                git(tmp_path, "add", "policy.yaml", "org")
                git(tmp_path, "commit", "-q", "-m", "A first policy")
                git(tmp_path, "update-ref", "refs/remotes/origin/main", "HEAD")
            output += map(answered, text.splitlines())
        elif text.startswith("---"):
            assert text == output[-1], "what the page shows is what the command says"
    assert len(output) >= 10
    assert any("(git:" in one for one in output), "the policy came from the base"
