"""The commands of docs/evidence.md, run as they stand there, accept ours and refuse forgeries."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from aims_gate.attest import trust_file
from aims_gate.attest.signers.file import LocalSigner
from tests.support.proofs import Lab, refused

DOCS = Path(__file__).parents[2] / "docs" / "evidence.md"
_BLOCK = re.compile(r"^(?:<!-- ([\w -]+) -->\n)?```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
BLOCKS = {
    f"{language} {label}".strip(): body
    for label, language, body in _BLOCK.findall(DOCS.read_text(encoding="utf-8"))
}
MODEL = BLOCKS["bash model"]
SIGNATURES = BLOCKS["bash openssl jq p256"]
DECISION = BLOCKS["bash jq decision"]

pytestmark = [pytest.mark.tool("bash"), pytest.mark.tool("openssl"), pytest.mark.tool("jq")]


def _run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = ["bash", "-euo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)


def _make(folder: Path, **changes: Any) -> Lab:
    lab = Lab.make(folder, **changes)
    (folder / "gate.key.pub").write_text(lab.signer.key.pem, encoding="utf-8")
    return lab


def test_genuine_evidence_is_accepted(tmp_path: Path) -> None:
    """All three blocks, one after the other."""
    _make(tmp_path)
    done = _run(MODEL + SIGNATURES + DECISION, tmp_path)
    assert (done.returncode, done.stdout) == (0, "Verified OK\n" * 3 + "true\ntrue\n"), done.stderr


def test_ed25519_signatures_are_accepted(tmp_path: Path) -> None:
    """With the line for that kind in the place of the other."""
    lab = Lab.make(tmp_path)
    lab.signer = LocalSigner.of(ed25519.Ed25519PrivateKey.generate())
    shutil.rmtree(lab.evidence)
    lab.write(lab.evidence)
    (tmp_path / "gate.key.pub").write_text(lab.signer.key.pem, encoding="utf-8")
    lines = [
        BLOCKS["bash openssl ed25519"].rstrip() if line.strip().startswith("openssl") else line
        for line in SIGNATURES.splitlines()
    ]
    done = _run("\n".join(lines), tmp_path)
    assert done.stdout == "Signature Verified Successfully\n" * 3, done.stderr
    assert done.returncode == 0


@pytest.mark.tool("ssh-keygen")
def test_the_fingerprint_is_the_one_openssh_prints(tmp_path: Path) -> None:
    """So a person can compare it with what anybody else reads out."""
    lab = _make(tmp_path)
    done = _run(BLOCKS["bash openssl ssh-keygen p256"], tmp_path)
    assert done.stdout.split()[1] == lab.signer.key.fingerprint


@pytest.mark.parametrize("forgery", ["changed", "extra", "missing", "renamed"])
def test_other_models_are_refused(tmp_path: Path, forgery: str) -> None:
    """A byte, a file more, a file less, and another name."""
    lab = _make(tmp_path)
    if forgery == "changed":
        (lab.model / "MLmodel").write_text("x", encoding="utf-8")
    elif forgery == "extra":
        (lab.model / "sitecustomize.py").touch()
    elif forgery == "missing":
        (lab.model / "MLmodel").unlink()
    else:
        (lab.model / "MLmodel").rename(lab.model / "mlmodel2")
    assert _run(MODEL, tmp_path).returncode != 0


def test_an_edited_payload_is_refused(tmp_path: Path) -> None:
    """FAILED turned into PASSED in the envelope of another run."""
    lab = _make(tmp_path, **refused())
    assert _run(SIGNATURES, tmp_path).returncode == 0
    assert _run(DECISION, tmp_path).returncode != 0
    stranger = _make(tmp_path / "stranger")
    shutil.copy(stranger.evidence / "vsa.dsse.json", lab.evidence)
    assert "Verification failure" in _run(SIGNATURES, tmp_path).stdout


@pytest.mark.parametrize(
    "name", ["policy.resolved.yaml", "report.json", "test-result.statement.json", "model.sha256"]
)
def test_edited_files_are_refused(tmp_path: Path, name: str) -> None:
    """One byte more in any file that the statements give a digest of."""
    lab = _make(tmp_path)
    with (lab.evidence / name).open("ab") as file:
        file.write(b"\n")
    assert _run(DECISION, tmp_path).returncode != 0


def test_the_trust_file_of_the_page_is_read(tmp_path: Path) -> None:
    """As it stands there, beside a key."""
    lab = _make(tmp_path)
    (tmp_path / "trust.yaml").write_text(BLOCKS["yaml"], encoding="utf-8")
    trust = trust_file.load(tmp_path / "trust.yaml")
    assert trust.keys[0].key == lab.signer.key
    assert set(trust.servers.values()) == {"prod", "dev"}
