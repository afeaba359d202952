"""What CONTRIBUTING.md says that it takes to add something is added to a copy, and used."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (an? [\w ]+?) \| (\d) \|", PAGE, re.MULTILINE)
TOLD = {name: int(files) for name, files in ROWS}
POLICY = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: toys, version: 1.0.0}
data: {evaluation: {label: y, prediction: p, task: regression}}
rules:
  - {id: TOY-01, check: data.toy, with: {least: 40}}
  - {id: TOY-02, check: performance.score, with: {metric: toy_error}, require: {at_most: 3}}
  - {id: TOY-03, check: performance.score, with: {metric: mae}, require: {at_most: 3}, engine: toy}
  - {id: TOY-04, check: drift.columns, with: {numeric: toy, categorical: none}, engine: both,
     severity: info}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Toy:
    """What is added: new files, and a row before a line of others."""

    files: dict[str, str] = field(default_factory=dict)
    rows: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Per file a line that is there, and the row that goes before it."""


METRIC = """\
    _loss(
        "toy_error", Loss.ABSOLUTE, "mean of |label - prediction|", oracle="mean_absolute_error"
    ),
"""
DISTANCE = """\
    Divergence(
        name="toy",
        statistic="toy_distance",
        words="toy distance",
        definition="the same as psi.",
        limit=0.25,
        line=0.10,
        most=math.inf,
        terms=_psi_terms,
        factor=1,
        least=1e-4,
        oracle=("evidently", "psi"),
        tolerance=Tolerance(relative=1e-9, absolute=1e-12),
    ),
"""
REPORT = """\
def render(verdict):
    return f"toy: {verdict.decision.value}\\n"
"""

TOYS = {
    "a check": Toy(
        files={
            "checks/data/toy.py": '''
from __future__ import annotations
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar
from aims_gate.checks.contract import About, Inputs, StatisticSpec
from aims_gate.facts import Statistic
from aims_gate.policy.model import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Toy:
    """Counts rows."""

    about: ClassVar[About] = About(
        name="data.toy", summary="Counts rows.", definition="rows", roles=(Role.EVALUATION,),
        controls=(), undecided=(),
    )
    least: int = 1
    """Rows that are enough."""

    def judged(self) -> StatisticSpec:
        return StatisticSpec(name="toys", low=0, high=float("inf"), higher_is_better=True,
                      limit=float(self.least), has_interval=False)

    def problems(self) -> Iterable[tuple[str, str, str]]:
        return ()

    def measure(self, inputs: Inputs) -> Iterator[Statistic]:
        rows = inputs.data(Role.EVALUATION).frame.rows
        yield Statistic(name="toys", value=float(rows), rows=rows, judged=True)
'''
        },
        rows={
            "checks/__init__.py": (
                '        "data.freshness"',
                '        "data.toy": "aims_gate.checks.data.toy:Toy",\n',
            )
        },
    ),
    "a metric": Toy(
        rows={
            "stats/formulas/losses.py": (
                '    _loss(\n        "mae",',
                METRIC,
            )
        }
    ),
    "a report": Toy(
        files={"reports/toy.py": REPORT},
        rows={
            "reports/__init__.py": (
                '        "junit"',
                '        "toy": "aims_gate.reports.toy:render",\n',
            )
        },
    ),
    "a kind of key": Toy(
        files={
            "attest/signers/toy.py": """
from aims_gate.attest.signers import env


def open_signer(reference, *, environ):
    return env.open_signer(reference.upper(), environ=environ)
"""
        },
        rows={
            "attest/signers/__init__.py": (
                '        "env"',
                '        "toy": "aims_gate.attest.signers.toy:open_signer",\n',
            )
        },
    ),
    "a distance of drift": Toy(
        rows={
            "stats/divergence.py": (
                '    Divergence(\n        name="hellinger"',
                DISTANCE,
            )
        }
    ),
    "an engine": Toy(
        files={
            "engines/toy.py": """
from aims_gate.engines import Answer, Engine, MetricValue


class Toy(Engine):
    @property
    def label(self):
        return "toy 1"

    def ask(self, question):
        assert isinstance(question, MetricValue)
        return (Answer(value=question.table.mean, by=self.label),)


def opened(peers):
    return Toy()
"""
        },
        rows={
            "policy/model.py": (
                '"reference", "both")',
                '"toy", ',
            )
        },
    ),
    "a kind of document": Toy(
        files={
            "policy/toy.py": """
from typing import Annotated
from pydantic import Field
from aims_gate.documents import Kind
from aims_gate.documents.keys import ApiVersion, Instant, Keys, Text, choice, words


class ToyText(Keys):
    api_version: ApiVersion = Field(alias="apiVersion")
    kind: Annotated[str, choice("Toy"), words("Toy")]
    owner: Text
    until: Instant


TOY = Kind(name="Toy", model=ToyText)
"""
        },
        rows={
            "documents/kinds.py": (
                '        "trust"',
                '        "toy": "aims_gate.policy.toy:TOY",\n',
            )
        },
    ),
}


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with all of them, and files to use them on."""
    folder = tmp_path_factory.mktemp("toys")
    package = folder / "aims_gate"
    shutil.copytree(ROOT / "aims_gate", package, ignore=shutil.ignore_patterns("__pycache__"))
    for toy in TOYS.values():
        for name, text in toy.files.items():
            assert not (package / name).exists()
            (package / name).write_text(text, encoding="utf-8")
        for name, (line, row) in toy.rows.items():
            text = (package / name).read_text(encoding="utf-8")
            assert text.count(line) == 1
            (package / name).write_text(text.replace(line, row + line), encoding="utf-8")
    (folder / "policy.yaml").write_text(POLICY, encoding="utf-8")
    (folder / "model").mkdir()
    (folder / "model" / "weights.json").write_text("{}", encoding="utf-8")
    rows = "".join(f"{n},{n + n % 2}\n" for n in range(900))
    (folder / "rows.csv").write_text(f"y,p\n{rows}", encoding="utf-8")
    return folder


def _run(toys: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "aims_gate", *words],
        cwd=toys,
        env={**os.environ, "PYTHONPATH": str(toys), **environ},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", TOYS)
def test_it_takes_as_many_files_as_the_page_says(name: str) -> None:
    assert len(TOYS[name].files) + len(TOYS[name].rows) == TOLD[name]


def test_toys_measure_decide_report_and_sign(toys: Path) -> None:
    """Each is found by its row alone; the metric has its limit and its words."""
    made = _run(toys, "evidence", "key", "generate", "--out", "toy.key")
    assert made.returncode == 0, made.stderr
    done = _run(
        toys,
        *("run", "policy.yaml", "--model", "file:model", "--data", "evaluation=file:rows.csv"),
        *("--data", "reference=file:rows.csv", "--data", "current=file:rows.csv"),
        *("--report", "toy=toy.txt", "--key", "toy:toy_key", "--out", "evidence"),
        TOY_KEY=(toys / "toy.key").read_text(encoding="utf-8"),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (toys / "toy.txt").read_text(encoding="utf-8") == "toy: passed\n"
    assert "toys 900" in done.stdout
    assert "toy error 0.5" in done.stdout
    assert "by toy 1" in done.stdout
    assert "toy distance y 0 (" in done.stdout
    assert list(toys.glob("evidence/**/*.dsse.json"))


def test_a_toy_kind_of_document_is_described(toys: Path) -> None:
    done = _run(toys, "policy", "schema", "toy")
    assert done.returncode == 0, done.stderr
    assert '"until"' in done.stdout
