"""Hugging Face's card: what the hub reads and people wrote, and nothing of the records' own."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from aims_gate.operations.aims.docs import build
from aims_gate.operations.aims.survey import SurveyQuestion, survey
from tests.operations.aims.exports.conftest import export, known_of
from tests.operations.aims.test_gap import NOW, Company
from tests.reports.cases import CASES
from tests.support.records import edit

README = "1-credit/README.md"
ROUND_TRIP = """
import json, sys
from huggingface_hub import ModelCard
card = ModelCard.load(sys.argv[1])
card.save(sys.argv[1])
data = card.data
results = [[r.metric_type, r.metric_value, r.metric_args, r.task_type] for r in data.eval_results]
print(json.dumps([results, data.license, data.pipeline_tag, card.text]))
"""


@pytest.fixture
def built(company: Company) -> Company:
    """With the numbers of a verdict in its card."""
    build(replace(known_of(CASES["refused"]), sources=()), company.aims)
    return company


def readme(company: Company) -> tuple[Any, str]:
    found = export("hugging-face", company.survey())
    assert found.left_out == ()
    front, _, body = found.files[README].removeprefix("---\n").partition("\n---\n")
    return yaml.safe_load(front), body


def test_the_front_matter_is_the_hubs_alone(built: Company) -> None:
    """Owner and day stay here; numbers are where the hub's model index has them."""
    front, body = readme(built)
    assert not {"kind", "id", "owner", "effective", "drafted_by", "material"} & set(front)
    assert (front["license"], front["pipeline_tag"]) == ("other", "tabular-classification")
    (index,) = front["model-index"]
    for result in index["results"]:
        assert result["task"]["type"]
        assert {"type", "name"} <= set(result["dataset"])
        for metric in result["metrics"]:
            assert isinstance(metric["type"], str)
            assert isinstance(metric["value"], float)
    assert "## Limits\nIt errs more often for applicants under 20." in body
    assert "<!--" not in body
    assert "ada@acme.example" not in export("hugging-face", built.survey()).files[README]


def test_a_card_with_a_fault_is_left_out_by_name(company: Company) -> None:
    edit(company.aims / "card.md", "Look twice at scores", "TODO: look twice at scores")
    found = export("hugging-face", company.survey())
    assert not found.files
    assert found.left_out[0].startswith("credit: aims/card.md:")
    (company.aims / "card.md").unlink()
    assert export("hugging-face", company.survey()).left_out


def test_a_card_that_changed_since_it_was_read_is_left_out(company: Company) -> None:
    found = company.survey()
    edit(company.aims / "card.md", "A steady income", "Nothing")
    assert export("hugging-face", found).left_out == ("credit: aims/card.md: changed meanwhile",)


def test_without_a_system_nothing_is_written() -> None:
    assert not export("hugging-face", survey(SurveyQuestion(now=NOW))).files


@pytest.mark.tool("hf")
def test_the_hubs_own_library_reads_it_and_what_it_saves_is_the_same(
    built: Company, tmp_path: Path
) -> None:
    """There and back, with huggingface_hub, where it is installed."""
    front, body = readme(built)
    file = tmp_path / "README.md"
    file.write_text(export("hugging-face", built.survey()).files[README], encoding="utf-8")
    python = Path(str(shutil.which("hf"))).resolve().parent / "python"
    command = [str(python), "-c", ROUND_TRIP, str(file)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    results, licence, tag, text = json.loads(done.stdout)
    (index,) = front["model-index"]
    (result,) = index["results"]
    written = [
        [m["type"], m["value"], m["args"], result["task"]["type"]] for m in result["metrics"]
    ]
    assert results == written
    assert (licence, tag, text.strip()) == (front["license"], front["pipeline_tag"], body.strip())
    saved = yaml.safe_load(file.read_text("utf-8").removeprefix("---\n").partition("\n---\n")[0])
    assert saved.keys() == front.keys()
    assert {key: saved[key] for key in front if key != "model-index"} == {
        key: front[key] for key in front if key != "model-index"
    }
