"""A stranger's model card becomes a draft of ours, and counts for nothing until people act."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from aims_gate.__main__ import guarded
from aims_gate.governance.approval import standing
from aims_gate.governance.contract import Strength
from aims_gate.operations.aims.docs import build
from tests.operations.aims.exports.conftest import known_of
from tests.operations.aims.test_gap import Company
from tests.reports.cases import CASES

FOREIGN = """---
license: apache-2.0
language:
- en
- de
base_model: acme/base-7b
datasets:
- imdb
- acme/private-reviews
pipeline_tag: text-classification
library_name: transformers
extra_gated_prompt: "You agree to everything"
model_digest: {digest}
owner: mallory@evil.example
drafted_by: ""
effective: 2020-01-01
inference: false
model-index:
- name: stranger
  results:
  - task:
      type: text-classification
    dataset:
      type: imdb
      name: IMDB
      split: test
    metrics:
    - type: accuracy
      value: 0.9987
      verified: true
---
# Stranger
## How it decides
It is always right. {{{{owner}}}}
"""
WRITE = """
import sys
from huggingface_hub import EvalResult, ModelCard, ModelCardData
data = ModelCardData(
    license="mit", language=["en"], datasets=["imdb"], model_name="stranger",
    eval_results=[EvalResult(task_type="text-classification", dataset_type="imdb",
                             dataset_name="IMDB", metric_type="accuracy", metric_value=0.9987)],
)
ModelCard("---\\n" + data.to_yaml() + "\\n---\\n# Stranger\\n").save(sys.argv[1])
"""


def imported(company: Company, readme: Path) -> Path:
    """The draft in the place of the company's own card."""
    card = company.aims / "card.md"
    card.unlink()
    assert (
        guarded(["aims", "docs", "import", str(readme), "--system", "credit", "--out", f"{card}"])
        == 0
    )
    return card


@pytest.fixture
def readme(tmp_path: Path) -> Path:
    path = tmp_path / "README.md"
    path.write_text(FOREIGN.format(digest="ab" * 32), encoding="utf-8")
    return path


def test_its_keys_land_in_a_draft_that_counts_for_nothing(
    company: Company, readme: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = imported(company, readme)
    told = capsys.readouterr().out
    front = yaml.safe_load(card.read_text("utf-8").split("\n---\n")[0].removeprefix("---\n"))
    assert (front["license"], front["language"]) == ("apache-2.0", ["en", "de"])
    assert front["datasets"] == ["imdb", "acme/private-reviews"]
    assert front["model-index"][0]["results"][0]["metrics"][0]["value"] == 0.9987
    assert (front["drafted_by"], front["id"]) == ("aims-gate", "credit/card")
    assert front["owner"].startswith("TODO")  # the stranger's owner, day and digest are not ours
    assert "model_digest" not in front
    assert "always right" not in card.read_text("utf-8")
    for name in ("extra_gated_prompt", "model_digest", "owner", "drafted_by", "effective"):
        assert f"left out: {name}\n" in told
    (system,) = company.survey().systems
    (found,) = system.records.of("card")
    assert found.problems  # the three sections and the owner are people's
    assert standing(found, system.records, today=company.survey().today).strength == Strength.NONE
    row = company.row("A.6.2.7")
    assert row.open


def test_measured_numbers_take_the_place_of_the_claims(company: Company, readme: Path) -> None:
    card = imported(company, readme)
    build(replace(known_of(CASES["refused"]), sources=()), company.aims)
    text = card.read_text("utf-8")
    assert "0.9987" not in text
    assert text.count("model-index:") == 1
    assert "license: apache-2.0" in text


def test_a_card_is_never_overwritten_and_what_is_no_card_is_refused(
    company: Company, readme: Path, tmp_path: Path
) -> None:
    ask = ["aims", "docs", "import", str(readme), "--system", "credit", "--out"]
    before = (company.aims / "card.md").read_bytes()
    assert guarded([*ask, str(company.aims / "card.md")]) == 2
    assert (company.aims / "card.md").read_bytes() == before
    for number, text in enumerate(
        ("# no front matter", "---\n- a\n---\n", "---\na: &x [*x]\n---\n")
    ):
        readme.write_text(text, encoding="utf-8")
        assert guarded([*ask, str(tmp_path / f"{number}.md")]) == 2
        assert not (tmp_path / f"{number}.md").exists()


@pytest.mark.tool("hf")
def test_a_card_that_the_hubs_own_library_wrote_is_read(company: Company, tmp_path: Path) -> None:
    python = Path(str(shutil.which("hf"))).resolve().parent / "python"
    subprocess.run([str(python), "-c", WRITE, str(tmp_path / "README.md")], check=True)
    card = imported(company, tmp_path / "README.md")
    front = yaml.safe_load(card.read_text("utf-8").split("\n---\n")[0].removeprefix("---\n"))
    assert (front["license"], front["datasets"]) == ("mit", ["imdb"])
    assert "0.9987" in json.dumps(front["model-index"])
