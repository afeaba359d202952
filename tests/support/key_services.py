"""Services that hold keys, on this machine: stand-ins for AWS KMS and Vault, and SoftHSM's tokens.

The stand-ins answer the two requests of each protocol that signing needs, over HTTP, to the
services' own clients. moto's KMS does not: it hashes what was hashed already.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, utils

PIN = "482913"
_MODULES = (
    *("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"),
    *("/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so"),
)
_DIGESTED = ec.ECDSA(utils.Prehashed(hashes.SHA256()))
Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


@dataclass(kw_only=True)
class KeyService:
    """Keys by name; a test may swap what answers and what signs."""

    shown: dict[str, Key] = field(default_factory=dict)
    """Whose public half is given."""
    signing: dict[str, Key] = field(default_factory=dict)
    """Who signs; without it, the shown one."""
    url: str = ""

    def environ(self) -> dict[str, str]:
        """Say where it is, as the services' own clients read it."""
        return {
            "AWS_ENDPOINT_URL_KMS": self.url,
            "AWS_DEFAULT_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing-only",
            "AWS_MAX_ATTEMPTS": "1",
            "VAULT_ADDR": self.url,
            "VAULT_TOKEN": "testing-only",
        }

    def aws(self, action: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Answer AWS KMS's JSON protocol."""
        name = asked["KeyId"]
        if action == "GetPublicKey":
            public = self.shown[name].public_key()
            data = public.public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            kind = "RSASSA_PSS_SHA_256" if isinstance(public, rsa.RSAPublicKey) else "ECDSA_SHA_256"
            return {"SigningAlgorithms": [kind], "PublicKey": base64.b64encode(data).decode()}
        assert asked["MessageType"] == "DIGEST"
        key = self.signing.get(name, self.shown[name])
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        signature = key.sign(base64.b64decode(asked["Message"]), _DIGESTED)
        return {"Signature": base64.b64encode(signature).decode()}

    def vault(self, path: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Answer Vault's transit engine; every key has two versions, the second is in use."""
        action, _, name = path.partition("/")
        if action == "keys":
            public = self.shown[name].public_key()
            assert isinstance(public, ed25519.Ed25519PublicKey)
            text = base64.b64encode(public.public_bytes_raw()).decode()
            old = base64.b64encode(bytes(32)).decode()
            return {"data": {"keys": {"1": {"public_key": old}, "2": {"public_key": text}}}}
        key = self.signing.get(name, self.shown[name])
        assert isinstance(key, ed25519.Ed25519PrivateKey)
        assert asked["key_version"] == 2
        signature = base64.b64encode(key.sign(base64.b64decode(asked["input"]))).decode()
        return {"data": {"signature": f"vault:v2:{signature}"}}


class _Handler(BaseHTTPRequestHandler):
    service: KeyService

    def do_GET(self) -> None:
        self.do_POST()

    def do_PUT(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = json.loads(data) if data else {}
        action = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        try:
            if action:
                code, answer = 200, self.service.aws(action, asked)
            else:
                path = self.path.removeprefix("/v1/transit/").partition("?")[0]
                code, answer = 200, self.service.vault(path, asked)
        except KeyError:
            code, answer = (400 if action else 404), {"__type": "NotFoundException", "errors": []}
        body = json.dumps(answer).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/x-amz-json-1.1" if action else "text/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
        """Be quiet."""


@contextmanager
def key_service() -> Iterator[KeyService]:
    """Run a stand-in that holds no key yet."""
    service = KeyService()
    handler = type("Handler", (_Handler,), {"service": service})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        service.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=[0.01], daemon=True)
        thread.start()
        try:
            yield service
        finally:
            server.shutdown()
            thread.join()


@dataclass(frozen=True, kw_only=True)
class SoftHsm:
    """SoftHSM's tokens in a folder of their own."""

    folder: Path
    module: str

    @property
    def environ(self) -> dict[str, str]:
        """Say where the module and its tokens are, and the PIN."""
        return {
            "PYKCS11LIB": self.module,
            "SOFTHSM2_CONF": str(self.folder / "softhsm2.conf"),
            "AIMS_GATE_HSM_PIN": PIN,
        }

    def put(self, token: str, key: Key, number: int = 2) -> None:
        """Put a key pair into a token, which is made if there is none of that name."""
        if f"Label:            {token}\n" not in self._run("--show-slots"):
            self._run("--init-token", "--free", "--label", token, "--so-pin", PIN, "--pin", PIN)
        path = self.folder / "import.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        named = ("--token", token, "--pin", PIN, "--id", f"{number:02x}", "--label", "gate")
        self._run("--import", str(path), *named)
        path.unlink()

    def _run(self, *words: str) -> str:
        done = subprocess.run(
            ["softhsm2-util", "--module", self.module, *words],
            env={**os.environ, **self.environ},
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout


def soft_hsm(folder: Path) -> SoftHsm:
    """Give tokens in *folder*; skips where SoftHSM is missing, red where it is required."""
    required = os.environ.get("AIMS_GATE_REQUIRE", "").replace(",", " ").split()
    module = next((path for path in _MODULES if Path(path).exists()), None)
    if module is None or shutil.which("softhsm2-util") is None:
        if "softhsm2-util" in required:
            pytest.fail("AIMS_GATE_REQUIRE names softhsm2-util, which is not installed")
        pytest.skip("SoftHSM is not installed (Debian's package softhsm2)")
    (folder / "tokens").mkdir(parents=True)
    hsm = SoftHsm(folder=folder, module=module)
    conf = f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\n"
    (folder / "softhsm2.conf").write_text(conf, encoding="utf-8")
    return hsm
