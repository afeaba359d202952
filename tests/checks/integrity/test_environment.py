"""Libraries without a version, and files that say nothing of them, never pass."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from aims_gate.checks.integrity.environment import PinnedEnvironment
from aims_gate.errors import DataError
from aims_gate.facts import MEMORY, NoValue, Statistic
from tests.checks.subjects import inputs

PYTHON = 'python: "3.11.7"\ndependencies: ["-r requirements.txt"]\n'


def found(folder: Path, *lines: str) -> Statistic:
    (folder / "python_env.yaml").write_text(PYTHON, encoding="utf-8")
    (folder / "requirements.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    asked = inputs()
    asked = replace(asked, subject=replace(asked.subject, folder=folder))
    (cell,) = PinnedEnvironment().measure(asked)
    return cell


def test_libraries_with_one_version_each_are_pinned(tmp_path: Path) -> None:
    cell = found(tmp_path, "scikit-learn==1.7.2", "mlflow[extras]==3.1", "numpy == 2.2.0")
    assert (cell.value, cell.rows) == (0.0, 3)


@pytest.mark.parametrize("line", ["scikit-learn", "scikit-learn>=1.7", "scikit-learn==1.*"])
def test_a_library_without_one_version_is_named(tmp_path: Path, line: str) -> None:
    cell = found(tmp_path, "numpy==2.2.0", line)
    assert (cell.value, cell.reason) == (1.0, "scikit-learn has no version")


def test_a_model_that_says_nothing_of_its_libraries_is_no_pinned_one(tmp_path: Path) -> None:
    asked = inputs()
    empty = replace(asked, subject=replace(asked.subject, folder=tmp_path))
    with pytest.raises(DataError, match="python_env"):
        list(PinnedEnvironment().measure(empty))
    memory = replace(asked.subject, model=replace(asked.subject.model, reader=MEMORY))
    (cell,) = PinnedEnvironment().measure(replace(asked, subject=memory))
    assert cell.lack is NoValue.MISSING
