"""A repository with a policy on its main branch, a key, and a workflow that calls the action."""

from __future__ import annotations

import shutil
import textwrap
from pathlib import Path

import pytest

from tests.support.act import ACTION, COMMIT, ROOT, VERSION, Repository
from tests.support.command_line import call

CASES = ROOT / "tests" / "contract"

TRUST = """\
apiVersion: aims-gate/v1
kind: Trust
keys:
  - {person: ci@acme.example, public_key: gate.key.pub, roles: [gate]}
"""


class Credit(Repository):
    """The repository `acme/credit`, and the case of the contract that it holds."""

    def hold(self, case: str) -> None:
        """Take a case of the contract: policy, model and data."""
        shutil.copytree(CASES / case, self.work, dirs_exist_ok=True)

    def workflow(self, *more: str, job: str = "", uses: str = ACTION) -> None:
        """Write a workflow whose step `gate` calls the action with *more* inputs."""
        place = self.work / ".github" / "workflows"
        place.mkdir(parents=True, exist_ok=True)
        inputs = ["model: file:model", "data: evaluation=evaluation.csv", f"version: {VERSION}"]
        named = {line.partition(":")[0]: line for line in (*inputs, *more)}
        text = f"""\
        name: gate
        on: [pull_request, merge_group, push, pull_request_target]
        jobs:
          gate:
            runs-on: ubuntu-24.04
            steps:
              - uses: actions/checkout@{COMMIT}
              - id: gate
                uses: {uses}@{COMMIT}
                env:
                  SIGNING_KEY: ${{{{ secrets.SIGNING_KEY }}}}
                with:
        """
        lines = textwrap.dedent(text) + "".join(f"          {one}\n" for one in named.values())
        (place / "gate.yml").write_text(lines + textwrap.indent(textwrap.dedent(job), " " * 6))

    def edit(self, before: str, after: str, name: str = "policy.yaml") -> None:
        """Change a file of the work tree."""
        text = (self.work / name).read_text(encoding="utf-8")
        assert before in text
        (self.work / name).write_text(text.replace(before, after), encoding="utf-8")


@pytest.fixture
def credit(tmp_path: Path) -> Credit:
    """A repository whose main branch has the case `met` and calls the action."""
    repository = Credit(folder=tmp_path)
    repository.hold("met")
    repository.workflow()
    repository.commit()
    return repository


@pytest.fixture(scope="session")
def signing_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A private key; its public half lies beside it."""
    folder = tmp_path_factory.mktemp("key")
    assert call(folder, "evidence", "key", "generate", "--out", "gate.key").code == 0
    return folder / "gate.key"
