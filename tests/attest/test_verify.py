"""Evidence proves what it says about this model, or is refused with a reason of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from aims_gate import canonical
from aims_gate.attest import bundle
from aims_gate.attest.resource import Copy
from aims_gate.attest.statement import envelope_file, statement_file
from aims_gate.attest.trust import Role, TrustedKey
from aims_gate.attest.verify import MAX_SKEW
from aims_gate.errors import TrustError
from aims_gate.evidence.record import record
from aims_gate.policy.model import STAGES, Ancestor
from aims_gate.sinks import directory
from aims_gate.verdict import Decision, PolicyIdentity
from tests.proofs import (
    NOW,
    PLACE,
    POLICY,
    RELEASE,
    REPORT,
    SIGNED_AT,
    VERIFIER,
    Lab,
    Tree,
    new_signer,
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
SECOND = timedelta(seconds=1)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab.make(tmp_path)


def _refuses(lab: Lab, match: str, **how: Any) -> None:
    with pytest.raises(TrustError, match=match) as caught:
        lab.verify(**how)
    assert caught.value.exit_code == 4


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
    _refuses(lab, "not 0000", floor=Ancestor(uri=FLOOR, digest="00" * 32))


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
    _refuses(lab, said, floor=RELEASE)


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
    _refuses(lab, "a statement lacks", floor=RELEASE)


# --- signatures, people, times ---------------------------------------------------------------


def test_no_evidence_is_refused(lab: Lab) -> None:
    """A missing directory, and a file in its place."""
    shutil.rmtree(lab.evidence)
    _refuses(lab, "no readable evidence directory")
    lab.evidence.touch()
    _refuses(lab, "no readable evidence directory")


def test_unsigned_evidence_is_refused(tmp_path: Path) -> None:
    """However right it may be."""
    _refuses(Lab.make(tmp_path, signed=False), "is not signed")


def test_local_evidence_is_refused_whoever_signs_it(tmp_path: Path) -> None:
    """What a test run made, and what is about an estimator in memory, prove nothing elsewhere."""
    versions = {"aims-gate": "0.1.0", "origin": "pytest"}
    local = Lab.make(tmp_path / "local", versions=versions)
    _refuses(local, "is local: it was made by 'pytest'")
    model = replace(verdict_of(local.manifest, None).model, reader="memory")
    _refuses(Lab.make(tmp_path / "memory", model=model), "an estimator in memory")


@pytest.mark.parametrize("stem", ["evaluation", "test-result", "vsa"])
def test_each_statement_must_be_signed(lab: Lab, stem: str) -> None:
    """Two of three signatures are none."""
    (lab.evidence / envelope_file(stem)).unlink()
    _refuses(lab, f"{stem}.dsse.json: a file of the evidence is missing")


@pytest.mark.parametrize("stem", ["evaluation", "test-result", "vsa"])
def test_a_bad_signature_is_refused(lab: Lab, stem: str) -> None:
    """The envelope of another statement's payload does not verify."""
    path = lab.evidence / envelope_file(stem)
    tree = canonical.parse(path.read_bytes())
    tree["signatures"][0]["sig"] = canonical.parse(
        (lab.evidence / envelope_file("vsa" if stem != "vsa" else "evaluation")).read_bytes()
    )["signatures"][0]["sig"]
    path.write_bytes(canonical.encode(tree))
    _refuses(lab, "does not fit the payload")


def test_an_untrusted_key_is_refused(lab: Lab) -> None:
    """The evidence is genuine, and nobody here knows who made it."""
    _refuses(lab, "a key that is not trusted", trust=lab.trust(key=new_signer().key))


