"""No file is left out of a manifest for its name: MLflow's note is told apart by what it says.

The attack: weights are called `registered_model_meta`, `MLmodel` points at them, and after the
gate has passed the model they are swapped.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

import aims_gate
from aims_gate.errors import SourceError, TrustError
from aims_gate.operations.verify import Expectation, prove
from aims_gate.sources import SOURCES
from aims_gate.sources.subject import Workspace
from tests.attacks.test_registry_swap import Gated, gated, two_versions
from tests.conftest import Store
from tests.evidence.test_third_party import MODEL, _run
from tests.support.proofs import NOW
from tests.support.registry_content import FILES, MLMODEL, Content
from tests.support.servers import copy_store

__all__ = ["gated"]

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own deprecations
NOTE = "registered_model_meta"
POINTER = MLMODEL.replace(b"nowhere", b"nowhere, data: registered_model_meta")
PICKLE = b"\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00\x8c\x01x\x94."


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A folder that MLflow's client filled, beside the evidence of its version."""

    folder: Path
    gated: Gated

    @property
    def note(self) -> Path:
        return self.folder / NOTE

    def question(self) -> Expectation:
        lab = self.gated.lab
        return Expectation(
            evidence=lab.folder / "of-first",
            trust=lab.folder / "trust.yaml",
            model=str(self.folder),
        )

    def refused(self) -> str:
        with pytest.raises(TrustError) as caught:
            prove(self.question(), now=NOW)
        assert caught.value.exit_code == 4
        return str(caught.value)

    def recipe(self) -> int:
        """Run the commands of docs/evidence.md; takes the folder away."""
        beside = self.folder.parents[1] / "beside"
        beside.mkdir()
        self.folder.rename(beside / "model")
        shutil.copytree(self.gated.lab.folder / "of-first", beside / "evidence")
        return _run(MODEL, beside).returncode


