"""The release workflow: what was built is what is tested, and a tag of another version ends it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.act import ROOT, VERSION, Repository
from tests.support.laws import nightly

STUB = """\
name: stand-in
description: Stands for an action of GitHub's own; artifacts lie in a folder of the test.
inputs: {name: {default: ""}, path: {default: ""}}
runs:
  using: composite
  steps:
    - shell: bash
      env: {NAME: "${{ inputs.name }}", FOLDER: "${{ inputs.path }}"}
      run: |
        case "$GITHUB_ACTION_REPOSITORY" in
          */upload-artifact) cp -r "$FOLDER" "$ARTIFACTS/$NAME" ;;
          */download-artifact) rm -rf "$FOLDER"; cp -r "$ARTIFACTS/$NAME" "$FOLDER" ;;
        esac
"""


@nightly
@pytest.mark.parametrize(("tag", "job"), [(f"v{VERSION}", "success"), ("v9.9.9", "failure")])
def test_the_wheel_that_was_built_is_tested(tmp_path: Path, tag: str, job: str) -> None:
    repository = Repository(folder=tmp_path)
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True)
    for name in listed.stdout.decode().split("\0")[:-1]:
        (repository.work / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, repository.work / name)
    text = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    for other in (repository.work / ".github" / "workflows").iterdir():
        if other.name != "release.yml":
            other.unlink()
    repository.commit()
    (tmp_path / "stub").mkdir()
    (tmp_path / "stub" / "action.yml").write_text(STUB, encoding="utf-8")
    (tmp_path / "artifacts").mkdir()
    ran = repository.run(
        "push",
        {"ref": f"refs/tags/{tag}"},
        environ={"ARTIFACTS": str(tmp_path / "artifacts")},
        actions=dict.fromkeys(re.findall(r"uses: (actions/\S+)", text), tmp_path / "stub"),
    )
    built = {path.suffix for path in (tmp_path / "artifacts" / "dist").iterdir()}
    assert built == {".whl", ".gz", ".json", ""}, ran.log
    assert (ran.jobs.get("test"), "provenance" in ran.jobs) == (job, job == "success"), ran.log
