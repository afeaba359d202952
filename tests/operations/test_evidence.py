"""Evidence is found in MLflow by a run's place or a version's tags, which are pointers only."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from aims_gate.cli import cli
from aims_gate.errors import GateError, TrustError, UsageError
from aims_gate.operations.evidence import keep
from aims_gate.operations.verify import Expectation, prove
from aims_gate.sinks.mlflow import publish
from aims_gate.sources import SOURCES
from aims_gate.sources.subject import Workspace
from tests.support.proofs import NOW, Lab, refused, verdict_of
from tests.support.registry_content import Content, Logged

pytestmark = [pytest.mark.server, pytest.mark.filterwarnings("ignore")]  # MLflow's deprecations


@dataclass(kw_only=True)
class Shop:
    """A registered model, and the gate that publishes evidence of it."""

    content: Content
    logged: Logged
    lab: Lab
    environ: dict[str, str]

    def publish(self, stage: str = "production", **changes: Any) -> str:
        """Gate the model for a stage; gives the place of the evidence."""
        private = self.lab.folder / uuid.uuid4().hex
        private.mkdir()
        workspace = Workspace(folder=private, environ=self.environ)
        fetched = SOURCES["models"].fetch(self.logged.uri, workspace=workspace)
        self.lab.model = fetched.folder
        changes = {"model": fetched.model, "stage": stage, **changes}
        verdict = verdict_of(self.lab.manifest, self.lab.signer, **changes)
        assert verdict.evidence is not None
        changes["evidence"] = verdict.evidence.__class__(
            id=uuid.uuid4().hex, directory="", signed=True, key=verdict.evidence.key
        )
        folder = self.lab.write(private / "evidence", **changes)
        verdict = verdict_of(self.lab.manifest, self.lab.signer, **changes)
        return publish(verdict, folder, self.environ)

    def tag(self, key: str, value: str) -> None:
        self.content.client.set_model_version_tag(self.logged.name, "1", key, value)

    def tags(self) -> dict[str, str]:
        return dict(self.content.client.get_model_version(self.logged.name, "1").tags)

    def ask(self, evidence: str, **changes: Any) -> Expectation:
        usual: dict[str, Any] = {"trust": self.lab.folder / "trust.yaml", "model": None}
        return Expectation(evidence=evidence, environ=self.environ, **{**usual, **changes})

    def trust(self, **more: Any) -> None:
        entry = {"person": "gate", "public_key": self.lab.signer.key.pem, "roles": ["gate"]}
        file = {"apiVersion": "aims-gate/v1", "kind": "Trust", "keys": [entry], **more}
        (self.lab.folder / "trust.yaml").write_text(yaml.safe_dump(file), encoding="utf-8")

    def fails(self, evidence: str, kind: type[GateError], match: str, **changes: Any) -> None:
        with pytest.raises(kind, match=match):
            prove(self.ask(evidence, **changes), now=NOW)


@pytest.fixture
def shop(mlflow_server: str, tmp_path: Path) -> Shop:
    content = Content(uri=mlflow_server)
    made = Shop(
        content=content,
        logged=content.registered("shop"),
        lab=Lab.make(tmp_path / "lab"),
        environ={"MLFLOW_TRACKING_URI": mlflow_server},
    )
    made.trust()
    return made


def test_a_version_is_evidence_and_model_in_one(shop: Shop) -> None:
    """By number and by alias; another model may still be named."""
    shop.publish()
    verified = prove(shop.ask(shop.logged.uri), now=NOW)
    assert (verified.passed, verified.bytes_verified) == (True, True)
    shop.content.client.set_registered_model_alias(shop.logged.name, "champion", "1")
    assert prove(shop.ask(f"models:/{shop.logged.name}@champion"), now=NOW).passed
    assert prove(shop.ask(shop.logged.uri, model=str(shop.lab.model)), now=NOW).bytes_verified
    assert not prove(shop.ask(shop.logged.uri, signature_only=True), now=NOW).bytes_verified
    (shop.lab.model / "MLmodel").write_bytes(b"evil")
    shop.fails(shop.logged.uri, TrustError, "changed: MLmodel", model=str(shop.lab.model))
    shop.fails(shop.logged.uri, UsageError, "name the model", model="")


def test_a_run_is_evidence_of_the_model_that_is_named(shop: Shop) -> None:
    """Its place alone names none."""
    place = shop.publish()
    assert prove(shop.ask(place, model=shop.logged.uri), now=NOW).passed
    shop.fails(place, UsageError, "name the model")


def test_the_stage_is_the_one_asked_for_expected_last_or_only(shop: Shop) -> None:
    """An authentic refusal of one stage is not covered by a pass of another."""
    shop.publish("dev")
    shop.fails(shop.logged.uri, TrustError, "is for stage 'dev', not for 'production'")
    assert prove(shop.ask(shop.logged.uri, stage="dev"), now=NOW).passed
    shop.fails(shop.logged.uri, UsageError, "no evidence for stage 'live'; .*: 'dev'", stage="live")
    shop.publish(**refused())
    assert not prove(shop.ask(shop.logged.uri), now=NOW).passed
    assert prove(shop.ask(shop.logged.uri, stage="dev"), now=NOW).passed
    shop.fails(shop.logged.uri, UsageError, "the stage is empty", stage="")
    shop.trust(deploy=[{"models": [shop.logged.name], "stage": "dev"}])
    assert prove(shop.ask(shop.logged.uri), now=NOW).stage == "dev"
    shop.fails(shop.logged.uri, TrustError, "not for 'dev'", stage="production")


def test_a_tag_of_version_0_1_names_no_stage(shop: Shop) -> None:
    """It is followed where no other is; whether the stage is right is signed."""
    shop.publish("staging")
    pointer = shop.tags()["aims_gate.staging.evidence"]
    other = shop.content.registered("old")
    version = other.name, "1"
    shop.content.client.set_model_version_tag(*version, "aims_gate.evidence", pointer)
    shop.fails(other.uri, TrustError, r"the evidence is for shop-.*@1 on .*, not for old-")
    shop.fails(other.uri, TrustError, r"is for stage", signature_only=True)
    assert prove(shop.ask(other.uri, signature_only=True, stage="staging"), now=NOW).passed
    shop.content.client.set_model_version_tag(*version, "aims_gate.dev.evidence", "pending")
    shop.fails(other.uri, UsageError, "stages with evidence: 'dev'", stage="staging")


def test_where_there_is_none_it_is_a_usage_error(shop: Shop) -> None:
    """Exit code 2, whatever is missing."""
    uri, run = shop.logged.uri, shop.logged.run_id
    missing = "runs:/" + "0" * 32 + "/aims_gate/x"
    for evidence, match in (
        (uri, "no evidence for stage 'production'; stages with evidence: none"),
        (f"models:/{shop.logged.name}/9", "there is no evidence: "),
        ("models:/nobody-knows/1", "there is no evidence: "),
        (f"models:/{shop.logged.name}@nobody", ""),
        (f"models:/{shop.logged.model_id}", "this names no evidence"),
        (f"runs:/{run}", "this names no evidence"),
        (f"runs:/{run}/aims_gate/x", "is not there"),
        (missing, "is not there"),
        ("runs:/../x", "not a model URI"),
    ):
        with pytest.raises(GateError) as caught:
            prove(shop.ask(evidence, model=uri), now=NOW)
        assert match in str(caught.value)
        assert caught.value.exit_code == 2, evidence


def test_a_tag_is_a_pointer_that_anybody_can_set(shop: Shop) -> None:
    """Pending, nonsense, a model's own files, another evaluation: none of them passes."""
    place = shop.publish()
    pointer = shop.tags()["aims_gate.production.evidence"]
    for value, match in (
        ("pending", "it is being written"),
        ("passed", "points at nothing"),
        ("sha256:" + "0" * 64 + " file:///etc", "points at nothing"),
        (f"sha256:{'0' * 64} runs:/{shop.logged.run_id}", "is no folder of a run"),
        (f"sha256:{'0' * 64} runs:/{shop.logged.run_id}/nowhere", "is not there"),
    ):
        shop.tag("aims_gate.production.evidence", value)
        shop.fails(shop.logged.uri, UsageError, match)
    shop.tag("aims_gate.production.evidence", f"sha256:{'0' * 64} {place}")
    shop.fails(shop.logged.uri, TrustError, "is not what the tag names")
    stranger = Lab.make(shop.lab.folder / "stranger")
    shop.lab.signer = stranger.signer
    shop.publish()
    shop.fails(shop.logged.uri, TrustError, "signed by a key that is not trusted")
    shop.tag("aims_gate.production.evidence", pointer)
    assert prove(shop.ask(shop.logged.uri), now=NOW).passed


