"""Revoking: beside the trust file, and beside the evidence in MLflow; verify refuses by both."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from aims_gate.errors import RecordError, TrustError, UsageError
from aims_gate.operations.evidence import keep
from aims_gate.operations.revoke import Frozen, Revoking, revoke
from aims_gate.operations.verify import prove
from tests.operations.test_evidence import Shop, shop
from tests.support.command_line import call
from tests.support.promoting import House
from tests.support.proofs import NOW, Lab, new_signer
from tests.support.proxy import Answer, Proxy, Request

__all__ = ["shop"]
pytestmark = [pytest.mark.server, pytest.mark.filterwarnings("ignore")]  # MLflow's deprecations


def how(shop: Shop, **changes: Any) -> Revoking:
    usual = Revoking(
        signer=shop.lab.signer,
        why="the labels were wrong",
        trust=shop.lab.folder / "trust.yaml",
        environ=shop.environ,
    )
    return replace(usual, **changes)


def test_a_revoked_version_is_refused_with_and_without_the_folder(
    shop: Shop, tmp_path: Path
) -> None:
    """Who deletes the folder beside the trust file still meets MLflow's copy, by each way in."""
    place = shop.publish()
    keep(place, tmp_path / "before", stage=None, environ=shop.environ)
    shop.publish("dev")
    done = revoke(Frozen(evidence=shop.logged.uri), how(shop), now=NOW)
    told = r"the verdict of this evidence was revoked .* by gate with SHA256:.*: 'the labels"
    copied, local = tmp_path / "after", str(tmp_path / "before")
    keep(place, copied, stage=None, environ=shop.environ)
    for asked in (shop.ask(shop.logged.uri), shop.ask(local, model=shop.logged.uri)):
        with pytest.raises(TrustError, match=told):
            prove(asked, now=NOW)
    assert done.file.parent == shop.lab.folder / "revocations"
    shutil.rmtree(done.file.parent)
    for evidence in (shop.logged.uri, place, str(copied), local):
        shop.fails(evidence, TrustError, told, model=shop.logged.uri)
    shop.fails(str(copied), TrustError, told, model=str(shop.lab.model))
    offline = shop.ask(local, model=str(shop.lab.model))
    assert prove(offline, now=NOW).passed, "nothing that says otherwise was handed along"
    with pytest.raises(TrustError, match=told):
        prove(replace(offline, revocations=copied / "revocations"), now=NOW)
    assert prove(shop.ask(shop.logged.uri, stage="dev"), now=NOW).passed, "it is another verdict"
    shop.publish()
    assert prove(shop.ask(shop.logged.uri), now=NOW).passed, "the gate ran again, and it passed"


def test_a_revocation_without_its_file_or_with_another_refuses(shop: Shop) -> None:
    """The tag alone says that there is one: deleting or exchanging the file takes nothing back."""
    shop.publish()
    done = revoke(Frozen(evidence=shop.logged.uri), how(shop), now=NOW)
    shutil.rmtree(done.file.parent)
    (tag,) = [name for name in shop.tags() if name.startswith("aims_gate.revoked.")]
    pointer = shop.tags()[tag]
    kept = pointer.partition(" ")[2]
    other = shop.publish("dev")
    moved = revoke(Frozen(evidence=other), how(shop, out=shop.lab.folder / "x"), now=NOW)
    for value, match in (
        (f"{pointer}0", "the revocation is not there"),
        (f"sha256:{'0' * 64} {kept}", "is not the revocation that the tag names"),
        (pointer.replace(kept, moved.places[0]), "is not the revocation that the tag names"),
        ("", "the revocation is not there: the tag '' points at nothing"),
    ):
        shop.tag(tag, value)
        shop.fails(shop.logged.uri, TrustError, match, stage="dev")


def test_a_model_and_a_key_are_revoked_for_every_verdict(shop: Shop) -> None:
    """Of whatever stage; a key from a moment on, or for ever."""
    shop.publish()
    digest = prove(shop.ask(shop.logged.uri), now=NOW).model_digest
    fingerprint = shop.lab.signer.key.fingerprint
    cases = (
        (Frozen(model_digest=digest), "the model's bytes"),
        (Frozen(key_fingerprint=fingerprint), "key SHA256:.* of this evidence was revoked"),
        (Frozen(key_fingerprint=fingerprint, since=NOW - timedelta(days=1)), "from 2026-11-22T"),
    )
    for frozen, match in cases:
        done = revoke(frozen, how(shop, environ={}), now=NOW)
        assert done.places == ()
        shop.fails(shop.logged.uri, TrustError, match)
        shutil.rmtree(done.file.parent)
    revoke(Frozen(key_fingerprint=fingerprint, since=NOW), how(shop), now=NOW)
    assert prove(shop.ask(shop.logged.uri), now=NOW).passed


def test_a_revoked_model_is_refused_by_all_of_its_evidence_in_mlflow(
    mlflow_server: str, tmp_path: Path
) -> None:
    """Of every stage, by whoever has nothing but MLflow and the trust file."""
    house = House.build(mlflow_server, tmp_path)
    version = house.version(stage="dev")
    house.gate(version)
    by = Revoking(signer=house.signer, why="x", trust=house.trust_file, environ=house.environ)
    digest = house.lab.manifest.digest
    done = revoke(Frozen(model_digest=digest), by, now=house.now)
    assert len(done.places) == 2
    shutil.rmtree(done.file.parent)
    for stage in ("dev", "production"):
        with pytest.raises(TrustError, match="the model's bytes of this evidence was revoked"):
            house.promote(version, stage=stage)


