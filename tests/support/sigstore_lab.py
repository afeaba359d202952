"""A private Sigstore on this machine: a certificate authority and its log, a transparency log.

It answers the two requests of keyless signing as Fulcio and Rekor (version 1) do, with keys of its
own, so that Sigstore's own client signs and verifies here from end to end and nothing is faked at
a seam. Identity tokens are made by the test: the authority believes every one.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from aims_gate import canonical

ISSUER = "https://token.actions.githubusercontent.com"
WORKFLOW = "acme/ml/.github/workflows/gate.yml@refs/heads/main"
SUBJECT = f"https://github.com/{WORKFLOW}"
_SINCE = {"start": "2020-01-01T00:00:00Z"}
_SHA256 = hashes.SHA256()
_SCT_LIST = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_FULCIO = "1.3.6.1.4.1.57264.1"


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _spki(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _der(tag: int, data: bytes) -> bytes:
    size = len(data)
    head = bytes([size]) if size < 128 else bytes([0x82]) + struct.pack("!H", size)
    return bytes([tag]) + head + data


def token(subject: str = "repo:acme/ml:ref:refs/heads/main", **claims: object) -> str:
    """Make an identity token, as GitHub's for a job; nobody here checks its signature."""
    now = int(time.time())
    said = {"aud": "sigstore", "iss": ISSUER, "sub": subject, "iat": now, "exp": now + 600}
    said |= {"job_workflow_ref": WORKFLOW, **claims}
    parts = (json.dumps({"alg": "HS256", "typ": "JWT"}), json.dumps(said), "unsigned")
    return ".".join(base64.urlsafe_b64encode(p.encode()).decode().rstrip("=") for p in parts)