@pytest.fixture(scope="module")
def genuine(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Download:
    """One download, made once: importing, logging and gating cost more than what is tried on it."""
    folder = tmp_path_factory.mktemp("genuine")
    uri = f"sqlite:///{folder}/mlflow.db"
    copy_store(empty_store, folder / "mlflow.db", str(folder / "mlartifacts"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", uri)
        gated = two_versions(uri, folder)
        return _download(gated, gated.first, folder)


@pytest.fixture
def download(genuine: Download, tmp_path: Path) -> Download:
    """A copy of that download, to be attacked."""
    folder = shutil.copytree(genuine.folder, tmp_path / "downloaded" / "model")
    return replace(genuine, folder=folder)


def _download(gated: Gated, uri: str, tmp_path: Path) -> Download:
    import mlflow

    folder = tmp_path / "downloaded" / "model"
    folder.mkdir(parents=True)
    mlflow.set_tracking_uri(gated.environ["MLFLOW_TRACKING_URI"])
    try:
        mlflow.artifacts.download_artifacts(uri, dst_path=str(folder))
    finally:
        mlflow.set_tracking_uri(None)
    return Download(folder=folder, gated=gated)


@pytest.mark.tool("bash")
def test_a_genuine_download_verifies_with_and_without_us(download: Download) -> None:
    """As docs/evidence.md tells people to do."""
    assert download.note.read_text(encoding="utf-8") == "model_name: cr\nmodel_version: '1'\n"
    assert prove(download.question(), now=NOW).passed
    assert download.recipe() == 0


@pytest.mark.tool("bash")
def test_a_genuine_download_by_the_models_id_does_too(gated: Gated, tmp_path: Path) -> None:
    """`models:/m-…` has no name in the registry, and the note says so."""
    source = Content(uri=gated.environ["MLFLOW_TRACKING_URI"]).client.get_model_version("cr", "1")
    download = _download(gated, source.source, tmp_path)
    assert download.note.read_bytes() == b"model_name: null\nmodel_version: null\n"
    assert prove(download.question(), now=NOW).passed
    assert download.recipe() == 0


def _rewrite(text: bytes) -> Callable[[Download], None]:
    def attack(download: Download) -> None:
        download.note.write_bytes(text)

    return attack


def _link(download: Download) -> None:
    target = download.folder.parent / "elsewhere"
    download.note.rename(target)
    download.note.symlink_to(target)


def _folder(download: Download) -> None:
    download.note.unlink()
    download.note.mkdir()
    (download.note / "weights").write_bytes(b"evil")


def _pipe(download: Download) -> None:
    download.note.unlink()
    os.mkfifo(download.note)


def _deeper(download: Download) -> None:
    download.note.rename(download.folder / "weights" / NOTE)


def _case(download: Download) -> None:
    download.note.rename(download.folder / NOTE.upper())


def _beside_another_case(download: Download) -> None:
    (download.folder / NOTE.title()).write_bytes(b"evil")


def _without_mlmodel(download: Download) -> None:
    (download.folder / "MLmodel").unlink()


@pytest.mark.tool("bash")
@pytest.mark.parametrize(
    "attack",
    [
        _rewrite(PICKLE),
        _rewrite(b""),
        _rewrite(b"model_name: cr\n"),
        _rewrite(b"model_name: cr\nmodel_version: 1\nweights: evil\n"),
        _rewrite(b"model_name: cr\nmodel_version: 1\n# evil"),
        _rewrite(b"model_version: 1\nmodel_name: cr\n"),
        _rewrite(b"model_name: cr\nmodel_name: dr\n"),
        _rewrite(b"model_name: !!python/object/apply:os.system [id]\nmodel_version: 1\n"),
        _rewrite(b"model_name: __import__('os').system('id')\nmodel_version: 1\n"),
        _rewrite(b"model_name: cr\nmodel_version: latest\n"),
        _rewrite(b"model_name: cr\r\nmodel_version: 1\r\n"),
        _rewrite(b"model_name: cr\x00\nmodel_version: 1\n"),
        _rewrite(b"model_name: null\nmodel_version: null\nmodel_name: null\n"),
        _rewrite(b"model_name: cr\nmodel_version: null\n"),
        _rewrite(b"model_name: null;model_version: null;"),
        _rewrite(b"model_name: ;\nmodel_version: 1\n"),
        _rewrite(b"model_name: " + b"c" * 600 + b"\nmodel_version: 1\n"),
        _link,
        _folder,
        _pipe,
        _deeper,
        _case,
        _beside_another_case,
        _without_mlmodel,
    ],
)
def test_whatever_else_bears_the_name_is_refused(
    download: Download, attack: Callable[[Download], None]
) -> None:
    """Other bytes, keys, kinds, places and spellings, by us and by the recipe."""
    attack(download)
    assert NOTE in download.refused().lower() or "MLmodel" in download.refused()
    assert download.recipe() != 0


@pytest.mark.parametrize(
    "reference",
    [
        "flavors: {python_function: {data: registered_model_meta}}",
        "flavors: {python_function: {data: ./Registered_Model_Meta}}",
        "model_path: code/../registered_model_meta",
        'artifact_path: "\\x72egistered_model_meta"',
        'flavors: {pyfunc: {artifacts: [{path: "registered_mod\\\n  el_meta"}]}}',
        "registered_model_meta: {}",
        "flavors: &anchor {data: registered_model_meta}",
        "{model_size_bytes: 12, data: registered_model_meta}",
        "no: [mapping",
    ],
)
def test_a_model_that_refers_to_the_note_is_refused(gated: Gated, reference: str) -> None:
    """The weights could then be the name of a version, which nobody signed."""
    folder = gated.lab.folder / "model"
    (folder / "MLmodel").write_text(reference, encoding="utf-8")
    gated.lab.model = folder
    gated.lab.evidence = gated.lab.folder / "of-first"
    for old in gated.lab.evidence.iterdir():
        old.unlink()
    gated.lab.evidence.rmdir()
    gated.lab.write(gated.lab.evidence)
    download = Download(folder=folder, gated=gated)
    assert prove(download.question(), now=NOW).passed
    download.note.write_bytes(b"model_name: cr\nmodel_version: 1\n")
    assert "MLmodel" in download.refused()
    if "&" not in reference and "[mapping" not in reference:
        assert download.recipe() != 0


@pytest.mark.parametrize("name", [NOTE, NOTE.upper(), f"{NOTE}/weights"])
def test_a_store_or_a_run_that_holds_the_name_is_refused(
    mlflow_server: str, tmp_path: Path, name: str
) -> None:
    """`deny: [pickle]` never saw the file; now nothing is measured at all."""
    content = Content(uri=mlflow_server)
    logged = content.registered(files={**FILES, "MLmodel": POINTER, name: PICKLE})
    for number, uri in enumerate((logged.uri, f"runs:/{logged.run_id}")):
        private = tmp_path / str(number)
        private.mkdir()
        workspace = Workspace(folder=private, environ={"MLFLOW_TRACKING_URI": mlflow_server})
        with pytest.raises(SourceError, match="MLflow's client writes it") as caught:
            SOURCES["models"].fetch(uri, workspace=workspace)
        assert caught.value.exit_code == 3


def test_loading_a_model_from_a_local_store_leaves_it_as_it_was(
    content_uri: str, tmp_path: Path
) -> None:
    """There MLflow's client "downloads" `models:/NAME/1` to where it lies, note and all.

    Anything else by that name is refused there, too, and so is the note under `runs:/`.
    """
    import mlflow

    content = Content(uri=content_uri)
    logged = content.registered()

    def fetched(uri: str) -> str:
        private = Path(tempfile.mkdtemp(dir=tmp_path))
        workspace = Workspace(folder=private, environ={"MLFLOW_TRACKING_URI": content_uri})
        return SOURCES["models"].fetch(uri, workspace=workspace).manifest.digest

    before = fetched(logged.uri)
    mlflow.set_tracking_uri(content_uri)
    folder = Path(mlflow.artifacts.download_artifacts(logged.uri))
    assert (folder / NOTE).is_file()
    assert fetched(logged.uri) == before
    with pytest.raises(SourceError, match="MLflow's client writes it"):
        fetched(f"runs:/{logged.run_id}/model")
    mlflow.artifacts.download_artifacts(f"models:/{logged.model_id}")
    assert (folder / NOTE).read_bytes() == b"model_name: null\nmodel_version: null\n"
    assert fetched(f"models:/{logged.model_id}") == before
    (folder / NOTE).write_bytes(PICKLE)
    with pytest.raises(SourceError, match="not the two lines"):
        fetched(logged.uri)


def test_a_folder_that_holds_the_name_is_refused(tmp_path: Path) -> None:
    """Also the genuine note: what is judged is a model, not a download of one."""
    policy = (
        "apiVersion: aims-gate/v1\nkind: Policy\nmetadata: {id: x, version: '1'}\nrules:\n"
        "  - {id: INTEG-01, check: integrity.model, with: {deny: [pickle]},"
        " require: {at_most: 0}}\n"
    )
    (tmp_path / "policy.yaml").write_text(policy, encoding="utf-8")
    model = tmp_path / "model"
    model.mkdir()
    (model / "MLmodel").write_bytes(POINTER)
    assert aims_gate.run(tmp_path / "policy.yaml", f"file:{model}").passed
    for text in (PICKLE, b"model_name: cr\nmodel_version: 1\n"):
        (model / NOTE).write_bytes(text)
        with pytest.raises(SourceError, match=r"delete it where a download left it"):
            aims_gate.run(tmp_path / "policy.yaml", f"file:{model}")


def test_a_file_of_that_name_deeper_down_is_one_of_the_model(
    content_uri: str, tmp_path: Path
) -> None:
    """A model that was logged with another registered model among its artifacts has one."""
    content = Content(uri=content_uri)
    deeper = f"artifacts/base/{NOTE}"
    logged = content.registered(files={**FILES, deeper: b"model_name: base\nmodel_version: 3\n"})
    workspace = Workspace(folder=tmp_path, environ={"MLFLOW_TRACKING_URI": content_uri})
    fetched = SOURCES["models"].fetch(f"models:/{logged.model_id}", workspace=workspace)
    assert deeper in [entry.path for entry in fetched.manifest.entries]


@pytest.fixture
def content_uri(mlflow_store: Store, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_store.uri)
    return mlflow_store.uri
