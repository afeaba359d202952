"""Row 2 of the threat model on a real MLflow store: READY versions can be overwritten."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from aims_gate.errors import TrustError
from aims_gate.operations.verify import Expectation, prove
from aims_gate.sources import SOURCES
from aims_gate.sources.subject import Workspace
from tests.conftest import Store
from tests.support.proofs import NOW, Lab
from tests.support.registry_content import Content

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own deprecations


@dataclass(frozen=True, slots=True, kw_only=True)
class Gated:
    """Two versions with the same bytes in a real registry, and the evidence of the first."""

    first: str
    second: str
    place: str
    lab: Lab
    environ: dict[str, str]

    def ask(self, uri: str) -> Expectation:
        return Expectation(
            evidence=self.lab.folder / "of-first",
            trust=self.lab.folder / "trust.yaml",
            model=uri,
            environ=self.environ,
        )


@pytest.fixture
def gated(tmp_path: Path, mlflow_store: Store, monkeypatch: pytest.MonkeyPatch) -> Gated:
    # MLflow's own client resolves models:/m-… through the process's environment
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_store.uri)
    return two_versions(mlflow_store.uri, tmp_path)


def two_versions(uri: str, folder: Path) -> Gated:
    """Register a model twice in the store at *uri*, and gate the first below *folder*."""
    content = Content(uri=uri)
    run = content.run()
    source = f"models:/{content.model(run)}"
    first, second = (f"models:/cr/{content.version('cr', source, run)}" for _ in range(2))
    environ = {"MLFLOW_TRACKING_URI": uri}
    private = folder / "private"
    private.mkdir()
    fetched = SOURCES["models"].fetch(first, workspace=Workspace(folder=private, environ=environ))
    lab = Lab.make(folder / "lab")
    lab.model = fetched.folder
    lab.write(lab.folder / "of-first", model=fetched.model)
    entry = {"person": "gate", "public_key": lab.signer.key.pem, "roles": ["gate"]}
    trust = {"apiVersion": "aims-gate/v1", "kind": "Trust", "keys": [entry]}
    (lab.folder / "trust.yaml").write_text(yaml.safe_dump(trust), encoding="utf-8")
    place = fetched.model.resource_uri
    return Gated(first=first, second=second, place=place, lab=lab, environ=environ)


def test_row_02_an_artifact_overwritten_after_registration(
    gated: Gated, mlflow_store: Store
) -> None:
    """The version, its number and its status stay; verifying its URI sees other bytes."""
    verified = prove(gated.ask(gated.first), now=NOW)
    assert verified.passed
    assert verified.resource_uri == gated.place
    (weights,) = mlflow_store.artifacts.rglob("w.txt")
    weights.write_bytes(b"evil")
    with pytest.raises(TrustError, match=r"changed: weights/w\.txt"):
        prove(gated.ask(gated.first), now=NOW)


def test_row_04_the_same_bytes_as_another_version(gated: Gated) -> None:
    """Evidence of version 1 is none for version 2, although the bytes are equal."""
    with pytest.raises(TrustError, match=r"the evidence is for cr@1 on .*, not for cr@2 on"):
        prove(gated.ask(gated.second), now=NOW)
