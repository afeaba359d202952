"""Evidence that only MLflow has goes into the pack, verified; what does not verify is named."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from aims_gate.__main__ import guarded
from aims_gate.attest import trust_file
from aims_gate.evidence.layout import POLICY_FILE
from aims_gate.operations.aims import gate_history
from aims_gate.operations.aims.gate_history import GateHistoryQuestion
from aims_gate.operations.aims.survey import Survey, SurveyQuestion, survey
from aims_gate.operations.audit.pack import audit_pack, write_pack
from aims_gate.operations.audit.period import Period
from aims_gate.operations.audit.stages import STAGES
from aims_gate.registry.choose import open_registry
from aims_gate.sinks.beside import store
from aims_gate.sources.mlflow.evidence import PROMOTIONS
from tests.operations.audit.test_audit_pack import check, words
from tests.operations.test_portfolio import TAG, Shop
from tests.operations.test_verify import write_trust
from tests.support.gated import Gated
from tests.support.proofs import NOW, Lab, new_signer
from tests.support.registry_content import Content
from tests.support.servers import copy_store

LATER = NOW + timedelta(days=2)


@pytest.fixture(scope="module")
def shop(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """The first of two versions is promoted, a stranger judged the second: only MLflow has them."""
    folder = tmp_path_factory.mktemp("published")
    copy_store(empty_store, folder / "mlflow.db", str(folder / "artifacts"))
    gated = Gated(folder)
    shop = Shop(
        content=Content(uri=f"sqlite:///{folder / 'mlflow.db'}"), lab=gated.lab, folder=folder
    )
    key = shop.content.client.create_experiment("aims-gate", str(folder / "published"))
    shop.content.client.create_run(key, tags={"aims_gate.evaluation": "of-nothing"})
    for _ in range(2):
        shop.version("credit")
    kept = [shop.judge("credit", "1")]
    place = shop.tags("credit", "1")[TAG].partition(" ")[2]
    statements = gated.promote(kept[0], NOW)
    (envelope,) = statements.glob("*.dsse.json")
    name = statements / envelope.name.removesuffix(".dsse.json")
    store(open_registry(shop.environ), place, name, PROMOTIONS, shop.environ)
    shop.content.client.set_registered_model_alias("credit", "champion", "1")
    genuine, shop.lab.signer = shop.lab.signer, new_signer()
    kept.append(shop.judge("credit", "2", passed=False))
    shop.lab.signer = genuine
    for one in kept:
        shutil.rmtree(one)
    return shop


def asked(shop: Shop, copies: Path | None) -> Survey:
    history = GateHistoryQuestion(
        trust=shop.lab.folder / "trust.yaml", mlflow=True, copies=copies, environ=shop.environ
    )
    return survey(SurveyQuestion(history=history, now=LATER))


def made(found: Survey, shop: Shop, out: Path) -> Path:
    when = Period(begins=(NOW - timedelta(days=9)).date(), ends=LATER.date())
    trust = trust_file.load(shop.lab.folder / "trust.yaml")
    write_pack(audit_pack(found, STAGES["stage2"], when, trust), out)
    return out


@pytest.mark.tool("bash")
@pytest.mark.tool("openssl")
@pytest.mark.tool("jq")
def test_it_is_fetched_into_the_pack_with_the_promotions_beside_it(
    shop: Shop, tmp_path: Path
) -> None:
    (tmp_path / "copies").mkdir()
    found = asked(shop, tmp_path / "copies")
    folder = made(found, shop, tmp_path / "pack")
    assert [one.version for one in found.history.moves] == ["1"]
    (evidence,) = (folder / "evidence").iterdir()
    assert {"vsa.dsse.json", POLICY_FILE} <= {one.name for one in evidence.iterdir()}
    assert len(list((evidence / PROMOTIONS).glob("*.dsse.json"))) == 1
    assert check(folder).returncode == 0
    told = words(folder)
    assert "evidence fetch" not in told
    assert "only in MLflow" not in told  # no folder of ours was named
    assert "the last signed promotion says" not in told
    empty, forged = sorted(found.history.problems, key=lambda one: "not trusted" in one)
    assert "there is no evidence" in empty
    assert "not trusted" in forged
    assert {empty in told, forged in told} == {True}


def test_without_a_folder_of_copies_or_beyond_the_bound_it_is_named(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate_history, "MOST_COPIED", 100)
    (tmp_path / "copies").mkdir()
    for number, copies in enumerate((None, tmp_path / "copies")):
        folder = made(asked(shop, copies), shop, tmp_path / f"pack{number}")
        assert not (folder / "evidence").exists()
        assert "aims-gate evidence fetch runs:/" in words(folder)
    assert not list((tmp_path / "copies").iterdir())


def test_where_nobody_published_anything_that_is_said_and_nothing_fails(
    empty_store: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The store has no experiment of the gate's."""
    monkeypatch.chdir(tmp_path)
    copy_store(empty_store, tmp_path / "mlflow.db", str(tmp_path / "artifacts"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    write_trust(Lab.make(tmp_path / "lab"))
    trust = ["--trust", "lab/trust.yaml", "--mlflow"]
    assert guarded(["aims", "audit-pack", "--for", "stage1", "--out", "pack", *trust]) == 0
    assert "MLflow holds no evidence" in words(tmp_path / "pack")
    assert "MLflow was not asked" not in words(tmp_path / "pack")
    guarded(["aims", "status", *trust])
    assert "MLflow holds no evidence" in capsys.readouterr().out
