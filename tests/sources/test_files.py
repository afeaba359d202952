"""Models in local folders: copied privately, hashed there, and refused where they are not safe."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
import yaml
from pyarrow import parquet

from aims_gate.attest import manifest
from aims_gate.errors import SourceError, UsageError
from aims_gate.policy.model import DataSpec, Policy, Role
from aims_gate.sources import SOURCES
from aims_gate.sources.mlmodel import MLmodel, parse_mlmodel
from aims_gate.sources.roles import write_roles
from aims_gate.sources.subject import Signature, Workspace

SOURCE = SOURCES["file"]
POLICY = Policy(id="p", version="1.0.0")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "crédit model"
    (folder / "data").mkdir(parents=True)
    (folder / "weights.bin").write_bytes(b"\0\1\2")
    (folder / "data" / "notes.txt").write_text("hello", encoding="utf-8")
    return folder


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    return Workspace(folder=private)


def test_a_folder_is_copied_privately_and_hashed_as_sha256sum_does(
    model: Path, workspace: Workspace
) -> None:
    fetched = SOURCE.fetch(f"file:{model}", workspace=workspace)
    script = "find . -type f | cut -c3- | LC_ALL=C sort | xargs sha256sum"
    expected = subprocess.run(["sh", "-c", script], cwd=model, capture_output=True, check=True)
    assert fetched.manifest.text == expected.stdout
    assert fetched.folder.is_relative_to(workspace.folder)
    assert fetched.folder.stat().st_mode & 0o077 == 0
    (model / "weights.bin").write_bytes(b"swapped")
    assert manifest.scan(fetched.folder).digest == fetched.model.digest
    assert (fetched.model.name, fetched.model.reader) == ("crédit model", "files")
    assert fetched.model.resource_uri == "pkg:generic/cr%C3%A9dit%20model"
    assert (fetched.model.files, fetched.model.bytes) == (2, 8)


def test_each_way_to_write_a_folder_opens_it(model: Path, tmp_path: Path) -> None:
    for place, uri in enumerate((f"file:{model}", model.as_uri(), str(model), f"file:{model}/")):
        private = tmp_path / f"private{place}"
        private.mkdir()
        fetched = SOURCE.fetch(uri, workspace=Workspace(folder=private))
        assert fetched.model.name == "crédit model"


def test_what_is_no_folder_is_refused(model: Path, workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for uri in (tmp_path / "missing", model / "weights.bin", tmp_path / "empty", "/"):
        with pytest.raises(SourceError):
            SOURCE.fetch(f"file:{uri}", workspace=Workspace(folder=_fresh(tmp_path)))
    for text in ("file:", "", "file://host/model"):
        with pytest.raises(UsageError):
            SOURCE.fetch(text, workspace=workspace)


def _fresh(tmp_path: Path) -> Path:
    folder = tmp_path / f"private-{len(list(tmp_path.iterdir()))}"
    folder.mkdir()
    return folder


def test_links_pipes_and_hostile_names_are_refused_and_never_followed(
    tmp_path: Path,
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret", encoding="utf-8")

    def named(*names: str) -> Callable[[Path], None]:
        def spoil(folder: Path) -> None:
            for name in names:
                (folder / name).touch()

        return spoil

    spoilt: list[Callable[[Path], None]] = [
        lambda folder: (folder / "a").symlink_to(secret),
        lambda folder: (folder / "a").symlink_to(tmp_path),
        lambda folder: os.mkfifo(folder / "a"),
        named("a\nb"),
        named("a\\b"),
        named("-rf"),
        named("%2e%2e"),
        named("A", "a"),
    ]
    for place, spoil in enumerate(spoilt):
        folder = tmp_path / f"model{place}"
        folder.mkdir()
        (folder / "weights.bin").touch()
        spoil(folder)
        private = _fresh(tmp_path)
        with pytest.raises(SourceError):
            SOURCE.fetch(f"file:{folder}", workspace=Workspace(folder=private))
        copied = [path for path in private.rglob("*") if path.is_file()]
        assert all(path.read_text(encoding="utf-8") != "secret" for path in copied)


def test_limits_hold(model: Path, tmp_path: Path) -> None:
    for files, size in ((1, 8), (4, 7), (4, 4)):
        limited = Workspace(folder=_fresh(tmp_path), max_files=files, max_bytes=size)
        with pytest.raises(SourceError, match="more"):
            SOURCE.fetch(f"file:{model}", workspace=limited)
    exact = Workspace(folder=_fresh(tmp_path), max_files=4, max_bytes=8)
    assert SOURCE.fetch(f"file:{model}", workspace=exact).manifest.files == 2


def test_data_in_the_folder_are_found_by_convention_and_by_name(
    model: Path, workspace: Workspace
) -> None:
    (model / "aims_gate").mkdir()
    table = write_roles(pa.table({"y": [0, 1]}), DataSpec(label="y"))
    parquet.write_table(table, model / "aims_gate" / "evaluation.parquet")
    (model / "now.csv").write_text("y\n1\n", encoding="utf-8")
    policy = Policy(
        id="p",
        version="1.0.0",
        data={
            Role.CURRENT: DataSpec(source="artifact:now.csv"),
            Role.REFERENCE: DataSpec(source="artifact:gone.csv"),
        },
    )
    subject = SOURCE.open(f"file:{model}", policy=policy, given={}, workspace=workspace)
    assert sorted(subject.data) == [Role.CURRENT, Role.EVALUATION]
    assert subject.data[Role.EVALUATION].spec.label == "y"
    assert subject.data[Role.CURRENT].identity.uri == "artifact:now.csv"
    told = str(subject.unread[Role.REFERENCE])
    assert told == "artifact:gone.csv: there is no such artifact; did you mean 'now.csv'?"
    assert (subject.run, subject.signature, subject.flavors) == (None, None, ())


INPUTS = [
    {"type": "double", "name": "age", "required": True},
    {"type": "string", "name": "sex", "required": False},
    {"type": "long", "name": "n"},
]


def described(**changes: object) -> bytes:
    document = {
        "flavors": {"sklearn": {"serialization_format": "skops"}, "python_function": {}},
        "signature": {"inputs": json.dumps(INPUTS), "outputs": None},
        "run_id": "r1",
        "model_id": "m-1",
        **changes,
    }
    return yaml.safe_dump(document).encode()


def test_an_mlmodel_file_gives_flavours_and_declared_columns(
    model: Path, workspace: Workspace
) -> None:
    (model / "MLmodel").write_bytes(described())
    subject = SOURCE.open(f"file:{model}", policy=POLICY, given={}, workspace=workspace)
    assert subject.flavors == ("python_function", "sklearn")
    expected = (("age", "double", True), ("sex", "string", False), ("n", "long", True))
    assert subject.signature == Signature(inputs=expected)
    found = parse_mlmodel(described())
    assert (found.run_id, found.model_id) == ("r1", "m-1")
    assert found.flavors["sklearn"]["serialization_format"] == "skops"


def test_a_model_without_named_inputs_declares_nothing() -> None:
    tensor = json.dumps([{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 3]}}])
    for signature in (None, {"inputs": None}, {"inputs": tensor}, {"inputs": "[]"}):
        assert parse_mlmodel(described(signature=signature)).signature is None
    assert parse_mlmodel(b"{}") == MLmodel()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"- a",
        b"a: [",
        b"a: 1\na: 2",
        b"a: !!python/object/apply:os.system [true]",
        b"a: &x [1]\nb: *x",
        b"[" * 300_000,
        b"\xff\xfe\xfd",
        described(flavors=[1]),
        described(flavors={"sklearn": 1}),
        described(signature="none"),
        described(signature={"inputs": [1]}),
        described(signature={"inputs": "not json"}),
        described(signature={"inputs": '[{"name": "a", "name": "b"}]'}),
        described(signature={"inputs": "[1]"}),
    ],
    ids=range(15),
)
def test_an_mlmodel_file_that_cannot_be_understood_is_a_source_error(content: bytes) -> None:
    with pytest.raises(SourceError, match="MLmodel"):
        parse_mlmodel(content)


def test_an_mlmodel_that_is_too_large_or_no_file_is_a_source_error(
    model: Path, tmp_path: Path
) -> None:
    (model / "MLmodel").write_bytes(b"# " + b"x" * 2**20)
    with pytest.raises(SourceError, match=r"MLmodel.*more than"):
        SOURCE.open(
            f"file:{model}", policy=POLICY, given={}, workspace=Workspace(folder=_fresh(tmp_path))
        )
    (model / "MLmodel").unlink()
    (model / "MLmodel").mkdir()
    (model / "MLmodel" / "x").touch()
    with pytest.raises(SourceError, match=r"MLmodel.*folder"):
        SOURCE.open(
            f"file:{model}", policy=POLICY, given={}, workspace=Workspace(folder=_fresh(tmp_path))
        )