@pytest.mark.parametrize(
    ("entry", "match"),
    [
        ({"valid_until": NOW}, "expired at"),
        ({"valid_from": NOW + SECOND}, "not valid before"),
        ({"revoked_at": NOW}, "was revoked"),
        ({"roles": frozenset({Role.APPROVER, Role.RECORDS})}, "may not sign as gate"),
        ({"verifier_ids": ("https://other/gate.yml",)}, "may not sign as verifier"),
        ({"valid_from": SIGNED_AT + SECOND}, "older than the validity of its key"),
    ],
)
def test_keys_count_for_their_time_role_and_verifier(
    lab: Lab, entry: dict[str, Any], match: str
) -> None:
    """Each in its own words."""
    _refuses(lab, match, trust=lab.trust(**entry))


def test_without_verifier_ids_any_is_allowed(lab: Lab) -> None:
    """The key alone says who it is then."""
    assert lab.verify(trust=lab.trust(verifier_ids=())).passed


def test_three_statements_need_one_signer(lab: Lab) -> None:
    """Parts of two runs of two gates must not be put together."""
    other = new_signer()
    lab.resign("test-result", lab.payload("test-result"), signer=other)
    entry = TrustedKey(key=other.key, person="other", roles=frozenset({Role.GATE}))
    _refuses(lab, "signed by different keys", trust=lab.trust(others=(entry,)))


def test_age(lab: Lab) -> None:
    """Up to the limit it counts, one second later it does not; without a limit it does."""
    week = timedelta(days=7)
    assert lab.verify(now=SIGNED_AT + week, max_age=week).passed
    _refuses(lab, "is older than 7 days", now=SIGNED_AT + week + SECOND, max_age=week)
    assert lab.verify(now=SIGNED_AT + 8 * week).passed


def test_evidence_from_the_future_is_refused(lab: Lab) -> None:
    """Small differences of clocks aside, it was dated by somebody."""
    assert lab.verify(now=SIGNED_AT - MAX_SKEW).passed
    _refuses(lab, "from the future", now=SIGNED_AT - MAX_SKEW - SECOND)


# --- what belongs together -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("model.sha256", "model.sha256: is not the manifest that was signed"),
        ("report.json", "report.json: is not the report that was signed"),
        ("policy.resolved.yaml", "policy.resolved.yaml: is not the policy that was signed"),
        ("evaluation.statement.json", "evaluation.statement.json: is not what was signed"),
        ("test-result.statement.json", "test-result.statement.json: is not what was signed"),
        ("vsa.statement.json", "vsa.statement.json: is not what was signed"),
    ],
)
def test_every_file_is_bound(lab: Lab, name: str, match: str) -> None:
    """One byte more, missing, or a link in its place: refused."""
    path = lab.evidence / name
    whole = path.read_bytes()
    path.write_bytes(whole + b"\n")
    _refuses(lab, match)
    path.unlink()
    _refuses(lab, f"{name}: a file of the evidence is missing")
    (lab.folder / "elsewhere").write_bytes(whole)
    path.symlink_to(lab.folder / "elsewhere")
    _refuses(lab, f"{name}: cannot be read")


def test_other_files_are_not_read(lab: Lab) -> None:
    """A note of somebody beside the evidence changes nothing."""
    (lab.evidence / "note.txt").write_text("approved!", encoding="utf-8")
    assert lab.verify().passed