def test_what_would_be_no_revocation_is_a_usage_error(shop: Shop, tmp_path: Path) -> None:
    """And writes nothing; above all nothing by a key of which every verifier would stumble."""
    two = Frozen(evidence=".", model_digest="0" * 64)
    dated = Frozen(model_digest="0" * 64, since=NOW)
    digest = Frozen(model_digest="0" * 64)
    for frozen, changes, match in (
        (Frozen(), {}, "exactly one thing"),
        (two, {}, "exactly one thing"),
        (dated, {}, "a date was given without a key"),
        (Frozen(evidence=str(tmp_path)), {}, "a file of the evidence is missing"),
        (Frozen(key_fingerprint="gate"), {}, "no fingerprint"),
        (digest, {"why": " "}, "there is no reason"),
        (digest, {"signer": new_signer()}, r"trust\.yaml: signed by a key that is not trusted"),
        (digest, {"trust": tmp_path / "none.yaml"}, "cannot read the trust file"),
    ):
        with pytest.raises(UsageError, match=match):
            revoke(frozen, how(shop, **changes), now=NOW)
    assert list(shop.lab.folder.glob("revocations/*")) == []
    (tmp_path / "file").touch()
    with pytest.raises(RecordError, match="cannot be written"):
        revoke(digest, how(shop, out=tmp_path / "file" / "x"), now=NOW)
    missing = shop.ask(str(tmp_path), model=str(shop.lab.model), revocations=tmp_path / "none")
    with pytest.raises(UsageError, match="no such folder of revocations"):
        prove(missing, now=NOW)


@pytest.mark.parametrize("step", ["/uploads", "set-tag", "listing"])
def test_a_store_that_fails_half_way_leaves_a_revocation_that_counts(shop: Shop, step: str) -> None:
    """On disk it is whole; exit 3 says that MLflow does not have it, and doing it again helps."""
    shop.publish()

    def fails(_number: int, request: Request) -> Answer | None:
        hit = {
            "/uploads": request.method == "PUT",
            "set-tag": request.path.endswith("set-tag"),
            "listing": "?path=" in request.path and request.path.endswith("revocations"),
        }[step]
        body = b"" if step == "/uploads" else b"{}"
        return Answer(status=200 if step != "set-tag" else 500, body=body) if hit else None

    with Proxy(shop.environ["MLFLOW_TRACKING_URI"], fails) as proxy:
        broken = how(shop, environ={**shop.environ, "MLFLOW_TRACKING_URI": proxy.url})
        with pytest.raises(RecordError, match="MLflow did not take the revocation: ") as caught:
            revoke(Frozen(evidence=shop.logged.uri), broken, now=NOW)
    assert caught.value.hint.startswith(str(shop.lab.folder / "revocations"))
    shop.fails(shop.logged.uri, TrustError, "was revoked")
    revoke(Frozen(evidence=shop.logged.uri), how(shop), now=NOW)
    shutil.rmtree(shop.lab.folder / "revocations")
    shop.fails(shop.logged.uri, TrustError, "was revoked")


def test_the_commands_revoke_and_refuse(tmp_path: Path) -> None:
    """As a person types them, without MLflow: an hour ago from a directory, and by digest."""
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    lab = Lab.make(tmp_path, started=at, finished=at)
    assert call(tmp_path, "evidence", "key", "generate", "--out", "officer.key").code == 0
    entries = [
        {"person": "gate", "public_key": lab.signer.key.pem, "roles": ["gate"]},
        {"person": "officer", "public_key": "officer.key.pub", "roles": ["approver"]},
    ]
    file = {"apiVersion": "aims-gate/v1", "kind": "Trust", "keys": entries}
    (tmp_path / "trust.yaml").write_text(yaml.safe_dump(file), encoding="utf-8")
    verify = ("verify", "evidence", "--model", "model")
    assert call(tmp_path, *verify).code == 0
    freeze = ("evidence", "revoke", "--key", "officer.key", "--why", "no consent for these data")
    fingerprint, digest = lab.signer.key.fingerprint, lab.manifest.digest
    later = f"{at + timedelta(minutes=1):%Y-%m-%dT%H:%M:%S}"
    for named, code in (
        (("--key-fingerprint", fingerprint, "--since", later), 0),
        (("--key-fingerprint", fingerprint, "--since", "2026-01-01T00:00:00+01:00"), 4),
        (("--model-digest", f"sha256:{digest}"), 4),
        (("--evidence", "evidence"), 4),
    ):
        done = call(tmp_path, *freeze, *named)
        assert done.code == 0, done.err
        assert "revocation: revocations/" in done.out
        answer = call(tmp_path, *verify)
        assert (answer.code, "no consent for these data" in answer.err) == (code, code == 4)
        shutil.move(tmp_path / "revocations", tmp_path / "handed")
        assert call(tmp_path, *verify).code == 0
        assert call(tmp_path, *verify, "--revocations", "handed").code == code
        shutil.rmtree(tmp_path / "handed")
    assert call(tmp_path, *freeze, "--key-fingerprint", fingerprint, "--since", "soon").code == 2
    assert call(tmp_path, *freeze).code == 2
