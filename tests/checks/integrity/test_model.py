"""The model's files: each kind of violation is counted, and what cannot be seen is never 0."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from aims_gate.checks.integrity.model import Model
from aims_gate.checks.parameters import problems_of
from aims_gate.facts import UNSEEN, NoValue
from aims_gate.operations.run import run
from aims_gate.verdict import Outcome
from tests.checks.integrity.cells import measure, subject_of, values
from tests.support.registry_content import FILES, write


def test_a_whole_model_has_no_violation(folder: Path) -> None:
    cells = measure(Model(deny=("pickle",)), subject_of(folder))
    assert values(cells) == {"manifest": 0.0, "formats": 0.0, "files": 0.0, "size": 0.0}
    assert cells["manifest"].total == 3


def test_a_file_changed_added_or_lost_since_it_was_hashed_is_counted(folder: Path) -> None:
    subject = subject_of(folder)
    (folder / "MLmodel").write_bytes(b"other: {}\n")
    (folder / "extra.txt").write_bytes(b"x")
    (folder / "requirements.txt").unlink()
    cell = measure(Model(), subject)["manifest"]
    assert cell.value == 3.0
    assert cell.reason == "changed: MLmodel; extra: extra.txt; missing: requirements.txt"


def test_a_copy_that_cannot_be_read_is_no_pass(folder: Path) -> None:
    subject = subject_of(folder)
    for path in sorted(folder.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    cells = measure(Model(deny=("pickle",)), subject)
    assert cells["manifest"].lack is NoValue.UNDEFINED
    assert cells["formats"].lack is NoValue.UNDEFINED
    assert cells["formats"].value is None


PICKLE = pickle.dumps({"a": 1})
POLICY = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: p, version: "1", owner: tests@example.org}
rules:
  - {id: INTEG-01, check: integrity.model}
"""


def test_denied_formats_code_and_what_is_unknown_are_violations(folder: Path) -> None:
    """With any format denied all must be known to be data; a denied format stays one of several."""
    found = {"a.bin": PICKLE, "b.joblib": b"x", "c.bin": b"\x00\xff", "d.py": b"pass"}
    subject = subject_of(write(folder, found))
    cell = measure(Model(deny=("joblib",)), subject)["formats"]
    assert cell.value == 3.0
    assert cell.reason.startswith(
        "b.joblib is joblib and pickle; c.bin is of no known format: its bytes are of none that is "
        "known to be data; d.py is code; log scikit-learn models with serialization_format='skops'"
    )
    both = Model(deny=("joblib",), accept=("code", "unknown"))
    assert measure(both, subject)["formats"].value == 1.0
    assert measure(Model(deny=("torch",), accept=("unknown",)), subject)["formats"].value == 1.0
    assert measure(Model(deny=("pickle",)), subject)["formats"].value == 4.0


def test_where_nothing_is_denied_the_result_says_that_formats_were_not_looked_at(
    folder: Path,
) -> None:
    cell = measure(Model(), subject_of(folder))["formats"]
    assert (cell.judged, cell.value) == (False, None)
    assert (cell.name, cell.reason) == (UNSEEN, "formats were not looked at")
    policy = folder.parent / "policy.yaml"
    policy.write_text(POLICY, encoding="utf-8")
    (result,) = run(policy, f"file:{folder}").results
    assert (result.outcome, result.reason) == (
        Outcome.PASS,
        "no violations in 3 checks; formats were not looked at",
    )


def test_many_violations_are_counted_and_the_first_named(folder: Path) -> None:
    write(folder, {f"{n}.pkl": b"x" for n in range(7)})
    cell = measure(Model(deny=("pickle",)), subject_of(folder))["formats"]
    assert cell.value == 7.0
    assert cell.reason.startswith(
        "0.pkl is pickle; 1.pkl is pickle; 2.pkl is pickle and 4 more; log "
    )


def test_required_files_and_size_are_held(folder: Path) -> None:
    check = Model(require_files=("MLmodel", "python_env.yaml"), max_bytes=10)
    cells = measure(check, subject_of(folder))
    assert (cells["files"].value, cells["files"].reason) == (1.0, "python_env.yaml is not there")
    assert cells["size"].value == 1.0
    exactly = sum(map(len, FILES.values()))
    assert measure(Model(max_bytes=exactly), subject_of(folder))["size"].value == 0.0


PYFUNC = "flavors: {python_function: {loader_module: mlflow.sklearn, %s}}"
HONEST = [
    "data: model.skops, env: {conda: conda.yaml, virtualenv: python_env.yaml}",
    "artifacts: {x: {path: artifacts/x, uri: /home/me/x}}, model_config: {store: /dbfs/x}",
    "data: a..b, note: 'see ../docs', python_version: 3.11.7",
    "source_model_name: /home/me/bert, tokenizer_name: ../bert, model_binary: model",
]
OUTSIDE = [
    *(
        "/abs/outside.skops",
        "../../../x.skops",
        "..",
        "a/../../x",
        r"\\host\share\x",
        r"C:\x.skops",
    ),
    *("c:/x.skops", "file:///x.skops", "FILE:x", r"a\..\..\x", "/a\n/b"),
]


@pytest.mark.parametrize("settings", HONEST)
def test_what_mlflow_notes_of_where_a_file_came_from_leads_nowhere(
    folder: Path, settings: str
) -> None:
    top = "artifact_path: file:///home/me/mlruns/0/m\nmetadata: {from: /home/me}\n"
    subject = subject_of(write(folder, {"MLmodel": (top + PYFUNC % settings).encode()}))
    assert measure(Model(), subject)["files"].value == 0.0


@pytest.mark.parametrize("path", OUTSIDE)
@pytest.mark.parametrize(
    "where",
    [
        *("model_path: %s", "code: %s", "env: {conda: %s}", "x: [{y: [%s]}]", "uri: %s"),
        *("artifacts: {x: {path: %s, uri: x}}", "source_model_name: %s"),
    ],
)
def test_a_path_that_leads_out_of_the_model_is_refused_whatever_is_denied(
    folder: Path, where: str, path: str
) -> None:
    text = PYFUNC % (where % json.dumps(path))
    for name in ("MLmodel", "sub/MLmodel"):
        subject = subject_of(write(folder, {name: text.encode()}))
        cell = measure(Model(), subject)["files"]
        assert cell.value == 1.0
        told = f"{name} names {path!a}, which is not in the model; save it with it"
        assert cell.reason == told
        write(folder, {name: b"flavors: {}"})


@pytest.mark.parametrize(
    ("check", "field"),
    [
        (Model(max_bytes=0), "max_bytes"),
        (Model(require_files=("",)), "require_files"),
        (Model(require_files=("/etc/passwd",)), "require_files"),
        (Model(require_files=("a/../../b",)), "require_files"),
    ],
)
def test_parameters_that_make_no_sense_are_problems(check: Model, field: str) -> None:
    assert [name for name, _what, _hint in problems_of(check)] == [field]
