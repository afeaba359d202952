"""Keyless evidence, signed and verified by Sigstore's own library against services of our own."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate import canonical
from aims_gate.attest import trust_file
from aims_gate.attest.keyless import key_of_certificate
from aims_gate.attest.signers import TOKEN_VARIABLE, Signer, load_signer, without_keys
from aims_gate.attest.trust import KeyRole, Trust, TrustedIdentity
from aims_gate.errors import (
    GateError,
    MissingExtraError,
    PolicyError,
    RecordError,
    TrustError,
    UsageError,
)
from tests.support import sigstore_js
from tests.support.command_line import call
from tests.support.laws import law
from tests.support.proofs import NOW, VERIFIER, Lab
from tests.support.sigstore_lab import ISSUER, SUBJECT, WORKFLOW, SigstoreLab, sigstore_lab, token

pytest.importorskip("sigstore")
CASES = Path(__file__).parents[1] / "contract"
STEMS = ("evaluation", "test-result", "vsa")
GATE = TrustedIdentity(
    issuer=ISSUER,
    subject=SUBJECT,
    job_workflow_ref=WORKFLOW,
    person="release-job@acme.example",
    roles=frozenset({KeyRole.GATE}),
    verifier_ids=(VERIFIER,),
)


@pytest.fixture(scope="module")
def services() -> Iterator[SigstoreLab]:
    with sigstore_lab() as lab:
        yield lab


def signer_of(services: SigstoreLab, folder: Path) -> Signer:
    path = folder / "sigstore.json"
    path.write_text(json.dumps(services.configuration()), encoding="utf-8")
    return load_signer(f"sigstore:{path}", {TOKEN_VARIABLE: token()})


@pytest.fixture(scope="module")
def made(services: SigstoreLab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keyless evidence, made once."""
    folder = tmp_path_factory.mktemp("keyless")
    lab = Lab.make(folder, signed=False)
    shutil.rmtree(lab.evidence)
    lab.signer = signer_of(services, folder)
    lab.write(lab.evidence)
    root = json.dumps(services.trusted_root())
    (folder / "trusted_root.json").write_text(root, encoding="utf-8")
    return folder


@pytest.fixture
def lab(made: Path, tmp_path: Path) -> Lab:
    folder = tmp_path / "lab"
    shutil.copytree(made, folder)
    other = Lab.make(tmp_path / "other")
    return replace(other, folder=folder, model=folder / "model", evidence=folder / "evidence")


def trust_of(lab: Lab, *identities: TrustedIdentity) -> Trust:
    return Trust(keys=(), identities=identities, trusted_root=lab.folder / "trusted_root.json")


def refuses(lab: Lab, words: str, trust: Trust | None = None) -> None:
    with pytest.raises(TrustError, match=words):
        lab.verify(trust=trust or trust_of(lab, GATE))


# --- who signed ----------------------------------------------------------------------------------


def test_keyless_evidence_is_verified_offline(lab: Lab) -> None:
    """By issuer, subject and workflow; the key of minutes is named by its fingerprint."""
    verified = lab.verify(trust=trust_of(lab, GATE))
    assert verified.passed
    assert verified.person == "release-job@acme.example"
    envelope = json.loads((lab.evidence / "vsa.dsse.json").read_text(encoding="utf-8"))
    assert envelope["signatures"][0]["keyid"] == verified.fingerprint


def test_sigstores_javascript_verifies_it_too(lab: Lab) -> None:
    """With a time, a certificate log and a transparency log; not for another identity."""
    root = lab.folder / "trusted_root.json"
    files = [lab.evidence / f"{stem}.sigstore.json" for stem in STEMS]
    done = sigstore_js.verify(root, *files, SUBJECT=SUBJECT, ISSUER=ISSUER)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 3
    refused = sigstore_js.verify(root, *files, SUBJECT="https://other.example", ISSUER=ISSUER)
    assert "certificate identity" in refused.stderr.lower(), refused.stderr


