"""Evidence proves what it says about this model, or is refused with a reason of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from aims_gate import canonical
from aims_gate.attest.resource import Copy
from aims_gate.evidence.record import record
from aims_gate.facts import Ancestor
from aims_gate.policy.model import STAGES
from aims_gate.sinks import directory
from aims_gate.verdict import Decision, PolicyIdentity
from tests.evidence.refusals import refuses
from tests.support.proofs import (
    PLACE,
    POLICY,
    RELEASE,
    REPORT,
    SIGNED_AT,
    VERIFIER,
    Lab,
    Tree,
    refused,
    verdict_of,
)

POLICY_OF = PolicyIdentity(
    id="credit-risk",
    version="3.2.0",
    digest=canonical.sha256(POLICY),
    uri="p.yaml",
    source_digest="ac" * 32,
)


def test_genuine_evidence_is_authentic_and_passed(lab: Lab) -> None:
    """With everything that a reader wants to know of it."""
    verified = lab.verify(stage="production", resource_uri=PLACE, max_age=timedelta(days=7))
    assert verified.passed
    assert verified.exit_code == 0
    assert (verified.stage, verified.policy) == ("production", "credit-risk@3.2.0")
    assert verified.policy_digest == canonical.sha256(POLICY)
    assert verified.model_digest == lab.manifest.digest
    assert (verified.person, verified.verifier_id) == ("gate@acme.example", VERIFIER)
    assert (verified.at, verified.failed) == (SIGNED_AT, ())
    assert verified.bytes_verified


@pytest.mark.parametrize("decision", [Decision.REFUSED, Decision.UNDECIDED])
def test_an_authentic_refusal_is_an_answer(tmp_path: Path, decision: Decision) -> None:
    """Exit code 1, with the rules that stood in the way."""
    lab = Lab.make(tmp_path, **refused(decision=decision))
    verified = lab.verify()
    assert (verified.decision, verified.exit_code) == (decision.value, 1)
    assert verified.failed == ("BIAS-02", "MON-01")


def test_without_a_model_no_bytes_are_verified(lab: Lab) -> None:
    """And the answer says so."""
    shutil.rmtree(lab.model)
    assert not lab.verify(model=None).bytes_verified


# --- the floor ------------------------------------------------------------------------------

FLOOR = "pack:release@1.0.0"


@pytest.mark.parametrize("uri", [FLOOR, "pack:release"])
def test_a_policy_that_descends_from_the_floor_is_accepted(lab: Lab, uri: str) -> None:
    """With the version of a pack or without it: its bytes are what counts."""
    verified = lab.verify(floor=Ancestor(uri=uri, digest=RELEASE.digest))
    assert verified.passed
    assert verified.extends == (RELEASE,)


def test_the_floor_itself_is_accepted(tmp_path: Path) -> None:
    """The pack without a child: by the bytes that were read."""
    own = replace(POLICY_OF, uri=FLOOR, source_digest=RELEASE.digest, extends=())
    lab = Lab.make(tmp_path, policy=own)
    assert lab.verify(floor=RELEASE).passed
    refuses(lab, "not 0000", floor=Ancestor(uri=FLOOR, digest="00" * 32))


@pytest.mark.parametrize(
    ("extends", "said"),
    [
        ((), r"does not descend from 'release@1.0.0'; it extends nothing"),
        ((replace(RELEASE, uri="pack:other@1.0.0"),), "it extends 'other@1.0.0'"),
        ((replace(RELEASE, uri="file:release@1.0.0"),), "it extends 'file:release@1.0.0'"),
        ((replace(RELEASE, uri="file:pack:release@1.0.0"),), "does not descend"),
        ((replace(RELEASE, uri="pack:release@1.0.0@1.0.0"),), "does not descend"),
        ((replace(RELEASE, digest="00" * 32),), f"with sha256:{'00' * 32}, not 5e5e"),
    ],
)
def test_other_parents_and_other_bytes_are_no_floor(
    tmp_path: Path, extends: tuple[Ancestor, ...], said: str
) -> None:
    """None, another, one that is called alike, and a pack with the name and other bytes."""
    lab = Lab.make(tmp_path, policy=replace(POLICY_OF, extends=extends))
    refuses(lab, said, floor=RELEASE)


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p["policy"].pop("extends"),
        lambda p: p["policy"].update(extends={"uri": FLOOR}),
        lambda p: p["policy"].update(extends=[FLOOR]),
        lambda p: p["policy"].update(extends=[{"uri": FLOOR}]),
        lambda p: p["policy"].update(extends=[{"uri": FLOOR, "digest": {"sha256": None}}]),
        lambda p: p["policy"].pop("source"),
    ],
)
def test_parents_that_are_not_told_are_no_floor(lab: Lab, change: Callable[[Tree], object]) -> None:
    """Evidence of another version, or mangled: it lacks what would prove the descent."""
    lab.forge("evaluation", change)
    refuses(lab, "a statement lacks", floor=RELEASE)


# --- what it is about ------------------------------------------------------------------------


def test_other_bytes_are_refused_by_name(lab: Lab) -> None:
    """A changed, a missing and an extra file are named."""
    (lab.model / "MLmodel").write_text("evil", encoding="utf-8")
    (lab.model / "model.skops").rename(lab.model / "model.pkl")
    refuses(lab, "changed: MLmodel, extra: model.pkl, missing: model.skops")


def test_many_differences_are_counted(lab: Lab) -> None:
    """Five are shown."""
    for number in range(8):
        (lab.model / f"x{number}").touch()
    refuses(lab, "extra: x4 and 3 more")


def test_a_manifest_that_cannot_be_read_is_refused(lab: Lab) -> None:
    """Signed by the gate, and still not what a manifest looks like."""
    (lab.evidence / "model.sha256").write_bytes(b"odd\n")
    odd = {"sha256": canonical.sha256(b"odd\n")}
    for stem in ("evaluation", "test-result", "vsa"):
        tree = lab.payload(stem)
        tree["subject"][0]["digest"] = odd
        if stem == "evaluation":
            tree["predicate"]["model"]["digest"] = odd
        lab.resign(stem, tree)
    refuses(lab, "is no manifest")


def test_another_place_is_refused(lab: Lab) -> None:
    """Another server, name or version; a folder is no registry."""
    for other in (
        PLACE.replace("mlflow.example", "dev.example"),
        PLACE.replace("credit-risk", "fraud"),
        PLACE.replace("@7", "@8"),
        "pkg:generic/credit-risk",
    ):
        refuses(lab, "the evidence is for credit-risk@7 on", resource_uri=other)
    refuses(lab, "not the package URL", resource_uri="credit-risk")


def test_servers_of_the_trust_file(lab: Lab) -> None:
    """Two URLs of one server are one; a server that is not named is refused."""
    target = "pkg:mlflow/credit-risk@7?repository_url=http://inner:5000"
    servers = {"https://mlflow.example": "prod", "http://inner:5000": "prod", "prod": "prod"}
    trust = replace(lab.trust(), servers=servers)
    assert lab.verify(trust=trust, resource_uri=target).passed
    assert lab.verify(trust=trust).passed
    other = replace(lab.trust(), servers={"https://prod.example": "prod"})
    for place in (None, PLACE):
        refuses(lab, "a server that the trust file does not name", trust=other, resource_uri=place)


def test_copies_of_the_trust_file(lab: Lab) -> None:
    """A promotion by copy gives the model another server, name and version, and the same bytes."""
    target = "pkg:mlflow/cr@1?repository_url=https://prod.example"
    servers = {"https://mlflow.example": "dev", "https://prod.example": "prod"}
    trust = replace(lab.trust(), servers=servers)
    refuses(lab, "not for cr@1 on prod", trust=trust, resource_uri=target)
    copies = (Copy(source=("dev", "credit-risk"), target=("prod", "cr")),)
    assert lab.verify(trust=replace(trust, copies=copies), resource_uri=target).passed


def test_another_stage_is_refused(tmp_path: Path) -> None:
    """Evidence for dev is none for production, which is what is asked for if nothing is said."""
    lab = Lab.make(tmp_path, stage="dev")
    assert lab.verify(stage="dev").passed
    refuses(lab, "is for stage 'dev', not for 'production'", stage="production")
    refuses(lab, f"is for stage 'dev', not for '{STAGES[-1]}'")


@pytest.mark.parametrize(
    ("policy", "match"),
    [
        (b"stages: [dev, live]\n", "not for 'live'"),
        (b"stages: []\n", "no order of stages"),
        (b"stages: 1\n", "no order of stages"),
        (b"[]\n", "no order of stages"),
        (b"a: 1\na: 2\n", "the policy cannot be read"),
    ],
)
def test_the_strictest_stage_is_the_applied_policys(
    tmp_path: Path, policy: bytes, match: str
) -> None:
    """As `run` chooses it; if the policy does not say, the stage must be named."""
    lab = Lab.make(tmp_path)
    verdict = verdict_of(lab.manifest, lab.signer)
    verdict = replace(verdict, policy=replace(verdict.policy, digest=canonical.sha256(policy)))
    files = record(verdict, lab.manifest, policy, REPORT, signer=lab.signer, verifier_id=VERIFIER)
    shutil.rmtree(lab.evidence)
    directory.write(lab.evidence, files)
    assert lab.verify(stage="production").passed
    refuses(lab, match)


def test_another_policy_is_refused(lab: Lab) -> None:
    """The digest of the resolved policy decides, not its name."""
    assert lab.verify(policy_digest=canonical.sha256(POLICY)).passed
    refuses(lab, "another policy was applied: credit-risk@3.2.0", policy_digest="0" * 64)