def test_oversized_files_are_refused(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before they fill the memory."""
    monkeypatch.setattr(bundle, "MAX_ENVELOPE", 100)
    _refuses(lab, "has more than 100 bytes")


def test_statements_of_two_models_are_refused(lab: Lab) -> None:
    """Each is genuine; together they say nothing."""
    tree = lab.payload("test-result")
    tree["subject"][0]["digest"]["sha256"] = "0" * 64
    lab.resign("test-result", tree)
    _refuses(lab, "about different models")


def test_statements_of_two_runs_are_refused(lab: Lab) -> None:
    """The summary is over the digests of exactly its own two."""
    other = lab.write(lab.folder / "other", stage="dev")
    for name in (statement_file("evaluation"), envelope_file("evaluation")):
        shutil.copy(other / name, lab.evidence / name)
    _refuses(lab, "over other statements")


@pytest.mark.parametrize(
    ("stem", "change"),
    [
        ("vsa", lambda p: p.update(inputAttestations=[])),
        ("vsa", lambda p: p["inputAttestations"].reverse()),
        ("vsa", lambda p: p["inputAttestations"].append(p["inputAttestations"][0])),
    ],
)
def test_the_inputs_of_the_summary_are_exact(
    lab: Lab, stem: str, change: Callable[[Tree], object]
) -> None:
    """None missing, none more, in their order."""
    lab.forge(stem, change)
    _refuses(lab, "over other statements")


@pytest.mark.parametrize(
    ("stem", "change"),
    [
        ("evaluation", lambda p: p.update(verdict="refused")),
        ("evaluation", lambda p: p.update(verdict="approved")),
        ("evaluation", lambda p: p.update(stage="staging")),
        ("evaluation", lambda p: p["policy"].update(name="other")),
        ("evaluation", lambda p: p["model"].update(uri="pkg:generic/x")),
        ("evaluation", lambda p: p["model"]["digest"].update(sha256="0" * 64)),
        ("evaluation", lambda p: p.update(finishedOn="2026-11-23T10:00:01Z")),
        ("evaluation", lambda p: p["evaluator"].update(id="https://other")),
        ("test-result", lambda p: p.update(result="FAILED")),
        ("test-result", lambda p: p.update(result=["PASSED"])),
        ("test-result", lambda p: p.update(failedTests=["BIAS-02"])),
        ("vsa", lambda p: p.update(verificationResult="FAILED")),
        ("vsa", lambda p: p.update(verifiedLevels=["FAILED"])),
        ("vsa", lambda p: p.update(verifiedLevels=["AIMS_GATE_CREDIT_RISK_DEV"])),
        ("vsa", lambda p: p["verifiedLevels"].append("SLSA_BUILD_LEVEL_3")),
        ("vsa", lambda p: p["verifier"].update(id="https://other")),
    ],
)
def test_contradictions_are_refused_even_when_signed(
    lab: Lab, stem: str, change: Callable[[Tree], object]
) -> None:
    """Evaluation, test result and summary agree on everything that two of them say."""
    lab.forge(stem, change)
    _refuses(lab, "contradict each other")


@pytest.mark.parametrize(
    ("stem", "change"),
    [
        ("vsa", lambda p: p.update(verificationResult="PASSED")),
        ("vsa", lambda p: p.update(verifiedLevels=["AIMS_GATE_CREDIT_RISK_PRODUCTION"])),
        ("test-result", lambda p: p.update(result="PASSED")),
        ("evaluation", lambda p: p.update(verdict="passed")),
    ],
)
def test_a_refusal_cannot_be_turned_in_one_place(
    tmp_path: Path, stem: str, change: Callable[[Tree], object]
) -> None:
    """Whatever single statement is forged, the others still say no."""
    lab = Lab.make(tmp_path, **refused())
    lab.forge(stem, change)
    _refuses(lab, "contradict each other")


@pytest.mark.parametrize(
    ("stem", "change", "match"),
    [
        ("evaluation", lambda p: p.update(report={"sha256": "0" * 64}), "not the report"),
        ("evaluation", lambda p: p.pop("policy"), "not the policy"),
        ("test-result", lambda p: p.update(configuration=[]), "not the policy"),
        ("test-result", lambda p: p.update(configuration={}), "not the policy"),
        ("vsa", lambda p: p["policy"].update(digest={}), "not the policy"),
        ("test-result", lambda p: p.update(failedTests=None), "not rule ids"),
        ("test-result", lambda p: p.update(failedTests=[1]), "not rule ids"),
        ("evaluation", lambda p: p.pop("stage"), "lacks stage"),
        ("evaluation", lambda p: p.update(verdict=True), "lacks verdict"),
        ("vsa", lambda p: p.update(verifier=[]), "lacks verifier.id"),
        ("vsa", lambda p: p.update(timeVerified="yesterday"), "is not a UTC time"),
        ("vsa", lambda p: p.update(timeVerified="2026-11-23T10:00:00+00:00"), "is not a UTC time"),
        ("vsa", lambda p: p.update(resourceUri="x"), "contradict"),
    ],
)
def test_malformed_statements_are_refused_even_when_signed(
    lab: Lab, stem: str, change: Callable[[Tree], object], match: str
) -> None:
    """Fields missing or of another type."""
    lab.forge(stem, change)
    _refuses(lab, match)


# --- what it is about ------------------------------------------------------------------------


def test_other_bytes_are_refused_by_name(lab: Lab) -> None:
    """A changed, a missing and an extra file are named."""
    (lab.model / "MLmodel").write_text("evil", encoding="utf-8")
    (lab.model / "model.skops").rename(lab.model / "model.pkl")
    _refuses(lab, "changed: MLmodel, extra: model.pkl, missing: model.skops")


def test_many_differences_are_counted(lab: Lab) -> None:
    """Five are shown."""
    for number in range(8):
        (lab.model / f"x{number}").touch()
    _refuses(lab, "extra: x4 and 3 more")


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
    _refuses(lab, "is no manifest")


def test_another_place_is_refused(lab: Lab) -> None:
    """Another server, name or version; a folder is no registry."""
    for other in (
        PLACE.replace("mlflow.example", "dev.example"),
        PLACE.replace("credit-risk", "fraud"),
        PLACE.replace("@7", "@8"),
        "pkg:generic/credit-risk",
    ):
        _refuses(lab, "the evidence is for credit-risk@7 on", resource_uri=other)
    _refuses(lab, "not the package URL", resource_uri="credit-risk")


def test_servers_of_the_trust_file(lab: Lab) -> None:
    """Two URLs of one server are one; a server that is not named is refused."""
    target = "pkg:mlflow/credit-risk@7?repository_url=http://inner:5000"
    servers = {"https://mlflow.example": "prod", "http://inner:5000": "prod", "prod": "prod"}
    trust = replace(lab.trust(), servers=servers)
    assert lab.verify(trust=trust, resource_uri=target).passed
    assert lab.verify(trust=trust).passed
    other = replace(lab.trust(), servers={"https://prod.example": "prod"})
    _refuses(lab, "a server that the trust file does not name", trust=other)


def test_copies_of_the_trust_file(lab: Lab) -> None:
    """A promotion by copy gives the model another server, name and version, and the same bytes."""
    target = "pkg:mlflow/cr@1?repository_url=https://prod.example"
    servers = {"https://mlflow.example": "dev", "https://prod.example": "prod"}
    trust = replace(lab.trust(), servers=servers)
    _refuses(lab, "not for cr@1 on prod", trust=trust, resource_uri=target)
    copies = (Copy(source=("dev", "credit-risk"), target=("prod", "cr")),)
    assert lab.verify(trust=replace(trust, copies=copies), resource_uri=target).passed


def test_another_stage_is_refused(tmp_path: Path) -> None:
    """Evidence for dev is none for production, which is what is asked for if nothing is said."""
    lab = Lab.make(tmp_path, stage="dev")
    assert lab.verify(stage="dev").passed
    _refuses(lab, "is for stage 'dev', not for 'production'", stage="production")
    _refuses(lab, f"is for stage 'dev', not for '{STAGES[-1]}'")


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
    _refuses(lab, match)


def test_another_policy_is_refused(lab: Lab) -> None:
    """The digest of the resolved policy decides, not its name."""
    assert lab.verify(policy_digest=canonical.sha256(POLICY)).passed
    _refuses(lab, "another policy was applied: credit-risk@3.2.0", policy_digest="0" * 64)