def test_the_workflow_is_asked_for_where_it_is_named_only(lab: Lab) -> None:
    assert lab.verify(trust=trust_of(lab, replace(GATE, job_workflow_ref=""))).passed


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"issuer": "https://accounts.example"}, "does not name: .*gate.yml@refs/heads/main"),
        ({"subject": SUBJECT.replace("main", "dev")}, "does not name"),
        ({"subject": f"{SUBJECT}x"}, "does not name"),
        ({"subject": SUBJECT.upper()}, "does not name"),
        ({"subject": "*"}, "does not name"),
        ({"job_workflow_ref": WORKFLOW.replace("acme", "evil")}, "does not name"),
        ({"job_workflow_ref": "*"}, "does not name"),
        ({"roles": frozenset({KeyRole.APPROVER})}, "may not sign as gate"),
        ({"revoked_at": NOW}, "was revoked"),
        ({"valid_until": NOW}, "expired"),
        ({"verifier_ids": ("https://other.example",)}, "may not sign as verifier"),
    ],
)
def test_another_identity_is_refused(lab: Lab, change: dict[str, Any], words: str) -> None:
    """Exact text, no patterns; and an identity ends and is revoked as a key is."""
    refuses(lab, words, trust_of(lab, replace(GATE, **change)))


def test_the_first_identity_that_fits_counts(lab: Lab) -> None:
    other = replace(GATE, subject="https://github.com/acme/other", person="somebody")
    assert lab.verify(trust=trust_of(lab, other, GATE)).person == GATE.person


def test_without_identities_or_a_root_nothing_keyless_counts(lab: Lab) -> None:
    """As for whoever trusts keys only."""
    refuses(lab, "names none", lab.trust())
    refuses(lab, "names none", replace(trust_of(lab, GATE), trusted_root=None))


@pytest.mark.parametrize("part", ["certificateAuthorities", "ctlogs", "tlogs"])
def test_a_part_of_another_sigstore_is_refused(lab: Lab, part: str) -> None:
    """Everybody can run one, and certify any name."""
    path = lab.folder / "trusted_root.json"
    genuine = json.loads(path.read_text(encoding="utf-8"))
    stranger = SigstoreLab.make().trusted_root()
    path.write_text(json.dumps({**genuine, part: stranger[part]}), encoding="utf-8")
    refuses(lab, "does not hold")


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff"])
def test_a_root_that_is_none_is_a_wrong_set_up(lab: Lab, data: bytes) -> None:
    (lab.folder / "trusted_root.json").write_bytes(data)
    with pytest.raises(GateError, match="is no trusted root"):
        lab.verify(trust=trust_of(lab, GATE))


# --- what was signed -----------------------------------------------------------------------------


def bundle(lab: Lab, stem: str = "vsa") -> dict[str, Any]:
    tree: dict[str, Any] = json.loads((lab.evidence / f"{stem}.sigstore.json").read_bytes())
    return tree


def put(lab: Lab, tree: object, stem: str = "vsa") -> None:
    (lab.evidence / f"{stem}.sigstore.json").write_text(json.dumps(tree), encoding="utf-8")


@pytest.mark.parametrize("stem", STEMS)
def test_each_statement_needs_its_own_bundle(lab: Lab, stem: str) -> None:
    """None at all, and that of another statement."""
    (lab.evidence / f"{stem}.sigstore.json").unlink()
    refuses(lab, "signed by a key that is not trusted")
    put(lab, bundle(lab, "vsa" if stem != "vsa" else "evaluation"), stem)
    refuses(lab, "not the one of the envelope")


def _proof(tree: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = tree["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]
    return found


def _swap(text: str) -> str:
    return ("B" if text[20] == "A" else "A").join((text[:20], text[21:]))


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t["dsseEnvelope"].update(payload=_swap(t["dsseEnvelope"]["payload"])),
        lambda t: t["dsseEnvelope"]["signatures"].append(t["dsseEnvelope"]["signatures"][0]),
        lambda t: t["dsseEnvelope"].update(payloadType="text/plain"),
        lambda t: _proof(t).update(rootHash=_swap(_proof(t)["rootHash"])),
        lambda t: _proof(t).update(hashes=[]),
        lambda t: _proof(t)["checkpoint"].update(envelope="lab\n2\nAAAA\n"),
        lambda t: t["verificationMaterial"]["tlogEntries"].clear(),
        lambda t: t["verificationMaterial"]["tlogEntries"][0].update(integratedTime="1"),
        lambda t: t["verificationMaterial"]["tlogEntries"][0].pop("inclusionPromise"),
        lambda t: t["verificationMaterial"]["certificate"].update(rawBytes="AAAA"),
        lambda t: t.pop("dsseEnvelope"),
        lambda t: t.update(mediaType="text/plain"),
    ],
)
def test_a_changed_bundle_is_refused(lab: Lab, change: Callable[[dict[str, Any]], object]) -> None:
    """Payload, signature, certificate, and each proof of the log."""
    tree = bundle(lab)
    change(tree)
    put(lab, tree)
    refuses(lab, "does not hold")


