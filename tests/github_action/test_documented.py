"""The workflows of docs/github.md, run as they stand there, with a real MLflow server."""

from __future__ import annotations

import itertools
import re
import shutil
from pathlib import Path

import pytest

from tests.github_action.conftest import CASES, TRUST, Credit
from tests.support.act import ROOT, VERSION, action_of, pull_request
from tests.support.github_api import TOKEN, GitHub
from tests.support.laws import nightly
from tests.support.registry_content import Content, Logged

PAGE = (ROOT / "docs" / "github.md").read_text(encoding="utf-8")
STUB = """\
name: stand-in
description: Stands for an action of GitHub's own, and checks out this action.
inputs: {repository: {default: ""}, path: {default: ""}}
runs:
  using: composite
  steps:
    - shell: bash
      env: {REPOSITORY: "${{ inputs.repository }}", FOLDER: "${{ inputs.path }}"}
      run: if [ -n "$REPOSITORY" ]; then cp -r "$THE_ACTION" "$FOLDER"; fi
"""
pytestmark = [pytest.mark.server, pytest.mark.filterwarnings("ignore")]  # MLflow's deprecations


def workflow(name: str, model: str, line: str, *more: str) -> str:
    """A workflow of the page, for another model, with *more* inputs below a line."""
    (text,) = re.findall(rf"(?ms)^```yaml title=.github/workflows/{name}.yml\n(.*?)^```", PAGE)
    (before,) = re.findall(rf"(?m)^( *){line}$", text)
    inputs = "".join(f"\n{before}{one}" for one in (f"version: {VERSION}", *more))
    return str(text.replace(line, line + inputs).replace("models:/credit@", f"models:/{model}@"))


@pytest.fixture
def logged(mlflow_server: str) -> Logged:
    """A registered model, the alias `candidate`, and the cases on which it was evaluated."""
    content = Content(uri=mlflow_server)
    found = content.registered("credit")
    content.artifact(
        found.run_id, "cases/evaluation.csv", (CASES / "met" / "evaluation.csv").read_bytes()
    )
    content.client.set_registered_model_alias(found.name, "candidate", found.version)
    return found


def run(
    credit: Credit,
    name: str,
    server: str,
    key: Path,
    event: str = "pull_request",
    *,
    job: str = "success",
    api: str = "",
) -> str:
    """Run the workflow of that name, whose job ends as *job* says; gives the log."""
    texts = [credit.work / ".github" / "workflows" / f"{name}.yml"]
    texts += [ROOT / ".github" / "workflows" / "gate.yml"]
    uses = [re.findall(r"uses: (actions/\S+)", path.read_text(encoding="utf-8")) for path in texts]
    stub = credit.folder / "stub"
    stub.mkdir(exist_ok=True)
    (stub / "action.yml").write_text(STUB, encoding="utf-8")
    head = credit.commit("change" if event == "pull_request" else "main")
    ran = credit.run(
        event,
        pull_request(head) if event == "pull_request" else {"ref": "refs/heads/main"},
        environ={"THE_ACTION": str(action_of(credit.folder / "action")), "GITHUB_API_URL": api},
        variables={"MLFLOW_TRACKING_URI": server},
        secrets={
            "SIGNING_KEY": key.read_text(encoding="utf-8"),
            "DEPLOY_TOKEN": "deploy-t0ken",
            "GITHUB_TOKEN": TOKEN,
        },
        actions=dict.fromkeys(itertools.chain(*uses), stub),
    )
    assert ran.job == job, ran.log
    return ran.log


def hold(credit: Credit, key: Path, name: str, text: str) -> None:
    """Put one workflow, the trusted key and the scripts that it calls on the main branch."""
    folder = credit.work / ".github" / "workflows"
    for old in folder.iterdir():
        old.unlink()
    files = {
        folder / f"{name}.yml": text,
        credit.work / "trust.yaml": TRUST,
        credit.work / "gate.key.pub": key.with_suffix(".key.pub").read_text(encoding="utf-8"),
        credit.work / "deploy.sh": "#!/bin/sh\necho deployed\n",
        credit.work / "train.py": "print('trained')\n",
    }
    for path, content in files.items():
        path.write_text(content, encoding="utf-8")
    (credit.work / "deploy.sh").chmod(0o755)
    credit.commit()


DATA = "data: evaluation=artifact:cases/evaluation.csv"


@nightly
def test_gate_and_deployment(
    credit: Credit, signing_key: Path, mlflow_server: str, logged: Logged
) -> None:
    """The gate publishes its evidence, and the deploy job finds it by the model and verifies it."""
    hold(credit, signing_key, "gate", workflow("gate", logged.name, "key: SIGNING_KEY", DATA))
    assert "policy met" in run(credit, "gate", mlflow_server, signing_key)
    hold(credit, signing_key, "deploy", workflow("deploy", logged.name, "stage: production"))
    said = run(credit, "deploy", mlflow_server, signing_key, "push")
    assert "authentic: signed by ci@acme.example" in said
    assert "deployed" in said
    assert "deploy-t0ken" not in said


@nightly
def test_a_job_of_its_own(
    credit: Credit, signing_key: Path, mlflow_server: str, logged: Logged
) -> None:
    """Training and gate share no job; the reusable workflow signs and hands its outputs on."""
    more = [DATA, f"model: models:/{logged.name}@candidate", "comment: false"]
    text = workflow("train", logged.name, "key: SIGNING_KEY", *more)
    hold(credit, signing_key, "train", text)
    said = run(credit, "train", mlflow_server, signing_key)
    assert said.index("trained") < said.index("policy met")
    assert "signed by SHA256:" in said


@nightly
def test_what_is_in_service(
    credit: Credit, signing_key: Path, mlflow_server: str, logged: Logged
) -> None:
    """A refused champion has one issue, also a week later; its successor closes it."""
    content = Content(uri=mlflow_server)
    run_id = content.run()
    biased = content.version(logged.name, f"models:/{content.model(run_id)}", run_id)
    rows = (CASES / "biased" / "evaluation.csv").read_bytes()
    content.artifact(run_id, "cases/evaluation.csv", rows)
    text = workflow("monitor", logged.name, "issue: credit", DATA)
    hold(credit, signing_key, "monitor", text)
    shutil.copy(credit.work / "policy.yaml", credit.work / "monitoring.yaml")
    weeks = [(biased, "failure", "open")] * 2 + [(logged.version, "success", "closed")]
    with GitHub() as hub:
        for version, job, state in weeks:
            content.client.set_registered_model_alias(logged.name, "champion", version)
            said = run(
                *(credit, "monitor", mlflow_server, signing_key, "workflow_dispatch"),
                job=job,
                api=hub.url,
            )
            assert [issue["state"] for issue in hub.issues] == [state], said
        assert [method for method, _ in hub.seen if method != "GET"] == ["POST", "PATCH", "PATCH"]
