"""Integrity checks: each kind of violation is counted, and what cannot be seen is never 0."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from aims_gate.attest.manifest import scan
from aims_gate.checks import CHECKS, Check, Inputs
from aims_gate.checks.formats import formats
from aims_gate.checks.integrity import DataDigests, Model, Run
from aims_gate.engines.native import ENGINE
from aims_gate.errors import DataError, SourceError
from aims_gate.facts import DigestKind, Lack, ModelIdentity, Statistic
from aims_gate.policy.model import DataSpec, Policy, Role
from aims_gate.sources.data import open_data
from aims_gate.sources.locate import Finder, Locate
from aims_gate.sources.subject import Data, Located, MetricPoint, RunFacts, Subject, Workspace
from tests.registry_content import FILES, write

ENDED = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "model", FILES)


def subject_of(folder: Path, **parts: Any) -> Subject:
    model = ModelIdentity(uri="file:m", name="m")
    return Subject(model=model, manifest=scan(folder), folder=folder, **parts)


def measure(check: Check, subject: Subject) -> dict[str, Statistic]:
    """Give the judged cells by kind; every statistic is judged and named as promised."""
    inputs = Inputs(subject=subject, engine=ENGINE, alpha=0.05, now=ENDED)
    cells = list(check.measure(inputs))
    assert all(cell.judged and cell.name == check.judged().name for cell in cells)
    assert len({cell.slice for cell in cells}) == len(cells)
    return {cell.slice: cell for cell in cells}


def values(cells: Mapping[str, Statistic]) -> dict[str, float | None]:
    return {kind: cell.value for kind, cell in cells.items()}


def test_the_three_checks_are_in_the_table_under_their_names() -> None:
    for name, kind in (
        ("integrity.model", Model),
        ("integrity.data", DataDigests),
        ("integrity.run", Run),
    ):
        assert CHECKS[name] is kind
        assert kind.about.name == name
        judged = kind().judged()
        assert (judged.name, judged.limit, judged.has_interval) == ("violations", 0.0, False)


def test_a_whole_model_has_no_violation(folder: Path) -> None:
    cells = measure(Model(), subject_of(folder))
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
    assert cells["manifest"].lack is Lack.UNDEFINED
    assert cells["formats"].lack is Lack.UNDEFINED
    assert cells["formats"].value is None


PICKLE = pickle.dumps({"a": 1})
NPY = io.BytesIO()
np.save(NPY, np.array([{"a": 1}], dtype=object), allow_pickle=True)
PLAIN_NPY = io.BytesIO()
np.save(PLAIN_NPY, np.arange(3.0))


def archive(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name, data in members.items():
            file.writestr(name, data)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("a.pkl", b"", {"pickle"}),
        ("A.PKL", b"anything", {"pickle"}),
        ("a.pkl.gz", b"", {"pickle"}),
        ("a.joblib", b"", {"joblib", "pickle"}),
        ("a.pt", b"", {"torch", "pickle"}),
        ("model.bin", PICKLE, {"pickle"}),
        ("model.bin", pickle.dumps([1], protocol=2), {"pickle"}),
        ("model.bin", b"\x80\x05\x95cloudpickle.cloudpickle", {"pickle", "cloudpickle"}),
        ("model.bin", gzip.compress(PICKLE, mtime=0), {"pickle"}),
        ("model.bin", zlib.compress(PICKLE), {"pickle"}),
        ("model.bin", bz2.compress(PICKLE), {"pickle"}),
        ("model.bin", lzma.compress(PICKLE), {"pickle"}),
        ("model.npy", NPY.getvalue(), {"pickle"}),
        ("model.bin", archive(**{"archive/data.pkl": PICKLE}), {"torch", "pickle"}),
        ("model.bin", archive(weights=PICKLE), {"pickle"}),
        ("model.bin", archive(a=b"x")[:-9], {"pickle"}),
        (
            "MLmodel",
            b"flavors:\n  sklearn:\n    serialization_format: cloudpickle\n",
            {"pickle", "cloudpickle"},
        ),
        ("MLmodel", b'{"flavors": {"x": {"serialization_format": "pickle"}}}', {"pickle"}),
        ("MLmodel", b"serialization_format: skops\n", set()),
        ("model.skops", archive(**{"schema.json": b"{}", "1.npy": PLAIN_NPY.getvalue()}), set()),
        ("model.npy", PLAIN_NPY.getvalue(), set()),
        ("model.bin", b"\x1f\x8bnot gzip", set()),
        ("model.bin", b"x is 0x78 and not zlib", set()),
        ("notes.txt", b"serialization_format: pickle\n", set()),
        ("empty", b"", set()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_formats_are_told_by_name_by_first_bytes_inside_archives_and_by_mlmodel(
    tmp_path: Path, name: str, content: bytes, found: set[str]
) -> None:
    (tmp_path / name).write_bytes(content)
    assert formats(tmp_path, name) == found


def test_looking_at_a_pickle_does_not_run_it(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Callable[..., Any], tuple[str, str]]:
            return Path.write_text, (Path(tmp_path / "ran"), "x")  # type: ignore[return-value]

    (tmp_path / "model.bin").write_bytes(pickle.dumps(Bomb()))
    assert "pickle" in formats(tmp_path, "model.bin")
    assert not (tmp_path / "ran").exists()


def test_only_denied_formats_are_violations(folder: Path) -> None:
    write(folder, {"a.bin": PICKLE, "b.joblib": b"x", "c.npy": PLAIN_NPY.getvalue()})
    subject = subject_of(folder)
    assert measure(Model(), subject)["formats"].value == 0.0
    assert measure(Model(deny=("cloudpickle", "torch")), subject)["formats"].value == 0.0
    cell = measure(Model(deny=("joblib",)), subject)["formats"]
    assert (cell.value, cell.reason) == (1.0, "b.joblib is joblib and pickle")
    assert measure(Model(deny=("pickle",)), subject)["formats"].value == 2.0


def test_many_violations_are_counted_and_the_first_named(folder: Path) -> None:
    write(folder, {f"{n}.pkl": b"x" for n in range(7)})
    cell = measure(Model(deny=("pickle",)), subject_of(folder))["formats"]
    assert cell.value == 7.0
    assert cell.reason.endswith("2.pkl is pickle and 4 more")


def test_required_files_and_size_are_held(folder: Path) -> None:
    check = Model(require_files=("MLmodel", "python_env.yaml"), max_bytes=10)
    cells = measure(check, subject_of(folder))
    assert (cells["files"].value, cells["files"].reason) == (1.0, "python_env.yaml is not there")
    assert cells["size"].value == 1.0
    exactly = sum(map(len, FILES.values()))
    assert measure(Model(max_bytes=exactly), subject_of(folder))["size"].value == 0.0


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
    assert [name for name, _what, _hint in check.problems()] == [field]


def test_good_parameters_have_no_problems() -> None:
    checks: tuple[Check, ...] = (Model(deny=("pickle",), max_bytes=1), DataDigests(), Run())
    assert [list(check.problems()) for check in checks] == [[], [], []]


Tables = dict[Role, pa.Table]
EVALUATION = pa.table({"y": [0, 1, 1], "x": [1.0, 2.0, 3.0]})
REFERENCE = pa.table({"y": [0, 1, 0, 1], "x": [1.0, 2.0, 3.0, 4.0]})


@pytest.fixture
def data_of(tmp_path: Path) -> Callable[[Tables], Mapping[Role, Data]]:
    """Open tables as the gate does, from a file for each role."""

    def make(tables: Tables) -> Mapping[Role, Data]:
        for role, table in tables.items():
            # other bytes for the same rows
            packed = "zstd" if role is Role.EVALUATION else "snappy"
            parquet.write_table(table, tmp_path / f"{role}.parquet", compression=packed)

        def locate(path: str, *, role: Role) -> Located | None:
            found = tmp_path / f"{role}.parquet"
            return Located(path=found, uri=f"artifact:{path}") if found.exists() else None

        data, unread = open_data({}, finder(locate, tmp_path))
        assert unread == {}
        return data

    return make


Maker = Callable[[Tables], Mapping[Role, Data]]


def finder(locate: Locate, folder: Path) -> Finder:
    policy = Policy(id="p", version="1")
    return Finder(policy=policy, locate=locate, workspace=Workspace(folder=folder))


def test_different_unchanged_data_have_no_violation(folder: Path, data_of: Maker) -> None:
    data = data_of({Role.EVALUATION: EVALUATION, Role.REFERENCE: REFERENCE})
    cells = measure(DataDigests(), subject_of(folder, data=data))
    assert values(cells) == {"changed": 0.0, "declared": 0.0, "reused": 0.0}


def test_data_rewritten_after_they_were_read_are_counted(
    folder: Path, data_of: Maker, tmp_path: Path
) -> None:
    data = data_of({Role.EVALUATION: EVALUATION, Role.REFERENCE: REFERENCE})
    parquet.write_table(EVALUATION.slice(1), tmp_path / "evaluation.parquet")
    cell = measure(DataDigests(), subject_of(folder, data=data))["changed"]
    assert (cell.value, cell.reason) == (1.0, "the evaluation data hash differently now")


def test_data_that_cannot_be_read_again_are_no_pass(
    folder: Path, data_of: Maker, tmp_path: Path
) -> None:
    data = data_of({Role.EVALUATION: EVALUATION})
    (tmp_path / "evaluation.parquet").unlink()
    assert measure(DataDigests(), subject_of(folder, data=data))["changed"].lack is Lack.UNDEFINED


def test_training_data_are_not_evaluated_on(folder: Path, data_of: Maker) -> None:
    """The same rows in files of different bytes are the same data."""
    data = data_of(
        {Role.EVALUATION: EVALUATION, Role.REFERENCE: EVALUATION, Role.CURRENT: REFERENCE}
    )
    digests = {found.identity.digest for found in data.values()}
    cell = measure(DataDigests(), subject_of(folder, data=data))["reused"]
    assert len(digests) == 3
    assert (cell.value, cell.reason) == (1.0, "evaluation and reference are the same data")


def test_drift_of_data_against_themselves_is_counted(folder: Path, data_of: Maker) -> None:
    data = data_of({Role.CURRENT: REFERENCE, Role.REFERENCE: REFERENCE})
    assert measure(DataDigests(), subject_of(folder, data=data))["reused"].value == 1.0


def test_a_digest_that_is_not_the_declared_one_is_counted(folder: Path, data_of: Maker) -> None:
    data = dict(data_of({Role.EVALUATION: EVALUATION}))
    found = data[Role.EVALUATION]
    for declared, count in ((found.identity.digest.upper(), 0.0), ("ab" * 32, 1.0)):
        data[Role.EVALUATION] = replace(found, spec=DataSpec(sha256=declared))
        assert measure(DataDigests(), subject_of(folder, data=data))["declared"].value == count


def nowhere(path: str, *, role: Role) -> Located | None:
    """Find no artifact."""
    return None


def test_frames_in_memory_are_hashed_once_and_still_compared(folder: Path, tmp_path: Path) -> None:
    given = {Role.EVALUATION: EVALUATION, Role.REFERENCE: EVALUATION}
    data, unread = open_data(given, finder(nowhere, tmp_path))
    assert unread == {}
    assert data[Role.EVALUATION].identity.digest_kind is DigestKind.ROWS
    cells = measure(DataDigests(), subject_of(folder, data=data))
    assert values(cells) == {"changed": 0.0, "declared": 0.0, "reused": 1.0}


def test_no_data_are_missing_and_unreadable_data_are_an_error(folder: Path) -> None:
    assert measure(DataDigests(), subject_of(folder))["data"].lack is Lack.MISSING
    unread = {Role.EVALUATION: DataError("not Parquet", where="x")}
    cells = measure(DataDigests(), subject_of(folder, unread=unread))
    assert cells["unread evaluation"].lack is Lack.UNDEFINED
    assert "not Parquet" in cells["unread evaluation"].reason


def run_facts(**parts: Any) -> RunFacts:
    return RunFacts(**{"run_id": "r", "status": "FINISHED", "ended": ENDED, **parts})


def point(timestamp: datetime | None) -> MetricPoint:
    return MetricPoint(key="auc", value=0.9, timestamp=timestamp)


def test_a_finished_run_has_no_violation_and_its_last_moment_still_counts(folder: Path) -> None:
    run = run_facts(metrics=(point(ENDED - SECOND), point(ENDED)))
    cells = measure(Run(), subject_of(folder, run=run))
    assert values(cells) == {"status": 0.0, "late": 0.0, "commit": 0.0}


def test_no_run_is_missing(folder: Path) -> None:
    cells = measure(Run(), subject_of(folder))
    assert cells["run"].lack is Lack.MISSING


@pytest.mark.parametrize("status", ["RUNNING", "FAILED", "KILLED", "SCHEDULED", "", "finished"])
def test_a_run_that_did_not_finish_is_a_violation(folder: Path, status: str) -> None:
    assert measure(Run(), subject_of(folder, run=run_facts(status=status)))["status"].value == 1.0


def test_metrics_after_the_end_or_without_a_time_are_counted(folder: Path) -> None:
    """MLflow takes them, and the last value is what everybody sees."""
    late = ENDED + timedelta(milliseconds=1)
    run = run_facts(metrics=(point(ENDED), point(late), point(None)))
    cell = measure(Run(), subject_of(folder, run=run))["late"]
    assert (cell.value, cell.total) == (2.0, 3)
    assert cell.reason == "metric 'auc' at 2026-03-04 05:06:07Z; metric 'auc' without a time"


def test_a_run_without_an_end_cannot_say_what_is_late(folder: Path) -> None:
    cells = measure(Run(), subject_of(folder, run=run_facts(ended=None)))
    assert cells["late"].lack is Lack.UNDEFINED


def test_a_commit_is_a_violation_only_where_it_is_required(folder: Path) -> None:
    subject = subject_of(folder, run=run_facts())
    assert measure(Run(), subject)["commit"].value == 0.0
    assert measure(Run(require_commit=True), subject)["commit"].value == 1.0
    with_commit = subject_of(folder, run=run_facts(commit="4f1c9e2"))
    assert measure(Run(require_commit=True), with_commit)["commit"].value == 0.0


def test_a_file_identity_that_cannot_be_read_twice_is_no_pass(folder: Path, data_of: Maker) -> None:
    data = dict(data_of({Role.EVALUATION: EVALUATION}))
    data[Role.EVALUATION] = replace(data[Role.EVALUATION], read_twice=None)
    assert measure(DataDigests(), subject_of(folder, data=data))["changed"].lack is Lack.UNDEFINED

    def gone() -> str:
        raise SourceError("gone")

    data[Role.EVALUATION] = replace(data[Role.EVALUATION], read_twice=gone)
    assert measure(DataDigests(), subject_of(folder, data=data))["changed"].reason == "gone"