def test_an_envelope_of_another_signature_is_refused(lab: Lab, tmp_path: Path) -> None:
    """The same payload, signed by somebody's key, beside the genuine bundle."""
    stranger = Lab.make(tmp_path / "stranger")
    for stem in STEMS:
        shutil.copy(stranger.evidence / f"{stem}.dsse.json", lab.evidence)
    refuses(lab, "signed by a key that is not trusted")


def test_evidence_of_a_key_verifies_beside_identities(lab: Lab, tmp_path: Path) -> None:
    """One trust file for both."""
    other = Lab.make(tmp_path / "with-a-key")
    both = replace(other.trust(), identities=(GATE,), trusted_root=lab.folder / "trusted_root.json")
    assert other.verify(trust=both).person == "gate@acme.example"
    assert lab.verify(trust=both).person == GATE.person


_PARTS = ("certificate", "rawBytes", "tlogEntries", "inclusionProof", "payload", "signatures")
_JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=6) | st.sampled_from(["AAAA", "1"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_PARTS), inner, max_size=4)
    ),
    max_leaves=8,
)


@law(80)
@given(material=_JSON, envelope=_JSON, whole=st.booleans())
def test_any_bundle_with_a_certificate_is_refused(
    made: Path, material: object, envelope: object, whole: bool
) -> None:
    """With a TrustError, never another: its reader is given what a stranger wrote."""
    genuine = json.loads((made / "evidence" / "vsa.sigstore.json").read_bytes())
    known = genuine["verificationMaterial"] if whole else {"certificate": {}}
    said = material if isinstance(material, dict) else {}
    tree = {**genuine, "verificationMaterial": {**known, **said}, "dsseEnvelope": envelope}
    trust = Trust(keys=(), identities=(GATE,), trusted_root=made / "trusted_root.json")
    with pytest.raises(TrustError):
        key_of_certificate(canonical.encode(tree), trust, where="vsa.sigstore.json")


# --- signing -------------------------------------------------------------------------------------


def test_a_run_is_signed_and_verified_from_the_command_line(made: Path, tmp_path: Path) -> None:
    """As in a CI job that has an identity token and no key; another branch's job is refused."""
    folder = tmp_path / "met"
    shutil.copytree(CASES / "met", folder)
    for name in ("sigstore.json", "trusted_root.json"):
        shutil.copy(made / name, folder)
    (folder / "trust.yaml").write_text(
        f"{HEAD}trusted_root: trusted_root.json\nidentities:\n"
        f"  - {{person: job, issuer: '{ISSUER}', subject: '{SUBJECT}', roles: [gate],\n"
        f"     job_workflow_ref: '{WORKFLOW}'}}\n",
        encoding="utf-8",
    )
    command = ("run", "--model", "file:model", "--data", "evaluation=evaluation.csv", "--quiet")
    signing = (*command, "--key", "sigstore:sigstore.json", "--out")
    verify = ("--model", "model", "--trust", "trust.yaml")
    done = call(folder, *signing, "e", **{TOKEN_VARIABLE: token()})
    assert done.code == 0, done.err
    verified = call(folder, "verify", "e", *verify)
    assert verified.code == 0, verified.err
    assert "authentic: signed by job with SHA256:" in verified.out
    other = token(job_workflow_ref=WORKFLOW.replace("main", "evil"))
    done = call(folder, *signing, "f", **{TOKEN_VARIABLE: other})
    assert done.code == 0, done.err
    refused = call(folder, "verify", "f", *verify)
    assert refused.code == 4
    assert "does not name" in refused.err