def test_evidence_is_copied_into_a_new_directory(shop: Shop, tmp_path: Path) -> None:
    """All of it, and never over something else; nothing is verified, and nothing half written."""
    place = shop.publish("dev")
    keep(place, tmp_path / "copy", stage=None, environ=shop.environ)
    keep(shop.logged.uri, tmp_path / "of-dev", stage="dev", environ=shop.environ)
    names = {path.name for path in (tmp_path / "copy").iterdir()}
    assert {"vsa.dsse.json", "model.sha256", "report.json"} < names
    for name in names:
        bytes_ = (tmp_path / "copy" / name).read_bytes()
        assert (tmp_path / "of-dev" / name).read_bytes() == bytes_
    question = shop.ask(str(tmp_path / "copy"), model=shop.logged.uri, stage="dev")
    assert prove(question, now=NOW).passed
    with pytest.raises(UsageError, match="never overwritten"):
        keep(place, tmp_path / "copy", stage=None, environ=shop.environ)
    with pytest.raises(UsageError, match="no evidence for stage 'x'"):
        keep(shop.logged.uri, tmp_path / "none", stage="x", environ=shop.environ)
    with pytest.raises(UsageError, match="the stage is empty"):
        keep(shop.logged.uri, tmp_path / "none", stage="", environ=shop.environ)
    assert not (tmp_path / "none").exists()


def test_the_command_copies_evidence(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And says that it verified nothing, and the line that does."""
    place = shop.publish()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", shop.environ["MLFLOW_TRACKING_URI"])
    target = str(tmp_path / "copy")
    cli.main(["evidence", "fetch", place, target], standalone_mode=False)
    proof = f"aims-gate verify {target} --signature-only --trust trust.yaml"
    assert capsys.readouterr().out == f"evidence: {target}, not verified\nverify:   {proof}\n"
    cli.main(["evidence", "fetch", shop.logged.uri, f"{target}-2"], standalone_mode=False)
    proof = f"verify {target}-2 --model {shop.logged.uri} --trust trust.yaml"
    assert f"verify:   aims-gate {proof}\n" in capsys.readouterr().out