@dataclass(kw_only=True)
class SigstoreLab:
    """The keys of the three services, and their address."""

    authority_key: ec.EllipticCurvePrivateKey
    log_key: ec.EllipticCurvePrivateKey
    certificate_log_key: ec.EllipticCurvePrivateKey
    authority: x509.Certificate
    url: str = ""
    minutes: float = 10
    """How long a certificate is valid."""
    refuses: set[str] = field(default_factory=set)
    """Paths that answer 500."""
    identity: str = field(default_factory=token)
    """What a runner gives a job that asks for its identity; none if empty."""
    audiences: list[str] = field(default_factory=list)
    """For whom it was asked."""

    @classmethod
    def make(cls) -> SigstoreLab:
        """Make three keys, and the authority's certificate."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lab")])
        now = dt.datetime.now(dt.UTC)
        usage = dict.fromkeys(
            (
                *("digital_signature", "content_commitment", "key_encipherment"),
                *("data_encipherment", "key_agreement", "encipher_only", "decipher_only"),
            ),
            False,
        )
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
            .sign(key, _SHA256)
        )
        others = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
        return cls(
            authority_key=key,
            log_key=others[0],
            certificate_log_key=others[1],
            authority=made,
        )

    def trusted_root(self) -> dict[str, Any]:
        """What a verifier must know of the three services."""
        chain = [{"rawBytes": _b64(self.authority.public_bytes(serialization.Encoding.DER))}]
        return {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [self._log(self.log_key)],
            "ctlogs": [self._log(self.certificate_log_key)],
            "certificateAuthorities": [
                {
                    "subject": {"organization": "lab", "commonName": "lab"},
                    "uri": self.url,
                    "certChain": {"certificates": chain},
                    "validFor": _SINCE,
                }
            ],
            "timestampAuthorities": [],
        }

    def _log(self, key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
        return {
            "baseUrl": self.url,
            "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": _b64(_spki(key)),
                "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                "validFor": _SINCE,
            },
            "logId": {"keyId": _b64(hashlib.sha256(_spki(key)).digest())},
        }

    def configuration(self) -> dict[str, Any]:
        """What a signer must know: the trusted root, and the addresses."""
        service = {
            "url": self.url,
            "majorApiVersion": 1,
            "validFor": _SINCE,
            "operator": "lab",
        }
        return {
            "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
            "trustedRoot": self.trusted_root(),
            "signingConfig": {
                "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
                "caUrls": [service],
                "oidcUrls": [],
                "rekorTlogUrls": [service],
                "rekorTlogConfig": {"selector": "ANY"},
                "tsaUrls": [],
                "tsaConfig": {"selector": "ANY"},
            },
        }

    # --- Fulcio ----------------------------------------------------------------------------------

    def certify(self, request: dict[str, Any], claims: dict[str, Any]) -> dict[str, Any]:
        """Certify a key for whom the token names, with a timestamp of the certificate log."""
        csr = x509.load_pem_x509_csr(base64.b64decode(request["certificateSigningRequest"]))
        key = csr.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        now = dt.datetime.now(dt.UTC)
        workflow = f"https://github.com/{claims['job_workflow_ref']}"
        issuer = claims["iss"].encode()
        usage = dict.fromkeys(
            (
                *("content_commitment", "key_encipherment", "data_encipherment"),
                *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
            ),
            False,
        )
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(self.authority.subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(seconds=5))
            .not_valid_after(now + dt.timedelta(minutes=self.minutes))
            .add_extension(x509.KeyUsage(digital_signature=True, **usage), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.authority_key.public_key()),
                critical=False,
            )
            .add_extension(
                x509.SubjectAlternativeName([x509.UniformResourceIdentifier(workflow)]),
                critical=True,
            )
        )
        said = {"1": issuer, "8": _der(0x0C, issuer), "9": _der(0x0C, workflow.encode())}
        for number, value in said.items():
            oid = x509.ObjectIdentifier(f"{_FULCIO}.{number}")
            builder = builder.add_extension(x509.UnrecognizedExtension(oid, value), critical=False)
        logged = builder.sign(self.authority_key, _SHA256).tbs_certificate_bytes
        listed = x509.UnrecognizedExtension(_SCT_LIST, _der(0x04, self._timestamp(logged)))
        made = builder.add_extension(listed, critical=False).sign(self.authority_key, _SHA256)
        pem = serialization.Encoding.PEM
        chain = [one.public_bytes(pem).decode() for one in (made, self.authority)]
        return {"signedCertificateEmbeddedSct": {"chain": {"certificates": chain}}}

    def _timestamp(self, logged: bytes) -> bytes:
        """Make the list of one signed certificate timestamp (RFC 6962)."""
        moment = struct.pack("!Q", int(time.time() * 1000))
        issuer = hashlib.sha256(_spki(self.authority_key)).digest()
        entry = b"\x00\x01" + issuer + struct.pack("!I", len(logged))[1:] + logged
        signed = b"\x00\x00" + moment + entry + b"\x00\x00"
        signature = self.certificate_log_key.sign(signed, ec.ECDSA(_SHA256))
        log = hashlib.sha256(_spki(self.certificate_log_key)).digest()
        one = b"\x00" + log + moment + b"\x00\x00" + b"\x04\x03"
        one += struct.pack("!H", len(signature)) + signature
        one = struct.pack("!H", len(one)) + one
        return struct.pack("!H", len(one)) + one

    # --- Rekor -----------------------------------------------------------------------------------

    def include(self, entry: dict[str, Any]) -> dict[str, Any]:
        """Include an envelope in a log of two entries, and promise and prove it."""
        proposed = entry["spec"]["proposedContent"]
        envelope = json.loads(proposed["envelope"])
        payload = base64.b64decode(envelope["payload"])
        signatures = [
            {"signature": one["sig"], "verifier": verifier}
            for one, verifier in zip(envelope["signatures"], proposed["verifiers"], strict=True)
        ]
        spec = {
            "envelopeHash": _hash(proposed["envelope"].encode()),
            "payloadHash": _hash(payload),
            "signatures": signatures,
        }
        body = canonical.encode({"apiVersion": "0.0.1", "kind": "dsse", "spec": spec})
        other = hashlib.sha256(b"\x00first").digest()
        leaf = hashlib.sha256(b"\x00" + body).digest()
        root = hashlib.sha256(b"\x01" + other + leaf).digest()
        log = hashlib.sha256(_spki(self.log_key)).digest()
        note = f"127.0.0.1\n2\n{_b64(root)}\n"
        signed = self.log_key.sign(note.encode(), ec.ECDSA(_SHA256))
        promised = {
            "body": _b64(body),
            "integratedTime": int(time.time()),
            "logID": log.hex(),
            "logIndex": 1,
        }
        promise = self.log_key.sign(canonical.encode(promised), ec.ECDSA(_SHA256))
        proof = {
            "checkpoint": f"{note}\n\u2014 127.0.0.1 {_b64(log[:4] + signed)}\n",
            "hashes": [other.hex()],
            "logIndex": 1,
            "rootHash": root.hex(),
            "treeSize": 2,
        }
        verification = {"inclusionProof": proof, "signedEntryTimestamp": _b64(promise)}
        return {leaf.hex(): {**promised, "verification": verification}}


def _hash(data: bytes) -> dict[str, str]:
    return {"algorithm": "sha256", "value": hashlib.sha256(data).hexdigest()}


class _Handler(BaseHTTPRequestHandler):
    lab: SigstoreLab

    def do_GET(self) -> None:
        """Answer as the runner does where a job has `id-token: write`."""
        asked = parse_qs(urlsplit(self.path).query)
        known = self.headers["Authorization"] == "bearer of-the-runner"
        if not known or not self.lab.identity:
            self.send_error(403)
            return
        self.lab.audiences += asked["audience"]
        self._send(200, {"value": self.lab.identity})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path in self.lab.refuses:
            self.send_error(500)
            return
        if self.path == "/api/v2/signingCert":
            said = self.headers["Authorization"].removeprefix("Bearer ").split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(said + "=" * (-len(said) % 4)))
            answer = self.lab.certify(asked, claims)
        else:
            answer = self.lab.include(asked)
        self._send(201, answer)

    def _send(self, status: int, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
        """Be quiet."""


@contextmanager
def sigstore_lab() -> Iterator[SigstoreLab]:
    """Run the three services."""
    lab = SigstoreLab.make()
    handler = type("Handler", (_Handler,), {"lab": lab})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        lab.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=[0.01], daemon=True)
        thread.start()
        try:
            yield lab
        finally:
            server.shutdown()
            thread.join()
