"""The model's files: each kind of violation is counted, and what cannot be seen is never 0."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aims_gate.checks.integrity.formats import formats
from aims_gate.checks.integrity.model import Model
from aims_gate.checks.parameters import problems_of
from aims_gate.facts import Lack
from tests.checks.integrity.cells import measure, subject_of, values
from tests.registry_content import FILES, write


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
    assert [name for name, _what, _hint in problems_of(check)] == [field]
