"""Keys of the action, run by `act`: encrypted, in a service, in a device, or none at all."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from tests.github_action.conftest import TRUST, Credit
from tests.support.act import ACTION, COMMIT, VERSION, Ran, pull_request
from tests.support.key_services import Key, KeyService, SoftHsm
from tests.support.laws import nightly
from tests.support.sigstore_lab import ISSUER, SUBJECT, WORKFLOW, sigstore_lab, token

PASSWORD = "of-the-key-4711"
VERIFY = f"""\
- id: verify
  uses: {ACTION}/github-action/verify@{COMMIT}
  with:
    model: model
    evidence: ${{{{ steps.gate.outputs.evidence-path }}}}
    version: {VERSION}
"""
KEYLESS = f"""\
apiVersion: aims-gate/v1
kind: Trust
trusted_root: trusted_root.json
identities:
  - {{person: job, issuer: '{ISSUER}', subject: '{SUBJECT}', roles: [gate],
     job_workflow_ref: '{WORKFLOW}'}}
"""


def signed(credit: Credit, key: str, environ: dict[str, str], **secrets: str) -> Ran:
    """Gate and verify with a key: the run, in which both passed."""
    credit.workflow(f"key: {json.dumps(key)}", job=VERIFY)
    credit.commit()
    event = pull_request(credit.commit("change"))
    ran = credit.run("pull_request", event, environ=environ, secrets=secrets)
    assert ran.outputs["verdict"] == "passed", ran.log
    assert ran.results == {"0": "success", "gate": "success", "verify": "success"}, ran.log
    return ran


def trust(credit: Credit, key: Key) -> None:
    """Trust the public half of a key."""
    (credit.work / "trust.yaml").write_text(TRUST, encoding="utf-8")
    (credit.work / "gate.key.pub").write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )


@nightly
def test_an_encrypted_key_in_an_environment_variable(credit: Credit) -> None:
    """Neither it nor its password is in the log, and a wrong password measures nothing."""
    key = ed25519.Ed25519PrivateKey.generate()
    trust(credit, key)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(PASSWORD.encode()),
    ).decode()
    ran = signed(credit, "SIGNING_KEY", {"AIMS_GATE_KEY_PASSWORD": PASSWORD}, SIGNING_KEY=pem)
    assert "authentic: signed by ci@acme.example" in ran.log
    assert PASSWORD not in ran.log
    assert pem.splitlines()[1] not in ran.log
    wrong = credit.run(
        *("push", {"ref": "refs/heads/main"}),
        environ={"AIMS_GATE_KEY_PASSWORD": "another-4711"},
        secrets={"SIGNING_KEY": pem},
    )
    assert (wrong.outputs["verdict"], wrong.outputs["exit-code"]) == ("undecided", "2"), wrong.log


@nightly
def test_a_key_in_vault(credit: Credit, key_services: KeyService) -> None:
    pytest.importorskip("hvac")
    key = ed25519.Ed25519PrivateKey.generate()
    key_services.shown["gate"] = key
    trust(credit, key)
    assert "authentic: signed by ci@acme" in signed(credit, "hv:gate", key_services.environ()).log


@nightly
def test_a_key_in_a_device(credit: Credit, hsm: SoftHsm) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    hsm.put("action", key)
    trust(credit, key)
    said = signed(credit, "hsm:2?label=action", hsm.environ).log
    assert "authentic: signed by ci@acme.example" in said
    assert hsm.environ["AIMS_GATE_HSM_PIN"] not in said


@nightly
def test_no_key_but_the_identity_of_the_job(credit: Credit) -> None:
    """The runner's address for identity tokens is asked for one, and another job's is refused."""
    with sigstore_lab() as lab:
        for name, text in (
            ("sigstore.json", json.dumps(lab.configuration())),
            ("trusted_root.json", json.dumps(lab.trusted_root())),
            ("trust.yaml", KEYLESS),
        ):
            (credit.work / name).write_text(text, encoding="utf-8")
        environ = {
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{lab.url}/identity?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of-the-runner",
        }
        said = signed(credit, "sigstore:sigstore.json", environ).log
        assert "authentic: signed by job with SHA256:" in said
        assert lab.audiences == ["sigstore"] * len(lab.audiences) != []
        lab.identity = token(job_workflow_ref=WORKFLOW.replace("main", "evil"))
        other = credit.run("push", {"ref": "refs/heads/main"}, environ=environ)
        assert (other.outputs["verdict"], other.results["verify"]) == ("passed", "failure")
        lab.identity = ""
        none = credit.run("push", {"ref": "refs/heads/main"}, environ=environ)
        assert (none.outputs["verdict"], none.outputs["exit-code"]) == ("undecided", "2"), none.log
        assert "of-the-runner" not in none.log


@nightly
def test_keyless_without_an_identity_measures_nothing(credit: Credit) -> None:
    """The public instance is asked, and no evidence is left where it cannot sign."""
    credit.workflow("key: keyless")
    credit.commit()
    ran = credit.run("push", {"ref": "refs/heads/main"})
    assert (ran.outputs["verdict"], ran.outputs["evidence-path"]) == ("undecided", ""), ran.log
    assert ran.outputs["exit-code"] == "2"
    assert "sigstore:" in ran.log