@pytest.mark.parametrize("given", ["", "no token", "a.b.c"])
def test_without_an_identity_the_run_does_not_begin(
    made: Path, given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the message says where it would be looked for."""
    for name in ("GITHUB_ACTIONS", "GITLAB_CI", "CIRCLECI", "BUILDKITE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", "")  # no gcloud and no other tool to ask
    with pytest.raises(UsageError, match=TOKEN_VARIABLE):
        load_signer(f"sigstore:{made}/sigstore.json", {TOKEN_VARIABLE: given})


def test_an_authority_that_refuses_ends_the_run(services: SigstoreLab, tmp_path: Path) -> None:
    services.refuses.add("/api/v2/signingCert")
    try:
        with pytest.raises(UsageError, match="gave no certificate"):
            signer_of(services, tmp_path)
    finally:
        services.refuses.clear()


def test_a_log_that_refuses_leaves_nothing_signed(services: SigstoreLab, tmp_path: Path) -> None:
    """Exit code 3, and no evidence directory."""
    lab = Lab.make(tmp_path / "lab", signed=False)
    lab.signer = signer_of(services, tmp_path)
    services.refuses.add("/api/v1/log/entries")
    try:
        with pytest.raises(RecordError, match="Sigstore did not sign"):
            lab.write(tmp_path / "evidence")
    finally:
        services.refuses.clear()
    assert not (tmp_path / "evidence").exists()


def test_a_certificate_that_is_about_to_end_is_renewed(
    services: SigstoreLab, tmp_path: Path
) -> None:
    """A run may take longer than the ten minutes of a certificate."""
    services.minutes = 1
    try:
        signer = signer_of(services, tmp_path)
        short = signer.key
    finally:
        services.minutes = 10
    renewed = signer.key
    assert renewed != short
    assert signer.key == renewed


def test_bytes_alone_are_not_signed(services: SigstoreLab, tmp_path: Path) -> None:
    """A signature that is in no log proves nothing."""
    with pytest.raises(RecordError, match="whole statements only"):
        signer_of(services, tmp_path).sign(b"x")


@pytest.mark.parametrize("name", ["nowhere.json", "trusted_root.json", "model/MLmodel", "empty"])
def test_a_configuration_that_is_none(made: Path, name: str) -> None:
    """An empty one above all: it must not mean the public instance."""
    (made / "empty").touch()
    with pytest.raises(UsageError):
        load_signer(f"sigstore:{made}/{name}", {TOKEN_VARIABLE: token()})


def test_the_token_is_taken_out_of_the_environment() -> None:
    environ = {TOKEN_VARIABLE: "t", "PATH": "/bin"}
    assert without_keys(environ, "sigstore:") == {"PATH": "/bin"}
    assert without_keys(environ, "gate.key") == environ


def test_the_library_is_an_extra(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sigstore.models", "sigstore.verify", "sigstore.oidc", "sigstore.sign"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtraError, match=r"aims-gate\[sigstore\]"):
        load_signer("sigstore:", {})
    with pytest.raises(MissingExtraError, match=r"aims-gate\[sigstore\]"):
        lab.verify(trust=trust_of(lab, GATE))


# --- the trust file ------------------------------------------------------------------------------

HEAD = "apiVersion: aims-gate/v1\nkind: Trust\n"
ENTRY = f"{{person: job, issuer: '{ISSUER}', subject: '{SUBJECT}', roles: [gate]}}"
ENDED = ENTRY.replace("}", ", valid_from: 2027-01-01, valid_until: 2026-01-01}")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "nobody is trusted"),
        (f"identities: [{ENTRY}]\n", "none is named; name its file under trusted_root"),
        (f"identities: [{ENTRY}]\ntrusted_root: nowhere.json\n", "there is no nowhere.json"),
        (f"identities: [{ENTRY}]\ntrusted_root: ../up.json\n", "up.json"),
        ("identities: []\ntrusted_root: r.json\n", "identities"),
        (f"identities: [{ENTRY.replace('[gate]', '[approver]')}]\n", "approver"),
        (f"identities: [{ENTRY.replace('issuer', 'isuer')}]\n", "isuer"),
        (f"identities: [{ENDED}]\ntrusted_root: r.json\n", "ends before it begins"),
    ],
)
def test_identities_that_cannot_be_trusted(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "r.json").write_text("{}", encoding="utf-8")
    with pytest.raises(PolicyError, match=words):
        trust_file.parse((HEAD + text).encode(), file="trust.yaml", folder=tmp_path)
